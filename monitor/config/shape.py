"""From raw TOML to sections: every known key read by its kind, every unknown key and wrong value noted."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from monitor.config.keys import FILE
from monitor.config.kinds import Scope
from monitor.config.lines import Path
from monitor.config.problems import Problems, nearest, render_choice
from monitor.config.schema import Key, Table
from monitor.config.secrets import Secret

_VARIABLE_OF_A_SHELL = re.compile(r"\$(?:[A-Za-z_][A-Za-z0-9_]*|\{[A-Za-z_][A-Za-z0-9_]*\})")


@dataclass(slots=True)
class Section:
    """One table as read. `values` has every key (None: unset); `tables` the sections inside, by name.

    `given` holds the keys that the file has; `sound` says whether a key was right, so that no second problem follows.
    """

    path: Path
    values: dict[str, Any] = field(default_factory=dict)
    tables: dict[str, list["Section"]] = field(default_factory=dict)
    given: set[str] = field(default_factory=set)
    broken: set[str] = field(default_factory=set)

    def __getitem__(self, key: str) -> Any:
        """Return the value of a key, its default, or None."""
        return self.values[key]

    def secret(self, key: str) -> str:
        """Return a secret's text, empty where there is none."""
        value = self.values[key]
        return value.value if isinstance(value, Secret) else ""

    def one(self, name: str) -> "Section | None":
        """Return the table inside that stands at most once."""
        return next(iter(self.tables[name]), None)

    def implied(self, name: str) -> "Section":
        """Return the table inside that stands exactly once, written or not."""
        return self.tables[name][0]

    def at(self, key: str) -> Path:
        """Return the path of a key."""
        return (*self.path, key)

    def sound(self, *keys: str) -> bool:
        """Return whether these keys held no wrong value."""
        return not self.broken.intersection(keys)

    def wholly_sound(self) -> bool:
        """Return whether neither this table nor any inside held a wrong value."""
        return not self.broken and all(inner.wholly_sound() for each in self.tables.values() for inner in each)


def read_sections(raw: Mapping[str, Any], scope: Scope, problems: Problems) -> Section:
    """Return the whole file as sections; what is wrong is noted in `problems` and has its default here."""
    return _read_table(raw, FILE, (), scope, problems)


def _read_table(raw: Mapping[str, Any], table: Table, path: Path, scope: Scope, problems: Problems) -> Section:
    section = Section(path)
    for name in raw:
        if name not in table.keys and name not in table.tables:
            _note_unknown(name, raw[name], table, section, problems)
    for name, key in table.keys.items():
        section.values[name] = _read_default(key, scope)
        if name in raw:
            section.given.add(name)
            _read_key(raw[name], key, section, scope, problems)
        elif key.required and name not in section.broken:
            section.broken.add(name)
            meaning = key.meaning.replace("`", "")
            problems.add(path, f"missing. Write {key.kind.write} ({meaning}).", key=name)
    for name, inner in table.tables.items():
        section.tables[name] = [_read_table({}, inner, (*path, name), scope, problems)] if inner.implied else []
        if name in raw:
            section.given.add(name)
            _read_inner(raw[name], inner, (*path, name), section, scope, problems)
    return section


def _read_default(key: Key, scope: Scope) -> Any:
    return None if key.default is None else key.kind.read(key.default, scope)


def _read_key(value: Any, key: Key, section: Section, scope: Scope, problems: Problems) -> None:
    path = section.at(key.name)
    try:
        section.values[key.name] = key.kind.read(value, scope)
    except ValueError as error:
        section.broken.add(key.name)
        if key.kind.secret:
            problems.add(path, str(error))
        else:
            problems.add_value(path, value, str(error))
    found = section.values[key.name]
    if isinstance(found, Secret) and found.warning:
        problems.warn(path, found.warning)
    elif isinstance(found, Secret) and found.literal and _VARIABLE_OF_A_SHELL.fullmatch(found.value):
        problems.warn(path, 'taken as it stands, with its $: a variable is named without it. Write "env:NAME".')
    elif found == value and isinstance(value, str) and value.startswith(("env:", "file:")):
        problems.warn(
            path, "taken as it stands: variables and files are read for secrets only. Write the value itself."
        )


def _read_inner(value: Any, table: Table, path: Path, section: Section, scope: Scope, problems: Problems) -> None:
    header = ".".join(part for part in path if isinstance(part, str))
    if not table.repeated:
        if isinstance(value, dict):
            section.tables[table.name] = [_read_table(value, table, path, scope, problems)]
        elif isinstance(value, list) and value and all(isinstance(item, dict) for item in value):
            section.tables[table.name] = [_read_table(value[0], table, path, scope, problems)]
            problems.add((*path, 0), f"stands only once. Write [{header}] with single brackets.")
        else:
            section.broken.add(table.name)
            problems.add(path, f"not a table. Write [{header}] and its keys below.")
        return
    if isinstance(value, list) and all(isinstance(item, dict) for item in value):
        section.tables[table.name] = [
            _read_table(item, table, (*path, index), scope, problems) for index, item in enumerate(value)
        ]
        return
    if isinstance(value, dict):
        section.tables[table.name] = [_read_table(value, table, path, scope, problems)]
        _note_single(value, table, path, header, problems)
    else:
        section.broken.add(table.name)
        problems.add(path, f"not a table. Write [[{header}]] and its keys below.")


def _note_single(value: Mapping[str, Any], table: Table, path: Path, header: str, problems: Problems) -> None:
    """Note a repeated table that is there once, as [name], or only by a table inside it: [[name.inner]]."""
    for name in table.tables:
        if name in value and problems.same_line(path, (*path, name)):
            inner = (*path, name, 0) if isinstance(value[name], list) else (*path, name)
            problems.add(inner, f"no [[{header}]] above it. Write [[{header}]] on a line of its own before it.", key="")
            return
    problems.add(path, f"there may be several of these. Write [[{header}]] with double brackets.", key="")


def _note_unknown(name: str, value: Any, table: Table, section: Section, problems: Problems) -> None:
    """Note a key that nobody knows. The key that was probably meant is not missing: nothing more is said of it."""
    known = [*table.keys, *table.tables]
    path = section.at(name)
    if (near := nearest(name, known)) is not None:
        section.broken.add(near)
    if table is FILE:
        header = f"[[{name}]]" if isinstance(value, list) else f"[{name}]"
        noun = "table" if isinstance(value, dict | list) else "key"
        problems.add(
            path, f"unknown {noun}. {render_choice(name, known, 'Tables')}", key=header if noun == "table" else None
        )
    elif name in FILE.tables and near is None:
        written = f"[[{name}]]" if FILE.tables[name].repeated else f"[{name}]"
        problems.add(path, f"unknown key. It is a table of its own: write {written}.")
    else:
        problems.add(path, f"unknown key. {render_choice(name, known, 'Keys')}")
