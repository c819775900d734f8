"""What is kept and how it is given away: backups, forgetting one buyer, forgetting in time."""

import json
import os
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select

from alerts.tables import answer_event, notification
from monitor.core.weeks import week_of
from monitor.errors import StoreError
from monitor.jobs.housekeeping import forget_in_time
from monitor.jobs.reporting import make_report
from monitor.report.publish import record_report, render_report
from monitor.store.backup import PART_BYTES, back_up, open_backup
from monitor.store.engine import open_engine, reading, writing
from monitor.store.schema import bad_mail, decision, mark, message, silence, thread
from tests.support.mails import ALIAS, ORDER
from tests.support.small_world import SmallWorld, small_world

ROOT = Path(__file__).parents[2]
KEY = b"k" * 32
PASSPHRASE = "four words or more"


@pytest.fixture
def world(tmp_path: Path) -> Iterator[SmallWorld]:
    with small_world(tmp_path, more='keep_text = "5d"') as made:
        yield made


def run(folder: Path, *arguments: str, expect: int = 0, **environ: str) -> str:
    """Run a command as a person does, and return what it said."""
    done = subprocess.run(
        [sys.executable, "-m", "monitor", *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), "TEST_IMAP_PASSWORD": "secret-imap-password", **environ},
        capture_output=True,
        timeout=60,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    assert done.returncode == expect, done.stdout.decode() + done.stderr.decode()
    return done.stdout.decode() + (done.stderr.decode() if expect else "")


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def a_told_and_answered_buyer(world: SmallWorld) -> None:
    world.buyer_writes(words="my name is Zoé Exemple, where is it?")
    world.buyer_writes(order="402-7654321-7654321", alias="other1aaaaaaaaa@marketplace.amazon.fr")
    world.pass_time(timedelta(hours=22, minutes=30), timedelta(minutes=10))
    assert len(world.slack.messages()) == 2
    assert len(world.twilio.sent) == 1
    world.seller_replies()
    world.seller_replies(order="402-7654321-7654321", alias="other1aaaaaaaaa@marketplace.amazon.fr")
    world.pass_time(timedelta(minutes=5), timedelta(seconds=30))
    assert world.metric("replyby_threads_open") == 0


# Backup ------------------------------------------------------------------------------------------------------------------


def test_a_backup_beside_a_writing_worker_is_whole_private_and_opens(tmp_path: Path, world: SmallWorld) -> None:
    world.buyer_writes()
    world.tick()
    target = tmp_path / "copies" / "replyby.backup"
    old = os.umask(0)
    try:
        said = run(tmp_path, "backup", str(target))
    finally:
        os.umask(old)
    assert "not encrypted" in said
    key = target.with_name(target.name + ".key")
    assert (mode(target), mode(key)) == (0o600, 0o600)
    assert key.read_bytes() == (tmp_path / "replyby.key").read_bytes()
    assert sorted(path.name for path in target.parent.iterdir()) == ["replyby.backup", "replyby.backup.key"]
    with sqlite3.connect(target) as copy:
        assert copy.execute("SELECT count(*) FROM message").fetchone() == (1,)
        assert copy.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    copy.close()


def test_an_encrypted_backup_needs_its_passphrase_and_restores_the_worker(tmp_path: Path, world: SmallWorld) -> None:
    world.buyer_writes()
    world.tick()
    sealed = tmp_path / "sealed.backup"
    run(tmp_path, "backup", str(sealed), "--encrypt", REPLYBY_BACKUP_PASSPHRASE=PASSPHRASE)
    raw = sealed.read_bytes()
    assert mode(sealed) == 0o600
    assert b"SQLite format 3" not in raw
    assert ORDER.encode() not in raw

    opened = tmp_path / "restored" / "replyby.db"
    opened.parent.mkdir()
    (tmp_path / "passphrase").write_text(PASSPHRASE + "\n")
    place = f"file:{tmp_path / 'passphrase'}"
    wrong = run(
        tmp_path,
        "backup",
        "--decrypt",
        str(sealed),
        str(opened),
        expect=1,
        REPLYBY_BACKUP_PASSPHRASE="a wrong passphrase",
    )
    assert "the passphrase is wrong" in wrong
    assert list(opened.parent.iterdir()) == []
    run(tmp_path, "backup", "--decrypt", str(sealed), str(opened), "--passphrase", place)
    assert (mode(opened), mode(opened.with_name("replyby.db.key"))) == (0o600, 0o600)

    opened.with_name("replyby.db.key").rename(opened.with_name("replyby.key"))
    config = (tmp_path / "config.toml").read_text()
    (opened.parent / "config.toml").write_text(config)
    threads = json.loads(run(opened.parent, "status", "--json"))["threads"]
    assert [one["order_id"] for one in threads] == [ORDER]


@pytest.mark.parametrize("size", [0, 1, PART_BYTES - 33, PART_BYTES - 32, PART_BYTES, 2 * PART_BYTES + 7])
def test_what_is_sealed_opens_to_the_same_bytes(tmp_path: Path, size: int) -> None:
    import io

    from monitor.store.backup import _opened, _seal

    content = os.urandom(size)
    sealed = io.BytesIO()
    _seal(io.BytesIO(content), sealed, KEY, PASSPHRASE)
    opened = b"".join(_opened(tmp_path, io.BytesIO(sealed.getvalue()), PASSPHRASE))
    assert opened == KEY + content


@pytest.mark.parametrize("harm", ["flip", "cut", "swap", "header"])
def test_a_changed_backup_is_refused_and_nothing_is_written(tmp_path: Path, harm: str) -> None:
    database = tmp_path / "big.db"
    with sqlite3.connect(database) as made:
        made.execute("CREATE TABLE t (x BLOB)")
        made.execute("INSERT INTO t VALUES (randomblob(3000000))")
    made.close()
    sealed = tmp_path / "sealed"
    back_up(database, sealed, KEY, PASSPHRASE)
    raw = bytearray(sealed.read_bytes())
    head, part = 17 + 16 + 7, PART_BYTES + 16
    if harm == "flip":
        raw[-100] ^= 1
    elif harm == "cut":
        raw = raw[: head + 2 * part]
    elif harm == "swap":
        raw[head : head + part], raw[head + part : head + 2 * part] = (
            raw[head + part : head + 2 * part],
            raw[head : head + part],
        )
    else:
        raw[20] ^= 1
    sealed.write_bytes(raw)
    with pytest.raises(StoreError, match="cannot be decrypted"):
        open_backup(sealed, tmp_path / "out.db", PASSPHRASE)
    assert not (tmp_path / "out.db").exists()
    assert not (tmp_path / "out.db.key").exists()


def test_a_passphrase_is_never_an_argument(tmp_path: Path, world: SmallWorld) -> None:
    said = run(tmp_path, "backup", str(tmp_path / "x"), "--encrypt", "--passphrase", "hunter2 hunter2", expect=2)
    assert "hunter2" not in said
    assert "env:NAME" in said


def test_a_damaged_database_gives_no_backup(tmp_path: Path, world: SmallWorld) -> None:
    world.worker.dispatcher.stop(1)
    world.services.engine.dispose()
    path = tmp_path / "replyby.db"
    raw = bytearray(path.read_bytes())
    raw[4096 * 3 : 4096 * 9] = os.urandom(4096 * 6)
    path.write_bytes(raw)
    said = run(tmp_path, "backup", str(tmp_path / "copy"), expect=1)
    assert said.count("\n") == 1
    assert not (tmp_path / "copy").exists()


# Forgetting one buyer ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name", [ORDER, ALIAS, ALIAS.replace("@", "+case9@").upper()], ids=["order", "alias", "suffix"]
)
def test_forgetting_a_buyer_erases_them_everywhere_and_figures_survive(
    tmp_path: Path, world: SmallWorld, name: str
) -> None:
    a_told_and_answered_buyer(world)
    world.clock.advance(days=10)  # into the next week
    week = week_of(world.clock() - timedelta(days=9), world.services.config.worker.time_zone)
    before = make_report(world.services, week)
    record_report(render_report(before), tmp_path / "reports")
    (tmp_path / "reports" / "replyby-2026-W01.csv").write_text(f"order_id\n{ORDER}\n")

    said = run(tmp_path, "forget", name, "--yes")
    assert "identifiers of 1 thread" in said
    assert 'mailbox "support": the mails themselves' in said

    about = [message["text"] for message in world.slack.all_messages()]
    assert not any(ORDER in str(one) for one in world.slack.all_messages()), about
    assert any("402-7654321-7654321" in str(one) for one in world.slack.all_messages())
    assert not any(ORDER in one.body for one in world.twilio.sent)
    assert (tmp_path / "reports" / "replyby-2026-W01.csv").read_text() == "order_id\n(erased)\n"
    world.services.engine.dispose()
    for path in tmp_path.glob("replyby.db*"):
        raw = path.read_bytes()
        for word in (ORDER, ALIAS, ALIAS.partition("@")[0], "Zoé Exemple"):
            assert word.encode() not in raw, f"{word} still in {path.name}"
    with reading(world.services.engine) as connection:
        assert connection.scalar(select(func.count()).select_from(thread)) == 2
        assert connection.scalar(select(func.count()).select_from(thread).where(thread.c.erased_at.is_(None))) == 1
    assert make_report(world.services, week).figures == before.figures
    assert world.metric("replyby_clocks_total", outcome="met") == 2


def test_a_forgotten_buyers_old_mail_read_again_changes_nothing(tmp_path: Path, world: SmallWorld) -> None:
    a_told_and_answered_buyer(world)
    run(tmp_path, "forget", ORDER, "--yes")
    world.mailbox.change_uidvalidity()
    world.pass_time(timedelta(minutes=3), timedelta(seconds=30))
    with reading(world.services.engine) as connection:
        assert ORDER not in connection.execute(select(thread.c.order_id)).scalars().all()
    assert world.metric("replyby_messages_total", kind="buyer_message") == 2
    assert world.metric("replyby_threads_open") == 0


def test_who_still_waits_is_not_forgotten(tmp_path: Path, world: SmallWorld) -> None:
    world.buyer_writes()
    world.tick()
    said = run(tmp_path, "forget", ORDER, "--yes", expect=1)
    assert "still waits for a reply (thread 1)" in said
    assert "nothing was erased" in said
    unknown = run(tmp_path, "forget", "999-0000000-0000000", "--yes", expect=1)
    assert "no thread of this buyer" in unknown


def test_without_yes_and_without_a_terminal_nothing_is_erased(tmp_path: Path, world: SmallWorld) -> None:
    a_told_and_answered_buyer(world)
    assert "Say --yes" in run(tmp_path, "forget", ORDER, expect=1)
    assert any(ORDER in str(one) for one in world.slack.all_messages())


def test_what_slack_refuses_to_delete_is_named_with_its_place(tmp_path: Path, world: SmallWorld) -> None:
    a_told_and_answered_buyer(world)
    world.slack.faults.fail_next("chat.delete", "error", error="missing_scope", times=9)
    world.twilio.faults.fail_next("messages.update", "server_error", times=9)
    remains = json.loads(run(tmp_path, "forget", ORDER, "--yes", "--json"))["remains"]
    assert any("Message" in line and "C0123" in line for line in remains), remains
    assert any(world.twilio.sent[0].sid in line for line in remains), remains


# Forgetting in time --------------------------------------------------------------------------------------------------------


def test_words_and_identifiers_go_in_their_time_and_figures_stay(world: SmallWorld) -> None:
    a_told_and_answered_buyer(world)
    closed_at = world.clock()
    figures = {outcome: world.metric("replyby_clocks_total", outcome=outcome) for outcome in ("met", "late")}

    def kept() -> tuple[int, int]:
        with reading(world.services.engine) as connection:
            texts = connection.scalar(select(func.count()).select_from(message).where(message.c.text.is_not(None)))
            named = connection.scalar(select(func.count()).select_from(thread).where(thread.c.order_id.is_not(None)))
        return texts or 0, named or 0

    assert kept() == (2, 2)
    world.clock.set(closed_at + timedelta(days=4, hours=23))
    forget_in_time(world.services)
    assert kept() == (2, 2)
    world.clock.set(closed_at + timedelta(days=5, seconds=1))
    assert forget_in_time(world.services).texts == 2
    assert kept() == (0, 2)
    world.clock.set(closed_at + timedelta(days=29, hours=23))
    forget_in_time(world.services)
    assert kept() == (0, 2)
    world.clock.set(closed_at + timedelta(days=30, seconds=1))
    assert forget_in_time(world.services).threads == 2
    assert kept() == (0, 0)
    with reading(world.services.engine) as connection:
        contents = connection.execute(select(notification.c.content)).scalars().all()
    assert contents
    assert set(contents) == {"{}"}
    assert forget_in_time(world.services).threads == 0
    assert {o: world.metric("replyby_clocks_total", outcome=o) for o in ("met", "late")} == figures
    assert world.logged("forgotten in time", threads=2)


def test_a_thread_that_a_later_mail_filled_again_is_erased_again(world: SmallWorld) -> None:
    a_told_and_answered_buyer(world)
    world.clock.advance(days=31)
    assert forget_in_time(world.services).threads == 2
    world.buyer_writes()
    world.pass_time(timedelta(minutes=2), timedelta(seconds=30))
    world.seller_replies()
    world.pass_time(timedelta(minutes=2), timedelta(seconds=30))
    with reading(world.services.engine) as connection:
        assert connection.execute(select(thread.c.order_id)).scalars().all().count(ORDER) == 1
    world.clock.advance(days=31)
    assert forget_in_time(world.services).threads == 1
    with reading(world.services.engine) as connection:
        assert set(connection.execute(select(thread.c.order_id)).scalars()) == {None}


def test_an_open_thread_is_never_forgotten(world: SmallWorld) -> None:
    world.buyer_writes()
    world.tick()
    world.clock.advance(days=400)
    forget_in_time(world.services)
    with reading(world.services.engine) as connection:
        assert connection.execute(select(thread.c.order_id)).scalars().all() == [ORDER]


def test_rows_that_nobody_reads_again_are_deleted(world: SmallWorld) -> None:
    now = world.clock()
    with writing(world.services.engine) as connection:
        for age, name in ((timedelta(days=31), "old"), (timedelta(days=29), "young")):
            connection.execute(answer_event.insert().values(event_id=name, at=now - age))
            connection.execute(
                silence.insert().values(
                    matcher="{}", author="Ana", comment=name, starts_at=now - age, ends_at=now - age
                )
            )
        for days in (91, 89):
            connection.execute(
                bad_mail.insert().values(
                    mailbox="support", folder="INBOX", uid=days, seen_at=now - timedelta(days=days), problem="x"
                )
            )
        for name, days in (("gap:primary:1", 401), ("gap:primary:2", 1), ("opted_out:Ana", 900)):
            connection.execute(mark.insert().values(name=name, at=now - timedelta(days=days)))
    forget_in_time(world.services)
    with reading(world.services.engine) as connection:
        assert connection.execute(select(answer_event.c.event_id)).scalars().all() == ["young"]
        assert connection.execute(select(silence.c.comment)).scalars().all() == ["young"]
        assert connection.execute(select(bad_mail.c.uid)).scalars().all() == [89]
        marks = set(connection.execute(select(mark.c.name)).scalars())
    assert "gap:primary:1" not in marks
    assert {"gap:primary:2", "opted_out:Ana", "first_started"} <= marks


def test_reasons_that_people_wrote_go_with_the_identifiers(world: SmallWorld, tmp_path: Path) -> None:
    a_told_and_answered_buyer(world)
    with writing(world.services.engine) as connection:
        connection.execute(
            decision.insert().values(
                kind="waived", thread_id=1, by="Ana", at=world.clock(), made_at=world.clock(), source="shell",
                reason="Zoé Exemple only said thanks",
            )
        )  # fmt: skip
    world.clock.advance(days=31)
    forget_in_time(world.services)
    with reading(world.services.engine) as connection:
        assert connection.execute(select(decision.c.reason)).scalars().all() == [None]


def test_a_backup_of_an_older_schema_is_not_upgraded_first(tmp_path: Path, world: SmallWorld) -> None:
    world.services.engine.dispose()
    engine = open_engine(f"sqlite:///{tmp_path / 'replyby.db'}")
    with writing(engine) as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '0000'")
    engine.dispose()
    run(tmp_path, "backup", str(tmp_path / "before-upgrade"))
    with sqlite3.connect(tmp_path / "before-upgrade") as copy:
        assert copy.execute("SELECT version_num FROM alembic_version").fetchone() == ("0000",)
    copy.close()
