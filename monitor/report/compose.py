"""A report and a language -> the `View` that every form is laid out from."""

from datetime import timedelta

from monitor.report.detail import build_sections
from monitor.report.model import Report
from monitor.report.pictures import HEAT_MAP, TWELVE_WEEKS, heat_map_alt, weeks_alt
from monitor.report.view import View, blind_note, first_lines, headline
from monitor.report.wording import Wording


def build_view(report: Report, language: str | None = None) -> View:
    """Return the report in words.

    Args:
        language: one of `wording.LANGUAGES`; None: the settings' own.

    Raises:
        ValueError: there are no words in this language.
    """
    words = wording_of(report, language)
    rate, rate_words, verdict, tone = headline(report, words)
    week = words.say("week", number=report.week.number)
    if not report.over:
        week = words.say("so_far", title=week)
    zone = report.settings.time_zone
    first_day = report.from_at.astimezone(zone).date()
    subject = [week, f"{rate} {rate_words}" if report.figures.judged else rate_words]
    if verdict:
        subject.append(verdict)
    note = blind_note(report, words)
    return View(
        language=words.language,
        subject=" · ".join(subject),
        week=week,
        span=words.say(
            "span", first=words.day(first_day), last=words.day(first_day + timedelta(days=6)), zone=str(zone)
        ),
        rate=rate,
        rate_words=rate_words,
        verdict=verdict,
        tone=tone,
        lines=first_lines(report, words),
        sections=build_sections(report, words),
        alt={HEAT_MAP: heat_map_alt(report, words), TWELVE_WEEKS: weeks_alt(report, words)},
        notes=(words.say("estimate"), *((note,) if note else ())),
    )


def wording_of(report: Report, language: str | None = None) -> Wording:
    """Return the words of this language (None: the settings' own) in the report's time zone."""
    return Wording(language or report.settings.language, report.settings.time_zone)
