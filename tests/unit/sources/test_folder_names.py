"""Modified UTF-7, as RFC 3501 has it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.sources.folder_names import decode_folder_name, encode_folder_name, quote_folder_name


@pytest.mark.parametrize(
    ("name", "wire"),
    [
        ("INBOX", b"INBOX"),
        ("Éléments envoyés", b"&AMk-l&AOk-ments envoy&AOk-s"),
        ("Entwürfe", b"Entw&APw-rfe"),
        ("~peter/mail/台北/日本語", b"~peter/mail/&U,BTFw-/&ZeVnLIqe-"),
        ("A & B", b"A &- B"),
        ("📮", b"&2D3c7g-"),
    ],
)
def test_names_are_written_as_the_standard_writes_them(name: str, wire: bytes) -> None:
    assert encode_folder_name(name) == wire
    assert decode_folder_name(wire) == name


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_every_name_comes_back(name: str) -> None:
    wire = encode_folder_name(name)
    assert wire.isascii()
    assert decode_folder_name(wire) == name


@given(st.binary())
def test_no_name_of_a_server_is_an_error(wire: bytes) -> None:
    assert isinstance(decode_folder_name(wire), str)


def test_a_name_in_plain_utf_8_is_still_readable() -> None:
    assert decode_folder_name("Envoyés".encode()) == "Envoyés"


def test_quotes_in_a_name_cannot_end_it() -> None:
    assert quote_folder_name(b'a"b\\c') == b'"a\\"b\\\\c"'
