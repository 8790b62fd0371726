"""A real Chromium for the tests that click through pages."""

from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, expect, sync_playwright

from tests.browser_guard import find_chromium

# How long a page may take on a machine that has other work; what holds is seen at once all the same.
PATIENCE_MS = 60_000
ARGUMENTS = [
    "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run", "--use-gl=angle",
    "--use-angle=swiftshader", "--enable-unsafe-swiftshader",
]  # fmt: skip


@contextmanager
def chromium() -> Iterator[Browser]:
    """Not for longer than a file's tests: its event loop would forbid the database to those after it."""
    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=ARGUMENTS)
        yield browser
        browser.close()
