"""The port every source of mail fills: batches of raw mails with a cursor to store once they are committed."""

import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, TypeAlias

from monitor.core.messages import Where

WantsMail: TypeAlias = Callable[[bytes, Where], bool]
"""Told a mail's header block and its folder's role; returns whether the whole text is worth fetching."""


@dataclass(frozen=True, slots=True)
class Cursor:
    """How far a folder was read. A changed `uidvalidity` makes `last_uid` worthless: the folder is read again.

    `state` is the source's own, opaque text, stored and handed back with the rest.
    """

    uidvalidity: int
    last_uid: int
    state: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RawMail:
    """One mail as the server holds it.

    `content` is the whole mail, or its headers and text parts where the mail is large. `received_at` is INTERNALDATE
    (the file's mtime in a Maildir), aware UTC.
    """

    folder: str
    where: Where
    uid: int
    received_at: datetime
    content: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Some mails of one folder, oldest first.

    `cursor` is stored in the same transaction as what the mails meant, so a kill between two batches repeats or loses
    nothing. `unrelated` counts mails of which only the headers were read; `unreadable` says, per uid, why one that
    looked related could not be fetched at all (kept for a look, never dropped silently). `done` of `total` is how far
    this reading of the folder is, in mails (of an mbox file in bytes); a `total` of 0: not told.
    """

    folder: str
    where: Where
    cursor: Cursor
    mails: tuple[RawMail, ...] = ()
    unrelated: int = 0
    unreadable: Mapping[int, str] | None = None
    done: int = 0
    total: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class FolderFacts:
    """One folder as `check-config --connect` shows it. `name` is decoded from modified UTF-7."""

    name: str
    where: Where
    mails: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MailboxFacts:
    """What a login found: folders read, and the authserv-ids the server writes, most frequent first with their share.

    `sent_from` are the addresses that write replies, `written_to` those that Amazon writes to; most frequent first.
    """

    folders: tuple[FolderFacts, ...]
    authserv_ids: tuple[tuple[str, float], ...] = ()
    supports_idle: bool = False
    sent_from: tuple[str, ...] = ()
    written_to: tuple[str, ...] = ()


class MailSource(Protocol):
    """A mailbox. One instance serves one thread at a time, but `wait_for_change` may run beside `fetch_new`."""

    @property
    def name(self) -> str:
        """The mailbox's name in config.toml."""

    def fetch_new(self, cursors: Mapping[str, Cursor], since: datetime) -> Iterator[Batch]:
        """Yield what arrived after the cursors, folder by folder, in batches of bounded size.

        Args:
            cursors: by folder; a folder without one is read from `since`.
            since: aware UTC; what the server received earlier is left out of a first reading.

        Raises:
            MailboxError: unreachable, refused, broken off. Failing to read is never "no mail".
        """

    def wait_for_change(self, stop: threading.Event, timeout_seconds: float) -> bool:
        """Return True as soon as something may have arrived, False when the time is over or `stop` is set.

        A source that cannot watch waits on `stop` for the whole time and returns False.

        Raises:
            MailboxError: the watch broke; the caller polls and calls again later.
        """

    def probe(self) -> MailboxFacts:
        """Log in, look at the folders, read a sample of headers and return what was found.

        Raises:
            MailboxError: one line with host, account and what to do.
        """

    def close(self) -> None:
        """Drop connections. Never raises."""
