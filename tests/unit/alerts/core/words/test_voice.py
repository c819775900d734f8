"""What a call says."""

from datetime import timedelta
from xml.etree import ElementTree

import pytest

from alerts.core.model import Channel, Purpose
from alerts.core.words import content
from alerts.core.words.catalog import LANGUAGES, words_for
from alerts.core.words.voice import SPOKEN, render_call, spell, twiml
from tests.support.deliveries import make_delivery, make_facts

CALL = {"channel": Channel.VOICE, "address": "+33600000001", "code": 7}


def test_a_call_says_how_long_which_order_and_what_to_text() -> None:
    said = render_call(words_for("en", "UTC"), make_delivery(**CALL), answer_to="+447700900006")
    assert said == (
        "This is Reply By. An Amazon reply is due in 1 hour 32 minutes.",
        "France, order 4 0 2, 1 2 3 4, 5 6 7, 1 2 3 4, 5 6 7.",
        "If you have it, answer our text message with 7, or send a text with 7 to 4 4 7, 7 0 0, 9 0 0, 0 0 6.",
    )


def test_everything_is_said_twice_in_the_listeners_language() -> None:
    for language in LANGUAGES:
        sentences = render_call(words_for(language, "UTC"), make_delivery(**CALL), answer_to="+447700900006")
        document = ElementTree.fromstring(twiml(sentences, language))
        spoken = [element.text for element in document.iter("Say")]
        assert spoken == [*sentences, *sentences]
        assert {element.get("language") for element in document.iter("Say")} == {SPOKEN[language]}


def test_several_replies_are_counted_and_the_most_urgent_is_named() -> None:
    overdue = make_facts(timedelta(minutes=-61), order_id=None)
    said = render_call(words_for("en", "UTC"), make_delivery(overdue, make_facts(), **CALL), answer_to="+44770090000")
    assert said[0] == "This is Reply By. An Amazon reply is overdue by 1 hour 1 minute."
    assert said[1] == "2 replies are waiting. The most urgent:"
    assert said[2] == "France, a question before the sale."


def test_without_a_code_the_call_points_to_slack() -> None:
    said = render_call(words_for("en", "UTC"), make_delivery(channel=Channel.VOICE), answer_to="+447700900006")
    assert said[-1] == "If you have it, press I have it in Slack."


@pytest.mark.parametrize(
    ("number", "said"),
    [("402-1234567-1234567", "4 0 2, 1 2 3 4, 5 6 7, 1 2 3 4, 5 6 7"), ("+33612", "3 3 6, 1 2"), ("", "")],
)
def test_digits_are_said_in_groups_one_can_hold_in_mind(number: str, said: str) -> None:
    assert spell(number) == said


def test_nothing_from_outside_can_add_a_verb_to_the_call() -> None:
    evil = make_facts(order_id='1"/></Say><Dial>+4477</Dial><Say>', marketplace="<Dial>")
    document = twiml(render_call(words_for("en", "UTC"), make_delivery(evil, **CALL), answer_to="+44770090000"), "en")
    assert {element.tag for element in ElementTree.fromstring(document).iter()} == {"Response", "Say", "Pause"}


def test_a_document_is_never_longer_than_twilio_takes() -> None:
    assert len(twiml(("x" * 390,) * 12, "en")) <= 4000


def test_other_purposes_are_said_too() -> None:
    words = words_for("en", "UTC")
    test = render_call(words, make_delivery(purpose=Purpose.TEST, content=content.test(page=True), **CALL))
    assert test[0] == "This is Reply By. This is a test call."
    blind = content.health("mailbox_blind", "acme-eu", detail="login refused")
    assert "acme-eu" in render_call(words, make_delivery(purpose=Purpose.HEALTH, content=blind, **CALL))[1]


def test_a_test_call_without_a_code_asks_for_nothing() -> None:
    delivery = make_delivery(purpose=Purpose.TEST, channel=Channel.VOICE, content=content.test())
    assert render_call(words_for("en", "UTC"), delivery) == ("This is Reply By. This is a test call.",)
