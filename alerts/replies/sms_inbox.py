"""SMS that people send back, read by polling: no public address is needed.

Twilio's list is filtered by day only, so the same messages come again at each poll: every one is known by its sid. Only known
phones count. What cannot be understood gets one helpful answer an hour; no phone gets more than five automatic answers in that
time, so that two robots cannot talk for ever.
"""

import threading
from collections import OrderedDict, deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

import structlog

from alerts.core.model import Answer, AnswerKind, AnswerResult, Person
from alerts.core.typed_replies import TypedReply, parse_reply
from alerts.core.words.answers import render_answer
from alerts.core.words.gsm import cut, to_gsm7
from alerts.errors import DeliveryError
from alerts.notifiers.http import DEFAULT_TIMEOUT_SECONDS, mask_phone
from alerts.notifiers.sms import Sender
from alerts.notifiers.twilio_api import CALL_ERRORS, DEFAULT_API_URL, build_client, twilio_error
from alerts.replies.people import Apply, Rejected, Speaker, by_phone

log = structlog.get_logger(__name__)

SOURCE: Final = "sms"
MAX_ANSWERS: Final = 5
PERIOD: Final = timedelta(hours=1)
READ_BACK: Final = timedelta(hours=24)  # what came while the worker was down still counts
ANSWER_WITHIN: Final = timedelta(minutes=30)  # later, an automatic answer only puzzles
_PAGE_SIZE: Final = 200
_MAX_READ: Final = 1000
_REMEMBERED: Final = 5000


@dataclass(frozen=True, slots=True)
class InboxHealth:
    """How reading goes: `last_read_at` is the last poll that succeeded."""

    last_read_at: datetime | None = None
    last_error: str | None = None
    answers: int = 0
    rejected: int = 0
    not_understood: int = 0
    held_back: int = 0


class SmsInbox:
    """Reads and answers; `poll` is called by the scheduler, one call at a time."""

    def __init__(
        self,
        *,
        account_sid: str,
        auth_token: str,
        sender: Sender,
        apply: Apply,
        first_time: Callable[[str], bool],
        people: Iterable[Person],
        on_rejected: Rejected | None = None,
        api_url: str = DEFAULT_API_URL,
        timeout_seconds: float = DEFAULT_TIMEOUT_SECONDS,
    ) -> None:
        """Keep the settings; connects to nothing.

        Args:
            sender: the messages to any of its numbers are read; with a messaging service alone, all of the account's.
            apply: does what a code says, once per `event_id`; an exception leaves the message for the next poll.
            first_time: returns whether this event id is new, and remembers it durably: for what never reaches `apply`.
        """
        self._secrets = (auth_token, account_sid)
        self._sender = sender
        self._numbers = sender.numbers_read()
        self._apply, self._first_time, self._on_rejected = apply, first_time, on_rejected
        self._people = by_phone(people)
        self._client = build_client(account_sid, auth_token, api_url, timeout_seconds)
        self._done: OrderedDict[str, None] = OrderedDict()
        self._answered: dict[str, deque[datetime]] = {}
        self._helped: dict[str, datetime] = {}
        self._health = InboxHealth()
        self._lock = threading.Lock()

    @property
    def health(self) -> InboxHealth:
        """How reading goes."""
        return self._health

    def poll(self, now: datetime) -> int:
        """Read what came, do it, answer; return how many messages were new.

        Raises:
            DeliveryError: Twilio could not be asked; nothing is lost, the next poll reads the same day again.
        """
        with self._lock:
            try:
                messages = self._fetch(now)
            except DeliveryError as problem:
                self._note(last_error=str(problem))
                raise
            new = sum(self._take(message, now) for message in messages)
            self._note(last_read_at=now, last_error=None)
            return new

    def _fetch(self, now: datetime) -> list[Any]:
        since = now - READ_BACK
        asked = [{"to": number} for number in sorted(self._numbers)] or [{}]
        found: list[Any] = []
        try:
            for only in asked:
                found += self._client.messages.list(
                    **only, date_sent_after=since, page_size=_PAGE_SIZE, limit=_MAX_READ
                )
        except CALL_ERRORS as problem:
            raise twilio_error("sms replies", problem, now, secrets=self._secrets) from None
        inbound = [
            message
            for message in found
            if message.direction == "inbound" and str(message.sid) not in self._done and _sent_at(message, now) >= since
        ]
        return sorted(inbound, key=lambda message: _sent_at(message, now))

    def _take(self, message: Any, now: datetime) -> int:
        """Do one message; return 1 if it was new. A failure of `apply` leaves it for the next poll."""
        event_id, phone = f"twilio:{message.sid}", str(message.from_)
        speaker = self._people.get(phone)
        sent_at = _sent_at(message, now)
        if speaker is None:
            new = self._first_time(event_id)
            self._remember(message)
            if new:
                self._reject()
            return int(new)
        reply = parse_reply(str(message.body or ""))
        if reply is None:
            new = self._first_time(event_id)
            self._remember(message)
            if new:
                self._note(not_understood=self._health.not_understood + 1)
                log.info("sms_reply_not_understood", length=len(str(message.body or "")))
                self._help(phone, speaker, sent_at, now)
            return int(new)
        try:
            result = self._apply(_answer(reply, event_id, speaker, phone, sent_at))
        except Exception as problem:  # noqa: BLE001 - one answer that fails must not stop the others; it is read again
            log.warning("sms_answer_failed", problem=type(problem).__name__)
            self._note(
                last_error=f"sms replies: an answer could not be taken ({type(problem).__name__}). It is read again."
            )
            return 0
        self._remember(message)
        if result.text_key == "repeated":
            return 0
        self._note(answers=self._health.answers + 1)
        if reply.kind is not AnswerKind.STOP:  # Twilio itself says goodbye, and blocks what we would send
            self._say(phone, speaker, result, sent_at, now, code=reply.code)
        return 1

    def _reject(self) -> None:
        self._note(rejected=self._health.rejected + 1)
        log.warning("sms_reply_rejected")  # the number is somebody's: it is not written down
        if self._on_rejected is not None:
            self._on_rejected(SOURCE)

    def _help(self, phone: str, speaker: Speaker, sent_at: datetime, now: datetime) -> None:
        last = self._helped.get(phone)
        if last is not None and now - last < PERIOD:
            return
        self._helped[phone] = now
        self._say(phone, speaker, AnswerResult(accepted=False, text_key="help", by=speaker.name), sent_at, now)

    def _say(
        self,
        phone: str,
        speaker: Speaker,
        result: AnswerResult,
        sent_at: datetime,
        now: datetime,
        *,
        code: int | None = None,
    ) -> None:
        if now - sent_at > ANSWER_WITHIN:
            return
        text = cut(to_gsm7(render_answer(speaker.words(), result, now, code=code)))
        if not text:
            return
        if not self._may_answer(phone, now):
            self._note(held_back=self._health.held_back + 1)
            log.warning("sms_answer_held_back", limit=MAX_ANSWERS)
            return
        number = self._sender.number_for(phone)
        sender = {"from_": number} if number else {"messaging_service_sid": self._sender.messaging_service_sid}
        try:
            self._client.messages.create(to=phone, body=text, **sender)
        except CALL_ERRORS as problem:
            # What was said counts already; a confirmation is not worth sending twice.
            where = f"sms answer to {mask_phone(phone)}"
            log.warning("sms_word_not_said", error=str(twilio_error(where, problem, now, secrets=self._secrets)))

    def _may_answer(self, phone: str, now: datetime) -> bool:
        sent = self._answered.setdefault(phone, deque())
        while sent and now - sent[0] >= PERIOD:
            sent.popleft()
        if len(sent) >= MAX_ANSWERS:
            return False
        sent.append(now)
        return True

    def _remember(self, message: Any) -> None:
        self._done[str(message.sid)] = None
        if len(self._done) > _REMEMBERED:
            self._done.popitem(last=False)

    def _note(self, **changes: Any) -> None:
        self._health = replace(self._health, **changes)


def _answer(reply: TypedReply, event_id: str, speaker: Speaker, phone: str, at: datetime) -> Answer:
    return Answer(
        event_id=event_id,
        kind=reply.kind,
        by=speaker.name,
        at=at,
        source=SOURCE,
        code=reply.code,
        phone=phone,
        snooze_for=reply.snooze_for,
    )


def _sent_at(message: Any, now: datetime) -> datetime:
    """When it was sent, in whole seconds by Twilio's clock; never later than ours."""
    at: datetime | None = message.date_sent or message.date_created
    return now if at is None else min(at, now)
