"""iCalendar texts as people's calendars export them."""

import pytest

from alerts.core.model import Person
from alerts.core.oncall_calendar import Turn, parse_calendar, turns_between
from tests.support.planning_world import ANA, BO, PARIS, paris, utc

PEOPLE = (ANA, BO, Person(name="Ana Maria"), Person(name="Zoë", email="zoe@acme.example"))
FROM, UNTIL = utc("2026-10-01T00:00"), utc("2027-01-15T00:00")


def make_text(*events: str) -> str:
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//acme//on call//EN"]
    for number, event in enumerate(events):
        lines += [
            "BEGIN:VEVENT",
            f"UID:{number}@acme.example",
            "DTSTAMP:20260101T000000Z",
            *event.split("\n"),
            "END:VEVENT",
        ]
    return "\r\n".join([*lines, "END:VCALENDAR", ""])


def turns_of(*events: str) -> tuple[Turn, ...]:
    return turns_between(parse_calendar(make_text(*events), PEOPLE, PARIS), FROM, UNTIL)


DAY = "DTSTART;TZID=Europe/Paris:20261120T090000\nDTEND;TZID=Europe/Paris:20261121T090000"


def test_a_recurring_event_keeps_its_local_time_over_summer_time() -> None:
    turns = turns_of(
        "DTSTART;TZID=Europe/Paris:20261012T090000\nDTEND;TZID=Europe/Paris:20261019T090000\n"
        "RRULE:FREQ=WEEKLY;INTERVAL=2;COUNT=3\nEXDATE;TZID=Europe/Paris:20261109T090000\nSUMMARY:Ana"
    )
    assert turns == (
        Turn(paris("2026-10-12T09:00"), paris("2026-10-19T09:00"), "Ana"),
        Turn(paris("2026-10-26T09:00"), paris("2026-11-02T09:00"), "Ana"),
    )


def test_one_occurrence_of_a_series_may_be_moved_to_somebody_else() -> None:
    text = make_text(
        "DTSTART;TZID=Europe/Paris:20261116T090000\nDURATION:P1D\nRRULE:FREQ=DAILY;COUNT=2\nSUMMARY:Ana",
        "RECURRENCE-ID;TZID=Europe/Paris:20261117T090000\nDTSTART;TZID=Europe/Paris:20261117T100000\nDURATION:P1D\n"
        "SUMMARY:Bo",
    ).replace("UID:1@", "UID:0@")
    assert turns_between(parse_calendar(text, PEOPLE, PARIS), FROM, UNTIL) == (
        Turn(paris("2026-11-16T09:00"), paris("2026-11-17T09:00"), "Ana"),
        Turn(paris("2026-11-17T10:00"), paris("2026-11-18T10:00"), "Bo"),
    )


def test_whole_days_and_times_without_a_zone_are_the_schedules_own() -> None:
    assert turns_of(
        "DTSTART;VALUE=DATE:20261224\nDTEND;VALUE=DATE:20261226\nSUMMARY:Bo",
        "DTSTART:20261227T090000\nDURATION:PT5H\nSUMMARY:Ana",
        "DTSTART:20261228T090000Z\nDTEND:20261228T100000Z\nSUMMARY:Ana",
    ) == (
        Turn(paris("2026-12-24T00:00"), paris("2026-12-26T00:00"), "Bo"),
        Turn(paris("2026-12-27T09:00"), paris("2026-12-27T14:00"), "Ana"),
        Turn(utc("2026-12-28T09:00"), utc("2026-12-28T10:00"), "Ana"),
    )


@pytest.mark.parametrize(
    ("lines", "person"),
    [
        pytest.param("SUMMARY:Ana", "Ana", id="name"),
        pytest.param("SUMMARY:on call: ANA (phone)", "Ana", id="name-among-words"),
        pytest.param("SUMMARY:Ana Maria", "Ana Maria", id="longest-name-first"),
        pytest.param("SUMMARY:Bread and bananas", None, id="not-within-a-word"),
        pytest.param("SUMMARY:zoë hat Dienst", "Zoë", id="accents"),
        pytest.param("SUMMARY:bo@acme.example", "Bo", id="address-in-summary"),
        pytest.param("SUMMARY:On call\nATTENDEE:mailto:BO@acme.example", "Bo", id="attendees-address"),
        pytest.param("SUMMARY:Ana\nATTENDEE:mailto:bo@acme.example", "Bo", id="address-before-summary"),
        pytest.param("SUMMARY:On call\nATTENDEE;CN=Ana:mailto:x@other.example", "Ana", id="attendees-name"),
        pytest.param(
            "ATTENDEE:mailto:x@other.example\nATTENDEE:mailto:zoe@acme.example", "Zoë", id="second-attendee-no-summary"
        ),
        pytest.param("SUMMARY:Office party", None, id="nobody"),
    ],
)
def test_whom_an_event_names(lines: str, person: str | None) -> None:
    (turn,) = turns_of(f"{DAY}\n{lines}")
    assert turn.person == person


def test_cancelled_and_empty_events_are_no_turns() -> None:
    assert turns_of(f"{DAY}\nSUMMARY:Ana\nSTATUS:CANCELLED", "DTSTART:20261120T090000Z\nSUMMARY:Bo") == ()


def test_of_overlapping_turns_the_later_then_the_shorter_comes_last() -> None:
    turns = turns_of(
        "DTSTART:20261120T090000Z\nDURATION:PT1H\nSUMMARY:Bo",
        "DTSTART:20261116T090000Z\nDURATION:P7D\nSUMMARY:Ana",
        "DTSTART:20261120T090000Z\nDURATION:PT5H\nSUMMARY:Zoë",
    )
    assert [turn.person for turn in turns] == ["Ana", "Zoë", "Bo"]


def test_turns_touch_the_span_asked_for() -> None:
    calendar = parse_calendar(make_text(f"{DAY}\nSUMMARY:Ana"), PEOPLE, PARIS)
    begin, end = paris("2026-11-20T09:00"), paris("2026-11-21T09:00")
    assert turns_between(calendar, end, UNTIL) == ()
    assert turns_between(calendar, FROM, begin) == ()
    assert len(turns_between(calendar, paris("2026-11-20T12:00"), paris("2026-11-20T12:01"))) == 1


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="empty"),
        pytest.param("<!doctype html><html></html>", id="web-page"),
        pytest.param("BEGIN:VEVENT\r\nEND:VEVENT\r\n", id="no-calendar"),
        pytest.param("BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\n", id="cut-short"),
        pytest.param(make_text("DTSTART;TZID=Europe:20261120T090000\nSUMMARY:Ana"), id="zone-that-is-a-directory"),
    ],
)
def test_what_is_no_calendar_is_refused_without_quoting_it(text: str) -> None:
    with pytest.raises(ValueError, match=r"^calendar: not an iCalendar text\. Give the address that ends in \.ics,"):
        parse_calendar(text, PEOPLE, PARIS)


def test_events_that_cannot_be_read_are_left_out_and_told() -> None:
    calendar = parse_calendar(
        make_text(
            f"{DAY}\nSUMMARY:Ana",
            "DTSTART:tomorrow\nSUMMARY:Bo",
            "SUMMARY:Bo",
            f"{DAY}\nRRULE:FREQ=OFTEN\nSUMMARY:Bo",
            f"{DAY}\nRRULE:FREQ=SECONDLY\nSUMMARY:Bo",
            f"{DAY}\nRRULE:FREQ=DAILY\nRRULE:FREQ=MINUTELY\nSUMMARY:Bo",
            f"{DAY}\nRRULE:FREQ=DAILY;INTERVAL=0\nSUMMARY:Bo",
            f"{DAY}\nRRULE:FREQ=DAILY;COUNT=-1\nSUMMARY:Bo",
            f"{DAY}\nRRULE:INTERVAL=2\nSUMMARY:Bo",
            f"{DAY}\nEXDATE:never\nSUMMARY:Bo",
        ),
        PEOPLE,
        PARIS,
    )
    assert calendar.problems == (
        "calendar: entry 2 left out: DTSTART cannot be read or is missing. Correct it in the calendar.",
        "calendar: entry 3 left out: DTSTART cannot be read or is missing. Correct it in the calendar.",
        "calendar: entry 4 left out: RRULE cannot be read or is missing. Correct it in the calendar.",
        "calendar: entry 5 left out: it recurs every minute or more often. Correct it in the calendar.",
        "calendar: entry 6 left out: it recurs every minute or more often. Correct it in the calendar.",
        "calendar: entry 7 left out: it recurs at an interval of nothing. Correct it in the calendar.",
        "calendar: entry 8 left out: its recurrence cannot be read. Correct it in the calendar.",
        "calendar: entry 9 left out: its recurrence cannot be read. Correct it in the calendar.",
        "calendar: entry 10 left out: EXDATE cannot be read or is missing. Correct it in the calendar.",
    )
    assert [turn.person for turn in turns_between(calendar, FROM, UNTIL)] == ["Ana"]
    assert "Ana" not in repr(calendar.problems)
    assert calendar.names() == ("Ana", "Bo", "Ana Maria", "Zoë")
