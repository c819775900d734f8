"""The token of one mailbox in a file of mode 0600: written whole or not at all, never shown."""

import json
import os
import re
import tempfile
from dataclasses import asdict, dataclass, field, fields
from datetime import datetime
from pathlib import Path

from monitor.errors import LoginRefused
from monitor.private import make_private_folder

_INSTANTS = ("access_expires_at", "signed_in_at", "renewed_at", "refresh_expires_at")


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """What a sign-in gave. Instants are aware UTC.

    Attributes:
        access_expires_at: the access token is worthless from here on.
        signed_in_at: when a person allowed it. renewed_at: when the refresh token was last used or replaced.
        refresh_expires_at: when the refresh token ends if it is not renewed; None: the provider names no end.
    """

    provider: str
    username: str
    client_id: str
    access_token: str = field(repr=False)
    access_expires_at: datetime
    refresh_token: str = field(repr=False)
    signed_in_at: datetime
    renewed_at: datetime
    refresh_expires_at: datetime | None = None


def token_path(state_directory: Path, mailbox: str) -> Path:
    """Return where a mailbox's token lies. Names that differ only in odd characters stay apart."""
    plain = re.sub(r"[^A-Za-z0-9._-]", lambda match: f"%{ord(match[0]):x}", mailbox).lstrip(".")
    return state_directory / "oauth" / f"{plain}.json"


def read_token(path: Path, mailbox: str) -> Token:
    """Return the kept token.

    Raises:
        LoginRefused: there is none, or the file is damaged: somebody has to sign in.
    """
    hint = f"Run `replyby login {mailbox}`."
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        for key in _INSTANTS:
            if document[key] is not None:
                document[key] = datetime.fromisoformat(document[key])
        token = Token(**{each.name: document[each.name] for each in fields(Token)})
    except FileNotFoundError:
        raise LoginRefused(f'mailbox "{mailbox}": nobody has signed in yet. {hint}') from None
    except OSError as error:
        raise LoginRefused(f"{path}: cannot be read: {error.strerror}. Check its owner and mode.") from None
    except (ValueError, KeyError, TypeError):
        raise LoginRefused(f"{path}: not a token file, or damaged. {hint}") from None
    if token.access_expires_at.tzinfo is None:
        raise LoginRefused(f"{path}: not a token file, or damaged. {hint}")
    return token


def record_token(path: Path, token: Token) -> None:
    """Write a token so that a power cut leaves the old one or the new one, readable by its owner alone.

    Raises:
        OSError: the folder cannot be written.
    """
    make_private_folder(path.parent)
    document = asdict(token)
    for key in _INSTANTS:
        document[key] = document[key].isoformat() if document[key] is not None else None
    descriptor, draft = tempfile.mkstemp(dir=path.parent, prefix=".token-")  # mode 0600 from the first byte
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump(document, file)
            file.flush()
            os.fsync(file.fileno())
        Path(draft).replace(path)
    except BaseException:
        Path(draft).unlink(missing_ok=True)
        raise
