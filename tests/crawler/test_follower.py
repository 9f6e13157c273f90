"""Where pages lead, by real workers: what one page's end must not take from the others."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from scrapy import signals
from scrapy.crawler import Crawler
from scrapy.http import Response

from archive.errors import WorkersUnavailable
from archive.workers import Workers, pool, server
from crawler import follower as module
from crawler import following
from crawler.attending import Attendant
from crawler.follower import CutOff, Follower
from crawler.frontier import Page
from crawler.handlers import CAPPED, LEFT_OUT
from crawler.leads import PRIORITY, Bounds, Followed
from crawler.spider import PublicationSpider
from tests.crawler.crawls import Crawl, article, asked, page
from tests.servers.raw_site import RawSite, running

SITE = "http://news.example"
SMALL_BYTES = 20_000
MENU = [f"/menu/{number}" for number in range(5)]


def prepare(spiders: list[str]) -> None:
    """Load what the workers need, and have no answer be larger than :data:`SMALL_BYTES`."""
    following.prepare(spiders)
    server.MAX_ANSWER_BYTES = SMALL_BYTES


@pytest.fixture
def workers() -> Iterator[Workers]:
    with Workers(1, prepare=f"{__name__}.prepare", publishers=["spiders.generic"], time_limit_s=20) as workers:
        yield workers


def follower_of(workers: Workers) -> Follower:
    spider = SimpleNamespace(
        module="spiders.generic", own_arguments={"start": f"{SITE}/"}, leads=SimpleNamespace(bounds=Bounds())
    )
    crawler = Crawler(PublicationSpider)
    crawler.spider = cast("Any", spider)
    return Follower(crawler, workers)


def response(*targets: str, flags: list[str] | None = None, body: bytes | None = None) -> Response:
    links = "".join(f'<a href="{target}">x</a>' for target in targets)
    return Response(
        f"{SITE}/",
        headers={"Content-Type": "text/html"},
        body=f"<html>{links}</html>".encode() if body is None else body,
        flags=flags,
    )


HOME = Page(1, f"{SITE}/", "news.example", "home", PRIORITY["home"], 0, None, "", None, 0)
LARGE = response(*MENU, *(f"/large/{number}" for number in range(500)))


def follow(test: Callable[[], Coroutine[Any, Any, None]]) -> None:
    async def run() -> None:
        async with asyncio.timeout(60):
            await test()

    asyncio.run(run())


def targets(followed: Followed) -> list[str]:
    return [lead.url.removeprefix(SITE) for lead in followed.leads]


def test_what_pages_have_in_common_is_given_once(workers: Workers):
    async def test() -> None:
        follower = follower_of(workers)
        first = await follower.follow(response(*MENU, "/one"), HOME)
        second = await follower.follow(response(*MENU, "/two"), HOME)
        assert (targets(first), targets(second)) == ([*MENU, "/one"], ["/two"])
        follower.tell_again()
        assert targets(await follower.follow(response(*MENU, "/one"), HOME)) == [*MENU, "/one"]

    follow(test)


@pytest.mark.parametrize("at_once", [False, True], ids=["after it", "beside it"])
def test_an_answer_too_large_to_be_handed_over_takes_nothing_from_other_pages(workers: Workers, at_once: bool):
    """The worker gave the menu with it, and lives on; the pages beside it may be the last that have the menu."""

    async def test() -> None:
        follower = follower_of(workers)
        if at_once:
            lost, other = await asyncio.gather(follower.follow(LARGE, HOME), follower.follow(response(*MENU), HOME))
        else:
            lost = await follower.follow(LARGE, HOME)
            other = await follower.follow(response(*MENU), HOME)
        assert lost.form == "unknown"
        assert lost.problem == "kept, but its links could not be read: gave a result of 0 MB"
        assert targets(other) == MENU

    follow(test)


@pytest.mark.parametrize("when", ["idle", "at work"])
def test_a_worker_that_dies_takes_nothing_from_other_pages(workers: Workers, when: str):
    async def test() -> None:
        follower = follower_of(workers)
        assert targets(await follower.follow(response(*MENU), HOME)) == MENU
        (pid,) = workers.pids
        if when == "idle":
            os.kill(pid, signal.SIGKILL)
        else:
            frozen = workers.submit(signal.pause)
            while not frozen.running():
                await asyncio.sleep(0.01)
            beside = asyncio.create_task(follower.follow(response(*MENU), HOME))
            await asyncio.sleep(0.05)
            os.kill(pid, signal.SIGKILL)
            while workers.pids in ([], [pid]):  # it is tried once more
                await asyncio.sleep(0.01)
            os.kill(*workers.pids, signal.SIGKILL)
            assert targets(await beside) == MENU
            follower.tell_again()
        assert targets(await follower.follow(response(*MENU), HOME)) == MENU

    follow(test)


@pytest.mark.parametrize(
    ("answer", "form", "problem"),
    [
        (response(flags=[LEFT_OUT]), "other", None),
        (response(body=b""), "other", None),
        (response(flags=[CAPPED]), "unknown", "kept, but too large to be followed: more than 64 MiB"),
    ],
)
def test_what_cannot_be_followed_costs_no_worker(workers: Workers, answer: Response, form: str, problem: str | None):
    async def test() -> None:
        followed = await follower_of(workers).follow(answer, HOME)
        assert (followed.form, followed.problem, followed.leads) == (form, problem, ())
        assert workers.pids == []

    follow(test)


def test_pages_that_are_cut_off_are_left_to_the_next_run():
    """Those that are being followed, those that wait, and those that come later."""

    async def test() -> None:
        with Workers(1, prepare=f"{__name__}.prepare", publishers=["spiders.generic"]) as workers:
            follower = follower_of(workers)
            frozen = workers.submit(signal.pause)
            waiting = [asyncio.create_task(follower.follow(response(*MENU), HOME)) for _ in range(3)]
            while not workers.pids:
                await asyncio.sleep(0.01)
            follower.hurry(0.0)
            for one in waiting:
                with pytest.raises(CutOff):
                    await one
            with pytest.raises(CutOff):
                await follower.follow(response(*MENU), HOME)
            assert frozen.exception() is not None

    follow(test)


class Interrupting:
    """What interrupts the run while it is on its way to the workers: as a signal may, at any moment."""

    def __init__(self, workers: Workers) -> None:
        self.workers = workers

    def __reduce__(self) -> tuple[Any, ...]:
        self.workers.kill()
        return (str, ())


def test_a_page_on_its_way_to_the_workers_when_they_are_ended_is_left_to_the_next_run():
    async def test() -> None:
        with Workers(1, prepare=f"{__name__}.prepare", publishers=["spiders.generic"]) as workers:
            page = HOME._replace(via=cast("Any", Interrupting(workers)))
            following = asyncio.create_task(follower_of(workers).follow(response(*MENU), page))
            (end,) = await asyncio.gather(following, return_exceptions=True)
            assert isinstance(end, CutOff)

    follow(test)


def test_whoever_does_not_wait_any_more_is_not_told_that_the_run_ends(workers: Workers):
    async def test() -> None:
        workers.submit(signal.pause)
        waiting = asyncio.create_task(follower_of(workers).follow(response(*MENU), HOME))
        await asyncio.sleep(0)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        workers.kill()

    follow(test)


# --- in a crawl


def test_a_page_that_kills_its_worker_costs_a_crawl_nothing_but_its_own_links(tmp_path: Path):
    """Each page has the menu; what kills the workers is each third of them."""
    pages = {article(number): page([*MENU, f"/own/{number}"], title=str(number)) for number in range(30)}
    site_pages = {"/": page([article(number) for number in range(30)]), **pages}
    crawl, killed = Crawl(tmp_path), []

    def watch(crawl: Crawl) -> None:
        def received(response: Response) -> None:
            follower = crawl.crawler.get_extension(Follower)
            assert follower is not None
            if response.url.endswith(("-9", "-19")):
                for pid in follower.workers.pids:
                    os.kill(pid, signal.SIGKILL)
                    killed.append(pid)

        crawl.received = received  # type: ignore[attr-defined]  # signals hold what they call weakly
        crawl.crawler.signals.connect(received, signal=signals.response_received)

    with running(RawSite(site_pages)) as site:
        account = crawl.run(site, watch)
        came = asked(site)
    assert killed
    assert account.pending == 0
    assert set(came) >= {*MENU, *pages}
    assert set(came.values()) == {1}
    unfollowed = account.outcomes.get("failed", 0)
    assert sum(target.startswith("/own/") for target in came) >= 30 - unfollowed
    assert unfollowed <= len(killed)


def test_a_crawl_without_parsers_stops_and_gives_no_page_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def no_server(*_: Any) -> None:
        raise WorkersUnavailable("the parser processes cannot be started: no new process can be made")

    crawl = Crawl(tmp_path)
    with running(RawSite({"/": page([article(1)]), article(1): page()})) as site:
        with monkeypatch.context() as patch:
            patch.setattr(pool, "Server", no_server)
            account = crawl.run(site)
        assert (account.outcomes, account.pending) == ({}, 1)
        assert isinstance(crawl.session.error, WorkersUnavailable)
        again = Crawl(tmp_path).run(site)
    assert (again.outcomes, again.pending) == ({"saved": 3}, 0), "its sitemap, which is not there, included"


def test_a_page_whose_end_meets_a_bug_takes_nothing_from_those_after_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    """Its links were given by the workers, and never entered."""
    announced = Attendant._announced

    async def failing(self: Attendant, page: Page, **more: Any) -> Any:
        if page.url.endswith("-0"):
            raise ZeroDivisionError("a bug")
        return await announced(self, page, **more)

    monkeypatch.setattr(Attendant, "_announced", failing)
    pages = {article(number): page(MENU, title=str(number)) for number in range(3)}
    home = page([article(0), "/tag/later"])
    later = page([article(1), article(2)])
    crawl = Crawl(tmp_path, {"CONCURRENT_REQUESTS": 1, "CONCURRENT_REQUESTS_PER_DOMAIN": 1})
    with running(RawSite({"/": home, "/tag/later": later, **pages})) as site:
        account = crawl.run(site)
        assert set(asked(site)) >= {*MENU, *pages}
    assert account.outcomes["failed"] == 1
    assert "ZeroDivisionError" in caplog.text


def test_a_page_whose_end_meets_a_bug_takes_nothing_from_those_beside_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(module, "WORKERS", 1)  # so that the same worker follows all
    announced = Attendant._announced
    ends = {article(0): asyncio.Event(), article(1): asyncio.Event()}

    async def failing(self: Attendant, page: Page, **more: Any) -> Any:
        """Let the end of the first article wait for that of the second, which a section leads to only after it."""
        target = page.url[page.url.index("/", 8) :]
        if target in ends:
            ends[target].set()
        if target in ("/tag/a", article(0)):
            await ends[article(0) if target == "/tag/a" else article(1)].wait()
        if target == article(0):
            raise ZeroDivisionError("a bug")
        return await announced(self, page, **more)

    monkeypatch.setattr(Attendant, "_announced", failing)
    pages = {"/": page([article(0), "/tag/a"]), "/tag/a": page([article(1)])}
    pages |= {article(number): page(MENU, title=str(number)) for number in (0, 1)}
    with running(RawSite(pages)) as site:
        Crawl(tmp_path).run(site)
        assert set(asked(site)) >= {article(0), article(1)}
        assert set(asked(site)) >= set(MENU)
