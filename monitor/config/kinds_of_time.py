"""Kinds of values that tell a time: durations, times of day, weekdays, zones, dates."""

import re
import zoneinfo
from datetime import date, datetime, timedelta
from typing import Any

from alerts.core.model import QuietHours
from monitor.config.durations import parse_duration
from monitor.config.kinds import Kind, Scope
from monitor.config.problems import nearest

_DAY_NAMES = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


def duration(least: timedelta = timedelta(0), least_text: str = "") -> Kind:
    """Return the kind of durations from `least` on."""

    def parse(value: str, scope: Scope) -> timedelta:
        del scope
        found = parse_duration(value)
        if found < least:
            raise ValueError(f"too short. Write at least {least_text}.")
        return found

    return Kind("a duration", 'a number and s, m, h or d, such as "90m"', (str,), parse)


def _repeat(value: str, scope: Scope) -> timedelta:
    """Return nothing at all, or a pause that leaves the last message time to be read."""
    del scope
    found = parse_duration(value)
    if timedelta(0) < found < timedelta(minutes=1):
        raise ValueError('too short. Write at least "1m", or "0s" for once.')
    return found


DURATION = duration()
REPEAT = Kind("a duration", 'a number and s, m, h or d, such as "10m"', (str,), _repeat)
LASTING = duration(timedelta(seconds=1), '"1s"')

_CLOCK = re.compile(r"([0-9]{1,2}):([0-9]{2})")


def _minute(text: str) -> int:
    match = _CLOCK.fullmatch(text.strip())
    if match is None:
        raise ValueError
    minutes = int(match[1]) * 60 + int(match[2])
    if int(match[2]) > 59 or minutes > 1440:
        raise ValueError
    return minutes


def _minute_of_day(value: str, scope: Scope) -> int:
    del scope
    return _minute(value)


def _quiet(value: str, scope: Scope) -> QuietHours | None:
    del scope
    if not value.strip():
        return None
    begin, dash, end = value.replace("–", "-").partition("-")
    if not dash:
        raise ValueError
    first, last = _minute(begin), _minute(end)
    if first == last:
        raise ValueError('begins and ends at the same time. Write two times, such as "22:00-07:00".')
    return QuietHours(from_minute=first % 1440, to_minute=last)


def _weekday(text: str) -> int:
    """Return 0 for Monday to 6, from "mon" or "Monday"."""
    word = text.strip().lower()
    for index, name in enumerate(_DAY_NAMES):
        if word in (name, name[:3]):
            return index
    raise ValueError


def _days(value: Any, scope: Scope) -> frozenset[int]:
    del scope
    items = value if isinstance(value, list) else value.split(",")
    days: set[int] = set()
    for item in items:
        if not isinstance(item, str):
            raise ValueError
        first, dash, last = item.replace("–", "-").partition("-")
        start = _weekday(first)
        end = _weekday(last) if dash else start
        days.update((start + step) % 7 for step in range((end - start) % 7 + 1))
    return frozenset(days)


def _weekly(value: str, scope: Scope) -> tuple[int, int]:
    del scope
    day, _, clock = value.strip().partition(" ")
    minute = _minute(clock)
    if minute == 1440:
        raise ValueError
    return _weekday(day), minute


def _daily(value: str, scope: Scope) -> int:
    minute = _minute_of_day(value, scope)
    if minute == 1440:
        raise ValueError
    return minute


def _zone(value: str, scope: Scope) -> zoneinfo.ZoneInfo:
    del scope
    try:
        return zoneinfo.ZoneInfo(value)
    except (KeyError, ValueError, OSError):
        pass
    if re.fullmatch(r"(?:GMT|UTC|Z)?\s*[+\u2212-]\s*[0-9]{1,2}(?::?[0-9]{2})?", value.strip(), re.IGNORECASE):
        raise ValueError(
            'not a time zone: an offset knows no summer time. Write continent and city, such as "Europe/Paris".'
        )
    zones = sorted(zoneinfo.available_timezones())
    near = nearest(value, zones) or next((zone for zone in zones if _city(zone) == value.strip().casefold()), None)
    hint = f"Did you mean '{near}'?" if near else 'Write it as "Europe/Paris": continent and city.'
    raise ValueError(f"not a time zone. {hint}") from None


def _city(zone: str) -> str:
    return zone.rpartition("/")[2].replace("_", " ").casefold()


TIME = Kind("a time of day", "HH:MM, 00:00 to 24:00", (str,), _minute_of_day)
DAILY = Kind("a time of day", 'HH:MM, 00:00 to 23:59, such as "08:30"', (str,), _daily)
WEEKLY = Kind("a day and a time", 'it as "mon 09:00"', (str,), _weekly)
DAYS = Kind("days of the week", '"mon-fri" or "mon,wed"', (str, list), _days)
QUIET = Kind("two times of day", 'HH:MM-HH:MM, such as "22:00-07:00"', (str,), _quiet)
ZONE = Kind("a time zone", 'it as "Europe/Paris"', (str,), _zone)
DATE = Kind("a date", "it without quotes, such as 2026-12-24", (date,), lambda value, scope: value)
DATE_TIME = Kind(
    "a date and time", "it without quotes, such as 2026-12-24T09:00:00", (datetime,), lambda value, scope: value
)


def _dates(value: list[Any], scope: Scope) -> frozenset[date]:
    del scope
    if not all(isinstance(item, date) and not isinstance(item, datetime) for item in value):
        raise ValueError
    return frozenset(value)


DATES = Kind("a list of dates", "them without quotes, such as [2026-12-24, 2026-12-31]", (list,), _dates)
