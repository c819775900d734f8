"""The worker's jobs on a SQLite file of their own: mail in memory, notifiers that record, time moved by hand."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from sqlalchemy import func, select

from alerts import outbox
from alerts.core.model import Answer, AnswerKind, AnswerResult, Channel, Delivery, Purpose
from alerts.core.suppress import Silence
from alerts.delivery.ports import Timing
from alerts.dispatcher import Dispatcher
from monitor.bootstrap import build_services, build_worker
from monitor.config.loader import load_config
from monitor.core.messages import Where
from monitor.jobs.answers import apply_answer
from monitor.jobs.deliver import build_ports
from monitor.jobs.evaluate import evaluate
from monitor.jobs.watch import watch_health
from monitor.parse import wants_mail
from monitor.store import due as due_clocks
from monitor.store.engine import reading, writing
from monitor.store.opening import open_store
from monitor.store.schema import thread
from monitor.store.silences import record_silence
from tests.fakes import FakeWallClock, MemoryMailbox
from tests.fakes_alerts import RecordingNotifier
from tests.support.mails import buyer_mail, seller_reply
from tests.support.weekend_world import CONFIG, POLICY, paris

NOBODY = SimpleNamespace(
    bot_token="xoxb-nobody",
    app_token="",
    api_url="http://127.0.0.1:9/api/",
    account_sid="AC" + "0" * 32,
    auth_token="nobody",
    base_url="http://127.0.0.1:9",
)
LAG = timedelta(seconds=0.3)
TUESDAY = paris("2026-11-17 06:00")
ORDERS = tuple(f"402-{digit * 7}-{digit * 7}" for digit in "123456789")
HOOK = """
[[receiver]]
name = "hook"
type = "webhook"
url = "https://hook.example/1"
"""
"""A webhook."""

BY_RULES = """
[[receiver]]
name = "oncall"
type = "person"
to = ["Ana"]
[[policy]]
name = "default"
[[policy.step]]
remaining = "2h"
notify = ["oncall"]
"""
"""Ana, by her contact rules."""


def alias_of(order: str) -> str:
    """Return the alias that this order's buyer writes from."""
    return f"alias{order[4]}k7c2v9m4x1@marketplace.amazon.fr"


class JobsWorld:
    """See the module. `sent` holds what reached a provider, in order."""

    def __init__(self, folder: Path, now: datetime, *, policy: str = POLICY, changes: Mapping[str, str] | None = None):
        """Build everything at `now`. `changes`: texts of the configuration and what takes their place."""
        self.clock = FakeWallClock(now)
        self.folder = folder
        self.mailbox = MemoryMailbox("support", wants_mail)
        config = CONFIG.format(slack=NOBODY, twilio=NOBODY, policy=policy)
        for old, new in (changes or {}).items():
            assert old in config, old
            config = config.replace(old, new)
        folder.joinpath("config.toml").write_text(config)
        self.sent: list[Delivery] = []
        self.before_send: Callable[[Delivery], None] = lambda delivery: None
        self._events = 0
        self.build()

    def build(self) -> None:
        """Build the jobs on the store as it stands."""
        config = load_config(self.folder / "config.toml", {})
        services = build_services(
            config, open_store(config, self.clock), now=self.clock, with_sources=True, as_worker=True
        )
        self.services = replace(services, sources={"support": self.mailbox})
        self.worker = build_worker(self.services)
        self.policies = self.worker.policies
        self.notifiers = {channel: RecordingNotifier(channel, on_send=self._on_send) for channel in Channel}
        ports = replace(build_ports(self.services, self.worker.book, self.policies), timing=Timing(spacing={}))
        self.worker.dispatcher = Dispatcher(self.services.engine, self.notifiers, ports, self.clock)

    def _on_send(self, delivery: Delivery) -> None:
        self.before_send(delivery)
        self.sent.append(delivery)

    def close(self) -> None:
        """Let go of the file."""
        self.worker.dispatcher.stop(5)
        self.services.engine.dispose()

    def restart(self) -> None:
        """End the worker, and begin again on what is stored."""
        self.close()
        self.build()

    # What happens ----------------------------------------------------------------------------------------------------

    def ask(self, order: str, **changes: Any) -> None:
        """Let a buyer write now; the mail is read."""
        changes.setdefault("alias", alias_of(order))
        self.mail(buyer_mail(self.clock(), order=order, **changes))

    def reply(self, order: str, *, auto: bool = False) -> None:
        """Let a reply lie in Sent; it is read."""
        self.mail(seller_reply(self.clock(), order=order, alias=alias_of(order), auto=auto), Where.SENT)

    def mail(self, content: bytes, where: Where = Where.INBOX) -> None:
        """Let a mail arrive now, and be read."""
        self.mailbox.deliver(content, self.clock(), where)
        self.poll()

    def poll(self) -> None:
        """Read the mailbox."""
        assert self.worker.poll("support").failed is None

    def say(self, kind: AnswerKind, order: str | None = None, by: str = "Bo", **changes: Any) -> AnswerResult:
        """Let somebody say something about an order, as by a button."""
        self._events += 1
        thread_id = None if order is None else self.thread_of(order)
        answer = Answer(
            event_id=f"event-{self._events}",
            kind=kind,
            by=by,
            at=self.clock(),
            source="slack",
            thread_id=thread_id,
            **changes,
        )
        return apply_answer(self.services, self.policies, answer)

    def thread_of(self, order: str) -> int:
        """Return the thread of an order."""
        with reading(self.services.engine) as connection:
            return int(connection.execute(select(thread.c.id).where(thread.c.order_id == order)).scalar_one())

    def silence(self, span: timedelta) -> None:
        """Mute everything for a while, as `replyby silence add` does."""
        now = self.clock()
        with writing(self.services.engine) as connection:
            record_silence(connection, Silence(id=0, author="Bo", comment="strike", starts_at=now, ends_at=now + span))
            due_clocks.wake_clocks(connection, now)

    # Jobs ------------------------------------------------------------------------------------------------------------

    def plan(self) -> None:
        """Plan what is due; send nothing."""
        evaluate(self.services, self.policies)

    def deliver(self) -> None:
        """Send what is due."""
        for _ in range(20):
            self.worker.dispatcher.deliver_due(self.clock(), wait_seconds=60)
            with reading(self.services.engine) as connection:
                if not outbox.due(connection, self.clock()):
                    return
        raise AssertionError("something stays due for ever")

    def cycle(self, *, poll: bool = True) -> list[Delivery]:
        """Poll, plan and deliver; return what was sent by it."""
        before = len(self.sent)
        if poll:
            self.poll()
        watch_health(self.services, self.worker.book)
        self.plan()
        self.deliver()
        return self.sent[before:]

    def until(self, instant: datetime) -> list[Delivery]:
        """Move on to an instant, working wherever something is due; return what was sent on the way."""
        before = len(self.sent)
        while self.clock() < instant:
            self.clock.set(min(self._next_at(), instant))
            self.cycle()
        return self.sent[before:]

    def advance(self, **units: float) -> list[Delivery]:
        """Move on by `hours=…` or `minutes=…`, working; return what was sent."""
        return self.until(self.clock() + timedelta(**units))

    def _next_at(self) -> datetime:
        with reading(self.services.engine) as connection:
            instants: tuple[datetime | None, ...] = (
                outbox.next_due_at(connection),
                due_clocks.next_due_at(connection),
            )
        now = self.clock()
        return min([now + timedelta(hours=1), *(max(at + LAG, now + LAG) for at in instants if at is not None)])

    def waiting(self) -> int:
        """Return how many notifications are not delivered yet, due or not."""
        with reading(self.services.engine) as connection:
            return outbox.stats(connection, self.clock()).pending

    def count(self, table: Any) -> int:
        """Return how many rows a table has."""
        with reading(self.services.engine) as connection:
            return int(connection.execute(select(func.count()).select_from(table)).scalar_one())


def rings(sent: Sequence[Delivery]) -> list[str]:
    """Return what of it rings somebody: "slack team", "sms Ana"; redrawings and news of an end left out."""
    quiet = (Purpose.UPDATE, Purpose.CLOSED)
    return sorted(f"{one.channel} {one.person or one.receiver}" for one in sent if one.purpose not in quiet)


Build = Callable[..., JobsWorld]
