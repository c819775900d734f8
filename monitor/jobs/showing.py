"""What /metrics and the worker's page show, read from the store at one instant."""

import threading
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from time import monotonic

from sqlalchemy import Connection, select

from alerts.outbox import stats
from monitor.core.labels import PRIORITIES
from monitor.core.marketplaces import MARKETPLACES
from monitor.core.messages import Kind
from monitor.core.snapshot import OpenThread, Snapshot, WeekHours
from monitor.jobs.services import Services
from monitor.metrics.catalogue import MetricNames
from monitor.metrics.page import MAX_ROWS, PageFacts
from monitor.store.amazon import read_newest_figures
from monitor.store.engine import reading
from monitor.store.health import read_health
from monitor.store.open_threads import read_open
from monitor.store.schema import message
from monitor.store.snapshots import count_reviews, read_markets, read_rates
from monitor.store.tallies import read_tallies

HOURS_KEPT_SECONDS = 300.0
"""How long the hours of the week are kept: they change slowly and are the dearest part of a scrape."""

QUEUE = MAX_ROWS + 1_000


@dataclass
class Shown:
    """Reads snapshots and pages; `last_cycle_at` tells when a whole cycle last went well."""

    services: Services
    last_cycle_at: Callable[[], datetime | None]
    _hours: tuple[WeekHours, ...] = ()
    _hours_read: float | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def read_snapshot(self) -> Snapshot:
        """Return everything that is exported, at this instant."""
        services = self.services
        now = services.utc_now()
        with reading(services.engine) as connection:
            outbox = stats(connection, now)
            return Snapshot(
                now=now,
                markets=read_markets(connection, services.config.sla.at_risk, now),
                tallies=read_tallies(connection),
                mailboxes=read_health(connection),
                outbox_pending=outbox.due,
                outbox_oldest_at=outbox.oldest_at,
                review_pending=count_reviews(connection),
                cycle_last_success_at=self.last_cycle_at(),
                week_hours=self._week_hours(connection, now),
                amazon=read_newest_figures(connection, now),
            )

    def _week_hours(self, connection: Connection, now: datetime) -> tuple[WeekHours, ...]:
        with self._lock:
            if self._hours_read is None or monotonic() - self._hours_read > HOURS_KEPT_SECONDS:
                self._hours = read_week_hours(connection, self.services, now)
                self._hours_read = monotonic()
            return self._hours

    def read_page(self) -> PageFacts:
        """Return what the worker's own page shows."""
        services = self.services
        now = services.utc_now()
        with reading(services.engine) as connection:
            rows = read_open(connection, services.config.sla.at_risk, now, limit=QUEUE)
            markets = read_markets(connection, services.config.sla.at_risk, now)
            mailboxes = read_health(connection)
            reviews = sum(count_reviews(connection).values())
            ratios = _all_ratios(connection, now)
        several = len(services.config.accounts) > 1
        blind = sorted(
            {
                f"{one.account} {one.marketplace}" if several else one.marketplace
                for one in markets
                if "buyer_message" in one.evidence_last_seen_at and "confirmation_copy" not in one.evidence_last_seen_at
            }
        )
        warnings = []
        if reviews:
            warnings.append(f"{reviews} to decide: replyby review")
        if blind:
            warnings.append(f"Replies made in Seller Central were never seen: {', '.join(blind)}")
        return PageFacts(
            now=now,
            time_zone=services.config.worker.time_zone,
            threads=tuple(
                OpenThread(
                    thread_id=row.thread_id,
                    account=row.account,
                    marketplace=row.marketplace,
                    deadline_at=row.deadline_at,
                    started_at=row.started_at,
                    state=row.state,
                    labels=row.labels,
                    messages=row.messages,
                    acknowledged_by=row.acknowledged_by,
                    verified=row.verified,
                    where=row.where,
                    backlog=row.backlog,
                )
                for row in rows
            ),
            mailboxes=mailboxes,
            cycle_last_success_at=self.last_cycle_at(),
            goal=services.config.sla.goal,
            response_ratio=ratios,
            several_accounts=several,
            warnings=tuple(warnings),
        )


def _all_ratios(connection: Connection, now: datetime) -> dict[int, float | None]:
    totals: dict[int, list[int]] = defaultdict(lambda: [0, 0])
    for by_days in read_rates(connection, now).values():
        for days, (on_time, judged) in by_days.items():
            totals[days][0] += on_time
            totals[days][1] += judged
    return {days: on_time / judged if judged else None for days, (on_time, judged) in totals.items()}


def read_week_hours(connection: Connection, services: Services, now: datetime) -> tuple[WeekHours, ...]:
    """Return, by account, in which local hours of the week messages of the last 90 days arrived and deadlines broke."""
    zone = services.config.worker.time_zone
    received: dict[str, list[int]] = {account.name: [0] * 168 for account in services.config.accounts}
    breached: dict[str, list[int]] = {account.name: [0] * 168 for account in services.config.accounts}
    columns = (
        message.c.account,
        message.c.received_at,
        message.c.target_seconds,
        message.c.answered_at,
        message.c.waived_at,
    )
    statement = (
        select(*columns)
        .where(
            message.c.kind == Kind.BUYER_MESSAGE.value,
            message.c.received_at >= now - timedelta(days=90),
            message.c.excluded.is_(False),
            message.c.target_seconds.is_not(None),
        )
        .execution_options(yield_per=5_000)
    )
    for account, received_at, target, answered_at, waived_at in connection.execute(statement):
        if account not in received:
            continue
        local = received_at.astimezone(zone)
        received[account][local.weekday() * 24 + local.hour] += 1
        deadline_at = received_at + timedelta(seconds=target)
        ended = [instant for instant in (answered_at, waived_at) if instant is not None]
        if deadline_at < now and (not ended or min(ended) > deadline_at):
            local = deadline_at.astimezone(zone)
            breached[account][local.weekday() * 24 + local.hour] += 1
    return tuple(
        WeekHours(account=name, received=tuple(received[name]), breached=tuple(breached[name])) for name in received
    )


def metric_names(services: Services, version: str) -> MetricNames:
    """Return the label values that exist from the start: every marketplace, what the configuration names, what was seen."""
    seen: dict[str, set[str]] = {account.name: set() for account in services.config.accounts}
    with reading(services.engine) as connection:
        for one in read_markets(connection, services.config.sla.at_risk, services.utc_now()):
            seen.setdefault(one.account, set()).add(one.marketplace)
    for account in services.config.accounts:
        seen[account.name] |= {marketplace.country for marketplace in MARKETPLACES}
    receivers = {
        (receiver.name, kind)
        for receiver in services.directory.receivers.values()
        for kind in (("slack", "sms", "voice", "email") if receiver.type == "person" else (receiver.type,))
    }
    words = (*PRIORITIES, *(rule.name for rule in services.config.labels))
    return MetricNames(
        version=version,
        marketplaces={name: tuple(sorted(codes - {"unknown"})) for name, codes in seen.items()},
        mailboxes=tuple(mailbox.name for mailbox in services.config.mailboxes),
        receivers=tuple(sorted(receivers)),
        words=tuple(dict.fromkeys(words)),
        amazon_accounts=tuple(account.name for account in services.config.accounts if account.sp_api is not None),
    )
