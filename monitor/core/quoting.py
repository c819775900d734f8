"""Where a quoted or forwarded mail begins inside another, told by shape and never by language.

Owns the lines that introduce it: ">" and what stands above it, header lines, a line with a date and an address. Must not know
Amazon's template.
"""

import re
from collections import Counter

PRE_OPEN, PRE_CLOSE = "\ue003", "\ue004"
"""Put by the HTML reader around a <pre>: nothing that is looked for here, but an edge of what is."""

DASHES = "\\-‐‑‒–—―─━﹣－"
_BIDI = "\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff"
EDGE = f" \t\r\xa0\u3000{_BIDI}{PRE_OPEN}{PRE_CLOSE}"

RULE = re.compile(rf"^[{EDGE}>]*+[{DASHES}_]{{8,}}+[{EDGE}]*+$", re.MULTILINE)
_FIELD = re.compile(rf"^[>|{EDGE}*]*+[^\s:：<>@/][^\n:：<>@/]{{0,24}}[:：]\*?[ \t]*\S[^\n]*$")
_QUOTED = re.compile(rf"^[{EDGE}]*+>", re.MULTILINE)
_COLON_AT_END = re.compile(rf"[:：][{EDGE}]*$", re.MULTILINE)
_ADDRESS = re.compile(r"[^\s<>@]{1,100}@[^\s<>@]{1,255}")
_DATED = re.compile(r"\d{4}|\d[:.h]\d\d")


def fields_follow(text: str, position: int) -> bool:
    """Return whether mail headers follow ("From: … <a@b>"): then the dashes were a mail program's, not Amazon's."""
    following = text[position : position + 1000]
    if "@" not in following:
        return False
    lines = [line for line in following.split("\n") if line.strip(EDGE + ">")][:3]
    fields = [line for line in lines if _FIELD.match(line)]
    return (
        bool(lines) and len(fields) >= min(2, len(lines)) and any("@" in line for line in lines) and lines[0] in fields
    )


def field_block(text: str) -> int | None:
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


def without_fields(text: str) -> str:
    """Return a forwarded mail's text without the dashes and header lines above it."""
    lines = text.split("\n")
    index, fields = 0, 0
    while index < min(len(lines), 30):
        line = lines[index]
        if len(line) < 1000 and _FIELD.match(line):
            fields += 1
        elif fields and not line.strip(EDGE):
            break
        elif fields == 0 and index > 3:
            return text
        index += 1
    return "\n".join(lines[index:]) if fields >= 2 else text


def quote_start(text: str) -> tuple[int | None, bool]:
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


def find_unmarked(text: str, after: int, before: int) -> int | None:
    """Return where a line with a date and an address introduces, between two places, an earlier mail that nothing marks."""
    for match in _COLON_AT_END.finditer(text, max(after, before - 5000), before):
        start = _introduction(text, match.end())
        if start is None or start < after:
            continue
        said = text[start : match.end()]
        if "@" in said and _DATED.search(_ADDRESS.sub("", said)):
            return start
    return None


def looks_quoted(text: str) -> bool:
    """Return whether a text is an introduction and a quoted block, and nearly nothing else."""
    lines = [line.lstrip(EDGE) for line in text[:20_000].split("\n") if line.strip(EDGE)]
    quoted = [index for index, line in enumerate(lines) if line.startswith(">")]
    if not quoted or not 1 <= quoted[0] <= 3 or len(quoted) < 2:
        return False
    return len(quoted) >= 0.8 * (len(lines) - quoted[0])


def unquote(text: str) -> str:
    """Return the text without the ">" that most of its lines begin with: a buyer's own ">" stays."""
    depths = Counter(_depth(line) for line in text.split("\n") if line.strip(EDGE))
    usual = depths.most_common(1)[0][0] if depths else 0
    if usual == 0:
        return text
    return re.sub(rf"^(?:[{EDGE}]*>[ \t]?){{1,{min(usual, 9)}}}", "", text, flags=re.MULTILINE)


def _with_rule_before(text: str, start: int) -> int:
    """Return the start of the line of underscores or dashes right above a header block, else the block's own."""
    above = text[:start].rstrip("\n \t\r")
    line_start = above.rfind("\n") + 1
    return line_start if RULE.fullmatch(above[line_start:]) else start


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


def _depth(line: str) -> int:
    depth = 0
    for char in line[:100]:
        if char == ">":
            depth += 1
        elif char not in " \t":
            break
    return depth
