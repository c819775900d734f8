"""A report source in memory, and an invented seller whose weeks look like real ones."""

import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from monitor.core.figures import MessageOutcome
from monitor.core.weeks import IsoWeek, local_instant, week_span
from monitor.report.model import Period, ReportSettings
from monitor.report.source import (
    Acknowledged,
    AmazonFigure,
    EvidenceRow,
    MailboxOutage,
    MissFacts,
    Told,
    WaiverFacts,
)

PARIS = ZoneInfo("Europe/Paris")
SAMPLE_WEEK = IsoWeek(2026, 47)
SAMPLE_NOW = datetime(2026, 11, 23, 7, 0, tzinfo=UTC)
DAY = timedelta(hours=24)
LABELS = ("delivery", "return", "product_question", "complaint", "invoice")
HOURS = (1, 1, 1, 1, 1, 1, 2, 4, 6, 8, 9, 9, 8, 8, 8, 8, 8, 9, 10, 11, 11, 9, 5, 2)  # when buyers write
MARKETS = ("FR", "DE", "IT", "ES", "NL")


@dataclass
class MemoryReportSource:
    """Facts in lists; spans are half-open as the port wants them."""

    outcomes: list[MessageOutcome] = field(default_factory=list)
    misses: dict[int, MissFacts] = field(default_factory=dict)
    outages: list[MailboxOutage] = field(default_factory=list)
    evidence: list[EvidenceRow] = field(default_factory=list)
    waivers: list[WaiverFacts] = field(default_factory=list)
    amazon: list[AmazonFigure] = field(default_factory=list)

    def read_outcomes(self, from_at: datetime, to_at: datetime) -> Iterator[MessageOutcome]:
        for outcome in sorted(self.outcomes, key=lambda outcome: outcome.received_at):
            if from_at <= outcome.received_at < to_at:
                yield outcome

    def read_misses(self, message_ids: Sequence[int]) -> Iterable[MissFacts]:
        return [self.misses[i] for i in message_ids if i in self.misses]

    def read_outages(self, from_at: datetime, to_at: datetime) -> Sequence[MailboxOutage]:
        return [o for o in self.outages if o.from_at < to_at and (o.to_at is None or o.to_at > from_at)]

    def read_evidence(self) -> Sequence[EvidenceRow]:
        return self.evidence

    def read_waivers(self, from_at: datetime, to_at: datetime) -> Sequence[WaiverFacts]:
        return self.waivers

    def read_amazon_figures(self) -> Sequence[AmazonFigure]:
        return self.amazon


def make_outcome(message_id: int, received_at: datetime, **changes: object) -> MessageOutcome:
    """Return one message with what most tests do not care about filled in."""
    values: dict[str, object] = {
        "message_id": message_id,
        "thread_id": message_id,
        "account": "acme-eu",
        "marketplace": "FR",
        "received_at": received_at,
        "target": DAY,
    }
    return MessageOutcome(**(values | changes))  # type: ignore[arg-type]


def staffed_weekdays(first: date, last: date, zone: ZoneInfo = PARIS) -> tuple[Period, ...]:
    """Return Monday to Friday, 09:00 to 18:00, of these days."""
    days = (first + timedelta(days=n) for n in range((last - first).days + 1))
    return tuple((local_instant(d, 540, zone), local_instant(d, 1080, zone)) for d in days if d.weekday() < 5)


def sample_settings(language: str = "en", names: bool = False) -> ReportSettings:
    """Return the settings of the invented seller."""
    return ReportSettings(
        time_zone=PARIS,
        names=names,
        language=language,
        staffed=staffed_weekdays(date(2026, 9, 1), date(2026, 12, 31)),
        watching_since=datetime(2026, 8, 1, tzinfo=UTC),
    )


def sample_source(seed: int = 47) -> MemoryReportSource:
    """Return fourteen weeks of an invented seller in five markets; the last whole week is 2026-W47.

    Replies come in office hours; on that week's Saturday some messages arrive after 14:00 and miss their deadline.
    """
    random_ = random.Random(seed)
    source = MemoryReportSource()
    for weeks_ago in range(14, -1, -1):
        week = SAMPLE_WEEK.shift(-weeks_ago)
        _add_week(source, week, random_, troubled=weeks_ago in (1, 4, 9))
    _add_saturday(source, random_)
    source.outcomes = [o for o in source.outcomes if o.received_at <= SAMPLE_NOW]
    source.outcomes.sort(key=lambda outcome: outcome.received_at)
    _add_facts(source)
    source.evidence = [
        EvidenceRow(account="acme-eu", marketplace=market, evidence=kind, count=count, last_seen_at=SAMPLE_NOW - DAY)
        for market in MARKETS
        for kind, count in (
            ("buyer_message", 400),
            ("confirmation_copy", 0 if market == "NL" else 210),
            ("sent_reply", 180),
        )
    ]
    source.waivers = [WaiverFacts(by="Ana", count=4), WaiverFacts(by="Bo", count=2)]
    source.amazon = [
        AmazonFigure(
            account="acme-eu",
            marketplace="FR",
            window_days=30,
            late_ratio=0.059,
            read_at=SAMPLE_NOW - timedelta(hours=20),
            source="sp_api",
            average_response_seconds=5.2 * 3600,
        )
    ]
    return source


def _order_id(random_: random.Random) -> str:
    return f"{random_.choice((302, 402, 404, 405))}-{random_.randrange(10**7):07d}-{random_.randrange(10**7):07d}"


def _add_week(source: MemoryReportSource, week: IsoWeek, random_: random.Random, troubled: bool) -> None:
    from_at, _ = week_span(week, PARIS)
    for _ in range(random_.randint(120, 165)):
        day = random_.choices(range(7), weights=(24, 21, 19, 18, 17, 12, 14))[0]
        hour = random_.choices(range(24), weights=HOURS)[0]
        received_at = from_at + timedelta(days=day, hours=hour, seconds=random_.randrange(3600))
        local = received_at.astimezone(PARIS)
        answered_at = _reply_at(received_at, random_)
        late = answered_at.astimezone(PARIS).weekday() < 5 and random_.random() < (0.22 if troubled else 0.07)
        if late and not (9 <= local.hour < 16):
            answered_at = received_at + timedelta(hours=random_.uniform(24.5, 33))
        index = len(source.outcomes) + 1
        waived_at = received_at + timedelta(hours=random_.uniform(1, 26)) if random_.random() < 0.04 else None
        source.outcomes.append(
            make_outcome(
                index,
                received_at,
                marketplace=random_.choices(MARKETS, weights=(40, 30, 15, 12, 3))[0],
                answered_at=None if waived_at else answered_at,
                waived_at=waived_at,
                by_hand=random_.random() < 0.02,
                labels=tuple(random_.sample(LABELS, random_.choice((0, 1, 1, 1, 2)))),
                order_id=_order_id(random_),
            )
        )


def _reply_at(received_at: datetime, random_: random.Random) -> datetime:
    """Return when the invented team answers: in office hours within hours, else when somebody next looks."""
    at = received_at + timedelta(minutes=round(random_.lognormvariate(4.0, 0.9)), seconds=random_.randrange(60))
    local = at.astimezone(PARIS)
    if local.weekday() < 5 and 9 <= local.hour < 18:
        return at
    for days in range(3):
        day = local.date() + timedelta(days=days)
        looks = (9 * 60, 20 * 60 + 30) if day.weekday() < 5 else (10 * 60, 20 * 60)
        for minute in looks:
            look_at = local_instant(day, minute, PARIS)
            if look_at >= at:
                return look_at + timedelta(minutes=random_.randrange(75), seconds=random_.randrange(60))
    return at


def _add_saturday(source: MemoryReportSource, random_: random.Random) -> None:
    """Let four messages of Saturday afternoon and one of Wednesday be missed, and no other message of that week."""
    from_at, to_at = week_span(SAMPLE_WEEK, PARIS)
    for place, outcome in enumerate(source.outcomes):
        late = outcome.answered_at is not None and outcome.answered_at - outcome.received_at > DAY
        if from_at <= outcome.received_at < to_at and late:
            source.outcomes[place] = make_outcome(
                outcome.message_id,
                outcome.received_at,
                marketplace=outcome.marketplace,
                answered_at=outcome.received_at + timedelta(hours=5),
                labels=outcome.labels,
                order_id=outcome.order_id,
            )
    monday = local_instant(date(2026, 11, 23), 7 * 60 + 30, PARIS)
    for minute, market, answered in (
        (14 * 60 + 12, "DE", monday),
        (15 * 60 + 40, "FR", monday + timedelta(minutes=5)),
        (17 * 60 + 3, "FR", monday + timedelta(minutes=11)),
        (18 * 60 + 55, "IT", None),
    ):
        source.outcomes.append(
            make_outcome(
                len(source.outcomes) + 1,
                local_instant(date(2026, 11, 21), minute, PARIS),
                marketplace=market,
                answered_at=answered,
                labels=("delivery",),
                order_id=_order_id(random_),
            )
        )
    received_at = local_instant(date(2026, 11, 18), 10 * 60 + 21, PARIS)
    source.outcomes.append(
        make_outcome(
            len(source.outcomes) + 1,
            received_at,
            marketplace="ES",
            answered_at=received_at + timedelta(hours=26, minutes=8),
            labels=("complaint", "return"),
            order_id=_order_id(random_),
        )
    )


def _add_facts(source: MemoryReportSource) -> None:
    """Tell the team of every late message; the one of Wednesday was taken by Ana and forgotten."""
    for outcome in source.outcomes:
        late = outcome.answered_at is None or outcome.answered_at > outcome.deadline_at
        if not late:
            continue
        midweek = outcome.marketplace == "ES" and outcome.received_at.astimezone(PARIS).weekday() == 2
        two_hours_before = outcome.deadline_at - timedelta(hours=2)
        source.misses[outcome.message_id] = MissFacts(
            message_id=outcome.message_id,
            told=(
                Told(at=outcome.deadline_at - timedelta(hours=8), receiver="team", channel="slack", outcome="sent"),
                Told(at=two_hours_before, receiver="oncall-sms", channel="sms", outcome="sent", person="Ana"),
            ),
            acknowledged=(Acknowledged(by="Ana", at=two_hours_before + timedelta(minutes=4)),) if midweek else (),
        )
