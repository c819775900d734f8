"""The order of the signals, and what silences nothing."""

from typing import Any

import pytest

from monitor.core.classify import (
    BUYER_TYPE,
    COPY_TYPE,
    KIND_OF_TYPE,
    SIGNAL_MEANINGS,
    Evidence,
    SignalName,
    classify,
    is_new_template,
)
from monitor.core.links import AmazonLinks
from monitor.core.messages import Kind, Signal, Where
from tests.builders import make_message

ALIAS = "q1w2e3r4t5y6u7i@marketplace.amazon.fr"
SIGNED = AmazonLinks(signed=True, complete=True, signed_host="sellercentral.amazon.fr", message_key="M")
REPORT = AmazonLinks(report_host="www.amazon.fr")


def kind_of(where: Where = Where.INBOX, **facts: object) -> tuple[Kind, list[str]]:
    """Return kind and signal names."""
    decision = classify(Evidence(where=where, **facts))  # type: ignore[arg-type]
    return decision.kind, [str(signal.name) for signal in decision.signals]


def types(*tokens: str) -> AmazonLinks:
    """Return links that carry type tokens."""
    return AmazonLinks(types=tokens)


def test_every_signal_has_a_meaning() -> None:
    assert set(SIGNAL_MEANINGS) == set(SignalName)


@pytest.mark.parametrize(("token", "kind"), KIND_OF_TYPE.items())
def test_type_header_decides_under_an_amazon_from(token: str, kind: Kind) -> None:
    found, names = kind_of(senders=("no-reply@amazon.fr",), type_header=token)
    assert (found, names) == (kind, ["type_header", "amazon_sender"])
    assert kind_of(senders=(ALIAS,), type_header=token)[0] is kind


@pytest.mark.parametrize(("token", "kind"), KIND_OF_TYPE.items())
def test_type_in_a_link_decides_where_no_header_does(token: str, kind: Kind) -> None:
    assert kind_of(senders=("no-reply@amazon.fr",), links=types("SOMETHING_ELSE", token))[0] is kind
    assert kind_of(senders=("ana@acme.example",), links=types(token)) == (kind, ["type_in_link"])


def test_buyer_wins_where_links_disagree() -> None:
    assert kind_of(senders=("x@acme.example",), links=types(COPY_TYPE, BUYER_TYPE))[0] is Kind.BUYER_MESSAGE


def test_relay_sender_is_a_buyer_whatever_links_say() -> None:
    assert kind_of(senders=(ALIAS,), links=types("RETURN_REQUEST"))[0] is Kind.BUYER_MESSAGE
    assert kind_of(senders=(ALIAS,), report=True, report_names=("x",), automatic=True)[0] is Kind.BUYER_MESSAGE
    assert kind_of(senders=(ALIAS,), type_header="NEW_TOKEN") == (Kind.BUYER_MESSAGE, ["type_header", "relay_sender"])
    assert kind_of(senders=("o.dd@marketplace.amazon.fr",)) == (Kind.BUYER_MESSAGE, ["relay_default"])
    assert kind_of(senders=("o.dd@marketplace.amazon.fr",), links=SIGNED)[1] == ["relay_sender", "signed_link"]
    assert kind_of(senders=("x@example.net", ALIAS))[0] is Kind.BUYER_MESSAGE


@pytest.mark.parametrize("links", [SIGNED, REPORT], ids=["signed", "report"])
@pytest.mark.parametrize("sender", ["no-reply@amazon.fr", "ana@acme.example"])
def test_message_links_make_a_buyer_message(links: AmazonLinks, sender: str) -> None:
    assert kind_of(senders=(sender,), links=links)[0] is Kind.BUYER_MESSAGE


def test_amazon_alone_is_a_notice() -> None:
    assert kind_of(senders=("no-reply@amazon.fr",)) == (Kind.NOTICE, ["amazon_sender"])
    assert kind_of(senders=("no-reply@amazon.fr",), type_header="NEW_TOKEN")[0] is Kind.NOTICE
    assert kind_of(senders=("no-reply@amazon.fr",), links=types("NEW_TOKEN"))[0] is Kind.NOTICE
    assert kind_of(senders=("x@acme.example",), links=types("NEW_TOKEN"))[0] is Kind.NOTICE


def test_shapes_decide_after_everything_else() -> None:
    sender = ("donotreply@amazon.com",)
    assert kind_of(senders=sender, confirmation_shape=True)[0] is Kind.CONFIRMATION_COPY
    assert kind_of(senders=sender, confirmation_shape=True, links=SIGNED)[0] is Kind.BUYER_MESSAGE
    assert kind_of(senders=("auto-communication@amazon.com",), opt_out_shape=True) == (
        Kind.DELIVERY_FAILURE, ["opt_out_shape", "amazon_sender"],
    )  # fmt: skip


def test_reports_are_failures_only_if_they_name_something_of_ours() -> None:
    for sender in ("mailer-daemon@mx.example", "mailer-daemon@amazon.com"):
        assert kind_of(senders=(sender,), report=True, report_names=(ALIAS,))[0] is Kind.DELIVERY_FAILURE
        assert kind_of(senders=(sender,), report=True, report_names=("id@acme.example",))[0] is Kind.DELIVERY_FAILURE
        assert kind_of(senders=(sender,), report=True, report_names=(ALIAS,), report_delayed=True)[0] is Kind.NOTICE
        assert kind_of(senders=(sender,), report=True)[0] is not Kind.DELIVERY_FAILURE
    assert kind_of(senders=("mailer-daemon@amazon.com",), relay_recipients=(ALIAS,))[0] is Kind.DELIVERY_FAILURE


def test_replies_exist_only_in_sent() -> None:
    facts = {"senders": ("support@acme.example",), "relay_recipients": (ALIAS,)}
    assert kind_of(Where.SENT, **facts)[0] is Kind.SELLER_REPLY
    assert kind_of(Where.SENT, automatic=True, **facts) == (Kind.AUTO_REPLY, ["sent_to_relay", "automatic"])
    for where in (Where.INBOX, Where.JUNK):
        assert kind_of(where, links=SIGNED, **facts) == (Kind.UNRELATED, ["sent_to_relay"])
    assert kind_of(Where.SENT, senders=("support@acme.example",), links=SIGNED)[0] is Kind.UNRELATED
    assert kind_of(Where.SENT, senders=(ALIAS,))[0] is Kind.BUYER_MESSAGE


def test_border_between_suspicious_and_unverified() -> None:
    fake = ("x@marketplace.amazon.fr.example.net",)
    assert kind_of(senders=fake, links=SIGNED, type_header=BUYER_TYPE) == (
        Kind.SUSPICIOUS,
        ["look_alike", "type_header"],
    )
    assert kind_of(senders=("x@acme-amazon.example",), links=SIGNED)[0] is Kind.SUSPICIOUS
    own = frozenset({"support@acme-amazon.example"})
    assert kind_of(senders=("x@acme-amazon.example",), links=SIGNED, own_addresses=own)[0] is Kind.BUYER_MESSAGE
    below = ("s@lists.acme-amazon.example",)
    assert kind_of(senders=below, stand_ins=(ALIAS,), own_addresses=own)[0] is Kind.BUYER_MESSAGE
    beside = ("s@acme-amazon.example.net", "s@my.acme-amazon.example.evil-amazon.example", "s@x-acme-amazon.example")
    for sender in beside:
        assert kind_of(senders=(sender,), stand_ins=(ALIAS,), own_addresses=own)[0] is Kind.SUSPICIOUS
    foreign = ("x@example.net",)
    assert kind_of(senders=foreign, type_header=BUYER_TYPE) == (Kind.SUSPICIOUS, ["look_alike", "type_header"])
    assert kind_of(senders=foreign, type_header=BUYER_TYPE, links=SIGNED)[0] is Kind.BUYER_MESSAGE
    assert kind_of(senders=foreign, type_header="NEW_TOKEN", links=SIGNED)[0] is Kind.BUYER_MESSAGE
    assert kind_of(senders=foreign, type_header="RETURN_REQUEST", stand_ins=("no-reply@amazon.fr",))[0] is Kind.NOTICE
    assert kind_of(senders=foreign, type_header="NEW_TOKEN", stand_ins=("no-reply@amazon.fr",))[0] is Kind.NOTICE
    assert kind_of(senders=foreign, type_header=BUYER_TYPE, stand_ins=(ALIAS,))[1] == ["type_header", "relay_reply_to"]
    assert kind_of(senders=foreign, stand_ins=(ALIAS,)) == (Kind.BUYER_MESSAGE, ["relay_reply_to"])
    assert kind_of(senders=foreign, links=AmazonLinks(fake_host="amazon.example"))[0] is Kind.SUSPICIOUS
    assert kind_of(senders=(), type_header=BUYER_TYPE)[0] is Kind.BUYER_MESSAGE


def test_nothing_of_amazon_is_unrelated() -> None:
    assert kind_of(senders=("x@example.net",)) == (Kind.UNRELATED, ["nothing_of_amazon"])
    assert kind_of(senders=("x@example.net",), from_replyby=True, links=SIGNED) == (Kind.UNRELATED, ["own_mail"])
    assert kind_of() == (Kind.UNRELATED, ["nothing_of_amazon"])


@pytest.mark.parametrize(
    ("facts", "new"),
    [
        ({"notice_type": "BRAND_NEW_TYPE", "sender": "donotreply@amazon.com"}, True),
        ({"notice_type": "BRAND_NEW_TYPE", "sender": "payments-messages@amazon.fr"}, True),
        ({"sender": "donotreply@amazon.com"}, True),
        ({"sender": None}, True),
        ({"sender": "payments-messages@amazon.co.za"}, False),
        ({"notice_type": "RETURN_REQUEST", "sender": "donotreply@amazon.com"}, False),
        ({"sender": "mailer-daemon@amazonses.com", "signals": (Signal(SignalName.DELIVERY_REPORT),)}, False),
        ({"kind": Kind.BUYER_MESSAGE}, False),
    ],
    ids=["type", "type of a notice sender", "sender", "nobody", "notice sender", "known type", "delay", "no notice"],
)
def test_new_template_is_what_no_list_knows(facts: dict[str, Any], new: bool) -> None:
    assert is_new_template(make_message(facts.pop("kind", Kind.NOTICE), **facts)) is new
