"""The jobs that ask Amazon, through the real library, against the stand-in: every trouble ends somewhere that can be seen."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update
from structlog.testing import capture_logs

from alerts.core.model import Purpose
from alerts.core.words.catalog import words_for
from alerts.core.words.summaries import render_summary
from monitor.core.orders import order_facts_from_json
from monitor.jobs.amazon import orders as amazon_orders
from monitor.jobs.amazon import reports as amazon_reports
from monitor.jobs.amazon.asking import ask_amazon
from monitor.jobs.amazon.desk import Desk
from monitor.jobs.amazon.watch import secret_stage, watch_amazon
from monitor.setup.gather import _amazon_troubles
from monitor.spapi.client import AmazonClient
from monitor.store.amazon import read_newest_figures, read_tasks
from monitor.store.engine import reading, writing
from monitor.store.schema import amazon_figure, amazon_task, metadata, order_fact, thread
from monitor.store.tallies import read_tallies
from tests.support.databases import SQLITE
from tests.support.jobs_world import ORDERS, JobsWorld
from tests.support.spapi_server import FAULTS, SECRETS, SpApiServer, render_order, render_report, values_of

START = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
ACCOUNT = 'reply_from = ["support@acme.example"]\n'
THREE = render_report(values_of(9, 1, 0, days=7), values_of(90, 4, 6), values_of("95,3 %", "3,1 %", "1,6 %", days=90))
WINDOWS = {7: pytest.approx(0.1), 30: pytest.approx(0.1), 90: pytest.approx(0.047)}


@dataclass
class Rig:
    """A worker's jobs and Amazon; time is moved by hand."""

    world: JobsWorld
    amazon: SpApiServer
    desk: Desk

    def reopen(self) -> None:
        """End the worker and begin again with the configuration as it lies there."""
        self.world.restart()
        self.desk.client.close()
        self.desk = make_desk(self.world)

    def run(self) -> None:
        """Do what is due."""
        ask_amazon(self.desk)

    def advance(self, *, every: float = 60.0, **units: float) -> None:
        """Move on, doing what is due on the way."""
        end = self.world.clock() + timedelta(**units)
        while self.world.clock() < end:
            self.world.clock.advance(min(timedelta(seconds=every), end - self.world.clock()))
            self.run()

    def figures(self) -> dict[int, Any]:
        """Return Amazon's late ratio by days."""
        with reading(self.world.services.engine) as connection:
            found = read_newest_figures(connection, self.world.clock())
        return {one.window_days: one.late_ratio for one in found}

    def counted(self, name: str) -> dict[tuple[str, ...], float]:
        """Return a counter's values without the account."""
        with reading(self.world.services.engine) as connection:
            return {one.labels[1:]: one.value for one in read_tallies(connection) if one.name == name}

    def tasks(self, prefix: str = "") -> dict[str, str]:
        """Return the states of the tasks."""
        with reading(self.world.services.engine) as connection:
            return {key: task.state for key, task in read_tasks(connection, prefix).items()}

    def told(self) -> list[str]:
        """Return what was told of ReplyBy itself since it was last asked."""
        watch_amazon(self.world.services, self.world.worker.book)
        before = len(self.world.sent)
        self.world.deliver()
        return [
            f"{one.content['kind']}: {one.content['detail']}"
            for one in self.world.sent[before:]
            if one.purpose is Purpose.HEALTH
        ]

    def stored_text(self) -> str:
        """Return everything that the store holds, as one text."""
        with reading(self.world.services.engine) as connection:
            return "\n".join(
                repr(tuple(row)) for table in metadata.sorted_tables for row in connection.execute(select(table))
            )


def make_desk(world: JobsWorld, client: Any = None) -> Desk:
    account = world.services.config.account("acme-eu")
    assert account.sp_api is not None
    made = client or AmazonClient(account.name, account.sp_api, timeout_seconds=3)
    return Desk(services=world.services, account=account, client=made)


@pytest.fixture
def rig(tmp_path: Path, database: str) -> Iterator[Rig]:
    with SpApiServer() as amazon:
        amazon.document = {"": THREE}
        changes = {ACCOUNT: f"{ACCOUNT}\n{amazon.section()}", SQLITE: database}
        world = JobsWorld(tmp_path, START, changes=changes)
        amazon.clock = world.clock
        made = Rig(world, amazon, make_desk(world))
        yield made
        made.desk.client.close()
        world.close()


# The report ------------------------------------------------------------------------------------------------------------


def test_each_day_one_report_brings_amazons_own_figures(rig: Rig) -> None:
    rig.run()
    assert rig.tasks() == {
        "credentials:acme-eu": "known",
        "rate:acme-eu:create_report": "open",
        "report:acme-eu:FR": "waiting",
    }
    rig.advance(minutes=5)
    assert rig.figures() == WINDOWS
    assert rig.amazon.count("createReport") == 1
    with reading(rig.world.services.engine) as connection:
        rows = connection.execute(select(amazon_figure).order_by(amazon_figure.c.window_days)).all()
    assert [row.source for row in rows] == ["sp_api"] * 3
    assert rows[1].average_response_seconds == pytest.approx(3.2 * 3600)
    assert json.loads(rows[1].body) == {"over_24h": 4.0, "status": "Good", "unanswered": 6.0, "under_24h": 90.0}
    rig.advance(every=600, hours=23)
    assert rig.amazon.count("createReport") == 1
    rig.advance(every=60, hours=2)
    assert rig.amazon.count("createReport") == 2
    assert rig.counted("amazon_tasks") == {("report", "done"): 2}


def test_looking_whether_a_report_is_done_gets_rarer(rig: Rig) -> None:
    rig.amazon.steps = ("IN_QUEUE", *["IN_PROGRESS"] * 500, "DONE")
    rig.run()
    rig.advance(every=5, hours=2)
    assert 10 < rig.amazon.count("getReport") < 25
    assert rig.amazon.count("createReport") == 1


def test_a_report_that_is_never_made_is_given_up_and_asked_for_again_the_next_day(rig: Rig) -> None:
    rig.amazon.steps = ("IN_QUEUE",)
    rig.run()
    rig.advance(every=300, hours=13)
    assert rig.tasks("report:") == {"report:acme-eu:FR": "given_up"}
    assert rig.counted("amazon_tasks") == {("report", "given_up"): 1}
    rig.amazon.steps = ("DONE",)
    rig.advance(every=300, hours=25)
    assert rig.figures() == WINDOWS


def test_a_cancelled_report_is_no_trouble(rig: Rig) -> None:
    rig.amazon.steps = ("IN_QUEUE", "CANCELLED")
    rig.run()
    rig.advance(hours=2)
    assert rig.counted("amazon_tasks") == {("report", "cancelled"): 1}
    assert rig.amazon.count("createReport") == 1
    assert rig.told() == []


def test_a_fatal_report_is_asked_for_again_and_then_given_up_for_the_day(rig: Rig) -> None:
    rig.amazon.steps = ("IN_PROGRESS", "FATAL")
    rig.run()
    rig.advance(every=120, hours=20)
    assert rig.counted("amazon_tasks") == {("report", "fatal"): 3, ("report", "given_up"): 1}
    assert rig.amazon.count("createReport") == 3
    rig.amazon.steps = ("DONE",)
    rig.advance(every=120, hours=20)
    assert rig.figures() == WINDOWS


def test_a_report_that_is_fatal_once_comes_the_second_time(rig: Rig) -> None:
    rig.amazon.steps = ("FATAL",)
    rig.run()
    rig.advance(minutes=5)
    rig.amazon.steps = ("DONE",)
    rig.advance(every=120, hours=6)
    assert rig.figures() == WINDOWS


def test_a_report_without_the_contact_block_is_said_once_and_alarms_nobody(rig: Rig) -> None:
    rig.amazon.document = {"": render_report(block=False)}
    with capture_logs() as logs:
        rig.run()
        rig.advance(every=300, hours=50)
    assert len([one for one in logs if "which is normal" in one["event"]]) == 1
    assert not [one for one in logs if one["log_level"] in ("warning", "error")]
    assert rig.counted("amazon_tasks")["report", "no_contact_block"] >= 2
    assert rig.figures() == {}
    assert rig.told() == []


def test_what_is_no_report_is_given_up_until_tomorrow(rig: Rig) -> None:
    rig.amazon.document = {"": b"<!DOCTYPE a []><a/>"}
    rig.run()
    rig.advance(hours=2)
    assert rig.tasks("report:") == {"report:acme-eu:FR": "given_up"}
    assert rig.amazon.count("createReport") == 1


def test_each_marketplace_has_a_report_of_its_own(rig: Rig, tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    config.write_text(config.read_text().replace('marketplaces = ["FR"]', 'marketplaces = ["FR", "DE"]'))
    rig.world.restart()
    rig.amazon.document = {
        "A13V1IB3VIYZZH": render_report(values_of(9, 1, 0)),
        "A1PA6795UKMFR9": render_report(values_of(5, 5, 0), marketplace_id="A1PA6795UKMFR9"),
    }
    rig.desk.client.close()
    rig.desk = make_desk(rig.world)
    rig.run()
    rig.advance(minutes=10)
    with reading(rig.world.services.engine) as connection:
        found = read_newest_figures(connection, rig.world.clock())
    assert {one.marketplace: one.late_ratio for one in found} == {"FR": 0.1, "DE": 0.5}


def test_a_marketplace_that_is_not_the_accounts_keeps_no_other_waiting(rig: Rig, tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    config.write_text(config.read_text().replace('marketplaces = ["FR"]', 'marketplaces = ["DE", "FR"]'))
    rig.amazon.foreign = {"A1PA6795UKMFR9"}
    rig.reopen()
    rig.run()
    rig.advance(every=600, hours=24)
    assert rig.figures() == WINDOWS
    assert any("take this one out of `marketplaces`" in told for told in rig.told())


@pytest.mark.parametrize("state", ["creating", "waiting"])
def test_a_report_that_was_asked_for_days_ago_is_not_read_as_todays(rig: Rig, state: str) -> None:
    rig.amazon.document = {"": render_report(values_of(5, 5, 0))}
    if state == "creating":
        rig.amazon.faults.fail_next("createReport", "drop_after")
    rig.run()
    assert list(rig.tasks("report:").values()) == [state]
    rig.world.clock.advance(timedelta(days=3))
    rig.reopen()
    rig.amazon.document = {"": THREE}
    rig.run()
    rig.advance(minutes=10)
    assert rig.figures() == WINDOWS
    assert rig.amazon.count("createReport") == 2


# Crashes ---------------------------------------------------------------------------------------------------------------

STEPS = ("create_report", "get_report", "get_document", "download")


class Killed(BaseException):
    """The process ends here."""


class DyingClient:
    """Passes calls on; the process is killed before or after one of them, once."""

    def __init__(self, client: AmazonClient, operation: str, moment: str) -> None:
        self._client, self._operation, self._moment = client, operation, moment

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._client, name)
        if name != self._operation:
            return method

        def die(*arguments: Any) -> Any:
            if self._moment == "after":
                method(*arguments)
            raise Killed

        return die


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("operation", STEPS)
def test_a_crash_at_any_point_neither_loses_the_report_nor_asks_for_a_second_one(
    rig: Rig, operation: str, moment: str
) -> None:
    dying = make_desk(rig.world, DyingClient(rig.desk.client, operation, moment))
    with pytest.raises(Killed):
        for _ in range(20):
            ask_amazon(dying)
            rig.world.clock.advance(minutes=1)
    rig.reopen()
    rig.run()
    rig.advance(minutes=10)
    assert rig.figures() == WINDOWS
    assert rig.amazon.count("createReport") == 1
    with reading(rig.world.services.engine) as connection:
        assert len(connection.execute(select(amazon_figure)).all()) == 3


def test_a_report_whose_receipt_was_lost_is_found_and_not_asked_for_twice(rig: Rig) -> None:
    rig.amazon.faults.fail_next("createReport", "drop_after")
    rig.amazon.faults.fail_next("getReports", "error", status=429)  # nothing is known yet: it stays so
    rig.run()
    assert rig.tasks("report:") == {"report:acme-eu:FR": "creating"}
    rig.advance(minutes=30)
    assert rig.figures() == WINDOWS
    assert rig.amazon.count("createReport") == 1


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("operation", ["createReport", "getReport", "getReportDocument"])
def test_each_fault_of_the_report_is_counted_logged_and_gone_on_from(rig: Rig, operation: str, fault: str) -> None:
    spoil, reason, retryable = FAULTS[fault]
    # Where a token is at hand it is renewed and the call repeated at once: the refusal must come twice.
    twice = fault in ("401", "403") and operation != "createReport"
    rig.amazon.faults.fail_next(operation, times=2 if twice else 1, **spoil)
    with capture_logs() as logs:
        rig.run()
        rig.advance(hours=1)
    name = {"createReport": "create_report", "getReport": "get_report", "getReportDocument": "get_document"}[operation]
    assert rig.counted("amazon_calls")[name, reason] >= 1
    warnings = [one for one in logs if one["log_level"] == "warning"]
    assert warnings[0]["reason"] == reason
    assert warnings[0]["operation"] == name
    for secret in SECRETS:
        assert secret not in str(logs)
    if retryable:
        assert rig.figures() == WINDOWS
    elif reason == "role":
        rig.advance(every=300, hours=4)  # it may be granted at any time
        assert rig.figures() == WINDOWS
    else:
        assert rig.tasks("report:") == {"report:acme-eu:FR": "given_up"}
        assert rig.counted("amazon_tasks") == {("report", "given_up"): 1}
        rig.advance(every=300, hours=25)
        assert rig.figures() == WINDOWS


@pytest.mark.parametrize("kind", ["html", "reset_before", "hang_before"])
def test_a_download_that_fails_is_tried_again_with_a_new_link(rig: Rig, kind: Any) -> None:
    rig.amazon.faults.fail_next("document", kind, times=2)
    rig.run()
    rig.advance(minutes=30)
    assert rig.figures() == WINDOWS
    assert rig.amazon.count("createReport") == 1
    assert rig.amazon.count("getReportDocument") == 3


def test_a_report_that_keeps_failing_is_given_up_for_the_day(rig: Rig) -> None:
    rig.amazon.faults.fail_next("getReportDocument", "error", times=500, status=500)
    rig.run()
    rig.advance(every=300, hours=20)
    assert rig.tasks("report:") == {"report:acme-eu:FR": "given_up"}
    assert rig.counted("amazon_calls")["get_document", "server"] == amazon_reports.ATTEMPTS


# Orders ----------------------------------------------------------------------------------------------------------------


def know_orders(rig: Rig, *orders: str, **changes: Any) -> None:
    for order in orders:
        rig.amazon.orders[order] = render_order(order, **changes)
        rig.world.ask(order)


def facts_of(rig: Rig) -> list[str]:
    with reading(rig.world.services.engine) as connection:
        return list(connection.execute(select(order_fact.c.body)).scalars())


def test_an_order_is_fetched_once_for_its_open_thread(rig: Rig) -> None:
    know_orders(rig, ORDERS[0])
    rig.run()
    rig.advance(minutes=30)
    (body,) = facts_of(rig)
    facts = order_facts_from_json(body)
    assert (facts.status, facts.quantity, facts.amount, facts.titles) == ("SHIPPED", 2, "39.98", ())
    assert rig.amazon.count("getOrder") == 1
    assert rig.counted("amazon_tasks")["order", "done"] == 1


def test_nothing_of_a_buyer_is_kept_even_if_amazon_tells_it(rig: Rig) -> None:
    rig.amazon.leaks_buyer = True
    know_orders(rig, ORDERS[0])
    with capture_logs() as logs:
        rig.run()
    (body,) = facts_of(rig)
    for word in ("Invented", "buyer", "Z999", "kettle"):
        assert word not in body
        assert word not in str(logs)
    assert ORDERS[0] not in str(logs)


def test_an_order_whose_thread_closed_or_forgot_its_number_is_not_asked_for(rig: Rig) -> None:
    know_orders(rig, ORDERS[0], ORDERS[1])
    rig.world.clock.advance(minutes=5)
    rig.world.reply(ORDERS[0])
    with writing(rig.world.services.engine) as connection:
        connection.execute(update(thread).where(thread.c.order_id == ORDERS[1]).values(order_id=None))
    rig.run()
    assert rig.amazon.count("getOrder") == 0


def test_the_soonest_deadline_is_asked_first(rig: Rig) -> None:
    for order in ORDERS[:4]:
        know_orders(rig, order)
        rig.world.clock.advance(minutes=10)
    rig.run()
    assert [call.path.rpartition("/")[2] for call in rig.amazon.calls("getOrder")] == list(ORDERS[:4])


def test_an_order_that_is_not_the_accounts_keeps_no_other_waiting(rig: Rig) -> None:
    know_orders(rig, *ORDERS[:4])
    rig.amazon.foreign = {ORDERS[0]}
    rig.run()
    rig.advance(every=300, hours=3)
    assert len(facts_of(rig)) == 3


def test_many_orders_keep_within_the_rate_that_amazon_states(rig: Rig) -> None:
    rig.amazon.rates["getOrder"] = "0.25"
    for number in range(40):
        know_orders(rig, f"402-{number:07d}-1234567")
    rig.run()
    assert rig.amazon.count("getOrder") == 30
    rig.advance(every=1, seconds=8)
    assert rig.amazon.count("getOrder") == 32
    rig.advance(every=1, seconds=40)
    assert rig.amazon.count("getOrder") == 40
    rig.world.restart()
    assert len(facts_of(rig)) == 40


def test_a_restart_neither_forgets_the_rate_nor_a_pause(rig: Rig) -> None:
    for number in range(32):
        know_orders(rig, f"402-{number:07d}-1234567")
    rig.run()
    rig.reopen()
    rig.run()
    assert rig.amazon.count("getOrder") == 30
    rig.amazon.faults.fail_next("getOrder", "error", status=429, retry_after=600)
    rig.advance(every=1, seconds=3)
    assert rig.amazon.count("getOrder") == 31
    for _ in range(9):
        rig.reopen()
        rig.advance(every=60, minutes=1)
    assert rig.amazon.count("getOrder") == 31
    rig.advance(every=5, minutes=5)
    assert len(facts_of(rig)) == 32


@pytest.mark.parametrize("step", [{"hours": -5}, {"days": -1}, {"days": 3}])
def test_a_step_of_the_system_clock_leaves_orders_waiting_for_no_longer_than_a_full_burst(
    rig: Rig, step: dict[str, float]
) -> None:
    know_orders(rig, ORDERS[0])
    rig.run()
    rig.world.clock.set(START + timedelta(**step))
    know_orders(rig, ORDERS[1])
    rig.run()
    rig.advance(every=10, minutes=1)
    assert len(facts_of(rig)) == 2


def test_being_throttled_is_a_pause_as_long_as_amazon_wants(rig: Rig) -> None:
    know_orders(rig, *ORDERS[:3])
    rig.amazon.faults.fail_next("getOrder", "error", status=429, retry_after=90)
    rig.run()
    assert rig.amazon.count("getOrder") == 1
    rig.advance(every=5, seconds=85)
    assert rig.amazon.count("getOrder") == 1
    rig.advance(every=5, minutes=3)
    assert rig.amazon.count("getOrder") == 4
    assert len(facts_of(rig)) == 3


@pytest.mark.parametrize("fault", FAULTS)
def test_each_fault_of_an_order_ends_and_the_others_are_fetched(rig: Rig, fault: str) -> None:
    spoil, reason, retryable = FAULTS[fault]
    know_orders(rig, ORDERS[0])
    rig.world.clock.advance(minutes=1)
    know_orders(rig, ORDERS[1], ORDERS[2])
    rig.amazon.faults.fail_next("getOrder", times=2 if fault in ("401", "403") else 1, **spoil)
    with capture_logs() as logs:
        rig.run()
        rig.advance(hours=3)
    assert rig.counted("amazon_calls")["get_order", reason] >= 1
    warning = next(one for one in logs if one["log_level"] == "warning")
    assert (warning["operation"], warning["reason"]) == ("get_order", reason)
    for secret in (*SECRETS, *ORDERS):
        assert secret not in str(logs)
    lost = 0 if retryable or reason == "role" else 1
    assert len(facts_of(rig)) == 3 - lost
    assert rig.counted("amazon_tasks").get(("order", "given_up"), 0) == lost


def test_an_order_that_keeps_failing_is_given_up_visibly(rig: Rig) -> None:
    know_orders(rig, ORDERS[0])
    rig.amazon.faults.fail_next("getOrder", "error", times=500, status=500)
    with capture_logs() as logs:
        rig.run()
        rig.advance(hours=12)
    assert rig.amazon.count("getOrder") == amazon_orders.ATTEMPTS
    assert rig.counted("amazon_tasks")["order", "given_up"] == 1
    (line,) = [one for one in logs if one["event"] == "an order was given up"]
    assert line["thread"] == rig.world.thread_of(ORDERS[0])


def test_what_was_given_up_is_forgotten_with_its_thread(rig: Rig) -> None:
    rig.world.ask(ORDERS[0])  # unknown to Amazon
    rig.run()
    assert list(rig.tasks("order:").values()) == ["given_up"]
    rig.world.clock.advance(minutes=5)
    rig.world.reply(ORDERS[0])
    rig.run()
    assert rig.tasks("order:") == {}


def test_reports_without_their_role_are_told_within_the_hour_and_fetched_once_it_is_granted(rig: Rig) -> None:
    rig.amazon.roles = {"order"}
    rig.run()
    rig.advance(hours=1)
    (told,) = rig.told()
    assert "Give the application the role Selling Partner Insights, authorise" in told
    rig.advance(every=300, hours=48)
    assert rig.told() == []
    assert rig.amazon.count("createReport") < 20  # each time with a new login too: the token may be at fault
    rig.amazon.roles.add("report")
    rig.advance(every=300, hours=31)  # a day, and up to a quarter more
    assert rig.figures() == WINDOWS
    assert rig.tasks("trouble:") == {}


def test_an_order_without_its_role_is_told_and_fetched_once_it_is_granted(rig: Rig) -> None:
    know_orders(rig, ORDERS[0])
    rig.amazon.roles = {"report"}
    rig.run()
    rig.advance(hours=1)
    assert rig.amazon.count("getOrder") < 12
    (told,) = rig.told()
    assert "role Selling Partner Insights or Inventory and Order Tracking" in told
    with reading(rig.world.services.engine) as connection:
        assert [name for name, _ in _amazon_troubles(connection, rig.world.services.config)] == ["acme-eu"]
    rig.amazon.roles.add("order")
    rig.advance(every=300, hours=6)
    assert len(facts_of(rig)) == 1
    assert rig.tasks("trouble:") == {}


# The whole account -----------------------------------------------------------------------------------------------------


def test_a_refused_login_pauses_the_account_and_is_told_once(rig: Rig) -> None:
    know_orders(rig, ORDERS[0])
    refusal: Callable[[], None] = lambda: rig.amazon.faults.fail_next(  # noqa: E731
        "login", "answer", times=1000, status=401, body=b'{"error": "invalid_client", "error_description": "sesame"}'
    )
    refusal()
    rig.run()
    assert rig.amazon.count("login") == 1  # not once for each task
    assert rig.told() == []
    rig.advance(hours=2)
    (told,) = rig.told()
    assert told.startswith("amazon_silent: login refused (HTTP 401 invalid_client)")
    rig.advance(hours=6)
    assert rig.told() == []
    assert rig.amazon.count("login") < 12
    rig.amazon.faults.clear()
    rig.advance(every=300, hours=8)
    assert len(facts_of(rig)) == 1
    assert rig.figures() == WINDOWS
    assert rig.tasks("trouble:") == {}
    assert rig.tasks("account:") == {}


def test_new_credentials_are_tried_at_once(rig: Rig) -> None:
    know_orders(rig, ORDERS[0])
    rig.amazon.faults.fail_next("login", "answer", times=99, status=400, body=b'{"error": "invalid_grant"}')
    rig.run()
    rig.advance(every=300, hours=12)
    rig.amazon.faults.clear()
    config = rig.world.folder / "config.toml"
    config.write_text(config.read_text().replace('marketplaces = ["FR"]', 'marketplaces = ["FR"]\nitem_titles = true'))
    rig.reopen()
    asked = rig.amazon.count("login")
    rig.run()
    assert rig.amazon.count("login") == asked  # the same credentials: the pause holds over a restart
    config.write_text(config.read_text().replace(rig.amazon.base_url + '"\nauth', rig.amazon.base_url + '/"\nauth'))
    rig.reopen()
    rig.run()
    rig.advance(minutes=5)
    assert rig.figures() == WINDOWS
    assert order_facts_from_json(facts_of(rig)[0]).titles == ("Invented kettle, 1.7 l",)
    assert rig.tasks("trouble:") == {}


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(("nowhere/token", "auth/o2/token"), id="another login address"),
        pytest.param(('marketplaces = ["US"]', 'marketplaces = ["FR"]'), id="another region"),
    ],
)
def test_what_amazon_was_wrongly_asked_by_is_forgotten_once_the_configuration_is_mended(
    rig: Rig, change: tuple[str, str]
) -> None:
    wrong, right = change
    config = rig.world.folder / "config.toml"
    config.write_text(config.read_text().replace(right, wrong))
    rig.reopen()
    rig.world.ask(ORDERS[0])  # of another region: Amazon does not know it
    rig.run()
    assert facts_of(rig) == []
    rig.amazon.orders[ORDERS[0]] = render_order(ORDERS[0])
    config.write_text(config.read_text().replace(wrong, right))
    rig.reopen()
    rig.run()
    assert len(facts_of(rig)) == 1


def test_an_order_that_is_forgotten_while_amazon_is_asked_stays_forgotten(rig: Rig) -> None:
    know_orders(rig, ORDERS[0])

    class Forgetful:
        def __getattr__(self, name: str) -> Any:
            with writing(rig.world.services.engine) as connection:
                connection.execute(update(thread).values(order_id=None))
            return getattr(rig.desk.client, name)

    ask_amazon(make_desk(rig.world, Forgetful()))
    assert rig.amazon.count("getOrder") == 1
    assert facts_of(rig) == []


def test_an_amazon_that_is_silent_for_an_hour_is_nobodys_business_but_for_a_morning_it_is_told(rig: Rig) -> None:
    rig.amazon.faults.fail_next("*", "reset_before", times=10_000)
    rig.run()
    rig.advance(hours=5)
    assert rig.told() == []
    rig.advance(hours=2)
    (told,) = rig.told()
    assert told.startswith("amazon_silent: no connection")
    rig.amazon.faults.clear()
    rig.advance(hours=1)
    assert rig.figures() == WINDOWS  # not given up: nothing was wrong with the report


def test_no_secret_reaches_the_store_or_a_log(rig: Rig) -> None:
    know_orders(rig, ORDERS[0], ORDERS[1])
    rig.amazon.leaks_buyer = True
    with capture_logs() as logs:
        for fault in FAULTS.values():
            rig.amazon.faults.fail_next("*", **fault[0])
        rig.run()
        rig.advance(hours=8)
        rig.told()
    text = rig.stored_text() + str(logs)
    for secret in SECRETS:
        assert secret not in text


def test_a_system_clock_that_was_set_back_holds_nothing_up(rig: Rig) -> None:
    rig.world.clock.set(START + timedelta(days=300))
    know_orders(rig, ORDERS[0])
    rig.amazon.faults.fail_next("getOrder", "error", status=500)
    rig.run()
    rig.advance(minutes=5)
    rig.amazon.faults.fail_next("getOrder", "error", status=429)
    rig.world.clock.set(START)
    know_orders(rig, ORDERS[1])
    rig.run()
    rig.advance(minutes=30)
    assert len(facts_of(rig)) == 2
    assert rig.amazon.count("createReport") == 2


def test_an_account_without_the_section_asks_nothing(rig: Rig) -> None:
    bare = rig.world.services.config.account("acme-eu")
    desk = Desk(services=rig.world.services, account=type(bare)(name="acme-eu"), client=rig.desk.client)
    ask_amazon(desk)
    assert rig.amazon.requests == []


# The secret's end ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("left", "stage"), [(31, None), (30, 30), (8, 30), (7, 7), (2, 7), (1, 1), (0, 0), (-5, 0)])
def test_the_stage_of_a_secret_follows_the_days_that_are_left(left: int, stage: int | None) -> None:
    today = date(2026, 11, 20)
    assert secret_stage(today + timedelta(days=left), today) == stage


def test_a_secret_that_ends_is_told_at_each_stage_once(rig: Rig, tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    config.write_text(config.read_text().replace("[account.sp_api]", "[account.sp_api]\nsecret_expires = 2026-12-25"))
    rig.world.restart()
    told: list[tuple[int, str]] = []
    for day in range(40):
        rig.world.clock.set(START + timedelta(days=day))
        told += [((date(2026, 12, 25) - rig.world.clock().date()).days, line) for line in rig.told()]
    assert told == [
        (30, "secret_expires: 2026-12-25"),
        (7, "secret_expires: 2026-12-25"),
        (1, "secret_expires: 2026-12-25"),
        (0, "secret_expired: 2026-12-25"),
    ]


def test_what_is_told_names_the_account_in_a_way_that_fits_every_language(rig: Rig, tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    config.write_text(config.read_text().replace("[account.sp_api]", "[account.sp_api]\nsecret_expires = 2026-11-25"))
    rig.reopen()
    rig.told()
    (told,) = [one for one in rig.world.sent if one.purpose is Purpose.HEALTH]
    assert render_summary(words_for("de", "Europe/Berlin"), told).title == (
        'Ein Geheimnis von SP-API "acme-eu" läuft bald ab: 2026-11-25.'
    )


def test_the_store_keeps_no_order_number_in_its_tasks(rig: Rig) -> None:
    rig.world.ask(ORDERS[0])
    rig.run()
    with reading(rig.world.services.engine) as connection:
        assert ORDERS[0] not in str(connection.execute(select(amazon_task)).all())
