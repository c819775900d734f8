"""Writing many rows at once: a statement is prepared once, then each value goes straight to the driver.

SQLAlchemy prepares every row's parameters anew and spends more on it than the database on writing; the types' own
processors are the same ones that it would call.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any

from sqlalchemy import Connection, Dialect, Table, bindparam, insert, update

IN_LIST = 400
"""How many values stand in one IN list: below every database's limit, large enough to be few."""

_Process = Callable[[Any], Any]


@dataclass(frozen=True, slots=True)
class _Prepared:
    """A statement as the driver takes it. `keys`: the row's keys in the order of the parameters; `names`: None for "?"."""

    sql: str
    keys: tuple[str, ...]
    names: tuple[str, ...] | None
    processors: tuple[tuple[int, _Process], ...]


_prepared: dict[tuple[str, ...], _Prepared] = {}


def insert_rows(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert rows that all name the same columns."""
    _write(connection, table, "insert", rows)


def update_rows(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write these columns of rows told by `id`; all rows name the same columns."""
    _write(connection, table, "update", rows)


def parts(values: Sequence[int]) -> Iterable[Sequence[int]]:
    """Return the values in lists that a database takes."""
    return (values[start : start + IN_LIST] for start in range(0, len(values), IN_LIST))


def _write(connection: Connection, table: Table, verb: str, rows: Sequence[Mapping[str, Any]]) -> None:
    if not rows:
        return
    dialect = connection.dialect
    known = (dialect.name, dialect.driver, table.name, verb, *rows[0])
    prepared = _prepared.get(known)
    if prepared is None:
        prepared = _prepared[known] = _prepare(dialect, table, verb, tuple(rows[0]))
    pick, processors, names = itemgetter(*prepared.keys), prepared.processors, prepared.names
    parameters: list[Any] = []
    for row in rows:
        values = list(pick(row))
        for position, process in processors:
            values[position] = process(values[position])
        parameters.append(tuple(values) if names is None else dict(zip(names, values, strict=True)))
    connection.exec_driver_sql(prepared.sql, parameters)


def _prepare(dialect: Dialect, table: Table, verb: str, columns: tuple[str, ...]) -> _Prepared:
    # A parameter must not be called as a column that is set: hence the prefix.
    binds = {name: bindparam(f"b_{name}", type_=table.c[name].type) for name in columns}
    if verb == "insert":
        compiled = insert(table).values(binds).compile(dialect=dialect)
    else:
        values = {name: bind for name, bind in binds.items() if name != "id"}
        compiled = update(table).where(table.c.id == binds["id"]).values(values).compile(dialect=dialect)
    order = tuple(getattr(compiled, "positiontup", None) or compiled.params)
    keys = tuple(name.removeprefix("b_") for name in order)
    processors = []
    for position, key in enumerate(keys):
        process = table.c[key].type.dialect_impl(dialect).bind_processor(dialect)
        if process is not None:
            processors.append((position, process))
    return _Prepared(
        str(compiled),
        keys,
        order if dialect.paramstyle not in ("qmark", "format", "numeric") else None,
        tuple(processors),
    )
