"""Amazon's marketplaces: country, id, relay domain and Seller Central host.

Owns the table and the look-ups into it. Must not decide what a mail is: a relay domain that is not in the table belongs
to a marketplace that opened after this was written, and its buyers wait like all others.

Source: the ids are Amazon's (SP-API documentation, "Marketplace IDs"); the hosts of ZA are inferred.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Marketplace:
    """One marketplace. `country` is the code users know (GB is "UK"), `domain` the domain of its buyers' aliases."""

    country: str
    id: str
    domain: str
    seller_central_host: str
    name: str

    @property
    def tld(self) -> str:
        """What stands behind "amazon." in its domains: "com.br"."""
        return self.domain.removeprefix("marketplace.amazon.")


def _marketplace(country: str, marketplace_id: str, tld: str, name: str) -> Marketplace:
    return Marketplace(country, marketplace_id, f"marketplace.amazon.{tld}", f"sellercentral.amazon.{tld}", name)


MARKETPLACES: tuple[Marketplace, ...] = (
    _marketplace("US", "ATVPDKIKX0DER", "com", "United States"),
    _marketplace("CA", "A2EUQ1WTGCTBG2", "ca", "Canada"),
    _marketplace("MX", "A1AM78C64UM0Y8", "com.mx", "Mexico"),
    _marketplace("BR", "A2Q3Y263D00KWC", "com.br", "Brazil"),
    _marketplace("UK", "A1F83G8C2ARO7P", "co.uk", "United Kingdom"),
    _marketplace("DE", "A1PA6795UKMFR9", "de", "Germany"),
    _marketplace("FR", "A13V1IB3VIYZZH", "fr", "France"),
    _marketplace("IT", "APJ6JRA9NG5V4", "it", "Italy"),
    _marketplace("ES", "A1RKKUPIHCS9HS", "es", "Spain"),
    _marketplace("NL", "A1805IZSGTT6HS", "nl", "Netherlands"),
    _marketplace("BE", "AMEN7PMS3EDWL", "com.be", "Belgium"),
    _marketplace("SE", "A2NODRKZP88ZB9", "se", "Sweden"),
    _marketplace("PL", "A1C3SOZRARQ6R3", "pl", "Poland"),
    _marketplace("IE", "A28R8C7NBKEWEA", "ie", "Ireland"),
    _marketplace("TR", "A33AVAJ2PDY3EV", "com.tr", "Türkiye"),
    _marketplace("AE", "A2VIGQ35RCS4UG", "ae", "United Arab Emirates"),
    _marketplace("SA", "A17E79C6D8DWNP", "sa", "Saudi Arabia"),
    _marketplace("EG", "ARBP9OOSHTCHU", "eg", "Egypt"),
    _marketplace("IN", "A21TJRUUN4KGV", "in", "India"),
    _marketplace("JP", "A1VC38T7YXB528", "co.jp", "Japan"),
    _marketplace("AU", "A39IBJ37TRP1C6", "com.au", "Australia"),
    _marketplace("SG", "A19VAU5U5O7RUS", "sg", "Singapore"),
    _marketplace("ZA", "AE08WJ6YKNBMC", "co.za", "South Africa"),
)

BY_COUNTRY = {market.country: market for market in MARKETPLACES}
BY_ID = {market.id: market for market in MARKETPLACES}
BY_TLD = {market.tld: market for market in MARKETPLACES}
BY_DOMAIN = {market.domain: market for market in MARKETPLACES}
BY_HOST = {market.seller_central_host: market for market in MARKETPLACES}


def marketplace_by_country(country: str) -> Marketplace | None:
    """Return the marketplace of this code ("FR", "UK"), None when there is none."""
    return BY_COUNTRY.get(country)


def marketplace_by_id(marketplace_id: str) -> Marketplace | None:
    """Return the marketplace of Amazon's id, None for an id that is not in the table."""
    return BY_ID.get(marketplace_id)


def marketplace_by_domain(domain: str) -> Marketplace | None:
    """Return the marketplace of a relay domain ("marketplace.amazon.fr"), None for an unknown one."""
    return BY_DOMAIN.get(domain)


def marketplace_by_host(host: str) -> Marketplace | None:
    """Return the marketplace of a Seller Central host, None for a regional one ("sellercentral-europe.amazon.com")."""
    return BY_HOST.get(host)
