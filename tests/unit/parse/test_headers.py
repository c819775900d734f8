"""Header blocks of any bytes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.parse.charsets import codec_for, decode_bytes
from monitor.parse.headers import (
    MAX_BLOCK,
    MAX_HEADERS,
    decode_words,
    message_ids,
    parse_addresses,
    parse_headers,
    split_mail,
)


def pairs(value: str) -> list[tuple[str, str]]:
    """Return names and addresses."""
    return [(address.name, address.address) for address in parse_addresses(value)]


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ("a@b.example", [("", "a@b.example")]),
        ("A@B.Example.", [("", "a@b.example")]),
        ("Zoé <a@b.example>", [("Zoé", "a@b.example")]),
        ('"Doe, Jane" <a@b.example>, c@d.example (Bo)', [("Doe, Jane", "a@b.example"), ("Bo", "c@d.example")]),
        ('"x@y.example" <a@b.example>', [("x@y.example", "a@b.example")]),
        ("x@y.example <a@b.example>", [("x@y.example", "a@b.example")]),
        ("=?utf-8?q?Zo=C3=A9_=3Cx=40y.example=3E?= <a@b.example>", [("Zoé <x@y.example>", "a@b.example")]),
        ("<x@y.example> <a@b.example>", [("", "x@y.example"), ("", "a@b.example")]),
        ("team: a@b.example, c@d.example;", [("", "a@b.example"), ("", "c@d.example")]),
        (r'"Z \"Q\"" <a@b.example>', [('Z "Q"', "a@b.example")]),
        ("undisclosed-recipients:;", []),
        ("", []),
    ],
)
def test_addresses_come_from_the_raw_value(value: str, found: list[tuple[str, str]]) -> None:
    got = pairs(value)
    if value.startswith("team:"):
        got = [(name, address.rpartition(":")[2].strip()) for name, address in got]
    assert got == found


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("plain", "plain"),
        ("=?utf-8?q?Zo=C3=A9?=", "Zoé"),
        ("=?UTF-8?B?5pel5pys?=  =?UTF-8?B?6Kqe?= x", "日本語 x"),
        ("=?utf-8?b?5pel5g==?= =?utf-8?b?nKw=?=", "日本"),
        ("=?iso-2022-jp?b?GyRCRnxLXBsoQg==?=", "日本"),
        ("=?x-nobody?q?Zo=C3=A9?=", "Zoé"),
        ("=?utf-8?b?!!!?=", ""),
        ("a =?utf-8?q?b?= c =?iso-8859-1?q?=E9?=", "a b c é"),
        ("=?utf-8?q?broken", "=?utf-8?q?broken"),
        ("=?utf-8*fr?q?caf=C3=A9?=", "café"),
    ],
)
def test_encoded_words_are_decoded(value: str, text: str) -> None:
    assert decode_words(value) == text


def test_headers_are_unfolded_and_repeated_ones_kept_in_order() -> None:
    headers = parse_headers(b"A: 1\r\n folded\r\nB: x\r\na: 2\r\nnot a header\r\nC:\r\n")
    assert headers.get("a") == "1 folded"
    assert headers.all("a") == ["1 folded", "2"]
    assert headers.order == ["a", "b", "a", "c"]
    assert "c" in headers and "d" not in headers and headers.get("d") == ""


@pytest.mark.parametrize(
    ("content", "block", "body"),
    [
        (b"A: 1\r\n\r\nx", b"A: 1", b"x"),
        (b"A: 1\n\nx\r\n\r\n", b"A: 1", b"x\r\n\r\n"),
        (b"A: 1\n\r\nx", b"A: 1", b"x"),
        (b"A: 1\r\rx", b"A: 1", b"x"),
        (b"\r\n\r\nA: 1\r\n\r\nx", b"A: 1", b"x"),
        (b"\xef\xbb\xbfA: 1\n\nx", b"A: 1", b"x"),
        (b"A: 1", b"A: 1", b""),
        (b"", b"", b""),
    ],
)
def test_the_block_ends_at_the_first_blank_line(content: bytes, block: bytes, body: bytes) -> None:
    found, start = split_mail(content)
    assert (found, content[start:]) == (block, body)


def test_bombs_are_read_in_part_and_said() -> None:
    assert "more than" in parse_headers(b"A: b\n" * (MAX_HEADERS + 5)).problem
    assert "256 KB" in parse_headers(b"A: " + b"b" * MAX_BLOCK).problem
    assert "NUL" in parse_headers(b"A: b\0c\n").problem
    assert parse_headers(b"A: b\0c\n").get("a") == "bc"
    assert parse_headers("A: café".encode("latin-1")).get("a") == "café"


def test_message_ids_lose_their_brackets() -> None:
    assert message_ids("<a@b> x <c@d> <a@b>") == ["a@b", "c@d"]
    assert message_ids("bare@id") == ["bare@id"]
    assert message_ids("nothing") == []


@pytest.mark.parametrize("name", ["punycode", "idna", "unicode_escape", "zlib", "hex", "x-nobody", "a" * 99, "utf-8\0"])
def test_codecs_that_are_no_charsets_are_unknown(name: str) -> None:
    assert codec_for(name) is None
    assert decode_bytes("é".encode(), name) == ("é", f"unknown charset {name[:40]!r}")


def test_what_programs_mean_is_read() -> None:
    assert decode_bytes(b"\x93x\x94", "iso-8859-1") == ("“x”", "")
    assert decode_bytes("é".encode(), "us-ascii") == ("é", "")
    assert decode_bytes(b"\xe9", "utf-8") == ("é", "bytes that are not utf-8")
    assert decode_bytes(b"\xe9", "") == ("é", "bytes without a charset")
    assert decode_bytes(b"\x81", "shift_jis")[1] == "bytes that are not cp932"


@given(st.binary(max_size=400))
def test_any_bytes_are_a_header_block(block: bytes) -> None:
    headers = parse_headers(block)
    for name in ("from", "to", "subject"):
        headers.addresses(name)
        headers.text(name)
    split_mail(block)
