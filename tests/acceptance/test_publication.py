"""A publication of a thousand articles, with everything that real ones do to a crawler, archived by the command."""

from __future__ import annotations

from collections import Counter

import pytest

from tests.acceptance.archives import articles, opened
from tests.acceptance.crawls import (
    REST_S,
    ROBOTS,
    check_archive,
    crawl,
    endless,
    prepare,
    rests_kept,
    summary_of,
    tries_apart,
)
from tests.command import Command, Ran
from tests.servers.publication_site import (
    CALENDAR,
    MAZE,
    Expected,
    PublicationSite,
    Request,
    running_publication,
)

ARTICLES = 1000
FRONTS = {"/", "/rss", "/sitemaps/index.xml"}  # where what is new is looked for, whoever crawled a minute ago
MOST_OF_A_CALENDAR = 25  # requests
MOST_OF_A_MAZE = 5


@pytest.mark.slow
def test_all_that_can_be_reached_is_archived_and_read_once(command: Command):
    prepare(command)
    with running_publication(ARTICLES) as site:
        ran = crawl(command, site, "--json", code=1)  # some pages never come well
        log = site.log()
        check_requests(site, log)
        check_rows(site, ran, log)
        with opened(command) as archive:
            check_archive(archive, site)
        command.run("verify")
        read = articles_of(site)
        site.recover()
        assert len(site.publish(5)) == 5
        check_next_day(command, site, read)


def check_requests(site: PublicationSite, log: list[Request]) -> None:
    """See that the site was asked for what it leads to and nothing else, and no more than it wanted to be."""
    expected = site.publication.expected()
    assert {request.host for request in log} == {site.url("").removeprefix("http://")}
    told = Counter(request.target for request in log if not endless(request.target))
    assert told == {target: page.asked for target, page in expected.items() if page.asked}
    assert 1 < sum(request.target.startswith(CALENDAR) for request in log) <= MOST_OF_A_CALENDAR
    assert 1 < sum(request.target.startswith(MAZE) for request in log) <= MOST_OF_A_MAZE
    assert log[0].target == ROBOTS
    assert rests_kept(log) == 3
    tries_apart(log, lambda number: REST_S * 2 ** (number - 1) * 0.9)


def check_rows(site: PublicationSite, ran: Ran, log: list[Request]) -> None:
    """See that each page asked for, or refused, is told once, as what it is; and that the summary counts the same."""
    rows = {row["url"].removeprefix(site.url("")): row for row in ran.rows}
    assert len(rows) == len(ran.rows)
    expected = dict(site.publication.expected())
    del expected[ROBOTS]
    expected |= {request.target: Expected() for request in log if endless(request.target)}
    assert rows.keys() == expected.keys()
    for target, page in expected.items():
        row = rows[target]
        assert (row["outcome"], row["status"]) == (page.outcome, page.status), target
        assert page.reason in (row["error"] or ""), target
        assert (row["error"] is None) == (not page.reason), target
        assert row["title"] == (page.article.title if page.article else None), target
        assert (row["record_id"] is None) == (page.status is None), target
    summary = summary_of(ran.err)
    outcomes = Counter(row["outcome"] for row in ran.rows)
    assert summary.counts == {**outcomes, "skipped": 2}  # where calendar and maze were left
    assert summary.articles == {"read": sum(page.article is not None for page in expected.values())}


def articles_of(site: PublicationSite) -> set[str]:
    """Return the addresses of the articles that can be reached at the moment."""
    return {target for target, page in site.publication.expected().items() if page.article is not None}


def check_next_day(command: Command, site: PublicationSite, read: set[str]) -> None:
    """See that another crawl asks for what is new or was missed, for no article that the archive has, and little else.

    *read* are the articles that it has.
    """
    before = len(site.log())
    ran = crawl(command, site, "--json", code=1)  # a chain of redirects is too long, still
    log = site.log()[before:]
    expected = site.publication.expected()
    had = articles_of(site) & read
    new = articles_of(site) - read
    assert len(new) == 5 + 3  # published since, and those whose troubles are over
    told = Counter(request.target for request in log if not endless(request.target))
    assert told.keys() <= {target for target, page in expected.items() if page.asked and target not in had}
    assert set(told.values()) == {1}
    assert told.keys() >= new | FRONTS
    rows = {row["url"].removeprefix(site.url("")): row for row in ran.rows}
    skipped = {target for target, row in rows.items() if row["outcome"] == "skipped"}
    assert skipped >= had
    assert not skipped & told.keys()
    assert not (skipped - had) & articles_of(site)
    assert {target for target, row in rows.items() if row["outcome"] == "failed"} == {"/far/20"}
    for target in new:
        article = expected[target].article
        assert article is not None
        assert (rows[target]["outcome"], rows[target]["title"]) == ("saved", article.title)
    assert summary_of(ran.err).counts["skipped"] == len(skipped) + 2
    with opened(command) as archive:
        found = articles(archive)
    assert found.keys() == {site.url(target) for target in read | new}
    assert all(len(records) == 1 for records in found.values())
    command.run("verify")
