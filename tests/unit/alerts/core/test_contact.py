"""How people are reached, and how long their word holds."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.core.contact import (
    Contact,
    acknowledgement_expires_at,
    expand_receiver,
    hold_until,
    snooze_until,
    stand_ins,
    usable_rules,
)
from alerts.core.model import Channel, ContactRule, Person, Purpose, QuietHours, Receiver
from alerts.core.schedule import Rotation, Schedule
from tests.support.planning_world import (
    ANA,
    BO,
    CY,
    DEADLINE,
    PARIS,
    TICK,
    UNHURRIED,
    hours,
    make_directory,
    minutes,
    paris,
)

AT = paris("2026-11-20T12:00")  # Bo's week
NOW = timedelta(0)
SLACK, SMS, VOICE, EMAIL = Channel.SLACK, Channel.SMS, Channel.VOICE, Channel.EMAIL


def expand(receiver: Receiver, **directory: Any) -> tuple[Contact, ...]:
    return expand_receiver(receiver, make_directory(receiver, **directory), AT)


@pytest.mark.parametrize("kind", ["slack", "console", "webhook"])
def test_a_shared_receiver_is_one_contact(kind: str) -> None:
    assert expand(Receiver(name="x", type=kind, target="C01")) == ((Channel(kind), None, NOW),)


@pytest.mark.parametrize("kind", ["sms", "voice"])
def test_a_phone_receiver_reaches_each_of_its_people_who_has_a_phone(kind: str) -> None:
    receiver = Receiver(name="x", type=kind, people=("Ana", "Cy", "Bo", "Nobody"))
    assert expand(receiver) == ((Channel(kind), "Ana", NOW), (Channel(kind), "Bo", NOW))


def test_an_email_receiver_reaches_people_or_an_address_of_its_own() -> None:
    assert expand(Receiver(name="x", type="email", people=("Ana", "Cy"))) == ((EMAIL, "Ana", NOW), (EMAIL, "Cy", NOW))
    assert expand(Receiver(name="x", type="email", target="team@acme.example")) == ((EMAIL, None, NOW),)
    assert expand(Receiver(name="x", type="email")) == ()


def test_a_schedule_names_the_one_who_is_on_call() -> None:
    receiver = Receiver(name="x", type="sms", schedule="primary")
    assert expand(receiver) == ((SMS, "Bo", NOW),)
    directory = make_directory(receiver)
    assert expand_receiver(receiver, directory, paris("2026-11-23T09:00"))[0].person == "Ana"
    assert directory.on_call("Bo", AT)
    assert not directory.on_call("Ana", AT)


def test_somebody_who_cannot_be_reached_gives_way_to_the_next() -> None:
    receiver = Receiver(name="x", type="sms", schedule="primary")
    assert expand(receiver, unreachable=frozenset({("Bo", SMS)})) == ((SMS, "Ana", NOW),)
    assert expand(receiver, unreachable=frozenset({("Bo", SMS), ("Ana", SMS)})) == ()
    assert expand(replace(receiver, schedule="unknown")) == ()


def test_a_person_is_reached_by_slack_then_sms_then_voice() -> None:
    assert expand(Receiver(name="x", type="person", people=("Ana",))) == (
        (SLACK, "Ana", NOW),
        (SMS, "Ana", minutes(5)),
        (VOICE, "Ana", minutes(15)),
    )


def test_people_named_together_are_reached_together() -> None:
    contacts = expand(Receiver(name="x", type="person", people=("Ana", "Bo", "Nobody")))
    assert [contact.person for contact in contacts if contact.channel is SLACK] == ["Ana", "Bo"]
    assert {contact.after for contact in contacts if contact.channel is SLACK} == {NOW}


def test_whoever_does_not_answer_is_followed_by_the_next_person_with_their_own_rules() -> None:
    people = {
        "Ana": replace(ANA, contact=(ContactRule(by=VOICE), ContactRule(by=SMS, after=minutes(3)))),
        "Bo": BO,
        "Cy": Person(name="Cy"),
        "Dee": Person(name="Dee", phone="+33600000004"),
    }
    schedule = Schedule(name="primary", rotation=Rotation(people=("Ana", "Bo", "Cy", "Dee"), time_zone=PARIS))
    receiver = Receiver(name="x", type="person", schedule="primary")
    directory = make_directory(receiver, people=people, schedules={"primary": schedule})
    contacts = expand_receiver(receiver, directory, paris("2026-01-12T09:00"))
    assert contacts == (
        (SLACK, "Bo", NOW),
        (SMS, "Bo", minutes(5)),
        (VOICE, "Bo", minutes(15)),
        (SMS, "Dee", minutes(30)),  # Cy cannot be reached at all and costs no time
        (VOICE, "Dee", minutes(45)),
        (VOICE, "Ana", minutes(60)),
        (SMS, "Ana", minutes(63)),
    )


@pytest.mark.parametrize(
    ("person", "expected"),
    [
        pytest.param(ANA, [(SLACK, 0), (SMS, 5), (VOICE, 15)], id="everything"),
        pytest.param(replace(ANA, slack_user=None), [(SMS, 0), (VOICE, 15)], id="phone-only-at-once"),
        pytest.param(replace(ANA, phone=None), [(SLACK, 0)], id="slack-only"),
        pytest.param(CY, [(EMAIL, 0)], id="email-only"),
        pytest.param(Person(name="Dee"), [], id="nothing"),
        pytest.param(replace(CY, contact=(ContactRule(by=SMS),)), [], id="rule-without-address"),
        pytest.param(
            replace(ANA, contact=(ContactRule(by=EMAIL, after=minutes(9)), ContactRule(by=SMS, after=minutes(2)))),
            [(SMS, 2), (EMAIL, 9)],
            id="own-rules-in-order-of-time",
        ),
        pytest.param(replace(ANA, contact=(ContactRule(by=Channel.WEBHOOK),)), [], id="no-such-address"),
    ],
)
def test_contact_rules(person: Person, expected: list[tuple[Channel, float]]) -> None:
    assert [(rule.by, rule.after) for rule in usable_rules(person)] == [(by, minutes(after)) for by, after in expected]


def test_a_stopped_phone_costs_no_time() -> None:
    person = replace(ANA, contact=(ContactRule(by=SMS), ContactRule(by=VOICE, after=minutes(15))))
    assert usable_rules(person, frozenset({("Ana", SMS)})) == (ContactRule(by=VOICE),)


def test_nobody_is_told_twice_by_one_channel_in_one_step() -> None:
    both = Receiver(name="both", type="sms", people=("Ana", "Bo"))
    person = Receiver(name="ana-person", type="person", people=("Ana",))
    directory = make_directory(person, both)
    targets = directory.targets(("ana-person", "both"), AT)
    assert [(target.receiver, target.contact) for target in targets] == [
        ("ana-person", (SLACK, "Ana", NOW)),
        ("both", (SMS, "Ana", NOW)),
        ("ana-person", (VOICE, "Ana", minutes(15))),
        ("both", (SMS, "Bo", NOW)),
    ]
    assert directory.targets(("ana-person", "both"), AT) is targets
    again = directory.targets(("both", "ana-person"), AT)
    assert [target.receiver for target in again if target.contact[:2] == (SMS, "Ana")] == ["both"]


def test_a_receiver_that_is_gone_gives_way_to_the_fallback() -> None:
    team = Receiver(name="team", type="slack", target="C01")
    empty = Receiver(name="empty", type="sms")
    directory = make_directory(team, empty, fallback=("team", "also-gone"))
    for notify in (("gone",), ("gone", "team"), ("empty",), ()):
        assert [target.name for target in directory.targets(notify, AT)] == ["team:-:slack"]
    assert make_directory(team).targets(("gone",), AT) == ()


def test_names_with_colons_stay_apart() -> None:
    directory = make_directory(
        Receiver(name="a:b", type="slack"), Receiver(name="a", type="sms", people=("b:c",)),
        people={"b:c": Person(name="b:c", phone="+336")},
    )  # fmt: skip
    names = [target.name for target in directory.targets(("a:b", "a"), AT)]
    assert names == ["a%3Ab:-:slack", "a:b%3Ac:sms"]


def test_what_is_remembered_is_bounded() -> None:
    directory = make_directory()
    for count in range(2000):
        directory.targets(("team",), AT + timedelta(seconds=count))
    assert len(directory._memo) <= 512


def test_when_somebody_cannot_be_reached_their_other_ways_come_first_and_then_those_who_follow() -> None:
    on_call = Receiver(name="x", type="sms", schedule="primary")
    directory = make_directory(on_call, unreachable=frozenset({("Bo", VOICE)}))
    assert stand_ins(on_call, "Bo", SMS, directory, AT) == (
        (SLACK, "Bo", NOW),
        (SMS, "Ana", NOW),
        (SLACK, "Ana", NOW),
        (VOICE, "Ana", NOW),
    )
    people = Receiver(name="y", type="person", people=("Ana", "Cy", "Nobody"))
    assert stand_ins(people, "Ana", SLACK, make_directory(people), AT) == (
        (SMS, "Ana", NOW),
        (VOICE, "Ana", NOW),
        (EMAIL, "Cy", NOW),
    )
    assert stand_ins(Receiver(name="team", type="slack"), None, SLACK, directory, AT) == ()


# --- how long "I have it" and "not now" last


@pytest.mark.parametrize(
    ("before_deadline", "expires", "lasts"),
    [
        pytest.param(hours(8), hours(2), hours(2), id="as-configured"),
        pytest.param(hours(4), hours(2), hours(2), id="half-is-as-long"),
        pytest.param(hours(3), hours(2), hours(1.5), id="half-of-the-time-remaining"),
        pytest.param(hours(1), hours(2), minutes(30), id="half-meets-the-margin"),
        pytest.param(minutes(50), hours(2), minutes(20), id="margin-before-half"),
        pytest.param(minutes(30) + TICK, hours(2), TICK, id="margin-just-ahead"),
        pytest.param(minutes(30), hours(2), minutes(15), id="margin-reached"),
        pytest.param(minutes(10), hours(2), minutes(5), id="margin-past"),
        pytest.param(2 * TICK, hours(2), TICK, id="moment-before-the-deadline"),
        pytest.param(timedelta(0), hours(2), hours(2), id="at-the-deadline"),
        pytest.param(-hours(1), hours(2), hours(2), id="after-the-deadline"),
        pytest.param(hours(8), minutes(1), minutes(1), id="short"),
    ],
)
def test_an_acknowledgement_expires(before_deadline: timedelta, expires: timedelta, lasts: timedelta) -> None:
    at = DEADLINE - before_deadline
    assert acknowledgement_expires_at(at, DEADLINE, expires) == at + lasts


@pytest.mark.parametrize(
    ("before_deadline", "asked", "lasts"),
    [
        pytest.param(hours(8), hours(1), hours(1), id="as-asked"),
        pytest.param(hours(1.5), hours(1), hours(1), id="ends-at-the-margin"),
        pytest.param(hours(1.5) - TICK, hours(1), hours(1) - TICK, id="cut-at-the-margin"),
        pytest.param(minutes(30) + TICK, hours(1), TICK, id="margin-just-ahead"),
        pytest.param(minutes(30), hours(1), minutes(30), id="margin-reached-ends-at-the-deadline"),
        pytest.param(minutes(10), minutes(5), minutes(5), id="short-before-the-deadline"),
        pytest.param(timedelta(0), hours(1), hours(1), id="at-the-deadline"),
        pytest.param(-hours(5), hours(1), hours(1), id="after-the-deadline"),
    ],
)
def test_a_snooze_ends(before_deadline: timedelta, asked: timedelta, lasts: timedelta) -> None:
    at = DEADLINE - before_deadline
    assert snooze_until(at, asked, DEADLINE) == at + lasts


def test_a_snooze_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="must be longer than nothing"):
        snooze_until(AT, timedelta(0), DEADLINE)


@UNHURRIED
@given(st.integers(-3 * 86400, 3 * 86400), st.integers(1, 5 * 86400))
def test_no_word_given_before_the_deadline_outlasts_it(seconds: int, asked: int) -> None:
    at = DEADLINE - timedelta(seconds=seconds)
    for ends_at in (
        snooze_until(at, timedelta(seconds=asked), DEADLINE),
        acknowledgement_expires_at(at, DEADLINE, timedelta(seconds=asked)),
    ):
        assert at < ends_at <= at + timedelta(seconds=asked)
        assert ends_at <= DEADLINE or at >= DEADLINE
        assert ends_at <= DEADLINE - minutes(30) or at >= DEADLINE - minutes(30)


# --- quiet hours

NIGHT = QuietHours(from_minute=22 * 60, to_minute=7 * 60)
SLEEPER = replace(BO, quiet=NIGHT)
FAR = paris("2026-11-22T12:00")


def hold(now: datetime, deadline_at: datetime | None = FAR, person: Person = SLEEPER, **how: Any) -> datetime | None:
    return hold_until(person, deadline_at, now, **({"on_call": False} | how))


@pytest.mark.parametrize(
    ("now", "held"),
    [
        pytest.param(paris("2026-11-20T22:00") - TICK, False, id="before"),
        pytest.param(paris("2026-11-20T22:00"), True, id="start"),
        pytest.param(paris("2026-11-21T00:00"), True, id="midnight"),
        pytest.param(paris("2026-11-21T07:00") - TICK, True, id="last-moment"),
        pytest.param(paris("2026-11-21T07:00"), False, id="end"),
    ],
)
def test_quiet_hours_across_midnight_hold_until_their_end(now: datetime, held: bool) -> None:
    assert hold(now) == (paris("2026-11-21T07:00") if held else None)


def test_quiet_hours_hold_nobody_who_is_on_call_and_nothing_that_is_closed() -> None:
    night = paris("2026-11-21T02:00")
    assert hold(night, on_call=True) is None
    assert hold(night, person=BO) is None
    for purpose in (Purpose.CLOSED, Purpose.UPDATE, Purpose.TEST):
        assert hold(night, purpose=purpose) is None
    for purpose in (Purpose.ALERT, Purpose.REOPENED, Purpose.DIGEST, Purpose.HEALTH):
        assert hold(night, purpose=purpose) is not None


@pytest.mark.parametrize(
    ("deadline_at", "until"),
    [
        pytest.param(paris("2026-11-21T08:00"), "2026-11-21T07:00", id="near-when-quiet-ends"),
        pytest.param(paris("2026-11-21T05:00"), "2026-11-21T04:00", id="near-before-quiet-ends"),
        pytest.param(paris("2026-11-21T03:00") + TICK, "2026-11-21T02:00:00.000001", id="near-in-a-moment"),
        pytest.param(paris("2026-11-21T03:00"), None, id="near-now"),
        pytest.param(paris("2026-11-21T02:30"), None, id="nearer"),
        pytest.param(paris("2026-11-20T21:00"), None, id="breached"),
        pytest.param(None, "2026-11-21T07:00", id="no-deadline"),
    ],
)
def test_a_near_deadline_goes_through_quiet_hours(deadline_at: datetime | None, until: str | None) -> None:
    expected = None if until is None else paris(until)
    assert hold(paris("2026-11-21T02:00"), deadline_at) == expected


@pytest.mark.parametrize(
    ("quiet", "now", "until"),
    [
        pytest.param((0, 1440), "2026-11-21T12:00", "2026-11-22T00:00", id="whole-day"),
        pytest.param((720, 840), "2026-11-21T13:00", "2026-11-21T14:00", id="siesta"),
        pytest.param((720, 840), "2026-11-21T14:00", None, id="after-siesta"),
        pytest.param((720, 720), "2026-11-21T12:00", None, id="of-no-length"),
        pytest.param((120, 180), "2026-03-29T03:00", None, id="skipped-hour"),
        pytest.param((60, 150), "2026-10-25T01:00", "2026-10-25T02:30:01", id="repeated-hour"),
    ],
)
def test_quiet_hours_of_every_shape(quiet: tuple[int, int], now: str, until: str | None) -> None:
    person = replace(BO, quiet=QuietHours(from_minute=quiet[0], to_minute=quiet[1]))
    expected = None if until is None else paris(until)
    if until == "2026-10-25T02:30:01":  # 02:30 comes twice: quiet until the second
        expected = paris("2026-10-25T03:00") - minutes(30)
    assert hold(paris(now), paris("2027-01-01T00:00"), person) == expected


@UNHURRIED
@given(st.integers(0, 400 * 24 * 60), st.integers(0, 1440), st.integers(0, 1440), st.integers(-300, 3000))
def test_what_is_held_is_decided_again_later_and_at_last_goes(offset: int, begin: int, end: int, ahead: int) -> None:
    now = paris("2026-01-01T00:00") + timedelta(minutes=offset)
    deadline_at = now + timedelta(minutes=ahead)
    person = replace(BO, quiet=QuietHours(from_minute=begin, to_minute=end))
    decisions = 0
    while (until_at := hold(now, deadline_at, person)) is not None:
        assert now < until_at <= now + timedelta(hours=26)
        assert until_at <= deadline_at - person.quiet_unless_within
        now = until_at
        decisions += 1
        assert decisions <= 4  # round the clock quiet still lets a near deadline through
