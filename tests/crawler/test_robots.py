from __future__ import annotations

import asyncio
import gzip
import logging
import threading
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scrapy import Request, Spider
from scrapy.crawler import AsyncCrawlerRunner
from scrapy.exceptions import DownloadTimeoutError, IgnoreRequest
from scrapy.http import Response

from crawler import robots
from crawler.addresses import AddressRefused, ResolveFailed
from crawler.handlers import AddressRefusedError
from crawler.robots import RobotsForbidden, RobotsMiddleware
from crawler.robotstxt import KEPT_FOR, PARSED_BYTES, UNREACHABLE_FOR, RobotsRules, rules_from

SITE = "https://news.example"
NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
SHELF = Path(__file__).parents[2] / "../shared/data/robots"


def read(text: str | bytes, status: int | None = 200, error: str | None = None) -> RobotsRules:
    body = text.encode() if isinstance(text, str) else text
    return rules_from(status, body, error, robots_url=f"{SITE}/robots.txt", fetched_at=NOON)


# --- what an answer means -------------------------------------------------------------------------------------------

FORBIDS = "User-agent: *\nDisallow: /\n"


@pytest.mark.parametrize("status", [200, 201, 203, 206, 299])
def test_any_success_is_parsed(status):
    rules = read(FORBIDS, status)
    assert (rules.outcome, rules.decide(f"{SITE}/a").allowed) == ("parsed", False)
    assert rules.expires_at == NOON + timedelta(hours=24)


@pytest.mark.parametrize(
    "status", [300, 301, 302, 304, 307, 308, 400, 401, 402, 403, 404, 405, 408, 410, 418, 451, 499]
)
def test_an_absent_robots_txt_allows_whatever_its_body_says(status):
    rules = read(FORBIDS, status)
    assert (rules.outcome, rules.decide(f"{SITE}/a").allowed) == ("unavailable", True)
    assert rules.expires_at == NOON + KEPT_FOR


@pytest.mark.parametrize("status", [429, 500, 501, 502, 503, 504, 520, 599, 600, 999, 100, 0])
def test_a_server_in_trouble_forbids_everything_but_not_for_long(status):
    rules = read("User-agent: *\nAllow: /\n", status)
    decision = rules.decide(f"{SITE}/a")
    assert (rules.outcome, decision.allowed, decision.status) == ("unreachable", False, status)
    assert str(status) in decision.reason
    assert rules.expires_at == NOON + UNREACHABLE_FOR


@pytest.mark.parametrize("status", [None, 200, 404])
def test_an_error_forbids_everything_and_is_named(status):
    decision = read("", status, "connection reset").decide(f"{SITE}/a")
    assert not decision.allowed
    assert "connection reset" in decision.reason


# --- what the rules mean --------------------------------------------------------------------------------------------

# robots.txt (";" ends a line), path, allowed, the rule that decides
TABLE: list[tuple[str, str, bool, str | None]] = [
    # nothing said, everything allowed
    ("", "/a", True, None),
    ("User-agent: *", "/a", True, None),
    ("User-agent: *;Disallow:", "/a", True, None),
    ("Disallow: /", "/a", True, None),  # no agent named
    ("User-agent: other;Disallow: /", "/a", True, None),
    # prefixes
    ("User-agent: *;Disallow: /fish", "/fish", False, "Disallow: /fish"),
    ("User-agent: *;Disallow: /fish", "/fish.html", False, "Disallow: /fish"),
    ("User-agent: *;Disallow: /fish", "/fish/salmon", False, "Disallow: /fish"),
    ("User-agent: *;Disallow: /fish", "/fishheads/yummy.html", False, "Disallow: /fish"),
    ("User-agent: *;Disallow: /fish", "/fish.php?id=any", False, "Disallow: /fish"),
    ("User-agent: *;Disallow: /fish", "/Fish.asp", True, None),
    ("User-agent: *;Disallow: /fish", "/catfish", True, None),
    ("User-agent: *;Disallow: /fish", "/?id=fish", True, None),
    ("User-agent: *;Disallow: /fish/", "/fish", True, None),
    ("User-agent: *;Disallow: /fish/", "/fish/?id=x", False, "Disallow: /fish/"),
    ("User-agent: *;Disallow: /", "/robots.txt", True, None),  # always allowed (2.2.2)
    ("User-agent: *;Disallow: /", "", False, "Disallow: /"),
    ("User-agent: *;Disallow: /search?q=", "/search?q=war", False, "Disallow: /search?q="),
    ("User-agent: *;Disallow: /search?q=", "/search?page=1&q=war", True, None),
    # wildcards and the end
    ("User-agent: *;Disallow: /*.php", "/index.php", False, "Disallow: /*.php"),
    ("User-agent: *;Disallow: /*.php", "/folder/any.php.file.html", False, "Disallow: /*.php"),
    ("User-agent: *;Disallow: /*.php", "/windows.PHP", True, None),
    ("User-agent: *;Disallow: /*.php", "/", True, None),
    ("User-agent: *;Disallow: /*.php$", "/folder/filename.php", False, "Disallow: /*.php$"),
    ("User-agent: *;Disallow: /*.php$", "/filename.php?parameters", True, None),
    ("User-agent: *;Disallow: /*.php$", "/filename.php/", True, None),
    ("User-agent: *;Disallow: /fish*.php", "/fishheads/catfish.php?p", False, "Disallow: /fish*.php"),
    ("User-agent: *;Disallow: /$", "/", False, "Disallow: /$"),
    ("User-agent: *;Disallow: /$", "/page", True, None),
    ("User-agent: *;Disallow: *utm", "/a?utm_source=x", False, "Disallow: *utm"),
    ("User-agent: *;Disallow: *?utm;Disallow: *&utm", "/2026/11/21/a-b-a1?utm=x", False, "Disallow: *?utm"),
    ("User-agent: *;Disallow: /a**b", "/axxb", False, "Disallow: /a**b"),
    # the longest match wins, allow wins a tie
    ("User-agent: *;Allow: /p;Disallow: /", "/page", True, "Allow: /p"),
    ("User-agent: *;Disallow: /;Allow: /p", "/page", True, "Allow: /p"),
    ("User-agent: *;Allow: /folder;Disallow: /folder", "/folder/page", True, "Allow: /folder"),
    ("User-agent: *;Disallow: /folder;Allow: /folder", "/folder/page", True, "Allow: /folder"),
    ("User-agent: *;Allow: /page;Disallow: /*.htm", "/page.htm", False, "Disallow: /*.htm"),
    ("User-agent: *;Allow: /page;Disallow: /*.ph", "/page.php5", True, "Allow: /page"),
    ("User-agent: *;Allow: /$;Disallow: /", "/", True, "Allow: /$"),
    ("User-agent: *;Allow: /$;Disallow: /", "/page.htm", False, "Disallow: /"),
    ("User-agent: *;Allow: /a/b/;Disallow: /a/b/c.gif", "/a/b/c.gif", False, "Disallow: /a/b/c.gif"),
    ("User-agent: *;Disallow: /a;Disallow: /a/b/c;Disallow: /a/b", "/a/b/c/d", False, "Disallow: /a/b/c"),
    # percent-encoding: both spellings are one (2.2.2)
    ("User-agent: *;Disallow: /foo/bar/ツ", "/foo/bar/%E3%83%84", False, "Disallow: /foo/bar/ツ"),
    ("User-agent: *;Disallow: /foo/bar/%E3%83%84", "/foo/bar/%e3%83%84", False, "Disallow: /foo/bar/%E3%83%84"),
    ("User-agent: *;Disallow: /foo/bar/%62%61%7A", "/foo/bar/baz", False, "Disallow: /foo/bar/%62%61%7A"),
    ("User-agent: *;Disallow: /foo/bar/baz", "/foo/bar/%62%61%7A", False, "Disallow: /foo/bar/baz"),
    ("User-agent: *;Disallow: /a%2Fb", "/a/b", True, None),  # an encoded slash parts nothing
    ("User-agent: *;Disallow: /a%2fb", "/a%2Fb", False, "Disallow: /a%2fb"),
    ("User-agent: *;Disallow: /a b", "/a%20b", False, "Disallow: /a b"),
    # whose rules: the group that names us, else that for everybody, never both
    ("User-agent: *;Disallow: /;User-agent: newswarc;Disallow:", "/a", True, None),
    ("User-agent: newswarc;Disallow: /;User-agent: *;Allow: /", "/a", False, "Disallow: /"),
    ("User-agent: NewsWARC;Disallow: /", "/a", False, "Disallow: /"),
    ("User-agent: newswarc/1.0;Disallow: /", "/a", False, "Disallow: /"),
    ("User-agent: newswarc (+https://x);Disallow: /", "/a", False, "Disallow: /"),
    ("User-agent: news;Disallow: /", "/a", True, None),  # another crawler
    ("User-agent: n;Disallow: /", "/a", True, None),
    ("User-agent: newswarc-images;Disallow: /", "/a", True, None),
    ("User-agent: newswarc2;Disallow: /", "/a", True, None),
    ("User-agent: *bot;Disallow: /", "/a", True, None),
    ("User-agent: * # all;Disallow: /", "/a", False, "Disallow: /"),
    ("User-agent:;Disallow: /", "/a", True, None),
    # groups: several agents in one, one agent in several
    ("User-agent: a;User-agent: newswarc;User-agent: b;Disallow: /x", "/x", False, "Disallow: /x"),
    ("User-agent: newswarc;Disallow: /x;User-agent: a;Disallow: /y", "/y", True, None),
    ("User-agent: newswarc;Disallow: /x;User-agent: a;Allow: /;User-agent: newswarc;Disallow: /y", "/x", False, None),
    ("User-agent: newswarc;Disallow: /x;User-agent: a;Allow: /;User-agent: newswarc;Disallow: /y", "/y", False, None),
    ("User-agent: newswarc;Disallow:;User-agent: a;Disallow: /", "/x", True, None),  # an empty rule ends the names
    # other records never part a group (2.2.4)
    ("User-agent: newswarc;Sitemap: https://x/s.xml;User-agent: a;Disallow: /x", "/x", False, "Disallow: /x"),
    ("User-agent: newswarc;Crawl-delay: 5;User-agent: a;Disallow: /x", "/x", False, "Disallow: /x"),
    ("User-agent: newswarc;Unknown: yes;;Disallow: /x", "/x", False, "Disallow: /x"),
    # how people write it
    ("user-AGENT : newswarc;  disallow:/x   # why", "/x", False, "Disallow: /x"),
    ("useragent: newswarc;dissalow: /x", "/x", False, "Disallow: /x"),
    ("User-agent newswarc;Disallow /x", "/x", False, "Disallow: /x"),
    ("User agent newswarc;Disallow: /x", "/x", False, "Disallow: /x"),
    ("User-agent: *;Disallow: /a#b", "/a", False, "Disallow: /a"),
    ("User-agent: *;Disallow: http://[::/", "/a", True, None),
]


@pytest.mark.parametrize(("text", "path", "allowed", "rule"), TABLE)
def test_rules_are_matched_as_the_standard_says(text, path, allowed, rule):
    decision = read(text.replace(";", "\n")).decide(SITE + path)
    assert decision.allowed is allowed
    if rule:
        assert decision.rule == rule
        assert rule in decision.reason
    elif allowed:
        assert decision.rule is None


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r", "\n\n\r\n"])
def test_every_line_end_parts_lines(end):
    assert not read(f"User-agent: *{end}Disallow: /x").decide(f"{SITE}/x").allowed


@pytest.mark.parametrize(
    "body",
    [
        b"\xef\xbb\xbfUser-agent: *\nDisallow: /x",
        "\ufeffUser-agent: *\nDisallow: /x".encode("utf-16-le"),
        "\ufeffUser-agent: *\nDisallow: /x".encode("utf-16-be"),
        b"User-agent: *\n\0Disallow: /\0x",
        b"# caf\xe9\nUser-agent: *\nDisallow: /x",
        b"\xff\xfe\n" * 3 + b"User-agent: *",
    ],
)
def test_odd_encodings_are_read_as_they_were_meant(body):
    rules = read(body)
    assert rules.outcome == "parsed"
    assert rules.decide(f"{SITE}/y").allowed
    assert rules.decide(f"{SITE}/x").allowed is (b"x" not in body)


def test_a_latin_1_path_is_its_bytes():
    assert not read(b"User-agent: *\nDisallow: /caf\xe9").decide(f"{SITE}/caf%E9/menu").allowed


@pytest.mark.parametrize(
    "body", [b"<!DOCTYPE html>\n<pre>\nUser-agent: *\nDisallow: /\n</pre>", b"  <html>", b"<?xml?>"]
)
def test_a_page_of_markup_holds_no_rules(body):
    decision = read(body).decide(f"{SITE}/a")
    assert decision.allowed
    assert "markup" in decision.reason


def test_the_first_500_kib_count_and_a_rule_cut_there_does_not():
    filler = b"# " + b"x" * 97 + b"\n"
    start = b"User-agent: *\nDisallow: /first\n"
    body = start + filler * ((PARSED_BYTES - len(start)) // 100 + 1)
    body = body[: PARSED_BYTES - 11] + b"\nDisallow: /private\nDisallow: /last\n"
    assert body[:PARSED_BYTES].endswith(b"\nDisallow: ")
    rules = read(body[: PARSED_BYTES - 10] + b"Disallow: /private\nDisallow: /last\n")
    assert not rules.decide(f"{SITE}/first").allowed
    assert rules.decide(f"{SITE}/p").allowed
    assert rules.decide(f"{SITE}/last").allowed


def test_crawl_delay_and_sitemaps_are_kept():
    rules = read(
        "Sitemap: /one.xml\nUser-agent: newswarc\nCrawl-delay: 2.5\nUser-agent: slow\nCrawl-delay: 30\nDisallow: /x\n"
        "sitemap: https://static.example/two.xml\nSitemap: /one.xml\nSitemap: ftp://x/y\nSitemap: http://[/\n"
        "User-agent: odd\nCrawl-delay: -1\nCrawl-delay: nan\nCrawl-delay: 1e9\nAllow: /\n"
    )
    assert rules.sitemaps == (f"{SITE}/one.xml", "https://static.example/two.xml")
    assert rules.crawl_delay_s() == 30  # the group's second name shares the longer delay
    assert rules.crawl_delay_s("odd") is None
    assert rules.crawl_delay_s("unnamed") is None


def test_a_file_of_nothing_but_wildcards_costs_no_more_than_its_size():
    rules = read("User-agent: *\nDisallow: /" + "*a" * 200_000 + "b\n" + "Allow: /x*\n" * 5_000)
    assert rules.decide(f"{SITE}/" + "a" * 2_000).allowed
    assert rules.decide(f"{SITE}/xyz").rule == "Allow: /x*"


@settings(max_examples=200, deadline=None)
@given(body=st.binary(max_size=300), path=st.text(max_size=30))
def test_no_bytes_break_the_reader(body, path):
    read(b"User-agent: *\nDisallow: " + body).decide(f"{SITE}/{path}")
    read(body).decide(f"{SITE}/a")


@pytest.mark.skipif(not SHELF.is_dir(), reason="the shelf of collected robots.txt files is not here")
def test_every_file_of_the_shelf_is_read():
    files = sorted(SHELF.glob("*.txt"))
    assert files
    for file in files:
        rules = read(file.read_bytes())
        for agent in ("newswarc", "googlebot", "bot1", "*"):
            for path in ("/", "/login.aspx", "/exec/obidos/x", "/a?b=c", "/whitespace-before-colon/"):
                decision = rules.decide(SITE + path, agent)
                assert decision.allowed or decision.rule, (file.name, agent, path)
            rules.crawl_delay_s(agent)


@pytest.mark.skipif(not SHELF.is_dir(), reason="the shelf of collected robots.txt files is not here")
@pytest.mark.parametrize(
    ("file", "agent", "path", "allowed"),
    [
        ("rfc9309-example-longest-match-robots.txt", "foobot", "/example/page/disallowed.gif", False),
        ("rfc9309-example-longest-match-robots.txt", "foobot", "/example/page/", True),
        ("rfc9309-example-rule-group-merging.txt", "ExampleBot", "/baz", False),
        ("rfc9309-example-rule-group-merging.txt", "otherbot", "/baz", True),
        ("rfc9309-example-simple-robots.txt", "foobot", "/example/allowed.gif", True),
        ("rfc9309-example-simple-robots.txt", "foobot", "/publications/", False),
        ("rfc9309-example-simple-robots.txt", "newswarc", "/example/x", False),
        ("robots-with-utf16le-bom.txt", "newswarc", "/login.aspx", False),
        ("robots-with-utf8-bom.txt", "newswarc", "/login.aspx", False),
        ("format-errors-robots.txt", "bot1", "/no-colon/", False),
    ],
)
def test_the_shelf_is_read_as_it_was_meant(file, agent, path, allowed):
    assert read((SHELF / file).read_bytes()).decide(SITE + path, agent).allowed is allowed


# --- the middleware -------------------------------------------------------------------------------------------------

Answer = Response | Exception


class Site:
    """Stands where the engine stands: answers robots.txt, and keeps what was asked."""

    def __init__(self, answers: dict[str, Answer | list[Answer]]) -> None:
        self.answers = answers
        self.asked: list[Request] = []

    async def download_async(self, request: Request) -> Response:
        self.asked.append(request)
        await asyncio.sleep(0.001)
        answer = self.answers[request.url]
        if isinstance(answer, list):
            answer = answer.pop(0) if len(answer) > 1 else answer[0]
        if isinstance(answer, Exception):
            raise answer
        return answer.replace(request=request)

    @property
    def urls(self) -> list[str]:
        return [request.url for request in self.asked]


def page(body: str | bytes = "", status: int = 200, url: str = f"{SITE}/robots.txt", **headers: str) -> Response:
    fields = {name.replace("_", "-"): value for name, value in headers.items()}
    return Response(url, status=status, body=body.encode() if isinstance(body, str) else body, headers=fields)


def middleware(site: Site, policy: str = "obey", **more: Any) -> tuple[RobotsMiddleware, Counter[str]]:
    counts: Counter[str] = Counter()
    crawler: Any = SimpleNamespace(
        engine=site,
        settings={"NEWSWARC_ROBOTS": policy, **more},
        stats=SimpleNamespace(inc_value=lambda name: counts.update([name])),
    )
    return RobotsMiddleware.from_crawler(crawler), counts


def ask(
    site: Site, *urls: str, policy: str = "obey", **more: Any
) -> tuple[list[dict[str, Any] | Exception], Counter[str]]:
    """Let *urls* through one middleware, one after the other; give each one's evidence or error."""
    component, counts = middleware(site, policy, **more)
    results: list[Any] = []

    async def run() -> None:
        for url in urls:
            request = Request(url)
            try:
                await component.process_request(request)
                results.append(request.meta.get("robots"))
            except (IgnoreRequest, ResolveFailed) as error:
                results.append(error)

    asyncio.run(run())
    return results, counts


def test_an_allowed_page_passes_with_its_evidence():
    site = Site({f"{SITE}/robots.txt": page("User-agent: *\nDisallow: /x\nAllow: /a")})
    [evidence], counts = ask(site, f"{SITE}/a")
    fetched = evidence.pop("fetched")
    assert evidence == {
        "decision": "allowed",
        "policy": "obey",
        "rule": "Allow: /a",
        "crawl-delay": None,
        "reason": "robots.txt allows it: Allow: /a",
        "url": f"{SITE}/robots.txt",
        "status": 200,
        "record": None,
    }
    assert datetime.fromisoformat(fetched).tzinfo is not None
    assert counts == {"robots/allowed": 1}


def test_a_forbidden_page_is_dropped_and_says_by_which_rule():
    site = Site({f"{SITE}/robots.txt": page("User-agent: *\nDisallow: /x")})
    [error], counts = ask(site, f"{SITE}/x/1")
    assert isinstance(error, RobotsForbidden)
    assert error.url == f"{SITE}/x/1"
    assert error.decision.rule == "Disallow: /x"
    assert str(error) == f"{SITE}/x/1: robots.txt forbids it: Disallow: /x"
    assert counts == {"robots/forbidden": 1}


def test_warning_goes_on_and_says_so_once_a_site(caplog):
    site = Site({f"{SITE}/robots.txt": page(FORBIDS)})
    with caplog.at_level(logging.WARNING):
        results, counts = ask(site, f"{SITE}/a", f"{SITE}/b", policy="warn")
    assert [result["decision"] for result in results] == ["forbidden", "forbidden"]
    assert len(caplog.records) == 1
    assert "Disallow: /" in caplog.records[0].getMessage()
    assert counts == {"robots/forbidden": 2}


def test_a_robots_txt_out_of_reach_is_warned_of_once_the_page_was_fetched(caplog):
    site = Site({f"{SITE}/robots.txt": DownloadTimeoutError("took too long")})
    component, _ = middleware(site, "warn")
    request = Request(f"{SITE}/a")
    with caplog.at_level(logging.WARNING):
        asyncio.run(component.process_request(request))
        assert not caplog.records
        response = Response(request.url)
        assert component.process_response(request, response) is response
    assert ["took too long" in record.getMessage() for record in caplog.records] == [True]


def test_ignoring_asks_nothing_and_is_on_record():
    site = Site({})
    [evidence], counts = ask(site, f"{SITE}/a", policy="ignore")
    assert evidence == {"decision": "ignored", "policy": "ignore"}
    assert site.asked == []
    assert counts == {"robots/ignored": 1}


def test_an_unknown_policy_is_refused_at_the_start():
    with pytest.raises(ValueError, match="obey, warn or ignore"):
        middleware(Site({}), "sometimes")


def test_the_agent_may_be_another():
    site = Site({f"{SITE}/robots.txt": page("User-agent: otherbot\nDisallow: /\n")})
    [error], _ = ask(site, f"{SITE}/a", NEWSWARC_ROBOTS_AGENT="OtherBot")
    assert isinstance(error, RobotsForbidden)


@pytest.mark.parametrize("url", ["data:,x", "file:///etc/passwd", "ftp://x/y"])
def test_other_schemes_are_none_of_its_business(url):
    [evidence], counts = ask(Site({}), url)
    assert evidence is None
    assert not counts


def test_the_fetch_of_robots_txt_passes():
    component, _ = middleware(Site({}))
    request = Request(f"{SITE}/robots.txt", meta={"robots_fetch": True})
    asyncio.run(component.process_request(request))
    assert "robots" not in request.meta


def test_a_hundred_pages_of_a_site_wait_for_one_fetch():
    site = Site({f"{SITE}/robots.txt": page("User-agent: *\nDisallow: /x")})
    component, counts = middleware(site)

    async def run() -> None:
        await asyncio.gather(*(component.process_request(Request(f"{SITE}/{n}")) for n in range(100)))

    asyncio.run(run())
    assert site.urls == [f"{SITE}/robots.txt"]
    assert counts == {"robots/allowed": 100}


def test_each_origin_has_its_own_robots_txt():
    origins = ["http://news.example", SITE, f"{SITE}:8443", "https://www.news.example", "http://[2001:db8::1]:81"]
    site = Site({f"{origin}/robots.txt": page("") for origin in origins})
    ask(
        site,
        *(f"{origin}/a" for origin in origins),
        f"{SITE}:443/b",
        "https://NEWS.example./c",
        "https://u:p@news.example/d",
    )
    assert site.urls == [f"{origin}/robots.txt" for origin in origins]


def test_the_fetch_is_marked_and_leaves_redirects_to_the_middleware():
    site = Site({f"{SITE}/robots.txt": page("")})
    ask(site, f"{SITE}/a")
    meta = site.asked[0].meta
    assert meta["robots_fetch"] is True
    assert meta["dont_redirect"] is True
    assert meta["handle_httpstatus_all"] is True


def chain(length: int, end: Answer) -> Site:
    answers: dict[str, Any] = {f"{SITE}/robots.txt": page(status=301, Location="/r1")}
    for n in range(1, length):
        answers[f"{SITE}/r{n}"] = page(status=302, Location=f"{SITE}/r{n + 1}#part")
    answers[f"{SITE}/r{length}"] = end
    return Site(answers)


def test_five_redirects_are_followed():
    site = chain(5, page(FORBIDS))
    [error], _ = ask(site, f"{SITE}/a")
    assert isinstance(error, RobotsForbidden)
    assert error.decision.robots_url == f"{SITE}/r5"
    assert len(site.asked) == 6


def test_a_sixth_redirect_means_there_is_no_robots_txt():
    site = chain(6, page(FORBIDS))
    [evidence], _ = ask(site, f"{SITE}/a")
    assert evidence["decision"] == "allowed"
    assert len(site.asked) == 6


@pytest.mark.parametrize("location", [f"{SITE}/robots.txt", "", "ftp://x/robots.txt", "http://[::1", "https://x:port/"])
def test_a_redirect_to_itself_or_nowhere_means_there_is_none(location):
    site = Site({f"{SITE}/robots.txt": page(status=302, Location=location)})
    [evidence], _ = ask(site, f"{SITE}/a")
    assert (evidence["decision"], evidence["status"]) == ("allowed", 302)
    assert len(site.asked) == 1


def test_a_redirect_to_another_host_is_followed():
    other = "https://www.news.example/robots.txt"
    site = Site({f"{SITE}/robots.txt": page(status=308, Location=other), other: page(FORBIDS, url=other)})
    [error], _ = ask(site, f"{SITE}/a")
    assert isinstance(error, RobotsForbidden)


@pytest.mark.parametrize("failure", [DownloadTimeoutError("took too long"), ResolveFailed("news.example", "unknown")])
def test_a_failed_fetch_forbids_and_names_the_failure(failure):
    [error], counts = ask(Site({f"{SITE}/robots.txt": failure}), f"{SITE}/a")
    assert isinstance(error, RobotsForbidden)
    assert str(failure) in str(error)
    assert counts == {"robots/unreachable": 1}


def test_a_refused_address_is_reported_as_such_and_not_as_a_robots_matter():
    refused = AddressRefusedError("10.0.0.1 is a private address")
    refused.__cause__ = AddressRefused("news.example", "10.0.0.1", "a private address")
    [error], counts = ask(Site({f"{SITE}/robots.txt": refused}), f"{SITE}/a", policy="warn")
    assert error is refused
    assert not counts


def test_a_redirect_to_a_refused_address_is_an_unreachable_robots_txt():
    refused = AddressRefused("10.0.0.1", "10.0.0.1", "a private address")
    there = "http://10.0.0.1/robots.txt"
    site = Site({f"{SITE}/robots.txt": page(status=302, Location=there), there: refused})
    [error], _ = ask(site, f"{SITE}/a")
    assert isinstance(error, RobotsForbidden)
    assert "10.0.0.1" in str(error)


def test_any_other_error_is_not_taken_for_an_answer():
    """A capture that cannot be kept stops the page: it must not look like a robots.txt out of reach."""
    component, _ = middleware(Site({f"{SITE}/robots.txt": RuntimeError("the archive is closed")}))
    with pytest.raises(RuntimeError, match="archive is closed"):
        asyncio.run(component.process_request(Request(f"{SITE}/a")))


def test_a_gzipped_robots_txt_is_read():
    site = Site({f"{SITE}/robots.txt": page(gzip.compress(FORBIDS.encode()), Content_Encoding="gzip")})
    [error], _ = ask(site, f"{SITE}/a")
    assert isinstance(error, RobotsForbidden)


def test_a_bomb_is_read_as_far_as_it_counts():
    bomb = gzip.compress(FORBIDS.encode() + b"\n" * 50_000_000)
    [error], _ = ask(Site({f"{SITE}/robots.txt": page(bomb, Content_Encoding="gzip")}), f"{SITE}/a")
    assert isinstance(error, RobotsForbidden)
    assert error.decision.rule == "Disallow: /"


def test_a_robots_txt_that_cannot_be_decoded_is_unreachable():
    site = Site({f"{SITE}/robots.txt": page(b"not gzip", Content_Encoding="gzip")})
    [error], counts = ask(site, f"{SITE}/a")
    assert isinstance(error, RobotsForbidden)
    assert counts == {"robots/unreachable": 1}


@pytest.mark.parametrize(("cut", "body", "outcome"), [
    ("disconnect", "User-agent: *\nAllow: /", "unreachable"),
    ("time", "", "unreachable"),
    ("length", "User-agent: *\nAllow: /\n" + "#\n" * PARSED_BYTES, "allowed"),
])  # fmt: skip
def test_a_part_of_a_robots_txt_is_none_unless_all_that_counts_came(cut, body, outcome):
    class Cutting(Site):
        async def download_async(self, request: Request) -> Response:
            response = await super().download_async(request)
            request.meta["truncated"] = cut
            return response

    _, counts = ask(Cutting({f"{SITE}/robots.txt": page(body)}), f"{SITE}/a")
    assert counts == {f"robots/{outcome}": 1}


def at(moments: list[datetime]) -> type[datetime]:
    class Clock(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> datetime:
            return moments[0]

    return Clock


def over_time(monkeypatch: pytest.MonkeyPatch, site: Site, *steps: timedelta) -> tuple[list[str], Callable[[], int]]:
    """Ask for one page at NOON plus each of *steps*; give the decisions."""
    moments = [NOON]
    monkeypatch.setattr(robots, "datetime", at(moments))
    component, _ = middleware(site, "warn")
    decisions: list[str] = []

    async def run() -> None:
        for step in steps:
            moments[0] = NOON + step
            request = Request(f"{SITE}/a")
            await component.process_request(request)
            decisions.append(request.meta["robots"]["decision"])

    asyncio.run(run())
    return decisions, lambda: len(site.asked)


def test_a_copy_is_used_for_a_day_and_then_fetched_again(monkeypatch):
    site = Site({f"{SITE}/robots.txt": [page(FORBIDS), page("")]})
    day = timedelta(days=1)
    decisions, fetches = over_time(monkeypatch, site, 0 * day, day - timedelta(seconds=1), day)
    assert decisions == ["forbidden", "forbidden", "allowed"]
    assert fetches() == 2


def test_an_unreachable_robots_txt_is_asked_for_again_soon(monkeypatch):
    site = Site({f"{SITE}/robots.txt": [page(status=503), page("")]})
    decisions, fetches = over_time(monkeypatch, site, timedelta(0), timedelta(minutes=9), timedelta(minutes=10))
    assert decisions == ["forbidden", "forbidden", "allowed"]
    assert fetches() == 2


def test_an_earlier_copy_stands_in_while_robots_txt_is_unreachable(monkeypatch):
    site = Site({f"{SITE}/robots.txt": [page(""), page(status=503), page(FORBIDS)]})
    day = timedelta(days=1)
    decisions, fetches = over_time(monkeypatch, site, 0 * day, day, day + UNREACHABLE_FOR)
    assert decisions == ["allowed", "allowed", "forbidden"]
    assert fetches() == 3


@pytest.mark.parametrize(("setting", "least", "most"), [(120.0, 25, 30), (5.0, 1, 5), (0, 25, 30)])
def test_a_robots_txt_has_half_a_minute_at_most_redirects_included(setting: float, least: float, most: float):
    moved = [page(status=301, Location=f"/{hop}") for hop in range(2)]
    site = Site({f"{SITE}/robots.txt": moved[0], f"{SITE}/0": moved[1], f"{SITE}/1": page(FORBIDS)})
    ask(site, f"{SITE}/a", DOWNLOAD_TIMEOUT=setting)
    times_s = [request.meta["download_timeout"] for request in site.asked]
    assert len(times_s) == 3
    assert most >= times_s[0] >= times_s[1] >= times_s[2] >= least
    assert all(request.meta["dont_retry"] for request in site.asked)


def test_rules_of_many_sites_are_forgotten_oldest_first(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(robots, "MAX_SITES", 10)
    hosts = [f"https://{number}.example" for number in range(12)]
    site = Site({f"{host}/robots.txt": page(FORBIDS, url=f"{host}/robots.txt") for host in hosts})
    again = [hosts[11], hosts[5], hosts[0]]
    ask(site, *(f"{host}/a" for host in [*hosts, *again]))
    assert site.urls == [f"{host}/robots.txt" for host in [*hosts, hosts[0]]]


@pytest.mark.parametrize(("count", "elsewhere"), [(3, False), (40_000, True)])
def test_a_flood_of_rules_is_decided_off_the_event_loop(count: int, elsewhere: bool, monkeypatch: pytest.MonkeyPatch):
    threads: list[bool] = []
    decide = RobotsRules.decide

    def watched(self: RobotsRules, *args: Any) -> Any:
        threads.append(threading.current_thread() is not threading.main_thread())
        return decide(self, *args)

    monkeypatch.setattr(RobotsRules, "decide", watched)
    body = "User-agent: *\n" + "".join(f"Disallow: *{number}$\n" for number in range(count))
    results, _ = ask(Site({f"{SITE}/robots.txt": page(body)}), f"{SITE}/a", f"{SITE}/a2")
    assert threads == [elsewhere] * 2
    assert isinstance(results[1], RobotsForbidden)
    assert results[1].decision.rule == "Disallow: *2$"


# --- in a crawl -----------------------------------------------------------------------------------------------------


class Closing:
    """Stands nearest the wire, where a crawl archives; here what was captured is let go."""

    def process_response(self, request, response):
        request.meta.pop("exchange").response.close()
        return response

    def process_exception(self, request, exception):
        if "exchange" in request.meta:
            request.meta.pop("exchange").response.close()


SETTINGS = {
    "TWISTED_REACTOR_ENABLED": False,
    "DOWNLOAD_HANDLERS": dict.fromkeys(("http", "https"), "crawler.handlers.WireDownloadHandler"),
    "DOWNLOADER_MIDDLEWARES": {"crawler.robots.RobotsMiddleware": 100, Closing: 950},
    "NEWSWARC_ALLOW_PRIVATE": True,
    "RETRY_TIMES": 1,
    "TELNETCONSOLE_ENABLED": False,
    "REMOTE_CONTROL_ENABLED": False,
    "COOKIES_ENABLED": False,
    "LOG_ENABLED": False,
}


class Reader(Spider):
    name = "reader"
    urls: list[str]
    results: dict[str, Any]

    async def start(self):
        for url in self.urls:
            yield Request(url, callback=self.keep, errback=self.fail)

    def keep(self, response):
        self.results[response.request.url] = response.meta["robots"]

    def fail(self, failure):
        self.results[failure.request.url] = failure.value


def crawl(robots_txt: bytes, paths: list[str], **more: Any) -> tuple[dict[str, Any], list[str], dict[str, Any]]:
    """Crawl *paths* of a site with that answer for /robots.txt; give results by path, targets asked for, statistics."""
    asked: list[str] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                target = head.split(b" ", 2)[1].decode()
                asked.append(target)
                if target == "/robots.txt":
                    writer.write(robots_txt)
                elif target == "/moved":
                    writer.write(b"HTTP/1.1 302 Found\r\nLocation: /private/x\r\nContent-Length: 0\r\n\r\n")
                else:
                    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    async def run() -> tuple[dict[str, Any], dict[str, Any]]:
        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        async with server:
            site = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
            runner = AsyncCrawlerRunner(SETTINGS | more)
            crawler = runner.create_crawler(Reader)
            results: dict[str, Any] = {}
            await runner.crawl(crawler, urls=[site + path for path in paths], results=results)
            assert crawler.stats is not None
            return {url.removeprefix(site): result for url, result in results.items()}, crawler.stats.get_stats()

    results, stats = asyncio.run(run())
    return results, asked, stats


def answer(body: bytes, status: str = "200 OK") -> bytes:
    return f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body


def test_a_crawl_asks_robots_txt_first_and_once_and_judges_redirect_targets_too():
    paths = ["/a", "/private/y", "/moved"]
    results, asked, stats = crawl(answer(b"User-agent: *\nDisallow: /private/"), paths)
    assert asked[0] == "/robots.txt"
    assert sorted(asked) == ["/a", "/moved", "/robots.txt"]
    assert results["/a"]["decision"] == "allowed"
    assert isinstance(results["/private/y"], RobotsForbidden)
    assert isinstance(results["/private/x"], RobotsForbidden)
    assert stats["robots/allowed"] == 2
    assert stats["robots/forbidden"] == 2
    assert stats["downloader/response_status_count/200"] == 2


def test_a_crawl_leaves_a_site_alone_whose_robots_txt_is_out_of_reach():
    results, asked, stats = crawl(answer(b"", "503 Busy"), ["/a", "/b"], NEWSWARC_REST_S=0.01)
    assert asked == ["/robots.txt"] * 3  # all pages wait for it, and for whether the trouble passes
    assert all(isinstance(result, RobotsForbidden) for result in results.values())
    assert stats["robots/unreachable"] == 2


def test_a_crawl_of_a_refused_address_says_so():
    results, asked, _ = crawl(answer(b""), ["/a"], NEWSWARC_ALLOW_PRIVATE=False)
    assert isinstance(results["/a"], AddressRefusedError)
    assert asked == []
