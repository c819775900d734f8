"""A copy of the whole database in another file: for a dry run, which must store nothing."""

from sqlalchemy import Engine, MetaData, select

from monitor.store.engine import reading, writing

COPIED_AT_ONCE = 2_000


def copy_database(source: Engine, target: Engine) -> None:
    """Copy every table of `source`, as it stands in one transaction, into the empty database `target`.

    Both are of this program's schema; the databases may be of different kinds.
    """
    tables = MetaData()
    with reading(source) as origin:
        tables.reflect(origin)
        with writing(target) as copy:
            for table in tables.sorted_tables:
                copy.execute(table.delete())
                rows = origin.execute(select(table).execution_options(yield_per=COPIED_AT_ONCE))
                for part in rows.mappings().partitions(COPIED_AT_ONCE):
                    copy.execute(table.insert(), [dict(row) for row in part])
