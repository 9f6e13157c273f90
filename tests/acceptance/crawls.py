"""Crawls of the generated publication by the command, and what they told."""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from itertools import pairwise

from archive.archive import Archive
from tests.acceptance.archives import answers, articles, record_ids
from tests.command import Command, Ran
from tests.servers.publication_site import CALENDAR, MAZE, PublicationSite, Request

TIMEOUT_S = 4  # of one exchange; what hangs is tried three times
REST_S = 0.2
ROBOTS = "/robots.txt"
FOUND_BY_ANSWERS = 0.3  # seconds in which an answer reaches the crawl, and what was under way before reaches the site

_SUMMARY = re.compile(
    r": \w+: ([\d,]+) pages?: ([^;\n]*)(?:; in this run [\d,]+)?(?:; articles: ([^\n]*))?$", re.MULTILINE
)
_COUNTED = re.compile(r"([\d,]+) ([a-z ]+)")


@dataclass
class Summary:
    """The summary line of a crawl. *counts* holds "still waiting", too."""

    pages: int = 0
    counts: dict[str, int] = field(default_factory=dict)
    articles: dict[str, int] = field(default_factory=dict)


def summary_of(told: str) -> Summary:
    """Read the summary out of what a crawl *told*; it must add up."""
    found = _SUMMARY.search(told)
    assert found, told
    counts, read = (
        {name: _number(count) for count, name in _COUNTED.findall(part or "")} for part in found.groups()[1:]
    )
    summary = Summary(_number(found[1]), counts, read)
    assert summary.pages == sum(summary.counts.values()), told
    return summary


def _number(text: str) -> int:
    return int(text.replace(",", ""))


def arguments(site: PublicationSite, *more: str) -> list[str]:
    return ["crawl", "generic", "-a", f"start={site.url('/')}", *more]


def crawl(command: Command, site: PublicationSite, *more: str, code: int | None = 0) -> Ran:
    return command.run(*arguments(site, *more), code=code)


def prepare(command: Command) -> None:
    command.variables |= {"NEWSWARC_TIMEOUT_S": str(TIMEOUT_S), "NEWSWARC_REST_S": str(REST_S)}


def asked(log: Iterable[Request]) -> Counter[str]:
    """Return how often each address was asked for, but robots.txt."""
    return Counter(request.target for request in log if request.target != ROBOTS)


def endless(target: str) -> bool:
    return target.startswith((CALENDAR, MAZE))


def wait_for(site: PublicationSite, requests: int) -> None:
    """Wait until *site* got that many requests."""
    until = time.monotonic() + 60
    while len(site.log()) < requests:
        assert time.monotonic() < until, "it did not come to that"
        time.sleep(0.02)


def check_archive(archive: Archive, site: PublicationSite) -> None:
    """See that each article of *site* is kept well once, and read once, as it was written; and nothing more is read."""
    present = record_ids(archive)
    assert not {name: faults for name, faults in present.items() if faults}
    kept, read = answers(archive), articles(archive)
    wanted = {site.url(t): page.article for t, page in site.publication.expected().items() if page.article is not None}
    for url, article in wanted.items():
        assert [answer.good for answer in kept[url]].count(True) == 1, url
        assert kept[url][-1].good, url
        (found,) = read[url]
        assert (found["title"], found["text"]) == (article.title, article.text), url
        assert found["authors"] == list(article.authors), url
        assert found["published"][:10] == str(article.day), url
        assert found["page_kind"] == "article", url
    assert read.keys() == wanted.keys()


def rests_kept(log: list[Request]) -> int:
    """See that nothing was asked for while the site had asked to be left alone; return how often it did so."""
    rests = [request for request in log if request.rest_s]
    for rest in rests:
        begins, ends = rest.at_s + FOUND_BY_ANSWERS, rest.at_s + rest.rest_s - 0.05
        within = [request for request in log if begins < request.at_s < ends]
        assert not within, f"{rest} was followed by {len(within)} requests, the first {within[0]}"
    return len(rests)


def tries_apart(log: list[Request], least_s: Callable[[int], float]) -> None:
    """See that a page was not tried again before *least_s* of the number of the try, from 1, had gone by."""
    by_target: dict[str, list[float]] = {}
    for request in log:
        by_target.setdefault(request.target, []).append(request.at_s)
    for target, times in by_target.items():
        for number, (one, other) in enumerate(pairwise(times), 1):
            assert other - one >= least_s(number), (target, number, other - one)
