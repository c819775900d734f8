"""SMS by Twilio: one segment, found again by the mark in its text, watched until the phone has it."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final

from alerts.core.model import Channel, Delivery, Receipt
from alerts.core.words.render import render_or_facts
from alerts.core.words.sms import bare_sms, reference_mark, render_sms
from alerts.errors import DeliveryError, Reason
from alerts.notifiers.http import DEFAULT_TIMEOUT_SECONDS, mask_phone
from alerts.notifiers.twilio_api import CALL_ERRORS, DEFAULT_API_URL, build_client, code_error, sid_of, twilio_error

LOOK_BACK: Final = timedelta(minutes=15)  # our clock and Twilio's may differ; the mark decides, not the time
_LOOKED_THROUGH: Final = 200  # a phone gets 21 messages in three hours at most
_ARRIVED: Final = frozenset({"delivered", "read", "received"})
_UNDER_WAY: Final = frozenset(
    {"accepted", "scheduled", "queued", "sending", "sent", "receiving", "partially_delivered"}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sender:
    """Who sends: one number, others by country prefix (the longest wins), or a messaging service.

    `answers_to`: the number whose inbound SMS are read; texts name it where the sender itself cannot receive.
    """

    number: str = ""
    by_prefix: Mapping[str, str] = field(default_factory=dict)
    messaging_service_sid: str = ""
    answers_to: str = ""

    def number_for(self, phone: str) -> str:
        """Return the number or name that sends to this phone; "" leaves it to the messaging service."""
        fitting = [prefix for prefix in self.by_prefix if phone.startswith(prefix)]
        return self.by_prefix[max(fitting, key=len)] if fitting else self.number

    def numbers_read(self) -> frozenset[str]:
        """Return our own numbers and short codes on which an answer may come in; empty: any of the account's."""
        return frozenset(
            number for number in (self.answers_to, self.number, *self.by_prefix.values()) if _receives(number)
        )

    def answer_to(self, phone: str) -> str | None:
        """Return the number a text has to name, or None where answering the text itself is enough."""
        if not _receives(self.answers_to) or self.number_for(phone) == self.answers_to:
            return None
        return self.answers_to

    def can_be_answered(self, phone: str) -> bool:
        """Return whether a code is of any use: a name cannot receive, and a messaging service has numbers of its own."""
        return _receives(self.answers_to) or _receives(self.number_for(phone)) or not self.number_for(phone)

    def number_to_call_from(self, phone: str) -> str:
        """Return the number that rings this phone: the one that sends to it, else any that is no name; "" if none is."""
        numbers = (self.number_for(phone), self.answers_to, self.number, *self.by_prefix.values())
        return next((number for number in numbers if number.startswith("+")), "")


def _receives(number: str) -> bool:
    """A number or a short code does; a name ("ReplyBy") does not."""
    return number.lstrip("+").isdecimal()


class SmsNotifier:
    """Sends by `messages.create`; Twilio has no idempotency key, so a doubtful send is looked up by its mark."""

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
        """SMS."""
        return Channel.SMS

    def send(self, delivery: Delivery) -> Receipt:
        """Send one segment; the receipt's `provider_id` is the message's sid.

        Raises:
            DeliveryError: see `Notifier.send`.
        """
        answer_to = self._sender.answer_to(delivery.address)
        shown = delivery if self._sender.can_be_answered(delivery.address) else replace(delivery, code=None)
        rendered = render_or_facts(
            shown,
            lambda words, item: render_sms(words, item, answer_to=answer_to),
            lambda facts: bare_sms(facts, delivery.reference),
        )
        number = self._sender.number_for(delivery.address)
        sender = {"from_": number} if number else {"messaging_service_sid": self._sender.messaging_service_sid}
        try:
            message = self._client.messages.create(to=delivery.address, body=rendered.value, **sender)
        except CALL_ERRORS as problem:
            raise twilio_error(_where(delivery), problem, delivery.now, secrets=self._secrets) from None
        return Receipt(provider_id=sid_of(_where(delivery), message), detail=rendered.trouble)

    def find(self, delivery: Delivery) -> Receipt | None:
        """Return the receipt of the SMS to this phone that carries this delivery's mark.

        The list is not asked by day: a message that still waits in the queue has no day yet.

        Raises:
            DeliveryError: see `Notifier.find`; `retryable=False` where Twilio hides the texts.
        """
        mark, where = reference_mark(delivery.reference), _where(delivery)
        since = (delivery.attempted_at or delivery.now) - LOOK_BACK
        hidden = False
        try:
            for message in self._client.messages.list(
                to=delivery.address, limit=_LOOKED_THROUGH, page_size=_LOOKED_THROUGH
            ):
                if message.direction == "inbound" or not _is_since(message.date_created, since):
                    continue
                body = str(message.body or "")
                if body.endswith(mark):
                    return Receipt(provider_id=str(message.sid), detail="found by its mark")
                hidden = hidden or not body
        except CALL_ERRORS as problem:
            raise twilio_error(where, problem, delivery.now, secrets=self._secrets) from None
        if hidden:
            text = (
                f"{where}: Twilio hides the texts, so that a doubtful message cannot be found again. Switch message "
                "redaction off."
            )
            raise DeliveryError(text, retryable=False, reason=Reason.BAD_ANSWER)
        return None

    def check(self, receipt: Receipt) -> str | None:
        """Return "delivered" once the phone has it.

        Raises:
            DeliveryError: see `Notifier.check`.
        """
        where = "sms"
        try:
            message = self._client.messages(receipt.provider_id).fetch()
        except CALL_ERRORS as problem:
            error = twilio_error(where, problem, _EPOCH, secrets=self._secrets)
            if error.reason is Reason.GONE:
                return None  # erased at Twilio: how it ended will never be known
            raise error from None
        return message_outcome(where, str(message.status), message.error_code)


def message_outcome(where: str, status: str, code: int | None) -> str | None:
    """Return "delivered", or None while it is under way (or no more will be known).

    "undelivered" and "failed" are failures; a temporary code stays temporary whatever the status says.

    Raises:
        DeliveryError: it did not arrive; BAD_ADDRESS, OPTED_OUT or REJECTED for good, UNDELIVERED worth another try.
    """
    if status in _ARRIVED:
        return "delivered"
    if status in _UNDER_WAY:
        return None
    if status in ("undelivered", "failed"):
        known = code_error(where, int(code or 0), detail=f" ({status})")
        if known is not None:
            # About this one message: not about our asking, whatever else the code may say.
            verdict = Reason.UNDELIVERED if known.retryable else known.reason
            verdict = Reason.REJECTED if verdict is Reason.BAD_CREDENTIALS else verdict
            raise DeliveryError(str(known), retryable=known.retryable, reason=verdict)
        shown = f", Twilio error {code}" if code else ""
        text = f"{where}: {status}{shown}. It is sent again."
        raise DeliveryError(text, retryable=True, reason=Reason.UNDELIVERED)
    if status == "canceled":
        text = f"{where}: canceled at Twilio. It is sent again."
        raise DeliveryError(text, retryable=True, reason=Reason.UNDELIVERED)
    return None


def _is_since(created: datetime | None, since: datetime) -> bool:
    return created is None or created >= since


def _where(delivery: Delivery) -> str:
    return f'sms receiver "{delivery.receiver}" ({mask_phone(delivery.address)})'


_EPOCH: Final = datetime.fromisoformat("1970-01-01T00:00:00+00:00")  # a Retry-After of a check is of no use
