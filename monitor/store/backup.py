"""A copy of the database while the worker runs: whole, private, in one file; encrypted if asked for.

An encrypted backup holds the key for hashes too, and needs nothing but its passphrase. A plain one is the database alone;
the key goes into a file beside it, to be kept elsewhere. Format of an encrypted one: MAGIC, 16 bytes of salt, 7 of nonce;
then parts of up to PART_BYTES, each sealed by AES-256-GCM under scrypt's key, its nonce ending in the part's number and
whether it is the last. What is inside: the 32 bytes of the key for hashes, then the SQLite file.
"""

import os
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import IO, Any

from monitor.errors import StoreError
from monitor.private import make_private_folder
from monitor.store.engine import open_engine, writing
from monitor.store.health import record_mark
from monitor.store.identifiers import KEY_BYTES
from monitor.store.migrate import HEAD, read_revision

MAGIC = b"ReplyBy backup 1\n"
SQLITE_MAGIC = b"SQLite format 3\0"
SALT_BYTES = 16
NONCE_BYTES = 7
TAG_BYTES = 16
PART_BYTES = 1024 * 1024
SCRYPT = {"n": 2**16, "r": 8, "p": 1}
"""64 MiB and about 0.2 s for each guess at a passphrase."""

SHORTEST_PASSPHRASE = 12


def back_up(database: Path, target: Path, key: bytes, passphrase: str | None = None) -> list[Path]:
    """Write a copy of a SQLite file and return the files written, mode 0600, each whole or not there at all.

    The worker may write meanwhile: the copy is of one instant.

    Raises:
        StoreError: the database cannot be read, the copy is damaged, or the target cannot be written.
    """
    try:
        make_private_folder(target.parent)
        with _beside(target) as plain:
            _copy(database, plain)
            if passphrase is None:
                _sync(plain)
                plain.replace(target)
                key_file = target.with_name(target.name + ".key")
                with _beside(key_file) as draft:
                    draft.write_bytes(key)
                    _sync(draft)
                    draft.replace(key_file)
                return [target, key_file]
            with _beside(target) as sealed:
                with plain.open("rb") as source, sealed.open("wb") as sink:
                    _seal(source, sink, key, passphrase)
                _sync(sealed)
                sealed.replace(target)
            return [target]
    except OSError as error:
        raise StoreError(
            f"{target}: cannot be written: {error.strerror}. Check its folder and the free space."
        ) from None


def is_backup(path: Path) -> bool:
    """Return whether a file is what `back_up` may have written: a database in one file, or an encrypted one."""
    try:
        with path.open("rb") as file:
            begin = file.read(len(MAGIC))
    except OSError:
        return False
    return begin.startswith((MAGIC, SQLITE_MAGIC))


def note_backup(address: str, at: datetime, target: Path) -> None:
    """Store when and where the last backup was made, if the database is of this program's schema: `forget` names it."""
    engine = open_engine(address)
    if read_revision(engine) == HEAD:
        with writing(engine) as connection:
            record_mark(connection, "backup", at, str(target))
    engine.dispose()


def open_backup(backup: Path, target: Path, passphrase: str) -> list[Path]:
    """Decrypt a backup into a SQLite file and, beside it, its key; return both files, mode 0600.

    Raises:
        StoreError: it is no encrypted backup, the passphrase is wrong, it was changed or cut, the target exists already,
            or journals of another database lie beside it.
    """
    key_file = target.with_name(target.name + ".key")
    for one in (target, key_file):
        if one.exists():
            raise StoreError(f"{one}: exists already. Name another file: nothing is overwritten.")
    for end in ("-wal", "-shm"):
        left = target.with_name(target.name + end)
        if left.exists():
            raise StoreError(
                f"{left}: belongs to another database and would be replayed over this one. Stop the worker and delete it."
            )
    try:
        with _beside(target) as plain, _beside(key_file) as draft:
            with backup.open("rb") as source, plain.open("wb") as sink:
                parts = _opened(backup, source, passphrase)
                first = next(parts)
                draft.write_bytes(first[:KEY_BYTES])
                sink.write(first[KEY_BYTES:])
                for part in parts:
                    sink.write(part)
            _sync(plain)
            _sync(draft)
            plain.replace(target)
            draft.replace(key_file)
    except OSError as error:
        where = error.filename or backup
        raise StoreError(f"{where}: {error.strerror}. Check the path.") from None
    return [target, key_file]


def _copy(database: Path, target: Path) -> None:
    """Copy by SQLite's own backup: readers of a WAL never stop a writer, and one step is one instant."""
    try:
        source = sqlite3.connect(f"{database.absolute().as_uri()}?mode=ro", uri=True, timeout=30)
        copy = sqlite3.connect(target)
        try:
            source.backup(copy)
            copy.execute("PRAGMA journal_mode=DELETE")  # or the copy would need files beside it
            found = copy.execute("PRAGMA quick_check").fetchone()[0]
        finally:
            copy.close()
            source.close()
    except sqlite3.Error as error:
        raise StoreError(
            f"{database}: cannot be copied: {error}. Is the disk full, or the file damaged? See `replyby doctor`."
        ) from None
    if found != "ok":
        raise StoreError(f"{database}: the copy is damaged, and so is the database: {found}. Restore an older backup.")


@contextmanager
def _beside(target: Path) -> Iterator[Path]:
    """Give a file of mode 0600 in the target's folder, gone at the end unless it was renamed."""
    descriptor, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
    os.close(descriptor)
    try:
        yield Path(name)
    finally:
        Path(name).unlink(missing_ok=True)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDWR)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _seal(source: IO[bytes], sink: IO[bytes], key: bytes, passphrase: str) -> None:
    salt, nonce = os.urandom(SALT_BYTES), os.urandom(NONCE_BYTES)
    header = MAGIC + salt + nonce
    seal = _cipher(passphrase, salt).encrypt
    sink.write(header)
    part = key + source.read(PART_BYTES - len(key))
    number = 0
    while True:
        following = source.read(PART_BYTES)
        sink.write(seal(_nonce(nonce, number, last=not following), part, header))
        if not following:
            return
        part = following
        number += 1


def _opened(backup: Path, source: IO[bytes], passphrase: str) -> Iterator[bytes]:
    from cryptography.exceptions import InvalidTag

    header = source.read(len(MAGIC) + SALT_BYTES + NONCE_BYTES)
    if not header.startswith(MAGIC) or len(header) < len(MAGIC) + SALT_BYTES + NONCE_BYTES:
        raise StoreError(f"{backup}: not an encrypted backup of ReplyBy. A plain one is a SQLite file as it is.")
    salt, nonce = header[len(MAGIC) : len(MAGIC) + SALT_BYTES], header[-NONCE_BYTES:]
    unseal: Callable[..., bytes] = _cipher(passphrase, salt).decrypt
    part = source.read(PART_BYTES + TAG_BYTES)
    number = 0
    while True:
        following = source.read(PART_BYTES + TAG_BYTES)
        try:
            opened = unseal(_nonce(nonce, number, last=not following), part, header)
        except InvalidTag:
            why = "the passphrase is wrong, or the file was changed" if number == 0 else "the file was changed or cut"
            raise StoreError(f"{backup}: cannot be decrypted: {why}. Nothing was written.") from None
        yield opened
        if not following:
            return
        part = following
        number += 1


def _nonce(prefix: bytes, number: int, *, last: bool) -> bytes:
    return prefix + number.to_bytes(4, "big") + (b"\x01" if last else b"\x00")


def _cipher(passphrase: str, salt: bytes) -> Any:
    try:
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM
        from cryptography.hazmat.primitives.kdf.scrypt import Scrypt
    except ImportError:
        raise StoreError(
            "backup: the package `cryptography` is not installed. Install it, or back up without --encrypt."
        ) from None
    return AESGCM(Scrypt(salt=salt, length=32, **SCRYPT).derive(passphrase.encode()))
