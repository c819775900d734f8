"""Where the answers on a mailbox go in a file that has mailboxes: which of them is meant, and what of it stays."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from monitor.config.build_mail import OAUTH_HOSTS
from monitor.config.kinds import LOGIN, Kind, Scope
from monitor.config.kinds_of_address import PATH
from monitor.config.model import MailboxConfig
from monitor.setup.ask_mailbox import NAME, MailboxAnswers

ASKED = {"type", "host", "port", "security", "username", "password", "oauth", "client_id", "client_secret"}
OF_ANOTHER_TYPE = {"path", "sent_path", "junk_path", "seed", "rate"}
OF_THE_SERVER = {"folders", "sent", "junk", "authserv_id", "ca_file"}
OF_THE_SIGN_IN = {"tenant", "token_endpoint"}
SENDERS_KEPT = 5


def read_tables(document: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
    """Return the tables of a name as a list; one that was written with single brackets counts."""
    found = document.get(name, [])
    return [one for one in (found if isinstance(found, list) else [found]) if isinstance(one, dict)]


def recognise(mailbox: MailboxConfig, former: Sequence[Mapping[str, Any]], scope: Scope) -> MailboxConfig:
    """Return a mailbox with what nobody is asked: the name it has or gets, and what the file knows of its connection.

    Args:
        mailbox: as it was answered so far.
        former: the [[mailbox]] tables of the file.
        scope: for values of the file.
    """
    meant = _find_meant(mailbox, former, scope)
    if not meant:
        names = {_name(one) for one in former}
        free = (NAME if number == 1 else f"{NAME}-{number}" for number in range(1, len(names) + 2))
        return replace(mailbox, name=next(name for name in free if name not in names))
    kept = _kept(meant[0], mailbox)
    return replace(
        mailbox,
        name=_name(meant[0]),
        ca_file=str(_read(PATH, kept.get("ca_file"), scope) or ""),
        tenant=str(kept.get("tenant", "")),
        token_endpoint=str(kept.get("token_endpoint", "")),
    )


def put_mailbox(document: dict[str, Any], answers: MailboxAnswers, secrets: Mapping[str, str], scope: Scope) -> str:
    """Put the answers into the file and return a line on what was replaced or added and what stays; "" for a new file.

    Replaced is what signs in as this user on this server, else the only mailbox; where none of several does, one is added.

    Args:
        document: the file; its mailboxes and its only account are changed.
        answers: what was asked.
        secrets: what stands in the file for its secrets, by key.
        scope: for values of the file.
    """
    former = read_tables(document, "mailbox")
    meant = _find_meant(answers.config, former, scope)
    answered = {**answers.keys, **secrets}
    if meant:
        document["mailbox"] = [
            {"name": _name(one), **answered, **_kept(one, answers.config)} if one in meant else one for one in former
        ]
    else:
        document["mailbox"] = [*former, {"name": answers.config.name, **answered}]
    invented = len(former) == len(meant) == 1 and meant[0].get("type") == "simulated"
    addresses = _put_addresses(document, answers, invented=invented)
    if not former:
        return ""
    keys = sorted({key for one in meant for key in _kept(one, answers.config)})
    others = [f'mailbox "{_name(one)}"' for one in former if one not in meant]
    names = ", ".join(f'"{_name(one)}"' for one in meant) or f'"{answers.config.name}"'
    kept = ", ".join([*keys, *others, *addresses])
    return f"Mailbox {names} is {'replaced' if meant else 'added'}" + (f"; kept: {kept}." if kept else ".")


def secrets_of_others(former: Sequence[Mapping[str, Any]], mailbox: MailboxConfig, key: str, scope: Scope) -> list[str]:
    """Return what stands for this secret in the mailboxes that stay, so that none of theirs is written over."""
    meant = _find_meant(mailbox, former, scope)
    return [str(one[key]) for one in former if one not in meant and key in one]


def _find_meant(
    mailbox: MailboxConfig, former: Sequence[Mapping[str, Any]], scope: Scope
) -> Sequence[Mapping[str, Any]]:
    def signs_in_as(one: Mapping[str, Any]) -> bool:
        username = str(_read(LOGIN, one.get("username"), scope) or "")
        return _host(one) == mailbox.host.casefold() and username.casefold() == mailbox.username.casefold()

    return [one for one in former if signs_in_as(one)] or (former if len(former) == 1 else [])


def _kept(former: Mapping[str, Any], mailbox: MailboxConfig) -> dict[str, Any]:
    """Return the keys that the answers do not contradict; a name that another server gave does not stay."""
    gone = {"name"} | ASKED | OF_ANOTHER_TYPE
    if former.get("oauth") != mailbox.oauth:
        gone |= OF_THE_SIGN_IN
    if _host(former) != mailbox.host.casefold():
        gone |= {key for key in OF_THE_SERVER if former.get(key) not in ("", "auto", [])}
    return {key: value for key, value in former.items() if key not in gone}


def _name(table: Mapping[str, Any]) -> str:
    return str(table.get("name", NAME))


def _host(table: Mapping[str, Any]) -> str:
    return str(table.get("host") or OAUTH_HOSTS.get(str(table.get("oauth")), "")).casefold()


def _read(kind: Kind, value: Any, scope: Scope) -> Any:
    """Return what a value of the file means, or None where it means nothing."""
    try:
        return kind.read(value, scope)
    except ValueError:
        return None


def _put_addresses(document: dict[str, Any], answers: MailboxAnswers, *, invented: bool) -> list[str]:
    """Add the addresses to the only account and return those it had besides; of several nobody can tell which is meant.

    `invented`: those it had belong to a simulated mailbox that is gone.
    """
    accounts = read_tables(document, "account")
    if len(accounts) > 1:
        return []
    account = accounts[0] if accounts else {"name": "default"}
    if invented:
        account = {key: value for key, value in account.items() if key not in ("notified_at", "reply_from")}
    senders = [answers.address, *(sender.lower() for sender in answers.facts.sent_from[:SENDERS_KEPT])]
    had = {key: _listed(account.get(key)) for key in ("notified_at", "reply_from")}
    document["account"] = [
        {
            **account,
            "notified_at": list(dict.fromkeys([*had["notified_at"], answers.address, *answers.facts.written_to])),
            "reply_from": list(dict.fromkeys([*had["reply_from"], *senders])),
        }
    ]
    told = {*senders, *answers.facts.written_to}
    return [one for one in dict.fromkeys([*had["notified_at"], *had["reply_from"]]) if one not in told]


def _listed(value: Any) -> list[str]:
    return [str(one).strip().lower() for one in (value if isinstance(value, list) else [value] if value else [])]
