"""Login with Amazon for one application: the library's own token client, with a cache of its own.

The library's cache belongs to the module, is keyed by the refresh token alone and keeps a token for 3,200 seconds whatever
Amazon says of it, so a renewed secret or a token taken back would be noticed an hour late.
"""

import threading
from collections.abc import Callable
from time import monotonic
from typing import Any
from urllib.parse import urlsplit

from sp_api.auth import AccessTokenClient, AccessTokenResponse

from monitor.errors import AmazonError

AMAZON = "https://api.amazon.com/auth/o2/token"
EARLY_SECONDS = 60.0
"""A token is renewed so long before its end: a call under way must not outlive it."""


class TokenCache:
    """One application's access token, as long as it holds."""

    def __init__(self) -> None:
        """Hold none."""
        self._lock = threading.Lock()
        self._token: AccessTokenResponse | None = None
        self._ends = 0.0

    def get(self, ask: Callable[[], dict[str, Any]]) -> AccessTokenResponse:
        """Return the token at hand, or a new one that `ask` brings.

        Raises:
            AmazonError: the answer holds no token.
        """
        with self._lock:
            if self._token is None or monotonic() >= self._ends:
                answer = ask()
                if not isinstance(answer, dict) or not isinstance(answer.get("access_token"), str):
                    raise AmazonError(
                        "Login with Amazon: an answer without a token. Tried again later.",
                        retryable=True,
                        reason="empty",
                    )
                lasts = answer.get("expires_in")
                seconds = float(lasts) if isinstance(lasts, int | float) else 3600.0
                self._token = AccessTokenResponse(**answer)
                self._ends = monotonic() + max(seconds - EARLY_SECONDS, 1.0)
            return self._token

    @property
    def held(self) -> bool:
        """Whether there is a token at hand, so that a refusal may be of the token alone."""
        return self._token is not None

    def forget(self) -> None:
        """Let go of the token."""
        with self._lock:
            self._token = None


def build_token_client(auth_endpoint: str, cache: TokenCache) -> type[AccessTokenClient]:
    """Return the class that the library makes its token client from, on this address ("" for Amazon's own)."""
    parts = urlsplit(auth_endpoint or AMAZON)
    address = f"{parts.scheme}://{parts.netloc}" + (parts.path if parts.path.strip("/") else "/auth/o2/token")

    class TokenClient(AccessTokenClient):  # type: ignore[misc]  # the library has no types
        """Asks `address` and keeps what it got in `cache`."""

        def get_auth(self) -> AccessTokenResponse:
            """Return a token that holds."""
            return cache.get(lambda: self._request(address, self.data, self.headers))

        def close(self) -> None:
            """Let go of the connection."""
            self._transport.close()

    return TokenClient
