"""Waits and threads that are part of others now: what was told of them counts for those, and no message stands untrue."""

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import Connection, select

from alerts.core.model import Channel, Notification, Purpose
from alerts.heirs import drawn_for, pass_on_clock, pass_on_posts, spoken_of
from alerts.outbox import cancel_for_clocks, posts_of_thread
from alerts.tables import Cause
from monitor.jobs.services import record_outcome
from monitor.store.changes import ChangeKind, ClockChange
from monitor.store.schema import sla_clock


def follow_joins(connection: Connection, changes: Sequence[ClockChange], now: datetime) -> list[Notification]:
    """Hand on what was told of clocks that are gone or in another thread; return how Slack's messages are redrawn.

    A message goes with the wait that it speaks of, also out of a thread that goes on, unless it has one of its own where it
    goes. What is left of a thread that goes on is drawn as that stands; else a line without buttons says what became of it.
    """
    leaving: dict[tuple[int, int | None], ClockChange] = {
        (change.left, change.clock_id): change for change in changes if change.left is not None
    }
    left = {change.left: change for change in sorted(changes, key=_has_heir) if change.left is not None}
    drawn = {thread_id: drawn_for(connection, thread_id) for thread_id in left}
    spoken = {thread_id: leaving.get((thread_id, spoken_of(connection, thread_id))) for thread_id in left}
    over = _closed_among(connection, {change.into for change in changes if change.into is not None})
    for change in changes:
        gone = change.kind is ChangeKind.ABSORBED
        if gone:
            ended = change.into is None or change.into in over
            cancel_for_clocks(
                connection, [change.clock_id], Cause.NOT_WANTED, now, closed=ended, record_outcome=record_outcome
            )
        if change.heir is not None and (gone or change.left is not None):
            pass_on_clock(connection, change.clock_id, into=change.heir, thread_id=change.thread_id)
    newest = _newest_clocks(connection, left)
    planned: list[Notification] = []
    for thread_id, change in left.items():
        clock_id, gone_as = newest.get(thread_id), None
        goes_with = spoken[thread_id]
        if clock_id is None:
            clock_id, gone_as = change.heir, "not_a_message" if change.heir is None else "joined"
            if goes_with is None or goes_with.heir is None:
                goes_with = change
        if goes_with is not None and goes_with.heir is not None:
            pass_on_posts(connection, thread_id, goes_with.thread_id)
        if gone_as is None and not posts_of_thread(connection, thread_id):
            continue
        planned += [
            Notification(
                key=f"left:{thread_id}:{receiver}:{person or '-'}:{int(now.timestamp() * 1_000_000)}",
                purpose=Purpose.UPDATE,
                receiver=receiver,
                channel=Channel.SLACK,
                person=person,
                thread_id=thread_id,
                clock_id=clock_id,
                due_at=now,
                content={"left_behind": True} if gone_as is None else {"gone": gone_as},
            )
            for receiver, person in drawn[thread_id]
        ]
    return planned


def _has_heir(change: ClockChange) -> bool:
    return change.heir is not None


def _closed_among(connection: Connection, clock_ids: Collection[int]) -> set[int]:
    if not clock_ids:
        return set()
    statement = select(sla_clock.c.id).where(sla_clock.c.id.in_(clock_ids), sla_clock.c.closed_at.is_not(None))
    return set(connection.scalars(statement))


def _newest_clocks(connection: Connection, thread_ids: Collection[int]) -> dict[int, int]:
    """Return the newest clock of each of these threads that still has one."""
    rows = connection.execute(
        select(sla_clock.c.thread_id, sla_clock.c.id)
        .where(sla_clock.c.thread_id.in_(thread_ids))
        .order_by(sla_clock.c.started_at)
    )
    return {row.thread_id: row.id for row in rows}
