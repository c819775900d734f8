"""The only reader of the time.

Everything else takes `now` as an argument or a `WallClock` it was given, so that a test decides what time it is.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import TypeAlias

WallClock: TypeAlias = Callable[[], datetime]
"""Returns the present instant, aware UTC."""


def utc_now() -> datetime:
    """Return the present instant, aware UTC, in microseconds."""
    return datetime.now(UTC)
