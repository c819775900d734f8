"""DKIM keys from the DNS, asked for once and remembered: for mailboxes that hold no server's verdict.

Owns the look-up and its cache. Only the key of an Amazon domain is ever asked for (the caller checks the domain).
"""

import re
from collections import OrderedDict
from collections.abc import Callable
from datetime import datetime, timedelta

from monitor.parse.context import DkimKeys

KEPT_AT_MOST = 200
REMEMBERED = timedelta(hours=12)
FORGOTTEN_WHEN_MISSING = timedelta(minutes=10)
TIMEOUT_SECONDS = 3.0

_LABEL = re.compile(r"[a-z0-9](?:[a-z0-9._-]{0,120}[a-z0-9])?", re.IGNORECASE)


def build_dkim_keys(now: Callable[[], datetime], fetch: Callable[[str, float], bytes | None] | None = None) -> DkimKeys:
    """Return a look-up of DKIM keys with a bounded memory.

    Args:
        now: the wall clock; aware UTC.
        fetch: asks the DNS for a name's TXT record within so many seconds; default: `fetch_txt`.
    """
    ask = fetch or fetch_txt
    known: OrderedDict[str, tuple[datetime, bytes | None]] = OrderedDict()

    def key_of(selector: str, domain: str) -> bytes | None:
        name = f"{selector}._domainkey.{domain}."
        if not _LABEL.fullmatch(selector) or not _LABEL.fullmatch(domain) or len(name) > 253:
            return None
        instant = now()
        kept = known.get(name)
        if kept is not None and instant - kept[0] < (REMEMBERED if kept[1] else FORGOTTEN_WHEN_MISSING):
            return kept[1]
        record = ask(name, TIMEOUT_SECONDS)
        known[name] = (instant, record)
        known.move_to_end(name)
        while len(known) > KEPT_AT_MOST:
            known.popitem(last=False)
        return record

    return key_of


def fetch_txt(name: str, timeout_seconds: float) -> bytes | None:
    """Return a name's TXT record from the DNS, None when there is none or no answer in time."""
    import dns.exception
    import dns.resolver

    try:
        answer = dns.resolver.resolve(name, "TXT", lifetime=timeout_seconds, search=False)
    except (dns.exception.DNSException, OSError):
        return None
    for record in answer:
        text = b"".join(record.strings)
        if b"p=" in text:
            return text
    return None
