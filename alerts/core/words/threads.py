"""Sentences about one thread that every channel shares: what it is called, what its state is, who has it."""

from datetime import datetime, timedelta

from alerts.core.model import WITHDRAWN, Channel, NextStep, ThreadFacts
from alerts.core.words.catalog import Words, clean

TICK = timedelta(seconds=2)
CLOSED_STATES = frozenset({"met", "late", "waived", WITHDRAWN})
MAX_ORDER_FACTS = 5
_SIGN = {
    "running": "🔵", "at_risk": "🟠", "breached": "🔴",
    "met": "✅", "late": "☑️", "waived": "✅", WITHDRAWN: "↪️",
}  # fmt: skip


def is_closed(facts: ThreadFacts) -> bool:
    """Return whether nobody waits any more: answered, waived, or no buyer's message after all."""
    return facts.state in CLOSED_STATES


def is_overdue(facts: ThreadFacts, now: datetime) -> bool:
    """Return whether an open clock is past its deadline; at the deadline itself a reply is still on time."""
    return not is_closed(facts) and now > facts.deadline_at


def lateness(facts: ThreadFacts, now: datetime) -> timedelta:
    """Return how long the deadline is over, at least a minute: nobody is told of being late by nothing."""
    return max(now - facts.deadline_at, timedelta(minutes=1))


def state_sign(facts: ThreadFacts, now: datetime) -> str:
    """Return the emoji that goes with the state; the words beside it say the same."""
    if is_overdue(facts, now):
        return _SIGN["breached"]
    return _SIGN.get(facts.state, "🔵")


def time_until(at: datetime, now: datetime) -> timedelta:
    """Return how long it is until `at`, with the moment that a tick takes: two hours before is told as "2 h", not "1 h 59"."""
    return at - now + TICK


def thread_name(words: Words, facts: ThreadFacts) -> str:
    """Return "order 402-…", "pre-sale (B0…)" or "pre-sale question"."""
    if facts.order_id:
        return words.say("order", order=clean(facts.order_id, 40))
    return pre_sale_name(words, facts.asin)


def short_name(words: Words, facts: ThreadFacts) -> str:
    """Return the bare order number, as one types it."""
    return clean(facts.order_id, 40) if facts.order_id else pre_sale_name(words, facts.asin)


def pre_sale_name(words: Words, asin: str | None) -> str:
    """Return what a question without an order is called."""
    return words.say("pre_sale", asin=clean(asin, 20)) if asin else words.say("pre_sale_bare")


def place(words: Words, facts: ThreadFacts, *, short: bool = False) -> str:
    """Return the marketplace, behind the account's name where the seller has several: "acme-eu · France"."""
    market = (clean(facts.marketplace, 12) if facts.marketplace else "?") if short else words.market(facts.marketplace)
    return f"{clean(facts.account, 40)} · {market}" if facts.account else market


def route(words: Words, facts: ThreadFacts, *, name_people: bool) -> str:
    """Return how it was answered: "by mail"."""
    if facts.answered_route == "hand" and facts.answered_by and name_people:
        return words.say("route_hand_by", by=clean(facts.answered_by, 40))
    if facts.answered_route in ("mail", "seller_central", "hand"):
        return words.say(f"route_{facts.answered_route}")
    return ""


def title(words: Words, facts: ThreadFacts, now: datetime, *, name_people: bool = True) -> str:
    """Return the first line: what and how long. "Reply due in 1 h 32 min (04:10)"."""
    if facts.state == WITHDRAWN:
        return words.say("not_a_message")
    if facts.state == "waived":
        if facts.waived_by and name_people:
            return words.say("waived_by", by=clean(facts.waived_by, 40))
        return words.say("waived")
    if is_closed(facts) and facts.answered_at is not None:
        took = words.span(facts.answered_at - facts.started_at, up=facts.answered_at <= facts.deadline_at)
        how = route(words, facts, name_people=name_people)
        if facts.answered_at <= facts.deadline_at:
            spare = words.span(facts.deadline_at - facts.answered_at)
            return _tidy(words.say("answered", took=took, route=how, spare=spare))
        late = words.span(facts.answered_at - facts.deadline_at)
        return _tidy(words.say("answered_late", took=took, route=how, late=late))
    due = words.instant(facts.deadline_at, now)
    if is_overdue(facts, now):
        return words.say("overdue", late=words.span(now - facts.deadline_at), due=due)
    return words.say("due_in", left=words.span(time_until(facts.deadline_at, now)), due=due)


def line(words: Words, facts: ThreadFacts, now: datetime, *, name_people: bool = True) -> str:
    """Return all that a locked phone shows: "FR · 402-… · reply due in 1 h 32 min (04:10)"."""
    head = f"{place(words, facts, short=True)} · {short_name(words, facts)}"
    due = words.instant(facts.deadline_at, now)
    if facts.state in ("waived", WITHDRAWN):
        return f"{head} · {words.say(f'line_{facts.state}')}"
    if is_closed(facts) and facts.answered_at is not None:
        took = words.span(facts.answered_at - facts.started_at, up=facts.answered_at <= facts.deadline_at)
        how = route(words, facts, name_people=name_people)
        return _tidy(f"{head} · {words.say('line_answered', took=took, route=how)}")
    if is_overdue(facts, now):
        return f"{head} · {words.say('line_overdue', late=words.span(now - facts.deadline_at), due=due)}"
    return f"{head} · {words.say('line_due', left=words.span(time_until(facts.deadline_at, now)), due=due)}"


def who_has_it(words: Words, facts: ThreadFacts, now: datetime, *, name_people: bool = True) -> list[str]:
    """Return who has it, until when, and what comes next if nobody acts; [] when it is closed and nobody had it."""
    said: list[str] = []
    acknowledged = facts.acknowledged_at is not None or facts.acknowledged_by is not None
    if acknowledged:
        name = facts.acknowledged_by if name_people else None
        by = clean(name, 40) if name else words.say("somebody")
        at = words.instant(facts.acknowledged_at or now, now)
        said.append(words.say("had_it" if is_closed(facts) else "has_it", by=by, at=at))
        if facts.acknowledgement_expires_at is not None and not is_closed(facts):
            said.append(words.say("asks_again", at=words.instant(facts.acknowledgement_expires_at, now)))
    elif not is_closed(facts):
        said.append(words.say("nobody"))
    if facts.snoozed_until is not None and not is_closed(facts) and facts.snoozed_until > now:
        said.append(words.say("snoozed", at=words.instant(facts.snoozed_until, now)))
    if facts.next_step is not None and not is_closed(facts):
        said.append(next_step(words, facts.next_step, now, name_people=name_people))
    return said


def next_step(words: Words, step: NextStep, now: datetime, *, name_people: bool = True) -> str:
    """Return "next: SMS to Ana in 32 min"; the console is nobody's, so "next: on the console in 32 min"."""
    who = step.person if step.person and name_people else step.receiver
    channel = Channel(step.channel)
    left = time_until(step.at, now)
    key = "next_console" if channel is Channel.CONSOLE else "next"
    known = {"channel": words.say(f"channel_{channel.value}"), "who": clean(who, 40)}
    if left < timedelta(minutes=1):
        return words.say(f"{key}_now", **known)
    return words.say(key, **known, span=words.span(left))


def warnings(words: Words, facts: ThreadFacts) -> list[str]:
    """Return what a person must know before acting on an open thread."""
    if is_closed(facts):
        return [words.say("mark_there")] if facts.state == "waived" else []
    said = []
    if not facts.verified:
        said.append(words.say("unverified"))
    if facts.where == "junk":
        said.append(words.say("in_junk"))
    if facts.blind:
        said.append(words.say("blind"))
    if facts.suggestion in ("thank_you", "out_of_office"):
        said.append(words.say(f"suggest_{facts.suggestion}"))
    return said


def order_facts(words: Words, facts: ThreadFacts) -> list[str]:
    """Return what is known of the order behind the question, most important first; [] when nothing is."""
    return [clean(fact, 80) for fact in facts.order_facts.get(words.language, ())[:MAX_ORDER_FACTS]]


def raw_facts(facts: ThreadFacts, code: int | None = None) -> str:
    """Return the bare facts without any template: what is said when the words themselves are broken."""
    name = clean(facts.order_id or facts.asin or f"thread {facts.thread_id}", 40)
    parts = [clean(facts.account, 40) if facts.account else "", clean(facts.marketplace or "?", 12), name, facts.state]
    parts.append(f"{facts.deadline_at:%Y-%m-%d %H:%M}Z")
    if code is not None:
        parts.append(f"#{code}")
    return " ".join(part for part in parts if part)


def _tidy(text: str) -> str:
    """An unknown route leaves a gap before the comma."""
    return " ".join(text.split()).replace(" ,", ",")
