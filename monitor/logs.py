"""Logs on standard error: lines for a person, or JSON for a machine. Secrets and buyers' addresses are cut out on the way,
and nothing from outside can command the terminal that shows them or forge a line.
"""

import contextlib
import logging
import re
import sys
from collections.abc import Iterable, Iterator, Mapping, MutableMapping
from dataclasses import fields, is_dataclass
from typing import Any, TextIO, cast
from urllib.parse import urlsplit

import structlog

from monitor.core.shown import show

_SECRETS = re.compile(
    r"xox[a-z]-[\w-]+|xapp-[\w-]+|https://hooks\.slack\.com/\S+|(?i:bearer|basic)\s+[\w.~+/=-]{8,}|[\w.+-]+@marketplace\.amazon\.[\w.]+"
    # The form of a token request, in which what `replyby login` keeps travels: no configuration names that.
    r"|(?i:(?:refresh|access|id)_token|client_secret|device_code|password|assertion)[\"']?[=:]\s*[\"']?[^\s&\"',}]{6,}"
)
SHORTEST_SECRET = 6
"""A shorter one would be cut out of ordinary words, and is none worth the name."""

SHORTEST_PATH = 12
"""As for a secret; `/webhook` alone is an ordinary word."""


def set_up_logs(form: str, *, quiet: bool = False, secrets: Iterable[str] = ()) -> None:
    """Send every log line, ours and the libraries', to standard error in one form; `quiet`: warnings only.

    `secrets` are cut out wherever they appear, besides what looks like a token or a buyer's address.
    """
    renderer: Any
    stream = Unbreakable(sys.stderr)
    if form == "json":
        renderer = structlog.processors.JSONRenderer(ensure_ascii=False)
    else:
        # The traceback is a text already when it arrives here: rich's own would print every local variable.
        renderer = structlog.dev.ConsoleRenderer(
            colors=sys.stderr.isatty(),
            pad_event_to=0,
            sort_keys=False,
            exception_formatter=structlog.dev.plain_traceback,
        )
    level = logging.WARNING if quiet else logging.INFO
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        Redaction(secrets),
        make_harmless,
    ]
    structlog.configure(
        processors=[*shared, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(cast(TextIO, stream)),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(stream)
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


class Unbreakable:
    """A stream whose end may be a full disk or a closed pipe: a line that cannot be written stops no alert."""

    def __init__(self, stream: TextIO) -> None:
        """Write to this stream."""
        self._stream = stream

    def write(self, text: str) -> int:
        """Write what can be written."""
        with contextlib.suppress(OSError, ValueError):
            return self._stream.write(text)
        return 0

    def flush(self) -> None:
        """Flush what can be flushed."""
        with contextlib.suppress(OSError, ValueError):
            self._stream.flush()


class Redaction:
    """Replaces secrets in every text of an event, however deep it lies."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        """Keep the values that are cut out, the longest first: one may begin with another."""
        self._values = sorted({one for one in secrets if len(one) >= SHORTEST_SECRET}, key=len, reverse=True)

    def __call__(self, logger: Any, method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        """Return the event without them."""
        del logger, method
        for key, value in event.items():
            event[key] = self.clean(value)
        return event

    def clean(self, value: Any) -> Any:
        """Return a value without them; what is neither text nor a container of it is left as it is."""
        if isinstance(value, str):
            for secret in self._values:
                value = value.replace(secret, "***")
            return _SECRETS.sub("***", value)
        if isinstance(value, Mapping):
            return {key: self.clean(one) for key, one in value.items()}
        if isinstance(value, list | tuple | set | frozenset):
            return [self.clean(one) for one in value]
        return self.clean(str(value)) if isinstance(value, BaseException) else value


def make_harmless(logger: Any, method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Return the event with texts in which nothing acts; a traceback keeps its lines, but none begins where ours do."""
    del logger, method
    for key, value in event.items():
        if isinstance(value, str):
            event[key] = show(value, lines=True).replace("\n", "\n  ") if key == "exception" else show(value)
    return event


def secrets_of(config: Any) -> Iterator[str]:
    """Yield every text that a configuration does not show in its `repr`: its secrets."""
    if is_dataclass(config) and not isinstance(config, type):
        for one in fields(config):
            value = getattr(config, one.name)
            if isinstance(value, str):
                if not one.repr or (one.name == "target" and "://" in value):  # a webhook's address is one too
                    yield value
                    yield from _paths_of(value)
            else:
                yield from secrets_of(value)
    elif isinstance(config, tuple):
        for part in config:
            yield from secrets_of(part)


def _paths_of(value: str) -> Iterator[str]:
    """Yield what makes a web address a secret, by which alone a request names it."""
    if value.startswith(("https://", "http://")):
        parts = urlsplit(value)
        tail = f"{parts.path}?{parts.query}" if parts.query else parts.path
        if len(tail) > SHORTEST_PATH:
            yield tail
