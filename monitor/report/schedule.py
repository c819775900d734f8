"""When reports and digests are due: pure functions of what was sent and `now`. Never skipped, never twice."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from monitor.core.weeks import IsoWeek, local_instant, week_of

BEFORE_SHIFT_END = timedelta(minutes=30)


@dataclass(frozen=True, slots=True, kw_only=True)
class DueReport:
    """One scheduled report: the week it is about, and the instant it fell due."""

    week: IsoWeek
    due_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class DueDigest:
    """One digest. `due_at` is its mark; `expires_at`: pointless afterwards (the shift is over), None if never."""

    due_at: datetime
    expires_at: datetime | None = None


def due_reports(
    weekday: int, minute: int, zone: ZoneInfo, now: datetime, owed_since_at: datetime, last_sent: IsoWeek | None
) -> tuple[DueReport, ...]:
    """Return the reports that are due and were not sent, oldest first.

    Each is about the last week that was over when it fell due. A worker that was down owes every week it missed; a changed
    weekday or time of day neither repeats nor skips a week.

    Args:
        weekday: 0 is Monday. minute: since 00:00 local time.
        owed_since_at: the first start of a worker that had `[report]`; what fell due until then is not owed.
        last_sent: the newest week whose report was handed to the outbox, None if none was.
    """
    week = last_sent.shift(1) if last_sent else week_of(owed_since_at, zone).shift(-2)
    due = []
    while (due_at := _report_due_at(week, weekday, minute, zone)) <= now:
        if due_at > owed_since_at:
            due.append(DueReport(week=week, due_at=due_at))
        week = week.shift(1)
    return tuple(due)


def next_report_at(weekday: int, minute: int, zone: ZoneInfo, now: datetime) -> datetime:
    """Return the first instant after `now` at which a report falls due, aware UTC."""
    week = week_of(now, zone).shift(-1)
    while (due_at := _report_due_at(week, weekday, minute, zone)) <= now:
        week = week.shift(1)
    return due_at


def _report_due_at(week: IsoWeek, weekday: int, minute: int, zone: ZoneInfo) -> datetime:
    return local_instant(week.shift(1).monday + timedelta(days=weekday), minute, zone)


def due_digest(
    minute: int,
    zone: ZoneInfo,
    now: datetime,
    owed_since_at: datetime,
    last_sent_at: datetime | None,
    shift_ends: Iterable[datetime] = (),
) -> DueDigest | None:
    """Return the digest that is due, None if none is: only the latest, however many were missed.

    One falls due each day at the local time of day, and one half an hour before each staffed period ends; the latter is
    dropped once that period is over.

    Args:
        minute: since 00:00 local time.
        owed_since_at: the first start of a worker that had `[digest]`.
        last_sent_at: the `due_at` of the newest digest handed to the outbox (or found empty), None if none was.
        shift_ends: ends of staffed periods, at least those of the day before and the day after `now`.
    """
    today = now.astimezone(zone).date()
    found = [DueDigest(due_at=at) for at in (_digest_at(today, minute, zone, days) for days in (0, -1))]
    found += [DueDigest(due_at=end - BEFORE_SHIFT_END, expires_at=end) for end in shift_ends if now < end]
    due = [digest for digest in found if owed_since_at < digest.due_at <= now]
    if not due:
        return None
    latest = max(due, key=lambda digest: digest.due_at)
    return latest if last_sent_at is None or latest.due_at > last_sent_at else None


def _digest_at(day: date, minute: int, zone: ZoneInfo, days: int) -> datetime:
    return local_instant(day + timedelta(days=days), minute, zone)
