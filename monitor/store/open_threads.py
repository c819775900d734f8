"""Threads and their clocks as people see them: the queue of `status` and the facts an alert shows."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, func, select, type_coerce, update

from alerts.core.model import ThreadFacts
from monitor.core.sla import OPEN_STATES, ClockState, SlaClock, state_at
from monitor.store.evidence import read_sighted
from monitor.store.health import read_mark, record_mark
from monitor.store.schema import order_fact, sla_clock, thread

_THREAD_COLUMNS = tuple(
    thread.c[name].label(f"t_{name}")
    for name in (
        "id",
        "order_id",
        "asin",
        "labels",
        "priority",
        "place",
        "language",
        "reply_address",
        "seller_central_url",
        "no_response_url",
        "order_hash",
        "revision",
    )
)


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenRow:
    """A thread awaiting a reply, as `status` lists it."""

    thread_id: int
    clock_id: int
    account: str
    marketplace: str | None
    order_id: str | None
    asin: str | None
    labels: tuple[str, ...]
    priority: int
    started_at: datetime
    deadline_at: datetime
    state: ClockState
    messages: int
    verified: bool
    acknowledged_by: str | None
    where: str
    backlog: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class FactsContext:
    """What facts need besides the rows: settings, and words on an order where they are known."""

    at_risk: timedelta
    several_accounts: bool
    order_words: Callable[[str, str | None, datetime], Mapping[str, tuple[str, ...]]] | None = None
    holding_reply: Callable[[str, str | None, str | None], str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Backlog:
    """Waits that were overdue before the first start.

    Attributes:
        count: how many there are.
        end: so many as `covered` of them began before this instant, and nobody else did who waits.
    """

    count: int
    end: datetime
    covered: int


FIRST_STARTED = "first_started"


def note_first_start(connection: Connection, now: datetime) -> datetime:
    """Return when this store's worker first started, now if it never did: what is overdue then is history, and pages nobody."""
    known = read_first_start(connection)
    if known is not None:
        return known
    record_mark(connection, FIRST_STARTED, now)
    overdue = (sla_clock.c.closed_at.is_(None), sla_clock.c.deadline_at < now)
    connection.execute(update(sla_clock).where(*overdue).values(backlog=True))
    return now


def read_first_start(connection: Connection) -> datetime | None:
    """Return when this store's worker first started, None before it did."""
    return read_mark(connection, FIRST_STARTED)


def read_open(connection: Connection, at_risk: timedelta, now: datetime, limit: int | None = None) -> list[OpenRow]:
    """Return the threads awaiting a reply, soonest deadline first."""
    statement = (
        select(sla_clock, *_THREAD_COLUMNS)
        .join(thread, thread.c.id == sla_clock.c.thread_id)
        .where(sla_clock.c.closed_at.is_(None))
        .order_by(sla_clock.c.deadline_at, sla_clock.c.id)
        .limit(limit)
    )
    return [_open_row(row, at_risk, now) for row in connection.execute(statement)]


def read_backlog(connection: Connection) -> Backlog | None:
    """Return what was overdue before the first start and still waits, and how to settle it at once; None: nothing does."""
    started, waits = sla_clock.c.started_at, sla_clock.c.closed_at.is_(None)
    of_it = sla_clock.c.backlog
    mails, newest, oldest_live = connection.execute(
        select(
            func.count().filter(of_it.is_(True)),
            type_coerce(func.max(started).filter(of_it.is_(True)), started.type),
            type_coerce(func.min(started).filter(of_it.is_(False)), started.type),
        ).where(waits)
    ).one()
    if newest is None:
        return None
    end = newest.replace(microsecond=0) + timedelta(seconds=1)
    if oldest_live is not None:
        end = min(end, oldest_live.replace(microsecond=0))
    covered = connection.scalar(select(func.count()).where(waits, of_it.is_(True), started < end)) or 0
    return Backlog(count=mails, end=end, covered=covered)


def read_place_and_order(connection: Connection, thread_id: int) -> tuple[str | None, str | None]:
    """Return a thread's marketplace and order number, as far as they are known and not erased."""
    row = connection.execute(select(thread.c.marketplace, thread.c.order_id).where(thread.c.id == thread_id)).first()
    return (None, None) if row is None else (row.marketplace, row.order_id)


def _open_row(row: Any, at_risk: timedelta, now: datetime) -> OpenRow:
    return OpenRow(
        thread_id=row.thread_id,
        clock_id=row.id,
        account=row.account,
        marketplace=row.marketplace,
        order_id=row.t_order_id,
        asin=row.t_asin,
        labels=tuple(row.t_labels.split()),
        priority=row.t_priority,
        started_at=row.started_at,
        deadline_at=row.deadline_at,
        state=clock_state(row, at_risk, now),
        messages=row.messages,
        verified=row.verified,
        acknowledged_by=holder(row, now),
        where=row.t_place,
        backlog=row.backlog,
    )


def clock_state(row: Any, at_risk: timedelta, now: datetime) -> ClockState:
    """Return the state of a clock row at `now`."""
    clock = SlaClock(
        started_at=row.started_at,
        target=timedelta(seconds=row.target_seconds),
        answered_at=row.answered_at,
        waived_at=row.waived_at,
    )
    return state_at(clock, at_risk, now)


def holder(row: Any, now: datetime) -> str | None:
    """Return who has a clock at `now`: an acknowledgement that expired counts no more."""
    if row.acknowledged_by is None or row.acknowledgement_expires_at is None or row.acknowledgement_expires_at <= now:
        return None
    name: str = row.acknowledged_by
    return name


def read_facts(
    connection: Connection, clock_ids: Collection[int], context: FactsContext, now: datetime
) -> dict[int, ThreadFacts]:
    """Return what a notifier may show of these clocks, by clock id; those that are gone are left out."""
    rows: list[Any] = []
    wanted = sorted(clock_ids)
    for start in range(0, len(wanted), 400):
        statement = (
            select(sla_clock, *_THREAD_COLUMNS)
            .join(thread, thread.c.id == sla_clock.c.thread_id)
            .where(sla_clock.c.id.in_(wanted[start : start + 400]))
        )
        rows += connection.execute(statement).all()
    if not rows:
        return {}
    sighted = read_sighted(connection)
    orders = _read_orders(connection, rows) if context.order_words is not None else {}
    return {row.id: _facts(row, context, sighted, orders, now) for row in rows}


def _read_orders(connection: Connection, rows: Sequence[Any]) -> Mapping[tuple[str, int], str]:
    hashes = sorted({row.t_order_hash for row in rows if row.t_order_hash is not None})
    found: dict[tuple[str, int], str] = {}
    for start in range(0, len(hashes), 400):
        statement = select(order_fact).where(order_fact.c.order_hash.in_(hashes[start : start + 400]))
        found.update({(row.account, row.order_hash): row.body for row in connection.execute(statement)})
    return found


def _facts(
    row: Any,
    context: FactsContext,
    sighted: set[tuple[str, str]],
    orders: Mapping[tuple[str, int], str],
    now: datetime,
) -> ThreadFacts:
    state = clock_state(row, context.at_risk, now)
    labels = tuple(row.t_labels.split())
    suggestion = next((label for label in ("out_of_office", "thank_you") if label in labels), None)
    words: Mapping[str, tuple[str, ...]] = {}
    body = orders.get((row.account, row.t_order_hash or 0))
    if context.order_words is not None and body is not None:
        words = context.order_words(body, row.marketplace, now)
    reply_url = None
    if context.holding_reply is not None and row.t_reply_address:
        reply_url = context.holding_reply(row.t_reply_address, row.t_order_id, row.t_language)
    has_it = holder(row, now)
    return ThreadFacts(
        thread_id=row.thread_id,
        clock_id=row.id,
        started_at=row.started_at,
        deadline_at=row.deadline_at,
        state=state.value,
        account=row.account if context.several_accounts else None,
        marketplace=row.marketplace,
        order_id=row.t_order_id,
        asin=row.t_asin,
        labels=labels,
        priority=row.t_priority,
        messages=row.messages,
        where=row.t_place,
        verified=row.verified,
        blind=(row.account, row.marketplace or "") not in sighted,
        acknowledged_by=has_it if state in OPEN_STATES else row.acknowledged_by,
        acknowledged_at=row.acknowledged_at if has_it or state not in OPEN_STATES else None,
        acknowledgement_expires_at=row.acknowledgement_expires_at if has_it else None,
        snoozed_until=row.snoozed_until if row.snoozed_until is not None and row.snoozed_until > now else None,
        answered_at=row.answered_at,
        answered_route=row.answered_route,
        answered_by=row.answered_by,
        waived_at=row.waived_at,
        waived_by=row.waived_by,
        seller_central_url=row.t_seller_central_url,
        no_response_url=row.t_no_response_url,
        holding_reply_url=reply_url,
        order_facts=words,
        suggestion=suggestion if state in OPEN_STATES else None,
    )
