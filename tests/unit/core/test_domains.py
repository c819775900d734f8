"""Whose domain it is."""

import pytest

from monitor.core import domains, marketplaces


@pytest.mark.parametrize("market", marketplaces.MARKETPLACES, ids=lambda market: market.country)
def test_every_marketplace_is_found_by_each_of_its_names(market: marketplaces.Marketplace) -> None:
    assert marketplaces.marketplace_by_country(market.country) is market
    assert marketplaces.marketplace_by_id(market.id) is market
    assert marketplaces.marketplace_by_domain(market.domain) is market
    assert marketplaces.marketplace_by_host(market.seller_central_host) is market
    assert domains.is_relay_domain(market.domain)
    assert domains.is_proof_domain(market.domain)


def test_there_are_23_marketplaces() -> None:
    assert len(marketplaces.MARKETPLACES) == len(marketplaces.BY_ID) == 23


@pytest.mark.parametrize(
    ("domain", "relay", "amazon", "proof", "looks"),
    [
        ("marketplace.amazon.fr", True, True, True, False),
        ("marketplace.amazon.com.ng", True, True, False, False),
        ("marketplace.amazon.cl", True, True, False, False),
        ("marketplace.amazon.shop", True, False, False, False),
        ("marketplace.amazon.fr.example.net", False, False, False, True),
        ("marketplace.amazon.de.com", False, False, False, True),
        ("amazon.com", False, True, True, False),
        ("bounces.amazon.com", False, True, True, False),
        ("amazonpay.amazon.co.jp", False, True, True, False),
        ("mail.amazonpay.com", False, True, False, False),
        ("amazon.shop", False, False, False, True),
        ("amazon-marketplace.example", False, False, False, True),
        ("secure-amazon.example", False, False, False, True),
        ("sellercentralamazon.example", False, False, False, True),
        ("amazonfr.example", False, False, False, True),
        ("marketplace.amazom.fr", False, False, False, True),
        ("marketplace.amzon.fr", False, False, False, True),
        ("marketplace.amaazon.fr", False, False, False, True),
        ("amzon.fr", False, False, False, False),
        ("arnazon.example", False, False, False, True),
        ("amaz0n.example", False, False, False, True),
        ("xn--mazon-3ve.fr", False, False, False, True),
        ("xn--.example", False, False, False, False),
        ("xn--\udcff.example", False, False, False, False),
        ("amazonia.example", False, False, False, False),
        ("theamazonian.example", False, False, False, False),
        ("amazonses.com", False, False, False, False),
        ("eu-west-1.amazonses.com", False, False, False, False),
        ("acme.example", False, False, False, False),
        ("amazon", False, False, False, True),
        ("", False, False, False, False),
    ],
)
def test_domains_are_compared_by_their_parts(domain: str, relay: bool, amazon: bool, proof: bool, looks: bool) -> None:
    assert domains.is_relay_domain(domain) is relay
    assert domains.is_amazon_domain(domain) is amazon
    assert domains.is_proof_domain(domain) is proof
    assert domains.looks_like_amazon(domain) is looks


@pytest.mark.parametrize(
    ("domain", "public"),
    [
        ("gmail.com", True),
        ("yahoo.co.uk", True),
        ("hotmail.fr", True),
        ("t-online.de", True),
        ("acme.example", False),
        ("yahoo.mail.acme.example", False),
        ("mail.acme.example", False),
    ],
)
def test_where_anybody_has_an_address_is_nobodys_own(domain: str, public: bool) -> None:
    assert domains.is_public_domain(domain) is public


@pytest.mark.parametrize(
    ("address", "alias"),
    [
        ("abc123@marketplace.amazon.fr", True),
        ("abc123+case@marketplace.amazon.fr", True),
        ("donotreply@marketplace.amazon.fr", False),
        ("no-reply+x@marketplace.amazon.fr", False),
        ("mailer-daemon@marketplace.amazon.fr", False),
        ("bounces+123@marketplace.amazon.fr", False),
        ("abc123@amazon.fr", False),
        ("@marketplace.amazon.fr", False),
    ],
)
def test_machines_on_the_relay_are_no_buyers(address: str, alias: bool) -> None:
    assert domains.is_relay_alias(address) is alias


def test_an_alias_is_split_from_its_case() -> None:
    assert domains.split_alias("abc+0d7c@marketplace.amazon.fr") == ("abc@marketplace.amazon.fr", "0d7c")
    assert domains.split_alias("abc@marketplace.amazon.fr") == ("abc@marketplace.amazon.fr", None)
    assert domains.split_alias("abc+@marketplace.amazon.fr") == ("abc@marketplace.amazon.fr", None)


def test_daemons_and_domains_are_read_from_addresses() -> None:
    assert domains.is_daemon("mailer-daemon@mx.example")
    assert not domains.is_daemon("ana@mx.example")
    assert domains.domain_of("a@b@c.example") == "c.example"
    assert domains.domain_of("nobody") == ""
