"""Messages -> threads and their SLA clocks, whatever the order in which the mails came.

`resolve_threads` is a pure function of a set of facts: the same mails and marks give the same clocks however often and in
whatever order they arrived.

The rules: a thread is all messages on one order; without an order, all that carry one of Amazon's thread tokens or one case
of one alias. A clock starts at the oldest unanswered buyer message, stops at the first genuine reply after it, is waived by
a person, and runs on from where it was when the reply turns out not to have been delivered. What could belong to several
threads closes none of them and is shown to a person.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from monitor.core.facts import Fact, Mark, MarkKind, Route
from monitor.core.grouping import Grouped
from monitor.core.matching import Stop, assign_replies, first_covering, undone_replies
from monitor.core.messages import Authenticity, Kind


@dataclass(frozen=True, slots=True, kw_only=True)
class ResolvedClock:
    """One wait: the buyer messages it covers, oldest first, and how it ended, if it did."""

    message_ids: tuple[int, ...]
    started_at: datetime
    answered_at: datetime | None = None
    answered_route: Route | None = None
    answered_by: str | None = None
    answer_id: int | None = None
    waived_at: datetime | None = None
    waived_by: str | None = None
    verified: bool = True

    @property
    def closed_at(self) -> datetime | None:
        """When it stopped running; None while it runs."""
        return self.answered_at if self.waived_at is None else self.waived_at


@dataclass(frozen=True, slots=True, kw_only=True)
class ResolvedThread:
    """All messages with one buyer on one matter, oldest first, and its clocks in order."""

    message_ids: tuple[int, ...]
    clocks: tuple[ResolvedClock, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolution:
    """What a set of mails and marks amounts to.

    `ties`: replies and copies that fit several threads, with the oldest buyer message of each; they close nothing.
    `assigned`: which thread (by its oldest buyer message) a reply, a copy or the report of one that did not arrive belongs to.
    `undone`: replies that did not arrive.
    """

    threads: tuple[ResolvedThread, ...]
    ties: Mapping[int, tuple[int, ...]] = field(default_factory=dict)
    assigned: Mapping[int, int] = field(default_factory=dict)
    undone: frozenset[int] = frozenset()


def resolve_threads(facts: Iterable[Fact], marks: Iterable[Mark] = ()) -> Resolution:
    """Return the threads and clocks that these mails and marks amount to.

    Args:
        facts: mails of any kind in any order; each `id` once. All mails that could belong together must be given.
        marks: what persons said, in any order; revoked ones left out.

    Returns:
        Threads in order of their first message; instants as given, aware UTC.
    """
    ordered = sorted(facts, key=lambda fact: (fact.received_at, fact.key))
    threads = Grouped([fact for fact in ordered if fact.kind is Kind.BUYER_MESSAGE and not fact.excluded])
    replies = [fact for fact in ordered if fact.kind in (Kind.SELLER_REPLY, Kind.CONFIRMATION_COPY) and fact.trusted]
    failures = [fact for fact in ordered if fact.kind is Kind.DELIVERY_FAILURE]
    automatic = {fact.message for fact in ordered if fact.kind is Kind.AUTO_REPLY and fact.message is not None}
    hand: dict[int, list[Mark]] = defaultdict(list)
    for mark in sorted(marks, key=lambda mark: (mark.at, mark.id)):
        if mark.message_id in threads.of_message:
            hand[threads.of_message[mark.message_id]].append(mark)

    stops, ties, assigned = assign_replies(threads, replies, hand)
    taken_back = undone_replies(threads, replies, assigned, failures, automatic) if failures else {}
    undone = frozenset(taken_back.values())
    if undone:
        meant = {reply: index for reply, index in assigned.items() if reply in undone}
        kept = [reply for reply in replies if reply.id not in undone]
        stops, ties, assigned = assign_replies(threads, kept, hand)
        assigned |= meant
        assigned |= {report: meant[reply] for report, reply in taken_back.items() if reply in meant}
    return Resolution(
        threads=tuple(
            _thread(messages, stops.get(index, []), hand.get(index, []))
            for index, messages in enumerate(threads.members)
        ),
        ties={reply: tuple(sorted(threads.members[index][0].id for index in tied)) for reply, tied in ties.items()},
        assigned={reply: threads.members[index][0].id for reply, index in assigned.items()},
        undone=undone,
    )


def _thread(messages: Sequence[Fact], stops: Sequence[Stop], marks: Sequence[Mark]) -> ResolvedThread:
    """Return the thread with its clocks: consecutive messages that the same event closed are one wait."""
    waivers = [mark for mark in marks if mark.kind is MarkKind.WAIVED]
    clocks: list[ResolvedClock] = []
    current: list[Fact] = []
    ended_by: tuple[Stop | None, Mark | None] = (None, None)
    for message in messages:
        stop = first_covering(stops, message)
        waiver = next((mark for mark in waivers if message.received_at <= mark.at), None)
        if waiver is not None and stop is not None and stop.at <= waiver.at:
            waiver = None
        if waiver is not None:
            stop = None
        if current and ended_by != (stop, waiver):
            clocks.append(_clock(current, *ended_by))
            current = []
        current.append(message)
        ended_by = (stop, waiver)
    clocks.append(_clock(current, *ended_by))
    return ResolvedThread(message_ids=tuple(message.id for message in messages), clocks=tuple(clocks))


def _clock(messages: Sequence[Fact], stop: Stop | None, waiver: Mark | None) -> ResolvedClock:
    started_at = messages[0].received_at
    return ResolvedClock(
        message_ids=tuple(message.id for message in messages),
        started_at=started_at,
        answered_at=None if stop is None else max(stop.at, started_at),
        answered_route=None if stop is None else stop.route,
        answered_by=None if stop is None else stop.by,
        answer_id=None if stop is None else stop.id,
        waived_at=None if waiver is None else waiver.at,
        waived_by=None if waiver is None else waiver.by,
        verified=any(message.authenticity is not Authenticity.FAILED for message in messages),
    )
