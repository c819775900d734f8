"""One message judged at its boundaries, and figures that do not depend on the order."""

import random
import statistics
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.core.figures import Figures, FiguresBuilder, Judgement, MessageOutcome, judge, latency_seconds, quantile
from monitor.core.sla import ClockState, SlaClock, state_at

ARRIVED = datetime(2026, 3, 28, 12, 0, tzinfo=UTC)  # the night before summer time begins in Europe
DAY = timedelta(hours=24)
TICK = timedelta(microseconds=1)


def outcome(**changes: object) -> MessageOutcome:
    values: dict[str, object] = {
        "message_id": 1,
        "thread_id": 1,
        "account": "acme-eu",
        "marketplace": "FR",
        "received_at": ARRIVED,
        "target": DAY,
    }
    return MessageOutcome(**(values | changes))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("answered_after", "expected"),
    [
        pytest.param(timedelta(0), Judgement.ON_TIME, id="at once"),
        pytest.param(DAY - TICK, Judgement.ON_TIME, id="just before the deadline"),
        pytest.param(DAY, Judgement.ON_TIME, id="at the deadline"),
        pytest.param(DAY + TICK, Judgement.LATE, id="just after the deadline"),
    ],
)
def test_an_answer_is_late_only_once_it_is_over_the_target(answered_after: timedelta, expected: Judgement) -> None:
    answered = outcome(answered_at=ARRIVED + answered_after)
    assert judge(answered, ARRIVED + timedelta(days=30)) is expected
    assert latency_seconds(answered, expected) == answered_after.total_seconds()


@pytest.mark.parametrize(
    ("age", "expected"),
    [
        pytest.param(timedelta(0), Judgement.PENDING, id="just arrived"),
        pytest.param(DAY, Judgement.PENDING, id="at the deadline"),
        pytest.param(DAY + TICK, Judgement.NO_RESPONSE, id="just after the deadline"),
    ],
)
def test_an_unanswered_message_counts_only_once_it_is_older_than_the_target(
    age: timedelta, expected: Judgement
) -> None:
    assert judge(outcome(), ARRIVED + age) is expected


@pytest.mark.parametrize(
    ("answered_after", "waived_after", "expected"),
    [
        pytest.param(None, 1, Judgement.WAIVED, id="waived in time"),
        pytest.param(None, 30, Judgement.WAIVED, id="waived when it was too late already"),
        pytest.param(5, 3, Judgement.WAIVED, id="answered after it was waived"),
        pytest.param(3, 5, Judgement.ON_TIME, id="answered before it was waived"),
        pytest.param(5, 5, Judgement.ON_TIME, id="answered and waived at one instant"),
        pytest.param(30, 40, Judgement.LATE, id="answered late and then waived"),
    ],
)
def test_what_was_answered_before_it_was_waived_counts_as_answered(
    answered_after: int | None, waived_after: int, expected: Judgement
) -> None:
    message = outcome(
        answered_at=None if answered_after is None else ARRIVED + timedelta(hours=answered_after),
        waived_at=ARRIVED + timedelta(hours=waived_after),
    )
    assert judge(message, ARRIVED + timedelta(days=30)) is expected


def test_an_unanswered_message_has_a_deadline_and_no_latency() -> None:
    assert outcome().deadline_at == ARRIVED + DAY
    assert latency_seconds(outcome(), Judgement.NO_RESPONSE) is None
    assert latency_seconds(outcome(answered_at=ARRIVED + DAY), Judgement.WAIVED) is None


def test_each_message_is_judged_by_its_own_target() -> None:
    answered_at = ARRIVED + timedelta(hours=13)
    assert judge(outcome(target=timedelta(hours=12), answered_at=answered_at), answered_at) is Judgement.LATE
    assert judge(outcome(target=DAY, answered_at=answered_at), answered_at) is Judgement.ON_TIME


hours = st.one_of(st.none(), st.integers(0, 72 * 60).map(lambda minutes: timedelta(minutes=minutes)))


@given(answered=hours, waived=hours, age=st.integers(0, 72 * 60))
def test_a_message_is_judged_as_a_clock_that_started_with_it(
    answered: timedelta | None, waived: timedelta | None, age: int
) -> None:
    now = ARRIVED + timedelta(minutes=age)
    answered_at = None if answered is None else ARRIVED + answered
    waived_at = None if waived is None else ARRIVED + waived
    states = {
        ClockState.MET: Judgement.ON_TIME,
        ClockState.LATE: Judgement.LATE,
        ClockState.BREACHED: Judgement.NO_RESPONSE,
        ClockState.RUNNING: Judgement.PENDING,
        ClockState.AT_RISK: Judgement.PENDING,
        ClockState.WAIVED: Judgement.WAIVED,
    }
    clock = SlaClock(started_at=ARRIVED, target=DAY, answered_at=answered_at, waived_at=waived_at)
    assert judge(outcome(answered_at=answered_at, waived_at=waived_at), now) is states[state_at(clock, DAY / 6, now)]


@given(st.lists(st.floats(0, 1e7), min_size=1, max_size=40))
def test_median_and_90th_percentile_are_those_of_a_spreadsheet(latencies: list[float]) -> None:
    builder = FiguresBuilder()
    for latency in latencies:
        builder.add(Judgement.ON_TIME, latency)
    figures = builder.build()
    assert figures.median_response_seconds == pytest.approx(statistics.median(latencies))
    doubled = latencies * 2 if len(latencies) == 1 else latencies
    tenths = statistics.quantiles(doubled, n=10, method="inclusive")
    assert figures.p90_response_seconds == pytest.approx(tenths[8])
    assert figures.average_response_seconds == pytest.approx(statistics.fmean(latencies))


def test_the_order_of_messages_changes_no_bit_of_the_figures() -> None:
    shuffled = random.Random(7)
    rows = [(shuffled.choice(list(Judgement)), shuffled.uniform(0, 1e6)) for _ in range(500)]

    def build() -> Figures:
        builder = FiguresBuilder()
        for judgement, latency in rows:
            answered = judgement in (Judgement.ON_TIME, Judgement.LATE)
            builder.add(judgement, latency if answered else None, by_hand=latency < 1e5)
        return builder.build()

    figures = build()
    shuffled.shuffle(rows)
    assert build() == figures


def test_nothing_to_judge_gives_no_rate_and_no_durations() -> None:
    builder = FiguresBuilder()
    builder.add(Judgement.PENDING, None)
    builder.add(Judgement.WAIVED, None)
    assert builder.build() == Figures(received=2, pending=1, waived=1)
    assert quantile([], 0.5) is None


def test_a_mark_by_hand_counts_where_it_is_the_answer() -> None:
    builder = FiguresBuilder()
    builder.add(Judgement.ON_TIME, 60.0, by_hand=True)
    builder.add(Judgement.LATE, 90_000.0, by_hand=True)
    builder.add(Judgement.WAIVED, None, by_hand=True)
    figures = builder.build()
    assert figures.marked_by_hand == 2
    assert (figures.response_rate, figures.late_response_rate) == (0.5, 0.5)
    assert (figures.judged, figures.missed) == (2, 1)
