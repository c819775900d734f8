"""A large mail read line by line: what is kept is a sound mail without its attachments."""

import email
import email.policy
from functools import partial
from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.sources.large_file import PART_BYTES, read_text_parts


def keep(content: bytes) -> bytes:
    return read_text_parts(iter(partial(BytesIO(content).readline, 1 << 16), b""))


@pytest.mark.parametrize("end", [b"\n", b"\r\n"], ids=["lf", "crlf"])
def test_texts_and_structure_stay_and_attachments_go(end: bytes) -> None:
    photo = b"QUJDREVG" * 9 + b"\n"
    content = (
        b"From: <a1@marketplace.amazon.fr>\nSubject: photo\nMIME-Version: 1.0\n"
        b'Content-Type: multipart/mixed;\n boundary="out"\n\npreamble\n--out\n'
        b"Content-Type: multipart/alternative; boundary=in\n\n--in\nContent-Type: text/plain\n\nthe words\n"
        b"-- \na signature\n--in\nContent-Type: text/html\n\n<p>the words</p>\n--in--\n\n"
        b'--out\nContent-Type: image/jpeg; name="--out"\nContent-Transfer-Encoding: base64\n\n'
        + photo
        * 5000
        + b'--out\nContent-Type: message/rfc822\n\nSubject: inner\nContent-Type: multipart/mixed; boundary="deep"\n\n'
        b"--deep\n\ninner words\n--deep\nContent-Type: text/csv\nContent-Disposition: attachment\n\n"
        + b"1;2;3\n"
        * 5000
        + b"--deep--\n\n--out\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; x\n\nAction: failed\n"
        b"--out--\nepilogue\n"
    ).replace(b"\n", end)
    kept = keep(content)
    assert len(kept) < 2000
    message = email.message_from_bytes(kept, policy=email.policy.default)
    assert not any(part.defects for part in message.walk())
    assert [part.get_content_type() for part in message.walk()] == [
        part.get_content_type() for part in email.message_from_bytes(content, policy=email.policy.default).walk()
    ]
    for words in (b"the words", b"a signature", b"<p>the words</p>", b"inner words", b"Action: failed"):
        assert words in kept
    assert b"QUJD" not in kept
    assert b"1;2;3" not in kept


def test_an_endless_text_is_cut() -> None:
    kept = keep(b"Subject: long\n\n" + b"words\n" * 1_000_000)
    assert kept.startswith(b"Subject: long\n\nwords\n")
    assert len(kept) < PART_BYTES + 100


def test_one_endless_line_is_cut_too() -> None:
    assert len(keep(b"Subject: long\n\n" + b"x" * 5_000_000)) < 2 * PART_BYTES


def test_endless_headers_are_cut_and_the_words_stay() -> None:
    kept = keep(b"Subject: bomb\n" + b"X-A: b\n" * 500_000 + b"\nthe words\n")
    assert len(kept) < 100_000
    assert kept.endswith(b"\n\nthe words\n")


def test_ten_thousand_parts_keep_a_bound() -> None:
    part = b"--b\nContent-Type: text/plain\n\n" + b"words\n" * 100
    assert len(keep(b"Content-Type: multipart/mixed; boundary=b\n\n" + part * 10_000)) < 1_000_000


LINES = [
    *(b"--a", b"--a--", b"--b", b"\n", b"x\n", b" y\n", b"Content-Type: message/rfc822\n"),
    *(b"Content-Type: image/png\n", b"Content-Type: multipart/mixed; boundary=a\n"),
]


@given(st.lists(st.sampled_from(LINES)))
def test_no_order_of_lines_is_an_error_and_nothing_is_invented(lines: list[bytes]) -> None:
    content = b"".join(lines)
    kept = keep(content)
    assert set(kept.splitlines(keepends=True)) <= set(content.splitlines(keepends=True))
