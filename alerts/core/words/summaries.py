"""Summaries (`Notification.content`, built by `content.py`) as a title and lines of plain text: every channel lays them out.

Lines are not escaped here: whoever lays them out for Slack or HTML does that.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from alerts.core.model import Channel, Delivery, Purpose
from alerts.core.words.catalog import Words, clean
from alerts.core.words.content import HealthKind, look_ahead, read_instant
from alerts.core.words.difference import difference_lines
from alerts.core.words.threads import is_closed, pre_sale_name


@dataclass(frozen=True, slots=True)
class Summary:
    """`sign` is the title's emoji; `first` is all that a phone shows; `small` is small print; `commands` are typed as is."""

    sign: str
    title: str
    lines: tuple[str, ...] = ()
    small: tuple[str, ...] = ()
    commands: tuple[str, ...] = ()


def render_summary(words: Words, delivery: Delivery) -> Summary:
    """Return the words of a summary.

    Raises:
        LookupError, ValueError: a translation or the content is broken.
    """
    render = _RENDERERS.get(delivery.purpose)
    if render is None:
        raise ValueError(f"{delivery.purpose}: is about a thread, but none is given. Fill `Delivery.threads`.")
    return render(words, delivery)


def _look_ahead(words: Words, delivery: Delivery) -> Summary:
    content = delivery.content
    until = read_instant(content["until"])
    if until is None:
        raise ValueError("look_ahead: `until` is missing. Build the content with `content.look_ahead`.")
    open_threads = [facts for facts in delivery.threads if not is_closed(facts)]
    if open_threads:  # facts read afresh: what was answered since it was planned is no longer named
        content = {**content, **look_ahead(open_threads, until=until)} | _effort_of(content, len(open_threads))
    count = int(content.get("count") or len(content.get("clock_ids", ())))
    small = []
    if content.get("effort_seconds") is not None:
        total, each = _seconds(words, content["effort_seconds"]), _seconds(words, content["median_seconds"])
        small.append(words.say("effort", total=total, each=each))
    title = words.count("look_ahead", count, until=words.instant(until, delivery.now))
    return Summary("🕔", title, _rows(words, content, count, delivery.now), tuple(small))


def _effort_of(content: Mapping[str, Any], count: int) -> dict[str, Any]:
    each = content.get("median_seconds")
    return {"median_seconds": each, "effort_seconds": None if each is None else int(each) * count}


def _backlog(words: Words, delivery: Delivery) -> Summary:
    content = delivery.content
    lines = []
    oldest = read_instant(content.get("oldest_at"))
    if oldest is not None:
        lines.append(words.say("backlog_oldest", at=words.instant(oldest, delivery.now)))
    commands = tuple(str(command) for command in content.get("commands", []))
    if commands:
        lines.append(words.say("backlog_settle"))
    return Summary("📦", words.count("backlog", int(content["count"])), tuple(lines), (), commands)


def _health(words: Words, delivery: Delivery) -> Summary:
    content = delivery.content
    kind = str(content.get("kind", "other"))
    known = kind if kind in set(HealthKind) else "other"
    since = read_instant(content.get("since"))
    # A detail is worded and may name a setting; a reason is a code.
    detail = str(content.get("detail") or str(content.get("reason") or "").replace("_", " "))
    detail = clean(detail, 200).rstrip(".")
    name = content.get("name") or content.get("receiver") or kind
    if content.get("person"):
        name = f"{content['person']} ({content.get('channel') or name})"
    title = words.say(
        f"health_{known}",
        name=clean(str(name), 60),
        since="" if since is None else " " + words.say("since", at=words.instant(since, delivery.now)),
        detail=words.say("detail", detail=detail) if detail else "",
    )
    stake = []
    if content.get("clocks_running"):
        stake.append(words.count("clocks_running", int(content["clocks_running"])))
    due = read_instant(content.get("next_due_at"))
    if due is not None:
        stake.append(words.say("next_due", at=words.instant(due, delivery.now)))
    line = "; ".join(stake)
    sign = "🙉" if known == "mailbox_back" else "🙈" if known == "mailbox_blind" else "🛠️"
    lines = [f"{line[0].upper()}{line[1:]}."] if line else []
    if f"health_{known}_hint" in words.table:
        lines.append(words.say(f"health_{known}_hint"))
    if content.get("difference"):
        lines.extend(difference_lines(words, content["difference"], delivery.now))
    return Summary(sign, title, tuple(lines))


def _digest(words: Words, delivery: Delivery) -> Summary:
    content = delivery.content
    day = read_instant(content.get("day_at")) or delivery.now
    waiting = int(content["open"])
    parts = [words.count("digest_open", waiting) if waiting else words.say("digest_none")]
    if content.get("overdue"):
        parts.append(words.count("digest_overdue", int(content["overdue"])))
    due = read_instant(content.get("next_due_at"))
    if due is not None:
        parts.append(words.say("next_due", at=words.instant(due, delivery.now)))
    lines = [", ".join(parts) + "."]
    lines.extend(_rows(words, content, waiting, delivery.now) if content.get("threads") else ())
    yesterday = {key: int(content.get(key) or 0) for key in ("received", "answered", "late")}
    lines.append(words.say("digest_yesterday", **yesterday) + ".")
    if content.get("rate") is not None:
        goal = words.percent(float(content["goal"])) if content.get("goal") is not None else "–"
        lines.append(words.say("digest_rate", rate=words.percent(float(content["rate"])), goal=goal) + ".")
    if content.get("review"):
        lines.append(words.count("digest_review", int(content["review"])))
    lines.extend(clean(str(note), 300) for note in content.get("notes", []))
    small = (words.say("health_unwatched", detail=""),) if content.get("unwatched") else ()
    return Summary("☀️", words.say("digest", day=words.day(day)), tuple(lines), small)


def _report(words: Words, delivery: Delivery) -> Summary:
    content = delivery.content
    return Summary("📊", clean(str(content["headline"]), 200), tuple(clean(str(x), 500) for x in content["lines"]))


def _test(words: Words, delivery: Delivery) -> Summary:
    by_phone = delivery.channel in (Channel.SMS, Channel.VOICE)
    if delivery.content.get("page") and delivery.code is not None and by_phone:
        return Summary("🔔", words.say("test_page", code=delivery.code))
    lines = (words.say("test_press"),) if delivery.content.get("page") and delivery.channel is Channel.SLACK else ()
    return Summary("🔔", words.say("test"), lines)


def _rows(words: Words, content: Mapping[str, Any], count: int, now: datetime) -> tuple[str, ...]:
    rows = []
    for row in content.get("threads", ()):
        due = read_instant(row["deadline_at"]) or now
        name = clean(str(row["order_id"]), 40) if row.get("order_id") else pre_sale_name(words, row.get("asin"))
        place = clean(str(row.get("marketplace") or "?"), 12)
        if row.get("account"):
            place = f"{clean(str(row['account']), 40)} · {place}"
        rows.append(f"{words.weekday_instant(due)}  {place}  {name}")
    left = count - len(rows)
    if rows and left > 0:
        rows.append(words.count("more", left))
    return tuple(rows)


def _seconds(words: Words, seconds: Any) -> str:
    return words.span(timedelta(seconds=int(seconds)), up=True)


_RENDERERS: Mapping[Purpose, Callable[[Words, Delivery], Summary]] = {
    Purpose.LOOK_AHEAD: _look_ahead,
    Purpose.BACKLOG: _backlog,
    Purpose.HEALTH: _health,
    Purpose.DIGEST: _digest,
    Purpose.REPORT: _report,
    Purpose.TEST: _test,
}
SUMMARY_PURPOSES = frozenset(_RENDERERS)
