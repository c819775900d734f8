"""Each promise is kept on SQLite and on PostgreSQL."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, create_engine

from tests.support.delivery_rig import Rig, sqlite_engine
from tests.support.postgresql import running_postgresql


@pytest.fixture(scope="module")
def postgresql_address() -> Iterator[str]:
    with running_postgresql() as address:
        yield address


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.integration)])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    if request.param == "sqlite":
        made = sqlite_engine(tmp_path / "outbox.db")
    else:
        made = create_engine(request.getfixturevalue("postgresql_address"))
    yield made
    made.dispose()


@pytest.fixture
def rig(engine: Engine) -> Rig:
    return Rig(engine)
