"""How reading goes: cursors, each mailbox's health and outages, mails that could not be read, and what was done when."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, and_, delete, func, insert, select, update

from monitor.core.snapshot import MailboxHealth
from monitor.store.schema import bad_mail, folder_cursor, mailbox_health, mailbox_outage, mark
from monitor.store.upsert import upsert

BLIND = "blind:"
"""Marks the mailboxes of which it was told that they cannot be read."""
HEARTBEAT = "heartbeat"
"""Marks the last ping of the dead-man's switch that arrived."""
STARTED = "started"
"""Marks when the worker that ran last began, before it waited for its turn: its configuration was read by then."""


@dataclass(frozen=True, slots=True)
class StoredCursor:
    """How far a folder was read; `state` is the source's own, opaque."""

    uidvalidity: int
    last_uid: int
    state: str | None = None


def read_cursors(connection: Connection, mailbox: str) -> dict[str, StoredCursor]:
    """Return the cursors of a mailbox by folder."""
    rows = connection.execute(select(folder_cursor).where(folder_cursor.c.mailbox == mailbox))
    return {row.folder: StoredCursor(row.uidvalidity, row.last_uid, row.state) for row in rows}


def record_cursor(connection: Connection, mailbox: str, folder: str, cursor: StoredCursor) -> None:
    """Store how far a folder was read, in the same transaction as what its mails meant."""
    row = {
        "mailbox": mailbox,
        "folder": folder,
        "uidvalidity": cursor.uidvalidity,
        "last_uid": cursor.last_uid,
        "state": cursor.state,
    }
    upsert(connection, folder_cursor, [row], ["uidvalidity", "last_uid", "state"])


def record_bad_mails(
    connection: Connection, mailbox: str, folder: str, problems: Mapping[int, str], now: datetime
) -> None:
    """Keep, per uid, what was wrong with a mail, so that a person can look at it."""
    if problems:
        rows = [
            {"mailbox": mailbox, "folder": folder, "uid": uid, "problem": problem, "seen_at": now}
            for uid, problem in problems.items()
        ]
        connection.execute(insert(bad_mail), rows)


@dataclass(frozen=True, slots=True)
class BadMail:
    """A mail that could not be read, or only in part. `uid`: its number in the folder; in an mbox file its first byte."""

    mailbox: str
    folder: str
    uid: int
    seen_at: datetime
    problem: str


def read_bad_mails(connection: Connection, limit: int) -> list[BadMail]:
    """Return the newest of the mails kept for a look."""
    rows = connection.execute(select(bad_mail).order_by(bad_mail.c.id.desc()).limit(limit))
    return [BadMail(row.mailbox, row.folder, row.uid, row.seen_at, row.problem) for row in rows]


def count_bad_mails(connection: Connection, since: datetime) -> int:
    """Return how many such mails were seen since an instant."""
    return connection.execute(select(func.count()).where(bad_mail.c.seen_at >= since)).scalar_one()


def record_success(connection: Connection, mailbox: str, now: datetime) -> MailboxHealth | None:
    """Store a successful poll; return the trouble it ends, if there was one."""
    before = connection.execute(select(mailbox_health).where(mailbox_health.c.mailbox == mailbox)).first()
    row = {
        "mailbox": mailbox,
        "last_success_at": now,
        "failing_since": None,
        "trouble": None,
        "reason": None,
        "told_at": None,
    }
    upsert(connection, mailbox_health, [row], list(row)[1:])
    if before is None or before.failing_since is None:
        return None
    connection.execute(
        update(mailbox_outage)
        .where(mailbox_outage.c.mailbox == mailbox, mailbox_outage.c.to_at.is_(None))
        .values(to_at=now)
    )
    return MailboxHealth(mailbox=mailbox, last_success_at=before.last_success_at, trouble=before.trouble)


def record_failure(connection: Connection, mailbox: str, trouble: str, reason: str, now: datetime) -> None:
    """Store a failed poll; the first of a row begins an outage."""
    before = connection.execute(select(mailbox_health).where(mailbox_health.c.mailbox == mailbox)).first()
    since = now if before is None or before.failing_since is None else before.failing_since
    row = {"mailbox": mailbox, "failing_since": since, "trouble": trouble, "reason": reason}
    upsert(connection, mailbox_health, [row], list(row)[1:])
    if since == now:
        connection.execute(insert(mailbox_outage).values(mailbox=mailbox, from_at=now, to_at=None, reason=reason))


def forget_mailboxes(connection: Connection, configured: Collection[str], now: datetime) -> None:
    """Forget how reading goes of every other mailbox: nobody reads it any more. Its outage ends here."""
    connection.execute(delete(mailbox_health).where(mailbox_health.c.mailbox.not_in(configured)))
    ended = and_(mailbox_outage.c.mailbox.not_in(configured), mailbox_outage.c.to_at.is_(None))
    connection.execute(update(mailbox_outage).where(ended).values(to_at=now))
    told = [f"{BLIND}{name}" for name in configured]
    connection.execute(delete(mark).where(mark.c.name.startswith(BLIND, autoescape=True), mark.c.name.not_in(told)))


@dataclass(frozen=True, slots=True)
class MailboxTrouble:
    """A mailbox that cannot be read. `told_at`: when that was told; None: not yet."""

    mailbox: str
    last_success_at: datetime | None
    failing_since: datetime
    trouble: str
    reason: str
    told_at: datetime | None


def read_troubles(connection: Connection) -> list[MailboxTrouble]:
    """Return the mailboxes that cannot be read at present."""
    rows = connection.execute(select(mailbox_health).where(mailbox_health.c.failing_since.is_not(None)))
    return [
        MailboxTrouble(row.mailbox, row.last_success_at, row.failing_since, row.trouble, row.reason, row.told_at)
        for row in rows
    ]


def record_told(connection: Connection, mailbox: str, now: datetime) -> None:
    """Store that a mailbox's trouble was told."""
    connection.execute(update(mailbox_health).where(mailbox_health.c.mailbox == mailbox).values(told_at=now))


def read_health(connection: Connection) -> tuple[MailboxHealth, ...]:
    """Return how reading each mailbox goes."""
    rows = connection.execute(select(mailbox_health).order_by(mailbox_health.c.mailbox))
    return tuple(
        MailboxHealth(mailbox=row.mailbox, last_success_at=row.last_success_at, trouble=row.trouble) for row in rows
    )


def read_mark(connection: Connection, name: str) -> datetime | None:
    """Return when something was done last, or None."""
    return connection.execute(select(mark.c.at).where(mark.c.name == name)).scalar()


def read_mark_detail(connection: Connection, name: str) -> str | None:
    """Return what was noted with a mark, or None."""
    return connection.execute(select(mark.c.detail).where(mark.c.name == name)).scalar()


def read_marks(connection: Connection, prefix: str) -> dict[str, datetime]:
    """Return all marks whose name begins so, with when they were made."""
    rows = connection.execute(select(mark.c.name, mark.c.at).where(mark.c.name.startswith(prefix, autoescape=True)))
    return {row.name: row.at for row in rows}


def record_mark(connection: Connection, name: str, at: datetime, detail: str = "") -> None:
    """Store when something was done last."""
    upsert(connection, mark, [{"name": name, "at": at, "detail": detail}], ["at", "detail"])


def record_first_mark(connection: Connection, name: str, at: datetime, detail: str = "") -> datetime:
    """Store when something was first done, once; return that instant."""
    upsert(connection, mark, [{"name": name, "at": at, "detail": detail}], [])
    stored = read_mark(connection, name)
    assert stored is not None
    return stored


def delete_mark(connection: Connection, name: str) -> None:
    """Forget a mark."""
    connection.execute(delete(mark).where(mark.c.name == name))
