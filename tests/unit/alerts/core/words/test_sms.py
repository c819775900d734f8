"""What a phone shows at night: one segment, GSM-7, facts only."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alerts.core.model import Channel, Delivery, Purpose, ThreadFacts
from alerts.core.words import content
from alerts.core.words.catalog import LANGUAGES, words_for
from alerts.core.words.gsm import SEGMENT, septets
from alerts.core.words.sms import bare_sms, reference_mark, render_sms
from tests.support.deliveries import NOW, make_delivery, make_facts

MARK = reference_mark("ref-0001")


def sms(*threads: ThreadFacts, language: str = "en", answer_to: str | None = None, **changes: Any) -> str:
    delivery = make_delivery(*threads, **{"channel": Channel.SMS, "address": "+33600000001", "code": 7, **changes})
    return render_sms(words_for(language, "Europe/Paris"), delivery, answer_to=answer_to)


def test_one_reply_is_due() -> None:
    assert sms() == (
        "Amazon FR: reply due in 1h32 (04:10).\n"
        "Order 402-1234567-1234567\n"
        f"Reply 7 = I have it, done 7 = answered. {MARK}"
    )


def test_the_account_stands_beside_the_market_where_there_are_several() -> None:
    assert sms(make_facts(account="acme-eu")).startswith("Amazon FR acme-eu: reply due in 1h32 (04:10).")


def test_an_account_in_another_script_is_left_out_rather_than_shown_as_question_marks() -> None:
    assert sms(make_facts(account="東京商店")).startswith("Amazon FR: reply due")


def test_two_replies_stand_most_urgent_first() -> None:
    later = make_facts(marketplace="DE", order_id="302-1234567-1234567", thread_id=2)
    sooner = make_facts(timedelta(minutes=48), thread_id=3)
    assert sms(later, sooner) == (
        "2 Amazon replies due by 04:10.\n"
        "0h48 402-1234567-1234567 FR\n"
        "1h32 302-1234567-1234567 DE\n"
        f"Reply 7 = I have them. {MARK}"
    )


def test_as_many_orders_as_fit_and_the_rest_is_counted() -> None:
    threads = [make_facts(timedelta(minutes=20 * number - 30), thread_id=number) for number in range(9)]
    text = sms(*threads)
    assert text.startswith("9 Amazon replies due, 2 OVERDUE.\n-0h30 402-1234567-1234567 FR\n")
    shown = text.count("402-")
    assert shown == 3
    assert f"+{9 - shown} more" in text


def test_overdue_is_the_first_word() -> None:
    text = sms(make_facts(timedelta(minutes=-12), marketplace="DE"))
    assert text.startswith("OVERDUE 12min: Amazon DE, was due 02:26.\nOrder 402-1234567-1234567\nReply 7")


def test_at_the_deadline_itself_it_is_not_overdue() -> None:
    assert sms(make_facts(timedelta(0))).startswith("Amazon FR: reply due in 0min")
    assert sms(make_facts(timedelta(microseconds=-1))).startswith("OVERDUE 1min")


def test_a_question_before_the_sale_is_named_by_its_article() -> None:
    assert "Pre-sale (B0C1D2E3F4)" in sms(make_facts(order_id=None, asin="B0C1D2E3F4"))


def test_where_the_sender_cannot_receive_the_text_says_where_to_answer() -> None:
    text = sms(answer_to="+447700900006")
    assert "Text 7 to +447700900006 = I have it" in text


def test_a_closing_says_how_and_how_much_was_left() -> None:
    done = make_facts(timedelta(minutes=65), state="met", answered_at=NOW, answered_route="mail")
    assert sms(done, purpose=Purpose.CLOSED) == (
        f"Done: 402-1234567-1234567 answered at 02:38 by mail, 1h05 to spare. {MARK}"
    )
    late = make_facts(timedelta(minutes=-65), state="late", answered_at=NOW)
    assert "answered at 02:38, 1h05 late." in sms(late, purpose=Purpose.CLOSED)
    waived = make_facts(state="waived", waived_at=NOW, waived_by="Ana")
    assert sms(waived, purpose=Purpose.CLOSED) == f"Done: 402-1234567-1234567 needs no reply. {MARK}"


def test_an_end_that_runs_again_by_the_time_it_is_said_is_told_as_open() -> None:
    assert (
        sms(purpose=Purpose.CLOSED, code=None)
        == f"Amazon FR: reply due in 1h32 (04:10).\nOrder 402-1234567-1234567 {MARK}"
    )
    done = make_facts(state="waived", waived_at=NOW, order_id="302-1234567-1234567", thread_id=2)
    assert sms(make_facts(), done, purpose=Purpose.CLOSED) == f"Done: 302-1234567-1234567 needs no reply. {MARK}"


def test_what_opens_again_says_so_first() -> None:
    assert sms(purpose=Purpose.REOPENED).startswith("OPEN AGAIN. Amazon FR: reply due in 1h32 (04:10).")


def test_no_label_person_or_link_is_in_a_text() -> None:
    facts = make_facts(
        labels=("complaint",),
        order_facts={"en": ("delivery promised yesterday",)},
        acknowledged_by="Ana",
        seller_central_url="https://sellercentral.amazon.fr/x",
        holding_reply_url="mailto:alias@marketplace.amazon.fr",
    )
    text = sms(facts)
    for word in ("complaint", "delivery promised", "Ana", "http", "alias"):
        assert word not in text


def test_the_mark_belongs_to_the_reference_alone() -> None:
    marks = {reference_mark(f"ref-{number}") for number in range(2000)}
    assert len(marks) > 1985  # 531,441 marks: two of two thousand may meet
    assert all(len(mark) == 5 and mark.startswith("#") for mark in marks)
    assert sms(make_facts(timedelta(minutes=5))).endswith(MARK)


LONG_SUMMARIES = (
    (Purpose.HEALTH, content.health("mailbox_blind", "boîte " * 30, detail="x" * 300, clocks_running=3)),
    (Purpose.BACKLOG, content.backlog(12, NOW, commands=["replyby answered --before 2026-11-01T00:00:00Z --by NAME"])),
    (Purpose.LOOK_AHEAD, content.look_ahead([make_facts(account="société")] * 30, until=NOW + timedelta(hours=55))),
    (Purpose.DIGEST, content.digest(day_at=NOW, open_threads=4, overdue=1, rate=0.9, threads=[make_facts()] * 4)),
    (Purpose.REPORT, content.report("Week 47 · 96.4 %", ["142 messages"] * 40)),
    (Purpose.TEST, content.test(page=True)),
)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(("purpose", "body"), LONG_SUMMARIES, ids=[purpose.value for purpose, _ in LONG_SUMMARIES])
def test_every_summary_is_one_segment_in_every_language(language: str, purpose: Purpose, body: dict[str, Any]) -> None:
    text = sms(language=language, purpose=purpose, content=body, threads=())
    assert septets(text) <= SEGMENT
    assert text.endswith(MARK)


FACTS = st.builds(
    make_facts,
    st.timedeltas(timedelta(days=-20), timedelta(days=5)),
    account=st.none() | st.text(max_size=60),
    order_id=st.none() | st.just("402-1234567-1234567") | st.text(max_size=60),
    asin=st.none() | st.text(max_size=30),
    marketplace=st.none() | st.sampled_from(["FR", "UK"]) | st.text(max_size=20),
    state=st.sampled_from(["running", "at_risk", "breached", "met", "late", "waived"]),
    answered_at=st.none() | st.just(NOW),
    answered_by=st.none() | st.text(max_size=60),
    answered_route=st.sampled_from([None, "mail", "seller_central", "hand"]),
)


@settings(max_examples=150)
@given(
    st.lists(FACTS, min_size=1, max_size=12),
    st.sampled_from(LANGUAGES),
    st.sampled_from([Purpose.ALERT, Purpose.CLOSED, Purpose.REOPENED]),
    st.none() | st.integers(1, 9999),
    st.none() | st.just("+447700900006"),
)
def test_whatever_happened_it_is_one_gsm7_segment_with_its_mark(
    threads: list[ThreadFacts], language: str, purpose: Purpose, code: int | None, answer_to: str | None
) -> None:
    text = sms(*threads, language=language, purpose=purpose, code=code, answer_to=answer_to)
    assert septets(text) <= SEGMENT  # raises for a sign outside GSM-7
    assert text.endswith(MARK)


@given(st.text(max_size=500))
def test_bare_facts_are_one_segment_too(text: str) -> None:
    made = bare_sms(text, "ref-0001")
    assert septets(made) <= SEGMENT
    assert made.endswith(MARK)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_usual_night_alert_names_order_time_and_code_in_every_language(language: str) -> None:
    text = sms(language=language)
    for fact in ("402-1234567-1234567", "04:10", "1h32", "FR", "7"):
        assert fact in text


def test_a_delivery_without_threads_is_a_mistake_that_is_seen() -> None:
    with pytest.raises((LookupError, ValueError)):
        render_sms(words_for("en", "UTC"), Delivery(**{**_fields(make_delivery()), "threads": ()}))


def _fields(delivery: Delivery) -> dict[str, Any]:
    return {name: getattr(delivery, name) for name in Delivery.__dataclass_fields__}


def test_an_account_that_does_not_fit_gives_way_to_the_order() -> None:
    facts = make_facts(account="x" * 24, order_id="9" * 40)
    text = sms(facts, language="fr", answer_to="+447700900006", code=1234)
    assert "9" * 39 in text
    assert "xxxx" not in text


def test_several_closings_are_one_text() -> None:
    done = [make_facts(state="met", answered_at=NOW, order_id=f"402-1234567-123456{number}") for number in range(3)]
    assert sms(*done, purpose=Purpose.CLOSED) == (
        f"Done:\n402-1234567-1234560 FR\n402-1234567-1234561 FR\n402-1234567-1234562 FR {MARK}"
    )


def test_several_that_open_again_say_so_first() -> None:
    assert sms(make_facts(), make_facts(thread_id=2), purpose=Purpose.REOPENED).startswith(
        "OPEN AGAIN. 2 Amazon replies"
    )


def test_without_a_code_no_answer_is_asked_for() -> None:
    assert "Reply" not in sms(code=None)


def test_an_order_number_that_is_none_leaves_room_for_the_code() -> None:
    strange = [make_facts(order_id="€" * 40, account="€" * 24, thread_id=number) for number in range(3)]
    assert sms(*strange) == f"3 Amazon replies due by 04:10.\nReply 7 = I have them. {MARK}"
