"""Which mails are fetched whole."""

import pytest

from monitor.core.messages import Kind, Where
from monitor.parse import wants_mail
from monitor.parse.headers import split_mail
from tests.corpus.generate import corpus
from tests.corpus.traps import traps


def block(**headers: str) -> bytes:
    """Return a header block."""
    usual = {"From": "Bo <bo@example.net>", "To": "support@acme.example", "Subject": "Lunch"}
    usual |= {name.replace("_", "-"): value for name, value in headers.items()}
    return "".join(f"{name}: {value}\r\n" for name, value in usual.items() if value).encode()


@pytest.mark.parametrize(
    "headers",
    [
        {"From": "x@marketplace.amazon.fr"},
        {"From": "ads@amazon.de"},
        {"From": "x@amaz0n.example"},
        {"From": "x@xn--mazon-3ve.fr"},
        {"From": '"=?utf-8?b?QW1hem9u?=" <x@example.net>'},
        {"Subject": "=?utf-8?b?QW1hem9uIEtsYW50?="},
        {"Subject": "=?utf-8?q?Commande_402-1234567-1234567?="},
        {"Subject": "Fwd: your question"},
        {"Subject": "WG: Frage"},
        {"Subject": "TR : question"},
        {"Subject": "İlt: soru"},
        {"Subject": "转发：问题"},
        {"Subject": "[Fwd: question]"},
        {"Subject": "[Fwd]: question"},
        {"Subject": "[EXT] [WG] : Frage"},
        {"Subject": "[EXTERNAL] Fwd: your question"},
        {"Subject": "[EXT] (spam) WG: Frage"},
        {"Subject": "【外部】Fwd: question"},
        {"Subject": "*EXTERN* TR : question"},
        {"Subject": "Re: AW: Fwd: question"},
        {"Reply_To": "x@marketplace.amazon.fr"},
        {"In_Reply_To": "<0102@eu-west-1.amazonses.com>"},
        {"References": "<a@b>\r\n <0102@eu-west-1.amazonses.com>"},
        {"Return_Path": "<>"},
        {"From": "MAILER-DAEMON@mx.example"},
        {"Content_Type": "multipart/report; boundary=x"},
        {"X_Failed_Recipients": "x@y.example"},
        {"X_Space_Notification_Type": "X"},
        {"Resent_From": "x@y.example"},
        {"From": ""},
    ],
    ids=lambda headers: str(headers)[:60],
)
def test_whatever_may_be_amazons_is_wanted(headers: dict[str, str]) -> None:
    assert wants_mail(block(**headers), Where.INBOX)
    assert wants_mail(block(**headers), Where.JUNK)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Subject": "Re: Lunch"},
        {"Subject": "AW: Essen"},
        {"Subject": "[EXTERNAL] Re: Lunch"},
        {"Subject": "[list] (2) Lunch"},
        {"Subject": "Re: " * 40 + "Lunch"},
        {"Received": "from a1-2.smtp-out.eu-west-1.amazonses.com by mx"},
        {"Return_Path": "<x@eu-west-1.amazonses.com>", "Message_ID": "<0102@eu-west-1.amazonses.com>"},
        {"List_Unsubscribe": "<https://x.s3.amazonaws.com/u>"},
    ],
    ids=lambda headers: str(headers)[:60],
)
def test_ordinary_mail_is_left_on_the_server(headers: dict[str, str]) -> None:
    assert not wants_mail(block(**headers), Where.INBOX)


def test_sent_is_fetched_only_where_it_went_to_a_relay() -> None:
    assert wants_mail(block(To='"Zoé" <x@marketplace.amazon.fr>'), Where.SENT)
    assert wants_mail(block(Cc="bo@example.net, x+case@marketplace.amazon.co.jp"), Where.SENT)
    assert not wants_mail(block(Subject="Fwd: about amazon"), Where.SENT)
    assert not wants_mail(block(To="x@amazon.fr"), Where.SENT)
    assert not wants_mail(block(), Where.SENT)


def test_colleagues_are_always_wanted() -> None:
    assert wants_mail(block(From="ana@acme.example"), Where.INBOX, frozenset({"acme.example"}))
    assert not wants_mail(block(From="ana@acme.example"), Where.INBOX)


def test_nothing_of_the_corpus_is_left_behind() -> None:
    own = frozenset({"acme.example"})
    unrelated = {Kind.UNRELATED.value, Kind.SUSPICIOUS.value}
    missed = [
        case.name
        for case in [*corpus(77, 300), *corpus(78, 200, held_out=True), *traps()]
        if case.expected["kind"] not in unrelated
        and not wants_mail(split_mail(case.content)[0], Where(case.where), own)
    ]
    assert missed == []
