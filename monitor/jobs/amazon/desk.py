"""Asking Amazon one thing at a time: within its rate, counted, and with a pause of the whole account while nothing answers.

Owns the rows `rate:…` (when the next call of an operation is allowed), `account:…` (until when the account is left alone),
`trouble:…` (since when nothing comes of what is asked) and `credentials:…` (a keyed hash of them). No transaction is open
while Amazon is waited for.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, TypeVar

import structlog
from sqlalchemy import Connection

from alerts.delivery.retry import backoff
from monitor.config.model import AccountConfig
from monitor.core.marketplaces import region_of
from monitor.errors import AmazonError
from monitor.jobs.services import Services
from monitor.spapi.rates import USAGE_PLANS, RateLimit, after_call, after_refusal, allowed_at
from monitor.store.amazon import Task, delete_tasks, read_task, read_tasks, record_task
from monitor.store.engine import reading, writing
from monitor.store.tallies import Tallies

if TYPE_CHECKING:
    from monitor.spapi.client import AmazonClient, Answered

log = structlog.get_logger(__name__)

ACCOUNT_REASONS = frozenset({"login", "unreachable", "timeout"})
"""What is wrong with these is wrong with every call: the account is left alone, and no single task is given up for it."""

ACCOUNT_FIRST, ACCOUNT_LONGEST = timedelta(seconds=30), timedelta(minutes=15)
LOGIN_FIRST, LOGIN_LONGEST = timedelta(minutes=5), timedelta(hours=6)
THROTTLED_FIRST, THROTTLED_LONGEST = timedelta(minutes=1), timedelta(hours=1)
ROLE_FIRST, ROLE_LONGEST = timedelta(minutes=10), timedelta(hours=24)
RETRY_FIRST, RETRY_LONGEST = timedelta(minutes=1), timedelta(hours=2)

T = TypeVar("T")


class NotYet(Exception):
    """Amazon may not be asked before `at`; nothing went wrong."""

    def __init__(self, at: datetime) -> None:
        """Keep the instant."""
        self.at = at
        super().__init__(at.isoformat())


@dataclass(kw_only=True)
class Desk:
    """What asks for one account. `rng` spreads retries; not for two threads at a time."""

    services: Services
    account: AccountConfig
    client: "AmazonClient"
    rng: random.Random = field(default_factory=random.SystemRandom)
    _noticed: bool = False

    @property
    def name(self) -> str:
        """The account's name."""
        return self.account.name

    def notice_new_credentials(self) -> None:
        """Let go of every pause and refusal that stands from other credentials or addresses: somebody mended something.

        Looked at once in a process: the configuration stays as it was read.
        """
        settings = self.account.sp_api
        if self._noticed or settings is None:
            return
        secrets = (settings.refresh_token, settings.lwa_app_id, settings.lwa_client_secret)
        places = (settings.endpoint, settings.auth_endpoint, region_of(settings.marketplaces[0]) or "")
        mark = str(self.services.hasher.number("amazon_credentials", *secrets, *places))
        key = f"credentials:{self.name}"
        with writing(self.services.engine) as connection:
            known = read_task(connection, key)
            if known is not None and known.body.get("mark") != mark:
                reports = read_tasks(connection, f"report:{self.name}:")
                past = {one for one, task in reports.items() if task.state == "given_up"} | {self._account_key}
                for group in ("order", "rate", "trouble"):
                    past |= read_tasks(connection, f"{group}:{self.name}:").keys()
                delete_tasks(connection, past)
            record_task(connection, Task(key=key, state="known", body={"mark": mark}))
        self._noticed = True

    def paused_until(self) -> datetime | None:
        """Return until when the account is left alone, None if it may be asked now."""
        with reading(self.services.engine) as connection:
            task = read_task(connection, self._account_key)
        if task is None or task.next_at is None or task.next_at <= self.services.utc_now():
            return None
        # The longest pause is known: a later instant was stored before the system clock was set back.
        return None if task.next_at > self.services.utc_now() + 2 * LOGIN_LONGEST else task.next_at

    def await_turn(self, operation: str) -> None:
        """Return if this operation may be called now.

        Raises:
            NotYet: its rate is used up, or Amazon asked for a pause.
        """
        now = self.services.utc_now()
        with reading(self.services.engine) as connection:
            limit, task = self._limit(connection, operation)
        at = allowed_at(limit, task.next_at, now, refused=task.attempts > 0)
        if at > now:
            raise NotYet(at)

    def ask(self, operation: str, run: Callable[[], "Answered[T]"]) -> T:
        """Make a call and return what it brought; what became of it is counted and stored.

        Raises:
            NotYet: not allowed yet; nothing was asked.
            AmazonError: it failed.
        """
        self.await_turn(operation)
        try:
            answer = run()
        except AmazonError as error:
            self._record(operation, error.reason, error.rate, error)
            raise
        self._record(operation, "ok", answer.rate, None)
        return answer.value

    def fetch(self, operation: str, run: Callable[[], T]) -> T:
        """Do the same for what has no rate: a document lies outside the API.

        Raises:
            AmazonError: it failed.
        """
        try:
            value = run()
        except AmazonError as error:
            self._record(operation, error.reason, None, error)
            raise
        self._record(operation, "ok", None, None)
        return value

    def retry_at(self, task: Task, error: AmazonError) -> datetime:
        """Return when to try a task again after one more failure; a pause that Amazon asked for is kept."""
        longest = ACCOUNT_LONGEST if error.reason in ACCOUNT_REASONS else RETRY_LONGEST  # the account waits anyway
        pause = backoff(RETRY_FIRST, longest, task.attempts)
        if error.retry_after is not None:
            pause = max(pause, error.retry_after)
        return self.services.utc_now() + self.spread(pause)

    def spread(self, pause: timedelta) -> timedelta:
        """Return a pause with up to a quarter more, so that what failed together does not come back together."""
        return pause * (1 + self.rng.random() / 4)

    def count_end(self, connection: Connection, task: str, outcome: str) -> None:
        """Count how a report or an order ended, in the transaction that stores it."""
        tallies = Tallies()
        tallies.add("amazon_tasks", self.name, task, outcome)
        tallies.save(connection)

    def note_trouble(self, connection: Connection, group: str, error: AmazonError) -> None:
        """Store that nothing came of asking for reports or orders; since when is kept."""
        key = f"trouble:{self.name}:{group}"
        known = read_task(connection, key)
        since = known.body.get("since") if known is not None else self.services.utc_now().isoformat()
        body = {"since": since, "problem": str(error)}
        attempts = 1 if known is None else known.attempts + 1
        record_task(connection, Task(key=key, state=error.reason, attempts=attempts, body=body))

    def clear_trouble(self, connection: Connection, group: str) -> None:
        """Store that something came."""
        delete_tasks(connection, [f"trouble:{self.name}:{group}"])

    @property
    def _account_key(self) -> str:
        return f"account:{self.name}"

    def _limit(self, connection: Connection, operation: str) -> tuple[RateLimit, Task]:
        key = f"rate:{self.name}:{operation}"
        task = read_task(connection, key) or Task(key=key, state="open")
        plan = USAGE_PLANS[operation]
        return RateLimit(float(task.body.get("per_second", plan.per_second)), plan.burst), task

    def _record(self, operation: str, outcome: str, rate: float | None, error: AmazonError | None) -> None:
        now = self.services.utc_now()
        tallies = Tallies()
        tallies.add("amazon_calls", self.name, operation, outcome)
        with writing(self.services.engine) as connection:
            tallies.save(connection)
            if operation in USAGE_PLANS:
                self._record_rate(connection, operation, rate, error, now)
            self._record_account(connection, error, now)
        if error is not None:
            log.warning(
                "Amazon did not answer as needed",
                account=self.name,
                operation=operation,
                reason=error.reason,
                problem=str(error),
            )

    def _record_rate(
        self, connection: Connection, operation: str, rate: float | None, error: AmazonError | None, now: datetime
    ) -> None:
        limit, task = self._limit(connection, operation)
        body = dict(task.body)
        if rate is not None:
            body["per_second"] = rate
            limit = RateLimit(rate, limit.burst)
        attempts, full_at = 0, after_call(limit, task.next_at, now)
        if error is not None and error.reason in ("throttled", "role"):
            attempts = task.attempts + 1
            first, longest = (
                (THROTTLED_FIRST, THROTTLED_LONGEST) if error.reason == "throttled" else (ROLE_FIRST, ROLE_LONGEST)
            )
            pause = error.retry_after or self.spread(backoff(first, longest, attempts))
            full_at = after_refusal(limit, now, pause)
        record_task(connection, Task(key=task.key, state="open", next_at=full_at, attempts=attempts, body=body))

    def _record_account(self, connection: Connection, error: AmazonError | None, now: datetime) -> None:
        known = read_task(connection, self._account_key)
        if error is None or error.reason not in ACCOUNT_REASONS:
            if known is not None:
                delete_tasks(connection, [self._account_key])
            return
        attempts = 1 if known is None else known.attempts + 1
        login = error.reason == "login"
        first, longest = (LOGIN_FIRST, LOGIN_LONGEST) if login else (ACCOUNT_FIRST, ACCOUNT_LONGEST)
        next_at = now + self.spread(backoff(first, longest, attempts))
        record_task(connection, Task(key=self._account_key, state="paused", next_at=next_at, attempts=attempts))
