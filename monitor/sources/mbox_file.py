"""One mbox file, taken apart: where each mail begins and what stands in it, never more of the file in memory than a chunk.

Owns the traps of the format (RFC 4155 and what programs write instead): a line "From …" begins a mail only where it looks
like a postmark and a header follows; in a mail such a line is quoted as ">From ", at any depth (mboxrd).
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import chain
from typing import BinaryIO

from monitor.sources.large_file import HEADER_BYTES, read_text_parts

CHUNK_BYTES = 1 << 20
SMALL_BYTES = 1 << 17  # a larger mail is read without its attachments
POSTMARK_BYTES = 1 << 10  # "From ", an address, a date; and as much again to see that a header follows

_LINE = re.compile(rb"From [^\r\n]*\r?\n")
_DATELESS = re.compile(rb"From (?:- ?)?\r?\n")
_HEADER = re.compile(rb"[!-9;-~]+[ \t]*:|>From |\r?\n")
_ZONE = rb"(?: +(?:([+-])(\d{2})(\d{2})|[A-Z]{1,5}))?"
_UNIX_DATE = re.compile(
    rb" ([A-Z][a-z]{2}) +(\d{1,2}) +(\d{1,2}):(\d{2})(?::(\d{2}))?" + _ZONE + rb" +(\d{4})" + _ZONE + rb"\s*$"
)
_MAIL_DATE = re.compile(rb" (\d{1,2}) +([A-Z][a-z]{2}) +(\d{4}) +(\d{1,2}):(\d{2})(?::(\d{2}))?" + _ZONE + rb"\s*$")
_MONTH_NAMES = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec"
_MONTHS = {name.encode(): number for number, name in enumerate(_MONTH_NAMES.split(), 1)}
_QUOTED = re.compile(rb"(?m)^>(>*From )")


class NotMbox(ValueError):
    """The file does not begin as an mbox does."""


@dataclass(frozen=True, slots=True)
class Postmark:
    """The line that begins a mail. `at` is aware UTC, None where it names no instant; `zoned`: it names its offset."""

    at: datetime | None
    zoned: bool


@dataclass(slots=True)
class MboxMail:
    """One mail of the file, as long as the next was not asked for. `offset` is where its postmark begins, in bytes."""

    offset: int
    postmark: Postmark
    chunks: Iterator[bytes]
    start: bytes = field(default=b"")

    @property
    def headers(self) -> bytes:
        """Its header block, at most 64 KiB."""
        self._fill(HEADER_BYTES)
        ends = [place + len(gap) for gap in (b"\r\n\r\n", b"\n\n") if (place := self.start.find(gap)) >= 0]
        return self.start[: min(ends, default=HEADER_BYTES)]

    def read(self) -> bytes:
        """Return the mail with its quoting undone; a large one without its attachments."""
        self._fill(SMALL_BYTES + 1)
        large = len(self.start) > SMALL_BYTES
        content = read_text_parts(_lines(chain((self.start,), self.chunks))) if large else self.start
        return _QUOTED.sub(rb"\1", content) if b"From " in content else content

    def _fill(self, size: int) -> None:
        while len(self.start) < size and (chunk := next(self.chunks, b"")):
            self.start += chunk


class MboxFile:
    """Reads a file from `offset` on, which is where a mail begins: 0, or where an earlier reading ended."""

    def __init__(self, file: BinaryIO, offset: int = 0) -> None:
        """Go to the place; read nothing yet."""
        file.seek(offset)
        self._file = file
        self._base = offset  # where in the file the buffer begins
        self._buffer = b""
        self._at = 0  # how far into the buffer the reading is
        self._ended = False

    @property
    def position(self) -> int:
        """Where in the file the reading is: between two mails, where the next begins."""
        return self._base + self._at

    def mails(self) -> Iterator[MboxMail]:
        """Yield mail after mail; what of one was not read is passed over.

        Raises:
            NotMbox: no mail begins where the file does.
            OSError: the file cannot be read.
        """
        self._skip_blank()
        if self._at == len(self._buffer) and self._ended:
            return
        while (line := self._postmark_at(self._at, sure=True)) is not None:
            offset = self.position
            self._at += len(line)
            chunks = self._chunks()
            yield MboxMail(offset, parse_postmark(line), chunks)
            for _ in chunks:
                pass
            if self._ended and self._at == len(self._buffer):
                return
        raise NotMbox

    def _skip_blank(self) -> None:
        while True:
            self._more(POSTMARK_BYTES)
            rest = self._buffer[self._at :].lstrip(b"\xef\xbb\xbf\r\n")
            self._at = len(self._buffer) - len(rest)
            if rest or self._ended:
                return

    def _chunks(self) -> Iterator[bytes]:
        """Yield a mail's bytes up to the blank line before the next postmark; ends where that begins."""
        while True:
            found = self._find_next()
            if found is not None:
                rest = self._buffer[self._at : found]
                self._at = found
                yield _without_last_blank(rest)
                return
            if self._ended:
                rest, self._at = self._buffer[self._at :], len(self._buffer)
                yield rest
                return
            # The end stays for the next look: a postmark may stand across the border.
            keep = max(len(self._buffer) - POSTMARK_BYTES, self._at)
            if keep > self._at:
                rest, self._at = self._buffer[self._at : keep], keep
                yield rest
            self._more(POSTMARK_BYTES + CHUNK_BYTES)

    def _find_next(self) -> int | None:
        """Return where in the buffer the next mail begins, None where it does not begin in it."""
        place = self._at - 1
        while (place := self._buffer.find(b"\nFrom ", max(place, 0))) >= 0:
            if not self._ended and len(self._buffer) - place < POSTMARK_BYTES:
                return None
            if self._postmark_at(place + 1) is not None:
                return place + 1
            place += 1
        return None

    def _postmark_at(self, place: int, *, sure: bool = False) -> bytes | None:
        """Return the postmark that stands here, None where none does; where a mail must begin, what follows may be damaged."""
        if not self._ended and len(self._buffer) - place < POSTMARK_BYTES:
            moved = self._at
            self._more(POSTMARK_BYTES)
            place -= moved - self._at
        found = _LINE.match(self._buffer, place, place + POSTMARK_BYTES)
        if found is None:
            return None
        line, after = found[0], found.end()
        if _DATELESS.fullmatch(line) is None and parse_postmark(line).at is None:
            return None
        # At the very end of the file nothing follows; elsewhere a header does.
        return line if sure or after >= len(self._buffer) or _HEADER.match(self._buffer, after) else None

    def _more(self, size: int) -> None:
        """Have at least `size` bytes ahead, unless the file ends before; what is behind is let go."""
        while not self._ended and len(self._buffer) - self._at < size:
            chunk = self._file.read(CHUNK_BYTES)
            if not chunk:
                self._ended = True
                return
            self._base += self._at
            self._buffer = self._buffer[self._at :] + chunk
            self._at = 0


def _without_last_blank(content: bytes) -> bytes:
    """Return the mail without the blank line that belongs to the next postmark."""
    for end in (b"\r\n\r\n", b"\n\n"):
        if content.endswith(end):
            return content[: -len(end) // 2]
    return content


def _lines(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """Yield lines with their ends; a very long one comes in pieces."""
    rest = b""
    for chunk in chunks:
        *lines, rest = (rest + chunk).split(b"\n")
        yield from (line + b"\n" for line in lines)
        if len(rest) > HEADER_BYTES:
            yield rest
            rest = b""
    if rest:
        yield rest


def parse_postmark(line: bytes) -> Postmark:
    """Return what a postmark says; without an offset its instant is taken for UTC, as RFC 4155 has it."""
    if (found := _UNIX_DATE.search(line)) is not None:
        month, day, hour, minute, second, sign, hours, minutes, year, *behind = found.groups()
        if sign is None:
            sign, hours, minutes = behind
    elif (found := _MAIL_DATE.search(line)) is not None:
        day, month, year, hour, minute, second, sign, hours, minutes = found.groups()
    else:
        return Postmark(None, False)
    try:
        at = datetime(
            int(year), _MONTHS[month], int(day), int(hour), int(minute), min(int(second or 0), 59), tzinfo=UTC
        )
        if sign is None:
            return Postmark(at, False)
        offset = timedelta(hours=int(hours), minutes=int(minutes))
        return Postmark(at - offset if sign == b"+" else at + offset, True)
    except (ValueError, OverflowError, KeyError):
        return Postmark(None, False)
