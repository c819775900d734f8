"""The XML of GET_V1_SELLER_PERFORMANCE_REPORT -> Amazon's own figures of response time. Pure and lenient.

No schema of it is public. The three 24-hour values may be counts or percentages, with or without "%", decimals may have a
comma, the block may hold one item, several or be missing, and a value may be wrapped (`<rate>95 %</rate>`) as those of the
report's other blocks are. Their quotient is the same in every unit, so the unit is not guessed.
"""

import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from monitor.spapi.xml import Node, parse_xml

WINDOWS_DAYS = (7, 30, 90)
_BLOCK = "buyersellercontactresponsetimemetrics"
_UNDER, _OVER, _NONE = "responseunder24hours", "responsetimegreaterthan24hours", "noresponseforcontactsolderthan24hours"
_AVERAGE = "averageresponsetimeinhours"
_LONGEST_HOURS = 24.0 * 366


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactFigure:
    """One window of the report. The three values stand in Amazon's own unit; None: missing or no number.

    Attributes:
        late_ratio: (over + unanswered) ÷ all three, 0 to 1; None where nothing was judged or too little is known.
        average_seconds: average response time; None where it is not told.
    """

    window_days: int
    under_24h: float | None = None
    over_24h: float | None = None
    unanswered: float | None = None
    late_ratio: float | None = None
    average_seconds: float | None = None

    def to_json(self, status: str | None) -> str:
        """Return what the figure was made of, as it is stored beside it."""
        parts = {
            "under_24h": self.under_24h,
            "over_24h": self.over_24h,
            "unanswered": self.unanswered,
            "status": status,
        }
        return json.dumps({name: value for name, value in parts.items() if value is not None}, sort_keys=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class PerformanceReport:
    """What a report says of response times. `has_block` False: nothing, which is normal for many sellers."""

    has_block: bool
    figures: tuple[ContactFigure, ...] = ()
    status: str | None = None  # Amazon's own word: "Good", "Fair", "Poor", "None"


def parse_performance_report(content: bytes, marketplace_id: str = "") -> PerformanceReport:
    """Return the figures of a report; of reports of several marketplaces, those of `marketplace_id`.

    Of several items for one window the one that ends last counts. Items of other lengths are left out.

    Raises:
        ValueError: no XML, a document type (there may be a bomb behind it), or beyond all measure.
    """
    root = parse_xml(content)
    figures: dict[int, tuple[datetime, ContactFigure]] = {}
    has_block, status = False, None
    for report in _reports(root, marketplace_id):
        for node in report.walk():
            if node.name == "contactresponsetime" and status is None:
                status = _word(node.child("status"))
            if node.name != _BLOCK:
                continue
            items = [one for one in node.walk() if one.child("timeframe") is not None]
            has_block = has_block or bool(items)
            for item in items:
                found = _figure(item)
                if found is not None and (
                    found[1].window_days not in figures or figures[found[1].window_days][0] <= found[0]
                ):
                    figures[found[1].window_days] = found
    return PerformanceReport(
        has_block=has_block, figures=tuple(figures[days][1] for days in sorted(figures)), status=status
    )


def _reports(root: Node, marketplace_id: str) -> list[Node]:
    """Return the reports of the marketplace; all, where none says which marketplace it is of."""
    reports = [node for node in root.walk() if node.name == "sellerperformancereport"] or [root]
    marked = [(report, report.child("marketplaceid")) for report in reports]
    if marketplace_id and any(mark is not None and mark.text.strip() for _, mark in marked):
        return [report for report, mark in marked if mark is not None and mark.text.strip() == marketplace_id]
    return reports


def _figure(item: Node) -> tuple[datetime, ContactFigure] | None:
    frame = item.child("timeframe")
    assert frame is not None
    start, end = _instant(_text(frame.child("start"))), _instant(_text(frame.child("end")))
    if start is None or end is None:
        return None
    days = (end - start) / timedelta(days=1)
    # "7 days" is 6 days and 23:59:59 to some, 8 dates to others.
    window = next((window for window in WINDOWS_DAYS if abs(days - window) <= 1 + window / 30), None)
    if window is None:
        return None
    under, over, unanswered = (_value(item.child(name), counts=True) for name in (_UNDER, _OVER, _NONE))
    hours = _value(item.child(_AVERAGE), counts=False)
    return end, ContactFigure(
        window_days=window,
        under_24h=under,
        over_24h=over,
        unanswered=unanswered,
        late_ratio=_late_ratio(under, over, unanswered),
        average_seconds=hours * 3600 if hours is not None and hours <= _LONGEST_HOURS else None,
    )


def _late_ratio(under: float | None, over: float | None, unanswered: float | None) -> float | None:
    """Return the late share; an element that is left out is taken for 0, unless that leaves nothing to compare."""
    if under is None or (over is None and unanswered is None):
        return None
    late = (over or 0.0) + (unanswered or 0.0)
    total = under + late
    return late / total if total > 0 else None


def _value(node: Node | None, *, counts: bool) -> float | None:
    """Return a value of at least 0; of a wrapped one its count, else its rate."""
    if node is None:
        return None
    for inner in (node, node.child("count"), node.child("rate"), node.child("value")):
        value = None if inner is None else parse_number(inner.text, counts=counts)
        if value is not None:
            return value
    return None


_NUMBER = re.compile(r"\d[\d.,'\s\u00a0\u202f]*")


def parse_number(text: str, *, counts: bool = False) -> float | None:
    """Return a number of at least 0 as any language writes it ("1,234.5", "1.234,5", "95,3 %"), None for anything else.

    One mark alone is the decimal mark; but where `counts` may stand, "1,234" is a thousand, and "0,953" a share.
    """
    stripped = text.strip().removesuffix("%").strip()
    if not _NUMBER.fullmatch(stripped) or len(stripped) > 30:
        return None
    compact = re.sub(r"['\s\u00a0\u202f]", "", stripped)
    if not compact.isascii():
        return None
    last = max(compact.rfind(","), compact.rfind("."))
    if last >= 0:
        mark = compact[last]
        whole, decimals = compact[:last], compact[last + 1 :]
        thousand = counts and mark == "," and len(decimals) == 3 and whole.strip("0") != "" and "." not in whole
        if mark in whole or thousand:  # "1,234,567": the mark groups thousands
            whole, decimals = whole + decimals, ""
        compact = re.sub(r"[.,]", "", whole) + "." + decimals
    try:
        return float(compact)
    except ValueError:
        return None


def _instant(text: str) -> datetime | None:
    try:
        at = datetime.fromisoformat(text)
        return (at if at.tzinfo is not None else at.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _text(node: Node | None) -> str:
    return "" if node is None else node.text.strip()


def _word(node: Node | None) -> str | None:
    text = _text(node)
    return text if text.isascii() and text.isalpha() and len(text) <= 20 else None
