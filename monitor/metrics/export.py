"""Snapshot -> Prometheus samples, in a registry of its own.

The snapshot is read once a scrape, so all samples of a scrape tell of one instant. What the store counts is exported as
it stands there: a restart resets nothing and a shell command that ran beside the worker is seen at the next scrape.
"""

import math
import threading
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime

from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.registry import Collector

from monitor.core.sla import OPEN_STATES
from monitor.core.snapshot import (
    DUE_WITHIN_HOURS,
    RATE_WINDOWS_DAYS,
    RESPONSE_EDGES_SECONDS,
    AmazonSnapshot,
    MarketSnapshot,
    Snapshot,
    Tally,
    WeekHours,
)
from monitor.metrics import catalogue
from monitor.metrics.catalogue import Metric, MetricNames

ReadSnapshot = Callable[[], Snapshot]
Family = GaugeMetricFamily | CounterMetricFamily | HistogramMetricFamily
Values = Mapping[tuple[str, ...], float]

_COUNTERS = tuple(metric for metric in catalogue.METRICS if metric.type == "counter")


class PollDurations:
    """How long each poll took since this start: a histogram that polling threads fill."""

    def __init__(self, mailboxes: Iterable[str]) -> None:
        """Begin at 0 for each mailbox."""
        self._lock = threading.Lock()
        self._counts = {mailbox: [0] * (len(catalogue.POLL_EDGES_SECONDS) + 1) for mailbox in mailboxes}
        self._sums = dict.fromkeys(self._counts, 0.0)

    def observe(self, mailbox: str, seconds: float) -> None:
        """Count one poll of a configured mailbox; called from any thread.

        Raises:
            KeyError: no such mailbox.
        """
        with self._lock:
            self._counts[mailbox][bisect_left(catalogue.POLL_EDGES_SECONDS, seconds)] += 1
            self._sums[mailbox] += seconds

    def family(self) -> HistogramMetricFamily:
        """Return the histogram as it stands."""
        with self._lock:
            counts = {mailbox: list(values) for mailbox, values in self._counts.items()}
            sums = dict(self._sums)
        family = HistogramMetricFamily(
            catalogue.POLL_DURATION.name, catalogue.POLL_DURATION.help, labels=catalogue.POLL_DURATION.labels
        )
        for mailbox, values in counts.items():
            family.add_metric([mailbox], _buckets(catalogue.POLL_EDGES_SECONDS, values), sums[mailbox])
        return family


class SnapshotCollector(Collector):
    """Asks for one snapshot a scrape and yields everything in it."""

    def __init__(self, read_snapshot: ReadSnapshot, names: MetricNames, polls: PollDurations) -> None:
        """Keep what is asked; nothing is read before the first scrape."""
        self._read_snapshot = read_snapshot
        self._names = names
        self._polls = polls

    def collect(self) -> Iterator[Family]:
        """Yield every family of the catalogue.

        Raises:
            ValueError: the store holds a count whose labels do not fit its metric.
        """
        snapshot = self._read_snapshot()
        tallies = group_tallies(snapshot.tallies)
        yield from render_markets(snapshot.markets, self._names)
        yield from render_health(snapshot, self._names)
        for metric in _COUNTERS:
            yield render_counter(metric, tallies.get(metric.tally, {}), self._names)
        yield render_response(tallies, self._names)
        yield render_week_hours(snapshot.week_hours, self._names)
        yield from render_amazon(snapshot.amazon)
        yield self._polls.family()


def build_registry(
    read_snapshot: ReadSnapshot, names: MetricNames, polls: PollDurations | None = None
) -> CollectorRegistry:
    """Return a registry that exports the snapshot and this process's memory, CPU and open files.

    Args:
        read_snapshot: asked once a scrape, in the scrape's own thread; what it raises fails the scrape.
        names: the series that exist at 0 from the start.
        polls: filled by whoever polls.
    """
    registry = CollectorRegistry()
    registry.register(SnapshotCollector(read_snapshot, names, polls or PollDurations(names.mailboxes)))
    ProcessCollector(registry=registry)
    return registry


def group_tallies(tallies: Iterable[Tally]) -> dict[str, dict[tuple[str, ...], float]]:
    """Return the values by name and labels; the same labels twice add up."""
    grouped: dict[str, dict[tuple[str, ...], float]] = defaultdict(lambda: defaultdict(float))
    for tally in tallies:
        grouped[tally.name][tally.labels] += tally.value
    return grouped


def render_counter(metric: Metric, values: Values, names: MetricNames) -> CounterMetricFamily:
    """Return the counter: every child known beforehand, at 0 if the store has none, and what else the store holds.

    Raises:
        ValueError: labels of another number than the metric's.
    """
    family = CounterMetricFamily(metric.name, metric.help, labels=metric.labels)
    for labels, value in {**dict.fromkeys(catalogue.counter_children(metric, names), 0.0), **values}.items():
        _require_labels(metric, labels)
        family.add_metric(labels, value)
    return family


def render_response(tallies: Mapping[str, Values], names: MetricNames) -> HistogramMetricFamily:
    """Return the histogram of response times; the store keeps each bucket for itself, Prometheus wants them summed up.

    Raises:
        ValueError: an edge that is none of `RESPONSE_EDGES_SECONDS`.
    """
    metric = catalogue.RESPONSE
    edges = (*RESPONSE_EDGES_SECONDS, math.inf)
    counts: dict[tuple[str, ...], list[float]] = {market: [0.0] * len(edges) for market in names.markets}
    for labels, value in tallies.get(f"{metric.tally}_bucket", {}).items():
        _require_labels(metric, labels[:-1])
        edge = float(labels[-1])
        if edge not in edges:
            raise ValueError(f"{metric.name}: the store holds a bucket up to {labels[-1]} s, which is no edge")
        counts.setdefault(labels[:-1], [0.0] * len(edges))[edges.index(edge)] += value
    sums = tallies.get(f"{metric.tally}_sum", {})
    family = HistogramMetricFamily(metric.name, metric.help, labels=metric.labels)
    for market, values in counts.items():
        family.add_metric(market, _buckets(RESPONSE_EDGES_SECONDS, values), sums.get(market, 0.0))
    return family


def render_markets(markets: Sequence[MarketSnapshot], names: MetricNames) -> Iterator[Family]:
    """Yield what is told of each account and marketplace; counts of open threads are 0 where the snapshot is silent."""
    threads_open, due = _gauge(catalogue.THREADS_OPEN), _gauge(catalogue.THREADS_DUE)
    deadline, acknowledged = _gauge(catalogue.NEXT_DEADLINE), _gauge(catalogue.NEXT_ACKNOWLEDGED)
    backlog = _gauge(catalogue.THREADS_BACKLOG)
    response, late = _gauge(catalogue.RESPONSE_RATIO), _gauge(catalogue.LATE_RATIO)
    judged, evidence = _gauge(catalogue.JUDGED), _gauge(catalogue.EVIDENCE_SEEN)
    seen = {(market.account, market.marketplace): market for market in markets}
    for key in dict.fromkeys((*names.markets, *seen)):
        market = seen.get(key)
        for state in OPEN_STATES:
            threads_open.add_metric([*key, state.value], market.open_by_state.get(state, 0) if market else 0)
        backlog.add_metric(key, market.backlog if market else 0)
        for hours in DUE_WITHIN_HOURS:
            due.add_metric([*key, f"{hours}h"], market.due_within.get(hours, 0) if market else 0)
        if market is None:
            continue
        if market.next_deadline_at is not None:
            deadline.add_metric(key, market.next_deadline_at.timestamp())
            acknowledged.add_metric(key, int(market.next_acknowledged))
        for days in RATE_WINDOWS_DAYS:
            _add_if_known(response, (*key, f"{days}d"), market.response_ratio.get(days))
            _add_if_known(late, (*key, f"{days}d"), market.late_response_ratio.get(days))
            _add_if_known(judged, (*key, f"{days}d"), market.judged_messages.get(days))
        for name, seen_at in market.evidence_last_seen_at.items():
            evidence.add_metric((*key, name), seen_at.timestamp())
    yield from (threads_open, backlog, deadline, acknowledged, due, response, late, judged, evidence)


def render_health(snapshot: Snapshot, names: MetricNames) -> Iterator[Family]:
    """Yield what tells whether the worker itself is well."""
    outbox, oldest = _gauge(catalogue.OUTBOX_PENDING), _gauge(catalogue.OUTBOX_OLDEST)
    polled, review = _gauge(catalogue.POLL_SUCCESS), _gauge(catalogue.REVIEW_PENDING)
    cycle, build = _gauge(catalogue.CYCLE_SUCCESS), _gauge(catalogue.BUILD_INFO)
    outbox.add_metric((), snapshot.outbox_pending)
    _add_if_known(oldest, (), _timestamp(snapshot.outbox_oldest_at))
    for mailbox in snapshot.mailboxes:
        _add_if_known(polled, (mailbox.mailbox,), _timestamp(mailbox.last_success_at))
    for account in dict.fromkeys((*names.accounts, *snapshot.review_pending)):
        review.add_metric((account,), snapshot.review_pending.get(account, 0))
    _add_if_known(cycle, (), _timestamp(snapshot.cycle_last_success_at))
    build.add_metric((names.version,), 1)
    yield from (outbox, oldest, polled, review, cycle, build)


def render_week_hours(week_hours: Iterable[WeekHours], names: MetricNames) -> GaugeMetricFamily:
    """Return the hours of the week: all 168 for each account and event, so that a heat map has no holes."""
    family = _gauge(catalogue.WEEK_HOUR_MESSAGES)
    known = {hours.account: hours for hours in week_hours}
    hours_of_week = [(weekday, hour) for weekday in catalogue.WEEKDAYS for hour in catalogue.HOURS]
    none = (0,) * len(hours_of_week)
    for account in dict.fromkeys((*names.accounts, *known)):
        hours = known.get(account, WeekHours(account=account, received=none, breached=none))
        for event, counts in (("received", hours.received), ("breached", hours.breached)):
            for (weekday, hour), count in zip(hours_of_week, counts, strict=True):
                family.add_metric((account, event, weekday, hour), count)
    return family


def render_amazon(figures: Iterable[AmazonSnapshot]) -> Iterator[Family]:
    """Yield Amazon's own figures, as they were read or typed."""
    late, average = _gauge(catalogue.AMAZON_LATE_RATIO), _gauge(catalogue.AMAZON_AVERAGE)
    read, newest = _gauge(catalogue.AMAZON_FIGURE_READ), dict[tuple[str, str], datetime]()
    for figure in figures:
        market = (figure.account, figure.marketplace)
        _add_if_known(late, (*market, f"{figure.window_days}d"), figure.late_ratio)
        _add_if_known(average, (*market, f"{figure.window_days}d"), figure.average_response_seconds)
        newest[market] = max(figure.read_at, newest.get(market, figure.read_at))
    for market, read_at in newest.items():
        read.add_metric(market, read_at.timestamp())
    yield from (late, average, read)


def _gauge(metric: Metric) -> GaugeMetricFamily:
    return GaugeMetricFamily(metric.name, metric.help, labels=metric.labels)


def _add_if_known(family: GaugeMetricFamily, labels: Sequence[str], value: float | None) -> None:
    if value is not None:
        family.add_metric(labels, value)


def _timestamp(instant: datetime | None) -> float | None:
    return None if instant is None else instant.timestamp()


def _require_labels(metric: Metric, labels: tuple[str, ...]) -> None:
    expected = len(metric.labels)
    if len(labels) != expected:
        raise ValueError(f"{metric.name}: the store holds labels {labels!r}, but the metric has {metric.labels!r}")


def _buckets(edges: Sequence[float], counts: Sequence[float]) -> list[tuple[str, float]]:
    """Return cumulative buckets; `counts` has one entry more than `edges`, for what lies beyond the last."""
    total = 0.0
    buckets = []
    for edge, count in zip((*edges, math.inf), counts, strict=True):
        total += count
        buckets.append(("+Inf" if math.isinf(edge) else str(float(edge)), total))
    return buckets
