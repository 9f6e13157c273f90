"""A page that asks not to be archived: recorded by default, left alone where that is the policy."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from archive.archive import Archive
from tests.acceptance.archives import articles
from tests.crawler.crawls import Crawl, article, page, reply
from tests.crawler.test_robots_answers import evidence_of
from tests.servers.raw_site import RawSite, running

PROSE = "<p>" + "The ferry sailed again on Monday, and nobody had thought it would. " * 12 + "</p>"
META = '<meta name="robots" content="noarchive, max-snippet:-1">'
BODY = f"<html><head><title>Ferry</title>{META}</head><h1>Ferry</h1>{PROSE}</html>"


def site() -> RawSite:
    plain = BODY.replace(META, "")
    return RawSite({
        "/": page(map(article, range(4))),
        article(0): reply(plain),
        article(1): reply(BODY),
        article(2): reply(plain, "text/html", "200 OK", "X-Robots-Tag: noarchive", "x-robots-tag: googlebot: noindex"),
        article(3): reply(gzip.compress(BODY.encode()), "text/html", "200 OK", "Content-Encoding: gzip"),
    })  # fmt: skip


SAID = [
    [],
    ["noarchive", "max-snippet:-1"],
    ["noarchive", "googlebot: noindex"],
    ["noarchive", "max-snippet:-1"],
]


def test_it_is_recorded_beside_the_capture_and_with_the_article(tmp_path: Path):
    with running(site()) as served:
        account = Crawl(tmp_path, {"NEWSWARC_EXTRACT": True}).run(served)
    assert "refused" not in account.outcomes
    with Archive.open(str(tmp_path / "archive")) as archive:
        read = articles(archive)
        for number, said in enumerate(SAID):
            url = served.url(article(number))
            assert evidence_of(archive, url).get("robots-directives", "") == "; ".join(said)
            assert read[url][0]["robots_directives"] == said


@pytest.mark.parametrize("extract", [True, False])
def test_where_it_is_obeyed_no_more_than_the_head_is_kept(extract: bool, tmp_path: Path):
    with running(site()) as served:
        account = Crawl(tmp_path, {"NEWSWARC_EXTRACT": extract, "NEWSWARC_NOARCHIVE": "obey"}).run(served)
    assert account.outcomes["refused"] == 3
    (reasons,) = ([r for r in account.reasons if r.outcome == "refused"],)
    assert all("it asks not to be archived, which is obeyed: noarchive" in (reason.reason or "") for reason in reasons)
    with Archive.open(str(tmp_path / "archive")) as archive:
        for number, said in enumerate(SAID):
            url = served.url(article(number))
            (capture,) = archive.captures(url)
            response = archive.response(capture)
            with response.block as block:
                kept = block.read()
            assert (b"ferry" in kept) is not bool(said)
            assert kept.endswith(b"\r\n\r\n") is bool(said)
            assert capture.truncated == ("unspecified" if said else None)
            assert evidence_of(archive, url).get("robots-directives", "") == "; ".join(said)
        assert list(articles(archive)) == ([served.url(article(0))] if extract else [])


def test_feeds_and_sitemaps_are_kept_all_the_same(tmp_path: Path):
    listed = f"<urlset><url><loc>{article(1)}</loc></url></urlset>"
    served = RawSite({
        "/": page(),
        "/sitemap.xml": reply(listed, "text/xml", "200 OK", "X-Robots-Tag: noarchive"),
        article(1): reply("<html><p>x</p>"),
    })  # fmt: skip
    with running(served):
        account = Crawl(tmp_path, {"NEWSWARC_NOARCHIVE": "obey"}).run(served)
    assert account.outcomes == {"saved": 3}


def test_another_policy_is_refused_at_the_start(tmp_path: Path):
    with (
        running(site()) as served,
        pytest.raises(ValueError, match="NEWSWARC_NOARCHIVE is 'never'; it may be record or"),
    ):
        Crawl(tmp_path, {"NEWSWARC_NOARCHIVE": "never"}).run(served)
