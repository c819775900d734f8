"""The wheel, as people install it: built, unpacked far from the repository, and tried there."""

import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGED = ("monitor", "alerts", "pyproject.toml", "README.md", "LICENSE")


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel's files, built from a copy: a build writes beside its sources."""
    source = tmp_path_factory.mktemp("source")
    for name in PACKAGED:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / name, source / name)
    built = tmp_path_factory.mktemp("built")
    command = [
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "--quiet",
        "--no-deps",
        "--no-build-isolation",
        "-w",
        str(built),
        ".",
    ]
    done = subprocess.run(command, cwd=source, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    (wheel,) = built.glob("replyby-*-py3-none-any.whl")
    folder = tmp_path_factory.mktemp("installed")
    with zipfile.ZipFile(wheel) as packed:
        packed.extractall(folder)
    return folder


def run(installed: Path, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a command of the unpacked wheel; `-P` keeps everything else of ours out of sight."""
    script = (
        f"import sys; sys.path[:] = [one for one in sys.path if one != {str(ROOT)!r}]; sys.path.insert(0, {str(installed)!r}); "
        "import monitor; assert monitor.__file__.startswith(sys.path[0]); from monitor.cli import main; "
        f"sys.argv = ['replyby', *{list(arguments)!r}]; main()"
    )
    environ = {
        key: value for key, value in os.environ.items() if key != "PYTHONPATH" and not key.startswith("REPLYBY_")
    }
    return subprocess.run(
        [sys.executable, "-P", "-c", script], cwd=folder, env=environ, stdin=subprocess.DEVNULL, capture_output=True,
        text=True, timeout=120, check=False,
    )  # fmt: skip


def test_every_file_that_the_program_reads_is_in_it(installed: Path) -> None:
    kept = {
        path.relative_to(ROOT)
        for name in ("monitor", "alerts")
        for path in (ROOT / name).rglob("*")
        if path.is_file() and path.suffix != ".pyc" and "__pycache__" not in path.parts
    }
    there = {path.relative_to(installed) for path in installed.rglob("*") if path.is_file()}
    assert not kept - there
    assert not [path for path in there if path.parts[0] in ("tests", "grafana")]


def test_it_works_in_an_empty_folder(installed: Path, tmp_path: Path) -> None:
    version = run(installed, tmp_path, "--version")
    assert re.fullmatch(r"\d+\.\d+\.\d+\n", version.stdout), version.stderr
    told = run(installed, tmp_path, "run")
    assert told.returncode == 2
    assert "Run `replyby init` to make one, or `replyby demo` to look around." in told.stderr
    assert list(tmp_path.iterdir()) == []


def test_it_reads_an_invented_mailbox_reports_on_it_and_leaves_only_its_folder(installed: Path, tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_bytes((ROOT / "config.toml").read_bytes())
    once = run(installed, tmp_path, "once")
    assert once.returncode == 0, once.stderr
    report = run(installed, tmp_path, "report", "--out", "reports")
    assert report.returncode == 0, report.stderr
    assert any(path.suffix == ".html" for path in (tmp_path / "reports").iterdir())
    status = run(installed, tmp_path, "status", "--json")
    assert json.loads(status.stdout)["threads"]
    assert {path.name for path in tmp_path.iterdir()} <= {"config.toml", "var", "reports"}
