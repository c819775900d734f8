"""Silences: who muted what until when, and why. They mute alerts, never clocks."""

import json
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, insert, or_, select, update

from alerts.core.policy import Matcher
from alerts.core.suppress import Silence
from monitor.store.schema import silence


def record_silence(connection: Connection, wanted: Silence) -> int:
    """Store a silence and return its id; `wanted.id` is not looked at."""
    matcher = wanted.matcher
    body = {
        "accounts": sorted(matcher.accounts),
        "marketplaces": sorted(matcher.marketplaces),
        "labels": sorted(matcher.labels),
        "min_priority": matcher.min_priority,
        "threads": sorted(wanted.thread_ids),
        "orders": sorted(wanted.order_ids),
    }
    statement = insert(silence).values(
        matcher=json.dumps(body, sort_keys=True),
        author=wanted.author,
        comment=wanted.comment,
        starts_at=wanted.starts_at,
        ends_at=wanted.ends_at,
    )
    return int(connection.execute(statement.returning(silence.c.id)).scalar_one())


def expire_silence(connection: Connection, silence_id: int, now: datetime) -> bool:
    """End a silence now; return whether there was one that had not ended."""
    statement = (
        update(silence)
        .where(silence.c.id == silence_id, silence.c.ends_at > now, silence.c.expired_at.is_(None))
        .values(expired_at=now)
    )
    return connection.execute(statement).rowcount == 1


def read_silences(connection: Connection, now: datetime) -> list[Silence]:
    """Return the silences that mute at `now` or will, soonest end first."""
    statement = (
        select(silence)
        .where(silence.c.ends_at > now, or_(silence.c.expired_at.is_(None), silence.c.expired_at > now))
        .order_by(silence.c.ends_at)
    )
    return [_silence(row) for row in connection.execute(statement)]


def _silence(row: Any) -> Silence:
    body = json.loads(row.matcher)
    return Silence(
        id=row.id,
        matcher=Matcher(
            accounts=frozenset(body["accounts"]),
            marketplaces=frozenset(body["marketplaces"]),
            labels=frozenset(body["labels"]),
            min_priority=body["min_priority"],
        ),
        thread_ids=frozenset(body["threads"]),
        order_ids=frozenset(body["orders"]),
        author=row.author,
        comment=row.comment,
        starts_at=row.starts_at,
        ends_at=row.ends_at,
        expired_at=row.expired_at,
    )
