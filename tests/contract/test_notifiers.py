"""One suite for all notifiers over a network: what a failure means, whether it can be found again, and that no secret leaks."""

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest

from alerts.core.model import Channel, Delivery
from alerts.core.words.sms import reference_mark
from alerts.errors import DeliveryError, Reason
from alerts.notifiers.base import Notifier
from alerts.notifiers.slack import SlackNotifier
from alerts.notifiers.sms import Sender, SmsNotifier
from alerts.notifiers.voice import VoiceNotifier
from alerts.notifiers.webhook import WebhookNotifier
from tests.support.deliveries import NOW, make_delivery
from tests.support.fault_server import FaultServer
from tests.support.hook_server import HookServer
from tests.support.slack_server import SlackServer
from tests.support.twilio_server import TwilioServer

PHONE = "+33600000001"
TIMEOUT_SECONDS = 4.0  # long enough for a busy machine to answer


@dataclass
class Harness:
    """One notifier and its stand-in. `create` is the name of the call that sends."""

    name: str
    notifier: Notifier
    server: FaultServer
    delivery: Delivery
    create: str
    accepted: Callable[[], int]
    secrets: tuple[str, ...]
    can_find: bool
    can_tell_apart: bool = True
    notices_html: bool = True
    permanent: tuple[dict[str, Any], ...] = ()


def _slack(stack: ExitStack) -> Harness:
    server = stack.enter_context(SlackServer(clock=lambda: NOW))
    notifier = SlackNotifier(bot_token=server.bot_token, api_url=server.api_url, timeout_seconds=TIMEOUT_SECONDS)
    return Harness(
        name="slack",
        notifier=notifier,
        server=server,
        delivery=make_delivery(),
        create="chat.postMessage",
        accepted=lambda: server.references().count("ref-0001"),
        secrets=(server.bot_token,),
        can_find=True,
        permanent=({"error": "channel_not_found"}, {"error": "token_revoked"}, {"error": "a_new_error_of_slack"}),
    )


def _twilio(stack: ExitStack) -> TwilioServer:
    return stack.enter_context(TwilioServer(clock=lambda: NOW))


def _sms(stack: ExitStack) -> Harness:
    server = _twilio(stack)
    notifier = SmsNotifier(
        account_sid=server.account_sid,
        auth_token=server.auth_token,
        sender=Sender(number=server.numbers[0], answers_to=server.numbers[0]),
        api_url=server.base_url,
        timeout_seconds=TIMEOUT_SECONDS,
    )
    return Harness(
        name="sms",
        notifier=notifier,
        server=server,
        delivery=make_delivery(channel=Channel.SMS, address=PHONE, code=7),
        create="messages.create",
        accepted=lambda: sum(text.endswith(reference_mark("ref-0001")) for text in server.sent_to(PHONE)),
        secrets=(server.auth_token, server.account_sid, PHONE),
        can_find=True,
        permanent=({"error": 21211}, {"error": 21610}, {"error": 20003, "status": 401}, {"error": 99999}),
    )


def _voice(stack: ExitStack) -> Harness:
    server = _twilio(stack)
    notifier = VoiceNotifier(
        account_sid=server.account_sid,
        auth_token=server.auth_token,
        sender=Sender(number=server.numbers[0], answers_to=server.numbers[0]),
        api_url=server.base_url,
        timeout_seconds=TIMEOUT_SECONDS,
    )
    return Harness(
        name="voice",
        notifier=notifier,
        server=server,
        delivery=make_delivery(channel=Channel.VOICE, address=PHONE, code=7),
        can_tell_apart=False,
        create="calls.create",
        accepted=lambda: len(server.phone_calls),
        secrets=(server.auth_token, server.account_sid, PHONE),
        can_find=True,
        permanent=({"error": 21211}, {"error": 21215}),
    )


def _webhook(stack: ExitStack) -> Harness:
    server = stack.enter_context(HookServer(clock=lambda: NOW))
    server.accepted = []
    address = f"{server.base_url}/hooks/T0P-SECRET-PATH?key=abcdef"
    return Harness(
        name="webhook",
        notifier=WebhookNotifier(timeout_seconds=TIMEOUT_SECONDS),
        server=server,
        delivery=make_delivery(channel=Channel.WEBHOOK, address=address, secret="signing-secret"),
        can_tell_apart=False,
        create="hook",
        accepted=lambda: sum(json.loads(call.body)["id"] == "ref-0001" for call in server.accepted),
        secrets=("T0P-SECRET-PATH", "abcdef", "signing-secret"),
        can_find=False,
        notices_html=False,  # any 2xx is success: who answers is not known
        permanent=({"status": 404}, {"status": 400}, {"status": 302}),
    )


@pytest.fixture(params=[_slack, _sms, _voice, _webhook], ids=["slack", "sms", "voice", "webhook"])
def harness(request: pytest.FixtureRequest) -> Iterator[Harness]:
    with ExitStack() as stack:
        yield request.param(stack)


def failure(harness: Harness) -> DeliveryError:
    with pytest.raises(DeliveryError) as caught:
        harness.notifier.send(harness.delivery)
    text = repr(caught.value) + str(caught.value) + str(caught.value.__cause__ or "")
    assert not [secret for secret in harness.secrets if secret in text]
    assert caught.value.__suppress_context__ or caught.value.__context__ is None, "a traceback would show the request"
    return caught.value


def test_what_is_accepted_is_accepted_once_and_found_again(harness: Harness) -> None:
    receipt = harness.notifier.send(harness.delivery)

    assert receipt.provider_id
    assert harness.accepted() == 1
    if harness.can_find:
        found = harness.notifier.find(harness.delivery)
        assert found is not None
        assert found.provider_id == receipt.provider_id
        assert found.post == receipt.post


@pytest.mark.parametrize("kind", ["drop_after", "reset_after", "hang_after"])
def test_an_answer_lost_after_acceptance_is_ambiguous_and_then_found(harness: Harness, kind: Any) -> None:
    harness.server.faults.fail_next(harness.create, kind)

    error = failure(harness)

    assert error.retryable
    assert error.ambiguous
    assert harness.accepted() == 1
    if harness.can_find:
        assert harness.notifier.find(harness.delivery) is not None


@pytest.mark.parametrize("kind", ["drop_before", "reset_before", "hang_before"])
def test_a_request_lost_before_acceptance_is_ambiguous_and_then_not_found(harness: Harness, kind: Any) -> None:
    harness.server.faults.fail_next(harness.create, kind)

    error = failure(harness)

    assert error.retryable
    assert error.ambiguous
    assert harness.accepted() == 0
    if harness.can_find:
        assert harness.notifier.find(harness.delivery) is None


def test_a_refused_connection_is_certainly_not_sent(harness: Harness) -> None:
    harness.server.stop()

    error = failure(harness)

    assert error.retryable
    assert not error.ambiguous
    assert error.reason is Reason.UNREACHABLE


def test_too_many_requests_wait_as_long_as_the_server_asks(harness: Harness) -> None:
    harness.server.faults.fail_next(harness.create, "rate_limited", retry_after=17)

    error = failure(harness)

    assert error.retryable
    assert not error.ambiguous
    assert error.reason is Reason.RATE_LIMITED
    assert error.retry_after == timedelta(seconds=17)


@pytest.mark.parametrize("kind", ["html", "server_error"])
def test_a_server_error_is_tried_again_after_a_look(harness: Harness, kind: Any) -> None:
    harness.server.faults.fail_next(harness.create, kind, retry_after=17)

    error = failure(harness)

    assert (error.retryable, error.ambiguous, error.reason) == (True, True, Reason.SERVER_ERROR)
    assert error.retry_after == timedelta(seconds=17)


def test_a_page_instead_of_the_providers_answer_is_not_success(harness: Harness) -> None:
    harness.server.faults.fail_next(harness.create, "html", status=200)
    if not harness.notices_html:
        assert harness.notifier.send(harness.delivery).provider_id
        return

    error = failure(harness)

    assert (error.retryable, error.ambiguous, error.reason) == (True, True, Reason.BAD_ANSWER)


def test_what_the_provider_refuses_for_good_is_never_tried_again(harness: Harness) -> None:
    for refusal in harness.permanent:
        harness.server.faults.fail_next(harness.create, "error", **refusal)
        error = failure(harness)
        assert (error.retryable, error.ambiguous) == (False, False), refusal
    assert harness.accepted() == 0


def test_a_lookup_that_fails_says_so_instead_of_saying_none(harness: Harness) -> None:
    if not harness.can_find:
        with pytest.raises(DeliveryError) as caught:
            harness.notifier.find(harness.delivery)
        assert not caught.value.retryable
        return
    for kind in ("drop_before", "server_error", "rate_limited"):
        harness.server.faults.fail_next("*", kind)
        with pytest.raises(DeliveryError) as caught:
            harness.notifier.find(harness.delivery)
        assert caught.value.retryable, kind


def test_another_deliverys_message_is_not_taken_for_this_one(harness: Harness) -> None:
    if not harness.can_tell_apart:
        return  # a call carries no reference, a webhook cannot be asked
    other = make_delivery(
        reference="ref-0002", channel=harness.delivery.channel, address=harness.delivery.address, code=8
    )
    harness.notifier.send(other)

    assert harness.notifier.find(harness.delivery) is None


def test_many_threads_send_at_once(harness: Harness) -> None:
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(8) as pool:
        receipts = list(pool.map(lambda _: harness.notifier.send(harness.delivery), range(24)))

    assert harness.accepted() == 24
    assert all(receipt.provider_id for receipt in receipts)
