"""What stands on a line while a long reading goes on."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.cli.progress import Progress, Reading, render_bar, render_reading
from monitor.core.messages import Where
from monitor.sources.base import Batch, Cursor
from tests.fakes import MemoryMailbox

NOW = datetime(2026, 11, 20, tzinfo=UTC)


def reading(done: int, total: int, mails: int, seconds: float, folder: str = "INBOX") -> Reading:
    return Reading(mailbox="shop", folder=folder, done=done, total=total, mails=mails, seconds=seconds)


@pytest.mark.parametrize(
    ("one", "line"),
    [
        (reading(500, 12_340, 500, 0.5), "INBOX: 4 %, 500 mails, 1,000 a second"),
        (reading(6170, 12_340, 6170, 5.0), "INBOX: 50 %, 6,170 mails, 1,234 a second, 6 s left"),
        (reading(1000, 100_000, 1000, 10.0), "INBOX: 1 %, 1,000 mails, 100 a second, 16 min 31 s left"),
        (reading(12_340, 12_340, 12_340, 9.0), "INBOX: 100 %, 12,340 mails, 1,371 a second"),
        (reading(0, 0, 3, 0.0), "INBOX: 0 %, 3 mails"),
        (reading(3, 3, 3, 5e-324), "INBOX: 100 %, 3 mails, 3,000 a second"),
    ],
)
def test_a_line_says_how_far_how_fast_and_how_long_still(one: Reading, line: str) -> None:
    assert render_reading(one) == line


@given(
    st.integers(0, 10**6),
    st.integers(0, 10**6),
    st.integers(0, 10**6),
    st.floats(0, 10**5),
    st.text(),
    st.integers(40, 200),
)
def test_a_bar_never_breaks_its_line(
    done: int, total: int, mails: int, seconds: float, folder: str, width: int
) -> None:
    assert len(render_bar(reading(done, total, mails, seconds, folder), width)) < width


@pytest.mark.parametrize(
    ("width", "line"),
    [
        (100, "  all.mbox (inbox)  ━━━━━━━━━━━━╌╌╌╌╌╌╌╌╌╌╌╌  50 %, 6,170 mails, 1,234 a second, 6 s left"),
        (80, "  all.mbox (inbox)  ━━━━━━━╌╌╌╌╌╌╌  50 %, 6,170 mails, 1,234 a second, 6 s left"),
        (66, "  all.mbo…  ━━━━╌╌╌╌  50 %, 6,170 mails, 1,234 a second, 6 s left"),
    ],
)
def test_on_a_narrow_terminal_the_bar_gives_way_before_the_name(width: int, line: str) -> None:
    one = reading(6170, 12_340, 6170, 5.0, "all.mbox (inbox)")
    assert render_bar(one, width) == line


class Large(MemoryMailbox):
    """A mailbox that says how far it is."""

    def __init__(self, total: int) -> None:
        super().__init__()
        self.total = total

    def fetch_new(self, cursors: Mapping[str, Cursor], since: datetime) -> Iterator[Batch]:
        for done in range(500, self.total + 1, 500):
            yield Batch(
                folder="INBOX", where=Where.INBOX, cursor=Cursor(1, done), unrelated=500, done=done, total=self.total
            )


@pytest.mark.parametrize(("total", "told"), [(500, 0), (1500, 1)], ids=["short", "long"])
def test_in_a_pipe_a_long_reading_ends_with_a_line_and_a_short_one_says_nothing(total: int, told: int) -> None:
    said: list[Reading] = []
    batches = list(Progress(Large(total), said.append).fetch_new({}, NOW))
    assert [batch.done for batch in batches] == list(range(500, total + 1, 500))
    assert [(one.done, one.mails) for one in said] == [(total, total)] * told
