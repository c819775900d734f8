"""A delivering worker in a process of its own, to be killed: `python -m tests.support.chaos_worker OPTIONS`.

The first process imports everything once and then forks a worker for each line "start" on its standard input, printing the
worker's process id, so that fifty lives cost no fifty start-ups. Workers end with it.
"""

import json
import os
import signal
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from pathlib import Path

import structlog
from sqlalchemy import Connection, Engine, create_engine, select, update

from alerts.core.model import Channel, Delivery, Notification, Receipt, ThreadFacts
from alerts.delivery.ports import Address, Ports, Target, Timing, never_hold, no_limit
from alerts.dispatcher import Dispatcher, new_owner
from alerts.errors import DeliveryError
from alerts.notifiers.base import Notifier
from alerts.notifiers.slack import SlackNotifier
from alerts.notifiers.sms import Sender, SmsNotifier
from alerts.tables import notification
from monitor.wallclock import utc_now
from tests.fakes_alerts import START, still_wanted
from tests.support.delivery_rig import sqlite_engine

SLACK_CHANNEL = "C0123"
SLACK_TOKEN = "xoxb-stand-in-bot"
TWILIO_ACCOUNT = "ACstandin0000000000000000000000000"
TWILIO_TOKEN = "stand-in-auth-token"
TWILIO_SENDER = "+15005550006"


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerOptions:
    """How a worker runs.

    Attributes:
        discipline: "intent" is ours; "mark_first" and "send_first" are the broken ones that the chaos run must catch.
        alone: no other worker is running.
        distance_seconds: how long a request, and then its answer, is on its way: loopback is too near to be struck.
        owner: the name that this life's deliveries carry.
        die_at, die_on: kill yourself at this checkpoint, the n-th time it is passed.
    """

    database: str
    slack_url: str
    twilio_url: str
    discipline: str = "intent"
    alone: bool = True
    settle_seconds: float = 1.0
    lease_seconds: float = 6.0
    send_timeout_seconds: float = 2.0
    distance_seconds: float = 0.006
    owner: str = ""
    die_at: str = ""
    die_on: int = 1


class FarAway:
    """A notifier whose provider is some way off."""

    def __init__(self, inner: Notifier, seconds: float) -> None:
        """Keep both."""
        self._inner = inner
        self._seconds = seconds
        self._road = threading.Event()  # never set: a wait with a bound
        self.channel = inner.channel

    def send(self, delivery: Delivery) -> Receipt:
        """Send, there and back."""
        self._road.wait(self._seconds)
        try:
            return self._inner.send(delivery)
        finally:
            self._road.wait(self._seconds)

    def find(self, delivery: Delivery) -> Receipt | None:
        """Look up."""
        return self._inner.find(delivery)

    def check(self, receipt: Receipt) -> str | None:
        """Check."""
        return self._inner.check(receipt)


class ChaosDirectory:
    """Everybody called p17 has a phone that ends in 17; shared receivers are one Slack channel."""

    def address_of(self, receiver: str, channel: Channel, person: str | None) -> Address:
        """Return the address."""
        return Address(address=SLACK_CHANNEL if person is None else phone_of(person))

    def next_after(self, failed: Notification, now: datetime) -> Sequence[Target]:
        """Return nobody: whatever fails must show as lost."""
        return ()

    def health_targets(self, now: datetime) -> Sequence[Target]:
        """Return nobody."""
        return ()


def phone_of(person: str) -> str:
    """Return an invented phone for p17."""
    return f"+3360{int(person[1:]):07d}"


def order_of(clock_id: int) -> str:
    """Return an invented order number."""
    return f"402-{clock_id:07d}-{clock_id:07d}"


def facts_of(clock_id: int) -> ThreadFacts:
    """Return what is known of a clock; thread n has clock n."""
    return ThreadFacts(
        thread_id=clock_id,
        clock_id=clock_id,
        started_at=START - timedelta(hours=22),
        deadline_at=utc_now() + timedelta(hours=2),
        state="at_risk",
        marketplace="FR",
        order_id=order_of(clock_id),
    )


def open_database(address: str) -> Engine:
    """Return an engine; SQLite as the worker has it."""
    if address.startswith("sqlite:///"):
        return sqlite_engine(Path(address.removeprefix("sqlite:///")))
    return create_engine(address)


def _load_facts(conn: Connection, clock_ids: Sequence[int], now: datetime) -> Mapping[int, ThreadFacts]:
    return {clock_id: facts_of(clock_id) for clock_id in clock_ids}


def _work(options: WorkerOptions, parent: int) -> None:
    engine = open_database(options.database)
    notifiers = build_notifiers(options)
    ports = Ports(
        directory=ChaosDirectory(),
        load_facts=_load_facts,
        still_wanted=still_wanted,
        hold=never_hold,
        allowed_at=no_limit,
        timing=Timing(
            settle=timedelta(seconds=options.settle_seconds),
            lease=timedelta(seconds=options.lease_seconds),
            send_bound=timedelta(seconds=options.send_timeout_seconds + 1),
            first_retry=timedelta(seconds=0.2),
            lookup_retry=timedelta(seconds=0.2),
            longest_retry=timedelta(seconds=2),
            spacing={},
        ),
        owner=options.owner or new_owner(),
    )
    dispatcher = Dispatcher(
        engine, notifiers, ports, utc_now, alone=options.alone, checkpoint=_death(options.die_at, options.die_on)
    )
    tick: Callable[[], object]
    if options.discipline == "intent":

        def tick() -> None:
            dispatcher.reconcile(utc_now(), wait_seconds=1)
            dispatcher.deliver_due(utc_now(), wait_seconds=1)

    else:

        def tick() -> None:
            _deliver_badly(engine, notifiers, mark_first=options.discipline == "mark_first")

    pause = threading.Event()
    while os.getppid() == parent:
        tick()
        pause.wait(0.02)


def _death(name: str, on: int) -> Callable[[str], None]:
    passed = 0
    lock = threading.Lock()

    def checkpoint(here: str) -> None:
        nonlocal passed
        if here != name:
            return
        with lock:
            passed += 1
            if passed == on:
                os.kill(os.getpid(), signal.SIGKILL)

    return checkpoint


def _deliver_badly(engine: Engine, notifiers: Mapping[Channel, Notifier], *, mark_first: bool) -> None:
    """Deliver as others do: mark, then send (and lose); or send, then mark (and double)."""
    with engine.connect().execution_options(read_only=True) as conn:
        rows = conn.execute(select(notification).where(notification.c.status == "pending").limit(20)).all()
    for row in rows:
        channel = Channel(row.channel)
        item = Delivery(
            reference=new_owner(),
            purpose=row.purpose,
            channel=channel,
            receiver=row.receiver,
            address=SLACK_CHANNEL if row.person is None else phone_of(row.person),
            now=utc_now(),
            person=row.person,
            threads=(facts_of(row.clock_id),),
            code=1,
            attempted_at=utc_now(),
        )
        if mark_first:
            _mark(engine, row.id)
        try:
            notifiers[channel].send(item)
        except DeliveryError:
            continue
        if not mark_first:
            _mark(engine, row.id)


def _mark(engine: Engine, row_id: int) -> None:
    with engine.begin() as conn:
        conn.execute(update(notification).where(notification.c.id == row_id).values(status="sent"))


def build_notifiers(options: WorkerOptions) -> dict[Channel, Notifier]:
    """Return the real notifiers, pointed at the stand-ins."""
    seconds = options.send_timeout_seconds
    slack = SlackNotifier(bot_token=SLACK_TOKEN, api_url=options.slack_url, timeout_seconds=seconds)
    sms = SmsNotifier(
        account_sid=TWILIO_ACCOUNT,
        auth_token=TWILIO_TOKEN,
        sender=Sender(number=TWILIO_SENDER),
        api_url=options.twilio_url,
        timeout_seconds=seconds,
    )
    return {item.channel: FarAway(item, options.distance_seconds) for item in (slack, sms)}


def encode_options(options: WorkerOptions) -> str:
    """Return the command line's one argument."""
    return json.dumps(asdict(options))


def main() -> None:
    """Fork a worker for each line on standard input."""
    options = WorkerOptions(**json.loads(sys.argv[1]))
    build_notifiers(options)  # imports what the workers will need, once
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for the dead
    me = os.getpid()
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    print("ready", flush=True)
    for line in sys.stdin:
        changes = json.loads(line)
        child = os.fork()
        if child == 0:
            sys.stdin.close()
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            try:
                _work(WorkerOptions(**(asdict(options) | changes)), me)
            finally:
                sys.stderr.flush()
                os._exit(0)
        print(child, flush=True)


if __name__ == "__main__":
    main()
