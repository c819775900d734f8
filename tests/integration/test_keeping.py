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
from sqlalchemy import func, inspect, select, text

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
from tests.support.waiting import PATIENCE

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
KEY = b"k" * 32
PASSPHRASE = "four words or more"


@pytest.fixture
def world(tmp_path: Path) -> Iterator[SmallWorld]:
    with small_world(tmp_path, more='keep_text = "5d"') as made:
        yield made


@pytest.fixture
def any_world(tmp_path: Path, database: str) -> Iterator[SmallWorld]:
    """The same on each kind of database."""
    with small_world(tmp_path, database=database, more='keep_text = "5d"') as made:
        yield made


def run(folder: Path, *arguments: str, expect: int = 0, **environ: str) -> str:
    """Run a command as a person does, and return what it said."""
    done = subprocess.run(
        [sys.executable, "-m", "monitor", *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), "TEST_IMAP_PASSWORD": "secret-imap-password", **environ},
        capture_output=True,
        timeout=PATIENCE,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    assert done.returncode == expect, done.stdout.decode() + done.stderr.decode()
    return done.stdout.decode() + (done.stderr.decode() if expect else "")


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def everything_stored(world: SmallWorld, folder: Path) -> dict[str, bytes]:
    """Return all bytes that the database keeps: SQLite's files, or each table's rows as PostgreSQL writes them out."""
    engine = world.services.engine
    if engine.dialect.name == "sqlite":
        engine.dispose()
        return {path.name: path.read_bytes() for path in folder.glob("replyby.db*")}
    with reading(engine) as connection:
        names = inspect(connection).get_table_names()
        assert "message" in names
        rows = {name: connection.execute(text(f'SELECT t::text FROM "{name}" t')).scalars() for name in names}
        return {name: "\n".join(found).encode() for name, found in rows.items()}


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
    said = run(tmp_path, "backup", "--decrypt", str(sealed), str(opened), "--passphrase", place)
    for needed in ("stop the worker", "delete replyby.db-wal and replyby.db-shm", "state_directory"):
        assert needed in said
    assert (mode(opened), mode(opened.with_name("replyby.db.key"))) == (0o600, 0o600)

    opened.with_name("replyby.db.key").rename(opened.with_name("replyby.key"))
    config = (tmp_path / "config.toml").read_text()
    (opened.parent / "config.toml").write_text(config)
    threads = json.loads(run(opened.parent, "status", "--json"))["threads"]
    assert [one["order_id"] for one in threads] == [ORDER]


@pytest.mark.parametrize("end", ["-wal", "-shm"])
def test_a_backup_is_not_opened_beside_the_journals_of_another_database(tmp_path: Path, end: str) -> None:
    database, sealed, target = tmp_path / "old.db", tmp_path / "sealed", tmp_path / "replyby.db"
    with sqlite3.connect(database) as made:
        made.execute("CREATE TABLE t (x)")
    made.close()
    back_up(database, sealed, KEY, PASSPHRASE)
    target.with_name(target.name + end).write_bytes(b"left by a crash")
    with pytest.raises(StoreError, match=f"replyby.db{end}: belongs to another database .* delete it"):
        open_backup(sealed, target, PASSPHRASE)
    assert not target.exists()


def test_a_restore_as_the_readme_says_survives_a_crash(tmp_path: Path, world: SmallWorld) -> None:
    """A worker that was killed leaves its journal; replayed over the copy it would bring the later mail in, or worse."""
    world.buyer_writes()
    world.tick()
    run(tmp_path, "backup", str(tmp_path / "copy.db"))
    world.buyer_writes(order="402-7654321-7654321", alias="other1aaaaaaaaa@marketplace.amazon.fr")
    world.tick()
    crashed = tmp_path / "crashed"
    (crashed / "state").mkdir(parents=True)
    for name in ("replyby.db", "replyby.db-wal", "replyby.db-shm"):
        (crashed / name).write_bytes((tmp_path / name).read_bytes())
    config = (tmp_path / "config.toml").read_text()
    (crashed / "config.toml").write_text(config.replace("[worker]\n", '[worker]\nstate_directory = "state"\n'))

    restore = README[README.index("**To restore:**") : README.index("**To upgrade:**")]
    for step in ("`replyby.db-wal`", "`replyby.db-shm`", "as `replyby.key` into `state_directory`"):
        assert step in restore
    (crashed / "replyby.db-wal").unlink()
    (crashed / "replyby.db-shm").unlink()
    (crashed / "replyby.db").write_bytes((tmp_path / "copy.db").read_bytes())
    (crashed / "state" / "replyby.key").write_bytes((tmp_path / "copy.db.key").read_bytes())
    threads = json.loads(run(crashed, "status", "--json"))["threads"]
    assert [one["order_id"] for one in threads] == [ORDER]
    with sqlite3.connect(crashed / "replyby.db") as restored:
        assert restored.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    restored.close()


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
    tmp_path: Path, any_world: SmallWorld, name: str
) -> None:
    a_told_and_answered_buyer(any_world)
    any_world.clock.advance(days=10)  # into the next week
    week = week_of(any_world.clock() - timedelta(days=9), any_world.services.config.worker.time_zone)
    before = make_report(any_world.services, week)
    reports = any_world.services.config.worker.state_directory / "reports"
    record_report(render_report(before), reports)
    (reports / "replyby-2026-W01.csv").write_text(f"order_id\n{ORDER}\n")

    said = run(tmp_path, "forget", name, "--yes")
    assert "identifiers of 1 thread" in said
    assert 'mailbox "support": the mails themselves' in said
    assert f"files that `replyby report --out` wrote elsewhere than into {reports}" in said
    assert ("until its next VACUUM" in said) == (any_world.services.engine.dialect.name == "postgresql")

    about = [message["text"] for message in any_world.slack.all_messages()]
    assert not any(ORDER in str(one) for one in any_world.slack.all_messages()), about
    assert any("402-7654321-7654321" in str(one) for one in any_world.slack.all_messages())
    assert not any(ORDER in one.body for one in any_world.twilio.sent)
    assert (reports / "replyby-2026-W01.csv").read_text() == "order_id\n(erased)\n"
    for place, raw in everything_stored(any_world, tmp_path).items():
        for word in (ORDER, ALIAS, ALIAS.partition("@")[0], "Zoé Exemple"):
            assert word.encode() not in raw, f"{word} still in {place}"
    with reading(any_world.services.engine) as connection:
        assert connection.scalar(select(func.count()).select_from(thread)) == 2
        assert connection.scalar(select(func.count()).select_from(thread).where(thread.c.erased_at.is_(None))) == 1
    assert make_report(any_world.services, week).figures == before.figures
    assert any_world.metric("replyby_clocks_total", outcome="met") == 2


def test_a_forgotten_buyers_old_mail_read_again_changes_nothing(tmp_path: Path, any_world: SmallWorld) -> None:
    a_told_and_answered_buyer(any_world)
    run(tmp_path, "forget", ORDER, "--yes")
    any_world.mailbox.change_uidvalidity()
    any_world.pass_time(timedelta(minutes=3), timedelta(seconds=30))
    with reading(any_world.services.engine) as connection:
        assert ORDER not in connection.execute(select(thread.c.order_id)).scalars().all()
    assert any_world.metric("replyby_messages_total", kind="buyer_message") == 2
    assert any_world.metric("replyby_threads_open") == 0


def test_who_still_waits_is_not_forgotten(tmp_path: Path, any_world: SmallWorld) -> None:
    any_world.buyer_writes()
    any_world.tick()
    said = run(tmp_path, "forget", ORDER, "--yes", expect=1)
    assert "still waits for a reply (thread 1)" in said
    assert "nothing was erased" in said
    unknown = run(tmp_path, "forget", "999-0000000-0000000", "--yes", expect=1)
    assert "no thread of this buyer" in unknown


def test_without_yes_and_without_a_terminal_nothing_is_erased(tmp_path: Path, any_world: SmallWorld) -> None:
    a_told_and_answered_buyer(any_world)
    assert "Say --yes" in run(tmp_path, "forget", ORDER, expect=1)
    assert any(ORDER in str(one) for one in any_world.slack.all_messages())


def test_what_slack_refuses_to_delete_is_named_with_its_place(tmp_path: Path, any_world: SmallWorld) -> None:
    a_told_and_answered_buyer(any_world)
    any_world.slack.faults.fail_next("chat.delete", "error", error="missing_scope", times=9)
    any_world.twilio.faults.fail_next("messages.update", "server_error", times=9)
    remains = json.loads(run(tmp_path, "forget", ORDER, "--yes", "--json"))["remains"]
    assert any("Message" in line and "C0123" in line for line in remains), remains
    assert any(any_world.twilio.sent[0].sid in line for line in remains), remains


# Forgetting in time --------------------------------------------------------------------------------------------------------


def test_words_and_identifiers_go_in_their_time_and_figures_stay(any_world: SmallWorld) -> None:
    a_told_and_answered_buyer(any_world)
    closed_at = any_world.clock()
    figures = {outcome: any_world.metric("replyby_clocks_total", outcome=outcome) for outcome in ("met", "late")}

    def kept() -> tuple[int, int]:
        with reading(any_world.services.engine) as connection:
            texts = connection.scalar(select(func.count()).select_from(message).where(message.c.text.is_not(None)))
            named = connection.scalar(select(func.count()).select_from(thread).where(thread.c.order_id.is_not(None)))
        return texts or 0, named or 0

    assert kept() == (2, 2)
    any_world.clock.set(closed_at + timedelta(days=4, hours=23))
    forget_in_time(any_world.services)
    assert kept() == (2, 2)
    any_world.clock.set(closed_at + timedelta(days=5, seconds=1))
    assert forget_in_time(any_world.services).texts == 2
    assert kept() == (0, 2)
    any_world.clock.set(closed_at + timedelta(days=29, hours=23))
    forget_in_time(any_world.services)
    assert kept() == (0, 2)
    any_world.clock.set(closed_at + timedelta(days=30, seconds=1))
    assert forget_in_time(any_world.services).threads == 2
    assert kept() == (0, 0)
    with reading(any_world.services.engine) as connection:
        contents = connection.execute(select(notification.c.content)).scalars().all()
    assert contents
    assert set(contents) == {"{}"}
    assert forget_in_time(any_world.services).threads == 0
    assert {o: any_world.metric("replyby_clocks_total", outcome=o) for o in ("met", "late")} == figures
    assert any_world.logged("forgotten in time", threads=2)


def test_a_thread_that_a_later_mail_filled_again_is_erased_again(any_world: SmallWorld) -> None:
    a_told_and_answered_buyer(any_world)
    any_world.clock.advance(days=31)
    assert forget_in_time(any_world.services).threads == 2
    any_world.buyer_writes()
    any_world.pass_time(timedelta(minutes=2), timedelta(seconds=30))
    any_world.seller_replies()
    any_world.pass_time(timedelta(minutes=2), timedelta(seconds=30))
    with reading(any_world.services.engine) as connection:
        assert connection.execute(select(thread.c.order_id)).scalars().all().count(ORDER) == 1
    any_world.clock.advance(days=31)
    assert forget_in_time(any_world.services).threads == 1
    with reading(any_world.services.engine) as connection:
        assert set(connection.execute(select(thread.c.order_id)).scalars()) == {None}


def test_an_open_thread_is_never_forgotten(any_world: SmallWorld) -> None:
    any_world.buyer_writes()
    any_world.tick()
    any_world.clock.advance(days=400)
    forget_in_time(any_world.services)
    with reading(any_world.services.engine) as connection:
        assert connection.execute(select(thread.c.order_id)).scalars().all() == [ORDER]


def test_rows_that_nobody_reads_again_are_deleted(any_world: SmallWorld) -> None:
    now = any_world.clock()
    with writing(any_world.services.engine) as connection:
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
    forget_in_time(any_world.services)
    with reading(any_world.services.engine) as connection:
        assert connection.execute(select(answer_event.c.event_id)).scalars().all() == ["young"]
        assert connection.execute(select(silence.c.comment)).scalars().all() == ["young"]
        assert connection.execute(select(bad_mail.c.uid)).scalars().all() == [89]
        marks = set(connection.execute(select(mark.c.name)).scalars())
    assert "gap:primary:1" not in marks
    assert {"gap:primary:2", "opted_out:Ana", "first_started"} <= marks


def test_reasons_that_people_wrote_go_with_the_identifiers(any_world: SmallWorld, tmp_path: Path) -> None:
    a_told_and_answered_buyer(any_world)
    with writing(any_world.services.engine) as connection:
        connection.execute(
            decision.insert().values(
                kind="waived", thread_id=1, by="Ana", at=any_world.clock(), made_at=any_world.clock(), source="shell",
                reason="Zoé Exemple only said thanks",
            )
        )  # fmt: skip
    any_world.clock.advance(days=31)
    forget_in_time(any_world.services)
    with reading(any_world.services.engine) as connection:
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
