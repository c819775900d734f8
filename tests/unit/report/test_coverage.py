"""What an added hour would have saved: found by replaying, checked by hand and against trying everything."""

import itertools
import math
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.core.weeks import IsoWeek, week_span
from monitor.report.coverage import (
    ASSUMED_HANDLING_SECONDS,
    Waiting,
    measure_handling,
    plan_coverage,
    replay_shift,
    saved_by,
)
from monitor.report.model import Coverage
from tests.support.report_source import PARIS, staffed_weekdays

WEEK = week_span(IsoWeek(2026, 47), PARIS)
STAFFED = staffed_weekdays(date(2026, 10, 1), date(2026, 12, 31))
NEVER = math.inf
HOUR = 3600.0
TEN_MINUTES = 600.0


def at(day: int, hour: int, minute: int = 0) -> float:
    """Return a local time of November 2026 in seconds since 1970."""
    return datetime(2026, 11, day, hour, minute, tzinfo=PARIS).timestamp()


def missed(message_id: int, received: float, gone: float = NEVER, thread_id: int | None = None) -> Waiting:
    return Waiting(message_id, thread_id or message_id, received, received + 24 * HOUR, gone, missed=True)


def on_time(message_id: int, received: float, gone: float) -> Waiting:
    return Waiting(message_id, message_id, received, received + 24 * HOUR, gone, missed=False)


def coverage(week: Sequence[Waiting], before: Sequence[Sequence[Waiting]] = ()) -> Coverage:
    return plan_coverage(week, before, WEEK, STAFFED, PARIS, replies=())


def test_an_hour_on_sunday_saves_what_arrived_on_saturday_afternoon() -> None:
    week = [missed(n, at(21, 14 + n), at(23, 9, 30)) for n in range(4)]
    found = coverage(week)
    assert found.missed == 4
    assert [(hour.from_at, hour.saved) for hour in found.added] == [(datetime(2026, 11, 22, 9, tzinfo=UTC), 4)]
    assert [(gap.from_at, gap.to_at, gap.missed) for gap in found.gaps] == [
        (datetime(2026, 11, 20, 17, tzinfo=UTC), datetime(2026, 11, 23, 8, tzinfo=UTC), 4)
    ]


def test_one_person_answers_one_message_after_another() -> None:
    week = [missed(n, at(21, 14)) for n in range(9)]
    answered = replay_shift(week, at(22, 10), at(22, 11), TEN_MINUTES)
    assert sorted(answered.values()) == [at(22, 10, minute) for minute in (10, 20, 30, 40, 50)] + [at(22, 11)]
    assert len(saved_by(answered, week)) == 6


def test_the_soonest_deadline_comes_first_and_what_is_too_late_is_left_alone() -> None:
    overdue, soon, later = missed(1, at(21, 9)), missed(2, at(21, 10, 15)), missed(3, at(21, 15))
    answered = replay_shift([later, soon, overdue], at(22, 10), at(22, 11), TEN_MINUTES)
    assert answered == {2: at(22, 10, 10), 3: at(22, 10, 20)}


def test_a_reply_that_would_end_after_the_deadline_is_not_begun() -> None:
    week = [missed(1, at(21, 10, 5))]
    assert replay_shift(week, at(22, 10), at(22, 11), TEN_MINUTES) == {}
    assert replay_shift(week, at(22, 10), at(22, 11), 300.0) == {1: at(22, 10, 5)}


def test_what_the_team_answered_meanwhile_is_gone() -> None:
    week = [on_time(1, at(21, 14), at(22, 10, 5)), missed(2, at(21, 15)), missed(3, at(21, 16), at(22, 9))]
    answered = replay_shift(week, at(22, 10), at(22, 11), TEN_MINUTES)
    assert 3 not in answered
    assert answered == {1: at(22, 10, 10), 2: at(22, 10, 20)}  # the first was already begun when the team answered it


def test_one_reply_answers_the_whole_thread_so_far() -> None:
    week = [
        missed(1, at(21, 14), thread_id=7),
        missed(2, at(21, 16), thread_id=7),
        missed(3, at(22, 10, 30), thread_id=7),
    ]
    answered = replay_shift(week, at(22, 10), at(22, 11), TEN_MINUTES)
    assert answered == {1: at(22, 10, 10), 2: at(22, 10, 10), 3: at(22, 10, 40)}


def test_messages_that_arrive_during_the_shift_are_answered_in_it() -> None:
    week = [missed(1, at(22, 10, 20)), missed(2, at(22, 10, 55))]
    assert replay_shift(week, at(22, 10), at(22, 11), TEN_MINUTES) == {1: at(22, 10, 30)}


def test_a_second_hour_counts_only_what_the_first_leaves_over() -> None:
    week = [missed(n, at(21, 14)) for n in range(10)] + [missed(20 + n, at(17, 20)) for n in range(3)]
    found = coverage(week)
    assert [hour.saved for hour in found.added] == [10, 3]
    assert found.added[0].from_at.astimezone(PARIS).weekday() == 6
    assert found.added[1].from_at.astimezone(PARIS).hour in (8, 18, 19)  # the unstaffed hours nearest to ten


def test_two_hours_next_to_each_other_save_twice_as_many() -> None:
    week = [missed(n, at(21, 14)) for n in range(60)]
    first, second, third = coverage(week).added
    assert [hour.saved for hour in (first, second, third)] == [10, 10, 10]
    assert [hour.from_at.astimezone(PARIS).hour for hour in (first, second, third)] == [10, 9, 11]


def test_a_whole_hour_for_a_single_message_more_is_no_advice() -> None:
    week = [missed(n, at(21, 14)) for n in range(3)] + [missed(20, at(17, 20))]
    assert [hour.saved for hour in coverage(week).added] == [3]


def test_nothing_helps_where_the_deadline_passed_between_two_staffed_hours() -> None:
    week = [missed(1, at(18, 10)), missed(2, at(18, 11))]
    hours = coverage(week)
    assert hours.gaps == ()  # they fell due while somebody was there
    assert all(hour.from_at.astimezone(PARIS).hour not in range(9, 18) for hour in hours.added)


def test_the_weeks_before_say_whether_the_hour_usually_helps() -> None:
    week = [missed(n, at(21, 14)) for n in range(4)]
    week_ago = [m._replace(received=m.received - 7 * 86400, deadline=m.deadline - 7 * 86400) for m in week[:2]]
    (hour,) = coverage(week, [week_ago, []]).added
    assert (hour.usual_saved, hour.usual_missed, hour.usual_weeks) == (2, 2, 2)


def test_a_week_without_misses_has_nothing_to_add() -> None:
    assert coverage([on_time(1, at(21, 14), at(22, 9))]) == Coverage()


@pytest.mark.parametrize(
    ("gaps", "expected"),
    [
        pytest.param([300.0] * 30, (300.0, True), id="every five minutes"),
        pytest.param([300.0] * 19, (ASSUMED_HANDLING_SECONDS, False), id="too few to tell"),
        pytest.param([5.0] * 200 + [240.0] * 21, (240.0, True), id="two people at once do not count"),
        pytest.param([7200.0] * 50, (ASSUMED_HANDLING_SECONDS, False), id="pauses only"),
        pytest.param([25.0] * 40, (60.0, True), id="never less than a minute"),
    ],
)
def test_what_a_reply_takes_is_measured_from_replies_in_a_row(gaps: list[float], expected: tuple[float, bool]) -> None:
    instants = [0.0]
    for gap in gaps:
        instants.append(instants[-1] + gap)
    assert measure_handling(reversed(instants)) == expected


arrivals = st.integers(int(at(16, 0)), int(at(23, 0)))
waits = st.lists(
    st.builds(
        lambda n, thread, received, took: Waiting(
            n, thread, received, received + 86400.0, NEVER if took > 50 else received + took * HOUR, missed=took > 24
        ),
        st.integers(1, 10_000),
        st.integers(1, 6),
        arrivals.map(float),
        st.integers(1, 60),
    ),
    max_size=12,
    unique_by=lambda waiting: waiting.message_id,
)


@settings(max_examples=60)
@given(week=waits)
def test_no_other_hour_of_the_week_saves_more_than_the_first_named(week: list[Waiting]) -> None:
    added = coverage(week).added
    best = added[0].saved if added else 0
    begins = WEEK[0]
    while begins < WEEK[1] + timedelta(days=1):
        ends = begins + timedelta(hours=1)
        staffed = any(from_at < ends and begins < to_at for from_at, to_at in STAFFED)
        if not staffed:
            answered = replay_shift(week, begins.timestamp(), ends.timestamp(), ASSUMED_HANDLING_SECONDS)
            assert len(saved_by(answered, week)) <= best
        begins = ends


@settings(max_examples=60)
@given(week=waits, hour=st.integers(0, 167), handling=st.floats(60, 1800))
def test_a_replay_answers_nothing_twice_nothing_early_and_nothing_after_the_shift(
    week: list[Waiting], hour: int, handling: float
) -> None:
    from_second = WEEK[0].timestamp() + hour * HOUR
    answered = replay_shift(week, from_second, from_second + HOUR, handling)
    by_id = {message.message_id: message for message in week}
    for message_id, done in answered.items():
        message = by_id[message_id]
        assert from_second + handling <= done + 1e-6
        assert done <= from_second + HOUR
        assert done >= message.received + handling - 1e-6
        assert message.gone > from_second
    replies = sorted(set(answered.values()))
    assert all(later - earlier >= handling - 1e-6 for earlier, later in itertools.pairwise(replies))
