"""Deliveries for tests of words and notifiers: invented orders, one instant."""

from datetime import UTC, datetime, timedelta
from typing import Any

from alerts.core.model import Channel, Delivery, Purpose, ThreadFacts

NOW = datetime(2026, 11, 21, 1, 38, tzinfo=UTC)  # 02:38 in Paris, a Saturday


def make_facts(left: timedelta = timedelta(minutes=92), **changes: Any) -> ThreadFacts:
    """Return a thread whose deadline is `left` away from NOW (negative: overdue)."""
    deadline = NOW + left
    values: dict[str, Any] = {
        "thread_id": 11,
        "clock_id": 21,
        "started_at": deadline - timedelta(hours=24),
        "deadline_at": deadline,
        "state": "at_risk" if left >= timedelta(0) else "breached",
        "marketplace": "FR",
        "order_id": "402-1234567-1234567",
    }
    return ThreadFacts(**{**values, **changes})


def make_delivery(*threads: ThreadFacts, **changes: Any) -> Delivery:
    """Return an alert about these threads (default: one); a summary where `content` and `purpose` say so."""
    values: dict[str, Any] = {
        "reference": "ref-0001",
        "purpose": Purpose.ALERT,
        "channel": Channel.SLACK,
        "receiver": "team",
        "address": "C0123",
        "now": NOW,
        "time_zone": "Europe/Paris",
        "threads": threads or (make_facts(),),
        "attempted_at": NOW,
    }
    if "content" in changes:
        values["threads"] = threads
    return Delivery(**{**values, **changes})
