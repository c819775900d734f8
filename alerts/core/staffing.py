"""Staffed hours: when somebody answers. They add the look-ahead; they move no deadline and hold nothing back.

A shift belongs to the local date on which it starts: a holiday there cancels it whole, the one after midnight does not.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from difflib import get_close_matches
from functools import lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

from alerts.core.localtime import instant_of, local_day, require_aware

HORIZON = timedelta(days=16)  # longer than a Christmas closure; beyond it nothing is said
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shift:
    """Staffed hours of some weekdays. `to_minute` <= `from_minute` crosses midnight; 0 and 1440 are the whole day.

    Attributes:
        days: weekdays of the start, 0 is Monday.
        from_minute, to_minute: local minutes since 00:00.
        holidays: country, or country and region ("FR", "DE-BY"), whose public holidays are not staffed; "": none.
        closed_on: further local dates without staff.
    """

    days: frozenset[int]
    from_minute: int
    to_minute: int
    time_zone: ZoneInfo
    holidays: str = ""
    closed_on: frozenset[date] = frozenset()


class Period(NamedTuple):
    """A staffed span: from `start_at` until, not including, `end_at`. Aware UTC."""

    start_at: datetime
    end_at: datetime


class Staffing(NamedTuple):
    """The staffed periods around an instant, in order; the first may have begun already.

    `until_at` is how far was looked: a period that ends there goes on, as far as is known.
    """

    periods: tuple[Period, ...]
    until_at: datetime

    def current(self, at: datetime) -> Period | None:
        """Return the period that holds `at`."""
        return next((period for period in self.periods if period.start_at <= at < period.end_at), None)

    def next_start_at(self, at: datetime) -> datetime | None:
        """Return when the next period after `at` starts; None where none starts within what was looked at."""
        return next((period.start_at for period in self.periods if period.start_at > at), None)


def staffed_periods(shifts: Sequence[Shift], from_at: datetime, to_at: datetime) -> tuple[Period, ...]:
    """Return what is staffed between two instants, in order, clipped to them; adjacent and overlapping shifts are one.

    Raises:
        ValueError: an instant is naive, or `Shift.holidays` names no known country or region.
    """
    spans = []
    for shift in shifts:
        day = local_day(from_at, shift.time_zone) - _DAY  # yesterday's shift may cross midnight
        last_day = local_day(to_at, shift.time_zone)
        while day <= last_day:
            if _is_worked(shift, day):
                start_at, end_at = _span(shift, day)
                if start_at < to_at and end_at > from_at and start_at < end_at:
                    spans.append((max(start_at, from_at), min(end_at, to_at)))
            day += _DAY
    spans.sort()
    merged: list[Period] = []
    for start_at, end_at in spans:
        if merged and start_at <= merged[-1].end_at:
            merged[-1] = Period(merged[-1].start_at, max(merged[-1].end_at, end_at))
        else:
            merged.append(Period(start_at, end_at))
    return tuple(merged)


def staffing_around(shifts: Sequence[Shift], at: datetime, horizon: timedelta = HORIZON) -> Staffing:
    """Return the staffed periods from `at` to the horizon; the current one with its true start, up to two days back.

    Raises:
        ValueError: as `staffed_periods`.
    """
    until_at = require_aware(at) + horizon
    periods = staffed_periods(shifts, at - 2 * _DAY, until_at)
    return Staffing(tuple(period for period in periods if period.end_at > at), until_at)


def is_staffed(shifts: Sequence[Shift], at: datetime) -> bool:
    """Return whether somebody answers at this instant; the end of a shift is not staffed.

    Raises:
        ValueError: as `staffed_periods`.
    """
    return bool(staffed_periods(shifts, at, at + timedelta(microseconds=1)))


def check_holidays(code: str) -> str | None:
    """Return what is wrong with a country or country-and-region code ("FR", "DE-BY"), or None.

    Source: the `holidays` package's own list.
    """
    import holidays

    countries = holidays.list_supported_countries(include_aliases=True)
    country, _, region = code.partition("-")
    if country not in countries:
        near = get_close_matches(country.upper(), countries, n=1, cutoff=0.5)
        hint = (
            f"Did you mean '{near[0]}'?" if near else 'Write a country code such as "FR", or "DE-BY" with its region.'
        )
        return f"holidays: no calendar for '{code}'. {hint}"
    if region and region not in countries[country]:
        regions = ", ".join(countries[country]) or "none"
        return f"holidays: {country} has no region '{region}'. Regions: {regions}."
    return None


def _span(shift: Shift, day: date) -> Period:
    crosses = shift.to_minute <= shift.from_minute
    return Period(
        instant_of(day, shift.from_minute, shift.time_zone),
        instant_of(day, shift.to_minute + 1440 * crosses, shift.time_zone, last=True),
    )


def _is_worked(shift: Shift, day: date) -> bool:
    if day.weekday() not in shift.days or day in shift.closed_on:
        return False
    return not (shift.holidays and day in _holidays(shift.holidays, day.year))


@lru_cache(maxsize=64)
def _holidays(code: str, year: int) -> frozenset[date]:
    """Return the public holidays of one year; imported late, because only a seller with a calendar needs them."""
    problem = check_holidays(code)
    if problem is not None:
        raise ValueError(problem)
    import holidays

    country, _, region = code.partition("-")
    return frozenset(holidays.country_holidays(country, subdiv=region or None, years=year))
