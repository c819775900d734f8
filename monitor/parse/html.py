"""HTML to text, in linear time whatever the HTML: hostile nesting costs a tree builder minutes, and needs no tree here.

Owns what a tag means for the text. Must not fetch, render or believe anything.
"""

import html
import re

from monitor.core.links import find_addresses
from monitor.core.quoting import PRE_CLOSE, PRE_OPEN

MAX_HTML = 1_000_000
"""Characters read; Amazon's mails have some 60,000."""

MAX_LINKS = 2_000

_BREAK, _QUOTE_IN, _QUOTE_OUT = "\ue000", "\ue001", "\ue002"
_TAG = re.compile(r"""<(/?)([a-zA-Z][a-zA-Z0-9]{0,15})\b(?:[^<>"]|"[^"<]*+")*+>|<[!/?a-zA-Z][^<>]*>""")
_AFTER_SCHEME = re.compile(r"[^\s\"'<>]{3,4096}")
_SPACES = re.compile(r"[ \t\r\n\f]+")
_BLANKS = re.compile(rf"(?:(?<![ \t])[ \t]++)?{_BREAK}[ \t]*+")
_MANY_LINES = re.compile(r"\n{3,}")
_PRIVATE = re.compile(f"[{_BREAK}-{PRE_CLOSE}]")
_LINES = "br p div tr table tbody thead li ul ol h1 h2 h3 h4 h5 h6 hr section article header footer dl dt dd"
_LINE_TAGS = frozenset(_LINES.split())
_PARAGRAPHS = frozenset(["p", "h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol"])
_DROPPED = re.compile(r"<(!--|(?:script|style|head|title|template)(?=[\s>/]))", re.IGNORECASE)
_CLOSING = {name: f"</{name}" for name in ("script", "style", "head", "title", "template")} | {"!--": "-->"}


def find_links(source: str) -> list[str]:
    """Return the http(s) addresses written anywhere in HTML, entities decoded, in order."""
    addresses = find_addresses(source[:MAX_HTML], _AFTER_SCHEME, MAX_LINKS)
    return [html.unescape(address) if "&" in address else address for address in addresses]


def html_to_text(source: str) -> str:
    """Return the text of HTML with its lines, each <pre> between `PRE_OPEN` and `PRE_CLOSE`, quoted blocks after ">"."""
    source = _without_dropped(_PRIVATE.sub("", source[:MAX_HTML]))
    pieces: list[str] = []
    position, pre = 0, 0
    for match in _TAG.finditer(source):
        pieces.append(_text(source[position : match.start()], pre))
        position = match.end()
        name = (match[2] or "").lower()
        closing = match[1] == "/"
        if name == "pre":
            pre = max(0, pre - 1) if closing else pre + 1
            if (closing and pre == 0) or (not closing and pre == 1):
                pieces.append(f"{_BREAK}{PRE_CLOSE}{_BREAK}" if closing else f"{_BREAK}{PRE_OPEN}")
        elif name == "blockquote":
            pieces.append(_BREAK + (_QUOTE_OUT if closing else _QUOTE_IN))
        elif name in _LINE_TAGS:
            pieces.append(_BREAK * 2 if name in _PARAGRAPHS else _BREAK)
        elif name in ("td", "th") and not closing:
            pieces.append(" ")
    pieces.append(_text(source[position:], pre))
    if pre:
        pieces.append(PRE_CLOSE)
    text = _BLANKS.sub(_BREAK, "".join(pieces)).replace(_BREAK, "\n")
    text = _quote(text) if _QUOTE_IN in text else text
    return _MANY_LINES.sub("\n\n", text) if PRE_OPEN not in text else text


def _text(raw: str, pre: int) -> str:
    if not raw:
        return ""
    raw = raw.replace("\r\n", "\n").replace("\r", "\n") if pre else _SPACES.sub(" ", raw)
    return html.unescape(raw) if "&" in raw else raw


def _without_dropped(source: str) -> str:
    """Return the source without comments, scripts, styles and the head: one pass, plain searches for the ends.

    What is never closed stays, but for scripts and styles, which hide the rest.
    """
    if _DROPPED.search(source) is None:
        return source
    lowered = source.lower()
    if len(lowered) != len(source):  # "İ" grows: then positions would not fit
        lowered = source
    pieces: list[str] = []
    position = 0
    unclosed: set[str] = set()
    for match in _DROPPED.finditer(lowered):
        if match.start() < position:
            continue
        name = match[1]
        end = -1 if name in unclosed else lowered.find(_CLOSING[name], match.end())
        if end < 0:
            unclosed.add(name)
            if name in ("script", "style"):
                pieces.append(source[position : match.start()])
                position = len(source)
                break
            continue
        pieces.append(source[position : match.start()])
        closed = end + 3 if name == "!--" else lowered.find(">", end) + 1
        position = closed or len(source)
    pieces.append(source[position:])
    return "".join(pieces)


def _quote(text: str) -> str:
    lines, depth = [], 0
    for line in text.split("\n"):
        depth = min(20, max(0, depth + line.count(_QUOTE_IN) - line.count(_QUOTE_OUT)))
        bare = line.replace(_QUOTE_IN, "").replace(_QUOTE_OUT, "")
        lines.append("> " * min(depth, 5) + bare if depth else bare)
    return "\n".join(lines)
