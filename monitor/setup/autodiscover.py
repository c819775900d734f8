"""From an address to its IMAP server: well-known providers, DNS, and the provider's own autoconfiguration.

The world is asked through `Lookups`, so that nothing is asked that a person did not start.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import quote
from xml.etree import ElementTree

GOOGLE, MICROSOFT, OTHER = "google", "microsoft", "other"
_BY_DOMAIN = {
    "gmail.com": GOOGLE,
    "googlemail.com": GOOGLE,
    **dict.fromkeys(("outlook.com", "hotmail.com", "live.com", "msn.com", "hotmail.fr", "outlook.fr"), MICROSOFT),
}
_BY_MX = {
    "google.com": GOOGLE,
    "googlemail.com": GOOGLE,
    "outlook.com": MICROSOFT,
    "office365.us": MICROSOFT,
    "mx.microsoft": MICROSOFT,
}
_SERVERS = {GOOGLE: ("imap.gmail.com", 993), MICROSOFT: ("outlook.office365.com", 993)}
LARGEST_ANSWER = 262_144  # bytes of an autoconfiguration file


class Lookups(Protocol):
    """The questions to the network. Each answers with nothing where there is no answer, and never raises."""

    def mx(self, domain: str) -> Sequence[str]:
        """Return the domain's mail exchangers, best first."""

    def srv(self, name: str) -> Sequence[tuple[str, int]]:
        """Return hosts and ports of a service, best first."""

    def fetch(self, url: str) -> str | None:
        """Return the text at an https address."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Guess:
    """Where a mailbox probably lies. `source` says who told, for the person to judge."""

    provider: str
    host: str
    port: int
    security: str = "tls"
    username: str = ""
    source: str = ""


def discover(address: str, lookups: Lookups) -> Guess:
    """Return the likeliest server of an address; at worst `imap.<domain>`, and says that it is a guess."""
    domain = address.rpartition("@")[2].lower()
    return next(_guesses(address, domain, lookups))


def _guesses(address: str, domain: str, lookups: Lookups) -> Iterator[Guess]:
    if domain in _BY_DOMAIN:
        yield _of_provider(_BY_DOMAIN[domain], address, "the address")
    for host in lookups.mx(domain):
        provider = _provider_of_mx(host)
        if provider is not None:
            yield _of_provider(provider, address, f"the domain's mail goes to {host.rstrip('.')}")
    for service, security in (("_imaps._tcp", "tls"), ("_imap._tcp", "starttls")):
        for host, port in lookups.srv(f"{service}.{domain}"):
            if host.strip("."):
                yield Guess(
                    provider=OTHER, host=host.rstrip("."), port=port, security=security, username=address,
                    source=f"the domain's DNS ({service})",
                )  # fmt: skip
    for url in (
        f"https://autoconfig.{domain}/mail/config-v1.1.xml?emailaddress={quote(address)}",
        f"https://{domain}/.well-known/autoconfig/mail/config-v1.1.xml",
        f"https://autoconfig.thunderbird.net/v1.1/{domain}",
    ):
        text = lookups.fetch(url)
        guess = parse_autoconfig(text, address) if text else None
        if guess is not None:
            yield guess
    yield Guess(provider=OTHER, host=f"imap.{domain}", port=993, username=address, source="a guess")


def _of_provider(provider: str, address: str, source: str) -> Guess:
    host, port = _SERVERS[provider]
    return Guess(provider=provider, host=host, port=port, username=address, source=source)


def _provider_of_mx(host: str) -> str | None:
    name = host.rstrip(".").lower()
    return next((found for end, found in _BY_MX.items() if name == end or name.endswith(f".{end}")), None)


def parse_autoconfig(text: str, address: str) -> Guess | None:
    """Return the first IMAP server with encryption that an autoconfiguration file names, or None.

    Source: wiki.mozilla.org/Thunderbird:Autoconfiguration:ConfigFileFormat.
    """
    if len(text) > LARGEST_ANSWER or "<!" in text.replace("<!--", ""):  # no document type: no entity to blow up
        return None
    try:
        root = ElementTree.fromstring(text)  # noqa: S314 - without a document type there is nothing to expand
    except (ElementTree.ParseError, ValueError):
        return None
    for server in root.iterfind(".//incomingServer[@type='imap']"):
        security = {"SSL": "tls", "STARTTLS": "starttls"}.get((server.findtext("socketType") or "").strip())
        host = (server.findtext("hostname") or "").strip().lower()
        port = (server.findtext("port") or "").strip()
        if security is None or not re.fullmatch(r"[a-z0-9.-]+", host) or not re.fullmatch(r"[0-9]{1,5}", port):
            continue
        username = (server.findtext("username") or "%EMAILADDRESS%").strip()
        local, _, domain = address.rpartition("@")
        for mark, value in (("%EMAILADDRESS%", address), ("%EMAILLOCALPART%", local), ("%EMAILDOMAIN%", domain)):
            username = username.replace(mark, value)
        provider = {name: house for house, (name, _) in _SERVERS.items()}.get(host, OTHER)
        return Guess(
            provider=provider, host=host, port=int(port), security=security, username=username,
            source="the provider's autoconfiguration",
        )  # fmt: skip
    return None


class NetworkLookups:
    """The real network: DNS by dnspython, https by the standard library, a few seconds each."""

    def __init__(self, seconds: float = 4.0, fetch: Callable[[str, float], str | None] | None = None) -> None:
        """Ask nothing yet."""
        self._seconds = seconds
        self._fetch = fetch or fetch_text

    def mx(self, domain: str) -> Sequence[str]:
        """Return the domain's mail exchangers, best first."""
        return [str(record.exchange) for record in sorted(self._ask(domain, "MX"), key=lambda one: one.preference)]

    def srv(self, name: str) -> Sequence[tuple[str, int]]:
        """Return hosts and ports of a service, best first."""
        records = sorted(self._ask(name, "SRV"), key=lambda one: (one.priority, -one.weight))
        return [(str(record.target), int(record.port)) for record in records]

    def fetch(self, url: str) -> str | None:
        """Return the text at an https address."""
        return self._fetch(url, self._seconds)

    def _ask(self, name: str, kind: str) -> list[Any]:
        import dns.exception
        import dns.resolver

        try:
            return list(dns.resolver.resolve(name, kind, lifetime=self._seconds))
        except (dns.exception.DNSException, OSError, ValueError):
            return []


class NoLookups:
    """What is known of names that belong to nobody: nothing, and no network is asked."""

    def mx(self, domain: str) -> Sequence[str]:
        """Return none."""
        del domain
        return ()

    def srv(self, name: str) -> Sequence[tuple[str, int]]:
        """Return none."""
        del name
        return ()

    def fetch(self, url: str) -> str | None:
        """Return None."""
        del url
        return None


RESERVED = frozenset({"example", "invalid", "localhost", "test"})
"""Names that no DNS knows. Source: RFC 6761."""


def lookups_for(address: str) -> Lookups:
    """Return the network, or nothing for an address under a reserved name."""
    return NoLookups() if address.rpartition(".")[2].lower() in RESERVED else NetworkLookups()


def fetch_text(url: str, seconds: float) -> str | None:
    """Return what stands at an https address, or None; reads a bounded amount."""
    from urllib.request import Request, urlopen

    if not url.startswith("https://"):
        return None
    try:
        with urlopen(Request(url, headers={"User-Agent": "ReplyBy"}), timeout=seconds) as answer:  # noqa: S310 - https only
            content: bytes = answer.read(LARGEST_ANSWER + 1)
            return content.decode("utf-8", errors="replace")
    except (OSError, ValueError):
        return None
