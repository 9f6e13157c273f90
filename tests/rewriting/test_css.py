"""Style sheets: every rule with what goes in and what comes out."""

from __future__ import annotations

import pytest
import tinycss2
from hypothesis import given
from hypothesis import strategies as st

from archive.replay.rewriting.css import rewritten_css
from archive.replay.rewriting.links import Links
from tests.rewriting import link, replayed, short

DIR = "http://a.example/dir"


@pytest.mark.parametrize(
    ("sheet", "expected"),
    [
        ("a{b:url(i)}", f'a{{b:url("~im_/{DIR}/i")}}'),
        ("a{b:url( 'i' )}", f'a{{b:url( "~im_/{DIR}/i" )}}'),
        ("a{b:URL(\n i \n)}", f'a{{b:URL(\n "~im_/{DIR}/i" \n)}}'),
        (r"a{b:u\72l(i)}", f'a{{b:u\\72l("~im_/{DIR}/i")}}'),
        (r"a{b:url(i\)\20j)}", f'a{{b:url("~im_/{DIR}/i)%20j")}}'),
        (r'a{b:url("i\22")}', f'a{{b:url("~im_/{DIR}/i%22")}}'),
        ("a{b:url(//b.example/i)}", 'a{b:url("~im_/http://b.example/i")}'),
        ("a{b:url(data:image/gif;base64,R0)}", "a{b:url(data:image/gif;base64,R0)}"),
        ("a{b:url(#c)}", "a{b:url(#c)}"),
        ("a{b:url()}", "a{b:url()}"),
        ("a{b:url(i", f'a{{b:url("~im_/{DIR}/i"'),
        ('a{b:url("i', f'a{{b:url("~im_/{DIR}/i"'),
        ('a{b:image-set("i\n1x)}', 'a{b:image-set("i\n1x)}'),
        ('a{b:url(i"j)}', 'a{b:url(i"j)}'),
        ("a{b:url(</style>)}", f'a{{b:url("~im_/{DIR}/%3C/style%3E")}}'),
        ("@import 'i';", f'@import "~cs_/{DIR}/i";'),
        ("@import url(i) layer(x) screen;", f'@import url("~cs_/{DIR}/i") layer(x) screen;'),
        ('@IMPORT/**/"i"', f'@IMPORT/**/"~cs_/{DIR}/i"'),
        ("@namespace url(http://www.w3.org/1999/xhtml);", "@namespace url(http://www.w3.org/1999/xhtml);"),
        ("@charset 'x'; a{}", "@charset 'x'; a{}"),
        (
            "@font-face{src:local(x),url(i) format('woff')}",
            f"@font-face{{src:local(x),url(\"~oe_/{DIR}/i\") format('woff')}}",
        ),
        ("a{b:image-set('i' 1x,url(j) 2x)}", f'a{{b:image-set("~im_/{DIR}/i" 1x,url("~im_/{DIR}/j") 2x)}}'),
        ("a{content:'url(i)'}/* url(i) */", "a{content:'url(i)'}/* url(i) */"),
        ("@media x{a{b:url(i)}}", f'@media x{{a{{b:url("~im_/{DIR}/i")}}}}'),
        ("a{behavior:url(i.htc)}", f'a{{behavior:url("~im_/{DIR}/i.htc")}}'),
        (
            "a{filter:progid:DXImageTransform.Microsoft.AlphaImageLoader(src='i',sizingMethod=x)}",
            f'a{{filter:progid:DXImageTransform.Microsoft.AlphaImageLoader(src="~im_/{DIR}/i",sizingMethod=x)}}',
        ),
    ],
)
def test_a_rule(sheet: str, expected: str) -> None:
    assert short(replayed(sheet, "text/css")) == expected


PARTS = (
    *(
        "url(",
        ")",
        "'",
        '"',
        "\\",
        "http://b.example/x",
        "//b.example/y",
        "@import ",
        ";",
        "{",
        "}",
        "a:",
        "/*",
        "*/",
        "\n",
    ),
    *("image-set(", "(", " ", "@font-face", "src:", "<!--", "-->", "u\\72l(", "@namespace ", "@media ", "x"),
)


@given(st.lists(st.sampled_from(PARTS), max_size=30).map("".join))
def test_what_an_independent_parser_finds_leads_into_the_archive(sheet: str) -> None:
    def addresses(nodes: list[tinycss2.ast.Node]) -> list[str]:
        found = []
        for node in nodes:
            if node.type == "url":
                found.append(node.value)
            elif node.type == "function":
                if node.lower_name in {"url", "image-set"}:
                    found += [each.value for each in node.arguments if each.type == "string"]
                found += addresses(node.arguments)
            elif hasattr(node, "content") and isinstance(node.content, list):
                found += addresses(node.content)
        return found

    def rules(text: str) -> list[str]:
        found = []
        for rule in tinycss2.parse_stylesheet(text):
            if rule.type == "at-rule" and rule.lower_at_keyword == "import":
                each = ([node.value] if node.type == "string" else addresses([node]) for node in rule.prelude)
                found += [address for found_here in each for address in found_here][:1]
            elif rule.type == "qualified-rule":
                found += addresses(rule.content)
        return found

    before, after = rules(sheet), rules(replayed(sheet, "text/css").body.decode())
    assert len(before) == len(after)
    for address in after:
        assert not address.startswith(("http:", "//")), (sheet, address)


def test_an_address_cannot_end_the_string_it_stands_in() -> None:
    def strange(address: str, modifier: str) -> str:
        return link(address, modifier) + '"\\\n</style>'

    text = rewritten_css("a{b:url(i)}", Links(f"{DIR}/page", strange))
    assert text == f'a{{b:url("/web/20260101000000im_/{DIR}/i\\22 \\5c \\a \\3c /style>")}}'
