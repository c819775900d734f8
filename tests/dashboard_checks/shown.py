"""What Grafana will print: a panel and its queries' results, put through Grafana's own formatter."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tests.dashboard_checks.live import legend_of, values_of
from tests.support.node import run_script
from tests.support.prometheus import Series

Panel = Mapping[str, Any]


@dataclass(frozen=True)
class Shown:
    """One value as it stands on the screen."""

    title: str
    text: str
    colour: str


def show_panels(asked: Iterable[tuple[Panel, Sequence[tuple[str, float | None]]]]) -> list[list[Shown]]:
    """Return what each panel shows for its series, given as name and last value; none: an empty result."""
    given = [
        {
            "panel": panel,
            "series": [{"refId": "A", "name": name, "labels": {}, "value": value} for name, value in series],
        }
        for panel, series in asked
    ]
    answers = run_script("format.mjs", given)
    return [[Shown(item["title"], item["text"], item["color"]) for item in answer] for answer in answers]


def last_values(legend: str, result: Iterable[Series]) -> list[tuple[str, float | None]]:
    """Return name and last value of each series, as Grafana reduces them."""
    return [(legend_of(legend, series["metric"]), values_of(series)[-1]) for series in result]
