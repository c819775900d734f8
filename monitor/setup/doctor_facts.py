"""What `replyby doctor` looked at and what it found: values alone."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import IntEnum

from monitor.config.model import Config
from monitor.setup.probes import SlackFacts, TwilioFacts
from monitor.sources.base import MailboxFacts


class Grade(IntEnum):
    """How bad it is; sorts the worst first."""

    BAD = 0
    DOUBTFUL = 1
    GOOD = 2


@dataclass(frozen=True, slots=True)
class Finding:
    """One line: what was looked at, how it is, what to do (empty where nothing)."""

    grade: Grade
    subject: str
    text: str
    advice: str = ""

    @property
    def line(self) -> str:
        """All of it in one line."""
        return f"{self.subject}: {self.text}" + (f". {self.advice}" if self.advice else "")


@dataclass(frozen=True, slots=True, kw_only=True)
class MailboxLook:
    """What a login showed, or why there was none. `last_read_at`: the last good poll, None: never."""

    facts: MailboxFacts | None = None
    trouble: str | None = None
    last_read_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SilenceLook:
    """A silence that mutes right now."""

    id: int
    until: datetime
    by: str
    comment: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """Everything the checks judge. What was not looked at is None or empty and gives no finding.

    Attributes:
        now: aware UTC.
        mailboxes: by name.
        clock_skew: this machine's time minus a trusted one.
        disk_free: bytes, by what lies there ("database").
        report: what is wrong with the directory of reports, "" for nothing.
        database: what is wrong with it, "" for nothing, None: not looked at.
        worker: whether a worker runs on this database. worker_started_at: when the one that ran last began.
        config_changed_at: when the file of the configuration was last written.
        outbox_pending, outbox_oldest_due_at: what is due and not yet delivered.
        slack, twilio: what the providers showed, or the line that says why not.
        not_member_of: names of receivers whose Slack channel the bot is not in.
        silences: those that mute now.
        on_call: by schedule: who has it, None for nobody. gaps: by schedule, when next nobody has it.
        heartbeat_at: the last ping that was answered.
        tokens: by mailbox, what is wrong with its sign-in.
        opted_out: people who sent STOP. unproven: people with a phone that never answered a test.
        blind: (account, marketplace) where no reply made in Seller Central was ever seen.
        differing: (account, marketplace) where Amazon's figure and ours differ.
        review_pending: decisions that wait for a person.
        damaged: mails that could be read only in part, of the last week.
        amazon: (account, line) where what was asked of Amazon failed more than once in a row.
    """

    config: Config
    now: datetime
    mailboxes: Mapping[str, MailboxLook] = field(default_factory=dict)
    clock_skew: timedelta | None = None
    disk_free: Mapping[str, int] = field(default_factory=dict)
    report: str = ""
    database: str | None = None
    worker: bool | None = None
    worker_started_at: datetime | None = None
    config_changed_at: datetime | None = None
    outbox_pending: int | None = None
    outbox_oldest_due_at: datetime | None = None
    slack: SlackFacts | str | None = None
    not_member_of: tuple[str, ...] = ()
    twilio: TwilioFacts | str | None = None
    silences: tuple[SilenceLook, ...] = ()
    on_call: Mapping[str, str | None] = field(default_factory=dict)
    gaps: Mapping[str, datetime] = field(default_factory=dict)
    heartbeat_at: datetime | None = None
    tokens: Mapping[str, str] = field(default_factory=dict)
    opted_out: tuple[str, ...] = ()
    unproven: tuple[str, ...] = ()
    blind: tuple[tuple[str, str], ...] = ()
    differing: tuple[tuple[str, str], ...] = ()
    review_pending: int = 0
    damaged: int = 0
    amazon: tuple[tuple[str, str], ...] = ()
