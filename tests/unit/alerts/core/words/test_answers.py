"""What is said back to whoever answered."""

from datetime import timedelta

import pytest

from alerts.core.model import AnswerResult
from alerts.core.words.answers import TEXT_KEYS, render_answer
from alerts.core.words.catalog import LANGUAGES, words_for
from alerts.core.words.gsm import SEGMENT, septets, to_gsm7
from tests.support.deliveries import NOW, make_facts

ORDER = "402-1234567-1234567"


@pytest.mark.parametrize(
    ("result", "said"),
    [
        (
            AnswerResult(
                accepted=True, text_key="acknowledged", by="Ana",
                threads=(make_facts(acknowledgement_expires_at=NOW + timedelta(minutes=92)),),
            ),
            f"OK Ana: {ORDER} is yours until 04:10.",
        ),
        (
            AnswerResult(accepted=True, text_key="acknowledged", by="Ana", threads=(make_facts(), make_facts())),
            "OK Ana: 2 orders are yours until 04:10.",
        ),
        (
            AnswerResult(
                accepted=True, text_key="snoozed", by="Ana",
                threads=(make_facts(snoozed_until=NOW + timedelta(hours=1)),),
            ),
            f"OK Ana: {ORDER} is silent until 03:38.",
        ),
        (AnswerResult(accepted=False, text_key="unknown_code", by="Ana"), "No open alert has the number 7."),
        (
            AnswerResult(accepted=False, text_key="already_closed", threads=(make_facts(order_id=None),)),
            "Pre-sale question is settled already.",
        ),
        (
            AnswerResult(accepted=True, text_key="answered", by="Ana", threads=(make_facts(),), left=1),
            f"OK Ana: {ORDER} counts as answered. Take it back: undo 7. Not changed: 1 order.",
        ),
        (
            AnswerResult(accepted=True, text_key="stays_closed", by="Ana", threads=(make_facts(),)),
            f"Taken back: {ORDER} stays settled, by a reply or another mark.",
        ),
        (AnswerResult(accepted=False, text_key="repeated", by="Ana"), ""),
        (AnswerResult(accepted=True, text_key="a_key_of_next_year", by="Ana"), "OK Ana."),
        (
            AnswerResult(accepted=False, text_key="a_key_of_next_year"),
            "Nothing was changed. Please try again, or use Slack.",
        ),
    ],
    ids=["one", "several", "snoozed", "unknown", "closed", "left", "stays closed", "repeated", "new", "failed"],
)  # fmt: skip
def test_the_answer_names_what_changed_and_until_when(result: AnswerResult, said: str) -> None:
    assert render_answer(words_for("en", "Europe/Paris"), result, NOW, code=7) == said


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("left", [0, 2])
@pytest.mark.parametrize("number", [1, 3])
@pytest.mark.parametrize("key", sorted(TEXT_KEYS))
def test_every_answer_is_one_segment_in_every_language(language: str, key: str, number: int, left: int) -> None:
    facts = make_facts(timedelta(days=3), snoozed_until=NOW + timedelta(days=2))
    result = AnswerResult(accepted=True, text_key=key, threads=(facts,) * number, left=left, by="Maximiliane")
    text = to_gsm7(render_answer(words_for(language, "Europe/Paris"), result, NOW, code=1234))
    assert text
    assert septets(text) <= SEGMENT


def test_an_answer_about_no_thread_at_all_is_still_said() -> None:
    result = AnswerResult(accepted=True, text_key="acknowledged", by="Ana")
    assert render_answer(words_for("en", "UTC"), result, NOW) == "OK Ana: 0 orders is yours."
