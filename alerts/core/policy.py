"""Escalation policies: which steps a clock climbs, at how much time remaining, and who is told."""

from dataclasses import dataclass
from datetime import timedelta

DEFAULT_ACKNOWLEDGEMENT_EXPIRES = timedelta(hours=2)


@dataclass(frozen=True, slots=True, kw_only=True)
class Matcher:
    """Which threads a route or a silence is about. An empty field matches everything; all fields must match.

    `labels`: any of them. `text`: words looked for, without regard to case, in the buyer's own words.
    """

    accounts: frozenset[str] = frozenset()
    marketplaces: frozenset[str] = frozenset()
    labels: frozenset[str] = frozenset()
    min_priority: int | None = None
    text: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EscalationStep:
    """At this time remaining, tell these receivers; again every `repeat_every` until acknowledged (zero: once)."""

    remaining: timedelta
    notify: tuple[str, ...]
    repeat_every: timedelta = timedelta(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class LookAhead:
    """When the deadline falls outside staffed hours: tell these receivers this long before the shift ends."""

    before_end_of_shift: timedelta
    notify: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class EscalationPolicy:
    """Steps in order of falling time remaining. Frozen onto the clock when it starts."""

    name: str
    steps: tuple[EscalationStep, ...]
    match: Matcher = Matcher()
    acknowledgement_expires: timedelta = DEFAULT_ACKNOWLEDGEMENT_EXPIRES
    look_ahead: LookAhead | None = None
