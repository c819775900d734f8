"""The whole worker in this process, on a clock moved by hand: real store, real dispatcher, Slack and Twilio as stand-ins.

Nothing waits for time: `pass_time` moves the clock in steps and does at each what the worker's tick would do.
"""

from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from prometheus_client import CollectorRegistry
from structlog.testing import capture_logs

from alerts.outbox import next_due_at
from monitor.bootstrap import build_recognisers, build_services, build_worker, program_version
from monitor.config.loader import load_config
from monitor.core.messages import Where
from monitor.errors import ReplyByError
from monitor.jobs.services import Services
from monitor.jobs.showing import Shown, metric_names
from monitor.jobs.watch import watch_health
from monitor.metrics.export import build_registry
from monitor.store.engine import reading
from monitor.store.opening import open_store
from monitor.worker import Worker
from tests.fakes import FakeWallClock, MemoryMailbox
from tests.support.mails import buyer_mail, seller_reply
from tests.support.slack_server import SlackServer
from tests.support.twilio_server import TwilioServer
from tests.support.worker_process import STEPS

SMALL_STEP = timedelta(seconds=2)
Log = list[MutableMapping[str, Any]]


def render_small_config(slack: SlackServer, twilio: TwilioServer, *, database: str, more: str = "") -> str:
    """Return a configuration of one mailbox, a team in Slack and a phone."""
    return f"""
[worker]
database = "{database}"
time_zone = "Europe/Paris"
{more}

[[account]]
name = "acme-eu"
notified_at = ["support@acme.example"]
reply_from = ["support@acme.example"]

[[mailbox]]
name = "support"
type = "imap"
host = "127.0.0.1"
security = "none"
username = "support@acme.example"
password = "env:TEST_IMAP_PASSWORD"

[slack]
bot_token = "{slack.bot_token}"
app_token = "{slack.app_token}"
api_url = "{slack.api_url}"
timeout = "4s"

[twilio]
account_sid = "{twilio.account_sid}"
auth_token = "{twilio.auth_token}"
from = "+15005550006"
api_url = "{twilio.base_url}"
timeout = "4s"

[[person]]
name = "Ana"
phone = "+447700900123"
slack_user = "U0123"

[[receiver]]
name = "team"
type = "slack"
channel = "C0123"

[[receiver]]
name = "oncall-sms"
type = "sms"
to = ["Ana"]
{STEPS}"""


@dataclass
class SmallWorld:
    """A worker and its surroundings. `log` is what it logged."""

    clock: FakeWallClock
    mailbox: MemoryMailbox
    slack: SlackServer
    twilio: TwilioServer
    services: Services
    worker: Worker
    log: Log
    errors: list[str] = field(default_factory=list)
    polls_every: timedelta = timedelta(seconds=60)
    _polled_at: datetime | None = None
    _registry: CollectorRegistry | None = None

    def tick(self) -> None:
        """Do once what the worker does each second, and poll when that is due; a job that raises is kept in `errors`."""
        now = self.clock()
        if self._polled_at is None or abs(now - self._polled_at) >= self.polls_every:
            self._polled_at = now
            self._job(lambda: self.worker.poll("support"))
            self._job(lambda: watch_health(self.services, self.worker.book))
        self._job(self._settle)
        self._job(self.worker.cycle)
        self._job(self._settle)  # what a provider still thinks about ends before the clock moves on
        self._job(lambda: self.worker.dispatcher.check_delivered(self.clock()))

    def _settle(self) -> None:
        self.worker.dispatcher.reconcile(self.clock(), wait_seconds=60)

    def _job(self, run: Any) -> None:
        try:
            self.worker.guarded(run)
        except ReplyByError as error:
            self.errors.append(str(error))

    def pass_time(self, span: timedelta, step: timedelta = timedelta(seconds=5)) -> None:
        """Move the clock on in steps, ticking at each; in small ones while something is due (Slack takes one a second)."""
        until = self.clock() + span
        while self.clock() < until:
            self.clock.advance(min(step, until - self.clock()))
            self.tick()
            for _ in range(60):
                if step <= SMALL_STEP or not self._is_due():
                    break
                self.clock.advance(SMALL_STEP)
                self.tick()

    def _is_due(self) -> bool:
        with reading(self.services.engine) as connection:
            at = next_due_at(connection)
        return at is not None and at <= self.clock() + SMALL_STEP * 2

    def buyer_writes(self, sent_at: datetime | None = None, **options: Any) -> None:
        """Deliver a buyer message, sent now unless `sent_at` says when."""
        at = sent_at or self.clock()
        self.mailbox.deliver(buyer_mail(at, **options), at)

    def seller_replies(self, sent_at: datetime | None = None, **options: Any) -> None:
        """Put a reply into Sent."""
        at = sent_at or self.clock()
        self.mailbox.deliver(seller_reply(at, **options), at, Where.SENT)

    def texts(self) -> list[str]:
        """Return the notification lines of all of Slack's messages, replies in threads included."""
        return [str(message["text"]) for message in self.slack.all_messages()]

    def metric(self, name: str, **labels: str) -> float:
        """Return the sum of a metric's samples with these labels, as a scrape would read it now."""
        if self._registry is None:
            shown = Shown(self.services, lambda: self.worker.last_cycle_at)
            names = metric_names(self.services, program_version())
            self._registry = build_registry(shown.read_snapshot, names, self.worker.polls)
        return sum(
            sample.value
            for family in self._registry.collect()
            for sample in family.samples
            if sample.name == name and all(sample.labels.get(key) == value for key, value in labels.items())
        )

    def logged(self, event: str, **values: Any) -> bool:
        """Return whether such a line was logged."""
        return any(
            line["event"] == event and all(line.get(key) == value for key, value in values.items()) for line in self.log
        )


@contextmanager
def small_world(
    folder: Path, *, database: str = "sqlite:///replyby.db", more: str = "", start: datetime | None = None
) -> Iterator[SmallWorld]:
    """Give a worker on an empty database; `more` stands under [worker]."""
    clock = FakeWallClock() if start is None else FakeWallClock(start)
    with SlackServer(clock=clock) as slack, TwilioServer(clock=clock) as twilio, capture_logs() as log:
        (folder / "config.toml").write_text(render_small_config(slack, twilio, database=database, more=more))
        world = open_world(folder, clock, slack, twilio, log, MemoryMailbox(idle=False))
        try:
            yield world
        finally:
            world.worker.dispatcher.stop(5)
            world.services.engine.dispose()


def open_world(
    folder: Path, clock: FakeWallClock, slack: SlackServer, twilio: TwilioServer, log: Log, mailbox: MemoryMailbox
) -> SmallWorld:
    """Build a worker on the configuration in `folder`, as a start does."""
    config = load_config(folder / "config.toml", {"TEST_IMAP_PASSWORD": "secret-imap-password"})
    store = open_store(config, clock)
    services = build_services(config, store, now=clock, as_worker=True)
    authserv: dict[str, str] = {}
    services = replace(
        services, sources={"support": mailbox}, recognise=build_recognisers(config, authserv), authserv=authserv
    )
    return SmallWorld(clock, mailbox, slack, twilio, services, build_worker(services), log)


def restarted(world: SmallWorld, folder: Path) -> SmallWorld:
    """Return the world with a new worker on the same database, as after a stop."""
    world.worker.dispatcher.stop(5)
    world.services.engine.dispose()
    return open_world(folder, world.clock, world.slack, world.twilio, world.log, world.mailbox)
