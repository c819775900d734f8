"""The interview's other parts: Slack, a phone, staffed hours, the dead-man's switch."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from monitor.config.kinds import LANGUAGE, Kind, Scope
from monitor.config.kinds_of_address import PHONE, URL
from monitor.config.kinds_of_market import HOLIDAYS
from monitor.config.kinds_of_time import DAILY, DAYS, TIME, ZONE
from monitor.errors import ConfigError, ReplyByError
from monitor.setup.dialogue import Dialogue, checked, pick, required
from monitor.setup.manifest import manifest_url
from monitor.setup.probes import Probes, SlackFacts, TwilioFacts

SLACK_STEPS = """\
Slack needs an app of your own; it takes three minutes:
  1. Open this address, pick your workspace and create the app: {url}
  2. Basic Information → App-Level Tokens → Generate, scope connections:write: that is the app token (xapp-…).
  3. Install App → Install to Workspace: that is the bot token (xoxb-…)."""
TWILIO_STEPS = (
    "Twilio's console shows account SID and auth token on its first page; a number that can send SMS is needed."
)
FRENCH_MOBILE = re.compile(r"\+33[67]")
NO_HOLIDAYS = "none"


@dataclass(frozen=True, slots=True)
class SlackAnswers:
    """A channel the bot is in, and both tokens."""

    channel: str
    channel_name: str
    bot_token: str
    app_token: str
    facts: SlackFacts


@dataclass(frozen=True, slots=True)
class PhoneAnswers:
    """Somebody to wake, and the account that does it."""

    name: str
    phone: str
    language: str
    account_sid: str
    auth_token: str
    sender: str
    slack_user: str | None = None


def ask_slack(dialogue: Dialogue, probes: Probes) -> SlackAnswers | None:
    """Return a Slack channel that can be written to, or None where none is wanted."""
    given = "slack-bot-token" in dialogue.given
    if not given and not dialogue.confirm("slack", "Alerts in Slack?", default=dialogue.interactive):
        return None
    dialogue.say(SLACK_STEPS.format(url=manifest_url()))
    app_token = dialogue.ask("slack-app-token", "App token:", lambda text: _begins(text, "xapp-"), secret=True)

    def look(text: str) -> tuple[str, SlackFacts]:
        token = _begins(text, "xoxb-")
        return token, probes.probe_slack(token, app_token)

    bot_token, facts = dialogue.ask("slack-bot-token", "Bot token:", look, secret=True)
    dialogue.good(f"Slack: {facts.team}, {len(facts.channels)} channels")
    if facts.lacking:
        dialogue.bad(f"The app lacks {', '.join(facts.lacking)}. Put the manifest in again and install the app anew.")

    def choose(text: str) -> str:
        nonlocal facts
        channel = pick(text, facts.channels)
        if channel not in facts.member_of:
            facts = probes.probe_slack(bot_token, app_token)  # the bot may have been invited meanwhile
        if channel not in facts.member_of:
            name = facts.channels.get(channel, channel)
            raise ValueError(f"The bot is not in #{name}. Type /invite @{facts.bot} there, then write #{name} again.")
        return channel

    channel = dialogue.ask("slack-channel", "Which channel?", choose)
    dialogue.good(f"#{facts.channels[channel]}")
    return SlackAnswers(channel, facts.channels[channel], bot_token, app_token, facts)


def _begins(text: str, beginning: str) -> str:
    if not text.startswith(beginning):
        raise ValueError(f"This token begins with {beginning}")
    return text


def ask_phone(dialogue: Dialogue, probes: Probes, scope: Scope, slack: SlackAnswers | None) -> PhoneAnswers | None:
    """Return who is woken by SMS and call, or None where nobody is."""
    if "phone" not in dialogue.given and not dialogue.confirm("sms", "Wake somebody by SMS?", default=False):
        return None
    name = dialogue.ask("name", "Who?", required)
    phone: str = dialogue.ask("phone", "Phone, with country code:", lambda text: checked(PHONE, scope)(required(text)))
    language = dialogue.ask("language", "Language (en, fr, de, es, it):", checked(LANGUAGE, scope), default="en")
    dialogue.say(TWILIO_STEPS)
    account_sid, auth_token, facts = _ask_account(dialogue, probes)
    dialogue.good(f"Twilio: {', '.join(facts.senders) or 'no number yet'}")
    if facts.trial:
        dialogue.say("  A trial account reaches verified numbers only.")

    def choose(text: str) -> str:
        sender = required(text).replace(" ", "")
        if facts.senders and sender.startswith("+") and sender not in facts.senders:
            raise ValueError(f"Not a number of this account. There is: {', '.join(facts.senders)}.")
        for problem in sender_problems(phone, sender):
            raise ValueError(problem)
        return sender

    allowed = [sender for sender in facts.senders if not sender_problems(phone, sender)]
    sender = dialogue.ask("twilio-from", "Sending number:", choose, default=allowed[0] if allowed else None)
    for advice in sender_advice(phone, sender):
        dialogue.say(f"  {advice}")
    return PhoneAnswers(name, phone, language, account_sid, auth_token, sender, _slack_user(name, slack))


class _Failed(Exception):
    """Number or token was wrong; nobody can tell which, so both are asked again."""


def _ask_account(dialogue: Dialogue, probes: Probes) -> tuple[str, str, TwilioFacts]:
    known: str | None = None
    while True:
        account_sid = dialogue.ask(
            "twilio-account-sid", "Account SID:", lambda text: _begins(text, "AC"), default=known
        )

        def look(text: str, account_sid: str = account_sid) -> tuple[str, TwilioFacts]:
            try:
                return required(text), probes.probe_twilio(account_sid, text)
            except ReplyByError as error:
                raise _Failed(str(error)) from None

        try:
            auth_token, facts = dialogue.ask("twilio-auth-token", "Auth token:", look, secret=True)
        except _Failed as failed:
            if not dialogue.interactive or "twilio-auth-token" in dialogue.given:
                raise ConfigError("replyby init", [f"--twilio-auth-token: {failed}"]) from None
            dialogue.bad(str(failed))
            known = account_sid
            continue
        return account_sid, auth_token, facts


def _slack_user(name: str, slack: SlackAnswers | None) -> str | None:
    """Return the Slack id of somebody of this name, where there is exactly one."""
    found = [key for key, known in (slack.facts.people if slack else {}).items() if known.casefold() == name.casefold()]
    return found[0] if len(found) == 1 else None


def sender_problems(phone: str, sender: str) -> list[str]:
    """Return why this sender may not send to this phone, by the rules of its country."""
    if FRENCH_MOBILE.match(sender):
        return ["France forbids such SMS from mobile numbers (+336, +337). Take another sender."]
    if phone.startswith("+1") and not sender.startswith("+") and not sender.isdigit():
        return ["The United States and Canada take no names as senders. Take a number."]
    return []


def sender_advice(phone: str, sender: str) -> list[str]:
    """Return what to know of a sender that may send."""
    advice = []
    if not sender.startswith("+") and not sender.isdigit():
        advice.append("A name as sender cannot receive answers: set replies_to to a number that can.")
    if phone.startswith("+1") and sender.startswith("+1"):
        advice.append("American networks block senders that are not registered (A2P 10DLC): register it at Twilio.")
    return advice


def ask_hours(
    dialogue: Dialogue, scope: Scope, zone: str, former: Sequence[Mapping[str, Any]] | None
) -> tuple[str, list[dict[str, Any]]]:
    """Return the time zone, and the [[staffed]] tables: the former ones where the answers change nothing.

    Args:
        dialogue: asks.
        scope: for the checks that config.toml makes too.
        zone: offered as the time zone.
        former: the tables of the file, whose first is offered; None: there is no file.
    """
    zone = dialogue.ask("time-zone", "Time zone:", checked(ZONE, scope), default=zone).key
    told = "staffed" not in dialogue.given and any(key in dialogue.given for key in ("days", "from", "to", "holidays"))
    if not told and not dialogue.confirm(
        "staffed", "Are there hours in which somebody answers?", default=former is None or bool(former)
    ):
        return zone, []
    first = dict(former[0]) if former else {}
    days = first.get("days", "mon-fri")
    offered = {
        "days": ",".join(map(str, days)) if isinstance(days, list) else str(days),
        "from": str(first.get("from", "09:00")),
        "to": str(first.get("to", "18:00")),
        "holidays": str(first.get("holidays") or NO_HOLIDAYS),
    }
    typed = {"days": dialogue.ask("days", "On which days?", _as_typed(DAYS, scope), default=offered["days"])}
    typed["from"], typed["to"] = _ask_span(dialogue, scope, offered["from"], offered["to"])
    typed["holidays"] = dialogue.ask(
        "holidays",
        f'Closed on the public holidays of which country ("FR", "DE-BY"; "{NO_HOLIDAYS}")?',
        lambda text: NO_HOLIDAYS if text.casefold() == NO_HOLIDAYS else _as_typed(HOLIDAYS, scope)(text),
        default=offered["holidays"],
    )
    kept = [dict(one) for one in former or ()]
    if kept and (typed == offered or (len(kept) > 1 and not _may_replace(dialogue, len(kept)))):
        return zone, kept
    shift = {**first, **typed}
    if typed["holidays"] == NO_HOLIDAYS:
        del shift["holidays"]
    return zone, [shift]


def refuse_hours(dialogue: Dialogue, scope: Scope) -> None:
    """Refuse options that make no shift, before anything is asked.

    Raises:
        ConfigError: --from or --to is no time, or both are the same.
    """
    if dialogue.given.get("from") and dialogue.given.get("to"):
        _ask_span(dialogue, scope, "", "")


def _ask_span(dialogue: Dialogue, scope: Scope, begin: str, end: str) -> tuple[str, str]:
    """Return two different times; both are asked again where they are the same, because either may be meant otherwise."""
    while True:
        first = dialogue.ask("from", "From:", _as_typed(DAILY, scope), default=begin)
        last = dialogue.ask("to", "To:", _as_typed(TIME, scope), default=end)
        if checked(TIME, scope)(first) != checked(TIME, scope)(last):
            return first, last
        if not dialogue.interactive or ("from" in dialogue.given and "to" in dialogue.given):
            line = "--to: the same as --from. For the whole day give --from 00:00 --to 24:00."
            raise ConfigError("replyby init", [line])
        dialogue.bad("The same as From. For the whole day write From 00:00 and To 24:00.")


def _as_typed(kind: Kind, scope: Scope) -> Callable[[str], str]:
    """Return a check that gives back what was typed, for the file."""

    def check(text: str) -> str:
        checked(kind, scope)(text)
        return text

    return check


def _may_replace(dialogue: Dialogue, tables: int) -> bool:
    """Return whether one shift may take the place of several; said too where an option has answered."""
    said = f"These hours replace the {tables} [[staffed]] tables of the file by one"
    if "overwrite" in dialogue.given:
        dialogue.say(f"{said}.")
    return dialogue.confirm("overwrite", f"{said}. Do it (n: they stay)?", default=False)


def ask_heartbeat(dialogue: Dialogue, probes: Probes, scope: Scope) -> str:
    """Return the address of a dead-man's switch that answered, or "" for none."""
    dialogue.say(
        "If this machine stops, only a watcher elsewhere can tell. Healthchecks.io and others give an address to ping."
    )

    def check(text: str) -> str:
        if not text:
            return ""
        url: str = checked(URL, scope)(text)
        probes.ping(url)
        return url

    url = dialogue.ask("heartbeat-url", "Its address (Enter: none):", check, default="")
    if url:
        dialogue.good("the dead-man's switch answers")
    return url
