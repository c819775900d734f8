"""When to try again: pure arithmetic over attempts, errors and instants."""

import random
from datetime import datetime, timedelta

from alerts.delivery.ports import Timing


def backoff(first: timedelta, longest: timedelta, attempts: int) -> timedelta:
    """Return the pause after this many attempts (1 or more): doubling from `first`, never more than `longest`."""
    # 2**20 times any sensible first pause is beyond any longest one; the bound keeps the number small.
    doublings = min(max(attempts, 1) - 1, 20)
    return min(first * (1 << doublings), longest)


def retry_at(
    timing: Timing, attempts: int, retry_after: timedelta | None, rng: random.Random, now: datetime
) -> datetime | None:
    """Return when to try again after `attempts` failed ones, or None when that was the last.

    A provider's Retry-After is honoured up to `longest_wait`. Up to half of the pause is added at random, so that what
    failed together does not come back together.
    """
    if attempts >= timing.max_attempts:
        return None
    pause = backoff(timing.first_retry, timing.longest_retry, attempts)
    if retry_after is not None:
        pause = max(pause, min(retry_after, timing.longest_wait))
    return now + pause + pause * (rng.random() / 2 if retry_after is None else rng.random() / 20)
