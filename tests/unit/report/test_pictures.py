"""The pictures can be read by colour-blind people, in grey, and at every size of seller."""

import io
import itertools
from datetime import timedelta

import pytest
from PIL import Image

from monitor.core.weeks import week_span
from monitor.report import pictures
from monitor.report.build import build_report
from monitor.report.model import ReportSettings
from monitor.report.pictures import draw_pictures
from monitor.report.wording import LANGUAGES, Wording
from tests.support.report_source import PARIS, SAMPLE_NOW, SAMPLE_WEEK, MemoryReportSource, make_outcome

# Linear RGB as people without red or green cones see it: Viénot, Brettel and Mollon, 1999.
SIGHTS = {
    "full": ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)),
    "no red": ((0.11238, 0.88762, 0.0), (0.11238, 0.88762, 0.0), (0.00401, -0.00401, 1.0)),
    "no green": ((0.29275, 0.70725, 0.0), (0.29275, 0.70725, 0.0), (-0.02234, 0.02234, 1.0)),
    "grey": ((0.2126, 0.7152, 0.0722),) * 3,
}


def seen(colour: str, sight: str) -> list[float]:
    parts = [int(colour[n : n + 2], 16) / 255 for n in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return [sum(weight * part for weight, part in zip(row, linear, strict=True)) for row in SIGHTS[sight]]


def lightness(colour: str, sight: str) -> float:
    red, green, blue = seen(colour, sight)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("sight", SIGHTS)
@pytest.mark.parametrize("shades", [pictures._BLUES, pictures._ORANGES], ids=["blues", "oranges"])
def test_more_is_darker_for_every_eye(shades: tuple[str, ...], sight: str) -> None:
    steps = [lightness(colour, sight) for colour in shades]
    assert all((lighter + 0.05) / (darker + 0.05) > 1.15 for lighter, darker in itertools.pairwise(steps))


@pytest.mark.parametrize("sight", ["full", "no red", "no green"])
def test_met_and_missed_differ_in_colour_for_every_eye_and_in_shape_besides(sight: str) -> None:
    blue, orange = seen(pictures._BLUE, sight), seen(pictures._ORANGE, sight)
    assert sum(abs(a - b) for a, b in zip(blue, orange, strict=True)) > 0.4


@pytest.mark.parametrize(
    ("messages", "late"),
    [
        pytest.param(1, 0, id="one message"),
        pytest.param(3, 3, id="all late"),
        pytest.param(4000, 40, id="thousands"),
    ],
)
def test_every_size_of_week_is_drawn_at_the_same_size(messages: int, late: int) -> None:
    monday, next_monday = week_span(SAMPLE_WEEK, PARIS)
    step = (next_monday - monday) / messages
    outcomes = [
        make_outcome(n, monday + n * step, answered_at=monday + n * step + timedelta(hours=30 if n < late else 1))
        for n in range(messages)
    ]
    report = build_report(
        MemoryReportSource(outcomes=outcomes), SAMPLE_WEEK, SAMPLE_NOW, ReportSettings(time_zone=PARIS)
    )
    drawn = [Image.open(io.BytesIO(picture.png)).size for picture in draw_pictures(report, Wording("en", PARIS))]
    assert drawn == [(1000, 1280), (1000, 720)]


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_picture_says_in_words_what_it_shows(language: str) -> None:
    report = build_report(MemoryReportSource(), SAMPLE_WEEK, SAMPLE_NOW, ReportSettings(time_zone=PARIS))
    for picture in draw_pictures(report, Wording(language, PARIS)):
        assert len(picture.alt) > 40
        assert picture.title
