"""Amazon's own figures beside ours, in words: a table of both, and what a difference is likely made of."""

from datetime import date

from monitor.report.model import AmazonComparison, Report
from monitor.report.view import Section, Table, difference_words, place, sees_too_little, table_rate
from monitor.report.wording import Wording


def amazon_section(report: Report, words: Wording) -> Section | None:
    """Return Amazon's figures beside ours of the same days; None where there is none."""
    if not report.amazon:
        return None
    rows = [row for one in report.amazon for row in _rows(one, report, words)]
    told = [
        f"{_place(one, report, words)}{words.say('colon')} {' '.join(lines)}"
        for one in report.amazon
        if (lines := difference_words(one.amazon, report, words))
    ]
    return Section(
        key="amazon",
        title=words.say("amazon"),
        tables=(Table(columns=("", words.say("column.amazon"), words.say("column.ours")), rows=tuple(rows)),),
        items=tuple(told),
        paragraphs=(words.say("amazon_note"), *_sources(report, words)),
    )


def _rows(one: AmazonComparison, report: Report, words: Wording) -> list[tuple[str, ...]]:
    figure = one.amazon
    rate = (
        words.say("amazon_row", market=_place(one, report, words), days=figure.window_days),
        words.percent(1 - figure.late_ratio),
        table_rate(one.ours, sees_too_little(report, figure), words),
    )
    if figure.average_response_seconds is None:
        return [rate]
    average = (
        words.say("row.average"),
        words.short_duration(figure.average_response_seconds),
        words.short_duration(one.ours.average_response_seconds),
    )
    return [rate, average]


def _place(one: AmazonComparison, report: Report, words: Wording) -> str:
    return place(one.amazon.account, one.amazon.marketplace, report, words)


def _sources(report: Report, words: Wording) -> list[str]:
    """Return where the figures come from and of which day they are, each once with the marketplaces it is true of."""
    found: dict[tuple[str, date], dict[str, None]] = {}
    for one in report.amazon:
        key = "source.sp_api" if one.amazon.source == "sp_api" else "source.typed"
        day = one.amazon.read_at.astimezone(words.zone).date()
        found.setdefault((key, day), {})[_place(one, report, words)] = None
    return [words.say(key, at=words.day(day), markets=words.listing(markets)) for (key, day), markets in found.items()]
