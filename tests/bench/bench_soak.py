"""A day of heavy traffic on a clock moved by hand: `python -m tests.bench.bench_soak [HOURS] [SECONDS]`.

A mail every SECONDS (default 10) in each of INBOX and Sent, a ticking worker with its real jobs, store, listener and Slack
SDK; a stand-in for Slack runs beside in the same process and forgets what it took. Prints, every few hours, what the process
holds. Memory that grows with mails would show in both columns: pieces given out by Python's allocator, and resident MiB.
"""

import sys
import tempfile
import time
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path

from tests.support.slack_server import SlackServer
from tests.support.soak import START, Measured, Soak, blocks_per_mail, soaking

HOUR = timedelta(hours=1)
KEPT = 300  # messages that the stand-in keeps: those that may still be changed


def main() -> None:
    """Work the hours through and print."""
    hours = int(sys.argv[1]) if len(sys.argv) > 1 else 24
    every = timedelta(seconds=float(sys.argv[2]) if len(sys.argv) > 2 else 10)
    began = time.monotonic()
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        slack = stack.enter_context(SlackServer())
        soak = stack.enter_context(soaking(Path(folder), every, slack=slack.api_url))
        slack.clock = soak.clock
        soak.after_tick = lambda: _forget(slack)
        measured = [_work(soak, 1)]
        print(" hour   mails    blocks  resident  descriptors  threads    rows   database", flush=True)
        _print(measured[0])
        for hour in sorted({*range(4, hours, 4), 9, hours}):
            measured.append(_work(soak, hour))
            _print(measured[-1])
        _report([one for one in measured if one.at >= START + 9 * HOUR] or measured, time.monotonic() - began)


def _work(soak: Soak, hour: int) -> Measured:
    soak.run_until(START + hour * HOUR, timedelta(seconds=20))
    return soak.measure()


def _forget(slack: SlackServer) -> None:
    with slack.lock:
        slack.requests.clear()
        for channel in slack.channels.values():
            del channel.posted[:-KEPT]


def _print(one: Measured) -> None:
    hour = int((one.at - START) / HOUR)
    print(
        f"{hour:5}  {one.mails:6}  {one.blocks:8}  {one.resident_bytes / 2**20:4.0f} MiB  {one.descriptors:11}  "
        f"{one.threads:7}  {one.rows:6}  {one.file_bytes / 2**20:4.0f} MiB",
        flush=True,
    )


def _report(measured: list[Measured], seconds: float) -> None:
    first, last = measured[0], measured[-1]
    grown = (last.resident_bytes - first.resident_bytes) / 2**20
    print(
        f"{last.mails} mails in {seconds:.0f} s; from hour {int((first.at - START) / HOUR)} on (the report at 9:00 loads "
        f"matplotlib): {blocks_per_mail(first, last):+.3f} blocks a mail, {grown:+.1f} MiB, "
        f"{last.descriptors - first.descriptors:+} descriptors, {last.threads - first.threads:+} threads"
    )


if __name__ == "__main__":
    main()
