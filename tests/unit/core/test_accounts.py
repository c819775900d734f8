"""Whose mail it is, where one mailbox serves several accounts."""

from typing import Any

import pytest

from monitor.core.accounts import AccountIdentity, accounts_of
from monitor.core.messages import Kind
from tests.builders import make_message

EU = AccountIdentity(
    name="eu",
    merchant_id="A1",
    notified_at=frozenset({"eu@acme.example"}),
    reply_from=frozenset({"eu@acme.example"}),
)
US = AccountIdentity(name="us", merchant_id="A2", notified_at=frozenset({"us@acme.example"}))


@pytest.mark.parametrize(
    ("kind", "facts", "expected"),
    [
        (Kind.BUYER_MESSAGE, {"merchant_id": "A2", "recipients": ("eu@acme.example",)}, ("us",)),
        (Kind.BUYER_MESSAGE, {"recipients": ("us@acme.example",)}, ("us",)),
        (Kind.BUYER_MESSAGE, {"merchant_id": "unknown", "recipients": ("us@acme.example",)}, ("us",)),
        (Kind.BUYER_MESSAGE, {"recipients": ("elsewhere@acme.example",)}, ("eu", "us")),
        (Kind.CONFIRMATION_COPY, {"recipients": ("elsewhere@acme.example",)}, ("eu", "us")),
        (Kind.SELLER_REPLY, {"sender": "eu@acme.example"}, ("eu",)),
        (Kind.SELLER_REPLY, {"sender": "bo@acme.example"}, ("eu", "us")),
    ],
    ids=[
        "merchant id outweighs the recipient",
        "recipient",
        "unknown merchant id",
        "a buyer message may stay open until it is stored",
        "a copy may stay open",
        "sender",
        "unknown sender",
    ],
)
def test_account_of_a_mail(kind: Kind, facts: dict[str, Any], expected: tuple[str, ...]) -> None:
    assert accounts_of(make_message(kind, **facts), (EU, US)) == expected


def test_only_account_needs_no_sign() -> None:
    assert accounts_of(make_message(recipients=()), (US,)) == ("us",)
