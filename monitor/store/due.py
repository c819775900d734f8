"""The clocks that have to be looked at, and what planning made of them. An indexed instant decides, never a walk over all."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, func, select, update

from alerts.core.plan import ClockPlan, ClockView
from alerts.core.policy import EscalationPolicy, policy_from_json
from monitor.store.schema import frozen_policy, sla_clock, thread

BATCH = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class DueClock:
    """A clock row with what deciding about it needs."""

    row: Any
    labels: tuple[str, ...]
    priority: int
    order_id: str | None
    policy: EscalationPolicy


class PolicyCache:
    """Frozen policies by id, read once each."""

    def __init__(self) -> None:
        """Begin empty."""
        self._known: dict[int, EscalationPolicy] = {}

    def get(self, connection: Connection, policy_id: int) -> EscalationPolicy:
        """Return the policy that was frozen under this id."""
        if policy_id not in self._known:
            body = connection.execute(select(frozen_policy.c.body).where(frozen_policy.c.id == policy_id)).scalar_one()
            self._known[policy_id] = policy_from_json(body)
        return self._known[policy_id]


_COLUMNS = (sla_clock, thread.c.labels, thread.c.priority, thread.c.order_id)


def read_due(connection: Connection, policies: PolicyCache, now: datetime) -> list[DueClock]:
    """Return open clocks whose time to be looked at has come, soonest deadline first, at most `BATCH`."""
    statement = (
        select(*_COLUMNS)
        .join(thread, thread.c.id == sla_clock.c.thread_id)
        .where(sla_clock.c.closed_at.is_(None), sla_clock.c.next_due_at <= now)
        .order_by(sla_clock.c.next_due_at)
        .limit(BATCH)
    )
    return [_due(connection, policies, row) for row in connection.execute(statement).all()]


def read_open_until(connection: Connection, policies: PolicyCache, from_at: datetime, limit: int) -> list[DueClock]:
    """Return open clocks whose deadline lies after `from_at`, soonest first: the candidates of a look-ahead."""
    statement = (
        select(*_COLUMNS)
        .join(thread, thread.c.id == sla_clock.c.thread_id)
        .where(sla_clock.c.closed_at.is_(None), sla_clock.c.deadline_at > from_at, sla_clock.c.backlog.is_(False))
        .order_by(sla_clock.c.deadline_at)
        .limit(limit)
    )
    return [_due(connection, policies, row) for row in connection.execute(statement).all()]


def read_one(connection: Connection, policies: PolicyCache, clock_id: int) -> DueClock | None:
    """Return one clock, open or not."""
    statement = select(*_COLUMNS).join(thread, thread.c.id == sla_clock.c.thread_id).where(sla_clock.c.id == clock_id)
    row = connection.execute(statement).first()
    return None if row is None else _due(connection, policies, row)


def _due(connection: Connection, policies: PolicyCache, row: Any) -> DueClock:
    return DueClock(
        row=row,
        labels=tuple(row.labels.split()),
        priority=row.priority,
        order_id=row.order_id,
        policy=policies.get(connection, row.policy_id),
    )


def next_due_at(connection: Connection) -> datetime | None:
    """Return when the next open clock has to be looked at, or None."""
    statement = select(func.min(sla_clock.c.next_due_at)).where(sla_clock.c.closed_at.is_(None))
    instant: datetime | None = connection.execute(statement).scalar()
    return instant


def view_of(due: DueClock, silenced_until: datetime | None) -> ClockView:
    """Return the clock as planning sees it."""
    row = due.row
    return ClockView(
        clock_id=row.id,
        thread_id=row.thread_id,
        started_at=row.started_at,
        deadline_at=row.deadline_at,
        verified=row.verified,
        steps=due.policy.steps,
        acknowledgement_expires=due.policy.acknowledgement_expires,
        look_ahead=due.policy.look_ahead,
        step_reached=row.step_reached,
        occurrence=row.occurrence,
        told_at=row.told_at,
        acknowledged_by=row.acknowledged_by,
        acknowledged_at=row.acknowledged_at,
        acknowledgement_expires_at=row.acknowledgement_expires_at,
        snoozed_until=row.snoozed_until,
        silenced_until=silenced_until,
        reopened_count=row.reopened_count,
        reopened_told=row.reopened_told,
        phones_held=row.phones_held,
        look_ahead_told_until=row.look_ahead_told_until,
    )


def record_plans(
    connection: Connection, plans: Sequence[tuple[DueClock, ClockPlan, datetime | None, str, str]]
) -> None:
    """Store each clock's new planning state, when to look again, the state shown and the outcomes counted."""
    if not plans:
        return
    names = (
        "step_reached",
        "occurrence",
        "told_at",
        "reopened_told",
        "phones_held",
        "look_ahead_told_until",
        "next_due_at",
        "shown_state",
        "counted",
    )
    statement = update(sla_clock).where(sla_clock.c.id == bindparam("b_id"))
    statement = statement.values({name: bindparam(f"b_{name}") for name in names})
    connection.execute(
        statement,
        [
            {
                "b_id": due.row.id,
                "b_step_reached": plan.step_reached,
                "b_occurrence": plan.occurrence,
                "b_told_at": plan.told_at,
                "b_reopened_told": plan.reopened_told,
                "b_phones_held": plan.phones_held,
                "b_look_ahead_told_until": plan.look_ahead_told_until,
                "b_next_due_at": look_at,
                "b_shown_state": state,
                "b_counted": counted,
            }
            for due, plan, look_at, state, counted in plans
        ],
    )


def record_look_ahead(connection: Connection, told_until: dict[int, datetime]) -> None:
    """Store before which shift end each clock was told."""
    if told_until:
        statement = update(sla_clock).where(sla_clock.c.id == bindparam("b_id"))
        statement = statement.values(look_ahead_told_until=bindparam("b_until"))
        connection.execute(statement, [{"b_id": key, "b_until": until} for key, until in told_until.items()])


def wake_clocks(connection: Connection, now: datetime) -> int:
    """Have every open clock looked at again: a silence, a person or the configuration changed; return how many."""
    statement = update(sla_clock).where(sla_clock.c.closed_at.is_(None), sla_clock.c.backlog.is_(False))
    return connection.execute(statement.values(next_due_at=now)).rowcount
