"""What all tests share: no property is a race against the clock, no log is left as another test set it up."""

import pytest
import structlog
from hypothesis import HealthCheck, settings

# A busy machine takes as long as it takes; how fast things are is for tests/bench/.
settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown() -> None:
    """Take back what a command in the same process set up: a level would hide lines from the next test."""
    structlog.reset_defaults()
