"""What keeps a notification back, each with its reason: silences, inhibition, and the rate of messages to one phone."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NamedTuple

from alerts.core.model import Channel, Notification, Purpose
from alerts.core.policy import Matcher, matches

_WALL_CLOCK_TOLERANCE = timedelta(minutes=5)  # what was sent later than this was sent by a wall clock that ran ahead


@dataclass(frozen=True, slots=True, kw_only=True)
class Silence:
    """A person mutes alerts, never clocks, until a stated end. All that is set must fit a thread.

    Attributes:
        thread_ids, order_ids: these threads only; empty: whatever the matcher fits.
        starts_at, ends_at: from, and until, not including. `expired_at`: ended before its time.
    """

    id: int
    author: str
    comment: str
    starts_at: datetime
    ends_at: datetime
    matcher: Matcher = field(default_factory=Matcher)
    thread_ids: frozenset[int] = frozenset()
    order_ids: frozenset[str] = frozenset()
    expired_at: datetime | None = None

    def active_at(self, now: datetime) -> bool:
        """Return whether it mutes at this instant."""
        return self.starts_at <= now < self.ends_at and (self.expired_at is None or now < self.expired_at)


class Silenced(NamedTuple):
    """Until when a thread is mute, and by which silence: the one that lasts longest."""

    until_at: datetime
    silence_id: int


def silenced_until(
    silences: Sequence[Silence],
    *,
    now: datetime,
    account: str | None = None,
    marketplace: str | None = None,
    labels: Collection[str] = (),
    priority: int = 0,
    thread_id: int | None = None,
    order_id: str | None = None,
    text: str | None = None,
) -> Silenced | None:
    """Return until when a thread is silenced at `now`, and by what; None: it is not."""
    longest: Silenced | None = None
    for silence in silences:
        if not silence.active_at(now):
            continue
        if silence.thread_ids and thread_id not in silence.thread_ids:
            continue
        if silence.order_ids and order_id not in silence.order_ids:
            continue
        if not matches(
            silence.matcher, account=account, marketplace=marketplace, labels=labels, priority=priority, text=text
        ):
            continue
        if longest is None or silence.ends_at > longest.until_at:
            longest = Silenced(silence.ends_at, silence.id)
    return longest


def inhibits(firing: Notification, muted: Notification) -> bool:
    """Return whether one due notification makes another pointless.

    A more urgent alert of a clock (in the end its breach) mutes the less urgent ones of the same clock to the same
    address, because what it says is the same, later. Nothing else mutes: least of all ReplyBy's own troubles, during which
    a breach is still a breach.
    """
    return (
        firing.purpose is Purpose.ALERT
        and muted.purpose is Purpose.ALERT
        and firing.clock_id is not None
        and firing.clock_id == muted.clock_id
        and _rank(firing) > _rank(muted)
        and _address(firing) == _address(muted)
    )


def uninhibited(due: Sequence[Notification]) -> tuple[tuple[Notification, ...], dict[str, str]]:
    """Return those that go out, in their order, and for each muted key the key that muted it."""
    loudest: dict[tuple[int | None, tuple[Channel, str]], Notification] = {}
    for one in due:
        if one.purpose is Purpose.ALERT:
            key = (one.clock_id, _address(one))
            if key not in loudest or _rank(one) > _rank(loudest[key]):
                loudest[key] = one
    kept = []
    muted = {}
    for one in due:
        louder = loudest.get((one.clock_id, _address(one)))
        if louder is not None and inhibits(louder, one):
            muted[one.key] = louder.key
        else:
            kept.append(one)
    return tuple(kept), muted


def _rank(alert: Notification) -> tuple[int, int]:
    return (-1 if alert.step is None else alert.step, alert.occurrence)


def _address(alert: Notification) -> tuple[Channel, str]:
    return (alert.channel, f"person {alert.person}" if alert.person is not None else f"receiver {alert.receiver}")


@dataclass(frozen=True, slots=True, kw_only=True)
class RateLimit:
    """At most `count` messages to one phone in any span of `window`."""

    count: int
    window: timedelta


# GoAlert's, of years of use: often enough to wake, seldom enough that a carrier does not block the sender.
SMS_LIMITS = (
    RateLimit(count=1, window=timedelta(minutes=1)),
    RateLimit(count=5, window=timedelta(minutes=15)),
    RateLimit(count=11, window=timedelta(hours=1)),
    RateLimit(count=21, window=timedelta(hours=3)),
)
VOICE_LIMITS = (
    RateLimit(count=3, window=timedelta(minutes=15)),
    RateLimit(count=7, window=timedelta(hours=1)),
    RateLimit(count=15, window=timedelta(hours=3)),
)
LIMITS = {Channel.SMS: SMS_LIMITS, Channel.VOICE: VOICE_LIMITS}


def allowed_at(
    sent_at: Sequence[datetime], limits: Sequence[RateLimit], now: datetime, *, first_alert: bool = False
) -> datetime:
    """Return when the next message may go to a phone: `now`, or the instant from which all limits allow it.

    What is held back until then goes out as one message with all that is due by then.

    Args:
        sent_at: when messages went to this phone, in any order; the last hours are enough.
        limits: of this channel, the longest window last.
        first_alert: nobody was told of this clock yet. It jumps the queue: only the longest window, the hard cap, holds it.
    """
    recent = sorted(at for at in sent_at if at - now <= _WALL_CLOCK_TOLERANCE)
    allowed = now
    for limit in limits[-1:] if first_alert else limits:
        if len(recent) >= limit.count:
            # The window is open once the oldest of the last `count` has left it.
            allowed = max(allowed, recent[-limit.count] + limit.window)
    return allowed
