"""Handing on what was told of a wait or a thread that is part of another one now. On a database in memory."""

from sqlalchemy import Connection, insert, select, update

from alerts.core.model import Channel, Purpose
from alerts.heirs import drawn_for, pass_on_clock, pass_on_posts, spoken_of
from alerts.outbox import enqueue, posts_of_thread
from alerts.tables import notification, post
from alerts.told import told_receivers
from tests.fakes_alerts import START, make_alert, make_news, make_page


def stand(conn: Connection, thread_id: int, *places: str) -> None:
    for place in places:
        values = {"channel": "slack", "place": place, "thread_id": thread_id, "receiver": "team", "created_at": START}
        conn.execute(insert(post).values(**values, post_channel=place, post_message=f"{thread_id}"))


def test_what_waits_of_a_clock_waits_for_its_heir_behind_what_the_heir_is_told(conn: Connection) -> None:
    enqueue(conn, [make_alert(1), make_alert(2), make_page(2), make_news(Purpose.UPDATE, 3)], START)
    pass_on_clock(conn, 2, into=1, thread_id=1)
    rows = conn.execute(select(notification).order_by(notification.c.id)).all()
    assert [(row.clock_id, row.thread_id) for row in rows] == [(1, 1), (1, 1), (1, 1), (3, 3)]
    assert rows[1].slot == rows[0].slot == "slack:receiver:team:1"
    assert rows[2].slot == "sms:person:Ana"


def test_the_last_line_of_a_message_stays_with_it_when_its_heir_is_part_of_another(conn: Connection) -> None:
    enqueue(conn, [make_news(Purpose.UPDATE, 2, thread_id=3, content={"gone": "joined"})], START)
    pass_on_clock(conn, 2, into=1, thread_id=1)
    (row,) = conn.execute(select(notification)).all()
    assert (row.clock_id, row.thread_id, row.slot) == (1, 3, "slack:receiver:team:3")


def test_what_a_webhook_was_told_stays_with_the_thread_that_it_knows(conn: Connection) -> None:
    told = [make_alert(clock_id, receiver="hook", channel=Channel.WEBHOOK) for clock_id in (1, 2)]
    enqueue(conn, told, START)
    conn.execute(update(notification).values(status="sent"))
    enqueue(conn, [make_alert(2, step=1, receiver="hook", channel=Channel.WEBHOOK)], START)
    pass_on_clock(conn, 2, into=1, thread_id=1)
    rows = conn.execute(select(notification).order_by(notification.c.id)).all()
    assert [(row.clock_id, row.thread_id, row.slot) for row in rows] == [
        (1, 1, "webhook:receiver:hook:1"),
        (1, 2, "webhook:receiver:hook:2"),
        (1, 1, "webhook:receiver:hook:1"),
    ]


def test_what_was_erased_is_handed_on_to_nobody(conn: Connection) -> None:
    enqueue(conn, [make_alert(2)], START)
    conn.execute(update(notification).values(thread_id=None))
    pass_on_clock(conn, 2, into=1, thread_id=1)
    assert [tuple(row) for row in conn.execute(select(notification.c.clock_id, notification.c.thread_id))] == [
        (2, None)
    ]
    assert told_receivers(conn, [1]) == []


def test_a_message_that_stands_becomes_the_heirs_where_that_has_none(conn: Connection) -> None:
    stand(conn, 1, "C1")
    stand(conn, 2, "C1", "C2")
    pass_on_posts(conn, 2, 1)
    assert posts_of_thread(conn, 1) == [(Channel.SLACK, "C1", "1"), (Channel.SLACK, "C2", "2")]
    assert posts_of_thread(conn, 2) == [(Channel.SLACK, "C1", "2")]


def test_only_who_has_a_message_that_is_changed_in_place_sees_it_redrawn(conn: Connection) -> None:
    enqueue(conn, [make_alert(1), make_alert(1, step=1), make_alert(1, receiver="later"), make_page(1)], START)
    conn.execute(update(notification).where(notification.c.receiver != "later").values(status="sent"))
    assert drawn_for(conn, 1) == [("team", None)]


def test_a_message_speaks_of_the_newest_wait_that_was_told_there(conn: Connection) -> None:
    told = [
        make_alert(1),
        make_alert(2, thread_id=1),
        make_page(3, thread_id=1),
        make_news(Purpose.CLOSED, 4, thread_id=1),
    ]
    enqueue(conn, told, START)
    conn.execute(update(notification).values(status="sent"))
    enqueue(conn, [make_alert(5, thread_id=1)], START)
    assert (spoken_of(conn, 1), spoken_of(conn, 2)) == (2, None)
