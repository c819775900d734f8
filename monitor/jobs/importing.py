"""Taking in history from a file: the way of every mail, but nothing of it is news, nobody is paged, no graph shows a burst."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from sqlalchemy import Connection, func, select, update

from monitor.config.model import MailboxConfig
from monitor.jobs.intake import PollResult, read_source
from monitor.jobs.services import Recognise, Services
from monitor.parse.dates import NOWHERE
from monitor.sources.base import MailSource
from monitor.store.engine import reading, writing
from monitor.store.schema import bad_mail, sla_clock
from monitor.store.tallies import HISTORY

SHOWN_DAMAGED = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """What an import brought.

    Attributes:
        new: mails by kind that were not known before; copies: those that were.
        damaged: mails that were read only in part; examples: the first of them, place and problem.
        overdue: waits of this import that no reply ended and whose deadline is over; oldest_at: the first began.
        whole: it was read to its end; False: a stop broke it off, and the next run goes on there.
    """

    new: Mapping[str, int]
    copies: int
    damaged: int
    examples: tuple[tuple[int, str], ...] = ()
    overdue: int = 0
    oldest_at: datetime | None = None
    whole: bool = True
    accounts: tuple[str, ...] = field(default=())


def import_history(services: Services, mailbox: MailboxConfig, source: MailSource, recognise: Recognise) -> Imported:
    """Read a source to its end, store what its mails mean, and return what came of it.

    Waits whose deadline is over when this begins are history: they count in figures and page nobody. One with time left
    is watched like any other: its mail may be in no mailbox. The caller holds the worker's lock.

    Args:
        services: of the configuration; `stopping` ends it after the batch at hand.
        mailbox: stands for the source; its name is in cursors, and in no metric.
        source: what is read.
        recognise: what its mails are told apart by.

    Raises:
        MailboxError: it cannot be read; what was read before is stored.
        StoreError: the database cannot be used.
    """
    began_at = services.utc_now()
    inner = replace(
        services,
        config=replace(services.config, mailboxes=(mailbox,)),
        engine=services.engine.execution_options(**{HISTORY: True}),
        first_started_at=began_at,
        sources={mailbox.name: source},
        recognise={mailbox.name: recognise},
    )
    with reading(services.engine) as connection:
        last_clock = connection.execute(select(func.max(sla_clock.c.id))).scalar() or 0
        last_bad = connection.execute(select(func.max(bad_mail.c.id))).scalar() or 0
    result = PollResult(mailbox=mailbox.name)
    try:
        whole = read_source(inner, mailbox, NOWHERE, result)
    finally:
        with writing(services.engine) as connection:
            overdue, oldest_at = _settle(connection, last_clock, began_at)
    with reading(services.engine) as connection:
        rows = connection.execute(
            select(bad_mail.c.uid, bad_mail.c.problem)
            .where(bad_mail.c.id > last_bad, bad_mail.c.mailbox == mailbox.name)
            .order_by(bad_mail.c.id)
            .limit(SHOWN_DAMAGED)
        ).all()
    return Imported(
        new=result.new,
        copies=result.copies,
        damaged=result.damaged,
        examples=tuple((row.uid, row.problem) for row in rows),
        overdue=overdue,
        oldest_at=oldest_at,
        whole=whole,
        accounts=mailbox.accounts,
    )


def _settle(connection: Connection, last_clock: int, began_at: datetime) -> tuple[int, datetime | None]:
    """Mark the breaches of old waits as counted, so that the worker's next cycle counts none; return those left open."""
    old = (
        (sla_clock.c.id > last_clock)
        & sla_clock.c.closed_at.is_(None)
        & sla_clock.c.backlog.is_(True)
        & (sla_clock.c.deadline_at < began_at)
    )
    connection.execute(
        update(sla_clock).where(old, sla_clock.c.counted == "").values(counted="no_response", next_due_at=None)
    )
    row = connection.execute(select(func.count(), func.min(sla_clock.c.started_at)).where(old)).one()
    return row[0], row[1]
