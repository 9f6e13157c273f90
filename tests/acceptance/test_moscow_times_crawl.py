"""The Moscow Times, crawled by the command as a newsroom would: the whole of it, again after edits, and in parts.

The site is a rebuilt one (:mod:`tests.servers.moscow_times_site`); where pages of the publication itself are at hand
they lie on it at their own addresses.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from archive.catalog import Version
from tests.acceptance.archives import opened
from tests.acceptance.records import Seen, all_records
from tests.acceptance.test_moscow_times import DATA, check
from tests.command import Command, Ran
from tests.servers.moscow_times_site import (
    FEEDS,
    FIRST,
    NEXT,
    RUSSIAN,
    SECTIONS,
    SITE,
    STATIC,
    MoscowTimes,
    moscow_times,
    served,
)
from tests.spiders.publication import Story

REAL = ("a24008__rel-p_ul__b2025", "a87210_modern__b2024", "a87220_opinion__none")


def real_pages() -> dict[str, tuple[str, bytes]]:
    """Return the publication's own pages by their addresses' paths, each with its name."""
    found = {}
    for name in REAL:
        path = DATA / f"{name}.html"
        if path.is_file():
            body = path.read_bytes()
            url = body.decode().split('<link rel="canonical" href="')[1].split('"')[0]
            found[url.removeprefix(SITE)] = (name, body)
    return found


@dataclass
class Crawled:
    """The site, the command beside it, and what the first crawl of all of it did."""

    site: MoscowTimes
    command: Command
    ran: Ran
    asked: list[str]
    records: list[Seen]
    articles: dict[str, dict[str, Any]]  # by article_id

    def captured(self, url: str, kind: str = "response") -> Seen:
        (record,) = (one for one in self.records if one.type == kind and one.get("WARC-Target-URI") == url)
        return record


@pytest.fixture(scope="module")
def crawled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Crawled]:
    folder = tmp_path_factory.mktemp("moscow-times")
    site = moscow_times({path: body for path, (_, body) in real_pages().items()})
    with served(site, folder) as variables:
        command = Command(folder, variables=variables)
        ran = command.run("crawl", "moscow_times", "--json")
        articles = command.run("articles", "--json", "--limit", "1000").rows
        assert len(articles) == len({row["article_id"] for row in articles})
        by_id = {row["article_id"]: row for row in articles}
        yield Crawled(site, command, ran, site.asked(), all_records(command.path), by_id)


# --- the whole of it, once


def test_every_article_is_there_once_and_nothing_else_is(crawled: Crawled):
    site = crawled.site
    numbered = {f"a{number}" for number in site.stories}
    archived = {f"archive/{slug}" for slug in site.archive}
    real = {name.partition("_")[0] for name, _ in real_pages().values()}
    assert set(crawled.articles) == numbered | archived | real | {"live/881"}


def test_no_article_is_read_twice(crawled: Crawled):
    conversions = all_records(crawled.command.path, "articles")
    read = [json.loads(record.block)["article_id"] for record in conversions if record.type == "conversion"]
    assert len(read) == len(set(read)) == len(crawled.articles)


def test_each_article_is_what_the_site_says(crawled: Crawled):
    for one in crawled.site.stories.values():
        row = crawled.articles[f"a{one.number}"]
        assert (row["url"], row["title"], row["authors"]) == (one.url, one.title, list(one.authors))
        assert (row["text"], row["published"]) == (one.text, one.published)
        assert (row["publisher"], row["section"]) == ("The Moscow Times", one.section)
    for slug, one in crawled.site.archive.items():
        row = crawled.articles[f"archive/{slug}"]
        assert (row["title"], row["authors"], row["text"]) == (one.title, list(one.authors), one.text)
    assert crawled.articles["live/881"]["page_kind"] == "live"


def test_the_publications_own_pages_give_their_gold(crawled: Crawled):
    if not crawled.site.real:
        pytest.skip("../shared/data/moscow_times is not there")
    gold = json.loads((DATA / "gold.json").read_text(encoding="utf-8"))
    for path, (name, body) in real_pages().items():
        identity = name.partition("_")[0]
        assert crawled.articles[identity]["url"] == SITE + path
        check(crawled.articles[identity], gold[identity], name)
        assert crawled.command.run("show", SITE + path, "--format", "raw", "--decoded").out == body


def test_nothing_is_asked_for_twice(crawled: Crawled):
    assert {url: count for url, count in Counter(crawled.asked).items() if count > 1} == {}


def test_neither_is_what_robots_txt_forbids_nor_what_shows_an_article_again(crawled: Crawled):
    for url in crawled.asked:
        assert "utm" not in url
        assert not re.search(r"/(?:preview/|search/|contribute|api/|all/\d)", url), url
    pdf = [url for url in crawled.asked if url.endswith("/pdf")]
    assert len(pdf) == len(crawled.site.stories) + len(crawled.site.real)


def test_the_other_edition_and_other_sites_are_left_alone(crawled: Crawled):
    assert {url.split("/")[2] for url in crawled.asked} == {SITE.split("/")[2], STATIC.split("/")[2]}


@pytest.mark.parametrize("section", SECTIONS)
def test_a_section_is_walked_to_its_end_and_no_further(crawled: Crawled, section: str):
    asked = [int(url.rpartition("/")[2]) for url in crawled.asked if re.fullmatch(rf"{SITE}/{section}/\d+", url)]
    wanted = [FIRST]  # there is no telling by the first page, which shows other articles beside its own
    while wanted[-1] < SECTIONS[section]:
        wanted.append(wanted[-1] + NEXT)
    assert asked == wanted


def test_what_led_to_the_articles_is_captured_too(crawled: Crawled):
    listings = [f"{SITE}/{name}" for name in ("", "robots.txt", *SECTIONS, "news/19", "news/37", "news/55")]
    feeds = [f"{SITE}/rss/{name}" for name in FEEDS] + [f"{SITE}/feeds/partner.xml"]
    maps = [f"{STATIC}/sitemap/{name}.xml" for name in ("newsmap", "sitemap", "2013-5", "2024-11")]
    for url in (*listings, *feeds, *maps):
        assert crawled.captured(url).block.startswith(b"HTTP/1.1 200 OK\r\n")
    assert crawled.captured(f"{STATIC}/robots.txt").block.startswith(b"HTTP/1.1 403 Forbidden\r\n")


def test_each_way_to_an_article_was_gone(crawled: Crawled):
    site = crawled.site
    newest = site.section("news")[0]
    ways = {
        site.section_only.url: ("LLL", f"{SITE}/news/37"),  # the third part of its section
        site.sitemap_only.url: ("ML", f"{STATIC}/sitemap/2024-5.xml"),
        f"{SITE}/2024/02/02/what-it-was-called-once-a90500": ("LL", None),
        site.linked_only.url: ("LLR", f"{SITE}/2024/02/02/what-it-was-called-once-a90500"),
        f"{newest.url}/pdf": (None, newest.url),
    }
    for url, (hops, via) in ways.items():
        told = crawled.captured(url, "metadata").block.decode()
        assert hops is None or f"hopsFromSeed: {hops}\r\n" in told, told
        assert via is None or f"via: {via}\r\n" in told, told
    for slug in site.archive:
        told = crawled.captured(f"{SITE}/archive/{slug}", "metadata").block.decode()
        assert re.search(rf"via: {SITE}/news/article/x/50\d\.html\r\n", told)


def test_the_print_version_is_captured_beside_its_article_and_named_with_it(crawled: Crawled):
    for one in crawled.site.stories.values():
        told = crawled.captured(f"{one.url}/pdf", "metadata").block.decode()
        assert f"via: {one.url}\r\n" in told
        assert re.search(r"hopsFromSeed: [LRM]*E\r\n", told)
    one = crawled.site.section("news")[0]
    shown = json.loads(crawled.command.run("show", one.url, "--format", "json").out)
    record = crawled.captured(f"{one.url}/pdf")
    assert shown["print_version"] == {
        "url": f"{one.url}/pdf",
        "captured_at": record.get("WARC-Date"),
        "record_id": record.get("WARC-Record-ID"),
    }
    ran = crawled.command.run("show", one.url)
    assert one.paragraphs[-1] in ran.out.decode()
    (said,) = ran.err.splitlines()
    arguments = said.partition("newswarc ")[2].split()
    printed = crawled.command.run(*arguments, "--decoded").out.decode()
    assert f"Original url: {one.url}" in printed
    assert crawled.command.run("show", one.url, "--quiet").err == ""


@pytest.mark.parametrize("form", ["{0.url}/pdf", "{1}/all/{0.number}", "{1}/2001/01/01/whatever-a{0.number}"])
def test_any_address_with_its_number_shows_an_article(crawled: Crawled, form: str):
    one = crawled.site.section("opinion")[0]
    shown = json.loads(crawled.command.run("show", form.format(one, SITE), "--format", "json").out)
    assert shown["title"] == one.title


def test_an_article_without_a_print_version_names_none(crawled: Crawled):
    slug = next(iter(crawled.site.archive))
    ran = crawled.command.run("show", f"{SITE}/archive/{slug}")
    assert ran.err == ""
    shown = json.loads(crawled.command.run("show", f"{SITE}/archive/{slug}", "--format", "json").out)
    assert shown["print_version"] is None


def test_the_summary_is_true_and_a_dead_link_is_no_failure(crawled: Crawled):
    (line,) = [line for line in crawled.ran.err.splitlines() if "moscow_times:" in line]
    pages = len(crawled.asked) - 2  # its two robots.txt
    assert line == f"archive: moscow_times: {pages} pages: {pages} saved; articles: {len(crawled.articles)} read"
    assert len(crawled.ran.rows) == pages
    missing = {row["url"] for row in crawled.ran.rows if row["status"] == 404}
    assert f"{SITE}/x-a1" in missing


def test_the_archive_is_sound(crawled: Crawled):
    crawled.command.run("verify", "--deep")


# --- again, after edits


@dataclass
class Recrawled:
    crawled: Crawled
    renamed: tuple[Story, Story]  # before and after
    mended: tuple[Story, Story]
    silent: tuple[Story, Story]  # changed without a word about it anywhere
    asked: list[str]
    ran: Ran


@pytest.fixture(scope="module")
def recrawled(crawled: Crawled) -> Recrawled:
    site = crawled.site
    first, second = site.section("news")[:2]
    third = site.section("business")[0]
    now = datetime.now(UTC) + timedelta(seconds=1)
    renamed = (first, site.edit(first.number, "Said later.", title="Council Says It Was Misunderstood", at=now))
    mended = (second, site.edit(second.number, "An earlier version named the wrong river.", at=now))
    silent = (third, site.edit(third.number, "Nobody was told of this.", at=now))
    del site.changed[third.number]
    site.live = ("An hour later the ferry came in.",)
    before = len(site.server.requests)
    ran = crawled.command.run("crawl", "moscow_times", "--json")
    return Recrawled(crawled, renamed, mended, silent, site.asked(before), ran)


def versions(command: Command, url: str) -> list[Version]:
    with opened(command) as archive:
        return archive.catalog.versions(url)


def test_a_second_crawl_asks_for_listings_and_for_what_is_new_or_said_to_have_changed(recrawled: Recrawled):
    shown = {row["url"] for row in recrawled.crawled.ran.rows if row["status"] == 200}
    dated = {url for url in recrawled.asked if re.search(r"-a\d+(?:/pdf)?$", url)}
    renamed, mended = recrawled.renamed[1].url, recrawled.mended[1].url
    assert {url for url in dated if url in shown} == {mended, f"{mended}/pdf"}
    assert dated >= {renamed, f"{renamed}/pdf"}
    # The rest led elsewhere or nowhere, and may do otherwise today.
    before = set(recrawled.crawled.asked)
    assert dated - before == {renamed, f"{renamed}/pdf"}
    assert f"{SITE}/news" in recrawled.asked


def test_an_edited_article_has_both_versions_under_one_number(recrawled: Recrawled):
    command = recrawled.crawled.command
    for before, after in (recrawled.renamed, recrawled.mended):
        for url in {before.url, after.url, f"The Moscow Times #a{before.number}"}:
            found = versions(command, url)
            assert [one.article.title for one in found] == [before.title, after.title]
            assert [one.article.text for one in found] == [before.text, after.text]
            assert [one.changed for one in found] == [True, True]
            assert [one.article.url for one in found] == [before.url, after.url]
        assert found[1].article.modified == after.updated


def test_a_live_page_is_asked_for_again_as_long_as_it_goes_on(recrawled: Recrawled):
    first, second = versions(recrawled.crawled.command, f"{SITE}/live/881")
    assert second.article.text == f"{first.article.text}\n\nAn hour later the ferry came in."


def test_the_summary_counts_what_this_crawl_did(recrawled: Recrawled):
    (line,) = [line for line in recrawled.ran.err.splitlines() if "moscow_times:" in line]
    assert line.endswith("; articles: 3 read")
    assert len([row for row in recrawled.ran.rows if row["outcome"] == "skipped"]) > len(recrawled.crawled.articles)


def test_it_is_listed_once_as_it_is_now_and_shown_as_it_was(recrawled: Recrawled):
    command = recrawled.crawled.command
    rows = command.run("articles", "--json", "--limit", "1000").rows
    before, after = recrawled.renamed
    (row,) = [row for row in rows if row["article_id"] == f"a{before.number}"]
    assert (row["title"], row["url"]) == (after.title, after.url)
    assert len(rows) == len(recrawled.crawled.articles)
    first = versions(command, after.url)[0].article.captured_at
    assert first is not None
    for at, one in ((first, before), ("2100", after)):
        shown = json.loads(command.run("show", before.url, "--at", at, "--format", "json").out)
        assert shown["title"] == one.title
        assert shown["print_version"]["url"] == f"{one.url}/pdf"


def test_the_print_version_is_asked_for_again_with_its_article(recrawled: Recrawled):
    before, after = recrawled.mended
    command = recrawled.crawled.command
    with opened(command) as archive:
        first, second = archive.captures(f"{before.url}/pdf")
    for capture, one in ((first, before), (second, after)):
        at = capture.captured_at.isoformat()
        printed = command.run("show", f"{before.url}/pdf", "--at", at, "--format", "raw", "--decoded").out.decode()
        assert one.paragraphs[-1] in printed
        shown = json.loads(command.run("show", before.url, "--at", at, "--format", "json").out)
        assert shown["print_version"]["record_id"] == capture.record_id


def test_recrawling_finds_an_edit_nobody_told_of_and_keeps_the_rest_as_unchanged(recrawled: Recrawled):
    crawled, (before, after) = recrawled.crawled, recrawled.silent
    assert len(versions(crawled.command, before.url)) == 1
    rows = crawled.command.run("crawl", "moscow_times", "--recrawl", "--since", "2024-11-15", "--json").rows
    assert [one.article.text for one in versions(crawled.command, before.url)] == [before.text, after.text]
    outcomes = {row["url"]: row["outcome"] for row in rows}
    for one in crawled.site.stories.values():
        if one.day >= "2024/11/15":
            assert outcomes[one.url] == ("saved" if one.number == after.number else "unchanged")
    unedited = next(one for one in crawled.site.section("opinion") if one.day >= "2024/11/15")
    assert [one.changed for one in versions(crawled.command, unedited.url)] == [True, False]
    crawled.command.run("verify", "--deep")


# --- in parts


@pytest.fixture
def site(tmp_path: Path) -> Iterator[tuple[MoscowTimes, Command]]:
    folder = tmp_path / "certificates"
    folder.mkdir()
    made = moscow_times()
    with served(made, folder) as variables:
        yield made, Command(tmp_path, variables=variables)


def test_a_crawl_of_some_days_asks_for_their_articles_and_sitemaps_alone(site: tuple[MoscowTimes, Command]):
    made, command = site
    command.run("crawl", "moscow_times", "--since", "2013-07-01", "--until", "2013-07-02")
    asked = made.asked()
    wanted = {one.url for one in made.stories.values() if "2013/07/01" <= one.day <= "2013/07/02"}
    assert {url for url in asked if re.search(r"/\d{4}/\d\d/\d\d/[^/]+$", url)} == wanted
    assert {url for url in asked if url.endswith("/pdf")} == {f"{url}/pdf" for url in wanted}
    assert {url for url in asked if url.startswith(f"{STATIC}/sitemap/")} == {
        f"{STATIC}/sitemap/{name}.xml" for name in ("newsmap", "sitemap", "2013-7")
    }
    rows = command.run("articles", "--json", "--limit", "1000").rows
    assert {row["url"] for row in rows if re.search(r"-a\d+$", row["url"])} == wanted


def test_a_section_is_left_where_it_shows_nothing_but_what_is_too_old(site: tuple[MoscowTimes, Command]):
    made, command = site
    command.run("crawl", "moscow_times", "--since", "2024-11-15")
    asked = [int(url.rpartition("/")[2]) for url in made.asked() if re.fullmatch(rf"{SITE}/news/\d+", url)]
    news = [one.day >= "2024/11/15" for one in made.section("news")]
    assert not any(news[FIRST : FIRST + NEXT])
    assert asked == [FIRST]


def test_the_russian_edition_is_crawled_when_it_is_asked_for(site: tuple[MoscowTimes, Command]):
    made, command = site
    command.run("crawl", "moscow_times", "-a", "edition=ru")
    assert {url.split("/")[2] for url in made.asked()} == {RUSSIAN.split("/")[2]}
    rows = command.run("articles", "--json", "--limit", "1000").rows
    found = {row["article_id"]: row for row in rows}
    assert set(found) >= {f"a{number}" for number in made.russian}
    for one in made.russian.values():
        row = found[f"a{one.number}"]
        assert (row["url"], row["title"], row["text"]) == (one.url, one.title, one.text)
        assert row["publisher"] == "Русская служба The Moscow Times"


def test_an_edition_there_is_not_is_a_wrong_use_that_names_those_there_are(tmp_path: Path):
    ran = Command(tmp_path).run("crawl", "moscow_times", "-a", "edition=de", code=2)
    assert "edition=en, edition=ru or edition='en ru'" in ran.err
    assert len(ran.err.splitlines()) == 1


def test_the_same_number_is_another_article_in_the_other_edition(site: tuple[MoscowTimes, Command]):
    made, command = site
    command.run("crawl", "moscow_times", "-a", "edition=en ru", "--since", "2024-11-15")
    rows = command.run("articles", "--json", "--limit", "1000").rows
    titles: dict[str, set[str]] = {}
    for row in rows:
        titles.setdefault(row["article_id"], set()).add(row["title"])
    number, one = next((number, one) for number, one in made.russian.items() if one.day >= "2024/11/15")
    assert titles[f"a{number}"] == {one.title, made.stories[number].title}


def test_a_part_is_crawled_into_any_archive(command: Command, tmp_path: Path):
    folder = tmp_path / "certificates"
    folder.mkdir()
    made = moscow_times()
    with served(made, folder) as variables:
        del command.variables["NEWSWARC_ALLOW_PRIVATE"]
        command.variables |= variables
        command.run("crawl", "moscow_times", "--since", "2024-11-17")
    rows = command.run("articles", "--json", "--limit", "1000").rows
    numbered = {row["article_id"]: row["title"] for row in rows if row["article_id"].startswith("a9")}
    wanted = {f"a{one.number}": one.title for one in made.stories.values() if one.day >= "2024/11/17"}
    assert numbered == wanted
    newest = made.section("news")[0]
    shown = json.loads(command.run("show", newest.url, "--format", "json").out)
    assert shown["print_version"]["url"] == f"{newest.url}/pdf"
    command.run("verify", "--deep")
