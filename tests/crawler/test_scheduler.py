"""What is asked for next: in which order, how much at once, and that nothing is lost, left hanging or counted twice."""

from __future__ import annotations

import asyncio
import sqlite3
from collections import Counter
from collections.abc import Callable, Coroutine
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scrapy import Request, signals
from scrapy.core.engine import _Slot
from scrapy.core.scheduler import BaseScheduler
from scrapy.crawler import Crawler
from scrapy.extension import ExtensionManager
from scrapy.http import Response
from scrapy.settings import Settings
from scrapy.utils.reactor import CallLaterOnce

from crawler import traps
from crawler import turns as module
from crawler.attending import Attendant
from crawler.config import ConfigError
from crawler.frontier import Done, Frontier, Kind, Lead, Page
from crawler.interruption import HURRY
from crawler.leads import PRIORITY
from crawler.politeness import Politeness
from crawler.scheduler import FrontierScheduler
from crawler.spider import PublicationSpider, spider_class
from crawler.turns import COUNTED, Turn, Turns
from tests.crawler.crawls import Crawl, article, asked, page, reply
from tests.servers.raw_site import RawSite, Script, running, script

SITE, OTHER = "news.example", "cdn.example"
SAVED = Done("saved", status=200)
TIME_LIMIT_S = 10  # what stalls fails its test


def lead(number: int | str, kind: Kind = "article", site: str = SITE, **more: Any) -> Lead:
    return Lead(f"{site}/{number}", f"https://{site}/{number}", site, kind, PRIORITY[kind], **more)


class Steady(Turns):
    """The turns themselves, which see after each step that their accounts are right, and note whose turn it was."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.handed_out: list[tuple[Page, int]] = []  # and how many were under way before
        self.early: set[int] = set()  # asked for while the answer to another of their site was still to be dealt with
        self.archived: set[int] = set()
        self.most_held = 0

    def next(self) -> Turn | None:
        before = len(self._in_flight)
        turn = super().next()
        if turn is not None and turn.skip is None:
            self.handed_out.append((turn.page, before))
            if any(self._in_flight[other].site == turn.page.site for other in self._arrived):
                self.early.add(turn.page.id)
        self.check()
        return turn

    def arrived(self, page: Page, size: int) -> None:
        super().arrived(page, size)
        self.most_held = max(self.most_held, self._held_bytes)
        self.check()

    def not_asked(self, page: Page, *, before: bool = False) -> None:
        super().not_asked(page, before=before)
        self.archived.add(page.id)

    def left(self, page: Page, *, asked: bool = True) -> None:
        super().left(page, asked=asked)
        self.archived.discard(page.id)
        self.check()

    def check(self) -> None:
        assert len(self._in_flight) <= self._most_in_flight
        assert self._arrived.keys() <= self._in_flight.keys()
        assert self._uncounted <= self._in_flight.keys()
        assert self._kept <= self._in_flight.keys()
        assert len(self._in_flight) - len(self._kept) <= self._most_not_kept
        assert self._held_bytes == sum(self._arrived.values())
        taken = Counter(page.site for id_, page in self._in_flight.items() if id_ not in self._arrived)
        for name, site in self.politeness._sites.items():
            # What is being skipped without being asked for takes no slot.
            assert 0 <= site.in_flight <= taken[name], name

    def check_at_rest(self, never_asked: int = 0) -> None:
        """See that nothing is left behind when nothing is under way; *never_asked*: pages that failed before that."""
        self.check()
        assert not self._in_flight
        assert self._held_bytes == 0
        assert {site.in_flight for site in self.politeness._sites.values()} <= {0}
        pending = {name: site.pending for name, site in self._sites.items() if site.pending}
        assert pending == self.frontier.pending()
        assert self._counted == self.frontier.count_asked(COUNTED) - never_asked


@pytest.fixture(autouse=True)
def steady(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("crawler.scheduler.Turns", Steady)


# --- with the test in the place of the engine


class Driven:
    """A scheduler over a real frontier whose engine is the test."""

    def __init__(self, folder: Path, *leads: Lead, concurrency: int = 4, per_site: int = 4, **arguments: Any) -> None:
        settings_ = Settings({"CONCURRENT_REQUESTS": concurrency, "TWISTED_REACTOR_ENABLED": False})
        self.crawler = Crawler(spider_class("spiders.generic"), settings_)
        self.crawler.extensions = ExtensionManager(crawler=self.crawler)
        self.spider = cast("PublicationSpider", self.crawler._create_spider(start=f"https://{SITE}/", **arguments))
        self.spider.leads.seeds = lambda: list(leads)  # type: ignore[method-assign]
        slot = _Slot(False, CallLaterOnce(lambda: None), BaseScheduler())
        # It is the test that asks for pages: to the scheduler the engine does not run.
        engine = SimpleNamespace(_slot=slot, paused=False, running=False)
        self.crawler.engine = cast("Any", engine)
        politeness = Politeness(delay_s=0, concurrency=per_site, rest_s=0.001)
        for site in (SITE, OTHER):
            politeness.answered(site, private=True)
        self.path = folder / "test.sqlite"
        self.scheduler = FrontierScheduler(self.crawler, Frontier.open(self.path), politeness)
        engine.scheduler = self.scheduler
        self.scheduler.open(self.spider)

    def next(self) -> Page | None:
        while (turn := self.turns.next()) is not None and turn.skip is not None:
            self.scheduler.attend_to(self.scheduler.finish(turn.page, Done("skipped", turn.skip), asked=False))
        if turn is None:
            self.scheduler._wait()
            return None
        return turn.page

    def all(self) -> list[Page]:
        """Return all that may be asked for now."""
        return list(iter(self.next, None))

    @property
    def turns(self) -> Steady:
        return cast("Steady", self.scheduler.turns)

    async def finish(self, *pages: Page, done: Done = SAVED, leads: tuple[Lead, ...] = ()) -> None:
        await asyncio.gather(*(self.scheduler.finish(page, done, leads) for page in pages))

    async def settled(self) -> None:
        """Wait for what the scheduler ends by itself."""
        while self.scheduler._tasks:
            await asyncio.gather(*self.scheduler._tasks, return_exceptions=True)

    async def to_the_end(self) -> list[Page]:
        """Finish all there is, one wave after the other; return what was asked for, in its order."""
        came: list[Page] = []
        async with asyncio.timeout(TIME_LIMIT_S):
            while self.scheduler.has_pending_requests():
                came += self.all()
                await self.settled()
                await self.finish(*self.turns._in_flight.values())
                await asyncio.sleep(0.001)  # what was put off comes due
        return came


def driven(test: Callable[[Driven], Coroutine[Any, Any, None]], folder: Path, *leads: Lead, **more: Any) -> None:
    async def run() -> None:
        driven = Driven(folder, *leads, **more)
        try:
            async with asyncio.timeout(2 * TIME_LIMIT_S):
                await test(driven)
        finally:
            await driven.scheduler._close()

    asyncio.run(run())


def names(pages: list[Page]) -> list[str]:
    return [page.url.rpartition("/")[2] for page in pages]


def test_no_more_is_under_way_than_the_requests_at_once_and_as_many_answers(tmp_path: Path):
    async def test(driven: Driven) -> None:
        wave: list[Page] = []
        for _ in range(2):
            wave += (more := driven.all())
            assert len(more) == 4
            for one in more:
                driven.scheduler.arrived(one, 1)
            assert driven.next() is None, "a kill now would have these asked for again"
            for one in more:
                driven.scheduler.kept(one)
        assert driven.next() is None, "answers that are still to be dealt with count too"
        await driven.finish(wave[0])
        assert names(driven.all()) == ["8"]
        await driven.finish(*wave[1:])
        await driven.to_the_end()

    driven(test, tmp_path, *(lead(number) for number in range(20)), per_site=100)


def test_a_site_gets_no_more_at_once_than_it_may_and_another_is_asked_beside_it(tmp_path: Path):
    async def test(driven: Driven) -> None:
        wave = driven.all()
        assert Counter(page.site for page in wave) == {SITE: 2, OTHER: 2}
        assert [page.site for page in wave[:2]] == [page.site for page in wave[2:]], "in turn"
        await driven.finish(*wave)

    leads = [lead(number, site=site) for number in range(3) for site in (SITE, OTHER)]
    driven(test, tmp_path, *leads, per_site=2)


def test_an_answer_frees_its_sites_slot_once(tmp_path: Path):
    async def test(driven: Driven) -> None:
        first = driven.next()
        assert first is not None
        assert driven.next() is None
        driven.turns.arrived(first, 10)
        driven.turns.arrived(first, 10)  # as nobody should say
        second = driven.next()
        assert second is not None
        assert driven.next() is None
        await driven.finish(first)
        assert driven.next() is None, "the second has the slot, and the first gave it back before"
        await driven.finish(second)
        await driven.to_the_end()
        driven.turns.arrived(second, 10)  # too late to mean anything
        driven.turns.check_at_rest()

    driven(test, tmp_path, lead(1), lead(2), lead(3), per_site=1)


@pytest.mark.parametrize("arrived", [False, True], ids=["no answer", "an answer"])
@pytest.mark.parametrize("how", ["finished", "failed", "refused", "postponed", "given back", "archived", "a bug"])
def test_however_a_page_ends_its_slot_is_given_back_once(how: str, arrived: bool, tmp_path: Path):
    async def test(driven: Driven) -> None:
        scheduler = driven.scheduler
        page = driven.next()
        assert page is not None
        if arrived:
            scheduler.turns.arrived(page, 1000)
        if how == "postponed":
            await scheduler.postpone(page, 0.0, tries=page.tries + 1)
        elif how == "given back":
            scheduler.give_back(page)
        elif how == "a bug":
            await scheduler.finish(page, SAVED)
            with pytest.raises(LookupError):  # nothing is done twice
                await scheduler.finish(page, Done("failed", "a bug"))
        else:
            if how in ("archived", "refused"):
                scheduler.turns.not_asked(page)
                scheduler.turns.not_asked(page)  # it is counted once
            done = {
                "finished": SAVED,
                "failed": Done("failed", "no answer"),
                "refused": Done("refused", "robots.txt forbids it"),
                "archived": Done("skipped", "known"),
            }
            await scheduler.finish(page, done[how])
        scheduler.turns.check_at_rest()
        rest = await driven.to_the_end()
        assert sorted(names(rest)) == (["1", "2"] if how in ("postponed", "given back") else ["2"])
        scheduler.turns.check_at_rest()

    driven(test, tmp_path, lead(1), lead(2), per_site=1)


def test_a_listing_waits_while_what_is_under_way_may_lead_to_articles(tmp_path: Path):
    async def test(driven: Driven) -> None:
        first = driven.all()
        assert names(first) == ["1", "2", "3"], "two under way are enough for it to wait"
        await driven.finish(first[0])
        assert driven.next() is None
        await driven.finish(first[1], leads=(lead(4),))
        (found,) = driven.all()[:1]
        assert names([found]) == ["4"], "what was found comes before the listing"
        await driven.finish(first[2])
        await driven.finish(found)
        assert names(await driven.to_the_end()) == ["a", "b"]

    listings = [lead("a", "section"), lead("b", "page")]
    driven(test, tmp_path, *listings, *(lead(number) for number in (1, 2, 3)), concurrency=4)


@pytest.mark.parametrize("concurrency", [1, 2, 3, 16])
@pytest.mark.parametrize(
    "kinds", [("section",), ("page",), ("section", "page"), ("home", "section"), ("sitemap", "page")]
)
def test_nothing_waits_for_ever(concurrency: int, kinds: tuple[Kind, ...], tmp_path: Path):
    async def test(driven: Driven) -> None:
        assert len(await driven.to_the_end()) == 30
        driven.turns.check_at_rest()

    leads = [lead(number, kinds[number % len(kinds)], (SITE, OTHER)[number % 2]) for number in range(30)]
    driven(test, tmp_path, *leads, concurrency=concurrency)


def test_no_more_is_asked_for_while_too_much_is_held(tmp_path: Path):
    async def test(driven: Driven) -> None:
        first, second = driven.next(), driven.next()
        assert first is not None
        assert second is not None
        driven.turns.arrived(first, module.HELD_BYTES - 1)
        driven.turns.arrived(second, 1)
        assert driven.next() is None
        await driven.finish(second)
        assert driven.next() is not None
        await driven.finish(first)
        await driven.to_the_end()
        driven.turns.check_at_rest()

    driven(test, tmp_path, *(lead(number) for number in range(6)))


def test_what_has_no_address_fails_and_the_rest_goes_on(tmp_path: Path):
    async def test(driven: Driven) -> None:
        none, good = driven.all()
        await driven.spider.attendant.attend(none)
        await driven.finish(good)
        driven.turns.check_at_rest(never_asked=1)
        assert driven.scheduler.frontier.outcomes() == {"saved": 1, "failed": 1}

    driven(test, tmp_path, lead(1)._replace(url="no address"), lead(2))


def test_listings_of_a_kind_that_leads_nowhere_are_skipped_and_take_no_slot(tmp_path: Path):
    async def test(driven: Driven) -> None:
        for _ in range(traps.BARREN_PAGES + 1):
            await driven.scheduler.show("news.example/calendar/#", [])
        assert names(await driven.to_the_end()) == ["x"]
        driven.turns.check_at_rest()
        assert driven.scheduler.frontier.outcomes() == {"saved": 1, "skipped": 50}

    calendar = [lead(f"calendar/{number}", "section", via=f"https://{SITE}/calendar/{number}0") for number in range(50)]
    driven(test, tmp_path, *calendar, lead("x", "section", via=f"https://{SITE}/calendar/1"), concurrency=2, per_site=1)


def test_only_what_leads_on_to_itself_is_a_trap(tmp_path: Path):
    """What a listing of another kind names has an end; what another trap leads to may have none."""

    async def test(driven: Driven) -> None:
        for _ in range(traps.BARREN_PAGES):
            await driven.scheduler.show("news.example/day/#", [])
            await driven.scheduler.show("news.example/month/#", [])
        assert names(await driven.to_the_end()) == ["1", "2"]
        assert driven.scheduler.frontier.outcomes() == {"saved": 2, "skipped": 1}

    named = lead("day/1", "section", via=f"https://{SITE}/photos")
    first = lead("day/2", "section")
    other = lead("day/3", "section", via=f"https://{SITE}/month/3")
    driven(test, tmp_path, named, first, other)


def test_a_page_asked_for_before_counts_once(tmp_path: Path):
    async def test(driven: Driven) -> None:
        page = driven.next()
        assert page is not None
        await driven.scheduler.postpone(page, 0.0, tries=1)
        assert driven.turns._counted == 1
        await driven.to_the_end()
        assert driven.scheduler.frontier.outcomes() == {"saved": 1, "skipped": 2}

    driven(test, tmp_path, lead(1), lead(2), lead(3), concurrency=1, max_pages=1)


def test_a_request_past_the_frontier_is_refused(tmp_path: Path, caplog: pytest.LogCaptureFixture):
    async def test(driven: Driven) -> None:
        assert not driven.scheduler.enqueue_request(Request("https://news.example/"))
        assert "https://news.example/ is not asked for" in caplog.text

    driven(test, tmp_path)


def test_a_step_that_fails_at_the_end_keeps_nobody_from_closing(tmp_path: Path, caplog: pytest.LogCaptureFixture):
    """Whatever becomes of a page, the file is closed and its lock given back."""

    async def run() -> Path:
        driven = Driven(tmp_path, lead(1), lead(2))
        page = driven.next()
        assert page is not None
        await driven.finish(page)
        driven.scheduler.attend_to(driven.scheduler.finish(page, SAVED))  # nothing is done twice
        await driven.scheduler._close()
        return driven.path

    Frontier.open(asyncio.run(run())).close()
    assert "is not pending" in caplog.text


# --- the limit of pages


def test_no_more_pages_are_asked_for_than_the_limit_but_what_belongs_to_them_is(tmp_path: Path):
    async def test(driven: Driven) -> None:
        assert names(await driven.to_the_end()) == ["map", "r1", "p1", "1", "2"]
        driven.turns.check_at_rest()
        reasons = [(reason.reason, reason.pages) for reason in driven.scheduler.frontier.reasons()]
        assert reasons == [("the limit of 2 pages was reached", 3)]

    leads = [lead("map", "sitemap"), lead("r1", "requisite"), lead("p1", "print")]
    leads += [lead(number) for number in (1, 2, 3, 4)] + [lead("a", "section")]
    driven(test, tmp_path, *leads, max_pages=2)


@pytest.mark.parametrize("before", [1, 3, 2 * module.BUFFERED])
def test_what_belongs_to_pages_is_asked_for_though_pages_beyond_the_limit_come_before_it(before: int, tmp_path: Path):
    async def test(driven: Driven) -> None:
        assert sorted(names(await driven.to_the_end())) == ["0", "r1", "r2"]
        driven.turns.check_at_rest()

    sections = [lead(number, "section")._replace(priority=3) for number in range(before + 1)]
    requisites = [lead("r1", "requisite"), lead("r2", "requisite", OTHER)]
    driven(test, tmp_path, *sections, *requisites, max_pages=1)


def test_a_page_that_is_tried_again_is_one_page(tmp_path: Path):
    async def test(driven: Driven) -> None:
        for _ in range(5):
            page = driven.next()
            assert page is not None
            await driven.scheduler.postpone(page, 0.0, tries=page.tries + 1)
            await asyncio.sleep(0.002)
        await driven.to_the_end()
        driven.turns.check_at_rest()
        assert driven.scheduler.frontier.outcomes() == {"saved": 2, "skipped": 2}

    driven(test, tmp_path, *(lead(number) for number in (1, 2, 3, 4)), concurrency=1, max_pages=2)


def test_what_the_archive_answers_uses_up_no_limit(tmp_path: Path):
    async def test(driven: Driven) -> None:
        for _ in range(2):
            page = driven.next()
            assert page is not None
            driven.turns.not_asked(page)
            await driven.finish(page, done=Done("skipped", "archived already"))
        assert len(await driven.to_the_end()) == 2
        driven.turns.check_at_rest()

    driven(test, tmp_path, *(lead(number) for number in range(6)), max_pages=2)


# --- whatever comes


STEPS = st.lists(
    st.sampled_from(
        ["ask", "ask", "ask", "arrive", "finish", "finish", "lead", "postpone", "give back", "archived", "error"]
    ),
    max_size=60,
)


@settings(max_examples=60, deadline=None)
@given(steps=STEPS, concurrency=st.sampled_from([1, 2, 8]), per_site=st.sampled_from([1, 3]), data=st.data())
def test_whatever_becomes_of_pages_the_accounts_are_right_and_all_are_asked_for(
    steps: list[str], concurrency: int, per_site: int, data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
):
    kinds: list[Kind] = ["article", "section", "page", "requisite", "feed"]
    leads = [lead(number, kinds[number % 5], (SITE, OTHER)[number % 2]) for number in range(12)]

    async def test(driven: Driven) -> None:
        scheduler, under_way, found = driven.scheduler, list[Page](), 100
        for step in steps:
            if step == "ask":
                page = driven.next()
                if page is not None:
                    under_way.append(page)
                continue
            if not under_way:
                continue
            page = data.draw(st.sampled_from(under_way))
            if step == "arrive":
                scheduler.turns.arrived(page, data.draw(st.sampled_from([0, 10, module.HELD_BYTES])))
                continue
            under_way.remove(page)
            if step == "finish":
                await driven.finish(page)
            elif step == "lead":
                found += 1
                await driven.finish(page, leads=(lead(found, kinds[found % 5]), lead(found % 20)))
            elif step == "postpone":
                await scheduler.postpone(page, 0.0, tries=page.tries + 1)
            elif step == "give back":
                scheduler.give_back(page)
            elif step == "archived":
                scheduler.turns.not_asked(page)
                await driven.finish(page, done=Done("skipped", "archived already"))
            else:
                await driven.finish(page, done=Done("failed", "no answer"))
        await driven.finish(*under_way)
        await asyncio.sleep(0.002)
        await driven.to_the_end()
        scheduler.turns.check_at_rest()
        assert not scheduler.frontier.pending()

    driven(test, tmp_path_factory.mktemp("driven"), *leads, concurrency=concurrency, per_site=per_site)


# --- real crawls


def crawled(crawl: Crawl, site: RawSite, watch: Callable[[Crawl], None] = lambda _: None) -> tuple[Any, Steady]:
    """Run *crawl*, with accounts that are right all the way; return the account and its turns."""
    seen: list[Steady] = []

    def idle() -> None:
        turns = cast("Steady", crawl.scheduler.turns)
        turns.check_at_rest()
        seen.append(turns)

    def watching(crawl: Crawl) -> None:
        crawl.idle = idle  # type: ignore[attr-defined]  # signals hold what they call weakly
        crawl.crawler.signals.connect(idle, signal=signals.spider_idle)
        watch(crawl)

    account = crawl.run(site, watching)
    return account, seen[-1]


class Trouble:
    """A site whose pages end in every way there is; *answers* are given one after the other, the last one again."""

    def __init__(self, pages: dict[str, list[Script]]) -> None:
        self.pages = pages
        self.asked: Counter[str] = Counter()

    def answer(self, request: bytes) -> Script:
        target = request.split(b" ", 2)[1].decode()
        answers = self.pages.get(target, [reply("", status="404 Not Found")])
        self.asked[target] += 1
        return answers[min(self.asked[target], len(answers)) - 1]


CUT = script(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 900\r\n\r\n<html>", "close")
TORN = script(b"HTTP/1.1 200", "reset")
BUSY = reply("", "text/plain", "503 Service Unavailable")
HIDDEN = reply("User-agent: *\nDisallow: /hidden", "text/plain")


def troubled() -> Trouble:
    targets = [article(number) for number in range(20)]
    pages = {target: [page([f"{target}/more"], title=target)] for target in targets}
    pages |= {
        article(2): [BUSY, *pages[article(2)]],
        article(3): [CUT, *pages[article(3)]],
        article(4): [TORN],
        article(5): [reply("", status="500 Internal Server Error")],
        article(6): [reply("", "text/html", "301 Moved Permanently", f"Location: {article(30)}")],
        article(7): [reply("", "text/html", "302 Found", "Location: https://elsewhere.invalid/")],
        article(8): [reply("", "text/html", "302 Found")],
        article(9): [CUT],
        article(30): [page(title="moved")],
        "/": [page([*targets, "/hidden/1", "/tag/a", "/tag/b", "/files/a.bin", "http://127.0.0.1:99999/"])],
        "/tag/a": [page([article(1), "/tag/b"])],
        "/tag/b": [page([article(31)])],
        article(31): [page(title="of a section")],
        "/robots.txt": [HIDDEN],
    }
    return Trouble(pages)


@pytest.mark.parametrize(
    "at_once", [(1, 1), (16, 1), (16, 6)], ids=lambda at_once: f"{at_once[0]} and {at_once[1]} a site"
)
def test_the_accounts_of_a_crawl_are_right_however_its_pages_end(at_once: tuple[int, int], tmp_path: Path):
    trouble = troubled()
    limits = {"CONCURRENT_REQUESTS": at_once[0], "CONCURRENT_REQUESTS_PER_DOMAIN": at_once[1]}
    crawl = Crawl(tmp_path, limits)
    with running(RawSite(answer=trouble.answer)) as site:
        account, turns = crawled(crawl, site)
        assert account.outcomes["failed"] == 4
        assert account.outcomes["refused"] == 1
        assert account.pending == 0
        assert trouble.asked[article(2)] == trouble.asked[article(3)] == 2
        assert trouble.asked[article(5)] == trouble.asked[article(9)] == 3
        assert trouble.asked[article(30)] == trouble.asked[article(31)] == 1
        assert turns.early, "an answer that has come takes no slot, though it is still to be kept and followed"
        again, turns = crawled(crawl, site)  # most of it is in the archive by now
        assert again.outcomes["skipped"] >= 14
        assert again.pending == 0
        assert trouble.asked[article(1)] == trouble.asked[article(31)] == 1


@pytest.mark.parametrize("concurrency", [1, 2, 16])
def test_a_site_of_listings_alone_is_crawled_to_its_end(concurrency: int, tmp_path: Path):
    listings = {f"/tag/{number}": page([f"/tag/{number + 1}", f"/about/{number}"]) for number in range(12)}
    others = {f"/about/{number}": page(["/tag/0"]) for number in range(12)}
    with running(RawSite({"/": page(["/tag/0"]), **listings, **others})) as site:
        account, _ = crawled(Crawl(tmp_path, {"CONCURRENT_REQUESTS": concurrency}), site)
        assert account.pending == 0
        assert asked(site).keys() >= {*listings, *others}
        assert set(asked(site).values()) == {1}


def test_listings_come_when_no_article_is_left_and_little_is_under_way(tmp_path: Path):
    listings = {f"/tag/{number}": page([article(100 + 10 * number + n) for n in range(10)]) for number in range(6)}
    found = {article(number): page() for number in range(160)}
    home = page([*listings, *(article(number) for number in range(40))])
    with running(RawSite({"/": home, **listings, **found})) as site:
        _, turns = crawled(Crawl(tmp_path, {"CONCURRENT_REQUESTS": 8}), site)
        assert set(asked(site).values()) == {1}
    before = [under_way for page, under_way in turns.handed_out if page.kind == "section"]
    assert len(before) == 6
    assert max(before) < turns._most_with_listings


def test_what_is_held_in_memory_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(module, "HELD_BYTES", 100_000)
    large = reply(b"<html><title>Large</title>" + b"<!-- -->" * 5_000)
    targets = [article(number) for number in range(40)]
    with running(RawSite({"/": page(targets), **dict.fromkeys(targets, large)})) as site:
        account, turns = crawled(Crawl(tmp_path), site)
        assert set(asked(site).values()) == {1}
    assert account.outcomes == {"saved": 42}
    # What was under way when the bound was reached comes on top.
    assert 100_000 <= turns.most_held <= 100_000 + 16 * len(large.bytes)


def test_the_limit_is_of_pages_not_of_tries(tmp_path: Path):
    trouble = Trouble({"/": [page([article(number) for number in range(9)])]})
    for number in range(9):
        trouble.pages[article(number)] = [TORN, page(title=str(number))]
    with running(RawSite(answer=trouble.answer)) as site:
        account, _ = crawled(Crawl(tmp_path, arguments={"max_pages": 4}), site)
    # The front page and three others; the guessed sitemap does not count.
    assert account.outcomes == {"saved": 5, "skipped": 6}


class Answering:
    """A downloader middleware that answers one page by itself, asks for another in place of a second, and raises."""

    async def process_request(self, request: Request) -> Response | Request | None:
        if request.url.endswith("-1"):
            return Response(request.url, body=b"<html>Mine</html>")
        if request.url.endswith("-2"):
            return request.replace(url=request.url.replace("-2", "-4"))
        if request.url.endswith("-3"):
            raise ZeroDivisionError("a bug")
        return None


def test_whatever_a_middleware_does_the_crawl_ends_and_every_page_has_an_outcome(tmp_path: Path):
    pages = {article(number): page(title=str(number)) for number in range(5)}
    with running(RawSite({"/": page(pages), **pages})) as site:
        account = Crawl(tmp_path, {"DOWNLOADER_MIDDLEWARES": {f"{__name__}.Answering": 45}}).run(site)
    assert account.pending == 0
    assert account.outcomes == {"saved": 5, "failed": 2}  # the guessed sitemap, the start, and 0, 2 and 4
    reasons = {reason.reason for reason in account.reasons if reason.outcome == "failed"}
    assert reasons == {"nothing was captured: a middleware answered in place of the site", "a bug"}


def test_a_page_that_nothing_is_known_of_any_more_is_left_to_the_next_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    async def failing(*_: Any) -> None:
        raise ZeroDivisionError("a bug")

    pages = {article(number): page(title=str(number)) for number in range(3)}
    with running(RawSite({"/": page(pages), **pages})) as site:
        with monkeypatch.context() as patch:
            patch.setattr(Attendant, "_end", failing)
            account = Crawl(tmp_path).run(site)
        assert (account.outcomes, account.pending) == ({}, 1)
        assert "ZeroDivisionError" in caplog.text
        again = Crawl(tmp_path).run(site)
    assert (again.outcomes, again.pending, again.ended_now) == ({"saved": 5}, 0, 5)


@pytest.mark.parametrize("name", ["CONCURRENT_REQUESTS", "CONCURRENT_REQUESTS_PER_DOMAIN"])
def test_a_crawl_that_could_ask_for_nothing_is_refused(name: str):
    crawler = Crawler(spider_class("spiders.generic"), Settings({name: 0}))
    crawler.spider = crawler._create_spider(start=f"https://{SITE}/")
    with pytest.raises(ConfigError, match=f"{name} is 0: it must be 1 or more"):
        FrontierScheduler.from_crawler(crawler)


@pytest.mark.parametrize(("status", "outcome"), [("200 OK", "saved"), ("404 Not Found", "failed")])
def test_where_a_home_page_redirects_to_is_the_home_page(status: str, outcome: str, tmp_path: Path):
    moved = script(b"HTTP/1.1 301 Moved\r\nLocation: /en/\r\nContent-Length: 0\r\n\r\n")
    with running(RawSite({"/": moved, "/en/": reply("<html>News</html>", status=status)})) as site:
        account, _ = crawled(Crawl(tmp_path), site)
    assert account.outcomes.get("failed", 0) == (outcome == "failed")


def test_a_page_under_way_when_the_crawl_is_stopped_is_asked_for_by_the_next_run(tmp_path: Path):
    hanging = script(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 900\r\n\r\n<html>", "hang")
    trouble = Trouble({"/": [page([article(number) for number in range(4)])]})
    trouble.pages |= {article(number): [page(title=str(number))] for number in range(3)}
    trouble.pages[article(3)] = [hanging, page(title="at last")]
    pending: list[int] = []

    def stop(crawl: Crawl) -> None:
        """End it as an interrupt does, once only the page that hangs is under way."""

        async def stopping() -> None:
            while trouble.asked[article(3)] == 0 or len(crawl.scheduler.turns._in_flight) > 1:
                await asyncio.sleep(0.01)
            crawl.crawler.signals.send_catch_log(HURRY, within_s=0.0)
            await crawl.crawler.stop_async()

        def opened() -> None:
            crawl.stopping = asyncio.create_task(stopping())  # type: ignore[attr-defined]

        crawl.opened = opened  # type: ignore[attr-defined]
        crawl.crawler.signals.connect(opened, signal=signals.spider_opened)

    crawl = Crawl(tmp_path)
    with running(RawSite(answer=trouble.answer)) as site:
        account = crawl.run(site, stop)
        pending.append(account.pending)
        with closing(sqlite3.connect(next(tmp_path.rglob("crawls/*.sqlite")))) as db:
            (left,) = db.execute("SELECT url FROM pages WHERE outcome IS NULL").fetchall()
        assert left == (site.url(article(3)),)
        account = crawl.run(site)
        assert (pending, account.pending) == ([1], 0)
        assert account.outcomes == {"saved": 6}
    assert trouble.asked == {
        "/robots.txt": 2, "/": 1, "/sitemap.xml": 1, article(0): 1, article(1): 1, article(2): 1, article(3): 2
    }  # fmt: skip


def test_articles_that_wait_for_another_run_do_not_keep_this_one_from_ending(tmp_path: Path):
    """As when one with extraction was stopped, and the next is run without."""
    crawl = Crawl(tmp_path)
    with running(RawSite({"/": page([article(1)]), article(1): page()})) as site:
        crawl.run(site)
        with closing(sqlite3.connect(next(tmp_path.rglob("crawls/*.sqlite")))) as db, db:
            db.execute("UPDATE pages SET article = 0 WHERE kind = 'article'")
            db.execute("DELETE FROM crawl WHERE name = 'finished'")
        assert crawl.run(site).articles == {"waiting": 1}
        assert asked(site)[article(1)] == 1


def test_a_finished_crawl_begins_anew(tmp_path: Path):
    crawl = Crawl(tmp_path)
    with running(RawSite({"/": page()})) as site:
        for runs in (1, 2):
            crawl.run(site)
            assert asked(site)["/"] == runs
