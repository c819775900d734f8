"""Recording mails once, whatever the number of copies, and reading them back as facts.

Owns the `message` table's identity rules: a buyer message is known by Amazon's key, then by Message-ID, then by who wrote
what when; what a later copy adds (an order, a proof, the inbox instead of spam) is merged into the first.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, insert, select, update

from monitor.core.facts import Fact
from monitor.core.matching import COPY_REACHES_BACK
from monitor.core.messages import Authenticity, Kind, Message, Where
from monitor.store.columns import reserve_ids
from monitor.store.identifiers import Hasher
from monitor.store.schema import message as table

IN_LIST = 400
"""How many values stand in one IN list: below every database's limit, large enough to be few."""

THREAD_KINDS = (Kind.BUYER_MESSAGE, Kind.SELLER_REPLY, Kind.CONFIRMATION_COPY, Kind.DELIVERY_FAILURE)
_KINDS = {kind.value: kind for kind in Kind}
_AUTHENTICITIES = {verdict.value: verdict for verdict in Authenticity}
_RANK = {Authenticity.PASSED.value: 2, Authenticity.UNKNOWN.value: 1, Authenticity.FAILED.value: 0}
_FILLED_LATER = ("marketplace", "order_hash", "token_hash", "suffix_hash", "alias_hash", "name_hash", "refused_at")


@dataclass(frozen=True, slots=True, kw_only=True)
class Incoming:
    """A recognised mail with what the configuration adds: whose it is and whether it may stop a clock."""

    message: Message
    accounts: tuple[str, ...]
    mailbox: str
    trusted: bool
    keep_text: bool = False


@dataclass(slots=True, kw_only=True)
class Recorded:
    """What came of a batch: ids of new rows and of rows that a copy changed, with the mail that did it."""

    new: dict[int, Incoming] = field(default_factory=dict)
    changed: dict[int, Incoming] = field(default_factory=dict)
    copies: int = 0


def record_messages(
    connection: Connection, incoming: Sequence[Incoming], hasher: Hasher, seen_at: datetime
) -> Recorded:
    """Insert what is new, merge what is a copy, and return both."""
    recorded = Recorded()
    if not incoming:
        return recorded
    rows = [_row(item, hasher, seen_at) for item in incoming]
    known = _Known(connection, rows)
    inserts: list[dict[str, Any]] = []
    sources: list[Incoming] = []
    merges: dict[int, dict[str, Any]] = {}
    for item, row in zip(incoming, rows, strict=True):
        twin = known.twin_of(row)
        if twin is None:
            known.add(row)
            inserts.append(row)
            sources.append(item)
            continue
        recorded.copies += 1
        differing = _merged(twin, row)
        if not differing:
            continue
        twin.update(differing)
        if "id" in twin:
            merges.setdefault(twin["id"], {}).update(differing)
            recorded.changed[twin["id"]] = item
    if inserts:
        ids = reserve_ids(connection, table, len(inserts))
        connection.execute(insert(table), [{"id": row_id, **row} for row_id, row in zip(ids, inserts, strict=True)])
        recorded.new = dict(zip(ids, sources, strict=True))
    for row_id, values in merges.items():
        connection.execute(update(table).where(table.c.id == row_id).values(**values))
    return recorded


def _row(item: Incoming, hasher: Hasher, seen_at: datetime) -> dict[str, Any]:
    message = item.message
    account = item.accounts[0]
    alias = hasher.optional("alias", message.alias)
    order = None if message.order_id is None else hasher.number("order", message.order_id)
    minute = message.received_at.replace(second=0, microsecond=0).isoformat()
    digest = hasher.number("digest", account, message.alias or "", message.order_id or "", message.text_digest, minute)
    if message.message_key and message.kind is Kind.BUYER_MESSAGE:
        identity = hasher.number("key", account, message.message_key)
    elif message.message_id:
        identity = hasher.number("message-id", message.kind, account, message.message_id)
    else:
        identity = hasher.number("digest", message.kind, str(digest))
    return {
        "identity": identity,
        "kind": message.kind.value,
        "account": account,
        "accounts": None if len(item.accounts) == 1 else "\n".join(item.accounts),
        "marketplace": message.marketplace,
        "mailbox": item.mailbox,
        "place": message.where.value,
        "received_at": message.received_at,
        "seen_at": seen_at,
        "authenticity": message.authenticity.value,
        "trusted": item.trusted,
        "alias_hash": alias,
        "suffix_hash": hasher.optional("suffix", message.alias_suffix),
        "order_hash": order,
        "token_hash": hasher.optional("token", message.thread_token),
        "name_hash": hasher.optional("name", (message.buyer_name or "").casefold()),
        "rfc_hash": hasher.optional("rfc", message.message_id),
        "digest_hash": digest,
        "reference_hashes": " ".join(str(hasher.number("rfc", ref)) for ref in message.references) or None,
        "refused_at": message.refused_at,
        "notice_type": message.notice_type,
        "labels": " ".join(message.labels),
        "priority": message.priority,
        "language": message.language,
        "signals": " ".join(signal.name for signal in message.signals),
        "text": message.buyer_text if item.keep_text else None,
    }


class _Known:
    """The rows, stored or about to be, that a mail may be a copy of."""

    def __init__(self, connection: Connection, rows: Sequence[dict[str, Any]]) -> None:
        self.by_identity: dict[int, dict[str, Any]] = {}
        self.by_rfc: dict[tuple[str, int], dict[str, Any]] = {}
        self.by_digest: dict[tuple[str, int], dict[str, Any]] = {}
        columns = [
            table.c[name]
            for name in (
                "id",
                "identity",
                "kind",
                "rfc_hash",
                "digest_hash",
                "place",
                "received_at",
                "authenticity",
                "trusted",
                *_FILLED_LATER,
            )
        ]
        for column, key in (
            (table.c.identity, "identity"),
            (table.c.rfc_hash, "rfc_hash"),
            (table.c.digest_hash, "digest_hash"),
        ):
            values = {row[key] for row in rows if row[key] is not None}
            for part in _parts(sorted(values)):
                for stored in connection.execute(select(*columns).where(column.in_(part))).mappings():
                    self.add(dict(stored))

    def add(self, row: dict[str, Any]) -> None:
        row = self.by_identity.setdefault(row["identity"], row)
        if row["rfc_hash"] is not None:
            self.by_rfc.setdefault((row["kind"], row["rfc_hash"]), row)
        self.by_digest.setdefault((row["kind"], row["digest_hash"]), row)

    def twin_of(self, row: dict[str, Any]) -> dict[str, Any] | None:
        """Return the row this one is a copy of.

        The same words in the same minute are one message only where Amazon's key is missing on either side: two keys are
        two messages, however alike.
        """
        same = self.by_identity.get(row["identity"])
        if same is not None:
            return same
        keyed = row["kind"] == Kind.BUYER_MESSAGE.value and row["token_hash"] is not None
        if row["rfc_hash"] is not None:
            same = self.by_rfc.get((row["kind"], row["rfc_hash"]))
            if same is not None and not (keyed and same["token_hash"] is not None):
                return same
        same = self.by_digest.get((row["kind"], row["digest_hash"]))
        if same is None or row["kind"] != Kind.BUYER_MESSAGE.value:
            return None
        return None if keyed and same["token_hash"] is not None else same


def _merged(stored: dict[str, Any], copy: dict[str, Any]) -> dict[str, Any]:
    """Return what a copy changes: the earliest date, the best proof, the inbox over spam, and what was missing."""
    values: dict[str, Any] = {}
    if copy["received_at"] < stored["received_at"]:
        values["received_at"] = copy["received_at"]
    if _RANK[copy["authenticity"]] > _RANK[stored["authenticity"]]:
        values["authenticity"] = copy["authenticity"]
    if copy["trusted"] and not stored["trusted"]:
        values["trusted"] = True
    if stored["place"] == Where.JUNK.value and copy["place"] != Where.JUNK.value:
        values["place"] = copy["place"]
    values.update({name: copy[name] for name in _FILLED_LATER if stored[name] is None and copy[name] is not None})
    return values


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


def read_related(connection: Connection, ids: Iterable[int]) -> dict[int, Stored]:
    """Return these mails and all that could belong to the same threads, by id.

    Follows orders, aliases, tokens, cited Message-IDs and, for copies without order or alias, names near in time, until
    nothing new is found.
    """
    found: dict[int, Stored] = {}
    asked: dict[str, set[int]] = {"order_hash": set(), "alias_hash": set(), "token_hash": set(), "rfc_hash": set()}
    names_asked: set[int] = set()
    fresh = _read(connection, table.c.id, set(ids), found)
    fresh = [stored for stored in fresh if stored.fact.kind in THREAD_KINDS]
    while fresh:
        for stored in fresh:
            found[stored.fact.id] = stored
        wanted: dict[str, set[int]] = {key: set() for key in asked}
        for stored in fresh:
            fact = stored.fact
            for key, value in (("order_hash", fact.order), ("alias_hash", fact.alias), ("token_hash", fact.token)):
                if value is not None:
                    wanted[key].add(value)
            wanted["rfc_hash"].update(fact.references)
            if fact.spoken_for is not None and fact.spoken_for not in found:
                fresh_spoken = _read(connection, table.c.id, {fact.spoken_for}, {})
                for other in fresh_spoken:
                    for key, value in (("order_hash", other.fact.order), ("alias_hash", other.fact.alias)):
                        if value is not None:
                            wanted[key].add(value)
        related: set[int] = set()
        for key, values in wanted.items():
            values -= asked[key]
            asked[key] |= values
            related |= _read_ids(connection, table.c[key], values)
        following: dict[int, Stored] = {}
        _read(connection, table.c.id, related - found.keys(), found, following)
        for stored in _read_named(connection, fresh, names_asked):
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
    for part in _parts(sorted(values)):
        for row in connection.execute(select(*_FACT_COLUMNS).where(column.in_(part))):
            if row[0] not in known and row[0] not in gathered:
                stored = gathered[row[0]] = _stored(row)
                result.append(stored)
    return result


def _read_ids(connection: Connection, column: Any, values: set[int]) -> set[int]:
    """Return whose rows have these values. Most are known already: only those that are not are read whole."""
    ids: set[int] = set()
    for part in _parts(sorted(values)):
        ids.update(connection.execute(select(table.c.id).where(column.in_(part))).scalars())
    return ids


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
    for part in _parts(sorted(names)):
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


def _parts(values: Sequence[int]) -> Iterable[Sequence[int]]:
    return (values[start : start + IN_LIST] for start in range(0, len(values), IN_LIST))


def save_outcomes(connection: Connection, changes: Sequence[dict[str, Any]]) -> None:
    """Write what became of buyer messages: `id`, thread, target, answer, waiver and what was counted."""
    if not changes:
        return
    statement = (
        update(table)
        .where(table.c.id == bindparam("b_id"))
        .values(
            thread_id=bindparam("b_thread_id"),
            target_seconds=bindparam("b_target_seconds"),
            answered_at=bindparam("b_answered_at"),
            by_hand=bindparam("b_by_hand"),
            waived_at=bindparam("b_waived_at"),
            counted=bindparam("b_counted"),
        )
    )
    connection.execute(statement, [{f"b_{key}": value for key, value in change.items()} for change in changes])
