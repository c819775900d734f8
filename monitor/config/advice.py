"""Warnings: what is allowed, but probably not what was wanted."""

import re
from collections.abc import Sequence

from alerts.core.model import Channel, Person, Receiver
from alerts.core.policy import EscalationPolicy
from monitor.config.model import Config
from monitor.config.problems import Problems
from monitor.config.secrets import Secret
from monitor.config.shape import Section


def warn_of_gaps(config: Config, root: Section, file_mode: int, problems: Problems) -> None:
    """Note gaps in a valid file. A file that only plays with an invented seller has none worth a word."""
    if all(mailbox.type == "simulated" for mailbox in config.mailboxes):
        return
    if not config.worker.heartbeat_url:
        problems.warn(
            ("worker", "heartbeat_url"),
            "empty: if this machine stops, nobody is told. Write the address of a dead-man's switch.",
        )
    people = {person.name: person for person in config.people}
    if not any(_reaches_phone(policy, config.receivers, people) for policy in config.policies):
        problems.warn(
            ("policy",),
            'no step reaches a phone: at night nobody is woken. Write a receiver of type "sms".',
            key="[[policy]]",
        )
    if config.slack is not None and not config.slack.app_token:
        problems.warn(("slack", "app_token"), "missing: Slack's messages have no buttons. Write it for Socket Mode.")
    if config.report is not None and not config.report.to:
        problems.warn(("report", "to"), "empty: the report is only written to files. Write names of receivers.")
    _warn_of_unused(config, root, problems)
    if file_mode & 0o004 and (place := _literal_secret(root)):
        problems.warn(place, "a secret stands in this file, and everyone can read it. Run: chmod 600, or use env:.")


def _reaches_phone(policy: EscalationPolicy, receivers: Sequence[Receiver], people: dict[str, Person]) -> bool:
    by_name = {receiver.name: receiver for receiver in receivers}
    told = [by_name[name] for step in policy.steps for name in step.notify if name in by_name]
    return any(_is_phone(receiver, people) for receiver in told)


def _is_phone(receiver: Receiver, people: dict[str, Person]) -> bool:
    if receiver.type != "person":
        return receiver.type in ("sms", "voice", "webhook")  # what stands behind a webhook may well ring
    if receiver.schedule is not None:
        return True
    behind = [people[name] for name in receiver.people if name in people]
    return any(
        person.phone and (not person.contact or any(rule.by in (Channel.SMS, Channel.VOICE) for rule in person.contact))
        for person in behind
    )


def _warn_of_unused(config: Config, root: Section, problems: Problems) -> None:
    used = {name for policy in config.policies for step in policy.steps for name in step.notify}
    used.update(name for policy in config.policies if policy.look_ahead for name in policy.look_ahead.notify)
    used.update(config.worker.health_notify)
    used.update(config.report.to if config.report else ())
    used.update(config.digest.to if config.digest else ())
    for section in root.tables["receiver"]:
        if section["name"] not in used:
            problems.warn(
                section.path,
                "no policy, report or digest names it. Name it in a notify, or remove it.",
                key=f'"{section["name"]}"',
            )
    on_call = {receiver.schedule for receiver in config.receivers}
    for section in root.tables["schedule"]:
        if section["name"] not in on_call:
            problems.warn(
                section.path,
                "no receiver uses it. Write its name into a receiver's schedule.",
                key=f'"{section["name"]}"',
            )


def _literal_secret(section: Section) -> tuple[str | int, ...] | None:
    for key, value in section.values.items():
        if isinstance(value, Secret) and value.literal and key in section.given and _tells_something(key, value):
            return section.at(key)
    for inner in section.tables.values():
        for child in inner:
            if (found := _literal_secret(child)) is not None:
                return found
    return None


def _tells_something(key: str, value: Secret) -> bool:
    """Return whether this value is a secret in itself: not an application's name, nor an address without a password."""
    if key in ("url", "lwa_app_id"):
        return False
    return key != "database" or re.search(r"://[^/@]*:[^/@]+@", value.value) is not None
