"""Faults that other alerting and helpdesk programs had in planning, each as a test of ours."""

from dataclasses import replace
from datetime import timedelta
from zoneinfo import ZoneInfo

from alerts.core.contact import hold_until
from alerts.core.model import Notification, Purpose, QuietHours
from alerts.core.plan import next_step, plan_clock
from alerts.core.policy import EscalationPolicy, EscalationStep, policy_from_json, policy_to_json
from alerts.core.policy_check import validate_policies
from alerts.core.schedule import handovers
from alerts.core.staffing import Shift, is_staffed
from tests.support.planning_world import (
    BO,
    DEADLINE,
    PARIS,
    ROTATION,
    SMS,
    START,
    STEPS,
    TEAM,
    TICK,
    after,
    drive,
    hours,
    make_directory,
    make_view,
    minutes,
    paris,
    tell,
    utc,
)

DIRECTORY = make_directory()


class TestKeyOfTheAlert:
    """Keyed on the last message, on the calendar day, on the conversation: each lost or doubled alerts."""

    def test_a_second_message_while_overdue_is_no_second_alert(self) -> None:
        view, told = tell(make_view(), DIRECTORY, DEADLINE)
        assert len(told) == 2
        # The buyer writes again: the clock, its start and its deadline are the same.
        assert plan_clock(view, DIRECTORY, DEADLINE + minutes(10)).notifications == ()

    def test_nothing_is_sent_again_after_midnight(self) -> None:
        deadline_at = paris("2026-11-20T23:30")
        view, _ = tell(make_view(deadline_at=deadline_at), DIRECTORY, deadline_at)
        for later in (paris("2026-11-21T00:00"), utc("2026-11-21T00:00"), paris("2026-11-22T00:00")):
            assert plan_clock(view, DIRECTORY, later).notifications == ()

    def test_a_second_breach_of_the_same_day_in_the_same_thread_is_told(self) -> None:
        morning = make_view(clock_id=7, deadline_at=paris("2026-11-20T08:00"))
        evening = make_view(clock_id=8, deadline_at=paris("2026-11-20T20:00"))
        keys = set()
        for view in (morning, evening):
            _, told = tell(view, DIRECTORY, view.deadline_at)
            assert {notification.thread_id for notification in told} == {3}
            keys |= {notification.key for notification in told}
        assert len(keys) == 4

    def test_every_clock_of_a_thread_climbs_its_own_ladder(self) -> None:
        ladders = []
        for clock_id in (7, 8):
            plans = drive(make_view(clock_id=clock_id), DIRECTORY, START, DEADLINE)
            ladders.append([plan.step_reached for _, plan in plans if plan.notifications])
        assert ladders == [[0, 1, 2], [0, 1, 2]]


class TestRuns:
    """Sent on every run; dropped when the run was late; forgotten with the process."""

    def test_many_runs_are_one_alert(self) -> None:
        view = make_view()
        told: list[Notification] = []
        for seconds in range(0, 3600, 10):
            view, more = tell(view, DIRECTORY, DEADLINE + timedelta(seconds=seconds))
            told += more
        assert len(told) == 2

    def test_a_warning_that_is_hours_late_is_still_given(self) -> None:
        assert plan_clock(make_view(), DIRECTORY, DEADLINE - hours(2) + minutes(6)).notifications
        assert plan_clock(make_view(), DIRECTORY, DEADLINE - TICK).notifications

    def test_the_state_is_in_the_clock_and_survives_a_restart(self) -> None:
        view, _ = tell(make_view(), DIRECTORY, DEADLINE)
        restarted = make_directory()
        assert plan_clock(view, restarted, DEADLINE + minutes(1)).notifications == ()

    def test_the_breach_is_told_and_not_silent_a_quarter_of_an_hour_later(self) -> None:
        steps = (*STEPS[:2], replace(STEPS[2], repeat_every=minutes(10)))
        view, _ = tell(make_view(steps=steps), DIRECTORY, DEADLINE - hours(2))
        breaches = [now for now, plan in drive(view, DIRECTORY, DEADLINE, DEADLINE + hours(1)) if plan.notifications]
        assert breaches == [DEADLINE + minutes(10 * count) for count in range(7)]


class TestQuietHours:
    """A breach inside the window that leaves no trace; a resolved notice muted for ever; silence until the next repeat."""

    sleeper = replace(BO, quiet=QuietHours(from_minute=22 * 60, to_minute=7 * 60))

    def test_evaluation_goes_on_while_delivery_waits(self) -> None:
        deadline_at = paris("2026-11-21T12:00")
        view = make_view(deadline_at=deadline_at)
        step_at = deadline_at - hours(8)  # 04:00, in the middle of the night
        plan = plan_clock(view, make_directory(people={"Bo": self.sleeper}), step_at)
        assert plan.notifications != ()
        assert hold_until(self.sleeper, deadline_at, step_at, on_call=False) == paris("2026-11-21T07:00")

    def test_what_was_held_is_decided_again_the_moment_the_window_ends(self) -> None:
        held_until = hold_until(self.sleeper, paris("2026-11-22T12:00"), paris("2026-11-21T03:00"), on_call=False)
        assert held_until == paris("2026-11-21T07:00")
        assert hold_until(self.sleeper, paris("2026-11-22T12:00"), held_until, on_call=False) is None

    def test_a_breach_inside_the_window_goes_through(self) -> None:
        breach = paris("2026-11-21T03:00")
        for now in (breach - hours(1), breach, breach + hours(2)):
            assert hold_until(self.sleeper, breach, now, on_call=False) is None

    def test_the_news_that_it_is_answered_is_never_muted(self) -> None:
        night = paris("2026-11-21T03:00")
        assert hold_until(self.sleeper, None, night, on_call=False, purpose=Purpose.CLOSED) is None


class TestWindows:
    """Windows across midnight in a time zone; days of 23 and 25 hours."""

    def test_a_window_across_midnight_is_that_of_its_zone(self) -> None:
        tokyo = Shift(
            days=frozenset({4}), from_minute=22 * 60, to_minute=2 * 60, time_zone=ZoneInfo("Asia/Tokyo")
        )  # Friday night in Tokyo is Friday afternoon in London
        assert is_staffed([tokyo], utc("2026-11-20T13:00"))
        assert is_staffed([tokyo], utc("2026-11-20T16:59"))
        assert not is_staffed([tokyo], utc("2026-11-20T17:00"))
        assert not is_staffed([tokyo], utc("2026-11-20T22:30"))

    def test_steps_count_elapsed_time_over_summer_time_and_handovers_local_time(self) -> None:
        started_at = paris("2026-10-24T12:00")
        view = make_view(started_at=started_at, deadline_at=started_at + hours(24))
        told = [now for now, plan in drive(view, DIRECTORY, started_at, started_at + hours(30)) if plan.notifications]
        assert [at - started_at for at in told] == [hours(16), hours(22), hours(24)]
        _, begins, ends = handovers(ROTATION, started_at)
        assert {at.astimezone(PARIS).hour for at in (begins, ends)} == {9}


class TestSteps:
    """Steps skipped, unreachable, or changed by an edit midway."""

    def test_an_unreachable_step_is_refused(self) -> None:
        steps = (STEPS[1], STEPS[0], EscalationStep(remaining=hours(30), notify=("team",)))
        problems = validate_policies([EscalationPolicy(name="default", steps=steps)], [TEAM, SMS])
        assert sum("unreachable" in problem for problem in problems) == 3

    def test_the_policy_that_a_clock_started_with_serves_it_to_the_end(self) -> None:
        frozen = policy_to_json(EscalationPolicy(name="default", steps=STEPS))
        view, _ = tell(make_view(steps=policy_from_json(frozen).steps), DIRECTORY, DEADLINE - hours(8))
        view = replace(view, steps=policy_from_json(frozen).steps)
        plan = plan_clock(view, DIRECTORY, DEADLINE - hours(2))
        assert plan.step_reached == 1
        assert after(view, plan).occurrence == 0

    def test_an_acknowledged_wait_that_nobody_answers_pages_again(self) -> None:
        view, _ = tell(make_view(), DIRECTORY, DEADLINE - hours(8))
        view = replace(view, acknowledged_by="Bo", acknowledged_at=DEADLINE - hours(8))
        upcoming = next_step(view, DIRECTORY, DEADLINE - hours(7))
        assert upcoming is not None
        assert upcoming.at == DEADLINE - hours(6)
        assert plan_clock(view, DIRECTORY, DEADLINE - hours(6)).notifications[0].occurrence == 1
