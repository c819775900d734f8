"""How people are reached: receivers to addresses, contact rules, quiet hours, and how long "I have it" and "not now" last."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from alerts.core.localtime import instant_of, local_day
from alerts.core.model import Channel, ContactRule, Person, Purpose, Receiver
from alerts.core.schedule import Schedule, on_call_at, on_call_order
from alerts.core.staffing import Shift, Staffing, staffing_around

PHONE_CHANNELS = frozenset({Channel.SMS, Channel.VOICE})
FOLLOWS_AFTER = timedelta(minutes=15)  # after somebody's last contact rule: whoever is next on the schedule
DEADLINE_MARGIN = timedelta(minutes=30)  # an acknowledgement or a snooze leaves this much time to answer

_PERSONAL = {"sms": Channel.SMS, "voice": Channel.VOICE, "email": Channel.EMAIL}
_RINGS_NOBODY = frozenset({Purpose.UPDATE, Purpose.CLOSED, Purpose.TEST})  # go through quiet hours
_DAY = timedelta(days=1)
_MEMO_SIZE = 512


class Contact(NamedTuple):
    """One attempt at reaching somebody: `person` None for a shared receiver; `after` counts from the step's telling."""

    channel: Channel
    person: str | None
    after: timedelta


class Target(NamedTuple):
    """A contact of a step's receiver, ready for a notification. `name` is `<receiver>:<person or ->:<channel>`."""

    receiver: str
    contact: Contact
    name: str
    personal: bool
    by_phone: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Directory:
    """Everything that planning needs to know about people. Make a new one when the configuration is read again.

    Attributes:
        unreachable: (person, channel) that no longer works: opted out, or the handset is unknown.
        fallback: receivers told in place of receivers that no longer exist or stand for nobody at all.
    """

    receivers: Mapping[str, Receiver]
    people: Mapping[str, Person] = field(default_factory=dict)
    schedules: Mapping[str, Schedule] = field(default_factory=dict)
    shifts: tuple[Shift, ...] = ()
    unreachable: frozenset[tuple[str, Channel]] = frozenset()
    fallback: tuple[str, ...] = ()
    # Within one tick thousands of clocks ask the same questions at the same instant.
    _memo: dict[Any, Any] = field(default_factory=dict, repr=False, compare=False)

    def targets(self, notify: tuple[str, ...], at: datetime) -> tuple[Target, ...]:
        """Return whom a step reaches if it is told at this instant; nobody twice by one channel."""
        key = (notify, at)
        found: tuple[Target, ...] | None = self._memo.get(key)
        if found is None:
            found = self._remember(key, self._targets(notify, at) or self._targets(self.fallback, at))
        return found

    def staffing(self, at: datetime) -> Staffing:
        """Return the staffed periods from this instant on."""
        found: Staffing | None = self._memo.get(at)
        if found is None:
            found = self._remember(at, staffing_around(self.shifts, at))
        return found

    def on_call(self, person: str, at: datetime) -> bool:
        """Return whether somebody is on call on any schedule at this instant."""
        return any(on_call_at(schedule, at) == person for schedule in self.schedules.values())

    def _targets(self, notify: Iterable[str], at: datetime) -> tuple[Target, ...]:
        names = [name for one in notify for name in ((one,) if one in self.receivers else self.fallback)]
        receivers = [self.receivers[name] for name in dict.fromkeys(names) if name in self.receivers]
        found: dict[Any, Target] = {}
        for receiver in receivers:
            for contact in expand_receiver(receiver, self, at):
                target = Target(
                    receiver=receiver.name,
                    contact=contact,
                    name=f"{_key_part(receiver.name)}:{_key_part(contact.person or '-')}:{contact.channel.value}",
                    personal=contact.channel in PHONE_CHANNELS or receiver.type == "person",
                    by_phone=contact.channel in PHONE_CHANNELS,
                )
                same = (contact.person, contact.channel) if contact.person is not None else target.name
                if same not in found or contact.after < found[same].contact.after:
                    found[same] = target
        return tuple(found.values())

    def _remember(self, key: Any, value: Any) -> Any:
        if len(self._memo) >= _MEMO_SIZE:
            self._memo.clear()
        self._memo[key] = value
        return value


def expand_receiver(receiver: Receiver, directory: Directory, at: datetime) -> tuple[Contact, ...]:
    """Return how a receiver is reached if it is told at this instant.

    A shared receiver is one contact. SMS, voice and email reach each of `people`, or whoever is on call; somebody without
    such an address gives way to the next on the schedule. "person" reaches by contact rules; on a schedule, whoever does
    not answer within a quarter of an hour of the last rule is followed by the next person's rules, until all were asked.
    Empty: the receiver stands for nobody.

    Raises:
        ValueError: `at` is naive.
    """
    if receiver.type == "person":
        if receiver.schedule is None:
            return tuple(contact for name in receiver.people for contact in _by_rules(name, directory))
        return _one_after_another(_in_line(receiver, directory, at), directory)
    channel = _PERSONAL.get(receiver.type)
    if channel is None:
        return (Contact(Channel(receiver.type), None, timedelta(0)),)
    if receiver.schedule is None:
        if not receiver.people and receiver.target is not None:
            return (Contact(channel, None, timedelta(0)),)
        names: Iterable[str] = (name for name in receiver.people if _reachable(name, channel, directory))
    else:
        names = [name for name in _in_line(receiver, directory, at) if _reachable(name, channel, directory)][:1]
    return tuple(Contact(channel, name, timedelta(0)) for name in names)


def stand_ins(
    receiver: Receiver, person: str | None, channel: Channel, directory: Directory, at: datetime
) -> tuple[Contact, ...]:
    """Return who takes over at once when a contact of this receiver failed for good, nearest first.

    The same person by their other ways, then those who follow on the schedule (else the receiver's other people), each by
    the receiver's own channel first where they have it. Empty for a shared receiver: another receiver must take over.
    """
    if person is None:
        return ()
    line = [name for name in dict.fromkeys(_in_line(receiver, directory, at)) if name != person]
    found: list[Contact] = []
    own = _PERSONAL.get(receiver.type)
    for name in (person, *line):
        ways = [contact.channel for contact in _by_rules(name, directory)]
        if own is not None and _reachable(name, own, directory):
            ways.insert(0, own)
        found += [Contact(way, name, timedelta(0)) for way in dict.fromkeys(ways) if (way, name) != (channel, person)]
    return tuple(found)


def usable_rules(person: Person, unreachable: frozenset[tuple[str, Channel]] = frozenset()) -> tuple[ContactRule, ...]:
    """Return by what and when a person is reached: their own rules, else Slack, SMS after 5 and voice after 15 minutes.

    A rule without address is left out; the first one left begins when the first one would have, so that a missing address
    costs no time.
    """
    rules = person.contact or (
        ContactRule(by=Channel.SLACK),
        ContactRule(by=Channel.SMS, after=timedelta(minutes=5)),
        ContactRule(by=Channel.VOICE, after=timedelta(minutes=15)),
    )
    left = [rule for rule in rules if _has_address(person, rule.by) and (person.name, rule.by) not in unreachable]
    if not left and not person.contact and person.email is not None:
        left = [ContactRule(by=Channel.EMAIL)]
    if not left:
        return ()
    left.sort(key=lambda rule: rule.after)
    begin = min(rule.after for rule in rules)
    return (ContactRule(by=left[0].by, after=min(begin, left[0].after)), *left[1:])


def acknowledgement_expires_at(acknowledged_at: datetime, deadline_at: datetime, expires: timedelta) -> datetime:
    """Return when an acknowledgement no longer stops escalation.

    After `expires` or half of the time remaining, whichever is less, and half an hour before the deadline where that
    instant is still ahead. After the deadline it lasts `expires`.
    """
    remaining = deadline_at - acknowledged_at
    if remaining <= timedelta(0):
        return acknowledged_at + expires
    expires_at = acknowledged_at + min(expires, remaining / 2)
    latest_at = deadline_at - DEADLINE_MARGIN
    return min(expires_at, latest_at) if latest_at > acknowledged_at else expires_at


def snooze_until(now: datetime, for_: timedelta, deadline_at: datetime) -> datetime:
    """Return when a snooze ends.

    As asked, but half an hour before the deadline at the latest; in that half hour at the deadline, because a breach is
    told; after the deadline as asked.

    Raises:
        ValueError: `for_` is not longer than nothing.
    """
    if for_ <= timedelta(0):
        raise ValueError(f"snooze for {for_}: must be longer than nothing")
    for latest_at in (deadline_at - DEADLINE_MARGIN, deadline_at):
        if latest_at > now:
            return min(now + for_, latest_at)
    return now + for_


def hold_until(
    person: Person, deadline_at: datetime | None, now: datetime, *, on_call: bool, purpose: Purpose = Purpose.ALERT
) -> datetime | None:
    """Return until when quiet hours hold a delivery to this person; None: it goes now.

    What is held is decided again at the instant returned: the end of the quiet hours, or when the deadline is as near as
    `quiet_unless_within`, whichever comes first. Quiet hours hold nobody who is on call, no deadline that near or past,
    and nothing that says the matter is closed.
    """
    if person.quiet is None or on_call or purpose in _RINGS_NOBODY:
        return None
    until_at = _quiet_until(person, now)
    if until_at is None or deadline_at is None:
        return until_at
    near_at = deadline_at - person.quiet_unless_within
    return min(until_at, near_at) if near_at > now else None


def _quiet_until(person: Person, now: datetime) -> datetime | None:
    """Return the end of the quiet hours that hold `now`; those of yesterday may cross midnight."""
    quiet = person.quiet
    if quiet is None or quiet.from_minute == quiet.to_minute:
        return None
    zone = ZoneInfo(person.time_zone)
    today = local_day(now, zone)
    crosses = quiet.to_minute < quiet.from_minute
    ends = [
        instant_of(day, quiet.to_minute + 1440 * crosses, zone, last=True)
        for day in (today - _DAY, today)
        if instant_of(day, quiet.from_minute, zone) <= now
    ]
    return max((end_at for end_at in ends if end_at > now), default=None)


def _in_line(receiver: Receiver, directory: Directory, at: datetime) -> Sequence[str]:
    schedule = directory.schedules.get(receiver.schedule or "")
    if schedule is None:
        return receiver.people
    return on_call_order(schedule, at)


def _one_after_another(names: Iterable[str], directory: Directory) -> tuple[Contact, ...]:
    contacts: list[Contact] = []
    begin = timedelta(0)
    for name in names:
        theirs = _by_rules(name, directory)
        contacts += [contact._replace(after=begin + contact.after) for contact in theirs]
        if theirs:
            begin = contacts[-1].after + FOLLOWS_AFTER
    return tuple(contacts)


def _by_rules(name: str, directory: Directory) -> tuple[Contact, ...]:
    person = directory.people.get(name)
    if person is None:
        return ()
    return tuple(Contact(rule.by, name, rule.after) for rule in usable_rules(person, directory.unreachable))


def _reachable(name: str, channel: Channel, directory: Directory) -> bool:
    person = directory.people.get(name)
    return person is not None and _has_address(person, channel) and (name, channel) not in directory.unreachable


def _has_address(person: Person, channel: Channel) -> bool:
    if channel in PHONE_CHANNELS:
        return person.phone is not None
    if channel is Channel.EMAIL:
        return person.email is not None
    return channel is Channel.SLACK and person.slack_user is not None


def _key_part(name: str) -> str:
    """Return a name as it stands in a key: a colon would make two keys alike."""
    return name.replace("%", "%25").replace(":", "%3A")
