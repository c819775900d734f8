"""Bringing a database to this program's schema, whole or not at all; a newer one is refused."""

from pathlib import Path

from sqlalchemy import Engine, inspect, text

from monitor.errors import StoreError
from monitor.store.engine import place, reading, writing

HEAD = "0003"
"""The newest revision in migrations/versions; a test holds the two against each other."""

KNOWN = ("0001", "0002", "0003")
MIGRATIONS = Path(__file__).parent / "migrations"


def prepare_database(engine: Engine) -> None:
    """Make the schema, or bring it up to date, in one transaction: a kill in the middle leaves the old one.

    Raises:
        StoreError: the database is newer than this program, or cannot be used.
    """
    if _is_current(engine):
        return
    from alembic import command
    from alembic.config import Config

    with writing(engine) as connection:
        if connection.dialect.name == "sqlite":
            # Rebuilding a parent table with foreign keys on would delete its children. The pragma is of no effect inside
            # a transaction, so references are checked at the end instead.
            connection.execute(text("PRAGMA defer_foreign_keys=ON"))
        else:
            connection.execute(text("SELECT pg_advisory_xact_lock(5927318)"))
        config = Config()
        config.set_main_option("script_location", str(MIGRATIONS))
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def read_revision(engine: Engine) -> str | None:
    """Return the database's revision, or None where there is no schema yet."""
    with reading(engine) as connection:
        if not inspect(connection).has_table("alembic_version"):
            return None
        revision: str | None = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
        return revision


def _is_current(engine: Engine) -> bool:
    revision = read_revision(engine)
    if revision is not None and revision not in KNOWN:
        raise StoreError(
            f"{place(engine.url)}: made by a newer ReplyBy (schema {revision}, this program knows {HEAD}). "
            "Install that version again, or restore the backup made before the upgrade."
        )
    return revision == HEAD
