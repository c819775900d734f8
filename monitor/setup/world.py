"""The interview's real world: this terminal, the network, and signing in; also what `replyby login` does."""

import getpass
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from monitor.config.model import Config, MailboxConfig
from monitor.core.shown import show
from monitor.errors import MailboxError, ReplyByError, StoreError
from monitor.oauth.google import Google
from monitor.oauth.keeper import TokenKeeper, record_sign_in
from monitor.oauth.loopback import LoopbackListener
from monitor.oauth.microsoft import Microsoft
from monitor.oauth.provider import MISSING_EXTRA, TRIES_AGAIN
from monitor.setup import probes
from monitor.setup.autodiscover import Guess, discover, lookups_for
from monitor.setup.dialogue import Screen
from monitor.setup.gather import worker_runs
from monitor.setup.probes import SlackFacts, TwilioFacts
from monitor.sources.base import MailboxFacts, MailSource
from monitor.store.engine import open_engine, reading


class TerminalScreen:
    """Standard output and the keyboard."""

    def show(self, text: str) -> None:
        """Show a line; a server's answer in it cannot command the terminal.

        Where the reader went away (`replyby init … | head`) the work goes on: what it is for is the file.
        """
        with suppress(BrokenPipeError):
            sys.stdout.write(show(text, lines=True) + "\n")
            sys.stdout.flush()

    def ask(self, question: str, *, secret: bool) -> str:
        """Return the line that was typed."""
        return getpass.getpass(question) if secret else input(question)


def sign_in_mailbox(mailbox: MailboxConfig, state_directory: Path, screen: Screen, now: Callable[[], datetime]) -> Path:
    """Let a person allow the access to a mailbox, keep the token and return its file.

    Raises:
        ReplyByError: declined, or the provider cannot be asked.
        OSError: the file cannot be written.
    """
    try:
        if mailbox.oauth == "microsoft":
            grant = Microsoft(mailbox).sign_in(screen.show)
        else:
            grant = Google(mailbox).sign_in(screen.show, lambda listener: _come_back(listener, screen))
    except ModuleNotFoundError:
        raise ReplyByError(MISSING_EXTRA) from None
    except MailboxError as error:
        raise ReplyByError(str(error).replace(TRIES_AGAIN, "Check the connection, then try again.")) from None
    return record_sign_in(mailbox, grant, state_directory, now())


def _come_back(listener: LoopbackListener, screen: Screen) -> str:
    """Return the address the browser ended at; where it runs on another machine, as it was pasted; "" for none yet."""
    question = 'Press Enter when the page says "Signed in"; or paste the address at which the browser ended: '
    typed = screen.ask(question, secret=False).strip()
    return typed or listener.wait(2) or ""


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkProbes:
    """Tries everything for real.

    Attributes:
        build_source: makes a mailbox's source; its second argument gives OAuth tokens, or is None.
        state_directory: where tokens are kept: the one that the file to be written implies.
        screen: for what a sign-in shows and asks. now: aware UTC.
        send_page: sends one SMS, waits for the answer, returns a line. look: returns lines on the first reading.
        slack_url, twilio_url: other addresses, for tests.
    """

    build_source: Callable[[MailboxConfig, Callable[[], str] | None], MailSource]
    state_directory: Path
    screen: Screen
    now: Callable[[], datetime]
    send_page: Callable[[Config, str], str]
    look: Callable[[Config], list[str]]
    slack_url: str = "https://slack.com/api/"
    twilio_url: str = "https://api.twilio.com"

    def discover(self, address: str) -> Guess:
        """Return where a mailbox probably lies."""
        return discover(address, lookups_for(address))

    def probe_mailbox(self, mailbox: MailboxConfig) -> MailboxFacts:
        """Log in and look."""
        keeper = TokenKeeper(mailbox, self.state_directory, self.now) if mailbox.oauth else None
        source = self.build_source(mailbox, keeper.access_token if keeper is not None else None)
        try:
            return source.probe()
        finally:
            source.close()

    def sign_in(self, mailbox: MailboxConfig, show: Callable[[str], None]) -> None:
        """Get and keep an OAuth token."""
        del show  # the screen shows and asks
        sign_in_mailbox(mailbox, self.state_directory, self.screen, self.now)

    def probe_slack(self, bot_token: str, app_token: str) -> SlackFacts:
        """Look at Slack with both tokens."""
        return probes.probe_slack(bot_token, app_token, self.slack_url)

    def probe_twilio(self, account_sid: str, auth_token: str) -> TwilioFacts:
        """Look at the Twilio account."""
        return probes.probe_twilio(account_sid, auth_token, self.twilio_url)

    def ping(self, url: str) -> None:
        """Call the dead-man's switch once."""
        probes.ping(url)

    def page(self, config: Config, person: str) -> str:
        """Send one SMS to a person and wait for the answer."""
        return self.send_page(config, person)

    def worker_runs(self, config: Config) -> bool:
        """Look at the worker's lock; a database that is still to be made is not made."""
        address = config.worker.database
        if address.startswith("sqlite:///") and not Path(address.removeprefix("sqlite:///")).exists():
            return False
        try:
            engine = open_engine(address, config.worker.database_password)
        except StoreError:
            return False
        try:
            with reading(engine):
                return worker_runs(engine)
        except StoreError:
            return False
        finally:
            engine.dispose()

    def first_look(self, config: Config) -> list[str]:
        """Return lines on what the mailboxes hold."""
        return self.look(config)
