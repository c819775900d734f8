"""Text from outside cannot act where it is shown."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.core.shown import show


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[2J\x1b]0;title\x07", r"\x1b[2J\x1b]0;title\x07"),
        ("\x9b31m", r"\x9b31m"),
        ("402\u202e7654321\u202c", r"402\u202e7654321\u202c"),
        ("one\nforged\r\ntwo", r"one\nforged\x0d\ntwo"),
        ("half \ud800", r"half \ud800"),
        ("tab\tZoé 日本 🟠 👩\u200d🚀", "tab\tZoé 日本 🟠 👩\u200d🚀"),
    ],
    ids=["terminal command", "eight-bit command", "override", "line ends", "half a character", "ordinary text stays"],
)
def test_what_would_act_is_seen_instead(text: str, shown: str) -> None:
    assert show(text) == shown


def test_a_text_of_several_lines_keeps_them() -> None:
    assert show("a\n\x1bb", lines=True) == "a\n\\x1bb"


@given(st.text())
def test_nothing_is_left_that_a_terminal_obeys_or_a_file_refuses(text: str) -> None:
    shown = show(text)
    assert not any(unicodedata.category(char) in ("Cc", "Cs") and char != "\t" for char in shown)
    assert not any(
        unicodedata.bidirectional(char) in ("LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI") for char in shown
    )
    shown.encode()
