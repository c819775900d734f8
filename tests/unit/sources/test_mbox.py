"""An mbox file taken apart, as programs really write them."""

import io
import random
import tracemalloc
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.core.messages import Where
from monitor.errors import MailboxError
from monitor.sources import mbox_file
from monitor.sources.base import Batch, Cursor
from monitor.sources.mbox import MboxSource, received_at, role_of
from monitor.sources.mbox_file import MboxFile, NotMbox, Postmark, parse_postmark

POSTMARK = b"From MAILER-DAEMON Sat Nov 21 04:10:12 2026\n"
AT = datetime(2026, 11, 21, 4, 10, 12, tzinfo=UTC)
EVER = datetime(1970, 1, 1, tzinfo=UTC)


def mails(content: bytes, offset: int = 0) -> list[bytes]:
    return [mail.read() for mail in MboxFile(io.BytesIO(content), offset).mails()]


def mail(words: bytes = b"words", **headers: str) -> bytes:
    lines = "".join(f"{name.replace('_', '-')}: {value}\n" for name, value in {"Subject": "s", **headers}.items())
    return lines.encode() + b"\n" + words + b"\n"


def write(path: Path, *contents: bytes, postmark: bytes = POSTMARK) -> Path:
    path.write_bytes(b"".join(postmark + content + b"\n" for content in contents))
    return path


def read(path: Path, cursors: dict[str, Cursor] | None = None, role: Where = Where.INBOX) -> list[Batch]:
    source = MboxSource("import", path, lambda headers, where: b"amazon" in headers, role)
    return list(source.fetch_new(cursors or {}, EVER))


def cursors_of(batches: list[Batch]) -> dict[str, Cursor]:
    return {batch.folder: batch.cursor for batch in batches}


@pytest.mark.parametrize(
    ("line", "at", "zoned"),
    [
        (b"From a@b.example Sat Nov 21 04:10:12 2026\n", AT, False),
        (b"From 1812345678901234567@xxx Sat Nov 21 04:10:12 +0000 2026\r\n", AT, True),
        (b"From 1812345678901234567@xxx Sat Nov 21 05:10:12 +0100 2026\n", AT, True),
        (b"From - Sat Nov  7 04:10:12 2026\n", AT - timedelta(days=14), False),
        (b"From a Sat Nov 21 04:10 2026\n", AT - timedelta(seconds=12), False),
        (b"From a Sat Nov 21 04:10:12 CET 2026\n", AT, False),
        (b"From a Sat Nov 21 02:10:12 2026 -0200\n", AT, True),
        (b"From a Sat, 21 Nov 2026 05:10:12 +0100\n", AT, True),
        (b"From here on it is yours\n", None, False),
        (b"From a Sat Nov 31 04:10:12 2026\n", None, False),
        (b"From a Sat Foo 21 04:10:12 2026\n", None, False),
    ],
)
def test_a_postmark_says_when(line: bytes, at: datetime | None, zoned: bool) -> None:
    assert parse_postmark(line) == Postmark(at, zoned)


def test_quoted_lines_are_unquoted_by_one_mark_and_only_they() -> None:
    body = b">From the sea\n>>From twice\n> From a friend\nFrom the start\n>Fromage\n"
    assert mails(POSTMARK + b"Subject: s\n\n" + body) == [
        b"Subject: s\n\nFrom the sea\n>From twice\n> From a friend\nFrom the start\n>Fromage\n"
    ]


def test_a_line_that_begins_with_from_is_no_postmark_without_a_date_and_a_header_behind_it() -> None:
    body = b"a\n\nFrom here on\nNote: no date\n\nFrom Ana Sat Nov 21 04:10:12 2026\nshe wrote nothing\n\nFrom \nno header\n"
    assert mails(POSTMARK + mail(body)) == [mail(body)]


@pytest.mark.parametrize("ending", [b"\n", b"\r\n"], ids=["unix", "dos"])
def test_the_blank_line_before_a_postmark_belongs_to_no_mail(ending: bytes) -> None:
    one = (b"Subject: one", b"", b"words", b"")
    content = b"".join(line + ending for line in (POSTMARK.strip(), *one, POSTMARK.strip(), *one))
    whole = b"".join(line + ending for line in one)
    assert mails(content) == [whole.removesuffix(ending), whole]


def test_thunderbird_leaves_out_date_and_blank_line() -> None:
    assert mails(b"From \r\nSubject: 1\r\n\r\na\r\nFrom - \r\nX-Mozilla-Status: 0001\r\n\r\nb\r\n") == [
        b"Subject: 1\r\n\r\na\r\n",
        b"X-Mozilla-Status: 0001\r\n\r\nb\r\n",
    ]


def test_leading_blanks_an_empty_file_and_a_file_that_is_none() -> None:
    assert mails(b"\xef\xbb\xbf\n\n" + POSTMARK + mail()) == [mail()]
    assert mails(b"") == mails(b"\n\n") == []
    for content in (b"Subject: one mail\n\nwords\n", b"\x00\x01PK", b"From nowhere\n\nwords"):
        with pytest.raises(NotMbox):
            mails(content)


@given(
    st.lists(
        st.lists(
            st.sampled_from([b"From x", b">From y", b"words", b"", b"a: b", b"From \r", POSTMARK.strip()]), max_size=8
        )
    ),
    st.integers(1, 64),
)
def test_what_was_quoted_by_the_rule_comes_back_whatever_the_size_of_a_chunk(
    bodies: list[list[bytes]], size: int
) -> None:
    def quoted(line: bytes) -> bytes:
        return b">" + line if line.lstrip(b">").startswith(b"From ") else line

    written = [[b"Subject: s", b"", *lines, b"."] for lines in bodies]
    content = b"".join(POSTMARK + b"".join(quoted(line) + b"\n" for line in lines) + b"\n" for lines in written)
    before = mbox_file.CHUNK_BYTES
    mbox_file.CHUNK_BYTES = size
    try:
        found = mails(content)
    finally:
        mbox_file.CHUNK_BYTES = before
    assert found[:-1] == [b"".join(line + b"\n" for line in lines) for lines in written[:-1]]
    assert len(found) == len(bodies)


@given(st.binary(max_size=4000))
def test_nothing_breaks_it(content: bytes) -> None:
    assert b"".join(mails(POSTMARK + content)).count(b"\x00") <= content.count(b"\x00")


def test_a_large_mail_is_read_without_its_attachment_and_no_large_file_is_held_in_memory(tmp_path: Path) -> None:
    rng = random.Random(3)
    attachment = b"".join(rng.randbytes(57).hex().encode()[:76] + b"\n" for _ in range(400_000))
    head = b'Subject: amazon\nContent-Type: multipart/mixed; boundary="xx"\n\n--xx\nContent-Type: text/plain\n\nthe words\n'
    large = head + b"--xx\nContent-Type: image/png\n\n" + attachment + b"--xx--\n"
    path = write(tmp_path / "large.mbox", large, mail(Subject="amazon two"))
    size = len(large)
    del large, attachment
    tracemalloc.start()
    batches = read(path)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    contents = [one.content for batch in batches for one in batch.mails]
    assert b"the words" in contents[0] and len(contents[0]) < 1000
    assert contents[1] == mail(Subject="amazon two") + b"\n" or contents[1] == mail(Subject="amazon two")
    assert size > 29_000_000
    assert peak < 8_000_000


def test_only_what_is_wanted_is_handed_over_with_its_place_in_the_file(tmp_path: Path) -> None:
    path = write(tmp_path / "all.mbox", mail(), mail(Subject="amazon"), mail())
    (batch,) = read(path)
    assert (len(batch.mails), batch.unrelated, batch.done, batch.total) == (
        1,
        2,
        path.stat().st_size,
        path.stat().st_size,
    )
    assert path.read_bytes()[batch.mails[0].uid :].startswith(POSTMARK + b"Subject: amazon")


def test_a_second_reading_goes_on_where_the_first_ended_and_a_changed_file_is_read_anew(tmp_path: Path) -> None:
    path = write(tmp_path / "all.mbox", *(mail(Subject=f"amazon {number}") for number in range(3)))
    first = read(path)
    assert [len(batch.mails) for batch in first] == [3]
    assert [len(batch.mails) for batch in read(path, cursors_of(first))] == [0]
    with path.open("ab") as file:
        file.write(POSTMARK + mail(Subject="amazon 4"))
    (grown,) = read(path, cursors_of(first))
    assert [one.content for one in grown.mails] == [mail(Subject="amazon 4")]
    content = path.read_bytes().replace(b"amazon 2", b"amazon X")
    path.write_bytes(content)
    assert [len(batch.mails) for batch in read(path, cursors_of(first))] == [4]


def test_a_file_that_ended_in_the_middle_of_a_mail_is_read_from_the_beginning(tmp_path: Path) -> None:
    whole = write(
        tmp_path / "all.mbox", *(mail(b"words " * 9, Subject=f"amazon {number}") for number in range(3))
    ).read_bytes()
    path = tmp_path / "all.mbox"
    path.write_bytes(whole[:-20])
    first = read(path)
    path.write_bytes(whole)
    assert [len(batch.mails) for batch in read(path, cursors_of(first))] == [3]


def test_a_cursor_is_stored_every_few_hundred_mails_and_each_is_a_place_to_go_on(tmp_path: Path) -> None:
    path = write(tmp_path / "all.mbox", *(mail(Subject=f"amazon {number}") for number in range(1200)))
    batches = read(path)
    assert [len(batch.mails) for batch in batches] == [500, 500, 200]
    rest = read(path, {batches[0].folder: batches[0].cursor})
    assert [one.content for batch in rest for one in batch.mails] == [
        one.content for batch in batches[1:] for one in batch.mails
    ]


@pytest.mark.parametrize(
    ("labels", "where"),
    [
        ("Inbox,Important,Opened", Where.INBOX),
        ("Sent", Where.SENT),
        ("Archived,Sent,Opened", Where.SENT),
        ("Spam,Unread", Where.JUNK),
        ("Drafts", None),
        ("Trash", Where.INBOX),
        ("=?UTF-8?Q?Messages_envoy=C3=A9s,Ouvert?=", Where.SENT),
        ("=?UTF-8?Q?Bo=C3=AEte_de_r=C3=A9ception,\r\n =?UTF-8?Q?Ouvert?=", Where.INBOX),
        ("Gesendet,\r\n Archiviert", Where.SENT),
        ("=?UTF-8?B?6YCB5L+h5riI44G/?=", Where.SENT),
        ('"Sent",Clients', Where.SENT),
    ],
)
def test_gmails_labels_tell_where_a_mail_lay(labels: str, where: Where | None) -> None:
    assert role_of(f"X-GM-THRID: 1\r\nX-Gmail-Labels: {labels}\r\nSubject: s\r\n\r\n".encode(), Where.INBOX) is where


def test_without_labels_the_file_has_one_role_and_drafts_are_left_out(tmp_path: Path) -> None:
    path = write(tmp_path / "sent.mbox", mail(Subject="amazon"), mail(Subject="amazon", X_Gmail_Labels="Drafts"))
    (batch,) = read(path, role=Where.SENT)
    assert [one.where for one in batch.mails] == [Where.SENT]


def test_the_instant_of_arrival_is_the_best_that_is_known() -> None:
    unzoned, zoned = Postmark(AT, False), Postmark(AT, True)
    modified_at = AT + timedelta(days=100)
    hop = "Received: by mx.acme.example; Sat, 21 Nov 2026 05:00:00 +0100\nReceived: from x; Sat, 21 Nov 2026 01:00:00 +0000\n"
    sent = "Date: Sat, 21 Nov 2026 02:00:00 +0000\n"
    at_four, at_two = datetime(2026, 11, 21, 4, tzinfo=UTC), datetime(2026, 11, 21, 2, tzinfo=UTC)
    assert received_at((hop + sent).encode(), zoned, modified_at) == AT
    assert received_at((hop + sent).encode(), unzoned, modified_at) == at_four
    assert received_at(sent.encode(), unzoned, modified_at) == at_two
    assert received_at(b"Date: Mon, 01 Jan 1900 00:00:00 +0000\n", unzoned, modified_at) == AT
    assert received_at(b"Date: yesterday\n", Postmark(None, False), modified_at) == modified_at


def test_what_cannot_be_read_is_told_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "one.eml").write_bytes(mail())
    with pytest.raises(MailboxError, match=r"one\.eml: not an mbox"):
        read(tmp_path / "one.eml")
    with pytest.raises(MailboxError, match="No such file"):
        read(tmp_path / "none.mbox")
    with pytest.raises(MailboxError, match="not an mbox"):
        MboxSource("import", tmp_path / "one.eml", lambda headers, where: True).probe()


def test_a_look_finds_whose_verdicts_and_which_senders_are_in_it(tmp_path: Path) -> None:
    verdict = {"Authentication_Results": "mx.google.com; dmarc=pass"}
    own = {"X_Gmail_Labels": "Sent", "From": "Support <support@acme.example>"}
    path = write(tmp_path / "all.mbox", mail(b"1", **verdict), mail(b"2", **verdict), mail(b"3", **own))
    facts = MboxSource("import", path, lambda headers, where: True).probe()
    assert facts.authserv_ids == (("mx.google.com", 1.0),)
    assert facts.sent_from == ("support@acme.example",)
