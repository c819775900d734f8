"""Who may answer: the people of the configuration, by Slack id and by phone."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final, TypeAlias

from alerts.core.model import Answer, AnswerResult, Person
from alerts.core.words.catalog import Words, words_for

Apply: TypeAlias = Callable[[Answer], AnswerResult]
"""Does what a person said, once per `event_id`. Whatever it raises means that nothing was taken."""

Rejected: TypeAlias = Callable[[str], None]
"""Counts an answer from somebody unknown; the argument is its source ("slack", "sms")."""

WallClock: TypeAlias = Callable[[], datetime]

EVERYONE: Final = "*"


@dataclass(frozen=True, slots=True)
class Speaker:
    """Somebody who answers: the name that is recorded, and how to talk to him."""

    name: str
    language: str = "en"
    time_zone: str = "UTC"

    def words(self) -> Words:
        """Return the words this person reads."""
        return words_for(self.language, self.time_zone)


def speaker_of(person: Person) -> Speaker:
    """Return a configured person as a speaker."""
    return Speaker(person.name, person.language, person.time_zone)


def by_slack_user(people: Iterable[Person]) -> Mapping[str, Speaker]:
    """Return the configured people by their Slack id."""
    return {person.slack_user: speaker_of(person) for person in people if person.slack_user}


def by_phone(people: Iterable[Person]) -> Mapping[str, Speaker]:
    """Return the configured people by their phone (E.164)."""
    return {person.phone: speaker_of(person) for person in people if person.phone}


def may_press(slack_user: str, allowed: frozenset[str], people: Mapping[str, Speaker]) -> bool:
    """Return whether this Slack user's presses count: named in `allowed`, or everyone, or by default the people."""
    if EVERYONE in allowed:
        return True
    return slack_user in (allowed or people.keys())
