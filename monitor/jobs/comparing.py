"""Where Amazon's figures and ours differ by more than the configuration allows, as things stand."""

from datetime import datetime

from sqlalchemy import Connection

from monitor.config.model import Config
from monitor.core.difference import (
    DEFAULT_DIFFERENCE,
    Comparison,
    Difference,
    find_difference,
    is_comparable,
)
from monitor.store.differences import compare_figure, read_fresh_figures, read_surroundings


def allowed_differences(config: Config) -> dict[str, float]:
    """Return by how much each account's rate may differ from Amazon's; without SP-API, and so for typed figures, 0.05."""
    return {
        account.name: DEFAULT_DIFFERENCE if account.sp_api is None else account.sp_api.difference
        for account in config.accounts
    }


def read_chosen(connection: Connection, config: Config, now: datetime) -> list[Comparison]:
    """Return the comparison that speaks for each configured account and marketplace; those without one are left out.

    The shortest window that is comparable: a long one remembers for months what was put right last week.
    """
    configured = {account.name for account in config.accounts}
    figures = [one for one in read_fresh_figures(connection, now) if one.account in configured]
    if not figures:
        return []
    around = read_surroundings(connection, {one.account for one in figures})
    chosen: dict[tuple[str, str], Comparison] = {}
    for figure in sorted(figures, key=lambda one: (one.account, one.marketplace, one.window_days)):
        place = (figure.account, figure.marketplace)
        if place in chosen:
            continue  # a longer window is not even counted
        compared = compare_figure(connection, figure, around)
        if is_comparable(compared, now):
            chosen[place] = compared
    return list(chosen.values())


def read_differences(connection: Connection, config: Config, now: datetime) -> dict[tuple[str, str, int], Difference]:
    """Return the differences by account, marketplace and days of the window that shows them."""
    allowed = allowed_differences(config)
    found = (find_difference(one, allowed[one.account]) for one in read_chosen(connection, config, now))
    return {(one.account, one.marketplace, one.window_days): one for one in found if one is not None}
