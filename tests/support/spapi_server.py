"""A stand-in for Login with Amazon and the Selling Partner API on loopback, shaped like Amazon's public model files.

with SpApiServer() as amazon:
    config = amazon.config()                  # an [account.sp_api] that points here
    amazon.faults.fail_next("getOrder", "error", error="QuotaExceeded", status=429)

Calls are named by Amazon's operation ids ("createReport", "getReport", "getReports", "getReportDocument", "getOrder"), the
login "login", the download of a document "document".
"""

import gzip
import itertools
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from monitor.config.model import SpApiConfig
from tests.support.fault_server import Call, Fault, FaultServer, HttpAnswer, json_answer

REFRESH_TOKEN = "Atzr|refresh-sesame-4711"
APP_ID = "amzn1.application-oa2-client.0123456789abcdef"
CLIENT_SECRET = "amzn1.oa2-cs.v1.sesame-secret-0815"
RATES = {
    "createReport": "0.0167",
    "getReports": "0.0222",
    "getReport": "2.0",
    "getReportDocument": "0.0167",
    "getOrder": "0.5",
}
ROLE_OF = {
    **dict.fromkeys(("createReport", "getReports", "getReport", "getReportDocument"), "report"),
    "getOrder": "order",
}
_CODES = {
    400: "InvalidInput",
    401: "Unauthorized",
    403: "Unauthorized",
    404: "NotFound",
    429: "QuotaExceeded",
    500: "InternalFailure",
    502: "BadGateway",
    503: "ServiceUnavailable",
    504: "GatewayTimeout",
}


SECRETS = (REFRESH_TOKEN, CLIENT_SECRET, "access-sesame", "sesame-signature", "Invented Buyer")
"""None of these may stand in an error, a log line or the store."""

FAULTS: dict[str, tuple[dict[str, Any], str, bool]] = {
    "401": ({"kind": "error", "status": 401}, "login", True),
    "403": ({"kind": "error", "status": 403}, "role", False),
    "429": ({"kind": "error", "status": 429, "headers": {"x-amzn-RateLimit-Limit": "0.25"}}, "throttled", True),
    "400": ({"kind": "error", "status": 400}, "rejected", False),
    "404": ({"kind": "error", "status": 404}, "not_found", False),
    "500 in JSON": ({"kind": "error", "status": 500}, "server", True),
    "502 in JSON": ({"kind": "error", "status": 502}, "server", True),
    "500 in HTML": ({"kind": "html", "status": 500}, "empty", True),
    "503 empty": ({"kind": "answer", "status": 503}, "empty", True),
    "404 problem+json": (
        {
            "kind": "answer",
            "status": 404,
            "body": b'{"type":"about:blank","title":"Not Found","status":404,"detail":"No such thing"}',
            "content_type": "application/problem+json",
        },
        "not_found",
        False,
    ),
    "200 empty": ({"kind": "answer", "status": 200}, "empty", True),
    "200 null": ({"kind": "answer", "status": 200, "body": b"null"}, "empty", True),
    "a number": ({"kind": "answer", "status": 200, "body": b"7"}, "unreadable", True),
    "an empty list": ({"kind": "answer", "status": 200, "body": b"[]"}, "empty", True),
    "a list": ({"kind": "answer", "status": 200, "body": b'["x"]'}, "unreadable", True),
    "errors of another shape": (
        {"kind": "answer", "status": 500, "body": b'{"errors": {"code": 1}}'},
        "unreadable",
        True,
    ),
    "other members": ({"kind": "answer", "status": 200, "body": b'{"headers": 1, "payload": []}'}, "unreadable", True),
    "half an answer": ({"kind": "answer", "status": 200, "body": b'{"reportId": "1'}, "empty", True),
    "time-out": ({"kind": "hang_before"}, "timeout", True),
    "connection lost": ({"kind": "reset_before"}, "unreachable", True),
    "answer lost": ({"kind": "drop_after"}, "unreachable", True),
}
"""Everything that can go wrong with a call: how the stand-in does it, the reason it has, whether it is tried again."""


def render_report(
    *items: Mapping[str, object], marketplace_id: str = "A13V1IB3VIYZZH", status: str = "Good", block: bool = True
) -> bytes:
    """Return a V1 report; each item holds `days` and the values as they shall stand. `block` False: no contact block."""
    end = datetime.fromisoformat("2026-11-22T00:00:00+00:00")
    metrics = ""
    for item in items:
        frame = (
            f"<start>{(end - timedelta(days=int(str(item['days'])))).isoformat()}</start><end>{end.isoformat()}</end>"
        )
        values = "".join(f"<{name}>{value}</{name}>" for name, value in item.items() if name != "days")
        metrics += f"<responseTimeMetrics><timeFrame>{frame}</timeFrame>{values}</responseTimeMetrics>"
    contact = (
        f"<buyerSellerContactResponseTimeMetrics>{metrics}</buyerSellerContactResponseTimeMetrics>" if block else ""
    )
    return (
        '<?xml version="1.0" encoding="UTF-8"?>'
        '<sellerPerformanceReports xmlns="http://amazon.example/performance"><sellerPerformanceReport>'
        f"<marketplaceID>{marketplace_id}</marketplaceID><businessName>Äöü &amp; Söhne</businessName>"
        f"<performanceChecklist><contactResponseTime><status>{status}</status></contactResponseTime></performanceChecklist>"
        f"<orderDefectMetrics><orderWithDefects><rate>0.12 %</rate></orderWithDefects></orderDefectMetrics>{contact}"
        "</sellerPerformanceReport></sellerPerformanceReports>"
    ).encode()


def values_of(
    under: object, over: object, unanswered: object, hours: object = 3.2, days: int = 30
) -> dict[str, object]:
    """Return an item for `render_report`."""
    return {
        "days": days,
        "averageResponseTimeInHours": hours,
        "responseUnder24Hours": under,
        "responseTimeGreaterThan24Hours": over,
        "noResponseForContactsOlderThan24Hours": unanswered,
    }


def render_order(order_id: str, **changes: Any) -> dict[str, Any]:
    """Return an order as getOrder tells it without BUYER and RECIPIENT; `changes` replace members."""
    order: dict[str, Any] = {
        "orderId": order_id,
        "createdTime": "2026-11-17T10:30:00Z",
        "lastUpdatedTime": "2026-11-18T14:45:00Z",
        "salesChannel": {"channelName": "AMAZON", "marketplaceId": "A13V1IB3VIYZZH", "marketplaceName": "Amazon.fr"},
        "proceeds": {"grandTotal": {"amount": "39.98", "currencyCode": "EUR"}},
        "fulfillment": {
            "fulfillmentStatus": "SHIPPED",
            "fulfilledBy": "MERCHANT",
            "fulfillmentServiceLevel": "STANDARD",
            "shipByWindow": {"earliestDateTime": "2026-11-18T00:00:00Z", "latestDateTime": "2026-11-19T22:59:59Z"},
            "deliverByWindow": {"earliestDateTime": "2026-11-19T00:00:00Z", "latestDateTime": "2026-11-20T22:59:59Z"},
        },
        "orderItems": [
            {
                "orderItemId": "12345678901234",
                "quantityOrdered": 2,
                "product": {"asin": "B0INVENTED", "title": "Invented kettle, 1.7 l", "sellerSku": "KETTLE-17"},
                "fulfillment": {"quantityFulfilled": 2, "quantityUnfulfilled": 0},
            }
        ],
        "packages": [{"packageReferenceId": "1", "packageStatus": {"status": "IN_TRANSIT"}, "trackingNumber": "Z999"}],
    }
    return {**order, **changes}


BUYER = {"buyerName": "Invented Buyer", "buyerEmail": "k7c2v9m4x1@marketplace.amazon.fr"}


@dataclass(slots=True)
class Report:
    """A report that was asked for. `steps`: how often it is still looked at before it ends."""

    report_id: str
    marketplace_id: str
    created_at: datetime
    steps: list[str]
    document: bytes
    packed: bool = True


@dataclass
class SpApiServer(FaultServer):
    """See the module. Everything public may be changed by a test while it runs.

    Attributes:
        roles: what the application may do: "report", "order".
        foreign: marketplace ids and orders of somebody else's account.
        document: what the next report will hold, by marketplace id ("": any). packed: gzip it.
        steps: the states that the next report goes through, the last one for good.
        orders: known orders; others are not found. leaks_buyer: every order tells of its buyer, asked or not.
        tokens: access tokens that hold. expires_in: of the tokens to come.
        rates: x-amzn-RateLimit-Limit by operation.
    """

    roles: set[str] = field(default_factory=lambda: {"report", "order"})
    foreign: set[str] = field(default_factory=set)
    document: dict[str, bytes] = field(default_factory=lambda: {"": render_report(values_of(90, 4, 6))})
    packed: bool = True
    steps: tuple[str, ...] = ("IN_QUEUE", "IN_PROGRESS", "DONE")
    orders: dict[str, dict[str, Any]] = field(default_factory=dict)
    leaks_buyer: bool = False
    tokens: set[str] = field(default_factory=set)
    expires_in: int = 3600
    rates: dict[str, str] = field(default_factory=lambda: dict(RATES))
    reports: dict[str, Report] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Bind a port."""
        FaultServer.__init__(self)
        self._numbers = itertools.count(1)

    __hash__ = object.__hash__

    def config(self, *marketplaces: str, **changes: Any) -> SpApiConfig:
        """Return an [account.sp_api] on this server."""
        settings: dict[str, Any] = {
            "refresh_token": REFRESH_TOKEN,
            "lwa_app_id": APP_ID,
            "lwa_client_secret": CLIENT_SECRET,
            "marketplaces": marketplaces or ("FR",),
            "endpoint": self.base_url,
            "auth_endpoint": f"{self.base_url}/auth/o2/token",
        }
        return SpApiConfig(**{**settings, **changes})

    def section(self, *marketplaces: str) -> str:
        """Return the same as lines of config.toml, to stand behind an [[account]]."""
        names = ", ".join(f'"{name}"' for name in marketplaces or ("FR",))
        return (
            f'[account.sp_api]\nrefresh_token = "{REFRESH_TOKEN}"\nlwa_app_id = "{APP_ID}"\n'
            f'lwa_client_secret = "{CLIENT_SECRET}"\nmarketplaces = [{names}]\n'
            f'endpoint = "{self.base_url}"\nauth_endpoint = "{self.base_url}/auth/o2/token"\n'
        )

    def count(self, name: str) -> int:
        """Return how often an operation was called."""
        return len(self.calls(name))

    def _route(self, verb: str, path: str) -> str:
        if path == "/auth/o2/token":
            return "login"
        if path == "/reports/2021-06-30/reports":
            return "createReport" if verb == "POST" else "getReports"
        for prefix, name in (
            ("/reports/2021-06-30/reports/", "getReport"),
            ("/reports/2021-06-30/documents/", "getReportDocument"),
            ("/orders/2026-01-01/orders/", "getOrder"),
            ("/s3/", "document"),
        ):
            if path.startswith(prefix):
                return name
        return "unknown"

    def _provider_error(self, fault: Fault) -> HttpAnswer:
        status = fault.status or 400
        code = str(fault.error) or _CODES.get(status, "Other")
        # Amazon repeats what it was sent now and then: nothing of it may reach a log.
        message = f"Request of {CLIENT_SECRET} for the buyer Invented Buyer failed."
        return json_answer({"errors": [{"code": code, "message": message, "details": ""}]}, status=status)

    def _error(self, status: int, name: str) -> HttpAnswer:
        body = {"errors": [{"code": _CODES[status], "message": f"HTTP {status}", "details": ""}]}
        return json_answer(body, status=status, headers=self._headers(name))

    def _headers(self, name: str) -> dict[str, str]:
        rate = {"x-amzn-RateLimit-Limit": self.rates[name]} if name in self.rates else {}
        return {"x-amzn-RequestId": "00000000-0000", **rate}

    def _answer(self, call: Call) -> HttpAnswer:
        with self.lock:
            if call.name == "login":
                return self._login(call)
            if call.name == "document":
                report = self.reports[call.path.rpartition("/")[2]]
                body = gzip.compress(report.document) if report.packed else report.document
                return HttpAnswer(body=body, content_type="application/octet-stream")
            if call.name == "unknown":
                return self._error(404, call.name)
            if call.headers.get("x-amz-access-token") not in self.tokens or self._lacks(call):
                return self._error(403, call.name)
            value = self._carry_out(call)
            if value is None:
                return self._error(404, call.name)
            status = 202 if call.name == "createReport" else 200
            return json_answer(value, status=status, headers=self._headers(call.name))

    def _lacks(self, call: Call) -> bool:
        wanted = {one for one in str(call.params.get("includedData", "")).split(",") if one}
        about = {*call.params.get("marketplaceIds", ()), call.path.rpartition("/")[2]}
        return ROLE_OF[call.name] not in self.roles or bool(wanted & {"BUYER", "RECIPIENT"} or about & self.foreign)

    def _login(self, call: Call) -> HttpAnswer:
        form = call.params
        if form.get("client_id") != APP_ID or form.get("client_secret") != CLIENT_SECRET:
            return json_answer(
                {"error": "invalid_client", "error_description": "Client authentication failed"}, status=401
            )
        if form.get("grant_type") != "refresh_token" or form.get("refresh_token") != REFRESH_TOKEN:
            return json_answer(
                {"error": "invalid_grant", "error_description": f"not {form.get('refresh_token')}"}, status=400
            )
        token = f"Atza|access-sesame-{next(self._numbers)}"
        self.tokens.add(token)
        return json_answer(
            {
                "access_token": token,
                "refresh_token": REFRESH_TOKEN,
                "token_type": "bearer",
                "expires_in": self.expires_in,
            }
        )

    def _carry_out(self, call: Call) -> dict[str, Any] | None:
        last = call.path.rpartition("/")[2]
        if call.name == "createReport":
            return self._create(call)
        if call.name == "getReports":
            since = datetime.fromisoformat(str(call.params["createdSince"]))
            wanted = str(call.params["marketplaceIds"]).split(",")
            rows = [one for one in self.reports.values() if one.created_at >= since and one.marketplace_id in wanted]
            return {"reports": [self._state(one) for one in reversed(rows)]}
        if call.name == "getReport":
            report = self.reports.get(last)
            if report is None:
                return None
            state = self._state(report)
            if len(report.steps) > 1:
                report.steps.pop(0)
            return state
        if call.name == "getReportDocument":
            if last.removeprefix("doc-") not in self.reports:
                return None
            url = f"{self.base_url}/s3/{last.removeprefix('doc-')}?X-Amz-Signature=sesame-signature"
            packed = self.reports[last.removeprefix("doc-")].packed
            return {"reportDocumentId": last, "url": url, **({"compressionAlgorithm": "GZIP"} if packed else {})}
        order = self.orders.get(last)
        if order is None:
            return None
        return {"order": {**order, **({"buyer": BUYER} if self.leaks_buyer else {})}}

    def _create(self, call: Call) -> dict[str, Any]:
        marketplace_id = call.params["marketplaceIds"][0]
        report_id = f"{next(self._numbers)}000020411"
        self.reports[report_id] = Report(
            report_id=report_id,
            marketplace_id=marketplace_id,
            created_at=self.clock(),
            steps=list(self.steps),
            document=self.document.get(marketplace_id, self.document.get("", b"")),
            packed=self.packed,
        )
        return {"reportId": report_id}

    def _state(self, report: Report) -> dict[str, Any]:
        status = report.steps[0]
        state = {
            "reportId": report.report_id,
            "reportType": "GET_V1_SELLER_PERFORMANCE_REPORT",
            "marketplaceIds": [report.marketplace_id],
            "createdTime": report.created_at.strftime("%Y-%m-%dT%H:%M:%S+00:00"),
            "processingStatus": status,
        }
        return {**state, "reportDocumentId": f"doc-{report.report_id}"} if status == "DONE" else state
