"""Which Slack channels are shared with another company: what is known of an order stays out of those.

Owns what Slack says of a channel, and for how long that is believed. Whatever is not known counts as shared, because what
was once posted before strangers cannot be taken back.
"""

import threading
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

from alerts.errors import DeliveryError

KNOWN_FOR: Final = timedelta(
    hours=1
)  # a channel may be shared at any time; asking at each message would be a call more
UNKNOWN_FOR: Final = timedelta(minutes=10)
_MOST: Final = 500  # channels remembered; a configuration names a handful

AskInfo = Callable[[str], Mapping[str, Any]]
"""A channel's id -> the answer of conversations.info; raises DeliveryError."""


class _Seen(NamedTuple):
    shared: bool
    asked_at: datetime
    good_for: timedelta


class SharedRooms:
    """Remembers which channels are shared; safe to use from several threads."""

    def __init__(self, ask: AskInfo) -> None:
        """Ask nothing yet."""
        self._ask = ask
        self._seen: dict[str, _Seen] = {}
        self._lock = threading.Lock()

    def may_be_shared(self, channel: str, now: datetime) -> bool:
        """Return whether people of another company read this channel, or nobody can say.

        A person's id ("U…") stands for a direct message with somebody whom the configuration names: that is not shared.
        """
        if channel.startswith(("U", "W")):
            return False
        with self._lock:
            seen = self._seen.get(channel)
        if seen is None or not timedelta(0) <= now - seen.asked_at < seen.good_for:
            seen = self._look(channel, now)
        return seen.shared

    def _look(self, channel: str, now: datetime) -> _Seen:
        try:
            shared = parse_shared(self._ask(channel))
        except DeliveryError:
            shared = None
        seen = _Seen(shared is not False, now, UNKNOWN_FOR if shared is None else KNOWN_FOR)
        with self._lock:
            if len(self._seen) >= _MOST:
                self._seen.clear()
            self._seen[channel] = seen
        return seen


def parse_shared(answer: Mapping[str, Any]) -> bool | None:
    """Return what conversations.info says: shared with another company or about to be; None: it does not say.

    Workspaces of one company (`is_org_shared`) are no strangers. Source: docs.slack.dev, "Conversation object".
    """
    channel = answer.get("channel")
    if not isinstance(channel, Mapping):
        return None
    if channel.get("is_ext_shared") or channel.get("is_pending_ext_shared") or channel.get("pending_shared"):
        return True
    if channel.get("is_shared") and not channel.get("is_org_shared"):
        return True
    return False if "is_ext_shared" in channel else None
