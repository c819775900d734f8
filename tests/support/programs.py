"""Programs of Debian packages that integration tests need."""

import os
import shutil

import pytest

PLACES = os.pathsep.join(
    [os.environ.get("PATH", os.defpath), "/usr/sbin", "/sbin", "/usr/local/sbin", "/usr/lib/postgresql/15/bin"]
)


def require_program(name: str) -> str:
    """Return the program's path; skip the test when it is missing, or fail it when REQUIRE_INTEGRATION=1."""
    path = shutil.which(name, path=PLACES)
    if path:
        return path
    missing = f"{name} is not installed"
    if os.environ.get("REQUIRE_INTEGRATION") == "1":
        pytest.fail(missing)
    pytest.skip(missing)
