"""A Maildir on disk as a source of mail. Reads files, and renames, flags and removes none.

Owns which directories are read and what becomes of a file that moves while it is. The numbers come from
`maildir_index`, kept in the worker's state directory.
"""

import threading
import time
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from hashlib import sha256
from pathlib import Path

from monitor.config.model import MailboxConfig
from monitor.core.messages import Where
from monitor.errors import MailboxError
from monitor.sources.base import Batch, Cursor, FolderFacts, MailboxFacts, WantsMail
from monitor.sources.folder_names import decode_folder_name
from monitor.sources.imap_folders import ReadFolder, plan_folders
from monitor.sources.imap_protocol import Folder
from monitor.sources.maildir_index import MaildirIndex
from monitor.sources.maildir_reader import MaildirReader, delivery_order, describe_file, list_files, read_headers
from monitor.sources.sampled_headers import SAMPLE_MAILS, count_authserv_ids, count_recipients, count_senders

LOOK_EVERY_SECONDS = 1.0


class MaildirSource:
    """A `MailSource` for [[mailbox]] type "maildir"."""

    def __init__(self, mailbox: MailboxConfig, wants: WantsMail, state_directory: Path) -> None:
        """Read nothing yet. `state_directory` keeps which mail has which number."""
        self._mailbox = mailbox
        self._wants = wants
        self._state_directory = state_directory
        self._indexes: dict[str, MaildirIndex] = {}
        self._looked: tuple[int, ...] = ()

    @property
    def name(self) -> str:
        """The mailbox's name in config.toml."""
        return self._mailbox.name

    def fetch_new(self, cursors: Mapping[str, Cursor], since: datetime) -> Iterator[Batch]:
        """Yield what was delivered after the cursors, oldest first; a file that moved from new to cur is no news.

        Raises:
            MailboxError: a directory cannot be read; told after the others were.
        """
        planned, paths, failed = self._plan()
        self._looked = self._look(paths)
        for folder in planned:
            try:
                yield from self._fetch_folder(folder, paths[folder.folder.name], cursors, since)
            except OSError as error:
                failed.append(self._error(paths[folder.folder.name], error))
        if failed:
            raise failed[0]

    def _plan(self) -> tuple[Sequence[ReadFolder], dict[str, Path], list[MailboxError]]:
        root = self._mailbox.path or Path()
        paths = {"INBOX": root}
        try:
            if not (root / "new").is_dir() or not (root / "cur").is_dir():
                raise NotADirectoryError(0, "no new and cur in it")
            for part in sorted(root.iterdir()):
                if part.name.startswith(".") and part.name != ".." and (part / "cur").is_dir():
                    paths[decode_folder_name(part.name[1:].encode("utf-8", "surrogateescape"))] = part
        except OSError as error:
            raise self._error(root, error) from None
        uses: dict[str, frozenset[str]] = {}
        for name, use, own in (
            ("Sent", "\\sent", self._mailbox.sent_path),
            ("Junk", "\\junk", self._mailbox.junk_path),
        ):
            if own is not None:
                paths[name], uses[name] = own, frozenset({use})
        folders = [Folder(name, name.encode(), uses.get(name, frozenset())) for name in paths]
        plan = plan_folders(folders, self._mailbox, str(root))
        return plan.folders, paths, list(plan.missing)

    def _error(self, path: Path, error: OSError) -> MailboxError:
        return MailboxError(
            f"{path}: Maildir cannot be read ({error.strerror}). Check path, sent_path and junk_path of "
            f'[[mailbox]] "{self._mailbox.name}", and that this user may read them.',
            "folder",
        )

    def _fetch_folder(
        self, folder: ReadFolder, path: Path, cursors: Mapping[str, Cursor], since: datetime
    ) -> Iterator[Batch]:
        index = self._index(path)
        cursor = cursors.get(folder.folder.name)
        known = cursor is not None and cursor.uidvalidity == index.uidvalidity
        done = cursor.last_uid if cursor is not None and known else 0
        files = list_files(path)
        arrived = [(delivery_order(file), digest) for digest, file in files.items() if index.uid_of(digest) is None]
        index.assign([digest for _, digest in sorted(arrived)], above=done)
        index.forget_all_but(files)
        unread = sorted((uid, file) for digest, file in files.items() if (uid := index.uid_of(digest) or 0) > done)
        if known and not unread:
            return
        reader = MaildirReader(folder, index.uidvalidity, None if known else since, self._wants)
        uids = [uid for uid, _ in unread]
        for batch in reader.read(unread, done):
            yield replace(batch, done=bisect_right(uids, batch.cursor.last_uid), total=len(uids))

    def _index(self, path: Path) -> MaildirIndex:
        key = sha256(str(path.absolute()).encode("utf-8", "surrogateescape")).hexdigest()[:16]
        if key not in self._indexes:
            file = self._state_directory / f"maildir-{key}.index"
            try:
                self._indexes[key] = MaildirIndex(file)
            except OSError as error:
                raise MailboxError(
                    f"{file}: cannot be written ({error.strerror}), so what was read of {path} cannot be remembered. "
                    "Make the directory writable.",
                    "other",
                ) from None
        return self._indexes[key]

    def wait_for_change(self, stop: threading.Event, timeout_seconds: float) -> bool:
        """Return True when a file came, went or was renamed since the last reading; looks once a second.

        Raises:
            MailboxError: the directory is gone.
        """
        until = time.monotonic() + timeout_seconds
        _, paths, _ = self._plan()
        while not stop.is_set():
            if self._looked and self._look(paths) != self._looked:
                return True
            left = until - time.monotonic()
            if left <= 0 or stop.wait(min(left, LOOK_EVERY_SECONDS)):
                break
        return False

    def _look(self, paths: Mapping[str, Path]) -> tuple[int, ...]:
        root = paths["INBOX"]
        try:
            return tuple((root / part).stat().st_mtime_ns for part in ("new", "cur"))
        except OSError as error:
            raise self._error(root, error) from None

    def probe(self) -> MailboxFacts:
        """Return the folders with their counts, whose verdicts the mails carry and who writes replies.

        Raises:
            MailboxError: a directory cannot be read.
        """
        planned, paths, missing = self._plan()
        if missing:
            raise missing[0]
        facts: list[FolderFacts] = []
        samples: dict[Where, list[bytes]] = {where: [] for where in Where}
        for folder in planned:
            path = paths[folder.folder.name]
            try:
                files = list(filter(None, map(describe_file, list_files(path).values())))
                newest = sorted(files, key=lambda file: file.received_at)[-SAMPLE_MAILS:]
                samples[folder.where] += map(read_headers, (file.path for file in newest))
            except OSError as error:
                raise self._error(path, error) from None
            facts.append(FolderFacts(name=folder.folder.name, where=folder.where, mails=len(files)))
        return MailboxFacts(
            folders=tuple(facts),
            authserv_ids=count_authserv_ids(samples[Where.INBOX]),
            supports_idle=True,
            sent_from=count_senders(samples[Where.SENT]),
            written_to=count_recipients(samples[Where.INBOX]),
        )

    def close(self) -> None:
        """Nothing is held open."""
