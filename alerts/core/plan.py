"""What has to be told now about an SLA clock, and when it must be looked at again.

Pure and idempotent: the same state and instant give the same notifications with the same keys, and once the state that
comes back is stored nothing is due before `next_due_at`. A step is due from `deadline - remaining` on; steps that passed
untold (worker down, acknowledged, snoozed, silenced) collapse into the most urgent due one.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from alerts.core.clock_view import ClockPlan, ClockView, acknowledgement_ends_at, earliest, hold_on
from alerts.core.contact import Directory, Target, expand_receiver
from alerts.core.look_ahead import LookAheadPlan, look_ahead_at, plan_look_ahead
from alerts.core.model import Channel, NextStep, Notification, Purpose

__all__ = [
    "ClockPlan",
    "ClockView",
    "Directory",
    "LookAheadPlan",
    "expand_receiver",
    "next_step",
    "plan_clock",
    "plan_look_ahead",
]

WALL_CLOCK_TOLERANCE = timedelta(minutes=5)  # set back by more than this, the wall clock was wrong when it told
NOBODY_RETRY = timedelta(minutes=10)  # a step that reaches nobody is tried again: calendars and people change
_NOTHING = timedelta(0)
_LOUDNESS = (Channel.VOICE, Channel.SMS, Channel.SLACK, Channel.EMAIL, Channel.WEBHOOK, Channel.CONSOLE)


def plan_clock(view: ClockView, directory: Directory, now: datetime) -> ClockPlan:
    """Return what has to be told about one clock at `now`, its new state, and when to look again.

    A step is told to its receivers when it is reached; contact rules with a delay are notifications due later, which an
    acknowledgement cancels. The reached step is told again, as its next occurrence: every `repeat_every`, when an
    acknowledgement or a snooze ended, and after a reopening. `page` marks what must reach a person: SMS, voice, receivers
    of type "person", and everything from the breach on.

    While the origin of the mail is unproven, phones are left out and steps with nothing but phones wait; what was left
    out follows at once when it is proven.
    """
    told_at = view.told_at
    if told_at is not None and told_at - now > WALL_CLOCK_TOLERANCE:
        told_at = now  # what a wall clock that ran ahead told too early is told again when it is due
    span, ahead_at = look_ahead_at(view, directory, now)
    steps = _audible_steps(view, directory, now)
    due_at = earliest(_next_step_at(view, steps, view.step_reached), _again_at(view, told_at))
    hold = hold_on(view, now)
    step, occurrence, reopened_told, phones_held = (
        view.step_reached,
        view.occurrence,
        view.reopened_told,
        view.phones_held,
    )
    notifications: tuple[Notification, ...] = ()
    held: str | None = None
    if due_at is not None and due_at <= now and hold is None:
        reached = max(step, _most_urgent_due(view, steps, now))
        again_at = _again_at(view, told_at, with_phones=False)
        # Nothing new but phones that an unproven origin held back: the same occurrence, completed.
        completes = reached == step and (again_at is None or again_at > now)
        everybody = directory.targets(view.steps[reached].notify, now)
        targets = [
            target
            for target in everybody
            if (view.verified or not target.by_phone) and (target.by_phone or not completes)
        ]
        if targets or completes:
            occurrence = view.occurrence + (not completes) if reached == step else 0
            notifications = _notifications(view, reached, occurrence, targets, now)
            told_at = told_at if completes else now
            phones_held = not completes and len(targets) < len(everybody)
            step, reopened_told = reached, view.reopened_count
            due_at = earliest(_next_step_at(view, steps, step), _repeat_at(view, step, told_at))
            held = "unverified" if phones_held else None
        else:
            due_at = earliest(now + NOBODY_RETRY, _next_step_at(view, steps, reached))
            held = "nobody"
    elif hold is not None and due_at is not None:
        held = hold[1] if due_at <= now else None
        due_at = max(due_at, hold[0])
    elif not view.verified and _most_urgent_due(view, range(len(view.steps)), now) > step:
        held = "unverified"
    return ClockPlan(
        notifications=notifications,
        step_reached=step,
        occurrence=occurrence,
        told_at=told_at,
        reopened_told=reopened_told,
        phones_held=phones_held,
        look_ahead_told_until=view.look_ahead_told_until,
        next_due_at=earliest(due_at, ahead_at),
        look_ahead_due=span is not None,
        held=held,
    )


def next_step(view: ClockView, directory: Directory, now: datetime) -> NextStep | None:
    """Return what happens next if nobody acts, for the words "next: SMS to Ana in 32 min"; None where nothing will.

    Contact rules of the step already told count, unless somebody has the thread. Of several at one instant the loudest.
    """
    hold = hold_on(view, now)
    found: list[NextStep] = []
    if hold is None and view.told_at is not None and view.step_reached >= 0:
        told = _contacts(view, view.step_reached, directory, view.told_at)
        found += [contact for contact in told if contact.at > now]
    steps = _audible_steps(view, directory, now)
    at = earliest(_next_step_at(view, steps, view.step_reached), _again_at(view, view.told_at))
    if at is not None:
        at = max(at, now if hold is None else hold[0])
        step = max(view.step_reached, _most_urgent_due(view, steps, at))
        found += _contacts(view, step, directory, at)
    return min(found, key=lambda one: (one.at, _LOUDNESS.index(one.channel)), default=None)


def _audible_steps(view: ClockView, directory: Directory, now: datetime) -> Sequence[int]:
    """Return the steps that may be told: all, or for an unproven origin those that reach somebody without a phone."""
    if view.verified:
        return range(len(view.steps))
    return [
        number
        for number, step in enumerate(view.steps)
        if not all(target.by_phone for target in directory.targets(step.notify, now))
    ]


def _step_at(view: ClockView, step: int) -> datetime:
    return view.deadline_at - view.steps[step].remaining


def _next_step_at(view: ClockView, steps: Sequence[int], reached: int) -> datetime | None:
    """Return when the first step beyond the one reached is or was due."""
    return min((_step_at(view, step) for step in steps if step > reached), default=None)


def _most_urgent_due(view: ClockView, steps: Sequence[int], at: datetime) -> int:
    """Return the index of the highest step that is due, or -1."""
    return max((step for step in steps if _step_at(view, step) <= at), default=-1)


def _again_at(view: ClockView, told_at: datetime | None, *, with_phones: bool = True) -> datetime | None:
    """Return when the reached step is or was due once more, as far as is known now."""
    if view.step_reached < 0:
        return None
    if told_at is None:
        return view.started_at
    if view.reopened_count > view.reopened_told or (with_phones and view.verified and view.phones_held):
        return told_at
    again_at = _repeat_at(view, view.step_reached, told_at)
    # `_step_at` is later than the telling only where the wall clock ran ahead.
    for at in (acknowledgement_ends_at(view), view.snoozed_until, _step_at(view, view.step_reached)):
        if at is not None and at > told_at:
            again_at = earliest(again_at, at)
    return again_at


def _repeat_at(view: ClockView, step: int, told_at: datetime | None) -> datetime | None:
    repeat_every = view.steps[step].repeat_every
    if told_at is None or repeat_every <= _NOTHING:
        return None
    return max(told_at + repeat_every, _step_at(view, step))


def _notifications(
    view: ClockView, step: int, occurrence: int, targets: Sequence[Target], now: datetime
) -> tuple[Notification, ...]:
    breach = view.steps[step].remaining <= _NOTHING
    return tuple(
        Notification(
            key=f"alert:{view.clock_id}:{step}:{target.name}:{occurrence}",
            purpose=Purpose.ALERT,
            receiver=target.receiver,
            channel=target.contact.channel,
            person=target.contact.person,
            due_at=now + target.contact.after,
            thread_id=view.thread_id,
            clock_id=view.clock_id,
            step=step,
            occurrence=occurrence,
            page=breach or target.personal,
            verified=view.verified,
            expires_at=None if target.contact.after else _superseded_at(view, step, target.receiver),
        )
        for target in targets
    )


def _superseded_at(view: ClockView, step: int, receiver: str) -> datetime | None:
    """Return when a more urgent step is due for the same receiver: from then on this one, if still unsent, is mute."""
    return next(
        (_step_at(view, later) for later in range(step + 1, len(view.steps)) if receiver in view.steps[later].notify),
        None,
    )


def _contacts(view: ClockView, step: int, directory: Directory, told_at: datetime) -> Iterator[NextStep]:
    for target in directory.targets(view.steps[step].notify, told_at):
        if view.verified or not target.by_phone:
            yield NextStep(
                at=told_at + target.contact.after,
                receiver=target.receiver,
                channel=target.contact.channel,
                person=target.contact.person,
            )
