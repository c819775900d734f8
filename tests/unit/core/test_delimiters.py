"""The buyer's words, by shape."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.core.delimiters import (
    MAX_MARKS,
    above_words,
    delimiter_labels,
    item_line,
    order_line,
    outside_words,
    read_words,
)
from monitor.core.quoting import PRE_CLOSE, PRE_OPEN

HEAD = "You have received a message.\n\n# 402-1234567-1234567:\n1 / Lamp [ASIN: B0C1D2E3F4]\n"
TAIL = "Helpful? https://sellercentral.amazon.fr/x?a=1\n--------------------------\nAll rights reserved\n"


def message(words: str, opener: str = "Message:", closer: str = "End message", dashes: str = "-" * 13) -> str:
    """Return a buyer message as Amazon writes it."""
    return f"{HEAD}\n{dashes} {opener} {dashes}\n\n{words}\n\n{dashes} {closer} {dashes}\n\n{TAIL}"


letters = st.characters(categories=["L"])
labels = st.builds(
    lambda a, b, c: f"{a}{b}{c}", letters, st.text(st.characters(categories=["L", "N", "Zs"]), max_size=25), letters
)
said = st.text(
    st.characters(categories=["L", "N", "P", "Zs"], exclude_characters="-‐‑‒–—―─━﹣－>|#@"), min_size=1, max_size=80
)


@given(labels, labels, said, st.integers(5, 40), st.sampled_from("-–—―─━－"), st.sampled_from(["", ":", "：", " :"]))
def test_words_are_exact_whatever_the_language_of_the_template(
    opener: str, closer: str, words: str, count: int, dash: str, colon: str
) -> None:
    found = read_words(message(words, opener + colon, closer, dash * count))
    assert found.text == words.strip("\u3000\xa0 \t\u200b")
    assert found.enclosed
    assert order_line(found.head) == "402-1234567-1234567"
    assert item_line(found.head) == "B0C1D2E3F4"


@pytest.mark.parametrize(
    "words", ["", "a\n\nb", "  two\n\t tabs", "---- cut here ----", "----------", "> quoted by hand\nand more"]
)
def test_blank_lines_dashes_and_indentation_stay(words: str) -> None:
    assert read_words(message(f"x{words}" if words.startswith(" ") else words)).text == (
        f"x{words}" if words.startswith(" ") else words
    )


def test_missing_opener_closer_or_both() -> None:
    whole = message("my words\n\nin two parts")
    opener, closer = "------------- Message: -------------\n", "------------- End message -------------\n"
    for text in (whole.replace(opener, ""), whole.replace(closer, ""), whole.replace(opener, "").replace(closer, "")):
        found = read_words(text)
        assert found.text == "my words\n\nin two parts"
        assert not found.enclosed


def test_missing_markers_without_order_and_item() -> None:
    assert read_words("You have received a message.\n\nmy words\n\n------- End -------\n\n" + TAIL).text == "my words"
    assert (
        read_words("You have received a message.\n\n------- Message -------\n\nmy words\n\n" + TAIL).text == "my words"
    )
    assert read_words("------- Message: -------\nmy words\n" + TAIL).text == "my words"
    assert read_words("You have received a message.\n\nmy words\n\n" + TAIL).text == "my words"
    assert read_words("my words\n" + TAIL).text == "my words"
    assert read_words("only words").text == "only words"


def test_question_on_its_own_line_above_a_link_is_template() -> None:
    tail = "Was this helpful?\nhttps://sellercentral.amazon.fr/x?a=1\n"
    assert read_words(f"{HEAD}\n------ Message: ------\n\nwords\n\n{tail}").text == "words"
    assert read_words(f"{HEAD}\n------ Message: ------\n\nwords\n\nhttps://www.amazon.fr/x\n").text == "words"
    assert read_words(f"{HEAD}\n------ Message: ------\nhttps://www.amazon.fr/x").text == ""


def test_one_line_is_taken_apart() -> None:
    found = read_words(" ".join(message("my words").split()))
    assert (found.text, found.flattened, order_line(found.head)) == ("my words", True, "402-1234567-1234567")
    half = read_words("Hello [ASIN: B0C1D2E3F4] ------- Message: ------- my words")
    assert half.text == "my words"
    half = read_words("Hello # 402-1234567-1234567: my words ------- End ------- https://www.amazon.fr/x")
    assert half.text == "my words"


def test_pre_element_holds_the_words_where_lines_do_not() -> None:
    found = read_words(f"Hello\n{PRE_OPEN}  my\n words{PRE_CLOSE}\nrest")
    assert (found.text, found.enclosed) == ("my\n words", True)
    assert read_words(f"Hello\n{PRE_OPEN}my words").text == "my words"


INTRODUCTIONS = [
    "Le ven. 20 nov. 2026 à 04:10, Acme <support@acme.example> a écrit :",
    "On Fri, 20 Nov 2026 at 04:10, Acme Support\n<support@acme.example> wrote:",
    "On Friday, 20 November 2026,\nAcme Support (the whole team)\n<support@acme.example> wrote:",
    "2026年11月20日(金) 4:10 Acme <support@acme.example>：",
]


@pytest.mark.parametrize("introduction", INTRODUCTIONS)
def test_own_program_puts_new_words_before_the_quoted_block(introduction: str) -> None:
    quoted = "\n".join(f"> {line}" for line in message("seller's earlier words").split("\n"))
    found = read_words(f"new words\n\n{introduction}\n\n{quoted}")
    assert (found.text, found.own_program) == ("new words", True)
    assert order_line(found.head) == "402-1234567-1234567"


def test_own_program_without_markers_in_the_quoted_block() -> None:
    found = read_words("new words\n\nOn 2026-11-20 Acme wrote:\n> Dear customer\n> yours\n> Acme\n")
    assert (found.text, found.own_program) == ("new words", True)


def test_own_program_inside_amazons_markers() -> None:
    quoted = "\n".join(f"> {line}" for line in message("seller's words").split("\n"))
    found = read_words(message(f"new words\n\n{INTRODUCTIONS[0]}\n{quoted}"))
    assert (found.text, found.own_program) == ("new words", True)
    block = "-----Original Message-----\nFrom: Acme <support@acme.example>\nSent: Friday\nTo: x\n\nseller's words"
    assert read_words(message(f"new words\n\n{block}")).text == "new words"


@pytest.mark.parametrize("rule", ["________________________________\n", "-----Original Message-----\n", ""])
def test_own_program_with_a_block_of_headers(rule: str) -> None:
    block = "From: Acme <support@acme.example>\nSent: Friday, 20 November\nTo: buyer\nSubject: Your order"
    found = read_words(f"new words\n\n{rule}{block}\n\n{message('sellers words')}")
    assert (found.text, found.own_program) == ("new words", True)


def test_hand_quoted_line_in_front_of_a_block_of_headers_is_the_buyers() -> None:
    block = "From: Acme <support@acme.example>\nSent: Friday, 20 November\nTo: buyer\nSubject: Your order"
    assert read_words(f"new\n> words\nhere\n\n{block}\n\n{message('x')}").text == "new\n> words\nhere"


FORWARDED = (
    "---------- Forwarded message ---------\nFrom: Zoé <a@marketplace.amazon.fr>\nDate: today\nSubject: x\nTo: y\n\n\n"
)


def test_forwarded_words_are_the_quoted_ones() -> None:
    assert read_words(f"please answer\n\n{FORWARDED}{message('my words')}", forwarded=True).text == "my words"
    quoted = "\n".join(f"> {line}" for line in message("my words\n> own").split("\n"))
    assert read_words(f"please answer\n\n{FORWARDED}{quoted}", forwarded=True).text == "my words\n> own"
    deeper = "\n".join(f"> {line}" for line in quoted.split("\n"))
    assert read_words(f"please\n\n{FORWARDED}{deeper}", forwarded=True).text == "my words\n> own"
    bare = (
        message("my words")
        .replace("------------- Message: -------------\n", "")
        .replace("------------- End message -------------\n", "")
    )
    assert read_words(f"please answer\n\n{FORWARDED}{bare}", forwarded=True).text == "my words"
    assert read_words(message("a\n> b\nc"), forwarded=True).text == "a\n> b\nc"
    assert read_words("please\n\nOn 2026 Ana wrote:\n> a\n> b\n> c\n> d\n> e", forwarded=True).text.endswith("e")


def test_forward_that_ends_with_its_header_lines_has_no_words() -> None:
    assert read_words(FORWARDED.rstrip("\n"), forwarded=True).text == ""


def test_order_line_far_below_is_no_template() -> None:
    assert read_words("a\n\nb\n\n# 402-1234567-1234567\nc").text == "a\n\nb\n\n# 402-1234567-1234567\nc"


def test_many_quoted_lines_are_read_up_to_a_bound() -> None:
    assert read_words("> a\n" * 1000).text.startswith("> a")


def test_labels_pairs_and_what_is_outside() -> None:
    text = message("402-9999999-9999999")
    assert delimiter_labels(text) == ("Message:", "End message")
    assert delimiter_labels(" ".join(text.split())) == ("Message:", "End message")
    assert "402-9999999" not in outside_words(text)
    assert "402-9999999" not in outside_words(" ".join(text.split()))
    assert outside_words("nothing here") == "nothing here"
    assert len(delimiter_labels("----- a -----\n" * (MAX_MARKS + 9))) == MAX_MARKS


@pytest.mark.parametrize("opener", ["------------- Mensagem: -------------", "--------------------------", PRE_OPEN])
def test_above_words_ends_where_the_words_begin(opener: str) -> None:
    assert (
        above_words(f"Enviada\n# 402-1234567-1234567\n{opener}\n402-9999999-9999999")
        == "Enviada\n# 402-1234567-1234567\n"
    )


def test_above_words_without_any_border_is_all() -> None:
    assert above_words("402-1234567-1234567 - a lamp") == "402-1234567-1234567 - a lamp"


def test_only_a_template_outside_the_quoted_block_is_the_mails_own() -> None:
    quoted = "".join(f"> {line}\n" for line in message("before").split("\n"))
    answer = f"new words\n\n{INTRODUCTIONS[0]}\n\n{quoted}"
    assert read_words(answer).quoted_markers
    assert not read_words(message(answer)).quoted_markers
    assert not read_words(message("words")).quoted_markers


@given(st.text(alphabet=">-:#@ab1\n \t[]｜：—" + PRE_OPEN + PRE_CLOSE, max_size=300), st.booleans())
def test_any_text_gives_words_that_stand_in_it(text: str, forwarded: bool) -> None:
    found = read_words(text, forwarded=forwarded)
    if not forwarded:
        assert found.text in text.replace(PRE_OPEN, "").replace(PRE_CLOSE, "")
