"""The worker's own page in a real browser, on a wall and on a phone, served by the real listener."""

import http.client
import socket
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Browser, Page

from monitor.core.snapshot import MailboxHealth
from monitor.errors import ReplyByError
from monitor.metrics.export import build_registry
from monitor.metrics.page import PageFacts
from monitor.metrics.server import MAX_CONNECTIONS, Health, Server, Site, serve
from tests.support.chromium import PHONE, WALL, open_browser, take_picture
from tests.support.metrics_world import NAMES, make_page, make_snapshot, make_thread
from tests.support.waiting import wait_until

NOW = datetime(2026, 11, 21, 1, 38, 10, tzinfo=UTC)
SEEN = MailboxHealth(mailbox="support", last_success_at=NOW - timedelta(seconds=8))
CALM = PageFacts(
    now=NOW,
    time_zone=ZoneInfo("Europe/Paris"),
    threads=(),
    mailboxes=(SEEN,),
    cycle_last_success_at=NOW - timedelta(seconds=8),
    response_ratio={7: 0.964, 30: 0.948, 90: 0.951},
)
BUSY = make_page(
    CALM,
    make_thread(1, timedelta(hours=1, minutes=32), NOW, "FR"),
    make_thread(2, timedelta(hours=6, minutes=5), NOW, "DE", "Ana"),
    replace(make_thread(3, timedelta(hours=9, minutes=20), NOW, "IT"), messages=3, where="junk"),
    make_thread(4, timedelta(hours=22, minutes=10), NOW, "JP", "Bo"),
)
OVERDUE = replace(
    make_page(CALM, make_thread(5, timedelta(minutes=-12), NOW, "DE"), *BUSY.threads),
    mailboxes=(
        SEEN,
        MailboxHealth(
            mailbox="osaka",
            last_success_at=NOW - timedelta(minutes=33),
            trouble="imap.acme.example:993: login refused. Check ACME_IMAP_PASSWORD.",
        ),
    ),
    response_ratio={7: 0.871, 30: 0.948, 90: 0.951},
    warnings=("Italy: replies made in Seller Central were never seen.", "3 mails wait for a decision: replyby review"),
)
NO_DATA = replace(BUSY, cycle_last_success_at=NOW - timedelta(minutes=12))
FACTS = {"busy": BUSY, "calm": CALM, "overdue": OVERDUE, "no-data": NO_DATA}


@dataclass
class Shown:
    """What the page is to show at its next loading."""

    facts: PageFacts
    loads: int = field(default=0)

    def read(self) -> PageFacts:
        self.loads += 1
        return self.facts


@pytest.fixture
def shown() -> Shown:
    return Shown(CALM)


@pytest.fixture
def server(request: pytest.FixtureRequest, shown: Shown) -> Iterator[Server]:
    """Serve a page that stands still while it is looked at, unless a test asks for another pace."""
    site = Site(
        registry=build_registry(lambda: make_snapshot(NOW), NAMES),
        read_page=shown.read,
        health=lambda: Health(True),
        refresh_seconds=getattr(request, "param", 600),
    )
    running = serve("127.0.0.1", 0, site)
    yield running
    running.stop()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with open_browser() as running:
        yield running


def open_page(browser: Browser, server: Server, size: tuple[int, int], scheme: str = "light") -> Page:
    page = browser.new_page(
        viewport={"width": size[0], "height": size[1]}, color_scheme="dark" if scheme == "dark" else "light"
    )
    page.goto(f"http://127.0.0.1:{server.port}/")
    return page


@pytest.mark.integration
@pytest.mark.parametrize("size", [WALL, PHONE], ids=["wall", "phone"])
@pytest.mark.parametrize("name", FACTS)
def test_the_page_fits_its_screen_and_is_drawn_with_its_style(
    browser: Browser, server: Server, shown: Shown, name: str, size: tuple[int, int]
) -> None:
    shown.facts = FACTS[name]
    page = open_page(browser, server, size, "dark" if size == PHONE else "light")
    take_picture(page, f"page-{name}-{size[0]}")
    width = page.evaluate("document.documentElement.scrollWidth")
    assert width <= size[0]
    big = page.locator(".hero .big")
    assert big.bounding_box() is not None
    assert float(page.evaluate("parseFloat(getComputedStyle(document.querySelector('.hero .big')).fontSize)")) >= (
        90 if size == WALL else 30
    )
    if size == WALL:
        assert page.evaluate("document.documentElement.scrollHeight") <= size[1]
    page.close()


@pytest.mark.integration
@pytest.mark.parametrize(
    ("name", "colour"),
    [
        ("busy", "rgb(154, 103, 0)"),
        ("calm", "rgb(0, 114, 178)"),
        ("overdue", "rgb(164, 14, 38)"),
        ("no-data", "rgb(90, 96, 105)"),
    ],
)
def test_each_state_has_its_colour_and_its_word(
    browser: Browser, server: Server, shown: Shown, name: str, colour: str
) -> None:
    shown.facts = FACTS[name]
    page = open_page(browser, server, WALL)
    assert page.evaluate("getComputedStyle(document.querySelector('.hero')).backgroundColor") == colour
    words = {"busy": "1 h 32 min", "calm": "nothing waiting", "overdue": "12 min", "no-data": "NO DATA"}
    assert page.locator(".hero .big").inner_text() == words[name]
    page.close()


@pytest.mark.integration
@pytest.mark.parametrize("server", [1], indirect=True)
def test_the_page_loads_itself_again_and_shows_what_changed(browser: Browser, server: Server, shown: Shown) -> None:
    shown.facts = BUSY
    page = open_page(browser, server, WALL)
    assert page.locator(".hero .big").inner_text() == "1 h 32 min"
    shown.facts = CALM
    page.get_by_text("no buyer message is without a reply").wait_for(timeout=20000)
    assert shown.loads >= 2
    page.close()


@pytest.mark.integration
def test_the_page_asks_for_nothing_but_itself(browser: Browser, server: Server, shown: Shown) -> None:
    shown.facts = OVERDUE
    page = browser.new_page()
    asked: list[str] = []
    complaints: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: complaints.append(message.text))
    page.goto(f"http://127.0.0.1:{server.port}/")
    assert {url.rsplit("/", 1)[1] for url in asked} <= {"", "favicon.ico"}
    assert [line for line in complaints if "favicon" not in line and "404" not in line] == []
    page.close()


def ask(port: int, method: str, path: str) -> tuple[http.client.HTTPResponse, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request(method, path)
        response = connection.getresponse()
        return response, response.read()
    finally:
        connection.close()


@pytest.mark.parametrize("path", ["/", "/metrics", "/healthz", "/nothing"])
def test_head_says_what_get_would_say_without_the_body(server: Server, path: str) -> None:
    got, body = ask(server.port, "GET", path)
    head, nothing = ask(server.port, "HEAD", path)
    assert (head.status, nothing) == (got.status, b"")
    assert int(got.headers["Content-Length"]) == len(body)
    if path != "/metrics":  # the process's own figures change from one scrape to the next
        assert head.headers["Content-Length"] == got.headers["Content-Length"]


def test_every_answer_forbids_guessing_framing_and_keeping(server: Server) -> None:
    for path in ("/", "/metrics", "/healthz", "/nothing"):
        headers = ask(server.port, "GET", path)[0].headers
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["X-Frame-Options"] == "DENY"
        assert headers["Cache-Control"] == "no-store"
        assert headers["Server"] == "ReplyBy"


def test_a_posted_body_is_refused_and_never_taken_for_a_second_request(server: Server) -> None:
    with socket.create_connection(("127.0.0.1", server.port), timeout=5) as client:
        client.sendall(
            b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 29\r\n\r\nGET /metrics HTTP/1.1\r\nHost: x\r\n\r\n"
        )
        answer = b"".join(iter(lambda: client.recv(65536), b""))
    assert answer.startswith(b"HTTP/1.1 405")
    assert answer.count(b"HTTP/1.1") == 1


@pytest.mark.parametrize(
    "sent",
    [
        b"\x16\x03\x01 nonsense\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"FROB / HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /" + b"a" * 70000,
    ],
    ids=["no HTTP", "version from the future", "unknown method", "endless path"],
)
def test_what_is_no_request_is_refused_in_plain_words(server: Server, sent: bytes) -> None:
    with socket.create_connection(("127.0.0.1", server.port), timeout=5) as client:
        client.sendall(sent + b"\r\n\r\n")
        client.shutdown(socket.SHUT_WR)
        answer = b"".join(iter(lambda: client.recv(65536), b""))
    assert b"Traceback" not in answer and b"<html" not in answer.lower()
    assert answer
    assert ask(server.port, "GET", "/healthz")[0].status == 200


def test_the_port_is_free_again_after_a_stop(shown: Shown) -> None:
    site = Site(
        registry=build_registry(lambda: make_snapshot(NOW), NAMES), read_page=shown.read, health=lambda: Health(True)
    )
    first = serve("127.0.0.1", 0, site)
    first.stop()
    first.stop()
    second = serve("127.0.0.1", first.port, site)
    assert ask(second.port, "GET", "/healthz")[1] == b"ok\n"
    second.stop()


def test_a_connection_kept_open_ends_with_the_listener(server: Server) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=5)
    connection.request("GET", "/healthz")
    assert connection.getresponse().read() == b"ok\n"
    kept = connection.sock
    assert kept is not None
    server.stop()
    assert kept.recv(1) == b""
    connection.close()


def test_a_crowd_of_idle_connections_is_bounded_and_leaves_room_once_it_goes(server: Server) -> None:
    crowd = [socket.create_connection(("127.0.0.1", server.port), timeout=20) for _ in range(MAX_CONNECTIONS + 1)]
    try:
        assert crowd[-1].recv(1) == b""
    finally:
        for connection in crowd:
            connection.close()
    wait_until(lambda: answers(server.port), "an answer after the crowd left")


def answers(port: int) -> bool:
    try:
        return ask(port, "GET", "/healthz")[0].status == 200
    except (OSError, http.client.HTTPException):
        return False


def test_an_address_in_use_is_told_in_one_line_with_what_to_do(server: Server, shown: Shown) -> None:
    site = Site(
        registry=build_registry(lambda: make_snapshot(NOW), NAMES), read_page=shown.read, health=lambda: Health(True)
    )
    with pytest.raises(ReplyByError, match=rf"127.0.0.1:{server.port}: cannot listen: .* choose another \[worker\]"):
        serve("127.0.0.1", server.port, site)


def test_the_listener_also_speaks_ipv6(shown: Shown) -> None:
    site = Site(
        registry=build_registry(lambda: make_snapshot(NOW), NAMES), read_page=shown.read, health=lambda: Health(True)
    )
    running = serve("::1", 0, site)
    connection = http.client.HTTPConnection("::1", running.port, timeout=5)
    connection.request("GET", "/")
    assert connection.getresponse().status == 200
    connection.close()
    running.stop()
