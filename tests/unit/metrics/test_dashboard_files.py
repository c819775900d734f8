"""The committed dashboards and rules against the code, the worker's defaults and each other; no server is asked."""

import copy
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import yaml

from grafana.generator import thresholds
from monitor.config.model import WorkerConfig
from monitor.core.difference import DEFAULT_DIFFERENCE
from monitor.core.sla import SlaPolicy
from monitor.metrics.catalogue import METRICS
from monitor.metrics.page import PageFacts
from tests.dashboard_checks.boards import load_boards, unit_of
from tests.dashboard_checks.cross import (
    check_layout,
    check_metrics,
    check_words,
    expressions_of,
    load_rules,
    numbers_of,
)
from tests.dashboard_checks.promql import metrics_used, misuse_of

ROOT = Path(__file__).parents[3]
BOARDS = load_boards()
WALL_ROWS = 27


def exported_names() -> set[str]:
    names = {"up", "process_resident_memory_bytes"} | {rule["record"] for rule in load_rules() if "record" in rule}
    for metric in METRICS:
        suffixes = ("_bucket", "_sum", "_count") if metric.type == "histogram" else ("",)
        names |= {metric.name + suffix for suffix in suffixes}
    return names


def test_the_committed_dashboards_are_what_the_generator_writes() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "grafana.generator", "--check"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_metric_of_dashboards_and_rules_is_exported() -> None:
    assert list(check_metrics(expressions_of(BOARDS.values()), exported_names())) == []


def test_every_exported_metric_is_shown_or_watched_somewhere() -> None:
    used = {use.metric for _, expr in expressions_of(BOARDS.values()) for use in metrics_used(expr)}
    unused = {
        metric.name
        for metric in METRICS
        if metric.name not in used and not any(name.startswith(metric.name + "_") for name in used)
    }
    assert unused == {
        "replyby_late_response_ratio",  # 1 − response_ratio: for those who compare with Amazon's own
        "replyby_amazon_figure_timestamp_seconds",  # for a rule of one's own: how old Amazon's figure is
    }


@pytest.mark.parametrize("name", BOARDS)
def test_panels_have_places_ids_and_words_of_their_own(name: str) -> None:
    assert list(check_layout(BOARDS[name], WALL_ROWS if name == "wall" else None)) == []
    assert list(check_words(BOARDS[name])) == []


def test_the_wall_spends_no_row_on_controls() -> None:
    assert {variable["hide"] for variable in BOARDS["wall"]["templating"]["list"]} == {2}
    assert BOARDS["wall"]["timepicker"]["hidden"] is True
    assert [annotation["hide"] for annotation in BOARDS["wall"]["annotations"]["list"]] == [True]


def test_the_goal_and_at_risk_are_the_workers_defaults() -> None:
    policy = SlaPolicy()
    assert policy.goal == thresholds.GOAL
    assert policy.at_risk.total_seconds() == thresholds.AT_RISK_SECONDS
    assert policy.target.total_seconds() == thresholds.TARGET_SECONDS
    assert thresholds.DIFFERENCE == DEFAULT_DIFFERENCE


def test_blind_and_stale_are_the_workers_defaults() -> None:
    worker = WorkerConfig(database="sqlite://", state_directory=Path())
    assert worker.blind_after.total_seconds() == thresholds.MAILBOX_BLIND_SECONDS
    now = datetime(2026, 11, 21, tzinfo=UTC)
    page = PageFacts(now=now, time_zone=ZoneInfo("UTC"), threads=(), mailboxes=(), cycle_last_success_at=now)
    assert page.stale_after.total_seconds() == thresholds.CYCLE_STALE_SECONDS


@pytest.mark.parametrize(
    ("alert", "numbers"),
    [
        ("ReplyByDeadlineNear", [thresholds.NOBODY_HAS_IT_SECONDS, 0]),
        ("ReplyByGoalMissed", [thresholds.GOAL, thresholds.LEAST_JUDGED]),
        ("ReplyByCycleStalled", [thresholds.CYCLE_STALE_SECONDS]),
        ("ReplyByMailboxBlind", [thresholds.MAILBOX_BLIND_SECONDS, 0]),
        ("ReplyByOutboxAgeing", [thresholds.OUTBOX_OLD_SECONDS]),
        (
            "ReplyByLateRepliesFast",
            [thresholds.FAST_BURN * (1 - thresholds.GOAL)] * 2 + [thresholds.LEAST_EVENTS],
        ),
        (
            "ReplyByLateRepliesSlow",
            [thresholds.SLOW_BURN * (1 - thresholds.GOAL)] * 2 + [thresholds.LEAST_EVENTS],
        ),
    ],
)
def test_rules_use_the_same_numbers_as_the_dashboards(alert: str, numbers: list[float]) -> None:
    assert numbers_of(alert) == pytest.approx(numbers)


def test_a_burn_rate_that_can_never_be_reached_is_not_asked_for() -> None:
    assert thresholds.FAST_BURN < 1 / (1 - thresholds.GOAL)


def test_every_alert_says_what_to_do_and_how_bad_it_is() -> None:
    for rule in load_rules():
        if "alert" in rule:
            assert rule["labels"]["severity"] in ("critical", "warning", "info", "none"), rule["alert"]
            assert rule["annotations"]["summary"] and rule["annotations"]["description"], rule["alert"]


def test_every_alert_has_a_unit_test_that_fires_and_one_that_stays_quiet() -> None:
    seen: dict[str, set[bool]] = {}
    for path in (ROOT / "grafana" / "prometheus" / "tests").glob("*.yml"):
        for case in yaml.safe_load(path.read_text(encoding="utf-8"))["tests"]:
            for check in case["alert_rule_test"]:
                seen.setdefault(check["alertname"], set()).add(bool(check["exp_alerts"]))
    alerts = {rule["alert"] for rule in load_rules() if "alert" in rule}
    assert {name for name, outcomes in seen.items() if outcomes == {True, False}} == alerts - {"Watchdog"}


def luminance(colour: str) -> float:
    channels = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("name", ["BLUE", "BROWN", "RED", "GREY", "NEUTRAL"])
def test_white_text_is_readable_on_every_colour(name: str) -> None:
    assert 1.05 / (luminance(getattr(thresholds, name)) + 0.05) >= 4.5


# The checkers themselves: each seeded fault must be found.


def wall() -> Any:
    return copy.deepcopy(BOARDS["wall"])


def move_over_neighbour(board: Any) -> None:
    board["panels"][0]["gridPos"]["w"] = 12


def leave_the_grid(board: Any) -> None:
    board["panels"][3]["gridPos"]["w"] = 9


def share_an_id(board: Any) -> None:
    board["panels"][1]["id"] = board["panels"][0]["id"]


def grow_too_tall(board: Any) -> None:
    board["panels"][-1]["gridPos"]["h"] += 1


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (move_over_neighbour, "overlap"),
        (leave_the_grid, "leaves the grid"),
        (share_an_id, "used twice"),
        (grow_too_tall, "28 rows"),
    ],
)
def test_a_spoilt_layout_is_found(spoil: Callable[[Any], None], says: str) -> None:
    board = wall()
    spoil(board)
    assert any(says in problem for problem in check_layout(board, WALL_ROWS))


def drop_mapping(board: Any) -> None:
    board["panels"][0]["fieldConfig"]["defaults"]["mappings"].pop(0)


def drop_title(board: Any) -> None:
    board["panels"][0]["title"] = ""


@pytest.mark.parametrize(("spoil", "says"), [(drop_mapping, "calmest colour"), (drop_title, "no title")])
def test_a_panel_that_says_too_little_is_found(spoil: Callable[[Any], None], says: str) -> None:
    board = wall()
    spoil(board)
    assert any(says in problem for problem in check_words(board))


def test_a_metric_nobody_exports_is_found() -> None:
    found: Iterator[str] = check_metrics([("here", 'sum(replyby_thread_open{state="x"})')], exported_names())
    assert list(found) == ["here: nobody exports replyby_thread_open"]


@pytest.mark.parametrize(
    ("expr", "unit", "says"),
    [
        ("replyby_messages_total", "short", "outside rate() and increase()"),
        ("sum by (kind) (replyby_messages_total)", "short", "outside rate() and increase()"),
        ("sum(increase(replyby_messages_total[1h])) / replyby_messages_total", "short", "outside rate()"),
        ("histogram_quantile(0.9, sum by (le) (replyby_response_seconds_bucket))", "s", "outside rate()"),
        ("histogram_quantile(0.9, sum by (le) (rate(replyby_response_seconds_bucket[1h])))", "short", "no duration"),
        ("time() - replyby_cycle_last_success_timestamp_seconds", "none", "no duration"),
        ("replyby_cycle_last_success_timestamp_seconds", "s", "time() is not subtracted"),
        ("replyby_threads_open or (time() - replyby_next_deadline_timestamp_seconds)", "none", "no duration"),
    ],
)
def test_a_misused_metric_is_found(expr: str, unit: str, says: str) -> None:
    assert any(says in problem for problem in misuse_of(expr, unit))


@pytest.mark.parametrize(
    ("expr", "unit"),
    [
        ("sum by (kind) (increase(replyby_messages_total[1h]))", "short"),
        ('sum(increase(replyby_response_seconds_bucket{le="86400.0"}[1h]))', "none"),
        ("count(replyby_evidence_last_seen_timestamp_seconds)", "none"),
        ("replyby_threads_open and on() (time() - replyby_cycle_last_success_timestamp_seconds < 300)", "none"),
        ("max by (mailbox) (time() - replyby_poll_last_success_timestamp_seconds)", "dthms"),
    ],
)
def test_a_metric_used_well_is_left_alone(expr: str, unit: str) -> None:
    assert misuse_of(expr, unit) == []


def test_a_unit_is_read_from_an_override_of_a_renamed_column() -> None:
    queue = next(panel for panel in BOARDS["detail"]["panels"] if panel["id"] == 101)
    assert unit_of(queue, queue["targets"][0]) == "dthms"
    assert unit_of(queue, queue["targets"][2]) == "none"
