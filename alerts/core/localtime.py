"""Local times of day to instants: the one place where the alerts' core touches a time zone's jumps.

A local time that does not exist (spring) is the instant of the jump; one that exists twice (autumn) is the first of the
two, or the last where `last` asks for it, so that a span "until 02:30" never ends before its second 02:30.
"""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

_HALF_SECOND = timedelta(milliseconds=500)


def instant_of(day: date, minute: int, zone: ZoneInfo, *, last: bool = False) -> datetime:
    """Return the instant of `minute` minutes after the local 00:00 of `day`; 1440 is the next day's 00:00. Aware UTC."""
    return instant_of_local(datetime.combine(day, time()) + timedelta(minutes=minute), zone, last=last)


def instant_of_local(local: datetime, zone: ZoneInfo, *, last: bool = False) -> datetime:
    """Return the instant of a naive local time, aware UTC.

    Raises:
        ValueError: `local` carries a time zone already.
    """
    if local.tzinfo is not None:
        raise ValueError(f"{local.isoformat()}: a local time must not carry a zone")
    instant = local.replace(tzinfo=zone, fold=int(last)).astimezone(UTC)
    if instant.astimezone(zone).replace(tzinfo=None) == local:
        return instant
    # The local time was jumped over: of the two readings one lies before the jump and one after it.
    after = local.replace(tzinfo=zone, fold=0).astimezone(UTC)
    before = local.replace(tzinfo=zone, fold=1).astimezone(UTC)
    offset = before.astimezone(zone).utcoffset()
    while after - before > _HALF_SECOND:
        middle = before + (after - before) / 2
        if middle.astimezone(zone).utcoffset() == offset:
            before = middle
        else:
            after = middle
    return after.replace(microsecond=0)


def local_day(at: datetime, zone: ZoneInfo) -> date:
    """Return the local date of an instant.

    Raises:
        ValueError: `at` is naive.
    """
    return require_aware(at).astimezone(zone).date()


def require_aware(at: datetime) -> datetime:
    """Return the instant, or raise ValueError where it carries no time zone."""
    if at.tzinfo is None:
        raise ValueError(f"naive instant {at.isoformat()}: instants are aware UTC")
    return at
