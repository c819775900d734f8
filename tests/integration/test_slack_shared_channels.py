"""What is known of an order never stands in a channel that another company reads, as Slack itself says."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from alerts.core.model import Delivery, Purpose
from alerts.notifiers.slack import SlackNotifier
from alerts.notifiers.slack_rooms import KNOWN_FOR, UNKNOWN_FOR, parse_shared
from monitor.core.labels import PROMISE_MISSED
from tests.support.deliveries import NOW, make_delivery, make_facts
from tests.support.fault_server import FaultKind
from tests.support.slack_server import SlackServer

FACTS = {"en": ("delivery promised yesterday", "FBM", "2 items", "€37.80")}
TOLD = "delivery promised yesterday · FBM · 2 items · €37.80"
INFO = "conversations.info"


@pytest.fixture
def slack() -> Iterator[SlackServer]:
    with SlackServer(clock=lambda: NOW) as server:
        yield server


@pytest.fixture
def notifier(slack: SlackServer) -> SlackNotifier:
    return SlackNotifier(bot_token=slack.bot_token, api_url=slack.api_url, timeout_seconds=5)


def alert(after: timedelta = timedelta(0), **changes: object) -> Delivery:
    return make_delivery(make_facts(order_facts=FACTS, labels=("delivery",)), now=NOW + after, **changes)


def shown(slack: SlackServer, channel: str = "C0123") -> str:
    return str(slack.messages(channel)[-1]["blocks"])


def test_a_channel_of_our_own_shows_what_is_known_of_the_order(slack: SlackServer, notifier: SlackNotifier) -> None:
    notifier.send(alert())
    assert TOLD in shown(slack)


@pytest.mark.parametrize("how", ["is_ext_shared", "is_pending_ext_shared"])
def test_a_channel_shared_with_another_company_gets_the_alert_without_order_facts(
    slack: SlackServer, notifier: SlackNotifier, how: str
) -> None:
    setattr(slack.channels["C0123"], how, True)
    notifier.send(alert())
    assert "promised" not in shown(slack)
    assert "FBM" not in shown(slack)
    assert "402-1234567-1234567" in shown(slack)
    assert "I have it" in shown(slack)


@pytest.mark.parametrize("facts", [FACTS, {}], ids=["with facts", "where only the label is known"])
def test_a_label_that_comes_from_the_order_stays_out_of_a_shared_channel_too(
    slack: SlackServer, notifier: SlackNotifier, facts: dict[str, tuple[str, ...]]
) -> None:
    missed = make_facts(order_facts=facts, labels=(PROMISE_MISSED, "delivery"))
    notifier.send(make_delivery(missed, now=NOW))
    assert "delivery promise missed" in shown(slack)
    slack.channels["C0123"].is_ext_shared = True
    notifier.send(make_delivery(missed, now=NOW + KNOWN_FOR, reference="ref-0002"))
    assert "promise" not in shown(slack)
    assert "· delivery" in shown(slack)


def test_a_channel_of_several_workspaces_of_one_company_is_our_own(slack: SlackServer, notifier: SlackNotifier) -> None:
    slack.channels["C0123"].is_org_shared = True
    notifier.send(alert())
    assert TOLD in shown(slack)


@pytest.mark.parametrize("kind", ["error", "rate_limited", "drop_before"])
def test_where_slack_does_not_say_the_alert_goes_out_without_order_facts(
    slack: SlackServer, notifier: SlackNotifier, kind: FaultKind
) -> None:
    slack.faults.fail_next(INFO, kind, error="missing_scope")
    notifier.send(alert())
    assert "promised" not in shown(slack)

    notifier.send(alert(UNKNOWN_FOR, reference="ref-0002"))
    assert TOLD in shown(slack), "it is asked again after a while"


def test_slack_is_asked_once_an_hour_and_a_channel_shared_meanwhile_is_noticed(
    slack: SlackServer, notifier: SlackNotifier
) -> None:
    first = notifier.send(alert())
    notifier.send(alert(KNOWN_FOR - timedelta(seconds=1), reference="ref-0002"))
    assert len(slack.calls(INFO)) == 1

    slack.channels["C0123"].is_ext_shared = True
    assert first.post is not None
    notifier.send(alert(KNOWN_FOR, purpose=Purpose.UPDATE, post=first.post))
    assert len(slack.calls(INFO)) == 2
    assert "promised" not in str(slack.messages()[0]["blocks"])


def test_a_wall_clock_that_was_set_back_makes_slack_be_asked_again(slack: SlackServer, notifier: SlackNotifier) -> None:
    notifier.send(alert(timedelta(days=30)))
    slack.channels["C0123"].is_ext_shared = True
    notifier.send(alert(reference="ref-0002"))
    assert "promised" not in shown(slack)


def test_slack_is_not_asked_where_nothing_is_known_of_the_order(slack: SlackServer, notifier: SlackNotifier) -> None:
    notifier.send(make_delivery())
    assert slack.calls(INFO) == []


def test_a_person_is_told_by_direct_message(slack: SlackServer, notifier: SlackNotifier) -> None:
    receipt = notifier.send(alert(address="U0123", person="Ana"))
    assert receipt.post is not None
    assert TOLD in shown(slack, receipt.post.channel)
    notifier.send(alert(purpose=Purpose.UPDATE, address="U0123", post=receipt.post))
    assert slack.calls(INFO) == []


@pytest.mark.parametrize("answer", [{}, {"channel": None}, {"channel": {}}, {"channel": {"id": "C0123"}}])
def test_an_answer_that_does_not_say_counts_as_not_known(answer: dict[str, object]) -> None:
    assert parse_shared(answer) is None
