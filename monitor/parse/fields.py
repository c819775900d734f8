"""The facts of a Message, once its kind is known.

Owns where each fact is taken from: an order never from the buyer's words, a marketplace first from the alias.
"""

import hashlib
import re
from datetime import datetime

from monitor.core.classify import (
    LABEL_OF_TYPE,
    Decision,
    SignalName,
)
from monitor.core.delimiters import Words, above_words, item_line, order_line, outside_words, read_words
from monitor.core.domains import domain_of, is_amazon_domain, is_relay_alias, is_relay_domain, split_alias
from monitor.core.labels import Labelled, label_words, ordered
from monitor.core.marketplaces import BY_COUNTRY
from monitor.core.messages import Authenticity, Kind, Message, Where
from monitor.parse.authenticity import signature_verdict, verdict
from monitor.parse.dates import NOWHERE
from monitor.parse.headers import Headers, message_ids
from monitor.parse.language import detect_language
from monitor.parse.people import (
    alias_of,
    buyer_name,
    country_of,
    country_of_domain,
    name_in_copy,
    order_in,
    template_order,
)
from monitor.parse.reading import Mail, is_automatic
from monitor.parse.reports import Refusal, read_opt_out
from monitor.parse.wordlists import label_book

_SPACES = re.compile(r"\s+")


def fill_fields(mail: Mail, decision: Decision, refusal: Refusal, instant: datetime) -> Message:
    """Return the message of this kind with the facts that its kind has."""
    kind = decision.kind
    headers = mail.headers
    base = {
        "kind": kind,
        "received_at": instant,
        "where": mail.where,
        "signals": decision.signals,
        "message_id": message_id_of(mail),
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
    base["problem"] = problem_of(mail)
    return Message(**base)  # type: ignore[arg-type]


def problem_of(mail: Mail, more: str | None = None) -> str | None:
    """Return what was wrong with the mail, in one line without content; None when it was sound."""
    problems = [*mail.problems, *([more] if more else [])]
    return "; ".join(dict.fromkeys(problems))[:300] or None


def message_id_of(mail: Mail) -> str | None:
    """Return the Message-ID without brackets, None when there is none."""
    found = message_ids(mail.headers.get("message-id"))
    return found[0][:500] if found else None


def _references(headers: Headers) -> tuple[str, ...]:
    if "in-reply-to" not in headers and "references" not in headers:
        return ()
    nearest = message_ids(headers.get("in-reply-to"))[:5]
    nearest += reversed(message_ids(headers.get("references")[:20_000])[-50:])
    return tuple(dict.fromkeys(found[:500] for found in nearest))


def _reply_fields(mail: Mail) -> dict[str, object]:
    to = next(address for address in mail.recipients if is_relay_domain(domain_of(address)))
    alias, suffix = split_alias(to)
    return {
        "alias": alias,
        "alias_suffix": suffix,
        "marketplace": country_of_domain(domain_of(alias)),
        "order_id": order_in(mail.subject),
    }


def _buyer_fields(mail: Mail) -> dict[str, object]:
    alias, suffix, reply_address, name = alias_of(mail)
    forwarded = not mail.is_direct
    words = _words(mail, forwarded)
    links = mail.links
    quoted = words.quoted_markers and not forwarded  # and so are the links: they name the message that was answered
    head = words.head
    order = order_in(mail.subject) or template_order(head)
    asin = item_line(head)
    if order is None and asin is None and mail.plain and mail.body.raw_markup and not words.own_program:
        other = read_words(mail.html, forwarded=forwarded).head
        order = order or template_order(other)
        asin = asin or item_line(other)
    market = country_of(mail, alias)
    labelled = label_words(words.text, mail.subject, label_book(mail.context.label_rules))
    if is_automatic(mail.headers) and "out_of_office" not in labelled.labels and "in-reply-to" in mail.headers:
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
        "message_key": None if quoted else links.message_key,
        "thread_token": links.thread_token,
        "buyer_name": buyer_name(name),
        "buyer_text": words.text if want_text else None,
        "text_digest": text_digest(words.text),
        "language": detect_language(words.text) if want_text and words.text else None,
        "labels": labelled.labels,
        "priority": labelled.priority,
        "notice_type": next(iter(_header_type(mail)), None) or (links.types[0] if links.types else None),
        "seller_central_url": _seller_central_url(mail, market),
        "no_response_url": None if quoted else links.signed_url,
    }


def _amazon_fields(mail: Mail, decision: Decision, refusal: Refusal, instant: datetime) -> dict[str, object]:
    """Fields of notices, copies and refusals."""
    kind = decision.kind
    links = mail.links
    order = refusal.order_id or order_in(mail.subject)
    alias, references, refused_at = refusal.alias, refusal.message_ids, refusal.refused_at
    market = country_of(mail, alias)
    from_report = bool(decision.signals) and decision.signals[0].name == SignalName.DELIVERY_REPORT
    if kind is Kind.DELIVERY_FAILURE and not from_report:
        text = mail.html or mail.plain
        opt_out = read_opt_out(mail.source, text, mail.subject, instant, "com" if market == "US" else "")
        alias, order, refused_at = opt_out.alias, order or opt_out.order_id, opt_out.refused_at
        market = market or country_of(mail, alias)
    elif kind is not Kind.DELIVERY_FAILURE and alias is None:
        relays = [a.address for a in [*mail.stand_ins, *mail.senders] if is_relay_alias(a.address)]
        alias = split_alias(relays[0])[0] if relays else None
    if order is None:
        order = _order_above_words(mail) if kind is Kind.CONFIRMATION_COPY else _order_in_template(mail)
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
        fields["buyer_name"] = name_in_copy(mail.subject)
        words = _words(mail, forwarded=True)
        fields["text_digest"] = text_digest(words.text)
        fields["message_key"] = None
        fields["thread_token"] = links.thread_token
    return fields


def _words(mail: Mail, forwarded: bool) -> Words:
    plain = mail.plain
    words = read_words(plain, forwarded=forwarded) if plain else Words("")
    if (words.enclosed and not words.flattened) or not mail.body.raw_markup:
        return words
    other = read_words(mail.html, forwarded=forwarded)
    if (other.enclosed and not other.flattened) or (other.head and not words.head and not words.own_program):
        return other
    return words if words.enclosed or words.text else other


def _seller_central_url(mail: Mail, market: str | None) -> str | None:
    links = mail.links
    if links.inbox_url:
        return links.inbox_url
    if links.seller_central_host:
        return f"https://{links.seller_central_host}/messaging/inbox"
    found = BY_COUNTRY.get(market or "")
    return f"https://{found.seller_central_host}/messaging/inbox" if found else None


def text_digest(text: str) -> str:
    """Return a hex digest of words without case, width and spacing; "" for none."""
    normal = _SPACES.sub(" ", text).strip().casefold()
    return hashlib.blake2b(normal.encode("utf-8", "replace"), digest_size=16).hexdigest() if normal else ""


def _order_in_template(mail: Mail) -> str | None:
    """Return the order a notice names outside the quoted words: in the text, else in the HTML."""
    for text in (mail.plain, mail.html):
        if text:
            template = outside_words(text)
            found = order_line(template) or order_in(template)
            if found:
                return found
    return None


def _order_above_words(mail: Mail) -> str | None:
    """Return the order a copy names above the seller's words, which may speak of another buyer's: it stops a clock."""
    for text in (mail.plain, mail.html):
        above = above_words(text)
        found = template_order(above) or (order_in(above) if above != text else None)
        if found:
            return found
    return None


def _header_type(mail: Mail) -> tuple[str, ...]:
    found = mail.headers.get("x-space-notification-type").strip()[:80]
    return (found,) if found else ()


def _authenticity(mail: Mail, kind: Kind) -> Authenticity:
    found = _verdict(mail, kind)
    if kind is Kind.CONFIRMATION_COPY and found is Authenticity.PASSED and not _is_written_to_us(mail):
        # Amazon's own words to somebody else, sent again by whoever received them: what makes them a copy is not signed.
        return Authenticity.UNKNOWN
    return found


def _is_written_to_us(mail: Mail) -> bool:
    """Return whether To, which Amazon signs, names an own address or domain. True where it is not known where Amazon writes.

    Cc, Delivered-To and the like are not asked: anybody may add them.
    """
    own, domains = mail.context.own_addresses, mail.context.own_domains
    if not mail.context.recipients_known:
        return True
    if len(mail.headers.all("to")) != 1:
        return False
    to = [found.address for found in mail.headers.addresses("to")]
    return any(address in own or domain_of(address) in domains for address in to)


def _verdict(mail: Mail, kind: Kind) -> Authenticity:
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
    return checked
