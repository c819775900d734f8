"""Changes and ends: whether they are news to whoever would get them. Reads, writes nothing."""

from typing import Any

from sqlalchemy import Connection, select

from alerts.core.model import Channel, Purpose
from alerts.outbox import is_last_line, notification_of
from alerts.tables import NotificationStatus, notification, post

_ONE_MATTER = (Channel.SLACK, Channel.WEBHOOK)
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

    So it is with an end, where the matter stands in one message (Slack) or as one incident (a webhook). The last line of a
    message whose thread is gone is about the message, whatever wait it spoke of; and what is left of a thread when its
    newest wait left is drawn over that, unless another was told of since.
    """
    redraws = row.purpose == Purpose.UPDATE or (row.purpose == Purpose.CLOSED and row.channel in _ONE_MATTER)
    if not redraws or row.clock_id is None or is_last_line(notification_of(row)):
        return False
    left_behind = "left_behind" in notification_of(row).content
    later = select(notification.c.id).where(
        notification.c.thread_id == row.thread_id,
        notification.c.channel == row.channel,
        notification.c.whom == row.whom,
        notification.c.clock_id > row.clock_id,
        notification.c.purpose.not_in(NEWS_OF_WHAT_WAS_TOLD),
        notification.c.status == NotificationStatus.SENT,
        *((notification.c.id > row.id,) if left_behind else ()),
    )
    return conn.execute(later.limit(1)).first() is not None
