"""An IMAP mailbox as a source of mail: read-only, incremental by UIDVALIDITY and UID, watched by IDLE.

Owns the two connections (one reads, one watches) and what happens when they break. No flag is ever set and nothing
is deleted: folders are opened with EXAMINE, mail is read with BODY.PEEK.
"""

import contextlib
import threading
import time
from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from monitor.config.model import MailboxConfig
from monitor.core.messages import Where
from monitor.errors import MailboxError
from monitor.sources.base import Batch, Cursor, MailboxFacts, WantsMail
from monitor.sources.imap_folders import FolderPlan, ReadFolder, plan_folders
from monitor.sources.imap_login import ConnectionLost, ImapServer
from monitor.sources.imap_probe import probe_mailbox
from monitor.sources.imap_protocol import STOP_SEEN_SECONDS, FolderState, ImapConnection
from monitor.sources.imap_reader import BATCH_MAILS, FolderReader, new_uids, with_unreadable

IDLE_RENEWED_SECONDS = 240.0  # a dead link says nothing until it is asked; routers forget after 5 minutes
RECONNECTS = 10  # in one folder and one reading
CUTS_OF_TEXT, CUTS_GIVEN_UP = 2, 3  # so often may one mail end the connection


class ImapSource:
    """A `MailSource` for [[mailbox]] type "imap"."""

    def __init__(
        self,
        mailbox: MailboxConfig,
        wants: WantsMail,
        *,
        password: Callable[[], str] | None = None,
        token: Callable[[], str] | None = None,
    ) -> None:
        """Connect to nothing yet.

        Args:
            mailbox: where the mail lies.
            wants: asked for each mail's headers.
            password: asked at each login; by default the configured one.
            token: gives an OAuth access token at each login, then used in place of the password (XOAUTH2).
        """
        self._mailbox = mailbox
        self._wants = wants
        self._server = ImapServer(
            mailbox=mailbox.name,
            host=mailbox.host,
            port=mailbox.port,
            security=mailbox.security,
            username=mailbox.username,
            password=password or (lambda: mailbox.password),
            token=token,
            timeout_seconds=mailbox.timeout.total_seconds(),
            ca_file=mailbox.ca_file,
        )
        self._connection: ImapConnection | None = None
        self._watch: ImapConnection | None = None
        self._watched: ReadFolder | None = None
        self._can_watch = mailbox.idle
        self._plan = FolderPlan(())
        # What the last reading saw, so that a new watch can tell whether it comes too late.
        self._seen: dict[str, FolderState] = {}

    @property
    def name(self) -> str:
        """The mailbox's name in config.toml."""
        return self._mailbox.name

    def fetch_new(self, cursors: Mapping[str, Cursor], since: datetime) -> Iterator[Batch]:
        """Yield what arrived after the cursors: received mail first, then sent, then junk, each oldest first.

        A folder that cannot be opened does not stop the others: it is raised at the end.

        Raises:
            MailboxError: unreachable, refused, broken off, or a folder that failed.
        """
        try:
            self._connect()
            failed = list(self._plan.missing)
            for folder in self._plan.folders:
                try:
                    yield from self._fetch_folder(folder, cursors.get(folder.folder.name), since)
                except MailboxError as error:
                    if error.reason != "folder":
                        raise
                    failed.append(error)
            if failed:
                raise failed[0]
        except BaseException:
            # Whatever the trouble, also a caller that stops half-way: the next reading starts on a clean link.
            self._drop_connection()
            raise

    def _connect(self) -> ImapConnection:
        """Return a connection that answers, with the folders planned anew: a mailbox gets Sent with its first reply."""
        if self._connection is not None:
            try:
                return self._planned(self._connection)
            except MailboxError:
                self._drop_connection()  # a link that died between two readings is no failure yet
        self._connection = ImapConnection(self._server)
        return self._planned(self._connection)

    def _planned(self, connection: ImapConnection) -> ImapConnection:
        self._plan = plan_folders(connection.list_folders(), self._mailbox, self._server.where)
        return connection

    def _drop_connection(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def _open(self, folder: ReadFolder) -> tuple[ImapConnection, FolderState]:
        connection = self._connection or self._connect()
        return connection, connection.examine(folder.folder)

    def _fetch_folder(self, folder: ReadFolder, cursor: Cursor | None, since: datetime) -> Iterator[Batch]:
        connection, state = self._open(folder)
        self._seen[folder.folder.name] = state
        known = cursor is not None and cursor.uidvalidity == state.uidvalidity
        uids = new_uids(connection, state, cursor, since)
        last_uid = max((state.next_uid or 1) - 1, uids[-1] if uids else 0)
        if cursor is not None and known and not uids and last_uid <= cursor.last_uid:
            return
        reader = FolderReader(folder, state.uidvalidity, None if known else since, self._wants)
        if not uids:
            yield reader.empty(last_uid)
            return
        yield from self._fetch_uids(folder, reader, state, uids, last_uid)

    def _fetch_uids(
        self, folder: ReadFolder, reader: FolderReader, state: FolderState, uids: Sequence[int], last_uid: int
    ) -> Iterator[Batch]:
        """Read lot after lot, and find the one mail that makes a server hang up, if there is one.

        A lot that was cut is read again mail by mail. Of a mail that cuts the link twice only the headers are asked. If
        they cut it too it is passed over once a mail after it came through or was refused: then the link is sound and
        that mail is not. Otherwise the link is at fault, and is told.
        """
        position, careful_until, reconnects, cuts = 0, 0, 0, 0
        suspect: int | None = None
        while position < len(uids):
            lot = uids[position : position + (1 if position < careful_until else BATCH_MAILS)]
            lot_end = position + len(lot)
            end = last_uid if lot_end == len(uids) else lot[-1]
            try:
                for batch in reader.read(self._open_again(folder, state), lot, end, texts=cuts < CUTS_OF_TEXT):
                    position = bisect_right(uids, batch.cursor.last_uid)
                    batch = replace(batch, done=position, total=len(uids))
                    if suspect is None:
                        yield batch
                    elif batch.mails or batch.unrelated or batch.unreadable:
                        yield with_unreadable(batch, {suspect: "the server ends the connection when it is fetched"})
                        suspect = None
                cuts = 0
            except ConnectionLost:
                self._drop_connection()
                reconnects += 1
                cuts += len(lot) == 1
                if reconnects > RECONNECTS or (suspect is not None and cuts == CUTS_GIVEN_UP):
                    raise
                if len(lot) > 1:
                    careful_until = lot_end
                elif cuts == CUTS_GIVEN_UP:
                    suspect, cuts, position = lot[0], 0, lot_end
        if suspect is not None:
            raise MailboxError(
                f'{self._server.where}: mail {suspect} of folder "{folder.folder.name}" ends the connection whenever it '
                "is fetched. Look at the server's log; it is passed over as soon as a newer mail can be read.",
                "folder",
            )

    def _open_again(self, folder: ReadFolder, state: FolderState) -> ImapConnection:
        if self._connection is not None:
            return self._connection
        connection, now = self._open(folder)
        if now.uidvalidity != state.uidvalidity:
            raise MailboxError(
                f'{self._server.where}: folder "{folder.folder.name}" was numbered anew while it was read. '
                "ReplyBy reads it again.",
                "folder",
            )
        return connection

    def wait_for_change(self, stop: threading.Event, timeout_seconds: float) -> bool:
        """Return True as soon as the server announces mail in the first folder of received mail.

        Uses a connection of its own, kept between calls, so that nothing falls between two of them.

        Raises:
            MailboxError: the watch broke; the next call starts a new one.
        """
        until = time.monotonic() + timeout_seconds
        try:
            if self._watch is None:
                self._can_watch = self._can_watch and self._begin_watch()
                if not self._can_watch:
                    stop.wait(timeout_seconds)
                    return False
                if self._came_too_late():
                    return True
            while not stop.is_set() and (left := until - time.monotonic()) > 0:
                if self._idle(stop, min(left, IDLE_RENEWED_SECONDS)):
                    return True
        except MailboxError:
            self._drop_watch()
            raise
        return False

    def _begin_watch(self) -> bool:
        watch = self._watch = ImapConnection(self._server)
        if watch.supports_idle:
            plan = plan_folders(watch.list_folders(), self._mailbox, self._server.where)
            self._watched = next((folder for folder in plan.folders if folder.where is Where.INBOX), None)
            if self._watched is not None:
                return True
        self._drop_watch()
        return False

    def _came_too_late(self) -> bool:
        """Open the watched folder and return whether it changed since the last reading."""
        watch = self._watch
        if watch is None or self._watched is None:
            return False
        state = watch.examine(self._watched.folder)
        seen = self._seen.get(self._watched.folder.name)
        return seen is not None and (seen.uidvalidity, seen.next_uid) != (state.uidvalidity, state.next_uid)

    def _idle(self, stop: threading.Event, seconds: float) -> bool:
        watch = self._watch  # `close` may drop it from another thread
        if watch is None:
            return False
        until = time.monotonic() + seconds
        changed = not watch.idle_begin(stop)
        while not changed and not stop.is_set() and (left := until - time.monotonic()) > 0:
            changed = watch.idle_wait(min(left, STOP_SEEN_SECONDS))
        if stop.is_set():
            self._drop_watch()  # a dead link must not hold up the end
            return False
        return watch.idle_end()

    def _drop_watch(self) -> None:
        watch, self._watch = self._watch, None
        if watch is not None:
            watch.close()

    def probe(self) -> MailboxFacts:
        """Log in and return the folders with their counts, whose verdicts the mails carry, and IDLE support.

        Raises:
            MailboxError: one line with host, account and what to do.
        """
        with contextlib.closing(ImapConnection(self._server)) as connection:
            plan = plan_folders(connection.list_folders(), self._mailbox, self._server.where)
            if plan.missing:
                raise plan.missing[0]
            return probe_mailbox(connection, plan.folders)

    def close(self) -> None:
        """Drop both connections. Never raises."""
        self._drop_connection()
        self._drop_watch()
