"""SMS and calls through the real SDK: who sends, what is found again, and how each ends."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

import pytest

from alerts.core.model import Channel, Delivery, Receipt
from alerts.core.words.sms import reference_mark
from alerts.errors import DeliveryError, Reason
from alerts.notifiers.base import Notifier
from alerts.notifiers.sms import Sender, SmsNotifier, message_outcome
from alerts.notifiers.twilio_api import PERMANENT, TEMPORARY
from alerts.notifiers.voice import VoiceNotifier, call_outcome
from tests.support.deliveries import NOW, make_delivery, make_facts
from tests.support.twilio_server import TwilioServer

ANA = "+33600000001"


@dataclass
class World:
    twilio: TwilioServer

    def sms(self, sender: Sender | None = None) -> SmsNotifier:
        return SmsNotifier(
            account_sid=self.twilio.account_sid,
            auth_token=self.twilio.auth_token,
            sender=sender or Sender(number=self.twilio.numbers[0], answers_to=self.twilio.numbers[0]),
            api_url=self.twilio.base_url,
            timeout_seconds=4,
        )

    def voice(self) -> VoiceNotifier:
        return VoiceNotifier(
            account_sid=self.twilio.account_sid,
            auth_token=self.twilio.auth_token,
            sender=Sender(number=self.twilio.numbers[0]),
            api_url=self.twilio.base_url,
            timeout_seconds=4,
        )


@pytest.fixture
def world() -> Iterator[World]:
    with TwilioServer(clock=lambda: NOW) as twilio:
        yield World(twilio)


TO_ANA = make_delivery(channel=Channel.SMS, address=ANA, code=7)
CALL_ANA = make_delivery(channel=Channel.VOICE, address=ANA, code=7)


def test_the_longest_country_prefix_chooses_the_sender(world: World) -> None:
    world.twilio.numbers += ["+33644444444", "+14155550001"]
    sender = Sender(
        number="+15005550006", by_prefix={"+3": "+447700900006", "+33": "+33644444444"}, answers_to="+15005550006"
    )
    notifier = world.sms(sender)
    for phone in (ANA, "+34600000001", "+15005550010"):
        notifier.send(make_delivery(channel=Channel.SMS, address=phone, code=7))

    sent = world.twilio.sent
    assert [message.from_ for message in sent] == ["+33644444444", "+447700900006", "+15005550006"]
    assert "Text 7 to +15005550006" in sent[0].body  # its own number is not read
    assert "Reply 7 =" in sent[2].body


def test_a_sender_with_a_name_says_where_to_answer(world: World) -> None:
    world.sms(Sender(number="ReplyBy", answers_to=world.twilio.numbers[0])).send(TO_ANA)
    assert f"Text 7 to {world.twilio.numbers[0]}" in world.twilio.sent[0].body


def test_a_name_that_nobody_can_answer_offers_no_code(world: World) -> None:
    world.sms(Sender(number="ReplyBy", answers_to="ReplyBy")).send(TO_ANA)
    body = world.twilio.sent[0].body
    assert "402-1234567-1234567" in body
    assert "Reply 7" not in body


def test_a_call_never_comes_from_a_name(world: World) -> None:
    number = world.twilio.numbers[0]
    named = Sender(number=number, by_prefix={"+33": "ReplyBy"}, answers_to=number)
    notifier = VoiceNotifier(
        account_sid=world.twilio.account_sid,
        auth_token=world.twilio.auth_token,
        sender=named,
        api_url=world.twilio.base_url,
    )
    notifier.send(CALL_ANA)
    assert world.twilio.phone_calls[0].from_ == number


def test_a_messaging_service_sends_where_no_number_is_given(world: World) -> None:
    service = next(iter(world.twilio.messaging_services))
    world.sms(Sender(messaging_service_sid=service)).send(TO_ANA)
    assert world.twilio.sent[0].messaging_service_sid == service


def test_a_message_still_in_the_queue_is_found(world: World) -> None:
    world.twilio.settle = False
    world.twilio.faults.fail_next("messages.create", "drop_after")
    notifier = world.sms()
    with pytest.raises(DeliveryError):
        notifier.send(TO_ANA)

    found = notifier.find(TO_ANA)
    assert found is not None
    assert found.provider_id == world.twilio.sent[0].sid


def test_the_alert_before_is_not_taken_for_this_one(world: World) -> None:
    notifier = world.sms()
    notifier.send(TO_ANA)  # the same thread, code and minute, one occurrence earlier
    again = make_delivery(channel=Channel.SMS, address=ANA, code=7, reference="ref-0002")

    assert notifier.find(again) is None


def test_what_a_person_sends_is_never_taken_for_our_own(world: World) -> None:
    world.twilio.inbound(ANA, f"7 {reference_mark('ref-0001')}")
    assert world.sms().find(TO_ANA) is None


def test_hidden_texts_are_said_to_make_the_look_up_impossible(world: World) -> None:
    world.twilio.redact_bodies = True
    notifier = world.sms()
    receipt = notifier.send(TO_ANA)
    notifier.check(receipt)  # sent by now: Twilio hides the text from here on

    with pytest.raises(DeliveryError, match="Switch message redaction off") as caught:
        notifier.find(TO_ANA)
    assert not caught.value.retryable


def test_a_message_is_delivered_when_the_phone_has_it(world: World) -> None:
    notifier = world.sms()
    world.twilio.settle = False
    receipt = notifier.send(TO_ANA)
    assert notifier.check(receipt) is None
    world.twilio.settle = True
    assert notifier.check(receipt) == "delivered"


def test_a_phone_that_is_off_is_worth_another_try(world: World) -> None:
    world.twilio.outcomes[ANA] = ("undelivered", 30003)
    notifier = world.sms()
    with pytest.raises(DeliveryError) as caught:
        notifier.check(notifier.send(TO_ANA))
    assert (caught.value.retryable, caught.value.reason) == (True, Reason.UNDELIVERED)


def test_an_opt_out_at_the_provider_is_permanent_and_says_what_brings_it_back(world: World) -> None:
    world.twilio.opted_out.add(ANA)
    with pytest.raises(DeliveryError, match="START") as caught:
        world.sms().send(TO_ANA)
    assert (caught.value.retryable, caught.value.reason) == (False, Reason.OPTED_OUT)
    assert ANA not in str(caught.value)


UNDER_WAY = ["accepted", "scheduled", "queued", "sending", "sent", "receiving", "a_status_of_next_year"]
FAILED = ["undelivered", "failed"]


@pytest.mark.parametrize("code", [None, 30003, 30005])
@pytest.mark.parametrize("status", UNDER_WAY)
def test_a_message_under_way_is_not_yet_anything(status: str, code: int | None) -> None:
    assert message_outcome("sms", status, code) is None


@pytest.mark.parametrize("status", ["delivered", "read"])
def test_a_message_that_arrived_is_delivered(status: str) -> None:
    assert message_outcome("sms", status, None) == "delivered"


@pytest.mark.parametrize("code", sorted(PERMANENT))
@pytest.mark.parametrize("status", FAILED)
def test_a_permanent_code_ends_it_whatever_the_status(status: str, code: int) -> None:
    with pytest.raises(DeliveryError) as caught:
        message_outcome("sms", status, code)
    assert not caught.value.retryable
    assert caught.value.reason in (Reason.BAD_ADDRESS, Reason.OPTED_OUT, Reason.REJECTED)


@pytest.mark.parametrize("code", [*sorted(TEMPORARY), None, 0, 39999])
@pytest.mark.parametrize("status", FAILED)
def test_a_temporary_or_unknown_code_stays_temporary_whatever_the_status(status: str, code: int | None) -> None:
    with pytest.raises(DeliveryError) as caught:
        message_outcome("sms", status, code)
    assert caught.value.retryable
    assert caught.value.reason is Reason.UNDELIVERED  # not "could not be asked"


def test_the_codes_named_as_permanent_and_temporary_are_in_the_tables() -> None:
    permanent = {21211, 21214, 21217, 21408, 21610, 21612, 21614, 30005, 30006, 30007, 30032, 30034}
    assert permanent <= set(PERMANENT)
    assert {20429, 30001, 30003, 30008} <= set(TEMPORARY)
    assert not set(PERMANENT) & set(TEMPORARY)


def test_a_call_rings_with_the_words_in_the_request_itself(world: World) -> None:
    world.voice().send(CALL_ANA)
    placed = world.twilio.phone_calls[0]
    assert "An Amazon reply is due in 1 hour 32 minutes." in placed.twiml
    assert "4 0 2, 1 2 3 4, 5 6 7" in placed.twiml


def test_an_answered_call_proves_nothing(world: World) -> None:
    notifier = world.voice()
    assert notifier.check(notifier.send(CALL_ANA)) is None


@pytest.mark.parametrize(
    ("status", "retryable"), [("busy", True), ("no-answer", True), ("canceled", True), ("failed", False)]
)
def test_a_call_that_nobody_took_is_a_failure(world: World, status: str, retryable: bool) -> None:
    world.twilio.call_outcomes[ANA] = status
    notifier = world.voice()
    with pytest.raises(DeliveryError) as caught:
        notifier.check(notifier.send(CALL_ANA))
    assert caught.value.retryable is retryable


@pytest.mark.parametrize("status", ["queued", "ringing", "in-progress", "completed"])
def test_a_call_under_way_or_over_is_no_failure(status: str) -> None:
    call_outcome("voice", status)


def test_a_call_of_the_quarter_hour_before_is_not_taken_for_this_one(world: World) -> None:
    notifier = world.voice()
    notifier.send(CALL_ANA)
    later = make_delivery(channel=Channel.VOICE, address=ANA, attempted_at=NOW + timedelta(minutes=5))
    assert notifier.find(later) is None


def test_a_call_that_nobody_took_a_moment_before_is_not_taken_for_this_one(world: World) -> None:
    world.twilio.call_outcomes[ANA] = "busy"
    notifier = world.voice()
    receipt = notifier.send(CALL_ANA)
    with pytest.raises(DeliveryError, match="nobody picked up"):
        notifier.check(receipt)
    assert notifier.find(CALL_ANA) is None


def test_many_orders_are_one_message(world: World) -> None:
    threads = [make_facts(timedelta(minutes=10 * number), thread_id=number) for number in range(1, 9)]
    world.sms().send(make_delivery(*threads, channel=Channel.SMS, address=ANA, code=12))
    assert len(world.twilio.sent) == 1
    assert world.twilio.sent[0].body.startswith("8 Amazon replies due by 03:58.\n0h10 ")


def test_a_check_that_cannot_be_made_is_no_verdict(world: World) -> None:
    notifier = world.sms()
    receipt = notifier.send(TO_ANA)
    for kind in ("drop_before", "server_error", "html"):
        world.twilio.faults.fail_next("messages.fetch", kind)
        with pytest.raises(DeliveryError) as caught:
            notifier.check(receipt)
        assert caught.value.retryable
        assert caught.value.reason is not Reason.UNDELIVERED


@pytest.mark.parametrize("body", [b"{}", b'{"sid": null}', b"[]", b"null", b'"ok"'])
def test_an_answer_without_a_sid_is_no_receipt(world: World, body: bytes) -> None:
    ways: list[tuple[str, Notifier, Delivery]] = [
        ("messages.create", world.sms(), TO_ANA),
        ("calls.create", world.voice(), CALL_ANA),
    ]
    for step, notifier, delivery in ways:
        world.twilio.faults.fail_next(step, "answer", status=201, body=body)
        with pytest.raises(DeliveryError) as caught:
            notifier.send(delivery)
        assert (caught.value.reason, caught.value.retryable, caught.value.ambiguous) == (Reason.BAD_ANSWER, True, True)


@pytest.mark.parametrize("body", [b"[]", b"null", b'"ok"'])
def test_a_check_answered_with_json_that_is_no_object_is_no_verdict(world: World, body: bytes) -> None:
    for step, check in (("messages.fetch", world.sms().check), ("calls.fetch", world.voice().check)):
        world.twilio.faults.fail_next(step, "answer", status=200, body=body)
        with pytest.raises(DeliveryError) as caught:
            check(Receipt(provider_id="SM" + "0" * 32))
        assert caught.value.reason is Reason.BAD_ANSWER


def test_what_was_erased_at_the_provider_is_not_taken_for_undelivered(world: World) -> None:
    assert world.sms().check(Receipt(provider_id="SM" + "0" * 32)) is None
    assert world.voice().check(Receipt(provider_id="CA" + "0" * 32)) is None
