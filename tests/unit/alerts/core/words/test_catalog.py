"""The five languages: complete, the same placeholders, right plurals, times and spans."""

import string
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.core.words.catalog import LANGUAGES, clean, table_of, words_for
from monitor.core.labels import PRIORITIES
from tests.support.deliveries import NOW

ENGLISH = table_of("en")


def _placeholders(entry: str | tuple[str, str]) -> list[set[str]]:
    texts = (entry,) if isinstance(entry, str) else entry
    return [{name for _, name, _, _ in string.Formatter().parse(text) if name} for text in texts]


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_has_every_key_with_the_same_placeholders(language: str) -> None:
    table = table_of(language)
    assert set(table) == set(ENGLISH)
    for key, entry in table.items():
        assert _placeholders(entry) == _placeholders(ENGLISH[key]), key


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_translation_is_empty_or_was_left_in_english(language: str) -> None:
    table = table_of(language)
    assert all(text.strip() for entry in table.values() for text in ([entry] if isinstance(entry, str) else entry))
    if language != "en":
        same = {key for key, entry in table.items() if entry == ENGLISH[key] and len(str(entry)) > 12}
        assert same <= {"health_other", "route_seller_central", "messages", "minutes_spoken"}, same  # the same word


@pytest.mark.parametrize(
    ("language", "number", "said"),
    [
        ("en", 0, "0 messages"), ("en", 1, "1 message"), ("en", 2, "2 messages"),
        ("fr", 0, "0 message"), ("fr", 1, "1 message"), ("fr", 2, "2 messages"),
        ("de", 0, "0 Nachrichten"), ("de", 1, "1 Nachricht"), ("de", 21, "21 Nachrichten"),
        ("es", 1, "1 mensaje"), ("es", 0, "0 mensajes"),
        ("it", 1, "1 messaggio"), ("it", 0, "0 messaggi"),
    ],
)  # fmt: skip
def test_plurals_follow_the_language(language: str, number: int, said: str) -> None:
    assert words_for(language, "UTC").count("messages", number) == said


@pytest.mark.parametrize("language", LANGUAGES)
def test_plurals_agree_with_cldr(language: str) -> None:
    from babel import Locale

    rule = Locale.parse(language).plural_form
    words = words_for(language, "UTC")
    forms = table_of(language)["digest_open"]
    assert not isinstance(forms, str)
    one, other = forms
    for number in range(200):
        wanted = one if rule(number) == "one" else other
        assert words.count("digest_open", number) == wanted.format(n=number)


@pytest.mark.parametrize(
    ("span", "full", "short"),
    [
        (timedelta(minutes=92), "1 h 32 min", "1h32"),
        (timedelta(minutes=92, seconds=59), "1 h 32 min", "1h32"),
        (timedelta(minutes=66), "1 h 06 min", "1h06"),
        (timedelta(minutes=48), "48 min", "48min"),
        (timedelta(seconds=59), "under 1 min", "0min"),
        (timedelta(0), "under 1 min", "0min"),
        (timedelta(seconds=-5), "under 1 min", "0min"),
        (timedelta(hours=47, minutes=59), "47 h 59 min", "47h59"),
        (timedelta(hours=51), "2 d 3 h", "2d3h"),
    ],
)
def test_spans_promise_no_minute_that_is_not_there(span: timedelta, full: str, short: str) -> None:
    words = words_for("en", "UTC")
    assert words.span(span) == full
    assert words.short_span(span) == short


def test_time_taken_and_time_to_spare_add_up() -> None:
    words = words_for("en", "UTC")
    took = timedelta(hours=22, minutes=53, seconds=20)
    assert words.span(took, up=True) == "22 h 54 min"
    assert words.span(timedelta(hours=24) - took) == "1 h 06 min"


@pytest.mark.parametrize(
    ("language", "at", "said"),
    [
        ("en", NOW + timedelta(minutes=92), "04:10"),
        ("en", NOW - timedelta(hours=24), "Fri 02:38"),
        ("fr", NOW + timedelta(hours=24), "dim. 02:38"),
        ("de", NOW + timedelta(hours=24), "So. 02:38"),
        ("es", NOW + timedelta(hours=24), "dom 02:38"),
        ("it", NOW + timedelta(hours=24), "dom 02:38"),
        ("en", NOW + timedelta(days=7), "Sat 28 Nov 02:38"),
    ],
)
def test_instants_are_local_and_name_the_day_when_it_is_another(language: str, at: datetime, said: str) -> None:
    assert words_for(language, "Europe/Paris").instant(at, NOW) == said


def test_instants_are_right_on_both_sides_of_the_clock_change() -> None:
    words = words_for("en", "Europe/Paris")
    before = datetime(2026, 10, 24, 22, 30, tzinfo=UTC)  # 00:30 summer time; the change is at 03:00
    assert words.instant(before, before) == "00:30"
    assert words.instant(before + timedelta(hours=4), before) == "03:30"


def test_marketplaces_are_countries_in_the_readers_language() -> None:
    assert words_for("de", "UTC").market("UK") == "Vereinigtes Königreich"
    assert words_for("fr", "UTC").market("DE") == "Allemagne"
    assert words_for("en", "UTC").market(None) == "unknown marketplace"
    assert words_for("en", "UTC").market("QQ") == "QQ"


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_label_that_is_given_has_its_word(language: str) -> None:
    assert {f"label_{name}" for name in PRIORITIES} == {key for key in table_of(language) if key.startswith("label_")}


def test_a_label_of_the_sellers_own_stays_as_he_named_it() -> None:
    assert words_for("fr", "UTC").label("spare_parts") == "spare parts"
    assert words_for("fr", "UTC").label("claim_threat") == "menace de recours"


def test_an_unknown_language_or_zone_falls_back_instead_of_failing() -> None:
    words = words_for("pt", "Mars/Olympus")
    assert words.language == "en"
    assert words.instant(NOW, NOW) == "01:38"


@given(st.text(max_size=300))
def test_text_from_outside_stays_on_one_line_without_direction_marks(text: str) -> None:
    made = clean(text, 40)
    assert len(made) <= 40
    assert not set(made) & set("\n\r\t\u202e\u2066\u200b\u2028\x00")


def test_counting_words_and_plain_words_are_not_mixed_up() -> None:
    words = words_for("en", "UTC")
    with pytest.raises(ValueError, match="has no plural"):
        words.count("nobody", 2)
    with pytest.raises(ValueError, match="counts something"):
        words.say("messages")


@pytest.mark.parametrize(
    ("span", "said"),
    [
        (timedelta(hours=2), "2 hours"),
        (timedelta(minutes=1), "1 minute"),
        (timedelta(0), "0 minutes"),
        (timedelta(hours=50), "2 days 2 hours"),
    ],
)
def test_spoken_spans(span: timedelta, said: str) -> None:
    assert words_for("en", "UTC").spoken_span(span) == said
