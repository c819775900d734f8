"""Amazon's own figures, once a day for each marketplace: ask for the report, wait, fetch, read, store.

Each step is stored before the next begins, so a restart goes on where this stood. Asking for a report cannot be repeated
harmlessly: that it is about to be asked for is stored first, and a report that may have been made is looked for instead.

States: due → creating → waiting → ready → due (tomorrow); given_up is due again tomorrow.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import structlog

from monitor.core.marketplaces import BY_COUNTRY
from monitor.errors import AmazonError
from monitor.jobs.amazon.desk import ACCOUNT_REASONS, Desk, NotYet
from monitor.spapi.performance_report import PerformanceReport, parse_performance_report
from monitor.store.amazon import FigureRow, Task, read_task, record_figures, record_task
from monitor.store.engine import reading, writing
from monitor.store.health import record_first_mark

log = structlog.get_logger(__name__)

EVERY = timedelta(hours=24)
SPREAD = timedelta(minutes=20)
FIRST_LOOK, LONGEST_LOOK = timedelta(seconds=10), timedelta(minutes=10)
LONGEST_WAIT = timedelta(hours=12)
"""A report that is not made by then never will be."""

FATAL_PAUSE = timedelta(hours=4)
FATAL_TRIES = 3
ATTEMPTS = 10
SLACK = timedelta(minutes=2)
"""Amazon's clock and ours may differ by so much when a report is looked for."""

AMBIGUOUS = frozenset({"unreachable", "timeout", "server", "empty", "unreadable"})
"""Failures after which a report may have been made all the same."""

NO_BLOCK = "amazon_no_block:"
ENDED = ("due", "given_up")


def work_on_report(desk: Desk, country: str) -> bool:
    """Take the report of a marketplace as far as it goes now; return whether anything was done.

    Failures are stored with when to go on; those that concern the whole account are raised too.

    Raises:
        AmazonError: nothing of this account can be asked now.
    """
    key = f"report:{desk.name}:{country}"
    with reading(desk.services.engine) as connection:
        task = read_task(connection, key) or Task(key=key, state="due")
    now = desk.services.utc_now()
    if task.next_at is not None and task.next_at > now + EVERY + 2 * SPREAD:
        task = replace(task, next_at=None)  # never planned so far ahead: the system clock was set back
    if task.next_at is not None and task.next_at > now:
        return False
    if task.state not in ENDED and now - datetime.fromisoformat(task.body["since"]) > EVERY:
        task = _anew(task)  # what it would say is of another day
    try:
        while task.state not in ENDED or task.next_at is None or task.next_at <= now:
            went_on = STEPS[task.state](desk, country, task)
            if went_on.next_at is not None and went_on.next_at > now:
                break
            task = went_on
    except NotYet as pause:
        _store(desk, replace(_reread(desk, task), next_at=pause.at))
    except AmazonError as error:
        _fail(desk, country, _reread(desk, task), error)
        if error.reason in ACCOUNT_REASONS:
            raise
    return True


def _anew(task: Task) -> Task:
    kept = {"fatal": task.body["fatal"]} if "fatal" in task.body else {}
    return Task(key=task.key, state="due", attempts=task.attempts, body=kept)


def _begin(desk: Desk, country: str, task: Task) -> Task:
    """Store that a report is about to be asked for; the clock of one that was given up begins anew."""
    desk.await_turn("create_report")
    attempts = 0 if task.state == "given_up" else task.attempts
    body = {**_anew(task).body, "since": desk.services.utc_now().isoformat()}
    intended = _store(desk, Task(key=task.key, state="creating", attempts=attempts, body=body))
    return _ask_for_one(desk, country, intended)


def _look_then_create(desk: Desk, country: str, task: Task) -> Task:
    """Adopt the report that was asked for before a crash or a lost answer; ask for one if there is none."""
    since = datetime.fromisoformat(task.body["since"]) - SLACK
    found = desk.ask("get_reports", lambda: desk.client.find_report(country, since))
    if found is not None:
        log.info("a report asked for earlier was found", account=desk.name, marketplace=country)
        return _wait_for(desk, task, found)
    return _ask_for_one(desk, country, task)


def _ask_for_one(desk: Desk, country: str, task: Task) -> Task:
    try:
        report_id = desk.ask("create_report", lambda: desk.client.create_report(country))
    except AmazonError as error:
        if error.reason not in AMBIGUOUS:
            _store(desk, replace(task, state="due"))  # refused for sure: there is nothing to look for
        raise
    return _wait_for(desk, task, report_id)


def _wait_for(desk: Desk, task: Task, report_id: str) -> Task:
    now = desk.services.utc_now()
    body = {**task.body, "report_id": report_id, "since": now.isoformat(), "looks": 0}
    return _store(desk, replace(task, state="waiting", next_at=now + FIRST_LOOK, attempts=0, body=body))


def _look(desk: Desk, country: str, task: Task) -> Task:
    now = desk.services.utc_now()
    state = desk.ask("get_report", lambda: desk.client.get_report(task.body["report_id"]))
    if state.status == "DONE" and state.document_id is not None:
        body = {**task.body, "document_id": state.document_id}
        return _store(desk, replace(task, state="ready", next_at=None, attempts=0, body=body))
    if state.status == "CANCELLED":
        log.info("Amazon made no report", account=desk.name, marketplace=country, status=state.status)
        return _end(desk, task, "cancelled")
    if state.status == "FATAL":
        return _fatal(desk, country, task)
    if now - datetime.fromisoformat(task.body["since"]) > LONGEST_WAIT:
        problem = f'SP-API of "{desk.name}", getReport: {state.status} for {LONGEST_WAIT}. Tried again tomorrow.'
        raise AmazonError(problem, retryable=False)
    looks = int(task.body.get("looks", 0)) + 1
    pause = min(FIRST_LOOK * 1.5 ** min(looks, 20), LONGEST_LOOK)
    return _store(desk, replace(task, next_at=now + pause, attempts=0, body={**task.body, "looks": looks}))


def _fatal(desk: Desk, country: str, task: Task) -> Task:
    tries = int(task.body.get("fatal", 0)) + 1
    log.warning("Amazon could not make a report", account=desk.name, marketplace=country, status="FATAL", tries=tries)
    with writing(desk.services.engine) as connection:
        desk.count_end(connection, "report", "fatal")
        if tries < FATAL_TRIES:
            next_at = desk.services.utc_now() + desk.spread(FATAL_PAUSE)
            again = Task(key=task.key, state="due", next_at=next_at, body={"fatal": tries})
            record_task(connection, again)
            return again
    raise AmazonError(
        f'SP-API of "{desk.name}", getReport: FATAL {tries} times. Tried again tomorrow.', retryable=False
    )


def _fetch(desk: Desk, country: str, task: Task) -> Task:
    place = desk.ask("get_document", lambda: desk.client.get_document(task.body["document_id"]))
    content = desk.fetch("download", lambda: desk.client.download(place))
    try:
        report = parse_performance_report(content, BY_COUNTRY[country].id)
    except ValueError as error:
        problem = f'SP-API of "{desk.name}", report of {country}: {error}. Tried again tomorrow.'
        raise AmazonError(problem, retryable=False, reason="unreadable") from None
    if not report.has_block:
        _say_once(desk, country)
        return _end(desk, task, "no_contact_block")
    log.info(
        "Amazon's figures were read",
        account=desk.name,
        marketplace=country,
        windows=[figure.window_days for figure in report.figures],
    )
    return _end(desk, task, "done", country, report)


def _say_once(desk: Desk, country: str) -> None:
    now = desk.services.utc_now()
    with writing(desk.services.engine) as connection:
        first = record_first_mark(connection, f"{NO_BLOCK}{desk.name}:{country}", now) == now
    if first:
        log.info(
            "Amazon's report tells nothing of response times, which is normal; said once",
            account=desk.name,
            marketplace=country,
        )


def _end(desk: Desk, task: Task, outcome: str, country: str = "", report: PerformanceReport | None = None) -> Task:
    """Store what the report said together with when the next one is due: it is read once."""
    now = desk.services.utc_now()
    rested = Task(key=task.key, state="due", next_at=_tomorrow(desk, now))
    with writing(desk.services.engine) as connection:
        if report is not None:
            rows = [
                FigureRow(
                    window_days=figure.window_days,
                    late_ratio=figure.late_ratio,
                    average_response_seconds=figure.average_seconds,
                    body=figure.to_json(report.status),
                )
                for figure in report.figures
            ]
            record_figures(connection, desk.name, country, rows, now)
        record_task(connection, rested)
        desk.count_end(connection, "report", outcome)
        desk.clear_trouble(connection, "report")
    return rested


def _fail(desk: Desk, country: str, task: Task, error: AmazonError) -> None:
    """Store when to go on after a failure, or that this is given up until tomorrow."""
    now = desk.services.utc_now()
    failed = replace(task, attempts=task.attempts + 1)
    # A role may be granted at any time; until then the operation's own pause grows to a day.
    lasting = error.reason in ACCOUNT_REASONS or error.reason == "role"
    given_up = not lasting and (not error.retryable or failed.attempts >= ATTEMPTS)
    if given_up:
        failed = Task(key=task.key, state="given_up", next_at=_tomorrow(desk, now))
    else:
        failed = replace(failed, next_at=desk.retry_at(failed, error))
    with writing(desk.services.engine) as connection:
        record_task(connection, failed)
        desk.note_trouble(connection, "report", error)
        if given_up:
            desk.count_end(connection, "report", "given_up")
    if given_up:
        log.warning("a report was given up until tomorrow", account=desk.name, marketplace=country, problem=str(error))


def _tomorrow(desk: Desk, now: datetime) -> datetime:
    return now + EVERY + SPREAD * desk.rng.random()


def _reread(desk: Desk, task: Task) -> Task:
    with reading(desk.services.engine) as connection:
        return read_task(connection, task.key) or task


def _store(desk: Desk, task: Task) -> Task:
    with writing(desk.services.engine) as connection:
        record_task(connection, task)
    return task


STEPS: dict[str, Callable[[Desk, str, Task], Any]] = {
    "due": _begin,
    "given_up": _begin,
    "creating": _look_then_create,
    "waiting": _look,
    "ready": _fetch,
}
