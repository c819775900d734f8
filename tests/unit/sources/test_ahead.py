"""Reading the next batch while the last one is in use."""

import threading
from collections.abc import Iterator
from contextlib import closing

import pytest

from monitor.core.messages import Where
from monitor.errors import MailboxError
from monitor.sources.ahead import MANY, read_ahead
from monitor.sources.base import Batch, Cursor


def batch(uid: int, mails: int = MANY) -> Batch:
    return Batch(folder="INBOX", where=Where.INBOX, cursor=Cursor(1, uid), mails=(), unrelated=mails)


class Source:
    """Batches that say in which thread they were read, and which one is being read."""

    def __init__(self, batches: list[Batch | MailboxError]) -> None:
        self.begun = [threading.Event() for _ in range(len(batches) + 1)]
        self.threads: list[str] = []
        self.closed = False
        self._batches = batches

    def read(self) -> Iterator[Batch]:
        try:
            for number, one in enumerate(self._batches):
                self.threads.append(threading.current_thread().name)
                self.begun[number].set()
                if isinstance(one, MailboxError):
                    raise one
                yield one
            self.begun[-1].set()
        finally:
            self.closed = True


def test_batches_come_in_order_and_the_next_is_read_while_one_is_in_use() -> None:
    source = Source([batch(1), batch(2), batch(3)])
    uids = []
    for number, one in enumerate(read_ahead(source.read())):
        assert source.begun[number + 1].wait(5), f"batch {number + 2} not read while {number + 1} is in use"
        uids.append(one.cursor.last_uid)
    assert uids == [1, 2, 3]


def test_an_everyday_poll_starts_no_thread() -> None:
    source = Source([batch(1, MANY - 1), batch(2)])
    assert [one.cursor.last_uid for one in read_ahead(source.read())] == [1, 2]
    assert set(source.threads) == {threading.current_thread().name}
    assert list(read_ahead(iter(()))) == []


def test_an_error_comes_where_its_batch_would_have_come() -> None:
    source = Source([batch(1), batch(2), MailboxError("mail.example: cut.", "unreachable")])
    seen = []
    with pytest.raises(MailboxError, match="cut"):
        for one in read_ahead(source.read()):
            seen.append(one.cursor.last_uid)
    assert seen == [1, 2]


def test_who_leaves_early_leaves_no_thread_and_nothing_half_read() -> None:
    source = Source([batch(1), batch(2), batch(3)])
    with closing(read_ahead(source.read())) as batches:
        next(batches)
    assert len(source.threads) <= 2
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("reading ahead")]
