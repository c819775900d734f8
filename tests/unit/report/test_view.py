"""What the first screen says, and what it must not say."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from monitor.core.weeks import week_span
from monitor.report.build import build_report
from monitor.report.compose import build_view
from monitor.report.model import Report, ReportSettings
from monitor.report.source import AmazonFigure, EvidenceRow, MissFacts, Told, WaiverFacts
from monitor.report.view import View
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
HOUR = timedelta(hours=1)


def report_of(on_time: int, late: int, goal: float = 0.9, **settings: object) -> Report:
    outcomes = [
        make_outcome(
            n,
            MONDAY + timedelta(minutes=n),
            answered_at=MONDAY + timedelta(minutes=n) + (HOUR if n < on_time else 30 * HOUR),
        )
        for n in range(on_time + late)
    ]
    wanted = ReportSettings(time_zone=PARIS, goal=goal, **settings)  # type: ignore[arg-type]
    return build_report(MemoryReportSource(outcomes=outcomes), SAMPLE_WEEK, SAMPLE_NOW, wanted)


def seen(report: Report, blind: bool) -> Report:
    rows = [EvidenceRow(account="acme-eu", marketplace="FR", evidence="buyer_message", count=9)]
    if not blind:
        rows.append(EvidenceRow(account="acme-eu", marketplace="FR", evidence="confirmation_copy", count=1))
    source = MemoryReportSource(outcomes=[outcome for outcome, _ in report.messages], evidence=rows)
    return build_report(source, report.week, report.now, report.settings)


@pytest.mark.parametrize(
    ("on_time", "late", "blind", "subject"),
    [
        pytest.param(19, 1, False, "Week 47 · 95 % answered within 24 h · above the goal of 90 %", id="above"),
        pytest.param(9, 1, False, "Week 47 · 90 % answered within 24 h · exactly the goal of 90 %", id="exactly"),
        pytest.param(8, 2, False, "Week 47 · 80 % answered within 24 h · below the goal of 90 %", id="below"),
        pytest.param(
            19, 1, True, "Week 47 · at least 95 % answered within 24 h · above the goal of 90 %", id="at least"
        ),
        pytest.param(
            8,
            2,
            True,
            "Week 47 · at least 80 % answered within 24 h · below the goal of 90 %, as far as replies were seen",
            id="at least, and below",
        ),
        pytest.param(
            5, 0, True, "Week 47 · 100 % answered within 24 h · above the goal of 90 %", id="no more than all"
        ),
        pytest.param(0, 0, False, "Week 47 · nothing to judge", id="nothing"),
    ],
)
def test_the_headline_sets_the_rate_against_the_goal(on_time: int, late: int, blind: bool, subject: str) -> None:
    view = build_view(seen(report_of(on_time, late), blind))
    assert view.subject.replace("\u00a0", " ") == subject


def test_the_sample_week_reads_as_a_person_would_tell_it() -> None:
    view = build_view(build_report(sample_source(), SAMPLE_WEEK, SAMPLE_NOW, sample_settings()))
    told = [f"{line.label}: {line.text}".replace("\u00a0", " ") for line in view.lines]
    assert told[1:] == [
        "What went wrong: 4 of 5: due at the weekend, when nobody was staffed (arrived Sat 14:12 – 18:55); "
        "1 of 5: somebody had it, then it was forgotten.",
        "What would have helped: One hour on Sunday, 10:00 to 11:00, would have saved 4 of 5.",
        "Amazon’s own figure: France, 30 days: 94.1 %; ours 97.6 %.",
    ]
    assert told[0].startswith(": 140 messages, 5 late or unanswered (last week 6). Average reply ")
    assert view.notes[0].startswith("Our estimate")


def whole_text(view: View) -> str:
    parts = [view.subject, *(line.text for line in view.lines), *view.notes]
    for section in view.sections:
        parts += [section.title, *section.paragraphs, *section.items]
        parts += [cell for table in section.tables for row in (table.columns, *table.rows) for cell in row]
        parts += [text for entry in section.entries for text in (entry.title, *entry.lines)]
    return "\n".join(parts)


def test_people_are_named_only_where_the_settings_ask_for_it() -> None:
    for names in (False, True):
        report = build_report(sample_source(), SAMPLE_WEEK, SAMPLE_NOW, sample_settings(names=names))
        text = whole_text(build_view(report))
        assert ("Ana" in text) is names
        assert ("Bo 2" in text) is names
        assert "team (Slack)" in text


def test_the_word_safe_is_never_said() -> None:
    report = build_report(sample_source(), SAMPLE_WEEK, SAMPLE_NOW, sample_settings())
    assert "safe" not in whole_text(build_view(report)).lower()


def test_a_week_without_misses_says_so_and_gives_no_advice() -> None:
    view = build_view(report_of(5, 0))
    assert [line.text for line in view.lines][1] == "Nothing: every message that could be judged was answered in time."
    assert {section.key for section in view.sections}.isdisjoint({"misses", "change"})


def test_a_week_that_is_not_over_is_so_far_and_counts_what_still_has_time() -> None:
    now = MONDAY + timedelta(hours=30)
    outcomes = [make_outcome(1, MONDAY, answered_at=MONDAY + HOUR), make_outcome(2, MONDAY + 20 * HOUR)]
    report = build_report(MemoryReportSource(outcomes=outcomes), SAMPLE_WEEK, now, ReportSettings(time_zone=PARIS))
    view = build_view(report)
    assert view.week == "Week 47, so far"
    assert "1 still has time." in view.lines[0].text


def test_marking_no_response_needed_after_the_deadline_shows() -> None:
    outcomes = [make_outcome(n, MONDAY, answered_at=MONDAY + HOUR) for n in range(1, 10)]
    outcomes.append(make_outcome(10, MONDAY, waived_at=MONDAY + 25 * HOUR))
    outcomes.append(make_outcome(11, MONDAY, waived_at=MONDAY + timedelta(hours=23, minutes=30)))
    outcomes.append(make_outcome(12, MONDAY, waived_at=MONDAY + HOUR))
    source = MemoryReportSource(outcomes=outcomes, waivers=[WaiverFacts(by="Ana", count=3)])
    report = build_report(source, SAMPLE_WEEK, SAMPLE_NOW, ReportSettings(time_zone=PARIS))
    assert (report.waivers.count, report.waivers.after_deadline, report.waivers.in_last_hour) == (3, 1, 1)
    assert report.figures.response_rate == 1.0
    assert report.waivers.rate_without == 0.9
    (section,) = [section for section in build_view(report).sections if section.key == "waivers"]
    assert "if it counted as unanswered, the rate would be 90\u00a0%" in section.paragraphs[0]


def test_targets_that_differ_within_the_week_are_not_called_24_hours() -> None:
    outcomes = [
        make_outcome(1, MONDAY, answered_at=MONDAY + HOUR),
        make_outcome(2, MONDAY, answered_at=MONDAY + HOUR, target=timedelta(hours=12)),
    ]
    report = build_report(
        MemoryReportSource(outcomes=outcomes), SAMPLE_WEEK, SAMPLE_NOW, ReportSettings(time_zone=PARIS)
    )
    assert "answered in time" in build_view(report).subject
    only_12 = replace(report, messages=report.messages[1:])
    assert "answered within 12\u00a0h" in build_view(only_12).subject


def test_several_accounts_stand_before_their_markets_everywhere() -> None:
    outcomes = [
        make_outcome(1, MONDAY, answered_at=MONDAY + 30 * HOUR, order_id="402-0000001-0000001"),
        make_outcome(2, MONDAY, account="acme-us", marketplace="US", answered_at=MONDAY + HOUR),
    ]
    report = build_report(
        MemoryReportSource(outcomes=outcomes), SAMPLE_WEEK, SAMPLE_NOW, ReportSettings(time_zone=PARIS)
    )
    text = whole_text(build_view(report))
    assert "402-0000001-0000001 · acme-eu · France" in text
    assert "By account" in text


def test_of_several_figures_of_amazon_the_furthest_from_ours_stands_on_the_first_screen() -> None:
    def figure(market: str, late: float, read_at: datetime = SAMPLE_NOW) -> AmazonFigure:
        return AmazonFigure(
            account="acme-eu", marketplace=market, window_days=30, late_ratio=late, read_at=read_at, source="typed"
        )

    old = datetime(2026, 11, 2, 8, tzinfo=UTC)
    in_time = [("FR", MONDAY), ("DE", old - 3 * 24 * HOUR)]
    outcomes = [make_outcome(n, at, answered_at=at + HOUR, marketplace=m) for n, (m, at) in enumerate(in_time)]
    source = MemoryReportSource(outcomes=outcomes, amazon=[figure("FR", 0.0), figure("DE", 0.08, old)])
    report = build_report(source, SAMPLE_WEEK, SAMPLE_NOW, ReportSettings(time_zone=PARIS))
    view = build_view(report)
    assert view.lines[-1].text.replace("\u00a0", " ") == "Germany, 30 days: 92 %; ours 100 % (as of 2 Nov 2026)."
    assert "France, 30 days" in whole_text(view)


def test_assumed_hours_are_said_to_be_assumed() -> None:
    assert "No [[staffed]] hours are configured" in whole_text(build_view(report_of(5, 1)))


def test_a_bad_week_tells_what_failed_what_lay_in_spam_and_how_many_more_there_are() -> None:
    saturday = MONDAY + timedelta(days=5, hours=14)
    outcomes = [make_outcome(n, saturday + timedelta(seconds=n)) for n in range(60)]
    outcomes[0] = replace(outcomes[0], answered_at=saturday + 50 * HOUR, by_hand=True)
    failed = Told(at=saturday + 20 * HOUR, receiver="oncall-sms", channel="sms", outcome="failed", person="Ana")
    silenced = Told(at=saturday + 21 * HOUR, receiver="team", channel="slack", outcome="cancelled")
    misses = {0: MissFacts(message_id=0, told=(silenced, failed), where="junk")}
    source = MemoryReportSource(outcomes=outcomes, misses=misses)
    view = build_view(build_report(source, SAMPLE_WEEK, SAMPLE_NOW, sample_settings()))
    text = whole_text(view)
    assert "the alert did not arrive; lay in the spam folder" in text
    assert "told: SMS Sun 10:00 (failed), team (Slack) Sun 11:00 (cancelled)" in text
    assert "and 20 more, in the CSV file." in text
    assert "1 reply is known only from a person’s mark." in text
    assert "Run replyby send-test RECEIVER for each receiver" in text
    (helped,) = [line.text for line in view.lines if line.label == "What would have helped"]
    assert helped.replace("\u00a0", " ") == (
        "One hour on Sunday, 10:00 to 11:00, would have saved 10 of 60; one more on Sunday, 09:00 to 10:00, another 10."
    )


def test_where_somebody_is_always_there_no_hour_can_be_added() -> None:
    always = ((MONDAY - timedelta(days=60), MONDAY + timedelta(days=60)),)
    view = build_view(report_of(5, 1, staffed=always))
    assert view.lines[2].text == "No added hour outside staffed times would have saved any of them."


def test_hours_that_nobody_can_add_are_answered_with_the_look_ahead() -> None:
    # It fell due three minutes after the shift: too short for a reply.
    received_at = MONDAY + timedelta(days=1, hours=18, minutes=3)
    watchful = ((MONDAY - timedelta(days=9), received_at + timedelta(hours=23, minutes=57)),)
    source = MemoryReportSource(
        outcomes=[make_outcome(1, received_at, answered_at=received_at + 26 * HOUR)],
        misses={
            1: MissFacts(message_id=1, told=(Told(at=received_at, receiver="team", channel="slack", outcome="sent"),))
        },
    )
    settings = ReportSettings(time_zone=PARIS, staffed=watchful)
    text = whole_text(build_view(build_report(source, SAMPLE_WEEK, SAMPLE_NOW, settings)))
    assert "due outside staffed hours" in text
    assert "Staff an added hour, or let the policy’s look-ahead name these messages" in text


def test_amazons_figure_beside_a_blind_market_is_beside_an_at_least() -> None:
    source = MemoryReportSource(
        outcomes=[make_outcome(n, MONDAY, answered_at=MONDAY + (30 if n else 1) * HOUR) for n in range(2)],
        evidence=[EvidenceRow(account="acme-eu", marketplace="FR", evidence="buyer_message", count=2)],
        amazon=[
            AmazonFigure(
                account="acme-eu", marketplace="FR", window_days=7, late_ratio=0.4, read_at=SAMPLE_NOW, source="typed"
            )
        ],
    )
    report = build_report(source, SAMPLE_WEEK, SAMPLE_NOW - HOUR * 12, ReportSettings(time_zone=PARIS))
    assert build_view(report).lines[-1].text.replace("\u00a0", " ") == "France, 7 days: 60 %; ours at least 50 %."


def test_nobody_is_said_to_have_been_forgotten_before_the_worker_was_started() -> None:
    watched = whole_text(build_view(report_of(0, 1, watching_since=MONDAY)))
    assert "nobody was told" in watched
    before = whole_text(build_view(report_of(0, 1, watching_since=SAMPLE_NOW)))
    assert "before ReplyBy was first started" in before
    assert "nobody was told" not in before
