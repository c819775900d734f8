"""The words: the same keys and placeholders in every language, all of them used, and figures never flattered."""

import re
from datetime import UTC, date, datetime, timedelta
from importlib import import_module
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

import monitor.report
from monitor.core.labels import PRIORITIES
from monitor.core.marketplaces import MARKETPLACES
from monitor.report.build import build_report
from monitor.report.compose import build_view
from monitor.report.model import Cause
from monitor.report.publish import render_report, report_content
from monitor.report.render_markdown import render_markdown
from monitor.report.wording import LANGUAGES, Wording
from tests.support.report_source import PARIS, SAMPLE_NOW, SAMPLE_WEEK, sample_settings, sample_source

ROOM = Path(monitor.report.__file__).parent
FIELD = re.compile(r"{(\w+)}")
OTHERS = [language for language in LANGUAGES if language != "en"]


def words_of(language: str) -> dict[str, str]:
    words: dict[str, str] = import_module(f"monitor.report.words.{language}").WORDS
    return words


@pytest.mark.parametrize("language", OTHERS)
def test_every_language_has_the_same_words_with_the_same_placeholders(language: str) -> None:
    english, translated = words_of("en"), words_of(language)
    assert translated.keys() == english.keys()
    for key, text in translated.items():
        fields, wanted = set(FIELD.findall(text)), set(FIELD.findall(english[key]))
        # "and one more" may leave its number unsaid
        assert fields == wanted or (key.endswith(".one") and wanted - fields == {"n"}), key


def test_every_word_that_is_asked_for_exists_and_none_is_left_over() -> None:
    source = "".join(path.read_text(encoding="utf-8") for path in ROOM.glob("*.py"))
    asked = set(re.findall(r'(?:say|count|labelled)\(\s*f?["\']([a-z_0-9.]+)', source))
    asked |= set(re.findall(r'(?:_hour_words|key = )\(?["\'](helped_\w+|goal_\w+)', source))
    known = {key.removesuffix(".one").removesuffix(".other") for key in words_of("en")}
    stems = {"cause.", "advice.", "row.", "column.", "evidence.", "label."}
    assert {key for key in asked if not key.endswith(".")} <= known
    for key in known:
        assert key in source or any(key.startswith(stem) and stem in source for stem in stems), key


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_cause_and_every_label_has_words(language: str) -> None:
    words = words_of(language)
    assert all(f"cause.{cause}" in words for cause in Cause)
    assert all(f"label.{label}" in words for label in PRIORITIES)
    wording = Wording(language, PARIS)
    assert wording.label("my_own_label") == "my own label"


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_marketplace_is_named_as_the_language_names_the_country(language: str) -> None:
    wording = Wording(language, PARIS)
    names = [wording.market(market.country) for market in MARKETPLACES]
    assert len(set(names)) == len(MARKETPLACES)
    assert not any(name in {market.country for market in MARKETPLACES} for name in names)
    assert wording.market("unknown") == words_of(language)["unknown_market"]
    assert wording.market("ZZZ") == "ZZZ"


@pytest.mark.parametrize(
    ("ratio", "up", "expected"),
    [
        pytest.param(0.9, False, "90\u00a0%", id="a round rate"),
        pytest.param(0.8996, False, "89.9\u00a0%", id="just below the goal is not the goal"),
        pytest.param(0.99999, False, "99.9\u00a0%", id="not everything is not 100"),
        pytest.param(1.0, False, "100\u00a0%", id="everything"),
        pytest.param(0.00001, True, "0.1\u00a0%", id="a little failure is not none"),
        pytest.param(0.29, False, "29\u00a0%", id="0.29 * 1000 is 290, not 289.99"),
        pytest.param(None, False, "–", id="nothing to judge"),
    ],
)
def test_a_rate_never_looks_better_than_it_is(ratio: float | None, up: bool, expected: str) -> None:
    assert Wording("en", PARIS).percent(ratio, up=up) == expected


@pytest.mark.parametrize(
    ("length", "expected", "short"),
    [
        pytest.param(0.0, "0 min", "0 min", id="nothing"),
        pytest.param(12.0, "12 s", "12 s", id="seconds"),
        pytest.param(59 * 60.0, "59 min", "59 min", id="minutes"),
        pytest.param(3599.0, "1 h", "1 h", id="rounded to the hour"),
        pytest.param(3 * 3600 + 12 * 60.0, "3 h 12 min", "3 h 12", id="hours"),
        pytest.param(47 * 3600 + 59 * 60.0, "47 h 59 min", "47 h 59", id="almost two days"),
        pytest.param(51 * 3600.0, "2 d 3 h", "2 d 3 h", id="days"),
    ],
)
def test_a_length_is_written_for_people(length: float, expected: str, short: str) -> None:
    wording = Wording("en", PARIS)
    assert wording.duration(length).replace("\u00a0", " ") == expected
    assert wording.duration(timedelta(seconds=length)) == wording.duration(length)
    assert wording.short_duration(length).replace("\u00a0", " ") == short


def test_dates_and_times_are_local_and_of_the_language() -> None:
    at = datetime(2026, 11, 21, 23, 30, tzinfo=UTC)
    assert Wording("de", PARIS).day_time(at) == "So. 00:30"
    assert Wording("fr", ZoneInfo("America/New_York")).weekday(at) == "samedi"
    assert Wording("en", PARIS).days(date(2026, 12, 28), date(2027, 1, 3)).count("20") == 2  # both years are named


def test_french_keeps_its_marks_on_the_line() -> None:
    for text in words_of("fr").values():
        assert not re.search(r" [:;!?»%]", text)


def test_a_language_without_words_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match="language 'nl': there are words in en, fr, de, es, it"):
        Wording("nl", PARIS)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_whole_report_is_worded_in_each_language(language: str) -> None:
    report = build_report(sample_source(), SAMPLE_WEEK, SAMPLE_NOW, sample_settings(language, names=True))
    text = render_markdown(build_view(report), {})
    assert "{" not in text
    assert "None" not in text
    english = render_markdown(build_view(report, "en"), {})
    if language != "en":
        same = set(text.split("\n\n")) & set(english.split("\n\n"))
        assert not same, same
    content = report_content(render_report(report), {})
    assert content["headline"] in content["text"]
