"""Somebody sent STOP: what their phone got, or was still to get, goes to whoever comes next. Sends nothing."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, select, update

from alerts.core.model import Channel, Purpose
from alerts.delivery.ports import Ports
from alerts.delivery.record import stand_in
from alerts.tables import Cause, NotificationStatus, notification


def hand_on(conn: Connection, person: str, channels: Collection[Channel], ports: Ports, now: datetime) -> int:
    """Cancel what is pending for a person by these channels and page whoever comes next; return how many rows are new.

    Handed on is what was pending, and the last alert of each clock that was sent there and is still to be alerted about:
    nobody can tell whether it was read before the STOP.
    """
    theirs = (
        notification.c.person == person,
        notification.c.channel.in_([channel.value for channel in channels]),
    )
    pending = conn.execute(
        select(notification).where(*theirs, notification.c.status == NotificationStatus.PENDING)
    ).all()
    conn.execute(
        update(notification)
        .where(notification.c.id.in_([row.id for row in pending]))
        .values(status=NotificationStatus.CANCELLED.value, reason=Cause.OPTED_OUT.value, finished_at=now)
    )
    for row in pending:
        ports.record_outcome(conn, row.receiver, row.channel, "cancelled")
    latest = (
        select(func.max(notification.c.id))
        .where(
            *theirs,
            notification.c.status.in_((NotificationStatus.SENT, NotificationStatus.SENDING)),
            notification.c.purpose.in_((Purpose.ALERT, Purpose.REOPENED)),
            ports.still_wanted(notification.c),
        )
        .group_by(notification.c.clock_id, notification.c.channel)
    )
    told: Sequence[Any] = conn.execute(select(notification).where(notification.c.id.in_(latest))).all()
    return stand_in(conn, [*pending, *told], ports, now, besides=person)
