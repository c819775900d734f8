"""Several workers, dead ones, slow ones, and providers that hang."""

import threading
from datetime import timedelta

import pytest
import structlog
from sqlalchemy import Connection, Engine, event
from sqlalchemy.exc import OperationalError

from alerts.core.model import Channel
from alerts.delivery.ports import Timing
from alerts.errors import Reason
from alerts.outbox import ignore_outcome
from tests.fakes_alerts import START, doubt, make_alert, make_page, refusal
from tests.support.delivery_rig import Rig
from tests.support.waiting import wait_until


def test_a_worker_that_slept_through_its_lease_sends_nothing_when_it_wakes(rig: Rig) -> None:
    rig.open(1)
    rig.put(make_alert(1))

    def sleep_for_an_hour(name: str) -> None:
        if name == "intent":
            rig.clock.advance(hours=1)

    rig.start(checkpoint=sleep_for_an_hour).deliver_due(rig.clock())
    assert rig.slack.attempts == []
    other = rig.start(alone=False)
    for _ in range(2):
        other.reconcile(rig.clock.advance(seconds=4))
    assert len(rig.slack.accepted) == 1


def test_a_worker_that_was_overtaken_cannot_undo_what_the_other_did(rig: Rig) -> None:
    rig.open(1)
    rig.put(make_page(1))
    rig.sms.before.append(refusal())
    slow_goes_on, other_is_sending = threading.Event(), threading.Event()

    def stall(name: str) -> None:
        if name == "sent":
            assert slow_goes_on.wait(20)

    slow = rig.start(checkpoint=stall)
    slow.deliver_due(rig.clock(), wait_seconds=0)
    wait_until(lambda: len(rig.sms.attempts) == 1, "the first attempt")

    def wait_for_the_slow_one(name: str) -> None:
        if name == "intent":
            slow_goes_on.set()
            assert slow.stop(20)  # it has recorded its refusal, or tried to
            other_is_sending.set()

    other = rig.start(alone=False, checkpoint=wait_for_the_slow_one)
    other.reconcile(rig.clock.advance(minutes=2))
    other.reconcile(rig.clock.advance(seconds=4), wait_seconds=20)
    assert other_is_sending.is_set()
    assert rig.statuses() == ["sent"]
    assert [row["status"] for row in rig.deliveries()] == ["sent"]
    rig.deliver_until_quiet()
    assert len(rig.sms.accepted) == 1


def test_another_worker_leaves_a_delivery_alone_until_its_lease_ends(rig: Rig) -> None:
    rig.open(1)
    rig.put(make_alert(1))
    other = rig.start(alone=False)

    def look_from_the_side(name: str) -> None:
        if name == "sent":
            for _ in range(3):
                other.reconcile(rig.clock.advance(seconds=10))
                other.deliver_due(rig.clock())

    rig.start(checkpoint=look_from_the_side).deliver_due(rig.clock())
    assert rig.slack.looked_up == []
    assert len(rig.slack.attempts) == 1
    assert rig.statuses() == ["sent"]


def test_a_provider_that_hangs_delays_no_other_channel(rig: Rig) -> None:
    rig.open(1, 2)
    rig.slack.gate = threading.Event()
    rig.put(make_alert(1), make_page(1))
    summary = rig.dispatcher.deliver_due(rig.clock(), wait_seconds=0.5)
    assert summary.busy == (Channel.SLACK,)
    assert len(rig.sms.accepted) == 1
    rig.put(make_page(2))
    rig.dispatcher.deliver_due(rig.clock(), wait_seconds=0.5)
    assert len(rig.sms.accepted) == 2
    rig.dispatcher.reconcile(rig.clock(), wait_seconds=0)
    rig.slack.gate.set()
    assert rig.dispatcher.stop()
    assert len(rig.slack.attempts) == 1
    assert rig.statuses() == ["sent"] * 3


def test_a_stop_waits_for_what_is_being_sent_and_begins_nothing_new(rig: Rig) -> None:
    rig.open(1, 2)
    rig.slack.gate = threading.Event()
    rig.put(make_alert(1), make_alert(2))
    rig.dispatcher.deliver_due(rig.clock(), wait_seconds=0)
    assert rig.slack.entered.wait(10)
    assert not rig.dispatcher.stop(wait_seconds=0.05)
    rig.slack.gate.set()
    assert rig.dispatcher.stop()
    assert sorted(rig.statuses()) == ["pending", "sent"]


def test_a_provider_in_trouble_is_left_alone_until_the_next_tick(rig: Rig) -> None:
    rig.open(*range(1, 11))
    rig.put(*(make_alert(clock_id) for clock_id in range(1, 11)))
    rig.slack.before.extend([refusal(Reason.UNREACHABLE)] * 5)
    rig.deliver()
    assert len(rig.slack.attempts) == 3
    rig.deliver_until_quiet()
    assert len(rig.slack.accepted) == 10


def test_one_slack_channel_gets_one_message_a_second_and_others_do_not_wait_for_it(engine: Engine) -> None:
    rig = Rig(engine, timing=Timing(spacing={Channel.SLACK: timedelta(minutes=1)}))
    rig.open(1, 2, 3)
    rig.put(make_alert(1), make_alert(2), make_alert(3, receiver="managers"))
    rig.deliver()
    assert [item.receiver for item in rig.slack.accepted] == ["team", "managers"]
    rig.deliver(seconds=59)
    assert len(rig.slack.accepted) == 2
    rig.deliver(seconds=1)
    assert [item.threads[0].clock_id for item in rig.slack.accepted] == [1, 3, 2]


def test_an_outcome_that_cannot_be_written_is_looked_up_later(rig: Rig) -> None:
    rig.open(1)
    rig.put(make_alert(1))
    failing = threading.Event()

    def fail(conn: Connection) -> None:
        if failing.is_set():
            raise OperationalError("BEGIN", {}, Exception("database or disk is full"))

    event.listen(rig.engine, "begin", fail)
    dispatcher = rig.start(checkpoint=lambda name: failing.set() if name == "sent" else None)
    with pytest.raises(OperationalError, match="disk is full"):
        dispatcher.deliver_due(rig.clock(), wait_seconds=20)
    failing.clear()
    assert rig.statuses() == ["sending"]
    dispatcher.reconcile(rig.clock.advance(minutes=1))
    dispatcher.reconcile(rig.clock.advance(seconds=3))
    assert rig.statuses() == ["sent"]
    assert len(rig.slack.attempts) == 1


def test_a_bug_while_an_outcome_is_written_leaves_no_row_under_way_for_ever(rig: Rig) -> None:
    rig.open(1)
    rig.put(make_alert(1))

    def stumble(conn: Connection, receiver: str, channel: str, outcome: str) -> None:
        raise KeyError("a bug")

    rig.record_outcome = stumble
    with pytest.raises(KeyError):
        rig.dispatcher.deliver_due(rig.clock(), wait_seconds=20)
    assert rig.statuses() == ["sending"]
    rig.record_outcome = ignore_outcome
    rig.deliver(seconds=1)
    rig.deliver(seconds=3)
    assert rig.statuses() == ["sent"]
    assert len(rig.slack.attempts) == 1


def test_two_workers_at_once_send_each_message_once(rig: Rig) -> None:
    clocks = range(1, 41)
    rig.open(*clocks)
    rig.put(*(make_alert(clock_id) for clock_id in clocks), *(make_page(1, f"p{number}") for number in range(20)))
    workers = [rig.start(alone=False) for _ in range(3)]
    threads = [
        threading.Thread(target=worker.deliver_due, args=(rig.clock(),), kwargs={"wait_seconds": 30})
        for worker in workers
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(item.threads[0].clock_id for item in rig.slack.accepted) == list(clocks)
    assert sorted(str(item.person) for item in rig.sms.accepted) == sorted(f"p{number}" for number in range(20))


def test_an_orphan_of_a_dead_worker_is_looked_up_by_the_next_one(rig: Rig) -> None:
    rig.open(1, 2)
    rig.put(make_alert(1), make_alert(2))

    class Died(BaseException):
        pass

    def die(name: str) -> None:
        if name == "sent":
            raise Died

    with pytest.raises(Died):
        rig.start(checkpoint=die).deliver_due(rig.clock())
    assert sorted(rig.statuses()) == ["pending", "sending"]
    heir = rig.start()
    heir.reconcile(rig.clock.advance(seconds=1))
    assert rig.slack.looked_up == []  # the provider may still be at it
    summary = heir.reconcile(rig.clock.advance(seconds=3))
    assert summary.reconciled == 1
    heir.deliver_due(rig.clock())
    assert rig.statuses() == ["sent", "sent"]
    assert len(rig.slack.attempts) == 2


@pytest.mark.parametrize(("lineage", "waits"), [("here", False), ("elsewhere", True)])
def test_only_what_a_process_of_this_folder_and_machine_began_is_an_orphan_at_once(
    rig: Rig, lineage: str, waits: bool
) -> None:
    """On PostgreSQL another machine's worker may have lost its lock and still be sending: its lease protects that."""

    class Died(BaseException):
        pass

    def die(name: str) -> None:
        if name == "sent":
            raise Died

    rig.open(1)
    rig.put(make_alert(1))
    with pytest.raises(Died):
        rig.start(lineage=lineage, checkpoint=die).deliver_due(rig.clock())
    heir = rig.start(lineage="here")
    heir.reconcile(rig.clock.advance(seconds=1))
    heir.reconcile(rig.clock.advance(seconds=3))
    assert len(rig.slack.looked_up) == (0 if waits else 1)
    heir.reconcile(rig.clock.advance(seconds=90))
    heir.reconcile(rig.clock.advance(seconds=3))
    assert rig.statuses() == ["sent"]
    assert len(rig.slack.attempts) == 1


def test_an_idle_tick_writes_nothing(rig: Rig) -> None:
    rig.open(1)
    rig.put(make_alert(1, due_at=START + timedelta(days=1)))
    begun: list[bool] = []
    event.listen(rig.engine, "begin", lambda conn: begun.append(bool(conn.get_execution_options().get("read_only"))))
    rig.dispatcher.deliver_due(rig.clock())
    rig.dispatcher.check_delivered(rig.clock())
    assert begun
    assert all(begun)


def test_a_clock_set_back_an_hour_or_more_does_not_delay_a_retry(rig: Rig) -> None:
    rig.open(1)
    rig.put(make_alert(1, due_at=START - timedelta(days=1)))
    rig.slack.before.append(refusal())
    rig.deliver()
    rig.deliver(hours=-5)
    assert len(rig.slack.accepted) == 1


def test_a_worker_that_dies_while_it_asks_the_provider_leaves_the_question_to_the_next_at_once(rig: Rig) -> None:
    rig.open(1)
    rig.put(make_alert(1))
    rig.slack.after.append(doubt())
    rig.deliver()

    class Died(BaseException):
        pass

    def die(name: str) -> None:
        if name == "looked_up":
            raise Died

    with pytest.raises(Died):
        rig.start(checkpoint=die).reconcile(rig.clock.advance(seconds=3))
    heir = rig.start()
    heir.reconcile(rig.clock())
    heir.reconcile(rig.clock.advance(seconds=3))
    assert rig.statuses() == ["sent"]
    assert len(rig.slack.attempts) == 1


def test_a_delivery_that_is_repeated_is_no_orphan_of_its_first_try(rig: Rig) -> None:
    rig.open(1)
    rig.put(make_page(1))
    naps = iter([timedelta(hours=1)])

    def nap(name: str) -> None:
        if name == "intent":
            rig.clock.now += next(naps, timedelta(0))

    dispatcher = rig.start(checkpoint=nap)
    dispatcher.deliver_due(rig.clock())
    dispatcher.reconcile(rig.clock())
    rig.sms.gate = threading.Event()
    dispatcher.reconcile(rig.clock.advance(seconds=3), wait_seconds=0)
    assert rig.sms.entered.wait(20)
    dispatcher.reconcile(rig.clock(), wait_seconds=0)
    assert [row["status"] for row in rig.deliveries()] == ["sending"]
    rig.sms.gate.set()
    assert dispatcher.stop()
    assert len(rig.sms.accepted) == 1


def test_a_shell_command_that_sends_beside_the_worker_is_left_alone(rig: Rig) -> None:
    rig.open(1)
    rig.dispatcher.reconcile(rig.clock())
    rig.put(make_alert(1))

    def tick_meanwhile(name: str) -> None:
        if name == "intent":
            rig.dispatcher.reconcile(rig.clock())
            rig.dispatcher.reconcile(rig.clock.advance(seconds=10))

    rig.start(alone=False, checkpoint=tick_meanwhile).deliver_due(rig.clock())
    assert rig.slack.looked_up == []
    assert len(rig.slack.accepted) == 1


def test_two_workers_do_not_look_the_same_delivery_up_at_once(rig: Rig) -> None:
    rig.open(1)
    rig.put(make_alert(1))
    rig.slack.before.append(doubt())
    rig.deliver()
    other = rig.start(alone=False)

    def look_from_the_side(name: str) -> None:
        if name == "looked_up":
            other.reconcile(rig.clock())

    one = rig.start(alone=False, checkpoint=look_from_the_side)
    one.reconcile(rig.clock.advance(seconds=3))
    assert len(rig.slack.looked_up) == 1
    assert len(rig.slack.accepted) == 1


def test_two_lanes_that_stop_at_once_are_both_told(rig: Rig) -> None:
    rig.open(1)
    rig.put(make_alert(1), make_page(1))

    def fail(name: str) -> None:
        if name == "intent":
            raise RuntimeError("stand-in for a bug")

    with structlog.testing.capture_logs() as logs, pytest.raises(RuntimeError):
        rig.start(checkpoint=fail).deliver_due(rig.clock(), wait_seconds=20)
    assert [line["event"] for line in logs] == ["lane_stopped"]
