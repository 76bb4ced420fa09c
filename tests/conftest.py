from __future__ import annotations

import os
import shutil
from collections.abc import Iterator

import pytest
from hypothesis import settings
from playwright.sync_api import Browser, sync_playwright

CHROMIUM_FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip

# How long an example takes depends on what else the machine does.
settings.register_profile("stipple", deadline=None)
settings.load_profile("stipple")


# For one module only: while it lives, Playwright keeps an event loop running in this thread, in which no other test
# could call asyncio.run.
@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    path = os.environ.get("STIPPLE_TEST_CHROMIUM") or shutil.which("chromium")
    if path is None:
        pytest.skip("no Chromium here: install Debian's package chromium, or set STIPPLE_TEST_CHROMIUM to its path")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=CHROMIUM_FLAGS)
        yield browser
        browser.close()
