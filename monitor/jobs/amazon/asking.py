"""What is asked of Amazon for one account: its own figures once a day, and the orders behind open threads.

Runs in a thread of its own and keeps every instant in the store: Amazon may hang for as long as it likes, and a restart goes on
where this stood.
"""

from collections.abc import Sequence

import structlog

from monitor.errors import AmazonError
from monitor.jobs.amazon.desk import Desk
from monitor.jobs.amazon.orders import fetch_orders
from monitor.jobs.amazon.reports import work_on_report
from monitor.store.amazon import read_tasks
from monitor.store.engine import reading

log = structlog.get_logger(__name__)


def ask_amazon(desk: Desk) -> None:
    """Do what is due for this account. What fails is counted, logged and stored with when to go on; nothing is raised for it.

    Raises:
        StoreError: the database cannot be used.
    """
    settings = desk.account.sp_api
    if settings is None:
        return
    desk.notice_new_credentials()
    if desk.paused_until() is not None:
        return
    try:
        fetch_orders(desk)  # first: an alert may be waiting for it
        for country in _least_refused(desk, settings.marketplaces):
            if desk.services.stopping.is_set():
                return
            work_on_report(desk, country)
    except AmazonError as error:
        log.info("Amazon is left alone for a while", account=desk.name, reason=error.reason)


def _least_refused(desk: Desk, countries: Sequence[str]) -> list[str]:
    """Return the marketplaces, those last whose report failed: one without access must not keep the others waiting."""
    prefix = f"report:{desk.name}:"
    with reading(desk.services.engine) as connection:
        tasks = read_tasks(connection, prefix)
    failures = {key.removeprefix(prefix): task.attempts for key, task in tasks.items()}
    return sorted(countries, key=lambda country: failures.get(country, 0))
