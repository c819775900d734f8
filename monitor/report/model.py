"""What a weekly report is made of: frozen values between counting and wording. Instants are aware UTC."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from monitor.core.figures import Figures, Judgement, MessageOutcome
from monitor.core.weeks import IsoWeek
from monitor.report.source import Acknowledged, AmazonFigure, Told, WaiverFacts

Period = tuple[datetime, datetime]
"""From (included) and to (excluded), aware UTC."""

UNKNOWN_MARKETPLACE = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportSettings:
    """What the configuration says of reports.

    Attributes:
        target: the usual one; each message is judged by its own.
        names: people by name; otherwise the team as a whole.
        staffed: staffed periods, ascending and disjoint, over at least `staffing_span(week, time_zone)`; empty: no hours are
            configured, and Monday to Friday, 09:00 to 18:00, is assumed and said.
        holidays: local dates on which nobody works.
        watching_since: when the worker was first started: nobody could be told of what fell due before.
    """

    time_zone: ZoneInfo
    goal: float = 0.90
    target: timedelta = timedelta(hours=24)
    names: bool = False
    language: str = "en"
    staffed: tuple[Period, ...] = ()
    holidays: frozenset[date] = frozenset()
    watching_since: datetime | None = None


class Cause(StrEnum):
    """Why a message was missed; the first that fits, in this order."""

    REPLY_REFUSED = "reply_refused"
    MAILBOX_BLIND = "mailbox_blind"
    ALERT_FAILED = "alert_failed"
    ACKNOWLEDGED_AND_FORGOTTEN = "acknowledged_and_forgotten"
    NOT_ALERTED = "not_alerted"
    HOLIDAY = "holiday"
    WEEKEND = "weekend"
    NIGHT = "night"
    UNSTAFFED = "unstaffed"
    BUSY = "busy"


@dataclass(frozen=True, slots=True, kw_only=True)
class Miss:
    """One message of the week that was answered late or not at all.

    `late_by` runs until the answer, or until `now` where there is none. `told` and `acknowledged` carry names; renderers
    show them only where `Report.names` says so.
    """

    outcome: MessageOutcome
    judgement: Judgement
    late_by: timedelta
    cause: Cause
    told: tuple[Told, ...] = ()
    acknowledged: tuple[Acknowledged, ...] = ()
    where: str = "inbox"


@dataclass(frozen=True, slots=True, kw_only=True)
class WeekFigures:
    """One of the twelve weeks that are compared. `whole`: it lies wholly within what was read and is over."""

    week: IsoWeek
    figures: Figures
    whole: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Waivers:
    """How "no response needed" was used on the week's messages.

    `after_deadline` were marked when it was too late already, `in_last_hour` within the hour before. `rate_without` is the
    response rate if the first kind counted as unanswered: marking to dodge the clock shows.
    """

    count: int = 0
    after_deadline: int = 0
    in_last_hour: int = 0
    rate_without: float | None = None
    by_person: tuple[WaiverFacts, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class MarketEvidence:
    """What was ever seen of one account and marketplace: count and last instant by kind of evidence.

    `blind`: buyers wrote, and no reply made in Seller Central was ever seen.
    """

    account: str
    marketplace: str
    blind: bool
    seen: Mapping[str, tuple[int, datetime | None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class AmazonComparison:
    """Amazon's own figure beside ours of the same account, marketplace and days, counted by Amazon's 24 hours."""

    amazon: AmazonFigure
    ours: Figures


@dataclass(frozen=True, slots=True, kw_only=True)
class HeatMap:
    """Counts by hour of the local week: index weekday * 24 + hour, Monday first. `weeks` is how many were summed.

    A breach stands at its deadline; a reply that answers several messages counts once. `staffed`: which hours of the
    report's week are staffed at their middle.
    """

    arrivals: tuple[int, ...]
    replies: tuple[int, ...]
    breaches: tuple[int, ...]
    weeks: int
    staffed: tuple[bool, ...] = (False,) * 168


@dataclass(frozen=True, slots=True, kw_only=True)
class AddedHour:
    """One more staffed hour and what it would have saved, of what the hours before it in the list leave over.

    `usual_saved` of `usual_missed`: the same hour of the week in the weeks before (`usual_weeks` of them).
    """

    from_at: datetime
    to_at: datetime
    saved: int
    usual_saved: int = 0
    usual_missed: int = 0
    usual_weeks: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class UnstaffedGap:
    """An unstaffed time and how many messages fell due in it unanswered."""

    from_at: datetime
    to_at: datetime
    missed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """What more staffed time would have changed, by replaying the week.

    `handling_seconds`: what one reply takes, `handling_measured` from the team's own replies in a row or assumed.
    """

    missed: int = 0
    added: tuple[AddedHour, ...] = ()
    gaps: tuple[UnstaffedGap, ...] = ()
    handling_seconds: float = 360.0
    handling_measured: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """A count to come: its mean, and the range that holds it in eight weeks of ten."""

    mean: float
    low: int
    high: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """The week after the report's, from `weeks` whole weeks. `by_day`: mean arrivals, Monday first."""

    weeks: int
    received: Expected
    missed: Expected
    by_day: tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """One week, counted and explained; renderers add the words. Mapping keys of figures are what they group by."""

    week: IsoWeek
    from_at: datetime
    to_at: datetime
    now: datetime
    settings: ReportSettings
    figures: Figures
    windows: Mapping[int, Figures]
    by_marketplace: Mapping[str, Figures]
    by_account: Mapping[str, Figures]
    by_label: Mapping[str, Figures]
    weeks: tuple[WeekFigures, ...]
    misses: tuple[Miss, ...]
    causes: tuple[tuple[Cause, int], ...]
    waivers: Waivers
    evidence: tuple[MarketEvidence, ...]
    amazon: tuple[AmazonComparison, ...]
    heat: HeatMap
    coverage: Coverage
    forecast: Forecast | None
    messages: tuple[tuple[MessageOutcome, Judgement], ...]

    @property
    def at_least(self) -> bool:
        """Whether replies may have gone unseen, so that every rate is "at least"."""
        return any(market.blind for market in self.evidence)

    @property
    def staffed_assumed(self) -> bool:
        """Whether no staffed hours are configured and office hours are assumed."""
        return not self.settings.staffed

    @property
    def over(self) -> bool:
        """Whether the week is over at `now`."""
        return self.now >= self.to_at
