"""Whatever happens, in whatever order: once somebody answered, waived or took a thread, nothing more about it rings.

Checked at the moment of sending, in the notifier, with alerts planned before the answer came: through the real jobs, the real
outbox and the real claim.
"""

import tempfile
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alerts.core.model import AnswerKind, Delivery, Purpose
from tests.support.jobs_world import ORDERS, JobsWorld
from tests.support.weekend_world import paris

pytestmark = pytest.mark.integration

POLICY = """
[[receiver]]
name = "oncall"
type = "person"
schedule = "primary"
[[policy]]
name = "default"
[[policy.step]]
remaining = "8h"
notify = ["team", "lead"]
[[policy.step]]
remaining = "3h"
notify = ["oncall"]
repeat_every = "45m"
[[policy.step]]
remaining = "0s"
notify = ["team", "oncall-sms", "oncall-voice"]
repeat_every = "3h"
[policy.look_ahead]
before_end_of_shift = "90m"
notify = ["team"]
"""
RINGS = (Purpose.ALERT, Purpose.REOPENED, Purpose.LOOK_AHEAD)
ACTIONS = ("reply", "acknowledge", "answered", "waive", "snooze", "undo", "ask", "stop", "restart", "nothing")
STEPS = st.lists(
    st.tuples(
        st.floats(0.01, 9, allow_nan=False).map(lambda hours: timedelta(hours=round(hours, 3))),
        st.sampled_from(ACTIONS),
        st.sampled_from(ORDERS[:2]),
        st.sampled_from(["Ana", "Bo"]),
    ),
    min_size=1,
    max_size=8,
)


class Watched:
    """A world, and what is known from outside about who may still be rung."""

    def __init__(self, folder: Path) -> None:
        self.world = JobsWorld(folder, paris("2026-11-20 09:00"), policy=POLICY)
        self.world.before_send = self.look
        self.waits: set[str] = set()
        self.held: dict[str, datetime] = {}
        self.broken: list[str] = []

    def look(self, delivery: Delivery) -> None:
        """Note whatever rings about a thread that is settled or taken; raising here would be taken for a broken provider."""
        if delivery.purpose not in RINGS:
            return
        now = self.world.clock()
        settled = [facts.order_id for facts in delivery.threads if facts.order_id not in self.waits]
        taken = [facts.order_id for facts in delivery.threads if self.held.get(facts.order_id or "", now) > now]
        if delivery.purpose is Purpose.LOOK_AHEAD and len(taken) < len(delivery.threads):
            taken = []  # named among others that nobody has
        if settled or taken:
            whom = delivery.person or delivery.receiver
            self.broken.append(f"{now} {delivery.purpose} by {delivery.channel} to {whom}: {settled=} {taken=}")

    def act(self, action: str, order: str, by: str) -> None:
        """Do one thing, and note what follows from it."""
        world = self.world
        if action == "ask":
            world.ask(order, words=f"Question at {world.clock()}")
            if order not in self.waits:
                self.waits.add(order)
                self.held.pop(order, None)
        elif action == "reply":
            world.reply(order)
            self.waits.discard(order)
        elif action == "stop":
            world.say(AnswerKind.STOP, by=by)
        elif action == "restart":
            world.restart()
        elif action != "nothing":
            self.answer(AnswerKind(action), order, by)

    def answer(self, kind: AnswerKind, order: str, by: str) -> None:
        result = self.world.say(kind, order, by=by)
        if not result.accepted:
            return
        if kind in (AnswerKind.ANSWERED, AnswerKind.WAIVE):
            self.waits.discard(order)
        elif kind is AnswerKind.UNDO:
            facts = result.threads[0]
            if facts.answered_at is None and facts.waived_at is None and order not in self.waits:
                self.waits.add(order)
                self.held.pop(order, None)
        else:
            facts = result.threads[0]
            until = facts.acknowledgement_expires_at if kind is AnswerKind.ACKNOWLEDGE else facts.snoozed_until
            assert until is not None
            before = self.held.get(order) if kind is AnswerKind.SNOOZE else None
            self.held[order] = max(until, before or until)


@settings(max_examples=10)
@given(STEPS)
def test_after_a_reply_a_waiver_or_an_acknowledgement_nothing_more_rings(
    steps: list[tuple[timedelta, str, str, str]],
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        watched = Watched(Path(folder))
        try:
            for order in ORDERS[:2]:
                watched.act("ask", order, "Ana")
            for span, action, order, by in steps:
                watched.world.until(watched.world.clock() + span)
                watched.world.plan()  # what is due stands in the outbox when the answer comes
                watched.act(action, order, by)
                watched.world.cycle()
                assert watched.broken == []
            watched.world.advance(hours=30)
            assert watched.broken == []
        finally:
            watched.world.close()


@settings(max_examples=10)
@given(st.integers(0, 24 * 60).map(lambda minutes: timedelta(minutes=minutes)), st.integers(1, 4))
def test_planning_again_adds_nothing(span: timedelta, times: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        world = JobsWorld(Path(folder), paris("2026-11-20 09:00"), policy=POLICY)
        try:
            world.ask(ORDERS[0])
            world.clock.advance(span)
            world.plan()
            waiting = world.waiting()
            for _ in range(times):
                world.restart()
                world.plan()
            assert world.waiting() == waiting
        finally:
            world.close()
