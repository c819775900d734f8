"""Slack and Twilio in every kind of trouble, the whole worker in this process: what had to be told is told once it is over."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.support.mails import ORDER
from tests.support.small_world import SmallWorld, small_world

SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[SmallWorld]:
    with small_world(tmp_path) as made:
        yield made


def about(world: SmallWorld, order: str = ORDER) -> list[str]:
    return [text for text in world.texts() if order in text]


SLACK_TROUBLES: dict[str, tuple[dict[str, Any], str]] = {
    "429": ({"kind": "rate_limited", "retry_after": 7}, "retried"),
    "500": ({"kind": "server_error"}, "retried"),
    "html": ({"kind": "html"}, "retried"),
    "reset before it was taken": ({"kind": "reset_before"}, "retried"),
    "answer lost": ({"kind": "drop_after"}, "reconciled"),
    "reset after it was taken": ({"kind": "reset_after"}, "reconciled"),
    "hang": ({"kind": "hang_before"}, "retried"),
    "taken, then hang": ({"kind": "hang_after"}, "reconciled"),
    "html that says 200": ({"kind": "html", "status": 200}, "retried"),
    "cut in the middle of the answer": ({"kind": "cut_after"}, "reconciled"),
}


@pytest.mark.parametrize("name", SLACK_TROUBLES)
def test_slack_in_trouble_tells_once_when_it_is_over(world: SmallWorld, name: str) -> None:
    fault, outcome = SLACK_TROUBLES[name]
    world.buyer_writes(world.clock() - 17 * HOUR)
    world.slack.faults.fail_next("chat.postMessage", **fault)
    world.pass_time(90 * SECOND)
    assert len(about(world)) == 1
    counted = {one: world.metric("replyby_notifications_total", receiver="team", outcome=one) for one in OUTCOMES}
    assert counted[outcome] == 1, counted
    assert counted["sent"] + counted["reconciled"] == 1, counted
    assert counted["failed"] == 0
    assert world.metric("replyby_outbox_pending") == 0
    assert any("slack" in str(line) for line in world.log if line["log_level"] == "warning"), world.log
    assert not world.logged("notifier_broke"), "a provider's trouble is no bug of ours"
    assert world.errors == []


OUTCOMES = ("sent", "retried", "failed", "cancelled", "reconciled")


def test_an_hour_without_slack_tells_once_and_shows_the_age_of_the_outbox(world: SmallWorld) -> None:
    world.buyer_writes(world.clock() - 17 * HOUR)
    world.slack.faults.fail_next("*", "html", times=100_000)
    world.pass_time(HOUR, 20 * SECOND)
    assert world.metric("replyby_outbox_pending") >= 1
    waits = world.clock().timestamp() - world.metric("replyby_outbox_oldest_timestamp_seconds")
    assert waits >= 50 * 60
    assert about(world) == []
    world.slack.faults.clear()
    world.pass_time(15 * timedelta(minutes=1), 20 * SECOND)
    assert len(about(world)) == 1
    assert any("Alerts are stuck since 13:00" in text for text in world.texts()), world.texts()
    assert world.metric("replyby_outbox_pending") == 0


@pytest.mark.parametrize("error", ["token_revoked", "token_expired", "missing_scope", "invalid_auth"])
def test_a_revoked_token_fails_for_good_and_the_phone_takes_over(world: SmallWorld, error: str) -> None:
    world.slack.faults.fail_next("*", "error", error=error, times=100_000)
    world.buyer_writes(world.clock() - 17 * HOUR)
    world.pass_time(2 * timedelta(minutes=1))
    # The alert itself, and that Slack cannot be reached: each once.
    assert [ORDER in one.body for one in world.twilio.sent] == [True, False]
    assert world.metric("replyby_notifications_total", receiver="team", outcome="failed") >= 1
    assert any(error in str(line.get("error")) for line in world.log if line["event"] == "delivery_failed"), world.log
    calls = len(world.slack.calls("chat.postMessage"))
    world.pass_time(10 * timedelta(minutes=1), 30 * SECOND)
    assert len(world.slack.calls("chat.postMessage")) <= calls + 6, "a permanent error is not tried again and again"
    world.slack.faults.clear()
    world.pass_time(7 * HOUR, timedelta(minutes=5))
    assert about(world), "the breach is told in Slack, where the token is good again"


TWILIO_TROUBLES: dict[str, dict[str, Any]] = {
    "429": {"kind": "rate_limited", "retry_after": 3},
    "500": {"kind": "server_error"},
    "html": {"kind": "html"},
    "reset before it was taken": {"kind": "reset_before"},
    "answer lost": {"kind": "drop_after"},
    "reset after it was taken": {"kind": "reset_after"},
    "hang": {"kind": "hang_before"},
    "taken, then hang": {"kind": "hang_after"},
    "html that says 200": {"kind": "html", "status": 200},
    "cut in the middle of the answer": {"kind": "cut_after"},
}


@pytest.mark.parametrize("name", TWILIO_TROUBLES)
def test_twilio_in_trouble_texts_once_when_it_is_over(world: SmallWorld, name: str) -> None:
    world.twilio.faults.fail_next("messages.create", **TWILIO_TROUBLES[name])
    world.buyer_writes(world.clock() - 22 * HOUR - 30 * timedelta(minutes=1))
    world.pass_time(90 * SECOND)
    texts = [one.body for one in world.twilio.sent]
    assert len(texts) == 1
    assert ORDER in texts[0]
    told = {one: world.metric("replyby_notifications_total", receiver="oncall-sms", outcome=one) for one in OUTCOMES}
    assert told["sent"] + told["reconciled"] == 1, told
    assert told["retried"] + told["reconciled"] == 1, told
    assert any("sms" in str(line) for line in world.log if line["log_level"] == "warning"), world.log
    assert not world.logged("notifier_broke"), "a provider's trouble is no bug of ours"


def test_a_wrong_twilio_token_is_told_to_the_team(world: SmallWorld) -> None:
    world.twilio.faults.fail_next("messages.create", "error", error=20003, status=401, times=100)
    world.buyer_writes(world.clock() - 22 * HOUR - 30 * timedelta(minutes=1))
    world.pass_time(2 * timedelta(minutes=1))
    assert world.twilio.sent == []
    assert len(about(world)) >= 1
    assert world.metric("replyby_notifications_total", receiver="oncall-sms", outcome="failed") >= 1
    assert any("20003, not retried. Check [twilio] account_sid and auth_token." in str(line) for line in world.log), (
        world.log
    )
    assert world.twilio.auth_token not in str(world.log)


MINUTES_OF_TROUBLE: dict[str, tuple[dict[str, Any], str]] = {
    "429": ({"kind": "rate_limited", "retry_after": 45}, "rate_limited"),
    "500": ({"kind": "server_error"}, "server_error"),
    "resets": ({"kind": "reset_before"}, "unreachable"),
    "html that says 200": ({"kind": "html", "status": 200}, "bad_answer"),
}


@pytest.mark.parametrize("name", MINUTES_OF_TROUBLE)
def test_ten_minutes_without_any_provider_tell_everything_once_when_they_are_over(world: SmallWorld, name: str) -> None:
    fault, reason = MINUTES_OF_TROUBLE[name]
    for provider in (world.slack, world.twilio):
        provider.faults.fail_next("*", **fault, times=100_000)
    soon, late = "402-2222222-2222222", "402-3333333-3333333"
    world.buyer_writes(world.clock() - 17 * HOUR, order=soon, alias="soon1aaaaaaaa@marketplace.amazon.fr")
    world.buyer_writes(world.clock() - 22 * HOUR - 30 * MINUTE, order=late, alias="late1aaaaaaaa@marketplace.amazon.fr")
    world.pass_time(10 * MINUTE, 20 * SECOND)
    assert world.texts() == []
    assert world.twilio.sent == []
    assert world.metric("replyby_outbox_pending") >= 2
    waits = world.clock().timestamp() - world.metric("replyby_outbox_oldest_timestamp_seconds")
    assert waits >= 9 * 60, "how long it has been stuck is on the wall"
    for receiver in ("team", "oncall-sms"):
        assert world.metric("replyby_notifications_total", receiver=receiver, outcome="retried") >= 2
        assert world.logged("delivery_failed", receiver=receiver, reason=reason), world.log
    for provider in (world.slack, world.twilio):
        provider.faults.clear()
    world.pass_time(15 * MINUTE, 20 * SECOND)
    assert len(about(world, soon)) == 1, world.texts()
    assert len([one for one in world.twilio.sent if late in one.body]) == 1, world.twilio.sent
    assert world.metric("replyby_outbox_pending") == 0
    assert world.errors == []


def test_a_reply_that_comes_while_slack_is_down_cancels_what_is_not_told(world: SmallWorld) -> None:
    world.slack.faults.fail_next("*", "server_error", times=100_000)
    world.buyer_writes(world.clock() - 17 * HOUR)
    world.pass_time(timedelta(minutes=2))
    world.seller_replies()
    world.pass_time(timedelta(minutes=2))
    world.slack.faults.clear()
    world.pass_time(timedelta(minutes=30), 20 * SECOND)
    assert not any(ORDER in text and "due" in text for text in world.texts())
    assert world.metric("replyby_outbox_pending") == 0
    assert world.metric("replyby_notifications_total", receiver="team", outcome="cancelled") >= 1
