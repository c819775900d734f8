"""Next week from the weeks before, with its uncertainty. Counts only: no season, no promotion is known here."""

import math
from collections.abc import Sequence

from monitor.report.model import Expected

FEWEST_WEEKS = 4
_FADE = 0.85  # what a week counts, for each week of age: half after a little over four
_RANGE = (0.1, 0.9)  # eight weeks of ten


def expect_count(counts: Sequence[int]) -> Expected | None:
    """Return what the next count is expected to be, None with fewer than four to go by.

    Newer weeks weigh more. The range is of a negative binomial distribution whose variance is what the weeks showed (never
    less than that of pure chance) and the mean's own uncertainty.

    Args:
        counts: one for each week, oldest first.
    """
    if len(counts) < FEWEST_WEEKS:
        return None
    weights = [_FADE**age for age in range(len(counts) - 1, -1, -1)]
    total = math.fsum(weights)
    mean = math.fsum(w * n for w, n in zip(weights, counts, strict=True)) / total
    effective = total**2 / math.fsum(w * w for w in weights)
    spread = math.fsum(w * (n - mean) ** 2 for w, n in zip(weights, counts, strict=True)) / total
    spread *= effective / (effective - 1)
    # All weeks empty: one message in as many weeks is still thinkable.
    level = mean or 0.7 / effective
    variance = max(level, spread) * (1 + 1 / effective)
    low, high = (_negative_binomial_quantile(level, variance, share) for share in _RANGE)
    return Expected(mean=mean, low=min(low, math.floor(mean)), high=max(high, math.ceil(mean)))


def _negative_binomial_quantile(mean: float, variance: float, share: float) -> int:
    """Return the smallest count whose cumulative probability reaches `share`; the variance is above the mean."""
    size = mean * mean / (variance - mean)
    chance = size / (size + mean)
    if mean > 5000:  # the sum below would take long, and the bell curve is as good
        deviation = 1.2816 if share > 0.5 else -1.2816
        return max(0, round(mean + deviation * math.sqrt(variance)))
    count, cumulative = 0, 0.0
    log_none = size * math.log(chance)
    while True:
        log_choices = math.lgamma(count + size) - math.lgamma(size) - math.lgamma(count + 1)
        cumulative += math.exp(log_none + log_choices + count * math.log1p(-chance))
        if cumulative >= share or count > 50 * (mean + 10):
            return count
        count += 1
