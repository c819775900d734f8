"""Reports and digests: never skipped, never twice, at the right local time on both sides of a change."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.core.weeks import IsoWeek, week_span
from monitor.report.schedule import DueDigest, due_digest, due_reports, next_report_at

PARIS = ZoneInfo("Europe/Paris")
MONDAY, FRIDAY = 0, 4
EIGHT = 8 * 60
LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)


def local(month: int, day: int, hour: int = 0, minute: int = 0, year: int = 2026) -> datetime:
    return datetime(year, month, day, hour, minute, tzinfo=PARIS).astimezone(UTC)


def weeks_due(
    now: datetime, last_sent: str | None, owed_since_at: datetime = LONG_AGO, weekday: int = MONDAY
) -> list[str]:
    last = None if last_sent is None else IsoWeek(int(last_sent[:4]), int(last_sent[6:]))
    return [str(due.week) for due in due_reports(weekday, EIGHT, PARIS, now, owed_since_at, last)]


@pytest.mark.parametrize(
    ("now", "last_sent", "expected"),
    [
        pytest.param(local(11, 23, 7, 59), "2026-W46", [], id="a minute early"),
        pytest.param(local(11, 23, 8), "2026-W46", ["2026-W47"], id="on the minute"),
        pytest.param(local(11, 27, 15), "2026-W46", ["2026-W47"], id="the worker was down until Friday"),
        pytest.param(local(11, 27, 15), "2026-W47", [], id="sent already"),
        pytest.param(local(11, 30, 8), "2026-W45", ["2026-W46", "2026-W47", "2026-W48"], id="down for three weeks"),
        pytest.param(local(1, 4, 8, year=2027), "2026-W52", ["2026-W53"], id="week 53"),
        pytest.param(local(1, 11, 8, year=2027), "2026-W53", ["2027-W01"], id="the first week of 2027"),
    ],
)
def test_the_last_whole_week_is_due_at_the_hour_and_until_it_is_sent(
    now: datetime, last_sent: str, expected: list[str]
) -> None:
    assert weeks_due(now, last_sent) == expected


@pytest.mark.parametrize(
    ("first_start", "now", "expected"),
    [
        pytest.param(local(11, 23, 7), local(11, 23, 9), ["2026-W47"], id="started an hour before"),
        pytest.param(local(11, 23, 8), local(11, 23, 9), [], id="started at that very instant"),
        pytest.param(local(11, 23, 9), local(11, 29, 23), [], id="started an hour after"),
        pytest.param(local(11, 23, 9), local(11, 30, 8), ["2026-W48"], id="the Monday after"),
    ],
)
def test_the_first_report_is_the_first_due_after_the_first_start(
    first_start: datetime, now: datetime, expected: list[str]
) -> None:
    assert weeks_due(now, None, first_start) == expected


def test_another_weekday_neither_repeats_nor_skips_a_week() -> None:
    assert weeks_due(local(11, 23, 8), "2026-W46", weekday=MONDAY) == ["2026-W47"]
    assert weeks_due(local(11, 27, 8), "2026-W47", weekday=FRIDAY) == []  # changed to Friday: W47 is not sent again
    assert weeks_due(local(12, 4, 8), "2026-W47", weekday=FRIDAY) == ["2026-W48"]
    assert weeks_due(local(12, 7, 8), "2026-W48", weekday=MONDAY) == ["2026-W49"]  # and back


@pytest.mark.parametrize(
    ("day", "minute", "due_at"),
    [
        pytest.param(date(2026, 3, 29), 150, datetime(2026, 3, 29, 1, 30, tzinfo=UTC), id="02:30 is left out: 03:30"),
        pytest.param(date(2026, 10, 25), 150, datetime(2026, 10, 25, 0, 30, tzinfo=UTC), id="02:30 twice: the first"),
    ],
)
def test_a_report_at_half_past_two_is_due_once_on_the_night_of_the_change(
    day: date, minute: int, due_at: datetime
) -> None:
    last = IsoWeek(*day.isocalendar()[:2]).shift(-2)
    sunday = day.weekday()
    assert due_reports(sunday, minute, PARIS, due_at - timedelta(seconds=1), LONG_AGO, last) == ()
    (due,) = due_reports(sunday, minute, PARIS, due_at, LONG_AGO, last)
    assert (due.due_at, due.week) == (due_at, last.shift(1))
    assert due_reports(sunday, minute, PARIS, due_at + timedelta(hours=3), LONG_AGO, due.week) == ()


@given(
    ticks=st.lists(st.integers(1, 30 * 24 * 60), min_size=1, max_size=30),
    weekday=st.integers(0, 6),
    minute=st.integers(0, 1439),
    started=st.integers(0, 400 * 1440),
)
def test_whenever_the_worker_looks_each_week_is_sent_once_and_in_order(
    ticks: list[int], weekday: int, minute: int, started: int
) -> None:
    now = first_start = LONG_AGO + timedelta(minutes=started)
    last: IsoWeek | None = None
    sent: list[IsoWeek] = []
    for tick in ticks:
        now += timedelta(minutes=tick)
        for due in due_reports(weekday, minute, PARIS, now, first_start, last):
            assert due.due_at <= now
            assert week_span(due.week, PARIS)[1] <= due.due_at  # the week was over when its report fell due
            sent.append(due.week)
            last = due.week
    assert sent == [sent[0].shift(n) for n in range(len(sent))] if sent else True
    assert next_report_at(weekday, minute, PARIS, now) > now
    if sent:
        assert now < week_span(sent[-1].shift(3), PARIS)[0]  # nothing is owed any more


def digest(
    now: datetime, last: datetime | None = None, ends: tuple[datetime, ...] = (), since: datetime = LONG_AGO
) -> object:
    return due_digest(8 * 60 + 30, PARIS, now, since, last, ends)


def test_only_the_latest_of_many_missed_digests_is_sent() -> None:
    now = local(11, 23, 12)
    assert digest(now, local(11, 10, 8, 30)) == DueDigest(due_at=local(11, 23, 8, 30))
    assert digest(now, local(11, 23, 8, 30)) is None


def test_a_digest_missed_in_the_evening_is_that_of_the_morning_before() -> None:
    assert digest(local(11, 23, 8, 29)) == DueDigest(due_at=local(11, 22, 8, 30))
    assert digest(local(11, 23, 8, 29), local(11, 22, 8, 30)) is None
    assert digest(local(11, 23, 8, 30), local(11, 22, 8, 30)) == DueDigest(due_at=local(11, 23, 8, 30))


def test_before_a_shift_ends_there_is_another_one_and_not_once_it_is_over() -> None:
    end = local(11, 23, 18)
    morning = local(11, 23, 8, 30)
    assert digest(local(11, 23, 17, 29), morning, (end,)) is None
    assert digest(local(11, 23, 17, 30), morning, (end,)) == DueDigest(due_at=local(11, 23, 17, 30), expires_at=end)
    assert digest(local(11, 23, 17, 45), local(11, 23, 17, 30), (end,)) is None
    assert digest(end, morning, (end,)) is None
    assert digest(local(11, 23, 17, 45), None, (end,)) == DueDigest(due_at=local(11, 23, 17, 30), expires_at=end)


def test_no_digest_is_owed_from_before_the_first_start() -> None:
    assert digest(local(11, 23, 9), since=local(11, 23, 8, 30)) is None
    assert digest(local(11, 23, 9), since=local(11, 23, 8, 29)) == DueDigest(due_at=local(11, 23, 8, 30))


@pytest.mark.parametrize("day", [date(2026, 3, 29), date(2026, 10, 25)], ids=["summer time begins", "summer time ends"])
def test_the_digest_keeps_its_local_hour_across_the_change(day: date) -> None:
    for one in (day - timedelta(days=1), day, day + timedelta(days=1)):
        at = local(one.month, one.day, 8, 30)
        assert digest(at) == DueDigest(due_at=at)
        assert at.astimezone(PARIS).hour == 8
