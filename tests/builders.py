"""Values for tests, with sensible defaults: name only what the test is about."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

from monitor.core.facts import Fact
from monitor.core.messages import Kind, Message

T0 = datetime(2026, 11, 20, 4, 10, 12, tzinfo=UTC)
_numbers = count(1)


def at(hours: float) -> datetime:
    """Return T0 plus that many hours."""
    return T0 + timedelta(hours=hours)


def make_fact(kind: Kind = Kind.BUYER_MESSAGE, hours: float = 0, **changes: Any) -> Fact:
    """Return a mail as threads see it, received `hours` after T0."""
    number = changes.pop("id", None) or next(_numbers)
    values: dict[str, Any] = {
        "id": number,
        "key": number,
        "kind": kind,
        "received_at": at(hours),
        "accounts": ("acme",),
        "marketplace": "FR",
        "alias": 1,
    }
    return Fact(**{**values, **changes})


def question(hours: float = 0, **changes: Any) -> Fact:
    """Return a buyer message."""
    return make_fact(Kind.BUYER_MESSAGE, hours, **changes)


def reply(hours: float, **changes: Any) -> Fact:
    """Return a seller's reply from Sent."""
    return make_fact(Kind.SELLER_REPLY, hours, **changes)


def copy(hours: float, **changes: Any) -> Fact:
    """Return a confirmation copy of a reply made in Seller Central: it names no alias."""
    return make_fact(Kind.CONFIRMATION_COPY, hours, **{"alias": None, **changes})


def bounce(hours: float, **changes: Any) -> Fact:
    """Return a delivery failure."""
    return make_fact(Kind.DELIVERY_FAILURE, hours, **changes)


def make_message(kind: Kind = Kind.BUYER_MESSAGE, hours: float = 0, **changes: Any) -> Message:
    """Return a recognised mail, received `hours` after T0."""
    number = next(_numbers)
    values: dict[str, Any] = {
        "kind": kind,
        "received_at": at(hours),
        "marketplace": "FR",
        "order_id": "402-0000001-0000001",
        "alias": "abcdefghij12345@marketplace.amazon.fr",
        "message_id": f"{number}@mail.example",
        "text_digest": f"{number:x}",
        "recipients": ("support@acme.example",),
    }
    if kind is Kind.BUYER_MESSAGE:
        values |= {"message_key": f"m{number}", "thread_token": f"t{number}"}
    return Message(**{**values, **changes})


def spans(clocks: Iterable[Any]) -> list[tuple[float, float | None]]:
    """Return each clock as hours from T0: start and end."""
    return [
        (
            (clock.started_at - T0) / timedelta(hours=1),
            None if clock.closed_at is None else (clock.closed_at - T0) / timedelta(hours=1),
        )
        for clock in clocks
    ]
