"""The morning's summary: what waits, how yesterday went, what the doctor finds. Sent once, when it is due."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import structlog
from sqlalchemy import Connection, select

from alerts.core.model import Notification, Purpose
from alerts.core.staffing import staffed_periods
from alerts.outbox import enqueue
from monitor.core.figures import FiguresBuilder, judge, latency_seconds
from monitor.jobs.people import AddressBook
from monitor.jobs.reporting import StoredReports
from monitor.jobs.services import Services
from monitor.jobs.watch import SUMMARY_CHANNELS
from monitor.report.digest import READ_BEFORE, DigestFacts, Trouble, build_digest, count_day, yesterday_span
from monitor.report.schedule import DueDigest, due_digest
from monitor.store.engine import reading, writing
from monitor.store.health import read_mark, record_mark
from monitor.store.open_threads import read_facts, read_open
from monitor.store.schema import decision, thread
from monitor.store.snapshots import count_reviews

log = structlog.get_logger(__name__)

DIGEST_SINCE = "digest:since"
DIGEST_SENT = "digest:sent"


def send_due_digest(services: Services, book: AddressBook) -> bool:
    """Enqueue the digest that fell due, once; return whether one was enqueued. Nothing to tell: nothing is sent."""
    wanted = services.config.digest
    if wanted is None or not wanted.to:
        return False
    now = services.utc_now()
    zone = services.config.worker.time_zone
    with reading(services.engine) as connection:
        since = read_mark(connection, DIGEST_SINCE)
        due = None if since is None else _due(connection, services, since, now)
    if since is not None and due is None:
        return False
    troubles = _look_for_troubles(services) if due is not None else ()  # asks the providers: in no transaction
    with writing(services.engine) as connection:
        since = read_mark(connection, DIGEST_SINCE)
        if since is None:
            record_mark(connection, DIGEST_SINCE, now)
            return False
        due = _due(connection, services, since, now)
        if due is None:
            return False
        record_mark(connection, DIGEST_SENT, due.due_at)
        facts = replace(_digest_facts(connection, services, now), troubles=troubles)
        planned = []
        for target in book.targets(wanted.to, now):
            address = book.address_of(target.receiver, target.channel, target.person)
            language = address.language if address is not None else wanted.language
            words = build_digest(facts, language, zone, when_empty=wanted.when_empty)
            if words is not None and target.channel in SUMMARY_CHANNELS:
                key = f"digest:{int(due.due_at.timestamp())}:{target.receiver}:{target.person or '-'}:{target.channel}"
                planned.append(
                    Notification(
                        key=key,
                        purpose=Purpose.DIGEST,
                        receiver=target.receiver,
                        channel=target.channel,
                        person=target.person,
                        due_at=now,
                        expires_at=due.expires_at,
                        content=words,
                    )
                )
        if not enqueue(connection, planned, now):
            return False
    services.wake.set()
    return True


def _due(connection: Connection, services: Services, since: datetime, now: datetime) -> DueDigest | None:
    """Return the digest that is due and was not sent, or None."""
    assert services.config.digest is not None
    periods = staffed_periods(services.directory.shifts, now - timedelta(days=1), now + timedelta(days=1))
    ends = [period.end_at for period in periods]
    zone = services.config.worker.time_zone
    return due_digest(services.config.digest.minute, zone, now, since, read_mark(connection, DIGEST_SENT), ends)


def _look_for_troubles(services: Services) -> Sequence[Trouble]:
    """Return what the doctor finds. Where looking itself fails the digest goes out all the same, and says so."""
    if services.look_for_troubles is None:
        return ()
    try:
        return services.look_for_troubles()
    except Exception:
        log.exception("looking for troubles failed")
        return (Trouble("looking for troubles failed. See the log, and run: replyby doctor.", bad=True),)


def _digest_facts(connection: Connection, services: Services, now: datetime) -> DigestFacts:
    zone = services.config.worker.time_zone
    rows = [row for row in read_open(connection, services.config.sla.at_risk, now) if not row.backlog]
    facts = read_facts(connection, [row.clock_id for row in rows], services.facts_context, now)
    from_at, to_at = yesterday_span(now, zone)
    outcomes = list(StoredReports(connection, services).read_outcomes(from_at - READ_BEFORE, now))
    window = FiguresBuilder()
    for outcome in outcomes:
        if outcome.received_at >= now - timedelta(days=7):
            judgement = judge(outcome, now)
            window.add(judgement, latency_seconds(outcome, judgement), outcome.by_hand)
    return DigestFacts(
        now=now,
        threads=list(facts.values()),
        yesterday=count_day([one for one in outcomes if one.received_at < to_at], from_at, to_at),
        window=window.build(),
        goal=services.config.sla.goal,
        next_staffed_at=services.directory.staffing(now).next_start_at(now) if services.directory.shifts else None,
        waived_yesterday=_waived(connection, from_at, to_at),
        review_pending=sum(count_reviews(connection).values()),
        watched=bool(services.config.worker.heartbeat_url),
    )


def _waived(connection: Connection, from_at: datetime, to_at: datetime) -> list[str | None]:
    statement = (
        select(thread.c.order_id)
        .join(decision, decision.c.thread_id == thread.c.id)
        .where(
            decision.c.kind == "waived",
            decision.c.revoked_at.is_(None),
            decision.c.made_at >= from_at,
            decision.c.made_at < to_at,
        )
    )
    return list(connection.execute(statement).scalars())
