"""What mail servers' reports and opt-out notices name, and what they do not."""

from datetime import UTC, datetime, timedelta

import pytest

from monitor.core.messages import Kind, Message, Where
from monitor.core.threads import resolve_threads
from monitor.parse import RecognitionContext, parse_message
from monitor.parse.reports import find_date
from tests.builders import T0, bounce, question, reply
from tests.corpus.check import recognise
from tests.corpus.write import read_corpus

ALIAS = "q1w2e3r4t5y6u7i@marketplace.amazon.fr"
COLLEAGUE = "colleague@elsewhere.example"
DAEMON = "Mail Delivery System <MAILER-DAEMON@mx.acme.example>"

RECEIVED = datetime(2026, 11, 20, 15, 5, tzinfo=UTC)
DAY = datetime(2026, 11, 20, tzinfo=UTC)
SEVEN = DAY.replace(hour=7)


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("20/11/2026", DAY),
        ("20 novembre 2026 alle 07:00", DAY),
        ("November 20, 2026 7:00 AM", DAY),
        ("November 20, 2026 7:00 AM PST", DAY),
        ("20.11.2026 07:00 GMT+1", DAY),
        ("20.11.2026 07:00 UTC -8", DAY),
        ("20.11.2026 25:00 UTC", DAY),
        ("20.11.2026 07:00 UTC", SEVEN),
        ("20.11.2026, 07:00:00 (GMT)", SEVEN),
        ("November 20, 2026 at 7:00 AM UTC", SEVEN),
        ("2026-11-20T07:00:00Z", SEVEN),
        ("no date, or 31.02.2026", None),
    ],
)
def test_time_of_day_counts_only_in_utc(text: str, instant: datetime | None) -> None:
    assert find_date(text, RECEIVED, month_first=True) == instant


def test_reply_that_an_opt_out_notice_refuses_by_its_day_is_no_answer() -> None:
    notice = next(recognise(case) for case in read_corpus() if case.name == "008-es-opt-out-False")
    hours = (notice.received_at - T0) / timedelta(hours=1)
    facts = [question(hours - 50), reply(hours - 49), question(hours - 6), reply(hours - 5)]
    resolution = resolve_threads([*facts, bounce(hours, refused_at=notice.refused_at)])
    assert resolution.undone == {facts[-1].id}


def report(
    *recipients: tuple[str, str],
    kind: str = "delivery-status",
    sender: str = DAEMON,
    failed: str = "",
    copied_to: str = COLLEAGUE,
    end: str = "\n",
) -> Message:
    """Return what is read from a report on a mail to ALIAS with a colleague in Cc; each recipient with its Action."""
    blocks = [
        f"Final-Recipient: rfc822; {address}\nAction: {action}\nStatus: 5.1.1\n" for address, action in recipients
    ]
    lines = [
        "Return-Path: <>",
        "Date: Fri, 20 Nov 2026 10:00:00 +0000",
        f"From: {sender}",
        "To: support@acme.example",
        "Message-ID: <dsn@mx.acme.example>",
        *([f"X-Failed-Recipients: {failed}"] if failed else []),
        "Subject: Returned mail",
        "MIME-Version: 1.0",
        f"Content-Type: multipart/report; report-type={kind}; boundary=b",
        "",
        "--b",
        "Content-Type: text/plain",
        "",
        "Look at what is attached.",
        "--b",
        f"Content-Type: message/{kind}",
        "",
        "Reporting-MTA: dns; mx.acme.example",
        "",
        *"\n".join(blocks).split("\n"),
        "--b",
        "Content-Type: text/rfc822-headers",
        "",
        "Date: Fri, 20 Nov 2026 09:57:00 +0000",
        f"To: {ALIAS}",
        *([f"Cc: {copied_to}"] if copied_to else []),
        "Message-ID: <ours@acme.example>",
        "Subject: Re: your order",
        "",
        "--b--",
        "",
    ]
    content = end.join(lines).encode()
    return parse_message(content, internaldate=RECEIVED, where=Where.INBOX, context=RecognitionContext())


@pytest.mark.parametrize("end", ["\n", "\r\n"], ids=["LF", "CRLF"])
@pytest.mark.parametrize(
    ("recipients", "kind"),
    [
        ([(ALIAS, "failed")], Kind.DELIVERY_FAILURE),
        ([(ALIAS, "failed"), (COLLEAGUE, "relayed")], Kind.DELIVERY_FAILURE),
        ([(COLLEAGUE, "failed"), (ALIAS, "failed")], Kind.DELIVERY_FAILURE),
        ([], Kind.DELIVERY_FAILURE),
        ([("unknown", "failed")], Kind.DELIVERY_FAILURE),
        ([(ALIAS, "delayed")], Kind.NOTICE),
        ([(ALIAS, "relayed"), (COLLEAGUE, "failed")], Kind.NOTICE),
        ([(COLLEAGUE, "failed")], Kind.UNRELATED),
    ],
    ids=lambda value: " ".join(action for _, action in value) if isinstance(value, list) else value,
)
def test_each_recipient_of_a_report_has_its_own_action(recipients: list[tuple[str, str]], kind: Kind, end: str) -> None:
    found = report(*recipients, end=end)
    assert found.kind is kind
    if kind is Kind.DELIVERY_FAILURE:
        assert (found.alias, found.references) == (ALIAS, ("ours@acme.example",))
        assert found.refused_at == datetime(2026, 11, 20, 9, 57, tzinfo=UTC)
    else:
        assert found.references == ()


def test_report_that_names_a_relays_own_address_is_about_the_alias_where_the_mail_went_to_nobody_else() -> None:
    assert report(("x1@relay.example", "failed"), copied_to="").alias == ALIAS
    assert report(("x1@relay.example", "failed")).kind is Kind.UNRELATED


def test_failed_recipients_in_the_header_count_unless_the_report_spares_them() -> None:
    assert report(failed=ALIAS).kind is Kind.DELIVERY_FAILURE
    assert report(failed=COLLEAGUE).kind is Kind.UNRELATED
    assert report((ALIAS, "delayed"), failed=ALIAS).kind is Kind.NOTICE


@pytest.mark.parametrize("sender", [DAEMON, f"Colleague <{COLLEAGUE}>"], ids=["server", "colleague"])
def test_receipt_that_a_mail_was_read_is_no_report(sender: str) -> None:
    found = report((COLLEAGUE, "displayed"), kind="disposition-notification", sender=sender)
    assert found.kind is Kind.UNRELATED
