"""What people say: buttons, SMS and commands -> acknowledgements, marks and waivers, with everybody else told.

Each answer is one transaction: the decision, the clock it changes, what is cancelled and what others must hear.
"""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

import structlog
from sqlalchemy import Connection

from alerts.codes import lookup_code
from alerts.core.contact import PHONE_CHANNELS, acknowledgement_expires_at, snooze_until
from alerts.core.model import Answer, AnswerKind, AnswerResult, ThreadFacts
from alerts.delivery.opted_out import hand_on
from alerts.outbox import cancel_for_clocks, enqueue, record_event_once
from alerts.tables import Cause
from alerts.told import told_receivers
from monitor.core.facts import MarkKind
from monitor.jobs.deliver import build_ports
from monitor.jobs.people import OPTED_OUT, AddressBook, read_unreachable
from monitor.jobs.services import Services, record_outcome
from monitor.jobs.told import follow_changes, plan_updates, tell_withdrawal_undone, tell_withdrawn
from monitor.store.changes import ChangeKind, ClockChange
from monitor.store.clocks import resolve_and_save
from monitor.store.decisions import (
    is_waiting,
    read_clock_of,
    read_heir,
    read_last_clock,
    read_open_before,
    read_open_clock,
    read_parts,
    read_written_since,
    record_acknowledgement,
    record_mark_by_hand,
    record_match,
    record_not_a_message,
    record_snooze,
    revoke_last_mark,
    revoke_not_a_message,
)
from monitor.store.due import PolicyCache, read_one, wake_clocks
from monitor.store.engine import writing
from monitor.store.health import delete_mark, record_mark
from monitor.store.open_threads import read_facts
from monitor.store.tallies import Tallies

log = structlog.get_logger(__name__)

DEFAULT_SNOOZE = timedelta(hours=1)
SETTLED_AT_ONCE = 500
PROVEN = "proven:"
"""Marks people who answered a test page."""


def apply_answer(services: Services, policies: PolicyCache, answer: Answer) -> AnswerResult:
    """Do what a person said, once, and return what came of it.

    `text_key`: "acknowledged", "answered", "waived", "snoozed", "undone", "stays_closed" (a mark was taken back, and
    something else closes the wait), "stopped", "started"; or, when nothing was changed, "repeated" (the same event
    again), "unknown_code", "unknown_thread", "already_closed", "nothing_to_undo", "stale" (a press on what was said of
    an earlier wait).

    Raises:
        StoreError: the database cannot be used; the answer was not taken and may be given again.
    """
    now = services.utc_now()
    with writing(services.engine) as connection:
        if not record_event_once(connection, answer.event_id, now):
            return AnswerResult(accepted=False, text_key="repeated", by=answer.by)
        result = _apply(connection, services, policies, answer, now)
        tallies = Tallies()
        tallies.add("answers", answer.source, "accepted" if result.accepted else "rejected")
        tallies.save(connection)
    services.wake.set()
    log.info(
        "answer",
        kind=answer.kind.value,
        source=answer.source,
        accepted=result.accepted,
        outcome=result.text_key,
        threads=[facts.thread_id for facts in result.threads],
    )
    return result


def reject_answer(services: Services, source: str) -> None:
    """Count an answer from somebody the configuration does not know; it changes nothing."""
    with writing(services.engine) as connection:
        tallies = Tallies()
        tallies.add("answers", source, "rejected")
        tallies.save(connection)


def first_time(services: Services, event_id: str) -> bool:
    """Return whether a provider's event is seen for the first time, and remember it."""
    with writing(services.engine) as connection:
        return record_event_once(connection, event_id, services.utc_now())


def record_proven(services: Services, name: str) -> None:
    """Remember that a person answered a test page: this way reaches them."""
    with writing(services.engine) as connection:
        record_mark(connection, f"{PROVEN}{name}", services.utc_now())


def _apply(
    connection: Connection, services: Services, policies: PolicyCache, answer: Answer, now: datetime
) -> AnswerResult:
    if answer.kind in (AnswerKind.STOP, AnswerKind.START):
        return _opt(connection, services, policies, answer, now)
    if answer.thread_id is not None:
        thread_ids: Sequence[int] = (read_heir(connection, answer.thread_id),)
        meant: Sequence[int] | None = None
    else:
        meaning = lookup_code(connection, answer.by, answer.code or 0)
        if meaning is None:
            return AnswerResult(accepted=False, text_key="unknown_code", by=answer.by)
        if meaning.test:
            record_mark(connection, f"{PROVEN}{answer.by}", now)
            return AnswerResult(accepted=True, text_key="proven", by=answer.by)
        thread_ids, meant = meaning.thread_ids, meaning.clock_ids
    changes: list[ClockChange] = []
    clock_ids: list[int] = []
    still_closed: list[int] = []
    refused = "unknown_thread"
    for thread_id in thread_ids:
        clock = read_last_clock(connection, thread_id)
        if clock is None:
            continue
        if answer.clock_id is not None and answer.clock_id != clock.id:
            # Pressed on what a message said of an earlier wait, a moment before it was redrawn.
            refused = "stale"
            continue
        if answer.kind is AnswerKind.UNDO:
            message_id = revoke_last_mark(
                connection, thread_id, tuple(MarkKind), by=answer.by, now=now, clock_ids=meant
            )
            if message_id is None:
                refused = "nothing_to_undo"
                continue
            changes += resolve_and_save(connection, [message_id], {}, services.save_context(now))
            opened = read_open_clock(connection, thread_id) if is_waiting(connection, message_id) else None
            if opened is None:
                still_closed.append(clock.id)
            else:
                clock_ids.append(opened.id)
            continue
        clock = read_open_clock(connection, thread_id)
        if clock is None or (meant is not None and clock.id not in meant):
            # An SMS speaks of the wait it told about, not of one that began after it.
            refused = "already_closed"
            continue
        changes += _ACTIONS[answer.kind](connection, services, policies, clock, answer, now)
        clock_ids.append(clock.id)
    follow_changes(connection, changes, now, why_open="undone")
    text_key, done = _WORDS[answer.kind], clock_ids
    if still_closed and not clock_ids:
        text_key, done = "stays_closed", still_closed
    if not done:
        threads = _facts(connection, services, _last_clocks(connection, thread_ids), now)
        return AnswerResult(accepted=False, text_key=refused, threads=threads, by=answer.by)
    if answer.kind in (AnswerKind.ACKNOWLEDGE, AnswerKind.SNOOZE):
        cause = Cause.ACKNOWLEDGED if answer.kind is AnswerKind.ACKNOWLEDGE else Cause.SNOOZED
        cancel_for_clocks(connection, clock_ids, cause, now, closed=False, record_outcome=record_outcome)
        enqueue(connection, plan_updates(told_receivers(connection, clock_ids), now), now)
    return AnswerResult(
        accepted=True,
        text_key=text_key,
        threads=_facts(connection, services, done, now),
        left=len(thread_ids) - len(done),
        by=answer.by,
    )


def _last_clocks(connection: Connection, thread_ids: Sequence[int]) -> list[int]:
    return [clock.id for clock in (read_last_clock(connection, one) for one in thread_ids) if clock is not None]


def _facts(
    connection: Connection, services: Services, clock_ids: Sequence[int], now: datetime
) -> tuple[ThreadFacts, ...]:
    found = read_facts(connection, clock_ids, services.facts_context, now)
    return tuple(found[clock_id] for clock_id in clock_ids if clock_id in found)


Act = Callable[[Connection, Services, PolicyCache, Any, Answer, datetime], list[ClockChange]]


def _acknowledge(
    connection: Connection, services: Services, policies: PolicyCache, clock: Any, answer: Answer, now: datetime
) -> list[ClockChange]:
    del services
    due = read_one(connection, policies, clock.id)
    assert due is not None
    expires_at = acknowledgement_expires_at(now, due.row.deadline_at, due.policy.acknowledgement_expires)
    record_acknowledgement(connection, clock, by=answer.by, at=now, expires_at=expires_at, source=answer.source)
    return []


def _snooze(
    connection: Connection, services: Services, policies: PolicyCache, clock: Any, answer: Answer, now: datetime
) -> list[ClockChange]:
    del services, policies
    deadline_at = clock.deadline_at
    until = snooze_until(now, answer.snooze_for or DEFAULT_SNOOZE, deadline_at)
    record_snooze(connection, clock, by=answer.by, at=now, until=until, source=answer.source)
    return []


def _answered(
    connection: Connection, services: Services, policies: PolicyCache, clock: Any, answer: Answer, now: datetime
) -> list[ClockChange]:
    return _mark(connection, services, MarkKind.ANSWERED, clock, answer, now)


def _waive(
    connection: Connection, services: Services, policies: PolicyCache, clock: Any, answer: Answer, now: datetime
) -> list[ClockChange]:
    return _mark(connection, services, MarkKind.WAIVED, clock, answer, now)


def _mark(
    connection: Connection, services: Services, kind: MarkKind, clock: Any, answer: Answer, now: datetime
) -> list[ClockChange]:
    at = min(answer.at, now)
    record_mark_by_hand(
        connection, kind, clock, by=answer.by, at=at, made_at=now, source=answer.source, reason=answer.reason
    )
    start = clock.start_message_id
    return resolve_and_save(connection, [start], {}, services.save_context(now))


def _opt(
    connection: Connection, services: Services, policies: PolicyCache, answer: Answer, now: datetime
) -> AnswerResult:
    """Leave a person out on the phone, or take them back: the next alert goes to whoever follows, and the team is told."""
    name = f"{OPTED_OUT}{answer.by}"
    stopped = answer.kind is AnswerKind.STOP
    if stopped:
        record_mark(connection, name, now)
    else:
        delete_mark(connection, name)
    services.roster.replace_unreachable(read_unreachable(connection))
    if stopped:
        book = AddressBook(config=services.config, roster=services.roster)
        hand_on(connection, answer.by, PHONE_CHANNELS, build_ports(services, book, policies), now)
    wake_clocks(connection, now)
    return AnswerResult(accepted=True, text_key="stopped" if stopped else "started", by=answer.by)


_ACTIONS: dict[AnswerKind, Act] = {
    AnswerKind.ACKNOWLEDGE: _acknowledge,
    AnswerKind.SNOOZE: _snooze,
    AnswerKind.ANSWERED: _answered,
    AnswerKind.WAIVE: _waive,
}
_WORDS = {
    AnswerKind.ACKNOWLEDGE: "acknowledged",
    AnswerKind.SNOOZE: "snoozed",
    AnswerKind.ANSWERED: "answered",
    AnswerKind.WAIVE: "waived",
    AnswerKind.UNDO: "undone",
}


def settle_before(services: Services, before: datetime, *, by: str, source: str) -> int:
    """Mark every thread as answered whose wait began before `before` and still runs; return how many.

    For a backlog that was answered where the worker cannot see it. Each mark is one decision, undoable on its own.
    """
    settled = 0
    while True:
        now = services.utc_now()
        with writing(services.engine) as connection:
            clocks = read_open_before(connection, before, SETTLED_AT_ONCE)
            went_on = read_written_since(connection, [clock.thread_id for clock in clocks], before)
            for clock in clocks:
                # When it was answered nobody says: what is overdue counts as late, but nothing that was written since.
                overdue = clock.deadline_at < now and clock.thread_id not in went_on
                at = now if overdue else min(before, now)
                record_mark_by_hand(connection, MarkKind.ANSWERED, clock, by=by, at=at, made_at=now, source=source)
            starts = [clock.start_message_id for clock in clocks]
            changes = resolve_and_save(connection, starts, {}, services.save_context(now)) if starts else []
            follow_changes(connection, changes, now)
        settled += len(clocks)
        if len(clocks) < SETTLED_AT_ONCE:
            return settled


def match_copy(services: Services, copy_id: int, thread_id: int, *, by: str, source: str) -> bool:
    """Let a copy or reply count for a thread, as a person decided; return whether the thread exists."""
    now = services.utc_now()
    with writing(services.engine) as connection:
        first = record_match(connection, copy_id, thread_id, by=by, now=now, source=source)
        if first is None:
            return False
        follow_changes(connection, resolve_and_save(connection, [copy_id, first], {}, services.save_context(now)), now)
    services.wake.set()
    return True


def exclude_messages(services: Services, thread_id: int, *, by: str, source: str) -> int:
    """Take a thread's waiting mails for what a person says they are: no buyer messages; return how many."""
    now = services.utc_now()
    with writing(services.engine) as connection:
        open_clock = read_open_clock(connection, thread_id)
        clock_id = None if open_clock is None else open_clock.id
        stood = _facts(connection, services, [] if clock_id is None else [clock_id], now)
        ids = record_not_a_message(connection, thread_id, by=by, now=now, source=source, clock_id=clock_id)
        if ids:
            changes = resolve_and_save(connection, ids, {}, services.save_context(now))
            follow_changes(connection, changes, now)
            gone = {one.clock_id for one in changes if one.kind is ChangeKind.ABSORBED and one.into is None}
            withdrawn = {facts.clock_id: facts for facts in stood if facts.clock_id in gone}
            tell_withdrawn(connection, withdrawn, by=by, now=now)
    services.wake.set()
    return len(ids)


def include_messages(services: Services, thread_id: int, *, by: str) -> int:
    """Take back what was last said of a thread's mails, that they are no buyer messages: they wait again; return how many."""
    now = services.utc_now()
    with writing(services.engine) as connection:
        ids, gone = revoke_not_a_message(connection, thread_id, by=by, now=now)
        if ids:
            follow_changes(connection, resolve_and_save(connection, ids, {}, services.save_context(now)), now)
            runs = read_clock_of(connection, ids[0])
            if runs is not None:
                tell_withdrawal_undone(connection, gone, runs, read_parts(connection, runs.thread_id), now)
    services.wake.set()
    return len(ids)
