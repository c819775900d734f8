"""The calls that are made, through python-amazon-sp-api; each returns what was asked for or raises `AmazonError`.

What of the library is met here: `SP_API_DEFAULT_MARKETPLACE` and its siblings would redirect calls or break its import; an
answer of HTML, of nothing or of problem+json raises nothing; its time-out is 5 s; a document is downloaded without a look at
the status, unbounded, and read as iso-8859-1; its retrying sleeps. So the marketplace and the credentials are given, every
answer is searched for the key that is needed, and the document is fetched here.
"""

import logging
import ssl
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Generic, TypeVar

import httpx
from sp_api.api import Orders, Reports
from sp_api.base import ApiResponse
from sp_api.base.credential_provider import FromCodeCredentialProvider

from monitor.config.model import SpApiConfig
from monitor.core.marketplaces import BY_COUNTRY, region_of
from monitor.spapi import clear_redirections
from monitor.spapi.bounded import Overrun, within
from monitor.spapi.documents import DocumentPlace, download
from monitor.spapi.failures import KNOWN, amazon_error, empty_answer, token_ended
from monitor.spapi.login import TokenCache, build_token_client
from monitor.spapi.rates import parse_rate

for _name in ("sp_api", "httpx", "httpcore"):
    # httpx logs every address at INFO: order numbers and signed links stand in them.
    logging.getLogger(_name).setLevel(logging.WARNING)

REPORT_TYPE = "GET_V1_SELLER_PERFORMANCE_REPORT"
ORDER_DATA = ("FULFILLMENT", "PROCEEDS", "PACKAGES")
"""What is asked of an order beside its items. Never BUYER or RECIPIENT: they need restricted roles."""

TIMEOUT_SECONDS = 20.0
CONNECT_SECONDS = 10.0
LONGEST = 3.0
"""A whole call, its login included, may take so many time-outs."""

ENDPOINTS = {region: f"https://sellingpartnerapi-{region}.amazon.com" for region in ("na", "eu", "fe")}
_AWS_REGIONS = {"na": "us-east-1", "eu": "eu-west-1", "fe": "us-west-2"}

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Answered(Generic[T]):
    """What a call brought; `rate`: the calls a second that Amazon allows, where the answer says so."""

    value: T
    rate: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportState:
    """A report as Amazon has it: IN_QUEUE, IN_PROGRESS, DONE, CANCELLED or FATAL; `document_id` once it is DONE."""

    report_id: str
    status: str
    document_id: str | None = None


@dataclass(frozen=True, slots=True)
class _Place:
    """What the library needs of a marketplace."""

    endpoint: str
    marketplace_id: str
    region: str


class AmazonClient:
    """One account's application. Not for two threads at a time; connects at the first call."""

    def __init__(self, account: str, config: SpApiConfig, *, timeout_seconds: float = TIMEOUT_SECONDS) -> None:
        """Keep the credentials; nothing is asked yet."""
        self.account = account
        self._config = config
        self._timeout = httpx.Timeout(timeout_seconds, connect=min(CONNECT_SECONDS, timeout_seconds))
        self._longest = timeout_seconds * LONGEST
        self._tokens = TokenCache()
        self._apis: dict[str, Any] = {}
        self._tls: ssl.SSLContext | None = None

    def create_report(self, country: str) -> Answered[str]:
        """Ask for a performance report of a marketplace; return its id. Not repeatable: each call makes another one.

        Raises:
            AmazonError: see `monitor.errors`; so does every other call.
        """
        marketplace_id = BY_COUNTRY[country].id
        answer = self._call(
            "createReport", lambda api: api.create_report(reportType=REPORT_TYPE, marketplaceIds=[marketplace_id])
        )
        return Answered(self._text("createReport", answer, "reportId"), _rate(answer))

    def find_report(self, country: str, since: datetime) -> Answered[str | None]:
        """Return the id of the newest report of a marketplace that was created at or after `since`, if there is one."""
        answer = self._call("getReports", lambda api: self._list_reports(api, country, since))
        found: list[tuple[datetime, str]] = []
        for one in self._rows("getReports", answer, "reports"):
            created_at, report_id = _instant(one.get("createdTime")), one.get("reportId")
            dead = one.get("processingStatus") in ("CANCELLED", "FATAL")
            if created_at is not None and created_at >= since and isinstance(report_id, str) and not dead:
                found.append((created_at, report_id))
        return Answered(max(found)[1] if found else None, _rate(answer))

    def may_read_reports(self, country: str, since: datetime) -> None:
        """Look whether the application may read performance reports; makes none.

        Raises:
            AmazonRoleMissing: it may not.
        """
        answer = self._call("getReports", lambda api: self._list_reports(api, country, since))
        self._rows("getReports", answer, "reports")

    def get_report(self, report_id: str) -> Answered[ReportState]:
        """Return how far a report is."""
        answer = self._call("getReport", lambda api: api.get_report(report_id))
        status = self._text("getReport", answer, "processingStatus")
        document_id = answer.payload.get("reportDocumentId")
        state = ReportState(
            report_id=report_id, status=status, document_id=document_id if isinstance(document_id, str) else None
        )
        return Answered(state, _rate(answer))

    def get_document(self, document_id: str) -> Answered[DocumentPlace]:
        """Return where a document lies; for some minutes."""
        answer = self._call("getReportDocument", lambda api: api.get_report_document(document_id))
        url = self._text("getReportDocument", answer, "url")
        return Answered(DocumentPlace(url, answer.payload.get("compressionAlgorithm") == "GZIP"), _rate(answer))

    def download(self, place: DocumentPlace) -> bytes:
        """Return a document's bytes, unpacked. Its size is bounded, packed and unpacked."""
        where = self._where("document")
        try:
            return self._within(lambda: download(place, where, self._timeout, self._context()))
        except Overrun as error:
            raise amazon_error(where, error) from None

    def get_order(self, order_id: str) -> Answered[Mapping[str, Any]]:
        """Return an order as Amazon tells it, without its buyer."""
        answer = self._call(
            "getOrder", lambda api: api.get_order(order_id, includedData=list(ORDER_DATA)), api=Orders, about="order"
        )
        order = answer.payload.get("order") if isinstance(answer.payload, Mapping) else None
        if not isinstance(order, Mapping) or not order:
            raise empty_answer(self._where("getOrder"), answer.payload)
        return Answered(order, _rate(answer))

    def close(self) -> None:
        """Let go of the connections."""
        apis, self._apis = self._apis, {}
        for api in apis.values():
            with suppress(Exception):  # whatever the library thinks of being closed, there is nothing left to do
                api.close()
                api._auth.close()

    # The library ------------------------------------------------------------------------------------------------------

    def _call(
        self, operation: str, run: Callable[[Any], ApiResponse], *, api: Any = Reports, about: str = "report"
    ) -> ApiResponse:
        """Return the library's answer; a token that Amazon no longer takes is renewed once."""
        where = self._where(operation)
        had_token = self._tokens.held
        try:
            try:
                return self._within(lambda: run(self._api(api)))
            except KNOWN as error:
                if not (had_token and token_ended(error)):
                    raise
            self._tokens.forget()
            return self._within(lambda: run(self._api(api)))
        except (*KNOWN, Overrun) as error:
            # `from None`: the library's exceptions carry requests, and with them tokens, into a traceback.
            raise amazon_error(where, error, about=about) from None

    def _within(self, run: Callable[[], T]) -> T:
        """Return what `run` returns; one that does not end is left behind with what it holds: connections, the token's lock."""
        try:
            return within(self._longest, run)
        except Overrun:
            self._tokens = TokenCache()
            self.close()
            raise

    def _api(self, kind: Any) -> Any:
        if kind.__name__ not in self._apis:
            clear_redirections()
            country = self._config.marketplaces[0]
            region = region_of(country) or "na"
            place = _Place(
                (self._config.endpoint or ENDPOINTS[region]).rstrip("/"), BY_COUNTRY[country].id, _AWS_REGIONS[region]
            )
            options: dict[str, Any] = {"version": "2026-01-01"} if kind is Orders else {}
            self._apis[kind.__name__] = kind(
                marketplace=place,
                refresh_token=self._config.refresh_token,
                credentials={
                    "refresh_token": self._config.refresh_token,
                    "lwa_app_id": self._config.lwa_app_id,
                    "lwa_client_secret": self._config.lwa_client_secret,
                },
                credential_providers=(FromCodeCredentialProvider,),  # not the environment, not ~/.config
                timeout=self._timeout,
                verify=self._context(),
                auth_token_client_class=build_token_client(self._config.auth_endpoint, self._tokens),
                **options,
            )
        return self._apis[kind.__name__]

    def _context(self) -> ssl.SSLContext:
        if self._tls is None:
            self._tls = httpx.create_ssl_context()
        return self._tls

    def _list_reports(self, api: Any, country: str, since: datetime) -> ApiResponse:
        return api.get_reports(
            reportTypes=[REPORT_TYPE],
            marketplaceIds=[BY_COUNTRY[country].id],
            createdSince=since.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            pageSize=100,
        )

    def _where(self, operation: str) -> str:
        return f'SP-API of "{self.account}", {operation}'

    def _text(self, operation: str, answer: ApiResponse, key: str) -> str:
        value = answer.payload.get(key) if isinstance(answer.payload, Mapping) else None
        if not isinstance(value, str) or not value:
            raise empty_answer(self._where(operation), answer.payload)
        return value

    def _rows(self, operation: str, answer: ApiResponse, key: str) -> list[Mapping[str, Any]]:
        value = answer.payload.get(key) if isinstance(answer.payload, Mapping) else None
        if not isinstance(value, list):
            raise empty_answer(self._where(operation), answer.payload)
        return [one for one in value if isinstance(one, Mapping)]


def _rate(answer: ApiResponse) -> float | None:
    return parse_rate(answer.rate_limit)


def _instant(value: object) -> datetime | None:
    try:
        at = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None
    return None if at is None else (at if at.tzinfo is not None else at.replace(tzinfo=UTC)).astimezone(UTC)
