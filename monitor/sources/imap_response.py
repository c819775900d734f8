"""What an IMAP server's answers say: text and literals in, Python values out. Reads no socket.

A response is a list of segments: text, literal, text, literal, …, text. Every surprise is a ValueError.
"""

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, timezone
from typing import TypeAlias, Union

Value: TypeAlias = Union[bytes, "list[Value]", None]
"""A string or atom, NIL, or a parenthesised list."""

_TOKEN = re.compile(rb'\s*(?:([()])|"((?:[^"\\]|\\.)*)"|((?:\[[^\]]*\]|[^\s()"\[])+))', re.DOTALL)
_ESCAPED = re.compile(rb"\\(.)", re.DOTALL)
_LITERAL = re.compile(rb"~?\{(\d{1,10})\+?\}$")
_PARTIAL = re.compile(rb"<\d+>$")
_INTERNALDATE = re.compile(rb"\s*(\d{1,2})-(\w{3})-(\d{4}) (\d\d):(\d\d):(\d\d) ([+-])(\d\d)(\d\d)\s*$")
_USUAL = re.compile(
    rb'\* \d+ FETCH \(((?:(?!NIL )[A-Z0-9.]+ (?:"[^"\\]*"|\d+) )*+)(BODY\[(?:HEADER|TEXT)?\])(?:<\d+>)? \{\d+\+?\}'
)
_USUAL_ITEM = re.compile(rb'([A-Z0-9.]+) (?:"([^"\\]*)"|(\d+)) ')
_MONTHS = {name: number for number, name in enumerate(b"jan feb mar apr may jun jul aug sep oct nov dec".split(), 1)}


def parse_literal_size(line: bytes) -> int | None:
    """Return the octets of the literal this line announces, or None."""
    match = _LITERAL.search(line) if line.endswith(b"}") else None
    return int(match[1]) if match else None


def parse_values(segments: Sequence[bytes]) -> list[Value]:
    """Return the values of a response, lists nested, in order.

    Raises:
        ValueError: parentheses do not match, or a string does not end.
    """
    top: list[Value] = []
    stack = [top]
    for index, segment in enumerate(segments):
        if index % 2:
            stack[-1].append(segment)
            continue
        text = _LITERAL.sub(b"", segment) if index + 1 < len(segments) else segment
        _parse_text(text, stack)
    if len(stack) != 1:
        raise ValueError("a list does not end")
    return top


def _parse_text(text: bytes, stack: list[list[Value]]) -> None:
    text = text.rstrip()
    position = 0
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None:
            raise ValueError("a string does not end")
        position = match.end()
        bracket, quoted, atom = match.groups()
        if bracket == b"(":
            inner: list[Value] = []
            stack[-1].append(inner)
            stack.append(inner)
        elif bracket == b")":
            if len(stack) == 1:
                raise ValueError("a list ends that did not begin")
            stack.pop()
        elif quoted is not None:
            stack[-1].append(_ESCAPED.sub(rb"\1", quoted) if b"\\" in quoted else quoted)
        else:
            stack[-1].append(None if atom.upper() == b"NIL" else atom)


def parse_fetch(segments: Sequence[bytes]) -> dict[bytes, Value] | None:
    """Return one mail's items by upper-case name without partial range, or None when this is no FETCH response."""
    if len(segments) == 3 and segments[2] == b")" and (usual := _USUAL.fullmatch(segments[0])) is not None:
        # Nearly every answer of a first run: one literal, the last of the items, and before it numbers and strings.
        items_before = {name: quoted or number for name, quoted, number in _USUAL_ITEM.findall(usual[1])}
        return {**items_before, usual[2]: segments[1]}
    head = segments[0][:40].split(b" ", 3)
    if len(head) < 4 or not head[1].isdigit() or head[2].upper() != b"FETCH":
        return None
    values = parse_values([segments[0].split(b" ", 3)[3], *segments[1:]])
    items = values[0] if values else None
    if not isinstance(items, list) or len(items) % 2:
        raise ValueError("FETCH items do not come in pairs")
    found: dict[bytes, Value] = {}
    for name, value in zip(items[::2], items[1::2], strict=True):
        if not isinstance(name, bytes):
            raise ValueError("a FETCH item has no name")
        found[_PARTIAL.sub(b"", name.upper()) if name.endswith(b">") else name.upper()] = value
    return found


def parse_internaldate(value: Value) -> datetime:
    """Return an INTERNALDATE as an aware UTC instant.

    Raises:
        ValueError: no date, or one that does not exist.
    """
    match = _INTERNALDATE.match(value) if isinstance(value, bytes) else None
    month = _MONTHS.get(match[2].lower()) if match else None
    if match is None or month is None:
        raise ValueError("not an INTERNALDATE")
    offset = timedelta(hours=int(match[8]), minutes=int(match[9]))
    zone = timezone(-offset if match[7] == b"-" else offset)
    day, year, hour, minute, second = (int(match[group]) for group in (1, 3, 4, 5, 6))
    return datetime(year, month, day, hour, minute, second, tzinfo=zone).astimezone(UTC)


def render_uid_set(uids: Sequence[int]) -> str:
    """Return ascending uids as an IMAP set: 1, 2, 3, 7 is `1:3,7`."""
    ranges: list[list[int]] = []
    for uid in uids:
        if ranges and uid == ranges[-1][1] + 1:
            ranges[-1][1] = uid
        else:
            ranges.append([uid, uid])
    return ",".join(str(first) if first == last else f"{first}:{last}" for first, last in ranges)
