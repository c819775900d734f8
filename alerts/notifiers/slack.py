"""Slack: one message a thread and channel for its whole life, changed in place; what must ring again rings in its thread.

The reference travels as message metadata, by which `find` recognises a message whose answer was lost.
"""

import http.client
import logging
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError, SlackRequestError

from alerts.core.model import LABELS_OF_ORDERS, Channel, Delivery, Post, Purpose, Receipt
from alerts.core.words.render import render_or_facts
from alerts.core.words.slack import SlackMessage, bare_message, render_message
from alerts.errors import DeliveryError, Reason
from alerts.notifiers.http import (
    DEFAULT_TIMEOUT_SECONDS,
    bad_answer,
    network_error,
    redact,
    retry_after_of,
    status_error,
)
from alerts.notifiers.slack_rooms import SharedRooms

EVENT_TYPE: Final = "replyby_notification"
# Our clock and Slack's may differ; the reference is unique, so a wide look back costs nothing but a page of history.
LOOK_BACK: Final = timedelta(minutes=15)
_PAGES: Final = 5
_PAGE_SIZE: Final = 200

# The message cannot be changed any more: a new one takes its place.
MESSAGE_GONE: Final = frozenset(
    {"message_not_found", "cant_update_message", "edit_window_closed", "thread_not_found", "message_is_deleted"}
)
_BAD_BLOCKS: Final = frozenset({"invalid_blocks", "invalid_blocks_format", "msg_blocks_too_long", "invalid_arguments"})
_BAD_CREDENTIALS: Final = {
    "not_authed": "Set [slack] bot_token.",
    "invalid_auth": "Set a valid [slack] bot_token.",
    "account_inactive": "The app was removed; install it again and set its new [slack] bot_token.",
    "token_revoked": "Install the app again and set its new [slack] bot_token.",
    "token_expired": "Set a new [slack] bot_token.",
    "missing_scope": "Add the scope to the app and install it again; `replyby check-config --connect` names it.",
    "not_allowed_token_type": "[slack] bot_token begins with xoxb-.",
    "no_permission": "Let the app post here.",
    "access_denied": "Let the app post here.",
    "ekm_access_denied": "Ask the workspace's administrator.",
    "org_login_required": "Ask the workspace's administrator.",
    "team_access_not_granted": "Install the app in this workspace.",
}
_APP_ADVICE: Final = "Set a valid [slack] app_token: it begins with xapp- and has the scope connections:write."
_BAD_ADDRESS: Final = {
    "channel_not_found": "Check the channel's id; a private channel is not found before the app is invited.",
    "not_in_channel": "Invite the app: /invite @ReplyBy.",
    "is_archived": "The channel is archived; name another one.",
    "user_not_found": "Check slack_user.",
    "user_disabled": "This person left; take them out of the configuration.",
    "cannot_dm_bot": "slack_user is a bot; name a person.",
    "messages_tab_disabled": "Switch the app's messages tab on.",
}
CALL_FAILURES: Final = (SlackApiError, SlackRequestError, OSError, http.client.HTTPException, ValueError)
"""What a call of the SDK raises: its own, the network's, an answer cut in the middle, and one that is not JSON."""
_RATE_LIMITED: Final = frozenset({"ratelimited", "rate_limited", "message_limit_exceeded"})
_SERVER: Final = frozenset(
    {"internal_error", "fatal_error", "service_unavailable", "request_timeout", "team_added_to_org"}
)


class SlackNotifier:
    """Posts and updates by the Web API; safe to call from several threads (the SDK's client keeps no connection)."""

    def __init__(
        self,
        *,
        bot_token: str,
        api_url: str = "https://slack.com/api/",
        timeout_seconds: float = DEFAULT_TIMEOUT_SECONDS,
    ) -> None:
        """Build the client; connects to nothing."""
        self._token = bot_token
        self._client = build_client(bot_token, api_url, timeout_seconds)
        self._rooms = SharedRooms(lambda room: self._call(f"slack channel {room}", "conversations.info", channel=room))

    @property
    def channel(self) -> Channel:
        """Slack."""
        return Channel.SLACK

    def send(self, delivery: Delivery) -> Receipt:
        """Post, or change in place and ring in the thread, as the purpose asks.

        Raises:
            DeliveryError: see `Notifier.send`.
        """
        delivery = self._discreet(delivery)
        rendered = render_or_facts(delivery, render_message, bare_message)
        message, where = rendered.value, _where(delivery)
        detail = rendered.trouble
        if delivery.post is not None and delivery.purpose in _IN_PLACE:
            receipt = self._change(delivery, delivery.post, message, where)
            if receipt is not None:
                return _with_detail(receipt, detail)
            if delivery.purpose is Purpose.UPDATE:
                # Nothing to redraw, and a redrawing rings nobody: the next alert posts anew.
                return Receipt(provider_id="", detail="the message is gone; nothing to redraw")
        elif delivery.purpose is Purpose.UPDATE:
            return Receipt(provider_id="", detail="no message stands in this channel; nothing to redraw")
        answer = self._post(delivery, message, where)
        post = Post(channel=str(answer["channel"]), message=str(answer["ts"]))
        if delivery.purpose is Purpose.REPORT:
            detail = "; ".join(part for part in (detail, self._upload(delivery, post)) if part)
        return Receipt(provider_id=post.message, post=post, detail=detail)

    def find(self, delivery: Delivery) -> Receipt | None:
        """Return the receipt of the message that carries this reference, in the channel or in the post's thread.

        Raises:
            DeliveryError: see `Notifier.find`.
        """
        if delivery.purpose is Purpose.UPDATE:
            return None  # doing it twice is doing it once
        where = _where(delivery)
        started = (delivery.attempted_at or delivery.now) - LOOK_BACK
        oldest = f"{started.timestamp():.6f}"
        room = delivery.post.channel if delivery.post is not None else delivery.address
        if room.startswith(("U", "W")):  # a person's id: history wants the direct message's own
            room = str(self._call(where, "conversations.open", users=room)["channel"]["id"])
        if delivery.post is not None:
            ours = self._search(
                where, "conversations.replies", delivery.reference, room, oldest, ts=delivery.post.message
            )
            if ours is not None:
                return Receipt(provider_id=str(ours["ts"]), post=delivery.post, detail="found in its thread")
        ours = self._search(where, "conversations.history", delivery.reference, room, oldest)
        if ours is None:
            return None
        post = Post(channel=room, message=str(ours.get("thread_ts") or ours["ts"]))
        return Receipt(provider_id=str(ours["ts"]), post=post, detail="found in the channel")

    def check(self, receipt: Receipt) -> str | None:
        """Return "delivered": what Slack accepts stands in the channel."""
        return "delivered" if receipt.provider_id else None

    def _discreet(self, delivery: Delivery) -> Delivery:
        """Return the delivery without order facts where people of another company may read it."""
        bare = tuple(
            replace(
                facts, order_facts={}, labels=tuple(label for label in facts.labels if label not in LABELS_OF_ORDERS)
            )
            for facts in delivery.threads
        )
        if delivery.external or bare == delivery.threads:
            return delivery
        if not self._rooms.may_be_shared(delivery.address, delivery.now):
            return delivery
        return replace(delivery, threads=bare)

    def _change(self, delivery: Delivery, post: Post, message: SlackMessage, where: str) -> Receipt | None:
        """Redraw the thread's message and ring in its thread where the purpose rings; None: it is gone."""
        try:
            self._update(where, post, message)
            if delivery.purpose not in _RINGS:
                return Receipt(provider_id=post.message, post=post)
            answer = self._call(
                where,
                "chat.postMessage",
                channel=post.channel,
                thread_ts=post.message,
                reply_broadcast=True,
                text=message.ring or message.text,
                metadata=_metadata(delivery),
                unfurl_links=False,
                unfurl_media=False,
            )
        except _SlackError as problem:
            if problem.name in MESSAGE_GONE:
                return None
            raise
        return Receipt(provider_id=str(answer["ts"]), post=post)

    def _update(self, where: str, post: Post, message: SlackMessage) -> None:
        place = {"channel": post.channel, "ts": post.message}
        try:
            self._call(where, "chat.update", **place, text=message.text, blocks=list(message.blocks))
        except _SlackError as problem:
            if problem.name not in _BAD_BLOCKS or not message.blocks:
                raise
            self._call(where, "chat.update", **place, text=message.text, blocks=[])

    def _post(self, delivery: Delivery, message: SlackMessage, where: str) -> Mapping[str, Any]:
        body: dict[str, Any] = {
            "channel": delivery.address,
            "text": message.text,
            "metadata": _metadata(delivery),
            "unfurl_links": False,
            "unfurl_media": False,
        }
        if message.blocks:
            body["blocks"] = list(message.blocks)
        try:
            return self._call(where, "chat.postMessage", **body)
        except _SlackError as problem:
            if problem.name not in _BAD_BLOCKS or "blocks" not in body:
                raise
            # Refused for its layout, so certainly not posted: the words alone still reach the reader.
            del body["blocks"]
            return self._call(where, "chat.postMessage", **body)

    def _upload(self, delivery: Delivery, post: Post) -> str:
        """Put the report's pictures into its thread; return what went wrong: the report itself has arrived."""
        files, trouble = [], []
        for image in delivery.content.get("images", []):
            path = Path(str(image["path"]))
            try:
                files.append(
                    {
                        "content": path.read_bytes(),
                        "filename": path.name,
                        "title": str(image.get("title") or path.stem),
                        "alt_txt": str(image.get("alt") or image.get("title") or path.stem)[:1000],
                    }
                )
            except OSError as problem:
                trouble.append(f"picture {path.name} not read: {problem.strerror}")
        if files:
            try:
                self._client.files_upload_v2(file_uploads=files, channel=post.channel, thread_ts=post.message)
            except CALL_FAILURES as problem:
                trouble.append(f"pictures not uploaded: {self._error('slack', problem)}")
        return "; ".join(trouble)

    def _search(
        self, where: str, method: str, reference: str, room: str, oldest: str, **more: str
    ) -> Mapping[str, Any] | None:
        try:
            for message in self._messages(where, method, room, oldest, more):
                payload = (message.get("metadata") or {}).get("event_payload") or {}
                if payload.get("reference") == reference:
                    return message
        except _SlackError as problem:
            if problem.name != "thread_not_found":
                raise
        return None

    def _messages(
        self, where: str, method: str, room: str, oldest: str, more: Mapping[str, str]
    ) -> Iterator[Mapping[str, Any]]:
        cursor = ""
        for _ in range(_PAGES):
            asked = {"channel": room, "oldest": oldest, "include_all_metadata": True, "limit": _PAGE_SIZE, **more}
            if cursor:
                asked["cursor"] = cursor
            answer = self._call(where, method, **asked)
            yield from answer.get("messages") or []
            cursor = str((answer.get("response_metadata") or {}).get("next_cursor") or "")
            if not cursor:
                return
        text = f"{where}: more than {_PAGES * _PAGE_SIZE} messages since the attempt, not all searched. It counts as unknown."
        raise DeliveryError(text, retryable=False, reason=Reason.BAD_ANSWER)

    def _call(self, where: str, method: str, **params: Any) -> Mapping[str, Any]:
        try:
            # Reading methods take a form only; writing ones take JSON, which blocks and metadata need.
            if method.startswith("conversations."):
                response = self._client.api_call(method, params=params)
            else:
                response = self._client.api_call(method, json=params)
        except CALL_FAILURES as problem:
            raise self._error(where, problem) from None  # the SDK's text quotes addresses and answers
        data: Any = response.data
        if not isinstance(data, dict):
            raise bad_answer(where, int(response.status_code or 200))
        return data

    def _error(self, where: str, problem: Exception) -> DeliveryError:
        return slack_error(where, problem, secret=self._token)


class _SlackError(DeliveryError):
    """A DeliveryError that keeps Slack's own name of the error."""

    def __init__(self, name: str, error: DeliveryError) -> None:
        self.name = name
        super().__init__(
            str(error),
            retryable=error.retryable,
            reason=error.reason,
            ambiguous=error.ambiguous,
            retry_after=error.retry_after,
        )


_IN_PLACE: Final = frozenset({Purpose.ALERT, Purpose.UPDATE, Purpose.CLOSED, Purpose.REOPENED})
_RINGS: Final = frozenset({Purpose.ALERT, Purpose.REOPENED})


def build_client(token: str, api_url: str, timeout_seconds: float) -> WebClient:
    """Return a client that never retries by itself: a lost answer would post twice."""
    base = api_url if api_url.endswith("/") else f"{api_url}/"
    logger = logging.getLogger("replyby.slack_sdk")
    logger.setLevel(logging.CRITICAL)  # what it logs on failure quotes answers; our own error says it without
    return WebClient(token=token, base_url=base, timeout=max(1, int(timeout_seconds)), retry_handlers=[], logger=logger)


def slack_error(where: str, problem: Exception, *, secret: str = "", of_app_token: bool = False) -> DeliveryError:
    """Return what a failure of the SDK means. Names: docs.slack.dev, reference/methods, "Errors".

    `of_app_token`: the call was made with the app token, by the socket, which tries again whatever the answer is.
    """
    if isinstance(problem, SlackRequestError):
        return DeliveryError(
            f"{where}: {redact(str(problem), [secret])[:200]}. It is tried again.",
            retryable=True,
            reason=Reason.BAD_ANSWER,
            ambiguous=True,
        )
    if not isinstance(problem, SlackApiError):
        if isinstance(problem, OSError | http.client.HTTPException):
            return network_error(where, problem)
        return bad_answer(where, 200)  # the answer could not be decoded
    response: Any = problem.response
    status = int(getattr(response, "status_code", 0) or 0)
    headers = {str(key): str(value) for key, value in (getattr(response, "headers", None) or {}).items()}
    data = getattr(response, "data", None)
    name = str(data.get("error") or "") if isinstance(data, dict) else ""
    if of_app_token and name in _BAD_CREDENTIALS:
        text = f"{where}: {name}. {_APP_ADVICE} It is tried again."
        return DeliveryError(text, retryable=True, reason=Reason.BAD_CREDENTIALS)
    return _SlackError(name, _named_error(where, name, status, headers, data, secret))


def _named_error(
    where: str, name: str, status: int, headers: Mapping[str, str], data: Any, secret: str
) -> DeliveryError:
    named = name.replace("_", "").isalnum() and len(name) < 60
    wait = _seconds_of(headers)
    if status == 429 or name in _RATE_LIMITED:
        text = f"{where}: rate limited. It is sent again when Slack asks for it."
        return DeliveryError(text, retryable=True, reason=Reason.RATE_LIMITED, retry_after=wait)
    if name in _BAD_CREDENTIALS:
        needed = f" (needs {data['needed']})" if isinstance(data, dict) and data.get("needed") else ""
        text = f"{where}: {name}{needed}, not retried. {_BAD_CREDENTIALS[name]}"
        return DeliveryError(redact(text, [secret]), retryable=False, reason=Reason.BAD_CREDENTIALS)
    if name in _BAD_ADDRESS:
        return DeliveryError(
            f"{where}: {name}, not retried. {_BAD_ADDRESS[name]}", retryable=False, reason=Reason.BAD_ADDRESS
        )
    if name in _SERVER:
        text = f"{where}: {name}. It is looked up, and tried again."
        return DeliveryError(text, retryable=True, reason=Reason.SERVER_ERROR, ambiguous=True)
    if not named:  # no answer of Slack's API: an HTML page, an empty body
        return bad_answer(where, status) if status == 200 else status_error(where, status, retry_after=wait)
    if status not in (0, 200):
        return status_error(where, status, retry_after=wait, detail=name)
    reason = Reason.GONE if name in MESSAGE_GONE else Reason.REJECTED
    return DeliveryError(f"{where}: {name}, not retried. Look it up at docs.slack.dev.", retryable=False, reason=reason)


def _seconds_of(headers: Mapping[str, str]) -> timedelta | None:
    from datetime import UTC, datetime

    # Slack sends seconds, never a date: the instant does not matter.
    return retry_after_of(headers, datetime(2000, 1, 1, tzinfo=UTC))


def _metadata(delivery: Delivery) -> dict[str, Any]:
    return {"event_type": EVENT_TYPE, "event_payload": {"reference": delivery.reference}}


def _where(delivery: Delivery) -> str:
    return f'slack receiver "{delivery.receiver}"'


def _with_detail(receipt: Receipt, detail: str) -> Receipt:
    return Receipt(provider_id=receipt.provider_id, post=receipt.post, detail=detail) if detail else receipt
