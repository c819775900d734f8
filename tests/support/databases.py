"""An empty database for each test: SQLite's file, or one of its own on a PostgreSQL that the tests started."""

import contextlib
from collections.abc import Iterator
from itertools import count
from os import getpid

import psycopg

SQLITE = "sqlite:///replyby.db"
"""A file beside the configuration."""

_numbers = count(1)


@contextlib.contextmanager
def new_database(server: str) -> Iterator[str]:
    """Give the address, for SQLAlchemy, of an empty database on this server; it is dropped at the end."""
    name = f"test_{getpid()}_{next(_numbers)}"
    home, _, _ = server.rpartition("/")
    with psycopg.connect(server.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}".encode())
        try:
            yield f"{home}/{name}"
        finally:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())
