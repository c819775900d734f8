"""Who is on call at an instant: a rotation with handover, or an iCalendar, and overrides above either.

Handovers happen at a local time of day, so a turn of seven days is 167 or 169 hours long where summer time changes.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from alerts.core.localtime import instant_of_local, require_aware
from alerts.core.oncall_calendar import OnCallCalendar, Turn, turns_between

_WEEK = timedelta(days=7)
_MOMENT = timedelta(microseconds=1)
_LOOK_FOR_NEXT = timedelta(days=60)  # in a calendar: how far ahead the next people are looked for


@dataclass(frozen=True, slots=True, kw_only=True)
class Rotation:
    """People who take turns of `every`, from one local handover time to the next; it has no gap.

    Attributes:
        handover_day: 0 is Monday; counts where `every` is whole weeks.
        handover_minute: local minutes since 00:00.
        starts: a local date on which the first person is on call from the handover time on.
    """

    people: tuple[str, ...]
    time_zone: ZoneInfo
    handover_day: int = 0
    handover_minute: int = 540
    every: timedelta = _WEEK
    starts: date | None = None

    def __post_init__(self) -> None:
        """Refuse a turn without length: it would never hand over."""
        if self.every <= timedelta(0):
            raise ValueError(f"every = {self.every}: a turn must last longer than nothing")


@dataclass(frozen=True, slots=True, kw_only=True)
class Override:
    """Somebody else from one instant until, not including, another. Aware UTC."""

    from_at: datetime
    to_at: datetime
    person: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """A named schedule: a rotation or a calendar. Of overrides that overlap, the one listed last wins."""

    name: str
    rotation: Rotation | None = None
    calendar: OnCallCalendar | None = None
    overrides: tuple[Override, ...] = ()


class Gap(NamedTuple):
    """A span in which nobody is on call. Aware UTC."""

    from_at: datetime
    to_at: datetime


def on_call_at(schedule: Schedule, at: datetime) -> str | None:
    """Return the name of whoever is on call at this instant, or None in a gap. At a handover it is the new person.

    Raises:
        ValueError: `at` is naive.
    """
    return next(iter(_present(schedule, require_aware(at))), None)


def on_call_order(schedule: Schedule, at: datetime) -> tuple[str, ...]:
    """Return who is paged at this instant, in order: whoever is on call, then those who follow, each once.

    In a gap it begins with whoever is on call next, and an empty calendar gives everybody it may name: a page that
    nobody gets would cost more than one too many.
    """
    order = dict.fromkeys(_present(schedule, require_aware(at)))
    order.update(dict.fromkeys(_following(schedule, at)))
    if not order and schedule.calendar is not None:
        return schedule.calendar.names()
    return tuple(order)


def next_after(schedule: Schedule, person: str, at: datetime) -> str | None:
    """Return who follows when this person does not answer at this instant; None where there is nobody else.

    After the last one the first follows; somebody who is not on the schedule is followed by whoever is on call.
    """
    order = on_call_order(schedule, at)
    if person not in order:
        return order[0] if order else None
    follower = order[(order.index(person) + 1) % len(order)]
    return follower if follower != person else None


def gaps(schedule: Schedule, from_at: datetime, until_at: datetime) -> tuple[Gap, ...]:
    """Return the spans between two instants in which nobody is on call, in order, so that they are told beforehand."""
    if schedule.rotation is not None and schedule.rotation.people:
        return ()
    covered = [(override.from_at, override.to_at) for override in schedule.overrides]
    covered += [(turn.from_at, turn.to_at) for turn in _turns(schedule, from_at, until_at) if turn.person is not None]
    found = []
    free_from = from_at
    for start_at, end_at in sorted(covered):
        if start_at >= until_at:
            break
        if start_at > free_from:
            found.append(Gap(free_from, start_at))
        free_from = max(free_from, end_at)
    if free_from < until_at:
        found.append(Gap(free_from, until_at))
    return tuple(found)


def handovers(rotation: Rotation, at: datetime) -> tuple[int, datetime, datetime]:
    """Return the number of the turn that holds `at` (may be negative before the start), its begin and its end."""
    first = _first_handover(rotation)
    number = (at.astimezone(rotation.time_zone).replace(tzinfo=None) - first) // rotation.every

    def begins(turn: int) -> datetime:
        return instant_of_local(first + turn * rotation.every, rotation.time_zone)

    # In the repeated hour of autumn the local time lies before a handover that has been.
    while begins(number + 1) <= at:
        number += 1
    return number, begins(number), begins(number + 1)


def _first_handover(rotation: Rotation) -> datetime:
    """Return the naive local time of turn 0; weekly turns begin on the handover day at or before `starts`."""
    day = rotation.starts or date(2026, 1, 5)
    if not rotation.every % _WEEK:
        day -= timedelta(days=(day.weekday() - rotation.handover_day) % 7)
    return datetime.combine(day, time()) + timedelta(minutes=rotation.handover_minute)


def _present(schedule: Schedule, at: datetime) -> Iterator[str]:
    """Yield who is on call at `at`: the override, and below it whom it replaced."""
    for override in reversed(schedule.overrides):
        if override.from_at <= at < override.to_at:
            yield override.person
            break
    rotation = schedule.rotation
    if rotation is not None and rotation.people:
        yield rotation.people[handovers(rotation, at)[0] % len(rotation.people)]
    for turn in reversed(_turns(schedule, at, at + _MOMENT)):
        if turn.person is not None:
            yield turn.person


def _following(schedule: Schedule, at: datetime) -> Iterator[str]:
    rotation = schedule.rotation
    if rotation is not None and rotation.people:
        turn = handovers(rotation, at)[0] % len(rotation.people)
        yield from rotation.people[turn:] + rotation.people[:turn]
        return
    until_at = at + _LOOK_FOR_NEXT
    coming: list[tuple[datetime, str]] = [
        (override.from_at, override.person) for override in schedule.overrides if at < override.from_at < until_at
    ]
    coming += [
        (turn.from_at, turn.person)
        for turn in _turns(schedule, at, until_at)
        if turn.person is not None and turn.from_at > at
    ]
    yield from (person for _, person in sorted(coming))


def _turns(schedule: Schedule, from_at: datetime, until_at: datetime) -> Sequence[Turn]:
    if schedule.calendar is None:
        return ()
    return turns_between(schedule.calendar, from_at.astimezone(UTC), until_at.astimezone(UTC))
