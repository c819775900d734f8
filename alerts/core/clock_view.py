"""One open SLA clock as planning sees it, and what planning says of it."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from alerts.core.contact import acknowledgement_expires_at
from alerts.core.model import Notification
from alerts.core.policy import EscalationStep, LookAhead


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockView:
    """The facts of an open clock. Instants are aware UTC, read from the worker's own wall clock.

    Attributes:
        steps, acknowledgement_expires, look_ahead: of the policy frozen onto the clock.
        verified: False: the origin of the mail is not proven.
        step_reached: index of the highest step told; -1: none. `occurrence`: how often again. `told_at`: when last.
        acknowledgement_expires_at: None: follows from `acknowledged_at`.
        silenced_until: from `suppress.silenced_until`.
        reopened_count: how often a reply turned out to be none. `reopened_told`: how many of those were paged.
            A reopening ends an acknowledgement and a snooze made before it: whoever records it clears them.
        phones_held: the last telling left out SMS and voice, because the clock was not verified.
        look_ahead_told_until: end of the shift before which this clock was last told.
    """

    clock_id: int
    thread_id: int
    started_at: datetime
    deadline_at: datetime
    steps: tuple[EscalationStep, ...]
    acknowledgement_expires: timedelta
    verified: bool = True
    look_ahead: LookAhead | None = None
    step_reached: int = -1
    occurrence: int = 0
    told_at: datetime | None = None
    acknowledged_by: str | None = None
    acknowledged_at: datetime | None = None
    acknowledgement_expires_at: datetime | None = None
    snoozed_until: datetime | None = None
    silenced_until: datetime | None = None
    reopened_count: int = 0
    reopened_told: int = 0
    phones_held: bool = False
    look_ahead_told_until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockPlan:
    """What to enqueue, and the clock's new state, to be stored in the same transaction.

    Attributes:
        next_due_at: look again at this instant, later than `now`; None: nothing is due unless something happens.
        look_ahead_due: belongs into the summary before the shift ends; hand the view to `plan_look_ahead`.
        held: why something due was not told, or not wholly: "acknowledged", "snoozed", "silenced", "unverified" (of SMS and
            voice) or "nobody".
    """

    notifications: tuple[Notification, ...]
    step_reached: int
    occurrence: int
    told_at: datetime | None
    reopened_told: int
    phones_held: bool
    look_ahead_told_until: datetime | None
    next_due_at: datetime | None
    look_ahead_due: bool = False
    held: str | None = None


def acknowledgement_ends_at(view: ClockView) -> datetime | None:
    """Return when the clock's last acknowledgement ends or ended; None: there is none."""
    if view.acknowledgement_expires_at is not None or view.acknowledged_at is None:
        return view.acknowledgement_expires_at
    return acknowledgement_expires_at(view.acknowledged_at, view.deadline_at, view.acknowledgement_expires)


def hold_on(view: ClockView, now: datetime) -> tuple[datetime, str] | None:
    """Return until when a person's word stops escalation, and what it was; None: nothing stops it."""
    holds = []
    ends_at = acknowledgement_ends_at(view)
    if view.acknowledged_by is not None and ends_at is not None and ends_at > now:
        holds.append((ends_at, "acknowledged"))
    if view.snoozed_until is not None and view.snoozed_until > now:
        holds.append((view.snoozed_until, "snoozed"))
    if view.silenced_until is not None and view.silenced_until > now:
        holds.append((view.silenced_until, "silenced"))
    return max(holds, default=None)


def earliest(first: datetime | None, second: datetime | None) -> datetime | None:
    """Return the earlier instant of two, where None is never."""
    if first is None or second is None:
        return first or second
    return min(first, second)
