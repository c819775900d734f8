"""The main job, end to end, as a seller runs it: real Dovecot, real processes, Slack and Twilio as stand-ins."""

import signal
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest

from monitor.wallclock import utc_now
from tests.support.dovecot import Dovecot
from tests.support.mails import ALIAS, ORDER, buyer_mail, return_notice, seller_reply
from tests.support.ports import free_port
from tests.support.slack_server import SlackServer
from tests.support.twilio_server import TwilioServer
from tests.support.waiting import wait_until
from tests.support.worker_process import WorkerProcess, render_config, worker_on

pytestmark = pytest.mark.integration


@pytest.fixture
def worker(tmp_path: Path, dovecot: Dovecot, slack: SlackServer, twilio: TwilioServer) -> Iterator[WorkerProcess]:
    port = free_port()
    config = render_config(dovecot, slack, twilio, port=port, poll_every="5s")
    with worker_on(tmp_path, config, port, dovecot.password) as process:
        yield process


def ago(**span: float) -> datetime:
    return utc_now().replace(microsecond=0) - timedelta(**span)


def texts(slack: SlackServer) -> list[str]:
    return [str(message["text"]) for message in slack.messages()]


def test_message_is_on_metrics_within_three_seconds(
    tmp_path: Path, dovecot: Dovecot, slack: SlackServer, twilio: TwilioServer
) -> None:
    """By IDLE alone: the next poll is ten minutes away. The best of three counts, for other tests run beside it."""
    port = free_port()
    config = render_config(dovecot, slack, twilio, port=port, poll_every="10m")
    took = []
    with worker_on(tmp_path, config, port, dovecot.password) as worker:
        worker.start()
        for number in range(1, 4):
            began = time.monotonic()
            dovecot.deliver(buyer_mail(ago(hours=1), **place(number)))
            wait_until(partial(shows, worker, number), "the thread on /metrics")
            took.append(time.monotonic() - began)
    assert min(took) <= 3


def place(number: int) -> dict[str, str]:
    return {"order": f"402-000000{number}-3333333", "alias": f"idle{number}aaaaaaaaaa@marketplace.amazon.fr"}


def shows(worker: WorkerProcess, count: int) -> bool:
    return worker.metric("replyby_threads_open", marketplace="FR") == count


def test_a_reply_in_sent_updates_slack(worker: WorkerProcess, dovecot: Dovecot, slack: SlackServer) -> None:
    worker.start()
    dovecot.deliver(buyer_mail(ago(hours=17)))
    wait_until(lambda: len(slack.messages()) == 1, "the alert in Slack")
    alert = slack.messages()[0]
    assert ORDER in alert["text"]
    assert "Zoé" not in str(alert)
    assert "où est mon colis" not in str(alert)

    dovecot.put_in_sent(seller_reply(ago(seconds=1)))
    wait_until(lambda: worker.metric("replyby_threads_open") == 0, "the reply to be seen")
    wait_until(lambda: "nswered" in texts(slack)[0], "the same message to say so")
    assert len(slack.messages()) == 1
    assert slack.messages()[0]["ts"] == alert["ts"]
    assert worker.metric("replyby_clocks_total", outcome="met") == 1


def test_notices_alert_nobody_and_four_copies_count_once(
    worker: WorkerProcess, dovecot: Dovecot, slack: SlackServer
) -> None:
    for number in range(4):
        dovecot.deliver(buyer_mail(ago(hours=18), key="one", message_id=f"<copy-{number}@amazonses.example>"))
    dovecot.deliver(return_notice(ago(hours=18), order="402-7654321-7654321"))
    worker.start()
    wait_until(lambda: len(slack.messages()) == 1, "one alert")
    assert worker.metric("replyby_messages_total", kind="buyer_message") == 1
    assert worker.metric("replyby_messages_total", kind="notice") == 1
    assert [thread["order_id"] for thread in worker.status()] == [ORDER]


def test_without_idle_a_message_is_seen_within_one_poll(
    tmp_path: Path, dovecot: Dovecot, slack: SlackServer, twilio: TwilioServer
) -> None:
    port = free_port()
    config = render_config(dovecot, slack, twilio, port=port, idle=False, poll_every="5s")
    with worker_on(tmp_path, config, port, dovecot.password) as worker:
        worker.start()
        dovecot.deliver(buyer_mail(ago(hours=1)))
        wait_until(lambda: worker.metric("replyby_threads_open") == 1, "one poll")


def test_history_pages_nobody_and_an_old_breach_is_told_in_one_summary(
    worker: WorkerProcess, dovecot: Dovecot, slack: SlackServer, twilio: TwilioServer
) -> None:
    for number in range(5):
        dovecot.deliver(
            buyer_mail(
                ago(days=3), order=f"402-000000{number}-0000001", alias=f"old{number}aaaaaaaaa@marketplace.amazon.fr"
            ),
            ago(days=3),
        )
    dovecot.deliver(buyer_mail(ago(days=5), order="402-0000009-0000009"), ago(days=5))
    dovecot.put_in_sent(seller_reply(ago(days=4, hours=20), order="402-0000009-0000009"), ago(days=4, hours=20))
    dovecot.deliver(buyer_mail(ago(hours=2), order="402-0000010-0000010", alias="live0aaaaaaaaa@marketplace.amazon.fr"))
    worker.start()
    wait_until(lambda: len(slack.messages()) == 1, "the summary")
    assert "5" in str(slack.messages()[0]["blocks"])
    assert "answered --before" in str(slack.messages()[0]["blocks"])
    assert twilio.sent == []
    assert worker.metric("replyby_clocks_total", outcome="met") == 1
    assert worker.metric("replyby_clocks_total", outcome="no_response") == 5
    assert worker.metric("replyby_threads_backlog") == 5
    assert worker.metric("replyby_next_deadline_timestamp_seconds") > ago(hours=0).timestamp()

    told = str(slack.messages()[0]["blocks"]).split("--before ")[1].split()[0]
    first = worker.run("status").split("--before ")[1].split()[0]
    assert first == told
    assert "5 threads" in worker.run("answered", "--before", first, "--by", "Ana")
    assert [thread["order_id"] for thread in worker.status()] == ["402-0000010-0000010"]
    assert len(slack.messages()) == 1


def test_sms_is_answered_by_its_code_and_escalation_stops(
    worker: WorkerProcess, dovecot: Dovecot, slack: SlackServer, twilio: TwilioServer
) -> None:
    dovecot.deliver(buyer_mail(ago(hours=22, minutes=30)), ago(hours=22, minutes=30))
    worker.start()
    wait_until(lambda: len(twilio.sent) == 1, "the SMS")
    text = twilio.sent[0].body
    assert ORDER in text
    assert len(text) <= 160
    code = text.split("Reply ")[1].split()[0]
    twilio.inbound("+447700900123", code)
    wait_until(lambda: worker.status()[0]["acknowledged_by"] == "Ana", "the acknowledgement")
    assert worker.metric("replyby_answers_total", source="sms", outcome="accepted") == 1

    twilio.inbound("+447700900999", code)
    wait_until(lambda: worker.metric("replyby_answers_total", outcome="rejected") == 1, "the stranger to be counted")


def test_slack_button_says_who_has_it_in_the_same_message(
    worker: WorkerProcess, dovecot: Dovecot, slack: SlackServer
) -> None:
    dovecot.deliver(buyer_mail(ago(hours=17)))
    worker.start()
    wait_until(lambda: len(slack.messages()) == 1, "the alert")
    assert slack.wait_for_socket()
    slack.press("replyby_acknowledge", user="U0123")
    wait_until(lambda: "Ana" in str(slack.messages()[0]["blocks"]), "the name in the message")
    assert worker.status()[0]["acknowledged_by"] == "Ana"


@pytest.mark.parametrize("times", [3])
def test_killed_at_any_moment_nothing_is_lost_and_nothing_told_twice(
    worker: WorkerProcess, dovecot: Dovecot, slack: SlackServer, times: int
) -> None:
    orders = [f"402-11111{number:02d}-2222222" for number in range(12)]
    worker.start()
    for number, order in enumerate(orders):
        dovecot.deliver(buyer_mail(ago(hours=17), order=order, alias=f"killed{number:02d}aaaaaa@marketplace.amazon.fr"))
        if number % (len(orders) // times) == 2:
            worker.stop(signal.SIGKILL)
            worker.start()

    def told() -> list[str]:
        return [order for order in orders if any(order in text for text in texts(slack))]

    wait_until(lambda: told() == orders, "every message to be told")
    assert len(slack.messages()) == len(orders)
    assert worker.metric("replyby_messages_total", kind="buyer_message") == len(orders)


def test_stops_within_ten_seconds_and_a_second_worker_is_refused(worker: WorkerProcess) -> None:
    worker.start()
    second = worker.run("run", expect=1)
    assert "another worker runs on this database" in second
    began = time.monotonic()
    assert worker.stop() == 0
    assert time.monotonic() - began < 10


def test_refused_login_is_told_and_the_worker_goes_on(
    tmp_path: Path, dovecot: Dovecot, slack: SlackServer, twilio: TwilioServer
) -> None:
    port = free_port()
    config = render_config(dovecot, slack, twilio, port=port, poll_every="5s")
    with worker_on(tmp_path, config, port, "wrong") as worker:
        worker.start()
        wait_until(lambda: len(slack.messages()) == 1, "the health alert")
        assert "login refused" in str(slack.messages()[0])
        assert worker.metric("replyby_poll_failures_total", mailbox="support", reason="login") >= 1
        assert dovecot.password not in worker.log()
        assert "wrong" not in worker.log().split()


def test_message_in_spam_counts_and_the_alert_says_where_it_lay(
    worker: WorkerProcess, dovecot: Dovecot, slack: SlackServer
) -> None:
    dovecot.deliver(buyer_mail(ago(hours=17)), folder="Junk")
    worker.start()
    wait_until(lambda: len(slack.messages()) == 1, "the alert")
    assert "spam" in str(slack.messages()[0]["blocks"])
    assert worker.status()[0]["where"] == "junk"


def test_flags_stay_as_they_were(worker: WorkerProcess, dovecot: Dovecot) -> None:
    dovecot.deliver(buyer_mail(ago(hours=1)))
    before = dovecot.flags()
    worker.start()
    wait_until(lambda: worker.metric("replyby_threads_open") == 1, "the thread")
    assert dovecot.flags() == before


def test_once_dry_run_prints_what_would_be_sent_and_changes_nothing(
    worker: WorkerProcess, dovecot: Dovecot, slack: SlackServer
) -> None:
    dovecot.deliver(buyer_mail(ago(hours=17)))
    before = sorted(worker.folder.rglob("*"))
    said = worker.run("once", "--dry-run")
    assert ORDER in said
    assert slack.messages() == []
    assert sorted(worker.folder.rglob("*")) == before, "neither a database nor a key is made"
    assert worker.status() == []
    worker.run("once")
    assert len(slack.messages()) == 1
    assert len(worker.status()) == 1
    worker.run("once")
    assert len(slack.messages()) == 1


def test_start_of_a_clock_is_amazons_date_not_the_time_of_fetching(worker: WorkerProcess, dovecot: Dovecot) -> None:
    sent_at = ago(hours=5)
    dovecot.deliver(buyer_mail(sent_at), ago(hours=1))
    worker.run("once")
    thread = worker.status()[0]
    assert datetime.fromisoformat(thread["started_at"]) == sent_at.astimezone(UTC)
    assert thread["order_id"] == ORDER
    assert ALIAS not in str(thread)
