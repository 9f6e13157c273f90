"""What the archive holds already: what is not asked for again, what is all the same, and that its links still count."""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from archive.archive import Archive
from crawler import known
from crawler.revisiting import deciding
from tests.acceptance.news import article_html
from tests.crawler.crawls import Crawl, article, asked, page, reply
from tests.servers.raw_site import RawSite, Script, running

GONE = reply("", status="404 Not Found")
EXTRACTING = {"NEWSWARC_EXTRACT": True}


def sitemap(site: RawSite, modified: dict[str, str | None]) -> Script:
    entries = "".join(
        f"<url><loc>{site.url(target)}</loc>{f'<lastmod>{day}</lastmod>' if day else ''}</url>"
        for target, day in modified.items()
    )
    return reply(f'<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{entries}</urlset>', "text/xml")


def again(crawl: Crawl, site: RawSite) -> Counter[str]:
    """Run *crawl* once more; return what it asked for."""
    before = len(site.requests)
    crawl.run(site)
    return Counter(request.target for request in site.requests[before:] if request.target != "/robots.txt")


def outcomes(crawl: Crawl, site: RawSite) -> dict[str, tuple[str, str | None]]:
    """Return what became of each page that *crawl* told of, and whether it was told as a failure."""
    return {result.url.removeprefix(site.url("")): (result.outcome, result.error) for result in crawl.results}


def ago(**time: float) -> str:
    return (datetime.now(UTC) - timedelta(**time)).isoformat()


@pytest.fixture
def a_day_later(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let all that is known be a day old: a dead link is not tried more often."""
    monkeypatch.setattr(known, "now", lambda: datetime.now(UTC) + timedelta(days=1))


@pytest.mark.usefixtures("a_day_later")
def test_an_article_of_an_earlier_crawl_is_not_asked_for_again_but_its_links_are_followed(tmp_path: Path):
    first, second, third = map(article, (1, 2, 3))
    site = RawSite({"/": page([first, "/tag/a"]), first: page([second]), second: GONE, "/tag/a": page([third])})
    site.scripts[third] = page()
    crawl = Crawl(tmp_path)
    with running(site):
        crawl.run(site)
        site.scripts |= {first: page(title="edited in silence"), second: page(title="here now")}
        assert again(crawl, site) == {"/": 1, "/tag/a": 1, second: 1, "/sitemap.xml": 1}
        told = outcomes(crawl, site)
    assert (told[first], told[third]) == (("skipped", None), ("skipped", None))
    assert (told["/"][0], told[second][0]) == ("unchanged", "saved")


@pytest.mark.parametrize(
    ("modified", "is_asked"),
    [
        (None, False),
        (ago(days=1), False),
        (ago(days=2)[:10], False),
        (ago(days=-1), True),
        (ago(days=-2)[:10], True),
        (ago(days=-400)[:7], False),  # a month alone tells too little
        ("soon", False),
    ],
    ids=["not said", "yesterday", "the day before", "tomorrow", "two days on", "a month", "no time"],
)
def test_a_page_is_asked_for_again_when_it_is_said_to_have_changed_since(
    modified: str | None, is_asked: bool, tmp_path: Path
):
    site = RawSite({"/": page([article(1)]), article(1): page()})
    crawl = Crawl(tmp_path)
    with running(site):
        crawl.run(site)
        site.scripts["/sitemap.xml"] = sitemap(site, {article(1): modified})
        assert again(crawl, site)[article(1)] == is_asked
        # What it was asked for, it is not asked for once more in a later crawl that hears nothing new.
        site.scripts["/sitemap.xml"] = sitemap(site, {article(1): ago(days=1)})
        assert again(crawl, site)[article(1)] == 0


def test_a_change_told_after_the_page_was_skipped_counts_too(tmp_path: Path):
    """The feed that tells it is found only behind the article."""
    site = RawSite({"/": page([article(1)]), article(1): page(["/feed/"])})
    crawl = Crawl(tmp_path)
    with running(site):
        crawl.run(site)
        atom = f'<entry><link href="{site.url(article(1))}"/><id>x</id><updated>{ago(days=-1)}</updated></entry>'
        site.scripts["/feed/"] = reply(
            f'<feed xmlns="http://www.w3.org/2005/Atom"><title>News</title>{atom}</feed>', "application/atom+xml"
        )
        assert again(crawl, site)[article(1)] == 1


def test_recrawling_asks_for_everything_again(tmp_path: Path):
    site = RawSite({"/": page([article(1), article(2)]), article(1): page(), article(2): page(title="before")})
    with running(site):
        Crawl(tmp_path).run(site)
        site.scripts[article(2)] = page(title="after")
        crawl = Crawl(tmp_path, {"NEWSWARC_RECRAWL": True})
        asked_for = again(crawl, site)
        told = outcomes(crawl, site)
        assert (asked_for[article(1)], asked_for[article(2)]) == (1, 1)
        assert (told[article(1)][0], told[article(2)][0]) == ("unchanged", "saved")


@pytest.mark.usefixtures("a_day_later")
def test_the_links_of_a_page_that_was_archived_as_unchanged_are_followed_too(tmp_path: Path):
    """Its latest capture is a revisit, whose body stands in another record."""
    site = RawSite({"/": page([article(1)]), article(1): page([article(2)]), article(2): GONE})
    with running(site):
        Crawl(tmp_path).run(site)
        Crawl(tmp_path, {"NEWSWARC_RECRAWL": True}).run(site)
        site.scripts[article(2)] = page()
        asked_for = again(Crawl(tmp_path), site)
    assert (asked_for[article(1)], asked_for[article(2)]) == (0, 1)


def damaged(path: Path) -> None:
    size = path.stat().st_size
    path.chmod(0o644)
    path.write_bytes(b"\0" * size)


def cut_off(path: Path) -> None:
    path.chmod(0o644)
    path.write_bytes(path.read_bytes()[:100])


def harmed(folder: Path, site: RawSite, harm: Callable[[Path], None]) -> Crawl:
    """Crawl *site*, and do *harm* to all that was archived of it."""
    crawl = Crawl(folder)
    crawl.run(site)
    files = list((folder / "archive" / "warc").rglob("*.warc.gz"))
    assert files
    for path in files:
        harm(path)
    return crawl


HARMS = [Path.unlink, damaged, cut_off]


@pytest.mark.parametrize("harm", HARMS)
def test_a_capture_that_cannot_be_read_is_fetched_again(harm: Callable[[Path], None], tmp_path: Path):
    with running(RawSite({"/": page([article(1)]), article(1): page([article(2)]), article(2): page()})) as site:
        asked_for = again(harmed(tmp_path, site, harm), site)
    assert (asked_for[article(1)], asked_for[article(2)]) == (1, 1)


@pytest.mark.parametrize("harm", HARMS)
def test_what_is_fetched_again_because_it_cannot_be_read_is_kept_whole(harm: Callable[[Path], None], tmp_path: Path):
    with running(RawSite({"/": page([article(1)]), article(1): page()})) as site:
        crawl = harmed(tmp_path, site, harm)
        crawl.run(site)
        with Archive.open(str(tmp_path / "archive")) as archive:
            latest = list(archive.captures(site.url(article(1))))[-1]
            assert archive.payload(latest).body == site.scripts[article(1)].bytes.partition(b"\r\n\r\n")[2]


def test_what_this_crawl_captured_before_it_was_killed_counts_as_its_own(tmp_path: Path):
    site = RawSite({"/": page([article(1)]), article(1): page([article(2)]), article(2): page()})
    crawl = Crawl(tmp_path)
    with running(site):
        crawl.run(site)
        with closing(sqlite3.connect(next(tmp_path.rglob("crawls/*.sqlite")))) as db, db:
            # As if the run had been killed when the page was on disk, but before it was noted.
            db.execute("DELETE FROM crawl WHERE name = 'finished'")
            db.execute("DELETE FROM pages WHERE url LIKE '%-2'")
            db.execute("UPDATE pages SET outcome = NULL WHERE url LIKE '%-1' OR kind = 'home'")
        assert again(crawl, site) == {}
        told = outcomes(crawl, site)
    assert {told[target][0] for target in ("/", article(1), article(2))} == {"saved"}


def test_an_error_page_and_a_redirect_are_asked_for_again(tmp_path: Path):
    moved = reply("", "text/html", "301 Moved Permanently", f"Location: {article(3)}")
    site = RawSite({"/": page([article(1), article(2)]), article(1): GONE, article(2): moved, article(3): page()})
    crawl = Crawl(tmp_path)
    with running(site):
        crawl.run(site)
        assert again(crawl, site) == {"/": 1, article(1): 1, article(2): 1, "/sitemap.xml": 1}


def test_a_page_of_unknown_kind_is_known_by_what_was_read_out_of_it(tmp_path: Path):
    site = RawSite({"/": page(["/ferry", "/about"]), "/ferry": reply(article_html(1)), "/about": page()})
    crawl = Crawl(tmp_path, EXTRACTING)
    with running(site):
        assert crawl.run(site).articles == {"extracted": 1}
        asked_for = again(crawl, site)
        assert (asked_for["/ferry"], asked_for["/about"]) == (0, 1)
        site.scripts["/sitemap.xml"] = sitemap(site, {"/ferry": ago(days=-1)})
        assert again(crawl, site)["/ferry"] == 1, "it is said to have changed"


def live_page() -> Script:
    data = {
        "@context": "https://schema.org",
        "@type": "LiveBlogPosting",
        "headline": "As it happens at the harbour",
        "datePublished": "2026-03-01T06:30:00+01:00",
        "coverageStartTime": "2026-03-01T06:30:00+01:00",
    }
    script = f'<script type="application/ld+json">{json.dumps(data)}</script></head>'
    return reply(article_html(1).replace(b"NewsArticle", b"LiveBlogPosting").replace(b"</head>", script.encode(), 1))


def test_a_live_page_is_asked_for_again_until_it_rests(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    site = RawSite({"/": page([article(1), article(2)]), article(1): live_page(), article(2): reply(article_html(2))})
    crawl = Crawl(tmp_path, EXTRACTING)
    with running(site):
        crawl.run(site)
        for _ in range(2):  # the second time its latest capture is a revisit of the first
            asked_for = again(crawl, site)
            assert (asked_for[article(1)], asked_for[article(2)]) == (1, 0)
        monkeypatch.setattr(deciding, "STILL_LIVE", timedelta(0))
        assert again(crawl, site)[article(1)] == 0


def test_nothing_is_looked_up_in_an_archive_that_was_empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def never(*_: object) -> None:
        raise AssertionError("it was looked up")

    site = RawSite({"/": page([article(1)]), article(1): page()})
    with running(site):
        monkeypatch.setattr(known, "_look_up", never)
        assert Crawl(tmp_path).run(site).outcomes == {"saved": 3}
        assert asked(site) == {"/": 1, article(1): 1}
