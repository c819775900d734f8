"""What may change about a mail without changing what it is."""

import quopri
import random
import re
import socket
from datetime import UTC, datetime
from typing import NoReturn

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.core.marketplaces import MARKETPLACES
from monitor.core.messages import Kind, Where
from monitor.parse import RecognitionContext, parse_message, wants_mail
from tests.corpus.check import recognise
from tests.corpus.encode import compose
from tests.corpus.generate import (
    ENCODINGS,
    LAYOUTS,
    TRANSPORTS,
    Case,
    base_headers,
    buyer_message,
    corpus,
    html_of,
    make_facts,
    text_of,
)
from tests.corpus.languages import TEMPLATES, Template

NOW = datetime(2026, 11, 20, 5, tzinfo=UTC)
letters = st.text(st.characters(categories=["L"]), min_size=1, max_size=20)


@settings(max_examples=60)
@given(
    st.integers(0, 10**6),
    st.sampled_from(LAYOUTS),
    st.sampled_from(TRANSPORTS),
    st.sampled_from(ENCODINGS),
    st.booleans(),
)
def test_no_buyer_message_is_missed_in_any_shape(
    seed: int, layout: str, transport: str, encoding: str, held_out: bool
) -> None:
    rng = random.Random(seed)
    case = buyer_message(make_facts(rng, held_out=held_out), rng, layout, transport, encoding)
    assert recognise(case).kind is Kind.BUYER_MESSAGE


@settings(max_examples=60)
@given(st.integers(0, 10**6), st.sampled_from(ENCODINGS), st.sampled_from(ENCODINGS))
def test_encoding_changes_nothing(seed: int, first: str, second: str) -> None:
    def one(encoding: str) -> object:
        rng = random.Random(seed)
        facts = make_facts(rng)
        parts = [("text/plain", text_of(facts, rng)), ("text/html", html_of(facts, rng))]
        mail = compose(base_headers(facts, "x", facts.full_alias), parts, encoding)
        found = recognise(Case("", mail, "inbox"))
        return found.kind, found.order_id, found.message_key, found.buyer_text, found.alias

    assert one(first) == one(second)


@settings(max_examples=60)
@given(st.integers(0, 10**6), st.booleans(), st.booleans(), st.booleans())
def test_type_header_text_part_and_html_part_can_be_dropped(seed: int, header: bool, text: bool, markup: bool) -> None:
    rng = random.Random(seed)
    facts = make_facts(rng)
    parts = [("text/plain", text_of(facts, rng))] * text + [("text/html", html_of(facts, rng))] * markup
    token = "BBC_MESSAGE_SENT_TO_MERCHANT" if header else ""
    for sender in (facts.full_alias, "redirect@acme.example") if text or markup else (facts.full_alias,):
        mail = compose(base_headers(facts, "x", sender, token=token), parts or [("text/plain", "")], "qp")
        found = recognise(Case("", mail, "inbox"))
        assert found.kind is Kind.BUYER_MESSAGE
        if text or markup:
            assert (found.message_key, found.buyer_text) == (facts.key, facts.said.text)


@settings(max_examples=60)
@given(st.integers(0, 10**6), letters, letters, letters, letters, st.sampled_from(["", ":", "："]))
def test_template_can_be_translated_into_anything(
    seed: int, greeting: str, opener: str, closer: str, rest: str, colon: str
) -> None:
    rng = random.Random(seed)
    facts = make_facts(rng)
    facts.template = Template("xx", greeting, opener + colon, closer, rest, rest, rest, rest, rest)
    parts = [("text/plain", text_of(facts, rng)), ("text/html", html_of(facts, rng))]
    for chosen in (parts, parts[:1], parts[1:]):
        found = recognise(Case("", compose(base_headers(facts, "x", facts.full_alias), chosen, "qp"), "inbox"))
        assert (found.kind, found.buyer_text, found.order_id) == (Kind.BUYER_MESSAGE, facts.said.text, facts.order)


@settings(max_examples=60)
@given(st.integers(0, 10**6), st.integers(40, 120))
def test_rewrapping_lines_changes_only_the_words_line_breaks(seed: int, width: int) -> None:
    rng = random.Random(seed)
    facts = make_facts(rng)
    lines: list[str] = []
    for line in text_of(facts, rng).split("\n"):
        while len(line) > width and not re.match(r"^[-\s]", line):
            cut = line.rfind(" ", 0, width)
            cut = cut if cut > 0 else width
            lines.append(line[:cut])
            line = line[cut:].lstrip(" ")
        lines.append(line)
    for sender in (facts.full_alias, "redirect@acme.example"):
        mail = compose(base_headers(facts, "x", sender), [("text/plain", "\n".join(lines))], "8bit")
        found = recognise(Case("", mail, "inbox"))
        assert found.kind is Kind.BUYER_MESSAGE
        assert found.message_key in (facts.key, None)
        assert "".join((found.buyer_text or "").split()) == "".join(facts.said.text.split())


@pytest.mark.parametrize("market", MARKETPLACES, ids=lambda market: market.country)
@pytest.mark.parametrize("template", TEMPLATES, ids=lambda template: template.code)
def test_every_template_language_in_every_marketplace(market: object, template: Template) -> None:
    rng = random.Random(f"{template.code}")
    facts = make_facts(rng, market=market)  # type: ignore[arg-type]
    facts.template = template
    case = buyer_message(facts, rng, "text", "no_type", "qp")
    found = recognise(case)
    assert (found.kind, found.marketplace, found.buyer_text) == (
        Kind.BUYER_MESSAGE,
        facts.market.country,
        facts.said.text,
    )


@settings(max_examples=300)
@given(st.binary(max_size=600))
def test_any_bytes_are_a_mail(content: bytes) -> None:
    for where in Where:
        found = parse_message(content, internaldate=NOW, where=where, context=RecognitionContext())
        assert found.received_at.tzinfo is not None
        wants_mail(content, where)


SEEDS = [case.content for case in corpus(90, 60)]


@settings(max_examples=300)
@given(st.sampled_from(SEEDS), st.randoms(use_true_random=False))
def test_damaged_mails_are_read_and_never_become_replies(content: bytes, rng: random.Random) -> None:
    damaged = bytearray(content)
    for _ in range(rng.randint(1, 12)):
        position = rng.randrange(len(damaged))
        if rng.random() < 0.4:
            del damaged[position : position + rng.randint(1, 60)]
        elif rng.random() < 0.5:
            damaged[position] = rng.randrange(256)
        else:
            damaged[position:position] = rng.choice(
                (b"\0", b"\r\n", b"=?x?", b"--", b"\xff\xfe", b"<", b"Content-Type: ")
            )
        if not damaged:
            break
    found = parse_message(bytes(damaged), internaldate=NOW, where=Where.INBOX, context=RecognitionContext())
    assert found.kind not in (Kind.SELLER_REPLY, Kind.AUTO_REPLY)
    assert found.received_at <= NOW.replace(minute=10)


def test_no_link_is_ever_fetched(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: object, **kwargs: object) -> NoReturn:
        raise AssertionError(f"the network was touched: {args}")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket.socket, "sendto", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    for case in corpus(91, 120):
        recognise(case)


def test_quoted_printable_soft_breaks_inside_links_are_joined() -> None:
    rng = random.Random(5)
    facts = make_facts(rng)
    body = quopri.encodestring(text_of(facts, rng).encode())
    assert b"no-response-needed?t=3D" in body.replace(b"=\n", b"")
    mail = compose(base_headers(facts, "x", "x@acme.example"), [("text/plain", text_of(facts, rng))], "qp")
    assert recognise(Case("", mail, "inbox")).message_key == facts.key
