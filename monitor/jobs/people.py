"""Who is where: the configuration's people and receivers, as planning and delivering ask for them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Connection

from alerts.core.contact import PHONE_CHANNELS, Directory, expand_receiver, hold_until, stand_ins
from alerts.core.model import Channel, Notification, Person, Receiver, ThreadFacts
from alerts.core.suppress import SMS_LIMITS, VOICE_LIMITS, allowed_at
from alerts.delivery.ports import Address, Target
from monitor.config.model import Config
from monitor.jobs.services import Roster
from monitor.store.health import read_marks

OPTED_OUT = "opted_out:"
"""Marks the phones of people who sent STOP."""


def read_unreachable(connection: Connection) -> frozenset[tuple[str, Channel]]:
    """Return the people who opted out, with the channels that no longer reach them."""
    names = [name.removeprefix(OPTED_OUT) for name in read_marks(connection, OPTED_OUT)]
    return frozenset((name, channel) for name in names for channel in PHONE_CHANNELS)


@dataclass(frozen=True, kw_only=True)
class AddressBook:
    """Answers where a receiver is and who comes next."""

    config: Config
    roster: Roster
    console: str = "console"
    people: Mapping[str, Person] = field(init=False)

    def __post_init__(self) -> None:
        """Index the people."""
        object.__setattr__(self, "people", {person.name: person for person in self.config.people})

    @property
    def directory(self) -> Directory:
        """Who can be reached, for planning."""
        return self.roster.directory

    def address_of(self, receiver: str, channel: Channel, person: str | None) -> Address | None:
        """Return where to send, or None if the configuration no longer says."""
        found = self.directory.receivers.get(receiver)
        if found is None:
            return None
        if person is None:
            return self._shared(found, channel)
        someone = self.people.get(person)
        address = None if someone is None else _address(someone, channel)
        if someone is None or address is None:
            return None
        return Address(address=address, language=someone.language, time_zone=someone.time_zone)

    def _shared(self, receiver: Receiver, channel: Channel) -> Address | None:
        if channel is not Channel.CONSOLE and receiver.target is None:
            return None
        return Address(
            address=receiver.target or self.console,
            language=receiver.language,
            time_zone=receiver.time_zone,
            secret=receiver.secret,
            external=receiver.external,
        )

    def next_after(self, failed: Notification, now: datetime) -> Sequence[Target]:
        """Return who takes over, nearest first.

        The same person by another way, then whoever follows on the schedule; in the end everybody who is told of ReplyBy's
        own troubles.
        """
        receiver = self.directory.receivers.get(failed.receiver)
        found: list[Target] = []
        if receiver is not None:
            found += [
                Target(receiver.name, contact.channel, contact.person)
                for contact in stand_ins(receiver, failed.person, failed.channel, self.directory, now)
            ]
        found += self.health_targets(now)
        tried = Target(failed.receiver, failed.channel, failed.person)
        return [one for one in dict.fromkeys(found) if one != tried]

    def health_targets(self, now: datetime) -> Sequence[Target]:
        """Return who is told of ReplyBy's own troubles: by setting, else everybody the first policy names."""
        names = self.config.worker.health_notify
        if not names:
            names = tuple(dict.fromkeys(name for step in self.config.policies[0].steps for name in step.notify))
        return self.targets(names, now)

    def targets(self, names: Sequence[str], now: datetime) -> list[Target]:
        """Return how these receivers are reached at `now`, each by its first contact."""
        found: list[Target] = []
        for name in names:
            receiver = self.directory.receivers.get(name)
            contacts = () if receiver is None else expand_receiver(receiver, self.directory, now)
            seen: set[str | None] = set()
            for contact in contacts:
                if contact.person not in seen:
                    seen.add(contact.person)
                    found.append(Target(name, contact.channel, contact.person))
        return list(dict.fromkeys(found))

    def hold(self, item: Notification, facts: ThreadFacts | None, now: datetime) -> datetime | None:
        """Return until when delivery to this person waits, or None: quiet hours, unless on call or the deadline is near."""
        if item.person is None or item.person not in self.people:
            return None
        someone = self.people[item.person]
        deadline_at = None if facts is None else facts.deadline_at
        on_call = self.directory.on_call(item.person, now)
        return hold_until(someone, deadline_at, now, on_call=on_call, purpose=item.purpose)

    def allowed_at(self, channel: Channel, sent: Sequence[datetime], now: datetime, first_alert: bool) -> datetime:
        """Return when a phone may get one more message."""
        limits = SMS_LIMITS if channel is Channel.SMS else VOICE_LIMITS
        return allowed_at(sent, limits, now, first_alert=first_alert)


def _address(person: Person, channel: Channel) -> str | None:
    return {
        Channel.SMS: person.phone,
        Channel.VOICE: person.phone,
        Channel.SLACK: person.slack_user,
        Channel.EMAIL: person.email,
    }.get(channel)
