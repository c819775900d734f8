"""The numbers people type to answer an SMS or a call: the smallest one free on their phone.

Owns giving out, reading back and freeing. A number stands for everything its message named. Commits nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, and_, delete, exists, func, or_, select, update

from alerts.core.model import Purpose
from alerts.tables import insert_once, notification, reply_code

CODE_LIVES = timedelta(hours=24)
# A code is not given out again at once: the answer to an old message may still be on its way, and a look-up at the
# provider recognises a message by its code.
CODE_RESTS = timedelta(minutes=10)


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeMeaning:
    """What a number typed by a person stands for. `in_use` False: all its clocks are closed, or it is too old."""

    thread_ids: tuple[int, ...]
    clock_ids: tuple[int, ...]
    in_use: bool
    test: bool = False


def assign_code(conn: Connection, person: str, delivery_id: int, now: datetime) -> int:
    """Return the number that answers this delivery, now taken by it.

    What says again what an earlier message to this person said keeps its number: half asleep, one types the one that was read
    first. Else it is the smallest free one: its clocks are all closed or it was given out more than 24 h ago, after a rest.
    """
    conn.execute(
        update(reply_code)
        .where(
            reply_code.c.person == person, reply_code.c.freed_at.is_(None), reply_code.c.issued_at <= now - CODE_LIVES
        )
        .values(freed_at=now - CODE_RESTS)
    )
    in_use = or_(reply_code.c.freed_at.is_(None), reply_code.c.freed_at > now - CODE_RESTS)
    while True:
        # First what is taken, then by whom: a number that another lane takes in between is then seen as the same threads'
        # own, or refused by the index; the other way round it would be passed over for the next one.
        taken = set(conn.scalars(select(reply_code.c.code).where(reply_code.c.person == person, in_use)))
        code = _same_threads(conn, person, delivery_id)
        if code is not None:
            conn.execute(
                update(reply_code)
                .where(reply_code.c.person == person, reply_code.c.code == code, reply_code.c.freed_at.is_(None))
                .values(freed_at=now - CODE_RESTS)
            )
        else:
            code = next(number for number in range(1, len(taken) + 2) if number not in taken)
        values = {"person": person, "code": code, "delivery_id": delivery_id, "issued_at": now}
        # SMS and voice lanes of two workers may reach for the same number: the partial unique index decides.
        if conn.execute(insert_once(conn, reply_code).returning(reply_code.c.id), values).first() is not None:
            return code


def _same_threads(conn: Connection, person: str, delivery_id: int) -> int | None:
    """Return the number in use whose message was about exactly the clocks of this one, or None."""
    live = conn.execute(
        select(reply_code.c.code, notification.c.clock_id)
        .join(notification, notification.c.delivery_id == reply_code.c.delivery_id)
        .where(reply_code.c.person == person, reply_code.c.freed_at.is_(None))
    ).all()
    mine = set(conn.scalars(select(notification.c.clock_id).where(notification.c.delivery_id == delivery_id)))
    if not mine or None in mine:
        return None  # a test or a summary
    clocks: dict[int, set[int | None]] = {}
    for row in live:
        clocks.setdefault(row.code, set()).add(row.clock_id)
    return next((code for code in sorted(clocks) if clocks[code] == mine), None)


def lookup_code(conn: Connection, person: str, code: int) -> CodeMeaning | None:
    """Return what the newest message with this number told this person, or None if there never was one."""
    row = conn.execute(
        select(reply_code)
        .where(reply_code.c.person == person, reply_code.c.code == code)
        .order_by(reply_code.c.id.desc())
        .limit(1)
    ).first()
    if row is None:
        return None
    carried = conn.execute(
        select(notification.c.thread_id, notification.c.clock_id, notification.c.purpose)
        .where(notification.c.delivery_id == row.delivery_id)
        .order_by(notification.c.id)
    ).all()
    return CodeMeaning(
        thread_ids=tuple(dict.fromkeys(item.thread_id for item in carried if item.thread_id is not None)),
        clock_ids=tuple(dict.fromkeys(item.clock_id for item in carried if item.clock_id is not None)),
        in_use=row.freed_at is None,
        test=any(item.purpose == Purpose.TEST for item in carried),
    )


def free_codes_of(conn: Connection, clock_ids: Sequence[int], now: datetime) -> None:
    """Free the numbers whose clocks are all closed now that these are; closed rows carry `closed_at`."""
    carried = notification.alias("carried")
    open_ones = exists().where(
        carried.c.delivery_id == reply_code.c.delivery_id,
        carried.c.clock_id.is_not(None),
        carried.c.closed_at.is_(None),
    )
    touched = select(notification.c.delivery_id).where(
        notification.c.clock_id.in_(clock_ids), notification.c.delivery_id.is_not(None)
    )
    conn.execute(
        update(reply_code)
        .where(reply_code.c.freed_at.is_(None), reply_code.c.delivery_id.in_(touched), ~open_ones)
        .values(freed_at=now)
    )


def free_code_of(conn: Connection, delivery_id: int) -> None:
    """Give back the number of a message that certainly nobody got; it needs no rest.

    Where it had taken over the number of an earlier message that said the same, that one has it as this one had.
    """
    columns = (reply_code.c.person, reply_code.c.code, reply_code.c.issued_at, reply_code.c.freed_at)
    statement = delete(reply_code).where(reply_code.c.delivery_id == delivery_id).returning(*columns)
    for row in conn.execute(statement).all():
        took_over = reply_code.c.freed_at == row.issued_at - CODE_RESTS
        earlier = and_(reply_code.c.person == row.person, reply_code.c.code == row.code, took_over)
        last = select(func.max(reply_code.c.id)).where(earlier).scalar_subquery()
        conn.execute(update(reply_code).where(reply_code.c.id == last).values(freed_at=row.freed_at))
