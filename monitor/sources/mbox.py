"""An mbox file as a source of mail: an export of a mail program, or Gmail's own (Takeout), whose labels tell Sent and spam.

Reads the file and never changes it. The cursor is a place in the file, and holds only for the very bytes before it.
"""

import os
import re
import threading
from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from email.errors import HeaderParseError
from email.header import decode_header, make_header
from email.utils import parsedate_to_datetime
from hashlib import sha256
from itertools import islice
from pathlib import Path
from typing import BinaryIO

from monitor.core.messages import Where
from monitor.errors import MailboxError
from monitor.sources.base import Batch, Cursor, FolderFacts, MailboxFacts, RawMail, WantsMail
from monitor.sources.imap_folders import JUNK_NAMES, SENT_NAMES
from monitor.sources.mbox_file import MboxFile, NotMbox, Postmark
from monitor.sources.sampled_headers import SAMPLE_MAILS, count_authserv_ids, count_recipients, count_senders

BATCH_MAILS = 500
BATCH_BYTES = 8 << 20
SIGNED_BYTES = (
    1 << 16
)  # of the file's beginning, and of what lies before the cursor: they tell whether it is the same file
NUMBERING = 1  # a mail's number is its place in the file
EARLIEST, LATEST = datetime(2005, 1, 1, tzinfo=UTC), datetime(2060, 1, 1, tzinfo=UTC)

_LABELS = re.compile(rb"(?im)^x-gmail-labels:[ \t]*([^\r\n]*(?:\r?\n[ \t][^\r\n]*)*)")
_RECEIVED = re.compile(rb"(?im)^received:[ \t]*([^\r\n]*(?:\r?\n[ \t][^\r\n]*)*)")
_SENT_AT = re.compile(rb"(?im)^date:[ \t]*([^\r\n]*(?:\r?\n[ \t][^\r\n]*)*)")
_FOLD = re.compile(r"\r?\n[ \t]*")
DRAFT_NAMES = """
draft; drafts; brouillons; entwürfe; borradores; rascunhos; bozze; concepten; wersje robocze; utkast; taslaklar; 下書き
"""
DRAFT_LABELS = frozenset(name.strip() for name in DRAFT_NAMES.split(";"))
SENT_LABELS = frozenset(name.strip() for name in SENT_NAMES.split(";")) | {"gönderilmiş postalar", "correo enviado"}
JUNK_LABELS = frozenset(name.strip() for name in JUNK_NAMES.split(";"))


class MboxSource:
    """A `MailSource` for one file. `role` is that of its mails where no label says otherwise."""

    def __init__(self, name: str, path: Path, wants: WantsMail, role: Where = Where.INBOX) -> None:
        """Read nothing yet. `name` is the mailbox's in messages and cursors."""
        self._name = name
        self._path = path
        self._wants = wants
        self._role = role

    @property
    def name(self) -> str:
        """The mailbox's name."""
        return self._name

    def fetch_new(self, cursors: Mapping[str, Cursor], since: datetime) -> Iterator[Batch]:
        """Yield what stands behind the cursor, in the file's order; mails from before `since` are left out.

        `total` of the batches is the file's size and `done` the place in it, in bytes.

        Raises:
            MailboxError: it cannot be read, or is no mbox.
        """
        try:
            with self._path.open("rb") as file:
                offset = _resume(file, cursors.get(self._folder))
                try:
                    yield from self._batches(file, offset, since)
                except NotMbox:
                    if not offset:
                        raise
                    # The file ended in the middle of a mail when it was read; what follows is no beginning.
                    yield from self._batches(file, 0, since)
        except NotMbox:
            raise self._no_mbox() from None
        except OSError as error:
            raise self._unreadable(error) from None

    def _unreadable(self, error: OSError) -> MailboxError:
        return MailboxError(f"{self._path}: {error.strerror}. Name an mbox file that this user may read.", "other")

    def _no_mbox(self) -> MailboxError:
        return MailboxError(
            f'{self._path}: not an mbox: its first line does not begin with "From ". '
            "Export the mails as mbox, or name a Maildir (a folder with cur and new).",
            "other",
        )

    @property
    def _folder(self) -> str:
        return f"{self._path.name[-160:]} ({self._role.value})"

    def _batches(self, file: BinaryIO, offset: int, since: datetime) -> Iterator[Batch]:
        total = os.fstat(file.fileno()).st_size
        modified_at = datetime.fromtimestamp(max(os.fstat(file.fileno()).st_mtime, 0), UTC)
        box = MboxFile(file, offset)
        mails: list[RawMail] = []
        unrelated, looked_at, size = 0, 0, 0

        def batch(until: int) -> Batch:
            return Batch(
                folder=self._folder,
                where=self._role,
                cursor=Cursor(NUMBERING, until, _sign(file, until)),
                mails=tuple(mails),
                unrelated=unrelated,
                done=until,
                total=total,
            )

        for mail in box.mails():
            if looked_at >= BATCH_MAILS or size >= BATCH_BYTES:
                yield batch(mail.offset)
                mails, unrelated, looked_at, size = [], 0, 0, 0
            looked_at += 1
            headers = mail.headers
            where = role_of(headers, self._role)
            at = received_at(headers, mail.postmark, modified_at)
            if where is None or at < since:
                continue
            if not self._wants(headers, where):
                unrelated += 1
                continue
            content = mail.read()
            size += len(content)
            mails.append(RawMail(folder=self._folder, where=where, uid=mail.offset, received_at=at, content=content))
        yield batch(box.position)

    def wait_for_change(self, stop: threading.Event, timeout_seconds: float) -> bool:
        """Wait for `stop`; a file is not watched."""
        stop.wait(timeout_seconds)
        return False

    def probe(self) -> MailboxFacts:
        """Return whose verdicts the first mails carry and who writes replies; how many there are is not counted.

        Raises:
            MailboxError: it cannot be read, or is no mbox.
        """
        received: list[bytes] = []
        sent: list[bytes] = []
        try:
            with self._path.open("rb") as file:
                for mail in islice(MboxFile(file).mails(), SAMPLE_MAILS):
                    headers = mail.headers
                    (sent if role_of(headers, self._role) is Where.SENT else received).append(headers)
        except NotMbox:
            raise self._no_mbox() from None
        except OSError as error:
            raise self._unreadable(error) from None
        return MailboxFacts(
            folders=(FolderFacts(name=self._folder, where=self._role, mails=len(received) + len(sent)),),
            authserv_ids=count_authserv_ids(received),
            sent_from=count_senders(sent),
            written_to=count_recipients(received),
        )

    def close(self) -> None:
        """Nothing is held open."""


def _resume(file: BinaryIO, cursor: Cursor | None) -> int:
    """Return where to go on: at the cursor, if the bytes before it are those that were read; else at the beginning."""
    if cursor is None or cursor.uidvalidity != NUMBERING:
        return 0
    return cursor.last_uid if _sign(file, cursor.last_uid) == cursor.state else 0


def _sign(file: BinaryIO, until: int) -> str:
    """Return what the file's beginning and the bytes before a place in it come to; the file is left where it was."""
    here = file.tell()
    digest = sha256()
    for begin, end in ((0, min(until, SIGNED_BYTES)), (max(until - SIGNED_BYTES, 0), until)):
        file.seek(begin)
        digest.update(file.read(end - begin))
    file.seek(here)
    return digest.hexdigest()[:32]


def role_of(headers: bytes, otherwise: Where) -> Where | None:
    """Return where a mail lay, by Gmail's labels in any language; `otherwise` without labels, None for a draft."""
    found = _LABELS.search(headers)
    if found is None:
        return otherwise
    text = _FOLD.sub(" ", found[1].decode("utf-8", "replace"))
    with suppress(HeaderParseError, LookupError, UnicodeError, ValueError):  # else the words as they stand
        text = str(make_header(decode_header(text)))
    labels = {label.strip(' "').casefold() for label in text.split(",")}
    if labels & DRAFT_LABELS:
        return None
    if labels & SENT_LABELS:
        return Where.SENT
    return Where.JUNK if labels & JUNK_LABELS else Where.INBOX


def received_at(headers: bytes, postmark: Postmark, modified_at: datetime) -> datetime:
    """Return when a mail reached its mailbox, aware UTC: a postmark with an offset says so, then the newest Received header.

    A mail without one was sent from here: its Date. A postmark without an offset is often local time; it comes before the
    file's own date, which is last.
    """
    if postmark.zoned and postmark.at is not None:
        return postmark.at
    instants = (
        _instant(found, last=last)
        for found, last in ((_RECEIVED.search(headers), True), (_SENT_AT.search(headers), False))
    )
    return next((at for at in instants if at is not None and EARLIEST <= at < LATEST), postmark.at or modified_at)


def _instant(found: re.Match[bytes] | None, *, last: bool) -> datetime | None:
    if found is None:
        return None
    text = _FOLD.sub(" ", found[1].decode("latin-1"))
    try:
        at = parsedate_to_datetime(text.rpartition(";")[2] if last else text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return None if at.tzinfo is None else at.astimezone(UTC)
