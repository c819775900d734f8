"""The GSM-7 alphabet against the standard's own table (3GPP TS 23.038, 6.2.1 and 6.2.1.1), typed here by hand."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.core.words.gsm import SEGMENT, cut, fits, septets, to_gsm7

# Row by row, 0x00 to 0x7F; 0x1B is the escape.
BASIC = (
    "@£$¥èéùìòÇ\nØø\rÅå"
    "Δ_ΦΓΛΩΠΨΣΘΞ\x1bÆæßÉ"
    " !\"#¤%&'()*+,-./"
    "0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNO"
    "PQRSTUVWXYZÄÖÑÜ§"
    "¿abcdefghijklmno"
    "pqrstuvwxyzäöñüà"
)
EXTENSION = "\f^{}\\[~]|€"


def test_the_table_typed_here_has_128_places() -> None:
    assert len(BASIC) == 128
    assert len(set(BASIC)) == 128


@pytest.mark.parametrize("char", [char for char in BASIC if char != "\x1b"])
def test_a_basic_sign_takes_one_septet_and_stays_as_it_is(char: str) -> None:
    assert septets(char) == 1
    assert to_gsm7(char) == char


@pytest.mark.parametrize("char", list(EXTENSION))
def test_a_sign_of_the_extension_takes_two(char: str) -> None:
    assert septets(char) == 2
    assert to_gsm7(char) == char


def test_no_other_sign_of_the_basic_plane_is_taken_for_gsm7() -> None:
    allowed = set(BASIC) | set(EXTENSION)
    for number in range(0x10000):
        char = chr(number)
        if char in allowed or 0xD800 <= number <= 0xDFFF:
            continue
        with pytest.raises(ValueError, match="outside GSM-7"):
            septets(char)


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("1\u202f234\u00a0€", "1 234 €"),
        ("sáb 04:10", "sab 04:10"),
        ("reçu", "reÇu"),
        ("l’heure – “bien”…", 'l\'heure - "bien"...'),
        ("東京", "??"),
        ("\u202eabc\u200b", "abc"),
        ("🔴 alert", " alert"),
        ("ŁódŹ", "LodZ"),
    ],
)
def test_what_gsm7_lacks_is_made_plain(text: str, plain: str) -> None:
    assert to_gsm7(text) == plain


@given(st.text(max_size=400), st.integers(10, SEGMENT))
def test_any_text_can_be_made_to_fit(text: str, limit: int) -> None:
    made = cut(to_gsm7(text), limit)
    assert septets(made) <= limit
    assert fits(made)


def test_one_segment_holds_160_septets() -> None:
    assert fits("a" * 160)
    assert fits("€" * 80)
    assert not fits("a" * 161)
    assert not fits("€" * 80 + "a")


def test_a_cut_text_shows_that_something_is_missing() -> None:
    assert cut("Order 402-1234567-1234567", 12) == "Order 402-.."
    assert cut("Order", 12) == "Order"
    assert cut("€" * 6, 5) == "€.."
