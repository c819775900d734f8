"""Which policy serves a thread, what serves without one, and how a policy is frozen onto a clock."""

import json
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.core.model import Person, Receiver
from alerts.core.policy import (
    EscalationPolicy,
    EscalationStep,
    LookAhead,
    Matcher,
    choose_policy,
    default_policy,
    implied_receivers,
    matches,
    policy_from_json,
    policy_to_json,
)
from tests.support.planning_world import AHEAD, ANA, BO, CY, PRIMARY, SMS, STEPS, TEAM, UNHURRIED, VOICE, hours, minutes

THREAD: dict[str, Any] = {
    "account": "acme-eu",
    "marketplace": "FR",
    "labels": ("delivery", "complaint"),
    "priority": 2,
    "text": "Mon  colis est CASSÉ,\nje veux un remboursement",
}


@pytest.mark.parametrize(
    ("matcher", "fits"),
    [
        pytest.param(Matcher(), True, id="everything"),
        pytest.param(Matcher(accounts=frozenset({"acme-eu", "acme-us"})), True, id="account"),
        pytest.param(Matcher(accounts=frozenset({"acme-us"})), False, id="other-account"),
        pytest.param(Matcher(marketplaces=frozenset({"FR"})), True, id="marketplace"),
        pytest.param(Matcher(marketplaces=frozenset({"DE"})), False, id="other-marketplace"),
        pytest.param(Matcher(labels=frozenset({"complaint", "return"})), True, id="any-label"),
        pytest.param(Matcher(labels=frozenset({"return"})), False, id="no-label"),
        pytest.param(Matcher(min_priority=2), True, id="priority"),
        pytest.param(Matcher(min_priority=3), False, id="lower-priority"),
        pytest.param(Matcher(text="colis est cassé"), True, id="words-without-case-and-line-breaks"),
        pytest.param(Matcher(text="CASSE\u0301"), True, id="words-composed-otherwise"),
        pytest.param(Matcher(text="facture"), False, id="other-words"),
        pytest.param(Matcher(marketplaces=frozenset({"FR"}), min_priority=3), False, id="all-must-fit"),
    ],
)
def test_every_field_that_is_set_must_fit(matcher: Matcher, fits: bool) -> None:
    assert matches(matcher, **THREAD) is fits


def test_what_is_unknown_fits_no_named_one() -> None:
    assert not matches(Matcher(marketplaces=frozenset({"FR"})), account="acme-eu", marketplace=None)
    assert not matches(Matcher(text="colis"), account="acme-eu", text=None)
    assert matches(Matcher())


def make_policy(name: str, match: Matcher | None = None) -> EscalationPolicy:
    return EscalationPolicy(name=name, steps=STEPS, match=match or Matcher())


def test_the_first_policy_that_fits_wins_and_the_last_serves_the_rest() -> None:
    japan = make_policy("japan", Matcher(marketplaces=frozenset({"JP"})))
    france = make_policy("france", Matcher(marketplaces=frozenset({"FR"})))
    everything = make_policy("everything")
    assert choose_policy([japan, france, everything], **THREAD).name == "france"
    assert choose_policy([everything, france], **THREAD).name == "everything"
    assert choose_policy([france, japan], **(THREAD | {"marketplace": "DE"})).name == "japan"
    with pytest.raises(ValueError, match="no escalation policy"):
        choose_policy([], **THREAD)


def steps_of(policy: EscalationPolicy) -> list[tuple[float, tuple[str, ...], float]]:
    return [
        (step.remaining / hours(1), step.notify, step.repeat_every / minutes(1)) for step in policy.steps
    ]  # fmt: skip


def test_without_a_policy_the_team_then_phones_then_everybody() -> None:
    policy = default_policy([ANA, BO, CY], [TEAM, SMS])
    assert steps_of(policy) == [
        (8, ("team",), 0),
        (2, ("oncall-sms",), 10),
        (1, ("oncall-sms", "oncall-voice"), 10),
        (0, ("team", "oncall-sms", "oncall-voice"), 10),
    ]
    assert policy.acknowledgement_expires == hours(2)
    assert policy.look_ahead == LookAhead(before_end_of_shift=minutes(90), notify=("team",))
    assert implied_receivers([ANA, BO, CY], [TEAM, SMS]) == (
        Receiver(name="oncall-voice", type="voice", people=("Ana",)),
    )


def test_without_phones_the_team_takes_their_place() -> None:
    console = Receiver(name="console", type="console")
    assert implied_receivers([CY], [console]) == ()
    assert steps_of(default_policy([CY], [console])) == [
        (8, ("console",), 0),
        (2, ("console",), 10),
        (0, ("console",), 10),
    ]


def test_people_with_phones_and_no_receiver_for_them_get_one() -> None:
    implied = implied_receivers([ANA, BO, CY], [TEAM])
    assert implied == (
        Receiver(name="phones-sms", type="sms", people=("Ana", "Bo")),
        Receiver(name="phones-voice", type="voice", people=("Ana", "Bo")),
    )
    assert steps_of(default_policy([ANA, BO, CY], [TEAM]))[-1][1] == ("team", "phones-sms", "phones-voice")


def test_receivers_of_ones_own_are_taken_as_they_are() -> None:
    assert implied_receivers([ANA], [TEAM, SMS, VOICE]) == ()
    assert implied_receivers([ANA], [VOICE]) == ()
    assert implied_receivers([ANA], [TEAM, PRIMARY]) == ()
    assert steps_of(default_policy([ANA], [TEAM, PRIMARY])) == [
        (8, ("team",), 0),
        (2, ("primary-person",), 10),
        (0, ("team", "primary-person"), 10),
    ]
    assert steps_of(default_policy([ANA], [VOICE]))[0] == (8, ("oncall-voice",), 0)
    assert steps_of(default_policy([ANA], [SMS]))[0] == (8, ("oncall-sms",), 0)


def test_without_any_receiver_there_is_no_policy() -> None:
    with pytest.raises(ValueError, match=r"no receiver.*Add a \[\[receiver\]\]"):
        default_policy([Person(name="Dee")], [])


durations = st.timedeltas(min_value=timedelta(0), max_value=timedelta(days=9))
names = st.text(min_size=1, max_size=12)
policies = st.builds(
    EscalationPolicy,
    name=names,
    steps=st.lists(
        st.builds(
            EscalationStep,
            remaining=durations,
            notify=st.lists(names, max_size=3).map(tuple),
            repeat_every=durations,
        ),
        max_size=4,
    ).map(tuple),
    match=st.builds(
        Matcher,
        accounts=st.frozensets(names, max_size=2),
        marketplaces=st.frozensets(names, max_size=2),
        labels=st.frozensets(names, max_size=3),
        min_priority=st.none() | st.integers(-9, 9),
        text=st.none() | names,
    ),
    acknowledgement_expires=durations,
    look_ahead=st.none()
    | st.builds(LookAhead, before_end_of_shift=durations, notify=st.lists(names, max_size=2).map(tuple)),
)


@UNHURRIED
@given(policies)
def test_a_frozen_policy_comes_back_as_it_was(policy: EscalationPolicy) -> None:
    text = policy_to_json(policy)
    assert policy_from_json(text) == policy
    assert policy_to_json(policy_from_json(text)) == text


def test_the_frozen_text_does_not_depend_on_the_order_of_sets() -> None:
    labels = [f"label-{number}" for number in range(20)]
    one = make_policy("x", Matcher(labels=frozenset(labels)))
    other = make_policy("x", Matcher(labels=frozenset(reversed(labels))))
    assert policy_to_json(one) == policy_to_json(other)
    assert json.loads(policy_to_json(one))["version"] == 1


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        pytest.param('{"version": 2}', r"version 2 is not known\. Run the ReplyBy", id="newer"),
        pytest.param("{}", "not as ReplyBy writes it", id="empty"),
        pytest.param("[]", "not as ReplyBy writes it", id="list"),
        pytest.param("not json", "Expecting value", id="no-json"),
        pytest.param('{"version": 1, "match": null, "look_ahead": null}', "not as ReplyBy", id="cut"),
    ],
)
def test_a_text_that_is_not_ours_is_refused(text: str, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        policy_from_json(text)


def test_the_default_policy_can_be_frozen_and_looks_ahead() -> None:
    policy = default_policy([ANA], [TEAM])
    assert policy_from_json(policy_to_json(policy)) == policy
    assert AHEAD.notify == ("team",)
