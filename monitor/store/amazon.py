"""What Amazon says of us and of orders, and what is to be asked of it when: figures, order facts, tasks.

A task is a row of `amazon_task`: its key says what it is about, `state` where it stands, `next_at` when it goes on. A restart
goes on with what stands there.
"""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, and_, delete, func, insert, or_, select

from monitor.core.snapshot import AmazonSnapshot
from monitor.store.schema import amazon_figure, amazon_task, order_fact, sla_clock, thread
from monitor.store.upsert import upsert

FIGURES_SHOWN = timedelta(days=45)
"""An older figure says nothing of today: it is no longer exported."""

FIGURES_KEPT = timedelta(days=800)
ORDER_STALE = timedelta(days=3)
"""A buyer who writes again after so long asks about another state of the order: it is fetched once more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """Something that is asked of Amazon, as it stands. `attempts` counts failures in a row."""

    key: str
    state: str
    next_at: datetime | None = None
    attempts: int = 0
    body: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedOrder:
    """An order that waits for its facts. `thread_id`: an open thread about it, to name it by."""

    order_id: str
    order_hash: int
    thread_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FigureRow:
    """One figure of Amazon's report, as it is stored. `body`: what it was made of, as JSON."""

    window_days: int
    late_ratio: float | None
    average_response_seconds: float | None
    body: str = ""


# --- figures


def record_typed_figure(
    connection: Connection, account: str, marketplace: str, window_days: int, late_ratio: float, read_at: datetime
) -> None:
    """Store a figure that a person read in Seller Central; the newest one of a window counts."""
    connection.execute(
        insert(amazon_figure).values(
            account=account,
            marketplace=marketplace,
            window_days=window_days,
            late_ratio=late_ratio,
            read_at=read_at,
            source="typed",
        )
    )


def record_figures(
    connection: Connection, account: str, marketplace: str, rows: Sequence[FigureRow], read_at: datetime
) -> None:
    """Store what a report said; the newest one of a window counts."""
    values = [
        {
            "account": account,
            "marketplace": marketplace,
            "window_days": row.window_days,
            "late_ratio": row.late_ratio,
            "average_response_seconds": row.average_response_seconds,
            "read_at": read_at,
            "source": "sp_api",
            "body": row.body,
        }
        for row in rows
    ]
    if values:
        connection.execute(insert(amazon_figure), values)
    connection.execute(delete(amazon_figure).where(amazon_figure.c.read_at < read_at - FIGURES_KEPT))


def read_newest_figures(connection: Connection, now: datetime) -> tuple[AmazonSnapshot, ...]:
    """Return the newest figure of each account, marketplace and window, none older than `FIGURES_SHOWN`."""
    newest = (
        select(func.max(amazon_figure.c.id))
        .where(amazon_figure.c.read_at >= now - FIGURES_SHOWN)
        .group_by(amazon_figure.c.account, amazon_figure.c.marketplace, amazon_figure.c.window_days)
    )
    statement = (
        select(amazon_figure)
        .where(amazon_figure.c.id.in_(newest))
        .order_by(amazon_figure.c.account, amazon_figure.c.marketplace, amazon_figure.c.window_days)
    )
    return tuple(
        AmazonSnapshot(
            account=row.account,
            marketplace=row.marketplace,
            window_days=row.window_days,
            read_at=row.read_at,
            late_ratio=row.late_ratio,
            average_response_seconds=row.average_response_seconds,
            judged=_judged(row.body),
        )
        for row in connection.execute(statement)
    )


def _judged(body: str | None) -> float | None:
    """Return the sum of a report's three values, None unless they are surely counts: shares sum to 1 or 100."""
    parts = json.loads(body) if body else {}
    values = [parts.get(name) for name in ("under_24h", "over_24h", "unanswered")]
    total = sum(value or 0 for value in values)
    counts = all(value is None or value == int(value) for value in values)
    return total if counts and total > 1 and abs(total - 100) > 1 else None


# --- tasks


def read_task(connection: Connection, key: str) -> Task | None:
    """Return a task, None where nothing is known of it."""
    row = connection.execute(select(amazon_task).where(amazon_task.c.key == key)).first()
    return None if row is None else _task(row)


def read_tasks(connection: Connection, prefix: str) -> dict[str, Task]:
    """Return the tasks whose key begins so, by key."""
    statement = select(amazon_task).where(amazon_task.c.key.startswith(prefix, autoescape=True))
    return {row.key: _task(row) for row in connection.execute(statement)}


def _task(row: Any) -> Task:
    return Task(
        key=row.key,
        state=row.state,
        next_at=row.next_at,
        attempts=row.attempts,
        body=json.loads(row.body) if row.body else {},
    )


def record_task(connection: Connection, task: Task) -> None:
    """Store where a task stands now."""
    row = {
        "key": task.key,
        "state": task.state,
        "next_at": task.next_at,
        "attempts": task.attempts,
        "body": json.dumps(dict(task.body), sort_keys=True) if task.body else "",
    }
    upsert(connection, amazon_task, [row], ["state", "next_at", "attempts", "body"])


def delete_tasks(connection: Connection, keys: Collection[str]) -> None:
    """Forget tasks."""
    wanted = sorted(keys)
    for start in range(0, len(wanted), 400):
        connection.execute(delete(amazon_task).where(amazon_task.c.key.in_(wanted[start : start + 400])))


# --- orders


def read_wanted_orders(connection: Connection, account: str, now: datetime) -> list[WantedOrder]:
    """Return the orders of open threads whose facts are not known, the soonest deadline first.

    The number comes from the thread: where identifiers were erased there is none, and nothing is asked.
    """
    known = and_(order_fact.c.account == thread.c.account, order_fact.c.order_hash == thread.c.order_hash)
    statement = (
        select(thread.c.id, thread.c.order_id, thread.c.order_hash)
        .join(sla_clock, sla_clock.c.thread_id == thread.c.id)
        .outerjoin(order_fact, known)
        .where(
            thread.c.account == account,
            thread.c.order_id.is_not(None),
            thread.c.order_hash.is_not(None),
            sla_clock.c.closed_at.is_(None),
            or_(
                order_fact.c.order_hash.is_(None),
                and_(order_fact.c.fetched_at < sla_clock.c.started_at, order_fact.c.fetched_at < now - ORDER_STALE),
            ),
        )
        .order_by(sla_clock.c.backlog, sla_clock.c.deadline_at, sla_clock.c.id)
    )
    found: dict[int, WantedOrder] = {}
    for row in connection.execute(statement):
        wanted = WantedOrder(order_id=row.order_id, order_hash=row.order_hash, thread_id=row.id)
        found.setdefault(row.order_hash, wanted)
    return list(found.values())


def record_order_facts(
    connection: Connection, account: str, wanted: WantedOrder, body: str, fetched_at: datetime
) -> None:
    """Store what is known of an order; what was known before is replaced.

    Nothing is stored where no thread holds its number any more: it was forgotten while Amazon was asked.
    """
    named = select(thread.c.id).where(thread.c.order_hash == wanted.order_hash, thread.c.order_id.is_not(None))
    if connection.execute(named.limit(1)).first() is None:
        return
    row = {"account": account, "order_hash": wanted.order_hash, "fetched_at": fetched_at, "body": body}
    upsert(connection, order_fact, [row], ["fetched_at", "body"])
