"""The performance report, in every shape that it may have."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.spapi.performance_report import parse_number, parse_performance_report
from monitor.spapi.xml import MAX_DEPTH
from tests.support.spapi_server import render_report, values_of


def late(*items: dict[str, object], **changes: object) -> dict[int, float | None]:
    """Return the late ratio by days."""
    report = parse_performance_report(render_report(*items, **changes))  # type: ignore[arg-type]
    return {one.window_days: one.late_ratio for one in report.figures}


@pytest.mark.parametrize(
    ("under", "over", "unanswered", "ratio"),
    [
        pytest.param(90, 4, 6, 0.1, id="counts"),
        pytest.param("1,240", "4", "6", 10 / 1250, id="counts with thousands"),
        pytest.param("95.3", "3.1", "1.6", 0.047, id="percentages"),
        pytest.param("95.3 %", "3.1%", "1.6%", 0.047, id="with the sign"),
        pytest.param("95,3 %", "3,1 %", "1,6 %", 0.047, id="with a comma"),
        pytest.param("0.953", "0.031", "0.016", 0.047, id="shares"),
        pytest.param("0,953", "0,031", "0,016", 0.047, id="shares with a comma"),
        pytest.param(0, 0, 0, None, id="nothing judged"),
        pytest.param(10, 0, 0, 0.0, id="all in time"),
        pytest.param(0, 0, 2, 1.0, id="none in time"),
        pytest.param("", 1, 1, None, id="the answered ones missing"),
        pytest.param("n/a", "-", "-", None, id="words"),
        pytest.param(-5, 1, 1, None, id="less than nothing"),
        pytest.param("NaN", "inf", 1, None, id="no numbers"),
        pytest.param("<count>18</count><rate>90 %</rate>", "<count>2</count>", "<rate>0</rate>", 0.1, id="wrapped"),
    ],
)
def test_values_are_read_in_any_unit(under: object, over: object, unanswered: object, ratio: float | None) -> None:
    found = late(values_of(under, over, unanswered))[30]
    assert found == (None if ratio is None else pytest.approx(ratio, abs=1e-9))


def test_several_items_are_told_apart_by_their_time_frame() -> None:
    items = [
        values_of(9, 1, 0, days=7),
        values_of(90, 4, 6),
        values_of(70, 20, 10, days=90),
        values_of(1, 1, 1, days=365),
    ]
    assert late(*items) == {7: 0.1, 30: 0.1, 90: 0.3}


def test_one_item_is_enough() -> None:
    report = parse_performance_report(render_report(values_of(90, 4, 6, hours="3,5"), status="Fair"))
    assert report.has_block
    assert report.status == "Fair"
    (figure,) = report.figures
    assert figure.average_seconds == 3.5 * 3600
    assert figure.to_json(report.status) == '{"over_24h": 4.0, "status": "Fair", "unanswered": 6.0, "under_24h": 90.0}'


@pytest.mark.parametrize(("hours", "days"), [(7 * 24 - 1, 7), (8 * 24, 7), (29 * 24, 30), (31 * 24, 30), (92 * 24, 90)])
def test_a_window_is_found_whether_its_last_day_counts_or_not(hours: int, days: int) -> None:
    start = datetime(2026, 11, 22, tzinfo=UTC) - timedelta(hours=hours)
    text = render_report(values_of(9, 1, 0)).decode()
    old = (datetime(2026, 11, 22, tzinfo=UTC) - timedelta(days=30)).isoformat()
    assert old in text
    report = parse_performance_report(text.replace(old, start.isoformat()).encode())
    assert [one.window_days for one in report.figures] == [days]


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(render_report(block=False), id="no block"),
        pytest.param(render_report(), id="an empty block"),
        pytest.param(b"<sellerPerformanceReports/>", id="nothing at all"),
    ],
)
def test_a_report_without_the_block_is_no_error(content: bytes) -> None:
    report = parse_performance_report(content)
    assert not report.has_block
    assert report.figures == ()


def test_a_block_without_a_time_frame_that_we_know_has_no_figure() -> None:
    report = parse_performance_report(render_report(values_of(9, 1, 0, days=45)))
    assert report.has_block
    assert report.figures == ()
    broken = render_report(values_of(9, 1, 0)).replace(b"2026-", b"long-")
    assert parse_performance_report(broken).figures == ()


def test_of_two_items_for_a_window_the_later_one_counts() -> None:
    earlier = (
        render_report(values_of(1, 1, 0))
        .decode()
        .replace("2026-11-22", "2026-11-21")
        .replace("2026-10-23", "2026-10-22")
    )
    item = earlier[earlier.index("<responseTimeMetrics>") : earlier.index("</buyerSellerContact")]
    both = (
        render_report(values_of(9, 1, 0))
        .decode()
        .replace("<buyerSellerContactResponseTimeMetrics>", f"<buyerSellerContactResponseTimeMetrics>{item}")
    )
    assert parse_performance_report(both.encode()).figures[0].late_ratio == 0.1


def test_of_several_marketplaces_the_one_that_was_asked_for_counts() -> None:
    french = render_report(values_of(9, 1, 0), marketplace_id="A13V1IB3VIYZZH").decode()
    german = render_report(values_of(1, 1, 0), marketplace_id="A1PA6795UKMFR9").decode()
    one = german[german.index("<sellerPerformanceReport>") : german.index("</sellerPerformanceReports>")]
    both = french.replace("</sellerPerformanceReports>", f"{one}</sellerPerformanceReports>").encode()
    assert parse_performance_report(both, "A1PA6795UKMFR9").figures[0].late_ratio == 0.5
    assert parse_performance_report(both, "A13V1IB3VIYZZH").figures[0].late_ratio == 0.1
    assert parse_performance_report(both, "APJ6JRA9NG5V4").has_block is False


@pytest.mark.parametrize(
    "encode",
    [
        pytest.param(lambda text: text.encode("utf-8-sig"), id="with a mark"),
        pytest.param(lambda text: text.encode("utf-16"), id="UTF-16"),
        pytest.param(lambda text: text.replace("UTF-8", "ISO-8859-1").encode("latin-1"), id="Latin 1"),
        pytest.param(lambda text: text.replace("UTF-8", "windows-31j").encode("latin-1"), id="a name nobody knows"),
        pytest.param(lambda text: "\n" + text, id="a line too many"),
    ],
)
def test_a_name_in_another_encoding_spoils_no_figure(encode: object) -> None:
    made = encode(render_report(values_of(90, 4, 6)).decode())  # type: ignore[operator]
    content = made if isinstance(made, bytes) else made.encode()
    assert parse_performance_report(content).figures[0].late_ratio == 0.1


BOMB = (
    b'<!DOCTYPE a [<!ENTITY b "'
    + b"x" * 1000
    + b'"><!ENTITY c "'
    + b"&b;" * 1000
    + b'">]><a>'
    + b"&c;" * 1000
    + b"</a>"
)


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"<Error><Code>AccessDenied", id="cut off"),
        pytest.param(b"\x1f\x8b packed", id="packed"),
        pytest.param(b'{"accountStatuses": []}', id="the JSON of version 2"),
        pytest.param(BOMB, id="a bomb of entities"),
        pytest.param(b'<!DOCTYPE a SYSTEM "file:///etc/passwd"><a>&x;</a>', id="a file of ours"),
        pytest.param(b"<a>" * (MAX_DEPTH + 5) + b"</a>" * (MAX_DEPTH + 5), id="too deep"),
    ],
)
def test_what_is_no_report_raises(content: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_performance_report(content)


def test_a_long_text_is_read_in_linear_time_and_cut() -> None:
    content = b"<a><b>" + b"x" * 3_000_000 + b"</b>" + b"<c/>" * 50_000 + b"</a>"
    assert parse_performance_report(content).figures == ()


@given(st.binary(max_size=400) | st.text(max_size=400).map(lambda text: f"<a>{text}</a>".encode("utf-8", "replace")))
def test_whatever_comes_is_read_or_refused(content: bytes) -> None:
    try:
        report = parse_performance_report(content)
    except ValueError:
        return
    assert report.figures == ()


COUNTS = st.integers(0, 100_000)


@given(COUNTS, COUNTS, COUNTS)
def test_counts_and_their_percentages_give_the_same_ratio(under: int, over: int, unanswered: int) -> None:
    total = under + over + unanswered
    counted = late(values_of(under, over, unanswered))[30]
    if not total:
        assert counted is None
        return
    shares = [f"{100 * one / total:.6f}".replace(".", ",") + " %" for one in (under, over, unanswered)]
    assert late(values_of(shares[0], shares[1], shares[2]))[30] == pytest.approx(counted, abs=1e-6)
    assert counted == pytest.approx((over + unanswered) / total)


@given(st.text(max_size=40))
def test_a_number_is_never_negative_and_never_odd(text: str) -> None:
    for counts in (False, True):
        value = parse_number(text, counts=counts)
        assert value is None or 0 <= value < 1e31


@given(st.floats(0, 1e6).map(lambda value: round(value, 2)))
def test_a_number_survives_each_way_of_writing_it(value: float) -> None:
    plain = f"{value:.2f}"
    english = f"{value:,.2f}"
    for text in (plain, english, english.translate(str.maketrans(",.", ".,")), f"{english.replace(',', ' ')} %"):
        assert parse_number(text, counts=True) == pytest.approx(value)
