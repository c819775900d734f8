"""What delivering asks of the monitor: the facts at the moment of sending, and whether a clock is still to be alerted about."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, exists, or_, select

from alerts.core.model import ThreadFacts
from alerts.core.suppress import Silence
from alerts.delivery.ports import LoadFacts, Ports, StillWanted
from alerts.dispatcher import new_owner
from monitor.jobs.evaluate import next_step_of, silence_of
from monitor.jobs.people import AddressBook
from monitor.jobs.services import Services, record_outcome
from monitor.store.due import PolicyCache, read_one
from monitor.store.open_threads import read_facts
from monitor.store.schema import sla_clock
from monitor.store.silences import read_silences


def build_load_facts(services: Services, policies: PolicyCache) -> LoadFacts:
    """Return the reader of facts that the dispatcher asks right before it sends."""

    def load(connection: Connection, clock_ids: Sequence[int], now: datetime) -> Mapping[int, ThreadFacts]:
        found = read_facts(connection, clock_ids, services.facts_context, now)
        silences = read_silences(connection, now)
        if silences:
            found = {
                clock_id: _silence(connection, policies, facts, silences, now) for clock_id, facts in found.items()
            }
        if len(found) != 1:
            return found
        (clock_id, facts), *_ = found.items()
        step = next_step_of(connection, services, policies, clock_id, now)
        return {clock_id: replace(facts, next_step=step)}

    return load


def _silence(
    connection: Connection, policies: PolicyCache, facts: ThreadFacts, silences: Sequence[Silence], now: datetime
) -> ThreadFacts:
    one = read_one(connection, policies, facts.clock_id)
    return facts if one is None else replace(facts, silenced_until=silence_of(one, silences, now))


def build_still_wanted(services: Services) -> StillWanted:
    """Return SQL that is true while a notification's clock is open and nobody has it, snoozed it or settled it.

    It runs inside the statement that claims the row, so nothing goes out after a reply, a waiver or an acknowledgement.
    """

    def wanted(columns: Any) -> ColumnElement[bool]:
        now = services.utc_now()
        return exists(
            select(sla_clock.c.id).where(
                sla_clock.c.id == columns.clock_id,
                sla_clock.c.closed_at.is_(None),
                or_(sla_clock.c.acknowledgement_expires_at.is_(None), sla_clock.c.acknowledgement_expires_at <= now),
                or_(sla_clock.c.snoozed_until.is_(None), sla_clock.c.snoozed_until <= now),
            )
        )

    return wanted


def build_ports(services: Services, book: AddressBook, policies: PolicyCache | None = None, lineage: str = "") -> Ports:
    """Return what delivering is told by the rest of the house."""
    return Ports(
        directory=book,
        load_facts=build_load_facts(services, policies or PolicyCache()),
        still_wanted=build_still_wanted(services),
        hold=book.hold,
        allowed_at=book.allowed_at,
        record_outcome=record_outcome,
        owner=new_owner(lineage),
        lineage=lineage,
    )
