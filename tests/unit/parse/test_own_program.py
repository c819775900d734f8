"""A buyer answers from an own mail program: what is quoted below the words belongs to an earlier message."""

import html
from datetime import UTC, datetime

import pytest

from monitor.core.messages import Kind, Message, Where
from monitor.parse import RecognitionContext, parse_message

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
ORDER = "402-0000001-0000001"
LINK = (
    "https://sellercentral.amazon.fr/messaging/no-response-needed?t=T1&m={key}&mp=A13V1IB3VIYZZH&c=A1MERCHANT&h=abc&s=1"
)
WORDS = "Il n'est toujours pas là !"


def template(words: str, key: str) -> str:
    """Return a message as Amazon sets it, with its signed link below the words."""
    return (
        f"Vous avez reçu un message.\n\n# {ORDER}:\n1 / Lampe [ASIN: B012345678]\n\n"
        f"------------- Message: -------------\n\n{words}\n\n------------- Fin du message -------------\n\n"
        f"Résoudre : {LINK.format(key=key)}\n--------------------------\nCopyright Amazon\nSPC-EUAmazon-123\n"
    )


def quoted(text: str) -> str:
    """Return a text as a mail program quotes it."""
    return "".join(f"> {line}\n" for line in text.splitlines())


BEFORE = template("Où est mon colis ?", "M1")
SELLERS = "Bonjour, il arrive.\n\n" + quoted(BEFORE)
ANSWERS = {
    "quoted": f"{WORDS}\n\nLe ven. 20 nov. 2026 à 06:10, Acme <support@acme.example> a écrit :\n\n{quoted(SELLERS)}",
    "headers": f"{WORDS}\n\n________________________________\nVon: Acme <support@acme.example>\n"
    f"Gesendet: Freitag, 20. November 2026 06:10\nAn: Marie\nBetreff: Re: Frage\n\nBonjour.\n\n{BEFORE}",
    "blockquote": f"<div>{WORDS}</div><div>Le ven. 20 nov. 2026 à 06:10, Acme &lt;support@acme.example&gt; a écrit :</div>"
    f"<blockquote>Bonjour.<blockquote>{html.escape(BEFORE).replace(chr(10), '<br>')}"
    f'<a href="{html.escape(LINK.format(key="M1"))}">Résoudre</a></blockquote></blockquote>',
    "dashes above the introduction": f"{WORDS}\n\n-------- Original Message --------\n"
    f"On 20/11/2026 06:10, Acme <support@acme.example> wrote:\n\n{quoted(SELLERS)}",
    "unmarked": f"{WORDS}\n\nLe vendredi 20 novembre 2026 à 06:10:12 UTC+1,\nAcme <support@acme.example> a écrit :\n\n"
    f"Bonjour, il arrive.\n\n{BEFORE}",
    "unmarked markup": f"<div>{WORDS}</div>"
    f"<div>Le vendredi 20 novembre 2026 à 06:10, Acme &lt;support@acme.example&gt; a écrit :</div>"
    f"<div>Bonjour.</div><div>{html.escape(BEFORE).replace(chr(10), '<br>')}"
    f'<a href="{html.escape(LINK.format(key="M1"))}">Résoudre</a></div>',
}


def read(body: str, *, sender: str = "Marie <abcdefghij12345@marketplace.amazon.fr>") -> Message:
    """Return the message that a mail with this body is."""
    subtype = "html" if body.startswith("<") else "plain"
    mail = (
        f"From: {sender}\nTo: support@acme.example\nDate: Fri, 20 Nov 2026 09:10:12 +0000\n"
        f"Message-ID: <2@eu-west-1.amazonses.example>\nSubject: Re: Question (Commande : {ORDER})\n"
        f"Content-Type: text/{subtype}; charset=utf-8\n\n{body}"
    )
    return parse_message(mail.encode(), internaldate=NOW, where=Where.INBOX, context=RecognitionContext())


@pytest.mark.parametrize("shape", ANSWERS)
def test_quoted_message_lends_its_key_to_no_answer(shape: str) -> None:
    message = read(ANSWERS[shape])
    assert (message.kind, message.buyer_text, message.order_id) == (Kind.BUYER_MESSAGE, WORDS, ORDER)
    assert (message.message_key, message.no_response_url) == (None, None)


@pytest.mark.parametrize("shape", ["quoted", "headers", "unmarked"])
def test_answer_that_amazon_set_has_the_key_below_its_own_words(shape: str) -> None:
    message = read(template(ANSWERS[shape], "M2"))
    assert (message.buyer_text, message.message_key) == (WORDS, "M2")
    assert message.no_response_url == LINK.format(key="M2")


def test_a_line_with_an_address_below_amazons_own_lines_is_the_buyers() -> None:
    words = "Vous m'avez écrit le 20/11/2026 de x@acme.example :\n\nje ne comprends pas."
    head, _, rest = template(words, "M1").partition("------------- Message: -------------\n")
    for body in (template(words, "M1"), f"{head}{rest}"):
        assert read(body).message_key == "M1"


@pytest.mark.parametrize(
    "line",
    [
        "CAUTION: external mail from abcdefghij12345@marketplace.amazon.fr. Open links only if you know the sender:",
        "[EXTERNAL] Received 20/11/2026 from abcdefghij12345@marketplace.amazon.fr:",
        "De : Marie <abcdefghij12345@marketplace.amazon.fr>\nMessage :",
        "Bonjour,\n\nVous avez reçu un message de abcdefghij12345@marketplace.amazon.fr :",
    ],
)
def test_a_line_that_a_gateway_puts_above_the_template_takes_neither_words_nor_key(line: str) -> None:
    message = read(f"{line}\n\n{BEFORE}")
    assert (message.buyer_text, message.message_key) == ("Où est mon colis ?", "M1")


def test_a_date_in_amazons_own_line_of_dashes_introduces_nothing() -> None:
    inner = template("Bonjour : x@acme.example :\nOù est-il ?", "M2")
    dated = inner.replace("Message: ---", "Message du 20.11.2026: ---").replace(":\n\nBonjour", ":\nBonjour")
    answer = f"x@acme.example :\n{WORDS}\n\n{BEFORE}"
    message = read(
        template(answer, "M2").replace("- Message: -", "- Message du 20.11.2026: -", 1).replace("-\n\nx@", "-\nx@")
    )
    assert message.message_key == "M2"
    assert WORDS in (message.buyer_text or "")
    assert read(dated).message_key == "M2"


def test_colleagues_forward_keeps_the_key_of_what_was_forwarded() -> None:
    body = f"Can you answer this?\n\nOn 20 Nov 2026, Marie <abcdefghij12345@marketplace.amazon.fr> wrote:\n\n{quoted(BEFORE)}"
    message = read(body, sender="Bo <bo@acme.example>")
    assert (message.kind, message.message_key) == (Kind.BUYER_MESSAGE, "M1")
