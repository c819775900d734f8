"""Amazon's own figures beside ours, in words: a table of both, and what a difference is likely made of."""

from monitor.report.model import AmazonComparison, Report
from monitor.report.view import Section, Table, difference_words, place, sees_too_little, table_rate
from monitor.report.wording import Wording

_COLUMNS = ("amazon", "ours", "amazon_average", "ours_average", "source")


def amazon_section(report: Report, words: Wording) -> Section | None:
    """Return Amazon's figures beside ours of the same days; None where there is none."""
    if not report.amazon:
        return None
    columns = ("", *(words.say(f"column.{name}") for name in _COLUMNS))
    told = [
        f"{place(one.amazon.account, one.amazon.marketplace, report, words)}{words.say('colon')} {' '.join(lines)}"
        for one in report.amazon
        if (lines := difference_words(one.amazon, report, words))
    ]
    return Section(
        key="amazon",
        title=words.say("amazon"),
        tables=(Table(columns=columns, rows=tuple(_row(one, report, words) for one in report.amazon)),),
        items=tuple(told),
        paragraphs=(words.say("amazon_note"),),
    )


def _row(one: AmazonComparison, report: Report, words: Wording) -> tuple[str, ...]:
    figure = one.amazon
    market = place(figure.account, figure.marketplace, report, words)
    at = words.day(figure.read_at.astimezone(words.zone).date())
    return (
        words.say("amazon_row", market=market, days=figure.window_days),
        words.percent(1 - figure.late_ratio),
        table_rate(one.ours, sees_too_little(report, figure), words),
        words.short_duration(figure.average_response_seconds),
        words.short_duration(one.ours.average_response_seconds),
        words.say("source.sp_api" if figure.source == "sp_api" else "source.typed", at=at),
    )
