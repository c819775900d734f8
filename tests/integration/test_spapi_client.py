"""The real library against the stand-in: what is asked for comes back, and whatever goes wrong is one `AmazonError`."""

import gzip
import logging
import socketserver
import subprocess
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import monotonic
from typing import Any

import pytest

from monitor.errors import AmazonError, AmazonLoginRefused, AmazonRoleMissing, AmazonThrottled
from monitor.spapi.client import AmazonClient
from monitor.spapi.documents import MAX_DOCUMENT_BYTES, DocumentPlace
from monitor.wallclock import utc_now
from tests.support.fault_server import json_answer
from tests.support.spapi_server import APP_ID, CLIENT_SECRET, FAULTS, REFRESH_TOKEN, SECRETS, SpApiServer, render_order

ORDER = "402-1234567-1234567"


@pytest.fixture
def amazon() -> Iterator[SpApiServer]:
    with SpApiServer() as server:
        server.orders[ORDER] = render_order(ORDER)
        yield server


@pytest.fixture
def client(amazon: SpApiServer) -> Iterator[AmazonClient]:
    made = AmazonClient("acme-eu", amazon.config(), timeout_seconds=4)
    yield made
    made.close()


def make_client(amazon: SpApiServer, **changes: Any) -> AmazonClient:
    return AmazonClient("acme-eu", amazon.config(**changes), timeout_seconds=4)


def failure(run: Callable[[], object]) -> AmazonError:
    """Return the error of a call; nothing secret may stand in it, in its traceback neither."""
    with pytest.raises(AmazonError) as caught:
        run()
    shown = "".join(traceback.format_exception(caught.value)) + repr(caught.value)
    for secret in SECRETS:
        assert secret not in shown
    return caught.value


def test_a_report_is_created_watched_and_fetched(amazon: SpApiServer, client: AmazonClient) -> None:
    created = client.create_report("FR")
    assert created.rate == 0.0167
    states = [client.get_report(created.value).value for _ in range(3)]
    assert [state.status for state in states] == ["IN_QUEUE", "IN_PROGRESS", "DONE"]
    assert states[0].document_id is None
    assert states[2].document_id is not None
    place = client.get_document(states[2].document_id).value
    assert place.gzip
    assert client.download(place) == amazon.document[""]
    asked = amazon.calls("createReport")[0]
    assert dict(asked.params) == {
        "reportType": "GET_V1_SELLER_PERFORMANCE_REPORT",
        "marketplaceIds": ["A13V1IB3VIYZZH"],
    }
    assert amazon.count("login") == 1
    assert "x-amz-access-token" not in amazon.calls("document")[0].headers  # a signed link needs none


def test_an_order_is_asked_without_anything_restricted(amazon: SpApiServer, client: AmazonClient) -> None:
    order = client.get_order(ORDER)
    assert order.rate == 0.5
    assert order.value["fulfillment"]["fulfillmentStatus"] == "SHIPPED"
    (asked,) = amazon.calls("getOrder")
    assert asked.path == f"/orders/2026-01-01/orders/{ORDER}"
    assert set(asked.params["includedData"].split(",")) == {"FULFILLMENT", "PROCEEDS", "PACKAGES"}


def test_a_report_made_before_a_crash_is_found_again(amazon: SpApiServer, client: AmazonClient) -> None:
    before = utc_now() - timedelta(minutes=1)
    assert client.find_report("FR", before).value is None
    report_id = client.create_report("FR").value
    assert client.find_report("FR", before).value == report_id
    assert client.find_report("DE", before).value is None
    assert client.find_report("FR", utc_now() + timedelta(minutes=1)).value is None
    amazon.reports[report_id].steps = ["CANCELLED"]
    assert client.find_report("FR", before).value is None


CALLS: dict[str, Callable[[AmazonClient], object]] = {
    "createReport": lambda client: client.create_report("FR"),
    "getReports": lambda client: client.find_report("FR", datetime(2026, 11, 1, tzinfo=UTC)),
    "getReport": lambda client: client.get_report("1"),
    "getReportDocument": lambda client: client.get_document("doc-1"),
    "getOrder": lambda client: client.get_order(ORDER),
}


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("operation", ["createReport", "getOrder"])
def test_each_fault_is_one_error_that_says_whether_to_try_again(
    amazon: SpApiServer, client: AmazonClient, operation: str, fault: str
) -> None:
    client.get_order(ORDER)  # logged in: a refusal may be of the token alone
    amazon.requests.clear()
    spoil, reason, retryable = FAULTS[fault]
    amazon.faults.fail_next(operation, times=9, **spoil)
    error = failure(lambda: CALLS[operation](client))
    assert (error.reason, error.retryable) == (reason, retryable)
    assert str(error).startswith(f'SP-API of "acme-eu", {operation}: ')
    # Nothing is repeated behind the job's back, but for a token that may have ended.
    assert amazon.count(operation) == (2 if fault in ("401", "403") else 1)


@pytest.mark.parametrize("operation", CALLS)
def test_no_operation_takes_an_answer_without_content_for_one(
    amazon: SpApiServer, client: AmazonClient, operation: str
) -> None:
    amazon.faults.fail_next(operation, "html", status=500)
    assert failure(lambda: CALLS[operation](client)).reason == "empty"


def test_being_throttled_tells_the_pause_and_the_rate(amazon: SpApiServer, client: AmazonClient) -> None:
    amazon.faults.fail_next(
        "getOrder", "error", status=429, retry_after=90, headers={"x-amzn-RateLimit-Limit": "0.0055"}
    )
    error = failure(lambda: client.get_order(ORDER))
    assert isinstance(error, AmazonThrottled)
    assert error.retry_after == timedelta(seconds=90)
    assert error.rate == 0.0055


def test_a_missing_role_says_which_one_and_what_to_do(amazon: SpApiServer, client: AmazonClient) -> None:
    amazon.roles = set()
    report, order = failure(lambda: client.create_report("FR")), failure(lambda: client.get_order(ORDER))
    assert isinstance(report, AmazonRoleMissing)
    assert isinstance(order, AmazonRoleMissing)
    assert "role Selling Partner Insights, authorise it again" in str(report)
    assert "Inventory and Order Tracking" in str(order)


def test_a_token_that_amazon_took_back_is_renewed_at_once(amazon: SpApiServer, client: AmazonClient) -> None:
    client.get_order(ORDER)
    amazon.tokens.clear()
    assert client.get_order(ORDER).value["orderId"] == ORDER
    assert amazon.count("login") == 2


def test_a_token_that_is_about_to_end_is_renewed(amazon: SpApiServer, client: AmazonClient) -> None:
    amazon.expires_in = 61
    client.get_order(ORDER)
    client.get_order(ORDER)
    assert amazon.count("login") == 1
    amazon.expires_in = 30  # ends before a call can be sure to
    other = make_client(amazon)
    other.get_order(ORDER)
    other.close()
    assert amazon.count("login") == 2


def test_two_applications_never_share_a_token(amazon: SpApiServer) -> None:
    one, two = make_client(amazon), make_client(amazon, lwa_client_secret="an older secret")
    one.get_order(ORDER)
    assert isinstance(failure(lambda: two.get_order(ORDER)), AmazonLoginRefused)
    one.close()
    two.close()


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"refresh_token": "Atzr|taken-back"}, "(HTTP 400 invalid_grant). The authorisation was taken back"),
        ({"lwa_client_secret": "outdated"}, "(HTTP 401 invalid_client). Check lwa_app_id and lwa_client_secret"),
    ],
)
def test_a_refused_login_says_what_to_change(amazon: SpApiServer, changes: dict[str, str], says: str) -> None:
    client = make_client(amazon, **changes)
    error = failure(lambda: client.create_report("FR"))
    client.close()
    assert isinstance(error, AmazonLoginRefused)
    assert f'SP-API of "acme-eu", createReport: login refused {says}' in str(error)
    assert next(iter(changes.values())) not in str(error)
    assert amazon.count("createReport") == 0


def test_a_login_address_that_is_none_is_named_as_what_to_change(amazon: SpApiServer, client: AmazonClient) -> None:
    amazon.faults.fail_next("login", "answer", status=404, body=b'{"errors": []}')
    error = failure(lambda: client.create_report("FR"))
    assert str(error).endswith(
        "login refused (HTTP 404). Check auth_endpoint: Login with Amazon does not answer there."
    )


def test_a_connection_that_is_lost_names_the_host_and_nothing_else_of_the_address(amazon: SpApiServer) -> None:
    client = make_client(amazon, endpoint="http://127.0.0.1:9")
    error = failure(lambda: client.get_order(ORDER))
    client.close()
    assert error.reason == "unreachable"
    assert "no connection to 127.0.0.1 (ConnectError)" in str(error)
    assert ORDER not in str(error)


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        ({"kind": "html", "status": 500}, "unreadable"),
        ({"kind": "answer", "status": 503, "body": b'{"error": "x"}'}, "server"),
        ({"kind": "answer", "status": 200, "body": b"{}"}, "empty"),
        ({"kind": "answer", "status": 200, "body": b"[1]"}, "empty"),
        ({"kind": "reset_before"}, "unreachable"),
    ],
)
def test_a_login_server_out_of_order_is_no_refused_login(
    amazon: SpApiServer, client: AmazonClient, spoil: dict[str, Any], reason: str
) -> None:
    amazon.faults.fail_next("login", **spoil)
    error = failure(lambda: client.get_order(ORDER))
    assert (error.reason, error.retryable) == (reason, True)
    assert client.get_order(ORDER).value["orderId"] == ORDER


# The document ----------------------------------------------------------------------------------------------------------


def fetched(amazon: SpApiServer, client: AmazonClient) -> bytes:
    report_id = client.create_report("FR").value
    return client.download(client.get_document(f"doc-{report_id}").value)


def test_a_document_keeps_its_letters_packed_or_not(amazon: SpApiServer, client: AmazonClient) -> None:
    assert "Äöü" in fetched(amazon, client).decode("utf-8")
    amazon.packed = False
    assert "Äöü" in fetched(amazon, client).decode("utf-8")


def test_a_link_that_ended_is_no_document_without_figures(amazon: SpApiServer, client: AmazonClient) -> None:
    amazon.faults.fail_next(
        "document",
        "answer",
        status=403,
        body=b"<Error><Code>AccessDenied</Code></Error>",
        content_type="application/xml",
    )
    error = failure(lambda: fetched(amazon, client))
    assert (error.reason, error.retryable) == ("rejected", True)


@pytest.mark.parametrize(
    ("body", "reason", "retryable"),
    [
        pytest.param(gzip.compress(b"<a/>" * 9000)[:-20], "unreadable", True, id="cut off"),
        pytest.param(b"\x1f\x8bno gzip at all", "unreadable", True, id="damaged"),
        pytest.param(gzip.compress(b"\0" * (MAX_DOCUMENT_BYTES + 1)), "unreadable", False, id="a bomb"),
    ],
)
def test_a_document_that_cannot_be_unpacked_is_an_error(
    amazon: SpApiServer, client: AmazonClient, body: bytes, reason: str, retryable: bool
) -> None:
    amazon.faults.fail_next("document", "answer", body=body, content_type="application/octet-stream")
    error = failure(lambda: fetched(amazon, client))
    assert (error.reason, error.retryable) == (reason, retryable)


def test_where_a_document_lies_is_shown_nowhere() -> None:
    assert "signature" not in repr(DocumentPlace("https://s3.example/?signature=1", True))


# Traps of the library --------------------------------------------------------------------------------------------------


def test_the_environment_redirects_nothing(amazon: SpApiServer, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "SP_API_DEFAULT_MARKETPLACE": "JP",
        "SP_API_REFRESH_TOKEN": "Atzr|of-another",
        "LWA_APP_ID": "another",
        "LWA_CLIENT_SECRET": "another",
        "SP_API_REFRESH_TOKEN_default": "Atzr|of-another",
        "SP_API_AWS_SECRET_ID": "another",
    }.items():
        monkeypatch.setenv(name, value)
    client = make_client(amazon)
    client.create_report("FR")
    client.get_order(ORDER)
    client.close()
    assert amazon.calls("createReport")[0].params["marketplaceIds"] == ["A13V1IB3VIYZZH"]
    login = amazon.calls("login")[0].params
    assert (login["client_id"], login["client_secret"], login["refresh_token"]) == (
        APP_ID,
        CLIENT_SECRET,
        REFRESH_TOKEN,
    )


def test_odd_values_in_the_environment_do_not_break_the_import() -> None:
    odd = {"SP_API_DEFAULT_MARKETPLACE": "ATLANTIS", "AWS_ENV": "moon", "SP_API_AUTH_CACHE_TTL": "long"}
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-c", "import monitor.spapi.client"],
        env={**odd, "PATH": "/usr/bin:/bin", "PYTHONPATH": str(root)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_the_libraries_log_neither_addresses_nor_tokens(
    amazon: SpApiServer, client: AmazonClient, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        client.get_order(ORDER)
        fetched(amazon, client)
    assert ORDER not in caplog.text
    for secret in SECRETS:
        assert secret not in caplog.text


def test_the_sandbox_is_reached_by_its_address_alone(amazon: SpApiServer) -> None:
    client = make_client(amazon, endpoint=f"{amazon.base_url}/", auth_endpoint=amazon.base_url)
    assert client.get_order(ORDER).value["orderId"] == ORDER
    client.close()


def test_the_stand_in_refuses_what_amazon_refuses(amazon: SpApiServer, client: AmazonClient) -> None:
    client.get_order(ORDER)
    call = amazon.calls("getOrder")[0]
    asked = {**call.params, "includedData": "BUYER"}
    refused = amazon._answer(
        type(call)(name="getOrder", verb="GET", path=call.path, params=asked, headers=call.headers)
    )
    assert refused.status == 403
    assert refused.body != json_answer({}).body


@contextmanager
def dripping() -> Iterator[str]:
    """Give the address of a server that sends a byte now and then, and never ends."""
    stop = threading.Event()

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            with suppress(OSError):
                self.request.recv(65536)
                self.request.sendall(
                    b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 99999\r\n\r\n"
                )
                while not stop.wait(0.05):
                    self.request.sendall(b" ")

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        stop.set()
        server.shutdown()
        thread.join(5)


@pytest.mark.parametrize("where", ["endpoint", "auth_endpoint"])
def test_an_answer_that_drips_byte_by_byte_ends_in_time_and_blocks_no_later_call(
    amazon: SpApiServer, where: str
) -> None:
    with dripping() as address:
        client = AmazonClient("acme-eu", amazon.config(**{where: address}), timeout_seconds=0.3)
        for _ in range(2):
            began = monotonic()
            error = failure(lambda: client.get_order(ORDER))
            assert (error.reason, error.retryable) == ("timeout", True)
            assert monotonic() - began < 30  # it drips for ever
        assert failure(lambda: client.download(DocumentPlace(address, False))).reason == "timeout"
        client.close()
