"""A worker's day on a clock moved by hand: the real jobs, a steady stream of mail, and what is measured on the way.

Nothing that the surroundings need grows with time: mails are made when they are asked for, what was sent is forgotten. So
what grows is the worker's.
"""

import ctypes
import functools
import gc
import os
import re
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from urllib.request import urlopen

import structlog
from sqlalchemy import func, select

from alerts.core.model import Channel, Delivery, Receipt
from alerts.delivery.ports import Timing
from alerts.dispatcher import Dispatcher
from alerts.notifiers.base import Notifier
from alerts.tables import delivery, notification
from monitor.assembly import serve_worker
from monitor.bootstrap import build_notifiers, build_recognisers, build_services, build_worker
from monitor.config.loader import load_config
from monitor.core.messages import Where
from monitor.jobs.deliver import build_ports
from monitor.jobs.digest import send_due_digest
from monitor.jobs.housekeeping import forget_in_time
from monitor.jobs.reporting import send_due_reports
from monitor.jobs.watch import watch_health
from monitor.sources.base import Batch, Cursor, MailboxFacts, RawMail
from monitor.store.engine import reading
from monitor.store.opening import open_store
from monitor.store.schema import message
from tests.fakes import FakeWallClock
from tests.support.mails import buyer_mail, return_notice, seller_reply

START = datetime(2026, 11, 24, 0, 0, tzinfo=UTC)
CONFIG = """
[worker]
database = "sqlite:///soak.db"
time_zone = "Europe/Paris"
metrics_listen = "127.0.0.1:0"
{worker}

[[account]]
name = "acme-eu"
notified_at = ["support@acme.example"]
reply_from = ["support@acme.example"]

[[mailbox]]
name = "support"
type = "simulated"

[slack]
bot_token = "xoxb-stand-in-bot"
api_url = "{slack}"

[[receiver]]
name = "team"
type = "slack"
channel = "C0123"

[[policy]]
name = "default"
[[policy.step]]
remaining = "8h"
notify = ["team"]

[digest]
at = "08:30"
to = ["team"]

[report]
at = "tue 08:00"
to = ["team"]
"""
NOWHERE = "http://127.0.0.1:9/api/"
REPLIED_AFTER = timedelta(minutes=40)
LATE = timedelta(hours=17)  # every fourth buyer's mail was on its way for so long: it is told of at once

_NUMBER, _DATE = "402-7654321-0000001", format_datetime(START).encode()
_ALIAS = "s7654321aaaaaaa@marketplace.amazon.fr"
_IDS = {"key": "M7654321", "message_id": "<buyer-7654321@eu-west-1.amazonses.example>", "name": "Zoe Exemple"}
_QUESTION = buyer_mail(START, order=_NUMBER, alias=_ALIAS, words="Where is my parcel 7654321?", **_IDS)
_QUESTION = re.sub(
    rb"t=3DT\d+", b"t=3DT7654321", _QUESTION.replace(b"=\n", b"")
)  # one wrapped in the middle of a number
_REPLY = seller_reply(START, order=_NUMBER, alias=_ALIAS).replace(b"<reply-", b"<reply-7654321-")
_NOTICE = return_notice(START, order=_NUMBER).replace(b"<notice-", b"<notice-7654321-")


class Stream:
    """A mailbox in which a buyer writes every `every`, gets a reply 40 minutes later, and notices come in between.

    The mail of a number is always the same, and none is kept: memory that grows is not this.
    """

    def __init__(self, every: timedelta, utc_now: Callable[[], datetime]) -> None:
        """Begin at the first reading."""
        self.every, self._utc_now = every, utc_now
        self.mails = 0

    @property
    def name(self) -> str:
        """The mailbox's name."""
        return "support"

    def fetch_new(self, cursors: Mapping[str, Cursor], since: datetime) -> Iterator[Batch]:
        """Yield what came since the cursors."""
        now = self._utc_now()
        for folder, where, later in (("INBOX", Where.INBOX, timedelta(0)), ("Sent", Where.SENT, REPLIED_AFTER)):
            last = cursors[folder].last_uid if folder in cursors else 0
            newest = max(0, int((now - START - later) / self.every))
            mails = tuple(
                self._mail(folder, where, uid, START + later + uid * self.every) for uid in range(last + 1, newest + 1)
            )
            self.mails += len(mails)
            yield Batch(folder=folder, where=where, cursor=Cursor(1, max(last, newest)), mails=mails)

    def _mail(self, folder: str, where: Where, uid: int, at: datetime) -> RawMail:
        made = _REPLY if where is Where.SENT else _NOTICE if uid % 4 == 1 else _QUESTION
        content = made.replace(b"7654321", b"%07d" % uid)
        sent_at = at - LATE if uid % 4 == 0 and where is Where.INBOX else at
        content = content.replace(_DATE, format_datetime(sent_at).encode())
        return RawMail(folder=folder, where=where, uid=uid, received_at=at, content=content)

    def wait_for_change(self, stop: threading.Event, timeout_seconds: float) -> bool:
        """Watch nothing."""
        return False

    def probe(self) -> MailboxFacts:
        """Return no folders."""
        return MailboxFacts(folders=())

    def close(self) -> None:
        """Nothing is held open."""


class TakesEverything:
    """A notifier that accepts, counts and forgets."""

    channel = Channel.SLACK

    def __init__(self) -> None:
        """Nothing was sent yet."""
        self.sent = 0

    def send(self, delivery: Delivery) -> Receipt:
        """Accept."""
        self.sent += 1
        return Receipt(provider_id=delivery.reference)

    def find(self, delivery: Delivery) -> Receipt | None:
        """Return nothing: it is never asked."""
        return None

    def check(self, receipt: Receipt) -> str | None:
        """Return that it arrived."""
        return "delivered"


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What stood at one instant. `blocks`: pieces of memory that Python's allocator has given out."""

    at: datetime
    mails: int
    blocks: int
    resident_bytes: int
    descriptors: int
    threads: int
    rows: int
    file_bytes: int


class Soak:
    """See the module. `run_until` works; `measure` looks."""

    def __init__(self, folder: Path, every: timedelta, *, slack: str = NOWHERE, worker: str = "") -> None:
        """Build a worker on an empty database. With `slack`, the address of a Slack, alerts go there."""
        self.folder = folder
        (folder / "config.toml").write_text(CONFIG.format(slack=slack, worker=worker))
        self.clock = FakeWallClock(START)
        config = load_config(folder / "config.toml", {})
        services = build_services(config, open_store(config, self.clock), now=self.clock, as_worker=True)
        self.stream = Stream(every, self.clock)
        self.services = replace(services, sources={"support": self.stream}, recognise=build_recognisers(config, {}))
        self.worker = build_worker(self.services)
        self.takes = TakesEverything()
        notifiers: Mapping[Channel, Notifier] = {Channel.SLACK: self.takes}
        if slack != NOWHERE:
            notifiers = build_notifiers(config)
        ports = build_ports(self.services, self.worker.book, self.worker.policies)
        ports = replace(ports, timing=Timing(spacing={}))  # Slack's one message a second would be waited for
        self.worker.dispatcher = Dispatcher(self.services.engine, notifiers, ports, self.clock)
        self.server = serve_worker("0", self.worker)
        self.after_tick: Callable[[], object] = lambda: None

    def close(self) -> None:
        """End everything."""
        self.server.stop()
        self.worker.dispatcher.stop(5)
        self.services.engine.dispose()

    def run_until(self, until: datetime, tick: timedelta = timedelta(seconds=10)) -> None:
        """Move on to an instant, doing what the worker's schedule does on the way."""
        while self.clock() < until:
            before = self.clock()
            now = self.clock.advance(tick)
            self.worker.cycle()
            if _passed(before, now, 30):
                self.worker.dispatcher.reconcile(now)
                self.worker.dispatcher.check_delivered(now)
            if _passed(before, now, 60):
                self.worker.poll("support")
                watch_health(self.services, self.worker.book)
            if _passed(before, now, 300):
                send_due_reports(self.services, self.worker.book)
                send_due_digest(self.services, self.worker.book)
                self.look()
            if _passed(before, now, 3600):
                forget_in_time(self.services)
            self.after_tick()

    def look(self) -> None:
        """Look at everything that is served, as Prometheus, a monitor and a screen do."""
        for path in ("/metrics", "/healthz", "/"):
            with urlopen(f"http://127.0.0.1:{self.server.port}{path}", timeout=10) as answer:
                answer.read()

    def measure(self) -> Measured:
        """Return what stands now, caches emptied: each has a largest size, but one that fills would look like a leak."""
        empty_caches()
        self.services.directory._memo.clear()
        gc.collect()
        blocks = sys.getallocatedblocks()
        _trim()
        with reading(self.services.engine) as connection:
            rows = sum(
                int(connection.execute(select(func.count()).select_from(table)).scalar_one())
                for table in (message, notification, delivery)
            )
        return Measured(
            at=self.clock(),
            mails=self.stream.mails,
            blocks=blocks,
            resident_bytes=int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE"),
            descriptors=len(list(Path("/proc/self/fd").iterdir())),
            threads=threading.active_count(),
            rows=rows,
            file_bytes=sum(path.stat().st_size for path in self.folder.glob("soak.db*")),
        )


def empty_caches() -> None:
    """Empty every cache of a function in this process."""
    for one in gc.get_objects():
        if type(one) is functools._lru_cache_wrapper:
            one.cache_clear()


def blocks_per_mail(first: Measured, last: Measured) -> float:
    """Return how many pieces of memory stayed for each mail between two measurements."""
    return (last.blocks - first.blocks) / (last.mails - first.mails)


def _passed(before: datetime, now: datetime, seconds: int) -> bool:
    return int(before.timestamp()) // seconds != int(now.timestamp()) // seconds


def _trim() -> None:
    """Have the C library give back what it holds for later, so that what is resident is what is used."""
    if sys.platform == "linux":
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # glibc has it, others may not
        if trim is not None:
            trim(0)


@contextmanager
def soaking(folder: Path, every: timedelta, *, slack: str = NOWHERE, worker: str = "") -> Iterator[Soak]:
    """Give a worker whose log lines nobody reads, and none keeps."""
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger("critical"), cache_logger_on_first_use=False
    )
    soak = Soak(folder, every, slack=slack, worker=worker)
    try:
        yield soak
    finally:
        soak.close()
        structlog.reset_defaults()
