"""A stand-in for Twilio on loopback: messages, calls, account. It refuses what Twilio refuses and records every request.

with TwilioServer() as twilio:
    ...                                       # a client whose base address is twilio.base_url
    twilio.inbound("+33600000001", "7")       # somebody answers by SMS
    assert twilio.messages[0].body == "..."
"""

import base64
import itertools
import re
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime
from typing import Any
from xml.etree import ElementTree

from monitor.wallclock import utc_now
from tests.support.fault_server import Call, Fault, Faults, FaultServer, HttpAnswer, as_utc, json_answer

E164 = re.compile(r"\+[1-9]\d{6,14}$")
_WORDS = {
    20003: "Authenticate",
    20404: "The requested resource was not found",
    20429: "Too Many Requests",
    21211: "The 'To' number is not a valid phone number.",
    21212: "The 'From' number is not a valid phone number.",
    21602: "Message body is required.",
    21603: "A 'From' phone number is required.",
    21606: "The 'From' phone number provided is not a valid, message-capable Twilio phone number.",
    21610: "Attempt to send to unsubscribed recipient",
    21617: "The concatenated message body exceeds the 1600 character limit.",
    12100: "Document parse failure",
}


@dataclass(slots=True)
class TwilioMessage:
    """One SMS, outbound ("outbound-api") or inbound."""

    sid: str
    to: str
    from_: str
    body: str
    direction: str
    status: str
    created_at: datetime
    sent_at: datetime | None = None
    error_code: int | None = None
    messaging_service_sid: str | None = None


@dataclass(slots=True)
class TwilioCall:
    """One outbound call."""

    sid: str
    to: str
    from_: str
    twiml: str
    status: str
    created_at: datetime
    started_at: datetime | None = None


class TwilioServer(FaultServer):
    """See the module. Everything public may be read and changed by a test while it runs.

    Attributes:
        messages, phone_calls: everything created, oldest first (inbound messages included).
        numbers: the account's own numbers. opted_out: phones that sent STOP to Twilio itself (21610).
        outcomes: phone -> (status, error code) its messages end with; default ("delivered", None).
        call_outcomes: phone -> status its calls end with; default "completed".
        settle: whether a message reaches its end when it is next fetched; False: it stays "queued" until `set_status`.
        redact_bodies: as Twilio's message redaction: bodies cannot be read back.
    """

    def __init__(
        self,
        *,
        account_sid: str = "ACstandin0000000000000000000000000",
        auth_token: str = "stand-in-auth-token",
        clock: Callable[[], datetime] = utc_now,
        faults: Faults | None = None,
    ) -> None:
        """Bind a free port; nothing is served before `start`."""
        super().__init__(clock=clock, faults=faults)
        self.account_sid = account_sid
        self.auth_token = auth_token
        self.numbers = ["+15005550006", "+447700900006"]
        self.messaging_services = {"MGstandin0000000000000000000000000"}
        self.opted_out: set[str] = set()
        self.outcomes: dict[str, tuple[str, int | None]] = {}
        self.call_outcomes: dict[str, str] = {}
        self.settle = True
        self.redact_bodies = False
        self.messages: list[TwilioMessage] = []
        self.phone_calls: list[TwilioCall] = []
        self._numbers = itertools.count(1)

    # What a test looks at and does -----------------------------------------------------------------------------------

    @property
    def sent(self) -> list[TwilioMessage]:
        """Return what was sent to phones, oldest first."""
        with self.lock:
            return [message for message in self.messages if message.direction == "outbound-api"]

    def sent_to(self, phone: str) -> list[str]:
        """Return the texts sent to one phone, oldest first."""
        return [message.body for message in self.sent if message.to == phone]

    def inbound(self, from_: str, body: str, *, to: str | None = None, at: datetime | None = None) -> str:
        """Let somebody text us; return the message's sid."""
        instant = as_utc(at or self.clock())
        message = TwilioMessage(
            sid=self._sid("SM"),
            to=to or self.numbers[0],
            from_=from_,
            body=body,
            direction="inbound",
            status="received",
            created_at=instant,
            sent_at=instant,
        )
        with self.lock:
            self.messages.append(message)
        return message.sid

    def set_status(self, sid: str, status: str, error_code: int | None = None) -> None:
        """Let a message or call end like this."""
        with self.lock:
            for message in self.messages:
                if message.sid == sid:
                    message.status, message.error_code = status, error_code
            for call in self.phone_calls:
                if call.sid == sid:
                    call.status = status

    def _sid(self, prefix: str) -> str:
        return prefix + uuid.uuid4().hex

    # The API ---------------------------------------------------------------------------------------------------------

    def _route(self, verb: str, path: str) -> str:
        inside = path.removeprefix(f"/2010-04-01/Accounts/{self.account_sid}")
        if inside == ".json":
            return "account.fetch"
        parts = inside.strip("/").removesuffix(".json").split("/")
        names = {
            "Messages": "messages",
            "Calls": "calls",
            "Balance": "balance",
            "IncomingPhoneNumbers": "incoming_phone_numbers",
        }
        noun = names.get(parts[0])
        if noun is None or inside == path:
            return path
        if noun == "balance":
            return "balance.fetch"
        if len(parts) == 1:
            return f"{noun}.create" if verb == "POST" else f"{noun}.list"
        return f"{noun}.{ {'GET': 'fetch', 'POST': 'update', 'DELETE': 'delete'}.get(verb, verb) }"

    def _provider_error(self, fault: Fault) -> HttpAnswer:
        if fault.kind == "rate_limited":
            return _error(20429, 429)
        code = int(fault.error or 20500)
        return _error(code, fault.status or 400)

    def _answer(self, call: Call) -> HttpAnswer:
        expected = base64.b64encode(f"{self.account_sid}:{self.auth_token}".encode()).decode()
        if call.headers.get("authorization") != f"Basic {expected}":
            return _error(20003, 401)
        handlers: dict[str, Callable[[Call], HttpAnswer]] = {
            "messages.create": self._create_message,
            "messages.list": self._list_messages,
            "messages.fetch": self._fetch_message,
            "messages.update": self._update_message,
            "messages.delete": self._delete_message,
            "calls.create": self._create_call,
            "calls.list": self._list_calls,
            "calls.fetch": self._fetch_call,
            "account.fetch": self._account,
            "balance.fetch": self._balance,
            "incoming_phone_numbers.list": self._incoming_numbers,
        }
        handler = handlers.get(call.name)
        if handler is None:
            return _error(20404, 404)
        with self.lock:
            return handler(call)

    def _create_message(self, call: Call) -> HttpAnswer:
        params = call.params
        to, sender = str(params.get("To", "")), str(params.get("From", ""))
        service, body = str(params.get("MessagingServiceSid", "")), str(params.get("Body", ""))
        problem = self._message_problem(to, sender, service, body)
        if problem is not None:
            return _error(problem, 400)
        message = TwilioMessage(
            sid=self._sid("SM"),
            to=to,
            from_=sender or self.numbers[0],
            body=body,
            direction="outbound-api",
            status="accepted" if service else "queued",
            created_at=as_utc(self.clock()),
            messaging_service_sid=service or None,
        )
        self.messages.append(message)
        return json_answer(self._message_json(message), status=201)

    def _message_problem(self, to: str, sender: str, service: str, body: str) -> int | None:
        if not E164.match(to):
            return 21211
        if not sender and not service:
            return 21603
        if sender and sender.startswith("+") and sender not in self.numbers:
            return 21606
        if service and service not in self.messaging_services:
            return 21606
        if not body:
            return 21602
        if len(body) > 1600:
            return 21617
        return 21610 if to in self.opted_out else None

    def _message_json(self, message: TwilioMessage) -> dict[str, Any]:
        hidden = self.redact_bodies and message.status in ("delivered", "sent", "received", "undelivered", "failed")
        return {
            "sid": message.sid,
            "account_sid": self.account_sid,
            "to": message.to,
            "from": message.from_,
            "body": "" if hidden else message.body,
            "direction": message.direction,
            "status": message.status,
            "error_code": message.error_code,
            "error_message": None,
            "messaging_service_sid": message.messaging_service_sid,
            "num_segments": "1",
            "num_media": "0",
            "date_created": _rfc2822(message.created_at),
            "date_sent": _rfc2822(message.sent_at),
            "date_updated": _rfc2822(message.sent_at or message.created_at),
            "price": None,
            "price_unit": "USD",
            "api_version": "2010-04-01",
            "uri": f"/2010-04-01/Accounts/{self.account_sid}/Messages/{message.sid}.json",
            "subresource_uris": {},
        }

    def _list_messages(self, call: Call) -> HttpAnswer:
        params = call.params
        found = [
            message
            for message in self.messages
            if params.get("To") in (None, message.to)
            and params.get("From") in (None, message.from_)
            and _on_day(message.sent_at, params, "DateSent")
        ]
        found.sort(key=lambda message: message.sent_at or message.created_at, reverse=True)  # newest first
        return self._page("messages", "Messages", [self._message_json(message) for message in found], params)

    def _find_message(self, call: Call) -> TwilioMessage | None:
        sid = call.path.rsplit("/", 1)[-1].removesuffix(".json")
        return next((message for message in self.messages if message.sid == sid), None)

    def _fetch_message(self, call: Call) -> HttpAnswer:
        message = self._find_message(call)
        if message is None:
            return _error(20404, 404)
        if self.settle and message.status in ("queued", "accepted", "sending"):
            message.status, message.error_code = self.outcomes.get(message.to, ("delivered", None))
            message.sent_at = as_utc(self.clock())
        return json_answer(self._message_json(message))

    def _update_message(self, call: Call) -> HttpAnswer:
        message = self._find_message(call)
        if message is None:
            return _error(20404, 404)
        if call.params.get("Body") == "":
            message.body = ""  # Twilio's way to redact one message
        return json_answer(self._message_json(message))

    def _delete_message(self, call: Call) -> HttpAnswer:
        message = self._find_message(call)
        if message is None:
            return _error(20404, 404)
        self.messages.remove(message)
        return HttpAnswer(status=204)

    def _create_call(self, call: Call) -> HttpAnswer:
        params = call.params
        to, sender, twiml = str(params.get("To", "")), str(params.get("From", "")), str(params.get("Twiml", ""))
        if not E164.match(to):
            return _error(21211, 400)
        if sender not in self.numbers:
            return _error(21212, 400)
        if len(twiml) > 4000:
            return _error(12100, 400)
        try:
            if ElementTree.fromstring(twiml).tag != "Response":
                return _error(12100, 400)
        except ElementTree.ParseError:
            return _error(12100, 400)
        placed = TwilioCall(
            sid=self._sid("CA"),
            to=to,
            from_=sender,
            twiml=twiml,
            status="queued",
            created_at=as_utc(self.clock()),
        )
        self.phone_calls.append(placed)
        return json_answer(self._call_json(placed), status=201)

    def _call_json(self, call: TwilioCall) -> dict[str, Any]:
        return {
            "sid": call.sid,
            "account_sid": self.account_sid,
            "to": call.to,
            "from": call.from_,
            "status": call.status,
            "direction": "outbound-api",
            "date_created": _rfc2822(call.created_at),
            "date_updated": _rfc2822(call.started_at or call.created_at),
            "start_time": _rfc2822(call.started_at),
            "end_time": None,
            "duration": None,
            "answered_by": None,
            "uri": f"/2010-04-01/Accounts/{self.account_sid}/Calls/{call.sid}.json",
            "subresource_uris": {},
        }

    def _list_calls(self, call: Call) -> HttpAnswer:
        params = call.params
        found = [
            placed
            for placed in self.phone_calls
            if params.get("To") in (None, placed.to)
            and params.get("From") in (None, placed.from_)
            and params.get("Status") in (None, placed.status)
            and _on_day(placed.started_at, params, "StartTime")
        ]
        found.sort(key=lambda placed: placed.created_at, reverse=True)
        return self._page("calls", "Calls", [self._call_json(placed) for placed in found], params)

    def _fetch_call(self, call: Call) -> HttpAnswer:
        sid = call.path.rsplit("/", 1)[-1].removesuffix(".json")
        placed = next((placed for placed in self.phone_calls if placed.sid == sid), None)
        if placed is None:
            return _error(20404, 404)
        if self.settle and placed.status in ("queued", "ringing", "in-progress"):
            placed.status = self.call_outcomes.get(placed.to, "completed")
            placed.started_at = as_utc(self.clock())
        return json_answer(self._call_json(placed))

    def _account(self, _: Call) -> HttpAnswer:
        return json_answer(
            {
                "sid": self.account_sid,
                "friendly_name": "Acme",
                "status": "active",
                "type": "Full",
                "auth_token": "",
                "date_created": _rfc2822(as_utc(self.clock())),
                "date_updated": _rfc2822(as_utc(self.clock())),
                "owner_account_sid": self.account_sid,
                "subresource_uris": {},
                "uri": f"/2010-04-01/Accounts/{self.account_sid}.json",
            }
        )

    def _balance(self, _: Call) -> HttpAnswer:
        return json_answer({"account_sid": self.account_sid, "balance": "12.34", "currency": "USD"})

    def _incoming_numbers(self, call: Call) -> HttpAnswer:
        rows = [
            {
                "sid": "PN" + f"{index:032d}",
                "account_sid": self.account_sid,
                "phone_number": number,
                "friendly_name": number,
                "capabilities": {"voice": True, "sms": True, "mms": False, "fax": False},
                "date_created": _rfc2822(as_utc(self.clock())),
                "date_updated": _rfc2822(as_utc(self.clock())),
            }
            for index, number in enumerate(self.numbers)
            if call.params.get("PhoneNumber") in (None, number)
        ]
        return self._page("incoming_phone_numbers", "IncomingPhoneNumbers", rows, call.params)

    def _page(self, key: str, noun: str, rows: list[dict[str, Any]], params: Mapping[str, Any]) -> HttpAnswer:
        size = min(int(params.get("PageSize") or 50), 1000)
        page = int(params.get("Page") or 0)
        shown = rows[page * size : (page + 1) * size]
        more = (page + 1) * size < len(rows)
        filters = "".join(
            f"&{name.replace('>', '%3E').replace('<', '%3C')}={str(value).replace('+', '%2B')}"
            for name, value in params.items()
            if name not in ("PageSize", "Page", "PageToken")
        )
        uri = f"/2010-04-01/Accounts/{self.account_sid}/{noun}.json?PageSize={size}&Page={page + 1}{filters}"
        return json_answer(
            {
                key: shown,
                "page": page,
                "page_size": size,
                "start": page * size,
                "end": page * size + len(shown) - 1,
                "first_page_uri": "",
                "previous_page_uri": None,
                "next_page_uri": uri if more else None,
                "uri": "",
            }
        )


def _error(code: int, status: int) -> HttpAnswer:
    return json_answer(
        {
            "code": code,
            "message": _WORDS.get(code, f"Error {code}"),
            "more_info": f"https://www.twilio.com/docs/errors/{code}",
            "status": status,
        },
        status=status,
    )


def _rfc2822(instant: datetime | None) -> str | None:
    return None if instant is None else format_datetime(instant.replace(microsecond=0))


def _on_day(instant: datetime | None, params: Mapping[str, Any], name: str) -> bool:
    """Twilio filters by GMT day, both ends included, and what was not sent yet has no day."""
    asked = {sign: params[name + sign][:10] for sign in ("", "<", ">") if params.get(name + sign)}
    if not asked:
        return True
    if instant is None:
        return False
    day = instant.date().isoformat()
    return (
        ("" not in asked or day == asked[""])
        and ("<" not in asked or day <= asked["<"])
        and (">" not in asked or day >= asked[">"])
    )
