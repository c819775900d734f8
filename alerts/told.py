"""What was told, to whom, and what became of each message. Only reads."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, func, select

from alerts.core.model import Channel, Purpose
from alerts.outbox import ABOUT_A_CLOCK, chunks
from alerts.tables import NotificationStatus, delivery, notification


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """Somebody who was told of a clock. `certain` False: the message is under way at this moment."""

    receiver: str
    channel: Channel
    person: str | None
    thread_id: int | None
    clock_id: int
    purpose: Purpose
    told_at: datetime
    page: bool
    certain: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryLine:
    """One notification of a thread: who, why, how, when, and what became of it."""

    at: datetime
    purpose: Purpose
    receiver: str
    channel: Channel
    person: str | None
    step: int | None
    occurrence: int
    status: NotificationStatus
    reason: str | None
    attempts: int
    due_at: datetime
    sent_at: datetime | None
    delivered_at: datetime | None
    code: int | None
    error: str | None


def told_receivers(conn: Connection, clock_ids: Collection[int]) -> list[Told]:
    """Return who was told of these clocks, each receiver, person, channel and clock once with its latest message.

    What is under way counts: whoever may have seen the beginning is told the end. A webhook counts once for each thread that
    it was told of.
    """
    latest: dict[tuple[str, str, str | None, int, int | None], Told] = {}
    for ids in chunks(clock_ids):
        rows = conn.execute(
            select(notification, func.coalesce(delivery.c.sent_at, delivery.c.intent_at).label("told_at"))
            .join(delivery, delivery.c.id == notification.c.delivery_id)
            .where(
                notification.c.clock_id.in_(ids),
                notification.c.status.in_((NotificationStatus.SENT, NotificationStatus.SENDING)),
                notification.c.purpose.in_((*ABOUT_A_CLOCK, Purpose.CLOSED)),
            )
            .order_by("told_at", notification.c.id)
        )
        for row in rows:
            matter = row.thread_id if row.channel == Channel.WEBHOOK else None
            latest[(row.receiver, row.channel, row.person, row.clock_id, matter)] = Told(
                receiver=row.receiver,
                channel=Channel(row.channel),
                person=row.person,
                thread_id=row.thread_id,
                clock_id=row.clock_id,
                purpose=Purpose(row.purpose),
                told_at=row.told_at,
                page=row.page,
                certain=row.status == NotificationStatus.SENT,
            )
    return list(latest.values())


def history(conn: Connection, thread_id: int | None, most: int | None = None) -> list[HistoryLine]:
    """Return every notification about a thread in the order of what happened last to each; at most the latest so many.

    None for the thread: those about none of them, such as summaries, reports and ReplyBy's own troubles.
    """
    at = func.coalesce(delivery.c.sent_at, notification.c.finished_at, notification.c.due_at)
    rows = conn.execute(
        select(
            notification,
            at.label("at"),
            delivery.c.sent_at,
            delivery.c.delivered_at,
            delivery.c.code,
            delivery.c.error,
        )
        .outerjoin(delivery, delivery.c.id == notification.c.delivery_id)
        .where(notification.c.thread_id.is_(None) if thread_id is None else notification.c.thread_id == thread_id)
        .order_by(at.desc(), notification.c.id.desc())
        .limit(most)
    ).all()
    return [
        HistoryLine(
            at=row.at,
            purpose=Purpose(row.purpose),
            receiver=row.receiver,
            channel=Channel(row.channel),
            person=row.person,
            step=row.step,
            occurrence=row.occurrence,
            status=NotificationStatus(row.status),
            reason=row.reason,
            attempts=row.attempts,
            due_at=row.due_at,
            sent_at=row.sent_at,
            delivered_at=row.delivered_at,
            code=row.code,
            error=row.error,
        )
        for row in reversed(rows)
    ]
