"""What the interview tries at once: mailbox, Slack, Twilio, the dead-man's switch. One port, and the real thing."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from email.utils import parsedate_to_datetime
from typing import Any, Protocol

from monitor.config.model import Config, MailboxConfig
from monitor.errors import ReplyByError
from monitor.setup.autodiscover import Guess
from monitor.setup.manifest import missing_scopes
from monitor.sources.base import MailboxFacts
from monitor.wallclock import utc_now

TIMEOUT_SECONDS = 15
MOST_LISTED = 1000


class ProbeFailed(ReplyByError):
    """Something that was tried did not work: one line with what to do."""


@dataclass(frozen=True, slots=True)
class SlackFacts:
    """What a bot token sees. `channels` and `people`: id to name; `member_of`: ids of channels the bot is in.

    `clock_skew`: this machine's time minus Slack's, which is whole seconds; None: it did not say.
    """

    team: str
    bot: str
    channels: Mapping[str, str]
    member_of: frozenset[str]
    people: Mapping[str, str]
    lacking: Mapping[str, str] = field(default_factory=dict)
    clock_skew: timedelta | None = None


@dataclass(frozen=True, slots=True)
class TwilioFacts:
    """What an account has: its senders by phone number, and whether it is a trial.

    `clock_skew`: this machine's time minus Twilio's, as in `SlackFacts`.
    """

    senders: tuple[str, ...]
    trial: bool = False
    balance: str = ""
    clock_skew: timedelta | None = None


class Probes(Protocol):
    """The world as the interview tries it. All raise ReplyByError with one line."""

    def discover(self, address: str) -> Guess:
        """Return where a mailbox probably lies."""

    def probe_mailbox(self, mailbox: MailboxConfig) -> MailboxFacts:
        """Log in and look."""

    def sign_in(self, mailbox: MailboxConfig, show: Callable[[str], None]) -> None:
        """Get and keep an OAuth token."""

    def probe_slack(self, bot_token: str, app_token: str) -> SlackFacts:
        """Look at Slack with both tokens."""

    def probe_twilio(self, account_sid: str, auth_token: str) -> TwilioFacts:
        """Look at the Twilio account."""

    def ping(self, url: str) -> None:
        """Call the dead-man's switch once."""

    def page(self, config: Config, person: str) -> str:
        """Send one SMS to a person, wait for the answer, and return a line on what came of it."""

    def worker_runs(self, config: Config) -> bool:
        """Return whether a worker runs on this configuration's database; False where that cannot be told."""

    def first_look(self, config: Config) -> list[str]:
        """Return lines on what the mailboxes hold: buyer messages, the first response rate, blind spots."""


def probe_slack(bot_token: str, app_token: str, api_url: str = "https://slack.com/api/") -> SlackFacts:
    """Return what both tokens may do and see.

    Raises:
        ProbeFailed: refused, or not reachable.
    """
    from slack_sdk import WebClient
    from slack_sdk.errors import SlackApiError

    def ask(token: str, method: str, **params: Any) -> Any:
        client = WebClient(token=token, base_url=api_url, timeout=TIMEOUT_SECONDS, retry_handlers=[])
        try:
            return client.api_call(method, params=params)
        except SlackApiError as error:
            code = str(error.response.get("error", "refused"))
            raise ProbeFailed(f"Slack: {code}. {_SLACK_HINTS.get(code, 'Copy the token again.')}") from None
        except (OSError, ValueError):
            raise ProbeFailed("Slack: not reachable. Check this machine's connection, then type it again.") from None

    identity = ask(bot_token, "auth.test")
    headers = {str(name).lower(): str(value) for name, value in identity.headers.items()}
    skew = _skew(headers.get("date", ""))
    granted = {scope.strip() for scope in headers.get("x-oauth-scopes", "").split(",")}
    if app_token:
        ask(app_token, "apps.connections.open")
    channels: dict[str, str] = {}
    member_of: set[str] = set()
    for channel in _pages(ask, bot_token, "conversations.list", "channels", types="public_channel,private_channel"):
        if not channel.get("is_archived"):
            channels[channel["id"]] = str(channel.get("name", channel["id"]))
            if channel.get("is_member"):
                member_of.add(channel["id"])
    people = {
        user["id"]: str(user.get("real_name") or user.get("name") or user["id"])
        for user in _pages(ask, bot_token, "users.list", "members")
        if not user.get("deleted") and not user.get("is_bot") and user["id"] != "USLACKBOT"
    }
    return SlackFacts(
        team=str(identity.get("team", "")),
        bot=str(identity.get("user", "")),
        channels=channels,
        member_of=frozenset(member_of),
        people=people,
        lacking=missing_scopes(granted) if granted != {""} else {},
        clock_skew=skew,
    )


def _skew(date: str) -> timedelta | None:
    """Return this machine's time minus that of an HTTP Date header that came just now; None where there is none."""
    try:
        told_at = parsedate_to_datetime(date)
    except (TypeError, ValueError):
        return None
    return None if told_at.tzinfo is None else utc_now() - told_at


_SLACK_HINTS = {
    "invalid_auth": "Copy the token again: the bot token begins with xoxb-, the app token with xapp-.",
    "not_authed": "Copy the token again.",
    "token_revoked": "Install the app again and copy the new token.",
    "account_inactive": "Install the app again and copy the new token.",
    "missing_scope": "Put the manifest into the app again and install it anew.",
    "not_allowed_token_type": "The bot token begins with xoxb-, the app token with xapp-.",
}


def _pages(ask: Callable[..., Any], token: str, method: str, key: str, **params: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    cursor = ""
    while len(found) < MOST_LISTED:
        answer = ask(token, method, limit=200, **params, **({"cursor": cursor} if cursor else {}))
        found += answer.get(key) or []
        cursor = str((answer.get("response_metadata") or {}).get("next_cursor") or "")
        if not cursor:
            break
    return found


def probe_twilio(account_sid: str, auth_token: str, api_url: str = "https://api.twilio.com") -> TwilioFacts:
    """Return the account's numbers.

    Raises:
        ProbeFailed: refused, or not reachable.
    """
    from alerts.errors import Reason
    from alerts.notifiers.twilio_api import CALL_ERRORS, build_client, twilio_error

    client = build_client(account_sid, auth_token, api_url, TIMEOUT_SECONDS)
    try:
        account = client.api.v2010.accounts(account_sid).fetch()
        numbers = client.incoming_phone_numbers.list(limit=50)
    except CALL_ERRORS as error:
        told = twilio_error("Twilio", error, utc_now(), secrets=(auth_token,))
        if told.reason is Reason.BAD_CREDENTIALS:
            line = (
                "Twilio: account SID and auth token do not belong together. Copy both again from Twilio's first page."
            )
            raise ProbeFailed(line) from None
        raise ProbeFailed(str(told)) from None
    balance = ""
    with suppress(*CALL_ERRORS):  # an account under another has none of its own
        found = client.balance.fetch()
        balance = f"{found.balance} {found.currency}"
    return TwilioFacts(
        senders=tuple(str(number.phone_number) for number in numbers),
        trial=str(account.type).lower() == "trial",
        balance=balance,
        clock_skew=_skew_of(api_url),
    )


def _skew_of(url: str) -> timedelta | None:
    """Return this machine's time minus that of a web server; None where it does not say. Sends no credentials."""
    import requests

    try:
        answer = requests.head(url, timeout=TIMEOUT_SECONDS, allow_redirects=False)
    except requests.RequestException:
        return None
    return _skew(answer.headers.get("Date", ""))


def ping(url: str) -> None:
    """Call the dead-man's switch once.

    Raises:
        ProbeFailed: no such address, or it does not answer well.
    """
    import requests

    try:
        answer = requests.get(url, timeout=TIMEOUT_SECONDS, allow_redirects=False)
    except requests.RequestException:
        raise ProbeFailed("This address does not answer. Copy it again from the service.") from None
    if answer.status_code >= 300:
        raise ProbeFailed(f"This address answers HTTP {answer.status_code}. Copy it again from the service.")
