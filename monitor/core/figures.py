"""Each buyer message's own latency -> response-rate figures in Amazon's terms.

Owns how one message is judged and how judgements become figures. Must not know weeks, markets or words.
"""

import math
from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageOutcome:
    """One buyer message and what became of it. Instants are aware UTC.

    `answered_at` is the first genuine reply after it, whichever message that reply was for; `by_hand`: only a person's
    mark says that it was answered. `target` is the one of the clock it belongs to. `order_id` is None where there is no
    order or where it is no longer kept.
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
    order_id: str | None = None

    @property
    def deadline_at(self) -> datetime:
        """The last instant at which an answer is on time."""
        return self.received_at + self.target


class Judgement(StrEnum):
    """What one buyer message counts as. The first three make the rate; the others are in neither part of it."""

    ON_TIME = "on_time"
    LATE = "late"
    NO_RESPONSE = "no_response"
    PENDING = "pending"
    WAIVED = "waived"


MISSED = (Judgement.LATE, Judgement.NO_RESPONSE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """The figures of one set of buyer messages; the field names are those of `replyby report --json`.

    Rates are 0 to 1 and None when there is nothing to judge; the three durations cover answered messages (on time or
    late) and are None when there is none.
    """

    received: int = 0
    on_time: int = 0
    late: int = 0
    no_response: int = 0
    pending: int = 0
    waived: int = 0
    response_rate: float | None = None
    late_response_rate: float | None = None
    average_response_seconds: float | None = None
    median_response_seconds: float | None = None
    p90_response_seconds: float | None = None
    marked_by_hand: int = 0

    @property
    def judged(self) -> int:
        """How many messages the rate is made of."""
        return self.on_time + self.late + self.no_response

    @property
    def missed(self) -> int:
        """How many messages were answered late or not at all."""
        return self.late + self.no_response


def judge(outcome: MessageOutcome, now: datetime) -> Judgement:
    """Return what this message counts as, as things stand at `now`.

    An answer exactly `target` after the arrival is on time, and at that very instant an unanswered message is still
    pending: the rule counts what is *over* the target. Waived means out of the calculation, but an answer given before
    (or at) the waiver counts as an answer.

    Args:
        outcome: its instants are aware UTC.
        now: aware UTC.

    Source: Seller Central help 200549770, "Contact Response Time"; "older than 24 h" for unanswered ones: channelx 2012/07.
    """
    answered_at, waived_at = outcome.answered_at, outcome.waived_at
    if answered_at is not None and (waived_at is None or answered_at <= waived_at):
        return Judgement.ON_TIME if answered_at - outcome.received_at <= outcome.target else Judgement.LATE
    if waived_at is not None:
        return Judgement.WAIVED
    return Judgement.NO_RESPONSE if now - outcome.received_at > outcome.target else Judgement.PENDING


def latency_seconds(outcome: MessageOutcome, judgement: Judgement) -> float | None:
    """Return the seconds from arrival to answer, None unless the message counts as answered."""
    if outcome.answered_at is None or judgement not in (Judgement.ON_TIME, Judgement.LATE):
        return None
    return (outcome.answered_at - outcome.received_at).total_seconds()


class FiguresBuilder:
    """Takes judged messages one by one, in any order; keeps five counts and 8 bytes an answered message."""

    __slots__ = ("_by_hand", "_counts", "_latencies")

    def __init__(self) -> None:
        """Start at nothing."""
        self._counts = dict.fromkeys(Judgement, 0)
        self._latencies = array("d")
        self._by_hand = 0

    def add(self, judgement: Judgement, latency: float | None, by_hand: bool = False) -> None:
        """Count one message. `latency` in seconds: what `latency_seconds` says of it."""
        self._counts[judgement] += 1
        if latency is not None:
            self._latencies.append(latency)
            if by_hand:
                self._by_hand += 1

    def build(self) -> Figures:
        """Return the figures of what was added so far."""
        counts = self._counts
        on_time, late, no_response = (counts[j] for j in (Judgement.ON_TIME, Judgement.LATE, Judgement.NO_RESPONSE))
        judged = on_time + late + no_response
        latencies = sorted(self._latencies)
        return Figures(
            received=sum(counts.values()),
            on_time=on_time,
            late=late,
            no_response=no_response,
            pending=counts[Judgement.PENDING],
            waived=counts[Judgement.WAIVED],
            response_rate=on_time / judged if judged else None,
            late_response_rate=(late + no_response) / judged if judged else None,
            average_response_seconds=math.fsum(latencies) / len(latencies) if latencies else None,
            median_response_seconds=quantile(latencies, 0.5),
            p90_response_seconds=quantile(latencies, 0.9),
            marked_by_hand=self._by_hand,
        )


def quantile(ordered: Sequence[float], share: float) -> float | None:
    """Return the value below which `share` (0 to 1) of the ascending values lie, None if there are none.

    Exact, with a straight line between the two neighbours: what PERCENTILE in a spreadsheet gives, so that a seller can
    check it on the CSV. At 0.5 it is the usual median.
    """
    if not ordered:
        return None
    place = (len(ordered) - 1) * share
    below = math.floor(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (place - below)
