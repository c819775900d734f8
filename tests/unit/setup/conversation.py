"""A person who answers what is asked, and a world that can be told how to behave."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from monitor.config.model import Config, MailboxConfig
from monitor.core.messages import Where
from monitor.errors import LoginRefused, MailboxError, ReplyByError
from monitor.setup.autodiscover import Guess
from monitor.setup.probes import ProbeFailed, SlackFacts, TwilioFacts
from monitor.sources.base import FolderFacts, MailboxFacts

FACTS = MailboxFacts(
    folders=(
        FolderFacts(name="INBOX", where=Where.INBOX, mails=214),
        FolderFacts(name="Envoyés", where=Where.SENT, mails=80),
        FolderFacts(name="Spam", where=Where.JUNK, mails=3),
    ),
    authserv_ids=(("mx.acme.example", 1.0),),
    sent_from=("support@acme.example", "Sales@Acme.example"),
    written_to=("orders@acme.example",),
)


@dataclass
class Person:
    """Types the answers in order. `asked` and `shown` keep what stood on the screen; `hidden` which were secrets."""

    answers: Sequence[tuple[str, str]]
    asked: list[str] = field(default_factory=list)
    shown: list[str] = field(default_factory=list)
    hidden: list[str] = field(default_factory=list)

    def show(self, text: str) -> None:
        self.shown.append(text)

    def ask(self, question: str, *, secret: bool) -> str:
        if len(self.asked) == len(self.answers):
            raise EOFError
        beginning, answer = self.answers[len(self.asked)]
        assert question.startswith(beginning), f"asked {question!r}, expected {beginning!r}"
        self.asked.append(question)
        if secret:
            self.hidden.append(beginning)
        return answer

    @property
    def problems(self) -> list[str]:
        return [line for line in self.shown if line.startswith("✗")]


@dataclass
class World:
    """Probes whose answers a test decides."""

    guess: Guess = field(
        default_factory=lambda: Guess(
            provider="other", host="imap.acme.example", port=993, username="support@acme.example", source="a guess"
        )
    )
    password: str = "right"
    host: str = "imap.acme.example"
    members: set[str] = field(default_factory=lambda: {"C0123"})
    signed_in: list[str] = field(default_factory=list)
    pinged: list[str] = field(default_factory=list)
    paged: list[str] = field(default_factory=list)
    running: bool = False
    tried: list[MailboxConfig] = field(default_factory=list)

    def discover(self, address: str) -> Guess:
        return self.guess

    def probe_mailbox(self, mailbox: MailboxConfig) -> MailboxFacts:
        if mailbox.host != self.host:
            raise MailboxError(f"{mailbox.host}:{mailbox.port}: not reachable. Check host and port.", "unreachable")
        self.tried.append(mailbox)
        if mailbox.password != self.password and not mailbox.oauth:
            raise LoginRefused(f"{mailbox.host}:{mailbox.port}: login refused for {mailbox.username}. Check it.")
        return FACTS

    def sign_in(self, mailbox: MailboxConfig, show: Callable[[str], None]) -> None:
        show("Open https://microsoft.example/device and type ABCD.")
        if mailbox.client_id == "wrong":
            raise ProbeFailed("The sign-in was refused (invalid_client). Try again, and allow the access.")
        self.signed_in.append(mailbox.client_id)

    def probe_slack(self, bot_token: str, app_token: str) -> SlackFacts:
        if bot_token == "xoxb-old":
            raise ProbeFailed("Slack: token_revoked. Install the app again and copy the new token.")
        return SlackFacts(
            team="Acme",
            bot="replyby",
            channels={"C0123": "support", "C0456": "night"},
            member_of=frozenset(self.members),
            people={"U0123": "Ana", "U0456": "Bo"},
        )

    def probe_twilio(self, account_sid: str, auth_token: str) -> TwilioFacts:
        if auth_token != "right":
            raise ReplyByError("Twilio: HTTP 401, not retried. Check [twilio] account_sid and auth_token.")
        return TwilioFacts(senders=("+33700000000", "+15005550006"), trial=True)

    def ping(self, url: str) -> None:
        if "wrong" in url:
            raise ProbeFailed("This address answers HTTP 404. Copy it again from the service.")
        self.pinged.append(url)

    def page(self, config: Config, person: str) -> str:
        self.paged.append(person)
        return f"✓ {person} answered after 9 s"

    def worker_runs(self, config: Config) -> bool:
        return self.running

    def first_look(self, config: Config) -> list[str]:
        return [f"✓ 61 buyer messages for {config.accounts[0].name}"]
