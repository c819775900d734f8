"""What is sent, to whom, together with what, and what is not sent."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import pytest
from sqlalchemy import Engine

from alerts.core.model import Channel, Delivery, Post, Purpose
from alerts.delivery.ports import Timing, never_hold
from alerts.errors import Reason
from alerts.heirs import pass_on_clock, pass_on_posts
from tests.fakes_alerts import START, doubt, make_alert, make_news, make_page, refusal
from tests.support.delivery_rig import Rig


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
    ends_at = START + timedelta(hours=1, minutes=2, seconds=30)
    rig.hold = lambda item, facts, now: ends_at if now < ends_at else None
    rig.open(1)
    rig.put(make_page(1), make_alert(1))
    rig.deliver()
    assert rig.statuses() == ["pending: quiet", "sent"]
    for _ in range(12):
        rig.deliver(minutes=5)
        assert rig.sms.accepted == []
    rig.deliver(minutes=2, seconds=29)
    assert rig.sms.accepted == []
    rig.deliver(seconds=1)
    assert len(rig.sms.accepted) == 1


def test_somebody_who_goes_on_call_in_quiet_hours_hears_within_minutes(rig: Rig) -> None:
    rig.hold = lambda item, facts, now: now + timedelta(hours=8)
    rig.open(1)
    rig.put(make_page(1))
    rig.deliver()
    rig.hold = never_hold
    rig.deliver(minutes=5)
    assert len(rig.sms.accepted) == 1


def test_what_becomes_pointless_in_quiet_hours_is_cancelled_before_they_end(rig: Rig) -> None:
    rig.hold = lambda item, facts, now: START + timedelta(hours=8)
    rig.open(1)
    rig.put(make_page(1, expires_at=START + timedelta(minutes=7)))
    rig.deliver()
    rig.deliver(minutes=10)
    assert rig.statuses() == ["cancelled: expired"]


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
    rig.put(make_news(Purpose.UPDATE, 1), make_news(Purpose.REOPENED, 1))
    rig.answer(1)
    rig.put(make_news(Purpose.CLOSED, 1))
    rig.deliver()
    assert [item.purpose for item in rig.slack.accepted] == [Purpose.ALERT, Purpose.CLOSED]
    assert rig.statuses() == ["sent", "cancelled: superseded", "cancelled: answered", "sent"]


def test_the_end_is_not_told_to_somebody_who_never_heard_of_the_beginning(rig: Rig) -> None:
    rig.open(1)
    rig.put(make_alert(1))
    rig.slack.before.append(refusal())
    rig.deliver()
    rig.answer(1)
    rig.put(make_news(Purpose.CLOSED, 1))
    rig.deliver_until_quiet()
    assert rig.slack.accepted == []
    assert sorted(rig.statuses()) == ["cancelled: answered", "cancelled: never_told"]


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


def test_a_thread_that_joined_another_while_its_message_was_under_way_is_drawn_in_that_message(rig: Rig) -> None:
    rig.open(1)
    rig.put(make_alert(1, thread_id=2))
    rig.threads.add(1, thread_id=2)

    def join(_: Delivery) -> None:
        rig.threads.add(1, thread_id=1)
        with rig.engine.begin() as conn:
            pass_on_clock(conn, 1, into=1, thread_id=1)

    rig.slack.on_send = join
    rig.deliver()
    rig.slack.on_send = None
    rig.put(make_news(Purpose.UPDATE, 1))
    rig.deliver()
    first, drawn = rig.slack.accepted
    assert drawn.post is not None
    assert drawn.post.message == f"ts-{first.reference[:8]}"


def test_a_message_that_arrives_after_its_thread_joined_one_with_a_message_says_so(rig: Rig) -> None:
    rig.open(1, 2)
    rig.put(make_alert(1))
    rig.deliver()
    rig.put(make_alert(2))

    def join(_: Delivery) -> None:
        rig.slack.on_send = None
        with rig.engine.begin() as conn:
            pass_on_clock(conn, 2, into=1, thread_id=1)

    rig.slack.on_send = join
    rig.deliver_until_quiet()
    rig.put(make_news(Purpose.UPDATE, 1))
    rig.deliver()
    first, second, gone, drawn = rig.slack.accepted
    assert (gone.post, gone.content["gone"]) == (_post_of(second), "joined")
    assert [facts.clock_id for facts in gone.threads] == [1]
    assert (drawn.post, dict(drawn.content)) == (_post_of(first), {})


def test_a_message_that_is_found_after_another_thread_brought_one_says_so(rig: Rig) -> None:
    rig.open(1, 2)
    rig.put(make_alert(1))
    rig.slack.after.append(doubt())
    rig.deliver()
    rig.put(make_alert(2))
    rig.deliver()
    with rig.engine.begin() as conn:
        pass_on_clock(conn, 2, into=1, thread_id=1)
        pass_on_posts(conn, 2, 1)
    rig.deliver_until_quiet()
    first, second, gone = rig.slack.accepted
    assert (gone.post, gone.content["gone"]) == (_post_of(first), "joined")
    rig.answer(1)
    rig.put(make_news(Purpose.CLOSED, 1))
    rig.deliver()
    assert rig.slack.accepted[-1].post == _post_of(second)


def test_what_changes_of_an_earlier_wait_is_not_drawn_over_the_alert_of_a_later_one(rig: Rig) -> None:
    rig.open(1, 2)
    rig.threads.add(2, thread_id=1)
    rig.put(make_alert(1))
    rig.deliver()
    rig.put(make_alert(2, thread_id=1))
    rig.deliver()
    rig.put(make_news(Purpose.UPDATE, 1))
    rig.deliver()
    rig.put(make_news(Purpose.UPDATE, 2, thread_id=1))
    rig.deliver()
    assert [(one.purpose, one.threads[0].clock_id) for one in rig.slack.accepted] == [
        (Purpose.ALERT, 1),
        (Purpose.ALERT, 2),
        (Purpose.UPDATE, 2),
    ]
    assert rig.statuses()[2] == "cancelled: superseded"


def test_of_two_redrawings_the_later_says_what_the_message_is_by_now(rig: Rig) -> None:
    rig.open(1)
    rig.put(make_alert(1))
    rig.deliver()
    rig.put(make_news(Purpose.UPDATE, 1, content={"gone": "joined"}), make_news(Purpose.UPDATE, 1, number=1))
    rig.deliver()
    assert dict(rig.slack.accepted[1].content) == {}


def test_the_last_line_of_a_message_is_said_whatever_was_told_later_of_its_thread(rig: Rig) -> None:
    rig.open(1, 2)
    rig.put(make_alert(2, thread_id=2))
    rig.deliver()
    rig.put(make_news(Purpose.UPDATE, 1, thread_id=2, content={"gone": "joined"}))
    rig.deliver()
    assert [dict(one.content) for one in rig.slack.accepted] == [{}, {"gone": "joined"}]


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


def test_a_message_that_was_refused_takes_no_number_away(rig: Rig) -> None:
    rig.open(1)
    rig.put(make_page(1))
    rig.sms.before.append(refusal())
    rig.deliver()
    rig.deliver(seconds=5)
    assert [item.code for item in rig.sms.attempts] == [1, 1]


def test_sms_and_voice_to_one_person_about_the_same_thread_say_one_number(rig: Rig) -> None:
    """Two lanes ask for it at once; which one is first differs from person to person."""
    people = [f"p{number}" for number in range(30)]
    rig.open(1)
    for person in people:
        rig.put(
            make_page(1, person, key=f"sms-{person}"),
            make_page(1, person, key=f"call-{person}", receiver="oncall-voice", channel=Channel.VOICE),
        )
    rig.deliver()
    said = [(item.person, item.code) for one in (Channel.SMS, Channel.VOICE) for item in rig.notifiers[one].accepted]
    assert sorted(said) == sorted([(person, 1) for person in people] * 2)


def test_sms_and_voice_to_one_person_about_different_threads_say_different_numbers(rig: Rig) -> None:
    rig.open(1, 2)
    rig.put(make_page(1), make_page(2, receiver="oncall-voice", channel=Channel.VOICE))
    rig.deliver()
    codes = [item.code for channel in (Channel.SMS, Channel.VOICE) for item in rig.notifiers[channel].accepted]
    assert sorted(code or 0 for code in codes) == [1, 2]


def test_who_was_told_only_of_the_end_by_no_earlier_message_is_still_told(rig: Rig) -> None:
    rig.open(1)
    rig.answer(1)
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


def first_of_a_clock(rig: Rig) -> list[bool]:
    """Let every message to a phone go at once; return, as it fills, whether each was said to be the first of its clock."""
    asked: list[bool] = []

    def note(channel: Channel, sent: Sequence[datetime], now: datetime, first_alert: bool) -> datetime:
        asked.append(first_alert)
        return now

    rig.allowed_at = note
    return asked


def test_the_first_alert_of_a_clock_may_jump_the_queue(rig: Rig) -> None:
    asked = first_of_a_clock(rig)
    rig.open(1)
    rig.put(make_page(1))
    rig.deliver()
    rig.put(make_page(1, step=1))
    rig.deliver(minutes=5)
    assert asked == [True, False]


@pytest.mark.parametrize(("next_one", "jumps"), [("Ana", False), ("Bo", True)], ids=["made again", "another person's"])
def test_a_call_that_nobody_took_was_that_phones_turn_to_jump_the_queue(rig: Rig, next_one: str, jumps: bool) -> None:
    asked = first_of_a_clock(rig)
    rig.open(1)
    rig.put(make_page(1, channel=Channel.VOICE))
    rig.deliver()
    rig.notifiers[Channel.VOICE].check_outcomes.append(refusal(Reason.UNDELIVERED))
    rig.dispatcher.check_delivered(rig.clock.advance(seconds=10))
    if next_one == "Bo":
        rig.put(make_page(1, "Bo", channel=Channel.VOICE))
    rig.deliver(seconds=1 if next_one == "Bo" else 5)
    assert [call.person for call in rig.notifiers[Channel.VOICE].accepted] == ["Ana", next_one]
    assert asked == [True, jumps]


def test_what_a_stranger_sent_by_the_thousand_goes_after_everything_else(engine: Engine) -> None:
    """One message a second to a channel: thirty forged breaches would hold a genuine alert up for half a minute."""
    rig = Rig(engine, timing=Timing(spacing={Channel.SLACK: timedelta(minutes=1)}))
    rig.open(*range(1, 33))
    rig.put(*(make_alert(clock_id, page=True, verified=False) for clock_id in range(1, 31)))
    rig.deliver()
    rig.put(make_alert(31, due_at=rig.clock()), make_alert(32, due_at=rig.clock(), page=True))
    for _ in range(3):
        rig.deliver(minutes=1)
    assert [item.threads[0].clock_id for item in rig.slack.accepted] == [1, 32, 31, 2]
