"""Replies that fit several threads: shown to a person, and settled when meanwhile they fit one."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import Connection, bindparam, insert, select, update

from monitor.core.messages import Kind
from monitor.store.related import Stored
from monitor.store.schema import message, review

BY_ITSELF = "ReplyBy"
"""Who settled a tie that fitted one thread in the end."""


def save_ties(
    connection: Connection,
    ties: Mapping[int, Sequence[int]],
    assigned: Mapping[int, int],
    related: Mapping[int, Stored],
    thread_of: Mapping[int, int],
    now: datetime,
) -> None:
    """Show what fits several threads to a person; settle what meanwhile fits one."""
    keys = {f"tie:{reply}": reply for reply in assigned}
    if keys:
        for start in range(0, len(keys), 400):
            part = list(keys)[start : start + 400]
            connection.execute(
                update(review)
                .where(review.c.key.in_(part), review.c.settled_at.is_(None))
                .values(settled_at=now, settled_by=BY_ITSELF, decision="matched")
            )
    moved = [
        {"b_id": reply, "b_thread": thread_of[first]}
        for reply, first in assigned.items()
        if related[reply].row.thread_id != thread_of[first]
    ]
    if moved:
        statement = update(message).where(message.c.id == bindparam("b_id")).values(thread_id=bindparam("b_thread"))
        connection.execute(statement, moved)
    for reply, firsts in ties.items():
        stored = related[reply]
        threads = " ".join(str(thread_of[first]) for first in firsts)
        present = connection.execute(
            select(review.c.id, review.c.threads, review.c.settled_by).where(review.c.key == f"tie:{reply}")
        ).first()
        if present is not None:
            changes: dict[str, object] = {} if present.threads == threads else {"threads": threads}
            if present.settled_by == BY_ITSELF:  # what a person settled stays so
                changes |= {"settled_at": None, "settled_by": None, "decision": None}
            if changes:
                connection.execute(update(review).where(review.c.id == present.id).values(**changes))
            continue
        copy = stored.fact.kind is Kind.CONFIRMATION_COPY
        connection.execute(
            insert(review).values(
                key=f"tie:{reply}",
                kind="tie",
                account=stored.row.account,
                marketplace=stored.row.marketplace,
                message_id=reply,
                detail=json.dumps({"what": "confirmation_copy" if copy else "seller_reply"}),
                threads=threads,
                received_at=stored.row.received_at,
            )
        )
