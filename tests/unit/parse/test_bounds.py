# ruff: noqa: E501
"""Hostile and broken mails: no crash, no hang, nothing dropped, and a line that says what was wrong."""

import time
from datetime import UTC, datetime

import pytest

from monitor.core.messages import Kind, Message, Where
from monitor.parse import RecognitionContext, parse_message

HEAD = b"From: abc123abc123abc@marketplace.amazon.fr\r\nSubject: x\r\nDate: Fri, 20 Nov 2026 04:10:12 +0000\r\nMIME-Version: 1.0\r\n"
NOW = datetime(2026, 11, 20, 5, tzinfo=UTC)
BOUND_SECONDS = 5.0
MIXED = HEAD + b"Content-Type: multipart/mixed; boundary=x\r\n\r\n"
TEXT = b"--x\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nmy words\r\n"


def read(content: bytes) -> Message:
    """Parse within a bound of CPU time that is long for a slow machine, and short for what is not linear."""
    started = time.process_time()
    message = parse_message(content, internaldate=NOW, where=Where.INBOX, context=RecognitionContext())
    assert time.process_time() - started < BOUND_SECONDS
    return message


def repeated(piece: bytes, size: int = 1_000_000) -> bytes:
    """Return about `size` bytes of one piece."""
    return piece * (size // len(piece))


@pytest.mark.parametrize(
    "piece",
    [
        b"<div>",
        b"<b></p>",
        b"<!--",
        b"<",
        b"<a href='",
        b'<a title="',
        b"<script>",
        b"<pre>",
        b"<nobr><select>",
        b"&amp",
        b"<blockquote>",
        b"<td>",
    ],
    ids=repr,
)
def test_a_megabyte_of_hostile_html_takes_seconds_at_most(piece: bytes) -> None:
    assert read(HEAD + b"Content-Type: text/html\r\n\r\n" + repeated(piece)).kind is Kind.BUYER_MESSAGE


@pytest.mark.parametrize("piece", [b")", b">", "\u200f".encode()], ids=repr)
def test_a_link_with_a_hundred_thousand_brackets_behind_it_takes_seconds_at_most(piece: bytes) -> None:
    body = b"bonjour\n\nhttps://www.amazon.fr/" + repeated(piece, 100_000) + b" x\n"
    assert read(HEAD + b"Content-Type: text/plain; charset=utf-8\r\n\r\n" + body).kind is Kind.BUYER_MESSAGE


@pytest.mark.parametrize(
    "piece",
    [b"-", b"- ", b"---- a ", b"----- a -----\n", b"> ", b"> a\n", b"a: b@c\n", b"https://amazon", b"a:\n> b\n", b"# 402-1234567-1234567\n",
     b"-- \n---- a: b@c ----\na: b\n", "\u200f".encode(), "文".encode(), b"https://sellercentral.amazon.fr/messaging/no-response-needed?m=1 "],
    ids=repr,
)  # fmt: skip
def test_a_megabyte_of_hostile_text_takes_seconds_at_most(piece: bytes) -> None:
    assert read(HEAD + b"Content-Type: text/plain\r\n\r\n" + repeated(piece)).kind is Kind.BUYER_MESSAGE


@pytest.mark.parametrize(
    ("header", "problem"),
    [
        (b"Subject: " + repeated(b"=?utf-8?q?a?= "), "256 KB"),
        (repeated(b"X-A: b\r\n"), "256 KB"),
        (b"X-A: b\r\n" * 3000, "2000 headers"),
        (b"X: " + repeated(b"a\r\n "), "256 KB"),
        (b"From: " + repeated(b"(", 100_000), None),
        (b"To: " + repeated(b'"a, <b', 100_000), None),
        (b"Date: " + repeated(b"(", 190), None),
        (b"References: " + repeated(b"<a@b> ", 200_000), None),
        (b"Authentication-Results: " + repeated(b"mx(;", 100_000), None),
    ],
)
def test_header_bombs_are_read_in_part(header: bytes, problem: str | None) -> None:
    message = read(header.rstrip() + b"\r\n" + HEAD + b"\r\nx")
    assert problem is None or problem in (message.problem or "")


def test_nesting_bombs_are_bounded() -> None:
    levels = b"".join(b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (n, n) for n in range(3000))
    assert "nested too deeply" in (read(HEAD + levels + repeated(b"x")).problem or "")
    mails = b"Content-Type: message/rfc822\r\n\r\n"
    assert read(HEAD + mails * 30_000).kind is Kind.BUYER_MESSAGE
    assert read(HEAD + mails * 200 + repeated(b"x", 20_000_000)).kind is Kind.BUYER_MESSAGE
    assert "more parts" in (read(MIXED + repeated(b"--x\r\n\r\na\r\n")).problem or "")


def test_twenty_megabytes_attached_are_not_decoded() -> None:
    attached = (
        b"--x\r\nContent-Type: application/zip\r\nContent-Transfer-Encoding: base64\r\n\r\n"
        + (b"QUJD" * 19 + b"\r\n") * 260_000
    )
    message = read(MIXED + TEXT + attached + b"--x--\r\n")
    assert (message.buyer_text, message.problem) == ("my words", None)


@pytest.mark.parametrize(
    ("content", "words", "problem"),
    [
        (MIXED + TEXT, "my words", "truncated"),
        (MIXED + TEXT.replace(b"utf-8", b"x-nobody") + b"--x--", "my words", "unknown charset 'x-nobody'"),
        (MIXED + TEXT.replace(b"my", b"m\xe9"), "mé words", "not utf-8"),
        (MIXED + TEXT.replace(b"words", b"wo\0rds") + b"--x--", "my words", "NUL"),
        (
            HEAD + b"Content-Type: text/plain\r\nContent-Transfer-Encoding: base64\r\n\r\nbXkgd29yZHM",
            "my words",
            "base64 cut off",
        ),
        (
            MIXED + b"--x\r\nContent-Transfer-Encoding: base64\r\n\r\n%%%\r\n" + TEXT + b"--x--",
            "my words",
            "fast parser refuses",
        ),
        (HEAD + b"Content-Type: multipart/mixed\r\n\r\nmy words", "my words", None),
        (HEAD + b"Content-Type: multipart/mixed; boundary=other\r\n\r\nmy words", "my words", "structure"),
        (HEAD + b"Content-Type: text/plain; charset=punycode\r\n\r\nmy words", "my words", "unknown charset"),
        (HEAD + b"Content-Type: ;;;\r\n\r\nmy words", "my words", None),
        (HEAD + b"\r\n" + b"my words", "my words", None),
        (HEAD.replace(b"Date", b"X-Date") + b"\r\nmy words", "my words", "Date missing"),
    ],
)
def test_broken_mails_keep_their_words(content: bytes, words: str, problem: str | None) -> None:
    message = read(content)
    assert message.kind is Kind.BUYER_MESSAGE
    assert (message.buyer_text or "").replace("%%%", "").strip() == words
    assert problem is None or problem in (message.problem or "")


@pytest.mark.parametrize("content", [b"", b"\0" * 1000, b"\xff" * 5000, b"x" * 5000, b"\r\n" * 5000, b":" * 5000])
def test_bytes_that_are_no_mail_are_unrelated(content: bytes) -> None:
    message = read(content)
    assert message.kind is Kind.UNRELATED
    assert message.received_at == NOW
    assert message.problem


def test_mail_in_a_mail_in_a_mail_is_found_but_not_for_ever() -> None:
    inner = HEAD + b"\r\nmy words"
    for _ in range(1):
        inner = b"From: a@b.example\r\nMIME-Version: 1.0\r\nContent-Type: message/rfc822\r\n\r\n" + inner
    assert read(inner).kind is Kind.BUYER_MESSAGE
    for _ in range(60):
        inner = b"From: a@b.example\r\nMIME-Version: 1.0\r\nContent-Type: message/rfc822\r\n\r\n" + inner
    assert read(inner).kind is Kind.UNRELATED
