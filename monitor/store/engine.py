"""Opening the database: pragmas, transactions, the worker's lock, permissions.

Whoever writes waits for its turn instead of failing halfway, or of deciding on what another one is just changing: on SQLite
by BEGIN IMMEDIATE, on PostgreSQL by a lock for the transaction. SQLite's synchronous=FULL keeps what was recorded as sent
recorded after a power cut.
"""

import fcntl
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url, text
from sqlalchemy.exc import DBAPIError

from monitor.errors import StoreError, StoreUnreachable
from monitor.private import FILE_MODE, make_private_folder, private_opener

BUSY_SECONDS = 30
LOCK_SECONDS = 2.0  # how often a worker looks whether it still is the one: a round trip to PostgreSQL
CONNECT_SECONDS = 10  # a server that says nothing at all; libpq would wait for over two minutes
WORKER_LOCK = 0x5265706C79427900  # "ReplyBy": the advisory lock that a worker holds on PostgreSQL
WRITER_LOCK = WORKER_LOCK + 1  # and the one that a transaction holds while it writes


def open_engine(address: str, password: str = "") -> Engine:
    """Return an engine for the database at `address`; a SQLite file is made with mode 0600 if there is none.

    Raises:
        StoreError: the file or the server cannot be used; one line that says what to do.
    """
    url = make_url(address)
    if password:
        url = url.set(password=password)
    if url.get_backend_name() != "sqlite":
        # hide_parameters: what a statement carried would stand in the text of its error, and from there in a log.
        return create_engine(
            url,
            pool_pre_ping=True,
            pool_size=8,
            max_overflow=8,
            hide_parameters=True,
            connect_args={"connect_timeout": CONNECT_SECONDS},
        )
    path = Path(url.database or "")
    _prepare_file(path)
    engine = create_engine(
        url, connect_args={"timeout": BUSY_SECONDS, "check_same_thread": False}, hide_parameters=True
    )

    def on_connect(connection: Any, record: object) -> None:
        del record
        connection.isolation_level = None  # we begin transactions ourselves, see on_begin
        cursor = connection.cursor()
        for pragma in (
            "journal_mode=WAL",
            "synchronous=FULL",
            "foreign_keys=ON",
            "secure_delete=ON",  # what was erased is overwritten; some builds of SQLite would leave it in the file
            f"busy_timeout={BUSY_SECONDS * 1000}",
        ):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    def on_begin(connection: Connection) -> None:
        read_only = connection.get_execution_options().get("read_only", False)
        connection.exec_driver_sql("BEGIN" if read_only else "BEGIN IMMEDIATE")

    event.listen(engine, "connect", on_connect)
    event.listen(engine, "begin", on_begin)
    return engine


def refuse_emptied(address: str) -> None:
    """Refuse a SQLite file that is there and empty, where it must have held something: it was lost, not new.

    Raises:
        StoreError: it is empty.
    """
    url = make_url(address)
    if url.get_backend_name() != "sqlite":
        return
    path = Path(url.database or "")
    journal = Path(f"{path}-wal")
    if path.exists() and not path.stat().st_size and not (journal.exists() and journal.stat().st_size):
        raise StoreError(
            f"{path}: empty, though it was in use before: its content is lost. "
            "Restore the last `replyby backup`, or remove the file to begin anew."
        )


def _prepare_file(path: Path) -> None:
    """Make the database file private before SQLite writes into it; refuse what is no database."""
    try:
        make_private_folder(path.parent)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            os.fchmod(descriptor, 0o600)
            head = os.read(descriptor, 16)
        finally:
            os.close(descriptor)
    except OSError as error:
        raise StoreError(
            f"{path}: cannot be opened for writing: {error.strerror}. Check the folder's owner and free space."
        ) from None
    if head and not head.startswith(b"SQLite format 3"):
        raise StoreError(f"{path}: not a SQLite database. Move it away, or set [worker] database to another file.")


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """Give a connection in a transaction that may write, one at a time; commits at the end, rolls back on any error.

    Raises:
        StoreError: the disk is full, read-only or the file is damaged, or another writer does not end.
    """
    try:
        with engine.begin() as connection:
            if engine.dialect.name == "postgresql":
                connection.execute(
                    text("SELECT set_config('lock_timeout', :bound, true)"), {"bound": f"{BUSY_SECONDS}s"}
                )
                connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": WRITER_LOCK})
            yield connection
    except DBAPIError as error:
        raise store_error(engine.url, error) from error


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """Give a connection in a transaction that only reads: it never waits for a writer on SQLite."""
    try:
        with engine.connect().execution_options(read_only=True) as connection, connection.begin():
            yield connection
    except DBAPIError as error:
        raise store_error(engine.url, error) from error


_UNREACHED = (
    *("onnection refused", "timeout expired", "No route to host", "is unreachable", "starting up", "shutting down"),
    *("server closed the connection", "Temporary failure in name resolution"),
)
_MEANINGS = (
    ("database or disk is full", "the disk is full. Make room; the worker goes on by itself"),
    ("readonly database", "the file or its folder is read-only. Give its owner write permission"),
    ("malformed", "the file is damaged. Stop the worker and restore the last `replyby backup`"),
    ("not a database", "the file is damaged. Stop the worker and restore the last `replyby backup`"),
    ("disk I/O error", "the disk reports an error. Check it; restore the last `replyby backup` if it persists"),
    ("locked", "another program holds the database. Close it"),
    ("lock timeout", "another program holds the database. Close it"),
    ("unable to open", "it cannot be opened. Check the folder's owner and free space"),
    ("password authentication", "the password is refused. Check the address's password"),
    *((sign, "the server does not answer. Start it, or check host and port") for sign in _UNREACHED),
)


def store_error(url: URL, error: DBAPIError) -> StoreError:
    """Return what a driver's error means, in one line, without the statement and its values."""
    said = str(error.orig).splitlines()[0] if error.orig is not None and str(error.orig) else type(error).__name__
    meaning = next((meaning for sign, meaning in _MEANINGS if sign in said), None)
    kind = StoreUnreachable if any(sign in said for sign in _UNREACHED) else StoreError
    return kind(f"{place(url)}: {meaning or said + '. See the log; what was not stored is done again'}.")


def place(url: URL) -> str:
    """Return where a database is, without user and password."""
    if url.get_backend_name() == "sqlite":
        return str(url.database)
    return f"{url.host or 'localhost'}:{url.port or 5432}/{url.database}"


class WorkerLock:
    """Held by the one worker on a database; it dies with the process.

    SQLite: a second worker is refused. PostgreSQL: a second worker waits and takes over.
    """

    def __init__(self, engine: Engine) -> None:
        """Take nothing yet."""
        self._engine = engine
        self._file: IO[bytes] | None = None
        self._connection: Connection | None = None

    def acquire(
        self, stop: threading.Event, poll_seconds: float = 1.0, waiting: Callable[[], None] = lambda: None
    ) -> bool:
        """Return True once this process is the worker, False if `stop` was set while waiting (PostgreSQL).

        `waiting` is called once, when another worker holds the lock.

        Raises:
            StoreError: another worker runs on this SQLite file.
        """
        if self._engine.url.get_backend_name() == "sqlite":
            self._lock_file(Path(str(self._engine.url.database) + ".lock"))
            return True
        try:
            connection = self._engine.connect().execution_options(isolation_level="AUTOCOMMIT")
            told = False
            while not connection.execute(text("SELECT pg_try_advisory_lock(:key)"), {"key": WORKER_LOCK}).scalar():
                if not told:
                    waiting()
                    told = True
                if stop.wait(poll_seconds):
                    connection.close()
                    return False
        except DBAPIError as error:
            raise store_error(self._engine.url, error) from error
        self._connection = connection
        return True

    def keep(self) -> str | None:
        """See that this process still is the worker; return what followed where its PostgreSQL session was lost, else None.

        Raises:
            StoreError: another worker has taken over.
        """
        if self.is_held():
            return None
        self.release()
        at_once = threading.Event()
        at_once.set()
        try:
            mine = self.acquire(at_once)
        except StoreError as error:
            return str(error)
        if not mine:
            raise StoreError(
                f"{place(self._engine.url)}: another worker took over when this one's connection was lost. "
                "Start this one again: it waits for its turn."
            )
        return "taken again"

    def is_held(self) -> bool:
        """Return whether this process still is the worker: a lost PostgreSQL session loses the lock with it."""
        if self._connection is None:
            return self._file is not None
        try:
            self._connection.execute(text("SELECT 1"))
        except DBAPIError:
            return False
        return True

    def _lock_file(self, path: Path) -> None:
        # Whoever may open it may hold it: a file that others could read would let them keep the worker out.
        try:
            handle = open(path, "ab", opener=private_opener)  # noqa: SIM115  held as long as the lock
            os.fchmod(handle.fileno(), FILE_MODE)
        except OSError as error:
            raise StoreError(f"{path}: cannot be used: {error.strerror}. Check its owner.") from None
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            handle.close()
            raise StoreError(
                f"{path.with_suffix('')}: another worker runs on this database. "
                "Stop it first, or give this one a database of its own."
            ) from None
        self._file = handle

    def release(self) -> None:
        """Let the next worker in."""
        if self._file is not None:
            self._file.close()
            self._file = None
        if self._connection is not None:
            self._connection.invalidate()
            self._connection.close()
            self._connection = None
