"""PRIVACY.md against the schema: every table is either named there or known to hold nobody's data."""

import re
from pathlib import Path

import pytest

from alerts.tables import metadata as alerts_metadata
from monitor.store.schema import metadata

PAGE = (Path(__file__).parents[2] / "PRIVACY.md").read_text("utf-8")
NOBODYS = {
    "amazon_figure": "Amazon's figures of an account",
    "amazon_task": "when something is asked of Amazon",
    "answer_event": "a provider's number of an event, to hear it once",
    "evidence": "counts by kind of mail",
    "folder_cursor": "reading positions",
    "frozen_policy": "escalation policies as the configuration had them",
    "mailbox_health": "since when a mailbox is read or not",
    "mailbox_outage": "when a mailbox was not read",
    "tally": "counts",
}
TABLES = sorted({*metadata.tables, *alerts_metadata.tables})


@pytest.mark.parametrize("table", TABLES)
def test_each_table_is_named_on_the_page_or_holds_nobodys_data(table: str) -> None:
    assert (f"`{table}`" in PAGE) != (table in NOBODYS)


@pytest.mark.parametrize("table", sorted(re.findall(r"`([a-z]+_[a-z]+)`", PAGE)))
def test_each_table_that_the_page_names_is_there(table: str) -> None:
    assert table in {*TABLES, "keep_text", "keep_identifiers", "item_titles", "heartbeat_url"}
