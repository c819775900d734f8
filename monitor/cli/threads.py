"""Commands about threads: status, acknowledge, snooze, answered, waive, unwaive."""

import uuid
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer

from monitor.cli.options import (
    INSTANT,
    ByOption,
    ConfigOption,
    JsonOption,
    Session,
    ThreadArgument,
    open_session,
    parse_instant_option,
    parse_span_option,
)
from monitor.cli.output import (
    facts_line,
    instant_text,
    left_text,
    local_text,
    print_json,
    print_line,
    print_problem,
    print_table,
)
from monitor.errors import ConfigError, ReplyByError

if TYPE_CHECKING:
    from alerts.core.model import AnswerKind
    from monitor.store.open_threads import Backlog, OpenRow

STATES = {"running": "running", "at_risk": "at risk", "breached": "overdue"}


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(status)
    app.command()(acknowledge)
    app.command()(snooze)
    app.command()(answered)
    app.command()(waive)
    app.command()(unwaive)


def status(
    config: ConfigOption = None,
    json: JsonOption = False,
    all_: Annotated[bool, typer.Option("--all", help="Also what was overdue before the worker's first start.")] = False,
) -> None:
    """List what waits for a reply, soonest deadline first."""
    from monitor.store.engine import reading
    from monitor.store.health import read_health
    from monitor.store.open_threads import read_backlog, read_first_start, read_open

    session = open_session(config)
    now = session.services.utc_now()
    with reading(session.store.engine) as connection:
        rows = read_open(connection, session.config.sla.at_risk, now)
        first_started_at, backlog = read_first_start(connection), read_backlog(connection)
        read_at = [one.last_success_at for one in read_health(connection) if one.last_success_at is not None]
    _warn_of_old_news(session, first_started_at, max(read_at, default=None), now)
    if json:
        print_json({"now": instant_text(now), "threads": [_status_json(row, now) for row in rows]})
        return
    zone = session.config.worker.time_zone
    old = [row for row in rows if row.backlog]
    shown = rows if all_ else [row for row in rows if not row.backlog]
    count = "1 thread waits" if len(shown) == 1 else f"{len(shown)} threads wait"
    print_line(f"{count if shown else 'No thread waits'} for a reply   now {local_text(now, zone, now)} {zone.key}")
    if shown:
        several = len(session.config.accounts) > 1
        account = ["ACCOUNT"] if several else []
        columns = ["THREAD", "LEFT", "DUE", *account, "MARKET", "ORDER", "WAITING SINCE", "STATE", "WHO", "ABOUT"]
        print_table(columns, [_status_row(row, session, now, several) for row in shown], right=(0, 1))
    if old and not all_:
        more = f"{len(old)} that {'was' if len(old) == 1 else 'were'} overdue before the first start"
        print_line(f"Not listed: {more}. replyby status --all shows them, {settles_backlog(backlog)}.")


def settles_backlog(backlog: "Backlog | None") -> str:
    """Return which command settles a backlog: all of it, or as much as is older than whoever waits in time."""
    if backlog is None or not backlog.covered:
        return "replyby answered THREAD --by NAME settles one"
    which = "them" if backlog.covered == backlog.count else f"{backlog.covered} of them"
    return f"replyby answered --before {instant_text(backlog.end)} --by NAME settles {which}"


def _warn_of_old_news(session: Session, started_at: datetime | None, read_at: datetime | None, now: datetime) -> None:
    """Say on standard error that no mail is being read: a list that nobody brings up to date looks like calm."""
    if started_at is None and read_at is None:
        print_problem("No mail was read yet. Start the worker: replyby run")
    elif read_at is None or now - read_at > session.config.worker.blind_after:
        since = "yet" if read_at is None else f"since {local_text(read_at, session.config.worker.time_zone, now)}"
        print_problem(f"No mail was read {since}. See what is wrong: replyby doctor")


def _status_json(row: "OpenRow", now: datetime) -> dict[str, Any]:
    return {
        "thread": str(row.thread_id),
        "account": row.account,
        "marketplace": row.marketplace,
        "order_id": row.order_id,
        "labels": list(row.labels),
        "priority": row.priority,
        "started_at": instant_text(row.started_at),
        "deadline_at": instant_text(row.deadline_at),
        "remaining_seconds": int((row.deadline_at - now).total_seconds()),
        "state": row.state.value,
        "messages": row.messages,
        "verified": row.verified,
        "acknowledged_by": row.acknowledged_by,
        "where": row.where,
    }


def _status_row(row: "OpenRow", session: Session, now: datetime, several: bool) -> list[str]:
    zone = session.config.worker.time_zone
    order = row.order_id or (f"pre-sale ({row.asin})" if row.asin else "pre-sale")
    about = [label.replace("_", " ") for label in row.labels]
    notes = [
        *(["in spam"] if row.where == "junk" else []),
        *([] if row.verified else ["origin not proven"]),
        *(["before the first start"] if row.backlog else []),
    ]
    return [
        str(row.thread_id),
        left_text(row.deadline_at - now),
        local_text(row.deadline_at, zone, now),
        *([row.account] if several else []),
        row.marketplace or "?",
        order,
        local_text(row.started_at, zone, now),
        STATES[row.state.value],
        row.acknowledged_by or "–",
        ", ".join(about) + (f" ({'; '.join(notes)})" if notes else ""),
    ]


def find_thread(session: Session, name: str) -> int:
    """Return the one thread that an id or an order number names; several are listed and nothing is done.

    Raises:
        ReplyByError: none, or several.
    """
    from monitor.store.decisions import find_threads
    from monitor.store.engine import reading
    from monitor.store.open_threads import read_open

    with reading(session.store.engine) as connection:
        found = find_threads(connection, name, session.services.hasher)
        if len(found) > 1:
            now = session.services.utc_now()
            waiting = {row.thread_id: row for row in read_open(connection, session.config.sla.at_risk, now)}
    if not found:
        raise ReplyByError(f"{name}: no such thread or order. `replyby status` lists what waits.")
    if len(found) > 1:
        lines = [f"{name}: {len(found)} threads, nothing was done. Name one by its id:"]
        for one in found:
            row = waiting.get(one)
            words = "nothing waits" if row is None else f"{row.account}, {row.marketplace}, {STATES[row.state.value]}"
            lines.append(f"  {one}  {words}")
        raise ReplyByError("\n".join(lines))
    return found[0]


def named_thread(session: Session, thread_id: int) -> str:
    """Return how a command names a thread, for whoever mistyped its number."""
    from monitor.store.engine import reading
    from monitor.store.open_threads import read_place_and_order

    with reading(session.store.engine) as connection:
        marketplace, order_id = read_place_and_order(connection, thread_id)
    parts = [f"thread {thread_id}", marketplace, f"order {order_id}" if order_id else "no order"]
    return ", ".join(part for part in parts if part)


def _say(
    option: Any,
    thread: str,
    kind: "AnswerKind",
    by: str,
    *,
    at: str | None = None,
    snooze_for: timedelta | None = None,
    reason: str | None = None,
) -> None:
    from alerts.core.model import Answer
    from monitor.jobs.answers import apply_answer
    from monitor.store.due import PolicyCache

    session = open_session(option)
    thread_id = find_thread(session, thread)
    now = session.services.utc_now()
    instant = now if at is None else parse_instant_option(at, "--at", session)
    if instant > now:
        raise ConfigError("--at", [f"{at}: lies in the future. Write when the reply was sent."])
    _require_after_start(session, thread_id, instant)
    answer = Answer(
        event_id=f"shell:{uuid.uuid4().hex}",
        kind=kind,
        by=by,
        at=instant,
        source="shell",
        thread_id=thread_id,
        snooze_for=snooze_for,
        reason=reason,
    )
    result = apply_answer(session.services, PolicyCache(), answer)
    named = facts_line(result.threads[0]) if result.threads else f"thread {thread_id}"
    if not result.accepted:
        raise ReplyByError(f"{named}: {_REFUSALS.get(result.text_key, result.text_key)}")
    zone = session.config.worker.time_zone
    facts = result.threads[0]
    until = facts.acknowledgement_expires_at if result.text_key == "acknowledged" else facts.snoozed_until
    words = _CONFIRMATIONS[result.text_key].format(by=by, until="" if until is None else local_text(until, zone, now))
    print_line(f"{named}: {words}")


def _require_after_start(session: Session, thread_id: int, at: datetime) -> None:
    from monitor.store.decisions import read_open_clock
    from monitor.store.engine import reading

    with reading(session.store.engine) as connection:
        clock = read_open_clock(connection, thread_id)
    if clock is not None and at < clock.started_at:
        started = local_text(clock.started_at, session.config.worker.time_zone, session.services.utc_now())
        raise ConfigError(
            "--at", [f"{instant_text(at)}: before the buyer wrote ({started}). Write when the reply was sent."]
        )


_CONFIRMATIONS = {
    "acknowledged": "{by} has it until {until}; then it rings again if no reply went out.",
    "snoozed": "quiet until {until}.",
    "answered": "marked as answered by {by}. Undo: the same command with --undo.",
    "waived": "no response needed, says {by}. Mark it in Seller Central too: only that counts for Amazon. "
    "Undo: replyby unwaive.",
    "undone": "the mark was taken back; the clock runs on from where it was.",
    "stays_closed": "the mark was taken back; a reply or another mark closes it all the same.",
}
_REFUSALS = {
    "already_closed": "nothing waits for a reply; nothing was changed.",
    "unknown_thread": "no such thread; nothing was changed.",
    "nothing_to_undo": "no mark made by hand; nothing was changed.",
}


def acknowledge(thread: ThreadArgument, by: ByOption, config: ConfigOption = None) -> None:
    """Say that a person has it. Escalation stops, the clock runs on."""
    from alerts.core.model import AnswerKind

    _say(config, thread, AnswerKind.ACKNOWLEDGE, by)


def snooze(
    thread: ThreadArgument,
    by: ByOption,
    for_: Annotated[str, typer.Option("--for", metavar="DURATION", help="How long: 30m, 1h.")] = "1h",
    config: ConfigOption = None,
) -> None:
    """Ring nobody for a while. It ends half an hour before the deadline; in that half hour, at the deadline."""
    from alerts.core.model import AnswerKind

    _say(config, thread, AnswerKind.SNOOZE, by, snooze_for=parse_span_option(for_, "--for"))


def answered(
    by: ByOption,
    thread: Annotated[str | None, typer.Argument(metavar="[THREAD]", help="Id or order number.")] = None,
    at: Annotated[
        str | None, typer.Option("--at", metavar="INSTANT", help=f"When the reply was sent; default: now. {INSTANT}.")
    ] = None,
    before: Annotated[
        str | None,
        typer.Option(
            "--before", metavar="INSTANT", help=f"Settle everything that began to wait before this: {INSTANT}."
        ),
    ] = None,
    undo: Annotated[bool, typer.Option("--undo", help="Take the thread's last mark back.")] = False,
    config: ConfigOption = None,
) -> None:
    """Say that a reply went out that the worker could not see. With --before, settle an old backlog."""
    from alerts.core.model import AnswerKind

    if (thread is None) == (before is None):
        raise ConfigError("replyby answered", ["name a THREAD, or give --before INSTANT for an old backlog; not both."])
    if before is not None and (undo or at is not None):
        raise ConfigError("replyby answered", ["--undo and --at go with one THREAD. Leave --before out."])
    if thread is not None:
        _say(config, thread, AnswerKind.UNDO if undo else AnswerKind.ANSWERED, by, at=at)
        return
    from monitor.jobs.answers import settle_before

    session = open_session(config)
    instant = parse_instant_option(before or "", "--before", session)
    if instant > session.services.utc_now():
        raise ConfigError("--before", [f"{before}: lies in the future. Write when the backlog ends."])
    count = settle_before(session.services, instant, by=by, source="shell")
    print_line(
        f"{count} {'thread' if count == 1 else 'threads'} marked as answered by {by}; each can be undone on its own."
    )


def waive(
    thread: ThreadArgument,
    by: ByOption,
    reason: Annotated[str | None, typer.Option("--reason", metavar="TEXT", help="Why; stands in the history.")] = None,
    config: ConfigOption = None,
) -> None:
    """Say that no response is needed."""
    from alerts.core.model import AnswerKind

    _say(config, thread, AnswerKind.WAIVE, by, reason=reason)


def unwaive(thread: ThreadArgument, by: ByOption, config: ConfigOption = None) -> None:
    """Take a mark back. A waiver, or an `answered`: the clock runs on from where it was."""
    from alerts.core.model import AnswerKind

    _say(config, thread, AnswerKind.UNDO, by)
