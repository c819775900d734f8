"""What kinds of mail an account and marketplace have shown, and when last: what the clock can see, and what it cannot."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, case, select
from sqlalchemy.dialects import postgresql, sqlite

from monitor.core.messages import Kind, Message
from monitor.store.schema import evidence

OPT_OUT = "BUYER_OPTED_OUT_BSM_MESSAGES"
_KINDS = {
    Kind.BUYER_MESSAGE: "buyer_message",
    Kind.CONFIRMATION_COPY: "confirmation_copy",
    Kind.SELLER_REPLY: "sent_reply",
    Kind.DELIVERY_FAILURE: "delivery_failure",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceRow:
    """How often a kind of mail was seen for an account and marketplace ("" where unknown), and when last."""

    account: str
    marketplace: str
    evidence: str
    count: int
    last_seen_at: datetime


def evidence_of(message: Message) -> str | None:
    """Return what a mail is evidence of, or None."""
    if message.kind is Kind.DELIVERY_FAILURE and message.notice_type == OPT_OUT:
        return "opt_out"
    return _KINDS.get(message.kind)


def record_evidence(connection: Connection, seen: Iterable[tuple[str, Message]]) -> None:
    """Count mails by account, marketplace and what they are evidence of."""
    gathered: dict[tuple[str, str, str], tuple[int, datetime]] = {}
    for account, message in seen:
        kind = evidence_of(message)
        if kind is None:
            continue
        key = (account, message.marketplace or "", kind)
        count, last = gathered.get(key, (0, message.received_at))
        gathered[key] = (count + 1, max(last, message.received_at))
    if not gathered:
        return
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    statement = dialect.insert(evidence)
    newer = statement.excluded.last_seen_at > evidence.c.last_seen_at
    statement = statement.on_conflict_do_update(
        index_elements=[evidence.c.account, evidence.c.marketplace, evidence.c.evidence],
        set_={
            "count": evidence.c.count + statement.excluded.count,
            "last_seen_at": case((newer, statement.excluded.last_seen_at), else_=evidence.c.last_seen_at),
        },
    )
    rows = [
        {"account": account, "marketplace": marketplace, "evidence": kind, "count": count, "last_seen_at": last}
        for (account, marketplace, kind), (count, last) in sorted(gathered.items())
    ]
    connection.execute(statement, rows)


def read_evidence(connection: Connection) -> list[EvidenceRow]:
    """Return the whole table, by account and marketplace."""
    rows = connection.execute(
        select(evidence).order_by(evidence.c.account, evidence.c.marketplace, evidence.c.evidence)
    )
    return [
        EvidenceRow(
            account=row.account,
            marketplace=row.marketplace,
            evidence=row.evidence,
            count=row._mapping["count"],
            last_seen_at=row.last_seen_at,
        )
        for row in rows
    ]


def read_sighted(connection: Connection) -> set[tuple[str, str]]:
    """Return the accounts and marketplaces where a reply made in Seller Central was ever seen; all others are blind."""
    rows = connection.execute(
        select(evidence.c.account, evidence.c.marketplace).where(evidence.c.evidence == "confirmation_copy")
    )
    return {(row.account, row.marketplace) for row in rows}
