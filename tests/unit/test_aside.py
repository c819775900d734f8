"""A job that runs aside: what it raises ends neither it nor anything else."""

import threading
from datetime import timedelta

import pytest
from structlog.testing import capture_logs

from monitor.errors import StoreError
from monitor.scheduler import Aside, Job


@pytest.mark.parametrize(("error", "traceback"), [(StoreError("the disk is full."), False), (KeyError("a bug"), True)])
def test_a_job_that_raises_is_logged_and_run_again(error: Exception, traceback: bool) -> None:
    stop, runs, closed = threading.Event(), [], threading.Event()

    def run() -> None:
        runs.append(1)
        if len(runs) == 3:
            stop.set()
        raise error

    aside = Aside(Job(id="amazon:a", every=timedelta(milliseconds=1), run=run), stop, closed.set)
    with capture_logs() as logs:
        aside.start()
        aside.join(10)
    assert len(runs) == 3
    assert closed.is_set()
    assert [one["job"] for one in logs] == ["amazon:a"] * 3
    assert all((one["exc_info"] is not None) is traceback for one in logs)
