"""Grafana's own JavaScript, installed once beside the scripts that ask it."""

import fcntl
import hashlib
import json
import os
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import pytest

from tests.support.programs import require_program
from tests.support.waiting import PATIENCE

PROJECT = Path(__file__).parents[1] / "dashboard_checks" / "node"
STAMP = PROJECT / "node_modules" / ".installed-from"
INSTALL_SECONDS = 180


def run_script(name: str, given: Any) -> Any:
    """Return what a script of the project prints for this input, both as JSON; installs the project if need be."""
    node = require_program("node")
    install_project()
    done = subprocess.run(
        [node, str(PROJECT / name)],
        input=json.dumps(given),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout)


def install_project() -> None:
    """Install what package-lock.json names, unless that was done already; tests that run beside wait for it."""
    wanted = hashlib.sha256((PROJECT / "package-lock.json").read_bytes()).hexdigest()
    if _installed() == wanted:
        return
    npm = require_program("npm")
    with (Path(tempfile.gettempdir()) / f"replyby-node-{os.getuid()}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if _installed() == wanted:
            return
        command = [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline"]
        done = subprocess.run(
            command, cwd=PROJECT, capture_output=True, text=True, timeout=INSTALL_SECONDS, check=False
        )
        if done.returncode == 0:
            STAMP.write_text(wanted, encoding="utf-8")
            return
    missing = f"npm could not install {PROJECT.name}: {done.stderr.strip()[-300:]}"
    if os.environ.get("REQUIRE_INTEGRATION") == "1":
        pytest.fail(missing)
    pytest.skip(missing)


def _installed() -> str:
    return STAMP.read_text(encoding="utf-8") if STAMP.exists() else ""
