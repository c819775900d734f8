"""Logs on standard error: lines for a person, or JSON for a machine. Secrets are cut out on the way."""

import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog

_SECRETS = re.compile(
    r"xox[a-z]-[\w-]+|xapp-[\w-]+|https://hooks\.slack\.com/\S+|(?i:bearer|basic)\s+[\w.~+/=-]{8,}|[\w.+-]+@marketplace\.amazon\.\S+"
)


def set_up_logs(form: str, *, quiet: bool = False) -> None:
    """Send every log line, ours and the libraries', to standard error in one form; `quiet`: warnings only."""
    renderer: Any
    if form == "json":
        renderer = structlog.processors.JSONRenderer(ensure_ascii=False)
    else:
        renderer = structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), pad_event_to=0, sort_keys=False)
    level = logging.WARNING if quiet else logging.INFO
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info if form == "json" else _keep,
        redact,
    ]
    structlog.configure(
        processors=[*shared, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared, processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer]
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    # Each tick would be a line; what goes wrong in a job is logged by the ticker itself.
    logging.getLogger("apscheduler").setLevel(logging.CRITICAL)


def _keep(logger: Any, method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    del logger, method
    return event


def redact(logger: Any, method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Return the event with tokens, webhook addresses and buyers' aliases replaced in every text."""
    del logger, method
    for key, value in event.items():
        if isinstance(value, str):
            event[key] = _SECRETS.sub("***", value)
    return event
