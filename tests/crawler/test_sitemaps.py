"""Sitemaps as publishers make them: sets, news sitemaps, indexes, lists in plain text; sound, broken, and hostile."""

from __future__ import annotations

import gzip
import html
import re
import tracemalloc
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crawler.discovery import Found, Reading, read
from crawler.discovery.found import MAX_TITLE_LENGTH
from crawler.discovery.sitemaps import MAX_ADDRESSES
from tests.servers.raw_site import RawSite, running

SITE = "https://courier.example"
URL = f"{SITE}/sitemap.xml"
SHELF = Path(__file__).parents[2] / "../shared/data/feeds/sitemaps"
SPACE = "http://www.sitemaps.org/schemas/sitemap/0.9"
NEWS = "http://www.google.com/schemas/sitemap-news/0.9"


def sitemap(document: str | bytes, content_type: str | None = "application/xml", url: str = URL) -> Reading:
    data = document if isinstance(document, bytes) else document.encode()
    return read(data, url=url, content_type=content_type, content_encoding=None)


def urlset(entries: str, attributes: str = f'xmlns="{SPACE}" xmlns:news="{NEWS}"') -> str:
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<urlset {attributes}>{entries}</urlset>'


def index(entries: str) -> str:
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<sitemapindex xmlns="{SPACE}">{entries}</sitemapindex>'


def urls(reading: Reading) -> list[str]:
    return [link.url.removeprefix(SITE) for link in reading.links]


# --- what there is


def test_a_set_of_addresses_tells_when_each_was_modified():
    reading = sitemap(
        urlset(
            f"<url><loc>{SITE}/a?b=1&amp;c=2</loc><lastmod>2024-05-06</lastmod><changefreq>daily</changefreq>"
            f"<priority>0.8</priority></url><url><lastmod>2024-05</lastmod><loc>\n {SITE}/b \n</loc></url>"
        )
    )
    assert reading == Reading(
        "sitemap", [Found(f"{SITE}/a?b=1&c=2", modified="2024-05-06"), Found(f"{SITE}/b", modified="2024-05")]
    )


def test_a_news_sitemap_tells_title_and_publication():
    reading = sitemap(
        urlset(
            f"<url><loc>{SITE}/a</loc><news:news><news:publication><news:name>The Courier</news:name>"
            "<news:language>en</news:language></news:publication>"
            "<news:publication_date>2024-05-06T07:08:09+02:00</news:publication_date>"
            "<news:title>Caf&eacute; &amp;\n Bar</news:title><news:keywords>x</news:keywords></news:news>"
            "<lastmod>2024-05-07</lastmod></url>"
        )
    )
    assert reading.links == [
        Found(f"{SITE}/a", "Café & Bar", published="2024-05-06T07:08:09+02:00", modified="2024-05-07")
    ]


def test_an_index_leads_to_sitemaps_and_to_no_page():
    reading = sitemap(
        index(
            f"<sitemap><loc>{SITE}/1.xml</loc><lastmod>2024-05-06T07:08Z</lastmod></sitemap>"
            f"<sitemap><loc>/2.xml.gz</loc></sitemap><sitemap>\n{SITE}/3.xml?a=1&amp;b\n</sitemap>"
            f"<url><loc>{SITE}/4.xml</loc></url>"
        )
    )
    assert reading == Reading(
        "sitemap-index",
        sitemaps=[
            Found(f"{SITE}/1.xml", modified="2024-05-06T07:08:00+00:00"),
            Found(f"{SITE}/2.xml.gz"),
            Found(f"{SITE}/3.xml?a=1&b"),
            Found(f"{SITE}/4.xml"),
        ],
    )


def test_a_set_may_name_sitemaps_beside_pages():
    reading = sitemap(urlset(f"<sitemap><loc>{SITE}/1.xml</loc></sitemap><url><loc>{SITE}/a</loc></url>"))
    assert (urls(reading), reading.sitemaps) == (["/a"], [Found(f"{SITE}/1.xml")])


def test_what_other_vocabularies_add_is_passed_over():
    entry = (
        f"<url><image:image><image:loc>{SITE}/a.jpg</image:loc><image:title>A picture</image:title></image:image>"
        f"<loc>{SITE}/a</loc><video:video><video:title>A film</video:title><video:loc>{SITE}/film</video:loc>"
        f"<video:publication_date>2001-01-01</video:publication_date></video:video>"
        f'<xhtml:link rel="alternate" hreflang="de" href="{SITE}/de/a"/>'
        "<news:news><news:title>A</news:title></news:news></url>"
    )
    declared = (
        f'xmlns="{SPACE}" xmlns:news="{NEWS}" xmlns:image="http://www.google.com/schemas/sitemap-image/1.1" '
        'xmlns:video="http://www.google.com/schemas/sitemap-video/1.1" xmlns:xhtml="http://www.w3.org/1999/xhtml"'
    )
    assert (
        sitemap(urlset(entry, declared)) == sitemap(urlset(entry, "")) == Reading("sitemap", [Found(f"{SITE}/a", "A")])
    )


@pytest.mark.parametrize(
    ("date", "meant"),
    [
        ("2024", "2024"),
        ("2024-05", "2024-05"),
        ("2024-05-06", "2024-05-06"),
        ("2024-05-06T07:08Z", "2024-05-06T07:08:00+00:00"),
        ("2024-05-06T07:08:09+02:00", "2024-05-06T07:08:09+02:00"),
        ("2024-05-06T07:08:09.5-03:30", "2024-05-06T07:08:09.500000-03:30"),
        ("2024-05-06 07:08:09", "2024-05-06T07:08:09"),
        ("\n 2024-05-06 \n", "2024-05-06"),
        ("<![CDATA[2024-05-06]]>", "2024-05-06"),
        ("Mon, 06 May 2024 07:08:09 GMT", "2024-05-06T07:08:09+00:00"),
        ("2024-02-30", None),
        ("06.05.2024", None),
        ("0000-00-00", None),
        ("1970-01-01T00:00:00+00:00", None),
        ("", None),
        ("today", None),
    ],
)
def test_lastmod_in_every_precision_and_broken(date: str, meant: str | None):
    assert sitemap(urlset(f"<url><loc>/a</loc><lastmod>{date}</lastmod></url>")).links == [
        Found(f"{SITE}/a", modified=meant)
    ]


@pytest.mark.parametrize(
    ("reference", "meant"),
    [
        ("/a", f"{SITE}/a"),
        ("a", f"{SITE}/a"),
        ("https://other.example/a#b", "https://other.example/a"),
        (f"{SITE}/a&b", f"{SITE}/a&b"),
        (f"<![CDATA[{SITE}/a?b&c]]>", f"{SITE}/a?b&c"),
        (f"{SITE}/<!-- a comment -->a", f"{SITE}/a"),
        (f"{SITE}/ä b", f"{SITE}/%C3%A4%20b"),
        (f"{SITE}/a\n/b", f"{SITE}/a/b"),
        ("https://bücher.example/a", "https://xn--bcher-kva.example/a"),
        ("HTTPS://COURIER.EXAMPLE/A", f"{SITE}/A"),
        ("ftp://courier.example/a", None),
        ("mailto:desk@courier.example", None),
        ("https://user:secret@courier.example/a", None),
        ("", None),
        ("#", None),
        ("https://courier.example/" + "a" * 10_000, None),
    ],
)
def test_addresses_are_made_absolute(reference: str, meant: str | None):
    reading = sitemap(urlset(f"<url><loc>{reference}</loc></url><url><loc>/last</loc></url>"))
    assert [link.url for link in reading.links] == [*([meant] if meant else []), f"{SITE}/last"]


def test_an_address_is_found_once_with_what_was_told_first():
    entries = "<url><loc>/a</loc><lastmod>2024</lastmod></url><url><loc>/a#b</loc><lastmod>2023</lastmod></url>"
    assert sitemap(urlset(entries)).links == [Found(f"{SITE}/a", modified="2024")]


def test_a_title_has_an_end():
    entry = f"<url><loc>/a</loc><news:news><news:title>{'x' * 1_000}</news:title></news:news></url>"
    assert sitemap(urlset(entry)).links == [Found(f"{SITE}/a", "x" * MAX_TITLE_LENGTH)]


# --- lists in plain text


@pytest.mark.parametrize(
    ("data", "content_type", "name"),
    [
        (f"{SITE}/a\n{SITE}/b\n", "text/plain", "/sitemap"),
        (f"\ufeff{SITE}/a\r\n\r\n  {SITE}/b", "text/plain; charset=utf-8", "/sitemap.txt"),
        (f"HTTPS://courier.example/a\r{SITE}/b#x", "application/octet-stream", "/Sitemap.TXT"),
        (gzip.compress(f"{SITE}/a\n{SITE}/b\n".encode(), mtime=0), "application/x-gzip", "/sitemap.txt.gz"),
    ],
)
def test_a_list_has_an_address_a_line(data: str | bytes, content_type: str, name: str):
    assert sitemap(data, content_type, SITE + name) == Reading("sitemap", [Found(f"{SITE}/a"), Found(f"{SITE}/b")])


@pytest.mark.parametrize(
    "data",
    ["", "\n", f"Sitemap: {SITE}/sitemap.xml\n", f"See {SITE}/a", f"{SITE}/a\n/b\n", f"{SITE}/a\nftp://x.example/"],
)
def test_a_text_with_anything_else_in_it_is_no_list(data: str):
    assert sitemap(data, "text/plain", f"{SITE}/robots.txt") == Reading("other")


def test_a_list_that_is_cut_has_no_half_address():
    data = gzip.compress("".join(f"{SITE}/{number:06}\n" for number in range(20_000)).encode())
    reading = sitemap(data[: len(data) // 2], "text/plain", f"{SITE}/sitemap.txt")
    assert 0 < len(reading.links) < 20_000
    assert urls(reading) == [f"/{number:06}" for number in range(len(reading.links))]
    assert "cannot be unpacked" in (reading.problem or "")


# --- how it comes

PLAIN = urlset(f"<url><loc>{SITE}/é</loc></url>")


@pytest.mark.parametrize(
    "data",
    [
        PLAIN.encode("utf-8-sig"),
        PLAIN.encode("utf-16"),
        PLAIN.encode("utf-16-be"),
        PLAIN.replace("UTF-8", "iso-8859-1").encode("latin-1"),
        b"\n\n" + PLAIN.encode(),
        b"Notice: undefined index in /srv/a.php on line 1\n" + PLAIN.encode(),
        gzip.compress(PLAIN.encode()),
        gzip.compress(gzip.compress(PLAIN.encode())),
        gzip.compress(PLAIN[:50].encode()) + gzip.compress(PLAIN[50:].encode()),
    ],
    ids=["bom", "utf-16", "no mark", "latin-1", "blanks before", "notice before", "gzip", "gzip twice", "two members"],
)
@pytest.mark.parametrize("content_type", ["application/xml", "text/html", None])
def test_a_sitemap_is_read_however_it_is_wrapped(data: bytes, content_type: str | None):
    assert sitemap(data, content_type) == Reading("sitemap", [Found(f"{SITE}/%C3%A9")])


@pytest.mark.parametrize(
    "document",
    [
        "<urlset><url><loc>/a</loc></url></urlset>",
        '<urlset xmlns="http://www.google.com/schemas/sitemap/0.84"><url><loc>/a</loc></url></urlset>',
        '<urlset xmlns="https://wrong.example/"><url><loc>/a</loc></url></urlset>',
        f'<urlset xmlns="{SPACE}"><url xmlns=""><loc>/a</loc></url></urlset>',
        f'<s:urlset xmlns:s="{SPACE}"><s:url><s:loc>/a</s:loc></s:url></s:urlset>',
        "<s:urlset><s:url><s:loc>/a</s:loc></s:url></s:urlset>",
        "<URLSET><Url><LOC>/a</LOC></Url></URLSET>",
    ],
)
def test_namespaces_and_capitals_may_be_wrong(document: str):
    assert sitemap(document) == Reading("sitemap", [Found(f"{SITE}/a")])


@pytest.mark.parametrize(
    "news",
    [
        "<news:news><news:publication_date>2024-05-06</news:publication_date><news:title>A</news:title></news:news>",
        "<news><publication_date>2024-05-06</publication_date><title>A</title></news>",
        '<n:news xmlns:n="x"><n:publication_date>2024-05-06</n:publication_date><n:title>A</n:title></n:news>',
        f'<news xmlns="{NEWS}"><publication_date>2024-05-06</publication_date><title>A</title></news>',
    ],
)
def test_news_are_told_whatever_their_prefix(news: str):
    assert sitemap(urlset(f"<url><loc>/a</loc>{news}</url>", "")) == Reading(
        "sitemap", [Found(f"{SITE}/a", "A", published="2024-05-06")]
    )


# --- broken

THREE = urlset("".join(f"<url><loc>{SITE}/{n}</loc><lastmod>2024-05-0{n}</lastmod></url>" for n in (1, 2, 3)))


@given(st.integers(THREE.index("<url>"), len(THREE)))
@settings(deadline=None)
def test_a_sitemap_that_is_cut_has_what_is_whole_in_it_and_says_so(end: int):
    kept = THREE[:end]
    reading = sitemap(kept)
    assert reading.links == [
        Found(f"{SITE}/{n}", modified=f"2024-05-0{n}" if f"2024-05-0{n}</lastmod>" in kept else None)
        for n in (1, 2, 3)
        if f"{SITE}/{n}</loc>" in kept
    ]
    assert (reading.problem is None) == (end == len(THREE))
    assert reading.problem is None or reading.problem.startswith("broken XML (")


def test_a_packed_sitemap_that_is_cut_is_read_up_to_there():
    data = gzip.compress(urlset("".join(f"<url><loc>{SITE}/{n}</loc></url>" for n in range(20_000))).encode())
    reading = sitemap(data[: len(data) // 2], "application/gzip", f"{URL}.gz")
    assert 0 < len(reading.links) < 20_000
    assert urls(reading) == [f"/{n}" for n in range(len(reading.links))]
    assert "it ends in the middle" in (reading.problem or "")
    assert "broken XML" in (reading.problem or "")


@pytest.mark.parametrize(
    "entries",
    [
        "<url><loc>/1</loc><url><loc>/2</loc></url>",
        "<url><loc>/1</url><url><loc>/2</loc></url>",
        "<url><loc>/1</loc></url></urlset><url><loc>/2</loc></url>",
        "<url><loc>/1</loc><priority>0.5</url><url><loc>/2</loc></url>",
        "<url a=b><loc>/1</loc></url><url><loc>/2</loc></url>",
        "<url><loc>/1</loc></url></url><url><loc>/2</loc></url>",
    ],
)
def test_what_is_wrong_with_one_entry_takes_none_of_the_others(entries: str):
    reading = sitemap(urlset(entries))
    assert set(urls(reading)) <= {"/1", "/2"}
    assert "/1" in urls(reading)
    assert "broken XML" in (reading.problem or "")


# --- hostile


def test_entities_are_not_expanded_and_no_memory_goes_into_them():
    laughs = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
    document = (
        f'<?xml version="1.0"?><!DOCTYPE urlset [<!ENTITY l0 "ha"><!ENTITY a "{SITE}/expanded">{laughs}]>'
        "<urlset><url><loc>https://courier.example/?&l9;</loc></url><url><loc>/?&a;</loc></url>"
        "<url><loc>/b</loc></url></urlset>"
    )
    sitemap(PLAIN)  # loads the parser
    tracemalloc.start()
    try:
        reading = sitemap(document)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert urls(reading) == ["/?&l9;", "/?&a;", "/b"]
    assert peak < 4 << 20


def test_nothing_that_a_sitemap_names_is_opened(tmp_path: Path):
    secret = tmp_path / "secret.txt"
    secret.write_text("the-secret", encoding="utf-8")
    with running(RawSite()) as site:
        reading = sitemap(
            f'<?xml version="1.0"?><?xml-stylesheet href="{site.url("/style.xsl")}" type="text/xsl"?>'
            f'<!DOCTYPE urlset SYSTEM "{site.url("/urlset.dtd")}" [<!ENTITY file SYSTEM "{secret.as_uri()}">'
            f'<!ENTITY web SYSTEM "{site.url("/entity")}"><!ENTITY % dtd SYSTEM "{site.url("/more.dtd")}">%dtd;]>'
            f'<urlset xmlns:xi="http://www.w3.org/2001/XInclude" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" '
            f'xsi:schemaLocation="{SPACE} {site.url("/sitemap.xsd")}"><url><loc>{SITE}/?&file;&web;</loc></url>'
            f'<xi:include href="{secret.as_uri()}" parse="text"/></urlset>'
        )
        assert site.connections == 0
    assert urls(reading) == ["/?&file;&web;"]


def test_a_document_type_behind_the_first_element_expands_nothing_either():
    reading = sitemap(f'<urlset><!DOCTYPE urlset [<!ENTITY a "{SITE}/expanded">]><url><loc>/?&a;</loc></url></urlset>')
    assert not any("expanded" in url for url in urls(reading))


def test_nesting_of_any_depth_is_no_matter():
    deep = "<a>" * 100_000 + "</a>" * 100_000
    assert urls(sitemap(urlset(f"<url><loc>/1</loc></url>{deep}<url><loc>/2</loc></url>"))) == ["/1", "/2"]
    assert urls(sitemap(urlset(f"<url><loc>/1</loc></url>{'<url>' * 100_000}"))) == ["/1"]


@pytest.mark.parametrize(
    ("document", "what"),
    [
        (lambda count: urlset("".join(f"<url><loc>/{n}</loc></url>" for n in range(count))), "addresses"),
        (lambda count: index("".join(f"<sitemap>/{n}</sitemap>" for n in range(count))), "sitemaps"),
        (lambda count: "".join(f"{SITE}/{n}\n" for n in range(count)), "addresses"),
    ],
    ids=["set", "index", "list"],
)
def test_addresses_beyond_all_measure_are_left_out(document: Callable[[int], str], what: str):
    reading = sitemap(document(MAX_ADDRESSES + 10_000), "text/plain")
    found = reading.links or reading.sitemaps
    assert (len(found), found[-1].url) == (MAX_ADDRESSES, f"{SITE}/{MAX_ADDRESSES - 1}")
    assert reading.problem == f"more than {MAX_ADDRESSES} {what}; the rest is left out"


# --- what is written is read back

TITLES = st.text(st.characters(exclude_categories=["C"]), max_size=40).map(lambda text: " ".join(text.split()))
MOMENTS = st.datetimes(
    datetime(1971, 1, 1),  # noqa: DTZ001 - the strategy adds the offset
    datetime(2100, 1, 1),  # noqa: DTZ001
    timezones=st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes))),
).map(lambda at: at.isoformat())
DATES = st.one_of(st.none(), MOMENTS, st.dates().filter(lambda day: day.year > 1970).map(lambda day: day.isoformat()))
PATHS = st.from_regex(
    r"/[a-z0-9-]{1,20}(?:/[a-z0-9]{1,5})?(?:\?[a-z]=[0-9]{1,3}(?:&[a-z]=[a-z%+]{1,3})?)?", fullmatch=True
)
ENTRIES = st.lists(
    st.builds(
        Found,
        PATHS.map(lambda path: SITE + path),
        TITLES.map(lambda title: title or None),
        DATES,
        DATES,
        st.just(False),
    ),
    max_size=8,
    unique_by=lambda found: found.url,
)


def element(name: str, text: str | None) -> str:
    return "" if text is None else f"<{name}>{html.escape(text)}</{name}>"


@given(ENTRIES, st.booleans())
@settings(deadline=None)
def test_a_news_sitemap_is_read_back_to_what_it_was_made_of(entries: list[Found], packed: bool):
    document = urlset(
        "".join(
            f"<url>{element('loc', found.url)}{element('lastmod', found.modified)}<news:news>"
            f"{element('news:publication_date', found.published)}{element('news:title', found.title)}</news:news></url>"
            for found in entries
        )
    ).encode()
    assert sitemap(gzip.compress(document) if packed else document) == Reading("sitemap", entries)


@given(ENTRIES)
@settings(deadline=None)
def test_an_index_is_read_back_to_what_it_was_made_of(entries: list[Found]):
    document = index(
        "".join(
            f"<sitemap>{element('loc', found.url)}{element('lastmod', found.modified)}</sitemap>" for found in entries
        )
    )
    assert sitemap(document) == Reading(
        "sitemap-index", sitemaps=[Found(found.url, modified=found.modified) for found in entries]
    )


@given(ENTRIES.filter(bool))
@settings(deadline=None)
def test_a_list_is_read_back_to_what_it_was_made_of(entries: list[Found]):
    text = "\n".join(found.url for found in entries)
    assert sitemap(text, "text/plain") == Reading("sitemap", [Found(found.url) for found in entries])


# --- real ones


@pytest.mark.skipif(not SHELF.is_dir(), reason="../shared/data/feeds/sitemaps is not there")
@pytest.mark.parametrize(
    ("file", "count"),
    [
        ("sitemap.badns.xml", 2),
        ("sitemap.ns.xml", 2),
        ("xmlSitemap.gz", 5),
        ("extension/hebdenbridgetimes-articles-sitemap.xml", 74),
        ("extension/pagemaps-sitemap.xml", 2),
        ("extension/shinpaideshou-news-sitemap.xml", 3),
        ("extension/sitemap-images.xml", 1),
        ("extension/sitemap-links.xml", 3),
        ("extension/sitemap-mobile.xml", 3),
        ("extension/sitemap-news.xml", 2),
        ("extension/sitemap-videos-tvshow.xml", 1),
        ("extension/sitemap-videos.xml", 3),
    ],
)
def test_real_sitemaps_have_all_their_addresses(file: str, count: int):
    data = (SHELF / file).read_bytes()
    plain = gzip.decompress(data) if file.endswith(".gz") else data
    written = re.findall(rb"<(?:sit:)?loc>\s*(\S+?)\s*</", plain)
    reading = sitemap(data)
    assert (reading.form, reading.problem, len(written)) == ("sitemap", None, count)
    assert [link.url for link in reading.links] == [html.unescape(url.decode()) for url in written]


@pytest.mark.skipif(not SHELF.is_dir(), reason="../shared/data/feeds/sitemaps is not there")
def test_real_news_sitemaps_tell_titles_and_days():
    links = sitemap((SHELF / "extension/sitemap-news.xml").read_bytes()).links
    assert [(link.title, link.published) for link in links] == [
        ("Companies A, B in Merger Talks", "2008-12-23"),
        ("Test empty news attributes", "2025-05-27"),
    ]
    links = sitemap((SHELF / "extension/shinpaideshou-news-sitemap.xml").read_bytes()).links
    assert [link.published for link in links] == [
        "2017-04-25T10:00:36+00:00",
        "2017-04-24T10:00:33+00:00",
        "2017-04-24T10:00:10+00:00",
    ]
    links = sitemap((SHELF / "extension/hebdenbridgetimes-articles-sitemap.xml").read_bytes()).links
    assert [link.title for link in links if link.title or link.published] == []  # its titles are those of pictures
    assert sum(link.modified is not None for link in links) == 74


@pytest.mark.skipif(not SHELF.is_dir(), reason="../shared/data/feeds/sitemaps is not there")
def test_a_real_index_without_elements_for_its_addresses_has_them_all():
    data = (SHELF / "sitemap.index.xml").read_bytes()
    reading = sitemap(data)
    assert (reading.form, reading.links, len(reading.sitemaps)) == ("sitemap-index", [], 15)
    assert [found.url for found in reading.sitemaps] == [
        html.unescape(url.decode()) for url in re.findall(rb"\shttps://\S+", data) for url in [url.strip()]
    ]


@pytest.mark.skipif(not SHELF.is_dir(), reason="../shared/data/feeds/sitemaps is not there")
@pytest.mark.parametrize(
    ("file", "count"), [("sitemap.txt", 2), ("sitemap-with-bom.txt", 2), ("sitemap.txt.gz", 5), ("do-not-visit.txt", 1)]
)
def test_real_lists_have_all_their_addresses(file: str, count: int):
    reading = sitemap((SHELF / file).read_bytes(), "text/plain", f"{SITE}/{file}")
    assert (reading.form, len(reading.links), reading.problem) == ("sitemap", count, None)
