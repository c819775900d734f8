"""Hours of heavy traffic in seconds: memory, descriptors, threads stay where they are. A day: tests/bench/bench_soak.py."""

import gc
import json
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from monitor.errors import MailboxError
from monitor.sources.imap import ImapSource
from tests.fakes import wants_everything
from tests.support.dovecot import running_dovecot
from tests.support.imap_boxes import NOW, Reader, make_mail, make_mailbox
from tests.support.soak import Measured, blocks_per_mail
from tests.support.tcp_proxy import running_proxy

ROOT = Path(__file__).parents[2]
MOST = 0.5
"""Blocks that may stay for each mail; a leak of one object a mail is 1 or more."""


def test_memory_descriptors_and_threads_stay_flat_and_a_leak_of_one_object_a_mail_is_seen(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.support.soak_alone", str(tmp_path)],
        cwd=ROOT,
        capture_output=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()
    measured = json.loads(done.stdout)

    before, after = (Measured(**one) for one in measured["sound"])
    assert after.mails - before.mails > 700
    assert measured["sent"] > 400, "alerts and what became of them"
    assert blocks_per_mail(before, after) < MOST
    assert after.descriptors <= before.descriptors
    assert after.threads <= before.threads
    assert after.rows > before.rows

    # The same hour with a leak: the bound catches it.
    before, after = (Measured(**one) for one in measured["leaking"])
    assert measured["leaked"] > 700
    assert blocks_per_mail(before, after) > MOST


@pytest.mark.integration
def test_a_line_that_breaks_again_and_again_leaves_no_descriptor_and_no_thread() -> None:
    with running_dovecot() as server, running_proxy(server.port) as proxy:
        reader = Reader(ImapSource(make_mailbox(proxy.port), wants_everything))
        failed = 0
        counts = []
        for number in range(24):
            server.deliver(make_mail(f"mail {number}"), NOW)
            if number % 2:
                proxy.cut_after(200 + number * 70)
                proxy.cut_now()
            try:
                reader.read()
            except MailboxError:
                failed += 1
            gc.collect()
            ours = [link for link in Path("/proc/self/fd").iterdir() if _leads_to(link, proxy.port)]
            counts.append((len(ours), threading.active_count()))
        assert failed > 5, "it did break"
        reader.read()
        assert set(reader.subjects()) >= {f"mail {number}" for number in range(24)}
        reader.source.close()
        assert max(sockets for sockets, _ in counts[4:]) <= max(sockets for sockets, _ in counts[:4]) + 1, counts


def _leads_to(link: Path, port: int) -> bool:
    """Return whether a descriptor is a socket of this process that is connected to this port."""
    try:
        inode = str(link.readlink())
    except OSError:
        return False
    if not inode.startswith("socket:"):
        return False
    for line in Path("/proc/self/net/tcp").read_text().splitlines()[1:]:
        columns = line.split()
        if columns[9] == inode[8:-1] and int(columns[2].split(":")[1], 16) == port:
            return True
    return False
