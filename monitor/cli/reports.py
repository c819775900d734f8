"""Commands about figures: report, amazon-figure."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from monitor.cli.options import ConfigOption, JsonOption, open_session, parse_duration_option
from monitor.cli.output import print_json, print_line
from monitor.errors import ConfigError, ReplyByError

if TYPE_CHECKING:
    from monitor.cli.options import Session
    from monitor.core.snapshot import AmazonSnapshot


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(report)
    app.command("amazon-figure")(amazon_figure)


def report(
    config: ConfigOption = None,
    week: Annotated[
        str | None, typer.Option("--week", metavar="2026-W47", help="ISO week; default: the last whole one.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="DIR", help="Write HTML, Markdown, JSON, CSV and pictures.")
    ] = None,
    language: Annotated[str | None, typer.Option("--language", metavar="CODE", help="en, fr, de, es or it.")] = None,
    json: JsonOption = False,
) -> None:
    """Print the weekly response-rate report, or write its files. Sends nothing."""
    from monitor.core.weeks import last_whole_week, parse_week
    from monitor.jobs.reporting import make_report
    from monitor.report.compose import build_view
    from monitor.report.publish import record_report, render_report
    from monitor.report.render_json import render_json
    from monitor.report.render_markdown import render_text

    language = None if language is None else language.lower()
    if language is not None and language not in ("en", "fr", "de", "es", "it"):
        raise ConfigError("--language", [f"{language!r}: no words in it. Write en, fr, de, es or it."])
    session = open_session(config)
    zone = session.config.worker.time_zone
    try:
        wanted = last_whole_week(session.services.utc_now(), zone) if week is None else parse_week(week)
    except ValueError as error:
        raise ConfigError("--week", [str(error)]) from None
    made = make_report(session.services, wanted, language)
    if out is not None:
        try:
            paths = record_report(render_report(made), out)
        except OSError as error:
            raise ReplyByError(f"{out}: cannot be written: {error.strerror}. Name a directory of your own.") from None
        if json:
            print_json({"files": [str(path) for path in paths.values()]})
            return
        for path in paths.values():
            print_line(str(path))
    elif json:
        print_line(render_json(made).rstrip())
    else:
        print_line(render_text(build_view(made)))


def amazon_figure(
    account: Annotated[str, typer.Option("--account", metavar="NAME", help="Whose figure.")],
    marketplace: Annotated[str, typer.Option("--marketplace", metavar="FR", help="Of which marketplace.")],
    window: Annotated[str, typer.Option("--window", metavar="30d", help="7d, 30d or 90d, as Seller Central shows it.")],
    late: Annotated[str, typer.Option("--late", metavar="3.1%", help="Amazon's late response rate.")],
    config: ConfigOption = None,
) -> None:
    """Note Amazon's own figure, read in Seller Central. It stands beside ours in the report."""
    from monitor.core.marketplaces import MARKETPLACES
    from monitor.core.snapshot import AmazonSnapshot
    from monitor.store.amazon import record_typed_figure
    from monitor.store.engine import writing

    session = open_session(config)
    problems = []
    accounts = [one.name for one in session.config.accounts]
    if account not in accounts:
        problems.append(f"--account {account!r}: no such account. Accounts: {', '.join(accounts)}.")
    countries = sorted(one.country for one in MARKETPLACES)
    marketplace = marketplace.upper()
    if marketplace not in countries:
        problems.append(f"--marketplace {marketplace!r}: no such marketplace. Write one of {', '.join(countries)}.")
    days = parse_duration_option(window, "--window").days
    if days not in (7, 30, 90):
        problems.append(f"--window {window!r}: Amazon shows 7d, 30d and 90d. Write one of them.")
    ratio = _parse_ratio(late)
    if late.strip() == "1":
        problems.append("--late '1': may be one percent or everything. Write 1% or 100%.")
    elif ratio is None:
        problems.append(f"--late {late!r}: not a share. Write 3.1% or 0.031.")
    if problems or ratio is None:
        raise ConfigError("replyby amazon-figure", problems)
    now = session.services.utc_now()
    with writing(session.store.engine) as connection:
        record_typed_figure(connection, account, marketplace, days, ratio, now)
    print_line(
        f"{account}, {marketplace}, {days} d: {ratio:.1%} late, as Amazon says. It stands beside ours in the report."
    )
    figure = AmazonSnapshot(account=account, marketplace=marketplace, window_days=days, read_at=now, late_ratio=ratio)
    for line in _beside_ours(session, figure):
        print_line(line)


def _beside_ours(session: "Session", figure: "AmazonSnapshot") -> list[str]:
    """Return ours of the same days, and what is likely behind it where the two are too far apart."""
    from alerts.core.words.catalog import words_for
    from alerts.core.words.difference import meaning_lines
    from monitor.core.difference import difference_content, find_difference, is_comparable
    from monitor.jobs.comparing import allowed_differences
    from monitor.store.differences import compare_figure, read_surroundings
    from monitor.store.engine import reading

    config, now = session.config, figure.read_at
    with reading(session.store.engine) as connection:
        one = compare_figure(connection, figure, read_surroundings(connection, {figure.account}))
    ours = one.ours[0]
    if ours.late_response_rate is None:
        return ["Ours: no message of these days to judge."]
    messages = "1 message" if ours.judged == 1 else f"{ours.judged} messages"
    lines = [f"Ours of the same days: {ours.late_response_rate:.1%} late, of {messages}."]
    if not is_comparable(one, now):
        return [*lines, "Too few messages, or too few days of mail, to hold the two against each other."]
    found = find_difference(one, allowed_differences(config)[figure.account])
    if found is None:
        return [*lines, "They agree."]
    told = difference_content("", found)["difference"]
    return [*lines, *meaning_lines(words_for("en", config.worker.time_zone.key), told, now)]


def _parse_ratio(text: str) -> float | None:
    stripped = text.strip().replace(",", ".")
    percent = stripped.endswith("%")
    try:
        value = float(stripped.rstrip("% "))
    except ValueError:
        return None
    value = value / 100 if percent else value
    return value if 0 <= value <= 1 else None
