"""History from files: in a process as a person runs it, with nobody told and nothing twice."""

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pexpect
import pytest

from monitor.config.loader import load_config
from monitor.store.engine import open_engine
from monitor.wallclock import utc_now
from tests.support.mails import buyer_mail, return_notice, seller_reply
from tests.support.waiting import PATIENCE

ROOT = Path(__file__).parents[2]
REPLYBY = [sys.executable, "-m", "monitor"]
ENVIRON = {
    **{key: value for key, value in os.environ.items() if not key.startswith("REPLYBY_")},
    "PYTHONPATH": str(ROOT),
    "TERM": "dumb",
    "COLUMNS": "80",
}
CONFIG = """
[[account]]
name = "acme"
[[mailbox]]
type = "maildir"
path = "Maildir"
[[receiver]]
name = "terminal"
type = "console"
[[policy]]
name = "all"
[[policy.step]]
remaining = "12h"
notify = ["terminal"]
[[policy.step]]
remaining = "0s"
notify = ["terminal"]
"""


@pytest.fixture
def stored(folder: Path, database: str) -> Path:
    """The same on either database."""
    path = folder / "config.toml"
    path.write_text(f'[worker]\ndatabase = "{database}"\nstate_directory = "var"\n' + path.read_text())
    return folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A configuration with an empty Maildir."""
    for part in ("cur", "new", "tmp", ".Sent/cur", ".Sent/new", ".Sent/tmp"):
        (tmp_path / "Maildir" / part).mkdir(parents=True)
    (tmp_path / "config.toml").write_text(CONFIG)
    return tmp_path


MANY = 25_000
LUNCH = b"From: Bo <bo@other.example>\nDate: Mon, 02 Nov 2026 10:00:00 +0000\nSubject: lunch?\n\nat noon\n"


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*REPLYBY, *arguments], cwd=folder, env=ENVIRON, stdin=subprocess.DEVNULL, capture_output=True, text=True,
        timeout=PATIENCE, check=False,
    )  # fmt: skip


def imported(folder: Path, *arguments: str) -> dict[str, Any]:
    done = run(folder, "import", *arguments, "--json")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert isinstance(found, dict)
    return found


def postmark(at: datetime) -> bytes:
    return at.strftime("From 18123@xxx %a %b %d %H:%M:%S +0000 %Y\n").encode()


def box(*mails: tuple[datetime, bytes]) -> bytes:
    return b"".join(postmark(at) + re.sub(rb"(?m)^(>*From )", rb">\1", content) + b"\n" for at, content in mails)


def labelled(content: bytes, labels: str) -> bytes:
    return f"X-Gmail-Labels: {labels}\n".encode() + content


def place(number: int) -> dict[str, Any]:
    return {"order": f"402-{number:07d}-{number:07d}", "alias": f"a{number:013d}@marketplace.amazon.fr"}


def history(count: int, now: datetime) -> list[tuple[datetime, bytes]]:
    """So many buyer messages of past weeks; every other was answered within an hour, as Gmail's export shows it."""
    mails = []
    for number in range(count):
        at = now - timedelta(days=60) + timedelta(days=40) * number / count
        mails.append((at, labelled(buyer_mail(at, **place(number)), "Inbox,Opened")))
        if number % 2 == 0:
            replied_at = at + timedelta(hours=1)
            mails.append((replied_at, labelled(seller_reply(replied_at, **place(number)), "Sent")))
    return mails


def tallies(folder: Path) -> dict[str, float]:
    engine = open_engine(load_config(folder / "config.toml", {}).worker.database)
    with engine.connect() as connection:
        rows = connection.exec_driver_sql("SELECT name, sum(value) FROM tally GROUP BY name").all()
    engine.dispose()
    return {row[0]: row[1] for row in rows}


def test_an_export_fills_the_figures_tells_nobody_and_counts_once(stored: Path) -> None:
    folder, now = stored, utc_now()
    assert run(folder, "once").returncode == 0
    before = tallies(folder)
    (folder / "all.mbox").write_bytes(box(*history(20, now), (now, LUNCH)))
    found = imported(folder, "all.mbox", "--account", "acme")
    assert found["new"] == {"buyer_message": 20, "seller_reply": 10, "unrelated": 1}
    assert (found["known"], found["damaged"], found["overdue"], found["whole"]) == (0, 0, 10, True)

    again = imported(folder, "all.mbox")
    assert (again["new"], again["known"], again["overdue"]) == ({}, 0, 0)
    (folder / "copy.mbox").write_bytes((folder / "all.mbox").read_bytes())
    copy = imported(folder, "copy.mbox")
    assert (copy["new"], copy["known"]) == ({"unrelated": 1}, 30)

    told = run(folder, "once")
    assert (told.returncode, told.stdout.strip()) == (0, "0 sent, 0 still to send."), told.stderr
    assert tallies(folder) == before, "history is no event of today: no burst on a graph"
    report = json.loads(run(folder, "report", "--json").stdout)
    assert (report["windows"]["90d"]["received"], report["windows"]["90d"]["on_time"]) == (20, 10)


def test_a_mail_in_the_mailbox_and_in_the_export_counts_once_whichever_comes_first(stored: Path) -> None:
    folder, now = stored, utc_now()
    mails = history(4, now)
    for number, (at, content) in enumerate(mails[:2]):
        where = folder / "Maildir" / (".Sent/new" if b"Labels: Sent" in content else "new") / f"{number}.first"
        where.write_bytes(content)
        os.utime(where, (at.timestamp(), at.timestamp()))
    assert run(folder, "once").returncode == 0
    (folder / "all.mbox").write_bytes(box(*mails))
    found = imported(folder, "all.mbox")
    assert (sum(found["new"].values()), found["known"]) == (4, 2)
    for number, (at, content) in enumerate(mails[2:]):
        where = folder / "Maildir" / (".Sent/new" if b"Labels: Sent" in content else "new") / f"{number}.later"
        where.write_bytes(content)
        os.utime(where, (at.timestamp(), at.timestamp()))
    done = run(folder, "once")
    assert (done.returncode, done.stdout.strip()) == (0, "0 sent, 0 still to send.")
    report = json.loads(run(folder, "report", "--json").stdout)
    assert report["windows"]["90d"]["received"] == 4


def test_what_still_has_time_is_watched_and_the_mailbox_takes_it_over(folder: Path) -> None:
    now = utc_now()
    assert run(folder, "once").returncode == 0
    at = now - timedelta(hours=14)
    (folder / "new.mbox").write_bytes(box((at, buyer_mail(at))))
    assert imported(folder, "new.mbox")["overdue"] == 0
    (waiting,) = json.loads(run(folder, "status", "--json").stdout)["threads"]
    assert (waiting["state"], waiting["messages"]) == ("running", 1)
    assert "1 sent" in run(folder, "once").stdout


def test_received_and_sent_mail_may_be_two_files_or_two_maildirs(folder: Path) -> None:
    now = utc_now()
    mails = history(6, now)
    sent = [one for one in mails if b"Labels: Sent" in one[1]]
    received = [one for one in mails if one not in sent]
    bare = [(at, content.partition(b"\n")[2]) for at, content in received]
    (folder / "inbox.mbox").write_bytes(box(*bare))
    first = run(folder, "import", "inbox.mbox")
    assert "No reply was in it" in first.stdout
    assert "6 waits without a reply" in first.stdout
    other = folder / "Other"
    for part in ("cur", "new", "tmp"):
        (other / part).mkdir(parents=True)
    for number, (at, content) in enumerate(sent):
        file = other / "cur" / f"{number}.old:2,S"
        file.write_bytes(content.partition(b"\n")[2])
        os.utime(file, (at.timestamp(), at.timestamp()))
    second = run(folder, "import", "Other", "--sent", "--account", "acme")
    assert "new: 3 seller replies" in second.stdout, second.stderr
    assert "Answered in time, 90 days: 50.0 % of 6 buyer messages." in second.stdout
    assert imported(folder, "Other", "--sent")["new"] == {}


def test_damaged_mails_are_counted_shown_by_their_place_and_stop_nothing(folder: Path) -> None:
    now = utc_now()
    at = now - timedelta(days=3)
    broken = buyer_mail(at, **place(1)).replace(b"Date: ", b"Date: the day before ")
    (folder / "all.mbox").write_bytes(box((at, broken), (at, buyer_mail(at, **place(2)))) + b"From x\n\x00\xff")
    done = run(folder, "import", "all.mbox")
    assert "new: 2 buyer messages" in done.stdout, done.stderr
    assert re.search(
        r"damaged, read as far as they could be: 2\n    byte 0: Date unreadable\n    byte 1[^:]*: ", done.stdout
    ), done.stdout
    assert done.stderr.count("\n") == 1, "the progress line, and no log"
    kept = json.loads(run(folder, "review", "--json").stdout)["damaged"]
    assert [one["problem"] for one in kept if one["uid"] == 0] == ["Date unreadable"]
    assert "all.mbox (inbox), mail 0: Date unreadable" in run(folder, "review").stdout
    looked = json.loads(run(folder, "doctor", "--json").stdout)["findings"]
    assert "2 read only in part within a week" in {one["text"] for one in looked}


def test_beside_a_worker_it_says_what_to_do(stored: Path) -> None:
    folder = stored
    (folder / "all.mbox").write_bytes(box(*history(1, utc_now())))
    path = folder / "config.toml"
    path.write_text(path.read_text().replace("[worker]\n", '[worker]\nmetrics_listen = "127.0.0.1:0"\n'))
    with subprocess.Popen(
        [*REPLYBY, "run"], cwd=folder, env=ENVIRON, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    ) as worker:
        try:
            assert worker.stderr is not None
            assert any("Listening" in line for line in iter(worker.stderr.readline, ""))
            done = run(folder, "import", "all.mbox")
        finally:
            worker.terminate()
            worker.communicate(timeout=20)
    assert done.returncode == 1
    assert done.stderr == (
        "replyby import: a worker runs on this database. Stop it, import, and start it again: it goes on where it was.\n"
    )


@contextmanager
def terminal(folder: Path, *arguments: str) -> Iterator[Any]:
    child = pexpect.spawn(
        REPLYBY[0], [*REPLYBY[1:], *arguments], cwd=str(folder), env=ENVIRON, encoding="utf-8", timeout=PATIENCE,
        dimensions=(40, 80),
    )  # fmt: skip
    try:
        yield child
    finally:
        child.close(force=True)


def test_a_terminal_shows_how_far_it_is_and_ctrl_c_keeps_what_was_read(folder: Path) -> None:
    now = utc_now()
    at = now - timedelta(days=30)
    template = re.sub(rb"<notice-\d+@", b"<notice-%d@", return_notice(at).replace(b"%", b"%%"))
    (folder / "all.mbox").write_bytes(box(*((at, template % number) for number in range(MANY))))
    with terminal(folder, "import", "all.mbox") as child:
        child.expect(r"all\.mbox \(inbox\)  ━+╌+  \d+ %, [\d,]+ mails, [\d,]+ a second")
        child.kill(signal.SIGINT)
        child.expect_exact("Stopped. What was read is in; the same command goes on from there.")
        child.expect(pexpect.EOF)
        child.wait()
        assert child.exitstatus == 130
    rest = imported(folder, "all.mbox")
    assert 0 < rest["new"]["notice"] < MANY
    assert rest["whole"]
    engine = open_engine(f"sqlite:///{folder / 'var' / 'replyby.db'}")
    with engine.connect() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM message").scalar() == MANY
    engine.dispose()


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (["none.mbox"], 2, "none.mbox: no such file or folder"),
        (["one.eml"], 1, "one.eml: not an mbox"),
        (["."], 2, "a folder without cur and new is no Maildir. In it: Maildir."),
        (["takeout.zip"], 2, "takeout.zip: packed. Unpack it"),
        (["one.eml", "--account", "other"], 2, "no such account. Accounts: acme."),
    ],
)
def test_wrong_answers_are_one_line_each(folder: Path, arguments: list[str], status: int, words: str) -> None:
    (folder / "one.eml").write_bytes(buyer_mail(utc_now()))
    (folder / "takeout.zip").write_bytes(b"PK")
    done = run(folder, "import", *arguments)
    assert (done.returncode, done.stdout) == (status, "")
    assert words in done.stderr
    assert "Traceback" not in done.stderr
    assert len(done.stderr.splitlines()) <= 2
