"""Every query of a dashboard on live data: what Grafana would ask, asked of a real Prometheus."""

import math
import re
from collections.abc import Iterator, Mapping
from typing import Any

from tests.dashboard_checks.boards import Board, BoardQuery, expand, queries_of
from tests.dashboard_checks.promql import misuse_of
from tests.support.prometheus import Prometheus, QueryRefused, Series

POINTS = 400
ANNOTATION_POINTS = 100
"""About as many points as Grafana asks for: for a panel by its width, for an annotation always these."""


def run_query(server: Prometheus, query: BoardQuery, now: float, span_seconds: int, step_seconds: int) -> list[Series]:
    """Return what the query gives.

    Raises:
        QueryRefused: Prometheus does not understand it.
    """
    step = max(step_seconds, math.ceil(span_seconds / (POINTS if query.panel else ANNOTATION_POINTS)))
    expr = expand(query.expr, span_seconds, step)
    if query.is_range:
        return server.query_range(expr, now - span_seconds, now, step)
    return server.query(expr, now)


def check_board(server: Prometheus, board: Board, now: float, span_seconds: int) -> Iterator[str]:
    """Yield each problem of each query.

    Args:
        now: Unix time at which to ask.
        span_seconds: the dashboard's time range.
    """
    for query in queries_of(board):
        for problem in check_query(server, query, now, span_seconds, step_of(board, query)):
            yield f"{query.where}: {problem}"


def check_query(server: Prometheus, query: BoardQuery, now: float, span_seconds: int, step_seconds: int) -> list[str]:
    """Return what is wrong with one query: refused, empty, NaN, a legend without its label, a metric misused."""
    problems = misuse_of(query.expr, query.unit)
    try:
        result = run_query(server, query, now, span_seconds, step_seconds)
    except (QueryRefused, ValueError) as error:
        return [*problems, f"refused: {error}"]
    if not result:
        return [*problems, "no result"]
    if any(math.isnan(value) for series in result for value in values_of(series)):
        problems.append("NaN in the result")
    for label in re.findall(r"\{\{\s*(\w+)\s*\}\}", query.legend):
        if any(label not in series["metric"] for series in result):
            problems.append(f"a series without the label “{label}” of the legend")
    if len(result) > 1 and not query.is_table:
        names = [legend_of(query.legend, series["metric"]) for series in result]
        if len(set(names)) < len(names):
            problems.append(f"several series under one name: {sorted(names)}")
    return problems


def values_of(series: Series) -> list[float]:
    """Return a series' values, of an instant or a range."""
    pairs = series["values"] if "values" in series else [series["value"]]
    return [float(value) for _, value in pairs]


def legend_of(legend: str, labels: Mapping[str, str]) -> str:
    """Return a series' name as Grafana writes it."""
    return re.sub(r"\{\{\s*(\w+)\s*\}\}", lambda match: labels.get(match.group(1), ""), legend)


def step_of(board: Mapping[str, Any], query: BoardQuery) -> int:
    """Return the panel's least interval in seconds."""
    for panel in board["panels"]:
        if panel["id"] == query.panel and panel.get("interval"):
            number, unit = re.fullmatch(r"(\d+)([smhd])", panel["interval"]).groups()  # type: ignore[union-attr]
            return int(number) * {"s": 1, "m": 60, "h": 3600, "d": 86400}[unit]
    return 300 if not query.panel else 15
