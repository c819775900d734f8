"""What a telephone call says: how long is left, the order in groups of digits, the code to text; all of it twice."""

from typing import Final
from xml.sax.saxutils import escape

from alerts.core.model import Delivery
from alerts.core.words import threads as said
from alerts.core.words.catalog import Words, clean
from alerts.core.words.summaries import SUMMARY_PURPOSES, render_summary

# Twilio <Say language>: the voices that read our five languages.
SPOKEN: Final = {"en": "en-GB", "fr": "fr-FR", "de": "de-DE", "es": "es-ES", "it": "it-IT"}
_MAX_TWIML: Final = 4000  # Twilio's limit for the `Twiml` parameter


def render_call(words: Words, delivery: Delivery, *, answer_to: str | None = None) -> tuple[str, ...]:
    """Return the sentences of a call, in order; said twice by `twiml`.

    Raises:
        LookupError, ValueError: a translation or the content is broken.
    """
    if delivery.purpose in SUMMARY_PURPOSES:
        if delivery.purpose.value == "test":
            sentences = [words.say("voice_test")]
            if delivery.code is not None:
                sentences.append(words.say("test_page", code=delivery.code))
            return tuple(sentences)
        return (words.say("voice_other"), render_summary(words, delivery).title)
    facts, now = delivery.threads[0], delivery.now
    if said.is_overdue(facts, now):
        first = words.say("voice_overdue", late=words.spoken_span(said.lateness(facts, now)))
    else:
        first = words.say("voice_due", left=words.spoken_span(said.time_until(facts.deadline_at, now)))
    sentences = [first]
    if len(delivery.threads) > 1:
        sentences.append(words.say("voice_many", n=len(delivery.threads)))
    market = words.market(facts.marketplace)
    if facts.order_id:
        sentences.append(words.say("voice_order", market=market, order=spell(facts.order_id)))
    else:
        sentences.append(words.say("voice_no_order", market=market))
    if delivery.code is not None and answer_to:
        sentences.append(words.say("voice_code", code=delivery.code, number=spell(answer_to)))
    else:
        sentences.append(words.say("voice_no_code"))
    return tuple(sentences)


def spell(number: str) -> str:
    """Return digits one by one with a pause between the groups: "4 0 2, 1 2 3 4, 5 6 7": long groups are split."""
    groups: list[str] = []
    for group in "".join(char if char.isalnum() else " " for char in clean(number, 40)).split():
        # A group of seven is more than one can hold in mind: four and three.
        parts = [group[:4], group[4:]] if 6 <= len(group) <= 8 else [group[i : i + 3] for i in range(0, len(group), 3)]
        groups.extend(" ".join(part) for part in parts if part)
    return ", ".join(groups)


def twiml(sentences: tuple[str, ...], language: str) -> str:
    """Return the TwiML document: everything twice, with a breath between the sentences."""
    voice = SPOKEN.get(language, SPOKEN["en"])
    once = '<Pause length="1"/>'.join(
        f'<Say language="{voice}">{escape(clean(sentence, 400))}</Say>' for sentence in sentences
    )
    document = f'<Response><Pause length="1"/>{once}<Pause length="2"/>{once}</Response>'
    if len(document) > _MAX_TWIML:
        return f"<Response>{once}</Response>" if len(once) < _MAX_TWIML - 30 else twiml(sentences[:2], language)
    return document
