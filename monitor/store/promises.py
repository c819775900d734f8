"""Open threads whose order is known, and what it means for them that a promised delivery has passed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any

from sqlalchemy import Connection, and_, insert, select, update

from monitor.store.schema import frozen_policy, message, order_fact, sla_clock, thread


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderedClock:
    """An open clock with the stored body of its order. `labels` and `priority` are those of its first message."""

    row: Any
    thread_labels: tuple[str, ...]
    thread_priority: int
    labels: tuple[str, ...]
    priority: int
    text: str | None
    order: str


def read_ordered(connection: Connection) -> list[OrderedClock]:
    """Return the open clocks whose order is known; what was over before the first start is left out."""
    statement = (
        select(
            sla_clock,
            thread.c.labels.label("t_labels"),
            thread.c.priority.label("t_priority"),
            message.c.labels.label("m_labels"),
            message.c.priority.label("m_priority"),
            message.c.text.label("m_text"),
            order_fact.c.body.label("o_body"),
        )
        .join(thread, thread.c.id == sla_clock.c.thread_id)
        .join(message, message.c.id == sla_clock.c.start_message_id)
        .join(
            order_fact,
            and_(order_fact.c.account == sla_clock.c.account, order_fact.c.order_hash == thread.c.order_hash),
        )
        .where(sla_clock.c.closed_at.is_(None), sla_clock.c.backlog.is_(False))
        .order_by(sla_clock.c.id)
    )
    return [
        OrderedClock(
            row=row,
            thread_labels=tuple(row.t_labels.split()),
            thread_priority=row.t_priority,
            labels=tuple(row.m_labels.split()),
            priority=row.m_priority,
            text=row.m_text,
            order=row.o_body,
        )
        for row in connection.execute(statement)
    ]


def record_label(
    connection: Connection, one: OrderedClock, labels: Sequence[str], thread_labels: Sequence[str], priority: int
) -> None:
    """Store labels on a clock's first message, from which its thread takes them ever after, and on the thread.

    `priority`: what the new label gives; one that is higher stays.
    """
    connection.execute(
        update(message)
        .where(message.c.id == one.row.start_message_id)
        .values(labels=" ".join(labels), priority=max(one.priority, priority))
    )
    connection.execute(
        update(thread)
        .where(thread.c.id == one.row.thread_id)
        .values(
            labels=" ".join(thread_labels),
            priority=max(one.thread_priority, priority),
            revision=thread.c.revision + 1,
        )
    )


def record_policy(connection: Connection, clock_id: int, body: str, now: datetime) -> None:
    """Freeze another policy onto an open clock and have it looked at."""
    digest = sha256(body.encode()).hexdigest()
    policy_id = connection.execute(select(frozen_policy.c.id).where(frozen_policy.c.digest == digest)).scalar()
    if policy_id is None:
        statement = insert(frozen_policy).values(digest=digest, body=body).returning(frozen_policy.c.id)
        policy_id = connection.execute(statement).scalar_one()
    connection.execute(update(sla_clock).where(sla_clock.c.id == clock_id).values(policy_id=policy_id, next_due_at=now))


def read_clocks_of_orders(connection: Connection, account: str, order_hashes: Sequence[int]) -> list[tuple[int, int]]:
    """Return the open clocks of these orders, each with its thread."""
    found: list[tuple[int, int]] = []
    for start in range(0, len(order_hashes), 400):
        statement = (
            select(sla_clock.c.id, sla_clock.c.thread_id)
            .join(thread, thread.c.id == sla_clock.c.thread_id)
            .where(
                sla_clock.c.closed_at.is_(None),
                sla_clock.c.account == account,
                thread.c.order_hash.in_(order_hashes[start : start + 400]),
            )
        )
        found += [(row.id, row.thread_id) for row in connection.execute(statement)]
    return found
