"""What is told where Amazon's figure and ours differ: both figures, what that means, and each cause in each language."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from alerts.core.model import Purpose
from alerts.core.words import content
from alerts.core.words.catalog import LANGUAGES, words_for
from alerts.core.words.difference import difference_lines
from alerts.core.words.slack import render_message
from alerts.core.words.summaries import render_summary
from monitor.core.difference import Difference, Likely, difference_content
from tests.support.deliveries import NOW, make_delivery
from tests.support.slack_rules import message_error

CAUSES = tuple(Likely)


def differs(*causes: Likely, **changes: Any) -> dict[str, Any]:
    values: dict[str, Any] = {
        "window_days": 30,
        "amazon": 0.942,
        "ours": 0.768,
        "causes": [cause.value for cause in causes],
        "copies_last_at": NOW - timedelta(days=9),
        "undecided": 3,
        "junk": 2,
        "waived": 1,
        "marked": 5,
    }
    return content.figure_differs("DE", **(values | changes))


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("cause", CAUSES)
def test_every_cause_has_its_words_in_every_language(language: str, cause: Likely) -> None:
    figures, meaning, text = difference_lines(words_for(language, "Europe/Paris"), differs(cause)["difference"], NOW)
    assert "94" in figures and "76" in figures and "30" in figures
    assert "ReplyBy" in meaning
    assert "{" not in text and len(text) > 40


@pytest.mark.parametrize("language", LANGUAGES)
def test_causes_are_told_apart_and_the_first_is_the_likeliest(language: str) -> None:
    lines = difference_lines(words_for(language, "Europe/Paris"), differs(*CAUSES)["difference"], NOW)[2:]
    assert len(set(lines)) == len(CAUSES)
    begins = [line.partition(":")[0] for line in lines]
    assert begins[0] != begins[1]
    assert len(set(begins[1:])) == 1


def test_a_count_of_one_is_told_in_the_singular() -> None:
    one = differs(Likely.WAIVED_HERE, Likely.COPIES_IN_JUNK, Likely.COPIES_UNDECIDED, junk=1, undecided=1)
    told = difference_lines(words_for("en", "UTC"), one["difference"], NOW)[2:]
    assert told == [
        "Most likely: 1 message was marked “No response needed” here. Amazon counts it until it is marked in Seller Central "
        "too.",
        "Or: copies of replies are taken for spam, as 1 buyer message was. Mark them as not spam.",
        "Or: 1 copy of a reply waits for a person's decision. Type: replyby review",
    ]


@pytest.mark.parametrize(
    ("amazon", "ours", "says"),
    [
        pytest.param(0.942, 0.768, "does not see all replies", id="replies unseen"),
        pytest.param(0.7, 0.95, "Amazon counts what ReplyBy does not see", id="messages unseen"),
    ],
)
def test_what_a_difference_means_depends_on_who_sees_more(amazon: float, ours: float, says: str) -> None:
    told = differs(Likely.MARKED_THERE, amazon=amazon, ours=ours)["difference"]
    assert says in difference_lines(words_for("en", "UTC"), told, NOW)[1]


def test_a_share_is_rounded_down_as_in_the_report() -> None:
    told = differs(Likely.MARKED_THERE, amazon=0.97368, ours=0.9)["difference"]
    figures = difference_lines(words_for("en", "UTC"), told, NOW)[0]
    assert figures == "Answered in time over 30 days: 97.3 % as Amazon counts, 90.0 % as ReplyBy counts."


def test_the_last_copy_is_told_by_its_day_with_the_year_where_that_is_another() -> None:
    now = datetime(2026, 1, 5, 9, tzinfo=UTC)
    told = differs(Likely.COPIES_STOPPED, copies_last_at=datetime(2025, 12, 20, 23, 30, tzinfo=UTC))["difference"]
    assert "came on Sun 21 Dec 2025." in difference_lines(words_for("en", "Europe/Paris"), told, now)[2]


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_sentence_that_ends_with_a_shortened_month_ends_with_one_full_stop(language: str) -> None:
    told = differs(Likely.COPIES_STOPPED)["difference"]
    assert ".." not in difference_lines(words_for(language, "Europe/Paris"), told, NOW)[2]


@pytest.mark.parametrize("language", LANGUAGES)
def test_slack_takes_it_and_the_end_has_words_of_its_own(language: str) -> None:
    words = words_for(language, "Europe/Paris")
    delivery = make_delivery(purpose=Purpose.HEALTH, content=differs(*CAUSES[:3]), language=language)
    message = render_message(words, delivery)
    assert message_error({"channel": "C0123", "text": message.text, "blocks": list(message.blocks)}) is None
    over = content.health(content.HealthKind.FIGURE_AGREES, "DE")
    titles = {
        render_summary(words, make_delivery(purpose=Purpose.HEALTH, content=one)).title for one in (over, differs())
    }
    assert len(titles) == 2 and all("DE" in title for title in titles)


def test_italian_says_tu_as_in_every_other_alert() -> None:
    told = [differs(*CAUSES[place : place + 3])["difference"] for place in range(0, len(CAUSES), 3)]
    words = words_for("it", "Europe/Rome")
    said = " ".join(line for one in told for line in difference_lines(words, one, NOW)).lower()
    assert "cartella spam" in said
    for formal in ("aggiunga", "segni ", "guardi", "scriva", "imposti"):
        assert formal not in said


def test_a_difference_is_told_as_shares_answered_in_time() -> None:
    found = Difference(
        account="a", marketplace="DE", window_days=30, read_at=NOW, amazon=0.058, ours=0.232,
        causes=(Likely.COPIES_OFF,), junk=4,
    )  # fmt: skip
    told = difference_content("DE", found)["difference"]
    assert (round(told["amazon"], 3), round(told["ours"], 3), told["causes"], told["junk"]) == (
        0.942,
        0.768,
        ["copies_off"],
        4,
    )
