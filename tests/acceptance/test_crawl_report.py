"""What a crawl reports of sixty articles that are edited, redesigned, blocked and deleted between two crawls."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from html import escape
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.conftest import s3_variables
from tests.command import Command
from tests.crawler.crawls import page, reply
from tests.servers import templates
from tests.servers.newsroom import Article, Newsroom
from tests.servers.raw_site import RawSite, Script, running
from tests.servers.weed import Weed

COUNT = 60
NEW = 57  # and those after it, published between the crawls
APPEAL = "The Courier lives on its readers: become a member today and keep the news of the lower river free."
NOTE = "Correction: an earlier version of this article gave another number of votes."


def old_design(item: Article, articles: list[Article], more: str = "") -> bytes:
    return templates.article(item, articles, "").replace(b"</div>\n<ul class", more.encode() + b"</div>\n<ul class")


def new_design(item: Article, articles: list[Article], modified: str = "") -> bytes:
    """Return the page of *item* after a redesign: other elements, classes and order, and furniture of its own."""
    data = {
        "@context": "https://schema.org",
        "@type": "NewsArticle",
        "headline": item.title,
        "datePublished": templates.published(item),
        "author": [{"@type": "Person", "name": name} for name in item.authors],
        "articleSection": item.section.title(),
        **({"dateModified": modified} if modified else {}),
    }
    text = "".join(
        f"<h3>{escape(part[3:])}</h3>" if part.startswith("## ") else f"<p>{escape(part.removeprefix('* '))}</p>"
        for part in item.paragraphs
    )
    also = "".join(f'<li><a href="{one.target}?ref_src=also">{escape(one.title)}</a></li>' for one in articles[3:9])
    return (
        f"<!doctype html><html lang=en><head><meta charset=utf-8><title>{escape(item.title)} — Courier</title>"
        f'<script type="application/ld+json">{json.dumps(data)}</script></head><body><div id="app"><nav><a href="/">'
        f'Home</a></nav><section class="hero"><h1>{escape(item.title)}</h1><img src="/{item.number}.jpg?w=1200">'
        f'<span class="views">{1000 + item.number} views</span></section><section class="content">{text}'
        f"<p>{APPEAL}</p></section>"
        f'<aside class="also"><h4>More stories</h4><ul>{also}</ul></aside></div></body></html>'
    ).encode()


def wall(title: str, text: str, status: str = "200 OK") -> Script:
    return reply(
        f"<html><head><title>{title}</title></head><body><h1>{title}</h1><p>{text}</p></body></html>", status=status
    )


def redirect(to: str) -> Script:
    return reply("", "text/html", "302 Found", f"Location: {to}")


class Courier:
    """The publication: its articles as they are now, and what answers at the addresses of some instead."""

    def __init__(self, site: RawSite) -> None:
        self.site = site
        self.articles = Newsroom(COUNT, 5).articles
        self.published = NEW
        self.publish()

    def publish(self) -> None:
        """Serve all that is published, in the old design."""
        site, shown = self.site, self.articles[: self.published]
        links = [item.target for item in shown]
        site.scripts["/"] = page([*links, "/news/", "/rss"])
        site.scripts["/news/"] = page(links)
        site.scripts["/rss"] = reply(self.feed(shown[-20:]), "application/rss+xml")
        site.scripts["/sitemap.xml"] = reply(templates.sitemap(site.url(""), shown[:30]), "application/xml")
        for item in shown:
            site.scripts[item.target] = reply(old_design(item, self.articles))

    def feed(self, items: list[Article]) -> bytes:
        at = format_datetime(datetime.now(UTC) - timedelta(minutes=20))
        entries = "".join(
            f"<item><title>{escape(item.title)}</title><link>{self.site.url(item.target)}?utm_source=rss</link>"
            f"<pubDate>{at}</pubDate></item>"
            for item in items
        )
        return f'<?xml version="1.0"?><rss version="2.0"><channel>{entries}</channel></rss>'.encode()

    def show(self, number: int, made: bytes | Script) -> None:
        self.site.scripts[self.articles[number].target] = made if isinstance(made, Script) else reply(made)

    def url(self, number: int) -> str:
        return self.site.url(self.articles[number].target)


EDITED: dict[int, tuple[str, ...]] = {
    0: ("title",),
    1: ("authors",),
    2: ("text",),
    3: ("text",),
    4: ("text",),
    5: ("title", "text"),
    6: ("text",),
}
GONE = {10: "404", 11: "410", 13: "front page", 14: "section", 15: "not there", 16: "which answers 404"}


def edited(item: Article, number: int) -> Article:
    first, second, *rest = item.paragraphs
    match number:
        case 0:
            return replace(item, title=f"Update: {item.title}")
        case 1:
            return replace(item, authors=(*item.authors, "Zora Quist"))
        case 2:
            return replace(item, paragraphs=(first, NOTE, second, *rest))
        case 3:
            return replace(item, paragraphs=(first, *rest))
        case 4:
            return replace(item, paragraphs=(first, f"{second} It was said again on Thursday.", *rest))
        case 5:
            return replace(item, title=f"{item.title}, After All", paragraphs=(NOTE, *item.paragraphs))
        case _:
            return replace(item, paragraphs=(second, first, *rest))


def plant(courier: Courier) -> None:
    """Edit and delete articles, and let everything else happen to others that is no edit."""
    courier.published, articles = COUNT, courier.articles
    courier.publish()
    for number in EDITED:
        design = new_design if number >= 4 else old_design  # some edits come with the redesign
        courier.show(number, design(edited(articles[number], number), articles))
    courier.show(10, wall("Not found", "There is no such page.", "404 Not Found"))
    courier.show(11, wall("Gone", "It was here.", "410 Gone"))
    courier.show(12, wall("Unavailable", "For legal reasons.", "451 Unavailable For Legal Reasons"))
    courier.show(13, redirect("/"))
    courier.show(14, redirect("/news/"))
    courier.show(15, wall("Page not found", "The page you were looking for could not be found."))
    courier.show(16, redirect("/missing"))
    # Nothing of what follows is an edit.
    courier.show(20, wall("Attention Required!", "Please verify you are a human to go on."))
    courier.show(21, wall("Access denied", "Your request was blocked.", "403 Forbidden"))
    courier.show(22, wall("Before you continue", "We value your privacy. Accept all cookies to go on."))
    courier.show(23, wall("Internal Server Error", "Try again later.", "500 Internal Server Error"))
    courier.show(24, wall("503 Service Unavailable", "The service is temporarily unavailable."))
    courier.show(25, redirect("/moved-to-here-for-good-now-1"))
    courier.site.scripts["/moved-to-here-for-good-now-1"] = reply(new_design(articles[25], articles))
    courier.show(
        26, Script([b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\nContent-Type: text/html\r\n\r\n<html>"], "close")
    )
    courier.show(27, old_design(articles[27], articles, "<p>1,204 views</p><p>Updated 3 minutes ago</p>"))
    courier.show(28, old_design(replace(articles[28], related=(3, 4, 5)), articles))
    courier.show(29, old_design(articles[29], articles, '<p><a href="/?utm_source=x"></a></p>'))
    for number in range(30, 50):
        courier.show(number, new_design(articles[number], articles))


@pytest.fixture(scope="module")
def command(tmp_path_factory: pytest.TempPathFactory) -> Command:
    made = Command(tmp_path_factory.mktemp("report"))
    made.variables |= {"NEWSWARC_REST_S": "0.02", "NEWSWARC_DELAY_S": "0"}
    return made


def latest(command: Command, *arguments: str) -> dict[str, Any]:
    (report,) = command.run("report", "generic", "--json", *arguments).rows
    assert isinstance(report, dict)
    return report


def urls(report: dict[str, Any], name: str) -> list[str]:
    assert report["articles"][name] == len(report[name])
    return [item["url"] for item in report[name]]


def test_every_planted_edit_and_deletion_is_reported_once_and_none_invented(command: Command):
    with running(RawSite()) as site:
        courier = Courier(site)
        crawl = ("crawl", "generic", "-a", f"start={site.url('/')}")
        ran = command.run(*crawl)
        first = latest(command)
        check_first(command, first, courier, ran.out.decode())
        plant(courier)
        ran_again = command.run(*crawl, "--recrawl", code=1)
        second = latest(command)
        check_second(second, courier)
        check_page(command, second, ran_again.out.decode())
        courier.show(10, old_design(courier.articles[10], courier.articles))
        courier.show(13, new_design(courier.articles[13], courier.articles))
        command.run(*crawl, "--recrawl", code=1)
        third = latest(command)
        assert sorted(urls(third, "returned")) == sorted(map(courier.url, (10, 13)))
        assert not any(urls(third, name) for name in ("changed", "vanished", "new"))
        command.run("verify")
        command.run("index", "rebuild")


def check_first(command: Command, report: dict[str, Any], courier: Courier, told: str) -> None:
    assert report["schema"] == 1
    run = report["run"]
    assert (run["job"], run["spider"], run["ended_as"], run["exit_code"]) == ("generic", "generic", "finished", 0)
    assert not any(urls(report, name) for name in ("changed", "vanished", "returned", "hidden", "unread", "touched"))
    assert sorted(urls(report, "new")) == sorted(map(courier.url, range(NEW)))
    asked = {request.target for request in courier.site.requests} - {"/robots.txt"}
    pages = len(asked)
    there = len(asked & courier.site.scripts.keys())
    assert report["outcomes"]["run"] == report["outcomes"]["whole"] == {"saved": pages, "total": pages}
    assert report["pages"] == {"asked": pages, "kept": pages, "failed": 0}
    (host,) = report["hosts"]
    assert host["requests"] == pages + 1  # robots.txt
    assert host["statuses"] == {"200": there, "404": pages - there + 1}
    assert host["robots"]["status"] == 404
    assert report["requests"]["total"] == pages + 1
    assert report["requests"]["stored_bytes"] == host["stored_bytes"] > 0
    assert {kind["kind"] for kind in report["requests"]["by_kind"]} >= {"article", "feed", "sitemap", "robots"}
    coverage = report["coverage"]
    assert (coverage["listed"], coverage["captured"], coverage["extracted"]) == (50, 50, 50)
    assert {source["kind"]: source["listed"] for source in coverage["sources"]} == {"sitemap": 30, "feed": 20}
    assert report["latency_s"]["articles"] == 20
    assert 1200 <= report["latency_s"]["median"] < 1400
    assert sum(report["days"].values()) == NEW
    assert all((command.path / key).is_file() for key in report["warc"])
    assert f"{pages} pages asked for, {pages} kept; {NEW} new articles" in told
    assert f"report: archive/crawls/{report['crawl']}/report.html" in told


def check_second(report: dict[str, Any], courier: Courier) -> None:
    changed = {item["url"]: item for item in report["changed"]}
    assert sorted(changed) == sorted(map(courier.url, EDITED)), [
        (url, item["fields"], item["text"]) for url, item in changed.items()
    ]
    for number, names in EDITED.items():
        item = changed[courier.url(number)]
        told = [*item["fields"], *(["text"] if any(item["paragraphs"].values()) else [])]
        assert told == list(names), (number, item)
    assert not any("marks" in item or APPEAL in str(item) for item in report["changed"])
    assert changed[courier.url(2)]["text"] == {"added": [NOTE]}
    assert changed[courier.url(4)]["paragraphs"] == {"added": 0, "removed": 0, "changed": 1, "moved": 0}
    assert changed[courier.url(6)]["paragraphs"] == {"added": 0, "removed": 0, "changed": 0, "moved": 1}
    assert sorted(urls(report, "vanished")) == sorted(map(courier.url, GONE))
    for item in report["vanished"]:
        (number,) = [number for number in GONE if courier.url(number) == item["url"]]
        assert GONE[number] in item["how"], item
        assert item["title"] == courier.articles[number].title
    hidden = {item["url"]: item["by"] for item in report["hidden"]}
    assert hidden == {courier.url(20): "block", courier.url(22): "consent", courier.url(24): "error"}
    new = [*map(courier.url, range(NEW, COUNT)), courier.site.url("/moved-to-here-for-good-now-1")]
    assert sorted(urls(report, "new")) == sorted(new)
    assert not urls(report, "returned")
    assert not urls(report, "unread")
    assert report["outcomes"]["run"]["failed"] == 6  # 500, cut, and what stood in the place of four


def check_page(command: Command, report: dict[str, Any], told: str) -> None:
    assert f"{len(EDITED)} changed, {len(GONE)} vanished" in told
    shown = (command.path / "crawls" / report["crawl"] / "report.html").read_text(encoding="utf-8")
    for item in (*report["changed"], *report["vanished"]):
        assert escape(item["url"]) in shown
    assert "<script" not in shown
    assert 'http-equiv="Content-Security-Policy" content="default-src \'none\'' in shown


@pytest.mark.s3
def test_reports_stand_in_a_bucket_and_are_read_from_another_machine(weed: Weed, tmp_path: Path):
    here = Command(tmp_path / "here", f"s3://{weed.make_bucket('reports')}/news")
    there = Command(tmp_path / "there", here.archive)
    for made in (here, there):
        made.folder.mkdir()
        made.variables |= s3_variables(weed.endpoint)
    with running(RawSite({"/": page(["/missing"])})) as site:
        ran = here.run("crawl", "generic", "-a", f"start={site.url('/')}")
    (listed,) = there.run("report", "--list", "--json").rows
    assert f"report: {here.archive}/crawls/{listed['crawl']}/report.html" in ran.out.decode()
    (report,) = there.run("report", listed["crawl"], "--json").rows
    assert report["outcomes"]["whole"] == {"saved": 3, "total": 3}  # with the sitemap that there is not
