"""How long a report takes, and how much memory, for a seller with 500,000 buyer messages a year.

    python -m tests.bench.bench_report [MESSAGES]

Messages are made while they are read, so that what is measured is the report and not the list; the time that making them
takes is measured too and named. Memory is the process's peak above what it held before.
"""

import random
import resource
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

from monitor.core.figures import MessageOutcome
from monitor.core.weeks import IsoWeek
from monitor.report.build import build_report
from monitor.report.model import Report
from monitor.report.publish import render_report
from monitor.report.reading import Reading
from monitor.report.render_csv import render_csv
from monitor.report.render_html import render_html
from monitor.report.render_json import render_json
from tests.support.report_source import MemoryReportSource, sample_settings

YEAR = timedelta(days=365)
NOW = datetime(2026, 11, 23, 7, 0, tzinfo=UTC)
WEEK = IsoWeek(2026, 47)
DAY = timedelta(hours=24)
MARKETS = ("US", "DE", "UK", "FR", "IT", "ES", "JP", "CA")
LABELS = ((), ("delivery",), ("return", "refund"), ("product_question",), ("complaint", "delivery"))


class MadeUpYear(MemoryReportSource):
    """A year of messages, evenly spread, three of a hundred late; the same ones at every reading."""

    def __init__(self, messages: int) -> None:
        """Remember how many."""
        super().__init__()
        self.messages = messages

    def read_outcomes(self, from_at: datetime, to_at: datetime) -> Iterator[MessageOutcome]:
        begins, step = NOW - YEAR, YEAR / self.messages
        first = max(0, -((begins - from_at) // step))
        last = min(self.messages, -((begins - to_at) // step))
        draw = random.Random(first)
        for number in range(first, last):
            received_at = begins + number * step
            took = draw.expovariate(1 / 14_000) if draw.random() > 0.02 else draw.uniform(86_000, 200_000)
            answered_at = received_at + timedelta(seconds=round(took))
            yield MessageOutcome(
                message_id=number,
                thread_id=number // 2,
                account="acme-eu" if number % 3 else "acme-us",
                marketplace=MARKETS[number % 8],
                received_at=received_at,
                target=DAY,
                answered_at=answered_at if answered_at <= NOW else None,
                waived_at=received_at + DAY / 2 if number % 50 == 0 else None,
                labels=LABELS[number % 5],
                order_id="402-0000000-0000000",
            )


def measure(name: str, work: Callable[[], object]) -> object:
    """Run it once and print seconds and what the process's peak grew by."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    started = time.perf_counter()
    result = work()
    seconds = time.perf_counter() - started
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(f"{name:<58} {seconds:7.2f} s  peak {peak / 1024:6.0f} MiB (+{(peak - before) / 1024:.0f})")
    return result


def main(messages: int) -> None:
    """Print the figures."""
    source = MadeUpYear(messages)
    settings = sample_settings()

    def make_only() -> int:
        return sum(1 for _ in source.read_outcomes(NOW - YEAR, NOW))

    def count_all() -> int:
        reading = Reading(WEEK, NOW, settings, {})
        for outcome in source.read_outcomes(NOW - YEAR, NOW):
            reading.add(outcome)
        return reading.of_week.build().received

    def build() -> Report:
        return build_report(source, WEEK, NOW, settings)

    measure(f"make {messages:,} messages, count nothing", make_only)
    measure(f"count {messages:,} messages (making included)", count_all)
    report = measure("the weekly report: 90 days read, misses, replay, forecast", build)
    assert isinstance(report, Report)
    rendered = measure("words and pictures", lambda: render_report(report))
    measure("HTML", lambda: render_html(rendered.view, rendered.pictures))  # type: ignore[attr-defined]
    measure("JSON and CSV", lambda: (render_json(report), render_csv(report)))
    print(f"the week: {report.figures.received:,} messages, {report.figures.missed} missed")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 500_000)
