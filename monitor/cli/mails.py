"""Commands about mails: explain, sample."""

import sys
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from monitor.cli.options import ConfigOption, JsonOption, parse_duration_option, read_config
from monitor.cli.output import print_json, print_line, print_problem
from monitor.errors import ConfigError, ReplyByError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from monitor.config.model import Config
    from monitor.core.messages import Where
    from monitor.parse.context import RecognitionContext

DASH = Path("-")


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(explain)
    app.command()(sample)


def explain(
    files: Annotated[list[Path], typer.Argument(metavar="FILE.eml...", help="Mails; - reads one from standard input.")],
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Tell what a mail is and which signals said so. Needs no configuration, uses one if there is."""
    from monitor.core.sla import SlaPolicy
    from monitor.parse.explain import explain_mail, explained_json, render_explained

    found = _optional_config(config)
    context = _context(found)
    policy = found.sla if found is not None else SlaPolicy()
    documents: list[object] = []
    unread = shown = 0
    for path in files:
        try:
            content = sys.stdin.buffer.read() if path == DASH else path.read_bytes()
        except OSError as error:
            print_problem(f"{path}: cannot be read: {error.strerror}. Name a file that holds one mail.")
            unread += 1
            continue
        explained = explain_mail(str(path), content, context)
        if json:
            documents.append(explained_json(explained))
            continue
        if len(files) > 1:
            print_line(f"{chr(10) if shown else ''}{path}")
        print_line(render_explained(explained, policy))
        shown += 1
    if json:
        print_json(documents)
    if unread:
        raise ReplyByError(f"{unread} of {len(files)} {'file' if len(files) == 1 else 'files'} could not be read.")


def _optional_config(option: Path | None) -> "Config | None":
    """Return the configuration if there is one; a broken one is told and passed over, unless it was named."""
    try:
        return read_config(option)
    except ConfigError as error:
        if option is not None:
            raise
        if "does not exist" not in str(error):
            print_problem(f"{error.where}: not used, because it is not valid. `replyby check-config` says why.")
        return None


def _context(config: "Config | None") -> "RecognitionContext":
    from monitor.parse.context import NO_CONTEXT

    if config is None:
        return NO_CONTEXT
    from monitor.parse.building import build_recognition_context

    named = [mailbox.authserv_id for mailbox in config.mailboxes if mailbox.authserv_id not in ("", "auto")]
    return build_recognition_context(config, None, named[0] if named else "")


def sample(
    config: ConfigOption = None,
    json: JsonOption = False,
    since: Annotated[str, typer.Option("--since", metavar="DURATION", help="How far back to read.")] = "30d",
) -> None:
    """Show what templates the mailboxes hold. Counts by sender, type and delimiter line, nothing personal."""
    from monitor.parse.sample import render_sample, sample_json, sample_mails

    loaded = read_config(config)
    counts = sample_mails(_mails(loaded, parse_duration_option(since, "--since")), _context(loaded))
    if json:
        print_json({"templates": sample_json(counts)})
    else:
        print_line(render_sample(counts))


def _mails(config: "Config", back: timedelta) -> "Iterator[tuple[bytes, Where]]":
    from monitor.bootstrap import build_keepers, build_sources
    from monitor.wallclock import utc_now

    read = 0
    sources = build_sources(config, utc_now, build_keepers(config, utc_now))
    for mailbox in config.mailboxes:
        source = sources[mailbox.name]
        try:
            for batch in source.fetch_new({}, utc_now() - back):
                for mail in batch.mails:
                    yield mail.content, mail.where
                read += len(batch.mails)
                if sys.stderr.isatty():
                    sys.stderr.write(f"\r{mailbox.name}: {read} mails related to Amazon")
        finally:
            source.close()
    if sys.stderr.isatty():
        sys.stderr.write("\n")
