"""`replyby explain` and `replyby sample`: what people and scripts see."""

import json
from datetime import timedelta
from pathlib import Path

import pytest

from monitor.core.messages import Where
from monitor.core.sla import SlaPolicy
from monitor.parse import RecognitionContext
from monitor.parse.explain import explain_files, explain_mail, explained_json, render_explained
from monitor.parse.sample import SEEN_AT_LEAST, render_sample, sample_json, sample_mails
from tests.corpus.generate import AUTHSERV, SELLER, corpus
from tests.corpus.traps import ALIAS, BODY, VERDICT, raw

CONTEXT = RecognitionContext(authserv_ids=frozenset({AUTHSERV}))
KEYS = (
    "file", "kind", "authenticity", "marketplace", "order_id", "alias", "merchant_id", "message_key", "received_at", "labels",
    "language", "buyer_text", "signals",
)  # fmt: skip


def test_json_has_the_keys_scripts_rely_on() -> None:
    found = explained_json(explain_mail("a.eml", raw(BODY, Authentication_Results=VERDICT), CONTEXT))
    assert tuple(found)[: len(KEYS)] == KEYS
    assert json.loads(json.dumps(found)) == found
    assert {name: found[name] for name in KEYS} == {
        "file": "a.eml",
        "kind": "buyer_message",
        "authenticity": "passed",
        "marketplace": "FR",
        "order_id": "402-1234567-1234567",
        "alias": ALIAS,
        "merchant_id": "A2TRAPSELLER",
        "message_key": "A0TRAPMESSAGE",
        "received_at": "2026-11-20T04:10:12Z",
        "labels": ["delivery"],
        "language": "fr",
        "buyer_text": "Où est mon colis ?",
        "signals": ["relay_sender", "type_in_link", "signed_link", "report_link"],
    }


def test_terminal_shows_kind_signals_and_the_clock() -> None:
    content = raw(BODY, X_Space_Notification_Type="BBC_MESSAGE_SENT_TO_MERCHANT")
    assert render_explained(explain_mail("a.eml", content)).split("\n") == [
        "buyer message · FR · order 402-1234567-1234567 · received 2026-11-20 04:10:12 UTC",
        "  1 type header        X-Space-Notification-Type: BBC_MESSAGE_SENT_TO_MERCHANT",
        "  2 relay sender       …@marketplace.amazon.fr",
        "  3 type in link       BBC_MESSAGE_SENT_TO_MERCHANT",
        "  4 signed link        m=… on sellercentral.amazon.fr",
        "  5 report link        on sellercentral.amazon.fr",
        "  about: delivery (priority 20)",
        "The clock would start at 04:10:12 and end on 2026-11-21 04:10:12 UTC.",
    ]
    short = render_explained(explain_mail("a.eml", content), SlaPolicy(target=timedelta(hours=12)))
    assert short.endswith("end on 2026-11-20 16:10:12 UTC.")


def test_terminal_says_what_is_odd() -> None:
    forged = raw(
        "Hello",
        Subject="x",
        Date="",
        Authentication_Results=f"{AUTHSERV}; dmarc=fail header.from=marketplace.amazon.fr",
    )
    text = render_explained(explain_mail("a.eml", forged, CONTEXT))
    assert "buyer message · FR · no order · not verified" in text
    assert "wrong with the mail: Date missing" in text
    assert "the mail itself names no instant" in text
    assert explained_json(explain_mail("a.eml", forged, CONTEXT))["received_at"] is None
    assert "no order (ASIN B0TRAP0001)" in render_explained(
        explain_mail("a", raw(BODY.replace("# 402-1234567-1234567:\n", ""), Subject="x"))
    )


def test_reply_in_a_file_is_looked_at_as_if_in_sent() -> None:
    reply = raw("Answer", From=SELLER, To=ALIAS)
    assert explain_mail("a.eml", reply).message.kind == "seller_reply"
    assert explain_mail("a.eml", reply, where=Where.INBOX).message.kind == "unrelated"
    assert explain_mail("a.eml", raw("x", From="a@b.example")).message.kind == "unrelated"


def test_files_are_read_one_by_one(tmp_path: Path) -> None:
    (tmp_path / "a.eml").write_bytes(raw(BODY))
    assert [str(found.file) for found in explain_files([tmp_path / "a.eml"])] == [str(tmp_path / "a.eml")]
    with pytest.raises(FileNotFoundError):
        list(explain_files([tmp_path / "b.eml"]))


def test_no_signal_names_a_person() -> None:
    for case in corpus(31, 120):
        message = explain_mail("a", case.content).message
        shown = " ".join(signal.detail for signal in message.signals)
        for personal in (
            message.alias and message.alias.partition("@")[0],
            message.buyer_name,
            message.buyer_text,
            message.order_id,
        ):
            assert not personal or len(personal) < 4 or personal not in shown


def test_sample_counts_templates_and_nothing_personal() -> None:
    mails = [(case.content, Where(case.where)) for case in corpus(32, 200)]
    mails += [(raw(BODY.replace("Message:", "Secret 42:")), Where.INBOX)] * (SEEN_AT_LEAST - 1)
    mails += [(raw(BODY.replace("Message:", "Geheim 4711:")), Where.INBOX)] * SEEN_AT_LEAST
    mails += [
        (raw(BODY, From="x@amazon-marketplace.example"), Where.INBOX),
        (raw("x", From="a@b.example"), Where.INBOX),
    ]
    counts = sample_mails(mails, CONTEXT)
    text = render_sample(counts) + json.dumps(sample_json(counts))
    assert sum(count.mails for count in counts) == len(mails) - 1
    assert "Geheim ####: … Fin du message" in text
    assert "Secret" not in text
    assert "(look-alike)" in text
    assert "acme" not in text
    for case in corpus(32, 200):
        for name in ("order_id", "alias", "message_key", "merchant_id"):
            value = case.expected.get(name)
            assert not value or value.partition("@")[0] not in text
