"""Amazon's figure against ours: a difference means that the clock does not see everything, so somebody is told why."""

from datetime import datetime, timedelta

import structlog
from sqlalchemy import Connection

from alerts.core.model import Purpose
from alerts.core.words import content
from monitor.core.difference import OVER_AT, Comparison, Difference, difference_content, find_difference
from monitor.jobs.comparing import allowed_differences, read_chosen
from monitor.jobs.people import AddressBook
from monitor.jobs.services import Services
from monitor.jobs.watch import tell_of_itself
from monitor.store.differences import newest_figure_id, read_fresh_figures
from monitor.store.engine import reading, writing
from monitor.store.health import delete_mark, read_mark, read_mark_detail, read_marks, record_mark

log = structlog.get_logger(__name__)

LOOKED = "differences:looked"
DIFFERS = "differs:"
LOOK_EVERY = timedelta(hours=6)
"""Without a new figure: marks made by hand and late copies change ours of the same days."""


def watch_differences(services: Services, book: AddressBook) -> int:
    """Tell of each account and marketplace where Amazon's figure and ours newly differ, or agree again; return how many.

    A difference is told once, and again only where it turns into the opposite one.
    """
    now = services.utc_now()
    with reading(services.engine) as connection:
        newest = str(newest_figure_id(connection))
        looked_at = read_mark(connection, LOOKED)
        if newest == "0" or (
            looked_at is not None
            and timedelta(0) <= now - looked_at < LOOK_EVERY
            and read_mark_detail(connection, LOOKED) == newest
        ):
            return 0
        chosen = read_chosen(connection, services.config, now)
    told = 0
    with writing(services.engine) as connection:
        record_mark(connection, LOOKED, now, newest)
        _forget_old(connection, services, now)
        for one in chosen:
            told += _compare(connection, services, book, one, now)
    if told:
        services.wake.set()
    return told


def _forget_old(connection: Connection, services: Services, now: datetime) -> None:
    """Let go of differences whose figure is old: whether they stand is not known, and there is nothing to tell."""
    configured = {account.name for account in services.config.accounts}
    fresh = {(one.account, one.marketplace) for one in read_fresh_figures(connection, now) if one.account in configured}
    for mark in read_marks(connection, DIFFERS):
        if split_mark(mark) not in fresh:
            delete_mark(connection, mark)


def _compare(connection: Connection, services: Services, book: AddressBook, one: Comparison, now: datetime) -> int:
    mark = f"{DIFFERS}{one.account}:{one.marketplace}"
    before = read_mark_detail(connection, mark)
    allowed = allowed_differences(services.config)[one.account]
    found = find_difference(one, allowed)
    name = f"{one.account} {one.marketplace}" if len(services.config.accounts) > 1 else one.marketplace
    if found is not None and before != _direction(found):
        words = difference_content(name, found)
        causes = [cause.value for cause in found.causes]
        log.warning("amazon's figure differs", account=one.account, marketplace=one.marketplace, causes=causes)
        record_mark(connection, mark, now, _direction(found))
    elif found is None and before is not None and find_difference(one, allowed * OVER_AT) is None:
        words = content.health(content.HealthKind.FIGURE_AGREES, name)
        delete_mark(connection, mark)
    else:
        return 0
    key = f"{mark}:{int(now.timestamp())}"
    tell_of_itself(connection, services, book, key, Purpose.HEALTH, words, now)
    return 1


def split_mark(name: str) -> tuple[str, str]:
    """Return the account and marketplace of a mark that begins with `DIFFERS`."""
    account, _, marketplace = name.removeprefix(DIFFERS).rpartition(":")
    return account, marketplace


def _direction(found: Difference) -> str:
    return "replies" if found.replies_unseen else "messages"
