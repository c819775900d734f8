"""ReplyBy's own troubles and summaries: a blind mailbox, an old backlog, nobody on call. Each told once."""

from datetime import datetime, timedelta
from typing import Any

import structlog
from sqlalchemy import Connection, func, select

from alerts.core.model import Channel, Notification, Purpose
from alerts.core.schedule import gaps
from alerts.core.words import content
from alerts.outbox import enqueue, stats
from monitor.jobs.people import OPTED_OUT, AddressBook
from monitor.jobs.services import Services
from monitor.store.engine import writing
from monitor.store.evidence import read_evidence, read_sighted
from monitor.store.health import (
    BLIND,
    delete_mark,
    read_health,
    read_mark,
    read_marks,
    read_troubles,
    record_first_mark,
    record_mark,
    record_told,
)
from monitor.store.open_threads import read_backlog
from monitor.store.schema import sla_clock

log = structlog.get_logger(__name__)

OUTBOX_OLD = timedelta(minutes=10)
GAP_AHEAD = timedelta(days=3)
BLIND_SPOT = "blind_spot:"
BLIND_SPOT_EVERY = timedelta(days=7)
REGULAR = 5
"""Buyer messages from which on an account and marketplace counts as one where buyers write."""

LATELY = timedelta(days=14)
SIGN_IN, SIGN_IN_TOLD = "sign_in:", "sign_in_told:"
SIGN_IN_PATIENCE = timedelta(minutes=5)
"""A sign-in server that is out of order for two minutes is nobody's business: tokens are renewed 20 minutes early."""

SIGN_IN_EVERY = timedelta(days=1)
SUMMARY_CHANNELS = (Channel.SLACK, Channel.EMAIL, Channel.WEBHOOK, Channel.CONSOLE)
BACKLOG_COMMANDS = ("replyby status --all", "replyby answered {which} --by NAME", "replyby waive THREAD --by NAME")


def tell_backlog(services: Services, book: AddressBook) -> bool:
    """Tell once of what was breached before the worker was first started; return whether that was now.

    Such waits page nobody: most were answered where the worker could not see it.
    """
    now = services.utc_now()
    with writing(services.engine) as connection:
        if read_mark(connection, "backlog") is not None:
            return False
        counts = connection.execute(
            select(func.count(), func.min(sla_clock.c.deadline_at)).where(
                sla_clock.c.closed_at.is_(None), sla_clock.c.backlog.is_(True)
            )
        ).one()
        record_mark(connection, "backlog", now, str(counts[0]))
        if not counts[0]:
            return False
        old = read_backlog(connection)
        which = f"--before {old.end:%Y-%m-%dT%H:%M:%SZ}" if old is not None and old.covered else "THREAD"
        commands = [command.format(which=which) for command in BACKLOG_COMMANDS]
        words = content.backlog(counts[0], counts[1], commands=commands)
        tell_of_itself(connection, services, book, "backlog", Purpose.BACKLOG, words, now)
    services.wake.set()
    return True


def watch_health(services: Services, book: AddressBook) -> int:
    """Tell of what newly went wrong with ReplyBy itself, and of what came right; return how many things were told."""
    now = services.utc_now()
    told = 0
    with writing(services.engine) as connection:
        told += _watch_mailboxes(connection, services, book, now)
        told += _watch_outbox(connection, services, book, now)
        told += _watch_schedules(connection, services, book, now)
        told += _watch_people(connection, services, book, now)
        told += _watch_blind_spots(connection, services, book, now)
        told += _watch_sign_ins(connection, services, book, now)
    if told:
        services.wake.set()
    return told


def _watch_mailboxes(connection: Connection, services: Services, book: AddressBook, now: datetime) -> int:
    """A refused login is told at once, an unreachable server and polls that never end after `blind_after`; each once.

    A watch (IDLE) that broke is only logged: polling goes on, and where that fails too, it is told as that.
    """
    told = 0
    troubles = {trouble.mailbox: trouble for trouble in read_troubles(connection)}
    for name, trouble in troubles.items():
        patience = timedelta(0) if trouble.reason in ("login", "tls") else services.config.worker.blind_after
        if trouble.told_at is not None or now - trouble.failing_since < patience:
            continue
        running, next_due_at = _running(connection)
        words = content.health(
            content.HealthKind.MAILBOX_BLIND,
            name,
            since=trouble.failing_since,
            detail=trouble.trouble,
            clocks_running=running,
            next_due_at=next_due_at,
        )
        key = f"blind:{name}:{int(trouble.failing_since.timestamp())}"
        tell_of_itself(connection, services, book, key, Purpose.HEALTH, words, now, page=True)
        record_told(connection, name, now)
        record_mark(connection, f"{BLIND}{name}", trouble.failing_since)
        told += 1
    silent = _silent_mailboxes(connection, services, now)
    for name, last_at in silent.items():
        if name in troubles or read_mark(connection, f"{BLIND}{name}") is not None:
            continue
        words = content.health(content.HealthKind.MAILBOX_BLIND, name, since=last_at, detail="no poll came to its end")
        tell_of_itself(
            connection,
            services,
            book,
            f"blind:{name}:{int(last_at.timestamp())}",
            Purpose.HEALTH,
            words,
            now,
            page=True,
        )
        record_mark(connection, f"{BLIND}{name}", last_at)
        told += 1
    for mailbox in services.config.mailboxes:
        since = read_mark(connection, f"{BLIND}{mailbox.name}")
        if since is None or mailbox.name in troubles or mailbox.name in silent:
            continue
        words = content.health(content.HealthKind.MAILBOX_BACK, mailbox.name, since=since)
        tell_of_itself(
            connection, services, book, f"back:{mailbox.name}:{int(since.timestamp())}", Purpose.HEALTH, words, now
        )
        delete_mark(connection, f"{BLIND}{mailbox.name}")
        told += 1
    return told


def _silent_mailboxes(connection: Connection, services: Services, now: datetime) -> dict[str, datetime]:
    """Return the mailboxes whose polls neither succeed nor fail any more, with their last success: they hang."""
    last = {one.mailbox: one.last_success_at for one in read_health(connection)}
    found = {}
    for mailbox in services.config.mailboxes:
        last_at = last.get(mailbox.name)
        if last_at is not None and now - last_at >= services.config.worker.blind_after + 2 * mailbox.poll_every:
            found[mailbox.name] = last_at
    return found


def _watch_outbox(connection: Connection, services: Services, book: AddressBook, now: datetime) -> int:
    oldest_at = stats(connection, now).oldest_at
    if oldest_at is None or now - oldest_at < OUTBOX_OLD:
        delete_mark(connection, "outbox_old")
        return 0
    if record_first_mark(connection, "outbox_old", now) != now:
        return 0
    words = content.health(content.HealthKind.OUTBOX_AGEING, "outbox", since=oldest_at)
    tell_of_itself(connection, services, book, f"outbox:{int(oldest_at.timestamp())}", Purpose.HEALTH, words, now)
    return 1


def _watch_schedules(connection: Connection, services: Services, book: AddressBook, now: datetime) -> int:
    """A gap in who is on call is told once, days before it begins and not in the night in which it is noticed."""
    told = 0
    for name, schedule in services.directory.schedules.items():
        mark = f"gap:{name}"
        told_from = read_mark(connection, mark)
        # From the begin of what was told, so that a gap that has begun keeps its begin and is known again.
        since = now if told_from is None else min(told_from, now)
        gap = next((one for one in gaps(schedule, since, now + GAP_AHEAD) if one.to_at > now), None)
        if gap is None:
            delete_mark(connection, mark)
        elif gap.from_at != told_from:
            record_mark(connection, mark, gap.from_at)
            detail = f"{gap.from_at:%Y-%m-%d %H:%M} - {gap.to_at:%Y-%m-%d %H:%M} UTC"
            words = content.health(content.HealthKind.NOBODY_ON_CALL, name, since=gap.from_at, detail=detail)
            key = f"{mark}:{int(gap.from_at.timestamp())}"
            tell_of_itself(connection, services, book, key, Purpose.HEALTH, words, now)
            told += 1
    return told


def _watch_people(connection: Connection, services: Services, book: AddressBook, now: datetime) -> int:
    """Who sent STOP cannot be paged any more: the team is told, once each time."""
    told = 0
    for name, at in read_marks(connection, OPTED_OUT).items():
        key = f"stop:{name.removeprefix(OPTED_OUT)}:{int(at.timestamp())}"
        if record_first_mark(connection, key, now) != now:
            continue
        words = content.health(content.HealthKind.PERSON_STOPPED, name.removeprefix(OPTED_OUT), since=at)
        tell_of_itself(connection, services, book, key, Purpose.HEALTH, words, now)
        told += 1
    return told


def _watch_blind_spots(connection: Connection, services: Services, book: AddressBook, now: datetime) -> int:
    """Where buyers write regularly and no reply made in Seller Central was ever seen: once a week, all in one message."""
    sighted = read_sighted(connection)
    marks = read_marks(connection, BLIND_SPOT)
    places = []
    for row in read_evidence(connection):
        regular = row.evidence == "buyer_message" and row.count >= REGULAR and now - row.last_seen_at <= LATELY
        if not regular or not row.marketplace or (row.account, row.marketplace) in sighted:
            continue
        told_at = marks.get(f"{BLIND_SPOT}{row.account}:{row.marketplace}")
        if told_at is None or now - told_at >= BLIND_SPOT_EVERY:
            places.append((row.account, row.marketplace))
    if not places:
        return 0
    for account, marketplace in places:
        record_mark(connection, f"{BLIND_SPOT}{account}:{marketplace}", now)
    several = len(services.config.accounts) > 1
    name = ", ".join(f"{account} {marketplace}" if several else marketplace for account, marketplace in places)
    words = content.health(content.HealthKind.BLIND_SPOT, name)
    tell_of_itself(connection, services, book, f"blind_spot:{int(now.timestamp())}", Purpose.HEALTH, words, now)
    return 1


def _watch_sign_ins(connection: Connection, services: Services, book: AddressBook, now: datetime) -> int:
    """A sign-in that ends soon or is no longer renewed is told before the mailbox goes blind, and again each day."""
    told = 0
    for name, find_trouble in services.sign_ins.items():
        detail = find_trouble(now)
        if detail is None:
            delete_mark(connection, f"{SIGN_IN}{name}")
            delete_mark(connection, f"{SIGN_IN_TOLD}{name}")
            continue
        since = record_first_mark(connection, f"{SIGN_IN}{name}", now)
        told_at = read_mark(connection, f"{SIGN_IN_TOLD}{name}")
        blind = read_mark(connection, f"{BLIND}{name}") is not None  # that was told already, with the same advice
        if blind or now - since < SIGN_IN_PATIENCE or (told_at is not None and now - told_at < SIGN_IN_EVERY):
            continue
        words = content.health(content.HealthKind.OTHER, name, since=since, detail=detail)
        tell_of_itself(connection, services, book, f"sign_in:{name}:{int(now.timestamp())}", Purpose.HEALTH, words, now)
        record_mark(connection, f"{SIGN_IN_TOLD}{name}", now)
        told += 1
    return told


def _running(connection: Connection) -> tuple[int, datetime | None]:
    row = connection.execute(
        select(func.count(), func.min(sla_clock.c.deadline_at)).where(
            sla_clock.c.closed_at.is_(None), sla_clock.c.backlog.is_(False)
        )
    ).one()
    return row[0], row[1]


def tell_of_itself(
    connection: Connection,
    services: Services,
    book: AddressBook,
    key: str,
    purpose: Purpose,
    words: dict[str, Any],
    now: datetime,
    *,
    page: bool = False,
) -> None:
    """Enqueue one of ReplyBy's own messages for those who are told of its troubles; the same key is told once.

    `page`: it goes to phones too; else to channels that can be read at leisure, where there is one.
    """
    targets = list(book.health_targets(now))
    shared = [target for target in targets if target.channel in SUMMARY_CHANNELS]
    enqueue(
        connection,
        [
            Notification(
                key=f"{key}:{target.receiver}:{target.person or '-'}:{target.channel}",
                purpose=purpose,
                receiver=target.receiver,
                channel=target.channel,
                person=target.person,
                due_at=now,
                page=page,
                content=words,
            )
            for target in (targets if page else shared or targets)
        ],
        now,
    )
    log.info("told of itself", purpose=purpose.value, key=key)
