"""Writes the dump of a released schema with rows: run once for each release, `python -m tests.support.dump_schema 0001`."""

import re
import sqlite3
import sys
import tempfile
from datetime import timedelta
from pathlib import Path

from tests.support.small_world import small_world

SCHEMAS = Path(__file__).parents[1] / "data" / "schemas"


def write_dump(revision: str) -> Path:
    """Write tests/data/schemas/<revision>.sql: a small invented store of this program's schema; never overwrites one."""
    target = SCHEMAS / f"{revision}.sql"
    with tempfile.TemporaryDirectory(prefix="replyby-dump-") as folder, small_world(Path(folder)) as world:
        world.buyer_writes()
        world.buyer_writes(order="402-7654321-7654321", alias="other1aaaaaaaaa@marketplace.amazon.fr")
        world.pass_time(timedelta(hours=22, minutes=30), timedelta(minutes=10))
        world.seller_replies()
        world.pass_time(timedelta(minutes=5), timedelta(seconds=30))
        world.services.engine.dispose()
        with sqlite3.connect(Path(folder) / "replyby.db") as database:
            lines = "\n".join(database.iterdump())
        database.close()
    with target.open("x", encoding="utf-8") as file:
        # A reference is random: the dump needs none of it.
        file.write(re.sub(r"http://127\.0\.0\.1:\d+", "http://127.0.0.1:1", lines) + "\n")
    return target


if __name__ == "__main__":
    print(write_dump(sys.argv[1]))
