"""Every command as a person types it, in a process of its own: words, JSON, exit status, one-line errors."""

import contextlib
import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from unittest.mock import ANY
from zoneinfo import ZoneInfo

import pytest

from monitor.wallclock import utc_now
from tests.support.databases import SQLITE
from tests.support.mails import ALIAS, ORDER, buyer_mail, return_notice, seller_reply
from tests.support.waiting import PATIENCE

ROOT = Path(__file__).parent.parent.parent
CONFIG = """
[worker]
time_zone = "Europe/Paris"

[[account]]
name = "acme-eu"
notified_at = ["support@acme.example"]
reply_from = ["support@acme.example"]

[[mailbox]]
name = "support"
type = "maildir"
path = "mail"
sent_path = "sent"

[[person]]
name = "Ana"
email = "ana@acme.example"

[[receiver]]
name = "terminal"
type = "console"

[[policy]]
name = "default"
[[policy.step]]
remaining = "8h"
notify = ["terminal"]
[[policy.step]]
remaining = "0s"
notify = ["terminal"]
"""
SECOND = "402-7654321-7654321"
THIRD = "402-0000003-0000003"
THIRD_ALIAS = "third00aaaaaaaa@marketplace.amazon.fr"


class Shop:
    """A folder with a configuration and a Maildir, and the command line in it."""

    def __init__(self, folder: Path, database: str = SQLITE) -> None:
        self.folder = folder
        (folder / "config.toml").write_text(CONFIG.replace("[worker]\n", f'[worker]\ndatabase = "{database}"\n'))
        for box in ("mail", "sent"):
            for part in ("cur", "new", "tmp"):
                (folder / box / part).mkdir(parents=True)
        self._mails = 0

    def deliver(self, content: bytes, at: datetime, box: str = "mail") -> None:
        """Put a mail into the Maildir as a delivery agent does."""
        self._mails += 1
        path = self.folder / box / "tmp" / f"{self._mails}.mail"
        path.write_bytes(content)
        os.utime(path, (at.timestamp(), at.timestamp()))
        path.rename(self.folder / box / "new" / path.name)

    def call(self, *arguments: str, feed: bytes = b"") -> subprocess.CompletedProcess[bytes]:
        """Run `replyby` with these arguments."""
        return subprocess.run(
            [sys.executable, "-m", "monitor", *arguments],
            cwd=self.folder,
            env={**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "200"},
            input=feed,
            capture_output=True,
            timeout=PATIENCE,
            check=False,
        )

    def say(self, *arguments: str, feed: bytes = b"") -> str:
        """Run a command that succeeds and return its standard output."""
        done = self.call(*arguments, feed=feed)
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout.decode()

    def json(self, *arguments: str, feed: bytes = b"") -> Any:
        """Run a listing with --json: one document on standard output, nothing else there."""
        return json.loads(self.say(*arguments, "--json", feed=feed))

    def refuse(self, status: int, *arguments: str) -> str:
        """Run a command that fails with this status, without a traceback; return what it said."""
        done = self.call(*arguments)
        said = done.stderr.decode()
        assert done.returncode == status, f"{done.stdout.decode()}{said}"
        assert "Traceback" not in said
        return said


def ago(**span: float) -> datetime:
    return utc_now().replace(microsecond=0) - timedelta(**span)


@pytest.fixture
def shop(tmp_path: Path, database: str) -> Iterator[Shop]:
    """Two open threads (17 h and 2 h old), one answered, one notice."""
    made = Shop(tmp_path, database)
    made.deliver(buyer_mail(ago(hours=17)), ago(hours=17))
    made.deliver(buyer_mail(ago(hours=2), order=SECOND, alias="second0aaaaaaaa@marketplace.amazon.fr"), ago(hours=2))
    made.deliver(buyer_mail(ago(hours=9), order=THIRD, alias=THIRD_ALIAS), ago(hours=9))
    made.deliver(seller_reply(ago(hours=6), order=THIRD, alias=THIRD_ALIAS), ago(hours=6), "sent")
    made.deliver(return_notice(ago(hours=3)), ago(hours=3))
    made.say("once")
    yield made


def test_the_history_shows_every_instant_in_one_zone(shop: Shop) -> None:
    shop.say("snooze", ORDER, "--by", "Ana", "--for", "30m")
    (waiting,) = [one for one in shop.json("status")["threads"] if one["order_id"] == ORDER]
    zone = ZoneInfo("Europe/Paris")
    started_at, deadline_at = (datetime.fromisoformat(waiting[key]) for key in ("started_at", "deadline_at"))
    said = shop.say("history", ORDER)
    assert (
        f"{started_at.astimezone(zone):%a %d %b %H:%M:%S}  SLA clock started "
        f"(deadline {deadline_at.astimezone(zone):%a %d %b %H:%M:%S})\n"
    ) in said
    assert "snoozed by Ana (until " in said
    assert "UTC" not in said
    details = [event["detail"] for event in shop.json("history", ORDER)["events"]]
    assert f"deadline {deadline_at:%Y-%m-%d %H:%M:%S} UTC" in details


def test_a_config_before_the_command_is_told_where_it_stands(tmp_path: Path) -> None:
    shop = Shop(tmp_path)
    assert shop.refuse(2, "--config", "other.toml", "status") == (
        "--config stands behind the command: replyby status --config other.toml.\n"
    )


def test_status_lists_what_waits_soonest_first(shop: Shop) -> None:
    lines = shop.say("status").splitlines()
    assert lines[0].startswith("2 threads wait for a reply")
    assert [ORDER in lines[2], SECOND in lines[3]] == [True, True]
    document = shop.json("status")
    assert [thread["order_id"] for thread in document["threads"]] == [ORDER, SECOND]
    assert set(document["threads"][0]) == {
        *("thread", "account", "marketplace", "order_id", "labels", "priority", "started_at", "deadline_at"),
        *("remaining_seconds", "state", "messages", "verified", "acknowledged_by", "where"),
    }
    assert ALIAS not in json.dumps(document)
    assert datetime.fromisoformat(document["now"]).tzinfo == UTC


def test_a_person_takes_snoozes_answers_and_takes_it_back(shop: Shop) -> None:
    assert "Ana has it until" in shop.say("acknowledge", ORDER, "--by", "Ana")
    assert shop.json("status")["threads"][0]["acknowledged_by"] == "Ana"
    assert "quiet until" in shop.say("snooze", ORDER, "--for", "30m", "--by", "Ana")
    assert "marked as answered by Ana" in shop.say("answered", ORDER, "--by", "Ana")
    assert [thread["order_id"] for thread in shop.json("status")["threads"]] == [SECOND]
    assert "taken back" in shop.say("answered", ORDER, "--undo", "--by", "Ana")
    assert len(shop.json("status")["threads"]) == 2
    assert "Seller Central" in shop.say("waive", SECOND, "--by", "Bo", "--reason", "thanks only")
    assert [thread["order_id"] for thread in shop.json("status")["threads"]] == [ORDER]
    shop.say("unwaive", SECOND, "--by", "Bo")
    events = [event["what"] for event in shop.json("history", SECOND)["events"]]
    assert events[0] == "buyer message"
    assert "waived: no response needed" in events
    assert "taken back: waived: no response needed" in events


def test_what_is_about_no_thread_is_shown_with_its_outcome(shop: Shop) -> None:
    assert shop.say("history") == "Nothing was told yet.\n"
    shop.say("send-test", "terminal")
    assert shop.say("history").rstrip().endswith("test to terminal by console: sent")
    document = shop.json("history")
    assert document["thread"] is None
    assert [event["what"] for event in document["events"]] == ["test to terminal by console: sent"]


def test_not_a_message_takes_the_clock_away(shop: Shop) -> None:
    assert "no buyer message" in shop.say("not-a-message", ORDER, "--by", "Ana")
    assert [thread["order_id"] for thread in shop.json("status")["threads"]] == [SECOND]


def test_old_backlog_is_settled_at_once(shop: Shop) -> None:
    before = ago(hours=5).isoformat()
    assert "1 thread marked" in shop.say("answered", "--before", before, "--by", "Ana")
    assert [thread["order_id"] for thread in shop.json("status")["threads"]] == [SECOND]


def test_a_backlog_is_settled_by_the_instant_that_is_printed_and_nobody_elses_wait(tmp_path: Path) -> None:
    fresh = Shop(tmp_path)
    for number, hours in enumerate((120.0, 26.0, 25.0)):
        old = buyer_mail(
            ago(hours=hours), order=f"402-000000{number}-7777777", alias=f"old{number}aaaaaaaaa@marketplace.amazon.fr"
        )
        fresh.deliver(old, ago(hours=hours))
    fresh.deliver(buyer_mail(ago(hours=23)), ago(hours=23))
    fresh.say("once")
    printed = fresh.say("status").split("--before ")[1].split()[0]
    assert "3 threads marked" in fresh.say("answered", "--before", printed, "--by", "Ana")
    assert [thread["order_id"] for thread in fresh.json("status")["threads"]] == [ORDER]
    assert "Not listed" not in fresh.say("status")


def test_what_a_buyer_wrote_after_the_backlog_keeps_waiting_when_that_is_settled(tmp_path: Path) -> None:
    fresh = Shop(tmp_path)
    fresh.deliver(buyer_mail(ago(hours=72)), ago(hours=72))
    fresh.deliver(buyer_mail(ago(hours=50), order=SECOND, alias="second0aaaaaaaa@marketplace.amazon.fr"), ago(hours=50))
    fresh.say("once")
    fresh.deliver(buyer_mail(ago(hours=1), words="Et maintenant ?"), ago(hours=1))
    fresh.say("once")
    assert "2 threads marked" in fresh.say("answered", "--before", ago(hours=40).isoformat(), "--by", "Ana")
    (waiting,) = fresh.json("status")["threads"]
    assert (waiting["order_id"], waiting["messages"]) == (ORDER, 1)
    assert "Not listed" not in fresh.say("status")


def test_a_backlog_that_is_younger_than_a_live_wait_is_settled_one_by_one(tmp_path: Path) -> None:
    fresh = Shop(tmp_path)
    fresh.deliver(buyer_mail(ago(hours=23)), ago(hours=23))
    fresh.say("once")
    fresh.deliver(buyer_mail(ago(hours=20)), ago(hours=20))
    with sqlite3.connect(tmp_path / "replyby.db") as database:  # as if days had gone by
        days = 4 * 86_400_000_000
        database.execute(f"UPDATE sla_clock SET started_at = started_at - {days}, deadline_at = deadline_at - {days}")
    old = buyer_mail(ago(hours=48), order=SECOND, alias="second0aaaaaaaa@marketplace.amazon.fr")
    (tmp_path / "all.mbox").write_bytes(b"From x Thu Nov 19 05:00:00 2026\n" + old + b"\n")
    printed = fresh.say("import", "all.mbox")
    assert "If they were answered: replyby answered THREAD --by NAME settles one." in printed
    assert "replyby answered THREAD --by NAME settles one." in fresh.say("status")


def test_once_in_json_is_one_document_whatever_the_console_is_told(tmp_path: Path) -> None:
    fresh = Shop(tmp_path)
    fresh.deliver(buyer_mail(ago(hours=23)), ago(hours=23))
    done = fresh.call("once", "--json")
    assert json.loads(done.stdout)["sent"] == 1
    assert ORDER in done.stderr.decode()


def test_silence_is_added_listed_and_ended(shop: Shop) -> None:
    said = shop.say(
        "silence",
        "add",
        "--match",
        "marketplace=FR",
        "--for",
        "2h",
        "--by",
        "Ana",
        "--comment",
        "strike at the carrier",
    )
    number = said.split()[1]
    assert "strike at the carrier" in shop.say("silence", "list")
    assert shop.json("silence", "list")["silences"][0]["match"] == ["marketplace=FR"]
    assert "ended" in shop.say("silence", "expire", number)
    assert "Nothing is silenced" in shop.say("silence", "list")


def test_report_is_printed_as_text_and_json_and_written_as_files(shop: Shop, tmp_path: Path) -> None:
    week = utc_now().strftime("%G-W%V")
    assert "answered within 24 h" in shop.say("report", "--week", week).replace("\u00a0", " ")
    document = shop.json("report", "--week", week)
    assert {"week", "from", "to", "time_zone", "figures", "windows", "by_marketplace", "misses"} <= set(document)
    assert set(document["windows"]) == {"7d", "30d", "90d"}
    assert document["windows"]["7d"]["received"] == 3
    written = [Path(line) for line in shop.say("report", "--week", week, "--out", "out").splitlines()]
    assert {path.suffix for path in written} == {".html", ".md", ".json", ".csv", ".png"}
    assert all((shop.folder / path).stat().st_size > 100 for path in written)


@pytest.mark.parametrize(("marketplace", "late"), [("FR", "3.1%"), ("fr", "0.031"), ("FR", "3,1 %")])
def test_amazons_own_figure_stands_beside_ours(shop: Shop, marketplace: str, late: str) -> None:
    typed = shop.say(
        "amazon-figure", "--account", "acme-eu", "--marketplace", marketplace, "--window", "30d", "--late", late
    ).splitlines()
    assert typed[0].startswith("acme-eu, FR, 30 d: 3.1% late, as Amazon says.")
    assert typed[1].startswith("Ours of the same days: ")
    assert typed[2] == "Too few messages, or too few days of mail, to hold the two against each other."
    assert "96.9" in shop.say("report")


def test_explain_needs_no_configuration_and_reads_standard_input(tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    (tmp_path / "shop").mkdir()
    shop = Shop(tmp_path / "shop")
    shop.folder = empty
    mail = buyer_mail(datetime(2026, 11, 20, 4, 10, 12, tzinfo=UTC))
    found = shop.json("explain", "-", feed=mail)
    assert (found[0]["kind"], found[0]["order_id"], found[0]["marketplace"]) == ("buyer_message", ORDER, "FR")
    assert set(found[0]) >= {
        *("file", "kind", "authenticity", "marketplace", "order_id", "alias", "merchant_id", "message_key"),
        *("received_at", "labels", "language", "buyer_text", "signals"),
    }
    said = shop.say("explain", "-", feed=mail)
    assert "The clock would start at 04:10:12 and end on 2026-11-21 04:10:12 UTC." in said


def test_check_config_says_everything_at_once(shop: Shop) -> None:
    assert "config.toml: valid" in shop.say("check-config")
    assert shop.json("check-config", "--connect")["findings"][0]["ok"] is True
    (shop.folder / "config.toml").write_text(CONFIG.replace("sent_path", "sent_pth").replace('"8h"', '"eight"'))
    said = shop.refuse(2, "check-config")
    assert "config.toml: 2 problems" in said
    assert "Did you mean 'sent_path'?" in said


def test_invalid_configuration_is_one_json_document_too(shop: Shop) -> None:
    (shop.folder / "config.toml").write_text(CONFIG.replace("sent_path", "sent_pth"))
    done = shop.call("check-config", "--json")
    document = json.loads(done.stdout)
    assert (done.returncode, document["valid"], len(document["problems"])) == (2, False, 1)


def test_backup_replaces_the_one_of_last_night(tmp_path: Path) -> None:
    made = Shop(tmp_path)
    made.say("once")
    for _ in range(2):
        assert "bytes, not encrypted" in made.say("backup", "night.db")


def test_logs_stay_off_standard_output(shop: Shop) -> None:
    assert len(shop.say("acknowledge", ORDER, "--by", "Ana").splitlines()) == 1
    assert len(shop.say("snooze", SECOND, "--by", "Ana").splitlines()) == 1


def test_status_says_that_nobody_reads_the_mail(tmp_path: Path) -> None:
    made = Shop(tmp_path)
    done = made.call("status")
    assert (done.returncode, done.stderr.decode()) == (0, "No mail was read yet. Start the worker: replyby run\n")
    assert json.loads(made.call("status", "--json").stdout)["threads"] == []


def test_commands_before_the_worker_do_not_start_its_watch(tmp_path: Path) -> None:
    made = Shop(tmp_path)
    made.say("status")
    made.deliver(buyer_mail(ago(hours=25)), ago(hours=25))
    made.say("once")
    assert "Not listed: 1 that was overdue before the first start" in made.say("status")
    first = made.json("status", "--all")["threads"]
    assert len(first) == 1
    assert first[0]["state"] == "breached"


def test_full_disk_under_standard_output_is_one_line(shop: Shop) -> None:
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [sys.executable, "-m", "monitor", "status"],
            cwd=shop.folder,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdout=full,
            stderr=subprocess.PIPE,
            timeout=PATIENCE,
            check=False,
        )
    assert done.returncode == 1
    assert done.stderr.decode() == "standard output: No space left on device. The rest was not written.\n"


def test_nobody_on_call_where_no_schedule_is_configured_is_no_failure(shop: Shop) -> None:
    assert shop.say("oncall").startswith("No [[schedule]] is configured")
    assert shop.json("oncall")["schedules"] == []


def test_files_of_a_report_are_listed_in_json(shop: Shop) -> None:
    files = shop.json("report", "--out", "reports")["files"]
    assert files
    assert all((shop.folder / one).exists() for one in files)


def test_what_is_no_message_is_counted_once(shop: Shop) -> None:
    assert "1 mail is no buyer message" in shop.say("not-a-message", SECOND, "--by", "Ana")
    assert "nothing was changed" in shop.refuse(1, "not-a-message", SECOND, "--by", "Ana")
    assert [thread["order_id"] for thread in shop.json("status")["threads"]] == [ORDER]


def test_what_is_a_message_after_all_waits_from_when_it_came(shop: Shop) -> None:
    before = shop.json("status")["threads"]
    assert "nobody said" in shop.refuse(1, "not-a-message", SECOND, "--undo", "--by", "Bo")
    shop.say("not-a-message", SECOND, "--by", "Ana")
    assert "waits for a reply again, says Bo" in shop.say("not-a-message", SECOND, "--undo", "--by", "Bo")
    assert shop.json("status")["threads"] == [{**one, "remaining_seconds": ANY} for one in before]
    shop.say("not-a-message", SECOND, "--by", "Ana")
    assert len(shop.json("status")["threads"]) == 1


def test_test_notification_is_sent(shop: Shop) -> None:
    said = shop.say("send-test", "terminal")
    assert "test" in said
    assert "terminal by console: sent" in said


@pytest.mark.parametrize(
    ("status", "arguments", "said"),
    [
        (1, ("acknowledge", "402-9999999-9999999", "--by", "Ana"), "no such thread or order"),
        (1, ("acknowledge", "402-0000003-0000003", "--by", "Ana"), "nothing waits for a reply"),
        (1, ("unwaive", ORDER, "--by", "Ana"), "no mark made by hand"),
        (2, ("snooze", ORDER, "--for", "soon", "--by", "Ana"), "--for"),
        (2, ("answered", "--by", "Ana"), "name a THREAD, or give --before"),
        (2, ("answered", ORDER, "--at", "yesterday", "--by", "Ana"), "not an instant"),
        (2, ("answered", ORDER, "--at", "2001-01-01T00:00:00Z", "--by", "Ana"), "before the buyer wrote"),
        (2, ("answered", ORDER, "--at", "2101-01-01T00:00:00Z", "--by", "Ana"), "lies in the future"),
        (2, ("acknowledge", ORDER), "--by"),
        (2, ("acknowledge", ORDER, "--by", "  "), "--by: 1 problem"),
        (2, ("snooze", ORDER, "--for", "0s", "--by", "Ana"), "no time at all"),
        (2, ("answered", "--before", "2026-01-01", "--undo", "--by", "Ana"), "go with one THREAD"),
        (2, ("answered", "--before", "2026-01-01", "--at", "2026-01-01", "--by", "Ana"), "go with one THREAD"),
        (2, ("answered", "--before", "2101-01-01", "--by", "Ana"), "lies in the future"),
        (
            2,
            ("silence", "add", "--match", "label=refund", "--for", "0s", "--by", "A", "--comment", "x"),
            "no time at all",
        ),
        (
            2,
            ("silence", "add", "--match", "label=refund", "--for", "1h", "--by", "A", "--comment", " "),
            "--comment: 1",
        ),
        (2, ("silence", "add", "--match", "label=x", "--for", "1h", "--by", "A", "--comment", "x"), "no such label"),
        (2, ("silence", "add", "--match", "order=402-2", "--for", "1h", "--by", "A", "--comment", "x"), "no order"),
        (2, ("send-test", "terminal", "--page"), "reaches no phone"),
        (2, ("demo", "--port", "99999"), "65535"),
        (2, ("backup", "b.db", "--encrypt", "--decrypt", "a.db"), "two commands"),
        (2, ("backup", "replyby.db"), "is the database itself"),
        (2, ("backup", "mail/../replyby.db-wal"), "is the database's"),
        (2, ("backup", "replyby.key"), "is its key"),
        (2, ("backup", "replyby"), "is its key"),
        (2, ("backup", "config.toml"), "is the configuration"),
        (2, ("backup", "mail/new/1.mail"), "is no backup"),
        (2, ("silence", "add", "--match", "color=red", "--for", "1h", "--by", "A", "--comment", "x"), "KEY=VALUE"),
        (2, ("silence", "add", "--match", "account=acme", "--for", "1h", "--by", "A", "--comment", "x"), "acme-eu"),
        (1, ("silence", "expire", "99"), "no such silence"),
        (2, ("report", "--week", "2026-W99"), "2026-W99"),
        (2, ("report", "--language", "xx"), "en, fr, de, es or it"),
        (
            2,
            ("amazon-figure", "--account", "x", "--marketplace", "YY", "--window", "5d", "--late", "many"),
            "4 problems",
        ),
        (
            2,
            ("amazon-figure", "--account", "acme-eu", "--marketplace", "FR", "--window", "30d", "--late", "1"),
            "Write 1% or 100%",
        ),
        (2, ("send-test", "nobody"), "Receivers: terminal"),
        (1, ("explain", "nothing.eml"), "cannot be read"),
        (1, ("match", "99", ORDER, "--by", "Ana"), "no such copy"),
        (2, ("--config", "nowhere.toml"), "Missing command"),
        (2, ("status", "--config", "nowhere.toml"), "does not exist"),
        (2, ("statuss",), "No such command"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else None,
)
def test_wrong_input_is_told_in_a_line_and_changes_nothing(
    shop_once: Shop, status: int, arguments: tuple[str, ...], said: str
) -> None:
    assert said in shop_once.refuse(status, *arguments)


@pytest.fixture(scope="module")
def shop_once(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    """The same shop for commands that change nothing."""
    made = Shop(tmp_path_factory.mktemp("shop"))
    made.deliver(buyer_mail(ago(hours=17)), ago(hours=17))
    made.deliver(buyer_mail(ago(hours=9), order=THIRD, alias=THIRD_ALIAS), ago(hours=9))
    made.deliver(seller_reply(ago(hours=6), order=THIRD, alias=THIRD_ALIAS), ago(hours=6), "sent")
    made.say("once")
    return made


def test_two_threads_of_one_order_are_listed_and_nothing_is_done(tmp_path: Path) -> None:
    made = Shop(tmp_path)
    made.deliver(buyer_mail(ago(hours=2)), ago(hours=2))
    made.say("once")
    text = (made.folder / "config.toml").read_text().replace('name = "acme-eu"', 'name = "acme-jp"')
    (made.folder / "config.toml").write_text(text)
    for box in ("mail2", "sent2"):
        for part in ("cur", "new", "tmp"):
            (made.folder / box / part).mkdir(parents=True)
    (made.folder / "config.toml").write_text(
        text.replace('name = "support"', 'name = "other"').replace('"mail"', '"mail2"').replace('"sent"', '"sent2"')
    )
    made.deliver(buyer_mail(ago(hours=1), key="another"), ago(hours=1), "mail2")
    made.say("once")
    said = made.refuse(1, "acknowledge", ORDER, "--by", "Ana")
    assert "2 threads, nothing was done" in said
    assert [thread["acknowledged_by"] for thread in made.json("status")["threads"]] == [None, None]


def test_no_line_of_the_overview_is_cut_off(tmp_path: Path) -> None:
    shop = Shop(tmp_path)
    for arguments in ((), ("service",), ("silence",)):
        assert "..." not in shop.say(*arguments, "--help").partition("Commands:")[2]


def test_every_command_has_help(tmp_path: Path) -> None:
    shop = Shop(tmp_path)
    names = [
        line.split()[0] for line in shop.say("--help").splitlines() if line.startswith("  ") and line[2:3].isalpha()
    ]
    listed = [name for name in names if not name.startswith("-") and name != "Watches" and name != "hours"]
    assert {"run", "once", "status", "explain", "check-config", "report"} <= set(listed)
    for name in ("status", "answered", "silence", "report", "send-test"):
        assert "Usage:" in shop.say(name, "--help")


def test_reader_that_goes_away_is_no_error(shop: Shop) -> None:
    command = f"{sys.executable} -m monitor status | head -1"
    done = subprocess.run(
        ["bash", "-c", command],
        cwd=shop.folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        timeout=PATIENCE,
        check=False,
    )
    assert b"Traceback" not in done.stderr


SILENCE = ("--for", "2h", "--by", "Ana", "--comment", "strike")


@pytest.mark.parametrize("number", ["99999", "-1", "9" * 30])
def test_a_thread_that_does_not_exist_cannot_be_silenced(shop_once: Shop, number: str) -> None:
    said = shop_once.refuse(2, "silence", "add", "--match", f"thread={number}", *SILENCE)
    assert said.splitlines()[1:] == [
        f"  --match 'thread={number}': no such thread or order. `replyby status` lists what waits."
    ]
    assert shop_once.json("silence", "list") == {"silences": []}


@pytest.mark.parametrize("pair", ["thread=x", "thread=²", "min_priority=--5"])
def test_what_is_no_number_cannot_be_silenced(shop_once: Shop, pair: str) -> None:
    said = shop_once.refuse(2, "silence", "add", "--match", pair, *SILENCE)
    assert f"--match '{pair}': not a whole number. Write it in digits." in said


def test_silencing_a_thread_that_became_part_of_another_means_that_one(tmp_path: Path) -> None:
    made = Shop(tmp_path)
    made.deliver(buyer_mail(ago(hours=3)), ago(hours=3))
    made.deliver(buyer_mail(ago(hours=2), order=THIRD, alias=THIRD_ALIAS), ago(hours=2))
    made.say("once")
    with contextlib.closing(sqlite3.connect(tmp_path / "replyby.db")) as database, database:
        database.execute("UPDATE thread SET merged_into = 1 WHERE id = 2")
    made.say("silence", "add", "--match", "thread=2", *SILENCE)
    assert made.json("silence", "list")["silences"][0]["match"] == ["thread=1"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("match", "x", "1", "--by", "Ana"), "'COPY': 'x': not a whole number. `replyby review` shows the numbers."),
        (
            ("review", "--done", "x", "--by", "A"),
            "'--done': 'x': not a whole number. `replyby review` shows the numbers.",
        ),
        (
            ("silence", "expire", "9" * 20),
            f"'ID': {'9' * 20}: no such number. `replyby silence list` shows the numbers.",
        ),
        (("silence", "expire", "x"), "'ID': 'x': not a whole number. `replyby silence list` shows the numbers."),
        (("demo", "--port", "abc"), "'--port': 'abc': not a whole number. Write it in digits."),
    ],
    ids=lambda value: value[0] if isinstance(value, tuple) else None,
)
def test_what_to_write_is_said_where_a_number_is_wanted(shop_once: Shop, arguments: tuple[str, ...], said: str) -> None:
    assert f"Invalid value for {said}\n" in shop_once.refuse(2, *arguments)


def test_a_configuration_that_the_running_worker_does_not_know_is_told(tmp_path: Path) -> None:
    made = Shop(tmp_path)
    path = tmp_path / "config.toml"
    path.write_text(path.read_text().replace("[worker]\n", '[worker]\nmetrics_listen = "127.0.0.1:0"\n'))

    def told() -> list[dict[str, str]]:
        findings = json.loads(made.call("doctor", "--json").stdout)["findings"]
        return [one for one in findings if "config.toml was changed" in one["text"]]

    worker = subprocess.Popen(
        [sys.executable, "-m", "monitor", "run"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    with worker:
        assert worker.stderr is not None
        try:
            assert any("Listening on" in line for line in worker.stderr)
            assert told() == []
            path.touch()
            (one,) = told()
            assert one["advice"] == "Restart the worker: systemctl restart replyby, or stop it and run: replyby run."
        finally:
            worker.terminate()
    assert told() == [], "the next start reads it"
