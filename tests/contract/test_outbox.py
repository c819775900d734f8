"""What delivering promises, on SQLite and PostgreSQL alike."""

import threading
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.exc import OperationalError

from alerts.core.model import Channel, Delivery, Post, Purpose
from alerts.delivery.ports import Target, Timing
from alerts.errors import Reason
from tests.fakes_alerts import START, doubt, make_alert, make_news, make_page, refusal
from tests.support.delivery_rig import Rig, sqlite_engine
from tests.support.postgresql import running_postgresql


@pytest.fixture(scope="module")
def postgresql_address() -> Iterator[str]:
    with running_postgresql() as address:
        yield address


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.integration)])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    if request.param == "sqlite":
        made = sqlite_engine(tmp_path / "outbox.db")
    else:
        made = create_engine(request.getfixturevalue("postgresql_address"))
    yield made
    made.dispose()


@pytest.fixture
def rig(engine: Engine) -> Rig:
    return Rig(engine)


def _post_of(posted: Delivery) -> Post:
    return Post(channel="slack:team", message=f"ts-{posted.reference[:8]}")


def test_planning_twice_tells_once(rig: Rig) -> None:
    rig.open(1)
    assert rig.put(make_alert(1)) == 1
    assert rig.put(make_alert(1), make_alert(1, step=1)) == 1
    rig.deliver()
    assert len(rig.slack.accepted) == 1
    assert rig.put(make_alert(1), make_alert(1, step=1)) == 0
    rig.deliver(minutes=10)
    assert len(rig.slack.accepted) == 1


def test_nothing_goes_out_before_it_is_due(rig: Rig) -> None:
    rig.open(1)
    rig.put(make_alert(1, due_at=START + timedelta(minutes=5)))
    rig.deliver(minutes=4, seconds=59)
    assert rig.slack.accepted == []
    rig.deliver(seconds=1)
    assert len(rig.slack.accepted) == 1


def test_an_alert_whose_clock_was_answered_in_between_is_cancelled_and_says_why(rig: Rig) -> None:
    rig.open(1)
    rig.put(make_alert(1))
    rig.threads.add(1, answered_at=START)
    rig.close(1)
    rig.deliver()
    assert rig.slack.attempts == []
    assert rig.statuses() == ["cancelled: answered"]
    assert rig.outcomes == {("team", "slack", "cancelled"): 1}


def test_an_answer_lost_after_acceptance_is_looked_up_and_not_sent_again(rig: Rig) -> None:
    rig.open(1)
    rig.put(make_alert(1))
    rig.slack.after.append(doubt())
    rig.deliver()
    assert [row["status"] for row in rig.deliveries()] == ["doubtful"]
    rig.deliver(seconds=2)
    assert rig.slack.looked_up == []  # the provider has not settled yet
    rig.deliver(seconds=1)
    assert len(rig.slack.looked_up) == 1
    assert len(rig.slack.attempts) == 1
    assert rig.statuses() == ["sent"]
    assert rig.outcomes == {("team", "slack", "reconciled"): 1}


def test_a_request_lost_before_acceptance_is_sent_again_with_the_same_reference_and_code_within_5_s(rig: Rig) -> None:
    rig.open(1)
    rig.put(make_page(1))
    rig.sms.before.append(doubt())
    rig.deliver()
    rig.deliver(seconds=3)
    first, second = rig.sms.attempts
    assert (first.reference, first.code) == (second.reference, second.code) == (rig.sms.accepted[0].reference, 1)
    assert first.attempted_at == second.attempted_at == START
    assert rig.statuses() == ["sent"]


def test_a_doubtful_page_that_was_acknowledged_meanwhile_is_not_repeated(rig: Rig) -> None:
    rig.open(1)
    rig.put(make_page(1))
    rig.sms.before.append(doubt())
    rig.deliver()
    rig.threads.add(1, acknowledged_by="Bo")
    rig.close(1)
    rig.deliver(seconds=3)
    assert len(rig.sms.attempts) == 1
    assert rig.statuses() == ["cancelled: acknowledged"]
    assert [row["status"] for row in rig.deliveries()] == ["cancelled"]


def test_when_the_look_up_fails_a_page_is_repeated(rig: Rig) -> None:
    rig.open(1)
    rig.put(make_page(1))
    rig.sms.before.append(doubt())
    rig.sms.find_errors.extend([doubt()] * 3)
    rig.deliver()
    rig.deliver_until_quiet(seconds=10)
    assert len(rig.sms.looked_up) == 3
    assert len(rig.sms.accepted) == 1
    assert rig.statuses() == ["sent"]


def test_when_the_look_up_fails_a_notice_is_given_up_visibly_and_never_repeated(rig: Rig) -> None:
    rig.open(1)
    rig.put(make_news(Purpose.REOPENED, 1))
    rig.slack.after.append(doubt())
    rig.slack.find_errors.extend([doubt()] * 50)
    rig.deliver()
    rig.deliver_until_quiet(minutes=10)
    assert len(rig.slack.attempts) == 1
    assert rig.statuses() == ["failed: unknown_outcome"]
    assert rig.outcomes[("team", "slack", "failed")] == 1


def test_a_provider_that_cannot_be_asked_at_all_is_not_asked_twice(rig: Rig) -> None:
    rig.open(1)
    rig.put(make_page(1))
    rig.sms.before.append(doubt())
    rig.sms.find_errors.append(refusal(Reason.BAD_CREDENTIALS, retryable=False))
    rig.deliver()
    rig.deliver(seconds=3)
    assert len(rig.sms.looked_up) == 1
    assert len(rig.sms.accepted) == 1


def test_the_first_retry_comes_within_5_s_and_later_ones_further_apart(rig: Rig) -> None:
    rig.open(1)
    rig.put(make_alert(1))
    rig.slack.before.extend([refusal()] * 8)
    moments = []
    for second in range(1000):
        rig.clock.now = START + timedelta(seconds=second)
        before = len(rig.slack.attempts)
        rig.dispatcher.deliver_due(rig.clock())
        if len(rig.slack.attempts) > before:
            moments.append(second)
        if rig.statuses() == ["sent"]:
            break
    pauses = [later - earlier for earlier, later in pairwise(moments)]
    assert pauses[0] <= 5
    assert pauses == sorted(pauses)
    assert len(moments) == 9
    assert rig.outcomes[("team", "slack", "retried")] == 8


def test_retry_after_is_honoured(rig: Rig) -> None:
    rig.open(1, 2)
    rig.put(make_alert(1), make_alert(2))
    rig.slack.before.append(refusal(Reason.RATE_LIMITED, retry_after=timedelta(seconds=60)))
    rig.deliver()
    rig.deliver(seconds=59)
    assert len(rig.slack.attempts) == 1  # the second thread does not run into the same wall either
    rig.deliver(seconds=5)
    assert len(rig.slack.accepted) == 2


def test_attempts_end_at_the_cap_in_a_visible_state(engine: Engine) -> None:
    rig = Rig(engine, timing=Timing(spacing={}, max_attempts=4))
    rig.open(1)
    rig.put(make_alert(1))
    rig.slack.before.extend([refusal()] * 9)
    rig.deliver_until_quiet(seconds=60)
    assert len(rig.slack.attempts) == 4
    assert rig.statuses() == ["failed: gave_up"]


def test_attempts_end_when_the_clock_closes(rig: Rig) -> None:
    rig.open(1)
    rig.put(make_alert(1))
    rig.slack.before.extend([refusal()] * 9)
    rig.deliver()
    rig.close(1)
    rig.deliver(seconds=10)
    assert len(rig.slack.attempts) == 1
    assert rig.statuses() == ["cancelled: not_wanted"]


def test_attempts_end_when_it_would_come_too_late(rig: Rig) -> None:
    rig.open(1)
    rig.put(make_alert(1, expires_at=START + timedelta(seconds=8)))
    rig.slack.before.extend([refusal()] * 9)
    rig.deliver()
    rig.deliver(seconds=8)
    assert rig.statuses() == ["cancelled: expired"]


def test_a_permanent_error_fails_at_once_hands_on_and_tells_the_team(rig: Rig) -> None:
    rig.open(1)
    rig.directory.successors = {"oncall-sms": [Target("backup-sms", Channel.SMS, "Bo")]}
    rig.directory.health = [Target("team", Channel.SLACK), Target("oncall-sms", Channel.SMS, "Ana")]
    rig.sms.refused_addresses["sms:Ana"] = refusal(Reason.OPTED_OUT, retryable=False)
    rig.put(make_page(1))
    rig.deliver()
    rig.deliver()
    assert [item.person for item in rig.sms.accepted] == ["Bo"]
    assert [(item.purpose, item.content["reason"]) for item in rig.slack.accepted] == [(Purpose.HEALTH, "opted_out")]
    assert rig.statuses() == ["failed: opted_out", "sent", "sent"]
    assert rig.outcomes[("oncall-sms", "sms", "failed")] == 1


def test_two_receivers_that_stand_in_for_each_other_do_not_ask_round_for_ever(rig: Rig) -> None:
    rig.open(1)
    rig.directory.successors = {
        "oncall-sms": [Target("backup-sms", Channel.SMS, "Bo")],
        "backup-sms": [Target("oncall-sms", Channel.SMS, "Ana")],
    }
    for person in ("Ana", "Bo"):
        rig.sms.refused_addresses[f"sms:{person}"] = refusal(Reason.BAD_ADDRESS, retryable=False)
    rig.put(make_page(1))
    for _ in range(4):
        rig.deliver(seconds=5)
    assert rig.statuses() == ["failed: bad_address", "failed: bad_address"]


def test_the_team_hears_once_of_a_receiver_that_keeps_failing(rig: Rig) -> None:
    rig.open(1, 2, 3)
    rig.directory.health = [Target("team", Channel.SLACK)]
    rig.sms.refused_addresses["sms:Ana"] = refusal(Reason.BAD_ADDRESS, retryable=False)
    for clock_id in (1, 2):
        rig.put(make_page(clock_id))
        rig.deliver(minutes=30)
        rig.deliver()
    assert len(rig.slack.accepted) == 1
    rig.sms.refused_addresses.clear()
    rig.put(make_page(3))
    rig.deliver()
    rig.sms.refused_addresses["sms:Ana"] = refusal(Reason.BAD_ADDRESS, retryable=False)
    rig.put(make_page(3, step=1))
    rig.deliver()
    rig.deliver()
    assert len(rig.slack.accepted) == 2


def test_a_page_that_keeps_failing_also_goes_to_the_next_receiver_while_its_retries_go_on(rig: Rig) -> None:
    rig.open(1)
    rig.directory.successors = {"oncall-sms": [Target("backup", Channel.VOICE, "Bo")]}
    rig.sms.refused_addresses["sms:Ana"] = refusal(Reason.SERVER_ERROR)
    rig.put(make_page(1))
    for _ in range(20):
        rig.deliver(seconds=15)
    assert [item.person for item in rig.notifiers[Channel.VOICE].accepted] == ["Bo"]
    rig.sms.refused_addresses.clear()
    rig.deliver_until_quiet(minutes=10)
    assert [item.person for item in rig.sms.accepted] == ["Ana"]


def test_a_receiver_that_left_the_configuration_is_failed_and_not_lost(rig: Rig) -> None:
    rig.open(1)
    rig.directory.moved_away.add("team")
    rig.directory.successors = {"team": [Target("other", Channel.SLACK)]}
    rig.put(make_alert(1))
    rig.deliver()
    rig.deliver()
    assert rig.statuses() == ["failed: no_address", "sent"]


def test_a_bug_in_a_notifier_costs_one_channel_some_time_and_no_row(rig: Rig) -> None:
    rig.open(1)
    rig.put(make_alert(1), make_page(1))
    rig.slack.before.append(ZeroDivisionError("a template"))
    rig.deliver()
    assert len(rig.sms.accepted) == 1
    rig.deliver_until_quiet()
    assert len(rig.slack.accepted) == 1


def test_everything_due_for_one_phone_is_one_message_most_urgent_first(rig: Rig) -> None:
    rig.open(3, 1, 2)
    rig.put(
        make_page(3),
        make_page(1, receiver="managers"),
        make_page(2),
        make_page(2, receiver="managers"),
        make_page(2, "Bo"),
    )
    rig.deliver()
    told = {item.person: [facts.clock_id for facts in item.threads] for item in rig.sms.accepted}
    assert told == {"Ana": [1, 2, 3], "Bo": [2]}
    assert rig.statuses() == ["sent"] * 5


def test_what_a_full_phone_cannot_get_yet_is_bundled_and_not_dropped(rig: Rig) -> None:
    rig.allowed_at = lambda channel, sent, now, first: max([now, *(at + timedelta(minutes=1) for at in sent)])
    rig.open(1, 2, 3)
    rig.put(make_page(1))
    rig.deliver()
    rig.put(make_page(2))
    rig.deliver(seconds=20)
    rig.put(make_page(3))
    rig.deliver(seconds=20)
    assert rig.statuses() == ["sent", "pending: rate_limit", "pending: rate_limit"]
    rig.deliver(seconds=20)
    assert [[facts.clock_id for facts in item.threads] for item in rig.sms.accepted] == [[1], [2, 3]]


def test_quiet_hours_hold_delivery_and_it_goes_out_the_second_they_end(rig: Rig) -> None:
    ends_at = START + timedelta(hours=1)
    rig.hold = lambda item, facts, now: ends_at if now < ends_at else None
    rig.open(1)
    rig.put(make_page(1), make_alert(1))
    rig.deliver()
    assert rig.statuses() == ["pending: quiet", "sent"]
    for _ in range(12):
        assert rig.sms.accepted == []
        rig.deliver(minutes=5)
    assert len(rig.sms.accepted) == 1


def test_several_changes_are_drawn_once(rig: Rig) -> None:
    rig.open(1)
    rig.put(make_alert(1))
    rig.deliver()
    rig.put(*(make_news(Purpose.UPDATE, 1, number=number) for number in range(3)))
    rig.deliver()
    assert [item.purpose for item in rig.slack.accepted] == [Purpose.ALERT, Purpose.UPDATE]
    assert rig.slack.accepted[1].post == _post_of(rig.slack.accepted[0])
    assert rig.statuses() == ["sent"] * 4


def test_the_end_makes_pending_alerts_and_changes_superfluous(rig: Rig) -> None:
    rig.open(1)
    rig.put(make_alert(1))
    rig.deliver()
    rig.put(make_news(Purpose.UPDATE, 1), make_news(Purpose.REOPENED, 1), make_news(Purpose.CLOSED, 1))
    rig.deliver()
    assert [item.purpose for item in rig.slack.accepted] == [Purpose.ALERT, Purpose.CLOSED]
    assert rig.statuses() == ["sent", "cancelled: superseded", "cancelled: superseded", "sent"]


def test_the_end_is_not_told_to_somebody_who_never_heard_of_the_beginning(rig: Rig) -> None:
    rig.open(1)
    rig.put(make_alert(1))
    rig.slack.before.append(refusal())
    rig.deliver()
    rig.close(1)
    rig.put(make_news(Purpose.CLOSED, 1))
    rig.deliver_until_quiet()
    assert rig.slack.accepted == []
    assert sorted(rig.statuses()) == ["cancelled: never_told", "cancelled: not_wanted"]


def test_the_end_waits_until_it_is_known_whether_the_beginning_arrived(rig: Rig) -> None:
    rig.open(1)
    rig.put(make_alert(1))
    rig.slack.after.append(doubt())
    rig.deliver()
    rig.close(1)
    rig.put(make_news(Purpose.CLOSED, 1))
    rig.deliver(seconds=1)
    assert [item.purpose for item in rig.slack.accepted] == [Purpose.ALERT]
    rig.deliver(seconds=2)
    assert [item.purpose for item in rig.slack.accepted] == [Purpose.ALERT, Purpose.CLOSED]
    assert rig.slack.accepted[1].post is not None


def test_a_thread_keeps_one_message_for_its_whole_life(rig: Rig) -> None:
    rig.open(1)
    rig.open(2, thread_id=1)
    rig.put(make_alert(1))
    rig.deliver()
    rig.put(make_alert(2, thread_id=1))
    rig.deliver()
    first, second = rig.slack.accepted
    assert first.post is None
    assert second.post == _post_of(first)


def test_a_message_that_was_deleted_by_hand_is_posted_anew(rig: Rig) -> None:
    rig.open(1)
    rig.put(make_alert(1))
    rig.deliver()
    rig.put(make_news(Purpose.UPDATE, 1))
    rig.slack.before.append(refusal(Reason.GONE, retryable=False))
    rig.deliver()
    assert [item.post is None for item in rig.slack.accepted] == [True, True]
    rig.put(make_news(Purpose.UPDATE, 1, number=1))
    rig.deliver()
    assert rig.slack.accepted[2].post == _post_of(rig.slack.accepted[1])


def test_an_undelivered_sms_is_sent_again_while_it_is_wanted(rig: Rig) -> None:
    rig.open(1)
    rig.put(make_page(1))
    rig.deliver()
    rig.sms.check_outcomes.extend([None, refusal(Reason.UNDELIVERED)])
    assert rig.dispatcher.check_delivered(rig.clock.advance(seconds=10)) == 0
    assert rig.dispatcher.check_delivered(rig.clock.advance(seconds=20)) == 1
    assert rig.statuses() == ["pending: undelivered"]
    rig.deliver(seconds=5)
    assert len(rig.sms.accepted) == 2
    assert rig.dispatcher.check_delivered(rig.clock.advance(seconds=10)) == 0
    assert [row["status"] for row in rig.deliveries()] == ["undelivered", "sent"]
    assert rig.deliveries()[1]["delivered_at"] == rig.clock()


def test_an_sms_to_a_dead_number_is_failed_and_handed_on(rig: Rig) -> None:
    rig.open(1)
    rig.directory.successors = {"oncall-sms": [Target("backup-sms", Channel.SMS, "Bo")]}
    rig.put(make_page(1))
    rig.deliver()
    rig.sms.check_outcomes.append(refusal(Reason.BAD_ADDRESS, retryable=False))
    rig.dispatcher.check_delivered(rig.clock.advance(seconds=10))
    rig.deliver()
    assert [item.person for item in rig.sms.accepted] == ["Ana", "Bo"]
    assert rig.statuses() == ["failed: bad_address", "sent"]


def test_a_status_that_cannot_be_read_says_nothing_about_the_phone(rig: Rig) -> None:
    rig.open(1)
    rig.put(make_page(1))
    rig.deliver()
    rig.sms.check_outcomes.append(refusal(Reason.SERVER_ERROR))
    assert rig.dispatcher.check_delivered(rig.clock.advance(seconds=10)) == 0
    assert rig.statuses() == ["sent"]
    rig.dispatcher.check_delivered(rig.clock.advance(seconds=20))
    assert rig.deliveries()[0]["delivered_at"] is not None


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


def test_another_worker_leaves_a_delivery_alone_until_its_lease_ends(rig: Rig) -> None:
    rig.open(1)
    rig.put(make_alert(1))
    other = rig.start(alone=False)

    def look_from_the_side(name: str) -> None:
        if name == "sent":
            other.reconcile(rig.clock.advance(seconds=30))
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


def test_codes_of_sms_and_voice_to_one_person_differ(rig: Rig) -> None:
    rig.open(1)
    rig.put(make_page(1), make_page(1, receiver="oncall-voice", channel=Channel.VOICE))
    rig.deliver()
    codes = [item.code for channel in (Channel.SMS, Channel.VOICE) for item in rig.notifiers[channel].accepted]
    assert sorted(code or 0 for code in codes) == [1, 2]


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


def test_a_second_ring_waits_until_it_is_known_whether_the_first_arrived(rig: Rig) -> None:
    rig.open(1)
    rig.put(make_page(1))
    rig.sms.before.append(doubt())
    rig.deliver()
    rig.put(make_page(1, step=1))
    rig.deliver(seconds=1)
    assert len(rig.sms.attempts) == 1
    rig.deliver_until_quiet()
    assert len(rig.sms.accepted) == 2


def test_who_was_told_only_of_the_end_by_no_earlier_message_is_still_told(rig: Rig) -> None:
    rig.open(1)
    rig.put(make_news(Purpose.CLOSED, 1, receiver="managers"))
    rig.deliver()
    assert [item.receiver for item in rig.slack.accepted] == ["managers"]


def test_a_change_has_nothing_to_redraw_where_no_message_stands(rig: Rig) -> None:
    rig.open(1)
    rig.put(make_news(Purpose.UPDATE, 1))
    rig.deliver()
    assert rig.slack.attempts == []
    assert rig.statuses() == ["cancelled: never_told"]


def test_an_alert_about_an_erased_thread_is_cancelled(rig: Rig) -> None:
    rig.open(1)
    rig.threads.facts.clear()
    rig.put(make_alert(1))
    rig.deliver()
    assert rig.statuses() == ["cancelled: forgotten"]


def test_the_first_alert_of_a_clock_may_jump_the_queue(rig: Rig) -> None:
    asked: list[bool] = []

    def note(channel: Channel, sent: Sequence[datetime], now: datetime, first_alert: bool) -> datetime:
        asked.append(first_alert)
        return now

    rig.allowed_at = note
    rig.open(1)
    rig.put(make_page(1))
    rig.deliver()
    rig.put(make_page(1, step=1))
    rig.deliver(minutes=5)
    assert asked == [True, False]


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
