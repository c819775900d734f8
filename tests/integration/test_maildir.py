"""The Maildir source on a real file system: what a delivery agent and a mail reader do to it meanwhile."""

import os
import threading
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from monitor.config.model import MailboxConfig
from monitor.core.messages import Where
from monitor.errors import MailboxError
from monitor.sources.base import WantsMail
from monitor.sources.maildir import MaildirSource
from monitor.sources.maildir_index import SLACK, MaildirIndex
from tests.fakes import wants_everything
from tests.support.imap_boxes import NOW, Reader, make_mail

NUMBERS = count(1)


def make_maildir(path: Path) -> Path:
    """Make an empty Maildir."""
    for part in ("tmp", "new", "cur"):
        (path / part).mkdir(parents=True)
    return path


def deliver(folder: Path, content: bytes, age: timedelta = timedelta(0), name: str = "") -> Path:
    """Deliver a mail as an agent does: into tmp, then by a rename."""
    name = name or f"{next(NUMBERS):06d}.host"
    draft = folder / "tmp" / name
    draft.write_bytes(content)
    os.utime(draft, ((NOW - age).timestamp(),) * 2)
    return draft.rename(folder / "new" / name)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return make_maildir(tmp_path / "Maildir")


def make_reader(root: Path, wants: WantsMail = wants_everything, **changes: Any) -> Reader:
    mailbox = MailboxConfig(name="support", type="maildir", accounts=("acme",), path=root, **changes)
    return Reader(MaildirSource(mailbox, wants, root.parent / "state"))


def snapshot(root: Path) -> dict[str, tuple[int, int, bytes]]:
    """Return everything that a change to a Maildir would change."""
    return {
        str(file): (file.stat().st_mtime_ns, file.stat().st_mode, file.read_bytes() if file.is_file() else b"")
        for file in root.rglob("*")
    }


def test_a_mail_that_is_seen_and_flagged_by_somebody_is_not_read_twice(root: Path) -> None:
    reader = make_reader(root)
    file = deliver(root, make_mail("one"))
    reader.read()
    seen = file.rename(root / "cur" / f"{file.name}:2,S")
    reader.read()
    seen.rename(root / "cur" / f"{file.name}:2,RS")
    reader.read()
    assert reader.subjects() == ["one"]


def test_reading_changes_nothing_in_the_maildir(root: Path) -> None:
    for number in range(3):
        deliver(root, make_mail(f"mail {number}"))
    before = snapshot(root)
    reader = make_reader(root)
    reader.read()
    reader.source.probe()
    reader.source.wait_for_change(threading.Event(), 0.01)
    assert snapshot(root) == before


def test_a_mail_that_moves_while_it_is_read_is_found_again(root: Path) -> None:
    files = [deliver(root, make_mail(f"mail {number}")) for number in range(3)]

    def move_last(headers: bytes, where: Where) -> bool:
        if files[2].exists():
            files[2].rename(root / "cur" / f"{files[2].name}:2,S")
        return True

    reader = make_reader(root, move_last)
    reader.read()
    assert reader.subjects() == ["mail 0", "mail 1", "mail 2"]
    assert reader.read() == []


def test_mails_that_are_all_moved_while_they_are_read_take_no_listing_each(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = [deliver(root, make_mail(f"mail {number}")) for number in range(200)]
    listed: list[Path] = []
    usual = Path.iterdir

    def listing(path: Path) -> Any:
        listed.append(path)
        return usual(path)

    def move_all(headers: bytes, where: Where) -> bool:
        if files:
            for file in files:
                file.rename(root / "cur" / f"{file.name}:2,S")
            files.clear()
            monkeypatch.setattr(Path, "iterdir", listing)
        return True

    reader = make_reader(root, move_all)
    reader.read()
    assert sorted(reader.subjects()) == sorted(f"mail {number}" for number in range(200))
    assert len(listed) < 20


@pytest.mark.parametrize("call", ["stat", "open"])
def test_a_mail_that_moves_again_each_time_it_is_found_is_still_read(
    root: Path, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    file = deliver(root, make_mail("restless"))
    flags = iter(["", "S", "RS"])  # opened by a mail program, seen, answered
    system_call = getattr(Path, call)

    def rename_first(path: Path, *args: Any, **options: Any) -> Any:
        # lstat is a stat too: it only sorts what was listed.
        if path.name.startswith(file.name) and options.get("follow_symlinks", True):
            flag = next(flags, None)
            if flag is not None:
                path.rename(root / "cur" / f"{file.name}:2,{flag}")
        return system_call(path, *args, **options)

    reader = make_reader(root)
    monkeypatch.setattr(Path, call, rename_first)
    reader.read()
    assert next(flags, None) is None
    assert reader.subjects() == ["restless"]
    assert not reader.unreadable


def test_a_mail_that_never_stays_is_kept_for_a_look(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = deliver(root, make_mail("restless"))
    deliver(root, make_mail("sound"))
    flags = count(1)
    open_file = Path.open

    def rename_first(path: Path, *args: Any, **options: Any) -> Any:
        if path.name.startswith(file.name):
            path.rename(root / "cur" / f"{file.name}:2,{next(flags)}")
        return open_file(path, *args, **options)

    reader = make_reader(root)
    monkeypatch.setattr(Path, "open", rename_first)
    reader.read()
    assert reader.subjects() == ["sound"]
    assert list(reader.unreadable.values()) == ["its file cannot be read (it moves whenever it is found)"]


def test_a_maildir_that_vanishes_while_it_is_read_loses_no_mail(root: Path) -> None:
    for number in range(3):
        deliver(root, make_mail(f"mail {number}"))
    away = root.with_name("away")

    def take_away(headers: bytes, where: Where) -> bool:
        if not away.exists():
            root.rename(away)
        return True

    reader = make_reader(root, take_away)
    with pytest.raises(MailboxError):
        reader.read()
    away.rename(root)
    away.mkdir()
    reader.read()
    assert reader.subjects() == ["mail 0", "mail 1", "mail 2"]


def test_a_mail_removed_while_it_is_read_stops_no_other(root: Path) -> None:
    files = [deliver(root, make_mail(f"mail {number}")) for number in range(3)]

    def remove_second(headers: bytes, where: Where) -> bool:
        files[1].unlink(missing_ok=True)
        return True

    reader = make_reader(root, remove_second)
    reader.read()
    assert reader.subjects() == ["mail 0", "mail 2"]
    assert not reader.unreadable


def test_a_lost_numbering_means_reading_again_and_missing_nothing(root: Path) -> None:
    deliver(root, make_mail("one"))
    reader = make_reader(root)
    reader.read()
    for file in (root.parent / "state").iterdir():
        file.unlink()
    deliver(root, make_mail("two"))
    again = make_reader(root)
    again.cursors = reader.cursors
    again.read()
    assert again.subjects() == ["one", "two"]


def test_a_numbering_cut_by_a_power_failure_misses_nothing(root: Path) -> None:
    for number in range(3):
        deliver(root, make_mail(f"mail {number}"))
    reader = make_reader(root)
    reader.read()
    [index] = (root.parent / "state").glob("maildir-*.index")
    # The cursor was stored, the last lines of the numbering were not; one is torn.
    index.write_text(index.read_text()[:-25])
    deliver(root, make_mail("later"))
    again = make_reader(root)
    again.cursors = reader.cursors
    again.read()
    assert "later" in again.subjects()
    assert set(again.subjects()) <= {"mail 1", "mail 2", "later"}
    third = make_reader(root)
    third.cursors = again.cursors
    assert third.read() == []


def test_a_kill_between_two_batches_repeats_and_loses_nothing(root: Path) -> None:
    for number in range(1100):
        deliver(root, make_mail(f"mail {number}"), timedelta(seconds=2000 - number))
    reader = make_reader(root)
    batches = reader.read()
    assert [len(batch.mails) for batch in batches] == [500, 500, 100]
    restarted = make_reader(root)
    restarted.cursors = {"INBOX": batches[0].cursor}
    restarted.read()
    assert restarted.subjects() == [f"mail {number}" for number in range(500, 1100)]


def test_the_numbering_does_not_keep_what_is_gone(tmp_path: Path) -> None:
    index = MaildirIndex(tmp_path / "state" / "x.index")
    digests = [f"{number:016x}" for number in range(SLACK + 500)]
    index.assign(digests, above=0)
    index.forget_all_but(digests[:5])
    reloaded = MaildirIndex(tmp_path / "state" / "x.index")
    assert reloaded.uidvalidity == index.uidvalidity
    assert [reloaded.uid_of(digest) for digest in digests[:6]] == [1, 2, 3, 4, 5, None]
    reloaded.assign(["f" * 16], above=0)
    # Numbers never come again, or an old cursor would hide a new mail.
    assert reloaded.uid_of("f" * 16) == SLACK + 501


def test_a_large_mail_comes_without_its_attachment(root: Path) -> None:
    photo = b"QUJD" * 19 + b"\n"
    content = (
        b"From: <a1@marketplace.amazon.fr>\nSubject: photo\nContent-Type: multipart/mixed; boundary=b\n\n"
        b"--b\n\nthe words\n--b\nContent-Type: image/jpeg\n\n" + photo * 30_000 + b"--b--\n"
    )
    deliver(root, content)
    reader = make_reader(root)
    reader.read()
    [mail] = reader.batches[0].mails
    assert b"the words" in mail.content
    assert len(mail.content) < 500


def test_what_is_no_mail_is_passed_over_and_what_cannot_be_read_is_reported(root: Path) -> None:
    deliver(root, make_mail("sound"))
    (root / "new" / "directory").mkdir()
    os.mkfifo(root / "new" / "pipe")
    (root / "cur" / "loop").symlink_to("loop")
    (root / "cur" / "dangling").symlink_to("nowhere")
    deliver(root, b"", name="empty")
    os.utime(deliver(root, make_mail("from the far future")), (4e9 * 50, 4e9 * 50))
    reader = make_reader(root)
    reader.read()
    assert [subject for subject in reader.subjects() if subject] == ["sound", "from the far future"]
    assert len(reader.unreadable) == 1
    assert reader.read() == []


def test_names_with_any_byte_are_read(root: Path) -> None:
    deliver(root, make_mail("odd"), name=os.fsdecode(b"1.\xff\xfe\n,S=3"))
    reader = make_reader(root)
    reader.read()
    assert reader.subjects() == ["odd"]
    assert reader.read() == []


def test_subfolders_are_read_by_name_and_role(root: Path) -> None:
    deliver(make_maildir(root / ".Archive.Amazon"), make_mail("filed"))
    deliver(make_maildir(root / ".&AMk-l&AOk-ments envoy&AOk-s"), make_mail("reply"))
    deliver(make_maildir(root / ".Spam"), make_mail("lost"))
    deliver(root, make_mail("in the inbox"))
    reader = make_reader(root, folders=("Archive.Amazon",))
    reader.read()
    assert [(batch.folder, batch.where) for batch in reader.batches] == [
        ("Archive.Amazon", Where.INBOX),
        ("Éléments envoyés", Where.SENT),
        ("Spam", Where.JUNK),
    ]


def test_sent_and_junk_may_lie_elsewhere(root: Path, tmp_path: Path) -> None:
    sent, junk = make_maildir(tmp_path / "out"), make_maildir(tmp_path / "spam")
    deliver(sent, make_mail("reply"))
    deliver(junk, make_mail("lost"))
    reader = make_reader(root, sent_path=sent, junk_path=junk)
    reader.read()
    assert [(batch.where, len(batch.mails)) for batch in reader.batches] == [
        (Where.INBOX, 0),
        (Where.SENT, 1),
        (Where.JUNK, 1),
    ]


def test_a_missing_sent_path_is_told_after_the_rest_was_read(root: Path, tmp_path: Path) -> None:
    deliver(root, make_mail("received"))
    reader = make_reader(root, sent_path=tmp_path / "gone")
    with pytest.raises(MailboxError, match="sent_path") as caught:
        reader.read()
    assert caught.value.reason == "folder"
    assert str(caught.value).startswith(f"{tmp_path / 'gone'}: ")
    assert reader.subjects() == ["received"]


def test_a_path_that_is_no_maildir_is_told(tmp_path: Path) -> None:
    with pytest.raises(MailboxError, match="no new and cur in it"):
        make_reader(tmp_path).read()


def test_a_state_directory_that_cannot_be_written_is_told(root: Path) -> None:
    (root.parent / "state").write_text("in the way")
    with pytest.raises(MailboxError, match="Make the directory writable"):
        make_reader(root).read()


def test_a_maildir_that_vanishes_while_it_is_watched_is_an_error(root: Path) -> None:
    reader = make_reader(root)
    reader.read()
    root.rename(root.with_name("moved"))
    with pytest.raises(MailboxError):
        reader.source.wait_for_change(threading.Event(), 5)
