"""What /metrics and the worker's own page show of one instant: plain counts, no order and no person."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from monitor.core.sla import ClockState

DUE_WITHIN_HOURS = (1, 2, 4, 8, 12, 24)
RATE_WINDOWS_DAYS = (7, 30, 90)
RESPONSE_EDGES_SECONDS = (300, 900, 1800, 3600, 7200, 14400, 28800, 43200, 57600, 72000, 86400, 129600, 172800, 345600)
EVIDENCE = ("buyer_message", "confirmation_copy", "sent_reply", "delivery_failure", "opt_out")


@dataclass(frozen=True, slots=True, kw_only=True)
class MarketSnapshot:
    """One account and marketplace. `due_within` counts open threads by hours, breached ones included, cumulatively.

    `backlog`: how many of the breached were overdue before the first start. They are never the next deadline.
    """

    account: str
    marketplace: str
    open_by_state: Mapping[ClockState, int]
    due_within: Mapping[int, int]
    backlog: int = 0
    next_deadline_at: datetime | None = None
    next_acknowledged: bool = False
    response_ratio: Mapping[int, float | None] = field(default_factory=dict)  # by days of the window
    late_response_ratio: Mapping[int, float | None] = field(default_factory=dict)
    judged_messages: Mapping[int, int] = field(default_factory=dict)  # what the ratios are shares of, by days too
    evidence_last_seen_at: Mapping[str, datetime] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """A count that only grows, kept in the store so that restarts and shell commands do not reset it.

    `name` is a metric's name without `_total`; `labels` its label values in the metric's own order. For the histogram
    the last label is the bucket's edge in seconds ("+Inf" too), with `name` "response_seconds_bucket" (not cumulative)
    and "response_seconds_sum" (in seconds).
    """

    name: str
    labels: tuple[str, ...]
    value: float


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenThread:
    """A row of the worker's own page: one thread awaiting a reply."""

    thread_id: int
    account: str | None
    marketplace: str | None
    deadline_at: datetime
    started_at: datetime
    state: ClockState
    labels: tuple[str, ...] = ()
    messages: int = 1
    acknowledged_by: str | None = None
    verified: bool = True
    where: str = "inbox"
    backlog: bool = False  # overdue before the first start


@dataclass(frozen=True, slots=True, kw_only=True)
class MailboxHealth:
    """How reading one mailbox goes. `trouble` is the last failure's line while it lasts."""

    mailbox: str
    last_success_at: datetime | None
    trouble: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WeekHours:
    """One account's buyer messages of the last 90 days by hour of the week, in worker.time_zone.

    `received` and `breached` (whose deadline passed unanswered, by that instant) hold 168 counts, Monday 00:00 first.
    """

    account: str
    received: tuple[int, ...]
    breached: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AmazonSnapshot:
    """Amazon's newest figure of one account, marketplace and window of days; None: Amazon says nothing of it.

    `judged`: how many messages the share is of, where its values are counts.
    """

    account: str
    marketplace: str
    window_days: int
    read_at: datetime
    late_ratio: float | None = None
    average_response_seconds: float | None = None
    judged: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """Everything that is exported, at `now`."""

    now: datetime
    markets: tuple[MarketSnapshot, ...]
    tallies: tuple[Tally, ...]
    mailboxes: tuple[MailboxHealth, ...]
    outbox_pending: int = 0
    outbox_oldest_at: datetime | None = None
    review_pending: Mapping[str, int] = field(default_factory=dict)  # by account
    cycle_last_success_at: datetime | None = None
    week_hours: tuple[WeekHours, ...] = ()
    amazon: tuple[AmazonSnapshot, ...] = ()
