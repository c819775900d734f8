"""Which step is told, to whom, when again, and what holds it back."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from alerts.core.model import Channel, NextStep, Notification, Purpose, Receiver
from alerts.core.plan import ClockView, next_step, plan_clock
from alerts.core.policy import EscalationStep
from tests.support.planning_world import (
    DEADLINE,
    START,
    TEAM,
    TICK,
    after,
    drive,
    hours,
    make_directory,
    make_view,
    minutes,
    tell,
)

DIRECTORY = make_directory()


def keys(notifications: tuple[Notification, ...]) -> list[str]:
    return [notification.key for notification in notifications]


def with_steps(*steps: tuple[float, tuple[str, ...], float], **changes: Any) -> ClockView:
    made = tuple(
        EscalationStep(remaining=hours(left), notify=notify, repeat_every=minutes(repeat))
        for left, notify, repeat in steps
    )
    return make_view(steps=made, **changes)


# --- steps


@pytest.mark.parametrize(
    ("at", "told"),
    [
        pytest.param(START, [], id="start"),
        pytest.param(DEADLINE - hours(8) - TICK, [], id="before-the-first"),
        pytest.param(DEADLINE - hours(8), ["alert:7:0:team:-:slack:0"], id="first"),
        pytest.param(DEADLINE - hours(8) + TICK, ["alert:7:0:team:-:slack:0"], id="after-the-first"),
        pytest.param(DEADLINE - hours(2) - TICK, ["alert:7:0:team:-:slack:0"], id="before-the-second"),
        pytest.param(DEADLINE - hours(2), ["alert:7:1:oncall-sms:Ana:sms:0"], id="second"),
        pytest.param(DEADLINE - TICK, ["alert:7:1:oncall-sms:Ana:sms:0"], id="before-the-breach"),
        pytest.param(DEADLINE, ["alert:7:2:team:-:slack:0", "alert:7:2:oncall-sms:Ana:sms:0"], id="breach"),
        pytest.param(
            DEADLINE + timedelta(days=9),
            ["alert:7:2:team:-:slack:0", "alert:7:2:oncall-sms:Ana:sms:0"],
            id="long-after",
        ),
    ],
)
def test_the_most_urgent_due_step_is_told_and_missed_ones_collapse_into_it(at: datetime, told: list[str]) -> None:
    assert keys(plan_clock(make_view(), DIRECTORY, at).notifications) == told


def test_a_notification_says_all_that_its_delivery_needs() -> None:
    plan = plan_clock(make_view(), DIRECTORY, DEADLINE - hours(2))
    assert plan.notifications == (
        Notification(
            key="alert:7:1:oncall-sms:Ana:sms:0",
            purpose=Purpose.ALERT,
            receiver="oncall-sms",
            channel=Channel.SMS,
            due_at=DEADLINE - hours(2),
            person="Ana",
            thread_id=3,
            clock_id=7,
            step=1,
            occurrence=0,
            page=True,
            expires_at=DEADLINE,
        ),
    )


def test_steps_follow_one_another_and_then_nothing_is_due() -> None:
    times = [
        (now, keys(plan.notifications)) for now, plan in drive(make_view(), DIRECTORY, START, DEADLINE + hours(48))
    ]
    assert times == [
        (START, []),
        (DEADLINE - hours(8), ["alert:7:0:team:-:slack:0"]),
        (DEADLINE - hours(2), ["alert:7:1:oncall-sms:Ana:sms:0"]),
        (DEADLINE, ["alert:7:2:team:-:slack:0", "alert:7:2:oncall-sms:Ana:sms:0"]),
    ]


def test_planning_again_with_the_stored_state_adds_nothing() -> None:
    view, told = tell(make_view(), DIRECTORY, DEADLINE - hours(2))
    assert len(told) == 1
    for late in (timedelta(0), TICK, minutes(119)):
        plan = plan_clock(view, DIRECTORY, DEADLINE - hours(2) + late)
        assert plan.notifications == ()
        assert after(view, plan) == view
        assert plan.next_due_at == DEADLINE


def test_planning_twice_with_the_same_state_gives_the_same_keys() -> None:
    first = plan_clock(make_view(), DIRECTORY, DEADLINE)
    assert plan_clock(make_view(), DIRECTORY, DEADLINE) == first
    assert keys(plan_clock(make_view(), DIRECTORY, DEADLINE + hours(3)).notifications) == keys(first.notifications)


def test_what_must_reach_a_person_is_a_page() -> None:
    view = with_steps(
        (8, ("team", "hook", "oncall-sms", "oncall-voice", "primary-person"), 0), (0, ("team", "hook"), 0)
    )
    plan = plan_clock(view, DIRECTORY, DEADLINE - hours(8))
    assert [(one.receiver, one.channel.value) for one in plan.notifications if not one.page] == [
        ("team", "slack"),
        ("hook", "webhook"),
    ]
    assert {one.receiver for one in plan.notifications if one.page} == {"oncall-sms", "oncall-voice", "primary-person"}
    assert all(one.page for one in plan_clock(view, DIRECTORY, DEADLINE).notifications)


def test_contact_rules_are_notifications_due_later() -> None:
    view = with_steps((2, ("primary-person",), 0))
    now = DEADLINE - hours(2)  # Saturday morning: Bo's week
    plan = plan_clock(view, DIRECTORY, now)
    assert [(one.person, one.channel.value, one.due_at - now) for one in plan.notifications] == [
        ("Bo", "slack", minutes(0)),
        ("Bo", "sms", minutes(5)),
        ("Bo", "voice", minutes(15)),
        ("Ana", "slack", minutes(30)),
        ("Ana", "sms", minutes(35)),
        ("Ana", "voice", minutes(45)),
    ]
    assert len(set(keys(plan.notifications))) == 6
    assert plan.next_due_at is None


def test_an_unsent_alert_is_pointless_once_a_more_urgent_one_is_due_for_the_same_receiver() -> None:
    view = with_steps((8, ("team", "primary-person"), 0), (2, ("oncall-sms",), 0), (0, ("team", "primary-person"), 0))
    plan = plan_clock(view, DIRECTORY, DEADLINE - hours(8))
    assert {(one.receiver, one.expires_at) for one in plan.notifications if one.due_at == DEADLINE - hours(8)} == {
        ("team", DEADLINE),
        ("primary-person", DEADLINE),
    }
    # A later contact rule may fall behind the next step, and is still how this person is reached.
    assert {one.expires_at for one in plan.notifications if one.due_at > DEADLINE - hours(8)} == {None}
    assert {one.expires_at for one in plan_clock(view, DIRECTORY, DEADLINE).notifications} == {None}


# --- again


def test_the_reached_step_is_repeated_until_the_next_one() -> None:
    view = with_steps((2, ("oncall-sms",), 30), (1, ("team",), 0))
    told = [(now - DEADLINE, keys(plan.notifications)) for now, plan in drive(view, DIRECTORY, START, DEADLINE)]
    assert told[1:] == [
        (-minutes(120), ["alert:7:0:oncall-sms:Ana:sms:0"]),
        (-minutes(90), ["alert:7:0:oncall-sms:Ana:sms:1"]),
        (-minutes(60), ["alert:7:1:team:-:slack:0"]),
    ]


def test_a_repeat_at_the_breach_goes_on() -> None:
    view = with_steps((0, ("team",), 60))
    told = [now for now, plan in drive(view, DIRECTORY, DEADLINE, DEADLINE + hours(24)) if plan.notifications]
    assert told == [DEADLINE + hours(count) for count in range(25)]


def test_repeats_missed_while_down_are_one() -> None:
    view, _ = tell(with_steps((0, ("team",), 10)), DIRECTORY, DEADLINE)
    plan = plan_clock(view, DIRECTORY, DEADLINE + hours(5))
    assert keys(plan.notifications) == ["alert:7:0:team:-:slack:1"]
    assert plan.next_due_at == DEADLINE + hours(5) + minutes(10)


def test_a_repeat_comes_at_its_time_and_not_a_moment_before() -> None:
    view, _ = tell(with_steps((0, ("team",), 10)), DIRECTORY, DEADLINE)
    assert plan_clock(view, DIRECTORY, DEADLINE + minutes(10) - TICK).notifications == ()
    assert plan_clock(view, DIRECTORY, DEADLINE + minutes(10)).notifications


ACKNOWLEDGED: dict[str, Any] = {
    "acknowledged_by": "Ana",
    "acknowledged_at": DEADLINE - minutes(110),
    "acknowledgement_expires_at": DEADLINE - minutes(55),
}


def test_after_an_acknowledgement_nothing_is_told_until_it_expires_and_then_it_pages_again() -> None:
    view = with_steps((2, ("oncall-sms",), 10), (1, ("team",), 0), (0, ("team", "oncall-sms"), 0))
    view = replace(tell(view, DIRECTORY, DEADLINE - hours(2))[0], **ACKNOWLEDGED)
    held = plan_clock(view, DIRECTORY, DEADLINE - minutes(60))
    assert (held.notifications, held.held, held.next_due_at) == ((), "acknowledged", DEADLINE - minutes(55))
    assert plan_clock(view, DIRECTORY, DEADLINE - minutes(55) - TICK).held == "acknowledged"
    plan = plan_clock(view, DIRECTORY, DEADLINE - minutes(55))
    assert keys(plan.notifications) == ["alert:7:1:team:-:slack:0"]  # the missed step
    view = after(view, plan)
    assert plan.next_due_at == DEADLINE
    assert len(plan_clock(view, DIRECTORY, DEADLINE).notifications) == 2


def test_an_expired_acknowledgement_is_the_next_occurrence_of_the_reached_step_once() -> None:
    view = replace(tell(make_view(), DIRECTORY, DEADLINE - hours(2))[0], **ACKNOWLEDGED)
    assert plan_clock(view, DIRECTORY, DEADLINE - minutes(56)).held is None  # nothing is due yet
    view, told = tell(view, DIRECTORY, DEADLINE - minutes(55))
    assert keys(told) == ["alert:7:1:oncall-sms:Ana:sms:1"]
    assert tell(view, DIRECTORY, DEADLINE - minutes(54))[1] == ()


def test_when_an_acknowledgement_ends_follows_from_when_it_was_given() -> None:
    view = replace(
        tell(make_view(), DIRECTORY, DEADLINE - hours(2))[0],
        acknowledged_by="Ana",
        acknowledged_at=DEADLINE - minutes(100),
    )
    assert plan_clock(view, DIRECTORY, DEADLINE - minutes(90)).next_due_at == DEADLINE - minutes(50)


def test_an_acknowledgement_taken_back_holds_nothing() -> None:
    view = with_steps((2, ("oncall-sms",), 10), **(ACKNOWLEDGED | {"acknowledged_by": None}))
    view, _ = tell(view, DIRECTORY, DEADLINE - minutes(110))
    assert keys(plan_clock(view, DIRECTORY, DEADLINE - minutes(100)).notifications) == [
        "alert:7:0:oncall-sms:Ana:sms:1"
    ]


def test_a_snooze_holds_and_rings_when_it_ends() -> None:
    view = replace(tell(make_view(), DIRECTORY, DEADLINE - hours(8))[0], snoozed_until=DEADLINE - hours(7))
    waiting = plan_clock(view, DIRECTORY, DEADLINE - hours(7.5))
    assert (waiting.held, waiting.next_due_at) == (None, DEADLINE - hours(7))
    view, told = tell(view, DIRECTORY, DEADLINE - hours(7))
    assert keys(told) == ["alert:7:0:team:-:slack:1"]
    assert tell(view, DIRECTORY, DEADLINE - hours(6))[1] == ()


def test_a_snooze_before_anything_was_told_rings_nobody_when_it_ends() -> None:
    view = make_view(snoozed_until=DEADLINE - hours(10))
    plan = plan_clock(view, DIRECTORY, DEADLINE - hours(10))
    assert (plan.notifications, plan.next_due_at) == ((), DEADLINE - hours(8))


def test_a_silence_holds_and_what_it_held_is_told_when_it_ends() -> None:
    view = make_view(silenced_until=DEADLINE - hours(1))
    held = plan_clock(view, DIRECTORY, DEADLINE - hours(2))
    assert (held.notifications, held.held, held.next_due_at) == ((), "silenced", DEADLINE - hours(1))
    assert keys(plan_clock(view, DIRECTORY, DEADLINE - hours(1)).notifications) == ["alert:7:1:oncall-sms:Ana:sms:0"]
    told = replace(tell(make_view(), DIRECTORY, DEADLINE - hours(2))[0], silenced_until=DEADLINE - hours(1))
    assert plan_clock(told, DIRECTORY, DEADLINE - hours(1)).notifications == ()  # it held nothing


def test_of_several_holds_the_longest_counts() -> None:
    view = make_view(
        acknowledged_by="Ana",
        acknowledgement_expires_at=DEADLINE - hours(1),
        snoozed_until=DEADLINE + hours(1),
        silenced_until=DEADLINE - hours(0.5),
    )
    plan = plan_clock(view, DIRECTORY, DEADLINE - hours(2))  # the very moment at which the second step is due
    assert (plan.held, plan.next_due_at) == ("snoozed", DEADLINE + hours(1))


def test_a_hold_that_ends_before_anything_is_due_changes_nothing() -> None:
    plan = plan_clock(make_view(silenced_until=START + hours(1)), DIRECTORY, START)
    assert (plan.held, plan.next_due_at) == (None, DEADLINE - hours(8))


def test_a_reopened_clock_rings_again_once() -> None:
    view = replace(tell(make_view(), DIRECTORY, DEADLINE - hours(8))[0], reopened_count=1)
    view, told = tell(view, DIRECTORY, DEADLINE - hours(7))
    assert keys(told) == ["alert:7:0:team:-:slack:1"]
    assert tell(view, DIRECTORY, DEADLINE - hours(6))[1] == ()
    view = replace(view, reopened_count=2)
    view, told = tell(view, DIRECTORY, DEADLINE - hours(2))
    assert keys(told) == ["alert:7:1:oncall-sms:Ana:sms:0"]  # the new step tells the reopening too
    assert tell(view, DIRECTORY, DEADLINE - hours(1))[1] == ()


# --- unproven origin


def test_an_unverified_clock_is_told_without_phones_and_says_so() -> None:
    view = make_view(verified=False)
    at_two_hours = plan_clock(view, DIRECTORY, DEADLINE - hours(2))
    assert keys(at_two_hours.notifications) == ["alert:7:0:team:-:slack:0"]
    breach = plan_clock(view, DIRECTORY, DEADLINE)
    assert keys(breach.notifications) == ["alert:7:2:team:-:slack:0"]
    assert (breach.held, breach.phones_held) == ("unverified", True)


def test_a_step_with_nothing_but_phones_waits_for_the_proof() -> None:
    assert plan_clock(make_view(verified=False), DIRECTORY, START).held is None
    view, _ = tell(make_view(verified=False), DIRECTORY, DEADLINE - hours(8))
    assert plan_clock(view, DIRECTORY, DEADLINE - hours(7)).held is None
    plan = plan_clock(view, DIRECTORY, DEADLINE - hours(2))
    assert (plan.notifications, plan.held, plan.next_due_at) == ((), "unverified", DEADLINE)
    proven, told = tell(replace(view, verified=True), DIRECTORY, DEADLINE - hours(1))
    assert keys(told) == ["alert:7:1:oncall-sms:Ana:sms:0"]
    assert proven.step_reached == 1


def test_phones_that_were_left_out_follow_when_the_origin_is_proven() -> None:
    view, _ = tell(make_view(verified=False), DIRECTORY, DEADLINE)
    assert plan_clock(view, DIRECTORY, DEADLINE + minutes(1)).notifications == ()
    proven, told = tell(replace(view, verified=True), DIRECTORY, DEADLINE + minutes(5))
    assert keys(told) == ["alert:7:2:oncall-sms:Ana:sms:0"]
    assert (proven.told_at, proven.phones_held) == (DEADLINE, False)
    assert tell(proven, DIRECTORY, DEADLINE + minutes(6))[1] == ()


def test_with_a_repeat_due_the_proven_clock_rings_everybody() -> None:
    view = with_steps((0, ("team", "oncall-sms"), 10), verified=False)
    view = replace(tell(view, DIRECTORY, DEADLINE)[0], verified=True)
    _, told = tell(view, DIRECTORY, DEADLINE + minutes(10))
    assert keys(told) == ["alert:7:0:team:-:slack:1", "alert:7:0:oncall-sms:Ana:sms:1"]


def test_of_a_person_an_unverified_clock_uses_slack_alone() -> None:
    view = with_steps((2, ("primary-person",), 0), verified=False)
    plan = plan_clock(view, DIRECTORY, DEADLINE - hours(2))
    assert {(one.person, one.channel) for one in plan.notifications} == {("Bo", Channel.SLACK), ("Ana", Channel.SLACK)}


# --- nobody


def test_a_step_that_reaches_nobody_is_tried_again() -> None:
    nobody = make_directory(Receiver(name="team", type="sms", schedule="primary"), people={})
    view = with_steps((2, ("team",), 0), (1.9, ("team",), 0))
    plan = plan_clock(view, nobody, DEADLINE - hours(2))
    assert (plan.notifications, plan.held, plan.step_reached) == ((), "nobody", -1)
    assert plan.next_due_at == DEADLINE - hours(1.9)
    plan = plan_clock(view, nobody, DEADLINE - hours(1))
    assert plan.next_due_at == DEADLINE - minutes(50)
    assert keys(plan_clock(view, make_directory(TEAM), DEADLINE - minutes(50)).notifications) == [
        "alert:7:1:team:-:slack:0"
    ]


def test_a_receiver_taken_out_of_the_file_does_not_lose_a_frozen_step() -> None:
    directory = make_directory(Receiver(name="new-team", type="slack"), fallback=("new-team",))
    assert keys(plan_clock(make_view(), directory, DEADLINE).notifications) == ["alert:7:2:new-team:-:slack:0"]


# --- a wall clock that jumps


def test_a_small_step_back_neither_repeats_nor_loses() -> None:
    view, _ = tell(make_view(), DIRECTORY, DEADLINE)
    for back in (TICK, minutes(1), minutes(5)):
        plan = plan_clock(view, DIRECTORY, DEADLINE - back)
        assert plan.notifications == ()
        assert after(view, plan) == view
    assert plan_clock(view, DIRECTORY, DEADLINE).notifications == ()


def test_a_breach_told_by_a_wall_clock_that_ran_ahead_is_told_again_when_it_comes() -> None:
    view, told = tell(with_steps((0, ("team",), 60)), DIRECTORY, DEADLINE + timedelta(days=3))
    assert keys(told) == ["alert:7:0:team:-:slack:0"]
    view, told = tell(view, DIRECTORY, DEADLINE - hours(2))
    assert told == ()
    assert plan_clock(view, DIRECTORY, DEADLINE - hours(2)).next_due_at == DEADLINE
    quiet = replace(view, steps=(replace(view.steps[0], repeat_every=timedelta(0)),))
    assert keys(plan_clock(quiet, DIRECTORY, DEADLINE).notifications) == ["alert:7:0:team:-:slack:1"]
    assert plan_clock(quiet, DIRECTORY, DEADLINE - TICK).notifications == ()


def test_a_step_reached_without_an_instant_is_told_once_more() -> None:
    view, told = tell(make_view(step_reached=0), DIRECTORY, DEADLINE - hours(7))
    assert keys(told) == ["alert:7:0:team:-:slack:1"]
    assert view.told_at == DEADLINE - hours(7)


# --- the words "next: SMS to Ana in 32 min"


def test_the_next_step_is_named_with_its_time_and_person() -> None:
    view, _ = tell(make_view(), DIRECTORY, DEADLINE - hours(8))
    assert next_step(view, DIRECTORY, DEADLINE - minutes(152)) == NextStep(
        at=DEADLINE - hours(2), receiver="oncall-sms", channel=Channel.SMS, person="Ana"
    )


def test_of_several_receivers_at_one_instant_the_loudest_is_named() -> None:
    view = with_steps((2, ("team", "oncall-sms", "oncall-voice"), 0))
    found = next_step(view, DIRECTORY, START)
    assert found is not None
    assert (found.channel, found.at) == (Channel.VOICE, DEADLINE - hours(2))


def test_a_contact_rule_that_is_still_to_come_is_the_next_step() -> None:
    view = with_steps((2, ("primary-person",), 0), (0, ("team",), 0))
    now = DEADLINE - hours(2)
    view, _ = tell(view, DIRECTORY, now)
    assert next_step(view, DIRECTORY, now) == NextStep(
        at=now + minutes(5), receiver="primary-person", channel=Channel.SMS, person="Bo"
    )
    acknowledged = replace(view, acknowledged_by="Bo", acknowledgement_expires_at=now + minutes(40))
    found = next_step(acknowledged, DIRECTORY, now + minutes(1))
    assert found == NextStep(at=now + minutes(40), receiver="primary-person", channel=Channel.SLACK, person="Bo")


def test_the_next_step_of_an_unverified_clock_is_no_phone() -> None:
    found = next_step(
        make_view(verified=False, step_reached=0, told_at=DEADLINE - hours(8)), DIRECTORY, DEADLINE - hours(3)
    )
    assert found == NextStep(at=DEADLINE, receiver="team", channel=Channel.SLACK)


def test_nothing_is_next_when_all_was_told() -> None:
    view, _ = tell(make_view(), DIRECTORY, DEADLINE)
    assert next_step(view, DIRECTORY, DEADLINE + hours(1)) is None


def test_the_next_repeat_is_named() -> None:
    view, _ = tell(with_steps((0, ("oncall-sms",), 10)), DIRECTORY, DEADLINE)
    found = next_step(view, DIRECTORY, DEADLINE + minutes(3))
    assert found is not None
    assert found.at == DEADLINE + minutes(10)
    late = next_step(view, DIRECTORY, DEADLINE + minutes(30))
    assert late is not None
    assert late.at == DEADLINE + minutes(30)
