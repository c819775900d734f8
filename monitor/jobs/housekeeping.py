"""Forgetting in time: buyers' words after `keep_text`, aliases and order numbers after `keep_identifiers`. Figures stay."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog
from sqlalchemy import ColumnElement, Connection, and_, delete, func, or_, select, update

from alerts.outbox import clear_content
from alerts.tables import answer_event
from monitor.jobs.services import Services
from monitor.store.engine import writing
from monitor.store.erasing import IDENTIFIERS, erase_texts, erase_threads
from monitor.store.schema import bad_mail, mark, message, review, silence, thread

log = structlog.get_logger(__name__)

ERASED_AT_ONCE = 1_000
EVENTS_KEPT = timedelta(days=30)
"""Slack repeats an envelope for minutes, the inbox of SMS is read two days back: older ones never come again."""

BAD_MAILS_KEPT = timedelta(days=90)
PASSING_MARKS = ("gap:", "stop:", "amazon_secret:", "amazon_silent:")
"""Marks of what was told once; the others are read for ever."""

MARKS_KEPT = timedelta(days=400)


@dataclass(frozen=True, slots=True, kw_only=True)
class Forgotten:
    """What was erased: threads that lost their identifiers, messages that lost their words, and rows nobody reads."""

    threads: int = 0
    texts: int = 0
    rows: int = 0


def forget_in_time(services: Services) -> Forgotten:
    """Erase what was kept long enough, counted from when a thread closed; keyed hashes and figures stay.

    Done in small transactions, so that nothing waits for it; a kill in between is made good the next hour.
    """
    now = services.utc_now()
    worker = services.config.worker
    texts = _repeat(services, lambda connection: _forget_texts(connection, now - worker.keep_text))
    threads = _repeat(services, lambda connection: _forget_threads(connection, now - worker.keep_identifiers, now))
    rows = 0
    with writing(services.engine) as connection:
        before = now - worker.keep_identifiers
        for statement in (
            update(review).where(review.c.order_id.is_not(None), review.c.received_at < before).values(order_id=None),
            delete(silence).where(func.coalesce(silence.c.expired_at, silence.c.ends_at) < before),
            delete(answer_event).where(answer_event.c.at < now - EVENTS_KEPT),
            delete(bad_mail).where(bad_mail.c.seen_at < now - BAD_MAILS_KEPT),
            delete(mark).where(
                or_(*(mark.c.name.startswith(one, autoescape=True) for one in PASSING_MARKS)),
                mark.c.at < now - MARKS_KEPT,
            ),
        ):
            rows += connection.execute(statement).rowcount
        rows += clear_content(connection, before)
    if threads or texts or rows:
        log.info("forgotten in time", threads=threads, texts=texts, rows=rows)
    return Forgotten(threads=threads, texts=texts, rows=rows)


def _repeat(services: Services, step: Any) -> int:
    total = 0
    while not services.stopping.is_set():
        with writing(services.engine) as connection:
            done, more = step(connection)
        total += done
        if not more:
            break
    return total


def _forget_texts(connection: Connection, before: datetime) -> tuple[int, bool]:
    """Erase the words of threads closed before an instant, and of mails that never came into one."""
    closed = select(thread.c.id).where(thread.c.closed_at < before)
    old = or_(message.c.thread_id.in_(closed), and_(message.c.thread_id.is_(None), message.c.received_at < before))
    ids = list(
        connection.execute(select(message.c.id).where(message.c.text.is_not(None), old).limit(ERASED_AT_ONCE)).scalars()
    )
    if ids:
        connection.execute(update(message).where(message.c.id.in_(ids)).values(text=None))
    return len(ids), len(ids) == ERASED_AT_ONCE


def _forget_threads(connection: Connection, before: datetime, now: datetime) -> tuple[int, bool]:
    closed = select(thread.c.id).where(thread.c.closed_at < before, _tells_who())
    ids = list(connection.execute(closed.limit(ERASED_AT_ONCE)).scalars())
    if ids:
        erase_threads(connection, ids, now)
        erase_texts(connection, ids)
    return len(ids), len(ids) == ERASED_AT_ONCE


def _tells_who() -> ColumnElement[bool]:
    """Return SQL that is true for a thread that was never erased, or was filled again by a later mail."""
    return or_(thread.c.erased_at.is_(None), *(thread.c[name].is_not(None) for name in IDENTIFIERS))
