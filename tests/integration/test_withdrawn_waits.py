"""What a person says is no buyer's message, and takes back: everybody who was told hears how it ends, and nothing untrue."""

from datetime import timedelta

import pytest

from alerts.core.model import AnswerKind, Channel, Delivery, Purpose
from alerts.core.words.catalog import words_for
from alerts.core.words.slack import render_message
from alerts.core.words.sms import render_sms
from alerts.errors import Reason
from alerts.notifiers.webhook import payload
from monitor.jobs.answers import exclude_messages, include_messages
from monitor.jobs.forgetting import forget_buyer
from monitor.store.engine import reading
from monitor.store.erasing import find_buyer
from tests.fakes_alerts import doubt, refusal
from tests.support.jobs_world import HOOK, ORDERS, Build, JobsWorld

pytestmark = pytest.mark.integration

A = ORDERS[0]
ENGLISH = words_for("en", "Europe/Paris")
NO_REPLY = f"Done: {A} needs no reply."
ALL = (
    HOOK
    + """
[[policy]]
name = "default"
[[policy.step]]
remaining = "8h"
notify = ["team", "hook"]
[[policy.step]]
remaining = "2h"
notify = ["oncall-sms"]
"""
)
"""Slack and a webhook early, Ana's phone late."""


def told_world(build: Build) -> JobsWorld:
    """Return a world in which Slack, a webhook and Ana's phone were told of one buyer."""
    world = build(policy=ALL)
    world.ask(A)
    world.advance(hours=22.1)
    world.advance(minutes=3)  # the phone has had its rest
    return world


def withdraw(world: JobsWorld, by: str = "Bo") -> None:
    assert exclude_messages(world.services, world.thread_of(A), by=by, source="shell") == 1


def take_back(world: JobsWorld) -> None:
    assert include_messages(world.services, world.thread_of(A), by="Bo") == 1


def said(sent: list[Delivery]) -> list[tuple[Channel, Purpose]]:
    return sorted((one.channel, one.purpose) for one in sent)


def texts(sent: list[Delivery]) -> list[str]:
    """What the phone read, without the marks."""
    return [render_sms(ENGLISH, one).rpartition(" ")[0] for one in sent if one.channel is Channel.SMS]


def in_slack(sent: list[Delivery]) -> list[str]:
    return [render_message(ENGLISH, one).text for one in sent if one.channel is Channel.SLACK]


@pytest.mark.parametrize(("by", "heard"), [("Bo", [NO_REPLY]), ("Ana", [])])
def test_everybody_who_was_told_hears_that_it_is_over(build: Build, by: str, heard: list[str]) -> None:
    world = told_world(build)
    thread_id = world.thread_of(A)
    withdraw(world, by)
    sent = world.cycle()
    assert texts(sent) == heard
    assert in_slack(sent) == ["Not a buyer's message: nothing to answer."]
    (hooked,) = (one for one in sent if one.channel is Channel.WEBHOOK)
    body = payload(hooked, "text")
    assert (body["purpose"], body["content"]) == ("closed", {})
    assert [(one["thread"], one["state"], one["order_id"]) for one in body["threads"]] == [(thread_id, "withdrawn", A)]
    assert world.advance(hours=30) == []
    assert not world.say(AnswerKind.ANSWERED, by="Ana", code=1).accepted


def test_taken_back_before_anybody_heard_it_nobody_hears_it_and_all_hear_the_real_end(build: Build) -> None:
    world = told_world(build)
    withdraw(world)
    take_back(world)
    sent = world.cycle()
    assert in_slack(sent) == [f"FR · {A} · reply due in 1 h 51 min (06:00)"]
    assert Purpose.CLOSED not in {one.purpose for one in sent}
    world.advance(hours=1)
    world.reply(A)
    ended = [(Channel.SLACK, Purpose.CLOSED), (Channel.SMS, Purpose.CLOSED), (Channel.WEBHOOK, Purpose.CLOSED)]
    assert said(world.cycle()) == ended


def test_taken_back_after_they_heard_it_they_hear_that_it_is_open_again(build: Build) -> None:
    world = told_world(build)
    withdraw(world)
    world.cycle()
    world.advance(minutes=2)
    take_back(world)
    sent = world.cycle()
    assert said(sent) == [(one, Purpose.REOPENED) for one in (Channel.SLACK, Channel.SMS, Channel.WEBHOOK)]
    assert texts(sent)[0].startswith("OPEN AGAIN.")
    assert in_slack(sent)[0].startswith(f"Open again (the mark was taken back): FR · {A}")
    world.reply(A)
    assert {purpose for _, purpose in said(world.cycle())} == {Purpose.CLOSED}


def test_a_second_wait_that_was_none_leaves_slack_with_how_the_first_ended(build: Build) -> None:
    world = build()
    world.ask(A)
    world.advance(hours=17)
    world.reply(A)
    world.cycle()
    world.advance(hours=1)
    world.ask(A, words="Merci bien")
    world.advance(hours=22.5)
    withdraw(world)
    assert in_slack(world.cycle()) == [f"FR · {A} · answered after 17 h 00 min by mail"]


def test_an_end_that_was_refused_before_it_was_taken_back_is_not_sent_after_it(build: Build) -> None:
    world = told_world(build)
    withdraw(world)

    def undo(delivery: Delivery) -> None:
        if delivery.channel is Channel.SMS and delivery.purpose is Purpose.CLOSED:
            world.before_send = lambda delivery: None
            take_back(world)

    world.before_send = undo
    world.notifiers[Channel.SMS].before.append(refusal())
    world.cycle()
    world.advance(minutes=10)
    read = texts(world.notifiers[Channel.SMS].accepted)
    assert NO_REPLY not in read
    assert "OPEN AGAIN." in read[-1] or "reply due in" in read[-1]


def test_an_end_that_did_not_reach_the_phone_before_it_was_taken_back_is_not_repeated(build: Build) -> None:
    world = build()
    world.ask(A)
    world.advance(hours=22.1)
    world.advance(minutes=3)
    world.worker.dispatcher.check_delivered(world.clock())
    world.say(AnswerKind.WAIVE, A)
    world.cycle()
    world.clock.advance(timedelta(minutes=2))
    world.say(AnswerKind.UNDO, A)
    world.cycle()
    world.clock.advance(timedelta(seconds=30))
    world.notifiers[Channel.SMS].check_outcomes.append(refusal(Reason.UNDELIVERED))
    assert world.worker.dispatcher.check_delivered(world.clock())
    assert texts(world.advance(minutes=10)) == []
    world.reply(A)
    (ended,) = texts(world.cycle() + world.advance(minutes=10))
    assert ended.startswith(f"Done: {A} answered at")


def test_a_message_whose_receipt_was_lost_is_redrawn_when_it_was_none(build: Build) -> None:
    world = build()
    world.ask(A)
    world.notifiers[Channel.SLACK].after.append(doubt())
    world.clock.set(world.clock() + timedelta(hours=16, minutes=1))
    world.plan()
    world.deliver()
    withdraw(world)
    world.clock.advance(timedelta(seconds=10))
    world.worker.dispatcher.reconcile(world.clock())
    assert in_slack(world.cycle()) == ["Not a buyer's message: nothing to answer."]


def test_a_late_end_is_not_drawn_over_the_next_wait_and_closes_no_webhooks_matter(build: Build) -> None:
    world = build(policy=ALL.replace('"8h"', '"24h"'))
    world.ask(A)
    world.cycle()
    world.advance(minutes=30)
    world.reply(A)
    troubled = (Channel.SLACK, Channel.WEBHOOK)
    for channel in troubled:
        world.notifiers[channel].before.extend(refusal() for _ in range(7))
    for _ in range(40):
        if not any(world.notifiers[channel].before for channel in troubled):
            break
        world.clock.advance(timedelta(seconds=20))
        world.cycle()
    world.clock.advance(timedelta(seconds=5))
    world.ask(A, words="Et encore ?")
    sent = world.cycle() + world.advance(minutes=20)
    assert said(sent) == [(Channel.SLACK, Purpose.ALERT), (Channel.WEBHOOK, Purpose.ALERT)]


def test_a_doubtful_end_about_a_buyer_who_was_forgotten_is_not_repeated(build: Build) -> None:
    world = told_world(build)
    withdraw(world)
    world.notifiers[Channel.SMS].before.append(doubt())
    world.worker.dispatcher.deliver_due(world.clock(), wait_seconds=60)
    with reading(world.services.engine) as connection:
        buyer = find_buyer(connection, A, world.services.hasher)
    forget_buyer(world.services, buyer, lambda standing: [])
    before = len(world.notifiers[Channel.SMS].accepted)
    world.clock.advance(timedelta(seconds=10))
    world.worker.dispatcher.reconcile(world.clock())
    world.advance(minutes=3)
    assert world.notifiers[Channel.SMS].accepted[before:] == []
    assert world.waiting() == 0
