"""An outbox on a database in memory."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Connection, create_engine

from alerts.tables import metadata


@pytest.fixture
def conn() -> Iterator[Connection]:
    """Give a connection to empty tables."""
    engine = create_engine("sqlite://")
    metadata.create_all(engine)
    with engine.begin() as connection:
        yield connection
    engine.dispose()
