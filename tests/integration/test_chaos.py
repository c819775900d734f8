"""1,000 alerts, workers killed in the middle of everything, providers that lose requests and answers: none lost, none doubled.

`CHAOS_SEED=7 pytest -s tests/integration/test_chaos.py` repeats a run and prints its figures.
"""

import os
import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from alerts.core.model import Channel
from tests.support.chaos import (
    Herd,
    Plan,
    is_alive,
    put_alerts,
    run_chaos,
    running_providers,
    unsettled,
    wait_for,
)
from tests.support.chaos_worker import WorkerOptions, open_database
from tests.support.delivery_rig import create_tables
from tests.support.postgresql import running_postgresql

pytestmark = pytest.mark.integration


@pytest.fixture
def seed() -> int:
    return int(os.environ.get("CHAOS_SEED") or random.SystemRandom().randrange(1_000_000))


@pytest.fixture
def postgresql_address() -> Iterator[str]:
    with running_postgresql() as address:
        yield address


def test_a_thousand_alerts_and_fifty_kills_lose_and_double_nothing_on_sqlite(tmp_path: Path, seed: int) -> None:
    plan = Plan(alerts=1000, kills=60, seed=seed)
    figures = run_chaos(f"sqlite:///{tmp_path / 'outbox.db'}", plan)
    print("\n" + figures.line(plan, "SQLite"))
    assert figures.kills >= 50
    assert figures.mid_send > 0, "no kill struck a send: the run shows nothing"
    assert (figures.lost, figures.doubled, figures.unsettled) == (0, 0, 0), figures.line(plan, "SQLite")


def test_two_workers_on_postgresql_lose_and_double_nothing_while_they_are_killed(
    postgresql_address: str, seed: int
) -> None:
    plan = Plan(alerts=1000, kills=60, seed=seed, workers=2)
    figures = run_chaos(postgresql_address, plan)
    print("\n" + figures.line(plan, "PostgreSQL"))
    assert figures.kills >= 50
    assert figures.mid_send > 0, "no kill struck a send: the run shows nothing"
    assert (figures.lost, figures.doubled, figures.unsettled) == (0, 0, 0), figures.line(plan, "PostgreSQL")


def test_the_run_notices_alerts_lost_by_marking_before_sending(tmp_path: Path, seed: int) -> None:
    plan = Plan(alerts=200, kills=10, seed=seed, drop_before=0.1, drop_after=0.1, discipline="mark_first")
    figures = run_chaos(f"sqlite:///{tmp_path / 'outbox.db'}", plan)
    print("\n" + figures.line(plan, "SQLite"))
    assert figures.lost > 0
    assert figures.doubled == 0


def test_the_run_notices_alerts_doubled_by_sending_before_marking(tmp_path: Path, seed: int) -> None:
    plan = Plan(alerts=200, kills=10, seed=seed, drop_before=0.1, drop_after=0.1, discipline="send_first")
    figures = run_chaos(f"sqlite:///{tmp_path / 'outbox.db'}", plan)
    print("\n" + figures.line(plan, "SQLite"))
    assert figures.lost == 0
    assert figures.doubled > 0


@pytest.mark.parametrize("channel", [Channel.SLACK, Channel.SMS])
@pytest.mark.parametrize("point", ["claimed", "intent", "sent", "recorded", "looked_up"])
def test_a_kill_at_this_point_loses_and_doubles_nothing(tmp_path: Path, point: str, channel: Channel) -> None:
    database = f"sqlite:///{tmp_path / 'outbox.db'}"
    engine = open_database(database)
    create_tables(engine)
    sms_every = 1 if channel == Channel.SMS else 0
    with running_providers(Plan(alerts=3, kills=1, seed=1, drop_before=0, drop_after=0)) as providers:
        if point == "looked_up":  # the second answer is lost, so that there is something to look up
            server = providers.twilio if channel == Channel.SMS else providers.slack
            call = "messages.create" if channel == Channel.SMS else "chat.postMessage"
            server.faults.fail_next(call, "drop_after")
        herd = Herd(
            WorkerOptions(
                database=database,
                slack_url=providers.slack.api_url,
                twilio_url=providers.twilio.base_url,
                settle_seconds=0.2,
            )
        )
        put_alerts(engine, 1, 3, sms_every)
        doomed = herd.start(die_at=point, die_on=1 if point == "looked_up" else 2)
        assert wait_for(lambda: not is_alive(doomed), 20), "the worker never came to this point"
        assert unsettled(engine) > 0
        herd.start()
        assert wait_for(lambda: unsettled(engine) == 0, 20)
        herd.stop()
        assert dict(providers.arrivals(3, sms_every)) == {1: 1, 2: 1, 3: 1}
    engine.dispose()
