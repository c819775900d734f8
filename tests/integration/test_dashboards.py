"""Both dashboards on live data and in Grafana's own formatter and schema; and the checkers, with seeded faults."""

import copy
import html
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from grafana.generator.thresholds import BLUE, BROWN, GREY, NEUTRAL, RED
from monitor.core.snapshot import MailboxHealth, MarketSnapshot, Snapshot
from monitor.metrics.catalogue import METRICS
from monitor.metrics.export import build_registry
from monitor.metrics.page import PageFacts
from monitor.metrics.server import Health, Site, serve
from monitor.wallclock import utc_now
from tests.dashboard_checks.boards import BoardQuery, load_boards, queries_of
from tests.dashboard_checks.drawing import draw_board
from tests.dashboard_checks.live import check_board, check_query, run_query
from tests.dashboard_checks.pictures import SPANS, ask_board
from tests.dashboard_checks.shown import Shown, last_values, show_panels
from tests.support.live_world import World, run_world
from tests.support.metrics_world import NAMES, make_market
from tests.support.node import run_script
from tests.support.prometheus import run_prometheus
from tests.support.waiting import wait_until

pytestmark = pytest.mark.integration

BOARDS = load_boards()
WALL = {panel["id"]: panel for panel in BOARDS["wall"]["panels"]}
DAY = 86400


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with run_world(tmp_path_factory.mktemp("world")) as running:
        yield running


@pytest.mark.parametrize(("name", "span"), [("wall", 5 * DAY), ("detail", 7 * DAY)])
def test_every_query_gives_sound_live_data(world: World, name: str, span: int) -> None:
    assert list(check_board(world.prometheus, BOARDS[name], utc_now().timestamp(), span)) == []


@pytest.mark.parametrize(
    ("expr", "changes", "says"),
    [
        ("sum(replyby_threads_open", {}, "refused"),
        ('replyby_threads_open{state="lost"}', {}, "no result"),
        ("replyby_threads_open * NaN", {"legend": "{{account}} {{marketplace}} {{state}}"}, "NaN"),
        ("0 / sum(replyby_threads_open - replyby_threads_open)", {}, "NaN"),
        ("sum by (state) (replyby_threads_open)", {"legend": "{{marketplace}}"}, "label “marketplace”"),
        ("sum by (state) (replyby_threads_open)", {"legend": "open"}, "several series under one name"),
        ("sum(replyby_messages_total)", {}, "outside rate() and increase()"),
        ("time() - max(replyby_cycle_last_success_timestamp_seconds)", {}, "no duration"),
        ("sum(rate(replyby_messages_total[$__rate_intervall]))", {}, "refused"),
        ('sum(replyby_threads_open{account=~"$acount"})', {}, "unknown variable $acount"),
    ],
)
def test_a_faulty_query_is_found(world: World, expr: str, changes: dict[str, Any], says: str) -> None:
    query = replace(
        BoardQuery(where="here", expr=expr, legend="x", is_range=False, is_table=False, unit="none", panel=1), **changes
    )
    problems = check_query(world.prometheus, query, utc_now().timestamp(), DAY, 15)
    assert any(says in problem for problem in problems), problems


def test_prometheus_knows_the_type_and_help_of_every_metric(world: World) -> None:
    metadata = world.prometheus.ask("metadata")
    for metric in METRICS:
        # Prometheus 2 names a counter without its ending here; the series have it.
        entry = metadata.get(metric.name) or metadata[metric.name.removesuffix("_total")]
        assert entry[0]["type"] == metric.type
        assert entry[0]["help"] == metric.help


def test_both_dashboards_can_be_drawn_with_every_panel_and_value(world: World) -> None:
    for name, board in BOARDS.items():
        document, height = draw_board(board, ask_board(world, board, SPANS[name]), 1920)
        for panel in board["panels"]:
            assert panel["title"] in html.unescape(document)
        if name == "wall":
            assert height <= 1080
            assert "nobody has it yet" in document and "NO DATA" not in document


HOUR = 3600.0


CASES: list[tuple[int, tuple[str, float | None] | None, Shown]] = [
    (1, ("left", 1 * HOUR + 32 * 60 + 10), Shown("left", "01:32:10", BROWN)),
    (1, ("left", 4 * HOUR - 1), Shown("left", "03:59:59", BROWN)),
    (1, ("left", 4 * HOUR), Shown("left", "04:00:00", BLUE)),
    (1, ("left", -600.0), Shown("left", "00:10:00 ago", RED)),
    (1, ("left", 1e9), Shown("left", "nothing waiting", BLUE)),
    (1, ("left", None), Shown("left", "NO DATA", GREY)),
    (1, None, Shown("", "NO DATA", GREY)),
    (2, ("acme-eu FR", 0.0), Shown("acme-eu FR", "nobody has it yet", BROWN)),
    (2, ("acme-eu FR", 1.0), Shown("acme-eu FR", "taken", BLUE)),
    (2, ("all marketplaces", 1e9), Shown("all marketplaces", "nothing waiting", BLUE)),
    (2, None, Shown("", "NO DATA", GREY)),
    (3, ("running", 0.0), Shown("running", "0", NEUTRAL)),
    (3, ("running", 2.0), Shown("running", "2", BLUE)),
    (3, ("at risk", 1.0), Shown("at risk", "1", BROWN)),
    (3, ("overdue", 1.0), Shown("overdue", "1", RED)),
    (3, ("overdue", 0.0), Shown("overdue", "0", NEUTRAL)),
    (3, None, Shown("", "NO DATA", GREY)),
    (4, ("7 days", 0.964), Shown("7 days", "96.4%", BLUE)),
    (4, ("7 days", 0.9), Shown("7 days", "90.0%", BLUE)),
    (4, ("7 days", 0.899), Shown("7 days", "89.9%", RED)),
    (4, None, Shown("", "NO DATA", GREY)),
    (5, ("1 h", 1.0), Shown("1 h", "1", BROWN)),
    (5, ("4 h", 1.0), Shown("4 h", "1", BROWN)),
    (5, ("8 h", 2.0), Shown("8 h", "2", BLUE)),
    (5, ("24 h", 0.0), Shown("24 h", "0", NEUTRAL)),
    (6, ("support", 8.0), Shown("support", "00:00:08", BLUE)),
    (6, ("support", 300.0), Shown("support", "00:05:00", BROWN)),
    (6, ("support", 900.0), Shown("support", "00:15:00", RED)),
    (6, None, Shown("", "NO DATA", GREY)),
    (7, ("acme-eu DE", -60.0), Shown("acme-eu DE", "00:01:00 ago", RED)),
    (8, ("marketplaces", 0.0), Shown("marketplaces", "none", NEUTRAL)),
    (8, ("marketplaces", 2.0), Shown("marketplaces", "2", BROWN)),
    (8, None, Shown("", "NO DATA", GREY)),
    (9, ("sent", 41.02), Shown("sent", "41", NEUTRAL)),
    (9, ("failed", 1.0007), Shown("failed", "1", RED)),
    (9, ("failed", 0.0), Shown("failed", "0", NEUTRAL)),
    (11, ("overdue", 3.01), Shown("overdue", "3", RED)),
]


@pytest.fixture(scope="module")
def formatted() -> list[list[Shown]]:
    """Every case in one run of Node, which takes half a second to start."""
    return show_panels((WALL[panel], [series] if series else []) for panel, series, _ in CASES)


@pytest.mark.parametrize("number", range(len(CASES)), ids=[f"{panel}-{series}" for panel, series, _ in CASES])
def test_grafanas_own_formatter_prints_the_word_and_the_colour_of_each_state(
    formatted: list[list[Shown]], number: int
) -> None:
    assert formatted[number] == [CASES[number][2]]


def test_a_panel_without_its_mapping_would_look_calm_without_data_and_the_check_sees_it() -> None:
    spoilt = copy.deepcopy(WALL[6])
    spoilt["fieldConfig"]["defaults"]["mappings"] = []
    [[value]] = show_panels([(spoilt, [])])
    assert (value.text, value.colour) == ("NO DATA", BLUE)


def test_a_misspelt_unit_prints_something_else_and_the_check_sees_it() -> None:
    spoilt = copy.deepcopy(WALL[1])
    spoilt["fieldConfig"]["defaults"]["unit"] = "dhtms"
    [[value]] = show_panels([(spoilt, [("left", 5530.0)])])
    assert value.text != "01:32:10"


def misspell_option(board: Any) -> None:
    board["panels"][0]["options"]["colourMode"] = "value"


def bad_enum(board: Any) -> None:
    board["panels"][0]["options"]["colorMode"] = "solid"


def misspell_panel_key(board: Any) -> None:
    board["panels"][0]["tittle"] = "x"


def misspell_threshold(board: Any) -> None:
    board["panels"][0]["fieldConfig"]["defaults"]["thresholds"]["step"] = []


def misspell_target(board: Any) -> None:
    board["panels"][0]["targets"][0]["legend"] = "x"


def bad_draw_style(board: Any) -> None:
    board["panels"][9]["fieldConfig"]["defaults"]["custom"]["drawStyle"] = "columns"


def misspell_dashboard_key(board: Any) -> None:
    board["refreshs"] = "30s"


SPOILERS = (
    misspell_option,
    bad_enum,
    misspell_panel_key,
    misspell_threshold,
    misspell_target,
    bad_draw_style,
    misspell_dashboard_key,
)


@pytest.fixture(scope="module")
def schema_problems() -> list[str]:
    """What the schema says of the dashboards, and of copies that are spoilt each in one way and named by it."""
    boards = dict(BOARDS)
    for spoil in SPOILERS:
        boards[spoil.__name__] = copy.deepcopy(BOARDS["wall"])
        spoil(boards[spoil.__name__])
    problems: list[str] = run_script("schema.mjs", boards)
    return problems


@pytest.mark.parametrize("name", BOARDS)
def test_grafanas_schema_knows_every_key_and_value(schema_problems: list[str], name: str) -> None:
    assert [problem for problem in schema_problems if problem.startswith(name)] == []


@pytest.mark.parametrize("name", [spoil.__name__ for spoil in SPOILERS])
def test_what_grafana_would_ignore_is_found_by_the_schema(schema_problems: list[str], name: str) -> None:
    assert [problem for problem in schema_problems if problem.startswith(name)] != []


# The countdown from the worker's metrics to the words on the wall, state by state, through a real Prometheus.


@dataclass
class Seller:
    """What the worker tells at its next scrape."""

    markets: tuple[MarketSnapshot, ...] = ()
    cycle_age: timedelta = timedelta(seconds=5)
    poll_age: timedelta = timedelta(seconds=5)

    def read(self) -> Snapshot:
        now = utc_now()
        return Snapshot(
            now=now,
            markets=self.markets,
            tallies=(),
            mailboxes=(MailboxHealth(mailbox="support", last_success_at=now - self.poll_age),),
            cycle_last_success_at=now - self.cycle_age,
        )


def no_page() -> PageFacts:
    raise AssertionError("nobody asks for the page here")


def test_the_countdown_tells_its_five_states_apart_on_live_data(tmp_path: Path) -> None:
    seller = Seller()
    query = next(query for query in queries_of(BOARDS["wall"]) if query.panel == 1)
    site = Site(registry=build_registry(seller.read, NAMES), read_page=no_page, health=lambda: Health(True))
    listener = serve("127.0.0.1", 0, site)
    states: list[list[tuple[str, float | None]]] = []
    with run_prometheus(tmp_path, [f"127.0.0.1:{listener.port}"]) as server:

        def ask() -> list[tuple[str, float | None]]:
            return last_values(query.legend, run_query(server, query, utc_now().timestamp(), DAY, 15))

        def reach(lowest: float, highest: float) -> None:
            def reached() -> bool:
                return any(value is not None and lowest <= value <= highest for _, value in ask())

            wait_until(reached, f"a countdown between {lowest} and {highest}")
            states.append(ask())

        def vanish() -> None:
            wait_until(lambda: ask() == [], "an empty countdown")
            states.append(ask())

        def due(remaining: timedelta) -> None:
            seller.markets = (make_market("acme-eu", "FR", utc_now(), remaining),)
            reach(remaining.total_seconds() - 30, remaining.total_seconds())

        try:
            reach(1e9, 1e9)
            seller.cycle_age = timedelta(minutes=6)
            vanish()
            seller.cycle_age = timedelta(seconds=5)
            reach(1e9, 1e9)
            seller.poll_age = timedelta(minutes=16)
            vanish()
            seller.poll_age = timedelta(seconds=5)
            due(timedelta(hours=3, minutes=30))
            due(timedelta(hours=9, minutes=30))
            due(timedelta(minutes=-10))
        finally:
            listener.stop()
        vanish()
    shown = [values[0] for values in show_panels((WALL[1], values) for values in states)]
    assert [value.colour for value in shown] == [BLUE, GREY, BLUE, GREY, BROWN, BLUE, RED, GREY]
    assert [shown[at].text for at in (0, 1, 3, 7)] == ["nothing waiting", "NO DATA", "NO DATA", "NO DATA"]
    assert shown[4].text.startswith("03:2") and shown[5].text.startswith("09:2") and shown[6].text.endswith("ago")
