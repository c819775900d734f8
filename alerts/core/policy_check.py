"""What is wrong with escalation policies and the receivers they name, all of it at once, before the worker starts.

Problems are lines `<where>: <what>. <What to do next>.`; an unreachable step or an unknown receiver would otherwise be found
out at 3 a.m.
"""

from collections.abc import Collection, Iterator, Sequence
from datetime import timedelta
from difflib import get_close_matches

from alerts.core.contact import usable_rules
from alerts.core.model import Person, Receiver
from alerts.core.policy import EscalationPolicy, Matcher

_NOTHING = timedelta(0)
_NEEDS = {"sms": "phone", "voice": "phone", "email": "email"}


def validate_policies(
    policies: Sequence[EscalationPolicy],
    receivers: Sequence[Receiver],
    *,
    target: timedelta = timedelta(hours=24),
    staffed: bool = True,
) -> list[str]:
    """Return every problem of the policies, in their order; empty where they are sound.

    Args:
        policies: in the file's order.
        receivers: all that a step may name.
        target: the longest SLA target in use.
        staffed: whether there are staffed hours.
    """
    names = [receiver.name for receiver in receivers]
    problems: list[str] = []
    for number, policy in enumerate(policies):
        where = f"[[policy]] {policy.name}"
        if any(policy.name == other.name for other in policies[:number]):
            problems.append(f"{where}: the name is used twice. Give each policy its own.")
        shadow = next((other for other in policies[:number] if _covers(other.match, policy.match)), None)
        if shadow is not None:
            problems.append(
                f"{where}: never used, because '{shadow.name}' before it matches all that it matches. Move it up."
            )
        if policy.acknowledgement_expires <= _NOTHING:
            problems.append(f'{where} acknowledgement_expires: not longer than nothing. Write for example "2h".')
        problems.extend(_step_problems(policy, names, target))
        problems.extend(_look_ahead_problems(policy, names, staffed))
    return problems


def validate_receivers(
    receivers: Sequence[Receiver], people: Sequence[Person], schedules: Collection[str]
) -> list[str]:
    """Return every problem of who stands behind the receivers: unknown people and schedules, missing phones."""
    by_name = {person.name: person for person in people}
    problems: list[str] = []
    for receiver in receivers:
        where = f"[[receiver]] {receiver.name}"
        if receiver.schedule is not None and receiver.schedule not in schedules:
            problems.append(f"{where} schedule: {_unknown('schedule', receiver.schedule, sorted(schedules))}")
        problems.extend(
            f"{where} to: {_unknown('person', name, list(by_name))}" for name in receiver.people if name not in by_name
        )
        if receiver.type not in (*_NEEDS, "person"):
            continue
        if not receiver.people and receiver.schedule is None and receiver.target is None:
            problems.append(f"{where}: reaches nobody. Set to = [names of people] or schedule.")
        for person in (by_name[name] for name in receiver.people if name in by_name):
            needed = _NEEDS.get(receiver.type)
            if needed is not None and getattr(person, needed) is None:
                problems.append(f"{where} to: {person.name} has no {needed}. Add {needed} to [[person]] {person.name}.")
            elif needed is None and not usable_rules(person):
                problems.append(
                    f"{where} to: {person.name} has nothing to be reached by. Add slack_user, phone or email to "
                    f"[[person]] {person.name}."
                )
    return problems


def _step_problems(policy: EscalationPolicy, names: Sequence[str], target: timedelta) -> Iterator[str]:
    where = f"[[policy.step]] of {policy.name}"
    if not policy.steps:
        yield f"[[policy]] {policy.name}: has no step, so that nobody would be told. Add a [[policy.step]]."
    before: timedelta | None = None
    for step in policy.steps:
        at = f'{where} remaining = "{words_of(step.remaining)}"'
        if step.remaining < _NOTHING:
            yield f'{at}: less than nothing never remains. Write "0s" for the breach.'
        if step.remaining > target:
            yield f"{at}: unreachable, longer than the target of {words_of(target)}. Write at most the target."
        if before is not None and step.remaining == before:
            yield f"{at}: stands there twice. Put all receivers into one step."
        if before is not None and step.remaining > before:
            yield f"{at}: unreachable, because the step before it has less time left. Order steps by falling time."
        if step.repeat_every < _NOTHING:
            yield f'{at} repeat_every: less than nothing. Write "0s" for once.'
        yield from _notify_problems(f"{at} notify", step.notify, names)
        before = step.remaining


def _look_ahead_problems(policy: EscalationPolicy, names: Sequence[str], staffed: bool) -> Iterator[str]:
    if policy.look_ahead is None:
        return
    where = f"[policy.look_ahead] of {policy.name}"
    if not staffed:
        yield f"{where}: without staffed hours no shift ends. Add [[staffed]], or remove it."
    if policy.look_ahead.before_end_of_shift <= _NOTHING:
        yield f'{where} before_end_of_shift: not longer than nothing. Write for example "90m".'
    yield from _notify_problems(f"{where} notify", policy.look_ahead.notify, names)


def _notify_problems(where: str, notify: Sequence[str], names: Sequence[str]) -> Iterator[str]:
    if not notify:
        yield f"{where}: empty, so that nobody would be told. Receivers: {', '.join(names) or 'none'}."
    for number, name in enumerate(notify):
        if name not in names:
            yield f"{where}: {_unknown('receiver', name, names)}"
        elif name in notify[:number]:
            yield f"{where}: '{name}' stands there twice. Name it once."


def _unknown(kind: str, name: str, known: Sequence[str]) -> str:
    near = get_close_matches(name, known, n=1)
    hint = f"Did you mean '{near[0]}'?" if near else f"{kind.capitalize()}s: {', '.join(known) or 'none'}."
    return f"{kind} '{name}' does not exist. {hint.replace('Persons:', 'People:')}"


def _covers(wide: Matcher, narrow: Matcher) -> bool:
    """Return whether everything that `narrow` matches is matched by `wide` too."""
    for wide_set, narrow_set in (
        (wide.accounts, narrow.accounts),
        (wide.marketplaces, narrow.marketplaces),
        (wide.labels, narrow.labels),
    ):
        if wide_set and not (narrow_set and narrow_set <= wide_set):
            return False
    if wide.min_priority is not None and (narrow.min_priority is None or narrow.min_priority < wide.min_priority):
        return False
    return wide.text is None or wide.text == narrow.text


def words_of(span: timedelta) -> str:
    """Return a duration as config.toml writes it: a number and the largest unit that fits."""
    seconds = span.total_seconds()
    for unit, length in (("d", 86400), ("h", 3600), ("m", 60)):
        if seconds and seconds % length == 0 and not (unit == "d" and seconds == 86400):
            return f"{seconds / length:g}{unit}"
    return f"{seconds:g}s"
