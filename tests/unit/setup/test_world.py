"""Signing in from a terminal: the code is shown, the browser comes back or its address is pasted."""

from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from monitor.config.model import MailboxConfig
from monitor.errors import ReplyByError
from monitor.oauth.keeper import TokenKeeper
from monitor.setup.world import sign_in_mailbox
from tests.support.oauth_server import run_oauth_server

NOW = datetime(2026, 11, 20, 8, tzinfo=UTC)


class Paster:
    """Opens the address elsewhere and pastes where the browser ended; or presses Enter too early."""

    def __init__(self, *, pastes: bool = True) -> None:
        self.pastes = pastes
        self.shown = ""

    def show(self, text: str) -> None:
        self.shown = text

    def ask(self, question: str, *, secret: bool) -> str:
        if not self.pastes:
            return ""
        query = parse_qs(urlsplit(self.shown.split("\n")[1]).query)
        return f"{query['redirect_uri'][0]}?state={query['state'][0]}&code=c-1"


def mailbox_of(provider: str, endpoint: str) -> MailboxConfig:
    return MailboxConfig(
        name="support",
        type="imap",
        accounts=("default",),
        username="s@acme.example",
        oauth=provider,
        client_id="c",
        client_secret="s",
        token_endpoint=endpoint,
    )


@pytest.mark.parametrize("provider", ["google", "microsoft"])
def test_a_sign_in_leaves_a_token_that_is_used(provider: str, tmp_path: Path) -> None:
    with run_oauth_server() as server:
        mailbox = mailbox_of(provider, server.token_endpoint)
        sign_in_mailbox(mailbox, tmp_path, Paster(), lambda: NOW)
        assert TokenKeeper(mailbox, tmp_path, lambda: NOW).access_token() == "access-1"


def test_a_browser_that_never_came_back_is_told(tmp_path: Path) -> None:
    with run_oauth_server() as server, pytest.raises(ReplyByError, match="no_answer"):
        sign_in_mailbox(mailbox_of("google", server.token_endpoint), tmp_path, Paster(pastes=False), lambda: NOW)
    assert list(tmp_path.iterdir()) == []


def test_a_refusal_is_one_line(tmp_path: Path) -> None:
    with run_oauth_server() as server:
        server.refuse = "access_denied"
        with pytest.raises(ReplyByError) as caught:
            sign_in_mailbox(mailbox_of("microsoft", server.token_endpoint), tmp_path, Paster(), lambda: NOW)
    assert str(caught.value) == "The sign-in was refused (access_denied). Try again, and allow the access."
