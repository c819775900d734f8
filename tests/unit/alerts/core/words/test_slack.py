"""The Slack message as a phone shows it, and what must never get into it."""

import json
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alerts.core.model import Channel, NextStep, Purpose, ThreadFacts
from alerts.core.words import content
from alerts.core.words.catalog import LANGUAGES, words_for
from alerts.core.words.slack import SlackMessage, mail_link, render_message, web_link
from tests.support.deliveries import NOW, make_delivery, make_facts
from tests.support.slack_rules import message_error

EVIL = "<!channel> <@U0123> <https://evil.example|click> & *bold* @here"


def message(*threads: ThreadFacts, language: str = "en", **changes: Any) -> SlackMessage:
    return render_message(words_for(language, "Europe/Paris"), make_delivery(*threads, **changes))


def shown(made: SlackMessage) -> list[str]:
    """What is read from top to bottom, buttons in brackets."""
    lines = []
    for block in made.blocks:
        if block["type"] == "actions":
            lines.append(" ".join(f"[ {element['text']['text']} ]" for element in block["elements"]))
        elif "text" in block:
            lines.append(block["text"]["text"])
        else:
            lines.extend(element["text"] for element in block["elements"])
    return lines


def buttons(made: SlackMessage) -> dict[str, dict[str, Any]]:
    return {
        element["action_id"]: element
        for block in made.blocks
        if block["type"] == "actions"
        for element in block["elements"]
    }


def test_an_alert_reads_like_this() -> None:
    facts = make_facts(
        labels=("delivery", "complaint"),
        messages=2,
        order_facts={"en": ("delivery promised yesterday", "FBM")},
        next_step=NextStep(at=NOW + timedelta(minutes=32), receiver="oncall-sms", channel=Channel.SMS, person="Ana"),
        seller_central_url="https://sellercentral.amazon.fr/messaging/inbox?x=1",
    )
    made = message(facts)
    assert made.text == "FR · 402-1234567-1234567 · reply due in 1 h 32 min (04:10)"
    deadline = f"<!date^{int(facts.deadline_at.timestamp())}^{{date_short_pretty}} {{time}}|Sat 04:10>"
    assert shown(made) == [
        "🟠 Reply due in 1 h 32 min (04:10)",
        "France · *order 402-1234567-1234567* · delivery, complaint",
        f"Waiting since Fri 04:10 · 2 messages · delivery promised yesterday · FBM · deadline {deadline} · as of 02:38",
        "Nobody has it yet · next: SMS to Ana in 32 min",
        "[ I have it ] [ Answered ] [ No response needed ] [ Snooze 1 h ] [ Open in Seller Central ↗ ]",
    ]


@pytest.mark.parametrize(
    ("asin", "name"), [("B0C1D2E3F4", "pre-sale (B0C1D2E3F4)"), (None, "pre-sale question")], ids=["product", "bare"]
)
def test_a_question_without_an_order_is_called_pre_sale(asin: str | None, name: str) -> None:
    assert f"France · *{name}*" in shown(message(make_facts(order_id=None, asin=asin)))


def test_what_was_answered_shows_no_buttons() -> None:
    facts = make_facts(
        timedelta(minutes=66),
        state="met",
        answered_at=NOW,
        answered_route="mail",
        acknowledged_by="Ana",
        acknowledged_at=NOW - timedelta(hours=1),
    )
    assert shown(message(facts, purpose=Purpose.CLOSED)) == [
        "✅ Answered after 22 h 54 min by mail, 1 h 06 min to spare",
        "France · *order 402-1234567-1234567*",
        "Asked Fri 03:44 · 1 message",
        "Ana had it since 01:38",
    ]


@pytest.mark.parametrize(
    "facts",
    [
        make_facts(state="met", answered_at=NOW, answered_route="hand", answered_by="Ana"),
        make_facts(state="waived", waived_at=NOW, waived_by="Ana"),
    ],
    ids=["answered by hand", "waived"],
)
def test_what_a_person_marked_can_be_undone(facts: ThreadFacts) -> None:
    made = message(facts, purpose=Purpose.CLOSED)
    assert list(buttons(made)) == ["replyby_undo"]
    assert any("Ana" in line for line in shown(made))


def test_a_waiver_says_that_amazon_must_be_told_too() -> None:
    made = message(make_facts(state="waived", waived_at=NOW), purpose=Purpose.CLOSED)
    assert any("Mark it in Seller Central too" in line for line in shown(made))


def test_after_an_acknowledgement_the_other_buttons_stay() -> None:
    facts = make_facts(
        acknowledged_by="Ana", acknowledged_at=NOW, acknowledgement_expires_at=NOW + timedelta(minutes=46)
    )
    made = message(facts)
    assert "Ana has it since 02:38 · asks again 03:24" in shown(made)
    assert {"replyby_acknowledge", "replyby_answered", "replyby_waive", "replyby_snooze"} <= set(buttons(made))


def test_a_buttons_value_is_thread_and_clock_and_nothing_else() -> None:
    facts = make_facts(
        seller_central_url="https://sellercentral.amazon.fr/x", holding_reply_url="mailto:alias@marketplace.amazon.fr"
    )
    values = {element.get("value") for element in buttons(message(facts)).values()}
    assert values == {"11.21", None}


def test_no_response_needed_opens_amazons_own_page_and_is_still_told_to_us() -> None:
    facts = make_facts(no_response_url="https://sellercentral.amazon.fr/nrn?m=abc")
    waive = buttons(message(facts))["replyby_waive"]
    assert waive["url"] == "https://sellercentral.amazon.fr/nrn?m=abc"
    assert waive["value"] == "11.21"


def test_the_holding_reply_is_a_link_to_the_readers_own_mail_program() -> None:
    facts = make_facts(holding_reply_url="mailto:a@marketplace.amazon.fr?subject=Re&body=We%20look|into%3E>it")
    link = next(line for line in shown(message(facts)) if "mailto:" in line)
    assert (
        link == "✍️ <mailto:a@marketplace.amazon.fr?subject=Re&amp;body=We%20look%7Cinto%3E%3Eit|Write a holding reply>"
    )


def test_the_spam_folder_a_missing_proof_and_a_blind_spot_are_said() -> None:
    lines = " ".join(shown(message(make_facts(where="junk", verified=False, blind=True, suggestion="thank_you"))))
    for word in ("spam folder", "Unverified", "Not seen answered", "thank-you"):
        assert word in lines


def test_in_a_channel_shared_with_others_only_what_they_may_know_is_shown() -> None:
    facts = make_facts(
        labels=("complaint",),
        order_facts={"en": ("FBM",)},
        acknowledged_by="Ana",
        acknowledged_at=NOW,
        no_response_url="https://sellercentral.amazon.fr/nrn?m=abc",
        seller_central_url="https://sellercentral.amazon.fr/x",
        holding_reply_url="mailto:alias@marketplace.amazon.fr",
    )
    text = json.dumps(message(facts, external=True).blocks)
    for secret in ("complaint", "FBM", "Ana", "nrn", "sellercentral.amazon.fr/x", "alias@"):
        assert secret not in text


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("purpose", [Purpose.ALERT, Purpose.CLOSED, Purpose.REOPENED, Purpose.UPDATE])
def test_nothing_from_outside_pings_links_or_formats(language: str, purpose: Purpose) -> None:
    facts = make_facts(
        account=EVIL, order_id=EVIL, marketplace=EVIL, asin=EVIL, labels=(EVIL,), order_facts={language: (EVIL,)},
        acknowledged_by=EVIL, acknowledged_at=NOW, answered_by=EVIL, waived_by=EVIL,
        next_step=NextStep(at=NOW, receiver=EVIL, channel=Channel.SMS, person=EVIL),
    )  # fmt: skip
    for state in ("at_risk", "met", "waived"):
        changed = make_facts(**{**_fields(facts), "state": state, "answered_at": NOW, "answered_route": "hand"})
        made = message(changed, language=language, purpose=purpose)
        assert_harmless(made)


def test_no_summary_can_be_made_to_ping_either() -> None:
    evil = make_facts(account=EVIL, order_id=EVIL, marketplace=EVIL)
    bodies = {
        Purpose.LOOK_AHEAD: content.look_ahead([evil], until=NOW),
        Purpose.HEALTH: content.health("mailbox_blind", EVIL, detail=EVIL),
        Purpose.DIGEST: content.digest(day_at=NOW, open_threads=1, threads=[evil], notes=[EVIL]),
        Purpose.REPORT: content.report(EVIL, [EVIL]),
        Purpose.BACKLOG: content.backlog(1, NOW, commands=[EVIL]),
    }
    for purpose, body in bodies.items():
        assert_harmless(message(purpose=purpose, content=body))


def assert_harmless(made: SlackMessage) -> None:
    texts = [made.text, made.ring]
    for block in made.blocks:
        for holder in [block.get("text"), *block.get("elements", [])]:
            if holder and holder.get("type") == "mrkdwn":
                texts.append(holder["text"])
    for text in texts:
        rest = text.replace("<!date^", "")
        assert "<!" not in rest
        assert "<@" not in rest
        assert "<http" not in rest


@pytest.mark.parametrize("state", ["running", "at_risk", "breached", "met", "late", "waived"])
def test_each_state_has_a_word_besides_its_sign(state: str) -> None:
    left = timedelta(hours=-1) if state in ("breached", "late") else timedelta(hours=1)
    answered = NOW if state in ("met", "late") else None
    title = shown(message(make_facts(left, state=state, answered_at=answered)))[0]
    words = {
        "running": "Reply due", "at_risk": "Reply due", "breached": "overdue", "met": "to spare", "late": "late",
        "waived": "No response needed",
    }  # fmt: skip
    assert words[state] in title


def test_all_that_a_locked_phone_shows_is_short() -> None:
    for language in LANGUAGES:
        made = message(make_facts(account="acme-eu"), language=language)
        assert made.text.startswith("acme-eu · FR · 402-1234567-1234567 · ")
        assert len(made.text) < 100


@pytest.mark.parametrize("language", LANGUAGES)
def test_of_a_thread_that_is_part_of_another_a_line_without_buttons_is_left(language: str) -> None:
    joined = message(make_facts(), language=language, purpose=Purpose.UPDATE, content={"gone": "joined"})
    assert "402-1234567-1234567" in joined.text
    assert [block["type"] for block in joined.blocks] == ["context"]
    nobodys = message(language=language, purpose=Purpose.UPDATE, threads=(), content={"gone": "not_a_message"})
    assert nobodys.blocks[0]["elements"][0]["text"] == f"↪️ {nobodys.text}"


TEXT = st.text(max_size=300)


@settings(max_examples=120)
@given(
    st.builds(
        make_facts,
        st.timedeltas(timedelta(days=-400), timedelta(days=400)),
        account=st.none() | TEXT,
        order_id=st.none() | TEXT,
        marketplace=st.none() | TEXT,
        asin=st.none() | TEXT,
        labels=st.lists(TEXT, max_size=6).map(tuple),
        order_facts=st.lists(TEXT, max_size=6).map(lambda found: dict.fromkeys(LANGUAGES, tuple(found))),
        state=st.sampled_from(["running", "at_risk", "breached", "met", "late", "waived"]),
        answered_at=st.none() | st.just(NOW),
        acknowledged_by=st.none() | TEXT,
        no_response_url=st.none() | TEXT,
        seller_central_url=st.none() | TEXT | st.just("https://sellercentral.amazon.fr/" + "x" * 4000),
        holding_reply_url=st.none() | TEXT | st.just("mailto:a@b.example?body=" + "x" * 5000),
        messages=st.integers(0, 10_000),
    ),
    st.sampled_from(LANGUAGES),
    st.sampled_from([Purpose.ALERT, Purpose.CLOSED, Purpose.REOPENED, Purpose.UPDATE]),
)
def test_slack_takes_every_message(facts: ThreadFacts, language: str, purpose: Purpose) -> None:
    made = message(facts, language=language, purpose=purpose)
    assert message_error({"text": made.text, "blocks": list(made.blocks)}) is None


def test_slack_takes_a_summary_of_any_length() -> None:
    body = content.digest(day_at=NOW, open_threads=900, threads=[make_facts()] * 900, notes=["n" * 900] * 60)
    made = message(purpose=Purpose.DIGEST, content=body)
    assert message_error({"text": made.text, "blocks": list(made.blocks)}) is None


@pytest.mark.parametrize("url", [None, "", "http://a.example", "javascript:alert(1)", "https://a b", "x" * 9])
def test_only_https_gets_onto_a_button(url: str | None) -> None:
    assert web_link(url) is None


@pytest.mark.parametrize("url", [None, "", "https://a.example", "mailto:a b", "mailto:" + "x" * 9000])
def test_only_a_sound_mailto_becomes_a_link(url: str | None) -> None:
    assert mail_link(url) is None


def _fields(facts: ThreadFacts) -> dict[str, Any]:
    return {name: getattr(facts, name) for name in ThreadFacts.__dataclass_fields__}


def test_a_title_too_long_for_a_header_is_said_in_full_below() -> None:
    made = message(purpose=Purpose.REPORT, content=content.report("w" * 180, ["line"]))
    assert shown(made)[0].endswith("…")
    assert shown(made)[1].startswith("w" * 180)


def test_a_test_page_has_one_button_and_a_plain_test_has_none() -> None:
    assert list(buttons(message(purpose=Purpose.TEST, content=content.test(page=True)))) == ["replyby_acknowledge"]
    assert buttons(message(purpose=Purpose.TEST, content=content.test())) == {}


@pytest.mark.parametrize(
    ("reason", "said"),
    [
        ("bounced", "🔁 Open again (the reply did not arrive)"),
        ("undone", "🔁 Open again (the mark was taken back)"),
        (None, "🔁 Open again"),
    ],
)
def test_what_opens_again_says_why_where_it_is_known(reason: str | None, said: str) -> None:
    made = message(make_facts(), purpose=Purpose.REOPENED, content={"reason": reason} if reason else {})
    assert said in shown(made)


def test_a_snooze_and_a_next_step_that_is_now_are_said() -> None:
    facts = make_facts(
        snoozed_until=NOW + timedelta(hours=1),
        next_step=NextStep(at=NOW, receiver="oncall-sms", channel=Channel.SMS),
    )
    assert "Nobody has it yet · Snoozed until 03:38 · next: SMS to oncall-sms now" in shown(message(facts))


@pytest.mark.parametrize(
    ("minutes", "said"), [(0, "next: on the console now"), (90, "next: on the console in 1 h 30 min")]
)
def test_the_console_is_nobodys_so_no_one_is_named(minutes: int, said: str) -> None:
    at = NOW + timedelta(minutes=minutes)
    facts = make_facts(next_step=NextStep(at=at, receiver="terminal", channel=Channel.CONSOLE))
    assert f"Nobody has it yet · {said}" in shown(message(facts))
