"""What mail servers' reports and opt-out notices name, and what they do not."""

from datetime import UTC, datetime, timedelta

import pytest

from monitor.core.threads import resolve_threads
from monitor.parse.reports import find_date
from tests.builders import T0, bounce, question, reply
from tests.corpus.check import recognise
from tests.corpus.write import read_corpus

RECEIVED = datetime(2026, 11, 20, 15, 5, tzinfo=UTC)
DAY = datetime(2026, 11, 20, tzinfo=UTC)
SEVEN = DAY.replace(hour=7)


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("20/11/2026", DAY),
        ("20 novembre 2026 alle 07:00", DAY),
        ("November 20, 2026 7:00 AM", DAY),
        ("November 20, 2026 7:00 AM PST", DAY),
        ("20.11.2026 07:00 GMT+1", DAY),
        ("20.11.2026 07:00 UTC -8", DAY),
        ("20.11.2026 25:00 UTC", DAY),
        ("20.11.2026 07:00 UTC", SEVEN),
        ("20.11.2026, 07:00:00 (GMT)", SEVEN),
        ("November 20, 2026 at 7:00 AM UTC", SEVEN),
        ("2026-11-20T07:00:00Z", SEVEN),
        ("no date, or 31.02.2026", None),
    ],
)
def test_time_of_day_counts_only_in_utc(text: str, instant: datetime | None) -> None:
    assert find_date(text, RECEIVED, month_first=True) == instant


def test_reply_that_an_opt_out_notice_refuses_by_its_day_is_no_answer() -> None:
    notice = next(recognise(case) for case in read_corpus() if case.name == "008-es-opt-out-False")
    hours = (notice.received_at - T0) / timedelta(hours=1)
    facts = [question(hours - 50), reply(hours - 49), question(hours - 6), reply(hours - 5)]
    resolution = resolve_threads([*facts, bounce(hours, refused_at=notice.refused_at)])
    assert resolution.undone == {facts[-1].id}
