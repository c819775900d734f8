"""Recording mails once, whatever the number of copies.

Owns the `message` table's identity rules: a buyer message is known by Amazon's key, then by Message-ID, then by who wrote
what when; what a later copy adds (an order, a proof, the inbox instead of spam) is merged into the first. A key may also
stand in what a buyer quotes: what comes from the buyer's alias at quite another time is another message.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, select, update

from monitor.core.classify import SignalName
from monitor.core.messages import Authenticity, Kind, Message, Where
from monitor.store.bulk import insert_rows, parts
from monitor.store.columns import reserve_ids
from monitor.store.identifiers import Hasher
from monitor.store.schema import message as table

_RANK = {Authenticity.PASSED.value: 2, Authenticity.UNKNOWN.value: 1, Authenticity.FAILED.value: 0}
_FILLED_LATER = (
    "key_hash", "marketplace", "order_hash", "token_hash", "suffix_hash", "alias_hash", "name_hash", "refused_at",
)  # fmt: skip
_COPIES_WITHIN = timedelta(minutes=10)
"""How far apart the dates of one message's copies are at most, where Amazon sent each of them itself."""
_FROM_THE_BUYER = {SignalName.RELAY_SENDER, SignalName.RELAY_DEFAULT}
_MAYBE_REDIRECTED = _FROM_THE_BUYER | {SignalName.RELAY_REPLY_TO}
"""Signs that a mail came from the buyer's alias, and not from somebody who passed it on at another time."""


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
    """What came of a batch: ids of new rows and of rows that a copy changed, with the mail that did it.

    `rows`: the new ones as they were written, so that nobody has to read them again.
    """

    new: dict[int, Incoming] = field(default_factory=dict)
    rows: dict[int, dict[str, Any]] = field(default_factory=dict)
    changed: dict[int, Incoming] = field(default_factory=dict)
    copies: int = 0


def settle_accounts(connection: Connection, incoming: Sequence[Incoming], hasher: Hasher) -> list[Incoming]:
    """Return the mails with one account for each buyer message.

    Where its own signs fit several, it is the account of another copy, else the one that the buyer wrote to before or writes
    to in the same batch; else the first: a clock on the wrong account still warns somebody, and no clock warns nobody.
    """
    open_ones = [item for item in incoming if item.message.kind is Kind.BUYER_MESSAGE and len(item.accounts) > 1]
    if not open_ones:
        return list(incoming)
    clear = [item for item in incoming if item.message.kind is Kind.BUYER_MESSAGE and len(item.accounts) == 1]
    of_copy = _accounts_of_keys(connection, open_ones, clear, hasher)
    aliases = {hasher.number("alias", item.message.alias) for item in open_ones if item.message.alias}
    before = {hasher.number("alias", item.message.alias): item.accounts[0] for item in clear if item.message.alias}
    for part in parts(sorted(aliases)):
        statement = select(table.c.alias_hash, table.c.account).where(
            table.c.alias_hash.in_(part), table.c.kind == Kind.BUYER_MESSAGE.value
        )
        before.update(
            {row.alias_hash: row.account for row in connection.execute(statement.order_by(table.c.received_at))}
        )
    settled: list[Incoming] = []
    for item in incoming:
        if item.message.kind is Kind.BUYER_MESSAGE:
            alias = hasher.optional("alias", item.message.alias)
            known = None if alias is None else before.get(alias)
            if len(item.accounts) > 1:
                choices = (of_copy.get(item.message.message_key or ""), known)
                item = replace(
                    item, accounts=(next((one for one in choices if one in item.accounts), item.accounts[0]),)
                )
            if alias is not None:
                before[alias] = item.accounts[0]
        settled.append(item)
    return settled


def _accounts_of_keys(
    connection: Connection, open_ones: Sequence[Incoming], clear: Sequence[Incoming], hasher: Hasher
) -> dict[str, str]:
    """Return the accounts of copies that are told, by Amazon's key: of those in this batch, and of those stored."""
    found = {item.message.message_key: item.accounts[0] for item in clear if item.message.message_key}
    hashes = {
        hasher.number("key", account, item.message.message_key): (item.message.message_key, account)
        for item in open_ones
        for account in item.accounts
        if item.message.message_key and item.message.message_key not in found
    }
    for part in parts(sorted(hashes)):
        for stored in connection.execute(select(table.c.key_hash).where(table.c.key_hash.in_(part))).scalars():
            key, account = hashes[stored]
            found[key] = account
    return found


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
        if row["key_hash"] is not None and known.quotes(row, item.message, hasher):
            row |= {"key_hash": None, "identity": _identity(item, row["digest_hash"], hasher)}
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
        known.add(twin)  # it may be known by a key from now on
        if "id" in twin:
            merges.setdefault(twin["id"], {}).update(differing)
            recorded.changed[twin["id"]] = item
    if inserts:
        ids = reserve_ids(connection, table, len(inserts))
        for row_id, row in zip(ids, inserts, strict=True):
            row["id"] = row_id
        insert_rows(connection, table, inserts)
        recorded.new = dict(zip(ids, sources, strict=True))
        recorded.rows = dict(zip(ids, inserts, strict=True))
    for row_id, values in merges.items():
        connection.execute(update(table).where(table.c.id == row_id).values(**values))
    return recorded


def _row(item: Incoming, hasher: Hasher, seen_at: datetime) -> dict[str, Any]:
    message = item.message
    account = item.accounts[0]
    alias = hasher.optional("alias", message.alias)
    order = None if message.order_id is None else hasher.number("order", message.order_id)
    digest = None
    if message.kind is Kind.BUYER_MESSAGE or not message.message_id:  # what else is known by its Message-ID alone
        digest = _digest(message, account, message.received_at, hasher)
    key = None
    if message.message_key and message.kind is Kind.BUYER_MESSAGE:
        key = hasher.number("key", account, message.message_key)
    return {
        "identity": _identity(item, digest, hasher) if key is None else key,
        "key_hash": key,
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


def _digest(message: Message, account: str, at: datetime, hasher: Hasher) -> int:
    """Return by what these words of this buyer are known, had they come at this instant."""
    minute = at.replace(second=0, microsecond=0).isoformat()
    return hasher.number("digest", account, message.alias or "", message.order_id or "", message.text_digest, minute)


def _identity(item: Incoming, digest: int | None, hasher: Hasher) -> int:
    """Return by what a mail is known that has no key of Amazon's."""
    message = item.message
    if message.message_id:
        return hasher.number("message-id", message.kind, item.accounts[0], message.message_id)
    return hasher.number("digest", message.kind, str(digest))


class _Known:
    """The rows, stored or about to be, that a mail may be a copy of."""

    def __init__(self, connection: Connection, rows: Sequence[dict[str, Any]]) -> None:
        self.by_identity: dict[int, dict[str, Any]] = {}
        self.by_key: dict[int, dict[str, Any]] = {}
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
                "account",
                "signals",
                *_FILLED_LATER,
            )
        ]
        for column, key in (
            (table.c.identity, "identity"),
            (table.c.key_hash, "key_hash"),
            (table.c.rfc_hash, "rfc_hash"),
            (table.c.digest_hash, "digest_hash"),
        ):
            values = {row[key] for row in rows if row[key] is not None}
            for part in parts(sorted(values)):
                for stored in connection.execute(select(*columns).where(column.in_(part))).mappings():
                    self.add(dict(stored))

    def add(self, row: dict[str, Any]) -> None:
        row = self.by_identity.setdefault(row["identity"], row)
        if row["key_hash"] is not None:
            self.by_key.setdefault(row["key_hash"], row)
        if row["rfc_hash"] is not None:
            self.by_rfc.setdefault((row["kind"], row["rfc_hash"]), row)
        if row["digest_hash"] is not None:
            self.by_digest.setdefault((row["kind"], row["digest_hash"]), row)

    def quotes(self, row: Mapping[str, Any], message: Message, hasher: Hasher) -> bool:
        """Return whether the key of a mail is that of another message, which the buyer quotes, or which quotes this one.

        Both came from the buyer's alias, under different Message-IDs and at different times: Amazon sends all copies at once.
        Where they came soon after each other, or a redirect may have dated one anew, their words must differ too.
        """
        other = self.by_key.get(row["key_hash"])
        if other is None or row["rfc_hash"] in (None, other["rfc_hash"]):
            return False
        soon = abs(row["received_at"] - other["received_at"]) <= _COPIES_WITHIN
        signs = [set(one["signals"].split()) for one in (row, other)]
        from_the_buyer = all(_FROM_THE_BUYER & found for found in signs)
        if from_the_buyer and not soon:
            return True
        if not from_the_buyer and (soon or not all(_MAYBE_REDIRECTED & found for found in signs)):
            return False
        there = _digest(message, other["account"], other["received_at"], hasher)
        return bool(there != other["digest_hash"])

    def twin_of(self, row: dict[str, Any]) -> dict[str, Any] | None:
        """Return the row this one is a copy of.

        The same words in the same minute are one message only where Amazon's key is missing on either side: two keys are
        two messages, however alike.
        """
        same = self.by_identity.get(row["identity"])
        keyed = row["key_hash"] is not None
        if same is None and keyed:
            same = self.by_key.get(row["key_hash"])
        if same is not None:
            return same
        if row["rfc_hash"] is not None:
            same = self.by_rfc.get((row["kind"], row["rfc_hash"]))
            if same is not None and not (keyed and same["key_hash"] is not None):
                return same
        same = self.by_digest.get((row["kind"], row["digest_hash"]))
        if same is None or row["kind"] != Kind.BUYER_MESSAGE.value:
            return None
        return None if keyed and same["key_hash"] is not None else same


def _merged(stored: dict[str, Any], copy: dict[str, Any]) -> dict[str, Any]:
    """Return what a copy changes: the earliest date, the best proof, the inbox over spam, and what was missing."""
    values: dict[str, Any] = {}
    if copy["received_at"] < stored["received_at"]:
        values["received_at"] = copy["received_at"]
        if copy["digest_hash"] is not None:  # it holds the minute
            values["digest_hash"] = copy["digest_hash"]
    if _RANK[copy["authenticity"]] > _RANK[stored["authenticity"]]:
        values["authenticity"] = copy["authenticity"]
    if copy["trusted"] and not stored["trusted"]:
        values["trusted"] = True
    if stored["place"] == Where.JUNK.value and copy["place"] != Where.JUNK.value:
        values["place"] = copy["place"]
    values.update({name: copy[name] for name in _FILLED_LATER if stored[name] is None and copy[name] is not None})
    return values
