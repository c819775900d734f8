"""Whether Amazon wrote the mail: the receiving server's verdict, else a DKIM signature checked here.

Owns whom to believe. Only Authentication-Results of a configured authserv-id count, and of those only the block the server
itself put on top: anybody can write such a header into a mail. A forward breaks both, so "failed" never silences a buyer.
"""

import re

from monitor.core.domains import domain_of, is_amazon_domain, is_proof_domain
from monitor.core.messages import Authenticity
from monitor.parse.context import DkimKeys
from monitor.parse.headers import Headers

MAX_SIGNED = 5_000_000
"""Bytes of a mail whose signature is checked here."""

MAX_SIGNATURES = 4
MAX_VALUE = 5_000

_COMMENT = re.compile(r"\([^()]*+\)")
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*+)"')
_METHOD = re.compile(r"^([a-z0-9_-]+)(?:/\d+)?\s*=\s*([a-z]+)", re.IGNORECASE)
_PROPERTY = re.compile(r"(?<![a-z0-9_.-])([a-z0-9_-]+\.[a-z0-9_-]+)\s*=\s*([^\s;]+)", re.IGNORECASE)
_TAG = re.compile(r"(?:^|;)\s*([a-z]+)\s*=\s*([^;]*)", re.IGNORECASE)
_DECIDED = {"pass": Authenticity.PASSED, "fail": Authenticity.FAILED}
_ONLY_ONCE = ("from", "subject", "date", "to", "reply-to", "message-id", "content-type")


def authserv_id(value: str) -> str:
    """Return the authserv-id of an Authentication-Results value, lower-case; "" where there is none."""
    return _first_word(_without_comments(value))


def _first_word(bare: str) -> str:
    words = bare.partition(";")[0].split(None, 1)
    return words[0].strip('"').lower() if words else ""


def verdict(headers: Headers, from_domain: str, authserv_ids: frozenset[str] | None) -> Authenticity:
    """Return what the receiving server said of the From domain: `dmarc` first, else `dkim` of an Amazon domain.

    Args:
        from_domain: an Amazon domain; for others nothing can be proven and the answer is unknown.
        authserv_ids: whose word counts, lower-case.
    """
    if not authserv_ids or not is_amazon_domain(from_domain):
        return Authenticity.UNKNOWN
    dmarc: str | None = None
    dkim: list[str] = []
    for value in _trusted(headers, authserv_ids):
        seen_dmarc: str | None = None
        for part in value.split(";")[1:]:
            method = _METHOD.match(part.strip())
            if method is None:
                continue
            name, result = method[1].lower(), method[2].lower()
            if name not in ("dmarc", "dkim"):
                continue
            properties = {key.lower(): found.strip('"').lower() for key, found in _PROPERTY.findall(part)}
            if name == "dmarc" and properties.get("header.from", from_domain).rstrip(".") == from_domain:
                seen_dmarc = result if seen_dmarc in (None, result) else "fail"
            elif name == "dkim":
                domain = properties.get("header.d") or domain_of(properties.get("header.i", ""))
                if is_proof_domain(domain.rstrip(".")):
                    dkim.append(result)
        dmarc = dmarc or seen_dmarc
    if dmarc in _DECIDED:
        return _DECIDED[dmarc] if dmarc != "pass" or is_proof_domain(from_domain) else Authenticity.UNKNOWN
    if "pass" in dkim:
        return Authenticity.PASSED
    if "fail" in dkim:
        return Authenticity.FAILED
    return Authenticity.UNKNOWN


def _trusted(headers: Headers, authserv_ids: frozenset[str]) -> list[str]:
    """Return the believed headers, comments removed: the first of a configured server, and those right after it.

    A Received line in between ends the block: what stands below was in the mail before the server saw it.
    """
    values = iter(headers.all("authentication-results"))
    trusted: list[str] = []
    for name in headers.order:
        if name == "authentication-results":
            value = next(values, "")
            bare = _without_comments(value)
            if _first_word(bare) in authserv_ids:
                trusted.append(bare)
        elif name == "received" and trusted:
            break
    return trusted


def _without_comments(value: str) -> str:
    if "(" not in value and '"' not in value:
        return value[:MAX_VALUE]
    value = _QUOTED.sub(lambda match: re.sub(r"[;()\s]", "", match[1]) or "-", value[:MAX_VALUE])
    for _ in range(10):
        shorter = _COMMENT.sub(" ", value)
        if shorter == value:
            break
        value = shorter
    return value


def signature_verdict(content: bytes, headers: Headers, keys: DkimKeys) -> Authenticity:
    """Return whether a signature of an Amazon domain holds, checked here over the mail's bytes.

    Unknown where there is no such signature, its key cannot be had, or the mail is too large. A signature that covers the
    body only in part (`l=`), and one over a mail that repeats a header meant to stand once, prove nothing.
    """
    values = headers.all("dkim-signature")[:20]
    wanted = [index for index, value in enumerate(values) if is_proof_domain(_tags(value).get("d", ""))][
        :MAX_SIGNATURES
    ]
    if not wanted or len(content) > MAX_SIGNED:
        return Authenticity.UNKNOWN
    if any(len(headers.all(name)) > 1 for name in _ONLY_ONCE):
        return Authenticity.UNKNOWN
    failed = False
    for index in wanted:
        tags = _tags(values[index])
        if "l" in tags or "from" not in tags.get("h", "").lower().replace(" ", "").split(":"):
            continue
        record = keys(tags.get("s", ""), tags["d"])
        if record is None:
            continue
        if _holds(content, index, record):
            return Authenticity.PASSED
        failed = True
    return Authenticity.FAILED if failed else Authenticity.UNKNOWN


def _tags(value: str) -> dict[str, str]:
    return {
        name.lower(): re.sub(r"\s+", "", found) if name != "h" else found
        for name, found in _TAG.findall(value[:MAX_VALUE])
    }


def _holds(content: bytes, index: int, record: bytes) -> bool:
    import dkim

    # Key look-ups were answered above: dkimpy is given the record and never asks the network.
    try:
        return bool(dkim.DKIM(content, minkey=1024).verify(idx=index, dnsfunc=lambda *_, **__: record))
    except (dkim.DKIMException, ValueError, TypeError, IndexError, KeyError, AttributeError, UnicodeError):
        return False
