"""`replyby login` as a person types it: in a terminal, against a sign-in server; then a mail server that checks the token."""

import json
import os
import re
import stat
import subprocess
import sys
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pexpect
import pytest

from tests.support.dovecot import USERNAME, Dovecot, running_dovecot
from tests.support.oauth_server import OAuthServer, run_oauth_server
from tests.support.waiting import PATIENCE

ROOT = Path(__file__).parents[2]
REPLYBY = [sys.executable, "-m", "monitor"]
ENVIRON = {
    **{key: value for key, value in os.environ.items() if not key.startswith("REPLYBY_")},
    "PYTHONPATH": str(ROOT),
    "TERM": "dumb",
}


def configure(folder: Path, provider: str, endpoint: str, server: Dovecot | None = None) -> None:
    secret = 'client_secret = "hush-client"\n' if provider == "google" else ""
    place = "" if server is None else f'host = "127.0.0.1"\nport = {server.tls_port}\nca_file = "{server.ca_file}"\n'
    (folder / "config.toml").write_text(
        f'[[mailbox]]\nname = "support"\noauth = "{provider}"\nclient_id = "client-1"\n{secret}{place}'
        f'username = "{USERNAME}"\ntoken_endpoint = "{endpoint}"\n[[receiver]]\ntype = "console"\n'
    )


def run(folder: Path, *arguments: str, program: Sequence[str] = REPLYBY) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*program, *arguments], cwd=folder, env=ENVIRON, stdin=subprocess.DEVNULL, capture_output=True, text=True,
        timeout=PATIENCE, check=False,
    )  # fmt: skip


@contextmanager
def login(folder: Path) -> Iterator[Any]:
    child = pexpect.spawn(
        REPLYBY[0], [*REPLYBY[1:], "login", "support"], cwd=str(folder), env=ENVIRON, encoding="utf-8", timeout=PATIENCE,
        dimensions=(40, 500),
    )  # fmt: skip
    child.delaybeforesend = None
    try:
        yield child
    finally:
        child.close(force=True)


def address_shown(child: Any) -> tuple[str, str]:
    """Return the redirect address and the state that the browser would be given."""
    child.expect(r"(http://127\.0\.0\.1:\d+/authorize\?\S+)")
    asked = parse_qs(urlsplit(child.match.group(1)).query)
    assert asked["login_hint"] == [USERNAME]
    return asked["redirect_uri"][0], asked["state"][0]


def ends(child: Any) -> int:
    child.expect(pexpect.EOF)
    child.wait()
    return int(child.exitstatus)


@pytest.mark.integration
@pytest.mark.parametrize("provider", ["google", "microsoft"])
def test_after_a_sign_in_the_mailbox_opens_and_the_token_is_nobody_elses(provider: str, tmp_path: Path) -> None:
    state = OAuthServer(
        username=USERNAME, replaces=provider == "microsoft", pending=1 if provider == "microsoft" else 0
    )
    with run_oauth_server(state) as sign_in, running_dovecot(introspection_url=sign_in.introspection_url) as server:
        configure(tmp_path, provider, sign_in.token_endpoint, server)
        before = run(tmp_path, "check-config", "--connect")
        assert before.returncode == 1
        assert "nobody has signed in yet. Run `replyby login support`." in before.stdout
        with login(tmp_path) as child:
            if provider == "google":
                redirect, told = address_shown(child)
                child.expect_exact("Press Enter when the page says")
                visit = f"{redirect}?{urlencode({'state': told, 'code': 'code-1'})}"
                with urllib.request.urlopen(visit, timeout=5) as page:
                    assert b"Signed in" in page.read()
                child.sendline("")
            else:
                child.expect_exact("type the code ABCD-EFGH")
            child.expect(r"Signed in; the token is kept in (\S+)\.")
            token = Path(child.match.group(1))
            assert ends(child) == 0
        assert stat.S_IMODE(token.stat().st_mode) == 0o600
        assert stat.S_IMODE(token.parent.stat().st_mode) == 0o700
        assert token.is_relative_to(tmp_path / "var")
        after = run(tmp_path, "check-config", "--connect", "--json")
        found = {one["what"]: one["ok"] for one in json.loads(after.stdout)["findings"]}
        assert (after.returncode, found) == (0, {'mailbox "support"': True}), after.stdout
        for secret in (*sign_in.access_tokens, sign_in.refresh_token, "hush-client"):
            assert secret not in after.stdout + after.stderr + before.stdout


def test_three_wrong_answers_are_told_and_asked_again(tmp_path: Path) -> None:
    with run_oauth_server() as sign_in:
        configure(tmp_path, "google", sign_in.token_endpoint)
        with login(tmp_path) as child:
            redirect, told = address_shown(child)
            for wrong, answer in (
                ("", "No browser came back yet"),
                ("what?", "Not the address of this sign-in"),
                (f"{redirect}?state=other&code=c", "Not the address of this sign-in"),
            ):
                child.expect_exact("at which the browser ended: ")
                child.sendline(wrong)
                child.expect_exact(answer)
            child.expect_exact("at which the browser ended: ")
            child.sendline(f"{redirect}?state={told}&code=code-9")
            child.expect_exact("Signed in; the token is kept in")
            assert ends(child) == 0
        assert [form["code"] for form in sign_in.grants("authorization_code")] == ["code-9"]


@pytest.mark.parametrize(
    ("provider", "refusal", "words"),
    [
        ("microsoft", "authorization_declined", "Try again, and allow the access."),
        ("microsoft", "expired_token", "The code ran out before it was typed. Try again, and type it at once."),
        ("microsoft", "invalid_client", "Check client_id and client_secret in config.toml"),
        ("google", "invalid_grant", "The code was used already, or it ran out. Try again."),
    ],
)
def test_what_the_provider_refuses_is_one_line_that_says_what_to_do(
    provider: str, refusal: str, words: str, tmp_path: Path
) -> None:
    with run_oauth_server() as sign_in:
        sign_in.refuse = refusal
        configure(tmp_path, provider, sign_in.token_endpoint)
        with login(tmp_path) as child:
            if provider == "google":
                redirect, told = address_shown(child)
                child.sendline(f"{redirect}?state={told}&code=code-1")
            child.expect(re.escape(f"The sign-in was refused ({refusal}). {words}"))
            assert ends(child) == 1
            assert "Traceback" not in child.before
        assert not (tmp_path / "var" / "oauth").exists() or not list((tmp_path / "var" / "oauth").iterdir())


def test_a_sign_in_server_that_is_out_of_order_is_one_line(tmp_path: Path) -> None:
    with run_oauth_server() as sign_in:
        sign_in.status = 503
        configure(tmp_path, "microsoft", sign_in.token_endpoint)
        done = run(tmp_path, "login", "support")
    assert done.returncode == 1
    assert re.fullmatch(r"\S+: sign-in server not reachable\. Check the connection, then try again\.\n", done.stderr), (
        done.stderr
    )


@pytest.mark.parametrize("provider", ["google", "microsoft"])
def test_without_the_libraries_the_line_says_what_to_install(provider: str, tmp_path: Path) -> None:
    with run_oauth_server() as sign_in:
        configure(tmp_path, provider, sign_in.token_endpoint)
        hidden = (
            "import sys, runpy; sys.modules['msal'] = sys.modules['google.auth'] = None; "
            "sys.argv = ['replyby', 'login', 'support']; runpy.run_module('monitor', run_name='__main__')"
        )
        done = run(tmp_path, program=[sys.executable, "-c", hidden])
    assert done.returncode == 1
    assert done.stderr == (
        "The libraries for signing in are not installed. "
        f"Run `{sys.executable} -m pip install 'msal>=1.39,<2' 'google-auth>=2.62,<3'`.\n"
    )


def test_without_a_terminal_a_browsers_answer_is_not_waited_for(tmp_path: Path) -> None:
    with run_oauth_server() as sign_in:
        configure(tmp_path, "google", sign_in.token_endpoint)
        done = run(tmp_path, "login", "support")
    assert (done.returncode, done.stderr) == (1, "replyby login: nobody answers. Run it in a terminal.\n")
