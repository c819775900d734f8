"""The report and the digest over the real store: what was told and refused around each miss, sent when due and only once."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest

from alerts.core.model import AnswerKind, Purpose
from monitor.core.weeks import week_of
from monitor.errors import ReplyByError
from monitor.jobs.digest import send_due_digest
from monitor.jobs.reporting import make_report, send_due_reports
from monitor.report.model import Cause
from tests.support.databases import SQLITE
from tests.support.jobs_world import ORDERS, JobsWorld, alias_of

MONDAY = datetime(2026, 11, 16, 10, 0, tzinfo=UTC)
WANTED = '[report]\nat = "mon 08:00"\nto = ["team"]\ndirectory = "reports"\n[digest]\nat = "08:30"\nto = ["team"]\n'


@pytest.fixture
def world(tmp_path: Path, database: str) -> Iterator[JobsWorld]:
    made = JobsWorld(tmp_path, MONDAY)
    path = tmp_path / "config.toml"
    path.write_text(path.read_text().replace(SQLITE, database) + WANTED)
    made.restart()
    yield made
    made.close()


def bounce(order: str, at: datetime) -> bytes:
    """Return a mail server's report that the reply to this order's alias did not arrive."""
    return (
        "From: MAILER-DAEMON@mx.acme.example\nTo: support@acme.example\n"
        f"Subject: Undelivered Mail Returned to Sender\nDate: {format_datetime(at)}\n"
        f"Message-ID: <bounce-{order}@mx.acme.example>\nMIME-Version: 1.0\n"
        'Content-Type: multipart/report; report-type=delivery-status; boundary="B"\n\n'
        "--B\nContent-Type: text/plain\n\nIt could not be delivered.\n"
        "--B\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; mx.acme.example\n\n"
        f"Final-Recipient: rfc822; {alias_of(order)}\nAction: failed\nStatus: 5.7.1\n\n--B--\n"
    ).encode()


def test_miss_names_who_was_told_and_a_refused_reply_is_its_cause(world: JobsWorld) -> None:
    told, refused = ORDERS[0], ORDERS[1]
    world.ask(told)
    world.ask(refused)
    world.advance(hours=1)
    world.reply(refused)
    world.advance(hours=1)
    world.mail(bounce(refused, world.clock()))
    world.advance(hours=30)
    report = make_report(world.services, week_of(MONDAY, world.services.config.worker.time_zone))
    misses = {miss.outcome.order_id: miss for miss in report.misses}
    assert set(misses) == {told, refused}
    assert misses[refused].cause is Cause.REPLY_REFUSED
    assert "team" in {one.receiver for one in misses[told].told}
    assert all(one.at <= world.clock() for one in misses[told].told)


def test_report_is_sent_once_when_due_and_after_a_break(world: JobsWorld) -> None:
    world.ask(ORDERS[0])
    assert send_due_reports(world.services, world.worker.book) == 0
    world.clock.set(datetime(2026, 11, 23, 6, 59, tzinfo=UTC))
    assert send_due_reports(world.services, world.worker.book) == 0
    world.clock.set(datetime(2026, 11, 25, 12, 0, tzinfo=UTC))
    world.restart()
    assert send_due_reports(world.services, world.worker.book) == 1
    assert send_due_reports(world.services, world.worker.book) == 0
    world.deliver()
    reports = [one for one in world.sent if one.purpose is Purpose.REPORT]
    assert [one.receiver for one in reports] == ["team"]
    assert (world.folder / "reports" / "replyby-2026-W47.html").exists()


def test_a_directory_that_cannot_be_written_is_one_line_and_the_report_stays_due(world: JobsWorld) -> None:
    assert send_due_reports(world.services, world.worker.book) == 0
    world.clock.set(datetime(2026, 11, 25, 12, 0, tzinfo=UTC))
    in_the_way = world.folder / "reports"
    in_the_way.write_text("a file of this name")
    for _ in range(2):
        with pytest.raises(ReplyByError) as caught:
            send_due_reports(world.services, world.worker.book)
        assert str(caught.value) == (
            f"[report] directory: {in_the_way} cannot be written (Not a directory). "
            "Give it to the worker's user, or name another."
        )
    in_the_way.unlink()
    assert send_due_reports(world.services, world.worker.book) == 1


def test_digest_is_sent_once_a_day_and_is_silent_when_there_is_nothing(world: JobsWorld) -> None:
    assert not send_due_digest(world.services, world.worker.book)
    world.clock.advance(days=1)
    assert not send_due_digest(world.services, world.worker.book)
    world.ask(ORDERS[0])
    world.say(AnswerKind.ACKNOWLEDGE, ORDERS[0])
    world.clock.advance(days=1)
    assert send_due_digest(world.services, world.worker.book)
    assert not send_due_digest(world.services, world.worker.book)
    world.deliver()
    digests = [one for one in world.sent if one.purpose is Purpose.DIGEST]
    assert len({(one.receiver, one.person) for one in digests}) == len(digests) == 1
    assert digests[0].content["open"] == 1


def test_deadline_is_never_moved_by_the_report(world: JobsWorld) -> None:
    world.ask(ORDERS[0])
    report = make_report(world.services, week_of(MONDAY, world.services.config.worker.time_zone))
    (outcome, _), *_ = report.messages
    assert outcome.deadline_at - outcome.received_at == timedelta(hours=24)
