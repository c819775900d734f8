"""The invented seller's life: who writes when, about what, and when the answer goes out.

Everything follows from the seed and the instant: the same seed has the same past in every process. Three streams make a
mailbox: usual days, a denser one that is only there while somebody watches, and a few waits that are nearly over.
"""

import string
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from math import exp, log
from random import Random
from typing import TypeAlias

from monitor.core.marketplaces import MARKETPLACES, Marketplace
from monitor.core.messages import Where
from monitor.sources.simulated.words import ENGLISH, ITEMS, NAMES, TEMPLATES, Language

EPOCH = datetime(2025, 1, 1, tzinfo=UTC)
LONGEST = timedelta(days=6)  # from a first question to the last mail of its thread
DENSE_LONGEST = timedelta(hours=8)
MATTERS_PER_DAY = 30.0  # of a usual day at rate 1: questions and notices that begin something
HOURS = (1, 1, 1, 1, 1, 2, 3, 5, 6, 6, 6, 6, 5, 5, 5, 5, 6, 7, 8, 8, 7, 5, 3, 2)  # when buyers write, UTC
MARKET_WEIGHTS = {"US": 9, "DE": 8, "UK": 7, "FR": 7, "IT": 5, "ES": 5, "JP": 4, "CA": 3, "NL": 2}  # others: 1
NOTICE_SHARE = 0.42
RETURN, REFUND, CANCELLATION, CLAIM, SOLD, PAYMENT, NEWSLETTER = range(7)


class Shape(StrEnum):
    """What a mail of the invented mailbox looks like; how it is recognised is not known here."""

    QUESTION = "question"
    FORWARDED = "forwarded"
    OWN_PROGRAM = "own program"
    THANKS = "thanks"
    REPLY = "reply"
    SHORT_REPLY = "short reply"
    AUTO_REPLY = "auto reply"
    COPY = "copy"
    OPT_OUT = "opt out"
    NOTICE = "notice"


@dataclass(frozen=True, slots=True, kw_only=True)
class Matter:
    """One buyer and one thing, from which every mail about it is made."""

    token: str
    market: Marketplace
    language: Language
    arabic: bool
    name: str
    alias: str
    suffix: str
    order: str | None
    topic: str
    item: str
    asin: str
    notice: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One mail: when it arrives, in which folder, and `dated_at`, what its Date says. `step` counts its matter's mails."""

    at: datetime
    where: Where
    shape: Shape
    matter: Matter
    step: int
    dated_at: datetime
    copy: int = 0
    answers: int = 0


def _random(key: str) -> Random:
    return Random(key)  # noqa: S311  # the same past every time is the point


def _letters(rng: Random, alphabet: str, count: int) -> str:
    return "".join(rng.choices(alphabet, k=count))


def invent_matter(rng: Random) -> Matter:
    """Return somebody who does not exist, with something to ask."""
    weights = [MARKET_WEIGHTS.get(market.country, 1) for market in MARKETPLACES]
    market = rng.choices(MARKETPLACES, weights)[0]
    language = TEMPLATES.get(market.country, ENGLISH)
    arabic = market.country in ("AE", "SA", "EG") and rng.random() < 0.5
    topic = rng.choices(("delivery", "damaged", "return", "invoice", "cancel", "product"), (8, 4, 4, 2, 1, 4))[0]
    first = {"JP": "250", "US": "111", "CA": "702", "MX": "701", "BR": "702"}.get(
        market.country, rng.choice(["302", "402", "405"])
    )
    return Matter(
        token=_letters(rng, string.ascii_uppercase + string.digits, 16),
        market=market,
        language=language,
        arabic=arabic,
        name=rng.choice(NAMES["ar" if arabic else language.code[:2]]),
        alias=_letters(rng, string.ascii_lowercase + string.digits, 15),
        suffix=f"{rng.getrandbits(32):08x}" if rng.random() < 0.5 else "",
        order=None if topic == "product" else f"{first}-{rng.randrange(10**7):07d}-{rng.randrange(10**7):07d}",
        topic=topic,
        item=rng.choice(ITEMS),
        asin="B0" + _letters(rng, string.ascii_uppercase + string.digits, 8),
        notice=rng.choices(range(7), (6, 5, 2, 1, 12, 3, 6))[0],
    )


def _usual_delay(rng: Random, asked_at: datetime) -> timedelta:
    """Return how long the seller takes: some hours, longer at the weekend, now and then too long."""
    if rng.random() < 0.03:
        return timedelta(hours=rng.uniform(24.2, 60))
    hours = exp(log(2.5) + rng.gauss(0, 0.9)) * (2.2 if asked_at.weekday() >= 5 else 1)
    return timedelta(hours=min(hours, 23.3))


def _dense_delay(rng: Random, asked_at: datetime) -> timedelta:
    """Return how long it takes while somebody watches: mostly a minute or two, else some hours."""
    if rng.random() < 0.65:
        return timedelta(seconds=rng.uniform(15, 150))
    return timedelta(hours=rng.uniform(0.3, 6))


@dataclass
class _Writer:
    """Collects the mails of one matter."""

    rng: Random
    matter: Matter
    events: list[Event]

    def add(
        self, at: datetime, shape: Shape, where: Where = Where.INBOX, answers: int = 0, late: timedelta | None = None
    ) -> int:
        """Add a mail and return its step."""
        step = self.events[-1].step + 1 if self.events else 0
        dated_at = at - (late or timedelta(seconds=self.rng.uniform(1, 8)))
        self.events.append(
            Event(at=at, where=where, shape=shape, matter=self.matter, step=step, dated_at=dated_at, answers=answers)
        )
        return step

    def repeat(self, copies: int) -> None:
        """Let the last mail come several times, as it does to several notification addresses."""
        last = self.events[-1]
        for copy in range(1, copies):
            at = last.at + timedelta(milliseconds=60 * copy)
            self.events.append(
                Event(at=at, where=last.where, shape=last.shape, matter=last.matter, step=last.step, copy=copy,
                      dated_at=last.dated_at)
            )  # fmt: skip


def _question(writer: _Writer, at: datetime, late: timedelta | None = None) -> int:
    rng = writer.rng
    shape = rng.choices((Shape.QUESTION, Shape.FORWARDED), (50, 1))[0]
    where = Where.JUNK if shape is Shape.QUESTION and rng.random() < 0.03 else Where.INBOX
    step = writer.add(at, shape, where, late=late)
    if rng.random() < 0.1:
        writer.repeat(rng.randint(2, 4))
    return step


def _answer(
    writer: _Writer, asked: int, asked_at: datetime, replied_at: datetime, shape: Shape = Shape.REPLY
) -> datetime:
    """Answer by mail, or in Seller Central, which shows as a confirmation copy."""
    rng = writer.rng
    if rng.random() < 0.03 and replied_at - asked_at > timedelta(minutes=10):
        writer.add(asked_at + timedelta(seconds=20), Shape.AUTO_REPLY, Where.SENT, asked)
    # A copy of a reply before an order names nobody but the buyer, and first names repeat: few of those.
    if rng.random() < (0.72 if writer.matter.order else 0.97):
        writer.add(replied_at, shape, Where.SENT, asked)
        if rng.random() < 0.002:
            writer.add(replied_at + timedelta(minutes=3), Shape.OPT_OUT, answers=asked)
    else:
        writer.add(replied_at, Shape.COPY, answers=asked)
    return replied_at


def _plan_usual(rng: Random, at: datetime) -> list[Event]:
    matter = invent_matter(rng)
    writer = _Writer(rng, matter, [])
    if rng.random() < NOTICE_SHARE:
        writer.add(at, Shape.NOTICE)
        return writer.events
    asked = _question(writer, at)
    if rng.random() < 0.08:
        asked = writer.add(at + timedelta(minutes=rng.uniform(5, 90)), Shape.QUESTION)
    if rng.random() < 0.002:
        return writer.events  # never answered
    replied_at = _answer(writer, asked, at, writer.events[-1].at + _usual_delay(rng, at))
    if rng.random() < 0.15:
        thanked_at = replied_at + timedelta(hours=rng.uniform(0.2, 12))
        again = writer.add(thanked_at, rng.choice((Shape.THANKS, Shape.OWN_PROGRAM)))
        _answer(writer, again, thanked_at, thanked_at + _usual_delay(rng, thanked_at), Shape.SHORT_REPLY)
    return writer.events


def _plan_dense(rng: Random, at: datetime) -> list[Event]:
    writer = _Writer(rng, invent_matter(rng), [])
    draw = rng.random()
    if draw < NOTICE_SHARE:
        writer.add(at, Shape.NOTICE)
    elif draw < 0.52:
        # A mail that Amazon sent long ago and a server held back: its deadline is minutes away.
        asked = writer.add(at, Shape.QUESTION, late=timedelta(hours=rng.choice((15.95, 21.95, 22.95, 23.9, 23.97))))
        if rng.random() < 0.8:
            _answer(writer, asked, at, at + timedelta(minutes=rng.uniform(0.5, 20)))
    else:
        asked = _question(writer, at)
        replied_at = _answer(writer, asked, at, at + _dense_delay(rng, at))
        if rng.random() < 0.1:
            thanked_at = replied_at + timedelta(minutes=rng.uniform(1, 10))
            again = writer.add(thanked_at, Shape.THANKS)
            _answer(writer, again, thanked_at, thanked_at + timedelta(minutes=rng.uniform(1, 30)), Shape.SHORT_REPLY)
    return writer.events


# Time left when somebody begins to watch, and after how long the answer goes out (None: it does not).
STAGED: tuple[tuple[timedelta, timedelta | None], ...] = (
    (timedelta(seconds=35), None),
    (timedelta(minutes=20), timedelta(seconds=50)),
    (timedelta(hours=1, seconds=40), timedelta(minutes=9)),
    (timedelta(hours=2, seconds=20), timedelta(minutes=4)),
    (timedelta(hours=3, minutes=50), None),
    (timedelta(hours=5, minutes=12), timedelta(minutes=2)),
    (timedelta(hours=8, seconds=55), None),
    (timedelta(hours=13), timedelta(minutes=30)),
)


@lru_cache(maxsize=64)
def staged_matters(seed: int, begun_at: datetime) -> tuple[Event, ...]:
    """Return the waits that are nearly over when somebody begins to watch, so that alerts are seen at once."""
    events: list[Event] = []
    for number, (left, answered_after) in enumerate(STAGED):
        rng = _random(f"{seed}/staged/{number}/{begun_at.isoformat()}")
        writer = _Writer(rng, invent_matter(rng), [])
        asked_at = begun_at + left - timedelta(hours=24)
        asked = writer.add(asked_at, Shape.QUESTION, late=timedelta(0))
        if answered_after is not None:
            writer.add(begun_at + answered_after, Shape.REPLY, Where.SENT, asked)
        events += writer.events
    return tuple(events)


@lru_cache(maxsize=8192)
def usual_hour(seed: int, rate: float, hour: int) -> tuple[Event, ...]:
    """Return every mail of the matters that began in this hour since `EPOCH`."""
    rng = _random(f"{seed}/hour/{hour}")
    expected = MATTERS_PER_DAY * rate * HOURS[hour % 24] / sum(HOURS)
    count = int(expected) + (rng.random() < expected % 1)
    begins = EPOCH + timedelta(hours=hour)
    events: list[Event] = []
    for _ in range(count):
        events += _plan_usual(rng, begins + timedelta(seconds=rng.uniform(0, 3600)))
    return tuple(events)


@lru_cache(maxsize=16384)
def dense_slot(seed: int, every: timedelta, slot: int) -> tuple[Event, ...]:
    """Return every mail of the one matter that began in this slot since `EPOCH`."""
    rng = _random(f"{seed}/slot/{slot}")
    return tuple(_plan_dense(rng, EPOCH + every * (slot + rng.random())))


Idle: TypeAlias = tuple[datetime, datetime] | None


@dataclass(frozen=True, slots=True)
class Seller:
    """The invented seller. `every` is the time between two matters while somebody watches; zero: no dense stream."""

    seed: int
    rate: float
    every: timedelta

    def mails_between(self, after: datetime, until: datetime, begun_at: datetime, idle: Idle = None) -> list[Event]:
        """Return the mails that arrive after `after` and not after `until`, in order.

        Args:
            after: exclusive. until: inclusive.
            begun_at: since when somebody watches: the dense stream begins there.
            idle: a time in which nobody watched and no dense matter began.
        """
        events = [event for event in self._candidates(after, until, begun_at, idle) if after < event.at <= until]
        return sorted(events, key=lambda event: (event.at, event.matter.token, event.step, event.copy))

    def _candidates(self, after: datetime, until: datetime, begun_at: datetime, idle: Idle) -> Iterator[Event]:
        yield from staged_matters(self.seed, begun_at)
        first = max(EPOCH, after - LONGEST)
        for hour in range((first - EPOCH) // timedelta(hours=1), (until - EPOCH) // timedelta(hours=1) + 1):
            yield from usual_hour(self.seed, self.rate, hour)
        if self.every <= timedelta(0):
            return
        first = max(begun_at, after - DENSE_LONGEST)
        for slot in range((first - EPOCH) // self.every, (until - EPOCH) // self.every + 1):
            begins = EPOCH + self.every * slot
            if begins >= begun_at and not (idle and idle[0] < begins < idle[1]):
                yield from dense_slot(self.seed, self.every, slot)
