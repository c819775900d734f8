"""A mailbox read by OAuth: a real Dovecot takes our tokens by XOAUTH2 and asks the sign-in server about each."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from monitor.config.model import MailboxConfig
from monitor.errors import LoginRefused
from monitor.oauth.keeper import TokenKeeper, record_sign_in
from monitor.oauth.provider import Grant
from monitor.sources.imap import ImapSource
from tests.support.dovecot import USERNAME, running_dovecot
from tests.support.oauth_server import OAuthServer, run_oauth_server

pytestmark = pytest.mark.integration
START = datetime(2026, 11, 20, 8, tzinfo=UTC)


@pytest.mark.parametrize("provider", ["google", "microsoft"])
def test_a_mailbox_is_read_with_tokens_that_are_renewed(provider: str, tmp_path: Path) -> None:
    state = OAuthServer(username=USERNAME, replaces=provider == "microsoft")
    with run_oauth_server(state) as sign_in, running_dovecot(introspection_url=sign_in.introspection_url) as server:
        server.deliver(b"From: a@b.example\r\nSubject: hello\r\n\r\nhello\r\n")
        mailbox = MailboxConfig(
            name="support",
            type="imap",
            accounts=("default",),
            host="127.0.0.1",
            port=server.tls_port,
            ca_file=str(server.ca_file),
            username=USERNAME,
            oauth=provider,
            client_id="client-1",
            client_secret="secret-1",
            token_endpoint=sign_in.token_endpoint,
        )
        now = START
        sign_in.access_tokens.append("access-1")
        grant = Grant(access_token="access-1", expires_in=timedelta(hours=1), refresh_token=sign_in.refresh_token)
        record_sign_in(mailbox, grant, tmp_path, now)
        keeper = TokenKeeper(mailbox, tmp_path, lambda: now)
        source = ImapSource(mailbox, lambda header, where: True, token=keeper.access_token)
        facts = source.probe()
        assert {folder.name: folder.mails for folder in facts.folders}["INBOX"] == 1

        sign_in.access_tokens.remove("access-1")
        now += timedelta(hours=2)
        assert source.probe().folders == facts.folders
        assert len(sign_in.grants("refresh_token")) == 1

        sign_in.access_tokens.clear()
        with pytest.raises(LoginRefused, match="replyby login support"):
            source.probe()
        source.close()
