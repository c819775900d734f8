"""Why a message was missed: from what people were told and did, else from the hours in which its deadline fell."""

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from monitor.core.figures import MessageOutcome
from monitor.core.weeks import local_instant
from monitor.report.model import Cause, Miss, Period
from monitor.report.source import MailboxOutage, MissFacts
from monitor.report.staffed import gap_at

DAY_FROM_MINUTE, DAY_TO_MINUTE = 7 * 60, 22 * 60  # what is not night
BLIND_SHARE = 0.5  # an outage that takes this much of the time to answer is the cause, whatever was told


def cause_of(
    outcome: MessageOutcome,
    facts: MissFacts,
    outages: Sequence[MailboxOutage],
    staffed: Sequence[Period],
    holidays: Collection[date],
    zone: ZoneInfo,
    watching_since: datetime | None,
    now: datetime,
) -> Cause:
    """Return the first cause that fits, in the order of `Cause`.

    A reply that was refused, a blind mailbox, alerts that failed, somebody who had it and forgot, and silence come before
    the hour, because they would have mattered at any hour; they are not looked for where the deadline passed before the
    worker was first started. After them the hours decide: holiday and weekend mean that the deadline fell in an unstaffed
    gap, after a daytime (07:00 to 22:00) of such a day had passed or begun in it.

    Args:
        outages: those of any account; only the ones of the message's account count.
        staffed: ascending and disjoint; what holds where none are configured is the caller's to assume.
        watching_since: when the worker was first started, None if always.
    """
    deadline_at = outcome.deadline_at
    if any(at <= deadline_at for at in facts.refused_at):
        return Cause.REPLY_REFUSED
    if watching_since is None or deadline_at >= watching_since:
        told_in_time = any(told.arrived and told.at <= deadline_at for told in facts.told)
        blind = _blind_share(outcome, outages, now)
        if blind >= BLIND_SHARE or (blind > 0 and not told_in_time):
            return Cause.MAILBOX_BLIND
        if not told_in_time and any(told.outcome == "failed" for told in facts.told):
            return Cause.ALERT_FAILED
        if any(acknowledged.at <= deadline_at for acknowledged in facts.acknowledged):
            return Cause.ACKNOWLEDGED_AND_FORGOTTEN
        if not told_in_time:
            return Cause.NOT_ALERTED
    return _cause_by_hour(deadline_at, staffed, holidays, zone)


def count_causes(misses: Iterable[Miss]) -> tuple[tuple[Cause, int], ...]:
    """Return the causes that occur with their counts, most frequent first, then in the order of `Cause`."""
    counts = Counter(miss.cause for miss in misses)
    order = list(Cause)
    return tuple(sorted(counts.items(), key=lambda item: (-item[1], order.index(item[0]))))


def _blind_share(outcome: MessageOutcome, outages: Sequence[MailboxOutage], now: datetime) -> float:
    """Return which share of the time to answer lay in outages of the account's mailboxes; overlaps count once."""
    from_at, to_at = outcome.received_at, outcome.deadline_at
    blind = timedelta(0)
    reached = from_at
    for outage in sorted(outages, key=lambda outage: outage.from_at):
        if outcome.account not in outage.accounts:
            continue
        begins, ends = max(outage.from_at, reached), min(outage.to_at or now, to_at)
        if ends > begins:
            blind += ends - begins
            reached = ends
    return blind / outcome.target


def _cause_by_hour(
    deadline_at: datetime, staffed: Sequence[Period], holidays: Collection[date], zone: ZoneInfo
) -> Cause:
    gap = gap_at(deadline_at, staffed)
    if gap is None:
        return Cause.BUSY
    # A gap that never began is looked at for four days: longer than any weekend.
    begins = gap[0] or deadline_at - timedelta(days=4)
    days = list(_days_reached(begins, deadline_at, zone))
    if any(day in holidays for day in days):
        return Cause.HOLIDAY
    if any(day.weekday() >= 5 for day in days):
        return Cause.WEEKEND
    local = deadline_at.astimezone(zone)
    minute = local.hour * 60 + local.minute
    return Cause.UNSTAFFED if DAY_FROM_MINUTE <= minute < DAY_TO_MINUTE else Cause.NIGHT


def _days_reached(from_at: datetime, to_at: datetime, zone: ZoneInfo) -> Iterable[date]:
    """Yield the local days of whose daytime some part lies between the two instants, both included."""
    day, last = from_at.astimezone(zone).date(), to_at.astimezone(zone).date()
    while day <= last:
        begins = local_instant(day, DAY_FROM_MINUTE, zone).astimezone(UTC)
        ends = local_instant(day, DAY_TO_MINUTE, zone).astimezone(UTC)
        if begins <= to_at and ends > from_at:
            yield day
        day += timedelta(days=1)
