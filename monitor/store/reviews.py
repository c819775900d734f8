"""What a person has to decide."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import Connection, and_, func, insert, select, update

from monitor.store.bulk import IN_LIST
from monitor.store.schema import message, review, sla_clock, thread


@dataclass(frozen=True, slots=True)
class Candidate:
    """A thread that a mail may belong to: its order, or its item before there is one, and its newest wait."""

    id: int
    order_id: str | None = None
    asin: str | None = None
    started_at: datetime | None = None
    closed_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewItem:
    """One thing to decide. `mail`: the id that `match` takes. `threads`: what a tie fits; `detail`: Amazon's type."""

    id: int
    kind: str
    account: str
    marketplace: str | None
    mail: int | None
    order_id: str | None
    detail: str
    threads: tuple[Candidate, ...]
    count: int
    received_at: datetime
    thread_id: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ToDecide:
    """Something to decide about a mail that was just stored; under one `key` it is one item, however often it comes."""

    key: str
    kind: str
    account: str
    marketplace: str | None
    message_id: int
    order_id: str | None
    detail: str
    received_at: datetime


def record_reviews(connection: Connection, found: Sequence[ToDecide]) -> None:
    """Put items on the list, or count them where they stand there; one that was taken off stays off."""
    first: dict[str, ToDecide] = {}
    for one in found:
        first.setdefault(one.key, one)
    if not first:
        return
    times = Counter(one.key for one in found)
    known: set[str] = set()
    keys = sorted(first)
    for start in range(0, len(keys), IN_LIST):
        statement = select(review.c.key).where(review.c.key.in_(keys[start : start + IN_LIST]))
        known.update(connection.execute(statement).scalars())
    for key in sorted(known):
        connection.execute(update(review).where(review.c.key == key).values(count=review.c.count + times[key]))
    rows = [{**asdict(one), "count": times[key]} for key, one in first.items() if key not in known]
    if rows:
        connection.execute(insert(review), rows)


def read_reviews(connection: Connection) -> list[ReviewItem]:
    """Return what waits for a person, oldest first."""
    statement = (
        select(review, message.c.thread_id.label("own_thread"))
        .outerjoin(message, message.c.id == review.c.message_id)
        .where(review.c.settled_at.is_(None))
        .order_by(review.c.received_at, review.c.id)
    )
    rows = connection.execute(statement).all()
    named = {int(one) for row in rows for one in row.threads.split()}
    last = select(sla_clock.c.thread_id, func.max(sla_clock.c.started_at).label("at")).group_by(sla_clock.c.thread_id)
    newest = last.where(sla_clock.c.thread_id.in_(named)).subquery()
    clocks = (
        select(thread.c.id, thread.c.order_id, thread.c.asin, sla_clock.c.started_at, sla_clock.c.closed_at)
        .outerjoin(newest, newest.c.thread_id == thread.c.id)
        .outerjoin(sla_clock, and_(sla_clock.c.thread_id == thread.c.id, sla_clock.c.started_at == newest.c.at))
        .where(thread.c.id.in_(named))
    )
    fits = {
        row.id: Candidate(row.id, row.order_id, row.asin, row.started_at, row.closed_at)
        for row in connection.execute(clocks)
    }
    return [
        ReviewItem(
            id=row.id,
            kind=row.kind,
            account=row.account,
            marketplace=row.marketplace,
            mail=row.message_id,
            order_id=row.order_id,
            detail=row.detail,
            threads=tuple(fits.get(int(one), Candidate(int(one))) for one in row.threads.split()),
            count=row._mapping["count"],
            received_at=row.received_at,
            thread_id=row.own_thread,
        )
        for row in rows
    ]


def dismiss_review(connection: Connection, review_id: int, *, by: str, now: datetime) -> bool:
    """Take one item off the list without changing anything else; return whether it was on it."""
    statement = update(review).where(review.c.id == review_id, review.c.settled_at.is_(None))
    return connection.execute(statement.values(settled_at=now, settled_by=by, decision="seen")).rowcount == 1
