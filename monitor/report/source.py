"""The port the store fills: what a report is made of. Instants are aware UTC."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from monitor.core.difference import Difference
from monitor.core.figures import MessageOutcome


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """One notification about a message's clock.

    `outcome` is that of `replyby_notifications_total` ("sent", "retried", "failed", "cancelled", "reconciled"); `at` is
    when it was sent, or when it was given up. `person` is None for a shared receiver.
    """

    at: datetime
    receiver: str
    channel: str
    outcome: str
    person: str | None = None

    @property
    def arrived(self) -> bool:
        """Whether the provider took it."""
        return self.outcome in ("sent", "retried", "reconciled")


@dataclass(frozen=True, slots=True, kw_only=True)
class Acknowledged:
    """Somebody said that they have it."""

    by: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class MissFacts:
    """What happened around one missed message.

    `refused_at`: when replies to it went out that Amazon then refused or that bounced. `where` is "inbox" or "junk".
    """

    message_id: int
    told: tuple[Told, ...] = ()
    acknowledged: tuple[Acknowledged, ...] = ()
    refused_at: tuple[datetime, ...] = ()
    where: str = "inbox"


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceRow:
    """How often one kind of evidence (`monitor.core.snapshot.EVIDENCE`) was seen, and when last."""

    account: str
    marketplace: str | None
    evidence: str
    count: int
    last_seen_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WaiverFacts:
    """How many messages received in a span one person marked "no response needed"."""

    by: str
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MailboxOutage:
    """A time in which a mailbox could not be read. `to_at` None: it lasts. `accounts`: whose buyer mail it holds."""

    mailbox: str
    accounts: tuple[str, ...]
    from_at: datetime
    to_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AmazonFigure:
    """Amazon's own late response ratio (0 to 1). `source` is "sp_api" or "typed".

    `difference`: that ours of the same days is another, where that can be said, and why; of an account and marketplace at
    most one figure has it.
    """

    account: str
    marketplace: str
    window_days: int
    late_ratio: float
    read_at: datetime
    source: str
    average_response_seconds: float | None = None
    difference: Difference | None = None


class ReportSource(Protocol):
    """Where a report's facts come from. Every span is half-open: from_at <= instant < to_at."""

    def read_outcomes(self, from_at: datetime, to_at: datetime) -> Iterable[MessageOutcome]:
        """Yield buyer messages received in the span, oldest first, as a stream of bounded memory."""

    def read_misses(self, message_ids: Sequence[int]) -> Iterable[MissFacts]:
        """Return the facts around these messages, in any order; asked for at most 500 at a time."""

    def read_outages(self, from_at: datetime, to_at: datetime) -> Sequence[MailboxOutage]:
        """Return the outages that overlap the span."""

    def read_evidence(self) -> Sequence[EvidenceRow]:
        """Return what was ever seen, for each account, marketplace and kind of evidence."""

    def read_waivers(self, from_at: datetime, to_at: datetime) -> Sequence[WaiverFacts]:
        """Return who marked messages received in the span "no response needed"; undone marks do not count."""

    def read_amazon_figures(self) -> Sequence[AmazonFigure]:
        """Return the newest figure of each account, marketplace and window."""
