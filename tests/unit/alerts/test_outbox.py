"""Putting in, taking back, looking at; the numbers people type. On a database in memory."""

from collections import Counter
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, create_engine, insert, select, update

from alerts.codes import CODE_LIVES, CODE_RESTS, assign_code, free_code_of, lookup_code, rest_code_of, said_by
from alerts.core.model import Channel, Purpose
from alerts.outbox import (
    cancel_for_clocks,
    cancel_for_thread,
    clear_content,
    due,
    enqueue,
    family_of,
    forget_thread,
    next_due_at,
    posts_of_thread,
    record_event_once,
    reopen_clocks,
    stand_in_key,
    stats,
)
from alerts.tables import Cause, UtcInstant, delivery, metadata, notification, post
from alerts.told import history, told_receivers
from tests.fakes_alerts import START, make_alert, make_news, make_page


def deliver(conn: Connection, *keys: str, person: str | None = "Ana", status: str = "sent") -> int:
    """Mark rows as carried by one delivery, as the dispatcher does, and return its id."""
    count = len(conn.execute(select(delivery.c.id)).all())
    values: dict[str, Any] = {
        "reference": f"{count:032d}",
        "owner": "test",
        "purpose": "alert",
        "channel": "sms",
        "receiver": "oncall-sms",
        "person": person,
        "whom": f"person:{person}",
        "page": True,
        "status": status,
        "attempts": 1,
        "intent_at": START,
        "next_attempt_at": START,
        "sent_at": START + timedelta(seconds=1) if status == "sent" else None,
        "provider_id": f"SM{count}",
    }
    made = conn.execute(insert(delivery).values(values).returning(delivery.c.id)).scalar_one()
    conn.execute(update(notification).where(notification.c.key.in_(keys)).values(status=status, delivery_id=made))
    return int(made)


def put(conn: Connection, *items: Any) -> list[str]:
    enqueue(conn, items, START)
    return [item.key for item in items]


def statuses(conn: Connection) -> list[tuple[str, str | None]]:
    return [tuple(row) for row in conn.execute(select(notification.c.status, notification.c.reason))]


def test_enqueue_counts_only_what_is_new(conn: Connection) -> None:
    assert enqueue(conn, [], START) == 0
    assert enqueue(conn, [make_alert(1), make_alert(2)], START) == 2
    assert enqueue(conn, [make_alert(2), make_alert(3), make_alert(3)], START) == 1


def test_ten_thousand_notifications_are_put_in_at_once(conn: Connection) -> None:
    assert enqueue(conn, [make_alert(number) for number in range(10_000)], START) == 10_000
    assert stats(conn, START).pending == 10_000


def test_what_is_due_comes_pages_first_and_reads_back_as_it_was_put_in(conn: Connection) -> None:
    notice = make_news(Purpose.UPDATE, 1, content={"by": "Ana", "ways": ["mail"]})
    page = make_page(2, due_at=START + timedelta(seconds=1), expires_at=START + timedelta(hours=3))
    later = make_page(3, due_at=START + timedelta(minutes=1))
    put(conn, notice, page, later)
    assert due(conn, START + timedelta(seconds=1)) == [page, notice]
    assert next_due_at(conn) == START


def test_next_due_is_none_when_nothing_waits(conn: Connection) -> None:
    assert next_due_at(conn) is None
    assert stats(conn, START).oldest_at is None


def test_stats_tell_how_long_the_oldest_has_been_due_and_not_what_is_still_to_come(conn: Connection) -> None:
    put(conn, make_page(1, due_at=START + timedelta(hours=1)), make_page(2), make_page(3))
    assert stats(conn, START - timedelta(seconds=1)).oldest_at is None
    now = stats(conn, START + timedelta(hours=2))
    assert (now.pending, now.due, now.oldest_at) == (3, 3, START)
    assert (stats(conn, START).pending, stats(conn, START).due) == (3, 2)


def test_a_call_that_nobody_took_is_due_from_its_next_turn_on(conn: Connection) -> None:
    put(conn, make_page(1, channel=Channel.VOICE))
    again_at = START + timedelta(hours=2)
    conn.execute(update(notification).values(reason="undelivered", next_attempt_at=again_at, attempts=7))
    before = stats(conn, again_at - timedelta(seconds=1))
    assert (before.pending, before.due, before.oldest_at) == (1, 0, None)
    assert stats(conn, again_at + timedelta(seconds=1)).oldest_at == again_at
    conn.execute(update(notification).values(reason=None, status="sending"))
    assert stats(conn, again_at + timedelta(seconds=1)).oldest_at == again_at


def test_closing_a_clock_cancels_what_would_wake_somebody_and_leaves_the_news_of_it(conn: Connection) -> None:
    put(conn, make_page(1), make_alert(1), make_news(Purpose.CLOSED, 1), make_page(2))
    counted: Counter[tuple[str, str, str]] = Counter()

    def count(_: Connection, receiver: str, channel: str, outcome: str) -> None:
        counted[(receiver, channel, outcome)] += 1

    assert cancel_for_clocks(conn, [1], Cause.ANSWERED, START, record_outcome=count) == 2
    assert cancel_for_clocks(conn, [1], Cause.ANSWERED, START, record_outcome=count) == 0
    assert statuses(conn) == [
        ("cancelled", "answered"),
        ("cancelled", "answered"),
        ("pending", None),
        ("pending", None),
    ]
    assert counted == {("oncall-sms", "sms", "cancelled"): 1, ("team", "slack", "cancelled"): 1}


def test_an_end_that_nobody_heard_of_yet_is_taken_back_when_the_clock_runs_on(conn: Connection) -> None:
    put(conn, make_news(Purpose.CLOSED, 1), make_news(Purpose.UPDATE, 1), make_news(Purpose.CLOSED, 2))
    reopen_clocks(conn, [1], START)
    assert statuses(conn) == [("cancelled", "superseded"), ("pending", None), ("pending", None)]


def test_what_is_under_way_cannot_be_called_back(conn: Connection) -> None:
    deliver(conn, *put(conn, make_page(1)), status="sending")
    assert cancel_for_clocks(conn, [1], Cause.ANSWERED, START) == 0


def test_erasing_a_thread_cancels_its_news_too(conn: Connection) -> None:
    put(conn, make_page(1), make_news(Purpose.CLOSED, 1), make_page(2))
    assert cancel_for_thread(conn, 1, Cause.FORGOTTEN, START) == 2


def test_who_was_told_is_told_once_each_and_only_if_a_message_left(conn: Connection) -> None:
    keys = put(conn, make_page(1), make_page(1, step=1), make_page(1, "Bo"), make_alert(1), make_page(2))
    deliver(conn, keys[0])
    deliver(conn, keys[1])
    deliver(conn, keys[2], person="Bo", status="sending")
    assert {(one.receiver, one.channel, one.person, one.certain) for one in told_receivers(conn, [1])} == {
        ("oncall-sms", Channel.SMS, "Ana", True),
        ("oncall-sms", Channel.SMS, "Bo", False),
    }
    assert len(told_receivers(conn, [1])) == 2


def test_history_tells_what_became_of_each_notification_in_order(conn: Connection) -> None:
    keys = put(conn, make_page(1), make_alert(1, due_at=START + timedelta(hours=2)))
    carried = deliver(conn, keys[0])
    conn.execute(update(delivery).where(delivery.c.id == carried).values(code=7))
    lines = history(conn, 1)
    assert [(line.channel, line.status, line.code) for line in lines] == [
        (Channel.SMS, "sent", 7),
        (Channel.SLACK, "pending", None),
    ]
    assert lines[0].sent_at == START + timedelta(seconds=1)
    assert history(conn, 2) == []


def test_the_smallest_free_number_of_a_phone_is_given_out(conn: Connection) -> None:
    keys = [put(conn, make_page(clock_id))[0] for clock_id in (1, 2, 3)]
    ids = [deliver(conn, key) for key in keys]
    assert [assign_code(conn, "Ana", delivery_id, START) for delivery_id in ids] == [1, 2, 3]
    assert assign_code(conn, "Bo", deliver(conn, person="Bo"), START) == 1
    cancel_for_clocks(conn, [2], Cause.ANSWERED, START)
    assert assign_code(conn, "Ana", deliver(conn), START + CODE_RESTS - timedelta(microseconds=1)) == 4
    assert assign_code(conn, "Ana", deliver(conn), START + CODE_RESTS) == 2


def test_what_says_the_same_again_keeps_its_number(conn: Connection) -> None:
    first = assign_code(conn, "Ana", deliver(conn, *put(conn, make_page(1))), START)
    both = assign_code(conn, "Ana", deliver(conn, *put(conn, make_page(1, step=1), make_page(2))), START)
    again = deliver(conn, *put(conn, make_page(1, occurrence=1)))
    assert (first, both, assign_code(conn, "Ana", again, START + CODE_RESTS)) == (1, 2, 1)
    meaning = lookup_code(conn, "Ana", 1)
    assert meaning is not None
    assert (meaning.clock_ids, meaning.in_use) == ((1,), True)


def test_a_number_that_a_call_took_over_is_the_texts_again_when_the_call_was_refused(conn: Connection) -> None:
    text = deliver(conn, *put(conn, make_page(1)))
    call = deliver(conn, *put(conn, make_page(1, channel=Channel.VOICE)))
    assert [assign_code(conn, "Ana", one, START) for one in (text, call)] == [1, 1]
    free_code_of(conn, call)
    meaning = lookup_code(conn, "Ana", 1)
    assert meaning is not None
    assert (meaning.clock_ids, meaning.in_use) == ((1,), True)
    assert assign_code(conn, "Ana", deliver(conn, *put(conn, make_page(2))), START) == 2


@pytest.mark.parametrize("refused", [(2, 1), (1, 2)], ids=["the last first", "the first first"])
def test_a_number_that_was_taken_over_twice_at_one_instant_goes_back_step_by_step(
    conn: Connection, refused: tuple[int, int]
) -> None:
    channels = (Channel.SMS, Channel.VOICE, Channel.SMS)
    ids = [deliver(conn, *put(conn, make_page(1, step=step, channel=way))) for step, way in enumerate(channels)]
    assert [assign_code(conn, "Ana", one, START) for one in ids] == [1, 1, 1]
    for number in refused:
        free_code_of(conn, ids[number])
        assert (meaning := lookup_code(conn, "Ana", 1)) is not None
        assert meaning.in_use
    assert assign_code(conn, "Ana", deliver(conn, *put(conn, make_page(2))), START) == 2


def test_a_number_that_was_freed_is_given_back_to_nobody(conn: Connection) -> None:
    text = deliver(conn, *put(conn, make_page(1)))
    call = deliver(conn, *put(conn, make_page(1, channel=Channel.VOICE)))
    assert [assign_code(conn, "Ana", one, START) for one in (text, call)] == [1, 1]
    cancel_for_clocks(conn, [1], Cause.ANSWERED, START)
    free_code_of(conn, call)
    assert (meaning := lookup_code(conn, "Ana", 1)) is not None
    assert not meaning.in_use


def test_a_number_stays_in_use_until_all_its_clocks_are_closed(conn: Connection) -> None:
    code = assign_code(conn, "Ana", deliver(conn, *put(conn, make_page(1), make_page(2))), START)
    cancel_for_clocks(conn, [1], Cause.ANSWERED, START)
    meaning = lookup_code(conn, "Ana", code)
    assert meaning is not None
    assert (meaning.thread_ids, meaning.clock_ids, meaning.in_use) == ((1, 2), (1, 2), True)
    reopen_clocks(conn, [1], START)
    cancel_for_clocks(conn, [2], Cause.WAIVED, START)
    assert (meaning := lookup_code(conn, "Ana", code)) is not None
    assert meaning.in_use
    cancel_for_clocks(conn, [1], Cause.ANSWERED, START)
    assert (meaning := lookup_code(conn, "Ana", code)) is not None
    assert not meaning.in_use


def test_an_acknowledgement_cancels_pages_and_frees_no_number(conn: Connection) -> None:
    keys = put(conn, make_page(1), make_page(1, step=1))
    code = assign_code(conn, "Ana", deliver(conn, keys[0]), START)
    assert cancel_for_clocks(conn, [1], Cause.ACKNOWLEDGED, START, closed=False) == 1
    meaning = lookup_code(conn, "Ana", code)
    assert meaning is not None
    assert meaning.in_use


def test_a_number_is_free_after_a_day_even_if_nobody_answered(conn: Connection) -> None:
    assert assign_code(conn, "Ana", deliver(conn, *put(conn, make_page(1))), START) == 1
    assert assign_code(conn, "Ana", deliver(conn), START + CODE_LIVES - timedelta(microseconds=1)) == 2
    assert assign_code(conn, "Ana", deliver(conn), START + CODE_LIVES) == 1


def test_an_old_number_means_what_the_newest_message_with_it_said(conn: Connection) -> None:
    assign_code(conn, "Ana", deliver(conn, *put(conn, make_page(1))), START)
    cancel_for_clocks(conn, [1], Cause.ANSWERED, START)
    assert assign_code(conn, "Ana", deliver(conn, *put(conn, make_page(2))), START + CODE_RESTS) == 1
    meaning = lookup_code(conn, "Ana", 1)
    assert meaning is not None
    assert meaning.thread_ids == (2,)
    assert lookup_code(conn, "Bo", 1) is None
    assert lookup_code(conn, "Ana", 2) is None


def test_the_number_of_a_message_that_nobody_got_is_free_at_once(conn: Connection) -> None:
    refused = deliver(conn, *put(conn, make_page(1)))
    assign_code(conn, "Ana", refused, START)
    free_code_of(conn, refused)
    assert assign_code(conn, "Ana", deliver(conn), START) == 1


def test_the_number_of_a_message_that_perhaps_arrived_rests_for_any_other(conn: Connection) -> None:
    text = deliver(conn, *put(conn, make_page(1)))
    assert assign_code(conn, "Ana", text, START) == 1
    rest_code_of(conn, text, START)
    said = said_by(conn, [text])
    other, both = deliver(conn, *put(conn, make_page(2))), deliver(conn, *put(conn, make_page(1, step=1), make_page(3)))
    just_before = START + CODE_RESTS - timedelta(microseconds=1)
    assert [assign_code(conn, "Ana", one, just_before, said) for one in (other, both)] == [2, 3]
    assert (meaning := lookup_code(conn, "Ana", 1)) is not None
    assert meaning.clock_ids == (1,)
    assert assign_code(conn, "Ana", deliver(conn), START + CODE_RESTS, said) == 1


def test_a_resting_number_comes_back_with_the_same_clocks_and_rests_on_when_that_is_refused(conn: Connection) -> None:
    keys = put(conn, make_page(1))
    ids = [deliver(conn, *keys)]
    assert assign_code(conn, "Ana", ids[0], START) == 1
    rest_code_of(conn, ids[0], START)
    for _ in range(2):
        said = said_by(conn, ids)
        ids.append(deliver(conn, *keys))
        assert assign_code(conn, "Ana", ids[-1], START + timedelta(minutes=1), said) == 1
        assert (meaning := lookup_code(conn, "Ana", 1)) is not None
        assert (meaning.clock_ids, meaning.in_use) == ((1,), True)
        free_code_of(conn, ids[-1])
        assert assign_code(conn, "Ana", deliver(conn), START + timedelta(minutes=1)) > 1


def test_the_number_of_a_call_that_nobody_took_is_the_texts_again(conn: Connection) -> None:
    text = deliver(conn, *put(conn, make_page(1)))
    call = deliver(conn, *put(conn, make_page(1, channel=Channel.VOICE)))
    assert [assign_code(conn, "Ana", one, START) for one in (text, call)] == [1, 1]
    rest_code_of(conn, call, START)
    assert (meaning := lookup_code(conn, "Ana", 1)) is not None
    assert (meaning.clock_ids, meaning.in_use) == ((1,), True)


@settings(max_examples=50)  # each example makes a database
@given(st.lists(st.tuples(st.integers(1, 6), st.booleans()), max_size=30))
def test_no_number_ever_stands_for_two_open_messages(steps: list[tuple[int, bool]]) -> None:
    engine = create_engine("sqlite://")
    metadata.create_all(engine)
    in_use: dict[int, set[int]] = {}
    with engine.begin() as conn:
        for number, (clock_id, closes) in enumerate(steps):
            if closes:
                cancel_for_clocks(conn, [clock_id], Cause.ANSWERED, START)
                in_use = {code: clocks - {clock_id} for code, clocks in in_use.items()}
                in_use = {code: clocks for code, clocks in in_use.items() if clocks}
                continue
            reopen_clocks(conn, [clock_id], START)
            carried = deliver(conn, *put(conn, make_page(clock_id, occurrence=number)))
            code = assign_code(conn, "Ana", carried, START)
            assert in_use.get(code, {clock_id}) == {clock_id}
            assert code <= len(steps)
            in_use[code] = {clock_id}
    engine.dispose()


def test_an_event_counts_once(conn: Connection) -> None:
    assert record_event_once(conn, "slack:Env1:acknowledge", START)
    assert not record_event_once(conn, "slack:Env1:acknowledge", START + timedelta(minutes=1))
    assert record_event_once(conn, "sms:SM1", START)


def test_forgetting_a_thread_leaves_the_outcome_and_names_what_stands_at_providers(conn: Connection) -> None:
    summary = replace(
        make_alert(3), purpose=Purpose.LOOK_AHEAD, thread_id=None, clock_id=None, content={"orders": ["402-9-9"]}
    )
    keys = put(
        conn,
        make_page(1, content={"about": "delivery"}),
        make_page(1, step=1),
        make_page(2, content={"orders": ["402-8-8"]}),
        summary,
    )
    deliver(conn, keys[0])
    deliver(conn, keys[3])
    standing = {"channel": "slack", "place": "C0123", "thread_id": 1, "receiver": "team"}
    conn.execute(insert(post).values(**standing, post_channel="C0123", post_message="1.2", created_at=START))
    assert posts_of_thread(conn, 1) == [(Channel.SLACK, "C0123", "1.2")]
    assert [tuple(one.values()) for one in forget_thread(conn, 1, START, ["402-9-9", ""])] == [
        ("sms", "SM0", "Ana", None),
        ("sms", "SM1", "Ana", None),
        ("slack", "1.2", None, "C0123"),
    ]
    assert posts_of_thread(conn, 1) == []
    assert history(conn, 1) == []
    rows = conn.execute(select(notification.c.status, notification.c.thread_id, notification.c.content)).all()
    assert [tuple(row) for row in rows] == [
        ("sent", None, "{}"),
        ("cancelled", None, "{}"),
        ("pending", 2, '{"orders":["402-8-8"]}'),
        ("sent", None, "{}"),
    ]


def test_old_summaries_lose_their_words_and_young_or_waiting_ones_keep_them(conn: Connection) -> None:
    keys = put(conn, *(make_page(clock_id, content={"orders": ["402-8-8"]}) for clock_id in (1, 2, 3)))
    for key, at in ((keys[0], START - timedelta(days=31)), (keys[1], START - timedelta(days=29))):
        conn.execute(update(notification).where(notification.c.key == key).values(finished_at=at))
    assert clear_content(conn, START - timedelta(days=30)) == 1
    kept = conn.scalars(select(notification.c.content).order_by(notification.c.id)).all()
    assert list(kept) == ["{}", '{"orders":["402-8-8"]}', '{"orders":["402-8-8"]}']


def test_stand_ins_of_stand_ins_belong_to_one_family() -> None:
    key = make_page(1).key
    first = stand_in_key(key, "backup", Channel.VOICE, "Bo")
    second = stand_in_key(first, "team", Channel.SLACK, None)
    assert family_of(key) == family_of(first) == family_of(second) == key
    assert len({key, first, second}) == 3


def test_a_naive_instant_is_refused() -> None:
    column = UtcInstant()
    with pytest.raises(ValueError, match="naive instant"):
        column.process_bind_param(START.replace(tzinfo=None), None)  # type: ignore[arg-type]


@given(st.datetimes(timezones=st.timezones()))
def test_instants_come_back_to_the_microsecond(instant: Any) -> None:
    column = UtcInstant()
    stored = column.process_bind_param(instant, None)  # type: ignore[arg-type]
    assert column.process_result_value(stored, None) == instant.astimezone(START.tzinfo)  # type: ignore[arg-type]
