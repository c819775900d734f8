"""Where Amazon's figures and ours differ by more than the configuration allows, as things stand."""

from datetime import datetime

from sqlalchemy import Connection

from monitor.config.model import Config
from monitor.core.difference import (
    DEFAULT_DIFFERENCE,
    Comparison,
    Difference,
    choose_comparison,
    find_difference,
    pair_up,
)
from monitor.store.differences import read_comparisons


def allowed_differences(config: Config) -> dict[str, float]:
    """Return by how much each account's rate may differ from Amazon's; without SP-API, and so for typed figures, 0.05."""
    return {
        account.name: DEFAULT_DIFFERENCE if account.sp_api is None else account.sp_api.difference
        for account in config.accounts
    }


def read_chosen(connection: Connection, config: Config, now: datetime) -> list[Comparison]:
    """Return the comparison that speaks for each configured account and marketplace; those without one are left out."""
    configured = {account.name for account in config.accounts}
    comparisons = [one for one in read_comparisons(connection, now) if one.account in configured]
    chosen = (choose_comparison(ones, now) for ones in pair_up(comparisons).values())
    return [one for one in chosen if one is not None]


def read_differences(connection: Connection, config: Config, now: datetime) -> dict[tuple[str, str, int], Difference]:
    """Return the differences by account, marketplace and days of the window that shows them."""
    allowed = allowed_differences(config)
    found = (find_difference(one, allowed[one.account]) for one in read_chosen(connection, config, now))
    return {(one.account, one.marketplace, one.window_days): one for one in found if one is not None}
