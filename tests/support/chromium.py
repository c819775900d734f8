"""A real Chromium, headless, for what a person would look at."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from tests.support.programs import require_program

PICTURES = Path(__file__).parents[2] / "test-output"
WALL = (1920, 1080)
PHONE = (390, 844)


@contextmanager
def open_browser() -> Iterator[Browser]:
    """Yield a running browser; it may not leave this machine."""
    path = require_program("chromium")
    flags = [
        "--no-sandbox",
        "--disable-gpu",
        "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
    ]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=flags)
        try:
            yield browser
        finally:
            browser.close()


def take_picture(page: Page, name: str) -> Path:
    """Write test-output/NAME.png of what the window shows and return its path."""
    PICTURES.mkdir(exist_ok=True)
    path = PICTURES / f"{name}.png"
    page.screenshot(path=path)
    return path
