"""Which thread a reply, a confirmation copy or a delivery failure belongs to. What could belong to several belongs to none."""

from bisect import bisect_left, bisect_right, insort
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime, time, timedelta

from monitor.core.facts import Fact, Mark, MarkKind, Route
from monitor.core.grouping import Grouped
from monitor.core.messages import Kind

COPY_REACHES_BACK = timedelta(days=7)
"""A confirmation copy without order or alias is matched by name to questions at most this old."""

REFUSAL_REACHES_BACK = timedelta(days=7)
"""A delivery failure that names only an alias undoes the last reply to it, if that is at most this old."""

REFUSAL_SLACK = timedelta(minutes=10)
"""How far the date of a refused message, where its time is known, may lie before the reply's own date."""

CLOCK_AHEAD = timedelta(hours=1)
"""How far it may lie after: a sender's clock may be ahead, and its mail then counts from the server's instant."""

DAY_BEGINS = timedelta(hours=-14)
DAY_ENDS = timedelta(hours=36)
"""When a day begins and ends, somewhere on earth, from its midnight in UTC: clocks are 14 hours ahead at most, 12 behind."""

COPIES_WITHIN = timedelta(minutes=5)
"""How far the copies of one opt-out notice may lie apart: Amazon sends one to each registered address (229 ms seen)."""


@dataclass(slots=True)
class Stop:
    """Something that ends waits in one thread: covers what came before `at` (and at it, if `inclusive`)."""

    at: datetime
    key: int
    inclusive: bool
    route: Route
    by: str | None
    id: int | None

    @property
    def order(self) -> tuple[datetime, bool, int]:
        """What stops are sorted by: in time; of one instant, those that cover it first."""
        return self.at, not self.inclusive, self.key

    def covers(self, message: Fact) -> bool:
        """Return whether this buyer message is answered by it."""
        return message.received_at < self.at or (self.inclusive and message.received_at == self.at)


def first_covering(stops: Sequence[Stop], message: Fact) -> Stop | None:
    """Return what answers a buyer message first, of stops in order; None while it waits."""
    for search in (bisect_left, bisect_right):  # at the very instant of the message, and after it
        position = search(stops, message.received_at, key=lambda stop: stop.at)
        if position < len(stops) and stops[position].covers(message):
            return stops[position]
    return None


def assign_replies(
    threads: Grouped, replies: Sequence[Fact], hand: Mapping[int, Sequence[Mark]]
) -> tuple[dict[int, list[Stop]], dict[int, set[int]], dict[int, int]]:
    """Return per thread its stops in time order, the ties, and the thread of each reply that has one.

    Replies are taken in time order, because "the alias's only open thread" depends on what was answered before.
    """
    stops: dict[int, list[Stop]] = {
        index: [
            Stop(at=mark.at, key=mark.id, inclusive=True, route=Route.HAND, by=mark.by, id=None)
            for mark in marks
            if mark.kind is MarkKind.ANSWERED
        ]
        for index, marks in hand.items()
    }
    ties: dict[int, set[int]] = {}
    assigned: dict[int, int] = {}
    for reply in replies:
        candidates, cited_at = _candidates(threads, reply, stops, hand)
        if len(candidates) > 1:
            ties[reply.id] = candidates
        if len(candidates) != 1:
            continue
        index = next(iter(candidates))
        assigned[reply.id] = index
        late_question = cited_at is not None and cited_at >= reply.received_at
        stop = Stop(
            at=cited_at if late_question and cited_at is not None else reply.received_at,
            key=reply.key,
            inclusive=late_question,
            route=Route.MAIL if reply.kind is Kind.SELLER_REPLY else Route.SELLER_CENTRAL,
            by=None,
            id=reply.id,
        )
        insort(stops.setdefault(index, []), stop, key=lambda stop: stop.order)
    return stops, ties, assigned


def _candidates(
    threads: Grouped, reply: Fact, stops: Mapping[int, Sequence[Stop]], hand: Mapping[int, Sequence[Mark]]
) -> tuple[set[int], datetime | None]:
    """Return the threads this reply may belong to, strongest evidence first, and when a question it cites came.

    A cited question may carry a slightly later date than its reply, because two servers' clocks made them.
    """
    if reply.spoken_for is not None:
        index = threads.of_message.get(reply.spoken_for)
        return (set() if index is None else {index}), None
    cited = set().union(*(threads.by_rfc.get(reference, set()) for reference in reply.references))
    if cited:
        nearest = next(ref for ref in reply.references if ref in threads.by_rfc)
        chosen = threads.by_rfc[nearest]
        at = max(
            message.received_at for index in chosen for message in threads.members[index] if message.message == nearest
        )
        return set(chosen), at
    if reply.alias is not None and reply.suffix is not None:
        by_case = threads.by_suffix.get((reply.alias, reply.suffix), set())
        if by_case:
            return set(by_case), None
    by_order = threads.with_order(reply)
    if by_order:
        return by_order, None
    if reply.alias is not None:
        of_alias = threads.of_accounts(threads.by_alias.get(reply.alias, ()), reply)
        still_open = {
            index for index in of_alias if is_open(threads.members[index], stops, hand, index, reply.received_at)
        }
        if reply.order is not None:  # it is about another order than those that are known: no answer on them
            return {index for index in still_open if threads.names_no_order(index)}, None
        if still_open:
            return still_open, None
        return (of_alias if len(of_alias) == 1 else set()), None
    if reply.kind is Kind.CONFIRMATION_COPY and reply.order is None and reply.name is not None:
        return _named(threads, reply), None
    return set(), None


def _named(threads: Grouped, copy: Fact) -> set[int]:
    """Return the threads of that name whose last question came before the copy and not long before."""
    found = set()
    for account in copy.accounts:
        for index in threads.by_name.get((account, copy.name or 0), ()):
            last = _newest_before(threads.members[index], copy.received_at)
            if last is None or copy.received_at - last.received_at > COPY_REACHES_BACK:
                continue
            if copy.marketplace is not None and last.marketplace not in (None, copy.marketplace):
                continue
            found.add(index)
    return found


def _newest_before(messages: Sequence[Fact], at: datetime) -> Fact | None:
    """Return the last of a thread's messages, oldest first, that came before `at`."""
    earlier = bisect_left(messages, at, key=lambda message: message.received_at)
    return messages[earlier - 1] if earlier else None


def is_open(
    messages: Sequence[Fact],
    stops: Mapping[int, Sequence[Stop]],
    hand: Mapping[int, Sequence[Mark]],
    index: int,
    at: datetime,
) -> bool:
    """Return whether a buyer message waits in this thread just before `at`.

    What ends the wait of the newest message before `at` ends that of every older one, so only the newest is looked at.
    """
    newest = _newest_before(messages, at)
    if newest is None:
        return False
    stop = first_covering(stops.get(index, ()), newest)
    if stop is not None and stop.at < at:
        return False
    waivers = (mark.at for mark in hand.get(index, ()) if mark.kind is MarkKind.WAIVED)
    return not any(newest.received_at <= instant < at for instant in waivers)


def undone_replies(
    threads: Grouped,
    replies: Sequence[Fact],
    assigned: Mapping[int, int],
    failures: Sequence[Fact],
    automatic: AbstractSet[int],
) -> dict[int, int]:
    """Return which reply each delivery failure or opt-out notice takes back, by id: one, or none.

    A failure that names an automatic reply (`automatic`: their Message-IDs) takes back none: it is about no answer.
    Amazon sends a notice to each registered address. Copies cannot be told from notices about several replies, so failures
    that are alike and come together take back only replies that went out together.
    """
    undone: dict[int, int] = {}
    gone: set[int] = set()
    taken: dict[tuple[object, ...], list[tuple[datetime, datetime]]] = defaultdict(list)
    by_rfc: dict[int, Fact] = {reply.message: reply for reply in replies if reply.message is not None}
    for failure in failures:
        named = next((by_rfc[reference] for reference in failure.references if reference in by_rfc), None)
        if named is not None:
            undone[failure.id] = named.id
            gone.add(named.id)
            continue
        if not automatic.isdisjoint(failure.references):
            continue
        concerned = set(threads.with_order(failure))
        if failure.order is None and failure.alias is not None:
            concerned |= threads.by_alias.get(failure.alias, set())
        since, until = refused_between(failure.refused_at, failure.received_at)
        alike = (failure.accounts, failure.alias, failure.order, failure.refused_at, failure.references)
        for came_at, sent_at in taken[alike]:
            if failure.received_at - came_at <= COPIES_WITHIN:
                since = max(since, sent_at - COPIES_WITHIN)
        fitting = [
            reply
            for reply in replies
            if reply.id not in gone
            and since <= reply.received_at <= until
            and _concerns(failure, reply, assigned, concerned)
        ]
        if fitting:
            undone[failure.id] = fitting[-1].id
            gone.add(fitting[-1].id)
            taken[alike].append((failure.received_at, fitting[-1].received_at))
    return undone


def refused_between(refused_at: datetime | None, received_at: datetime) -> tuple[datetime, datetime]:
    """Return the first and the last instant at which a message that was not delivered can have gone out.

    Args:
        refused_at: what the failure says; midnight UTC stands for a day whose time or zone it does not name.
        received_at: when the failure came.
    """
    if refused_at is None:
        return received_at - REFUSAL_REACHES_BACK, received_at
    if refused_at.time() == time.min:
        since, until = refused_at + DAY_BEGINS, refused_at + DAY_ENDS
    else:
        since, until = refused_at - CLOCK_AHEAD, refused_at + REFUSAL_SLACK
    return since, min(until, received_at)


def _concerns(failure: Fact, reply: Fact, assigned: Mapping[int, int], concerned: Collection[int]) -> bool:
    """Return whether a failure that names no Message-ID can be about this reply."""
    if failure.alias is not None and reply.alias is not None:
        return failure.alias == reply.alias and (
            failure.order is None or reply.order is None or failure.order == reply.order
        )
    if failure.order is not None and reply.order is not None:
        return failure.order == reply.order
    return assigned.get(reply.id) in concerned
