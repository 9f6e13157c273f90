"""Whatever a page is made of: rewriting never raises, nothing that a browser loads leads out, and texts stay.

What a browser sees is told by two independent parsers, lexbor and html5lib, whose trees are the HTML Standard's.
"""

from __future__ import annotations

import gzip
import random
import re
from collections.abc import Iterator
from pathlib import Path

import html5lib
import pytest
from hypothesis import given
from hypothesis import strategies as st
from selectolax.lexbor import LexborHTMLParser

from tests.rewriting import replayed

PAGES = sorted((Path(__file__).parents[2] / "../shared/data/extraction/html").glob("*.html.gz"))

# Where browsers load from, or go to: element, attribute. The rest is the tests' own reading of the HTML Standard.
LOADS = {
    *(("a", "href"), ("area", "href"), ("link", "href"), ("img", "src"), ("script", "src"), ("iframe", "src")),
    *(("frame", "src"), ("embed", "src"), ("object", "data"), ("video", "src"), ("video", "poster"), ("audio", "src")),
    *(("source", "src"), ("track", "src"), ("input", "src"), ("form", "action"), ("button", "formaction")),
    *(("body", "background"), ("table", "background"), ("td", "background"), ("image", "href"), ("use", "href")),
    *(("image", "xlink:href"), ("use", "xlink:href"), ("a", "xlink:href"), ("script", "href"), ("feimage", "href")),
    *(("img", "longdesc"), ("q", "cite"), ("html", "manifest")),
}
SRCSETS = {("img", "srcset"), ("source", "srcset"), ("link", "imagesrcset")}
INERT = re.compile(r"(?!https?:)[a-z][a-z0-9+.-]*:|#|\Z", re.IGNORECASE)


def led_out(elements: Iterator[tuple[str, dict[str, str]]]) -> list[tuple[str, str, str]]:
    """Return the references of *elements* that leave the archive."""
    found = []
    for element, attributes in elements:
        for name, value in attributes.items():
            if (element, name) in SRCSETS:
                references = [part.split()[0] for part in value.split(", ") if part.split()]
            elif (element, name) in LOADS:
                references = [value]
            elif name in {"ping", "integrity"} or (element == "base" and name == "href"):
                references = ["http:"]
            elif name == "style":
                references = re.findall(r"url\(\s*[\"']?(https?:|//)", value)
            else:
                continue
            for reference in references:
                plain = re.sub(r"[\t\n\r]", "", reference.strip("".join(map(chr, range(33)))))
                if not plain.startswith("/web/2026") and not INERT.match(plain):
                    found.append((element, name, reference))
    return found


def by_lexbor(page: str) -> Iterator[tuple[str, dict[str, str]]]:
    for node in LexborHTMLParser(page).css("*"):
        yield node.tag, {name.lower(): value or "" for name, value in node.attributes.items()}


def by_html5lib(page: str) -> Iterator[tuple[str, dict[str, str]]]:
    for node in html5lib.parse(page, treebuilder="etree", namespaceHTMLElements=False).iter():
        if isinstance(node.tag, str):
            names = {name.replace("{http://www.w3.org/1999/xlink}", "xlink:"): name for name in node.attrib}
            yield node.tag.rpartition("}")[2].lower(), {name.lower(): node.attrib[at] for name, at in names.items()}


ELEMENTS = [
    *sorted({element for element, _ in LOADS | SRCSETS}),
    *(
        "p",
        "div",
        "svg",
        "math",
        "title",
        "style",
        "base",
        "textarea",
    ),
]
ATTRIBUTES = [*sorted({name for _, name in LOADS | SRCSETS}), *("style", "rel", "class", "=", '"', "integrity", "ping")]
ADDRESSES = (
    *("http://b.example/x", "//b.example/y", "HTTPS:b.example", "\\\\b.example", "/z", "z?a=1&amp;b", "#f", "data:,x"),
    *(
        "&#104;ttp://b.example/",
        " \nhttp://b.example",
        "ht\ttp://b.example",
        "javascript:x",
        "",
        "url(http://b.example)",
    ),
    *("http://[", "///b.example", "http:/b.example", "http://b.example 1x, //c.example 2x", "//b.example/\x00"),
)
QUOTES = ('"', "'", "")
attribute = st.builds(
    lambda name, equals, quote, value: f"{name}{equals}{quote}{value}{quote}",
    st.sampled_from(ATTRIBUTES),
    st.sampled_from(["=", " = ", "\n=", ""]),
    st.sampled_from(QUOTES),
    st.sampled_from(ADDRESSES),
)
tag = st.builds(
    lambda slash, name, space, attributes, end: f"<{slash}{name}{space}{space.join(attributes)}{end}",
    st.sampled_from(["", "", "", "/"]),
    st.sampled_from(ELEMENTS).flatmap(lambda name: st.sampled_from([name, name.upper()])),
    st.sampled_from([" ", "\n", "/", "\t"]),
    st.lists(attribute, max_size=3),
    st.sampled_from([">", ">", ">", " />", ""]),
)
PIECES = (
    *(
        "text",
        "<!--",
        "-->",
        "--!>",
        "<!>",
        "</",
        "<?x",
        ">",
        "<![CDATA[",
        "]]>",
        "&lt;",
        "\0",
        "<",
        "é",
        "<!DOCTYPE html>",
    ),
    *("</style>", "</title>", "</svg>", "</script>", "</textarea>", "<script>", "<noscript>", "<plaintext", "<!-->"),
)
soup = st.lists(tag | st.sampled_from(PIECES), max_size=12).map("".join)


def has_a_tree_of_its_own(page: str) -> bool:
    """Tell whether only a tree tells what is text in *page*: the known limit of archive.replay.rewriting.html."""
    return bool(re.search(r"<(?:svg|math|select|frameset)", page, re.IGNORECASE))


@given(soup)
def test_nothing_that_a_browser_loads_leads_out(page: str) -> None:
    new = replayed(page).body.decode()
    assert not led_out(by_lexbor(new))
    if not has_a_tree_of_its_own(page):
        assert not led_out(by_html5lib(new))


@given(soup)
def test_texts_stay_as_they_are(page: str) -> None:
    def texts(html: str) -> list[str]:
        return [
            node.text or ""
            for node in html5lib.parse(html, treebuilder="etree", namespaceHTMLElements=False).iter()
            if isinstance(node.tag, str) and node.tag not in {"style", "noscript"}
        ]

    assert texts(replayed(page).body.decode()) == texts(page)


@given(
    st.binary(max_size=300),
    st.sampled_from(
        [None, "text/html", "text/css", "image/svg+xml", "application/manifest+json", "application/rss+xml"]
    )
    | st.text(max_size=20),
    st.sampled_from(["", "cs_", "js_", "im_", "mf_", "if_"]),
    st.booleans(),
)
def test_no_bytes_make_it_raise(body: bytes, content_type: str | None, as_: str, scripts: bool) -> None:
    replayed(body, content_type, as_=as_, scripts=scripts)


@given(soup)
def test_no_document_of_xml_makes_it_raise(page: str) -> None:
    for content_type in ("application/xhtml+xml", "image/svg+xml", "application/rss+xml"):
        replayed(page, content_type).body.decode()


@pytest.mark.skipif(not PAGES, reason="../shared/data/extraction is not there")
@pytest.mark.parametrize("path", PAGES[::12], ids=lambda path: path.name.partition(".")[0])
def test_a_real_page_broken_anywhere_leads_nowhere_else(path: Path) -> None:
    page = gzip.decompress(path.read_bytes()).decode("utf-8", "replace")
    chance = random.Random(path.name)
    for _ in range(2):
        at = chance.randrange(len(page))
        piece = chance.choice(["<!--", '"', ">", "<", "'", "<svg>", "</style>", "<script>", "=", "\0"])
        broken = page[:at] + piece + page[at + chance.randrange(3) :]
        assert not led_out(by_lexbor(replayed(broken).body.decode())), (piece, at)


def test_the_second_opinion_finds_what_leads_out() -> None:
    page = "<img src=//b.example/x><a href='x'><img srcset='/web/2026/ 1x, http://b.example 2x'><base href=/web/2026>"
    for parser in (by_lexbor, by_html5lib):
        assert len(led_out(parser(page))) == 4
