"""A stand-in for Slack on loopback: the Web API over HTTP, and Socket Mode over a real WebSocket.

It refuses what Slack refuses, keeps what was posted, and records every request. Nothing in it sleeps.

    with SlackServer() as slack:
        client = WebClient(token=slack.bot_token, base_url=slack.api_url, retry_handlers=[])
        client.chat_postMessage(channel="C0123", text="hello")
        assert slack.messages("C0123")[0]["text"] == "hello"
"""

import itertools
import json
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Self

from monitor.wallclock import utc_now
from tests.support.fault_server import Call, Fault, Faults, FaultServer, HttpAnswer, json_answer
from tests.support.slack_rules import message_error
from tests.support.slack_socket_side import SocketSide

SCOPES = (
    "chat:write",
    "channels:read",
    "channels:history",
    "groups:read",
    "groups:history",
    "im:write",
    "im:history",
    "users:read",
    "files:write",
)


@dataclass(slots=True)
class SlackChannel:
    """One channel. `posted` holds every message in order, replies in threads included."""

    id: str
    name: str
    is_member: bool = True
    is_archived: bool = False
    is_ext_shared: bool = False
    is_pending_ext_shared: bool = False
    is_org_shared: bool = False
    posted: list[dict[str, Any]] = field(default_factory=list)


@dataclass(slots=True)
class Ephemeral:
    """What only one person in a channel sees."""

    channel: str
    user: str
    text: str
    thread_ts: str | None


class SlackServer(SocketSide, FaultServer):
    """See the module. Everything public may be read and changed by a test while it runs.

    Attributes:
        channels: by id; "C0123" and "C0456" exist, "C0OUT" the bot is no member of, "C0OLD" is archived.
        users: display names by id. scopes: what `auth.test` says the token may do.
        ephemerals, files: what was said to one person; what was uploaded (id -> name, bytes, channel).
        frozen: `ts` of messages that refuse an edit, with the error they answer.
        hidden: `ts` that history does not show yet.
    """

    def __init__(
        self,
        *,
        bot_token: str = "xoxb-stand-in-bot",
        app_token: str = "xapp-stand-in-app",
        clock: Callable[[], datetime] = utc_now,
        faults: Faults | None = None,
    ) -> None:
        """Bind two free ports (HTTP and WebSocket); nothing is served before `start`."""
        super().__init__(clock=clock, faults=faults)
        self.bot_token = bot_token
        self.app_token = app_token
        self.scopes: tuple[str, ...] = SCOPES
        self.team = "Acme"
        self.channels = {
            "C0123": SlackChannel("C0123", "support"),
            "C0456": SlackChannel("C0456", "support-night"),
            "C0OUT": SlackChannel("C0OUT", "elsewhere", is_member=False),
            "C0OLD": SlackChannel("C0OLD", "old", is_archived=True),
        }
        self.users = {"U0123": "Ana", "U0456": "Bo", "U0999": "Stranger"}
        self.ephemerals: list[Ephemeral] = []
        self.files: dict[str, dict[str, Any]] = {}
        self.frozen: dict[str, str] = {}
        self.hidden: set[str] = set()
        self._last_ts = 0
        self._numbers = itertools.count(1)
        self.open_socket_side()

    @property
    def api_url(self) -> str:
        """What `[slack] api_url` has to say to reach it."""
        return f"{self.base_url}/api/"

    def start(self) -> Self:
        """Serve HTTP and WebSocket in threads."""
        super().start()
        self.start_socket_side()
        return self

    def stop(self) -> None:
        """Stop both."""
        self.stop_socket_side()
        super().stop()

    # What a test looks at --------------------------------------------------------------------------------------------

    def messages(self, channel: str = "C0123") -> list[dict[str, Any]]:
        """Return what stands in the channel itself, oldest first (replies in threads are not in it)."""
        with self.lock:
            return [dict(message) for message in self._channel_of(channel).posted if not _is_reply(message)]

    def replies(self, channel: str, ts: str) -> list[dict[str, Any]]:
        """Return the replies in one message's thread, oldest first."""
        with self.lock:
            posted = self._channel_of(channel).posted
            return [dict(message) for message in posted if _is_reply(message) and message["thread_ts"] == ts]

    def all_messages(self) -> list[dict[str, Any]]:
        """Return every message of every channel, replies included, in the order they were posted."""
        with self.lock:
            everything = [dict(message) for channel in self.channels.values() for message in channel.posted]
        return sorted(everything, key=lambda message: message["ts"])

    def references(self) -> list[str]:
        """Return the references in the metadata of every message that still stands, in order: to count doubles."""
        payloads = [message.get("metadata", {}).get("event_payload", {}) for message in self.all_messages()]
        return [str(payload["reference"]) for payload in payloads if "reference" in payload]

    def delete(self, channel: str, ts: str) -> None:
        """Take a message away, as a person in Slack would."""
        with self.lock:
            posted = self._channel_of(channel).posted
            posted[:] = [message for message in posted if message["ts"] != ts]

    # Buttons ---------------------------------------------------------------------------------------------------------

    def press(
        self, action_id: str, *, user: str = "U0123", channel: str = "C0123", ts: str | None = None, deliver: int = 1
    ) -> str:
        """Press the button of this action id on a message (default: the newest that has it); return the envelope's id.

        `deliver`: how many times the same envelope goes out (Slack repeats what is not acknowledged).
        """
        with self.lock:
            message = self._message_with(action_id, channel, ts)
            element = _element(message, action_id)
            assert element is not None
        payload = self._press_payload(element, message, user, channel)
        return self.send_envelope("interactive", payload, deliver=deliver)

    def _message_with(self, action_id: str, channel: str, ts: str | None) -> dict[str, Any]:
        posted: list[dict[str, Any]] = self._channel_of(channel).posted
        for message in posted[::-1]:
            if ts in (None, message["ts"]) and _element(message, action_id) is not None:
                return message
        raise AssertionError(f"no message in {channel} has a button {action_id!r}")

    def _press_payload(
        self, element: Mapping[str, Any], message: dict[str, Any], user: str, channel: str
    ) -> dict[str, Any]:
        action = {
            "type": "button",
            "action_id": element["action_id"],
            "block_id": element.get("block_id", "b"),
            "text": element["text"],
            "action_ts": self._next_ts(),
        }
        if "value" in element:
            action["value"] = element["value"]
        return {
            "type": "block_actions",
            "user": {"id": user, "username": self.users.get(user, user).lower(), "team_id": "T0STANDIN"},
            "api_app_id": "A0STANDIN",
            "token": "verification-token",
            "container": {"type": "message", "message_ts": message["ts"], "channel_id": channel, "is_ephemeral": False},
            "trigger_id": "1.2.3",
            "team": {"id": "T0STANDIN", "domain": "acme"},
            "channel": {"id": channel, "name": self._channel_of(channel).name},
            "message": message,
            "state": {"values": {}},
            "response_url": f"{self.base_url}/response/{uuid.uuid4().hex}",
            "actions": [action],
        }

    # The Web API -----------------------------------------------------------------------------------------------------

    def _route(self, verb: str, path: str) -> str:
        if path.startswith("/api/"):
            return path.removeprefix("/api/")
        return "upload" if path.startswith("/upload/") else path

    def _provider_error(self, fault: Fault) -> HttpAnswer:
        if fault.kind == "rate_limited":
            return json_answer({"ok": False, "error": "ratelimited"}, status=429)
        return json_answer({"ok": False, "error": fault.error}, status=fault.status or 200)

    def _answer(self, call: Call) -> HttpAnswer:
        if call.name == "upload":
            return self._upload(call)
        if call.name.startswith("/response/"):
            return json_answer({"ok": True})
        token = call.headers.get("authorization", "").removeprefix("Bearer ") or call.params.get("token", "")
        if not token:
            return _error("not_authed")
        expected = self.app_token if call.name == "apps.connections.open" else self.bot_token
        if token != expected:
            return _error("not_allowed_token_type" if token in (self.app_token, self.bot_token) else "invalid_auth")
        handlers: dict[str, Callable[[Mapping[str, Any]], HttpAnswer]] = {
            "auth.test": self._auth_test,
            "chat.postMessage": self._post_message,
            "chat.update": self._update_message,
            "chat.delete": self._delete_message,
            "chat.postEphemeral": self._post_ephemeral,
            "conversations.history": self._history,
            "conversations.replies": self._replies,
            "conversations.info": self._info,
            "conversations.list": self._list,
            "conversations.open": self._open,
            "users.list": self._users,
            "users.info": self._user,
            "files.getUploadURLExternal": self._get_upload_url,
            "files.completeUploadExternal": self._complete_upload,
            "apps.connections.open": self._open_socket,
        }
        handler = handlers.get(call.name)
        if handler is None:
            return _error("unknown_method")
        with self.lock:
            return handler(call.params)

    def _channel_of(self, channel_id: str) -> SlackChannel:
        if channel_id in self.users:  # a person's id stands for the direct message with them
            channel_id = "D" + channel_id[1:]
            self.channels.setdefault(channel_id, SlackChannel(channel_id, "direct"))
        return self.channels[channel_id]

    def _writable(self, channel_id: str) -> SlackChannel | HttpAnswer:
        try:
            channel = self._channel_of(channel_id)
        except KeyError:
            return _error("channel_not_found")
        if channel.is_archived:
            return _error("is_archived")
        return channel if channel.is_member else _error("not_in_channel")

    def _next_ts(self) -> str:
        # Slack's ts: seconds and a counter of six digits, unique and rising within the workspace.
        micros = int(self.clock().timestamp() * 1_000_000)
        with self.lock:
            self._last_ts = max(micros, self._last_ts + 1)
            return f"{self._last_ts // 1_000_000}.{self._last_ts % 1_000_000:06d}"

    def _post_message(self, params: Mapping[str, Any]) -> HttpAnswer:
        channel = self._writable(str(params.get("channel", "")))
        if isinstance(channel, HttpAnswer):
            return channel
        problem = message_error(params)
        if problem is not None:
            return _error(problem)
        thread_ts = params.get("thread_ts")
        if thread_ts and not any(message["ts"] == thread_ts for message in channel.posted):
            return _error("thread_not_found")
        message = _message(params, self._next_ts())
        channel.posted.append(message)
        return json_answer({"ok": True, "channel": channel.id, "ts": message["ts"], "message": message})

    def _update_message(self, params: Mapping[str, Any]) -> HttpAnswer:
        channel_id = str(params.get("channel", ""))
        if channel_id in self.users:
            return _error("channel_not_found")  # chat.update wants the D… id, not the person's
        channel = self._writable(channel_id)
        if isinstance(channel, HttpAnswer):
            return channel
        ts = str(params.get("ts", ""))
        if ts in self.frozen:
            return _error(self.frozen[ts])
        for index, message in enumerate(channel.posted):
            if message["ts"] != ts:
                continue
            problem = message_error(params)
            if problem is not None:
                return _error(problem)
            # An update without metadata keeps the old one; with it, replaces it.
            kept: dict[str, Any] = {key: message[key] for key in ("thread_ts", "metadata", "subtype") if key in message}
            channel.posted[index] = {**kept, **_message(params, ts), "edited": {"ts": self._next_ts()}}
            return json_answer({"ok": True, "channel": channel.id, "ts": ts, "text": params.get("text", "")})
        return _error("message_not_found")

    def _delete_message(self, params: Mapping[str, Any]) -> HttpAnswer:
        channel = self._writable(str(params.get("channel", "")))
        if isinstance(channel, HttpAnswer):
            return channel
        if not any(message["ts"] == params.get("ts") for message in channel.posted):
            return _error("message_not_found")
        self.delete(channel.id, str(params["ts"]))
        return json_answer({"ok": True, "channel": channel.id, "ts": params["ts"]})

    def _post_ephemeral(self, params: Mapping[str, Any]) -> HttpAnswer:
        channel = self._writable(str(params.get("channel", "")))
        if isinstance(channel, HttpAnswer):
            return channel
        if params.get("user") not in self.users:
            return _error("user_not_in_channel")
        problem = message_error(params)
        if problem is not None:
            return _error(problem)
        self.ephemerals.append(
            Ephemeral(channel.id, str(params["user"]), str(params.get("text", "")), params.get("thread_ts"))
        )
        self._changed.notify_all()
        return json_answer({"ok": True, "message_ts": self._next_ts()})

    def wait_for_ephemeral(self, count: int = 1, timeout: float = 60.0) -> bool:
        """Return whether this many ephemeral messages were posted, waiting at most `timeout` seconds."""
        with self._changed:
            return self._changed.wait_for(lambda: len(self.ephemerals) >= count, timeout)

    def _readable(self, params: Mapping[str, Any]) -> SlackChannel | HttpAnswer:
        channel_id = str(params.get("channel", ""))
        channel = self.channels.get(channel_id)
        if channel is None:
            return _error("channel_not_found")
        return channel if channel.is_member else _error("not_in_channel")

    def _page(self, found: list[dict[str, Any]], params: Mapping[str, Any]) -> HttpAnswer:
        shown = [message for message in found if message["ts"] not in self.hidden and _within(message, params)]
        if not _truth(params.get("include_all_metadata")):
            shown = [{key: value for key, value in message.items() if key != "metadata"} for message in shown]
        limit = min(int(params.get("limit") or 100), 999)
        start = int(params.get("cursor") or 0)
        more = start + limit < len(shown)
        return json_answer(
            {
                "ok": True,
                "messages": shown[start : start + limit],
                "has_more": more,
                "response_metadata": {"next_cursor": str(start + limit) if more else ""},
            }
        )

    def _history(self, params: Mapping[str, Any]) -> HttpAnswer:
        channel = self._readable(params)
        if isinstance(channel, HttpAnswer):
            return channel
        top = [
            message
            for message in channel.posted
            if not _is_reply(message) or message.get("subtype") == "thread_broadcast"
        ]
        return self._page(list(reversed(top)), params)  # newest first

    def _replies(self, params: Mapping[str, Any]) -> HttpAnswer:
        channel = self._readable(params)
        if isinstance(channel, HttpAnswer):
            return channel
        ts = params.get("ts")
        parent = [message for message in channel.posted if message["ts"] == ts]
        if not parent:
            return _error("thread_not_found")
        return self._page(parent + [m for m in channel.posted if _is_reply(m) and m["thread_ts"] == ts], params)

    def _describe(self, channel: SlackChannel) -> dict[str, Any]:
        return {
            "id": channel.id,
            "name": channel.name,
            "is_channel": channel.id.startswith("C"),
            "is_im": channel.id.startswith("D"),
            "is_member": channel.is_member,
            "is_archived": channel.is_archived,
            "is_shared": channel.is_ext_shared or channel.is_org_shared,
            "is_ext_shared": channel.is_ext_shared,
            "is_pending_ext_shared": channel.is_pending_ext_shared,
            "is_org_shared": channel.is_org_shared,
            "is_private": False,
        }

    def _info(self, params: Mapping[str, Any]) -> HttpAnswer:
        channel = self.channels.get(str(params.get("channel", "")))
        if channel is None:
            return _error("channel_not_found")
        return json_answer({"ok": True, "channel": self._describe(channel)})

    def _list(self, _: Mapping[str, Any]) -> HttpAnswer:
        public = [self._describe(channel) for channel in self.channels.values() if channel.id.startswith("C")]
        return json_answer({"ok": True, "channels": public, "response_metadata": {"next_cursor": ""}})

    def _open(self, params: Mapping[str, Any]) -> HttpAnswer:
        user = str(params.get("users", ""))
        if user not in self.users:
            return _error("user_not_found")
        return json_answer({"ok": True, "channel": {"id": self._channel_of(user).id}})

    def _member(self, user: str) -> dict[str, Any]:
        name = self.users[user]
        return {
            "id": user,
            "name": name.lower(),
            "real_name": name,
            "deleted": False,
            "is_bot": False,
            "profile": {"display_name": name, "real_name": name},
        }

    def _users(self, _: Mapping[str, Any]) -> HttpAnswer:
        members = [self._member(user) for user in self.users]
        return json_answer({"ok": True, "members": members, "response_metadata": {"next_cursor": ""}})

    def _user(self, params: Mapping[str, Any]) -> HttpAnswer:
        user = str(params.get("user", ""))
        if user not in self.users:
            return _error("user_not_found")
        return json_answer({"ok": True, "user": self._member(user)})

    def _auth_test(self, _: Mapping[str, Any]) -> HttpAnswer:
        return json_answer(
            {
                "ok": True,
                "url": "https://acme.slack.com/",
                "team": self.team,
                "user": "replyby",
                "team_id": "T0STANDIN",
                "user_id": "U0BOT",
                "bot_id": "B0BOT",
            },
            headers={"x-oauth-scopes": ",".join(self.scopes)},
        )

    def _get_upload_url(self, params: Mapping[str, Any]) -> HttpAnswer:
        if not params.get("filename") or int(params.get("length") or 0) <= 0:
            return _error("invalid_arguments")
        file_id = f"F{next(self._numbers):06d}"
        self.files[file_id] = {
            "name": params["filename"],
            "length": int(params["length"]),
            "data": b"",
            "channel": None,
        }
        return json_answer({"ok": True, "upload_url": f"{self.base_url}/upload/{file_id}", "file_id": file_id})

    def _upload(self, call: Call) -> HttpAnswer:
        with self.lock:
            file = self.files.get(call.path.rsplit("/", 1)[-1])
            if file is None:
                return HttpAnswer(status=404, body=b"no such upload", content_type="text/plain")
            file["data"] = call.body
        return HttpAnswer(body=f"OK - {len(call.body)}".encode(), content_type="text/plain")

    def _complete_upload(self, params: Mapping[str, Any]) -> HttpAnswer:
        wanted = json.loads(params.get("files", "[]"))
        if not wanted or any(item["id"] not in self.files for item in wanted):
            return _error("file_not_found")
        if any(len(self.files[item["id"]]["data"]) != self.files[item["id"]]["length"] for item in wanted):
            return _error("file_update_failed")
        shown = []
        for item in wanted:
            self.files[item["id"]]["channel"] = params.get("channel_id")
            shown.append({"id": item["id"], "title": item.get("title"), "name": self.files[item["id"]]["name"]})
        if params.get("channel_id"):
            channel = self._writable(str(params["channel_id"]))
            if isinstance(channel, HttpAnswer):
                return channel
            text = str(params.get("initial_comment") or "")
            message: dict[str, Any] = {"type": "message", "text": text, "files": shown, "ts": self._next_ts()}
            if params.get("thread_ts"):
                message["thread_ts"] = params["thread_ts"]
            channel.posted.append(message)
        return json_answer({"ok": True, "files": shown})

    def _open_socket(self, _: Mapping[str, Any]) -> HttpAnswer:
        ticket = uuid.uuid4().hex
        self.tickets.add(ticket)
        return json_answer({"ok": True, "url": f"ws://127.0.0.1:{self.websocket_port}/link/?ticket={ticket}"})


def _error(name: str) -> HttpAnswer:
    return json_answer({"ok": False, "error": name})


def _is_reply(message: Mapping[str, Any]) -> bool:
    return "thread_ts" in message and message["thread_ts"] != message["ts"]


def _truth(value: Any) -> bool:
    return str(value).lower() in ("1", "true")


def _message(params: Mapping[str, Any], ts: str) -> dict[str, Any]:
    message: dict[str, Any] = {"type": "message", "user": "U0BOT", "bot_id": "B0BOT", "ts": ts}
    message["text"] = params.get("text", "")
    for key in ("blocks", "metadata", "attachments"):
        if params.get(key) is not None:
            message[key] = json.loads(params[key]) if isinstance(params[key], str) else params[key]
    for key in ("thread_ts", "unfurl_links", "unfurl_media"):
        if params.get(key) is not None:
            message[key] = params[key]
    if _truth(params.get("reply_broadcast")) and "thread_ts" in message:
        message["subtype"] = "thread_broadcast"
    return message


def _within(message: Mapping[str, Any], params: Mapping[str, Any]) -> bool:
    ts = float(message["ts"])
    oldest, latest = params.get("oldest"), params.get("latest")
    inclusive = _truth(params.get("inclusive"))
    if oldest and (ts < float(oldest) or (ts == float(oldest) and not inclusive)):
        return False
    return not (latest and (ts > float(latest) or (ts == float(latest) and not inclusive)))


def _element(message: Mapping[str, Any], action_id: str) -> dict[str, Any] | None:
    for block in message.get("blocks", []):
        for element in [*block.get("elements", []), block.get("accessory") or {}]:
            if isinstance(element, dict) and element.get("action_id") == action_id:
                return element
    return None
