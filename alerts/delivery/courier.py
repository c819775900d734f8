"""Carries one delivery through its steps: intent, send, record; or look up, and only then repeat.

Owns the order of the steps and what each failure means. Which delivery is next is the lane's.
"""

import random
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any, TypeVar

import structlog
from sqlalchemy import Connection, Engine, select
from sqlalchemy.exc import DBAPIError

from alerts.core.model import Receipt
from alerts.delivery.checks import record_delivered
from alerts.delivery.claim import Claimed, Passed, claim_again
from alerts.delivery.content import carried_rows, rebuild
from alerts.delivery.lookup import Verdict, after_failed_lookup, is_of_another, postpone_lookup
from alerts.delivery.ports import Checkpoint, Ports, WallClock
from alerts.delivery.record import (
    fail_rows,
    record_doubtful,
    record_failed,
    record_refused,
    record_sent,
    record_undelivered,
)
from alerts.errors import DeliveryError, Reason
from alerts.notifiers.base import Notifier
from alerts.tables import Cause, notification

log = structlog.get_logger(__name__)
_T = TypeVar("_T")

# What `check` raises when the provider could not be asked: it says nothing about the phone.
_COULD_NOT_ASK = (
    Reason.UNREACHABLE,
    Reason.TIMEOUT,
    Reason.RATE_LIMITED,
    Reason.SERVER_ERROR,
    Reason.BAD_CREDENTIALS,
    Reason.BAD_ANSWER,
)
_PROVIDER_IN_TROUBLE = (Reason.UNREACHABLE, Reason.TIMEOUT, Reason.SERVER_ERROR, Reason.RATE_LIMITED, Reason.BAD_ANSWER)
_RECORD_TRIES = 6
_RECORD_PAUSE_SECONDS = 0.05  # doubles


class Courier:
    """The steps of a delivery, with what they need. Used by several lanes at once."""

    def __init__(
        self, engine: Engine, ports: Ports, clock: WallClock, rng: random.Random, checkpoint: Checkpoint
    ) -> None:
        """Touch nothing yet."""
        self._engine = engine
        self._ports = ports
        self._clock = clock
        self._rng = rng
        self._checkpoint = checkpoint
        self._lock = threading.Lock()
        self._pause = threading.Event()  # never set: a wait with a bound
        self._counts: Counter[str] = Counter()
        self._left_over: set[int] = set()

    def take_counts(self) -> Counter[str]:
        """Return what was done since the last call."""
        with self._lock:
            counts, self._counts = self._counts, Counter()
        return counts

    def left_over(self) -> set[int]:
        """Return our own deliveries whose outcome could not be written; `settle_left_over` drops them."""
        with self._lock:
            return set(self._left_over)

    def settle_left_over(self, ids: set[int]) -> None:
        """Drop deliveries that are marked as doubtful by now."""
        with self._lock:
            self._left_over -= ids

    def attempt(self, claimed: Claimed, notifier: Notifier) -> DeliveryError | None:
        """Send what was claimed, record what became of it, and return the error if there was one."""
        self._checkpoint("intent")
        if claimed.lease_ends_at - self._clock() < self._ports.timing.send_bound:
            # Stopped for long between the intent and here: another worker may be looking it up already.
            self._leave_over(claimed)
            return None
        receipt: Receipt | None = None
        error: DeliveryError | None = None
        try:
            receipt = _send(claimed, notifier)
        except DeliveryError as problem:
            error = problem
        self._checkpoint("sent")
        now = self._clock()
        if receipt is not None:
            arrived = receipt
            self._record(claimed, "sent", lambda conn: record_sent(conn, claimed, arrived, self._ports, now))
        elif error is not None:
            self._record_error(claimed, error, now)
        self._checkpoint("recorded")
        return error

    def look_up(self, row: Any, notifier: Notifier) -> DeliveryError | None:
        """Ask the provider about a doubtful delivery; record it as sent, repeat it, or leave it; return the trouble met."""
        now = self._clock()
        with self._engine.begin() as conn:
            item = rebuild(conn, row, self._ports, now)
            if item is None:
                ended = claim_again(conn, row, self._ports, now)
                if isinstance(ended, Passed):
                    self.fail_unreachable(conn, ended, now)
                return None
        asked = Claimed(
            delivery_id=row.id, attempts=row.attempts, lease_ends_at=now, delivery=item, whom=row.whom, page=row.page
        )
        verdict = Verdict.REPEAT
        error: DeliveryError | None = None
        found: Receipt | None = None
        try:
            found = _guarded("find", item, lambda: notifier.find(item))
        except DeliveryError as problem:
            error = problem
            verdict = after_failed_lookup(row, problem, self._ports)
            log.warning("lookup_failed", channel=row.channel, reason=error.reason.value, then=verdict.value)
        self._checkpoint("looked_up")
        now = self._clock()
        if found is not None and self._is_of_another(row, found):
            found = None
        if found is not None:
            receipt = found
            self._record(
                asked,
                "reconciled",
                lambda conn: record_sent(conn, asked, receipt, self._ports, now, outcome="reconciled"),
            )
        elif error is not None and verdict is Verdict.ASK_AGAIN:
            with self._engine.begin() as conn:
                postpone_lookup(conn, asked, row.lookups + 1, error, self._ports, now)
        elif verdict is Verdict.GIVE_UP or row.attempts >= self._ports.timing.max_attempts:
            cause = Cause.UNKNOWN_OUTCOME if verdict is Verdict.GIVE_UP else Cause.GAVE_UP
            said = row.error or ""
            self._record(asked, "failed", lambda conn: record_failed(conn, asked, cause.value, said, self._ports, now))
        else:
            return self._repeat(row, notifier, now)
        return error

    def check(self, row: Any, notifier: Notifier) -> bool:
        """Ask whether an accepted message reached the phone; return True if it did not."""
        try:
            outcome = _guarded("check", row, lambda: notifier.check(Receipt(provider_id=row.provider_id or "")))
        except DeliveryError as error:
            if error.reason in _COULD_NOT_ASK or error.ambiguous:
                log.warning("check_failed", channel=row.channel, reason=error.reason.value)
                return False
            now = self._clock()
            log.warning("not_delivered", receiver=row.receiver, channel=row.channel, reason=error.reason.value)
            with self._engine.begin() as conn:
                record_undelivered(conn, row, error, self._ports, self._rng, now)
            self._count("retried" if error.retryable else "failed")
            return True
        if outcome is not None:
            with self._engine.begin() as conn:
                record_delivered(conn, row.id, self._clock())
        return False

    def fail_unreachable(self, conn: Connection, passed: Passed, now: datetime) -> None:
        """Fail the rows that the configuration has no address for any more."""
        if passed.unreachable:
            rows = conn.execute(select(notification).where(notification.c.id.in_(passed.unreachable))).all()
            fail_rows(conn, rows, Cause.NO_ADDRESS.value, self._ports, now)
            self._count("failed")

    def _is_of_another(self, row: Any, found: Receipt) -> bool:
        with self._engine.connect().execution_options(read_only=True) as conn:
            return is_of_another(conn, row, found.provider_id)

    def _repeat(self, row: Any, notifier: Notifier, now: datetime) -> DeliveryError | None:
        with self._engine.begin() as conn:
            again = claim_again(conn, row, self._ports, now)
            if isinstance(again, Passed):
                self.fail_unreachable(conn, again, now)
                return None
            for sent_again in carried_rows(conn, again.delivery_id):
                self._ports.record_outcome(conn, sent_again.receiver, sent_again.channel, "retried")
        self._count("retried")
        return self.attempt(again, notifier)

    def _record_error(self, claimed: Claimed, error: DeliveryError, now: datetime) -> None:
        doubtful = error.retryable and error.ambiguous
        log.warning(
            "delivery_failed",
            receiver=claimed.delivery.receiver,
            channel=claimed.delivery.channel.value,
            reason=error.reason.value,
            attempt=claimed.attempts,
            doubtful=doubtful,
            error=str(error),
        )
        if doubtful:
            self._record(claimed, "doubtful", lambda conn: record_doubtful(conn, claimed, error, self._ports, now))
            return
        self._record(
            claimed,
            "retried" if error.retryable else "failed",
            lambda conn: record_refused(conn, claimed, error, self._ports, self._rng, now),
        )

    def _record(self, claimed: Claimed, what: str, write: Callable[[Connection], bool]) -> None:
        """Write an outcome; the database may be busy for a moment, and what cannot be written is looked up later."""
        for tries in range(_RECORD_TRIES):
            try:
                with self._engine.begin() as conn:
                    if write(conn):
                        self._count(what)
                return
            except DBAPIError:
                if tries == _RECORD_TRIES - 1:
                    self._leave_over(claimed)
                    raise
            except Exception:
                self._leave_over(claimed)  # a bug of ours; without this nobody would look at it until a restart
                raise
            self._pause.wait(_RECORD_PAUSE_SECONDS * 2**tries)

    def _leave_over(self, claimed: Claimed) -> None:
        with self._lock:
            self._left_over.add(claimed.delivery_id)

    def _count(self, what: str) -> None:
        with self._lock:
            self._counts[what] += 1


def is_in_trouble(error: DeliveryError | None) -> bool:
    """Return whether an error says that the provider, and not this one message, is in trouble."""
    return error is not None and error.reason in _PROVIDER_IN_TROUBLE


def _send(claimed: Claimed, notifier: Notifier) -> Receipt:
    item = claimed.delivery
    try:
        return _guarded("send", item, lambda: notifier.send(item))
    except DeliveryError as error:
        if error.reason != Reason.GONE or item.post is None or error.ambiguous:
            raise
    # The message that was to be changed in place is gone. Nothing was accepted, so a new one is safe.
    return _guarded("send", item, lambda: notifier.send(replace(item, post=None)))


def _guarded(step: str, item: Any, call: Callable[[], _T]) -> _T:
    """Return what the notifier returns; a bug in it becomes a doubtful outcome, so that no row is stuck or lost.

    `item`: the delivery, or its row: who is told in the error, and by which channel.
    """
    try:
        return call()
    except DeliveryError:
        raise
    except Exception as error:
        log.error("notifier_broke", channel=str(item.channel), step=step, error=type(error).__name__)
        raise DeliveryError(
            f"{item.channel} receiver {item.receiver!r}: {step} stopped with {type(error).__name__}. "
            "This is a bug; see the log.",
            retryable=True,
            ambiguous=True,
            reason=Reason.BAD_ANSWER,
        ) from error
