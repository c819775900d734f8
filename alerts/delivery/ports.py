"""What delivering needs to be told by the rest of the house: who is where, what the threads are, what may go out now.

Owns the shapes of these callables and the times of the discipline. Decides nothing.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Protocol, TypeAlias

from sqlalchemy import ColumnElement, Connection

from alerts.core.model import Channel, Notification, ThreadFacts
from alerts.outbox import RecordOutcome, ignore_outcome

WallClock: TypeAlias = Callable[[], datetime]
"""Returns the present instant, aware UTC. Asked between the steps of a send, which takes real time."""

LoadFacts: TypeAlias = Callable[[Connection, Sequence[int], datetime], Mapping[int, ThreadFacts]]
"""Returns the facts at an instant of these clocks, open or closed, by clock id; a clock that was erased is missing."""

StillWanted: TypeAlias = Callable[[Any], ColumnElement[bool]]
"""Given the columns of a notification, returns SQL that is true while its clock is to be alerted about: open, neither
acknowledged nor snoozed. It runs inside the statement that claims the row."""

Hold: TypeAlias = Callable[[Notification, ThreadFacts | None, datetime], datetime | None]
"""Returns the instant until which delivery to this person waits (quiet hours), or None to let it go."""

AllowedAt: TypeAlias = Callable[[Channel, Sequence[datetime], datetime, bool], datetime]
"""Given what this phone got lately (oldest first), now, and whether nobody was told yet of one of the clocks, returns the
first instant at which it may get one more."""

Checkpoint: TypeAlias = Callable[[str], None]
"""Called at each named point of a delivery; tests end the process there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Where a receiver is, as the configuration says now. `secret` is for the webhook's signature."""

    address: str = field(repr=False)
    language: str = "en"
    time_zone: str = "UTC"
    secret: str | None = field(default=None, repr=False)
    external: bool = False


@dataclass(frozen=True, slots=True)
class Target:
    """Somebody to be told: a receiver, how, and which person of it."""

    receiver: str
    channel: Channel
    person: str | None = None


class Directory(Protocol):
    """Who can be reached, and who comes next."""

    def address_of(self, receiver: str, channel: Channel, person: str | None) -> Address | None:
        """Return where to send, or None if the configuration no longer says."""

    def next_after(self, failed: Notification, now: datetime) -> Sequence[Target]:
        """Return who takes over when this could not be delivered, nearest first; those already tried are skipped."""

    def health_targets(self, now: datetime) -> Sequence[Target]:
        """Return who is told of ReplyBy's own troubles."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """The times and counts of the discipline.

    Attributes:
        settle: how long after a doubtful attempt the provider is asked: Slack's history lags a little.
        lease: how long another worker leaves a delivery alone that was begun and not recorded. Longer than a send takes.
        send_bound: the most one send takes: a notifier's own time-out and a margin. With less than this left of the
            lease nothing is sent: another worker may have taken over.
        first_retry, longest_retry: backoff doubles from one to the other; up to half is added at random.
        longest_wait: an instant further ahead than this for a retry means that the system clock was set back.
        max_attempts: 40 attempts take five and a half hours.
        stand_in_after: a page that failed this many times is also sent to the next receiver, while the retries go on.
        page_lookups, notice_lookups: how often the provider is asked before a page is repeated and a notice given up.
        lookup_retry: between two look-ups that failed; doubles.
        spacing: between two messages to one address of a channel (Slack: one a second).
        hold_again: what waits for the end of quiet hours is decided again at least this often.
        check_after: when to ask whether an SMS arrived or a call was taken; the last is repeated until `check_until`.
        call_until: how long after a call began it is asked about: it rings for 40 s and says its words twice.
        give_lane_up: a channel that fails this often in a row is left alone until the next tick.
    """

    settle: timedelta = timedelta(seconds=3)
    lease: timedelta = timedelta(seconds=90)
    send_bound: timedelta = timedelta(seconds=30)
    first_retry: timedelta = timedelta(seconds=2)
    longest_retry: timedelta = timedelta(minutes=10)
    longest_wait: timedelta = timedelta(hours=1)
    max_attempts: int = 40
    stand_in_after: int = 5
    page_lookups: int = 3
    notice_lookups: int = 40
    lookup_retry: timedelta = timedelta(seconds=2)
    spacing: Mapping[Channel, timedelta] = field(default_factory=lambda: {Channel.SLACK: timedelta(seconds=1)})
    hold_again: timedelta = timedelta(minutes=5)
    check_after: tuple[timedelta, ...] = (
        timedelta(seconds=10),
        timedelta(seconds=20),
        timedelta(minutes=1),
        timedelta(minutes=5),
    )
    check_until: timedelta = timedelta(hours=4)
    call_until: timedelta = timedelta(minutes=2)
    give_lane_up: int = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """Everything delivering is given, in one place.

    `owner` is unique to this process. `lineage`: how the names of those owners begin whose end this process can know of;
    "" where the worker's lock proves the end of all of them.
    """

    directory: Directory
    load_facts: LoadFacts
    still_wanted: StillWanted
    hold: Hold
    allowed_at: AllowedAt
    record_outcome: RecordOutcome = ignore_outcome
    timing: Timing = Timing()
    owner: str
    lineage: str = ""


def never_hold(item: Notification, facts: ThreadFacts | None, now: datetime) -> datetime | None:
    """Return None: everything goes at once."""
    return None


def no_limit(channel: Channel, sent: Sequence[datetime], now: datetime, first_alert: bool) -> datetime:
    """Return `now`: no phone is ever spared."""
    return now


def ignore_checkpoint(name: str) -> None:
    """Do nothing."""
