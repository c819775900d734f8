"""What a summary says: the one place that fixes `Notification.content` for each purpose.

Planning code calls these builders and stores what they return (JSON values only, instants as RFC 3339 in UTC); the renderers
read it back. Nothing here is worded, save what the report and an error bring along: those stand as they are.

    purpose      builder       keys
    LOOK_AHEAD   look_ahead    until, threads, effort_seconds, median_seconds
    BACKLOG      backlog       count, oldest_at, commands
    HEALTH       health        kind, name, since, detail, clocks_running, next_due_at
                 figure_differs  the same, and difference
    DIGEST       digest        day_at, open, overdue, next_due_at, received, answered, late, rate, goal, review, unwatched,
                               threads, notes
    REPORT       report        headline, lines, text, html, images
    TEST         test          page
    CLOSED       withdrawn     withdrawn: the wait's facts, where its clock is gone
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

from alerts.core.model import WITHDRAWN, ThreadFacts

Content = dict[str, Any]
MAX_THREADS = 20  # a summary names so many and counts the rest: Slack takes 50 blocks, a reader fewer


_OF_A_WAIT = ("account", "marketplace", "order_id", "asin", "messages")


class HealthKind(StrEnum):
    """What is wrong with ReplyBy itself: each has its own words (`health_<kind>`)."""

    MAILBOX_BLIND = "mailbox_blind"
    MAILBOX_BACK = "mailbox_back"
    OUTBOX_AGEING = "outbox_ageing"
    RECEIVER_FAILED = "receiver_failed"
    NOBODY_ON_CALL = "nobody_on_call"
    PERSON_STOPPED = "person_stopped"
    UNWATCHED = "unwatched"
    BLIND_SPOT = "blind_spot"
    FIGURE_DIFFERS = "figure_differs"
    FIGURE_AGREES = "figure_agrees"
    SECRET_EXPIRES = "secret_expires"  # noqa: S105 - a kind of trouble, no secret
    SECRET_EXPIRED = "secret_expired"  # noqa: S105 - likewise
    AMAZON_SILENT = "amazon_silent"
    OTHER = "other"


def look_ahead(
    threads: Sequence[ThreadFacts],
    *,
    until: datetime,
    median_response: timedelta | None = None,
) -> Content:
    """Return what falls due before `until` (the next start of staffed hours), soonest first.

    `median_response` is the time one reply takes the team by experience (not its response time); None leaves the effort out.
    """
    rows = sorted(threads, key=lambda facts: facts.deadline_at)
    seconds = None if median_response is None else int(median_response.total_seconds())
    return {
        "until": instant(until),
        "count": len(rows),
        "threads": [_row(facts) for facts in rows[:MAX_THREADS]],
        "effort_seconds": None if seconds is None else seconds * len(rows),
        "median_seconds": seconds,
    }


def backlog(count: int, oldest_at: datetime, *, commands: Sequence[str]) -> Content:
    """Return the one summary of breaches older than the worker, with the commands that settle them."""
    return {"count": count, "oldest_at": instant(oldest_at), "commands": list(commands)}


def health(
    kind: HealthKind | str,
    name: str,
    *,
    since: datetime | None = None,
    detail: str = "",
    clocks_running: int | None = None,
    next_due_at: datetime | None = None,
) -> Content:
    """Return one of ReplyBy's own troubles.

    Args:
        name: the mailbox, receiver, person or schedule it is about.
        detail: what was seen, already worded and without a secret ("login refused").
        clocks_running, next_due_at: what is at stake meanwhile.
    """
    return {
        "kind": str(kind),
        "name": name,
        "since": None if since is None else instant(since),
        "detail": detail,
        "clocks_running": clocks_running,
        "next_due_at": None if next_due_at is None else instant(next_due_at),
    }


def figure_differs(
    name: str,
    *,
    window_days: int,
    amazon: float,
    ours: float,
    causes: Sequence[str],
    copies_last_at: datetime | None = None,
    undecided: int = 0,
    junk: int = 0,
    waived: int = 0,
    marked: int = 0,
) -> Content:
    """Return that Amazon's figure and ours differ, and what is likely behind it.

    Args:
        name: the marketplace, with its account where there are several.
        amazon, ours: shares answered in time, 0 to 1.
        causes: `difference_<cause>` are their words, the most likely first.
        copies_last_at, undecided, junk, waived, marked: what the causes rest on.
    """
    difference = {
        "days": window_days,
        "amazon": amazon,
        "ours": ours,
        "causes": list(causes),
        "copies_last_at": None if copies_last_at is None else instant(copies_last_at),
        "undecided": undecided,
        "junk": junk,
        "waived": waived,
        "marked": marked,
    }
    return health(HealthKind.FIGURE_DIFFERS, name) | {"difference": difference}


def withdrawn(facts: ThreadFacts) -> Content:
    """Return what is told of a wait whose mails proved to be no buyer's: its clock is gone, so its facts go along."""
    return {
        "withdrawn": {
            "started_at": instant(facts.started_at),
            "deadline_at": instant(facts.deadline_at),
            **{name: getattr(facts, name) for name in _OF_A_WAIT},
        }
    }


def withdrawn_facts(content: Mapping[str, Any], *, thread_id: int, clock_id: int) -> ThreadFacts | None:
    """Return the facts that `withdrawn` put down; None: it is about something else."""
    stood = content.get("withdrawn")
    if stood is None:
        return None
    instants = {name: datetime.fromisoformat(stood[name]) for name in ("started_at", "deadline_at")}
    known = {name: stood[name] for name in _OF_A_WAIT if name in stood}  # a later version may put down more
    return ThreadFacts(thread_id=thread_id, clock_id=clock_id, state=WITHDRAWN, **{**known, **instants})


def digest(
    *,
    day_at: datetime,
    open_threads: int,
    overdue: int = 0,
    next_due_at: datetime | None = None,
    received: int = 0,
    answered: int = 0,
    late: int = 0,
    rate: float | None = None,
    goal: float | None = None,
    review: int = 0,
    unwatched: bool = False,
    threads: Sequence[ThreadFacts] = (),
    notes: Sequence[str] = (),
) -> Content:
    """Return the morning's summary. `received`, `answered`, `late` are yesterday's; `rate` is a share (0 to 1) of 7 days.

    `unwatched`: no dead-man's switch is configured. `notes`: further lines, already worded.
    """
    rows = sorted(threads, key=lambda facts: facts.deadline_at)
    return {
        "day_at": instant(day_at),
        "open": open_threads,
        "overdue": overdue,
        "next_due_at": None if next_due_at is None else instant(next_due_at),
        "received": received,
        "answered": answered,
        "late": late,
        "rate": rate,
        "goal": goal,
        "review": review,
        "unwatched": unwatched,
        "threads": [_row(facts) for facts in rows[:MAX_THREADS]],
        "notes": list(notes),
    }


def report(
    headline: str,
    lines: Sequence[str],
    *,
    text: str = "",
    html: str = "",
    images: Sequence[Mapping[str, str]] = (),
) -> Content:
    """Return the weekly report, worded already in its own language.

    Args:
        headline, lines: the first phone screen, plain text without markup.
        text, html: the whole report for e-mail; default: headline and lines.
        images: each `report_image(...)`.
    """
    return {
        "headline": headline,
        "lines": list(lines),
        "text": text,
        "html": html,
        "images": [dict(image) for image in images],
    }


def report_image(name: str, title: str, path: str, alt: str) -> dict[str, str]:
    """Return one picture of the report: a PNG file at `path`, read when it is sent. In `html` it is `cid:<name>`."""
    return {"name": name, "title": title, "path": path, "alt": alt}


def test(*, page: bool = False) -> Content:
    """Return the content of `send-test`; `page`: the person has to answer."""
    return {"page": page}


def instant(at: datetime) -> str:
    """Return RFC 3339 in UTC."""
    return at.astimezone(UTC).isoformat()


def read_instant(value: Any) -> datetime | None:
    """Return the instant that `instant` wrote, or None for None."""
    return None if value is None else datetime.fromisoformat(str(value))


def _row(facts: ThreadFacts) -> Content:
    return {
        "thread_id": facts.thread_id,
        "deadline_at": instant(facts.deadline_at),
        "state": facts.state,
        "account": facts.account,
        "marketplace": facts.marketplace,
        "order_id": facts.order_id,
        "asin": facts.asin,
    }
