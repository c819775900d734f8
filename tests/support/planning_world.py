"""An invented shop for planning tests: a team channel, two people on call, staffed hours in Paris."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import settings

from alerts.core.model import Notification, Person, Receiver
from alerts.core.plan import ClockPlan, ClockView, Directory, plan_clock
from alerts.core.policy import EscalationStep, LookAhead
from alerts.core.schedule import Rotation, Schedule
from alerts.core.staffing import Shift

PARIS = ZoneInfo("Europe/Paris")
TICK = timedelta(microseconds=1)
UNHURRIED = settings(deadline=None)  # a machine that does other things at the same time is no failure
START = datetime(2026, 11, 20, 3, 10, tzinfo=UTC)  # a Friday, 04:10 in Paris
DEADLINE = START + timedelta(hours=24)


def utc(text: str) -> datetime:
    """Return an instant written as 2026-11-20T04:10 in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def paris(text: str) -> datetime:
    """Return the instant of a Paris local time written as 2026-11-20T04:10."""
    return datetime.fromisoformat(text).replace(tzinfo=PARIS).astimezone(UTC)


def hours(count: float) -> timedelta:
    """Return that many hours."""
    return timedelta(hours=count)


def minutes(count: float) -> timedelta:
    """Return that many minutes."""
    return timedelta(minutes=count)


ANA = Person(
    name="Ana",
    phone="+33600000001",
    slack_user="U01",
    email="ana@acme.example",
    time_zone="Europe/Paris",
    language="fr",
)
BO = Person(name="Bo", phone="+33600000002", slack_user="U02", email="bo@acme.example", time_zone="Europe/Paris")
CY = Person(name="Cy", email="cy@acme.example")

TEAM = Receiver(name="team", type="slack", target="C01")
SMS = Receiver(name="oncall-sms", type="sms", people=("Ana",))
VOICE = Receiver(name="oncall-voice", type="voice", people=("Ana",))
PRIMARY = Receiver(name="primary-person", type="person", schedule="primary")
HOOK = Receiver(name="hook", type="webhook", target="https://hook.example/1")

OFFICE = Shift(days=frozenset(range(5)), from_minute=9 * 60, to_minute=18 * 60, time_zone=PARIS)
ROTATION = Rotation(people=("Ana", "Bo"), time_zone=PARIS)
SCHEDULE = Schedule(name="primary", rotation=ROTATION)

STEPS = (
    EscalationStep(remaining=hours(8), notify=("team",)),
    EscalationStep(remaining=hours(2), notify=("oncall-sms",)),
    EscalationStep(remaining=hours(0), notify=("team", "oncall-sms")),
)
AHEAD = LookAhead(before_end_of_shift=minutes(90), notify=("team",))


def make_directory(*receivers: Receiver, **changes: Any) -> Directory:
    """Return a directory of these receivers (default: the usual ones) and everybody."""
    chosen = receivers or (TEAM, SMS, VOICE, PRIMARY, HOOK)
    values: dict[str, Any] = {
        "receivers": {receiver.name: receiver for receiver in chosen},
        "people": {person.name: person for person in (ANA, BO, CY)},
        "schedules": {"primary": SCHEDULE},
    }
    return Directory(**(values | changes))


def make_view(**changes: Any) -> ClockView:
    """Return a clock of which nothing was told yet."""
    values: dict[str, Any] = {
        "clock_id": 7,
        "thread_id": 3,
        "started_at": START,
        "deadline_at": DEADLINE,
        "steps": STEPS,
        "acknowledgement_expires": hours(2),
    }
    return ClockView(**(values | changes))


def after(view: ClockView, plan: ClockPlan, **changes: Any) -> ClockView:
    """Return the clock as it is once a plan is stored, with further changes."""
    values: dict[str, Any] = {
        "step_reached": plan.step_reached,
        "occurrence": plan.occurrence,
        "told_at": plan.told_at,
        "reopened_told": plan.reopened_told,
        "phones_held": plan.phones_held,
        "look_ahead_told_until": plan.look_ahead_told_until,
    }
    return replace(view, **(values | changes))


def tell(view: ClockView, directory: Directory, now: datetime) -> tuple[ClockView, tuple[Notification, ...]]:
    """Plan once, store the state, and return both it and what was told."""
    plan = plan_clock(view, directory, now)
    return after(view, plan), plan.notifications


def drive(
    view: ClockView, directory: Directory, from_at: datetime, until_at: datetime
) -> Iterator[tuple[datetime, ClockPlan]]:
    """Plan at every `next_due_at` from one instant to another, as a worker that is never late would."""
    now: datetime | None = from_at
    while now is not None and now <= until_at:
        plan = plan_clock(view, directory, now)
        yield now, plan
        view = after(view, plan)
        assert plan.next_due_at is None or plan.next_due_at > now
        now = plan.next_due_at
