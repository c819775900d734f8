"""The bucket of calls: never more than Amazon allows, never a wait too long."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.spapi.rates import LONGEST, USAGE_PLANS, RateLimit, after_call, after_refusal, allowed_at, parse_rate

NOW = datetime(2026, 11, 21, 1, 38, tzinfo=UTC)
ORDERS = USAGE_PLANS["get_order"]


def test_a_whole_burst_may_be_asked_at_once_and_then_one_each_interval() -> None:
    full_at = None
    for _ in range(30):
        assert allowed_at(ORDERS, full_at, NOW) == NOW
        full_at = after_call(ORDERS, full_at, NOW)
    assert allowed_at(ORDERS, full_at, NOW) == NOW + timedelta(seconds=2)
    assert allowed_at(ORDERS, full_at, NOW + timedelta(seconds=2)) == NOW + timedelta(seconds=2)


def test_a_refusal_empties_the_bucket_and_holds_the_pause() -> None:
    full_at = after_refusal(ORDERS, NOW, timedelta(seconds=60))
    after = NOW + timedelta(seconds=60)
    assert allowed_at(ORDERS, full_at, NOW, refused=True) == after
    full_at = after_call(ORDERS, full_at, after)
    assert allowed_at(ORDERS, full_at, after) == after + timedelta(seconds=2)


@pytest.mark.parametrize(
    ("header", "rate"),
    [("0.5", 0.5), (" 2 ", 2.0), (None, None), ("", None), ("often", None), ("0", None), ("-1", None), ("inf", None),
     ("nan", None), ("1e9", None), ("0.0167", 0.0167)],
)  # fmt: skip
def test_a_header_is_believed_if_it_is_a_sensible_number(header: str | None, rate: float | None) -> None:
    assert parse_rate(header) == rate


LIMITS = st.builds(RateLimit, st.floats(0.001, 50), st.integers(1, 40))


@given(LIMITS, st.lists(st.floats(0, 300), min_size=1, max_size=60))
def test_no_span_holds_more_calls_than_the_plan_allows(limit: RateLimit, pauses: list[float]) -> None:
    now, full_at, calls = NOW, None, []
    for pause in pauses:
        now = max(now + timedelta(seconds=pause), allowed_at(limit, full_at, now))
        full_at = after_call(limit, full_at, now)
        calls.append(now)
    for first in range(len(calls)):
        for last in range(first, len(calls)):
            allowed = limit.burst + (calls[last] - calls[first]) / limit.interval
            assert last - first + 1 <= allowed + 1e-6


@given(LIMITS, st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1)))
def test_a_clock_that_was_set_back_holds_nothing_up(limit: RateLimit, at: datetime) -> None:
    full_at = at.replace(tzinfo=UTC)
    wait = allowed_at(limit, full_at, NOW, refused=True) - NOW
    assert timedelta(0) <= wait <= LONGEST
    if full_at > NOW + LONGEST:
        assert wait == timedelta(0)
    assert timedelta(0) <= allowed_at(limit, full_at, NOW) - NOW <= limit.interval
    if full_at > NOW + limit.interval * limit.burst:
        assert after_call(limit, full_at, NOW) == NOW + limit.interval
