"""How long planning takes: `python -m tests.bench.bench_plan`. 10,000 clocks that are looked at in one tick."""

from dataclasses import replace
from datetime import timedelta
from time import perf_counter

from alerts.core.plan import plan_clock
from tests.support.planning_world import AHEAD, DEADLINE, OFFICE, hours, make_directory, make_view, minutes

CLOCKS = 10_000


def main() -> None:
    """Print microseconds per clock for each case."""
    base = make_view(look_ahead=AHEAD)
    repeat = replace(base, steps=tuple(replace(step, repeat_every=minutes(10)) for step in base.steps))
    acknowledged = replace(base, acknowledged_by="Ana", acknowledged_at=DEADLINE - hours(2))
    cases = {
        "a step is due": (base, DEADLINE - hours(2)),
        "the breach is due": (repeat, DEADLINE),
        "nothing is due": (base, DEADLINE - hours(20)),
        "acknowledged": (acknowledged, DEADLINE - hours(1.9)),
        "unverified": (replace(base, verified=False), DEADLINE),
    }
    for name, (view, now) in cases.items():
        views = [
            replace(view, clock_id=number, deadline_at=view.deadline_at - timedelta(microseconds=number))
            for number in range(CLOCKS)
        ]
        directory = make_directory(shifts=(OFFICE,))
        began = perf_counter()
        planned = sum(len(plan_clock(one, directory, now).notifications) for one in views)
        spent = perf_counter() - began
        print(
            f"{name:18} {spent / CLOCKS * 1e6:5.1f} µs a clock, {spent:.2f} s for {CLOCKS:,}, {planned:,} notifications"
        )


if __name__ == "__main__":
    main()
