"""What matching counts on, held against its plain definition; how long it takes."""

import time

from hypothesis import given
from hypothesis import strategies as st

from monitor.core.facts import Fact, Mark, MarkKind, Route
from monitor.core.matching import Stop, first_covering, is_open
from monitor.core.threads import resolve_threads
from tests.builders import at, question, reply

hours = st.integers(0, 6)
questions = st.lists(hours, max_size=6).map(lambda found: [question(hour) for hour in sorted(found)])
stops = st.lists(st.tuples(hours, st.booleans()), max_size=6).map(
    lambda found: sorted(
        (Stop(at(hour), key, inclusive, Route.MAIL, None, key) for key, (hour, inclusive) in enumerate(found)),
        key=lambda stop: stop.order,
    )
)
marks = st.lists(st.tuples(hours, st.sampled_from(MarkKind)), max_size=3).map(
    lambda found: [
        Mark(id=key, kind=kind, message_id=1, at=at(hour), by="Ana") for key, (hour, kind) in enumerate(found)
    ]
)


@given(questions, stops, marks, hours)
def test_thread_is_open_while_any_message_before_has_neither_answer_nor_waiver_by_then(
    asked: list[Fact], ends: list[Stop], said: list[Mark], hour: int
) -> None:
    ended = [stop for stop in ends if stop.at < at(hour)]
    waived = [mark.at for mark in said if mark.kind is MarkKind.WAIVED and mark.at < at(hour)]
    waits = any(
        message.received_at < at(hour)
        and not any(stop.covers(message) for stop in ended)
        and not any(message.received_at <= instant for instant in waived)
        for message in asked
    )
    assert is_open(asked, {7: ends}, {7: said}, 7, at(hour)) is waits


@given(stops, hours)
def test_first_stop_that_covers_a_message_is_the_first_in_order(ends: list[Stop], hour: int) -> None:
    asked = question(hour)
    assert first_covering(ends, asked) is next((stop for stop in ends if stop.covers(asked)), None)


def test_a_thousand_questions_and_as_many_replies_without_sign_take_less_than_a_second() -> None:
    facts = [fact for hour in range(1000) for fact in (question(hour), reply(hour + 0.5))]
    started = time.process_time()
    resolution = resolve_threads(facts)
    assert time.process_time() - started < 5  # of CPU time: what is not near to linear takes far longer
    assert len(resolution.threads[0].clocks) == 1000
