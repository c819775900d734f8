"""PromQL that more than one panel needs."""

from grafana.generator.thresholds import CYCLE_STALE_SECONDS, MAILBOX_BLIND_SECONDS, NOTHING_WAITING

ACCOUNT = 'account=~"$account"'
DEADLINE = f"replyby_next_deadline_timestamp_seconds{{{ACCOUNT}}}"
OPEN = f"replyby_threads_open{{{ACCOUNT}}}"
BACKLOG = f"replyby_threads_backlog{{{ACCOUNT}}}"

SIGHTED = (
    f"(time() - max(replyby_cycle_last_success_timestamp_seconds) < {CYCLE_STALE_SECONDS})"
    f" and on() (time() - min(replyby_poll_last_success_timestamp_seconds) < {MAILBOX_BLIND_SECONDS})"
)
"""Some value while cycles succeed and every mailbox is read; empty else: an empty queue may then be believed."""

NOTHING_WAITS = f"(sum({OPEN}) - sum({BACKLOG}) == 0) and on() ({SIGHTED})"


def with_nothing_waiting(expr: str, **labels: str) -> str:
    """Return the query with one more outcome: a value of 1e9, under these labels, when nothing waits and that is sure.

    Without it an empty result would take the calmest look although the worker may be dead or blind.
    """
    value = _labelled(f"vector({NOTHING_WAITING:g})", labels)
    return f"({expr}) or on() ({value} and on() ({NOTHING_WAITS}))"


def while_alive(expr: str, **labels: str) -> str:
    """Return the query with 0, under these labels, in place of nothing, but only while the worker is there to say so."""
    return f"({expr}) or on() ({_labelled('0 * max(replyby_build_info)', labels)})"


def _labelled(value: str, labels: dict[str, str]) -> str:
    for name, text in labels.items():
        value = f'label_replace({value}, "{name}", "{text}", "", "")'
    return value


def ratio(window: str) -> str:
    """Return the share of buyer messages answered in time over all chosen marketplaces, each by its messages.

    Rounded down to a tenth of a percent: 89.96 % is not shown as a goal of 90 % that was met.
    """
    chosen = f'{{{ACCOUNT}, window="{window}"}}'
    share = (
        f"sum(replyby_response_ratio{chosen} * replyby_judged_messages{chosen}) / sum(replyby_judged_messages{chosen})"
    )
    return f"floor({share} * 1000 + 1e-6) / 1000"


def counted(metric: str, span: str, *matchers: str, by: str = "") -> str:
    """Return how often something happened in a span, over all chosen accounts; `by` keeps those labels apart."""
    grouping = f" by ({by}) " if by else ""
    return f"sum{grouping}(increase({metric}{{{', '.join((ACCOUNT, *matchers))}}}[{span}]))"
