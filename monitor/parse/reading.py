"""One mail while it is read: headers at once, the body at the first question about it.

Owns the laziness that keeps notices cheap. Must not decide anything.
"""

from dataclasses import dataclass, field

from monitor.core.domains import domain_of, is_amazon_domain, is_relay_alias
from monitor.core.links import NO_LINKS, AmazonLinks
from monitor.core.messages import Where
from monitor.parse.context import RecognitionContext
from monitor.parse.headers import Address, Headers
from monitor.parse.html import html_to_text
from monitor.parse.mime import Body, read_body

_AUTOMATIC_PRECEDENCE = ("auto_reply", "auto-reply", "autoreply")
_STAND_INS = ("reply-to", "x-original-from", "x-original-sender", "x-google-original-from", "sender")


@dataclass(slots=True)
class Mail:
    """One mail while it is read; the body is opened at the first question about it."""

    content: bytes
    headers: Headers
    start: int
    where: Where
    context: RecognitionContext
    depth: int = 0
    body_or_none: Body | None = None
    plain_or_none: str | None = None
    text_of_html: str | None = None
    source_or_none: str | None = None
    subject_or_none: str | None = None
    problems: list[str] = field(default_factory=list)
    senders: list[Address] = field(default_factory=list)
    stand_ins: list[Address] = field(default_factory=list)
    recipients: list[str] = field(default_factory=list)
    links: AmazonLinks = NO_LINKS

    @property
    def body(self) -> Body:
        """The parts, read at the first question."""
        if self.body_or_none is None:
            self.body_or_none = read_body(self.content, self.headers, self.start)
        return self.body_or_none

    @property
    def plain(self) -> str:
        """The text/plain parts as one text."""
        if self.plain_or_none is None:
            parts = [text for text in self.body.plain if text.strip()]
            self.plain_or_none = "\n".join(parts)
        return self.plain_or_none

    @property
    def source(self) -> str:
        """The HTML as written."""
        if self.source_or_none is None:
            self.source_or_none = "\n".join(self.body.markup)
        return self.source_or_none

    @property
    def html(self) -> str:
        """The HTML as text."""
        if self.text_of_html is None:
            self.text_of_html = html_to_text(self.source) if self.body.raw_markup else ""
        return self.text_of_html

    @property
    def subject(self) -> str:
        """The subject, decoded."""
        if self.subject_or_none is None:
            self.subject_or_none = self.headers.text("subject")
        return self.subject_or_none

    @property
    def is_direct(self) -> bool:
        """Whether it comes from a buyer's alias, and not from somebody who passed it on."""
        return any(is_relay_alias(address.address) for address in (*self.senders, *self.stand_ins))

    @property
    def sender(self) -> str | None:
        """The first From address."""
        return self.senders[0].address if self.senders else None


def read_addresses(mail: Mail) -> None:
    """Fill in who wrote, who may stand in for a rewritten From, and to whom it went."""
    headers = mail.headers
    mail.senders = headers.addresses("from")
    own = all(is_amazon_domain(domain_of(sender.address)) for sender in mail.senders) and mail.senders
    for name in _STAND_INS[:1] if own else _STAND_INS:
        if name in headers:
            mail.stand_ins += headers.addresses(name)
    seen: dict[str, None] = {}
    for name in ("to", "cc", "bcc", "delivered-to", "x-original-to"):
        if name in headers:
            for address in headers.addresses(name):
                seen[address.address] = None
    mail.recipients = list(seen)


def is_automatic(headers: Headers) -> bool:
    """Return whether a header says that a machine answered (RFC 3834 and what came before it)."""
    submitted = headers.get("auto-submitted").lower().partition(";")[0].strip()
    if submitted and submitted != "no":
        return True
    if "x-autoreply" in headers or "x-autorespond" in headers or "x-autoresponder" in headers:
        return True
    return headers.get("precedence").strip().lower() in _AUTOMATIC_PRECEDENCE
