"""A call that may take so long and no longer, whatever it waits for: a name look-up, an answer that drips byte by byte.

The HTTP client bounds each wait of its own, but neither their sum nor the system's resolver.
"""

import threading
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as NoResult
from typing import TypeVar

T = TypeVar("T")


class Overrun(Exception):
    """The call did not end in time; it may end later, and nobody listens."""


def within(seconds: float, run: Callable[[], T]) -> T:
    """Return what `run` returns, or raise what it raises.

    Raises:
        Overrun: it takes longer. Its thread is a daemon and is left to itself.
    """
    future: Future[T] = Future()

    def work() -> None:
        try:
            future.set_result(run())
        except BaseException as error:  # noqa: BLE001  handed over to whoever waits
            future.set_exception(error)

    threading.Thread(target=work, name="amazon-call", daemon=True).start()
    try:
        return future.result(timeout=seconds)
    except NoResult:
        if future.done():
            raise  # it is the call's own
        raise Overrun from None
