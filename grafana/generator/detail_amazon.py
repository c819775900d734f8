"""What Amazon says: its own figures beside ours, and how asking it goes."""

from grafana_foundation_sdk.builders import table

from grafana.generator.panels import (
    Place,
    Query,
    Section,
    build_bars,
    build_columns,
    build_table,
    colours,
    colours_property,
    fixed_colour,
    set_property,
    transform,
    words,
)
from grafana.generator.queries import ACCOUNT, counted, while_alive
from grafana.generator.thresholds import BLUE, BROWN, DIFFERENCE, GREY, NEUTRAL, RED

_WINDOW = f'{{{ACCOUNT}, window="30d"}}'
_OURS = f"replyby_response_ratio{_WINDOW}"
_AMAZON = f"(1 - replyby_amazon_late_response_ratio{_WINDOW})"


def amazon() -> Section:
    """Return Amazon's figures and ours side by side, and the calls for them."""
    calls = build_columns(
        "CALLS TO AMAZON",
        "Of the Selling Partner API; what failed is asked again by itself, and no alert waits for it.",
        [Query(_calls('outcome="ok"'), "answered", "range"), Query(_calls('outcome!="ok"'), "failed", "range")],
        "none",
    )
    calls = calls.interval("1h").min(0).decimals(0)
    for name, colour in (("answered", BLUE), ("failed", RED)):
        calls = calls.override_by_name(name, fixed_colour(colour))
    tasks = build_bars(
        "REPORTS AND ORDERS",
        "Asked for in the chosen time, by how they ended.",
        [
            Query(
                while_alive(
                    f"sort_desc({counted('replyby_amazon_tasks_total', '$__range', by='task, outcome')} > 0)",
                    task="nothing",
                    outcome="asked",
                ),
                "{{task}} {{outcome}}",
            )
        ],
        "none",
    )
    return (
        "WHAT AMAZON SAYS",
        8,
        [
            (_side_by_side(), Place(0, 0, 13, 8)),
            (calls, Place(13, 0, 6, 8)),
            (tasks.decimals(0).thresholds(colours(BLUE)), Place(19, 0, 5, 8)),
        ],
    )


def _side_by_side() -> table.Panel:
    panel = build_table(
        "AMAZON'S FIGURE BESIDE OURS · ANSWERED IN TIME, 30 D",
        "Where they are far apart the clock does not see everything; the weekly report names the likely cause. Amazon's"
        " comes from its report, or is typed with replyby amazon-figure.",
        [
            Query(_or_untold(_AMAZON), kind="table"),
            Query(_OURS, kind="table"),
            Query(_or_untold(f"abs({_AMAZON} - {_OURS})"), kind="table"),
            Query(_or_untold(f"replyby_amazon_average_response_seconds{_WINDOW}"), kind="table"),
        ],
        "percentunit",
    )
    columns = {"Value #A": "Amazon", "Value #B": "ReplyBy", "Value #C": "apart", "Value #D": "average, Amazon"}
    hidden = {"Time": True, "__name__": True, "instance": True, "job": True, "window": True}
    panel = panel.with_transformation(transform("merge"))
    panel = panel.with_transformation(transform("organize", excludeByName=hidden, indexByName={}, renameByName=columns))
    panel = panel.with_transformation(transform("sortBy", fields={}, sort=[{"field": "apart", "desc": True}]))
    panel = panel.decimals(1).thresholds(colours(NEUTRAL))
    untold = set_property("mappings", [words(**{"-1": ("not told", GREY)})])
    solid = set_property("custom.cellOptions", {"type": "color-background", "mode": "basic"})
    panel = panel.override_by_name("Amazon", [untold])
    panel = panel.override_by_name("apart", [untold, solid, colours_property(NEUTRAL, (DIFFERENCE, BROWN))])
    return panel.override_by_name("average, Amazon", [untold, set_property("unit", "s")])


def _calls(which: str) -> str:
    return while_alive(counted("replyby_amazon_calls_total", "$__interval", which))


def _or_untold(expr: str) -> str:
    """Return the query with -1 for each account and marketplace of which Amazon has told nothing."""
    return f"{expr} or {_OURS} * 0 - 1"
