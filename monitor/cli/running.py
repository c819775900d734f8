"""Commands that run the worker: run, once, demo."""

import sys
import tempfile
import threading
from collections.abc import Callable, Sequence
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from monitor.cli.options import ConfigOption, JsonOption, read_config
from monitor.cli.output import instant_text, print_json, print_line, print_problem
from monitor.errors import ReplyByError, StoreUnreachable

if TYPE_CHECKING:
    from monitor.config.model import Config
    from monitor.jobs.services import Services
    from monitor.report.digest import Trouble
    from monitor.store.opening import Store


DATABASE_EVERY_SECONDS = 2.0


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(run)
    app.command()(once)
    app.command()(demo)


def run(config: ConfigOption = None) -> None:
    """Run the worker until SIGTERM or Ctrl-C. It polls, keeps clocks, alerts and serves metrics."""
    _work(read_config(config))


def _work(config: "Config") -> None:
    from monitor.bootstrap import build_services, build_worker
    from monitor.logs import secrets_of, set_up_logs
    from monitor.store.engine import reading
    from monitor.store.open_threads import read_first_start
    from monitor.store.opening import open_store
    from monitor.worker import stop_on_signals

    set_up_logs(config.worker.log_format, secrets=secrets_of(config))
    for warning in config.warnings:
        print_problem(f"note: {warning}")
    store = _wait_for(lambda: open_store(config))
    with reading(store.engine) as connection:
        if read_first_start(connection) is None:
            days = -(-config.worker.lookback // timedelta(days=1))
            print_problem(
                f"First start: {days} {'day' if days == 1 else 'days'} of mail are read, then the watch begins."
            )
    services = _equipped(build_services(config, store, with_sources=True, as_worker=True))
    stop_on_signals(services.stopping)
    build_worker(services).run(ready=print_problem)


def _wait_for(open_it: "Callable[[], Store]") -> "Store":
    """Return the store as soon as its server answers: it may start after us, and only what is wrong ends a start."""
    told = False
    while True:
        try:
            return open_it()
        except StoreUnreachable as error:
            if not told:
                print_problem(f"{error} This waits for it.")
                told = True
            threading.Event().wait(DATABASE_EVERY_SECONDS)


def _equipped(services: "Services") -> "Services":
    """Return the same services, whose long readings are shown, and whose digest tells what `replyby doctor` finds."""
    from dataclasses import replace

    from monitor.cli.progress import Progress, log_reading

    def look_for_troubles() -> "Sequence[Trouble]":
        from monitor.cli.setup import gather
        from monitor.setup.doctor import list_for_digest

        return list_for_digest(gather(services.config, services.engine))

    sources = {name: Progress(source, log_reading) for name, source in services.sources.items()}
    return replace(services, sources=sources, look_for_troubles=look_for_troubles)


def once(
    config: ConfigOption = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print what would be sent; send and store nothing.")
    ] = False,
    json: JsonOption = False,
) -> None:
    """Run one whole cycle and exit. It polls, evaluates and sends everything that is due."""
    from monitor.bootstrap import build_services, build_worker
    from monitor.logs import secrets_of, set_up_logs
    from monitor.store.engine import WorkerLock
    from monitor.store.opening import copy_store, open_store

    loaded = read_config(config)
    # What a dry run plans is printed; the log would say that it was told.
    set_up_logs(loaded.worker.log_format, quiet=json or dry_run, secrets=secrets_of(loaded))
    with tempfile.TemporaryDirectory(prefix="replyby-dry-run-") as folder:
        store = copy_store(loaded, Path(folder)) if dry_run else open_store(loaded)
        services = _equipped(build_services(loaded, store, with_sources=True, as_worker=not dry_run))
        lock = WorkerLock(store.engine)
        waiting = partial(print_problem, "A worker runs on this database; this waits for its turn.")
        lock.acquire(services.stopping, waiting=waiting)
        try:
            # With --json the document has standard output to itself; what the console is told goes beside it.
            worker = build_worker(services, sys.stderr if json else None)
            outcome = worker.once(print_problem, send=not dry_run)
        finally:
            lock.release()
            store.engine.dispose()
    if json:
        print_json(_outcome_json(outcome))
    else:
        for item in outcome.planned:
            print_line(f"would tell {item.person or item.receiver} by {item.channel.value}: {outcome.words[item.key]}")
        if dry_run and not outcome.planned:
            print_line("Nothing would be sent.")
        if not dry_run:
            print_line(f"{outcome.sent} sent, {outcome.pending} still to send.")
    if outcome.failed:
        raise ReplyByError("; ".join(outcome.failed))


def _outcome_json(outcome: Any) -> dict[str, Any]:
    return {
        "sent": outcome.sent,
        "pending": outcome.pending,
        "failed": list(outcome.failed),
        "would_send": [
            {
                "receiver": item.receiver,
                "person": item.person,
                "channel": item.channel.value,
                "purpose": item.purpose.value,
                "thread": None if item.thread_id is None else str(item.thread_id),
                "due_at": instant_text(item.due_at),
                "text": outcome.words[item.key],
            }
            for item in outcome.planned
        ],
    }


DEMO_CONFIG = """\
[worker]
database = "sqlite:///demo.db"
metrics_listen = "127.0.0.1:{port}"
time_zone = "Europe/Paris"

[[account]]
name = "invented"
notified_at = ["support@simulated.example"]
reply_from = ["support@simulated.example"]

[[mailbox]]
name = "invented"
type = "simulated"
authserv_id = "mx.simulated.example"
poll_every = "5s"

[[receiver]]
name = "terminal"
type = "console"
"""


def demo(
    port: Annotated[
        int, typer.Option("--port", metavar="PORT", min=0, max=65535, help="Where metrics and the page are served.")
    ] = 9464,
) -> None:
    """Show the whole product on an invented mailbox. Nothing to configure, nothing is sent to anybody."""
    import os

    from monitor.config.loader import load_config

    with tempfile.TemporaryDirectory(prefix="replyby-demo-") as folder:
        path = Path(folder) / "config.toml"
        path.write_text(DEMO_CONFIG.format(port=port), "utf-8")
        print_problem("An invented seller; Ctrl-C ends it, nothing is kept.")
        print_problem(f"Page: http://127.0.0.1:{port}/   metrics: http://127.0.0.1:{port}/metrics")
        sys.stderr.flush()
        try:
            _work(load_config(path, os.environ))
        except ReplyByError as error:
            raise ReplyByError(str(error).replace("[worker] metrics_listen", "--port")) from None
