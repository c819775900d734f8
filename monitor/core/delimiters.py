"""The buyer's own words inside Amazon's template, found by shape and never by language.

Owns where the words begin and end: dashes, a label, dashes. The label may be in any language, quoted, full-width,
right-to-left, missing, or squeezed into one line. Must not decide what a mail is.
"""

import re
from dataclasses import dataclass

from monitor.core.quoting import (
    DASHES,
    EDGE,
    PRE_CLOSE,
    PRE_OPEN,
    RULE,
    field_block,
    fields_follow,
    find_unmarked,
    looks_quoted,
    quote_start,
    unquote,
    without_fields,
)

MAX_TEXT = 200_000
"""Characters read: Amazon cuts a message at 4,000; more is somebody's attack or attachment."""

MAX_MARKS = 300
"""Delimiter lines looked at in one text."""

_QUOTE = f"[>|{EDGE}]*+"
_LINE = re.compile(
    rf"^(?P<quote>{_QUOTE})[{DASHES}]{{4,}}+[{EDGE}]*+"
    rf"(?P<label>[^{DASHES}{EDGE}\n](?:[^\n]{{0,98}}?[^{DASHES}{EDGE}\n])?)[{EDGE}]*[{DASHES}]{{4,}}+[{EDGE}]*+$",
    re.MULTILINE,
)
_INLINE = re.compile(
    rf"(?<![{DASHES}])[{DASHES}]{{5,}}+\s*+(?P<label>[^{DASHES}\s](?:(?:[^{DASHES}\n]|[{DASHES}](?![{DASHES}])){{0,60}}?[^{DASHES}\s])?)"
    rf"\s*[{DASHES}]{{5,}}+"
)
_DASHED_OR_PRE = re.compile(rf"[{DASHES}]{{4,}}|{PRE_OPEN}")
_ORDER = r"[0-9]{3}-[0-9]{7}-[0-9]{7}"
_ORDER_LINE = re.compile(rf"(?:^|[\s>])[#＃]\s{{0,5}}:?\s{{0,5}}({_ORDER})(?![\d-])", re.MULTILINE)
_ASIN = re.compile(r"[\[［]\s{0,5}ASIN\s{0,5}[:：]?\s{0,5}([A-Z0-9]{10})\s{0,5}[\]］]")
_AMAZON_URL = re.compile(r"https?://[^\s<>\"']{0,300}?amazon[^\s<>\"']*", re.IGNORECASE)
_URL_ONLY = re.compile(rf"[{EDGE}<(\[]*+https?://\S++[{EDGE}>)\]]*+")


@dataclass(frozen=True, slots=True)
class Words:
    """What a text gave.

    Attributes:
        text: the words, without blank lines around them; "" when nothing stands between the markers.
        head: the template before the words: the order line and the item stand there.
        labels: the delimiter lines seen, without their dashes.
        enclosed: both markers (or a <pre>) were there, so `text` is exact.
        flattened: the markers stood inside a line: line breaks of the words are lost.
        own_program: the words came before a quoted block: the buyer answered from an own mail program.
        quoted_markers: no marker stands outside that block: Amazon's template in it is that of an earlier mail.
    """

    text: str
    head: str = ""
    labels: tuple[str, ...] = ()
    enclosed: bool = False
    flattened: bool = False
    own_program: bool = False
    quoted_markers: bool = False


@dataclass(frozen=True, slots=True)
class _Mark:
    start: int
    end: int
    label: str
    quoted: bool


def read_words(text: str, *, forwarded: bool = False) -> Words:
    """Return the buyer's words in a text with LF line ends.

    Args:
        text: plain text, or text made from HTML; read up to `MAX_TEXT` characters.
        forwarded: somebody passed the mail on: what stands before the quoted block is not the buyer's.
    """
    text = text[:MAX_TEXT]
    marks, boundary, by_quote = _marks(text)
    if forwarded and boundary is not None and not any(mark.start < boundary and not mark.quoted for mark in marks):
        text = without_fields(unquote(text[boundary:]))
        marks = _marks(text)[0]
        boundary = None
    outer = [mark for mark in marks if not mark.quoted]
    if boundary is not None and (not outer or outer[0].start > boundary):
        if any(mark.quoted for mark in marks) or (marks and not by_quote) or looks_quoted(text[boundary:]):
            quoted = unquote(text[boundary:])
            inner = _marks(quoted)[0]
            head = quoted[: inner[0].start] if inner else ""
            return Words(
                _trim(text[:boundary]),
                head,
                _labels(marks),
                enclosed=bool(marks),
                own_program=True,
                quoted_markers=True,
            )
        boundary = None
    if len(outer) >= 2:
        if boundary is None and len(outer) >= 4:
            boundary = _unmarked_quote(text, outer[0].end, outer[1].start)
        return _between(text, outer, boundary)
    pre = _pre(text)
    if pre is not None:
        return Words(_trim(text[pre[0] : pre[1]]), text[: pre[0]], _labels(marks), enclosed=True)
    if not outer:
        inline = [
            _Mark(m.start(), m.end(), m["label"], False) for m in _INLINE.finditer(text) if "://" not in m["label"]
        ]
        if len(inline) >= 2:
            found = _between(text, inline, None)
            return Words(found.text, found.head, found.labels, enclosed=True, flattened=True)
        outer = inline
    return _half_open(text, outer)


def order_line(head: str) -> str | None:
    """Return the order number of Amazon's `# <order>` line in the template before the words."""
    match = _ORDER_LINE.search(head)
    return match[1] if match else None


def item_line(head: str) -> str | None:
    """Return the ASIN of Amazon's item line in the template before the words."""
    match = _ASIN.search(head)
    return match[1] if match else None


def delimiter_labels(text: str) -> tuple[str, ...]:
    """Return the labels of the delimiter lines in a text, in order."""
    text = text[:MAX_TEXT]
    return _labels(_marks(text)[0]) or tuple(m["label"] for m in _INLINE.finditer(text) if "://" not in m["label"])


def outside_words(text: str) -> str:
    """Return the template alone: the text without what stands between its first and last delimiter."""
    text = text[:MAX_TEXT]
    marks = _marks(text)[0] or [_Mark(m.start(), m.end(), "", False) for m in _INLINE.finditer(text)]
    if len(marks) < 2:
        return text
    return text[: marks[0].start] + "\n" + text[marks[-1].end :]


def above_words(text: str) -> str:
    """Return what stands above the words of a copy: the text before its first line of dashes or <pre>, all without either."""
    text = text[:MAX_TEXT]
    first = _DASHED_OR_PRE.search(text)
    return text if first is None else text[: first.start()]


def _labels(marks: list[_Mark]) -> tuple[str, ...]:
    return tuple(mark.label for mark in marks)


def _marks(text: str) -> tuple[list[_Mark], int | None, bool]:
    """Return the delimiter lines, where a quoted or forwarded mail begins, and whether only ">" said so."""
    marks: list[_Mark] = []
    boundary: int | None = None
    for count, match in enumerate(_LINE.finditer(text)):
        if count >= MAX_MARKS:
            break
        if fields_follow(text, match.end()):
            boundary = match.start() if boundary is None else boundary
            continue
        marks.append(_Mark(match.start(), match.end(), match["label"], ">" in match["quote"] or "|" in match["quote"]))
    by_quote = False
    fields = field_block(text)
    if fields is not None and (boundary is None or fields < boundary):
        boundary = fields
    quote, introduced = quote_start(text)
    if quote is not None and (boundary is None or (introduced and quote < boundary)):
        boundary, by_quote = quote, True
    plain = [mark for mark in marks if not mark.quoted]
    if introduced and quote is not None and len(plain) == 1 < len(marks) and _adjoin(text, plain[0].end, quote):
        # "----- Original message -----", "On … wrote:", and Amazon's template in the quoted block: the dashes were a program's.
        marks.remove(plain[0])
        boundary, by_quote = plain[0].start, True
    if plain and (boundary is None or plain[0].start < boundary):
        unmarked = _unmarked_quote(text, 0, plain[0].start)
        if unmarked is not None:
            boundary, by_quote = unmarked, False
    return marks, boundary, by_quote


def _adjoin(text: str, start: int, end: int) -> bool:
    return start <= end and not text[start:end].strip(EDGE + "\n")


def _unmarked_quote(text: str, after: int, before: int) -> int | None:
    """Return where, between two places, an earlier mail begins that nothing marks.

    An answer stands above it. What Amazon writes above a buyer's words has its order or item line first.
    """
    start = find_unmarked(text, after, before)
    if start is None:
        return None
    above = text[after:start]
    is_template = not _trim(above) or _ORDER_LINE.search(above) or _ASIN.search(above)
    return None if is_template else start


def _between(text: str, marks: list[_Mark], boundary: int | None) -> Words:
    opener, closer = marks[0], marks[-1]
    inner = text[opener.end : closer.start]
    own_program = False
    if boundary is not None and opener.end <= boundary < closer.start:
        cut = boundary - opener.end
        rest = inner[cut:]
        if _LINE.search(rest) or field_block(rest) == 0 or looks_quoted(rest):
            inner, own_program = inner[:cut], True
    return Words(_trim(inner), text[: opener.start], _labels(marks), enclosed=True, own_program=own_program)


def _pre(text: str) -> tuple[int, int] | None:
    start = text.find(PRE_OPEN)
    if start < 0:
        return None
    end = text.find(PRE_CLOSE, start)
    return start + 1, end if end > 0 else len(text)


def _half_open(text: str, marks: list[_Mark]) -> Words:
    """Return the words when a marker, or both, is missing: bounded by the item line above and Amazon's links below."""
    head_end = _head_end(text)
    mark = marks[0] if marks else None
    if mark is None:
        tail = _tail_start(text, head_end)
        if head_end or tail < len(text):
            start = head_end or _after_greeting(text, tail)
            return Words(_trim(text[start:tail]), text[:start])
        return Words(_trim(text))
    if _is_opener(text, mark, head_end):
        tail = _tail_start(text, mark.end)
        return Words(_trim(text[mark.end : tail]), text[: mark.start], (mark.label,))
    start = head_end or _after_greeting(text, mark.start)
    return Words(_trim(text[start : mark.start]), text[:start], (mark.label,))


def _is_opener(text: str, mark: _Mark, head_end: int) -> bool:
    if head_end and head_end <= mark.start:
        return not text[head_end : mark.start].strip(EDGE + "\n")
    if mark.label.endswith((":", "：")):
        return True
    return bool(text[mark.end : _tail_start(text, mark.end)].strip(EDGE + "\n"))


def _head_end(text: str) -> int:
    """Return the end of Amazon's order and item lines, 0 where the text has none at its beginning."""
    top = text[:4000]
    end = 0
    order = _ORDER_LINE.search(top)
    item = _ASIN.search(top, order.end() if order else 0)
    if item is not None and (order is None or item.start() - order.end() < 600):
        end = item.end()
    elif order is not None:
        paragraphs = [part for part in re.split(r"\n\s*\n", top[: order.start()]) if part.strip(EDGE + "\n")]
        if len(paragraphs) == 1 and len(paragraphs[0]) < 200:
            end = order.end()
    if not end:
        return 0
    if text[end : end + 1] in (":", "："):
        end += 1
    line_end = text.find("\n", end)
    rest = text[end : line_end if line_end >= 0 else len(text)]
    if not rest.strip(EDGE):
        return line_end if line_end >= 0 else len(text)
    return end


def _tail_start(text: str, start: int) -> int:
    """Return where Amazon's closing part begins after `start`: its first link's line, or a line of dashes."""
    ends = [len(text)]
    link = _AMAZON_URL.search(text, start)
    if link is not None:
        line_start = max(text.rfind("\n", 0, link.start()) + 1, start)
        line_end = text.find("\n", line_start)
        line = text[line_start : line_end if line_end >= 0 else len(text)]
        if _URL_ONLY.fullmatch(line) and line_start > start:
            above = text[start : line_start - 1]
            if above.strip(EDGE + "\n") and above[above.rfind("\n") + 1 :].strip(EDGE):
                line_start = start + above.rfind("\n") + 1
        ends.append(line_start)
    rule = RULE.search(text, start)
    if rule is not None:
        ends.append(rule.start())
    return min(ends)


def _after_greeting(text: str, limit: int) -> int:
    """Return where the first paragraph ends, if more follows before `limit`: Amazon's greeting."""
    match = re.match(r"\s*[^\n]{1,200}\n\s*\n", text[:limit])
    if match and text[match.end() : limit].strip(EDGE + "\n"):
        return match.end()
    return 0


def _trim(text: str) -> str:
    text = text.replace(PRE_OPEN, "").replace(PRE_CLOSE, "")
    return text.strip("\n\r \t\xa0\u3000\u200b\u200e\u200f\u202a\u202b\u202c\u2066\u2067\u2068\u2069\ufeff")
