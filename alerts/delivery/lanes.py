"""One lane of work for each channel: a provider that hangs delays no other, and never two of one kind at once.

Owns threads. They are daemons: what they are in the middle of when the process ends is found again by its intent.
"""

import threading
from collections.abc import Callable
from concurrent.futures import Future, wait

import structlog

from alerts.core.model import Channel

log = structlog.get_logger(__name__)


class Lanes:
    """Runs at most one piece of work for each channel."""

    def __init__(self) -> None:
        """Start no thread yet."""
        self._running: dict[Channel, Future[None]] = {}
        self._lock = threading.Lock()

    def start(self, channel: Channel, work: Callable[[], None]) -> bool:
        """Start `work` unless this channel's lane is busy; return whether it was started."""
        with self._lock:
            busy = self._running.get(channel)
            if busy is not None and not busy.done():
                return False
            future: Future[None] = Future()
            self._running[channel] = future
        threading.Thread(target=_run, args=(future, work), name=f"deliver-{channel}", daemon=True).start()
        return True

    def wait(self, seconds: float) -> tuple[Channel, ...]:
        """Wait until all lanes are idle, at most this long; return those that still work.

        Raises:
            Exception: what a lane stopped with, once, to whoever waits next; of several the first, the others are logged.
        """
        with self._lock:
            running = dict(self._running)
        wait(running.values(), timeout=seconds)
        errors = []
        with self._lock:
            for channel, future in running.items():
                if future.done() and self._running.get(channel) is future:
                    del self._running[channel]
                    errors.append(future.exception())
            still = tuple(self._running)
        failures = [error for error in errors if error is not None]
        for hidden in failures[1:]:
            log.error("lane_stopped", error=type(hidden).__name__)
        if failures:
            raise failures[0]
        return still


def _run(future: Future[None], work: Callable[[], None]) -> None:
    try:
        work()
    except BaseException as error:  # noqa: BLE001  it is not swallowed: whoever waits for the lane raises it
        future.set_exception(error)
    else:
        future.set_result(None)
