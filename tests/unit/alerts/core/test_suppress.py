"""What keeps a notification back: silences, inhibition, rates."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.core.model import Channel, Notification, Purpose
from alerts.core.policy import Matcher
from alerts.core.suppress import (
    LIMITS,
    SMS_LIMITS,
    VOICE_LIMITS,
    RateLimit,
    Silence,
    Silenced,
    allowed_at,
    inhibits,
    silenced_until,
    uninhibited,
)
from tests.support.planning_world import TICK, UNHURRIED, hours, minutes, paris

NOW = paris("2026-11-20T12:00")
ORDER = "402-1234567-1234567"


def make_silence(**changes: Any) -> Silence:
    values: dict[str, Any] = {
        "id": 1,
        "author": "Ana",
        "comment": "stock-taking",
        "starts_at": NOW - hours(1),
        "ends_at": NOW + hours(1),
    }
    return Silence(**(values | changes))


def silenced(*silences: Silence, now: datetime = NOW, **changes: Any) -> Silenced | None:
    thread: dict[str, Any] = {
        "account": "acme-eu",
        "marketplace": "FR",
        "labels": ("delivery",),
        "priority": 1,
        "thread_id": 3,
        "order_id": ORDER,
    }
    return silenced_until(silences, now=now, **(thread | changes))


@pytest.mark.parametrize(
    ("now", "active"),
    [
        pytest.param(NOW - hours(1) - TICK, False, id="before"),
        pytest.param(NOW - hours(1), True, id="start"),
        pytest.param(NOW + hours(1) - TICK, True, id="last-moment"),
        pytest.param(NOW + hours(1), False, id="end"),
    ],
)
def test_a_silence_holds_its_start_and_not_its_end(now: datetime, active: bool) -> None:
    assert silenced(make_silence(), now=now) == (Silenced(NOW + hours(1), 1) if active else None)


def test_a_silence_that_was_expired_mutes_no_more() -> None:
    expired = make_silence(expired_at=NOW)
    assert silenced(expired, now=NOW - TICK) is not None
    assert silenced(expired) is None


@pytest.mark.parametrize(
    ("changes", "fits"),
    [
        pytest.param({"matcher": Matcher(marketplaces=frozenset({"FR"}))}, True, id="marketplace"),
        pytest.param({"matcher": Matcher(marketplaces=frozenset({"DE"}))}, False, id="other-marketplace"),
        pytest.param({"matcher": Matcher(text="colis")}, False, id="words-that-are-not-stored"),
        pytest.param({"thread_ids": frozenset({3, 4})}, True, id="thread"),
        pytest.param({"thread_ids": frozenset({4})}, False, id="other-thread"),
        pytest.param({"order_ids": frozenset({ORDER})}, True, id="order"),
        pytest.param({"order_ids": frozenset({"302-1234567-1234567"})}, False, id="other-order"),
        pytest.param(
            {"thread_ids": frozenset({3}), "matcher": Matcher(accounts=frozenset({"acme-us"}))},
            False,
            id="all-must-fit",
        ),
        pytest.param({}, True, id="everything"),
    ],
)
def test_a_silence_mutes_what_fits_all_that_is_set(changes: dict[str, Any], fits: bool) -> None:
    assert (silenced(make_silence(**changes)) is not None) is fits


def test_of_several_silences_the_longest_counts() -> None:
    silences = [
        make_silence(id=1),
        make_silence(id=2, ends_at=NOW + hours(3)),
        make_silence(id=3, ends_at=NOW + hours(2)),
    ]
    assert silenced(*silences) == (NOW + hours(3), 2)
    assert silenced() is None


# --- inhibition


def make_alert(step: int | None = 1, **changes: Any) -> Notification:
    values: dict[str, Any] = {
        "key": f"alert:7:{step}:team:-:slack:0",
        "purpose": Purpose.ALERT,
        "receiver": "team",
        "channel": Channel.SLACK,
        "due_at": NOW,
        "thread_id": 3,
        "clock_id": 7,
        "step": step,
    }
    return Notification(**(values | changes))


AT_RISK, BREACH = make_alert(1), make_alert(2)


def test_a_breach_mutes_the_at_risk_alert_of_the_same_clock() -> None:
    assert inhibits(BREACH, AT_RISK)
    assert not inhibits(AT_RISK, BREACH)
    assert not inhibits(BREACH, BREACH)
    assert uninhibited([AT_RISK, BREACH]) == ((BREACH,), {AT_RISK.key: BREACH.key})
    assert uninhibited([BREACH, AT_RISK]) == ((BREACH,), {AT_RISK.key: BREACH.key})


def test_a_later_occurrence_mutes_an_earlier_one() -> None:
    again = make_alert(1, occurrence=1, key="again")
    assert inhibits(again, AT_RISK)
    assert not inhibits(AT_RISK, again)


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(replace(BREACH, clock_id=8), id="another-clock"),
        pytest.param(replace(BREACH, receiver="hook", channel=Channel.WEBHOOK), id="another-channel"),
        pytest.param(replace(BREACH, receiver="managers"), id="another-receiver"),
        pytest.param(replace(BREACH, person="Ana"), id="a-person"),
        pytest.param(replace(BREACH, purpose=Purpose.HEALTH, clock_id=None), id="an-outage"),
        pytest.param(replace(BREACH, purpose=Purpose.CLOSED), id="closed"),
        pytest.param(make_alert(None), id="no-step"),
    ],
)
def test_nothing_else_mutes(other: Notification) -> None:
    assert not inhibits(other, AT_RISK)
    assert uninhibited([AT_RISK, other])[1].get(AT_RISK.key) is None


def test_one_person_told_through_two_receivers_is_one_address() -> None:
    by_sms = make_alert(1, receiver="oncall-sms", person="Ana", channel=Channel.SMS, key="a")
    by_person = make_alert(2, receiver="ana", person="Ana", channel=Channel.SMS, key="b")
    assert uninhibited([by_sms, by_person]) == ((by_person,), {"a": "b"})


def test_an_outage_never_mutes_a_breach_and_alerts_without_a_clock_stay() -> None:
    outage = make_alert(9, purpose=Purpose.HEALTH, clock_id=None, thread_id=None, key="health:mailbox")
    lost = make_alert(1, clock_id=None, key="x")
    due = [outage, BREACH, lost, make_alert(2, clock_id=None, key="y")]
    assert uninhibited(due) == (tuple(due), {})


# --- rates


def sent(*minutes_ago: float) -> list[datetime]:
    return [NOW - minutes(ago) for ago in minutes_ago]


@pytest.mark.parametrize(
    ("limits", "sent_at", "expected"),
    [
        pytest.param(SMS_LIMITS, [], NOW, id="nothing-sent"),
        pytest.param(SMS_LIMITS, sent(0.5), NOW + minutes(0.5), id="one-a-minute"),
        pytest.param(SMS_LIMITS, sent(1), NOW, id="a-minute-ago"),
        pytest.param(SMS_LIMITS, [NOW - minutes(1) + TICK], NOW + TICK, id="almost-a-minute-ago"),
        pytest.param(SMS_LIMITS, sent(14, 9, 6, 4, 2), NOW + minutes(1), id="five-in-a-quarter"),
        pytest.param(SMS_LIMITS, sent(15, 9, 6, 4, 2), NOW, id="the-first-of-five-has-left"),
        pytest.param(SMS_LIMITS, sent(*range(3, 59, 5)), NOW + minutes(7), id="eleven-an-hour"),
        pytest.param(SMS_LIMITS, sent(*range(20, 180, 7)), NOW + minutes(20), id="twenty-one-in-three-hours"),
        pytest.param(VOICE_LIMITS, sent(1, 2, 14), NOW + minutes(1), id="three-calls-in-a-quarter"),
        pytest.param(VOICE_LIMITS, sent(1, 2), NOW, id="two-calls"),
        pytest.param(VOICE_LIMITS, [], NOW, id="no-calls"),
    ],
)
def test_a_phone_gets_only_so_many(limits: tuple[RateLimit, ...], sent_at: list[datetime], expected: datetime) -> None:
    assert allowed_at(sent_at, limits, NOW) == expected
    assert allowed_at(sent_at[::-1], limits, NOW) == expected


def test_the_first_alert_of_a_clock_jumps_the_queue_up_to_the_hard_cap() -> None:
    assert allowed_at(sent(0.1, 0.2, 0.3, 0.4, 0.5, 0.6), SMS_LIMITS, NOW, first_alert=True) == NOW
    full = sent(*range(20, 41))
    assert allowed_at(full, SMS_LIMITS, NOW, first_alert=True) == NOW + minutes(140)
    assert allowed_at([], (), NOW, first_alert=True) == NOW


def test_messages_sent_by_a_wall_clock_that_ran_ahead_do_not_mute_a_phone() -> None:
    assert allowed_at([NOW + timedelta(days=1)] * 30, SMS_LIMITS, NOW) == NOW
    assert allowed_at([NOW + minutes(1)], SMS_LIMITS, NOW) == NOW + minutes(2)


def test_only_phones_have_limits() -> None:
    assert {Channel.SMS: SMS_LIMITS, Channel.VOICE: VOICE_LIMITS} == LIMITS
    assert [(limit.count, limit.window / minutes(1)) for limit in SMS_LIMITS] == [(1, 1), (5, 15), (11, 60), (21, 180)]
    assert [(limit.count, limit.window / minutes(1)) for limit in VOICE_LIMITS] == [(3, 15), (7, 60), (15, 180)]


@UNHURRIED
@given(st.lists(st.integers(0, 4 * 3600), max_size=40), st.sampled_from([SMS_LIMITS, VOICE_LIMITS]))
def test_a_message_sent_when_allowed_keeps_every_limit(ages: list[int], limits: tuple[RateLimit, ...]) -> None:
    kept: list[datetime] = []
    for age in sorted(ages, reverse=True):
        asked_at = max([NOW - timedelta(seconds=age), *kept[-1:]])
        kept.append(allowed_at(kept, limits, asked_at))
    for limit in limits:
        for at in kept:
            assert sum(at - limit.window < one <= at for one in kept) <= limit.count
