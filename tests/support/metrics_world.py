"""An invented seller's snapshot in which no panel of any dashboard is empty, and the names that go with it."""

from dataclasses import replace
from datetime import datetime, timedelta

from monitor.core.sla import ClockState
from monitor.core.snapshot import (
    EVIDENCE,
    AmazonSnapshot,
    MailboxHealth,
    MarketSnapshot,
    OpenThread,
    Snapshot,
    Tally,
    WeekHours,
)
from monitor.metrics.catalogue import MetricNames
from monitor.metrics.page import PageFacts

NAMES = MetricNames(
    version="0.1.0",
    marketplaces={"acme-eu": ("FR", "DE", "IT", "UK"), "acme-jp": ("JP",)},
    mailboxes=("support", "osaka"),
    receivers=(("team", "slack"), ("oncall-sms", "sms")),
    words=("complaint", "return", "delivery"),
    amazon_accounts=("acme-eu",),
)


def make_market(
    account: str, marketplace: str, now: datetime, *remaining: timedelta, acknowledged: bool = False, rate: float = 0.95
) -> MarketSnapshot:
    """Return a market whose open threads have these times remaining; the first six kinds of evidence but a copy's."""
    states = {ClockState.RUNNING: 0, ClockState.AT_RISK: 0, ClockState.BREACHED: 0}
    for left in remaining:
        states[
            ClockState.BREACHED
            if left < timedelta(0)
            else ClockState.AT_RISK
            if left <= timedelta(hours=4)
            else ClockState.RUNNING
        ] += 1
    ratios: dict[int, float | None] = {7: rate, 30: rate - 0.01, 90: rate - 0.005}
    return MarketSnapshot(
        account=account,
        marketplace=marketplace,
        open_by_state=states,
        due_within={hours: sum(left <= timedelta(hours=hours) for left in remaining) for hours in (1, 2, 4, 8, 12, 24)},
        next_deadline_at=now + min(remaining) if remaining else None,
        next_acknowledged=acknowledged,
        response_ratio=ratios,
        late_response_ratio={days: None if ratio is None else 1 - ratio for days, ratio in ratios.items()},
        judged_messages={7: 40, 30: 160, 90: 470},
        evidence_last_seen_at={
            name: now - timedelta(hours=3)
            for name in EVIDENCE
            if not (marketplace == "IT" and name in ("confirmation_copy", "sent_reply"))
        },
    )


def make_tallies(factor: float = 1.0) -> tuple[Tally, ...]:
    """Return totals of every counter and the histogram; a larger factor is a later moment."""
    values: dict[tuple[str, tuple[str, ...]], float] = {
        ("messages", ("acme-eu", "buyer_message")): 142,
        ("messages", ("acme-eu", "confirmation_copy")): 120,
        ("messages", ("acme-eu", "notice")): 60,
        ("messages", ("acme-jp", "buyer_message")): 20,
        ("clocks", ("acme-eu", "FR", "met")): 96,
        ("clocks", ("acme-eu", "FR", "late")): 3,
        ("clocks", ("acme-eu", "FR", "no_response")): 14,
        ("clocks", ("acme-eu", "DE", "met")): 34,
        ("clocks", ("acme-eu", "DE", "waived")): 5,
        ("clocks", ("acme-jp", "JP", "met")): 20,
        ("notifications", ("team", "slack", "sent")): 160,
        ("notifications", ("team", "slack", "failed")): 2,
        ("notifications", ("oncall-sms", "sms", "sent")): 31,
        ("notifications", ("oncall-sms", "sms", "retried")): 4,
        ("poll_failures", ("osaka", "timeout")): 7,
        ("message_labels", ("acme-eu", "complaint")): 40,
        ("message_labels", ("acme-eu", "return")): 31,
        ("clock_labels", ("acme-eu", "complaint", "met")): 36,
        ("clock_labels", ("acme-eu", "complaint", "no_response")): 13,
        ("clock_labels", ("acme-eu", "return", "met")): 30,
        ("answers", ("slack", "accepted")): 55,
        ("answers", ("sms", "rejected")): 2,
        ("damaged_mails", ("support",)): 3,
        ("amazon_calls", ("acme-eu", "get_order", "ok")): 61,
        ("amazon_calls", ("acme-eu", "get_order", "throttled")): 2,
        ("amazon_calls", ("acme-eu", "get_report", "ok")): 24,
        ("amazon_tasks", ("acme-eu", "report", "done")): 8,
        ("amazon_tasks", ("acme-eu", "order", "done")): 60,
        ("amazon_tasks", ("acme-eu", "order", "given_up")): 1,
        ("response_seconds_bucket", ("acme-eu", "FR", "1800")): 20,
        ("response_seconds_bucket", ("acme-eu", "FR", "14400")): 50,
        ("response_seconds_bucket", ("acme-eu", "FR", "86400")): 26,
        ("response_seconds_bucket", ("acme-eu", "FR", "172800")): 2,
        ("response_seconds_bucket", ("acme-eu", "FR", "+Inf")): 1,
        ("response_seconds_sum", ("acme-eu", "FR")): 1_150_000,
        ("response_seconds_bucket", ("acme-jp", "JP", "7200")): 20,
        ("response_seconds_sum", ("acme-jp", "JP")): 90_000,
    }
    return tuple(
        Tally(name=name, labels=labels, value=float(int(value * factor))) for (name, labels), value in values.items()
    )


def make_snapshot(now: datetime, factor: float = 1.0) -> Snapshot:
    """Return a busy moment: something at risk, something overdue, one market blind, one mailbox late."""
    hours = tuple((hour % 24 > 8) * (1 + hour % 5) for hour in range(168))
    return Snapshot(
        now=now,
        markets=(
            make_market("acme-eu", "FR", now, timedelta(hours=1, minutes=32), timedelta(hours=9), acknowledged=True),
            make_market("acme-eu", "DE", now, timedelta(hours=6, minutes=5), rate=0.88),
            make_market("acme-eu", "IT", now, timedelta(minutes=-12), rate=0.97),
            make_market("acme-jp", "JP", now, timedelta(hours=22)),
        ),
        tallies=make_tallies(factor),
        mailboxes=(
            MailboxHealth(mailbox="support", last_success_at=now - timedelta(seconds=8)),
            MailboxHealth(mailbox="osaka", last_success_at=now - timedelta(minutes=4), trouble="osaka:993: timed out."),
        ),
        outbox_pending=2,
        outbox_oldest_at=now - timedelta(seconds=20),
        review_pending={"acme-eu": 3},
        cycle_last_success_at=now - timedelta(seconds=8),
        week_hours=(
            WeekHours(account="acme-eu", received=hours, breached=tuple(count // 4 for count in hours)),
            WeekHours(account="acme-jp", received=hours, breached=(0,) * 168),
        ),
        amazon=tuple(
            AmazonSnapshot(
                account="acme-eu",
                marketplace=marketplace,
                window_days=days,
                read_at=now - timedelta(hours=5),
                late_ratio=late,
                average_response_seconds=11_520.0,
            )
            for marketplace, late in (("FR", 0.059), ("DE", 0.21))
            for days in (7, 30, 90)
        ),
    )


def make_thread(
    thread_id: int, remaining: timedelta, now: datetime, marketplace: str | None = "FR", by: str | None = None
) -> OpenThread:
    """Return an open thread that falls due after `remaining`."""
    state = (
        ClockState.BREACHED
        if remaining < timedelta(0)
        else ClockState.AT_RISK
        if remaining <= timedelta(hours=4)
        else ClockState.RUNNING
    )
    return OpenThread(
        thread_id=thread_id,
        account="acme-eu",
        marketplace=marketplace,
        deadline_at=now + remaining,
        started_at=now + remaining - timedelta(hours=24),
        state=state,
        labels=("delivery", "complaint"),
        acknowledged_by=by,
    )


def make_page(facts: PageFacts, *threads: OpenThread) -> PageFacts:
    """Return the facts with these open threads."""
    return replace(facts, threads=threads)
