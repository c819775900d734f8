"""The 24 hours: elapsed time, whatever local clocks do."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from monitor.core.sla import ClockState, SlaClock, SlaPolicy, TargetOverride, state_at, target_for
from tests.builders import T0, at

PARIS = ZoneInfo("Europe/Paris")
NEW_YORK = ZoneInfo("America/New_York")
MOMENT = timedelta(microseconds=1)
DAY = timedelta(hours=24)
AT_RISK = timedelta(hours=4)


def clock(**changes: datetime | None) -> SlaClock:
    return SlaClock(started_at=T0, target=DAY, **changes)


@pytest.mark.parametrize(
    ("offset", "state"),
    [
        (timedelta(0), ClockState.RUNNING),
        (timedelta(hours=20) - MOMENT, ClockState.RUNNING),
        (timedelta(hours=20), ClockState.AT_RISK),
        (timedelta(hours=20) + MOMENT, ClockState.AT_RISK),
        (DAY - MOMENT, ClockState.AT_RISK),
        (DAY, ClockState.AT_RISK),
        (DAY + MOMENT, ClockState.BREACHED),
        (timedelta(days=400), ClockState.BREACHED),
    ],
    ids=str,
)
def test_state_of_an_open_clock_at_its_edges(offset: timedelta, state: ClockState) -> None:
    assert state_at(clock(), AT_RISK, T0 + offset) is state


@pytest.mark.parametrize(
    ("latency", "state"),
    [(DAY - MOMENT, ClockState.MET), (DAY, ClockState.MET), (DAY + MOMENT, ClockState.LATE)],
    ids=["just before", "at the deadline", "just after"],
)
def test_reply_at_the_deadline_is_on_time(latency: timedelta, state: ClockState) -> None:
    assert state_at(clock(answered_at=T0 + latency), AT_RISK, at(100)) is state


def test_waived_stays_waived_whatever_came_later() -> None:
    assert state_at(clock(waived_at=at(30), answered_at=at(31)), AT_RISK, at(100)) is ClockState.WAIVED


def test_answer_before_the_waiver_counts_as_answered() -> None:
    assert state_at(clock(waived_at=at(30), answered_at=at(3)), AT_RISK, at(100)) is ClockState.MET


@pytest.mark.parametrize(
    ("zone", "local"),
    [
        (PARIS, datetime(2026, 3, 28, 20, 0)),
        (PARIS, datetime(2026, 10, 24, 20, 0)),
        (NEW_YORK, datetime(2026, 3, 7, 20, 0)),
        (NEW_YORK, datetime(2026, 10, 31, 20, 0)),
    ],
    ids=["Paris spring", "Paris autumn", "New York spring", "New York autumn"],
)
def test_24_hours_are_elapsed_hours_over_the_change_of_summer_time(zone: ZoneInfo, local: datetime) -> None:
    started_at = local.replace(tzinfo=zone).astimezone(UTC)
    deadline_at = SlaClock(started_at=started_at, target=DAY).deadline_at
    assert deadline_at - started_at == DAY
    assert deadline_at.astimezone(zone).hour != local.hour


def test_weekend_counts_like_any_other_day() -> None:
    friday = datetime(2026, 11, 20, 18, 0, tzinfo=UTC)
    assert SlaClock(started_at=friday, target=DAY).deadline_at == datetime(2026, 11, 21, 18, 0, tzinfo=UTC)


DECEMBER = SlaPolicy(
    overrides=(
        TargetOverride(
            first_day=date(2026, 12, 1),
            last_day=date(2026, 12, 31),
            target=timedelta(hours=12),
            marketplaces=frozenset({"US"}),
        ),
        TargetOverride(first_day=date(2026, 12, 24), last_day=date(2026, 12, 24), target=timedelta(hours=48)),
    ),
    time_zone=PARIS,
)


@pytest.mark.parametrize(
    ("marketplace", "local", "hours"),
    [
        ("US", datetime(2026, 11, 30, 23, 59, 59), 24),
        ("US", datetime(2026, 12, 1, 0, 0), 12),
        ("US", datetime(2026, 12, 31, 23, 59, 59), 12),
        ("US", datetime(2027, 1, 1, 0, 0), 24),
        ("US", datetime(2026, 12, 24, 12, 0), 12),
        ("FR", datetime(2026, 12, 24, 12, 0), 48),
        ("FR", datetime(2026, 12, 2, 12, 0), 24),
        (None, datetime(2026, 12, 2, 12, 0), 24),
    ],
    ids=str,
)
def test_dated_target_applies_to_clocks_started_on_its_local_days(
    marketplace: str | None, local: datetime, hours: int
) -> None:
    started_at = local.replace(tzinfo=PARIS).astimezone(UTC)
    assert target_for(DECEMBER, marketplace, started_at) == timedelta(hours=hours)


def test_usual_target_needs_no_override() -> None:
    assert target_for(SlaPolicy(), "FR", T0) == DAY


def test_naive_instants_are_refused() -> None:
    naive = datetime(2026, 11, 20)
    with pytest.raises(ValueError, match="naive instant"):
        state_at(clock(), AT_RISK, naive)
    with pytest.raises(ValueError, match="naive instant"):
        target_for(SlaPolicy(), None, naive)
