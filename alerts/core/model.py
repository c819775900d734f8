"""The values that planning, delivering and rendering share. Frozen, without behaviour beyond their own facts."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any


class Channel(StrEnum):
    """How a notification travels: one notifier each."""

    SLACK = "slack"
    SMS = "sms"
    VOICE = "voice"
    EMAIL = "email"
    WEBHOOK = "webhook"
    CONSOLE = "console"


class Purpose(StrEnum):
    """Why somebody is told."""

    ALERT = "alert"  # a step of an escalation policy, about one SLA clock
    UPDATE = "update"  # what was told changed: redraw it in place, ring nobody
    CLOSED = "closed"  # answered or waived: told to all who were told
    REOPENED = "reopened"  # a reply bounced or a mark was undone: the clock runs on from where it was
    LOOK_AHEAD = "look_ahead"  # due before the next staffed period
    BACKLOG = "backlog"  # breached before the worker was first started; how to settle it
    HEALTH = "health"  # ReplyBy itself: blind mailbox, ageing outbox, failed receiver, nobody on call
    DIGEST = "digest"
    REPORT = "report"
    TEST = "test"


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactRule:
    """How a person is reached, and how long after the first attempt."""

    by: Channel
    after: timedelta = timedelta(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class QuietHours:
    """Local times between which delivery to a person waits; may cross midnight. Minutes since 00:00, 0 to 1440."""

    from_minute: int
    to_minute: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Somebody who can be told. `phone` is E.164."""

    name: str
    phone: str | None = None
    slack_user: str | None = None
    email: str | None = None
    language: str = "en"
    time_zone: str = "UTC"
    quiet: QuietHours | None = None
    quiet_unless_within: timedelta = timedelta(hours=1)
    contact: tuple[ContactRule, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Receiver:
    """A named destination in config.toml.

    `type` "person" reaches each of `people` (or whoever `schedule` names) by their own contact rules. `target` is the Slack
    channel id or the webhook's address (a secret: never logged). `external` marks a Slack channel shared outside the company.
    """

    name: str
    type: str
    target: str | None = None
    people: tuple[str, ...] = ()
    schedule: str | None = None
    language: str = "en"
    time_zone: str = "UTC"
    secret: str | None = field(default=None, repr=False)
    external: bool = False


WITHDRAWN = "withdrawn"
"""The state of a wait that a person took back: none of its mails was a buyer's."""

LABELS_OF_ORDERS = frozenset({"promise_missed"})
"""Labels that come from what is known of the order, not from the buyer's words: they are as private as that."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NextStep:
    """What happens next if nobody acts: `SMS to Ana in 32 min`."""

    at: datetime
    receiver: str
    channel: Channel
    person: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ThreadFacts:
    """One thread and its SLA clock at `now`, as a notifier may show it. No subject, no name, no word of the buyer.

    Attributes:
        account: None where the seller has one account.
        state: a `ClockState` value, or `WITHDRAWN`.
        messages: unanswered buyer messages.
        where: "inbox" or "junk".
        verified: False: the mail's origin was not proven; never by SMS or voice.
        blind: replies made in Seller Central were never seen here: say "not seen answered".
        answered_route: "mail", "seller_central" or "hand".
        order_facts: the order behind the question in words, most important first, by language; never in SMS.
        suggestion: "thank_you" or "out_of_office": a waiver is proposed.
        no_response_url, seller_central_url: on an Amazon host, else None.
        holding_reply_url: a prefilled `mailto:` to the alias.
    """

    thread_id: int
    clock_id: int
    started_at: datetime
    deadline_at: datetime
    state: str
    account: str | None = None
    marketplace: str | None = None
    order_id: str | None = None
    asin: str | None = None
    labels: tuple[str, ...] = ()
    priority: int = 0
    messages: int = 1
    where: str = "inbox"
    verified: bool = True
    blind: bool = False
    acknowledged_by: str | None = None
    acknowledged_at: datetime | None = None
    acknowledgement_expires_at: datetime | None = None
    snoozed_until: datetime | None = None
    silenced_until: datetime | None = None
    answered_at: datetime | None = None
    answered_route: str | None = None
    answered_by: str | None = None
    waived_at: datetime | None = None
    waived_by: str | None = None
    next_step: NextStep | None = None
    seller_central_url: str | None = None
    no_response_url: str | None = None
    holding_reply_url: str | None = None
    order_facts: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    suggestion: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Notification:
    """One row of the outbox: somebody has to be told something.

    Attributes:
        key: unique for ever; planning the same thing twice is harmless. For alerts `alert:<clock>:<step>:<receiver>:<person
            or ->:<channel>:<occurrence>`.
        person: whose phone or inbox; None for a shared receiver.
        page: must wake somebody: repeated when it is doubtful whether it arrived; a notice is not.
        verified: False: about a mail whose origin is not proven; it waits for everything else that is due.
        due_at: not before this instant. expires_at: pointless after this instant (becomes `cancelled`).
        content: what a summary says, as JSON values that its renderer in `alerts.words` knows; empty for alerts, whose
            facts are read afresh when they are sent.
    """

    key: str
    purpose: Purpose
    receiver: str
    channel: Channel
    due_at: datetime
    person: str | None = None
    thread_id: int | None = None
    clock_id: int | None = None
    step: int | None = None
    occurrence: int = 0
    page: bool = False
    verified: bool = True
    expires_at: datetime | None = None
    content: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """A message that already stands in a channel and can be changed in place: Slack's channel id and `ts`."""

    channel: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One message to one provider: everything a notifier needs, and nothing it would have to look up.

    Attributes:
        reference: unique for this delivery; travels with the message so that it can be found again at the provider
            (Slack metadata; the webhook's and e-mail's id). For SMS and voice `code` in the text does that.
        address: Slack channel id, phone, e-mail address or URL.
        threads: facts, most urgent first; empty for summaries, whose `content` is set.
        post: the thread's own message in this channel, if it stands already: change it in place; for ALERT also ring
            in its thread.
        code: what a person types to answer, unique per phone among what is open.
        attempted_at: when the first attempt began: where a look-up starts.
        name_people: whether people's names may be shown.
    """

    reference: str
    purpose: Purpose
    channel: Channel
    receiver: str
    address: str
    now: datetime
    language: str = "en"
    time_zone: str = "UTC"
    person: str | None = None
    threads: tuple[ThreadFacts, ...] = ()
    content: Mapping[str, Any] = field(default_factory=dict)
    post: Post | None = None
    code: int | None = None
    attempted_at: datetime | None = None
    secret: str | None = field(default=None, repr=False)
    external: bool = False
    name_people: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """What the provider said: its own id, and where the message stands if it can be changed in place later."""

    provider_id: str
    post: Post | None = None
    detail: str = ""


class AnswerKind(StrEnum):
    """What a person said back."""

    ACKNOWLEDGE = "acknowledge"
    ANSWERED = "answered"
    WAIVE = "waive"
    SNOOZE = "snooze"
    UNDO = "undo"  # takes back the thread's last mark made by hand
    STOP = "stop"  # this person no longer takes SMS: alarm the team, page the next one
    START = "start"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A button pressed, an SMS code sent, a command typed.

    Attributes:
        event_id: the provider's own id of this press or message: the same one twice counts once.
        by: the person's name in config.toml.
        thread_id: for buttons and commands. code and phone: for SMS; they stand for all threads of that message.
        snooze_for: for SNOOZE.
    """

    event_id: str
    kind: AnswerKind
    by: str
    at: datetime
    source: str
    thread_id: int | None = None
    clock_id: int | None = None  # the clock the pressed message was about: a press on an older one is stale
    code: int | None = None
    phone: str | None = None
    snooze_for: timedelta | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerResult:
    """What came of an answer. `text_key` names the words to say back; `threads`: the facts of what it changed, afterwards.

    `left`: how many other threads it was said of, which were not changed. Where nothing was, `threads` are all of them.
    """

    accepted: bool
    text_key: str
    threads: tuple[ThreadFacts, ...] = ()
    left: int = 0
    by: str | None = None
