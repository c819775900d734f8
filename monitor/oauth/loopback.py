"""The address on this machine to which a browser comes back after a sign-in."""

import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from types import TracebackType
from typing import Self
from urllib.parse import parse_qs, urlsplit

PAGE = "<!doctype html><meta charset=utf-8><title>ReplyBy</title><p>Signed in. You can close this page."


class LoopbackListener:
    """Listens on a free port of 127.0.0.1 for as long as the `with` block lasts."""

    def __init__(self) -> None:
        """Take a port; answer nobody yet."""
        self._came = threading.Event()
        self._address = ""
        self._server = HTTPServer(("127.0.0.1", 0), self._make_handler())
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    @property
    def redirect_uri(self) -> str:
        """Where the browser is sent back to."""
        return f"http://127.0.0.1:{self._server.server_port}/"

    def wait(self, timeout_seconds: float) -> str | None:
        """Return the address the browser came to, or None when it did not in time."""
        return self._address if self._came.wait(timeout_seconds) else None

    def __enter__(self) -> Self:
        """Begin to answer."""
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Give the port back."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def _make_handler(self) -> type[BaseHTTPRequestHandler]:
        listener = self

        class Handler(BaseHTTPRequestHandler):
            timeout = 10  # seconds; a browser's idle spare connection must not hold up the real one

            def do_GET(self) -> None:
                query = parse_qs(urlsplit(self.path).query)
                known = bool(query.get("state")) and bool(query.get("code") or query.get("error"))
                self.send_response(200 if known else 404)
                self.send_header("Content-Type", "text/html; charset=utf-8")
                self.send_header("Connection", "close")
                self.end_headers()
                if known:
                    self.wfile.write(PAGE.encode())
                    listener._address = self.path
                    listener._came.set()

            def log_message(self, format: str, *arguments: object) -> None:
                """Write nothing: the address holds the code."""

        return Handler
