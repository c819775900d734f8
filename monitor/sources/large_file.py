"""A large mail read line by line: its headers and text parts are kept, the bodies of attachments left out.

The counterpart, for a file, of what `imap_parts` asks a server for; never more than a few MiB in memory.
"""

import re
from collections.abc import Iterable, Iterator

HEADER_BYTES = 1 << 16
PART_BYTES = 1 << 18
MAIL_PARTS = 16
MAX_DEPTH = 20
_TYPE = re.compile(rb"(?im)^content-type:\s*([a-z0-9-]+)/([a-z0-9.+-]+)")
_BOUNDARY = re.compile(rb'(?i);\s*boundary\s*=\s*(?:"([^"]{1,200})"|([^\s;"]{1,200}))')
_ATTACHED = re.compile(rb"(?im)^content-disposition:\s*attachment")
_FOLD = re.compile(rb"\r?\n[ \t]+")
_REPORTS = (b"message/delivery-status", b"message/disposition-notification")


def read_text_parts(lines: Iterable[bytes]) -> bytes:
    """Return headers and text of a mail, its structure whole. Of a part at most 256 KiB are kept.

    Args:
        lines: with their ends; a longer line may come in pieces.
    """
    return b"".join(_keep(lines))


def _keep(lines: Iterable[bytes]) -> Iterator[bytes]:
    boundaries: list[bytes] = []
    headers: list[bytes] = []
    in_headers, line_start = True, True
    room, parts = HEADER_BYTES, 0
    for line in lines:
        at_start, line_start = line_start, line.endswith(b"\n")
        if at_start and line.startswith(b"--") and (depth := _boundary_depth(line, boundaries)) is not None:
            closing = line.rstrip().endswith(b"--") and line.rstrip() != b"--" + boundaries[depth]
            del boundaries[depth if closing else depth + 1 :]
            yield line
            # Between the end of one multipart and the next part nothing is worth keeping.
            in_headers, headers, room = not closing, [], 0 if closing else HEADER_BYTES
        elif in_headers and at_start and not line.strip():
            yield line
            kind, boundary = _describe(headers)
            if kind == b"message/rfc822" and len(boundaries) < MAX_DEPTH:
                headers, room = [], HEADER_BYTES
                continue
            in_headers, room = False, 0
            if boundary and len(boundaries) < MAX_DEPTH:
                boundaries.append(boundary)
            elif (kind.startswith(b"text/") or kind in _REPORTS) and parts < MAIL_PARTS:
                room, parts = PART_BYTES, parts + 1
        elif room > 0:
            if in_headers:
                headers.append(line)
            room -= len(line)
            yield line


def _boundary_depth(line: bytes, boundaries: list[bytes]) -> int | None:
    text = line.rstrip()
    for depth in range(len(boundaries) - 1, -1, -1):
        if text in (b"--" + boundaries[depth], b"--" + boundaries[depth] + b"--"):
            return depth
    return None


def _describe(headers: list[bytes]) -> tuple[bytes, bytes]:
    """Return the type (b"" for an attachment) and, of a multipart, the boundary."""
    block = _FOLD.sub(b" ", b"".join(headers))
    match = _TYPE.search(block)
    if match is None:
        return b"text/plain", b""
    kind = b"/".join(match.groups()).lower()
    if kind.startswith(b"multipart/"):
        line = block[match.start() :].partition(b"\n")[0]
        boundary = _BOUNDARY.search(line)
        return kind, (boundary[1] or boundary[2]) if boundary else b""
    return (b"" if _ATTACHED.search(block) and kind not in _REPORTS else kind), b""
