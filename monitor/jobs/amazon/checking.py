"""Looking whether an application may ask what is needed of Amazon; makes no report and reads no buyer."""

from collections.abc import Iterator
from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy import select

from monitor.errors import AmazonError
from monitor.jobs.checking import Finding
from monitor.jobs.services import Services
from monitor.store.engine import reading
from monitor.store.schema import thread

if TYPE_CHECKING:
    from monitor.spapi.client import AmazonClient

NO_ORDER = "999-9999999-9999999"
"""Well-formed and nobody's: Amazon does not know it, but says so only to who may ask."""

GRANTED = frozenset({"not_found", "rejected"})
"""Reasons that are no refusal: the application may ask, there is only nothing to tell."""


def check_amazon(services: Services) -> Iterator[Finding]:
    """Log in with each account's application and yield which of the needed roles it has, and what to do about a missing one."""
    for account in services.config.accounts:
        if account.sp_api is None:
            continue
        from monitor.spapi.client import AmazonClient

        client = AmazonClient(account.name, account.sp_api)
        try:
            yield from _check(services, client, account.sp_api.marketplaces[0])
        finally:
            client.close()


def _check(services: Services, client: "AmazonClient", country: str) -> Iterator[Finding]:
    what = f"SP-API {client.account}"
    try:
        client.may_read_reports(country, services.utc_now() - timedelta(days=1))
        yield Finding(what, True, "logged in; performance report: yes (role Selling Partner Insights)")
    except AmazonError as error:
        logged_in = "logged in; performance report: no" if error.reason == "role" else "performance report"
        yield Finding(what, False, f"{logged_in}: {_said(error)}")
        if error.reason in ("login", "unreachable", "timeout"):
            return  # every other call would say the same
    try:
        client.get_order(_some_order(services, client.account))
    except AmazonError as error:
        if error.reason not in GRANTED:
            yield Finding(what, False, f"orders: {'no: ' if error.reason == 'role' else ''}{_said(error)}")
            return
    yield Finding(what, True, "orders: yes; no restricted role is used, so no buyer can be read")


def _said(error: AmazonError) -> str:
    """Return the error's line without where it was: the finding says that."""
    return str(error).partition(": ")[2]


def _some_order(services: Services, account: str) -> str:
    known = select(thread.c.order_id).where(thread.c.account == account, thread.c.order_id.is_not(None))
    with reading(services.engine) as connection:
        found = connection.execute(known.order_by(thread.c.id.desc()).limit(1)).scalar()
    return found or NO_ORDER
