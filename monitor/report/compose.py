"""A report and a language -> the `View` that every form is laid out from."""

from datetime import timedelta

from monitor.report.detail import build_sections
from monitor.report.model import Report
from monitor.report.pictures import HEAT_MAP, TWELVE_WEEKS, heat_map_alt, weeks_alt
from monitor.report.view import View, blind_note, build_headline, first_lines
from monitor.report.wording import Wording


def build_view(report: Report, language: str | None = None) -> View:
    """Return the report in words.

    Args:
        language: one of `wording.LANGUAGES`; None: the settings' own.

    Raises:
        ValueError: there are no words in this language.
    """
    words = wording_of(report, language)
    head = build_headline(report, words)
    week = words.say("week", number=report.week.number)
    if not report.over:
        week = words.say("so_far", title=week)
    zone = report.settings.time_zone
    first_day = report.from_at.astimezone(zone).date()
    blind = blind_note(report, words)
    return View(
        language=words.language,
        colon=words.say("colon"),
        subject=f"{week} · {head}",
        week=week,
        span=words.days(first_day, first_day + timedelta(days=6)),
        rate_before=head.before,
        rate=head.rate,
        rate_words=head.after,
        verdict=head.verdict,
        tone=head.tone,
        lines=first_lines(report, words),
        sections=build_sections(report, words),
        alt={HEAT_MAP: heat_map_alt(report, words), TWELVE_WEEKS: weeks_alt(report, words)},
        notes=(words.say("estimate"), *((blind,) if blind else ()), words.say("times", zone=str(zone))),
    )


def wording_of(report: Report, language: str | None = None) -> Wording:
    """Return the words of this language (None: the settings' own) in the report's time zone."""
    return Wording(language or report.settings.language, report.settings.time_zone)
