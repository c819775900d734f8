"""What a worker settles before it shows anything: mailboxes that are gone, and deadlines that passed before it began."""

from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import select

from alerts.core.model import Purpose
from monitor.core.messages import Where
from monitor.jobs.showing import Shown
from monitor.store.engine import reading, writing
from monitor.store.health import record_failure
from monitor.store.schema import mailbox_outage
from tests.support.jobs_world import BY_RULES, ORDERS, Build, JobsWorld, alias_of
from tests.support.mails import buyer_mail

pytestmark = pytest.mark.integration


def start(world: JobsWorld) -> Any:
    """Run the worker until it would answer /metrics, and return what that would say."""
    shown: list[Any] = []

    def serve(worker: Any) -> Any:
        shown.append(Shown(world.services, lambda: worker.last_cycle_at).read_snapshot())
        worker.stop.set()
        return SimpleNamespace(port=0, stop=lambda: None)

    world.worker.serve = serve
    world.worker.run()
    return shown[0]


def test_a_mailbox_that_was_taken_out_of_the_configuration_is_told_of_no_more(build: Build) -> None:
    world = build()
    world.cycle()
    with writing(world.services.engine) as connection:
        record_failure(connection, "old-box", "old-box: login refused", "login", world.clock())
    world.clock.advance(hours=1)
    snapshot = start(world)
    assert [one.mailbox for one in snapshot.mailboxes] == ["support"]
    with reading(world.services.engine) as connection:
        assert [row.to_at for row in connection.execute(select(mailbox_outage))] == [world.clock()]
    world.restart()
    assert [one for one in world.cycle() if one.purpose is Purpose.HEALTH] == []
    world.worker.cycle()
    assert world.worker.health().ok


def test_deadlines_that_passed_before_the_first_start_make_no_spike(build: Build) -> None:
    world = build()
    long_ago = world.clock() - timedelta(days=3)
    for order in ORDERS[:3]:
        world.mailbox.deliver(buyer_mail(long_ago, order=order, alias=alias_of(order)), long_ago, Where.INBOX)
    counted = {tally.labels: tally.value for tally in start(world).tallies if tally.name == "clocks"}
    assert [value for labels, value in counted.items() if "no_response" in labels] == [3]


def test_the_outbox_that_is_shown_is_what_is_due(build: Build) -> None:
    world = build(policy=BY_RULES)
    world.ask(ORDERS[0])
    world.advance(hours=22.001)
    assert world.waiting() == 2  # an SMS in five minutes, a call in fifteen
    shown = Shown(world.services, lambda: None)
    assert shown.read_snapshot().outbox_pending == 0
    world.clock.advance(minutes=6)
    assert shown.read_snapshot().outbox_pending == 1
