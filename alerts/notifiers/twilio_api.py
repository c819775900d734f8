"""Twilio's client as we need it: with a time-out, without retries, at any address; and what its failures mean.

The library waits for ever by default, reaches another host only by rewriting its requests, and lets raw `requests` errors
through.
"""

import logging
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final
from urllib.parse import urlsplit, urlunsplit

from twilio.base.exceptions import TwilioException, TwilioRestException
from twilio.http.http_client import TwilioHttpClient
from twilio.rest import Client

from alerts.errors import DeliveryError, Reason
from alerts.notifiers.http import bad_answer, network_error, redact, retry_after_of, status_error

DEFAULT_API_URL: Final = "https://api.twilio.com"

# Codes that end a delivery for good. Source: twilio.com/docs/api/errors.
PERMANENT: Final[Mapping[int, tuple[Reason, str]]] = {
    20003: (Reason.BAD_CREDENTIALS, "Check [twilio] account_sid and auth_token."),
    20005: (Reason.BAD_CREDENTIALS, "The account is not active; look at Twilio's console."),
    20008: (Reason.BAD_CREDENTIALS, "These are test credentials; set the live ones."),
    21205: (Reason.REJECTED, "The call was refused."),
    21210: (Reason.REJECTED, "`from` may not call; verify the number at Twilio."),
    21211: (Reason.BAD_ADDRESS, "Check the phone number."),
    21212: (Reason.REJECTED, "`from` is no number of this account."),
    21214: (Reason.BAD_ADDRESS, "The phone number cannot be reached."),
    21215: (Reason.REJECTED, "Allow this country in Twilio's geographic permissions."),
    21217: (Reason.BAD_ADDRESS, "Write the phone number as +33600000001."),
    21219: (Reason.BAD_ADDRESS, "A trial account reaches verified numbers only."),
    21408: (Reason.REJECTED, "Allow this country in Twilio's geographic permissions."),
    21601: (Reason.REJECTED, "`from` cannot send SMS."),
    21603: (Reason.REJECTED, "Set `from` or messaging_service_sid."),
    21606: (Reason.REJECTED, "`from` cannot send SMS from this account."),
    21608: (Reason.BAD_ADDRESS, "A trial account reaches verified numbers only."),
    21610: (Reason.OPTED_OUT, "This person sent STOP; only START from that phone brings the SMS back."),
    21612: (Reason.REJECTED, "This sender cannot reach this country; set another by country prefix."),
    21614: (Reason.BAD_ADDRESS, "The number cannot receive SMS: is it a landline?"),
    21617: (Reason.REJECTED, "The text is too long."),
    21659: (Reason.REJECTED, "`from` is no number of this account."),
    21660: (Reason.REJECTED, "`from` belongs to another account."),
    21703: (Reason.REJECTED, "The messaging service has no sender."),
    30002: (Reason.BAD_CREDENTIALS, "The account is suspended; look at Twilio's console."),
    30004: (Reason.OPTED_OUT, "The phone blocks these messages."),
    30005: (Reason.BAD_ADDRESS, "No such phone any more."),
    30006: (Reason.BAD_ADDRESS, "A landline, or a network that cannot be reached."),
    30007: (Reason.REJECTED, "The network filters these messages; register the sender."),
    30032: (Reason.REJECTED, "The toll-free sender is not verified; register it."),
    30034: (Reason.REJECTED, "The sender is not registered (A2P 10DLC); register it."),
}
TEMPORARY: Final[Mapping[int, Reason]] = {
    20429: Reason.RATE_LIMITED,
    14107: Reason.RATE_LIMITED,
    21611: Reason.RATE_LIMITED,  # the sender's queue is full
    30001: Reason.RATE_LIMITED,  # queue overflow
    30003: Reason.UNDELIVERED,  # unreachable: the phone is off
    30008: Reason.UNDELIVERED,  # unknown error of the network
    30017: Reason.UNDELIVERED,  # the network is congested
    30022: Reason.RATE_LIMITED,
}


class _RebasedHttpClient(TwilioHttpClient):  # type: ignore[misc]
    """Sends every request to `api_url`; never follows a redirect; keeps the last headers of an error."""

    def __init__(self, api_url: str, timeout_seconds: float) -> None:
        silent = logging.getLogger("replyby.twilio")
        silent.setLevel(logging.CRITICAL)  # it logs addresses and phone numbers
        super().__init__(timeout=timeout_seconds, logger=silent)
        self._base = urlsplit(api_url)

    def request(self, method: str, url: str, *args: Any, **kwargs: Any) -> Any:
        asked = urlsplit(url)
        path = self._base.path.rstrip("/") + asked.path
        rebased = urlunsplit((self._base.scheme, self._base.netloc, path, asked.query, ""))
        kwargs["allow_redirects"] = False
        response = super().request(method, rebased, *args, **kwargs)
        if response.status_code >= 300:
            # The library's exception drops the headers, and with them Retry-After.
            raise _Refused(response)
        return response


class _Refused(Exception):
    def __init__(self, response: Any) -> None:
        self.response = response
        super().__init__(response.status_code)


def build_client(account_sid: str, auth_token: str, api_url: str, timeout_seconds: float) -> Client:
    """Return a client for this account at `api_url`; connects to nothing."""
    http_client = _RebasedHttpClient(api_url, timeout_seconds)
    # A TWILIO_EDGE or TWILIO_REGION left in the shell would change the host; an empty mapping would mean the shell's.
    return Client(account_sid, auth_token, http_client=http_client, environment={"TWILIO_EDGE": ""})


# What a call to the library may raise: `requests` errors (all OSError), undecodable answers, and JSON that is no object or
# holds none where it should, which the library reads without looking (AttributeError, TypeError).
CALL_ERRORS: Final = (TwilioException, _Refused, OSError, ValueError, KeyError, AttributeError, TypeError)


def twilio_error(where: str, problem: Exception, now: datetime, *, secrets: tuple[str, ...] = ()) -> DeliveryError:
    """Return what a failed call to Twilio means: its own code first, then the HTTP status."""
    if isinstance(problem, _Refused):
        return _refusal(where, problem.response, now, secrets)
    if isinstance(problem, TwilioRestException):
        return code_error(where, int(problem.code or 0)) or status_error(where, int(problem.status or 0))
    if isinstance(problem, OSError) and not isinstance(problem, TwilioException) and not _is_decoding(problem):
        return network_error(where, problem)
    return bad_answer(where, 200)  # 2xx with a page that is not Twilio's


def sid_of(where: str, created: Any) -> str:
    """Return the sid of what was created.

    Raises:
        DeliveryError: the answer has none: whoever gave it, perhaps nothing was created.
    """
    if not created.sid:
        raise bad_answer(where, 201)
    return str(created.sid)


def code_error(where: str, code: int, *, detail: str = "") -> DeliveryError | None:
    """Return what one of Twilio's codes means, or None for one that is not known."""
    shown = f"{where}: Twilio error {code}{detail}"
    if code in PERMANENT:
        reason, advice = PERMANENT[code]
        return DeliveryError(f"{shown}, not retried. {advice}", retryable=False, reason=reason)
    if code in TEMPORARY:
        return DeliveryError(f"{shown}. It is tried again.", retryable=True, reason=TEMPORARY[code])
    return None


def _refusal(where: str, response: Any, now: datetime, secrets: tuple[str, ...]) -> DeliveryError:
    status = int(response.status_code)
    retry_after = retry_after_of(dict(response.headers or {}), now)
    code, words = _code_of(response.text)
    if status < 500 and status != 429:
        known = code_error(where, code)
        if known is not None:
            return known
    detail = f"Twilio error {code}: {redact(words, secrets)[:120]}" if code else ""
    return status_error(where, status, retry_after=retry_after, detail=detail)


def _code_of(text: str) -> tuple[int, str]:
    import json

    try:
        answer = json.loads(text)
    except ValueError:
        return 0, ""
    if not isinstance(answer, dict) or not str(answer.get("code") or "").isdigit():
        return 0, ""
    return int(answer["code"]), str(answer.get("message") or answer.get("title") or "")


def _is_decoding(problem: OSError) -> bool:
    # requests.JSONDecodeError is an OSError too: the answer came, but was not JSON.
    return isinstance(problem, ValueError)
