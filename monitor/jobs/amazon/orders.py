"""What Amazon says of the orders that open threads are about: asked once for each, within the rate, the soonest due first."""

from dataclasses import replace
from datetime import timedelta

import structlog

from monitor.core.orders import order_facts_to_json, parse_order
from monitor.errors import AmazonError
from monitor.jobs.amazon.desk import ACCOUNT_REASONS, Desk, NotYet
from monitor.jobs.promises import show_orders
from monitor.store.amazon import (
    Task,
    WantedOrder,
    delete_tasks,
    read_tasks,
    read_wanted_orders,
    record_order_facts,
    record_task,
)
from monitor.store.engine import reading, writing

log = structlog.get_logger(__name__)

ATTEMPTS = 6
LONGEST_PAUSE = timedelta(hours=12)
"""A later instant was stored before the system clock was set back."""

ABOUT_THE_ORDER = frozenset({"not_found", "rejected"})
"""Answers about one order: the next one may fare better, and nothing is wrong with the connection."""


def fetch_orders(desk: Desk) -> int:
    """Fetch the facts of orders that wait for them, as far as the rate allows now; return how many were stored.

    Raises:
        AmazonError: nothing of this account can be asked now.
    """
    now = desk.services.utc_now()
    prefix = f"order:{desk.name}:"
    with reading(desk.services.engine) as connection:
        wanted = {f"{prefix}{one.order_hash}": one for one in read_wanted_orders(connection, desk.name, now)}
        tasks = read_tasks(connection, prefix)
    past = tasks.keys() - wanted.keys()
    if past:
        with writing(desk.services.engine) as connection:
            delete_tasks(connection, past)
    stored = 0
    # What was refused comes after what was not: one order without access must not keep the others waiting.
    for key, one in sorted(wanted.items(), key=lambda item: tasks[item[0]].attempts if item[0] in tasks else 0):
        if desk.services.stopping.is_set():
            break
        task = tasks.get(key) or Task(key=key, state="due")
        if task.state == "given_up" or (task.next_at is not None and now < task.next_at <= now + LONGEST_PAUSE):
            continue
        try:
            _fetch(desk, one, task)
        except NotYet:
            break
        except AmazonError as error:
            _fail(desk, one, task, error)
            if error.reason in ACCOUNT_REASONS:
                raise
            continue
        stored += 1
    if stored:
        desk.services.wake.set()
        log.info("orders were read", account=desk.name, orders=stored)
    return stored


def _fetch(desk: Desk, wanted: WantedOrder, task: Task) -> None:
    settings = desk.account.sp_api
    order = desk.ask("get_order", lambda: desk.client.get_order(wanted.order_id))
    facts = parse_order(order, item_titles=settings is not None and settings.item_titles)
    now = desk.services.utc_now()
    with writing(desk.services.engine) as connection:
        record_order_facts(connection, desk.name, wanted, order_facts_to_json(facts), now)
        delete_tasks(connection, [task.key])
        desk.count_end(connection, "order", "done")
        desk.clear_trouble(connection, "order")
        show_orders(connection, desk.name, [wanted.order_hash], now)


def _fail(desk: Desk, wanted: WantedOrder, task: Task, error: AmazonError) -> None:
    """Store when to try this order again, or that it is given up: its alerts go out without facts."""
    failed = replace(task, attempts=task.attempts + 1)
    # Without the role every order is refused; once it is granted, those that still wait are asked again.
    lasting = error.reason in ACCOUNT_REASONS or error.reason in ("role", "throttled")
    given_up = not lasting and (not error.retryable or failed.attempts >= ATTEMPTS)
    if given_up:
        failed = replace(failed, state="given_up", next_at=None)
    else:
        failed = replace(failed, state="retry", next_at=desk.retry_at(failed, error))
    with writing(desk.services.engine) as connection:
        record_task(connection, failed)
        if error.reason not in ABOUT_THE_ORDER:
            desk.note_trouble(connection, "order", error)
        if given_up:
            desk.count_end(connection, "order", "given_up")
    if given_up:
        log.warning("an order was given up", account=desk.name, thread=wanted.thread_id, problem=str(error))
