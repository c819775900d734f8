"""A translation that breaks sends English, English that breaks sends the bare facts: never nothing."""

from collections.abc import Iterator
from contextlib import contextmanager
from types import MappingProxyType
from typing import Any
from unittest.mock import patch

import pytest

from alerts.core.model import AnswerResult, Channel, Purpose
from alerts.core.words import content
from alerts.core.words.answers import render_answer
from alerts.core.words.catalog import table_of, words_for
from alerts.core.words.mail import bare_mail, render_mail
from alerts.core.words.render import render_or_facts
from alerts.core.words.slack import bare_message, render_message
from alerts.core.words.sms import bare_sms, render_sms
from tests.support.deliveries import NOW, make_delivery, make_facts


@contextmanager
def broken(language: str, *keys: str, entry: Any = "Réponse {nonsense") -> Iterator[None]:
    """Seed a mistake of a translator into one language's table."""
    table = {**table_of(language), **dict.fromkeys(keys, entry)}
    with patch(f"alerts.core.words.languages.{language}.WORDS", MappingProxyType(table)):
        yield


@pytest.mark.parametrize("entry", ["Réponse {nonsense", "{unknown}", "{}", ("one", "other"), None])
def test_a_broken_translation_gives_way_to_english(entry: Any) -> None:
    delivery = make_delivery(channel=Channel.SMS, language="fr", code=7)
    with broken("fr", "sms_due", entry=entry):
        rendered = render_or_facts(delivery, render_sms, lambda facts: bare_sms(facts, "r"))
    assert rendered.value.startswith("Amazon FR: reply due in 1h32")
    assert rendered.trouble.startswith("words[fr]: ")


def test_broken_english_gives_way_to_the_bare_facts() -> None:
    delivery = make_delivery(make_facts(account="acme-eu"), channel=Channel.SMS, language="en", code=7)
    with broken("en", "sms_due"):
        rendered = render_or_facts(delivery, render_sms, lambda facts: bare_sms(facts, delivery.reference))
    assert rendered.value.startswith("acme-eu FR 402-1234567-1234567 at_risk 2026-11-21 03:10Z #7 #")
    assert rendered.trouble


def test_slack_and_mail_keep_the_facts_too() -> None:
    delivery = make_delivery(language="en")
    with broken("en", "due_in", "line_due"):
        slack = render_or_facts(delivery, render_message, bare_message)
        mail = render_or_facts(delivery, render_mail, bare_mail)
    assert "402-1234567-1234567" in slack.value.text
    assert slack.value.ring
    assert "402-1234567-1234567" in mail.value.subject


def test_a_summary_of_another_version_still_says_what_it_knows() -> None:
    delivery = make_delivery(purpose=Purpose.DIGEST, content={"open_since_v9": 4})
    rendered = render_or_facts(delivery, render_message, bare_message)
    assert "open_since_v9=4" in rendered.value.text


def test_sound_words_report_no_trouble() -> None:
    assert render_or_facts(make_delivery(), render_message, bare_message).trouble == ""


def test_broken_words_of_an_answer_still_name_what_happened() -> None:
    result = AnswerResult(accepted=True, text_key="acknowledged", threads=(make_facts(),), by="Ana")
    with broken("fr", "said_acknowledged"):
        assert render_answer(words_for("fr", "UTC"), result, NOW) == "acknowledged 402-1234567-1234567"


def test_a_health_content_with_an_unknown_kind_is_said_plainly() -> None:
    body = content.health("moon_phase", "support", detail="full")
    rendered = render_or_facts(make_delivery(purpose=Purpose.HEALTH, content=body), render_message, bare_message)
    assert rendered.value.text == "🛠️ ReplyBy, support: full."
