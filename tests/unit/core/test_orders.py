"""The order behind a question: what is kept of Amazon's answer, and what a person reads."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.core.words.catalog import LANGUAGES
from monitor.core.marketplaces import MARKETPLACES
from monitor.core.orders import (
    SURELY_ARRIVED,
    Channel,
    OrderFacts,
    order_facts_from_json,
    order_facts_to_json,
    order_words,
    parse_order,
    promise_missed,
    shows_missed_promise,
    stored_order_words,
)

PROMISED = datetime(2026, 11, 20, 22, 59, 59, tzinfo=UTC)  # the last second of Friday in Paris
NOW = datetime(2026, 11, 21, 8, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
BUYER = ("Zoe Invented", "zoe-invented@marketplace.amazon.fr", "12 Made Up Lane", "1Z999INVENTED", "For your birthday")


def answer(**changes: Any) -> dict[str, Any]:
    """getOrder's answer as the public model lays it out, with everything that must not be kept beside what may."""
    order: dict[str, Any] = {
        "orderId": "402-1234567-1234567",
        "createdTime": "2026-11-15T10:30:00Z",
        "lastUpdatedTime": "2026-11-16T10:30:00Z",
        "programs": ["PRIME"],
        "salesChannel": {"channelName": "AMAZON", "marketplaceId": "A13V1IB3VIYZZH", "marketplaceName": "Amazon.fr"},
        "buyer": {"buyerName": BUYER[0], "buyerEmail": BUYER[1]},
        "recipient": {"deliveryAddress": {"name": BUYER[0], "addressLine1": BUYER[2], "city": "Lyon"}},
        "proceeds": {"grandTotal": {"amount": "37.80", "currencyCode": "EUR"}},
        "fulfillment": {
            "fulfillmentStatus": "SHIPPED",
            "fulfilledBy": "MERCHANT",
            "shipByWindow": {"earliestDateTime": "2026-11-16T00:00:00Z", "latestDateTime": "2026-11-17T22:59:59Z"},
            "deliverByWindow": {"earliestDateTime": "2026-11-18T00:00:00Z", "latestDateTime": "2026-11-20T22:59:59Z"},
        },
        "orderItems": [
            {
                "orderItemId": "12345678901234",
                "quantityOrdered": 2,
                "product": {
                    "asin": "B000000001",
                    "title": "Invented kettle, 1.7 l",
                    "price": {"unitPrice": {"amount": "18.90", "currencyCode": "EUR"}},
                    "customization": {"customizedUrl": "https://amazon.example/custom"},
                },
                "fulfillment": {"packing": {"giftOption": {"giftMessage": BUYER[4]}}},
            }
        ],
        "packages": [
            {"packageReferenceId": "1", "packageStatus": {"status": "IN_TRANSIT"}, "trackingNumber": BUYER[3]},
        ],
    }
    order.update(changes)
    return {"order": order}


def test_an_order_is_read_as_the_public_model_lays_it_out() -> None:
    assert parse_order(answer(), item_titles=False) == OrderFacts(
        status="SHIPPED",
        channel=Channel.FBM,
        ship_by=datetime(2026, 11, 17, 22, 59, 59, tzinfo=UTC),
        deliver_by=PROMISED,
        delivered=False,
        quantity=2,
        amount="37.80",
        currency="EUR",
    )


def test_no_word_about_the_buyer_is_kept() -> None:
    facts = parse_order(answer(), item_titles=True)
    kept = order_facts_to_json(facts) + "".join(order_words(facts, "FR", NOW, "en"))
    assert not [word for word in (*BUYER, "Lyon", "custom", "402-") if word in kept]


def test_titles_are_read_only_where_they_are_wanted() -> None:
    assert parse_order(answer(), item_titles=False).titles == ()
    assert parse_order(answer(), item_titles=True).titles == ("Invented kettle, 1.7 l",)


def test_the_value_is_the_items_own_prices_where_proceeds_are_not_granted() -> None:
    without = answer()
    del without["order"]["proceeds"]
    facts = parse_order(without, item_titles=False)
    assert (facts.amount, facts.currency) == ("37.80", "EUR")


def test_items_in_two_currencies_have_no_value_together() -> None:
    priced = [
        {"quantityOrdered": 1, "product": {"price": {"unitPrice": {"amount": "1", "currencyCode": code}}}}
        for code in ("EUR", "GBP")
    ]
    assert parse_order(answer(proceeds={}, orderItems=priced), item_titles=False).amount is None


@pytest.mark.parametrize(
    "total",
    [
        pytest.param({"amount": "NaN", "currencyCode": "EUR"}, id="no number"),
        pytest.param({"amount": "-Infinity", "currencyCode": "EUR"}, id="without end"),
        pytest.param({"amount": "1000000000000", "currencyCode": "EUR"}, id="more than any order"),
        pytest.param({"amount": "37.80"}, id="no currency"),
        pytest.param({"amount": "37.80", "currencyCode": "€"}, id="a sign for a code"),
        pytest.param({"amount": "thirty", "currencyCode": "EUR"}, id="words"),
    ],
)
def test_a_total_that_is_no_amount_of_money_is_not_shown(total: dict[str, str]) -> None:
    facts = parse_order(answer(proceeds={"grandTotal": total}, orderItems=[]), item_titles=False)
    assert (facts.amount, facts.currency) == (None, None)


def test_items_of_which_one_has_no_price_have_no_value_together() -> None:
    priced = {"quantityOrdered": 1, "product": {"price": {"unitPrice": {"amount": "1", "currencyCode": "EUR"}}}}
    unpriced = {"quantityOrdered": 1, "product": {}}
    assert parse_order(answer(proceeds={}, orderItems=[priced, unpriced]), item_titles=False).amount is None


@pytest.mark.parametrize(
    ("states", "delivered"),
    [
        pytest.param([], None, id="no packages, as for FBA"),
        pytest.param(["DELIVERED"], True, id="delivered"),
        pytest.param(["DELIVERED", "IN_TRANSIT"], False, id="one is under way"),
        pytest.param(["UNDELIVERABLE", "SHIPPED"], False, id="one could not be delivered"),
        pytest.param(["DELIVERED", None], None, id="of one nothing is said"),
        pytest.param(["SHIPPED"], None, id="sent without tracking"),
        pytest.param(["DELIVERED", "CANCELLED"], True, id="a cancelled label is no parcel"),
        pytest.param(["SOMETHING_NEW"], None, id="a word of next year"),
    ],
)
def test_an_order_is_delivered_when_all_its_packages_are(states: list[str | None], delivered: bool | None) -> None:
    packages = [{"packageStatus": {} if state is None else {"status": state}} for state in states]
    assert parse_order(answer(packages=packages), item_titles=False).delivered is delivered


@pytest.mark.parametrize(
    "payload",
    [
        pytest.param({}, id="empty"),
        pytest.param({"order": None}, id="null"),
        pytest.param(
            {"order": {"fulfillment": [], "orderItems": {}, "proceeds": "", "packages": 3}}, id="other shapes"
        ),
        pytest.param({"errors": [{"code": "Unauthorized"}]}, id="an error"),
    ],
)
def test_an_answer_that_says_nothing_gives_nothing(payload: dict[str, Any]) -> None:
    assert parse_order(payload, item_titles=True) == OrderFacts()


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=True) | st.text(max_size=30),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=8,
)
PATHS = (
    ("fulfillment",),
    ("fulfillment", "fulfillmentStatus"),
    ("fulfillment", "fulfilledBy"),
    ("fulfillment", "deliverByWindow"),
    ("fulfillment", "deliverByWindow", "latestDateTime"),
    ("orderItems",),
    ("proceeds",),
    ("proceeds", "grandTotal", "amount"),
    ("proceeds", "grandTotal", "currencyCode"),
    ("packages",),
)


@given(path=st.sampled_from(PATHS), value=JSON, language=st.sampled_from(LANGUAGES))
def test_whatever_stands_in_a_field_the_rest_is_read_stored_and_told(
    path: tuple[str, ...], value: object, language: str
) -> None:
    payload = answer()
    place: Any = payload["order"]
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    facts = parse_order(payload, item_titles=True)
    assert order_facts_from_json(order_facts_to_json(facts)) == facts
    assert all(order_words(facts, "FR", NOW, language))


def test_what_is_stored_comes_back_as_it_was() -> None:
    facts = parse_order(answer(), item_titles=True)
    assert order_facts_from_json(order_facts_to_json(facts)) == facts


@pytest.mark.parametrize("body", ["", "[]", '{"version":2}', '{"version":1,"channel":"FBX"}', "nothing"])
def test_a_stored_text_that_is_none_of_ours_is_refused_and_an_alert_goes_out_without_it(body: str) -> None:
    with pytest.raises(ValueError):
        order_facts_from_json(body)
    assert stored_order_words(body, "FR", NOW, languages=("en", "fr")) == {}


def test_words_are_made_for_each_language_that_somebody_reads() -> None:
    body = order_facts_to_json(parse_order(answer(), item_titles=False))
    assert stored_order_words(body, "FR", NOW, languages=("en", "de")) == {
        "en": ("delivery promised yesterday", "FBM", "2 items", "€37.80"),
        "de": ("Lieferung zugesagt für gestern", "FBM", "2 Artikel", "37,80 €"),
    }


@pytest.mark.parametrize(
    ("marketplace", "promised", "now", "said"),
    [
        pytest.param("FR", "2026-11-20T22:59:59", "2026-11-20T22:30:00", "today", id="the last hour of the day"),
        pytest.param("FR", "2026-11-20T22:59:59", "2026-11-20T23:30:00", "yesterday", id="past midnight in Paris"),
        pytest.param("UK", "2026-11-20T23:59:59", "2026-11-20T23:30:00", "today", id="the same instant in London"),
        pytest.param("US", "2026-11-21T07:59:59", "2026-11-21T05:00:00", "today", id="evening on the Pacific coast"),
        pytest.param("JP", "2026-11-20T14:59:59", "2026-11-20T15:30:00", "yesterday", id="Tokyo is a day ahead"),
        pytest.param("FR", "2026-11-20T23:00:00", "2026-11-20T12:00:00", "today", id="midnight ends the day before it"),
        pytest.param("FR", "2026-11-22T22:59:59", "2026-11-21T12:00:00", "tomorrow", id="tomorrow"),
        pytest.param("FR", "2026-11-12T22:59:59", "2026-11-21T12:00:00", "Thu 12 Nov", id="a date"),
        pytest.param("FR", "2025-12-30T22:59:59", "2026-01-03T12:00:00", "Tue 30 Dec 2025", id="another year"),
        pytest.param(None, "2026-11-20T23:59:59", "2026-11-20T23:30:00", "today", id="an unknown marketplace: UTC"),
    ],
)
def test_the_day_is_told_in_the_marketplaces_own_time(
    marketplace: str | None, promised: str, now: str, said: str
) -> None:
    facts = OrderFacts(deliver_by=datetime.fromisoformat(promised).replace(tzinfo=UTC))
    at = datetime.fromisoformat(now).replace(tzinfo=UTC)
    assert order_words(facts, marketplace, at, "en") == (f"delivery promised {said}",)


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        pytest.param(OrderFacts(), (), id="nothing known"),
        pytest.param(OrderFacts(delivered=True, deliver_by=PROMISED), ("delivered",), id="delivered: no promise left"),
        pytest.param(OrderFacts(status="CANCELLED", deliver_by=PROMISED), ("cancelled",), id="cancelled"),
        pytest.param(
            OrderFacts(status="UNSHIPPED", deliver_by=PROMISED, ship_by=PROMISED),
            ("delivery promised yesterday", "not sent yet"),
            id="not sent",
        ),
        pytest.param(
            OrderFacts(status="UNSHIPPED", ship_by=PROMISED), ("not sent yet", "to be sent by yesterday"), id="ship by"
        ),
        pytest.param(OrderFacts(status="SOMETHING_NEW", channel=Channel.FBA), ("FBA",), id="a status of next year"),
    ],
)
def test_what_matters_most_is_said_first(facts: OrderFacts, said: tuple[str, ...]) -> None:
    assert order_words(facts, "FR", NOW, "en") == said


def test_every_language_words_an_order_of_its_own() -> None:
    facts = parse_order(answer(fulfillment={"fulfillmentStatus": "UNSHIPPED"}, packages=[]), item_titles=False)
    told = {language: order_words(facts, "FR", NOW, language) for language in LANGUAGES}
    assert len(set(told.values())) == len(LANGUAGES)
    assert order_words(facts, "FR", NOW, "xx") == told["en"]


@pytest.mark.parametrize(
    ("facts", "at", "missed"),
    [
        pytest.param(OrderFacts(status="UNSHIPPED"), PROMISED, False, id="no promise"),
        pytest.param(OrderFacts(status="UNSHIPPED", deliver_by=PROMISED), PROMISED, False, id="at the instant"),
        pytest.param(OrderFacts(status="UNSHIPPED", deliver_by=PROMISED), PROMISED + MICROSECOND, True, id="after it"),
        pytest.param(
            OrderFacts(status="UNSHIPPED", deliver_by=PROMISED), PROMISED + timedelta(days=60), True, id="never sent"
        ),
        pytest.param(OrderFacts(status="SHIPPED", deliver_by=PROMISED), PROMISED + SURELY_ARRIVED, True, id="lately"),
        pytest.param(
            OrderFacts(status="SHIPPED", deliver_by=PROMISED),
            PROMISED + SURELY_ARRIVED + MICROSECOND,
            False,
            id="an old order is not about its parcel",
        ),
        pytest.param(OrderFacts(status="SHIPPED", deliver_by=PROMISED, delivered=True), NOW, False, id="it is there"),
        pytest.param(OrderFacts(status="CANCELLED", deliver_by=PROMISED), NOW, False, id="cancelled"),
    ],
)
def test_a_promise_is_missed_when_it_has_passed_and_nothing_says_that_the_parcel_is_there(
    facts: OrderFacts, at: datetime, missed: bool
) -> None:
    assert promise_missed(facts, at) is missed


@pytest.mark.parametrize(
    ("facts", "labels", "shown"),
    [
        pytest.param(OrderFacts(status="UNSHIPPED", deliver_by=PROMISED), ("invoice",), True, id="never sent"),
        pytest.param(OrderFacts(status="SHIPPED", deliver_by=PROMISED, delivered=False), (), True, id="under way"),
        pytest.param(OrderFacts(status="SHIPPED", deliver_by=PROMISED), ("delivery", "return"), True, id="asked for"),
        pytest.param(OrderFacts(status="SHIPPED", deliver_by=PROMISED), ("invoice",), False, id="another matter"),
        pytest.param(OrderFacts(status="SHIPPED", deliver_by=PROMISED), (), False, id="nobody knows what about"),
        pytest.param(OrderFacts(status="UNSHIPPED", deliver_by=PROMISED), ("thank_you",), False, id="thanks"),
        pytest.param(OrderFacts(status="UNSHIPPED", deliver_by=NOW), ("delivery",), False, id="not yet"),
    ],
)
def test_a_thread_is_about_a_missed_promise_where_that_is_sure_or_asked_for(
    facts: OrderFacts, labels: tuple[str, ...], shown: bool
) -> None:
    assert shows_missed_promise(facts, labels, NOW) is shown


def test_every_marketplace_has_days_of_its_own() -> None:
    facts = OrderFacts(deliver_by=PROMISED)
    assert all(order_words(facts, market.country, NOW, "en") for market in MARKETPLACES)
    assert "UTC" not in {market.time_zone for market in MARKETPLACES}


def test_the_stored_form_leaves_out_what_is_not_known() -> None:
    assert json.loads(order_facts_to_json(OrderFacts())) == {"version": 1}


@pytest.mark.parametrize(
    ("written", "read"), [("3", 3), (" 3 ", 3), ("three", None), (-1, None), (True, None), (10**7, None), (2.5, None)]
)
def test_a_quantity_is_a_number_that_an_order_can_have(written: object, read: int | None) -> None:
    assert parse_order(answer(orderItems=[{"quantityOrdered": written}]), item_titles=False).quantity == read


@pytest.mark.parametrize("written", ["soon", "", "9999-12-31T23:59:59-23:59", None, 20261120])
def test_an_instant_that_cannot_be_read_is_none(written: object) -> None:
    window = {"latestDateTime": written}
    facts = parse_order(answer(fulfillment={"deliverByWindow": window}), item_titles=False)
    assert facts.deliver_by is None
