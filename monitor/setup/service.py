"""Running as a systemd service: the unit with its sandbox, and what installs and removes it."""

import os
import re
import stat
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from monitor.config.model import Config

UNIT_NAME = "replyby.service"
WATCHDOG = timedelta(minutes=3)
"""Longer than any one step of a cycle; a worker that hangs longer is started anew."""

# What any user's own systemd can grant, and what only the system's can.
_SANDBOX_EVERYWHERE = (
    "NoNewPrivileges=yes",
    "LockPersonality=yes",
    "RestrictRealtime=yes",
    "RestrictSUIDSGID=yes",
    "RestrictNamespaces=yes",
    "RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX",
    "SystemCallArchitectures=native",
    "SystemCallFilter=@system-service",
    "SystemCallFilter=~@privileged @resources",
    "SystemCallErrorNumber=EPERM",
    "UMask=0077",
)
_SANDBOX_OF_ROOT = (
    "CapabilityBoundingSet=",
    "AmbientCapabilities=",
    "ProtectSystem=strict",
    "ProtectHome=read-only",
    "PrivateTmp=yes",
    "PrivateDevices=yes",
    "ProtectClock=yes",
    "ProtectControlGroups=yes",
    "ProtectHostname=yes",
    "ProtectKernelLogs=yes",
    "ProtectKernelModules=yes",
    "ProtectKernelTunables=yes",
    "ProtectProc=invisible",
    "ProcSubset=pid",
    "RemoveIPC=yes",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """A unit to install: where it goes, what stands in it, and what to run afterwards."""

    path: Path
    text: str
    commands: tuple[tuple[str, ...], ...]


def plan_unit(config: Config, program: Sequence[str], *, user: str | None, home: Path, root: bool) -> Unit:
    """Return the unit that runs the worker with this configuration.

    Args:
        config: names the folders that are written to; `config.path` is absolute.
        program: the command up to its arguments, absolute.
        user: whom the system's service runs as; None: root.
        home: of the person who installs, for a service of their own.
        root: install for the system; else for this person alone.
    """
    text = render_unit(config, program, user=user, root=root)
    control, path = _place(home, root)
    # Without lingering a service of one's own ends when the person logs out.
    before: tuple[tuple[str, ...], ...] = () if root else (("loginctl", "enable-linger"),)
    return Unit(
        path=path, text=text, commands=(*before, (*control, "daemon-reload"), (*control, "enable", "--now", UNIT_NAME))
    )


def plan_removal(*, home: Path, root: bool) -> Unit:
    """Return the unit to remove: the first of its commands runs before its file is deleted, the others afterwards."""
    control, path = _place(home, root)
    return Unit(path=path, text="", commands=((*control, "disable", "--now", UNIT_NAME), (*control, "daemon-reload")))


def _place(home: Path, root: bool) -> tuple[tuple[str, ...], Path]:
    if root:
        return ("systemctl",), Path("/etc/systemd/system") / UNIT_NAME
    return ("systemctl", "--user"), home / ".config" / "systemd" / "user" / UNIT_NAME


def render_unit(config: Config, program: Sequence[str], *, user: str | None, root: bool) -> str:
    """Return the unit's text; `systemd-analyze verify` has nothing to say of it."""
    folder = config.path.parent
    command = " ".join(_quote(part) for part in (*program, "run", "--config", str(config.path)))
    lines = [
        "[Unit]",
        "Description=ReplyBy: warns before an Amazon buyer has waited 24 hours",
        *(("Wants=network-online.target", "After=network-online.target time-sync.target") if root else ()),
        "StartLimitIntervalSec=0",
        "",
        "[Service]",
        "Type=notify",
        "NotifyAccess=main",
        f"ExecStart={command}",
        f"WorkingDirectory={_escape(str(folder))}",
        f"EnvironmentFile=-{_escape(str(folder / 'replyby.env'))}",
        "Environment=PYTHONUNBUFFERED=1",
        *((f"User={user}",) if root and user else ()),
        "Restart=always",
        "RestartSec=5",
        "RestartPreventExitStatus=2",  # a wrong configuration does not mend itself
        f"WatchdogSec={int(WATCHDOG.total_seconds())}",
        "TimeoutStartSec=infinity",  # the first run reads months of mail before it is ready
        "TimeoutStopSec=20",
        *_SANDBOX_EVERYWHERE,
    ]
    if root:
        lines += [*_SANDBOX_OF_ROOT, *(f"ReadWritePaths=-{_quote(str(path))}" for path in written_folders(config))]
    lines += ["", "[Install]", f"WantedBy={'multi-user.target' if root else 'default.target'}", ""]
    return "\n".join(lines)


def written_folders(config: Config) -> list[Path]:
    """Return the folders the worker writes to, none inside another."""
    folders = {config.worker.state_directory}
    if config.worker.database.startswith("sqlite:///"):
        folders.add(Path(config.worker.database.removeprefix("sqlite:///")).parent)
    if config.report is not None and config.report.directory is not None:
        folders.add(config.report.directory)
    return sorted(path for path in folders if not any(other in path.parents for other in folders))


def make_folders(config: Config, owner: tuple[int, int] | None) -> None:
    """Make the folders the worker writes to, where they are missing: inside its sandbox it could not.

    Args:
        config: names them.
        owner: user and group they belong to; None: whoever makes them.

    Raises:
        OSError: one cannot be made.
    """
    for folder in written_folders(config):
        missing = [one for one in (folder, *folder.parents) if not one.exists()]
        for one in reversed(missing):
            one.mkdir(mode=0o700)
            if owner is not None:
                os.chown(one, *owner)


def find_unreadable(config: Config, owner: tuple[int, int]) -> list[Path]:
    """Return what of the configuration and the worker's own files this user may not read."""
    beside = config.path.parent
    places = [config.path, *_files_in(beside / "secrets"), *written_folders(config)]
    places += [one for folder in written_folders(config) for one in _files_in(folder)]
    return [path for path in places if path.exists() and not _may_read(path.stat(), owner)]


def _files_in(folder: Path) -> list[Path]:
    return [folder, *sorted(folder.iterdir())] if folder.is_dir() else []


def _may_read(facts: os.stat_result, owner: tuple[int, int]) -> bool:
    if facts.st_uid == owner[0]:
        return bool(facts.st_mode & stat.S_IRUSR)
    return bool(facts.st_mode & (stat.S_IRGRP if facts.st_gid == owner[1] else stat.S_IROTH))


def _escape(text: str) -> str:
    """Return text in which systemd sees no specifier."""
    return text.replace("%", "%%")


def _quote(text: str) -> str:
    escaped = _escape(text).replace("\\", "\\\\").replace('"', '\\"').replace("$", "$$")
    return escaped if re.fullmatch(r"[A-Za-z0-9_./:@%+=,-]+", escaped) else f'"{escaped}"'
