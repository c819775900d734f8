"""Counts that only grow, kept beside what they count and changed in the same transaction.

So a restart, a second process or a shell command never makes a counter of /metrics jump back.
"""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import Connection, select
from sqlalchemy.dialects import postgresql, sqlite

from monitor.core.sla import ClockState
from monitor.core.snapshot import RESPONSE_EDGES_SECONDS, Tally
from monitor.store.schema import tally

SEPARATOR = "\x1f"
HISTORY = "history"
"""Execution option of an engine: what is recorded through it happened long ago, and must not stand as a burst on a graph."""

UNKNOWN_MARKETPLACE = "unknown"


class Tallies:
    """Gathers increments and writes them together."""

    def __init__(self) -> None:
        """Begin with none."""
        self._counts: dict[tuple[str, tuple[str, ...]], float] = defaultdict(float)

    def add(self, name: str, *labels: str, value: float = 1) -> None:
        """Add to one count."""
        self._counts[name, labels] += value

    def count_clock(
        self,
        counted: str,
        *,
        account: str,
        marketplace: str | None,
        deadline_at: datetime,
        answered_at: datetime | None,
        waived_at: datetime | None,
        now: datetime,
        labels: Sequence[str] = (),
        while_open: bool = True,
    ) -> str:
        """Count the outcomes of a clock that were not counted yet; return all that are counted now.

        `no_response` is an event of its own when a deadline passes unanswered; `late` follows if the answer comes after all.
        `while_open` False leaves an open clock's `no_response` for later: its reply may lie in a folder not read yet.
        """
        closed_at = answered_at if waived_at is None else waived_at
        outcomes = []
        if (closed_at is None and while_open and now > deadline_at) or (
            closed_at is not None and closed_at > deadline_at
        ):
            outcomes.append("no_response")
        if waived_at is not None:
            outcomes.append(ClockState.WAIVED.value)
        elif answered_at is not None:
            outcomes.append(ClockState.MET.value if answered_at <= deadline_at else ClockState.LATE.value)
        done = counted.split()
        for outcome in outcomes:
            if outcome not in done:
                done.append(outcome)
                self.add("clocks", account, marketplace or UNKNOWN_MARKETPLACE, outcome)
                for label in labels:
                    self.add("clock_labels", account, label, outcome)
        return " ".join(done)

    def count_response(self, account: str, marketplace: str | None, latency: timedelta) -> None:
        """Count one buyer message's own latency into the histogram."""
        seconds = latency.total_seconds()
        edge = next((str(edge) for edge in RESPONSE_EDGES_SECONDS if seconds <= edge), "+Inf")
        market = marketplace or UNKNOWN_MARKETPLACE
        self.add("response_seconds_bucket", account, market, edge)
        self.add("response_seconds_sum", account, market, value=seconds)

    def save(self, connection: Connection) -> None:
        """Add what was gathered to the stored counts; not on a connection of an engine that records `HISTORY`."""
        if not self._counts or connection.get_execution_options().get(HISTORY):
            return
        dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
        statement = dialect.insert(tally)
        statement = statement.on_conflict_do_update(
            index_elements=[tally.c.name, tally.c.labels],
            set_={"value": tally.c.value + statement.excluded.value},
        )
        # In one order everywhere, so that two writers cannot wait for each other.
        rows = [
            {"name": name, "labels": SEPARATOR.join(labels), "value": value}
            for (name, labels), value in sorted(self._counts.items())
        ]
        connection.execute(statement, rows)
        self._counts.clear()


def read_tallies(connection: Connection) -> tuple[Tally, ...]:
    """Return all counts."""
    return tuple(
        Tally(name=row.name, labels=tuple(row.labels.split(SEPARATOR)), value=row.value)
        for row in connection.execute(select(tally).order_by(tally.c.name, tally.c.labels))
    )
