"""The detail below the first screen, section by section, in words."""

from monitor.core.figures import Figures, Judgement
from monitor.core.snapshot import EVIDENCE
from monitor.report.amazon import amazon_section
from monitor.report.model import Cause, Miss, Report
from monitor.report.render_json import shown_receiver
from monitor.report.source import Told
from monitor.report.view import (
    HOUR_CAUSES,
    Entry,
    Section,
    Table,
    cause_line,
    hour_line,
    is_blind,
    place,
    table_rate,
)
from monitor.report.wording import Wording

HEAT_MAP, TWELVE_WEEKS = "hours", "weeks"
SHOWN_MISSES = 40
_COMMANDS = {
    Cause.REPLY_REFUSED: "replyby history THREAD",
    Cause.MAILBOX_BLIND: "replyby doctor",
    Cause.ALERT_FAILED: "replyby send-test RECEIVER",
    Cause.NOT_ALERTED: "replyby silence list",
}
_NAME_COLUMNS = ("name", "received", "rate", "missed", "average")


def build_sections(report: Report, words: Wording) -> tuple[Section, ...]:
    """Return the sections in reading order; those that have nothing to say are left out."""
    sections = [
        Section(key=HEAT_MAP, title=words.say("hours"), picture=HEAT_MAP),
        Section(key=TWELVE_WEEKS, title=words.say("weeks"), picture=TWELVE_WEEKS),
        _misses(report, words),
        _change(report, words),
        _forecast(report, words),
        _figures(report, words),
        amazon_section(report, words),
        _groups(report, words),
        _waivers(report, words),
        _evidence(report, words),
    ]
    return tuple(section for section in sections if section is not None)


def _misses(report: Report, words: Wording) -> Section | None:
    if not report.misses:
        return None
    shown = report.misses[:SHOWN_MISSES]
    more = len(report.misses) - len(shown)
    return Section(
        key="misses",
        title=words.say("misses"),
        items=tuple(cause_line(report, cause, count, words) for cause, count in report.causes),
        entries=tuple(_entry(miss, report, words) for miss in shown),
        paragraphs=(words.count("misses_more", more),) if more else (),
    )


def _entry(miss: Miss, report: Report, words: Wording) -> Entry:
    outcome = miss.outcome
    title = [outcome.order_id or words.say("no_order"), place(outcome.account, outcome.marketplace, report, words)]
    if outcome.labels:
        title.append(", ".join(words.label(label) for label in outcome.labels))
    late = words.duration(miss.late_by)
    if miss.judgement is Judgement.LATE and outcome.answered_at is not None:
        end = words.say("answered_at", at=words.day_time(outcome.answered_at), late=late)
    else:
        end = words.say("not_answered", late=late)
    why = words.say(f"cause.{miss.cause}")
    if miss.where == "junk":
        why = words.join([why, words.say("in_junk")])
    told = [_told(told, report.settings.names, words) for told in miss.told]
    since = report.settings.watching_since
    if told:
        reached = [words.say("told", list=", ".join(told))]
    else:
        watched = since is None or outcome.deadline_at >= since
        reached = [words.say("told_nobody" if watched else "told_before")]
    for acknowledged in miss.acknowledged:
        at = words.day_time(acknowledged.at)
        key = "acknowledged_by" if report.settings.names else "acknowledged"
        reached.append(words.say(key, at=at, who=acknowledged.by))
    received = words.say("received_at", at=words.date_time(outcome.received_at))
    return Entry(title=" · ".join(title), lines=(f"{received} · {end}", why, " · ".join(reached)))


def _told(told: Told, names: bool, words: Wording) -> str:
    receiver = shown_receiver(told, names)
    channel = "SMS" if told.channel == "sms" else told.channel.capitalize()
    who = channel if receiver is None else f"{receiver} ({channel})"
    at = words.day_time(told.at)
    if told.arrived:
        return f"{who} {at}"
    return words.say("told_failed" if told.outcome == "failed" else "told_cancelled", who=who, at=at)


def _change(report: Report, words: Wording) -> Section | None:
    if not report.misses:
        return None
    coverage = report.coverage
    items = [hour_line(hour, n == 0, coverage.missed, words) for n, hour in enumerate(coverage.added)]
    causes = [cause for cause, _ in report.causes]
    if any(cause in HOUR_CAUSES for cause in causes) and not coverage.added:
        items.append(words.say("advice.hours"))
    items += [
        words.say(f"advice.{cause}", command=_COMMANDS.get(cause, "")) for cause in causes if cause not in HOUR_CAUSES
    ]
    notes = []
    if coverage.added:
        key = "handling_measured" if coverage.handling_measured else "handling_assumed"
        notes.append(words.say(key, duration=words.duration(coverage.handling_seconds)))
    if report.staffed_assumed:
        notes.append(words.say("staffed_assumed"))
    gaps = [
        words.say(
            "gap_line", from_at=words.day_time(gap.from_at), to_at=words.day_time(gap.to_at), n=words.number(gap.missed)
        )
        for gap in coverage.gaps[:5]
    ]
    if gaps:
        notes.insert(0, f"{words.labelled('gaps', words.join(gaps))}.")
    return Section(key="change", title=words.say("change"), items=tuple(items), paragraphs=tuple(notes))


def _forecast(report: Report, words: Wording) -> Section:
    title = words.say("forecast")
    forecast = report.forecast
    if forecast is None:
        return Section(key="forecast", title=title, paragraphs=(words.say("forecast_none"),))
    busiest = max(range(7), key=lambda day: forecast.by_day[day])
    received, missed = forecast.received, forecast.missed
    return Section(
        key="forecast",
        title=title,
        paragraphs=(
            words.say(
                "forecast_line",
                n=words.number(received.mean),
                low=words.number(received.low),
                high=words.number(received.high),
                day=words.weekday_in_full(busiest),
            ),
            words.say(
                "forecast_missed",
                n=words.number(missed.mean),
                low=words.number(missed.low),
                high=words.number(missed.high),
            ),
            words.say("forecast_basis", weeks=forecast.weeks),
        ),
    )


def _figures(report: Report, words: Wording) -> Section:
    spans = [(words.say("this_week"), report.figures)]
    spans += [(words.say("days", n=days), figures) for days, figures in sorted(report.windows.items())]
    rows = []
    for name in ("received", "on_time", "late", "no_response", "pending", "waived", "marked_by_hand"):
        rows.append((words.say(f"row.{name}"), *(words.number(getattr(figures, name)) for _, figures in spans)))

    def late_rate(figures: Figures) -> str:
        shown = words.percent(figures.late_response_rate, up=True)
        return words.say("at_most_short", rate=shown) if report.at_least and figures.missed else shown

    shown = [
        ("response_rate", [table_rate(figures, report.at_least, words) for _, figures in spans]),
        ("late_response_rate", [late_rate(figures) for _, figures in spans]),
        ("average", [words.short_duration(figures.average_response_seconds) for _, figures in spans]),
        ("median", [words.short_duration(figures.median_response_seconds) for _, figures in spans]),
        ("p90", [words.short_duration(figures.p90_response_seconds) for _, figures in spans]),
    ]
    rows += [(words.say(f"row.{name}"), *cells) for name, cells in shown]
    return Section(
        key="figures",
        title=words.say("figures"),
        tables=(Table(columns=("", *(name for name, _ in spans)), rows=tuple(rows)),),
    )


def _groups(report: Report, words: Wording) -> Section | None:
    tables = []
    columns = tuple(words.say(f"column.{name}") for name in _NAME_COLUMNS[1:])
    blind_markets = {market.marketplace for market in report.evidence if market.blind}
    blind_accounts = {market.account for market in report.evidence if market.blind}
    groups = (
        ("by_marketplace", report.by_marketplace, words.market, blind_markets),
        ("by_account", report.by_account, str, blind_accounts),
        ("by_label", report.by_label, words.label, None),
    )
    for key, figures_by_name, shown_name, blind in groups:
        if not figures_by_name or (key == "by_account" and len(figures_by_name) == 1):
            continue
        rows = tuple(
            _group_row(shown_name(name), figures, report.at_least if blind is None else name in blind, words)
            for name, figures in figures_by_name.items()
        )
        tables.append(Table(columns=(words.say(key), *columns), rows=rows))
    return Section(key="groups", title="", tables=tuple(tables)) if tables else None


def _group_row(name: str, figures: Figures, at_least: bool, words: Wording) -> tuple[str, ...]:
    return (
        name,
        words.number(figures.received),
        table_rate(figures, at_least, words),
        words.number(figures.missed),
        words.short_duration(figures.average_response_seconds),
    )


def _waivers(report: Report, words: Wording) -> Section:
    waivers = report.waivers
    lines = [words.count("waivers_count", waivers.count) if waivers.count else words.say("waivers_none")]
    if waivers.after_deadline:
        rate = words.percent(waivers.rate_without)
        lines.append(words.count("waivers_late", waivers.after_deadline, rate=rate))
    if waivers.in_last_hour:
        lines.append(words.count("waivers_last_hour", waivers.in_last_hour))
    if report.settings.names and waivers.by_person:
        lines.append(words.say("waivers_by", list=", ".join(f"{w.by} {w.count}" for w in waivers.by_person)))
    if report.figures.marked_by_hand:
        lines.append(words.count("by_hand", report.figures.marked_by_hand))
    return Section(key="waivers", title=words.say("waivers"), paragraphs=(" ".join(lines),))


def _evidence(report: Report, words: Wording) -> Section | None:
    if not report.evidence:
        return None
    rows = tuple(
        (
            place(market.account, market.marketplace, report, words)
            + (" *" if is_blind(report, market.account, market.marketplace) else ""),
            *(words.number(market.seen.get(kind, (0, None))[0]) for kind in EVIDENCE),
        )
        for market in report.evidence
    )
    columns = ("", *(words.say(f"evidence.{kind}") for kind in EVIDENCE))
    notes = [words.say("evidence_note")]
    if report.at_least:
        notes.append(words.say("blind_help"))
    return Section(
        key="evidence",
        title=words.say("evidence"),
        tables=(Table(columns=columns, rows=rows),),
        paragraphs=tuple(notes),
    )
