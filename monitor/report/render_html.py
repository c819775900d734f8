"""A report as one HTML page: for a file with its pictures inside, or for a mail that carries them beside."""

import base64
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files

from css_inline import CSSInliner
from jinja2 import DictLoader, Environment, StrictUndefined, Template

from monitor.report.pictures import Picture
from monitor.report.view import View


def render_html(view: View, pictures: Sequence[Picture]) -> str:
    """Return the page with its pictures inside as data URIs: one file that needs nothing else."""
    return _render(view, {p.name: "data:image/png;base64," + base64.b64encode(p.png).decode() for p in pictures})


def render_mail_html(view: View, content_ids: Mapping[str, str]) -> str:
    """Return the page for a mail.

    Args:
        content_ids: by picture name, without angle brackets; pictures without one are left out, with their words kept.
    """
    return _render(view, {name: f"cid:{content_id}" for name, content_id in content_ids.items()})


def _render(view: View, sources: Mapping[str, str]) -> str:
    page = _template().render(view=view, sources=sources)
    # Mail programs drop <style>; what only a browser or a printer can use (media rules) stays there as well.
    return CSSInliner(keep_style_tags=True, load_remote_stylesheets=False).inline(page)


@cache
def _template() -> Template:
    text = files("monitor.report").joinpath("report.html.j2").read_text(encoding="utf-8")
    environment = Environment(
        loader=DictLoader({"report": text}),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("report")
