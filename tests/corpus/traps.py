# ruff: noqa: E501
"""Mails made by hand, each for one way to be wrong. All people, orders and addresses are invented."""

from typing import Any

from tests.corpus.generate import AUTHSERV, SELLER, Case

ALIAS = "q1w2e3r4t5y6u7i@marketplace.amazon.fr"
SIGNED = "https://sellercentral.amazon.fr/messaging/no-response-needed?t=AT0TRAP&m=A0TRAPMESSAGE&mp=A13V1IB3VIYZZH&c=A2TRAPSELLER&h=00ff&s=1"
REPORT = "https://sellercentral.amazon.fr/messaging/inbox?fi=caseId&ss=11111111-2222&cc=11111111-2222&ref=bsm_email_report&lc=fr_FR"
HELPFUL = "https://sellercentral.amazon.fr/gp/survey?customAttribute1Value=BBC_MESSAGE_SENT_TO_MERCHANT"
BODY = f"""Vous avez reçu un message.

# 402-1234567-1234567:
1 / Lampe [ASIN: B0TRAP0001]

------------- Message: -------------

Où est mon colis ?

------------- Fin du message -------------

Utile ? {HELPFUL}
Sans réponse : {SIGNED}
Signaler : {REPORT}
--------------------------
SPC-EUAmazon-123456
"""
VERDICT = f"{AUTHSERV}; dkim=pass header.d=marketplace.amazon.fr; dmarc=pass header.from=marketplace.amazon.fr"


def raw(body: str, /, *, html: bool = False, extra: str = "", **headers: str) -> bytes:
    """Return a mail of one part; header names are written with underscores; an empty value leaves a usual header out."""
    usual = {
        "Date": "Fri, 20 Nov 2026 04:10:12 +0000",
        "From": f"Zoé <{ALIAS}>",
        "To": SELLER,
        "Message-ID": "<trap@eu-west-1.amazonses.com>",
        "Subject": "Question (Commande : 402-1234567-1234567)",
    }
    usual |= {name.replace("_", "-"): value for name, value in headers.items()}
    lines = [f"{name}: {value}" for name, value in usual.items() if value]
    kind = "html" if html else "plain"
    lines += ["MIME-Version: 1.0", f"Content-Type: text/{kind}; charset=utf-8", "Content-Transfer-Encoding: 8bit"]
    return (extra + "\n".join(lines) + "\n\n" + body).encode()


def _case(name: str, content: bytes, kind: str, where: str = "inbox", **expected: Any) -> Case:
    return Case(name, content, where, {"kind": kind, **expected})


def traps() -> list[Case]:
    """Return every hand-made case."""
    words = "Où est mon colis ?"
    confirmation = (
        "<p>Votre message</p><p># 402-1234567-1234567</p><p>----------- Message: -----------</p><pre>Bonjour 777-7777777-7777777</pre>"
        "<p>----------- Fin du message -----------</p><p>[commMgrTok:A1B2]</p>"
    )
    copy_from = {"From": "Amazon.fr <donotreply@amazon.com>", "Subject": "Votre e-mail à Zoé"}
    cases = [
        _case("genuine", raw(BODY, Authentication_Results=VERDICT), "buyer_message", authenticity="passed", buyer_text=words),
        # Look-alikes
        _case("look-alike-suffix", raw(BODY, From="x@marketplace.amazon.fr.example.net"), "suspicious"),
        _case("look-alike-hyphen", raw(BODY, From="x@amazon-marketplace.example"), "suspicious"),
        _case("look-alike-com-br", raw("x", From="donotreply@amazon.com.br.example.net"), "suspicious"),
        _case("look-alike-private-suffix", raw(BODY, From="x@marketplace.amazon.de.com"), "suspicious"),
        _case("look-alike-rn", raw(BODY, From="abc@marketplace.arnazon.fr"), "suspicious"),
        _case("look-alike-punycode", raw(BODY, From="abc@xn--mazon-3ve.fr"), "suspicious"),
        _case("look-alike-digit", raw(BODY, From="abc@amaz0n.example"), "suspicious"),
        _case("look-alike-passes-its-own-dmarc", raw(BODY, From="a@amazon-eu.example",
              Authentication_Results=f"{AUTHSERV}; dmarc=pass header.from=amazon-eu.example"), "suspicious", authenticity="unknown"),
        _case("type-header-under-foreign-from", raw("Hello", From="x@example.net", X_Space_Notification_Type="BBC_MESSAGE_SENT_TO_MERCHANT",
              X_Marketplace_ID="A13V1IB3VIYZZH"), "suspicious"),
        _case("fake-host-in-signed-link", raw(BODY.replace("sellercentral.amazon.fr", "sellercentral.amazon.fr.example.net"),
              From="x@example.net"), "suspicious"),
        _case("display-name-proves-nothing", raw("Buy!", From="Amazon.fr <ads@example.net>", Subject="Sale"), "unrelated"),
        _case("alias-as-display-name", raw("Hello", From=f'"{ALIAS}" <ads@example.net>', Subject="Sale"), "unrelated"),
        _case("alias-in-encoded-display-name", raw("Hello", From=f"=?utf-8?q?=3C{ALIAS.replace('@', '=40')}=3E?= <ads@example.net>",
              Subject="Sale"), "unrelated"),
        _case("amazon-in-other-words", raw("News", From="news@amazonia.example", Subject="Forest"), "unrelated"),
        _case("amazonses-customer", raw("News", From="shop@shop.example", Return_Path="<x@eu-west-1.amazonses.com>", Subject="Sale"), "unrelated"),
        # Forwarded and redirected
        _case("colleague-forwards", raw("please answer\n\n" + BODY, From="ana@acme.example", Subject="TR: question"), "buyer_message",
              authenticity="unknown", message_key="A0TRAPMESSAGE", merchant_id="A2TRAPSELLER"),
        _case("colleague-from-a-domain-named-amazon", raw("fyi\n\n" + BODY, From="ops@acme-amazon.example"), "suspicious"),
        _case("redirect-keeps-reply-to", raw("Hello", From="Zoé via Support <support@acme.example>", Reply_To=ALIAS), "buyer_message",
              alias=ALIAS, marketplace="FR"),
        _case("mailing-list-keeps-original-from", raw("Hello", From="support@acme.example", X_Original_From=f"Zoé <{ALIAS}>"),
              "buyer_message", alias=ALIAS),
        _case("redirect-with-type-header-and-links", raw(BODY, From="desk@acme.example",
              X_Space_Notification_Type="BBC_MESSAGE_SENT_TO_MERCHANT"), "buyer_message", message_key="A0TRAPMESSAGE"),
        _case("forwarded-notice", raw("https://sellercentral.amazon.fr/gp/returns?nt=RETURN_REQUEST&x=1", From="ana@acme.example"),
              "notice", notice_type="RETURN_REQUEST"),
        _case("colleague-pastes-a-product-link", raw("https://www.amazon.fr/dp/B0TRAP0001?ref=x", From="ana@acme.example"), "unrelated"),
        _case("colleague-pastes-the-inbox", raw("https://sellercentral.amazon.fr/messaging/inbox", From="ana@acme.example"), "unrelated"),
        _case("our-own-alert-mail", raw(BODY, From="replyby@acme.example", X_ReplyBy="alert"), "unrelated"),
        _case("spoofed-own-mark-on-amazon", raw(BODY, X_ReplyBy="alert"), "buyer_message"),
        # Replies outside Sent, and in it
        _case("reply-copy-in-inbox", raw(f"Answer\n\n{BODY}", From=SELLER, To=ALIAS), "unrelated"),
        _case("reply-in-sent", raw("Answer", From=SELLER, To=ALIAS), "seller_reply", "sent", alias=ALIAS, order_id="402-1234567-1234567"),
        _case("reply-in-sent-from-anybody", raw("Answer", From="x@private.example", To="B <b@c.example>", Cc=ALIAS), "seller_reply", "sent"),
        _case("out-of-office-in-sent", raw("Away", From=SELLER, To=ALIAS, Auto_Submitted="auto-replied (vacation)"), "auto_reply", "sent"),
        _case("auto-submitted-no", raw("Answer", From=SELLER, To=ALIAS, Auto_Submitted="no"), "seller_reply", "sent"),
        _case("sent-elsewhere", raw("Hello", From=SELLER, To="bo@example.net"), "unrelated", "sent"),
        _case("forward-in-sent", raw(BODY, From=SELLER, To="bo@example.net"), "unrelated", "sent"),
        _case("sent-to-a-look-alike", raw("Hello", From=SELLER, To="x@marketplace.amazon.fr.example.net"), "unrelated", "sent"),
        _case("buyer-message-misfiled-in-sent", raw(BODY), "buyer_message", "sent"),
        # Verdicts
        _case("verdict-of-a-stranger", raw(BODY, Authentication_Results="mx.other.example; dmarc=pass header.from=marketplace.amazon.fr"),
              "buyer_message", authenticity="unknown"),
        _case("verdict-forged-below-received", raw(BODY, extra=f"Received: by {AUTHSERV}; Fri, 20 Nov 2026 04:10:13 +0000\n"
              f"Authentication-Results: {AUTHSERV}; dkim=none\nReceived: from x.example; Fri, 20 Nov 2026 04:10:12 +0000\n"
              f"Authentication-Results: {VERDICT}\n"), "buyer_message", authenticity="unknown"),
        _case("verdict-in-a-comment", raw(BODY, Authentication_Results=f"{AUTHSERV} (; dmarc=pass); dmarc=fail header.from=marketplace.amazon.fr"),
              "buyer_message", authenticity="failed"),
        _case("verdict-about-another-domain", raw(BODY, Authentication_Results=f"{AUTHSERV}; dmarc=pass header.from=example.net"),
              "buyer_message", authenticity="unknown"),
        _case("amazonses-signature-is-nobodys", raw(BODY, Authentication_Results=f"{AUTHSERV}; dkim=pass header.d=amazonses.com"),
              "buyer_message", authenticity="unknown"),
        _case("dkim-of-amazon-without-dmarc", raw(BODY, Authentication_Results=f"{AUTHSERV}; dkim=pass header.i=@amazon.com"),
              "buyer_message", authenticity="passed"),
        _case("two-from-addresses", raw(BODY, From=f"{ALIAS}, x@example.net", Authentication_Results=VERDICT), "buyer_message",
              authenticity="unknown"),
        # Types and senders
        _case("relay-type-notification", raw(BODY, X_AMAZON_MAIL_RELAY_TYPE="notification"), "buyer_message"),
        _case("cancellation-from-alias", raw("Cancelen, por favor", Subject="Solicitud de cancelación (Pedido: 402-1234567-1234567)"),
              "buyer_message", order_id="402-1234567-1234567"),
        _case("cancellation-as-notice", raw("<p>402-1234567-1234567</p>", html=True, From="donotreply@amazon.com", Subject="Solicitud de cancelación",
              X_Space_Notification_Type="BRC_SELLER_NOTIFICATION", X_Marketplace_ID="A1RKKUPIHCS9HS"), "notice", marketplace="ES",
              order_id="402-1234567-1234567", labels=["cancellation"]),
        _case("return-notice-quotes-a-buyer", raw("<p>402-1234567-1234567</p><p>--- Message: ---</p>Where is my refund?", html=True,
              From="donotreply@amazon.com", X_Space_Notification_Type="RETURN_REQUEST", X_Marketplace_ID="APJ6JRA9NG5V4", Subject="Reso"),
              "notice", marketplace="IT", labels=["return"]),
        _case("a-to-z-claim", raw("<p>claim</p>", html=True, From="atoz-guarantee-no-reply@amazon.it", Subject="Richiesta di rimborso 402-1234567-1234567",
              X_Space_Notification_Type="A_Z_CLAIM_RESPONDENT_NOTIFY"), "notice", labels=["claim_threat"], marketplace="IT"),
        _case("unknown-type-of-amazon", raw("x", From="no-reply@amazon.de", X_Space_Notification_Type="SOLD_SHIP_NOW_V2"), "notice",
              notice_type="SOLD_SHIP_NOW_V2"),
        _case("unknown-type-from-a-relay", raw("Hello", X_Space_Notification_Type="SOMETHING_NEW"), "buyer_message"),
        _case("type-in-link-of-a-notice", raw('<a href="https://sellercentral.amazon.fr/x?communicationName=REFUND_ISSUED">x</a>', html=True,
              From="no-reply@amazon.fr"), "notice", notice_type="REFUND_ISSUED"),
        _case("type-in-a-link-elsewhere", raw("https://example.net/?nt=BBC_MESSAGE_SENT_TO_MERCHANT", From="x@example.net"), "unrelated"),
        _case("relay-no-reply", raw("x", From="donotreply@marketplace.amazon.fr"), "notice"),
        _case("amazon-pay", raw("お問い合わせ P03-1234567-1234567", From="auto-communicator@amazonpay.amazon.co.jp", Subject="P03-1234567-1234567"),
              "notice", order_id=None),
        _case("newsletter-of-amazon", raw("<p>Sell more</p>", html=True, From="store-news@amazon.com", Subject="News"), "notice"),
        _case("bare-relay-mail", raw("Hello"), "buyer_message", buyer_text="Hello"),
        _case("relay-with-strange-local-part", raw("Hello", From="some.name@marketplace.amazon.fr"), "buyer_message"),
        _case("unknown-marketplace", raw("Hello", From="q1w2e3r4t5y6u7i@marketplace.amazon.com.ng"), "buyer_message", marketplace=None),
        _case("buyer-away", raw("Automatic reply: out of office", Auto_Submitted="auto-replied"), "buyer_message", labels=["out_of_office"]),
        _case("staff-writes-for-a-buyer", raw("We've been contacted by a customer regarding the order identified below.\n\n" + BODY,
              From="donotreply@amazon.com"), "buyer_message"),
        _case("copy-by-shape", raw(confirmation, html=True, **copy_from), "confirmation_copy", order_id="402-1234567-1234567",
              buyer_name="Zoé", marketplace="FR"),
        _case("copy-shape-without-token", raw(confirmation.replace("[commMgrTok:A1B2]", ""), html=True, **copy_from), "notice"),
        _case("copy-shape-from-elsewhere", raw(confirmation, html=True, From="Amazon.fr <donotreply@example.net>"), "unrelated"),
        _case("copy-shape-with-signed-link", raw(confirmation + f'<a href="{SIGNED}">x</a>', html=True, **copy_from), "buyer_message"),
        _case("copy-forwarded-by-a-stranger", raw(confirmation + '<a href="https://sellercentral.amazon.fr/x?nt=BBC_MESSAGE_CONFIRMATION_TO_MERCHANT">x</a>',
              html=True, From="x@example.net", Authentication_Results=f"{AUTHSERV}; dmarc=pass header.from=example.net"),
              "confirmation_copy", authenticity="unknown"),
        # Orders
        _case("order-in-words-only", raw("My order 701-7654321-7654321 is late", Subject="Question"), "buyer_message", order_id=None),
        _case("order-in-words-after-hash", raw(BODY.replace("# 402-1234567-1234567:\n", "").replace("Où", "# 701-7654321-7654321\nOù"), Subject="Q"),
              "buyer_message", order_id=None),
        _case("order-line-only", raw(BODY, Subject="Question"), "buyer_message", order_id="402-1234567-1234567"),
        _case("order-without-a-space", raw(BODY, Subject="Paket nicht angekommen: Gutschrift anfordern(Bestellung: 301-1234567-1234567)"),
              "buyer_message", order_id="301-1234567-1234567"),
        _case("order-in-a-longer-number", raw("Hello", Subject="Ref 1402-1234567-12345678"), "buyer_message", order_id=None),
        _case("order-line-in-html", raw('<p>Bonjour</p><p># <a href="https://x.example">402-1234567-1234567</a>:</p><p>1 / Lampe [ASIN: B0TRAP0001]</p>'
              f"<pre>words</pre><a href='{SIGNED.replace('&', '&amp;')}'>x</a>", html=True, Subject="Q"), "buyer_message",
              order_id="402-1234567-1234567", asin="B0TRAP0001", buyer_text="words", message_key="A0TRAPMESSAGE"),
        # Subjects and dates
        _case("date-in-2070", raw(BODY, Date="Fri, 20 Nov 2070 04:10:12 +0000",
              extra=f"Received: by {AUTHSERV}; Fri, 20 Nov 2026 04:10:14 +0000\n"), "buyer_message", received_at="2026-11-20T04:10:14Z"),
        _case("date-in-1970", raw(BODY, Date="Thu, 01 Jan 1970 00:00:00 +0000",
              extra=f"Received: by {AUTHSERV}; Fri, 20 Nov 2026 04:10:14 +0000\n"), "buyer_message", received_at="2026-11-20T04:10:14Z"),
        _case("date-with-offset", raw(BODY, Date="Thu, 19 Nov 2026 20:10:12 -0800 (PST)"), "buyer_message", received_at="2026-11-20T04:10:12Z"),
        # Broken mails
        _case("nul-bytes", raw(BODY.replace("colis", "co\0lis")), "buyer_message", buyer_text=words),
        _case("unknown-charset", raw(BODY).replace(b"charset=utf-8", b"charset=x-nobody"), "buyer_message", buyer_text=words),
        _case("broken-base64", raw("%%%not base64%%%").replace(b"8bit", b"base64"), "buyer_message"),
        _case("no-blank-line", b"From: " + ALIAS.encode() + b"\nSubject: 402-1234567-1234567", "buyer_message"),
        _case("mbox-from-line", b"From nobody Fri Nov 20\n" + raw(BODY), "buyer_message", buyer_text=words),
        _case("broken-url-in-text", raw(BODY.replace("&mp=", "&mp=\n").replace("&c=", "&c=\n")), "buyer_message", message_key="A0TRAPMESSAGE",
              merchant_id="A2TRAPSELLER"),
        _case("empty", b"", "unrelated"),
        _case("only-newlines", b"\r\n\r\n\r\n", "unrelated"),
        # Delivery failures
        _case("bounce-of-something-else", raw("<bo@example.net>: no such user", From="MAILER-DAEMON@mx.acme.example", Subject="failure"), "unrelated"),
        _case("plain-bounce-naming-a-relay", raw(f"<{ALIAS}>: rejected\n\nMessage-ID: <ours@acme.example>\n", From="MAILER-DAEMON@mx.acme.example",
              Auto_Submitted="auto-replied"), "delivery_failure", alias=ALIAS),
        _case("opt-out-with-header", raw(f'<p>(402-1234567-1234567) 18/11/2026</p><a href="mailto:{ALIAS}">x</a>', html=True, Subject="x",
              From="auto-communication@amazon.com", X_Space_Notification_Type="BUYER_OPTED_OUT_BSM_MESSAGES"), "delivery_failure", alias=ALIAS,
              order_id="402-1234567-1234567", notice_type="BUYER_OPTED_OUT_BSM_MESSAGES", refused_at="2026-11-18T00:00:00Z", marketplace="FR"),
        _case("newsletter-of-auto-communication", raw("<p>News</p>", html=True, From="auto-communication@amazon.com", Subject="x"), "notice"),
        # Words
        _case("dashes-in-the-words", raw(BODY.replace(words, "a\n---- cut here ----\nb")), "buyer_message", buyer_text="a\n---- cut here ----\nb"),
        _case("em-dashes", raw(BODY.replace("-------------", "—————————————")), "buyer_message", buyer_text=words),
        _case("full-width-colon", raw(BODY.replace("Message:", "メッセージ：")), "buyer_message", buyer_text=words),
        _case("right-to-left", raw(BODY.replace("------------- Message:", "\u200f------------- \u202bالرسالة:\u202c")), "buyer_message", buyer_text=words),
        _case("thank-you-with-a-question", raw(BODY.replace(words, "Merci ! Où est mon colis ?")), "buyer_message", labels=["delivery"]),
        _case("words-that-look-like-a-closer", raw(BODY.replace(words, "----------")), "buyer_message", buyer_text="----------"),
    ]  # fmt: skip
    for case in cases:
        case.name = f"trap-{case.name}"
    return cases
