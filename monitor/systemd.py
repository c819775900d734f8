"""What a worker tells systemd: that it is ready, alive, ending. One line on a socket; nothing where nobody listens."""

import os
import socket
from collections.abc import Mapping
from datetime import timedelta


def notify(state: str, environ: Mapping[str, str] | None = None) -> bool:
    """Tell systemd a state such as "READY=1"; return whether anybody was told. Never raises.

    Source: sd_notify(3).
    """
    address = (os.environ if environ is None else environ).get("NOTIFY_SOCKET", "")
    if not address.startswith(("/", "@")):
        return False
    target = "\0" + address[1:] if address.startswith("@") else address
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as channel:
            channel.settimeout(1)
            channel.connect(target)
            channel.sendall(state.encode())
    except OSError:
        return False
    return True


def watchdog_every(environ: Mapping[str, str], pid: int) -> timedelta | None:
    """Return how often "WATCHDOG=1" has to be told: half of what systemd allows; None: nobody waits for it."""
    try:
        allowed = int(environ.get("WATCHDOG_USEC", ""))
        asked = int(environ.get("WATCHDOG_PID", pid))
    except ValueError:
        return None
    return timedelta(microseconds=allowed) / 2 if allowed > 0 and asked == pid else None
