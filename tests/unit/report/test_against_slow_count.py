"""The report against a slow, obvious count of the same random mails, written another way.

The count walks through each conversation minute by minute with a pencil: a list of what waits, crossed out by the first
thing that settles it. It knows no clocks, no streams and no week spans; it asks the calendar of each local date instead.
"""

import math
import statistics
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.core.facts import Fact, Mark, MarkKind, Route
from monitor.core.figures import Figures, MessageOutcome
from monitor.core.messages import Kind
from monitor.core.threads import resolve_threads
from monitor.core.weeks import IsoWeek
from monitor.report.build import build_report
from monitor.report.model import ReportSettings
from monitor.report.render_json import report_to_json
from tests.support.report_source import MemoryReportSource

TARGET = timedelta(hours=24)
MARKETS = ("FR", "DE", None)
CORNERS = (
    datetime(2026, 3, 29, 1, 0, tzinfo=UTC),  # summer time begins in Europe
    datetime(2026, 10, 25, 1, 0, tzinfo=UTC),  # and ends
    datetime(2026, 11, 1, 6, 0, tzinfo=UTC),  # ends in America
    datetime(2026, 12, 31, 23, 0, tzinfo=UTC),  # New Year within week 53
    datetime(2027, 1, 4, 0, 0, tzinfo=UTC),  # the first Monday after it
)
OFFSETS = (-61, -60, -59, -1, 0, 1, 59, 60, 61)  # minutes around a Monday's midnight, summer time's hour included
ZONES = ("Europe/Paris", "America/New_York", "Asia/Tokyo")


@dataclass(frozen=True)
class Event:
    """Something in one conversation; `minute` counts from the history's begin."""

    minute: int
    what: str  # "buyer", "reply", "bounced", "copy", "by_hand", "waived"


@dataclass(frozen=True)
class Conversation:
    """One buyer, one matter."""

    market: str | None
    account: str
    label: str | None
    events: tuple[Event, ...]


WHAT = st.sampled_from(["buyer", "buyer", "buyer", "reply", "reply", "bounced", "copy", "by_hand", "waived"])


@st.composite
def conversations(draw: st.DrawFn) -> Conversation:
    """A conversation of up to nine events over up to a month, no two in one minute."""
    at_border = st.builds(lambda week, off: max(0, week * 10080 + off), st.integers(0, 4), st.sampled_from(OFFSETS))
    first = draw(st.one_of(st.integers(0, 30 * 1440), at_border))
    gaps = draw(st.lists(st.one_of(st.integers(1, 1440), st.sampled_from([1439, 1440, 1441, 4320])), max_size=8))
    minutes = [first]
    for gap in gaps:
        minutes.append(minutes[-1] + gap)
    events = [Event(minutes[0], "buyer")] + [Event(minute, draw(WHAT)) for minute in minutes[1:]]
    return Conversation(
        market=draw(st.sampled_from(MARKETS)),
        account=draw(st.sampled_from(["acme-eu", "acme-us"])),
        label=draw(st.sampled_from([None, "delivery", "return"])),
        events=tuple(events),
    )


def outcomes_of(history: Iterable[Conversation], begins: datetime, now: datetime) -> list[MessageOutcome]:
    """Go the product's own way: mails -> threads -> one outcome for each buyer message."""
    facts: list[Fact] = []
    marks: list[Mark] = []
    of_message: dict[int, tuple[int, Conversation]] = {}
    for order, conversation in enumerate(history):
        first_message = None
        for event in conversation.events:
            at = begins + timedelta(minutes=event.minute)
            number = len(facts) + len(marks) + 1
            if at > now:
                continue
            common = {"id": number, "key": number, "accounts": (conversation.account,), "order": order}
            if event.what == "buyer":
                first_message = first_message or number
                of_message[number] = (order, conversation)
                facts.append(Fact(kind=Kind.BUYER_MESSAGE, received_at=at, **common))  # type: ignore[arg-type]
            elif event.what in ("by_hand", "waived") and first_message is not None:
                kind = MarkKind.ANSWERED if event.what == "by_hand" else MarkKind.WAIVED
                marks.append(Mark(id=number, kind=kind, message_id=first_message, at=at, by="Ana"))
            elif event.what in ("reply", "bounced", "copy"):
                kind_of_mail = Kind.CONFIRMATION_COPY if event.what == "copy" else Kind.SELLER_REPLY
                facts.append(Fact(kind=kind_of_mail, received_at=at, message=number, **common))  # type: ignore[arg-type]
                if event.what == "bounced":
                    failure = {"id": -number, "key": -number, "accounts": (conversation.account,)}
                    late = at + timedelta(seconds=20)
                    facts.append(
                        Fact(kind=Kind.DELIVERY_FAILURE, received_at=late, references=(number,), **failure)  # type: ignore[arg-type]
                    )
    outcomes = []
    for thread in resolve_threads(facts, marks).threads:
        for clock in thread.clocks:
            for number in clock.message_ids:
                order, conversation = of_message[number]
                received_at = next(fact.received_at for fact in facts if fact.id == number)
                outcomes.append(
                    MessageOutcome(
                        message_id=number,
                        thread_id=order,
                        account=conversation.account,
                        marketplace=conversation.market,
                        received_at=received_at,
                        target=TARGET,
                        answered_at=clock.answered_at,
                        by_hand=clock.answered_route is Route.HAND,
                        waived_at=clock.waived_at,
                        labels=(conversation.label,) if conversation.label else (),
                    )
                )
    return outcomes


@dataclass(frozen=True)
class Counted:
    """One buyer message on the slow way: what became of it, in minutes."""

    conversation: Conversation
    arrived: int
    verdict: str
    took: int | None
    by_hand: bool


def count_slowly(history: Iterable[Conversation], now_minute: float) -> list[Counted]:
    """Walk through each conversation with a list of what waits."""
    counted = []
    for conversation in history:
        waiting: list[int] = []
        for event in conversation.events:
            if event.minute > now_minute:
                break
            if event.what == "buyer":
                waiting.append(event.minute)
            elif event.what in ("reply", "copy", "by_hand"):
                for arrived in waiting:
                    took = event.minute - arrived
                    verdict = "late" if took > 24 * 60 else "on_time"
                    counted.append(Counted(conversation, arrived, verdict, took, event.what == "by_hand"))
                waiting = []
            elif event.what == "waived":
                counted += [Counted(conversation, arrived, "waived", None, False) for arrived in waiting]
                waiting = []
        for arrived in waiting:
            verdict = "no_response" if now_minute - arrived > 24 * 60 else "pending"
            counted.append(Counted(conversation, arrived, verdict, None, False))
    return counted


def figures_slowly(messages: list[Counted]) -> dict[str, float | int | None]:
    """Count with lists, one question at a time."""
    verdicts = [message.verdict for message in messages]
    took = [message.took * 60 for message in messages if message.took is not None]
    judged = [verdict for verdict in verdicts if verdict in ("on_time", "late", "no_response")]
    return {
        "received": len(messages),
        "on_time": verdicts.count("on_time"),
        "late": verdicts.count("late"),
        "no_response": verdicts.count("no_response"),
        "pending": verdicts.count("pending"),
        "waived": verdicts.count("waived"),
        "response_rate": judged.count("on_time") / len(judged) if judged else None,
        "late_response_rate": 1 - judged.count("on_time") / len(judged) if judged else None,
        "average_response_seconds": statistics.fmean(took) if took else None,
        "median_response_seconds": statistics.median(took) if took else None,
        "p90_response_seconds": statistics.quantiles(took + took[:1] * (len(took) == 1), n=10, method="inclusive")[8]
        if took
        else None,
        "marked_by_hand": sum(message.by_hand for message in messages),
    }


def assert_same(figures: dict[str, float | int | None] | Figures, slow: dict[str, float | int | None]) -> None:
    found = asdict(figures) if isinstance(figures, Figures) else figures
    assert found.keys() == slow.keys()
    for name, value in slow.items():
        assert found[name] == (None if value is None else pytest.approx(value, abs=1e-9)), name


@settings(max_examples=150)
@given(
    history=st.lists(conversations(), min_size=1, max_size=12),
    corner=st.sampled_from(CORNERS),
    zone_name=st.sampled_from(ZONES),
    weeks_before=st.integers(0, 4),
    age_minutes=st.integers(0, 60 * 1440),
    at_window=st.none()
    | st.builds(lambda days, off: days * 1440 + off, st.sampled_from([7, 30, 90]), st.sampled_from([-1, 0])),
)
def test_the_report_equals_a_slow_count_of_the_same_mails(
    history: list[Conversation],
    corner: datetime,
    zone_name: str,
    weeks_before: int,
    age_minutes: int,
    at_window: int | None,
) -> None:
    zone = ZoneInfo(zone_name)
    local = corner.astimezone(zone)
    begins = datetime.combine(local.date() - timedelta(days=local.weekday() + 14), time(0), zone).astimezone(UTC)
    if at_window is not None:  # the end of a window lies next to an arrival
        age_minutes = history[0].events[0].minute + at_window
    now_minute = age_minutes + 0.5  # nothing happens at this very instant
    now = begins + timedelta(minutes=now_minute)
    year, number, _ = local.isocalendar()
    week = IsoWeek(year, number).shift(-weeks_before)

    source = MemoryReportSource(outcomes=outcomes_of(history, begins, now))
    report = build_report(source, week, now, ReportSettings(time_zone=zone))
    counted = count_slowly(history, now_minute)

    def local_week(message: Counted) -> tuple[int, int]:
        local = (begins + timedelta(minutes=message.arrived)).astimezone(zone)
        return local.isocalendar()[:2]

    of_week = [message for message in counted if local_week(message) == (week.year, week.number)]
    assert_same(report.figures, figures_slowly(of_week))
    for days, figures in report.windows.items():
        assert_same(figures, figures_slowly([m for m in counted if m.arrived >= now_minute - days * 1440]))
    for compared in report.weeks:
        key = (compared.week.year, compared.week.number)
        assert_same(compared.figures, figures_slowly([m for m in counted if local_week(m) == key]))
    for name, figures in report.by_marketplace.items():
        assert_same(figures, figures_slowly([m for m in of_week if (m.conversation.market or "unknown") == name]))
    for name, figures in report.by_account.items():
        assert_same(figures, figures_slowly([m for m in of_week if m.conversation.account == name]))
    for name, figures in report.by_label.items():
        assert_same(figures, figures_slowly([m for m in of_week if m.conversation.label == name]))
    assert sum(f.received for f in report.by_marketplace.values()) == len(of_week)
    assert sum(f.received for f in report.by_account.values()) == len(of_week)

    shown = report_to_json(report)
    missed = sorted(m.arrived for m in of_week if m.verdict in ("late", "no_response"))
    reported = sorted(
        round((datetime.fromisoformat(row["received_at"]) - begins).total_seconds() / 60) for row in shown["misses"]
    )
    assert reported == missed
    assert_same(shown["figures"], figures_slowly(of_week))
    late_by = {(row["late_by_seconds"], row["outcome"]) for row in shown["misses"]}
    assert late_by == {
        (((m.took if m.took is not None else now_minute - m.arrived) - 1440) * 60, m.verdict)
        for m in of_week
        if m.verdict in ("late", "no_response")
    }


@settings(max_examples=60)
@given(history=st.lists(conversations(), min_size=1, max_size=8), seed=st.randoms(use_true_random=False))
def test_the_order_and_the_number_of_calls_change_nothing(history: list[Conversation], seed: object) -> None:
    begins = CORNERS[1] - timedelta(days=17)
    now = begins + timedelta(days=25, seconds=30)
    outcomes = outcomes_of(history, begins, now)
    week = IsoWeek(2026, 43)
    wanted = ReportSettings(time_zone=ZoneInfo("Europe/Paris"))
    first = build_report(MemoryReportSource(outcomes=outcomes), week, now, wanted)
    seed.shuffle(outcomes)  # type: ignore[attr-defined]
    second = build_report(MemoryReportSource(outcomes=outcomes), week, now, wanted)
    assert first.figures == second.figures
    assert first.windows == second.windows
    assert not math.isnan(first.figures.response_rate or 0.0)
