"""A threaded HTTP/1.1 server on loopback whose answers can be spoiled on purpose: the ground under the provider stand-ins.

A stand-in fills `_route` (request -> call name) and `_answer` (call -> answer). Whatever arrives is recorded. A fault strikes
either before the call is carried out (nothing happened) or after it (it happened, and the answer is lost).
"""

import contextlib
import io
import json
import random
import socket
import struct
import threading
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal, Self
from urllib.parse import parse_qs, urlsplit

from monitor.wallclock import utc_now

FaultKind = Literal[
    "drop_before",
    "drop_after",
    "reset_before",
    "reset_after",
    "hang_before",
    "hang_after",
    "cut_after",
    "html",
    "server_error",
    "rate_limited",
    "answer",
    "error",
]

HTML_ANSWER = (
    b"<!DOCTYPE html><html><head><title>502 Bad Gateway</title></head><body><h1>Bad Gateway</h1></body></html>"
)
_HANG_SECONDS = 30.0  # the most a hanging answer waits for the client to give up


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One request as it arrived: `name` is the provider's method ("chat.postMessage", "messages.create")."""

    name: str
    verb: str
    path: str
    params: Mapping[str, Any]
    headers: Mapping[str, str]
    body: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpAnswer:
    """What goes back over the wire."""

    status: int = 200
    body: bytes = b""
    content_type: str = "application/json; charset=utf-8"
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One spoiled answer. `error` is the provider's own error (Slack's name, Twilio's code)."""

    kind: FaultKind
    status: int = 0
    error: str | int = ""
    body: bytes = b""
    content_type: str = "application/json; charset=utf-8"
    headers: Mapping[str, str] = field(default_factory=dict)
    retry_after: int | None = None


class Faults:
    """What goes wrong: random drops at a rate, and scripted faults that strike the next calls of a name ("*": any).

    Attributes:
        drop_before, drop_after: share of calls (0 to 1) lost before, and of answers lost after they were carried out.
        only: names of calls that the random drops may strike; empty: all.
        dropped_before, dropped_after: how often it struck.
    """

    def __init__(self, rng: random.Random | None = None) -> None:
        """Start without faults; `rng` makes the random ones repeatable."""
        self.rng = rng or random.Random(1)
        self.drop_before = 0.0
        self.drop_after = 0.0
        self.only: frozenset[str] = frozenset()
        self.dropped_before = 0
        self.dropped_after = 0
        self._scripted: dict[str, deque[Fault]] = {}
        self._lock = threading.Lock()

    def fail_next(
        self,
        name: str,
        kind: FaultKind,
        *,
        times: int = 1,
        status: int = 0,
        error: str | int = "",
        body: bytes = b"",
        content_type: str = "application/json; charset=utf-8",
        headers: Mapping[str, str] | None = None,
        retry_after: int | None = None,
    ) -> None:
        """Spoil the next `times` calls of this name."""
        fault = Fault(
            kind=kind,
            status=status,
            error=error,
            body=body,
            content_type=content_type,
            headers=dict(headers or {}),
            retry_after=retry_after,
        )
        with self._lock:
            self._scripted.setdefault(name, deque()).extend([fault] * times)

    def clear(self) -> None:
        """Forget every fault, random and scripted."""
        with self._lock:
            self._scripted.clear()
            self.drop_before = self.drop_after = 0.0

    def strike(self, name: str) -> Fault | None:
        """Return the fault that strikes this call, or None."""
        with self._lock:
            for key in (name, "*"):
                waiting = self._scripted.get(key)
                if waiting:
                    return waiting.popleft()
            if self.only and name not in self.only:
                return None
            if self.drop_before and self.rng.random() < self.drop_before:
                self.dropped_before += 1
                return Fault(kind="drop_before")
            if self.drop_after and self.rng.random() < self.drop_after:
                self.dropped_after += 1
                return Fault(kind="drop_after")
        return None


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256
    owner: "FaultServer"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Keep quiet about clients that hang up: that is what the tests make them do; our own bugs are kept."""
        import sys

        problem = sys.exc_info()[1]
        if not isinstance(problem, OSError) and problem is not None:
            self.owner.problems.append(problem)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server
    timeout = 60
    wbufsize = 65536  # one write for head and body, or a kept connection waits 40 ms for each answer
    disable_nagle_algorithm = True

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""

    def _serve(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length) if length else b""
        self.server.owner.serve(self, body)

    do_GET = do_POST = do_DELETE = do_PUT = do_HEAD = _serve


class FaultServer:
    """The common part of the stand-ins. `clock` tells them the time; `problems` must stay empty (our own bugs)."""

    def __init__(self, *, clock: Callable[[], datetime] = utc_now, faults: Faults | None = None) -> None:
        """Bind a free port on 127.0.0.1; nothing is served before `start`."""
        self.clock = clock
        self.faults = faults or Faults()
        self.requests: list[Call] = []
        self.problems: list[BaseException] = []
        self.lock = threading.RLock()
        self._stopping = threading.Event()
        self._http = _Server(("127.0.0.1", 0), _Handler)
        self._http.owner = self
        self.port: int = self._http.server_address[1]
        self._thread: threading.Thread | None = None

    @property
    def base_url(self) -> str:
        """Where a client is pointed to."""
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> Self:
        """Serve in a thread of its own."""
        self._thread = threading.Thread(
            target=self._http.serve_forever, kwargs={"poll_interval": 0.05}, name="stand-in", daemon=True
        )
        self._thread.start()
        return self

    def stop(self) -> None:
        """Stop serving, release what hangs, close the port."""
        self._stopping.set()
        if self._thread is not None:
            self._http.shutdown()
            self._thread.join(5)
        self._http.server_close()

    def __enter__(self) -> Self:
        """Start."""
        return self.start()

    def __exit__(self, *_: object) -> None:
        """Stop; a bug of the stand-in itself must not pass for a behaviour of the provider."""
        self.stop()
        if self.problems:
            raise self.problems[0]

    def calls(self, name: str) -> list[Call]:
        """Return the recorded requests of this name, oldest first."""
        with self.lock:
            return [call for call in self.requests if call.name == name]

    # What a stand-in fills -------------------------------------------------------------------------------------------

    def _route(self, verb: str, path: str) -> str:
        raise NotImplementedError

    def _answer(self, call: Call) -> HttpAnswer:
        raise NotImplementedError

    def _provider_error(self, fault: Fault) -> HttpAnswer:
        raise NotImplementedError

    # The wire --------------------------------------------------------------------------------------------------------

    def serve(self, handler: _Handler, body: bytes) -> None:
        """Carry out one request, spoiled or not."""
        address = urlsplit(handler.path)
        name = self._route(handler.command, address.path)
        headers = {key.lower(): value for key, value in handler.headers.items()}
        params = {**_query(address.query), **_body_params(headers.get("content-type", ""), body)}
        call = Call(name=name, verb=handler.command, path=address.path, params=params, headers=headers, body=body)
        with self.lock:
            self.requests.append(call)
        fault = self.faults.strike(name)
        if fault is None:
            self._send(handler, self._answer(call))
            return
        if fault.kind.endswith("_before"):
            self._vanish(handler, fault)
            return
        if fault.kind.endswith("_after"):
            self._answer(call)
            self._vanish(handler, fault)
            return
        self._send(handler, self._spoiled(fault))

    def _spoiled(self, fault: Fault) -> HttpAnswer:
        retry_after = {"Retry-After": str(fault.retry_after)} if fault.retry_after is not None else {}
        headers = {**fault.headers, **retry_after}
        if fault.kind == "html":
            return HttpAnswer(
                status=fault.status or 502,
                body=fault.body or HTML_ANSWER,
                content_type="text/html; charset=utf-8",
                headers=headers,
            )
        if fault.kind in ("answer", "server_error"):
            return HttpAnswer(
                status=fault.status or (500 if fault.kind == "server_error" else 200),
                body=fault.body,
                content_type=fault.content_type,
                headers=headers,
            )
        answer = self._provider_error(fault)
        return HttpAnswer(
            status=answer.status,
            body=answer.body,
            content_type=answer.content_type,
            headers={**answer.headers, **headers},
        )

    def _send(self, handler: _Handler, answer: HttpAnswer) -> None:
        with contextlib.suppress(OSError):  # the client may be gone; that is its affair
            handler.send_response(answer.status)
            for key, value in answer.headers.items():
                handler.send_header(key, value)
            if answer.status != 204:
                handler.send_header("Content-Type", answer.content_type)
                handler.send_header("Content-Length", str(len(answer.body)))
            handler.end_headers()
            if answer.status != 204 and handler.command != "HEAD":
                handler.wfile.write(answer.body)
            handler.wfile.flush()

    def _vanish(self, handler: _Handler, fault: Fault) -> None:
        handler.close_connection = True
        if fault.kind.startswith("cut"):
            with contextlib.suppress(OSError):  # the head and a little of the body; then the line is dead
                handler.wfile.write(
                    b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 400\r\n\r\n{"
                )
                handler.wfile.flush()
        connection = handler.connection
        if fault.kind.startswith("hang"):
            # Until the client gives up (its end closes), the server stops, or the bound is reached.
            connection.settimeout(0.1)
            waited = 0.0
            while waited < _HANG_SECONDS and not self._stopping.is_set():
                try:
                    if connection.recv(1) == b"":
                        break
                except TimeoutError:
                    waited += 0.1
                except OSError:
                    break
        if fault.kind.startswith("reset"):
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        else:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        # The handler's own files hold a reference each; without closing them the socket outlives this call.
        for file in (handler.rfile, handler.wfile):
            with contextlib.suppress(OSError, ValueError):
                file.close()
        handler.wfile = io.BytesIO()
        connection.close()


def _query(text: str) -> dict[str, Any]:
    return {key: values[-1] for key, values in parse_qs(text, keep_blank_values=True).items()}


def _body_params(content_type: str, body: bytes) -> dict[str, Any]:
    if content_type.startswith("application/json"):
        loaded = json.loads(body or b"{}")
        return loaded if isinstance(loaded, dict) else {}
    if content_type.startswith("application/x-www-form-urlencoded"):
        return _query(body.decode(errors="replace"))  # an upload is bytes under the same type
    return {}


def json_answer(value: Any, *, status: int = 200, headers: Mapping[str, str] | None = None) -> HttpAnswer:
    """Return a JSON answer."""
    return HttpAnswer(status=status, body=json.dumps(value).encode(), headers=dict(headers or {}))


def as_utc(instant: datetime) -> datetime:
    """Return an aware UTC instant; the stand-ins' `clock` must be aware."""
    return instant.astimezone(UTC)
