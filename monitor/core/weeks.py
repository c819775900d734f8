"""ISO weeks and local times of day in a time zone -> aware UTC instants.

A week begins on Monday 00:00 local time and lasts 167, 168 or 169 hours, as summer time wants it; week 1 holds the year's
first Thursday, so that 2026 has a week 53 which ends on 3 January 2027. Must not read the time.
"""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo

_WRITTEN = re.compile(r"(\d{4})-?W(\d{2})")


@dataclass(frozen=True, slots=True, order=True)
class IsoWeek:
    """One ISO week; `year` is the ISO year, which differs from the calendar's around New Year."""

    year: int
    number: int

    def __post_init__(self) -> None:
        """Refuse a week that the year does not have (ValueError)."""
        date.fromisocalendar(self.year, self.number, 1)

    def __str__(self) -> str:
        """Return it as ISO 8601 writes it: 2026-W47."""
        return f"{self.year:04d}-W{self.number:02d}"

    @property
    def monday(self) -> date:
        """Its first day."""
        return date.fromisocalendar(self.year, self.number, 1)

    def shift(self, weeks: int) -> "IsoWeek":
        """Return the week this many weeks later (earlier when negative)."""
        return _week_of_day(self.monday + timedelta(weeks=weeks))


def parse_week(text: str) -> IsoWeek:
    """Return the week written as 2026-W47 (2026W47 does too).

    Raises:
        ValueError: it is not a week, or the year does not have it; the text says what to write.
    """
    written = _WRITTEN.fullmatch(text.strip().upper())
    if written is None:
        raise ValueError(f"{text!r} is not a week. Write year and ISO week, like 2026-W47.")
    year, number = int(written[1]), int(written[2])
    try:
        return IsoWeek(year, number)
    except ValueError:
        raise ValueError(f"{text!r}: {year} has no week {number}. Write year and ISO week, like 2026-W47.") from None


def week_of(instant: datetime, zone: tzinfo) -> IsoWeek:
    """Return the week in which this aware instant falls in this time zone.

    Raises:
        ValueError: `instant` is naive.
    """
    if instant.tzinfo is None:
        raise ValueError(f"naive instant {instant.isoformat()}: instants are aware UTC")
    return _week_of_day(instant.astimezone(zone).date())


def last_whole_week(now: datetime, zone: tzinfo) -> IsoWeek:
    """Return the latest week that is over at `now`; on Monday at 00:00 that is the one just ended."""
    return week_of(now, zone).shift(-1)


def week_span(week: IsoWeek, zone: tzinfo) -> tuple[datetime, datetime]:
    """Return the first instant of the week and the first of the next one, aware UTC."""
    return local_instant(week.monday, 0, zone), local_instant(week.shift(1).monday, 0, zone)


def local_instant(day: date, minute: int, zone: tzinfo) -> datetime:
    """Return the instant at which local clocks show this time of day, aware UTC.

    Args:
        minute: since 00:00, 0 to 1440. A time that the change to summer time leaves out falls that much later; one that
            occurs twice means its first occurrence.
    """
    whole_days, minute_of_day = divmod(minute, 24 * 60)
    local = datetime.combine(day + timedelta(days=whole_days), time(*divmod(minute_of_day, 60)), tzinfo=zone)
    return local.astimezone(UTC)


def _week_of_day(day: date) -> IsoWeek:
    year, number, _ = day.isocalendar()
    return IsoWeek(year, number)
