"""Messages -> threads and their SLA clocks, whatever the order in which the mails came.

`resolve_threads` is a pure function of a set of facts: the same mails and marks give the same clocks however often and in
whatever order they arrived. Identifiers are opaque keyed hashes, so that a thread can be resolved again after the alias and
the order number themselves were erased.

The rules: a thread is all messages on one order; without an order, all that carry one of Amazon's thread tokens or one case
of one alias. A clock starts at the oldest unanswered buyer message, stops at the first genuine reply after it, is waived by
a person, and runs on from where it was when the reply turns out not to have been delivered. What could belong to several
threads closes none of them and is shown to a person.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from monitor.core.messages import Authenticity, Kind

COPY_REACHES_BACK = timedelta(days=7)
"""A confirmation copy without order or alias is matched by name to questions at most this old."""

REFUSAL_REACHES_BACK = timedelta(days=7)
"""A delivery failure that names only an alias undoes the last reply to it, if that is at most this old."""

REFUSAL_SLACK = timedelta(minutes=10)
"""How far the date of a refused message in Amazon's notice may lie before the reply's own date."""


class Route(StrEnum):
    """How a reply was seen."""

    MAIL = "mail"
    SELLER_CENTRAL = "seller_central"
    HAND = "hand"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """One stored mail, reduced to what threads are made of. Hashes are of one account's values or of addresses.

    Attributes:
        id: the store's row; key: the mail's own identity, the same however often it is stored: breaks ties.
        accounts: whose it is; a reply in a Sent folder that serves several accounts may have several.
        references: hashes of Message-IDs that a reply cites or a delivery failure names.
        trusted: may stop a clock (a mail in Sent, a proven copy).
        spoken_for: a person said that this mail belongs to the thread of that buyer message (its id).
    """

    id: int
    key: int
    kind: Kind
    received_at: datetime
    accounts: tuple[str, ...]
    marketplace: str | None = None
    alias: int | None = None
    suffix: int | None = None
    order: int | None = None
    token: int | None = None
    name: int | None = None
    message: int | None = None
    references: tuple[int, ...] = ()
    refused_at: datetime | None = None
    trusted: bool = True
    authenticity: Authenticity = Authenticity.UNKNOWN
    excluded: bool = False
    spoken_for: int | None = None


class MarkKind(StrEnum):
    """What a person says of a thread."""

    ANSWERED = "answered"
    WAIVED = "waived"


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """A person's word on the thread that holds the buyer message `message_id`; covers what was received until `at`."""

    id: int
    kind: MarkKind
    message_id: int
    at: datetime
    by: str


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
    `assigned`: which thread (by its oldest buyer message) a reply or copy belongs to. `undone`: replies that did not arrive.
    """

    threads: tuple[ResolvedThread, ...]
    ties: Mapping[int, tuple[int, ...]] = field(default_factory=dict)
    assigned: Mapping[int, int] = field(default_factory=dict)
    undone: frozenset[int] = frozenset()


@dataclass(slots=True)
class _Stop:
    """Something that ends waits in one thread: covers what came before `at` (and at it, if `inclusive`)."""

    at: datetime
    key: int
    inclusive: bool
    route: Route
    by: str | None
    id: int | None

    def covers(self, message: Fact) -> bool:
        return message.received_at < self.at or (self.inclusive and message.received_at == self.at)


class _Threads:
    """Buyer messages in groups, with the look-ups that matching needs."""

    def __init__(self, questions: Sequence[Fact]) -> None:
        self.members = _group_questions(questions)
        self.of_message: dict[int, int] = {}
        self.by_rfc: dict[int, set[int]] = defaultdict(set)
        self.by_suffix: dict[tuple[int, int], set[int]] = defaultdict(set)
        self.by_order: dict[tuple[str, int], set[int]] = defaultdict(set)
        self.by_alias: dict[int, set[int]] = defaultdict(set)
        self.by_name: dict[tuple[str, int], set[int]] = defaultdict(set)
        for index, messages in enumerate(self.members):
            for message in messages:
                self.of_message[message.id] = index
                if message.message is not None:
                    self.by_rfc[message.message].add(index)
                if message.alias is not None:
                    self.by_alias[message.alias].add(index)
                    if message.suffix is not None:
                        self.by_suffix[message.alias, message.suffix].add(index)
                for account in message.accounts:
                    if message.order is not None:
                        self.by_order[account, message.order].add(index)
                    if message.name is not None:
                        self.by_name[account, message.name].add(index)

    def with_order(self, fact: Fact) -> set[int]:
        if fact.order is None:
            return set()
        return set().union(*(self.by_order.get((account, fact.order), set()) for account in fact.accounts))

    def of_accounts(self, candidates: Iterable[int], fact: Fact) -> set[int]:
        return {index for index in candidates if set(self.members[index][0].accounts) & set(fact.accounts)}


def resolve_threads(facts: Iterable[Fact], marks: Iterable[Mark] = ()) -> Resolution:
    """Return the threads and clocks that these mails and marks amount to.

    Args:
        facts: mails of any kind in any order; each `id` once. All mails that could belong together must be given.
        marks: what persons said, in any order; revoked ones left out.

    Returns:
        Threads in order of their first message; instants as given, aware UTC.
    """
    ordered = sorted(facts, key=lambda fact: (fact.received_at, fact.key))
    threads = _Threads([fact for fact in ordered if fact.kind is Kind.BUYER_MESSAGE and not fact.excluded])
    replies = [fact for fact in ordered if fact.kind in (Kind.SELLER_REPLY, Kind.CONFIRMATION_COPY) and fact.trusted]
    failures = [fact for fact in ordered if fact.kind is Kind.DELIVERY_FAILURE]
    hand: dict[int, list[Mark]] = defaultdict(list)
    for mark in sorted(marks, key=lambda mark: (mark.at, mark.id)):
        if mark.message_id in threads.of_message:
            hand[threads.of_message[mark.message_id]].append(mark)

    stops, ties, assigned = _assign_replies(threads, replies, hand)
    undone = _undone_replies(threads, replies, assigned, failures) if failures else frozenset()
    if undone:
        kept = [reply for reply in replies if reply.id not in undone]
        stops, ties, assigned = _assign_replies(threads, kept, hand)
    return Resolution(
        threads=tuple(
            _thread(messages, stops.get(index, []), hand.get(index, [])) for index, messages in enumerate(threads.members)
        ),
        ties={reply: tuple(sorted(threads.members[index][0].id for index in tied)) for reply, tied in ties.items()},
        assigned={reply: threads.members[index][0].id for reply, index in assigned.items()},
        undone=undone,
    )


def _group_questions(questions: Sequence[Fact]) -> list[list[Fact]]:
    """Group buyer messages into threads, oldest first: by order, else by token or case, else by alias."""
    groups: dict[tuple[object, ...], list[Fact]] = {}
    orders_of: dict[tuple[object, ...], set[tuple[object, ...]]] = defaultdict(set)
    for message in questions:
        if message.order is None:
            continue
        group = (message.accounts, "order", message.order)
        groups.setdefault(group, []).append(message)
        for link in _links(message):
            orders_of[link].add(group)
        if message.alias is not None:
            orders_of[message.accounts, "alias", message.alias].add(group)

    # Without an order: join the one order its token or case is known to belong to; else gather by shared links.
    loose: list[Fact] = []
    for message in questions:
        if message.order is not None:
            continue
        links = _links(message)
        known = {group for link in links for group in orders_of.get(link, ())}
        if not links and message.alias is not None:
            known = orders_of.get((message.accounts, "alias", message.alias), set())
        if len(known) == 1:
            groups[next(iter(known))].append(message)
        else:
            loose.append(message)
    for gathered in _connected(loose):
        groups[("loose", gathered[0].id)] = gathered
    result = [sorted(members, key=lambda fact: (fact.received_at, fact.key)) for members in groups.values()]
    return sorted(result, key=lambda members: (members[0].received_at, members[0].key))


def _links(message: Fact) -> list[tuple[object, ...]]:
    """Return what ties an orderless message to others: Amazon's thread token, and the case of its alias."""
    links: list[tuple[object, ...]] = []
    if message.token is not None:
        links.append((message.accounts, "token", message.token))
    if message.alias is not None and message.suffix is not None:
        links.append((message.accounts, "case", message.alias, message.suffix))
    return links


def _connected(messages: Sequence[Fact]) -> list[list[Fact]]:
    """Return the groups of orderless messages that share a link; those without any link gather by alias."""
    parent = {message.id: message.id for message in messages}

    def root(node: int) -> int:
        while parent[node] != node:
            parent[node] = parent[parent[node]]
            node = parent[node]
        return node

    first: dict[tuple[object, ...], int] = {}
    for message in messages:
        links = _links(message)
        if not links and message.alias is not None:
            links = [(message.accounts, "alias", message.alias)]
        for link in links:
            parent[root(message.id)] = root(first.setdefault(link, message.id))
    groups: dict[int, list[Fact]] = defaultdict(list)
    for message in messages:
        groups[root(message.id)].append(message)
    return list(groups.values())


def _assign_replies(
    threads: _Threads, replies: Sequence[Fact], hand: Mapping[int, Sequence[Mark]]
) -> tuple[dict[int, list[_Stop]], dict[int, set[int]], dict[int, int]]:
    """Return per thread its stops in time order, the ties, and the thread of each reply that has one.

    Replies are taken in time order, because "the alias's only open thread" depends on what was answered before.
    """
    stops: dict[int, list[_Stop]] = {
        index: [
            _Stop(at=mark.at, key=mark.id, inclusive=True, route=Route.HAND, by=mark.by, id=None)
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
        stops.setdefault(index, []).append(
            _Stop(
                at=cited_at if late_question and cited_at is not None else reply.received_at,
                key=reply.key,
                inclusive=late_question,
                route=Route.MAIL if reply.kind is Kind.SELLER_REPLY else Route.SELLER_CENTRAL,
                by=None,
                id=reply.id,
            )
        )
    for of_thread in stops.values():
        of_thread.sort(key=lambda stop: (stop.at, not stop.inclusive, stop.key))
    return stops, ties, assigned


def _candidates(
    threads: _Threads, reply: Fact, stops: Mapping[int, Sequence[_Stop]], hand: Mapping[int, Sequence[Mark]]
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
        at = max(message.received_at for index in chosen for message in threads.members[index] if message.message == nearest)
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
        still_open = {index for index in of_alias if _is_open(threads.members[index], stops, hand, index, reply.received_at)}
        if still_open or reply.order is not None:
            return still_open, None
        return (of_alias if len(of_alias) == 1 else set()), None
    if reply.kind is Kind.CONFIRMATION_COPY and reply.order is None and reply.name is not None:
        return _named(threads, reply), None
    return set(), None


def _named(threads: _Threads, copy: Fact) -> set[int]:
    """Return the threads of that name whose last question came before the copy and not long before."""
    found = set()
    for account in copy.accounts:
        for index in threads.by_name.get((account, copy.name or 0), ()):
            earlier = [m for m in threads.members[index] if m.received_at < copy.received_at]
            if not earlier or copy.received_at - earlier[-1].received_at > COPY_REACHES_BACK:
                continue
            if copy.marketplace is not None and earlier[-1].marketplace not in (None, copy.marketplace):
                continue
            found.add(index)
    return found


def _is_open(
    messages: Sequence[Fact],
    stops: Mapping[int, Sequence[_Stop]],
    hand: Mapping[int, Sequence[Mark]],
    index: int,
    at: datetime,
) -> bool:
    """Return whether a buyer message waits in this thread just before `at`."""
    ended = [stop for stop in stops.get(index, ()) if stop.at < at]
    waived = [mark.at for mark in hand.get(index, ()) if mark.kind is MarkKind.WAIVED and mark.at < at]
    for message in messages:
        if message.received_at >= at:
            continue
        if any(stop.covers(message) for stop in ended) or any(message.received_at <= instant for instant in waived):
            continue
        return True
    return False


def _undone_replies(
    threads: _Threads, replies: Sequence[Fact], assigned: Mapping[int, int], failures: Sequence[Fact]
) -> frozenset[int]:
    """Return the replies that delivery failures and opt-out notices take back: each takes back one."""
    undone: set[int] = set()
    by_rfc: dict[int, Fact] = {reply.message: reply for reply in replies if reply.message is not None}
    for failure in failures:
        named = next((by_rfc[reference] for reference in failure.references if reference in by_rfc), None)
        if named is not None:
            undone.add(named.id)
            continue
        concerned = set(threads.with_order(failure))
        if failure.order is None and failure.alias is not None:
            concerned |= threads.by_alias.get(failure.alias, set())
        until = failure.received_at if failure.refused_at is None else failure.refused_at + REFUSAL_SLACK
        until = min(until, failure.received_at)
        fitting = [
            reply
            for reply in replies
            if reply.id not in undone
            and until - REFUSAL_REACHES_BACK <= reply.received_at <= until
            and _concerns(failure, reply, assigned, concerned)
        ]
        if fitting:
            undone.add(fitting[-1].id)
    return frozenset(undone)


def _concerns(failure: Fact, reply: Fact, assigned: Mapping[int, int], concerned: Collection[int]) -> bool:
    """Return whether a failure that names no Message-ID can be about this reply."""
    if failure.alias is not None and reply.alias is not None:
        return failure.alias == reply.alias and (
            failure.order is None or reply.order is None or failure.order == reply.order
        )
    if failure.order is not None and reply.order is not None:
        return failure.order == reply.order
    return assigned.get(reply.id) in concerned


def _thread(messages: Sequence[Fact], stops: Sequence[_Stop], marks: Sequence[Mark]) -> ResolvedThread:
    """Return the thread with its clocks: consecutive messages that the same event closed are one wait."""
    waivers = [mark for mark in marks if mark.kind is MarkKind.WAIVED]
    clocks: list[ResolvedClock] = []
    current: list[Fact] = []
    ended_by: tuple[_Stop | None, Mark | None] = (None, None)
    for message in messages:
        stop = next((stop for stop in stops if stop.covers(message)), None)
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


def _clock(messages: Sequence[Fact], stop: _Stop | None, waiver: Mark | None) -> ResolvedClock:
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
