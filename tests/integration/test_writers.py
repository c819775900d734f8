"""Who writes waits for its turn, on either database: nobody decides on what another one is just changing."""

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from sqlalchemy import Column, Integer, MetaData, Table, func, insert, select

from monitor.store.engine import open_engine, reading, writing
from tests.support.databases import SQLITE

NUMBERS = Table("numbers", MetaData(), Column("id", Integer, primary_key=True))
WRITERS, TIMES = 3, 20


def test_what_a_writer_has_read_is_still_so_when_it_writes(tmp_path: Path, database: str) -> None:
    """Each adds the next number after the highest it sees. Two that see the same one would add the same."""
    engine = open_engine(f"sqlite:///{tmp_path}/numbers.db" if database == SQLITE else database)
    NUMBERS.create(engine)
    begin = threading.Barrier(WRITERS)

    def count() -> None:
        begin.wait(60)
        for _ in range(TIMES):
            with writing(engine) as connection:
                highest = connection.execute(select(func.coalesce(func.max(NUMBERS.c.id), 0))).scalar_one()
                connection.execute(insert(NUMBERS).values(id=highest + 1))

    with ThreadPoolExecutor(WRITERS) as pool:
        for writer in [pool.submit(count) for _ in range(WRITERS)]:
            writer.result(120)
    with reading(engine) as connection:
        assert connection.execute(select(NUMBERS.c.id).order_by(NUMBERS.c.id)).scalars().all() == [
            *range(1, WRITERS * TIMES + 1)
        ]
    engine.dispose()
