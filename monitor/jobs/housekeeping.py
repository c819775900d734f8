"""Forgetting in time: buyers' words after `keep_text`, aliases and order numbers after `keep_identifiers`. Figures stay."""

from dataclasses import dataclass

import structlog
from sqlalchemy import delete, select, update

from monitor.jobs.services import Services
from monitor.store.engine import writing
from monitor.store.schema import message, order_fact, review, thread

log = structlog.get_logger(__name__)

ERASED_AT_ONCE = 1_000


@dataclass(frozen=True, slots=True)
class Forgotten:
    """What was erased: threads that lost their identifiers, messages that lost their words."""

    threads: int
    texts: int


def forget_in_time(services: Services) -> Forgotten:
    """Erase what was kept long enough, counted from when a thread closed; keyed hashes and figures stay."""
    now = services.utc_now()
    worker = services.config.worker
    texts = 0
    with writing(services.engine) as connection:
        old = select(thread.c.id).where(thread.c.closed_at.is_not(None), thread.c.closed_at < now - worker.keep_text)
        statement = update(message).where(message.c.text.is_not(None), message.c.thread_id.in_(old))
        texts = connection.execute(statement.values(text=None)).rowcount
    threads = 0
    while True:
        with writing(services.engine) as connection:
            ids = list(
                connection.execute(
                    select(thread.c.id)
                    .where(
                        thread.c.closed_at.is_not(None),
                        thread.c.closed_at < now - worker.keep_identifiers,
                        thread.c.erased_at.is_(None),
                    )
                    .limit(ERASED_AT_ONCE)
                ).scalars()
            )
            if ids:
                hashes = select(thread.c.order_hash).where(thread.c.id.in_(ids), thread.c.order_hash.is_not(None))
                connection.execute(delete(order_fact).where(order_fact.c.order_hash.in_(hashes)))
                connection.execute(
                    update(thread)
                    .where(thread.c.id.in_(ids))
                    .values(
                        order_id=None,
                        asin=None,
                        alias=None,
                        reply_address=None,
                        seller_central_url=None,
                        no_response_url=None,
                        erased_at=now,
                    )
                )
            connection.execute(
                update(review)
                .where(review.c.order_id.is_not(None), review.c.received_at < now - worker.keep_identifiers)
                .values(order_id=None)
            )
        threads += len(ids)
        if len(ids) < ERASED_AT_ONCE:
            break
    if threads or texts:
        log.info("forgotten in time", threads=threads, texts=texts)
    return Forgotten(threads, texts)
