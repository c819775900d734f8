"""Whether an SMS that the provider accepted reached the phone, whether a call was taken: who is asked about, and when again."""

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, and_, select, update

from alerts.core.model import Channel
from alerts.delivery.ports import Ports
from alerts.tables import DeliveryStatus, delivery


def take_check(conn: Connection, channel: Channel, ports: Ports, now: datetime) -> Any | None:
    """Return the row of the next delivery to ask about, its next turn already set; None when none is due.

    Asking ends after `check_until`: some networks never report. A call is over after `call_until`.
    """
    due = and_(
        delivery.c.channel == channel.value, delivery.c.status == DeliveryStatus.SENT, delivery.c.check_at <= now
    )
    row = conn.execute(
        select(delivery).where(due).order_by(delivery.c.check_at).limit(1).with_for_update(skip_locked=True)
    ).first()
    if row is None:
        return None
    pauses = ports.timing.check_after
    again_at = now + pauses[min(row.checks + 1, len(pauses) - 1)]
    until = ports.timing.call_until if channel is Channel.VOICE else ports.timing.check_until
    if row.sent_at is None or again_at > row.sent_at + until:
        again_at = None
    conn.execute(update(delivery).where(delivery.c.id == row.id).values(checks=row.checks + 1, check_at=again_at))
    return row


def record_delivered(conn: Connection, delivery_id: int, now: datetime) -> None:
    """Record that the phone has it; it is not asked about again."""
    conn.execute(
        update(delivery)
        .where(delivery.c.id == delivery_id, delivery.c.status == DeliveryStatus.SENT)
        .values(delivered_at=now, check_at=None)
    )
