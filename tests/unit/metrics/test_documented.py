"""README's tables of metrics and alerts against the worker and the rules."""

from pathlib import Path

from monitor.metrics.catalogue import METRICS
from tests.dashboard_checks.cross import load_rules

README = (Path(__file__).parents[3] / "README.md").read_text(encoding="utf-8")


def test_every_metric_stands_in_the_readme_with_its_type_labels_and_meaning() -> None:
    rows = set(README.splitlines())
    for metric in METRICS:
        labels = f"; {', '.join(metric.labels)}" if metric.labels else ""
        assert f"| `{metric.name}` | {metric.type}{labels} | {metric.help} |" in rows, metric.name


def test_every_alert_stands_in_the_readme_with_its_severity() -> None:
    for rule in load_rules():
        if "alert" in rule:
            assert f"| `{rule['alert']}` | {rule['labels']['severity']} |" in README, rule["alert"]
