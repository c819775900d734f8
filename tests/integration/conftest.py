"""What several files need: a database of each kind."""

from collections.abc import Iterator

import pytest

from tests.support.databases import SQLITE, new_database
from tests.support.postgresql import running_postgresql


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[str]:
    """Give the address of one server for all tests of this process."""
    with running_postgresql() as address:
        yield address


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.integration)])
def database(request: pytest.FixtureRequest) -> Iterator[str]:
    """Give the address of an empty database: each promise is kept on both."""
    if request.param == "sqlite":
        yield SQLITE
        return
    with new_database(request.getfixturevalue("postgresql_server")) as address:
        yield address
