"""Commands about what is kept: backup, forget."""

import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from monitor.cli.options import ConfigOption, JsonOption, Session, open_session, read_config
from monitor.cli.output import print_json, print_line
from monitor.errors import ConfigError, ReplyByError

if TYPE_CHECKING:
    from monitor.jobs.forgetting import Erasure

WHERE_BY_DEFAULT = "env:REPLYBY_BACKUP_PASSPHRASE"
PassphraseOption = Annotated[
    str,
    typer.Option("--passphrase", metavar="SECRET", help="Where the passphrase is: env:NAME or file:/path."),
]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(backup)
    app.command()(forget)


def backup(
    path: Annotated[Path, typer.Argument(metavar="PATH", help="The file to write.")],
    encrypt: Annotated[bool, typer.Option("--encrypt", help="AES-256-GCM; the key for hashes goes inside.")] = False,
    decrypt: Annotated[
        Path | None, typer.Option("--decrypt", metavar="BACKUP", help="Open an encrypted backup into PATH instead.")
    ] = None,
    passphrase: PassphraseOption = WHERE_BY_DEFAULT,
    config: ConfigOption = None,
) -> None:
    """Copy the database while the worker runs. Or open an encrypted copy."""
    if decrypt is not None:
        if encrypt:
            raise ConfigError("replyby backup", ["--encrypt and --decrypt are two commands. Give one of them."])
        _open(decrypt, path, passphrase)
        return
    from sqlalchemy import make_url

    from monitor.store.backup import back_up, note_backup
    from monitor.store.engine import place
    from monitor.store.opening import KEY_FILE
    from monitor.wallclock import utc_now

    loaded = read_config(config)
    url = make_url(loaded.worker.database)
    key_file = loaded.worker.state_directory / KEY_FILE
    if url.get_backend_name() != "sqlite":
        raise ReplyByError(
            f"{place(url)}: PostgreSQL is copied by its own program. "
            f"Run pg_dump --format=custom, and keep {key_file} with the copy."
        )
    database = Path(str(url.database))
    for needed in (database, key_file):
        if not needed.is_file():
            raise ReplyByError(f"{needed}: no such file, so there is nothing to copy. Start the worker first.")
    _require_spare(path, {loaded.path: "the configuration", database: "the database itself", key_file: "its key"})
    words = _read_passphrase(passphrase) if encrypt else None
    # The file as it is: a copy made before an upgrade must not be upgraded first.
    written = back_up(database, path, key_file.read_bytes(), words)
    note_backup(loaded.worker.database, utc_now(), path.absolute())
    size = written[0].stat().st_size
    print_line(f"{written[0]}: {size:,} bytes, {'encrypted' if encrypt else 'not encrypted'}.")
    if encrypt:
        print_line(f"To open it: replyby backup --decrypt {written[0]} replyby.db")
    else:
        print_line(f"{written[1]}: the key for hashes. Keep it apart from the copy; both are needed to restore.")
    print_line(f"Not in it: config.toml, secrets, and the tokens of `replyby login` in {key_file.parent}.")


def _require_spare(path: Path, needed: "Mapping[Path, str]") -> None:
    """Refuse a target whose writing would destroy what the worker needs, or a file that is no backup.

    Last night's backup may be replaced: whoever copies each night writes to one name.
    """
    from monitor.store.backup import is_backup

    taken = {file.resolve(): what for file, what in needed.items()}
    for database in [file for file, what in needed.items() if what.startswith("the database")]:
        taken |= {database.with_name(f"{database.name}{end}").resolve(): "the database's" for end in ("-wal", "-shm")}
    for target in (path, path.with_name(f"{path.name}.key")):
        what = taken.get(target.resolve())
        if what is not None:
            raise ConfigError("replyby backup", [f"{target}: is {what}. Name another file."])
    if path.exists() and not is_backup(path):
        raise ConfigError("replyby backup", [f"{path}: is there and is no backup. Name another file."])


def _open(backup_file: Path, path: Path, passphrase: str) -> None:
    from monitor.store.backup import open_backup

    database, key = open_backup(backup_file, path, _read_passphrase(passphrase))
    print_line(f"{database}: the database. {key}: its key.")
    print_line(
        "To restore: stop the worker, and delete replyby.db-wal and replyby.db-shm where they are beside its database."
    )
    print_line(
        "Put the database where [worker] database says, the key as replyby.key into state_directory (if that is not set: "
        "the folder of the database). Start the worker."
    )


def _read_passphrase(where: str) -> str:
    from monitor.store.backup import SHORTEST_PASSPHRASE

    kind, _, name = where.partition(":")
    if kind == "env" and name:
        words = os.environ.get(name, "")
        missing = f"{where}: not set. Put the passphrase into the environment, or name another with --passphrase."
    elif kind == "file" and name:
        try:
            words = Path(name).read_text("utf-8").strip("\r\n")
        except OSError as error:
            raise ConfigError("--passphrase", [f"{where}: {error.strerror}. Name a file that can be read."]) from None
        missing = f"{where}: empty. Write the passphrase into it."
    else:
        # Never the passphrase itself: everybody on the machine reads the arguments of a process.
        raise ConfigError(
            "--passphrase", ["neither env:NAME nor file:/path. Write where the passphrase is, not itself."]
        )
    if not words:
        raise ConfigError("--passphrase", [missing])
    if len(words) < SHORTEST_PASSPHRASE:
        raise ConfigError(
            "--passphrase", [f"{where}: shorter than {SHORTEST_PASSPHRASE} characters. Take four words or more."]
        )
    return words


def forget(
    name: Annotated[
        str, typer.Argument(metavar="ALIAS-OR-ORDER", help="A buyer's masked address, or an order number.")
    ],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Erase one buyer, here and at Slack and Twilio. In the files of reports too; figures stay."""
    from monitor.bootstrap import build_eraser
    from monitor.jobs.forgetting import forget_buyer
    from monitor.store.engine import reading
    from monitor.store.erasing import find_buyer

    session = open_session(config)
    with reading(session.store.engine) as connection:
        buyer = find_buyer(connection, name, session.services.hasher)
    if not buyer.thread_ids:
        raise ReplyByError(
            f"{name}: no thread of this buyer. Write the order number, or the address at marketplace.amazon."
        )
    if buyer.waiting:
        listed = ", ".join(map(str, buyer.waiting))
        raise ReplyByError(
            f"{name}: still waits for a reply (thread {listed}); without its order nobody could give one. "
            "Answer or waive it first; nothing was erased."
        )
    count = "1 thread" if len(buyer.thread_ids) == 1 else f"{len(buyer.thread_ids)} threads"
    if not yes:
        if not sys.stdin.isatty():
            raise ReplyByError(f"{name}: {count} would be erased for good. Say --yes.")
        typer.confirm(f"{name}: erase {count}, and what was said about it in Slack and by SMS, for good?", abort=True)
    done = forget_buyer(session.services, buyer, build_eraser(session.config))
    remains = [*done.left, *_remains(session)]
    if json:
        print_json(
            {
                "threads": done.threads,
                "texts": done.texts,
                "messages": done.messages,
                "files": [str(path) for path in done.files],
                "remains": remains,
            }
        )
        return
    _print(done, remains)


def _print(done: "Erasure", remains: Sequence[str]) -> None:
    print_line(
        f"Erased: identifiers of {done.threads} {'thread' if done.threads == 1 else 'threads'}, "
        f"{done.texts} texts, {done.messages} messages in Slack and at Twilio, {len(done.files)} files of reports."
    )
    for path in done.files:
        print_line(f"  {path}")
    print_line("What remains, and is not ReplyBy's to erase:")
    for line in remains:
        print_line(f"  {line}")


def _remains(session: Session) -> list[str]:
    from monitor.jobs.forgetting import report_directories
    from monitor.store.engine import reading
    from monitor.store.health import read_mark, read_mark_detail

    kept = " or ".join(map(str, report_directories(session.services)))
    with reading(session.store.engine) as connection:
        copied_at = read_mark(connection, "backup")
        copied_to = read_mark_detail(connection, "backup")
    lines = [
        f'mailbox "{mailbox.name}": the mails themselves, received and sent' for mailbox in session.config.mailboxes
    ]
    if copied_at is not None:
        lines.append(
            f"backups: the last was made {copied_at:%Y-%m-%d %H:%M} UTC ({copied_to}); delete those from before"
        )
    else:
        lines.append("backups of the database, if you made any")
    if session.store.engine.dialect.name != "sqlite":
        lines.append("PostgreSQL: old row versions until its next VACUUM, its write-ahead log, replicas and archives")
    lines += [
        "reports and exports that were copied, sent by mail or printed",
        f"files that `replyby report --out` wrote elsewhere than into {kept}",
        "Slack's and Twilio's own records: that a message was sent, when and to whom; Slack's exports, by its retention",
        "Amazon's own copy, in Seller Central",
        "here: keyed hashes, times and outcomes, which name nobody and keep the figures right",
    ]
    return lines
