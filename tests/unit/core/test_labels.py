"""What the words are about."""

import pytest

from monitor.core.labels import (
    MAX_SEEN,
    PRIORITIES,
    PROMISE_MISSED,
    LabelRule,
    build_label_book,
    find_labels,
    fold,
    label_words,
)
from monitor.parse.wordlists import label_book, shipped_rules

BOOK = label_book()
SHIPPED_LANGUAGES = 13


@pytest.mark.parametrize(
    ("words", "label"),
    [
        ("Where is my parcel?", "delivery"),
        ("Où est mon colis ? Merci", "delivery"),
        ("Ich möchte eine Rückerstattung", "refund"),
        ("El producto llegó roto", "damaged"),
        ("Vorrei annullare l'ordine", "cancellation"),
        ("Kunt u mij een factuur sturen?", "invoice"),
        ("Isto é inaceitável", "complaint"),
        ("Chcę zwrócić towar", "return"),
        ("Passar den till modell 2?", "product_question"),
        ("Avukatım ile görüşeceğim", "claim_threat"),
        ("أين الطرد؟", "delivery"),
        ("商品が壊れていました", "damaged"),
        ("我要退款", "refund"),
        ("I AM OUT OF OFFICE until Monday", "out_of_office"),
        ("Vielen Dank!", "thank_you"),
        ("ありがとうございました。", "thank_you"),
    ],
)
def test_words_in_the_marketplaces_languages_give_their_label(words: str, label: str) -> None:
    assert label in label_words(words, "", BOOK).labels


def test_every_label_has_words_in_every_language() -> None:
    worded = set(PRIORITIES) - {PROMISE_MISSED}
    assert {rule.name for rule in shipped_rules()} == worded
    assert len(shipped_rules()) == SHIPPED_LANGUAGES * len(worded)


def test_thanks_count_only_where_nothing_else_is_said() -> None:
    assert label_words("Thank you, all is well", "", BOOK).labels == ("thank_you",)
    assert "thank_you" not in label_words("Thank you, but where is my parcel", "", BOOK).labels
    assert label_words("Thank you. When?", "", BOOK).labels == ()
    assert label_words("thanks " + "and so on " * 20, "", BOOK).labels == ()
    assert label_words("thanks", "Order delivery inquiry", BOOK).labels == ("thank_you",)
    assert label_words("", "Thank you", BOOK).labels == ()


@pytest.mark.parametrize(
    "words",
    [
        "Thank you for the quick delivery!",
        "Merci, colis bien reçu.",
        "Danke für die schnelle Lieferung",
        "Gracias por el reembolso",
        "Grazie mille, pacco arrivato",
        "Tack för snabb leverans!",
        "商品届きました。発送ありがとうございました。",
        "谢谢，包裹收到了",
    ],
)
def test_one_may_thank_for_something(words: str) -> None:
    assert label_words(words, "", BOOK).labels == ("thank_you",)


@pytest.mark.parametrize(
    "words",
    [
        "Thanks, but the parcel has not arrived",
        "Merci de me rembourser s'il vous plaît",
        "Danke, aber wo ist das Paket",
        "Gracias, ¿y el reembolso?",
        "Grazie in anticipo per il rimborso",
        "発送してください。ありがとうございます。",
        "谢谢，请退款",
        "Thanks, the lamp is broken",
    ],
)
def test_thanks_with_a_request_are_a_request(words: str) -> None:
    labels = label_words(words, "", BOOK).labels
    assert labels and "thank_you" not in labels


def test_the_subject_adds_the_topic_the_buyer_chose() -> None:
    assert label_words("please help", "Damaged or defective item", BOOK).labels == ("damaged",)
    assert label_words("x", "Automatic reply: out of office", BOOK).labels == ("out_of_office",)


def test_priority_is_that_of_the_most_urgent_label() -> None:
    found = label_words("Broken! I want a refund or I call my lawyer.", "", BOOK)
    assert found.labels == ("claim_threat", "damaged", "refund")
    assert found.priority == PRIORITIES["claim_threat"]
    assert label_words("hm", "", BOOK).priority == 0
    assert label_words("thanks", "", BOOK).priority < 0


def test_words_have_boundaries() -> None:
    book = build_label_book([LabelRule("x", ("art", "stem*", "two words", "open end*", "包裹"))])
    assert find_labels("art", book) == {"x"}
    assert find_labels("party", book) == set()
    assert find_labels("stemming", book) == {"x"}
    assert find_labels("system", book) == set()
    assert find_labels("two  words", book) == {"x"}
    assert find_labels("two", book) == set()
    assert find_labels("words two", book) == set()
    assert find_labels("open endings", book) == {"x"}
    assert find_labels("open", book) == set()
    assert find_labels("我的包裹呢", book) == {"x"}
    assert find_labels("写", book) == set()


def test_own_rules_add_words_and_set_priorities() -> None:
    book = label_book(
        (
            LabelRule("delivery", ("teleport",)),
            LabelRule("vip", ("gold member", ""), priority=99),
            LabelRule("own", ("zzz",)),
        )
    )
    assert label_words("teleport zzz", "", book).labels == ("delivery", "own")
    found = label_words("I am a Gold Member", "", book)
    assert (found.labels, found.priority) == (("vip",), 99)


def test_case_accents_and_width_do_not_matter() -> None:
    assert fold("REMBOURSÉ") == "rembourse"
    assert fold("ＲＥＦＵＮＤ") == "refund"
    assert fold("Łódź") == "lodz"
    assert fold("straße") == "strasse"


def test_memory_of_words_seen_is_bounded_and_forgetting_changes_no_label() -> None:
    book = build_label_book([LabelRule("delivery", ("parcel*",))])
    for start in range(0, 2 * MAX_SEEN, 500):
        find_labels(" ".join(f"w{number}" for number in range(start, start + 500)), book)
        assert len(book.seen) <= MAX_SEEN
    assert find_labels("two parcels", book) == {"delivery"}
