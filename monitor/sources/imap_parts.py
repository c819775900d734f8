"""Large mails without their attachments: which parts to ask for, and a valid mail made of what came.

Text parts, the headers of attached mails and delivery reports are kept; the rest is left out and marked so.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from monitor.sources.imap_response import Value

PART_BYTES = 1 << 18  # of one text part
MAIL_PARTS = 16  # of one mail: 4 MiB of text at the very most
MAX_DEPTH = 20
_TOKEN = re.compile(rb"[A-Za-z0-9!#$&^_.+-]{1,60}")
_HEADER_FIELD = re.compile(rb"(?im)^content-type\s*:")
_REPORTS = {(b"message", b"delivery-status"), (b"message", b"disposition-notification")}


@dataclass(frozen=True, slots=True)
class Part:
    """One node of a BODYSTRUCTURE. `section` is its number ("" for a multipart mail's own body)."""

    section: str
    kind: bytes
    subtype: bytes
    parameters: Mapping[bytes, bytes]
    encoding: bytes = b""
    size: int = 0
    attached: bool = False
    children: tuple["Part", ...] = ()

    @property
    def is_multipart(self) -> bool:
        """Whether it only holds other parts."""
        return self.kind == b"multipart"

    @property
    def is_mail(self) -> bool:
        """Whether it is an attached mail; its body is then the only child."""
        return (self.kind, self.subtype) == (b"message", b"rfc822") and bool(self.children)

    @property
    def is_wanted(self) -> bool:
        """Whether it holds words or a delivery report."""
        return (self.kind, self.subtype) in _REPORTS or (self.kind == b"text" and not self.attached)


def parse_structure(value: Value, section: str = "", depth: int = 0) -> Part:
    """Return the tree of a BODYSTRUCTURE.

    Raises:
        ValueError: it is none, or nests deeper than 20.
    """
    if not isinstance(value, list) or not value or depth > MAX_DEPTH:
        raise ValueError("not a BODYSTRUCTURE")
    if isinstance(value[0], list):
        nested = [child for child in value if isinstance(child, list)]
        count = next((n for n, child in enumerate(value) if not isinstance(child, list)), len(value))
        children = tuple(
            parse_structure(child, f"{section}.{number}" if section else str(number), depth + 1)
            for number, child in enumerate(nested[:count], 1)
        )
        parameters = _parameters(value[count + 1]) if len(value) > count + 1 else {}
        return Part(
            section, b"multipart", _lower(value[count] if len(value) > count else None), parameters, children=children
        )
    if len(value) < 7:
        raise ValueError("not a BODYSTRUCTURE")
    kind, subtype = _lower(value[0]), _lower(value[1])
    section = section or "1"
    size = value[6]
    children = ()
    if (kind, subtype) == (b"message", b"rfc822") and len(value) > 8:
        inner = value[8]
        # A multipart body has the attached mail's own number; any other body is part 1 of it.
        multipart = isinstance(inner, list) and bool(inner) and isinstance(inner[0], list)
        children = (parse_structure(inner, section if multipart else f"{section}.1", depth + 1),)
    return Part(
        section,
        kind,
        subtype,
        _parameters(value[2]),
        _lower(value[5]),
        int(size) if isinstance(size, bytes) and size.isdigit() else 0,
        _is_attachment(value[7:]),
        children,
    )


def _lower(value: Value) -> bytes:
    return value.lower() if isinstance(value, bytes) else b""


def _parameters(value: Value) -> dict[bytes, bytes]:
    words = [word for word in value if isinstance(word, bytes)] if isinstance(value, list) else []
    return {name.lower(): text for name, text in zip(words[::2], words[1::2], strict=False)}


def _is_attachment(rest: list[Value]) -> bool:
    # The disposition is the only list that begins with this word, wherever extensions have put it.
    return any(isinstance(item, list) and bool(item) and _lower(item[0]) == b"attachment" for item in rest)


def plan_items(structure: Part) -> list[str]:
    """Return the FETCH items that bring what is wanted of a mail, each with its limit of octets."""
    items: list[str] = []
    for part in _wanted(structure):
        if len(items) >= 2 * MAIL_PARTS:
            break
        top = structure.section == part.section and not structure.is_multipart
        if part.is_mail:
            items += [f"BODY.PEEK[{part.section}.MIME]<0.{PART_BYTES}>"] if not top else []
            items += [f"BODY.PEEK[{part.section}.HEADER]<0.{PART_BYTES}>"]
        elif top:
            items += [f"BODY.PEEK[TEXT]<0.{PART_BYTES}>"]
        else:
            items += [f"BODY.PEEK[{part.section}{end}]<0.{PART_BYTES}>" for end in (".MIME", "")]
    return items


def _wanted(part: Part) -> Iterator[Part]:
    if part.is_wanted or part.is_mail:
        yield part
    for child in part.children:
        # The single body of an attached mail has no MIME header of its own: its headers are the mail's.
        yield from _wanted(child)


def render_mail(headers: bytes, structure: Part, fetched: Mapping[bytes, Value]) -> bytes:
    """Return a mail of these headers and parts. `fetched` holds `BODY[1.2]` and `BODY[1.2.MIME]` by name."""
    head = headers.rstrip(b"\r\n") + b"\r\n"
    if not _HEADER_FIELD.search(head):  # cut off with the end of a header that was too long
        head += _content_type(structure)
    return head + b"\r\n" + _render_body(structure, fetched, "TEXT")


def _render_body(part: Part, fetched: Mapping[bytes, Value], own_section: str = "") -> bytes:
    if part.is_multipart:
        boundary = b"--" + part.parameters.get(b"boundary", b"")
        lines = [
            line
            for child in part.children
            for line in (boundary, _render_headers(child, fetched) + b"\r\n" + _render_body(child, fetched))
        ]
        return b"\r\n".join([*lines, boundary + b"--", b""])
    if part.is_mail:
        inner = _text(fetched, f"{part.section}.HEADER").rstrip(b"\r\n")
        return inner + b"\r\n\r\n" + _render_body(part.children[0], fetched)
    content = _text(fetched, own_section) or _text(fetched, part.section)
    return trim_encoded(content, part.encoding) if len(content) >= PART_BYTES else content


def _render_headers(part: Part, fetched: Mapping[bytes, Value]) -> bytes:
    mime = _text(fetched, f"{part.section}.MIME").rstrip(b"\r\n")
    if mime:
        return mime + b"\r\n"
    if part.is_multipart:
        return _content_type(part)
    return _content_type(part) + b"Content-Disposition: attachment\r\nX-Omitted-Bytes: %d\r\n" % part.size


def _content_type(part: Part) -> bytes:
    known = _TOKEN.fullmatch(part.kind) and _TOKEN.fullmatch(part.subtype) and part.kind != b"message"
    line = b"Content-Type: " + (part.kind + b"/" + part.subtype if known else b"application/octet-stream")
    if part.is_multipart:
        boundary = part.parameters.get(b"boundary", b"").replace(b"\\", b"\\\\").replace(b'"', b'\\"')
        line += b'; boundary="' + boundary + b'"'
    return line + b"\r\n"


def _text(fetched: Mapping[bytes, Value], section: str) -> bytes:
    value = fetched.get(f"BODY[{section}]".encode())
    return value if isinstance(value, bytes) else b""


def trim_encoded(content: bytes, encoding: bytes) -> bytes:
    """Return a cut-off part without its broken last line, so that its encoding still decodes."""
    if encoding not in (b"base64", b"quoted-printable"):
        return content
    whole_lines = content[: content.rfind(b"\n") + 1]
    return whole_lines or content[: len(content) // 4 * 4]
