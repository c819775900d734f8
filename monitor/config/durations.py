"""Durations as people write them: a number and `s`, `m`, `h` or `d`."""

import re
from datetime import timedelta

_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_SHAPE = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,6})?) ?([smhd])")
LONGEST = timedelta(days=3650)


def parse_duration(text: str) -> timedelta:
    """Return the elapsed time that `text` stands for: "90m", "1.5h", "0s".

    A day is 24 elapsed hours, whatever summer time does.

    Raises:
        ValueError: no number with one of the four units, or more than ten years.
    """
    match = _SHAPE.fullmatch(text.strip())
    if match is None:
        raise ValueError('not a duration. Write a number and s, m, h or d, such as "90m".')
    duration = timedelta(seconds=float(match[1]) * _SECONDS[match[2]])
    if duration > LONGEST:
        raise ValueError('longer than ten years. Write at most "3650d".')
    return duration


def render_duration(duration: timedelta) -> str:
    """Return the shortest text that `parse_duration` reads back as this duration: "90m", "24h", "7d".

    Whole days are written as such from two on, because "24h" is what everybody says of one.

    Raises:
        ValueError: it is negative.
    """
    if duration < timedelta(0):
        raise ValueError(f"negative duration {duration}")
    seconds = duration.total_seconds()
    for unit in ("d", "h", "m"):
        size = _SECONDS[unit]
        if seconds % size == 0 and seconds >= (2 * size if unit == "d" else size):
            return f"{int(seconds // size)}{unit}"
    return f"{int(seconds)}s" if seconds.is_integer() else f"{seconds:.6f}".rstrip("0") + "s"
