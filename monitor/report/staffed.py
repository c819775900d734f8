"""Staffed periods as the report needs them: the gap around an instant, and what is assumed where none are configured."""

from bisect import bisect_right
from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from alerts.core.staffing import Shift, staffed_periods
from monitor.core.weeks import IsoWeek, local_instant, week_span
from monitor.report.model import Period

LOOK_BACK_WEEKS = 4  # what is replayed: the week itself and the three before it
_ASSUMED_FROM_MINUTE, _ASSUMED_TO_MINUTE = 9 * 60, 18 * 60


def staffing_span(week: IsoWeek, zone: ZoneInfo) -> Period:
    """Return the span over which `ReportSettings.staffed` has to be known: the weeks replayed, one before and two after."""
    from_at, _ = week_span(week.shift(-LOOK_BACK_WEEKS), zone)
    _, to_at = week_span(week.shift(2), zone)
    return from_at, to_at


def assumed_staffed(span: Period, zone: ZoneInfo, holidays: Collection[date]) -> tuple[Period, ...]:
    """Return Monday to Friday, 09:00 to 18:00 local time, without holidays, over the span's days."""
    first, last = (instant.astimezone(zone).date() for instant in span)
    days = (first + timedelta(days=n) for n in range((last - first).days + 1))
    return tuple(
        (local_instant(day, _ASSUMED_FROM_MINUTE, zone), local_instant(day, _ASSUMED_TO_MINUTE, zone))
        for day in days
        if day.weekday() < 5 and day not in holidays
    )


def closed_days(shifts: Sequence[Shift], span: Period, zone: ZoneInfo) -> frozenset[date]:
    """Return the local dates on which holidays or closures take away at least half of the hours that are usually staffed.

    Args:
        shifts: as configured; without any, no day is closed.
        span: over whose local dates to look.
        zone: whose dates.

    Raises:
        ValueError: a shift's `holidays` names no known country or region.
    """
    usual = [replace(shift, holidays="", closed_on=frozenset()) for shift in shifts]
    first, last = (instant.astimezone(zone).date() for instant in span)
    closed = []
    for day in (first + timedelta(days=n) for n in range((last - first).days + 1)):
        from_at, to_at = local_instant(day, 0, zone), local_instant(day, 1440, zone)
        worked, planned = (
            sum((period.end_at - period.start_at for period in staffed_periods(those, from_at, to_at)), timedelta(0))
            for those in (shifts, usual)
        )
        if planned and worked <= planned / 2:
            closed.append(day)
    return frozenset(closed)


def gap_at(instant: datetime, periods: Sequence[Period]) -> tuple[datetime | None, datetime | None] | None:
    """Return the unstaffed gap that holds this instant, None if it is staffed.

    Args:
        periods: ascending and disjoint; a gap before the first or after the last has an end that is None.
    """
    after = bisect_right(periods, instant, key=lambda period: period[0])
    if after and instant < periods[after - 1][1]:
        return None
    before_end = periods[after - 1][1] if after else None
    return before_end, (periods[after][0] if after < len(periods) else None)


def is_unstaffed(from_at: datetime, to_at: datetime, periods: Sequence[Period]) -> bool:
    """Return whether no part of the time between the two instants is staffed."""
    gap = gap_at(from_at, periods)
    return gap is not None and (gap[1] is None or gap[1] >= to_at)


def staffed_hours(week: IsoWeek, zone: ZoneInfo, periods: Sequence[Period]) -> tuple[bool, ...]:
    """Return for each local hour of the week (weekday * 24 + hour) whether its middle is staffed."""
    days = (week.monday + timedelta(days=n) for n in range(7))
    middles = (local_instant(day, hour * 60 + 30, zone) for day in days for hour in range(24))
    return tuple(gap_at(middle, periods) is None for middle in middles)
