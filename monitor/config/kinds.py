"""What a value may be: for each kind its name in messages, what to write, and the way from TOML to a Python value.

A kind's `parse` raises ValueError: empty for "not <wants>. Write <write>.", or with the whole sentence.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

from monitor.config.problems import render_choice
from monitor.config.secrets import Secret, resolve_secret

LANGUAGES = ("en", "fr", "de", "es", "it")


@dataclass(frozen=True, slots=True)
class Scope:
    """What a value may depend on besides itself: the folder of the file and the environment."""

    directory: Path
    environ: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Kind:
    """One sort of value. `secret`: never shown, and `Secret` comes out of `parse`."""

    wants: str
    write: str
    types: tuple[type, ...]
    parse: Callable[[Any, Scope], Any]
    secret: bool = False
    choices: tuple[str, ...] = ()

    def read(self, value: Any, scope: Scope) -> Any:
        """Return the Python value.

        Raises:
            ValueError: what is wrong and what to write, without the value.
        """
        if type(value) is date and self.types == (datetime,):
            raise ValueError(f"a date without a time. Write {self.write}.")
        if not isinstance(value, self.types) or (isinstance(value, bool) and bool not in self.types):
            raise ValueError(f"{_name_type(value)} where {self.wants} belongs. Write {self.write}.")
        if type(value) is datetime and self.types == (date,):
            raise ValueError(f"a date with a time where {self.wants} belongs. Write {self.write}.")
        try:
            return self.parse(value, scope)
        except ValueError as error:
            if error.args and not isinstance(error, UnicodeError):
                raise
            raise ValueError(f"not {self.wants}. Write {self.write}.") from None


def _name_type(value: Any) -> str:
    names = ((bool, "true or false"), (int | float, "a number"), (str, "text"), (list, "a list"), (dict, "a table"))
    return next((name for kind, name in names if isinstance(value, kind)), "a date or time")


# --- text


def parse_text(value: str, scope: Scope) -> str:
    del scope
    text = value.strip()
    if not text.isprintable():
        raise ValueError("holds a line break or another character that cannot be shown. Write it on one line.")
    return text


def parse_name(value: str, scope: Scope) -> str:
    text = parse_text(value, scope)
    if not text:
        raise ValueError("empty. Write a name.")
    if len(text) > 80:
        raise ValueError("longer than 80 characters. Write a shorter name.")
    return text


def listed(parse: Callable[[str, Scope], Any], one: str, wants: str, write: str) -> Callable[[Any, Scope], Any]:
    """Return a parser of lists that also takes one text without brackets."""

    def parse_list(value: Any, scope: Scope) -> tuple[Any, ...]:
        items = value if isinstance(value, list) else [value]
        result = []
        for item in items:
            if not isinstance(item, str):
                raise ValueError(f"{_name_type(item)} in a list of {wants}. Write {write}.")
            try:
                result.append(parse(item, scope))
            except ValueError as error:
                if error.args:
                    raise
                raise ValueError(f"'{item[:40]}' is not {one}. Write {write}.") from None
        return tuple(dict.fromkeys(result))

    return parse_list


def _secret(value: str, scope: Scope) -> Secret:
    return resolve_secret(value.strip(), scope.environ, scope.directory)


def _login(value: str, scope: Scope) -> str:
    """Return what is no secret, but may stand beside one in the environment."""
    text = parse_text(value, scope)
    return resolve_secret(text, scope.environ, scope.directory).value if text.startswith(("env:", "file:")) else text


def _sequence(value: Any, scope: Scope) -> tuple[str, ...]:
    """Return names in their order, repetitions kept: a rotation may have somebody twice."""
    items = value if isinstance(value, list) else [value]
    if not all(isinstance(item, str) for item in items):
        raise ValueError
    return tuple(parse_name(item, scope) for item in items)


TEXT = Kind("text", 'it in quotes: "…"', (str,), parse_text)
NAME = Kind("a name", 'it in quotes: "…"', (str,), parse_name)
NAMES = Kind(
    "a list of names",
    '["…", "…"]',
    (list, str),
    listed(parse_name, "a name", "names", '["…", "…"]'),
)
SEQUENCE = Kind("a list of names", '["…", "…"]', (list, str), _sequence)
LOGIN = Kind("text", 'it in quotes, or "env:NAME"', (str,), _login)
SECRET = Kind("a secret", '"env:NAME", "file:/path" or the value itself, in quotes', (str,), _secret, secret=True)


# --- numbers and switches


def whole(least: int, most: int) -> Kind:
    """Return the kind of whole numbers between two bounds, both included."""

    def parse(value: int, scope: Scope) -> int:
        del scope
        if not least <= value <= most:
            raise ValueError
        return value

    return Kind("a whole number in range", f"a number from {least} to {most}", (int,), parse)


def number(least: float, most: float, write: str) -> Kind:
    """Return the kind of numbers above `least` and up to `most`."""

    def parse(value: float, scope: Scope) -> float:
        del scope
        if not least < value <= most:  # also false for nan
            raise ValueError
        return float(value)

    return Kind("a number in range", write, (int, float), parse)


FLAG = Kind("true or false", "true or false, without quotes", (bool,), lambda value, scope: value)
SHARE = number(0, 1, "a share above 0 and up to 1, such as 0.90")
DIFFERENCE = number(0, 1, "a share above 0 and up to 1, such as 0.05")


def choice(*choices: str) -> Kind:
    """Return the kind of text that is one of these."""

    def parse(value: str, scope: Scope) -> str:
        del scope
        if value not in choices:
            raise ValueError(f"not known. {render_choice(value, choices, 'Choices')}")
        return value

    listed = ", ".join(f'"{name}"' for name in choices[:-1]) + f' or "{choices[-1]}"'
    return Kind("one of a few words", listed, (str,), parse, choices=choices)


LANGUAGE = choice(*LANGUAGES)
