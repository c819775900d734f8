"""The unit is clean and locked down, and the worker's state reaches systemd's socket."""

import dataclasses
import os
import shutil
import socket
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from monitor.config.loader import load_config
from monitor.config.model import Config
from monitor.setup.service import find_unreadable, make_folders, plan_unit, render_unit, written_folders
from monitor.systemd import notify, watchdog_every
from tests.support.programs import require_program
from tests.support.waiting import PATIENCE

SHIPPED = Path(__file__).parents[3] / "config.toml"


@pytest.fixture
def config(tmp_path: Path) -> Config:
    """The shipped configuration in a folder whose name systemd could misread."""
    folder = tmp_path / "100% of $HOME"
    folder.mkdir()
    shutil.copy(SHIPPED, folder)
    return load_config(folder / "config.toml", {})


@pytest.mark.integration
@pytest.mark.parametrize("root", [True, False], ids=["system", "user"])
def test_systemd_has_nothing_to_say_of_the_unit(root: bool, config: Config, tmp_path: Path) -> None:
    analyze = require_program("systemd-analyze")
    unit = tmp_path / "replyby.service"
    unit.write_text(render_unit(config, [sys.executable, "-m", "monitor"], user="daemon", root=root))
    scope = ["--system"] if root else ["--user"]
    environ = {**os.environ, "XDG_RUNTIME_DIR": str(tmp_path)}
    found = subprocess.run(
        [analyze, "verify", *scope, "--man=no", str(unit)],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        env=environ,
        check=False,
    )
    assert (found.returncode, found.stdout + found.stderr) == (0, "")


@pytest.mark.integration
def test_the_system_service_is_exposed_to_little(config: Config, tmp_path: Path) -> None:
    analyze = require_program("systemd-analyze")
    unit = tmp_path / "replyby.service"
    unit.write_text(render_unit(config, [sys.executable, "-m", "monitor"], user="daemon", root=True))
    found = subprocess.run(
        [analyze, "security", "--offline=true", "--threshold=20", "--no-pager", str(unit)],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert found.returncode == 0, found.stdout[-400:] + found.stderr


def test_names_that_systemd_could_misread_are_escaped(config: Config) -> None:
    text = render_unit(config, ["/opt/reply by/python", "-m", "monitor"], user=None, root=True)
    assert 'ExecStart="/opt/reply by/python" -m monitor run --config "' in text
    assert "100%% of $$HOME/config.toml" in text
    assert "User=" not in text


def test_a_wrong_configuration_is_not_started_again_and_a_hang_is(config: Config) -> None:
    lines = render_unit(config, ["/usr/bin/replyby"], user=None, root=True).splitlines()
    for line in ("Type=notify", "WatchdogSec=180", "Restart=always", "RestartPreventExitStatus=2"):
        assert line in lines


def test_only_what_the_worker_writes_is_writable(config: Config) -> None:
    folder = config.path.parent
    assert written_folders(config) == [folder / "reports", folder / "var"]
    worker = dataclasses.replace(config.worker, state_directory=folder, database="postgresql+psycopg://r@db/replyby")
    assert written_folders(dataclasses.replace(config, worker=worker)) == [folder]


def test_what_the_worker_writes_to_is_made_beforehand_and_private(config: Config) -> None:
    """In its sandbox it may write in these folders, not beside them: it could not make them itself."""
    folder = config.path.parent
    make_folders(config, (os.getuid(), os.getgid()))
    assert {one.name: one.stat().st_mode & 0o777 for one in folder.iterdir() if one.is_dir()} == {
        "reports": 0o700,
        "var": 0o700,
    }
    (folder / "var").chmod(0o750)
    make_folders(config, None)
    assert (folder / "var").stat().st_mode & 0o777 == 0o750, "what is there stays as it is"


def test_files_that_the_services_user_may_not_read_are_found_before_it_starts(config: Config) -> None:
    me, other = (os.getuid(), os.getgid()), (os.getuid() + 1, os.getgid() + 1)
    folder = config.path.parent
    (folder / "secrets").mkdir(mode=0o700)
    (folder / "secrets" / "password").write_text("x")
    config.path.chmod(0o600)
    make_folders(config, None)
    assert find_unreadable(config, me) == []
    assert find_unreadable(config, other)[:2] == [config.path, folder / "secrets"]
    config.path.chmod(0o644)
    assert config.path not in find_unreadable(config, other)


def test_the_units_place_depends_on_who_installs(config: Config) -> None:
    program, home = ["/usr/bin/replyby"], Path("/home/ana")
    system = plan_unit(config, program, user="replyby", home=home, root=True)
    assert system.path == Path("/etc/systemd/system/replyby.service")
    assert "User=replyby" in system.text
    assert system.commands == (("systemctl", "daemon-reload"), ("systemctl", "enable", "--now", "replyby.service"))
    own = plan_unit(config, program, user="replyby", home=home, root=False)
    assert own.path == home / ".config/systemd/user/replyby.service"
    assert "User=" not in own.text
    assert own.commands[0] == ("loginctl", "enable-linger")


@pytest.mark.parametrize("abstract", [False, True], ids=["file", "abstract"])
def test_a_state_reaches_the_socket(abstract: bool, tmp_path: Path) -> None:
    name = f"@replyby-test-{tmp_path.name}-{os.getpid()}" if abstract else str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind("\0" + name[1:] if abstract else name)
        listener.settimeout(5)
        assert notify("READY=1\nSTATUS=Reading mail", {"NOTIFY_SOCKET": name})
        assert listener.recv(100) == b"READY=1\nSTATUS=Reading mail"


@pytest.mark.parametrize("address", ["", "relative", "/nonexistent/notify", "@nobody-listens-here"])
def test_without_a_socket_nobody_is_told_and_nothing_breaks(address: str) -> None:
    assert not notify("READY=1", {"NOTIFY_SOCKET": address})


@pytest.mark.parametrize(
    ("environ", "every"),
    [
        ({"WATCHDOG_USEC": "180000000", "WATCHDOG_PID": "7"}, timedelta(seconds=90)),
        ({"WATCHDOG_USEC": "180000000"}, timedelta(seconds=90)),
        ({"WATCHDOG_USEC": "180000000", "WATCHDOG_PID": "8"}, None),
        ({"WATCHDOG_USEC": "0"}, None),
        ({"WATCHDOG_USEC": "x"}, None),
        ({}, None),
    ],
)
def test_the_watchdog_is_fed_twice_as_often_as_it_asks(environ: dict[str, str], every: timedelta | None) -> None:
    assert watchdog_every(environ, 7) == every
