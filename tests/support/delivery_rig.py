"""Outbox, dispatcher and fakes put together, on whichever database."""

import random
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, insert, select, update

from alerts import tables
from alerts.core.model import Channel, Notification
from alerts.delivery.ports import AllowedAt, Checkpoint, Hold, Ports, Timing, ignore_checkpoint, never_hold, no_limit
from alerts.dispatcher import Dispatcher, new_owner
from alerts.outbox import RecordOutcome, enqueue
from tests.fakes_alerts import FakeDirectory, FakeThreads, MovableClock, RecordingNotifier, open_clock, still_wanted

PROMPT = Timing(spacing={})
PATIENCE_SECONDS = 60.0
"""How long a tick's work may take: a bound for what hangs, not a measure of speed."""


def sqlite_engine(path: Path) -> Engine:
    """Return an engine as the worker has it: WAL, writers take turns, reads never wait."""
    engine = create_engine(f"sqlite:///{path}", connect_args={"timeout": 30, "check_same_thread": False})

    def on_connect(connection: Any, record: object) -> None:
        connection.isolation_level = None
        for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON", "busy_timeout=30000"):
            connection.execute(f"PRAGMA {pragma}").close()

    def on_begin(connection: Connection) -> None:
        read_only = connection.get_execution_options().get("read_only", False)
        connection.exec_driver_sql("BEGIN" if read_only else "BEGIN IMMEDIATE")

    event.listen(engine, "connect", on_connect)
    event.listen(engine, "begin", on_begin)
    return engine


def create_tables(engine: Engine) -> None:
    """Make the tables anew, empty."""
    open_clock.metadata.drop_all(engine)
    tables.metadata.drop_all(engine)
    tables.metadata.create_all(engine)
    open_clock.metadata.create_all(engine)


@dataclass
class Rig:
    """Everything around one dispatcher. `outcomes` counts (receiver, channel, outcome) as the metric would."""

    engine: Engine
    clock: MovableClock = field(default_factory=MovableClock)
    threads: FakeThreads = field(default_factory=FakeThreads)
    directory: FakeDirectory = field(default_factory=FakeDirectory)
    notifiers: dict[Channel, RecordingNotifier] = field(default_factory=dict)
    outcomes: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    timing: Timing = PROMPT
    hold: Hold = never_hold
    allowed_at: AllowedAt = no_limit

    def __post_init__(self) -> None:
        """Make the tables and a notifier for Slack, SMS and voice."""
        create_tables(self.engine)
        for channel in (Channel.SLACK, Channel.SMS, Channel.VOICE):
            self.notifiers.setdefault(channel, RecordingNotifier(channel))
        self.record_outcome: RecordOutcome = self._count
        self.dispatcher = self.start()

    @property
    def slack(self) -> RecordingNotifier:
        """What stands at Slack."""
        return self.notifiers[Channel.SLACK]

    @property
    def sms(self) -> RecordingNotifier:
        """What stands at the SMS provider."""
        return self.notifiers[Channel.SMS]

    def start(self, *, alone: bool = True, lineage: str = "", checkpoint: Checkpoint = ignore_checkpoint) -> Dispatcher:
        """Return a new worker on the same database and providers."""
        ports = Ports(
            directory=self.directory,
            load_facts=self.threads.load,
            still_wanted=still_wanted,
            hold=lambda item, facts, now: self.hold(item, facts, now),
            allowed_at=lambda channel, sent, now, first: self.allowed_at(channel, sent, now, first),
            record_outcome=lambda conn, receiver, channel, outcome: self.record_outcome(
                conn, receiver, channel, outcome
            ),
            timing=self.timing,
            owner=new_owner(lineage),
            lineage=lineage,
        )
        return Dispatcher(
            self.engine,
            self.notifiers,
            ports,
            self.clock,
            rng=random.Random(1),
            alone=alone,
            checkpoint=checkpoint,
        )

    def _count(self, conn: Connection, receiver: str, channel: str, outcome: str) -> None:
        self.outcomes[(receiver, channel, outcome)] += 1

    def open(self, *clock_ids: int, **changes: Any) -> None:
        """Open clocks that are to be alerted about."""
        for clock_id in clock_ids:
            self.threads.add(clock_id, **changes)
        with self.engine.begin() as conn:
            conn.execute(insert(open_clock), [{"id": clock_id, "wanted": 1} for clock_id in clock_ids])

    def close(self, *clock_ids: int) -> None:
        """End clocks, or let somebody have them: nothing more is to be sent."""
        with self.engine.begin() as conn:
            conn.execute(update(open_clock).where(open_clock.c.id.in_(clock_ids)).values(wanted=0))

    def answer(self, *clock_ids: int) -> None:
        """End clocks by a reply that went out now."""
        self.close(*clock_ids)
        for clock_id in clock_ids:
            stood = self.threads.facts[clock_id]
            self.threads.facts[clock_id] = replace(stood, state="met", answered_at=self.clock(), answered_route="mail")

    def put(self, *items: Notification) -> int:
        """Enqueue notifications now."""
        with self.engine.begin() as conn:
            return enqueue(conn, items, self.clock())

    def deliver(self, **advance: float) -> Any:
        """Move the clock, then do one tick's work: reconcile and deliver."""
        now = self.clock.advance(**advance)
        first = self.dispatcher.reconcile(now, wait_seconds=PATIENCE_SECONDS)
        second = self.dispatcher.deliver_due(now, wait_seconds=PATIENCE_SECONDS)
        assert not (first.busy or second.busy), "a lane goes round in circles"
        return second

    def deliver_until_quiet(self, *, most: int = 60, **step: float) -> None:
        """Tick until nothing is pending or under way."""
        for _ in range(most):
            self.deliver(**(step or {"seconds": 5}))
            if not {"pending", "sending"} & {row["status"] for row in self.rows()}:
                return
        raise AssertionError(f"still waiting: {self.rows()}")

    def rows(self) -> Sequence[Mapping[str, Any]]:
        """Return the outbox's rows in the order they were put in."""
        return self._read(tables.notification)

    def deliveries(self) -> Sequence[Mapping[str, Any]]:
        """Return the deliveries in the order of their intents."""
        return self._read(tables.delivery)

    def statuses(self) -> list[str]:
        """Return "status" or "status: reason" of each row."""
        return [f"{row['status']}: {row['reason']}" if row["reason"] else row["status"] for row in self.rows()]

    def _read(self, table: Any) -> Sequence[Mapping[str, Any]]:
        with self.engine.connect().execution_options(read_only=True) as conn:
            return [dict(row._mapping) for row in conn.execute(select(table).order_by(table.c.id))]
