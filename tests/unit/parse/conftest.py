"""Prints the confusion table after the tests of recognition."""

from typing import Any

import pytest

from tests.corpus.check import CONFUSION, confusion_table


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Hand a worker's counts to the process that prints, when the tests run in several."""
    output: dict[str, Any] | None = getattr(session.config, "workeroutput", None)
    if output is not None:
        output["confusion"] = [[*key, count] for key, count in CONFUSION.items()]


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any, error: object) -> None:
    """Add a finished worker's counts."""
    for group, wanted, got, count in getattr(node, "workeroutput", {}).get("confusion", []):
        CONFUSION[(group, wanted, got)] += count


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Print the table."""
    if CONFUSION:
        terminalreporter.section("recognition: confusion")
        for line in confusion_table():
            terminalreporter.write_line(line)
