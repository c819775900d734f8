"""What a valid configuration is: frozen values with their defaults. Reads nothing and checks nothing.

Secrets are resolved already (`env:`, `file:`) and never shown by `repr`.
"""

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from alerts.core.model import Person, Receiver
from alerts.core.policy import EscalationPolicy
from monitor.core.sla import SlaPolicy


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerConfig:
    """[worker]. `database` is a SQLAlchemy address without password; relative SQLite paths are absolute already."""

    database: str = field(repr=False)
    state_directory: Path  # the key for hashes, OAuth tokens; beside the SQLite file by default
    metrics_host: str = "127.0.0.1"
    metrics_port: int = 9464
    metrics_public: bool = False  # a metrics_listen that other machines reach was meant
    page_public: bool = False  # page_listen_public: "/" is served to others than loopback
    page_username: str = ""
    page_password: str = field(default="", repr=False)
    time_zone: ZoneInfo = field(default_factory=lambda: ZoneInfo("UTC"))
    lookback: timedelta = timedelta(days=90)
    keep_text: timedelta = timedelta(0)
    keep_identifiers: timedelta = timedelta(days=30)
    heartbeat_url: str = field(default="", repr=False)
    blind_after: timedelta = timedelta(minutes=15)  # no successful poll for this long is an alert of its own
    health_notify: tuple[str, ...] = ()  # receivers of ReplyBy's own troubles; default: those of the first policy
    log_format: str = "console"  # or "json"
    database_password: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class SpApiConfig:
    """[account.sp_api]: the seller's own private application."""

    refresh_token: str = field(repr=False)
    lwa_app_id: str
    lwa_client_secret: str = field(repr=False)
    marketplaces: tuple[str, ...]
    secret_expires: date | None = None
    endpoint: str = ""
    auth_endpoint: str = ""
    item_titles: bool = False
    difference: float = 0.05  # our rate and Amazon's may differ by this much before it is an alert


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountConfig:
    """[[account]]: one Seller Central account. Addresses are lower-case."""

    name: str
    merchant_id: str = ""
    notified_at: tuple[str, ...] = ()
    reply_from: tuple[str, ...] = ()
    require_proof: bool = True
    sp_api: SpApiConfig | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MailboxConfig:
    """[[mailbox]]. `folders` None: "auto". `sent`, `junk`, `authserv_id`: "auto", a name, or "" for none."""

    name: str
    type: str  # "imap", "maildir" or "simulated"
    accounts: tuple[str, ...]
    host: str = ""
    port: int = 993
    security: str = "tls"
    username: str = ""
    password: str = field(default="", repr=False)
    oauth: str = ""
    client_id: str = ""
    client_secret: str = field(default="", repr=False)
    tenant: str = ""
    ca_file: str = ""
    token_endpoint: str = ""
    folders: tuple[str, ...] | None = None
    sent: str = "auto"
    junk: str = "auto"
    poll_every: timedelta = timedelta(seconds=60)
    idle: bool = True
    authserv_id: str = "auto"
    timeout: timedelta = timedelta(seconds=30)
    path: Path | None = None
    sent_path: Path | None = None
    junk_path: Path | None = None
    seed: int = 1  # simulated: the same seed is the same invented seller
    rate: float = 1.0  # simulated: arrivals, as a multiple of a usual day


@dataclass(frozen=True, slots=True, kw_only=True)
class SlackConfig:
    """[slack]."""

    bot_token: str = field(repr=False)
    app_token: str = field(default="", repr=False)
    api_url: str = "https://slack.com/api/"
    allowed_users: tuple[str, ...] = ()  # ("*",): everyone in the channel; empty: the people below
    timeout: timedelta = timedelta(seconds=10)


@dataclass(frozen=True, slots=True, kw_only=True)
class TwilioConfig:
    """[twilio]. `sender` is the default; `senders` maps a country prefix ("+33") to another."""

    account_sid: str
    auth_token: str = field(repr=False)
    sender: str = ""
    senders: tuple[tuple[str, str], ...] = ()
    messaging_service_sid: str = ""
    replies_to: str = ""
    api_url: str = "https://api.twilio.com"
    poll_replies: timedelta = timedelta(seconds=30)
    timeout: timedelta = timedelta(seconds=10)


@dataclass(frozen=True, slots=True, kw_only=True)
class SmtpConfig:
    """[smtp]."""

    host: str
    sender: str
    port: int = 587
    security: str = "starttls"
    username: str = ""
    password: str = field(default="", repr=False)
    ca_file: str = ""
    timeout: timedelta = timedelta(seconds=20)


@dataclass(frozen=True, slots=True, kw_only=True)
class ShiftConfig:
    """[[staffed]]: weekdays 0 (Monday) to 6 and local minutes since 00:00; `to_minute` <= `from_minute` crosses midnight."""

    days: frozenset[int]
    from_minute: int
    to_minute: int
    time_zone: ZoneInfo
    holidays: str = ""  # "FR", "DE-BY": country, or country and region
    closed_on: frozenset[date] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleOverrideConfig:
    """[[schedule.override]]: aware instants, made from local times in the schedule's zone."""

    from_at: datetime
    to_at: datetime
    person: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleConfig:
    """[[schedule]]: a rotation with handover, or an iCalendar address or file."""

    name: str
    time_zone: ZoneInfo
    rotation: tuple[str, ...] = ()
    handover_day: int = 0
    handover_minute: int = 540
    every: timedelta = timedelta(days=7)
    starts: date | None = None  # a date on which the first person begins; default: the Monday of 2026-01-05
    ical: str = field(default="", repr=False)  # an address that needs no login is a secret
    overrides: tuple[ScheduleOverrideConfig, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportConfig:
    """[report]. `weekday` 0 is Monday; `minute` since 00:00 in worker.time_zone."""

    to: tuple[str, ...] = ()
    weekday: int = 0
    minute: int = 480
    directory: Path | None = None
    names: bool = False
    language: str = "en"


@dataclass(frozen=True, slots=True, kw_only=True)
class DigestConfig:
    """[digest]."""

    to: tuple[str, ...] = ()
    minute: int = 510
    when_empty: bool = False
    language: str = "en"


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelRuleConfig:
    """[[label]]: words of one's own for a label, new or known."""

    name: str
    words: tuple[str, ...] = ()
    files: tuple[Path, ...] = ()
    priority: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """Everything the worker is told, valid as a whole."""

    path: Path
    worker: WorkerConfig
    sla: SlaPolicy
    accounts: tuple[AccountConfig, ...]
    mailboxes: tuple[MailboxConfig, ...]
    receivers: tuple[Receiver, ...]
    policies: tuple[EscalationPolicy, ...]
    people: tuple[Person, ...] = ()
    schedules: tuple[ScheduleConfig, ...] = ()
    staffed: tuple[ShiftConfig, ...] = ()
    slack: SlackConfig | None = None
    twilio: TwilioConfig | None = None
    smtp: SmtpConfig | None = None
    report: ReportConfig | None = None
    digest: DigestConfig | None = None
    labels: tuple[LabelRuleConfig, ...] = ()
    warnings: tuple[str, ...] = ()  # allowed, but probably not wanted: one line each

    def account(self, name: str) -> AccountConfig:
        """Return the account of this name."""
        return next(account for account in self.accounts if account.name == name)
