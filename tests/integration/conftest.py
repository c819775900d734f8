"""What several files need: a mail server, the providers' stand-ins, and a database of each kind."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path

import pytest

from tests.support.databases import SQLITE, new_database
from tests.support.dovecot import Dovecot, running_dovecot
from tests.support.jobs_world import TUESDAY, Build, JobsWorld
from tests.support.postgresql import running_postgresql
from tests.support.slack_server import SlackServer
from tests.support.twilio_server import TwilioServer
from tests.support.weekend_world import POLICY


@pytest.fixture
def dovecot() -> Iterator[Dovecot]:
    """Give a mail server of one's own."""
    with running_dovecot() as server:
        yield server


@pytest.fixture
def slack() -> Iterator[SlackServer]:
    """Give a Slack on the wall clock."""
    server = SlackServer().start()
    yield server
    server.stop()


@pytest.fixture
def twilio() -> Iterator[TwilioServer]:
    """Give a Twilio on the wall clock."""
    server = TwilioServer().start()
    yield server
    server.stop()


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


@pytest.fixture
def build(tmp_path: Path) -> Iterator[Build]:
    """Give what builds the worker's jobs, each time on a store of its own."""
    built: list[JobsWorld] = []

    def make(now: datetime = TUESDAY, *, policy: str = POLICY, changes: Mapping[str, str] | None = None) -> JobsWorld:
        folder = tmp_path / str(len(built))
        folder.mkdir()
        built.append(JobsWorld(folder, now, policy=policy, changes=changes))
        return built[-1]

    yield make
    for world in built:
        world.close()
