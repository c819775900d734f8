"""JSON, CSV, HTML, Markdown, files and the notification's content: what scripts and programs rely on."""

import csv
import io
import json
import os
import re
import statistics
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from alerts.core.words.content import report as report_words
from monitor.core.weeks import week_span
from monitor.report.build import build_report
from monitor.report.compose import build_view
from monitor.report.model import Report, ReportSettings
from monitor.report.pictures import Picture
from monitor.report.publish import RenderedReport, record_report, render_report, report_content, report_paths
from monitor.report.render_csv import COLUMNS, render_csv
from monitor.report.render_html import render_html, render_mail_html
from monitor.report.render_json import render_json, report_to_json
from monitor.report.render_markdown import render_markdown, render_text
from tests.support.report_source import (
    PARIS,
    SAMPLE_NOW,
    SAMPLE_WEEK,
    MemoryReportSource,
    make_outcome,
    sample_settings,
    sample_source,
)

MONDAY = week_span(SAMPLE_WEEK, PARIS)[0]
FIGURES = [
    "received",
    "on_time",
    "late",
    "no_response",
    "pending",
    "waived",
    "response_rate",
    "late_response_rate",
    "average_response_seconds",
    "median_response_seconds",
    "p90_response_seconds",
    "marked_by_hand",
]
PNG = b"\x89PNG\r\n\x1a\n"


@pytest.fixture(scope="module")
def report() -> Report:
    return build_report(sample_source(), SAMPLE_WEEK, SAMPLE_NOW, sample_settings())


@pytest.fixture(scope="module")
def rendered(report: Report) -> RenderedReport:
    return render_report(report)


def test_the_json_has_the_keys_that_scripts_rely_on(report: Report) -> None:
    shown = json.loads(render_json(report))
    contract = [
        "week",
        "from",
        "to",
        "time_zone",
        "figures",
        "windows",
        "by_marketplace",
        "by_account",
        "by_label",
        "misses",
    ]
    assert list(shown)[:11] == [*contract, "evidence"]
    assert (shown["week"], shown["from"], shown["to"]) == ("2026-W47", "2026-11-15T23:00:00Z", "2026-11-22T23:00:00Z")
    assert shown["time_zone"] == "Europe/Paris"
    assert list(shown["windows"]) == ["7d", "30d", "90d"]
    groups = [shown["figures"], *shown["windows"].values()]
    for key in ("by_marketplace", "by_account", "by_label"):
        groups += shown[key].values()
    assert all(list(figures) == FIGURES for figures in groups)
    assert len(shown["misses"]) == shown["figures"]["late"] + shown["figures"]["no_response"] == 5
    assert sum(shown["causes"].values()) == 5
    assert [len(shown["hours"][key]) for key in ("arrivals", "replies", "breaches")] == [168, 168, 168]


def test_the_json_of_an_empty_week_is_whole_and_has_nulls() -> None:
    shown = report_to_json(build_report(MemoryReportSource(), SAMPLE_WEEK, SAMPLE_NOW, ReportSettings(time_zone=PARIS)))
    assert shown["figures"]["received"] == 0
    assert shown["figures"]["response_rate"] is None
    assert (shown["misses"], shown["evidence"], shown["by_marketplace"], shown["forecast"]) == ([], [], {}, None)
    assert json.loads(json.dumps(shown)) == json.loads(json.dumps(shown))


def test_the_json_names_nobody_unless_asked(report: Report) -> None:
    assert "Ana" not in render_json(report)
    named = build_report(sample_source(), SAMPLE_WEEK, SAMPLE_NOW, sample_settings(names=True))
    shown = report_to_json(named)
    (taken,) = [miss for miss in shown["misses"] if miss["acknowledged"]]
    assert taken["acknowledged"][0]["by"] == "Ana"
    assert shown["waivers"]["by_person"] == {"Ana": 4, "Bo": 2}


def rows_of(report: Report) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(render_csv(report))))


def test_a_spreadsheet_over_the_csv_gives_the_reports_figures(report: Report) -> None:
    rows = rows_of(report)
    took = [float(row["response_seconds"]) for row in rows if row["response_seconds"]]
    assert list(rows[0]) == list(COLUMNS)
    assert len(rows) == report.figures.received
    assert statistics.fmean(took) == pytest.approx(report.figures.average_response_seconds)
    assert statistics.median(took) == pytest.approx(report.figures.median_response_seconds)
    assert statistics.quantiles(took, n=10, method="inclusive")[8] == pytest.approx(report.figures.p90_response_seconds)
    assert sum(row["outcome"] == "late" for row in rows) == report.figures.late


def test_a_cell_of_the_csv_is_never_a_formula() -> None:
    outcome = make_outcome(1, MONDAY, account="=cmd|'/c calc'!A0", labels=("@sum", "+1"), order_id="-402")
    source = MemoryReportSource(outcomes=[outcome])
    (row,) = rows_of(build_report(source, SAMPLE_WEEK, SAMPLE_NOW, ReportSettings(time_zone=PARIS)))
    assert (row["account"], row["labels"], row["order_id"]) == ("'=cmd|'/c calc'!A0", "'@sum +1", "'-402")


HOSTILE = "<script>alert(1)</script>"


def hostile_report() -> Report:
    outcome = make_outcome(
        1,
        MONDAY,
        account=HOSTILE,
        marketplace=HOSTILE,
        labels=(HOSTILE,),
        order_id=HOSTILE,
        answered_at=MONDAY + timedelta(2),
    )
    source = MemoryReportSource(outcomes=[outcome, make_outcome(2, MONDAY)])
    return build_report(source, SAMPLE_WEEK, SAMPLE_NOW, ReportSettings(time_zone=PARIS))


def test_nothing_of_a_mail_becomes_markup() -> None:
    view = build_view(hostile_report())
    page = render_html(view, ())
    assert "<script" not in page
    assert "&lt;script&gt;" in page
    markdown = render_markdown(view, {})
    assert not re.search(r"(?<!\\)<", markdown)
    assert "\\<script\\>" in markdown


def test_the_page_needs_nothing_but_itself(rendered: RenderedReport) -> None:
    page = render_html(rendered.view, rendered.pictures)
    sources = re.findall(r'src="([^"]{0,30})', page)
    assert sources == ["data:image/png;base64,iVBORw0K"] * 2
    assert not re.search(r'(?:src|href)="(?!data:)', page)
    assert "http" not in re.sub(r'base64,[^"]+', "", page)
    assert page.count(' alt="') == 2
    assert '<html lang="en">' in page
    assert re.search(
        r'<td[^>]*style="[^"]*text-align: right', page
    )  # styles stand on the elements: mail programs drop <style>


def test_a_mail_shows_the_words_of_a_picture_it_does_not_carry(rendered: RenderedReport) -> None:
    page = render_mail_html(rendered.view, {"weeks": "weeks"})
    assert page.count("cid:") == 1
    assert rendered.view.alt["hours"] in page


def test_markdown_tables_keep_their_cells_apart(report: Report) -> None:
    text = render_markdown(build_view(report), {"hours": "h.png"})
    tables = [block for block in text.split("\n\n") if block.startswith("| ")]
    assert len(tables) == 5
    for table in tables:
        widths = {len(re.findall(r"(?<!\\)\|", line)) for line in table.splitlines()}
        assert len(widths) == 1
    assert "](h.png)" in text


def test_the_text_of_a_mail_has_the_misses_and_the_advice(report: Report) -> None:
    text = render_text(build_view(report))
    assert text.splitlines()[0].startswith("Week 47 · ")
    assert "somebody had it, then it was forgotten" in text
    assert "One hour on Sunday" in text
    assert "|" not in text
    assert re.search(r"^Received +140 +138 +568 +1,759$", text, re.MULTILINE)
    assert not re.search(r"\n\n\n| $", text)


def test_every_form_is_written_whole_and_replaced(rendered: RenderedReport, tmp_path: Path) -> None:
    directory = tmp_path / "deep" / "reports"
    paths = record_report(rendered, directory)
    again = record_report(rendered, directory)
    assert paths == again == report_paths(rendered.report, directory)
    assert sorted(path.name for path in directory.iterdir()) == [
        "replyby-2026-W47-hours.png",
        "replyby-2026-W47-weeks.png",
        "replyby-2026-W47.csv",
        "replyby-2026-W47.html",
        "replyby-2026-W47.json",
        "replyby-2026-W47.md",
    ]
    assert paths["hours"].read_bytes().startswith(PNG)
    assert paths["csv"].read_bytes().startswith(b"\xef\xbb\xbfmessage,thread,")
    assert json.loads(paths["json"].read_text())["week"] == "2026-W47"
    for name in re.findall(r"!\[[^\]]*\]\(([^)]+)\)", paths["md"].read_text()):
        assert (directory / name).exists()
    umask = os.umask(0o077)
    os.umask(umask)
    assert paths["html"].stat().st_mode & 0o777 == 0o666 & ~umask


def test_a_report_that_cannot_be_written_leaves_no_half_file(rendered: RenderedReport, tmp_path: Path) -> None:
    blocked = report_paths(rendered.report, tmp_path)["html"]
    blocked.mkdir()
    with pytest.raises(OSError, match="replyby-2026-W47"):
        record_report(rendered, tmp_path)
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")]


def test_the_notifications_content_is_what_its_renderer_knows(rendered: RenderedReport, tmp_path: Path) -> None:
    paths = record_report(rendered, tmp_path)
    content: dict[str, Any] = report_content(rendered, paths)
    assert content.keys() == report_words("", ()).keys()
    assert content == json.loads(json.dumps(content))
    assert [image["name"] for image in content["images"]] == ["hours", "weeks"]
    assert all(image["alt"] and Path(image["path"]).read_bytes().startswith(PNG) for image in content["images"])
    assert re.findall(r'src="(cid:\w+)"', content["html"]) == ["cid:hours", "cid:weeks"]
    assert content["headline"] == rendered.view.subject
    assert content["lines"][1].startswith("What went wrong: 4")
    first_screen = report_content(rendered, paths, whole=False)
    assert (first_screen["html"], first_screen["text"]) == ("", "")
    assert first_screen["images"] == content["images"]


def test_the_same_week_gives_the_same_pictures(report: Report, rendered: RenderedReport) -> None:
    again: tuple[Picture, ...] = render_report(report).pictures
    assert [picture.png for picture in again] == [picture.png for picture in rendered.pictures]


def test_pictures_of_an_empty_week_are_drawn_and_worded() -> None:
    empty = build_report(MemoryReportSource(), SAMPLE_WEEK, SAMPLE_NOW, ReportSettings(time_zone=PARIS))
    pictures = render_report(empty).pictures
    assert all(picture.png.startswith(PNG) for picture in pictures)
    assert "Most deadlines are missed: never." in pictures[0].alt
