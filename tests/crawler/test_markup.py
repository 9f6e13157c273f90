"""Strangers' XML made such that parsers read it: nothing to expand, nothing to stumble at, what matters unchanged."""

from __future__ import annotations

import html

import lxml.etree
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler.discovery.markup import LONGEST_TAG, LONGEST_TEXT, mended, root


@pytest.mark.parametrize(
    "before",
    [
        "",
        " \n\t\ufeff",
        '<?xml version="1.0" encoding="utf-8"?>\n',
        "<!-- <html> -->",
        "<!DOCTYPE rss>",
        '<!DOCTYPE rss PUBLIC "-//Netscape//DTD RSS 0.91//EN" "http://my.netscape.com/publish/formats/rss-0.91.dtd">',
        '<!DOCTYPE rss [<!ENTITY a "]>"> <!-- ]> --> <!ELEMENT rss ANY>]>',
        "<!doctype rss [ <!ENTITY % d SYSTEM 'http://x.example/'> %d; ] >",
        '<?xml version="1.0"?>\n<?xml-stylesheet href="a.xsl"?><!--a--><!DOCTYPE rss><!--b-->\n',
    ],
)
def test_the_first_element_is_found_behind_all_that_may_stand_before_it(before: str):
    assert root(f"{before}<rss version='2.0'>") == ("rss", len(before))


def test_the_name_of_the_first_element_is_told_as_it_is_written():
    assert root("<rdf:RDF xmlns='x'>")[0] == "rdf:RDF"
    assert root("<UrlSet>")[0] == "UrlSet"
    assert root("<feed/>")[0] == "feed"


@pytest.mark.parametrize(
    "text", ["", "   ", "rss", "< rss>", "<1>", "<!-- <rss>", "<?xml <rss>", '{"a": "<rss>"}', "<rss"]
)
def test_a_text_without_a_first_element_has_no_name(text: str):
    assert root(text)[0] == ""


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("a &amp; b &lt;i&gt;", "a & b <i>"),
        ("a & b", "a & b"),
        ("AT&T; x&y=1&&", "AT&T; x&y=1&&"),
        ("caf&eacute; &nbsp;&mdash;", "café \xa0—"),
        ("&unknown;", "&unknown;"),
        ("&#233;&#xe9;&#XE9;", "ééé"),
        ("&#60;b&#62;", "<b>"),
        ("a&#0;b&#8;c&#xFFFF;d&#xD800;e", "a b c d e"),
        ("a\x00b\x0bc\ufffed", "a b c d"),
        ("&#9999999;&#x110000;", "  "),
        ("&#;&#x;&#12345678;", "&#;&#x;&#12345678;"),
        ("<![CDATA[<a> & &eacute;]]>", "<a> & &eacute;"),
        ("a<!-- - - & <b> -->b", "ab"),
    ],
)
def test_characters_are_resolved_and_what_is_none_stays_text(text: str, meant: str):
    assert lxml.etree.fromstring(mended(f"<a>{text}</a>")).text == meant


def test_what_follows_the_last_tag_goes_for_half_an_address_leads_elsewhere():
    assert mended("<a><b>1</b><c>https://courier.example/al") == "<a><b>1</b><c>"
    assert mended("https://courier.example/") == ""


def test_a_comment_and_a_quotation_that_never_end_go_with_all_in_them():
    assert mended("<a>x<!-- <b>y</b>") == "<a>x"
    assert mended("<a>x<!--" + " <b>" * LONGEST_TEXT) == "<a>x"
    assert mended("<a>x<![CDATA[" + " <b>" * LONGEST_TEXT) == "<a>x"


def test_texts_and_tags_too_long_for_anything_looked_for_go():
    assert mended(f"<a><b>{'x' * LONGEST_TEXT}</b><c>{'x' * (LONGEST_TEXT - 1)}</c></a>") == (
        f"<a><b></b><c>{'x' * (LONGEST_TEXT - 1)}</c></a>"
    )
    assert mended(f"<a><b><![CDATA[{'x' * LONGEST_TEXT}]]></b></a>") == "<a><b></b></a>"
    assert mended(f"<a><b c='{'x' * LONGEST_TAG}'/></a>") == "<a></a>"


TEXTS = st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff"), max_size=50)


@given(st.lists(TEXTS, max_size=5), st.sampled_from(["escaped", "quoted", "numbered"]))
def test_sound_xml_means_the_same_afterwards(texts: list[str], how: str):
    def written(text: str) -> str:
        if how == "quoted" and "]]>" not in text:
            return f"<![CDATA[{text}]]>"
        return "".join(f"&#{ord(letter)};" for letter in text) if how == "numbered" else html.escape(text)

    document = f"<a>{''.join(f'<b>{written(text)}</b>' for text in texts)}</a>"
    assert [node.text or "" for node in lxml.etree.fromstring(mended(document))] == texts


PIECES = st.lists(
    st.one_of(
        st.text(max_size=5),
        st.sampled_from(
            """<!DOCTYPE |[|]|]>|"|'|<!--|-->|<?|?>|<![CDATA[|]]>|&|&amp|;|&#x|<a>|</a>|<rss |<|>|<!ENTITY a '
            |&#99999999;|\ufeff|\ud800""".replace("\n            |", "|").split("|")
        ),
    ),
    max_size=20,
).map("".join)


@given(PIECES)
def test_no_text_breaks_either(text: str):
    name, position = root(text)
    assert 0 <= position <= len(text)
    assert text.startswith(f"<{name}" if name else "", position)
    mended(text).encode()  # nothing is left that has no form in UTF-8
