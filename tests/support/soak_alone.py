"""Three hours of traffic, and one more with a leak, in a process of its own: what else runs in a test's would be measured too.

`python -m tests.support.soak_alone FOLDER` prints what was measured as one JSON document.
"""

import json
import sys
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path

from tests.support.soak import START, Measured, Soak, soaking

HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)


def measure_an_hour(soak: Soak) -> tuple[Measured, Measured]:
    """Return what stands before and after one more hour."""
    before = soak.measure()
    soak.run_until(soak.clock() + HOUR, MINUTE)
    return before, soak.measure()


def main(folder: Path) -> None:
    """Print `sound`, `leaking` (each before and after an hour), `sent` and `leaked`."""
    with soaking(folder, timedelta(seconds=10)) as soak:
        soak.run_until(START + 2 * HOUR, MINUTE)  # until what is kept for good is there
        soak.measure()  # looking for the first time leaves something too
        sound = measure_an_hour(soak)
        sent = soak.takes.sent
        leaked: list[bytes] = []
        made = soak.stream.mails
        soak.after_tick = lambda: leaked.extend(bytes(40) for _ in range(soak.stream.mails - made - len(leaked)))
        leaking = measure_an_hour(soak)
    shown = {"sound": [asdict(one) for one in sound], "leaking": [asdict(one) for one in leaking]}
    print(json.dumps({**shown, "sent": sent, "leaked": len(leaked)}, default=str))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
