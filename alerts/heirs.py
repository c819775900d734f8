"""What was told of a wait or a thread that is part of another one now: it counts for that one.

Owns the hand-over of rows and of the messages that stand. Commits nothing.
"""

from dataclasses import replace
from typing import Any

from sqlalchemy import Connection, exists, func, select, update

from alerts.core.model import Channel, Purpose
from alerts.outbox import is_last_line, notification_of, slot_of
from alerts.tables import NotificationStatus, notification, post

_TOLD = (NotificationStatus.SENT, NotificationStatus.SENDING)


def drawn_for(conn: Connection, thread_id: int) -> list[tuple[str, str | None]]:
    """Return who has a message of this thread's own that is changed in place, Slack's: receiver and person, each once."""
    rows = conn.execute(
        select(notification.c.receiver, notification.c.person)
        .distinct()
        .where(
            notification.c.thread_id == thread_id,
            notification.c.channel == Channel.SLACK,
            notification.c.status.in_(_TOLD),
        )
    )
    return [(row.receiver, row.person) for row in rows]


def spoken_of(conn: Connection, thread_id: int) -> int | None:
    """Return the clock that a thread's own messages in Slack speak of: the newest that was told there."""
    found: int | None = conn.scalar(
        select(func.max(notification.c.clock_id)).where(
            notification.c.thread_id == thread_id,
            notification.c.channel == Channel.SLACK,
            notification.c.purpose.in_((Purpose.ALERT, Purpose.REOPENED)),
            notification.c.status.in_(_TOLD),
        )
    )
    return found


def pass_on_clock(conn: Connection, clock_id: int, *, into: int, thread_id: int) -> None:
    """Let what was told of a clock count for the clock `into`, which is in this thread: numbers to answer with, later news.

    What was erased stays without a thread. The last line of a message whose thread is gone stays with that message, and what
    a webhook was told stays with the thread it was told of: whoever keeps a matter open for it hears the end of that.
    """
    told = notification.c.clock_id == clock_id
    for row in conn.execute(select(notification).where(told, notification.c.thread_id.is_not(None))).all():
        item = notification_of(row)
        values: dict[str, Any] = {"clock_id": into}
        told_a_webhook = item.channel is Channel.WEBHOOK and row.status in _TOLD
        if not (is_last_line(item) or told_a_webhook):
            values |= {"thread_id": thread_id, "slot": slot_of(replace(item, thread_id=thread_id))}
        conn.execute(update(notification).where(notification.c.id == row.id).values(**values))


def pass_on_posts(conn: Connection, thread_id: int, into: int) -> None:
    """Let a thread's own messages be those of the thread `into`, wherever that has none yet."""
    other = post.alias("other")
    stands = exists().where(other.c.thread_id == into, other.c.channel == post.c.channel, other.c.place == post.c.place)
    conn.execute(update(post).where(post.c.thread_id == thread_id, ~stands).values(thread_id=into))
