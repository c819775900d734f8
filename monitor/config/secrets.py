"""Secrets by reference: `env:NAME`, `file:/path`, or the value itself. No message here ever holds a secret."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
LARGEST_FILE = 65536  # bytes; a secret is short, and the wrong path may be a large file


@dataclass(frozen=True, slots=True)
class Secret:
    """A secret that was read. `warning` says what is unsafe about where it was kept; `literal`: it stood in the file."""

    value: str
    warning: str | None = None
    literal: bool = False

    def __repr__(self) -> str:
        """Show nothing."""
        return "Secret(…)"


def resolve_secret(text: str, environ: Mapping[str, str], directory: Path) -> Secret:
    """Return the secret that `text` names; relative paths are relative to `directory`.

    Raises:
        ValueError: the variable is not set or empty, or the file cannot be read.
    """
    if text.startswith("env:"):
        return Secret(_from_environment(text[4:].strip(), environ))
    if text.startswith("file:"):
        return _from_file(text[5:].strip(), directory)
    return Secret(text, literal=bool(text))


def _from_environment(name: str, environ: Mapping[str, str]) -> str:
    if not _VARIABLE.fullmatch(name):
        raise ValueError("'env:' without the name of a variable. Write \"env:NAME\".")
    value = environ.get(name)
    if value is None:
        raise ValueError(f'environment variable {name} is not set. Set it, or write "file:/path" to read a file.')
    if not value.strip():
        raise ValueError(f"environment variable {name} is empty. Put the secret into it.")
    return value.strip()


def _from_file(name: str, directory: Path) -> Secret:
    if not name or "\0" in name:
        raise ValueError("'file:' without a path. Write \"file:/path\".")
    path = directory / name
    try:
        path = directory / Path(name).expanduser()
        mode = path.stat().st_mode
        with path.open("rb") as file:
            content = file.read(LARGEST_FILE + 1)
    except FileNotFoundError:
        raise ValueError(f"{path} does not exist. Write the secret into that file, with mode 0600.") from None
    except (OSError, RuntimeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "no home directory"
        raise ValueError(f"{path} cannot be read: {reason}. Check its path, owner and mode.") from None
    if len(content) > LARGEST_FILE:
        raise ValueError(f"{path} is larger than {LARGEST_FILE // 1024} KB: not a secret. Check the path.")
    try:
        value = content.decode("utf-8-sig").strip()
    except UnicodeDecodeError:
        raise ValueError(f"{path} is not text. Check the path.") from None
    if not value:
        raise ValueError(f"{path} is empty. Write the secret into it.")
    readable = f"{path} can be read by everyone. Run: chmod 600 {path}" if mode & 0o004 else None
    return Secret(value, warning=readable)
