"""Deliveries whose outcome nobody knows: finding them after a crash, and what a look-up at the provider decides.

Owns which ones are doubtful and who may look them up. Asks no provider itself.
"""

from collections.abc import Collection
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, and_, false, or_, select, update

from alerts.core.model import Channel
from alerts.delivery.claim import Claimed
from alerts.delivery.ports import Ports
from alerts.delivery.retry import backoff
from alerts.errors import DeliveryError
from alerts.tables import Cause, DeliveryStatus, NotificationStatus, delivery, notification


def mark_orphans(conn: Connection, ports: Ports, left_over: Collection[int], *, alone: bool, now: datetime) -> int:
    """Mark as doubtful what was begun and will not be recorded by whoever began it; return how many.

    `left_over`: our own deliveries whose outcome could not be written. `alone`: no other process of our lineage lives, so
    that whatever one of them began is an orphan at once; else it is one when its lease has ended. A lease that ends
    implausibly late means that the system clock was set back.
    """
    timing = ports.timing
    foreign = delivery.c.owner != ports.owner
    dead = delivery.c.owner.startswith(ports.lineage, autoescape=True) if alone else false()
    ended = or_(
        delivery.c.next_attempt_at <= now, delivery.c.next_attempt_at > now + timing.lease + timing.longest_wait
    )
    foreign = and_(foreign, or_(dead, ended))
    result = conn.execute(
        update(delivery)
        .where(delivery.c.status == DeliveryStatus.SENDING, or_(foreign, delivery.c.id.in_(left_over)))
        .values(status=DeliveryStatus.DOUBTFUL.value, next_attempt_at=now + timing.settle)
    )
    if alone:  # a process that ended while it asked the provider: nobody else will
        conn.execute(
            update(delivery)
            .where(
                delivery.c.status == DeliveryStatus.DOUBTFUL,
                delivery.c.owner != ports.owner,
                dead,
                delivery.c.next_attempt_at > now + timing.settle,
            )
            .values(owner=ports.owner, next_attempt_at=now + timing.settle)
        )
    return result.rowcount


def pull_in(conn: Connection, ports: Ports, now: datetime) -> int:
    """Bring back retries and look-ups that a system clock set back has moved out of reach; return how many."""
    horizon = now + ports.timing.longest_wait + ports.timing.longest_retry
    retries = conn.execute(
        update(notification)
        .where(
            notification.c.status == NotificationStatus.PENDING,
            notification.c.due_at <= now,
            notification.c.reason.is_distinct_from(Cause.RATE_LIMIT.value),  # these may wait for hours
            notification.c.next_attempt_at > horizon,
        )
        .values(next_attempt_at=now)
    ).rowcount
    lookups = conn.execute(
        update(delivery)
        .where(delivery.c.status == DeliveryStatus.DOUBTFUL, delivery.c.next_attempt_at > horizon)
        .values(next_attempt_at=now)
    ).rowcount
    return retries + lookups


def take_doubtful(conn: Connection, channel: Channel, ports: Ports, now: datetime) -> Any | None:
    """Return the row of the next delivery to look up by this channel, kept from other workers for a lease; or None."""
    due = and_(
        delivery.c.channel == channel.value,
        delivery.c.status == DeliveryStatus.DOUBTFUL,
        delivery.c.next_attempt_at <= now,
    )
    head = conn.execute(
        select(delivery)
        .where(due)
        .order_by(delivery.c.page.desc(), delivery.c.next_attempt_at, delivery.c.id)
        .limit(1)
        .with_for_update(skip_locked=True)
    ).first()
    if head is None:
        return None
    conn.execute(
        update(delivery)
        .where(delivery.c.id == head.id)
        .values(owner=ports.owner, next_attempt_at=now + ports.timing.lease)
    )
    return head


def is_of_another(conn: Connection, row: Any, provider_id: str) -> bool:
    """Return whether what the provider found is known to be another delivery's: a call carries no mark of ours."""
    if row.channel != Channel.VOICE:
        return False  # found by its mark; and a message redrawn in place keeps the id it had
    others = select(delivery.c.id).where(
        delivery.c.channel == row.channel, delivery.c.provider_id == provider_id, delivery.c.id != row.id
    )
    return conn.execute(others.limit(1)).first() is not None


def postpone_lookup(
    conn: Connection, claimed: Claimed, lookups: int, error: DeliveryError, ports: Ports, now: datetime
) -> None:
    """Ask again later: the provider could not be asked now. A page does not wait for a provider's hour."""
    timing = ports.timing
    pause = backoff(timing.lookup_retry, timing.longest_retry, lookups)
    if error.retry_after is not None:
        pause = max(pause, min(error.retry_after, timing.lease if claimed.page else timing.longest_wait))
    conn.execute(
        update(delivery)
        .where(delivery.c.id == claimed.delivery_id, delivery.c.status == DeliveryStatus.DOUBTFUL)
        .values(lookups=lookups, next_attempt_at=now + pause)
    )


class Verdict(StrEnum):
    """What follows when the provider could not be asked."""

    ASK_AGAIN = "ask_again"
    REPEAT = "repeat"  # a page: better twice than never
    GIVE_UP = "give_up"  # a notice: better never than twice


def after_failed_lookup(row: Any, error: DeliveryError, ports: Ports) -> Verdict:
    """Return what to do when the provider could not be asked about this delivery."""
    most = ports.timing.page_lookups if row.page else ports.timing.notice_lookups
    if error.retryable and row.lookups + 1 < most:
        return Verdict.ASK_AGAIN
    return Verdict.REPEAT if row.page else Verdict.GIVE_UP
