"""A TCP proxy on loopback that delays, freezes or cuts what a server sends, and counts its bytes."""

import contextlib
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

HOST = "127.0.0.1"


class TcpProxy:
    """Stands between client and server. Set `delay_seconds`, call `freeze()`, `thaw()`, `cut_after()` at any time."""

    def __init__(self, target_port: int, port: int = 0) -> None:
        """Listen on this port, or a free one; `to_client` and `to_server` count bytes over all connections."""
        self._target_port = target_port
        self._listener = socket.create_server((HOST, port))
        self.port: int = self._listener.getsockname()[1]
        self._flowing = threading.Event()
        self._flowing.set()
        self._closing = threading.Event()
        self._lock = threading.Lock()
        self._sockets: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        self._cuts: list[int] = []
        self.delay_seconds = 0.0
        self.to_client = 0
        self.to_server = 0
        self.connections = 0
        self._start(self._accept)

    def freeze(self) -> None:
        """Pass nothing on, in either direction, and keep every connection open."""
        self._flowing.clear()

    def thaw(self) -> None:
        """Pass on again what was held."""
        self._flowing.set()

    def cut_after(self, *sizes: int) -> None:
        """Cut each of the next connections once the server sent it so many bytes; later ones pass."""
        with self._lock:
            self._cuts = list(sizes)

    def cut_now(self) -> None:
        """Cut every open connection."""
        with self._lock:
            sockets, self._sockets = self._sockets, []
        for end in sockets:
            _close(end)

    def refuse(self) -> None:
        """Accept nobody any more, as a server that is down."""
        _close(self._listener)

    def close(self) -> None:
        """End every thread and connection."""
        self._closing.set()
        self._flowing.set()
        self.refuse()
        self.cut_now()
        for thread in self._threads:
            thread.join(5)

    def _start(self, work: object, *arguments: object) -> None:
        thread = threading.Thread(target=work, args=arguments, daemon=True)  # type: ignore[arg-type]
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while not self._closing.is_set():
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            try:
                server = socket.create_connection((HOST, self._target_port), timeout=5)
            except OSError:
                _close(client)
                continue
            server.settimeout(None)
            with self._lock:
                self._sockets += [client, server]
                self.connections += 1
                limit = self._cuts.pop(0) if self._cuts else None
            self._start(self._pass_on, server, client, True, limit)
            self._start(self._pass_on, client, server, False, None)

    def _pass_on(self, source: socket.socket, target: socket.socket, to_client: bool, limit: int | None) -> None:
        passed = 0
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                self._flowing.wait()
                if self.delay_seconds:
                    self._closing.wait(self.delay_seconds)
                if limit is not None and passed + len(data) >= limit:
                    target.sendall(data[: limit - passed])
                    break
                target.sendall(data)
                passed += len(data)
                with self._lock:
                    if to_client:
                        self.to_client += len(data)
                    else:
                        self.to_server += len(data)
        _close(source)
        _close(target)


def _close(end: socket.socket) -> None:
    with contextlib.suppress(OSError):
        end.shutdown(socket.SHUT_RDWR)
    end.close()


@contextmanager
def running_proxy(target_port: int, port: int = 0) -> Iterator[TcpProxy]:
    """Run a proxy before the server on this port of 127.0.0.1; `port`: where, instead of on a free one."""
    proxy = TcpProxy(target_port, port)
    try:
        yield proxy
    finally:
        proxy.close()
