"""A promised delivery that has passed: the thread shows it, and a policy that asks for it takes over while the clock runs."""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import insert, select, update

from alerts.core.model import AnswerKind, Channel, Delivery, Purpose
from monitor.core.orders import OrderFacts, order_facts_to_json
from monitor.jobs.promises import show_orders, watch_promises
from monitor.store.engine import reading, writing
from monitor.store.schema import order_fact, sla_clock, thread
from monitor.store.tallies import read_tallies
from tests.support.databases import SQLITE
from tests.support.jobs_world import ORDERS, JobsWorld, rings
from tests.support.weekend_world import paris

pytestmark = pytest.mark.integration

A, B = ORDERS[:2]
TUESDAY = paris("2026-11-17 06:00")
POLICIES = """
[[policy]]
name = "promise"
match = { labels = ["promise_missed"] }
[[policy.step]]
remaining = "23h"
notify = ["team", "oncall-sms"]
[[policy.step]]
remaining = "4h"
notify = ["oncall-voice"]

[[policy]]
name = "default"
[[policy.step]]
remaining = "23h"
notify = ["team"]
[[policy.step]]
remaining = "2h"
notify = ["oncall-sms"]
"""
SP_API = """
[account.sp_api]
refresh_token = "Atzr|invented"
lwa_app_id = "amzn1.application-oa2-client.invented"
lwa_client_secret = "invented"
marketplaces = ["FR"]

[[mailbox]]"""

Build = Callable[..., JobsWorld]


@pytest.fixture
def build(tmp_path: Path, database: str) -> Iterator[Build]:
    built: list[JobsWorld] = []

    def make(policy: str = POLICIES, **more: str) -> JobsWorld:
        folder = tmp_path / str(len(built))
        folder.mkdir()
        changes: Mapping[str, str] = {"\n[[mailbox]]": SP_API, SQLITE: database, **more}
        built.append(JobsWorld(folder, TUESDAY, policy=policy, changes=changes))
        return built[-1]

    yield make
    for world in built:
        world.close()


def learn(world: JobsWorld, order: str, *, promised: datetime, status: str = "UNSHIPPED") -> None:
    """Store what Amazon says of an order, as the job that asks for it does."""
    facts = OrderFacts(status=status, deliver_by=promised, quantity=2)
    with writing(world.services.engine) as connection:
        row = connection.execute(select(thread).where(thread.c.order_id == order)).one()
        connection.execute(
            insert(order_fact).values(
                account=row.account,
                order_hash=row.order_hash,
                fetched_at=world.clock(),
                body=order_facts_to_json(facts),
            )
        )
        show_orders(connection, row.account, [row.order_hash], world.clock())


def watch(world: JobsWorld) -> tuple[int, list[Delivery]]:
    """Look at the promises and do what follows; return how many were missed, and what was sent."""
    found = watch_promises(world.services, world.policies)
    return found, world.cycle()


def policy_of(world: JobsWorld, order: str) -> str:
    with reading(world.services.engine) as connection:
        clock = connection.execute(
            select(sla_clock.c.policy_id)
            .join(thread, thread.c.id == sla_clock.c.thread_id)
            .where(thread.c.order_id == order)
        ).one()
        return world.policies.get(connection, clock.policy_id).name


def test_a_promise_missed_before_anything_was_told_moves_the_first_step(build: Build) -> None:
    world = build()
    world.ask(A)
    learn(world, A, promised=TUESDAY - timedelta(days=1))
    assert watch(world)[0] == 1
    assert policy_of(world, A) == "promise"
    assert rings(world.advance(hours=1.1)) == ["slack team", "sms Ana"]


def test_a_promise_learnt_after_the_team_was_told_tells_only_who_heard_nothing(build: Build) -> None:
    world = build()
    world.ask(A)
    assert rings(world.advance(hours=2)) == ["slack team"]
    learn(world, A, promised=TUESDAY - timedelta(days=1))
    found, sent = watch(world)
    assert (found, rings(sent)) == (1, ["sms Ana"])
    assert rings(world.advance(hours=17)) == []
    assert rings(world.advance(hours=2)) == ["voice Ana"]


def test_looking_again_changes_nothing(build: Build) -> None:
    world = build()
    world.ask(A)
    world.advance(hours=2)
    learn(world, A, promised=TUESDAY - timedelta(days=1))
    watch(world)
    for _ in range(3):
        found, sent = watch(world)
        assert (found, sent) == (0, [])


def test_another_mail_keeps_the_label_and_the_policy_that_was_chosen_by_it(build: Build) -> None:
    world = build()
    world.ask(A)
    learn(world, A, promised=TUESDAY - timedelta(days=1))
    watch(world)
    world.advance(hours=2)
    world.ask(A, words="Toujours rien ?")
    shown = [one.threads[0] for one in world.cycle() if one.purpose is Purpose.UPDATE]
    assert all("promise_missed" in facts.labels and facts.priority == 35 for facts in shown)
    assert policy_of(world, A) == "promise"


def test_a_thread_that_was_drawn_without_the_label_meanwhile_gets_it_back_and_rings_nobody(build: Build) -> None:
    world = build()
    world.ask(A)
    world.advance(hours=2)
    learn(world, A, promised=TUESDAY - timedelta(days=1))
    watch(world)
    with writing(world.services.engine) as connection:
        connection.execute(update(thread).values(labels="delivery", priority=20))
    world.advance(minutes=1)
    found, sent = watch(world)
    with reading(world.services.engine) as connection:
        counted = {one.labels: one.value for one in read_tallies(connection) if one.name == "message_labels"}
    assert counted["acme-eu", "promise_missed"] == 1
    assert (found, rings(sent)) == (1, [])
    assert "promise_missed" in sent[0].threads[0].labels
    assert watch(world)[0] == 0


def test_a_promise_that_passes_while_the_clock_runs_is_noticed_at_its_instant(build: Build) -> None:
    world = build()
    world.ask(A)
    learn(world, A, promised=TUESDAY + timedelta(hours=3))
    world.advance(hours=3)
    assert watch(world)[0] == 0
    world.advance(minutes=1)
    watch(world)
    assert policy_of(world, A) == "promise"


def test_who_has_it_is_left_in_peace_until_the_acknowledgement_ends(build: Build) -> None:
    world = build()
    world.ask(A)
    world.advance(hours=2)
    world.say(AnswerKind.ACKNOWLEDGE, A)
    learn(world, A, promised=TUESDAY - timedelta(days=1))
    found, sent = watch(world)
    assert (found, rings(sent)) == (1, [])
    assert rings(world.advance(hours=2.5)) == ["sms Ana"]


def test_an_order_that_is_on_its_way_moves_nothing(build: Build) -> None:
    world = build()
    world.ask(A)
    learn(world, A, promised=TUESDAY + timedelta(days=3))
    assert watch(world)[0] == 0
    assert policy_of(world, A) == "default"


def test_a_parcel_that_was_sent_counts_only_where_the_buyer_speaks_of_it(build: Build) -> None:
    world = build()
    world.ask(A, words="Où est mon colis ?")
    world.ask(B, words="Il me faut une facture avec TVA.")
    for order in (A, B):
        learn(world, order, promised=TUESDAY - timedelta(days=2), status="SHIPPED")
    assert watch(world)[0] == 1
    assert (policy_of(world, A), policy_of(world, B)) == ("promise", "default")


def test_an_answered_thread_is_left_alone(build: Build) -> None:
    world = build()
    world.ask(A)
    learn(world, A, promised=TUESDAY - timedelta(days=1))
    world.advance(minutes=10)
    world.reply(A)
    assert watch(world)[0] == 0


def test_a_seller_without_such_a_policy_sees_the_label_and_is_told_as_ever(build: Build) -> None:
    only_default = POLICIES[POLICIES.index('[[policy]]\nname = "default"') :]
    world = build(policy=only_default)
    world.ask(A)
    world.advance(hours=2)
    learn(world, A, promised=TUESDAY - timedelta(days=1))
    found, sent = watch(world)
    assert found == 1
    assert rings(sent) == []
    assert {one.purpose for one in sent} == {Purpose.UPDATE}


def test_a_priority_of_the_sellers_own_for_the_label_decides_as_well(build: Build) -> None:
    by_priority = POLICIES.replace('labels = ["promise_missed"]', "min_priority = 60")
    world = build(policy=by_priority + '[[label]]\nname = "promise_missed"\npriority = 60\n')
    world.ask(A)
    learn(world, A, promised=TUESDAY - timedelta(days=1))
    watch(world)
    assert policy_of(world, A) == "promise"


def test_what_is_learnt_of_an_order_is_drawn_into_the_message_that_stands_and_rings_nobody(build: Build) -> None:
    world = build()
    world.ask(A)
    world.advance(hours=2)
    learn(world, A, promised=TUESDAY - timedelta(days=1), status="SHIPPED")
    sent = world.cycle()
    assert [(one.channel, one.purpose) for one in sent] == [(Channel.SLACK, Purpose.UPDATE)]
    assert sent[0].threads[0].order_facts["en"] == ("delivery promised yesterday", "2 items")


def test_a_restart_goes_on_with_the_policy_that_took_over(build: Build) -> None:
    world = build()
    world.ask(A)
    world.advance(hours=2)
    learn(world, A, promised=TUESDAY - timedelta(days=1))
    watch_promises(world.services, world.policies)
    world.restart()
    assert rings(world.cycle()) == ["sms Ana"]
    assert rings(world.advance(hours=19)) == ["voice Ana"]
