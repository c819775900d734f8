"""The summary before a shift ends: once per clock and shift, for what falls due before somebody is back."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from alerts.core.contact import Directory
from alerts.core.look_ahead import LookAheadPlan, plan_look_ahead
from alerts.core.model import Channel, Purpose, Receiver
from alerts.core.plan import ClockView, plan_clock
from alerts.core.policy import LookAhead
from alerts.core.staffing import Shift
from tests.support.planning_world import (
    AHEAD,
    OFFICE,
    PARIS,
    TICK,
    hours,
    make_directory,
    make_view,
    minutes,
    paris,
)

DIRECTORY = make_directory(shifts=(OFFICE,))
SHIFTS = (OFFICE,)
OPENS = paris("2026-11-20T16:30")  # Friday, 90 minutes before the shift ends
ENDS = paris("2026-11-20T18:00")
MONDAY = paris("2026-11-23T09:00")
SATURDAY = paris("2026-11-21T10:00")


def make_due(deadline_at: datetime = SATURDAY, **changes: Any) -> ClockView:
    values: dict[str, Any] = {
        "started_at": deadline_at - hours(24),
        "deadline_at": deadline_at,
        "steps": (),
        "look_ahead": AHEAD,
    }
    return make_view(**(values | changes))


def look(*views: ClockView, now: datetime = OPENS, directory: Directory = DIRECTORY) -> LookAheadPlan:
    return plan_look_ahead(views, directory.shifts, directory, now)


@pytest.mark.parametrize(
    ("deadline_at", "told"),
    [
        pytest.param(ENDS - TICK, False, id="within-the-shift"),
        pytest.param(ENDS, True, id="at-its-end"),
        pytest.param(SATURDAY, True, id="saturday"),
        pytest.param(MONDAY, True, id="at-the-next-start"),
        pytest.param(MONDAY + hours(1), True, id="an-hour-after-the-next-start"),
        pytest.param(MONDAY + hours(1) + TICK, False, id="later-than-that"),
    ],
)
def test_deadlines_from_the_end_of_the_shift_to_a_little_after_the_next_start(
    deadline_at: datetime, told: bool
) -> None:
    view = make_due(deadline_at)
    assert bool(look(view).notifications) is told
    assert plan_clock(view, DIRECTORY, OPENS).look_ahead_due is told


@pytest.mark.parametrize(
    ("now", "told"),
    [
        pytest.param(OPENS - TICK, False, id="before"),
        pytest.param(OPENS, True, id="opens"),
        pytest.param(ENDS - TICK, True, id="last-moment"),
        pytest.param(ENDS, False, id="over"),
    ],
)
def test_it_is_told_from_ninety_minutes_before_the_shift_ends_until_its_end(now: datetime, told: bool) -> None:
    assert bool(look(make_due(), now=now).notifications) is told
    assert plan_clock(make_due(), DIRECTORY, now).look_ahead_due is told


def test_one_summary_for_each_receiver_names_all_clocks_soonest_first() -> None:
    ahead = LookAhead(before_end_of_shift=minutes(90), notify=("team", "hook"))
    views = [
        make_due(SATURDAY + hours(count), clock_id=10 - count, thread_id=20 - count, look_ahead=ahead)
        for count in (2, 1, 0)
    ]
    plan = look(*views)
    assert [(one.receiver, one.channel) for one in plan.notifications] == [
        ("team", Channel.SLACK),
        ("hook", Channel.WEBHOOK),
    ]
    first = plan.notifications[0]
    assert first.content == {
        "clock_ids": [10, 9, 8],
        "thread_ids": [20, 19, 18],
        "shift_ends_at": "2026-11-20T17:00:00+00:00",
        "next_shift_at": "2026-11-23T08:00:00+00:00",
        "until": "2026-11-23T08:00:00+00:00",
    }
    assert (first.purpose, first.page, first.due_at, first.expires_at) == (Purpose.LOOK_AHEAD, False, OPENS, ENDS)
    assert (first.clock_id, first.thread_id, first.step) == (None, None, None)
    assert plan.told_until == {10: ENDS, 9: ENDS, 8: ENDS}


def test_a_clock_is_told_once_per_shift() -> None:
    view = make_due()
    plan = look(view)
    told = replace(view, look_ahead_told_until=plan.told_until[view.clock_id])
    assert look(told, now=OPENS + minutes(30)) == LookAheadPlan(notifications=(), told_until={}, next_due_at=None)
    assert look(view).notifications[0].key == plan.notifications[0].key


def test_a_message_that_arrives_within_the_window_is_told_at_once_and_alone() -> None:
    first = make_due()
    told = replace(first, look_ahead_told_until=ENDS)
    late = make_due(ENDS + hours(23), clock_id=8, thread_id=4)
    plan = look(told, late, now=OPENS + minutes(70))
    assert [one.content["clock_ids"] for one in plan.notifications] == [[8]]
    assert plan.notifications[0].key != look(first).notifications[0].key
    assert plan.notifications[0].key != look(late, first).notifications[0].key


def test_a_clock_that_two_shifts_precede_is_told_before_each() -> None:
    saturday_hour = Shift(days=frozenset({5}), from_minute=540, to_minute=570, time_zone=PARIS)
    directory = make_directory(shifts=(OFFICE, saturday_hour))
    view = make_due(paris("2026-11-21T09:45"))
    plan = look(view, directory=directory)
    assert plan.told_until == {7: ENDS}
    assert plan.notifications[0].content["until"] == "2026-11-21T08:00:00+00:00"
    assert plan.next_due_at == paris("2026-11-21T09:00")  # the short shift is shorter than the window
    view = replace(view, look_ahead_told_until=ENDS)
    assert look(view, directory=directory, now=paris("2026-11-21T09:00")).told_until == {7: paris("2026-11-21T09:30")}


def test_acknowledged_and_snoozed_clocks_are_named_but_are_no_reason() -> None:
    acknowledged = make_due(
        clock_id=1, acknowledged_by="Ana", acknowledged_at=OPENS, acknowledgement_expires_at=OPENS + hours(2)
    )
    snoozed = make_due(clock_id=2, snoozed_until=OPENS + minutes(20))
    plan = look(acknowledged, snoozed)
    assert (plan.notifications, plan.told_until) == ((), {})
    assert plan.next_due_at == OPENS + minutes(20)
    assert look(acknowledged, snoozed, now=OPENS + minutes(20)).notifications[0].content["clock_ids"] == [1, 2]
    with_other = look(acknowledged, snoozed, make_due(clock_id=3))
    assert with_other.notifications[0].content["clock_ids"] == [1, 2, 3]
    assert plan_clock(acknowledged, DIRECTORY, OPENS).next_due_at is None
    assert plan_clock(snoozed, DIRECTORY, OPENS).next_due_at == OPENS + minutes(20)


def test_a_silenced_clock_is_not_named_until_the_silence_ends() -> None:
    silenced = make_due(silenced_until=OPENS + minutes(20))
    assert look(silenced, make_due(clock_id=8)).told_until == {8: ENDS}
    assert plan_clock(silenced, DIRECTORY, OPENS).next_due_at == OPENS + minutes(20)
    assert not plan_clock(silenced, DIRECTORY, OPENS).look_ahead_due
    assert look(silenced, now=OPENS + minutes(20)).told_until == {7: ENDS}


def test_an_unverified_clock_is_named_to_the_team_and_not_by_sms() -> None:
    ahead = LookAhead(before_end_of_shift=minutes(90), notify=("team", "oncall-sms"))
    plan = look(make_due(verified=False, look_ahead=ahead), make_due(clock_id=8, look_ahead=ahead))
    assert {one.receiver: one.content["clock_ids"] for one in plan.notifications} == {"team": [7, 8], "oncall-sms": [8]}
    only_sms = replace(ahead, notify=("oncall-sms",))
    assert look(make_due(verified=False, look_ahead=only_sms)).told_until == {}


def test_people_are_told_by_their_first_contact_rule_and_a_schedule_by_its_first_person() -> None:
    both = Receiver(name="both", type="person", people=("Ana", "Bo"))
    directory = make_directory(both, Receiver(name="duty", type="person", schedule="primary"), shifts=SHIFTS)
    for name, people in (("both", ["Ana", "Bo"]), ("duty", ["Bo"])):
        plan = look(make_due(look_ahead=replace(AHEAD, notify=(name,))), directory=directory)
        assert [(one.person, one.channel) for one in plan.notifications] == [(who, Channel.SLACK) for who in people]


def test_policies_with_other_windows_end_in_one_summary() -> None:
    early = make_due(clock_id=8, look_ahead=replace(AHEAD, before_end_of_shift=hours(3)))
    assert look(early, make_due(), now=OPENS - minutes(30)).told_until == {8: ENDS}
    assert look(early, make_due(), now=OPENS - minutes(30)).next_due_at == OPENS
    assert len(look(early, make_due()).notifications) == 1


def test_without_look_ahead_or_staffed_hours_there_is_none() -> None:
    assert look(make_due(look_ahead=None)).notifications == ()
    assert look(make_due(), directory=make_directory()).notifications == ()
    assert not plan_clock(make_due(look_ahead=None), DIRECTORY, OPENS).look_ahead_due


def test_staffed_round_the_clock_no_shift_ends() -> None:
    always = Shift(days=frozenset(range(7)), from_minute=0, to_minute=1440, time_zone=PARIS)
    assert look(make_due(SATURDAY + timedelta(days=30)), directory=make_directory(shifts=(always,))).notifications == ()


def test_before_a_closure_of_weeks_everything_later_is_told() -> None:
    days = frozenset((paris("2026-11-22T12:00") + timedelta(days=count)).date() for count in range(60))
    closed = replace(OFFICE, closed_on=days)
    deadline_at = MONDAY + hours(48)
    plan = look(make_due(deadline_at), directory=make_directory(shifts=(closed,)))
    assert plan.notifications[0].content["until"] == deadline_at.isoformat()
    assert plan.notifications[0].content["next_shift_at"] is None


def test_a_message_of_friday_night_waits_for_the_next_shift_end_that_concerns_it() -> None:
    view = make_due(paris("2026-11-24T22:00"), started_at=paris("2026-11-20T22:00"))
    plan = plan_clock(view, DIRECTORY, paris("2026-11-20T22:00"))
    assert plan.next_due_at == paris("2026-11-24T16:30")


def test_the_shifts_given_take_the_place_of_the_directorys() -> None:
    later = replace(OFFICE, to_minute=19 * 60)
    assert plan_look_ahead([make_due()], (later,), DIRECTORY, OPENS).notifications == ()
    assert plan_look_ahead([make_due()], (later,), DIRECTORY, OPENS + hours(1)).told_until == {7: ENDS + hours(1)}
    assert plan_look_ahead([make_due()], (later,), DIRECTORY, OPENS).next_due_at == OPENS + hours(1)


def test_steps_and_look_ahead_share_the_instant_to_look_again() -> None:
    view = make_view(look_ahead=AHEAD, started_at=SATURDAY - hours(24), deadline_at=SATURDAY)
    plan = plan_clock(view, DIRECTORY, SATURDAY - hours(24))
    assert plan.next_due_at == OPENS
    told = replace(view, look_ahead_told_until=ENDS)
    assert plan_clock(told, DIRECTORY, OPENS).next_due_at == SATURDAY - hours(8)
