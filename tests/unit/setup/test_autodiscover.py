"""From an address to a server: the likeliest source first, a guess that says so last, nothing hostile followed."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest

from monitor.setup.autodiscover import Guess, discover, parse_autoconfig

AUTOCONFIG = """<?xml version="1.0"?>
<clientConfig version="1.1"><emailProvider id="acme.example">
  <incomingServer type="pop3"><hostname>pop.acme.example</hostname><port>995</port><socketType>SSL</socketType></incomingServer>
  <incomingServer type="imap"><hostname>plain.acme.example</hostname><port>143</port><socketType>plain</socketType>
  </incomingServer>
  <incomingServer type="imap"><hostname>Mail.Acme.example</hostname><port>143</port><socketType>STARTTLS</socketType>
    <username>%EMAILLOCALPART%</username></incomingServer>
</emailProvider></clientConfig>"""


@dataclass
class Network:
    """Lookups with prepared answers; `fetched` keeps what was asked for."""

    exchangers: Sequence[str] = ()
    services: dict[str, list[tuple[str, int]]] = field(default_factory=dict)
    pages: dict[str, str] = field(default_factory=dict)
    fetched: list[str] = field(default_factory=list)

    def mx(self, domain: str) -> Sequence[str]:
        return self.exchangers

    def srv(self, name: str) -> Sequence[tuple[str, int]]:
        return self.services.get(name, [])

    def fetch(self, url: str) -> str | None:
        self.fetched.append(url)
        return self.pages.get(url)


@pytest.mark.parametrize(
    ("address", "network", "expected"),
    [
        ("a@gmail.com", Network(), ("google", "imap.gmail.com", 993, "tls")),
        ("a@Hotmail.com", Network(), ("microsoft", "outlook.office365.com", 993, "tls")),
        ("a@acme.example", Network(["aspmx.l.google.com."]), ("google", "imap.gmail.com", 993, "tls")),
        (
            "a@acme.example",
            Network(["acme-example.mail.protection.outlook.com."]),
            ("microsoft", "outlook.office365.com", 993, "tls"),
        ),
        ("a@acme.example", Network(["mx.notgoogle.com."]), ("other", "imap.acme.example", 993, "tls")),
        (
            "a@acme.example",
            Network(services={"_imaps._tcp.acme.example": [("imaps.acme.example.", 993)]}),
            ("other", "imaps.acme.example", 993, "tls"),
        ),
        (
            "a@acme.example",
            Network(
                services={"_imaps._tcp.acme.example": [(".", 0)], "_imap._tcp.acme.example": [("i.acme.example.", 143)]}
            ),
            ("other", "i.acme.example", 143, "starttls"),
        ),
        (
            "a@acme.example",
            Network(pages={"https://autoconfig.thunderbird.net/v1.1/acme.example": AUTOCONFIG}),
            ("other", "mail.acme.example", 143, "starttls"),
        ),
        ("a@acme.example", Network(), ("other", "imap.acme.example", 993, "tls")),
    ],
    ids=["gmail", "hotmail", "workspace", "365", "look-alike", "srv", "no imaps", "autoconfig", "guess"],
)
def test_the_likeliest_server_is_found(address: str, network: Network, expected: tuple[str, str, int, str]) -> None:
    guess = discover(address, network)
    assert (guess.provider, guess.host, guess.port, guess.security) == expected


def test_a_known_provider_is_not_asked_for_anything() -> None:
    network = Network()
    discover("a@gmail.com", network)
    assert network.fetched == []


def test_a_guess_says_that_it_is_one() -> None:
    assert discover("a@acme.example", Network()).source == "a guess"


def test_an_encrypted_imap_server_is_taken_and_the_user_name_filled_in() -> None:
    guess = parse_autoconfig(AUTOCONFIG, "support@acme.example")
    assert guess == Guess(
        provider="other",
        host="mail.acme.example",
        port=143,
        security="starttls",
        username="support",
        source="the provider's autoconfiguration",
    )


@pytest.mark.parametrize(
    "text",
    [
        "",
        "<html>not found",
        '<!DOCTYPE x [<!ENTITY a "aaaa">]><clientConfig>&a;</clientConfig>',
        "<clientConfig/>",
        AUTOCONFIG.replace("Mail.Acme.example", "evil.example/path"),
        AUTOCONFIG.replace("<port>143</port><socketType>STARTTLS", "<port>x</port><socketType>STARTTLS"),
        "<a>" * 200_000,
    ],
    ids=["empty", "html", "entities", "nothing", "path", "port", "large"],
)
def test_what_is_no_autoconfiguration_names_no_server(text: str) -> None:
    assert parse_autoconfig(text, "a@acme.example") is None
