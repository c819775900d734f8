"""Bytes to Message: the one way in, for the worker and for `replyby explain` alike.

Owns the order: headers, evidence, decision, fields, and what is attached. Never raises and never waits on anything,
whatever the bytes.
"""

from datetime import datetime

from monitor.core.classify import (
    SignalName,
    classify,
)
from monitor.core.messages import Authenticity, Kind, Message, Signal, Where
from monitor.parse.context import RecognitionContext
from monitor.parse.dates import received_at
from monitor.parse.evidence import gather_evidence
from monitor.parse.fields import fill_fields, message_id_of, problem_of
from monitor.parse.headers import parse_headers, split_mail
from monitor.parse.reading import Mail, read_addresses

MAX_ATTACHED_DEPTH = 2


def parse_message(
    content: bytes, *, internaldate: datetime | None, where: Where, context: RecognitionContext
) -> Message:
    """Return what a mail means. Never raises on any bytes; `problem` says what was wrong with them.

    Args:
        content: the mail, or its headers and text parts.
        internaldate: when the server received it, aware; None for a file. Without it and without any date in the mail,
            `received_at` is 1970-01-01 and `problem` says so.
        where: the role of the folder: a reply is one only in Sent.
        context: what the configuration knows; `RecognitionContext()` is enough.
    """
    block, start = split_mail(content)
    headers = parse_headers(block)
    mail = Mail(content, headers, start, where, context)
    read_addresses(mail)
    instant, date_problem = received_at(
        headers.get("date"), internaldate=internaldate, received=headers.all("received")[:20]
    )
    if not headers:
        mail.problems.append("no header that can be read")
    elif not mail.senders:
        mail.problems.append("no From address")
    if headers.problem:
        mail.problems.append(headers.problem)
    if date_problem:
        mail.problems.append(date_problem)
    message = _recognise(mail, instant)
    if message.kind is Kind.UNRELATED and message.signals[0].name != SignalName.OWN_MAIL:
        message = _recognise_attached(mail, instant) or message
    return message


def _recognise(mail: Mail, instant: datetime) -> Message:
    """Return the message for one mail, whether it came by itself or attached to another."""
    evidence, refusal = gather_evidence(mail, instant)
    decision = classify(evidence)
    return fill_fields(mail, decision, refusal, instant)


def _recognise_attached(mail: Mail, instant: datetime) -> Message | None:
    """Return what a mail forwarded as an attachment means; its own verdicts prove nothing here.

    Of several the first buyer message decides, else the first that means anything.
    """
    if mail.where is Where.SENT or mail.depth >= MAX_ATTACHED_DEPTH:
        return None
    found: list[Message] = []
    for inner_headers, inner_body in mail.body.attached:
        inner = Mail(b"", inner_headers, 0, mail.where, mail.context, mail.depth + 1, inner_body)
        read_addresses(inner)
        sent, problem = received_at(inner_headers.get("date"), internaldate=None)
        inner_instant = sent if not problem and sent <= instant else instant
        message = _recognise(inner, inner_instant)
        if message.kind not in (Kind.UNRELATED, Kind.SELLER_REPLY, Kind.AUTO_REPLY):
            found.append(message)
    if not found:
        return None
    message = next((message for message in found if message.kind is Kind.BUYER_MESSAGE), found[0])
    fields = {name: getattr(message, name) for name in Message.__dataclass_fields__}
    fields.update(
        signals=(Signal(SignalName.FORWARDED_MAIL, "attached"), *message.signals),
        sender=mail.sender,
        recipients=tuple(mail.recipients),
        message_id=message_id_of(mail),
        authenticity=Authenticity.UNKNOWN,
        problem=problem_of(mail, message.problem),
    )
    return Message(**fields)
