"""The morning's digest tells what the doctor finds, whatever looking costs."""

import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from alerts.core.model import Purpose
from monitor.jobs.digest import send_due_digest
from monitor.report.digest import Trouble
from monitor.store.engine import open_engine, writing
from monitor.store.health import record_mark
from monitor.wallclock import utc_now
from tests.support.jobs_world import JobsWorld
from tests.support.slack_server import SlackServer
from tests.support.waiting import PATIENCE

MONDAY = datetime(2026, 11, 16, 10, 0, tzinfo=UTC)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[JobsWorld]:
    made = JobsWorld(tmp_path, MONDAY)
    path = tmp_path / "config.toml"
    path.write_text(path.read_text() + '[digest]\nat = "08:30"\nto = ["team"]\n')
    made.restart()
    yield made
    made.close()


def notes(world: JobsWorld) -> list[str]:
    world.deliver()
    return [str(note) for one in world.sent if one.purpose is Purpose.DIGEST for note in one.content["notes"]]


def test_what_is_broken_is_told_each_morning_and_looked_for_only_then(world: JobsWorld) -> None:
    looked = 0

    def look() -> Sequence[Trouble]:
        nonlocal looked
        looked += 1
        with writing(world.services.engine) as connection:  # would wait for ever inside the digest's own transaction
            record_mark(connection, "looked", world.clock())
        return [Trouble("disk: 3 MB left where the database lies. Make room.", bad=True)]

    services = replace(world.services, look_for_troubles=look)
    for _ in range(3):
        assert not send_due_digest(services, world.worker.book)
    assert looked == 0
    world.clock.advance(days=1)
    assert send_due_digest(services, world.worker.book)
    assert not send_due_digest(services, world.worker.book)
    assert looked == 1
    assert notes(world) == ["✗ disk: 3 MB left where the database lies. Make room."]


def test_a_look_that_fails_is_told_and_stops_no_digest(world: JobsWorld) -> None:
    def look() -> Sequence[Trouble]:
        raise RuntimeError("a bug")

    services = replace(world.services, look_for_troubles=look)
    assert not send_due_digest(services, world.worker.book)
    world.clock.advance(days=1)
    assert send_due_digest(services, world.worker.book)
    assert notes(world) == ["✗ looking for troubles failed. See the log, and run: replyby doctor."]


def test_a_worker_looks_by_itself(tmp_path: Path) -> None:
    """A whole process: `once`, a day after the last, with a bot that is in no channel."""
    with SlackServer() as slack:
        (tmp_path / "Maildir" / "cur").mkdir(parents=True)
        (tmp_path / "Maildir" / "new").mkdir()
        now = utc_now()
        (tmp_path / "config.toml").write_text(
            '[worker]\ntime_zone = "UTC"\n[[mailbox]]\ntype = "maildir"\npath = "Maildir"\nauthserv_id = ""\n'
            f'[slack]\nbot_token = "{slack.bot_token}"\napi_url = "{slack.api_url}"\n'
            '[[receiver]]\nname = "team"\ntype = "slack"\nchannel = "C0999"\n'
            '[[receiver]]\nname = "terminal"\ntype = "console"\n'
            f'[digest]\nat = "{now:%H:%M}"\nto = ["terminal"]\n'
        )
        command = [sys.executable, "-m", "monitor", "once"]
        environ = {"PYTHONPATH": str(Path(__file__).parents[2]), "PATH": "/usr/bin:/bin"}
        first = subprocess.run(
            command, cwd=tmp_path, env=environ, capture_output=True, text=True, timeout=PATIENCE, check=False
        )
        assert first.returncode == 0, first.stderr
        engine = open_engine(f"sqlite:///{tmp_path / 'var' / 'replyby.db'}")
        with engine.begin() as connection:
            connection.exec_driver_sql("UPDATE mark SET at = at - 86400000000 WHERE name = 'digest:since'")
        engine.dispose()
        second = subprocess.run(
            command, cwd=tmp_path, env=environ, capture_output=True, text=True, timeout=PATIENCE, check=False
        )
        assert second.returncode == 0, second.stderr
    assert '✗ Slack: the bot is not in the channel of "team". Type there: /invite @' in second.stdout
