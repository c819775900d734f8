"""Signing in to Microsoft 365 with msal: the device code, and renewal. Basic authentication no longer exists there."""

import json
from collections.abc import Callable
from typing import Any

from monitor.config.model import MailboxConfig
from monitor.oauth.provider import HTTP_TIMEOUT_SECONDS, TEMPORARY, Grant, Refused, grant_from, unreachable

SCOPES = ["https://outlook.office365.com/IMAP.AccessAsUser.All"]
AUTHORITY = "https://login.microsoftonline.com"


class Microsoft:
    """The token endpoint of one directory ("tenant")."""

    name = "Microsoft"

    def __init__(self, mailbox: MailboxConfig) -> None:
        """Ask nothing yet."""
        self._mailbox = mailbox

    def renew(self, refresh_token: str) -> Grant:
        """Return a new access token and the refresh token that replaces the old one."""
        answer = self._ask(lambda app: app.acquire_token_by_refresh_token(refresh_token, scopes=SCOPES))
        return self._grant(answer)

    def sign_in(self, show: Callable[[str], None]) -> Grant:
        """Return what a person allowed by typing a code into a browser; `show` prints where and which.

        Raises:
            Refused: declined, or the code ran out.
            MailboxError: Microsoft could not be asked.
        """
        app = self._ask(lambda app: app)
        flow = self._ask(lambda _: app.initiate_device_flow(scopes=SCOPES))
        if "user_code" not in flow:
            raise Refused(str(flow.get("error", "no_code")))
        show(f"Open {flow['verification_uri']} in any browser, type the code {flow['user_code']} and allow the access.")
        return self._grant(self._ask(lambda _: app.acquire_token_by_device_flow(flow)))

    def _grant(self, answer: dict[str, Any]) -> Grant:
        if answer.get("error") in TEMPORARY:
            raise unreachable(self._host)
        return grant_from(answer)

    @property
    def _host(self) -> str:
        return self._mailbox.token_endpoint or AUTHORITY.removeprefix("https://")

    def _ask(self, ask: Callable[[Any], Any]) -> Any:
        """Return what msal answers; whatever goes wrong on the way there is the network's."""
        import msal
        import requests

        try:
            return ask(
                msal.PublicClientApplication(
                    self._mailbox.client_id,
                    authority=f"{AUTHORITY}/{self._mailbox.tenant or 'organizations'}",
                    instance_discovery=False,
                    http_client=_HttpClient(self._mailbox.token_endpoint),
                )
            )
        except (requests.RequestException, msal.exceptions.MsalError, RuntimeError):
            raise unreachable(self._host) from None
        except ValueError as error:
            if "OIDC Discovery failed" in str(error):  # msal's way to say that there is no such directory
                raise Refused("unknown_tenant") from None
            raise unreachable(self._host) from None  # an answer that is no JSON


class _HttpClient:
    """What msal sends its requests by: with a time limit, and to another address where one is configured."""

    def __init__(self, token_endpoint: str) -> None:
        import requests

        self._session = requests.Session()
        self._token_endpoint = token_endpoint

    def get(self, url: str, **options: Any) -> Any:
        if self._token_endpoint:
            return _Discovered(url)
        return self._session.get(url, timeout=HTTP_TIMEOUT_SECONDS, **options)

    def post(self, url: str, **options: Any) -> Any:
        if self._token_endpoint:
            base = self._token_endpoint.rpartition("/")[0]
            url = f"{base}/devicecode" if url.endswith("/devicecode") else self._token_endpoint
        return self._session.post(url, timeout=HTTP_TIMEOUT_SECONDS, **options)

    def close(self) -> None:
        self._session.close()


class _Discovered:
    """A directory's description without asking for it; msal insists on addresses with https."""

    status_code = 200

    def __init__(self, url: str) -> None:
        base = url.partition("/v2.0/")[0]
        self.headers: dict[str, str] = {}
        self.text = json.dumps(
            {
                "issuer": f"{base}/v2.0",
                "authorization_endpoint": f"{base}/oauth2/v2.0/authorize",
                "token_endpoint": f"{base}/oauth2/v2.0/token",
                "device_authorization_endpoint": f"{base}/oauth2/v2.0/devicecode",
            }
        )

    def raise_for_status(self) -> None:
        """Raise nothing: it was not fetched."""
