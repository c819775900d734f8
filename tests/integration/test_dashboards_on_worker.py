"""Both dashboards on the real worker: an invented mailbox read live, a week of history behind it, a real Prometheus."""

from pathlib import Path

import pytest

from monitor.wallclock import utc_now
from tests.dashboard_checks.boards import load_boards
from tests.dashboard_checks.live import check_board
from tests.support.live_world import RULES, render_history, scraped
from tests.support.ports import free_port
from tests.support.prometheus import run_prometheus
from tests.support.waiting import wait_until
from tests.support.worker_process import worker_on

pytestmark = pytest.mark.integration

DAY = 86400
CONFIG = """
[worker]
metrics_listen = "127.0.0.1:{port}"
time_zone = "Europe/Paris"

[[account]]
name = "acme-eu"
notified_at = ["support@simulated.example"]
reply_from = ["support@simulated.example"]

[[mailbox]]
name = "support"
type = "simulated"
poll_every = "5s"
authserv_id = "mx.simulated.example"

[[receiver]]
name = "team"
type = "console"
"""


def test_every_query_is_sound_on_the_real_worker(tmp_path: Path) -> None:
    port = free_port()
    (tmp_path / "prometheus").mkdir()
    with worker_on(tmp_path, CONFIG.format(port=port), port, "") as worker:
        worker.start()
        instance = f"127.0.0.1:{port}"
        history = render_history(instance, utc_now().timestamp())
        with run_prometheus(tmp_path / "prometheus", [instance], [RULES], history) as prometheus:
            wait_until(lambda: scraped(prometheus), "two scrapes")
            now = utc_now().timestamp()
            problems = [
                problem
                for name, board in load_boards().items()
                for problem in check_board(prometheus, board, now, (5 if name == "wall" else 7) * DAY)
            ]
    assert problems == []
