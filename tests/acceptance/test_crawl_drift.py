"""A site that is redesigned between two crawls: the next ones say so, on standard error, by row and exit code."""

from __future__ import annotations

from pathlib import Path

from tests.command import Command
from tests.crawler.crawls import article, page, reply
from tests.records import news
from tests.servers.raw_site import RawSite, running

OLD, NEW = 110, 25


def publish(site: RawSite, first: int, count: int, *, author: bool) -> None:
    """Let *site* have articles in one design, and its front page lead to them."""
    numbers = range(first, first + count)
    site.scripts["/"] = page(map(article, numbers))
    for number in numbers:
        site.scripts[article(number)] = reply(news(number, paragraphs=4 + number % 5, author=author))


def test_a_redesign_between_two_crawls_is_told_until_it_is_mended(tmp_path: Path):
    command = Command(tmp_path)
    command.variables["NEWSWARC_DELAY_S"] = "0"
    with running(RawSite()) as site:
        crawl = ("crawl", "generic", "-a", f"start={site.url('/')}", "--json")
        publish(site, 0, OLD, author=True)
        ran = command.run(*crawl)
        assert "redesigned" not in ran.err
        publish(site, 1000, NEW, author=False)
        ran = command.run(*crawl, code=8)
        (row,) = [row["drift"] for row in ran.rows if "drift" in row]
        assert (row["host"], row["what"], row["until"]) == ("127.0.0.1", "authors", None)
        assert (row["before"], row["after"], row["articles_after"]) == (row["articles_before"], 0, NEW)
        assert "what-happened-10" in row["url"]
        assert f"127.0.0.1: since {row['since']} ({row['url']}) 0 of {NEW} articles have authors; of the" in ran.err
        publish(site, 2000, 5, author=False)
        assert f"0 of {NEW + 5} articles have authors" in command.run(*crawl, code=8).err
        publish(site, 3000, 60, author=True)
        assert "redesigned" not in command.run(*crawl).err
