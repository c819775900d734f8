"""How a report reads its source, and what it makes of odd spans."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from alerts.core.staffing import Shift
from monitor.core.figures import MessageOutcome
from monitor.core.weeks import IsoWeek, week_span
from monitor.report.build import build_report
from monitor.report.model import Cause, ReportSettings
from monitor.report.source import AmazonFigure, EvidenceRow, MailboxOutage, MissFacts
from monitor.report.staffed import closed_days, staffed_hours, staffing_span
from tests.support.report_source import (
    PARIS,
    SAMPLE_NOW,
    SAMPLE_WEEK,
    MemoryReportSource,
    make_outcome,
    staffed_weekdays,
)

MONDAY, NEXT_MONDAY = week_span(SAMPLE_WEEK, PARIS)
DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
TICK = timedelta(microseconds=1)
SETTINGS = ReportSettings(time_zone=PARIS)


class WatchedSource(MemoryReportSource):
    """Remembers what was asked of it."""

    def __init__(self, outcomes: list[MessageOutcome]) -> None:
        super().__init__(outcomes=outcomes)
        self.spans: list[tuple[datetime, datetime]] = []
        self.asked: list[int] = []

    def read_outcomes(self, from_at: datetime, to_at: datetime) -> Iterator[MessageOutcome]:
        self.spans.append((from_at, to_at))
        return super().read_outcomes(from_at, to_at)

    def read_misses(self, message_ids: Sequence[int]) -> Iterable[MissFacts]:
        self.asked.append(len(message_ids))
        return super().read_misses(message_ids)


def test_last_week_is_read_in_one_span() -> None:
    source = WatchedSource([])
    build_report(source, SAMPLE_WEEK, SAMPLE_NOW, SETTINGS)
    assert source.spans == [(SAMPLE_NOW - 90 * DAY, SAMPLE_NOW + TICK)]


def test_a_week_long_ago_is_read_apart_from_the_windows_and_counts_nothing_twice() -> None:
    old = IsoWeek(2026, 1)
    outcomes = [make_outcome(1, week_span(old, PARIS)[0]), make_outcome(2, SAMPLE_NOW - DAY, answered_at=SAMPLE_NOW)]
    source = WatchedSource(outcomes)
    report = build_report(source, old, SAMPLE_NOW, SETTINGS)
    assert len(source.spans) == 2
    assert source.spans[0][1] <= source.spans[1][0]
    assert (report.figures.received, report.figures.no_response) == (1, 1)
    assert [report.windows[days].received for days in (7, 30, 90)] == [1, 1, 1]


def test_a_week_to_come_is_empty_and_the_windows_are_not() -> None:
    outcomes = [make_outcome(1, SAMPLE_NOW - DAY, answered_at=SAMPLE_NOW)]
    report = build_report(WatchedSource(outcomes), SAMPLE_WEEK.shift(3), SAMPLE_NOW, SETTINGS)
    assert (report.figures.received, report.windows[7].received, report.over) == (0, 1, False)


@pytest.mark.parametrize(
    ("received_at", "in_week", "in_window"),
    [
        pytest.param(MONDAY - TICK, 0, 0, id="just before Monday"),
        pytest.param(MONDAY, 1, 0, id="Monday 00:00"),
        pytest.param(SAMPLE_NOW - 7 * DAY - TICK, 1, 0, id="just over seven days ago"),
        pytest.param(SAMPLE_NOW - 7 * DAY, 1, 1, id="seven days ago"),
        pytest.param(NEXT_MONDAY - TICK, 1, 1, id="the last instant of Sunday"),
        pytest.param(NEXT_MONDAY, 0, 1, id="the next Monday 00:00"),
        pytest.param(SAMPLE_NOW, 0, 1, id="now"),
    ],
)
def test_a_message_at_a_border_is_in_one_week_and_both_ends_of_a_window_count(
    received_at: datetime, in_week: int, in_window: int
) -> None:
    report = build_report(WatchedSource([make_outcome(1, received_at)]), SAMPLE_WEEK, SAMPLE_NOW, SETTINGS)
    assert (report.figures.received, report.windows[7].received) == (in_week, in_window)


def test_misses_are_asked_for_in_portions_and_a_missing_answer_is_no_failure() -> None:
    source = WatchedSource([make_outcome(n, MONDAY + n * TICK) for n in range(1201)])
    report = build_report(source, SAMPLE_WEEK, SAMPLE_NOW, SETTINGS)
    assert source.asked == [500, 500, 201]
    assert len(report.misses) == 1201
    assert report.causes == ((Cause.NOT_ALERTED, 1201),)


def test_how_late_a_miss_is_runs_until_its_answer_or_until_now() -> None:
    outcomes = [make_outcome(1, MONDAY, answered_at=MONDAY + 30 * HOUR), make_outcome(2, MONDAY)]
    late, open_ = build_report(WatchedSource(outcomes), SAMPLE_WEEK, SAMPLE_NOW, SETTINGS).misses
    assert late.late_by == 6 * HOUR
    assert open_.late_by == SAMPLE_NOW - MONDAY - DAY


def test_an_outage_makes_its_misses_blind() -> None:
    source = WatchedSource([make_outcome(1, MONDAY)])
    source.outages = [MailboxOutage(mailbox="support", accounts=("acme-eu",), from_at=MONDAY, to_at=MONDAY + DAY)]
    assert build_report(source, SAMPLE_WEEK, SAMPLE_NOW, SETTINGS).causes == ((Cause.MAILBOX_BLIND, 1),)


def test_a_market_is_blind_where_buyers_wrote_and_no_copy_was_ever_seen() -> None:
    source = WatchedSource([])
    source.evidence = [
        EvidenceRow(account="a", marketplace="FR", evidence="buyer_message", count=3, last_seen_at=MONDAY),
        EvidenceRow(account="a", marketplace="FR", evidence="confirmation_copy", count=1, last_seen_at=MONDAY),
        EvidenceRow(account="a", marketplace="DE", evidence="buyer_message", count=3),
        EvidenceRow(account="a", marketplace="IT", evidence="sent_reply", count=3),
        EvidenceRow(account="b", marketplace=None, evidence="buyer_message", count=1),
    ]
    report = build_report(source, SAMPLE_WEEK, SAMPLE_NOW, SETTINGS)
    assert [(m.account, m.marketplace, m.blind) for m in report.evidence] == [
        ("a", "DE", True),
        ("a", "FR", False),
        ("a", "IT", False),
        ("b", "unknown", True),
    ]
    assert report.at_least


def test_amazons_figure_stands_beside_ours_of_the_same_account_market_and_window() -> None:
    outcomes = [
        make_outcome(1, SAMPLE_NOW - 20 * DAY, answered_at=SAMPLE_NOW - 18 * DAY),
        make_outcome(2, SAMPLE_NOW - 2 * DAY, answered_at=SAMPLE_NOW - 2 * DAY),
        make_outcome(3, SAMPLE_NOW - 2 * DAY, marketplace="DE"),
        make_outcome(4, SAMPLE_NOW - 2 * DAY, account="other"),
        make_outcome(5, SAMPLE_NOW - 2 * DAY, marketplace=None),
    ]
    source = WatchedSource(outcomes)
    source.amazon = [
        AmazonFigure(
            account="acme-eu", marketplace="FR", window_days=d, late_ratio=0.1, read_at=SAMPLE_NOW, source="typed"
        )
        for d in (30, 7, 365)
    ]
    report = build_report(source, SAMPLE_WEEK, SAMPLE_NOW, SETTINGS)
    assert [(c.amazon.window_days, c.ours.late_response_rate) for c in report.amazon] == [
        (7, 0.0),
        (30, 0.5),
        (365, 0.5),
    ]


def test_a_reply_to_several_messages_is_one_reply_in_the_heat_map() -> None:
    answered_at = MONDAY + 12 * HOUR
    outcomes = [make_outcome(n, MONDAY + n * HOUR, thread_id=1, answered_at=answered_at) for n in range(3)]
    outcomes.append(make_outcome(9, MONDAY, answered_at=answered_at))
    heat = build_report(WatchedSource(outcomes), SAMPLE_WEEK, SAMPLE_NOW, SETTINGS).heat
    assert (heat.replies[12], sum(heat.replies)) == (2, 2)
    assert heat.arrivals[:4] == (2, 1, 1, 0)


def test_a_breach_stands_at_the_local_hour_of_its_deadline() -> None:
    received_at = datetime(2026, 10, 24, 10, 30, tzinfo=UTC)  # 12:30 in Paris; summer time ends in between
    heat = build_report(WatchedSource([make_outcome(1, received_at)]), IsoWeek(2026, 43), SAMPLE_NOW, SETTINGS).heat
    assert heat.arrivals.index(1) == 5 * 24 + 12
    assert heat.breaches.index(1) == 6 * 24 + 11


def test_weeks_before_the_first_message_are_no_weeks_to_learn_from() -> None:
    begins = week_span(SAMPLE_WEEK.shift(-4), PARIS)[0] + 12 * HOUR
    outcomes = [make_outcome(n, begins + n * DAY, answered_at=begins + n * DAY) for n in range(-2, 35)]
    report = build_report(WatchedSource(outcomes), SAMPLE_WEEK, SAMPLE_NOW, SETTINGS)
    assert [compared.whole for compared in report.weeks] == [False] * 7 + [True] * 5
    assert report.forecast is not None
    assert report.forecast.weeks == 5
    assert report.forecast.received.mean == pytest.approx(7)
    assert sum(report.forecast.by_day) == pytest.approx(7)


def test_a_naive_now_is_refused() -> None:
    with pytest.raises(ValueError, match="naive instant"):
        build_report(WatchedSource([]), SAMPLE_WEEK, SAMPLE_NOW.replace(tzinfo=None), SETTINGS)


def office(**changes: object) -> Shift:
    values: dict[str, object] = {
        "days": frozenset(range(5)),
        "from_minute": 540,
        "to_minute": 1080,
        "time_zone": PARIS,
        "holidays": "FR",
        "closed_on": frozenset({date(2026, 12, 24)}),
    }
    return Shift(**(values | changes))  # type: ignore[arg-type]


def test_holidays_and_closures_are_the_days_that_are_usually_staffed_and_were_not() -> None:
    span = (datetime(2026, 12, 20, tzinfo=UTC), datetime(2027, 1, 4, tzinfo=UTC))
    assert closed_days([office()], span, PARIS) == {date(2026, 12, 24), date(2026, 12, 25), date(2027, 1, 1)}
    night = office(
        from_minute=1320, to_minute=360, closed_on=frozenset()
    )  # the night before still reaches into the 25th
    assert date(2026, 12, 25) in closed_days([night, office()], span, PARIS)
    assert closed_days([], span, PARIS) == frozenset()


def test_the_outlined_hours_are_those_of_the_reports_own_week() -> None:
    hours = staffed_hours(SAMPLE_WEEK, PARIS, staffed_weekdays(date(2026, 11, 1), date(2026, 11, 30)))
    assert sum(hours) == 45
    assert hours[9]
    assert not hours[18]
    from_at, to_at = staffing_span(SAMPLE_WEEK, ZoneInfo("UTC"))
    assert (to_at - from_at) == timedelta(weeks=7)
