"""What the worker's own page says at an instant: PageFacts -> HTML, for who has no Grafana at hand.

Shows the queue, who has what and whether the worker can see; no order number and nothing of a buyer. Reads nothing.
"""

import base64
import hashlib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

from babel import Locale
from jinja2 import Environment, PackageLoader, StrictUndefined, Template

from monitor.core.sla import OPEN_STATES, ClockState
from monitor.core.snapshot import MailboxHealth, OpenThread

MAX_ROWS = 40
"""Longer queues are cut: nobody reads on, and a wall does not scroll."""

LONG_OVERDUE = timedelta(days=7)
"""Overdue for longer than this is no longer the next thing to do: counted, but in nobody's way."""

STATE_WORDS = {ClockState.RUNNING: "running", ClockState.AT_RISK: "at risk", ClockState.BREACHED: "overdue"}


@dataclass(frozen=True, slots=True, kw_only=True)
class PageFacts:
    """Everything the page shows, at `now`.

    Attributes:
        threads: open threads, in any order.
        response_ratio: by days of the window, over all accounts; None where there is nothing to judge.
        cycle_last_success_at: None before the first whole cycle.
        stale_after: without a good cycle for this long nothing on the page is to be believed.
        several_accounts: the account's name stands with the market, also where only one of them has open threads.
        warnings: whole lines about the worker (blind spots, mails to review), without personal data.
    """

    now: datetime
    time_zone: ZoneInfo
    threads: tuple[OpenThread, ...]
    mailboxes: tuple[MailboxHealth, ...]
    cycle_last_success_at: datetime | None
    goal: float = 0.90
    response_ratio: Mapping[int, float | None] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    stale_after: timedelta = timedelta(minutes=5)
    several_accounts: bool = False


@dataclass(frozen=True, slots=True)
class _Row:
    left: str
    due: str
    market: str
    state: str
    state_word: str
    who: str
    about: str
    notes: str


def render_page(facts: PageFacts, refresh_seconds: int = 15) -> str:
    """Return the page as an HTML document that loads itself again; soonest deadline first, times in `time_zone`.

    What was overdue before the first start is only counted, and so is what is overdue for more than a week, unless there is
    nothing else.
    Without a good cycle for `stale_after` it says NO DATA, whatever the queue was; so it does when nothing waits but a
    mailbox cannot be read: what is not seen is not "nothing".
    """
    threads = sorted(facts.threads, key=lambda thread: (thread.deadline_at, thread.thread_id))
    live = [thread for thread in threads if not thread.backlog]
    recent = [thread for thread in live if facts.now - thread.deadline_at <= LONG_OVERDUE] or live
    several_accounts = facts.several_accounts or len({thread.account for thread in threads}) > 1
    rows = [_row(thread, facts, several_accounts) for thread in recent[:MAX_ROWS]]
    counts = Counter(thread.state for thread in threads)
    hero_state, hero_title, hero_big, hero_line = _hero(facts, rows)
    return _template().render(
        style=_style(),
        refresh_seconds=refresh_seconds,
        title=f"{hero_big} · ReplyBy",
        hero={"state": hero_state, "title": hero_title, "big": hero_big, "line": hero_line},
        counts=[(state.value, STATE_WORDS[state], counts.get(state, 0)) for state in OPEN_STATES],
        rates=[_rate(days, ratio, facts.goal) for days, ratio in sorted(facts.response_ratio.items())],
        goal=_percent(facts.goal, 0),
        rows=rows,
        more=len(recent) - len(rows),
        old=len(live) - len(recent),
        backlog=len(threads) - len(live),
        several_accounts=several_accounts,
        mailboxes=[_mailbox(mailbox, facts) for mailbox in facts.mailboxes],
        warnings=facts.warnings,
        now=_local(facts.now, facts, "%a %d %b %H:%M:%S"),
        time_zone=facts.time_zone.key,
    )


def render_no_data(reason: str, refresh_seconds: int = 15) -> str:
    """Return the page for a worker that cannot read its own store: NO DATA, and it tries again by itself."""
    hero = {"state": "no_data", "title": "NEXT REPLY DUE IN", "big": "NO DATA", "line": reason}
    return _template().render(
        style=_style(),
        refresh_seconds=refresh_seconds,
        title="NO DATA · ReplyBy",
        hero=hero,
        counts=[],
        rates=[],
        goal="",
        rows=None,
        more=0,
        old=0,
        backlog=0,
        several_accounts=False,
        mailboxes=[],
        warnings=[],
        now="",
        time_zone="",
    )


def style_hash() -> str:
    """Return the page's one style sheet as a Content-Security-Policy source."""
    digest = hashlib.sha256(_style().encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"


def format_left(remaining: timedelta) -> str:
    """Return time remaining for people: `1 h 32 min`, `9 min`, `2 d 3 h`; overdue time is given as it grew.

    What remains is rounded down and what is overdue too: neither ever says more than there is.
    """
    minutes = int(abs(remaining).total_seconds() // 60)
    hours, minutes = divmod(minutes, 60)
    if hours >= 48:
        words = f"{hours // 24} d {hours % 24} h"
    elif hours:
        words = f"{hours} h {minutes:02d} min"
    else:
        words = f"{minutes} min"
    return words if remaining >= timedelta(0) else f"{words} over"


def _row(thread: OpenThread, facts: PageFacts, several_accounts: bool) -> _Row:
    market = market_name(thread.marketplace)
    notes = []
    if thread.messages > 1:
        notes.append(f"{thread.messages} messages")
    if thread.where == "junk":
        notes.append("found in the spam folder")
    if not thread.verified:
        notes.append("not verified")
    return _Row(
        left=format_left(thread.deadline_at - facts.now),
        due=_local(thread.deadline_at, facts, "%a %H:%M" if _is_near(thread.deadline_at, facts) else "%d %b %H:%M"),
        market=f"{thread.account or 'unknown account'} · {market}" if several_accounts else market,
        state=thread.state.value,
        state_word=STATE_WORDS[thread.state],
        who=thread.acknowledged_by or "",
        about=", ".join(label.replace("_", " ") for label in thread.labels),
        notes=", ".join(notes),
    )


def _is_near(instant: datetime, facts: PageFacts) -> bool:
    """Tell whether a weekday's name alone says which day is meant."""
    return abs(instant - facts.now) < timedelta(days=6)


def _hero(facts: PageFacts, rows: list[_Row]) -> tuple[str, str, str, str]:
    """Return state, title, the big words and the line below."""
    last = facts.cycle_last_success_at
    if last is None:
        return "no_data", "NEXT REPLY DUE IN", "NO DATA", "the first look at the mailboxes is not finished"
    if facts.now - last > facts.stale_after:
        line = f"no good cycle since {_local(last, facts, '%a %H:%M')}, {format_left(facts.now - last)} ago"
        return "no_data", "NEXT REPLY DUE IN", "NO DATA", line
    if not rows:
        blind = [mailbox.mailbox for mailbox in facts.mailboxes if mailbox.trouble]
        if blind:
            line = f"nothing known to wait, but {', '.join(blind)} cannot be read"
            return "no_data", "NEXT REPLY DUE IN", "NO DATA", line
        line = "no buyer message is without a reply"
        if facts.threads:
            line = "but for what was overdue before the first start, no buyer message is without a reply"
        return "nothing", "NEXT REPLY DUE IN", "nothing waiting", line
    first = rows[0]
    who = f"{first.who} has it" if first.who else "nobody has it yet"
    title = "REPLY OVERDUE BY" if first.state == ClockState.BREACHED else "NEXT REPLY DUE IN"
    line = f"{first.market} · {first.state_word} · due {first.due} · {who}"
    saved = next((row for row in rows if row.state != ClockState.BREACHED), None)
    if first.state == ClockState.BREACHED and saved is not None:
        line += f". Next: {saved.market} in {saved.left}"
    return first.state, title, first.left.removesuffix(" over"), line


def _rate(days: int, ratio: float | None, goal: float) -> dict[str, str]:
    if ratio is None:
        return {"days": f"{days} d", "percent": "–", "word": "nothing to judge", "state": "none"}
    missed = ratio < goal
    return {
        "days": f"{days} d",
        "percent": _percent(ratio, 1),
        "word": "goal missed" if missed else "goal met",
        "state": "breached" if missed else "running",
    }


def _mailbox(mailbox: MailboxHealth, facts: PageFacts) -> dict[str, str]:
    if mailbox.last_success_at is None:
        if mailbox.trouble:
            return {"name": mailbox.mailbox, "seen": f": {mailbox.trouble}", "state": "breached"}
        return {"name": mailbox.mailbox, "seen": "not read yet", "state": "at_risk"}
    age = facts.now - mailbox.last_success_at
    if mailbox.trouble:
        since = _local(mailbox.last_success_at, facts, "%a %H:%M")
        return {"name": mailbox.mailbox, "seen": f" since {since}: {mailbox.trouble}", "state": "breached"}
    if age > facts.stale_after:
        return {"name": mailbox.mailbox, "seen": f"not read for {format_left(age)}", "state": "at_risk"}
    seconds = max(0, int(age.total_seconds()))
    seen = f"read {seconds} s ago" if seconds < 60 else f"read {format_left(age)} ago"
    return {"name": mailbox.mailbox, "seen": seen, "state": "running"}


def market_name(code: str | None) -> str:
    """Return the country's English name; the code itself where it is none, "unknown market" for None."""
    if code is None or code == "unknown":
        return "unknown market"
    return _territories().get("GB" if code == "UK" else code, code)


def _percent(ratio: float, digits: int) -> str:
    # Rounded down: 89.96 % must not read as a goal of 90 % that was reached.
    scale = 100 * 10**digits
    return f"{int(ratio * scale + 1e-9) / 10**digits:.{digits}f} %"


def _local(instant: datetime, facts: PageFacts, pattern: str) -> str:
    return instant.astimezone(facts.time_zone).strftime(pattern)


@cache
def _territories() -> dict[str, str]:
    return dict(Locale("en").territories.items())


@cache
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("monitor.metrics", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _template() -> Template:
    return _environment().get_template("page.html.j2")


@cache
def _style() -> str:
    loader = _environment().loader
    assert loader is not None
    return loader.get_source(_environment(), "page.css")[0].strip()
