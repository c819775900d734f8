"""What every job is given: the configuration, the store, the people, the time. Built once by bootstrap."""

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING

from sqlalchemy import Connection, Engine

from alerts.core.contact import Directory
from alerts.core.model import Channel
from alerts.core.policy import choose_policy, policy_to_json
from alerts.core.schedule import Schedule
from monitor.config.model import Config, MailboxConfig
from monitor.core.accounts import AccountIdentity
from monitor.core.messages import Message, Where
from monitor.sources.base import MailSource
from monitor.store.clocks import SaveContext
from monitor.store.identifiers import Hasher
from monitor.store.open_threads import FactsContext
from monitor.store.tallies import Tallies
from monitor.wallclock import WallClock

if TYPE_CHECKING:
    from monitor.report.digest import Trouble

Recognise = Callable[[bytes, datetime, Where], Message]
"""A mail's bytes, its INTERNALDATE and its folder's role -> what it means; never raises."""


class Roster:
    """Who can be reached, as it stands: people opt out by SMS while the worker runs."""

    def __init__(self, directory: Directory) -> None:
        """Begin with the configuration's people."""
        self.directory = directory
        self._lock = threading.Lock()

    def replace_schedules(self, schedules: Mapping[str, Schedule]) -> None:
        """Have who is on call follow these from now on."""
        with self._lock:
            self.directory = replace(self.directory, schedules=schedules, _memo={})

    def replace_unreachable(self, unreachable: frozenset[tuple[str, Channel]]) -> None:
        """Have these people left out on these channels from now on."""
        with self._lock:
            self.directory = replace(self.directory, unreachable=unreachable, _memo={})


@dataclass(frozen=True, kw_only=True)
class Services:
    """The worker's surroundings.

    Attributes:
        first_started_at: when this store's worker was first started: what was over by then is history.
        recognise: by mailbox, because each has its own authserv-id.
        sign_ins: by mailbox with OAuth, what says at an instant what will end its sign-in, or None.
        authserv: the authserv-ids found by looking, by mailbox, for those that are configured as "auto".
        look_for_troubles: what `replyby doctor` finds, for the digest; takes seconds, because it asks the providers.
        wake: set when something was planned that should go out at once. stopping: set when the worker ends.
        planning: held by whoever reads a clock's policy and steps and writes what follows from them.
    """

    config: Config
    engine: Engine
    hasher: Hasher
    utc_now: WallClock
    first_started_at: datetime
    roster: Roster
    sources: Mapping[str, MailSource]
    recognise: Mapping[str, Recognise]
    sign_ins: Mapping[str, Callable[[datetime], str | None]] = field(default_factory=dict)
    authserv: dict[str, str] = field(default_factory=dict)
    order_words: Callable[[str, str | None, datetime], Mapping[str, tuple[str, ...]]] | None = None
    holding_reply: Callable[[str, str | None, str | None], str] | None = None
    look_for_troubles: "Callable[[], Sequence[Trouble]] | None" = None
    wake: threading.Event = field(default_factory=threading.Event)
    stopping: threading.Event = field(default_factory=threading.Event)
    planning: threading.Lock = field(default_factory=threading.Lock)

    @property
    def directory(self) -> Directory:
        """Who can be reached, for planning."""
        return self.roster.directory

    @cached_property
    def facts_context(self) -> FactsContext:
        """What facts need besides rows."""
        return FactsContext(
            at_risk=self.config.sla.at_risk,
            several_accounts=len(self.config.accounts) > 1,
            order_words=self.order_words,
            holding_reply=self.holding_reply,
        )

    def identities(self, mailbox: MailboxConfig) -> tuple[AccountIdentity, ...]:
        """Return the accounts that a mailbox serves."""
        accounts = [account for account in self.config.accounts if account.name in mailbox.accounts]
        return tuple(
            AccountIdentity(
                name=account.name,
                merchant_id=account.merchant_id,
                notified_at=frozenset(account.notified_at),
                reply_from=frozenset(account.reply_from),
            )
            for account in accounts
        )

    def save_context(self, now: datetime) -> SaveContext:
        """Return what saving threads needs at `now`."""

        def policy_for(
            account: str, marketplace: str | None, labels: tuple[str, ...], priority: int, text: str | None
        ) -> str:
            chosen = choose_policy(
                self.config.policies,
                account=account,
                marketplace=marketplace,
                labels=labels,
                priority=priority,
                text=text,
            )
            return self._serialised[chosen.name]

        return SaveContext(
            sla=self.config.sla,
            policy_for=policy_for,
            first_started_at=self.first_started_at,
            now=now,
        )

    @cached_property
    def _serialised(self) -> dict[str, str]:
        return {policy.name: policy_to_json(policy) for policy in self.config.policies}


def record_outcome(connection: Connection, receiver: str, channel: str, outcome: str) -> None:
    """Count what became of a notification, in the transaction that records it."""
    tallies = Tallies()
    tallies.add("notifications", receiver, channel, outcome)
    tallies.save(connection)
