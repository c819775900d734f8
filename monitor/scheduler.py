"""The tick: APScheduler runs the jobs, a watcher per mailbox shortens the wait. What is due stands in the database.

Its defaults would skip a job that starts two seconds late and let runs pile up; both are set otherwise here. A job that
raises is logged, counted in /healthz and run again at its next tick: one bad account never stops the others.
"""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import structlog
from apscheduler.events import EVENT_JOB_ERROR, EVENT_JOB_MISSED, JobExecutionEvent
from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler

from alerts.errors import DeliveryError
from monitor.errors import MailboxError, ReplyByError
from monitor.sources.base import MailSource
from monitor.wallclock import WallClock

log = structlog.get_logger(__name__)

WATCH_SECONDS = 60.0
"""How long one call of `wait_for_change` lasts at the most before the watcher looks at `stop` again."""

WATCH_PAUSE_SECONDS = 30.0
"""How long a watcher leaves a mailbox alone whose watch broke; polling goes on meanwhile."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """Something that runs every so often. `id` is the same after each restart."""

    id: str
    every: timedelta
    run: Callable[[], object]


class Ticker:
    """Runs jobs at their intervals, or at once when asked to, each never twice at a time."""

    def __init__(self, jobs: list[Job], utc_now: WallClock) -> None:
        """Schedule everything; nothing runs before `start`."""
        self._utc_now = utc_now
        self._failures: dict[str, str] = {}
        self._again: set[str] = set()
        self._running: set[str] = set()
        self._lock = threading.Lock()
        self._jobs = {job.id: job for job in jobs}
        self._scheduler = BackgroundScheduler(
            timezone=UTC,
            executors={"default": ThreadPoolExecutor(max_workers=max(8, len(jobs) + 2))},
            # Late is late, never skipped; a backlog of ticks is one tick; a job never overlaps itself.
            job_defaults={"misfire_grace_time": None, "coalesce": True, "max_instances": 1},
        )
        self._scheduler.add_listener(self._on_event, EVENT_JOB_ERROR | EVENT_JOB_MISSED)
        for job in jobs:
            self._scheduler.add_job(
                self._run,
                "interval",
                args=[job.id],
                seconds=job.every.total_seconds(),
                id=job.id,
                replace_existing=True,
            )

    def start(self) -> None:
        """Begin ticking."""
        self._scheduler.start()

    def run_soon(self, job_id: str) -> None:
        """Have a job run at once, and once more if it is running already: what it may have missed is looked at."""
        with self._lock:
            if job_id in self._running:
                self._again.add(job_id)
                return
        self._scheduler.modify_job(job_id, next_run_time=datetime.fromtimestamp(self._utc_now().timestamp(), UTC))

    def resynchronise(self) -> None:
        """Run every job now and count its interval from here: the system clock was set back, and ticks would wait for it."""
        now = datetime.fromtimestamp(self._utc_now().timestamp(), UTC)
        for job_id in self._jobs:
            # Also one that is running: its next tick was set by the old time, and nothing else would pull it in.
            self._scheduler.modify_job(job_id, next_run_time=now)

    def failures(self) -> Mapping[str, str]:
        """Return, for each job whose last run raised, what it said."""
        with self._lock:
            return dict(self._failures)

    def stop(self) -> None:
        """Start nothing more; runs under way go on."""
        if self._scheduler.running:
            self._scheduler.shutdown(wait=False)

    def _run(self, job_id: str) -> None:
        with self._lock:
            self._running.add(job_id)
        try:
            while True:
                self._jobs[job_id].run()
                with self._lock:
                    self._failures.pop(job_id, None)
                    if job_id not in self._again:
                        return
                    self._again.discard(job_id)
        finally:
            with self._lock:
                self._running.discard(job_id)
                self._again.discard(job_id)

    def _on_event(self, event: JobExecutionEvent) -> None:
        if event.exception is None:
            log.warning("job started late", job=event.job_id)
            return
        with self._lock:
            self._failures[event.job_id] = str(event.exception) or type(event.exception).__name__
        expected = isinstance(event.exception, ReplyByError | DeliveryError)
        log.error(
            "job failed",
            job=event.job_id,
            problem=str(event.exception) or type(event.exception).__name__,
            exc_info=None if expected else event.exception,  # a traceback is for bugs of ours
        )


class Aside:
    """Runs a job again and again in a daemon thread of its own: it may hang without holding up a tick or the end."""

    def __init__(self, job: Job, stop: threading.Event, close: Callable[[], None] = lambda: None) -> None:
        """Prepare the thread. `close`: what is let go of at the end."""
        self._job = job
        self._stop = stop
        self._close = close
        self._thread = threading.Thread(target=self._run, name=job.id, daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def join(self, timeout_seconds: float) -> None:
        """Wait for the end, after `stop` was set."""
        self._thread.join(timeout_seconds)

    def run_once(self) -> None:
        """Run the job once, here and now; what it raises is logged."""
        try:
            self._job.run()
        except Exception as error:
            log.error(
                "job failed",
                job=self._job.id,
                problem=str(error) or type(error).__name__,
                exc_info=None if isinstance(error, ReplyByError) else error,
            )

    def _run(self) -> None:
        while not self._stop.is_set():
            self.run_once()
            self._stop.wait(self._job.every.total_seconds())
        self._close()


class Watcher:
    """Waits for new mail in one mailbox and has it polled at once."""

    def __init__(self, source: MailSource, poll: Callable[[], None], stop: threading.Event) -> None:
        """Prepare the thread; `poll` asks for a poll and returns at once."""
        self._source = source
        self._poll = poll
        self._stop = stop
        self.trouble: str | None = None
        self._thread = threading.Thread(target=self._watch, name=f"watch:{source.name}", daemon=True)

    def start(self) -> None:
        """Begin watching."""
        self._thread.start()

    def join(self, timeout_seconds: float) -> None:
        """Wait for the end, after `stop` was set."""
        self._thread.join(timeout_seconds)

    def _watch(self) -> None:
        while not self._stop.is_set():
            try:
                if self._source.wait_for_change(self._stop, WATCH_SECONDS):
                    self._poll()
                self.trouble = None
            except MailboxError as error:
                self.trouble = str(error)
                log.warning("watch broke; polling goes on", mailbox=self._source.name, problem=str(error))
                self._stop.wait(WATCH_PAUSE_SECONDS)
