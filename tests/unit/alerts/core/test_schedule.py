"""Who is on call: handovers at a local time, overrides, gaps, and who follows."""

from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.core.oncall_calendar import parse_calendar
from alerts.core.schedule import (
    Gap,
    Override,
    Rotation,
    Schedule,
    gaps,
    handovers,
    next_after,
    on_call_at,
    on_call_order,
)
from tests.support.planning_world import ANA, BO, CY, PARIS, SCHEDULE, TICK, UNHURRIED, hours, paris, utc

CALENDAR = """BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//acme//on call//EN
BEGIN:VEVENT
UID:1
DTSTAMP:20260101T000000Z
DTSTART;TZID=Europe/Paris:20261116T090000
DTEND;TZID=Europe/Paris:20261120T180000
SUMMARY:Ana
END:VEVENT
BEGIN:VEVENT
UID:2
DTSTAMP:20260101T000000Z
DTSTART;TZID=Europe/Paris:20261121T090000
DTEND;TZID=Europe/Paris:20261123T090000
SUMMARY:Bo
END:VEVENT
BEGIN:VEVENT
UID:3
DTSTAMP:20260101T000000Z
DTSTART;TZID=Europe/Paris:20261124T090000
DTEND;TZID=Europe/Paris:20261125T090000
SUMMARY:The new colleague
END:VEVENT
END:VCALENDAR
"""


def make_schedule(*overrides: Override, **rotation: Any) -> Schedule:
    values: dict[str, Any] = {"people": ("Ana", "Bo"), "time_zone": PARIS}
    return Schedule(name="primary", rotation=Rotation(**(values | rotation)), overrides=overrides)


def make_calendar_schedule(*overrides: Override, text: str = CALENDAR) -> Schedule:
    calendar = parse_calendar(text, (ANA, BO, CY), PARIS)
    return Schedule(name="primary", calendar=calendar, overrides=overrides)


@pytest.mark.parametrize(
    ("at", "person"),
    [
        pytest.param(paris("2026-01-05T09:00"), "Ana", id="first-handover"),
        pytest.param(paris("2026-01-05T09:00") - TICK, "Bo", id="before-the-first"),
        pytest.param(paris("2026-01-12T09:00") - TICK, "Ana", id="end-of-turn"),
        pytest.param(paris("2026-01-12T09:00"), "Bo", id="handover"),
        pytest.param(paris("2026-03-30T09:00") - TICK, "Bo", id="before-handover-after-spring"),
        pytest.param(paris("2026-03-30T09:00"), "Ana", id="handover-after-spring"),
        pytest.param(paris("2026-10-26T09:00") - TICK, "Bo", id="before-handover-after-autumn"),
        pytest.param(paris("2026-10-26T09:00"), "Ana", id="handover-after-autumn"),
    ],
)
def test_people_take_turns_from_local_handover_to_local_handover(at: Any, person: str) -> None:
    assert on_call_at(SCHEDULE, at) == person


def test_a_turn_over_summer_time_is_an_hour_off() -> None:
    rotation = Rotation(people=("Ana", "Bo"), time_zone=PARIS)
    for day, length in (("2026-03-25", 167), ("2026-10-21", 169), ("2026-11-18", 168)):
        _, begins, ends = handovers(rotation, paris(f"{day}T12:00"))
        assert ends - begins == hours(length)


@pytest.mark.parametrize(
    ("rotation", "at", "person"),
    [
        pytest.param(
            {"handover_day": 4, "handover_minute": 1020}, "2026-01-02T17:00", "Ana", id="friday-before-starts"
        ),
        pytest.param({"handover_day": 4, "handover_minute": 1020}, "2026-01-09T17:00", "Bo", id="friday-after"),
        pytest.param({"starts": date(2026, 11, 18)}, "2026-11-18T12:00", "Ana", id="starts-within-a-week"),
        pytest.param({"starts": date(2026, 11, 18), "every": timedelta(days=1)}, "2026-11-18T09:00", "Ana", id="daily"),
        pytest.param(
            {"starts": date(2026, 11, 18), "every": timedelta(days=1)}, "2026-11-19T09:00", "Bo", id="daily-next"
        ),
        pytest.param({"every": timedelta(hours=12)}, "2026-01-05T20:59", "Ana", id="half-days"),
        pytest.param({"every": timedelta(hours=12)}, "2026-01-05T21:00", "Bo", id="half-days-next"),
        pytest.param({"every": timedelta(days=14)}, "2026-01-18T12:00", "Ana", id="fortnights"),
        pytest.param({"people": ("Ana",)}, "2026-11-18T12:00", "Ana", id="alone"),
    ],
)
def test_turns_of_other_lengths(rotation: dict[str, Any], at: str, person: str) -> None:
    assert on_call_at(make_schedule(**rotation), paris(at)) == person


def test_a_handover_in_the_skipped_hour_is_at_the_jump_and_in_the_repeated_one_at_its_first() -> None:
    daily = make_schedule(handover_minute=150, every=timedelta(days=1))
    assert daily.rotation is not None
    assert handovers(daily.rotation, paris("2026-03-29T12:00"))[1] == utc("2026-03-29T01:00")
    assert handovers(daily.rotation, paris("2026-10-25T12:00"))[1] == utc("2026-10-25T00:30")
    assert handovers(daily.rotation, utc("2026-10-25T01:10"))[1] == utc("2026-10-25T00:30")  # 02:10 for the second time


def test_a_turn_must_last() -> None:
    with pytest.raises(ValueError, match="longer than nothing"):
        Rotation(people=("Ana",), time_zone=PARIS, every=timedelta(0))


def test_of_overrides_the_one_listed_last_wins() -> None:
    schedule = make_schedule(
        Override(from_at=paris("2026-11-16T09:00"), to_at=paris("2026-11-20T09:00"), person="Bo"),
        Override(from_at=paris("2026-11-18T09:00"), to_at=paris("2026-11-19T09:00"), person="Cy"),
        people=("Ana",),
    )
    assert on_call_at(schedule, paris("2026-11-16T09:00") - TICK) == "Ana"
    assert on_call_at(schedule, paris("2026-11-16T09:00")) == "Bo"
    assert on_call_at(schedule, paris("2026-11-18T09:00")) == "Cy"
    assert on_call_at(schedule, paris("2026-11-19T09:00")) == "Bo"
    assert on_call_at(schedule, paris("2026-11-20T09:00")) == "Ana"


def test_who_does_not_answer_is_followed_by_the_next_in_the_rotation() -> None:
    schedule = make_schedule(people=("Ana", "Bo", "Cy"))
    at = paris("2026-01-13T12:00")
    assert on_call_order(schedule, at) == ("Bo", "Cy", "Ana")
    assert next_after(schedule, "Bo", at) == "Cy"
    assert next_after(schedule, "Ana", at) == "Bo"
    assert next_after(schedule, "Dee", at) == "Bo"
    assert next_after(make_schedule(people=("Ana",)), "Ana", at) is None
    assert next_after(Schedule(name="empty"), "Ana", at) is None


def test_whoever_is_replaced_by_an_override_follows_first() -> None:
    override = Override(from_at=paris("2026-01-12T09:00"), to_at=paris("2026-01-14T09:00"), person="Dee")
    schedule = make_schedule(override, people=("Ana", "Bo", "Cy"))
    assert on_call_order(schedule, paris("2026-01-13T12:00")) == ("Dee", "Bo", "Cy", "Ana")


def test_a_rotation_has_no_gap_and_a_schedule_of_overrides_has() -> None:
    from_at, until_at = paris("2026-12-24T00:00"), paris("2026-12-27T00:00")
    assert gaps(SCHEDULE, from_at, until_at) == ()
    overrides = (
        Override(from_at=paris("2026-12-24T09:00"), to_at=paris("2026-12-25T09:00"), person="Ana"),
        Override(from_at=paris("2026-12-25T09:00"), to_at=paris("2026-12-26T09:00"), person="Bo"),
        Override(from_at=paris("2026-12-28T09:00"), to_at=paris("2026-12-29T09:00"), person="Bo"),
    )
    only_overrides = Schedule(name="primary", rotation=Rotation(people=(), time_zone=PARIS), overrides=overrides)
    assert gaps(only_overrides, from_at, until_at) == (
        Gap(from_at, paris("2026-12-24T09:00")),
        Gap(paris("2026-12-26T09:00"), until_at),
    )
    assert on_call_at(only_overrides, from_at) is None
    for covered_until in ("2026-12-24T11:00", "2026-12-25T09:00", "2026-12-26T09:00"):
        assert gaps(only_overrides, paris("2026-12-24T09:00"), paris(covered_until)) == ()


def test_a_calendar_tells_who_and_its_gaps() -> None:
    schedule = make_calendar_schedule()
    assert on_call_at(schedule, paris("2026-11-20T18:00") - TICK) == "Ana"
    assert on_call_at(schedule, paris("2026-11-20T18:00")) is None
    assert on_call_at(schedule, paris("2026-11-24T12:00")) is None  # names nobody known
    assert gaps(schedule, paris("2026-11-20T12:00"), paris("2026-11-25T09:00")) == (
        Gap(paris("2026-11-20T18:00"), paris("2026-11-21T09:00")),
        Gap(paris("2026-11-23T09:00"), paris("2026-11-25T09:00")),
    )


def test_in_a_gap_the_page_goes_to_whoever_is_on_call_next() -> None:
    assert on_call_order(make_calendar_schedule(), paris("2026-11-20T20:00")) == ("Bo",)
    override = Override(from_at=paris("2026-11-21T00:00"), to_at=paris("2026-11-21T09:00"), person="Cy")
    assert on_call_order(make_calendar_schedule(override), paris("2026-11-20T20:00")) == ("Cy", "Bo")


def test_a_calendar_without_any_turn_ahead_pages_everybody() -> None:
    assert on_call_order(make_calendar_schedule(), paris("2027-11-20T20:00")) == ("Ana", "Bo", "Cy")


def test_a_naive_instant_is_refused() -> None:
    with pytest.raises(ValueError, match="naive"):
        on_call_at(SCHEDULE, paris("2026-11-20T12:00").replace(tzinfo=None))


@UNHURRIED
@given(
    st.integers(0, 3 * 365 * 24 * 60),
    st.sampled_from([timedelta(hours=8), timedelta(days=1), timedelta(days=7), timedelta(days=10)]),
    st.integers(0, 1439),
)
def test_turns_follow_one_another_without_gap_or_overlap(offset: int, every: timedelta, minute: int) -> None:
    rotation = Rotation(people=("Ana", "Bo", "Cy"), time_zone=PARIS, every=every, handover_minute=minute)
    at = utc("2025-06-01T00:00") + timedelta(minutes=offset)
    number, begins, ends = handovers(rotation, at)
    assert begins <= at < ends
    assert handovers(rotation, ends)[:2] == (number + 1, ends)
    assert handovers(rotation, begins - TICK)[2] == begins
