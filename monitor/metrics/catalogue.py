"""Every metric: its name, type, labels and one line of help. The README's table is tested against it.

Owns the names and the closed sets of label values. Reads nothing and counts nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from monitor.core.messages import Kind
from monitor.errors import AmazonError, MailboxError

UNKNOWN = "unknown"
"""The marketplace of a message whose Amazon domain names none, and the account of one that fits none."""

CLOCK_OUTCOMES = ("met", "late", "waived", "no_response")
NOTIFICATION_OUTCOMES = ("sent", "retried", "failed", "cancelled", "reconciled")
ANSWER_SOURCES = ("slack", "sms", "shell")
ANSWER_OUTCOMES = ("accepted", "rejected")
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
HOURS = tuple(f"{hour:02d}" for hour in range(24))
AMAZON_OPERATIONS = ("create_report", "get_reports", "get_report", "get_document", "download", "get_order")
AMAZON_OUTCOMES = ("ok", *AmazonError.REASONS)
AMAZON_TASK_OUTCOMES = {
    "report": ("done", "no_contact_block", "cancelled", "fatal", "given_up"),
    "order": ("done", "given_up"),
}
POLL_EDGES_SECONDS = (0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0)


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric as Prometheus sees it; `name` of a counter ends in `_total`. `tally`: its name in the store."""

    name: str
    type: Literal["gauge", "counter", "histogram"]
    labels: tuple[str, ...]
    help: str

    @property
    def tally(self) -> str:
        """The name under which the store keeps a counter that outlives the process."""
        return self.name.removeprefix("replyby_").removesuffix("_total")


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricNames:
    """The closed sets of label values that the configuration knows: these series exist at 0 from the start.

    Attributes:
        marketplaces: by account: the country codes that may occur; `UNKNOWN` is added to each.
        receivers: each receiver with each type of notification it can get ("slack", "sms", …).
        words: the labels a buyer's words can get (complaint, return, …).
        amazon_accounts: the accounts with an [account.sp_api].
    """

    version: str
    marketplaces: Mapping[str, tuple[str, ...]]
    mailboxes: tuple[str, ...]
    receivers: tuple[tuple[str, str], ...] = ()
    words: tuple[str, ...] = ()
    amazon_accounts: tuple[str, ...] = ()

    @property
    def accounts(self) -> tuple[str, ...]:
        """The accounts, in the configuration's order."""
        return tuple(self.marketplaces)

    @property
    def markets(self) -> tuple[tuple[str, str], ...]:
        """Every account with every marketplace that may occur in it."""
        return tuple(
            (account, code) for account, codes in self.marketplaces.items() for code in dict.fromkeys((*codes, UNKNOWN))
        )


_MARKET = ("account", "marketplace")

THREADS_OPEN = Metric("replyby_threads_open", "gauge", (*_MARKET, "state"), "Threads awaiting a reply.")
THREADS_BACKLOG = Metric(
    "replyby_threads_backlog",
    "gauge",
    _MARKET,
    "Of the breached, those that were overdue before the first start: told of once, and alerted about never.",
)
NEXT_DEADLINE = Metric(
    "replyby_next_deadline_timestamp_seconds",
    "gauge",
    _MARKET,
    "Deadline of the most urgent open thread, the backlog left out; no sample where nothing waits.",
)
NEXT_ACKNOWLEDGED = Metric(
    "replyby_next_deadline_acknowledged",
    "gauge",
    _MARKET,
    "1 if somebody has the most urgent open thread, else 0; no sample where nothing waits.",
)
THREADS_DUE = Metric(
    "replyby_threads_due",
    "gauge",
    (*_MARKET, "within"),
    "Open threads whose deadline is within this time, breached ones included.",
)
MESSAGES = Metric("replyby_messages_total", "counter", ("account", "kind"), "Mails recognised, by what they are.")
CLOCKS = Metric(
    "replyby_clocks_total",
    "counter",
    (*_MARKET, "outcome"),
    "SLA clocks by outcome; one that passed its deadline counts as no_response, and as late too once it is answered.",
)
RESPONSE = Metric(
    "replyby_response_seconds", "histogram", _MARKET, "Time from each answered buyer message to the reply."
)
RESPONSE_RATIO = Metric(
    "replyby_response_ratio",
    "gauge",
    (*_MARKET, "window"),
    "Share of buyer messages answered within their target; no sample where there is nothing to judge.",
)
LATE_RATIO = Metric(
    "replyby_late_response_ratio",
    "gauge",
    (*_MARKET, "window"),
    "Share of buyer messages answered late or not at all; no sample where there is nothing to judge.",
)
JUDGED = Metric(
    "replyby_judged_messages",
    "gauge",
    (*_MARKET, "window"),
    "Buyer messages that the two ratios are shares of: weights for a ratio over several marketplaces.",
)
NOTIFICATIONS = Metric(
    "replyby_notifications_total", "counter", ("receiver", "type", "outcome"), "Notifications by what became of them."
)
OUTBOX_PENDING = Metric("replyby_outbox_pending", "gauge", (), "Notifications due and not yet delivered.")
OUTBOX_OLDEST = Metric(
    "replyby_outbox_oldest_timestamp_seconds",
    "gauge",
    (),
    "When the oldest undelivered notification fell due; no sample while the outbox is empty.",
)
POLL_SUCCESS = Metric(
    "replyby_poll_last_success_timestamp_seconds",
    "gauge",
    ("mailbox",),
    "Last time this mailbox was read to its end; no sample before the first time.",
)
POLL_FAILURES = Metric(
    "replyby_poll_failures_total", "counter", ("mailbox", "reason"), "Times a mailbox could not be read."
)
POLL_DURATION = Metric(
    "replyby_poll_duration_seconds", "histogram", ("mailbox",), "How long reading a mailbox took, since this start."
)
EVIDENCE_SEEN = Metric(
    "replyby_evidence_last_seen_timestamp_seconds",
    "gauge",
    (*_MARKET, "evidence"),
    "Last time such a mail was seen; no sample where there never was one.",
)
REVIEW_PENDING = Metric("replyby_review_pending", "gauge", ("account",), "Mails that wait for a person to decide.")
CYCLE_SUCCESS = Metric(
    "replyby_cycle_last_success_timestamp_seconds", "gauge", (), "Last time a whole cycle went without an error."
)
BUILD_INFO = Metric("replyby_build_info", "gauge", ("version",), "Always 1; the version is the label.")

MESSAGE_LABELS = Metric(
    "replyby_message_labels_total",
    "counter",
    ("account", "label"),
    "Buyer messages by what their words are about; a message with two labels counts under both.",
)
CLOCK_LABELS = Metric(
    "replyby_clock_labels_total",
    "counter",
    ("account", "label", "outcome"),
    "SLA clocks by what the buyer's words were about; outcomes as in replyby_clocks_total.",
)
WEEK_HOUR_MESSAGES = Metric(
    "replyby_week_hour_messages",
    "gauge",
    ("account", "event", "weekday", "hour"),
    "Buyer messages of the last 90 days by local hour of the week in which they were received or their deadline broke.",
)
ANSWERS = Metric(
    "replyby_answers_total",
    "counter",
    ("source", "outcome"),
    "Buttons, SMS and commands by which people answered; rejected: nobody the configuration knows, or nothing to answer.",
)
DAMAGED_MAILS = Metric(
    "replyby_damaged_mails_total", "counter", ("mailbox",), "Mails that were read only in part and kept for a look."
)
AMAZON_LATE_RATIO = Metric(
    "replyby_amazon_late_response_ratio",
    "gauge",
    (*_MARKET, "window"),
    "Amazon's own share of buyer messages answered late or not at all; no sample where it tells none.",
)
AMAZON_AVERAGE = Metric(
    "replyby_amazon_average_response_seconds",
    "gauge",
    (*_MARKET, "window"),
    "Amazon's own average response time; no sample where it tells none.",
)
AMAZON_FIGURE_READ = Metric(
    "replyby_amazon_figure_timestamp_seconds",
    "gauge",
    _MARKET,
    "When Amazon's newest figure was read, or typed; no sample where there is none.",
)
AMAZON_CALLS = Metric(
    "replyby_amazon_calls_total",
    "counter",
    ("account", "operation", "outcome"),
    "Calls of the Selling Partner API by what became of them.",
)
AMAZON_TASKS = Metric(
    "replyby_amazon_tasks_total",
    "counter",
    ("account", "task", "outcome"),
    "Reports and orders asked of Amazon by how they ended; given_up: not tried again that day, or for that order.",
)

METRICS = (
    THREADS_OPEN,
    THREADS_BACKLOG,
    NEXT_DEADLINE,
    NEXT_ACKNOWLEDGED,
    THREADS_DUE,
    MESSAGES,
    CLOCKS,
    RESPONSE,
    RESPONSE_RATIO,
    LATE_RATIO,
    JUDGED,
    NOTIFICATIONS,
    OUTBOX_PENDING,
    OUTBOX_OLDEST,
    POLL_SUCCESS,
    POLL_FAILURES,
    POLL_DURATION,
    EVIDENCE_SEEN,
    REVIEW_PENDING,
    CYCLE_SUCCESS,
    BUILD_INFO,
    MESSAGE_LABELS,
    CLOCK_LABELS,
    WEEK_HOUR_MESSAGES,
    ANSWERS,
    DAMAGED_MAILS,
    AMAZON_LATE_RATIO,
    AMAZON_AVERAGE,
    AMAZON_FIGURE_READ,
    AMAZON_CALLS,
    AMAZON_TASKS,
)


def counter_children(metric: Metric, names: MetricNames) -> list[tuple[str, ...]]:
    """Return the label values under which this counter exists from the start.

    Raises:
        ValueError: not a counter of the catalogue.
    """
    if metric is MESSAGES:
        return [(account, kind) for account in names.accounts for kind in Kind]
    if metric is CLOCKS:
        return [(*market, outcome) for market in names.markets for outcome in CLOCK_OUTCOMES]
    if metric is NOTIFICATIONS:
        return [(*receiver, outcome) for receiver in names.receivers for outcome in NOTIFICATION_OUTCOMES]
    if metric is POLL_FAILURES:
        return [(mailbox, reason) for mailbox in names.mailboxes for reason in MailboxError.REASONS]
    if metric is MESSAGE_LABELS:
        return [(account, word) for account in names.accounts for word in names.words]
    if metric is CLOCK_LABELS:
        return [
            (account, word, outcome) for account in names.accounts for word in names.words for outcome in CLOCK_OUTCOMES
        ]
    if metric is ANSWERS:
        return [(source, outcome) for source in ANSWER_SOURCES for outcome in ANSWER_OUTCOMES]
    if metric is DAMAGED_MAILS:
        return [(mailbox,) for mailbox in names.mailboxes]
    if metric is AMAZON_CALLS:
        return [
            (account, operation, outcome)
            for account in names.amazon_accounts
            for operation in AMAZON_OPERATIONS
            for outcome in AMAZON_OUTCOMES
        ]
    if metric is AMAZON_TASKS:
        return [
            (account, task, outcome)
            for account in names.amazon_accounts
            for task, outcomes in AMAZON_TASK_OUTCOMES.items()
            for outcome in outcomes
        ]
    raise ValueError(f"{metric.name} is no counter")
