"""A throw-away PostgreSQL server on loopback."""

import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import psycopg

from tests.support.ports import free_port
from tests.support.programs import require_program

_READY_SECONDS = 30.0


def find_binaries() -> Path:
    """Return the folder with `initdb` and `postgres`; skip the test (or fail it) where there is none."""
    installed = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"))
    return (installed[-1] if installed else Path(require_program("postgres"))).parent


@contextlib.contextmanager
def running_postgresql() -> Iterator[str]:
    """Give the address, for SQLAlchemy, of an empty server of one's own; it and its files are gone at the end."""
    binaries = find_binaries()
    # The server refuses to run as root: Debian's package has made a user for it.
    user = "postgres" if os.geteuid() == 0 else None
    home = Path(tempfile.mkdtemp(prefix="replyby-pg-", dir="/tmp"))
    if user is not None:
        shutil.chown(home, user)
    data = home / "data"
    port = free_port()
    try:
        subprocess.run(
            [binaries / "initdb", "-D", data, "-U", "replyby", "--auth=trust", "--no-sync", "-E", "UTF8", "--locale=C"],
            check=True,
            capture_output=True,
            cwd=home,
            user=user,
        )
        with (home / "log").open("wb") as log:
            server = subprocess.Popen(
                [
                    binaries / "postgres",
                    *("-D", data, "-p", str(port), "-k", home),
                    *("-c", "listen_addresses=127.0.0.1", "-c", "fsync=off", "-c", "max_connections=60"),
                ],
                stdout=log,
                stderr=log,
                cwd=home,
                user=user,
            )
        try:
            _wait_until_ready(port, server, home / "log")
            yield f"postgresql+psycopg://replyby@127.0.0.1:{port}/postgres"
        finally:
            server.send_signal(signal.SIGINT)  # fast shutdown: open sessions are cut
            server.wait(20)
    finally:
        shutil.rmtree(home, ignore_errors=True)


def _wait_until_ready(port: int, server: "subprocess.Popen[bytes]", log: Path) -> None:
    bound = threading.Event()  # never set: a pause with a bound
    for _ in range(int(_READY_SECONDS / 0.05)):
        if server.poll() is not None:
            break
        try:
            psycopg.connect(f"host=127.0.0.1 port={port} user=replyby dbname=postgres connect_timeout=2").close()
        except psycopg.OperationalError:
            bound.wait(0.05)
        else:
            return
    raise AssertionError(f"PostgreSQL did not start: {log.read_text(errors='replace')[-2000:]}")
