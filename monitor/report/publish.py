"""A report in every form: files in a directory, and the content of the notification that sends it by Slack and mail."""

import os
import re
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from alerts.core.words import content
from monitor.report.compose import build_view, wording_of
from monitor.report.model import Report
from monitor.report.pictures import Picture, draw_pictures
from monitor.report.render_csv import render_csv
from monitor.report.render_html import render_html, render_mail_html
from monitor.report.render_json import render_json
from monitor.report.render_markdown import render_markdown, render_text
from monitor.report.view import View

_WHOLE_FILE = 0o666


@dataclass(frozen=True, slots=True, kw_only=True)
class RenderedReport:
    """One report in one language, drawn and worded once, for all forms."""

    report: Report
    view: View
    pictures: tuple[Picture, ...]


def render_report(report: Report, language: str | None = None) -> RenderedReport:
    """Return the report worded and drawn; takes about a second, most of it matplotlib.

    Raises:
        ValueError: there are no words in this language.
    """
    return RenderedReport(
        report=report,
        view=build_view(report, language),
        pictures=draw_pictures(report, wording_of(report, language)),
    )


def report_paths(report: Report, directory: Path) -> dict[str, Path]:
    """Return where `record_report` writes, by form: html, md, json, csv, and the pictures by name."""
    name = f"replyby-{report.week}"
    paths = {form: directory / f"{name}.{form}" for form in ("html", "md", "json", "csv")}
    return paths | {picture: directory / f"{name}-{picture}.png" for picture in ("hours", "weeks")}


def record_report(rendered: RenderedReport, directory: Path) -> dict[str, Path]:
    """Write every form into the directory, which is made if missing, and return the paths by form.

    Each file appears whole or not at all; a report of the same week is replaced.

    Raises:
        OSError: the directory cannot be written; its text names the path.
    """
    directory.mkdir(parents=True, exist_ok=True)
    paths = report_paths(rendered.report, directory)
    picture_files = {picture.name: paths[picture.name].name for picture in rendered.pictures}
    written: dict[str, bytes] = {picture.name: picture.png for picture in rendered.pictures}
    written["html"] = render_html(rendered.view, rendered.pictures).encode()
    written["md"] = render_markdown(rendered.view, picture_files).encode()
    written["json"] = render_json(rendered.report).encode()
    # Excel takes a CSV for Latin-1 unless it begins with a byte order mark.
    written["csv"] = render_csv(rendered.report).encode("utf-8-sig")
    for form, data in written.items():
        _replace_file(paths[form], data)
    return paths


def report_content(rendered: RenderedReport, paths: Mapping[str, Path], *, whole: bool = True) -> dict[str, Any]:
    """Return the content of a notification of purpose REPORT, as `alerts.core.words.content.report` fixes it.

    The first screen as headline and lines; text and HTML for a mail, in which the pictures are `cid:<name>`; the pictures
    as files that are read when they are sent.

    Args:
        paths: what `record_report` returned; a picture without a path is left out, in the HTML its words stay.
        whole: False leaves text and HTML out, for channels that show the first screen alone.
    """
    view = rendered.view
    images = [
        content.report_image(picture.name, picture.title, str(paths[picture.name]), picture.alt)
        for picture in rendered.pictures
        if picture.name in paths
    ]
    return content.report(
        headline=view.subject,
        lines=[f"{line.label}{view.colon} {line.text}" if line.label else line.text for line in view.lines]
        + list(view.notes),
        text=render_text(view) if whole else "",
        html=render_mail_html(view, {image["name"]: image["name"] for image in images}) if whole else "",
        images=images,
    )


def _replace_file(path: Path, data: bytes) -> None:
    """Write beside and rename, so that nobody reads half a report."""
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    beside = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
        beside.chmod(_WHOLE_FILE & ~_umask())
        beside.replace(path)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise


def _umask() -> int:
    """Return the process's umask from Linux's own account of it; asking by os.umask would set it for a moment."""
    status = Path("/proc/self/status")
    found = re.search(r"^Umask:\s*([0-7]+)$", status.read_text(), re.MULTILINE) if status.exists() else None
    return int(found[1], 8) if found else 0o022
