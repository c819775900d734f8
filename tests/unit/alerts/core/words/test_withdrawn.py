"""What proved to be no buyer's message: its facts go along, and every channel says that it is over."""

import json
from dataclasses import replace

import pytest

from alerts.core.model import WITHDRAWN, Purpose
from alerts.core.words.catalog import LANGUAGES, words_for
from alerts.core.words.content import withdrawn, withdrawn_facts
from alerts.core.words.mail import render_mail
from alerts.core.words.sms import render_sms
from alerts.core.words.threads import is_closed, line
from tests.support.deliveries import NOW, make_delivery, make_facts

FACTS = replace(make_facts(account="acme"), state=WITHDRAWN)


def test_the_facts_that_were_put_down_come_back() -> None:
    content = json.loads(json.dumps(withdrawn(make_facts(account="acme", labels=("delivery",), priority=35))))
    found = withdrawn_facts(content, thread_id=FACTS.thread_id, clock_id=FACTS.clock_id)
    assert found == FACTS
    assert is_closed(FACTS)


def test_what_is_about_something_else_has_no_such_facts() -> None:
    assert withdrawn_facts({"gone": "joined"}, thread_id=1, clock_id=2) is None


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_line_says_so_and_no_deadline_in_every_language(language: str) -> None:
    words = words_for(language, "Europe/Paris")
    said = line(words, FACTS, NOW)
    assert said == f"acme · FR · 402-1234567-1234567 · {words.say('line_withdrawn')}"


def test_the_mail_and_the_sms_read_like_this() -> None:
    words, delivery = words_for("en", "Europe/Paris"), make_delivery(FACTS, purpose=Purpose.CLOSED)
    mail = render_mail(words, delivery)
    assert mail.subject == "acme · FR · 402-1234567-1234567 · not a buyer's message"
    assert mail.text.splitlines()[2:] == [
        "↪️ Not a buyer's message: nothing to answer.",
        "acme · France · order 402-1234567-1234567",
        "Asked Fri 04:10 · 1 message",
    ]
    assert render_sms(words, delivery).startswith("Done: 402-1234567-1234567 needs no reply. #")
