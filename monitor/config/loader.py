"""Reading config.toml: which file, what it says, everything that is wrong with it at once."""

import tomllib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from monitor.config.advice import warn_of_gaps
from monitor.config.build_alerts import (
    build_digest,
    build_labels,
    build_policies,
    build_report,
    build_slack,
    build_smtp,
    build_twilio,
    find_services,
    imply_policy,
)
from monitor.config.build_mail import build_accounts, build_mailboxes, build_sla, build_worker
from monitor.config.build_people import build_people, build_receivers, build_schedules, build_staffed
from monitor.config.durations import parse_duration, render_duration
from monitor.config.kinds import Scope
from monitor.config.lines import locate_keys
from monitor.config.model import Config
from monitor.config.problems import Problems
from monitor.config.references import check_names, give_names
from monitor.config.shape import Section, read_sections
from monitor.config.syntax import render_syntax_error
from monitor.errors import ConfigError

__all__ = ["find_config", "load_config", "parse_config", "parse_duration", "render_duration"]

ENVIRONMENT_KEY = "REPLYBY_CONFIG"
FILE_NAME = "config.toml"
LARGEST_FILE = 4 * 1024 * 1024  # bytes; the wrong file should be told, not read for minutes


def find_config(option: Path | None, environ: Mapping[str, str], cwd: Path) -> Path:
    """Return the file to use: the option, else $REPLYBY_CONFIG, else ./config.toml.

    Raises:
        ConfigError: there is none; says where it was looked for.
    """
    named = environ.get(ENVIRONMENT_KEY, "").strip()
    if option is not None:
        path, said = cwd / option.expanduser(), "named by --config"
    elif named:
        path, said = cwd / Path(named).expanduser(), f"named by {ENVIRONMENT_KEY}"
    else:
        path, said = cwd / FILE_NAME, f"no --config was given and {ENVIRONMENT_KEY} is not set"
    if not path.exists():
        raise ConfigError(
            shown_path(path, cwd),
            [f"{path} does not exist ({said}). Run `replyby init` to make one, or `replyby demo` to look around."],
        )
    return path


def shown_path(path: Path, cwd: Path) -> str:
    """Return a path as a person in `cwd` would type it."""
    return str(path.relative_to(cwd)) if path.is_relative_to(cwd) else str(path)


def load_config(path: Path, environ: Mapping[str, str]) -> Config:
    """Return the configuration of a file, its secrets read, its relative paths made absolute.

    Raises:
        ConfigError: the file cannot be read or is wrong; every problem at once, each with its line.
    """
    absolute = path.absolute()
    where = shown_path(absolute, Path.cwd())
    try:
        mode = absolute.stat().st_mode
        with absolute.open("rb") as file:
            content = file.read(LARGEST_FILE + 1)
    except FileNotFoundError:
        raise ConfigError(where, [f"{absolute} does not exist. Run `replyby init` or `replyby demo`."]) from None
    except OSError as error:
        raise ConfigError(where, [f"cannot be read: {error.strerror}. Check its path, owner and mode."]) from None
    return parse_config(content, absolute, where, environ, mode)


def parse_config(content: bytes, path: Path, where: str, environ: Mapping[str, str], mode: int = 0o600) -> Config:
    """Return the configuration that `content` stands for, as if it lay at `path`; `where` names it in errors.

    Raises:
        ConfigError: every problem at once.
    """
    text = _decode(content, where)
    raw = _parse_toml(text, where)
    problems = Problems(locate_keys(text))
    root = read_sections(raw, Scope(path.parent, environ), problems)
    config = _build_config(root, path, problems)
    if problems.texts:
        raise ConfigError(where, problems.texts)
    warn_of_gaps(config, root, mode, problems)
    return replace(config, warnings=problems.warnings)


def _build_config(root: Section, path: Path, problems: Problems) -> Config:
    """Return the whole configuration; where there are problems it is only good for finding more of them."""
    known = give_names(root, problems)
    services = find_services(root)
    worker_section = root.implied("worker")
    worker = build_worker(worker_section, path.parent, problems)
    zone = worker.time_zone
    sla = build_sla(root.implied("sla"), zone, problems)
    longest_target = max([sla.target, *(override.target for override in sla.overrides)])
    people = build_people(root.tables["person"], zone, services, problems)
    receivers = build_receivers(root, people, known, zone, services, problems)
    policies = build_policies(root, known, longest_target, problems)
    if not policies:
        policies, receivers = imply_policy(people, receivers, services, problems)
    check_names(worker_section, "health_notify", known.receivers, "receiver", problems)
    if not worker.health_notify and policies:
        first = dict.fromkeys(name for step in policies[0].steps for name in step.notify)
        worker = replace(worker, health_notify=tuple(first))
    return Config(
        path=path,
        worker=worker,
        sla=sla,
        accounts=build_accounts(root.tables["account"], problems),
        mailboxes=build_mailboxes(root, known, problems),
        receivers=receivers,
        policies=policies,
        people=people,
        schedules=build_schedules(root.tables["schedule"], known, zone, problems),
        staffed=build_staffed(root.tables["staffed"], zone, problems),
        slack=build_slack(root.one("slack"), problems),
        twilio=build_twilio(root.one("twilio"), problems),
        smtp=build_smtp(root.one("smtp"), problems),
        report=build_report(root.one("report"), known, problems),
        digest=build_digest(root.one("digest"), known, problems),
        labels=build_labels(root.tables["label"], problems),
    )


# --- bytes to TOML


def _decode(content: bytes, where: str) -> str:
    if len(content) > LARGEST_FILE:
        raise ConfigError(where, [f"larger than {LARGEST_FILE // 1024**2} MB: not a configuration. Check the path."])
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise ConfigError(where, [f"line {line}: not UTF-8 text. Save the file with encoding UTF-8."]) from None
    return text.replace("\r\n", "\n")


def _parse_toml(text: str, where: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except RecursionError:
        raise ConfigError(where, ["brackets nested too deeply. Close each [ with a ]."]) from None
    except ValueError as error:  # TOMLDecodeError is one; a number of thousands of digits is another
        raise ConfigError(where, [render_syntax_error(str(error), text)]) from None
