"""What every source of mail promises, held against the fake, a Maildir, a real Dovecot and the invented mailbox."""

import os
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Protocol

import pytest

from monitor.config.model import MailboxConfig
from monitor.core.messages import Where
from monitor.errors import MailboxError
from monitor.sources.base import Batch, Cursor, MailSource, WantsMail
from monitor.sources.imap import ImapSource
from monitor.sources.maildir import MaildirSource
from monitor.sources.simulated import SimulatedSource
from tests.fakes import FakeWallClock, MemoryMailbox
from tests.support.dovecot import Dovecot, running_dovecot
from tests.support.ports import HOST

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
SINCE = NOW - timedelta(days=90)


def wants_amazon(headers: bytes, where: Where) -> bool:
    """Want what names Amazon in its headers."""
    return b"amazon" in headers.lower()


def make_mail(subject: str, sender: str = "a1b2c3@marketplace.amazon.fr") -> bytes:
    """Return a small mail."""
    return (
        f"From: {sender}\r\nTo: support@acme.example\r\nSubject: {subject}\r\nMessage-ID: <{subject}@x.example>\r\n"
        f"Authentication-Results: mx.acme.example; dmarc=pass\r\n\r\nThe words of {subject}.\r\n"
    ).encode()


class Mailbox(Protocol):
    """A source and the hands that fill it."""

    def source(self, wants: WantsMail = wants_amazon) -> MailSource: ...
    def deliver(self, content: bytes, received_at: datetime, where: Where = Where.INBOX) -> None: ...
    def expunge_oldest(self) -> None: ...
    def number_anew(self) -> None: ...


@dataclass
class InMemory:
    """The fake."""

    directory: Path
    mailbox: MemoryMailbox = field(default_factory=lambda: MemoryMailbox(wants=wants_amazon))

    def source(self, wants: WantsMail = wants_amazon) -> MailSource:
        return self.mailbox

    def deliver(self, content: bytes, received_at: datetime, where: Where = Where.INBOX) -> None:
        self.mailbox.deliver(content, received_at, where)

    def expunge_oldest(self) -> None:
        self.mailbox.expunge(min(self.mailbox.folders["INBOX"].mails))

    def number_anew(self) -> None:
        self.mailbox.change_uidvalidity()


@dataclass
class OnDisk:
    """A Maildir, filled as a delivery agent does."""

    directory: Path
    numbers: Iterator[int] = field(default_factory=lambda: count(1))

    def __post_init__(self) -> None:
        for folder in ("", ".Sent", ".Junk"):
            for part in ("tmp", "new", "cur"):
                (self.directory / "Maildir" / folder / part).mkdir(parents=True, exist_ok=True)

    def source(self, wants: WantsMail = wants_amazon) -> MailSource:
        mailbox = MailboxConfig(name="support", type="maildir", accounts=("acme",), path=self.directory / "Maildir")
        return MaildirSource(mailbox, wants, self.directory / "state")

    def deliver(self, content: bytes, received_at: datetime, where: Where = Where.INBOX) -> None:
        folder = self.directory / "Maildir" / {Where.INBOX: "", Where.SENT: ".Sent", Where.JUNK: ".Junk"}[where]
        name = f"{next(self.numbers)}.test"
        draft = folder / "tmp" / name
        draft.write_bytes(content)
        os.utime(draft, (received_at.timestamp(), received_at.timestamp()))
        draft.rename(folder / "new" / name)

    def expunge_oldest(self) -> None:
        min((self.directory / "Maildir" / "new").iterdir(), key=lambda file: int(file.name.split(".")[0])).unlink()

    def number_anew(self) -> None:
        for file in (self.directory / "state").iterdir():
            file.unlink()


@dataclass
class OnServer:
    """A real Dovecot."""

    server: Dovecot

    def source(self, wants: WantsMail = wants_amazon) -> MailSource:
        mailbox = MailboxConfig(
            name="support",
            type="imap",
            accounts=("acme",),
            host=HOST,
            port=self.server.port,
            security="none",
            username=self.server.username,
            password=self.server.password,
        )
        return ImapSource(mailbox, wants)

    def deliver(self, content: bytes, received_at: datetime, where: Where = Where.INBOX) -> None:
        folder = {Where.INBOX: "INBOX", Where.SENT: "Sent", Where.JUNK: "Junk"}[where]
        self.server.deliver(content, received_at, folder)

    def expunge_oldest(self) -> None:
        files = [file for part in ("new", "cur") for file in (self.server.maildir / part).iterdir()]
        min(files, key=lambda file: int(file.name.split(".")[0])).unlink()

    def number_anew(self) -> None:
        self.server.change_uidvalidity()


@pytest.fixture(params=["memory", "maildir", pytest.param("dovecot", marks=pytest.mark.integration)])
def mailbox(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Mailbox]:
    if request.param == "dovecot":
        with running_dovecot() as server:
            yield OnServer(server)
    else:
        yield {"memory": InMemory, "maildir": OnDisk}[request.param](tmp_path)


@dataclass
class Reader:
    """Reads a source as the worker does: cursors are kept from batch to batch."""

    source: MailSource
    cursors: dict[str, Cursor] = field(default_factory=dict)

    def read(self, since: datetime = SINCE) -> list[Batch]:
        batches = []
        for batch in self.source.fetch_new(self.cursors, since):
            self.cursors[batch.folder] = batch.cursor
            batches.append(batch)
        return batches

    def subjects(self, since: datetime = SINCE) -> list[tuple[Where, str]]:
        return [
            (mail.where, mail.content.partition(b"Subject: ")[2].split(b"\r\n")[0].decode())
            for batch in self.read(since)
            for mail in batch.mails
        ]


@pytest.fixture
def reader(mailbox: Mailbox) -> Iterator[Reader]:
    source = mailbox.source()
    yield Reader(source)
    source.close()


def test_every_wanted_mail_comes_once_and_oldest_first(mailbox: Mailbox, reader: Reader) -> None:
    for number in range(5):
        mailbox.deliver(make_mail(f"mail {number}"), NOW - timedelta(hours=5 - number))
    assert reader.subjects() == [(Where.INBOX, f"mail {number}") for number in range(5)]
    assert reader.subjects() == []
    mailbox.deliver(make_mail("another"), NOW)
    assert reader.subjects() == [(Where.INBOX, "another")]


def test_a_mail_comes_whole_with_the_time_of_its_delivery(mailbox: Mailbox, reader: Reader) -> None:
    mailbox.deliver(make_mail("whole"), NOW - timedelta(hours=3))
    [mail] = [mail for batch in reader.read() for mail in batch.mails]
    assert mail.content == make_mail("whole")
    assert mail.received_at == NOW - timedelta(hours=3)
    assert mail.received_at.utcoffset() == timedelta(0)


def test_a_folder_is_told_by_its_role(mailbox: Mailbox, reader: Reader) -> None:
    for where in Where:
        mailbox.deliver(make_mail(f"in {where}"), NOW, where)
    assert sorted(reader.subjects()) == [(where, f"in {where}") for where in sorted(Where)]


def test_unrelated_mail_is_counted_and_not_handed_over(mailbox: Mailbox, reader: Reader) -> None:
    mailbox.deliver(make_mail("newsletter", "news@shop.example"), NOW)
    mailbox.deliver(make_mail("wanted"), NOW)
    batches = reader.read()
    assert [len(batch.mails) for batch in batches if batch.where is Where.INBOX] == [1]
    assert sum(batch.unrelated for batch in batches) == 1


def test_the_first_reading_leaves_out_what_is_older_than_the_lookback(mailbox: Mailbox, reader: Reader) -> None:
    mailbox.deliver(make_mail("too old"), SINCE - timedelta(minutes=1))
    mailbox.deliver(make_mail("just in"), SINCE)
    assert reader.subjects() == [(Where.INBOX, "just in")]
    assert reader.subjects() == []


def test_mail_delivered_later_with_an_older_time_is_not_missed(mailbox: Mailbox, reader: Reader) -> None:
    mailbox.deliver(make_mail("on time"), NOW)
    assert reader.subjects() == [(Where.INBOX, "on time")]
    mailbox.deliver(make_mail("moved here"), NOW - timedelta(days=2))
    assert reader.subjects() == [(Where.INBOX, "moved here")]


def test_an_empty_mailbox_leaves_a_cursor_from_which_all_is_news(mailbox: Mailbox, reader: Reader) -> None:
    assert reader.subjects() == []
    assert reader.cursors
    # However old: the folder was read before.
    mailbox.deliver(make_mail("first"), SINCE - timedelta(days=1))
    assert reader.subjects() == [(Where.INBOX, "first")]


def test_a_new_instance_goes_on_from_the_stored_cursors(mailbox: Mailbox, reader: Reader) -> None:
    mailbox.deliver(make_mail("before"), NOW)
    reader.read()
    mailbox.deliver(make_mail("after"), NOW)
    restarted = Reader(mailbox.source(), dict(reader.cursors))
    assert restarted.subjects() == [(Where.INBOX, "after")]
    restarted.source.close()


def test_a_cursor_not_stored_means_that_the_mail_comes_again(mailbox: Mailbox) -> None:
    mailbox.deliver(make_mail("again"), NOW)
    uids = []
    for _ in range(2):
        source = mailbox.source()
        uids.append([mail.uid for batch in source.fetch_new({}, SINCE) for mail in batch.mails])
        source.close()
    assert len(uids[0]) == 1
    assert uids[0] == uids[1]


def test_a_folder_numbered_anew_is_read_again(mailbox: Mailbox, reader: Reader) -> None:
    mailbox.deliver(make_mail("one"), NOW)
    reader.read()
    reader.source.close()
    mailbox.number_anew()
    again = Reader(mailbox.source(), dict(reader.cursors))
    assert again.subjects() == [(Where.INBOX, "one")]
    assert again.cursors["INBOX"].uidvalidity != reader.cursors["INBOX"].uidvalidity
    again.source.close()


def test_a_removed_mail_stops_no_other(mailbox: Mailbox, reader: Reader) -> None:
    for number in range(3):
        mailbox.deliver(make_mail(f"mail {number}"), NOW)
    mailbox.expunge_oldest()
    assert reader.subjects() == [(Where.INBOX, "mail 1"), (Where.INBOX, "mail 2")]


def test_waiting_ends_when_mail_arrives(mailbox: Mailbox, reader: Reader) -> None:
    reader.read()
    stop = threading.Event()
    changed: list[bool] = []
    watching = threading.Thread(target=lambda: changed.append(reader.source.wait_for_change(stop, 20)))
    watching.start()
    mailbox.deliver(make_mail("news"), NOW)
    watching.join(15)
    assert changed == [True]
    assert reader.subjects() == [(Where.INBOX, "news")]


def test_waiting_ends_when_the_worker_stops(mailbox: Mailbox, reader: Reader) -> None:
    reader.read()
    stop = threading.Event()
    changed: list[bool] = []
    watching = threading.Thread(target=lambda: changed.append(reader.source.wait_for_change(stop, 60)))
    watching.start()
    stop.set()
    watching.join(5)
    assert changed == [False]


def test_waiting_ends_with_its_time(mailbox: Mailbox, reader: Reader) -> None:
    reader.read()
    assert reader.source.wait_for_change(threading.Event(), 0.1) is False


def test_the_probe_names_folders_with_roles_and_counts(mailbox: Mailbox, reader: Reader) -> None:
    mailbox.deliver(make_mail("one"), NOW)
    mailbox.deliver(make_mail("reply", "support@acme.example"), NOW, Where.SENT)
    facts = reader.source.probe()
    assert {(folder.name, folder.where, folder.mails) for folder in facts.folders} == {
        ("INBOX", Where.INBOX, 1),
        ("Sent", Where.SENT, 1),
        ("Junk", Where.JUNK, 0),
    }


def test_closing_twice_is_harmless_and_reading_goes_on_after_it(mailbox: Mailbox, reader: Reader) -> None:
    mailbox.deliver(make_mail("kept"), NOW)
    reader.source.close()
    reader.source.close()
    assert reader.subjects() == [(Where.INBOX, "kept")]


def test_a_reading_broken_off_half_way_can_be_begun_again(mailbox: Mailbox, reader: Reader) -> None:
    mailbox.deliver(make_mail("one"), NOW)
    reading = reader.source.fetch_new({}, SINCE)
    next(iter(reading))
    del reading
    assert (Where.INBOX, "one") in reader.subjects()


@pytest.mark.parametrize("live", [0, 8], ids=["usual days", "while watched"])
def test_the_invented_mailbox_keeps_the_same_promises(live: int) -> None:
    mailbox = MailboxConfig(name="demo", type="simulated", accounts=("acme",))
    clock = FakeWallClock(NOW)

    def source() -> MailSource:
        return SimulatedSource(mailbox, wants_amazon, utc_now=clock, live_every=timedelta(seconds=live))

    first, since = Reader(source()), NOW - timedelta(days=3)
    batches = first.read(since)
    assert {batch.where for batch in batches} == set(Where)
    assert sum(batch.unrelated for batch in batches) > 0
    for batch in batches:
        uids = [mail.uid for mail in batch.mails]
        assert uids == sorted(uids)
        assert max(uids, default=0) <= batch.cursor.last_uid
        assert all(mail.received_at.utcoffset() == timedelta(0) for mail in batch.mails)
    assert first.read(since) == []
    clock.advance(minutes=30)
    stored = dict(first.cursors)
    arrived = [mail for batch in first.read(since) for mail in batch.mails]
    restarted = Reader(source(), stored)
    assert [mail for batch in restarted.read(since) for mail in batch.mails] == arrived
    stop = threading.Event()
    stop.set()
    assert first.source.wait_for_change(stop, 60) is False
    first.source.close()


@pytest.fixture
def broken(mailbox: Mailbox) -> Callable[[], MailSource]:
    """Return a way to get the same kind of source where nothing can be read."""

    def make() -> MailSource:
        if isinstance(mailbox, InMemory):
            mailbox.mailbox.fail_next(*[MailboxError("support: gone. Wait.", "unreachable")] * 2)
            return mailbox.mailbox
        if isinstance(mailbox, OnDisk):
            config = MailboxConfig(name="support", type="maildir", accounts=("acme",), path=Path("/nonexistent"))
            return MaildirSource(config, wants_amazon, mailbox.directory)
        config = MailboxConfig(name="support", type="imap", accounts=("acme",), host=HOST, port=1, security="none")
        return ImapSource(config, wants_amazon)

    return make


def test_failing_to_read_is_never_no_mail(broken: Callable[[], MailSource]) -> None:
    source = broken()
    with pytest.raises(MailboxError) as reading:
        list(source.fetch_new({}, SINCE))
    assert reading.value.reason in MailboxError.REASONS
    with pytest.raises(MailboxError):
        source.probe()
