"""Whether a mail is worth fetching whole, told from its headers alone. Generous: what is left out is never seen again.

Owns the predicate that keeps the worker from downloading a whole mailbox. Words of languages appear only as prefixes of
forwards, and only to read more.
"""

import re

from monitor.core.domains import domain_of, is_relay_domain, looks_like_amazon
from monitor.core.messages import Where
from monitor.parse.headers import decode_words, parse_headers

_AMAZON = re.compile(rb"amazon(?!ses\.com|aws\.com)", re.IGNORECASE)
_ANSWERS_SES = re.compile(
    rb"^(?:in-reply-to|references):[^\n]*(?:\n[ \t][^\n]*)*amazonses", re.IGNORECASE | re.MULTILINE
)
_MARKS = re.compile(
    rb"^x-space-notification-type:|^x-marketplace-id:|^x-failed-recipients:|multipart/report|message/rfc822"
    rb"|^return-path:[ \t]*<>|mailer-daemon|mail-daemon|postmaster@"
    rb"|^(?:resent-|x-forwarded|x-original-from|x-original-sender|x-google-original)",
    re.IGNORECASE | re.MULTILINE,
)
_ORDER = re.compile(r"\d{3}-\d{7}-\d{7}")
_PREFIX = re.compile(r"^\s*\[?\s*([^\W\d_][^\s:：\[\]]{0,24}(?: [^\s:：]{1,16})?)\s*\]?\s*[:：]")
_TAG = re.compile(
    r"^(?:\s*(?:\[[^\]:：]{1,40}\]|\([^):：]{1,40}\)|【[^】:：]{1,40}】|\*{1,3}[^*:：]{1,40}\*{1,3})){1,4}(?!\s*[:：])\s*(?=\S)"
)
"""What gateways and lists put before a subject: "[EXTERNAL]", "(Ext)", "【外部】", "*EXTERN*"."""

_PREFIXES_AT_MOST = 6
_ANSWERS = frozenset(["re", "aw", "sv", "antw", "odp", "ynt", "rif", "res", "r", "ref", "答复", "回复", "回覆", "返信"])
_FOLDED_WRITING = re.compile(r"a\W?m\W?a\W?z\W?o\W?n", re.IGNORECASE)


def wants_mail(header_block: bytes, where: Where, own_domains: frozenset[str] = frozenset()) -> bool:
    """Return whether the mail may have to do with Amazon, so that its text is fetched.

    In Sent: only what went to a buyer's relay. Elsewhere: whatever names Amazon in any header, decoded or not; reports of
    mail servers; subjects with an order number; forwards; anything from one of `own_domains`, where colleagues write from.

    Args:
        header_block: the mail's headers as fetched; read in part is enough.
        where: the folder's role.
        own_domains: domains of the seller's own addresses, lower-case.
    """
    if where is Where.SENT:
        return _sent_to_relay(header_block)
    if _AMAZON.search(header_block) or _MARKS.search(header_block) or _ANSWERS_SES.search(header_block):
        return True
    headers = parse_headers(header_block)
    if not headers or "from" not in headers:
        return True
    subject = decode_words(headers.get("subject"))
    if _ORDER.search(subject) or "amazon" in subject.lower() or _FOLDED_WRITING.search(subject):
        return True
    if _is_forward(subject):
        return True
    for name in ("from", "reply-to", "sender"):
        for address in headers.addresses(name):
            domain = domain_of(address.address)
            if domain in own_domains or looks_like_amazon(domain) or "amazon" in address.name.lower():
                return True
    return False


def _is_forward(subject: str) -> bool:
    """Return whether a prefix that is no answer's stands in front, be it behind tags and answers: "[Ext] Re: Fwd: …"."""
    for _ in range(_PREFIXES_AT_MOST):
        subject = _TAG.sub("", subject)
        prefix = _PREFIX.match(subject)
        if prefix is None:
            return False
        if prefix[1].lower() not in _ANSWERS:
            return True
        subject = subject[prefix.end() :]
    return False


def _sent_to_relay(header_block: bytes) -> bool:
    if not _AMAZON.search(header_block):
        return False
    headers = parse_headers(header_block)
    named = [address.address for name in ("to", "cc", "bcc", "from") for address in headers.addresses(name)]
    return any(is_relay_domain(domain_of(address)) for address in named) or not headers
