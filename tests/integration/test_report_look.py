"""The report as people see it: a small phone, a mail program without styles, A4. Pictures stay in test-output/report/."""

import re
from collections.abc import Iterator
from pathlib import Path

import pypdfium2  # type: ignore[import-untyped]
import pytest
from playwright.sync_api import Browser

from monitor.report.publish import RenderedReport
from monitor.report.render_html import render_html
from monitor.report.wording import LANGUAGES
from tests.support.chromium import PICTURES, open_browser
from tests.support.report_pages import PHONE_HEIGHT, PHONE_WIDTH, differing_report, open_page, sample_report

pytestmark = pytest.mark.integration

KEPT = PICTURES / "report"
A4_POINTS = (595, 842)
LOWEST_CONTRAST = 4.5  # WCAG 2.2, level AA
CONTRASTS = """() => {
  const luminance = colour => {
    const parts = colour.match(/[\\d.]+/g).slice(0, 3).map(Number).map(v => v / 255);
    const [r, g, b] = parts.map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = element => {
    for (let e = element; e; e = e.parentElement) {
      const colour = getComputedStyle(e).backgroundColor;
      if (!/, 0\\)$/.test(colour)) return colour;
    }
    return 'rgb(255, 255, 255)';
  };
  return [...document.querySelectorAll('body *')]
    .filter(e => [...e.childNodes].some(n => n.nodeType === 3 && n.textContent.trim()))
    .map(e => {
      const style = getComputedStyle(e);
      const [a, b] = [luminance(style.color), luminance(behind(e))];
      const contrast = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
      return {text: e.textContent.slice(0, 40), contrast, size: parseFloat(style.fontSize)};
    });
}"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    KEPT.mkdir(parents=True, exist_ok=True)
    with open_browser() as opened:
        yield opened


@pytest.fixture(scope="module", params=LANGUAGES)
def rendered(request: pytest.FixtureRequest) -> RenderedReport:
    return sample_report(request.param)


def kept(rendered: RenderedReport, name: str) -> Path:
    return KEPT / f"{rendered.view.language}-{name}"


def test_a_phones_first_screen_answers_the_three_questions(browser: Browser, rendered: RenderedReport) -> None:
    page = open_page(browser, render_html(rendered.view, rendered.pictures))
    page.screenshot(path=kept(rendered, "phone-first-screen.png"))
    page.screenshot(path=kept(rendered, "phone.png"), full_page=True)
    assert page.evaluate("document.documentElement.scrollWidth") == PHONE_WIDTH
    last_line = page.locator(".line").last.bounding_box()
    assert last_line is not None
    assert last_line["y"] + last_line["height"] < PHONE_HEIGHT
    assert page.locator(".line").count() == 4
    assert (
        page.locator("h1").inner_text().split()
        == " ".join(
            part for part in (rendered.view.rate_before, rendered.view.rate, rendered.view.rate_words) if part
        ).split()
    )
    page.close()


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_difference_from_amazon_still_leaves_all_on_the_first_screen(browser: Browser, language: str) -> None:
    rendered = differing_report(language)
    page = open_page(browser, render_html(rendered.view, rendered.pictures))
    page.screenshot(path=kept(rendered, "phone-difference.png"))
    assert page.evaluate("document.documentElement.scrollWidth") == PHONE_WIDTH
    last_line = page.locator(".line").last.bounding_box()
    assert last_line is not None
    assert last_line["y"] + last_line["height"] < PHONE_HEIGHT
    page.close()


def test_everything_on_a_phone_can_be_read(browser: Browser, rendered: RenderedReport) -> None:
    page = open_page(browser, render_html(rendered.view, rendered.pictures))
    texts = page.evaluate(CONTRASTS)
    assert len(texts) > 100
    assert [one for one in texts if one["contrast"] < LOWEST_CONTRAST] == []
    assert [one for one in texts if one["size"] < 11] == []
    pictures = page.evaluate("[...document.images].map(i => [i.naturalWidth, i.clientWidth, i.alt.length])")
    assert len(pictures) == 2
    assert all(natural >= 2 * shown and alt > 80 for natural, shown, alt in pictures)
    page.close()


def test_a_mail_program_that_drops_styles_shows_the_same_first_screen(
    browser: Browser, rendered: RenderedReport
) -> None:
    html = re.sub(r"<style.*?</style>", "", render_html(rendered.view, rendered.pictures), flags=re.DOTALL)
    page = open_page(browser, html)
    page.screenshot(path=kept(rendered, "phone-without-styles.png"))
    assert page.evaluate("getComputedStyle(document.querySelector('.rate')).fontSize") == "38px"
    assert page.evaluate("document.images[0].getBoundingClientRect().right") <= PHONE_WIDTH
    assert page.evaluate("document.documentElement.scrollWidth") == PHONE_WIDTH
    page.close()


def test_on_paper_it_is_a_few_a4_pages_that_waste_none(browser: Browser, rendered: RenderedReport) -> None:
    page = open_page(browser, render_html(rendered.view, rendered.pictures))
    path = kept(rendered, "a4.pdf")
    page.pdf(path=path, prefer_css_page_size=True, print_background=True)
    page.close()
    document = pypdfium2.PdfDocument(path)
    try:
        assert 2 <= len(document) <= 4
        for number, sheet in enumerate(document, start=1):
            assert tuple(round(side) for side in sheet.get_size()) == A4_POINTS
            picture = sheet.render(scale=1.5).to_pil()
            picture.save(kept(rendered, f"a4-{number}.png"))
            ink = picture.convert("L").point(lambda shade: 255 if shade < 200 else 0).getbbox()
            assert ink is not None
            left, _, right, _ = ink
            assert left > 0.04 * picture.width
            assert right < 0.96 * picture.width
            words = sheet.get_textpage().get_text_range()
            if number == 1:
                assert rendered.view.verdict.split()[-2] in words
    finally:
        document.close()
