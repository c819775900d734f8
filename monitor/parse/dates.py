"""The instant a clock may start from.

Owns `received_at`: Amazon's Date, bounded by what the server saw. Must not read the time.
"""

import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

NOWHERE = datetime(1970, 1, 1, tzinfo=UTC)
"""Stands for "no date at all": no INTERNALDATE, no Date, no Received. Never seen with a mailbox behind."""

AHEAD_AT_MOST = timedelta(minutes=5)
"""A Date later than INTERNALDATE by more is wrong: a mail cannot arrive before it was sent, but clocks differ a little."""

EARLIEST = datetime(2005, 1, 1, tzinfo=UTC)
LATEST = datetime(2060, 1, 1, tzinfo=UTC)

_USUAL = re.compile(
    r"(?:[A-Za-z]{3},? +)?(\d{1,2}) ([A-Z][a-z]{2}) (\d{4}) (\d\d):(\d\d):(\d\d) "
    r"(?:([+-])(\d\d)(\d\d)|(GMT|UTC|UT|Z))(?: *\(.{0,40}\))?"
)
_MONTH_NAMES = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec"
_MONTHS = {name: number for number, name in enumerate(_MONTH_NAMES.split(), start=1)}


def parse_date(value: str) -> datetime | None:
    """Return the instant a Date header names, aware UTC; None when it is missing, unreadable or without an offset."""
    value = value.strip()
    match = _USUAL.fullmatch(value) if len(value) < 100 else None
    if match is not None and match[2] in _MONTHS:
        day, month, year, hour, minute, second, sign, offset_hours, offset_minutes, zone = match.groups()
        if zone is None and sign == "-" and offset_hours == "00" and offset_minutes == "00":
            return None
        try:
            naive = datetime(
                int(year), _MONTHS[month], int(day), int(hour), int(minute), min(int(second), 59), tzinfo=UTC
            )
            if zone is not None:
                return naive
            offset = timedelta(hours=int(offset_hours), minutes=int(offset_minutes))
            if offset > timedelta(hours=24):
                return None
            return naive - offset if sign == "+" else naive + offset
        except (ValueError, OverflowError):
            return None
    if not value or len(value) > 200:
        return None
    try:
        parsed = parsedate_to_datetime(value)
        return None if parsed.tzinfo is None else parsed.astimezone(UTC)
    except (ValueError, TypeError, IndexError, OverflowError, AttributeError):
        return None


def received_at(date: str, *, internaldate: datetime | None, received: Iterable[str] = ()) -> tuple[datetime, str]:
    """Return the instant a clock may start from, and what was wrong with Amazon's Date ("" when nothing was).

    The Date wins, however much earlier than INTERNALDATE it is: a delayed mail or a migrated mailbox keeps it. A Date that
    is missing, unreadable, without an offset, before 2005, or more than `AHEAD_AT_MOST` after INTERNALDATE gives way to
    INTERNALDATE. Without INTERNALDATE (a file) the Date stands unless absurd; then the newest Received header; in the end
    `NOWHERE`.

    Args:
        date: the Date header, "" when missing.
        internaldate: when the server received the mail, aware.
        received: the Received headers, topmost first.

    Returns:
        Aware UTC instant.

    Raises:
        ValueError: `internaldate` is naive.
    """
    if internaldate is not None and internaldate.tzinfo is None:
        raise ValueError("internaldate must be aware")
    parsed = parse_date(date)
    if parsed is not None and EARLIEST <= parsed < LATEST:
        if internaldate is None:
            return parsed, ""
        if parsed <= internaldate + AHEAD_AT_MOST:
            return parsed, ""
        return internaldate.astimezone(UTC), "Date lies after the server's own"
    problem = "Date missing" if not date else "Date unreadable" if parsed is None else f"Date in {parsed.year}"
    if internaldate is not None:
        return internaldate.astimezone(UTC), problem
    instants = [instant for header in received if (instant := parse_date(header.rpartition(";")[2])) is not None]
    sane = [instant for instant in instants if EARLIEST <= instant < LATEST]
    return (max(sane) if sane else NOWHERE), problem
