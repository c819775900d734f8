"""On-call calendars: fetched from their address or file, with a copy for the days on which that cannot be had.

A worker that starts after a power cut must not wait for somebody's calendar server: it begins with the copy, and without one
with an empty calendar, by which everybody whom the calendar may name is told.
"""

import contextlib
import http.client
import os
import re
import urllib.request
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import monotonic

from alerts.core.oncall_calendar import OnCallCalendar, parse_calendar
from monitor.config.model import Config, ScheduleConfig
from monitor.errors import ConfigError
from monitor.private import make_private_folder, private_opener

FRESH = timedelta(minutes=10)
"""A copy younger than this is as good as the address: shell commands need not wait for it."""

LARGEST_BYTES = 4 * 1024 * 1024
SOCKET_SECONDS = 10.0
WHOLE_SECONDS = 20.0
EMPTY = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//ReplyBy//empty//EN\r\nEND:VCALENDAR\r\n"
_ADDRESS = ("https://", "http://")


def read_calendar(schedule: ScheduleConfig, config: Config, now: datetime) -> tuple[OnCallCalendar, str | None]:
    """Return a schedule's calendar, and in a line what is wrong where it is a copy or empty.

    Raises:
        ConfigError: a calendar *file* is missing or none: nothing will come by itself.
    """
    if not schedule.ical.startswith(_ADDRESS):
        return _read_file(schedule, config), None
    copy = _copy_path(schedule, config)
    kept, age = _read_copy(copy, schedule, config, now)
    if kept is not None and timedelta(0) <= age < FRESH:
        return kept, None
    try:
        text = fetch_text(schedule.ical)
        calendar = _parsed(text, schedule, config)
    except (OSError, http.client.HTTPException, ValueError) as error:
        said = "it is none" if type(error) is ValueError else type(error).__name__
        what = f'schedule "{schedule.name}": its calendar cannot be read ({said}).'
        if kept is None:
            return _parsed(EMPTY, schedule, config), f"{what} Until it can, everybody it may name is told."
        return kept, f"{what} The copy of {now - age:%Y-%m-%d %H:%M} UTC stands in for it."
    with contextlib.suppress(OSError):  # a full disk takes no copy; the calendar itself is at hand
        _keep_copy(copy, text, now)
    return calendar, None


def fetch_text(address: str) -> str:
    """Return the text at an address, of at most 4 MiB, within 20 s.

    Raises:
        OSError, http.client.HTTPException: it cannot be had.
    """
    began = monotonic()
    parts = bytearray()
    with urllib.request.urlopen(address, timeout=SOCKET_SECONDS) as answer:  # noqa: S310  the configuration checked it
        while part := answer.read1(65536):
            parts += part
            if len(parts) > LARGEST_BYTES:
                raise OSError("larger than 4 MiB")
            if monotonic() - began > WHOLE_SECONDS:
                raise TimeoutError
    return parts.decode("utf-8", "replace")


def _read_file(schedule: ScheduleConfig, config: Config) -> OnCallCalendar:
    path = config.path.parent / schedule.ical
    try:
        return _parsed(path.read_text("utf-8", "replace"), schedule, config)
    except OSError as error:
        raise ConfigError("[[schedule]] ical", [f"{path}: {error.strerror}. Write the path of an .ics file."]) from None
    except ValueError as error:
        raise ConfigError("[[schedule]] ical", [f"{path.name}: {error}"]) from None


def _parsed(text: str, schedule: ScheduleConfig, config: Config) -> OnCallCalendar:
    return parse_calendar(text, config.people, schedule.time_zone)


def _copy_path(schedule: ScheduleConfig, config: Config) -> Path:
    plain = re.sub(r"[^A-Za-z0-9_-]", lambda match: f"%{ord(match[0]):x}", schedule.name)
    return config.worker.state_directory / "calendars" / f"{plain}.ics"


def _read_copy(
    copy: Path, schedule: ScheduleConfig, config: Config, now: datetime
) -> tuple[OnCallCalendar | None, timedelta]:
    try:
        taken_at = datetime.fromtimestamp(copy.stat().st_mtime, UTC)
        return _parsed(copy.read_text("utf-8"), schedule, config), now - taken_at
    except (OSError, ValueError):
        return None, timedelta.max


def _keep_copy(copy: Path, text: str, now: datetime) -> None:
    make_private_folder(copy.parent)
    draft = copy.with_suffix(".tmp")
    with open(draft, "w", encoding="utf-8", newline="", opener=private_opener) as file:
        file.write(text)
    os.utime(draft, (now.timestamp(), now.timestamp()))
    draft.replace(copy)
