"""Crawls of a site that was crawled before: what they ask for again, and how."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from scrapy import signals

from archive.archive import Archive
from archive.capture import SERVER_NOT_MODIFIED, Capture
from crawler import config, known
from tests.acceptance.news import article_html
from tests.crawler.crawls import ROBOTS, Crawl, article, page, reply
from tests.servers.raw_site import RawSite, Script, running

EXTRACTING = {"NEWSWARC_EXTRACT": True}
ONE, TWO = article(1), article(2)
Clock = Callable[..., None]


@pytest.fixture
def after(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Return what lets the crawls to come believe that so much time has passed."""

    def shift(**time: float) -> None:
        monkeypatch.setattr(known, "now", lambda: datetime.now(UTC) + timedelta(**time))

    return shift


def asked(crawl: Crawl, site: RawSite) -> Counter[str]:
    """Run *crawl* once more; return what it asked for."""
    before = len(site.requests)
    crawl.run(site)
    return Counter(request.target for request in site.requests[before:] if request.target != ROBOTS)


def outcomes(crawl: Crawl, site: RawSite) -> dict[str, str]:
    return {result.url.removeprefix(site.url("")): result.outcome or "" for result in crawl.results}


def reasons(crawl: Crawl, site: RawSite) -> dict[str, str | None]:
    return {result.url.removeprefix(site.url("")): result.reason or result.error for result in crawl.results}


def captures(folder: Path, url: str) -> list[Capture]:
    with Archive.open(str(folder / "archive")) as archive:
        return list(archive.captures(url))


def story(number: int = 1, *, published: timedelta = timedelta(), text: str = "") -> Script:
    """Return an article that was published so long ago."""
    at = (datetime.now(UTC) - published).isoformat(timespec="seconds")
    html, dates = re.subn(rb'(?<="datePublished": ")[^"]+', at.encode(), article_html(number))
    assert dates == 1
    return reply(html.replace(b"</p>", f" {text}</p>".encode(), 1) if text else html)


def validated(answers: dict[str, Script], tags: dict[str, str]) -> RawSite:
    """Return a site that knows which of its pages a client has: *tags* by target, which may be changed."""

    def answer(request: bytes) -> Script:
        target = request.split(b" ", 2)[1].decode()
        good = answers.get(target)
        if good is None:
            return reply("", status="404 Not Found")
        tag = tags.get(target)
        if tag is None:
            return good
        if f'\r\nIf-None-Match: "{tag}"\r\n'.encode() in request:
            return Script([f'HTTP/1.1 304 Not Modified\r\nETag: "{tag}"\r\n\r\n'.encode()])
        head, _, body = good.bytes.partition(b"\r\n\r\n")
        return Script([head + f'\r\nETag: "{tag}"\r\n\r\n'.encode() + body])

    return RawSite(answer=answer)


# ---- the ladder


def test_a_young_article_is_asked_for_when_a_rung_is_due_and_an_old_one_is_not(tmp_path: Path, after: Clock):
    answers = {"/": page(["/young-news-of-the-day", ONE]), "/young-news-of-the-day": story(), ONE: story(1)}
    answers[ONE] = story(1, published=timedelta(days=1000))
    with running(RawSite(answers)) as site:
        crawl = Crawl(tmp_path, EXTRACTING)
        crawl.run(site)
        for passed, expected in (({"minutes": 50}, 0), ({"hours": 1.1}, 1), ({"days": 40}, 1)):
            after(**passed)
            told = asked(crawl, site)
            assert (told["/young-news-of-the-day"], told[ONE]) == (expected, 0), passed
            assert outcomes(crawl, site)["/young-news-of-the-day"] == ("unchanged" if expected else "skipped")


def test_the_ladder_is_what_the_crawl_is_told(tmp_path: Path, after: Clock):
    with running(RawSite({"/": page(["/what-young-news-is-this"]), "/what-young-news-is-this": story()})) as site:
        Crawl(tmp_path, EXTRACTING).run(site)
        after(hours=3)
        for ladder, expected in (("", 0), ("4h", 0), ("2h, 9d", 1)):
            told = asked(Crawl(tmp_path, {**EXTRACTING, "NEWSWARC_LADDER": ladder}), site)
            assert told["/what-young-news-is-this"] == expected, ladder


def test_a_ladder_that_is_none_is_told_and_nothing_is_crawled(tmp_path: Path):
    with running(RawSite({"/": page()})) as site:
        with pytest.raises(config.ConfigError, match="NEWSWARC_LADDER: 'soon' is not a duration"):
            Crawl(tmp_path, {"NEWSWARC_LADDER": "soon"}).run(site)
        assert not site.requests


def test_an_article_that_changed_is_asked_for_again_sooner(tmp_path: Path, after: Clock):
    quiet, edited = "/quiet-news-of-the-day", "/edited-news-of-the-day"
    first = timedelta(hours=20)
    answers = {"/": page([quiet, edited]), quiet: story(1, published=first), edited: story(2, published=first)}
    with running(RawSite(answers)) as site:
        crawl = Crawl(tmp_path, EXTRACTING)
        crawl.run(site)
        after(hours=5)  # the rung of one day
        site.scripts[edited] = story(2, published=first, text="Edited: the ferry was late.")
        told = asked(crawl, site)
        assert (told[quiet], told[edited]) == (1, 1)
        after(hours=1.5)  # since then: those runs captured at this very time
        told = asked(crawl, site)
        assert (told[quiet], told[edited]) == (0, 1)


# ---- conditional requests


def test_a_server_is_asked_whether_the_page_is_still_the_same(tmp_path: Path, after: Clock):
    tags = {"/": "f1", "/what-young-news-is-this": "a1"}
    answers = {"/": page(["/what-young-news-is-this"]), "/what-young-news-is-this": story()}
    with running(validated(answers, tags)) as site:
        crawl = Crawl(tmp_path, EXTRACTING)
        crawl.run(site)
        after(hours=1.5)
        assert asked(crawl, site) == {"/": 1, "/what-young-news-is-this": 1, "/sitemap.xml": 1}
        assert outcomes(crawl, site)["/what-young-news-is-this"] == "unchanged"
        first, second = captures(tmp_path, site.url("/what-young-news-is-this"))
        assert (second.profile, second.status) == (SERVER_NOT_MODIFIED, 304)
        assert second.refers_to is not None
        assert (second.refers_to.record_id, second.refers_to.captured_at) == (first.record_id, first.captured_at)
        assert second.refers_to.url == first.url
        tags["/"], answers["/"] = "f2", page(["/what-young-news-is-this", TWO])
        answers[TWO] = story(2)
        after(minutes=30)
        assert asked(crawl, site) == {"/": 1, TWO: 1, "/sitemap.xml": 1}
        assert outcomes(crawl, site)["/"] == "saved"


def test_the_links_of_a_front_that_has_not_changed_are_followed_from_the_archive(tmp_path: Path, after: Clock):
    answers = {"/": page([ONE, "/tag/a"]), ONE: page(), "/tag/a": page([TWO])}
    with running(validated(answers, {"/": "1", "/tag/a": "2"})) as site:
        crawl = Crawl(tmp_path)
        crawl.run(site)
        answers[TWO] = page()
        after(hours=23)  # or the dead link is not tried again
        assert asked(crawl, site) == {"/": 1, "/tag/a": 1, TWO: 1, "/sitemap.xml": 1}
        assert outcomes(crawl, site)["/"] == "unchanged"


def test_the_time_of_the_last_change_is_sent_back_to_the_letter(tmp_path: Path):
    changed = "Last-Modified: Sat, 28 nov 2026 01:02:03 GMT"
    with running(RawSite({"/": reply("<html><a href=/x>x</a>", "text/html", "200 OK", changed)})) as site:
        crawl = Crawl(tmp_path)
        crawl.run(site)
        crawl.run(site)
        assert b"\r\nIf-Modified-Since: Sat, 28 nov 2026 01:02:03 GMT\r\n" in site.received("/")[-1]
        assert b"If-Modified-Since" not in site.received("/")[0]
        assert outcomes(crawl, site)["/"] == "unchanged", "it sent the same once more, as servers may"


def conditions(site: RawSite, target: str = "/") -> list[bool]:
    return [b"\r\nIf-None-Match:" in request for request in site.received(target)]


def test_what_was_cut_or_cannot_be_read_is_asked_for_whole(tmp_path: Path):
    cut = Script([b'HTTP/1.1 200 OK\r\nETag: "1"\r\nContent-Type: text/html\r\nContent-Length: 99\r\n\r\n<p>'], "close")
    with running(RawSite({"/": cut})) as site:
        crawl = Crawl(tmp_path, {"RETRY_TIMES": 0})
        for _ in range(2):
            crawl.run(site)
        assert conditions(site) == [False, False]
    with running(validated({"/": page()}, {"/": "1"})) as site:
        crawl = Crawl(tmp_path)
        crawl.run(site)
        for path in (tmp_path / "archive" / "warc").rglob("*.warc.gz"):
            path.unlink()
        crawl.run(site)
        assert conditions(site) == [False, False]
        crawl.run(site)
        assert conditions(site) == [False, False, True]


def test_a_server_that_always_says_not_modified_is_asked_for_the_page_now_and_then(tmp_path: Path, after: Clock):
    with running(validated({"/": page([ONE])}, {"/": "1"})) as site:
        crawl = Crawl(tmp_path)
        for passed in (0, 2, 25):
            after(hours=passed)
            crawl.run(site)
        assert conditions(site) == [False, True, False]


def test_an_answer_of_not_modified_to_nobody_who_asked_is_a_failure(tmp_path: Path):
    lie = Script([b"HTTP/1.1 304 Not Modified\r\n\r\n"])
    with running(RawSite({"/": page([ONE]), ONE: lie})) as site:
        crawl = Crawl(tmp_path)
        account = crawl.run(site)
        assert account.outcomes["failed"] == 1
        assert reasons(crawl, site)[ONE] == "the server answered 304 without having been asked for it"
        (capture,) = captures(tmp_path, site.url(ONE))
        assert (capture.record_type, capture.status) == ("response", 304)


# ---- fronts and listings


def by_schedule(crawl: Crawl) -> None:
    crawl.crawler.signals.connect(_named, signal=signals.spider_opened)


def _named(spider: object) -> None:
    spider.job = "hourly"  # type: ignore[attr-defined]


def test_a_scheduled_crawl_looks_at_fronts_by_their_intervals_and_tells_so(tmp_path: Path, after: Clock):
    answers = {"/": page([ONE, "/tag/a"]), ONE: page(), "/tag/a": page([TWO]), TWO: page(), "/sitemap.xml": page()}
    with running(RawSite(answers)) as site:
        crawl = Crawl(tmp_path)
        crawl.run(site)
        before = len(site.requests)
        account = crawl.run(site, by_schedule)
        assert [r.target for r in site.requests[before:] if r.target != ROBOTS] == []
        assert account.outcomes == {"skipped": 5}
        told = "looked at less than a minute ago; it is looked at about every 10 minutes"
        assert reasons(crawl, site)["/"] == reasons(crawl, site)["/tag/a"] == told
        after(minutes=11)
        crawl.run(site, by_schedule)
        assert {r.target for r in site.requests[before:]} - {ROBOTS} == {"/", "/tag/a", "/sitemap.xml"}


def test_who_crawls_by_hand_sees_what_is_new_at_once(tmp_path: Path):
    with running(RawSite({"/": page([ONE, "/tag/a"]), ONE: page(), "/tag/a": page()})) as site:
        crawl = Crawl(tmp_path)
        crawl.run(site)
        site.scripts |= {"/tag/a": page([TWO]), TWO: page()}
        assert asked(crawl, site) == {"/": 1, "/tag/a": 1, TWO: 1, "/sitemap.xml": 1}


def test_listings_deep_in_the_archive_are_looked_at_once_a_day_and_those_of_the_past_less(tmp_path: Path, after: Clock):
    answers = {"/": page(["/archive/"]), "/archive/": page(["/archive/2016/", "/archive/page/2"])}
    answers |= {"/archive/2016/": page([ONE]), "/archive/page/2": page([TWO]), ONE: page(), TWO: page()}
    with running(RawSite(answers)) as site:
        crawl = Crawl(tmp_path)
        crawl.run(site)
        for passed, expected in (
            (1, set()),
            (26, {"/archive/page/2"}),
            (15 * 24, {"/archive/page/2", "/archive/2016/"}),
        ):
            after(hours=passed)
            assert asked(crawl, site).keys() - {"/", "/archive/", "/sitemap.xml"} == expected, passed


# ---- what nothing leads to any more


def test_a_young_article_that_fell_out_of_the_feed_is_asked_for_on_its_rungs(tmp_path: Path, after: Clock):
    young, old = "/young-news-of-the-day", "/old-news-of-a-day"
    answers = {"/": page([young, old]), young: story(1), old: story(2, published=timedelta(days=300))}
    with running(RawSite(answers)) as site:
        crawl = Crawl(tmp_path, EXTRACTING)
        crawl.run(site)
        site.scripts["/"] = page()
        assert asked(crawl, site)[young] == 0
        after(hours=2)
        told = asked(crawl, site)
        assert (told[young], told[old]) == (1, 0)
        assert outcomes(crawl, site)[young] == "unchanged"
        assert old not in outcomes(crawl, site), "nothing leads there, and it is not looked for"


def sitemap(site: RawSite, targets: list[str], inside: str = "") -> Script:
    entries = "".join(f"<url><loc>{site.url(target)}</loc>{inside}</url>" for target in targets)
    return reply(f'<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{entries}</urlset>', "text/xml")


def index(site: RawSite, parts: list[str]) -> Script:
    entries = "".join(f"<sitemap><loc>{site.url(part)}</loc></sitemap>" for part in parts)
    return reply(
        f'<sitemapindex xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{entries}</sitemapindex>', "text/xml"
    )


def test_what_a_sitemap_lists_no_more_is_asked_for_once(tmp_path: Path):
    targets = [article(number) for number in range(6)]
    with running(RawSite({"/": page(), **{target: page() for target in targets}})) as site:
        site.scripts["/sitemap.xml"] = sitemap(site, targets)
        crawl = Crawl(tmp_path)
        crawl.run(site)
        site.scripts["/sitemap.xml"] = sitemap(site, targets[2:])
        site.scripts[targets[0]] = reply("", status="410 Gone")
        assert asked(crawl, site) == {"/": 1, "/sitemap.xml": 1, targets[0]: 1, targets[1]: 1}
        told = outcomes(crawl, site)
        assert (told[targets[0]], told[targets[1]]) == ("saved", "unchanged")
        assert asked(crawl, site) == {"/": 1, "/sitemap.xml": 1}


def test_what_moved_from_one_sitemap_to_another_has_not_vanished(tmp_path: Path, after: Clock):
    targets = [article(number) for number in range(6)]
    with running(RawSite({"/": page(), **{target: page() for target in targets}})) as site:
        site.scripts["/sitemap.xml"] = index(site, ["/a.xml", "/b.xml"])
        site.scripts |= {"/a.xml": sitemap(site, targets[:3]), "/b.xml": sitemap(site, targets[3:])}
        crawl = Crawl(tmp_path)
        crawl.run(site)
        site.scripts |= {"/a.xml": sitemap(site, targets[:1]), "/b.xml": sitemap(site, targets[2:])}
        after(hours=1)
        assert asked(crawl, site) == {"/": 1, "/sitemap.xml": 1, "/a.xml": 1, "/b.xml": 1, targets[1]: 1}


@pytest.mark.parametrize("case", ["news", "broken", "gone", "feed"])
def test_a_window_or_a_sitemap_that_cannot_be_read_says_nothing_of_what_is_missing(case: str, tmp_path: Path):
    targets = [article(number) for number in range(4)]
    dated = "<news><publication_date>2026-03-01</publication_date></news>" if case == "news" else ""
    with running(RawSite({"/": page(), **{target: page() for target in targets}})) as site:
        site.scripts["/sitemap.xml"] = sitemap(site, targets, dated)
        if case == "feed":
            items = "".join(f"<item><link>{site.url(target)}</link></item>" for target in targets)
            site.scripts["/sitemap.xml"] = reply(f"<rss><channel>{items}</channel></rss>", "text/xml")
        crawl = Crawl(tmp_path)
        crawl.run(site)
        match case:
            case "broken":
                fewer = sitemap(site, targets[:1]).bytes.partition(b"\r\n\r\n")[2].replace(b"</urlset>", b"<url><")
                site.scripts["/sitemap.xml"] = reply(fewer, "text/xml")
            case "gone":
                site.scripts["/sitemap.xml"] = reply("", status="404 Not Found")
            case "feed":
                site.scripts["/sitemap.xml"] = reply("<rss><channel></channel></rss>", "text/xml")
            case _:
                site.scripts["/sitemap.xml"] = sitemap(site, targets[:1], dated)
        assert asked(crawl, site) == {"/": 1, "/sitemap.xml": 1}


def test_pages_that_always_fail_are_tried_once_and_do_not_let_their_site_be_left_alone(tmp_path: Path):
    """In a later crawl they may be nearly all that is asked for, and nothing good comes between them."""
    failing = [article(number) for number in range(100, 140)]
    answers = {article(number): page() for number in range(40)}
    links = [link for pair in zip(answers, failing, strict=True) for link in pair]
    answers |= {"/": page(links), **dict.fromkeys(failing, reply("", status="503 Service Unavailable"))}
    with running(RawSite(answers)) as site:
        Crawl(tmp_path, {"RETRY_TIMES": 0, "CONCURRENT_REQUESTS_PER_DOMAIN": 1}).run(site)
        crawl = Crawl(tmp_path)
        assert asked(crawl, site) == {"/": 1, "/sitemap.xml": 1, **dict.fromkeys(failing, 1)}
        site.scripts |= dict.fromkeys(failing, page())
        asked(crawl, site)
        assert {outcomes(crawl, site)[target] for target in failing} == {"saved"}


def test_dead_links_and_redirects_deep_in_the_site_are_tried_once_a_day(tmp_path: Path, after: Clock):
    moved = reply("", "text/html", "301 Moved Permanently", f"Location: {TWO}")
    dead = "/never-was-here-at-all"
    with running(RawSite({"/": page([ONE]), ONE: page(["/gone-from-here-to-there", dead]), TWO: page()})) as site:
        site.scripts["/gone-from-here-to-there"] = moved
        crawl = Crawl(tmp_path)
        crawl.run(site)
        after(hours=2)
        assert asked(crawl, site) == {"/": 1, "/sitemap.xml": 1}
        told = reasons(crawl, site)
        assert told[dead] == told["/gone-from-here-to-there"]
        assert "it is looked at about every 24 hours" in (told[dead] or "")
        assert outcomes(crawl, site)[TWO] == "skipped", "where the redirect leads is found all the same"
        after(hours=25)
        site.scripts[dead] = page()
        assert asked(crawl, site) == {"/": 1, "/sitemap.xml": 1, "/gone-from-here-to-there": 1, dead: 1}
        assert outcomes(crawl, site)[dead] == "saved"
