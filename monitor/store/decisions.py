"""What persons decided: acknowledgements, snoozes, marks by hand, waivers, matches; attributed, and undoable."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, insert, or_, select, update

from monitor.core.facts import MarkKind
from monitor.core.messages import Kind
from monitor.store.identifiers import Hasher
from monitor.store.schema import decision, message, review, sla_clock, thread


def find_threads(connection: Connection, name: str, hasher: Hasher) -> list[int]:
    """Return the threads that an id or an order number names, newest last; order numbers by their hash after erasure."""
    name = name.strip().lstrip("#")
    found = [thread.c.order_hash == hasher.number("order", name), thread.c.order_id == name]
    if name.isascii() and name.isdigit() and len(name) < 18:
        found = [thread.c.id == int(name)]
    rows = connection.execute(select(thread.c.id, thread.c.merged_into).where(or_(*found)).order_by(thread.c.id))
    return list(dict.fromkeys(row.id if row.merged_into is None else row.merged_into for row in rows))


def read_heir(connection: Connection, thread_id: int) -> int:
    """Return the thread that this one is part of now: itself, unless it was merged."""
    statement = select(thread.c.merged_into).where(thread.c.id == thread_id)
    return connection.execute(statement).scalar() or thread_id


def read_open_clock(connection: Connection, thread_id: int) -> Any:
    """Return the running clock's row of a thread, or None."""
    statement = select(sla_clock).where(sla_clock.c.thread_id == thread_id, sla_clock.c.closed_at.is_(None))
    return connection.execute(statement.order_by(sla_clock.c.started_at.desc())).first()


def read_open_before(connection: Connection, before: datetime, limit: int) -> Sequence[Any]:
    """Return rows of running clocks that started before an instant."""
    statement = select(sla_clock).where(sla_clock.c.closed_at.is_(None), sla_clock.c.started_at < before)
    return connection.execute(statement.order_by(sla_clock.c.id).limit(limit)).all()


def read_written_since(connection: Connection, thread_ids: Sequence[int], at: datetime) -> set[int]:
    """Return those of these threads in which somebody wrote at `at` or later and still waits."""
    waits = (message.c.answered_at.is_(None), message.c.waived_at.is_(None), message.c.excluded.is_(False))
    of_a_buyer = (message.c.kind == "buyer_message", message.c.received_at >= at)
    statement = select(message.c.thread_id).where(message.c.thread_id.in_(thread_ids), *of_a_buyer, *waits)
    return set(connection.scalars(statement.distinct()))


def read_last_clock(connection: Connection, thread_id: int) -> Any:
    """Return the newest clock's row of a thread, running or not, or None."""
    statement = select(sla_clock).where(sla_clock.c.thread_id == thread_id)
    return connection.execute(statement.order_by(sla_clock.c.started_at.desc()).limit(1)).first()


def is_waiting(connection: Connection, message_id: int) -> bool:
    """Return whether a buyer message has neither a reply nor a mark that closes its wait."""
    waits = (message.c.id == message_id, message.c.answered_at.is_(None), message.c.waived_at.is_(None))
    return connection.execute(select(message.c.id).where(*waits)).first() is not None


def record_acknowledgement(
    connection: Connection, clock: Any, *, by: str, at: datetime, expires_at: datetime, source: str
) -> None:
    """Store that a person has it, until `expires_at`; a snooze ends with it.

    Whoever takes it has looked at it: an origin that was not proven counts as confirmed.
    """
    connection.execute(
        update(sla_clock)
        .where(sla_clock.c.id == clock.id)
        .values(
            acknowledged_by=by,
            acknowledged_at=at,
            acknowledgement_expires_at=expires_at,
            snoozed_until=None,
            verified=True,
            next_due_at=at,
        )
    )
    _record(connection, "acknowledge", clock, by=by, at=at, made_at=at, source=source, until=expires_at)


def record_snooze(connection: Connection, clock: Any, *, by: str, at: datetime, until: datetime, source: str) -> None:
    """Store that this clock rings nobody until `until`."""
    connection.execute(update(sla_clock).where(sla_clock.c.id == clock.id).values(snoozed_until=until, next_due_at=at))
    _record(connection, "snooze", clock, by=by, at=at, made_at=at, source=source, until=until)


def record_mark_by_hand(
    connection: Connection,
    kind: MarkKind,
    clock: Any,
    *,
    by: str,
    at: datetime,
    made_at: datetime,
    source: str,
    reason: str | None = None,
) -> None:
    """Store a person's word that a clock was answered, or needs no answer, at `at`; the caller resolves again."""
    _record(connection, kind.value, clock, by=by, at=at, made_at=made_at, source=source, reason=reason)


def _record(
    connection: Connection,
    kind: str,
    clock: Any,
    *,
    by: str,
    at: datetime,
    made_at: datetime,
    source: str,
    until: datetime | None = None,
    reason: str | None = None,
) -> None:
    connection.execute(
        insert(decision).values(
            kind=kind,
            thread_id=clock.thread_id,
            clock_id=clock.id,
            message_id=clock.start_message_id,
            by=by,
            at=at,
            made_at=made_at,
            until=until,
            source=source,
            reason=reason,
        )
    )


def revoke_last_mark(
    connection: Connection,
    thread_id: int,
    kinds: Sequence[MarkKind],
    *,
    by: str,
    now: datetime,
    clock_ids: Sequence[int] | None = None,
) -> int | None:
    """Take back the thread's newest mark of these kinds; return the buyer message it stood on, or None.

    Found by the message: two threads may have become one since. `clock_ids`: only a mark on one of these waits.
    """
    statement = (
        select(decision.c.id, decision.c.message_id)
        .where(
            decision.c.message_id.in_(select(message.c.id).where(message.c.thread_id == thread_id)),
            decision.c.kind.in_([kind.value for kind in kinds]),
            decision.c.revoked_at.is_(None),
        )
        .order_by(decision.c.made_at.desc(), decision.c.id.desc())
        .limit(1)
    )
    if clock_ids is not None:
        statement = statement.where(decision.c.clock_id.in_(clock_ids))
    row = connection.execute(statement).first()
    if row is None:
        return None
    connection.execute(update(decision).where(decision.c.id == row.id).values(revoked_at=now, revoked_by=by))
    message_id: int = row.message_id
    return message_id


def record_match(
    connection: Connection, copy_id: int, thread_id: int, *, by: str, now: datetime, source: str
) -> int | None:
    """Store that a copy or reply belongs to a thread, and that it is believed; return a buyer message of that thread.

    None: there is no such copy, or no such thread.
    """
    first: int | None = connection.execute(
        select(sla_clock.c.start_message_id)
        .where(sla_clock.c.thread_id == thread_id)
        .order_by(sla_clock.c.started_at)
        .limit(1)
    ).scalar()
    if first is None:
        return None
    replies = message.c.kind.in_((Kind.CONFIRMATION_COPY.value, Kind.SELLER_REPLY.value))
    statement = update(message).where(message.c.id == copy_id, replies).values(spoken_for=first, trusted=True)
    if connection.execute(statement).rowcount != 1:
        return None
    connection.execute(
        insert(decision).values(
            kind="match", thread_id=thread_id, message_id=copy_id, by=by, at=now, made_at=now, source=source
        )
    )
    settle_review(connection, copy_id, by=by, now=now, decided="matched")
    return first


def record_not_a_message(
    connection: Connection, thread_id: int, *, by: str, now: datetime, source: str, clock_id: int | None = None
) -> list[int]:
    """Store that a thread's waiting mails are no buyer messages; return them. `clock_id`: the wait that they made."""
    ids = list(
        connection.execute(
            select(message.c.id).where(
                message.c.thread_id == thread_id,
                message.c.kind == "buyer_message",
                message.c.excluded.is_(False),
                message.c.answered_at.is_(None),
                message.c.waived_at.is_(None),
            )
        ).scalars()
    )
    if ids:
        connection.execute(update(message).where(message.c.id.in_(ids)).values(excluded=True))
        connection.execute(
            insert(decision),
            [
                {
                    "kind": "not_a_message",
                    "thread_id": thread_id,
                    "clock_id": clock_id,
                    "message_id": message_id,
                    "by": by,
                    "at": now,
                    "made_at": now,
                    "source": source,
                }
                for message_id in ids
            ],
        )
        for message_id in ids:
            settle_review(connection, message_id, by=by, now=now, decided="not a message")
    return ids


def revoke_not_a_message(
    connection: Connection, thread_id: int, *, by: str, now: datetime
) -> tuple[list[int], set[int]]:
    """Take back what was last said together of a thread's mails, that they are no buyer messages.

    Returns them, and the waits that they had made.

    Found by the mail: its thread may have joined this one since, and left it behind as one that counts no more.
    """
    parts = read_parts(connection, thread_id)
    rows = connection.execute(
        select(decision.c.id, decision.c.message_id, decision.c.made_at, decision.c.clock_id)
        .where(
            decision.c.message_id.in_(select(message.c.id).where(message.c.thread_id.in_(parts))),
            decision.c.kind == "not_a_message",
            decision.c.revoked_at.is_(None),
        )
        .order_by(decision.c.made_at.desc(), decision.c.id)
    ).all()
    newest = [row for row in rows if row.made_at == rows[0].made_at]
    ids = [row.message_id for row in newest]
    if ids:
        connection.execute(update(message).where(message.c.id.in_(ids)).values(excluded=False))
        taken_back = decision.c.id.in_([row.id for row in newest])
        connection.execute(update(decision).where(taken_back).values(revoked_at=now, revoked_by=by))
    return ids, {row.clock_id for row in newest if row.clock_id is not None}


def read_parts(connection: Connection, thread_id: int) -> list[int]:
    """Return a thread's id, and those of the threads that became part of it."""
    parts = or_(thread.c.id == thread_id, thread.c.merged_into == thread_id)
    return list(connection.scalars(select(thread.c.id).where(parts).order_by(thread.c.id)))


def settle_review(connection: Connection, message_id: int, *, by: str, now: datetime, decided: str) -> None:
    """Take what concerns this mail off the review list."""
    connection.execute(
        update(review)
        .where(review.c.message_id == message_id, review.c.settled_at.is_(None))
        .values(settled_at=now, settled_by=by, decision=decided)
    )


def read_clock_of(connection: Connection, message_id: int) -> Any:
    """Return the running clock of the thread that a mail is in, or None."""
    thread_id = connection.scalar(select(message.c.thread_id).where(message.c.id == message_id))
    return None if thread_id is None else read_open_clock(connection, thread_id)
