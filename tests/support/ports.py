"""Ports of 127.0.0.1 that nothing else takes between the choice and the server's start.

A port that the system hands out is free only at that moment: another test's server, or a client's side of a connection, may
have it a second later, and a test then talks to the wrong program. These lie below the range from which the system takes
ports by itself, and each is held by a lock on a file, so that two test processes on one machine never get the same one.
"""

import fcntl
import os
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO

HOST = "127.0.0.1"
FIRST = 12_000
_SYSTEM_RANGE = Path("/proc/sys/net/ipv4/ip_local_port_range")


def _end() -> int:
    """Return the first port that the system may hand out by itself."""
    try:
        return int(_SYSTEM_RANGE.read_text().split()[0])
    except (OSError, ValueError):
        return 32_768


def _each_port_once() -> Iterator[int]:
    """Yield the ports, each once: beginning elsewhere in each process, so that few are tried in vain."""
    ports = range(FIRST, max(_end(), FIRST + 2_000))
    start = os.getpid() * 97 % len(ports)
    yield from ports[start:]
    yield from ports[:start]


_candidates = _each_port_once()
_held: list[IO[str]] = []  # open until the process ends: closing a file gives its lock back


def free_port() -> int:
    """Return a port on which nothing listens, kept for this process until it ends; never the same one twice."""
    folder = Path(tempfile.gettempdir()) / f"replyby-test-ports-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    for port in _candidates:
        file = (folder / str(port)).open("w")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            with socket.socket() as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.bind((HOST, port))
        except OSError:
            file.close()
            continue
        _held.append(file)
        return port
    raise AssertionError(f"no port of {HOST} is free from {FIRST} on")
