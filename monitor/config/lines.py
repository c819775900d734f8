"""On which line each key of a TOML text stands: for messages alone, since tomllib does not tell.

Works on text that tomllib has accepted. Must never fail: where it loses its way, the rest simply has no line.
"""

import tomllib
from bisect import bisect_right
from collections.abc import Mapping
from contextlib import suppress
from typing import TypeAlias

Path: TypeAlias = tuple[str | int, ...]
"""The way to a value: ("policy", 0, "step", 2, "notify"). Numbers count from 0 within an array."""

_BARE = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-")


def locate_keys(text: str) -> dict[Path, int]:
    """Return the line, from 1, of every table, key and array element of a valid TOML text."""
    scanner = _Scanner(text)
    with suppress(IndexError, ValueError, RecursionError):  # what was found until then is right
        scanner.scan()
    return scanner.found


def line_of(lines: Mapping[Path, int], path: Path) -> int | None:
    """Return the line of `path`, else that of the nearest table around it, else None."""
    while path:
        if path in lines:
            return lines[path]
        path = path[:-1]
    return None


class _Scanner:
    """One walk over the text. `at` is the next character; `tables` counts the elements of arrays of tables."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.found: dict[Path, int] = {}
        self.tables: dict[Path, int] = {}
        self.line_starts = [0, *(index + 1 for index, char in enumerate(text) if char == "\n")]

    def scan(self) -> None:
        table: Path = ()
        while self.skip_blank():
            if self.text[self.at] == "[":
                table = self.header()
            else:
                self.assignment(table)

    def note(self, path: Path, at: int) -> None:
        self.found.setdefault(path, bisect_right(self.line_starts, at))

    def skip_blank(self) -> bool:
        """Go past white space, line ends and comments; False at the end of the text."""
        while self.at < len(self.text):
            if self.text[self.at] == "#":
                end = self.text.find("\n", self.at)
                self.at = len(self.text) if end < 0 else end
            elif self.text[self.at] in " \t\r\n":
                self.at += 1
            else:
                return True
        return False

    def skip_spaces(self) -> None:
        while self.text[self.at] in " \t":
            self.at += 1

    def expect(self, mark: str) -> None:
        if not self.text.startswith(mark, self.at):
            raise ValueError(f"no {mark!r} at {self.at}")
        self.at += len(mark)

    def header(self) -> Path:
        start = self.at
        brackets = 2 if self.text.startswith("[[", start) else 1
        self.at += brackets
        keys = self.dotted_key()
        self.expect("]" * brackets)
        path = self.enter((), keys[:-1], start)
        path = (*path, keys[-1])
        self.note(path, start)
        if brackets == 2:
            index = self.tables.get(path, -1) + 1
            self.tables[path] = index
            path = (*path, index)
            self.note(path, start)
        return path

    def enter(self, path: Path, keys: list[str], start: int) -> Path:
        """Follow keys from a table: an array of tables is entered at its last element."""
        for key in keys:
            path = (*path, key)
            self.note(path, start)
            if path in self.tables:
                path = (*path, self.tables[path])
        return path

    def dotted_key(self) -> list[str]:
        keys = []
        while True:
            self.skip_spaces()
            keys.append(self.simple_key())
            self.skip_spaces()
            if self.text[self.at] != ".":
                return keys
            self.at += 1

    def simple_key(self) -> str:
        start = self.at
        if self.text[start] in "\"'":
            self.string()
            return str(tomllib.loads(f"key = {self.text[start : self.at]}")["key"])
        while self.text[self.at] in _BARE:
            self.at += 1
        if self.at == start:
            raise ValueError(f"no key at {start}")
        return self.text[start : self.at]

    def assignment(self, table: Path) -> None:
        start = self.at
        keys = self.dotted_key()
        path = (*self.enter(table, keys[:-1], start), keys[-1])
        self.note(path, start)
        self.expect("=")
        self.skip_spaces()
        self.value(path)

    def value(self, path: Path) -> None:
        first = self.text[self.at]
        if first in "\"'":
            self.string()
        elif first == "[":
            self.array(path)
        elif first == "{":
            self.inline_table(path)
        else:
            while self.at < len(self.text) and self.text[self.at] not in ",]}#\n":
                self.at += 1

    def string(self) -> None:
        quote = self.text[self.at]
        long = self.text.startswith(quote * 3, self.at)
        closing = quote * 3 if long else quote
        self.at += len(closing)
        while not self.text.startswith(closing, self.at):
            if self.at >= len(self.text):
                raise ValueError("string without an end")
            self.at += 2 if quote == '"' and self.text[self.at] == "\\" else 1
        self.at += len(closing)
        while long and self.text.startswith(quote, self.at):
            self.at += 1  # up to two quotes may stand before the closing three

    def array(self, path: Path) -> None:
        self.at += 1
        index = 0
        while self.skip_blank() and self.text[self.at] != "]":
            self.note((*path, index), self.at)
            before = self.at
            self.value((*path, index))
            if self.at == before and self.text[before] != ",":
                raise ValueError(f"no value at {before}")  # or it would be looked for here for ever
            index += 1
            self.skip_blank()
            if self.text[self.at] == ",":
                self.at += 1
        self.expect("]")

    def inline_table(self, path: Path) -> None:
        self.at += 1
        while self.skip_blank() and self.text[self.at] != "}":
            self.assignment(path)
            self.skip_blank()
            if self.text[self.at] == ",":
                self.at += 1
        self.expect("}")
