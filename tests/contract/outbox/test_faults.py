"""Lost answers, refusals, dead numbers: looked up, tried again, handed on, and always ended visibly."""

from dataclasses import replace
from datetime import timedelta
from itertools import pairwise

import pytest
from sqlalchemy import Engine

from alerts.core.model import Channel, Delivery, Purpose, Receipt
from alerts.delivery.ports import Target, Timing
from alerts.errors import Reason
from tests.fakes_alerts import START, RecordingNotifier, doubt, make_alert, make_news, make_page, refusal
from tests.support.delivery_rig import Rig


class CallsToldByPhone(RecordingNotifier):
    """Calls carry no mark: the newest one to a phone is what is found."""

    def find(self, delivery: Delivery) -> Receipt | None:
        """Return the newest call to this phone."""
        calls = [call for call in self.accepted if call.address == delivery.address]
        return self._receipt(calls[-1]) if calls else None


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


def test_a_redrawing_that_went_with_a_doubtful_ring_does_not_ring_alone(rig: Rig) -> None:
    rig.open(1)
    rig.put(make_alert(1))
    rig.deliver()
    rig.put(make_alert(1, step=1), make_news(Purpose.UPDATE, 1))
    rig.slack.before.append(doubt())
    rig.deliver()
    rig.close(1)
    rig.deliver(seconds=3)
    assert len(rig.slack.attempts) == 2
    assert rig.statuses() == ["sent", "cancelled: not_wanted", "cancelled: not_wanted"]


def test_a_reopening_that_may_not_have_arrived_is_not_repeated_once_it_is_answered_again(rig: Rig) -> None:
    rig.open(1)
    rig.put(make_news(Purpose.REOPENED, 1, channel=Channel.SMS, person="Ana", receiver="oncall-sms"))
    rig.sms.before.append(doubt())
    rig.deliver()
    rig.close(1)
    rig.deliver(seconds=3)
    assert len(rig.sms.attempts) == 1
    assert rig.statuses() == ["cancelled: not_wanted"]


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


def test_retry_after_outlives_the_worker(rig: Rig) -> None:
    rig.open(1)
    rig.put(make_alert(1))
    rig.slack.before.append(refusal(Reason.RATE_LIMITED, retry_after=timedelta(seconds=60)))
    rig.deliver()
    rig.dispatcher = rig.start()
    rig.deliver(seconds=59)
    assert len(rig.slack.attempts) == 1
    rig.deliver(seconds=5)
    assert len(rig.slack.accepted) == 1


def test_retry_after_is_honoured_where_nobody_knows_whether_it_was_accepted(rig: Rig) -> None:
    """A 503 that names a time: neither the look-up nor the repetition comes before it."""
    rig.open(1)
    rig.put(make_alert(1))
    rig.slack.before.append(doubt(Reason.SERVER_ERROR, retry_after=timedelta(seconds=60)))
    rig.deliver()
    rig.deliver(seconds=59)
    assert (len(rig.slack.attempts), len(rig.slack.looked_up)) == (1, 0)
    rig.deliver(seconds=1)
    assert (len(rig.slack.attempts), len(rig.slack.looked_up)) == (2, 1)
    assert rig.statuses() == ["sent"]


@pytest.mark.parametrize(("page", "waits"), [(True, 90), (False, 600)])
def test_a_look_up_is_put_off_as_long_as_the_provider_asks_but_a_page_waits_a_minute_and_a_half_at_most(
    rig: Rig, page: bool, waits: int
) -> None:
    rig.open(1)
    rig.put(make_page(1) if page else make_alert(1))
    notifier = rig.sms if page else rig.slack
    notifier.after.append(doubt())
    notifier.find_errors.append(refusal(Reason.RATE_LIMITED, retry_after=timedelta(seconds=600)))
    rig.deliver()
    rig.deliver(seconds=3)
    rig.deliver(seconds=waits - 1)
    assert len(notifier.looked_up) == 1
    rig.deliver(seconds=1)
    assert len(notifier.looked_up) == 2
    assert rig.statuses() == ["sent"]
    assert len(notifier.attempts) == 1


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


def test_an_unproven_message_never_rings_a_phone_even_when_slack_fails(rig: Rig) -> None:
    rig.open(1, verified=False)
    rig.open(2)
    rig.directory.successors = {"team": [Target("oncall-sms", Channel.SMS, "Ana"), Target("managers", Channel.SLACK)]}
    rig.slack.refused_addresses["slack:team"] = refusal(Reason.BAD_ADDRESS, retryable=False)
    rig.put(make_alert(1), make_alert(2))
    rig.deliver()
    rig.deliver()
    assert [item.threads[0].clock_id for item in rig.sms.accepted] == [2]
    assert [(item.receiver, item.threads[0].clock_id) for item in rig.slack.accepted] == [("managers", 1)]
    assert {row["channel"]: row["page"] for row in rig.rows()} == {"slack": False, "sms": True}


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


def test_the_end_waits_until_it_is_known_whether_the_beginning_arrived(rig: Rig) -> None:
    rig.open(1)
    rig.put(make_alert(1))
    rig.slack.after.append(doubt())
    rig.deliver()
    rig.answer(1)
    rig.put(make_news(Purpose.CLOSED, 1))
    rig.deliver(seconds=1)
    assert [item.purpose for item in rig.slack.accepted] == [Purpose.ALERT]
    rig.deliver(seconds=2)
    assert [item.purpose for item in rig.slack.accepted] == [Purpose.ALERT, Purpose.CLOSED]
    assert rig.slack.accepted[1].post is not None


def test_an_undelivered_sms_is_sent_again_while_it_is_wanted(rig: Rig) -> None:
    rig.open(1)
    rig.put(make_page(1))
    rig.deliver()
    rig.sms.check_outcomes.extend([None, refusal(Reason.UNDELIVERED)])
    assert rig.dispatcher.check_delivered(rig.clock.advance(seconds=10)) == 0
    assert rig.dispatcher.check_delivered(rig.clock.advance(seconds=20)) == 1
    assert rig.statuses() == ["pending: undelivered"]
    rig.deliver(seconds=5)
    assert [one.code for one in rig.sms.accepted] == [1, 1]
    assert rig.dispatcher.check_delivered(rig.clock.advance(seconds=10)) == 0
    assert [row["status"] for row in rig.deliveries()] == ["undelivered", "sent"]
    assert rig.deliveries()[1]["delivered_at"] == rig.clock()


def test_the_call_before_is_not_taken_for_one_whose_answer_was_lost(rig: Rig) -> None:
    voice = CallsToldByPhone(Channel.VOICE)
    rig.notifiers[Channel.VOICE] = voice
    rig.open(1, 2)
    rig.put(make_page(1, channel=Channel.VOICE, receiver="oncall-voice"))
    rig.deliver()
    rig.put(make_page(2, channel=Channel.VOICE, receiver="oncall-voice"))
    voice.before.append(doubt())
    rig.deliver(seconds=20)
    rig.deliver(seconds=5)
    assert [facts.clock_id for call in voice.accepted for facts in call.threads] == [1, 2]
    rig.put(make_page(2, step=1, channel=Channel.VOICE, receiver="oncall-voice"))
    voice.after.append(doubt())
    rig.deliver(seconds=20)
    rig.deliver(seconds=5)
    assert len(voice.accepted) == 3
    assert rig.statuses() == ["sent"] * 3


def test_an_sms_that_perhaps_arrived_shares_its_number_with_no_other_order(rig: Rig) -> None:
    rig.open(1, 2)
    rig.put(make_page(1))
    rig.deliver()
    rig.sms.check_outcomes.append(refusal(Reason.UNDELIVERED))
    rig.dispatcher.check_delivered(rig.clock.advance(seconds=10))
    rig.put(make_page(2))
    rig.deliver(seconds=5)
    said = [(one.code, [facts.clock_id for facts in one.threads]) for one in rig.sms.accepted]
    assert said == [(1, [1]), (2, [1, 2])]


def test_a_call_that_nobody_took_is_made_again_and_asked_about_for_two_minutes(rig: Rig) -> None:
    voice = rig.notifiers[Channel.VOICE]
    rig.open(1)
    rig.put(make_page(1), make_page(1, channel=Channel.VOICE, receiver="oncall-voice"))
    rig.deliver()
    voice.check_outcomes.extend([None, refusal(Reason.UNDELIVERED), *[None] * 9])
    for seconds in (10, 20):
        rig.dispatcher.check_delivered(rig.clock.advance(seconds=seconds))
    assert rig.statuses() == ["sent", "pending: undelivered"]
    rig.deliver(seconds=5)
    assert [one.code for one in voice.accepted] == [1, 1]
    for _ in range(20):
        rig.dispatcher.check_delivered(rig.clock.advance(seconds=30))
    assert 9 - (len(voice.check_outcomes)) == 3
    assert rig.deliveries()[-1]["check_at"] is None
    assert rig.statuses() == ["sent", "sent"]


@pytest.mark.parametrize(
    ("purpose", "calls"), [(Purpose.TEST, 1), (Purpose.HEALTH, 3), (Purpose.ALERT, 13)], ids=["test", "health", "alert"]
)
def test_a_phone_that_nobody_takes_goes_on_ringing_for_a_wait_alone(rig: Rig, purpose: Purpose, calls: int) -> None:
    voice = rig.notifiers[Channel.VOICE]
    voice.check_outcomes.extend([refusal(Reason.UNDELIVERED)] * 12)
    rig.open(1)
    call = make_page(1, purpose=purpose, channel=Channel.VOICE, receiver="oncall-voice")
    rig.put(call if purpose is Purpose.ALERT else replace(call, clock_id=None, thread_id=None))
    for _ in range(60):
        rig.deliver(minutes=3)
        rig.dispatcher.check_delivered(rig.clock.advance(seconds=30))
    assert len(voice.accepted) == calls
    assert rig.statuses() == ["sent" if purpose is Purpose.ALERT else "failed: undelivered"]


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


def test_a_check_that_breaks_stops_no_other_check(rig: Rig) -> None:
    rig.open(1, 2)
    rig.put(make_page(1), make_page(2, "Bo"), make_page(2, channel=Channel.VOICE, receiver="oncall-voice"))
    rig.deliver()
    rig.sms.check_outcomes.append(ZeroDivisionError("an answer nobody thought of"))
    rig.notifiers[Channel.VOICE].check_outcomes.append(refusal(Reason.UNDELIVERED))
    assert rig.dispatcher.check_delivered(rig.clock.advance(seconds=10)) == 1
    assert rig.statuses() == ["sent", "sent", "pending: undelivered"]
    assert [row["delivered_at"] is None for row in rig.deliveries() if row["channel"] == "sms"] == [True, False]


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


def test_a_provider_that_keeps_hanging_is_asked_further_and_further_apart_and_given_up_in_the_end(
    engine: Engine,
) -> None:
    rig = Rig(engine, timing=Timing(spacing={}, max_attempts=7))
    rig.open(1)
    rig.put(make_page(1))
    rig.sms.before.extend([doubt()] * 20)
    moments: list[int] = []
    for second in range(300):
        before = len(rig.sms.attempts)
        rig.deliver(seconds=1)
        moments += [second] * (len(rig.sms.attempts) - before)
    pauses = [later - earlier for earlier, later in pairwise(moments)]
    assert len(moments) == 7
    assert pauses[0] <= 5
    assert pauses == sorted(pauses)
    assert pauses[-1] >= 30
    assert rig.statuses() == ["failed: gave_up"]


def test_a_page_whose_outcome_stays_doubtful_also_goes_to_the_next_receiver(rig: Rig) -> None:
    rig.open(1)
    rig.directory.successors = {"oncall-sms": [Target("backup", Channel.VOICE, "Bo")]}
    rig.put(make_page(1))
    rig.sms.before.extend([doubt()] * 20)
    for _ in range(20):
        rig.deliver(seconds=15)
    assert [item.person for item in rig.notifiers[Channel.VOICE].accepted] == ["Bo"]


def test_a_network_that_never_reports_is_not_asked_for_ever(rig: Rig) -> None:
    rig.open(1)
    rig.put(make_page(1))
    rig.deliver()
    rig.sms.check_outcomes.extend([None] * 100)
    for _ in range(70):
        rig.dispatcher.check_delivered(rig.clock.advance(minutes=5))
    assert 30 < 100 - len(rig.sms.check_outcomes) < 60
    assert rig.statuses() == ["sent"]
