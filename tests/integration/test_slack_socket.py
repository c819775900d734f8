"""Slack's buttons over a real WebSocket, driven by the stand-in."""

import base64
import hashlib
import socket as socketlib
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta

import pytest

from alerts.core.model import Answer, AnswerKind, AnswerResult, Channel, Person, Purpose
from alerts.core.words import content
from alerts.notifiers.slack import SlackNotifier
from alerts.replies.slack_socket import SlackSocket
from tests.support.deliveries import NOW, make_delivery, make_facts
from tests.support.slack_server import SlackServer

ANA = Person(name="Ana", slack_user="U0123", language="fr", time_zone="Europe/Paris")


@dataclass
class Desk:
    """Takes answers as the jobs would: once per event id."""

    answers: list[Answer] = field(default_factory=list)
    rejected: list[str] = field(default_factory=list)
    proven: list[str] = field(default_factory=list)
    failures: int = 0
    changed: threading.Condition = field(default_factory=threading.Condition)

    def apply(self, answer: Answer) -> AnswerResult:
        with self.changed:
            if self.failures:
                self.failures -= 1
                raise RuntimeError("the database is busy")
            if any(known.event_id == answer.event_id for known in self.answers):
                return AnswerResult(accepted=False, text_key="repeated", by=answer.by)
            self.answers.append(answer)
            self.changed.notify_all()
        facts = make_facts(acknowledgement_expires_at=NOW + timedelta(minutes=46))
        return AnswerResult(accepted=True, text_key="acknowledged", threads=(facts,), by=answer.by)

    def reject(self, source: str) -> None:
        with self.changed:
            self.rejected.append(source)
            self.changed.notify_all()

    def prove(self, name: str) -> None:
        with self.changed:
            self.proven.append(name)
            self.changed.notify_all()

    def wait_for(self, condition: Callable[[], bool]) -> bool:
        with self.changed:
            return self.changed.wait_for(condition, 60)


@contextmanager
def listening(
    slack: SlackServer, desk: Desk, *allowed: str, connect: bool = True, ping_seconds: float = 5.0
) -> Iterator[SlackSocket]:
    socket = SlackSocket(
        app_token=slack.app_token,
        bot_token=slack.bot_token,
        api_url=slack.api_url,
        apply=desk.apply,
        utc_now=lambda: NOW,
        people=[ANA],
        allowed_users=allowed,
        on_rejected=desk.reject,
        on_proven=desk.prove,
        timeout_seconds=5,
        ping_seconds=ping_seconds,
        first_retry_seconds=0.05,
    )
    socket.start()
    try:
        if connect:
            assert slack.wait_for_socket()
        yield socket
    finally:
        socket.stop()
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("slack-socket")]


@pytest.fixture
def slack() -> Iterator[SlackServer]:
    with SlackServer(clock=lambda: NOW) as server:
        notifier = SlackNotifier(bot_token=server.bot_token, api_url=server.api_url)
        notifier.send(make_delivery())
        yield server


def test_a_press_becomes_an_answer_and_is_confirmed_to_the_one_who_pressed(slack: SlackServer) -> None:
    desk = Desk()
    with listening(slack, desk):
        envelope = slack.press("replyby_acknowledge")

        assert slack.wait_for_acknowledgement(envelope)
        assert slack.wait_for_ephemeral()
    answer = desk.answers[0]
    assert (answer.kind, answer.by, answer.thread_id, answer.clock_id) == (AnswerKind.ACKNOWLEDGE, "Ana", 11, 21)
    assert answer.at <= NOW
    said = slack.ephemerals[0]
    assert (said.channel, said.user) == ("C0123", "U0123")
    assert said.text == "OK Ana : 402-1234567-1234567 est à vous jusqu'à 03:24."


@pytest.mark.parametrize(
    ("action", "kind"),
    [("answered", AnswerKind.ANSWERED), ("waive", AnswerKind.WAIVE), ("snooze", AnswerKind.SNOOZE)],
)
def test_each_button_is_its_own_answer(slack: SlackServer, action: str, kind: AnswerKind) -> None:
    desk = Desk()
    with listening(slack, desk):
        slack.press(f"replyby_{action}")
        assert desk.wait_for(lambda: bool(desk.answers))
    assert desk.answers[0].kind is kind
    assert desk.answers[0].snooze_for == (timedelta(hours=1) if kind is AnswerKind.SNOOZE else None)


def test_an_envelope_that_comes_again_counts_once_and_is_acknowledged_each_time(slack: SlackServer) -> None:
    desk = Desk()
    with listening(slack, desk):
        envelope = slack.press("replyby_acknowledge", deliver=3)
        assert slack.wait_for_acknowledgement(envelope, times=3)
        slack.press("replyby_answered")
        assert desk.wait_for(lambda: len(desk.answers) == 2)
    assert [answer.kind for answer in desk.answers] == [AnswerKind.ACKNOWLEDGE, AnswerKind.ANSWERED]


def test_a_stranger_changes_nothing_and_is_counted(slack: SlackServer) -> None:
    desk = Desk()
    with listening(slack, desk) as socket:
        envelope = slack.press("replyby_waive", user="U0999")
        assert slack.wait_for_acknowledgement(envelope)
        assert slack.wait_for_ephemeral()
        assert socket.health.rejected == 1
    assert desk.answers == []
    assert desk.rejected == ["slack"]
    assert slack.ephemerals[0].user == "U0999"


def test_whoever_is_allowed_by_id_or_star_is_named_by_his_display_name(slack: SlackServer) -> None:
    desk = Desk()
    with listening(slack, desk, "*"):
        slack.press("replyby_acknowledge", user="U0456")
        assert desk.wait_for(lambda: bool(desk.answers))
    assert desk.answers[0].by == "Bo"


def test_a_list_of_allowed_users_shuts_out_everyone_else_even_the_configured(slack: SlackServer) -> None:
    desk = Desk()
    with listening(slack, desk, "U0456"):
        slack.press("replyby_acknowledge", user="U0123")
        assert desk.wait_for(lambda: bool(desk.rejected))
    assert desk.answers == []


def test_it_connects_again_when_slack_closes_asks_or_says_nonsense(slack: SlackServer) -> None:
    desk = Desk()
    with listening(slack, desk) as socket:
        slack.drop_sockets()
        assert _until(lambda: socket.health.connections == 2 and slack.connected_sockets == 1)
        slack.ask_to_reconnect()
        assert _until(lambda: socket.health.connections == 3 and slack.connected_sockets == 1)
        slack.send_raw("{ this is no JSON")
        slack.send_raw("[1, 2]")
        slack.send_envelope("events_api", {"event": {"type": "message"}})
        slack.press("replyby_acknowledge")
        assert desk.wait_for(lambda: bool(desk.answers))
        assert socket.health.connected
        assert socket.health.last_error is None


def test_socket_mode_switched_off_is_told_with_what_to_do(slack: SlackServer) -> None:
    with listening(slack, Desk()) as socket:
        slack.ask_to_reconnect("link_disabled")
        assert _until(lambda: socket.health.connections == 2)
        slack.faults.fail_next("apps.connections.open", "server_error", times=500)
        slack.ask_to_reconnect("link_disabled")
        assert _until(lambda: not socket.health.connected)
        assert socket.health.last_error


def test_the_first_connection_is_tried_until_it_stands(slack: SlackServer) -> None:
    desk = Desk()
    slack.faults.fail_next("apps.connections.open", "server_error")
    slack.faults.fail_next("apps.connections.open", "drop_before")
    slack.faults.fail_next("apps.connections.open", "error", error="invalid_auth")
    slack.faults.fail_next("apps.connections.open", "cut_after")
    slack.faults.fail_next("apps.connections.open", "html", status=200)
    with listening(slack, desk) as socket:
        assert _until(lambda: socket.health.connected)
    assert len(slack.calls("apps.connections.open")) == 6


def test_an_envelope_of_a_form_nobody_foresaw_ends_no_listening(slack: SlackServer) -> None:
    desk = Desk()
    with listening(slack, desk) as socket:
        for payload in (
            {"type": "block_actions", "user": "U0123", "actions": 7},
            {"type": "block_actions", "actions": [3]},
        ):
            assert _until(lambda: socket.health.connected)  # it has read the hello: what it counts next is the next one
            before = socket.health.connections
            slack.send_envelope("interactive", payload)
            assert _until(lambda before=before: socket.health.connections > before)  # type: ignore[misc]
            assert _until(lambda: slack.connected_sockets == 1)
        slack.press("replyby_acknowledge")
        assert desk.wait_for(lambda: bool(desk.answers))


def test_a_wrong_app_token_is_told_without_the_token() -> None:
    with SlackServer(clock=lambda: NOW) as slack:
        desk = Desk()
        right, slack.app_token = slack.app_token, "xapp-other"
        slack_token = SlackSocket(
            app_token=right,
            bot_token=slack.bot_token,
            api_url=slack.api_url,
            apply=desk.apply,
            utc_now=lambda: NOW,
            first_retry_seconds=0.05,
        )
        slack_token.start()
        try:
            assert _until(lambda: slack_token.health.last_error is not None)
        finally:
            slack_token.stop()
        error = slack_token.health.last_error or ""
        assert error == (
            "slack socket: invalid_auth. Set a valid [slack] app_token: it begins with xapp- and has the scope "
            "connections:write. It is tried again."
        )
        assert right not in error


def test_a_busy_database_is_asked_again_and_a_broken_one_is_told(slack: SlackServer) -> None:
    desk = Desk(failures=1)
    with listening(slack, desk):
        slack.press("replyby_acknowledge")
        assert slack.wait_for_ephemeral()
        desk.failures = 99
        slack.press("replyby_answered")
        assert slack.wait_for_ephemeral(2)
    assert len(desk.answers) == 1
    assert slack.ephemerals[1].text.startswith("Rien n'a changé")


def test_a_press_on_a_test_page_proves_the_person(slack: SlackServer) -> None:
    desk = Desk()
    notifier = SlackNotifier(bot_token=slack.bot_token, api_url=slack.api_url)
    notifier.send(
        make_delivery(
            purpose=Purpose.TEST, channel=Channel.SLACK, reference="ref-test", content=content.test(page=True)
        )
    )
    with listening(slack, desk):
        slack.press("replyby_acknowledge")
        assert desk.wait_for(lambda: bool(desk.proven))
    assert desk.proven == ["Ana"]
    assert desk.answers == []


def test_a_connection_that_shows_no_sign_of_life_is_given_up(slack: SlackServer) -> None:
    with socketlib.create_server(("127.0.0.1", 0)) as mute:
        threading.Thread(target=_greet_and_fall_silent, args=(mute,), daemon=True).start()
        real, slack.websocket_port = slack.websocket_port, mute.getsockname()[1]
        desk = Desk()
        with listening(slack, desk, connect=False, ping_seconds=0.1) as socket:
            assert _until(lambda: "no sign of life" in (socket.health.last_error or ""))
            slack.websocket_port = real
            assert slack.wait_for_socket()


def _greet_and_fall_silent(server: socketlib.socket) -> None:
    """Shake hands as a WebSocket server, say hello, and answer no ping: a network that lost the way back."""
    kept = []
    hello = b'{"type":"hello"}'
    while True:
        try:
            connection, _ = server.accept()
        except OSError:
            return
        kept.append(connection)
        request = b""
        while b"\r\n\r\n" not in request:
            request += connection.recv(4096)
        key = next(line for line in request.split(b"\r\n") if line.lower().startswith(b"sec-websocket-key")).split()[1]
        accept = base64.b64encode(hashlib.sha1(key + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest())
        head = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        connection.sendall(head + b"Sec-WebSocket-Accept: " + accept + b"\r\n\r\n")
        connection.sendall(bytes([0x81, len(hello)]) + hello)


def _until(condition: Callable[[], bool], seconds: float = 60.0) -> bool:
    """Wait for a condition with a bound; the event is never set, it only lets time pass between two looks."""
    pause = threading.Event()
    for _ in range(int(seconds / 0.02)):
        if condition():
            return True
        pause.wait(0.02)
    return condition()
