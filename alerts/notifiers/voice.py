"""A telephone call by Twilio. That it was answered says nothing (a mailbox answers too): only an acknowledgement counts."""

from datetime import datetime, timedelta
from typing import Final

from alerts.core.model import Channel, Delivery, Receipt
from alerts.core.words.catalog import LANGUAGES
from alerts.core.words.render import render_or_facts
from alerts.core.words.voice import render_call, twiml
from alerts.errors import DeliveryError, Reason
from alerts.notifiers.http import DEFAULT_TIMEOUT_SECONDS, mask_phone
from alerts.notifiers.sms import Sender
from alerts.notifiers.twilio_api import CALL_ERRORS, DEFAULT_API_URL, build_client, sid_of, twilio_error

# A call carries no mark: it is told by phone and time. The call before it may have been as short a while ago; whoever asks
# knows that one by its sid.
LOOK_BACK: Final = timedelta(seconds=30)
NOBODY_PICKED_UP: Final = ("busy", "no-answer", "canceled")
RING_SECONDS: Final = 40  # before most mailboxes pick up twice; Twilio's own default is 60
_EPOCH: Final = datetime.fromisoformat("1970-01-01T00:00:00+00:00")


class VoiceNotifier:
    """Calls by `calls.create` with the words in the request itself: no public address is needed."""

    def __init__(
        self,
        *,
        account_sid: str,
        auth_token: str,
        sender: Sender,
        api_url: str = DEFAULT_API_URL,
        timeout_seconds: float = DEFAULT_TIMEOUT_SECONDS,
    ) -> None:
        """Build the client; connects to nothing."""
        self._secrets = (auth_token, account_sid)
        self._sender = sender
        self._client = build_client(account_sid, auth_token, api_url, timeout_seconds)

    @property
    def channel(self) -> Channel:
        """Voice."""
        return Channel.VOICE

    def send(self, delivery: Delivery) -> Receipt:
        """Place the call; the receipt's `provider_id` is its sid.

        Raises:
            DeliveryError: see `Notifier.send`.
        """
        number = self._sender.number_to_call_from(delivery.address)
        answer_to = self._sender.answer_to(delivery.address) or number
        rendered = render_or_facts(
            delivery,
            lambda words, item: render_call(words, item, answer_to=answer_to),
            lambda facts: (facts,),
        )
        language = delivery.language if delivery.language in LANGUAGES and not rendered.trouble else "en"
        try:
            call = self._client.calls.create(
                to=delivery.address,
                from_=number,
                twiml=twiml(rendered.value, language),
                timeout=RING_SECONDS,
            )
        except CALL_ERRORS as problem:
            raise twilio_error(_where(delivery), problem, delivery.now, secrets=self._secrets) from None
        return Receipt(provider_id=sid_of(_where(delivery), call), detail=rendered.trouble)

    def find(self, delivery: Delivery) -> Receipt | None:
        """Return the receipt of the newest call to this phone placed since shortly before the attempt began.

        It may be the call before this one: the caller has to know its sid. One that nobody took is passed over: whichever
        it was, it is tried again anyway.

        Raises:
            DeliveryError: see `Notifier.find`.
        """
        since = (delivery.attempted_at or delivery.now) - LOOK_BACK
        try:
            for call in self._client.calls.list(to=delivery.address, limit=20, page_size=20):
                if str(call.status) in (*NOBODY_PICKED_UP, "failed"):
                    continue
                if str(call.direction).startswith("outbound") and (
                    call.date_created is None or call.date_created >= since
                ):
                    return Receipt(provider_id=str(call.sid), detail="found by phone and time")
        except CALL_ERRORS as problem:
            raise twilio_error(_where(delivery), problem, delivery.now, secrets=self._secrets) from None
        return None

    def check(self, receipt: Receipt) -> str | None:
        """Return None: whoever picked up may be a mailbox.

        Raises:
            DeliveryError: nobody picked up, or the call could not be placed.
        """
        try:
            call = self._client.calls(receipt.provider_id).fetch()
        except CALL_ERRORS as problem:
            error = twilio_error("voice", problem, _EPOCH, secrets=self._secrets)
            if error.reason is Reason.GONE:
                return None  # erased at Twilio: how it ended will never be known
            raise error from None
        call_outcome("voice", str(call.status))
        return None


def call_outcome(where: str, status: str) -> None:
    """Let pass a call under way or over: only a person's answer ends the escalation.

    Raises:
        DeliveryError: "busy", "no-answer", "canceled" (worth another try) or "failed" (no such number).
    """
    if status in NOBODY_PICKED_UP:
        text = f"{where}: nobody picked up ({status}). It is tried again."
        raise DeliveryError(text, retryable=True, reason=Reason.UNDELIVERED)
    if status == "failed":
        text = f"{where}: the call could not be placed, not retried. Check the phone number."
        raise DeliveryError(text, retryable=False, reason=Reason.BAD_ADDRESS)


def _where(delivery: Delivery) -> str:
    return f'voice receiver "{delivery.receiver}" ({mask_phone(delivery.address)})'
