"""Dashboards, rules, thresholds and the worker's metrics held against each other."""

import re
from collections.abc import Iterable, Iterator
from itertools import combinations
from pathlib import Path
from typing import Any

import yaml

from tests.dashboard_checks.boards import Board, panels_of, queries_of
from tests.dashboard_checks.promql import metrics_used

RULES = Path(__file__).parents[2] / "grafana" / "prometheus" / "rules"
WIDTH = 24


def load_rules() -> list[dict[str, Any]]:
    """Return every rule of every file."""
    return [
        rule
        for path in sorted(RULES.glob("*.yml"))
        for group in yaml.safe_load(path.read_text(encoding="utf-8"))["groups"]
        for rule in group["rules"]
    ]


def check_metrics(expressions: Iterable[tuple[str, str]], known: set[str]) -> Iterator[str]:
    """Yield each metric that nobody exports; `expressions` are (where, PromQL)."""
    for where, expr in expressions:
        for use in metrics_used(expr):
            if use.metric not in known:
                yield f"{where}: nobody exports {use.metric}"


def check_layout(board: Board, max_rows: int | None = None) -> Iterator[str]:
    """Yield ids used twice, panels outside the grid, panels on top of each other, and a board that would scroll."""
    panels = list(board["panels"])
    ids = [panel["id"] for panel in panels]
    for number in {number for number in ids if ids.count(number) > 1}:
        yield f"id {number} is used twice"
    for panel in panels:
        place = panel["gridPos"]
        if place["x"] + place["w"] > WIDTH:
            yield f"“{panel['title']}” leaves the grid at the right"
    for one, other in combinations(panels, 2):
        if _overlap(one["gridPos"], other["gridPos"]):
            yield f"“{one['title']}” and “{other['title']}” overlap"
    rows = max(panel["gridPos"]["y"] + panel["gridPos"]["h"] for panel in panels)
    if max_rows is not None and rows > max_rows:
        yield f"{rows} rows, and a wall shows {max_rows}"


def check_words(board: Board) -> Iterator[str]:
    """Yield what a newcomer would miss: a panel without title, description, or a text for no data."""
    for panel in panels_of(board):
        if not panel.get("title") or not panel.get("description"):
            yield f"panel {panel['id']} has no title or description"
        if panel["type"] in ("stat", "bargauge"):
            mappings = panel["fieldConfig"]["defaults"].get("mappings", [])
            if not any(item["type"] == "special" and item["options"]["match"] == "null+nan" for item in mappings):
                yield f"“{panel['title']}” would take its calmest colour without data"


def expressions_of(boards: Iterable[Board]) -> Iterator[tuple[str, str]]:
    """Yield where and what of each query of dashboards and of each rule."""
    for board in boards:
        for query in queries_of(board):
            yield query.where, query.expr
    for rule in load_rules():
        yield f"rule {rule.get('alert') or rule['record']}", rule["expr"]


def numbers_of(alert: str) -> list[float]:
    """Return the numbers an alert rule compares with, from left to right.

    Raises:
        StopIteration: no such alert.
    """
    expr = next(rule["expr"] for rule in load_rules() if rule.get("alert") == alert)
    return [float(number) for number in re.findall(r"[<>]=?\s*([\d.]+)", expr)]


def _overlap(one: dict[str, int], other: dict[str, int]) -> bool:
    return (
        one["x"] < other["x"] + other["w"]
        and other["x"] < one["x"] + one["w"]
        and one["y"] < other["y"] + other["h"]
        and other["y"] < one["y"] + one["h"]
    )
