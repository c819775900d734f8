"""Staffed hours: across midnight, both changes of summer time, holidays, and shifts that touch."""

from datetime import date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.core.staffing import Period, Shift, check_holidays, is_staffed, staffed_periods, staffing_around
from tests.support.planning_world import OFFICE, PARIS, TICK, UNHURRIED, hours, paris, utc

EVERY_DAY = frozenset(range(7))


def make_shift(
    days: frozenset[int] = EVERY_DAY,
    from_minute: int = 540,
    to_minute: int = 1080,
    zone: ZoneInfo = PARIS,
    holidays: str = "",
    closed_on: frozenset[date] = frozenset(),
) -> Shift:
    return Shift(
        days=days, from_minute=from_minute, to_minute=to_minute, time_zone=zone, holidays=holidays, closed_on=closed_on
    )


def test_a_week_of_office_hours_has_five_periods_in_local_time() -> None:
    periods = staffed_periods([OFFICE], paris("2026-11-16T00:00"), paris("2026-11-23T00:00"))
    assert len(periods) == 5
    assert periods[0] == Period(paris("2026-11-16T09:00"), paris("2026-11-16T18:00"))
    assert periods[4] == Period(paris("2026-11-20T09:00"), paris("2026-11-20T18:00"))


@pytest.mark.parametrize(
    ("at", "staffed"),
    [
        pytest.param(paris("2026-11-20T09:00") - TICK, False, id="before"),
        pytest.param(paris("2026-11-20T09:00"), True, id="start"),
        pytest.param(paris("2026-11-20T18:00") - TICK, True, id="last-moment"),
        pytest.param(paris("2026-11-20T18:00"), False, id="end"),
        pytest.param(paris("2026-11-21T12:00"), False, id="saturday"),
    ],
)
def test_a_shift_holds_its_start_and_not_its_end(at: datetime, staffed: bool) -> None:
    assert is_staffed([OFFICE], at) is staffed


def test_a_night_shift_belongs_to_the_day_it_starts_on() -> None:
    friday_night = make_shift(frozenset({4}), 22 * 60, 6 * 60)
    assert staffed_periods([friday_night], paris("2026-11-16T00:00"), paris("2026-11-23T00:00")) == (
        Period(paris("2026-11-20T22:00"), paris("2026-11-21T06:00")),
    )
    assert is_staffed([friday_night], paris("2026-11-21T05:59"))
    assert not is_staffed([friday_night], paris("2026-11-20T05:59"))


@pytest.mark.parametrize(
    ("day", "length"),
    [
        pytest.param("2026-03-28", hours(7), id="spring"),
        pytest.param("2026-10-24", hours(9), id="autumn"),
        pytest.param("2026-11-20", hours(8), id="usual"),
    ],
)
def test_a_night_shift_is_as_long_as_the_night(day: str, length: timedelta) -> None:
    night = make_shift(from_minute=22 * 60, to_minute=6 * 60)
    staffing = staffing_around([night], paris(f"{day}T22:00"))
    assert staffing.periods[0].end_at - staffing.periods[0].start_at == length


def test_a_shift_that_ends_in_the_repeated_hour_ends_the_second_time() -> None:
    early = make_shift(from_minute=60, to_minute=150)
    (period,) = staffed_periods([early], paris("2026-10-25T00:00"), paris("2026-10-25T12:00"))
    assert period == Period(utc("2026-10-24T23:00"), utc("2026-10-25T01:30"))


def test_a_shift_within_the_skipped_hour_does_not_exist() -> None:
    skipped = make_shift(from_minute=125, to_minute=155)
    assert staffed_periods([skipped], paris("2026-03-29T00:00"), paris("2026-03-29T12:00")) == ()


def test_whole_days_and_touching_shifts_are_one_period() -> None:
    whole = make_shift(from_minute=0, to_minute=1440)
    from_at, to_at = paris("2026-03-28T12:00"), paris("2026-03-31T12:00")
    assert staffed_periods([whole], from_at, to_at) == (Period(from_at, to_at),)
    touching = [make_shift(to_minute=780), make_shift(from_minute=780), make_shift(from_minute=700, to_minute=720)]
    assert staffed_periods(touching, paris("2026-11-20T00:00"), paris("2026-11-21T00:00")) == (
        Period(paris("2026-11-20T09:00"), paris("2026-11-20T18:00")),
    )


def test_from_and_to_alike_is_a_whole_day() -> None:
    (period,) = staffed_periods(
        [make_shift(frozenset({4}), 540, 540)], paris("2026-11-18T00:00"), paris("2026-11-23T00:00")
    )
    assert period == Period(paris("2026-11-20T09:00"), paris("2026-11-21T09:00"))


@pytest.mark.parametrize(
    ("code", "day", "staffed"),
    [
        pytest.param("FR", "2026-07-14", False, id="french-holiday"),
        pytest.param("DE", "2026-07-14", True, id="no-german-holiday"),
        pytest.param("DE-BY", "2026-01-06", False, id="bavarian-holiday"),
        pytest.param("DE-BE", "2026-01-06", True, id="no-holiday-in-berlin"),
        pytest.param("UK", "2026-12-28", False, id="bank-holiday-moved-to-monday"),
    ],
)
def test_public_holidays_are_not_staffed(code: str, day: str, staffed: bool) -> None:
    assert is_staffed([make_shift(holidays=code)], paris(f"{day}T12:00")) is staffed


def test_a_holiday_counts_by_the_local_day_a_shift_starts_on() -> None:
    night = make_shift(from_minute=22 * 60, to_minute=6 * 60, holidays="FR")
    assert is_staffed([night], paris("2026-07-14T05:00"))  # began on the 13th
    assert not is_staffed([night], paris("2026-07-15T05:00"))  # would have begun on the 14th
    tokyo = make_shift(zone=ZoneInfo("Asia/Tokyo"), holidays="FR")
    assert not is_staffed([tokyo], utc("2026-07-14T02:00"))
    assert is_staffed([tokyo], utc("2026-07-15T00:30"))


def test_dates_of_ones_own_are_closed() -> None:
    closed = make_shift(closed_on=frozenset({date(2026, 11, 20)}))
    assert not is_staffed([closed], paris("2026-11-20T12:00"))
    assert is_staffed([closed], paris("2026-11-21T12:00"))


def test_the_present_period_and_the_next_start() -> None:
    at = paris("2026-11-20T17:00")
    staffing = staffing_around([OFFICE], at)
    assert staffing.current(at) == Period(paris("2026-11-20T09:00"), paris("2026-11-20T18:00"))
    assert staffing.next_start_at(at) == paris("2026-11-23T09:00")
    begin, end = paris("2026-11-20T09:00"), paris("2026-11-20T18:00")
    assert staffing.current(begin) == staffing.current(end - TICK) == Period(begin, end)
    assert staffing.current(begin - TICK) is staffing.current(end) is None
    assert staffing.next_start_at(begin - TICK) == begin
    assert staffing.next_start_at(begin) == paris("2026-11-23T09:00")
    assert staffing_around([OFFICE], end).periods[0].start_at == paris("2026-11-23T09:00")
    saturday = paris("2026-11-21T12:00")
    assert staffing_around([OFFICE], saturday).current(saturday) is None
    assert staffing_around([], at).next_start_at(at) is None


def test_codes_of_holidays_are_checked() -> None:
    assert check_holidays("FR") is None
    assert check_holidays("DE-BY") is None
    assert check_holidays("FRA") is None
    assert check_holidays("fr") == "holidays: no calendar for 'fr'. Did you mean 'FR'?"
    assert check_holidays("42") == (
        'holidays: no calendar for \'42\'. Write a country code such as "FR", or "DE-BY" with its region.'
    )
    problem = check_holidays("DE-ZZ")
    assert problem is not None
    assert problem.startswith("holidays: DE has no region 'ZZ'. Regions: BB, BE, BW, BY,")
    assert check_holidays("AW-X") == "holidays: AW has no region 'X'. Regions: none."
    with pytest.raises(ValueError, match="no calendar for 'XX'"):
        is_staffed([make_shift(holidays="XX")], paris("2026-11-20T12:00"))


def test_a_naive_instant_is_refused() -> None:
    with pytest.raises(ValueError, match="naive"):
        staffing_around([OFFICE], paris("2026-11-20T12:00").replace(tzinfo=None))


shifts = st.builds(
    make_shift,
    days=st.frozensets(st.integers(0, 6)),
    from_minute=st.integers(0, 1439),
    to_minute=st.integers(0, 1440),
    zone=st.sampled_from([PARIS, ZoneInfo("America/New_York"), ZoneInfo("Asia/Tokyo")]),
)


@UNHURRIED
@given(st.lists(shifts, max_size=3), st.integers(0, 365 * 24 * 60))
def test_periods_are_apart_in_order_and_agree_with_is_staffed(some: list[Shift], offset: int) -> None:
    from_at = utc("2026-01-01T00:00") + timedelta(minutes=offset)
    periods = staffed_periods(some, from_at, from_at + timedelta(days=9))
    for earlier, later in pairwise(periods):
        assert earlier.end_at < later.start_at
    for period in periods:
        assert period.start_at < period.end_at
        assert is_staffed(some, period.start_at)
        assert is_staffed(some, period.end_at - TICK)
        assert period.end_at == from_at + timedelta(days=9) or not is_staffed(some, period.end_at)
