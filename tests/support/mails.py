"""Mails as Amazon and a seller write them, for tests of the whole way. Nobody in them exists."""

from datetime import datetime
from email.message import EmailMessage
from email.utils import format_datetime
from itertools import count

ALIAS = "k7c2v9m4x1q8w5z@marketplace.amazon.fr"
ORDER = "402-1234567-1234567"
_numbers = count(1)


def buyer_mail(
    sent_at: datetime,
    *,
    order: str | None = ORDER,
    alias: str = ALIAS,
    words: str = "Bonjour, où est mon colis ?",
    key: str | None = None,
    token: str | None = None,
    message_id: str | None = None,
    marketplace: str = "fr",
    name: str = "Zoé Exemple",
    html: str = "",
) -> bytes:
    """Return a buyer message with type header, delimiters and signed link; `html`: a second part; `order` None: pre-sale."""
    number = next(_numbers)
    mail = EmailMessage()
    mail["From"] = f'"{name} - Amazon Marketplace" <{alias}>'
    mail["To"] = "support@acme.example"
    about = "" if order is None else f" (Commande : {order})"
    mail["Subject"] = f"Demande de renseignements de la part du client Amazon {name}{about}"
    mail["Date"] = format_datetime(sent_at)
    mail["Message-ID"] = message_id or f"<buyer-{number}@eu-west-1.amazonses.example>"
    mail["X-Space-Notification-Type"] = "BBC_MESSAGE_SENT_TO_MERCHANT"
    mail["X-Marketplace-ID"] = "A13V1IB3VIYZZH"
    link = f"https://sellercentral.amazon.{marketplace}/messaging/no-response-needed"
    mail.set_content(
        "Vous avez reçu un message.\n\n"
        f"{'' if order is None else f'# {order}:'}\n1 / Lampe de bureau [ASIN: B0EXAMPLE1]\n\n"
        f"------------- Message: -------------\n\n{words}\n\n------------- Fin du message -------------\n\n"
        f"{link}?t={token or f'T{number}'}&m={key or f'M{number}'}&mp=A13V1IB3VIYZZH&c=A1MERCHANT&h=abc&s=1\n"
        "--------------------------\nCopyright 2026 Amazon\nSPC-EUAmazon-123456789\n"
    )
    if html:
        mail.add_alternative(html, subtype="html")
    return bytes(mail)


def seller_reply(sent_at: datetime, *, order: str = ORDER, alias: str = ALIAS, auto: bool = False) -> bytes:
    """Return a reply as it lies in Sent."""
    mail = EmailMessage()
    mail["From"] = "support@acme.example"
    mail["To"] = alias
    mail["Subject"] = f"Re: Commande {order}"
    mail["Date"] = format_datetime(sent_at)
    mail["Message-ID"] = f"<reply-{next(_numbers)}@acme.example>"
    if auto:
        mail["Auto-Submitted"] = "auto-replied"
    mail.set_content("Bonjour, votre colis est en route.\n")
    return bytes(mail)


def return_notice(sent_at: datetime, *, order: str = ORDER) -> bytes:
    """Return a notice that looks like a message and is none."""
    mail = EmailMessage()
    mail["From"] = "Amazon <auto-communication@amazon.com>"
    mail["To"] = "support@acme.example"
    mail["Subject"] = f"Notification d'autorisation de retour pour la commande {order}"
    mail["Date"] = format_datetime(sent_at)
    mail["Message-ID"] = f"<notice-{next(_numbers)}@amazonses.example>"
    mail["X-Space-Notification-Type"] = "RETURN_REQUEST"
    mail["X-Marketplace-ID"] = "A13V1IB3VIYZZH"
    mail.set_content("<p>Retour de l'acheteur : où est mon colis ?</p>", subtype="html")
    return bytes(mail)


def bounce(sent_at: datetime, *, of: datetime, order: str = ORDER, alias: str = ALIAS) -> bytes:
    """Return a mail server's report that the reply sent at `of` was not delivered."""
    return (
        "From: Mail Delivery System <MAILER-DAEMON@mx.acme.example>\r\n"
        "To: support@acme.example\r\n"
        "Subject: Undelivered Mail Returned to Sender\r\n"
        f"Date: {format_datetime(sent_at)}\r\n"
        f"Message-ID: <bounce-{next(_numbers)}@mx.acme.example>\r\n"
        "Auto-Submitted: auto-replied\r\n"
        "MIME-Version: 1.0\r\n"
        'Content-Type: multipart/report; report-type=delivery-status; boundary="=_dsn"\r\n'
        "\r\n"
        "--=_dsn\r\n"
        "Content-Type: text/plain; charset=utf-8\r\n"
        "\r\n"
        "Your message could not be delivered to one or more recipients.\r\n"
        "--=_dsn\r\n"
        "Content-Type: message/delivery-status\r\n"
        "\r\n"
        "Reporting-MTA: dns; mx.acme.example\r\n"
        "\r\n"
        f"Final-Recipient: rfc822; {alias}\r\n"
        "Action: failed\r\n"
        "Status: 5.7.1\r\n"
        "\r\n"
        "--=_dsn\r\n"
        "Content-Type: message/rfc822-headers\r\n"
        "\r\n"
        "From: support@acme.example\r\n"
        f"To: {alias}\r\n"
        f"Subject: Re: Commande {order}\r\n"
        f"Date: {format_datetime(of)}\r\n"
        "\r\n"
        "--=_dsn--\r\n"
    ).encode()
