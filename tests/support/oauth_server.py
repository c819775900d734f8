"""A sign-in server on loopback: tokens, device codes, introspection; refuses, stalls and falls over on demand."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs


@dataclass
class OAuthServer:
    """What it knows and how it shall answer. `requests` holds (path, form) in order.

    Attributes:
        replaces: whether each renewal gives a new refresh token and ends the old one, as Microsoft does.
        refuse: an OAuth error code that every token request gets.
        status: an HTTP status that every token request gets, with a page of HTML.
        pending: so many polls of a device code are answered with "authorization_pending".
        extra: further members of each token answer.
    """

    username: str = "ops@acme.example"
    replaces: bool = False
    refuse: str = ""
    status: int = 200
    pending: int = 0
    expires_in: int = 3600
    extra: dict[str, object] = field(default_factory=dict)
    port: int = 0
    requests: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    refresh_token: str = "refresh-0"
    access_tokens: list[str] = field(default_factory=list)
    challenges: dict[str, str] = field(default_factory=dict)

    @property
    def token_endpoint(self) -> str:
        return f"http://127.0.0.1:{self.port}/token"

    @property
    def introspection_url(self) -> str:
        return f"http://127.0.0.1:{self.port}/introspect"

    def grants(self, grant_type: str) -> list[dict[str, str]]:
        """Return the forms of the token requests of one type."""
        return [form for path, form in self.requests if path == "/token" and form.get("grant_type") == grant_type]

    def answer(self, path: str, form: dict[str, str]) -> tuple[int, object]:
        """Return status and JSON for one request."""
        self.requests.append((path, form))
        if path == "/introspect":
            active = form.get("token") in self.access_tokens
            return 200, {"active": active, "username": self.username} if active else {"active": False}
        if path == "/devicecode":
            where = "https://microsoft.example/devicelogin"
            code = {"device_code": "device-1", "user_code": "ABCD-EFGH", "verification_uri": where}
            return 200, {**code, "expires_in": 900, "interval": 1, "message": "open it"}
        if path != "/token":
            return 404, {}
        if self.status != 200:
            return self.status, "<html>out of order</html>"
        if self.refuse:
            return 400, {"error": self.refuse, "error_description": f"for {self.username}, trace 1234"}
        return self._grant(form)

    def _grant(self, form: dict[str, str]) -> tuple[int, object]:
        if form["grant_type"].endswith("device_code") and self.pending > 0:
            self.pending -= 1
            return 400, {"error": "authorization_pending"}
        if form["grant_type"] == "refresh_token" and form.get("refresh_token") != self.refresh_token:
            return 400, {"error": "invalid_grant"}
        number = len(self.access_tokens) + 1
        self.access_tokens.append(f"access-{number}")
        answer: dict[str, object] = {"access_token": f"access-{number}", "token_type": "Bearer"}
        answer |= {"expires_in": self.expires_in, **self.extra}
        if self.replaces or form["grant_type"] != "refresh_token":
            self.refresh_token = f"refresh-{number}"
            answer["refresh_token"] = self.refresh_token
        return 200, answer


@contextmanager
def run_oauth_server(state: OAuthServer | None = None) -> Iterator[OAuthServer]:
    """Yield a server that listens for as long as the block lasts."""
    server = state or OAuthServer()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
            form = {key: values[0] for key, values in parse_qs(body).items()}
            status, answer = server.answer(self.path, form)
            content = (answer if isinstance(answer, str) else json.dumps(answer)).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *arguments: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", server.port), Handler) as listener:
        server.port = listener.server_port
        thread = threading.Thread(target=listener.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        try:
            yield server
        finally:
            listener.shutdown()
            thread.join()
