"""What is wrong with a text that is no TOML, and what to write instead. Never shows a value: it may be a secret."""

import re
from collections.abc import Sequence

_PLACE = re.compile(r" \(at line (\d+), column (\d+)\)$| \(at end of document\)$")
_KEY = re.compile(r"\s*([A-Za-z0-9_.-]+)\s*=")
_MEANINGS = (
    (r"^Invalid value$", 'the value is not TOML. Text needs quotes: key = "text"; true and false are lower-case.'),
    (r"^Invalid date or datetime$", "no such date or time. Write 2026-12-24 or 2026-12-24T09:00:00."),
    (r"^Invalid initial character for a key part$", "no key before the =, or a line that is none. Write key = value."),
    (r"^Invalid statement$", "neither a key nor a table. Write key = value, or # in front of a remark."),
    (r"^Expected '=' after a key", "no = after the key. Write key = value; names with other letters need quotes."),
    (
        r"^Expected newline or end of document",
        "more text after the value. Close the quotes; one key a line; # for remarks.",
    ),
    (r"^Expected '\]+' at the end of a table declaration", "the header is not closed. Write [name] or [[name]]."),
    (r"^Expected '\]\]' at the end of an array declaration", "the header is not closed. Write [[name]]."),
    (r"^Cannot declare \((.*)\) twice$", "this table stands here a second time. Put its keys under the first one."),
    (r"^Cannot overwrite a value$", "this key stands here a second time. Keep one of the two."),
    (r"^Cannot mutate immutable namespace", "this table is written in braces already. Keep one of the two ways."),
    (r"^Duplicate inline table key", "a key stands twice between the braces. Keep one of the two."),
    (r"^Unclosed array$", "the list is not closed, or a comma is missing. Write [a, b]."),
    (r"^Unclosed inline table$", "the braces are not closed, or a comma is missing. Write { a = 1, b = 2 }."),
    (r"^Unterminated string$|^Expected \"[\"']+\"$", "the text has no closing quote. Write it on one line in quotes."),
    (
        r"^Unescaped |^Invalid hex value$|^Escaped character is not",
        "a backslash in double quotes. Use single quotes: 'C:\\folder'.",
    ),
    (r"^Illegal character", "the text has no closing quote, or holds a character that cannot stand there. Retype it."),
    (r"integer string conversion", "a number with too many digits. Write a smaller one."),
)
_SLIPS = (
    (r"[“”„«»‘’‚].*|.*[“”„«»‘’‚]", 'curly quotes. Type straight ones: key = "text".'),
    (r"[+-]?[0-9]+,[0-9]+", "a comma in a number. Write a point: 0.90."),
    (r"[0-9]+(?:[.,][0-9]+)? ?%", "a percent sign. Write the share: 0.90 for 90 %."),
    (r"[+-]?(?:\.[0-9]+|[0-9]+\.)", "a number that begins or ends with its point. Write 0.9."),
    (r"[0-9]{1,2}:[0-9]{2}", 'a time without quotes. Write "09:00", in quotes.'),
    (r"[0-9]+(?:\.[0-9]+)? ?[smhd]", 'a duration without quotes. Write "90m", in quotes.'),
    (r"[0-9]{1,2}[./][0-9]{1,2}[./][0-9]{2,4}", "a date in another form. Write year-month-day: 2026-12-24."),
    (r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}", "a time without seconds. Write 2026-12-24T09:00:00."),
    (r"True|TRUE|False|FALSE", "true and false are lower-case."),
)
"""How people write what TOML writes otherwise: by the form of the value alone."""

_STRANGE_SPACE = re.compile(r"[^\S \t\r\n]|[\u200b\u2060\ufeff]")
_STRAIGHT_TEXT = re.compile(r'"(?:[^"\\\n]|\\.)*"|\'[^\'\n]*\'')


def render_syntax_error(message: str, text: str) -> str:
    """Return tomllib's message as `line 3 port: the value is not TOML. Text needs quotes…`."""
    place = _PLACE.search(message)
    what = message[: place.start()] if place else message
    meaning = next((said for pattern, said in _MEANINGS if re.search(pattern, what)), None)
    if meaning is None:
        meaning = "not TOML. Compare the line with the shipped config.toml."
    lines = text.split("\n")
    if place is None:
        return f"the file: {meaning}"
    line = min(int(place[1]) if place[1] else len(lines), len(lines))
    if _stands_in_both_ways(lines[line - 1], text):
        meaning = "this table stands once as [name] and once as [[name]]. Keep one way."
    if what == "Unclosed array":
        line = next((number for number in range(line, 0, -1) if _KEY.match(lines[number - 1])), line)
    meaning = _name_slip(lines[line - 1 : int(place[1]) if place[1] else line]) or meaning
    key = _KEY.match(lines[line - 1])
    return f"line {line} {key[1]}: {meaning}" if key else f"line {line}: {meaning}"


def _stands_in_both_ways(line: str, text: str) -> bool:
    """Return whether the header on this line stands elsewhere with the other number of brackets."""
    header = re.match(r"\s*(\[\[?)\s*([A-Za-z0-9_.-]+)\s*\]", line)
    if header is None:
        return False
    brackets = r"\[" if len(header[1]) == 2 else r"\[\["
    return re.search(rf"^\s*{brackets}\s*{re.escape(header[2])}\s*\]", text, re.MULTILINE) is not None


def _name_slip(lines: Sequence[str]) -> str | None:
    """Return what is written there as people write it and TOML does not, or None; text in quotes is left out."""
    rest = re.sub(r"#.*", "", _STRAIGHT_TEXT.sub("", "\n".join(lines)))
    if _STRANGE_SPACE.search(rest):
        return (
            "a blank that is none, as copied from a web page or a letter. Delete the blanks there and type them anew."
        )
    value = rest.partition("=")[2] or rest
    items = [item.strip() for item in re.split(r"[\[\]\n]|,(?=\s|$)", value)]
    return next((said for pattern, said in _SLIPS for item in items if re.fullmatch(pattern, item)), None)
