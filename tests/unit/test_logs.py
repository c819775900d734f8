"""What may and what may not stand in a log line, in both forms, whoever wrote it."""

import io
import json
import logging
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import structlog

from monitor.config.loader import parse_config
from monitor.logs import Unbreakable, secrets_of, set_up_logs

SECRETS = ["hunter2-mailbox-password", "https://hook.acme.example/services/T0/B0/verysecret"]


@pytest.fixture
def said(capsys: pytest.CaptureFixture[str]) -> Iterator[Callable[[], str]]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield lambda: capsys.readouterr().err
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


def speak() -> None:
    """Say all the wrong things, by our own logger and by a library's, in every place a text can hide."""
    log = structlog.get_logger()
    password, hook = SECRETS
    log.warning(
        f"posted to {hook}",
        error=f"refused {password}",
        deep={"a": [password, ("xoxb-1-abc",)]},
        problem=ValueError(f"k7c2v9m4x1q8w5z@marketplace.amazon.fr says {password}"),
    )
    logging.getLogger("urllib3").debug("send: b'Authorization: Bearer xapp-1-A-2-b'")
    logging.getLogger("urllib3").warning("send %s with %s", password, {"Authorization": "Basic aHVudGVyMg=="})
    try:
        raise RuntimeError(f"could not log in with {password}")
    except RuntimeError:
        log.exception("broke")
        logging.getLogger("a.library").exception("broke too")


@pytest.mark.parametrize("form", ["console", "json"])
def test_no_secret_and_no_buyers_address_stands_in_a_line(said: Callable[[], str], form: str) -> None:
    set_up_logs(form, secrets=SECRETS)
    logging.getLogger().setLevel(logging.DEBUG)
    speak()
    text = said()
    for secret in (*SECRETS, "xoxb-", "xapp-", "aHVudGVyMg==", "marketplace.amazon.fr"):
        assert secret not in text, secret
    assert "***" in text
    assert text.count("RuntimeError: could not log in") == 2, "the traceback itself is needed"


@pytest.mark.parametrize("form", ["console", "json"])
def test_nothing_from_outside_commands_the_terminal_or_forges_a_line(said: Callable[[], str], form: str) -> None:
    set_up_logs(form)
    evil = "\x1b[2J\x9b1m\u202e\n2026-11-24T00:00:00Z [info     ] all is well"
    structlog.get_logger().warning(evil, subject=evil, bare="\x1b[8m", half="\ud800")
    logging.getLogger("a.library").warning("%s", evil)
    try:
        raise RuntimeError(evil)
    except RuntimeError:
        structlog.get_logger().exception("broke")
    text = said()
    assert not set(text) & {"\x1b", "\x9b", "\u202e", "\ud800"}
    assert "all is well" in text
    forged = [line for line in text.splitlines() if line.startswith("2026-11-24T00:00:00Z")]
    assert forged == []
    if form == "json":
        assert len([json.loads(line) for line in text.splitlines()]) == 3


def test_every_secret_of_a_configuration_is_known_to_the_log() -> None:
    text = """
[worker]
heartbeat_url = "https://hc.acme.example/planted-heartbeat"
page_username = "office"
page_password = "planted-page-password"
database = "postgresql://replyby@db.acme.example/replyby"
database_password = "planted-database-password"
[[account]]
name = "acme-eu"
[account.sp_api]
refresh_token = "planted-refresh-token"
lwa_app_id = "amzn1.application-oa2-client.1"
lwa_client_secret = "planted-lwa-secret"
marketplaces = ["FR"]
[[mailbox]]
name = "one"
host = "imap.acme.example"
username = "a@acme.example"
password = "planted-mailbox-password"
[[mailbox]]
name = "two"
type = "imap"
username = "b@acme.example"
oauth = "google"
client_id = "id.apps.googleusercontent.com"
client_secret = "planted-client-secret"
[slack]
bot_token = "xoxb-planted-bot"
app_token = "xapp-planted-app"
[twilio]
account_sid = "AC00000000000000000000000000000000"
auth_token = "planted-twilio-token"
from = "+15005550006"
[smtp]
host = "smtp.acme.example"
from = "replyby@acme.example"
username = "replyby"
password = "planted-smtp-password"
[[receiver]]
type = "webhook"
url = "https://hook.acme.example/planted-webhook-url"
secret = "planted-webhook-secret"
"""
    config = parse_config(text.encode(), Path("/nonexistent/config.toml"), "config.toml", {})
    known = set(secrets_of(config))
    planted = {word for word in text.replace('"', " ").split() if "planted" in word}
    assert len(planted) == 13
    assert planted <= known, planted - known
    # The webhook's address is a receiver's target, which listings of receivers need; the log cuts it out all the same.
    assert [secret for secret in sorted(planted) if secret in repr(config)] == [
        "https://hook.acme.example/planted-webhook-url"
    ]


def test_a_closed_stream_stops_nobody() -> None:
    closed = io.StringIO()
    closed.close()
    assert Unbreakable(closed).write("a line") == 0
    Unbreakable(closed).flush()
