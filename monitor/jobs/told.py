"""When a wait ends, runs on or changes: everybody who was told of it is told that, in the same transaction."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, select

from alerts.core.model import Channel, Notification, Purpose, ThreadFacts
from alerts.core.words.content import withdrawn
from alerts.heirs import pass_on_clock
from alerts.outbox import cancel_for_clocks, cancel_last_lines, enqueue, reopen_clocks
from alerts.tables import Cause
from alerts.told import Told, told_receivers
from monitor.jobs.joined import follow_joins
from monitor.jobs.people import read_unreachable
from monitor.jobs.services import record_outcome
from monitor.store.changes import ChangeKind, ClockChange
from monitor.store.schema import sla_clock

CLOSING_SMS_WITHIN = timedelta(hours=6)
"""A phone that was paged longer ago is not woken for the news that all is well."""

PATIENT_CHANNELS = (Channel.SLACK, Channel.EMAIL, Channel.WEBHOOK, Channel.CONSOLE)


def follow_changes(
    connection: Connection, changes: Sequence[ClockChange], now: datetime, *, why_open: str | None = None
) -> int:
    """Cancel what is pointless, and plan what those who were told must hear; return how many notifications are new.

    `why_open`: why clocks may be open again: "bounced", "undone", or None where nothing certain can be said.
    """
    by_kind: dict[ChangeKind, list[int]] = {}
    for change in changes:
        by_kind.setdefault(change.kind, []).append(change.clock_id)
    reopened = by_kind.get(ChangeKind.REOPENED, [])
    # Before anything is handed on: who heard the end of this wait, whatever was told since of one that joined it; and
    # who was told of a wait that is part of another now.
    told_of_end = _reachable(connection, _told_of(connection, changes, ChangeKind.REOPENED)) if reopened else []
    told_of_absorbed = _told_of(connection, [one for one in changes if one.was_open], ChangeKind.ABSORBED)
    planned = follow_joins(connection, changes, now)
    closed = by_kind.get(ChangeKind.CLOSED, [])
    if closed:
        ends = _read_ends(connection, closed)
        waived = [one for one in closed if ends[one].waived_at is not None]
        for cause, ids in ((Cause.WAIVED, waived), (Cause.ANSWERED, [one for one in closed if one not in waived])):
            cancel_for_clocks(connection, ids, cause, now, record_outcome=record_outcome)
        closers = {one: end.waived_by or end.answered_by for one, end in ends.items()}
        planned += _closings(_reachable(connection, told_receivers(connection, closed)), closers, now)
    if told_of_absorbed:
        # Where the other had ended before, those who were told of this one alone never heard of that. Slack is redrawn.
        ends = _read_ends(connection, sorted({one.clock_id for one in told_of_absorbed} - set(closed)))
        ended = {clock_id for clock_id, end in ends.items() if end.closed_at is not None}
        unheard = [one for one in told_of_absorbed if one.clock_id in ended and one.channel is not Channel.SLACK]
        # Nobody is spared: whoever closed it did not know that this wait was meant, too.
        planned += _closings(_reachable(connection, unheard), {}, now)
    if reopened:
        reopen_clocks(connection, reopened, now, record_outcome=record_outcome)
        heard = [one for one in told_of_end if one.purpose is Purpose.CLOSED]
        planned += _reopenings(heard, _counts(connection, reopened), why_open, now)
    changed = by_kind.get(ChangeKind.CHANGED, [])
    if changed:
        planned += plan_updates(told_receivers(connection, changed), now)
    return enqueue(connection, planned, now)


def tell_withdrawn(connection: Connection, waits: Mapping[int, ThreadFacts], *, by: str, now: datetime) -> int:
    """Plan the end of waits, by the id of a clock that is gone, that proved to be no buyer's; return how many are new.

    Slack's messages are redrawn as those of any thread that is left behind.
    """
    told = [one for one in told_receivers(connection, list(waits)) if one.channel is not Channel.SLACK]
    ends = _closings(_reachable(connection, told), dict.fromkeys(waits, by), now)
    return enqueue(connection, [replace(one, content=withdrawn(waits[one.clock_id or 0])) for one in ends], now)


def tell_withdrawal_undone(
    connection: Connection, waits: Collection[int], clock: Any, parts: Sequence[int], now: datetime
) -> int:
    """Let what was told of waits that are gone count for the clock that runs after all; return how many notifications are new.

    Who heard that there is nothing to answer hears that it is open again; nobody else hears of the mistake.

    Args:
        waits: ids of the clocks that were taken for no buyer's.
        clock: the row of the running one.
        parts: the ids of its thread and of those that became part of it.
    """
    told = _reachable(connection, told_receivers(connection, waits))
    for clock_id in sorted(waits):
        pass_on_clock(connection, clock_id, into=clock.id, thread_id=clock.thread_id)
    reopen_clocks(connection, [clock.id], now, record_outcome=record_outcome)
    spared = cancel_last_lines(connection, parts, now, record_outcome=record_outcome)
    told = [
        replace(one, clock_id=clock.id, thread_id=one.thread_id if one.channel is Channel.WEBHOOK else clock.thread_id)
        for one in told
    ]
    in_slack = [one for one in told if one.channel is Channel.SLACK]
    heard = [one for one in told if one.channel is not Channel.SLACK and one.purpose is Purpose.CLOSED]
    heard += [one for one in in_slack if (one.receiver, one.person) not in spared]
    planned = plan_updates([one for one in in_slack if (one.receiver, one.person) in spared], now)
    return enqueue(connection, planned + _reopenings(heard, {}, "undone", now), now)


def plan_updates(told: Sequence[Told], now: datetime) -> list[Notification]:
    """Return the redrawings of messages that are changed in place: Slack's."""
    moment = int(now.timestamp() * 1_000_000)
    return [
        _notification(one, Purpose.UPDATE, f"update:{one.clock_id}:{one.receiver}:{one.person or '-'}:{moment}", now)
        for one in told
        if one.channel is Channel.SLACK
    ]


def _reachable(connection: Connection, told: Sequence[Told]) -> list[Told]:
    """Leave out phones whose owner sent STOP meanwhile: the provider would refuse, and the team hear of it again."""
    unreachable = read_unreachable(connection)
    return [one for one in told if (one.person, one.channel) not in unreachable]


def _told_of(connection: Connection, changes: Sequence[ClockChange], kind: ChangeKind) -> list[Told]:
    """Return who was told of the clocks that changed so, each as told of the heir; a webhook of the thread that it knows."""
    of_kind = {change.clock_id: change for change in changes if change.kind is kind}
    told = []
    for one in told_receivers(connection, list(of_kind)):
        change = of_kind[one.clock_id]
        if change.heir is not None:
            thread_id = one.thread_id if one.channel is Channel.WEBHOOK else change.thread_id
            told.append(replace(one, clock_id=change.heir, thread_id=thread_id))
    return told


def _closings(told: Sequence[Told], closers: Mapping[int, str | None], now: datetime) -> list[Notification]:
    """Return the news of the end. `closers`: who closed each clock, where a person did."""
    moment = int(now.timestamp() * 1_000_000)
    planned = []
    for one in told:
        # Whoever closed it knows, and was answered where they said so.
        knows = one.person is not None and one.person == closers.get(one.clock_id)
        recent_page = one.channel is Channel.SMS and now - one.told_at <= CLOSING_SMS_WITHIN and not knows
        if one.purpose is Purpose.CLOSED or not (one.channel in PATIENT_CHANNELS or recent_page):
            continue
        key = f"closed:{one.clock_id}:{_whom(one)}:{moment}"
        planned.append(_notification(one, Purpose.CLOSED, key, now))
    return planned


def _reopenings(told: Sequence[Told], counts: dict[int, int], why: str | None, now: datetime) -> list[Notification]:
    planned = []
    for one in told:
        key = f"reopened:{one.clock_id}:{_whom(one)}:{counts.get(one.clock_id, 0)}"
        told_again = _notification(one, Purpose.REOPENED, key, now)
        page = one.channel is Channel.SMS
        planned.append(replace(told_again, page=page, content={} if why is None else {"reason": why}))
    return planned


def _whom(one: Told) -> str:
    """Return whom a key names: a webhook by the thread, for it hears of each that it was told of."""
    matter = f":{one.thread_id}" if one.channel is Channel.WEBHOOK else ""
    return f"{one.receiver}:{one.person or '-'}:{one.channel}{matter}"


def _notification(one: Told, purpose: Purpose, key: str, now: datetime) -> Notification:
    return Notification(
        key=key,
        purpose=purpose,
        receiver=one.receiver,
        channel=one.channel,
        person=one.person,
        thread_id=one.thread_id,
        clock_id=one.clock_id,
        due_at=now,
    )


def _read_ends(connection: Connection, clock_ids: Sequence[int]) -> dict[int, Any]:
    """Return how each clock ended, by id."""
    columns = (
        sla_clock.c.id,
        sla_clock.c.waived_at,
        sla_clock.c.waived_by,
        sla_clock.c.answered_by,
        sla_clock.c.closed_at,
    )
    found: dict[int, Any] = {}
    for start in range(0, len(clock_ids), 400):
        statement = select(*columns).where(sla_clock.c.id.in_(clock_ids[start : start + 400]))
        found.update({row.id: row for row in connection.execute(statement)})
    return found


def _counts(connection: Connection, clock_ids: Sequence[int]) -> dict[int, int]:
    statement = select(sla_clock.c.id, sla_clock.c.reopened_count).where(sla_clock.c.id.in_(clock_ids))
    return {row.id: row.reopened_count for row in connection.execute(statement)}
