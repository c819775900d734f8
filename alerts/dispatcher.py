"""Sends what stands in the outbox: claim, write the intent, send, record.

Owns the lanes: one for each channel, so that a provider that hangs delays no other. A retry is a stored instant, never a
sleep; an outcome that nobody knows is looked up before anything is repeated. Plans nothing, renders nothing.
"""

import random
import threading
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

import structlog
from sqlalchemy import Engine, select

from alerts.core.model import Channel
from alerts.delivery.checks import take_check
from alerts.delivery.claim import Claimed, Passed, claim_next
from alerts.delivery.courier import Courier, is_in_trouble
from alerts.delivery.lanes import Lanes
from alerts.delivery.lookup import mark_orphans, pull_in, take_doubtful
from alerts.delivery.ports import Checkpoint, Ports, WallClock, ignore_checkpoint
from alerts.errors import DeliveryError, Reason
from alerts.notifiers.base import Notifier
from alerts.tables import OWNER_LENGTH, DeliveryStatus, NotificationStatus, delivery, notification

log = structlog.get_logger(__name__)

_LONGEST_PAUSE = timedelta(seconds=1.5)  # a lane waits no longer for an address that was just written to


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliverySummary:
    """What one call did, in messages. `busy`: channels whose lane still works; the next summary counts what it does."""

    sent: int = 0
    reconciled: int = 0
    retried: int = 0
    doubtful: int = 0
    failed: int = 0
    busy: tuple[Channel, ...] = ()


class Dispatcher:
    """Delivers what is due, channel by channel, effectively once."""

    def __init__(
        self,
        engine: Engine,
        notifiers: Mapping[Channel, Notifier],
        ports: Ports,
        clock: WallClock,
        *,
        rng: random.Random | None = None,
        alone: bool = True,
        checkpoint: Checkpoint = ignore_checkpoint,
        holds: object = None,
    ) -> None:
        """Touch nothing yet.

        Args:
            engine: its transactions may write; `read_only` among a connection's execution options says that one will not.
            notifiers: rows of a channel without one wait.
            ports: what is known and allowed; its `owner` is unique to this process.
            clock: asked between the steps of a send, which takes real time.
            rng: for the jitter of retries.
            alone: every other process of this lineage has ended: what they left under way is an orphan at the first
                `reconcile`, and not only when its lease ends.
            checkpoint: for tests; called with "claimed" (inside the transaction), "intent", "sent", "recorded" and "looked_up".
            holds: what must stay open as long as this sends.
        """
        self._engine = engine
        self._notifiers = notifiers
        self._ports = ports
        self._clock = clock
        self._alone = alone
        self._checkpoint = checkpoint
        self._holds = holds
        self._courier = Courier(engine, ports, clock, rng or random.Random(), checkpoint)  # noqa: S311  jitter
        self._lanes = Lanes()
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._last_reconciled_at: datetime | None = None
        self._rests: dict[tuple[Channel, str], tuple[datetime, datetime]] = {}

    def reconcile(self, now: datetime, wait_seconds: float = 5.0) -> DeliverySummary:
        """Find what a crash left under way and look up what is doubtful; at start and regularly.

        Found: recorded as sent. Not found: sent again with the same reference and code. The provider cannot be asked: a page
        is sent again, a notice ends as failed with the reason `unknown_outcome`.
        """
        left_over = self._courier.left_over()
        started = self._last_reconciled_at is None
        # Only a clock set back, before or during our life, puts instants out of reach.
        set_back = self._last_reconciled_at is None or now < self._last_reconciled_at
        with self._engine.begin() as conn:
            # Later a foreign delivery may be a shell command's, under way at this moment: its lease protects it.
            orphans = mark_orphans(conn, self._ports, left_over, alone=self._alone and started, now=now)
            pulled_in = pull_in(conn, self._ports, now) if set_back else 0
        self._last_reconciled_at = now
        self._courier.settle_left_over(left_over)
        if orphans or pulled_in:
            log.warning("deliveries_to_reconcile", orphans=orphans, pulled_in=pulled_in)
        return self._run(now, wait_seconds, sends=False)

    def deliver_due(self, now: datetime, wait_seconds: float = 5.0) -> DeliverySummary:
        """Send what is due and return what was done within `wait_seconds`; a lane that is still busy goes on by itself.

        Raises:
            sqlalchemy.exc.DBAPIError: the database failed. Nothing is lost; what was under way is looked up.
        """
        return self._run(now, wait_seconds, sends=True)

    def check_delivered(self, now: datetime, most: int = 50) -> int:
        """Ask whether accepted SMS arrived and calls were taken; return how many did not. They are tried again or handed on."""
        undelivered = 0
        for channel, notifier in self._notifiers.items():
            for _ in range(most):
                if self._stop.is_set() or not self._has_check(channel, now):
                    break
                with self._engine.begin() as conn:
                    row = take_check(conn, channel, self._ports, now)
                if row is not None and self._courier.check(row, notifier):
                    undelivered += 1
        return undelivered

    def stop(self, wait_seconds: float = 8.0) -> bool:
        """Begin nothing new and wait for what is being sent; return whether all of it was recorded."""
        self._stop.set()
        return not self._lanes.wait(wait_seconds)

    def _run(self, now: datetime, wait_seconds: float, *, sends: bool) -> DeliverySummary:
        for channel in self._channels_with_work(now, sends=sends):
            self._lanes.start(channel, partial(self._lane, channel, sends=sends))
        busy = self._lanes.wait(wait_seconds)
        return DeliverySummary(busy=busy, **self._courier.take_counts())

    def _channels_with_work(self, now: datetime, *, sends: bool) -> list[Channel]:
        found = select(delivery.c.channel).where(
            delivery.c.status == DeliveryStatus.DOUBTFUL, delivery.c.next_attempt_at <= now
        )
        due = select(notification.c.channel).where(
            notification.c.status == NotificationStatus.PENDING, notification.c.next_attempt_at <= now
        )
        with self._engine.connect().execution_options(read_only=True) as conn:
            names = set(conn.scalars(found.distinct())) | (set(conn.scalars(due.distinct())) if sends else set())
        return [channel for channel in self._notifiers if channel.value in names]

    def _lane(self, channel: Channel, *, sends: bool) -> None:
        """Work off one channel until nothing is due, its provider is in trouble or the worker stops."""
        notifier = self._notifiers[channel]
        troubles = 0
        while not self._stop.is_set() and troubles < self._ports.timing.give_lane_up:
            now = self._clock()
            resting = self._resting(channel, now)
            step: Claimed | Passed | None = None
            with self._engine.begin() as conn:
                doubtful = take_doubtful(conn, channel, self._ports, now)
                if doubtful is None and sends:
                    step = claim_next(conn, channel, self._ports, set(resting), now)
                if isinstance(step, Passed):
                    self._courier.fail_unreachable(conn, step, now)
                elif step is not None:
                    self._checkpoint("claimed")
            if doubtful is not None:
                error = self._courier.look_up(doubtful, notifier)
            elif isinstance(step, Claimed):
                error = self._courier.attempt(step, notifier)
                self._rest(channel, step.whom, error)
            elif step is not None or self._waited_for_rest(channel, resting, now):
                continue
            else:
                return
            troubles = troubles + 1 if is_in_trouble(error) else 0

    def _rest(self, channel: Channel, whom: str, error: DeliveryError | None) -> None:
        """Leave this address alone for as long as its provider asks."""
        pause = self._ports.timing.spacing.get(channel, timedelta(0))
        if error is not None and error.reason == Reason.RATE_LIMITED and error.retry_after is not None:
            pause = max(pause, min(error.retry_after, self._ports.timing.longest_wait))
        now = self._clock()
        with self._lock:
            self._rests[(channel, whom)] = (now, now + pause)

    def _resting(self, channel: Channel, now: datetime) -> dict[str, datetime]:
        """Return who may not be written to yet, and until when. A clock set back ends every rest."""
        with self._lock:
            return {
                whom: until
                for (of, whom), (since, until) in self._rests.items()
                if of == channel and since <= now < until
            }

    def _waited_for_rest(self, channel: Channel, resting: Mapping[str, datetime], now: datetime) -> bool:
        """Wait for the first address whose rest ends soon; return False when nobody who rests soon has anything due."""
        soon = {whom: until for whom, until in resting.items() if until - now <= _LONGEST_PAUSE}
        if not soon:
            return False
        waiting = select(notification.c.id).where(
            notification.c.channel == channel.value,
            notification.c.status == NotificationStatus.PENDING,
            notification.c.next_attempt_at <= now,
            notification.c.whom.in_(soon),
        )
        with self._engine.connect().execution_options(read_only=True) as conn:
            if conn.execute(waiting.limit(1)).first() is None:
                return False
        self._stop.wait((min(soon.values()) - now).total_seconds())
        return self._clock() > now  # a clock that stands still would keep the lane here for ever

    def _has_check(self, channel: Channel, now: datetime) -> bool:
        due = select(delivery.c.id).where(
            delivery.c.channel == channel.value,
            delivery.c.status == DeliveryStatus.SENT,
            delivery.c.check_at <= now,
        )
        with self._engine.connect().execution_options(read_only=True) as conn:
            return conn.execute(due.limit(1)).first() is not None


def new_owner(lineage: str = "") -> str:
    """Return a name for this process that no other has had; it begins with its lineage."""
    return (lineage + uuid.uuid4().hex)[:OWNER_LENGTH]
