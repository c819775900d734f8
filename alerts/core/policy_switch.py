"""A policy chosen anew while a clock runs: what was told stays told, and what the new policy adds follows.

A clock keeps the policy it started with. Only when something about its thread becomes known later (a promised delivery has
passed) may another policy take over, and nobody is told the same again because of it.
"""

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import timedelta

from alerts.core.policy import EscalationPolicy, choose_policy

_NOTHING = timedelta(0)


def choose_again(
    policies: Sequence[EscalationPolicy],
    running: str,
    *,
    account: str,
    marketplace: str | None,
    labels: Collection[str],
    priority: int,
    added: str,
    priority_after: int,
    text: str | None = None,
) -> EscalationPolicy | None:
    """Return the policy that takes over because a thread got one more label; None: the running one goes on.

    Only a policy that stands before the running one, and fits because of the label (or the priority that it gives), takes
    over. A configuration that was changed meanwhile changes nothing by itself, and a policy that was chosen by a buyer's
    words, which are not kept, is not lost.

    Args:
        policies: as they are configured now, in their order.
        running: name of the clock's policy, which may not be configured any more.
        labels, priority: of the thread without the label `added`; `priority_after` with it.
        text: the buyer's words where they are kept.
    """
    before = choose_policy(
        policies, account=account, marketplace=marketplace, labels=labels, priority=priority, text=text
    )
    after = choose_policy(
        policies,
        account=account,
        marketplace=marketplace,
        labels=(*labels, added),
        priority=priority_after,
        text=text,
    )
    if after.name in (before.name, running):
        return None
    names = [policy.name for policy in policies]
    if running in names and names.index(running) < names.index(after.name):
        return None
    return after


def switch_policy(
    running: EscalationPolicy, step_reached: int, chosen: EscalationPolicy, remaining: timedelta
) -> EscalationPolicy:
    """Return the policy by which a clock goes on: the steps that were told, then what `chosen` has beyond them.

    The told steps keep their numbers, by which notifications are known, so that nothing is told twice. Of the new steps
    whose time has passed, the most urgent one is told at once, to those receivers only that heard nothing yet; the others
    are told at their time. Where nothing was told, it is `chosen` itself.

    Args:
        step_reached: index of the last told step of `running`; -1: none.
        remaining: time until the deadline; negative after it.
    """
    if step_reached < 0:
        return chosen
    told = running.steps[: step_reached + 1]
    heard = {receiver for step in told for receiver in step.notify}
    due = [step for step in chosen.steps if step.remaining >= remaining]
    ahead = [step for step in chosen.steps if step.remaining < remaining]
    if due:
        urgent = due[-1]
        left = tuple(receiver for receiver in urgent.notify if receiver not in heard)
        if left:
            told = (*told, replace(urgent, notify=left))
        elif told[-1].repeat_every <= _NOTHING:
            # Everybody heard it; where the new policy repeats, it is repeated.
            told = (*told[:-1], replace(told[-1], repeat_every=urgent.repeat_every))
    return replace(chosen, steps=(*told, *ahead))
