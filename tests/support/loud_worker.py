"""`replyby`, with every library's log at its most talkative: what would stand in a log somebody turned up to find a fault."""

import http.client
import logging
import sys
from collections.abc import Iterable

from monitor import logs
from monitor.cli import main

TALKATIVE = ("urllib3", "twilio.http_client", "slack_sdk", "slack_sdk.web.base_client", "sqlalchemy.engine", "asyncio")
_set_up = logs.set_up_logs


def set_up_loudly(form: str, *, quiet: bool = False, secrets: Iterable[str] = ()) -> None:
    """Set logs up as the program does, and then let everybody speak."""
    _set_up(form, quiet=quiet, secrets=secrets)
    logging.getLogger().setLevel(logging.DEBUG)
    for name in TALKATIVE:
        logging.getLogger(name).setLevel(logging.DEBUG)
    _tell_requests()


def _tell_requests() -> None:
    """Have http.client's own debug prints logged too: they hold whole requests, headers included."""
    http.client.HTTPConnection.debuglevel = 1
    log = logging.getLogger("http.client")
    http.client.print = lambda *parts: log.debug("%s", " ".join(map(str, parts)))  # type: ignore[attr-defined]


if __name__ == "__main__":
    logs.set_up_logs = set_up_loudly
    sys.argv[0] = "replyby"
    main()
