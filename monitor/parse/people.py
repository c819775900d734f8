"""Who and where: alias, name, order and marketplace of a mail.

Owns the small readers that look at one thing each.
"""

import re

from monitor.core.delimiters import order_line
from monitor.core.domains import amazon_tld, domain_of, is_relay_alias, split_alias
from monitor.core.marketplaces import BY_DOMAIN, BY_HOST, BY_ID, BY_TLD
from monitor.parse.reading import Mail

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
_BRACKETS = re.compile(r"\[[^\[\]]{0,300}\]|\([^()]{0,300}\)|（[^（）]{0,300}）")


def order_in(text: str) -> str | None:
    """Return the first order number of a text, digits of any script read."""
    match = _ORDER.search(text)
    if match is not None and match[0].isascii():
        return match[0]
    if match is None and text.isascii():
        return None
    match = _ORDER.search(text.translate(_NOT_ASCII_ORDER))
    return match[0] if match and match[0].isascii() else None


def template_order(head: str) -> str | None:
    """Return the order of the template's `#` line, digits of any script read."""
    if "#" not in head and "＃" not in head:
        return None
    return order_line(head) or (None if head.isascii() else order_line(head.translate(_NOT_ASCII_ORDER)))


def country_of_domain(domain: str) -> str | None:
    """Return the marketplace of a relay domain, None for an unknown one."""
    market = BY_DOMAIN.get(domain)
    return market.country if market else None


def alias_of(mail: Mail) -> tuple[str | None, str | None, str | None, str]:
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


def buyer_name(name: str) -> str | None:
    """Return the name without what Amazon or a mailing list put around it."""
    name = name.strip()
    for separator in (" - ", " – ", " — "):
        head, found, tail = name.rpartition(separator)
        if found and "amazon" in tail.lower():
            name = head
    name = re.sub(r"^'(.{1,100})' (?:via|über|par|por|tramite) .{1,100}$", r"\1", name).strip().strip("'\"").strip()
    return name[:200] if name and "@" not in name else None


def country_of(mail: Mail, alias: str | None) -> str | None:
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


def name_in_copy(subject: str) -> str | None:
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
