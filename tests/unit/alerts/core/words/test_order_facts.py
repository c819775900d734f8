"""The order behind a question: in Slack and mail, in the reader's language; on no phone and in no webhook."""

import json

import pytest

from alerts.core.model import Delivery
from alerts.core.words.catalog import LANGUAGES, words_for
from alerts.core.words.mail import render_mail
from alerts.core.words.slack import render_message
from alerts.core.words.sms import render_sms
from alerts.core.words.threads import MAX_ORDER_FACTS
from alerts.core.words.voice import render_call
from alerts.notifiers.webhook import payload
from tests.support.deliveries import make_delivery, make_facts

TOLD = {
    language: (f"promised-{language}", "FBM", "two items", "37.80 EUR", "a kettle", "one too many")
    for language in LANGUAGES
}


def alert(language: str) -> Delivery:
    return make_delivery(make_facts(order_facts=TOLD), language=language, code=7, attempted_at=None)


@pytest.mark.parametrize("language", LANGUAGES)
def test_slack_and_mail_say_it_in_the_readers_language(language: str) -> None:
    words = words_for(language, "Europe/Paris")
    slack = json.dumps(render_message(words, alert(language)).blocks, ensure_ascii=False)
    mail = render_mail(words, alert(language))
    for text in (slack, mail.text, mail.html):
        assert " · ".join(TOLD[language][:MAX_ORDER_FACTS]) in text
        assert "one too many" not in text
        assert not any(f"promised-{other}" in text for other in LANGUAGES if other != language)


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_phone_and_no_webhook_hears_of_it(language: str) -> None:
    words = words_for(language, "Europe/Paris")
    told = (
        render_sms(words, alert(language)),
        " ".join(render_call(words, alert(language))),
        json.dumps(payload(alert(language), "text")),
    )
    for text in told:
        assert "promised" not in text and "FBM" not in text and "kettle" not in text


def test_a_language_without_words_for_this_order_leaves_them_out() -> None:
    facts = make_facts(order_facts={"fr": ("livraison promise pour hier",)})
    assert "livraison" not in render_mail(words_for("en", "UTC"), make_delivery(facts)).text
