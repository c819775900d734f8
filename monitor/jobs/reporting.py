"""What a report is made of, read from the store; and writing the report that fell due."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import structlog
from sqlalchemy import Connection, func, or_, select

from alerts.core.model import Channel, Notification, Purpose
from alerts.core.staffing import staffed_periods
from alerts.outbox import enqueue
from alerts.tables import NotificationStatus, delivery, notification
from monitor.core.figures import MessageOutcome
from monitor.core.matching import refused_between
from monitor.core.messages import Kind
from monitor.core.weeks import IsoWeek, week_of
from monitor.errors import ReplyByError
from monitor.jobs.comparing import read_differences
from monitor.jobs.people import AddressBook
from monitor.jobs.services import Services
from monitor.report.build import build_report
from monitor.report.model import Report, ReportSettings
from monitor.report.place import find_directory_trouble, render_directory_trouble
from monitor.report.publish import RenderedReport, record_report, render_report, report_content
from monitor.report.schedule import due_reports
from monitor.report.source import (
    Acknowledged,
    AmazonFigure,
    EvidenceRow,
    MailboxOutage,
    MissFacts,
    Told,
    WaiverFacts,
)
from monitor.report.staffed import closed_days, staffing_span
from monitor.store.amazon import FIGURES_SHOWN
from monitor.store.engine import reading, writing
from monitor.store.evidence import read_evidence
from monitor.store.health import read_mark, record_mark
from monitor.store.schema import amazon_figure, decision, mailbox_outage, message, sla_clock, thread

log = structlog.get_logger(__name__)

STREAMED = 5_000
REPORTS_SINCE = "report:since"
REPORT_SENT = "report:sent:"


class StoredReports:
    """Fills the report's port from the store, on one connection."""

    def __init__(self, connection: Connection, services: Services) -> None:
        """Keep what is asked."""
        self._connection = connection
        self._services = services

    def read_outcomes(self, from_at: datetime, to_at: datetime) -> Iterator[MessageOutcome]:
        """Yield buyer messages received in the span, oldest first."""
        statement = (
            select(
                message.c.id,
                message.c.thread_id,
                message.c.account,
                message.c.marketplace,
                message.c.received_at,
                message.c.target_seconds,
                message.c.answered_at,
                message.c.by_hand,
                message.c.waived_at,
                message.c.labels,
                thread.c.order_id,
            )
            .outerjoin(thread, thread.c.id == message.c.thread_id)
            .where(
                message.c.kind == Kind.BUYER_MESSAGE.value,
                message.c.received_at >= from_at,
                message.c.received_at < to_at,
                message.c.excluded.is_(False),
                message.c.target_seconds.is_not(None),
            )
            .order_by(message.c.received_at, message.c.id)
            .execution_options(yield_per=STREAMED)
        )
        for row in self._connection.execute(statement):
            yield MessageOutcome(
                message_id=row[0],
                thread_id=row[1],
                account=row[2],
                marketplace=row[3],
                received_at=row[4],
                target=timedelta(seconds=row[5]),
                answered_at=row[6],
                by_hand=row[7],
                waived_at=row[8],
                labels=tuple(row[9].split()),
                order_id=row[10],
            )

    def read_misses(self, message_ids: Sequence[int]) -> Iterable[MissFacts]:
        """Return who was told of each message's clock, who had it, and where the mail lay."""
        rows = self._connection.execute(
            select(
                message.c.id,
                message.c.thread_id,
                message.c.received_at,
                message.c.place,
                message.c.alias_hash,
                message.c.order_hash,
            ).where(message.c.id.in_(message_ids))
        ).all()
        refused = self._refused(rows)
        clocks = self._clocks_of(rows)
        told = self._told(sorted(set(clocks.values())))
        acknowledged = self._acknowledged(sorted(set(clocks.values())))
        for row in rows:
            clock_id = clocks.get(row.id)
            yield MissFacts(
                message_id=row.id,
                told=tuple(told.get(clock_id or -1, ())),
                acknowledged=tuple(acknowledged.get(clock_id or -1, ())),
                refused_at=tuple(refused.get(row.id, ())),
                where=row.place,
            )

    def _refused(self, rows: Sequence[Any]) -> dict[int, list[datetime]]:
        """Return when replies went out that were refused or bounced, for each message they came after."""
        aliases = {row.alias_hash for row in rows if row.alias_hash is not None}
        orders = {row.order_hash for row in rows if row.order_hash is not None}
        statement = select(message).where(
            message.c.kind == Kind.DELIVERY_FAILURE.value,
            or_(message.c.alias_hash.in_(aliases), message.c.order_hash.in_(orders)),
        )
        found: dict[int, list[datetime]] = defaultdict(list)
        for failure in self._connection.execute(statement):
            at = failure.refused_at or failure.received_at
            _, until = refused_between(failure.refused_at, failure.received_at)
            for row in rows:
                same_order = failure.order_hash is not None and failure.order_hash == row.order_hash
                same_alias = failure.alias_hash is not None and failure.alias_hash == row.alias_hash
                other_order = None not in (failure.order_hash, row.order_hash) and not same_order
                if (same_order or (same_alias and not other_order)) and until >= row.received_at:
                    found[row.id].append(max(at, row.received_at))
        return found

    def _clocks_of(self, rows: Sequence[Any]) -> dict[int, int]:
        """Return the clock that covers each message: the latest of its thread that started no later."""
        threads = sorted({row.thread_id for row in rows if row.thread_id is not None})
        by_thread: dict[int, list[tuple[datetime, int]]] = defaultdict(list)
        statement = select(sla_clock.c.id, sla_clock.c.thread_id, sla_clock.c.started_at)
        for clock in self._connection.execute(statement.where(sla_clock.c.thread_id.in_(threads))):
            by_thread[clock.thread_id].append((clock.started_at, clock.id))
        found: dict[int, int] = {}
        for row in rows:
            started = [one for one in sorted(by_thread.get(row.thread_id, ())) if one[0] <= row.received_at]
            if started:
                found[row.id] = started[-1][1]
        return found

    def _told(self, clock_ids: Sequence[int]) -> dict[int, list[Told]]:
        at = func.coalesce(delivery.c.sent_at, notification.c.finished_at, notification.c.due_at)
        statement = (
            select(notification, at.label("at"))
            .outerjoin(delivery, delivery.c.id == notification.c.delivery_id)
            .where(
                notification.c.clock_id.in_(clock_ids),
                notification.c.purpose == Purpose.ALERT.value,
                notification.c.status.in_(
                    (NotificationStatus.SENT.value, NotificationStatus.FAILED.value, NotificationStatus.CANCELLED.value)
                ),
            )
            .order_by(at)
        )
        found: dict[int, list[Told]] = defaultdict(list)
        for row in self._connection.execute(statement):
            found[row.clock_id].append(
                Told(at=row.at, receiver=row.receiver, channel=row.channel, outcome=row.status, person=row.person)
            )
        return found

    def _acknowledged(self, clock_ids: Sequence[int]) -> dict[int, list[Acknowledged]]:
        statement = (
            select(decision.c.clock_id, decision.c.by, decision.c.made_at)
            .where(decision.c.clock_id.in_(clock_ids), decision.c.kind == "acknowledge")
            .order_by(decision.c.made_at)
        )
        found: dict[int, list[Acknowledged]] = defaultdict(list)
        for row in self._connection.execute(statement):
            found[row.clock_id].append(Acknowledged(by=row.by, at=row.made_at))
        return found

    def read_outages(self, from_at: datetime, to_at: datetime) -> Sequence[MailboxOutage]:
        """Return the outages that overlap the span."""
        accounts = {one.name: one.accounts for one in self._services.config.mailboxes}
        statement = select(mailbox_outage).where(
            mailbox_outage.c.from_at < to_at,
            or_(mailbox_outage.c.to_at.is_(None), mailbox_outage.c.to_at > from_at),
        )
        return [
            MailboxOutage(
                mailbox=row.mailbox, accounts=accounts.get(row.mailbox, ()), from_at=row.from_at, to_at=row.to_at
            )
            for row in self._connection.execute(statement)
        ]

    def read_evidence(self) -> Sequence[EvidenceRow]:
        """Return what was ever seen."""
        return [
            EvidenceRow(
                account=row.account,
                marketplace=row.marketplace or None,
                evidence=row.evidence,
                count=row.count,
                last_seen_at=row.last_seen_at,
            )
            for row in read_evidence(self._connection)
        ]

    def read_waivers(self, from_at: datetime, to_at: datetime) -> Sequence[WaiverFacts]:
        """Return who waived how many messages received in the span."""
        statement = (
            select(sla_clock.c.waived_by, func.sum(sla_clock.c.messages).label("waived"))
            .where(
                sla_clock.c.waived_at.is_not(None), sla_clock.c.started_at >= from_at, sla_clock.c.started_at < to_at
            )
            .group_by(sla_clock.c.waived_by)
        )
        return [
            WaiverFacts(by=row.waived_by or "?", count=int(row.waived)) for row in self._connection.execute(statement)
        ]

    def read_amazon_figures(self) -> Sequence[AmazonFigure]:
        """Return the newest figure of each account, marketplace and window; where ours is another, with what is likely why.

        None older than `FIGURES_SHOWN`: it would stand on the first screen as if it were today's.
        """
        now = self._services.utc_now()
        differing = read_differences(self._connection, self._services.config, now)
        newest: dict[tuple[str, str, int], AmazonFigure] = {}
        statement = (
            select(amazon_figure)
            .where(amazon_figure.c.late_ratio.is_not(None), amazon_figure.c.read_at >= now - FIGURES_SHOWN)
            .order_by(amazon_figure.c.read_at)
        )
        for row in self._connection.execute(statement):
            newest[row.account, row.marketplace, row.window_days] = AmazonFigure(
                account=row.account,
                marketplace=row.marketplace,
                window_days=row.window_days,
                late_ratio=row.late_ratio,
                read_at=row.read_at,
                source=row.source,
                average_response_seconds=row.average_response_seconds,
                difference=differing.get((row.account, row.marketplace, row.window_days)),
            )
        return list(newest.values())


def make_report(services: Services, week: IsoWeek, language: str | None = None) -> Report:
    """Return the report of a week as things stand now."""
    config = services.config
    zone = config.worker.time_zone
    span = staffing_span(week, zone)
    periods = staffed_periods(services.directory.shifts, *span)
    wanted = config.report
    settings = ReportSettings(
        time_zone=zone,
        goal=config.sla.goal,
        target=config.sla.target,
        names=wanted.names if wanted is not None else False,
        language=language or (wanted.language if wanted is not None else "en"),
        staffed=tuple((period.start_at, period.end_at) for period in periods),
        watching_since=services.first_started_at,
        holidays=closed_days(services.directory.shifts, span, zone),
    )
    with reading(services.engine) as connection:
        return build_report(StoredReports(connection, services), week, services.utc_now(), settings)


def send_due_reports(services: Services, book: AddressBook) -> int:
    """Write and enqueue the reports that fell due and were not sent; return how many.

    The files, the notifications and the mark that it was done follow one another so that a kill repeats only the files.

    Raises:
        ReplyByError: the directory cannot be written. The report stays due.
    """
    wanted = services.config.report
    if wanted is None or not (wanted.to or wanted.directory):
        return 0
    zone = services.config.worker.time_zone
    now = services.utc_now()
    with writing(services.engine) as connection:
        since = read_mark(connection, REPORTS_SINCE)
        if since is None:
            record_mark(connection, REPORTS_SINCE, now)
            return 0
        last = read_mark(connection, REPORT_SENT)
    last_week = None if last is None else week_of(last, zone)
    directory = wanted.directory or services.config.worker.state_directory / "reports"
    due = due_reports(wanted.weekday, wanted.minute, zone, now, since, last_week)
    if due and (trouble := find_directory_trouble(directory)) is not None:  # before a second of figures and pictures
        raise ReplyByError(trouble)
    for one in due:
        report = make_report(services, one.week)
        rendered = render_report(report)
        try:
            paths = record_report(rendered, directory)
        except OSError as error:  # a full disk
            raise ReplyByError(render_directory_trouble(directory, error)) from None
        with writing(services.engine) as connection:
            enqueue(connection, _report_notifications(services, book, rendered, paths, now), now)
            record_mark(connection, REPORT_SENT, report.from_at, str(one.week))
        services.wake.set()
        log.info("report written", week=str(one.week), directory=str(directory))
    return len(due)


def _report_notifications(
    services: Services, book: AddressBook, rendered: RenderedReport, paths: dict[str, Path], now: datetime
) -> list[Notification]:
    wanted = services.config.report
    week = str(rendered.report.week)
    short = report_content(rendered, paths, whole=False)
    long = report_content(rendered, paths)
    return [
        Notification(
            key=f"report:{week}:{target.receiver}:{target.person or '-'}:{target.channel}",
            purpose=Purpose.REPORT,
            receiver=target.receiver,
            channel=target.channel,
            person=target.person,
            due_at=now,
            content=long if target.channel is Channel.EMAIL else short,
        )
        for target in book.targets(wanted.to if wanted is not None else (), now)
        if target.channel not in (Channel.SMS, Channel.VOICE)
    ]
