"""Every problem of policies and receivers, told before the worker starts."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from alerts.core.model import Channel, ContactRule, Person, Receiver
from alerts.core.policy import EscalationPolicy, EscalationStep, LookAhead, Matcher, default_policy
from alerts.core.policy_check import validate_policies, validate_receivers, words_of
from tests.support.planning_world import AHEAD, ANA, BO, CY, PRIMARY, SMS, STEPS, TEAM, VOICE, hours, minutes


def make_policy(*steps: EscalationStep, **changes: Any) -> EscalationPolicy:
    return EscalationPolicy(**({"name": "default", "steps": steps or STEPS} | changes))


def step(remaining: float, *notify: str, repeat: float = 0) -> EscalationStep:
    return EscalationStep(remaining=hours(remaining), notify=notify or ("team",), repeat_every=minutes(repeat))


def problems_of(*policies: EscalationPolicy, **how: Any) -> list[str]:
    return validate_policies(policies, [TEAM, SMS], **how)


def test_a_sound_policy_has_no_problem() -> None:
    assert problems_of(make_policy(look_ahead=AHEAD)) == []
    assert validate_policies([default_policy([CY], [TEAM])], [TEAM]) == []


@pytest.mark.parametrize(
    ("policy", "problem"),
    [
        pytest.param(
            make_policy(step(25)),
            '[[policy.step]] of default remaining = "25h": unreachable, longer than the target of 24h. '
            "Write at most the target.",
            id="longer-than-the-target",
        ),
        pytest.param(
            make_policy(step(2), step(8)),
            '[[policy.step]] of default remaining = "8h": unreachable, because the step before it has less time left. '
            "Order steps by falling time.",
            id="rising",
        ),
        pytest.param(
            make_policy(step(2), step(2)),
            '[[policy.step]] of default remaining = "2h": stands there twice. Put all receivers into one step.',
            id="twice",
        ),
        pytest.param(
            make_policy(step(-1)),
            '[[policy.step]] of default remaining = "-1h": less than nothing never remains. Write "0s" for the breach.',
            id="negative",
        ),
        pytest.param(
            make_policy(step(2, repeat=-1)),
            '[[policy.step]] of default remaining = "2h" repeat_every: less than nothing. Write "0s" for once.',
            id="negative-repeat",
        ),
        pytest.param(
            make_policy(step(2, "tem")),
            "[[policy.step]] of default remaining = \"2h\" notify: receiver 'tem' does not exist. Did you mean 'team'?",
            id="unknown-near",
        ),
        pytest.param(
            make_policy(step(2, "xyz")),
            "[[policy.step]] of default remaining = \"2h\" notify: receiver 'xyz' does not exist. "
            "Receivers: team, oncall-sms.",
            id="unknown-far",
        ),
        pytest.param(
            make_policy(EscalationStep(remaining=hours(2), notify=())),
            '[[policy.step]] of default remaining = "2h" notify: empty, so that nobody would be told. '
            "Receivers: team, oncall-sms.",
            id="empty-notify",
        ),
        pytest.param(
            make_policy(step(2, "team", "team")),
            "[[policy.step]] of default remaining = \"2h\" notify: 'team' stands there twice. Name it once.",
            id="notify-twice",
        ),
        pytest.param(
            EscalationPolicy(name="default", steps=()),
            "[[policy]] default: has no step, so that nobody would be told. Add a [[policy.step]].",
            id="no-step",
        ),
        pytest.param(
            make_policy(acknowledgement_expires=timedelta(0)),
            '[[policy]] default acknowledgement_expires: not longer than nothing. Write for example "2h".',
            id="acknowledgement-of-nothing",
        ),
        pytest.param(
            make_policy(look_ahead=replace(AHEAD, before_end_of_shift=timedelta(0))),
            '[policy.look_ahead] of default before_end_of_shift: not longer than nothing. Write for example "90m".',
            id="look-ahead-of-nothing",
        ),
        pytest.param(
            make_policy(look_ahead=LookAhead(before_end_of_shift=hours(1), notify=("teams",))),
            "[policy.look_ahead] of default notify: receiver 'teams' does not exist. Did you mean 'team'?",
            id="look-ahead-unknown",
        ),
    ],
)
def test_each_problem_is_told_with_what_to_do(policy: EscalationPolicy, problem: str) -> None:
    assert problems_of(policy) == [problem]


def test_all_problems_are_told_at_once_and_in_order() -> None:
    found = problems_of(
        make_policy(step(30, "tem"), step(2, "xyz")), make_policy(look_ahead=AHEAD), staffed=False, target=hours(24)
    )
    assert [problem.split(":")[0] for problem in found] == [
        '[[policy.step]] of default remaining = "30h"',
        '[[policy.step]] of default remaining = "30h" notify',
        '[[policy.step]] of default remaining = "2h" notify',
        "[[policy]] default",
        "[[policy]] default",
        "[policy.look_ahead] of default",
    ]
    assert found[3].endswith("the name is used twice. Give each policy its own.")
    assert found[4].endswith("never used, because 'default' before it matches all that it matches. Move it up.")
    assert found[5].endswith("without staffed hours no shift ends. Add [[staffed]], or remove it.")


def test_a_longer_target_reaches_further_steps() -> None:
    assert problems_of(make_policy(step(30), step(0)), target=hours(48)) == []
    assert problems_of(make_policy(step(24), step(0))) == []


FRANCE = frozenset({"FR"})


@pytest.mark.parametrize(
    ("wide", "narrow", "hidden"),
    [
        pytest.param(Matcher(), Matcher(marketplaces=FRANCE), True, id="everything-first"),
        pytest.param(Matcher(marketplaces=FRANCE), Matcher(), False, id="everything-last"),
        pytest.param(Matcher(marketplaces=FRANCE | {"DE"}), Matcher(marketplaces=FRANCE), True, id="more-markets"),
        pytest.param(Matcher(marketplaces=FRANCE), Matcher(marketplaces=FRANCE | {"DE"}), False, id="fewer-markets"),
        pytest.param(Matcher(min_priority=1), Matcher(min_priority=2), True, id="lower-priority"),
        pytest.param(Matcher(min_priority=2), Matcher(min_priority=1), False, id="higher-priority"),
        pytest.param(Matcher(min_priority=2), Matcher(), False, id="priority-of-all"),
        pytest.param(Matcher(text="urgent"), Matcher(text="urgent", marketplaces=FRANCE), True, id="same-words"),
        pytest.param(Matcher(text="urgent"), Matcher(), False, id="words-of-all"),
    ],
)
def test_a_policy_that_another_hides_is_told(wide: Matcher, narrow: Matcher, hidden: bool) -> None:
    found = problems_of(make_policy(name="first", match=wide), make_policy(name="second", match=narrow))
    assert ["never used" in problem for problem in found] == [True] * hidden


def receiver_problems(receiver: Receiver, *people: Person) -> list[str]:
    return validate_receivers([receiver], people or (ANA, BO, CY), ["primary"])


@pytest.mark.parametrize(
    ("receiver", "problem"),
    [
        pytest.param(
            Receiver(name="x", type="sms", people=("Anna",)),
            "[[receiver]] x to: person 'Anna' does not exist. Did you mean 'Ana'?",
            id="unknown-person",
        ),
        pytest.param(
            Receiver(name="x", type="sms", people=("Zoltan",)),
            "[[receiver]] x to: person 'Zoltan' does not exist. People: Ana, Bo, Cy.",
            id="unknown-person-far",
        ),
        pytest.param(
            Receiver(name="x", type="sms", schedule="primry"),
            "[[receiver]] x schedule: schedule 'primry' does not exist. Did you mean 'primary'?",
            id="unknown-schedule",
        ),
        pytest.param(
            Receiver(name="x", type="voice", people=("Cy",)),
            "[[receiver]] x to: Cy has no phone. Add phone to [[person]] Cy.",
            id="no-phone",
        ),
        pytest.param(
            Receiver(name="x", type="email"),
            "[[receiver]] x: reaches nobody. Set to = [names of people] or schedule.",
            id="nobody",
        ),
    ],
)
def test_receivers_that_reach_nobody_are_told(receiver: Receiver, problem: str) -> None:
    assert receiver_problems(receiver) == [problem]


def test_a_person_without_a_way_to_be_reached_is_told() -> None:
    person = Receiver(name="x", type="person", people=("Dee", "Cy"))
    rules = replace(CY, contact=(ContactRule(by=Channel.SMS),))
    assert receiver_problems(person, Person(name="Dee"), rules) == [
        "[[receiver]] x to: Dee has nothing to be reached by. Add slack_user, phone or email to [[person]] Dee.",
        "[[receiver]] x to: Cy has nothing to be reached by. Add slack_user, phone or email to [[person]] Cy.",
    ]


def test_sound_receivers_have_no_problem() -> None:
    address = Receiver(name="mail", type="email", target="team@acme.example")
    assert validate_receivers([TEAM, SMS, VOICE, PRIMARY, address], [ANA], {"primary"}) == []
    assert validate_receivers([replace(SMS, people=("Zoltan",))], [], []) == [
        "[[receiver]] oncall-sms to: person 'Zoltan' does not exist. People: none."
    ]


@pytest.mark.parametrize(
    ("span", "words"),
    [(0, "0s"), (90, "90s"), (120, "2m"), (5400, "90m"), (7200, "2h"), (86400, "24h"), (172800, "2d"), (0.5, "0.5s")],
)
def test_durations_are_told_as_the_file_writes_them(span: float, words: str) -> None:
    assert words_of(timedelta(seconds=span)) == words
