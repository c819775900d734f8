"""What goes together in one message, and when something is tried again: pure choices."""

import random
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.core.model import Channel, Purpose
from alerts.delivery.group import Group, choose_group, facts_in_order
from alerts.delivery.ports import Timing
from alerts.delivery.retry import retry_at
from tests.fakes_alerts import START, FakeThreads

A, U, C, R, H = Purpose.ALERT, Purpose.UPDATE, Purpose.CLOSED, Purpose.REOPENED, Purpose.HEALTH


def row(number: int, purpose: Purpose, clock_id: int | None = 1, channel: Channel = Channel.SLACK) -> Any:
    return SimpleNamespace(id=number, purpose=purpose, clock_id=clock_id, channel=channel, thread_id=1)


@pytest.mark.parametrize(
    ("planned", "leading", "carried", "superseded"),
    [
        pytest.param([(A, 1)], A, [1], [], id="an alert alone"),
        pytest.param([(A, 1), (A, 1)], A, [1, 2], [], id="two steps of one clock are one ring"),
        pytest.param([(U, 1), (U, 1)], U, [1, 2], [], id="changes are drawn once"),
        pytest.param([(U, 1), (A, 1)], A, [1, 2], [], id="a ring carries the redrawing"),
        pytest.param([(A, 1), (U, 1), (C, 1)], C, [3], [1, 2], id="the end outweighs what came before"),
        pytest.param([(C, 1), (U, 1)], C, [1, 2], [], id="a change after the end is drawn with it"),
        pytest.param([(C, 1), (R, 1)], R, [2], [1], id="open again before the end was told"),
        pytest.param([(R, 1), (C, 1)], C, [2], [1], id="closed again before the reopening was told"),
        pytest.param([(R, 1), (A, 1)], R, [1, 2], [], id="a reopening rings for the alert too"),
        pytest.param([(C, 1), (A, 2)], A, [2], [1], id="the thread's next wait takes the message over"),
        pytest.param([(U, 1), (A, 2)], A, [1, 2], [], id="a change of the last wait is drawn with the next"),
    ],
)
def test_a_thread_in_a_channel_gets_one_message(
    planned: list[tuple[Purpose, int]], leading: Purpose, carried: list[int], superseded: list[int]
) -> None:
    rows = [row(number, purpose, clock_id) for number, (purpose, clock_id) in enumerate(planned, 1)]
    group = choose_group(rows)
    assert (group.purpose, list(group.carried), list(group.superseded)) == (leading, carried, superseded)


def test_a_phone_gets_everything_of_one_purpose_and_the_rest_next() -> None:
    rows = [row(1, A, 1), row(2, C, 2), row(3, A, 3), row(4, H, None)]
    for one in rows:
        one.channel = Channel.SMS
    assert choose_group(rows).carried == (1, 3)
    assert choose_group([rows[1], rows[3]]).carried == (2,)
    assert choose_group([rows[3]]).carried == (4,)


def test_an_sms_about_a_clock_that_ended_before_it_left_gives_way_to_the_end() -> None:
    rows = [row(1, A, 1, Channel.SMS), row(2, A, 2, Channel.SMS), row(3, C, 1, Channel.SMS)]
    group = choose_group(rows)
    assert (group.purpose, group.carried, group.superseded) == (A, (2,), (1,))


def test_a_phone_hears_once_that_a_clock_is_open_again_and_due() -> None:
    rows = [row(1, R, 1, Channel.SMS), row(2, A, 1, Channel.SMS)]
    assert choose_group(rows) == Group(R, (1, 2))
    assert choose_group([*rows, row(3, A, 2, Channel.SMS)]) == Group(A, (1, 2, 3))


@given(
    st.lists(st.tuples(st.sampled_from([A, U, C, R]), st.integers(1, 3)), min_size=1, max_size=12),
    st.sampled_from([Channel.SLACK, Channel.SMS, Channel.EMAIL]),
)
def test_every_choice_carries_something_and_nothing_is_both_carried_and_dropped(
    planned: list[tuple[Purpose, int]], channel: Channel
) -> None:
    rows = [row(number, purpose, clock_id, channel) for number, (purpose, clock_id) in enumerate(planned, 1)]
    rounds = 0
    while rows:  # whatever is left comes next, and in the end nothing is left
        group = choose_group(rows)
        assert group.carried
        assert not set(group.carried) & set(group.superseded)
        rings = {R} if group.purpose is A else set()  # a phone hears in one message what is due and what is open again
        assert {row.purpose for row in rows if row.id in group.carried} <= {group.purpose, U, A} | rings
        done = set(group.carried) | set(group.superseded)
        rows = [row for row in rows if row.id not in done]
        rounds += 1
    assert rounds <= len(planned)


def test_facts_stand_most_urgent_first_each_clock_once() -> None:
    threads = FakeThreads()
    for clock_id in (1, 2, 3):
        threads.add(clock_id)
    rows = [row(number, A, clock_id) for number, clock_id in enumerate((3, 1, 3, 2, 9))]
    assert [facts.clock_id for facts in facts_in_order(rows, threads.facts)] == [1, 2, 3]


@given(st.integers(1, 39), st.integers(0, 2**32))
def test_a_retry_comes_between_the_pause_and_half_more_and_never_later_than_a_quarter_of_an_hour(
    attempts: int, seed: int
) -> None:
    again_at = retry_at(Timing(), attempts, None, random.Random(seed), START)
    assert again_at is not None
    pause = min(timedelta(seconds=2) * 2 ** (attempts - 1), timedelta(minutes=10))
    assert START + pause <= again_at <= START + pause * 1.5
    assert again_at - START <= timedelta(minutes=15)


@given(st.integers(0, 2**32))
def test_the_first_retry_comes_within_five_seconds(seed: int) -> None:
    again_at = retry_at(Timing(), 1, None, random.Random(seed), START)
    assert again_at is not None
    assert again_at - START <= timedelta(seconds=5)


@given(st.integers(1, 39), st.integers(0, 7200), st.integers(0, 2**32))
def test_retry_after_is_never_undercut_up_to_an_hour(attempts: int, asked_seconds: int, seed: int) -> None:
    asked = timedelta(seconds=asked_seconds)
    again_at = retry_at(Timing(), attempts, asked, random.Random(seed), START)
    assert again_at is not None
    assert again_at - START >= min(asked, timedelta(hours=1))
    assert again_at - START <= timedelta(minutes=63)


def test_after_the_last_attempt_there_is_no_next() -> None:
    assert retry_at(Timing(max_attempts=4), 3, None, random.Random(1), START) is not None
    assert retry_at(Timing(max_attempts=4), 4, None, random.Random(1), START) is None


def test_the_retries_of_an_outage_last_over_five_hours() -> None:
    now = START
    for attempts in range(1, Timing().max_attempts):
        again_at = retry_at(Timing(), attempts, None, random.Random(attempts), now)
        assert again_at is not None
        now = again_at
    assert timedelta(hours=5) < now - START < timedelta(hours=8)
