"""How often Amazon lets itself be asked: a bucket of calls that fills at a steady rate, kept as one instant.

Amazon's usage plans are token buckets. Instead of a count and when it was true, the instant is kept at which the bucket will
be full again: each call moves it one interval on, and a call is allowed while it lies less than a whole bucket ahead.

Source of the rates: SP-API reference, "Usage plans" of each operation; the answer's header x-amzn-RateLimit-Limit overrides.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

SLOWEST, FASTEST = 1 / 3600, 100.0
"""Calls a second: a header beyond these is taken for a mistake."""

LONGEST = timedelta(days=2)
"""No bucket takes longer to fill, and no pause is longer."""


@dataclass(frozen=True, slots=True)
class RateLimit:
    """`per_second` calls, of which `burst` may come at once."""

    per_second: float
    burst: int

    @property
    def interval(self) -> timedelta:
        """How long it takes until one more call is allowed."""
        return timedelta(seconds=1 / self.per_second)


USAGE_PLANS = {
    "create_report": RateLimit(0.0167, 15),
    "get_reports": RateLimit(0.0222, 10),
    "get_report": RateLimit(2.0, 15),
    "get_document": RateLimit(0.0167, 15),
    "get_order": RateLimit(0.5, 30),
}


def parse_rate(header: str | None) -> float | None:
    """Return the calls a second that x-amzn-RateLimit-Limit allows, None where it is missing or no sensible number."""
    try:
        value = float(header or "")
    except ValueError:
        return None
    return value if SLOWEST <= value <= FASTEST else None


def allowed_at(limit: RateLimit, full_at: datetime | None, now: datetime, *, refused: bool = False) -> datetime:
    """Return when the next call is allowed: `now`, or the instant to wait for.

    `refused`: the last call was, and a pause of up to `LONGEST` stands.
    """
    full_at = _believable(limit, full_at, now, refused=refused)
    return now if full_at is None else max(now, full_at - limit.interval * (limit.burst - 1))


def after_call(limit: RateLimit, full_at: datetime | None, now: datetime) -> datetime:
    """Return when the bucket will be full again after a call at `now`."""
    full_at = _believable(limit, full_at, now)
    return (now if full_at is None else max(now, full_at)) + limit.interval


def _believable(limit: RateLimit, full_at: datetime | None, now: datetime, *, refused: bool = False) -> datetime | None:
    """Return the instant, None for one so far ahead that it was stored before the system clock was set back."""
    longest = LONGEST if refused else limit.interval * limit.burst
    return None if full_at is None or full_at - now > longest else full_at


def after_refusal(limit: RateLimit, now: datetime, pause: timedelta) -> datetime:
    """Return the same after Amazon said "too often": empty, and nothing is asked for `pause`."""
    return now + min(pause + limit.interval * (limit.burst - 1), LONGEST)
