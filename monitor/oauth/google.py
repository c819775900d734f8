"""Signing in to Google: a redirect to this machine with PKCE, and renewal with google-auth.

Google allows mail by no device code, so that a browser has to come back to a loopback address; where the browser runs on
another machine, its last address is pasted.
"""

import base64
import hashlib
import json
import secrets
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from monitor.config.model import MailboxConfig
from monitor.oauth.loopback import LoopbackListener
from monitor.oauth.provider import HTTP_TIMEOUT_SECONDS, TEMPORARY, Grant, Refused, grant_from, unreachable

SCOPE = "https://mail.google.com/"
AUTHORIZE = "https://accounts.google.com/o/oauth2/v2/auth"
TOKEN = "https://oauth2.googleapis.com/token"  # noqa: S105 - an address
TRIES = 5
NOT_YET = "No browser came back yet. Allow the access in the browser, or paste the address at which it ended."
NOT_THIS = "Not the address of this sign-in. Copy the whole line from the browser's address bar."


class Google:
    """Google's token endpoint, asked with a client of the seller's own."""

    name = "Google"

    def __init__(self, mailbox: MailboxConfig) -> None:
        """Ask nothing yet."""
        self._mailbox = mailbox
        self._endpoint = mailbox.token_endpoint or TOKEN

    def renew(self, refresh_token: str) -> Grant:
        """Return a new access token; Google keeps the refresh token as it is."""
        from google.auth.exceptions import GoogleAuthError, RefreshError
        from google.oauth2.credentials import Credentials

        credentials = Credentials(  # type: ignore[no-untyped-call]
            token=None,
            refresh_token=refresh_token,
            token_uri=self._endpoint,
            client_id=self._mailbox.client_id,
            client_secret=self._mailbox.client_secret,
        )
        transport = _Transport()
        try:
            credentials.refresh(transport)  # type: ignore[no-untyped-call]
        except RefreshError as error:
            raise Refused(_code_of(error)) from None
        except GoogleAuthError:
            raise unreachable(self._endpoint) from None
        return grant_from(transport.answer)  # holds what Credentials leaves out: seconds to live, the sign-in's end

    def sign_in(self, show: Callable[[str], None], wait: Callable[[LoopbackListener], str]) -> Grant:
        """Return what a person allowed in a browser.

        Args:
            show: prints the address to open.
            wait: returns the address the browser ended at: the listener's own, or one that was pasted; "" for none yet.
                An address of another sign-in, or none, is told and asked for again, a few times.

        Raises:
            Refused: declined, or no answer of this sign-in came.
            MailboxError: Google could not be asked.
        """
        import google.auth.exceptions  # noqa: F401  missing, it shall be told before a person signs in for nothing

        verifier = secrets.token_urlsafe(64)
        state = secrets.token_urlsafe(24)
        with LoopbackListener() as listener:
            show(f"Open this address in a browser and allow the access:\n{self._address(listener, verifier, state)}")
            for _ in range(TRIES):
                address = wait(listener)
                query = parse_qs(urlsplit(address).query)
                if query.get("state") != [state]:
                    show(NOT_YET if not address else NOT_THIS)
                    continue
                if query.get("error") or not query.get("code"):
                    raise Refused(query.get("error", ["no_code"])[0])
                return self._exchange(query["code"][0], verifier, listener.redirect_uri)
        raise Refused("no_answer")

    def _address(self, listener: LoopbackListener, verifier: str, state: str) -> str:
        challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
        base = f"{self._endpoint.rpartition('/')[0]}/authorize" if self._mailbox.token_endpoint else AUTHORIZE
        parameters = {
            "client_id": self._mailbox.client_id,
            "redirect_uri": listener.redirect_uri,
            "response_type": "code",
            "scope": SCOPE,
            "access_type": "offline",
            "prompt": "consent",  # without it a second sign-in gets no refresh token
            "login_hint": self._mailbox.username,
            "state": state,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
        }
        return f"{base}?{urlencode(parameters)}"

    def _exchange(self, code: str, verifier: str, redirect_uri: str) -> Grant:
        from google.auth.exceptions import TransportError

        body = urlencode(
            {
                "grant_type": "authorization_code",
                "code": code,
                "code_verifier": verifier,
                "client_id": self._mailbox.client_id,
                "client_secret": self._mailbox.client_secret,
                "redirect_uri": redirect_uri,
            }
        )
        headers = {"content-type": "application/x-www-form-urlencoded"}
        transport = _Transport()
        try:
            transport(self._endpoint, method="POST", body=body.encode(), headers=headers)
        except TransportError:
            raise unreachable(self._endpoint) from None
        grant = grant_from(transport.answer)
        if grant.refresh_token is None:
            raise Refused("no_refresh_token")
        return grant


class _Transport:
    """What google-auth sends its requests by: with our time limit. `answer` is the last JSON object that came back."""

    def __init__(self) -> None:
        from google.auth.transport.requests import Request

        self._request: Any = Request()
        self.answer: dict[str, Any] = {}

    def __call__(self, url: str, **options: Any) -> Any:
        from google.auth.exceptions import TransportError

        response = self._request(url, **{**options, "timeout": HTTP_TIMEOUT_SECONDS})
        try:
            answer = json.loads(response.data)
        except ValueError:
            answer = {}
        self.answer = answer if isinstance(answer, dict) else {}
        if response.status >= 500 or response.status == 429 or self.answer.get("error") in TEMPORARY:
            # Told at once: google-auth itself would sleep and try again, which the keeper does better.
            raise TransportError("temporary")  # type: ignore[no-untyped-call]
        return response


def _code_of(error: Exception) -> str:
    """Return Google's own code ("invalid_grant") from the second argument, which is its answer."""
    details = error.args[1] if len(error.args) > 1 else None
    return str(details.get("error", "refused")) if isinstance(details, dict) else "refused"
