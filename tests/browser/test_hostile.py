"""No archived page gets out of the archive, or at anything in it; without the policy they do."""

from __future__ import annotations

import re
from collections.abc import Iterator, Set
from dataclasses import dataclass

import pytest
from playwright.sync_api import Browser, BrowserContext, Page

from tests.browser import hostile
from tests.browser.replaying import TIME, Replay, replaying
from tests.browser.sites import Site

PATIENCE = 100  # tenths of a second, for what the control is expected to do
SETTLE_MS = 700  # after the last page has loaded: for what is asked for late
KEPT = """async () => [
  document.cookie, ...Object.keys(localStorage), ...Object.keys(sessionStorage),
  ...(await indexedDB.databases()).map((each) => each.name), ...(await caches.keys()),
  ...(await navigator.serviceWorker.getRegistrations()).map((each) => each.scope),
].filter(Boolean)"""


@dataclass
class Seen:
    """What pages got done: what the live web and the library were asked for, what is kept, which banners changed."""

    hits: set[str]
    home: list[str]
    kept: list[str]
    moved: list[str]


def visited(
    browser: Browser, replay: Replay, web: list[str], names: list[str], *, form: str, expected: Set[str] = frozenset()
) -> Seen:
    """Open each page as *form* has it: within the banner, with scripts, alone, or raw."""
    web.clear()
    replay.asked.clear()
    context = browser.new_context(viewport={"width": 300, "height": 200})
    try:
        moved = []
        pages: list[tuple[str, str, Page]] = []
        context.on("page", lambda page: moved.append(page.url) if len(context.pages) > len(pages) + 1 else None)
        for name in names:
            url = hostile.address(name)
            start = {
                "banner": replay.banner(url),
                "scripts": replay.banner(url, scripts=True),
                "alone": replay.framed(url),
                "raw": replay.raw(url),
            }[form]
            page = context.new_page()
            page.goto(start, wait_until="commit")
            pages.append((name, start, page))
        for name, _, page in pages:
            page.wait_for_load_state("load")
            if name in hostile.CLICKED:
                page.mouse.click(100, 100)
        for _ in range(PATIENCE):
            if expected <= hits_in(web):
                break
            pages[-1][2].wait_for_timeout(100)
        pages[-1][2].wait_for_timeout(SETTLE_MS)
        for name, start, page in pages:
            if form in {"banner", "scripts"} and (page.url != start or page.title() != "banner"):
                moved.append(name)
        return Seen(hits_in(web), list(replay.asked), kept(context, replay), moved)
    finally:
        context.close()


def hits_in(web: list[str]) -> set[str]:
    """Return the names of the pages that got out, and what else the live web was asked for."""
    hits = {found[1] for each in web if (found := re.search(r"evil\.example/hit/([\w-]+)", each))}
    return hits | {each for each in web if ".example" in each and "evil.example/hit" not in each}


def kept(context: BrowserContext, replay: Replay) -> list[str]:
    """Return what the browser keeps for the library, and for the host that pages are replayed from."""
    found = []
    for origin in {replay.home, replay.pages}:
        page = context.new_page()
        page.route("**/blank", lambda route: route.fulfill(body="<title>blank</title>", content_type="text/html"))
        page.goto(f"{origin}/blank")
        found += page.evaluate(KEPT)
        page.close()
    return [*found, *(str(cookie.get("name")) for cookie in context.cookies())]


@pytest.fixture(scope="module")
def replay() -> Iterator[Replay]:
    site: Site = {}
    with replaying(site, height=200) as served:
        hostile.fill(site, library=served.home, web=f"{served.pages}/web/{TIME}")
        yield served


def test_the_archive_is_hostile() -> None:
    assert len(hostile.NAMES) >= 40


# What another way to open a page could change: documents of each kind, and what goes somewhere or is kept.
FEWER = [*hostile.DOCUMENTS, "own-location", "top-location", "cookie", "service-worker", "refresh", "frames", "css"]
FORMS = {"banner": hostile.NAMES, "alone": [*FEWER, *hostile.CLICKED], "raw": FEWER}


@pytest.mark.parametrize("form", FORMS)
def test_no_page_gets_out(browser: Browser, web: tuple[int, Site, list[str]], replay: Replay, form: str) -> None:
    seen = visited(browser, replay, web[2], FORMS[form], form=form)
    assert seen == Seen(set(), [], [], [])


def test_no_page_whose_scripts_run_gets_out(browser: Browser, web: tuple[int, Site, list[str]], replay: Replay) -> None:
    seen = visited(browser, replay, web[2], [*hostile.SCRIPTS, *hostile.DOCUMENTS], form="scripts")
    assert seen == Seen(set(), [], [], [])


HITS = {"own-location", "fetch", "beacon", "worker", "write", "library-api", "other-capture", "other-frame"}
MOVES = {"top-location", "parent-location", "top-document"}


def test_without_the_policy_they_do(browser: Browser, web: tuple[int, Site, list[str]]) -> None:
    site: Site = {}
    with replaying(site, guarded=False, height=200) as served:
        hostile.fill(site, library=served.home, web=f"{served.pages}/web/{TIME}")
        names = ["service-worker", "cookie", "storage", *sorted(HITS | MOVES)]
        seen = visited(browser, served, web[2], names, form="banner", expected=HITS)
    assert seen.hits >= HITS
    assert set(seen.moved) >= MOVES
    assert "/api/secret" in seen.home
    assert any("taken" in each for each in seen.kept)
    assert any("/web/" in each for each in seen.kept), "a service worker"
