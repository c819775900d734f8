"""Erasing what was said about somebody: Slack's messages are deleted, the texts of SMS emptied at Twilio.

Owns what each provider can take back. Calls and mails cannot be: whoever asked is told so, with where they went.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError
from twilio.rest import Client

from alerts.core.model import Channel
from alerts.errors import DeliveryError
from alerts.notifiers.slack import CALL_FAILURES, slack_error
from alerts.notifiers.twilio_api import CALL_ERRORS, twilio_error

_GONE: Final = frozenset({"message_not_found", "channel_not_found", "thread_not_found"})
_EMPTY: Final = "(erased)"
_UNERASABLE: Final[Mapping[str, str]] = {
    Channel.VOICE: "a call: Twilio keeps its time and number, no words",
    Channel.EMAIL: "an e-mail: delete it where it arrived",
    Channel.WEBHOOK: "a webhook: delete it where it arrived",
    Channel.CONSOLE: "printed on the worker's terminal",
}


class SlackEraser:
    """Deletes messages of our own, wherever of the known channels they stand."""

    def __init__(self, client: WebClient, channels: Collection[str], *, secret: str) -> None:
        """Keep the client; `channels` are tried for a message of which only the number is known."""
        self._client = client
        self._channels = tuple(dict.fromkeys(channels))
        self._secret = secret

    def erase(self, one: Mapping[str, Any], places: Collection[str]) -> str | None:
        """Delete one message; return None, or in a line why it stands."""
        channels = [one["post"]] if one["post"] else [*places, *self._channels]
        for channel in dict.fromkeys(channels):
            try:
                self._delete(channel, str(one["provider_id"]))
            except SlackApiError as problem:
                if _name(problem) not in _GONE:
                    return f"{slack_error('slack', problem, secret=self._secret)} Message {one['provider_id']} in {channel}."
            except CALL_FAILURES as problem:
                return (
                    f"{slack_error('slack', problem, secret=self._secret)} Message {one['provider_id']} in {channel}."
                )
            else:
                return None
        return None  # gone already

    def _delete(self, channel: str, message: str) -> None:
        try:
            self._client.api_call("chat.delete", json={"channel": channel, "ts": message})
        except SlackApiError as problem:
            if _name(problem) != "cant_delete_message":
                raise
            # A workspace may forbid deleting; then the words go, and the empty message stays.
            self._client.api_call("chat.update", json={"channel": channel, "ts": message, "text": _EMPTY, "blocks": []})


class SmsEraser:
    """Empties the texts of messages at Twilio; that they were sent, when and to whom stays in its records."""

    def __init__(self, client: Client, *, secrets: tuple[str, ...]) -> None:
        """Keep the client."""
        self._client = client
        self._secrets = secrets

    def erase(self, one: Mapping[str, Any], now: Any) -> str | None:
        """Empty one message; return None, or in a line why its text stands."""
        try:
            self._client.messages(str(one["provider_id"])).update(body="")
        except CALL_ERRORS as problem:
            error = twilio_error("twilio", problem, now, secrets=self._secrets)
            return None if _is_gone(error) else f"{error} Message {one['provider_id']}."
        return None


def erase_messages(
    standing: Sequence[Mapping[str, Any]], slack: SlackEraser | None, sms: SmsEraser | None, now: Any
) -> list[str]:
    """Erase what can be and return, in a line each, what stands and why."""
    left: list[str] = []
    places = list(dict.fromkeys(one["post"] for one in standing if one["post"]))
    # Replies before what they hang on: Slack keeps a deleted message's thread.
    for one in sorted(standing, key=lambda one: one["post"] is not None):
        if one["channel"] == Channel.SLACK and slack is not None:
            problem = slack.erase(one, places)
        elif one["channel"] == Channel.SMS and sms is not None:
            problem = sms.erase(one, now)
        else:
            what = _UNERASABLE.get(one["channel"], "sent by a channel that is no longer configured")
            problem = f"{one['channel']}{_whom(one)}: {what}."
        if problem is not None:
            left.append(problem)
    return left


def _whom(one: Mapping[str, Any]) -> str:
    return f" to {one['person']}" if one["person"] else ""


def _name(problem: SlackApiError) -> str:
    data = getattr(problem.response, "data", None)
    return str(data.get("error") or "") if isinstance(data, dict) else ""


def _is_gone(error: DeliveryError) -> bool:
    return error.reason.value == "gone" or "20404" in str(error)
