"""The columns of a thread, drawn from its mails. Reads, writes nothing."""

from collections.abc import Mapping
from typing import Any

from monitor.core.messages import Where
from monitor.core.threads import ResolvedThread
from monitor.store.erasing import IDENTIFIERS
from monitor.store.messages import Incoming
from monitor.store.related import Stored


def thread_row(
    resolved: ResolvedThread, old: Any, related: Mapping[int, Stored], incoming: Mapping[int, Incoming]
) -> dict[str, Any]:
    """Return the thread's columns: identifiers from the mails at hand, else as they were."""
    stored = [related[message_id] for message_id in resolved.message_ids]
    mails = [incoming[item.fact.id].message for item in stored if item.fact.id in incoming]
    last = resolved.clocks[-1]
    latest = [related[message_id].row for message_id in last.message_ids]
    order: list[str] = []
    for row in sorted(latest, key=lambda row: -row.priority):
        order += [label for label in row.labels.split() if label not in order]

    def newest(name: str) -> Any:
        found = next((getattr(mail, name) for mail in reversed(mails) if getattr(mail, name) is not None), None)
        return found if found is not None else (None if old is None else getattr(old, name))

    first_of = {
        name: next((getattr(item.row, name) for item in stored if getattr(item.row, name) is not None), None)
        for name in ("marketplace", "order_hash", "alias_hash")
    }
    languages = [row.language for row in latest if row.language]
    identifiers = {name: newest(name) for name in IDENTIFIERS}
    return {
        "account": stored[0].row.account,
        **first_of,
        **identifiers,
        # Filled again by a later mail, it is erased again in its time.
        "erased_at": None if old is None or any(identifiers.values()) else old.erased_at,
        "labels": " ".join(order),
        "priority": max(row.priority for row in latest),
        "language": languages[-1] if languages else None,
        "place": Where.JUNK.value if all(row.place == Where.JUNK.value for row in latest) else Where.INBOX.value,
        "closed_at": last.closed_at,
    }
