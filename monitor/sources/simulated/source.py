"""The invented mailbox as a source: three folders that fill as time goes by.

Owns the numbering (a uid tells the millisecond of arrival) and what is remembered between two starts: when somebody
began to watch stands in the cursors, so that a restarted worker finds the same mails under the same numbers.
"""

import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from zlib import crc32

from monitor.config.model import MailboxConfig
from monitor.core.messages import Where
from monitor.sources.base import Batch, Cursor, FolderFacts, MailboxFacts, RawMail, WantsMail
from monitor.sources.simulated.mails import AUTHSERV_ID, SELLER, render_mail
from monitor.sources.simulated.seller import EPOCH, Event, Seller
from monitor.wallclock import WallClock

FOLDERS = {Where.INBOX: "INBOX", Where.SENT: "Sent", Where.JUNK: "Junk"}
BATCH_MAILS = 500
LOOK_EVERY_SECONDS = 0.5
PER_MILLISECOND = 8
LIVE_EVERY = timedelta(seconds=8)
UNWATCHED = timedelta(hours=1)  # after a longer break the dense stream does not catch up
LONGEST_BREAK = timedelta(days=400)


class SimulatedSource:
    """A `MailSource` for [[mailbox]] type "simulated"."""

    def __init__(
        self, mailbox: MailboxConfig, wants: WantsMail, *, utc_now: WallClock, live_every: timedelta = LIVE_EVERY
    ) -> None:
        """Invent nothing yet.

        Args:
            mailbox: `seed` is the seller, `rate` how busy a usual day is.
            wants: asked for each mail's headers.
            utc_now: decides what has arrived.
            live_every: time between two new matters while it is watched, at rate 1; zero: usual days only.
        """
        self._mailbox = mailbox
        self._wants = wants
        self._utc_now = utc_now
        self._seller = Seller(mailbox.seed, mailbox.rate, live_every / max(mailbox.rate, 0.01))
        self._uidvalidity = crc32(f"{mailbox.seed}/{mailbox.rate}".encode()) % (2**31 - 1) + 1
        self._begun_at: datetime | None = None
        self._idle: tuple[datetime, datetime] | None = None
        self._read_until: datetime | None = None

    @property
    def name(self) -> str:
        """The mailbox's name in config.toml."""
        return self._mailbox.name

    def fetch_new(self, cursors: Mapping[str, Cursor], since: datetime) -> Iterator[Batch]:
        """Yield what arrived after the cursors and until now."""
        now = _whole_millisecond(self._utc_now())
        known = {name: cursor for name, cursor in cursors.items() if cursor.uidvalidity == self._uidvalidity}
        begun_at = self._begin(known, now)
        self._read_until = now
        for where, folder in FOLDERS.items():
            cursor = known.get(folder)
            last_uid = cursor.last_uid if cursor else _uid(since) - 1
            after = max(_instant(last_uid), now - LONGEST_BREAK)
            numbered = [(uid, event) for uid, event in self._numbered(after, now, begun_at, where) if uid > last_uid]
            if numbered or cursor is None:
                # The first cursor tells when watching began, even where nothing arrived for hours.
                end = numbered[-1][0] if cursor else _uid(now) + PER_MILLISECOND - 2
                yield from self._batches(folder, where, numbered, begun_at, end)

    def _begin(self, known: Mapping[str, Cursor], now: datetime) -> datetime:
        if self._begun_at is None:
            stored = [datetime.fromisoformat(cursor.state) for cursor in known.values() if cursor.state]
            self._begun_at = min(stored, default=now)
            last = max((_instant(cursor.last_uid) for cursor in known.values()), default=now)
            if now - last > UNWATCHED:
                self._idle = (last, now - timedelta(minutes=10))
        return self._begun_at

    def _numbered(
        self, after: datetime, until: datetime, begun_at: datetime, where: Where
    ) -> Iterator[tuple[int, Event]]:
        """Yield the folder's mails with their uids: several of one millisecond are told apart by their order."""
        previous, place = -1, 0
        events = self._seller.mails_between(after - timedelta(milliseconds=1), until, begun_at, self._idle)
        for event in events:
            if event.where is where:
                uid = _uid(event.at)
                place = place + 1 if uid == previous else 0
                previous = uid
                yield uid + place, event

    def _batches(
        self, folder: str, where: Where, numbered: Sequence[tuple[int, Event]], begun_at: datetime, end: int
    ) -> Iterator[Batch]:
        for start in range(0, max(1, len(numbered)), BATCH_MAILS):
            lot = numbered[start : start + BATCH_MAILS]
            last_uid = end if start + BATCH_MAILS >= len(numbered) else lot[-1][0]
            mails = [mail for uid, event in lot if (mail := self._mail(folder, uid, event)) is not None]
            yield Batch(
                folder=folder,
                where=where,
                cursor=Cursor(self._uidvalidity, last_uid, begun_at.isoformat()),
                mails=tuple(mails),
                unrelated=len(lot) - len(mails),
            )

    def _mail(self, folder: str, uid: int, event: Event) -> RawMail | None:
        content = render_mail(event)
        if not self._wants(content.partition(b"\r\n\r\n")[0] + b"\r\n\r\n", event.where):
            return None
        # Like INTERNALDATE, in whole seconds, and never before the Date that a mail of that second carries.
        return RawMail(
            folder=folder, where=event.where, uid=uid, received_at=event.at.replace(microsecond=0), content=content
        )

    def wait_for_change(self, stop: threading.Event, timeout_seconds: float) -> bool:
        """Return True when the next mail arrives by the injected clock."""
        until = time.monotonic() + timeout_seconds
        while not stop.is_set():
            if self._has_news():
                return True
            left = until - time.monotonic()
            if left <= 0:
                break
            stop.wait(min(left, LOOK_EVERY_SECONDS))
        return False

    def _has_news(self) -> bool:
        now = self._utc_now()
        if self._read_until is None or self._begun_at is None or now <= self._read_until:
            return False
        return bool(self._seller.mails_between(self._read_until, now, self._begun_at, self._idle))

    def probe(self) -> MailboxFacts:
        """Return the folders with what the last 90 days brought."""
        now = self._utc_now()
        events = self._seller.mails_between(now - timedelta(days=90), now, self._begun_at or now)
        return MailboxFacts(
            folders=tuple(
                FolderFacts(name=name, where=where, mails=sum(event.where is where for event in events))
                for where, name in FOLDERS.items()
            ),
            authserv_ids=((AUTHSERV_ID, 1.0),),
            supports_idle=True,
            sent_from=(SELLER,),
            written_to=(SELLER,),
        )

    def close(self) -> None:
        """Nothing is held open."""


def _whole_millisecond(instant: datetime) -> datetime:
    return instant.replace(microsecond=instant.microsecond // 1000 * 1000)


def _uid(instant: datetime) -> int:
    return (instant - EPOCH) // timedelta(milliseconds=1) * PER_MILLISECOND + 1


def _instant(uid: int) -> datetime:
    return EPOCH + timedelta(milliseconds=uid // PER_MILLISECOND)
