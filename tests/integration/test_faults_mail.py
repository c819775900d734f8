"""The mail server in every kind of trouble: told as such, never taken for "no mail", and read to the last mail afterwards."""

from collections.abc import Iterator
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from monitor.wallclock import utc_now
from tests.support.dovecot import Dovecot, running_dovecot
from tests.support.mails import buyer_mail
from tests.support.ports import free_port
from tests.support.slack_server import SlackServer
from tests.support.tcp_proxy import TcpProxy, running_proxy
from tests.support.twilio_server import TwilioServer
from tests.support.waiting import wait_until
from tests.support.worker_process import WorkerProcess, render_config, worker_on

pytestmark = pytest.mark.integration
HOUR = timedelta(hours=1)


@pytest.fixture(scope="module")
def server() -> Iterator[Dovecot]:
    with running_dovecot() as dovecot:
        yield dovecot


@pytest.fixture
def dovecot(server: Dovecot) -> Dovecot:
    for folder in ("INBOX", "Sent", "Junk"):
        for mail in (*server.folder_path(folder).glob("cur/*"), *server.folder_path(folder).glob("new/*")):
            mail.unlink()
    return server


@pytest.fixture
def proxy(dovecot: Dovecot) -> Iterator[TcpProxy]:
    with running_proxy(dovecot.port) as made:
        yield made


@pytest.fixture
def worker(
    tmp_path: Path, dovecot: Dovecot, proxy: TcpProxy, slack: SlackServer, twilio: TwilioServer
) -> Iterator[WorkerProcess]:
    with worker_behind(tmp_path, dovecot, proxy.port, slack, twilio) as process:
        yield process


def worker_behind(
    tmp_path: Path, dovecot: Dovecot, imap_port: int, slack: SlackServer, twilio: TwilioServer
) -> AbstractContextManager[WorkerProcess]:
    port = free_port()
    config = render_config(dovecot, slack, twilio, port=port, idle=False, poll_every="5s")
    config = config.replace(f"port = {dovecot.port}", f'port = {imap_port}\ntimeout = "5s"')
    return worker_on(tmp_path, config, port, dovecot.password)


def write(dovecot: Dovecot, *numbers: int, at: datetime | None = None) -> list[str]:
    """Deliver a buyer message of each number and return their orders."""
    orders = [f"402-77777{number:02d}-0000001" for number in numbers]
    for number, order in zip(numbers, orders, strict=True):
        sent_at = at or utc_now() - 17 * HOUR
        dovecot.deliver(
            buyer_mail(sent_at, order=order, alias=f"mailfault{number:02d}aaa@marketplace.amazon.fr"), sent_at
        )
    return orders


def told(slack: SlackServer, orders: list[str]) -> bool:
    texts = [str(message["text"]) for message in slack.messages()]
    return all(sum(order in text for text in texts) == 1 for order in orders)


def failures(worker: WorkerProcess, reason: str) -> float:
    return worker.metric("replyby_poll_failures_total", mailbox="support", reason=reason)


def expect_trouble(worker: WorkerProcess, reason: str) -> None:
    """Wait until a metric and a log line say what is wrong."""
    wait_until(lambda: failures(worker, reason) >= 1, f"a failed poll, reason {reason}; log:\n{worker.log()[-1500:]}")
    assert f"reason={reason}" in worker.log()


def expect_recovery(worker: WorkerProcess, slack: SlackServer, orders: list[str]) -> None:
    """Wait until every message is told once, and the mailbox counts as read."""
    wait_until(lambda: told(slack, orders), f"{orders} to be told once")
    wait_until(lambda: "mailbox read again" in worker.log(), "the log to say so")
    assert utc_now().timestamp() - worker.metric("replyby_poll_last_success_timestamp_seconds") < 60


def test_a_server_that_is_down_from_the_start_and_comes_up(
    tmp_path: Path, dovecot: Dovecot, slack: SlackServer, twilio: TwilioServer
) -> None:
    imap_port = free_port()
    orders = write(dovecot, 1)
    with worker_behind(tmp_path, dovecot, imap_port, slack, twilio) as worker:
        worker.start()
        expect_trouble(worker, "unreachable")
        assert slack.messages() == []
        with running_proxy(dovecot.port, imap_port):
            expect_recovery(worker, slack, orders)


def test_a_server_that_hangs_up_and_comes_back(
    worker: WorkerProcess, dovecot: Dovecot, proxy: TcpProxy, slack: SlackServer
) -> None:
    worker.start()
    proxy.cut_after(*[1] * 3)  # the next connections end at their first byte
    proxy.cut_now()
    orders = write(dovecot, 2)
    wait_until(lambda: "mailbox not read" in worker.log(), "the line in the log")
    expect_recovery(worker, slack, orders)


def test_a_server_that_freezes_in_the_middle_and_thaws(
    worker: WorkerProcess, dovecot: Dovecot, proxy: TcpProxy, slack: SlackServer
) -> None:
    worker.start()
    proxy.freeze()
    orders = write(dovecot, 3)
    expect_trouble(worker, "timeout")
    assert slack.messages() == []
    proxy.thaw()
    expect_recovery(worker, slack, orders)


def test_a_slow_server_is_read_all_the_same(
    worker: WorkerProcess, dovecot: Dovecot, proxy: TcpProxy, slack: SlackServer
) -> None:
    worker.start()
    proxy.delay_seconds = 0.1
    orders = write(dovecot, 4, 5)
    wait_until(lambda: told(slack, orders), "both to be told")
    assert worker.metric("replyby_poll_failures_total") == 0


def test_a_connection_cut_in_the_middle_of_a_mail_again_and_again_loses_and_doubles_nothing(
    worker: WorkerProcess, dovecot: Dovecot, proxy: TcpProxy, slack: SlackServer
) -> None:
    worker.start()
    orders = write(dovecot, *range(10, 20))
    # Each further connection lives a little longer: in the greeting, the login, the list, a header, a body.
    proxy.cut_after(40, 400, 900, 1500, 2600, 4000)
    proxy.cut_now()
    wait_until(lambda: worker.metric("replyby_poll_failures_total") >= 1, "a poll to fail")
    expect_recovery(worker, slack, orders)
    assert worker.metric("replyby_messages_total", kind="buyer_message") == len(orders)


def test_a_refused_login_is_told_at_once_and_read_again_once_the_password_is_right(
    worker: WorkerProcess, dovecot: Dovecot, proxy: TcpProxy, slack: SlackServer
) -> None:
    worker.start()
    users = dovecot.directory / "users"
    right = users.read_text()
    try:
        users.write_text(right.replace(dovecot.password, "changed meanwhile"))
        proxy.cut_now()
        orders = write(dovecot, 6)
        expect_trouble(worker, "login")
        wait_until(lambda: any("login refused" in str(m) for m in slack.messages()), "the health alert")
        assert dovecot.password not in worker.log()
    finally:
        users.write_text(right)
    expect_recovery(worker, slack, orders)
    wait_until(lambda: len(slack.messages()) == 3, "the end of the trouble to be told too")


def test_a_changed_uidvalidity_repeats_nothing_and_misses_nothing(
    worker: WorkerProcess, dovecot: Dovecot, slack: SlackServer
) -> None:
    orders = write(dovecot, 7, 8)
    worker.start()
    wait_until(lambda: told(slack, orders), "the first two")
    dovecot.change_uidvalidity()
    orders += write(dovecot, 9)
    wait_until(lambda: told(slack, orders), "the third, and the others still once")
    now = utc_now().timestamp()
    wait_until(lambda: worker.metric("replyby_poll_last_success_timestamp_seconds") > now + 1, "one more poll")
    assert len(slack.messages()) == 3
    assert worker.metric("replyby_messages_total", kind="buyer_message") == 3


GARBAGE = {
    "nothing": b"",
    "noise": bytes(range(256)) * 40,
    "no end of header": b"From: x\r\n" + b"A" * 200_000,
    "NUL and half characters": (
        b"From: =?utf-8?b?7aCA?= <k7c2v9m4x1q8w5z@marketplace.amazon.fr>\r\nTo: support@acme.example\r\n"
        b"X-Space-Notification-Type: BBC_MESSAGE_SENT_TO_MERCHANT\r\nX-Marketplace-ID: A13V1IB3VIYZZH\r\n"
        b"Subject: Commande : 402-1111111-1111111 \x00\xff\xfe\r\nMessage-ID: <\x00a\xed\xa0\x80b@x>\r\n"
        b"Date: Thu, 32 Foo 2026 99:99:99\r\n\r\n\x00\x00 o\xf9 \x00\r\n"
    ),
    "unknown charset": (
        b"From: <k7c2v9m4x1q8w5y@marketplace.amazon.fr>\r\nTo: support@acme.example\r\n"
        b"X-Space-Notification-Type: BBC_MESSAGE_SENT_TO_MERCHANT\r\nContent-Type: text/plain; charset=klingon\r\n"
        b"Content-Transfer-Encoding: base64\r\nSubject: =?klingon?q?402-2222222-2222222?=\r\n\r\n!!!not base64!!!\r\n"
    ),
    "very long alias": (
        b"From: <" + b"k" * 500 + b"@marketplace.amazon.fr>\r\nTo: support@acme.example\r\n"
        b"X-Space-Notification-Type: " + b"BBC_MESSAGE_SENT_TO_MERCHANT\r\n"
        b"Subject: Commande : 402-3333333-3333333\r\nMessage-ID: <long@x>\r\n\r\nBonjour\r\n"
    ),
}


def test_garbage_between_mails_stops_none_of_them(worker: WorkerProcess, dovecot: Dovecot, slack: SlackServer) -> None:
    worker.start()
    for content in GARBAGE.values():
        dovecot.deliver(content, utc_now() - 17 * HOUR)
    orders = write(dovecot, 30, 31)
    wait_until(lambda: told(slack, orders), "the mails between the garbage")
    assert worker.metric("replyby_poll_failures_total") == 0
    assert "Traceback" not in worker.log()
