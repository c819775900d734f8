"""The order behind a question: what of Amazon's answer is kept, and what a person is told of it.

Owns the reading of one order, its stored form and its words. Must not keep a name, an address, a gift note or a tracking
number: they are never asked for, and are left where they stand if they come along.

Source: SP-API model `orders_2026-01-01.json`, operation getOrder (`fulfillment` comes with includedData FULFILLMENT, the
grand total with PROCEEDS, packages with PACKAGES).
"""

import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo

from alerts.core.words.catalog import Words, clean, words_for
from monitor.core.labels import QUIET_LABELS
from monitor.core.marketplaces import marketplace_by_country

SURELY_ARRIVED = timedelta(days=14)
"""After so long a shipped order is taken to be there: for most orders nobody tells us that it arrived."""

MAX_TITLES = 3
MAX_TITLE = 60  # letters
_VERSION = 1
_SECOND = timedelta(seconds=1)


class Channel(StrEnum):
    """Who sends the parcel, by the names that sellers use."""

    FBA = "FBA"
    FBM = "FBM"


_CHANNELS = {"AMAZON": Channel.FBA, "MERCHANT": Channel.FBM}
_NOT_GONE = frozenset({"PENDING_AVAILABILITY", "PENDING", "UNSHIPPED", "PARTIALLY_SHIPPED"})
_OFF = frozenset({"CANCELLED", "UNFULFILLABLE"})
_UNDER_WAY = frozenset({"PENDING", "IN_TRANSIT", "UNDELIVERABLE"})
_TOLD = {
    "PENDING_AVAILABILITY": "order_pending",
    "PENDING": "order_pending",
    "UNSHIPPED": "order_unshipped",
    "PARTIALLY_SHIPPED": "order_partly_shipped",
    "CANCELLED": "order_cancelled",
    "UNFULFILLABLE": "order_cancelled",
}
"""Statuses worth a word. SHIPPED is what most orders are, so it says nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderFacts:
    """What is kept of an order. `OrderFacts()` means that the answer held nothing that we know.

    Attributes:
        status: Amazon's own word: "UNSHIPPED", "SHIPPED", …
        channel: who sends it.
        ship_by, deliver_by: the latest promised instants, aware UTC.
        delivered: all packages are there; False: one is surely not; None where nobody says (always for FBA, and for parcels
            without tracking).
        quantity: units ordered. titles: the first few item titles, empty unless they were wanted.
        amount: a decimal number as text, with `currency` (ISO 4217); both or neither.
    """

    status: str | None = None
    channel: Channel | None = None
    ship_by: datetime | None = None
    deliver_by: datetime | None = None
    delivered: bool | None = None
    quantity: int | None = None
    titles: tuple[str, ...] = ()
    amount: str | None = None
    currency: str | None = None


def parse_order(payload: Mapping[str, Any], *, item_titles: bool) -> OrderFacts:
    """Return the facts of getOrder's answer, with or without its outer `order`; what is missing or odd is None.

    `item_titles` False: titles are not read at all. Raises nothing: an answer without anything known is `OrderFacts()`.
    """
    order = payload.get("order")
    order = _table(order if isinstance(order, Mapping) else payload)
    fulfillment = _table(order.get("fulfillment"))
    items = [_table(item) for item in _rows(order.get("orderItems"))]
    quantities = [_count(item.get("quantityOrdered")) for item in items]
    known = [quantity for quantity in quantities if quantity is not None]
    titles = []
    if item_titles:
        found = (_text(_table(item.get("product")).get("title")) for item in items)
        titles = [clean(title, MAX_TITLE) for title in found if title]
    status, by = _text(fulfillment.get("fulfillmentStatus")), _text(fulfillment.get("fulfilledBy"))
    money = _money(_table(order.get("proceeds")).get("grandTotal")) or _sum_of(items)
    return OrderFacts(
        status=status.upper()[:40] if status else None,
        channel=_CHANNELS.get((by or "").upper()),
        ship_by=_instant(_table(fulfillment.get("shipByWindow")).get("latestDateTime")),
        deliver_by=_instant(_table(fulfillment.get("deliverByWindow")).get("latestDateTime")),
        delivered=_delivered(order.get("packages")),
        quantity=sum(known) if known else None,
        titles=tuple(titles[:MAX_TITLES]),
        amount=None if money is None else str(money[0]),
        currency=None if money is None else money[1],
    )


def order_facts_to_json(facts: OrderFacts) -> str:
    """Return the facts as they are stored in `order_fact.body`; what is not known is left out. Instants in UTC."""
    document = {
        "version": _VERSION,
        "status": facts.status,
        "channel": facts.channel,
        "ship_by": None if facts.ship_by is None else facts.ship_by.astimezone(UTC).isoformat(),
        "deliver_by": None if facts.deliver_by is None else facts.deliver_by.astimezone(UTC).isoformat(),
        "delivered": facts.delivered,
        "quantity": facts.quantity,
        "titles": list(facts.titles) or None,
        "amount": facts.amount,
        "currency": facts.currency,
    }
    kept = {key: value for key, value in document.items() if value is not None}
    return json.dumps(kept, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def order_facts_from_json(text: str) -> OrderFacts:
    """Return what `order_facts_to_json` wrote.

    Raises:
        ValueError: the text is none of ours, or of a newer version.
    """
    document = json.loads(text)
    if not isinstance(document, dict) or document.get("version") != _VERSION:
        raise ValueError("stored order facts: not as this version writes them. They are fetched again in time.")
    channel = _text(document.get("channel"))
    delivered = document.get("delivered")
    money = _money({"amount": document.get("amount"), "currencyCode": document.get("currency")})
    return OrderFacts(
        status=_text(document.get("status")),
        channel=Channel(channel) if channel else None,
        ship_by=_instant(document.get("ship_by")),
        deliver_by=_instant(document.get("deliver_by")),
        delivered=delivered if isinstance(delivered, bool) else None,
        quantity=_count(document.get("quantity")),
        titles=tuple(title for title in _rows(document.get("titles")) if isinstance(title, str)),
        amount=None if money is None else str(money[0]),
        currency=None if money is None else money[1],
    )


def promise_missed(facts: OrderFacts, now: datetime) -> bool:
    """Return whether the promised delivery has passed and nothing says that the parcel is there.

    An order that was not sent in full has missed it for sure. One that was sent counts for `SURELY_ARRIVED` after the
    promise and no longer: a question about an old order is not about its parcel. At the promised instant itself: not yet.
    """
    if facts.deliver_by is None or facts.deliver_by >= now or facts.delivered or facts.status in _OFF:
        return False
    return facts.status in _NOT_GONE or now - facts.deliver_by <= SURELY_ARRIVED


def shows_missed_promise(facts: OrderFacts, labels: Collection[str], now: datetime) -> bool:
    """Return whether a thread with these labels is about a promise that was missed.

    Where Amazon does not say whether a parcel that was sent has arrived, the buyer has to speak of delivery: most parcels
    arrive, and a question about an invoice is not about them. Thanks and absence notices never are.
    """
    if not promise_missed(facts, now) or (labels and set(labels) <= set(QUIET_LABELS)):
        return False
    return facts.status in _NOT_GONE or facts.delivered is False or "delivery" in labels


def order_words(facts: OrderFacts, marketplace: str | None, now: datetime, language: str) -> tuple[str, ...]:
    """Return what a person is told of an order, most important first: "delivery promised yesterday", "FBM", "2 items", …

    Days are those of the marketplace, where the promise was made: "yesterday" is the buyer's. `marketplace` None or
    unknown: UTC. A language without words of its own is told in English.
    """
    market = marketplace_by_country(marketplace) if marketplace else None
    words = words_for(language, market.time_zone if market is not None else "UTC")
    said: list[str] = []
    if facts.delivered:
        said.append(words.say("order_delivered"))
    elif facts.deliver_by is not None and facts.status not in _OFF:
        said.append(words.say("order_promised", day=_day(words, facts.deliver_by, now)))
    if facts.status in _TOLD and not facts.delivered:
        said.append(words.say(_TOLD[facts.status]))
        if facts.deliver_by is None and facts.ship_by is not None and facts.status in _NOT_GONE:
            said.append(words.say("order_ship_by", day=_day(words, facts.ship_by, now)))
    if facts.channel is not None:
        said.append(facts.channel.value)
    if facts.quantity is not None:
        said.append(words.count("order_items", facts.quantity))
    if facts.amount is not None and facts.currency is not None:
        said.append(_price(facts.amount, facts.currency, words.language))
    if facts.titles:
        said.append(", ".join(clean(title, MAX_TITLE) for title in facts.titles))
    return tuple(said)


def stored_order_words(
    body: str, marketplace: str | None, now: datetime, *, languages: Iterable[str]
) -> dict[str, tuple[str, ...]]:
    """Return the words of a stored order by language; {} for a body that is none of ours: an alert goes out without."""
    try:
        facts = order_facts_from_json(body)
    except (ValueError, RecursionError):
        return {}
    return {language: order_words(facts, marketplace, now, language) for language in languages}


def _day(words: Words, at: datetime, now: datetime) -> str:
    """Return "yesterday", "today", "tomorrow", else the date. Midnight closes the day before it."""
    local, today = _local_day(at - _SECOND, words.zone), _local_day(now, words.zone)
    key = {-1: "day_yesterday", 0: "day_today", 1: "day_tomorrow"}.get((local - today).days)
    if key is not None:
        return words.say(key)
    return words.say("day_on", date=words.short_date(local, today))


def _local_day(at: datetime, zone: ZoneInfo) -> date:
    return at.astimezone(zone).date()


def _price(amount: str, currency: str, language: str) -> str:
    from babel.numbers import format_currency

    return str(format_currency(Decimal(amount), currency, locale=language)).replace("\xa0", " ").replace("\u202f", " ")


def _delivered(packages: Any) -> bool | None:
    """Return whether all packages are there; SHIPPED alone says nothing: without tracking it stays so for ever."""
    states = {
        (_text(_table(_table(one).get("packageStatus")).get("status")) or "").upper() for one in _rows(packages)
    } - {"CANCELLED"}
    if states & _UNDER_WAY:
        return False
    return True if states == {"DELIVERED"} else None


def _sum_of(items: list[Mapping[str, Any]]) -> tuple[Decimal, str] | None:
    """Return unit prices times quantities, where every item has both in one currency: PROCEEDS may not be granted."""
    total, currencies = Decimal(0), set()
    for item in items:
        money = _money(_table(_table(item.get("product")).get("price")).get("unitPrice"))
        quantity = _count(item.get("quantityOrdered"))
        if money is None or quantity is None:
            return None
        total += money[0] * quantity
        currencies.add(money[1])
    return (total, currencies.pop()) if len(currencies) == 1 else None


def _money(value: Any) -> tuple[Decimal, str] | None:
    table = _table(value)
    currency = _text(table.get("currencyCode"))
    try:
        amount = Decimal(str(table.get("amount")).strip())
    except InvalidOperation:
        return None
    if not amount.is_finite() or abs(amount) >= Decimal(10) ** 12 or currency is None:
        return None
    currency = currency.upper()
    return (amount, currency) if len(currency) == 3 and currency.isascii() and currency.isalpha() else None


def _instant(value: Any) -> datetime | None:
    if not isinstance(value, str):
        return None
    try:
        at = datetime.fromisoformat(value.strip())
        return (at if at.tzinfo is not None else at.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _count(value: Any) -> int | None:
    if isinstance(value, str) and value.strip().isascii() and value.strip().isdigit():
        value = int(value.strip()[:9])
    if isinstance(value, bool) or not isinstance(value, int):
        return None
    return value if 0 <= value < 1_000_000 else None


def _text(value: Any) -> str | None:
    return value.strip() or None if isinstance(value, str) else None


def _table(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _rows(value: Any) -> list[Any]:
    if isinstance(value, Mapping):
        return [value]
    return list(value) if isinstance(value, list | tuple) else []
