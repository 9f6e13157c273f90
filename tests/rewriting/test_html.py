"""HTML: every rule with what goes in and what comes out. ``~`` stands for the archive's prefix and the time."""

from __future__ import annotations

import pytest

from archive.replay.rewriting.html import Html
from archive.replay.rewriting.links import Links
from tests.rewriting import PAGE, link, replayed, short

A = "http://a.example"
DIR = f"{A}/dir"


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        # Addresses: relative, of the host, of the scheme, whole; fragments; blanks and line breaks; other schemes.
        ("<a href=x>", f'<a href="~/{DIR}/x">'),
        ("<a href='/x'>", f"<a href='~/{A}/x'>"),
        ('<a href="//b.example">', '<a href="~/http://b.example/">'),
        ('<a href="///b.example/c">', '<a href="~/http://b.example/c">'),
        (r'<a href="\\b.example\c">', '<a href="~/http://b.example/c">'),
        ('<a href="https:b.example">', '<a href="~/https://b.example/">'),
        ('<a href="http:b">', f'<a href="~/{DIR}/b">'),
        ('<a href="HTTP://B.Example/C">', '<a href="~/http://b.example/C">'),
        ('<a href="?q=1">', f'<a href="~/{DIR}/page?q=1">'),
        ('<a href="../x/./y">', f'<a href="~/{A}/x/y">'),
        ('<a href="x#part">', f'<a href="~/{DIR}/x#part">'),
        ('<a href="#part">', '<a href="#part">'),
        ('<a href="">', '<a href="">'),
        ("<a href>", "<a href>"),
        ("<a href=>", "<a href=>"),
        ('<a href=" \n/a\tb\r\nc ">', f'<a href="~/{A}/abc">'),
        ('<a href="ht\ntp://b.example/">', '<a href="~/http://b.example/">'),
        ('<a href="\x01http://b.example/">', '<a href="~/http://b.example/">'),
        ('<a href="mailto:a@b">', '<a href="mailto:a@b">'),
        ('<img src="data:image/gif;base64,R0">', '<img src="data:image/gif;base64,R0">'),
        ('<a href="blob:http://x/1"><a href="about:blank">', '<a href="blob:http://x/1"><a href="about:blank">'),
        ('<a href="javascript:go()">', '<a href="javascript:go()">'),
        ('<a href="http://u:p@b.example/">', '<a href="~/http://b.example/">'),
        ('<a href="http://[b/">', '<a href="about:invalid">'),
        ('<a href="/é?ü">', f'<a href="~/{A}/%C3%A9?%C3%BC">'),
        ('<a href="/%7Ex|y">', f'<a href="~/{A}/%7Ex|y">'),
        # Character references.
        ('<a href="?a=1&amp;b=2">', f'<a href="~/{DIR}/page?a=1&amp;b=2">'),
        ('<a href="?a=1&copy=2&lt;">', f'<a href="~/{DIR}/page?a=1&amp;copy=2%3C">'),
        ('<a href="?a&notit;&not">', f'<a href="~/{DIR}/page?a&amp;notit;%C2%AC">'),
        ('<a href="&#47;&#x2F;b.example">', '<a href="~/http://b.example/">'),
        ('<a href="&sol;&sol;b.example">', '<a href="~/http://b.example/">'),
        ("<a href='/&#39;\"'>", f"<a href='~/{A}/&#39;%22'>"),
        # How attributes are written.
        ("<A HREF=x CLASS=y>", f'<A HREF="~/{DIR}/x" CLASS=y>'),
        ('<a\nhref\t=\n"x"class=y>', f'<a\nhref\t=\n"~/{DIR}/x"class=y>'),
        ("<a/href=x>", f'<a/href="~/{DIR}/x">'),
        ("<a href=x/>", f'<a href="~/{DIR}/x/">'),
        ("<a href=x href=y>", f'<a href="~/{DIR}/x" href="~/{DIR}/y">'),
        ('<a title=">" href=x>', f'<a title=">" href="~/{DIR}/x">'),
        ("<a title='<a href=y>' href=x>", f"<a title='<a href=y>' href=\"~/{DIR}/x\">"),
        ('<a ="x>y" href=x>', '<a ="x>y" href=x>'),
        ('<a "=" href=x>', '<a "=" href=x>'),  # a name that is a quote, and a value without end
        (
            "<a referrerpolicy=origin><meta content=origin name=referrer>",
            "<a data-archived-referrerpolicy=origin><meta content=origin data-archived-name=referrer>",
        ),
        ("<a data-href=x hrefs=x xhref=x>", "<a data-href=x hrefs=x xhref=x>"),
        ("</a href=x>", "</a href=x>"),
        ("<a href=x", "<a href=x"),
        ('<p>text<a href="x>', '<p>text<a href="x>'),
        ("a < b <3 <>", "a < b <3 <>"),
        # Elements and their attributes.
        ("<img src=i longdesc=l lowsrc=w>", f'<img src="~im_/{DIR}/i" longdesc="~/{DIR}/l" lowsrc="~im_/{DIR}/w">'),
        ("<img src=i usemap=#m crossorigin>", f'<img src="~im_/{DIR}/i" usemap=#m data-archived-crossorigin>'),
        ("<image src=i>", f'<image src="~im_/{DIR}/i">'),
        ("<input type=image src=i formaction=f>", f'<input type=image src="~im_/{DIR}/i" formaction="~/{DIR}/f">'),
        ("<form action=f target=_top>", f'<form action="~/{DIR}/f" target="_self">'),
        ("<video src=v poster=p></video>", f'<video src="~oe_/{DIR}/v" poster="~im_/{DIR}/p"></video>'),
        ("<audio src=v><track src=t>", f'<audio src="~oe_/{DIR}/v"><track src="~oe_/{DIR}/t">'),
        ("<source src=v><source srcset=s>", f'<source src="~oe_/{DIR}/v"><source srcset="~im_/{DIR}/s">'),
        ("<embed src=e>", f'<embed src="~oe_/{DIR}/e">'),
        (
            "<object data=o classid=clsid:1 codebase=c archive='a,b'>",
            f'<object data="~oe_/{DIR}/o" classid=clsid:1 codebase="~/{DIR}/c" archive=\'~/{DIR}/a,~/{DIR}/b\'>',
        ),
        (
            "<param name=movie value=m><param name=x value=m>",
            f'<param name=movie value="~oe_/{DIR}/m"><param name=x value=m>',
        ),
        ("<div data=x itemid=x>", "<div data=x itemid=x>"),
        ("<body background=b>", f'<body background="~im_/{DIR}/b">'),
        (
            "<q cite=c><blockquote cite=c><del cite=c>",
            f'<q cite="~/{DIR}/c"><blockquote cite="~/{DIR}/c"><del cite="~/{DIR}/c">',
        ),
        (
            "<html manifest=m><head profile='p q'>",
            f"<html manifest=\"~mf_/{DIR}/m\"><head profile='~/{DIR}/p ~/{DIR}/q'>",
        ),
        ("<a href=x ping=p download>", f'<a href="~/{DIR}/x" data-archived-ping=p data-archived-download>'),
        ("<a target=_blank><a target=_PARENT><a target=frame>", '<a target="_self"><a target="_self"><a target=frame>'),
        (
            "<frame src=f><iframe src=f csp=x></iframe>",
            f'<frame src="~if_/{DIR}/f"><iframe src="~if_/{DIR}/f" data-archived-csp=x></iframe>',
        ),
        ("<script src=s integrity=i></script>", f'<script src="~js_/{DIR}/s" data-archived-integrity=i></script>'),
        # A name is set aside, not taken out: what follows it does not become its value's neighbour.
        ("<a href integrity=x =http://b.example>", "<a href data-archived-integrity=x =http://b.example>"),
        # srcset.
        ('<img srcset="a 1x, b 2x">', f'<img srcset="~im_/{DIR}/a 1x, ~im_/{DIR}/b 2x">'),
        ('<img srcset="a,b 1x,c">', f'<img srcset="~im_/{DIR}/a,b 1x, ~im_/{DIR}/c">'),
        (
            '<img srcset=" ,a, b 100w (x,y), data:image/x,y 2x">',
            f'<img srcset="~im_/{DIR}/a, ~im_/{DIR}/b 100w (x,y), data:image/x,y 2x">',
        ),
        # link.
        ("<link rel=stylesheet href=s>", f'<link rel=stylesheet href="~cs_/{DIR}/s">'),
        ("<link rel='shortcut ICON' href=s>", f"<link rel='shortcut ICON' href=\"~im_/{DIR}/s\">"),
        ("<link rel=manifest href=s>", f'<link rel=manifest href="~mf_/{DIR}/s">'),
        ("<link rel=modulepreload href=s>", f'<link rel=modulepreload href="~js_/{DIR}/s">'),
        ("<link rel=preload as=style href=s>", f'<link rel=preload as=style href="~cs_/{DIR}/s">'),
        (
            "<link rel=preload as=image imagesrcset='s 1x'>",
            f"<link rel=preload as=image imagesrcset='~im_/{DIR}/s 1x'>",
        ),
        ("<link rel=canonical href=s>", f'<link rel=canonical href="~/{DIR}/s">'),
        ("<link rel=preconnect href=//b.example>", '<link data-archived-rel=preconnect href="~/http://b.example/">'),
        ("<link rel='dns-prefetch stylesheet' href=s>", f"<link rel='stylesheet' href=\"~cs_/{DIR}/s\">"),
        # meta.
        ("<meta http-equiv=refresh content='5; url=x'>", f"<meta http-equiv=refresh content='5; url=~/{DIR}/x'>"),
        ("<META CONTENT=\"0;URL='x'\" HTTP-EQUIV=ReFresh>", f'<META CONTENT="0;URL=~/{DIR}/x" HTTP-EQUIV=ReFresh>'),
        ("<meta http-equiv=refresh content='0,x'>", f"<meta http-equiv=refresh content='0,~/{DIR}/x'>"),
        (
            "<meta http-equiv=refresh content=' .5 uRl = x y'>",
            f"<meta http-equiv=refresh content=' .5 uRl = ~/{DIR}/x%20y'>",
        ),
        ("<meta http-equiv=refresh content=5>", "<meta http-equiv=refresh content=5>"),
        ("<meta http-equiv=refresh content='url=x'>", "<meta http-equiv=refresh content='url=x'>"),
        ("<meta name=refresh content='5; url=x'>", "<meta name=refresh content='5; url=x'>"),
        (
            "<meta http-equiv=Content-Security-Policy content=\"default-src 'none'\">",
            "<meta data-archived-http-equiv=Content-Security-Policy content=\"default-src 'none'\">",
        ),
        ("<meta property=og:image content=http://b.example/>", "<meta property=og:image content=http://b.example/>"),
        ("<meta charset=koi8-r>", '<meta charset="utf-8">'),
        (
            "<meta http-equiv=content-type content='text/html; charset=koi8-r'>",
            "<meta http-equiv=content-type content='text/html; charset=utf-8'>",
        ),
        # base: the first counts, for what comes after it; then nothing is left for it to do.
        (
            "<img src=i><base href=//b.example/z/ target=_top><base href=q><img src=i><a href=#x>",
            (
                f'<img src="~im_/{DIR}/i"><base data-archived-href=//b.example/z/ target="_self">'
                '<base data-archived-href=q><img src="~im_/http://b.example/z/i"><a href="~/http://b.example/z/#x">'
            ),
        ),
        ("<base href=data:,x><a href=y>", f'<base data-archived-href=data:,x><a href="~/{DIR}/y">'),
        # Styles.
        ('<p style="color:red">', '<p style="color:red">'),
        ('<p style="background:url(i)">', f'<p style="background:url(&quot;~im_/{DIR}/i&quot;)">'),
        ("<p style='background:u&#114;l(i)'>", f"<p style='background:url(\"~im_/{DIR}/i\")'>"),
        ("<p style=background:url(i)>", f'<p style="background:url(&quot;~im_/{DIR}/i&quot;)">'),
        ("<style>@import 'a';</style>", f'<style>@import "~cs_/{DIR}/a";</style>'),
        ("<style>a{b:url(&amp;)}</style>", f'<style>a{{b:url("~im_/{DIR}/&amp;")}}</style>'),
        ("<STYLE>a{b:url(x)}", f'<STYLE>a{{b:url("~im_/{DIR}/x")}}'),
        # What is text, and what only looks so.
        ("<!-- <img src=i> --><img src=i>", f'<!-- <img src=i> --><img src="~im_/{DIR}/i">'),
        ("<!--><img src=i>", f'<!--><img src="~im_/{DIR}/i">'),
        ("<!---><img src=i>", f'<!---><img src="~im_/{DIR}/i">'),
        ("<!-- --!><img src=i>", f'<!-- --!><img src="~im_/{DIR}/i">'),
        ("<!-- <img src=i>", "<!-- <img src=i>"),
        ("<![CDATA[<img src=i>]]>", "<![CDATA[<img src=i>]]>"),
        ("<![CDATA[>]]><img src=i>", f'<![CDATA[>]]><img src="~im_/{DIR}/i">'),
        ("<?php <img src=i>", "<?php <img src=i>"),
        ("</ <img src=i><img src=j>", f'</ <img src=i><img src="~im_/{DIR}/j">'),
        ('<!DOCTYPE html PUBLIC "a>b"><img src=i>', f'<!DOCTYPE html PUBLIC "a>b"><img src="~im_/{DIR}/i">'),
        ("<script>'<img src=i>'</script ><img src=i>", f"<script>'<img src=i>'</script ><img src=\"~im_/{DIR}/i\">"),
        ("<script><!--<script></script><img src=i></script>", "<script><!--<script></script><img src=i></script>"),
        ("<script><!--><script></script><img src=i>", f'<script><!--><script></script><img src="~im_/{DIR}/i">'),
        ("<script><!--<script>--></script><img src=i>", f'<script><!--<script>--></script><img src="~im_/{DIR}/i">'),
        ("<title><img src=i></title>", "<title><img src=i></title>"),
        ("<textarea><img src=i></TEXTAREA/><img src=i>", f'<textarea><img src=i></TEXTAREA/><img src="~im_/{DIR}/i">'),
        ("<xmp><img src=i></xmpx></xmp>", "<xmp><img src=i></xmpx></xmp>"),
        ("<iframe><img src=i></iframe>", "<iframe><img src=i></iframe>"),
        ("<plaintext><img src=i>", "<plaintext><img src=i>"),
        ("<noscript><img src=i></noscript>", f'<noscript><img src="~im_/{DIR}/i"></noscript>'),
        ("<template><img src=i></template>", f'<template><img src="~im_/{DIR}/i"></template>'),
        # SVG and MathML within HTML.
        (
            "<svg><image xlink:href=i /><use href='#a'/></svg>",
            f"<svg><image xlink:href=\"~im_/{DIR}/i\" /><use href='#a'/></svg>",
        ),
        ("<svg><a href=x><script href=s /></svg>", f'<svg><a href="~/{DIR}/x"><script href="~js_/{DIR}/s" /></svg>'),
        ("<svg><style>a{b:url(&quot;i&quot;)}</style></svg>", f'<svg><style>a{{b:url("~im_/{DIR}/i")}}</style></svg>'),
        (
            "<svg><style><![CDATA[a{b:url(i)}]]></style></svg>",
            f'<svg><style><![CDATA[a{{b:url("~im_/{DIR}/i")}}]]></style></svg>',
        ),
        ("<svg><style><img src=i>", f'<svg><style><img src="~im_/{DIR}/i">'),
        (
            "<svg><title><img src=i></title></svg><title><img src=i>",
            f'<svg><title><img src="~im_/{DIR}/i"></title></svg><title><img src=i>',
        ),
        (
            "<svg><![CDATA[<image href=i>]]><image href=i>",
            f'<svg><![CDATA[<image href=i>]]><image href="~im_/{DIR}/i">',
        ),
        ("<svg/><style>a{b:url(i)}</style>", f'<svg/><style>a{{b:url("~im_/{DIR}/i")}}</style>'),
        ("<svg><p><style>x<img src=i></style>", "<svg><p><style>x<img src=i></style>"),
        ("<svg><foreignObject><style>x<img src=i></style>", "<svg><foreignObject><style>x<img src=i></style>"),
        (
            "<svg><rect fill='url(#a)' filter='url(f.svg#b)'/>",
            f"<svg><rect fill='url(#a)' filter='url(\"~im_/{DIR}/f.svg#b\")'/>",
        ),
        (
            "<svg><animate attributeName=href values='a;b'/>",
            f"<svg><animate attributeName=href values='~im_/{DIR}/a;~im_/{DIR}/b'/>",
        ),
        ("<svg><set attributeName=x to=a />", "<svg><set attributeName=x to=a />"),
        (
            "<math><mi xlink:href=x><style><img src=i></style>",
            f'<math><mi xlink:href="~/{DIR}/x"><style><img src=i></style>',
        ),
        # Documents in attributes.
        (
            "<iframe srcdoc='&lt;img src=\"i\"&gt;'></iframe>",
            f"<iframe srcdoc='&lt;img src=\"~im_/{DIR}/i\">'></iframe>",
        ),
    ],
)
def test_a_rule(given: str, expected: str) -> None:
    assert short(replayed(given)) == expected


def test_what_a_framed_document_leads_to_is_asked_for_as_a_frame() -> None:
    assert short(replayed("<a href=x><img src=i>", as_="if_")) == f'<a href="~if_/{DIR}/x"><img src="~im_/{DIR}/i">'
    page = short(replayed("<iframe srcdoc='<a href=x>'></iframe><a href=x>"))
    assert page == f'<iframe srcdoc=\'&lt;a href="~if_/{DIR}/x">\'></iframe><a href="~/{DIR}/x">'


def test_documents_within_documents_end_somewhere() -> None:
    page = "<img src=i>"
    for _ in range(8):
        page = f"<iframe srcdoc='{page.replace('&', '&amp;').replace(chr(39), '&#39;')}'></iframe>"
    assert "im_" not in short(replayed(page))
    assert "srcdoc=''" in replayed(page).body.decode().replace("&amp;", "&").replace("&amp;", "&").replace(
        "&amp;", "&"
    ).replace("&#39;", "'")


def test_what_a_page_loads_is_told() -> None:
    page = replayed("<link rel=stylesheet href=s><img src=i><img src=i><a href=x><p style='background:url(b)'>")
    assert page.needs == ((f"{DIR}/s", "cs_"), (f"{DIR}/i", "im_"), (f"{DIR}/b", "im_"))


def test_where_a_refresh_leads_is_told() -> None:
    assert replayed("<meta http-equiv=refresh content='0;url=x'>").refresh == f"{DIR}/x"
    assert replayed("<meta http-equiv=refresh content=30>").refresh is None


def test_a_page_without_references_is_given_back_byte_for_byte() -> None:
    page = b"<!DOCTYPE html><P Class = 'x' >\r\n\0\xc3\xa9 & &amp; </p\n><br/>"
    assert replayed(page).body == page


def test_an_address_that_leads_to_the_page_itself_stays_within_the_replayed_page() -> None:
    assert short(replayed(f"<base href='{PAGE}#x'><a href='#y'>")).endswith("<a href='#y'>")


@pytest.mark.parametrize(
    "unit",
    [
        "<a href=x>",
        "<p class=a>text</p>",
        "<!-- - -->",
        "<a href='x",
        "<!-- <a ",
        "<script><!--",
        "<style>a{b:url(",
        "<svg><title>",
        "<svg><p>",
        "<a a=' href=x ",
        '<p style="x',
        "&#",
        "<noscript>",
        "<textarea>",
        "<![CDATA[",
        "<svg><![CDATA[",
        "<svg><style>",
        "<svg><style><![CDATA[x]]>",
    ],
)
def test_twice_the_page_takes_twice_the_steps(unit: str) -> None:
    def steps(times: int) -> int:
        page = Html(Links(PAGE, link))
        page.document(unit * times)
        return page.steps

    assert steps(2_000) <= 2 * steps(1_000) + 2


# ---- pages whose scripts run


def test_the_shim_goes_first_into_the_head() -> None:
    page = short(replayed("<!DOCTYPE html><!-- x -->\n<html lang=x><head><script>1</script>", scripts=True))
    assert page.startswith(
        '<!DOCTYPE html><!-- x -->\n<html lang=x><head><script src="/static/shim.js" data-url="http://a.e'
    )
    assert page.endswith("</script><script>1</script>")
    assert 'data-link="~{modifier}/{url}" data-time="20260101000000"' in page


@pytest.mark.parametrize("start", ["", "<!DOCTYPE html>", "<p>", "text", "<script>", "<body>"])
def test_the_shim_goes_first_where_there_is_no_head(start: str) -> None:
    page = short(replayed(f"{start}<img src=i>", scripts=True))
    assert page.index("shim.js") < page.index("<img")
    assert page.startswith("<!DOCTYPE html><script src" if "DOCTYPE" in start else "<script src")


def test_noscript_is_text_to_a_browser_that_runs_scripts() -> None:
    page = short(replayed("<noscript><!-- </noscript><img src=i> -->", scripts=True))
    assert page.endswith(f'<noscript><!-- </noscript><img src="~im_/{DIR}/i"> -->')


def test_documents_in_attributes_get_the_shim_too() -> None:
    assert short(replayed("<iframe srcdoc='x'>", scripts=True)).count("shim.js") == 2
