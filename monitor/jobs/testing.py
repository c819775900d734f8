"""A marked test notification: through the same outbox and notifiers as every alert, read back, and answered."""

import uuid
from collections.abc import Iterator, Sequence
from datetime import datetime

from sqlalchemy import select

from alerts.core.model import Channel, Notification, Purpose
from alerts.core.words import content
from alerts.delivery.content import rebuild
from alerts.delivery.ports import Ports
from alerts.errors import DeliveryError
from alerts.notifiers.base import Notifier
from alerts.outbox import enqueue
from alerts.tables import NotificationStatus, delivery, notification
from monitor.jobs.answers import PROVEN
from monitor.jobs.people import AddressBook
from monitor.jobs.services import Services
from monitor.store.engine import reading, writing
from monitor.store.health import read_marks

UNREAD = (Channel.CONSOLE, Channel.EMAIL, Channel.WEBHOOK)
"""Channels whose provider keeps nothing that could be read back."""

FINAL = (NotificationStatus.SENT.value, NotificationStatus.FAILED.value, NotificationStatus.CANCELLED.value)


def plan_test(services: Services, book: AddressBook, receiver: str, *, page: bool) -> list[str]:
    """Enqueue one test for everybody the receiver reaches now; return the keys."""
    now = services.utc_now()
    planned = [
        Notification(
            key=f"test:{uuid.uuid4().hex}",
            purpose=Purpose.TEST,
            receiver=target.receiver,
            channel=target.channel,
            person=target.person,
            due_at=now,
            page=page,
            content=content.test(page=page),
        )
        for target in book.targets([receiver], now)
    ]
    with writing(services.engine) as connection:
        enqueue(connection, planned, now)
    return [one.key for one in planned]


def unfinished(services: Services, keys: Sequence[str]) -> int:
    """Return how many tests are still on their way."""
    with reading(services.engine) as connection:
        rows = connection.execute(select(notification.c.status).where(notification.c.key.in_(keys))).scalars().all()
    return sum(status not in FINAL for status in rows)


def read_results(
    services: Services, keys: Sequence[str], notifiers: dict[Channel, Notifier], ports: Ports
) -> Iterator[tuple[bool, str]]:
    """Yield, for each test, whether it arrived and a line about it; what was sent is looked up at the provider."""
    statement = (
        select(notification, delivery.c.id.label("carrier"), delivery.c.error, delivery.c.code)
        .outerjoin(delivery, delivery.c.id == notification.c.delivery_id)
        .where(notification.c.key.in_(keys))
    )
    now = services.utc_now()
    with reading(services.engine) as connection:
        for row in connection.execute(statement).all():
            whom = f"{row.person or row.receiver} by {row.channel}"
            if row.status != NotificationStatus.SENT.value:
                said = row.error or row.reason or "still on its way; `replyby doctor` shows what waits"
                yield False, f"{whom}: not sent: {said}"
                continue
            carrier = connection.execute(select(delivery).where(delivery.c.id == row.carrier)).one()
            rebuilt = rebuild(connection, carrier, ports, now)
            if Channel(row.channel) in UNREAD:
                yield True, f"{whom}: sent"
                continue
            try:
                found = None if rebuilt is None else notifiers[Channel(row.channel)].find(rebuilt)
            except DeliveryError as error:
                yield True, f"{whom}: sent; it cannot be read back: {error}"
                continue
            yield (
                True,
                f"{whom}: sent, and read back"
                if found is not None
                else f"{whom}: sent; the provider has not shown it yet",
            )


def proven_since(services: Services, since: datetime) -> set[str]:
    """Return the people who answered a test page since an instant."""
    with reading(services.engine) as connection:
        marks = read_marks(connection, PROVEN)
    return {name.removeprefix(PROVEN) for name, at in marks.items() if at >= since}
