"""`python -m grafana.generator`: writes the dashboards; with --check only tells whether they are as they should be."""

import argparse
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from grafana_foundation_sdk.builders import dashboard
from grafana_foundation_sdk.cog.encoder import JSONEncoder

from grafana.generator.detail import build_detail
from grafana.generator.wall import build_wall

DASHBOARDS = Path(__file__).parents[1] / "dashboards"


def render_dashboards() -> Mapping[str, str]:
    """Return each file's name and text."""
    return {"wall.json": _render(build_wall()), "detail.json": _render(build_detail())}


def _render(board: dashboard.Dashboard) -> str:
    document: dict[str, Any] = json.loads(json.dumps(board.build(), cls=JSONEncoder))
    # The SDK writes a few keys where Grafana's own types have none; its schema check would name them.
    for variable in document["templating"]["list"]:
        for key in ("auto", "auto_count", "auto_min"):
            variable.pop(key, None)
    for panel in document["panels"]:
        panel.get("options", {}).pop("footer", None)
    return json.dumps(document, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def main(arguments: list[str] | None = None) -> int:
    """Write what differs; with --check return 1 and name it instead."""
    parser = argparse.ArgumentParser(prog="python -m grafana.generator", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 if a file is not up to date")
    check = parser.parse_args(arguments).check
    stale = []
    for name, text in render_dashboards().items():
        path = DASHBOARDS / name
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            stale.append(name)
            if not check:
                path.write_text(text, encoding="utf-8")
    for name in stale:
        sys.stdout.write(f"{name}: {'not up to date; run python -m grafana.generator' if check else 'written'}\n")
    return 1 if stale and check else 0


if __name__ == "__main__":
    sys.exit(main())
