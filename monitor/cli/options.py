"""The options that commands share, and what a command starts from: the configuration, the store, the wall clock."""

import os
import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from monitor.errors import ConfigError

if TYPE_CHECKING:
    from monitor.config.model import Config
    from monitor.jobs.services import Services
    from monitor.store.opening import Store

ConfigOption = Annotated[
    Path | None,
    typer.Option("--config", metavar="PATH", help="Configuration file; else $REPLYBY_CONFIG, else ./config.toml."),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON document and nothing else.")]


def _require_words(context: typer.Context, parameter: typer.CallbackParam, value: str) -> str:
    """Return the text without blanks around it; it stands in the history, where nothing would mean nobody."""
    del context
    if not value.strip():
        raise ConfigError(parameter.opts[0], ["empty. Write a name, or a few words."])
    return value.strip()


ByOption = Annotated[
    str,
    typer.Option("--by", metavar="NAME", help="Who says so; stands in the history.", callback=_require_words),
]
CommentOption = Annotated[
    str,
    typer.Option("--comment", metavar="TEXT", help="Why; everybody sees it in the list.", callback=_require_words),
]
INSTANT = "2026-11-20T09:00 in worker.time_zone, or with Z"
"""How an INSTANT is written, for the help of each option that takes one."""

ThreadArgument = Annotated[str, typer.Argument(metavar="THREAD", help="Id from `replyby status`, or an order number.")]

LARGEST_ID = 2**63 - 1
"""What a database takes for a number of a row."""

_LISTING = re.compile(r"`replyby [a-z ]+`")
"""Where the help of an argument says that its numbers stand."""


class Commands(TyperGroup):
    """All commands. Where a number is wanted and none was written, it is said what to write."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command.

        Raises:
            typer.BadParameter: an argument or option is not what it must be.
        """
        try:
            return super().invoke(ctx)
        except typer.BadParameter as error:
            error.message = _number_wanted(error) or error.message
            raise


def _number_wanted(error: typer.BadParameter) -> str | None:
    """Return what to write instead of what is no number; None where something else is wrong."""
    from pydantic import ValidationError

    if not isinstance(error.__cause__, ValidationError):
        return None
    (first, *_) = error.__cause__.errors(include_url=False)
    listing = _LISTING.search(getattr(error.param, "help", None) or "")
    advice = "Write it in digits." if listing is None else f"{listing[0]} shows the numbers."
    if first["type"] == "less_than_equal" and listing is not None:
        return f"{first['input']}: no such number. {advice}"
    if first["type"] != "int_parsing":
        return None
    return f"{first['input']!r}: not a whole number. {advice}"


@dataclass(frozen=True, slots=True)
class Session:
    """One command's surroundings."""

    config: "Config"
    store: "Store"
    services: "Services"


def quiet_logs(config: "Config | None" = None) -> None:
    """Keep log lines out of a conversation: warnings alone, on standard error, without secrets."""
    from monitor.logs import secrets_of, set_up_logs

    set_up_logs("console", quiet=True, secrets=() if config is None else secrets_of(config))


def read_config(option: Path | None) -> "Config":
    """Return the configuration that a command works on.

    Raises:
        ConfigError: every problem of the file.
    """
    from monitor.config.loader import find_config, load_config

    return load_config(find_config(option, os.environ, Path.cwd()), os.environ)


def open_session(option: Path | None) -> Session:
    """Return configuration, store and services for a command that works beside a running worker."""
    from monitor.bootstrap import build_services
    from monitor.store.opening import open_store

    config = read_config(option)
    quiet_logs(config)
    store = open_store(config)
    return Session(config, store, build_services(config, store))


def parse_duration_option(text: str, name: str) -> timedelta:
    """Return the duration of an option.

    Raises:
        ConfigError: it is none.
    """
    from monitor.config.loader import parse_duration

    try:
        return parse_duration(text)
    except ValueError as error:
        raise ConfigError(name, [f"{text!r}: {error}"]) from None


def parse_span_option(text: str, name: str) -> timedelta:
    """Return the duration of an option that must last.

    Raises:
        ConfigError: it is none, or nothing at all.
    """
    span = parse_duration_option(text, name)
    if not span:
        raise ConfigError(name, [f"{text!r}: no time at all. Write 30m or 1h."])
    return span


def parse_instant_option(text: str, name: str, session: Session) -> datetime:
    """Return the instant of an option; without an offset it is local time in worker.time_zone.

    Raises:
        ConfigError: it is none.
    """
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        raise ConfigError(
            name, [f"{text!r}: not an instant. Write 2026-11-20T09:00 or 2026-11-20T08:00:00Z."]
        ) from None
    return instant if instant.tzinfo is not None else instant.replace(tzinfo=session.config.worker.time_zone)
