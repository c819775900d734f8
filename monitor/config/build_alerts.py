"""From sections to services, escalation policies, report, digest and labels, with the checks that span several keys."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from alerts.core.model import Person, Receiver
from alerts.core.policy import (
    EscalationPolicy,
    EscalationStep,
    LookAhead,
    Matcher,
    default_policy,
    implied_receivers,
)
from alerts.core.policy_check import validate_policies
from monitor.config.build_people import Services
from monitor.config.durations import render_duration
from monitor.config.kinds_of_address import is_loopback
from monitor.config.model import DigestConfig, LabelRuleConfig, ReportConfig, SlackConfig, SmtpConfig, TwilioConfig
from monitor.config.problems import Problems
from monitor.config.references import Known, check_names
from monitor.config.shape import Section

_SMTP_PORTS = {"tls": 465, "starttls": 587, "none": 25}

# --- [slack], [twilio], [smtp]


def find_services(root: Section) -> Services:
    """Return which services the file has; one that is misspelt counts, so that it is told only once."""
    names = ("slack", "twilio", "smtp")
    return Services(frozenset(name for name in names if name in root.given or name in root.broken))


def build_slack(section: Section | None, problems: Problems) -> SlackConfig | None:
    """Return [slack]. Tokens are told apart by their beginnings, because they are easily swapped."""
    if section is None:
        return None
    for key, right, wrong in (("bot_token", "xoxb-", ("xapp-", "xoxp-")), ("app_token", "xapp-", ("xoxb-", "xoxp-"))):
        if section.secret(key).startswith(wrong):
            begins = section.secret(key)[:5]
            problems.add(section.at(key), f"begins with {begins}: another kind of token. Use the one with {right}.")
    return SlackConfig(
        bot_token=section.secret("bot_token"),
        app_token=section.secret("app_token"),
        api_url=section["api_url"].rstrip("/") + "/",
        allowed_users=section["allowed_users"] or (),
        timeout=section["timeout"],
    )


def build_twilio(section: Section | None, problems: Problems) -> TwilioConfig | None:
    """Return [twilio]."""
    if section is None:
        return None
    sid = section.secret("account_sid")
    if sid and not sid.startswith("AC"):
        what = "an API key" if sid.startswith("SK") else "another value"
        problems.add(
            section.at("account_sid"), f"does not begin with AC: {what}. Copy the Account SID from Twilio's console."
        )
    sender, senders = section["from"] or ("", ())
    if not sender and not senders and not section["messaging_service_sid"] and section.sound("from"):
        problems.add(section.path, 'missing. Write from = "+1…", or messaging_service_sid.', key="from")
    return TwilioConfig(
        account_sid=section.secret("account_sid"),
        auth_token=section.secret("auth_token"),
        sender=sender,
        senders=senders,
        messaging_service_sid=section["messaging_service_sid"],
        replies_to=section["replies_to"] or "",
        api_url=section["api_url"].rstrip("/"),
        poll_replies=section["poll_replies"],
        timeout=section["timeout"],
    )


def build_smtp(section: Section | None, problems: Problems) -> SmtpConfig | None:
    """Return [smtp]."""
    if section is None:
        return None
    security, host = section["security"], section["host"] or ""
    if security == "none" and host and not is_loopback(host):
        problems.add_value(
            section.at("security"), "none", f'mail would travel to {host} in the open. Write "tls" or "starttls".'
        )
    if bool(section["username"]) != bool(section.secret("password")) and section.sound("username", "password"):
        missing = "password" if section["username"] else "username"
        problems.add(section.path, "missing. Write both username and password, or neither.", key=missing)
    return SmtpConfig(
        host=host,
        sender=section["from"] or "",
        port=section["port"] or _SMTP_PORTS[security],
        security=security,
        username=section["username"],
        password=section.secret("password"),
        ca_file=str(section["ca_file"] or ""),
        timeout=section["timeout"],
    )


# --- [[policy]]


def build_policies(
    root: Section, known: Known, longest_target: timedelta, problems: Problems
) -> tuple[EscalationPolicy, ...]:
    """Return the policies that the file has, steps in order of falling time remaining."""
    sections = root.tables["policy"]
    policies = []
    before = problems.count
    for section in sections:
        steps = _build_steps(section, known, longest_target, problems)
        ahead = section.one("look_ahead")
        if ahead is not None:
            _check_notify(ahead, known, problems)
            if not root.tables["staffed"]:
                problems.warn(ahead.path, "does nothing without staffed hours. Write [[staffed]].", key="")
        policies.append(
            EscalationPolicy(
                name=section["name"] or "",
                steps=steps,
                match=_build_match(section.one("match"), known, problems),
                acknowledgement_expires=section["acknowledgement_expires"],
                look_ahead=None
                if ahead is None or ahead["notify"] is None
                else LookAhead(before_end_of_shift=ahead["before_end_of_shift"], notify=ahead["notify"]),
            )
        )
    if problems.count == before and all(section.wholly_sound() for section in sections):
        _check_as_a_whole(sections, policies, known, longest_target, problems)
    return tuple(policies)


def _build_steps(
    section: Section, known: Known, longest_target: timedelta, problems: Problems
) -> tuple[EscalationStep, ...]:
    if not section.tables["step"] and section.sound("step"):
        problems.add(section.path, "nobody would be told. Write at least one [[policy.step]] below.", key="step")
    steps: dict[timedelta, EscalationStep] = {}
    for step in section.tables["step"]:
        _check_notify(step, known, problems)
        remaining, notify = step["remaining"], step["notify"]
        if remaining is None or notify is None:
            continue
        if remaining > longest_target:
            problems.add_value(
                step.at("remaining"),
                render_duration(remaining),
                f"longer than the target, so never reached. Write at most {render_duration(longest_target)}.",
            )
        if remaining in steps:
            problems.add_value(
                step.at("remaining"), render_duration(remaining), "a second step there. Put all receivers into one."
            )
        steps[remaining] = EscalationStep(remaining=remaining, notify=notify, repeat_every=step["repeat_every"])
    return tuple(steps[remaining] for remaining in sorted(steps, reverse=True))


def _check_notify(section: Section, known: Known, problems: Problems) -> None:
    if section["notify"] == ():
        problems.add(section.at("notify"), "empty, so nobody would be told. Write names of receivers.")
    elif section["notify"] is not None:
        check_names(section, "notify", known.receivers, "receiver", problems)


def _build_match(section: Section | None, known: Known, problems: Problems) -> Matcher:
    if section is None:
        return Matcher()
    check_names(section, "accounts", known.accounts, "account", problems)
    check_names(section, "labels", known.labels, "label", problems)
    return Matcher(
        accounts=frozenset(section["accounts"]),
        marketplaces=frozenset(section["marketplaces"]),
        labels=frozenset(section["labels"]),
        min_priority=section["min_priority"],
        text=section["text"] or None,
    )


def _check_as_a_whole(
    sections: Sequence[Section],
    policies: Sequence[EscalationPolicy],
    known: Known,
    longest_target: timedelta,
    problems: Problems,
) -> None:
    """Note what only shows across policies, such as one that another before it always hides."""
    receivers = [Receiver(name=name, type="console") for name in known.receivers]
    told: list[str] = []
    for count, section in enumerate(sections, start=1):
        found = validate_policies(policies[:count], receivers, target=longest_target)
        for text in found:
            if text not in told:
                problems.add_text(section.path, text)
        told = found


def imply_policy(
    people: Sequence[Person], receivers: Sequence[Receiver], services: Services, problems: Problems
) -> tuple[tuple[EscalationPolicy, ...], tuple[Receiver, ...]]:
    """Return the policy of a file that has none, and the receivers together with those that it implies.

    Phones count only where there is a service to reach them by.
    """
    if not receivers:
        return (), ()
    reachable = people if services.has("sms") else [replace(person, phone=None) for person in people]
    extra = implied_receivers(reachable, receivers)
    taken = {receiver.name for receiver in receivers}
    for receiver in extra:
        if receiver.name in taken:
            problems.add(
                (),
                f"the name '{receiver.name}' is needed for calls to the same people. Rename that receiver.",
                key="[[receiver]]",
            )
    return (default_policy(reachable, receivers),), (*receivers, *extra)


# --- [report], [digest], [[label]]


def build_report(section: Section | None, known: Known, problems: Problems) -> ReportConfig | None:
    """Return [report]."""
    if section is None:
        return None
    check_names(section, "to", known.receivers, "receiver", problems)
    weekday, minute = section["at"]
    return ReportConfig(
        to=section["to"],
        weekday=weekday,
        minute=minute,
        directory=section["directory"],
        names=section["names"],
        language=section["language"],
    )


def build_digest(section: Section | None, known: Known, problems: Problems) -> DigestConfig | None:
    """Return [digest]."""
    if section is None:
        return None
    if section["to"] == ():
        problems.add(section.at("to"), "empty. Write names of receivers, or remove [digest].")
    check_names(section, "to", known.receivers, "receiver", problems)
    return DigestConfig(
        to=section["to"] or (),
        minute=section["at"],
        when_empty=section["when_empty"],
        language=section["language"],
    )


def build_labels(sections: Sequence[Section], problems: Problems) -> tuple[LabelRuleConfig, ...]:
    """Return the seller's own words for labels."""
    for section in sections:
        if not {"words", "files", "priority"} & section.given and section.sound("name"):
            problems.add(section.path, "says nothing of its label. Write words, files or priority.", key="words")
    return tuple(
        LabelRuleConfig(
            name=section["name"] or "",
            words=section["words"],
            files=section["files"] or (),
            priority=section["priority"],
        )
        for section in sections
    )
