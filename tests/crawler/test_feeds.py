"""Feeds as publishers make them: every version of RSS, Atom and JSON Feed, sound, broken, and hostile."""

from __future__ import annotations

import gzip
import html
import json
import re
import tracemalloc
from datetime import datetime, timedelta, timezone
from email.utils import format_datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crawler.discovery import Found, Reading, read
from crawler.discovery.feeds import MAX_FEEDS, MAX_ITEMS
from crawler.discovery.found import MAX_TITLE_LENGTH
from tests.servers.raw_site import RawSite, running

SITE = "https://courier.example"
URL = f"{SITE}/feeds/all.xml"
SHELF = Path(__file__).parents[2] / "../shared/data/feeds"
ATOM = "http://www.w3.org/2005/Atom"


def feed(document: str | bytes, content_type: str | None = "application/xml") -> Reading:
    data = document if isinstance(document, bytes) else document.encode()
    reading = read(data, url=URL, content_type=content_type, content_encoding=None)
    assert reading.form == "feed"
    return reading


def rss(items: str, channel: str = "") -> str:
    """Return an RSS 2.0 feed. It declares what the items of these tests use."""
    return (
        '<?xml version="1.0" encoding="utf-8"?><rss version="2.0" xmlns:dc="http://purl.org/dc/elements/1.1/" '
        f'xmlns:atom="{ATOM}" xmlns:media="http://search.yahoo.com/mrss/" '
        'xmlns:feedburner="http://rssnamespace.org/feedburner/ext/1.0">'
        f"<channel><title>The Courier</title><link>{SITE}/</link>{channel}{items}</channel></rss>"
    )


def atom(entries: str, attributes: str = f'xmlns="{ATOM}"') -> str:
    return (
        f'<?xml version="1.0" encoding="utf-8"?><feed {attributes}><title>The Courier</title><link href="{SITE}/"/>'
        f'<link rel="self" href="{URL}"/>{entries}</feed>'
    )


def rdf(items: str, default: str, more: str = "") -> str:
    return (
        '<?xml version="1.0"?><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" '
        f'xmlns="{default}" {more}>'
        f"<channel><title>The Courier</title><link>{SITE}/</link></channel>"
        f"<image><title>Logo</title><url>{SITE}/logo.png</url><link>{SITE}/</link></image>{items}</rdf:RDF>"
    )


def urls(reading: Reading) -> list[str]:
    return [link.url.removeprefix(SITE) for link in reading.links]


# --- every version


@pytest.mark.parametrize("version", ["0.91", "0.92", "0.93", "0.94", "2.0", "2.0.1", ""])
def test_rss_of_every_version(version: str):
    document = (
        f'<rss version="{version}"><channel><title>The Courier</title><link>{SITE}/</link>'
        f"<image><title>Logo</title><url>{SITE}/logo.png</url><link>{SITE}/</link></image>"
        f"<textInput><title>Search</title><link>{SITE}/search</link></textInput>"
        f"<item><title>A fair</title><link>{SITE}/a</link><pubDate>Mon, 06 May 2024 07:08:09 +0200</pubDate></item>"
        f"<item><title>A bridge</title><link>{SITE}/b</link></item></channel></rss>"
    )
    assert feed(document).links == [
        Found(f"{SITE}/a", title="A fair", published="2024-05-06T07:08:09+02:00"),
        Found(f"{SITE}/b", title="A bridge"),
    ]


@pytest.mark.parametrize(
    "default", ["http://my.netscape.com/rdf/simple/0.9/", "http://channel.netscape.com/rdf/simple/0.9/"]
)
def test_rss_0_9_is_rdf_with_items_beside_the_channel(default: str):
    assert feed(rdf(f"<item><title>A</title><link>{SITE}/a</link></item>", default)).links == [
        Found(f"{SITE}/a", title="A")
    ]


def test_rss_1_0_has_its_dates_from_dublin_core():
    date = "<dc:date>2024-05-06T07:08:09Z</dc:date>"
    item = f'<item rdf:about="{SITE}/a"><title>A</title><link>{SITE}/a</link>{date}</item>'
    document = rdf(item, "http://purl.org/rss/1.0/", 'xmlns:dc="http://purl.org/dc/elements/1.1/"')
    assert feed(document).links == [Found(f"{SITE}/a", title="A", published="2024-05-06T07:08:09+00:00")]


def test_atom_tells_of_changes_beside_publication():
    entries = (
        f'<entry><title>A</title><link href="{SITE}/a"/><id>urn:1</id>'
        "<published>2024-05-05T07:08:09+02:00</published><updated>2024-05-06T07:08:09Z</updated></entry>"
        f'<entry><title type="html">&lt;i>B&lt;/i></title><link rel="alternate" href="{SITE}/b"/><id>urn:2</id>'
        "<updated>2024-05-06T07:08:09Z</updated></entry>"
        f'<entry><title type="xhtml"><div xmlns="http://www.w3.org/1999/xhtml">A <b>C</b></div></title>'
        f'<link href="{SITE}/c"/></entry>'
    )
    assert feed(atom(entries)).links == [
        Found(f"{SITE}/a", "A", published="2024-05-05T07:08:09+02:00", modified="2024-05-06T07:08:09+00:00"),
        Found(f"{SITE}/b", "B", modified="2024-05-06T07:08:09+00:00"),
        Found(f"{SITE}/c", "A C"),
    ]


def test_atom_0_3_has_other_names_for_its_dates():
    entry = (
        f'<entry><title>A</title><link rel="alternate" type="text/html" href="{SITE}/a"/>'
        "<issued>2024-05-05T07:08:09Z</issued><modified>2024-05-06T07:08:09Z</modified></entry>"
    )
    assert feed(atom(entry, 'version="0.3" xmlns="http://purl.org/atom/ns#"')).links == [
        Found(f"{SITE}/a", "A", published="2024-05-05T07:08:09+00:00", modified="2024-05-06T07:08:09+00:00")
    ]


JSON_FEED = {
    "version": "https://jsonfeed.org/version/1.1",
    "title": "The Courier",
    "home_page_url": f"{SITE}/",
    "feed_url": URL,
    "next_url": "?page=2",
    "items": [
        {
            "id": "1",
            "url": f"{SITE}/a",
            "external_url": "https://other.example/",
            "title": "A &amp; B",
            "date_published": "2024-05-05T07:08:09+02:00",
            "date_modified": "2024-05-06T07:08:09Z",
            "image": f"{SITE}/a.png",
            "attachments": [{"url": f"{SITE}/a.mp3", "mime_type": "audio/mpeg"}],
        },
        {"id": "2", "external_url": "/b", "content_text": "No title"},
        {"id": "3", "url": 7, "title": ["no"], "date_published": 1715000000},
        "nothing",
        None,
    ],
}


@pytest.mark.parametrize("content_type", ["application/feed+json", "application/json", "text/plain", None])
def test_json_feed_whatever_its_media_type(content_type: str | None):
    reading = feed(json.dumps(JSON_FEED), content_type)
    assert reading.links == [
        Found(f"{SITE}/a", "A & B", published="2024-05-05T07:08:09+02:00", modified="2024-05-06T07:08:09+00:00"),
        Found(f"{SITE}/b"),
    ]
    assert reading.feeds == [f"{URL}?page=2"]
    assert reading.problem is None


def test_other_json_is_no_feed_unless_its_media_type_says_so():
    data = b'{"items": [{"url": "/a"}]}'
    assert read(data, url=URL, content_type="application/json", content_encoding=None).form == "other"
    assert urls(feed(data, "application/feed+json")) == ["/a"]
    for odd in (b"[1, 2]", b"7", b"null", b'{"items": 7}', b"{}"):
        assert feed(odd, "application/feed+json").links == []


def test_a_json_feed_that_is_cut_is_read_up_to_its_last_whole_item():
    whole = json.dumps({**JSON_FEED, "items": [{"url": f"/{number}", "title": "x"} for number in range(10)]})
    reading = feed(whole[: whole.index("/7") + 1])
    assert urls(reading) == [f"/{number}" for number in range(7)]
    assert "broken JSON" in (reading.problem or "")


def test_a_title_in_json_keeps_nothing_that_has_no_form_in_utf_8_or_commands_a_terminal():
    document = (
        '{"version": "https://jsonfeed.org/version/1", "items": [{"url": "/a", "title": "A\\ud800\\u0000\\u001bB"}]}'
    )
    assert feed(document).links == [Found(f"{SITE}/a", "A B")]


# --- addresses


@pytest.mark.parametrize(
    ("reference", "meant"),
    [
        ("/a", f"{SITE}/a"),
        ("a?b=1&amp;c=2", f"{SITE}/feeds/a?b=1&c=2"),
        ("a?b=1&c=2", f"{SITE}/feeds/a?b=1&c=2"),
        ("../a", f"{SITE}/a"),
        ("//other.example/a", "https://other.example/a"),
        ("\n  /a\t\n", f"{SITE}/a"),
        ("<![CDATA[ /a?b&c ]]>", f"{SITE}/a?b&c"),
        ("/a#comments", f"{SITE}/a"),
        ("/ä b", f"{SITE}/%C3%A4%20b"),
        ("https://bücher.example/", "https://xn--bcher-kva.example/"),
        ("HTTPS://Courier.Example:443/A", f"{SITE}/A"),
        ("mailto:desk@courier.example", None),
        ("javascript:void(0)", None),
        ("https://user:secret@courier.example/a", None),
        ("http://[::1", None),
    ],
)
def test_addresses_are_made_absolute(reference: str, meant: str | None):
    assert [link.url for link in feed(rss(f"<item><link>{reference}</link></item>")).links] == (
        [meant] if meant else []
    )


def test_addresses_are_relative_to_what_xml_base_says():
    entries = (
        '<entry xml:base="2024/"><link href="a"/></entry>'
        '<entry><link href="b" xml:base="https://other.example/z/"/></entry>'
        '<entry><link href="c"/></entry><entry xml:base="/d/"><link href="/e"/></entry>'
    )
    reading = feed(atom(entries, f'xmlns="{ATOM}" xml:base="{SITE}/news/"'))
    assert urls(reading) == ["/news/2024/a", "https://other.example/z/b", "/news/c", "/e"]


def test_a_guid_is_the_address_where_there_is_no_link_unless_it_says_that_it_is_none():
    items = (
        f"<item><guid>{SITE}/a</guid></item>"
        f'<item><guid isPermaLink="true">{SITE}/b</guid></item>'
        f'<item><guid isPermaLink="false">{SITE}/none</guid></item>'
        "<item><guid>tag:courier.example,2024:1</guid></item>"
        f"<item><guid>{SITE}/none</guid><link>{SITE}/c</link></item>"
        f"<item><link>{SITE}/d</link><guid>{SITE}/none</guid></item>"
    )
    assert urls(feed(rss(items))) == ["/a", "/b", "/c", "/d"]


@pytest.mark.parametrize(
    "link", ["<link/>", "<link />", "<link></link>", "<link>\n</link>", "<link><![CDATA[ ]]></link>"]
)
def test_a_guid_is_the_address_beside_an_empty_link_as_well(link: str):
    guid = f"<guid>{SITE}/a</guid>"
    assert urls(feed(rss(f"<item>{link}{guid}</item>"))) == ["/a"]
    assert urls(feed(rss(f"<item>{guid}{link}</item>"))) == ["/a"]


def test_the_publishers_own_address_counts_where_a_counter_stands_before_it():
    item = f"<item><link>https://feeds.example/~r/1</link><feedburner:origLink>{SITE}/a</feedburner:origLink></item>"
    assert urls(feed(rss(item))) == ["/a"]


def test_media_are_not_taken_for_pages():
    items = (
        f'<item><link>{SITE}/a</link><enclosure url="{SITE}/a.mp3" type="audio/mpeg" length="1"/>'
        f'<media:content url="{SITE}/a.mp4"><media:title>A film</media:title></media:content>'
        f'<media:group><media:thumbnail url="{SITE}/a.jpg"/></media:group><title>A</title>'
        f'<source url="https://other.example/feed">Other</source><comments>{SITE}/a/comments</comments></item>'
        f'<item><title>B</title><enclosure url="{SITE}/b.mp3" type="audio/mpeg" length="1"/></item>'
    )
    assert feed(rss(items)).links == [Found(f"{SITE}/a", "A")]
    entries = (
        f'<entry><title>A</title><link rel="enclosure" href="{SITE}/a.mp3"/><link href="{SITE}/a"/>'
        f'<link rel="edit" href="{SITE}/a/edit"/><link rel="related" href="{SITE}/related"/>'
        f'<link rel="replies" href="{SITE}/a/comments"/><source><link href="https://other.example/"/></source></entry>'
        f'<entry><title>B</title><link rel="enclosure" href="{SITE}/b.mp3"/></entry>'
    )
    assert feed(atom(entries)).links == [Found(f"{SITE}/a", "A")]


def test_a_page_is_found_once_with_what_was_told_first():
    items = f"<item><link>{SITE}/a</link><title>1</title></item><item><link>{SITE}/a#b</link><title>2</title></item>"
    assert feed(rss(items)).links == [Found(f"{SITE}/a", "1")]


# --- titles and dates


@pytest.mark.parametrize(
    ("title", "meant"),
    [
        ("Caf&eacute; &amp; Bar", "Café & Bar"),
        ("Caf&amp;eacute;", "Café"),
        ("<![CDATA[<b>A</b> &amp; B]]>", "A & B"),
        ("A &lt;b&gt;bold&lt;/b&gt; step", "A bold step"),
        ("1 &lt; 2 &amp; 3", "1 < 2 & 3"),
        ("&unknown; &nbsp;&hellip;", "&unknown; …"),
        ("  A\n\n title ", "A title"),
        ("A\x08B&#8;C", "A B C"),
        ("&#128240; Новости", "\U0001f4f0 Новости"),
        ("", None),
        ("<b/>", None),
        ("x" * MAX_TITLE_LENGTH + "y", "x" * MAX_TITLE_LENGTH),
    ],
)
def test_titles_have_neither_markup_nor_escapes(title: str, meant: str | None):
    assert feed(rss(f"<item><link>/a</link><title>{title}</title></item>")).links == [Found(f"{SITE}/a", meant)]


@pytest.mark.parametrize(
    ("date", "meant"),
    [
        ("Mon, 06 May 2024 07:08:09 +0200", "2024-05-06T07:08:09+02:00"),
        ("Mon, 06 May 2024 07:08:09 GMT", "2024-05-06T07:08:09+00:00"),
        ("6 May 24 07:08", "2024-05-06T07:08:00"),
        ("Mon, 06 May 2024", "2024-05-06"),
        ("2024-05-06T07:08:09Z", "2024-05-06T07:08:09+00:00"),
        ("2024-05-06 07:08:09", "2024-05-06T07:08:09"),
        ("<![CDATA[ 2024-05-06 ]]>", "2024-05-06"),
        ("2024/05/06", "2024-05-06"),  # feedparser's own reading: the first of November
        ("10:00", None),  # feedparser's own reading: today
        ("Wed, 30 Nov -0001 00:00:00 +0000", None),
        ("yesterday", None),
        ("", None),
    ],
)
def test_dates_are_read_from_their_text(date: str, meant: str | None):
    assert feed(rss(f"<item><link>/a</link><pubDate>{date}</pubDate></item>")).links == [
        Found(f"{SITE}/a", published=meant)
    ]


# --- further pages


def test_a_feed_has_a_next_page_or_an_archive_but_its_items_pages_are_none_of_it():
    links = (
        '<link rel="next" href="?page=2"/><link rel="prev-archive" href="/archive/1"/>'
        '<link rel="previous" href="?page=0"/><link rel="hub" href="https://hub.example/"/>'
        f'<link rel="next" href="{URL}"/>'
    )
    assert feed(atom(links)).feeds == [f"{URL}?page=2", f"{SITE}/archive/1"]
    item = f'<item><link>{SITE}/a</link><atom:link rel="next" href="{SITE}/b"/></item>'
    reading = feed(rss(item, channel='<atom:link rel="next" href="?page=2"/>'))
    assert (urls(reading), reading.feeds) == (["/a"], [f"{URL}?page=2"])


def test_the_further_pages_of_a_feed_are_bounded():
    assert len(feed(atom("".join(f'<link rel="next" href="?page={n}"/>' for n in range(100)))).feeds) == MAX_FEEDS


# --- how it comes

PLAIN = rss(f"<item><title>Café</title><link>{SITE}/a</link></item>")


@pytest.mark.parametrize(
    "data",
    [
        PLAIN.encode("utf-8-sig"),
        PLAIN.encode("utf-16"),
        b"\xfe\xff" + PLAIN.encode("utf-16-be"),
        PLAIN.encode("utf-16-le"),
        PLAIN.replace("utf-8", "iso-8859-1").encode("latin-1"),
        PLAIN.replace("utf-8", "no-such-charset").encode(),
        b"\n\n  " + PLAIN.encode(),
        b"<br />\n<b>Warning</b>: include() in <b>a.php</b> on line <b>1</b><br />\n" + PLAIN.encode(),
        gzip.compress(PLAIN.encode()),
    ],
    ids=[
        "bom",
        "utf-16",
        "utf-16be",
        "no mark",
        "latin-1",
        "unknown charset",
        "blanks before",
        "warning before",
        "gzip",
    ],
)
def test_a_feed_is_read_however_it_is_wrapped(data: bytes):
    reading = feed(data)
    assert reading.links == [Found(f"{SITE}/a", "Café")]
    assert reading.problem is None


@pytest.mark.parametrize("content_type", ["text/html", "text/plain", "application/octet-stream", "", None])
def test_a_feed_is_one_whatever_its_media_type(content_type: str | None):
    assert feed(PLAIN, content_type).links == [Found(f"{SITE}/a", "Café")]


ENTRY = f'<entry><title>A</title><link href="{SITE}/a"/></entry>'


@pytest.mark.parametrize(
    "document",
    [
        atom(ENTRY, ""),
        atom(ENTRY, 'xmlns="http://wrong.example/"'),
        atom(ENTRY, 'xmlns="http://www.w3.org/2005/atom/"'),
        f'<a:feed xmlns:a="{ATOM}"><a:entry><a:title>A</a:title><a:link href="{SITE}/a"/></a:entry></a:feed>',
        f"<rss><item><title>A</title><link>{SITE}/a</link></item></rss>",
        f'<rss version="2.0" xmlns="http://wrong.example/"><channel><item><title>A</title><link>{SITE}/a</link></item></channel></rss>',
        f"<RSS><CHANNEL><ITEM><TITLE>A</TITLE><LINK>{SITE}/a</LINK></ITEM></CHANNEL></RSS>",
        rdf(f"<item><title>A</title><link>{SITE}/a</link></item>", "http://wrong.example/"),
        f"<rdf:RDF><item><title>A</title><link>{SITE}/a</link></item></rdf:RDF>",
    ],
)
def test_namespaces_may_be_wrong_or_missing(document: str):
    assert feed(document).links == [Found(f"{SITE}/a", "A")]


def test_undeclared_prefixes_lose_nothing():
    items = (
        f'<item><media:content url="{SITE}/a.mp4"/><dc:creator>Ines</dc:creator><title>A</title><link>{SITE}/a</link>'
        f"<dc:date>2024-05-06</dc:date></item><item><link>{SITE}/b</link></item>"
    )
    reading = feed(f'<rss version="2.0"><channel>{items}</channel></rss>')
    assert urls(reading) == ["/a", "/b"]


# --- broken

THREE = rss("".join(f"<item><title>{n}</title><link>{SITE}/{n}</link></item>" for n in (1, 2, 3)))


def test_a_tag_that_is_never_closed_costs_no_other_item():
    reading = feed(THREE.replace("<title>2", "<title>2 <b>bold <br>"))
    assert urls(reading) == ["/1", "/2", "/3"]
    assert "broken XML" in (reading.problem or "")


@given(st.integers(THREE.index("<channel>"), len(THREE)))
@settings(deadline=None)
def test_a_feed_that_is_cut_has_its_items_up_to_there_and_no_half_address(end: int):
    reading = feed(THREE[:end])
    assert urls(reading) == [f"/{n}" for n in (1, 2, 3) if THREE[:end].find(f"{SITE}/{n}</link>") >= 0]
    if "</rss>" not in THREE[:end]:
        assert "broken XML" in (reading.problem or "")


# --- hostile


def test_entities_are_not_expanded_and_no_memory_goes_into_them():
    laughs = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
    document = (
        f'<?xml version="1.0"?><!DOCTYPE rss [<!ENTITY l0 "ha"><!ENTITY a "{SITE}/expanded">{laughs}]>'
        f'<rss version="2.0"><channel><item><title>&l9;</title><link>&a;</link></item>'
        f"<item><title>&amp;l9;</title><link>{SITE}/b</link></item></channel></rss>"
    )
    feed(PLAIN)  # loads the parsers
    tracemalloc.start()
    try:
        reading = feed(document)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert reading.links[-1] == Found(f"{SITE}/b", "&l9;")
    assert not any("expanded" in link.url or "ha" in (link.title or "") for link in reading.links)
    assert peak < 4 << 20


def test_nothing_that_a_feed_names_is_opened(tmp_path: Path):
    secret = tmp_path / "secret.txt"
    secret.write_text("the secret", encoding="utf-8")
    with running(RawSite()) as site:
        reading = feed(
            f'<?xml version="1.0"?><?xml-stylesheet href="{site.url("/style.xsl")}" type="text/xsl"?>'
            f'<!DOCTYPE rss SYSTEM "{site.url("/rss.dtd")}" [<!ENTITY file SYSTEM "{secret.as_uri()}">'
            f'<!ENTITY web SYSTEM "{site.url("/entity")}"><!ENTITY % dtd SYSTEM "{site.url("/more.dtd")}">%dtd;]>'
            f'<rss version="2.0" xmlns:xi="http://www.w3.org/2001/XInclude"><channel><item><title>A &file;&web;</title>'
            f'<link>{SITE}/a</link><xi:include href="{secret.as_uri()}" parse="text"/></item></channel></rss>'
        )
        for name in (str(secret), secret.as_uri(), site.url("/feed.xml")):  # feedparser opens what looks like a name
            read(name.encode(), url=URL, content_type="application/rss+xml", content_encoding=None)
        assert site.connections == 0
    assert reading.links == [Found(f"{SITE}/a", "A &file;&web;")]


def test_nesting_of_any_depth_is_no_matter():
    items = [f"<item><title>{n}</title><link>{SITE}/{n}</link></item>" for n in (1, 2)]
    deep = "<a>" * 20_000 + "</a>" * 20_000
    assert urls(feed(rss(deep.join(items)))) == ["/1", "/2"]
    assert feed('{"version": "https://jsonfeed.org/version/1", "items": ' + "[" * 100_000).links == []


@pytest.mark.parametrize(
    "document",
    [
        rss("".join(f"<item><link>/{n}</link></item>" for n in range(3 * MAX_ITEMS))),
        rdf("".join(f"<item><link>/{n}</link></item>" for n in range(2 * MAX_ITEMS)), "http://purl.org/rss/1.0/"),
        atom("".join(f'<entry><link href="/{n}"/></entry>' for n in range(2 * MAX_ITEMS))),
        json.dumps({**JSON_FEED, "items": [{"url": f"/{n}"} for n in range(3 * MAX_ITEMS)]}),
        json.dumps({**JSON_FEED, "items": [{"url": f"/{n}"} for n in range(3 * MAX_ITEMS)]})[:-5],
    ],
    ids=["rss", "rdf", "atom", "json", "json cut"],
)
def test_items_beyond_all_measure_are_left_out(document: str):
    reading = feed(document)
    assert urls(reading) == [f"/{n}" for n in range(MAX_ITEMS)]
    assert f"more than {MAX_ITEMS} items" in (reading.problem or "")


def test_a_feed_of_just_the_most_items_is_whole():
    assert feed(rss("".join(f"<item><link>/{n}</link></item>" for n in range(MAX_ITEMS)))).problem is None


@pytest.mark.parametrize(
    "name", ["links", "link", "title", "published", "updated", "id", "version", "content", "entries"]
)
def test_elements_named_after_what_a_parser_keeps_do_no_harm(name: str):
    odd = f'<{name}>x</{name}><{name} href="/y" rel="next">x</{name}>'
    feed(f'<rss version="2.0">{odd}<channel>{odd}<item>{odd}</item></channel></rss>')
    feed(f'<feed xmlns="{ATOM}">{odd}<entry>{odd}</entry></feed>')


# --- what is written is read back

# Nothing that is markup or an escape in a title, nor letters of Latin-1, which feedparser may take for wrongly decoded.
TITLES = st.text(
    st.characters(exclude_categories=["C"], exclude_characters="<&" + "".join(map(chr, range(0x80, 0x100)))),
    max_size=40,
).map(lambda text: " ".join(text.split()))
MOMENTS = st.datetimes(
    datetime(1971, 1, 1),  # noqa: DTZ001 - the strategy adds the offset
    datetime(2100, 1, 1),  # noqa: DTZ001
    timezones=st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes))),
).map(lambda at: at.replace(microsecond=0))
PATHS = st.from_regex(
    r"/[a-z0-9-]{1,20}(?:/[a-z0-9]{1,5})?(?:\?[a-z]=[0-9]{1,3}(?:&[a-z]=[a-z%+]{1,3})?)?", fullmatch=True
)
ENTRIES = st.lists(st.tuples(PATHS, TITLES, MOMENTS, MOMENTS), max_size=8, unique_by=lambda entry: entry[0])
Entries = list[tuple[str, str, datetime, datetime]]


@given(ENTRIES)
@settings(deadline=None)
def test_an_rss_feed_is_read_back_to_what_it_was_made_of(entries: Entries):
    document = rss(
        "".join(
            f"<item><title>{html.escape(title)}</title><link>{html.escape(SITE + path)}</link>"
            f"<pubDate>{format_datetime(published)}</pubDate></item>"
            for path, title, published, _ in entries
        )
    )
    reading = feed(document)
    assert reading.links == [
        Found(SITE + path, title or None, published.isoformat()) for path, title, published, _ in entries
    ]
    assert reading.problem is None


@given(ENTRIES)
@settings(deadline=None)
def test_an_atom_feed_is_read_back_to_what_it_was_made_of(entries: Entries):
    document = atom(
        "".join(
            f'<entry><title>{html.escape(title)}</title><link href="{html.escape(path)}"/>'
            f"<published>{published.isoformat()}</published><updated>{modified.isoformat()}</updated></entry>"
            for path, title, published, modified in entries
        )
    )
    reading = feed(document)
    assert reading.links == [
        Found(SITE + path, title or None, published.isoformat(), modified.isoformat())
        for path, title, published, modified in entries
    ]
    assert reading.problem is None


@given(ENTRIES)
@settings(deadline=None)
def test_a_json_feed_is_read_back_to_what_it_was_made_of(entries: Entries):
    items = [
        {"url": path, "title": title, "date_published": published.isoformat(), "date_modified": modified.isoformat()}
        for path, title, published, modified in entries
    ]
    reading = feed(json.dumps({"version": "https://jsonfeed.org/version/1.1", "items": items}))
    assert reading.links == [
        Found(SITE + path, title or None, published.isoformat(), modified.isoformat())
        for path, title, published, modified in entries
    ]
    assert reading.problem is None


# --- real ones


@pytest.mark.skipif(not SHELF.is_dir(), reason="../shared/data/feeds is not there")
@pytest.mark.parametrize(("file", "items"), [("rss/xmlRss_pubDate.xml", 7), ("sitemaps/atom.xml", 1)])
def test_real_feeds_have_all_their_items(file: str, items: int):
    data = (SHELF / file).read_bytes()
    reading = feed(data)
    assert len(reading.links) == len(re.findall(rb"</(?:item|entry)>", data)) == items
    assert reading.problem is None


@pytest.mark.skipif(not SHELF.is_dir(), reason="../shared/data/feeds is not there")
def test_real_dates_are_read_with_two_digits_of_a_year_and_without_an_offset():
    published = [link.published for link in feed((SHELF / "rss/xmlRss_pubDate.xml").read_bytes()).links]
    assert published == [
        "2017-01-05T13:34:51+01:00",
        "2017-01-05T13:34:52+01:00",
        "2017-01-05T13:34:53+01:00",
        "2017-01-05T13:34:54+01:00",
        "2017-01-05T13:34:55",
        None,
        None,
    ]


@pytest.mark.skipif(not SHELF.is_dir(), reason="../shared/data/feeds is not there")
def test_of_four_real_items_the_one_whose_guid_is_no_link_has_no_address():
    links = feed((SHELF / "rss/feed.rss").read_bytes()).links
    assert [link.url.rpartition("/")[2] for link in links] == ["1", "foo?q=a&l=en", "foo?q=a&l=fr"]


HUBS = ["https://hub.example/", "https://news.example/hub"]


@pytest.mark.parametrize(
    ("feed", "content_type"),
    [
        (
            (
                '<feed xmlns="http://www.w3.org/2005/Atom"><link rel="hub" href="https://hub.example/"/>'
                '<link rel="hub" href="/hub"/><link rel="hub" href="/hub"/><link rel="self" href="/feed"/></feed>'
            ),
            "application/atom+xml",
        ),
        (
            (
                '<rss version="2.0" xmlns:atom="http://www.w3.org/2005/Atom"><channel>'
                '<atom:link rel="hub" href="https://hub.example/"/><atom:link rel="hub" href="/hub"/></channel></rss>'
            ),
            "text/html",
        ),
        (
            (
                '{"version": "https://jsonfeed.org/version/1.1", "items": [], "hubs": [{"type": "WebSub", "url": '
                '"https://hub.example/"}, {"url": "/hub"}, {"type": "x"}, 7, {"url": "javascript:x"}]}'
            ),
            "application/feed+json",
        ),
    ],
)
def test_the_hubs_of_a_feed_are_noted(feed: str, content_type: str):
    reading = read(feed.encode(), url="https://news.example/feed", content_type=content_type, content_encoding=None)
    assert reading.hubs == HUBS
    assert reading.links == reading.feeds == []
