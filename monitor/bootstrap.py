"""Builds every object from the configuration: the only place that names a concrete source or notifier."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TextIO

from sqlalchemy import Engine

from alerts.core.contact import Directory
from alerts.core.model import Channel
from alerts.core.oncall_calendar import parse_calendar
from alerts.core.schedule import Override, Rotation, Schedule
from alerts.core.staffing import Shift
from alerts.delivery.ports import Ports
from alerts.dispatcher import Dispatcher, new_owner
from alerts.heartbeat import Heartbeat
from alerts.notifiers.base import Notifier
from monitor.config.model import Config, MailboxConfig, ScheduleConfig
from monitor.core.messages import Message, Where
from monitor.errors import ConfigError, StoreError
from monitor.jobs.answers import read_unreachable
from monitor.jobs.deliver import build_load_facts, build_still_wanted
from monitor.jobs.people import AddressBook
from monitor.jobs.services import Recognise, Roster, Services, record_outcome
from monitor.sources.base import MailSource
from monitor.store.due import PolicyCache
from monitor.store.engine import open_engine, place, reading, writing
from monitor.store.health import read_mark_detail, record_first_mark
from monitor.store.identifiers import Hasher, read_or_make_key
from monitor.store.migrate import prepare_database
from monitor.wallclock import WallClock, utc_now

KEY_FILE = "replyby.key"


@dataclass(frozen=True, slots=True)
class Store:
    """An open database of this program's schema, and the hasher whose key belongs to it."""

    engine: Engine
    hasher: Hasher


def program_version() -> str:
    """Return the installed version, or "0" where the package is not installed."""
    try:
        return version("replyby")
    except PackageNotFoundError:
        return "0"


def open_store(config: Config, now: WallClock = utc_now) -> Store:
    """Open the database, bring it to this program's schema, and hold the key against it.

    Raises:
        StoreError: it cannot be used, is newer, or belongs to another key.
    """
    engine = open_engine(config.worker.database, config.worker.database_password)
    prepare_database(engine)
    path = config.worker.state_directory / KEY_FILE
    hasher = Hasher(read_or_make_key(path))
    with reading(engine) as connection:
        known = read_mark_detail(connection, "hash_key")
    if known is None:
        with writing(engine) as connection:
            record_first_mark(connection, "hash_key", now(), hasher.fingerprint)
            known = read_mark_detail(connection, "hash_key")
    if known != hasher.fingerprint:
        raise StoreError(f"{path}: not the key of {place(engine.url)}. Restore the file that belongs to this database.")
    return Store(engine, hasher)


def build_services(config: Config, store: Store, *, now: WallClock = utc_now, with_sources: bool = False) -> Services:
    """Return what jobs are given. Without sources for commands that read no mail: they start faster and hold no login."""
    with writing(store.engine) as connection:
        first_started_at = record_first_mark(connection, "first_started", now())
        unreachable = read_unreachable(connection)
    roster = Roster(build_directory(config))
    roster.replace_unreachable(unreachable)
    authserv: dict[str, str] = {}
    return Services(
        config=config,
        engine=store.engine,
        hasher=store.hasher,
        utc_now=now,
        first_started_at=first_started_at,
        roster=roster,
        sources=build_sources(config, now) if with_sources else {},
        recognise=build_recognisers(config, authserv) if with_sources else {},
        authserv=authserv,
        holding_reply=_holding_reply,
    )


def _holding_reply(address: str, order_id: str | None, language: str | None) -> str:
    from alerts.core.words.holding import holding_reply_url

    return holding_reply_url(address, order_id, language)


def build_directory(config: Config) -> Directory:
    """Return who is who, for planning.

    Raises:
        ConfigError: a calendar file cannot be read.
    """
    shifts = tuple(
        Shift(
            days=shift.days,
            from_minute=shift.from_minute,
            to_minute=shift.to_minute,
            time_zone=shift.time_zone,
            holidays=shift.holidays,
            closed_on=shift.closed_on,
        )
        for shift in config.staffed
    )
    return Directory(
        receivers={receiver.name: receiver for receiver in config.receivers},
        people={person.name: person for person in config.people},
        schedules={schedule.name: _schedule(schedule, config) for schedule in config.schedules},
        shifts=shifts,
        fallback=tuple(
            receiver.name for receiver in config.receivers if receiver.type in ("slack", "console", "email")
        ),
    )


def _schedule(schedule: ScheduleConfig, config: Config) -> Schedule:
    overrides = tuple(Override(from_at=one.from_at, to_at=one.to_at, person=one.person) for one in schedule.overrides)
    if schedule.ical:
        text = read_calendar(schedule.ical, config.path.parent)
        calendar = parse_calendar(text, config.people, schedule.time_zone)
        return Schedule(name=schedule.name, calendar=calendar, overrides=overrides)
    rotation = Rotation(
        people=schedule.rotation,
        time_zone=schedule.time_zone,
        handover_day=schedule.handover_day,
        handover_minute=schedule.handover_minute,
        every=schedule.every,
        starts=schedule.starts,
    )
    return Schedule(name=schedule.name, rotation=rotation, overrides=overrides)


CALENDAR_BYTES = 4 * 1024 * 1024
CALENDAR_SECONDS = 10.0


def read_calendar(address: str, folder: Path) -> str:
    """Return the text of an iCalendar file or address.

    Raises:
        ConfigError: it cannot be read. An address that needs no login is a secret and is not shown.
    """
    if address.startswith(("https://", "http://")):
        import urllib.request

        try:
            with urllib.request.urlopen(address, timeout=CALENDAR_SECONDS) as answer:  # noqa: S310  scheme checked above
                return str(answer.read(CALENDAR_BYTES).decode("utf-8", "replace"))
        except OSError as error:
            said = type(error).__name__
            raise ConfigError(
                "[[schedule]] ical", [f"the address cannot be read: {said}. Open it in a browser."]
            ) from None
    path = folder / address
    try:
        return path.read_text("utf-8")
    except OSError as error:
        raise ConfigError("[[schedule]] ical", [f"{path}: {error.strerror}. Write the path of an .ics file."]) from None


def build_sources(config: Config, now: WallClock) -> dict[str, MailSource]:
    """Return each mailbox's source by name; connects to nothing."""
    return {mailbox.name: build_source(mailbox, config, now) for mailbox in config.mailboxes}


def build_source(mailbox: MailboxConfig, config: Config, now: WallClock) -> MailSource:
    """Return the source of one mailbox; connects to nothing."""
    from monitor.parse import wants_mail

    if mailbox.type == "maildir":
        from monitor.sources.maildir import MaildirSource

        return MaildirSource(mailbox, wants_mail, config.worker.state_directory)
    if mailbox.type == "simulated":
        from monitor.sources.simulated import SimulatedSource

        return SimulatedSource(mailbox, now, lookback=config.worker.lookback)
    from monitor.sources.imap import ImapSource

    token: Callable[[], str] | None = None
    if mailbox.oauth:
        from monitor.oauth import build_token_provider

        token = build_token_provider(mailbox, config.worker.state_directory)
    return ImapSource(mailbox, wants_mail, password=lambda: mailbox.password, token=token)


def build_recognisers(config: Config, authserv: Mapping[str, str]) -> dict[str, Recognise]:
    """Return, by mailbox, what turns bytes into messages; `authserv` fills while the worker learns the servers' ids."""
    return {mailbox.name: partial(_recognise, config, mailbox, authserv, {}) for mailbox in config.mailboxes}


def _recognise(
    config: Config,
    mailbox: MailboxConfig,
    authserv: Mapping[str, str],
    contexts: dict[str, object],
    content: bytes,
    internaldate: datetime,
    where: Where,
) -> Message:
    from monitor.parse import parse_message

    server = authserv.get(mailbox.name, "") if mailbox.authserv_id == "auto" else mailbox.authserv_id
    context = contexts.get(server)
    if context is None:
        context = contexts[server] = build_recognition_context(config, mailbox, server)
    return parse_message(content, internaldate=internaldate, where=where, context=context)  # type: ignore[arg-type]


def build_recognition_context(config: Config, mailbox: MailboxConfig | None, server: str) -> object:
    """Return what recognition is told: whose verdicts to believe, which addresses are one's own, further label words."""
    from monitor.parse import build_context

    names = mailbox.accounts if mailbox is not None else tuple(account.name for account in config.accounts)
    accounts = [account for account in config.accounts if account.name in names]
    own = {address for account in accounts for address in (*account.notified_at, *account.reply_from)}
    return build_context(authserv_ids=(server,) if server else (), own_addresses=own, labels=config.labels)


def build_notifiers(config: Config, stream: TextIO | None = None) -> dict[Channel, Notifier]:
    """Return a notifier for each channel that the configuration can reach; connects to nothing."""
    from alerts.notifiers.console import ConsoleNotifier
    from alerts.notifiers.webhook import WebhookNotifier

    notifiers: dict[Channel, Notifier] = {Channel.CONSOLE: ConsoleNotifier(stream), Channel.WEBHOOK: WebhookNotifier()}
    if config.slack is not None:
        from alerts.notifiers.slack import SlackNotifier

        notifiers[Channel.SLACK] = SlackNotifier(
            bot_token=config.slack.bot_token,
            api_url=config.slack.api_url,
            timeout_seconds=config.slack.timeout.total_seconds(),
        )
    if config.twilio is not None:
        from alerts.notifiers.sms import Sender, SmsNotifier
        from alerts.notifiers.voice import VoiceNotifier

        twilio = config.twilio
        sender = Sender(
            number=twilio.sender,
            by_prefix=dict(twilio.senders),
            messaging_service_sid=twilio.messaging_service_sid,
            answers_to=twilio.replies_to or twilio.sender,
        )
        seconds = twilio.timeout.total_seconds()
        notifiers[Channel.SMS] = SmsNotifier(
            account_sid=twilio.account_sid,
            auth_token=twilio.auth_token,
            sender=sender,
            api_url=twilio.api_url,
            timeout_seconds=seconds,
        )
        notifiers[Channel.VOICE] = VoiceNotifier(
            account_sid=twilio.account_sid,
            auth_token=twilio.auth_token,
            sender=sender,
            api_url=twilio.api_url,
            timeout_seconds=seconds,
        )
    if config.smtp is not None:
        from alerts.notifiers.email import EmailNotifier

        smtp = config.smtp
        notifiers[Channel.EMAIL] = EmailNotifier(
            host=smtp.host,
            sender=smtp.sender,
            port=smtp.port,
            security=smtp.security,
            username=smtp.username,
            password=smtp.password,
            ca_file=smtp.ca_file,
            timeout_seconds=smtp.timeout.total_seconds(),
        )
    return notifiers


def build_dispatcher(
    services: Services, book: AddressBook, policies: PolicyCache, notifiers: Mapping[Channel, Notifier]
) -> Dispatcher:
    """Return what delivers the outbox."""
    ports = Ports(
        directory=book,
        load_facts=build_load_facts(services, policies),
        still_wanted=build_still_wanted(services),
        hold=book.hold,
        allowed_at=book.allowed_at,
        record_outcome=record_outcome,
        owner=new_owner(),
    )
    return Dispatcher(services.engine, notifiers, ports, services.utc_now)


def build_heartbeat(config: Config) -> Heartbeat:
    """Return the dead-man's switch; without an address it never pings."""
    return Heartbeat(config.worker.heartbeat_url)
