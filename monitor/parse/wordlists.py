"""Label words from files: those that come with ReplyBy (one TOML file a language) and those of the configuration.

Owns the reading. A person's own file holds one word or phrase a line; `#` begins a comment.
"""

import tomllib
from collections.abc import Iterable
from functools import cache, lru_cache
from importlib import resources
from pathlib import Path
from typing import Protocol

from monitor.core.labels import LabelBook, LabelRule, build_label_book


class LabelSource(Protocol):
    """The shape of a [[label]] of the configuration."""

    @property
    def name(self) -> str:
        """The label."""

    @property
    def words(self) -> tuple[str, ...]:
        """Words written into config.toml."""

    @property
    def files(self) -> tuple[Path, ...]:
        """Files with one word or phrase a line."""

    @property
    def priority(self) -> int | None:
        """The label's priority, None for the usual one."""


@cache
def shipped_rules() -> tuple[LabelRule, ...]:
    """Return the rules of every language that comes with ReplyBy."""
    rules = []
    folder = resources.files("monitor.core") / "data"
    for entry in sorted(folder.iterdir(), key=lambda item: item.name):
        if entry.name.startswith("labels_") and entry.name.endswith(".toml"):
            for name, words in tomllib.loads(entry.read_text(encoding="utf-8")).items():
                rules.append(LabelRule(name, tuple(words)))
    return tuple(rules)


@cache
def asking_words() -> tuple[str, ...]:
    """Return the words of every language that show that a message asks for something."""
    text = (resources.files("monitor.core") / "data" / "asking.toml").read_text(encoding="utf-8")
    return tuple(word for words in tomllib.loads(text).values() for word in words)


@lru_cache(maxsize=16)
def label_book(extra: tuple[LabelRule, ...] = ()) -> LabelBook:
    """Return the shipped rules and a person's own, ready for matching."""
    return build_label_book((*shipped_rules(), *extra), asking_words())


def load_label_rules(sources: Iterable[LabelSource]) -> tuple[LabelRule, ...]:
    """Return the configuration's rules with the words of their files.

    Raises:
        OSError, UnicodeDecodeError: a file cannot be read; `check-config` looks at them first.
    """
    rules = []
    for source in sources:
        words = list(source.words)
        for file in source.files:
            lines = file.read_text(encoding="utf-8-sig").splitlines()
            words += [line.partition("#")[0].strip() for line in lines if line.partition("#")[0].strip()]
        rules.append(LabelRule(source.name, tuple(words), source.priority))
    return tuple(rules)
