"""Reading mails back as facts, with all that could belong to the same threads."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

from sqlalchemy import Connection, select

from monitor.core.facts import Fact
from monitor.core.matching import COPY_REACHES_BACK
from monitor.core.messages import Authenticity, Kind
from monitor.store.bulk import parts
from monitor.store.schema import message as table

REPORT_MAY_PRECEDE = timedelta(days=1)
"""How far two servers' clocks, and zones left out, may put a report before the reply that it is about."""

THREAD_KINDS = (
    Kind.BUYER_MESSAGE, Kind.SELLER_REPLY, Kind.AUTO_REPLY, Kind.CONFIRMATION_COPY, Kind.DELIVERY_FAILURE,
)  # fmt: skip
_THREAD_KINDS = frozenset(kind.value for kind in THREAD_KINDS)
_KINDS = {kind.value: kind for kind in Kind}
_AUTHENTICITIES = {verdict.value: verdict for verdict in Authenticity}

_FACT_COLUMNS = (
    table.c.id,
    table.c.identity,
    table.c.kind,
    table.c.received_at,
    table.c.account,
    table.c.accounts,
    table.c.marketplace,
    table.c.alias_hash,
    table.c.suffix_hash,
    table.c.order_hash,
    table.c.token_hash,
    table.c.name_hash,
    table.c.rfc_hash,
    table.c.reference_hashes,
    table.c.refused_at,
    table.c.trusted,
    table.c.authenticity,
    table.c.excluded,
    table.c.spoken_for,
    table.c.thread_id,
    table.c.labels,
    table.c.priority,
    table.c.place,
    table.c.target_seconds,
    table.c.answered_at,
    table.c.by_hand,
    table.c.waived_at,
    table.c.counted,
    table.c.language,
    table.c.mailbox,
)


@dataclass(slots=True)
class Stored:
    """A message row with its fact: what resolution needs and what it may change."""

    row: Any
    fact: Fact


def _stored(row: Any) -> Stored:
    return Stored(
        row,
        Fact(
            id=row.id,
            key=row.identity,
            kind=_KINDS[row.kind],
            received_at=row.received_at,
            accounts=(row.account,) if row.accounts is None else tuple(row.accounts.split("\n")),
            marketplace=row.marketplace,
            alias=row.alias_hash,
            suffix=row.suffix_hash,
            order=row.order_hash,
            token=row.token_hash,
            name=row.name_hash,
            message=row.rfc_hash,
            references=() if row.reference_hashes is None else tuple(map(int, row.reference_hashes.split())),
            refused_at=row.refused_at,
            trusted=row.trusted,
            authenticity=_AUTHENTICITIES[row.authenticity],
            excluded=row.excluded,
            spoken_for=row.spoken_for,
        ),
    )


_UNRESOLVED = {
    "excluded": False,
    "spoken_for": None,
    "thread_id": None,
    "target_seconds": None,
    "answered_at": None,
    "by_hand": False,
    "waived_at": None,
    "counted": None,
}
"""What a row holds of its thread before it has one."""


def read_related(
    connection: Connection, ids: Iterable[int], written: Mapping[int, Mapping[str, Any]] | None = None
) -> dict[int, Stored]:
    """Return these mails and all that could belong to the same threads, by id; without kinds that belong to none.

    Follows orders, aliases, tokens, Message-IDs in both directions, persons' decisions, the threads that mails are in now,
    and, for copies without order or alias, names near in time, until nothing new is found: of a thread all is here or
    nothing. `written`: those of the mails that this transaction has just inserted, as they were written.
    """
    found: dict[int, Stored] = {}
    asked: dict[str, set[int]] = {
        name: set() for name in ("order_hash", "alias_hash", "token_hash", "rfc_hash", "thread_id", "id")
    }
    names_asked: set[int] = set()
    written = written or {}
    fresh = _read(connection, table.c.id, set(ids) - written.keys(), found)
    fresh = [stored for stored in fresh if stored.fact.kind in THREAD_KINDS]
    fresh += [
        _stored(SimpleNamespace(**_UNRESOLVED, **row)) for row in written.values() if row["kind"] in _THREAD_KINDS
    ]
    while fresh:
        for stored in fresh:
            found[stored.fact.id] = stored
        wanted: dict[str, set[int]] = {key: set() for key in asked}
        for stored in fresh:
            fact = stored.fact
            for key, value in (
                ("order_hash", fact.order),
                ("alias_hash", fact.alias),
                ("token_hash", fact.token),
                ("thread_id", stored.row.thread_id),
                ("id", fact.spoken_for),
            ):
                if value is not None:
                    wanted[key].add(value)
            wanted["rfc_hash"].update(fact.references)
        related: set[int] = set()
        for key, values in wanted.items():
            values -= asked[key]
            asked[key] |= values
            related |= _read_ids(connection, table.c[key], values)
        following: dict[int, Stored] = {}
        _read(connection, table.c.id, related - found.keys(), found, following)
        for stored in (*_read_named(connection, fresh, names_asked), *_read_pointing(connection, fresh)):
            following.setdefault(stored.fact.id, stored)
        fresh = [stored for key, stored in following.items() if key not in found and stored.fact.kind in THREAD_KINDS]
    return found


def _read(
    connection: Connection,
    column: Any,
    values: set[int],
    known: Mapping[int, Stored],
    into: dict[int, Stored] | None = None,
) -> list[Stored]:
    """Return the rows with these values that are neither known nor gathered yet, and gather them."""
    gathered = {} if into is None else into
    result: list[Stored] = []
    for part in parts(sorted(values)):
        for row in connection.execute(select(*_FACT_COLUMNS).where(column.in_(part))):
            if row[0] not in known and row[0] not in gathered:
                stored = gathered[row[0]] = _stored(row)
                result.append(stored)
    return result


def _read_ids(connection: Connection, column: Any, values: set[int]) -> set[int]:
    """Return whose rows have these values. Most are known already: only those that are not are read whole."""
    ids: set[int] = set()
    for part in parts(sorted(values)):
        ids.update(connection.execute(select(table.c.id).where(column.in_(part))).scalars())
    return ids


def _read_pointing(connection: Connection, fresh: Sequence[Stored]) -> list[Stored]:
    """Return what leads to these mails and may carry nothing of theirs: what a person gave to a question, and the reports
    that name a reply by its Message-ID.
    """
    result: list[Stored] = []
    questions = sorted(stored.fact.id for stored in fresh if stored.fact.kind is Kind.BUYER_MESSAGE)
    for part in parts(questions):
        given = connection.execute(select(*_FACT_COLUMNS).where(table.c.spoken_for.in_(part)))
        result += [_stored(row) for row in given]
    replies = [
        stored.fact for stored in fresh if stored.fact.kind is Kind.SELLER_REPLY and stored.fact.message is not None
    ]
    if replies:
        sent = {reply.message for reply in replies}
        statement = select(table.c.id, table.c.reference_hashes).where(
            table.c.kind == Kind.DELIVERY_FAILURE.value,
            table.c.received_at >= min(reply.received_at for reply in replies) - REPORT_MAY_PRECEDE,
            table.c.reference_hashes.is_not(None),
        )
        naming = {row.id for row in connection.execute(statement) if sent.intersection(map(int, row[1].split()))}
        result += _read(connection, table.c.id, naming, {})
    return result


def _read_named(connection: Connection, fresh: Sequence[Stored], asked: set[int]) -> list[Stored]:
    """Return the copies that only a name can match, and the questions they may be about."""
    floating = {
        stored.fact.name
        for stored in fresh
        if stored.fact.kind is Kind.CONFIRMATION_COPY and stored.fact.order is None and stored.fact.name is not None
    }
    questions = {
        stored.fact.name for stored in fresh if stored.fact.kind is Kind.BUYER_MESSAGE and stored.fact.name is not None
    }
    names = {name for name in floating | questions if name is not None} - asked
    if not names:
        return []
    asked |= names
    result: list[Stored] = []
    copies = (table.c.kind == Kind.CONFIRMATION_COPY.value) & table.c.order_hash.is_(None)
    for part in parts(sorted(names)):
        loose = [
            _stored(row)
            for row in connection.execute(select(*_FACT_COLUMNS).where(table.c.name_hash.in_(part), copies))
        ]
        result += loose
        if loose:
            moments = [copy.fact.received_at for copy in loose]
            statement = select(*_FACT_COLUMNS).where(
                table.c.name_hash.in_({copy.fact.name for copy in loose}),
                table.c.kind == Kind.BUYER_MESSAGE.value,
                table.c.received_at.between(min(moments) - COPY_REACHES_BACK, max(moments)),
            )
            result += [_stored(row) for row in connection.execute(statement)]
    return result
