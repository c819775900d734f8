"""Each key is found on the line where it stands, whatever TOML allows around it."""

import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.config.lines import Path as KeyPath
from monitor.config.lines import line_of, locate_keys

DATA = Path(__file__).parents[2] / "data" / "config"
FILES = [*sorted(DATA.glob("*.toml")), Path(__file__).parents[3] / "config.toml"]


def paths_in(value: Any, path: KeyPath = ()) -> list[KeyPath]:
    """Return every way to a value in a parsed document."""
    children: list[tuple[str | int, Any]] = []
    if isinstance(value, dict):
        children = list(value.items())
    elif isinstance(value, list):
        children = list(enumerate(value))
    found = []
    for key, child in children:
        found += [(*path, key), *paths_in(child, (*path, key))]
    return found


@pytest.mark.parametrize("file", FILES, ids=[file.name for file in FILES])
def test_every_key_of_a_real_file_is_found_on_its_line(file: Path) -> None:
    text = file.read_text()
    lines, found = text.splitlines(), locate_keys(text)
    document = tomllib.loads(text)
    assert set(paths_in(document)) <= set(found)
    for path in paths_in(document):
        if isinstance(path[-1], str):
            assert path[-1] in lines[found[path] - 1]


def test_the_awkward_parts_of_toml_do_not_shift_a_line() -> None:
    text = "\n".join(
        [
            '# "remark" = [1, {',  # 1
            "top = 1 # ] }",
            "'literal key' = '\\'",
            '"quoted \\" key" = "a \\" # b"',
            "a.b.c = 5",  # 5
            'long = """',
            "[not.a.table]",
            'x = 1 \\""" "" ',
            '"""""',
            "raw = '''",  # 10
            "y = 2",
            "''''",
            "list = [ # remark ]",
            "  1,",
            '  ["]", { in = 2 }],',  # 15
            "  2026-12-24 09:00:00,",
            "]",
            "inline = { p = { q = [1, 2] }, r.s = 'x' }",
            "[t . 'u']",
            "v = 1",  # 20
            "[[many]]",
            "w = 1",
            "[[many.inner]]",
            "z = 1",
            "[[many.inner]]",  # 25
            "z = 2",
            "[many.single]",
            "k = 3",
            "[[many]]",
            "w = 2",  # 30
            "[[many.inner]]",
            "z = 3",
        ]
    )
    document = tomllib.loads(text)
    found = locate_keys(text)
    assert set(paths_in(document)) <= set(found)
    expected: dict[KeyPath, int] = {
        ("top",): 2,
        ("literal key",): 3,
        ('quoted " key',): 4,
        ("a", "b", "c"): 5,
        ("long",): 6,
        ("raw",): 10,
        ("list", 0): 14,
        ("list", 1, 1, "in"): 15,
        ("list", 2): 16,
        ("inline", "p", "q", 1): 18,
        ("inline", "r", "s"): 18,
        ("t", "u", "v"): 20,
        ("many", 0, "inner", 1, "z"): 26,
        ("many", 0, "single", "k"): 28,
        ("many", 1, "w"): 30,
        ("many", 1, "inner", 0, "z"): 32,
    }
    assert {path: found[path] for path in expected} == expected


def test_what_is_missing_is_told_at_the_table_around_it() -> None:
    found = locate_keys("[a]\n\n[[b]]\nc = 1\n")
    assert line_of(found, ("b", 0, "missing")) == 3
    assert line_of(found, ("nowhere",)) is None


@given(st.text(alphabet="[]{}=\"'#.,\n ab1\\", max_size=60))
def test_no_text_makes_the_search_fail(text: str) -> None:
    found = locate_keys(text)
    assert all(1 <= line <= text.count("\n") + 1 for line in found.values())
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return
    assert set(paths_in(document)) <= set(found)


@pytest.mark.parametrize("text", ["a = [}", "a = [1, }]", "a = [{ b = [} ]", "a = [=]", "a = ["])
def test_a_text_in_which_the_way_is_lost_ends(text: str) -> None:
    assert locate_keys(text)[("a",)] == 1
