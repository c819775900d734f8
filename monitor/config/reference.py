"""Every key of config.toml as Markdown tables: what README.md shows, from the description that reading uses."""

from monitor.config.keys import walk_tables
from monitor.config.problems import render_value
from monitor.config.schema import Key, Table


def render_reference() -> str:
    """Return one Markdown section per table of the file: each key with its default and meaning."""
    parts = []
    for path, table in walk_tables():
        name = ".".join(path)
        header = f"[[{name}]]" if table.repeated else f"[{name}]"
        parts.append(f"#### `{header}`\n\n{table.meaning}\n\n{_render_keys(table)}")
    return "\n".join(parts)


def _render_keys(table: Table) -> str:
    rows = [
        f"| `{key.name}` | {_cell(render_default(key))} | {_cell(_render_meaning(key))} |"
        for key in table.keys.values()
    ]
    return "\n".join(["| key | default | meaning |", "| --- | --- | --- |", *rows]) + "\n"


def render_default(key: Key) -> str:
    """Return a key's default as Markdown: a TOML value, or what its absence means."""
    if key.required:
        return "required"
    if key.default is None or key.default == [] or (key.default == "" and key.unset != "none"):
        return key.unset
    if key.name == "name" and key.unset != "none":
        return key.unset
    return f"`{render_value(key.default)}`"


def _render_meaning(key: Key) -> str:
    """Return the meaning, with the words to choose from where there are few."""
    if not key.kind.choices or key.name == "language":
        return f"{key.meaning}; en, fr, de, es or it" if key.name == "language" else key.meaning
    listed = ", ".join(f"`{choice}`" for choice in key.kind.choices)
    return f"{key.meaning} ({listed})"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
