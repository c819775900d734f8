"""Escalation policies: which steps a clock climbs, at how much time remaining, and who is told."""

import json
import unicodedata
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache
from typing import Any

from alerts.core.model import Person, Receiver

DEFAULT_ACKNOWLEDGEMENT_EXPIRES = timedelta(hours=2)
SHARED_TYPES = ("slack", "webhook", "email", "console")
_JSON_VERSION = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Matcher:
    """Which threads a route or a silence is about. An empty field matches everything; all fields must match.

    `labels`: any of them. `text`: words looked for, without regard to case, in the buyer's own words.
    """

    accounts: frozenset[str] = frozenset()
    marketplaces: frozenset[str] = frozenset()
    labels: frozenset[str] = frozenset()
    min_priority: int | None = None
    text: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EscalationStep:
    """At this time remaining, tell these receivers; again every `repeat_every` until acknowledged (zero: once)."""

    remaining: timedelta
    notify: tuple[str, ...]
    repeat_every: timedelta = timedelta(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class LookAhead:
    """When the deadline falls outside staffed hours: tell these receivers this long before the shift ends."""

    before_end_of_shift: timedelta
    notify: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class EscalationPolicy:
    """Steps in order of falling time remaining. Frozen onto the clock when it starts."""

    name: str
    steps: tuple[EscalationStep, ...]
    match: Matcher = Matcher()
    acknowledgement_expires: timedelta = DEFAULT_ACKNOWLEDGEMENT_EXPIRES
    look_ahead: LookAhead | None = None


def matches(
    matcher: Matcher,
    *,
    account: str | None = None,
    marketplace: str | None = None,
    labels: Collection[str] = (),
    priority: int = 0,
    text: str | None = None,
) -> bool:
    """Return whether a thread fits: every field that is set must fit; an unknown marketplace fits no named one."""
    if matcher.accounts and account not in matcher.accounts:
        return False
    if matcher.marketplaces and marketplace not in matcher.marketplaces:
        return False
    if matcher.labels and matcher.labels.isdisjoint(labels):
        return False
    if matcher.min_priority is not None and priority < matcher.min_priority:
        return False
    return matcher.text is None or _folded(matcher.text) in _folded(text or "")


def choose_policy(
    policies: Sequence[EscalationPolicy],
    *,
    account: str | None = None,
    marketplace: str | None = None,
    labels: Collection[str] = (),
    priority: int = 0,
    text: str | None = None,
) -> EscalationPolicy:
    """Return the first policy that fits a thread.

    Where none fits, the last one listed serves: a buyer message nobody thought of is told, never dropped.

    Raises:
        ValueError: there is no policy at all.
    """
    if not policies:
        raise ValueError("no escalation policy: nobody would be told. Use default_policy().")
    for policy in policies:
        if matches(policy.match, account=account, marketplace=marketplace, labels=labels, priority=priority, text=text):
            return policy
    return policies[-1]


def implied_receivers(people: Sequence[Person], receivers: Sequence[Receiver]) -> tuple[Receiver, ...]:
    """Return the phone receivers that the default policy needs and the file does not name; they join the named ones.

    A receiver of type "person" needs none, because people are called by their own contact rules. Voice goes to whom SMS
    goes to; without an SMS receiver, SMS and voice go to everybody with a phone.
    """
    types = {receiver.type for receiver in receivers}
    if "person" in types:
        return ()
    sms = [receiver for receiver in receivers if receiver.type == "sms"]
    phones = tuple(person.name for person in people if person.phone is not None)
    if not sms and phones and "voice" not in types:
        sms = [Receiver(name="phones-sms", type="sms", people=phones)]
    voice = () if "voice" in types else tuple(_voice_of(receiver) for receiver in sms)
    return (*(receiver for receiver in sms if receiver not in receivers), *voice)


def default_policy(people: Sequence[Person], receivers: Sequence[Receiver]) -> EscalationPolicy:
    """Return the policy of a file that has none.

    The team with 8 h left; phones with 2 h, voice too with 1 h, and at the breach everybody, from 2 h on every 10 minutes
    until somebody has it; before the end of a shift the team, where there are staffed hours. Without a phone the team
    takes the place of phones. It may name `implied_receivers`.

    Raises:
        ValueError: there is no receiver.
    """
    everyone = (*receivers, *implied_receivers(people, receivers))
    if not everyone:
        raise ValueError("no receiver: nobody would be told. Add a [[receiver]].")
    shared = tuple(receiver.name for receiver in everyone if receiver.type in SHARED_TYPES)
    phones = tuple(receiver.name for receiver in everyone if receiver.type in ("sms", "person"))
    voice = tuple(receiver.name for receiver in everyone if receiver.type == "voice")
    team = shared or phones or voice
    repeat = timedelta(minutes=10)
    steps = [
        EscalationStep(remaining=timedelta(hours=8), notify=team),
        EscalationStep(remaining=timedelta(hours=2), notify=phones or team, repeat_every=repeat),
    ]
    if voice:
        steps.append(EscalationStep(remaining=timedelta(hours=1), notify=(*phones, *voice), repeat_every=repeat))
    steps.append(EscalationStep(remaining=timedelta(0), notify=(*shared, *phones, *voice), repeat_every=repeat))
    ahead = LookAhead(before_end_of_shift=timedelta(minutes=90), notify=team)
    return EscalationPolicy(name="default", steps=tuple(steps), look_ahead=ahead)


def policy_to_json(policy: EscalationPolicy) -> str:
    """Return a policy as it is frozen onto a clock: the same policy always gives the same text. Durations in seconds."""
    ahead = policy.look_ahead
    match = policy.match
    document = {
        "version": _JSON_VERSION,
        "name": policy.name,
        "steps": [
            {
                "remaining": step.remaining.total_seconds(),
                "notify": step.notify,
                "repeat_every": step.repeat_every.total_seconds(),
            }
            for step in policy.steps
        ],
        "match": {
            "accounts": sorted(match.accounts),
            "marketplaces": sorted(match.marketplaces),
            "labels": sorted(match.labels),
            "min_priority": match.min_priority,
            "text": match.text,
        },
        "acknowledgement_expires": policy.acknowledgement_expires.total_seconds(),
        "look_ahead": None
        if ahead is None
        else {"before_end_of_shift": ahead.before_end_of_shift.total_seconds(), "notify": ahead.notify},
    }
    return json.dumps(document, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


@lru_cache(maxsize=256)
def policy_from_json(text: str) -> EscalationPolicy:
    """Return the policy that `policy_to_json` wrote. Remembered, because thousands of clocks share a few texts.

    Raises:
        ValueError: the text is none of ours, or of a newer version.
    """
    try:
        document = json.loads(text)
        version = document["version"]
        if version != _JSON_VERSION:
            raise ValueError(
                f"frozen policy: version {version!r} is not known. Run the ReplyBy that wrote it, or newer."
            )
        match, ahead = document["match"], document["look_ahead"]
        return EscalationPolicy(
            name=document["name"],
            steps=tuple(_step_from(step) for step in document["steps"]),
            match=Matcher(
                accounts=frozenset(match["accounts"]),
                marketplaces=frozenset(match["marketplaces"]),
                labels=frozenset(match["labels"]),
                min_priority=match["min_priority"],
                text=match["text"],
            ),
            acknowledgement_expires=timedelta(seconds=document["acknowledgement_expires"]),
            look_ahead=None
            if ahead is None
            else LookAhead(
                before_end_of_shift=timedelta(seconds=ahead["before_end_of_shift"]), notify=tuple(ahead["notify"])
            ),
        )
    except (KeyError, TypeError) as error:
        raise ValueError(f"frozen policy: not as ReplyBy writes it ({error}). Restore the database.") from error


def _step_from(document: Any) -> EscalationStep:
    return EscalationStep(
        remaining=timedelta(seconds=document["remaining"]),
        notify=tuple(document["notify"]),
        repeat_every=timedelta(seconds=document["repeat_every"]),
    )


def _voice_of(sms: Receiver) -> Receiver:
    return Receiver(
        name=f"{sms.name.removesuffix('-sms')}-voice",
        type="voice",
        people=sms.people,
        schedule=sms.schedule,
        language=sms.language,
        time_zone=sms.time_zone,
    )


def _folded(text: str) -> str:
    """Return the text as it is compared: without case, width and runs of white space."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())
