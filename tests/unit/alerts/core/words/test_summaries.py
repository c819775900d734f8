"""Summaries: what the builders store is what the renderers say."""

import json
from datetime import timedelta
from typing import Any

import pytest

from alerts.core.model import Channel, Purpose
from alerts.core.words import content
from alerts.core.words.catalog import LANGUAGES, words_for
from alerts.core.words.content import HealthKind
from alerts.core.words.mail import render_mail
from alerts.core.words.render import plain_summary
from alerts.core.words.summaries import Summary, render_summary
from tests.support.deliveries import NOW, make_delivery, make_facts


def summary(purpose: Purpose, body: dict[str, Any], language: str = "en", **changes: Any) -> Summary:
    stored = json.loads(json.dumps(body))  # as it comes back from the outbox
    delivery = make_delivery(*changes.pop("threads", ()), purpose=purpose, content=stored, **changes)
    return render_summary(words_for(language, "Europe/Paris"), delivery)


def test_before_the_shift_ends_it_is_said_what_falls_due_until_the_next() -> None:
    threads = [
        make_facts(timedelta(hours=36), marketplace="JP", order_id="250-1234567-1234567"),
        make_facts(timedelta(hours=18)),
    ]
    body = content.look_ahead(threads, until=NOW + timedelta(hours=54), median_response=timedelta(minutes=5))
    made = summary(Purpose.LOOK_AHEAD, body)
    assert made.title == "Before you go home: 2 replies fall due before Mon 08:38"
    assert made.lines == ("Sat 20:38  FR  402-1234567-1234567", "Sun 14:38  JP  250-1234567-1234567")
    assert made.small == ("Answering now takes about 10 min (your median is 5 min).",)


def test_fresh_facts_outweigh_what_was_planned() -> None:
    body = content.look_ahead([make_facts(), make_facts()], until=NOW + timedelta(hours=54))
    answered = make_facts(state="met", answered_at=NOW)
    made = summary(Purpose.LOOK_AHEAD, body, threads=(make_facts(), answered))
    assert made.title.startswith("Before you go home: 1 reply falls due")
    assert len(made.lines) == 1


def test_a_plan_that_names_ids_only_still_counts_them() -> None:
    body = {"clock_ids": [1, 2, 3], "thread_ids": [1, 2, 3], "until": content.instant(NOW + timedelta(hours=54))}
    assert summary(Purpose.LOOK_AHEAD, body).title.startswith("Before you go home: 3 replies")


def test_a_long_list_is_cut_and_counted() -> None:
    body = content.look_ahead([make_facts()] * 33, until=NOW + timedelta(hours=54))
    assert summary(Purpose.LOOK_AHEAD, body).lines[-1] == "and 13 more"


def test_a_blind_mailbox_says_since_when_why_and_what_is_at_stake() -> None:
    body = content.health(
        HealthKind.MAILBOX_BLIND,
        "acme-eu",
        since=NOW - timedelta(minutes=33),
        detail="login refused.",
        clocks_running=3,
        next_due_at=NOW + timedelta(hours=3),
    )
    made = summary(Purpose.HEALTH, body)
    assert made.title == "ReplyBy is blind on acme-eu since 02:05: login refused."
    assert made.lines == ("3 clocks are running; the next is due 05:38.",)


def test_a_receiver_that_failed_is_named_with_its_person_and_reason() -> None:
    body = {"kind": "receiver_failed", "receiver": "oncall", "channel": "sms", "person": "Ana", "reason": "opted_out"}
    made = summary(Purpose.HEALTH, body)
    assert made.title == "Ana (sms) cannot be reached: opted out. The next receiver was used."


def test_names_of_settings_stand_in_a_trouble_as_they_are_typed() -> None:
    detail = "login refused (HTTP 401 invalid_client). Check lwa_app_id and lwa_client_secret."
    made = summary(Purpose.HEALTH, content.health(HealthKind.AMAZON_SILENT, "acme-eu", detail=detail))
    assert made.title == f"Amazon's interface gives acme-eu nothing: {detail}"


def test_the_digest_says_what_waits_and_how_yesterday_went() -> None:
    body = content.digest(
        day_at=NOW, open_threads=4, overdue=1, next_due_at=NOW + timedelta(hours=3), received=9, answered=8, late=1,
        rate=0.964, goal=0.9, review=2, unwatched=True, threads=[make_facts()], notes=["One more thing."],
    )  # fmt: skip
    made = summary(Purpose.DIGEST, body)
    assert made.title == "Saturday, November 21, 2026: what waits"
    assert made.lines == (
        "4 threads wait for a reply, 1 is overdue, the next is due 05:38.",
        "Sat 04:10  FR  402-1234567-1234567",
        "and 3 more",
        "Yesterday: 9 in, 8 answered, 1 late.",
        "Answered in time, last 7 days: 96.4 % (goal 90.0 %).",
        "2 mails need a decision: replyby review",
        "One more thing.",
    )
    assert made.small == ("Nobody watches ReplyBy itself.",)


def test_a_quiet_morning_is_said_to_be_quiet() -> None:
    made = summary(Purpose.DIGEST, content.digest(day_at=NOW, open_threads=0))
    assert made.lines[0] == "No thread waits for a reply."


def test_an_old_backlog_says_how_to_settle_it() -> None:
    command = "replyby answered --before 2026-11-01T00:00:00Z --by NAME"
    made = summary(Purpose.BACKLOG, content.backlog(12, NOW - timedelta(days=20), commands=[command]))
    assert made.title == "12 threads were overdue before ReplyBy first started"
    assert made.commands == (command,)


@pytest.mark.parametrize("channel", [Channel.SMS, Channel.SLACK])
def test_a_test_page_asks_for_the_answer_that_its_channel_can_give(channel: Channel) -> None:
    made = summary(Purpose.TEST, content.test(page=True), channel=channel, code=3)
    assert ("reply 3" in made.title) is (channel is Channel.SMS)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", list(HealthKind))
def test_every_trouble_has_its_words_in_every_language(language: str, kind: HealthKind) -> None:
    title = summary(Purpose.HEALTH, content.health(kind, "acme-eu"), language).title
    assert title.endswith(".")
    assert "acme-eu" in title or kind in (HealthKind.OUTBOX_AGEING, HealthKind.UNWATCHED)


def test_an_alert_without_a_thread_is_a_mistake_that_is_seen() -> None:
    with pytest.raises(ValueError, match=r"Fill `Delivery\.threads`"):
        summary(Purpose.ALERT, {})


def test_a_mail_escapes_what_came_from_outside() -> None:
    evil = make_facts(order_id="<script>alert(1)</script>", account='"><img src=x>')
    mail = render_mail(words_for("en", "UTC"), make_delivery(evil, channel=Channel.EMAIL))
    assert "<script" not in mail.html
    assert "<img" not in mail.html
    assert "\n" not in mail.subject


def test_a_look_ahead_without_an_end_is_a_mistake_that_is_seen() -> None:
    with pytest.raises(ValueError, match="`until` is missing"):
        summary(Purpose.LOOK_AHEAD, {"until": None})


def test_a_backlog_without_details_is_still_counted() -> None:
    made = summary(Purpose.BACKLOG, {"count": 1})
    assert made == Summary("📦", "1 thread was overdue before ReplyBy first started")


def test_a_summary_as_plain_lines_begins_with_its_title() -> None:
    body = content.health("mailbox_back", "support")
    delivery = make_delivery(purpose=Purpose.HEALTH, content=body)
    assert plain_summary(words_for("en", "UTC"), delivery) == ("🙉 ReplyBy sees support again.",)


def test_a_report_by_mail_is_the_whole_report_or_its_first_screen() -> None:
    image = content.report_image("heat", "Heat", "/tmp/heat.png", "heat")
    words = words_for("en", "UTC")
    whole = content.report("Week 47", ["142 messages"], text="all of it", html="<p>all</p>", images=[image])
    mail = render_mail(words, make_delivery(purpose=Purpose.REPORT, content=whole))
    assert (mail.subject, mail.text, mail.html) == ("Week 47", "all of it", "<p>all</p>")
    short = render_mail(
        words, make_delivery(purpose=Purpose.REPORT, content=content.report("Week 47", ["142 messages"]))
    )
    assert "142 messages" in short.text
    assert "142 messages" in short.html


def test_a_mail_about_what_opened_again_says_so_in_its_subject() -> None:
    facts = make_facts(labels=("refund",), verified=False, seller_central_url="https://sellercentral.amazon.fr/x")
    mail = render_mail(words_for("en", "UTC"), make_delivery(facts, purpose=Purpose.REOPENED))
    assert mail.subject.startswith("Open again: FR · 402-1234567-1234567")
    assert "⚠️ Unverified" in mail.text
    assert "refund" in mail.text


def test_a_mail_about_what_was_answered_names_who_had_it_only_if_somebody_did() -> None:
    words = words_for("en", "UTC")
    nobody = make_facts(state="met", answered_at=NOW)
    assert "had it" not in render_mail(words, make_delivery(nobody, purpose=Purpose.CLOSED)).text


def test_a_digest_by_mail_is_its_title_and_lines() -> None:
    body = content.digest(day_at=NOW, open_threads=0)
    mail = render_mail(words_for("en", "UTC"), make_delivery(purpose=Purpose.DIGEST, content=body))
    assert "No thread waits for a reply." in mail.text
