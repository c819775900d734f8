"""Slack's buttons by Socket Mode: a WebSocket that we open, so that no public address is needed.

An envelope is acknowledged before anything else (Slack repeats it after 3 s), then done by a worker thread. The message
itself is redrawn by the outbox; here the one who pressed is told at once, and only he.
"""

import contextlib
import json
import queue
import threading
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import structlog
import websocket
from slack_sdk.socket_mode.request import SocketModeRequest
from slack_sdk.socket_mode.response import SocketModeResponse

from alerts.core.model import Answer, AnswerKind, AnswerResult, Person
from alerts.core.words.answers import render_answer
from alerts.core.words.catalog import clean
from alerts.core.words.slack import ACTION_PREFIX, SNOOZE_FOR, escape
from alerts.errors import DeliveryError
from alerts.notifiers.http import DEFAULT_TIMEOUT_SECONDS, network_error, redact
from alerts.notifiers.slack import CALL_FAILURES, build_client, slack_error
from alerts.replies.people import Apply, Rejected, Speaker, WallClock, by_slack_user, may_press

log = structlog.get_logger(__name__)

SOURCE: Final = "slack"
PING_SECONDS: Final = 15.0  # no sign of life for two of these: the connection is dead, whatever TCP thinks
FIRST_RETRY_SECONDS: Final = 1.0
LONGEST_RETRY_SECONDS: Final = 60.0
REFRESH_AFTER: Final = timedelta(seconds=10)  # a connection that stood so long may be renewed at once
_APPLY_TRIES: Final = 3
_REMEMBERED: Final = 2000
_KINDS: Final = {f"{ACTION_PREFIX}{kind.value}": kind for kind in AnswerKind}


@dataclass(frozen=True, slots=True)
class SocketHealth:
    """How the connection is: `last_error` is None while it stands; `rejected` counts presses of people not allowed."""

    connected: bool = False
    connected_at: datetime | None = None
    last_error: str | None = None
    connections: int = 0
    presses: int = 0
    rejected: int = 0


@dataclass(frozen=True, slots=True)
class Press:
    """One button pressed, as Slack tells it."""

    event_id: str
    kind: AnswerKind
    value: str
    user: str
    channel: str
    at: datetime


class _Closed(Exception):
    """The connection ended; the text says why."""


class _Refresh(_Closed):
    """Slack renews its connections every few hours: no trouble, and no reason to wait."""


class SlackSocket:
    """Keeps one Socket Mode connection, by itself, from `start` to `stop`."""

    def __init__(
        self,
        *,
        app_token: str,
        bot_token: str,
        apply: Apply,
        utc_now: WallClock,
        people: Iterable[Person] = (),
        allowed_users: Iterable[str] = (),
        on_rejected: Rejected | None = None,
        on_proven: Rejected | None = None,
        api_url: str = "https://slack.com/api/",
        timeout_seconds: float = DEFAULT_TIMEOUT_SECONDS,
        ping_seconds: float = PING_SECONDS,
        first_retry_seconds: float = FIRST_RETRY_SECONDS,
    ) -> None:
        """Keep the settings; connects to nothing.

        Args:
            apply: does what was pressed; an exception means that it was not taken.
            allowed_users: Slack ids; ("*",): everyone in the channel; empty: `people`.
            on_rejected: told the source of each press that does not count.
            on_proven: told the name of a person who pressed the button of a test page.
        """
        self._app_token, self._bot_token = app_token, bot_token
        self._apply, self._utc_now = apply, utc_now
        self._people = by_slack_user(people)
        self._allowed = frozenset(allowed_users)
        self._on_rejected, self._on_proven = on_rejected, on_proven
        self._client = build_client(bot_token, api_url, timeout_seconds)
        self._timeout, self._ping, self._first_retry = timeout_seconds, ping_seconds, first_retry_seconds
        self._names: dict[str, str] = {}
        self._seen: OrderedDict[str, None] = OrderedDict()
        self._presses: queue.Queue[Press | None] = queue.Queue()
        self._stopping = threading.Event()
        self._health = SocketHealth()
        self._lock = threading.Lock()
        self._socket: websocket.WebSocket | None = None
        self._threads: list[threading.Thread] = []

    @property
    def health(self) -> SocketHealth:
        """How the connection is now."""
        with self._lock:
            return self._health

    def start(self) -> None:
        """Connect, and connect again whenever it breaks, in threads of its own; returns at once."""
        for target in (self._keep_connected, self._work):
            thread = threading.Thread(target=target, name=f"slack-socket{target.__name__}", daemon=True)
            self._threads.append(thread)
            thread.start()

    def stop(self, timeout_seconds: float = 5.0) -> None:
        """Close the connection, finish what was pressed, end the threads; waits at most `timeout_seconds` for each."""
        self._stopping.set()
        self._presses.put(None)
        with self._lock:
            connection = self._socket
        if connection is not None:
            with contextlib.suppress(OSError, websocket.WebSocketException):
                connection.abort()  # type: ignore[no-untyped-call]
        for thread in self._threads:
            thread.join(timeout_seconds)
        self._threads.clear()

    # The connection --------------------------------------------------------------------------------------------------

    def _keep_connected(self) -> None:
        wait = self._first_retry
        while not self._stopping.is_set():
            before = self.health.connections
            try:
                self._session(self._open())
                reason = "closed"
            except _Refresh:
                connected_at = self.health.connected_at
                if connected_at is not None and self._utc_now() - connected_at > REFRESH_AFTER:
                    log.info("slack_socket_renewed")
                    continue
                reason = "Slack asks to reconnect again and again"
            except _Closed as closed:
                reason = str(closed)
            except DeliveryError as problem:
                reason = str(problem)
            except (OSError, websocket.WebSocketException) as problem:
                reason = str(network_error("slack socket", problem))
            except Exception as problem:
                # Whatever it is, the thread must go on: without it no button would be heard until the next start.
                log.exception("slack_socket_broke")
                reason = type(problem).__name__
            if self._stopping.is_set():
                return
            if self.health.connections > before:
                wait = self._first_retry  # it stood: whatever broke it is new
            self._note(connected=False, last_error=reason)
            log.warning("slack_socket_closed", reason=reason, again_in_seconds=wait)
            self._stopping.wait(wait)
            wait = min(wait * 2, LONGEST_RETRY_SECONDS)

    def _open(self) -> websocket.WebSocket:
        try:
            answer: Any = self._client.apps_connections_open(app_token=self._app_token).data
            address = str(answer["url"])
        except (*CALL_FAILURES, KeyError, TypeError) as problem:
            raise slack_error("slack socket", problem, secret=self._app_token, of_app_token=True) from None
        connection = websocket.create_connection(address, timeout=self._timeout, enable_multithread=True)
        connection.settimeout(self._ping)
        with self._lock:
            self._socket = connection
        return connection

    def _session(self, connection: websocket.WebSocket) -> None:
        """Read until the connection ends."""
        asked = False
        try:
            while not self._stopping.is_set():
                try:
                    opcode, data = connection.recv_data(control_frame=True)
                except websocket.WebSocketTimeoutException:
                    if asked:
                        raise _Closed("no sign of life. It is opened again.") from None
                    connection.ping()
                    asked = True
                    continue
                asked = False
                if opcode == websocket.ABNF.OPCODE_CLOSE:
                    raise _Closed("closed by Slack. It is opened again.")
                if opcode == websocket.ABNF.OPCODE_TEXT:
                    self._receive(connection, data)
        finally:
            with self._lock:
                self._socket = None
            with contextlib.suppress(OSError, websocket.WebSocketException):
                connection.close(timeout=1)

    def _receive(self, connection: websocket.WebSocket, data: bytes) -> None:
        try:
            message = json.loads(data)
        except ValueError:
            log.warning("slack_socket_garbage", length=len(data))
            return
        if not isinstance(message, dict):
            return
        kind = message.get("type")
        if kind == "hello":
            now = self._utc_now()
            self._note(connected=True, connected_at=now, last_error=None, connections=self.health.connections + 1)
            log.info("slack_socket_connected")
        elif kind == "disconnect":
            reason = clean(str(message.get("reason") or "?"), 40)
            if reason == "link_disabled":
                raise _Closed("Socket Mode is switched off. Switch it on in the app's settings.")
            raise _Refresh(reason)
        else:
            request = SocketModeRequest.from_dict(message)
            if request is None or not request.envelope_id:
                return
            connection.send(json.dumps(SocketModeResponse(envelope_id=request.envelope_id).to_dict()))
            if request.type == "interactive":
                for press in presses_of(request.payload, self._utc_now()):
                    self._presses.put(press)

    def _note(self, **changes: Any) -> None:
        with self._lock:
            self._health = replace(self._health, **changes)

    # The presses -----------------------------------------------------------------------------------------------------

    def _work(self) -> None:
        while True:
            press = self._presses.get()
            if press is None:
                return
            try:
                self._handle(press)
            except Exception:  # the thread must outlive one press; it is our bug, and told with its traceback
                log.exception("slack_press_failed", kind=press.kind.value)

    def _handle(self, press: Press) -> None:
        if press.event_id in self._seen:
            return
        self._seen[press.event_id] = None
        if len(self._seen) > _REMEMBERED:
            self._seen.popitem(last=False)
        speaker = self._people.get(press.user)
        if not may_press(press.user, self._allowed, self._people):
            self._note(rejected=self.health.rejected + 1)
            log.warning("slack_press_rejected", kind=press.kind.value)
            if self._on_rejected is not None:
                self._on_rejected(SOURCE)
            self._say(press, speaker or Speaker("?"), AnswerResult(accepted=False, text_key="not_allowed"))
            return
        self._note(presses=self.health.presses + 1)
        speaker = speaker or Speaker(self._name_of(press.user))
        if press.value == "test":
            if self._on_proven is not None:
                self._on_proven(speaker.name)
            self._say(press, speaker, AnswerResult(accepted=True, text_key="proven", by=speaker.name))
            return
        answer = answer_of(press, speaker.name)
        if answer is None:
            log.warning("slack_press_unreadable", kind=press.kind.value)
            return
        self._say(press, speaker, self._apply_or_apologise(answer))

    def _apply_or_apologise(self, answer: Answer) -> AnswerResult:
        """The envelope is acknowledged, so Slack does not repeat it: a database that is busy is asked again here."""
        for tries in range(1, _APPLY_TRIES + 1):
            try:
                return self._apply(answer)
            except Exception as problem:  # noqa: BLE001 - whatever it is, the person must hear that it did not count
                log.warning("slack_answer_failed", tries=tries, problem=type(problem).__name__)
                if tries < _APPLY_TRIES:
                    self._stopping.wait(0.5 * tries)
        return AnswerResult(accepted=False, text_key="failed", by=answer.by)

    def _say(self, press: Press, speaker: Speaker, result: AnswerResult) -> None:
        text = render_answer(speaker.words(), result, self._utc_now())
        if not text:
            return
        try:
            self._client.chat_postEphemeral(channel=press.channel, user=press.user, text=escape(text))
        except CALL_FAILURES as problem:
            # The press counted; the redrawn message shows it as well.
            log.warning("slack_word_not_said", error=redact(str(slack_error("slack", problem)), [self._bot_token]))

    def _name_of(self, user: str) -> str:
        """The display name of somebody whom the configuration does not know (allowed by id or "*")."""
        if user not in self._names:
            try:
                found: Any = self._client.users_info(user=user).data
                profile = found["user"].get("profile") or {}
                name = profile.get("display_name") or profile.get("real_name") or user
            except (*CALL_FAILURES, KeyError, TypeError):
                return user  # without the scope users:read; asked again next time
            self._names[user] = clean(str(name), 40)
        return self._names[user]


def presses_of(payload: Any, now: datetime) -> list[Press]:
    """Return the presses of our own buttons in an interactive payload; links that only open a page are none."""
    if not isinstance(payload, dict) or payload.get("type") != "block_actions":
        return []
    user = str((payload.get("user") or {}).get("id") or "")
    container = payload.get("container") or {}
    channel = str((payload.get("channel") or {}).get("id") or container.get("channel_id") or "")
    found = []
    for action in payload.get("actions") or []:
        kind = _KINDS.get(str(action.get("action_id") or ""))
        if kind is None or not user:
            continue
        stamp = str(action.get("action_ts") or "")
        # Not the envelope's id: a repeated envelope and a second delivery of one press are the same press.
        event_id = f"slack:{container.get('message_ts')}:{stamp}:{user}:{kind.value}"
        value = str(action.get("value") or "")
        found.append(Press(event_id, kind, value, user, channel, _instant_of(stamp, now)))
    return found


def answer_of(press: Press, by: str) -> Answer | None:
    """Return the answer that a press stands for, or None when its value is not one of ours."""
    thread, _, clock = press.value.partition(".")
    if not thread.isdecimal() or (clock and not clock.isdecimal()):
        return None
    return Answer(
        event_id=press.event_id,
        kind=press.kind,
        by=by,
        at=press.at,
        source=SOURCE,
        thread_id=int(thread),
        clock_id=int(clock) if clock else None,
        snooze_for=SNOOZE_FOR if press.kind is AnswerKind.SNOOZE else None,
    )


def _instant_of(stamp: str, now: datetime) -> datetime:
    """When it was pressed, by Slack's clock; never later than ours says it is."""
    try:
        return min(datetime.fromtimestamp(float(stamp), UTC), now)
    except (ValueError, OverflowError, OSError):
        return now
