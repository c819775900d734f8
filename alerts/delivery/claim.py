"""Taking the next message out of the outbox: one transaction, at whose end the intent to send it is written.

Owns the choice of rows, the last look at whether they are still wanted, and the `Delivery` that a notifier gets. Sends
nothing.
"""

import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, delete, exists, or_, select, update

from alerts.codes import assign_code, said_by
from alerts.core.model import Channel, Delivery, Purpose, ThreadFacts
from alerts.core.words.threads import is_closed
from alerts.delivery.content import build_delivery, carried_rows, is_settled_summary, load_facts
from alerts.delivery.group import choose_group, is_grouped
from alerts.delivery.news import NEWS_OF_WHAT_WAS_TOLD, is_of_an_earlier_wait, was_never_told
from alerts.delivery.ports import Address, Ports
from alerts.outbox import LAST_RANK, notification_of
from alerts.tables import Cause, DeliveryStatus, NotificationStatus, delivery, insert_once, notification

_ONLY_WHILE_WANTED = (Purpose.ALERT, Purpose.REOPENED, Purpose.LOOK_AHEAD)
_RINGS = (Purpose.ALERT, Purpose.REOPENED)  # what a silence mutes
_ANSWERABLE = (Purpose.ALERT, Purpose.REOPENED, Purpose.TEST)  # what a person can answer takes a number
_RATE_WINDOW = timedelta(hours=3)  # the longest of the limits per phone
_ROWS_AT_ONCE = 200  # in one message to a phone; the rest follows in the next


@dataclass(frozen=True, slots=True, kw_only=True)
class Claimed:
    """A delivery whose intent is written: send it before `lease_ends_at`, then record what became of it."""

    delivery_id: int
    attempts: int
    lease_ends_at: datetime
    delivery: Delivery
    whom: str
    page: bool


@dataclass(frozen=True, slots=True)
class Passed:
    """Rows were held, cancelled or failed: nothing to send, look again. `unreachable`: ids without an address."""

    unreachable: tuple[int, ...] = ()


def claim_next(
    conn: Connection, channel: Channel, ports: Ports, resting: Collection[str], now: datetime
) -> Claimed | Passed | None:
    """Return the most urgent message of this channel, now claimed; None when nothing is due.

    `resting`: those (`whom`) who may not get another message yet. What is under way to the same phone or thread waits
    until its outcome is known. Whether a row is still wanted is decided by the UPDATE that claims it.
    """
    rows = _next_rows(conn, channel, ports, resting, now)
    if not rows:
        return None
    facts = load_facts(conn, rows, ports, now)
    rows = _drop_pointless(conn, rows, facts, ports, now)
    rows = _hold_quiet(conn, rows, facts, ports, now)
    if not rows:
        return Passed()
    group = choose_group(rows)
    _cancel(conn, [row for row in rows if row.id in group.superseded], Cause.SUPERSEDED, ports, now)
    rows = [row for row in rows if row.id in group.carried]
    if is_grouped(channel) and _held_by_rate(conn, rows, channel, ports, now):
        return Passed()
    address = ports.directory.address_of(rows[0].receiver, channel, rows[0].person)
    if address is None:
        return Passed(unreachable=tuple(row.id for row in rows))
    return _write_intent(conn, rows, group.purpose, address, facts, ports, now)


def claim_again(conn: Connection, row: Any, ports: Ports, now: datetime) -> Claimed | Passed:
    """Write the intent to repeat a delivery that certainly, or by decision, has not arrived: same reference, same code.

    What is no longer wanted is cancelled; if nothing is left, so is the delivery.
    """
    lease_ends_at = now + ports.timing.lease
    attempts = row.attempts + 1
    ours = conn.execute(
        update(delivery)
        .where(
            delivery.c.id == row.id,
            delivery.c.attempts == row.attempts,
            delivery.c.status == DeliveryStatus.DOUBTFUL,
            delivery.c.owner == ports.owner,
        )
        .values(
            status=DeliveryStatus.SENDING.value,
            attempts=attempts,
            lookups=0,
            next_attempt_at=lease_ends_at,
        )
    ).rowcount
    if not ours:
        return Passed()
    rows = carried_rows(conn, row.id)
    kept = _claim_rows(conn, [item.id for item in rows], NotificationStatus.SENDING, row.id, ports, now)
    facts = load_facts(conn, rows, ports, now)
    kept -= {item.id for item in rows if item.clock_id is not None and item.clock_id not in facts}
    if row.purpose in _RINGS and not any(item.purpose in _RINGS for item in rows if item.id in kept):
        kept = set()  # what rang is not wanted any more, and a redrawing that went with it rings nobody
    _cancel_unwanted(conn, [item for item in rows if item.id not in kept], facts, ports, now)
    address = ports.directory.address_of(row.receiver, Channel(row.channel), row.person)
    if not kept or address is None:
        ended = DeliveryStatus.FAILED if kept else DeliveryStatus.CANCELLED
        conn.execute(update(delivery).where(delivery.c.id == row.id).values(status=ended.value, slot=None))
        return Passed(unreachable=tuple(kept))
    rows = [item for item in rows if item.id in kept]
    return Claimed(
        delivery_id=row.id,
        attempts=attempts,
        lease_ends_at=lease_ends_at,
        delivery=build_delivery(conn, row, rows, address, facts, now),
        whom=row.whom,
        page=row.page,
    )


def _next_rows(
    conn: Connection, channel: Channel, ports: Ports, resting: Collection[str], now: datetime
) -> Sequence[Any]:
    """Return the due rows of the most urgent slot that is free, locked where the database locks rows."""
    is_due = and_(
        notification.c.channel == channel.value,
        notification.c.status == NotificationStatus.PENDING,
        notification.c.next_attempt_at <= now,
    )
    slot = _next_slot(conn, is_due, resting, now)
    if slot is None:
        return []
    return conn.execute(
        select(notification, _wanted(ports).label("wanted"))
        .where(is_due, notification.c.slot == slot)
        .order_by(notification.c.rank, notification.c.due_at, notification.c.id)
        .limit(_ROWS_AT_ONCE)
        .with_for_update(skip_locked=True, of=notification)
    ).all()


def _next_slot(conn: Connection, is_due: ColumnElement[bool], resting: Collection[str], now: datetime) -> str | None:
    """Return the slot of the most urgent due row that may go; asked rank by rank, each an ordered walk of one index."""
    under_way = exists().where(delivery.c.slot == notification.c.slot)
    for rank in range(LAST_RANK + 1):
        slot = conn.scalar(
            select(notification.c.slot)
            .where(
                is_due,
                notification.c.rank == rank,
                notification.c.due_at <= now,
                ~under_way,
                notification.c.whom.not_in(resting),
            )
            .order_by(notification.c.due_at, notification.c.id)
            .limit(1)
            .with_for_update(skip_locked=True, of=notification)
        )
        if slot is not None:
            return str(slot)
    return None


def _wanted(ports: Ports) -> ColumnElement[bool]:
    unconditional = or_(notification.c.purpose.not_in(_ONLY_WHILE_WANTED), notification.c.clock_id.is_(None))
    return or_(unconditional, ports.still_wanted(notification.c))


def _drop_pointless(
    conn: Connection, rows: Sequence[Any], facts: Mapping[int, ThreadFacts], ports: Ports, now: datetime
) -> list[Any]:
    """Cancel what expired, is no longer wanted, or tells the end to somebody who saw no beginning; return the rest."""
    expired = [row for row in rows if row.expires_at is not None and row.expires_at <= now]
    _cancel(conn, expired, Cause.EXPIRED, ports, now)
    left = _without(rows, expired)
    unwanted = [row for row in left if not row.wanted or (row.clock_id is not None and row.clock_id not in facts)]
    _cancel_unwanted(conn, unwanted, facts, ports, now)
    left = _without(left, unwanted)
    runs_on = [row for row in left if row.purpose == Purpose.CLOSED and not is_closed(facts[row.clock_id])]
    _cancel(conn, runs_on, Cause.SUPERSEDED, ports, now)
    left = _without(left, runs_on)
    settled = [row for row in left if is_settled_summary(row, facts)]
    _cancel(conn, settled, Cause.NOT_WANTED, ports, now)
    left = _without(left, settled)
    rings = any(row.purpose not in NEWS_OF_WHAT_WAS_TOLD for row in left)
    untold = [row for row in left if not rings and was_never_told(conn, row)]
    _cancel(conn, untold, Cause.NEVER_TOLD, ports, now)
    left = _without(left, untold)
    outdated = [row for row in left if is_of_an_earlier_wait(conn, row)]
    _cancel(conn, outdated, Cause.SUPERSEDED, ports, now)
    return _without(left, outdated)


def _without(rows: Sequence[Any], others: Sequence[Any]) -> list[Any]:
    ids = {row.id for row in others}
    return [row for row in rows if row.id not in ids]


def _hold_quiet(
    conn: Connection, rows: Sequence[Any], facts: Mapping[int, ThreadFacts], ports: Ports, now: datetime
) -> list[Any]:
    """Put off what waits for the end of a silence or of quiet hours; return what may go now."""
    going = []
    for row in rows:
        clock_facts = facts.get(row.clock_id) if row.clock_id is not None else None
        silenced = clock_facts.silenced_until if clock_facts is not None and row.purpose in _RINGS else None
        quiet = ports.hold(notification_of(row), clock_facts, now) if row.person is not None else None
        until = max((at for at in (silenced, quiet) if at is not None and at > now), default=None)
        if until is None:
            going.append(row)
            continue
        cause = Cause.SILENCED if silenced is not None else Cause.QUIET
        _put_off(conn, [row], min(until, now + ports.timing.hold_again), cause)
    return going


def _held_by_rate(conn: Connection, rows: Sequence[Any], channel: Channel, ports: Ports, now: datetime) -> bool:
    """Return whether this phone had enough for now; its rows then wait together and go out as one message."""
    sent = conn.scalars(
        select(delivery.c.intent_at)
        .where(
            delivery.c.channel == channel.value,
            delivery.c.whom == rows[0].whom,
            delivery.c.intent_at > now - _RATE_WINDOW,
            delivery.c.status.not_in((DeliveryStatus.REFUSED, DeliveryStatus.CANCELLED, DeliveryStatus.FAILED)),
        )
        .order_by(delivery.c.intent_at)
    ).all()
    allowed_at = ports.allowed_at(channel, sent, now, _is_first_of_a_clock(conn, rows))
    if allowed_at <= now:
        return False
    _put_off(conn, rows, allowed_at, Cause.RATE_LIMIT)
    return True


def _is_first_of_a_clock(conn: Connection, rows: Sequence[Any]) -> bool:
    """Return whether nobody was told yet, by any channel, of one of the clocks that these rows alert about.

    A phone that did not get, or did not take, what it was told had its turn all the same.
    """
    clocks = {row.clock_id for row in rows if row.purpose == Purpose.ALERT and row.clock_id is not None}
    had_its_turn = and_(notification.c.whom == rows[0].whom, delivery.c.status == DeliveryStatus.UNDELIVERED)
    told = conn.scalars(
        select(notification.c.clock_id)
        .outerjoin(delivery, delivery.c.id == notification.c.delivery_id)
        .where(
            notification.c.clock_id.in_(clocks),
            or_(notification.c.status.in_((NotificationStatus.SENT, NotificationStatus.SENDING)), had_its_turn),
        )
        .distinct()
    )
    return bool(clocks - set(told))


def _write_intent(
    conn: Connection,
    rows: Sequence[Any],
    purpose: Purpose,
    address: Address,
    facts: Mapping[int, ThreadFacts],
    ports: Ports,
    now: datetime,
) -> Claimed | Passed:
    head = rows[0]
    lease_ends_at = now + ports.timing.lease
    values = {
        "reference": uuid.uuid4().hex,
        "slot": head.slot,
        "owner": ports.owner,
        "purpose": purpose.value,
        "channel": head.channel,
        "receiver": head.receiver,
        "person": head.person,
        "whom": head.whom,
        "page": any(row.page for row in rows),
        "status": DeliveryStatus.SENDING.value,
        "attempts": 1,
        "lookups": 0,
        "checks": 0,
        "intent_at": now,
        "next_attempt_at": lease_ends_at,
    }
    inserted = conn.execute(insert_once(conn, delivery, "slot").returning(delivery.c.id), values).first()
    if inserted is None:  # another worker began with this phone or thread a moment ago
        return Passed()
    said_before = said_by(conn, {row.delivery_id for row in rows if row.delivery_id is not None})
    kept = _claim_rows(conn, [row.id for row in rows], NotificationStatus.PENDING, inserted.id, ports, now)
    _cancel_unwanted(conn, [row for row in rows if row.id not in kept], facts, ports, now)
    if not kept:
        conn.execute(delete(delivery).where(delivery.c.id == inserted.id))
        return Passed()
    rows = [row for row in rows if row.id in kept]
    if is_grouped(Channel(head.channel)) and purpose in _ANSWERABLE:
        code = assign_code(conn, head.person or head.receiver, inserted.id, now, said_before)
        conn.execute(update(delivery).where(delivery.c.id == inserted.id).values(code=code))
    row = conn.execute(select(delivery).where(delivery.c.id == inserted.id)).one()
    return Claimed(
        delivery_id=row.id,
        attempts=1,
        lease_ends_at=lease_ends_at,
        delivery=build_delivery(conn, row, rows, address, facts, now),
        whom=row.whom,
        page=row.page,
    )


def _claim_rows(
    conn: Connection, ids: Sequence[int], status: NotificationStatus, delivery_id: int, ports: Ports, now: datetime
) -> set[int]:
    """Mark those of the rows that are still wanted as under way, in the one statement that also asks; return their ids."""
    return set(
        conn.scalars(
            update(notification)
            .where(
                notification.c.id.in_(ids),
                notification.c.status == status,
                or_(notification.c.expires_at.is_(None), notification.c.expires_at > now),
                _wanted(ports),
            )
            .values(
                status=NotificationStatus.SENDING.value,
                delivery_id=delivery_id,
                attempts=notification.c.attempts + 1,
                reason=None,
            )
            .returning(notification.c.id)
        )
    )


def _put_off(conn: Connection, rows: Sequence[Any], until: datetime, cause: Cause) -> None:
    conn.execute(
        update(notification)
        .where(notification.c.id.in_([row.id for row in rows]), notification.c.status == NotificationStatus.PENDING)
        .values(next_attempt_at=until, reason=cause.value)
    )


def _cancel(conn: Connection, rows: Sequence[Any], cause: Cause, ports: Ports, now: datetime) -> None:
    if not rows:
        return
    cancelled = conn.execute(
        update(notification)
        .where(
            notification.c.id.in_([row.id for row in rows]),
            notification.c.status.in_((NotificationStatus.PENDING, NotificationStatus.SENDING)),
        )
        .values(status=NotificationStatus.CANCELLED.value, reason=cause.value, finished_at=now)
        .returning(notification.c.receiver, notification.c.channel)
    ).all()
    for row in cancelled:
        ports.record_outcome(conn, row.receiver, row.channel, "cancelled")


def _cancel_unwanted(
    conn: Connection, rows: Sequence[Any], facts: Mapping[int, ThreadFacts], ports: Ports, now: datetime
) -> None:
    for row in rows:
        _cancel(conn, [row], _why_unwanted(row, facts, now), ports, now)


def _why_unwanted(row: Any, facts: Mapping[int, ThreadFacts], now: datetime) -> Cause:
    if row.expires_at is not None and row.expires_at <= now:
        return Cause.EXPIRED
    known = facts.get(row.clock_id)
    if known is None:
        return Cause.FORGOTTEN
    if known.answered_at is not None:
        return Cause.ANSWERED
    if known.waived_at is not None:
        return Cause.WAIVED
    if known.acknowledged_by is not None:
        return Cause.ACKNOWLEDGED
    if known.snoozed_until is not None and known.snoozed_until > now:
        return Cause.SNOOZED
    return Cause.NOT_WANTED
