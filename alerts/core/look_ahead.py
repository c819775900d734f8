"""The summary before a shift ends: what falls due before somebody is back. Once per clock and shift."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import NamedTuple

from alerts.core.clock_view import ClockView, earliest, hold_on
from alerts.core.contact import Directory, Target
from alerts.core.model import Notification, Purpose
from alerts.core.staffing import Shift

AFTER_NEXT_START = timedelta(hours=1)  # deadlines so soon after a shift starts are better answered before the night


class Span(NamedTuple):
    """From `opens_at` to the end of a shift: when deadlines from that end on are told. `next_start_at`: the next shift."""

    opens_at: datetime
    shift_ends_at: datetime
    next_start_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LookAheadPlan:
    """What to enqueue, and for each clock told the end of the shift, to be stored as its `look_ahead_told_until`.

    `next_due_at`: look at these candidates again; None: never, unless something happens.
    """

    notifications: tuple[Notification, ...]
    told_until: Mapping[int, datetime]
    next_due_at: datetime | None


def spans(view: ClockView, directory: Directory, now: datetime) -> Iterator[Span]:
    """Yield the ends of shifts not yet over before which this clock has to be told, soonest first.

    Those whose end is at or before the deadline, where the next shift starts less than an hour before it, or later.
    """
    if view.look_ahead is None or not directory.shifts:
        return
    staffing = directory.staffing(now)
    for number, period in enumerate(staffing.periods):
        if period.end_at > view.deadline_at or period.end_at == staffing.until_at:
            return  # answered within the shift, or staffed without end
        later = staffing.periods[number + 1 : number + 2]
        next_start_at = later[0].start_at if later else None
        if next_start_at is None or view.deadline_at <= next_start_at + AFTER_NEXT_START:
            opens_at = max(period.start_at, period.end_at - view.look_ahead.before_end_of_shift)
            yield Span(opens_at, period.end_at, next_start_at)


def look_ahead_at(view: ClockView, directory: Directory, now: datetime) -> tuple[Span | None, datetime | None]:
    """Return the shift end before which the clock is to be told now, if any, and when to look again, if ever.

    An acknowledged or snoozed clock is named among others but is no reason for a summary until that ends; a silenced one
    is not named.
    """
    due: Span | None = None
    hold = hold_on(view, now)
    for span in spans(view, directory, now):
        if span.opens_at > now:
            return due, span.opens_at
        if view.look_ahead_told_until is not None and view.look_ahead_told_until >= span.shift_ends_at:
            continue
        if view.silenced_until is None or view.silenced_until <= now:
            due = span
        if hold is not None and hold[0] < span.shift_ends_at:
            return due, hold[0]
    return due, None


def plan_look_ahead(
    candidates: Sequence[ClockView], shifts: Sequence[Shift], directory: Directory, now: datetime
) -> LookAheadPlan:
    """Return the summaries that are due now: one for each receiver, with every candidate whose policy names it.

    Args:
        candidates: open clocks, any number: those that are not due are left alone. Answered and waived ones never belong.
        shifts: the staffed hours; they take the place of the directory's where those differ.
        directory: who is who.
        now: aware UTC.

    A clock that was told for this shift is not told again; one that comes later is told at once, alone. What a summary
    says, soonest deadline first: `clock_ids` and `thread_ids`; `shift_ends_at`; `next_shift_at`, null where no further
    shift is known; `until`, the next shift's start, or else the last deadline (RFC 3339, UTC). SMS and voice name no clock
    whose origin is unproven.
    """
    if tuple(shifts) != directory.shifts:
        directory = Directory(
            receivers=directory.receivers,
            people=directory.people,
            schedules=directory.schedules,
            shifts=tuple(shifts),
            unreachable=directory.unreachable,
            fallback=directory.fallback,
        )
    next_due_at: datetime | None = None
    by_target: dict[tuple[Target, Span], list[ClockView]] = {}
    for view in sorted(candidates, key=lambda one: (one.deadline_at, one.clock_id)):
        span, look_at = look_ahead_at(view, directory, now)
        next_due_at = earliest(next_due_at, look_at)
        if span is not None and view.look_ahead is not None:
            for target in _first_contacts(view.look_ahead.notify, directory, now):
                if view.verified or not target.by_phone:
                    # Policies may open at different times before the same end of a shift: that makes no second summary.
                    by_target.setdefault((target, span._replace(opens_at=span.shift_ends_at)), []).append(view)
    told_until: dict[int, datetime] = {}
    notifications = []
    for (target, span), views in by_target.items():
        if all(hold_on(view, now) is not None for view in views):
            continue  # somebody has them all
        notifications.append(_summary(target, span, views, now))
        told_until.update((view.clock_id, span.shift_ends_at) for view in views)
    return LookAheadPlan(notifications=tuple(notifications), told_until=told_until, next_due_at=next_due_at)


def _first_contacts(notify: tuple[str, ...], directory: Directory, now: datetime) -> list[Target]:
    """Return one contact for each receiver and person, of a schedule the first: a summary asks for no answer."""
    first: dict[tuple[str, str | None], Target] = {}
    for target in directory.targets(notify, now):
        on_schedule = directory.receivers[target.receiver].schedule is not None
        first.setdefault((target.receiver, None if on_schedule else target.contact.person), target)
    return list(first.values())


def _summary(target: Target, span: Span, views: Sequence[ClockView], now: datetime) -> Notification:
    ids = ",".join(str(view.clock_id) for view in views)
    digest = sha256(ids.encode()).hexdigest()[:16]
    return Notification(
        key=f"look_ahead:{span.shift_ends_at.isoformat()}:{target.name}:{digest}",
        purpose=Purpose.LOOK_AHEAD,
        receiver=target.receiver,
        channel=target.contact.channel,
        person=target.contact.person,
        due_at=now,
        expires_at=span.shift_ends_at,
        content={
            "clock_ids": [view.clock_id for view in views],
            "thread_ids": list(dict.fromkeys(view.thread_id for view in views)),
            "shift_ends_at": span.shift_ends_at.isoformat(),
            "next_shift_at": None if span.next_start_at is None else span.next_start_at.isoformat(),
            "until": (span.next_start_at or views[-1].deadline_at).isoformat(),
        },
    )
