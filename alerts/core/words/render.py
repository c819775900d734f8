"""The way from a delivery to its text: the receiver's language, else English, else the bare facts; never nothing."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from alerts.core.model import Delivery
from alerts.core.words.catalog import Words, words_for
from alerts.core.words.summaries import render_summary
from alerts.core.words.threads import raw_facts

T = TypeVar("T")
# What a broken translation or a content from another version raises; anything else is a bug and may be seen.
BROKEN_WORDS = (LookupError, ValueError, TypeError, AttributeError)


@dataclass(frozen=True, slots=True)
class Rendered(Generic[T]):
    """A text and what was wrong on the way to it ("" when nothing was): goes into `Receipt.detail` and the log."""

    value: T
    trouble: str = ""


def render_or_facts(
    delivery: Delivery, render: Callable[[Words, Delivery], T], wrap: Callable[[str], T]
) -> Rendered[T]:
    """Return `render` in the delivery's language; where that breaks in English; where that breaks `wrap(bare facts)`."""
    trouble = ""
    for language in dict.fromkeys((delivery.language, "en")):
        try:
            return Rendered(render(words_for(language, delivery.time_zone), delivery), trouble)
        except BROKEN_WORDS as problem:
            trouble = trouble or f"words[{language}]: {type(problem).__name__}: {problem}"
    return Rendered(wrap(bare_facts(delivery)), trouble)


def bare_facts(delivery: Delivery) -> str:
    """Return what is known, without a template: one line a thread, or the summary's values."""
    if delivery.threads:
        return "\n".join(raw_facts(facts, delivery.code) for facts in delivery.threads)
    values = [f"{key}={value}" for key, value in delivery.content.items() if isinstance(value, str | int | float)]
    return f"ReplyBy {delivery.purpose.value}: " + (", ".join(values)[:1000] or delivery.reference)


def plain_summary(words: Words, delivery: Delivery) -> tuple[str, ...]:
    """Return a summary as lines of plain text, the title first."""
    summary = render_summary(words, delivery)
    return (f"{summary.sign} {summary.title}", *summary.lines, *summary.commands, *summary.small)
