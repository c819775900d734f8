"""From sections to people, receivers, schedules and staffed hours, with the checks that span several keys."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from alerts.core.contact import usable_rules
from alerts.core.model import Channel, ContactRule, Person, Receiver
from monitor.config.build_mail import check_secret_url
from monitor.config.model import ScheduleConfig, ScheduleOverrideConfig, ShiftConfig
from monitor.config.problems import Problems
from monitor.config.references import Known, check_names
from monitor.config.shape import Section

_TABLE_OF = {"slack": "slack", "sms": "twilio", "voice": "twilio", "email": "smtp"}
_ADDRESS_OF = {"slack": "slack_user", "sms": "phone", "voice": "phone", "email": "email"}
_KEYS_OF_TYPE = {
    "slack": {"channel", "external"},
    "webhook": {"url", "secret"},
    "console": set[str](),
    **{kind: {"to", "schedule"} for kind in ("sms", "voice", "email", "person")},
}
_ANY_TYPE = {"name", "type", "language", "time_zone"}


@dataclass(frozen=True, slots=True)
class Services:
    """Which of [slack], [twilio] and [smtp] the file has."""

    present: frozenset[str]

    def has(self, channel: str) -> bool:
        """Return whether a channel can be sent by."""
        return channel not in _TABLE_OF or _TABLE_OF[channel] in self.present


# --- [[person]]


def build_people(
    sections: Sequence[Section], time_zone: ZoneInfo, services: Services, problems: Problems
) -> tuple[Person, ...]:
    """Return the people. Without rules of their own they have those that the file's services allow."""
    people = []
    for section in sections:
        person = Person(
            name=section["name"] or "",
            phone=section["phone"],
            slack_user=section["slack_user"] or None,
            email=section["email"],
            language=section["language"],
            time_zone=(section["time_zone"] or time_zone).key,
            quiet=section["quiet"],
            quiet_unless_within=section["quiet_unless_within"],
            contact=_build_contact(section, services, problems),
        )
        people.append(_with_possible_rules(person, services))
    return tuple(people)


def _build_contact(section: Section, services: Services, problems: Problems) -> tuple[ContactRule, ...]:
    rules = []
    for rule in section.tables["contact"]:
        by = rule["by"]
        if by is None or not rule.sound("by", "after"):
            continue
        _check_service(rule, "by", by, services, problems)
        address = _ADDRESS_OF[by]
        if not section[address] and section.sound(address):
            problems.add_value(rule.at("by"), by, f"{section['name']} has no {address}. Write it into [[person]].")
        rules.append(ContactRule(by=Channel(by), after=rule["after"]))
    return tuple(sorted(rules, key=lambda rule: rule.after))


def _with_possible_rules(person: Person, services: Services) -> Person:
    """Leave implied rules implied, unless the file lacks the service for one of them."""
    if person.contact:
        return person
    possible = replace(
        person,
        slack_user=person.slack_user if services.has("slack") else None,
        phone=person.phone if services.has("sms") else None,
        email=person.email if services.has("email") else None,
    )
    return person if possible == person else replace(person, contact=usable_rules(possible))


# --- [[receiver]]


def build_receivers(
    root: Section, people: Sequence[Person], known: Known, time_zone: ZoneInfo, services: Services, problems: Problems
) -> tuple[Receiver, ...]:
    """Return the receivers, each with somebody behind it."""
    sections = root.tables["receiver"]
    if not sections and root.sound("receiver"):
        problems.add((), 'missing. Write at least one, such as type = "console" or type = "slack".', key="[[receiver]]")
    receivers = []
    for section in sections:
        if section.sound("type"):
            _check_receiver(section, people, known, services, problems)
        receivers.append(
            Receiver(
                name=section["name"] or "",
                type=section["type"] or "",
                target=(section["channel"] if section["type"] == "slack" else section.secret("url")) or None,
                people=section["to"] or (),
                schedule=section["schedule"],
                language=section["language"],
                time_zone=(section["time_zone"] or time_zone).key,
                secret=section.secret("secret") or None,
                external=section["external"],
            )
        )
    return tuple(receivers)


def _check_receiver(
    section: Section, people: Sequence[Person], known: Known, services: Services, problems: Problems
) -> None:
    kind = section["type"]
    for key in sorted(section.given - _ANY_TYPE - _KEYS_OF_TYPE[kind]):
        if key in section.values:
            problems.add(section.at(key), f'means nothing where type = "{kind}". Remove it.')
    _check_service(section, "type", kind, services, problems)
    if kind == "slack" and not section["channel"] and section.sound("channel"):
        problems.add(section.path, 'missing. Write the channel\'s id: channel = "C0123ABCD".', key="channel")
    if kind == "webhook":
        if not section.secret("url") and section.sound("url"):
            problems.add(section.path, 'missing. Write url = "env:NAME" or the address itself.', key="url")
        check_secret_url(section, "url", problems)
    if "to" in _KEYS_OF_TYPE[kind]:
        _check_reaches_somebody(section, kind, people, known, problems)


def _check_service(section: Section, key: str, channel: str, services: Services, problems: Problems) -> None:
    if not services.has(channel):
        table = _TABLE_OF[channel]
        problems.add_value(section.at(key), channel, f"there is no [{table}]. Write that table, or choose another way.")


def _check_reaches_somebody(
    section: Section, kind: str, people: Sequence[Person], known: Known, problems: Problems
) -> None:
    if not section.sound("to", "schedule"):
        return
    if section["to"] and section["schedule"]:
        problems.add(section.at("schedule"), "given together with to. Keep one of the two.")
    if not section["to"] and not section["schedule"]:
        problems.add(section.path, 'missing. Write the names of people: to = ["…"], or schedule = "…".', key="to")
    check_names(section, "to", known.people, "person", problems, plural="people")
    check_names(section, "schedule", known.schedules, "schedule", problems)
    by_name = {person.name: person for person in people}
    address = _ADDRESS_OF.get(kind)
    for name in section["to"] or ():
        person = by_name.get(name)
        if person is None:
            continue
        if address is not None and not getattr(person, address):
            problems.add(section.at("to"), f"'{name}' has no {address}. Write it into that [[person]].")
        if address is None and not usable_rules(person):
            problems.add(
                section.at("to"), f"'{name}' can be reached by nothing. Write a phone, slack_user or email there."
            )


# --- [[schedule]]


def build_schedules(
    sections: Sequence[Section], known: Known, time_zone: ZoneInfo, problems: Problems
) -> tuple[ScheduleConfig, ...]:
    """Return the schedules; local times of overrides become instants."""
    schedules = []
    for section in sections:
        zone = section["time_zone"] or time_zone
        check_names(section, "rotation", known.people, "person", problems, plural="people")
        if section.sound("rotation", "ical"):
            if section["rotation"] and section["ical"]:
                problems.add(section.at("ical"), "given together with rotation. Keep one of the two.")
            if not section["rotation"] and not section["ical"]:
                problems.add(
                    section.path, 'missing. Write rotation = ["…", "…"], people in turn; or ical.', key="rotation"
                )
        day, minute = section["handover"]
        schedules.append(
            ScheduleConfig(
                name=section["name"] or "",
                time_zone=zone,
                rotation=section["rotation"],
                handover_day=day,
                handover_minute=minute,
                every=section["every"],
                starts=section["starts"],
                ical=section["ical"] or "",
                overrides=_build_overrides(section.tables["override"], known, zone, problems),
            )
        )
    return tuple(schedules)


def _build_overrides(
    sections: Sequence[Section], known: Known, zone: ZoneInfo, problems: Problems
) -> tuple[ScheduleOverrideConfig, ...]:
    overrides = []
    for section in sections:
        if section["person"] is not None:
            check_names(section, "person", known.people, "person", problems, plural="people")
        if not section.sound("from", "to", "person"):
            continue
        begin = _instant(section, "from", zone, problems)
        end = _instant(section, "to", zone, problems)
        if begin is None or end is None:
            continue
        if end <= begin:
            problems.add_value(section.at("to"), section["to"], "not after from. Write when the turn ends.")
        overrides.append(ScheduleOverrideConfig(from_at=begin, to_at=end, person=section["person"]))
    return tuple(overrides)


def _instant(section: Section, key: str, zone: ZoneInfo, problems: Problems) -> datetime | None:
    """Return the instant of a local time, or note that the clocks change right there."""
    local: datetime = section[key]
    try:
        if local.tzinfo is not None:
            return local.astimezone(UTC)
        early, late = local.replace(tzinfo=zone), local.replace(tzinfo=zone, fold=1)
        instant = early.astimezone(UTC)
        offsets = early.utcoffset(), late.utcoffset()
        again = instant.astimezone(zone).replace(tzinfo=None)
    except (OverflowError, ValueError):
        problems.add_value(section.at(key), local, "beyond what a calendar holds. Write a date near today's.")
        return None
    if offsets[0] == offsets[1]:
        return instant
    what = "happens twice" if again == local else "does not happen"
    problems.add_value(
        section.at(key),
        local,
        f"this local time {what} in {zone.key} that day. Write it with its offset: {early.isoformat()}.",
    )
    return None


# --- [[staffed]]


def build_staffed(sections: Sequence[Section], time_zone: ZoneInfo, problems: Problems) -> tuple[ShiftConfig, ...]:
    """Return the shifts in which somebody answers."""
    shifts = []
    for section in sections:
        if not section.sound("from", "to"):
            continue
        begin, end = section["from"], section["to"]
        if begin == 1440:
            problems.add_value(section.at("from"), "24:00", 'no day begins then. Write "00:00".')
        if begin == end:
            problems.add(section.at("to"), 'the same as from. Write from = "00:00" and to = "24:00" for the whole day.')
        if section["days"] == frozenset():
            problems.add(section.at("days"), 'empty. Write "mon-fri" or "mon,wed".')
        shifts.append(
            ShiftConfig(
                days=section["days"],
                from_minute=begin,
                to_minute=end,
                time_zone=section["time_zone"] or time_zone,
                holidays=section["holidays"] or "",
                closed_on=section["closed_on"],
            )
        )
    return tuple(shifts)
