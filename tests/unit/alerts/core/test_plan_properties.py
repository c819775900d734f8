"""What holds for every policy, every order of events and every late or jumping tick."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from alerts.core.contact import acknowledgement_expires_at, snooze_until
from alerts.core.model import Channel, Purpose, Receiver
from alerts.core.plan import ClockView, plan_clock, plan_look_ahead
from alerts.core.policy import EscalationPolicy, EscalationStep, policy_from_json, policy_to_json
from alerts.core.staffing import Shift
from tests.support.planning_world import (
    AHEAD,
    DEADLINE,
    PARIS,
    START,
    UNHURRIED,
    after,
    drive,
    hours,
    make_directory,
    make_view,
    minutes,
)

DIRECTORY = make_directory()
DAY = timedelta(days=1)
RECEIVERS = ("team", "hook", "oncall-sms", "oncall-voice", "primary-person")


@st.composite
def policies(draw: st.DrawFn, breach: bool = True) -> tuple[EscalationStep, ...]:
    """Draw steps of falling time remaining; the last one is the breach."""
    left = draw(st.lists(st.integers(1, 24 * 60), unique=True, max_size=4))
    remaining = [*sorted(left, reverse=True), *([0] if breach else [])]
    return tuple(
        EscalationStep(
            remaining=minutes(value),
            notify=tuple(draw(st.lists(st.sampled_from(RECEIVERS), min_size=1, max_size=3, unique=True))),
            repeat_every=minutes(draw(st.sampled_from([0, 0, 10, 45]))),
        )
        for value in remaining
    )


@UNHURRIED
@given(policies())
def test_if_nobody_acts_every_step_is_reached_in_order_at_its_time(steps: tuple[EscalationStep, ...]) -> None:
    first_told: dict[int, datetime] = {}
    keys: list[str] = []
    for now, plan in drive(make_view(steps=steps), DIRECTORY, START, DEADLINE + DAY):
        keys += [notification.key for notification in plan.notifications]
        if plan.notifications:
            first_told.setdefault(plan.step_reached, now)
    # Steps that begin with the clock itself collapse into the last of them.
    assert first_told == {
        number: DEADLINE - step.remaining for number, step in enumerate(steps) if DEADLINE - step.remaining >= START
    }
    assert len(keys) == len(set(keys))


@UNHURRIED
@given(policies(), st.integers(0, 25 * 60), st.integers(1, 300))
def test_after_an_acknowledgement_nothing_is_planned_until_it_expires(
    steps: tuple[EscalationStep, ...], minute: int, expires: int
) -> None:
    at = START + minutes(minute)
    view = make_view(steps=steps, acknowledgement_expires=minutes(expires))
    for _, plan in drive(view, DIRECTORY, START, at):
        view = after(view, plan)
    expires_at = acknowledgement_expires_at(at, DEADLINE, minutes(expires))
    view = replace(view, acknowledged_by="Ana", acknowledged_at=at, acknowledgement_expires_at=expires_at)
    told_before = view.step_reached >= 0
    for now, plan in drive(view, DIRECTORY, at, DEADLINE + DAY):
        if now < expires_at:
            assert plan.notifications == ()
        elif now == expires_at and told_before:
            assert plan.notifications != ()


@UNHURRIED
@given(policies(), st.lists(st.integers(-3 * 60, 26 * 60), max_size=30))
def test_planning_twice_adds_nothing(steps: tuple[EscalationStep, ...], ticks: list[int]) -> None:
    view = make_view(steps=steps)
    for tick in ticks:
        now = START + minutes(tick)
        plan = plan_clock(view, DIRECTORY, now)
        assert plan_clock(view, make_directory(), now) == plan
        view = after(view, plan)
        again = plan_clock(view, DIRECTORY, now)
        assert again.notifications == ()
        assert again.next_due_at == plan.next_due_at
        assert after(view, again) == view


shifts = st.lists(
    st.builds(
        Shift,
        days=st.frozensets(st.integers(0, 6), min_size=1),
        from_minute=st.integers(0, 1439),
        to_minute=st.integers(0, 1440),
        time_zone=st.just(PARIS),
    ),
    max_size=2,
).map(tuple)


@settings(UNHURRIED, max_examples=40)
@given(policies(), shifts)
def test_moving_the_staffed_hours_moves_neither_a_deadline_nor_a_step(
    steps: tuple[EscalationStep, ...], staffed: tuple[Shift, ...]
) -> None:
    view = make_view(steps=steps, look_ahead=AHEAD)

    def told(directory: Any) -> list[tuple[datetime, str]]:
        found = []
        for now, plan in drive(view, directory, START, DEADLINE + DAY):
            found += [(now, notification.key) for notification in plan.notifications]
        return found

    assert told(make_directory(shifts=staffed)) == told(DIRECTORY)
    summary = plan_look_ahead([view], staffed, DIRECTORY, START)
    assert all(notification.purpose is Purpose.LOOK_AHEAD for notification in summary.notifications)


@UNHURRIED
@given(policies(), policies(), st.integers(0, 24 * 60))
def test_editing_the_file_midway_neither_skips_nor_repeats(
    steps: tuple[EscalationStep, ...], edited: tuple[EscalationStep, ...], minute: int
) -> None:
    frozen = policy_to_json(EscalationPolicy(name="default", steps=steps))
    newer = EscalationPolicy(name="default", steps=edited)
    wider = make_directory(*DIRECTORY.receivers.values(), Receiver(name="extra", type="slack", target="C09"))
    view = make_view(steps=steps)
    expected = [plan.notifications for _, plan in drive(view, DIRECTORY, START, DEADLINE + hours(2))]
    found = []
    now: datetime | None = START
    while now is not None and now <= DEADLINE + hours(2):
        in_file = newer if now >= START + minutes(minute) else policy_from_json(frozen)
        assert in_file.name == "default"
        directory = wider if in_file is newer else DIRECTORY
        plan = plan_clock(replace(view, steps=policy_from_json(frozen).steps), directory, now)
        found.append(plan.notifications)
        view, now = after(view, plan), plan.next_due_at
    assert found == expected


EVENTS = ("tick", "tick", "tick", "acknowledge", "undo", "snooze", "silence", "reopen", "verify", "back")


def act(view: ClockView, event: str, now: datetime, length: timedelta) -> ClockView:
    """Return the clock after somebody did something at `now`."""
    if event == "acknowledge":
        ends_at = acknowledgement_expires_at(now, view.deadline_at, hours(2))
        return replace(view, acknowledged_by="Ana", acknowledged_at=now, acknowledgement_expires_at=ends_at)
    if event == "undo":
        return replace(view, acknowledged_by=None, acknowledged_at=None, acknowledgement_expires_at=None)
    if event == "snooze":
        return replace(view, snoozed_until=snooze_until(now, length, view.deadline_at))
    if event == "silence":
        return replace(view, silenced_until=now + length)
    if event == "reopen":
        return replace(act(view, "undo", now, length), reopened_count=view.reopened_count + 1, snoozed_until=None)
    return replace(view, verified=True) if event == "verify" else view


@settings(UNHURRIED, max_examples=150)
@given(
    policies(),
    st.booleans(),
    st.lists(st.tuples(st.sampled_from(EVENTS), st.integers(1, 6 * 60), st.integers(1, 300)), max_size=25),
)
def test_late_ticks_small_steps_back_and_everything_people_do_never_lose_the_breach_nor_double_a_key(
    steps: tuple[EscalationStep, ...], verified: bool, events: list[tuple[str, int, int]]
) -> None:
    view = make_view(steps=steps, verified=verified)
    now, latest = START, START
    told: list[tuple[datetime, str]] = []
    for event, pause, length in [*events, ("verify", 1, 1)]:
        now = now - timedelta(seconds=length) if event == "back" else now + minutes(pause)
        latest = max(latest, now)
        view = act(view, event, now, minutes(length))
        plan = plan_clock(view, DIRECTORY, now)
        held = (view.acknowledgement_expires_at, view.snoozed_until, view.silenced_until)
        if any(until is not None and until > now for until in held):
            assert plan.notifications == ()
        if not view.verified:
            assert {one.channel for one in plan.notifications}.isdisjoint({Channel.SMS, Channel.VOICE})
        assert plan.next_due_at is None or plan.next_due_at > now
        told += [(now, one.key) for one in plan.notifications]
        view = after(view, plan)
    ends = (view.acknowledgement_expires_at, view.snoozed_until, view.silenced_until, latest, DEADLINE)
    over_at = max(end for end in ends if end is not None)
    for now, plan in drive(view, DIRECTORY, over_at, over_at + hours(1)):
        told += [(now, one.key) for one in plan.notifications]
        view = after(view, plan)
    keys = [key for _, key in told]
    assert len(keys) == len(set(keys))
    assert view.step_reached == len(steps) - 1
    breach = {target.name for target in DIRECTORY.targets(steps[-1].notify, DEADLINE)}
    for name in {name for name in breach if not name.startswith("primary-person:")}:
        assert any(at >= DEADLINE - minutes(5) and f":{len(steps) - 1}:{name}:" in key for at, key in told)
