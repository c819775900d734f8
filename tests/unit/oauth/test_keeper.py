"""Access tokens stay fresh through the providers' own libraries, against a sign-in server on loopback."""

import stat
import threading
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from monitor.config.model import MailboxConfig
from monitor.errors import LoginRefused, MailboxError
from monitor.oauth.google import Google
from monitor.oauth.keeper import TokenKeeper, record_sign_in
from monitor.oauth.loopback import LoopbackListener
from monitor.oauth.microsoft import Microsoft
from monitor.oauth.provider import Grant, Refused
from monitor.oauth.token_file import read_token, token_path
from tests.support.oauth_server import OAuthServer, run_oauth_server

START = datetime(2026, 11, 20, 8, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


class Clock:
    """A clock moved by hand."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def server() -> Iterator[OAuthServer]:
    with run_oauth_server() as running:
        yield running


def mailbox_of(provider: str, endpoint: str) -> MailboxConfig:
    return MailboxConfig(
        name="support",
        type="imap",
        accounts=("default",),
        host="127.0.0.1",
        username="ops@acme.example",
        oauth=provider,
        client_id="client-1",
        client_secret="hush-client",
        token_endpoint=endpoint,
    )


def signed_in(provider: str, server: OAuthServer, directory: Path, clock: Clock) -> TokenKeeper:
    mailbox = mailbox_of(provider, server.token_endpoint)
    server.access_tokens.append("access-1")
    grant = Grant(access_token="access-1", expires_in=timedelta(hours=1), refresh_token=server.refresh_token)
    record_sign_in(mailbox, grant, directory, clock())
    return TokenKeeper(mailbox, directory, clock)


PROVIDERS = pytest.mark.parametrize("provider", ["google", "microsoft"])


@PROVIDERS
def test_a_fresh_token_is_used_without_asking_anybody(provider: str, server: OAuthServer, tmp_path: Path) -> None:
    clock = Clock()
    keeper = signed_in(provider, server, tmp_path, clock)
    clock.now += 39 * MINUTE
    assert keeper.access_token() == "access-1"
    assert server.requests == []


@PROVIDERS
def test_a_token_is_renewed_while_a_third_of_it_is_left(provider: str, server: OAuthServer, tmp_path: Path) -> None:
    clock = Clock()
    keeper = signed_in(provider, server, tmp_path, clock)
    clock.now += 41 * MINUTE
    assert keeper.access_token() == "access-2"
    (form,) = server.grants("refresh_token")
    assert (form["refresh_token"], form["client_id"]) == ("refresh-0", "client-1")
    assert keeper.access_token() == "access-2"
    assert len(server.requests) == 1
    assert TokenKeeper(mailbox_of(provider, server.token_endpoint), tmp_path, clock).access_token() == "access-2"


@PROVIDERS
def test_a_replaced_refresh_token_is_kept(provider: str, server: OAuthServer, tmp_path: Path) -> None:
    clock = Clock()
    server.replaces = True
    keeper = signed_in(provider, server, tmp_path, clock)
    for number in (2, 3, 4):
        clock.now += timedelta(hours=2)
        assert keeper.access_token() == f"access-{number}"
    assert [form["refresh_token"] for form in server.grants("refresh_token")] == ["refresh-0", "refresh-2", "refresh-3"]


@PROVIDERS
def test_a_refusal_asks_for_a_new_sign_in_and_shows_no_secret(
    provider: str, server: OAuthServer, tmp_path: Path
) -> None:
    clock = Clock()
    keeper = signed_in(provider, server, tmp_path, clock)
    server.refuse = "invalid_grant"
    clock.now += timedelta(hours=2)
    with pytest.raises(LoginRefused) as caught:
        keeper.access_token()
    house = {"google": "Google", "microsoft": "Microsoft"}[provider]
    assert str(caught.value) == (
        f'mailbox "support": {house} no longer renews the sign-in of ops@acme.example (invalid_grant). '
        "Run `replyby login support`."
    )
    assert keeper.trouble(clock.now) == str(caught.value)


@PROVIDERS
def test_a_refusal_is_told_while_the_mailbox_can_still_be_read(
    provider: str, server: OAuthServer, tmp_path: Path
) -> None:
    clock = Clock()
    keeper = signed_in(provider, server, tmp_path, clock)
    server.refuse = "invalid_grant"
    clock.now += 45 * MINUTE
    assert keeper.access_token() == "access-1"
    assert "no longer renews" in str(keeper.trouble(clock.now))


@PROVIDERS
def test_an_outage_of_the_sign_in_server_is_outlived_and_not_hammered(
    provider: str, server: OAuthServer, tmp_path: Path
) -> None:
    clock = Clock()
    keeper = signed_in(provider, server, tmp_path, clock)
    server.refuse = "temporarily_unavailable"
    clock.now += 45 * MINUTE
    assert keeper.access_token() == "access-1"
    asked = len(server.requests)
    clock.now += MINUTE
    assert keeper.access_token() == "access-1"
    assert len(server.requests) == asked
    clock.now += 15 * MINUTE
    with pytest.raises(MailboxError) as caught:
        keeper.access_token()
    assert (caught.value.reason, type(caught.value)) == ("unreachable", MailboxError)
    server.refuse = ""
    assert keeper.access_token() == "access-2"
    assert keeper.trouble(clock.now) is None


@PROVIDERS
def test_a_page_of_html_is_an_outage_not_a_refusal(provider: str, server: OAuthServer, tmp_path: Path) -> None:
    clock = Clock()
    keeper = signed_in(provider, server, tmp_path, clock)
    server.status = 502
    clock.now += timedelta(hours=2)
    with pytest.raises(MailboxError) as caught:
        keeper.access_token()
    assert caught.value.reason == "unreachable"


@PROVIDERS
def test_a_sign_in_server_that_is_not_there_is_an_outage(provider: str, tmp_path: Path) -> None:
    clock = Clock()
    gone = OAuthServer()
    with run_oauth_server(gone):
        pass
    keeper = signed_in(provider, gone, tmp_path, clock)
    clock.now += timedelta(hours=2)
    with pytest.raises(MailboxError) as caught:
        keeper.access_token()
    assert caught.value.reason == "unreachable"


def test_without_a_sign_in_the_command_is_named(tmp_path: Path) -> None:
    keeper = TokenKeeper(mailbox_of("google", "http://127.0.0.1:1/token"), tmp_path, Clock())
    with pytest.raises(LoginRefused, match="nobody has signed in yet"):
        keeper.access_token()


def test_a_token_of_another_account_is_not_used(server: OAuthServer, tmp_path: Path) -> None:
    clock = Clock()
    signed_in("google", server, tmp_path, clock)
    other = mailbox_of("microsoft", server.token_endpoint)
    with pytest.raises(LoginRefused, match="changed since the sign-in"):
        TokenKeeper(other, tmp_path, clock).access_token()


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"version": 1}', "\x00"], ids=repr)
def test_a_damaged_token_file_is_told(content: str, tmp_path: Path) -> None:
    path = token_path(tmp_path, "support")
    path.parent.mkdir()
    path.write_text(content)
    with pytest.raises(LoginRefused, match="not a token file, or damaged"):
        read_token(path, "support")


def test_the_token_file_is_private_and_leaves_no_draft(server: OAuthServer, tmp_path: Path) -> None:
    signed_in("google", server, tmp_path, Clock())
    path = token_path(tmp_path, "support")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert list(path.parent.iterdir()) == [path]
    token = read_token(path, "support")
    assert "access-1" not in repr(token)
    assert "refresh-0" not in repr(token)


def test_names_of_mailboxes_make_no_path_of_their_own() -> None:
    paths = {token_path(Path("/state"), name) for name in ("../x", "a/b", "a b", "a_b", ".hidden", "ops@acme.example")}
    assert len(paths) == 6
    assert {path.parent for path in paths} == {Path("/state/oauth")}


def test_the_end_of_a_google_sign_in_in_testing_is_told_days_before(server: OAuthServer, tmp_path: Path) -> None:
    clock = Clock()
    mailbox = mailbox_of("google", server.token_endpoint)
    grant = Grant(
        access_token="a", expires_in=timedelta(hours=1), refresh_token="r", refresh_expires_in=timedelta(days=7)
    )
    record_sign_in(mailbox, grant, tmp_path, START)
    keeper = TokenKeeper(mailbox, tmp_path, clock)
    assert keeper.trouble(START + timedelta(days=4) - MINUTE) is None
    assert keeper.trouble(START + timedelta(days=4)) == (
        'mailbox "support": the sign-in ends on 2026-11-27 08:00 UTC. Run `replyby login support`. '
        "Publish the Google client, whose tokens last 7 days while it is in testing."
    )


def test_each_renewal_puts_off_the_end_of_a_microsoft_sign_in(server: OAuthServer, tmp_path: Path) -> None:
    clock = Clock()
    server.replaces = True
    keeper = signed_in("microsoft", server, tmp_path, clock)
    assert keeper.trouble(START + timedelta(days=88)) is not None
    clock.now += timedelta(days=30)
    keeper.access_token()
    assert keeper.trouble(START + timedelta(days=88)) is None


def test_two_threads_renew_once(server: OAuthServer, tmp_path: Path) -> None:
    clock = Clock()
    keeper = signed_in("google", server, tmp_path, clock)
    clock.now += timedelta(hours=2)
    found: list[str] = []
    threads = [threading.Thread(target=lambda: found.append(keeper.access_token())) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert found == ["access-2"] * 4
    assert len(server.grants("refresh_token")) == 1


# --- signing in


def test_microsoft_signs_in_by_a_code_typed_elsewhere(server: OAuthServer, tmp_path: Path) -> None:
    server.pending = 1
    shown: list[str] = []
    mailbox = mailbox_of("microsoft", server.token_endpoint)
    grant = Microsoft(mailbox).sign_in(shown.append)
    assert shown == [
        "Open https://microsoft.example/devicelogin in any browser, type the code ABCD-EFGH and allow the access."
    ]
    record_sign_in(mailbox, grant, tmp_path, START)
    assert TokenKeeper(mailbox, tmp_path, Clock()).access_token() == "access-1"


def test_a_declined_code_is_a_refusal(server: OAuthServer) -> None:
    server.refuse = "authorization_declined"
    with pytest.raises(Refused) as caught:
        Microsoft(mailbox_of("microsoft", server.token_endpoint)).sign_in(lambda text: None)
    assert caught.value.code == "authorization_declined"


class Browser:
    """A person with a browser: opens what is shown, allows it, and is sent back."""

    def __init__(self, code: str = "code-1") -> None:
        self.code = code
        self.asked: dict[str, list[str]] = {}

    def show(self, text: str) -> None:
        if "\n" in text:
            self.asked = parse_qs(urlsplit(text.split("\n")[1]).query)

    def come_back(self, listener: LoopbackListener) -> str:
        address = f"{listener.redirect_uri}?state={self.asked['state'][0]}&code={self.code}"
        with urllib.request.urlopen(address, timeout=5) as page:
            assert "Signed in" in page.read().decode()
        return listener.wait(5) or ""


def test_google_signs_in_by_a_browser_that_comes_back(server: OAuthServer, tmp_path: Path) -> None:
    browser = Browser()
    mailbox = mailbox_of("google", server.token_endpoint)
    grant = Google(mailbox).sign_in(browser.show, browser.come_back)
    assert browser.asked["scope"] == ["https://mail.google.com/"]
    assert browser.asked["access_type"] == ["offline"]
    (form,) = server.grants("authorization_code")
    assert (form["code"], form["client_secret"]) == ("code-1", "hush-client")
    assert form["redirect_uri"] == browser.asked["redirect_uri"][0]
    assert form["code_verifier"] not in str(browser.asked)
    record_sign_in(mailbox, grant, tmp_path, START)
    assert TokenKeeper(mailbox, tmp_path, Clock()).access_token() == "access-1"


def test_google_takes_the_last_address_of_a_browser_on_another_machine(server: OAuthServer) -> None:
    browser = Browser()

    def paste(listener: LoopbackListener) -> str:
        return f"  {listener.redirect_uri}?code=code-9&state={browser.asked['state'][0]}&scope=x\n"

    Google(mailbox_of("google", server.token_endpoint)).sign_in(browser.show, paste)
    assert server.grants("authorization_code")[0]["code"] == "code-9"


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("state=forged&code=x", "no_answer"),
        ("error=access_denied&state={state}", "access_denied"),
        ("", "no_answer"),
        ("state={state}", "no_code"),
    ],
)
def test_a_foreign_or_declined_answer_is_refused(server: OAuthServer, query: str, code: str) -> None:
    browser = Browser()

    def answer(listener: LoopbackListener) -> str:
        return f"{listener.redirect_uri}?{query.format(state=browser.asked['state'][0])}"

    with pytest.raises(Refused) as caught:
        Google(mailbox_of("google", server.token_endpoint)).sign_in(browser.show, answer)
    assert caught.value.code == code
    assert server.requests == []


def test_a_stray_visit_does_not_end_the_wait() -> None:
    with LoopbackListener() as listener:
        with pytest.raises(urllib.error.HTTPError):
            urllib.request.urlopen(f"{listener.redirect_uri}favicon.ico", timeout=5)
        assert listener.wait(0) is None
