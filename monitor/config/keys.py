"""Every key of config.toml, once: its kind, default and meaning. Reading, the README and the first file come from here."""

from collections.abc import Iterator

from monitor.config.keys_of_alerts import (
    DIGEST,
    LABEL,
    PERSON,
    POLICY,
    RECEIVER,
    REPORT,
    SCHEDULE,
    SLACK,
    SMTP,
    STAFFED,
    TWILIO,
)
from monitor.config.keys_of_mail import ACCOUNT, MAILBOX, SLA, WORKER
from monitor.config.schema import Table

FILE = Table(
    "",
    "The whole file.",
    (
        WORKER,
        SLA,
        ACCOUNT,
        MAILBOX,
        SLACK,
        TWILIO,
        SMTP,
        PERSON,
        RECEIVER,
        SCHEDULE,
        STAFFED,
        POLICY,
        REPORT,
        DIGEST,
        LABEL,
    ),
)


def walk_tables(table: Table = FILE, parents: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Table]]:
    """Yield every table with the names that lead to it, in the order of the file."""
    for inner in table.tables.values():
        path = (*parents, inner.name)
        yield path, inner
        yield from walk_tables(inner, path)
