"""Stand-ins inside the process for delivering alerts: a notifier that fails on demand, and the ports around it."""

import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Column, ColumnElement, Connection, Integer, MetaData, Table, exists

from alerts.core.model import Channel, Delivery, Notification, Post, Purpose, Receipt, ThreadFacts
from alerts.delivery.ports import Address, Target
from alerts.errors import DeliveryError, Reason

START = datetime(2026, 11, 21, 1, 38, tzinfo=UTC)

open_clock = Table(
    "open_clock", MetaData(), Column("id", Integer, primary_key=True, autoincrement=False), Column("wanted", Integer)
)
"""Stands for the monitor's clocks: a row with `wanted` 1 is open and nobody has it."""


def still_wanted(columns: Any) -> ColumnElement[bool]:
    """Return SQL that is true while the notification's clock is open in `open_clock`."""
    return exists().where(open_clock.c.id == columns.clock_id, open_clock.c.wanted == 1)


class MovableClock:
    """A wall clock that only moves when it is told to."""

    def __init__(self, now: datetime = START) -> None:
        """Stand at `now`."""
        self.now = now

    def __call__(self) -> datetime:
        """Return the instant."""
        return self.now

    def advance(self, **by: float) -> datetime:
        """Move by a timedelta's arguments and return the new instant."""
        self.now += timedelta(**by)
        return self.now


def refusal(
    reason: Reason = Reason.SERVER_ERROR, *, retryable: bool = True, retry_after: timedelta | None = None
) -> DeliveryError:
    """Return an error that says: certainly not accepted."""
    return DeliveryError(f"stand-in: {reason}", retryable=retryable, reason=reason, retry_after=retry_after)


def doubt(reason: Reason = Reason.TIMEOUT, *, retry_after: timedelta | None = None) -> DeliveryError:
    """Return an error that says: perhaps accepted."""
    return DeliveryError(f"stand-in: {reason}", retryable=True, ambiguous=True, reason=reason, retry_after=retry_after)


@dataclass
class RecordingNotifier:
    """Accepts everything and remembers it, unless a fault is scripted.

    Attributes:
        accepted: what stands at the provider, in order.
        before: errors raised instead of accepting, one a send. after: errors raised although it was accepted.
        find_errors, check_outcomes: what the next look-ups and checks raise or return.
        gate: while it is set, `send` waits for `open_gate`.
    """

    channel: Channel = Channel.SLACK
    accepted: list[Delivery] = field(default_factory=list)
    attempts: list[Delivery] = field(default_factory=list)
    before: deque[Exception | None] = field(default_factory=deque)
    after: deque[Exception | None] = field(default_factory=deque)
    find_errors: deque[DeliveryError] = field(default_factory=deque)
    check_outcomes: deque[Exception | str | None] = field(default_factory=deque)
    looked_up: list[str] = field(default_factory=list)
    refused_addresses: dict[str, DeliveryError] = field(default_factory=dict)
    gate: threading.Event | None = None
    entered: threading.Event = field(default_factory=threading.Event)
    on_send: Callable[[Delivery], None] | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def send(self, delivery: Delivery) -> Receipt:
        """Accept, or fail as scripted."""
        self.entered.set()
        if self.gate is not None and not self.gate.wait(20):
            raise AssertionError("the gate was never opened")
        with self._lock:
            self.attempts.append(delivery)
            if self.on_send is not None:
                self.on_send(delivery)
            if delivery.address in self.refused_addresses:
                raise self.refused_addresses[delivery.address]
            problem = self.before.popleft() if self.before else None
            if problem is not None:
                raise problem
            self.accepted.append(delivery)
            lost = self.after.popleft() if self.after else None
            if lost is not None:
                raise lost
            return self._receipt(delivery)

    def find(self, delivery: Delivery) -> Receipt | None:
        """Return the receipt of what was accepted under this reference."""
        with self._lock:
            self.looked_up.append(delivery.reference)
            if self.find_errors:
                raise self.find_errors.popleft()
            found = next((item for item in self.accepted if item.reference == delivery.reference), None)
            return None if found is None else self._receipt(found)

    def check(self, receipt: Receipt) -> str | None:
        """Return or raise the next scripted outcome; "delivered" when none is."""
        with self._lock:
            outcome = self.check_outcomes.popleft() if self.check_outcomes else "delivered"
            if isinstance(outcome, Exception):
                raise outcome
            return outcome

    def _receipt(self, delivery: Delivery) -> Receipt:
        if self.channel != Channel.SLACK or not delivery.threads:
            return Receipt(provider_id=f"SM{delivery.reference}")
        post = delivery.post or Post(channel=delivery.address, message=f"ts-{delivery.reference[:8]}")
        return Receipt(provider_id=post.message, post=post)


@dataclass
class FakeDirectory:
    """Everybody has an address made of their name, except those who `moved_away`."""

    moved_away: set[str] = field(default_factory=set)
    successors: dict[str, list[Target]] = field(default_factory=dict)
    health: list[Target] = field(default_factory=list)

    def address_of(self, receiver: str, channel: Channel, person: str | None) -> Address | None:
        """Return the address."""
        name = person or receiver
        return None if name in self.moved_away else Address(address=f"{channel}:{name}")

    def next_after(self, failed: Notification, now: datetime) -> Sequence[Target]:
        """Return the successors of the failed receiver."""
        return self.successors.get(failed.receiver, [])

    def health_targets(self, now: datetime) -> Sequence[Target]:
        """Return who hears of ReplyBy's own troubles."""
        return self.health


@dataclass
class FakeThreads:
    """The threads that notifications are about: facts by clock id; thread n has clock n unless said otherwise."""

    facts: dict[int, ThreadFacts] = field(default_factory=dict)

    def add(self, clock_id: int, *, thread_id: int | None = None, **changes: Any) -> ThreadFacts:
        """Add a clock that started 22 h 28 min before START, later ones a minute later each, and return its facts."""
        values: dict[str, Any] = {
            "thread_id": clock_id if thread_id is None else thread_id,
            "clock_id": clock_id,
            "started_at": START - timedelta(hours=22, minutes=28) + timedelta(minutes=clock_id % 60),
            "deadline_at": START + timedelta(hours=1, minutes=32) + timedelta(minutes=clock_id % 60),
            "state": "at_risk",
            "marketplace": "FR",
            "order_id": f"402-{clock_id:07d}-1234567",
        }
        self.facts[clock_id] = ThreadFacts(**(values | changes))
        return self.facts[clock_id]

    def load(self, conn: Connection, clock_ids: Sequence[int], now: datetime) -> Mapping[int, ThreadFacts]:
        """Return the facts of these clocks."""
        return {clock_id: self.facts[clock_id] for clock_id in clock_ids if clock_id in self.facts}


def make_alert(
    clock_id: int = 1,
    *,
    receiver: str = "team",
    channel: Channel = Channel.SLACK,
    person: str | None = None,
    step: int = 0,
    occurrence: int = 0,
    **changes: Any,
) -> Notification:
    """Return an alert about a clock, due at START; a page unless it goes to Slack."""
    values: dict[str, Any] = {
        "key": f"alert:{clock_id}:{step}:{receiver}:{person or '-'}:{channel}:{occurrence}",
        "purpose": Purpose.ALERT,
        "receiver": receiver,
        "channel": channel,
        "person": person,
        "due_at": START,
        "thread_id": clock_id,
        "clock_id": clock_id,
        "step": step,
        "occurrence": occurrence,
        "page": channel != Channel.SLACK,
    }
    return Notification(**(values | changes))


def make_page(clock_id: int = 1, person: str = "Ana", receiver: str = "oncall-sms", **changes: Any) -> Notification:
    """Return an alert about a clock by SMS to one person."""
    return make_alert(clock_id, **{"receiver": receiver, "channel": Channel.SMS, "person": person} | changes)


def make_news(purpose: Purpose, clock_id: int = 1, **changes: Any) -> Notification:
    """Return an update, an end or a reopening about a clock."""
    number = changes.pop("number", 0)
    alert = make_alert(clock_id, **{"page": False} | changes)
    whom = f"{alert.receiver}:{alert.person or '-'}:{alert.channel}"
    values = {name: getattr(alert, name) for name in alert.__dataclass_fields__}
    return Notification(**(values | {"key": f"{purpose}:{clock_id}:{whom}:{number}", "purpose": purpose, "step": None}))
