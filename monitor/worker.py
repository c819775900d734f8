"""The worker's life: lock, first reading, tick, listener, and a clean stop. Owns the order; decides nothing."""

import os
import signal
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from time import monotonic

import structlog
from sqlalchemy.exc import DBAPIError

from alerts.core.model import Notification
from alerts.dispatcher import Dispatcher
from alerts.heartbeat import Heartbeat
from alerts.outbox import due, stats
from monitor.errors import StoreError
from monitor.jobs.amazon.watch import watch_amazon
from monitor.jobs.differences import watch_differences
from monitor.jobs.digest import send_due_digest
from monitor.jobs.evaluate import evaluate
from monitor.jobs.first_lines import first_line
from monitor.jobs.housekeeping import forget_in_time
from monitor.jobs.intake import PollResult, count_text, note_failure, poll_mailbox
from monitor.jobs.people import AddressBook, read_unreachable
from monitor.jobs.promises import watch_promises
from monitor.jobs.reporting import send_due_reports
from monitor.jobs.services import Services
from monitor.jobs.watch import tell_backlog, watch_health
from monitor.metrics.export import PollDurations
from monitor.metrics.server import Health, Server
from monitor.scheduler import Aside, Job, Ticker, Watcher
from monitor.store.due import PolicyCache
from monitor.store.engine import LOCK_SECONDS, WorkerLock, reading, store_error, writing
from monitor.store.health import HEARTBEAT, STARTED, forget_mailboxes, read_troubles, record_mark
from monitor.systemd import notify, watchdog_every

log = structlog.get_logger(__name__)

CYCLE_EVERY = timedelta(seconds=1)
CYCLE_OLD = timedelta(seconds=90)
"""Without a good cycle for this long /healthz says so, and the dead-man's switch stays silent."""

ROUNDS = 50
STOP_SECONDS = 8.0
CLOCK_STEP = timedelta(seconds=5)
"""A wall clock that moves back by more than this was set; ticks are counted anew."""


@dataclass(kw_only=True)
class Worker:
    """Everything that runs. Built by bootstrap; `run` returns after a stop."""

    services: Services
    policies: PolicyCache
    book: AddressBook
    dispatcher: Dispatcher
    heartbeat: Heartbeat
    listeners: Mapping[str, "Listener"]
    polls: PollDurations
    serve: Callable[["Worker"], Server] | None = None
    asides: tuple[Aside, ...] = ()
    last_cycle_at: datetime | None = None
    cycle_trouble: str | None = None
    ticker: Ticker | None = None
    cycle_ended: float | None = None  # monotonic seconds; the end of a cycle, good or bad: it does not hang

    @property
    def stop(self) -> threading.Event:
        """Set: end what is under way and begin nothing."""
        return self.services.stopping

    def poll(self, name: str) -> PollResult:
        """Read one mailbox; how long that took goes into the metrics."""
        began = monotonic()
        try:
            return poll_mailbox(self.services, name)
        except StoreError:
            raise
        except Exception as error:
            # A bug of ours must not pass for "no mail": the mailbox counts as unread, and that is told.
            note_failure(self.services, name, f"{name}: {type(error).__name__} while reading. See the log.", "other")
            raise
        finally:
            self.polls.observe(name, monotonic() - began)

    def cycle(self) -> None:
        """Plan what is due and deliver it. What fails is told by /healthz and tried again at the next tick."""
        try:
            evaluate(self.services, self.policies)
            self.dispatcher.deliver_due(self.services.utc_now(), wait_seconds=2.0)
        except DBAPIError as error:
            told = store_error(self.services.engine.url, error)
            self.cycle_trouble = str(told)
            raise told from error
        except Exception as error:
            self.cycle_trouble = str(error) if isinstance(error, StoreError) else type(error).__name__
            raise
        finally:
            self.cycle_ended = monotonic()
        self.cycle_trouble = None
        self.last_cycle_at = self.services.utc_now()

    def health(self) -> Health:
        """Return whether everything runs: cycles succeed, and every mailbox is read."""
        now = self.services.utc_now()
        if self.cycle_trouble is not None:
            return Health(False, self.cycle_trouble)
        if self.last_cycle_at is None or now - self.last_cycle_at > CYCLE_OLD:
            return Health(False, "no cycle succeeded lately; see the log")
        failing = {} if self.ticker is None else self.ticker.failures()
        if failing:
            return Health(False, "; ".join(f"{job}: {problem}" for job, problem in sorted(failing.items())))
        try:
            with reading(self.services.engine) as connection:
                troubles = read_troubles(connection)
        except StoreError as error:
            return Health(False, str(error))
        blind = [
            one
            for one in troubles
            if now - one.failing_since >= min(CYCLE_OLD, self.services.config.worker.blind_after)
        ]
        if blind:
            return Health(False, f'mailbox "{blind[0].mailbox}" cannot be read: {blind[0].trouble}')
        return Health(True)

    def follow_amazon(self) -> None:
        """Draw conclusions from what Amazon said: promises that were missed, figures that are not ours."""
        watch_promises(self.services, self.policies)
        watch_differences(self.services, self.book)

    def beat(self) -> None:
        """Ping the dead-man's switch, if everything runs."""
        if self.heartbeat.ping(self.health().ok):
            with writing(self.services.engine) as connection:
                record_mark(connection, HEARTBEAT, self.services.utc_now())

    def run(self, ready: Callable[[str], None] = lambda _: None) -> None:
        """Work until `stop` is set or a signal says so. `ready` is told in a line what happens meanwhile.

        Raises:
            StoreError: another worker runs on this database, or it cannot be used.
        """
        began_at = self.services.utc_now()
        lock = WorkerLock(self.services.engine)
        waiting = "Another worker runs on this database; this one waits and takes over when it ends."
        if not lock.acquire(self.stop, waiting=partial(ready, waiting)):
            return
        server: Server | None = None
        watchers: list[Watcher] = []
        try:
            with reading(self.services.engine) as connection:
                # Time may have passed since this process began and waited: people opted out meanwhile.
                self.services.roster.replace_unreachable(read_unreachable(connection))
            self._note_start(began_at)
            self.read_all(ready)
            self._count_history()
            self.dispatcher.reconcile(self.services.utc_now())
            server = self.serve(self) if self.serve is not None else None
            ticker = self.ticker = Ticker(self._jobs(), self.services.utc_now)
            watchers = self._watchers(ticker)
            for listener in self.listeners.values():
                listener.start()
            ticker.start()
            for watcher in watchers:
                watcher.start()
            for aside in self.asides:
                aside.start()
            if server is not None:
                ready(f"Listening on http://{self.services.config.worker.metrics_host}:{server.port}")
            self.cycle_ended = monotonic()
            notify("READY=1")
            self._wait(ticker, lock)
        finally:
            self._end(watchers, server)
            lock.release()

    def read_all(self, ready: Callable[[str], None]) -> None:
        """Read every mailbox once: the first run's history stands before anything is exported or told."""
        for mailbox in self.services.config.mailboxes:
            if self.stop.is_set():
                return
            try:
                result = self.poll(mailbox.name)
            except StoreError:
                raise
            except Exception:
                # Noted, and told: one mailbox that stumbles over a bug must not keep the others from being watched.
                log.exception("first reading failed", mailbox=mailbox.name)
                continue
            if result.failed is not None:
                ready(f"{mailbox.name}: {result.failed}")
            elif result.new:
                ready(f"{mailbox.name}: {count_text(result.new)}")
        tell_backlog(self.services, self.book)

    def _note_start(self, began_at: datetime) -> None:
        """Store since when this configuration is in force. The health of mailboxes it does not name would stand for ever."""
        with writing(self.services.engine) as connection:
            record_mark(connection, STARTED, began_at)
            names = [mailbox.name for mailbox in self.services.config.mailboxes]
            forget_mailboxes(connection, names, self.services.utc_now())

    def _count_history(self) -> None:
        """Plan once, so that deadlines that passed before this start are counted before anything is exported: no spike."""
        try:
            evaluate(self.services, self.policies)
        except StoreError:
            raise
        except Exception:
            log.exception("first planning failed")  # the cycle tries it again, and tells of it

    def once(self, ready: Callable[[str], None], *, send: bool) -> "Outcome":
        """Run one whole cycle and return what it did; without `send`, what would be sent.

        Raises:
            StoreError: the database cannot be used.
        """
        self._note_start(self.services.utc_now())
        failed = []
        for mailbox in self.services.config.mailboxes:
            result = self.poll(mailbox.name)
            if result.failed is not None:
                failed.append(result.failed)
            elif result.new:
                ready(f"{mailbox.name}: {count_text(result.new)}")
        tell_backlog(self.services, self.book)
        watch_health(self.services, self.book)
        self.follow_amazon()
        watch_amazon(self.services, self.book)
        send_due_reports(self.services, self.book)
        send_due_digest(self.services, self.book)
        evaluate(self.services, self.policies)
        now = self.services.utc_now()
        if not send:
            with reading(self.services.engine) as connection:
                planned = due(connection, now)
                words = {item.key: first_line(connection, self.services, item, now) for item in planned}
            return Outcome(planned=tuple(planned), words=words, failed=tuple(failed))
        self.dispatcher.reconcile(now)
        sent = 0
        for _ in range(ROUNDS):
            summary = self.dispatcher.deliver_due(self.services.utc_now(), wait_seconds=30.0)
            sent += summary.sent + summary.reconciled
            if not summary.busy and not summary.sent:
                break
        for aside in self.asides:
            aside.run_once()  # last: whatever it waits for keeps no alert waiting
        self.dispatcher.stop(STOP_SECONDS)
        with reading(self.services.engine) as connection:
            pending = stats(connection, self.services.utc_now()).pending
        return Outcome(sent=sent, pending=pending, failed=tuple(failed))

    def _jobs(self) -> list[Job]:
        services, book = self.services, self.book
        jobs = [
            Job(id=f"poll:{mailbox.name}", every=mailbox.poll_every, run=partial(self.poll, mailbox.name))
            for mailbox in services.config.mailboxes
        ]
        jobs += [
            Job(id="cycle", every=CYCLE_EVERY, run=self.cycle),
            Job(
                id="reconcile",
                every=timedelta(seconds=15),
                run=lambda: self.dispatcher.reconcile(services.utc_now(), wait_seconds=2.0),
            ),
            Job(
                id="check_delivered",
                every=timedelta(seconds=10),
                run=lambda: self.dispatcher.check_delivered(services.utc_now()),
            ),
            Job(id="health", every=timedelta(seconds=15), run=lambda: watch_health(services, book)),
            Job(id="amazon_says", every=timedelta(seconds=30), run=self.follow_amazon),
            *self._amazon_jobs(),
            Job(id="report", every=timedelta(seconds=30), run=lambda: send_due_reports(services, book)),
            Job(id="digest", every=timedelta(seconds=30), run=lambda: send_due_digest(services, book)),
            Job(id="heartbeat", every=timedelta(seconds=60), run=self.beat),
            Job(id="housekeeping", every=timedelta(hours=1), run=lambda: forget_in_time(services)),
            *(Job(id=name, every=one.every, run=one.poll) for name, one in self.listeners.items() if one.every),
        ]
        return [replace(job, run=partial(self.guarded, job.run)) for job in jobs]

    def _amazon_jobs(self) -> list[Job]:
        """Return what tells of the connection to Amazon; asking is done aside."""
        if all(account.sp_api is None for account in self.services.config.accounts):
            return []
        return [Job(id="amazon", every=timedelta(seconds=60), run=lambda: watch_amazon(self.services, self.book))]

    def guarded(self, run: Callable[[], object]) -> object:
        """Run a job; what the database's driver raises becomes the one line that it means.

        Raises:
            StoreError: the database cannot be used; the job is run again at its next tick.
        """
        try:
            return run()
        except DBAPIError as error:
            raise store_error(self.services.engine.url, error) from error

    def _watchers(self, ticker: Ticker) -> list[Watcher]:
        return [
            Watcher(
                self.services.sources[mailbox.name],
                partial(ticker.run_soon, f"poll:{mailbox.name}"),
                self.stop,
            )
            for mailbox in self.services.config.mailboxes
            if mailbox.idle
        ]

    def _wait(self, ticker: Ticker, lock: WorkerLock) -> None:
        """Stay until told to stop; meanwhile hurry a cycle when something was planned, and mind the wall clock."""
        seen_at = self.services.utc_now()
        looked = told = monotonic()
        watchdog = watchdog_every(os.environ, os.getpid())
        while not self.stop.is_set():
            if self.services.wake.wait(0.5):
                self.services.wake.clear()
                ticker.run_soon("cycle")
            if watchdog is not None and monotonic() - told >= watchdog.total_seconds() / 2:
                told = self._show_life()
            now = self.services.utc_now()
            if seen_at - now > CLOCK_STEP:
                log.warning("the system clock was set back", by_seconds=int((seen_at - now).total_seconds()))
                ticker.resynchronise()
            seen_at = now
            if monotonic() - looked > LOCK_SECONDS:
                looked = monotonic()
                if (lost := lock.keep()) is not None:
                    log.warning("the worker's lock was lost with its connection", then=lost)

    def _show_life(self) -> float:
        """Tell systemd's watchdog, unless cycles hang: it then ends this process and starts another. Return the time."""
        now = monotonic()
        if self.cycle_ended is None or now - self.cycle_ended < CYCLE_OLD.total_seconds():
            notify("WATCHDOG=1")
        return now

    def _end(self, watchers: list[Watcher], server: Server | None) -> None:
        self.stop.set()
        notify("STOPPING=1")
        if self.ticker is not None:
            self.ticker.stop()
        for listener in self.listeners.values():
            listener.stop()
        self.dispatcher.stop(STOP_SECONDS)
        for watcher in watchers:
            watcher.join(1.0)
        for aside in self.asides:
            aside.join(0.2)
        if server is not None:
            server.stop()
        for source in self.services.sources.values():
            source.close()
        log.info("stopped")


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What `once` did. `planned` and their `words`: what would be sent, in a dry run. `failed`: mailboxes not read."""

    sent: int = 0
    pending: int = 0
    planned: tuple[Notification, ...] = ()
    words: Mapping[str, str] = field(default_factory=dict)
    failed: tuple[str, ...] = ()


class Listener:
    """What hears answers: a socket that is started, or an inbox that is polled `every` so often."""

    every: timedelta | None = None

    def start(self) -> None:
        """Begin."""

    def poll(self) -> None:
        """Look once."""

    def stop(self) -> None:
        """End."""


def stop_on_signals(stop: threading.Event) -> None:
    """Have SIGTERM and SIGINT set the event; a second one does nothing more."""

    def on_signal(number: int, frame: object) -> None:
        del frame
        log.info("stopping", signal=signal.Signals(number).name)
        stop.set()

    signal.signal(signal.SIGTERM, on_signal)
    signal.signal(signal.SIGINT, on_signal)
