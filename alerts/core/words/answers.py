"""What is said back to somebody who pressed a button or sent an SMS: in his language, what changed and until when."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from alerts.core.model import AnswerResult, ThreadFacts
from alerts.core.words import threads as said
from alerts.core.words.catalog import Words, clean
from alerts.core.words.render import BROKEN_WORDS
from alerts.core.words.threads import short_name

# `AnswerResult.text_key` -> the words; one that is not here gets "OK" or "nothing was changed".
TEXT_KEYS: Final[Mapping[str, str]] = {
    "acknowledged": "said_acknowledged",
    "already": "said_already",
    "answered": "said_answered",
    "waived": "said_waived",
    "snoozed": "said_snoozed",
    "undone": "said_undone",
    "stays_closed": "said_stays_closed",
    "nothing_to_undo": "said_nothing_to_undo",
    "already_closed": "said_closed",
    "stale": "said_stale",
    "unknown_code": "said_unknown_code",
    "unknown_thread": "said_unknown",
    "not_allowed": "said_not_allowed",
    "stopped": "said_stopped",
    "started": "said_started",
    "proven": "said_proven",
    "help": "said_help",
    "failed": "said_failed",
}
SILENT_KEYS: Final = frozenset({"repeated"})


def render_answer(words: Words, result: AnswerResult, now: datetime, *, code: int | None = None) -> str:
    """Return what to say back; "" where nothing is to be said (the same press again). Never raises for broken words."""
    if result.text_key in SILENT_KEYS:
        return ""
    try:
        return _render(words, result, now, code)
    except BROKEN_WORDS:
        name = ", ".join(short_name(words, facts) for facts in result.threads[:1])
        return f"{result.text_key} {name}".strip()


def _render(words: Words, result: AnswerResult, now: datetime, code: int | None) -> str:
    fallback = "said_ok" if result.accepted else "said_failed"
    key = TEXT_KEYS.get(result.text_key, fallback)
    first = result.threads[0] if result.threads else None
    until = _until(result.text_key, first)
    if key == "said_acknowledged" and until is None:
        key = "said_acknowledged_open"
    if len(result.threads) > 1 and f"{key}_many" in words.table:
        key = f"{key}_many"
    text = words.say(
        key,
        by=clean(result.by or words.say("somebody"), 40),
        what=_what(words, result),
        until=words.instant(until, now) if until else "",
        due=words.instant(first.deadline_at, now) if first else "",
        code="?" if code is None else code,
        undo=words.say("button_undo") if code is None else f"undo {code}",
    )
    if result.left:
        text += f" {words.say('said_left', what=words.count('said_many', result.left))}"
    return text[0].upper() + text[1:]


def _what(words: Words, result: AnswerResult) -> str:
    if not result.threads:
        return words.count("said_many", 0)
    if len(result.threads) > 1:
        return words.count("said_many", len(result.threads))
    return said.short_name(words, result.threads[0])


def _until(text_key: str, facts: ThreadFacts | None) -> datetime | None:
    if facts is None:
        return None
    if text_key == "snoozed":
        return facts.snoozed_until
    return facts.acknowledgement_expires_at or facts.deadline_at
