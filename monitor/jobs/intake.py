"""Reading one mailbox: mails -> messages -> threads and clocks, batch by batch, each in one transaction with its cursor.

A kill between two batches loses and repeats nothing. One bad mail stops nothing: it is counted, kept for a look, and read as
far as it can be.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime

import structlog
from sqlalchemy import Connection
from sqlalchemy.exc import DataError, IntegrityError, StatementError

from monitor.config.model import MailboxConfig
from monitor.core.accounts import AccountIdentity, accounts_of
from monitor.core.classify import is_new_template
from monitor.core.messages import Authenticity, Kind, Message, Where
from monitor.errors import MailboxError, StoreError
from monitor.jobs.services import Services
from monitor.jobs.told import follow_changes
from monitor.sources.ahead import read_ahead
from monitor.sources.base import Batch, Cursor, RawMail
from monitor.store.changes import ClockChange
from monitor.store.clocks import resolve_and_save
from monitor.store.engine import reading, writing
from monitor.store.evidence import record_evidence
from monitor.store.health import (
    StoredCursor,
    read_cursors,
    record_bad_mails,
    record_cursor,
    record_failure,
    record_success,
)
from monitor.store.messages import Incoming, Recorded, record_messages, settle_accounts
from monitor.store.reviews import ToDecide, record_reviews
from monitor.store.tallies import Tallies

log = structlog.get_logger(__name__)

AUTHSERV_SHARE = 0.5
"""The server's own id stands on most of its mails; what stands on fewer may have been written by a sender."""

AUTHSERV_MAILS = 20
"""In fewer received mails an id that is not found may still come: a new mailbox holds the provider's own welcome."""


@dataclass(slots=True)
class PollResult:
    """What one poll brought. `new` counts mails by kind; `failed` is the line that says why it broke off."""

    mailbox: str
    new: dict[str, int] = field(default_factory=dict)
    copies: int = 0
    damaged: int = 0
    changes: int = 0
    failed: str | None = None


def poll_mailbox(services: Services, name: str) -> PollResult:
    """Read what arrived in one mailbox and store what it means; return what was found.

    An unreachable mailbox is recorded, counted and returned as `failed`, never raised and never taken for "no mail".

    Raises:
        StoreError: the database cannot be used; nothing of the batch at hand was stored, its cursor neither.
    """
    mailbox = next(one for one in services.config.mailboxes if one.name == name)
    result = PollResult(mailbox=name)
    since = services.first_started_at - services.config.worker.lookback
    try:
        if not read_source(services, mailbox, since, result):
            return result
    except MailboxError as error:
        result.failed = str(error)
        note_failure(services, name, str(error), error.reason)
        return result
    with writing(services.engine) as connection:
        ended = record_success(connection, name, services.utc_now())
    if ended is not None:
        log.info("mailbox read again", mailbox=name)
    if result.changes:
        services.wake.set()
    return result


def read_source(services: Services, mailbox: MailboxConfig, since: datetime, result: PollResult) -> bool:
    """Store what a mailbox's source has after its cursors, into `result`; return False where a stop broke it off.

    Raises:
        MailboxError: the source cannot be read; what was read before is stored.
        StoreError: the database cannot be used.
    """
    with reading(services.engine) as connection:
        stored = read_cursors(connection, mailbox.name)
    cursors = {folder: Cursor(one.uidvalidity, one.last_uid, one.state) for folder, one in stored.items()}
    fetched = services.sources[mailbox.name].fetch_new(cursors, since)
    with closing(read_ahead(_learning_authserv(services, mailbox, fetched))) as batches:
        for batch in batches:
            _record_batch(services, mailbox, batch, result)
            if services.stopping.is_set():
                return False
    return True


def note_failure(services: Services, name: str, problem: str, reason: str) -> None:
    """Store, count and log that a mailbox could not be read; `reason` is one of `MailboxError.REASONS`."""
    with writing(services.engine) as connection:
        record_failure(connection, name, problem, reason, services.utc_now())
        tallies = Tallies()
        tallies.add("poll_failures", name, reason)
        tallies.save(connection)
    log.warning("mailbox not read", mailbox=name, reason=reason, problem=problem)


def _learning_authserv(services: Services, mailbox: MailboxConfig, batches: Iterator[Batch]) -> Iterator[Batch]:
    """Yield the batches, and find out before the first received mail whose Authentication-Results the mailbox holds.

    An empty mailbox is never looked at for it: a look is a login.
    """
    for batch in batches:
        if batch.mails and batch.where is not Where.SENT:
            _learn_authserv(services, mailbox)
        yield batch


def _learn_authserv(services: Services, mailbox: MailboxConfig) -> None:
    """Find out the id that most of a mailbox's mails carry on top. That there is none takes some mails to say."""
    if mailbox.authserv_id != "auto" or mailbox.name in services.authserv:
        return
    try:
        facts = services.sources[mailbox.name].probe()
    except MailboxError as error:
        if error.reason not in ("folder", "protocol"):
            raise  # a broken link: the next poll knows more, and what is read without it would be read wrongly
        log.warning("authentication not looked up", mailbox=mailbox.name, problem=str(error))
        return  # told by the reading itself, once the folders and mails that can be had were read
    found = next((name for name, share in facts.authserv_ids if share > AUTHSERV_SHARE), "")
    received = sum(folder.mails for folder in facts.folders if folder.where is Where.INBOX)
    if found or received >= AUTHSERV_MAILS:
        services.authserv[mailbox.name] = found


def _record_batch(services: Services, mailbox: MailboxConfig, batch: Batch, result: PollResult) -> None:
    """Store one batch whole; where the database refuses one of its mails, store the others and keep that one for a look."""
    now = services.utc_now()
    identities = services.identities(mailbox)
    incoming = [_recognise(services, mailbox, identities, mail) for mail in batch.mails]
    try:
        with writing(services.engine) as connection:
            _record(connection, services, mailbox, batch, incoming, result, now)
    except (StoreError, ValueError) as error:
        if not _is_data_error(error):
            raise
        log.warning("a mail cannot be stored; storing the others one by one", mailbox=mailbox.name, folder=batch.folder)
        _record_singly(services, mailbox, batch, incoming, result, now)


def _is_data_error(error: StoreError | ValueError) -> bool:
    """Return whether it is one mail's fault, and not the disk's or the server's."""
    cause = error.__cause__ if isinstance(error, StoreError) else error
    return isinstance(cause, ValueError | DataError | IntegrityError) or type(cause) is StatementError


def _record_singly(
    services: Services,
    mailbox: MailboxConfig,
    batch: Batch,
    incoming: Sequence[tuple[RawMail, Incoming]],
    result: PollResult,
    now: datetime,
) -> None:
    for mail, item in incoming:
        one = Batch(
            folder=batch.folder, where=batch.where, cursor=Cursor(batch.cursor.uidvalidity, mail.uid), mails=(mail,)
        )
        try:
            with writing(services.engine) as connection:
                _record(connection, services, mailbox, one, [(mail, item)], result, now)
        except (StoreError, ValueError) as error:
            if not _is_data_error(error):
                raise
            with writing(services.engine) as connection:
                problem = f"cannot be stored: {type(error.__cause__ or error).__name__}"
                _note_damage(connection, mailbox.name, batch.folder, {mail.uid: problem}, result, now)
    with writing(services.engine) as connection:
        rest = Batch(folder=batch.folder, where=batch.where, cursor=batch.cursor, unrelated=batch.unrelated)
        _record(connection, services, mailbox, rest, [], result, now)


def _recognise(
    services: Services, mailbox: MailboxConfig, identities: Sequence[AccountIdentity], mail: RawMail
) -> tuple[RawMail, Incoming]:
    message = services.recognise[mailbox.name](mail.content, mail.received_at, mail.where)
    accounts = accounts_of(message, identities)
    return mail, Incoming(
        message=message,
        accounts=accounts,
        mailbox=mailbox.name,
        trusted=_may_stop(services, message, accounts[0]),
        keep_text=bool(services.config.worker.keep_text),
    )


def _may_stop(services: Services, message: Message, account: str) -> bool:
    """Return whether a mail may stop a clock: a copy needs a proof, what lies in Sent does not."""
    if message.kind is not Kind.CONFIRMATION_COPY:
        return True
    return message.authenticity is Authenticity.PASSED or not services.config.account(account).require_proof


def _record(
    connection: Connection,
    services: Services,
    mailbox: MailboxConfig,
    batch: Batch,
    incoming: Sequence[tuple[RawMail, Incoming]],
    result: PollResult,
    now: datetime,
) -> None:
    tallies = Tallies()
    kept = [(mail, item) for mail, item in incoming if item.message.kind is not Kind.UNRELATED]
    unrelated = batch.unrelated + len(incoming) - len(kept)
    if unrelated:
        tallies.add("messages", mailbox.accounts[0], Kind.UNRELATED.value, value=unrelated)
        result.new[Kind.UNRELATED.value] = result.new.get(Kind.UNRELATED.value, 0) + unrelated
    settled = settle_accounts(connection, [item for _, item in kept], services.hasher)
    recorded = record_messages(connection, settled, services.hasher, now)
    for item in recorded.new.values():
        account, message = item.accounts[0], item.message
        tallies.add("messages", account, message.kind.value)
        result.new[message.kind.value] = result.new.get(message.kind.value, 0) + 1
        if message.kind is Kind.BUYER_MESSAGE:
            for label in message.labels:
                tallies.add("message_labels", account, label)
    record_evidence(connection, [(item.accounts[0], item.message) for item in recorded.new.values()])
    found = (_to_decide(message_id, item) for message_id, item in recorded.new.items())
    record_reviews(connection, [one for one in found if one is not None])
    problems = {mail.uid: item.message.problem for mail, item in incoming if item.message.problem is not None}
    problems.update(batch.unreadable or {})
    _note_damage(connection, mailbox.name, batch.folder, problems, result, now)
    changes = _resolve(connection, services, recorded, now)
    result.copies += recorded.copies
    result.changes += len(changes)
    tallies.save(connection)
    cursor = StoredCursor(batch.cursor.uidvalidity, batch.cursor.last_uid, batch.cursor.state)
    record_cursor(connection, mailbox.name, batch.folder, cursor)


def _resolve(connection: Connection, services: Services, recorded: Recorded, now: datetime) -> list[ClockChange]:
    touched = {**recorded.changed, **recorded.new}
    changes = resolve_and_save(connection, touched, touched, services.save_context(now), recorded.rows)
    bounced = any(item.message.kind is Kind.DELIVERY_FAILURE for item in touched.values())
    follow_changes(connection, changes, now, why_open="bounced" if bounced else None)
    return changes


def _note_damage(
    connection: Connection, mailbox: str, folder: str, problems: dict[int, str], result: PollResult, now: datetime
) -> None:
    if not problems:
        return
    record_bad_mails(connection, mailbox, folder, problems, now)
    tallies = Tallies()
    tallies.add("damaged_mails", mailbox, value=len(problems))
    tallies.save(connection)
    result.damaged += len(problems)
    for uid, problem in problems.items():
        log.warning("mail read only in part", mailbox=mailbox, folder=folder, uid=uid, problem=problem)


def _to_decide(message_id: int, item: Incoming) -> ToDecide | None:
    """Return what a person has to decide about a mail: an unproven copy, an unverified or suspicious mail, a new template."""
    message, kind, key, detail = item.message, "", f"mail:{message_id}", item.message.notice_type or ""
    if message.kind is Kind.CONFIRMATION_COPY and not item.trusted:
        kind = "unproven_copy"
    elif message.kind is Kind.BUYER_MESSAGE and message.authenticity is Authenticity.FAILED:
        kind = "unverified_message"
    elif message.kind is Kind.SUSPICIOUS:
        kind = "suspicious"
    elif is_new_template(message):
        # Each marketplace writes from a domain of its own.
        kind = "unknown_notice"
        detail = message.notice_type or f"from {(message.sender or '?').partition('@')[0]}"
        key = f"notice:{item.accounts[0]}:{detail}"[:120]
    if not kind:
        return None
    once = kind == "unknown_notice"  # one line for all of a template
    return ToDecide(
        key=key,
        kind=kind,
        account=item.accounts[0],
        marketplace=None if once else message.marketplace,
        message_id=message_id,
        order_id=None if once else message.order_id,
        detail=detail,
        received_at=message.received_at,
    )


def count_text(mails: Mapping[str, int]) -> str:
    """Return mails by kind as a person reads them: "4 buyer messages, 1 notice"."""
    return ", ".join(f"{count:,} {_noun(kind, count)}" for kind, count in sorted(mails.items()))


def _noun(kind: str, count: int) -> str:
    """Return "auto replies", "notice", "unrelated mails"."""
    if kind in ("unrelated", "suspicious"):
        return f"{kind} mail{'' if count == 1 else 's'}"
    words = kind.replace("_", " ")
    if count == 1:
        return words
    return f"{words[:-1]}ies" if words.endswith("y") else f"{words}s"
