"""What is stored of Amazon, on both databases."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine, insert, select

from monitor.store.amazon import (
    FigureRow,
    Task,
    delete_tasks,
    read_newest_figures,
    read_task,
    read_tasks,
    read_wanted_orders,
    record_figures,
    record_order_facts,
    record_task,
    record_typed_figure,
)
from monitor.store.engine import open_engine, reading, writing
from monitor.store.migrate import prepare_database
from monitor.store.schema import amazon_figure, frozen_policy, order_fact, sla_clock, thread

NOW = datetime(2026, 11, 21, 1, 38, tzinfo=UTC)


@pytest.fixture
def engine(database: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    folder = tmp_path_factory.mktemp("store")
    made = open_engine(database.replace("sqlite:///", f"sqlite:///{folder}/"))
    prepare_database(made)
    yield made
    made.dispose()


def test_a_task_is_kept_whole_and_replaced(engine: Engine) -> None:
    first = Task(key="report:a%b:FR", state="creating", next_at=NOW, attempts=2, body={"since": NOW.isoformat()})
    with writing(engine) as connection:
        record_task(connection, first)
        record_task(connection, Task(key="report:a%bc:FR", state="due"))
        record_task(connection, Task(key="report:axb:FR", state="due"))
    with reading(engine) as connection:
        assert read_task(connection, first.key) == first
        assert list(read_tasks(connection, "report:a%b:")) == [first.key]
        assert read_task(connection, "report:none:FR") is None
    with writing(engine) as connection:
        record_task(connection, Task(key=first.key, state="due"))
        assert read_task(connection, first.key) == Task(key=first.key, state="due")
        delete_tasks(connection, [first.key, "unknown"])
        assert list(read_tasks(connection, "report:")) == ["report:a%bc:FR", "report:axb:FR"]


def test_the_newest_figure_of_each_window_is_shown_until_it_is_old(engine: Engine) -> None:
    rows = [FigureRow(window_days=days, late_ratio=0.1, average_response_seconds=None) for days in (7, 30)]
    with writing(engine) as connection:
        record_figures(connection, "a", "FR", rows, NOW - timedelta(days=1))
        record_typed_figure(connection, "a", "FR", 30, 0.2, NOW)
        record_typed_figure(connection, "a", "DE", 30, 0.3, NOW - timedelta(days=60))
    with reading(engine) as connection:
        found = read_newest_figures(connection, NOW)
    assert [(one.marketplace, one.window_days, one.late_ratio) for one in found] == [("FR", 7, 0.1), ("FR", 30, 0.2)]


def test_figures_of_years_ago_are_let_go(engine: Engine) -> None:
    row = FigureRow(window_days=30, late_ratio=0.1, average_response_seconds=60.0)
    with writing(engine) as connection:
        record_figures(connection, "a", "FR", [row], NOW - timedelta(days=900))
        record_figures(connection, "a", "FR", [row], NOW)
        assert len(connection.execute(select(amazon_figure)).all()) == 1


def test_orders_are_wanted_once_and_again_only_for_a_new_question_days_later(engine: Engine) -> None:
    with writing(engine) as connection:
        policy = connection.execute(insert(frozen_policy).values(digest="d", body="{}")).inserted_primary_key
        assert policy is not None
        for number, (order, started_at) in enumerate(
            [("402-1", NOW), ("402-2", NOW - timedelta(hours=1)), ("402-1", NOW - timedelta(hours=2)), (None, NOW)], 1
        ):
            connection.execute(
                insert(thread).values(
                    id=number, account="a", order_id=order, order_hash=order and int(order[-1]), place="inbox"
                )
            )
            connection.execute(
                insert(sla_clock).values(
                    thread_id=number,
                    start_message_id=number,
                    account="a",
                    started_at=started_at,
                    target_seconds=86400,
                    deadline_at=started_at + timedelta(days=1),
                    messages=1,
                    first=True,
                    verified=True,
                    policy_id=policy[0],
                )
            )
        wanted = read_wanted_orders(connection, "a", NOW)
        assert [(one.order_id, one.order_hash, one.thread_id) for one in wanted] == [("402-1", 1, 3), ("402-2", 2, 2)]
        assert read_wanted_orders(connection, "b", NOW) == []
        record_order_facts(connection, "a", wanted[0], '{"version":1}', NOW - timedelta(hours=1))
        record_order_facts(connection, "a", wanted[1], '{"version":1}', NOW - timedelta(days=4))
        # The first is known; the second was fetched days before the buyer wrote again.
        assert [one.order_id for one in read_wanted_orders(connection, "a", NOW)] == ["402-2"]
        record_order_facts(connection, "a", wanted[1], '{"version":2}', NOW)
        assert read_wanted_orders(connection, "a", NOW) == []
        assert set(connection.execute(select(order_fact.c.body)).scalars()) == {'{"version":1}', '{"version":2}'}
