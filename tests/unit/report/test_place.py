"""Where reports cannot be written is told before one falls due, in one line."""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from monitor.report.place import find_directory_trouble, render_directory_trouble

NOBODY = 65_534


def test_a_directory_that_is_there_or_can_be_made_is_no_trouble(tmp_path: Path) -> None:
    assert find_directory_trouble(tmp_path) is None
    assert find_directory_trouble(tmp_path / "new" / "reports") is None
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("below", ["", "reports"])
def test_a_file_in_its_place_is_told(tmp_path: Path, below: str) -> None:
    (tmp_path / "file").write_text("")
    directory = tmp_path / "file" / below
    assert find_directory_trouble(directory) == (
        f"[report] directory: {directory} cannot be written (Not a directory). "
        "Give it to the worker's user, or name another."
    )


@contextmanager
def no_superuser() -> Iterator[None]:
    """Be somebody who may not write everywhere for a moment; whoever is no superuser stays as they are."""
    if os.getuid() != 0:
        yield
        return
    os.setresuid(NOBODY, NOBODY, 0)
    try:
        yield
    finally:
        os.setresuid(0, 0, 0)


def test_a_directory_of_somebody_else_is_told() -> None:
    with TemporaryDirectory() as name:
        closed = Path(name)
        closed.chmod(0o555)
        with no_superuser():
            said = find_directory_trouble(closed / "reports")
        closed.chmod(0o755)
    assert said is not None
    assert "cannot be written (Permission denied)." in said


def test_a_full_disk_has_the_same_form() -> None:
    said = render_directory_trouble(Path("/srv/reports"), OSError(errno.ENOSPC, "No space left on device"))
    assert said.startswith("[report] directory: /srv/reports cannot be written (No space left on device). Give it")
