"""The lower half of the desk: whether people were told, whether mail is read, whether the worker is well."""

from grafana_foundation_sdk.models import common as common_model

from grafana.generator.panels import (
    Place,
    Query,
    Section,
    build_bars,
    build_columns,
    build_lines,
    build_stat,
    build_table,
    colours,
    colours_property,
    fixed_colour,
    no_data,
    set_property,
    transform,
    words,
)
from grafana.generator.queries import ACCOUNT, while_alive
from grafana.generator.thresholds import BLUE, BROWN, CYCLE_STALE_SECONDS, LIGHT, NEUTRAL, OUTBOX_OLD_SECONDS, RED


def sections() -> tuple[Section, ...]:
    """Return the sections, from what people see to what only the worker knows."""
    return alerts(), mail(), worker()


def alerts() -> Section:
    """Return who was told, and whether it arrived."""
    outcomes = build_columns(
        "NOTIFICATIONS BY OUTCOME",
        "Retried ones are tried again by themselves; failed ones are given up; reconciled ones were found at the provider.",
        [Query("sum by (outcome) (increase(replyby_notifications_total[$__interval]))", "{{outcome}}", "range")],
        "none",
    )
    outcomes = outcomes.interval("1h").min(0).decimals(0)
    for name, colour in (("sent", BLUE), ("retried", BROWN), ("failed", RED), ("cancelled", LIGHT)):
        outcomes = outcomes.override_by_name(name, fixed_colour(colour))
    receivers = build_bars(
        "BY RECEIVER",
        "Notifications sent in the chosen time.",
        [
            Query(
                'sort_desc(sum by (receiver, type) (increase(replyby_notifications_total{outcome="sent"}[$__range])))',
                "{{receiver}} · {{type}}",
            )
        ],
        "none",
    )
    outbox = build_stat(
        "OUTBOX",
        "Notifications due and not yet delivered, and how long the oldest has waited.",
        [
            Query("replyby_outbox_pending", "waiting"),
            Query(while_alive("time() - replyby_outbox_oldest_timestamp_seconds"), "oldest"),
        ],
        "none",
    )
    outbox = outbox.decimals(0).orientation(common_model.VizOrientation.HORIZONTAL).thresholds(colours(NEUTRAL))
    outbox = outbox.override_by_name(
        "oldest", [set_property("unit", "dthms"), colours_property(NEUTRAL, (OUTBOX_OLD_SECONDS, RED))]
    )
    answers = build_bars(
        "WHAT PEOPLE ANSWERED",
        "Buttons, SMS and commands; rejected: nobody the configuration knows, or nothing to answer.",
        [
            Query(
                "sort_desc(sum by (source, outcome) (increase(replyby_answers_total[$__range])))",
                "{{source}} {{outcome}}",
            )
        ],
        "none",
    )
    return (
        "WHO WAS TOLD",
        8,
        [
            (outcomes, Place(0, 0, 10, 8)),
            (receivers.decimals(0).thresholds(colours(BLUE)), Place(10, 0, 6, 8)),
            (outbox, Place(16, 0, 3, 8)),
            (answers.decimals(0).thresholds(colours(BLUE)), Place(19, 0, 5, 8)),
        ],
    )


def mail() -> Section:
    """Return whether mail is read, and what it was."""
    kinds = build_columns(
        "MAIL BY KIND",
        "What each mail was recognised as.",
        [Query(f"sum by (kind) (increase(replyby_messages_total{{{ACCOUNT}}}[$__interval]))", "{{kind}}", "range")],
        "none",
    )
    duration = build_lines(
        "HOW LONG READING A MAILBOX TAKES · SLOWEST TENTH",
        "Since the worker's last start.",
        [
            Query(
                "histogram_quantile(0.9, sum by (mailbox, le) (rate(replyby_poll_duration_seconds_bucket[$__rate_interval])))"
                " >= 0",
                "{{mailbox}}",
                "range",
            )
        ],
        "s",
    )
    failures = build_bars(
        "TIMES A MAILBOX COULD NOT BE READ",
        "By reason; only reasons that occurred.",
        [
            Query(
                while_alive(
                    "sort_desc(sum by (mailbox, reason) (increase(replyby_poll_failures_total[$__range])) > 0)",
                    mailbox="none",
                    reason="so far",
                ),
                "{{mailbox}} {{reason}}",
            )
        ],
        "none",
    )
    evidence = build_table(
        "EVIDENCE, LAST SEEN",
        "How long ago each kind of mail was seen. No confirmation copy: replies made in Seller Central are invisible there.",
        [Query(f"time() - replyby_evidence_last_seen_timestamp_seconds{{{ACCOUNT}}}", kind="table")],
        "dtdurations",
    )
    evidence = evidence.with_transformation(
        transform(
            "organize",
            excludeByName={"Time": True, "__name__": True, "instance": True, "job": True},
            indexByName={},
            renameByName={"Value": "last seen"},
        )
    )
    return (
        "WHETHER MAIL IS READ",
        16,
        [
            (kinds.interval("1h").min(0).decimals(0), Place(0, 0, 12, 8)),
            (evidence, Place(12, 0, 12, 8)),
            (duration.min(0), Place(0, 8, 12, 8)),
            (failures.decimals(0).thresholds(colours(BROWN)), Place(12, 8, 12, 8)),
        ],
    )


def worker() -> Section:
    """Return whether the worker is well."""
    cycle = build_stat(
        "LAST GOOD CYCLE",
        "How long ago a whole cycle went without an error.",
        [Query("time() - max(last_over_time(replyby_cycle_last_success_timestamp_seconds[1d]))", "ago")],
        "dthms",
    )
    cycle = cycle.text_mode(common_model.BigValueTextMode.VALUE)
    review = build_stat(
        "FOR A PERSON TO DECIDE",
        "Mails that fit several threads, unverified mails, unknown notices: replyby review.",
        [Query(f"sum(replyby_review_pending{{{ACCOUNT}}})", "mails")],
        "none",
    )
    review = review.text_mode(common_model.BigValueTextMode.VALUE).decimals(0)
    damaged = build_stat(
        "DAMAGED MAILS",
        "Mails read only in part in the chosen time, kept for a look.",
        [Query("sum(increase(replyby_damaged_mails_total[$__range]))", "mails")],
        "none",
    )
    damaged = damaged.text_mode(common_model.BigValueTextMode.VALUE).decimals(0)
    version = build_stat("VERSION", "Of the running worker.", [Query("replyby_build_info", "{{version}}")], "none")
    version = version.text_mode(common_model.BigValueTextMode.NAME).thresholds(colours(NEUTRAL))
    memory = build_lines(
        "MEMORY",
        "Resident memory of the worker.",
        [Query('process_resident_memory_bytes{job="replyby"}', "{{instance}}", "range")],
        "bytes",
    )
    zero = words(_0=("none", NEUTRAL))
    return (
        "THE WORKER",
        6,
        [
            (cycle.thresholds(colours(BLUE, (CYCLE_STALE_SECONDS, RED))), Place(0, 0, 4, 6)),
            (review.thresholds(colours(BROWN)).mappings([no_data(), zero]), Place(4, 0, 4, 6)),
            (damaged.thresholds(colours(BROWN)).mappings([no_data(), zero]), Place(8, 0, 4, 6)),
            (version, Place(12, 0, 4, 6)),
            (memory.min(0), Place(16, 0, 8, 6)),
        ],
    )
