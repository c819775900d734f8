"""The real worker beside an Amazon that hangs, lies or answers: nothing else waits for it."""

import json
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from monitor.wallclock import utc_now
from tests.support.dovecot import Dovecot
from tests.support.mails import ORDER, buyer_mail
from tests.support.ports import free_port
from tests.support.slack_server import SlackServer
from tests.support.spapi_server import SECRETS, SpApiServer, render_order, render_report, values_of
from tests.support.twilio_server import TwilioServer
from tests.support.waiting import wait_until
from tests.support.worker_process import WorkerProcess, render_config, worker_on

pytestmark = pytest.mark.integration
REPLY_FROM = 'reply_from = ["support@acme.example"]\n'


@pytest.fixture
def amazon() -> Iterator[SpApiServer]:
    with SpApiServer() as server:
        yield server


@pytest.fixture
def worker(
    tmp_path: Path, dovecot: Dovecot, slack: SlackServer, twilio: TwilioServer, amazon: SpApiServer
) -> Iterator[WorkerProcess]:
    port = free_port()
    config = render_config(dovecot, slack, twilio, port=port, poll_every="5s")
    assert config.count(REPLY_FROM) == 1
    config = config.replace(REPLY_FROM, f"{REPLY_FROM}{amazon.section()}")
    with worker_on(tmp_path, config, port, dovecot.password) as process:
        yield process


def ago(**span: float) -> datetime:
    return utc_now().replace(microsecond=0) - timedelta(**span)


def test_alerts_go_out_and_the_worker_ends_in_time_while_amazon_hangs(
    worker: WorkerProcess, dovecot: Dovecot, slack: SlackServer, amazon: SpApiServer
) -> None:
    amazon.faults.fail_next("createReport", "hang_before", times=100)
    amazon.faults.fail_next("getOrder", "hang_before", times=100)
    worker.start()
    wait_until(lambda: amazon.count("createReport") == 1, "Amazon to be asked, and to hang")
    began = time.monotonic()
    dovecot.deliver(buyer_mail(ago(hours=17)))
    wait_until(lambda: len(slack.messages()) == 1, "the alert")
    assert time.monotonic() - began < 15  # Amazon's time-out is 20 s: nobody waited for it
    assert worker.get("/healthz").strip() == "ok"
    stopping = time.monotonic()
    assert worker.stop() == 0
    assert time.monotonic() - stopping < 10


def test_figures_and_order_facts_reach_metrics_and_slack_and_a_restart_asks_nothing_twice(
    worker: WorkerProcess, dovecot: Dovecot, slack: SlackServer, amazon: SpApiServer
) -> None:
    amazon.steps = ("DONE",)
    amazon.document = {"": render_report(values_of(9, 1, 0, days=7), values_of(90, 4, 6))}
    amazon.orders[ORDER] = render_order(ORDER)
    dovecot.deliver(buyer_mail(ago(hours=17)))
    worker.start()
    wait_until(lambda: amazon.count("getOrder") == 1, "the order to be asked for")
    wait_until(lambda: "FBM" in json.dumps(slack.messages()), "the facts in Slack")
    wait_until(lambda: amazon.count("createReport") == 1, "the report to be asked for")
    assert worker.metric("replyby_amazon_tasks_total", task="order", outcome="done") == 1
    worker.stop()
    worker.start()
    wait_until(
        lambda: worker.metric("replyby_amazon_late_response_ratio", window="30d", marketplace="FR") == 0.1,
        "Amazon's figure on /metrics",
    )
    assert amazon.count("createReport") == 1
    assert amazon.count("getOrder") == 1
    assert worker.metric("replyby_amazon_figure_timestamp_seconds") > ago(minutes=5).timestamp()
    assert worker.metric("replyby_amazon_calls_total", operation="get_order", outcome="ok") == 1
    assert all(secret not in worker.log() for secret in SECRETS)


def test_check_config_says_which_role_is_missing(worker: WorkerProcess, amazon: SpApiServer) -> None:
    said = worker.run("check-config", "--connect")
    assert "✓ SP-API acme-eu: logged in; performance report: yes" in said
    assert "✓ SP-API acme-eu: orders: yes" in said
    assert amazon.count("createReport") == 0
    amazon.roles = {"order"}
    findings = json.JSONDecoder().raw_decode(worker.run("check-config", "--connect", "--json", expect=1))[0]["findings"]
    lines = {one["line"]: one["ok"] for one in findings if one["what"] == "SP-API acme-eu"}
    (missing,) = [line for line, ok in lines.items() if not ok]
    assert missing.startswith("logged in; performance report: no: HTTP 403 Unauthorized. Give the application the role")
    assert "Selling Partner Insights" in missing
    amazon.roles = set()
    amazon.faults.fail_next("login", "answer", times=9, status=400, body=b'{"error": "invalid_grant"}')
    said = worker.run("check-config", "--connect", expect=1)
    assert "✗ SP-API acme-eu: performance report: login refused (HTTP 400 invalid_grant)" in said
    assert said.count("SP-API acme-eu") == 1
    assert all(secret not in said for secret in SECRETS)


def test_one_cycle_by_hand_asks_amazon_last(
    worker: WorkerProcess, dovecot: Dovecot, slack: SlackServer, amazon: SpApiServer
) -> None:
    amazon.orders[ORDER] = render_order(ORDER)
    dovecot.deliver(buyer_mail(ago(hours=17)))
    assert "1 sent" in worker.run("once")
    assert amazon.count("getOrder") == 1
    assert amazon.count("createReport") == 1
    assert len(slack.messages()) == 1
    worker.run("once", "--dry-run")
    assert amazon.count("getReport") == 0
