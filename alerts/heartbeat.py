"""The dead-man's switch: a ping to an outside monitor, whose absence raises the alarm.

Owns one request after a clean cycle. Never raises: what watches the worker must not stop it.
"""

import http.client
import urllib.error
import urllib.request
from urllib.parse import urlsplit

import structlog

log = structlog.get_logger(__name__)


class Heartbeat:
    """Pings an address. The address is a secret: whoever knows it can keep the alarm silent.

    Attributes:
        pings: how many arrived. failures: how many did not.
    """

    def __init__(self, url: str, timeout_seconds: float = 5.0) -> None:
        """Keep the address; an empty one never pings.

        Raises:
            ValueError: the address is neither http nor https.
        """
        if url and urlsplit(url).scheme not in ("http", "https"):
            raise ValueError("heartbeat_url: not an http or https address. Copy it from the monitor's page.")
        self._url = url
        self._timeout_seconds = timeout_seconds
        self.pings = 0
        self.failures = 0

    def ping(self, ok: bool) -> bool:
        """Ping if the cycle was clean; return whether the ping arrived. A cycle that failed stays silent."""
        if not ok or not self._url:
            return False
        try:
            request = urllib.request.Request(self._url, headers={"User-Agent": "replyby"})  # noqa: S310  checked above
            with urllib.request.urlopen(request, timeout=self._timeout_seconds) as answer:  # noqa: S310
                answer.read(1024)
        except (OSError, http.client.HTTPException, ValueError) as error:
            self.failures += 1
            log.warning("heartbeat_failed", error=_said(error))
            return False
        self.pings += 1
        return True


def _said(error: Exception) -> str:
    """Return what went wrong without the address."""
    if isinstance(error, urllib.error.HTTPError):
        return f"HTTP {error.code}"
    return type(error).__name__
