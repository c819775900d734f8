"""What the worker's own page says, as the HTML has it."""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from selectolax.lexbor import LexborHTMLParser

from monitor.core.snapshot import MailboxHealth
from monitor.metrics.page import (
    LONG_OVERDUE,
    MAX_ROWS,
    PageFacts,
    format_left,
    market_name,
    render_no_data,
    render_page,
    style_hash,
)
from tests.support.metrics_world import make_page, make_thread

NOW = datetime(2026, 11, 21, 1, 38, 10, tzinfo=UTC)
FACTS = PageFacts(
    now=NOW,
    time_zone=ZoneInfo("Europe/Paris"),
    threads=(),
    mailboxes=(MailboxHealth(mailbox="support", last_success_at=NOW - timedelta(seconds=8)),),
    cycle_last_success_at=NOW - timedelta(seconds=8),
    response_ratio={7: 0.964, 30: 0.948, 90: None},
)
FR = make_thread(1, timedelta(hours=1, minutes=32, seconds=9), NOW)
DE = make_thread(2, timedelta(hours=6, minutes=5), NOW, "DE", "Ana")
OVERDUE = make_thread(3, timedelta(minutes=-12, seconds=-5), NOW, "UK")


def texts(page: str, selector: str) -> list[str]:
    return [" ".join(node.text().split()) for node in LexborHTMLParser(page).css(selector)]


def hero(facts: PageFacts) -> tuple[str, str, str]:
    page = render_page(facts)
    node = LexborHTMLParser(page).css_first(".hero")
    assert node is not None
    return (node.attributes["class"] or "", texts(page, ".hero .big")[0], texts(page, ".hero .line")[0])


def test_the_next_deadline_stands_largest_with_its_local_time_market_state_and_who_has_it() -> None:
    state, big, line = hero(make_page(FACTS, DE, FR))
    assert state == "hero at_risk"
    assert big == "1 h 32 min"
    assert line == "France · at risk · due Sat 04:10 · nobody has it yet"


def test_whoever_has_the_next_one_is_named() -> None:
    assert hero(make_page(FACTS, DE))[2].endswith("Ana has it")


def test_an_overdue_thread_is_told_as_overdue() -> None:
    page = render_page(make_page(FACTS, OVERDUE, FR))
    assert texts(page, ".hero h1") == ["REPLY OVERDUE BY"]
    assert hero(make_page(FACTS, OVERDUE, FR))[:2] == ("hero breached", "12 min")
    assert texts(page, "td.left")[0] == "12 min over"


def test_beside_an_overdue_thread_stands_what_can_still_be_saved() -> None:
    assert hero(make_page(FACTS, OVERDUE, FR, DE))[2].endswith("nobody has it yet. Next: France in 1 h 32 min")
    assert "Next" not in hero(make_page(FACTS, OVERDUE))[2]


@pytest.mark.parametrize(("later", "rows"), [(0, 2), (1, 1)], ids=["a week", "over a week"])
def test_what_is_overdue_for_over_a_week_is_counted_and_out_of_the_way(later: int, rows: int) -> None:
    old = make_thread(9, -LONG_OVERDUE - timedelta(microseconds=later), NOW, "TR")
    page = render_page(make_page(FACTS, old, FR))
    assert len(texts(page, "tbody tr")) == rows
    assert texts(page, ".tile")[2] == "1 overdue"
    assert len([line for line in texts(page, ".more") if line.startswith("and 1 overdue")]) == later


def test_what_is_long_overdue_is_shown_with_its_date_where_nothing_else_waits() -> None:
    page = render_page(make_page(FACTS, make_thread(9, timedelta(days=-59, hours=-7), NOW, "FR")))
    assert texts(page, "td.left") == ["59 d 7 h over"]
    assert texts(page, "td.due") == ["22 Sep 20:38"]


def test_what_was_overdue_before_the_first_start_is_counted_and_heads_nothing() -> None:
    old = replace(make_thread(9, -timedelta(hours=30), NOW, "TR"), backlog=True)
    page = render_page(make_page(FACTS, old, FR))
    assert len(texts(page, "tbody tr")) == 1
    assert texts(page, ".more") == [
        "1 overdue before the first start: replyby status --all shows them and how to settle them"
    ]
    assert hero(make_page(FACTS, old, FR)) == hero(make_page(FACTS, FR))
    line = "but for what was overdue before the first start, no buyer message is without a reply"
    assert hero(make_page(FACTS, old)) == ("hero nothing", "nothing waiting", line)


def test_nothing_waiting_is_not_the_same_as_no_data() -> None:
    assert hero(FACTS)[:2] == ("hero nothing", "nothing waiting")


@pytest.mark.parametrize(
    ("last", "line"),
    [
        (None, "the first look at the mailboxes is not finished"),
        (NOW - timedelta(minutes=12), "no good cycle since Sat 02:26, 12 min ago"),
    ],
    ids=["never", "long ago"],
)
def test_without_a_recent_good_cycle_the_page_says_no_data(last: datetime | None, line: str) -> None:
    facts = replace(make_page(FACTS, FR), cycle_last_success_at=last)
    assert hero(facts) == ("hero no_data", "NO DATA", line)


def test_nothing_waiting_is_not_believed_while_a_mailbox_cannot_be_read() -> None:
    trouble = MailboxHealth(mailbox="osaka", last_success_at=NOW, trouble="osaka:993: timed out.")
    facts = replace(FACTS, mailboxes=(*FACTS.mailboxes, trouble))
    assert hero(facts) == ("hero no_data", "NO DATA", "nothing known to wait, but osaka cannot be read")


@pytest.mark.parametrize(("late", "state"), [(0, "hero nothing"), (1, "hero no_data")], ids=["at the bound", "past it"])
def test_a_cycle_is_believed_up_to_the_bound_itself(late: int, state: str) -> None:
    facts = replace(FACTS, cycle_last_success_at=NOW - FACTS.stale_after - timedelta(microseconds=late))
    assert hero(facts)[0] == state


def test_the_queue_is_sorted_by_deadline_and_says_who_has_what() -> None:
    page = render_page(make_page(FACTS, DE, FR, OVERDUE))
    assert texts(page, "td.market") == ["United Kingdom", "France", "Germany"]
    assert texts(page, "td.who") == ["nobody yet", "nobody yet", "Ana"]
    assert texts(page, "td.state") == ["overdue", "at risk", "running"]
    assert texts(page, "td.due") == ["Sat 02:26", "Sat 04:10", "Sat 08:43"]


def test_every_state_has_a_word_beside_its_colour() -> None:
    page = render_page(make_page(FACTS, DE, FR, OVERDUE))
    assert texts(page, ".tile") == ["1 running", "1 at risk", "1 overdue"]


def test_the_response_rate_is_told_against_the_goal_and_never_rounded_up_to_it() -> None:
    facts = replace(FACTS, response_ratio={7: 0.964, 30: 0.89996, 90: None})
    page = render_page(facts)
    assert texts(page, ".rate") == [
        "7 d 96.4 % goal met",
        "30 d 89.9 % goal missed",
        "90 d – nothing to judge",
    ]
    assert texts(page, ".tiles h2 small") == ["goal 90 %"]


@pytest.mark.parametrize(
    ("ratio", "word"), [(0.90, "reached"), (0.8999999, "below")], ids=["exactly the goal", "a hair under"]
)
def test_the_goal_itself_is_reached(ratio: float, word: str) -> None:
    below = "goal missed" in render_page(replace(FACTS, response_ratio={7: ratio}))
    assert below is (word == "below")


def test_a_blind_mailbox_is_a_banner_with_the_time_since_when() -> None:
    trouble = MailboxHealth(
        mailbox="osaka", last_success_at=NOW - timedelta(minutes=33), trouble="imap.acme.example:993: login refused."
    )
    page = render_page(replace(FACTS, mailboxes=(trouble,)))
    assert texts(page, ".banner") == [
        "ReplyBy is blind on osaka since Sat 02:05: imap.acme.example:993: login refused."
    ]


def test_several_accounts_are_named_with_the_market_and_one_alone_is_not() -> None:
    other = replace(DE, account="acme-jp")
    assert texts(render_page(make_page(FACTS, FR, other)), "td.market") == ["acme-eu · France", "acme-jp · Germany"]
    assert texts(render_page(make_page(FACTS, FR)), "td.market") == ["France"]
    alone = replace(make_page(FACTS, FR), several_accounts=True)
    assert texts(render_page(alone), "td.market") == ["acme-eu · France"]


def test_spam_folder_unverified_and_several_messages_are_told() -> None:
    page = render_page(make_page(FACTS, replace(FR, messages=2, where="junk", verified=False)))
    assert texts(page, "td.about") == ["delivery, complaint · 2 messages, found in the spam folder, not verified"]


def test_a_long_queue_is_cut_and_says_how_many_more_there_are() -> None:
    threads = [make_thread(number, timedelta(hours=5, minutes=number), NOW) for number in range(MAX_ROWS + 7)]
    page = render_page(make_page(FACTS, *threads))
    assert len(texts(page, "tbody tr")) == MAX_ROWS
    assert texts(page, ".more") == ["and 7 more, all due later: replyby status"]


def test_what_a_name_contains_is_text_and_never_markup() -> None:
    sly = replace(FR, acknowledged_by="<script>alert(1)</script>", labels=("<b>x</b>",))
    page = render_page(replace(make_page(FACTS, sly), warnings=("<img src=x>",)))
    assert "<script" not in page and "<img" not in page and "<b>x" not in page
    assert "<script>alert(1)</script> has it" in texts(page, ".hero .line")[0]


def test_the_page_loads_itself_again_and_nothing_else() -> None:
    page = render_page(make_page(FACTS, FR), refresh_seconds=20)
    assert '<meta http-equiv="refresh" content="20">' in page
    assert not re.search(r"\b(src|href|url)\s*[=(]", page)


def test_the_page_of_a_store_that_cannot_be_read_says_no_data_and_tries_again() -> None:
    page = render_no_data("the store is locked")
    assert texts(page, ".hero .big") == ["NO DATA"]
    assert 'http-equiv="refresh"' in page
    assert texts(page, ".tile") == []


def test_the_style_sheet_is_the_one_whose_hash_the_policy_allows() -> None:
    import base64
    import hashlib

    style = LexborHTMLParser(render_page(FACTS)).css_first("style")
    assert style is not None
    digest = base64.b64encode(hashlib.sha256(style.text().encode()).digest()).decode()
    assert style_hash() == f"'sha256-{digest}'"


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0 min"),
        (59, "0 min"),
        (60, "1 min"),
        (3599, "59 min"),
        (3600, "1 h 00 min"),
        (5520, "1 h 32 min"),
        (172799, "47 h 59 min"),
        (172800, "2 d 0 h"),
        (-1, "0 min over"),
        (-720, "12 min over"),
    ],
)
def test_time_left_in_words(seconds: int, words: str) -> None:
    assert format_left(timedelta(seconds=seconds)) == words


@given(st.integers(0, 172_799))
def test_time_left_never_says_more_than_there_is(seconds: int) -> None:
    words = format_left(timedelta(seconds=seconds))
    numbers = [int(number) for number in re.findall(r"\d+", words)]
    told = numbers[-1] * 60 + (numbers[0] * 3600 if len(numbers) == 2 else 0)
    assert told <= seconds < told + 60


@pytest.mark.parametrize(
    ("code", "name"),
    [("UK", "United Kingdom"), ("JP", "Japan"), (None, "unknown market"), ("unknown", "unknown market"), ("XX", "XX")],
)
def test_markets_are_told_by_name(code: str | None, name: str) -> None:
    assert market_name(code) == name
