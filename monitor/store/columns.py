"""Column types that both databases treat alike."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from sqlalchemy import BigInteger, Connection, Dialect, Integer, String, Table, Text, text
from sqlalchemy.types import TypeDecorator

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


class UtcInstant(TypeDecorator[datetime]):
    """An aware UTC instant as microseconds since 1970: exact, ordered, the same bytes in both databases."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:
        """Return the count; a naive instant raises ValueError."""
        del dialect
        return None if value is None else to_microseconds(value)

    def process_result_value(self, value: int | None, dialect: Dialect) -> datetime | None:
        """Return the instant, aware UTC."""
        del dialect
        return None if value is None else from_microseconds(value)

    # The two above, called once a value and not through two functions more: a first run converts millions.

    def bind_processor(self, dialect: Dialect) -> Callable[[datetime | None], int | None]:
        """Return what makes the count of an instant."""
        del dialect
        return lambda value: None if value is None else to_microseconds(value)

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[int | None], datetime | None]:
        """Return what makes the instant of a count."""
        del dialect, coltype
        return lambda value: None if value is None else EPOCH + timedelta(0, 0, value)


def storable(value: str) -> str:
    """Return the text as both databases take it: PostgreSQL refuses U+0000, neither encodes half a surrogate pair.

    What a stranger writes reaches columns through headers; a mail must never be lost because one of them is odd.
    """
    if "\x00" in value:
        value = value.replace("\x00", "")
    if not value.isascii():
        value = value.encode("utf-8", "replace").decode("utf-8")
    return value


class Line(TypeDecorator[str]):
    """A short text, cut at its length: SQLite would not mind a longer one, PostgreSQL would refuse the whole row."""

    impl = String
    cache_ok = True

    def __init__(self, length: int) -> None:
        """Keep the length, in characters."""
        super().__init__(length)
        self._length = length

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        """Return the text as it is stored."""
        del dialect
        return None if value is None else storable(value)[: self._length]

    def bind_processor(self, dialect: Dialect) -> Callable[[str | None], str | None]:
        """Return the same as one function: most lines are short, plain ASCII and pass as they are."""
        del dialect
        length = self._length

        def process(value: str | None) -> str | None:
            if value is None or (len(value) <= length and value.isascii() and "\x00" not in value):
                return value
            return storable(value)[:length]

        return process


class Words(TypeDecorator[str]):
    """A text of any length."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        """Return the text as it is stored."""
        del dialect
        return None if value is None else storable(value)

    def bind_processor(self, dialect: Dialect) -> Callable[[str | None], str | None]:
        """Return the same as one function."""
        del dialect
        return lambda value: None if value is None else storable(value)


def to_microseconds(instant: datetime) -> int:
    """Return microseconds since 1970.

    Raises:
        ValueError: naive instant.
    """
    if instant.tzinfo is None:
        raise ValueError(f"naive instant {instant.isoformat()}: instants are aware UTC")
    return (instant - EPOCH) // MICROSECOND


def from_microseconds(value: int) -> datetime:
    """Return the aware UTC instant of a count of microseconds since 1970."""
    return EPOCH + timedelta(microseconds=value)


def reserve_ids(connection: Connection, table: Table, count: int) -> range | list[int]:
    """Return ids for that many new rows of a table, never used before.

    Asking for each row's id after its insertion makes the driver insert row by row; so ids are taken first.
    """
    if connection.dialect.name == "postgresql":
        statement = text("SELECT nextval(pg_get_serial_sequence(:name, 'id')) FROM generate_series(1, :count)")
        return list(connection.execute(statement, {"name": table.name, "count": count}).scalars())
    statement = text("SELECT seq FROM sqlite_sequence WHERE name = :name")
    last = connection.execute(statement, {"name": table.name}).scalar() or 0
    return range(last + 1, last + 1 + count)


# SQLite numbers rows by itself only for INTEGER PRIMARY KEY.
RowId = BigInteger().with_variant(Integer(), "sqlite")
