"""Why a message was missed."""

from datetime import UTC, date, datetime, timedelta

import pytest

from monitor.report.causes import cause_of
from monitor.report.model import Cause, Period
from monitor.report.source import Acknowledged, MailboxOutage, MissFacts, Told
from monitor.report.staffed import assumed_staffed, gap_at, is_unstaffed
from tests.support.report_source import PARIS, make_outcome, staffed_weekdays

STAFFED = staffed_weekdays(date(2026, 11, 2), date(2026, 12, 31))
NOW = datetime(2026, 12, 30, tzinfo=UTC)


def due(day: int, hour: int, minute: int = 0, month: int = 11) -> datetime:
    """Return a local time of 2026 as an instant."""
    return datetime(2026, month, day, hour, minute, tzinfo=PARIS).astimezone(UTC)


def cause(
    deadline_at: datetime,
    facts: MissFacts | None = None,
    outages: tuple[MailboxOutage, ...] = (),
    staffed: tuple[Period, ...] = STAFFED,
    watching_since: datetime | None = None,
) -> Cause:
    outcome = make_outcome(1, deadline_at - timedelta(hours=24))
    known = facts or MissFacts(message_id=1, told=(told_at(deadline_at - timedelta(hours=2)),))
    return cause_of(outcome, known, outages, staffed, {date(2026, 12, 25)}, PARIS, watching_since, NOW)


def told_at(at: datetime, outcome: str = "sent") -> Told:
    return Told(at=at, receiver="team", channel="slack", outcome=outcome)


@pytest.mark.parametrize(
    ("deadline_at", "expected"),
    [
        pytest.param(due(19, 11), Cause.BUSY, id="Thursday in office hours"),
        pytest.param(due(19, 9), Cause.BUSY, id="the first staffed instant"),
        pytest.param(due(19, 18), Cause.UNSTAFFED, id="the instant after the last staffed one"),
        pytest.param(due(19, 20, 30), Cause.UNSTAFFED, id="Thursday evening"),
        pytest.param(due(19, 23), Cause.NIGHT, id="late in the evening"),
        pytest.param(due(20, 3), Cause.NIGHT, id="in the small hours"),
        pytest.param(due(20, 20), Cause.UNSTAFFED, id="Friday evening is not the weekend yet"),
        pytest.param(due(21, 4), Cause.NIGHT, id="the night before Saturday's daytime"),
        pytest.param(due(21, 7), Cause.WEEKEND, id="Saturday from seven"),
        pytest.param(due(22, 23), Cause.WEEKEND, id="Sunday night"),
        pytest.param(due(23, 5), Cause.WEEKEND, id="Monday before anybody was there"),
        pytest.param(due(25, 12, month=12), Cause.HOLIDAY, id="Christmas Day"),
    ],
)
def test_the_hours_before_the_deadline_are_the_cause_when_all_were_told(deadline_at: datetime, expected: Cause) -> None:
    staffed = tuple(p for p in STAFFED if p[0].astimezone(PARIS).date() != date(2026, 12, 25))
    assert cause(deadline_at, staffed=staffed) is expected


def test_the_weekend_after_a_holiday_is_still_the_holidays_gap() -> None:
    staffed = tuple(p for p in STAFFED if p[0].astimezone(PARIS).date() != date(2026, 12, 25))
    assert cause(due(26, 12, month=12), staffed=staffed) is Cause.HOLIDAY


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        pytest.param(MissFacts(message_id=1), Cause.NOT_ALERTED, id="nothing was sent"),
        pytest.param(
            MissFacts(message_id=1, told=(told_at(due(21, 11), "cancelled"),)),
            Cause.NOT_ALERTED,
            id="silenced or cancelled",
        ),
        pytest.param(
            MissFacts(message_id=1, told=(told_at(due(21, 12, 1)),)),
            Cause.NOT_ALERTED,
            id="told only after the deadline",
        ),
        pytest.param(
            MissFacts(message_id=1, told=(told_at(due(21, 11), "failed"),)), Cause.ALERT_FAILED, id="every alert failed"
        ),
        pytest.param(
            MissFacts(message_id=1, told=(told_at(due(21, 10), "failed"), told_at(due(21, 11)))),
            Cause.WEEKEND,
            id="one failed, one arrived",
        ),
        pytest.param(
            MissFacts(
                message_id=1, told=(told_at(due(21, 9)),), acknowledged=(Acknowledged(by="Ana", at=due(21, 10)),)
            ),
            Cause.ACKNOWLEDGED_AND_FORGOTTEN,
            id="taken before the deadline",
        ),
        pytest.param(
            MissFacts(
                message_id=1, told=(told_at(due(21, 9)),), acknowledged=(Acknowledged(by="Ana", at=due(21, 13)),)
            ),
            Cause.WEEKEND,
            id="taken only after the deadline",
        ),
        pytest.param(
            MissFacts(message_id=1, told=(told_at(due(21, 9)),), refused_at=(due(21, 11),)),
            Cause.REPLY_REFUSED,
            id="a reply in time did not arrive",
        ),
        pytest.param(
            MissFacts(message_id=1, told=(told_at(due(21, 9)),), refused_at=(due(21, 13),)),
            Cause.WEEKEND,
            id="a reply after the deadline did not arrive",
        ),
    ],
)
def test_what_people_were_told_and_did_comes_before_the_hour(facts: MissFacts, expected: Cause) -> None:
    assert cause(due(21, 12), facts) is expected


def outage(from_at: datetime, to_at: datetime | None, account: str = "acme-eu") -> MailboxOutage:
    return MailboxOutage(mailbox="support", accounts=(account,), from_at=from_at, to_at=to_at)


@pytest.mark.parametrize(
    ("outages", "told", "expected"),
    [
        pytest.param((outage(due(20, 13), due(21, 2)),), True, Cause.MAILBOX_BLIND, id="more than half of the time"),
        pytest.param((outage(due(20, 13), due(20, 14)),), True, Cause.WEEKEND, id="an hour, and all were told in time"),
        pytest.param(
            (outage(due(20, 13), due(20, 14)),), False, Cause.MAILBOX_BLIND, id="an hour, and nobody was told"
        ),
        pytest.param((outage(due(20, 1), None),), True, Cause.MAILBOX_BLIND, id="it lasts to this day"),
        pytest.param((outage(due(20, 1), None, "other"),), True, Cause.WEEKEND, id="another account's mailbox"),
        pytest.param(
            (outage(due(20, 13), due(20, 20)), outage(due(20, 14), due(20, 21))),
            True,
            Cause.WEEKEND,
            id="overlaps count once",
        ),
    ],
)
def test_a_blind_mailbox_is_the_cause_where_it_mattered(
    outages: tuple[MailboxOutage, ...], told: bool, expected: Cause
) -> None:
    facts = MissFacts(message_id=1, told=(told_at(due(21, 10)),) if told else ())
    assert cause(due(21, 12), facts, outages) is expected


def test_nobody_is_blamed_for_what_fell_due_before_the_worker_was_started() -> None:
    facts = MissFacts(message_id=1)
    assert cause(due(21, 12), facts, watching_since=due(21, 13)) is Cause.WEEKEND
    assert cause(due(21, 12), facts, watching_since=due(21, 12)) is Cause.NOT_ALERTED


def test_without_configured_hours_office_hours_are_assumed() -> None:
    staffed = assumed_staffed((due(16, 0), due(23, 0)), PARIS, {date(2026, 11, 18)})
    assert [(f.astimezone(PARIS).hour, t.astimezone(PARIS).hour) for f, t in staffed] == [
        (9, 18)
    ] * 5  # 16 to 23, no 18th
    assert is_unstaffed(due(18, 10), due(18, 11), staffed)
    assert not is_unstaffed(due(19, 17), due(19, 18), staffed)
    assert not is_unstaffed(due(19, 8), due(19, 9, 1), staffed)
    assert gap_at(due(14, 12), staffed) == (None, due(16, 9))
    assert gap_at(due(27, 12), staffed) == (due(23, 18), None)
    assert gap_at(due(27, 12), ()) == (None, None)


def test_a_deadline_before_all_known_hours_is_judged_by_the_days_before_it() -> None:
    assert cause(due(21, 12), staffed=()) is Cause.WEEKEND
