"""From sections to the worker, the rule, the accounts and their mailboxes, with the checks that span several keys."""

import re
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit, urlunsplit
from zoneinfo import ZoneInfo

from monitor.config.durations import render_duration
from monitor.config.kinds_of_address import check_url, is_loopback
from monitor.config.model import AccountConfig, MailboxConfig, SpApiConfig, WorkerConfig
from monitor.config.problems import Problems
from monitor.config.references import Known, check_names
from monitor.config.shape import Section
from monitor.core.marketplaces import region_of
from monitor.core.sla import SlaPolicy, TargetOverride

OAUTH_HOSTS = {"google": "imap.gmail.com", "microsoft": "outlook.office365.com"}
_ANY_TYPE = {"name", "accounts", "type", "poll_every", "authserv_id"}
_OF_TYPE = {
    "maildir": {"path", "sent_path", "junk_path"},
    "simulated": {"seed", "rate"},
}
_NOT_IMAP = _OF_TYPE["maildir"] | _OF_TYPE["simulated"]


# --- [worker]


def build_worker(section: Section, directory: Path, problems: Problems) -> WorkerConfig:
    """Return [worker]; `health_notify` is checked and filled by the caller, who knows the policies."""
    database, password = _build_database(section, directory, problems)
    folder = directory / "var"
    if database.startswith("sqlite:///"):
        folder = Path(database.removeprefix("sqlite:///")).parent
    host, port = section["metrics_listen"]
    if not is_loopback(host) and not section["metrics_public"]:
        problems.add_value(
            section.at("metrics_listen"),
            f"{host}:{port}",
            'other machines could read the metrics. Write "127.0.0.1:9464", or metrics_public = true if that is meant.',
        )
    check_secret_url(section, "heartbeat_url", problems)
    if bool(section["page_username"]) != bool(section.secret("page_password")) and section.sound("page_password"):
        missing = "page_password" if section["page_username"] else "page_username"
        problems.add(section.path, "missing. Write both page_username and page_password, or neither.", key=missing)
    return WorkerConfig(
        database=database,
        database_password=section.secret("database_password") or password,
        state_directory=section["state_directory"] or folder,
        metrics_host=host,
        metrics_port=port,
        metrics_public=section["metrics_public"],
        page_public=section["page_public"],
        page_username=section["page_username"],
        page_password=section.secret("page_password"),
        time_zone=section["time_zone"],
        lookback=section["lookback"],
        keep_text=section["keep_text"],
        keep_identifiers=section["keep_identifiers"],
        heartbeat_url=section.secret("heartbeat_url"),
        blind_after=section["blind_after"],
        health_notify=section["health_notify"] or (),
        log_format=section["log_format"],
    )


def _build_database(section: Section, directory: Path, problems: Problems) -> tuple[str, str]:
    """Return the address without its password, and the password."""
    address = section.secret("database")
    path = section.at("database")
    try:
        parts = urlsplit(address)
        _ = parts.port
    except ValueError:
        problems.add(path, 'not a database address. Write "sqlite:///var/replyby.db" or "postgresql://user@host/name".')
        return "sqlite:///", ""
    scheme = parts.scheme.lower()
    if scheme == "sqlite":
        match = re.fullmatch(r"sqlite:///([^?#\0]+)", address, re.IGNORECASE)
        if match is None or match[1] == ":memory:" or match[1].endswith("/"):
            problems.add(path, 'without the path of a file. Write "sqlite:///var/replyby.db"; four slashes: absolute.')
            return "sqlite:///", ""
        return f"sqlite:///{directory / Path(match[1]).expanduser()}", ""
    if scheme in ("postgresql", "postgres", "postgresql+psycopg"):
        if not parts.path.strip("/"):
            problems.add(path, 'without the name of a database. Write "postgresql://user@host/name".')
        login, at, server = parts.netloc.rpartition("@")
        user, _, password = login.partition(":")
        bare = urlunsplit(("postgresql+psycopg", user + at + server, parts.path, parts.query, ""))
        return bare, unquote(password)
    shown = f"'{scheme}' is no database that is known. " if scheme else "not a database address. "
    problems.add(path, shown + 'Write "sqlite:///var/replyby.db" or "postgresql://user@host/name".')
    return "sqlite:///", ""


def check_secret_url(section: Section, key: str, problems: Problems) -> None:
    """Note an address that is none, or would be called in the open, without showing it: its path may be a secret."""
    value = section.secret(key)
    if not value or not section.sound(key):
        return
    try:
        check_url(value)
    except ValueError as error:
        problems.add(section.at(key), str(error))


# --- [sla]


def build_sla(section: Section, time_zone: ZoneInfo, problems: Problems) -> SlaPolicy:
    """Return the rule with its dated overrides."""
    target: timedelta = section["target"]
    if section["at_risk"] >= target and section.sound("at_risk", "target"):
        problems.add_value(
            section.at("at_risk"),
            render_duration(section["at_risk"]),
            f'not shorter than target = "{render_duration(target)}". Write less, such as "{_sixth(target)}".',
        )
    overrides = []
    for override in section.tables["override"]:
        first, last = override["from"], override["to"]
        if not override.sound("from", "to", "target"):
            continue
        if last < first:
            problems.add_value(override.at("to"), last, f"before from = {first.isoformat()}. Write the last day.")
        overrides.append(
            TargetOverride(
                first_day=first,
                last_day=last,
                target=override["target"],
                marketplaces=frozenset(override["marketplaces"]),
            )
        )
    return SlaPolicy(
        target=target,
        at_risk=section["at_risk"],
        goal=section["goal"],
        overrides=tuple(overrides),
        time_zone=time_zone,
    )


def _sixth(target: timedelta) -> str:
    """Return a sixth of the target, in whole minutes or seconds."""
    unit = timedelta(minutes=1) if target >= timedelta(minutes=6) else timedelta(seconds=1)
    return render_duration(target / 6 // unit * unit)


# --- [[account]]


def build_accounts(sections: Sequence[Section], problems: Problems) -> tuple[AccountConfig, ...]:
    """Return the accounts; one is implied where the file has none."""
    if not sections:
        return (AccountConfig(name="default"),)
    return tuple(
        AccountConfig(
            name=section["name"] or "",
            merchant_id=section["merchant_id"],
            notified_at=section["notified_at"],
            reply_from=section["reply_from"],
            require_proof=section["require_proof"],
            sp_api=_build_sp_api(section.one("sp_api"), problems),
        )
        for section in sections
    )


def _build_sp_api(section: Section | None, problems: Problems) -> SpApiConfig | None:
    if section is None:
        return None
    if section["marketplaces"] == ():
        problems.add(section.at("marketplaces"), 'empty. Write those you sell in, such as ["FR", "DE"].')
    by_region: dict[str, list[str]] = {}
    for country in section["marketplaces"] or ():
        by_region.setdefault(region_of(country) or "", []).append(country)
    if len(by_region) > 1:
        groups = "; ".join(", ".join(countries) for countries in by_region.values())
        advice = "An authorisation is of one region: write an [[account]] for each."
        problems.add(section.at("marketplaces"), f"of several regions ({groups}). {advice}")
    return SpApiConfig(
        refresh_token=section.secret("refresh_token"),
        lwa_app_id=section.secret("lwa_app_id"),
        lwa_client_secret=section.secret("lwa_client_secret"),
        marketplaces=section["marketplaces"] or (),
        secret_expires=section["secret_expires"],
        endpoint=section["endpoint"] or "",
        auth_endpoint=section["auth_endpoint"] or "",
        item_titles=section["item_titles"],
        difference=section["difference"],
    )


# --- [[mailbox]]


def build_mailboxes(root: Section, known: Known, problems: Problems) -> tuple[MailboxConfig, ...]:
    """Return the mailboxes, each with the accounts it holds."""
    sections = root.tables["mailbox"]
    if not sections and root.sound("mailbox"):
        problems.add((), "missing. Write at least one, with type, host, username and password.", key="[[mailbox]]")
    mailboxes = tuple(_build_mailbox(section, known, problems) for section in sections)
    if sections and all(section.sound("accounts") for section in sections):
        served = {account for mailbox in mailboxes for account in mailbox.accounts}
        for account in root.tables["account"]:
            if account["name"] not in served and account.sound("name"):
                problems.add(account.path, "in no mailbox's accounts. Add it there.", key=f'"{account["name"]}"')
    accounts = {account["name"]: account for account in root.tables["account"] if account.sound("name")}
    for section, mailbox in zip(sections, mailboxes, strict=True):
        if mailbox.folders != ():
            held = [accounts[name] for name in mailbox.accounts if name in accounts]
            _check_told_apart(section, held, problems)
    return mailboxes


def _build_mailbox(section: Section, known: Known, problems: Problems) -> MailboxConfig:
    kind = section["type"]
    check_names(section, "accounts", known.accounts, "account", problems)
    if section.sound("type"):
        _check_keys_of_type(section, kind, problems)
        if kind == "imap":
            _check_imap(section, problems)
        elif kind == "maildir" and section["path"] is None and section.sound("path"):
            problems.add(section.path, 'missing. Write the Maildir\'s path: path = "/home/…/Maildir".', key="path")
    security = section["security"]
    return MailboxConfig(
        name=section["name"] or "",
        type=kind,
        accounts=section["accounts"] or known.accounts,
        host=section["host"] or OAUTH_HOSTS.get(section["oauth"] or "", ""),
        port=section["port"] or (993 if security == "tls" else 143),
        security=security,
        username=section["username"] or "",
        password=section.secret("password"),
        oauth=section["oauth"] or "",
        client_id=section.secret("client_id"),
        client_secret=section.secret("client_secret"),
        tenant=section["tenant"] or "",
        ca_file=str(section["ca_file"] or ""),
        token_endpoint=section["token_endpoint"] or "",
        folders=section["folders"],
        sent=section["sent"],
        junk=section["junk"],
        poll_every=section["poll_every"],
        idle=section["idle"],
        authserv_id=section["authserv_id"],
        timeout=section["timeout"],
        path=section["path"],
        sent_path=section["sent_path"],
        junk_path=section["junk_path"],
        seed=section["seed"],
        rate=section["rate"],
    )


def _check_keys_of_type(section: Section, kind: str, problems: Problems) -> None:
    for key in sorted(section.given - _ANY_TYPE):
        belongs = key not in _NOT_IMAP if kind == "imap" else key in _OF_TYPE[kind]
        if not belongs:
            problems.add(section.at(key), f'means nothing where type = "{kind}". Remove it.')


def _check_imap(section: Section, problems: Problems) -> None:
    oauth = section["oauth"]
    if not section["host"] and not oauth and section.sound("host", "oauth"):
        problems.add(section.path, 'missing. Write host = "imap.example.com".', key="host")
    if not section["username"] and section.sound("username"):
        problems.add(section.path, 'missing. Write username = "support@example.com".', key="username")
    if section["security"] == "none" and section["host"] and not is_loopback(section["host"]):
        problems.add_value(
            section.at("security"),
            "none",
            f'the password would travel to {section["host"]} in the open. Write "tls" or "starttls".',
        )
    if not section.sound("oauth", "password", "client_id", "client_secret"):
        return
    if not oauth:
        if not section.secret("password"):
            hint = 'Write password = "env:NAME" and set that variable, or oauth = "google" or "microsoft".'
            problems.add(section.path, f"missing. {hint}", key="password")
        for key in ("client_id", "client_secret", "tenant", "token_endpoint"):
            if key in section.given:
                problems.add(section.at(key), 'means nothing without oauth. Write oauth = "google" or "microsoft".')
        return
    if section.secret("password"):
        problems.add(section.at("password"), "given together with oauth. Keep one of the two.")
    needed = ("client_id", "client_secret") if oauth == "google" else ("client_id",)
    for key in needed:
        if not section.secret(key):
            problems.add(section.path, f'missing. oauth = "{oauth}" needs the one of your own application.', key=key)


def _check_told_apart(section: Section, accounts: Sequence[Section], problems: Problems) -> None:
    """Note accounts of one mailbox whose mail could not be told from another's."""
    if len(accounts) < 2 or not all(account.sound("merchant_id", "notified_at") for account in accounts):
        return
    path = section.at("accounts") if "accounts" in section.given else section.path
    key = None if "accounts" in section.given else "accounts"

    def note(what: str) -> None:
        problems.add(path, what, key=key)

    for account in accounts:
        if not account["merchant_id"] and not account["notified_at"]:
            note(
                f"mail of account '{account['name']}' could not be told from the others'. "
                "Write its merchant_id, or its own notified_at."
            )
    for identity, said in (("merchant_id", "one merchant id"), ("notified_at", "one address in notified_at")):
        owner: dict[Any, Section] = {}
        for account in accounts:
            values = account[identity] if identity == "notified_at" else (account[identity],)
            for value in values:
                other = owner.setdefault(value, account) if value else account
                both_have_ids = bool(account["merchant_id"]) and bool(other["merchant_id"])
                if other is not account and (identity == "merchant_id" or not both_have_ids):
                    note(f"accounts '{other['name']}' and '{account['name']}' share {said}. Give each its merchant_id.")
