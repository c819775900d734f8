"""Folders and files that only their owner may read, whatever the umask says."""

import os
from pathlib import Path

FOLDER_MODE = 0o700
FILE_MODE = 0o600


def make_private_folder(folder: Path) -> None:
    """Make a folder and what is missing above it, each with mode 0700; one that exists is left as it is.

    Raises:
        OSError: it cannot be made.
    """
    missing = [part for part in (folder, *folder.parents) if not part.exists()]
    for part in reversed(missing):
        part.mkdir(mode=FOLDER_MODE, exist_ok=True)
    if not folder.is_dir():
        folder.mkdir()  # raises what is wrong with it


def private_opener(path: str, flags: int) -> int:
    """Return a descriptor for `open(..., opener=private_opener)`: a file that is made gets mode 0600."""
    return os.open(path, flags, FILE_MODE)
