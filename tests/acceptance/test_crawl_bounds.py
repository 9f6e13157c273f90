"""What a crawl leaves out: by days, by a number of pages, and because another such crawl is running."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from archive.archive import Archive
from tests.acceptance.archives import opened
from tests.acceptance.crawls import asked, crawl, prepare, summary_of
from tests.command import Command
from tests.servers.publication_site import PublicationSite, running_publication

ARTICLES = 200
SINCE, UNTIL = date(2026, 5, 10), date(2026, 6, 20)
NOT_COUNTED = ("/sitemaps/", "/rss", "/feeds/")


@pytest.fixture
def command(tmp_path: Path) -> Command:
    made = Command(tmp_path)
    prepare(made)
    return made


def days(site: PublicationSite, targets: set[str]) -> dict[str, date]:
    """Return the day of each of *targets* that is an article."""
    known = {article.target: article.day for article in site.publication.articles}
    return {target: known[target] for target in targets if target in known}


def check_all_kept(archive: Archive, site: PublicationSite) -> None:
    wanted = {target for target, page in site.publication.expected().items() if page.outcome == "saved"}
    assert not {target for target in wanted if not list(archive.captures(site.url(target)))}


def test_only_articles_of_the_days_asked_for_are_archived(command: Command):
    with running_publication(ARTICLES, troubles=False) as site:
        ran = crawl(command, site, "--since", str(SINCE), "--until", str(UNTIL))
        log = asked(site.log())
        found = days(site, set(log))
        assert set(log.values()) == {1}
        assert all(SINCE <= day <= UNTIL for day in found.values())
        wanted = {
            article.target
            for article in site.publication.articles[:ARTICLES]
            # Found in a listing; what stands in the text of one that is too old cannot be known of.
            if SINCE <= article.day <= UNTIL and site.publication.way(article.number) != "article"
        }
        assert wanted <= found.keys()
        told = ran.out.decode()
        summary = summary_of(told)
        assert summary.articles == {"read": len(found)}
        assert f"skipped: published before --since {SINCE}; the first: " in told
        assert f"skipped: published after --until {UNTIL}; the first: " in told

        # Wider, later: what the archive has is not asked for again, and the rest is found.
        before = len(site.log())
        crawl(command, site, "--since", str(SINCE))
        again = days(site, set(asked(site.log()[before:])))
        assert not found.keys() & again.keys()
        assert all(day > UNTIL for day in again.values())
        assert again


def test_a_listing_of_what_is_too_old_is_not_read_to_its_end(command: Command):
    with running_publication(ARTICLES * 5, troubles=False) as site:
        since = site.publication.articles[-60].day
        crawl(command, site, "--since", str(since))
        pages = {target for target in asked(site.log()) if target.startswith("/culture/")}
        # A page of teasers of which one is new enough, and one of which none is.
        assert pages == {"/culture/", "/culture/older-1/"}


def test_no_more_pages_are_asked_for_than_the_limit_and_the_next_run_asks_for_others(command: Command):
    limit, seen = 30, set[str]()
    with running_publication(ARTICLES, troubles=False) as site:
        for run in range(3):
            before = len(site.log())
            ran = crawl(command, site, "--max-pages", str(limit))
            targets = {target for target in asked(site.log()[before:]) if not target.startswith(NOT_COUNTED)}
            assert len(targets) == limit, f"run {run}"
            articles = days(site, targets).keys()
            assert not articles & seen
            assert len(articles) > limit // 2
            seen |= articles
            told = ran.out.decode()
            assert f"skipped: the limit of {limit} pages was reached" in told
            assert summary_of(told).articles == {"read": len(articles)}
        crawl(command, site)
        with opened(command) as archive:
            check_all_kept(archive, site)


def test_two_of_the_same_crawl_do_not_run_at_once(command: Command):
    with running_publication(ARTICLES, troubles=False) as site:
        first = command.start("crawl", "generic", "-a", f"start={site.url('/')}")
        while len(site.log()) < 20:
            assert first.poll() is None
        second = crawl(command, site, code=2)
        assert second.err == (
            f"newswarc: this crawl is running already (process {first.pid}); wait for it, or end it first\n"
        )
        out, err = first.communicate(timeout=120)
        assert (first.returncode, err) == (0, b"")
        assert set(asked(site.log()).values()) == {1}
        assert summary_of(out.decode()).articles == {"read": ARTICLES}
        with opened(command) as archive:
            check_all_kept(archive, site)
    command.run("verify")


def test_a_crawl_whose_state_is_damaged_says_so_and_how_to_go_on(command: Command):
    with running_publication(ARTICLES, troubles=False) as site:
        crawl(command, site, "--max-pages", "1")
        (path,) = command.path.rglob("crawls/*.sqlite")
        path.write_bytes(b"This is not what a crawl left." * 100)
        damaged = crawl(command, site, code=5)
        assert damaged.err == (
            f"newswarc: {path.relative_to(command.folder)}: file is not a database; delete it, and the crawl begins"
            " anew; what is archived already is not asked for again\n"
        )
        path.unlink()
        crawl(command, site)
        assert summary_of(crawl(command, site).out.decode()).articles == {}
