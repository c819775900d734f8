"""Buyer messages -> groups that are one thread each: by order, else by Amazon's token or the case, else by alias."""

from collections import defaultdict
from collections.abc import Iterable, Sequence

from monitor.core.facts import Fact


class Grouped:
    """Buyer messages in groups, with the look-ups that matching needs."""

    def __init__(self, questions: Sequence[Fact]) -> None:
        self.members = group_questions(questions)
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
        """Return the threads of the order that a mail names."""
        if fact.order is None:
            return set()
        return set().union(*(self.by_order.get((account, fact.order), set()) for account in fact.accounts))

    def names_no_order(self, index: int) -> bool:
        """Return whether no message of a thread names an order."""
        return all(message.order is None for message in self.members[index])

    def of_accounts(self, candidates: Iterable[int], fact: Fact) -> set[int]:
        """Return those of these threads that belong to one of the mail's accounts."""
        return {index for index in candidates if set(self.members[index][0].accounts) & set(fact.accounts)}


def group_questions(questions: Sequence[Fact]) -> list[list[Fact]]:
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
