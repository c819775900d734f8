"""A report in words: what every form shows, in order. Renderers only lay it out.

The first screen answers three questions: was the goal met, what went wrong, what would have helped.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from alerts.core.words.catalog import words_for
from alerts.core.words.difference import meaning_lines
from monitor.core.difference import difference_content
from monitor.core.figures import Figures
from monitor.report.model import UNKNOWN_MARKETPLACE, AddedHour, Cause, Report
from monitor.report.source import AmazonFigure
from monitor.report.wording import Wording

_SHOWN_CAUSES = 2
HOUR_CAUSES = (Cause.HOLIDAY, Cause.WEEKEND, Cause.NIGHT, Cause.UNSTAFFED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One sentence of the first screen, with what it answers; `label` may be empty."""

    label: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Cells as text; the first column names the row, the others are figures."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One miss: a head line, and what is known of it."""

    title: str
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A part of the detail. `key` names it for style and anchors; `picture` is the name of a picture, if it has one."""

    key: str
    title: str
    paragraphs: tuple[str, ...] = ()
    items: tuple[str, ...] = ()
    tables: tuple[Table, ...] = ()
    entries: tuple[Entry, ...] = ()
    picture: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """The whole report in one language. `tone` is "met", "missed" or "none"; `rate_before` is "at least" or empty; `alt` has
    each picture's words; `colon` is how the language sets one behind a label."""

    language: str
    colon: str
    subject: str
    week: str
    span: str
    rate_before: str
    rate: str
    rate_words: str
    verdict: str
    tone: str
    lines: tuple[Line, ...]
    sections: tuple[Section, ...]
    alt: dict[str, str]
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Headline:
    """The week in one glance: "at least", the rate, the words after it, the verdict against the goal, the tone."""

    before: str
    rate: str
    after: str
    verdict: str
    tone: str

    def __str__(self) -> str:
        """Return it as one phrase: `96.4 % answered within 24 h · above the goal of 90 %`."""
        phrase = " ".join(part for part in (self.before, self.rate, self.after) if part)
        return f"{phrase} · {self.verdict}" if self.verdict else self.after


def build_headline(report: Report, words: Wording) -> Headline:
    """Return the week's rate against the goal; it is never called safe, only above, at or below."""
    rate, goal = report.figures.response_rate, report.settings.goal
    if rate is None:
        return Headline(before="", rate="–", after=words.say("nothing_to_judge"), verdict="", tone="none")
    targets = {outcome.target for outcome, _ in report.messages} or {report.settings.target}
    if len(targets) == 1:
        after = words.say("answered_within", rate="", target=words.duration(targets.pop())).strip()
    else:
        after = words.say("answered_in_time", rate="").strip()
    if rate == goal:
        key = "goal_at"
    elif rate > goal:
        key = "goal_above"
    else:
        key = "goal_not_seen" if report.at_least else "goal_below"
    return Headline(
        before=words.say("at_least", rate="").strip() if report.at_least and rate < 1 else "",
        rate=words.percent(rate),
        after=after,
        verdict=words.say(key, goal=words.percent(goal)),
        tone="met" if rate >= goal else "missed",
    )


def shown_rate(figures: Figures, at_least: bool, words: Wording) -> str:
    """Return the response rate, as "at least" where replies may have gone unseen."""
    shown = words.percent(figures.response_rate)
    if at_least and figures.response_rate is not None and figures.response_rate < 1:
        return words.say("at_least", rate=shown)
    return shown


def table_rate(figures: Figures, at_least: bool, words: Wording) -> str:
    """Return the response rate as it stands in a table: `≥ 96.4 %` where replies may have gone unseen."""
    shown = words.percent(figures.response_rate)
    if at_least and figures.response_rate is not None and figures.response_rate < 1:
        return words.say("at_least_short", rate=shown)
    return shown


def first_lines(report: Report, words: Wording) -> tuple[Line, ...]:
    """Return the sentences of the first screen, at most five."""
    lines = [Line(label="", text=_volume_line(report, words))]
    if report.figures.judged:
        lines.append(Line(label=words.say("wrong"), text=_wrong_line(report, words)))
    if report.misses:
        lines.append(Line(label=words.say("helped"), text=helped_line(report, words)))
    if report.amazon:
        lines.append(Line(label=words.say("amazon"), text=amazon_line(report, words)))
    return tuple(lines)


def _volume_line(report: Report, words: Wording) -> str:
    figures = report.figures
    missed = words.say("missed", n=words.number(figures.missed)) if figures.missed else words.say("missed_none")
    before = report.weeks[-2] if len(report.weeks) > 1 else None
    if before is not None and before.whole:
        missed += f" ({words.say('last_week', n=words.number(before.figures.missed))})"
    sentences = [f"{words.count('messages', figures.received)}, {missed}."]
    if figures.average_response_seconds is not None:
        sentences.append(words.say("average", duration=words.duration(figures.average_response_seconds)))
    if figures.pending:
        sentences.append(words.count("pending", figures.pending))
    return " ".join(sentences)


def _wrong_line(report: Report, words: Wording) -> str:
    if not report.misses:
        return words.say("wrong_nothing")
    shown = [cause_line(report, cause, count, words) for cause, count in report.causes[:_SHOWN_CAUSES]]
    return _sentence(words.join(shown))


def cause_line(report: Report, cause: Cause, count: int, words: Wording) -> str:
    """Return `4 of 5: due at the weekend … (arrived Sat 14:12 to 18:55)`."""
    share = words.say("of", n=words.number(count), total=words.number(len(report.misses)))
    text = words.say("because", share=share, cause=words.say(f"cause.{cause}"))
    arrivals = sorted(miss.outcome.received_at for miss in report.misses if miss.cause is cause)
    if cause in HOUR_CAUSES and len(arrivals) > 1 and arrivals[-1] - arrivals[0] < timedelta(hours=24):
        first, last = arrivals[0].astimezone(words.zone), arrivals[-1].astimezone(words.zone)
        until = words.time(last) if first.date() == last.date() else words.day_time(last)
        text += f" ({words.say('arrived', first=words.day_time(first), last=until)})"
    return text


def helped_line(report: Report, words: Wording) -> str:
    """Return what the replay says of added hours, as one sentence."""
    coverage = report.coverage
    if not coverage.added:
        return _sentence(words.say("helped_none"))
    parts = [_hour_words("helped_hour", coverage.added[0], coverage.missed, words)]
    if len(coverage.added) > 1:
        parts.append(_hour_words("helped_another", coverage.added[1], None, words))
    return _sentence(words.join(parts))


def hour_line(hour: AddedHour, first: bool, missed: int, words: Wording) -> str:
    """Return one added hour with what it would have done in the weeks before."""
    text = _hour_words("helped_hour" if first else "helped_another", hour, missed if first else None, words)
    if hour.usual_weeks and hour.usual_missed:
        saved = words.say("of", n=words.number(hour.usual_saved), total=words.number(hour.usual_missed))
        text += f" ({words.count('helped_before', hour.usual_weeks, saved=saved)})"
    return _sentence(text)


def _hour_words(key: str, hour: AddedHour, missed: int | None, words: Wording) -> str:
    saved = words.number(hour.saved)
    return words.say(
        key,
        day=words.weekday(hour.from_at),
        from_time=words.time(hour.from_at),
        to_time=words.time(hour.to_at),
        saved=saved if missed is None else words.say("of", n=saved, total=words.number(missed)),
    )


def amazon_line(report: Report, words: Wording) -> str:
    """Return Amazon's own rate beside ours; of several the one that differs, else the one that is furthest away.

    Where they differ it is said in short what that means and what is most likely behind it.
    """
    furthest = max(
        report.amazon,
        key=lambda c: (
            c.amazon.difference is not None,
            abs(c.amazon.late_ratio - (c.ours.late_response_rate or 0.0)),
        ),
    )
    line = _sentence(amazon_words(report, report.amazon.index(furthest), words))
    meaning = difference_words(furthest.amazon, report, words)[:2]
    # What to do stands below: a phone's screen is small.
    return " ".join([line, *(_sentence(one.partition(". ")[0]) for one in meaning)])


def sees_too_little(report: Report, figure: AmazonFigure) -> bool:
    """Return whether ours of these days is "at least": replies were never seen there, or Amazon's figure says so."""
    unseen = figure.difference is not None and figure.difference.replies_unseen
    return unseen or is_blind(report, figure.account, figure.marketplace)


def difference_words(figure: AmazonFigure, report: Report, words: Wording) -> list[str]:
    """Return what a difference from Amazon's figure means, then its likely causes, the first one first; [] without one."""
    found = figure.difference
    if found is None:
        return []
    told = difference_content("", found)["difference"]
    return meaning_lines(words_for(words.language, str(words.zone)), told, report.now)


def amazon_words(report: Report, index: int, words: Wording) -> str:
    """Return one of the comparisons in words; how old it is, if more than two days."""
    comparison = report.amazon[index]
    figure = comparison.amazon
    text = words.say(
        "amazon_line",
        market=place(figure.account, figure.marketplace, report, words),
        days=figure.window_days,
        amazon=words.percent(1 - figure.late_ratio),
        ours=shown_rate(comparison.ours, sees_too_little(report, figure), words),
    )
    if report.now - figure.read_at > timedelta(days=2):
        text += f" ({words.say('read_at', at=words.day(figure.read_at.astimezone(words.zone).date()))})"
    return text


def place(account: str, marketplace: str | None, report: Report, words: Wording) -> str:
    """Return the market, with the account before it where the seller has several."""
    market = words.market(marketplace or UNKNOWN_MARKETPLACE)
    return f"{account} · {market}" if several_accounts(report) else market


def several_accounts(report: Report) -> bool:
    """Return whether more than one account stands in the report."""
    return len({*report.by_account, *(market.account for market in report.evidence)}) > 1


def is_blind(report: Report, account: str, marketplace: str) -> bool:
    """Return whether replies of this account and market may go unseen."""
    return any(m.blind and m.account == account and m.marketplace == marketplace for m in report.evidence)


def blind_note(report: Report, words: Wording) -> str | None:
    """Return where replies may go unseen and what to switch on, None if nowhere."""
    blind: Sequence[str] = [place(m.account, m.marketplace, report, words) for m in report.evidence if m.blind]
    return words.say("blind", markets=words.listing(blind)) if blind else None


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:] + ("" if text.endswith(".") else ".")
