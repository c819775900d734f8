"""Waiting for a condition, with a bound: the only way in which a test waits.

The bound says when a test gives up, not how fast the program is: it is long, for a busy machine, and costs only who fails.
"""

import threading
from collections.abc import Callable

PATIENCE = 240.0
"""Seconds after which a test gives up on another process."""

_PAUSE_SECONDS = 0.02


def wait_until(condition: Callable[[], bool], what: str, seconds: float = PATIENCE / 2) -> None:
    """Return once the condition holds; fail the test when it does not within `seconds`."""
    pause = threading.Event()
    for _ in range(int(seconds / _PAUSE_SECONDS)):
        if condition():
            return
        pause.wait(_PAUSE_SECONDS)
    raise AssertionError(f"waited {seconds:g} s in vain for {what}")
