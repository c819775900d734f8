"""The worker tells systemd that it is ready, that it lives, and that it ends."""

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

from tests.support.ports import free_port

ROOT = Path(__file__).parents[2]


def test_a_worker_tells_systemd_its_whole_life(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text(
        f'[worker]\nmetrics_listen = "127.0.0.1:{free_port()}"\nlookback = "1d"\n'
        '[[mailbox]]\ntype = "simulated"\n[[receiver]]\ntype = "console"\n'
    )
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
        channel.bind(str(tmp_path / "notify"))
        channel.settimeout(60)
        environ = {
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "NOTIFY_SOCKET": str(tmp_path / "notify"),
            "WATCHDOG_USEC": "2000000",
        }
        worker = subprocess.Popen(
            [sys.executable, "-m", "monitor", "run"],
            cwd=tmp_path,
            env=environ,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            assert channel.recv(100) == b"READY=1"
            assert [channel.recv(100) for _ in range(2)] == [b"WATCHDOG=1"] * 2
            worker.send_signal(signal.SIGTERM)
            while (said := channel.recv(100)) != b"STOPPING=1":
                assert said == b"WATCHDOG=1"
            assert worker.wait(30) == 0
        finally:
            worker.kill()
            worker.wait(10)
