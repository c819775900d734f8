"""What a mail shows: gathered for `monitor.core.classify`, which decides.

Owns where each signal is looked for. Opens the body only where the headers leave the kind open.
"""

import re
from datetime import datetime

from monitor.core.classify import (
    LABEL_OF_TYPE,
    Evidence,
)
from monitor.core.domains import amazon_tld, domain_of, is_amazon_domain, is_relay_alias, is_relay_domain
from monitor.core.links import NO_LINKS, AmazonLinks, find_urls, read_links
from monitor.core.messages import Where
from monitor.core.quoting import DASHES
from monitor.parse.html import find_links
from monitor.parse.reading import Mail, is_automatic
from monitor.parse.reports import Refusal, has_opt_out_shape, is_report, read_report

SHORTEST_WRAP = 30  # characters of a line that a hard wrap may have ended inside an address
_AMAZON_NAME = re.compile(r"amazon(?:\.[a-z]{2,3}){1,2}\b|amazon$", re.IGNORECASE)
_DASHED = re.compile(rf"[{DASHES}]{{5,}}")


def gather_evidence(mail: Mail, instant: datetime) -> tuple[Evidence, Refusal]:
    """Return what the mail shows, and what a report in it names."""
    headers = mail.headers
    senders = tuple(sender.address for sender in mail.senders)
    relay_recipients = tuple(address for address in mail.recipients if is_relay_domain(domain_of(address)))
    type_header = headers.get("x-space-notification-type").strip()[:80]
    automatic = is_automatic(headers)
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


def _links(mail: Mail) -> AmazonLinks:
    """Return what Amazon's links say: the text's, else the HTML's, else the text's with broken lines joined."""
    plain, last = mail.plain, mail.is_direct
    links = read_links(find_urls(plain), last=last) if "://" in plain else NO_LINKS
    if links.complete and links.types:
        return links
    if mail.body.raw_markup:
        other = read_links(find_links(mail.source), last=last)
        if (
            other.complete
            or (other.tells and not links.tells)
            or (other.types and not links.types and not links.signed)
        ):
            return other
        if not links.tells and "://" in mail.source:
            links = read_links(find_urls(mail.html), last=last) if not other.fake_host else other
    if not links.complete and "amazon" in plain and "://" in plain:
        joined = read_links(find_urls(_join_broken_urls(plain)), last=last)
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


def _has_confirmation_shape(mail: Mail) -> bool:
    """Return whether all four marks of a confirmation copy are there: sender, name, token and two dashed lines."""
    if not _AMAZON_NAME.match(mail.senders[0].name.strip()):
        return False
    if "[commmgrtok:" not in (mail.subject + "\n" + mail.plain[:50_000] + mail.source).lower():
        return False
    return len(_DASHED.findall(mail.html)) >= 2 or len(_DASHED.findall(mail.plain)) >= 2
