"""What a failure means, and what its text must not say."""

import errno
import socket
import ssl
import urllib.error
from datetime import UTC, datetime, timedelta

import pytest
import requests
import urllib3

from alerts.errors import Reason
from alerts.notifiers.http import mask_phone, network_error, redact, retry_after_of, status_error

NOW = datetime(2026, 11, 21, 1, 38, tzinfo=UTC)
POOL = urllib3.HTTPConnectionPool("127.0.0.1", 9)
CONNECTION = urllib3.connection.HTTPConnection("127.0.0.1", 9)


@pytest.mark.parametrize(
    "problem",
    [
        ConnectionRefusedError(errno.ECONNREFUSED, "refused"),
        urllib.error.URLError(ConnectionRefusedError(errno.ECONNREFUSED, "refused")),
        urllib.error.URLError(socket.gaierror(-2, "Name or service not known")),
        urllib.error.URLError(OSError(errno.ENETUNREACH, "Network is unreachable")),
        OSError(errno.EHOSTUNREACH, "No route to host"),
        urllib.error.URLError(ssl.SSLCertVerificationError(1, "self-signed certificate")),
        requests.ConnectTimeout(urllib3.exceptions.ConnectTimeoutError(POOL, "timed out")),
        requests.ConnectionError(
            urllib3.exceptions.NameResolutionError("a.example", CONNECTION, socket.gaierror(-2, "no"))
        ),
    ],
    ids=lambda problem: type(problem).__name__,
)
def test_what_happens_before_anything_is_said_is_not_sent(problem: Exception) -> None:
    error = network_error("slack", problem)
    assert (error.retryable, error.ambiguous, error.reason) == (True, False, Reason.UNREACHABLE)


@pytest.mark.parametrize(
    ("problem", "reason"),
    [
        (TimeoutError("timed out"), Reason.TIMEOUT),
        (urllib.error.URLError(TimeoutError("timed out")), Reason.TIMEOUT),
        (requests.ReadTimeout("read timed out"), Reason.TIMEOUT),
        (ConnectionResetError(errno.ECONNRESET, "reset"), Reason.UNREACHABLE),
        (BrokenPipeError(errno.EPIPE, "broken pipe"), Reason.UNREACHABLE),
        (requests.ConnectionError("aborted", ConnectionResetError(104, "reset")), Reason.UNREACHABLE),
        (ssl.SSLEOFError("EOF"), Reason.UNREACHABLE),
        (requests.exceptions.ChunkedEncodingError("half an answer"), Reason.UNREACHABLE),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else str(value),
)
def test_what_happens_later_is_ambiguous(problem: Exception, reason: Reason) -> None:
    error = network_error("slack", problem)
    assert (error.retryable, error.ambiguous, error.reason) == (True, True, reason)


@pytest.mark.parametrize(
    ("status", "retryable", "ambiguous", "reason"),
    [
        (301, False, False, Reason.REJECTED),
        (400, False, False, Reason.REJECTED),
        (401, False, False, Reason.BAD_CREDENTIALS),
        (403, False, False, Reason.BAD_CREDENTIALS),
        (404, False, False, Reason.GONE),
        (408, True, True, Reason.TIMEOUT),
        (410, False, False, Reason.GONE),
        (422, False, False, Reason.REJECTED),
        (429, True, False, Reason.RATE_LIMITED),
        (500, True, True, Reason.SERVER_ERROR),
        (502, True, True, Reason.SERVER_ERROR),
        (503, True, True, Reason.SERVER_ERROR),
        (599, True, True, Reason.SERVER_ERROR),
    ],
)
def test_each_status_has_one_meaning(status: int, retryable: bool, ambiguous: bool, reason: Reason) -> None:
    error = status_error('webhook receiver "ops"', status)
    assert (error.retryable, error.ambiguous, error.reason) == (retryable, ambiguous, reason)
    assert str(error).startswith(f'webhook receiver "ops": HTTP {status}')


@pytest.mark.parametrize(
    ("value", "wait"),
    [
        ("17", timedelta(seconds=17)),
        ("0", timedelta(0)),
        ("999999999999", timedelta(hours=1)),
        ("Sat, 21 Nov 2026 01:39:00 GMT", timedelta(minutes=1)),
        ("Sat, 21 Nov 2026 01:00:00 GMT", timedelta(0)),
        ("soon", None),
        ("-5", None),
    ],
)
def test_retry_after_is_seconds_or_a_date_and_never_more_than_an_hour(value: str, wait: timedelta | None) -> None:
    assert retry_after_of({"retry-AFTER": value}, NOW) == wait


def test_without_the_header_the_server_asks_for_nothing() -> None:
    assert retry_after_of({"Content-Type": "x"}, NOW) is None


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ("token xoxb-123-abc-DEF refused", "xoxb-123-abc-DEF"),
        ("xapp-1-A0-99-abcdef", "xapp-1-A0-99-abcdef"),
        ("Authorization: Bearer abcdef123456", "abcdef123456"),
        ("GET https://hooks.example/T0/B0/secretpath?x=1", "secretpath"),
        ("wss://wss.example/link/?ticket=abcdef", "abcdef"),
        ("https://user:pass@hooks.example/a", "pass"),
        ("api?token=abcdefgh", "abcdefgh"),
        ("to +33600000001", "+3360000"),
        ("my own hunter22", "hunter22"),
    ],
)
def test_no_secret_stays_in_a_text(text: str, secret: str) -> None:
    assert secret not in redact(text, ["hunter22"])


def test_a_masked_phone_can_be_told_from_another_but_not_called() -> None:
    assert mask_phone("+33600000001") == "+33***0001"
    assert mask_phone("+331") == "***"
