"""The wall: what three metres away must be understood. 1920×1080 in kiosk mode shows 27 grid rows, no more."""

from grafana_foundation_sdk.builders import dashboard, stat, timeseries
from grafana_foundation_sdk.models import common as common_model
from grafana_foundation_sdk.models import dashboard as model

from grafana.generator.board import account_variable, datasource_variable, deadline_annotation
from grafana.generator.panels import (
    Place,
    Query,
    build_columns,
    build_stat,
    colours,
    colours_property,
    fixed_colour,
    no_data,
    nothing_waiting,
    place,
    words,
)
from grafana.generator.queries import ACCOUNT, DEADLINE, counted, ratio, while_alive, with_nothing_waiting
from grafana.generator.thresholds import (
    AT_RISK_SECONDS,
    BLUE,
    BROWN,
    GOAL,
    LIGHT,
    MAILBOX_BLIND_SECONDS,
    MAILBOX_LATE_SECONDS,
    NEUTRAL,
    RED,
)

MAX_ROWS = 27
NEXT = f"bottomk(1, {DEADLINE})"
COUNTDOWN = colours(RED, (0, BROWN), (AT_RISK_SECONDS, BLUE))


def build_wall() -> dashboard.Dashboard:
    """Return the wall."""
    board = dashboard.Dashboard("ReplyBy · wall").uid("replyby-wall").tags(["replyby"]).readonly()
    board = board.description("Are we safe, what is next, who has it. For a screen on the wall: open it with ?kiosk.")
    board = board.time("now/w", "now").week_start("monday").timezone("browser").refresh("30s")
    # Controls take a row that the wall does not have; ?var-account=NAME still chooses.
    hide = model.VariableHide.HIDE_VARIABLE
    board = board.with_variable(datasource_variable().hide(hide)).with_variable(account_variable().hide(hide))
    board = board.annotation(deadline_annotation().hide(True)).timepicker(dashboard.TimePicker().hidden(True))
    board = board.with_panel(place(_countdown(), 1, Place(0, 0, 10, 6)))
    board = board.with_panel(place(_next_market(), 2, Place(0, 6, 10, 4)))
    board = board.with_panel(place(_open_threads(), 3, Place(10, 0, 6, 10)))
    board = board.with_panel(place(_rates(), 4, Place(16, 0, 8, 10)))
    board = board.with_panel(place(_due_within(), 5, Place(0, 10, 14, 4)))
    board = board.with_panel(place(_mailboxes(), 6, Place(14, 10, 10, 4)))
    board = board.with_panel(place(_marketplaces(), 7, Place(0, 14, 14, 5)))
    board = board.with_panel(place(_blind_spots(), 8, Place(14, 14, 4, 5)))
    board = board.with_panel(place(_alerts(), 9, Place(18, 14, 6, 5)))
    board = board.with_panel(place(_week(), 10, Place(0, 19, 18, 8)))
    return board.with_panel(place(_week_totals(), 11, Place(18, 19, 6, 8)))


def _countdown() -> stat.Panel:
    query = Query(with_nothing_waiting(f"min({DEADLINE}) - time()"), "left")
    panel = build_stat(
        "NEXT REPLY DUE IN", "Time until the next deadline; overdue time counts on as “ago”.", [query], "dthms"
    )
    panel = panel.text_mode(common_model.BigValueTextMode.VALUE).thresholds(COUNTDOWN)
    return panel.mappings([no_data(), nothing_waiting()])


def _next_market() -> stat.Panel:
    who = f"replyby_next_deadline_acknowledged{{{ACCOUNT}}} and on(account, marketplace) {NEXT}"
    panel = build_stat(
        "WHERE, AND WHETHER SOMEBODY HAS IT",
        "Account and marketplace of the next deadline. Who has it stands on the worker's own page.",
        [Query(with_nothing_waiting(who, account="all", marketplace="marketplaces"), "{{account}} {{marketplace}}")],
    )
    taken = words(_0=("nobody has it yet", BROWN), _1=("taken", BLUE))
    return panel.thresholds(colours(NEUTRAL)).mappings([no_data(), nothing_waiting(), taken])


def _open_threads() -> stat.Panel:
    states = {"running": "running", "at_risk": "at risk", "breached": "overdue"}
    panel = build_stat(
        "OPEN",
        "Threads awaiting a reply, by state.",
        [Query(f'sum(replyby_threads_open{{{ACCOUNT}, state="{state}"}})', legend) for state, legend in states.items()],
        "none",
    )
    panel = panel.decimals(0).orientation(common_model.VizOrientation.HORIZONTAL).thresholds(colours(NEUTRAL))
    for legend, colour in zip(states.values(), (BLUE, BROWN, RED), strict=True):
        panel = panel.override_by_name(legend, [colours_property(NEUTRAL, (1, colour))])
    return panel


def _rates() -> stat.Panel:
    panel = build_stat(
        f"ANSWERED IN TIME · GOAL {GOAL:.0%}",
        "Share of buyer messages answered within their target, by the worker's own count; blue: the goal is met.",
        [Query(ratio(f"{days}d"), f"{days} days") for days in (7, 30, 90)],
        "percentunit",
    )
    panel = panel.decimals(1).orientation(common_model.VizOrientation.HORIZONTAL)
    return panel.thresholds(colours(RED, (GOAL, BLUE)))


def _due_within() -> stat.Panel:
    spans = {hours: f"{hours} h" for hours in (1, 2, 4, 8, 12, 24)}
    panel = build_stat(
        "DUE WITHIN",
        "Open threads whose deadline is within this time; overdue ones count everywhere.",
        [Query(f'sum(replyby_threads_due{{{ACCOUNT}, within="{hours}h"}})', legend) for hours, legend in spans.items()],
        "none",
    )
    panel = panel.decimals(0).orientation(common_model.VizOrientation.VERTICAL).thresholds(colours(NEUTRAL))
    for hours, legend in spans.items():
        colour = BROWN if hours * 3600 <= AT_RISK_SECONDS else BLUE
        panel = panel.override_by_name(legend, [colours_property(NEUTRAL, (1, colour))])
    return panel


def _mailboxes() -> stat.Panel:
    age = "time() - max by (mailbox) (last_over_time(replyby_poll_last_success_timestamp_seconds[1d]))"
    panel = build_stat(
        "MAILBOXES · TIME SINCE LAST READ",
        "How long ago each mailbox was read to its end. It keeps counting for a day when the worker is gone.",
        [Query(age, "{{mailbox}}")],
        "dthms",
    )
    panel = panel.orientation(common_model.VizOrientation.VERTICAL)
    # Thresholds stay at or above 0: the base step is null in JSON, and Grafana's versions compare it differently below.
    return panel.thresholds(colours(BLUE, (MAILBOX_LATE_SECONDS, BROWN), (MAILBOX_BLIND_SECONDS, RED)))


def _marketplaces() -> stat.Panel:
    left = f"bottomk(8, min by (account, marketplace) ({DEADLINE})) - time()"
    panel = build_stat(
        "NEXT BY MARKETPLACE",
        "Time until the next deadline of each marketplace, the eight most urgent.",
        [Query(with_nothing_waiting(left, account="all", marketplace="marketplaces"), "{{account}} {{marketplace}}")],
        "dthms",
    )
    panel = panel.orientation(common_model.VizOrientation.VERTICAL).thresholds(COUNTDOWN)
    return panel.mappings([no_data(), nothing_waiting()])


def _blind_spots() -> stat.Panel:
    seen = f"replyby_evidence_last_seen_timestamp_seconds{{{ACCOUNT}"
    blind = f'count({seen}, evidence="buyer_message"}} unless on(account, marketplace) {seen}, evidence="confirmation_copy"}})'
    panel = build_stat(
        "BLIND SPOTS",
        "Marketplaces where buyers write but no reply made in Seller Central was ever seen.",
        [Query(while_alive(blind), "marketplaces")],
        "none",
    )
    panel = panel.text_mode(common_model.BigValueTextMode.VALUE).thresholds(colours(BROWN))
    return panel.decimals(0).mappings([no_data(), words(_0=("none", NEUTRAL))])


def _alerts() -> stat.Panel:
    panel = build_stat(
        "NOTIFICATIONS · 24 H",
        "Slack messages, SMS and calls in the last 24 hours, and those that could not be delivered.",
        [
            Query('sum(increase(replyby_notifications_total{outcome="sent"}[24h]))', "sent"),
            Query('sum(increase(replyby_notifications_total{outcome="failed"}[24h]))', "failed"),
        ],
        "none",
    )
    panel = panel.decimals(0).orientation(common_model.VizOrientation.VERTICAL).thresholds(colours(NEUTRAL))
    return panel.override_by_name("failed", [colours_property(NEUTRAL, (0.5, RED))])


def _happened(span: str) -> dict[str, str]:
    return {
        "received": counted("replyby_messages_total", span, 'kind="buyer_message"'),
        "answered": counted("replyby_clocks_total", span, 'outcome=~"met|late"'),
        "overdue": counted("replyby_clocks_total", span, 'outcome="no_response"'),
    }


def _week() -> timeseries.Panel:
    panel = build_columns(
        "THIS WEEK, HOUR BY HOUR",
        "Buyer messages received, threads answered, deadlines that passed unanswered.",
        [Query(expr, legend, "range") for legend, expr in _happened("1h").items()],
        "none",
    )
    panel = panel.interval("1h").min(0).decimals(0).axis_soft_max(4)
    for legend, colour in (("received", BLUE), ("answered", LIGHT), ("overdue", RED)):
        panel = panel.override_by_name(legend, fixed_colour(colour))
    return panel


def _week_totals() -> stat.Panel:
    panel = build_stat(
        "THIS WEEK",
        "The same, summed up since Monday.",
        [Query(expr, legend) for legend, expr in _happened("$__range").items()],
        "none",
    )
    panel = panel.decimals(0).orientation(common_model.VizOrientation.HORIZONTAL).thresholds(colours(NEUTRAL))
    panel = panel.override_by_name("received", [colours_property(NEUTRAL, (0.5, BLUE))])
    return panel.override_by_name("overdue", [colours_property(NEUTRAL, (0.5, RED))])
