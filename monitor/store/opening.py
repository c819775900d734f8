"""Opening the store that a configuration names: the database, and the key that belongs to it."""

from dataclasses import dataclass, replace
from pathlib import Path

from sqlalchemy import Engine

from monitor.config.model import Config
from monitor.errors import StoreError
from monitor.store.copying import copy_database
from monitor.store.engine import open_engine, place, reading, refuse_emptied, writing
from monitor.store.health import read_mark_detail, record_first_mark
from monitor.store.identifiers import Hasher, read_or_make_key
from monitor.store.migrate import prepare_database
from monitor.wallclock import WallClock, utc_now

KEY_FILE = "replyby.key"


@dataclass(frozen=True, slots=True)
class Store:
    """An open database of this program's schema, and the hasher whose key belongs to it."""

    engine: Engine
    hasher: Hasher


def open_store(config: Config, now: WallClock = utc_now) -> Store:
    """Open the database, bring it to this program's schema, and hold the key against it.

    Raises:
        StoreError: it cannot be used, is newer, or belongs to another key.
    """
    path = config.worker.state_directory / KEY_FILE
    if path.exists():
        refuse_emptied(config.worker.database)
    engine = open_engine(config.worker.database, config.worker.database_password)
    prepare_database(engine)
    with reading(engine) as connection:
        known = read_mark_detail(connection, "hash_key")
    if known is not None and not path.exists():
        raise StoreError(
            f"{path}: missing, and {place(engine.url)} was filled with it: no order would be recognised again. "
            "Restore the file from where it was kept."
        )
    hasher = Hasher(read_or_make_key(path))
    if known is None:
        with writing(engine) as connection:
            record_first_mark(connection, "hash_key", now(), hasher.fingerprint)
            known = read_mark_detail(connection, "hash_key")
    if known != hasher.fingerprint:
        raise StoreError(f"{path}: not the key of {place(engine.url)}. Restore the file that belongs to this database.")
    return Store(engine, hasher)


def copy_store(config: Config, folder: Path) -> Store:
    """Return a copy of the store in a file in `folder`, for what must store nothing; the store itself is only read.

    Where there is none yet none is made: neither the database nor its key.
    """
    if _is_to_be_made(config):
        worker = replace(config.worker, database=f"sqlite:///{folder / 'copy.db'}", state_directory=folder)
        return open_store(replace(config, worker=worker))
    original = open_store(config)
    engine = open_engine(f"sqlite:///{folder / 'copy.db'}")
    prepare_database(engine)
    copy_database(original.engine, engine)
    return Store(engine, original.hasher)


def _is_to_be_made(config: Config) -> bool:
    """Return whether neither the SQLite file nor its key is there yet. Another server's database is always there."""
    address = config.worker.database
    if not address.startswith("sqlite:///"):
        return False
    return (
        not Path(address.removeprefix("sqlite:///")).exists()
        and not (config.worker.state_directory / KEY_FILE).exists()
    )
