"""The directory that the report's files are written into: whether they can be."""

import errno
import os
from pathlib import Path


def find_directory_trouble(directory: Path) -> str | None:
    """Return a line about a directory that this user could not write into, or None. Makes nothing."""
    for folder in (directory, *directory.parents):
        try:
            folder.stat()
        except FileNotFoundError:
            continue
        except OSError as error:
            return render_directory_trouble(directory, error)
        if not folder.is_dir():
            return render_directory_trouble(directory, OSError(errno.ENOTDIR, os.strerror(errno.ENOTDIR)))
        if os.access(folder, os.W_OK | os.X_OK):
            return None
        read_only = bool(os.statvfs(folder).f_flag & os.ST_RDONLY)
        why = errno.EROFS if read_only else errno.EACCES
        return render_directory_trouble(directory, OSError(why, os.strerror(why)))
    return None


def render_directory_trouble(directory: Path, error: OSError) -> str:
    """Return what is said where the directory cannot be written."""
    return (
        f"[report] directory: {directory} cannot be written ({error.strerror}). "
        "Give it to the worker's user, or name another."
    )
