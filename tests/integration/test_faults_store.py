"""The disk full, read-only, damaged; the key gone: one clear line, nothing silent, and everything told once it is over."""

import os
import resource
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, text

from monitor.store.engine import WorkerLock, open_engine, reading
from tests.support.dovecot import running_dovecot
from tests.support.mails import ORDER, buyer_mail, return_notice
from tests.support.ports import free_port
from tests.support.slack_server import SlackServer
from tests.support.small_world import SmallWorld, small_world
from tests.support.twilio_server import TwilioServer
from tests.support.waiting import PATIENCE, wait_until
from tests.support.worker_process import render_config, worker_on

ROOT = Path(__file__).parents[2]
SECOND = timedelta(seconds=1)
HOUR = timedelta(hours=1)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[SmallWorld]:
    with small_world(tmp_path) as made:
        made.tick()
        yield made


def on_connections(world: SmallWorld, pragma: str) -> Any:
    """Have SQLite refuse to write from now on, by its own means; return what ends it."""
    engine = world.services.engine

    def set_pragma(connection: Any, record: object) -> None:
        connection.execute(f"PRAGMA {pragma}").close()

    engine.dispose()
    event.listen(engine, "connect", set_pragma)

    def end() -> None:
        event.remove(engine, "connect", set_pragma)
        engine.dispose()

    return end


def fill(world: SmallWorld) -> str:
    """Return the pragma that lets the database grow no page further."""
    with reading(world.services.engine) as connection:
        pages = connection.execute(text("PRAGMA page_count")).scalar()
    return f"max_page_count={pages}"


@pytest.mark.parametrize(("trouble", "words"), [("full", "the disk is full"), ("read-only", "is read-only")])
def test_a_disk_that_takes_nothing_is_told_and_everything_follows_when_it_does(
    world: SmallWorld, trouble: str, words: str
) -> None:
    end = on_connections(world, fill(world) if trouble == "full" else "query_only=ON")
    for number in range(6):
        world.buyer_writes(
            world.clock() - 17 * HOUR,
            order=f"402-00000{number:02d}-0000001",
            alias=f"full{number:02d}aaaaaaaaa@marketplace.amazon.fr",
        )
    for number in range(80):  # no alerts, but rows: more than the last pages have room for
        notice = return_notice(world.clock(), order=f"402-11111{number:02d}-0000001")
        world.mailbox.deliver(notice, world.clock())
    world.pass_time(3 * timedelta(minutes=1), 20 * SECOND)
    assert world.slack.messages() == []
    assert any(words in error for error in world.errors), world.errors
    assert all("\n" not in error and "INSERT" not in error for error in world.errors)
    failed_cycles = world.metric("replyby_cycle_last_success_timestamp_seconds")
    end()
    world.pass_time(3 * timedelta(minutes=1), 20 * SECOND)
    alerts = [text for text in world.texts() if "402-00000" in text]
    assert len(alerts) == len(set(alerts)) == 6, world.texts()
    assert world.metric("replyby_messages_total", kind="buyer_message") == 6
    assert world.metric("replyby_cycle_last_success_timestamp_seconds") > failed_cycles
    assert world.worker.health().ok


def test_a_disk_that_fills_between_sending_and_recording_doubles_nothing(world: SmallWorld) -> None:
    world.buyer_writes(world.clock() - 17 * HOUR)
    world.slack.faults.fail_next("chat.postMessage", "hang_after")  # taken; meanwhile the disk fills
    end: list[Any] = []
    answer = world.slack._answer

    def fill_and_answer(call: Any) -> Any:
        if call.name == "chat.postMessage" and not end:
            end.append(on_connections(world, "query_only=ON"))
        return answer(call)

    world.slack._answer = fill_and_answer  # type: ignore[method-assign]
    world.pass_time(65 * SECOND)
    assert end, (world.log, world.slack.problems, world.errors)
    end[0]()
    world.pass_time(3 * timedelta(minutes=1))
    assert sum(ORDER in text for text in world.texts()) == 1
    assert world.metric("replyby_outbox_pending") == 0


@pytest.mark.integration
def test_a_running_worker_that_may_write_no_further_goes_on_by_itself(tmp_path: Path) -> None:
    """RLIMIT_FSIZE set from outside: the kernel itself refuses every write beyond it."""
    slack, twilio = SlackServer().start(), TwilioServer().start()
    port = free_port()
    try:
        with running_dovecot() as dovecot:
            config = render_config(dovecot, slack, twilio, port=port, poll_every="5s")
            with worker_on(tmp_path, config, port, dovecot.password) as worker:
                worker.start()
                assert worker.process is not None
                pid = worker.process.pid
                usual = resource.prlimit(pid, resource.RLIMIT_FSIZE)
                resource.prlimit(pid, resource.RLIMIT_FSIZE, (1, usual[1]))
                from monitor.wallclock import utc_now

                dovecot.deliver(buyer_mail(utc_now() - 17 * HOUR))
                wait_until(lambda: "503" in _healthz(worker), "the worker to say that it is not well")
                assert slack.messages() == []
                resource.prlimit(pid, resource.RLIMIT_FSIZE, usual)
                wait_until(lambda: len(slack.messages()) == 1, "the alert, once writing goes again")
                wait_until(lambda: "200" in _healthz(worker), "the worker to be well")
    finally:
        slack.stop()
        twilio.stop()


def _healthz(worker: Any) -> str:
    import urllib.error
    import urllib.request

    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{worker.port}/healthz", timeout=5) as answer:
            return f"{answer.status} {answer.read().decode()}"
    except urllib.error.HTTPError as error:
        return f"{error.code} {error.read().decode()}"


# What a start refuses -----------------------------------------------------------------------------------------------------


def refused(folder: Path, *arguments: str) -> str:
    """Run a command that must fail, and return its one line."""
    done = subprocess.run(
        [sys.executable, "-m", "monitor", *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), "TEST_IMAP_PASSWORD": "secret-imap-password"},
        capture_output=True,
        timeout=PATIENCE,
        check=False,
    )
    assert done.returncode == 1, done.stdout.decode() + done.stderr.decode()
    said = "".join(line for line in done.stderr.decode().splitlines(True) if not line.startswith("note: "))
    assert said.count("\n") == 1, said
    assert "Traceback" not in said
    return said


@pytest.fixture
def stopped(tmp_path: Path) -> Path:
    """A folder in which a worker ran and was stopped."""
    with small_world(tmp_path) as made:
        made.buyer_writes()
        made.tick()
    with sqlite3.connect(tmp_path / "replyby.db") as database:
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    database.close()
    return tmp_path


def damage_pages(path: Path) -> None:
    raw = bytearray(path.read_bytes())
    raw[100 : len(raw) - 100] = os.urandom(len(raw) - 200)
    path.write_bytes(raw)


DAMAGES: dict[str, tuple[Any, str]] = {
    "no database at all": (lambda path: path.write_bytes(b"<html>502 Bad Gateway</html>"), "not a SQLite database"),
    "pages of noise": (damage_pages, "is damaged"),
    "cut": (lambda path: path.write_bytes(path.read_bytes()[:5000]), "is damaged"),
    "emptied": (lambda path: path.write_bytes(b""), "its content is lost"),
}


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("command", [["run"], ["once"], ["status"]], ids=["run", "once", "status"])
def test_a_damaged_database_is_refused_in_one_line_and_left_as_it_is(
    stopped: Path, damage: str, command: list[str]
) -> None:
    harm, words = DAMAGES[damage]
    path = stopped / "replyby.db"
    harm(path)
    before = path.read_bytes()
    said = refused(stopped, *command)
    assert words in said
    assert str(path) in said
    assert path.read_bytes() == before
    assert sorted(one.name for one in stopped.glob("*.db")) == ["replyby.db"]


def test_a_missing_key_is_not_made_anew(stopped: Path) -> None:
    (stopped / "replyby.key").unlink()
    assert "replyby.key: missing" in refused(stopped, "run")
    assert not (stopped / "replyby.key").exists()


def test_another_databases_key_is_refused(stopped: Path) -> None:
    (stopped / "replyby.key").write_bytes(os.urandom(32))
    assert "not the key of" in refused(stopped, "run")


def test_a_folder_that_cannot_be_made_is_told(stopped: Path) -> None:
    config = (stopped / "config.toml").read_text().replace("sqlite:///replyby.db", "sqlite:////proc/replyby/replyby.db")
    (stopped / "config.toml").write_text(config)
    assert "Check the folder's owner and free space" in refused(stopped, "run")


def test_a_database_in_use_by_a_worker_is_refused_until_that_one_is_killed(stopped: Path) -> None:
    holder = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import sys, threading\n"
            "from monitor.store.engine import WorkerLock, open_engine\n"
            "lock = WorkerLock(open_engine(sys.argv[1]))\n"
            "lock.acquire(threading.Event())\n"
            "print('held', flush=True)\n"
            "threading.Event().wait(60)\n",
            f"sqlite:///{stopped / 'replyby.db'}",
        ],
        cwd=ROOT,
        stdout=subprocess.PIPE,
    )
    assert holder.stdout is not None
    try:
        assert holder.stdout.readline() == b"held\n"
        assert "another worker runs on this database" in refused(stopped, "once")
    finally:
        holder.send_signal(signal.SIGKILL)
        holder.wait(10)
        holder.stdout.close()
    lock = WorkerLock(open_engine(f"sqlite:///{stopped / 'replyby.db'}"))
    assert lock.acquire(threading.Event()), "the lock died with its process"
    lock.release()
