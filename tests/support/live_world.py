"""The real listener serving an invented busy seller, a week of history behind it, scraped by a real Prometheus."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from prometheus_client import CollectorRegistry

from monitor.metrics.export import PollDurations, build_registry
from monitor.metrics.page import PageFacts
from monitor.metrics.server import Health, Server, Site, serve
from monitor.wallclock import utc_now
from tests.support.metrics_world import NAMES, make_page, make_snapshot, make_thread
from tests.support.ports import free_port
from tests.support.prometheus import Prometheus, run_prometheus
from tests.support.waiting import wait_until

HISTORY = timedelta(days=7, hours=12)
RULES = Path(__file__).parents[2] / "grafana" / "prometheus" / "rules" / "replyby.yml"


@dataclass(frozen=True)
class World:
    """What runs."""

    prometheus: Prometheus
    listener: Server

    @property
    def instance(self) -> str:
        """The listener's address, as Prometheus labels it."""
        return f"127.0.0.1:{self.listener.port}"


@contextmanager
def run_world(directory: Path) -> Iterator[World]:
    """Yield the world once its first scrape is in."""
    listener = serve("127.0.0.1", free_port(), _site())
    try:
        history = render_history(f"127.0.0.1:{listener.port}", utc_now().timestamp())
        with run_prometheus(directory, [f"127.0.0.1:{listener.port}"], [RULES], history) as prometheus:
            world = World(prometheus, listener)
            wait_until(lambda: scraped(prometheus), "the first two scrapes")
            yield world
    finally:
        listener.stop()


def scraped(prometheus: Prometheus) -> bool:
    """Tell whether the worker was scraped at least twice."""
    result = prometheus.query('count_over_time(up{job="replyby"}[1m])')
    return bool(result) and float(result[0]["value"][1]) >= 2


def render_history(instance: str, now: float) -> str:
    """Return the last days as OpenMetrics: what grows grows evenly, what stands still is left out but for the queue."""
    first, last = _samples(0.2), _samples(1.0)
    times = [now - HISTORY.total_seconds() + step * 1200 for step in range(int(HISTORY.total_seconds() / 1200) - 71)]
    times += [now - 86400 + step * 150 for step in range(int(86400 / 150) - 1)]
    times = sorted(time for time in times if time < now - 100)
    lines = []
    for (family, type_), samples in last.items():
        before = first[(family, type_)]
        keep = {
            key: (before[key], value)
            for key, value in samples.items()
            if before[key] != value or (value and family.startswith(("replyby_threads_", "process_resident")))
        }
        if not keep:
            continue
        lines.append(f"# TYPE {family} {type_}")
        for (name, labels), (start, end) in keep.items():
            text = ",".join(f'{key}="{value}"' for key, value in (*labels, ("instance", instance), ("job", "replyby")))
            for time in times:
                share = (time - times[0]) / (times[-1] - times[0])
                lines.append(f"{name}{{{text}}} {int(start + (end - start) * share)} {time:.0f}")
    return "\n".join([*lines, "# EOF", ""])


Samples = dict[tuple[str, tuple[tuple[str, str], ...]], float]


def _samples(factor: float) -> dict[tuple[str, str], Samples]:
    families: dict[tuple[str, str], Samples] = {}
    for family in _registry(factor).collect():
        if family.name.startswith(("replyby_", "process_resident")) and not family.name.endswith("timestamp_seconds"):
            key = (family.name, family.type)
            families[key] = {(s.name, tuple(sorted(s.labels.items()))): s.value for s in family.samples}
    return families


def _registry(factor: float) -> CollectorRegistry:
    polls = PollDurations(NAMES.mailboxes)
    for number in range(int(200 * factor)):
        polls.observe("support", 0.05 + number % 7 / 10)
        polls.observe("osaka", 1.5)
    return build_registry(lambda: make_snapshot(utc_now(), factor), NAMES, polls)


def _site() -> Site:
    return Site(registry=_registry(1.0), read_page=_page, health=lambda: Health(True))


def _page() -> PageFacts:
    now = utc_now()
    snapshot = make_snapshot(now)
    facts = PageFacts(
        now=now,
        time_zone=ZoneInfo("Europe/Paris"),
        threads=(),
        mailboxes=snapshot.mailboxes,
        cycle_last_success_at=snapshot.cycle_last_success_at,
        response_ratio={7: 0.934, 30: 0.948, 90: 0.951},
        warnings=("Italy: replies made in Seller Central were never seen.",),
    )
    return make_page(
        facts,
        make_thread(1, timedelta(minutes=-12), now, "IT"),
        make_thread(2, timedelta(hours=1, minutes=32), now, "FR", "Ana"),
        make_thread(3, timedelta(hours=6, minutes=5), now, "DE"),
        make_thread(4, timedelta(hours=9), now, "FR"),
        make_thread(5, timedelta(hours=22), now, "JP", "Bo"),
    )
