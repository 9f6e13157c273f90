"""Where a page leads: its links as a browser resolves them, its feeds, its neighbours, and its own address."""

from __future__ import annotations

import gzip
import json
import re
from html import escape
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import urljoin

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archive.references import resolve
from crawler.discovery import Found, Reading, read
from crawler.discovery.links import MAX_FEEDS, MAX_LINKS

SITE = "https://courier.example"
URL = f"{SITE}/news/"
SHELF = Path(__file__).parents[2] / "../shared/data/extraction"


def page(html: str, url: str = URL) -> Reading:
    reading = read(html.encode(), url=url, content_type="text/html; charset=utf-8", content_encoding=None)
    assert reading.form == "page"
    return reading


def urls(reading: Reading) -> list[str]:
    return [link.url.removeprefix(SITE) for link in reading.links]


def linked(*references: str) -> list[str]:
    return urls(page("".join(f'<a href="{escape(reference)}">x</a>' for reference in references)))


# --- links


def test_links_are_found_in_the_order_they_stand_in_and_once():
    reading = page('<a href="/b">1</a><map><area href="/a"></map><a href="/b#c">2</a><svg><a href="/c">3</a></svg>')
    assert reading.links == [Found(f"{SITE}/b"), Found(f"{SITE}/a"), Found(f"{SITE}/c")]


@pytest.mark.parametrize(
    ("reference", "meant"),
    [
        ("/a", "/a"),
        ("a", "/news/a"),
        ("../a", "/a"),
        ("./a/../b", "/news/b"),
        ("?page=2", "/news/?page=2"),
        ("//other.example/a", "https://other.example/a"),
        ("\\\\other.example\\a", "https://other.example/a"),
        ("http://other.example", "http://other.example/"),
        ("HTTPS://COURIER.example:443/A", "/A"),
        ("https://other.example:8443/a", "https://other.example:8443/a"),
        ("/a?b=1&c=2", "/a?b=1&c=2"),
        ("/a#b", "/a"),
        ("  /a \n", "/a"),
        ("/a\n/b", "/a/b"),
        ("/a b?c d", "/a%20b?c%20d"),
        ("/%C3%A9?é", "/%C3%A9?%C3%A9"),
        ("/é", "/%C3%A9"),
        ("/\u202e\x7f", "/%E2%80%AE%7F"),
        ("https://bücher.example/ä", "https://xn--bcher-kva.example/%C3%A4"),
        ("https://日本語.example/", "https://xn--wgv71a119e.example/"),
        ("http://[::1]:8080/a", "http://[::1]:8080/a"),
        ("http://192.0.2.1/a", "http://192.0.2.1/a"),
        ("http://under_score.example/", "http://under_score.example/"),
    ],
)
def test_a_link_means_what_a_browser_makes_of_it(reference: str, meant: str):
    assert linked(reference) == [meant]


@pytest.mark.parametrize(
    "reference",
    [
        "",
        " ",
        "#",
        "#top",
        "javascript:void(0)",
        " JavaScript:alert(1)",
        "java\nscript:alert(1)",
        "mailto:desk@courier.example",
        "tel:+4912345",
        "data:text/html,<a href=/b>",
        "about:blank",
        "blob:https://courier.example/1",
        "ftp://courier.example/a",
        "file:///etc/passwd",
        "whatsapp://send?text=https://courier.example/a",
        "https://user:secret@courier.example/a",
        "https://user@courier.example/a",
        "http://",
        "http://[::1",
        "https://courier.example:99999/",
        "https://courier.example:x/",
        "https://courier..example/",
        "https://cour ier.example/",
        "https://exa%6Dple.com/",
        "/" + "a" * 9_000,
    ],
)
def test_what_is_no_address_of_a_page_is_left_out(reference: str):
    assert linked(reference, "/b") == ["/b"]


@pytest.mark.parametrize(
    "name",
    ["a.pdf", "A.PDF", "a.pdf?download=1", "a.jpg", "a.b.zip", "a.mp3", "a.m3u8", "b/a.docx", "a.css", "a.js", "a.ics"],
)
def test_files_that_hold_no_page_are_left_out(name: str):
    assert linked(f"/{name}", "/b") == ["/b"]


@pytest.mark.parametrize(
    "name",
    [
        "a.html",
        "a.php",
        "a.aspx",
        "a",
        "v1.0",
        "a.pdf/",
        "a?file=b.pdf",
        "a.jpg.html",
        "a.rss",
        "a.xml",
        ".pdf/b",
        "a-pdf",
    ],
)
def test_all_else_may_be_a_page(name: str):
    assert linked(f"/{name}") == [f"/{name}"]


def test_what_is_no_element_of_the_page_leads_nowhere():
    html = (
        '<!-- <a href="/1">x</a> --><script>"<a href=/2>"</script><textarea><a href="/3">x</a></textarea>'
        '<template><a href="/4">x</a></template><iframe src="/5"></iframe><img src="/6"><a name="7">x</a>'
    )
    assert urls(page(html)) == []


def test_links_for_readers_without_scripts_count():
    assert urls(page('<noscript><a href="/a">x</a></noscript>')) == ["/a"]


# --- the base


@pytest.mark.parametrize(
    ("base", "meant"),
    [
        ('<base href="/base/">', "/base/a"),
        ('<base href="sub/">', "/news/sub/a"),
        ('<base href="https://other.example/x/y">', "https://other.example/x/a"),
        ('<base target="_top"><base href="/first/"><base href="/second/">', "/first/a"),
        ('<base href="">', "/news/a"),
        ('<base href="javascript:void(0)"><base href="/second/">', "/news/a"),
        ('<base href="http://[">', "/news/a"),
        ('<base href="data:,x">', "/news/a"),
    ],
)
def test_addresses_are_relative_to_the_first_base(base: str, meant: str):
    assert urls(page(f'<head>{base}</head><a href="a">x</a>')) == [meant]


def test_the_base_counts_for_all_that_a_page_names_even_what_stands_before_it():
    reading = page(
        '<link rel="canonical" href="c"><link rel="alternate" type="application/rss+xml" href="f">'
        '<link rel="sitemap" href="s"><meta http-equiv="refresh" content="0; url=r"><base href="https://other.example/b/">'
    )
    assert (reading.canonical, reading.refresh) == ("https://other.example/b/c", "https://other.example/b/r")
    assert (reading.feeds, reading.sitemaps) == (["https://other.example/b/f"], [Found("https://other.example/b/s")])


# --- what the head names


@pytest.mark.parametrize(
    "element",
    [
        '<link rel="alternate" type="application/rss+xml" title="All" href="/f">',
        '<link rel="ALTERNATE home" type=" Application/Atom+XML; charset=utf-8 " href="/f#x">',
        '<link rel="alternate" type="application/feed+json" href="/f">',
        '<link rel="alternate" type="application/rdf+xml" href="/f">',
        '<link rel="alternate" type="text/xml" href="/f">',
        '<link rel="feed" href="/f">',
        '<a rel="alternate" type="application/rss+xml" href="/f">Feed</a>',
    ],
)
def test_feeds_are_found_where_a_page_names_them(element: str):
    assert page(f"{element}{element}") == Reading("page", feeds=[f"{SITE}/f"])


@pytest.mark.parametrize(
    "element",
    [
        '<link rel="alternate" hreflang="de" href="/de">',
        '<link rel="alternate" type="text/html" media="handheld" href="/m">',
        '<link rel="alternate" type="application/json" href="/wp-json/posts/1">',
        '<link rel="alternate" type="application/json+oembed" href="/oembed">',
        '<link rel="alternate" type="text/xml+oembed" href="/oembed">',
        '<link rel="alternate stylesheet" type="text/xml" href="/dark">',
        '<link rel="stylesheet" href="/a.css"><link rel="icon" href="/favicon">',
        '<link rel="alternate" type="application/rss+xml" href="feed:x">',
        '<link rel="alternate" type="application/rss+xml" href="">',
        '<link type="application/rss+xml" href="/f">',
    ],
)
def test_other_links_of_the_head_name_no_feed_and_no_page(element: str):
    assert page(element) == Reading("page")


def test_pages_name_their_neighbours():
    reading = page(
        '<link rel="next" href="?page=3"><link rel="PREV" href="?page=1"><link rel="previous" href="/old">'
        '<a rel="nofollow next" href="/n">x</a><a href="/a">x</a><a href="?page=3">x</a>'
    )
    assert reading.links == [
        Found(f"{URL}?page=3", paging=True),
        Found(f"{URL}?page=1", paging=True),
        Found(f"{SITE}/old", paging=True),
        Found(f"{SITE}/n", paging=True),
        Found(f"{SITE}/a"),
    ]


def test_a_link_found_before_may_prove_to_be_a_neighbour():
    assert page('<a href="/n">A page</a><a rel="next" href="/n">x</a>').links == [Found(f"{SITE}/n", paging=True)]


def test_a_page_has_one_address_of_its_own_the_first_that_is_one():
    html = '<link rel="canonical" href=""><link rel="canonical" href="mailto:a@b.example">'
    assert page(f'{html}<link rel="Canonical" href="/é b#x"><link rel="canonical" href="/c">').canonical == (
        f"{SITE}/%C3%A9%20b"
    )
    assert page(html).canonical is None


@pytest.mark.parametrize(
    "content",
    [
        "0; url=/next",
        "0;URL='/next'",
        '0; url="/next"',
        " 5 , /next ",
        "0.5;url=/next#x",
        "0 ; url = /next",
        "0; url=/ne\nxt",
    ],
)
def test_a_refresh_leads_elsewhere(content: str):
    reading = page(f"<meta http-equiv=' Refresh ' content='{escape(content)}'>")
    assert (reading.refresh, reading.links) == (f"{SITE}/next", [])


@pytest.mark.parametrize(
    "content",
    [
        "",
        "5",
        "0; url=javascript:void(0)",
        "0; url=mailto:a@b.example",
        f"60; url={URL}",
        f"60; url={URL}#x",
    ],
)
def test_a_page_that_reloads_itself_or_calls_a_script_leads_nowhere(content: str):
    assert page(f'<meta http-equiv="refresh" content="{escape(content)}">').refresh is None


def test_a_refresh_for_readers_without_scripts_is_not_for_a_crawl():
    assert page('<noscript><meta http-equiv="refresh" content="0; url=/no-scripts"></noscript>').refresh is None


# --- hostile


def test_links_beyond_all_measure_are_left_out():
    reading = page("".join(f'<a href="/{number}">x</a>' for number in range(5 * MAX_LINKS)))
    assert urls(reading) == [f"/{number}" for number in range(MAX_LINKS)]
    assert reading.problem == f"more than {MAX_LINKS} links; the rest is left out"


def test_one_address_however_often_linked_leaves_nothing_out():
    reading = page('<a href="/a">x</a>' * (5 * MAX_LINKS) + '<a href="/b">x</a>')
    assert (urls(reading), reading.problem) == (["/a", "/b"], None)


def test_addresses_that_lead_nowhere_are_not_looked_at_forever():
    reading = page("".join(f'<a href="mailto:{number}@courier.example">x</a>' for number in range(25_000)))
    assert reading.links == []
    assert reading.problem is not None


def test_feeds_beyond_all_measure_are_left_out():
    reading = page(
        "".join(f'<link rel="feed" href="/{number}"><link rel="sitemap" href="/{number}">' for number in range(99))
    )
    assert (len(reading.feeds), len(reading.sitemaps)) == (MAX_FEEDS, MAX_FEEDS)


def test_nesting_of_any_depth_is_no_matter():
    assert urls(page("<div>" * 10_000 + '<a href="/a">x</a>')) == ["/a"]


@pytest.mark.parametrize("url", ["", "news", "http://[", "mailto:a@b.example", "https://[::1]/a b", "\x00"])
def test_a_page_whose_own_address_is_odd_is_read_all_the_same(url: str):
    html = f'<base href="x"><link rel="canonical" href="c"><a href="a">x</a><a href="/b">x</a><a href="{SITE}/c">x</a>'
    assert f"{SITE}/c" in [link.url for link in page(html, url).links]


# --- what is written is read back

SUFFIXES = st.sampled_from(["", ".html", "/", "?a=1&b=%20", ";x=1", "?a=b/c.jpg"])
PATHS = st.builds(
    "{}{}".format, st.from_regex(r"/[a-z0-9-]{1,12}(?:/[a-zA-Z0-9~!$'()*,=:@_-]{1,12})?", fullmatch=True), SUFFIXES
)


@given(st.lists(PATHS, max_size=20), st.booleans())
@settings(deadline=None)
def test_a_page_is_read_back_to_the_links_it_was_made_of(paths: list[str], relative: bool):
    references = paths if relative else [SITE + path for path in paths]
    html = "".join(
        f'<p><a class="x" href="{escape(reference)}#part">A headline of it</a></p>' for reference in references
    )
    assert urls(page(f"<!DOCTYPE html><html><body>{html}</body></html>")) == list(dict.fromkeys(paths))


# --- real ones


class Hrefs(HTMLParser):
    """Another reader of pages: every reference of a link, and of a neighbour, outside of templates."""

    def __init__(self) -> None:
        super().__init__()
        self.base: str | None = None
        self.found: list[str] = []
        self._templates = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = dict(attrs)
        href = attributes.get("href")
        self._templates += tag == "template"
        if tag == "base":
            self.base = self.base or href
        elif href and not self._templates:
            neighbours = {"next", "prev"} & set((attributes.get("rel") or "").lower().split())
            if tag in {"a", "area"} or (tag == "link" and neighbours):
                self.found.append(href)

    def handle_endtag(self, tag: str) -> None:
        self._templates -= tag == "template"


@pytest.mark.skipif(not SHELF.is_dir(), reason="../shared/data/extraction is not there")
def test_real_pages_have_all_their_links_but_those_to_files():
    file = re.compile(r"[^?]*\.(?:webp|jpe?g|png|pdf|apk)(?:\?|\Z)")
    pages = links = canonical = 0
    for line in (SHELF / "index.jsonl").read_text(encoding="utf-8").splitlines():
        entry = json.loads(line)
        data = gzip.decompress((SHELF / entry["file"]).read_bytes())
        reading = read(data, url=entry["url"], content_type="text/html", content_encoding=None)
        hrefs = Hrefs()
        hrefs.feed(data.decode("utf-8", "replace"))
        base = urljoin(entry["url"], hrefs.base or "")
        wanted = {url for href in hrefs.found if (url := resolve(base, href)) and not file.match(url)}
        assert {link.url for link in reading.links} == wanted, entry["id"]
        assert (reading.form, reading.problem, reading.article) == ("page", None, True), entry["id"]
        pages, links, canonical = pages + 1, links + len(reading.links), canonical + (reading.canonical is not None)
    assert (pages, links, canonical) == (83, 10_327, 81)
