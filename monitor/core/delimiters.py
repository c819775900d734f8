"""The buyer's own words inside Amazon's template, found by shape and never by language.

Owns where the words begin and end: dashes, a label, dashes. The label may be in any language, quoted, full-width,
right-to-left, missing, or squeezed into one line. Must not decide what a mail is.
"""

import re
from collections import Counter
from dataclasses import dataclass

MAX_TEXT = 200_000
"""Characters read: Amazon cuts a message at 4,000; more is somebody's attack or attachment."""

MAX_MARKS = 300
"""Delimiter lines looked at in one text."""

PRE_OPEN, PRE_CLOSE = "\ue003", "\ue004"
"""Put by the HTML reader around a <pre>: Amazon writes the words into one."""

DASHES = "\\-‐‑‒–—―─━﹣－"
_BIDI = "\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff"
_EDGE = f" \t\r\xa0\u3000{_BIDI}{PRE_OPEN}{PRE_CLOSE}"
_QUOTE = f"[>|{_EDGE}]*+"
_LINE = re.compile(
    rf"^(?P<quote>{_QUOTE})[{DASHES}]{{4,}}+[{_EDGE}]*+"
    rf"(?P<label>[^{DASHES}{_EDGE}\n](?:[^\n]{{0,98}}?[^{DASHES}{_EDGE}\n])?)[{_EDGE}]*[{DASHES}]{{4,}}+[{_EDGE}]*+$",
    re.MULTILINE,
)
_INLINE = re.compile(
    rf"(?<![{DASHES}])[{DASHES}]{{5,}}+\s*+(?P<label>[^{DASHES}\s](?:(?:[^{DASHES}\n]|[{DASHES}](?![{DASHES}])){{0,60}}?[^{DASHES}\s])?)"
    rf"\s*[{DASHES}]{{5,}}+"
)
_DASHED_OR_PRE = re.compile(rf"[{DASHES}]{{4,}}|{PRE_OPEN}")
_RULE = re.compile(rf"^[{_EDGE}>]*+[{DASHES}_]{{8,}}+[{_EDGE}]*+$", re.MULTILINE)
_FIELD = re.compile(rf"^[>|{_EDGE}*]*+[^\s:：<>@/][^\n:：<>@/]{{0,24}}[:：]\*?[ \t]*\S[^\n]*$")
_QUOTED = re.compile(rf"^[{_EDGE}]*+>", re.MULTILINE)
_COLON_AT_END = re.compile(rf"[:：][{_EDGE}]*$", re.MULTILINE)
_ADDRESS = re.compile(r"[^\s<>@]{1,100}@[^\s<>@]{1,255}")
_DATED = re.compile(r"\d{4}|\d[:.h]\d\d")
_ORDER = r"[0-9]{3}-[0-9]{7}-[0-9]{7}"
_ORDER_LINE = re.compile(rf"(?:^|[\s>])[#＃]\s{{0,5}}:?\s{{0,5}}({_ORDER})(?![\d-])", re.MULTILINE)
_ASIN = re.compile(r"[\[［]\s{0,5}ASIN\s{0,5}[:：]?\s{0,5}([A-Z0-9]{10})\s{0,5}[\]］]")
_AMAZON_URL = re.compile(r"https?://[^\s<>\"']{0,300}?amazon[^\s<>\"']*", re.IGNORECASE)
_URL_ONLY = re.compile(rf"[{_EDGE}<(\[]*+https?://\S++[{_EDGE}>)\]]*+")


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
        text = _without_fields(_unquote(text[boundary:]))
        marks = _marks(text)[0]
        boundary = None
    outer = [mark for mark in marks if not mark.quoted]
    if boundary is not None and (not outer or outer[0].start > boundary):
        if any(mark.quoted for mark in marks) or (marks and not by_quote) or _looks_quoted(text[boundary:]):
            quoted = _unquote(text[boundary:])
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
        if _fields_follow(text, match.end()):
            boundary = match.start() if boundary is None else boundary
            continue
        marks.append(_Mark(match.start(), match.end(), match["label"], ">" in match["quote"] or "|" in match["quote"]))
    by_quote = False
    fields = _field_block(text)
    if fields is not None and (boundary is None or fields < boundary):
        boundary = fields
    quote, introduced = _quote_start(text)
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
    return start <= end and not text[start:end].strip(_EDGE + "\n")


def _unmarked_quote(text: str, after: int, before: int) -> int | None:
    """Return where a line with a date and an address introduces, between two places, an earlier mail that nothing marks.

    An answer stands above it. What Amazon writes above a buyer's words has its order or item line first.
    """
    for match in _COLON_AT_END.finditer(text, max(after, before - 5000), before):
        start = _introduction(text, match.end())
        if start is None or start < after:
            continue
        said = text[start : match.end()]
        if "@" in said and _DATED.search(_ADDRESS.sub("", said)):
            above = text[after:start]
            is_template = not _trim(above) or _ORDER_LINE.search(above) or _ASIN.search(above)
            return None if is_template else start
    return None


def _fields_follow(text: str, position: int) -> bool:
    """Return whether mail headers follow ("From: … <a@b>"): then the dashes were a mail program's, not Amazon's."""
    following = text[position : position + 1000]
    if "@" not in following:
        return False
    lines = [line for line in following.split("\n") if line.strip(_EDGE + ">")][:3]
    fields = [line for line in lines if _FIELD.match(line)]
    return (
        bool(lines) and len(fields) >= min(2, len(lines)) and any("@" in line for line in lines) and lines[0] in fields
    )


def _field_block(text: str) -> int | None:
    """Return the start of three or more header lines in a row, one with an address: an unmarked quoted mail."""
    if "@" not in text:
        return None
    position, first, run, address = 0, 0, 0, False
    for line in text.split("\n", 600)[:600]:
        if len(line) < 1000 and _FIELD.match(line) and "//" not in line.partition(":")[2][:2]:
            if run == 0:
                first, address = position, False
            run += 1
            address = address or "@" in line
            if run >= 3 and address:
                return _with_rule_before(text, first)
        else:
            run = 0
        position += len(line) + 1
    return None


def _without_fields(text: str) -> str:
    """Return a forwarded mail's text without the dashes and header lines above it."""
    lines = text.split("\n")
    index, fields = 0, 0
    while index < min(len(lines), 30):
        line = lines[index]
        if len(line) < 1000 and _FIELD.match(line):
            fields += 1
        elif fields and not line.strip(_EDGE):
            break
        elif fields == 0 and index > 3:
            return text
        index += 1
    return "\n".join(lines[index:]) if fields >= 2 else text


def _with_rule_before(text: str, start: int) -> int:
    """Return the start of the line of underscores or dashes right above a header block, else the block's own."""
    above = text[:start].rstrip("\n \t\r")
    line_start = above.rfind("\n") + 1
    return line_start if _RULE.fullmatch(above[line_start:]) else start


def _quote_start(text: str) -> tuple[int | None, bool]:
    """Return where a quoted block begins, with the line(s) that introduce it ("On … wrote:"), and whether any did.

    A block with an introduction is preferred: a buyer may begin a line of his own with ">".
    """
    first: int | None = None
    end_of_run = -1
    for count, match in enumerate(_QUOTED.finditer(text)):
        if count > 400:
            break
        follows = match.start() <= end_of_run
        line_end = text.find("\n", match.end())
        end_of_run = line_end + 1 if line_end >= 0 else len(text)
        if follows:
            continue
        introduced = _introduction(text, match.start())
        if introduced is not None:
            return introduced, True
        first = match.start() if first is None else first
    return first, False


def _introduction(text: str, start: int) -> int | None:
    """Return where the one to three lines begin that introduce the quoted block at `start`, None without any."""
    above = text[max(0, start - 1000) : start].rstrip("\n \t\r\xa0\u200e\u200f")
    offset = max(0, start - 1000)
    if not above.endswith((":", "：")):
        return None
    line_start = above.rfind("\n") + 1
    starts = [line_start]
    while len(starts) < 3 and starts[-1] and above[: starts[-1] - 1].rpartition("\n")[2].strip():
        starts.append(above[: starts[-1] - 1].rfind("\n") + 1)
    ends = [len(above), *(start - 1 for start in starts)]
    dated = next(
        (start for start, end in zip(starts, ends, strict=False) if _DATED.search(above[start:end])), line_start
    )
    return offset + dated


def _looks_quoted(text: str) -> bool:
    """Return whether a text is an introduction and a quoted block, and nearly nothing else."""
    lines = [line.lstrip(_EDGE) for line in text[:20_000].split("\n") if line.strip(_EDGE)]
    quoted = [index for index, line in enumerate(lines) if line.startswith(">")]
    if not quoted or not 1 <= quoted[0] <= 3 or len(quoted) < 2:
        return False
    return len(quoted) >= 0.8 * (len(lines) - quoted[0])


def _unquote(text: str) -> str:
    """Return the text without the ">" that most of its lines begin with: a buyer's own ">" stays."""
    depths = Counter(_depth(line) for line in text.split("\n") if line.strip(_EDGE))
    usual = depths.most_common(1)[0][0] if depths else 0
    if usual == 0:
        return text
    return re.sub(rf"^(?:[{_EDGE}]*>[ \t]?){{1,{min(usual, 9)}}}", "", text, flags=re.MULTILINE)


def _depth(line: str) -> int:
    depth = 0
    for char in line[:100]:
        if char == ">":
            depth += 1
        elif char not in " \t":
            break
    return depth


def _between(text: str, marks: list[_Mark], boundary: int | None) -> Words:
    opener, closer = marks[0], marks[-1]
    inner = text[opener.end : closer.start]
    own_program = False
    if boundary is not None and opener.end <= boundary < closer.start:
        cut = boundary - opener.end
        rest = inner[cut:]
        if _LINE.search(rest) or _field_block(rest) == 0 or _looks_quoted(rest):
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
        return not text[head_end : mark.start].strip(_EDGE + "\n")
    if mark.label.endswith((":", "：")):
        return True
    return bool(text[mark.end : _tail_start(text, mark.end)].strip(_EDGE + "\n"))


def _head_end(text: str) -> int:
    """Return the end of Amazon's order and item lines, 0 where the text has none at its beginning."""
    top = text[:4000]
    end = 0
    order = _ORDER_LINE.search(top)
    item = _ASIN.search(top, order.end() if order else 0)
    if item is not None and (order is None or item.start() - order.end() < 600):
        end = item.end()
    elif order is not None:
        paragraphs = [part for part in re.split(r"\n\s*\n", top[: order.start()]) if part.strip(_EDGE + "\n")]
        if len(paragraphs) == 1 and len(paragraphs[0]) < 200:
            end = order.end()
    if not end:
        return 0
    if text[end : end + 1] in (":", "："):
        end += 1
    line_end = text.find("\n", end)
    rest = text[end : line_end if line_end >= 0 else len(text)]
    if not rest.strip(_EDGE):
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
            if above.strip(_EDGE + "\n") and above[above.rfind("\n") + 1 :].strip(_EDGE):
                line_start = start + above.rfind("\n") + 1
        ends.append(line_start)
    rule = _RULE.search(text, start)
    if rule is not None:
        ends.append(rule.start())
    return min(ends)


def _after_greeting(text: str, limit: int) -> int:
    """Return where the first paragraph ends, if more follows before `limit`: Amazon's greeting."""
    match = re.match(r"\s*[^\n]{1,200}\n\s*\n", text[:limit])
    if match and text[match.end() : limit].strip(_EDGE + "\n"):
        return match.end()
    return 0


def _trim(text: str) -> str:
    text = text.replace(PRE_OPEN, "").replace(PRE_CLOSE, "")
    return text.strip("\n\r \t\xa0\u3000\u200b\u200e\u200f\u202a\u202b\u202c\u2066\u2067\u2068\u2069\ufeff")
