"""Local times to instants, over both changes of summer time."""

from datetime import UTC, date
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.core.localtime import instant_of, instant_of_local, local_day, require_aware
from tests.support.planning_world import PARIS, UNHURRIED, utc

SPRING = date(2026, 3, 29)  # 02:00 becomes 03:00 at 01:00 UTC
AUTUMN = date(2026, 10, 25)  # 03:00 becomes 02:00 at 01:00 UTC


@pytest.mark.parametrize(
    ("day", "minute", "last", "expected"),
    [
        pytest.param(date(2026, 11, 20), 540, False, "2026-11-20T08:00", id="winter"),
        pytest.param(date(2026, 7, 1), 540, False, "2026-07-01T07:00", id="summer"),
        pytest.param(date(2026, 11, 20), 1440, False, "2026-11-20T23:00", id="end-of-day"),
        pytest.param(SPRING, 119, False, "2026-03-29T00:59", id="before-the-gap"),
        pytest.param(SPRING, 120, False, "2026-03-29T01:00", id="start-of-the-gap"),
        pytest.param(SPRING, 150, False, "2026-03-29T01:00", id="in-the-gap"),
        pytest.param(SPRING, 150, True, "2026-03-29T01:00", id="in-the-gap-last"),
        pytest.param(SPRING, 180, False, "2026-03-29T01:00", id="end-of-the-gap"),
        pytest.param(AUTUMN, 150, False, "2026-10-25T00:30", id="first-of-two"),
        pytest.param(AUTUMN, 150, True, "2026-10-25T01:30", id="last-of-two"),
        pytest.param(AUTUMN, 180, False, "2026-10-25T02:00", id="after-both"),
    ],
)
def test_a_local_time_is_one_instant(day: date, minute: int, last: bool, expected: str) -> None:
    assert instant_of(day, minute, PARIS, last=last) == utc(expected)


def test_a_gap_of_half_an_hour_ends_at_the_jump() -> None:
    lord_howe = ZoneInfo("Australia/Lord_Howe")
    assert instant_of(date(2026, 10, 4), 135, lord_howe) == utc("2026-10-03T15:30")


@UNHURRIED
@given(st.dates(min_value=date(2020, 1, 1), max_value=date(2035, 1, 1)), st.booleans())
def test_later_local_times_are_never_earlier_instants(day: date, last: bool) -> None:
    instants = [instant_of(day, minute, PARIS, last=last) for minute in range(0, 1441, 30)]
    assert instants == sorted(instants)
    assert all(instant.tzinfo is UTC for instant in instants)


def test_local_times_with_a_zone_and_naive_instants_are_refused() -> None:
    with pytest.raises(ValueError, match="must not carry a zone"):
        instant_of_local(utc("2026-11-20T04:10"), PARIS)
    naive = utc("2026-11-20T04:10").replace(tzinfo=None)
    with pytest.raises(ValueError, match="naive instant 2026-11-20T04:10"):
        require_aware(naive)
    with pytest.raises(ValueError, match="naive instant"):
        local_day(naive, PARIS)


def test_the_local_day_is_the_zones_own() -> None:
    assert local_day(utc("2026-11-20T23:30"), PARIS) == date(2026, 11, 21)
