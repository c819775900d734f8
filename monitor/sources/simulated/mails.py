"""The invented mails as bytes, in the shapes that Amazon, buyers and sellers give theirs."""

import binascii
import html
from datetime import UTC, datetime
from email.header import Header
from email.utils import format_datetime
from hashlib import sha256

from monitor.sources.simulated.seller import (
    CANCELLATION,
    CLAIM,
    NEWSLETTER,
    PAYMENT,
    REFUND,
    RETURN,
    SOLD,
    Event,
    Matter,
    Shape,
)
from monitor.sources.simulated.words import ARABIC_WORDS

SELLER = "support@simulated.example"
AUTHSERV_ID = "mx.simulated.example"
MERCHANT_ID = "A3SIMULATED0SR"
RULE = "-" * 13
NOTICE_TYPES = {
    RETURN: ("RETURN_REQUEST", "seller-notification"),
    REFUND: ("REFUND_ISSUED", "seller-notification"),
    CANCELLATION: ("BRC_SELLER_NOTIFICATION", "order-update"),
    CLAIM: ("A_Z_CLAIM_RESPONDENT_NOTIFY", "atoz-guarantee-no-reply"),
    SOLD: ("", "auto-communication"),
    PAYMENT: ("", "payments-messages"),
}


def render_mail(event: Event) -> bytes:
    """Return the mail with CRLF line ends: always the same bytes for the same event."""
    match event.shape:
        case Shape.REPLY | Shape.SHORT_REPLY | Shape.AUTO_REPLY:
            return _reply(event)
        case Shape.COPY:
            return _copy(event)
        case Shape.OPT_OUT:
            return _opt_out(event)
        case Shape.NOTICE:
            return _newsletter(event) if event.matter.notice == NEWSLETTER else _notice(event)
        case _:
            return _question(event)


def message_id(matter: Matter, step: int, copy: int = 0, host: str = "eu-west-1.amazonses.com") -> str:
    """Return the Message-ID of a matter's mail: every copy has its own."""
    digest = sha256(f"{matter.token}/{step}/{copy}".encode()).hexdigest()
    return f"<{digest[:16]}-{digest[16:24]}-000000@{host}>"


def _token(matter: Matter, step: int, kind: str) -> str:
    return sha256(f"{kind}/{matter.token}/{step}".encode()).hexdigest()[:20].upper()


def _subject(matter: Matter) -> str:
    own, _ = matter.language.topics[matter.topic]
    return (own or matter.language.subject).format(name=matter.name, order=matter.order)


def _words(event: Event) -> str:
    matter = event.matter
    if event.shape in (Shape.THANKS, Shape.OWN_PROGRAM):
        return matter.language.thanks
    return ARABIC_WORDS[matter.topic] if matter.arabic else matter.language.topics[matter.topic][1]


def _alias(matter: Matter, *, full: bool = True) -> str:
    suffix = f"+{matter.suffix}" if matter.suffix and full else ""
    return f"{matter.alias}{suffix}@{matter.market.domain}"


def _question(event: Event) -> bytes:
    matter = event.matter
    name = f"{_encoded(f'{matter.name} - Amazon Marketplace')}"
    headers = [("From", f"{name} <{_alias(matter)}>")]
    domain = matter.market.domain
    if event.shape is Shape.FORWARDED:
        headers = [("From", "Front desk <desk@simulated.example>"), ("Reply-To", f"{name} <{_alias(matter)}>")]
        domain = "simulated.example"
    elif event.shape is not Shape.OWN_PROGRAM:
        headers += [
            ("X-Space-Notification-Type", "BBC_MESSAGE_SENT_TO_MERCHANT"),
            ("X-Marketplace-ID", matter.market.id),
        ]
    subject = _subject(matter)
    if event.shape is Shape.OWN_PROGRAM:
        subject = f"Re: {subject}"
        text = _own_program_text(event)
    else:
        text = _template(event)
    page = "<html><body>" + _page(text, _words(event)) + "</body></html>"
    return _message(event, headers, domain, subject, [("plain", text), ("html", page)])


def _links(event: Event) -> tuple[str, str]:
    matter = event.matter
    thread, message = _token(matter, 0, "t"), _token(matter, event.step, "m")
    host = f"https://{matter.market.seller_central_host}"
    signature = _token(matter, event.step, "h")
    return (
        f"{host}/messaging/no-response-needed?t={thread}&m={message}&mp={matter.market.id}&c={MERCHANT_ID}&h={signature}&s=1",
        f"{host}/messaging/inbox?fi=caseId&ss={thread.lower()}&cc={message.lower()}&ref=bsm_email_report",
    )


def _template(event: Event) -> str:
    matter, language = event.matter, event.matter.language
    solve, report = _links(event)
    order = f"# {matter.order}:\n" if matter.order else ""
    number = int(matter.alias.encode().hex(), 16) % 10**13
    region = {"US": "US", "CA": "US", "MX": "US", "BR": "US", "JP": "JP"}.get(matter.market.country, "EU")
    return (
        f"{language.received}\n\n{order}1 / {matter.item} [ASIN: {matter.asin}]\n\n"
        f"{RULE} {language.opener} {RULE}\n\n{_words(event)}\n\n{RULE} {language.closer} {RULE}\n\n"
        f"{language.solve}: {solve}\n{language.report}: {report}\n"
        f"{RULE * 2}\nCopyright {event.at.year} Amazon, Inc.\nSPC-{region}Amazon-{number}\n"
    )


def _own_program_text(event: Event) -> str:
    quoted = "\n".join(f"> {line}" for line in _template(event).splitlines())
    return f"{_words(event)}\n\n{event.dated_at:%d.%m.%Y} {SELLER}:\n{quoted}\n"


def _page(text: str, words: str) -> str:
    before, _, after = text.partition(words)
    pre = f'<pre style="white-space: pre-wrap; white-space: -o-pre-wrap;">{html.escape(words)}</pre>'
    return (
        "<br>\n".join(map(html.escape, before.splitlines())) + pre + "<br>\n".join(map(html.escape, after.splitlines()))
    )


def _reply(event: Event) -> bytes:
    matter = event.matter
    automatic = event.shape is Shape.AUTO_REPLY
    text = {Shape.REPLY: matter.language.reply, Shape.SHORT_REPLY: matter.language.short_reply}.get(
        event.shape, "Thank you for your message. You will hear from us shortly."
    )
    cited = message_id(matter, event.answers)
    lines = [
        ("Message-ID", f"<{_token(matter, event.step, 'reply').lower()}@simulated.example>"),
        ("Date", _date(event.dated_at)),
        ("From", f"Support <{SELLER}>"),
        ("To", f"{_encoded(matter.name)} <{_alias(matter)}>"),
        ("Subject", _encoded(f"Re: {_subject(matter)}")),
        ("In-Reply-To", cited),
        ("References", cited),
        *([("Auto-Submitted", "auto-replied")] if automatic else []),
    ]
    return _assemble(lines, [("plain", text + "\n")], matter.token)


def _copy(event: Event) -> bytes:
    matter, language = event.matter, event.matter.language
    order = f"<p># {matter.order}</p>" if matter.order else ""
    page = (
        f"<html><body><!-- [commMgrTok:{_token(matter, event.step, 'c')}] --><p>{html.escape(matter.name)},</p>{order}"
        f"<p>{RULE}{RULE}</p><p>{html.escape(language.reply)}</p><p>{RULE}{RULE}</p></body></html>"
    )
    headers = [
        ("From", f"Amazon.{matter.market.tld} <donotreply@amazon.com>"),
        ("X-Space-Notification-Type", "BBC_MESSAGE_CONFIRMATION_TO_MERCHANT"),
        ("X-Marketplace-ID", matter.market.id),
    ]
    return _message(event, headers, "amazon.com", language.copy_subject.format(name=matter.name), [("html", page)])


def _opt_out(event: Event) -> bytes:
    matter = event.matter
    subject = {
        "it": "Il tuo messaggio all'acquirente non è stato consegnato.",
        "fr": "Votre message à l'acheteur n'a pas été remis.",
        "de": "Ihre Nachricht an den Käufer wurde nicht zugestellt.",
    }.get(matter.language.code, "Your message to the buyer was not delivered.")
    page = (
        f"<html><body><p>{subject}</p><p>[{matter.order or ''}] {_date(event.dated_at)}</p>"
        f'<p><a href="mailto:{_alias(matter, full=False)}">{_alias(matter, full=False)}</a></p></body></html>'
    )
    headers = [
        ("From", "Amazon <auto-communication@amazon.com>"),
        ("X-Space-Notification-Type", "BUYER_OPTED_OUT_BSM_MESSAGES"),
        ("X-Marketplace-ID", matter.market.id),
    ]
    return _message(event, headers, "amazon.com", subject, [("html", page)])


def _notice(event: Event) -> bytes:
    matter, language = event.matter, event.matter.language
    token, local = NOTICE_TYPES[matter.notice]
    order = matter.order or f"402-{int(matter.alias.encode().hex(), 16) % 10**7:07d}-0000000"
    subject = {SOLD: f"Sold, ship now: {matter.item}", PAYMENT: "Your payment is on the way"}.get(matter.notice, "")
    if not subject:
        subject = language.notices[matter.notice].format(order=order)
    quote = html.escape(language.topics["return"][1]) if matter.notice == RETURN else ""
    link = f"https://{matter.market.seller_central_host}/orders-v3/order/{order}"
    tracking = f"?communicationName={token}" if token else ""
    page = (
        f"<html><body><p>{html.escape(subject)}</p><p># {order}</p><p>{quote}</p>"
        f'<a href="{link}{tracking}">{order}</a></body></html>'
    )
    domain = "amazon.com" if matter.notice == SOLD else f"amazon.{matter.market.tld}"
    headers = [("From", f"Amazon <{local}@{domain}>")]
    if token:
        headers += [("X-Space-Notification-Type", token), ("X-Marketplace-ID", matter.market.id)]
    return _message(event, headers, domain, subject, [("html", page)])


def _newsletter(event: Event) -> bytes:
    headers = [("From", "Parcel weekly <news@parcels.example>"), ("List-Unsubscribe", "<mailto:out@parcels.example>")]
    return _message(event, headers, "parcels.example", "This week in parcels", [("plain", "Nothing new.\n")])


def _message(
    event: Event, headers: list[tuple[str, str]], domain: str, subject: str, parts: list[tuple[str, str]]
) -> bytes:
    """Return a received mail: what the seller's own server wrote stands on top."""
    host = "eu-west-1.amazonses.com" if "amazon." in domain or event.shape is not Shape.NOTICE else domain
    verdict = "fail" if event.shape is Shape.FORWARDED else "pass"
    lines = [
        ("Return-Path", f"<bounces@{domain}>"),
        (
            "Authentication-Results",
            f"{AUTHSERV_ID}; dkim={verdict} header.d={domain};\r\n dmarc={verdict} header.from={domain}",
        ),
        ("Received", f"from mail.{domain} by {AUTHSERV_ID} with ESMTPS; {_date(event.at)}"),
        ("Date", _date(event.dated_at)),
        *headers,
        ("To", SELLER),
        ("Subject", _encoded(subject)),
        ("Message-ID", message_id(event.matter, event.step, event.copy, host)),
    ]
    return _assemble(lines, parts, event.matter.token)


def _assemble(lines: list[tuple[str, str]], parts: list[tuple[str, str]], boundary: str) -> bytes:
    bodies = [
        f"Content-Type: text/{subtype}; charset=UTF-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n{_quoted(text)}"
        for subtype, text in parts
    ]
    head = "".join(f"{name}: {value}\r\n" for name, value in [*lines, ("MIME-Version", "1.0")])
    if len(bodies) == 1:
        return (head + bodies[0]).encode("ascii")
    joined = "".join(f"--{boundary}\r\n{body}\r\n" for body in bodies)
    kind = f'Content-Type: multipart/alternative; boundary="{boundary}"\r\n\r\n'
    return f"{head}{kind}{joined}--{boundary}--\r\n".encode("ascii")


def _quoted(text: str) -> str:
    lines = text.encode().splitlines()
    return (
        "\r\n".join(binascii.b2a_qp(line, istext=False).decode("ascii").replace("=\n", "=\r\n") for line in lines)
        + "\r\n"
    )


def _encoded(text: str) -> str:
    return text if text.isascii() else Header(text, "utf-8").encode(linesep="\r\n")


def _date(instant: datetime) -> str:
    return format_datetime(instant.astimezone(UTC).replace(microsecond=0))
