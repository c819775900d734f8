"""The report of the invented seller as Chromium shows it; run as a program it draws the README's picture.

python -m tests.support.report_pages grafana/pictures/report.png
"""

import io
import sys
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page

from monitor.core.difference import Difference, Likely
from monitor.report.build import build_report
from monitor.report.publish import RenderedReport, render_report
from monitor.report.render_html import render_html
from tests.support.chromium import open_browser
from tests.support.report_source import SAMPLE_NOW, SAMPLE_WEEK, sample_settings, sample_source

PHONE_WIDTH, PHONE_HEIGHT = 360, 740  # a small phone: what fits here fits everywhere


def sample_report(language: str = "en") -> RenderedReport:
    """Return the invented seller's week, worded and drawn."""
    return render_report(build_report(sample_source(), SAMPLE_WEEK, SAMPLE_NOW, sample_settings(language)))


def differing_report(language: str = "en") -> RenderedReport:
    """Return the same week where Amazon sees replies that the mailbox does not show."""
    source = sample_source()
    (figure,) = source.amazon
    difference = Difference(
        account=figure.account,
        marketplace=figure.marketplace,
        window_days=figure.window_days,
        read_at=figure.read_at,
        amazon=0.059,
        ours=0.31,
        causes=(Likely.COPIES_STOPPED, Likely.OTHER_TOOL, Likely.MARKED_THERE),
        copies_last_at=SAMPLE_NOW - timedelta(days=12),
    )
    source.amazon = [replace(figure, difference=difference)]
    return render_report(build_report(source, SAMPLE_WEEK, SAMPLE_NOW, sample_settings(language)))


def open_page(browser: Browser, html: str, width: int = PHONE_WIDTH, height: int = PHONE_HEIGHT) -> Page:
    """Return a page that shows this HTML at phone width, two device pixels to one, pictures decoded."""
    page = browser.new_page(viewport={"width": width, "height": height}, device_scale_factor=2)
    page.set_content(html, wait_until="load")
    return page


def draw_readme_picture(path: Path) -> None:
    """Write the page's first half beside what follows it, in few colours, so that the README stays light."""
    rendered = sample_report()
    with open_browser() as browser:
        page = open_page(browser, render_html(rendered.view, rendered.pictures))
        second = page.locator(".section.weeks").bounding_box()
        assert second is not None
        whole = Image.open(io.BytesIO(page.screenshot(full_page=True))).convert("RGB")
    height, gap = round(second["y"] * 2), 24
    both = Image.new("RGB", (whole.width * 2 + gap * 3, height + gap * 2), "#8c8c8c")
    for place in range(2):
        part = whole.crop((0, place * height, whole.width, (place + 1) * height))
        both.paste(part, (gap + place * (whole.width + gap), gap))
    smaller = both.resize((both.width * 3 // 5, both.height * 3 // 5), Image.Resampling.LANCZOS)
    path.parent.mkdir(parents=True, exist_ok=True)
    smaller.quantize(200, dither=Image.Dither.NONE).save(path, optimize=True)


if __name__ == "__main__":
    draw_readme_picture(Path(sys.argv[1]))
