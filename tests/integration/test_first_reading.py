"""The first reading of a large mailbox, on a real mail server: a bar on a terminal, a log line in a service."""

import json
import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pexpect
import pytest

from monitor.wallclock import utc_now
from tests.support.dovecot import PASSWORD, USERNAME, Dovecot, running_dovecot
from tests.support.mails import return_notice
from tests.support.ports import HOST
from tests.support.waiting import PATIENCE

ROOT = Path(__file__).parents[2]
REPLYBY = [sys.executable, "-m", "monitor"]
ENVIRON = {**os.environ, "PYTHONPATH": str(ROOT), "TERM": "dumb"}
MAILS = 1600


def configure(folder: Path, server: Dovecot) -> None:
    (folder / "config.toml").write_text(
        '[worker]\nlog_format = "json"\nmetrics_listen = "127.0.0.1:0"\n'
        f'[[mailbox]]\nname = "shop"\nhost = "{HOST}"\nport = {server.port}\nsecurity = "none"\n'
        f'username = "{USERNAME}"\npassword = "{PASSWORD}"\nauthserv_id = ""\n[[receiver]]\ntype = "console"\n'
    )


@pytest.mark.integration
def test_how_far_it_is_stands_on_a_terminal_and_in_the_log_of_a_service(tmp_path: Path) -> None:
    with running_dovecot() as server:
        now = utc_now()
        for number in range(MAILS):
            at = now - timedelta(days=60) + timedelta(minutes=number)
            server.deliver(return_notice(at, order=f"402-{number:07d}-{number:07d}"), at)
        configure(tmp_path, server)
        child = pexpect.spawn(
            REPLYBY[0], [*REPLYBY[1:], "once", "--dry-run"], cwd=str(tmp_path), env=ENVIRON, encoding="utf-8",
            timeout=PATIENCE, dimensions=(40, 90),
        )  # fmt: skip
        child.expect(r"\r  INBOX  ━+╌*  \d+ %, [\d,]+ mails, [\d,]+ a second")
        assert len(child.after) < 90
        child.expect_exact(f"shop: {MAILS:,} notices")
        child.expect_exact("Nothing would be sent.")
        child.expect(pexpect.EOF)
        child.close()

        done = subprocess.run(
            [*REPLYBY, "once"], cwd=tmp_path, env=ENVIRON, stdin=subprocess.DEVNULL, capture_output=True, text=True,
            timeout=PATIENCE, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        lines = [json.loads(line) for line in done.stderr.splitlines() if line.startswith("{")]
        (last,) = [line for line in lines if line["event"] == "reading" and line["percent"] == 100]
        assert (last["mailbox"], last["folder"], last["mails"]) == ("shop", "INBOX", MAILS)
        assert "━" not in done.stderr
