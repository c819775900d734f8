"""The desk: why the wall looks as it does. One section a question, from the queue down to the worker itself."""

from grafana_foundation_sdk.builders import common, dashboard, table
from grafana_foundation_sdk.models import common as common_model
from grafana_foundation_sdk.models import dashboard as model

from grafana.generator import detail_amazon, detail_worker
from grafana.generator.board import account_variable, datasource_variable, deadline_annotation, row
from grafana.generator.panels import (
    Place,
    Query,
    Section,
    build_bars,
    build_columns,
    build_lines,
    build_stat,
    build_table,
    colours,
    colours_property,
    fixed_colour,
    place,
    set_property,
    transform,
    words,
)
from grafana.generator.queries import ACCOUNT, DEADLINE, OPEN, counted, ratio
from grafana.generator.thresholds import AT_RISK_SECONDS, BLUE, BROWN, GOAL, LIGHT, NEUTRAL, RED, TARGET_SECONDS

MARKET = "{{account}} {{marketplace}}"
HEAT = ("#20262D", "#17405E", "#1A5F8F", BLUE)
"""Dark to light steps of one hue: hours of the week need order, not alarm."""


def build_detail() -> dashboard.Dashboard:
    """Return the dashboard for the desk."""
    board = dashboard.Dashboard("ReplyBy · detail").uid("replyby-detail").tags(["replyby"]).readonly()
    board = board.description("Response times, causes, alerts and the worker's own health.")
    board = board.time("now-7d", "now").week_start("monday").timezone("browser").refresh("1m")
    board = board.tooltip(model.DashboardCursorSync.CROSSHAIR)
    board = board.with_variable(datasource_variable()).with_variable(account_variable())
    board = board.annotation(deadline_annotation())
    sections = (queue(), response(), detail_amazon.amazon(), topics(), hours(), *detail_worker.sections())
    y = 0
    for number, (title, height, panels) in enumerate(sections, start=1):
        board = board.with_row(row(title, number * 100, y))
        for offset, (panel, where) in enumerate(panels, start=1):
            shifted = Place(where.x, y + 1 + where.y, where.w, where.h)
            board = board.with_panel(place(panel, number * 100 + offset, shifted))
        y += 1 + height
    return board


def queue() -> Section:
    """Return what waits now, by account and marketplace."""
    by = "by (account, marketplace)"
    waiting = f"(sum {by} ({OPEN}) > 0)"
    rows = build_table(
        "WHAT WAITS, BY ACCOUNT AND MARKETPLACE",
        "Most urgent first. Orders and people are never in Prometheus; they stand in replyby status and on its own page.",
        [
            Query(f"min {by} ({DEADLINE}) - time()", kind="table"),
            Query(f"max {by} (replyby_next_deadline_acknowledged{{{ACCOUNT}}})", kind="table"),
            *(
                Query(f'sum {by} (replyby_threads_open{{{ACCOUNT}, state="{state}"}}) and {waiting}', kind="table")
                for state in ("running", "at_risk", "breached")
            ),
        ],
        "none",
    )
    names = {
        "Value #A": "left",
        "Value #B": "taken",
        "Value #C": "running",
        "Value #D": "at risk",
        "Value #E": "overdue",
    }
    rows = rows.with_transformation(transform("merge"))
    rows = rows.with_transformation(
        transform("organize", excludeByName={"Time": True}, indexByName={}, renameByName=names)
    )
    rows = rows.with_transformation(transform("sortBy", fields={}, sort=[{"field": "left"}]))
    solid = set_property("custom.cellOptions", {"type": "color-background", "mode": "basic"})
    rows = rows.thresholds(colours(NEUTRAL))
    rows = rows.override_by_name(
        "left",
        [set_property("unit", "dthms"), solid, colours_property(RED, (0, BROWN), (AT_RISK_SECONDS, BLUE))],
    )
    taken = words(_0=("nobody yet", BROWN), _1=("taken", BLUE))
    rows = rows.override_by_name("taken", [set_property("mappings", [taken]), solid])
    for name, colour in (("at risk", BROWN), ("overdue", RED)):
        rows = rows.override_by_name(name, [solid, colours_property(NEUTRAL, (1, colour))])
    due = build_lines(
        "DUE WITHIN, OVER TIME",
        "Open threads by time to their deadline; overdue ones count everywhere.",
        [
            Query(f'sum(replyby_threads_due{{{ACCOUNT}, within="{within}"}})', within, "range")
            for within in ("1h", "4h", "24h")
        ],
        "none",
    ).min(0)
    return "WHAT WAITS", 8, [(rows, Place(0, 0, 14, 8)), (due.decimals(0), Place(14, 0, 10, 8))]


def response() -> Section:
    """Return how long buyers wait."""
    share = build_stat(
        f"ANSWERED IN TIME · GOAL {GOAL:.0%}",
        "Share of buyer messages answered within their target, as in the weekly report.",
        [Query(ratio(window), window) for window in ("7d", "30d", "90d")],
        "percentunit",
    )
    share = share.decimals(1).orientation(common_model.VizOrientation.HORIZONTAL).thresholds(colours(RED, (GOAL, BLUE)))
    chosen = f'{{{ACCOUNT}, window="30d"}}'
    markets = build_bars(
        "ANSWERED IN TIME BY ACCOUNT AND MARKETPLACE · 30 D",
        "Below the goal: red.",
        [Query(f"sort(floor(replyby_response_ratio{chosen} * 1000 + 1e-6) / 1000)", MARKET)],
        "percentunit",
    )
    markets = markets.max(1).decimals(1).thresholds(colours(RED, (GOAL, BLUE)))
    spread = build_bars(
        "HOW LONG BUYERS WAITED",
        "Answered messages of the chosen time by response time; each bar is what lies between the edge before and its own.",
        [Query(_between(lower, upper), name) for lower, upper, name in _SPANS],
        "none",
    )
    spread = spread.decimals(0).thresholds(colours(BLUE))
    for _, _, name in _SPANS[-2:]:
        spread = spread.override_by_name(name, [colours_property(RED)])
    quantiles = build_lines(
        "RESPONSE TIME, MEDIAN AND SLOWEST TENTH",
        "Of the messages answered in the day before each point; the line is the target.",
        [
            Query(
                f"{_quantile(value)} >= 0",
                name,
                "range",
            )
            for value, name in ((0.5, "median"), (0.9, "slowest tenth"))
        ],
        "s",
    )
    quantiles = quantiles.min(0).interval("15m").thresholds(colours("transparent", (TARGET_SECONDS, RED)))
    style = common.GraphThresholdsStyleConfig().mode(common_model.GraphThresholdsStyleMode.DASHED)
    quantiles = quantiles.thresholds_style(style)
    return (
        "HOW LONG BUYERS WAIT",
        16,
        [
            (share, Place(0, 0, 6, 8)),
            (markets, Place(6, 0, 18, 8)),
            (spread, Place(0, 8, 10, 8)),
            (quantiles, Place(10, 8, 14, 8)),
        ],
    )


def topics() -> Section:
    """Return what buyers write about and what is left too long."""
    about = build_bars(
        "WHAT BUYERS WRITE ABOUT",
        "Buyer messages by label; one with two labels counts under both.",
        [Query(f"sort_desc({counted('replyby_message_labels_total', '$__range', by='label')})", "{{label}}")],
        "none",
    )
    missed = build_bars(
        "DEADLINES PASSED, BY LABEL",
        "Clocks whose deadline passed unanswered, by what the buyer wrote about.",
        [
            Query(
                f"sort_desc({counted('replyby_clock_labels_total', '$__range', _MISSED, by='label')})",
                "{{label}}",
            )
        ],
        "none",
    )
    outcomes = build_columns(
        "CLOCKS BY OUTCOME",
        "A deadline that passes counts as no_response, and as late too once the answer comes after all.",
        [Query(counted("replyby_clocks_total", "$__interval", by="outcome"), "{{outcome}}", "range")],
        "none",
    )
    outcomes = outcomes.interval("1h").min(0).decimals(0)
    for name, colour in (("met", BLUE), ("late", BROWN), ("no_response", RED), ("waived", LIGHT)):
        outcomes = outcomes.override_by_name(name, fixed_colour(colour))
    return (
        "WHAT IT IS ABOUT",
        8,
        [
            (about.decimals(0).thresholds(colours(BLUE)), Place(0, 0, 7, 8)),
            (missed.decimals(0).thresholds(colours(NEUTRAL, (0.5, RED))), Place(7, 0, 7, 8)),
            (outcomes, Place(14, 0, 10, 8)),
        ],
    )


def hours() -> Section:
    """Return the hours of the week in which messages come and deadlines pass."""
    return (
        "HOURS OF THE WEEK · LAST 90 DAYS, THE WORKER'S LOCAL TIME",
        9,
        [
            (
                _heat_map("WHEN BUYERS WRITE", "Buyer messages received, by hour of the week.", "received"),
                Place(0, 0, 12, 9),
            ),
            (
                _heat_map("WHEN DEADLINES PASS", "Buyer messages whose deadline passed unanswered.", "breached"),
                Place(12, 0, 12, 9),
            ),
        ],
    )


_MISSED = 'outcome="no_response"'
_SPANS = (
    (0, 3600, "up to 1 h"),
    (3600, 14400, "1 to 4 h"),
    (14400, 28800, "4 to 8 h"),
    (28800, 57600, "8 to 16 h"),
    (57600, 86400, "16 to 24 h"),
    (86400, 172800, "24 to 48 h"),
    (172800, 0, "over 48 h"),
)


def _between(lower: int, upper: int) -> str:
    def up_to(edge: int) -> str:
        le = f"{edge:.1f}" if edge else "+Inf"
        return counted("replyby_response_seconds_bucket", "$__range", f'le="{le}"')

    return f"{up_to(upper)} - {up_to(lower)}" if lower else up_to(upper)


def _quantile(value: float) -> str:
    # Without a reply in the window the quantile is NaN; the comparison leaves it out.
    buckets = counted("replyby_response_seconds_bucket", "1d", by="le")
    return f"histogram_quantile({value}, {buckets})"


def _heat_map(title: str, description: str, event: str) -> table.Panel:
    # Prometheus sorts labels as text, so the weekday's number stands before its name until the table is made.
    expr = f'sum by (weekday, hour) (replyby_week_hour_messages{{{ACCOUNT}, event="{event}"}})'
    for number, day in enumerate(("mon", "tue", "wed", "thu", "fri", "sat", "sun"), start=1):
        expr = f'label_replace({expr}, "day", "{number} {day}", "weekday", "{day}")'
    panel = build_table(title, description, [Query(expr, kind="table")], "none")
    panel = panel.with_transformation(transform("sortBy", fields={}, sort=[{"field": "hour"}]))
    matrix = {"columnField": "hour", "rowField": "day", "valueField": "Value", "emptyValue": "zero"}
    panel = panel.with_transformation(transform("groupingToMatrix", **matrix))
    panel = panel.with_transformation(transform("sortBy", fields={}, sort=[{"field": "day\\hour"}]))
    panel = panel.decimals(0).thresholds(colours(HEAT[0], (1, HEAT[1]), (3, HEAT[2]), (6, HEAT[3])))
    cells = set_property("custom.cellOptions", {"type": "color-background", "mode": "basic"})
    panel = panel.with_override(
        model.MatcherConfig(id_val="byRegexp", options="^\\d\\d$"), [cells, set_property("custom.width", 34)]
    )
    return panel.override_by_name("day\\hour", [set_property("displayName", " "), set_property("custom.width", 70)])
