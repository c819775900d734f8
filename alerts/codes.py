"""The numbers people type to answer an SMS or a call: the smallest one free on their phone.

Owns giving out, reading back and freeing. A number stands for everything its message named. Commits nothing.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, delete, exists, func, or_, select, update

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


def said_by(conn: Connection, delivery_ids: Collection[int]) -> dict[int, set[int | None]]:
    """Return the clocks that each of these messages named, as far as no later message has taken them over."""
    said: dict[int, set[int | None]] = {}
    for row in conn.execute(
        select(notification.c.delivery_id, notification.c.clock_id).where(notification.c.delivery_id.in_(delivery_ids))
    ):
        said.setdefault(row.delivery_id, set()).add(row.clock_id)
    return said


def assign_code(
    conn: Connection,
    person: str,
    delivery_id: int,
    now: datetime,
    said_before: Mapping[int, Collection[int | None]] | None = None,
) -> int:
    """Return the number that answers this delivery, now taken by it.

    What says again what an earlier message to this person said keeps its number: half asleep, one types the one that was read
    first. Else it is the smallest free one: its clocks are all closed or it was given out more than 24 h ago, after a rest.

    Args:
        said_before: `said_by` of the messages that carried the same rows and did not arrive, asked before this delivery
            took them over. A number that rests since is this one's only if both name exactly the same clocks.
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
        elif (resting := _same_resting(conn, person, delivery_id, said_before or {}, now)) is not None:
            code = resting
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
    mine = said_by(conn, [delivery_id]).get(delivery_id)
    if not mine or None in mine:
        return None  # a test or a summary
    clocks: dict[int, set[int | None]] = {}
    for row in live:
        clocks.setdefault(row.code, set()).add(row.clock_id)
    return next((code for code in sorted(clocks) if clocks[code] == mine), None)


def _same_resting(
    conn: Connection, person: str, delivery_id: int, said_before: Mapping[int, Collection[int | None]], now: datetime
) -> int | None:
    """Return the number that rests because a message about exactly these clocks did not arrive, or None."""
    mine = said_by(conn, [delivery_id]).get(delivery_id, set())
    same = [one for one, clocks in said_before.items() if set(clocks) == mine]
    if not same:
        return None
    later = reply_code.alias("later")
    taken = exists().where(
        later.c.person == reply_code.c.person, later.c.code == reply_code.c.code, later.c.freed_at.is_(None)
    )
    code: int | None = conn.scalar(
        select(reply_code.c.code)
        .where(
            reply_code.c.person == person,
            reply_code.c.delivery_id.in_(same),
            reply_code.c.freed_at > now - CODE_RESTS,
            ~taken,
        )
        .order_by(reply_code.c.id)
        .limit(1)
    )
    return code


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

    Where it had taken over the number of an earlier message that said the same, that one has it as this one had. Where it
    was given a resting one, the number rests on: the message before may have arrived.
    """
    for row in conn.execute(select(reply_code).where(reply_code.c.delivery_id == delivery_id)).all():
        rested_since = conn.scalar(
            select(func.max(reply_code.c.freed_at)).where(
                _earlier_with_the_number(row), reply_code.c.freed_at > row.issued_at - CODE_RESTS
            )
        )
        if rested_since is None:
            conn.execute(delete(reply_code).where(reply_code.c.id == row.id))
            _give_back(conn, row)
        elif row.freed_at is None:
            conn.execute(update(reply_code).where(reply_code.c.id == row.id).values(freed_at=rested_since))


def rest_code_of(conn: Connection, delivery_id: int, now: datetime) -> None:
    """Give back the number of a message that is said not to have arrived: it may stand on the phone, so the number rests.

    Where it had taken over the number of an earlier message that said the same, that one has it as this one had.
    """
    for row in conn.execute(select(reply_code).where(reply_code.c.delivery_id == delivery_id)).all():
        if _taken_over_by(conn, row) is not None:
            conn.execute(delete(reply_code).where(reply_code.c.id == row.id))
            _give_back(conn, row)
        elif row.freed_at is None:
            conn.execute(update(reply_code).where(reply_code.c.id == row.id).values(freed_at=now))


def _give_back(conn: Connection, row: Any) -> None:
    """Let the message from which this one, now deleted, took its number have it again."""
    earlier = _taken_over_by(conn, row)
    if earlier is not None:
        conn.execute(update(reply_code).where(reply_code.c.id == earlier).values(freed_at=row.freed_at))


def _taken_over_by(conn: Connection, row: Any) -> int | None:
    """Return the id of the row from which this one took its number over, or None."""
    took_over = reply_code.c.freed_at == row.issued_at - CODE_RESTS
    found: int | None = conn.scalar(select(func.max(reply_code.c.id)).where(_earlier_with_the_number(row), took_over))
    return found


def _earlier_with_the_number(row: Any) -> ColumnElement[bool]:
    return and_(reply_code.c.person == row.person, reply_code.c.code == row.code, reply_code.c.id < row.id)
