"""Numbers for the mails of a Maildir, which has none of its own.

A Maildir may only be read, its file names change with flags, and a file's time says nothing of when it arrived. So each
name's unique part is given the next number when it is first seen, and the pairs are kept in a file of ours: a lost or
half-written line only means that a mail is handed over once more, never that one is missed.
"""

import contextlib
import os
import secrets
from collections.abc import Collection, Iterable
from hashlib import blake2b
from pathlib import Path

from monitor.private import make_private_folder, private_opener

HEADER = "replyby-maildir 1 "
SLACK = 1000  # names of removed mails that may stay in the file


def digest_name(unique: str) -> str:
    """Return 16 hex digits for the unique part of a file name, which may hold any byte but `/`."""
    return blake2b(os.fsencode(unique), digest_size=8).hexdigest()


class MaildirIndex:
    """The numbers of one folder. `uidvalidity` changes only when the file is lost."""

    def __init__(self, file: Path) -> None:
        """Load the file, or begin a new numbering.

        Raises:
            OSError: the file cannot be read or written.
        """
        self._file = file
        self._uids: dict[str, int] = {}
        self._ends_whole = True
        lines = file.read_text("ascii", "replace").split("\n") if file.exists() else []
        first = lines[0].removeprefix(HEADER) if lines else ""
        if first.isdigit():
            self.uidvalidity = int(first)
            self._ends_whole = lines[-1] == ""
            for line in lines[1:-1]:
                uid, _, digest = line.partition(" ")
                if uid.isdigit() and len(digest) == 16:
                    self._uids[digest] = int(uid)
        else:
            self.uidvalidity = secrets.randbelow(2**31 - 1) + 1
            self._write_whole()

    def uid_of(self, digest: str) -> int | None:
        """Return the number of a name, or None when it was never seen."""
        return self._uids.get(digest)

    def assign(self, digests: Iterable[str], above: int) -> None:
        """Number new names in this order, above `above` and every number given before."""
        number = max(above, max(self._uids.values(), default=0))
        added = []
        for digest in digests:
            number += 1
            self._uids[digest] = number
            added.append(f"{number} {digest}\n")
        if added:
            with open(self._file, "a", encoding="ascii", opener=private_opener) as out:
                out.write(("" if self._ends_whole else "\n") + "".join(added))
            self._ends_whole = True

    def forget_all_but(self, present: Collection[str]) -> None:
        """Drop the names of mails that are gone, once they are many."""
        if len(self._uids) > 2 * len(present) + SLACK:
            newest = max(self._uids.values())
            self._uids = {digest: uid for digest, uid in self._uids.items() if digest in present or uid == newest}
            self._write_whole()

    def _write_whole(self) -> None:
        make_private_folder(self._file.parent)
        draft = self._file.with_suffix(".tmp")
        try:
            with open(draft, "w", encoding="ascii", opener=private_opener) as out:
                out.write(f"{HEADER}{self.uidvalidity}\n")
                out.writelines(f"{uid} {digest}\n" for digest, uid in self._uids.items())
                out.flush()
                os.fsync(out.fileno())
            draft.replace(self._file)
        except OSError:
            with contextlib.suppress(OSError):
                draft.unlink()
            raise
        self._ends_whole = True
