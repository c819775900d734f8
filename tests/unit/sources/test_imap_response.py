"""What a server's answers say, and that no answer does more harm than a ValueError."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.sources.imap_response import (
    parse_fetch,
    parse_internaldate,
    parse_literal_size,
    parse_values,
    render_uid_set,
)


def test_lists_strings_numbers_and_nil_are_told_apart() -> None:
    assert parse_values([rb'(a (b "c \"d\"" NIL) "NIL" 12) x']) == [
        [b"a", [b"b", b'c "d"', None], b"NIL", b"12"],
        b"x",
    ]


def test_a_literal_stands_where_it_was_announced() -> None:
    assert parse_values([b"(a {3}", b"b)c", b' "d" ~{2}', b"ef", b")"]) == [[b"a", b"b)c", b"d", b"ef"]]


def test_lists_nest_as_deep_as_the_sender_of_a_mail_likes() -> None:
    value = parse_values([b"(" * 5000 + b")" * 5000])[0]
    levels = 0
    while isinstance(value, list):
        value, levels = value[0] if value else None, levels + 1
    assert levels == 5000


def test_a_fetch_response_gives_its_items_by_name() -> None:
    segments = [b"* 7 FETCH (UID 12 BODY[HEADER.FIELDS (FROM TO)] {2}", b"hi", b" Body[Text]<0> NIL FLAGS (\\Seen))"]
    assert parse_fetch(segments) == {
        b"UID": b"12",
        b"BODY[HEADER.FIELDS (FROM TO)]": b"hi",
        b"BODY[TEXT]": None,
        b"FLAGS": [b"\\Seen"],
    }


@pytest.mark.parametrize("line", [b"* 3 EXISTS", b"* OK FETCH", b"*", b""])
def test_other_responses_are_no_mail(line: bytes) -> None:
    assert parse_fetch([line]) is None


@pytest.mark.parametrize(
    "text", [b"(a", b"a)", b'"a', b"(" * 200, b'* "', b"* 1 FETCH (UID)", b"* 1 FETCH UID", b"* 1 FETCH (() 1)"]
)
def test_what_does_not_end_or_pair_is_refused(text: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        (parse_fetch if text.startswith(b"* 1") else parse_values)([text])


@given(st.lists(st.binary(max_size=60), min_size=1, max_size=5))
def test_garbage_is_a_value_error_at_worst(segments: list[bytes]) -> None:
    for parse in (parse_values, lambda parts: parse_fetch([b"* 1 FETCH (" + parts[0], *parts[1:]])):
        try:
            parse(segments)
        except ValueError:
            continue


@pytest.mark.parametrize(
    ("value", "instant"),
    [
        (b"20-Nov-2026 10:00:00 +0000", datetime(2026, 11, 20, 10, 0, tzinfo=UTC)),
        (b" 1-Jan-2026 00:30:00 +0530", datetime(2025, 12, 31, 19, 0, tzinfo=UTC)),
        (b"28-FEB-2026 23:30:00 -0800", datetime(2026, 3, 1, 7, 30, tzinfo=UTC)),
    ],
)
def test_internaldate_is_an_instant_in_utc(value: bytes, instant: datetime) -> None:
    assert parse_internaldate(value) == instant
    assert parse_internaldate(value).tzinfo is UTC


@pytest.mark.parametrize("value", [None, b"", [b"x"], b"31-Feb-2026 10:00:00 +0000", b"1-Foo-2026 10:00:00 +0000"])
def test_no_internaldate_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_internaldate(value)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("line", "size"),
    [(b"BODY[] {12}", 12), (b"x ~{3}", 3), (b"{5+}", 5), (b"{}", None), (b"{5} ", None), (b"{99999999999}", None)],
)
def test_a_literal_is_announced_at_the_end_of_a_line_only(line: bytes, size: int | None) -> None:
    assert parse_literal_size(line) == size


@given(st.sets(st.integers(1, 60)))
def test_a_uid_set_names_exactly_these_uids(uids: set[int]) -> None:
    named: list[int] = []
    for part in filter(None, render_uid_set(sorted(uids)).split(",")):
        first, _, last = part.partition(":")
        named += range(int(first), int(last or first) + 1)
    assert named == sorted(uids)
