"""What a tick costs over 100,000 open threads: `python -m tests.bench.bench_evaluate [THREADS] [DUE] [--profile]`.

Prints the time of an idle tick, of the tick in which 10,000 threads reach their next step (planned, enqueued, stored, in a
file with synchronous=FULL), and of one reading for /metrics; wall clock and CPU of this process.
The rows are put in through the store's own tables.
"""

import cProfile
import os
import pstats
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path

from sqlalchemy import func, insert, select

from alerts.core.policy import policy_to_json
from alerts.tables import notification
from monitor.bootstrap import build_services
from monitor.config.loader import load_config
from monitor.core.messages import Kind
from monitor.jobs.evaluate import evaluate
from monitor.jobs.services import Services
from monitor.jobs.showing import Shown
from monitor.store.due import PolicyCache
from monitor.store.engine import reading, writing
from monitor.store.opening import open_store
from monitor.store.schema import frozen_policy, message, sla_clock, thread
from tests.fakes import FakeWallClock

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
TARGET = timedelta(hours=24)
STEP = timedelta(hours=2)
MARKETS = ("FR", "DE", "ES", "IT", "GB", "US", "NL", "PL")
PART = 10_000
CONFIG = """
[worker]
database = "sqlite:///{folder}/bench.db"
[[mailbox]]
name = "bench"
type = "simulated"
[slack]
bot_token = "xoxb-nobody"
[[receiver]]
name = "team"
type = "slack"
channel = "C0123456789"
[[policy]]
name = "default"
step = [{{ remaining = "2h", notify = ["team"] }}, {{ remaining = "0m", notify = ["team"], repeat_every = "1h" }}]
"""


def fill(services: Services, threads: int, due: int) -> None:
    """Put in open threads: the first `due` reach their step at `NOW`, the others wait for theirs, each later than the last."""
    body = policy_to_json(services.config.policies[0])
    account = services.config.accounts[0].name
    with writing(services.engine) as connection:
        digest = sha256(body.encode()).hexdigest()
        statement = insert(frozen_policy).values(digest=digest, body=body).returning(frozen_policy.c.id)
        policy_id = connection.execute(statement).scalar_one()
    for first in range(0, threads, PART):
        numbers = range(first + 1, min(first + PART, threads) + 1)
        with writing(services.engine) as connection:
            made = [_rows(number, number <= due, account, policy_id, threads) for number in numbers]
            for table, rows in zip((thread, message, sla_clock), zip(*made, strict=True), strict=True):
                connection.execute(insert(table), list(rows))


def _rows(number: int, due: bool, account: str, policy_id: int, threads: int) -> tuple[dict[str, object], ...]:
    due_at = NOW if due else NOW + timedelta(minutes=5) + (TARGET - 2 * STEP) * number / threads
    deadline_at = due_at + STEP
    market = MARKETS[number % len(MARKETS)]
    received_at = deadline_at - TARGET
    common = {"account": account, "marketplace": market}
    thread_row = {"id": number, **common, "labels": "delivery", "priority": 20, "place": "inbox"}
    thread_row |= {"order_id": f"402-{number:07d}-{number:07d}", "order_hash": number, "alias_hash": number}
    message_row = {"id": number, **common, "identity": number, "kind": Kind.BUYER_MESSAGE.value, "mailbox": "bench"}
    message_row |= {"place": "inbox", "received_at": received_at, "seen_at": received_at, "authenticity": "passed"}
    message_row |= {"trusted": True, "order_hash": number, "alias_hash": number, "labels": "delivery", "priority": 20}
    message_row |= {"thread_id": number, "target_seconds": int(TARGET.total_seconds()), "digest_hash": number}
    clock_row = {"id": number, **common, "thread_id": number, "start_message_id": number, "started_at": received_at}
    clock_row |= {"target_seconds": int(TARGET.total_seconds()), "deadline_at": deadline_at, "messages": 1}
    clock_row |= {"first": True, "verified": True, "policy_id": policy_id, "next_due_at": due_at}
    return thread_row, message_row, clock_row


def measure(name: str, work: Callable[[], object], rounds: int = 1) -> None:
    """Run it and print the best round's milliseconds."""
    best = (float("inf"), 0.0)
    for _ in range(rounds):
        wall, cpu = time.perf_counter(), time.process_time()
        work()
        best = min(best, (time.perf_counter() - wall, time.process_time() - cpu))
    print(f"{name:<52} {best[0] * 1e3:8.1f} ms   {best[1] * 1e3:8.1f} ms CPU")


def main() -> None:
    """Print the figures."""
    numbers = [int(argument) for argument in sys.argv[1:] if argument.isdigit()]
    threads, due = (*numbers, 100_000, 10_000)[:2] if len(numbers) != 1 else (numbers[0], 10_000)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "config.toml"
        path.write_text(CONFIG.format(folder=folder))
        config = load_config(path, os.environ)
        now = FakeWallClock(NOW - timedelta(seconds=10))
        services = build_services(config, open_store(config, now), now=now)
        fill(services, threads, due)
        policies = PolicyCache()
        shown = Shown(services, lambda: None)
        print(f"{threads:,} open threads, SQLite, {os.cpu_count()} cores")
        measure("an idle tick", lambda: evaluate(services, policies), 20)
        measure("the first reading for /metrics (hours of the week)", shown.read_snapshot)
        measure("a reading for /metrics", shown.read_snapshot, 5)
        now.advance(timedelta(seconds=10))
        profile = cProfile.Profile()
        if "--profile" in sys.argv:
            profile.enable()
        measure(f"the tick in which {due:,} fall due", lambda: evaluate(services, policies))
        if "--profile" in sys.argv:
            profile.disable()
            pstats.Stats(profile).strip_dirs().sort_stats("tottime").print_stats(30)
        measure("the idle tick after it", lambda: evaluate(services, policies), 20)
        with reading(services.engine) as connection:
            stored = connection.execute(select(func.count()).select_from(notification)).scalar_one()
        if stored != due:
            raise SystemExit(f"{stored} notifications stored, not {due}")
        services.engine.dispose()


if __name__ == "__main__":
    main()
