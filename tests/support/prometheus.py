"""A real Prometheus on loopback, and what its HTTP interface says."""

import json
import subprocess
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tests.support.ports import free_port
from tests.support.programs import require_program
from tests.support.waiting import wait_until

READY_SECONDS = 40.0
Series = Mapping[str, Any]


class QueryRefused(Exception):
    """Prometheus refused a query; the text is its own."""


@dataclass(frozen=True)
class Prometheus:
    """A running server."""

    port: int

    def ask(self, path: str, **parameters: str | float) -> Any:
        """Return `data` of an answer.

        Raises:
            QueryRefused: the server said why.
        """
        url = f"http://127.0.0.1:{self.port}/api/v1/{path}?{urllib.parse.urlencode(parameters)}"
        try:
            with urllib.request.urlopen(url, timeout=10) as response:
                return json.load(response)["data"]
        except urllib.error.HTTPError as error:
            raise QueryRefused(json.load(error)["error"]) from error

    def query(self, expr: str, at: float | None = None) -> list[Series]:
        """Return the series of an instant query; a scalar counts as a series without labels."""
        data = self.ask("query", query=expr, **({} if at is None else {"time": at}))
        if data["resultType"] == "scalar":
            return [{"metric": {}, "value": data["result"]}]
        return list(data["result"])

    def query_range(self, expr: str, start: float, end: float, step: float) -> list[Series]:
        """Return the series of a range query."""
        return list(self.ask("query_range", query=expr, start=start, end=end, step=step)["result"])


@contextmanager
def run_prometheus(
    directory: Path, targets: Sequence[str], rules: Sequence[Path] = (), history: str = ""
) -> Iterator[Prometheus]:
    """Yield a server that scrapes the targets every second as job `replyby`.

    Args:
        directory: an empty one; removed by whoever made it.
        targets: host:port.
        rules: rule files.
        history: samples of earlier days in OpenMetrics text.
    """
    program = require_program("prometheus")
    data = directory / "data"
    if history:
        import_history(directory, history, data)
    config = {
        "global": {"scrape_interval": "1s", "scrape_timeout": "1s", "evaluation_interval": "1s"},
        "rule_files": [str(path) for path in rules],
        "scrape_configs": [{"job_name": "replyby", "static_configs": [{"targets": list(targets)}]}],
    }
    (directory / "prometheus.yml").write_text(yaml.safe_dump(config), encoding="utf-8")
    port = free_port()
    with (directory / "prometheus.log").open("wb") as log:
        process = subprocess.Popen(
            [
                program,
                f"--config.file={directory / 'prometheus.yml'}",
                f"--storage.tsdb.path={data}",
                f"--web.listen-address=127.0.0.1:{port}",
                "--storage.tsdb.retention.time=120d",
                "--log.level=warn",
            ],
            stdout=log,
            stderr=log,
        )
    server = Prometheus(port)
    try:
        wait_until(lambda: _is_ready(server), f"Prometheus ({directory / 'prometheus.log'})", READY_SECONDS)
        yield server
    finally:
        process.terminate()
        process.wait(timeout=20)


def import_history(directory: Path, history: str, data: Path) -> None:
    """Write earlier samples where a server will find them when it starts."""
    (directory / "history.txt").write_text(history, encoding="utf-8")
    subprocess.run(
        [
            require_program("promtool"),
            *("tsdb", "create-blocks-from", "--max-block-duration=720h", "openmetrics"),
            str(directory / "history.txt"),
            str(data),
        ],
        check=True,
        capture_output=True,
    )


def _is_ready(server: Prometheus) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{server.port}/-/ready", timeout=2) as response:
            return bool(response.status == 200)
    except OSError:
        return False
