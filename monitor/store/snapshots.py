"""The state of everything at one instant, for /metrics and the worker's own page."""

from collections import defaultdict
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Integer, case, cast, func, select, type_coerce

from monitor.core.messages import Kind
from monitor.core.sla import ClockState
from monitor.core.snapshot import DUE_WITHIN_HOURS, RATE_WINDOWS_DAYS, MarketSnapshot
from monitor.store.columns import to_microseconds
from monitor.store.evidence import read_evidence
from monitor.store.schema import message, review, sla_clock

UNKNOWN = "unknown"
_LIVE = sla_clock.c.backlog.is_(False)
"""What was overdue before the first start is counted, and hides nothing that is due next."""


def read_markets(connection: Connection, at_risk: timedelta, now: datetime) -> tuple[MarketSnapshot, ...]:
    """Return the open threads, due times, rates and evidence by account and marketplace ("unknown" where none is named)."""
    open_rows = {(row.account, row.marketplace or UNKNOWN): row for row in _open_counts(connection, at_risk, now)}
    acknowledged = _next_acknowledged(connection, now)
    rates = read_rates(connection, now)
    seen: dict[tuple[str, str], dict[str, datetime]] = defaultdict(dict)
    for entry in read_evidence(connection):
        seen[entry.account, entry.marketplace or UNKNOWN][entry.evidence] = entry.last_seen_at
    keys = sorted({*open_rows, *rates, *seen})
    return tuple(
        _market(key, open_rows.get(key), key in acknowledged, rates.get(key, {}), seen.get(key, {})) for key in keys
    )


def _open_counts(connection: Connection, at_risk: timedelta, now: datetime) -> list[Any]:
    deadline = sla_clock.c.deadline_at
    columns = [
        func.count().label("total"),
        func.sum(cast(deadline < now, Integer)).label("breached"),
        func.sum(cast((deadline >= now) & (deadline <= now + at_risk), Integer)).label("at_risk"),
        type_coerce(func.min(deadline).filter(_LIVE), deadline.type).label("next_deadline_at"),
        func.sum(cast(sla_clock.c.backlog & (deadline < now), Integer)).label("backlog"),
    ]
    columns += [
        func.sum(cast(deadline <= now + timedelta(hours=hours), Integer)).label(f"within_{hours}")
        for hours in DUE_WITHIN_HOURS
    ]
    statement = (
        select(sla_clock.c.account, sla_clock.c.marketplace, *columns)
        .where(sla_clock.c.closed_at.is_(None))
        .group_by(sla_clock.c.account, sla_clock.c.marketplace)
    )
    return list(connection.execute(statement))


def _next_acknowledged(connection: Connection, now: datetime) -> set[tuple[str, str]]:
    """Return where somebody has the clock whose deadline comes next."""
    ranked = (
        select(
            sla_clock.c.account,
            sla_clock.c.marketplace,
            sla_clock.c.acknowledgement_expires_at,
            func.row_number()
            .over(
                partition_by=(sla_clock.c.account, sla_clock.c.marketplace),
                order_by=(sla_clock.c.deadline_at, sla_clock.c.id),
            )
            .label("place"),
        )
        .where(sla_clock.c.closed_at.is_(None), _LIVE)
        .subquery()
    )
    statement = select(ranked.c.account, ranked.c.marketplace).where(
        ranked.c.place == 1, ranked.c.acknowledgement_expires_at > now
    )
    return {(row.account, row.marketplace or UNKNOWN) for row in connection.execute(statement)}


def read_rates(connection: Connection, now: datetime) -> dict[tuple[str, str], dict[int, tuple[int, int]]]:
    """Return (on time, judged) by days of the window: messages received in it, judged as things stand now."""
    received, target = message.c.received_at, message.c.target_seconds
    answered_first = message.c.answered_at.is_not(None) & (
        message.c.waived_at.is_(None) | (message.c.answered_at <= message.c.waived_at)
    )
    # Instants are stored as microseconds, so durations are plain arithmetic in both databases.
    # The factor overflows a 32-bit column in PostgreSQL: widened first.
    deadline = cast(received, message.c.id.type) + cast(target, message.c.id.type) * 1_000_000
    in_time = answered_first & (cast(message.c.answered_at, message.c.id.type) <= deadline)
    judged = answered_first | (message.c.waived_at.is_(None) & (deadline < to_microseconds(now)))
    columns = []
    for days in RATE_WINDOWS_DAYS:
        inside = received >= now - timedelta(days=days)
        columns.append(func.sum(case((inside & in_time, 1), else_=0)).label(f"on_time_{days}"))
        columns.append(func.sum(case((inside & judged, 1), else_=0)).label(f"judged_{days}"))
    statement = (
        select(message.c.account, message.c.marketplace, *columns)
        .where(
            message.c.kind == Kind.BUYER_MESSAGE.value,
            message.c.received_at >= now - timedelta(days=max(RATE_WINDOWS_DAYS)),
            message.c.excluded.is_(False),
            message.c.target_seconds.is_not(None),
        )
        .group_by(message.c.account, message.c.marketplace)
    )
    result: dict[tuple[str, str], dict[int, tuple[int, int]]] = {}
    for row in connection.execute(statement):
        values = row._mapping
        result[row.account, row.marketplace or UNKNOWN] = {
            days: (int(values[f"on_time_{days}"]), int(values[f"judged_{days}"])) for days in RATE_WINDOWS_DAYS
        }
    return result


def _market(
    key: tuple[str, str],
    counts: Any,
    acknowledged: bool,
    rates: dict[int, tuple[int, int]],
    seen: dict[str, datetime],
) -> MarketSnapshot:
    breached = 0 if counts is None else int(counts.breached)
    at_risk = 0 if counts is None else int(counts.at_risk)
    running = 0 if counts is None else counts.total - breached - at_risk
    ratios = {days: on_time / judged if judged else None for days, (on_time, judged) in rates.items()}
    return MarketSnapshot(
        account=key[0],
        marketplace=key[1],
        open_by_state={ClockState.RUNNING: running, ClockState.AT_RISK: at_risk, ClockState.BREACHED: breached},
        due_within={
            hours: 0 if counts is None else int(counts._mapping[f"within_{hours}"]) for hours in DUE_WITHIN_HOURS
        },
        backlog=0 if counts is None else int(counts.backlog),
        next_deadline_at=None if counts is None else counts.next_deadline_at,
        next_acknowledged=acknowledged,
        response_ratio=ratios,
        late_response_ratio={days: None if ratio is None else 1 - ratio for days, ratio in ratios.items()},
        judged_messages={days: judged for days, (_, judged) in rates.items()},
        evidence_last_seen_at=seen,
    )


def count_reviews(connection: Connection) -> dict[str, int]:
    """Return how much waits for a person, by account."""
    statement = select(review.c.account, func.count()).where(review.c.settled_at.is_(None)).group_by(review.c.account)
    return {row[0]: row[1] for row in connection.execute(statement)}
