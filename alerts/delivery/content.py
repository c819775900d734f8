"""What a notifier gets: the `Delivery` of a stored row, with its facts read afresh. Reads, writes nothing."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select

from alerts.core.model import Channel, Delivery, Post, Purpose, ThreadFacts
from alerts.core.words.content import withdrawn_facts
from alerts.delivery.group import facts_in_order, is_grouped
from alerts.delivery.ports import Address, Ports
from alerts.tables import NotificationStatus, notification, post


def rebuild(conn: Connection, row: Any, ports: Ports, now: datetime) -> Delivery | None:
    """Return the Delivery that a row of `delivery` stands for, with fresh facts; None if it has no address any more."""
    address = ports.directory.address_of(row.receiver, Channel(row.channel), row.person)
    if address is None:
        return None
    rows = carried_rows(conn, row.id)
    facts = load_facts(conn, rows, ports, now)
    return build_delivery(conn, row, rows, address, facts, now)


def build_delivery(
    conn: Connection, row: Any, rows: Sequence[Any], address: Address, facts: Mapping[int, ThreadFacts], now: datetime
) -> Delivery:
    """Return the Delivery of a row of `delivery` that carries these rows of `notification`."""
    if row.purpose == Purpose.LOOK_AHEAD:
        threads = open_of_summary(rows[0], facts) if rows else ()
    else:
        threads = facts_in_order(rows, facts)
    if (
        row.purpose != Purpose.LOOK_AHEAD and not is_grouped(Channel(row.channel)) and len(threads) > 1
    ):  # one thread: its newest clock speaks
        threads = (max(threads, key=lambda item: item.clock_id),)
    if row.channel == Channel.WEBHOOK and len(threads) == 1 and rows[0].thread_id is not None:
        threads = (replace(threads[0], thread_id=rows[0].thread_id),)  # the one it was told of
    said = [item for item in rows if item.purpose == row.purpose]
    if row.purpose == Purpose.UPDATE:  # as the message stands now: what was planned last
        said.sort(key=lambda item: -item.id)
    content = json.loads(said[0].content) if said else {}
    return Delivery(
        reference=row.reference,
        purpose=Purpose(row.purpose),
        channel=Channel(row.channel),
        receiver=row.receiver,
        address=address.address,
        now=now,
        language=address.language,
        time_zone=address.time_zone,
        person=row.person,
        threads=threads,
        content=content,
        post=None if row.purpose == Purpose.LOOK_AHEAD else _post_of(conn, row.channel, address.address, rows, content),
        code=row.code,
        attempted_at=row.intent_at,
        secret=address.secret,
        external=address.external,
    )


def load_facts(conn: Connection, rows: Sequence[Any], ports: Ports, now: datetime) -> dict[int, ThreadFacts]:
    """Return the facts of the clocks that these rows are about, by id: as they stand, or as they stood before they went."""
    clocks = {row.clock_id for row in rows if row.clock_id is not None}
    stood: dict[int, ThreadFacts] = {}
    for row in rows:
        clocks.update(_named(row))
        if row.purpose == Purpose.CLOSED:
            facts = withdrawn_facts(json.loads(row.content), thread_id=row.thread_id, clock_id=row.clock_id)
            if facts is not None:
                stood[facts.clock_id] = facts
    return {**stood, **ports.load_facts(conn, sorted(clocks), now)}


def open_of_summary(row: Any, facts: Mapping[int, ThreadFacts]) -> tuple[ThreadFacts, ...]:
    """Return what is still to be told of the clocks that a look-ahead names, nearest deadline first."""
    threads = [facts[clock_id] for clock_id in _named(row) if clock_id in facts]
    left = [item for item in threads if item.answered_at is None and item.waived_at is None]
    return tuple(sorted(left, key=lambda item: (item.deadline_at, item.clock_id)))


def is_settled_summary(row: Any, facts: Mapping[int, ThreadFacts]) -> bool:
    """Return whether a look-ahead has nothing to say any more: all it names was answered, waived or taken by somebody."""
    if row.purpose != Purpose.LOOK_AHEAD or not _named(row):
        return False
    left = open_of_summary(row, facts)
    return all(item.acknowledged_by is not None or item.snoozed_until is not None for item in left)


def _named(row: Any) -> tuple[int, ...]:
    if row.purpose != Purpose.LOOK_AHEAD:
        return ()
    return tuple(int(clock_id) for clock_id in json.loads(row.content).get("clock_ids", ()))


def _post_of(
    conn: Connection, channel: str, place: str, rows: Sequence[Any], content: Mapping[str, Any]
) -> Post | None:
    """Return where the message of the rows' one thread stands: that which they were planned for, whatever it is part of now.

    A message that is no thread's own is named by what is to be said in it.
    """
    if "post" in content:
        return Post(channel=content["post"]["channel"], message=content["post"]["message"])
    about = {row.thread_id for row in rows}
    if len(about) != 1:
        return None
    found = conn.execute(
        select(post.c.post_channel, post.c.post_message).where(
            post.c.channel == channel, post.c.place == place, post.c.thread_id == about.pop()
        )
    ).first()
    return None if found is None else Post(channel=found.post_channel, message=found.post_message)


def carried_rows(conn: Connection, delivery_id: int) -> Sequence[Any]:
    """Return the notifications that this delivery carries and whose end is open, most urgent first."""
    return conn.execute(
        select(notification)
        .where(notification.c.delivery_id == delivery_id, notification.c.status == NotificationStatus.SENDING)
        .order_by(notification.c.rank, notification.c.due_at, notification.c.id)
    ).all()
