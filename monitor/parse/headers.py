"""Header blocks of any bytes: names, values, addresses, encoded words.

Owns the one reader of headers that every path uses, whatever reads the body. Addresses are taken from the raw value and
only names are decoded: an encoded word cannot smuggle in an address. Bounded in size and time, never raises.
"""

import base64
import binascii
import re
from dataclasses import dataclass
from functools import lru_cache

from monitor.parse.charsets import decode_bytes

MAX_BLOCK = 256 * 1024
"""Bytes of a header block that are read; mails with more are attacks."""

MAX_HEADERS = 2_000
MAX_NAME = 100
MAX_ADDRESSES = 200
MAX_REMEMBERED = 300
"""Characters of a value whose addresses are kept for the next mail."""


_HEADER = re.compile(rf"^([!-9;-~]{{1,{MAX_NAME}}}+)[^\S\n]*+:([^\n]*+)", re.MULTILINE)
_FOLD = re.compile(r"\n[ \t]++")
_ENCODED = re.compile(r"=\?([^?\s]{1,60})\?([bBqQ])\?([^?]{0,8000})\?=")
_GAP = re.compile(r"(=\?[^?\s]{1,60}\?[bBqQ]\?[^?]{0,8000}\?=)[ \t\r\n]+(?==\?[^?\s]{1,60}\?[bBqQ]\?)")
_ANGLE = re.compile(r"<([^<>]*)>")
_COMMENT = re.compile(r"\(([^()]*)\)")
_ADDRESS = re.compile(r"(?<![^\s<>()\",;])[^\s<>()\",;]+@[^\s<>()\",;@]+")
_ID = re.compile(r"<([^<>\s]{1,998})>")
_Q = re.compile(rb"=([0-9A-Fa-f]{2})")
_ODD_Q = re.compile(rb"=(?![0-9A-Fa-f]{2})|[\r\n]")  # what binascii reads in a way of its own


@dataclass(frozen=True, slots=True)
class Address:
    """One address, lower-case; its name is decoded when asked for."""

    raw_name: str
    address: str

    @property
    def name(self) -> str:
        """The display name, encoded words decoded."""
        return decode_words(self.raw_name)


class Headers:
    """The headers of one mail; repeated ones keep their order, the topmost first."""

    __slots__ = ("_values", "order", "problem")

    def __init__(self, pairs: list[tuple[str, str]], problem: str = "") -> None:
        """Keep names in lower case and unfolded values."""
        self._values: dict[str, list[str]] = {}
        self.order = [name for name, _ in pairs]
        self.problem = problem
        values = self._values
        for name, value in pairs:
            if name in values:
                values[name].append(value)
            else:
                values[name] = [value]

    def get(self, name: str) -> str:
        """Return the topmost value, "" when the header is missing."""
        values = self._values.get(name)
        return values[0] if values else ""

    def all(self, name: str) -> list[str]:
        """Return every value, topmost first."""
        return self._values.get(name, [])

    def text(self, name: str) -> str:
        """Return the topmost value with its encoded words decoded."""
        return decode_words(self.get(name))

    def addresses(self, name: str) -> list[Address]:
        """Return the addresses of every header of this name."""
        values = self._values.get(name)
        if not values:
            return []
        found: list[Address] = []
        for value in values:
            # A seller's own addresses stand in every mail.
            found += _parse_short(value) if len(value) <= MAX_REMEMBERED else parse_addresses(value)
        return found[:MAX_ADDRESSES]

    def __contains__(self, name: str) -> bool:
        """Return whether the header is there at all."""
        return name in self._values

    def __bool__(self) -> bool:
        """Return whether any header was read."""
        return bool(self._values)


def split_mail(content: bytes) -> tuple[bytes, int]:
    """Return the header block, and where the body begins (the length, if there is none)."""
    start = 0
    while content[start : start + 1] in (b"\r", b"\n", b" ", b"\t") and start < 1000:
        start += 1
    if content[start : start + 3] == b"\xef\xbb\xbf":
        start += 3
    crlf = content.find(b"\r\n\r\n", start)
    lf = content.find(b"\n\n", start, crlf if crlf >= 0 else len(content))
    mixed = content.find(b"\n\r\n", start, crlf if crlf >= 0 else len(content))
    ends = [(crlf, 4), (lf, 2), (mixed, 3)]
    found = min(((end, size) for end, size in ends if end >= 0), default=(-1, 0))
    if found[0] < 0:
        cr = content.find(b"\r\r", start) if b"\n" not in content[start : start + MAX_BLOCK] else -1
        found = (cr, 2) if cr >= 0 else (len(content), 0)
    return content[start : found[0]], found[0] + found[1]


def parse_headers(block: bytes) -> Headers:
    """Return the headers of a block; what cannot be read is left out, and `problem` says so."""
    problem = ""
    if len(block) > MAX_BLOCK:
        block, problem = block[:MAX_BLOCK], f"headers of more than {MAX_BLOCK // 1024} KB, read in part"
    if b"\0" in block:
        block, problem = block.replace(b"\0", b""), problem or "NUL bytes in the headers"
    try:
        text = block.decode("utf-8")
    except UnicodeDecodeError:
        text = decode_bytes(block, "iso-8859-1")[0]
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    if "\n " in text or "\n\t" in text:
        text = _FOLD.sub(" ", text)
    found = [(name.lower(), value.strip()) for name, value in _HEADER.findall(text)]
    if len(found) > MAX_HEADERS:
        found, problem = found[:MAX_HEADERS], problem or f"more than {MAX_HEADERS} headers, read in part"
    return Headers(found, problem)


def decode_words(value: str) -> str:
    """Return a header value with its RFC 2047 encoded words decoded, characters split between words included."""
    if "=?" not in value:
        return value
    value = value[:20_000]
    joined = _GAP.sub(r"\1", value) if value.count("=?") > 1 else value
    pieces: list[str] = []
    pending: tuple[str, bytes] | None = None
    position = 0
    for match in _ENCODED.finditer(joined):
        if match.start() > position or pending is None or pending[0] != match[1].lower():
            pieces.append(_flush(pending))
            pieces.append(joined[position : match.start()])
            pending = None
        data = _decode_payload(match[2], match[3])
        charset = match[1].lower()
        pending = (charset, pending[1] + data if pending else data)
        position = match.end()
    pieces.append(_flush(pending))
    pieces.append(joined[position:])
    return "".join(pieces)


def _flush(pending: tuple[str, bytes] | None) -> str:
    if pending is None:
        return ""
    text, _ = decode_bytes(pending[1], pending[0].partition("*")[0])
    return text.replace("\r", " ").replace("\n", " ")


def _decode_payload(encoding: str, payload: str) -> bytes:
    raw = payload.encode("utf-8", "replace")
    if encoding in "qQ":
        if _ODD_Q.search(raw) is None:
            return binascii.a2b_qp(raw, header=True)
        return _Q.sub(lambda match: bytes((int(match[1], 16),)), raw.replace(b"_", b" "))
    try:
        return base64.b64decode(raw.rstrip(b"=") + b"=" * (-len(raw.rstrip(b"=")) % 4))
    except (binascii.Error, ValueError):
        return b""


@lru_cache(maxsize=256)
def _parse_short(value: str) -> tuple[Address, ...]:
    return tuple(parse_addresses(value))


def parse_addresses(value: str) -> list[Address]:
    """Return the addresses of a header value, at most `MAX_ADDRESSES`."""
    value = value[:50_000]
    found: list[Address] = []
    for piece in _split_list(value):
        angles = [angle.strip() for angle in _ANGLE.findall(piece) if "@" in angle]
        if angles:
            name = piece.partition("<")[0].strip()
            if len(name) > 1 and name[0] == name[-1] == '"':
                name = name[1:-1].strip()
            if "\\" in name:
                name = name.replace('\\"', '"').replace("\\\\", "\\")
            found += [Address(name, _clean(angle)) for angle in angles]
        else:
            bare = _ADDRESS.search(_COMMENT.sub(" ", piece))
            if bare:
                comment = _COMMENT.search(piece)
                found.append(Address(comment[1].strip() if comment else "", _clean(bare[0])))
        if len(found) >= MAX_ADDRESSES:
            break
    return found


def _clean(address: str) -> str:
    local, _, domain = address.rpartition("@")
    local = local.rpartition(":")[2] if local.startswith("@") else local
    return f"{local.strip().strip(chr(34))}@{domain.strip().rstrip('.')}".lower()


def _split_list(value: str) -> list[str]:
    """Return the pieces between the commas that stand outside quotes, comments and angle brackets."""
    if "," not in value and ";" not in value:
        return [value]
    pieces, current, quoted, depth = [], 0, False, 0
    previous = ""
    for index, char in enumerate(value):
        if char == '"' and previous != "\\":
            quoted = not quoted
        elif not quoted:
            if char in "(<":
                depth += 1
            elif char in ")>":
                depth = max(0, depth - 1)
            elif char in ",;" and depth == 0:
                pieces.append(value[current:index])
                current = index + 1
        previous = char if previous != "\\" else ""
    pieces.append(value[current:])
    return pieces


def message_ids(value: str) -> list[str]:
    """Return the Message-IDs in a header value, without angle brackets, in order."""
    found = _ID.findall(value)
    if not found and "@" in value:
        found = [word for word in value.split() if "@" in word]
    return list(dict.fromkeys(found))
