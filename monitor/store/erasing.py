"""Erasing what tells who a buyer is: identifiers, words, free text. Keyed hashes and figures stay."""

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete, or_, select, update

from monitor.core.domains import split_alias
from monitor.store.identifiers import Hasher
from monitor.store.schema import decision, message, order_fact, review, silence, sla_clock, thread

IDENTIFIERS = ("order_id", "asin", "alias", "reply_address", "seller_central_url", "no_response_url")
"""The columns of a thread that lead to a buyer."""

_IN_LIST = 400


@dataclass(frozen=True, slots=True)
class Buyer:
    """What belongs to one buyer. `words`: the order numbers and aliases that are still known in clear."""

    thread_ids: tuple[int, ...]
    words: tuple[str, ...]
    waiting: tuple[int, ...]  # threads that still wait for a reply


def find_buyer(connection: Connection, name: str, hasher: Hasher) -> Buyer:
    """Return the threads of the buyer behind an alias or an order number, found by hash: also after an erasure.

    An order leads to the alias that wrote about it, and the alias to all its threads.
    """
    name = name.strip()
    alias = split_alias(name.lower())[0] if "@" in name else name
    asked = or_(
        message.c.order_hash == hasher.number("order", name), message.c.alias_hash == hasher.number("alias", alias)
    )
    rows = connection.execute(
        select(message.c.alias_hash, message.c.order_hash, message.c.thread_id).where(asked)
    ).all()
    aliases = sorted({row.alias_hash for row in rows if row.alias_hash is not None})
    found = {row.thread_id for row in rows if row.thread_id is not None}
    for part in _parts(aliases):
        of_alias = select(message.c.thread_id).where(message.c.alias_hash.in_(part), message.c.thread_id.is_not(None))
        found.update(connection.execute(of_alias).scalars())
    words = {name, alias}
    waiting: set[int] = set()
    for part in _parts(sorted(found)):
        # A thread that was merged into another kept its identifiers.
        of_heirs = select(thread.c.id).where(thread.c.merged_into.in_(part))
        found.update(connection.execute(of_heirs).scalars())
    for part in _parts(sorted(found)):
        clear = select(thread.c.order_id, thread.c.alias, thread.c.reply_address).where(thread.c.id.in_(part))
        for row in connection.execute(clear):
            words.update(word for word in row if word)
        open_clocks = select(sla_clock.c.thread_id).where(
            sla_clock.c.thread_id.in_(part), sla_clock.c.closed_at.is_(None)
        )
        waiting.update(connection.execute(open_clocks).scalars())
    return Buyer(tuple(sorted(found)), tuple(sorted(words)), tuple(sorted(waiting)))


def erase_threads(connection: Connection, thread_ids: Sequence[int], now: datetime) -> None:
    """Take the identifiers off threads and off what hangs on them; hashes, times and outcomes stay."""
    for part in _parts(sorted(thread_ids)):
        hashes = select(thread.c.order_hash).where(thread.c.id.in_(part), thread.c.order_hash.is_not(None))
        connection.execute(delete(order_fact).where(order_fact.c.order_hash.in_(hashes)))
        connection.execute(
            update(thread).where(thread.c.id.in_(part)).values(**dict.fromkeys(IDENTIFIERS), erased_at=now)
        )
        mails = select(message.c.id).where(message.c.thread_id.in_(part))
        connection.execute(update(review).where(review.c.message_id.in_(mails)).values(order_id=None))
        # What a person wrote beside a decision may name the buyer.
        connection.execute(update(decision).where(decision.c.thread_id.in_(part)).values(reason=None))


def erase_texts(connection: Connection, thread_ids: Sequence[int]) -> int:
    """Take the buyers' words off the messages of threads and return how many had any."""
    erased = 0
    for part in _parts(sorted(thread_ids)):
        statement = update(message).where(message.c.thread_id.in_(part), message.c.text.is_not(None))
        erased += connection.execute(statement.values(text=None)).rowcount
    return erased


def delete_silences(connection: Connection, words: Collection[str], thread_ids: Collection[int]) -> int:
    """Delete the silences that were about these orders or threads alone; return how many."""
    ids = [
        row.id
        for row in connection.execute(select(silence.c.id, silence.c.matcher))
        if _names(json.loads(row.matcher), set(words), set(thread_ids))
    ]
    for part in _parts(ids):
        connection.execute(delete(silence).where(silence.c.id.in_(part)))
    return len(ids)


def _names(matcher: dict[str, Any], words: set[str], thread_ids: set[int]) -> bool:
    return bool(words & set(matcher.get("orders", ())) or thread_ids & set(matcher.get("threads", ())))


def _parts(values: Sequence[int]) -> list[Sequence[int]]:
    return [values[start : start + _IN_LIST] for start in range(0, len(values), _IN_LIST)]
