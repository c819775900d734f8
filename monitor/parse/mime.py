"""A mail's text parts, whatever its bytes: the fast parser first, the standard library behind it, raw reading in the end.

Owns the order of the three and the limits that keep each of them quick: the fast parser takes a minute for a header of a
million encoded words and refuses odd structure; the standard library recurses; neither is shown more than it can bear.
"""

import base64
import binascii
import email
import email.message
import email.policy
import quopri
import re
from dataclasses import dataclass, field

import fast_mail_parser

from monitor.parse.charsets import decode_bytes
from monitor.parse.headers import Headers, decode_words, parse_headers, split_mail

MAX_PART = 2_000_000
"""Bytes of one text part that are read."""

MAX_PARTS = 200
MAX_ATTACHED = 5
MAX_SLOW = 4_000_000
"""Bytes shown to the standard library's parser."""

MAX_FAST = 90_000_000
MAX_COPIED = 400_000_000
MANY_ENCODED_WORDS = 2_000
MAX_DEPTH = 40
MAX_FLOWED = 200_000

_CHARSET = re.compile(r"charset\s{0,5}=\s{0,5}[\"']?([^\s\"';]{1,60})", re.IGNORECASE)
_BOUNDARY = re.compile(r"boundary\s{0,5}=\s{0,5}(?:\"([^\"]{1,200})\"|([^\s\";]{1,200}))", re.IGNORECASE)
_NESTED = re.compile(rb"^content-type:\s*(?:multipart|message)/", re.IGNORECASE | re.MULTILINE)
_SOFT_BREAK = re.compile(r"^(?!-- $)(?!>)(?=[ \t]*+\S)([^\n]*) \n(?![>\n])", re.MULTILINE)
_KEPT = ("content-type", "content-transfer-encoding", "content-disposition", "mime-version")
_STDLIB_ERRORS = (
    LookupError, ValueError, TypeError, AttributeError, AssertionError, RecursionError, NotImplementedError, OverflowError,
)  # fmt: skip


@dataclass(slots=True)
class Body:
    """The parts that can mean something.

    Attributes:
        plain: decoded text/plain parts, in order.
        raw_markup: text/html parts with their Content-Type, decoded by `markup` when they are needed.
        attached: headers and body of the mails attached to this one.
        status: message/delivery-status parts as text.
        original: header blocks of the mail a report is about.
        content_type: the whole mail's, lower-case, without parameters.
        is_report: multipart/report about delivery.
        problems: what was wrong, in words without content.
    """

    content_type: str = "text/plain"
    plain: list[str] = field(default_factory=list)
    raw_markup: list[tuple[str, bytes]] = field(default_factory=list)
    attached: list[tuple[Headers, "Body"]] = field(default_factory=list)
    status: list[str] = field(default_factory=list)
    original: list[Headers] = field(default_factory=list)
    is_report: bool = False
    problems: list[str] = field(default_factory=list)
    parts: int = 0

    _markup: list[str] | None = None

    @property
    def markup(self) -> list[str]:
        """The decoded text/html parts, in order."""
        if self._markup is None:
            self._markup = [_decode_part(self, content_type, raw) for content_type, raw in self.raw_markup]
        return self._markup

    @property
    def has_text(self) -> bool:
        """Whether any text was found, even an empty line."""
        return any(text.strip() for text in self.plain) or bool(self.raw_markup) or bool(self.status)


def read_body(content: bytes, headers: Headers, body_start: int) -> Body:
    """Return the text parts of a mail whose headers were read. Never raises; bounded in time."""
    content_type = headers.get("content-type")
    main = content_type.partition(";")[0].strip().lower()
    if not main.startswith(("multipart/", "message/")):
        return _read_single(content, headers, body_start, main)
    body = _read_fast(content, headers, body_start)
    if body is None or not (body.has_text or body.attached or body.parts):
        problems = body.problems if body else ["structure the fast parser refuses"]
        body = _read_slow(content, headers, body_start)
        body.problems = [*problems, *body.problems]
        if not body.has_text and not body.attached:
            _read_raw(content, body_start, body)
    body.content_type = main or "text/plain"
    body.is_report = body.is_report or (
        main == "multipart/report" and "disposition-notification" not in content_type.lower()
    )
    boundary = _BOUNDARY.search(content_type)
    if boundary is not None:
        name = (boundary[1] or boundary[2]).encode("utf-8", "replace")
        if content.rfind(b"--" + name + b"--") < body_start:
            body.problems.append("truncated: the last boundary is missing")
    return body


def _read_single(content: bytes, headers: Headers, body_start: int, main: str) -> Body:
    """A mail of one part needs no structure: decode it here."""
    body = Body(content_type=main or "text/plain")
    if main and not main.startswith("text/"):
        body.parts = 1
        if "/" in main:
            return body
    raw, problem = _transfer_decode(
        content[body_start : body_start + 2 * MAX_PART], headers.get("content-transfer-encoding").strip().lower()
    )
    if problem:
        body.problems.append(problem)
    _add_text(body, main or "text/plain", headers.get("content-type"), raw)
    return body


def _transfer_decode(raw: bytes, encoding: str) -> tuple[bytes, str]:
    if encoding == "quoted-printable":
        return quopri.decodestring(raw), ""
    if encoding == "base64":
        packed = re.sub(rb"[^A-Za-z0-9+/=]", b"", raw)
        usable = packed.partition(b"=")[0]
        usable = usable[: len(usable) - (1 if len(usable) % 4 == 1 else 0)]
        try:
            return base64.b64decode(usable + b"=" * (-len(usable) % 4)), "" if len(
                packed
            ) % 4 == 0 else "base64 cut off"
        except (binascii.Error, ValueError):
            return raw, "base64 that does not decode"
    return raw, ""


def _read_fast(content: bytes, headers: Headers, body_start: int) -> Body | None:
    """Return what the Rust parser finds, None where it refuses or should not be asked."""
    rest = content[body_start:] if len(content) <= MAX_FAST else content[body_start : body_start + MAX_FAST]
    if rest.count(b"=?") > MANY_ENCODED_WORDS:
        return None
    if len(rest) > 100_000 and len(_NESTED.findall(rest[:MAX_SLOW])) * len(rest) > MAX_COPIED:
        return None  # each attached mail is copied once for every level around it
    top = "".join(f"{name}: {value[:5000]}\r\n" for name in _KEPT for value in headers.all(name)[:1])
    try:
        tree = fast_mail_parser.parse_email_tree(top.encode("utf-8", "replace") + b"\r\n" + rest, mode="lazy")
        body = Body()
        _walk_fast(tree, body, 0)
    except fast_mail_parser.ParseError:
        return None
    return body


def _walk_fast(node: fast_mail_parser.PyLazyMimePart, body: Body, depth: int) -> None:
    if body.parts >= MAX_PARTS or depth > MAX_DEPTH:
        body.problems.append("more parts than are read")
        return
    kind = node.content_type.lower()
    children = node.children
    if node.is_message or (kind == "message/rfc822" and children):
        if children and len(body.attached) < MAX_ATTACHED:
            inner = Body(content_type=children[0].content_type.lower())
            _walk_fast(children[0], inner, depth + 1)
            body.attached.append((_headers_of(children[0]), inner))
            body.parts += 1
        return
    if children:
        if kind == "multipart/report" and depth:
            body.is_report = True
        for child in children:
            _walk_fast(child, body, depth + 1)
        return
    if kind.startswith("multipart/"):
        return  # no boundary, or none that is used: the raw reading finds the words
    body.parts += 1
    if kind in ("text/plain", "text/html"):
        if (node.disposition or "").lower() != "attachment":
            _add_text(body, kind, _first(node.headers, "content-type"), node.content or b"")
    elif kind in ("message/delivery-status", "message/global-delivery-status"):
        body.status.append(decode_bytes((node.content or b"")[:MAX_PART])[0])
    elif kind in ("text/rfc822-headers", "message/global-headers"):
        body.original.append(parse_headers(node.content or b""))
    elif kind == "message/rfc822" and node.content:
        body.original.append(parse_headers(split_mail(node.content)[0]))


def _first(headers: dict[str, list[str]], name: str) -> str:
    for key, values in headers.items():
        if values and key.lower() == name:
            return values[0]
    return ""


def _headers_of(node: fast_mail_parser.PyLazyMimePart) -> Headers:
    pairs = [(name.lower(), value) for name, values in node.headers.items() for value in values]
    return Headers(pairs[:2000])


def _add_text(body: Body, kind: str, content_type: str, raw: bytes) -> None:
    if kind == "text/html":
        body.raw_markup.append((content_type, raw))
        return
    text = _decode_part(body, content_type, raw)
    if kind != "text/plain" and "<" in text[:2000] and "html" in text[:2000].lower():
        body.raw_markup.append(("text/html; charset=utf-8", text.encode("utf-8", "replace")))
        return
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    if "flowed" in content_type:
        text = _unflow(text, "delsp=yes" in content_type.lower() or 'delsp="yes"' in content_type.lower())
    body.plain.append(text)


def _decode_part(body: Body, content_type: str, raw: bytes) -> str:
    if len(raw) > MAX_PART:
        raw = raw[:MAX_PART]
        body.problems.append("a text part of more than 2 MB, read in part")
    charset = _CHARSET.search(content_type)
    text, problem = decode_bytes(raw, charset[1] if charset else "")
    if problem and problem not in body.problems:
        body.problems.append(problem)
    if "\0" in text:
        text = text.replace("\0", "")
        body.problems.append("NUL bytes in the text")
    return text


def _unflow(text: str, delete_space: bool) -> str:
    """Join the lines that RFC 3676 broke: those that end in a space."""
    return _SOFT_BREAK.sub(r"\1" if delete_space else r"\1 ", text[:MAX_FLOWED]) + text[MAX_FLOWED:]


def _read_slow(content: bytes, headers: Headers, body_start: int) -> Body:
    """Return what the standard library finds, with every error it is known to raise caught."""
    body = Body()
    rest = content[body_start : body_start + MAX_SLOW]
    if len(content) - body_start > MAX_SLOW:
        body.problems.append("too large for the second parser, read in part")
    if len(_NESTED.findall(rest)) > 200:
        body.problems.append("nested too deeply")
        return body
    pieces = rest.split(b"\n--", 10 * MAX_PARTS)
    rest = b"\n--".join(pieces[: 10 * MAX_PARTS])
    top = "".join(f"{name}: {value[:5000]}\r\n" for name in _KEPT for value in headers.all(name)[:1])
    try:
        message = email.message_from_bytes(
            top.encode("ascii", "replace") + b"\r\n" + rest, policy=email.policy.compat32
        )
        _walk_slow(message, body, 0)
    except _STDLIB_ERRORS as error:
        body.problems.append(f"structure the second parser refuses ({type(error).__name__})")
    return body


def _walk_slow(part: email.message.Message, body: Body, depth: int) -> None:
    if body.parts >= MAX_PARTS or depth > MAX_DEPTH:
        body.problems.append("nested too deeply" if depth > MAX_DEPTH else "more parts than are read")
        return
    kind = part.get_content_type()
    payload = part.get_payload()
    if isinstance(payload, list):
        children = [child for child in payload[:MAX_PARTS] if isinstance(child, email.message.Message)]
        if kind == "message/rfc822" and children and len(body.attached) < MAX_ATTACHED:
            inner = Body(content_type=children[0].get_content_type())
            _walk_slow(children[0], inner, depth + 1)
            pairs = [
                (str(name).lower(), decode_words(" ".join(str(value).split()))) for name, value in children[0].items()
            ]
            body.attached.append((Headers(pairs[:2000]), inner))
        elif kind in ("message/delivery-status", "message/global-delivery-status"):
            body.status.append("\n\n".join(str(block) for block in payload[:50])[:MAX_PART])
        else:
            for child in children:
                _walk_slow(child, body, depth + 1)
        return
    body.parts += 1
    if kind == "text/rfc822-headers":
        body.original.append(parse_headers(_payload_bytes(part)))
    elif kind in ("text/plain", "text/html") and part.get_content_disposition() != "attachment":
        _add_text(body, kind, str(part.get("content-type", "")), _payload_bytes(part))


def _payload_bytes(part: email.message.Message) -> bytes:
    try:
        payload = part.get_payload(decode=True)
    except _STDLIB_ERRORS:
        payload = None
    if isinstance(payload, bytes):
        return payload
    return str(part.get_payload()).encode("utf-8", "replace")


def _read_raw(content: bytes, body_start: int, body: Body) -> None:
    """Take the body as it stands: better wrong letters than no mail."""
    raw = content[body_start : body_start + MAX_PART]
    if not raw.strip():
        return
    if b"=3D" in raw or b"=\r\n" in raw or b"=\n" in raw:
        raw = quopri.decodestring(raw)
    body.problems.append("read without its structure")
    text = decode_bytes(raw)[0].replace("\0", "").replace("\r\n", "\n")
    if re.search(r"<(?:html|body|div|table|p)\b", text[:5000], re.IGNORECASE):
        body.raw_markup.append(("text/html; charset=utf-8", text.encode("utf-8", "replace")))
    else:
        body.plain.append(text)
