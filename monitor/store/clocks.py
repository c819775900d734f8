"""Writing resolved threads: rows keep their ids, so that what was told about a wait stays told about that wait.

A resolved thread takes the id its mails already have, a resolved clock that of the stored clock that started with one of
its messages. What changed is returned, for the alerts to follow.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from typing import Any

from sqlalchemy import Connection, delete, insert, select, update

from alerts.core.contact import DEADLINE_MARGIN
from monitor.core.facts import Mark, MarkKind, Route
from monitor.core.sla import SlaPolicy, target_for
from monitor.core.threads import ResolvedClock, ResolvedThread, resolve_threads
from monitor.store.bulk import insert_rows, update_rows
from monitor.store.changes import ChangeKind, ClockChange
from monitor.store.columns import reserve_ids
from monitor.store.messages import Incoming
from monitor.store.related import Stored, read_related
from monitor.store.schema import decision, frozen_policy, message, sla_clock, thread
from monitor.store.tallies import Tallies
from monitor.store.thread_rows import thread_row
from monitor.store.ties import save_ties

PolicyFor = Callable[[str, str | None, tuple[str, ...], int, str | None], str]
"""Account, marketplace, labels, priority and the buyer's words -> the escalation policy, serialised."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SaveContext:
    """What saving needs besides the facts, for one transaction.

    Attributes:
        first_started_at: what was over by then is history and pages nobody.
        policies: ids of frozen policies by digest. They may be new: after a rollback they are gone, so nothing keeps them.
    """

    sla: SlaPolicy
    policy_for: PolicyFor
    first_started_at: datetime
    now: datetime
    policies: dict[str, int] = field(default_factory=dict)


def resolve_and_save(
    connection: Connection,
    ids: Iterable[int],
    incoming: Mapping[int, Incoming],
    context: SaveContext,
    written: Mapping[int, Mapping[str, Any]] | None = None,
) -> list[ClockChange]:
    """Resolve everything that belongs together with these mails and write what differs.

    `written`: the rows that this transaction has just inserted, where the caller has them: they are not read again.
    """
    related = read_related(connection, ids, written)
    if not related:
        return []
    marks = _read_marks(connection, related)
    resolution = resolve_threads((stored.fact for stored in related.values()), marks)
    saver = _Saver(connection, related, incoming, context)
    changes = saver.save(resolution.threads)
    save_ties(connection, resolution.ties, resolution.assigned, related, saver.thread_of, context.now)
    saver.tallies.save(connection)
    return changes


def _read_marks(connection: Connection, related: Mapping[int, Stored]) -> list[Mark]:
    wanted = [key for key, stored in related.items() if stored.row.thread_id is not None]
    marks: list[Mark] = []
    columns = (decision.c.id, decision.c.kind, decision.c.message_id, decision.c.at, decision.c.by)
    for start in range(0, len(wanted), 400):
        statement = select(*columns).where(
            decision.c.message_id.in_(wanted[start : start + 400]),
            decision.c.kind.in_([kind.value for kind in MarkKind]),
            decision.c.revoked_at.is_(None),
        )
        for row in connection.execute(statement):
            marks.append(Mark(id=row.id, kind=MarkKind(row.kind), message_id=row.message_id, at=row.at, by=row.by))
    return marks


_MAY_CHANGE = (
    "counted",
    "backlog",
    "next_due_at",
    "reopened_count",
    "acknowledged_by",
    "acknowledged_at",
    "acknowledgement_expires_at",
    "snoozed_until",
)


class _Saver:
    """Brings the stored threads and clocks of one neighbourhood to what was resolved."""

    def __init__(
        self,
        connection: Connection,
        related: Mapping[int, Stored],
        incoming: Mapping[int, Incoming],
        context: SaveContext,
    ) -> None:
        self.connection = connection
        self.related = related
        self.incoming = incoming
        self.context = context
        self.tallies = Tallies()
        self.thread_of: dict[int, int] = {}
        self.changes: list[ClockChange] = []
        self.clock_updates: list[dict[str, Any]] = []

    def save(self, threads: Sequence[ResolvedThread]) -> list[ClockChange]:
        existing = self._read_threads()
        clocks = self._read_clocks(existing)
        started_by: dict[int, Any] = {old.start_message_id: old for old in clocks.values()}
        claimed = self._claim(threads)
        self._insert_threads(threads, claimed)
        self._update_threads(threads, claimed, existing)
        outcomes: list[dict[str, Any]] = []
        new_clocks: list[dict[str, Any]] = []
        kept: set[int] = set()
        goes_on: dict[int, tuple[int, int]] = {}
        for resolved, thread_id in zip(threads, claimed, strict=True):
            assert thread_id is not None
            for position, clock in enumerate(resolved.clocks):
                row = self._clock_row(clock, thread_id, first=position == 0)
                for message_id in clock.message_ids:
                    self.thread_of[message_id] = thread_id
                    outcomes += self._outcome(message_id, thread_id, clock)
                old = _matching(clock, started_by, kept)
                if old is None:
                    new_clocks.append(self._start(row, resolved, clock))
                else:
                    kept.add(old.id)
                    goes_on.update(dict.fromkeys(clock.message_ids, (old.id, thread_id)))
                    self._continue(old, row, clock)
        if new_clocks:
            ids = reserve_ids(self.connection, sla_clock, len(new_clocks))
            insert_rows(
                self.connection,
                sla_clock,
                [{"id": row_id, **row} for row_id, row in zip(ids, new_clocks, strict=True)],
            )
            self.changes += [
                ClockChange(kind=ChangeKind.OPENED, clock_id=clock_id, thread_id=row["thread_id"])
                for clock_id, row in zip(ids, new_clocks, strict=True)
            ]
        update_rows(self.connection, sla_clock, self.clock_updates)
        for old in clocks.values():
            if old.id not in kept and old.start_message_id in self.related:  # what is not before us is not over
                self.connection.execute(delete(sla_clock).where(sla_clock.c.id == old.id))
                change = _absorbed(old, goes_on.get(old.start_message_id))
                if change.into is not None:  # what was decided about it can be taken back by the numbers it handed on
                    decided = update(decision).where(decision.c.clock_id == old.id)
                    self.connection.execute(decided.values(clock_id=change.into))
                self.changes.append(change)
        update_rows(self.connection, message, outcomes)
        return self.changes

    def _read_threads(self) -> dict[int, Any]:
        ids = sorted({stored.row.thread_id for stored in self.related.values() if stored.row.thread_id is not None})
        return {row.id: row for row in self._chunks(thread.select(), thread.c.id, ids)}

    def _read_clocks(self, existing: Mapping[int, Any]) -> dict[int, Any]:
        return {row.id: row for row in self._chunks(sla_clock.select(), sla_clock.c.thread_id, sorted(existing))}

    def _chunks(self, statement: Any, column: Any, ids: Sequence[int]) -> Iterable[Any]:
        for start in range(0, len(ids), 400):
            yield from self.connection.execute(statement.where(column.in_(ids[start : start + 400])))

    def _claim(self, threads: Sequence[ResolvedThread]) -> list[int | None]:
        """Return the stored thread each resolved one goes on in: that of its oldest mail that has one, once each."""
        taken: set[int] = set()
        claimed: list[int | None] = []
        for resolved in threads:
            ids = (self.related[message_id].row.thread_id for message_id in resolved.message_ids)
            chosen = next((thread_id for thread_id in ids if thread_id is not None and thread_id not in taken), None)
            if chosen is not None:
                taken.add(chosen)
            claimed.append(chosen)
        return claimed

    def _insert_threads(self, threads: Sequence[ResolvedThread], claimed: list[int | None]) -> None:
        missing = [index for index, thread_id in enumerate(claimed) if thread_id is None]
        if not missing:
            return
        ids = reserve_ids(self.connection, thread, len(missing))
        rows = [
            {"id": row_id, **thread_row(threads[index], None, self.related, self.incoming)}
            for row_id, index in zip(ids, missing, strict=True)
        ]
        insert_rows(self.connection, thread, rows)
        for index, thread_id in zip(missing, ids, strict=True):
            claimed[index] = thread_id

    def _update_threads(
        self, threads: Sequence[ResolvedThread], claimed: Sequence[int | None], existing: Mapping[int, Any]
    ) -> None:
        updates: list[dict[str, Any]] = []
        for resolved, thread_id in zip(threads, claimed, strict=True):
            old = existing.get(thread_id or 0)
            if old is None:
                continue
            row = thread_row(resolved, old, self.related, self.incoming)
            if any(getattr(old, key) != value for key, value in row.items()):
                updates.append({"id": thread_id, **row, "revision": old.revision + 1})
        update_rows(self.connection, thread, updates)
        merged = set(existing) - {thread_id for thread_id in claimed if thread_id is not None}
        for thread_id in merged:
            heir = next(
                (
                    claimed[index]
                    for index, resolved in enumerate(threads)
                    if any(self.related[message_id].row.thread_id == thread_id for message_id in resolved.message_ids)
                ),
                None,
            )
            if heir is None and existing[thread_id].closed_at is not None:
                continue  # it stands as it was left: merged before, or over before its mails were found to be no buyer's
            self.connection.execute(
                update(thread).where(thread.c.id == thread_id).values(merged_into=heir, closed_at=self.context.now)
            )
            if heir is not None:  # what had become part of it before is part of the heir
                self.connection.execute(
                    update(thread).where(thread.c.merged_into == thread_id).values(merged_into=heir)
                )

    def _clock_row(self, clock: ResolvedClock, thread_id: int, *, first: bool) -> dict[str, Any]:
        start = self.related[clock.message_ids[0]].row
        target = target_for(self.context.sla, start.marketplace, clock.started_at)
        return {
            "thread_id": thread_id,
            "start_message_id": clock.message_ids[0],
            "account": start.account,
            "marketplace": start.marketplace,
            "started_at": clock.started_at,
            "target_seconds": int(target.total_seconds()),
            "deadline_at": clock.started_at + target,
            "messages": len(clock.message_ids),
            "first": first,
            "verified": clock.verified,
            "answered_at": clock.answered_at,
            "answered_route": None if clock.answered_route is None else clock.answered_route.value,
            "answered_by": clock.answered_by,
            "waived_at": clock.waived_at,
            "waived_by": clock.waived_by,
            "closed_at": clock.closed_at,
        }

    def _start(self, row: dict[str, Any], resolved: ResolvedThread, clock: ResolvedClock) -> dict[str, Any]:
        """Return a new clock's row, its policy frozen onto it; what was over before the first start is history."""
        context = self.context
        stored = self.related[clock.message_ids[0]]
        mail = self.incoming.get(stored.fact.id)
        words = None if mail is None else mail.message.buyer_text
        labels = tuple(stored.row.labels.split())
        body = context.policy_for(row["account"], row["marketplace"], labels, stored.row.priority, words)
        row["policy_id"] = self._policy_id(body)
        row["backlog"] = row["deadline_at"] < context.first_started_at
        row["next_due_at"] = None if row["closed_at"] is not None else context.now
        row["counted"] = self._count(row, "")
        return row

    def _policy_id(self, body: str) -> int:
        digest = sha256(body.encode()).hexdigest()
        known = self.context.policies.get(digest)
        if known is None:
            known = self.connection.execute(select(frozen_policy.c.id).where(frozen_policy.c.digest == digest)).scalar()
            if known is None:
                statement = insert(frozen_policy).values(digest=digest, body=body).returning(frozen_policy.c.id)
                known = self.connection.execute(statement).scalar_one()
            self.context.policies[digest] = known
        return known

    def _newest_at(self, clock: ResolvedClock) -> datetime:
        return max(self.related[message_id].fact.received_at for message_id in clock.message_ids)

    def _continue(self, old: Any, row: dict[str, Any], clock: ResolvedClock) -> None:
        """Bring a stored clock up to date and tell what that means to those who were told of it."""
        if old.started_at == row["started_at"]:
            # The target was frozen when the clock started; only an older first message chooses it anew.
            row["target_seconds"] = old.target_seconds
            row["deadline_at"] = old.deadline_at
        # Once confirmed, by a mail or by a person who took it, it stays so.
        row["verified"] = row["verified"] or old.verified
        differing = {key: value for key, value in row.items() if getattr(old, key) != value}
        counted = self._count(row, old.counted)
        if counted != old.counted:
            differing["counted"] = counted
        if old.backlog and self._newest_at(clock) >= self.context.first_started_at:
            differing["backlog"] = False  # the buyer wrote again: it is no history any more
        if not differing:
            return
        if row["deadline_at"] < old.deadline_at:
            # "I have it" and "not now" were measured by the later deadline.
            latest_at = max(row["deadline_at"] - DEADLINE_MARGIN, self.context.now)
            for name in ("acknowledgement_expires_at", "snoozed_until"):
                if getattr(old, name) is not None and getattr(old, name) > latest_at:
                    differing[name] = latest_at
        kind = ChangeKind.CHANGED
        if old.closed_at is None and row["closed_at"] is not None:
            kind = ChangeKind.CLOSED
            differing["next_due_at"] = None
        elif old.closed_at is not None and row["closed_at"] is None:
            kind = ChangeKind.REOPENED
            differing["reopened_count"] = old.reopened_count + 1
            differing["next_due_at"] = self.context.now
            differing.update(
                acknowledged_by=None, acknowledged_at=None, acknowledgement_expires_at=None, snoozed_until=None
            )
        elif row["closed_at"] is None:
            differing["next_due_at"] = self.context.now
        kept = {name: getattr(old, name) for name in _MAY_CHANGE if name not in row}
        self.clock_updates.append({"id": old.id, **row, **kept, **differing})
        if set(differing) - {"counted", "first", "start_message_id"}:
            left = None if row["thread_id"] == old.thread_id else old.thread_id
            self.changes.append(ClockChange(kind=kind, clock_id=old.id, thread_id=row["thread_id"], left=left))

    def _count(self, row: Mapping[str, Any], counted: str) -> str:
        return self.tallies.count_clock(
            counted,
            account=row["account"],
            marketplace=row["marketplace"],
            deadline_at=row["deadline_at"],
            answered_at=row["answered_at"],
            waived_at=row["waived_at"],
            now=self.context.now,
            labels=self.related[row["start_message_id"]].row.labels.split(),
            while_open=False,
        )

    def _outcome(self, message_id: int, thread_id: int, clock: ResolvedClock) -> list[dict[str, Any]]:
        """Return the change of one buyer message's row, if there is one; each keeps its own target and latency."""
        row = self.related[message_id].row
        received_at = row.received_at
        target_seconds = row.target_seconds
        if target_seconds is None:
            target_seconds = int(target_for(self.context.sla, row.marketplace, received_at).total_seconds())
        counted = row.counted
        if clock.answered_at is not None and counted is None:
            self.tallies.count_response(row.account, row.marketplace, clock.answered_at - received_at)
            counted = "answered"
        values = {
            "id": message_id,
            "thread_id": thread_id,
            "target_seconds": target_seconds,
            "answered_at": clock.answered_at,
            "by_hand": clock.answered_route is Route.HAND,
            "waived_at": clock.waived_at,
            "counted": counted,
        }
        if all(getattr(row, key) == value for key, value in values.items()):
            return []
        return [values]


def _absorbed(old: Any, goes_on: tuple[int, int] | None) -> ClockChange:
    """Return the change of a clock that is no more. `goes_on`: the clock that has its first message now, and its thread."""
    into, thread_id = goes_on or (None, old.thread_id)
    left = old.thread_id if into is None or thread_id != old.thread_id else None
    return ClockChange(
        kind=ChangeKind.ABSORBED,
        clock_id=old.id,
        thread_id=thread_id,
        left=left,
        into=into,
        was_open=old.closed_at is None,
    )


def _matching(clock: ResolvedClock, started_by: Mapping[int, Any], kept: set[int]) -> Any:
    """Return the stored clock that this one goes on: the oldest that started with one of its messages."""
    fitting = (started_by.get(message_id) for message_id in clock.message_ids)
    return min((old for old in fitting if old is not None and old.id not in kept), key=lambda old: old.id, default=None)
