"""How far a long reading is: a bar on a terminal, a line now and then in a pipe or a log."""

import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from monitor.core.shown import show
from monitor.sources.base import Batch, Cursor, MailSource

if TYPE_CHECKING:
    import threading

    from monitor.sources.base import MailboxFacts

WORTH_SHOWING = 500
"""A reading of fewer mails is over before a bar could be read."""

LINE_EVERY_SECONDS = 10.0
BAR_EVERY_SECONDS = 0.1
MOST_CELLS, FEWEST_CELLS = 24, 8  # of the bar: where a terminal is narrow, it gives way before the folder's name
SHORTEST_SECONDS = 0.001  # what is over sooner was not measured


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """How far one folder is. `done` of `total` in the source's unit; `mails` seen in `seconds`."""

    mailbox: str
    folder: str
    done: int
    total: int
    mails: int
    seconds: float

    @property
    def share(self) -> float:
        """From 0 to 1."""
        return min(self.done / self.total, 1.0) if self.total else 0.0

    @property
    def per_second(self) -> int:
        """Mails a second."""
        return int(self.mails / max(self.seconds, SHORTEST_SECONDS)) if self.seconds > 0 else 0

    @property
    def left_seconds(self) -> float:
        """How long the rest takes at this pace."""
        return self.seconds * (1 - self.share) / self.share if self.share else 0.0


Say = Callable[[Reading], None]
"""Told now and then how far a reading is, where no terminal shows a bar."""


def render_reading(reading: Reading) -> str:
    """Return one line: folder, share, mails, mails a second, time left."""
    parts = [f"{int(100 * reading.share)} %", f"{reading.mails:,} mails"]
    if reading.per_second:
        parts.append(f"{reading.per_second:,} a second")
    if reading.share < 1 and reading.seconds >= 1:
        parts.append(f"{_left_text(reading.left_seconds)} left")
    return f"{show(reading.folder)}: {', '.join(parts)}"


def render_bar(reading: Reading, width: int) -> str:
    """Return the line with a bar before its figures, cut at the terminal's width."""
    folder, _, figures = render_reading(reading).rpartition(": ")
    room = width - len(figures) - 7  # for name and bar
    cells = min(MOST_CELLS, max(FEWEST_CELLS, room - len(folder)))
    left = max(room - cells, 8)
    name = folder if len(folder) <= left else f"{folder[: left - 1]}…"
    full = int(reading.share * cells)
    return f"  {name}  {'━' * full}{'╌' * (cells - full)}  {figures}"[: width - 1]


def _left_text(seconds: float) -> str:
    whole = int(seconds) + 1
    return f"{whole} s" if whole < 60 else f"{whole // 60} min {whole % 60:02d} s"


class Progress(MailSource):
    """Stands before a source and shows how far each long reading of a folder is."""

    def __init__(self, source: MailSource, say: Say, *, always: bool = False) -> None:
        """Show a bar where standard error is a terminal, else tell `say`; `always`: short readings too."""
        self._source = source
        self._say = say
        self._always = always
        self._shown = 0  # characters of the bar that stands
        self._told = 0.0

    @property
    def name(self) -> str:
        """The mailbox's name."""
        return self._source.name

    def fetch_new(self, cursors: Mapping[str, Cursor], since: datetime) -> Iterator[Batch]:
        """Yield the source's batches."""
        folder, mails, began = "", 0, time.monotonic()
        self._told = began
        last: Reading | None = None
        try:
            for batch in self._source.fetch_new(cursors, since):
                if batch.folder != folder:
                    folder, mails = batch.folder, 0
                    began = began if last is None else time.monotonic()
                yield batch  # what is shown is stored
                mails += len(batch.mails) + batch.unrelated
                if mails and (self._always or batch.total > WORTH_SHOWING):
                    last = Reading(
                        mailbox=self.name,
                        folder=folder,
                        done=batch.done,
                        total=batch.total,
                        mails=mails,
                        seconds=time.monotonic() - began,
                    )
                    self._show(last)
        finally:
            self._clear()

    def _show(self, reading: Reading) -> None:
        now = time.monotonic()
        ended = 0 < reading.total <= reading.done
        if sys.stderr.isatty():
            if ended or now - self._told >= BAR_EVERY_SECONDS:
                self._told = now
                self._draw(render_bar(reading, _width()))
        elif ended or now - self._told >= LINE_EVERY_SECONDS:
            self._told = now
            self._say(reading)

    def _draw(self, line: str) -> None:
        sys.stderr.write("\r" + line.ljust(self._shown))
        sys.stderr.flush()
        self._shown = len(line)

    def _clear(self) -> None:
        if self._shown:
            sys.stderr.write("\r" + " " * self._shown + "\r")
            sys.stderr.flush()
            self._shown = 0

    def wait_for_change(self, stop: "threading.Event", timeout_seconds: float) -> bool:
        """Watch the source."""
        return self._source.wait_for_change(stop, timeout_seconds)

    def probe(self) -> "MailboxFacts":
        """Look at the source."""
        return self._source.probe()

    def close(self) -> None:
        """Close the source."""
        self._source.close()


def _width() -> int:
    import shutil

    return shutil.get_terminal_size((80, 24)).columns


def say_line(reading: Reading) -> None:
    """Print a line on standard error."""
    sys.stderr.write(render_reading(reading) + "\n")
    sys.stderr.flush()


def log_reading(reading: Reading) -> None:
    """Write a log line, and tell systemd: `systemctl status` shows it."""
    import structlog

    from monitor.systemd import notify

    structlog.get_logger(__name__).info(
        "reading",
        mailbox=reading.mailbox,
        folder=reading.folder,
        percent=int(100 * reading.share),
        mails=reading.mails,
        per_second=reading.per_second,
        seconds_left=int(reading.left_seconds),
    )
    notify("STATUS=" if reading.share >= 1 else f"STATUS=Reading {reading.mailbox}, {render_reading(reading)}")
