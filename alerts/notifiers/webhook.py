"""Signed JSON to any address: Teams, PagerDuty, ntfy, a script of one's own.

The reference is the idempotency key: a receiver that keeps the keys it saw never acts twice. Redirects are not followed.
"""

import hashlib
import hmac
import http.client
import json
import ssl
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final
from urllib.parse import urlsplit

from alerts.core.model import Channel, Delivery, Purpose, Receipt, ThreadFacts
from alerts.core.words import threads as said
from alerts.core.words.catalog import Words
from alerts.core.words.content import instant
from alerts.core.words.render import plain_summary, render_or_facts
from alerts.core.words.summaries import SUMMARY_PURPOSES
from alerts.errors import DeliveryError, Reason
from alerts.notifiers.http import DEFAULT_TIMEOUT_SECONDS, network_error, retry_after_of, status_error

VERSION: Final = 1
SIGNATURE_HEADER: Final = "X-ReplyBy-Signature"
TIMESTAMP_HEADER: Final = "X-ReplyBy-Timestamp"


class WebhookNotifier:
    """Posts by the standard library; a connection for each, so that it is safe to call from several threads."""

    def __init__(self, *, timeout_seconds: float = DEFAULT_TIMEOUT_SECONDS, ca_file: str = "") -> None:
        """Keep the settings; connects to nothing. `ca_file`: certificates to trust beside the system's own."""
        self._timeout = timeout_seconds
        self._context = ssl.create_default_context()
        if ca_file:
            self._context.load_verify_locations(ca_file)

    @property
    def channel(self) -> Channel:
        """Webhook."""
        return Channel.WEBHOOK

    def send(self, delivery: Delivery) -> Receipt:
        """Post; any 2xx is success, and the receipt's `provider_id` is the reference.

        Raises:
            DeliveryError: see `Notifier.send`.
        """
        where = f'webhook receiver "{delivery.receiver}"'
        rendered = render_or_facts(delivery, _text, lambda facts: facts)
        body = json.dumps(payload(delivery, rendered.value), ensure_ascii=False, separators=(",", ":")).encode()
        headers = {
            "Content-Type": "application/json; charset=utf-8",
            "User-Agent": "ReplyBy",
            "Idempotency-Key": delivery.reference,
            TIMESTAMP_HEADER: str(int(delivery.now.timestamp())),
        }
        if delivery.secret:
            headers[SIGNATURE_HEADER] = signature(delivery.secret, headers[TIMESTAMP_HEADER], body)
        status, answer_headers = self._post(where, delivery.address, body, headers)
        if not 200 <= status < 300:
            raise status_error(where, status, retry_after=retry_after_of(answer_headers, delivery.now))
        return Receipt(provider_id=delivery.reference, detail=rendered.trouble)

    def find(self, delivery: Delivery) -> Receipt | None:
        """Raise: a webhook cannot be asked; a page is sent again under the same idempotency key.

        Raises:
            DeliveryError: always, `retryable=False`.
        """
        text = f'webhook receiver "{delivery.receiver}": it cannot be asked what it took. A page is sent again.'
        raise DeliveryError(text, retryable=False, reason=Reason.BAD_ANSWER)

    def check(self, receipt: Receipt) -> str | None:
        """Return "delivered": the address answered 2xx."""
        return "delivered" if receipt.provider_id else None

    def _post(self, where: str, url: str, body: bytes, headers: Mapping[str, str]) -> tuple[int, dict[str, str]]:
        connection, path = self._connection(where, url)
        try:
            try:
                connection.connect()
            except OSError as problem:
                # Nothing was said yet, whatever went wrong.
                error = network_error(where, problem)
                text = f"{where}: no connection. It is tried again." if error.ambiguous else str(error)
                raise DeliveryError(text, retryable=True, reason=error.reason) from None
            try:
                connection.request("POST", path, body=body, headers=dict(headers))
                response = connection.getresponse()
                response.read(65536)
            except (OSError, http.client.HTTPException) as problem:
                raise network_error(where, problem) from None
            return response.status, dict(response.headers.items())
        finally:
            connection.close()

    def _connection(self, where: str, url: str) -> tuple[http.client.HTTPConnection, str]:
        try:
            parts = urlsplit(url)
            host, port = parts.hostname, parts.port
        except ValueError:
            host, port, parts = None, None, urlsplit("")
        if parts.scheme not in ("https", "http") or not host:
            text = f"{where}: its address is no http(s) URL, not retried. Set `url` in config.toml."
            raise DeliveryError(text, retryable=False, reason=Reason.BAD_ADDRESS)
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        if parts.scheme == "https":
            return http.client.HTTPSConnection(host, port, timeout=self._timeout, context=self._context), path
        return http.client.HTTPConnection(host, port, timeout=self._timeout), path


def signature(secret: str, timestamp: str, body: bytes) -> str:
    """Return "v1=" and the hex HMAC-SHA256 over the timestamp, a full stop and the body.

    Whoever receives it computes the same, compares in constant time, and refuses a timestamp older than five minutes.
    """
    digest = hmac.new(secret.encode(), timestamp.encode() + b"." + body, hashlib.sha256).hexdigest()
    return f"v1={digest}"


def payload(delivery: Delivery, text: str) -> dict[str, Any]:
    """Return the JSON of a delivery. `text` alone is enough for a chat; the rest is for programs."""
    return {
        "version": VERSION,
        "id": delivery.reference,
        "purpose": delivery.purpose.value,
        "receiver": delivery.receiver,
        "at": instant(delivery.now),
        "text": text,
        "threads": [_thread(facts, delivery) for facts in delivery.threads],
        "content": _summary(delivery),
    }


def _summary(delivery: Delivery) -> dict[str, Any]:
    # A report's pictures are files on this machine: their paths mean nothing elsewhere. Facts stand among the threads.
    return {key: value for key, value in delivery.content.items() if key not in ("images", "withdrawn")}


def _thread(facts: ThreadFacts, delivery: Delivery) -> dict[str, Any]:
    """The facts of `status --json`. The links that carry a buyer's alias or Amazon's signature stay here."""
    remaining = int((facts.deadline_at - delivery.now).total_seconds())
    return {
        "thread": facts.thread_id,
        "account": facts.account,
        "marketplace": facts.marketplace,
        "order_id": facts.order_id,
        "labels": list(facts.labels),
        "priority": facts.priority,
        "started_at": instant(facts.started_at),
        "deadline_at": instant(facts.deadline_at),
        "remaining_seconds": remaining,
        "state": facts.state,
        "messages": facts.messages,
        "verified": facts.verified,
        "acknowledged_by": facts.acknowledged_by if delivery.name_people else None,
        "answered_at": _optional(facts.answered_at),
        "waived_at": _optional(facts.waived_at),
        "where": facts.where,
    }


def _optional(at: datetime | None) -> str | None:
    return None if at is None else instant(at)


def _text(words: Words, delivery: Delivery) -> str:
    if delivery.purpose in SUMMARY_PURPOSES:
        return "\n".join(plain_summary(words, delivery))
    lines = [said.line(words, facts, delivery.now, name_people=delivery.name_people) for facts in delivery.threads]
    if not lines:
        raise ValueError("webhook: an alert without a thread. Fill `Delivery.threads`.")
    if delivery.purpose is Purpose.REOPENED:
        lines[0] = f"{words.say('open_again')}: {lines[0]}"
    return "\n".join(lines)
