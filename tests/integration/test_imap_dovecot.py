"""The IMAP source on a real Dovecot: secured, with folders in other languages, leaving no trace."""

import email
import email.policy
import imaplib
import threading
import tracemalloc
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest

from monitor.core.messages import Kind, Where
from monitor.errors import LoginRefused, MailboxError
from monitor.parse import RecognitionContext, parse_message
from monitor.sources.imap import ImapSource
from tests.fakes import wants_everything
from tests.support.dovecot import PASSWORD, Dovecot, accepts, running_dovecot
from tests.support.imap_boxes import NOW, SINCE, Reader, make_mail, make_mailbox, reading
from tests.support.ports import HOST
from tests.support.tcp_proxy import running_proxy
from tests.support.waiting import wait_until

pytestmark = pytest.mark.integration

MIB = 1 << 20


@pytest.fixture
def server() -> Iterator[Dovecot]:
    with running_dovecot() as running:
        yield running


# Securing the connection


@pytest.mark.parametrize("security", ["tls", "starttls"])
def test_a_trusted_certificate_is_accepted(server: Dovecot, security: str) -> None:
    server.deliver(make_mail("secured"), NOW)
    port = server.tls_port if security == "tls" else server.port
    with reading(port, security=security, host="localhost", ca_file=str(server.ca_file)) as reader:
        reader.read()
    assert reader.subjects() == ["secured"]


@pytest.mark.parametrize("security", ["tls", "starttls"])
def test_an_unknown_certificate_is_refused_before_the_password_is_sent(server: Dovecot, security: str) -> None:
    port = server.tls_port if security == "tls" else server.port
    with reading(port, security=security) as reader, pytest.raises(MailboxError) as caught:
        reader.read()
    assert caught.value.reason == "tls"
    assert "certificate refused" in str(caught.value)
    assert "ca_file" in str(caught.value)
    assert "Login" not in (server.directory / "dovecot.log").read_text()


def test_tls_to_a_plain_port_says_which_port_is_meant(server: Dovecot) -> None:
    with (
        reading(server.port, security="tls", ca_file=str(server.ca_file)) as reader,
        pytest.raises(MailboxError) as caught,
    ):
        reader.read()
    assert caught.value.reason == "tls"
    assert "993" in str(caught.value)


def test_a_missing_ca_file_is_named(server: Dovecot) -> None:
    missing = "/nonexistent/ca.pem"
    with (
        reading(server.tls_port, security="tls", ca_file=missing) as reader,
        pytest.raises(MailboxError, match=f"^{missing}: "),
    ):
        reader.read()


def test_a_wrong_password_is_refused_by_name(server: Dovecot) -> None:
    with reading(server.port, password="wrong") as reader, pytest.raises(LoginRefused) as caught:
        reader.read()
    assert "ops@acme.example" in str(caught.value)
    assert "wrong" not in str(caught.value)


def test_the_password_is_asked_anew_at_each_login(server: Dovecot) -> None:
    given: list[str] = []

    def password() -> str:
        given.append("asked")
        return PASSWORD if len(given) > 1 else "expired"

    source = ImapSource(make_mailbox(server.port), wants_everything, password=password)
    with pytest.raises(LoginRefused):
        list(source.fetch_new({}, SINCE))
    list(source.fetch_new({}, SINCE))
    source.close()
    assert given == ["asked", "asked"]


def test_nobody_at_the_port_and_no_such_host_are_told_apart(server: Dovecot) -> None:
    port = server.port
    server.stop()
    wait_until(lambda: not accepts(port), "the last of Dovecot's processes to let go of the port")
    with reading(port) as reader, pytest.raises(MailboxError, match="connection refused") as caught:
        reader.read()
    assert caught.value.reason == "unreachable"
    with reading(993, security="tls", host="imap.invalid") as reader, pytest.raises(MailboxError, match="not found"):
        reader.read()


class _Introspection(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        active = parse_qs(body)["token"] == ["good-token"]
        answer = b'{"active": true, "username": "ops@acme.example"}' if active else b'{"active": false}'
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, format: str, *args: object) -> None:
        """Stay silent."""


def test_an_oauth_token_logs_in_and_a_stale_one_names_the_command_to_renew_it() -> None:
    introspection = ThreadingHTTPServer((HOST, 0), _Introspection)
    threading.Thread(target=introspection.serve_forever, daemon=True).start()
    tokens = iter(["good-token", "stale-token"])
    try:
        with running_dovecot(introspection_url=f"http://{HOST}:{introspection.server_port}/") as server:
            server.deliver(make_mail("by token"), NOW)
            source = ImapSource(make_mailbox(server.port, password=""), wants_everything, token=lambda: next(tokens))
            reader = Reader(source)
            reader.read()
            source.close()
            assert reader.subjects() == ["by token"]
            with pytest.raises(LoginRefused, match="replyby login support") as caught:
                reader.read()
            assert "stale-token" not in str(caught.value)
    finally:
        introspection.shutdown()
        introspection.server_close()


# Leaving no trace


def test_reading_sets_no_flag_and_removes_nothing(server: Dovecot) -> None:
    for number in range(3):
        server.deliver(make_mail(f"mail {number}", "x" * 200_000 if number else "small"), NOW)
    with reading(server.port) as reader:
        reader.read()
        reader.source.probe()
        reader.source.wait_for_change(threading.Event(), 0.05)
    assert len(reader.subjects()) == 3
    with imaplib.IMAP4(HOST, server.port, timeout=5) as other:
        other.login('"ops@acme.example"', PASSWORD)
        other.select("INBOX", readonly=True)
        _, flags = other.fetch("1:*", "(FLAGS)")
    # Still recent: to the server, nobody has ever looked.
    assert [b"\\Recent" in line and b"\\Seen" not in line for line in flags if isinstance(line, bytes)] == [True] * 3
    assert server.flags() == []


# Folders


@pytest.mark.parametrize(
    ("sent", "junk"),
    [("Éléments envoyés", "Courrier indésirable"), ("送信済み", "迷惑メール"), ("Gesendet & Fertig", "Spam (alt)")],
)
def test_folders_are_found_by_special_use_in_any_language(sent: str, junk: str) -> None:
    with running_dovecot({sent: "\\Sent", junk: "\\Junk"}) as server:
        server.put_in_sent(make_mail("reply"), NOW)
        server.deliver(make_mail("lost"), NOW, junk)
        with reading(server.port) as reader:
            reader.read()
    assert [(batch.folder, batch.where) for batch in reader.batches if batch.mails] == [
        (sent, Where.SENT),
        (junk, Where.JUNK),
    ]


def test_the_folder_of_all_mail_is_read_instead_of_the_inbox() -> None:
    with running_dovecot({"Tous les messages": "\\All", "Sent": "\\Sent"}) as server:
        server.deliver(make_mail("in the inbox only"), NOW)
        server.deliver(make_mail("archived by a filter"), NOW, "Tous les messages")
        with reading(server.port) as reader:
            reader.read()
    assert reader.subjects() == ["archived by a filter"]
    assert reader.batches[0].where is Where.INBOX


def test_named_folders_are_read_and_a_missing_one_is_told_after_the_others_were(server: Dovecot) -> None:
    server.deliver(make_mail("moved by a rule"), NOW, "Amazon")
    server.put_in_sent(make_mail("reply"), NOW)
    with reading(server.port, folders=("Gone", "Amazon"), junk="") as reader, pytest.raises(MailboxError) as caught:
        reader.read()
    assert reader.subjects() == ["moved by a rule", "reply"]
    assert caught.value.reason == "folder"
    assert 'folder "Gone" does not exist. Folders: ' in str(caught.value)
    assert "Amazon" in str(caught.value)


def test_a_folder_that_vanishes_between_two_readings_stops_no_other(server: Dovecot) -> None:
    server.deliver(make_mail("in a folder"), NOW, "Amazon")
    with reading(server.port, folders=("Amazon", "INBOX"), junk="") as reader:
        reader.read()
        with imaplib.IMAP4(HOST, server.port, timeout=5) as other:
            other.login('"ops@acme.example"', PASSWORD)
            other.delete("Amazon")
        server.deliver(make_mail("in the inbox"), NOW)
        with pytest.raises(MailboxError) as caught:
            reader.read()
        assert caught.value.reason == "folder"
        assert reader.subjects() == ["in a folder", "in the inbox"]


def test_sent_and_junk_that_are_made_later_are_read_on_the_same_connection() -> None:
    with running_dovecot({}) as server, reading(server.port) as reader:
        server.deliver(make_mail("question"), NOW)
        reader.read()
        with imaplib.IMAP4(HOST, server.port, timeout=5) as mail_program:
            mail_program.login('"ops@acme.example"', PASSWORD)
            for folder, subject in (("Sent", "reply"), ("Junk", "lost")):
                mail_program.create(folder)
                server.deliver(make_mail(subject), NOW, folder)
        logins = _logins(server)
        reader.read()
        assert reader.subjects() == ["question", "reply", "lost"]
        assert [batch.where for batch in reader.batches] == [Where.INBOX, Where.SENT, Where.JUNK]
        assert _logins(server) == logins


def test_a_mailbox_that_only_shows_replies_reads_sent_alone(server: Dovecot) -> None:
    server.deliver(make_mail("received"), NOW)
    server.put_in_sent(make_mail("reply"), NOW)
    with reading(server.port, folders=()) as reader:
        reader.read()
        assert reader.source.wait_for_change(threading.Event(), 0.05) is False
    assert reader.subjects() == ["reply"]
    assert [batch.where for batch in reader.batches] == [Where.SENT]


def test_the_probe_tells_whose_verdicts_there_are_and_who_writes_replies(server: Dovecot) -> None:
    for number in range(5):
        verdict = f"Authentication-Results: mx{number % 4 // 3}.acme.example 1 (comment); dmarc=pass\r\n"
        forged = "Authentication-Results: evil.example; dmarc=pass\r\n"
        server.deliver((verdict + forged).encode() + make_mail(f"mail {number}"), NOW)
    for _ in range(3):
        server.deliver(
            b"From: Amazon <donotreply@amazon.fr>\r\nTo: Shop <Shop@Acme.example>\r\nSubject: x\r\n\r\n", NOW
        )
    server.put_in_sent(b"From: Ops <Ops@Acme.example>\r\nSubject: x\r\n\r\n", NOW)
    with reading(server.port) as reader:
        facts = reader.source.probe()
    assert facts.authserv_ids == (("mx0.acme.example", 0.5), ("mx1.acme.example", 0.125))
    assert facts.written_to == ("shop@acme.example",)
    assert facts.sent_from == ("ops@acme.example",)
    assert facts.supports_idle


# Size


def _with_attachment(size: int) -> bytes:
    line = b"QUJD" * 19 + b"\r\n"
    return (
        b"From: <a1b2c3@marketplace.amazon.fr>\r\nSubject: photo\r\nMIME-Version: 1.0\r\n"
        b'Content-Type: multipart/mixed; boundary="out"\r\n\r\npreamble\r\n--out\r\n'
        b'Content-Type: multipart/alternative; boundary="in"\r\n\r\n--in\r\n'
        b"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n"
        b"Il est cass=C3=A9.\r\n--in\r\nContent-Type: text/html; charset=utf-8\r\n\r\n<p>cass</p>\r\n--in--\r\n"
        b"--out\r\nContent-Type: message/rfc822\r\n\r\nSubject: inner\r\nMIME-Version: 1.0\r\n"
        b'Content-Type: multipart/mixed; boundary="deep"\r\n\r\n--deep\r\nContent-Type: text/plain\r\n\r\ninner words\r\n'
        b"--deep\r\nContent-Type: image/png\r\nContent-Transfer-Encoding: base64\r\n\r\n"
        + line
        * 4000
        + b"\r\n--deep--\r\n\r\n--out\r\nContent-Type: message/delivery-status\r\n\r\n"
        b"Reporting-MTA: dns; mx.example\r\n\r\nFinal-Recipient: rfc822; a1b2c3@marketplace.amazon.fr\r\nAction: failed\r\n"
        b'\r\n--out\r\nContent-Type: image/jpeg; name="photo.jpg"\r\nContent-Disposition: attachment\r\n'
        b"Content-Transfer-Encoding: base64\r\n\r\n" + line * (size // len(line)) + b"\r\n--out--\r\n"
    )


def test_a_large_attachment_is_never_downloaded_and_the_rest_is_a_sound_mail(server: Dovecot) -> None:
    server.deliver(_with_attachment(20 * MIB), NOW)
    with running_proxy(server.port) as proxy, reading(proxy.port) as reader:
        reader.read()
    assert proxy.to_client < 20_000
    [mail] = reader.batches[0].mails
    message = email.message_from_bytes(mail.content, policy=email.policy.default)
    assert not any(part.defects for part in message.walk())
    assert [part.get_content_type() for part in message.walk()] == [
        "multipart/mixed",
        "multipart/alternative",
        "text/plain",
        "text/html",
        "message/rfc822",
        "multipart/mixed",
        "text/plain",
        "image/png",
        "message/delivery-status",
        "text/plain",
        "text/plain",
        "image/jpeg",
    ]
    texts = [part.get_payload(decode=True) for part in message.walk() if part.get_content_type() == "text/plain"]
    assert "Il est cassé." in texts[0].decode()  # type: ignore[union-attr]
    assert b"inner words" in texts[1]
    assert b"Final-Recipient: rfc822; a1b2c3@marketplace.amazon.fr" in mail.content
    assert b"QUJD" not in mail.content


@pytest.mark.parametrize("encoding", ["7bit", "base64", "quoted-printable"])
def test_of_an_endless_text_only_the_beginning_is_fetched(server: Dovecot, encoding: str) -> None:
    head = f"Subject: long\r\nContent-Type: text/plain\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n".encode()
    server.deliver(head + (b"QUJD" * 19 + b"\r\n") * 60_000, NOW)
    with running_proxy(server.port) as proxy, reading(proxy.port) as reader:
        reader.read()
    assert proxy.to_client < 300_000
    [mail] = reader.batches[0].mails
    message = email.message_from_bytes(mail.content, policy=email.policy.default)
    text = message.get_payload(decode=True)
    assert isinstance(text, bytes)
    assert text.startswith(b"ABC" if encoding == "base64" else b"QUJD")
    assert len(text) > 150_000
    assert not message.defects


def test_a_header_bomb_is_cut_and_the_mail_still_read(server: Dovecot) -> None:
    bomb = b"".join(b"X-Padding-%d: %s\r\n" % (number, b"x" * 900) for number in range(5000))
    body = b"Content-Type: text/plain\r\n\r\nThe words.\r\n"
    server.deliver(b"From: <a1@marketplace.amazon.fr>\r\nSubject: bomb\r\n" + bomb + body, NOW)
    server.deliver(make_mail("behind it"), NOW)
    with running_proxy(server.port) as proxy, reading(proxy.port) as reader:
        reader.read()
    assert proxy.to_client < 200_000
    assert reader.subjects() == ["bomb", "behind it"]
    assert b"The words." in reader.batches[0].mails[0].content


def _nested(levels: int, opening: bytes, text: bytes) -> bytes:
    parts = b"".join(opening.replace(b"%d", b"%d" % level) for level in range(levels))
    return (
        b"From: <a1b2c3d4e5f6g7@marketplace.amazon.fr>\r\nSubject: nested\r\nMIME-Version: 1.0\r\n"
        + parts
        + b"Content-Type: text/plain\r\n\r\n"
        + text
    )


@pytest.mark.parametrize(
    "opening",
    [
        pytest.param(b'Content-Type: multipart/mixed; boundary="b%d"\r\n\r\n--b%d\r\n', id="multiparts"),
        pytest.param(b"Content-Type: message/rfc822\r\n\r\nSubject: inner\r\n", id="mails in mails"),
    ],
)
def test_a_mail_nested_beyond_all_measure_starts_its_clock_and_blocks_no_other(server: Dovecot, opening: bytes) -> None:
    server.deliver(_nested(150, opening, b"Words.\r\n" * 20_000), NOW)
    server.deliver(make_mail("behind it"), NOW)
    server.put_in_sent(make_mail("reply"), NOW)
    with reading(server.port) as reader:
        reader.read()
    assert reader.subjects() == ["nested", "behind it", "reply"]
    context = RecognitionContext(authserv_ids=frozenset(), own_addresses=frozenset())
    mail = reader.batches[0].mails[0]
    message = parse_message(mail.content, internaldate=mail.received_at, where=mail.where, context=context)
    assert message.kind is Kind.BUYER_MESSAGE
    assert message.problem  # counted as damaged, and kept for a look


def test_unrelated_mail_costs_its_headers_only(server: Dovecot) -> None:
    for number in range(20):
        server.deliver(make_mail(f"mail {number}", "x" * 50_000), NOW)
    with running_proxy(server.port) as proxy, reading(proxy.port, lambda headers, where: False) as reader:
        reader.read()
    assert sum(batch.unrelated for batch in reader.batches) == 20
    assert proxy.to_client < 20_000


def _peak_of_reading(server: Dovecot) -> int:
    source = ImapSource(make_mailbox(server.port), wants_everything)
    tracemalloc.start()
    try:
        for batch in source.fetch_new({}, SINCE):
            del batch
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
        source.close()


def test_memory_does_not_grow_with_the_mailbox(server: Dovecot) -> None:
    text = "A line of words.\r\n" * 2000
    for number in range(300):
        server.deliver(make_mail(f"mail {number}", text), NOW)
    small = _peak_of_reading(server)
    for number in range(1200):
        server.deliver(make_mail(f"more {number}", text), NOW)
    assert _peak_of_reading(server) < 1.5 * small
    assert small < 30 * MIB


def test_many_mails_come_in_bounded_batches_and_a_kill_in_between_repeats_only_one(server: Dovecot) -> None:
    for number in range(1100):
        server.deliver(make_mail(f"mail {number}"), NOW)
    with reading(server.port) as reader:
        inbox = [batch for batch in reader.read() if batch.where is Where.INBOX]
    assert [len(batch.mails) for batch in inbox] == [500, 500, 100]
    with reading(server.port) as restarted:
        restarted.cursors = {"INBOX": inbox[0].cursor}
        restarted.read()
    assert restarted.subjects() == [f"mail {number}" for number in range(500, 1100)]


# Faults


def test_a_mail_that_the_server_cannot_read_blocks_no_other(server: Dovecot) -> None:
    server.deliver(make_mail("before"), NOW)
    broken = server.deliver(make_mail("broken"), NOW)
    server.deliver(make_mail("after"), NOW)
    broken.chmod(0)
    with reading(server.port) as reader:
        reader.read()
        assert reader.subjects() == ["before", "after"]
        assert len(reader.unreadable) == 1
        assert reader.read() == []


def test_a_mail_expunged_while_it_is_read_still_counts_by_its_headers(server: Dovecot) -> None:
    files = [server.deliver(make_mail(f"mail {number}"), NOW) for number in range(3)]

    def expunge_second(headers: bytes, where: Where) -> bool:
        for file in (*server.maildir.glob("new/*"), *server.maildir.glob("cur/*")):
            if file.name.partition(":")[0] == files[1].name:
                file.unlink()
        return True

    with reading(server.port, expunge_second) as reader:
        reader.read()
        assert reader.subjects() == ["mail 0", "mail 1", "mail 2"]
        contents = [mail.content for batch in reader.batches for mail in batch.mails]
        assert contents[0] == make_mail("mail 0")
        assert contents[2] == make_mail("mail 2")


def test_a_cut_in_the_middle_of_a_mail_is_mended_within_the_reading(server: Dovecot) -> None:
    for number in range(30):
        server.deliver(make_mail(f"mail {number}", "x" * 20_000), NOW)
    with running_proxy(server.port) as proxy:
        proxy.cut_after(100_000)
        with reading(proxy.port) as reader:
            reader.read()
        assert proxy.connections == 2
    assert reader.subjects() == [f"mail {number}" for number in range(30)]
    assert not reader.unreadable


def test_a_link_that_is_always_cut_is_told_and_nothing_is_lost(server: Dovecot) -> None:
    for number in range(30):
        server.deliver(make_mail(f"mail {number}"), NOW)
    with running_proxy(server.port) as proxy, reading(proxy.port) as reader:
        proxy.cut_after(*[2000] * 50)
        with pytest.raises(MailboxError) as caught:
            reader.read()
        assert caught.value.reason == "unreachable"
        proxy.cut_after()
        reader.read()
    assert sorted(set(reader.subjects())) == sorted(f"mail {number}" for number in range(30))


def test_a_frozen_link_ends_in_a_time_out_and_heals(server: Dovecot) -> None:
    server.deliver(make_mail("before"), NOW)
    with running_proxy(server.port) as proxy, reading(proxy.port, timeout=timedelta(seconds=3)) as reader:
        reader.read()
        server.deliver(make_mail("during"), NOW)
        proxy.freeze()
        with pytest.raises(MailboxError) as caught:
            reader.read()
        assert caught.value.reason == "timeout"
        proxy.thaw()
        reader.read()
    assert reader.subjects() == ["before", "during"]


def test_a_connection_that_died_between_two_readings_is_replaced_without_an_error(server: Dovecot) -> None:
    server.deliver(make_mail("one"), NOW)
    with running_proxy(server.port) as proxy, reading(proxy.port) as reader:
        reader.read()
        proxy.cut_now()
        server.deliver(make_mail("two"), NOW)
        reader.read()
    assert reader.subjects() == ["one", "two"]


def test_a_slow_link_brings_everything(server: Dovecot) -> None:
    for number in range(20):
        server.deliver(make_mail(f"mail {number}", "x" * 5000), NOW)
    with running_proxy(server.port) as proxy, reading(proxy.port) as reader:
        proxy.delay_seconds = 0.02
        reader.read()
    assert len(reader.subjects()) == 20


# Watching


@pytest.mark.parametrize("tls", [False, True], ids=["plain", "tls"])
def test_every_arrival_is_announced_and_none_falls_between_two_waits(server: Dovecot, tls: bool) -> None:
    changes: dict[str, Any] = {"security": "tls", "ca_file": str(server.ca_file)} if tls else {}
    stop = threading.Event()
    with reading(server.tls_port if tls else server.port, **changes) as reader:
        for number in range(3):
            reader.read()
            assert len(reader.subjects()) == number
            # Before, between or during the watch: it is told.
            server.deliver(make_mail(f"mail {number}"), NOW)
            assert reader.source.wait_for_change(stop, 120) is True
        reader.read()
    assert len(reader.subjects()) == 3


def test_mail_that_came_between_reading_and_the_first_watch_is_told_at_once(server: Dovecot) -> None:
    with reading(server.port) as reader:
        reader.read()
        server.deliver(make_mail("in between"), NOW)
        assert reader.source.wait_for_change(threading.Event(), 120) is True


def test_a_cut_watch_is_told_at_once_and_no_busy_loop_follows(server: Dovecot) -> None:
    with running_proxy(server.port) as proxy, reading(proxy.port) as reader:
        reader.read()
        failed: list[MailboxError] = []

        def watch() -> None:
            try:
                reader.source.wait_for_change(threading.Event(), 60)
            except MailboxError as error:
                failed.append(error)

        watching = threading.Thread(target=watch)
        watching.start()
        wait_until(lambda: proxy.connections == 2, "the watch to connect")
        wait_until(lambda: _logins(server) == 2, "the watch to log in")
        proxy.cut_now()
        watching.join(40)  # less than it would have watched
        assert [error.reason for error in failed] == ["unreachable"]
        proxy.refuse()
        for _ in range(3):
            with pytest.raises(MailboxError):
                reader.source.wait_for_change(threading.Event(), 60)


def _logins(server: Dovecot) -> int:
    return (server.directory / "dovecot.log").read_text().count("Login: user=")


def test_a_dead_link_shows_when_the_watch_is_renewed(server: Dovecot) -> None:
    with running_proxy(server.port) as proxy, reading(proxy.port, timeout=timedelta(seconds=3)) as reader:
        reader.read()
        assert reader.source.wait_for_change(threading.Event(), 0.05) is False
        proxy.freeze()
        with pytest.raises(MailboxError) as caught:
            reader.source.wait_for_change(threading.Event(), 0.2)
        assert caught.value.reason == "timeout"
        proxy.thaw()
        assert reader.source.wait_for_change(threading.Event(), 0.05) is False


def test_a_stop_is_obeyed_at_once_even_on_a_dead_link(server: Dovecot) -> None:
    stop = threading.Event()
    with running_proxy(server.port) as proxy, reading(proxy.port, timeout=timedelta(seconds=30)) as reader:
        reader.read()
        assert reader.source.wait_for_change(stop, 0.05) is False
        watching = threading.Thread(target=reader.source.wait_for_change, args=(stop, 60))
        watching.start()
        wait_until(lambda: proxy.to_server > 0, "the watch")
        proxy.freeze()
        stop.set()
        watching.join(20)  # less than the link's time-out, and than it would have watched
        assert not watching.is_alive()
        proxy.thaw()


def test_reading_and_watching_may_run_beside_each_other(server: Dovecot) -> None:
    stop = threading.Event()
    with reading(server.port) as reader:
        reader.read()
        watching = threading.Thread(target=reader.source.wait_for_change, args=(stop, 60))
        watching.start()
        for number in range(5):
            server.deliver(make_mail(f"mail {number}"), NOW)
            reader.read()
        stop.set()
        watching.join(40)
        assert not watching.is_alive()
    assert len(reader.subjects()) == 5


def test_closing_from_another_thread_ends_a_wait(server: Dovecot) -> None:
    ended: list[object] = []
    with running_proxy(server.port) as proxy, reading(proxy.port) as reader:
        reader.read()
        assert reader.source.wait_for_change(threading.Event(), 0.05) is False
        sent_before = proxy.to_server

        def watch() -> None:
            try:
                ended.append(reader.source.wait_for_change(threading.Event(), 60))
            except MailboxError as error:
                ended.append(error)

        watching = threading.Thread(target=watch)
        watching.start()
        wait_until(lambda: proxy.to_server > sent_before, "IDLE to be sent")
        reader.source.close()
        watching.join(40)
    assert len(ended) == 1
    assert ended[0] is not True


def _descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def test_no_descriptor_is_left_behind(server: Dovecot) -> None:
    server.deliver(make_mail("one"), NOW)
    before = _descriptors()
    for _ in range(5):
        with reading(server.port) as reader:
            reader.read()
            reader.source.wait_for_change(threading.Event(), 0.01)
        with reading(server.port, password="wrong") as refused, pytest.raises(LoginRefused):
            refused.read()
    assert _descriptors() <= before
