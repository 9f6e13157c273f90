"""Keys are those of wayback, pywb and cdxj-indexer; and other people's tables agree."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from archive.surt import plain, surt

TABLES = Path(__file__).parents[3] / "shared" / "data" / "urls" / "surt.json"


@pytest.mark.parametrize(
    ("url", "key"),
    [
        ("https://www.Example.com:443/News/?b=1&a=2#top", "com,example)/news?a=2&b=1"),
        ("http://example.com", "com,example)/"),
        ("http://example.com?", "com,example)/"),
        ("example.com/a", "com,example)/a"),
        ("http://www2.example.com/", "com,example)/"),
        ("http://www2.www.example.com/", "com,example,www)/"),
        ("http://wwwexample.com/", "com,wwwexample)/"),
        ("http://example.com:8080/a/", "com,example:8080)/a"),
        ("https://example.com:80/", "com,example:80)/"),
        ("http://user:secret@example.com/", "com,example)/"),
        ("http://example.com//a//b/../c/./d/", "com,example)/a/c/d"),
        ("http://example.com/../a", "com,example)/../a"),
        ("http://example.com/%2541%20b", "com,example)/a%20b"),
        ("http://example.com/Статья", "com,example)/%d0%a1%d1%82%d0%b0%d1%82%d1%8c%d1%8f"),
        ("http://пример.рф/", "xn--p1ai,xn--e1afmkfd)/"),
        ("http://example.com/?a&a=&a=1&B", "com,example)/?a&a=&a=1&b"),
        ("http://3279880203/", "11,0,127,195)/"),
        ("http://0177.1/", "1,0,0,127)/"),
        ("http://[2001:DB8::1]:81/a", "2001:db8::1:81)/a"),
        ("http://http://example.com/", "com,example)/"),
        ("http:////example.com/a", "com,example)/a"),
        ("http://example.com/a?PHPSESSID=" + "09afAF" * 5 + "00&x=1", "com,example)/a?x=1"),
        ("http://example.com/(S(4hqa0555fwsecu455xqckv45))/Page.aspx", "com,example)/page.aspx"),
        ("http://example.com/a?CFID=1&CFTOKEN=2", "com,example)/a"),
        ("dns:www.example.com", "dns:www.example.com"),
        ("mailto:A@example.com", "mailto:a@example.com"),
        ("urn:uuid:1?x=2", "urn:uuid:1?x=2"),
        ("filedesc:foo.arc.gz", "filedesc:foo.arc.gz"),
        (" http://exa\nmple.com/a b ", "com,example)/a%20b"),
        ("", "-"),
    ],
)
def test_keys(url: str, key: str):
    assert surt(url) == key


@pytest.mark.parametrize("url", ["http://example.com:port/", "http://example.com:99999/"])
def test_what_is_no_url_is_its_own_key(url: str):
    assert surt(url) == url


def test_a_million_nested_escapes_do_not_hold_it_up():
    assert surt("http://example.com/" + "%" + "25" * 300_000 + "41") == "com,example)/a"
    assert surt("http://example.com/%2" + "%3" * 200_000 + "5") == "com,example)/%25"


@given(st.text())
@example("http://\ud800/")
@example("http://a/\udce9")
def test_a_key_can_stand_in_an_index_line_whatever_the_url(url: str):
    key = surt(url)
    assert key
    assert key.isascii()
    assert key.isprintable()
    assert " " not in key
    plain(url)


@given(st.from_regex(r"https?://[a-z]{1,8}\.[a-z]{2}(/[a-zA-Z0-9%.]{0,6}){0,3}(\?[a-zA-Z&=]{0,8})?", fullmatch=True))
def test_small_differences_do_not_change_the_key(url: str):
    assert surt(url) == surt(url.upper().replace("HTTPS", "http").replace("HTTP", "http"))
    assert surt(url) == surt(url + "#fragment")
    assert surt(url) == surt(url.replace("://", "://www."))


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("http://news.example/a", "https://www.news.example:443/a/#top", True),
        ("http://news.example", "http://NEWS.example/", True),
        ("http://news.example/a", "http://news.example/A", False),
        ("http://news.example/?a=1", "http://news.example/?a=2", False),
        ("http://news.example/?a=1&b=2", "http://news.example/?b=2&a=1", False),
        ("http://news.example/%2F", "http://news.example//", False),
        ("http://news.example/é", "http://news.example/%C3%A9", True),
        ("http://news.example:8080/", "http://news.example/", False),
    ],
)
def test_the_plain_form_tells_pages_apart(one: str, other: str, same: bool):
    assert (plain(one) == plain(other)) is same


@pytest.mark.skipif(not TABLES.exists(), reason="the tables of IIPC's urlcanon are not beside the checkout")
@pytest.mark.parametrize("table", ["defaultIASurt", "Canonicalizer.IA", "Canonicalizer.DefaultIA"])
def test_tables_of_urlcanon(table: str):
    rows = json.loads(TABLES.read_text())[table]
    assert rows
    for url, expected in rows.items():
        # Canonicalizer.* give URLs, not keys: canonical URL and original must then share theirs.
        assert surt(url) == (expected if table == "defaultIASurt" else surt(expected)), url
