"""Whether what an earlier worker left under way on PostgreSQL is surely an orphan, because its process has ended.

The worker's lock there belongs to a session, which may be cut while the process lives and sends. A lock on a file goes with
the process and with nothing else; it tells of processes that share this folder and this running machine, and of no others.
"""

import fcntl
import os
import weakref
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import IO

from alerts.tables import OWNER_LENGTH
from monitor.private import make_private_folder, private_opener

LOCK_FILE = "worker.lock"
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


@dataclass(frozen=True, slots=True, weakref_slot=True)
class Lineage:
    """The workers of one folder on one running machine, of which only this process lives while `hold` is open.

    `name` begins the names of all of them as owners of deliveries.
    """

    name: str
    hold: IO[bytes]


def take_lineage(folder: Path) -> Lineage | None:
    """Return this folder's lineage; None where another process of it lives, or where that cannot be known."""
    try:
        make_private_folder(folder)
        handle = open(folder / LOCK_FILE, "ab", opener=private_opener)  # noqa: SIM115  held as long as the process
    except OSError:
        return None
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        told = os.fstat(handle.fileno())
        # The same file on another machine, or before this one was started anew, would be another lock.
        which = f"{_BOOT_ID.read_text('ascii').strip()}:{told.st_dev}:{told.st_ino}"
    except OSError:
        handle.close()
        return None
    lineage = Lineage(sha256(which.encode()).hexdigest()[: OWNER_LENGTH // 2], handle)
    weakref.finalize(lineage, handle.close)  # nobody else ends it: it goes with what sends
    return lineage
