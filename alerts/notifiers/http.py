"""What every notifier over a network shares: what a failure means, how long to wait, and what must not stand in its text.

The one question is whether the provider may have taken the message. A refused connection, a name that does not resolve and a
TLS certificate that is wrong happen before anything was said: not sent. Everything else after that is ambiguous.
"""

import email.utils
import errno
import re
import socket
import ssl
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Final

from alerts.errors import DeliveryError, Reason

DEFAULT_TIMEOUT_SECONDS: Final = 10.0
MAX_RETRY_AFTER: Final = timedelta(hours=1)  # a server that asks for a day would outlast the deadline
_UNREACHED: Final = frozenset(
    {errno.ECONNREFUSED, errno.EHOSTUNREACH, errno.ENETUNREACH, errno.EHOSTDOWN, errno.ENETDOWN, errno.EADDRNOTAVAIL}
)
# urllib3's names for "never got a connection"; by name, so that this module needs none of the HTTP libraries.
_NOT_CONNECTED: Final = frozenset(
    {"NewConnectionError", "NameResolutionError", "ConnectTimeoutError", "ConnectTimeout"}
)
_SECRETS: Final = (
    re.compile(r"xox[a-z]-[\w-]+|xapp-[\w-]+|xwfp-[\w-]+"),
    re.compile(r"(?i)(?:bearer|basic)\s+[\w+/=.~-]{8,}"),
    re.compile(r"(?i)\b(?:token|password|secret|auth|key|signature)=[^&\s]+"),
)
_URL: Final = re.compile(r"\b(https?|wss?)://([^\s/'\"<>)]+)[^\s'\"<>)]*")
_PHONE: Final = re.compile(r"\+\d{4,11}(?=\d{4}\b)")


def network_error(where: str, problem: BaseException) -> DeliveryError:
    """Return what a failure below HTTP means: not sent for certain, or ambiguous. Always worth another try."""
    causes = list(_causes(problem))
    if any(isinstance(cause, ssl.SSLCertVerificationError) for cause in causes):
        text = f"{where}: its TLS certificate is not valid. Check the address, and the clock and certificates of this machine."
        return DeliveryError(text, retryable=True, reason=Reason.UNREACHABLE)
    if any(isinstance(cause, socket.gaierror) for cause in causes):
        text = f"{where}: its name does not resolve. Check the address and this machine's DNS; it is tried again."
        return DeliveryError(text, retryable=True, reason=Reason.UNREACHABLE)
    if any(_is_unreached(cause) for cause in causes):
        text = f"{where}: no connection ({_kind(causes)}). Check network and address; it is tried again."
        return DeliveryError(text, retryable=True, reason=Reason.UNREACHABLE)
    if any(isinstance(cause, TimeoutError) or "Timeout" in type(cause).__name__ for cause in causes):
        text = f"{where}: no answer in time. It may have arrived: it is looked up before it is sent again."
        return DeliveryError(text, retryable=True, reason=Reason.TIMEOUT, ambiguous=True)
    text = f"{where}: the connection broke ({_kind(causes)}). It may have arrived: it is looked up before it is sent again."
    return DeliveryError(text, retryable=True, reason=Reason.UNREACHABLE, ambiguous=True)


def status_error(where: str, status: int, *, retry_after: timedelta | None = None, detail: str = "") -> DeliveryError:
    """Return what an HTTP status other than success means.

    429 was certainly not accepted. A 5xx may come from a gateway in front of a provider that has taken the message: ambiguous.
    Every other 4xx, and a redirect (never followed: it could lead a secret elsewhere), is for good.
    """
    said = f" ({detail})" if detail else ""
    if status == 429:
        text = f"{where}: HTTP 429, too many requests{said}. It is sent again when the server asks for it."
        return DeliveryError(text, retryable=True, reason=Reason.RATE_LIMITED, retry_after=retry_after)
    if status in (408, 425):
        return DeliveryError(
            f"{where}: HTTP {status}{said}. It is tried again.", retryable=True, reason=Reason.TIMEOUT, ambiguous=True
        )
    if status >= 500:
        text = f"{where}: HTTP {status}{said}. It is looked up, and tried again."
        return DeliveryError(text, retryable=True, reason=Reason.SERVER_ERROR, ambiguous=True, retry_after=retry_after)
    if status in (401, 403):
        text = f"{where}: HTTP {status}, refused{said}, not retried. Check its credentials."
        return DeliveryError(text, retryable=False, reason=Reason.BAD_CREDENTIALS)
    if status in (404, 410):
        text = f"{where}: HTTP {status}, not retried{said}. The address is gone; set a new one."
        return DeliveryError(text, retryable=False, reason=Reason.GONE)
    if 300 <= status < 400:
        text = f"{where}: HTTP {status}, a redirect, not followed{said}. Set the address it leads to."
        return DeliveryError(text, retryable=False, reason=Reason.REJECTED)
    text = f"{where}: HTTP {status}, not retried{said}. Look at what the provider says about it."
    return DeliveryError(text, retryable=False, reason=Reason.REJECTED)


def bad_answer(where: str, status: int) -> DeliveryError:
    """Return the error for an answer that is not the provider's own (a proxy's HTML page with status 200)."""
    text = f"{where}: HTTP {status} with an answer that is not the provider's. Is a proxy in between? It is looked up first."
    return DeliveryError(text, retryable=True, reason=Reason.BAD_ANSWER, ambiguous=True)


def retry_after_of(headers: Mapping[str, str], now: datetime) -> timedelta | None:
    """Return how long the server asks to wait (`Retry-After`: seconds or an HTTP date), at most an hour, or None."""
    value = next((text for name, text in headers.items() if name.lower() == "retry-after"), None)
    if value is None:
        return None
    value = str(value).strip()
    if value.isdigit():
        return min(timedelta(seconds=int(value[:9])), MAX_RETRY_AFTER)
    try:
        at = email.utils.parsedate_to_datetime(value)
    except ValueError:
        return None
    at = at if at.tzinfo else at.replace(tzinfo=UTC)
    return min(max(at - now, timedelta(0)), MAX_RETRY_AFTER)


def redact(text: str, secrets: Iterable[str] = ()) -> str:
    """Return text without tokens, passwords, phone numbers (but their last four digits) and the paths of addresses."""
    for secret in secrets:
        if len(secret) >= 4:
            text = text.replace(secret, "***")
    for pattern in _SECRETS:
        text = pattern.sub("***", text)
    text = _URL.sub(lambda found: f"{found[1]}://{found[2].rsplit('@', 1)[-1]}/***", text)
    return _PHONE.sub("+***", text)


def mask_phone(phone: str) -> str:
    """Return a phone number fit for a log: its country's first digits and the last four."""
    return f"{phone[:3]}***{phone[-4:]}" if len(phone) > 7 else "***"


def _causes(problem: BaseException) -> Iterator[BaseException]:
    """The problem, and everything that is wrapped inside: `reason`, arguments, cause, context."""
    waiting: list[object] = [problem]
    seen: set[int] = set()
    while waiting:
        cause = waiting.pop(0)
        if not isinstance(cause, BaseException) or id(cause) in seen:
            continue
        seen.add(id(cause))
        yield cause
        waiting.extend([getattr(cause, "reason", None), *cause.args, cause.__cause__, cause.__context__])


def _is_unreached(cause: BaseException) -> bool:
    if isinstance(cause, ConnectionRefusedError):
        return True
    if isinstance(cause, OSError) and cause.errno in _UNREACHED:
        return True
    return type(cause).__name__ in _NOT_CONNECTED


def _kind(causes: list[BaseException]) -> str:
    return type(causes[-1]).__name__
