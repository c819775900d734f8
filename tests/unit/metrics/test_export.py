"""What a scrape says of a snapshot."""

import math
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from monitor.core.messages import Kind
from monitor.core.snapshot import RESPONSE_EDGES_SECONDS, AmazonSnapshot, MailboxHealth, Snapshot, Tally
from monitor.metrics.catalogue import METRICS, MetricNames, counter_children
from monitor.metrics.export import PollDurations, build_registry
from tests.support.metrics_world import NAMES, make_market, make_snapshot

NOW = datetime(2026, 11, 21, 1, 38, tzinfo=UTC)
EMPTY = Snapshot(now=NOW, markets=(), tallies=(), mailboxes=())


def registry_of(snapshot: Snapshot, names: MetricNames = NAMES) -> CollectorRegistry:
    return build_registry(lambda: snapshot, names)


def value(registry: CollectorRegistry, name: str, **labels: str) -> float | None:
    return registry.get_sample_value(name, labels)


def test_a_worker_that_has_seen_nothing_exports_every_counter_at_zero() -> None:
    registry = registry_of(EMPTY)
    for metric in METRICS:
        if metric.type == "counter":
            children = counter_children(metric, NAMES)
            assert children
            for labels in children:
                assert value(registry, metric.name, **dict(zip(metric.labels, labels, strict=True))) == 0


def test_open_and_due_threads_exist_at_zero_for_every_marketplace_and_for_an_unknown_one() -> None:
    registry = registry_of(EMPTY)
    for marketplace in ("FR", "DE", "IT", "UK", "unknown"):
        for state in ("running", "at_risk", "breached"):
            key = {"account": "acme-eu", "marketplace": marketplace}
            assert value(registry, "replyby_threads_open", **key, state=state) == 0
        for within in ("1h", "2h", "4h", "8h", "12h", "24h"):
            assert value(registry, "replyby_threads_due", **key, within=within) == 0
        assert value(registry, "replyby_response_seconds_count", **key) == 0


@pytest.mark.parametrize(
    "name",
    [
        "replyby_next_deadline_timestamp_seconds",
        "replyby_next_deadline_acknowledged",
        "replyby_response_ratio",
        "replyby_late_response_ratio",
        "replyby_outbox_oldest_timestamp_seconds",
        "replyby_poll_last_success_timestamp_seconds",
        "replyby_evidence_last_seen_timestamp_seconds",
        "replyby_cycle_last_success_timestamp_seconds",
    ],
)
def test_what_is_undefined_has_no_sample(name: str) -> None:
    snapshot = replace(EMPTY, mailboxes=(MailboxHealth(mailbox="support", last_success_at=None),))
    text = generate_latest(registry_of(snapshot)).decode()
    assert f"# TYPE {name} gauge" in text
    assert not [line for line in text.splitlines() if line.startswith(name)]


def test_a_deadline_is_exported_as_an_instant_with_who_has_it() -> None:
    registry = registry_of(make_snapshot(NOW))
    key = {"account": "acme-eu", "marketplace": "FR"}
    deadline = NOW + timedelta(hours=1, minutes=32)
    assert value(registry, "replyby_next_deadline_timestamp_seconds", **key) == deadline.timestamp()
    assert value(registry, "replyby_next_deadline_acknowledged", **key) == 1
    assert value(registry, "replyby_next_deadline_acknowledged", account="acme-eu", marketplace="DE") == 0


def test_an_overdue_thread_counts_as_due_within_every_time() -> None:
    registry = registry_of(make_snapshot(NOW))
    for within in ("1h", "24h"):
        assert value(registry, "replyby_threads_due", account="acme-eu", marketplace="IT", within=within) == 1
    assert value(registry, "replyby_threads_open", account="acme-eu", marketplace="IT", state="breached") == 1


def test_a_ratio_with_nothing_to_judge_has_no_sample_beside_one_that_has() -> None:
    market = replace(make_market("acme-eu", "FR", NOW), response_ratio={7: None, 30: 0.5})
    registry = registry_of(replace(EMPTY, markets=(market,)))
    key = {"account": "acme-eu", "marketplace": "FR"}
    assert value(registry, "replyby_response_ratio", **key, window="7d") is None
    assert value(registry, "replyby_response_ratio", **key, window="30d") == 0.5


def test_the_histogram_has_an_exact_edge_at_24_hours_and_sums_its_buckets_up() -> None:
    registry = registry_of(make_snapshot(NOW))
    key = {"account": "acme-eu", "marketplace": "FR"}
    assert value(registry, "replyby_response_seconds_bucket", **key, le="86400.0") == 96
    assert value(registry, "replyby_response_seconds_bucket", **key, le="72000.0") == 70
    assert value(registry, "replyby_response_seconds_bucket", **key, le="+Inf") == 99
    assert value(registry, "replyby_response_seconds_count", **key) == 99
    assert value(registry, "replyby_response_seconds_sum", **key) == 1_150_000


def test_a_marketplace_nobody_foresaw_is_exported_too() -> None:
    snapshot = replace(
        EMPTY,
        markets=(make_market("acme-eu", "SE", NOW, timedelta(hours=3)),),
        tallies=(
            Tally(name="clocks", labels=("acme-eu", "SE", "met"), value=4),
            Tally(name="response_seconds_bucket", labels=("acme-eu", "SE", "300"), value=4),
        ),
    )
    registry = registry_of(snapshot)
    key = {"account": "acme-eu", "marketplace": "SE"}
    assert value(registry, "replyby_threads_open", **key, state="at_risk") == 1
    assert value(registry, "replyby_clocks_total", **key, outcome="met") == 4
    assert value(registry, "replyby_response_seconds_count", **key) == 4


def test_the_same_count_told_twice_adds_up() -> None:
    part = Tally(name="messages", labels=("acme-eu", "notice"), value=2)
    registry = registry_of(replace(EMPTY, tallies=(part, part)))
    assert value(registry, "replyby_messages_total", account="acme-eu", kind="notice") == 4


@pytest.mark.parametrize(
    ("tally", "says"),
    [
        (Tally(name="messages", labels=("acme-eu",), value=1), "replyby_messages_total: the store holds labels"),
        (
            Tally(name="response_seconds_bucket", labels=("a", "FR", "86000"), value=1),
            "up to 86000 s, which is no edge",
        ),
        (Tally(name="response_seconds_bucket", labels=("a", "86400"), value=1), "replyby_response_seconds: the store"),
    ],
    ids=["too few labels", "an edge that is none", "a bucket without its market"],
)
def test_a_count_that_fits_no_metric_fails_the_scrape_and_says_so(tally: Tally, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        generate_latest(registry_of(replace(EMPTY, tallies=(tally,))))


def test_the_snapshot_is_read_once_a_scrape_and_never_before() -> None:
    reads: list[int] = []

    def read() -> Snapshot:
        reads.append(1)
        return EMPTY

    registry = build_registry(read, NAMES)
    assert reads == []
    generate_latest(registry)
    assert len(reads) == 1


def test_every_exported_metric_stands_in_the_catalogue_with_its_type_and_labels() -> None:
    known = {metric.name.removesuffix("_total"): metric for metric in METRICS}
    exported = set()
    for family in text_string_to_metric_families(generate_latest(registry_of(make_snapshot(NOW))).decode()):
        if family.name.startswith("process_"):
            continue
        metric = known[family.name]
        exported.add(family.name)
        assert family.type == metric.type
        assert family.documentation == metric.help
        for sample in family.samples:
            assert set(sample.labels) - {"le"} == set(metric.labels), sample
    assert exported == set(known)


def test_no_series_tells_when_it_was_created() -> None:
    assert b"_created" not in generate_latest(registry_of(make_snapshot(NOW)))


def test_a_label_value_with_quotes_and_line_ends_survives_the_text_format() -> None:
    awkward = 'sup"port\\ \n2'
    names = replace(NAMES, mailboxes=(awkward,))
    text = generate_latest(registry_of(EMPTY, names)).decode()
    families = {family.name: family for family in text_string_to_metric_families(text)}
    assert {sample.labels["mailbox"] for sample in families["replyby_poll_failures"].samples} == {awkward}


def test_hours_of_the_week_begin_on_monday_at_midnight() -> None:
    registry = registry_of(make_snapshot(NOW))
    key = {"account": "acme-eu", "event": "received"}
    received = make_snapshot(NOW).week_hours[0].received
    assert value(registry, "replyby_week_hour_messages", **key, weekday="mon", hour="09") == received[9]
    assert value(registry, "replyby_week_hour_messages", **key, weekday="sun", hour="23") == received[167]


def test_poll_durations_are_cumulative_and_an_edge_belongs_to_its_bucket() -> None:
    polls = PollDurations(("support", "osaka"))
    for seconds in (0.1, 0.2, 2.5, 400.0):
        polls.observe("support", seconds)
    registry = build_registry(lambda: EMPTY, NAMES, polls)
    buckets = {
        le: value(registry, "replyby_poll_duration_seconds_bucket", mailbox="support", le=le)
        for le in ("0.1", "0.25", "2.5", "300.0", "+Inf")
    }
    assert buckets == {"0.1": 1, "0.25": 2, "2.5": 3, "300.0": 3, "+Inf": 4}
    assert value(registry, "replyby_poll_duration_seconds_sum", mailbox="support") == pytest.approx(402.8)
    assert value(registry, "replyby_poll_duration_seconds_count", mailbox="osaka") == 0


def test_every_kind_of_mail_is_counted_from_the_start() -> None:
    registry = registry_of(EMPTY)
    assert all(value(registry, "replyby_messages_total", account="acme-eu", kind=kind) == 0 for kind in Kind)


@given(
    st.dictionaries(
        st.sampled_from([str(edge) for edge in RESPONSE_EDGES_SECONDS] + ["+Inf"]), st.integers(0, 10_000), min_size=1
    )
)
def test_buckets_never_fall_and_end_at_the_count(counts: dict[str, int]) -> None:
    tallies = tuple(
        Tally(name="response_seconds_bucket", labels=("acme-eu", "FR", edge), value=count)
        for edge, count in counts.items()
    )
    registry = registry_of(replace(EMPTY, tallies=tallies))
    key = {"account": "acme-eu", "marketplace": "FR"}
    values = [
        value(registry, "replyby_response_seconds_bucket", **key, le="+Inf" if math.isinf(edge) else str(float(edge)))
        for edge in (*RESPONSE_EDGES_SECONDS, math.inf)
    ]
    known = [number for number in values if number is not None]
    assert known == sorted(known)
    assert known[-1] == sum(counts.values()) == value(registry, "replyby_response_seconds_count", **key)


def test_amazons_own_figures_stand_beside_ours_with_the_instant_of_the_newest() -> None:
    figure = AmazonSnapshot(account="acme-eu", marketplace="FR", window_days=30, read_at=NOW, late_ratio=0.059)
    older = replace(
        figure, window_days=7, read_at=NOW - timedelta(days=1), late_ratio=None, average_response_seconds=5.0
    )
    registry = registry_of(replace(EMPTY, amazon=(figure, older)))
    market = {"account": "acme-eu", "marketplace": "FR"}
    assert value(registry, "replyby_amazon_late_response_ratio", **market, window="30d") == 0.059
    assert value(registry, "replyby_amazon_late_response_ratio", **market, window="7d") is None
    assert value(registry, "replyby_amazon_average_response_seconds", **market, window="7d") == 5.0
    assert value(registry, "replyby_amazon_figure_timestamp_seconds", **market) == NOW.timestamp()
