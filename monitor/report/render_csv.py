"""The week's messages as CSV, one line each: no word of a buyer, no name, no person."""

import csv
import io

from monitor.core.figures import Judgement, MessageOutcome, latency_seconds
from monitor.report.model import Report
from monitor.report.render_json import instant_to_json

COLUMNS = (
    "message",
    "thread",
    "account",
    "marketplace",
    "order_id",
    "labels",
    "received_at",
    "received_local",
    "deadline_at",
    "answered_at",
    "waived_at",
    "target_seconds",
    "response_seconds",
    "outcome",
    "by_hand",
)
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def render_csv(report: Report) -> str:
    """Return the messages received in the week, oldest first, as RFC 4180 text with a header line.

    `outcome` is the message's own judgement; `response_seconds` is empty unless it was answered, so that a spreadsheet's
    AVERAGE, MEDIAN and PERCENTILE give the report's figures. A cell that a spreadsheet would take for a formula gets an
    apostrophe before it.
    """
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    for outcome, judgement in report.messages:
        writer.writerow([_harmless(cell) for cell in _cells(outcome, judgement, report)])
    return text.getvalue()


def _cells(outcome: MessageOutcome, judgement: Judgement, report: Report) -> list[str]:
    latency = latency_seconds(outcome, judgement)
    local = outcome.received_at.astimezone(report.settings.time_zone)
    return [
        str(outcome.message_id),
        str(outcome.thread_id),
        outcome.account,
        outcome.marketplace or "",
        outcome.order_id or "",
        " ".join(outcome.labels),
        instant_to_json(outcome.received_at),
        local.strftime("%Y-%m-%d %H:%M:%S"),
        instant_to_json(outcome.deadline_at),
        instant_to_json(outcome.answered_at) if outcome.answered_at else "",
        instant_to_json(outcome.waived_at) if outcome.waived_at else "",
        f"{outcome.target.total_seconds():.0f}",
        "" if latency is None else f"{latency:.6f}".rstrip("0").rstrip("."),
        judgement.value,
        "yes" if outcome.by_hand else "no",
    ]


def _harmless(cell: str) -> str:
    return "'" + cell if cell.startswith(_FORMULA_STARTS) else cell
