"""Builds every object from the configuration: the only place that names a concrete source or notifier."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from functools import partial
from hashlib import sha256
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from alerts.core.contact import Directory
from alerts.core.model import Channel
from alerts.core.schedule import Override, Rotation, Schedule
from alerts.core.staffing import Shift
from alerts.core.words.holding import holding_reply_url
from monitor.calendars import read_calendar
from monitor.config.model import Config, MailboxConfig, ScheduleConfig, TwilioConfig
from monitor.core.messages import Message, Where
from monitor.jobs.people import read_unreachable
from monitor.jobs.services import Recognise, Roster, Services
from monitor.sources.base import MailSource
from monitor.store.engine import reading, writing
from monitor.store.open_threads import note_first_start, read_first_start
from monitor.store.opening import Store
from monitor.wallclock import WallClock, utc_now

if TYPE_CHECKING:
    from alerts.notifiers.base import Notifier
    from alerts.notifiers.sms import Sender
    from monitor.jobs.forgetting import EraseElsewhere
    from monitor.oauth.keeper import TokenKeeper
    from monitor.parse.context import RecognitionContext
    from monitor.worker import Worker


def program_version() -> str:
    """Return the installed version, or "0" where the package is not installed."""
    try:
        return version("replyby")
    except PackageNotFoundError:
        return "0"


def build_services(
    config: Config, store: Store, *, now: WallClock = utc_now, with_sources: bool = False, as_worker: bool = False
) -> Services:
    """Return what jobs are given. Without sources for commands that read no mail: they start faster and hold no login.

    `as_worker`: it starts to watch, which is noted the first time; a command beside it, or before it, notes nothing.
    """
    with (writing if as_worker else reading)(store.engine) as connection:
        first_started_at = note_first_start(connection, now()) if as_worker else read_first_start(connection) or now()
        unreachable = read_unreachable(connection)
    roster = Roster(build_directory(config, now()))
    roster.replace_unreachable(unreachable)
    authserv: dict[str, str] = {}
    keepers = build_keepers(config, now) if with_sources else {}
    return Services(
        config=config,
        engine=store.engine,
        hasher=store.hasher,
        utc_now=now,
        first_started_at=first_started_at,
        roster=roster,
        sources=build_sources(config, now, keepers) if with_sources else {},
        sign_ins={name: keeper.trouble for name, keeper in keepers.items()},
        recognise=build_recognisers(config, authserv) if with_sources else {},
        authserv=authserv,
        holding_reply=holding_reply_url,
        order_words=_order_words(config),
    )


def _order_words(config: Config) -> Callable[[str, str | None, datetime], dict[str, tuple[str, ...]]] | None:
    """Return what words a stored order in the languages that somebody reads; None where no order is ever fetched."""
    if not any(account.sp_api is not None for account in config.accounts):
        return None
    from monitor.core.orders import stored_order_words

    read = (*(receiver.language for receiver in config.receivers), *(person.language for person in config.people))
    languages = tuple(dict.fromkeys(("en", *read)))
    return partial(stored_order_words, languages=languages)


def build_directory(config: Config, now: datetime) -> Directory:
    """Return who is who, for planning; a calendar that cannot be fetched at `now` gives way to its copy.

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
        schedules={schedule.name: _schedule(schedule, config, now) for schedule in config.schedules},
        shifts=shifts,
        fallback=config.worker.health_notify
        or tuple(receiver.name for receiver in config.receivers if receiver.type in ("slack", "console", "email")),
    )


def _schedule(schedule: ScheduleConfig, config: Config, now: datetime) -> Schedule:
    overrides = tuple(Override(from_at=one.from_at, to_at=one.to_at, person=one.person) for one in schedule.overrides)
    if schedule.ical:
        calendar, _ = read_calendar(schedule, config, now)  # the worker tells what is wrong when it reads it again
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


def build_keepers(config: Config, now: WallClock) -> "dict[str, TokenKeeper]":
    """Return what keeps the tokens of the mailboxes that are signed in to by OAuth; reads nothing yet."""
    if not any(mailbox.oauth for mailbox in config.mailboxes):
        return {}
    from monitor.oauth.keeper import TokenKeeper

    folder = config.worker.state_directory
    return {mailbox.name: TokenKeeper(mailbox, folder, now) for mailbox in config.mailboxes if mailbox.oauth}


def build_sources(config: Config, now: WallClock, keepers: "Mapping[str, TokenKeeper]") -> dict[str, MailSource]:
    """Return each mailbox's source by name; connects to nothing."""
    from monitor.parse.building import own_domains

    folder = config.worker.state_directory
    sources = {}
    for mailbox in config.mailboxes:
        keeper = keepers.get(mailbox.name)
        token = None if keeper is None else keeper.access_token
        sources[mailbox.name] = build_source(mailbox, folder, now, token, own_domains(config))
    return sources


def build_source(
    mailbox: MailboxConfig,
    state_directory: Path,
    now: WallClock,
    token: Callable[[], str] | None,
    own_domains: frozenset[str] = frozenset(),
) -> MailSource:
    """Return the source of one mailbox, whose OAuth tokens `token` gives; connects to nothing."""
    from monitor.parse import wants_mail

    wants = partial(wants_mail, own_domains=own_domains)
    if mailbox.type == "maildir":
        from monitor.sources.maildir import MaildirSource

        return MaildirSource(mailbox, wants, state_directory)
    if mailbox.type == "simulated":
        from monitor.sources.simulated import SimulatedSource

        return SimulatedSource(mailbox, wants, utc_now=now)
    from monitor.sources.imap import ImapSource

    return ImapSource(mailbox, wants, password=lambda: mailbox.password, token=token)


def build_import(
    services: Services, path: Path, account: str, *, sent: bool
) -> tuple[MailboxConfig, MailSource, Recognise]:
    """Return what an import reads: a stand-in for a mailbox, its source (mbox file or Maildir), and what recognises its mails.

    Args:
        services: the account's own mailbox says whose verdicts are believed; "auto": those that most of the mails carry.
        path: a directory is a Maildir, all else an mbox file.
        account: whose mail it is.
        sent: every mail in it was sent from here.
    """
    from monitor.parse.building import own_domains

    config = services.config
    serving = next((one for one in config.mailboxes if account in one.accounts), config.mailboxes[0])
    mailbox = MailboxConfig(
        name=f"import:{account}", type="mbox", accounts=(account,), authserv_id=serving.authserv_id, path=path
    )
    source: MailSource
    if path.is_dir():
        # Folders of two Maildirs have the same names: the place tells their cursors apart.
        place = sha256(str(path.absolute()).encode("utf-8", "surrogateescape")).hexdigest()[:12]
        mailbox = replace(mailbox, type="maildir", name=f"import:{place}:{account}"[:64])
        if sent:
            mailbox = replace(mailbox, folders=(), sent_path=path, junk="")
        source = build_source(mailbox, config.worker.state_directory, services.utc_now, None, own_domains(config))
    else:
        from monitor.parse import wants_mail
        from monitor.sources.mbox import MboxSource

        wants = partial(wants_mail, own_domains=own_domains(config))
        source = MboxSource(mailbox.name, path, wants, Where.SENT if sent else Where.INBOX)
    return mailbox, source, partial(_recognise, config, mailbox, services.authserv, {})


def build_recognisers(config: Config, authserv: Mapping[str, str]) -> dict[str, Recognise]:
    """Return, by mailbox, what turns bytes into messages; `authserv` fills while the worker learns the servers' ids."""
    return {mailbox.name: partial(_recognise, config, mailbox, authserv, {}) for mailbox in config.mailboxes}


def _recognise(
    config: Config,
    mailbox: MailboxConfig,
    authserv: Mapping[str, str],
    contexts: "dict[str, RecognitionContext]",
    content: bytes,
    internaldate: datetime,
    where: Where,
) -> Message:
    from monitor.parse import parse_message
    from monitor.parse.building import build_recognition_context

    server = authserv.get(mailbox.name, "") if mailbox.authserv_id == "auto" else mailbox.authserv_id
    context = contexts.get(server)
    if context is None:
        context = contexts[server] = build_recognition_context(config, mailbox, server)
    return parse_message(content, internaldate=internaldate, where=where, context=context)


def build_notifiers(config: Config, stream: TextIO | None = None) -> "dict[Channel, Notifier]":
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
        from alerts.notifiers.sms import SmsNotifier
        from alerts.notifiers.voice import VoiceNotifier

        twilio = config.twilio
        sender = build_sender(twilio)
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


def build_eraser(config: Config, now: WallClock = utc_now) -> "EraseElsewhere":
    """Return what takes messages back at Slack and Twilio; connects to nothing yet."""
    from alerts.notifiers import slack, twilio_api
    from alerts.notifiers.erasure import SlackEraser, SmsEraser, erase_messages

    channels = [one.target for one in config.receivers if one.type == "slack" and one.target]
    slack_eraser = sms_eraser = None
    if config.slack is not None:
        token, seconds = config.slack.bot_token, config.slack.timeout.total_seconds()
        slack_eraser = SlackEraser(slack.build_client(token, config.slack.api_url, seconds), channels, secret=token)
    if config.twilio is not None:
        sid, token = config.twilio.account_sid, config.twilio.auth_token
        client = twilio_api.build_client(sid, token, config.twilio.api_url, config.twilio.timeout.total_seconds())
        sms_eraser = SmsEraser(client, secrets=(token, sid))
    return lambda standing: erase_messages(standing, slack_eraser, sms_eraser, now())


def build_sender(twilio: TwilioConfig) -> "Sender":
    from alerts.notifiers.sms import Sender

    return Sender(
        number=twilio.sender,
        by_prefix=dict(twilio.senders),
        messaging_service_sid=twilio.messaging_service_sid,
        answers_to=twilio.replies_to or twilio.sender,
    )


def build_worker(services: Services, stream: TextIO | None = None) -> "Worker":
    """Return the worker with everything it runs; connects to nothing yet."""
    from monitor.assembly import assemble_worker

    return assemble_worker(services, build_notifiers(services.config, stream), build_sender, program_version())
