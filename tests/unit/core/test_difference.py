"""Amazon's figure beside ours: when it counts as another, and what is likely behind it."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.core.difference import (
    AMAZON_TARGET,
    EDGES,
    FEWEST_JUDGED,
    FRESH,
    SILENT_FOR,
    Comparison,
    Likely,
    Sight,
    as_counted_at,
    find_difference,
    is_comparable,
)
from monitor.core.figures import Figures, Judgement, MessageOutcome, judge

NOW = datetime(2026, 11, 23, 7, tzinfo=UTC)
DAY = timedelta(days=1)
SEEN = Sight(count=40, last_seen_at=NOW - DAY)


def figures(on_time: int, late: int = 0, none: int = 0, **changes: Any) -> Figures:
    judged = on_time + late + none
    return Figures(
        received=judged,
        on_time=on_time,
        late=late,
        no_response=none,
        response_rate=on_time / judged if judged else None,
        late_response_rate=(late + none) / judged if judged else None,
        **changes,
    )


def compare(figures_: Figures, amazon: float, **changes: Any) -> Comparison:
    values: dict[str, Any] = {
        "account": "acme-eu",
        "marketplace": "FR",
        "window_days": 30,
        "read_at": NOW,
        "late_ratio": amazon,
        "ours": (figures_,) * len(EDGES),
        "known_from": NOW - 90 * DAY,
        "copies": SEEN,
        "replies": SEEN,
    }
    return Comparison(**(values | changes))


HALF_UNSEEN = figures(50, none=50)


@pytest.mark.parametrize(
    ("on_time", "none", "amazon", "differs"),
    [
        pytest.param(90, 10, 0.10, False, id="the same"),
        pytest.param(90, 10, 0.05, False, id="the allowed difference itself"),
        pytest.param(89, 11, 0.05, True, id="beyond it"),
        pytest.param(50, 50, 0.04, True, id="half of the replies unseen"),
        pytest.param(96, 4, 0.30, True, id="Amazon counts more"),
        pytest.param(19, 2, 0.0, False, id="two messages are no difference"),
        pytest.param(18, 3, 0.0, True, id="three are"),
        pytest.param(100, 0, 0.0, False, id="nothing late for both"),
    ],
)
def test_a_difference_is_more_than_is_allowed_and_more_than_two_messages(
    on_time: int, none: int, amazon: float, differs: bool
) -> None:
    assert (find_difference(compare(figures(on_time, none=none), amazon), 0.05) is not None) is differs


def test_the_allowed_difference_is_the_sellers_own() -> None:
    one = compare(figures(80, none=20), 0.0)
    assert find_difference(one, 0.20) is None
    assert find_difference(one, 0.19) is not None


def test_what_an_earlier_edge_of_the_window_explains_is_no_difference() -> None:
    bad_day_fell_out = (figures(80, late=20), figures(80, late=20), figures(97, late=3))
    assert find_difference(compare(HALF_UNSEEN, 0.03, ours=bad_day_fell_out), 0.05) is None
    turned_round = (figures(80, late=20), figures(90, late=10), figures(100))
    assert find_difference(compare(HALF_UNSEEN, 0.08, ours=turned_round), 0.05) is None


def test_what_is_told_is_ours_as_of_amazons_reading() -> None:
    found = find_difference(compare(HALF_UNSEEN, 0.04, ours=(HALF_UNSEEN, figures(60, none=40), HALF_UNSEEN)), 0.05)
    assert found is not None
    assert (found.amazon, found.ours) == (0.04, 0.5)
    assert found.replies_unseen


@pytest.mark.parametrize(
    ("changes", "comparable"),
    [
        pytest.param({}, True, id="all is there"),
        pytest.param({"known_from": NOW - 27 * DAY}, True, id="nine tenths of the window were read"),
        pytest.param({"known_from": NOW - 27 * DAY + timedelta(seconds=1)}, False, id="less history than Amazon has"),
        pytest.param({"known_from": None}, False, id="no mail at all"),
        pytest.param({"read_at": NOW - FRESH}, True, id="a figure of two weeks"),
        pytest.param({"read_at": NOW - FRESH - timedelta(seconds=1)}, False, id="an older figure"),
        pytest.param({"ours": (figures(FEWEST_JUDGED),)}, True, id="just enough messages"),
        pytest.param({"ours": (figures(FEWEST_JUDGED - 1),)}, False, id="too few messages"),
        pytest.param({"ours": (figures(0),)}, False, id="nothing to judge"),
    ],
)
def test_only_what_can_be_held_against_each_other_is_compared(changes: dict[str, Any], comparable: bool) -> None:
    assert is_comparable(compare(HALF_UNSEEN, 0.04, **changes), NOW) is comparable


def causes(one: Comparison) -> tuple[Likely, ...]:
    found = find_difference(one, 0.05)
    assert found is not None
    return found.causes


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        pytest.param(
            {"copies": Sight()}, (Likely.COPIES_OFF, Likely.OTHER_TOOL, Likely.MARKED_THERE), id="never a copy"
        ),
        pytest.param(
            {"copies": Sight(count=90, last_seen_at=NOW - SILENT_FOR - timedelta(seconds=1))},
            (Likely.COPIES_STOPPED, Likely.OTHER_TOOL, Likely.MARKED_THERE),
            id="copies stopped",
        ),
        pytest.param(
            {"copies": Sight(count=90, last_seen_at=NOW - SILENT_FOR)},
            (Likely.OTHER_TOOL, Likely.MARKED_THERE),
            id="a copy a week ago",
        ),
        pytest.param(
            {"copies": Sight(count=5, last_seen_at=NOW - timedelta(days=20))},
            (Likely.OTHER_TOOL, Likely.MARKED_THERE),
            id="copies were always rare",
        ),
        pytest.param(
            {"undecided": 23},
            (Likely.COPIES_UNDECIDED, Likely.OTHER_TOOL, Likely.MARKED_THERE),
            id="copies wait for a decision, half of what is missing",
        ),
        pytest.param(
            {"undecided": 1, "replies": Sight()},
            (Likely.OTHER_TOOL, Likely.COPIES_UNDECIDED, Likely.MARKED_THERE),
            id="one copy waits for a decision",
        ),
        pytest.param(
            {"junk": 1},
            (Likely.OTHER_TOOL, Likely.COPIES_IN_JUNK, Likely.MARKED_THERE),
            id="little lay in the spam folder",
        ),
        pytest.param({}, (Likely.OTHER_TOOL, Likely.MARKED_THERE), id="copies and replies come as ever"),
        pytest.param(
            {"copies": Sight(), "replies": Sight()},
            (Likely.COPIES_OFF, Likely.OTHER_TOOL, Likely.MARKED_THERE),
            id="neither copies nor replies",
        ),
        pytest.param(
            {"junk": 10},
            (Likely.COPIES_IN_JUNK, Likely.OTHER_TOOL, Likely.MARKED_THERE),
            id="mails lay in the spam folder",
        ),
        pytest.param(
            {"junk": 10, "replies": Sight()},
            (Likely.OTHER_TOOL, Likely.COPIES_IN_JUNK, Likely.MARKED_THERE),
            id="spam folder, and no reply was ever sent by mail",
        ),
    ],
)
def test_unseen_replies_are_explained_by_what_was_seen(changes: dict[str, Any], expected: tuple[Likely, ...]) -> None:
    assert causes(compare(HALF_UNSEEN, 0.04, **changes)) == expected


@pytest.mark.parametrize(
    ("judged", "expected"),
    [
        pytest.param(None, (Likely.OTHER_TOOL, Likely.MARKED_THERE), id="Amazon tells no counts"),
        pytest.param(54, (Likely.MARKED_THERE, Likely.OTHER_TOOL), id="Amazon judges far fewer: they were taken out"),
        pytest.param(99, (Likely.OTHER_TOOL,), id="Amazon judges the same messages: it saw replies to them"),
    ],
)
def test_how_many_messages_amazon_judges_tells_marks_from_replies(
    judged: float | None, expected: tuple[Likely, ...]
) -> None:
    assert causes(compare(HALF_UNSEEN, 0.04, amazon_judged=judged)) == expected


@pytest.mark.parametrize(
    ("ours", "junk", "expected"),
    [
        pytest.param(figures(96, late=4), 0, (Likely.MAIL_MISSING,), id="nothing was marked"),
        pytest.param(
            figures(96, late=4, waived=13), 0, (Likely.WAIVED_HERE, Likely.MAIL_MISSING), id="many waived here"
        ),
        pytest.param(
            figures(96, late=4, waived=12, marked_by_hand=13),
            0,
            (Likely.MARKED_HERE, Likely.WAIVED_HERE, Likely.MAIL_MISSING),
            id="more were marked as answered",
        ),
        pytest.param(
            figures(96, late=4, waived=1), 10, (Likely.MAIL_MISSING, Likely.WAIVED_HERE), id="mails in the spam folder"
        ),
    ],
)
def test_what_amazon_counts_and_we_do_not_is_explained_by_marks_and_missing_mail(
    ours: Figures, junk: int, expected: tuple[Likely, ...]
) -> None:
    assert causes(compare(ours, 0.30, junk=junk)) == expected


def outcome(**changes: Any) -> MessageOutcome:
    values: dict[str, Any] = {
        "message_id": 1,
        "thread_id": 1,
        "account": "acme-eu",
        "marketplace": "FR",
        "received_at": NOW - 10 * DAY,
        "target": timedelta(hours=12),
    }
    return MessageOutcome(**(values | changes))


def test_a_message_is_judged_as_it_stood_and_by_amazons_own_hours() -> None:
    after_18_hours = outcome(answered_at=NOW - 10 * DAY + timedelta(hours=18))
    assert judge(after_18_hours, NOW) is Judgement.LATE
    assert judge(as_counted_at(after_18_hours, NOW), NOW) is Judgement.ON_TIME
    answered_since = outcome(answered_at=NOW - DAY)
    assert judge(as_counted_at(answered_since, NOW - 2 * DAY), NOW - 2 * DAY) is Judgement.NO_RESPONSE
    waived_since = outcome(waived_at=NOW - DAY)
    assert judge(as_counted_at(waived_since, NOW - 2 * DAY), NOW - 2 * DAY) is Judgement.NO_RESPONSE
    assert as_counted_at(outcome(answered_at=NOW), NOW).answered_at == NOW
    assert as_counted_at(outcome(), NOW).target == AMAZON_TARGET


COUNTS = st.integers(0, 60)


@given(
    st.tuples(COUNTS, COUNTS, COUNTS),
    st.floats(0, 1),
    st.floats(0.01, 0.5),
    st.integers(0, 20),
    st.booleans(),
)
def test_whatever_is_compared_a_difference_has_a_cause_and_a_size(
    counts: tuple[int, int, int], amazon: float, allowed: float, marked: int, never: bool
) -> None:
    ours = figures(*counts, waived=marked)
    found = find_difference(compare(ours, amazon, copies=Sight() if never else SEEN), allowed)
    if found is None:
        return
    assert 1 <= len(found.causes) <= 3
    assert len(set(found.causes)) == len(found.causes)
    assert abs(found.ours - found.amazon) > allowed
    assert abs(found.ours - found.amazon) * ours.judged > 2
    assert find_difference(compare(ours, found.ours), allowed) is None
