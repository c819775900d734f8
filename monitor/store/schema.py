"""The monitor's tables. Their history stands in migrations/; a test holds the two against each other.

Identifiers of buyers are kept twice: as keyed 64-bit hashes, which stay, and in clear on `thread` and `review`, from where
they are erased after `keep_identifiers`. Buyers' words are on `message.text` only while `keep_text` allows.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    Table,
    text,
)

from monitor.store.columns import Line, RowId, UtcInstant, Words

metadata = MetaData()

message = Table(
    "message",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("identity", BigInteger, nullable=False, unique=True),
    Column("key_hash", BigInteger),  # Amazon's own key of a buyer message, of whichever copy had it
    Column("kind", Line(24), nullable=False),
    Column("account", Line(64), nullable=False),
    Column("accounts", Words),  # candidates, where a Sent folder serves several accounts
    Column("marketplace", Line(8)),
    Column("mailbox", Line(64), nullable=False),
    Column("place", Line(8), nullable=False),  # inbox, junk, sent
    Column("received_at", UtcInstant, nullable=False),
    Column("seen_at", UtcInstant, nullable=False),
    Column("authenticity", Line(8), nullable=False),
    Column("trusted", Boolean, nullable=False),
    Column("excluded", Boolean, nullable=False, server_default=text("false")),
    Column("spoken_for", BigInteger),
    Column("alias_hash", BigInteger),
    Column("suffix_hash", BigInteger),
    Column("order_hash", BigInteger),
    Column("token_hash", BigInteger),
    Column("name_hash", BigInteger),
    Column("rfc_hash", BigInteger),
    Column("digest_hash", BigInteger),
    Column("reference_hashes", Words),
    Column("refused_at", UtcInstant),
    Column("notice_type", Line(80)),
    Column("labels", Words, nullable=False, server_default=""),
    Column("priority", Integer, nullable=False, server_default="0"),
    Column("language", Line(16)),
    Column("signals", Words, nullable=False, server_default=""),
    Column("text", Words),
    Column("thread_id", BigInteger),
    Column("target_seconds", Integer),
    Column("answered_at", UtcInstant),
    Column("by_hand", Boolean, nullable=False, server_default=text("false")),
    Column("waived_at", UtcInstant),
    Column("counted", Line(16)),  # the outcome already in the tallies
    sqlite_autoincrement=True,  # an id is never used twice: alerts are keyed by it
)
Index("message_key", message.c.key_hash)
Index("message_spoken_for", message.c.spoken_for)
Index("message_alias", message.c.alias_hash)
Index("message_order", message.c.order_hash)
Index("message_token", message.c.token_hash)
Index("message_name", message.c.name_hash)
Index("message_rfc", message.c.rfc_hash)
Index("message_digest", message.c.digest_hash)
Index("message_thread", message.c.thread_id)
Index("message_received", message.c.kind, message.c.received_at)

thread = Table(
    "thread",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("account", Line(64), nullable=False),
    Column("marketplace", Line(8)),
    Column("order_id", Line(32)),
    Column("asin", Line(16)),
    Column("alias", Line(128)),
    Column("reply_address", Line(192)),
    Column("seller_central_url", Words),
    Column("no_response_url", Words),
    Column("order_hash", BigInteger),
    Column("alias_hash", BigInteger),
    Column("labels", Words, nullable=False, server_default=""),
    Column("priority", Integer, nullable=False, server_default="0"),
    Column("language", Line(16)),
    Column("place", Line(8), nullable=False),
    Column("revision", Integer, nullable=False, server_default="0"),
    Column("closed_at", UtcInstant),  # when its last clock closed; null while one runs
    Column("erased_at", UtcInstant),
    Column("merged_into", BigInteger),
    sqlite_autoincrement=True,  # an id is never used twice: alerts are keyed by it
)
Index("thread_order", thread.c.order_hash)
Index("thread_order_id", thread.c.order_id)
Index("thread_alias", thread.c.alias_hash)
Index("thread_closed", thread.c.closed_at)

frozen_policy = Table(
    "frozen_policy",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("digest", Line(64), nullable=False, unique=True),
    Column("body", Words, nullable=False),
)

sla_clock = Table(
    "sla_clock",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("thread_id", BigInteger, ForeignKey("thread.id"), nullable=False),
    Column("start_message_id", BigInteger, nullable=False),
    Column("account", Line(64), nullable=False),
    Column("marketplace", Line(8)),
    Column("started_at", UtcInstant, nullable=False),
    Column("target_seconds", Integer, nullable=False),
    Column("deadline_at", UtcInstant, nullable=False),
    Column("messages", Integer, nullable=False),
    Column("first", Boolean, nullable=False),
    Column("verified", Boolean, nullable=False),
    Column("backlog", Boolean, nullable=False, server_default=text("false")),
    Column("answered_at", UtcInstant),
    Column("answered_route", Line(16)),
    Column("answered_by", Line(80)),
    Column("waived_at", UtcInstant),
    Column("waived_by", Line(80)),
    Column("closed_at", UtcInstant),
    Column("counted", Line(32), nullable=False, server_default=""),
    Column("policy_id", BigInteger, ForeignKey("frozen_policy.id"), nullable=False),
    Column("step_reached", Integer, nullable=False, server_default="-1"),
    Column("occurrence", Integer, nullable=False, server_default="0"),
    Column("told_at", UtcInstant),
    Column("look_ahead_told_until", UtcInstant),
    Column("reopened_count", Integer, nullable=False, server_default="0"),
    Column("reopened_told", Integer, nullable=False, server_default="0"),
    Column("phones_held", Boolean, nullable=False, server_default=text("false")),
    Column("acknowledged_by", Line(80)),
    Column("acknowledged_at", UtcInstant),
    Column("acknowledgement_expires_at", UtcInstant),
    Column("snoozed_until", UtcInstant),
    Column("next_due_at", UtcInstant),
    Column("shown_state", Line(16)),  # the state last drawn where messages are changed in place
    sqlite_autoincrement=True,  # an id is never used twice: alerts are keyed by it
)
Index("sla_clock_thread", sla_clock.c.thread_id)
Index(
    "sla_clock_due",
    sla_clock.c.next_due_at,
    sqlite_where=sla_clock.c.closed_at.is_(None),
    postgresql_where=sla_clock.c.closed_at.is_(None),
)
Index(
    "sla_clock_open",
    sla_clock.c.account,
    sla_clock.c.marketplace,
    sla_clock.c.deadline_at,
    sqlite_where=sla_clock.c.closed_at.is_(None),
    postgresql_where=sla_clock.c.closed_at.is_(None),
)
Index(
    "sla_clock_open_deadline",
    sla_clock.c.deadline_at,
    sqlite_where=sla_clock.c.closed_at.is_(None),
    postgresql_where=sla_clock.c.closed_at.is_(None),
)

decision = Table(
    "decision",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("kind", Line(24), nullable=False),
    Column("thread_id", BigInteger),
    Column("clock_id", BigInteger),
    Column("message_id", BigInteger),  # the buyer message a mark covers, or the mail a decision is about
    Column("by", Line(80), nullable=False),
    Column("at", UtcInstant, nullable=False),  # the instant it speaks of
    Column("made_at", UtcInstant, nullable=False),
    Column("until", UtcInstant),
    Column("source", Line(16), nullable=False),
    Column("reason", Words),
    Column("revoked_at", UtcInstant),
    Column("revoked_by", Line(80)),
)
Index("decision_thread", decision.c.thread_id)
Index("decision_message", decision.c.message_id)
Index("decision_made", decision.c.made_at)

review = Table(
    "review",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("key", Line(120), nullable=False, unique=True),
    Column("kind", Line(24), nullable=False),
    Column("account", Line(64), nullable=False),
    Column("marketplace", Line(8)),
    Column("message_id", BigInteger),
    Column("order_id", Line(32)),
    Column("detail", Words, nullable=False),
    Column("threads", Words, nullable=False, server_default=""),
    Column("count", Integer, nullable=False, server_default="1"),
    Column("received_at", UtcInstant, nullable=False),
    Column("settled_at", UtcInstant),
    Column("settled_by", Line(80)),
    Column("decision", Line(40)),
)
Index(
    "review_open",
    review.c.account,
    sqlite_where=review.c.settled_at.is_(None),
    postgresql_where=review.c.settled_at.is_(None),
)

folder_cursor = Table(
    "folder_cursor",
    metadata,
    Column("mailbox", Line(64), primary_key=True),
    Column("folder", Line(255), primary_key=True),
    Column("uidvalidity", BigInteger, nullable=False),
    Column("last_uid", BigInteger, nullable=False),
    Column("state", Words),
)

mailbox_health = Table(
    "mailbox_health",
    metadata,
    Column("mailbox", Line(64), primary_key=True),
    Column("last_success_at", UtcInstant),
    Column("failing_since", UtcInstant),
    Column("trouble", Words),
    Column("reason", Line(16)),
    Column("told_at", UtcInstant),
)

mailbox_outage = Table(
    "mailbox_outage",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("mailbox", Line(64), nullable=False),
    Column("from_at", UtcInstant, nullable=False),
    Column("to_at", UtcInstant),
    Column("reason", Line(16), nullable=False),
)

bad_mail = Table(
    "bad_mail",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("mailbox", Line(64), nullable=False),
    Column("folder", Line(255), nullable=False),
    Column("uid", BigInteger, nullable=False),
    Column("seen_at", UtcInstant, nullable=False),
    Column("problem", Words, nullable=False),
)

evidence = Table(
    "evidence",
    metadata,
    Column("account", Line(64), primary_key=True),
    Column("marketplace", Line(8), primary_key=True),  # "" where unknown
    Column("evidence", Line(24), primary_key=True),
    Column("count", BigInteger, nullable=False),
    Column("last_seen_at", UtcInstant, nullable=False),
)

tally = Table(
    "tally",
    metadata,
    Column("name", Line(48), primary_key=True),
    Column("labels", Line(255), primary_key=True),  # joined by U+001F
    Column("value", Float(53), nullable=False),
)

silence = Table(
    "silence",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("matcher", Words, nullable=False),
    Column("author", Line(80), nullable=False),
    Column("comment", Words, nullable=False),
    Column("starts_at", UtcInstant, nullable=False),
    Column("ends_at", UtcInstant, nullable=False),
    Column("expired_at", UtcInstant),
)

mark = Table(
    "mark",
    metadata,
    Column("name", Line(120), primary_key=True),  # what was done last, or once: report:2026-W47, first_started
    Column("at", UtcInstant, nullable=False),
    Column("detail", Words, nullable=False, server_default=""),
)

amazon_figure = Table(
    "amazon_figure",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("account", Line(64), nullable=False),
    Column("marketplace", Line(8), nullable=False),
    Column("window_days", Integer, nullable=False),
    Column("late_ratio", Float(53)),
    Column("average_response_seconds", Float(53)),
    Column("read_at", UtcInstant, nullable=False),
    Column("source", Line(24), nullable=False),
    Column("body", Words, nullable=False, server_default=""),
)
Index("amazon_figure_read", amazon_figure.c.account, amazon_figure.c.read_at)

amazon_task = Table(
    "amazon_task",
    metadata,
    Column("key", Line(160), primary_key=True),
    Column("state", Line(24), nullable=False),
    Column("next_at", UtcInstant),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("body", Words, nullable=False, server_default=""),
)

order_fact = Table(
    "order_fact",
    metadata,
    Column("account", Line(64), primary_key=True),
    Column("order_hash", BigInteger, primary_key=True),
    Column("fetched_at", UtcInstant, nullable=False),
    Column("body", Words, nullable=False),
)
