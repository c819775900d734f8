"""Stand-ins that keep their port's promises: a clock that is moved by hand, a mailbox in memory.

Each is held to the same contract suite as the real thing (`tests/contract/`).
"""

import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from monitor.core.messages import Where
from monitor.errors import MailboxError
from monitor.sources.base import Batch, Cursor, FolderFacts, MailboxFacts, RawMail, WantsMail
from monitor.sources.sampled_headers import count_authserv_ids

FOLDER_NAMES = {Where.INBOX: "INBOX", Where.SENT: "Sent", Where.JUNK: "Junk"}


class FakeWallClock:
    """A `WallClock` that stands still until a test moves it."""

    def __init__(self, now: datetime = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)) -> None:
        """Stand at `now`, an aware instant."""
        if now.tzinfo is None:
            raise ValueError("a fake clock needs an aware instant")
        self.now = now

    def __call__(self) -> datetime:
        """Return the present instant, aware UTC."""
        return self.now

    def advance(self, by: timedelta | None = None, **units: float) -> datetime:
        """Move on by a timedelta, or by `hours=…`, `minutes=…`, `seconds=…`; return the new instant. May go back."""
        self.now += by if by is not None else timedelta(**units)
        return self.now

    def set(self, now: datetime) -> None:
        """Stand at another instant."""
        self.now = now


@dataclass
class MemoryFolder:
    """One folder of a `MemoryMailbox`."""

    name: str
    where: Where
    uidvalidity: int = 1
    next_uid: int = 1
    mails: dict[int, tuple[datetime, bytes]] = field(default_factory=dict)
    unreadable: dict[int, str] = field(default_factory=dict)


def wants_everything(headers: bytes, where: Where) -> bool:
    """Want every mail."""
    return True


class MemoryMailbox:
    """A `MailSource` in memory: mails are put in, expunged and made unreadable by the test."""

    def __init__(
        self, name: str = "support", wants: WantsMail = wants_everything, *, batch_size: int = 500, idle: bool = True
    ) -> None:
        """Start with INBOX, Sent and Junk, all empty."""
        self._name = name
        self._wants = wants
        self._batch_size = batch_size
        self._idle = idle
        self._changed = threading.Condition()
        self._failures: list[MailboxError] = []
        self._delivered = 0
        self._noticed = 0
        self.folders = {folder: MemoryFolder(folder, where) for where, folder in FOLDER_NAMES.items()}
        self.polls = 0
        self.closed = False
        self.probes = 0

    @property
    def name(self) -> str:
        """The mailbox's name."""
        return self._name

    def deliver(self, content: bytes, received_at: datetime, where: Where = Where.INBOX) -> int:
        """Put a mail into the folder of this role and return its uid."""
        folder = self.folders[FOLDER_NAMES[where]]
        with self._changed:
            uid = folder.next_uid
            folder.mails[uid] = (received_at, content)
            folder.next_uid += 1
            self._delivered += 1
            self._changed.notify_all()
        return uid

    def expunge(self, uid: int, where: Where = Where.INBOX) -> None:
        """Remove a mail."""
        del self.folders[FOLDER_NAMES[where]].mails[uid]

    def make_unreadable(self, uid: int, reason: str, where: Where = Where.INBOX) -> None:
        """Answer every attempt to fetch this mail with a refusal."""
        self.folders[FOLDER_NAMES[where]].unreadable[uid] = reason

    def change_uidvalidity(self, where: Where = Where.INBOX) -> None:
        """Number the folder's mails anew, as a server does after a restore."""
        folder = self.folders[FOLDER_NAMES[where]]
        folder.uidvalidity += 1
        folder.mails = dict(enumerate(folder.mails.values(), start=1))
        folder.next_uid = len(folder.mails) + 1

    def fail_next(self, *errors: MailboxError) -> None:
        """Raise these, one a call, from the next calls of `fetch_new`, `wait_for_change` and `probe`."""
        self._failures.extend(errors)

    def fetch_new(self, cursors: Mapping[str, Cursor], since: datetime) -> Iterator[Batch]:
        """Yield what came after the cursors, as every source does."""
        self._raise_failure()
        self.polls += 1
        with self._changed:
            self._noticed = self._delivered
        for folder in self.folders.values():
            yield from self._fetch_folder(folder, cursors.get(folder.name), since)

    def _fetch_folder(self, folder: MemoryFolder, cursor: Cursor | None, since: datetime) -> Iterator[Batch]:
        known = cursor is not None and cursor.uidvalidity == folder.uidvalidity
        first = cursor.last_uid + 1 if cursor is not None and known else 1
        if known and folder.next_uid == first:
            return
        uids = [uid for uid, (at, _) in sorted(folder.mails.items()) if uid >= first and (known or at >= since)]
        chunks = [uids[i : i + self._batch_size] for i in range(0, len(uids), self._batch_size)] or [[]]
        for chunk in chunks:
            last_uid = folder.next_uid - 1 if chunk is chunks[-1] else chunk[-1]
            yield self._read(folder, chunk, Cursor(folder.uidvalidity, last_uid))

    def _read(self, folder: MemoryFolder, uids: list[int], cursor: Cursor) -> Batch:
        mails: list[RawMail] = []
        unrelated = 0
        for uid in uids:
            if uid in folder.unreadable or uid not in folder.mails:
                continue
            received_at, content = folder.mails[uid]
            headers = content.partition(b"\r\n\r\n")[0] + b"\r\n\r\n"
            if self._wants(headers, folder.where):
                mails.append(
                    RawMail(folder=folder.name, where=folder.where, uid=uid, received_at=received_at, content=content)
                )
            else:
                unrelated += 1
        return Batch(
            folder=folder.name,
            where=folder.where,
            cursor=cursor,
            mails=tuple(mails),
            unrelated=unrelated,
            unreadable={uid: folder.unreadable[uid] for uid in uids if uid in folder.unreadable} or None,
        )

    def wait_for_change(self, stop: threading.Event, timeout_seconds: float) -> bool:
        """Return True when a mail was delivered since the last `fetch_new`."""
        self._raise_failure()
        if not self._idle:
            stop.wait(timeout_seconds)
            return False
        waited = 0.0
        with self._changed:
            while waited < timeout_seconds and not stop.is_set() and self._delivered == self._noticed:
                self._changed.wait(0.05)
                waited += 0.05
            return self._delivered != self._noticed and not stop.is_set()

    def probe(self) -> MailboxFacts:
        """Return the folders and their counts, and whose verdicts the received mails carry."""
        self._raise_failure()
        self.probes += 1
        return MailboxFacts(
            folders=tuple(FolderFacts(name=f.name, where=f.where, mails=len(f.mails)) for f in self.folders.values()),
            authserv_ids=count_authserv_ids(content for _, content in self.folders["INBOX"].mails.values()),
            supports_idle=self._idle,
        )

    def close(self) -> None:
        """Remember that it was closed."""
        self.closed = True

    def _raise_failure(self) -> None:
        if self._failures:
            raise self._failures.pop(0)
