"""The dead-man's switch: silent unless all is well, and never in the way."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import structlog

from alerts.heartbeat import Heartbeat


class _Monitor(ThreadingHTTPServer):
    daemon_threads = True
    status = 200
    seen: list[str]


class _Handler(BaseHTTPRequestHandler):
    server: _Monitor

    def do_GET(self) -> None:
        self.server.seen.append(self.path)
        self.send_response(self.server.status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def monitor() -> Iterator[_Monitor]:
    server = _Monitor(("127.0.0.1", 0), _Handler)
    server.seen = []
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    thread.join(5)
    server.server_close()


def address(server: _Monitor) -> str:
    return f"http://127.0.0.1:{server.server_address[1]}/ping/secret-token"


def test_a_clean_cycle_pings(monitor: _Monitor) -> None:
    heartbeat = Heartbeat(address(monitor))
    assert heartbeat.ping(ok=True)
    assert monitor.seen == ["/ping/secret-token"]
    assert (heartbeat.pings, heartbeat.failures) == (1, 0)


def test_a_failed_cycle_stays_silent(monitor: _Monitor) -> None:
    heartbeat = Heartbeat(address(monitor))
    assert not heartbeat.ping(ok=False)
    assert monitor.seen == []
    assert heartbeat.failures == 0


def test_without_an_address_nothing_is_pinged() -> None:
    assert not Heartbeat("").ping(ok=True)


def test_a_monitor_that_refuses_or_is_away_is_counted_and_its_address_is_not_logged(monitor: _Monitor) -> None:
    heartbeat = Heartbeat(address(monitor), timeout_seconds=5)
    monitor.status = 404
    with structlog.testing.capture_logs() as logs:
        assert not heartbeat.ping(ok=True)
    monitor.shutdown()
    monitor.server_close()
    with structlog.testing.capture_logs() as more:
        assert not heartbeat.ping(ok=True)
    assert heartbeat.failures == 2
    assert [line["error"] for line in (*logs, *more)] == ["HTTP 404", "URLError"]
    assert "secret-token" not in repr((logs, more))


def test_an_address_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="heartbeat_url: not an http or https address"):
        Heartbeat("file:///etc/passwd")
