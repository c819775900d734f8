"""Durations are a number and a unit, and are written back as they are said."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.config.durations import LONGEST, parse_duration, render_duration


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("0s", 0), ("90m", 5400), ("24h", 86400), ("7d", 604800), ("1.5h", 5400), (" 5 m ", 300), ("0d", 0)],
)
def test_a_number_and_a_unit_is_a_duration(text: str, seconds: int) -> None:
    assert parse_duration(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize(
    "text", ["", "5", "m", "-1h", "1h30m", "1 hour", "1,5h", "٣h", "1e3s", "5M", "inf", "9" * 30 + "s"]
)
def test_anything_else_is_none(text: str) -> None:
    with pytest.raises(ValueError, match="not a duration"):
        parse_duration(text)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0s"), (30, "30s"), (90, "90s"), (5400, "90m"), (86400, "24h"), (172800, "2d"), (604800, "7d"), (0.5, "0.5s")],
)
def test_a_duration_is_written_as_people_say_it(seconds: float, text: str) -> None:
    assert render_duration(timedelta(seconds=seconds)) == text


def test_a_negative_duration_is_not_written() -> None:
    with pytest.raises(ValueError, match="negative"):
        render_duration(timedelta(seconds=-1))


@given(st.timedeltas(min_value=timedelta(0), max_value=LONGEST))
def test_what_is_written_is_read_back(duration: timedelta) -> None:
    assert abs(parse_duration(render_duration(duration)) - duration) <= timedelta(microseconds=1)
