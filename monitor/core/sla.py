"""The SLA clock: 24 elapsed hours from the oldest unanswered buyer message.

Owns the target, the deadline and the state at an instant. State is derived from facts and `now`, never stored.
"""

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo


class ClockState(StrEnum):
    """The six states of an SLA clock. `LATE` was answered after its deadline; `WAIVED` needs no response."""

    RUNNING = "running"
    AT_RISK = "at_risk"
    BREACHED = "breached"
    MET = "met"
    LATE = "late"
    WAIVED = "waived"


OPEN_STATES = (ClockState.RUNNING, ClockState.AT_RISK, ClockState.BREACHED)


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetOverride:
    """Another target for clocks that start on these dates (inclusive, in `SlaPolicy.time_zone`).

    `marketplaces` empty: all of them.
    """

    first_day: date
    last_day: date
    target: timedelta
    marketplaces: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class SlaPolicy:
    """How long a buyer may wait. The first override that fits wins; `time_zone` serves the override's dates only."""

    target: timedelta = timedelta(hours=24)
    at_risk: timedelta = timedelta(hours=4)
    goal: float = 0.90
    overrides: tuple[TargetOverride, ...] = ()
    time_zone: ZoneInfo = field(default_factory=lambda: ZoneInfo("UTC"))


@dataclass(frozen=True, slots=True, kw_only=True)
class SlaClock:
    """The facts of one wait. Instants are aware UTC; `target` is frozen when the clock starts."""

    started_at: datetime
    target: timedelta
    answered_at: datetime | None = None
    waived_at: datetime | None = None

    @property
    def deadline_at(self) -> datetime:
        """The instant at which an unanswered clock becomes a breach; a reply at that instant is on time."""
        return self.started_at + self.target


def target_for(policy: SlaPolicy, marketplace: str | None, started_at: datetime) -> timedelta:
    """Return the target of a clock that starts at this instant in this marketplace.

    Raises:
        ValueError: `started_at` is naive.
    """
    require_aware(started_at)
    if not policy.overrides:
        return policy.target
    day = started_at.astimezone(policy.time_zone).date()
    for override in policy.overrides:
        if override.marketplaces and marketplace not in override.marketplaces:
            continue
        if override.first_day <= day <= override.last_day:
            return override.target
    return policy.target


def state_at(clock: SlaClock, at_risk: timedelta, now: datetime) -> ClockState:
    """Return the clock's state at `now`.

    A reply at the deadline itself is on time, and at the deadline itself an unanswered clock is not yet breached: Amazon
    counts responses "over 24 hours". At risk begins when exactly `at_risk` remains. What was answered counts as answered
    even if it was waived later.

    Raises:
        ValueError: `now` is naive.

    Source: Seller Central help 200549770, "Contact Response Time".
    """
    require_aware(now)
    if clock.answered_at is not None and (clock.waived_at is None or clock.answered_at <= clock.waived_at):
        return ClockState.MET if clock.answered_at <= clock.deadline_at else ClockState.LATE
    if clock.waived_at is not None:
        return ClockState.WAIVED
    if now > clock.deadline_at:
        return ClockState.BREACHED
    if now >= clock.deadline_at - at_risk:
        return ClockState.AT_RISK
    return ClockState.RUNNING


def require_aware(*instants: datetime) -> None:
    """Raise ValueError unless every instant carries a time zone."""
    for instant in instants:
        if instant.tzinfo is None:
            raise ValueError(f"naive instant {instant.isoformat()}: instants are aware UTC")
