"""Kinds of values with a meaning of their own: Amazon's marketplaces, public holidays."""

from monitor.config.kinds import Kind, Scope, listed
from monitor.core.marketplaces import BY_COUNTRY

_OTHER_COUNTRY_NAMES = {"GB": "UK", "EN": "UK", "USA": "US", "JA": "JP", "UAE": "AE"}


def _marketplace(value: str, scope: Scope) -> str:
    del scope
    code = value.strip().upper()
    if code in BY_COUNTRY:
        return code
    meant = _OTHER_COUNTRY_NAMES.get(code)
    hint = f"Did you mean '{meant}'?" if meant else f"Marketplaces: {', '.join(BY_COUNTRY)}."
    raise ValueError(f"'{value[:20]}' is not a marketplace. {hint}")


def _holidays(value: str, scope: Scope) -> str:
    del scope
    typed = value.strip().partition("-")[0]
    code = value.strip().upper()
    if not code:
        return ""
    import holidays

    country, _, region = code.partition("-")
    supported = holidays.list_supported_countries()
    if country not in supported:
        raise ValueError(
            f'\'{typed[:20]}\' is no country with known holidays. Write two letters, such as "FR" or "DE-BY".'
        )
    regions = {name.upper(): name for name in supported[country]}
    if region and region not in regions:
        known = f"Regions of {country}: {', '.join(supported[country])}." if regions else f'Write "{country}" alone.'
        raise ValueError(f"'{region[:20]}' is no region of {country}. {known}")
    return f"{country}-{regions[region]}" if region else country


MARKETS = Kind(
    "a list of marketplaces",
    '["FR", "DE"]',
    (list, str),
    listed(_marketplace, "a marketplace", "marketplaces", '["FR", "DE"]'),
)
HOLIDAYS = Kind("a country", 'two letters, such as "FR", or with a region: "DE-BY"', (str,), _holidays)
