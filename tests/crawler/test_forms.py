"""What a document is, told by its bytes whatever its label says; and that no bytes at all break the reader."""

from __future__ import annotations

import gzip
import re
import tracemalloc
import zlib
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import brotli
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crawler.discovery import Found, Reading, read
from crawler.discovery.forms import MAX_DECODED_BYTES, SNIFFED_BYTES
from crawler.discovery.found import MAX_CHARACTERS, MAX_TITLE_LENGTH

SITE = "https://courier.example"
SHELF = Path(__file__).parents[2] / "../shared/data"

PAGE = f'<!DOCTYPE html><html><body><a href="{SITE}/a">x</a></body></html>'
RSS = f'<rss version="2.0"><channel><item><link>{SITE}/a</link></item></channel></rss>'
ATOM = f'<feed xmlns="http://www.w3.org/2005/Atom"><entry><link href="{SITE}/a"/></entry></feed>'
RDF = f'<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><item><link>{SITE}/a</link></item></rdf:RDF>'
JSON_FEED = f'{{"version": "https:\\/\\/jsonfeed.org\\/version\\/1", "items": [{{"url": "{SITE}/a"}}]}}'
URLSET = f"<urlset><url><loc>{SITE}/a</loc></url></urlset>"
INDEX = f"<sitemapindex><sitemap><loc>{SITE}/a</loc></sitemap></sitemapindex>"
DOCUMENTS = [
    (PAGE, "page"),
    (RSS, "feed"),
    (ATOM, "feed"),
    (RDF, "feed"),
    (JSON_FEED, "feed"),
    (URLSET, "sitemap"),
    (INDEX, "sitemap-index"),
]


def reading(
    document: str | bytes, content_type: str | None = None, *, coding: str | None = None, url: str = f"{SITE}/x"
) -> Reading:
    data = document if isinstance(document, bytes) else document.encode()
    return read(data, url=url, content_type=content_type, content_encoding=coding)


def addresses(of: Reading) -> list[str]:
    """Return every address of a reading."""
    own = [url for url in (of.canonical, of.refresh) if url is not None]
    return [link.url for link in (*of.links, *of.sitemaps)] + of.feeds + own


# --- what it is

MEDIA_TYPES = [None, "", "text/html", "text/xml; charset=utf-8", "application/octet-stream", "TEXT/PLAIN", ";;\x00"]


@pytest.mark.parametrize("content_type", MEDIA_TYPES)
@pytest.mark.parametrize(("document", "form"), DOCUMENTS)
def test_the_bytes_tell_what_a_document_is_whatever_its_label(document: str, form: str, content_type: str | None):
    told = reading(document, content_type)
    assert (told.form, addresses(told), told.problem) == (form, [f"{SITE}/a"], None)


@pytest.mark.parametrize(
    "before",
    [
        "\ufeff",
        "\n \t",
        '<?xml version="1.0" encoding="utf-8"?>',
        "<!-- made by hand; no <html>, no <rss> -->\n<!-- -->",
        '<!DOCTYPE x [<!ENTITY y "<html>">]>',
        f"<!--{'x' * 200_000}-->",
    ],
    ids=["bom", "blanks", "declaration", "comments", "document type", "long comment"],
)
@pytest.mark.parametrize(("document", "form"), [(RSS, "feed"), (URLSET, "sitemap"), ("<html><a href='/a'>", "page")])
def test_what_may_stand_before_the_first_element_hides_nothing(before: str, document: str, form: str):
    told = reading(before + document)
    assert (told.form, addresses(told)) == (form, [f"{SITE}/a"])


@pytest.mark.parametrize(
    "before",
    [
        "Notice: undefined variable in /srv/www/feed.php on line 3\n",
        "<br />\n<b>Warning</b>: include(): failed in <b>/srv/feed.php</b> on line <b>1</b><br />\n",
    ],
)
@pytest.mark.parametrize(
    ("document", "form"),
    [(RSS, "feed"), (ATOM, "feed"), (URLSET.replace("<urlset", '<urlset xmlns="x"'), "sitemap")],
)
def test_a_server_s_warnings_before_it_hide_it_as_little(before: str, document: str, form: str):
    told = reading(before + document, "text/html")
    assert (told.form, addresses(told)) == (form, [f"{SITE}/a"])


@pytest.mark.parametrize(
    "document",
    [
        f'<html><body><pre>{RSS}</pre><a href="/b">x</a></body></html>',
        f'<!DOCTYPE html><script>var feed = "{RSS}";</script><a href="/b">x</a>',
        '<h1>Feeds</h1><p>&lt;rss version="2.0"&gt;</p><a href="/b">x</a>',
        '<a href="/b">a part of a page</a>',
        'Error 404 <html><a href="/b">x</a>',
    ],
)
def test_a_page_that_shows_a_feed_is_a_page(document: str):
    told = reading(document, "text/html")
    assert told.form == "page"
    assert f"{SITE}/b" in addresses(told)


@pytest.mark.parametrize(
    ("document", "content_type"),
    [
        ("", "application/xml"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + b'<a href="/a">', "text/html"),
        (b"%PDF-1.7\n\0\xff<rdf:RDF xmlns:rdf='x'>", "application/pdf"),
        ('document.write("<html><a href=/a>")', "text/javascript"),
        ('{"html": "<html><a href=/a>"}', "application/json"),
        ("a { color: red } /* <html> */", "text/css"),
        (f'<svg xmlns="http://www.w3.org/2000/svg"><a href="{SITE}/a"/></svg>', "image/svg+xml"),
        ("<?xml version='1.0'?><opml><outline xmlUrl='/a'/></opml>", "text/xml"),
        (f"User-agent: *\nSitemap: {SITE}/a\n", "text/plain"),
        ("Good morning.", None),
    ],
)
def test_other_documents_lead_nowhere(document: str | bytes, content_type: str):
    assert reading(document, content_type) == Reading("other")


def test_a_first_element_too_late_to_be_looked_for_is_none():
    assert reading(" " * SNIFFED_BYTES + URLSET, "application/xml").form == "other"


# --- how it is packed

CODINGS: list[tuple[str | None, Callable[[bytes], bytes]]] = [
    (None, bytes),
    ("identity", bytes),
    ("gzip", gzip.compress),
    ("X-GZIP", gzip.compress),
    ("deflate", zlib.compress),
    ("br", brotli.compress),
    ("gzip, br", lambda data: brotli.compress(gzip.compress(data))),
    (None, gzip.compress),  # a file that is packed itself
    ("gzip", lambda data: gzip.compress(gzip.compress(data))),
    ("gzip", lambda data: gzip.compress(data) + b"\0" * 100),
]


@pytest.mark.parametrize(("coding", "packed"), CODINGS)
@pytest.mark.parametrize(("document", "form"), DOCUMENTS)
def test_packed_documents_are_unpacked(document: str, form: str, coding: str | None, packed: Callable[[bytes], bytes]):
    told = reading(packed(document.encode()), coding=coding)
    assert (told.form, addresses(told), told.problem) == (form, [f"{SITE}/a"], None)


@pytest.mark.parametrize("coding", ["gzip", "br", "deflate", "zstd", "no-such-coding"])
@pytest.mark.parametrize(("document", "form"), DOCUMENTS)
def test_a_coding_that_was_never_applied_is_a_problem_but_hides_nothing(document: str, form: str, coding: str):
    told = reading(document, coding=coding)
    assert (told.form, addresses(told)) == (form, [f"{SITE}/a"])
    assert "content coding" in (told.problem or "")


def test_what_is_cut_is_read_as_far_as_it_goes():
    html = "<html>" + "".join(f'<a href="/{number}">x</a>' for number in range(4_000))
    data = gzip.compress(html.encode())
    for coding in ("gzip", None):
        told = reading(data[: len(data) // 2], "text/html", coding=coding)
        assert 0 < len(told.links) < 4_000
        assert [link.url for link in told.links] == [f"{SITE}/{number}" for number in range(len(told.links))]
        assert "it ends in the middle" in (told.problem or "")


def test_a_bomb_is_unpacked_as_far_as_may_be_and_costs_no_more_memory():
    packer = zlib.compressobj(6, zlib.DEFLATED, 31)
    blanks = b"<url><loc>/a</loc></url>".ljust(1 << 20)
    pieces = [packer.compress(b"<urlset>"), *(packer.compress(blanks) for _ in range(4 * MAX_DECODED_BYTES >> 20))]
    bomb = b"".join(pieces) + packer.flush()
    assert len(bomb) < MAX_DECODED_BYTES // 50
    reading(URLSET)  # loads the parser
    tracemalloc.start()
    try:
        told = reading(bomb, "application/gzip", url=f"{SITE}/sitemap.xml.gz")
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert told.links == [Found(f"{SITE}/a")]
    assert f"more than {MAX_DECODED_BYTES} bytes" in (told.problem or "")
    assert peak < 5 * MAX_DECODED_BYTES


def test_a_bomb_in_a_bomb_is_one_bomb():
    zeros = gzip.compress(b"\0" * (2 * MAX_DECODED_BYTES), 6)
    told = reading(gzip.compress(zeros), "text/html", coding="gzip")
    assert (told.form, addresses(told)) == ("other", [])
    assert "unpacks to more than" in (told.problem or "")


def test_all_that_is_found_in_one_document_has_an_end():
    entries = "".join(f"<url><loc>{SITE}/{number:05}{'x' * 1_900}</loc></url>" for number in range(20_000))
    told = reading(f"<urlset>{entries}</urlset>")
    assert 0 < sum(len(link.url) for link in told.links) <= MAX_CHARACTERS
    assert told.problem == f"more than {len(told.links)} addresses; the rest is left out"


# --- that nothing breaks it


def check(told: Reading) -> None:
    """Assert what holds of every reading."""
    for url in addresses(told):
        parts = urlsplit(url)
        assert parts.scheme in {"http", "https"}, url
        assert parts.hostname, url
        assert "@" not in parts.netloc, url
        assert parts.path.startswith("/"), url
        assert "#" not in url, url
        assert all("!" <= character <= "~" for character in url), url
    for found in (told.links, told.sitemaps):
        assert len({link.url for link in found}) == len(found)
        for link in found:
            assert link.title is None or 0 < len(link.title) <= MAX_TITLE_LENGTH
            assert not re.search(r"[\x00-\x1f\ud800-\udfff]", link.title or "")
            assert link.published != "" != link.modified
    assert len(set(told.feeds)) == len(told.feeds)
    assert told.problem != ""
    assert told.form in {"page", "feed", "sitemap", "sitemap-index", "other"}


URLS = st.sampled_from(
    [
        f"{SITE}/news/a?b=c",
        SITE,
        f"{SITE}/a.txt",
        "https://[::1]:8080/x",
        "https://bücher.example/",
        f"{SITE}/a b#c",
        "",
    ]
)
LABELS = st.sampled_from(
    [
        "text/html",
        "text/html; charset=utf-7",
        "application/xml",
        "text/plain",
        "application/feed+json",
        "x;charset=x",
        None,
    ]
)
ENCODINGS = st.sampled_from([None, None, None, "gzip", "br", "deflate", "zstd", "x, gzip"])
STARTS = st.sampled_from(["", "<rss>", "<feed>", "<urlset>", "<sitemapindex>", "<html>", "<rdf:RDF>", JSON_FEED[:-1]])
PIECES = st.sampled_from(
    """<channel>|<item>|</item>|<entry>|</entry>|<link>|</link>|<guid>|</guid>|<title>|</title>|<link href='x'/>
    |<link rel='next' href='/n'/>|<updated>|<published>|<dc:date>|<pubDate>Mon, 06 May 2024 07:08:09 +0200</pubDate>
    |<url>|</url>|<loc>|</loc>|<sitemap>|<lastmod>2024-05-06</lastmod>|<news:title>|<html>|<head>|<a href='|'>|<p>|<br>
    |<base href='|<link rel=canonical href='|<link rel=alternate type=text/xml href='|<svg>|<template>|<div class=pager>
    |<meta http-equiv=refresh content='0;url=|<meta property='og:type' content='article'>|</rss>|</feed>|</urlset>
    |<script type='application/ld+json'>|</script>|{|}|[|]|"@type"|:|,|"NewsArticle"|"items":[|"url":"/a"
    |"title":"\\ud800|<![CDATA[|]]>|<!--|-->|&amp;|&|&eacute;|&#0;|&#x10ffff;|&#xD800;|<!DOCTYPE x [|<!ENTITY a 'b'>|]>
    |xml:base='
    |<content>|<?xml version='1.0' encoding='utf-7'?>|<?xml version='1.0' encoding='utf-16'?>|+2AA-|\x00|\x1b|\xa0|é
    |\u202e|\U0001f4f0|https://courier.example/a|a b|//other.example/|user@other.example|javascript:x|HTTP://x:99999/|mailto:|#|?|;
    |<where>|<gml:pos>1 x|<geo:lat>|<georss:polygon>1 2 3|<media:rating>|<cloud/>|<source/>|<enclosure/>
    |<links>|<version>|<content mode='base64'>////|<itunes:duration>|<psc:chapter start='x'/>""".replace(
        "\n    |", "|"
    ).split("|")
)
MARKUP = st.builds("{}{}".format, STARTS, st.lists(PIECES, max_size=40).map("".join))
BYTES = st.one_of(
    st.binary(max_size=200),
    MARKUP.map(str.encode),
    st.builds(
        lambda text, name: text.encode(name, "replace"), MARKUP, st.sampled_from(["utf-16", "utf-16-be", "cp1251"])
    ),
    st.builds(
        lambda data, rubbish, at: data[:at] + rubbish + data[at:], MARKUP.map(str.encode), st.binary(), st.integers(0)
    ),
)


@given(BYTES, URLS, LABELS, ENCODINGS)
@settings(deadline=None, max_examples=500)
def test_any_bytes_give_a_reading(data: bytes, url: str, content_type: str | None, coding: str | None):
    check(read(data, url=url, content_type=content_type, content_encoding=coding))


@given(BYTES, st.integers(0, 400))
@settings(deadline=None)
def test_any_packed_bytes_give_a_reading_whole_or_cut(data: bytes, end: int):
    packed = gzip.compress(data)
    check(reading(packed, "text/html"))
    check(reading(packed[:end], "text/html", coding="gzip"))


@given(st.sampled_from([document for document, _ in DOCUMENTS]), st.data())
@settings(deadline=None)
def test_a_document_with_any_of_its_bytes_changed_gives_a_reading(document: str, data: st.DataObject):
    changed = bytearray(document.encode())
    for _ in range(data.draw(st.integers(1, 4))):
        changed[data.draw(st.integers(0, len(changed) - 1))] = data.draw(st.integers(0, 255))
    check(reading(bytes(changed)))


@pytest.mark.skipif(not SHELF.is_dir(), reason="../shared/data is not there")
def test_every_real_file_gives_a_reading_as_it_is_and_cut():
    files = sorted(
        path for folder in ("feeds", "urls", "robots") for path in (SHELF / folder).rglob("*") if path.is_file()
    )
    assert sum(path.is_relative_to(SHELF / "feeds") for path in files) == 20
    for path in files:
        data = path.read_bytes()
        for end in (len(data), len(data) // 2, len(data) // 3):
            check(reading(data[:end], url=f"{SITE}/{path.name}"))


@pytest.mark.skipif(not SHELF.is_dir(), reason="../shared/data/feeds is not there")
def test_every_real_feed_and_sitemap_leads_somewhere() -> None:
    files = [file for file in sorted((SHELF / "feeds").rglob("*")) if file.is_file()]
    assert len(files) >= 20
    for file in files:
        url = f"https://news.example/x/{file.name}"
        reading = read(file.read_bytes(), url=url, content_type=None, content_encoding=None)
        assert reading.form in {"feed", "sitemap", "sitemap-index"}, file.name
        assert reading.links or reading.sitemaps, file.name
