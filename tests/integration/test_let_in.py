"""Whom a worker talks to and who may talk to it: certificates, stripped encryption, a listener that strangers could reach."""

import os
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from monitor.wallclock import utc_now
from tests.support.dovecot import Dovecot, running_dovecot
from tests.support.mails import ORDER, buyer_mail
from tests.support.scripted_imap import ScriptedImap, running_scripted_imap
from tests.support.smtp_server import make_certificate
from tests.support.waiting import PATIENCE

ROOT = Path(__file__).parents[2]


def write_config(
    folder: Path, *, port: int, security: str, worker: str = "", mailbox: str = "", receivers: str = ""
) -> None:
    """A mailbox at this port of 127.0.0.1, and the terminal as the only receiver unless others are given."""
    (folder / "config.toml").write_text(f"""
[worker]
{worker}
[[account]]
name = "acme-eu"
notified_at = ["support@acme.example"]
[[mailbox]]
name = "support"
host = "127.0.0.1"
port = {port}
security = "{security}"
username = "ops@acme.example"
password = "env:TEST_IMAP_PASSWORD"
timeout = "5s"
{mailbox}
{receivers or "[[receiver]]" + chr(10) + 'type = "console"'}
""")


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "monitor", *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), "TEST_IMAP_PASSWORD": "correct horse battery"},
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        timeout=PATIENCE,
        check=False,
    )


@pytest.fixture(scope="module")
def dovecot() -> Iterator[Dovecot]:
    with running_dovecot() as server:
        sent_at = utc_now() - timedelta(hours=17)
        server.deliver(buyer_mail(sent_at), sent_at)
        yield server


@pytest.mark.integration
@pytest.mark.parametrize("security", ["tls", "starttls"])
def test_a_mail_server_nobody_vouches_for_is_refused_in_one_line_and_told(
    tmp_path: Path, dovecot: Dovecot, security: str
) -> None:
    port = dovecot.tls_port if security == "tls" else dovecot.port
    write_config(tmp_path, port=port, security=security)
    done = run(tmp_path, "once")
    assert done.returncode == 1
    problem = f"127.0.0.1:{port}: certificate refused: "
    assert done.stderr.splitlines()[-1].startswith(problem), done.stderr
    assert "Traceback" not in done.stderr
    assert ORDER not in done.stdout
    # As soon as somebody vouches for it, everything is told.
    write_config(tmp_path, port=port, security=security, mailbox=f'ca_file = "{dovecot.ca_file}"')
    assert ORDER in run(tmp_path, "once").stdout


def test_encryption_that_somebody_stripped_is_refused_before_the_password_is_said(tmp_path: Path) -> None:
    server = ScriptedImap(capabilities=b"IMAP4rev1 AUTH=PLAIN LOGIN")
    with running_scripted_imap(server):
        write_config(tmp_path, port=server.port, security="starttls")
        done = run(tmp_path, "once")
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith(f"127.0.0.1:{server.port}: STARTTLS is not offered."), done.stderr
    said = {command.split()[0] for command in server.commands}
    assert said <= {"CAPABILITY", "LOGOUT"}, said


def test_a_greeting_that_is_logged_in_already_does_not_spare_the_encryption(tmp_path: Path) -> None:
    server = ScriptedImap(greeting=b"* PREAUTH welcome\r\n")
    with running_scripted_imap(server):
        write_config(tmp_path, port=server.port, security="starttls")
        done = run(tmp_path, "once")
    assert done.returncode == 1
    assert "STARTTLS is not offered" in done.stderr
    assert not [command for command in server.commands if command.startswith(("EXAMINE", "UID"))]


@contextmanager
def https_server(folder: Path) -> Iterator[tuple[int, list[str]]]:
    """A provider's stand-in behind a certificate that nobody vouches for; what arrives is kept."""
    certificate, key = make_certificate(folder)
    heard: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            heard.append(self.path)
            self.send_response(200)
            self.end_headers()

        do_GET = do_POST

        def log_message(self, format: str, *arguments: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        def handle_error(self, request: object, client_address: object) -> None:
            """The client hangs up in the middle of the handshake: that is what is wanted."""

    with Server(("127.0.0.1", 0), Handler) as server:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        try:
            yield server.server_address[1], heard
        finally:
            server.shutdown()
            thread.join()


@pytest.mark.integration
def test_providers_nobody_vouches_for_get_no_token_and_no_order(tmp_path: Path, dovecot: Dovecot) -> None:
    with https_server(tmp_path) as (port, heard):
        here = f"https://127.0.0.1:{port}"
        receivers = f"""
[slack]
bot_token = "xoxb-stand-in"
api_url = "{here}/api/"
[twilio]
account_sid = "AC{"0" * 32}"
auth_token = "stand-in-token"
from = "+15005550006"
api_url = "{here}"
[[person]]
name = "Ana"
phone = "+447700900123"
[[receiver]]
name = "team"
type = "slack"
channel = "C0123"
[[receiver]]
name = "pager"
type = "webhook"
url = "{here}/hook"
[[receiver]]
name = "phones"
type = "sms"
to = ["Ana"]
[[policy]]
name = "default"
[[policy.step]]
remaining = "8h"
notify = ["team", "pager", "phones"]
"""
        write_config(
            tmp_path,
            port=dovecot.port,
            security="none",
            worker=f'heartbeat_url = "{here}/beat"',
            receivers=receivers,
        )
        done = run(tmp_path, "once")
        assert "3 still to send" in done.stdout, done.stdout + done.stderr
        refused = [line for line in done.stderr.splitlines() if "its TLS certificate is not valid" in line]
        assert {name for name in ("slack", "webhook", "sms") if any(f"channel={name}" in line for line in refused)} == {
            "slack",
            "webhook",
            "sms",
        }
        assert heard == []


@pytest.mark.parametrize("address", ["0.0.0.0:0", "[::]:0", "192.0.2.7:9464"])
def test_a_listener_that_strangers_could_reach_is_refused_unless_meant(tmp_path: Path, address: str) -> None:
    write_config(tmp_path, port=9, security="none", worker=f'metrics_listen = "{address}"')
    for command in ("run", "once", "check-config"):
        done = run(tmp_path, command)
        assert done.returncode == 2
        assert "metrics_public = true if that is meant" in done.stderr
        assert not (tmp_path / "var").exists(), "nothing was begun"
    write_config(tmp_path, port=9, security="none", worker=f'metrics_listen = "{address}"\nmetrics_public = true')
    assert run(tmp_path, "check-config").returncode == 0
