"""`replyby explain`: what a mail is, which signals said so, and what clock it would start.

Owns the sketch on the terminal and the JSON document. The caller opens files and prints; nothing is stored or fetched.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from monitor.core.messages import Authenticity, Kind, Message, Where
from monitor.core.sla import SlaPolicy, target_for
from monitor.parse.context import NO_CONTEXT, RecognitionContext
from monitor.parse.dates import NOWHERE
from monitor.parse.message import parse_message

KIND_WORDS: dict[Kind, str] = {kind: kind.value.replace("_", " ") for kind in Kind}

_NO_CLOCK: dict[Kind, str] = {
    Kind.SELLER_REPLY: "A reply: it stops the clock of the thread it answers.",
    Kind.CONFIRMATION_COPY: "A copy of a reply made in Seller Central: with proof of Amazon, it stops its thread's clock.",
    Kind.DELIVERY_FAILURE: "A reply did not reach the buyer: its clock runs on from where it was.",
    Kind.AUTO_REPLY: "An automatic reply: it stops no clock.",
    Kind.NOTICE: "A notice: no clock starts.",
    Kind.SUSPICIOUS: "Pretends to come from Amazon: no clock starts, and it is shown in `replyby review`.",
    Kind.UNRELATED: "Nothing to do with buyer messages: no clock starts.",
}


@dataclass(frozen=True, slots=True)
class Explained:
    """One mail and what was made of it. `file` is the path as given, "-" for standard input."""

    file: str
    message: Message


def explain_mail(
    file: str, content: bytes, context: RecognitionContext = NO_CONTEXT, where: Where | None = None
) -> Explained:
    """Return what a mail is. Without a folder a mail *to* a buyer's relay is looked at as if it lay in Sent.

    Args:
        file: the name to show.
        content: the mail.
        context: what the configuration knows.
        where: the folder's role; None: INBOX, except for what was plainly written to a buyer by the seller.
    """
    message = parse_message(content, internaldate=None, where=where or Where.INBOX, context=context)
    if where is None and message.kind is Kind.UNRELATED and message.signals[0].name == "sent_to_relay":
        message = parse_message(content, internaldate=None, where=Where.SENT, context=context)
    return Explained(file, message)


def explain_files(
    paths: Iterable[Path], context: RecognitionContext = NO_CONTEXT, where: Where | None = None
) -> Iterator[Explained]:
    """Yield what each file is, one at a time.

    Raises:
        OSError: a file cannot be read.
    """
    for path in paths:
        yield explain_mail(str(path), path.read_bytes(), context, where)


def explained_json(explained: Explained) -> dict[str, Any]:
    """Return one item of the array that `explain --json` prints."""
    message = explained.message
    return {
        "file": explained.file,
        "kind": message.kind.value,
        "authenticity": message.authenticity.value,
        "marketplace": message.marketplace,
        "order_id": message.order_id,
        "alias": message.alias,
        "merchant_id": message.merchant_id,
        "message_key": message.message_key,
        "received_at": None if message.received_at == NOWHERE else rfc3339(message.received_at),
        "labels": list(message.labels),
        "language": message.language,
        "buyer_text": message.buyer_text,
        "signals": [str(signal.name) for signal in message.signals],
        "priority": message.priority,
        "asin": message.asin,
        "notice_type": message.notice_type,
        "where": message.where.value,
        "problem": message.problem,
    }


def rfc3339(instant: datetime) -> str:
    """Return an instant as RFC 3339 in UTC, fractions only where there are any."""
    return instant.astimezone(UTC).isoformat().replace("+00:00", "Z")


def render_explained(explained: Explained, policy: SlaPolicy | None = None) -> str:
    """Return the lines for a terminal: kind, marketplace, order, signals, and the clock that would start."""
    message = explained.message
    facts = [KIND_WORDS[message.kind]]
    if message.marketplace:
        facts.append(message.marketplace)
    if message.order_id:
        facts.append(f"order {message.order_id}")
    elif message.kind is Kind.BUYER_MESSAGE:
        facts.append(f"no order (ASIN {message.asin})" if message.asin else "no order")
    if message.received_at != NOWHERE:
        facts.append(f"received {message.received_at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC")
    if message.authenticity is not Authenticity.UNKNOWN:
        facts.append(
            "verified" if message.authenticity is Authenticity.PASSED else "not verified: Amazon's proof failed"
        )
    lines = [" · ".join(facts)]
    for number, signal in enumerate(message.signals, start=1):
        lines.append(f"  {number} {str(signal.name).replace('_', ' '):<18} {signal.detail}".rstrip())
    if message.labels:
        lines.append(f"  about: {', '.join(message.labels).replace('_', ' ')} (priority {message.priority})")
    if message.problem:
        lines.append(f"  wrong with the mail: {message.problem}")
    lines.append(_clock_sentence(message, policy or SlaPolicy()))
    return "\n".join(lines)


def _clock_sentence(message: Message, policy: SlaPolicy) -> str:
    if message.kind is not Kind.BUYER_MESSAGE:
        return _NO_CLOCK[message.kind]
    if message.received_at == NOWHERE:
        return "A clock would start when the server received it: the mail itself names no instant."
    started_at = message.received_at.astimezone(UTC)
    deadline = started_at + target_for(policy, message.marketplace, started_at)
    return f"The clock would start at {started_at:%H:%M:%S} and end on {deadline:%Y-%m-%d %H:%M:%S} UTC."
