# ruff: noqa: E501
"""Invented Amazon mails with what must be read from them: every dimension varies independently, by seed.

Nothing here knows how recognition works: it writes what `Template` and the marketplaces give, in many shapes.
"""

import html
import random
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from monitor.core.marketplaces import MARKETPLACES, Marketplace
from tests.corpus.encode import Part, compose, display, encoded_word
from tests.corpus.languages import NAMES, TEMPLATES, WORDS, Said, Template

AUTHSERV = "mx.acme.example"
SELLER = "support@acme.example"
ENCODINGS = ("qp", "base64", "8bit", "flowed", "iso", "sjis", "nocharset")
LAYOUTS = (
    "both", "text", "html", "html_no_pre", "flattened", "no_opener", "no_closer", "no_markers", "html_flattened", "empty_photo",
    "html_empty_photo", "own_program", "own_program_html", "own_program_outlook", "own_program_wrapped",
)  # fmt: skip
TRANSPORTS = (
    "direct",
    "no_type",
    "redirect",
    "reply_to",
    "forward",
    "forward_quoted",
    "forward_attached",
    "safelinks",
    "no_verdict",
    "dmarc_fail",
)
NOTICE_TYPES = (
    "RETURN_REQUEST",
    "REFUND_ISSUED",
    "BRC_SELLER_NOTIFICATION",
    "A_Z_CLAIM_RESPONDENT_NOTIFY",
    "A_Z_CLAIM_RESPONDENT_CLOSE",
)
FUTURE = (Marketplace("", "A0UNKNOWN00000", "marketplace.amazon.cl", "sellercentral.amazon.cl", "Chile", "America/Santiago"),
          Marketplace("", "A0UNKNOWN00001", "marketplace.amazon.com.co", "sellercentral.amazon.com.co", "Colombia", "America/Bogota"))  # fmt: skip


@dataclass
class Case:
    """One mail and what must come out. Fields that are not in `expected` may be anything."""

    name: str
    content: bytes
    where: str
    expected: dict[str, Any] = field(default_factory=dict)


@dataclass
class Facts:
    """What one invented message is about."""

    market: Marketplace
    template: Template
    said: Said
    name: str
    order: str | None
    alias: str
    suffix: str
    suffix_in: str
    key: str
    thread: str
    merchant: str
    asin: str
    at: datetime
    dashes: int

    @property
    def full_alias(self) -> str:
        """The alias with its suffix."""
        local, _, domain = self.alias.partition("@")
        return f"{local}+{self.suffix}@{domain}" if self.suffix else self.alias


def make_facts(rng: random.Random, *, held_out: bool = False, market: Marketplace | None = None) -> Facts:
    """Return invented facts; `held_out` takes only template languages the committed corpus has never shown."""
    templates = [template for template in TEMPLATES if template.held_out == held_out]
    where = market or rng.choice((*MARKETPLACES, *MARKETPLACES, *FUTURE))
    letters = "abcdefghijklmnopqrstuvwxyz0123456789"
    hexadecimal = "0123456789abcdef"
    uuid = "-".join("".join(rng.choices(hexadecimal, k=size)) for size in (8, 4, 4, 4, 12))
    return Facts(
        market=where,
        template=rng.choice(templates),
        said=rng.choice(WORDS),
        name=rng.choice(NAMES),
        order=f"{rng.randint(100, 999)}-{rng.randint(1000000, 9999999)}-{rng.randint(1000000, 9999999)}"
        if rng.random() < 0.85
        else None,
        alias="".join(rng.choices(letters, k=rng.choice((14, 15, 15, 16)))) + "@" + where.domain,
        suffix=rng.choice(("", uuid, "".join(rng.choices(hexadecimal, k=8)))),
        suffix_in=rng.choice(("both", "reply_to")),
        key="A" + "".join(rng.choices("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", k=13)),
        thread="AT" + "".join(rng.choices("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", k=12)),
        merchant="A2" + "".join(rng.choices("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", k=11)),
        asin="B0" + "".join(rng.choices("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", k=8)),
        at=datetime(
            2026,
            rng.randint(1, 11),
            rng.randint(1, 28),
            rng.randint(0, 23),
            rng.randint(0, 59),
            rng.randint(0, 59),
            tzinfo=UTC,
        ),
        dashes=rng.randint(9, 26),
    )


def signed_link(facts: Facts) -> str:
    """Return the link that marks a message as needing no response."""
    return (
        f"https://{facts.market.seller_central_host}/messaging/no-response-needed?t={facts.thread}&m={facts.key}"
        f"&mp={facts.market.id}&c={facts.merchant}&h=0f1e2d3c4b5a69788796a5b4c3d2e1f0&s=1"
    )


def report_link(facts: Facts, variant: int) -> str:
    """Return one of the two links that report a message."""
    if variant:
        host = facts.market.seller_central_host.replace("sellercentral.", "www.")
        return f"https://{host}/messaging/8123456789?marketplaceId={facts.market.id}&ref_=bsm_email_report&report=true&lc=en_GB"
    case = "0d7cbb02-7b9c-4c36-8a1c-6a2f1c1a1b1c"
    return f"https://{facts.market.seller_central_host}/messaging/inbox?fi=caseId&ss={case}&cc={case}&ref=bsm_email_report&lc=fr_FR"


def _helpful_link(facts: Facts) -> str:
    return (
        f"https://{facts.market.seller_central_host}/gp/survey?customAttribute1Value=BBC_MESSAGE_SENT_TO_MERCHANT&x=1"
    )


def _safe(url: str) -> str:
    from urllib.parse import quote

    return f"https://eur01.safelinks.protection.outlook.com/?url={quote(url, safe='')}&data=05%7C01&reserved=0"


def _head(facts: Facts, item: str = "Desk lamp, white") -> list[str]:
    lines = [facts.template.greeting, ""]
    if facts.order:
        lines.append(f"# {facts.order}:")
    lines.append(f"1 / {item} [ASIN: {facts.asin}]")
    return lines


def _tail(facts: Facts, rng: random.Random, wrap: bool) -> list[str]:
    shown = _safe if wrap else (lambda url: url)
    t = facts.template
    return [
        f"{t.helpful} {shown(_helpful_link(facts))}",
        "",
        f"{t.solve} {shown(signed_link(facts))}",
        f"{t.report} {shown(report_link(facts, rng.randint(0, 1)))}",
        "",
        "--------------------------",
        t.legal,
        f"SPC-EUAmazon-{rng.randint(10**11, 10**12 - 1)}",
    ]


def text_of(
    facts: Facts,
    rng: random.Random,
    *,
    opener: bool = True,
    closer: bool = True,
    words: str | None = None,
    wrap: bool = False,
) -> str:
    """Return the plain text of a buyer message."""
    dashes = "-" * facts.dashes
    space = " " * rng.randint(1, 2)
    lines = [*_head(facts), ""]
    if opener:
        lines += [f"{dashes}{space}{facts.template.opener}{space}{dashes}", ""]
    lines += [facts.said.text if words is None else words, ""]
    if closer:
        lines += [f"{dashes}{space}{facts.template.closer}{space}{dashes}", ""]
    return "\n".join([*lines, *_tail(facts, rng, wrap)]) + "\n"


def html_of(
    facts: Facts,
    rng: random.Random,
    *,
    pre: bool = True,
    markers: bool = True,
    flat: bool = False,
    words: str | None = None,
    wrap: bool = False,
) -> str:
    """Return the HTML of a buyer message."""
    said = facts.said.text if words is None else words
    dashes = "-" * facts.dashes
    style = "white-space: pre-wrap; white-space: -moz-pre-wrap; white-space: -o-pre-wrap; word-wrap: break-word"
    shown = _safe if wrap else (lambda url: url)
    t = facts.template
    rows = [html.escape(t.greeting)]
    if facts.order:
        rows.append(
            f'# <a href="https://{facts.market.seller_central_host}/orders-v3/order/{facts.order}">{facts.order}</a>:'
        )
    rows.append(f"1 / Desk lamp, white [ASIN: {facts.asin}]")
    if markers:
        rows.append(f"{dashes} {html.escape(t.opener)} {dashes}")
    inner = html.escape(said, quote=False)
    rows.append(f'<pre style="{style}">{inner}</pre>' if pre else inner.replace("\n", "<br>\n"))
    if markers:
        rows.append(f"{dashes} {html.escape(t.closer)} {dashes}")
    rows += [
        f'{html.escape(t.helpful)} <a href="{html.escape(shown(_helpful_link(facts)))}">+</a>',
        f'<a href="{html.escape(shown(signed_link(facts)))}">{html.escape(t.solve)}</a>',
        f'<a href="{html.escape(shown(report_link(facts, rng.randint(0, 1))))}">{html.escape(t.report)}</a>',
        "--------------------------",
        html.escape(t.legal),
    ]
    if flat:
        return "<html><body><p>" + " ".join(rows) + "</p></body></html>"
    body = "\n".join(f"<tr><td style='font-size:13px'>{row}</td></tr>" for row in rows)
    return f"<html><head><style>td {{ padding: 0 }}</style></head><body><table>{body}</table></body></html>"


def base_headers(
    facts: Facts,
    subject: str,
    sender: str,
    *,
    verdict: str = "pass",
    token: str = "",
    reply_to: str = "",
    to: str = SELLER,
) -> list[tuple[str, str]]:
    """Return the headers of a mail as Amazon's servers and the seller's leave them."""
    domain = sender.rpartition("@")[2].rstrip(">")
    stamp = facts.at.strftime("%a, %d %b %Y %H:%M:%S +0000")
    later = (facts.at + timedelta(seconds=2)).strftime("%a, %d %b %Y %H:%M:%S +0000")
    headers = [("Received", f"from a1-2.smtp-out.amazonses.com by {AUTHSERV} with ESMTPS; {later}")]
    if verdict:
        headers.append(
            (
                "Authentication-Results",
                f"{AUTHSERV}; dkim={verdict} header.d={domain}; dmarc={verdict} header.from={domain}",
            )
        )
    headers += [("Date", stamp), ("From", sender)]
    if reply_to:
        headers.append(("Reply-To", reply_to))
    headers += [
        ("To", to),
        ("Message-ID", f"<0102018c{facts.key.lower()}-000000@eu-west-1.amazonses.com>"),
        ("Subject", encoded_word(subject)),
    ]
    if token:
        headers += [("X-Space-Notification-Type", token), ("X-Marketplace-ID", facts.market.id)]
    headers.append(("X-AMAZON-MAIL-RELAY-TYPE", "notification"))
    return headers


def expected_of(facts: Facts, kind: str, **more: Any) -> dict[str, Any]:
    """Return what every mail of these facts must give."""
    return {
        "kind": kind,
        "marketplace": facts.market.country or None,
        "order_id": facts.order,
        "received_at": facts.at.isoformat().replace("+00:00", "Z"),
    } | more


def _subject(facts: Facts) -> str:
    subject = facts.template.inquiry.format(name=facts.name, order=facts.order or "")
    if facts.order is None:
        subject = subject.partition("(")[0].partition("（")[0].strip()
    return subject


def buyer_message(facts: Facts, rng: random.Random, layout: str, transport: str, encoding: str) -> Case:
    """Return one buyer message in the given shape."""
    wrap = transport == "safelinks"
    said: str = facts.said.text
    photo = layout.endswith("empty_photo")
    if photo:
        said = ""
    if layout in ("html_no_pre", "own_program_html"):  # HTML itself has no indentation to keep
        said = "\n".join(line.strip() for line in said.split("\n"))
    parts = _parts(facts, rng, layout, wrap, said)
    sender_address = facts.full_alias if facts.suffix_in == "both" else facts.alias
    sender = display(f"{facts.name} - Amazon Marketplace" if rng.random() < 0.5 else facts.name, sender_address)
    token = "" if transport == "no_type" else "BBC_MESSAGE_SENT_TO_MERCHANT"
    verdict = {"no_verdict": "", "dmarc_fail": "fail"}.get(transport, "pass")
    subject = ("Re: " if layout.startswith("own_program") else "") + _subject(facts)
    headers = base_headers(facts, subject, sender, verdict=verdict, token=token, reply_to=facts.full_alias)
    links = not layout.startswith("own_program") or layout == "own_program_wrapped"
    expected = expected_of(
        facts,
        "buyer_message",
        alias=facts.alias,
        merchant_id=facts.merchant if links else None,
        message_key=facts.key if links else None,
        buyer_text=said,
        authenticity={"": "unknown", "fail": "failed", "pass": "passed"}[verdict] if facts.market.country else None,
    )
    if not facts.market.country:
        expected.pop("authenticity")
    if facts.said.label and not photo:
        expected["has_label"] = facts.said.label
    content = compose(headers, parts, encoding, crlf=rng.random() < 0.7, photo=photo)
    if transport in ("redirect", "reply_to"):
        headers = [
            (name, value)
            for name, value in headers
            if name not in ("From", "Authentication-Results", "X-Space-Notification-Type")
        ]
        sender = (
            "Support via Redirect <redirect@acme.example>" if transport == "redirect" else "team@lists.acme.example"
        )
        content = compose([("From", sender), *headers], parts, encoding)
        expected["authenticity"] = "unknown"
    elif transport.startswith("forward"):
        if transport != "forward_attached" and (layout.startswith("own_program") or layout == "html_flattened"):
            parts = _parts(facts, rng, "both", wrap, said)
            expected |= {"merchant_id": facts.merchant, "message_key": facts.key, "buyer_text": said}
        if layout == "flattened" and transport != "forward_attached":
            expected["buyer_text"] = " ".join(said.split())
        content = _forward(facts, rng, transport, content, parts)
        expected["authenticity"] = "unknown"
        expected.pop("has_label", None)
        if transport != "forward_attached":
            expected["received_at"] = (facts.at + timedelta(hours=1)).isoformat().replace("+00:00", "Z")
    return Case(f"{layout}-{transport}-{encoding}", content, "inbox", expected)


def _parts(facts: Facts, rng: random.Random, layout: str, wrap: bool, said: str) -> list[Part]:
    quoted_seller = "Dear customer,\nyour parcel 999-1111111-2222222 left us yesterday.\nAcme"
    if layout.startswith("own_program"):
        return _own_program(facts, rng, layout, quoted_seller)
    text = text_of(facts, rng, words=said, wrap=wrap)
    markup = html_of(facts, rng, words=said, wrap=wrap)
    return {
        "both": [("text/plain", text), ("text/html", markup)],
        "text": [("text/plain", text)],
        "html": [("text/html", markup)],
        "html_no_pre": [("text/html", html_of(facts, rng, pre=False, words=said, wrap=wrap))],
        "flattened": [("text/plain", " ".join(text.split())), ("text/html", markup)],
        "no_opener": [("text/plain", text_of(facts, rng, opener=False, words=said, wrap=wrap))],
        "no_closer": [("text/plain", text_of(facts, rng, closer=False, words=said, wrap=wrap))],
        "no_markers": [("text/plain", text_of(facts, rng, opener=False, closer=False, words=said, wrap=wrap))],
        "html_flattened": [("text/html", html_of(facts, rng, flat=True, words=said, wrap=wrap))],
        "empty_photo": [("text/plain", text)],
        "html_empty_photo": [("text/html", markup)],
    }[layout]


def _own_program(facts: Facts, rng: random.Random, layout: str, seller: str) -> list[Part]:
    dashes = "-" * facts.dashes
    old = f"{facts.template.greeting}\n\n{dashes} {facts.template.opener} {dashes}\n\n{seller}\n\n{dashes} {facts.template.closer} {dashes}"
    intro = f"Le ven. 20 nov. 2026 à 04:10, Acme Support <{SELLER}> a écrit :"
    quoted = "\n".join(f"> {line}".rstrip() for line in old.split("\n"))
    if layout == "own_program":
        return [("text/plain", f"{facts.said.text}\n\n{intro}\n\n{quoted}\n")]
    if layout == "own_program_outlook":
        block = f"________________________________\nVon: Acme Support <{SELLER}>\nGesendet: Freitag, 20. November 2026 04:10\nAn: buyer@mail.example\nBetreff: Ihre Frage"
        return [("text/plain", f"{facts.said.text}\n\n{block}\n\n{old}\n")]
    if layout == "own_program_html":
        new = html.escape(facts.said.text, quote=False).replace("\n", "<br>")
        markup = f"<div>{new}</div><div>{html.escape(intro)}</div><blockquote>{html.escape(old).replace(chr(10), '<br>')}</blockquote>"
        return [("text/html", f"<html><body>{markup}</body></html>")]
    return [("text/plain", text_of(facts, rng, words=f"{facts.said.text}\n\n{intro}\n\n{quoted}"))]


def _forward(facts: Facts, rng: random.Random, transport: str, content: bytes, parts: list[Part]) -> bytes:
    stamp = (facts.at + timedelta(hours=1)).strftime("%a, %d %b %Y %H:%M:%S +0000")
    headers = [
        ("Authentication-Results", f"{AUTHSERV}; dkim=pass header.d=acme.example; dmarc=pass header.from=acme.example"),
        ("Date", stamp),
        ("From", "Colleague <colleague@acme.example>"),
        ("To", SELLER),
        ("Message-ID", f"<{facts.key.lower()}@acme.example>"),
        ("Subject", encoded_word(("TR: " if rng.random() < 0.5 else "Fwd: ") + _subject(facts))),
    ]
    if transport == "forward_attached":
        boundary = "=_fwd"
        raw = "\n".join(f"{name}: {value}" for name, value in headers)
        raw += f'\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary="{boundary}"\n\n'
        raw += f"--{boundary}\nContent-Type: text/plain; charset=utf-8\n\nCan you answer this one?\n--{boundary}\n"
        raw += "Content-Type: message/rfc822\n\n"
        return (raw.encode() + content.replace(b"\r\n", b"\n") + f"\n--{boundary}--\n".encode()).replace(b"\n", b"\r\n")
    block = "\n".join(
        [
            "---------- Forwarded message ---------",
            f"From: {facts.name} <{facts.full_alias}>",
            "Date: Fri, 20 Nov 2026 at 04:10",
            f"Subject: {_subject(facts)}",
            f"To: <{SELLER}>",
        ]
    )
    inner = next((text for kind, text in parts if kind == "text/plain"), None)
    if inner is None:
        markup = next(text for kind, text in parts if kind == "text/html")
        opened = f"<html><body><div>Please answer.</div><div>{html.escape(block).replace(chr(10), '<br>')}</div>"
        return compose(headers, [("text/html", opened + markup + "</body></html>")], "qp")
    if transport == "forward_quoted":
        inner = "\n".join(f"> {line}".rstrip() for line in inner.split("\n"))
    return compose(headers, [("text/plain", f"Please answer.\n\n{block}\n\n\n{inner}")], "qp")


def confirmation_copy(facts: Facts, rng: random.Random, *, header: bool, verdict: str = "pass") -> Case:
    """Return a copy of what the seller wrote in Seller Central: HTML only."""
    t = facts.template
    dashes = "-" * facts.dashes
    answer = html.escape("Hello, your parcel 888-1111111-2222222 is on its way.")
    order = f"<p># {facts.order}</p>" if facts.order else ""
    markup = (
        f"<html><body><p>{html.escape(t.greeting)}</p>{order}<p>{dashes} {html.escape(t.opener)} {dashes}</p>"
        f"<pre>{answer}</pre><p>{dashes} {html.escape(t.closer)} {dashes}</p><p>{html.escape(t.legal)}</p>"
        f"<p style='color:#fff'>[commMgrTok:{facts.key}]</p></body></html>"
    )
    sender = f"Amazon.{facts.market.tld} <donotreply@amazon.com>"
    first = facts.name.replace('"', "").split()[0]
    headers = base_headers(
        facts,
        f"Your e-mail to {first}",
        sender,
        verdict=verdict,
        token="BBC_MESSAGE_CONFIRMATION_TO_MERCHANT" if header else "",
    )
    headers.append(("Reply-To", "naoresponda@amazon.com"))
    expected = expected_of(
        facts, "confirmation_copy", authenticity={"": "unknown", "fail": "failed", "pass": "passed"}[verdict]
    )
    return Case(
        f"copy-{'header' if header else 'shape'}-{verdict or 'none'}",
        compose(headers, [("text/html", markup)], "qp"),
        "inbox",
        expected,
    )


def notice(facts: Facts, rng: random.Random, token: str, *, header: bool = True, in_link: bool = False) -> Case:
    """Return a notice of Amazon's that quotes the buyer's free text."""
    order = facts.order or "402-0000001-0000002"
    facts.order = order
    link = (
        f'<a href="https://{facts.market.seller_central_host}/gp/returns?{"nt=" + token if in_link else "x=1"}">…</a>'
    )
    quote = html.escape(facts.said.text, quote=False)
    markup = f"<html><body><h1>{html.escape(facts.template.greeting)}</h1><p>Order <b>{order}</b></p><p>“{quote}”</p>{link}</body></html>"
    sender = rng.choice(
        (
            "donotreply@amazon.com",
            f"seller-notification@amazon.{facts.market.tld}",
            f"Amazon <no-reply@amazon.{facts.market.tld}>",
        )
    )
    named = rng.random() < 0.5
    headers = base_headers(facts, f"{token.title()} {order if named else ''}", sender, token=token if header else "")
    expected = expected_of(facts, "notice")
    if not header and not in_link and sender == "donotreply@amazon.com":
        expected.pop("marketplace")
    return Case(
        f"notice-{token.lower()}-{header}-{in_link}", compose(headers, [("text/html", markup)], "qp"), "inbox", expected
    )


def opt_out(facts: Facts, rng: random.Random, *, header: bool) -> Case:
    """Return Amazon's notice that a buyer does not receive messages any more."""
    facts.order = facts.order or "403-0000001-0000002"
    sent = facts.at - timedelta(hours=5)
    written = rng.choice(
        (
            sent.strftime("%d/%m/%Y"),
            sent.strftime("%Y-%m-%d"),
            f"{sent.day} novembre 2026" if sent.month == 11 else sent.strftime("%d.%m.%Y"),
        )
    )
    if facts.market.country in ("US", "CA"):
        written = sent.strftime("%B %d, %Y")
    markup = (
        f"<html><body><p>Il messaggio per l'ordine ({facts.order}) non è stato consegnato.</p><p>{written}</p>"
        f'<p><a href="mailto:{facts.alias}">{facts.alias}</a></p></body></html>'
    )
    sender = "Amazon <auto-communication@amazon.com>"
    headers = base_headers(
        facts,
        "Il tuo messaggio all'acquirente non è stato consegnato.",
        sender,
        token="BUYER_OPTED_OUT_BSM_MESSAGES" if header else "",
    )
    midnight = sent.replace(hour=0, minute=0, second=0).isoformat().replace("+00:00", "Z")
    expected = expected_of(facts, "delivery_failure", alias=facts.alias, refused_at=midnight)
    return Case(f"opt-out-{header}", compose(headers, [("text/html", markup)], "qp"), "inbox", expected)


def seller_reply(facts: Facts, rng: random.Random, *, automatic: bool = False) -> Case:
    """Return a mail in Sent to a buyer's alias."""
    quoted = "\n".join(f"> {line}" for line in text_of(facts, rng).split("\n"))
    headers = [
        ("Date", facts.at.strftime("%a, %d %b %Y %H:%M:%S +0000")),
        ("From", rng.choice((f"Acme <{SELLER}>", "ana@private.example"))),
        ("To", display(facts.name, facts.full_alias)),
        ("Message-ID", f"<{facts.key.lower()}@acme.example>"),
        ("In-Reply-To", f"<0102018c{facts.key.lower()}-000000@eu-west-1.amazonses.com>"),
        ("Subject", encoded_word("Re: " + _subject(facts))),
    ]
    if automatic:
        headers.append(
            rng.choice((("Auto-Submitted", "auto-replied"), ("X-Autoreply", "yes"), ("Precedence", "auto_reply")))
        )
    expected = expected_of(facts, "auto_reply" if automatic else "seller_reply", alias=facts.alias)
    content = compose(headers, [("text/plain", f"Hello, it is on its way.\n\n{quoted}\n")], "qp")
    return Case("auto-reply" if automatic else "reply", content, "sent", expected)


def bounce(facts: Facts, rng: random.Random) -> Case:
    """Return a mail server's report that a reply did not reach the relay."""
    boundary = "=_dsn"
    sent = facts.at - timedelta(minutes=3)
    raw = "\n".join(
        [
            "Return-Path: <>",
            f"Date: {facts.at.strftime('%a, %d %b %Y %H:%M:%S +0000')}",
            "From: Mail Delivery System <MAILER-DAEMON@mx.acme.example>",
            f"To: {SELLER}",
            "Auto-Submitted: auto-replied",
            f"Message-ID: <dsn{facts.key.lower()}@mx.acme.example>",
            "Subject: Undelivered Mail Returned to Sender",
            "MIME-Version: 1.0",
            f'Content-Type: multipart/report; report-type=delivery-status; boundary="{boundary}"',
            "",
            f"--{boundary}",
            "Content-Type: text/plain; charset=us-ascii",
            "",
            f"<{facts.full_alias}>: host refused",
            f"--{boundary}",
            "Content-Type: message/delivery-status",
            "",
            "Reporting-MTA: dns; mx.acme.example",
            "",
            f"Final-Recipient: rfc822; {facts.full_alias}",
            "Action: failed",
            "Status: 5.7.1",
            "",
            f"--{boundary}",
            f"Content-Type: {rng.choice(('message/rfc822', 'text/rfc822-headers'))}",
            "",
            f"Date: {sent.strftime('%a, %d %b %Y %H:%M:%S +0000')}",
            f"From: {SELLER}",
            f"To: {facts.full_alias}",
            f"Message-ID: <ours{facts.key.lower()}@acme.example>",
            f"Subject: Re: order {facts.order or ''}",
            "",
            "text",
            f"--{boundary}--",
            "",
        ]
    )
    expected = expected_of(
        facts, "delivery_failure", alias=facts.alias, refused_at=sent.isoformat().replace("+00:00", "Z")
    )
    return Case("bounce", raw.replace("\n", "\r\n").encode(), "inbox", expected)


def corpus(seed: int, count: int, *, held_out: bool = False) -> list[Case]:
    """Return `count` cases: every layout, transport, encoding and marketplace in turn, combined by chance."""
    rng = random.Random(seed)
    cases: list[Case] = []
    for index in range(count):
        market = (*MARKETPLACES, *FUTURE)[index % (len(MARKETPLACES) + len(FUTURE))]
        facts = make_facts(rng, held_out=held_out, market=market)
        share = index % 10
        if share < 6:
            transport = rng.choice(TRANSPORTS)
            case = buyer_message(facts, rng, rng.choice(LAYOUTS), transport, rng.choice(ENCODINGS))
        elif share == 6:
            case = confirmation_copy(
                facts, rng, header=rng.random() < 0.5, verdict=rng.choice(("pass", "pass", "fail", ""))
            )
        elif share == 7:
            case = notice(facts, rng, rng.choice(NOTICE_TYPES), header=rng.random() < 0.5, in_link=rng.random() < 0.5)
        elif share == 8:
            case = opt_out(facts, rng, header=rng.random() < 0.5) if rng.random() < 0.5 else bounce(facts, rng)
        else:
            case = seller_reply(facts, rng, automatic=rng.random() < 0.3)
        case.name = f"{index:03d}-{(market.country or market.tld).lower()}-{case.name}"
        cases.append(case)
    return cases
