"""What happened to one thread, in order: mails, decisions and clocks. Notifications stand in the outbox."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select

from monitor.store.schema import decision, message, sla_clock


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One line of a thread's history; `what` in words, without a buyer's name or words.

    `ahead`: an instant that the line speaks of, after its word: ("deadline", …) or ("until", …).
    """

    at: datetime
    what: str
    by: str | None = None
    detail: str = ""
    ahead: tuple[str, datetime] | None = None


def read_history(connection: Connection, thread_id: int) -> list[Event]:
    """Return mails, decisions and the ends of clocks of a thread, oldest first."""
    events: list[Event] = []
    for row in connection.execute(select(message).where(message.c.thread_id == thread_id)):
        words = row.kind.replace("_", " ")
        if row.excluded:
            words += " (taken for none by a person)"
        details = [f"signals: {row.signals.replace(' ', ', ')}" if row.signals else ""]
        if row.place == "junk":
            details.append("lay in spam")
        if row.authenticity == "failed":
            details.append("origin not proven")
        events.append(Event(at=row.received_at, what=words, detail="; ".join(one for one in details if one)))
    for row in connection.execute(select(decision).where(decision.c.thread_id == thread_id)):
        until = None if row.until is None else ("until", row.until)
        what = _DECISIONS.get(row.kind, row.kind)
        events.append(Event(at=row.made_at, what=what, by=row.by, detail=row.reason or "", ahead=until))
        if row.revoked_at is not None:
            words = f"taken back: {_DECISIONS.get(row.kind, row.kind)}"
            events.append(Event(at=row.revoked_at, what=words, by=row.revoked_by))
    for row in connection.execute(select(sla_clock).where(sla_clock.c.thread_id == thread_id)):
        events.append(Event(at=row.started_at, what="SLA clock started", ahead=("deadline", row.deadline_at)))
        if row.answered_at is not None and row.waived_at is None:
            route = {"mail": "by mail", "seller_central": "in Seller Central", "hand": "by a person's mark"}
            events.append(
                Event(
                    at=row.answered_at,
                    what=f"SLA clock stopped: answered {route[row.answered_route]}",
                    by=row.answered_by,
                )
            )
        if row.waived_at is not None:
            events.append(Event(at=row.waived_at, what="SLA clock stopped: waived", by=row.waived_by))
    return sorted(events, key=lambda event: (event.at, not event.what.startswith(("buyer", "seller", "conf"))))


_DECISIONS = {
    "acknowledge": "acknowledged",
    "snooze": "snoozed",
    "answered": "marked as answered",
    "waived": "waived: no response needed",
    "match": "copy matched to this thread",
    "not_a_message": "mail is no buyer message",
}
