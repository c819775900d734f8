"""Amazon's marketplaces: country, id, relay domain and Seller Central host.

Owns the table and the look-ups into it. Must not decide what a mail is: a relay domain that is not in the table belongs
to a marketplace that opened after this was written, and its buyers wait like all others.

Source: the ids are Amazon's (SP-API documentation, "Marketplace IDs"); the hosts of ZA are inferred.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Marketplace:
    """One marketplace. `country` is the code users know (GB is "UK"), `domain` the domain of its buyers' aliases.

    `time_zone` (IANA) is where its days begin: Amazon's promised days in North America end at Pacific midnight (inferred).
    """

    country: str
    id: str
    domain: str
    seller_central_host: str
    name: str
    time_zone: str

    @property
    def tld(self) -> str:
        """What stands behind "amazon." in its domains: "com.br"."""
        return self.domain.removeprefix("marketplace.amazon.")


def _marketplace(country: str, marketplace_id: str, tld: str, name: str, zone: str) -> Marketplace:
    return Marketplace(country, marketplace_id, f"marketplace.amazon.{tld}", f"sellercentral.amazon.{tld}", name, zone)


MARKETPLACES: tuple[Marketplace, ...] = (
    _marketplace("US", "ATVPDKIKX0DER", "com", "United States", "America/Los_Angeles"),
    _marketplace("CA", "A2EUQ1WTGCTBG2", "ca", "Canada", "America/Los_Angeles"),
    _marketplace("MX", "A1AM78C64UM0Y8", "com.mx", "Mexico", "America/Mexico_City"),
    _marketplace("BR", "A2Q3Y263D00KWC", "com.br", "Brazil", "America/Sao_Paulo"),
    _marketplace("UK", "A1F83G8C2ARO7P", "co.uk", "United Kingdom", "Europe/London"),
    _marketplace("DE", "A1PA6795UKMFR9", "de", "Germany", "Europe/Berlin"),
    _marketplace("FR", "A13V1IB3VIYZZH", "fr", "France", "Europe/Paris"),
    _marketplace("IT", "APJ6JRA9NG5V4", "it", "Italy", "Europe/Rome"),
    _marketplace("ES", "A1RKKUPIHCS9HS", "es", "Spain", "Europe/Madrid"),
    _marketplace("NL", "A1805IZSGTT6HS", "nl", "Netherlands", "Europe/Amsterdam"),
    _marketplace("BE", "AMEN7PMS3EDWL", "com.be", "Belgium", "Europe/Brussels"),
    _marketplace("SE", "A2NODRKZP88ZB9", "se", "Sweden", "Europe/Stockholm"),
    _marketplace("PL", "A1C3SOZRARQ6R3", "pl", "Poland", "Europe/Warsaw"),
    _marketplace("IE", "A28R8C7NBKEWEA", "ie", "Ireland", "Europe/Dublin"),
    _marketplace("TR", "A33AVAJ2PDY3EV", "com.tr", "Türkiye", "Europe/Istanbul"),
    _marketplace("AE", "A2VIGQ35RCS4UG", "ae", "United Arab Emirates", "Asia/Dubai"),
    _marketplace("SA", "A17E79C6D8DWNP", "sa", "Saudi Arabia", "Asia/Riyadh"),
    _marketplace("EG", "ARBP9OOSHTCHU", "eg", "Egypt", "Africa/Cairo"),
    _marketplace("IN", "A21TJRUUN4KGV", "in", "India", "Asia/Kolkata"),
    _marketplace("JP", "A1VC38T7YXB528", "co.jp", "Japan", "Asia/Tokyo"),
    _marketplace("AU", "A39IBJ37TRP1C6", "com.au", "Australia", "Australia/Sydney"),
    _marketplace("SG", "A19VAU5U5O7RUS", "sg", "Singapore", "Asia/Singapore"),
    _marketplace("ZA", "AE08WJ6YKNBMC", "co.za", "South Africa", "Africa/Johannesburg"),
)

BY_COUNTRY = {market.country: market for market in MARKETPLACES}
BY_ID = {market.id: market for market in MARKETPLACES}
BY_TLD = {market.tld: market for market in MARKETPLACES}
BY_DOMAIN = {market.domain: market for market in MARKETPLACES}
BY_HOST = {market.seller_central_host: market for market in MARKETPLACES}


REGIONS: dict[str, tuple[str, ...]] = {
    "na": ("US", "CA", "MX", "BR"),
    "eu": ("UK", "DE", "FR", "IT", "ES", "NL", "BE", "SE", "PL", "IE", "TR", "AE", "SA", "EG", "IN", "ZA"),
    "fe": ("JP", "AU", "SG"),
}
"""Amazon's three regions: a seller's authorisation is of one of them. Source: SP-API documentation, "SP-API Endpoints"."""


def region_of(country: str) -> str | None:
    """Return the region of a marketplace ("na", "eu", "fe"), None for a code that is not in the table."""
    return next((region for region, countries in REGIONS.items() if country in countries), None)


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
