"""A crawl that dies suddenly, at any moment, and is begun again, loses nothing and asks for nothing twice.

``NEWSWARC_TEST_KILLS`` says how often it is killed; the default keeps the suite short.
"""

from __future__ import annotations

import contextlib
import os
import random
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from archive.archive import Archive
from archive.catalog import Catalog
from archive.scan import scan
from tests.acceptance.archives import opened, record_ids
from tests.acceptance.news import answer, article_html, publication
from tests.command import Command, environment
from tests.servers.raw_site import RawSite, running

KILLS = int(os.environ.get("NEWSWARC_TEST_KILLS", "6"))
ARTICLES = 240
A_PAGE = 20
CONCURRENCY = 8
ROBOTS = "/robots.txt"


def article(number: int) -> str:
    return f"/2026/03/{1 + number % 28:02d}/what-happened-{number}"


def linked_publication() -> RawSite:
    """Return a site whose articles are found in many ways: in the feed, in a section, or in another article."""
    site = publication(0)
    site.scripts |= {article(number): answer(article_html(number)) for number in range(ARTICLES)}
    listings = {}
    for page in range(ARTICLES // A_PAGE):
        # Every other article of a section; the one between is found in the text of the one before it.
        listed = range(page * A_PAGE, (page + 1) * A_PAGE, 2)
        links = "".join(f'<li><a href="{article(number)}">Article {number}</a></li>' for number in listed)
        following = f'<a rel="next" href="/news/{page + 1}">Next</a>' if page + 1 < ARTICLES // A_PAGE else ""
        listings[f"/news/{page}"] = f"<html><title>News</title><ul>{links}</ul>{following}</html>"
    for number in range(0, ARTICLES, 2):
        body = article_html(number)
        more = (
            f'<p>See also <a href="{article(number + 1)}">that</a>, <a href="{article(number // 3)}">and this</a>.</p>'
        )
        site.scripts[article(number)] = answer(body.replace(b"</article>", more.encode() + b"</article>"))
    items = "".join(f"<item><link>{article(number)}</link></item>" for number in range(A_PAGE))
    front = '<html><link rel="alternate" type="application/rss+xml" href="/rss"><a href="/news/0">News</a></html>'
    for target, html in {"/": front, **listings}.items():
        site.scripts[target] = answer(html.encode())
    feed = f'<rss version="2.0"><channel>{items}</channel></rss>'
    site.scripts["/rss"] = answer(feed.encode(), "application/rss+xml")
    return site


def pages(site: RawSite) -> set[str]:
    requisites = {"/style.css", "/wave.svg", "/picture.png", ROBOTS}
    return {target for target in site.scripts if target not in requisites}


@dataclass
class Round:
    """One crawl from its first start to its end."""

    runs: list[Counter[str]] = field(default_factory=list)  # what each asked for
    kills: int = 0

    def asked_again(self) -> list[int]:
        """Return how many pages each run asked for that a later one asked for again."""
        return [
            sum(any(target in later for later in self.runs[number + 1 :]) for target in run)
            for number, run in enumerate(self.runs)
        ]


def crawl(command: Command, site: RawSite, rng: random.Random, kills: int) -> Round:
    """Crawl *site* to its end, killed up to *kills* times on the way, at random moments from start-up to the end."""
    done = Round()
    while True:
        before = len(site.requests)
        process = command.start("crawl", "generic", "-a", f"start={site.url('/')}", "--quiet")
        assert process.stdout is not None
        assert process.stderr is not None
        code = wait(process, site, rng) if done.kills < kills else process.wait(120)
        if code is None:
            process.kill()
            process.wait()
            done.kills += 1
            if is_finished(command):
                code = 0  # killed when all was done but the leaving; the next start would be that of a new crawl
        errors = process.stderr.read().decode()
        process.stdout.close()
        process.stderr.close()
        done.runs.append(Counter(request.target for request in site.requests[before:] if request.target != ROBOTS))
        if code is not None:
            assert code == 0, errors
            return done


def wait(process: subprocess.Popen[bytes], site: RawSite, rng: random.Random) -> int | None:
    """Wait until it is time for *process* to die, some time after its start or some requests on; or for its end."""
    until = time.monotonic() + rng.uniform(0.2, 2.0)
    requests = len(site.requests) + rng.randint(1, 60)
    by_time = rng.random() < 0.4
    while (code := process.poll()) is None:
        if time.monotonic() > until if by_time else len(site.requests) >= requests:
            return None
        time.sleep(rng.uniform(0, 0.02))
    return code


def is_finished(command: Command) -> bool:
    with opened(command) as archive:
        for path in (archive.state_dir / "crawls").glob("*.sqlite"):
            with (
                contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as db,
                contextlib.suppress(sqlite3.OperationalError),  # killed before it had any table
            ):
                return db.execute("SELECT count(*) FROM crawl WHERE name = 'finished'").fetchone()[0] > 0
    return False


@pytest.mark.slow
def test_a_crawl_that_is_killed_loses_nothing(command: Command, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    seed = random.randrange(1 << 32)
    rng = random.Random(seed)
    command.variables["NEWSWARC_CONCURRENCY"] = str(CONCURRENCY)
    location, kills, rounds, again = command.archive, 0, 0, 0
    with running(linked_publication()) as site:
        while kills < KILLS:
            rounds += 1
            command.archive = f"{location}-{rounds}"
            done = crawl(command, site, rng, KILLS - kills)
            kills += done.kills
            told = f"seed {seed}, round {rounds}"
            assert all(count == 1 for run in done.runs for count in run.values()), told
            # At most what was under way when it was killed.
            assert max(done.asked_again()) <= CONCURRENCY, told
            again += sum(done.asked_again())
            check(command, site, told)
    with capsys.disabled():
        print(f"[{kills} kills, {rounds} crawls of {len(pages(site))} pages, {again} pages asked twice, seed {seed}]")


def article_records(archive: Archive) -> Counter[str]:
    """Return how many conversion records there are of each URL."""
    found: Counter[str] = Counter()
    for stat in archive.storage.list("articles/"):
        with archive.storage.open(stat.key) as stream:
            for record in scan(stream):
                with record:
                    if record.type == "conversion" and record.fields.get("Content-Type") == "application/json":
                        found[record.fields.get("WARC-Target-URI") or ""] += 1
    return found


def check(command: Command, site: RawSite, told: str) -> None:
    """See that every page is kept and every article is read, once, and that the archive is sound."""
    with opened(command) as archive:
        present = record_ids(archive)
        assert not {name: faults for name, faults in present.items() if faults}, told
        for target in pages(site):
            assert any(capture.status == 200 for capture in archive.captures(site.url(target))), f"{target}, {told}"
        before = list(archive.catalog.dump())
        articles = article_records(archive)
    assert articles == {site.url(article(number)): 1 for number in range(ARTICLES)}, told
    command.run("verify", "--deep")
    command.run("index", "rebuild")
    with opened(command) as archive, Catalog(archive.catalog_path) as catalog:
        assert list(catalog.dump()) == before, told


JOBDIR_SPIDER = """
import scrapy

class Linked(scrapy.Spider):
    name = "linked"

    async def start(self):
        yield scrapy.Request(self.first)

    def parse(self, response):
        yield {"url": response.url}
        for link in response.css("a"):
            yield response.follow(link)
"""


@pytest.mark.slow
def test_the_control_scrapys_own_job_directory_loses_pages(tmp_path: Path):
    (tmp_path / "linked.py").write_text(JOBDIR_SPIDER)
    with running(linked_publication()) as site:
        arguments = ["runspider", "linked.py", "-s", "JOBDIR=job", "-a", f"first={site.url('/')}"]
        arguments += ["-s", "CONCURRENT_REQUESTS_PER_DOMAIN=8", "-s", "DOWNLOAD_DELAY=0"]

        def started() -> subprocess.Popen[bytes]:
            command = [sys.executable, "-m", "scrapy", *arguments]
            quiet = subprocess.DEVNULL
            return subprocess.Popen(command, cwd=tmp_path, env=environment(tmp_path), stdout=quiet, stderr=quiet)

        process = started()
        while len(site.requests) < ARTICLES // 3:
            assert process.poll() is None
            time.sleep(0.005)
        process.kill()
        process.wait()
        assert started().wait(120) == 0  # it finds nothing to go on with, and is content
        asked = {request.target for request in site.requests}
    assert pages(site) - asked
