"""A dashboard as a picture: its panels at their places, with the values and colours that Grafana's formatter gave.

Shows layout, words and colours; lines and bars are our own drawing, not Grafana's.
"""

import html
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.dashboard_checks.shown import Shown

CELL, GAP, COLUMNS = 30, 8, 24
"""Grafana's grid: a row is 30 pixels and 8 pixels of space."""

STYLE = (Path(__file__).parent / "drawing.css").read_text(encoding="utf-8")

PALETTE = ("#7EB26D", "#EAB839", "#6ED0E0", "#EF843C", "#E24D42", "#1F78C1", "#BA43A9", "#705DA0")


@dataclass(frozen=True)
class Drawn:
    """What one panel has to show: formatted values, lines over time, or rows of a table."""

    values: Sequence[Shown] = ()
    numbers: Sequence[float] = ()
    lines: Sequence[tuple[str, Sequence[tuple[float, float]]]] = ()
    header: Sequence[str] = ()
    rows: Sequence[Sequence[Shown]] = ()
    heat: bool = field(default=False)


def draw_board(board: Mapping[str, Any], drawn: Mapping[int, Drawn], width: int) -> tuple[str, int]:
    """Return an HTML document and its height in pixels; `drawn` is by panel id."""
    rows = max(panel["gridPos"]["y"] + panel["gridPos"]["h"] for panel in board["panels"])
    parts = []
    for panel in board["panels"]:
        place = panel["gridPos"]
        column = (width - GAP) / COLUMNS
        box = (
            f"left:{place['x'] * column + GAP:.0f}px;top:{place['y'] * (CELL + GAP) + GAP}px;"
            f"width:{place['w'] * column - GAP:.0f}px;height:{place['h'] * (CELL + GAP) - GAP}px"
        )
        title = html.escape(panel["title"])
        if panel["type"] == "row":
            parts.append(f'<div class="row" style="{box}">⌄ {title}</div>')
        else:
            parts.append(f'<div class="panel" style="{box}"><h2>{title}</h2>{_inside(panel, drawn[panel["id"]])}</div>')
    height = rows * (CELL + GAP) + GAP
    return f"<!DOCTYPE html><meta charset=utf-8><style>{STYLE}</style><body>{''.join(parts)}</body>", height


def _inside(panel: Mapping[str, Any], drawn: Drawn) -> str:
    if panel["type"] == "stat":
        return _tiles(panel, drawn.values)
    if panel["type"] == "bargauge":
        return _bars(drawn.values, drawn.numbers)
    if panel["type"] == "timeseries":
        return _chart(panel, drawn.lines)
    return _table(drawn)


def _tiles(panel: Mapping[str, Any], values: Sequence[Shown]) -> str:
    mode, place = panel["options"]["textMode"], panel["gridPos"]
    stacked = panel["options"]["orientation"] == "horizontal"
    across, down = (1, len(values)) if stacked else (len(values), 1)
    width = (place["w"] * 79 - 24) / max(across, 1)
    height = (place["h"] * 38 - 46) / max(down, 1)
    wide = stacked and width / height > 2.5
    tiles = []
    for value in values:
        words = value.title if mode == "name" else value.text
        space = width * (0.5 if wide else 0.9)
        size = min(height * (0.62 if mode != "value_and_name" or wide else 0.46), space / max(len(words), 3) / 0.6)
        name = ""
        if mode == "value_and_name":
            small = min(size * 0.7, height * 0.3, width * (0.4 if wide else 0.9) / max(len(value.title), 3) / 0.55)
            name = f'<span style="font-size:{small:.0f}px">{html.escape(value.title)}</span>'
        tiles.append(
            f'<div class="tile{" wide" if wide else ""}" style="background:{value.colour}">{name}'
            f'<b style="font-size:{size:.0f}px">{html.escape(words)}</b></div>'
        )
    return f'<div class="tiles{" stack" if stacked else ""}">{"".join(tiles)}</div>'


def _bars(values: Sequence[Shown], numbers: Sequence[float]) -> str:
    most = max([*numbers, 1e-9])
    bars = [
        f'<div class="bar"><span>{html.escape(value.title)}</span>'
        f'<i><u style="width:{100 * number / most:.1f}%;background:{value.colour}"></u></i>'
        f"<b>{html.escape(value.text)}</b></div>"
        for value, number in zip(values, numbers, strict=True)
    ]
    return f'<div class="bars">{"".join(bars)}</div>'


def _chart(panel: Mapping[str, Any], lines: Sequence[tuple[str, Sequence[tuple[float, float]]]]) -> str:
    points = [point for _, series in lines for point in series]
    if not points:
        return "NO DATA"
    start, end = min(x for x, _ in points), max(x for x, _ in points)
    top = max(max(y for _, y in points), 1e-9) * 1.05
    columns = panel["fieldConfig"]["defaults"].get("custom", {}).get("drawStyle") == "bars"
    fixed = {
        override["matcher"]["options"]: item["value"]["fixedColor"]
        for override in panel["fieldConfig"]["overrides"]
        for item in override["properties"]
        if item["id"] == "color"
    }
    shapes, legend = [], []
    for number, (name, series) in enumerate(lines):
        colour = fixed.get(name, PALETTE[number % len(PALETTE)])
        at = [(1000 * (x - start) / max(end - start, 1), 300 - 300 * y / top) for x, y in series]
        if columns:
            wide = 1000 / max(len(series), 1) / (len(lines) + 1)
            shapes += [
                f'<rect x="{x + number * wide:.1f}" y="{y:.1f}" width="{wide:.2f}" height="{300 - y:.1f}" fill="{colour}"/>'
                for x, y in at
                if y < 299.9
            ]
        else:
            path = " ".join(f"{x:.1f},{y:.1f}" for x, y in at)
            shapes.append(
                f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2" vector-effect="non-scaling-stroke"/>'
            )
        legend.append(f'<span><i style="background:{colour}"></i>{html.escape(name)}</span>')
    return (
        f'<svg viewBox="0 0 1000 300" preserveAspectRatio="none">{"".join(shapes)}</svg>'
        f'<div class="legend">{"".join(legend)}</div>'
    )


def _table(drawn: Drawn) -> str:
    head = "".join(f"<th>{html.escape(name)}</th>" for name in drawn.header)
    body = "".join(
        "<tr>"
        + "".join(f'<td style="background:{cell.colour}">{html.escape(cell.text)}</td>' for cell in row)
        + "</tr>"
        for row in drawn.rows
    )
    return f'<table class="{"heat" if drawn.heat else ""}"><tr>{head}</tr>{body}</table>'
