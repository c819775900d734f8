"""The worker's listener: /metrics, /healthz and the page at /. Answers requests; decides nothing about clocks.

The page names people, so it is for this computer only unless the configuration says otherwise: another client address is
refused, and so is a foreign Host header or a forwarding proxy, which would bring strangers here by way of loopback.
"""

import base64
import binascii
import contextlib
import hmac
import logging
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from socket import AF_INET, AF_INET6, SHUT_RDWR, socket
from typing import Any
from urllib.parse import urlsplit

from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder

from monitor.errors import ReplyByError
from monitor.metrics.page import PageFacts, render_no_data, render_page, style_hash

log = logging.getLogger(__name__)

CLIENT_TIMEOUT_SECONDS = 10.0
"""A client that sends or reads slower than this is let go; a thread is all it can hold."""

MAX_CONNECTIONS = 64
"""More at once are hung up on: a listener that is open to a network must not eat the worker's memory."""

TEXT = "text/plain; charset=utf-8"
FORWARDED = ("forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip")
NOT_HERE = (
    "This page is shown on the worker's own computer only: it names people.\n"
    "To show it elsewhere set page_public = true, with a page_username and page_password, under [worker].\n"
)


@dataclass(frozen=True, slots=True)
class Health:
    """Whether cycles succeed; `reason` in one line, without personal data."""

    ok: bool
    reason: str = "ok"


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """What the listener serves. The callables are asked in the request's own thread.

    `password` "" serves the page without asking for one.
    """

    registry: CollectorRegistry
    read_page: Callable[[], PageFacts]
    health: Callable[[], Health]
    page_public: bool = False
    username: str = "replyby"
    password: str = field(default="", repr=False)
    refresh_seconds: int = 15


@dataclass(frozen=True, slots=True)
class Request:
    """One request; header names are lower-case."""

    method: str
    path: str
    headers: Mapping[str, str]
    client: str


@dataclass(frozen=True, slots=True)
class Response:
    """One answer."""

    status: HTTPStatus
    body: bytes
    content_type: str = TEXT
    headers: tuple[tuple[str, str], ...] = ()


def respond(site: Site, request: Request) -> Response:
    """Return the answer to a request; never raises and never shows a traceback."""
    if request.method not in ("GET", "HEAD"):
        return _text(HTTPStatus.METHOD_NOT_ALLOWED, "Only GET and HEAD are answered here.\n", ("Allow", "GET, HEAD"))
    routes = {"/": _respond_page, "/metrics": _respond_metrics, "/healthz": _respond_health}
    route = routes.get(urlsplit(request.path).path)
    if route is None:
        return _text(HTTPStatus.NOT_FOUND, "Nothing is here. There are /, /metrics and /healthz.\n")
    try:
        return route(site, request)
    except Exception:
        # The store may be locked, gone or full: the scrape must fail, so that `up` falls, and the log must say why.
        log.exception("%s could not be answered", urlsplit(request.path).path)
        if route is _respond_page:
            page = render_no_data("the worker could not read its store; its log says why", site.refresh_seconds)
            return _html(HTTPStatus.SERVICE_UNAVAILABLE, page)
        return _text(HTTPStatus.SERVICE_UNAVAILABLE, "The worker could not read its store; its log says why.\n")


def _respond_metrics(site: Site, request: Request) -> Response:
    encode, content_type = choose_encoder(request.headers.get("accept", ""))
    return Response(HTTPStatus.OK, encode(site.registry), content_type)


def _respond_health(site: Site, _: Request) -> Response:
    health = site.health()
    return _text(HTTPStatus.OK if health.ok else HTTPStatus.SERVICE_UNAVAILABLE, f"{health.reason}\n")


def _respond_page(site: Site, request: Request) -> Response:
    if not site.page_public and not _is_local(request):
        log.warning("the page was asked for from elsewhere and refused")
        return _text(HTTPStatus.FORBIDDEN, NOT_HERE)
    if site.password and not _is_authorised(site, request.headers.get("authorization", "")):
        if "authorization" in request.headers:
            log.warning("the page was asked for with a wrong user name or password")
        ask = ("WWW-Authenticate", 'Basic realm="ReplyBy", charset="UTF-8"')
        return _text(HTTPStatus.UNAUTHORIZED, "A user name and password are needed.\n", ask)
    return _html(HTTPStatus.OK, render_page(site.read_page(), site.refresh_seconds))


def _is_local(request: Request) -> bool:
    if any(name in request.headers for name in FORWARDED):
        return False
    try:
        host = urlsplit(f"//{request.headers.get('host', 'localhost')}").hostname or ""
    except ValueError:
        return False
    return _is_loopback(request.client) and (host == "localhost" or _is_loopback(host))


def _is_loopback(host: str) -> bool:
    try:
        address = ip_address(host.partition("%")[0])
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return (mapped or address).is_loopback


def _is_authorised(site: Site, header: str) -> bool:
    scheme, _, credentials = header.partition(" ")
    if scheme.lower() != "basic":
        return False
    try:
        given = base64.b64decode(credentials, validate=True)
    except (binascii.Error, ValueError):
        return False
    return hmac.compare_digest(given, f"{site.username}:{site.password}".encode())


def _text(status: HTTPStatus, text: str, *headers: tuple[str, str]) -> Response:
    return Response(status, text.encode(), TEXT, headers)


def _html(status: HTTPStatus, page: str) -> Response:
    policy = (
        f"default-src 'none'; style-src {style_hash()}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
    return Response(status, page.encode(), "text/html; charset=utf-8", (("Content-Security-Policy", policy),))


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = CLIENT_TIMEOUT_SECONDS
    server: "_HttpServer"

    def handle_request(self) -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        self._send(respond(self.server.site, Request(self.command, self.path, headers, str(self.client_address[0]))))

    do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = do_PATCH = do_OPTIONS = do_TRACE = do_CONNECT = handle_request

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Answer what is no HTTP in plain words; the standard page would repeat what the client sent."""
        self.close_connection = True
        status = HTTPStatus(code)
        self._send(_text(status, f"{status.phrase}.\n"))

    def _send(self, response: Response) -> None:
        # What a refused request brought along is not read, so the connection cannot serve another one.
        if self.command not in ("GET", "HEAD"):
            self.close_connection = True
        self.send_response(response.status)
        for name, value in (
            ("Content-Type", response.content_type),
            ("Content-Length", str(len(response.body))),
            ("Cache-Control", "no-store"),
            ("X-Content-Type-Options", "nosniff"),
            ("X-Frame-Options", "DENY"),
            ("Referrer-Policy", "no-referrer"),
            ("Cross-Origin-Resource-Policy", "same-origin"),
            *response.headers,
        ):
            self.send_header(name, value)
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(response.body)

    def version_string(self) -> str:
        return "ReplyBy"

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing of requests that went well: a scrape every few seconds is no news."""


class _HttpServer(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128  # the default of 5 makes a short rush wait for a second try

    def __init__(self, address: tuple[str, int], site: Site) -> None:
        self.site = site
        self._open: set[socket] = set()
        self._lock = threading.Lock()
        self.address_family = AF_INET6 if ":" in address[0] else AF_INET
        super().__init__(address, _Handler)

    def get_request(self) -> tuple[socket, Any]:
        connection, address = super().get_request()
        with self._lock:
            self._open.add(connection)
        return connection, address

    def verify_request(self, request: Any, client_address: Any) -> bool:
        with self._lock:
            welcome = len(self._open) <= MAX_CONNECTIONS
        if not welcome:
            log.warning("more than %d connections at once: one was hung up on", MAX_CONNECTIONS)
        return welcome

    def shutdown_request(self, request: Any) -> None:
        with self._lock:
            self._open.discard(request)
        super().shutdown_request(request)

    def hang_up(self) -> None:
        """End what clients keep open: a scraper's connection would be served on after the last cycle."""
        with self._lock:
            left = list(self._open)
        for connection in left:
            with contextlib.suppress(OSError):
                connection.shutdown(SHUT_RDWR)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is no trouble of ours; anything else is logged with its traceback."""
        log.debug("a client's connection ended early", exc_info=True)


class Server:
    """A running listener; `port` is the one it got."""

    def __init__(self, http: _HttpServer) -> None:
        """Start answering in a thread of its own."""
        self._http = http
        self.port: int = http.server_address[1]
        self._thread = threading.Thread(
            target=http.serve_forever, kwargs={"poll_interval": 0.1}, name="listener", daemon=True
        )
        self._thread.start()

    def stop(self) -> None:
        """Stop listening and hang up; returns when the port is free. A second call does nothing."""
        if self._thread.is_alive():
            self._http.shutdown()
            self._thread.join()
        self._http.server_close()
        self._http.hang_up()


def serve(host: str, port: int, site: Site) -> Server:
    """Listen and answer until `stop()`; port 0 takes any free one.

    Raises:
        ReplyByError: the address cannot be had.
    """
    try:
        http = _HttpServer((host, port), site)
    except OSError as error:
        raise ReplyByError(
            f"{host}:{port}: cannot listen: {error.strerror or error}. "
            "Stop what uses this address, or choose another [worker] metrics_listen."
        ) from error
    return Server(http)
