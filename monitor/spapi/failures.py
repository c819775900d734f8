"""Whatever the library, its HTTP client or Amazon throws -> one `AmazonError` that says what to do. Pure.

The library has four families: its own `SellingApiException` (401 and 502 as the bare base class), `AuthorizationError` of the
login, httpx's, and whatever falls out of an answer of another shape. What Amazon writes in prose is never passed on: it may
repeat what it was sent.
"""

import re
import zlib
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import httpx
from sp_api.auth.exceptions import AuthorizationError
from sp_api.base.exceptions import SellingApiException

from monitor.errors import AmazonError, AmazonLoginRefused, AmazonRoleMissing, AmazonThrottled
from monitor.spapi.bounded import Overrun
from monitor.spapi.rates import parse_rate

ROLE_ADVICE = {
    "report": (
        "Give the application the role Selling Partner Insights, authorise it again and set the new refresh_token; "
        "where other marketplaces are answered, take this one out of `marketplaces`."
    ),
    "order": (
        "Give the application the role Selling Partner Insights or Inventory and Order Tracking, "
        "authorise it again and set the new refresh_token."
    ),
}
LONGEST_PAUSE = timedelta(hours=6)
ODD_ANSWERS = (AttributeError, TypeError, ValueError, LookupError, zlib.error)
"""What the library raises over an answer of another shape: a list, a number, no JSON, no gzip."""

KNOWN = (SellingApiException, AuthorizationError, httpx.HTTPError, httpx.InvalidURL, OSError, *ODD_ANSWERS)
_TOKEN_ENDED = frozenset({"401", "unauthorized"})


def amazon_error(where: str, error: BaseException, *, about: str = "report") -> AmazonError:
    """Return what an exception means; `where` begins its line, `about` ("report", "order") picks the role that is named."""
    if isinstance(error, AmazonError):
        return error
    if isinstance(error, AuthorizationError):
        return _login_error(where, error)
    if isinstance(error, SellingApiException):
        return _api_error(where, error, about)
    if isinstance(error, httpx.TimeoutException | TimeoutError | Overrun):
        return AmazonError(f"{where}: no answer in time. Tried again later.", retryable=True, reason="timeout")
    if isinstance(error, httpx.HTTPError | httpx.InvalidURL | OSError):
        said = type(error).__name__
        return AmazonError(
            f"{where}: no connection{_host(error)} ({said}). Check the network and its proxy; tried again later.",
            retryable=True,
            reason="unreachable",
        )
    said = type(error).__name__
    return AmazonError(
        f"{where}: an answer that cannot be read ({said}). Tried again later.", retryable=True, reason="unreadable"
    )


def empty_answer(where: str, payload: Any) -> AmazonError:
    """Return what an answer without the wanted key means: the library lets HTML, an empty body and problem+json pass."""
    status = payload.get("status") if isinstance(payload, Mapping) else None
    if status in (404, "404"):
        return AmazonError(
            f"{where}: HTTP 404, not retried. Amazon does not know it.", retryable=False, reason="not_found"
        )
    if isinstance(status, int) and 400 <= status < 500:
        return AmazonError(f"{where}: HTTP {status}, not retried. See the log.", retryable=False, reason="rejected")
    return AmazonError(f"{where}: an answer without content. Tried again later.", retryable=True, reason="empty")


def http_error(where: str, status: int, headers: Mapping[str, str]) -> AmazonError:
    """Return what an HTTP status of a document's download means: its address holds for minutes, so it is asked for anew."""
    if status == 429:
        return AmazonThrottled(f"{where}: HTTP 429. Tried again later.", retry_after=_retry_after(headers))
    reason = "server" if status >= 500 else "rejected"
    return AmazonError(f"{where}: HTTP {status}. Tried again later.", retryable=True, reason=reason)


def token_ended(error: BaseException) -> bool:
    """Return whether an error may only mean that the access token is no longer taken: 401, or 403 "Unauthorized"."""
    return isinstance(error, SellingApiException) and (
        getattr(error, "code", 0) == 403 or _code(error).lower() in _TOKEN_ENDED or "token" in _code(error).lower()
    )


def _host(error: BaseException) -> str:
    """Return " to" the host that was asked, where the exception knows; nothing else of an address is shown."""
    try:
        host = error.request.url.host if isinstance(error, httpx.RequestError) else ""
    except RuntimeError:  # it was raised before there was a request
        host = ""
    return f" to {host}" if re.fullmatch(r"[A-Za-z0-9.:_-]{1,100}", host) else ""


def _login_error(where: str, error: AuthorizationError) -> AmazonError:
    status = error.status_code if isinstance(error.status_code, int) else 0
    if status == 429:
        return AmazonThrottled(f"{where}: login throttled (HTTP 429). Tried again later.")
    if status >= 500:
        return AmazonError(
            f"{where}: login out of order (HTTP {status}). Tried again later.", retryable=True, reason="server"
        )
    code = _word(error.error_code)
    if code == "invalid_grant":
        advice = "The authorisation was taken back or is of another application: authorise it again, set refresh_token."
    elif status == 404:
        advice = "Check auth_endpoint: Login with Amazon does not answer there."
    elif code in ("invalid_client", "unauthorized_client"):
        advice = "Check lwa_app_id and lwa_client_secret; Amazon ends a secret after 180 days."
    else:
        advice = "Check refresh_token, lwa_app_id and lwa_client_secret."
    said = f"HTTP {status} {code}".rstrip()
    return AmazonLoginRefused(f"{where}: login refused ({said}). {advice}")


def _api_error(where: str, error: SellingApiException, about: str) -> AmazonError:
    status, code = getattr(error, "code", 999), _code(error)
    headers: Mapping[str, str] = error.headers if isinstance(error.headers, Mapping) else {}
    rate = parse_rate(headers.get("x-amzn-RateLimit-Limit"))
    said = f"HTTP {status} {code}".rstrip() if status != 999 else (code or "an error")
    if status == 403:
        return AmazonRoleMissing(f"{where}: {said}. {ROLE_ADVICE[about]}")
    if status == 429:
        return AmazonThrottled(f"{where}: {said}. Tried again later.", retry_after=_retry_after(headers), rate=rate)
    if status == 404:
        return AmazonError(
            f"{where}: {said}, not retried. Amazon does not know it.", retryable=False, reason="not_found", rate=rate
        )
    if status >= 500 and status != 999:
        return AmazonError(f"{where}: {said}. Tried again later.", retryable=True, reason="server", rate=rate)
    if status != 999:
        return AmazonError(f"{where}: {said}, not retried. See the log.", retryable=False, reason="rejected", rate=rate)
    # The bare base class: 401, 502 and whatever else has no class of its own.
    if token_ended(error):
        return AmazonLoginRefused(
            f"{where}: {said}: the access token is not taken. Check the application's authorisation."
        )
    return AmazonError(f"{where}: {said}. Tried again later.", retryable=True, reason="server", rate=rate)


def _retry_after(headers: Mapping[str, str]) -> timedelta | None:
    try:
        seconds = float(headers.get("Retry-After") or "")
    except ValueError:
        return None
    return timedelta(seconds=min(seconds, LONGEST_PAUSE.total_seconds())) if seconds > 0 else None


def _code(error: SellingApiException) -> str:
    return _word(getattr(error, "amzn_code", ""))


def _word(value: object) -> str:
    """Return an error code as it may be shown; prose is none."""
    text = str(value or "")
    return text if re.fullmatch(r"[A-Za-z0-9_.-]{1,40}", text) else ""
