"""The interview's first part: the mailbox Amazon writes to, tried until it opens."""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from monitor.config.keys_of_mail import PORT
from monitor.config.kinds import Scope
from monitor.config.kinds_of_address import EMAIL, HOST, is_loopback
from monitor.config.model import MailboxConfig
from monitor.core.messages import Where
from monitor.errors import LoginRefused, MailboxError
from monitor.setup.autodiscover import GOOGLE, MICROSOFT, Guess
from monitor.setup.dialogue import Dialogue, checked, required
from monitor.setup.probes import Probes
from monitor.sources.base import MailboxFacts

NAME = "mailbox"
GOOGLE_HINT = "Gmail. An app password is the simplest: Google Account → Security → 2-Step Verification → App passwords."
MICROSOFT_HINT = (
    'Microsoft 365 takes no passwords any more. You need an application of your own (README, "Signing in to Microsoft"): '
    "its client id is asked next."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class MailboxAnswers:
    """What came of it: the keys of [[mailbox]] without secrets, the secrets by key, and what the login showed."""

    address: str
    keys: dict[str, Any]
    secrets: dict[str, str]
    facts: MailboxFacts
    config: MailboxConfig


Recognise = Callable[[MailboxConfig], MailboxConfig]
"""Adds what nobody is asked: a mailbox's name, and what the former file knows of its connection."""


def ask_mailbox(dialogue: Dialogue, probes: Probes, scope: Scope, recognise: Recognise) -> MailboxAnswers:
    """Return a mailbox that opened.

    Args:
        dialogue: asks.
        probes: tries.
        scope: for the checks that config.toml makes too.
        recognise: called with what was answered before it is tried.
    """
    address: str = dialogue.ask("address", "Which mailbox does Amazon write to?", checked(EMAIL, scope))
    guess = probes.discover(address)
    if guess.provider == MICROSOFT or (guess.provider == GOOGLE and _wants_oauth(dialogue)):
        return _by_oauth(dialogue, probes, address, guess, recognise)
    if guess.provider == GOOGLE:
        dialogue.say(GOOGLE_HINT)
    return _by_password(dialogue, probes, scope, address, guess, recognise)


def _wants_oauth(dialogue: Dialogue) -> bool:
    question = "Gmail: sign in with an app password, or OAuth?"
    return dialogue.choose("sign-in", question, ("password", "oauth"), default="password") == "oauth"


def _by_password(
    dialogue: Dialogue, probes: Probes, scope: Scope, address: str, guess: Guess, recognise: Recognise
) -> MailboxAnswers:
    mailbox = MailboxConfig(
        name=NAME, type="imap", accounts=("default",), host=guess.host, port=guess.port, security=guess.security,
        username=guess.username or address,
    )  # fmt: skip
    if guess.provider != GOOGLE:
        mailbox = _ask_server(dialogue, scope, mailbox, guess.source)
    while True:
        typed = mailbox

        def log_in(password: str, typed: MailboxConfig = typed) -> tuple[MailboxConfig, MailboxFacts]:
            # Google shows app passwords in groups of four; the spaces are no part of them.
            secret = password.replace(" ", "") if guess.provider == GOOGLE else password
            tried = replace(recognise(typed), password=required(secret))
            return tried, probes.probe_mailbox(tried)

        try:
            mailbox, facts = dialogue.ask("password", "Its password:", _only_refusals_again(log_in), secret=True)
            break
        except _Unreachable as trouble:
            if not dialogue.interactive or "host" in dialogue.given:
                raise trouble.error from None
            dialogue.bad(str(trouble))
            mailbox = _ask_server(dialogue, scope, mailbox, "what was typed")
    _show(dialogue, facts)
    return MailboxAnswers(
        address=address, keys=_keys(mailbox, guess), secrets={"password": mailbox.password}, facts=facts, config=mailbox
    )


class _Unreachable(Exception):
    """The server was wrong, not the password: other questions have to be asked again."""

    def __init__(self, error: MailboxError) -> None:
        self.error = error
        super().__init__(str(error))


def _only_refusals_again(
    log_in: Callable[[str], tuple[MailboxConfig, MailboxFacts]],
) -> Callable[[str], tuple[MailboxConfig, MailboxFacts]]:
    def check(password: str) -> tuple[MailboxConfig, MailboxFacts]:
        try:
            return log_in(password)
        except LoginRefused as error:
            raise LoginRefused(_plain(error)) from None
        except MailboxError as error:
            raise _Unreachable(MailboxError(_plain(error), error.reason)) from None

    return check


def _plain(error: MailboxError) -> str:
    """Return the line without a table's name: whoever answers here has not seen the file yet."""
    return re.sub(r' of \[\[mailbox\]\] "[^"]*"', "", str(error))


def _ask_server(dialogue: Dialogue, scope: Scope, mailbox: MailboxConfig, source: str) -> MailboxConfig:
    if "host" not in dialogue.given:
        dialogue.say(f"Its server is probably {mailbox.host}:{mailbox.port} ({source}).")
    host = dialogue.ask("host", "IMAP server:", checked(HOST, scope), default=mailbox.host)
    known = str(mailbox.port)
    port = dialogue.ask("port", "Port:", lambda text: checked(PORT, scope)(_number(text)), default=known)
    username = dialogue.ask("username", "User name:", required, default=mailbox.username)
    security = _security_of(port, host)
    if "security" in dialogue.given:
        security = dialogue.choose("security", "How is the connection encrypted?", SECURITIES, default=security)
    return replace(mailbox, host=host, port=port, username=username, security=security)


def _number(text: str) -> int | str:
    return int(text) if text.isdecimal() and len(text) < 9 else text


SECURITIES = ("tls", "starttls", "none")


def _security_of(port: int, host: str) -> str:
    if port == 993:
        return "tls"
    return "none" if is_loopback(host) else "starttls"


def _by_oauth(dialogue: Dialogue, probes: Probes, address: str, guess: Guess, recognise: Recognise) -> MailboxAnswers:
    if guess.provider == MICROSOFT:
        dialogue.say(MICROSOFT_HINT)
    else:
        dialogue.say('You need a client of your own (README, "Signing in to Google").')
    secrets: dict[str, str] = {}
    mailbox = MailboxConfig(
        name=NAME, type="imap", accounts=("default",), host=guess.host, port=guess.port, username=address,
        oauth=guess.provider,
    )  # fmt: skip

    def sign_in(client_id: str) -> tuple[MailboxConfig, MailboxFacts]:
        secret = ""
        if guess.provider == GOOGLE:
            secret = dialogue.ask("client-secret", "Its client secret:", required, secret=True)
            secrets["client_secret"] = secret
        tried = replace(recognise(mailbox), client_id=required(client_id), client_secret=secret)
        probes.sign_in(tried, dialogue.say)
        return tried, probes.probe_mailbox(tried)

    mailbox, facts = dialogue.ask("client-id", "Client id:", sign_in)
    _show(dialogue, facts)
    keys = {**_keys(mailbox, guess), "oauth": mailbox.oauth, "client_id": mailbox.client_id}
    return MailboxAnswers(address=address, keys=keys, secrets=secrets, facts=facts, config=mailbox)


def _keys(mailbox: MailboxConfig, guess: Guess) -> dict[str, Any]:
    keys: dict[str, Any] = {"type": "imap", "host": mailbox.host}
    if mailbox.port != (993 if mailbox.security == "tls" else 143):
        keys["port"] = mailbox.port
    if mailbox.security != "tls":
        keys["security"] = mailbox.security
    if guess.provider in (GOOGLE, MICROSOFT) and mailbox.oauth:
        del keys["host"]
    return {**keys, "username": mailbox.username}


def _show(dialogue: Dialogue, facts: MailboxFacts) -> None:
    sent = next((folder.name for folder in facts.folders if folder.where is Where.SENT), None)
    junk = next((folder.name for folder in facts.folders if folder.where is Where.JUNK), None)
    mails = sum(folder.mails for folder in facts.folders if folder.where is Where.INBOX)
    parts = [f"{len(facts.folders)} folders", f"{mails} mails"]
    parts.append(f'Sent is "{sent}"' if sent else "no Sent folder was found")
    parts.append(f'spam is "{junk}"' if junk else "no spam folder was found")
    dialogue.good(f"logged in, {', '.join(parts)}")
    if facts.sent_from:
        dialogue.say(f"  Replies go out from {', '.join(facts.sent_from[:3])}.")
    if facts.written_to:
        dialogue.say(f"  Amazon writes to {', '.join(facts.written_to[:3])}.")
    if facts.authserv_ids:
        dialogue.say(
            f"  Verdicts on who sent a mail (Authentication-Results) are written by {facts.authserv_ids[0][0]}."
        )
    else:
        dialogue.say("  The mails carry no verdict of the server on who sent them (Authentication-Results).")
