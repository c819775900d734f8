"""Which of the mails attached to a forward decides."""

from datetime import UTC, datetime

from monitor.core.messages import Authenticity, Kind, Message, Where
from monitor.parse import RecognitionContext, parse_message
from tests.corpus.traps import BODY, raw

NOTICE = raw("Return", From="donotreply@amazon.fr", X_Space_Notification_Type="RETURN_REQUEST", Subject="Retour")
OTHER_NOTICE = raw("Refund", From="donotreply@amazon.fr", X_Space_Notification_Type="REFUND_ISSUED", Subject="Refund")
BUYER = raw(BODY)
UNRELATED = raw("Hello", From="ana@example.net", Subject="Hello")


def forward(*attached: bytes) -> Message:
    """Return what is read from a colleague's mail with these attached."""
    head = (
        b"From: colleague@acme.example\nSubject: Fwd\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n\n"
    )
    parts = b"".join(b"--b\nContent-Type: message/rfc822\n\n" + mail + b"\n" for mail in attached)
    now = datetime(2026, 11, 20, 5, tzinfo=UTC)
    return parse_message(head + parts + b"--b--\n", internaldate=now, where=Where.INBOX, context=RecognitionContext())


def test_buyer_message_among_attached_mails_decides_wherever_it_stands() -> None:
    for attached in ((NOTICE, BUYER), (BUYER, NOTICE), (UNRELATED, NOTICE, BUYER, OTHER_NOTICE)):
        found = forward(*attached)
        assert (found.kind, found.message_key) == (Kind.BUYER_MESSAGE, "A0TRAPMESSAGE")
        assert found.authenticity is Authenticity.UNKNOWN


def test_first_attached_mail_that_means_anything_decides_where_no_buyer_wrote() -> None:
    assert forward(UNRELATED, NOTICE, OTHER_NOTICE).notice_type == "RETURN_REQUEST"
    assert forward(UNRELATED).kind is Kind.UNRELATED
