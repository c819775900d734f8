"""An on-call calendar: iCalendar text to turns. Fetching and refreshing the text is others' work.

An event names a person by an attendee's address, an attendee's common name or the summary. Events that name nobody are kept
as turns without a person, so that they can be told.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from alerts.core.localtime import instant_of_local
from alerts.core.model import Person

_MARGIN = timedelta(days=2)  # all-day events have no zone of their own: look a little around and cut afterwards
_TOO_OFTEN = ("SECONDLY", "MINUTELY")  # millions of turns a month: a mistake, and nothing a person could follow


class Turn(NamedTuple):
    """One occurrence: from an instant until, not including, another, aware UTC; `person` None: names nobody known."""

    from_at: datetime
    to_at: datetime
    person: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class OnCallCalendar:
    """A parsed calendar. `problems` are events that were left out, in words without their content."""

    text: str = field(repr=False)
    people: tuple[Person, ...]
    time_zone: ZoneInfo
    problems: tuple[str, ...] = ()

    def names(self) -> tuple[str, ...]:
        """Return the names of all people it may name."""
        return tuple(person.name for person in self.people)


def parse_calendar(text: str, people: Sequence[Person], time_zone: ZoneInfo) -> OnCallCalendar:
    """Return the on-call calendar of an iCalendar text.

    Args:
        text: one VCALENDAR.
        people: who may be named.
        time_zone: of whole-day events and of times without a zone.

    Raises:
        ValueError: it is no calendar. The text says so without quoting it.
    """
    _, problems = _read(text)
    return OnCallCalendar(text=text, people=tuple(people), time_zone=time_zone, problems=problems)


def turns_between(calendar: OnCallCalendar, from_at: datetime, until_at: datetime) -> tuple[Turn, ...]:
    """Return the turns that overlap [from_at, until_at), by start; of those that start together the shortest is last."""
    found: dict[Turn, None] = {}
    month = from_at.date().replace(day=1)
    while datetime.combine(month, time(), UTC) < until_at:
        found.update(dict.fromkeys(_turns_of_month(calendar, month)))
        month = (month + timedelta(days=31)).replace(day=1)
    overlapping = (turn for turn in found if turn.from_at < until_at and turn.to_at > from_at)
    return tuple(sorted(overlapping, key=lambda turn: (turn.from_at, -turn.to_at.timestamp())))


@lru_cache(maxsize=64)
def _turns_of_month(calendar: OnCallCalendar, month: date) -> tuple[Turn, ...]:
    import recurring_ical_events

    start_at = datetime.combine(month, time(), UTC) - _MARGIN
    end_at = start_at + timedelta(days=31) + 2 * _MARGIN
    events, _ = _read(calendar.text)
    turns = []
    for event in recurring_ical_events.of(events).between(start_at, end_at):
        if str(event.get("STATUS", "")).upper() == "CANCELLED":
            continue
        from_at, to_at = _instant(event.start, calendar.time_zone), _instant(event.end, calendar.time_zone)
        if from_at < to_at:
            turns.append(Turn(from_at, to_at, _person(event, calendar.people)))
    return tuple(turns)


@lru_cache(maxsize=8)
def _read(text: str) -> tuple[Any, tuple[str, ...]]:
    """Return the calendar without the events that cannot be read, and a line for each of those."""
    import icalendar
    import recurring_ical_events

    try:
        calendar = icalendar.Calendar.from_ical(text)
    except (ValueError, OSError):  # a TZID such as "Europe" is looked up as a file
        calendar = None
    if calendar is None or calendar.name != "VCALENDAR":
        raise ValueError("calendar: not an iCalendar text. Give the address that ends in .ics, not that of a web page.")
    problems = []
    kept = []
    for number, component in enumerate(calendar.subcomponents, 1):
        problem = _problem(component) if component.name == "VEVENT" else None
        if problem is None:
            alone = icalendar.Calendar()
            alone.subcomponents = [component]
            try:
                recurring_ical_events.of(alone)
            except (ValueError, TypeError):
                problem = "its recurrence cannot be read"
        if problem is None:
            kept.append(component)
        else:
            problems.append(f"calendar: entry {number} left out: {problem}. Correct it in the calendar.")
    calendar.subcomponents = kept
    return calendar, tuple(problems)


def _problem(event: Any) -> str | None:
    if event.errors or "DTSTART" not in event:
        fields = ", ".join(sorted({str(name) for name, _ in event.errors})) or "DTSTART"
        return f"{fields} cannot be read or is missing"
    rules = event.get("RRULE", [])
    for rule in rules if isinstance(rules, list) else [rules]:
        if str(next(iter(rule.get("FREQ", [])), "")).upper() in _TOO_OFTEN:
            return "it recurs every minute or more often"
        if next(iter(rule.get("INTERVAL", [])), 1) < 1:  # the library would count for ever
            return "it recurs at an interval of nothing"
    return None


def _instant(value: date | datetime, zone: ZoneInfo) -> datetime:
    if not isinstance(value, datetime):
        return instant_of_local(datetime.combine(value, time()), zone)
    return instant_of_local(value, zone) if value.tzinfo is None else value.astimezone(UTC)


def _person(event: Any, people: Sequence[Person]) -> str | None:
    """Return whom an event names: attendee's address before attendee's name before summary; None for nobody."""
    attendees = event.get("ATTENDEE", [])
    attendees = attendees if isinstance(attendees, list) else [attendees]
    addresses = {str(attendee).casefold().removeprefix("mailto:") for attendee in attendees}
    for person in people:
        if person.email is not None and person.email.casefold() in addresses:
            return person.name
    texts = [str(getattr(attendee, "params", {}).get("CN", "")) for attendee in attendees]
    return next(_named([*texts, str(event.get("SUMMARY", ""))], people), None)


def _named(texts: Sequence[str], people: Sequence[Person]) -> Iterator[str]:
    """Yield the people whose name or address stands in the texts as whole words, the longest name first."""
    by_length = sorted(people, key=lambda person: -len(person.name))
    for text in texts:
        for person in by_length:
            for word in (person.name, person.email):
                if word and re.search(rf"(?<!\w){re.escape(word.casefold())}(?!\w)", text.casefold()):
                    yield person.name
