"""SVG, XHTML, style sheets of XSL, feeds; manifests and playlists."""

from __future__ import annotations

import json

import pytest

from tests.rewriting import replayed, short

DIR = "http://a.example/dir"


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        ("<svg><image href='i'/></svg>", f"<svg><image href='~im_/{DIR}/i'/></svg>"),
        ("<s:svg><s:image x:href='i'/>", f"<s:svg><s:image x:href='~im_/{DIR}/i'/>"),
        (
            "<svg xmlns='http://www.w3.org/2000/svg' xml:base='http://b'/>",
            "<svg xmlns='http://www.w3.org/2000/svg' xml:base='http://b'/>",
        ),
        ("<svg><style>a{b:url(&quot;i&quot;)}</style>", f'<svg><style>a{{b:url("~im_/{DIR}/i")}}</style>'),
        ("<svg><style><![CDATA[@import 'i';]]></style>", f'<svg><style><![CDATA[@import "~cs_/{DIR}/i";]]></style>'),
        ("<svg><rect fill='url(i)'/>", f"<svg><rect fill='url(\"~im_/{DIR}/i\")'/>"),
        ("<svg><set attributeName='xlink:href' to='i'/>", f"<svg><set attributeName='xlink:href' to='~im_/{DIR}/i'/>"),
        (
            "<svg><!-- <image href='i'/> --><![CDATA[<image href='i'/>]]>",
            "<svg><!-- <image href='i'/> --><![CDATA[<image href='i'/>]]>",
        ),
        (
            "<?xml-stylesheet href='i' type='text/css'?><a/>",
            f"<?xml-stylesheet href=\"~cs_/{DIR}/i\" type='text/css'?><a/>",
        ),
        ("<?xml version='1.0' encoding='koi8-r'?><a/>", "<?xml version='1.0' encoding=\"utf-8\"?><a/>"),
        (
            "<!DOCTYPE a SYSTEM \"x>\" [<!-- ]> --> <!ENTITY e 'i'>]><a><img src='&e;j'/></a>",
            f"<!DOCTYPE a SYSTEM \"x>\" [<!-- ]> --> <!ENTITY e 'i'>]><a><img src='~im_/{DIR}/ij'/></a>",
        ),
        (
            "<!DOCTYPE a [<!ENTITY e \"<img src='i'/>\">]><a>&e;</a>",
            f"<!DOCTYPE a [<!ENTITY e \"<img src='~im_/{DIR}/i'/>\">]><a>&e;</a>",
        ),
        (
            "<!DOCTYPE a [<!ENTITY e \"&#60;img src='i'/>\">]><a>&e;</a>",
            f"<!DOCTYPE a [<!ENTITY e \"<img src='~im_/{DIR}/i'/>\">]><a>&e;</a>",
        ),
        (
            "<xsl:stylesheet><xsl:import href='i'/><img src='{@x}'/>",
            f"<xsl:stylesheet><xsl:import href='~/{DIR}/i'/><img src='{{@x}}'/>",
        ),
        ("<xsl:a><img src='http://b.example/{@x}'/>", "<xsl:a><img src='~/http://b.example/{@x}'/>"),
        (
            "<html><base href='//b.example/'/><a href='i'/>",
            "<html><base data-archived-href='//b.example/'/><a href='~/http://b.example/i'/>",
        ),
    ],
)
def test_a_rule(document: str, expected: str) -> None:
    assert short(replayed(document, "application/xml")) == expected


@pytest.mark.parametrize(
    ("item", "expected"),
    [
        ("<link>http://b.example/x</link>", "<link>~/http://b.example/x</link>"),
        ("<link><![CDATA[http://b.example/x]]></link>", "<link><![CDATA[~/http://b.example/x]]></link>"),
        ("<guid>http://b.example/x</guid>", "<guid>http://b.example/x</guid>"),
        ("<title>http://b.example/x</title>", "<title>http://b.example/x</title>"),
        ("<enclosure url='i'/>", f"<enclosure url='~/{DIR}/i'/>"),
        ("<media:content url='i'/>", f"<media:content url='~/{DIR}/i'/>"),
        (
            "<description>&lt;img src=i> a &amp;amp; b</description>",
            f'<description>&lt;img src="~im_/{DIR}/i"&gt; a &amp;amp; b</description>',
        ),
        (
            "<content:encoded><![CDATA[<img src=i>]]></content:encoded>",
            f'<content:encoded><![CDATA[<img src="~im_/{DIR}/i">]]></content:encoded>',
        ),
    ],
)
def test_a_rule_of_feeds(item: str, expected: str) -> None:
    feed = replayed(f"<rss><channel><item>{item}</item></channel></rss>", "application/rss+xml")
    assert short(feed) == f"<rss><channel><item>{expected}</item></channel></rss>"


def test_an_entity_that_grows_is_cut() -> None:
    bomb = "<!DOCTYPE a [<!ENTITY a 'xxxxxxxxxx'>"
    for name, before in zip("bcdefgh", "abcdefg", strict=True):
        bomb += f"<!ENTITY {name} '{f'&{before};' * 20}'>"
    assert len(replayed(f"{bomb}]><a href='&h;'/>", "text/xml").body) < 1_000_000


def test_a_manifest() -> None:
    given = {"name": "Ω", "start_url": "/?x", "icons": [{"src": "i", "sizes": "1x1"}], "shortcuts": [{"url": "s"}]}
    manifest = replayed(json.dumps(given), "application/manifest+json", as_="mf_")
    assert json.loads(short(manifest)) == {
        "name": "Ω",
        "start_url": "~/http://a.example/?x",
        "icons": [{"src": f"~im_/{DIR}/i", "sizes": "1x1"}],
        "shortcuts": [{"url": f"~/{DIR}/s"}],
    }
    assert replayed("[{]", "application/json", as_="mf_").body == b"[{]"
    assert replayed("[" * 100_000, "application/manifest+json").body == b"[" * 100_000


def test_a_playlist() -> None:
    playlist = '#EXTM3U\n#EXT-X-KEY:METHOD=AES-128,URI="k"\ns.ts\r\n\n'
    expected = f'#EXTM3U\n#EXT-X-KEY:METHOD=AES-128,URI="~oe_/{DIR}/k"\n~oe_/{DIR}/s.ts\n\n'
    assert short(replayed(playlist, "application/vnd.apple.mpegurl")) == expected
