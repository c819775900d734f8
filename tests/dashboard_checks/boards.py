"""A dashboard's JSON as the checks want it: its panels and every query they make."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

DASHBOARDS = Path(__file__).parents[2] / "grafana" / "dashboards"
Board = Mapping[str, Any]


@dataclass(frozen=True)
class BoardQuery:
    """One query and where it stands."""

    where: str
    expr: str
    legend: str
    is_range: bool
    is_table: bool
    unit: str
    ref: str = ""
    panel: int = 0


def load_boards() -> dict[str, Any]:
    """Return every dashboard by its file's name."""
    return {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in sorted(DASHBOARDS.glob("*.json"))}


def panels_of(board: Board) -> Iterator[Mapping[str, Any]]:
    """Yield the panels that show something, those of collapsed rows too."""
    for panel in board["panels"]:
        yield from panel.get("panels", [])
        if panel["type"] != "row":
            yield panel


def queries_of(board: Board) -> Iterator[BoardQuery]:
    """Yield each query of panels and annotations."""
    for panel in panels_of(board):
        for target in panel["targets"]:
            yield BoardQuery(
                where=f"{board['title']}, “{panel['title']}” {target['refId']}",
                expr=target["expr"],
                legend=target.get("legendFormat", ""),
                is_range=bool(target.get("range")) and not target.get("instant"),
                is_table=target.get("format") == "table",
                unit=unit_of(panel, target),
                ref=target["refId"],
                panel=panel["id"],
            )
    for annotation in board["annotations"]["list"]:
        target = annotation["target"]
        yield BoardQuery(
            where=f"{board['title']}, annotation “{annotation['name']}”",
            expr=target["expr"],
            legend=target.get("legendFormat", ""),
            is_range=True,
            is_table=False,
            unit="none",
        )


def unit_of(panel: Mapping[str, Any], target: Mapping[str, Any]) -> str:
    """Return the unit in which a query's values are printed, overrides by name counted in."""
    names = {target.get("legendFormat", ""), f"Value #{target['refId']}"}
    for transformation in panel.get("transformations") or []:
        renamed = transformation.get("options", {}).get("renameByName", {})
        names |= {new for old, new in renamed.items() if old in names}
    for override in panel["fieldConfig"].get("overrides") or []:
        if override["matcher"] == {"id": "byName", "options": override["matcher"]["options"]} and (
            override["matcher"]["options"] in names
        ):
            for item in override["properties"]:
                if item["id"] == "unit":
                    return str(item["value"])
    return str(panel["fieldConfig"]["defaults"].get("unit", "short"))


def expand(expr: str, range_seconds: int, interval_seconds: int, scrape_seconds: int = 1) -> str:
    """Return the query with Grafana's variables filled in, all accounts chosen."""
    rate = max(interval_seconds + scrape_seconds, 4 * scrape_seconds)
    for name, value in {
        "$__rate_interval": f"{rate}s",
        "$__interval": f"{interval_seconds}s",
        "$__range": f"{range_seconds}s",
        "$account": ".*",
    }.items():
        expr = expr.replace(name, value)
    left = re.search(r"\$\w+|\$\{", expr)
    if left:
        raise ValueError(f"unknown variable {left.group()} in {expr}")
    return expr
