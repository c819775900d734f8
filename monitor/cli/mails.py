"""Commands about mails: explain, sample."""

from pathlib import Path
from typing import Annotated

import typer

from monitor.cli.options import ConfigOption, JsonOption


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(explain)
    app.command()(sample)


def explain(
    files: Annotated[list[Path], typer.Argument(metavar="FILE.eml...", help="Mails; - reads standard input.")],
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Tell how a mail is classified and which signals said so. Needs no configuration, uses one if there is."""
    raise NotImplementedError


def sample(config: ConfigOption = None, json: JsonOption = False) -> None:
    """Show what templates the mailboxes hold: counts by sender, type and delimiter line, nothing personal."""
    raise NotImplementedError
