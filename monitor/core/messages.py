"""What a mail means to the worker: its kind, where it lay, and the facts taken from it.

Owns the vocabulary that recognition, threads, the store and `replyby explain` share. Must not parse and must not decide.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Kind(StrEnum):
    """What a mail is. Only `BUYER_MESSAGE` starts an SLA clock."""

    BUYER_MESSAGE = "buyer_message"
    SELLER_REPLY = "seller_reply"
    CONFIRMATION_COPY = "confirmation_copy"
    DELIVERY_FAILURE = "delivery_failure"
    AUTO_REPLY = "auto_reply"
    NOTICE = "notice"
    SUSPICIOUS = "suspicious"
    UNRELATED = "unrelated"


class Authenticity(StrEnum):
    """The verdict on the From domain. A missing verdict is unknown, not failed."""

    PASSED = "passed"
    FAILED = "failed"
    UNKNOWN = "unknown"


class Where(StrEnum):
    """The folder's role in which a mail lay."""

    INBOX = "inbox"
    JUNK = "junk"
    SENT = "sent"


@dataclass(frozen=True, slots=True)
class Signal:
    """One reason for a decision: `name` from a closed set (stands in `explain --json`), `detail` for a person."""

    name: str
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One mail, recognised. Addresses are lower-case; ids are without angle brackets; `received_at` is aware UTC.

    Attributes:
        received_at: the one instant a clock may start from: Amazon's Date bounded by the server's INTERNALDATE.
        signals: what decided, strongest first.
        marketplace: country code ("FR"), or None when Amazon's domain is not a known marketplace or none is named.
        alias: the buyer's masked address without its `+suffix`; for a seller's reply the alias it went to; for a delivery
            failure or opt-out the alias it names.
        alias_suffix: what stood behind the `+` of the alias: the case.
        message_key: `m=` of Amazon's signed link: one per buyer message, whatever the number of copies.
        thread_token: `t=` of the same link.
        references: Message-IDs of In-Reply-To and References, nearest first; for a delivery failure the ids it names.
        sender: the From address. recipients: To, Cc, Delivered-To and X-Original-To addresses.
        buyer_name: the buyer's display name as Amazon writes it; personal: stored only as a keyed hash.
        buyer_text: the buyer's own words, without template; personal: stored only with `keep_text`.
        text_digest: hex digest of the normalised words: the last resort to see that two mails are one message.
        labels: what the words are about, from `labels.py`; order: most important first.
        priority: larger is more urgent; 0 is usual.
        notice_type: Amazon's token (`RETURN_REQUEST`), where one was found.
        refused_at: for delivery failures and opt-outs: when the refused message was sent, where the mail says so; midnight
            UTC where it says no more than the day (a time of day without its zone is no more).
        seller_central_url, no_response_url: links on an Amazon host; never fetched, shown for a person to press.
        reply_address: the full address, suffix included, that a reply by mail goes to.
        problem: what was wrong with the mail (truncated, unknown charset), in words without content; None when sound.
    """

    kind: Kind
    received_at: datetime
    where: Where = Where.INBOX
    authenticity: Authenticity = Authenticity.UNKNOWN
    signals: tuple[Signal, ...] = ()
    marketplace: str | None = None
    order_id: str | None = None
    alias: str | None = None
    alias_suffix: str | None = None
    merchant_id: str | None = None
    message_key: str | None = None
    thread_token: str | None = None
    message_id: str | None = None
    references: tuple[str, ...] = ()
    sender: str | None = None
    recipients: tuple[str, ...] = ()
    buyer_name: str | None = None
    buyer_text: str | None = None
    text_digest: str = ""
    language: str | None = None
    labels: tuple[str, ...] = ()
    priority: int = 0
    asin: str | None = None
    notice_type: str | None = None
    refused_at: datetime | None = None
    seller_central_url: str | None = None
    no_response_url: str | None = None
    reply_address: str | None = None
    problem: str | None = None
