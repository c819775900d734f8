"""A policy that takes over while a clock runs: what was told stays told, and nobody hears the same twice."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.core.model import Notification
from alerts.core.policy import EscalationPolicy, EscalationStep, Matcher, policy_from_json, policy_to_json
from alerts.core.policy_switch import choose_again, switch_policy
from tests.support.planning_world import (
    DEADLINE,
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
USUAL = EscalationPolicy(
    name="default",
    steps=(
        EscalationStep(remaining=hours(8), notify=("team",)),
        EscalationStep(remaining=hours(2), notify=("oncall-sms",), repeat_every=minutes(10)),
        EscalationStep(remaining=hours(0), notify=("team", "oncall-sms")),
    ),
)
EARLIER = EscalationPolicy(
    name="promise",
    match=Matcher(labels=frozenset({"promise_missed"})),
    steps=(
        EscalationStep(remaining=hours(20), notify=("team", "oncall-sms")),
        EscalationStep(remaining=hours(4), notify=("oncall-voice",)),
    ),
)


def choose(policies: tuple[EscalationPolicy, ...], running: str = "default", **changes: Any) -> str | None:
    values: dict[str, Any] = {
        "account": "acme",
        "marketplace": "FR",
        "labels": ("delivery",),
        "priority": 20,
        "added": "promise_missed",
        "priority_after": 35,
    }
    chosen = choose_again(policies, running, **(values | changes))
    return None if chosen is None else chosen.name


def test_the_policy_that_fits_by_the_new_label_takes_over() -> None:
    assert choose((EARLIER, USUAL)) == "promise"


def test_the_policy_that_fits_by_the_new_priority_takes_over() -> None:
    by_priority = replace(EARLIER, match=Matcher(min_priority=35))
    assert choose((by_priority, USUAL)) == "promise"
    assert choose((by_priority, USUAL), priority_after=34) is None


@pytest.mark.parametrize(
    ("policies", "running"),
    [
        pytest.param((USUAL, EARLIER), "default", id="one before it fits already: the first that fits wins"),
        pytest.param((EARLIER, USUAL), "promise", id="it runs already"),
        pytest.param((USUAL,), "default", id="there is no other"),
        pytest.param(
            (replace(USUAL, name="new", match=Matcher(labels=frozenset({"delivery"}))), USUAL),
            "default",
            id="a file edited meanwhile changes nothing by itself",
        ),
        pytest.param(
            (replace(USUAL, name="words", match=Matcher(text="lawyer")), EARLIER, USUAL),
            "words",
            id="chosen by words that are not kept, and before it",
        ),
    ],
)
def test_otherwise_the_running_policy_goes_on(policies: tuple[EscalationPolicy, ...], running: str) -> None:
    assert choose(policies, running) is None


def test_a_policy_that_is_no_longer_configured_gives_way() -> None:
    assert choose((EARLIER, USUAL), "old") == "promise"


def test_where_nothing_was_told_the_new_policy_is_taken_as_it_is() -> None:
    assert switch_policy(USUAL, -1, EARLIER, hours(10)) is EARLIER


def test_who_heard_it_is_not_told_again_and_who_did_not_is_told_at_once() -> None:
    switched = switch_policy(USUAL, 0, EARLIER, hours(7))
    assert switched.steps == (
        EscalationStep(remaining=hours(8), notify=("team",)),
        EscalationStep(remaining=hours(20), notify=("oncall-sms",)),
        EscalationStep(remaining=hours(4), notify=("oncall-voice",)),
    )
    assert (switched.name, switched.match) == ("promise", EARLIER.match)


def test_where_everybody_heard_it_already_the_repeats_of_the_new_policy_go_on() -> None:
    again = EscalationPolicy(
        name="promise", steps=(EscalationStep(remaining=hours(20), notify=("team",), repeat_every=minutes(30)),)
    )
    assert switch_policy(USUAL, 0, again, hours(7)).steps == (
        EscalationStep(remaining=hours(8), notify=("team",), repeat_every=minutes(30)),
    )


def test_where_everybody_heard_it_and_hears_it_again_that_rhythm_goes_on() -> None:
    taken = switch_policy(USUAL, 1, EARLIER, hours(5))
    assert taken.steps == (*USUAL.steps[:2], EARLIER.steps[1])


def test_where_no_step_of_the_new_policy_has_passed_its_steps_come_after_what_was_told() -> None:
    assert switch_policy(USUAL, 0, EARLIER, hours(21)).steps == (USUAL.steps[0], *EARLIER.steps)


def test_at_the_instant_of_a_step_that_step_is_due() -> None:
    at = switch_policy(USUAL, 0, EARLIER, hours(4)).steps
    before = switch_policy(USUAL, 0, EARLIER, hours(4) + timedelta(microseconds=1)).steps
    assert [step.notify for step in at] == [("team",), ("oncall-voice",)]
    assert [step.notify for step in before] == [("team",), ("oncall-sms",), ("oncall-voice",)]


@st.composite
def any_policies(draw: st.DrawFn) -> EscalationPolicy:
    left = sorted(draw(st.lists(st.integers(0, 24 * 60), unique=True, min_size=1, max_size=4)), reverse=True)
    receivers = st.lists(st.sampled_from(("team", "hook", "oncall-sms")), min_size=1, max_size=3, unique=True)
    return EscalationPolicy(
        name="drawn",
        steps=tuple(
            EscalationStep(
                remaining=minutes(one),
                notify=tuple(draw(receivers)),
                repeat_every=minutes(draw(st.sampled_from([0, 0, 45]))),
            )
            for one in left
        ),
    )


@UNHURRIED
@given(any_policies(), any_policies(), st.integers(0, 25 * 60))
def test_whenever_a_policy_takes_over_nothing_is_told_twice_and_nothing_of_it_is_lost(
    running: EscalationPolicy, chosen: EscalationPolicy, minute: int
) -> None:
    at = START + minutes(minute)
    view = make_view(steps=running.steps)
    told: list[tuple[datetime, Notification]] = []
    for now, plan in drive(view, DIRECTORY, START, at):
        told += [(now, one) for one in plan.notifications]
        view = after(view, plan)
    heard = {one.receiver for _, one in told}
    switched = switch_policy(running, view.step_reached, chosen, DEADLINE - at)
    assert policy_from_json(policy_to_json(switched)) == switched

    repeats = view.step_reached >= 0 and switched.steps[view.step_reached].repeat_every > timedelta(0)
    view = replace(view, steps=switched.steps)
    later: list[tuple[datetime, Notification]] = []
    for now, plan in drive(view, DIRECTORY, at, DEADLINE + hours(1)):
        later += [(now, one) for one in plan.notifications]
    at_once = {one.receiver for now, one in later if now == at}
    if not repeats:
        assert not heard & at_once
    due = [step for step in chosen.steps if step.remaining >= DEADLINE - at]
    if due and not repeats:
        assert at_once == set(due[-1].notify) - heard
    for step in chosen.steps:
        if step.remaining < DEADLINE - at:
            assert set(step.notify) == {
                one.receiver for now, one in later if now == DEADLINE - step.remaining and one.occurrence == 0
            }
    keys = [one.key for _, one in (*told, *later)]
    assert len(keys) == len(set(keys))
