"""`replyby send-test`: one marked test notification, through the outbox, read back from the provider."""

import sys
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated

import typer

from monitor.cli.options import ConfigOption, open_session
from monitor.cli.output import print_line
from monitor.errors import ConfigError, ReplyByError

if TYPE_CHECKING:
    from monitor.jobs.services import Services
    from monitor.store.engine import WorkerLock
    from monitor.worker import Worker

SEND_SECONDS = 60.0
PAGE_SECONDS = 600.0
LOOK_SECONDS = 1.0
ANSWERED = frozenset({"sms", "voice", "person"})


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("send-test")(send_test)


def send_test(
    receiver: Annotated[str, typer.Argument(metavar="RECEIVER", help="Name of a [[receiver]].")],
    page: Annotated[
        bool, typer.Option("--page", help="Wait for the person's answer and remember that this phone was proven.")
    ] = False,
    config: ConfigOption = None,
) -> None:
    """Send one marked test and read it back from the provider."""
    run_test(open_session(config).services, receiver, page=page)


def run_test(services: "Services", receiver: str, *, page: bool) -> None:
    """Send a test to a receiver and print what came of it; with `page`, wait for the answer.

    Raises:
        ConfigError: no such receiver.
        ReplyByError: nothing was sent, or no answer came.
    """
    from monitor.bootstrap import build_notifiers, build_worker
    from monitor.jobs.deliver import build_ports
    from monitor.jobs.testing import plan_test, proven_since, read_results, unfinished
    from monitor.store.engine import WorkerLock

    names = sorted(services.directory.receivers)
    if receiver not in names:
        raise ConfigError("replyby send-test", [f"{receiver!r}: no such receiver. Receivers: {', '.join(names)}."])
    kinds = {one.type for one in services.config.receivers if one.name == receiver}
    if page and not kinds & ANSWERED:
        line = (
            f"{receiver!r} reaches no phone, so nobody can answer. Leave --page out, or name one of type sms or voice."
        )
        raise ConfigError("replyby send-test --page", [line])
    worker = build_worker(services)
    began_at = services.utc_now()
    keys = plan_test(services, worker.book, receiver, page=page)
    if not keys:
        raise ReplyByError(f"{receiver}: stands for nobody at this moment. Look at its people, or at `replyby oncall`.")
    lock = WorkerLock(services.engine)
    alone = _try_lock(lock)
    try:
        _wait(lambda: not unfinished(services, keys), SEND_SECONDS, worker if alone else None)
        arrived = False
        for ok, line in read_results(
            services, keys, build_notifiers(services.config), build_ports(services, worker.book)
        ):
            arrived |= ok
            print_line(line)
        if not arrived:
            raise ReplyByError(
                f"{receiver}: nothing arrived yet. What is tried again is sent by the worker, once it can be."
            )
        if page:
            print_line(f"Waiting up to {int(PAGE_SECONDS // 60)} minutes for the answer; Ctrl-C gives up.")
            sys.stdout.flush()
            _wait(lambda: bool(proven_since(services, began_at)), PAGE_SECONDS, worker if alone else None, listen=True)
            proven = proven_since(services, began_at)
            if not proven:
                raise ReplyByError("No answer came. Let the number through the phone's night mode, and try again.")
            print_line(f"Answered: {', '.join(sorted(proven))} can be reached this way.")
    finally:
        lock.release()


def _try_lock(lock: "WorkerLock") -> bool:
    """Return whether no worker runs, and hold its place if so: then this command lets messages out and answers in."""
    stop = threading.Event()
    stop.set()
    try:
        return lock.acquire(stop, poll_seconds=0)
    except ReplyByError:
        return False


def _wait(done: "Callable[[], bool]", seconds: float, worker: "Worker | None", *, listen: bool = False) -> None:
    """Wait until `done`, at most so long, doing the worker's work where there is none."""
    began = time.monotonic()
    pause = threading.Event()
    listeners = list(worker.listeners.values()) if worker is not None and listen else []
    for listener in listeners:
        listener.start()
    try:
        while not done() and time.monotonic() - began < seconds:
            if worker is not None:
                worker.dispatcher.deliver_due(worker.services.utc_now(), wait_seconds=LOOK_SECONDS)
                for listener in listeners:
                    listener.poll()
            pause.wait(LOOK_SECONDS)
    finally:
        for listener in listeners:
            listener.stop()
