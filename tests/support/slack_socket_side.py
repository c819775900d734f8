"""The Socket Mode side of the Slack stand-in: a real WebSocket server whose envelopes wait to be acknowledged."""

import contextlib
import json
import socket
import threading
import uuid
from collections.abc import Mapping
from typing import Any

from websockets.exceptions import ConnectionClosed
from websockets.sync.server import Server, ServerConnection, serve


class SocketSide:
    """Mixed into `SlackServer`.

    Attributes:
        acknowledged: envelope ids that were acknowledged, in order. tickets: addresses given out and not used yet.
        websocket_port: where `apps.connections.open` sends the client; a test may point it elsewhere.
    """

    lock: threading.RLock

    def open_socket_side(self) -> None:
        """Bind the port; nothing is served before `start_socket_side`. `lock` must be set."""
        self.acknowledged: list[str] = []
        self.tickets: set[str] = set()
        self._sockets: list[ServerConnection] = []
        self._changed = threading.Condition(self.lock)
        self._websocket: Server = serve(self._socket_session, "127.0.0.1", 0, ping_interval=None, close_timeout=0.5)
        self.websocket_port: int = self._websocket.socket.getsockname()[1]
        self._websocket_thread: threading.Thread | None = None

    def start_socket_side(self) -> None:
        """Serve in a thread of its own."""
        self._websocket_thread = threading.Thread(
            target=self._websocket.serve_forever, name="stand-in-socket", daemon=True
        )
        self._websocket_thread.start()

    def stop_socket_side(self) -> None:
        """Cut what is connected and stop serving."""
        self.drop_sockets()
        self._websocket.shutdown()
        if self._websocket_thread is not None:
            self._websocket_thread.join(5)

    def wait_for_socket(self, timeout: float = 60.0) -> bool:
        """Return whether a client is connected, waiting for one at most `timeout` seconds."""
        with self._changed:
            return self._changed.wait_for(lambda: bool(self._sockets), timeout)

    @property
    def connected_sockets(self) -> int:
        """How many Socket Mode clients are connected."""
        with self.lock:
            return len(self._sockets)

    def send_envelope(
        self, kind: str, payload: Mapping[str, Any], *, deliver: int = 1, envelope_id: str | None = None
    ) -> str:
        """Send any envelope over the newest connection; return its id."""
        envelope_id = envelope_id or str(uuid.uuid4())
        envelope = {
            "envelope_id": envelope_id,
            "type": kind,
            "accepts_response_payload": kind != "events_api",
            "payload": payload,
        }
        self.send_raw(json.dumps(envelope), times=deliver)
        return envelope_id

    def send_raw(self, text: str, *, times: int = 1) -> None:
        """Send text over the newest connection as it is."""
        with self.lock:
            assert self._sockets, "no Socket Mode client is connected"
            connection = self._sockets[-1]
        for _ in range(times):
            connection.send(text)

    def wait_for_acknowledgement(self, envelope_id: str, times: int = 1, timeout: float = 60.0) -> bool:
        """Return whether the envelope was acknowledged this often, waiting at most `timeout` seconds."""
        with self._changed:
            return self._changed.wait_for(lambda: self.acknowledged.count(envelope_id) >= times, timeout)

    def drop_sockets(self) -> None:
        """Cut every Socket Mode connection, as a network does."""
        with self.lock:
            connections = list(self._sockets)
        for connection in connections:
            with contextlib.suppress(OSError):
                connection.socket.shutdown(socket.SHUT_RDWR)

    def ask_to_reconnect(self, reason: str = "refresh_requested") -> None:
        """Send Slack's own `disconnect` message."""
        self.send_raw(json.dumps({"type": "disconnect", "reason": reason, "debug_info": {}}))

    def _socket_session(self, connection: ServerConnection) -> None:
        path = connection.request.path if connection.request else ""
        ticket = path.rsplit("ticket=", 1)[-1]
        with self.lock:
            if ticket not in self.tickets:
                connection.close(1008, "invalid ticket")
                return
            self.tickets.discard(ticket)  # an address of apps.connections.open serves once
        hello = {"type": "hello", "num_connections": 1, "connection_info": {"app_id": "A0STANDIN"}, "debug_info": {}}
        try:
            with self._changed:  # whoever has seen the hello finds this connection to be the newest
                connection.send(json.dumps(hello))
                self._sockets.append(connection)
                self._changed.notify_all()
            for text in connection:
                answer = json.loads(text)
                if "envelope_id" in answer:
                    with self._changed:
                        self.acknowledged.append(answer["envelope_id"])
                        self._changed.notify_all()
        except ConnectionClosed:
            pass
        finally:
            with self._changed:
                if connection in self._sockets:
                    self._sockets.remove(connection)
                self._changed.notify_all()
