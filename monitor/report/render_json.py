"""A report as the JSON of `replyby report --json`. Key names are a contract; instants are RFC 3339 in UTC."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from monitor.core.figures import Figures
from monitor.core.snapshot import EVIDENCE
from monitor.report.model import Coverage, Forecast, Miss, Report
from monitor.report.source import Acknowledged, Told


def render_json(report: Report) -> str:
    """Return the report as one indented JSON document, ending in a line break."""
    return json.dumps(report_to_json(report), indent=2, ensure_ascii=False) + "\n"


def report_to_json(report: Report) -> dict[str, Any]:
    """Return the report as JSON values: `week` to `evidence` as scripts rely on, and after them what the forms show.

    Durations are seconds, rates 0 to 1 and null when there is nothing to judge. `at_least`: replies may have gone unseen.
    People are null unless names are asked for.
    """
    zone, names = report.settings.time_zone, report.settings.names
    return {
        "week": str(report.week),
        "from": instant_to_json(report.from_at),
        "to": instant_to_json(report.to_at),
        "time_zone": str(zone),
        "figures": asdict(report.figures),
        "windows": {f"{days}d": asdict(figures) for days, figures in report.windows.items()},
        "by_marketplace": _groups(report.by_marketplace),
        "by_account": _groups(report.by_account),
        "by_label": _groups(report.by_label),
        "misses": [_miss_to_json(miss, names) for miss in report.misses],
        "evidence": [
            {
                "account": market.account,
                "marketplace": market.marketplace,
                "blind": market.blind,
                **{
                    kind: {"count": count, "last_seen_at": instant_to_json(last) if last else None}
                    for kind in EVIDENCE
                    for count, last in [market.seen.get(kind, (0, None))]
                },
            }
            for market in report.evidence
        ],
        "now": instant_to_json(report.now),
        "goal": report.settings.goal,
        "estimate": True,
        "at_least": report.at_least,
        "causes": {cause.value: count for cause, count in report.causes},
        "waivers": {
            "count": report.waivers.count,
            "after_deadline": report.waivers.after_deadline,
            "in_last_hour": report.waivers.in_last_hour,
            "response_rate_without": report.waivers.rate_without,
            "by_person": {w.by: w.count for w in report.waivers.by_person} if names else None,
        },
        "weeks": [{"week": str(w.week), "whole": w.whole, "figures": asdict(w.figures)} for w in report.weeks],
        "amazon": [
            {
                "account": c.amazon.account,
                "marketplace": c.amazon.marketplace,
                "window": f"{c.amazon.window_days}d",
                "late_response_rate": c.amazon.late_ratio,
                "read_at": instant_to_json(c.amazon.read_at),
                "source": c.amazon.source,
                "average_response_seconds": c.amazon.average_response_seconds,
                "ours": c.ours.late_response_rate,
                "ours_average_response_seconds": c.ours.average_response_seconds,
                "differs": c.amazon.difference is not None,
                "likely_causes": [] if c.amazon.difference is None else list(c.amazon.difference.causes),
            }
            for c in report.amazon
        ],
        "hours": {
            "weeks": report.heat.weeks,
            "arrivals": report.heat.arrivals,
            "replies": report.heat.replies,
            "breaches": report.heat.breaches,
        },
        "coverage": _coverage_to_json(report.coverage, report.staffed_assumed),
        "forecast": _forecast_to_json(report.forecast) if report.forecast else None,
    }


def instant_to_json(instant: datetime) -> str:
    """Return RFC 3339 in UTC with `Z`; fractions of a second only where there are some."""
    return instant.astimezone(UTC).isoformat().replace("+00:00", "Z")


def shown_receiver(told: Told, names: bool) -> str | None:
    """Return who was told: a shared receiver's name, a person's only where names are asked for."""
    if told.person is None:
        return told.receiver
    return told.person if names else None


def _groups(groups: Mapping[str, Figures]) -> dict[str, Any]:
    return {name: asdict(figures) for name, figures in groups.items()}


def _miss_to_json(miss: Miss, names: bool) -> dict[str, Any]:
    outcome = miss.outcome
    return {
        "message": outcome.message_id,
        "thread": outcome.thread_id,
        "order_id": outcome.order_id,
        "account": outcome.account,
        "marketplace": outcome.marketplace,
        "labels": list(outcome.labels),
        "received_at": instant_to_json(outcome.received_at),
        "deadline_at": instant_to_json(outcome.deadline_at),
        "answered_at": instant_to_json(outcome.answered_at) if outcome.answered_at else None,
        "outcome": miss.judgement.value,
        "late_by_seconds": miss.late_by.total_seconds(),
        "cause": miss.cause.value,
        "where": miss.where,
        "told": [
            {
                "at": instant_to_json(told.at),
                "receiver": shown_receiver(told, names),
                "channel": told.channel,
                "outcome": told.outcome,
            }
            for told in miss.told
        ],
        "acknowledged": [_acknowledged_to_json(acknowledged, names) for acknowledged in miss.acknowledged],
    }


def _acknowledged_to_json(acknowledged: Acknowledged, names: bool) -> dict[str, Any]:
    return {"at": instant_to_json(acknowledged.at), "by": acknowledged.by if names else None}


def _coverage_to_json(coverage: Coverage, staffed_assumed: bool) -> dict[str, Any]:
    return {
        "staffed_assumed": staffed_assumed,
        "missed": coverage.missed,
        "handling_seconds": coverage.handling_seconds,
        "handling_measured": coverage.handling_measured,
        "added": [
            {
                "from": instant_to_json(hour.from_at),
                "to": instant_to_json(hour.to_at),
                "saved": hour.saved,
                "weeks_before": {
                    "weeks": hour.usual_weeks,
                    "saved": hour.usual_saved,
                    "missed": hour.usual_missed,
                },
            }
            for hour in coverage.added
        ],
        "gaps": [
            {"from": instant_to_json(gap.from_at), "to": instant_to_json(gap.to_at), "missed": gap.missed}
            for gap in coverage.gaps
        ],
    }


def _forecast_to_json(forecast: Forecast) -> dict[str, Any]:
    return {
        "weeks": forecast.weeks,
        "received": asdict(forecast.received),
        "missed": asdict(forecast.missed),
        "received_by_day": list(forecast.by_day),
    }
