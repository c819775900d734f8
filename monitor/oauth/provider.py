"""What Google and Microsoft have in common: a grant, a refusal, and where their doors are."""

import sys
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Protocol

from monitor.errors import MailboxError, ReplyByError

HTTP_TIMEOUT_SECONDS = 20.0
MISSING_EXTRA = (
    "The libraries for signing in are not installed. "
    f"Run `{sys.executable} -m pip install 'msal>=1.39,<2' 'google-auth>=2.62,<3'`."
)
"""By their own names: where ReplyBy itself was installed from is not known here."""

TRIES_AGAIN = "ReplyBy tries again."
TEMPORARY = frozenset({"temporarily_unavailable", "server_error", "service_unavailable", "internal_failure"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """What a provider's token endpoint answered. `refresh_token` None: the old one stays."""

    access_token: str = field(repr=False)
    expires_in: timedelta
    refresh_token: str | None = field(default=None, repr=False)
    refresh_expires_in: timedelta | None = None


_RAN_OUT = "The code ran out before it was typed. Try again, and type it at once."
_CLIENT = "Check client_id and client_secret in config.toml against the provider's console."
_ADVICE = {
    "expired_token": _RAN_OUT,
    "code_expired": _RAN_OUT,
    "authorization_pending": _RAN_OUT,
    "invalid_client": _CLIENT,
    "unauthorized_client": _CLIENT,
    "invalid_grant": "The code was used already, or it ran out. Try again.",
    "unknown_tenant": "Check tenant in config.toml: the Directory (tenant) ID.",
    "no_refresh_token": "Take ReplyBy's access back in the account's settings, and try again.",
}


class Refused(ReplyByError):
    """The provider said no: trying again is useless until a person signs in. `code` is its own word for why."""

    def __init__(self, code: str) -> None:
        """Keep the code, cut to what a code may be: error descriptions can hold addresses and ids."""
        self.code = "".join(char for char in code if char.isalnum() or char in "_-.")[:60] or "no_reason_given"
        advice = _ADVICE.get(self.code, "Try again, and allow the access.")
        super().__init__(f"The sign-in was refused ({self.code}). {advice}")


class Provider(Protocol):
    """One house: renews grants. Signing in differs and has functions of its own."""

    @property
    def name(self) -> str:
        """How people call it: "Google"."""

    def renew(self, refresh_token: str) -> Grant:
        """Return a new access token.

        Raises:
            Refused: the refresh token is no longer good.
            MailboxError: the provider could not be asked; `retryable` by nature.
        """


def grant_from(answer: dict[str, Any]) -> Grant:
    """Return the grant of a token endpoint's JSON answer.

    Raises:
        Refused: the answer holds an error, or no token.
    """
    if "error" in answer or not answer.get("access_token"):
        raise Refused(str(answer.get("error", "no_token")))
    ends = answer.get("refresh_token_expires_in")
    return Grant(
        access_token=str(answer["access_token"]),
        expires_in=timedelta(seconds=_seconds(answer.get("expires_in"), 3600)),
        refresh_token=str(answer["refresh_token"]) if answer.get("refresh_token") else None,
        refresh_expires_in=timedelta(seconds=_seconds(ends, 0)) if ends else None,
    )


def _seconds(value: Any, default: int) -> int:
    try:
        return min(max(int(value), 0), 10**9)
    except (TypeError, ValueError):
        return default


def unreachable(host: str) -> MailboxError:
    """Return the error for a provider that could not be asked."""
    return MailboxError(f"{host}: sign-in server not reachable. {TRIES_AGAIN}", "unreachable")
