"""Puts the worker together: what delivers, what hears answers, what is served. Only `run` needs it: all else starts fast."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, TypeAlias

from alerts.core.model import Channel
from alerts.dispatcher import Dispatcher
from alerts.heartbeat import Heartbeat
from alerts.notifiers.base import Notifier
from monitor.config.model import Config, TwilioConfig
from monitor.jobs.answers import apply_answer, first_time, record_proven, reject_answer
from monitor.jobs.calendars import refresh_calendars
from monitor.jobs.deliver import build_ports
from monitor.jobs.people import AddressBook
from monitor.jobs.services import Services
from monitor.jobs.showing import Shown, metric_names
from monitor.metrics.export import PollDurations, build_registry
from monitor.metrics.server import Server, Site, serve
from monitor.scheduler import Aside, Job
from monitor.store.due import PolicyCache
from monitor.store.lineage import Lineage, take_lineage
from monitor.wallclock import WallClock
from monitor.worker import Listener, Worker

if TYPE_CHECKING:
    from alerts.notifiers.sms import Sender
    from alerts.replies.slack_socket import SlackSocket
    from alerts.replies.sms_inbox import SmsInbox

BuildSender: TypeAlias = "Callable[[TwilioConfig], Sender]"


def build_dispatcher(
    services: Services, book: AddressBook, policies: PolicyCache, notifiers: Mapping[Channel, Notifier]
) -> Dispatcher:
    """Return what delivers the outbox."""
    lineage: Lineage | None = None
    alone = True
    if services.engine.url.get_backend_name() != "sqlite":
        # There the worker's lock may go to the next while this process lives and sends.
        lineage = take_lineage(services.config.worker.state_directory)
        alone = lineage is not None
    ports = build_ports(services, book, policies, "" if lineage is None else lineage.name)
    return Dispatcher(services.engine, notifiers, ports, services.utc_now, alone=alone, holds=lineage)


def assemble_worker(
    services: Services, notifiers: Mapping[Channel, Notifier], build_sender: BuildSender, program: str
) -> Worker:
    """Return the worker with everything it runs; connects to nothing yet."""
    config = services.config
    policies = PolicyCache()
    book = AddressBook(config=config, roster=services.roster)
    polls = PollDurations(mailbox.name for mailbox in config.mailboxes)
    return Worker(
        services=services,
        policies=policies,
        book=book,
        dispatcher=build_dispatcher(services, book, policies, notifiers),
        heartbeat=build_heartbeat(config),
        listeners=build_listeners(services, policies, build_sender),
        polls=polls,
        serve=partial(serve_worker, program),
        asides=build_asides(services),
    )


AMAZON_EVERY = timedelta(seconds=5)
"""How often it is looked whether something is to be asked of Amazon; when to ask stands in the store."""


CALENDARS_EVERY = timedelta(minutes=15)


def build_asides(services: Services) -> tuple[Aside, ...]:
    """Return what asks Amazon, one for each account with an application, and what reads calendars; connects to nothing yet."""
    return (*_build_amazon(services), *_build_calendars(services))


def _build_amazon(services: Services) -> list[Aside]:
    accounts = [account for account in services.config.accounts if account.sp_api is not None]
    if not accounts:
        return []
    from monitor.jobs.amazon.asking import ask_amazon
    from monitor.jobs.amazon.desk import Desk
    from monitor.spapi.client import AmazonClient

    asides = []
    for account in accounts:
        assert account.sp_api is not None
        desk = Desk(services=services, account=account, client=AmazonClient(account.name, account.sp_api))
        job = Job(id=f"amazon:{account.name}", every=AMAZON_EVERY, run=partial(ask_amazon, desk))
        asides.append(Aside(job, services.stopping, desk.client.close))
    return asides


def _build_calendars(services: Services) -> list[Aside]:
    if not any(schedule.ical for schedule in services.config.schedules):
        return []
    job = Job(id="calendars", every=CALENDARS_EVERY, run=partial(refresh_calendars, services))
    return [Aside(job, services.stopping)]


def serve_worker(program: str, worker: Worker) -> Server:
    """Start the listener: /metrics, /healthz and the page.

    Raises:
        ReplyByError: the address is in use.
    """
    config = worker.services.config.worker
    shown = Shown(worker.services, lambda: worker.last_cycle_at)
    names = metric_names(worker.services, program)
    site = Site(
        registry=build_registry(shown.read_snapshot, names, worker.polls),
        read_page=shown.read_page,
        health=worker.health,
        page_public=config.page_public,
        username=config.page_username or "replyby",
        password=config.page_password,
    )
    return serve(config.metrics_host, config.metrics_port, site)


def build_listeners(services: Services, policies: PolicyCache, build_sender: BuildSender) -> dict[str, Listener]:
    """Return what hears people's answers: Slack's buttons over Socket Mode, SMS by polling."""
    config = services.config
    apply = partial(apply_answer, services, policies)
    rejected = partial(reject_answer, services)
    found: dict[str, Listener] = {}
    if config.slack is not None and config.slack.app_token:
        from alerts.replies.slack_socket import SlackSocket

        slack = config.slack
        found["slack"] = SocketListener(
            SlackSocket(
                app_token=slack.app_token,
                bot_token=slack.bot_token,
                apply=apply,
                utc_now=services.utc_now,
                people=config.people,
                allowed_users=slack.allowed_users,
                on_rejected=rejected,
                on_proven=partial(record_proven, services),
                api_url=slack.api_url,
                timeout_seconds=slack.timeout.total_seconds(),
            )
        )
    if config.twilio is not None:
        from alerts.replies.sms_inbox import SmsInbox

        twilio = config.twilio
        found["sms"] = InboxListener(
            SmsInbox(
                account_sid=twilio.account_sid,
                auth_token=twilio.auth_token,
                sender=build_sender(twilio),
                apply=apply,
                first_time=partial(first_time, services),
                people=config.people,
                on_rejected=rejected,
                api_url=twilio.api_url,
                timeout_seconds=twilio.timeout.total_seconds(),
            ),
            twilio.poll_replies,
            services.utc_now,
        )
    return found


class SocketListener(Listener):
    """Slack's socket, kept open by itself."""

    def __init__(self, socket: "SlackSocket") -> None:
        """Connect to nothing yet."""
        self._socket = socket

    def start(self) -> None:
        """Connect, in threads of its own."""
        self._socket.start()

    def stop(self) -> None:
        """Finish what was pressed and close."""
        self._socket.stop(2.0)


class InboxListener(Listener):
    """The inbox of SMS, read every so often."""

    def __init__(self, inbox: "SmsInbox", every: timedelta, now: WallClock) -> None:
        """Read nothing yet."""
        self._inbox = inbox
        self._now = now
        self.every = every

    def poll(self) -> None:
        """Read what came."""
        self._inbox.poll(self._now())


def build_heartbeat(config: Config) -> Heartbeat:
    """Return the dead-man's switch; without an address it never pings."""
    return Heartbeat(config.worker.heartbeat_url)
