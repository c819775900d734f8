# ruff: noqa: E501
"""Whom to believe about the sender."""

import base64
from datetime import UTC, datetime, timedelta

import dkim
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from monitor.core.messages import Authenticity, Kind, Where
from monitor.parse import RecognitionContext, parse_message
from monitor.parse.authenticity import authserv_id, verdict
from monitor.parse.dkim_keys import FORGOTTEN_WHEN_MISSING, KEPT_AT_MOST, REMEMBERED, build_dkim_keys
from monitor.parse.headers import parse_headers
from tests.corpus.traps import BODY, SIGNED, raw
from tests.fakes import FakeWallClock

IDS = frozenset({"mx.acme.example"})
RELAY = "marketplace.amazon.fr"


@pytest.mark.parametrize(
    ("lines", "found"),
    [
        (["mx.acme.example; dmarc=pass header.from=marketplace.amazon.fr"], Authenticity.PASSED),
        (["MX.acme.example 1; dmarc=pass (p=reject) header.from=marketplace.amazon.fr"], Authenticity.PASSED),
        (["mx.acme.example; dmarc=fail header.from=marketplace.amazon.fr; dkim=pass header.d=amazon.com"], Authenticity.FAILED),
        (["mx.acme.example; dmarc=none; dkim=pass header.d=amazon.com"], Authenticity.PASSED),
        (["mx.acme.example; dkim=pass header.i=@marketplace.amazon.fr"], Authenticity.PASSED),
        (["mx.acme.example; dkim=fail header.d=amazon.fr"], Authenticity.FAILED),
        (["mx.acme.example; dkim=fail header.d=amazon.fr; dkim=pass header.d=amazon.fr"], Authenticity.PASSED),
        (["mx.acme.example; dkim=temperror header.d=amazon.fr"], Authenticity.UNKNOWN),
        (["mx.acme.example; dkim=pass header.d=amazonses.com"], Authenticity.UNKNOWN),
        (["mx.acme.example; dkim=pass header.d=amazon.fr.example.net"], Authenticity.UNKNOWN),
        (["mx.acme.example; dmarc=pass header.from=example.net"], Authenticity.UNKNOWN),
        (["mx.acme.example; spf=pass smtp.mailfrom=amazon.com"], Authenticity.UNKNOWN),
        (["other.example; dmarc=pass header.from=marketplace.amazon.fr"], Authenticity.UNKNOWN),
        (['mx.acme.example; x="; dmarc=pass"; dmarc=fail header.from=marketplace.amazon.fr'], Authenticity.FAILED),
        (["mx.acme.example ((nested); dmarc=pass); none"], Authenticity.UNKNOWN),
        (["mx.acme.example; none"], Authenticity.UNKNOWN),
        (["mx.acme.example; dkim=none", "mx.acme.example; dmarc=pass header.from=marketplace.amazon.fr"], Authenticity.PASSED),
        (["mx.acme.example; dmarc=fail header.from=marketplace.amazon.fr", "mx.acme.example; dmarc=pass header.from=marketplace.amazon.fr"],
         Authenticity.FAILED),
        (["mx.acme.example; dmarc=pass header.from=marketplace.amazon.fr; dmarc=fail header.from=marketplace.amazon.fr"], Authenticity.FAILED),
        ([""], Authenticity.UNKNOWN),
        ([], Authenticity.UNKNOWN),
    ],
)  # fmt: skip
def test_only_the_configured_server_is_believed(lines: list[str], found: Authenticity) -> None:
    headers = parse_headers("".join(f"Authentication-Results: {line}\n" for line in lines).encode())
    assert verdict(headers, RELAY, IDS) is found
    assert verdict(headers, RELAY, None) is Authenticity.UNKNOWN
    assert verdict(headers, RELAY, frozenset()) is Authenticity.UNKNOWN
    assert verdict(headers, "example.net", IDS) is Authenticity.UNKNOWN


def test_verdicts_below_a_received_line_were_in_the_mail_before() -> None:
    block = "Received: by mx\nAuthentication-Results: mx.acme.example; dkim=none\nReceived: from x\n"
    forged = "Authentication-Results: mx.acme.example; dmarc=pass header.from=marketplace.amazon.fr\n"
    assert verdict(parse_headers((block + forged).encode()), RELAY, IDS) is Authenticity.UNKNOWN


def test_pass_of_a_country_nobody_knows_proves_nothing() -> None:
    headers = parse_headers(b"Authentication-Results: mx.acme.example; dmarc=pass header.from=amazon.xx\n")
    assert verdict(headers, "amazon.xx", IDS) is Authenticity.UNKNOWN


def test_authserv_id_is_the_first_word() -> None:
    assert authserv_id("(c) mx.example 1; none") == "mx.example"
    assert authserv_id("") == ""


KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
PRIVATE = KEY.private_bytes(
    serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
)
PUBLIC = KEY.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
RECORD = b"v=DKIM1; k=rsa; p=" + base64.b64encode(PUBLIC)
COPY = raw(
    "<p>-------- Message: --------</p><pre>x</pre><p>-------- End --------</p>", html=True, From="Amazon.fr <donotreply@amazon.com>",
    X_Space_Notification_Type="BBC_MESSAGE_CONFIRMATION_TO_MERCHANT",
)  # fmt: skip


def signed(content: bytes, domain: str = "amazon.com", **more: object) -> bytes:
    """Return the mail with a signature made by our key."""
    content = content.replace(b"\n", b"\r\n")
    return bytes(dkim.sign(content, b"s1", domain.encode(), PRIVATE, **more)) + content


def keys(selector: str, domain: str) -> bytes | None:
    """Return our key for Amazon's selector."""
    return RECORD if selector == "s1" else None


def authenticity(content: bytes, **context: object) -> Authenticity:
    """Return the verdict of a mail that must be a copy or a buyer message."""
    recognition = RecognitionContext(dkim_keys=keys, **context)  # type: ignore[arg-type]
    message = parse_message(content, internaldate=None, where=Where.INBOX, context=recognition)
    assert message.kind in (Kind.CONFIRMATION_COPY, Kind.BUYER_MESSAGE)
    return message.authenticity


def test_signature_of_an_amazon_domain_is_proof() -> None:
    assert authenticity(signed(COPY)) is Authenticity.PASSED
    assert authenticity(signed(raw(BODY), RELAY)) is Authenticity.PASSED


def test_changed_mail_fails() -> None:
    assert authenticity(signed(COPY).replace(b"<pre>x", b"<pre>y")) is Authenticity.FAILED


@pytest.mark.parametrize(
    "content",
    [
        COPY,
        signed(COPY, "example.net"),
        signed(COPY, "amazonses.com"),
        signed(COPY, "amazon.com.example.net"),
        signed(COPY, length=True),
        b"From: Amazon.fr <donotreply@amazon.com>\r\n" + signed(COPY),
        b"Subject: another\r\n" + signed(COPY),
    ],
    ids=["unsigned", "stranger", "ses", "look-alike", "partial-body", "second-from", "second-subject"],
)
def test_what_is_not_amazons_signature_over_the_whole_mail_proves_nothing(content: bytes) -> None:
    assert authenticity(content) is Authenticity.UNKNOWN


def test_key_that_cannot_be_had_leaves_it_open() -> None:
    content = signed(COPY).replace(b"s=s1", b"s=s2")
    assert authenticity(content) is Authenticity.UNKNOWN


def test_servers_verdict_comes_before_our_own_check() -> None:
    verdict_line = b"Authentication-Results: mx.acme.example; dmarc=fail header.from=amazon.com\r\n"
    assert authenticity(verdict_line + signed(COPY), authserv_ids=IDS) is Authenticity.FAILED


def test_copy_that_was_written_for_somebody_else_is_no_proof() -> None:
    ours = {"own_addresses": frozenset({"support@acme.example"}), "recipients_known": True}
    assert authenticity(signed(COPY), **ours) is Authenticity.PASSED
    other = signed(COPY.replace(b"support@acme.example", b"x@other.example"))
    assert authenticity(other, **ours) is Authenticity.UNKNOWN


WRITTEN_TO = b"To: support@acme.example"


@pytest.mark.parametrize(
    ("to", "found"),
    [
        pytest.param(WRITTEN_TO, Authenticity.PASSED, id="an own address"),
        pytest.param(b"To: Orders <orders@acme.example>", Authenticity.PASSED, id="another of an own domain"),
        pytest.param(b"To: zoe@freemail.example", Authenticity.UNKNOWN, id="the buyer who sends it again"),
        pytest.param(
            b"To: zoe@freemail.example\nCc: support@acme.example\nDelivered-To: support@acme.example",
            Authenticity.UNKNOWN,
            id="own address in headers that nobody signs",
        ),
        pytest.param(b"To: support@acme.example\nTo: zoe@freemail.example", Authenticity.UNKNOWN, id="two of them"),
        pytest.param(b"X-Nothing: 1", Authenticity.UNKNOWN, id="none"),
    ],
)
def test_amazons_mail_to_somebody_else_is_no_copy_by_an_added_header(to: bytes, found: Authenticity) -> None:
    assert WRITTEN_TO in COPY
    content = b"Authentication-Results: mx.acme.example; dmarc=pass header.from=amazon.com\n" + COPY.replace(
        WRITTEN_TO, to
    )
    own = {"own_addresses": frozenset({"support@acme.example"}), "own_domains": frozenset({"acme.example"})}
    assert authenticity(content, authserv_ids=IDS, recipients_known=True, **own) is found
    assert authenticity(content, authserv_ids=IDS, **own) is Authenticity.PASSED  # nobody said where Amazon writes


def test_cut_mail_is_not_called_forged() -> None:
    whole = (
        raw(BODY).replace(b"Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\n",
                          b"Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/plain; charset=utf-8\n\n")
        + b"\n--b--\n"
    )  # fmt: skip
    content = signed(whole, RELAY)
    assert authenticity(content) is Authenticity.PASSED
    assert authenticity(content.replace(b"--b--", b"")) is Authenticity.UNKNOWN
    assert SIGNED.encode() in content


def test_keys_are_asked_for_once_and_forgotten_in_time() -> None:
    asked: list[str] = []
    clock = FakeWallClock(datetime(2026, 11, 20, tzinfo=UTC))

    def fetch(name: str, timeout_seconds: float) -> bytes | None:
        assert timeout_seconds <= 5
        asked.append(name)
        return RECORD if name.startswith("s1.") else None

    look_up = build_dkim_keys(clock, fetch)
    assert look_up("s1", "amazon.com") == look_up("s1", "amazon.com") == RECORD
    assert asked == ["s1._domainkey.amazon.com."]
    assert look_up("s2", "amazon.com") is look_up("s2", "amazon.com") is None
    assert len(asked) == 2
    clock.advance(FORGOTTEN_WHEN_MISSING + timedelta(seconds=1))
    look_up("s2", "amazon.com")
    assert len(asked) == 3
    clock.advance(REMEMBERED)
    look_up("s1", "amazon.com")
    assert len(asked) == 4
    for number in range(KEPT_AT_MOST + 1):
        look_up(f"x{number}", "amazon.com")
    look_up("s1", "amazon.com")
    assert asked[-1].startswith("s1.")
    assert look_up("../x", "amazon.com") is look_up("", "amazon.com") is None
