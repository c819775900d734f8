"""Changes and ends: whether they are news to whoever would get them. Reads, writes nothing."""

from typing import Any

from sqlalchemy import Connection, select

from alerts.core.model import Channel, Purpose
from alerts.outbox import is_last_line, notification_of
from alerts.tables import NotificationStatus, notification, post

NEWS_OF_WHAT_WAS_TOLD = (Purpose.CLOSED, Purpose.UPDATE)


def was_never_told(conn: Connection, row: Any) -> bool:
    """Return whether a change or an end is news to its receiver: all that was to be said before was never sent."""
    if row.purpose not in NEWS_OF_WHAT_WAS_TOLD or row.thread_id is None:
        return False
    if row.purpose == Purpose.UPDATE and row.channel == Channel.SLACK:
        if "post" in notification_of(row).content:
            return False
        standing = select(post.c.id).where(post.c.thread_id == row.thread_id, post.c.channel == row.channel)
        return conn.execute(standing.limit(1)).first() is None
    earlier = conn.scalars(
        select(notification.c.status).where(
            notification.c.thread_id == row.thread_id,
            notification.c.clock_id == row.clock_id,
            notification.c.channel == row.channel,
            notification.c.whom == row.whom,
            notification.c.purpose.not_in(NEWS_OF_WHAT_WAS_TOLD),
        )
    ).all()
    return bool(earlier) and NotificationStatus.SENT not in earlier and NotificationStatus.SENDING not in earlier


def is_of_an_earlier_wait(conn: Connection, row: Any) -> bool:
    """Return whether a redrawing is about an earlier wait than the one that the thread's message speaks of by now.

    The last line of a message whose thread is gone is about the message, whatever wait it spoke of.
    """
    if row.purpose != Purpose.UPDATE or row.clock_id is None or is_last_line(notification_of(row)):
        return False
    later = select(notification.c.id).where(
        notification.c.thread_id == row.thread_id,
        notification.c.channel == row.channel,
        notification.c.whom == row.whom,
        notification.c.clock_id > row.clock_id,
        notification.c.purpose.not_in(NEWS_OF_WHAT_WAS_TOLD),
        notification.c.status == NotificationStatus.SENT,
    )
    return conn.execute(later.limit(1)).first() is not None
