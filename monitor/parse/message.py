"""Bytes to Message: the one way in, for the worker and for `replyby explain` alike.

Owns the gathering of evidence and the filling of fields. Reads only as much of a mail as its kind needs: a notice whose
subject names the order is never opened. Never raises and never waits on anything, whatever the bytes.
"""

import hashlib
import re
from dataclasses import dataclass, field
from datetime import datetime

from monitor.core.classify import (
    LABEL_OF_TYPE,
    Decision,
    Evidence,
    SignalName,
    classify,
)
from monitor.core.delimiters import DASHES, Words, item_line, order_line, outside_words, read_words
from monitor.core.domains import amazon_tld, domain_of, is_amazon_domain, is_relay_alias, is_relay_domain, split_alias
from monitor.core.labels import Labelled, label_words, ordered
from monitor.core.links import NO_LINKS, AmazonLinks, find_urls, read_links
from monitor.core.marketplaces import BY_COUNTRY, BY_DOMAIN, BY_HOST, BY_ID, BY_TLD
from monitor.core.messages import Authenticity, Kind, Message, Signal, Where
from monitor.parse.authenticity import signature_verdict, verdict
from monitor.parse.context import RecognitionContext
from monitor.parse.dates import NOWHERE, received_at
from monitor.parse.headers import Address, Headers, message_ids, parse_headers, split_mail
from monitor.parse.html import find_links, html_to_text
from monitor.parse.language import detect_language
from monitor.parse.mime import Body, read_body
from monitor.parse.reports import Refusal, has_opt_out_shape, is_report, read_opt_out, read_report
from monitor.parse.wordlists import label_book

MAX_ATTACHED_DEPTH = 2
SHORTEST_WRAP = 30  # characters of a line that a hard wrap may have ended inside an address

_ORDER = re.compile(r"(?<![\w-])\d{3}-\d{7}-\d{7}(?![\w-])")
_NOT_ASCII_ORDER = str.maketrans(
    {
        **{chr(0xFF10 + digit): str(digit) for digit in range(10)},
        **{chr(0x660 + digit): str(digit) for digit in range(10)},
    }
    | dict.fromkeys("‐‑‒–−－﹣", "-")
    | dict.fromkeys("\u200b\u200e\u200f\u202a\u202b\u202c\u2066\u2067\u2068\u2069\ufeff", None)
)
_RELAY_ADDRESS = re.compile(r"[A-Za-z0-9._+-]{1,100}@marketplace\.amazon\.[A-Za-z.]{2,20}", re.IGNORECASE)
_AMAZON_NAME = re.compile(r"amazon(?:\.[a-z]{2,3}){1,2}\b|amazon$", re.IGNORECASE)
_AUTOMATIC_PRECEDENCE = ("auto_reply", "auto-reply", "autoreply")
_STAND_INS = ("reply-to", "x-original-from", "x-original-sender", "x-google-original-from", "sender")
_BRACKETS = re.compile(r"\[[^\[\]]{0,300}\]|\([^()]{0,300}\)|（[^（）]{0,300}）")
_DASHED = re.compile(rf"[{DASHES}]{{5,}}")
_SPACES = re.compile(r"\s+")


@dataclass(slots=True)
class _Mail:
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
        if self.body_or_none is None:
            self.body_or_none = read_body(self.content, self.headers, self.start)
        return self.body_or_none

    @property
    def plain(self) -> str:
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
        if self.subject_or_none is None:
            self.subject_or_none = self.headers.text("subject")
        return self.subject_or_none

    @property
    def sender(self) -> str | None:
        return self.senders[0].address if self.senders else None


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
    mail = _Mail(content, headers, start, where, context)
    _read_addresses(mail)
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


def _read_addresses(mail: _Mail) -> None:
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


def _recognise(mail: _Mail, instant: datetime) -> Message:
    """Return the message for one mail, whether it came by itself or attached to another."""
    evidence, refusal = _evidence(mail, instant)
    decision = classify(evidence)
    return _fill(mail, decision, refusal, instant)


def _recognise_attached(mail: _Mail, instant: datetime) -> Message | None:
    """Return what a mail forwarded as an attachment means; its own verdicts prove nothing here."""
    if mail.where is Where.SENT or mail.depth >= MAX_ATTACHED_DEPTH:
        return None
    for inner_headers, inner_body in mail.body.attached:
        inner = _Mail(b"", inner_headers, 0, mail.where, mail.context, mail.depth + 1, inner_body)
        _read_addresses(inner)
        sent, problem = received_at(inner_headers.get("date"), internaldate=None)
        inner_instant = sent if not problem and sent <= instant else instant
        message = _recognise(inner, inner_instant)
        if message.kind in (Kind.UNRELATED, Kind.SELLER_REPLY, Kind.AUTO_REPLY):
            continue
        fields = {name: getattr(message, name) for name in Message.__dataclass_fields__}
        fields.update(
            signals=(Signal(SignalName.FORWARDED_MAIL, "attached"), *message.signals),
            sender=mail.sender,
            recipients=tuple(mail.recipients),
            message_id=_message_id(mail),
            authenticity=Authenticity.UNKNOWN,
            problem=_problem(mail, message.problem),
        )
        return Message(**fields)
    return None


def _evidence(mail: _Mail, instant: datetime) -> tuple[Evidence, Refusal]:
    headers = mail.headers
    senders = tuple(sender.address for sender in mail.senders)
    relay_recipients = tuple(address for address in mail.recipients if is_relay_domain(domain_of(address)))
    type_header = headers.get("x-space-notification-type").strip()[:80]
    automatic = _automatic(headers)
    relay = any(is_relay_alias(sender) for sender in senders)
    if mail.where is Where.SENT and not relay:
        return Evidence(
            where=mail.where, senders=senders, relay_recipients=relay_recipients, automatic=automatic
        ), Refusal()
    amazon = any(is_amazon_domain(domain_of(sender)) for sender in senders)
    confirmation = opt_out = report = False
    refusal = Refusal()
    header_only = amazon and not relay and type_header in LABEL_OF_TYPE
    if not header_only:
        report = not relay and is_report(headers, mail.body, senders)
        refusal = read_report(headers, mail.body) if report else refusal
        mail.links = _links(mail)
    if amazon and not relay and not type_header and not mail.links.signed and not mail.links.report_host:
        local, _, domain = senders[0].rpartition("@")
        if local == "donotreply" and amazon_tld(domain):
            confirmation = _has_confirmation_shape(mail)
        elif local == "auto-communication" and not mail.links.types:
            opt_out = has_opt_out_shape(mail.source, mail.html)
    evidence = Evidence(
        where=mail.where,
        senders=senders,
        stand_ins=tuple(address.address for address in mail.stand_ins),
        relay_recipients=relay_recipients,
        own_addresses=mail.context.own_addresses,
        type_header=type_header,
        links=mail.links,
        confirmation_shape=confirmation,
        opt_out_shape=opt_out,
        automatic=automatic,
        report=report,
        report_names=refusal.names,
        report_delayed=refusal.delayed,
        from_replyby="x-replyby" in headers,
    )
    return evidence, refusal


def _automatic(headers: Headers) -> bool:
    """Return whether a header says that a machine answered (RFC 3834 and what came before it)."""
    submitted = headers.get("auto-submitted").lower().partition(";")[0].strip()
    if submitted and submitted != "no":
        return True
    if "x-autoreply" in headers or "x-autorespond" in headers or "x-autoresponder" in headers:
        return True
    return headers.get("precedence").strip().lower() in _AUTOMATIC_PRECEDENCE


def _links(mail: _Mail) -> AmazonLinks:
    """Return what Amazon's links say: the text's, else the HTML's, else the text's with broken lines joined."""
    plain = mail.plain
    links = read_links(find_urls(plain)) if "://" in plain else NO_LINKS
    if links.complete and links.types:
        return links
    if mail.body.raw_markup:
        other = read_links(find_links(mail.source))
        if (
            other.complete
            or (other.tells and not links.tells)
            or (other.types and not links.types and not links.signed)
        ):
            return other
        if not links.tells and "://" in mail.source:
            links = read_links(find_urls(mail.html)) if not other.fake_host else other
    if not links.complete and "amazon" in plain and "://" in plain:
        joined = read_links(find_urls(_join_broken_urls(plain)))
        if joined.complete or (joined.tells and not links.tells):
            return joined
    return links


def _join_broken_urls(text: str) -> str:
    """Return the text with lines joined that a hard wrap broke inside an address."""
    lines = text[:100_000].split("\n")
    joined: list[str] = []
    in_url = False
    for line in lines:
        bare = line.strip()
        if in_url and bare and " " not in bare and "://" not in bare and not bare.startswith(("-", "#", ">")):
            joined[-1] += bare
            in_url = len(bare) >= SHORTEST_WRAP or bare.endswith(("=", "&"))
            continue
        joined.append(line.rstrip() if "://" in line else line)
        last = bare.rpartition(" ")[2]
        in_url = "://" in last and len(bare) >= SHORTEST_WRAP
    return "\n".join(joined)


def _has_confirmation_shape(mail: _Mail) -> bool:
    """Return whether all four marks of a confirmation copy are there: sender, name, token and two dashed lines."""
    if not _AMAZON_NAME.match(mail.senders[0].name.strip()):
        return False
    if "[commmgrtok:" not in (mail.subject + "\n" + mail.plain[:50_000] + mail.source).lower():
        return False
    return len(_DASHED.findall(mail.html)) >= 2 or len(_DASHED.findall(mail.plain)) >= 2


def _fill(mail: _Mail, decision: Decision, refusal: Refusal, instant: datetime) -> Message:
    kind = decision.kind
    headers = mail.headers
    base = {
        "kind": kind,
        "received_at": instant,
        "where": mail.where,
        "signals": decision.signals,
        "message_id": _message_id(mail),
        "sender": mail.sender,
        "recipients": tuple(mail.recipients),
        "references": _references(headers),
    }
    if kind in (Kind.SELLER_REPLY, Kind.AUTO_REPLY):
        base.update(_reply_fields(mail))
    elif kind is Kind.BUYER_MESSAGE:
        base.update(_buyer_fields(mail))
    elif kind in (Kind.NOTICE, Kind.CONFIRMATION_COPY, Kind.DELIVERY_FAILURE):
        base.update(_amazon_fields(mail, decision, refusal, instant))
    if mail.where is not Where.SENT and kind is not Kind.UNRELATED:
        base["authenticity"] = _authenticity(mail, kind)
    if mail.body_or_none is not None:
        mail.problems += mail.body_or_none.problems
    base["problem"] = _problem(mail)
    return Message(**base)  # type: ignore[arg-type]


def _problem(mail: _Mail, more: str | None = None) -> str | None:
    problems = [*mail.problems, *([more] if more else [])]
    return "; ".join(dict.fromkeys(problems))[:300] or None


def _message_id(mail: _Mail) -> str | None:
    found = message_ids(mail.headers.get("message-id"))
    return found[0][:500] if found else None


def _references(headers: Headers) -> tuple[str, ...]:
    if "in-reply-to" not in headers and "references" not in headers:
        return ()
    nearest = message_ids(headers.get("in-reply-to"))[:5]
    nearest += reversed(message_ids(headers.get("references")[:20_000])[-50:])
    return tuple(dict.fromkeys(found[:500] for found in nearest))


def _reply_fields(mail: _Mail) -> dict[str, object]:
    to = next(address for address in mail.recipients if is_relay_domain(domain_of(address)))
    alias, suffix = split_alias(to)
    return {
        "alias": alias,
        "alias_suffix": suffix,
        "marketplace": _country_of_domain(domain_of(alias)),
        "order_id": _order_in(mail.subject),
    }


def _order_in(text: str) -> str | None:
    """Return the first order number of a text, digits of any script read."""
    match = _ORDER.search(text)
    if match is not None and match[0].isascii():
        return match[0]
    if match is None and text.isascii():
        return None
    match = _ORDER.search(text.translate(_NOT_ASCII_ORDER))
    return match[0] if match and match[0].isascii() else None


def _order_line(head: str) -> str | None:
    """Return the order of the template's `#` line, digits of any script read."""
    if "#" not in head and "＃" not in head:
        return None
    return order_line(head) or (None if head.isascii() else order_line(head.translate(_NOT_ASCII_ORDER)))


def _country_of_domain(domain: str) -> str | None:
    market = BY_DOMAIN.get(domain)
    return market.country if market else None


def _alias_of(mail: _Mail) -> tuple[str | None, str | None, str | None, str]:
    """Return alias, suffix, the full address to reply to, and the buyer's display name."""
    candidates = [*mail.senders, *mail.stand_ins]
    relays = [address for address in candidates if is_relay_alias(address.address)]
    if not relays:
        # Passed on by a person: the quoted header lines of the original name the alias.
        for text in (mail.plain, mail.html):
            for match in _RELAY_ADDRESS.finditer(text[:100_000]):
                address = match[0].lower().rstrip(".")
                if is_relay_alias(address):
                    alias, suffix = split_alias(address)
                    return alias, suffix, address, ""
        return None, None, None, ""
    alias, suffix = split_alias(relays[0].address)
    full = relays[0].address
    for relay in relays[1:]:
        other, other_suffix = split_alias(relay.address)
        if other == alias and other_suffix and not suffix:
            suffix, full = other_suffix, relay.address
    reply_to = next((address.address for address in mail.stand_ins if split_alias(address.address)[0] == alias), None)
    named = next((relay for relay in relays if relay.raw_name), mail.senders[0] if mail.senders else relays[0]).name
    return alias, suffix, reply_to if reply_to and (not suffix or suffix in reply_to) else full, named


def _buyer_name(name: str) -> str | None:
    """Return the name without what Amazon or a mailing list put around it."""
    name = name.strip()
    for separator in (" - ", " – ", " — "):
        head, found, tail = name.rpartition(separator)
        if found and "amazon" in tail.lower():
            name = head
    name = re.sub(r"^'(.{1,100})' (?:via|über|par|por|tramite) .{1,100}$", r"\1", name).strip().strip("'\"").strip()
    return name[:200] if name and "@" not in name else None


def _words(mail: _Mail, forwarded: bool) -> Words:
    plain = mail.plain
    words = read_words(plain, forwarded=forwarded) if plain else Words("")
    if (words.enclosed and not words.flattened) or not mail.body.raw_markup:
        return words
    other = read_words(mail.html, forwarded=forwarded)
    if (other.enclosed and not other.flattened) or (other.head and not words.head and not words.own_program):
        return other
    return words if words.enclosed or words.text else other


def _buyer_fields(mail: _Mail) -> dict[str, object]:
    alias, suffix, reply_address, name = _alias_of(mail)
    forwarded = not any(is_relay_alias(address.address) for address in [*mail.senders, *mail.stand_ins])
    words = _words(mail, forwarded)
    links = mail.links
    head = words.head
    order = _order_in(mail.subject) or _order_line(head)
    asin = item_line(head)
    if order is None and asin is None and mail.plain and mail.body.raw_markup and not words.own_program:
        other = read_words(mail.html, forwarded=forwarded).head
        order = order or _order_line(other)
        asin = asin or item_line(other)
    market = _marketplace(mail, alias)
    labelled = label_words(words.text, mail.subject, label_book(mail.context.label_rules))
    if _automatic(mail.headers) and "out_of_office" not in labelled.labels and "in-reply-to" in mail.headers:
        labelled = ordered({"out_of_office"}, label_book(mail.context.label_rules).priorities)
    want_text = mail.context.want_text
    return {
        "alias": alias,
        "alias_suffix": suffix,
        "reply_address": reply_address,
        "marketplace": market,
        "order_id": order,
        "asin": asin,
        "merchant_id": links.merchant_id,
        "message_key": links.message_key,
        "thread_token": links.thread_token,
        "buyer_name": _buyer_name(name),
        "buyer_text": words.text if want_text else None,
        "text_digest": text_digest(words.text),
        "language": detect_language(words.text) if want_text and words.text else None,
        "labels": labelled.labels,
        "priority": labelled.priority,
        "notice_type": next(iter(_header_type(mail)), None) or (links.types[0] if links.types else None),
        "seller_central_url": _seller_central_url(mail, market),
        "no_response_url": links.signed_url,
    }


def _header_type(mail: _Mail) -> tuple[str, ...]:
    found = mail.headers.get("x-space-notification-type").strip()[:80]
    return (found,) if found else ()


def text_digest(text: str) -> str:
    """Return a hex digest of words without case, width and spacing; "" for none."""
    normal = _SPACES.sub(" ", text).strip().casefold()
    return hashlib.blake2b(normal.encode("utf-8", "replace"), digest_size=16).hexdigest() if normal else ""


def _seller_central_url(mail: _Mail, market: str | None) -> str | None:
    links = mail.links
    if links.inbox_url:
        return links.inbox_url
    if links.seller_central_host:
        return f"https://{links.seller_central_host}/messaging/inbox"
    found = BY_COUNTRY.get(market or "")
    return f"https://{found.seller_central_host}/messaging/inbox" if found else None


def _marketplace(mail: _Mail, alias: str | None) -> str | None:
    """Return the country: the alias's relay domain first, then Amazon's ids, then hosts and names."""
    if alias:
        market = BY_DOMAIN.get(domain_of(alias))
        if market is not None:
            return market.country
    links = mail.links
    for marketplace_id in (mail.headers.get("x-marketplace-id").strip(), links.marketplace_id):
        if marketplace_id and marketplace_id in BY_ID:
            return BY_ID[marketplace_id].country
    if alias:
        return None
    for host in (links.signed_host, links.report_host, links.seller_central_host):
        tld = amazon_tld(host) if host else None
        if tld and tld in BY_TLD and (tld != "com" or host in BY_HOST):
            return BY_TLD[tld].country
    for sender in mail.senders:
        tld = amazon_tld(domain_of(sender.address))
        if tld and tld != "com" and tld in BY_TLD:
            return BY_TLD[tld].country
        named = re.fullmatch(r"amazon\.([a-z.]{2,7})", sender.name.strip().lower())
        if tld and named and named[1] in BY_TLD:
            return BY_TLD[named[1]].country
    return None


def _amazon_fields(mail: _Mail, decision: Decision, refusal: Refusal, instant: datetime) -> dict[str, object]:
    """Fields of notices, copies and refusals."""
    kind = decision.kind
    links = mail.links
    order = refusal.order_id or _order_in(mail.subject)
    alias, references, refused_at = refusal.alias, refusal.message_ids, refusal.refused_at
    market = _marketplace(mail, alias)
    from_report = bool(decision.signals) and decision.signals[0].name == SignalName.DELIVERY_REPORT
    if kind is Kind.DELIVERY_FAILURE and not from_report:
        text = mail.html or mail.plain
        opt_out = read_opt_out(mail.source, text, mail.subject, instant, "com" if market == "US" else "")
        alias, order, refused_at = opt_out.alias, order or opt_out.order_id, opt_out.refused_at
        market = market or _marketplace(mail, alias)
    elif kind is not Kind.DELIVERY_FAILURE and alias is None:
        relays = [a.address for a in [*mail.stand_ins, *mail.senders] if is_relay_alias(a.address)]
        alias = split_alias(relays[0])[0] if relays else None
    if order is None:
        order = _order_in_template(mail)
    label = LABEL_OF_TYPE.get(decision.notice_type or "")
    labelled = ordered((label,), label_book(mail.context.label_rules).priorities) if label else Labelled()
    fields: dict[str, object] = {
        "alias": alias,
        "order_id": order,
        "marketplace": market,
        "merchant_id": links.merchant_id,
        "notice_type": decision.notice_type,
        "labels": labelled.labels,
        "priority": labelled.priority,
    }
    if kind is Kind.DELIVERY_FAILURE:
        fields["refused_at"] = refused_at if refused_at is None or refused_at <= instant or instant == NOWHERE else None
        fields["references"] = references or _references(mail.headers)
    if kind is Kind.CONFIRMATION_COPY:
        fields["buyer_name"] = _name_in_copy(mail.subject)
        words = _words(mail, forwarded=True)
        fields["text_digest"] = text_digest(words.text)
        fields["message_key"] = None
        fields["thread_token"] = links.thread_token
    return fields


def _order_in_template(mail: _Mail) -> str | None:
    """Return the order a notice or copy names outside the quoted words: in the text, else in the HTML."""
    for text in (mail.plain, mail.html):
        if text:
            template = outside_words(text)
            found = order_line(template) or _order_in(template)
            if found:
                return found
    return None


def _name_in_copy(subject: str) -> str | None:
    """Return the buyer's first name of a copy's subject: what stands last ("Your e-mail to <name>"), in any language."""
    bare = _BRACKETS.sub(" ", subject).strip().rstrip(".:!")
    honoured = re.search(r"([^\s　]{1,40}?)\s?(?:様|さん)", bare)
    if honoured:
        return honoured[1]
    words = bare.split()
    if len(words) < 2:
        return None
    first = len(words) - 1
    while (
        first > 1
        and words[first - 1][:1].isupper()
        and not words[first - 1].lower().startswith(("e-mail", "mail", "amazon"))
    ):
        first -= 1
    return " ".join(words[first:])[:100]


def _authenticity(mail: _Mail, kind: Kind) -> Authenticity:
    if not mail.senders:
        return Authenticity.UNKNOWN
    domains = {domain_of(sender.address) for sender in mail.senders}
    if len(domains) != 1 or len(mail.headers.all("from")) != 1:
        return Authenticity.UNKNOWN
    found = verdict(mail.headers, next(iter(domains)), mail.context.authserv_ids)
    if found is not Authenticity.UNKNOWN or mail.depth or mail.context.dkim_keys is None:
        return found
    if kind not in (Kind.BUYER_MESSAGE, Kind.CONFIRMATION_COPY) or not is_amazon_domain(next(iter(domains))):
        return found
    checked = signature_verdict(mail.content, mail.headers, mail.context.dkim_keys)
    if checked is Authenticity.FAILED and any("truncated" in problem for problem in mail.body.problems):
        return Authenticity.UNKNOWN
    own = mail.context.own_addresses
    if kind is Kind.CONFIRMATION_COPY and checked is Authenticity.PASSED and own and not own & set(mail.recipients):
        # Amazon's signature on a copy written for somebody else: sent again by whoever received it.
        return Authenticity.UNKNOWN
    return checked
