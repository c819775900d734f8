"""The `replyby` commands: read options, call jobs, print, pick the exit status. Decides nothing about clocks.

Exit status: 0 done, 1 failed at run time, 2 wrong usage or configuration. Everything heavy is imported by the command that
needs it, so that `--help` answers at once.
"""

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from monitor.cli import checks, importing, keeping, mails, people, reports, reviews, running, setup, testing, threads
from monitor.cli.options import Commands
from monitor.cli.output import print_line, print_problem, telling_a_full_disk
from monitor.errors import ConfigError, ReplyByError

app = typer.Typer(
    name="replyby",
    cls=Commands,
    help="Watches an Amazon seller's unanswered buyer messages and warns before the 24 hours are over.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


def _print_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import PackageNotFoundError, version

        try:
            print_line(version("replyby"))
        except PackageNotFoundError:
            print_line("not installed")
        raise typer.Exit


@app.callback()
def _root(
    context: typer.Context,
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and end.")
    ] = False,
    config: Annotated[str | None, typer.Option("--config", hidden=True)] = None,
) -> None:
    """Do nothing beyond what the command does."""
    del version
    if config is not None:
        command = context.invoked_subcommand
        print_problem(f"--config stands behind the command: replyby {command} --config {config}.")
        raise typer.Exit(2)


for room in (setup, importing, checks, testing, running, threads, reviews, people, mails, reports, keeping):
    room.register(app)


def main() -> None:
    """Run a command and exit with its status."""
    if sys.stdout is None:  # closed by whoever called
        sys.stdout = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115  until the process ends
    try:
        try:
            app()
        finally:
            with telling_a_full_disk():
                sys.stdout.flush()
    except ConfigError as error:
        print_problem(str(error))
        sys.exit(2)
    except ReplyByError as error:
        print_problem(str(error))
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:
        # The reader went away (`replyby status | head`): nothing is wrong, and nothing more can be said.
        sys.stderr.close()
        sys.exit(0)
