"""What is wrong with a file, gathered: every problem with its line, place, key, the value seen and what to write.

A problem reads `line 40 [[staffed]] to = "25:00": not a time of day. Write HH:MM, 00:00 to 24:00.`
"""

import difflib
from collections.abc import Iterable, Mapping
from datetime import date, datetime, time
from typing import Any

from monitor.config.lines import Path, line_of

LONGEST_VALUE = 60  # characters of a value shown; enough to recognise it
LONGEST_LIST = 40  # names listed where nothing is near


class Problems:
    """A list that grows while the file is read, so that one run tells all."""

    def __init__(self, lines: Mapping[Path, int]) -> None:
        """Start empty; `lines` says where the keys stand."""
        self._lines = lines
        self._problems: list[tuple[int, str]] = []
        self._warnings: list[str] = []

    def add(self, path: Path, what: str, *, key: str | None = None) -> None:
        """Note a problem at `path`; `key` stands for its last part, or for a key that is missing there."""
        self.add_text(path, f"{_render_place(path, key)}: {what}")

    def add_value(self, path: Path, value: Any, what: str) -> None:
        """Note a problem with a value that may be shown."""
        self.add(path, what, key=f"{path[-1]} = {render_value(value)}")

    def add_text(self, path: Path, text: str) -> None:
        """Note a problem that names its place already; `path` gives the line."""
        self._problems.append((line_of(self._lines, path) or 0, self._on_its_line(path, text)))

    def warn(self, path: Path, what: str, *, key: str | None = None) -> None:
        """Note what is allowed but probably not wanted."""
        self._warnings.append(self._on_its_line(path, f"{_render_place(path, key)}: {what}"))

    def _on_its_line(self, path: Path, text: str) -> str:
        """Return the text behind its line number; what a terminal would act upon is left out."""
        line = line_of(self._lines, path)
        printable = "".join(char if char.isprintable() else "·" for char in text)
        return f"line {line} {printable}" if line else printable

    def same_line(self, *paths: Path) -> bool:
        """Return whether these all stand on one line of the file, as the parts of one header do."""
        found = {self._lines.get(path) for path in paths}
        return len(found) == 1 and None not in found

    @property
    def count(self) -> int:
        """How many problems there are so far."""
        return len(self._problems)

    @property
    def texts(self) -> tuple[str, ...]:
        """All problems, in the order of the file; those without a line come first."""
        return tuple(text for _, text in sorted(self._problems, key=lambda problem: problem[0]))

    @property
    def warnings(self) -> tuple[str, ...]:
        """All warnings, in the order they were found."""
        return tuple(self._warnings)


def _render_place(path: Path, key: str | None) -> str:
    """Return `[[policy.step]] notify`: the table by its header, then the key."""
    if len(path) == 1 and key and key.startswith("["):
        return key
    table = path
    if path and isinstance(path[-1], str) and (key is None or key.split(" = ")[0] == path[-1]):
        table, key = path[:-1], key or str(path[-1])
    if not table:
        return key or "the file"
    names = ".".join(part for part in table if isinstance(part, str))
    header = f"[[{names}]]" if isinstance(table[-1], int) else f"[{names}]"
    return f"{header} {key}" if key else header


def render_value(value: Any) -> str:
    """Return a value as TOML writes it, on one line and not too long."""
    if isinstance(value, bool):
        text = "true" if value else "false"
    elif isinstance(value, str):
        escaped = value.encode("unicode_escape").decode("ascii") if not value.isprintable() else value
        text = '"' + escaped.replace('"', '\\"') + '"'
    elif isinstance(value, datetime | date | time):
        text = value.isoformat()
    elif isinstance(value, list):
        text = "[" + ", ".join(render_value(item) for item in value[:LONGEST_LIST]) + "]"
    elif isinstance(value, dict):
        text = "{…}"
    else:
        text = repr(value) if not isinstance(value, int) or abs(value) < 10**LONGEST_VALUE else "a very large number"
    return text if len(text) <= LONGEST_VALUE else text[: LONGEST_VALUE - 1] + "…"


def nearest(word: str, known: Iterable[str]) -> str | None:
    """Return the known word that `word` was probably meant to be, or None."""
    names = list(known)
    by_folded = {name.casefold(): name for name in names}
    close = difflib.get_close_matches(word.casefold(), by_folded, n=1, cutoff=0.6)
    return by_folded[close[0]] if close else None


def render_choice(word: str, known: Iterable[str], what: str) -> str:
    """Return `Did you mean 'host'?`, or the list of what is known: `Keys: host, port.`"""
    names = list(known)
    near = nearest(word, names)
    if near is not None:
        return f"Did you mean '{near}'?"
    if not names:
        return "Remove it."
    listed = ", ".join(names[:LONGEST_LIST]) + (", …" if len(names) > LONGEST_LIST else "")
    return f"{what}: {listed}."
