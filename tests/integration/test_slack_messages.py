"""What really stands in Slack, through the real SDK: one message a thread, changed in place, rung in its thread."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import pytest

from alerts.core.model import Channel, Delivery, Post, Purpose, Receipt
from alerts.core.words import content
from alerts.errors import DeliveryError, Reason
from alerts.notifiers.slack import MESSAGE_GONE, SlackNotifier
from tests.support.deliveries import NOW, make_delivery, make_facts
from tests.support.slack_server import SlackServer


@dataclass
class World:
    slack: SlackServer
    notifier: SlackNotifier

    def send(self, delivery: Delivery) -> Receipt:
        return self.notifier.send(delivery)


@pytest.fixture
def world() -> Iterator[World]:
    with SlackServer(clock=lambda: NOW) as slack:
        notifier = SlackNotifier(bot_token=slack.bot_token, api_url=slack.api_url, timeout_seconds=5)
        yield World(slack, notifier)


def post_of(receipt: Receipt) -> Post:
    assert receipt.post is not None
    return receipt.post


def test_the_first_alert_is_a_message_with_its_reference_and_without_previews(world: World) -> None:
    receipt = world.send(make_delivery())

    standing = world.slack.messages()[0]
    assert receipt.post == Post(channel="C0123", message=standing["ts"])
    assert standing["text"] == "FR · 402-1234567-1234567 · reply due in 1 h 32 min (04:10)"
    assert standing["metadata"] == {"event_type": "replyby_notification", "event_payload": {"reference": "ref-0001"}}
    assert standing["unfurl_links"] is False


def test_the_next_step_changes_the_message_and_rings_in_its_thread(world: World) -> None:
    post = post_of(world.send(make_delivery()))

    receipt = world.send(make_delivery(make_facts(timedelta(minutes=-5)), reference="ref-0002", post=post))

    assert receipt.post == post
    assert [message["text"] for message in world.slack.messages()] == [
        "FR · 402-1234567-1234567 · OVERDUE by 5 min (was due 02:33)"
    ]
    ring = world.slack.replies("C0123", post.message)[0]
    assert ring["subtype"] == "thread_broadcast"
    assert ring["metadata"]["event_payload"]["reference"] == "ref-0002"
    assert world.slack.references() == ["ref-0001", "ref-0002"]


def test_an_update_redraws_and_rings_nobody(world: World) -> None:
    post = post_of(world.send(make_delivery()))
    taken = make_facts(acknowledged_by="Ana", acknowledged_at=NOW)

    world.send(make_delivery(taken, purpose=Purpose.UPDATE, post=post))

    assert "Ana has it since" in str(world.slack.messages()[0]["blocks"])
    assert world.slack.replies("C0123", post.message) == []


def test_a_closing_takes_the_buttons_away_in_place(world: World) -> None:
    post = post_of(world.send(make_delivery()))
    done = make_facts(timedelta(minutes=66), state="met", answered_at=NOW, answered_route="mail")

    world.send(make_delivery(done, purpose=Purpose.CLOSED, post=post))

    standing = world.slack.messages()[0]
    assert standing["text"].endswith("answered after 22 h 54 min by mail")
    assert "button" not in str(standing["blocks"])
    assert world.slack.replies("C0123", post.message) == []


def test_what_opens_again_rings_again(world: World) -> None:
    post = post_of(world.send(make_delivery()))

    world.send(make_delivery(purpose=Purpose.REOPENED, reference="ref-0003", post=post))

    assert world.slack.replies("C0123", post.message)[0]["text"].startswith("🔁 Open again: FR")


@pytest.mark.parametrize("gone", sorted(MESSAGE_GONE))
@pytest.mark.parametrize("purpose", [Purpose.ALERT, Purpose.CLOSED, Purpose.REOPENED])
def test_a_message_that_cannot_be_changed_any_more_is_posted_anew(world: World, purpose: Purpose, gone: str) -> None:
    post = post_of(world.send(make_delivery()))
    world.slack.frozen[post.message] = gone

    receipt = world.send(make_delivery(purpose=purpose, reference="ref-0002", post=post))

    assert receipt.post is not None
    assert receipt.post != post
    assert [message["ts"] for message in world.slack.messages()] == [post.message, receipt.post.message]


def test_a_message_that_somebody_deleted_is_not_redrawn_and_nobody_is_rung(world: World) -> None:
    post = post_of(world.send(make_delivery()))
    world.slack.delete("C0123", post.message)

    receipt = world.send(make_delivery(purpose=Purpose.UPDATE, post=post))

    assert receipt.post is None
    assert world.slack.messages() == []


def test_a_ring_whose_answer_was_lost_is_found_in_the_thread(world: World) -> None:
    post = post_of(world.send(make_delivery()))
    again = make_delivery(reference="ref-0002", post=post)
    world.slack.faults.fail_next("chat.postMessage", "drop_after")
    with pytest.raises(DeliveryError):
        world.send(again)

    found = world.notifier.find(again)

    assert found is not None
    assert found.post == post
    assert world.slack.references() == ["ref-0001", "ref-0002"]


def test_a_closing_posted_anew_whose_answer_was_lost_is_found_too(world: World) -> None:
    post = post_of(world.send(make_delivery()))
    world.slack.delete("C0123", post.message)
    closing = make_delivery(make_facts(state="met", answered_at=NOW), purpose=Purpose.CLOSED, reference="r2", post=post)
    world.slack.faults.fail_next("chat.postMessage", "reset_after")
    with pytest.raises(DeliveryError):
        world.send(closing)

    found = world.notifier.find(closing)

    assert found is not None
    assert found.post is not None
    assert found.post.message == world.slack.messages()[0]["ts"]


def test_a_lost_message_is_found_behind_many_pages(world: World) -> None:
    world.send(make_delivery())
    for number in range(450):
        world.notifier._client.chat_postMessage(channel="C0123", text=f"chatter {number}")

    assert world.notifier.find(make_delivery()) is not None
    assert len(world.slack.calls("conversations.history")) == 3


def test_what_stood_long_before_the_attempt_is_not_searched(world: World) -> None:
    world.send(make_delivery())
    assert world.notifier.find(make_delivery(attempted_at=NOW + timedelta(hours=1))) is None


def test_a_person_is_reached_by_direct_message_and_found_there(world: World) -> None:
    to_ana = make_delivery(address="U0123", person="Ana")

    receipt = world.send(to_ana)

    assert post_of(receipt).channel == "D0123"
    found = world.notifier.find(to_ana)
    assert found is not None
    assert found.post == receipt.post
    world.send(replace(to_ana, purpose=Purpose.UPDATE, post=receipt.post))  # chat.update refuses a person's id


def test_blocks_that_slack_refuses_give_way_to_the_plain_line(world: World) -> None:
    world.slack.faults.fail_next("chat.postMessage", "error", error="invalid_blocks")

    receipt = world.send(make_delivery())

    standing = world.slack.messages()[0]
    assert "blocks" not in standing
    assert "402-1234567-1234567" in standing["text"]
    assert receipt.post is not None


def test_a_report_brings_its_pictures_into_its_thread(world: World, tmp_path: Path) -> None:
    picture = tmp_path / "heat.png"
    picture.write_bytes(b"\x89PNG invented")
    images = [
        content.report_image("heat", "Hours of the week", str(picture), "Messages by hour"),
        content.report_image("gone", "Gone", str(tmp_path / "gone.png"), "gone"),
    ]
    body = content.report("Week 47 · 96.4 % in time", ["142 messages, 5 late."], images=images)

    receipt = world.send(make_delivery(purpose=Purpose.REPORT, content=body))

    assert receipt.detail == "picture gone.png not read: No such file or directory"
    reply = world.slack.replies("C0123", post_of(receipt).message)[0]
    assert [file["title"] for file in reply["files"]] == ["Hours of the week"]
    assert [file["data"] for file in world.slack.files.values()] == [b"\x89PNG invented"]


@pytest.mark.parametrize("kind", ["drop_after", "server_error", "error"])
def test_a_report_whose_pictures_fail_is_still_sent_once(world: World, tmp_path: Path, kind: str) -> None:
    picture = tmp_path / "heat.png"
    picture.write_bytes(b"png")
    body = content.report("Week 47", [], images=[content.report_image("heat", "h", str(picture), "h")])
    world.slack.faults.fail_next("files.completeUploadExternal", kind, error="missing_scope")  # type: ignore[arg-type]

    receipt = world.send(make_delivery(purpose=Purpose.REPORT, content=body))

    assert "pictures not uploaded" in receipt.detail
    assert world.slack.references() == ["ref-0001"]


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        ("channel_not_found", Reason.BAD_ADDRESS),
        ("not_in_channel", Reason.BAD_ADDRESS),
        ("is_archived", Reason.BAD_ADDRESS),
        ("invalid_auth", Reason.BAD_CREDENTIALS),
        ("account_inactive", Reason.BAD_CREDENTIALS),
        ("token_revoked", Reason.BAD_CREDENTIALS),
        ("missing_scope", Reason.BAD_CREDENTIALS),
        ("msg_too_long", Reason.REJECTED),
        ("restricted_action", Reason.REJECTED),
    ],
)
def test_what_never_gets_better_is_permanent_and_says_what_to_do(world: World, error: str, reason: Reason) -> None:
    world.slack.faults.fail_next("chat.postMessage", "error", error=error)

    with pytest.raises(DeliveryError) as caught:
        world.send(make_delivery())

    assert (caught.value.retryable, caught.value.ambiguous, caught.value.reason) == (False, False, reason)
    assert str(caught.value).startswith(f'slack receiver "team": {error}')


@pytest.mark.parametrize("error", ["not_authed", "invalid_auth", "token_revoked", "token_expired", "account_inactive"])
def test_a_refused_token_is_named_as_the_configuration_names_it(world: World, error: str) -> None:
    world.slack.faults.fail_next("chat.postMessage", "error", error=error)

    with pytest.raises(DeliveryError, match=rf"{error}, not retried\. .*\[slack\] bot_token\.$"):
        world.send(make_delivery())


@pytest.mark.parametrize("error", ["internal_error", "fatal_error", "service_unavailable"])
def test_slacks_own_troubles_are_looked_up_and_tried_again(world: World, error: str) -> None:
    world.slack.faults.fail_next("chat.postMessage", "error", error=error)

    with pytest.raises(DeliveryError) as caught:
        world.send(make_delivery())

    assert (caught.value.retryable, caught.value.ambiguous) == (True, True)


def test_the_channels_of_the_configuration_are_tried_as_they_are(world: World) -> None:
    for channel, said in (("C0OUT", "not_in_channel"), ("C0OLD", "is_archived"), ("C0NONE", "channel_not_found")):
        with pytest.raises(DeliveryError, match=said):
            world.send(make_delivery(address=channel))


def test_it_says_which_channel_it_serves(world: World) -> None:
    assert world.notifier.channel is Channel.SLACK
    assert world.notifier.check(Receipt(provider_id="1.2")) == "delivered"
