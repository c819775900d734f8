"""`python -m tests.dashboard_checks.pictures`: draws both dashboards and the worker's page into grafana/pictures.

Starts the real listener with an invented seller and a real Prometheus; asks every panel's query; has Grafana's own
formatter print the values; draws the panels at their places in Chromium.
"""

import argparse
import io
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from PIL import Image
from playwright.sync_api import Browser

from monitor.wallclock import utc_now
from tests.dashboard_checks.boards import BoardQuery, load_boards, panels_of, queries_of
from tests.dashboard_checks.drawing import Drawn, draw_board
from tests.dashboard_checks.live import legend_of, run_query, step_of, values_of
from tests.dashboard_checks.shown import Shown, last_values, show_panels
from tests.support.chromium import PHONE, WALL, open_browser
from tests.support.live_world import World, run_world
from tests.support.prometheus import Series

PICTURES = Path(__file__).parents[2] / "grafana" / "pictures"
DAY = 86400
SPANS = {"wall": 5 * DAY, "detail": 7 * DAY}
COLOURS = 128
PLAIN = "transparent"


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the pictures; --out writes them elsewhere."""
    parser = argparse.ArgumentParser(prog="python -m tests.dashboard_checks.pictures", description=__doc__)
    parser.add_argument("--out", type=Path, default=PICTURES)
    out: Path = parser.parse_args(arguments).out
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as directory, run_world(Path(directory)) as world, open_browser() as browser:
        for name, board in load_boards().items():
            document, height = draw_board(board, ask_board(world, board, SPANS[name]), WALL[0])
            page = browser.new_page(viewport={"width": WALL[0], "height": WALL[1] if name == "wall" else height})
            page.set_content(document)
            write_picture(page.screenshot(), out / f"{name}.png")
            page.close()
        picture_page(browser, world, out)
    return 0


def picture_page(browser: Browser, world: World, out: Path) -> None:
    """Write the worker's own page as a wall and as a phone show it."""
    for name, (width, height) in (("page", WALL), ("page-phone", PHONE)):
        page = browser.new_page(viewport={"width": width, "height": height})
        page.goto(f"http://{world.instance}/")
        write_picture(page.screenshot(), out / f"{name}.png")
        page.close()


def write_picture(data: bytes, path: Path) -> None:
    """Write a PNG with few colours: the README loads it."""
    picture = Image.open(io.BytesIO(data)).convert("RGB")
    if picture.width > 1280:
        picture = picture.resize((1280, picture.height * 1280 // picture.width), Image.Resampling.LANCZOS)
    picture.quantize(COLOURS, dither=Image.Dither.NONE).save(path, optimize=True)
    sys.stdout.write(f"{path.name}: {picture.width}×{picture.height}, {path.stat().st_size // 1024} KiB\n")


def ask_board(world: World, board: Mapping[str, Any], span: int) -> dict[int, Drawn]:
    """Return what each panel shows; Node is asked once for all values."""
    now = utc_now().timestamp()
    panels = list(panels_of(board))
    queries = list(queries_of(board))
    results = {
        panel["id"]: [
            (query, run_query(world.prometheus, query, now, span, step_of(board, query)))
            for query in queries
            if query.panel == panel["id"]
        ]
        for panel in panels
    }
    simple = [panel for panel in panels if panel["type"] in ("stat", "bargauge")]
    values = {
        panel["id"]: [pair for q, r in results[panel["id"]] for pair in last_values(q.legend, r)] for panel in simple
    }
    shown = show_panels((panel, values[panel["id"]]) for panel in simple)
    drawn = {
        panel["id"]: Drawn(values=cells, numbers=[value or 0.0 for _, value in values[panel["id"]]])
        for panel, cells in zip(simple, shown, strict=True)
    }
    for panel in panels:
        answers = results[panel["id"]]
        if panel["type"] == "timeseries":
            drawn[panel["id"]] = Drawn(lines=[line for query, result in answers for line in _lines(query, result)])
        elif panel["type"] == "table":
            drawn[panel["id"]] = _heat(panel, answers) if _is_matrix(panel) else _rows(panel, answers)
    return drawn


def _lines(query: BoardQuery, result: Sequence[Series]) -> list[tuple[str, list[tuple[float, float]]]]:
    return [
        (legend_of(query.legend, series["metric"]), [(float(at), float(value)) for at, value in series["values"]])
        for series in result
    ]


def _is_matrix(panel: Mapping[str, Any]) -> bool:
    return any(item["id"] == "groupingToMatrix" for item in panel["transformations"])


def _heat(panel: Mapping[str, Any], answers: Sequence[tuple[BoardQuery, Sequence[Series]]]) -> Drawn:
    cells = {(s["metric"]["day"], s["metric"]["hour"]): values_of(s)[-1] for _, result in answers for s in result}
    days, hours = sorted({day for day, _ in cells}), sorted({hour for _, hour in cells})
    steps = panel["fieldConfig"]["defaults"]["thresholds"]["steps"]

    def colour(value: float) -> str:
        return str([step["color"] for step in steps if step["value"] is None or value >= step["value"]][-1])

    rows = [
        [Shown("", day, PLAIN), *(Shown("", f"{cells[day, hour]:.0f}", colour(cells[day, hour])) for hour in hours)]
        for day in days
    ]
    return Drawn(header=["", *hours], rows=rows, heat=True)


def _rows(panel: Mapping[str, Any], answers: Sequence[tuple[BoardQuery, Sequence[Series]]]) -> Drawn:
    """Return the table with each value printed by Grafana's formatter under the column's own settings."""
    hidden = ("__name__", "instance", "job")
    names: dict[str, str] = next(
        (t["options"]["renameByName"] for t in panel["transformations"] if t["id"] == "organize"), {}
    )
    keys: dict[tuple[tuple[str, str], ...], dict[str, float]] = {}
    for query, result in answers:
        column = names.get(f"Value #{query.ref}") or names.get("Value") or "Value"
        for series in result:
            key = tuple(sorted((name, text) for name, text in series["metric"].items() if name not in hidden))
            keys.setdefault(key, {})[column] = values_of(series)[-1]
    columns = list(dict.fromkeys(column for values in keys.values() for column in values))
    order = sorted(keys, key=lambda key: (keys[key].get("left", 0.0), key))
    asked = [(panel, [(column, keys[key][column])]) for key in order for column in columns if column in keys[key]]
    shown = iter(show_panels(asked))
    solid = {o["matcher"]["options"] for o in panel["fieldConfig"]["overrides"] if len(o["properties"]) > 1}
    rows = []
    for key in order:
        row = [Shown(name, text, PLAIN) for name, text in key]
        for column in columns:
            cell = next(shown)[0] if column in keys[key] else Shown(column, "–", PLAIN)
            row.append(cell if column in solid else Shown(cell.title, cell.text, PLAIN))
        rows.append(row)
    return Drawn(header=[*(name for name, _ in order[0]), *columns], rows=rows)


if __name__ == "__main__":
    sys.exit(main())
