"""The daily digest: what waits, what falls due while nobody is there, and what somebody has to decide.

Gives the content of a notification of purpose DIGEST. No buyer's name or word.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from alerts.core.model import ThreadFacts
from alerts.core.words import content
from monitor.core.figures import Figures, MessageOutcome
from monitor.core.sla import OPEN_STATES
from monitor.core.weeks import local_instant
from monitor.report.model import Period
from monitor.report.wording import Wording

READ_BEFORE = timedelta(days=8)  # what was answered or fell due yesterday came in at most so long before


@dataclass(frozen=True, slots=True, kw_only=True)
class DayCounts:
    """One day: messages that came in, messages that were answered, deadlines that passed unanswered."""

    received: int = 0
    answered: int = 0
    missed: int = 0


@dataclass(frozen=True, slots=True)
class Trouble:
    """Something that is wrong with the installation: one line with what to do; `bad`: it must be put right."""

    line: str
    bad: bool


MOST_TROUBLES = 8
"""So many lines are read in the morning; the rest stands in `replyby doctor`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DigestFacts:
    """What the digest is made of, at `now`.

    Attributes:
        threads: those that await a reply, in any order; others are passed over.
        yesterday: what `count_day` says of the local day before.
        window: the figures of the seven days before `now`.
        next_staffed_at: when the next staffed period after the present one begins, None where no hours are configured.
        waived_yesterday: order numbers (None: no order) of what was marked "no response needed" on the local day before.
        review_pending: mails that wait in `replyby review`.
        watched: whether an outside monitor is told that the worker lives (`heartbeat_url`).
        troubles: what `replyby doctor` finds, the worst first.
    """

    now: datetime
    threads: Sequence[ThreadFacts] = ()
    yesterday: DayCounts = DayCounts()
    window: Figures | None = None
    goal: float | None = None
    next_staffed_at: datetime | None = None
    waived_yesterday: Sequence[str | None] = ()
    review_pending: int = 0
    watched: bool = True
    troubles: Sequence[Trouble] = ()


def yesterday_span(now: datetime, zone: ZoneInfo) -> Period:
    """Return the local day before the one of `now`: 23, 24 or 25 hours, aware UTC."""
    today = now.astimezone(zone).date()
    return local_instant(today - timedelta(days=1), 0, zone), local_instant(today, 0, zone)


def count_day(outcomes: Iterable[MessageOutcome], from_at: datetime, to_at: datetime) -> DayCounts:
    """Return what happened between two instants (the second excluded).

    Args:
        outcomes: messages received from `READ_BEFORE` ahead of the span until its end.
    """
    received = answered = missed = 0
    for outcome in outcomes:
        received += from_at <= outcome.received_at < to_at
        answered_at, deadline_at = outcome.answered_at, outcome.deadline_at
        if answered_at is not None and from_at <= answered_at < to_at:
            answered += 1
        gone = [at for at in (answered_at, outcome.waived_at) if at is not None]
        if from_at <= deadline_at < to_at and not any(at <= deadline_at for at in gone):
            missed += 1
    return DayCounts(received=received, answered=answered, missed=missed)


def build_digest(
    facts: DigestFacts, language: str, zone: ZoneInfo, *, when_empty: bool = False
) -> dict[str, Any] | None:
    """Return the digest's content, None when there is nothing to tell and `when_empty` is not set.

    Threads, something waived yesterday, something to review or something broken is a reason to write; what is only doubtful,
    and that nobody watches the worker, is told along with them, but alone is no reason to write every day.

    Args:
        language: of the notes, which are worded here; the renderer words the rest in the receiver's own, so that one
            content is built for each language among the receivers.
        zone: whose day it is.

    Returns:
        What `alerts.core.words.content.digest` gives: JSON values.

    Raises:
        ValueError: there are no words in this language.
    """
    threads = [thread for thread in facts.threads if thread.state in OPEN_STATES]
    broken = any(trouble.bad for trouble in facts.troubles)
    if not (threads or facts.waived_yesterday or facts.review_pending or broken or when_empty):
        return None
    words = Wording(language, zone)
    waiting = sorted(thread.deadline_at for thread in threads)
    ahead = [at for at in waiting if at >= facts.now]
    notes = []
    if facts.next_staffed_at is not None:
        due = sum(at < facts.next_staffed_at for at in ahead)
        if due:
            notes.append(words.count("digest_due", due, at=words.day_time(facts.next_staffed_at)))
    if facts.waived_yesterday:
        orders = ", ".join(order or words.say("no_order") for order in facts.waived_yesterday)
        notes.append(words.count("digest_waived", len(facts.waived_yesterday), list=orders))
    notes += [f"{'✗' if one.bad else '!'} {one.line}" for one in facts.troubles[:MOST_TROUBLES]]
    if len(facts.troubles) > MOST_TROUBLES:
        notes.append(f"+ {len(facts.troubles) - MOST_TROUBLES}: replyby doctor")
    window = facts.window
    return content.digest(
        day_at=facts.now,
        open_threads=len(threads),
        overdue=len(waiting) - len(ahead),
        next_due_at=ahead[0] if ahead else None,
        received=facts.yesterday.received,
        answered=facts.yesterday.answered,
        late=facts.yesterday.missed,
        rate=window.response_rate if window else None,
        goal=facts.goal,
        review=facts.review_pending,
        unwatched=not facts.watched,
        threads=threads,
        notes=notes,
    )
