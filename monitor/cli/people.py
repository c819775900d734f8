"""Commands about people: oncall, silence."""

import re
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from monitor.cli.options import (
    INSTANT,
    LARGEST_ID,
    ByOption,
    CommentOption,
    ConfigOption,
    JsonOption,
    Session,
    open_session,
    parse_instant_option,
    parse_span_option,
)
from monitor.cli.output import instant_text, print_json, print_line, print_table
from monitor.cli.threads import find_thread
from monitor.errors import ConfigError, ReplyByError

if TYPE_CHECKING:
    from alerts.core.policy import Matcher
    from alerts.core.suppress import Silence

AHEAD = timedelta(days=14)
_ORDER = re.compile(r"\d{3}-\d{7}-\d{7}")
_NUMBER = re.compile(r"-?[0-9]+")


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(oncall)
    silence = typer.Typer(help="Mute alerts, never clocks, until a stated end.", no_args_is_help=True)
    silence.command("add")(silence_add)
    silence.command("list")(silence_list)
    silence.command("expire")(silence_expire)
    app.add_typer(silence, name="silence")


def oncall(
    config: ConfigOption = None,
    at: Annotated[
        str | None, typer.Option("--at", metavar="INSTANT", help=f"Another instant than now: {INSTANT}.")
    ] = None,
    json: JsonOption = False,
) -> None:
    """Say who is on call, now or then. Warns of gaps ahead and of phones never proven."""
    from alerts.core.schedule import gaps, on_call_at
    from monitor.jobs.answers import PROVEN
    from monitor.store.engine import reading
    from monitor.store.health import read_marks

    session = open_session(config)
    now = session.services.utc_now()
    instant = now if at is None else parse_instant_option(at, "--at", session)
    schedules = session.services.directory.schedules
    with reading(session.store.engine) as connection:
        proven = {name.removeprefix(PROVEN) for name in read_marks(connection, PROVEN)}
    people = {person.name: person for person in session.config.people}
    found = {name: on_call_at(schedule, instant) for name, schedule in schedules.items()}
    ahead = {name: gaps(schedule, instant, instant + AHEAD) for name, schedule in schedules.items()}
    if json:
        print_json(
            {
                "at": instant_text(instant),
                "schedules": [
                    {
                        "schedule": name,
                        "person": person,
                        "proven": person in proven,
                        "gaps": [
                            {"from": instant_text(gap.from_at), "to": instant_text(gap.to_at)} for gap in ahead[name]
                        ],
                    }
                    for name, person in found.items()
                ],
            }
        )
        return
    if not schedules:
        print_line("No [[schedule]] is configured: receivers name their people themselves.")
    zone = session.config.worker.time_zone
    for name, person in found.items():
        print_line(f"{name}: {person or 'nobody'}")
        for gap in ahead[name][:3]:
            span = f"{gap.from_at.astimezone(zone):%a %d %b %H:%M} to {gap.to_at.astimezone(zone):%a %d %b %H:%M}"
            print_line(f"  nobody is on call from {span}. Add a [[schedule.override]], or fill the rotation.")
        if person is not None and people[person].phone and person not in proven:
            print_line(f"  {person}'s phone was never proven. Run: replyby send-test RECEIVER --page")


def silence_add(
    by: ByOption,
    match: Annotated[
        list[str],
        typer.Option(
            "--match",
            metavar="KEY=VALUE",
            help="account, marketplace, label, min_priority, thread or order; of one key any must fit, of several all.",
        ),
    ],
    for_: Annotated[str, typer.Option("--for", metavar="DURATION", help="How long: 2h, 3d.")],
    comment: CommentOption,
    config: ConfigOption = None,
) -> None:
    """Mute the alerts of what fits, for a while."""
    from alerts.core.suppress import Silence
    from monitor.store.due import wake_clocks
    from monitor.store.engine import writing
    from monitor.store.silences import record_silence

    session = open_session(config)
    now = session.services.utc_now()
    matcher, threads, orders = _parse_match(match, session)
    silence = Silence(
        id=0,
        author=by,
        comment=comment,
        starts_at=now,
        ends_at=now + parse_span_option(for_, "--for"),
        matcher=matcher,
        thread_ids=threads,
        order_ids=orders,
    )
    with writing(session.store.engine) as connection:
        number = record_silence(connection, silence)
        wake_clocks(connection, now)
    end = silence.ends_at.astimezone(session.config.worker.time_zone)
    print_line(
        f"Silence {number} until {end:%a %d %b %H:%M}. Clocks run on. End it sooner: replyby silence expire {number}"
    )


def _parse_match(pairs: list[str], session: Session) -> "tuple[Matcher, frozenset[int], frozenset[str]]":
    from alerts.core.policy import Matcher
    from monitor.core.labels import PRIORITIES
    from monitor.core.marketplaces import MARKETPLACES

    known = ("account", "marketplace", "label", "min_priority", "thread", "order")
    values: dict[str, set[str]] = {key: set() for key in known}
    problems = []
    accounts = {account.name for account in session.config.accounts}
    countries = {marketplace.country for marketplace in MARKETPLACES}
    labels = {*PRIORITIES, *(rule.name for rule in session.config.labels)}
    for pair in pairs:
        key, separator, value = pair.partition("=")
        value = value.upper() if key == "marketplace" else value
        if not separator or key not in values or not value:
            problems.append(f"--match {pair!r}: write KEY=VALUE with one of {', '.join(known)}.")
        elif key == "account" and value not in accounts:
            problems.append(f"--match {pair!r}: no such account. Accounts: {', '.join(sorted(accounts))}.")
        elif key == "marketplace" and value not in countries:
            problems.append(
                f"--match {pair!r}: no such marketplace. Write a country code: {', '.join(sorted(countries))}."
            )
        elif key == "label" and value not in labels:
            problems.append(f"--match {pair!r}: no such label. Labels: {', '.join(sorted(labels))}.")
        elif key == "order" and not _ORDER.fullmatch(value):
            problems.append(f"--match {pair!r}: no order number. Write it as 402-1234567-1234567.")
        elif key in ("thread", "min_priority") and not _NUMBER.fullmatch(value):
            problems.append(f"--match {pair!r}: not a whole number. Write it in digits.")
        elif key == "thread":
            try:
                values[key].add(str(find_thread(session, value)))  # one that became part of another counts as that
            except ReplyByError as error:
                problems.append(f"--match {pair!r}: {str(error).removeprefix(f'{value}: ')}")
        else:
            values[key].add(value)
    if problems:
        raise ConfigError("replyby silence add", problems)
    priority = min((int(value) for value in values["min_priority"]), default=None)
    matcher = Matcher(
        accounts=frozenset(values["account"]),
        marketplaces=frozenset(values["marketplace"]),
        labels=frozenset(values["label"]),
        min_priority=priority,
    )
    return matcher, frozenset(int(value) for value in values["thread"]), frozenset(values["order"])


def silence_list(config: ConfigOption = None, json: JsonOption = False) -> None:
    """List the silences that have not ended."""
    from monitor.store.engine import reading
    from monitor.store.silences import read_silences

    session = open_session(config)
    with reading(session.store.engine) as connection:
        silences = read_silences(connection, session.services.utc_now())
    if json:
        print_json(
            {
                "silences": [
                    {
                        "silence": one.id,
                        "match": _match_words(one),
                        "by": one.author,
                        "comment": one.comment,
                        "from": instant_text(one.starts_at),
                        "until": instant_text(one.ends_at),
                    }
                    for one in silences
                ]
            }
        )
        return
    if not silences:
        print_line("Nothing is silenced.")
        return
    zone = session.config.worker.time_zone
    rows = [
        [
            str(one.id),
            f"{one.ends_at.astimezone(zone):%a %d %b %H:%M}",
            " ".join(_match_words(one)) or "everything",
            one.author,
            one.comment,
        ]
        for one in silences
    ]
    print_table(["SILENCE", "UNTIL", "MATCH", "BY", "WHY"], rows, right=(0,))


def _match_words(silence: "Silence") -> list[str]:
    matcher = silence.matcher
    words = [f"account={value}" for value in sorted(matcher.accounts)]
    words += [f"marketplace={value}" for value in sorted(matcher.marketplaces)]
    words += [f"label={value}" for value in sorted(matcher.labels)]
    words += [f"thread={value}" for value in sorted(silence.thread_ids)]
    words += [f"order={value}" for value in sorted(silence.order_ids)]
    return words + ([] if matcher.min_priority is None else [f"min_priority={matcher.min_priority}"])


def silence_expire(
    number: Annotated[int, typer.Argument(metavar="ID", max=LARGEST_ID, help="From `replyby silence list`.")],
    config: ConfigOption = None,
) -> None:
    """End a silence now; what fell due meanwhile is told at once."""
    from monitor.store.due import wake_clocks
    from monitor.store.engine import writing
    from monitor.store.silences import expire_silence

    session = open_session(config)
    now = session.services.utc_now()
    with writing(session.store.engine) as connection:
        ended = expire_silence(connection, number, now)
        wake_clocks(connection, now)
    if not ended:
        raise ReplyByError(f"{number}: no such silence, or it has ended. `replyby silence list` shows them.")
    print_line(f"Silence {number} ended.")
