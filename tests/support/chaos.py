"""Alerts through stand-ins that lose requests and answers, by workers that are killed; and the count of what arrived."""

import itertools
import json
import os
import random
import signal
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from time import monotonic
from typing import Any

from sqlalchemy import Engine, func, insert, select

from alerts.outbox import enqueue
from alerts.tables import delivery, notification
from monitor.wallclock import utc_now
from tests.fakes_alerts import make_alert, make_page, open_clock
from tests.support.chaos_worker import WorkerOptions, encode_options, open_database, order_of, phone_of
from tests.support.delivery_rig import create_tables
from tests.support.fault_server import Faults
from tests.support.slack_server import SlackServer
from tests.support.twilio_server import TwilioServer

ROOT = Path(__file__).parent.parent.parent
_FINAL = ("sent", "failed", "cancelled")


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How much, how often, how bad. `sms_share` of the alerts go to a phone of their own each, the others to Slack."""

    alerts: int
    kills: int
    seed: int
    workers: int = 1
    sms_share: float = 0.25
    drop_before: float = 0.01
    drop_after: float = 0.02
    discipline: str = "intent"
    life_seconds: tuple[float, float] = (0.1, 0.4)
    bound_seconds: float = 600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What came of it. `mid_send`: kills that left a delivery begun and not recorded."""

    lost: int
    doubled: int
    unsettled: int
    kills: int
    mid_send: int
    dropped_before: int
    dropped_after: int
    looked_up: int
    seconds: float

    def line(self, plan: Plan, database: str) -> str:
        """Return one line to print."""
        return (
            f"{database}, {plan.workers} worker(s), {plan.discipline}: {plan.alerts} alerts, {self.kills} kills "
            f"({self.mid_send} in the middle of a send), {self.dropped_before} requests and {self.dropped_after} answers "
            f"dropped, {self.looked_up} look-ups: {self.lost} lost, {self.doubled} doubled, "
            f"{self.seconds:.0f} s, seed {plan.seed}"
        )


@dataclass
class Providers:
    """The two stand-ins."""

    slack: SlackServer
    twilio: TwilioServer

    def arrivals(self, alerts: int, sms_every: int) -> Counter[int]:
        """Return how often each alert arrived: by its order number in Slack, by its own phone for SMS."""
        counts: Counter[int] = Counter()
        texts = Counter(_orders_in(json.dumps(message, ensure_ascii=False)) for message in self.slack.all_messages())
        phones = Counter(message.to for message in self.twilio.sent)
        for clock_id in range(1, alerts + 1):
            by_sms = is_sms(clock_id, sms_every)
            counts[clock_id] = phones[phone_of(f"p{clock_id}")] if by_sms else texts[order_of(clock_id)]
        return counts


def _orders_in(message: str) -> str:
    start = message.find("402-")
    return message[start : start + 19]


def is_sms(clock_id: int, sms_every: int) -> bool:
    """Return whether this alert goes to a phone."""
    return sms_every > 0 and clock_id % sms_every == 0


@contextmanager
def running_providers(plan: Plan) -> Iterator[Providers]:
    """Start both stand-ins with the plan's faults."""
    with ExitStack() as stack:
        faults = [Faults(random.Random(plan.seed + number)) for number in range(2)]
        for fault in faults:
            fault.drop_before, fault.drop_after = plan.drop_before, plan.drop_after
        slack = stack.enter_context(SlackServer(faults=faults[0]))
        yield Providers(slack, stack.enter_context(TwilioServer(faults=faults[1])))


class Herd:
    """Workers in processes of their own, started quickly and killed at will."""

    def __init__(self, options: WorkerOptions) -> None:
        """Start the process that forks them."""
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.support.chaos_worker", encode_options(options)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL if not os.environ.get("CHAOS_LOG") else None,
            text=True,
            cwd=ROOT,
        )
        assert self._line() == "ready"

    def start(self, **changes: Any) -> int:
        """Start a worker and return its process id."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(changes) + "\n")
        self._process.stdin.flush()
        return int(self._line())

    def stop(self) -> None:
        """End the parent; its workers notice within a tick."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(10)
        self._process.stdout.close()

    def _line(self) -> str:
        assert self._process.stdout is not None
        line = self._process.stdout.readline().strip()
        if not line:
            raise AssertionError("the chaos worker did not start; set CHAOS_LOG=1 to see why")
        return line


def kill(pid: int) -> None:
    """Kill a worker we started, and wait until it is gone."""
    os.kill(pid, signal.SIGKILL)
    wait_for(lambda: not is_alive(pid), 10)


def is_alive(pid: int) -> bool:
    """Return whether the process exists."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def wait_for(condition: Callable[[], bool], seconds: float, pause_seconds: float = 0.005) -> bool:
    """Return True as soon as the condition holds, False after this long."""
    pause = threading.Event()
    until = monotonic() + seconds
    while not condition():
        if monotonic() > until:
            return False
        pause.wait(pause_seconds)
    return True


def put_alerts(engine: Engine, first: int, last: int, sms_every: int) -> None:
    """Open clocks `first` to `last` and enqueue an alert about each."""
    now = utc_now()
    items = []
    for clock_id in range(first, last + 1):
        person = f"p{clock_id}"
        item = make_page(clock_id, person) if is_sms(clock_id, sms_every) else make_alert(clock_id)
        items.append(replace(item, due_at=now - timedelta(seconds=1)))
    with engine.begin() as conn:
        conn.execute(insert(open_clock), [{"id": clock_id, "wanted": 1} for clock_id in range(first, last + 1)])
        enqueue(conn, items, now)


def unsettled(engine: Engine) -> int:
    """Return how many alerts have not ended yet."""
    waiting = select(func.count()).select_from(notification).where(notification.c.status.not_in(_FINAL))
    with engine.connect().execution_options(read_only=True) as conn:
        return conn.scalar(waiting) or 0


def under_way(engine: Engine, owner: str) -> int:
    """Return how many deliveries this life began and did not record."""
    begun = select(func.count()).select_from(delivery).where(delivery.c.status == "sending", delivery.c.owner == owner)
    with engine.connect().execution_options(read_only=True) as conn:
        return conn.scalar(begun) or 0


def run_chaos(database: str, plan: Plan) -> Figures:
    """Send the plan's alerts with workers that are killed at random; return what arrived how often."""
    rng = random.Random(plan.seed)
    sms_every = round(1 / plan.sms_share) if plan.sms_share else 0
    engine = open_database(database)
    create_tables(engine)
    began = monotonic()
    with running_providers(plan) as providers:
        options = WorkerOptions(
            database=database,
            slack_url=providers.slack.api_url,
            twilio_url=providers.twilio.base_url,
            discipline=plan.discipline,
            alone=plan.workers == 1,
        )
        herd = Herd(options)
        kills = mid_send = put = 0
        lives = itertools.count()
        owners = [f"life {next(lives)}" for _ in range(plan.workers)]
        pids = [herd.start(owner=owner) for owner in owners]
        pause = threading.Event()
        while kills < plan.kills:
            more = plan.alerts * (kills + 1) // plan.kills
            if more > put:
                put_alerts(engine, put + 1, more, sms_every)
                put = more
            pause.wait(rng.uniform(*plan.life_seconds))
            victim = rng.randrange(len(pids))
            kill(pids[victim])
            kills += 1
            mid_send += under_way(engine, owners[victim]) > 0
            owners[victim] = f"life {next(lives)}"
            pids[victim] = herd.start(owner=owners[victim])
        wait_for(lambda: unsettled(engine) == 0, plan.bound_seconds - (monotonic() - began), 0.1)
        left = unsettled(engine)
        for pid in pids:
            kill(pid)
        herd.stop()
        counts = providers.arrivals(plan.alerts, sms_every)
        faults = (providers.slack.faults, providers.twilio.faults)
        figures = Figures(
            lost=sum(1 for count in counts.values() if count == 0),
            doubled=sum(count - 1 for count in counts.values() if count > 1),
            unsettled=left,
            kills=kills,
            mid_send=mid_send,
            dropped_before=sum(fault.dropped_before for fault in faults),
            dropped_after=sum(fault.dropped_after for fault in faults),
            looked_up=len(providers.slack.calls("conversations.history"))
            + len(providers.twilio.calls("messages.list")),
            seconds=monotonic() - began,
        )
    engine.dispose()
    return figures
