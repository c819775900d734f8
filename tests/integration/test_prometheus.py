"""Metrics, rules and configuration files, judged by Prometheus' and Alertmanager's own tools and a running server."""

import json
import re
import subprocess
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from tests.support.live_world import World, run_world
from tests.support.programs import require_program
from tests.support.waiting import PATIENCE, wait_until

pytestmark = pytest.mark.integration

GRAFANA = Path(__file__).parents[2] / "grafana"


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with run_world(tmp_path) as running:
        yield running


def run(program: str, *arguments: str, given: str | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [require_program(program), *arguments],
        input=given,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )


def test_a_live_worker_is_scraped_its_rules_fire_and_its_death_is_seen(world: World) -> None:
    with urllib.request.urlopen(f"http://{world.instance}/metrics", timeout=5) as response:
        page = response.read().decode()
    checked = run("promtool", "check", "metrics", given=page)
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, "", "")

    server = world.prometheus
    assert server.query('up{job="replyby"}')[0]["value"][1] == "1"

    def alerts(state: str) -> set[str]:
        return {series["metric"]["alertname"] for series in server.query(f'ALERTS{{alertstate="{state}"}}')}

    # The invented seller is 12 minutes overdue in Italy.
    wait_until(lambda: {"ReplyByDeadlineMissed", "Watchdog"} <= alerts("firing"), "the overdue thread's alert")
    assert "ReplyByDown" not in alerts("firing") | alerts("pending")
    missed = server.query('ALERTS{alertname="ReplyByDeadlineMissed"}')
    assert [(series["metric"]["account"], series["metric"]["marketplace"]) for series in missed] == [("acme-eu", "IT")]
    rules = server.ask("rules")["groups"]
    assert [rule["lastError"] for group in rules for rule in group["rules"] if rule.get("lastError")] == []

    world.listener.stop()
    wait_until(lambda: "ReplyByDown" in alerts("pending"), "the dead worker's alert")
    wait_until(lambda: not server.query("replyby_build_info"), "the end of the dead worker's series")


@pytest.mark.parametrize(
    "arguments",
    [
        ("promtool", "check", "config", "prometheus/prometheus.yml"),
        ("promtool", "check", "rules", "prometheus/rules/replyby.yml"),
        ("amtool", "check-config", "alertmanager/alertmanager.yml"),
    ],
    ids=["prometheus.yml", "rules", "alertmanager.yml"],
)
def test_configuration_files_are_sound(arguments: tuple[str, ...]) -> None:
    program, *rest, path = arguments
    done = run(program, *rest, str(GRAFANA / path))
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("name", [path.name for path in sorted((GRAFANA / "prometheus" / "tests").glob("*.yml"))])
def test_alert_rules_fire_stay_quiet_and_recover(name: str) -> None:
    done = run("promtool", "test", "rules", str(GRAFANA / "prometheus" / "tests" / name))
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_rule_that_never_fires_fails_its_unit_test(tmp_path: Path) -> None:
    rules = (GRAFANA / "prometheus" / "rules" / "replyby.yml").read_text(encoding="utf-8")
    # What a newcomer would write: the dead worker's own series, which end with it.
    spoilt = rules.replace('absent(up{job="replyby"} == 1)', 'up{job="replyby"} == 2')
    assert spoilt != rules
    (tmp_path / "rules").mkdir()
    (tmp_path / "tests").mkdir()
    (tmp_path / "rules" / "replyby.yml").write_text(spoilt, encoding="utf-8")
    case = tmp_path / "tests" / "health.yml"
    case.write_text((GRAFANA / "prometheus" / "tests" / "health.yml").read_text(encoding="utf-8"), encoding="utf-8")
    done = run("promtool", "test", "rules", str(case))
    assert done.returncode != 0
    assert "ReplyByDown" in done.stdout + done.stderr


def test_the_watchdog_leaves_the_house_and_the_dead_worker_mutes_no_missed_deadline() -> None:
    def route(*labels: str) -> str:
        path = str(GRAFANA / "alertmanager" / "alertmanager.yml")
        return run("amtool", "config", "routes", "test", f"--config.file={path}", *labels).stdout.strip()

    assert route("alertname=Watchdog", "severity=none") == "dead-mans-switch"
    assert route("alertname=ReplyByDown", "severity=critical") == "on-call"
    assert route("alertname=ReplyByGoalMissed", "severity=warning") == "team"
    config = yaml.safe_load((GRAFANA / "alertmanager" / "alertmanager.yml").read_text(encoding="utf-8"))
    muted = " ".join(matcher for rule in config["inhibit_rules"] for matcher in rule["target_matchers"])
    assert "Deadline" not in muted


def test_the_compose_file_mounts_what_exists_and_gives_prometheus_a_sound_configuration(tmp_path: Path) -> None:
    compose = yaml.safe_load((GRAFANA / "compose.yaml").read_text(encoding="utf-8"))
    for service in compose["services"].values():
        for mount in service.get("volumes", []):
            source = mount.split(":")[0]
            if source.startswith("./") and source != "./data":  # the seller's own
                assert (GRAFANA / source).exists(), mount
            elif not source.startswith("."):
                assert source in compose["volumes"]
        for port in service.get("ports", []):
            assert port.startswith("127.0.0.1:"), port
    inside = yaml.safe_load(compose["configs"]["prometheus"]["content"])
    outside = yaml.safe_load((GRAFANA / "prometheus" / "prometheus.yml").read_text(encoding="utf-8"))
    assert inside["global"]["scrape_interval"] == outside["global"]["scrape_interval"]
    assert [job["job_name"] for job in inside["scrape_configs"]] == ["replyby"]
    inside["rule_files"] = [str(GRAFANA / "prometheus" / "rules" / "*.yml")]
    (tmp_path / "prometheus.yml").write_text(yaml.safe_dump(inside), encoding="utf-8")
    done = run("promtool", "check", "config", str(tmp_path / "prometheus.yml"))
    assert done.returncode == 0, done.stdout + done.stderr


def test_provisioning_asks_for_nothing_that_compose_does_not_give() -> None:
    texts = [path.read_text(encoding="utf-8") for path in sorted((GRAFANA / "provisioning").rglob("*.yml"))]
    asked = {name for text in texts for name in re.findall(r"\$\{(\w+)\}", text)}
    compose = yaml.safe_load((GRAFANA / "compose.yaml").read_text(encoding="utf-8"))
    assert asked == {"REPLYBY_PROMETHEUS_URL", "REPLYBY_DASHBOARDS"}
    assert asked <= set(compose["services"]["grafana"]["environment"])
    source = yaml.safe_load((GRAFANA / "provisioning" / "datasources" / "replyby.yml").read_text(encoding="utf-8"))
    prometheus = yaml.safe_load((GRAFANA / "prometheus" / "prometheus.yml").read_text(encoding="utf-8"))
    assert source["datasources"][0]["jsonData"]["timeInterval"] == prometheus["global"]["scrape_interval"]
    board = yaml.safe_load((GRAFANA / "provisioning" / "dashboards" / "replyby.yml").read_text(encoding="utf-8"))
    assert board["providers"][0]["allowUiUpdates"] is False


@pytest.mark.parametrize(
    ("overdue", "backlog", "value"),
    [(0, 0, 1e9), (3, 3, 1e9), (4, 3, None)],
    ids=["nothing", "a backlog", "more than the backlog"],
)
def test_the_wall_says_that_nothing_waits_where_nothing_but_a_backlog_does(
    tmp_path: Path, overdue: int, backlog: int, value: float | None
) -> None:
    wall = json.loads((GRAFANA / "dashboards" / "wall.json").read_text())
    countdown = next(panel for panel in wall["panels"] if panel["title"] == "NEXT REPLY DUE IN")
    of_market = '{account="acme-eu",marketplace="FR"'
    series = {
        f'replyby_threads_open{of_market},state="breached"}}': overdue,
        f"replyby_threads_backlog{of_market}}}": backlog,
        "replyby_cycle_last_success_timestamp_seconds": 0,
        'replyby_poll_last_success_timestamp_seconds{mailbox="support"}': 0,
    }
    shown = [] if value is None else [{"labels": "{}", "value": value}]
    tests = {
        "evaluation_interval": "1m",
        "tests": [
            {
                "interval": "1m",
                "input_series": [{"series": name, "values": f"{count}x3"} for name, count in series.items()],
                "promql_expr_test": [
                    {
                        "expr": countdown["targets"][0]["expr"].replace("$account", ".*"),
                        "eval_time": "2m",
                        "exp_samples": shown,
                    }
                ],
            }
        ],
    }
    path = tmp_path / "wall.yml"
    path.write_text(yaml.safe_dump(tests))
    done = run("promtool", "test", "rules", str(path))
    assert done.returncode == 0, done.stdout + done.stderr
