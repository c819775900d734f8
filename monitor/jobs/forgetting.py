"""Forgetting one buyer because they ask: the database, what was said elsewhere, the files of reports; and what remains."""

import os
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from alerts import outbox
from alerts.tables import Cause
from monitor.jobs.services import Services, record_outcome
from monitor.store.engine import writing
from monitor.store.erasing import Buyer, delete_silences, erase_texts, erase_threads

Standing = Mapping[str, Any]
"""Where a message about the buyer stands: channel, provider_id, person, post (see `alerts.outbox.forget_thread`)."""

EraseElsewhere = Callable[[Sequence[Standing]], Sequence[str]]
"""Erases messages at their providers and returns, in a line each, what could not be erased."""

ERASED = "(erased)"
REPORT_FORMS = ("html", "md", "json", "csv")


@dataclass(frozen=True, slots=True, kw_only=True)
class Erasure:
    """What `forget_buyer` did. `left`: what could not be erased, each with why."""

    threads: int
    texts: int
    messages: int
    files: tuple[Path, ...]
    left: tuple[str, ...]


def forget_buyer(services: Services, buyer: Buyer, erase_elsewhere: EraseElsewhere) -> Erasure:
    """Erase a buyer and return what was done.

    The providers come first, and outside of any transaction: a kill on the way leaves the database knowing where the rest
    stands, and a worker beside never waits for Slack. What could not be erased there is named with its place.

    Raises:
        StoreError: the database cannot be used; what it holds is erased when the command is run again.
    """
    now = services.utc_now()
    with writing(services.engine) as connection:
        for thread_id in buyer.thread_ids:
            outbox.cancel_for_thread(connection, thread_id, Cause.FORGOTTEN, now, record_outcome=record_outcome)
    standing = _read_standing(services, buyer)
    left = list(erase_elsewhere(standing))
    with writing(services.engine) as connection:
        for thread_id in buyer.thread_ids:
            outbox.forget_thread(connection, thread_id, now, buyer.words)
        texts = erase_texts(connection, buyer.thread_ids)
        erase_threads(connection, buyer.thread_ids, now)
        delete_silences(connection, buyer.words, buyer.thread_ids)
    files, unwritten = erase_in_reports(report_directories(services), buyer.words)
    _sweep(services)
    return Erasure(
        threads=len(buyer.thread_ids),
        texts=texts,
        messages=len(standing) - len(left),
        files=tuple(files),
        left=(*left, *unwritten),
    )


def _read_standing(services: Services, buyer: Buyer) -> list[Standing]:
    """Return where messages about the buyer stand, each once; nothing is changed."""
    found: dict[tuple[Any, ...], Standing] = {}
    with services.engine.connect() as connection:
        for thread_id in buyer.thread_ids:
            for one in outbox.forget_thread(connection, thread_id, services.utc_now(), buyer.words):
                key = (one["channel"], one["provider_id"])
                if one["provider_id"] and (key not in found or one["post"] is not None):
                    found[key] = one
        connection.rollback()
    return list(found.values())


def report_directories(services: Services) -> list[Path]:
    """Return where reports are written by the worker."""
    report = services.config.report
    wanted = None if report is None else report.directory
    return [wanted or services.config.worker.state_directory / "reports"]


def erase_in_reports(directories: Sequence[Path], words: Sequence[str]) -> tuple[list[Path], list[str]]:
    """Replace words in the files of reports; return the files that changed, and what could not be written.

    Every figure stays as it is: what is replaced stands in the table of misses alone.
    """
    changed: list[Path] = []
    problems: list[str] = []
    for directory in directories:
        for path in sorted(directory.glob("replyby-*")):
            if path.suffix.lstrip(".") not in REPORT_FORMS:
                continue
            try:
                before = path.read_bytes()
                after = before
                for word in sorted((word for word in words if len(word) > 3), key=len, reverse=True):
                    after = after.replace(word.encode(), ERASED.encode())
                if after != before:
                    _replace(path, after)
                    changed.append(path)
            except OSError as error:
                problems.append(f"{path}: {error.strerror}. Erase the order number in it by hand.")
    return changed, problems


def _replace(path: Path, data: bytes) -> None:
    """Write beside and rename, with the mode that the file had."""
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    beside = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        beside.chmod(path.stat().st_mode & 0o777)
        beside.replace(path)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise


def _sweep(services: Services) -> None:
    """Have SQLite write its journal into the file and empty it: old pages in it still hold what was erased."""
    if services.engine.url.get_backend_name() == "sqlite":
        connection = services.engine.raw_connection()
        try:
            connection.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)")
        finally:
            connection.close()
