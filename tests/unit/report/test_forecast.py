"""The forecast's range holds what it promises, on invented sellers whose law is known."""

import random

import pytest

from monitor.report.forecast import expect_count


def poisson(random_: random.Random, mean: float) -> int:
    """Return a Poisson number, by counting arrivals of a unit of time."""
    count, at = 0, random_.expovariate(mean)
    while at < 1:
        count += 1
        at += random_.expovariate(mean)
    return count


@pytest.mark.parametrize(
    ("mean", "spread"),
    [
        pytest.param(3.0, 0.0, id="a small seller, pure chance"),
        pytest.param(140.0, 0.0, id="a middling seller, pure chance"),
        pytest.param(140.0, 0.15, id="a middling seller with good and bad weeks"),
        pytest.param(9000.0, 0.08, id="a large seller"),
    ],
)
def test_the_range_holds_about_eight_weeks_of_ten(mean: float, spread: float) -> None:
    random_ = random.Random(2026)
    held = rounds = 0
    for _ in range(300):
        level = [max(0.1, random_.gauss(mean, mean * spread)) for _ in range(13)]
        weeks = [poisson(random_, one) if one < 500 else round(random_.gauss(one, one**0.5)) for one in level]
        expected = expect_count(weeks[:-1])
        assert expected is not None
        held += expected.low <= weeks[-1] <= expected.high
        rounds += 1
    assert 0.72 <= held / rounds <= 0.95


def test_a_change_of_level_is_followed() -> None:
    expected = expect_count([50] * 6 + [100] * 6)
    assert expected is not None
    assert 75 < expected.mean < 100


@pytest.mark.parametrize("counts", [[], [5], [5, 5, 5]], ids=["none", "one", "three"])
def test_fewer_than_four_weeks_are_too_few_to_tell(counts: list[int]) -> None:
    assert expect_count(counts) is None


def test_weeks_without_any_message_may_be_followed_by_one() -> None:
    expected = expect_count([0] * 12)
    assert expected is not None
    assert (expected.mean, expected.low) == (0.0, 0)
    assert expected.high <= 1


@pytest.mark.parametrize("counts", [[7] * 12, [1, 0, 0, 3, 1, 0], [6000] * 12], ids=["constant", "sparse", "large"])
def test_the_range_holds_the_mean(counts: list[int]) -> None:
    expected = expect_count(counts)
    assert expected is not None
    assert 0 <= expected.low <= expected.mean <= expected.high
