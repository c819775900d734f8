"""A whole worker inside the process: its time is moved by hand, its mailbox is memory, Slack and Twilio are stand-ins.

`World.heard()` lists every message that reached a stand-in since it was last asked, so that a test can compare all of them:
what nobody expected is a failure.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from xml.etree import ElementTree
from zoneinfo import ZoneInfo

from sqlalchemy import func, select

from alerts import outbox
from alerts.core.suppress import Silence
from alerts.tables import DeliveryStatus, delivery
from monitor.bootstrap import build_services, build_worker
from monitor.config.loader import load_config
from monitor.core.messages import Where
from monitor.jobs.digest import send_due_digest
from monitor.jobs.services import Services
from monitor.jobs.watch import watch_health
from monitor.parse import wants_mail
from monitor.store import due as due_clocks
from monitor.store.engine import reading, writing
from monitor.store.opening import open_store
from monitor.store.silences import record_silence
from monitor.worker import Worker
from tests.fakes import FakeWallClock, MemoryMailbox
from tests.support.databases import SQLITE
from tests.support.fault_server import Call
from tests.support.slack_server import SlackServer
from tests.support.twilio_server import TwilioServer

PARIS = ZoneInfo("Europe/Paris")
ANA, BO, CY = "+33600000001", "+33600000002", "+33600000003"
NAMES = {ANA: "Ana", BO: "Bo", CY: "Cy", "U0123": "Ana", "U0456": "Bo"}
LONGEST_STEP = timedelta(minutes=15)
SECOND = timedelta(seconds=1)
LAG = timedelta(seconds=0.3)
"""A tick comes up to a second after what it finds due."""

ROUNDS = 30
USUAL_BUTTONS = ["I have it", "Answered", "No response needed", "Snooze 1 h", "Open in Seller Central ↗"]
USUAL_STARTS = ("✍️", "⚠️ Not seen answered", "Waiting since", "Asked ")

CONFIG = """
[worker]
database = "sqlite:///replyby.db"
time_zone = "Europe/Paris"
health_notify = ["team"]

[[account]]
name = "acme-eu"
notified_at = ["support@acme.example"]
reply_from = ["support@acme.example"]

[[mailbox]]
name = "support"
type = "maildir"
path = "mail"
sent_path = "sent"
authserv_id = "mx.acme.example"

[slack]
bot_token = "{slack.bot_token}"
app_token = "{slack.app_token}"
api_url = "{slack.api_url}"

[twilio]
account_sid = "{twilio.account_sid}"
auth_token = "{twilio.auth_token}"
from = "+15005550006"
api_url = "{twilio.base_url}"

[[person]]
name = "Ana"
phone = "+33600000001"
slack_user = "U0123"

[[person]]
name = "Bo"
phone = "+33600000002"
slack_user = "U0456"

[[person]]
name = "Cy"
phone = "+33600000003"
quiet = "22:00-07:00"

[[receiver]]
name = "team"
type = "slack"
channel = "C0123"

[[receiver]]
name = "lead"
type = "sms"
to = ["Cy"]

[[receiver]]
name = "oncall-sms"
type = "sms"
schedule = "primary"

[[receiver]]
name = "oncall-voice"
type = "voice"
schedule = "primary"

[[schedule]]
name = "primary"
time_zone = "Europe/Paris"
rotation = ["Ana", "Bo"]
starts = 2026-11-16
handover = "mon 09:00"

[[staffed]]
days = "mon-fri"
from = "09:00"
to = "18:00"
time_zone = "Europe/Paris"
{policy}
"""

POLICY = """
[[policy]]
name = "default"
acknowledgement_expires = "2h"
[[policy.step]]
remaining = "8h"
notify = ["team", "lead"]
[[policy.step]]
remaining = "2h"
notify = ["oncall-sms"]
repeat_every = "30m"
[[policy.step]]
remaining = "45m"
notify = ["oncall-sms", "oncall-voice"]
[[policy.step]]
remaining = "0s"
notify = ["team", "oncall-sms"]
[policy.look_ahead]
before_end_of_shift = "90m"
notify = ["team"]
"""


def paris(text: str) -> datetime:
    """Return the instant of a Paris local time written as 2026-11-20 16:30."""
    return datetime.fromisoformat(text).replace(tzinfo=PARIS).astimezone(UTC)


@dataclass
class World:
    """A worker and everything around it."""

    clock: FakeWallClock
    slack: SlackServer
    twilio: TwilioServer
    mailbox: MemoryMailbox
    folder: Path
    config: str
    worker: Worker = field(init=False)
    seen: dict[str, int] = field(default_factory=lambda: {"slack": 0, "twilio": 0})
    log: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Write the configuration and build the worker."""
        self.folder.joinpath("config.toml").write_text(self.config)
        self.build()

    def build(self) -> None:
        """Build a worker on the store as it stands: what a restart does."""
        config = load_config(self.folder / "config.toml", {})
        store = open_store(config, self.clock)
        services = build_services(config, store, now=self.clock, with_sources=True, as_worker=True)
        self.worker = build_worker(replace(services, sources={"support": self.mailbox}))

    def restart(self) -> None:
        """End the worker and build another one on what it stored."""
        self.close()
        self.build()

    def close(self) -> None:
        """Let go of threads and files."""
        self.worker.stop.set()
        for listener in self.worker.listeners.values():
            listener.stop()
        self.worker.dispatcher.stop(5)
        self.services.engine.dispose()

    @property
    def services(self) -> Services:
        """The worker's surroundings."""
        return self.worker.services

    # What happens outside --------------------------------------------------------------------------------------------

    def mail(self, content: bytes, where: Where = Where.INBOX) -> None:
        """Let a mail arrive now, and be read."""
        self.mailbox.deliver(content, self.clock(), where)
        self.step()

    def text(self, phone: str, body: str) -> None:
        """Let somebody text us, and be read."""
        self.twilio.inbound(phone, body)
        self.step()

    def press(self, action: str, user: str, said: str | None = None) -> None:
        """Let somebody press a button on the newest message that has it, over the WebSocket; wait until it was answered."""
        count = len(self.slack.ephemerals)
        self.slack.press(f"replyby_{action}", user=user)
        assert self.slack.wait_for_ephemeral(count + 1), f"{action} by {user} was not answered"
        self.step()

    def silence(self, span: timedelta) -> None:
        """Mute everything for a while, as `replyby silence add` does beside the worker."""
        now = self.clock()
        silence = Silence(id=0, author="Bo", comment="carrier strike", starts_at=now, ends_at=now + span)
        with writing(self.services.engine) as connection:
            record_silence(connection, silence)
            due_clocks.wake_clocks(connection, now)
        self.step()

    # Time ------------------------------------------------------------------------------------------------------------

    def until(self, instant: datetime) -> None:
        """Move on to an instant, stopping wherever something is due and every quarter of an hour."""
        while self.clock() < instant:
            self.clock.set(min(self._next_at(), instant + LAG))
            self.step()

    def step(self) -> None:
        """Do at this instant what the scheduler's jobs do, until nothing more can go out."""
        worker, services = self.worker, self.services
        assert worker.poll("support").failed is None
        worker.listeners["sms"].poll()
        watch_health(services, worker.book)
        send_due_digest(services, worker.book)
        worker.dispatcher.check_delivered(self.clock())
        for _ in range(ROUNDS):
            worker.dispatcher.reconcile(self.clock(), wait_seconds=60)
            worker.cycle()
            if not self._left():
                break
            self.clock.advance(SECOND)  # Slack takes one message a second for each channel
        else:
            raise AssertionError(f"never done: {self._left()}")
        self._listen()

    def _left(self) -> Sequence[Any]:
        with reading(self.services.engine) as connection:
            return outbox.due(connection, self.clock())

    def _next_at(self) -> datetime:
        with reading(self.services.engine) as connection:
            checks = connection.scalar(
                select(func.min(delivery.c.check_at)).where(delivery.c.status == DeliveryStatus.SENT)
            )
            instants: tuple[datetime | None, ...] = (
                outbox.next_due_at(connection),
                due_clocks.next_due_at(connection),
                checks,
            )
        now = self.clock()
        return min([now + LONGEST_STEP, *(max(at + LAG, now + SECOND) for at in instants if at is not None)])

    # What was heard --------------------------------------------------------------------------------------------------

    def heard(self) -> list[str]:
        """Return every message since the last time this was asked: when, where to, what."""
        self._listen()
        heard, self.log = self.log, []
        return heard

    def _listen(self) -> None:
        local = self.clock().astimezone(PARIS)
        at = f"{local:%a %H:%M}"
        with self.slack.lock:
            calls = self.slack.requests[self.seen["slack"] :]
            self.seen["slack"] += len(calls)
        with self.twilio.lock:
            more = self.twilio.requests[self.seen["twilio"] :]
            self.seen["twilio"] += len(more)
        # Channels are delivered side by side: within one step there is no order between them.
        self.log += sorted(f"{at} {line}" for call in (*calls, *more) if (line := _heard(call)))


def _heard(call: Call) -> str | None:
    params = call.params
    if call.name == "chat.postMessage":
        if params.get("thread_ts"):
            return f"Slack rings: {params['text']}"
        return f"Slack: {_drawn(params)}"
    if call.name == "chat.update":
        return f"Slack now shows: {_drawn(params)}"
    if call.name == "chat.postEphemeral":
        return f"Slack to {NAMES[str(params['user'])]} alone: {params['text']}"
    if call.name == "messages.create":
        return f"SMS to {NAMES[str(params['To'])]}: {_without_mark(str(params['Body']))}"
    if call.name == "calls.create":
        return f"Call to {NAMES[str(params['To'])]}: {_spoken(str(params['Twiml']))}"
    return None


def _drawn(params: Mapping[str, Any]) -> str:
    """Return what a person reads: the title, which thread, who has it and what comes next, and unusual buttons.

    What never changes in these stories is left out: since when, the usual buttons, the link of the holding reply.
    """
    parts: list[str] = []
    for block in params.get("blocks") or ():
        if block["type"] == "header":
            parts.append(block["text"]["text"])
        elif block["type"] == "section":
            parts += block["text"]["text"].split("\n")
        elif block["type"] == "context":
            parts.append(block["elements"][0]["text"])
        elif block["type"] == "actions":
            names = [element["text"]["text"] for element in block["elements"]]
            parts += [] if names == USUAL_BUTTONS else [f"[{name}]" for name in names]
    return " | ".join(part for part in parts or [str(params["text"])] if not part.startswith(USUAL_STARTS))


def _without_mark(body: str) -> str:
    """Return an SMS in one line, without the mark by which it is found again."""
    assert len(body) <= 160, body
    return re.sub(r" #[2-9b-z]{4}$", "", body).replace("\n", " | ")


def _spoken(twiml: str) -> str:
    sentences = [element.text or "" for element in ElementTree.fromstring(twiml).iter("Say")]
    return " ".join(sentences[: len(sentences) // 2])


@contextmanager
def weekend_world(
    folder: Path, now: datetime, *, policy: str = POLICY, listening: bool = True, database: str = SQLITE
) -> Iterator[World]:
    """Give a worker at `now`, first started then, with Socket Mode connected."""
    clock = FakeWallClock(now)
    with SlackServer(clock=clock) as slack, TwilioServer(clock=clock) as twilio:
        mailbox = MemoryMailbox("support", wants_mail)
        config = CONFIG.format(slack=slack, twilio=twilio, policy=policy).replace(SQLITE, database)
        world = World(clock, slack, twilio, mailbox, folder, config)
        try:
            if listening:
                world.worker.listeners["slack"].start()
                assert slack.wait_for_socket()
            world.worker.read_all(lambda line: None)
            world.step()
            yield world
        finally:
            world.close()
