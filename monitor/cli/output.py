"""How commands speak: tables on a terminal, plain lines in a pipe, one JSON document with --json. Errors in one line."""

import contextlib
import json
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from alerts.core.model import ThreadFacts
from monitor.core.shown import show
from monitor.errors import ReplyByError


def print_json(document: Any) -> None:
    """Print one JSON document on standard output."""
    _write(json.dumps(document, ensure_ascii=False, indent=2))


def print_line(text: str = "") -> None:
    """Print one line on standard output; what came from outside cannot command the terminal."""
    _write(show(text, lines=True))


def _write(text: str) -> None:
    with telling_a_full_disk():
        sys.stdout.write(text + "\n")


@contextlib.contextmanager
def telling_a_full_disk() -> Iterator[None]:
    """Say in one line that standard output takes nothing more; a reader that went away is none of this."""
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        # What is left in the buffer would be tried again at the very end, and fail again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise ReplyByError(f"standard output: {error.strerror}. The rest was not written.") from None


def print_problem(text: str) -> None:
    """Print one line on standard error; what came from outside cannot command the terminal."""
    with contextlib.suppress(OSError, ValueError):
        # Its end may be a full disk or a closed pipe: nothing more can be said, and a worker goes on all the same.
        sys.stderr.write(show(text, lines=True) + "\n")


def instant_text(instant: datetime | None) -> str | None:
    """Return RFC 3339 in UTC with seconds, or None."""
    return None if instant is None else instant.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def left_text(left: timedelta) -> str:
    """Return time left as `1 h 32`, `-0 h 12` when it is over, `-3 d 4 h` from two days on."""
    minutes = int(abs(left).total_seconds() // 60)
    sign = "-" if left < timedelta(0) and minutes else ""
    if minutes >= 2 * 24 * 60:
        return f"{sign}{minutes // 1440} d {minutes % 1440 // 60:02d} h"
    return f"{sign}{minutes // 60} h {minutes % 60:02d}"


def local_text(instant: datetime, zone: ZoneInfo, now: datetime) -> str:
    """Return local weekday and time, `Sat 04:10`; the date where the weekday would not tell which week."""
    near = abs(instant - now) < timedelta(days=6)
    return instant.astimezone(zone).strftime("%a %H:%M" if near else "%d %b %H:%M")


def print_table(columns: Sequence[str], rows: Iterable[Sequence[str]], *, right: Sequence[int] = ()) -> None:
    """Print a table: coloured and fitted on a terminal, aligned plain text in a pipe. `right` columns stand right."""
    listed = [[show(cell.replace("\n", " ")) for cell in row] for row in rows]
    if sys.stdout.isatty():
        from rich import box
        from rich.console import Console
        from rich.table import Table

        table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
        for number, name in enumerate(columns):
            table.add_column(name, justify="right" if number in right else "left", overflow="fold")
        for row in listed:
            table.add_row(*(_coloured(cell) for cell in row))
        Console().print(table)
        return
    widths = [max(len(name), *(len(row[number]) for row in listed), 0) for number, name in enumerate(columns)]
    for row in ([*columns], *listed):
        cells = [
            cell.rjust(width) if number in right else cell.ljust(width)
            for number, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        print_line("  ".join(cells).rstrip())


_COLOURS = {"overdue": "bold red", "at risk": "bold yellow", "running": "blue"}


def _coloured(cell: str) -> str:
    from rich.markup import escape

    colour = _COLOURS.get(cell)
    return f"[{colour}]{cell}[/]" if colour else escape(cell)


def facts_line(facts: ThreadFacts) -> str:
    """Return how a command names a thread: `thread 7, FR, order 402-…`."""
    parts = [f"thread {facts.thread_id}", facts.account, facts.marketplace]
    parts.append(f"order {facts.order_id}" if facts.order_id else "no order")
    return ", ".join(part for part in parts if part)
