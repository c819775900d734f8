"""The command that takes in history: import."""

import logging
import threading
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Annotated, Any

import typer

from monitor.cli.options import ConfigOption, JsonOption, Session, open_session
from monitor.cli.output import instant_text, print_json, print_line
from monitor.cli.threads import settles_backlog
from monitor.errors import ConfigError, MailboxError, ReplyByError, StoreError

if TYPE_CHECKING:
    from monitor.jobs.importing import Imported

RATE_DAYS = 90


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("import")(import_)


def import_(
    path: Annotated[
        Path, typer.Argument(metavar="MBOX-OR-MAILDIR", help="An mbox file (Gmail's own too), or a Maildir.")
    ],
    account: Annotated[
        str | None,
        typer.Option("--account", metavar="NAME", help="Whose mail it is; may be left out where there is one."),
    ] = None,
    sent: Annotated[
        bool, typer.Option("--sent", help="All of it was sent from here: replies. Gmail's own mbox tells by itself.")
    ] = False,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Take in old mail from an export, for figures and reports. Nobody is told of what is over, and nothing counts twice."""
    import structlog

    from monitor.bootstrap import build_import
    from monitor.cli.progress import Progress, say_line
    from monitor.jobs.importing import import_history
    from monitor.store.engine import WorkerLock
    from monitor.worker import stop_on_signals

    session = open_session(config)
    # What was damaged stands in the summary: a line each would bury it.
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    name = _account(session, account)
    _refuse_odd(path)
    lock = WorkerLock(session.store.engine)
    stop = threading.Event()
    stop.set()
    try:
        alone = lock.acquire(stop, poll_seconds=0)
    except StoreError:
        alone = False
    if not alone:
        raise ReplyByError(
            "replyby import: a worker runs on this database. Stop it, import, and start it again: it goes on where it was."
        )
    stop_on_signals(session.services.stopping)
    began = monotonic()
    try:
        mailbox, source, recognise = build_import(session.services, path, name, sent=sent)
        found = import_history(session.services, mailbox, Progress(source, say_line, always=True), recognise)
    except MailboxError as error:
        raise ReplyByError(str(error).replace(f' of [[mailbox]] "import:{name}"', "")) from None
    finally:
        lock.release()
    if json:
        print_json(_document(path, name, found))
    else:
        _print(path, found, monotonic() - began, session)
    if not found.whole:
        raise typer.Exit(130)


def _account(session: Session, given: str | None) -> str:
    names = [one.name for one in session.config.accounts]
    if given is None and len(names) == 1:
        return names[0]
    if given is None:
        raise ConfigError("replyby import", [f"--account is missing. Accounts: {', '.join(names)}."])
    if given not in names:
        raise ConfigError("replyby import", [f"--account {given!r}: no such account. Accounts: {', '.join(names)}."])
    return given


def _refuse_odd(path: Path) -> None:
    """Refuse what is neither a file nor a Maildir, before anything is opened.

    Raises:
        ConfigError: with what to name instead.
    """
    if not path.exists():
        raise ConfigError("replyby import", [f"{path}: no such file or folder. Name an mbox file or a Maildir."])
    if path.is_dir() and not ((path / "cur").is_dir() and (path / "new").is_dir()):
        boxes = sorted(one.name for one in path.iterdir() if one.suffix == ".mbox" or (one / "cur").is_dir())
        there = f" In it: {', '.join(boxes[:5])}." if boxes else ""
        raise ConfigError(
            "replyby import", [f"{path}: a folder without cur and new is no Maildir.{there} Name one of its files."]
        )
    if path.suffix.lower() in (".zip", ".tgz", ".gz", ".pst", ".olm"):
        raise ConfigError(
            "replyby import", [f"{path}: packed. Unpack it, or export as mbox, and name the .mbox file in it."]
        )


def _document(path: Path, account: str, found: "Imported") -> dict[str, Any]:
    return {
        "file": str(path),
        "account": account,
        "whole": found.whole,
        "new": dict(sorted(found.new.items())),
        "known": found.copies,
        "damaged": found.damaged,
        "overdue": found.overdue,
        "oldest_overdue_since": instant_text(found.oldest_at),
    }


def _print(path: Path, found: "Imported", seconds: float, session: Session) -> None:
    from monitor.jobs.intake import count_text

    related = {kind: count for kind, count in found.new.items() if kind != "unrelated"}
    rest = found.new.get("unrelated", 0)
    mails = sum(found.new.values()) + found.copies
    if not mails and found.whole:
        print_line(f"{path.name}: nothing that was not read before.")
        return
    print_line(f"{path.name}: {mails:,} mails in {seconds:.1f} s ({int(mails / max(seconds, 0.001)):,} a second)")
    print_line(f"  new: {count_text(related) or 'nothing'}")
    if found.copies:
        print_line(f"  known already: {found.copies:,}")
    if rest:
        print_line(f"  without anything to do with Amazon: {rest:,}")
    if found.damaged:
        print_line(f"  damaged, read as far as they could be: {found.damaged:,}")
        for place, problem in found.examples:
            print_line(f"    {'byte' if path.is_file() else 'mail'} {place}: {problem}")
    if not found.whole:
        print_line("Stopped. What was read is in; the same command goes on from there.")
        return
    _print_figures(found, session)


def _print_figures(found: "Imported", session: Session) -> None:
    from monitor.store.engine import reading
    from monitor.store.open_threads import read_backlog
    from monitor.store.snapshots import read_rates

    with reading(session.store.engine) as connection:
        rates, backlog = read_rates(connection, session.services.utc_now()), read_backlog(connection)
    own = [windows[RATE_DAYS] for (account, _), windows in rates.items() if account in found.accounts]
    on_time, judged = sum(one[0] for one in own), sum(one[1] for one in own)
    if judged:
        print_line(f"Answered in time, {RATE_DAYS} days: {100 * on_time / judged:.1f} % of {judged:,} buyer messages.")
    if not found.new.get("seller_reply") and not found.new.get("confirmation_copy") and found.new.get("buyer_message"):
        print_line("No reply was in it. If sent mail is a file of its own: replyby import FILE --sent")
    if found.overdue:
        print_line(
            f"{found.overdue:,} {'wait' if found.overdue == 1 else 'waits'} without a reply in what was read. "
            f"Nobody is told. If they were answered: {settles_backlog(backlog)}."
        )
