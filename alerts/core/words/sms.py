"""Texts for a phone: one GSM-7 segment, facts only: order, marketplace, time left, code. Never a label, never a buyer.

The last word is a mark (`#k3fd`) made from the delivery's reference: by it an SMS is found again at the provider when the
answer to "send" was lost.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final

from alerts.core.model import Delivery, Purpose, ThreadFacts
from alerts.core.words import threads as said
from alerts.core.words.catalog import Words, clean
from alerts.core.words.gsm import SEGMENT, cut, septets, to_gsm7
from alerts.core.words.summaries import SUMMARY_PURPOSES, render_summary

_MARK_LETTERS: Final = "23456789bcdfghjkmnpqrstvwxz"  # no vowels: no words; no 0, 1, l, o: no doubt
_MARK_LENGTH: Final = 4


def reference_mark(reference: str) -> str:
    """Return the mark that an SMS of this reference carries: "#k3fd". One of 531,441, looked for within minutes."""
    number = int.from_bytes(hashlib.sha256(reference.encode()).digest()[:8])
    letters = []
    for _ in range(_MARK_LENGTH):
        number, index = divmod(number, len(_MARK_LETTERS))
        letters.append(_MARK_LETTERS[index])
    return "#" + "".join(letters)


def render_sms(words: Words, delivery: Delivery, *, answer_to: str | None = None) -> str:
    """Return the SMS of a delivery: one GSM-7 segment, most urgent first, its mark at the end.

    Args:
        answer_to: the number to text the code to, where the sender cannot receive answers.

    Raises:
        LookupError, ValueError: a translation or the content is broken.
    """
    mark = reference_mark(delivery.reference)
    room = SEGMENT - septets(mark) - 1
    if delivery.purpose in SUMMARY_PURPOSES:
        summary = render_summary(words, delivery)
        lines = (summary.title, *summary.lines)
        return f"{fill(lines[0], lines[1:], room)} {mark}"
    # Facts are read when it is sent: what ended may run again by then, and is told as what it is.
    ended = tuple(facts for facts in delivery.threads if said.is_closed(facts))
    if delivery.purpose is Purpose.CLOSED and ended:
        body = _closed(words, replace(delivery, threads=ended), room)
    elif len(delivery.threads) == 1:
        body = _one(words, delivery, answer_to, room)
    else:
        body = _many(words, delivery, answer_to, room)
    return f"{body} {mark}"


def bare_sms(text: str, reference: str) -> str:
    """Return bare facts as one segment: when the words are broken."""
    mark = reference_mark(reference)
    return f"{cut(to_gsm7(text), SEGMENT - septets(mark) - 1)} {mark}"


def fill(head: str, lines: Sequence[str], room: int) -> str:
    """Return the head and as many whole lines as fit into `room` septets."""
    text = cut(to_gsm7(head), room)
    for line in lines:
        longer = f"{text}\n{to_gsm7(line)}"
        if septets(longer) > room:
            break
        text = longer
    return text


def _one(words: Words, delivery: Delivery, answer_to: str | None, room: int) -> str:
    facts, now = delivery.threads[0], delivery.now
    due = words.instant(facts.deadline_at, now)
    tail = _answer(words, delivery.code, answer_to, many=False)
    order = words.say("sms_order", order=said.short_name(words, facts)) if facts.order_id else _pre_sale(words, facts)
    text = ""
    for with_account in (True, False):
        market = _market(facts, with_account=with_account)
        if said.is_overdue(facts, now):
            head = words.say("sms_overdue", late=words.short_span(said.lateness(facts, now)), market=market, due=due)
        else:
            head = words.say(
                "sms_due", left=words.short_span(said.time_until(facts.deadline_at, now)), market=market, due=due
            )
        if delivery.purpose is Purpose.REOPENED:
            head = f"{words.say('sms_open_again')} {head}"
        text = to_gsm7("\n".join(part for part in (head, order, tail) if part))
        if septets(text) <= room:
            return text
    return cut(text, room)


def _many(words: Words, delivery: Delivery, answer_to: str | None, room: int) -> str:
    now, count = delivery.now, len(delivery.threads)
    overdue = sum(said.is_overdue(facts, now) for facts in delivery.threads)
    if overdue:
        head = words.say("sms_many_overdue", n=count, late=overdue)
    else:
        last = max(facts.deadline_at for facts in delivery.threads)
        head = words.say("sms_many", n=count, until=words.instant(last, now))
    if delivery.purpose is Purpose.REOPENED:
        head = f"{words.say('sms_open_again')} {head}"
    tail = to_gsm7(_answer(words, delivery.code, answer_to, many=True))
    ranked = sorted(delivery.threads, key=lambda facts: facts.deadline_at)
    return _pack(words, to_gsm7(head), [_row(words, facts, now) for facts in ranked], tail, room)


def _closed(words: Words, delivery: Delivery, room: int) -> str:
    now = delivery.now
    if len(delivery.threads) > 1:
        rows = [f"{said.short_name(words, facts)} {_market(facts)}" for facts in delivery.threads]
        return _pack(words, to_gsm7(words.say("sms_done_many")), [to_gsm7(row) for row in rows], "", room)
    facts = delivery.threads[0]
    order = said.short_name(words, facts)
    if facts.state == "waived" or facts.answered_at is None:
        return cut(to_gsm7(words.say("sms_done_waived", order=order)), room)
    how = said.route(words, facts, name_people=delivery.name_people)
    at = words.instant(facts.answered_at, now)
    if facts.answered_at <= facts.deadline_at:
        spare = words.short_span(facts.deadline_at - facts.answered_at)
        text = words.say("sms_done", order=order, at=at, route=how, spare=spare)
    else:
        late = words.short_span(said.lateness(facts, facts.answered_at))
        text = words.say("sms_done_late", order=order, at=at, route=how, late=late)
    return cut(to_gsm7(" ".join(text.split()).replace(" ,", ",")), room)


def _pack(words: Words, head: str, rows: Sequence[str], tail: str, room: int) -> str:
    """As many rows as fit between head and tail; what is left out is counted, never silently dropped."""
    texts = []
    for shown in range(len(rows), -1, -1):
        left = len(rows) - shown if shown else 0  # without a row the head alone counts them
        more = [to_gsm7(words.say("sms_more", n=left))] if left else []
        texts.append("\n".join(part for part in (head, *rows[:shown], *more, tail) if part))
    return cut(min(texts, key=lambda text: septets(text) > room), room)  # the first that fits


def _row(words: Words, facts: ThreadFacts, now: datetime) -> str:
    # Always hours and minutes, so that rows stand in columns; a minus is time that is gone (the head says OVERDUE).
    overdue = said.is_overdue(facts, now)
    left = now - facts.deadline_at if overdue else said.time_until(facts.deadline_at, now)
    minutes = int(left.total_seconds()) // 60
    sign = "-" if overdue else ""
    return to_gsm7(f"{sign}{minutes // 60}h{minutes % 60:02d} {said.short_name(words, facts)} {_market(facts)}")


def _market(facts: ThreadFacts, *, with_account: bool = True) -> str:
    market = clean(facts.marketplace, 12) if facts.marketplace else "?"
    account = to_gsm7(clean(facts.account, 24)) if facts.account and with_account else ""
    # A name in another script would be a row of question marks: better left out than shown.
    return f"{market} {account}" if account and account.count("?") * 2 < len(account) else market


def _pre_sale(words: Words, facts: ThreadFacts) -> str:
    name = said.pre_sale_name(words, facts.asin)
    return name[0].upper() + name[1:]


def _answer(words: Words, code: int | None, answer_to: str | None, *, many: bool) -> str:
    if code is None:
        return ""
    key = "sms_answer_many" if many else "sms_answer"
    if answer_to:
        return words.say(f"{key}_to", code=code, number=answer_to)
    return words.say(key, code=code)
