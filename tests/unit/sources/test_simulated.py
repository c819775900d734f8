"""The invented mailbox: the same past every time, news while it is watched, every shape and marketplace."""

import email
import email.policy
import threading
from collections import Counter
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.config.model import MailboxConfig
from monitor.core.marketplaces import MARKETPLACES
from monitor.core.messages import Where
from monitor.sources.base import Cursor, RawMail
from monitor.sources.simulated import SimulatedSource
from monitor.sources.simulated.mails import AUTHSERV_ID, render_mail
from monitor.sources.simulated.seller import Seller, Shape
from tests.fakes import FakeWallClock, wants_everything

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
LOOKBACK = timedelta(days=7)


def make_source(clock: FakeWallClock, *, seed: int = 1, live: float = 8) -> SimulatedSource:
    mailbox = MailboxConfig(name="demo", type="simulated", accounts=("acme",), seed=seed)
    return SimulatedSource(mailbox, wants_everything, utc_now=clock, live_every=timedelta(seconds=live))


def read(source: SimulatedSource, cursors: dict[str, Cursor], since: datetime = NOW - LOOKBACK) -> list[RawMail]:
    mails: list[RawMail] = []
    for batch in source.fetch_new(cursors, since):
        cursors[batch.folder] = batch.cursor
        mails += batch.mails
    return mails


def parse(mail: RawMail) -> EmailMessage:
    message = email.message_from_bytes(mail.content, policy=email.policy.default)
    assert isinstance(message, EmailMessage)
    return message


def test_two_processes_see_the_same_past() -> None:
    assert read(make_source(FakeWallClock(NOW)), {}) == read(make_source(FakeWallClock(NOW)), {})


def test_another_seed_is_another_seller() -> None:
    one, other = (read(make_source(FakeWallClock(NOW), seed=seed), {}) for seed in (1, 2))
    assert not {mail.content for mail in one} & {mail.content for mail in other}


def test_uids_ascend_and_no_mail_lies_in_the_future_or_before_the_lookback() -> None:
    mails = read(make_source(FakeWallClock(NOW)), {})
    for where in Where:
        uids = [mail.uid for mail in mails if mail.where is where]
        assert uids == sorted(set(uids))
    assert all(NOW - LOOKBACK - timedelta(seconds=1) <= mail.received_at <= NOW for mail in mails)


def test_something_arrives_within_seconds_while_it_is_watched() -> None:
    clock = FakeWallClock(NOW)
    source = make_source(clock)
    cursors: dict[str, Cursor] = {}
    read(source, cursors)
    arrivals = [len(read(source, cursors)) for _ in range(12) if clock.advance(seconds=10)]
    assert sum(arrivals) >= 10
    assert sum(count > 0 for count in arrivals) >= 9


def test_waits_that_are_nearly_over_are_there_from_the_start() -> None:
    mails = read(make_source(FakeWallClock(NOW)), {})
    answered = {parse(mail)["In-Reply-To"] for mail in mails if mail.where is Where.SENT}
    left = [
        parse(mail)["Date"].datetime + timedelta(hours=24) - NOW
        for mail in mails
        if b"BBC_MESSAGE_SENT_TO_MERCHANT" in mail.content and parse(mail)["Message-ID"] not in answered
    ]
    assert any(timedelta(0) < one < timedelta(minutes=1) for one in left)
    assert any(timedelta(hours=2) < one < timedelta(hours=2, minutes=1) for one in left)


@settings(max_examples=15)
@given(stops=st.lists(st.integers(1, 7200), min_size=1, max_size=6), restart_after=st.integers(0, 5))
def test_polls_and_restarts_neither_repeat_nor_miss_a_mail(stops: list[int], restart_after: int) -> None:
    clock = FakeWallClock(NOW)
    source = make_source(clock)
    cursors: dict[str, Cursor] = {}
    seen = read(source, cursors)
    for number, seconds in enumerate(stops):
        # A break of more than an hour ends the dense stream for a while, so a restart stays below it.
        clock.advance(seconds=min(seconds, 3500))
        if number == restart_after:
            source = make_source(clock)
        seen += read(source, cursors)
    whole = make_source(FakeWallClock(NOW))
    straight: dict[str, Cursor] = {}
    expected = read(whole, straight)
    whole._utc_now = clock  # the same watcher, who looked only at the end
    expected += read(whole, straight)
    assert sorted((mail.folder, mail.uid, mail.content) for mail in seen) == sorted(
        (mail.folder, mail.uid, mail.content) for mail in expected
    )


def test_after_a_long_break_the_dense_stream_does_not_flood() -> None:
    clock = FakeWallClock(NOW)
    cursors: dict[str, Cursor] = {}
    read(make_source(clock), cursors)
    clock.advance(days=3)
    assert len(read(make_source(clock), cursors)) < 600


def test_a_clock_that_steps_back_brings_nothing_twice() -> None:
    clock = FakeWallClock(NOW)
    source = make_source(clock)
    cursors: dict[str, Cursor] = {}
    read(source, cursors)
    clock.advance(hours=-5)
    assert read(source, cursors) == []
    clock.advance(hours=5, seconds=60)
    uids = [mail.uid for mail in read(source, cursors)]
    assert uids


def test_every_marketplace_and_every_shape_is_there() -> None:
    events = Seller(1, 1.0, timedelta(0)).mails_between(NOW - timedelta(days=400), NOW, NOW)
    assert {event.matter.market for event in events} == set(MARKETPLACES)
    assert {event.shape for event in events} == set(Shape)


def test_about_two_fifths_of_what_amazon_sends_are_notices_and_most_replies_are_on_time() -> None:
    events = Seller(1, 1.0, timedelta(0)).mails_between(NOW - timedelta(days=90), NOW, NOW)
    count = Counter(event.shape for event in events if event.copy == 0)
    assert 0.3 < count[Shape.NOTICE] / (count[Shape.NOTICE] + count[Shape.QUESTION]) < 0.5
    asked = {(event.matter.token, event.step): event.at for event in events if event.shape is Shape.QUESTION}
    waits = [
        event.at - asked[event.matter.token, event.answers]
        for event in events
        if event.shape in (Shape.REPLY, Shape.COPY) and (event.matter.token, event.answers) in asked
    ]
    late = sum(wait > timedelta(hours=24) for wait in waits)
    assert 0 < late / len(waits) < 0.1


def test_mails_are_sound() -> None:
    for event in Seller(3, 1.0, timedelta(0)).mails_between(NOW - timedelta(days=10), NOW, NOW):
        content = render_mail(event)
        assert b"\n" not in content.replace(b"\r\n", b"")
        assert max(map(len, content.split(b"\r\n"))) <= 998
        message = email.message_from_bytes(content, policy=email.policy.default)
        assert isinstance(message, EmailMessage)
        assert not any(part.defects for part in message.walk())
        assert message["Date"].datetime.utcoffset() == timedelta(0)
        if event.where is not Where.SENT:
            assert str(message["Authentication-Results"]).startswith(f"{AUTHSERV_ID};")
        if event.shape is Shape.QUESTION:
            body = message.get_body(("plain",))
            assert body is not None
            assert event.matter.language.opener in body.get_content()


def test_waiting_tells_of_the_next_arrival_by_the_injected_clock() -> None:
    clock = FakeWallClock(NOW)
    source = make_source(clock)
    read(source, {})
    assert source.wait_for_change(threading.Event(), 0.01) is False
    clock.advance(seconds=60)
    assert source.wait_for_change(threading.Event(), 0.01) is True


@pytest.mark.parametrize("rate", [0.0, 0.5, 5.0])
def test_any_rate_works(rate: float) -> None:
    mailbox = MailboxConfig(name="demo", type="simulated", accounts=("acme",), rate=rate)
    source = SimulatedSource(mailbox, wants_everything, utc_now=FakeWallClock(NOW))
    assert sum(len(batch.mails) for batch in source.fetch_new({}, NOW - timedelta(days=2))) >= 8
    assert source.probe().sent_from == ("support@simulated.example",)
