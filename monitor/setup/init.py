"""`replyby init`: the whole interview, or one part of it again, ending in a config.toml that is read back."""

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import chain, count
from pathlib import Path
from typing import Any

from monitor.config.kinds import Scope
from monitor.config.model import Config
from monitor.errors import ConfigError
from monitor.setup.ask_mailbox import ask_mailbox
from monitor.setup.ask_people import (
    PhoneAnswers,
    SlackAnswers,
    ask_heartbeat,
    ask_hours,
    ask_phone,
    ask_slack,
    refuse_hours,
)
from monitor.setup.dialogue import Dialogue
from monitor.setup.place_mailbox import put_mailbox, read_tables, recognise, secrets_of_others
from monitor.setup.probes import Probes
from monitor.setup.write import keep_secret, record_config, render_file, secret_file

PARTS = ("mailbox", "slack", "phone", "hours", "heartbeat")
SECRET_WAYS = ("file", "env")
VARIABLES = {
    "password": "REPLYBY_IMAP_PASSWORD",
    "client_secret": "REPLYBY_CLIENT_SECRET",
    "bot_token": "SLACK_BOT_TOKEN",
    "app_token": "SLACK_APP_TOKEN",
    "account_sid": "TWILIO_ACCOUNT_SID",
    "auth_token": "TWILIO_AUTH_TOKEN",
    "heartbeat_url": "REPLYBY_HEARTBEAT_URL",
}
OPTIONS = (
    *("address", "sign-in", "password", "host", "port", "username", "security", "client-id", "client-secret"),
    *("slack", "slack-app-token", "slack-bot-token", "slack-channel"),
    *("sms", "name", "phone", "language", "twilio-account-sid", "twilio-auth-token", "twilio-from", "page"),
    *("time-zone", "staffed", "days", "from", "to", "holidays", "heartbeat-url", "secrets", "overwrite"),
    *("slack-api-url", "twilio-api-url"),
)
WHERE_TO_KEEP = (
    "Where shall secrets be kept? In files that only you can read, or in variables that you set before each start:"
)
RESTART = (
    "A worker runs and does not know of this file yet. "
    "Restart it: systemctl restart replyby, or stop it and run: replyby run"
)


@dataclass(slots=True)
class SecretKeeper:
    """Where secrets go: files beside config.toml, or variables that the person has to set; asked at the first one.

    Nothing is written before the interview is over: one that is broken off leaves the secrets of the former file alone.
    """

    directory: Path
    dialogue: Dialogue
    variables: dict[str, str] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)
    way: str = ""

    def keep(self, key: str, secret: str, others: Iterable[str] = ()) -> str:
        """Take a secret and return what stands for it in the file; never what stands for one of the others."""
        if not self.way:
            self.way = self.dialogue.choose("secrets", WHERE_TO_KEEP, SECRET_WAYS, default="file")
        taken = {self._place(one) for one in others}
        for number in count(1):
            if self.way == "env":
                name = VARIABLES[key] + (f"_{number}" if number > 1 else "")
                reference = f"env:{name}"
            else:
                name = key.replace("_", "-") + (f"-{number}" if number > 1 else "")
                reference = secret_file(name)
            if self._place(reference) not in taken:
                break
        (self.variables if self.way == "env" else self.files)[name] = secret
        return reference

    def _place(self, reference: str) -> str:
        """Return a reference in one spelling: a file by its whole path."""
        way, _, rest = reference.partition(":")
        return str((self.directory / rest.strip()).resolve()) if way == "file" else reference

    def write(self) -> None:
        """Write the files.

        Raises:
            OSError: the folder cannot be written.
        """
        for name, secret in self.files.items():
            keep_secret(self.directory, name, secret)


@dataclass(frozen=True, slots=True)
class Written:
    """What `init` left behind. `kept` is the former file; `variables` names what has to be set before a start."""

    path: Path
    config: Config
    kept: Path | None
    variables: tuple[str, ...]


def _refuse_what_cannot_be_kept(path: Path, former: Mapping[str, Any]) -> None:
    """Refuse a file with a key that is none, before anything is asked: the rest of it is to stay, and that cannot."""
    try:
        render_file(former)
    except TypeError:
        return  # a table in single brackets: whoever asks about it sets it right
    except ValueError as error:
        raise ConfigError(
            str(path), [f"{error}. Correct it or take it out; replyby check-config names its line."]
        ) from None


def run_init(
    dialogue: Dialogue,
    probes: Probes,
    path: Path,
    environ: Mapping[str, str],
    *,
    local_zone: str,
    parts: tuple[str, ...] = PARTS,
) -> Written | None:
    """Ask, try, write, and return what was written; None where the person kept the file that was there.

    Args:
        dialogue: asks; may hold answers of options.
        probes: tries each answer at once.
        path: config.toml. A file that is there is replaced only after a yes, and kept beside it.
        environ: for secrets that the former file takes from the environment.
        local_zone: offered as the time zone.
        parts: what to ask; the rest stays as the former file has it.

    Raises:
        ConfigError: an option is missing or wrong, or the former file cannot be read.
        OSError: the folder cannot be written.
    """
    scope = Scope(path.parent.absolute(), environ)
    if "hours" in parts:
        refuse_hours(dialogue, scope)
    former = _read_former(path) if path.exists() else None
    if former is not None and parts != PARTS:
        _refuse_what_cannot_be_kept(path, former)
    if former is None and parts != PARTS:
        raise ConfigError("replyby init", [f"{path} does not exist yet, so there is no part to change. Run it whole."])
    if former is not None and not dialogue.confirm(
        "overwrite",
        f"{path} is there already. Replace it (your comments are not kept in the new file; a copy with them stays beside it)?",
        default=dialogue.interactive and _only_plays(former),
    ):
        return None
    keeper = SecretKeeper(path.parent, dialogue)
    document: dict[str, Any] = dict(former or {}) if parts != PARTS else {}
    document = _ask_parts(dialogue, probes, scope, keeper, document, parts, local_zone)
    keeper.write()
    config, kept = record_config(path, document, {**environ, **keeper.variables})
    dialogue.good(f"{path} written" + (f"; the former one is {kept}" if kept else ""))
    for warning in config.warnings:
        dialogue.say(f"  {warning}")
    if "mailbox" in parts:
        for line in probes.first_look(config):
            dialogue.say(line)
    if "phone" in parts and config.twilio is not None and dialogue.confirm("page", "Send one SMS now?", default=False):
        dialogue.say(probes.page(config, config.people[0].name))
    for name in keeper.variables:
        dialogue.say(f"Set {name} before the start: the file names it and does not hold it.")
    dialogue.say(RESTART if probes.worker_runs(config) else "Start: replyby run")
    return Written(path, config, kept, tuple(keeper.variables))


def _only_plays(document: Mapping[str, Any]) -> bool:
    """Return whether a file knows no mailbox but the invented one, as the one does that comes with the program."""
    mailboxes = document.get("mailbox")
    return isinstance(mailboxes, list) and all(
        isinstance(one, dict) and one.get("type") == "simulated" for one in mailboxes
    )


def _read_former(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError) as error:
        raise ConfigError(
            str(path), [f"cannot be read: {error}. Run `replyby check-config`, or move it away."]
        ) from None


def _ask_parts(
    dialogue: Dialogue,
    probes: Probes,
    scope: Scope,
    keeper: SecretKeeper,
    document: dict[str, Any],
    parts: tuple[str, ...],
    local_zone: str,
) -> dict[str, Any]:
    whole = parts == PARTS
    slack: SlackAnswers | None = None
    worker = dict(document.get("worker", {}))
    if "mailbox" in parts:
        former = read_tables(document, "mailbox")
        answers = ask_mailbox(dialogue, probes, scope, lambda mailbox: recognise(mailbox, former, scope))
        secrets = {
            key: keeper.keep(key, secret, secrets_of_others(former, answers.config, key, scope))
            for key, secret in answers.secrets.items()
        }
        if line := put_mailbox(document, answers, secrets, scope):
            dialogue.say(line)
    if "slack" in parts and (slack := ask_slack(dialogue, probes)) is not None:
        if line := _put_slack(document, slack, keeper):
            dialogue.say(line)
        _put_address(document["slack"], dialogue.given.get("slack-api-url", ""))
    if "phone" in parts and (phone := ask_phone(dialogue, probes, scope, slack)) is not None:
        _put_phone(document, phone, keeper)
        _put_address(document["twilio"], dialogue.given.get("twilio-api-url", ""))
    if not document.get("receiver"):
        document["receiver"] = [{"name": "terminal", "type": "console"}]
    if "hours" in parts:
        # What the file leaves out is UTC; only where there is no file is this machine's zone a better offer.
        zone = local_zone if whole else str(worker.get("time_zone", "UTC"))
        shifts = None if whole else read_tables(document, "staffed")
        worker["time_zone"], document["staffed"] = ask_hours(dialogue, scope, zone, shifts)
    if "heartbeat" in parts and (url := ask_heartbeat(dialogue, probes, scope)):
        worker["heartbeat_url"] = keeper.keep("heartbeat_url", url)
    team = [one["name"] for one in document["receiver"] if one["type"] in ("slack", "console") and "name" in one][:1]
    if whole:
        document["report"] = {"at": "mon 08:00", "to": team}
        document["digest"] = {"at": "08:30", "to": team}
    return {"worker": worker, **document} if not document.get("worker") else {**document, "worker": worker}


def _put_slack(document: dict[str, Any], answers: SlackAnswers, keeper: SecretKeeper) -> str:
    """Let this channel be the team's: the only one there was, or the terminal, gives way. Return what to know, or "".

    Further keys stay, and so does every receiver where several are in Slack already: nobody can tell which is meant.
    """
    document["slack"] = {
        **document.get("slack", {}),
        "bot_token": keeper.keep("bot_token", answers.bot_token),
        "app_token": keeper.keep("app_token", answers.app_token),
    }
    before = document.get("receiver", [])
    in_slack = [one for one in before if one.get("type") == "slack"]
    if any(one.get("channel") == answers.channel for one in in_slack):
        return ""
    taken = {str(one.get("name")) for one in before}
    if len(in_slack) > 1:
        names = chain((answers.channel_name, "team"), (f"team-{number}" for number in count(2)))
        name = next(one for one in names if one not in taken)
        document["receiver"] = [*before, {"name": name, "type": "slack", "channel": answers.channel}]
        return f'The other receivers in Slack stay. "{name}" is new: name it in notify of a policy\'s step.'
    if in_slack:
        document["receiver"] = [{**one, "channel": answers.channel} if one in in_slack else one for one in before]
        return ""
    gone = [one for one in before if one.get("type") == "console"]
    others = [one for one in before if one not in gone]
    name = "team" if all(one.get("name") != "team" for one in others) else answers.channel_name
    document["receiver"] = [{"name": name, "type": "slack", "channel": answers.channel}, *others]
    rest = {key: value for key, value in document.items() if key != "receiver"}
    _rename(rest, {str(one["name"]): name for one in gone if "name" in one})
    return ""


def _rename(value: Any, names: Mapping[str, str]) -> None:
    """Let every list of receivers name the one that took a former one's place."""
    if isinstance(value, list):
        for one in value:
            _rename(one, names)
    elif isinstance(value, dict):
        for key, one in value.items():
            if key in ("to", "notify") and isinstance(one, list):
                value[key] = list(
                    dict.fromkeys(names.get(item, item) if isinstance(item, str) else item for item in one)
                )
            else:
                _rename(one, names)


def _put_address(section: dict[str, Any], api_url: str) -> None:
    """Keep where an API is, where it is elsewhere than usual: another region, a proxy."""
    if api_url:
        section["api_url"] = api_url


def _put_phone(document: dict[str, Any], answers: PhoneAnswers, keeper: SecretKeeper) -> None:
    document["twilio"] = {
        **document.get("twilio", {}),
        "account_sid": keeper.keep("account_sid", answers.account_sid),
        "auth_token": keeper.keep("auth_token", answers.auth_token),
        "from": answers.sender,
    }
    people = document.get("person", [])
    former: dict[str, Any] = next((one for one in people if one.get("name") == answers.name), {})
    person = {**former, "name": answers.name, "phone": answers.phone, "language": answers.language}
    if answers.slack_user is not None:
        person["slack_user"] = answers.slack_user
    document["person"] = [person, *(one for one in people if one is not former)]
