"""The one instant a clock may start from."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.parse.dates import AHEAD_AT_MOST, NOWHERE, parse_date, received_at

SERVER = datetime(2026, 11, 20, 4, 10, 15, tzinfo=UTC)
INSTANT = datetime(2026, 11, 20, 4, 10, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("date", "instant"),
    [
        ("Fri, 20 Nov 2026 04:10:12 +0000", INSTANT),
        ("Fri, 20 Nov 2026 04:10:12 GMT", INSTANT),
        ("20 Nov 2026 04:10:12 UT", INSTANT),
        ("Thu, 19 Nov 2026 20:10:12 -0800 (PST)", INSTANT),
        ("Fri, 20 Nov 2026 09:40:12 +0530", INSTANT),
        ("Fri, 20 Nov 26 04:10:12 +0000", INSTANT),
        ("Fri, 20 Nov 2026 04:10 +0000", INSTANT.replace(second=0)),
        ("Fri, 20 Nov 2026 04:10:60 +0000", INSTANT.replace(second=59)),
        ("Fri, 20 Nov 2026 04:10:12 -0000", None),
        ("Fri, 20 Nov 2026 04:10:12", None),
        ("Fri, 31 Feb 2026 04:10:12 +0000", None),
        ("Fri, 20 Nov 2026 04:10:12 +9900", None),
        ("0 Jan 0000 00:00:00 +0000", None),
        ("yesterday", None),
        ("x" * 500, None),
        ("", None),
    ],
)
def test_dates_without_an_offset_or_sense_are_none(date: str, instant: datetime | None) -> None:
    assert parse_date(date) == instant


@pytest.mark.parametrize(
    ("date", "instant", "problem"),
    [
        ("Fri, 20 Nov 2026 04:10:12 +0000", INSTANT, ""),
        ("Tue, 20 Oct 2026 04:10:12 +0000", datetime(2026, 10, 20, 4, 10, 12, tzinfo=UTC), ""),
        ("Fri, 20 Nov 2026 04:15:15 +0000", SERVER + AHEAD_AT_MOST, ""),
        ("Fri, 20 Nov 2026 04:15:16 +0000", SERVER, "Date lies after the server's own"),
        ("Fri, 20 Nov 2026 04:10:12", SERVER, "Date unreadable"),
        ("", SERVER, "Date missing"),
        ("Thu, 01 Jan 1970 00:00:00 +0000", SERVER, "Date in 1970"),
        ("Mon, 01 Jan 1900 00:00:00 +0000", SERVER, "Date in 1900"),
        ("Fri, 31 Dec 2004 23:59:59 +0000", SERVER, "Date in 2004"),
        ("Sat, 01 Jan 2005 00:00:00 +0000", datetime(2005, 1, 1, tzinfo=UTC), ""),
        ("Thu, 20 Nov 2070 04:10:12 +0000", SERVER, "Date in 2070"),
    ],
)
def test_date_is_bounded_by_the_servers_own(date: str, instant: datetime, problem: str) -> None:
    assert received_at(date, internaldate=SERVER) == (instant, problem)


def test_without_the_servers_instant_the_newest_received_header_helps() -> None:
    received = [
        "by mx; Fri, 20 Nov 2026 04:10:15 +0000",
        "by a; Fri, 20 Nov 2026 04:10:13 +0000",
        "by b; nonsense",
        "by c; 1 Jan 1970 00:00:00 +0000",
    ]
    assert received_at("", internaldate=None, received=received) == (SERVER, "Date missing")
    assert received_at("Fri, 20 Nov 2026 04:10:12 +0000", internaldate=None, received=received) == (INSTANT, "")
    assert received_at("", internaldate=None) == (NOWHERE, "Date missing")


def test_naive_internaldate_is_our_mistake() -> None:
    with pytest.raises(ValueError, match="aware"):
        received_at("", internaldate=datetime(2026, 1, 1))


@given(
    st.datetimes(min_value=datetime(1900, 1, 1), max_value=datetime(2099, 1, 1)),
    st.datetimes(min_value=datetime(2006, 1, 1), max_value=datetime(2050, 1, 1)),
    st.integers(-14 * 60, 14 * 60),
)
def test_a_clock_never_starts_after_the_server_saw_the_mail(sent: datetime, seen: datetime, offset: int) -> None:
    zone = timezone(timedelta(minutes=offset))
    date = sent.replace(tzinfo=zone, microsecond=0).strftime("%a, %d %b %Y %H:%M:%S %z")
    internaldate = seen.replace(tzinfo=UTC)
    instant, _ = received_at(date, internaldate=internaldate)
    assert instant <= internaldate + AHEAD_AT_MOST
    assert instant.utcoffset() == timedelta(0)
    assert instant.year >= 2005
