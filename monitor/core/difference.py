"""Our late share beside Amazon's: whether they differ by more than chance and rounding, and what is likely behind it.

Amazon is the only judge that counts. Where it sees more replies than we do, or other messages, the clock does not see
everything. Owns the comparison and the order of the causes; must not word anything.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from alerts.core.words.content import figure_differs
from monitor.core.figures import Figures, MessageOutcome

AMAZON_TARGET = timedelta(hours=24)
"""Amazon's measure (help 200549770), whatever target the seller set for himself."""

DEFAULT_DIFFERENCE = 0.05
FEWEST_JUDGED = 20
"""With fewer messages in a window a single one moves its share by more than the usual difference."""

FEWEST_APART = 3
"""One or two messages may fall on either side of a window's edge."""

EDGES = (timedelta(0), timedelta(days=1), timedelta(days=2))
"""Amazon's report is made some time before it is read, and does not say to which hour its windows reach: ours is counted as
of then, and as of one and two days before. What is nearest to Amazon's decides whether they differ."""

HISTORY_SHARE = 0.9
"""How much of a window has to lie within what was read of the mailbox: a quiet seller's first message may be days into it."""

FRESH = timedelta(days=14)
"""An older figure of Amazon's says nothing about today."""

SILENT_FOR = timedelta(days=7)
SILENT_TIMES = 4
"""Copies or replies have stopped when none came for so long, and for so many times their usual distance."""

OFTEN_JUNK = 0.1
"""With this share of the buyers' mails in the spam folder, copies are likely to be lost there too."""

OVER_AT = 0.8
"""A difference is over when it is down to this share of what is allowed: it is not told and taken back from day to day."""

_DUST = 1e-9


class Likely(StrEnum):
    """What may be behind a difference. The first six hide replies, the last three messages, or make answers of none."""

    COPIES_OFF = (
        "copies_off"  # no copy of a reply made in Seller Central was ever seen: Confirmation Notifications are off
    )
    COPIES_STOPPED = "copies_stopped"  # they came, and come no more
    COPIES_UNDECIDED = "copies_undecided"  # they came, and wait for a person to say which thread they answer
    OTHER_TOOL = "other_tool"  # replies from another tool, whose Sent mail is not read
    COPIES_IN_JUNK = "copies_in_junk"  # Amazon's mails are taken for spam, and copies among them
    MARKED_THERE = "marked_there"  # "No response needed" pressed in Seller Central only
    WAIVED_HERE = "waived_here"  # "No response needed" pressed here only
    MARKED_HERE = "marked_here"  # "Answered" pressed here, and Amazon knows of no reply
    MAIL_MISSING = "mail_missing"  # buyers' mails in the spam folder, or sent elsewhere


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """How often a kind of mail was seen, and when last (aware UTC)."""

    count: int = 0
    last_seen_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Amazon's figure of one account, marketplace and window beside what we know of the same.

    Attributes:
        read_at: when Amazon's figure was read, aware UTC. late_ratio: 0 to 1.
        ours: our figures as of `read_at` less each of `EDGES`.
        known_from: the oldest mail of the account that was read; None: none.
        copies, replies: copies of replies made in Seller Central, and replies in Sent.
        junk: buyer messages of the window that lay in the spam folder.
        undecided: copies of replies that wait for a person's decision.
        amazon_judged: how many messages Amazon's share is of; None where it tells none.
    """

    account: str
    marketplace: str
    window_days: int
    read_at: datetime
    late_ratio: float
    ours: tuple[Figures, ...]
    known_from: datetime | None = None
    copies: Sight = Sight()
    replies: Sight = Sight()
    junk: int = 0
    undecided: int = 0
    amazon_judged: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """That we and Amazon differ. `amazon` and `ours` are late shares (0 to 1); `causes` the most likely first.

    The rest is what the causes rest on: when the last copy came, how many wait for a decision, and how many messages lay in
    the spam folder or were marked by a person.
    """

    account: str
    marketplace: str
    window_days: int
    read_at: datetime
    amazon: float
    ours: float
    causes: tuple[Likely, ...]
    copies_last_at: datetime | None = None
    undecided: int = 0
    junk: int = 0
    waived: int = 0
    marked: int = 0

    @property
    def replies_unseen(self) -> bool:
        """Whether it is replies that we do not see; else messages, or answers that are none to Amazon."""
        return self.ours > self.amazon


def as_counted_at(outcome: MessageOutcome, at: datetime) -> MessageOutcome:
    """Return one message as it stood at an instant (aware UTC), with Amazon's target: to be judged at that instant."""

    def known(instant: datetime | None) -> datetime | None:
        return instant if instant is not None and instant <= at else None

    return replace(
        outcome, target=AMAZON_TARGET, answered_at=known(outcome.answered_at), waived_at=known(outcome.waived_at)
    )


def is_comparable(one: Comparison, now: datetime) -> bool:
    """Return whether the two may be held against each other.

    Enough messages, as much history as Amazon has, and a figure that is not old.
    """
    if now - one.read_at > FRESH or not one.ours or one.known_from is None:
        return False
    begins_at = one.read_at - timedelta(days=one.window_days) * HISTORY_SHARE
    return one.known_from <= begins_at and one.ours[0].judged >= FEWEST_JUDGED


def find_difference(one: Comparison, allowed: float) -> Difference | None:
    """Return the difference of a comparable comparison, None where it is no more than `allowed` (0 to 1) or a few messages."""
    gaps = [_gap(figures, one.late_ratio) for figures in one.ours if figures.judged]
    if not gaps or min(gaps) * max(gaps) <= 0:
        return None  # an hour more or less turns it round: they agree
    ours = one.ours[0]
    nearest = min(abs(gap) for gap in gaps)
    if nearest <= allowed + _DUST or nearest * ours.judged < FEWEST_APART - _DUST:
        return None
    late = ours.late_response_rate or 0.0
    return Difference(
        account=one.account,
        marketplace=one.marketplace,
        window_days=one.window_days,
        read_at=one.read_at,
        amazon=one.late_ratio,
        ours=late,
        causes=rank_causes(one),
        copies_last_at=one.copies.last_seen_at,
        undecided=one.undecided,
        junk=one.junk,
        waived=ours.waived,
        marked=ours.marked_by_hand,
    )


def rank_causes(one: Comparison) -> tuple[Likely, ...]:
    """Return what may be behind a difference, by how much of what was seen speaks for it; at most three."""
    ours = one.ours[0]
    apart = abs(_gap(ours, one.late_ratio)) * ours.judged
    weights = _hidden_replies(one, apart) if _gap(ours, one.late_ratio) > 0 else _other_messages(one, ours, apart)
    order = sorted((weight, cause) for cause, weight in weights.items() if weight)
    places = {cause: place for place, cause in enumerate(Likely)}
    ranked = sorted(order, key=lambda pair: (-pair[0], places[pair[1]]))
    return tuple(cause for _, cause in ranked[:3])


def _hidden_replies(one: Comparison, apart: float) -> dict[Likely, int]:
    """Amazon saw replies that we did not, or takes messages out that we count."""
    never = one.copies.count == 0
    stopped = not never and _silent(one.copies, one)
    return {
        Likely.COPIES_OFF: 3 if never else 0,
        Likely.COPIES_STOPPED: 3 if stopped else 0,
        Likely.COPIES_UNDECIDED: _share(one.undecided, apart),
        Likely.OTHER_TOOL: 2 if _silent(one.replies, one) else 1,
        Likely.COPIES_IN_JUNK: _junk(one),
        Likely.MARKED_THERE: _taken_out(one, apart),
    }


def _taken_out(one: Comparison, apart: float) -> int:
    """Return how likely messages were marked there: Amazon then judges fewer of them; a reply leaves their number as it is."""
    if one.amazon_judged is None:
        return 1
    return 3 if one.ours[0].judged - one.amazon_judged >= apart / 2 else 0


def _junk(one: Comparison) -> int:
    if not one.junk:
        return 0
    return 2 if one.junk >= OFTEN_JUNK * one.ours[0].received else 1


def _other_messages(one: Comparison, ours: Figures, apart: float) -> dict[Likely, int]:
    """Amazon counts messages that we did not see, or that we took for settled."""
    return {
        Likely.WAIVED_HERE: _share(ours.waived, apart),
        Likely.MARKED_HERE: _share(ours.marked_by_hand, apart),
        Likely.MAIL_MISSING: max(1, _junk(one)),
    }


def _share(count: int, apart: float) -> int:
    """Return how much a count of marks explains of so many messages: half of them and more is the best explanation."""
    if not count:
        return 0
    return 3 if count >= apart / 2 else 1


def _silent(sight: Sight, one: Comparison) -> bool:
    """Return whether mails of a kind never came, or have stopped: a rare kind may be away for weeks."""
    if sight.count == 0 or sight.last_seen_at is None:
        return True
    usual = (sight.last_seen_at - (one.known_from or sight.last_seen_at)) / sight.count
    return one.read_at - sight.last_seen_at > max(SILENT_FOR, SILENT_TIMES * usual)


def _gap(figures: Figures, late_ratio: float) -> float:
    return (figures.late_response_rate or 0.0) - late_ratio


def difference_content(name: str, found: Difference) -> dict[str, Any]:
    """Return what is told of a difference about `name`, for the words of the alerts: shares answered in time, and causes."""
    return figure_differs(
        name,
        window_days=found.window_days,
        amazon=1 - found.amazon,
        ours=1 - found.ours,
        causes=[cause.value for cause in found.causes],
        copies_last_at=found.copies_last_at,
        undecided=found.undecided,
        junk=found.junk,
        waived=found.waived,
        marked=found.marked,
    )
