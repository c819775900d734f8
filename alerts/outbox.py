"""The durable queue of what somebody has to be told.

Owns putting in, taking back and looking at what waits. Every function takes a Connection and commits nothing: what is planned
stands in the same transaction as the facts it was planned from. Sending is `alerts.dispatcher`'s; `alerts.told` looks back.
"""

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeAlias

from sqlalchemy import ColumnElement, Connection, and_, case, func, or_, select, type_coerce, update

from alerts.codes import free_codes_of
from alerts.core.model import Channel, Notification, Purpose
from alerts.errors import Reason
from alerts.tables import Cause, NotificationStatus, UtcInstant, answer_event, delivery, insert_once, notification, post

RecordOutcome: TypeAlias = Callable[[Connection, str, str, str], None]
"""Counts one outcome (`sent`, `retried`, `failed`, `cancelled`, `reconciled`) of a receiver and channel, in the same
transaction as what it counts."""

GROUPED_CHANNELS = (Channel.SMS, Channel.VOICE)
ABOUT_A_CLOCK = (Purpose.ALERT, Purpose.REOPENED, Purpose.LOOK_AHEAD)
LAST_RANK = 2
_EMPTY = "{}"
_NOT_DUE_YET = (Cause.QUIET, Cause.SILENCED, Cause.RATE_LIMIT, Reason.UNDELIVERED)
_FAMILY_MARK = "~>"
_UPDATES_AT_ONCE = 500  # values in one IN (…): SQLite allows 32,766, older ones 999


def ignore_outcome(conn: Connection, receiver: str, channel: str, outcome: str) -> None:
    """Count nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboxStats:
    """What is not yet delivered: how many rows, how many are due, and since when the oldest has been (None: none is).

    What is held back on purpose (quiet hours, a silence, the rate of messages to a phone) is not due; nor is what went out
    and did not reach the phone, until its next turn.
    """

    pending: int
    due: int
    oldest_at: datetime | None


def whom_of(receiver: str, person: str | None) -> str:
    """Return who is reached: one person by whatever receiver, or a shared receiver."""
    return f"person:{person}" if person is not None else f"receiver:{receiver}"


def slot_of(item: Notification) -> str:
    """Return what may be under way only once: a phone for SMS and voice, a thread in a channel, else the row itself.

    So does a message that is no thread's own: its address is in the content.
    """
    whom = whom_of(item.receiver, item.person)
    if item.channel in GROUPED_CHANNELS:
        return f"{item.channel}:{whom}"
    if item.thread_id is not None and item.purpose != Purpose.TEST and "post" not in item.content:
        return f"{item.channel}:{whom}:{item.thread_id}"
    return f"{item.channel}:{item.key}"


def is_last_line(item: Notification) -> bool:
    """Return whether this redraws the message of a thread that is part of another now, or was no buyer's."""
    return item.purpose is Purpose.UPDATE and "gone" in item.content


def family_of(key: str) -> str:
    """Return the key of the notification that this one, or the chain of stand-ins it belongs to, stands in for."""
    return key.split(_FAMILY_MARK, 1)[0]


def stand_in_key(key: str, receiver: str, channel: Channel, person: str | None) -> str:
    """Return the key of the notification that takes over when `key` failed. The same one for everybody in the family."""
    return f"{family_of(key)}{_FAMILY_MARK}{receiver}:{person or '-'}:{channel}"


def enqueue(conn: Connection, notifications: Sequence[Notification], now: datetime) -> int:
    """Put notifications in and return how many were new; a key that was ever used is skipped."""
    if not notifications:
        return 0
    rows = [_row(item, now) for item in notifications]
    statement = insert_once(conn, notification, "key").returning(notification.c.id)
    return len(conn.execute(statement, rows).all())


def _row(item: Notification, now: datetime) -> dict[str, Any]:
    return {
        "key": item.key,
        "family": family_of(item.key),
        "purpose": item.purpose.value,
        "receiver": item.receiver,
        "channel": item.channel.value,
        "person": item.person,
        "whom": whom_of(item.receiver, item.person),
        "slot": slot_of(item),
        "thread_id": item.thread_id,
        "clock_id": item.clock_id,
        "step": item.step,
        "occurrence": item.occurrence,
        "page": item.page,
        "rank": _rank(item),
        "due_at": item.due_at,
        "next_attempt_at": item.due_at,
        "expires_at": item.expires_at,
        "status": NotificationStatus.PENDING.value,
        "attempts": 0,
        "created_at": now,
        "content": json.dumps(dict(item.content), sort_keys=True, separators=(",", ":")),
    }


def _rank(item: Notification) -> int:
    """Return 0 for pages, 2 for redrawing and for what a stranger may have sent by the thousand, else 1."""
    if not item.verified or item.purpose is Purpose.UPDATE:
        return LAST_RANK
    return 0 if item.page else 1


def notification_of(row: Any) -> Notification:
    """Return the notification that a row of the table stands for."""
    return Notification(
        key=row.key,
        purpose=Purpose(row.purpose),
        receiver=row.receiver,
        channel=Channel(row.channel),
        due_at=row.due_at,
        person=row.person,
        thread_id=row.thread_id,
        clock_id=row.clock_id,
        step=row.step,
        occurrence=row.occurrence,
        page=row.page,
        verified=row.rank < LAST_RANK or row.purpose == Purpose.UPDATE,
        expires_at=row.expires_at,
        content=json.loads(row.content),
    )


def cancel_for_clocks(
    conn: Connection,
    clock_ids: Collection[int],
    cause: Cause,
    now: datetime,
    *,
    closed: bool = True,
    record_outcome: RecordOutcome = ignore_outcome,
) -> int:
    """Cancel what is pending to wake somebody about these clocks; return how many rows.

    `closed` True also frees the reply codes that stood for closed clocks alone; False for an acknowledgement, a snooze or
    a silence, whose codes go on meaning something. What is under way already cannot be called back.
    """
    cancelled = 0
    for ids in chunks(clock_ids):
        about = and_(notification.c.clock_id.in_(ids), notification.c.purpose.in_(ABOUT_A_CLOCK))
        cancelled += _cancel_pending(conn, about, cause, now, record_outcome)
        if closed:
            conn.execute(update(notification).where(notification.c.clock_id.in_(ids)).values(closed_at=now))
            free_codes_of(conn, ids, now)
    return cancelled


def reopen_clocks(
    conn: Connection, clock_ids: Collection[int], now: datetime, *, record_outcome: RecordOutcome = ignore_outcome
) -> None:
    """Let these clocks count as open again for the reply codes that are still in use; an end not yet told is no news."""
    for ids in chunks(clock_ids):
        ends = and_(notification.c.clock_id.in_(ids), notification.c.purpose == Purpose.CLOSED)
        _cancel_pending(conn, ends, Cause.SUPERSEDED, now, record_outcome)
        conn.execute(update(notification).where(notification.c.clock_id.in_(ids)).values(closed_at=None))


def cancel_last_lines(
    conn: Connection, thread_ids: Collection[int], now: datetime, *, record_outcome: RecordOutcome = ignore_outcome
) -> set[tuple[str, str | None]]:
    """Cancel what is pending to say in place that these threads were no buyer's; return whose message: receiver and person."""
    spared: set[tuple[str, str | None]] = set()
    for ids in chunks(thread_ids):
        lines = and_(notification.c.purpose == Purpose.UPDATE, notification.c.content.contains('"not_a_message"'))
        pending = and_(lines, notification.c.thread_id.in_(ids), notification.c.status == NotificationStatus.PENDING)
        spared |= {(row.receiver, row.person) for row in conn.execute(select(notification).where(pending))}
        _cancel_pending(conn, pending, Cause.SUPERSEDED, now, record_outcome)
    return spared


def cancel_for_thread(
    conn: Connection,
    thread_id: int,
    cause: Cause,
    now: datetime,
    *,
    record_outcome: RecordOutcome = ignore_outcome,
) -> int:
    """Cancel everything pending about a thread, whatever its purpose (it was erased); return how many rows."""
    return _cancel_pending(conn, notification.c.thread_id == thread_id, cause, now, record_outcome)


def _cancel_pending(
    conn: Connection, about: ColumnElement[bool], cause: Cause, now: datetime, record_outcome: RecordOutcome
) -> int:
    rows = conn.execute(
        update(notification)
        .where(about, notification.c.status == NotificationStatus.PENDING)
        .values(status=NotificationStatus.CANCELLED.value, reason=cause.value, finished_at=now)
        .returning(notification.c.receiver, notification.c.channel)
    ).all()
    for row in rows:
        record_outcome(conn, row.receiver, row.channel, "cancelled")
    return len(rows)


def stats(conn: Connection, now: datetime) -> OutboxStats:
    """Return how much is not delivered yet, and the oldest instant since which something has been due."""
    undelivered = notification.c.status.in_((NotificationStatus.PENDING, NotificationStatus.SENDING))
    later = func.coalesce(notification.c.reason, "").in_(_NOT_DUE_YET)
    under_way = notification.c.status == NotificationStatus.SENDING  # its reason is gone: it may have been held back
    due_since = case((or_(later, under_way), notification.c.next_attempt_at), else_=notification.c.due_at)
    row = conn.execute(
        select(
            func.count(),
            func.count().filter(due_since <= now),
            type_coerce(func.min(due_since).filter(due_since <= now), UtcInstant),
        )
        .select_from(notification)
        .where(undelivered)
    ).one()
    return OutboxStats(pending=row[0], due=row[1], oldest_at=row[2])


def next_due_at(conn: Connection) -> datetime | None:
    """Return the next instant at which there is something to send or to look up; None: nothing waits."""
    waiting: datetime | None = conn.scalar(
        select(func.min(notification.c.next_attempt_at)).where(notification.c.status == NotificationStatus.PENDING)
    )
    doubtful: datetime | None = conn.scalar(
        select(func.min(delivery.c.next_attempt_at)).where(delivery.c.status.in_(("sending", "doubtful")))
    )
    return min((at for at in (waiting, doubtful) if at is not None), default=None)


def due(conn: Connection, now: datetime) -> list[Notification]:
    """Return what would be looked at now, pages first; claims nothing."""
    rows = conn.execute(
        select(notification)
        .where(notification.c.status == NotificationStatus.PENDING, notification.c.next_attempt_at <= now)
        .order_by(notification.c.rank, notification.c.due_at, notification.c.id)
    )
    return [notification_of(row) for row in rows]


def posts_of_thread(conn: Connection, thread_id: int) -> list[tuple[Channel, str, str]]:
    """Return where a thread's own messages stand: channel, place and message in the provider's own words."""
    rows = conn.execute(select(post).where(post.c.thread_id == thread_id).order_by(post.c.id))
    return [(Channel(row.channel), row.post_channel, row.post_message) for row in rows]


def record_event_once(conn: Connection, event_id: str, at: datetime) -> bool:
    """Return True the first time a provider's event id (a press, an inbound SMS) is seen, False ever after."""
    statement = insert_once(conn, answer_event, "event_id").returning(answer_event.c.event_id)
    return conn.execute(statement, {"event_id": event_id, "at": at}).first() is not None


def forget_thread(
    conn: Connection, thread_id: int, now: datetime, words: Collection[str] = ()
) -> list[Mapping[str, Any]]:
    """Cut a thread out of what was told and return where messages about it stand: channel, provider_id, person, post.

    `words`: the order number and the alias; summaries that name one lose their content too. Counts stay: rows keep
    receiver, channel, purpose and outcome.
    """
    cancel_for_thread(conn, thread_id, Cause.FORGOTTEN, now)
    about = or_(
        notification.c.thread_id == thread_id, *(notification.c.content.contains(word) for word in words if word)
    )
    rows = conn.execute(
        select(delivery.c.channel, delivery.c.provider_id, delivery.c.person)
        .distinct()
        .join(notification, notification.c.delivery_id == delivery.c.id)
        .where(about, delivery.c.provider_id.is_not(None))
        .order_by(delivery.c.channel, delivery.c.provider_id)
    )
    standing: list[Mapping[str, Any]] = [dict(row._mapping) | {"post": None} for row in rows]
    for channel, place, message in posts_of_thread(conn, thread_id):
        standing.append({"channel": channel.value, "provider_id": message, "person": None, "post": place})
    conn.execute(post.delete().where(post.c.thread_id == thread_id))
    conn.execute(update(notification).where(about).values(content=_EMPTY))
    conn.execute(update(notification).where(notification.c.thread_id == thread_id).values(thread_id=None))
    return standing


def clear_content(conn: Connection, finished_before: datetime) -> int:
    """Empty what old summaries said (they name orders) and return how many; that they were sent stays."""
    return conn.execute(
        update(notification)
        .where(notification.c.finished_at < finished_before, notification.c.content != _EMPTY)
        .values(content=_EMPTY)
    ).rowcount


def chunks(ids: Collection[int]) -> list[list[int]]:
    """Return these ids, each once and in order, in parts that one statement can take."""
    ordered = sorted(set(ids))
    return [ordered[start : start + _UPDATES_AT_ONCE] for start in range(0, len(ordered), _UPDATES_AT_ONCE)]
