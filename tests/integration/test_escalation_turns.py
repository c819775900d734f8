"""What was told is told again as it stands: waits that run on, take each other in, or turn out to be none."""

import pytest

from alerts.core.model import AnswerKind, Channel, Purpose
from alerts.core.words.catalog import words_for
from alerts.core.words.sms import render_sms
from tests.fakes_alerts import refusal
from tests.support.jobs_world import ORDERS, Build, alias_of, rings
from tests.support.mails import bounce

pytestmark = pytest.mark.integration

A, B = ORDERS[:2]


def test_the_end_of_a_wait_that_runs_on_before_it_was_told_is_told_nobody(build: Build) -> None:
    world = build()
    world.ask(A)
    world.advance(hours=22.1)
    sent_at = world.clock()
    world.notifiers[Channel.SMS].before.extend([refusal(), refusal()])
    world.reply(A)
    world.cycle()
    world.clock.advance(seconds=1)
    world.mail(bounce(world.clock(), of=sent_at, order=A, alias=alias_of(A)))
    sent = world.cycle() + world.advance(minutes=9)
    phone = [one for one in sent if one.channel is Channel.SMS]
    assert {one.purpose for one in phone} == {Purpose.ALERT}
    assert all("reply due in" in render_sms(words_for("en", "Europe/Paris"), one) for one in phone)


def test_an_end_that_was_held_by_the_rate_of_messages_is_forgotten_when_the_mark_is_taken_back(build: Build) -> None:
    world = build()
    world.ask(A)
    world.advance(hours=22.0001)
    world.clock.advance(seconds=20)
    world.say(AnswerKind.ANSWERED, A)
    world.cycle()
    assert world.waiting() == 1  # Ana's phone rang a moment ago
    world.say(AnswerKind.UNDO, A)
    sent = world.cycle() + world.advance(minutes=4)
    assert [one.purpose for one in sent if one.channel is Channel.SMS] == [Purpose.ALERT]
    assert "slack team" in rings(sent)
