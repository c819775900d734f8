"""E-mail, webhook and console: what arrives, and what happens when it cannot."""

import hashlib
import hmac
import io
import json
import ssl
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from alerts.core.model import Channel, Purpose
from alerts.core.words import content
from alerts.errors import DeliveryError, Reason
from alerts.notifiers.console import ConsoleNotifier
from alerts.notifiers.email import EmailNotifier
from alerts.notifiers.webhook import SIGNATURE_HEADER, TIMESTAMP_HEADER, WebhookNotifier, signature
from tests.support.deliveries import NOW, make_delivery, make_facts
from tests.support.hook_server import HookServer
from tests.support.smtp_server import SmtpServer, make_certificate

TO_ANA = make_delivery(channel=Channel.EMAIL, address="ana@acme.example", receiver="ana-mail")


def mailer(server: SmtpServer, **changes: Any) -> EmailNotifier:
    values: dict[str, Any] = {
        "host": server.host,
        "port": server.port,
        "security": "none",
        "sender": "ReplyBy <replyby@acme.example>",
        "timeout_seconds": 5,
    }
    return EmailNotifier(**{**values, **changes})


def mail_failure(notifier: EmailNotifier) -> DeliveryError:
    with pytest.raises(DeliveryError) as caught:
        notifier.send(TO_ANA)
    assert "hunter22" not in str(caught.value)
    return caught.value


def test_an_alert_is_a_mail_in_two_forms_with_its_own_id() -> None:
    facts = make_facts(labels=("delivery",), seller_central_url="https://sellercentral.amazon.fr/x?a=1&b=2")
    with SmtpServer() as server:
        delivery = make_delivery(facts, channel=Channel.EMAIL, address="ana@acme.example")
        first = mailer(server).send(delivery)
        second = mailer(server).send(delivery)
    assert first.provider_id == second.provider_id, "a repeated page folds into one"
    mail = server.accepted[0]
    assert mail.recipients == ("ana@acme.example",)
    assert mail.sender == "replyby@acme.example"
    assert mail.message["Subject"] == "FR · 402-1234567-1234567 · reply due in 1 h 32 min (04:10)"
    assert mail.message["Message-ID"] == first.provider_id
    assert mail.message["Auto-Submitted"] == "auto-generated"
    assert mail.message["References"] == "<thread-11.replyby@acme.example>"
    plain, html = mail.message.get_body(("plain",)), mail.message.get_body(("html",))
    assert plain is not None
    assert html is not None
    assert "France · order 402-1234567-1234567 · delivery" in plain.get_content()
    assert 'href="https://sellercentral.amazon.fr/x?a=1&amp;b=2"' in html.get_content()


def test_a_report_carries_its_pictures_inside(tmp_path: Path) -> None:
    picture = tmp_path / "heat.png"
    picture.write_bytes(b"\x89PNG invented")
    body = content.report(
        "Week 47", ["142 messages"], text="the whole report", html='<p>whole</p><img src="cid:heat">',
        images=[
            content.report_image("heat", "Heat", str(picture), "heat"),
            content.report_image("gone", "Gone", str(tmp_path / "gone.png"), "gone"),
        ],
    )  # fmt: skip
    with SmtpServer() as server:
        delivery = make_delivery(
            channel=Channel.EMAIL, address="ana@acme.example", purpose=Purpose.REPORT, content=body
        )
        receipt = mailer(server).send(delivery)
    message = server.accepted[0].message
    image = next(part for part in message.walk() if part.get_content_type() == "image/png")
    assert image["Content-ID"] == "<heat>"
    assert image.get_payload(decode=True) == b"\x89PNG invented"
    assert "gone.png not read" in receipt.detail


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_tls_is_verified_and_the_login_travels_inside_it(security: str, tmp_path: Path) -> None:
    certificate = make_certificate(tmp_path)
    with SmtpServer(security=security, username="replyby", password="hunter22", certificate=certificate) as server:
        settings = {"security": security, "username": "replyby"}
        good = mailer(server, **settings, password="hunter22", ca_file=str(certificate[0]))
        assert good.send(TO_ANA).provider_id

        untrusted = mail_failure(mailer(server, **settings, password="hunter22"))
        assert (untrusted.retryable, untrusted.ambiguous) == (True, False)
        assert "certificate" in str(untrusted)

        refused = mail_failure(mailer(server, **settings, password="wrong-hunter22", ca_file=str(certificate[0])))
        assert (refused.retryable, refused.reason) == (False, Reason.BAD_CREDENTIALS)
    assert len(server.accepted) == 1


def test_a_server_without_starttls_gets_no_password() -> None:
    with SmtpServer() as server:
        error = mail_failure(mailer(server, security="starttls", username="replyby", password="hunter22"))
    assert (error.retryable, error.reason) == (False, Reason.REJECTED)
    assert "STARTTLS" in str(error)


def test_no_encryption_is_for_this_machine_only() -> None:
    with pytest.raises(ValueError, match="this machine only"):
        EmailNotifier(host="smtp.acme.example", sender="a@acme.example", security="none")
    with pytest.raises(ValueError, match="unknown"):
        EmailNotifier(host="127.0.0.1", sender="a@acme.example", security="ssl3")


@pytest.mark.parametrize(
    ("command", "answer", "retryable", "ambiguous", "reason"),
    [
        ("RCPT", "550 no such user", False, False, Reason.BAD_ADDRESS),
        ("RCPT", "450 greylisted", True, False, Reason.SERVER_ERROR),
        ("DATA", "554 spam", False, False, Reason.REJECTED),
        ("DATA", "452 disk full", True, False, Reason.SERVER_ERROR),
        ("DATA", "drop before", True, True, Reason.UNREACHABLE),
        ("DATA", "drop after", True, True, Reason.UNREACHABLE),
    ],
)
def test_what_the_server_says_decides(
    command: str, answer: str, retryable: bool, ambiguous: bool, reason: Reason
) -> None:
    with SmtpServer() as server:
        server.script.answers[command] = [answer]
        error = mail_failure(mailer(server))
        assert (error.retryable, error.ambiguous, error.reason) == (retryable, ambiguous, reason)
        assert len(server.accepted) == (answer == "drop after")


def test_a_mail_server_that_is_down_is_tried_again() -> None:
    with SmtpServer() as server:
        pass
    error = mail_failure(mailer(server))
    assert (error.retryable, error.ambiguous, error.reason) == (True, False, Reason.UNREACHABLE)


def test_a_mail_cannot_be_looked_up() -> None:
    with SmtpServer() as server, pytest.raises(DeliveryError) as caught:
        mailer(server).find(TO_ANA)
    assert not caught.value.retryable


def test_a_webhook_is_signed_over_time_and_body() -> None:
    with HookServer(clock=lambda: NOW) as server:
        delivery = make_delivery(
            channel=Channel.WEBHOOK, address=f"{server.base_url}/hook?key=1", secret="signing-secret"
        )
        WebhookNotifier().send(delivery)
        call = server.accepted[0]
    stamp = call.headers[TIMESTAMP_HEADER.lower()]
    assert stamp == str(int(NOW.timestamp()))
    expected = hmac.new(b"signing-secret", stamp.encode() + b"." + call.body, hashlib.sha256).hexdigest()
    assert call.headers[SIGNATURE_HEADER.lower()] == f"v1={expected}" == signature("signing-secret", stamp, call.body)
    assert call.headers["idempotency-key"] == "ref-0001"
    assert call.path == "/hook"
    assert call.params["key"] == "1"


def test_a_webhook_says_what_status_says_and_no_link_with_an_alias() -> None:
    facts = make_facts(
        holding_reply_url="mailto:alias@marketplace.amazon.fr",
        no_response_url="https://sellercentral.amazon.fr/nrn?m=signed",
        acknowledged_by="Ana",
    )
    with HookServer(clock=lambda: NOW) as server:
        WebhookNotifier().send(make_delivery(facts, channel=Channel.WEBHOOK, address=server.base_url))
        body = json.loads(server.accepted[0].body)
    assert body["text"] == "FR · 402-1234567-1234567 · reply due in 1 h 32 min (04:10)"
    assert body["threads"][0]["remaining_seconds"] == 92 * 60
    assert body["threads"][0]["started_at"] == "2026-11-20T03:10:00+00:00"
    assert body["threads"][0]["acknowledged_by"] == "Ana"
    assert "alias@" not in json.dumps(body)
    assert "signed" not in json.dumps(body)


def test_a_webhook_follows_no_redirect() -> None:
    with HookServer(clock=lambda: NOW) as server, HookServer(clock=lambda: NOW) as elsewhere:
        server.faults.fail_next("hook", "answer", status=307, headers={"Location": f"{elsewhere.base_url}/stolen"})
        with pytest.raises(DeliveryError) as caught:
            WebhookNotifier().send(make_delivery(channel=Channel.WEBHOOK, address=server.base_url, secret="s"))
    assert caught.value.reason is Reason.REJECTED
    assert elsewhere.requests == []


def test_a_webhook_verifies_tls(tmp_path: Path) -> None:
    certificate, key = make_certificate(tmp_path)
    server = HookServer(clock=lambda: NOW)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, key)
    server._http.socket = context.wrap_socket(server._http.socket, server_side=True)
    address = f"https://127.0.0.1:{server.port}/hook"
    delivery = make_delivery(channel=Channel.WEBHOOK, address=address)
    with server:
        assert WebhookNotifier(ca_file=str(certificate)).send(delivery).provider_id == "ref-0001"
        with pytest.raises(DeliveryError, match="certificate") as caught:
            WebhookNotifier(timeout_seconds=5).send(delivery)
        assert not caught.value.ambiguous
    assert len(server.accepted) == 1


@pytest.mark.parametrize("address", ["", "ftp://127.0.0.1/", "https://", "http://[::1", "nonsense"])
def test_an_address_that_is_none_is_permanent(address: str) -> None:
    with pytest.raises(DeliveryError) as caught:
        WebhookNotifier().send(make_delivery(channel=Channel.WEBHOOK, address=address))
    assert (caught.value.retryable, caught.value.reason) == (False, Reason.BAD_ADDRESS)


def test_the_console_says_it_in_one_line_and_the_details_below() -> None:
    stream = io.StringIO()
    facts = make_facts(labels=("delivery",), acknowledged_by="Ana", acknowledged_at=NOW)
    ConsoleNotifier(stream).send(make_delivery(facts, channel=Channel.CONSOLE, person="Ana"))
    assert stream.getvalue().splitlines() == [
        "02:38 🟠 FR · 402-1234567-1234567 · reply due in 1 h 32 min (04:10) → Ana",
        "      France · order 402-1234567-1234567 · delivery",
        "      Waiting since Fri 04:10 · 1 message",
        "      Ana has it since 02:38",
    ]


def test_the_console_in_a_pipe_is_plain_text_and_obeys_no_markup() -> None:
    stream = io.StringIO()
    evil = make_facts(timedelta(minutes=-5), order_id="[bold red]x[/] :smile: \x1b[31m")
    ConsoleNotifier(stream, details=False).send(make_delivery(evil, channel=Channel.CONSOLE))
    assert "[bold red]x[/] :smile:" in stream.getvalue()
    assert "\x1b" not in stream.getvalue()


def test_a_console_that_was_closed_is_told() -> None:
    stream = io.StringIO()
    notifier = ConsoleNotifier(stream)
    stream.close()
    with pytest.raises(DeliveryError) as caught:
        notifier.send(make_delivery(channel=Channel.CONSOLE))
    assert not caught.value.retryable


def test_summaries_reach_every_channel() -> None:
    body = content.health("mailbox_blind", "support", detail="login refused")
    stream = io.StringIO()
    with SmtpServer() as smtp, HookServer(clock=lambda: NOW) as hook:
        mailer(smtp).send(
            make_delivery(channel=Channel.EMAIL, address="a@b.example", purpose=Purpose.HEALTH, content=body)
        )
        WebhookNotifier().send(
            make_delivery(channel=Channel.WEBHOOK, address=hook.base_url, purpose=Purpose.HEALTH, content=body)
        )
        ConsoleNotifier(stream).send(make_delivery(channel=Channel.CONSOLE, purpose=Purpose.HEALTH, content=body))
        said = "ReplyBy is blind on support: login refused."
        assert smtp.accepted[0].message["Subject"] == said
        assert said in json.loads(hook.accepted[0].body)["text"]
        assert said in stream.getvalue()
