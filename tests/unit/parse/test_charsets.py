"""Bytes to text, whatever the mail says of its charset."""

import pytest

from monitor.parse.charsets import decode_bytes


def test_one_broken_byte_does_not_spoil_the_letters_of_a_utf8_mail() -> None:
    """Dovecot hands out 0x80 where a mail held NUL."""
    text, problem = decode_bytes("colis à l'été".encode() + b" \x80 fin", "utf-8")
    assert text == "colis à l'été \N{REPLACEMENT CHARACTER} fin"
    assert problem == "bytes that are not utf-8"


@pytest.mark.parametrize("charset", ["utf-8", "", "x-unknown"])
def test_a_western_mail_that_claims_something_else_keeps_its_letters(charset: str) -> None:
    assert decode_bytes("été à Köln".encode("cp1252"), charset)[0] == "été à Köln"


@pytest.mark.parametrize("charset", ["", "utf-8", "us-ascii"])
def test_sound_utf8_is_read_as_such(charset: str) -> None:
    assert decode_bytes("日本 été".encode(), charset)[0] == "日本 été"
