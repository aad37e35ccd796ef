"""Chromium, for the tests of pages; tests that import this are skipped where it is not at hand."""

import contextlib
import shutil
from collections.abc import Iterator

import pytest

PATH = shutil.which("chromium") or shutil.which("google-chrome")
playwright = pytest.importorskip("playwright.sync_api", reason="needs requirements-test.txt")
needs_chromium = pytest.mark.skipif(PATH is None, reason="needs Chromium")


@contextlib.contextmanager
def launched() -> Iterator[playwright.Browser]:
    """A browser without a window, closed at the end."""
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(
            executable_path=PATH, args=["--no-sandbox", "--disable-gpu"]
        )
        yield browser
        browser.close()
