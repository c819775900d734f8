"""The schema: from every released revision to this program's, on both databases, whole or not at all."""

import os
import random
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, create_engine, inspect, text

from alerts.tables import metadata as alerts_metadata
from monitor.errors import StoreError
from monitor.store.engine import open_engine, reading, writing
from monitor.store.migrate import HEAD, KNOWN, MIGRATIONS, prepare_database
from monitor.store.schema import metadata
from tests.support.postgresql import running_postgresql

RELEASED = ("0001",)
"""Every revision that ever stood in a release: its dump is in tests/data/schemas, and never changes."""

SCHEMAS = Path(__file__).parents[1] / "data" / "schemas"
Shape = dict[str, dict[str, Any]]


@pytest.fixture(scope="module")
def postgresql() -> Iterator[str]:
    with running_postgresql() as address:
        yield address


def shape_of(connection: Connection) -> Shape:
    """Return what a database says of itself: columns, keys, unique constraints, references, indexes and their parts."""
    found: Shape = {}
    look = inspect(connection)
    for table in look.get_table_names():
        if table == "alembic_version":
            continue
        found[table] = {
            "columns": {
                one["name"]: (str(one["type"]), one["nullable"], _default(one["default"]))
                for one in look.get_columns(table)
            },
            "key": look.get_pk_constraint(table)["constrained_columns"],
            "unique": sorted(str(one["column_names"]) for one in look.get_unique_constraints(table)),
            "references": sorted(
                (str(one["constrained_columns"]), one["referred_table"]) for one in look.get_foreign_keys(table)
            ),
            "indexes": {one["name"]: _index(connection, one) for one in look.get_indexes(table)},
            "autoincrement": _autoincrement(connection, table),
        }
    return found


def _default(value: Any) -> str | None:
    return None if value is None else str(value).strip("'\"").replace("'::character varying", "")


def _index(connection: Connection, one: Any) -> tuple[Any, ...]:
    where = next((str(v) for k, v in (one.get("dialect_options") or {}).items() if k.endswith("_where")), "")
    return tuple(one["column_names"]), bool(one["unique"]), where


def _autoincrement(connection: Connection, table: str) -> bool:
    if connection.dialect.name != "sqlite":
        return False
    written = connection.execute(text("SELECT sql FROM sqlite_master WHERE name = :name"), {"name": table}).scalar()
    return "AUTOINCREMENT" in str(written).upper()


def made_by_metadata(engine: Engine) -> Shape:
    metadata.create_all(engine)
    alerts_metadata.create_all(engine)
    with reading(engine) as connection:
        return shape_of(connection)


def made_by_migrations(engine: Engine) -> Shape:
    prepare_database(engine)
    with reading(engine) as connection:
        return shape_of(connection)


def new_postgresql_database(address: str, name: str) -> Engine:
    admin = create_engine(address, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text(f"DROP DATABASE IF EXISTS {name}"))
        connection.execute(text(f"CREATE DATABASE {name}"))
    admin.dispose()
    return open_engine(address.rsplit("/", 1)[0] + f"/{name}")


def test_the_migrations_make_what_the_tables_say_on_sqlite(tmp_path: Path) -> None:
    migrated = open_engine(f"sqlite:///{tmp_path / 'migrated.db'}")
    declared = open_engine(f"sqlite:///{tmp_path / 'declared.db'}")
    try:
        assert made_by_migrations(migrated) == made_by_metadata(declared)
    finally:
        migrated.dispose()
        declared.dispose()


@pytest.mark.integration
def test_the_migrations_make_what_the_tables_say_on_postgresql(postgresql: str) -> None:
    migrated = new_postgresql_database(postgresql, "migrated")
    declared = new_postgresql_database(postgresql, "declared")
    try:
        assert made_by_migrations(migrated) == made_by_metadata(declared)
    finally:
        migrated.dispose()
        declared.dispose()


def test_the_program_knows_every_revision_there_is() -> None:
    scripts = ScriptDirectory(str(MIGRATIONS))
    assert scripts.get_current_head() == HEAD
    assert {script.revision for script in scripts.walk_revisions()} == set(KNOWN)
    assert set(RELEASED) <= set(KNOWN)


@pytest.mark.parametrize("revision", RELEASED)
def test_a_database_of_a_released_schema_keeps_its_rows_and_is_brought_up_to_date(
    tmp_path: Path, revision: str
) -> None:
    path = tmp_path / "old.db"
    with sqlite3.connect(path) as old:
        old.executescript((SCHEMAS / f"{revision}.sql").read_text("utf-8"))
        rows = old.execute("SELECT count(*) FROM sla_clock").fetchone()
    old.close()
    assert rows[0] > 0, "a schema without rows tells nothing"
    engine = open_engine(f"sqlite:///{path}")
    declared = open_engine(f"sqlite:///{tmp_path / 'declared.db'}")
    try:
        assert made_by_migrations(engine) == made_by_metadata(declared)
        with reading(engine) as connection:
            assert connection.execute(text("SELECT count(*) FROM sla_clock")).scalar() == rows[0]
            assert connection.execute(text("SELECT version_num FROM alembic_version")).scalar() == HEAD
            assert connection.execute(text("PRAGMA foreign_key_check")).all() == []
            assert connection.execute(text("PRAGMA integrity_check")).scalar() == "ok"
    finally:
        engine.dispose()
        declared.dispose()


def test_bringing_up_to_date_twice_changes_nothing(tmp_path: Path) -> None:
    engine = open_engine(f"sqlite:///{tmp_path / 'one.db'}")
    first = made_by_migrations(engine)
    assert made_by_migrations(engine) == first
    engine.dispose()


@pytest.mark.integration
@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_a_newer_database_is_refused_in_one_line_and_left_alone(
    tmp_path: Path, kind: str, request: pytest.FixtureRequest
) -> None:
    if kind == "sqlite":
        engine = open_engine(f"sqlite:///{tmp_path / 'one.db'}")
    else:
        engine = new_postgresql_database(request.getfixturevalue("postgresql"), "newer")
    try:
        prepare_database(engine)
        with writing(engine) as connection:
            connection.execute(text("UPDATE alembic_version SET version_num = '0999'"))
        with pytest.raises(
            StoreError, match=rf"made by a newer ReplyBy .schema 0999, this program knows {HEAD}."
        ) as told:
            prepare_database(engine)
        assert "\n" not in str(told.value)
        with reading(engine) as connection:
            assert connection.execute(text("SELECT version_num FROM alembic_version")).scalar() == "0999"
    finally:
        engine.dispose()


@pytest.mark.integration
def test_two_programs_that_start_at_once_make_one_schema(postgresql: str) -> None:
    engine = new_postgresql_database(postgresql, "twice")
    problems: list[BaseException] = []

    def prepare() -> None:
        try:
            prepare_database(engine)
        except Exception as problem:  # noqa: BLE001  whatever it is, the assertion below shows it
            problems.append(problem)

    threads = [threading.Thread(target=prepare) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    engine.dispose()
    assert problems == []


_PREPARE = """
import sys
from monitor.store.engine import open_engine
from monitor.store.migrate import prepare_database
sys.stdout.write("ready\\n")
sys.stdout.flush()
engine = open_engine(sys.argv[1])
prepare_database(engine)
sys.stdout.write("done\\n")
sys.stdout.flush()
"""


def test_killed_while_it_makes_the_schema_it_leaves_the_old_one_or_the_new_one(tmp_path: Path) -> None:
    """SIGKILL at 15 random moments of a migration: afterwards the file is empty or whole, and the next start makes it whole."""
    seed = int(os.environ.get("CHAOS_SEED") or random.SystemRandom().randrange(1_000_000))
    rng = random.Random(seed)
    root = Path(__file__).parents[2]
    whole = open_engine(f"sqlite:///{tmp_path / 'whole.db'}")
    expected = made_by_migrations(whole)
    whole.dispose()
    pause = threading.Event()
    half = 0
    for number in range(15):
        path = tmp_path / f"killed-{number}.db"
        process = subprocess.Popen(
            [sys.executable, "-c", _PREPARE, f"sqlite:///{path}"], cwd=root, stdout=subprocess.PIPE
        )
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        pause.wait(rng.uniform(0, 0.6) * number / 14)  # the first ones at once: on a quick machine all is done in 0.1 s
        process.send_signal(signal.SIGKILL)
        process.wait(10)
        half += process.stdout.read() == b""
        process.stdout.close()
        engine = open_engine(f"sqlite:///{path}")
        with reading(engine) as connection:
            assert shape_of(connection) in ({}, expected), f"seed {seed}, kill {number}"
        assert made_by_migrations(engine) == expected, f"seed {seed}, kill {number}"
        engine.dispose()
    assert half > 0, f"seed {seed}: no kill struck before the end; the run shows nothing"
