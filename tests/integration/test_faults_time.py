"""A wall clock that steps, a worker that was stopped for hours and wakes: every wait is told, each step once."""

import signal
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from freezegun import freeze_time

from monitor.scheduler import Job, Ticker
from monitor.wallclock import utc_now
from tests.support.dovecot import running_dovecot
from tests.support.mails import ORDER, buyer_mail
from tests.support.ports import free_port
from tests.support.slack_server import SlackServer
from tests.support.small_world import SmallWorld, restarted, small_world
from tests.support.twilio_server import TwilioServer
from tests.support.waiting import wait_until
from tests.support.worker_process import render_config, worker_on

SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[SmallWorld]:
    with small_world(tmp_path) as made:
        yield made


def rings(world: SmallWorld) -> list[str]:
    return [text for text in world.texts() if ORDER in text]


def test_hours_asleep_collapse_into_the_most_urgent_step_and_the_breach_is_told(world: SmallWorld) -> None:
    world.buyer_writes()
    world.pass_time(10 * MINUTE, MINUTE)
    world.clock.advance(hours=30)  # stopped with a message in hand; every step and the breach passed
    world.pass_time(2 * MINUTE)
    assert len(rings(world)) == 1, world.texts()
    assert "OVERDUE" in rings(world)[0]
    assert len(world.twilio.sent) == 1
    assert world.twilio.sent[0].body.startswith("OVERDUE")
    assert world.metric("replyby_clocks_total", outcome="no_response") == 1
    assert world.metric("replyby_threads_open", state="breached") == 1


def test_a_mail_that_came_while_asleep_is_told_on_waking(world: SmallWorld) -> None:
    world.pass_time(MINUTE)
    world.clock.advance(hours=20)
    world.buyer_writes(world.clock() - 18 * HOUR)
    world.pass_time(2 * MINUTE)
    assert len(rings(world)) == 1


def test_one_that_was_answered_while_asleep_is_told_to_nobody(world: SmallWorld) -> None:
    world.buyer_writes()
    world.pass_time(2 * MINUTE)
    world.clock.advance(hours=23)
    world.seller_replies(world.clock() - HOUR)
    world.pass_time(3 * MINUTE)
    assert rings(world) == []
    assert world.twilio.sent == []
    assert world.metric("replyby_clocks_total", outcome="met") == 1


@pytest.mark.parametrize("restart", [False, True], ids=["running", "restarted"])
@pytest.mark.parametrize("back", [10 * MINUTE, 6 * HOUR, timedelta(days=30)], ids=str)
def test_a_clock_set_back_repeats_nothing_and_holds_nothing_for_ever(
    tmp_path: Path, world: SmallWorld, back: timedelta, restart: bool
) -> None:
    world.buyer_writes(world.clock() - 17 * HOUR)
    world.pass_time(2 * MINUTE)
    assert len(rings(world)) == 1
    right = world.clock()
    world.clock.set(right - back)
    if restart:
        world = restarted(world, tmp_path)
    world.pass_time(5 * MINUTE, 30 * SECOND)
    assert len(rings(world)) == 1, "nothing is told twice because the clock went back"
    world.clock.set(right + 5 * MINUTE)  # somebody sets it right again
    world.pass_time(6 * HOUR, 10 * MINUTE)
    assert len(world.twilio.sent) == 1, "the step at two hours rings"
    world.pass_time(90 * MINUTE, 5 * MINUTE)
    assert any("OVERDUE" in text for text in rings(world)), rings(world)
    assert world.metric("replyby_notifications_total", outcome="failed") == 0
    world.worker.dispatcher.stop(5)


def test_a_retry_put_off_by_a_clock_that_was_ahead_is_pulled_in(world: SmallWorld) -> None:
    world.slack.faults.fail_next("chat.postMessage", "rate_limited", retry_after=3000, times=2)
    world.buyer_writes(world.clock() - 17 * HOUR)
    world.pass_time(MINUTE)
    assert rings(world) == []
    right = world.clock()
    world.clock.set(right + 3 * HOUR)
    world.pass_time(10 * SECOND)
    assert rings(world) == [], "refused once more, and put off to an instant hours ahead"
    world.clock.set(right)
    world.pass_time(MINUTE)
    assert len(rings(world)) == 1
    assert world.logged("deliveries_to_reconcile")


def test_a_clock_far_ahead_for_a_moment_loses_nothing(world: SmallWorld) -> None:
    world.buyer_writes()
    world.pass_time(2 * MINUTE)
    right = world.clock()
    world.clock.set(right + timedelta(days=3650))
    world.pass_time(10 * SECOND)
    world.clock.set(right + MINUTE)
    world.pass_time(MINUTE)
    world.seller_replies()
    world.pass_time(3 * MINUTE)
    assert world.metric("replyby_threads_open") == 0
    assert world.metric("replyby_outbox_pending") == 0


# The tick -----------------------------------------------------------------------------------------------------------------


def test_ticks_go_on_after_the_clock_was_set_back_also_of_a_job_that_ran_meanwhile() -> None:
    """Without `resynchronise` both jobs would wait until the old time comes round again."""
    start = datetime(2026, 11, 20, 12, tzinfo=UTC)
    ran = {"quick": 0, "slow": 0}
    inside, go_on = threading.Event(), threading.Event()

    def quick() -> None:
        ran["quick"] += 1

    def slow() -> None:
        ran["slow"] += 1
        if ran["slow"] == 1:
            inside.set()
            go_on.wait(20)

    with freeze_time(start) as frozen:
        ticker = Ticker(
            [Job(id="quick", every=SECOND, run=quick), Job(id="slow", every=SECOND, run=slow)],
            lambda: datetime.fromtimestamp(frozen().replace(tzinfo=UTC).timestamp(), UTC),
        )
        ticker.start()
        try:
            frozen.tick(2)
            ticker.run_soon("slow")
            ticker.run_soon("quick")
            assert inside.wait(20), "the slow job runs when the clock is set back"
            wait_until(lambda: ran["quick"] >= 1, "the quick one")
            frozen.move_to(start - 2 * HOUR)
            before = dict(ran)
            ticker.resynchronise()
            wait_until(lambda: ran["quick"] > before["quick"], "the quick job after the step back")
            go_on.set()

            def slow_goes_on() -> bool:
                frozen.tick(0.1)  # seconds of the new time, not the two hours until the old one
                return ran["slow"] > before["slow"] + 2

            wait_until(slow_goes_on, "the slow job after the step back")
        finally:
            go_on.set()
            ticker.stop()


# A real process ------------------------------------------------------------------------------------------------------------


@pytest.mark.integration
def test_a_process_that_was_stopped_tells_what_came_meanwhile_once(tmp_path: Path) -> None:
    slack, twilio = SlackServer().start(), TwilioServer().start()
    port = free_port()
    try:
        with running_dovecot() as dovecot:
            config = render_config(dovecot, slack, twilio, port=port, poll_every="5s")
            with worker_on(tmp_path, config, port, dovecot.password) as worker:
                worker.start()
                assert worker.process is not None
                worker.process.send_signal(signal.SIGSTOP)
                state = Path(f"/proc/{worker.process.pid}/stat")
                wait_until(lambda: state.read_text().rpartition(") ")[2].startswith("T"), "the process to stand still")
                for number in range(5):
                    dovecot.deliver(
                        buyer_mail(
                            utc_now() - 17 * HOUR,
                            order=f"402-000000{number}-0000009",
                            alias=f"stalled{number}aaaaaaa@marketplace.amazon.fr",
                        )
                    )
                assert slack.messages() == []
                worker.process.send_signal(signal.SIGCONT)
                wait_until(lambda: len(slack.messages()) == 5, "all five alerts after waking")
                wait_until(lambda: worker.get("/healthz") == "ok\n", "the worker to be well")
                wait_until(lambda: worker.metric("replyby_outbox_pending") == 0, "everything to be delivered")
                assert len({str(one["text"]) for one in slack.messages()}) == 5
    finally:
        slack.stop()
        twilio.stop()
