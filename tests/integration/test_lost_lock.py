"""A worker on PostgreSQL whose lock goes while it lives: its session is cut, or the server restarts. Nothing is told twice."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import create_engine, make_url, text

from monitor.store.lineage import take_lineage
from monitor.wallclock import utc_now
from tests.support.dovecot import Dovecot
from tests.support.mails import buyer_mail
from tests.support.ports import free_port
from tests.support.postgresql import running_postgresql
from tests.support.slack_server import SlackServer
from tests.support.tcp_proxy import TcpProxy, running_proxy
from tests.support.twilio_server import TwilioServer
from tests.support.waiting import PATIENCE, wait_until
from tests.support.worker_process import WorkerProcess, render_config, worker_on

pytestmark = pytest.mark.integration
HOUR = timedelta(hours=1)


@pytest.fixture
def postgresql() -> Iterator[str]:
    with running_postgresql() as address:
        yield address


def cut_sessions_with_the_lock(address: str) -> int:
    """End the session that holds the worker's lock, as an operator, a pooler or a failing line does; return how many."""
    engine = create_engine(address)
    with engine.begin() as connection:
        cut = connection.execute(
            text("SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND granted")
        ).all()
    engine.dispose()
    return len(cut)


def share_key(first: Path, second: Path) -> None:
    """Two machines share the key, as they share the database."""
    source = next(first.rglob("replyby.key"))
    target = second / source.relative_to(first)
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(source.read_bytes())


def alerts(slack: SlackServer) -> int:
    return sum("· 402-" in str(message["text"]) for message in slack.messages())


def test_a_message_under_way_when_the_lock_goes_is_not_sent_again_by_whoever_takes_over(
    tmp_path: Path, dovecot: Dovecot, slack: SlackServer, twilio: TwilioServer, postgresql: str
) -> None:
    """The first one stalls in the middle of a call that Slack takes late, and wakes up when the second one has the lock."""
    folders = [tmp_path / "first", tmp_path / "second"]
    for folder in folders:
        folder.mkdir()
    ports = [free_port(), free_port()]
    configs = [render_config(dovecot, slack, twilio, port=port, poll_every="5s", database=postgresql) for port in ports]
    with (
        running_proxy(slack.port) as slow,
        worker_on(folders[0], through(slow, slack, configs[0]), ports[0], dovecot.password) as first,
        worker_on(folders[1], configs[1], ports[1], dovecot.password) as second,
    ):
        first.start()
        share_key(*folders)
        slow.freeze()
        dovecot.deliver(buyer_mail(utc_now() - 17 * HOUR))
        wait_until(lambda: sending(postgresql) == 1, "the first worker to be sending")
        second.start(wait=False)
        wait_until(lambda: "takes over when it ends" in second.log(), "the second to wait")
        assert first.process is not None
        first.process.send_signal(signal.SIGSTOP)  # else it may be the one that takes the lock again
        assert cut_sessions_with_the_lock(postgresql) == 1
        wait_until(second.is_well, "the second to take over")
        slow.thaw()
        first.process.send_signal(signal.SIGCONT)
        wait_until(lambda: sending(postgresql) == 0, f"the end of the send; log:\n{second.log()}")
        wait_until(lambda: second.metric("replyby_outbox_pending") == 0, "an empty outbox")
        assert alerts(slack) == 1
        wait_until(lambda: ended(first), "the first one to end")
        assert "another worker took over" in first.log()


def test_a_worker_whose_session_was_cut_goes_on_where_nobody_took_over(
    tmp_path: Path, dovecot: Dovecot, slack: SlackServer, twilio: TwilioServer, postgresql: str
) -> None:
    port = free_port()
    config = render_config(dovecot, slack, twilio, port=port, poll_every="5s", database=postgresql)
    with worker_on(tmp_path, config, port, dovecot.password) as worker:
        worker.start()
        assert cut_sessions_with_the_lock(postgresql) == 1
        wait_until(lambda: "taken again" in worker.log(), f"the lock to be taken again:\n{worker.log()}")
        dovecot.deliver(buyer_mail(utc_now() - 17 * HOUR))
        wait_until(lambda: alerts(slack) == 1, "the alert")
        assert worker.stop() == 0


def test_a_database_that_is_started_anew_ends_no_worker_and_what_came_meanwhile_is_told_once(
    tmp_path: Path, dovecot: Dovecot, slack: SlackServer, twilio: TwilioServer, postgresql: str
) -> None:
    """For the worker it is behind a proxy that refuses: as a server that is down, without its answers to come back."""
    server = make_url(postgresql)
    assert server.port is not None
    port = free_port()
    with ExitStack() as stack:
        before = stack.enter_context(running_proxy(server.port))
        address = server.set(port=before.port).render_as_string()
        config = render_config(dovecot, slack, twilio, port=port, poll_every="5s", database=address)
        worker = stack.enter_context(worker_on(tmp_path, config, port, dovecot.password))
        worker.start()
        before.refuse()
        before.cut_now()
        wait_until(lambda: "lock was lost" in worker.log(), "the loss to be noticed")
        dovecot.deliver(buyer_mail(utc_now() - 17 * HOUR))
        wait_until(lambda: not worker.is_well(), "/healthz to say so")
        cut_sessions_with_the_lock(postgresql)
        stack.enter_context(running_proxy(server.port, before.port))
        wait_until(lambda: alerts(slack) == 1, f"the alert; log:\n{worker.log()[-3000:]}")
        wait_until(lambda: worker.is_well(), "/healthz to be well")
        assert alerts(slack) == 1
        wait_until(lambda: "taken again" in worker.log(), "the lock to be taken again")
        assert worker.stop() == 0


def test_a_database_that_comes_up_after_the_worker_is_waited_for(
    tmp_path: Path, dovecot: Dovecot, slack: SlackServer, twilio: TwilioServer, postgresql: str
) -> None:
    server = make_url(postgresql)
    assert server.port is not None
    port, later = free_port(), free_port()
    address = server.set(port=later).render_as_string()
    config = render_config(dovecot, slack, twilio, port=port, poll_every="5s", database=address)
    dovecot.deliver(buyer_mail(utc_now() - 17 * HOUR))
    with worker_on(tmp_path, config, port, dovecot.password) as worker:
        worker.start(wait=False)
        wait_until(lambda: "the server does not answer" in worker.log(), "the worker to say so")
        assert worker.log().count("This waits for it.") == 1
        with running_proxy(server.port, later):
            wait_until(lambda: alerts(slack) == 1, f"the alert; log:\n{worker.log()}")
            assert worker.stop() == 0


def test_one_cycle_by_hand_beside_a_worker_says_that_it_waits_for_its_turn(
    tmp_path: Path, dovecot: Dovecot, slack: SlackServer, twilio: TwilioServer, postgresql: str
) -> None:
    port = free_port()
    config = render_config(dovecot, slack, twilio, port=port, poll_every="5s", database=postgresql)
    with worker_on(tmp_path, config, port, dovecot.password) as worker:
        worker.start()
        command = [sys.executable, "-m", "monitor", "once"]
        with subprocess.Popen(command, cwd=tmp_path, env=worker.environ, stderr=subprocess.PIPE) as once:
            assert once.stderr is not None
            said = iter(once.stderr.readline, b"")
            assert any(b"waits for its turn" in line for line in said)
            assert worker.stop() == 0
            once.communicate(timeout=PATIENCE)
            assert once.returncode == 0


def test_one_process_at_a_time_has_the_lineage_of_a_folder_and_the_next_one_has_the_same(tmp_path: Path) -> None:
    first = take_lineage(tmp_path / "state")
    assert first is not None
    assert take_lineage(tmp_path / "state") is None
    other = take_lineage(tmp_path / "other")
    assert other is not None
    assert other.name != first.name
    other.hold.close()
    first.hold.close()
    second = take_lineage(tmp_path / "state")
    assert second is not None
    assert second.name == first.name
    second.hold.close()


def ended(worker: WorkerProcess) -> bool:
    return worker.process is not None and worker.process.poll() is not None


def through(slow: TcpProxy, slack: SlackServer, config: str) -> str:
    """Return the configuration with Slack behind the proxy."""
    return config.replace(f":{slack.port}/", f":{slow.port}/")


def sending(address: str) -> int:
    """Return how many deliveries are under way or doubtful."""
    engine = create_engine(address)
    with engine.connect() as connection:
        found = connection.execute(
            text("SELECT count(*) FROM delivery WHERE status IN ('sending', 'doubtful')")
        ).scalar_one()
    engine.dispose()
    return int(found)
