"""The daily digest: what is told, and when nothing is."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.core.model import Channel, Delivery, Purpose, ThreadFacts
from alerts.core.words.catalog import words_for
from alerts.core.words.content import digest as digest_words
from alerts.core.words.summaries import render_summary
from monitor.core.figures import Figures
from monitor.report.digest import READ_BEFORE, DayCounts, DigestFacts, Trouble, build_digest, count_day, yesterday_span
from tests.support.report_source import PARIS, make_outcome

NOW = datetime(2026, 11, 20, 16, 30, tzinfo=UTC)  # Friday 17:30 in Paris
MONDAY = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


def thread(number: int, due_in: timedelta, state: str = "running") -> ThreadFacts:
    deadline_at = NOW + due_in
    return ThreadFacts(
        thread_id=number, clock_id=number, started_at=deadline_at - 24 * HOUR, deadline_at=deadline_at, state=state
    )


@pytest.mark.parametrize(
    "facts",
    [
        pytest.param(DigestFacts(now=NOW), id="an empty day"),
        pytest.param(DigestFacts(now=NOW, watched=False), id="nobody watches the worker, and nothing else"),
        pytest.param(DigestFacts(now=NOW, threads=[thread(1, HOUR, "met")]), id="only answered threads"),
        pytest.param(DigestFacts(now=NOW, yesterday=DayCounts(received=9, answered=9)), id="yesterday went well"),
        pytest.param(DigestFacts(now=NOW, troubles=[Trouble("phone: never tried.", bad=False)]), id="only doubts"),
    ],
)
def test_a_day_with_nothing_to_do_is_silent_unless_asked(facts: DigestFacts) -> None:
    assert build_digest(facts, "en", PARIS) is None
    content = build_digest(facts, "en", PARIS, when_empty=True)
    assert content is not None
    assert content["open"] == 0


@pytest.mark.parametrize(
    "facts",
    [
        pytest.param(DigestFacts(now=NOW, threads=[thread(1, HOUR)]), id="a thread waits"),
        pytest.param(DigestFacts(now=NOW, waived_yesterday=[None]), id="something was waived"),
        pytest.param(DigestFacts(now=NOW, review_pending=1), id="something needs a decision"),
        pytest.param(DigestFacts(now=NOW, troubles=[Trouble("disk: full.", bad=True)]), id="something is broken"),
    ],
)
def test_each_reason_alone_is_enough_to_write(facts: DigestFacts) -> None:
    assert build_digest(facts, "en", PARIS) is not None


def test_threads_stand_soonest_first_with_what_is_due_before_somebody_is_back() -> None:
    facts = DigestFacts(
        now=NOW,
        threads=[thread(3, 70 * HOUR), thread(1, -HOUR, "breached"), thread(2, 5 * HOUR), thread(4, HOUR, "waived")],
        next_staffed_at=MONDAY,
        waived_yesterday=["402-0000001-0000001", None],
        review_pending=2,
        watched=False,
        yesterday=DayCounts(received=7, answered=6, missed=1),
        window=Figures(received=10, on_time=9, late=1, response_rate=0.9),
        goal=0.9,
    )
    content = build_digest(facts, "en", PARIS)
    assert content is not None
    assert content.keys() == digest_words(day_at=NOW, open_threads=0).keys()
    assert [row["thread_id"] for row in content["threads"]] == [1, 2, 3]
    assert (content["open"], content["overdue"], content["review"], content["unwatched"]) == (3, 1, 2, True)
    assert content["next_due_at"] == (NOW + 5 * HOUR).isoformat()
    assert (content["received"], content["answered"], content["late"], content["rate"]) == (7, 6, 1, 0.9)
    assert content["notes"] == [
        "1 falls due before Mon 09:00, when somebody is there again.",
        "Marked “no response needed” yesterday, 2 in all: 402-0000001-0000001, no order number.",
    ]


def test_a_deadline_at_the_very_start_of_the_next_shift_is_not_before_it() -> None:
    facts = DigestFacts(now=NOW, threads=[thread(1, MONDAY - NOW)], next_staffed_at=MONDAY)
    content = build_digest(facts, "de", PARIS)
    assert content is not None
    assert content["notes"] == []


@pytest.mark.parametrize("language", ["en", "fr", "de", "es", "it"])
def test_the_notes_are_in_the_language_asked_for_and_the_renderer_takes_them(language: str) -> None:
    facts = DigestFacts(now=NOW, threads=[thread(1, HOUR)], next_staffed_at=MONDAY, waived_yesterday=["402-1"])
    content = build_digest(facts, language, PARIS)
    assert content is not None
    delivery = Delivery(
        reference="r",
        purpose=Purpose.DIGEST,
        channel=Channel.CONSOLE,
        receiver="team",
        address="-",
        now=NOW,
        language=language,
        time_zone="Europe/Paris",
        content=content,
    )
    summary = render_summary(words_for(language, "Europe/Paris"), delivery)
    shown = [line.replace("\u00a0", " ") for line in summary.lines]
    assert all(note.replace("\u00a0", " ") in shown for note in content["notes"])


@pytest.mark.parametrize(
    ("now", "hours"),
    [
        pytest.param(datetime(2026, 11, 20, 8, tzinfo=UTC), 24, id="a usual day"),
        pytest.param(datetime(2026, 3, 30, 8, tzinfo=UTC), 23, id="after summer time began"),
        pytest.param(datetime(2026, 10, 26, 8, tzinfo=UTC), 25, id="after summer time ended"),
    ],
)
def test_yesterday_is_the_local_day_before(now: datetime, hours: int) -> None:
    from_at, to_at = yesterday_span(now, PARIS)
    assert to_at - from_at == hours * HOUR
    assert to_at.astimezone(PARIS).date() == now.astimezone(PARIS).date()
    assert yesterday_span(datetime(2026, 11, 20, 8, tzinfo=UTC), ZoneInfo("Asia/Tokyo"))[1].hour == 15


times = st.integers(-190 * 60, 48 * 60)


@given(
    st.lists(st.tuples(times, st.none() | st.integers(1, 100 * 60), st.none() | st.integers(1, 100 * 60)), max_size=20)
)
def test_a_day_counts_what_came_in_what_was_answered_and_what_passed(
    rows: list[tuple[int, int | None, int | None]],
) -> None:
    begins = datetime(2026, 11, 19, 23, tzinfo=UTC)
    minute = timedelta(minutes=1)
    outcomes = [
        make_outcome(
            n,
            begins + received * minute,
            answered_at=None if took is None else begins + (received + took) * minute,
            waived_at=None if waived is None else begins + (received + waived) * minute,
        )
        for n, (received, took, waived) in enumerate(rows)
    ]
    counts = count_day([o for o in outcomes if o.received_at >= begins - READ_BEFORE], begins, begins + 24 * HOUR)
    day = range(1440)
    assert counts.received == sum(received in day for received, _, _ in rows)
    assert counts.answered == sum(took is not None and received + took in day for received, took, _ in rows)
    assert counts.missed == sum(
        received + 1440 in day and min(took or 10**9, waived or 10**9) > 1440 for received, took, waived in rows
    )


def test_what_the_doctor_finds_stands_at_the_end_one_line_each_and_not_too_many() -> None:
    troubles = [Trouble("disk: 0 MB left. Make room.", bad=True), *(Trouble(f"phone {n}", bad=False) for n in range(9))]
    content = build_digest(DigestFacts(now=NOW, threads=[thread(1, HOUR)], troubles=troubles), "de", PARIS)
    assert content is not None
    assert content["notes"][0] == "✗ disk: 0 MB left. Make room."
    assert content["notes"][1:] == [*(f"! phone {n}" for n in range(7)), "+ 2: replyby doctor"]
