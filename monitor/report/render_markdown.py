"""A report as Markdown, for a wiki; and as plain text, for a terminal and the text part of a mail."""

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
    """Return the report as plain text with aligned tables: for a terminal, and the text part of a mail."""
    blocks = [view.subject, view.span]
    blocks += [f"{line.label}{view.colon} {line.text}" if line.label else line.text for line in view.lines]
    for section in view.sections:
        parts = [f"- {item}" for item in section.items]
        for entry in section.entries:
            parts += [entry.title, *(f"  {line}" for line in entry.lines)]
        if section.picture:
            parts.append(view.alt[section.picture])
        parts += section.paragraphs
        parts = ["\n".join(parts)] if parts else []
        parts += [_aligned(table) for table in section.tables]
        if section.title:
            parts[:1] = ["\n".join([section.title.upper(), *parts[:1]])]
        blocks += parts
    return "\n\n".join([*blocks, *view.notes]) + "\n"


def _aligned(table: Table) -> str:
    """Return the table with its first column to the left and the figures to the right."""
    rows = (table.columns, *table.rows)
    widths = [max(len(row[column]) for row in rows) for column in range(len(table.columns))]
    return "\n".join(
        "  ".join([row[0].ljust(widths[0]), *(c.rjust(w) for c, w in zip(row[1:], widths[1:], strict=True))]).rstrip()
        for row in rows
    )


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
