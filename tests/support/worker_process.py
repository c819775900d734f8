"""The real worker, as a person starts it: a process of its own on a configuration file of its own."""

import json
import os
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.dovecot import Dovecot
from tests.support.slack_server import SlackServer
from tests.support.twilio_server import TwilioServer
from tests.support.waiting import PATIENCE, wait_until

STEPS = """
[[policy]]
name = "default"
[[policy.step]]
remaining = "8h"
notify = ["team"]
[[policy.step]]
remaining = "2h"
notify = ["oncall-sms"]
[[policy.step]]
remaining = "0s"
notify = ["team", "oncall-sms"]
"""


def render_config(
    dovecot: Dovecot,
    slack: SlackServer,
    twilio: TwilioServer,
    *,
    port: int,
    database: str = "sqlite:///var/replyby.db",
    idle: bool = True,
    poll_every: str = "60s",
    steps: str = STEPS,
) -> str:
    """Return a configuration on the stand-ins."""
    return f"""
[worker]
database = "{database}"
metrics_listen = "127.0.0.1:{port}"
time_zone = "Europe/Paris"

[[account]]
name = "acme-eu"
notified_at = ["support@acme.example"]
reply_from = ["support@acme.example"]

[[mailbox]]
name = "support"
type = "imap"
host = "127.0.0.1"
port = {dovecot.port}
security = "none"
username = "{dovecot.username}"
password = "env:TEST_IMAP_PASSWORD"
idle = {str(idle).lower()}
poll_every = "{poll_every}"

[slack]
bot_token = "{slack.bot_token}"
app_token = "{slack.app_token}"
api_url = "{slack.api_url}"

[twilio]
account_sid = "{twilio.account_sid}"
auth_token = "{twilio.auth_token}"
from = "+15005550006"
api_url = "{twilio.base_url}"
poll_replies = "5s"

[[person]]
name = "Ana"
phone = "+447700900123"
slack_user = "U0123"

[[receiver]]
name = "team"
type = "slack"
channel = "C0123"

[[receiver]]
name = "oncall-sms"
type = "sms"
to = ["Ana"]
{steps}"""


@dataclass
class WorkerProcess:
    """A running `replyby run`, and commands beside it."""

    folder: Path
    port: int
    environ: dict[str, str]
    program: tuple[str, ...] = ("-m", "monitor")
    umask: int = -1  # as it is
    process: subprocess.Popen[bytes] | None = None

    def start(self, *, wait: bool = True) -> None:
        """Start it; with `wait` until it answers."""
        with (self.folder / "worker.log").open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, *self.program, "run"],
                cwd=self.folder,
                env=self.environ,
                stdout=log,
                stderr=log,
                umask=self.umask,
            )
        if wait:
            wait_until(self._answers, f"the worker to listen; its log:\n{self.log()[-3000:]}")

    def _answers(self) -> bool:
        assert self.process is not None
        if self.process.poll() is not None:
            raise AssertionError(f"the worker ended with {self.process.returncode}:\n{self.log()[-3000:]}")
        return self.is_well()

    def is_well(self) -> bool:
        """Return whether it listens and says that it is well."""
        try:
            return self._ask("/healthz") != ""
        except OSError:
            return False

    def _listens(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, f"the worker ended with {self.process.returncode}:\n{self.log()[-3000:]}"
        try:
            socket.create_connection(("127.0.0.1", self.port), timeout=20).close()
        except OSError:
            return False
        return True

    def log(self) -> str:
        """Return what it wrote so far."""
        path = self.folder / "worker.log"
        return path.read_text(errors="replace") if path.exists() else ""

    def get(self, path: str) -> str:
        """Return what its listener answers, once it listens: a worker that waits for its turn does not yet."""
        wait_until(self._listens, "the worker to listen")
        return self._ask(path)

    def _ask(self, path: str) -> str:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=20) as answer:
            return str(answer.read().decode())

    def metric(self, name: str, **labels: str) -> float:
        """Return the sum of a metric's samples that carry these labels; 0 where there is none."""
        total = 0.0
        for line in self.get("/metrics").splitlines():
            sample, _, value = line.rpartition(" ")
            if sample.split("{")[0] == name and all(f'{key}="{wanted}"' in sample for key, wanted in labels.items()):
                total += float(value)
        return total

    def run(self, *arguments: str, expect: int = 0) -> str:
        """Run a command beside it and return its standard output."""
        done = subprocess.run(
            [sys.executable, "-m", "monitor", *arguments],
            cwd=self.folder,
            env=self.environ,
            capture_output=True,
            timeout=PATIENCE,
            check=False,
        )
        assert done.returncode == expect, (
            f"{arguments}: exit {done.returncode}\n{done.stdout.decode()}{done.stderr.decode()}"
        )
        return done.stdout.decode() + (done.stderr.decode() if expect else "")

    def status(self) -> list[dict[str, Any]]:
        """Return the queue."""
        threads: list[dict[str, Any]] = json.loads(self.run("status", "--json"))["threads"]
        return threads

    def stop(self, number: signal.Signals = signal.SIGTERM, seconds: float = 10.0) -> int:
        """End it by a signal and return its exit status; fail if it takes longer."""
        assert self.process is not None
        if self.process.poll() is None:
            self.process.send_signal(number)
        return self.process.wait(seconds)


@contextmanager
def worker_on(folder: Path, config: str, port: int, password: str) -> Iterator[WorkerProcess]:
    """Write the configuration and give a worker that is not started yet; kill it at the end."""
    (folder / "config.toml").write_text(config)
    root = Path(__file__).parent.parent.parent
    environ = {**os.environ, "TEST_IMAP_PASSWORD": password, "PYTHONPATH": str(root), "PYTHONUNBUFFERED": "1"}
    worker = WorkerProcess(folder, port, environ)
    try:
        yield worker
    finally:
        if worker.process is not None and worker.process.poll() is None:
            worker.process.kill()
            worker.process.wait(10)
