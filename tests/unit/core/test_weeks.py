"""ISO weeks at both changes of summer time and around New Year."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.core.weeks import IsoWeek, last_whole_week, local_instant, parse_week, week_of, week_span

PARIS = ZoneInfo("Europe/Paris")
ZONES = [
    ZoneInfo(name)
    for name in (
        "UTC",
        "Europe/Paris",
        "America/New_York",
        "Asia/Tokyo",
        "Africa/Cairo",
        "Australia/Lord_Howe",
        "Asia/Beirut",
    )
]


@pytest.mark.parametrize(
    ("week", "from_at", "hours"),
    [
        pytest.param("2026-W47", datetime(2026, 11, 15, 23, tzinfo=UTC), 168, id="a usual week"),
        pytest.param("2026-W13", datetime(2026, 3, 22, 23, tzinfo=UTC), 167, id="summer time begins"),
        pytest.param("2026-W43", datetime(2026, 10, 18, 22, tzinfo=UTC), 169, id="summer time ends"),
        pytest.param("2026-W53", datetime(2026, 12, 27, 23, tzinfo=UTC), 168, id="the week 53 that ends in January"),
        pytest.param("2027-W01", datetime(2027, 1, 3, 23, tzinfo=UTC), 168, id="the first week begins on 4 January"),
    ],
)
def test_a_week_runs_from_monday_to_monday_local_time(week: str, from_at: datetime, hours: int) -> None:
    begins, ends = week_span(parse_week(week), PARIS)
    assert begins == from_at
    assert ends - begins == timedelta(hours=hours)
    assert begins.tzinfo is UTC


def test_the_instants_around_new_year_fall_in_week_53() -> None:
    for at in (datetime(2026, 12, 31, 23, 59, tzinfo=PARIS), datetime(2027, 1, 3, 23, 59, tzinfo=PARIS)):
        assert str(week_of(at, PARIS)) == "2026-W53"
    assert str(week_of(datetime(2027, 1, 4, tzinfo=PARIS), PARIS)) == "2027-W01"
    assert IsoWeek(2026, 53).shift(1) == IsoWeek(2027, 1)
    assert IsoWeek(2027, 1).shift(-1) == IsoWeek(2026, 53)


@pytest.mark.parametrize("zone", ZONES, ids=str)
@given(second=st.integers(1_420_070_400, 2_051_222_400))
def test_every_instant_lies_in_its_own_week_and_in_no_other(zone: ZoneInfo, second: int) -> None:
    instant = datetime.fromtimestamp(second, UTC)  # 2015 to 2034
    week = week_of(instant, zone)
    from_at, to_at = week_span(week, zone)
    assert from_at <= instant < to_at
    assert to_at == week_span(week.shift(1), zone)[0]
    assert week_of(from_at, zone) == week
    assert week_of(to_at - timedelta(microseconds=1), zone) == week
    assert parse_week(str(week)) == week


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        pytest.param(datetime(2026, 11, 23, 0, 0, tzinfo=PARIS), "2026-W47", id="the first instant of Monday"),
        pytest.param(datetime(2026, 11, 22, 23, 59, 59, tzinfo=PARIS), "2026-W46", id="the last second of Sunday"),
        pytest.param(datetime(2027, 1, 4, 8, 0, tzinfo=PARIS), "2026-W53", id="the first Monday of 2027"),
    ],
)
def test_the_last_whole_week_is_the_one_that_is_over(now: datetime, expected: str) -> None:
    assert str(last_whole_week(now, PARIS)) == expected


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param("47", "'47' is not a week. Write year and ISO week, like 2026-W47.", id="a number alone"),
        pytest.param(
            "2025-W53", "'2025-W53': 2025 has no week 53. Write year and ISO week, like 2026-W47.", id="no week 53"
        ),
        pytest.param(
            "2026-W00", "'2026-W00': 2026 has no week 0. Write year and ISO week, like 2026-W47.", id="week 0"
        ),
        pytest.param("2026-11-23", "'2026-11-23' is not a week. Write year and ISO week, like 2026-W47.", id="a date"),
    ],
)
def test_what_is_not_a_week_is_refused_with_what_to_write(text: str, said: str) -> None:
    with pytest.raises(ValueError, match="ISO week") as refused:
        parse_week(text)
    assert str(refused.value) == said


@pytest.mark.parametrize("text", ["2026-W07", " 2026-w07 ", "2026W07"])
def test_a_week_is_read_however_iso_writes_it(text: str) -> None:
    assert parse_week(text) == IsoWeek(2026, 7)


def test_a_naive_instant_is_in_no_week() -> None:
    with pytest.raises(ValueError, match="naive instant"):
        week_of(datetime(2026, 11, 23, tzinfo=UTC).replace(tzinfo=None), PARIS)


@pytest.mark.parametrize(
    ("day", "minute", "expected"),
    [
        pytest.param(
            date(2026, 3, 29), 150, datetime(2026, 3, 29, 1, 30, tzinfo=UTC), id="02:30 does not exist: 03:30"
        ),
        pytest.param(date(2026, 10, 25), 150, datetime(2026, 10, 25, 0, 30, tzinfo=UTC), id="02:30 twice: the first"),
        pytest.param(date(2026, 12, 31), 1440, datetime(2026, 12, 31, 23, 0, tzinfo=UTC), id="24:00 is the next day"),
    ],
)
def test_a_local_time_of_day_is_one_instant_on_every_day(day: date, minute: int, expected: datetime) -> None:
    assert local_instant(day, minute, PARIS) == expected
