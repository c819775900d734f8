"""Commands about what a person has to decide, and what was decided: review, match, not-a-message, history."""

from typing import TYPE_CHECKING, Annotated

import typer

from monitor.cli.options import LARGEST_ID, ByOption, ConfigOption, JsonOption, ThreadArgument, open_session
from monitor.cli.output import instant_text, local_text, print_json, print_line
from monitor.cli.threads import find_thread, named_thread
from monitor.core.shown import show
from monitor.errors import ConfigError, ReplyByError

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from monitor.store.history import Event


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(review)
    app.command()(match)
    app.command("not-a-message")(not_a_message)
    app.command()(history)


SHOWN_DAMAGED = 20
_REVIEW_WORDS = {
    "tie": "fits several threads and closes none",
    "unproven_copy": "confirmation copy without proof that Amazon sent it to you (notified_at); it stops no clock",
    "unverified_message": "buyer message whose origin is not proven; its clock runs",
    "suspicious": "looks like Amazon and is not; starts no clock",
    "unknown_notice": "notice of a kind not known, {detail}; starts no clock",
}


def review(
    config: ConfigOption = None,
    json: JsonOption = False,
    done: Annotated[
        int | None,
        typer.Option("--done", metavar="NUMBER", max=LARGEST_ID, help="Take one line of `replyby review` off."),
    ] = None,
    by: Annotated[str, typer.Option("--by", metavar="NAME", help="Who says so; with --done.")] = "",
) -> None:
    """List what a person has to decide. Beside each the commands that settle it."""
    from monitor.store.engine import reading, writing
    from monitor.store.health import read_bad_mails
    from monitor.store.reviews import dismiss_review, read_reviews

    session = open_session(config)
    if done is not None:
        if not by:
            raise ConfigError("replyby review --done", ["--by NAME is missing. Write who decided."])
        with writing(session.store.engine) as connection:
            if not dismiss_review(connection, done, by=by, now=session.services.utc_now()):
                raise ReplyByError(f"{done}: not on the list. `replyby review` shows it.")
        print_line(f"{done}: taken off the list by {by}.")
        return
    with reading(session.store.engine) as connection:
        items = read_reviews(connection)
        damaged = read_bad_mails(connection, SHOWN_DAMAGED)
    if json:
        print_json(
            {
                "items": [
                    {
                        "review": item.id,
                        "kind": item.kind,
                        "account": item.account,
                        "marketplace": item.marketplace,
                        "copy": None if item.mail is None else str(item.mail),
                        "order_id": item.order_id,
                        "detail": item.detail,
                        "threads": [str(one.id) for one in item.threads],
                        "thread": None if item.thread_id is None else str(item.thread_id),
                        "count": item.count,
                        "received_at": instant_text(item.received_at),
                    }
                    for item in items
                ],
                "damaged": [
                    {
                        "mailbox": one.mailbox,
                        "folder": one.folder,
                        "uid": one.uid,
                        "seen_at": instant_text(one.seen_at),
                        "problem": one.problem,
                    }
                    for one in damaged
                ],
            }
        )
        return
    if not items:
        print_line("Nothing to decide.")
    zone, now = session.config.worker.time_zone, session.services.utc_now()
    for item in items:
        times = f" ({item.count} times)" if item.count > 1 else ""
        where = ", ".join(part for part in (item.account, item.marketplace, item.order_id) if part)
        print_line(
            f"{item.id}  {item.received_at.astimezone(zone):%Y-%m-%d %H:%M}  {where}: "
            f"{_REVIEW_WORDS[item.kind].format(detail=show(item.detail))}{times}"
        )
        for one in item.threads:
            about = f"order {one.order_id}" if one.order_id else f"pre-sale ({one.asin})" if one.asin else "pre-sale"
            wrote = "" if one.started_at is None else f", written {local_text(one.started_at, zone, now)}"
            state = ", waits" if one.closed_at is None else f", settled {local_text(one.closed_at, zone, now)}"
            print_line(f"     {about}{wrote}{state}: replyby match {item.mail} {one.id} --by NAME")
        if item.kind == "unproven_copy":
            print_line(f"     it is a reply to a thread: replyby match {item.mail} THREAD --by NAME")
        if item.thread_id is not None and item.kind == "unverified_message":
            print_line(f"     a genuine message: replyby acknowledge {item.thread_id} --by NAME")
            print_line(f"     none: replyby not-a-message {item.thread_id} --by NAME")
        print_line(f"     seen, nothing to do: replyby review --done {item.id} --by NAME")
    if damaged:
        print_line(f"Read only in part, the newest {len(damaged)} (forgotten by themselves in time):")
    for bad in damaged:
        seen = f"{bad.seen_at.astimezone(zone):%Y-%m-%d %H:%M}"
        print_line(f"  {seen}  {bad.mailbox}, {show(bad.folder)}, mail {bad.uid}: {show(bad.problem)}")


def match(
    copy: Annotated[
        int, typer.Argument(metavar="COPY", max=LARGEST_ID, help="Number of the copy from `replyby review`.")
    ],
    thread: ThreadArgument,
    by: ByOption,
    config: ConfigOption = None,
) -> None:
    """Say which thread a confirmation copy or reply belongs to."""
    from monitor.jobs.answers import match_copy

    session = open_session(config)
    thread_id = find_thread(session, thread)
    if not match_copy(session.services, copy, thread_id, by=by, source="shell"):
        raise ReplyByError(f"{copy}: no such copy, or thread {thread_id} has no clock. `replyby review` lists both.")
    print_line(f"Copy {copy} belongs to {named_thread(session, thread_id)}, says {by}.")


def not_a_message(
    thread: ThreadArgument,
    by: ByOption,
    undo: Annotated[
        bool, typer.Option("--undo", help="Take back the last time: it is one after all, its clock runs on.")
    ] = False,
    config: ConfigOption = None,
) -> None:
    """Say that what waits in a thread is no buyer message. Its clock is taken away."""
    from monitor.jobs.answers import exclude_messages, include_messages

    session = open_session(config)
    thread_id = find_thread(session, thread)
    named = named_thread(session, thread_id)
    if undo:
        count = include_messages(session.services, thread_id, by=by)
        if not count:
            raise ReplyByError(f"{named}: nobody said that it holds no buyer message; nothing was changed.")
        print_line(f"{named}: {count} {'mail waits' if count == 1 else 'mails wait'} for a reply again, says {by}.")
        return
    count = exclude_messages(session.services, thread_id, by=by, source="shell")
    if not count:
        raise ReplyByError(f"thread {thread_id}: nothing waits in it; nothing was changed.")
    what = "mail is" if count == 1 else "mails are"
    print_line(f"{named}: {count} {what} no buyer message, says {by}. Undo: the same command with --undo.")


LATEST = 200  # of the notifications about no thread; a digest a day and a report a week are 420 a year


def history(
    thread: Annotated[
        str | None,
        typer.Argument(
            metavar="THREAD",
            help="Id from `replyby status`, or an order number. Without it: what was told of no thread.",
        ),
    ] = None,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Show everything that happened to one thread, in order. Without one, what was told besides threads."""
    from alerts.told import history as read_told
    from monitor.store.engine import reading
    from monitor.store.history import read_history

    session = open_session(config)
    zone = session.config.worker.time_zone
    thread_id = None if thread is None else find_thread(session, thread)
    with reading(session.store.engine) as connection:
        happened = [] if thread_id is None else read_history(connection, thread_id)
        lines = [(event.at, event.what, event.by, _with_instant(event, None if json else zone)) for event in happened]
        for told in read_told(connection, thread_id, LATEST if thread_id is None else None):
            whom = told.person or told.receiver
            words = f"{told.purpose.value.replace('_', ' ')} to {whom} by {told.channel.value}: {told.status.value}"
            details = [
                told.reason or "",
                f"step {told.step + 1}" if told.step is not None else "",
                f"again {told.occurrence}" if told.occurrence else "",
                f"{told.attempts} attempts" if told.attempts > 1 else "",
                "delivered" if told.delivered_at is not None else "",
                told.error or "",
            ]
            lines.append((told.at, words, None, ", ".join(part for part in details if part)))
    lines.sort(key=lambda line: line[0])
    if json:
        events = [{"at": instant_text(at), "what": what, "by": by, "detail": detail} for at, what, by, detail in lines]
        print_json({"thread": None if thread_id is None else str(thread_id), "events": events})
        return
    if not lines:
        print_line("Nothing was told yet.")
    for at, what, by, detail in lines:
        tail = f" ({detail})" if detail else ""
        # A name or a reason with a line end in it must not look like an event of its own.
        print_line(show(f"{at.astimezone(zone):%a %d %b %H:%M:%S}  {what}{f' by {by}' if by else ''}{tail}"))


def _with_instant(event: "Event", zone: "ZoneInfo | None") -> str:
    """Return an event's detail, the instant it speaks of in the zone of the line itself; without one in UTC."""
    if event.ahead is None:
        return event.detail
    word, at = event.ahead
    said = f"{word} {at:%Y-%m-%d %H:%M:%S} UTC" if zone is None else f"{word} {at.astimezone(zone):%a %d %b %H:%M:%S}"
    return "; ".join(part for part in (said, event.detail) if part)
