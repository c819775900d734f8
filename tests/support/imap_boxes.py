"""What IMAP tests share: a configuration for a server on loopback, and a reader that keeps cursors as the worker does."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from monitor.config.model import MailboxConfig
from monitor.sources.base import Batch, Cursor, MailSource, WantsMail
from monitor.sources.imap import ImapSource
from tests.fakes import wants_everything
from tests.support.dovecot import PASSWORD, USERNAME
from tests.support.ports import HOST

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
SINCE = NOW - timedelta(days=90)


def make_mail(subject: str, text: str = "Words.") -> bytes:
    """Return a small mail of a buyer."""
    return f"From: Ada <a1b2c3@marketplace.amazon.fr>\r\nSubject: {subject}\r\n\r\n{text}\r\n".encode()


def make_mailbox(port: int, **changes: Any) -> MailboxConfig:
    """Return a plain mailbox on 127.0.0.1 with a short time-out."""
    values: dict[str, Any] = {
        "name": "support",
        "type": "imap",
        "accounts": ("acme",),
        "host": HOST,
        "port": port,
        "security": "none",
        "username": USERNAME,
        "password": PASSWORD,
        "timeout": timedelta(seconds=5),
    }
    return MailboxConfig(**values | changes)


@dataclass
class Reader:
    """Reads a source and keeps the cursor of every batch."""

    source: MailSource
    cursors: dict[str, Cursor] = field(default_factory=dict)
    batches: list[Batch] = field(default_factory=list)

    def read(self) -> list[Batch]:
        """Return this reading's batches; those before a failure stay in `batches`."""
        first = len(self.batches)
        for batch in self.source.fetch_new(self.cursors, SINCE):
            self.cursors[batch.folder] = batch.cursor
            self.batches.append(batch)
        return self.batches[first:]

    def subjects(self) -> list[str]:
        """Return the subjects of everything read so far, in order."""
        return [
            mail.content.partition(b"Subject: ")[2].split(b"\r\n")[0].decode()
            for batch in self.batches
            for mail in batch.mails
        ]

    @property
    def unreadable(self) -> dict[int, str]:
        """What could not be read so far."""
        return {uid: why for batch in self.batches for uid, why in (batch.unreadable or {}).items()}


@contextmanager
def reading(port: int, wants: WantsMail = wants_everything, **changes: Any) -> Iterator[Reader]:
    """Run with a reader of the mailbox on this port."""
    source = ImapSource(make_mailbox(port, **changes), wants)
    try:
        yield Reader(source)
    finally:
        source.close()
