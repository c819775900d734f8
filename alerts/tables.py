"""The tables of the outbox, and the closed sets of words that stand in them.

Owns the shape of what is kept about telling people: who has to be told, which message went to which provider, where it
stands, which number a person types to answer. Must not hold a phone number, an address, a secret or a buyer's word.
"""

from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Connection,
    Dialect,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects import postgresql, sqlite

OWNER_LENGTH = 32
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class UtcInstant(TypeDecorator[datetime]):
    """An aware instant, stored as whole microseconds since 1970 in UTC: it compares and indexes as a number everywhere."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:
        """Return the microseconds; naive instants raise ValueError."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"naive instant {value.isoformat()}: instants are aware UTC")
        return (value - _EPOCH) // _MICROSECOND

    def process_result_value(self, value: int | None, dialect: Dialect) -> datetime | None:
        """Return the instant, aware UTC."""
        return None if value is None else _EPOCH + timedelta(microseconds=value)


class NotificationStatus(StrEnum):
    """Where a row of the outbox stands. The last three are final, except that an SMS which never arrived goes back."""

    PENDING = "pending"  # not yet, or not any more, with a provider; `next_attempt_at` says when
    SENDING = "sending"  # carried by a delivery that is under way or doubtful
    SENT = "sent"
    FAILED = "failed"
    CANCELLED = "cancelled"


class DeliveryStatus(StrEnum):
    """Where one message to one provider stands."""

    SENDING = "sending"  # the intent is written; it may or may not have left
    DOUBTFUL = "doubtful"  # nobody knows whether it was accepted; looked up at `next_attempt_at`
    SENT = "sent"
    REFUSED = "refused"  # certainly not accepted; its notifications are pending again
    UNDELIVERED = "undelivered"  # accepted, but never reached the phone
    FAILED = "failed"
    CANCELLED = "cancelled"


class Cause(StrEnum):
    """Why a notification waits, was cancelled or failed, besides the reasons of `alerts.errors.Reason`."""

    QUIET = "quiet"  # waits: the person's quiet hours
    RATE_LIMIT = "rate_limit"  # waits: this phone had enough messages for now
    ANSWERED = "answered"
    WAIVED = "waived"
    ACKNOWLEDGED = "acknowledged"
    SNOOZED = "snoozed"
    SILENCED = "silenced"
    NOT_WANTED = "not_wanted"  # the clock is no longer one to alert about, for another reason
    SUPERSEDED = "superseded"  # a later notification says it better
    NEVER_TOLD = "never_told"  # the news of an end, or a change, for somebody who saw no beginning
    EXPIRED = "expired"
    FORGOTTEN = "forgotten"  # its thread was erased
    OPTED_OUT = "opted_out"  # this person sent STOP; whoever is next was asked instead
    NO_ADDRESS = "no_address"  # the configuration no longer says how to reach this receiver
    GAVE_UP = "gave_up"  # as many attempts as are made
    UNKNOWN_OUTCOME = "unknown_outcome"  # a notice that may have arrived; never repeated on a guess


metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)

# SQLite numbers rows by itself only in a column declared INTEGER.
_Id = BigInteger().with_variant(Integer, "sqlite")

delivery = Table(
    "delivery",
    metadata,
    Column("id", _Id, primary_key=True),
    Column("reference", String(32), nullable=False, unique=True),
    # What may be under way only once: a phone, a thread in a channel. NULL as soon as the outcome is known.
    Column("slot", String, unique=True),
    Column("owner", String(OWNER_LENGTH), nullable=False),  # the process that wrote the intent
    Column("purpose", String, nullable=False),
    Column("channel", String, nullable=False),
    Column("receiver", String, nullable=False),
    Column("person", String),
    Column("whom", String, nullable=False),
    Column("page", Boolean, nullable=False),
    Column("status", String, nullable=False),
    Column("code", Integer),
    Column("attempts", Integer, nullable=False),
    Column("lookups", Integer, nullable=False, default=0),
    Column("intent_at", UtcInstant, nullable=False),
    Column("next_attempt_at", UtcInstant, nullable=False),  # sending: the lease ends; doubtful: look it up
    Column("sent_at", UtcInstant),
    Column("check_at", UtcInstant),  # ask the provider then whether the phone got it
    Column("checks", Integer, nullable=False, default=0),
    Column("delivered_at", UtcInstant),
    Column("provider_id", String),
    Column("reason", String),
    Column("error", Text),
    Index(None, "status", "next_attempt_at"),
    Index(None, "channel", "whom", "intent_at"),
    Index(None, "check_at"),
)

notification = Table(
    "notification",
    metadata,
    Column("id", _Id, primary_key=True),
    Column("key", String, nullable=False, unique=True),
    Column("family", String, nullable=False),  # the key it stands in for, when another receiver failed; else its own
    Column("purpose", String, nullable=False),
    Column("receiver", String, nullable=False),
    Column("channel", String, nullable=False),
    Column("person", String),
    Column("whom", String, nullable=False),
    Column("slot", String, nullable=False),
    Column("thread_id", BigInteger),
    Column("clock_id", BigInteger),
    Column("step", Integer),
    Column("occurrence", Integer, nullable=False),
    Column("page", Boolean, nullable=False),
    Column("rank", Integer, nullable=False),  # 0 before 1 before 2: pages first, the unproven last
    Column("due_at", UtcInstant, nullable=False),
    Column("next_attempt_at", UtcInstant, nullable=False),
    Column("expires_at", UtcInstant),
    Column("status", String, nullable=False),
    Column("reason", String),
    Column("attempts", Integer, nullable=False, default=0),
    Column("created_at", UtcInstant, nullable=False),
    Column("finished_at", UtcInstant),
    Column("closed_at", UtcInstant),  # its clock was answered or waived: reply codes become free
    Column("delivery_id", ForeignKey("delivery.id")),
    Column("content", Text, nullable=False, default="{}"),
    Index(None, "status", "next_attempt_at"),
    Index(None, "channel", "status", "rank", "due_at"),
    Index(None, "slot", "status", "next_attempt_at"),
    Index(None, "clock_id"),
    Index(None, "thread_id"),
    Index(None, "delivery_id"),
    Index(None, "family"),
)

post = Table(
    "post",
    metadata,
    Column("id", _Id, primary_key=True),
    Column("channel", String, nullable=False),
    Column("place", String, nullable=False),  # the address it was sent to: a Slack channel or member id
    Column("thread_id", BigInteger, nullable=False),
    Column("receiver", String, nullable=False),
    Column("post_channel", String, nullable=False),  # where it stands, in the provider's own words
    Column("post_message", String, nullable=False),
    Column("created_at", UtcInstant, nullable=False),
    UniqueConstraint("channel", "place", "thread_id"),
    Index(None, "thread_id"),
)

reply_code = Table(
    "reply_code",
    metadata,
    Column("id", _Id, primary_key=True),
    Column("person", String, nullable=False),
    Column("code", Integer, nullable=False),
    Column("delivery_id", ForeignKey("delivery.id"), nullable=False),
    Column("issued_at", UtcInstant, nullable=False),
    Column("freed_at", UtcInstant),
    Index(None, "delivery_id"),
    Index(
        "uq_reply_code_in_use",
        "person",
        "code",
        unique=True,
        sqlite_where=text("freed_at IS NULL"),
        postgresql_where=text("freed_at IS NULL"),
    ),
)

answer_event = Table(
    "answer_event",
    metadata,
    Column("event_id", String, primary_key=True),
    Column("at", UtcInstant, nullable=False),
)


def insert_once(conn: Connection, table: Table, *columns: str) -> Any:
    """Return an INSERT that skips rows whose `columns` are taken, in the words of the connection's database."""
    if conn.dialect.name == "postgresql":
        return postgresql.insert(table).on_conflict_do_nothing(index_elements=list(columns) or None)
    return sqlite.insert(table).on_conflict_do_nothing(index_elements=list(columns) or None)
