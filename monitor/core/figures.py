"""Each buyer message's own latency -> response-rate figures in Amazon's terms."""

from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageOutcome:
    """One buyer message and what became of it. Instants are aware UTC.

    `answered_at` is the first genuine reply after it, whichever message that reply was for; `by_hand`: only a person's
    mark says that it was answered. `target` is the one of the clock it belongs to.
    """

    message_id: int
    thread_id: int
    account: str
    marketplace: str | None
    received_at: datetime
    target: timedelta
    answered_at: datetime | None = None
    by_hand: bool = False
    waived_at: datetime | None = None
    labels: tuple[str, ...] = ()
