"""What pages and style sheets need, as browsers read them."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest
import tinycss2

from archive.css import css_addresses, decode_css
from archive.references import refresh_target, resolve, srcset_urls
from archive.requisites import css_requisites, page_needs, page_requisites

PAGE = "https://www.news.example/2026/11/story.html"


def needed(html: str | bytes, *, media: bool = False, content_type: str = "text/html; charset=utf-8") -> list[str]:
    body = html.encode() if isinstance(html, str) else html
    return [f"{item.kind} {item.url}" for item in page_requisites(body, PAGE, content_type, media=media)]


@pytest.mark.parametrize(
    ("html", "expected"),
    [
        ('<img src="a.png">', ["image /2026/11/a.png"]),
        ("<IMG SRC='/a.png?x=1&amp;y=2#top'>", ["image /a.png?x=1&y=2"]),
        ('<img src=" \n/a\n.png\t">', ["image /a.png"]),
        ('<img src="/a b.png">', ["image /a%20b.png"]),
        ('<img src="/a.png" srcset="/b.png 2x, /c,d.png 3x">', ["image /a.png", "image /b.png", "image /c,d.png"]),
        ('<img src="data:image/gif;base64,R0" data-src="/lazy.jpg">', ["image /lazy.jpg"]),
        ('<img data-lazy-src="/lazy.jpg" data-srcset="/l2.jpg 2x">', ["image /l2.jpg", "image /lazy.jpg"]),
        ('<img data-original="/o.jpg"><img data-lazy-srcset="/p.jpg 1x">', ["image /o.jpg", "image /p.jpg"]),
        ('<img data-src="{{ image }}"><img data-src="/x_{width}.jpg"><img data-src="true">', []),
        ('<noscript><img src="/n.png"></noscript>', ["image /n.png"]),
        ('<head><noscript><link rel=stylesheet href="/n.css"></noscript>', ["stylesheet /n.css"]),
        ('<picture><source srcset="/w.webp" data-srcset="/z.webp 1x"></picture>', ["image /w.webp", "image /z.webp"]),
        ('<link rel="stylesheet preload" href="/a.css">', ["stylesheet /a.css"]),
        ('<link rel="shortcut icon" href="/i.ico">', ["icon /i.ico"]),
        ('<link rel=apple-touch-icon href="/t.png">', ["icon /t.png"]),
        ('<link rel=mask-icon href="/m.svg"><link rel=manifest href="/m.json">', ["icon /m.svg", "manifest /m.json"]),
        ('<link rel=preload as=font href="/f.woff2">', ["font /f.woff2"]),
        ('<link rel=modulepreload href="/m.js">', ["script /m.js"]),
        ('<link rel=preload as=image imagesrcset="/p.png 1x, /q.png 2x">', ["image /p.png", "image /q.png"]),
        ('<script src="/a.js"></script><script>var a = "<img src=/no.png>"</script>', ["script /a.js"]),
        ('<!-- <img src="/no.png"> --><textarea><img src="/no.png"></textarea>', []),
        ('<style>@import "/i.css"; p { background: url(/p.png) }</style>', ["stylesheet /i.css", "image /p.png"]),
        ('<p style="background: url(&quot;/s.png&quot;)">', ["image /s.png"]),
        ('<div data-bg="/bg.jpg"></div><div data-bg="url(/bg2.jpg)"></div>', ["image /bg.jpg", "image /bg2.jpg"]),
        ('<body background="/old.gif"><table background="t.gif">', ["image /old.gif", "image /2026/11/t.gif"]),
        ('<input type=image src="/go.gif"><input type=text src="/no.gif">', ["image /go.gif"]),
        ('<svg><image href="/a.svg"/><use href="#two"/></svg>', ["image /a.svg"]),
        ('<svg><use xlink:href="/s.svg#one"/></svg>', ["image /s.svg"]),
        ('<meta property="og:image" content="/og.jpg">', ["image /og.jpg"]),
        ('<meta name="twitter:image" content="/tw.jpg">', ["image /tw.jpg"]),
        ('<video poster="/p.jpg" src="/v.mp4"><source src="/v.webm"></video>', ["image /p.jpg"]),
        ('<object data="/o.svg" type="image/svg+xml"></object><embed src="/e.png">', ["image /o.svg", "image /e.png"]),
        ('<iframe src="/map.html"></iframe>', ["frame /map.html"]),
        ('<iframe src="//media.news.example/x"></iframe>', ["frame https://media.news.example/x"]),
        ('<iframe src="https://video.example/embed/1"></iframe><iframe src="about:blank"></iframe>', []),
        ('<a href="/no"></a><area href="/no"><form action="/no"></form>', []),
        ('<link rel=canonical href="/no"><link rel=alternate href="/no"><link rel=preconnect href="//no.example">', []),
        ('<link rel=dns-prefetch href="//no.example"><link rel=next href="/no"><link rel=amphtml href="/no">', []),
        ('<img src=""><img src="#"><img src="javascript:1"><img src="blob:x"><img src="mailto:a@b">', []),
        ("<script src></script>", []),
        ('<img src="/a.png"><img src="/a.png#x"><script src="/a.png"></script>', ["image /a.png"]),
    ],
)  # fmt: skip
def test_markup_names_its_requisites(html: str, expected: list[str]):
    site = "https://www.news.example"
    full = [line if "https:" in line else line.replace(" ", f" {site}", 1) for line in expected]
    assert sorted(needed(html)) == sorted(full)


def test_audio_and_video_are_taken_on_request():
    html = '<video src="/v.mp4"><source src="/v.webm"><track src="/v.vtt"></video><audio src="/a.mp3"></audio>'
    assert needed(html) == []
    assert [item.rpartition("/")[2] for item in needed(html, media=True)] == ["v.mp4", "v.webm", "v.vtt", "a.mp3"]


def test_the_first_base_counts_for_all_references():
    html = '<img src="a.png"><base href="//cdn.example/x/"><base href="/no/"><p style="background:url(b.png)">'
    assert needed(html) == ["image https://cdn.example/x/a.png", "image https://cdn.example/x/b.png"]


def test_requisites_stand_in_document_order_each_once():
    html = "<link rel=stylesheet href=/1.css><script src=/2.js></script><img src=/3.png><img src=/2.js><img src=/4.png>"
    assert [item.rpartition("/")[2] for item in needed(html)] == ["1.css", "2.js", "3.png", "4.png"]


def test_a_page_in_an_old_encoding_is_read_in_it():
    html = '<meta charset="windows-1251"><img src="/фото.png">'.encode("cp1251")
    assert needed(html, content_type="text/html") == [
        "image https://www.news.example/%D1%84%D0%BE%D1%82%D0%BE.png",
    ]


def test_a_flood_is_cut_and_said_to_be():
    html = b"".join(b"<img src=/%d.png>" % number for number in range(50))
    needs = page_needs(html, PAGE, "text/html", limit=20)
    assert needs.cut
    assert len(needs.requisites) == 20
    assert not page_needs(html, PAGE, "text/html", limit=50).cut


@pytest.mark.parametrize(
    ("content", "target"),
    [
        ("0;url=/next", "/next"),
        ("5; URL='/next'", "/next"),
        (' 3 , url = "/next" ', "/next"),
        ("0;/next", "/next"),
        ("1.5; url=/a b", "/a b"),
        ("5", None),
        ("url=/next", None),
        ("5;", None),
    ],
)
def test_the_target_of_a_refresh_is_found(content: str, target: str | None):
    assert refresh_target(content) == target


def test_a_refresh_to_itself_or_for_readers_without_scripts_leads_nowhere():
    refresh = '<meta http-equiv="Refresh" content="0; url={}">'
    assert page_needs(refresh.format("/new").encode(), PAGE).refresh == "https://www.news.example/new"
    assert page_needs(refresh.format(PAGE).encode(), PAGE).refresh is None
    assert page_needs(f"<noscript>{refresh.format('/no')}</noscript>".encode(), PAGE).refresh is None


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("a.png", ["a.png"]),
        ("a.png 1x,b.png 2x", ["a.png", "b.png"]),
        ("a.png, b.png 2x", ["a.png", "b.png"]),
        ("a,b.png 1x, c.png,d.png 2x", ["a,b.png", "c.png,d.png"]),
        (" ,, a.png 100w ,", ["a.png"]),
        ("data:image/png;base64,AA== 1x, b.png", ["data:image/png;base64,AA==", "b.png"]),
        ("a.png (x, y) 1x, b.png", ["a.png", "b.png"]),
        ("\ta.png\n2x\n,\nb.png", ["a.png", "b.png"]),
        ("", []),
        (",,,", []),
    ],
)
def test_commas_inside_an_address_do_not_part_a_srcset(value: str, expected: list[str]):
    assert [url for url in srcset_urls(value) if url] == expected


@pytest.mark.parametrize(
    ("reference", "expected"),
    [
        ("x.png", "https://www.news.example/2026/11/x.png"),
        ("../x.png", "https://www.news.example/2026/x.png"),
        ("../../../../x.png", "https://www.news.example/x.png"),
        ("/a/../b/./c", "https://www.news.example/b/c"),
        ("//cdn.example/x.png", "https://cdn.example/x.png"),
        ("\\\\cdn.example\\x.png?a\\b", "https://cdn.example/x.png?a\\b"),
        ("HTTP://CDN.Example:80", "http://cdn.example/"),
        ("https://cdn.example:8443/x?y#z", "https://cdn.example:8443/x?y"),
        ("https://cdn.example/a/../x.png", "https://cdn.example/x.png"),
        ("?page=2", "https://www.news.example/2026/11/story.html?page=2"),
        ("/ü?q='ü'", "https://www.news.example/%C3%BC?q=%27%C3%BC%27"),
        ("/%C3%BC%2f", "https://www.news.example/%C3%BC%2f"),
        ("http://münchen.example/x", "http://xn--mnchen-3ya.example/x"),
        ("http://[::1]:80/x", "http://[::1]/x"),
        ("http://[2001:db8::1]:81/x", "http://[2001:db8::1]:81/x"),
        ("ftp://a.example/x", None),
        ("data:text/css,a", None),
        ("JavaScript:alert(1)", None),
        ("http://user:word@a.example/x", None),
        ("http://[::1", None),
        ("http://a.example:99999/", None),
        ("http://a..example/", None),
        ("http://faß.example/x", "http://xn--fa-hia.example/x"),
        ("https://a.example//b.example/é", "https://a.example//b.example/%C3%A9"),
        ("/a/%2e%2e/b", "https://www.news.example/b"),
        ("b;", "https://www.news.example/2026/11/b;"),
        ("?", "https://www.news.example/2026/11/story.html"),
        ("/" + "x" * 9000, None),
        ("#part", None),
        ("  ", None),
    ],
)
def test_references_are_resolved_as_browsers_do(reference: str, expected: str | None):
    assert resolve(PAGE, reference) == expected


@pytest.mark.parametrize(
    ("css", "expected"),
    [
        ("@import url(a.css);", ["import a.css"]),
        ("@import 'a.css' layer(x) supports(display: grid) screen;", ["import a.css"]),
        ('@IMPORT"a.css";', ["import a.css"]),
        ("@font-face { src: url(a.eot), url('a.svg#x') format('svg'), local(b) }", ["font a.eot", "font a.svg#x"]),
        ("@font-face{src:url(a.woff)} a{background:url(b.png)}", ["font a.woff", "image b.png"]),
        ("@media print { @font-face{src:url(a.woff)} a{background:url(b.png)} }", ["font a.woff", "image b.png"]),
        ("a { background: URL( \"a b.png\" ) }", ["image a b.png"]),
        ("a { background: url( a.png ) }", ["image a.png"]),
        (r"a { background: url(a\)b\20 c.png) }", ["image a)b c.png"]),
        (r"a { background: u\72l(a.png) }", ["image a.png"]),
        (r"@\69mport 'a.css';", ["import a.css"]),
        ("a { b: image-set('a.png' 1x type('image/png'), url(b.png) 2x) }", ["image a.png", "image b.png"]),
        ("a { b: -webkit-image-set(url(a.png) 1x) }", ["image a.png"]),
        ("a { cursor: url(c.cur), auto; --v: url(v.png) }", ["image c.cur", "image v.png"]),
        ("a { content: 'url(no.png)' } /* url(no.png) */ b { c: url(yes.png) }", ["image yes.png"]),
        ("a { b: url(no no.png) } b { c: url(yes.png) }", ["image yes.png"]),
        ("a { b: url(cut.png", ["image cut.png"]),
        ("@namespace url(http://no.example/); a { b: url(a.png) }", ["image a.png"]),
        ("@charset 'utf-8'; a { b: url(a.png) }", ["image a.png"]),
        ("@supports (b: url(no.png)) { a { b: url(a.png) } }", ["image a.png"]),
        ("a { myurl(no.png) } b { c: -url(no.png) }", []),
        ("a { filter: url() }", []),
        ("a { b: 'x\\\ny' url(a.png) }", ["image a.png"]),
        ("a { b: 'open string\n; c: url(a.png) }", ["image a.png"]),
        ("<!-- a { b: url(a.png) } -->", ["image a.png"]),
    ],
)  # fmt: skip
def test_style_sheets_name_their_requisites(css: str, expected: list[str]):
    assert [f"{use} {reference}" for reference, use in css_addresses(css)] == expected


def test_a_style_sheets_requisites_are_absolute():
    found = css_requisites(b"@import 'a.css'; @font-face{src:url(f)} p{background:url(../x.png), url(y.woff2)}", PAGE)
    assert [(item.kind, item.url.removeprefix("https://www.news.example")) for item in found] == [
        ("stylesheet", "/2026/11/a.css"),
        ("font", "/2026/11/f"),
        ("image", "/2026/x.png"),
        ("font", "/2026/11/y.woff2"),
    ]


@pytest.mark.parametrize(
    ("body", "charset"),
    [
        ("url(ü)".encode(), None),
        ("url(ü)".encode("utf-8-sig"), "latin-1"),
        ("\ufeffurl(ü)".encode("utf-16-le"), None),
        ("url(ü)".encode("latin-1"), "iso-8859-1"),
        ('@charset "iso-8859-1";url(ü)'.encode("latin-1"), None),
        ("url(ü)".encode(), "no-such-charset"),
        ("url(ü)".encode(), "base64"),
    ],
)
def test_style_sheets_are_decoded_as_the_standard_says(body: bytes, charset: str | None):
    assert decode_css(body, charset).endswith("url(ü)")


def addresses_in_tree(nodes: list[object] | None) -> Iterator[str]:
    """Yield every address in tinycss2's tree, the independent reading of a style sheet."""
    for node in nodes or []:
        kind = getattr(node, "type", "")
        if kind == "url":
            yield node.value
        elif kind == "function" and node.lower_name == "url":
            yield from (argument.value for argument in node.arguments if argument.type == "string")
        else:
            for children in ("arguments", "content", "prelude"):
                yield from addresses_in_tree(getattr(node, children, None))


PIECES = (
    *(
        "a{",
        "}",
        "b:",
        ";",
        " ",
        "\n",
        "url(x.png)",
        "url( 'y.png' )",
        'url("z\\"1.png")',
        "url(a\\)b.png)",
        "/*",
        "*/",
    ),
    *("/* url(no) */", "'", '"', "'url(no)'", "\\", "u\\72 l(e.png)", "url(b ad)", "@media x{", "@page{", "calc(1px)"),
    *("10px", "#fff", "--x:", "<!--", "é", "url(é.png)", "URL(U.PNG)", "rgb(0,0,0)", "[x='y']", "{}", "a,b>c"),
)


@pytest.mark.parametrize("seed", range(300))
def test_broken_style_sheets_are_read_as_tinycss2_reads_them(seed: int):
    chosen = random.Random(seed)
    css = "".join(chosen.choice(PIECES) for _ in range(chosen.randrange(1, 40)))
    tree = tinycss2.parse_component_value_list(css)
    ours = [reference for reference, _ in css_addresses(css)]
    # In at-rules' preludes tinycss2's flat reading sees addresses that are none; these pieces have none there.
    assert ours == [address for address in addresses_in_tree(tree) if address], css


@pytest.mark.parametrize(
    "css",
    [
        "(" * 200_000 + "url(x)",
        "\\" * 200_000 + "url(x)",
        '"' + '\\"' * 100_000 + "url(",
        "/*" * 200_000,
        "url(" * 100_000,
        "url(\\" * 100_000,
        "@import " * 100_000,
        "{" * 200_000 + "url(x)",
        "a" * 1_000_000 + "url(",
        "-" * 1_000_000 + "\\",
    ],
)
def test_hostile_style_sheets_are_read_to_their_end(css: str):
    assert len(list(css_addresses(css))) <= 1
