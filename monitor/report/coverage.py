"""What an added shift would have saved: the week is replayed with one more staffed hour at a time.

In the replay one person works through what waits, soonest deadline first, one reply after another; one reply answers all
earlier messages of its thread. What was too late already is left alone, and what the team in fact answered meanwhile is
gone, as it was.
"""

import heapq
import itertools
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from monitor.core.figures import quantile
from monitor.core.weeks import local_instant
from monitor.report.model import AddedHour, Coverage, Period, UnstaffedGap
from monitor.report.staffed import gap_at, is_unstaffed

MAX_ADDED_HOURS = 3
FEWEST_SAVED_BY_ANOTHER = 2  # a second hour for a single message is no advice
ASSUMED_HANDLING_SECONDS = 360.0
_HANDLING_SECONDS = (60.0, 1800.0)
_LONGEST_PAUSE_SECONDS = 1200.0  # a longer time between two replies was a pause, not work
_SHORTEST_GAP_SECONDS = 20.0  # a shorter one was a button, or two people
_ENOUGH_GAPS = 20
_USUAL_HOUR = 10


class Waiting(NamedTuple):
    """One message as the replay needs it; instants in seconds since 1970, `answered` and `waived` infinite if never."""

    message_id: int
    thread_id: int
    received: float
    deadline: float
    gone: float
    missed: bool


def measure_handling(replies: Iterable[float]) -> tuple[float, bool]:
    """Return the seconds one reply takes, and whether that was measured: the median time between two replies in a row.

    Args:
        replies: instants of replies in seconds since 1970, in any order.
    """
    ordered = sorted(replies)
    gaps = [later - earlier for earlier, later in itertools.pairwise(ordered)]
    gaps = sorted(gap for gap in gaps if _SHORTEST_GAP_SECONDS <= gap <= _LONGEST_PAUSE_SECONDS)
    if len(gaps) < _ENOUGH_GAPS:
        return ASSUMED_HANDLING_SECONDS, False
    least, most = _HANDLING_SECONDS
    return min(max(quantile(gaps, 0.5) or least, least), most), True


def replay_shift(
    waiting: Iterable[Waiting], from_second: float, to_second: float, handling_seconds: float
) -> dict[int, float]:
    """Return when each message would have been answered in an added shift, by message id, in seconds since 1970.

    Args:
        waiting: in any order; what was answered, waived or overdue before the shift is passed over.
        handling_seconds: a reply that cannot be finished within the shift is not begun.
    """
    arriving = sorted((m for m in waiting if m.received < to_second and m.gone > from_second), key=lambda m: m.received)
    by_thread: dict[int, list[Waiting]] = {}
    for message in arriving:
        by_thread.setdefault(message.thread_id, []).append(message)
    answered: dict[int, float] = {}
    queue: list[tuple[float, int, Waiting]] = []
    second, next_arrival = from_second, 0
    while True:
        while next_arrival < len(arriving) and arriving[next_arrival].received <= second:
            message = arriving[next_arrival]
            heapq.heappush(queue, (message.deadline, message.message_id, message))
            next_arrival += 1
        if not queue:
            if next_arrival == len(arriving):
                return answered
            second = arriving[next_arrival].received
            continue
        done = second + handling_seconds
        if done > to_second:
            return answered
        deadline, message_id, message = heapq.heappop(queue)
        if message_id in answered or message.gone <= second or done > deadline:
            continue
        for other in by_thread[message.thread_id]:
            if other.received <= second and other.gone > second:
                answered.setdefault(other.message_id, done)
        second = done


def saved_by(answered: Mapping[int, float], waiting: Iterable[Waiting]) -> set[int]:
    """Return the ids of missed messages that a replay answered on time."""
    return {m.message_id for m in waiting if m.missed and answered.get(m.message_id, float("inf")) <= m.deadline}


def plan_coverage(
    week: Sequence[Waiting],
    weeks_before: Sequence[Sequence[Waiting]],
    span: Period,
    staffed: Sequence[Period],
    zone: ZoneInfo,
    replies: Iterable[float],
) -> Coverage:
    """Return the unstaffed gaps that cost the most and the hours that would have saved the most, at most three.

    Each hour is found with the hours before it already worked. Where several save the same, the one nearest to ten in the
    morning is named.

    Args:
        week: every message that waited at some time of the week or of the days after it until the last deadline of a
            missed one; `missed` only those that the report lists.
        weeks_before: the same of each week before, nearest first: whether an hour would usually help.
        span: the week.
        staffed: ascending and disjoint.
        replies: of the team, in seconds since 1970: what one reply takes.
    """
    handling, measured = measure_handling(replies)
    missed = [message for message in week if message.missed]
    hours = _unstaffed_hours(missed, span, staffed, zone) if missed else []
    open_in = {hour: _open_in(week, hour) for hour in hours}
    chosen: list[Period] = []
    added: list[AddedHour] = []
    total = 0
    while len(chosen) < min(MAX_ADDED_HOURS, len(hours)):
        totals = {hour: _saved_in((*chosen, hour), open_in, handling) for hour in hours if hour not in chosen}
        best = max(totals, key=lambda hour: (totals[hour], -_oddness(hour, zone)))
        saved = totals[best] - total
        if saved < (FEWEST_SAVED_BY_ANOTHER if added else 1):
            break
        added.append(_with_weeks_before(best, saved, weeks_before, handling, zone))
        chosen.append(best)
        total = totals[best]
    return Coverage(
        missed=len(missed),
        added=tuple(added),
        gaps=_gaps(missed, staffed, zone),
        handling_seconds=handling,
        handling_measured=measured,
    )


def _open_in(waiting: Iterable[Waiting], hour: Period) -> list[Waiting]:
    """Return what waited at some time of this hour."""
    from_second, to_second = hour[0].timestamp(), hour[1].timestamp()
    return [message for message in waiting if message.received < to_second and message.gone > from_second]


def _saved_in(hours: Iterable[Period], open_in: Mapping[Period, Sequence[Waiting]], handling: float) -> int:
    """Return how many misses these hours save together, worked one after another in order of time."""
    done: dict[int, float] = {}
    saved: set[int] = set()
    for hour in sorted(hours):
        waiting = [
            message
            if message.message_id not in done
            else message._replace(gone=min(message.gone, done[message.message_id]))
            for message in open_in[hour]
        ]
        if not any(message.missed for message in waiting):
            continue
        answered = replay_shift(waiting, hour[0].timestamp(), hour[1].timestamp(), handling)
        saved |= saved_by(answered, waiting)
        done |= answered
    return len(saved)


def _unstaffed_hours(
    missed: Sequence[Waiting], span: Period, staffed: Sequence[Period], zone: ZoneInfo
) -> list[Period]:
    """Return the whole local hours, unstaffed from end to end, in which something missed waited and was not yet overdue."""
    last = max(message.deadline for message in missed)
    first = min(message.received for message in missed)
    day = span[0].astimezone(zone).date()
    hours: list[Period] = []
    while (begins := local_instant(day, 0, zone)).timestamp() < last:
        for hour in range(24):
            begins = local_instant(day, hour * 60, zone)
            ends = begins + timedelta(hours=1)
            if begins.timestamp() < last and ends.timestamp() > first and is_unstaffed(begins, ends, staffed):
                hours.append((begins, ends))
        day += timedelta(days=1)
    return list(dict.fromkeys(hours))  # the hour that summer time leaves out falls onto the next


def _oddness(hour: Period, zone: ZoneInfo) -> float:
    """Return how far from ten in the morning an hour is; of two alike the earlier day comes first."""
    local = hour[0].astimezone(zone)
    return abs(local.hour - _USUAL_HOUR) + hour[0].timestamp() * 1e-12


def _with_weeks_before(
    hour: Period, saved: int, weeks_before: Sequence[Sequence[Waiting]], handling: float, zone: ZoneInfo
) -> AddedHour:
    local = hour[0].astimezone(zone)
    usual_saved = usual_missed = 0
    for weeks_ago, waiting in enumerate(weeks_before, start=1):
        begins = local_instant(local.date() - timedelta(weeks=weeks_ago), local.hour * 60, zone)
        usual_missed += sum(message.missed for message in waiting)
        same_hour = (begins, begins + timedelta(hours=1))
        usual_saved += _saved_in([same_hour], {same_hour: _open_in(waiting, same_hour)}, handling)
    return AddedHour(
        from_at=hour[0],
        to_at=hour[1],
        saved=saved,
        usual_saved=usual_saved,
        usual_missed=usual_missed,
        usual_weeks=len(weeks_before),
    )


def _gaps(missed: Sequence[Waiting], staffed: Sequence[Period], zone: ZoneInfo) -> tuple[UnstaffedGap, ...]:
    counts: Counter[Period] = Counter()
    for message in missed:
        deadline_at = datetime.fromtimestamp(message.deadline, zone)
        gap = gap_at(deadline_at, staffed)
        if gap is not None and gap[0] is not None and gap[1] is not None:
            counts[gap[0], gap[1]] += 1
    return tuple(UnstaffedGap(from_at=gap[0], to_at=gap[1], missed=n) for gap, n in counts.most_common())
