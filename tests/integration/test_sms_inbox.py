"""SMS that come back, read from the stand-in by polling."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pytest

from alerts.core.model import Answer, AnswerKind, AnswerResult, Person
from alerts.errors import DeliveryError
from alerts.notifiers.sms import Sender
from alerts.replies.sms_inbox import MAX_ANSWERS, SmsInbox
from tests.fakes import FakeWallClock
from tests.support.deliveries import NOW, make_facts
from tests.support.twilio_server import TwilioServer

ANA, STRANGER = "+33600000001", "+33699999999"
PEOPLE = [Person(name="Ana", phone=ANA, language="en", time_zone="Europe/Paris")]


@dataclass
class Desk:
    """Takes answers as the jobs would, and remembers events durably."""

    answers: list[Answer] = field(default_factory=list)
    events: set[str] = field(default_factory=set)
    rejected: list[str] = field(default_factory=list)
    failures: int = 0

    def first_time(self, event_id: str) -> bool:
        new = event_id not in self.events
        self.events.add(event_id)
        return new

    def apply(self, answer: Answer) -> AnswerResult:
        if self.failures:
            self.failures -= 1
            raise RuntimeError("the database is busy")
        if not self.first_time(answer.event_id):
            return AnswerResult(accepted=False, text_key="repeated", by=answer.by)
        self.answers.append(answer)
        if answer.code == 99:
            return AnswerResult(accepted=False, text_key="unknown_code", by=answer.by)
        facts = make_facts(acknowledgement_expires_at=NOW + timedelta(minutes=46))
        return AnswerResult(accepted=True, text_key="acknowledged", threads=(facts,), by=answer.by)


@dataclass
class World:
    twilio: TwilioServer
    clock: FakeWallClock
    desk: Desk

    def inbox(self, sender: Sender | None = None) -> SmsInbox:
        number = self.twilio.numbers[0]
        return SmsInbox(
            account_sid=self.twilio.account_sid,
            auth_token=self.twilio.auth_token,
            sender=sender or Sender(number=number, answers_to=number),
            apply=self.desk.apply,
            first_time=self.desk.first_time,
            people=PEOPLE,
            on_rejected=self.desk.rejected.append,
            api_url=self.twilio.base_url,
            timeout_seconds=4,
        )


@pytest.fixture
def world() -> Iterator[World]:
    clock = FakeWallClock(NOW)
    with TwilioServer(clock=clock) as twilio:
        yield World(twilio, clock, Desk())


def test_a_code_becomes_an_answer_and_is_confirmed_in_one_line(world: World) -> None:
    world.twilio.inbound(ANA, "7")

    assert world.inbox().poll(NOW) == 1

    answer = world.desk.answers[0]
    assert (answer.kind, answer.code, answer.by, answer.phone) == (AnswerKind.ACKNOWLEDGE, 7, "Ana", ANA)
    assert world.twilio.sent_to(ANA) == ["OK Ana: 402-1234567-1234567 is yours until 03:24."]


def test_the_same_message_counts_once_over_polls_and_restarts(world: World) -> None:
    world.twilio.inbound(ANA, "done 7")
    inbox = world.inbox()

    assert [inbox.poll(NOW), inbox.poll(NOW), world.inbox().poll(NOW)] == [1, 0, 0]
    assert len(world.desk.answers) == 1
    assert len(world.twilio.sent_to(ANA)) == 1


def test_answers_are_taken_in_the_order_in_which_they_were_sent(world: World) -> None:
    world.twilio.inbound(ANA, "done 7", at=NOW - timedelta(minutes=1))
    world.twilio.inbound(ANA, "7", at=NOW - timedelta(minutes=2))

    world.inbox().poll(NOW)

    assert [answer.kind for answer in world.desk.answers] == [AnswerKind.ACKNOWLEDGE, AnswerKind.ANSWERED]


def test_what_came_shortly_before_midnight_is_read_after_it(world: World) -> None:
    midnight = datetime.fromisoformat("2026-11-22T00:00:00+00:00")
    world.twilio.inbound(ANA, "7", at=midnight - timedelta(seconds=5))

    assert world.inbox().poll(midnight + timedelta(seconds=25)) == 1


def test_a_stranger_changes_nothing_gets_no_answer_and_is_counted_once(world: World) -> None:
    world.twilio.inbound(STRANGER, "7")
    inbox = world.inbox()

    inbox.poll(NOW)
    inbox.poll(NOW)

    assert world.desk.answers == []
    assert world.desk.rejected == ["sms"]
    assert world.twilio.sent == []


def test_stop_is_taken_and_not_answered(world: World) -> None:
    world.twilio.inbound(ANA, "Stop.")

    world.inbox().poll(NOW)

    assert [answer.kind for answer in world.desk.answers] == [AnswerKind.STOP]
    assert world.twilio.sent == []


def test_what_is_not_understood_gets_one_helpful_answer_an_hour(world: World) -> None:
    inbox = world.inbox()
    for _ in range(3):
        world.twilio.inbound(ANA, "7 min please, then I look")
    inbox.poll(NOW)
    world.clock.advance(minutes=61)
    world.twilio.inbound(ANA, "hello?")
    inbox.poll(world.clock())

    assert world.desk.answers == []
    assert len(world.twilio.sent_to(ANA)) == 2
    assert world.twilio.sent_to(ANA)[0].startswith("Send the number of the alert")


def test_two_robots_cannot_talk_for_ever(world: World) -> None:
    inbox = world.inbox()
    for _ in range(12):
        world.twilio.inbound(ANA, "99")  # what a robot answers to "No open alert has the number 99."
        inbox.poll(NOW)

    assert len(world.twilio.sent_to(ANA)) == MAX_ANSWERS
    assert len(world.desk.answers) == 12
    assert inbox.health.held_back == 12 - MAX_ANSWERS


def test_a_failed_answer_is_read_again_at_the_next_poll(world: World) -> None:
    world.desk.failures = 1
    world.twilio.inbound(ANA, "7")
    inbox = world.inbox()

    assert inbox.poll(NOW) == 0
    assert inbox.poll(NOW) == 1
    assert len(world.desk.answers) == 1


def test_twilio_out_of_reach_is_told_and_nothing_is_lost(world: World) -> None:
    world.twilio.inbound(ANA, "7")
    inbox = world.inbox()
    for kind in ("server_error", "drop_before", "html"):
        world.twilio.faults.fail_next("messages.list", kind)
        with pytest.raises(DeliveryError) as caught:
            inbox.poll(NOW)
        assert caught.value.retryable
        assert world.twilio.auth_token not in str(caught.value)
    assert inbox.health.last_error

    assert inbox.poll(NOW) == 1
    assert inbox.health.last_error is None


@pytest.mark.parametrize("body", [b"[]", b"null", b'{"messages": null}', b'{"messages": [null]}'])
def test_an_answer_of_another_shape_is_told_and_nothing_is_lost(world: World, body: bytes) -> None:
    world.twilio.inbound(ANA, "7")
    inbox = world.inbox()
    world.twilio.faults.fail_next("messages.list", "answer", status=200, body=body)
    with pytest.raises(DeliveryError):
        inbox.poll(NOW)
    assert inbox.health.last_error is not None
    assert inbox.poll(NOW) == 1


def test_a_confirmation_that_fails_does_not_undo_the_answer(world: World) -> None:
    world.twilio.inbound(ANA, "7")
    world.twilio.faults.fail_next("messages.create", "server_error")

    assert world.inbox().poll(NOW) == 1
    assert len(world.desk.answers) == 1


def test_more_messages_than_a_page_are_all_read(world: World) -> None:
    for _ in range(260):
        world.twilio.inbound(ANA, "7")

    assert world.inbox().poll(NOW) == 260


def test_an_old_answer_counts_without_a_late_confirmation(world: World) -> None:
    world.twilio.inbound(ANA, "7", at=NOW - timedelta(hours=3))

    assert world.inbox().poll(NOW) == 1
    assert world.twilio.sent == []


def test_an_answer_to_any_of_our_numbers_counts_and_one_to_a_strangers_number_does_not(world: World) -> None:
    world.twilio.numbers += ["+33644444444", "+14155550001"]
    first, second = world.twilio.numbers[0], "+33644444444"
    world.twilio.inbound(ANA, "7", to=first)
    world.twilio.inbound(ANA, "8", to=second)
    world.twilio.inbound(ANA, "9", to="+14155550001")  # another use of the same account

    world.inbox(Sender(number=first, by_prefix={"+33": second}, answers_to=first)).poll(NOW)

    assert [answer.code for answer in world.desk.answers] == [7, 8]


def test_with_a_messaging_service_alone_every_number_of_the_account_is_read(world: World) -> None:
    service = next(iter(world.twilio.messaging_services))
    world.twilio.inbound(ANA, "7", to=world.twilio.numbers[1])

    assert world.inbox(Sender(messaging_service_sid=service)).poll(NOW) == 1
    assert world.twilio.sent[0].messaging_service_sid == service
