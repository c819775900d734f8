"""Slack and Twilio out of order, seen from outside: a worker process that starts into the trouble and outlives it.

The same in minutes and hours on a clock moved by hand: test_faults_providers.py.
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from monitor.wallclock import utc_now
from tests.support.dovecot import Dovecot, running_dovecot
from tests.support.mails import buyer_mail
from tests.support.ports import free_port
from tests.support.slack_server import SlackServer
from tests.support.twilio_server import TwilioServer
from tests.support.waiting import wait_until
from tests.support.worker_process import WorkerProcess, render_config, worker_on

pytestmark = pytest.mark.integration
SOON, LATE = "402-1111111-1111111", "402-2222222-2222222"


def ago(**span: float) -> datetime:
    return utc_now().replace(microsecond=0) - timedelta(**span)


@dataclass
class Office:
    """A worker, and whom it needs."""

    worker: WorkerProcess
    dovecot: Dovecot
    slack: SlackServer
    twilio: TwilioServer

    def write(self, order: str, **waiting: float) -> None:
        """Let a buyer have written so long ago."""
        sent_at = ago(**waiting)
        self.dovecot.deliver(
            buyer_mail(sent_at, order=order, alias=f"b{order[4:11]}aaaaaa@marketplace.amazon.fr"), sent_at
        )

    def in_slack(self, order: str) -> int:
        """Return in how many messages of Slack an order stands."""
        return sum(order in str(message["text"]) for message in self.slack.all_messages())

    def texted(self, order: str) -> int:
        """Return in how many SMS an order stands."""
        return sum(order in message.body for message in self.twilio.sent)

    def count(self, receiver: str, outcome: str) -> float:
        """Return a receiver's notifications of one outcome."""
        return self.worker.metric("replyby_notifications_total", receiver=receiver, outcome=outcome)

    def logged(self, *parts: str) -> bool:
        """Return whether a line of the log holds all of this."""
        return any(all(part in line for part in parts) for line in self.worker.log().splitlines())


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    with running_dovecot() as dovecot, SlackServer() as slack, TwilioServer() as twilio:
        port = free_port()
        config = render_config(dovecot, slack, twilio, port=port, poll_every="5s")
        for table in ("[slack]", "[twilio]"):
            config = config.replace(table, f'{table}\ntimeout = "3s"')
        with worker_on(tmp_path, config, port, dovecot.password) as worker:
            yield Office(worker, dovecot, slack, twilio)


TROUBLES: dict[str, tuple[dict[str, Any], str]] = {
    "429 with Retry-After": ({"kind": "rate_limited", "retry_after": 1}, "reason=rate_limited"),
    "500": ({"kind": "server_error"}, "reason=server_error"),
    "hang": ({"kind": "hang_before"}, "reason=timeout"),
    "cut in the middle of the answer": ({"kind": "cut_after"}, "the connection broke"),
    "html that says 200": ({"kind": "html", "status": 200}, "reason=bad_answer"),
}


@pytest.mark.parametrize("name", TROUBLES)
def test_what_both_providers_refused_is_told_once_when_they_are_well(office: Office, name: str) -> None:
    fault, sign = TROUBLES[name]
    for provider in (office.slack, office.twilio):
        provider.faults.fail_next("*", **fault, times=100_000)
    office.write(SOON, hours=17)
    office.write(LATE, hours=22, minutes=30)
    office.worker.start()
    for receiver in ("team", "oncall-sms"):
        seen = partial(office.logged, "delivery_failed", f"receiver={receiver}", sign)
        wait_until(seen, f"the line about {receiver}")
    assert office.worker.metric("replyby_outbox_pending") >= 2
    for provider in (office.slack, office.twilio):
        provider.faults.clear()
    wait_until(lambda: office.in_slack(SOON) >= 1 and office.texted(LATE) >= 1, "both to be told")
    wait_until(lambda: office.worker.metric("replyby_outbox_pending") == 0, "the outbox to be empty")
    assert (office.in_slack(SOON), office.texted(LATE)) == (1, 1)
    for receiver in ("team", "oncall-sms"):
        assert office.count(receiver, "retried") + office.count(receiver, "reconciled") >= 1
        assert office.count(receiver, "failed") == 0
    assert "Traceback" not in office.worker.log()
    assert not office.logged("notifier_broke")


@pytest.mark.parametrize("error", ["token_expired", "missing_scope"])
def test_with_slacks_token_gone_the_phone_is_told_and_with_a_good_one_slack_again(office: Office, error: str) -> None:
    office.slack.faults.fail_next("*", "error", error=error, times=100_000)
    office.write(SOON, hours=17)
    office.worker.start()
    wait_until(lambda: office.texted(SOON) == 1, "the phone to take over")
    assert office.logged("delivery_failed", "receiver=team", error)
    assert office.count("team", "failed") >= 1
    assert office.slack.bot_token not in office.worker.log()
    office.slack.faults.clear()
    office.write(LATE, hours=17)
    wait_until(lambda: office.in_slack(LATE) == 1, "Slack to be told again")
    assert office.texted(LATE) == 0


def test_with_twilios_token_gone_the_team_is_told_and_with_a_good_one_the_phone_again(office: Office) -> None:
    office.twilio.faults.fail_next("*", "error", error=20003, status=401, times=100_000)
    office.write(LATE, hours=22, minutes=30)
    office.worker.start()
    wait_until(lambda: office.in_slack(LATE) == 1, "the team to take over")
    assert office.twilio.sent == []
    assert office.logged("delivery_failed", "receiver=oncall-sms", "20003") or office.logged("bad_credentials")
    assert office.count("oncall-sms", "failed") >= 1
    assert office.twilio.auth_token not in office.worker.log()
    office.twilio.faults.clear()
    office.write(SOON, hours=22, minutes=30)
    wait_until(lambda: office.texted(SOON) == 1, "the phone to be told again")


@pytest.mark.parametrize("end", ["full disk", "closed pipe"])
def test_a_log_that_cannot_be_written_holds_no_alert_up_and_doubles_none(office: Office, end: str) -> None:
    """Also where there is much to say: Slack fails before, and what it may have taken is looked up."""
    office.slack.faults.fail_next("chat.postMessage", "server_error", times=2)
    office.slack.faults.fail_next("conversations.history", "server_error")
    office.write(SOON, hours=17)
    command = [sys.executable, "-m", "monitor", "run"]
    with ExitStack() as stack:
        if end == "full disk":
            log: Any = stack.enter_context(Path("/dev/full").open("wb"))
        else:
            reader, writer = os.pipe()
            os.close(reader)
            log = stack.enter_context(os.fdopen(writer, "wb"))
        office.worker.process = subprocess.Popen(
            command, cwd=office.worker.folder, env=office.worker.environ, stdout=log, stderr=log
        )
    wait_until(lambda: office.in_slack(SOON) == 1, "the alert")
    wait_until(lambda: office.worker.metric("replyby_outbox_pending") == 0, "an empty outbox")
    assert office.in_slack(SOON) == 1
    assert office.count("team", "retried") >= 1
