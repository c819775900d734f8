"""A report as Markdown: for a terminal, a wiki, the text part of a mail."""

from collections.abc import Mapping

from monitor.report.view import Section, Table, View

_SPECIAL = str.maketrans({char: f"\\{char}" for char in "\\`*_[]<>|#"})


def render_markdown(view: View, picture_files: Mapping[str, str]) -> str:
    """Return the report as Markdown.

    Args:
        picture_files: file name by picture name; a picture without one is replaced by its words.
    """
    blocks = [f"# {_text(view.subject)}", _text(view.span)]
    blocks += [
        f"**{_text(line.label)}{view.colon}** {_text(line.text)}" if line.label else _text(line.text)
        for line in view.lines
    ]
    blocks += [f"*{_text(note)}*" for note in view.notes]
    for section in view.sections:
        blocks += _section(section, view, picture_files)
    return "\n\n".join(blocks) + "\n"


def render_text(view: View) -> str:
    """Return the report as plain text without tables: the first screen, the misses, what to change."""
    blocks = [view.subject, view.span]
    blocks += [f"{line.label}{view.colon} {line.text}" if line.label else line.text for line in view.lines]
    for section in view.sections:
        lines = [f"- {item}" for item in section.items]
        for entry in section.entries:
            lines += [entry.title, *(f"  {line}" for line in entry.lines)]
        lines += section.paragraphs if not section.tables else ()
        if section.picture:
            lines.append(view.alt[section.picture])
        if lines:
            blocks.append("\n".join([section.title.upper(), *lines]) if section.title else "\n".join(lines))
    return "\n\n".join([*blocks, *view.notes]) + "\n"


def _section(section: Section, view: View, picture_files: Mapping[str, str]) -> list[str]:
    blocks = [f"## {_text(section.title)}"] if section.title else []
    if section.picture:
        words = _text(view.alt[section.picture])
        name = picture_files.get(section.picture)
        blocks.append(f"![{words}]({name})" if name else words)
    if section.items:
        blocks.append("\n".join(f"- {_text(item)}" for item in section.items))
    blocks += [_table(table) for table in section.tables]
    for entry in section.entries:
        lines = "\n".join(f"  {_text(line)}  " for line in entry.lines)
        blocks.append(f"- **{_text(entry.title)}**  \n{lines.rstrip()}")
    blocks += [_text(paragraph) for paragraph in section.paragraphs]
    return blocks


def _table(table: Table) -> str:
    rules = ["---", *("---:" for _ in table.columns[1:])]
    rows = [table.columns, tuple(rules), *table.rows]
    return "\n".join("| " + " | ".join(cell if row is rows[1] else _text(cell) for cell in row) + " |" for row in rows)


def _text(text: str) -> str:
    """Return the text with what Markdown would read as marks escaped."""
    return text.translate(_SPECIAL)
