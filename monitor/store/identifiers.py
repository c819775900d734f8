"""Keyed hashes of what identifies a buyer: they stay when the identifiers themselves are erased.

The key lies in a file of mode 0600 beside the database, never in it: who takes only the database cannot try out order
numbers.
"""

import hashlib
import os
from pathlib import Path

from monitor.errors import StoreError
from monitor.private import make_private_folder

KEY_BYTES = 32


class Hasher:
    """Turns identifiers into signed 64-bit numbers; the same value always gives the same number under one key."""

    def __init__(self, key: bytes) -> None:
        """Keep the key; `fingerprint` tells two keys apart without giving either away."""
        self._state = hashlib.blake2b(key=key, digest_size=8)
        self.fingerprint = hashlib.blake2b(b"fingerprint", key=key, digest_size=8).hexdigest()

    def number(self, purpose: str, *values: str) -> int:
        """Return the number of these values for this purpose; different purposes never meet."""
        state = self._state.copy()
        state.update("\x1f".join((purpose, *values)).encode("utf-8", "surrogatepass"))
        return int.from_bytes(state.digest(), "big", signed=True)

    def optional(self, purpose: str, value: str | None) -> int | None:
        """Return the number, or None for None or an empty value."""
        return self.number(purpose, value) if value else None


def read_or_make_key(path: Path) -> bytes:
    """Return the key in this file, making it (mode 0600) if there is none.

    Raises:
        StoreError: the file cannot be used.
    """
    try:
        make_private_folder(path.parent)
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            key = path.read_bytes()
        else:
            key = os.urandom(KEY_BYTES)
            with os.fdopen(descriptor, "wb") as handle:
                handle.write(key)
                handle.flush()
                os.fsync(handle.fileno())
    except OSError as error:
        raise StoreError(f"{path}: the key for hashes cannot be read: {error.strerror}. Check its owner.") from None
    if len(key) != KEY_BYTES:
        raise StoreError(f"{path}: {len(key)} bytes, not {KEY_BYTES}. Restore the file from the backup.")
    return key
