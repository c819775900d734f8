"""Writing config.toml: every key with its meaning beside it, secrets in files of their own, nothing overwritten unasked."""

import json
import os
import re
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from itertools import count
from pathlib import Path
from typing import Any, TypeAlias

from monitor.config.keys import FILE
from monitor.config.loader import parse_config
from monitor.config.model import Config
from monitor.config.schema import Table
from monitor.private import make_private_folder

Document: TypeAlias = Mapping[str, Any]
"""A file as tomllib reads it: tables as mappings, repeated tables as lists of mappings."""

HEADER = """\
# ReplyBy's configuration. `replyby check-config` tells what is wrong with it; README.md explains every key.
"""
COMMENT_COLUMN = 44
SECRETS = "secrets"
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")


def render_file(document: Document) -> str:
    """Return the file's text: tables in the usual order, one key a line, its meaning behind it.

    Raises:
        ValueError: a table or key that config.toml does not know.
    """
    return HEADER + "".join(_render_tables(document, FILE, ()))


def _render_tables(values: Mapping[str, Any], table: Table, path: tuple[str, ...]) -> Iterator[str]:
    unknown = set(values) - set(table.keys) - set(table.tables)
    if unknown:
        raise ValueError(f"{'.'.join(path) or 'the file'}: unknown key {sorted(unknown)[0]!r}")
    for name, inner in table.tables.items():
        if name not in values:
            continue
        inner_path = (*path, name)
        for number, one in enumerate(values[name] if inner.repeated else [values[name]]):
            header = f"[[{'.'.join(inner_path)}]]" if inner.repeated else f"[{'.'.join(inner_path)}]"
            meaning = inner.meaning.partition(". ")[0].rstrip(".").replace("`", "")
            yield "\n" + (_with_comment(header, meaning) if number == 0 else header) + "\n"
            yield from _render_keys(one, inner)
            yield from _render_tables(one, inner, inner_path)


def _render_keys(values: Mapping[str, Any], table: Table) -> Iterator[str]:
    for name, key in table.keys.items():
        if name in values:
            yield _with_comment(f"{name} = {render_toml(values[name])}", key.meaning.replace("`", "")) + "\n"


def _with_comment(line: str, comment: str) -> str:
    return f"{line:<{COMMENT_COLUMN - 2}}  # {comment}" if len(line) < 100 else line


def render_toml(value: Any) -> str:
    """Return a value as TOML writes it on one line."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, Mapping):
        pairs = (f"{_render_key(name)} = {render_toml(item)}" for name, item in value.items())
        return "{ " + ", ".join(pairs) + " }" if value else "{}"
    if isinstance(value, Sequence):
        return "[" + ", ".join(render_toml(item) for item in value) + "]"
    raise TypeError(f"{type(value).__name__} has no place in config.toml")


def _render_key(name: str) -> str:
    return name if _BARE_KEY.fullmatch(name) else render_toml(name)


def secret_file(name: str) -> str:
    """Return what stands in config.toml for a secret that `keep_secret` writes."""
    return f"file:{SECRETS}/{name}"


def keep_secret(directory: Path, name: str, secret: str) -> None:
    """Write a secret into `secrets/<name>` with mode 0600.

    Raises:
        OSError: the folder cannot be written.
    """
    folder = directory / SECRETS
    make_private_folder(folder)
    write_privately(folder / name, secret + "\n")


def write_privately(path: Path, text: str) -> None:
    """Write a file whole or not at all, readable by its owner alone.

    Raises:
        OSError: the folder cannot be written.
    """
    descriptor, draft = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")  # mode 0600 from the first byte
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        Path(draft).replace(path)
    except BaseException:
        Path(draft).unlink(missing_ok=True)
        raise


def write_publicly(path: Path, text: str) -> None:
    """Write a file that everybody may read, whole or not at all, its folders made where they are missing.

    Raises:
        OSError: the folder cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    write_privately(path, text)
    path.chmod(0o644)


def record_config(path: Path, document: Document, environ: Mapping[str, str]) -> tuple[Config, Path | None]:
    """Write config.toml and return what it means, and where the file that stood there before was kept: beside earlier ones.

    The text is read back before it is written: what `check-config` would refuse is never on the disk.

    Raises:
        ConfigError: it would be refused.
        OSError: the folder cannot be written.
    """
    text = render_file(document)
    config = parse_config(text.encode(), path.absolute(), path.name, environ)
    kept = None
    if path.exists():
        kept = _free_name(path)
        write_privately(kept, path.read_text(encoding="utf-8", errors="surrogateescape"))
    write_privately(path, text)
    return config, kept


def _free_name(path: Path) -> Path:
    """Return `config.toml.bak`, or `.bak.1` and so on where an earlier copy has that name."""
    names = (f"{path.name}.bak" + (f".{number}" if number else "") for number in count())
    return next(one for name in names if not (one := path.with_name(name)).exists())
