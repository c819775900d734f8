"""Which request gets what: routes, who may see the page, and failures that show nothing."""

import base64
import logging
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from http import HTTPStatus
from zoneinfo import ZoneInfo

import pytest
from prometheus_client.parser import text_string_to_metric_families

from monitor.core.snapshot import Snapshot
from monitor.metrics.export import build_registry
from monitor.metrics.page import PageFacts
from monitor.metrics.server import Health, Request, Site, respond
from tests.support.metrics_world import NAMES, make_snapshot

NOW = datetime(2026, 11, 21, 1, 38, 10, tzinfo=UTC)
FACTS = PageFacts(now=NOW, time_zone=ZoneInfo("UTC"), threads=(), mailboxes=(), cycle_last_success_at=NOW)


def broken() -> Snapshot:
    raise OSError("disk is full: secret detail")


def make_site(read: Callable[[], Snapshot] = lambda: make_snapshot(NOW), ok: bool = True) -> Site:
    health = Health(ok, "ok" if ok else "no good cycle for 12 min: support: login refused")
    return Site(registry=build_registry(read, NAMES), read_page=lambda: FACTS, health=lambda: health)


def get(site: Site, path: str, client: str = "127.0.0.1", method: str = "GET", **headers: str) -> tuple[int, str]:
    given = {"host": "localhost:9464", **{name.replace("_", "-"): value for name, value in headers.items()}}
    response = respond(site, Request(method, path, given, client))
    return response.status, response.body.decode()


def basic(text: str) -> str:
    return "Basic " + base64.b64encode(text.encode()).decode()


def test_metrics_come_as_prometheus_text_or_as_openmetrics_as_asked() -> None:
    site = make_site()
    plain = respond(site, Request("GET", "/metrics", {}, "203.0.113.9"))
    assert plain.content_type.startswith("text/plain; version=")
    assert list(text_string_to_metric_families(plain.body.decode()))
    accept = {"accept": "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5"}
    openmetrics = respond(site, Request("GET", "/metrics", accept, "203.0.113.9"))
    assert openmetrics.content_type.startswith("application/openmetrics-text")
    assert openmetrics.body.endswith(b"# EOF\n")


def test_a_query_string_changes_nothing() -> None:
    assert get(make_site(), "/healthz?probe=1") == (200, "ok\n")


def test_health_is_503_with_the_reason_while_cycles_fail() -> None:
    assert get(make_site(ok=False), "/healthz") == (503, "no good cycle for 12 min: support: login refused\n")


def test_what_is_not_there_is_404_in_plain_words() -> None:
    assert get(make_site(), "/secret?x=1") == (404, "Nothing is here. There are /, /metrics and /healthz.\n")


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "TRACE"])
def test_only_reading_is_allowed(method: str) -> None:
    response = respond(make_site(), Request(method, "/metrics", {}, "127.0.0.1"))
    assert response.status == HTTPStatus.METHOD_NOT_ALLOWED
    assert ("Allow", "GET, HEAD") in response.headers


def test_a_failing_store_fails_the_scrape_logs_why_and_tells_the_client_nothing(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.ERROR):
        status, body = get(make_site(broken), "/metrics")
    assert (status, body) == (503, "The worker could not read its store; its log says why.\n")
    assert "disk is full" in caplog.text


def test_a_failing_store_turns_the_page_into_no_data() -> None:
    def fail() -> PageFacts:
        raise OSError("secret detail")

    status, body = get(replace(make_site(), read_page=fail), "/")
    assert status == 503
    assert "NO DATA" in body and "secret" not in body and 'http-equiv="refresh"' in body


@pytest.mark.parametrize("client", ["127.0.0.1", "127.8.8.8", "::1", "::ffff:127.0.0.1"])
def test_the_page_is_shown_on_the_workers_own_computer(client: str) -> None:
    assert get(make_site(), "/", client)[0] == 200


@pytest.mark.parametrize(
    ("client", "headers"),
    [
        ("192.0.2.7", {}),
        ("::ffff:192.0.2.7", {}),
        ("fe80::1%eth0", {}),
        ("127.0.0.1", {"host": "rebound.example"}),
        ("127.0.0.1", {"host": "127.0.0.1.rebound.example"}),
        ("127.0.0.1", {"host": "[::1"}),
        ("127.0.0.1", {"x_forwarded_for": "198.51.100.4"}),
        ("127.0.0.1", {"forwarded": "for=198.51.100.4"}),
    ],
    ids=[
        "another host",
        "mapped",
        "link-local",
        "rebound name",
        "look-alike",
        "broken host",
        "proxy",
        "proxy, RFC 7239",
    ],
)
def test_the_page_is_refused_to_everybody_else_with_what_to_do(
    client: str, headers: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        status, body = get(make_site(), "/", client, **headers)
    assert status == 403
    assert "page_public = true" in body
    assert "refused" in caplog.text


def test_a_public_page_is_shown_to_everybody() -> None:
    assert get(replace(make_site(), page_public=True), "/", "192.0.2.7", host="wall.acme.example")[0] == 200


def test_metrics_and_health_answer_everybody_who_can_reach_them() -> None:
    for path in ("/metrics", "/healthz"):
        assert get(make_site(), path, "192.0.2.7", host="worker.acme.example")[0] == 200


@pytest.mark.parametrize(
    ("header", "status"),
    [
        (basic("wall:s3crét"), 200),
        (basic("wall:wrong"), 401),
        (basic("wrong:s3crét"), 401),
        (basic("wall"), 401),
        ("Basic %%%", 401),
        ("Basic é", 401),
        ("Bearer abc", 401),
        ("", 401),
    ],
)
def test_a_password_is_asked_for_where_one_is_set(header: str, status: int) -> None:
    site = replace(make_site(), username="wall", password="s3crét")
    assert get(site, "/", authorization=header)[0] == status


def test_a_refusal_for_want_of_a_password_asks_for_it() -> None:
    site = replace(make_site(), username="wall", password="x")
    response = respond(site, Request("GET", "/", {"host": "localhost"}, "127.0.0.1"))
    assert response.status == HTTPStatus.UNAUTHORIZED
    assert dict(response.headers)["WWW-Authenticate"].startswith("Basic realm=")


def test_the_password_does_not_show_in_the_sites_own_description() -> None:
    assert "hunter2" not in repr(replace(make_site(), password="hunter2"))


def test_the_page_may_load_its_style_and_nothing_else() -> None:
    response = respond(make_site(), Request("GET", "/", {"host": "localhost"}, "127.0.0.1"))
    policy = dict(response.headers)["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "unsafe" not in policy
