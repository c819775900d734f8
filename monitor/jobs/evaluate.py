"""Looking at the clocks whose time has come: what is due is planned, enqueued and remembered in one transaction."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import structlog
from sqlalchemy import Connection

from alerts.core.look_ahead import plan_look_ahead
from alerts.core.model import Channel, NextStep, Notification
from alerts.core.plan import ClockPlan, next_step, plan_clock
from alerts.core.suppress import Silence, silenced_until
from alerts.core.words.content import look_ahead, read_instant
from alerts.outbox import enqueue
from alerts.told import told_receivers
from monitor.core.sla import ClockState
from monitor.jobs.services import Services
from monitor.jobs.told import plan_updates
from monitor.store.due import (
    BATCH,
    DueClock,
    PolicyCache,
    read_due,
    read_one,
    read_open_until,
    record_look_ahead,
    record_plans,
    view_of,
)
from monitor.store.effort import read_median_effort
from monitor.store.engine import writing
from monitor.store.open_threads import clock_state, holder, read_facts
from monitor.store.silences import read_silences
from monitor.store.tallies import Tallies

log = structlog.get_logger(__name__)

LOOK_AHEAD_LIMIT = 2_000
HELD = "+"
"""Behind the shown state: somebody has it, or snoozed it."""
_MOMENT = timedelta(microseconds=1)


@dataclass(slots=True)
class Evaluation:
    """What a tick did: clocks looked at, notifications new in the outbox, and why others were held."""

    looked_at: int = 0
    planned: int = 0
    held: dict[str, int] | None = None


def evaluate(services: Services, policies: PolicyCache) -> Evaluation:
    """Plan what is due now for every clock whose time has come; return what was done.

    Raises:
        StoreError: the database cannot be used; the tick is repeated whole.
    """
    result = Evaluation(held={})
    while True:
        now = services.utc_now()
        with services.planning, writing(services.engine) as connection:
            due = read_due(connection, policies, now)
            if due:
                silences = read_silences(connection, now)
                result.planned += _evaluate_batch(connection, services, policies, due, silences, now, result)
        result.looked_at += len(due)
        if len(due) < BATCH:
            break
    if result.planned:
        services.wake.set()
    if result.planned or result.held:
        log.info("evaluated", clocks=result.looked_at, planned=result.planned, held=result.held or None)
    return result


def _evaluate_batch(
    connection: Connection,
    services: Services,
    policies: PolicyCache,
    due: Sequence[DueClock],
    silences: Sequence[Silence],
    now: datetime,
    result: Evaluation,
) -> int:
    at_risk = services.config.sla.at_risk
    tallies = Tallies()
    notifications: list[Notification] = []
    recorded = []
    redrawn: list[int] = []
    looks_ahead = False
    for one in due:
        plan = _plan(one, services, silences, now)
        state = clock_state(one.row, at_risk, now)
        notifications += plan.notifications
        looks_ahead |= plan.look_ahead_due
        if plan.held is not None and result.held is not None:
            result.held[plan.held] = result.held.get(plan.held, 0) + 1
        shown = _shown(one, state, now)
        if one.row.told_at is not None and (plan.notifications or _looks_different(one.row.shown_state, shown)):
            redrawn.append(one.row.id)
        counted = tallies.count_clock(
            one.row.counted,
            account=one.row.account,
            marketplace=one.row.marketplace,
            deadline_at=one.row.deadline_at,
            answered_at=None,
            waived_at=None,
            now=now,
            labels=one.labels,
        )
        recorded.append((one, plan, _look_at(one, plan, state, at_risk, now), shown, counted))
    record_plans(connection, recorded)
    if redrawn:
        rung = {(item.clock_id, item.receiver, item.person) for item in notifications if item.channel is Channel.SLACK}
        told = told_receivers(connection, redrawn)
        notifications += plan_updates(
            [one for one in told if (one.clock_id, one.receiver, one.person) not in rung], now
        )
    if looks_ahead:
        notifications += _look_ahead(connection, services, policies, silences, now)
    tallies.save(connection)
    return enqueue(connection, notifications, now)


def _plan(one: DueClock, services: Services, silences: Sequence[Silence], now: datetime) -> ClockPlan:
    """Return what is due for a clock; one that was over before the worker's first start is counted and told nobody."""
    view = view_of(one, silence_of(one, silences, now))
    if not one.row.backlog:
        return plan_clock(view, services.directory, now)
    return ClockPlan(
        notifications=(),
        step_reached=view.step_reached,
        occurrence=view.occurrence,
        told_at=view.told_at,
        reopened_told=view.reopened_told,
        phones_held=view.phones_held,
        look_ahead_told_until=view.look_ahead_told_until,
        next_due_at=None,
    )


def _shown(one: DueClock, state: ClockState, now: datetime) -> str:
    """Return what decides how a message that stands looks: the state, and whether somebody holds the escalation."""
    row = one.row
    held = holder(row, now) is not None or (row.snoozed_until is not None and row.snoozed_until > now)
    return state.value + HELD if held else state.value


def _looks_different(before: str | None, after: str) -> bool:
    """Return whether a standing message is out of date; that somebody took it was drawn when they said so."""
    return before is None or before.removesuffix(HELD) != after.removesuffix(HELD) or len(before) > len(after)


def silence_of(one: DueClock, silences: Sequence[Silence], now: datetime) -> datetime | None:
    """Return until when a clock's thread is silenced, or None."""
    if not silences:
        return None
    found = silenced_until(
        silences,
        now=now,
        account=one.row.account,
        marketplace=one.row.marketplace,
        labels=one.labels,
        priority=one.priority,
        thread_id=one.row.thread_id,
        order_id=one.order_id,
    )
    return None if found is None else found.until_at


def _look_at(one: DueClock, plan: ClockPlan, state: ClockState, at_risk: timedelta, now: datetime) -> datetime | None:
    """Return when to look again: for the plan, for a change of state that is shown, for an outcome that is counted."""
    instants = [] if plan.next_due_at is None else [plan.next_due_at]
    if state is ClockState.RUNNING:
        instants.append(one.row.deadline_at - at_risk)
    if state is not ClockState.BREACHED:
        instants.append(one.row.deadline_at + _MOMENT)
    return min((instant for instant in instants if instant > now), default=None)


def _look_ahead(
    connection: Connection, services: Services, policies: PolicyCache, silences: Sequence[Silence], now: datetime
) -> tuple[Notification, ...]:
    candidates = read_open_until(connection, policies, now, LOOK_AHEAD_LIMIT)
    views = [view_of(one, silence_of(one, silences, now)) for one in candidates]
    plan = plan_look_ahead(views, services.directory.shifts, services.directory, now)
    record_look_ahead(connection, dict(plan.told_until))
    return tuple(_worded(connection, services, one, now) for one in plan.notifications)


def _worded(connection: Connection, services: Services, summary: Notification, now: datetime) -> Notification:
    """Return a look-ahead with what its words need, as it stands now."""
    found = read_facts(connection, summary.content["clock_ids"], services.facts_context, now)
    threads = [found[clock_id] for clock_id in summary.content["clock_ids"] if clock_id in found]
    until = read_instant(summary.content["until"])
    assert until is not None
    # Deadlines shortly after the next shift starts are told too: "before" has to be true of all.
    until = max([until, *(facts.deadline_at for facts in threads)])
    median = read_median_effort(connection, now)
    return replace(summary, content={**summary.content, **look_ahead(threads, until=until, median_response=median)})


def next_step_of(
    connection: Connection, services: Services, policies: PolicyCache, clock_id: int, now: datetime
) -> NextStep | None:
    """Return what happens next to a clock if nobody acts, or None."""
    one = read_one(connection, policies, clock_id)
    if one is None or one.row.closed_at is not None or one.row.backlog:
        return None
    silences = read_silences(connection, now)
    return next_step(view_of(one, silence_of(one, silences, now)), services.directory, now)
