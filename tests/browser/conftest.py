from __future__ import annotations

import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.browser.sites import Site, live_web

CHROMIUM = shutil.which("chromium")


@pytest.fixture(scope="package")
def web() -> Iterator[tuple[int, Site, list[str]]]:
    """The live web: its port, what it holds, and what it was asked for."""
    site: Site = {}
    with live_web(site) as (port, asked):
        yield port, site, asked


@pytest.fixture(scope="package")
def browser(web: tuple[int, Site, list[str]]) -> Iterator[Browser]:
    """A browser to whom every name of a host but ours is the live web, so that nothing leaves this machine."""
    if not CHROMIUM:
        pytest.skip("no browser: apt-get install chromium fonts-dejavu-core")
    arguments = [
        f"--host-resolver-rules=MAP * 127.0.0.1:{web[0]}, EXCLUDE localhost, EXCLUDE 127.0.0.1",
        "--no-sandbox",  # as root there is none to be had; the pages are our own
        "--disable-background-networking",
    ]
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=arguments)
        yield opened
        opened.close()
