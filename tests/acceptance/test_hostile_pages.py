"""A thousand pages made to crash, stall or starve a parser, and good ones between them, through the command itself."""

from __future__ import annotations

import gzip
import json
import random
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from archive.walls import IN_PLACE
from tests.command import Command
from tests.records import AUTHORS, HEAD, news, record, record_id

PAGES = 1000
GOOD_EVERY = 10  # pages: one of them is good
SEED = 20261128
TIME_LIMIT_S, MEMORY_BYTES = 4, 768 << 20
LONGEST_RUN_S = 0.6 * PAGES  # two processors need a tenth of a second a page when nobody else wants them
KINDS = {"article", "index", "live", "gallery", "stub", "error", "other", "unreadable", *IN_PLACE}
TAGS = ("div", "span", "p", "b", "i", "a", "ul", "li", "table", "tr", "td", "blockquote", "font", "form", "section")
TAGS += ("article", "h1", "h2", "svg", "math", "select", "template", "q")
CHARSETS = (
    "utf-8 utf-16 utf-7 cp1251 koi8-r gb18030 shift_jis iso-2022-jp idna punycode rot13 unicode_escape zlib nonsense"
)

Rng = random.Random
Make = Callable[[Rng], bytes]
PROSE = news(0).partition(b"<article>")[2].partition(b"</article>")[0]


def inside(markup: bytes, *, head: bytes = b"") -> bytes:
    return b"<html><head><title>T</title>%s</head><body><article>%s%s</article></body></html>" % (head, PROSE, markup)


def nested(rng: Rng) -> bytes:
    tags = rng.choices(TAGS, k=rng.randint(1, 4))
    return inside("".join(f"<{tag}>" for tag in tags).encode() * rng.randint(1000, 30_000) + b"deep")


def attributes(rng: Rng) -> bytes:
    same = rng.random() < 0.2
    count = rng.choice((5_000, 40_000, 40_000, 120_000))
    tag = rng.choice(("div", "p", "a", "body", "article", "img", "meta"))
    value = rng.choice(("", "=x", '="a b>c"', "='<'"))
    return inside(f"<{tag} {' '.join(f'a{0 if same else n}{value}' for n in range(count))}>x</{tag}>".encode())


def long_of(piece: bytes) -> Make:
    return lambda rng: inside(piece * (rng.choice((200_000, 2_000_000)) // len(piece)))


def huge(rng: Rng) -> bytes:
    piece = rng.choice(
        (b"x", b"lorem ipsum ", b"<i>", b"&amp;", b"<!-- ", b"<p>a paragraph of some words</p>", b"\n", b"<")
    )
    return inside(piece * (20_000_000 // len(piece)))


def many_of(*elements: bytes) -> Make:
    return lambda rng: inside(rng.choice(elements) * rng.choice((2_000, 2_000, 20_000)))


def noise(rng: Rng) -> bytes:
    return rng.randbytes(rng.randint(1, 100_000))


def soup(rng: Rng) -> bytes:
    tokens = [
        b"<",
        b">",
        b"</",
        b"/>",
        b"=",
        b'"',
        b"'",
        b"&",
        b"&#",
        b"<!",
        b"<![CDATA[",
        b"]]>",
        b"--",
        b"\0",
        b"\xff",
    ]
    tokens += [f"<{tag} ".encode() for tag in TAGS] + [f"</{tag}>".encode() for tag in TAGS] + [b"word "] * 20
    return b"".join(rng.choices(tokens, k=rng.randint(10, 30_000)))


def mutated(rng: Rng) -> bytes:
    page = bytearray(inside(b"<ul><li><a href=/x>y</a></li></ul>"))
    for _ in range(rng.randint(1, 200)):
        page[rng.randrange(len(page))] = rng.randrange(256)
    start = rng.randrange(len(page))
    return bytes(page[:start]) + bytes(page[rng.randrange(len(page)) :])


def nuls(rng: Rng) -> bytes:
    page = inside(b"")
    return rng.choice(
        (b"\0" * 100_000, page.replace(b" ", b"\0"), b"\0" + page, page[: len(page) // 2] + b"\0" * 5000 + page)
    )


def charsets(rng: Rng) -> bytes:
    label, other = rng.choice(CHARSETS.split()), rng.choice(("cp1251", "utf-16-le", "koi8-r", "utf-8", "gb18030"))
    text = "Совет проголосовал во вторник. " * rng.randint(1, 200)
    mixed = text.encode(other) + text.encode(rng.choice(("utf-8", "cp1251"))) + rng.randbytes(rng.randint(0, 50))
    return rng.choice((b"", b"\xff\xfe", b"\xef\xbb\xbf")) + inside(mixed, head=b"<meta charset=%s>" % label.encode())


def without_html(rng: Rng) -> bytes:
    return rng.choice((PROSE, b"", b" ", b"<", b"plain words", b'{"a": 1}', b"%PDF-1.7", b"<p>" * 3, b"<rss></rss>"))


def data(rng: Rng) -> bytes:
    depth = rng.choice((100, 10_000, 100_000))
    blob = rng.choice(
        (
            b"[" * depth,
            b'{"a":' * depth,
            b"[" + b"1," * depth + b"1]",
            b'{"@type":"NewsArticle","headline":' + b"9" * depth + b"}",
        )
    )
    return inside(b"", head=b'<script type="application/ld+json">' + blob + b"</script>")


def addresses(rng: Rng) -> bytes:
    bad = rng.choice((b"http://[", b"http://[::1", b"//\xff", b"javascript:x", b"http://a:99999999/", b"%" * 5000))
    return inside(
        b"<a href='%s'>x</a>" % bad * 500, head=b"<base href='%s'><link rel=canonical href='%s'>" % (bad, bad)
    )


def dates(rng: Rng) -> bytes:
    bad = rng.choice(
        (b"9" * 5000, b"2026-99-99T99:99:99+99:99", b"0000-00-00", b"1" * 100 + b"-", b"2026-01-01 " * 5000)
    )
    return inside(b"<time datetime='%s'>%s</time>" % (bad, bad), head=b"<meta name=date content='%s'>" % bad)


KIND_OF_PAGE: dict[str, tuple[Make, int]] = {  # and how often, in parts
    "nested": (nested, 10),
    "attributes": (attributes, 10),
    "words": (long_of(b"word "), 3),
    "one word": (long_of(b"x"), 3),
    "white space": (long_of(b" \n\t"), 3),
    "entities": (long_of(b"&#x110000;&bogus;&#0;&#xd800;"), 3),
    "breaks and links": (many_of(b"<br>", b"<a href=/x>y</a> ", b"<hr>", b"<wbr>"), 3),
    "lists": (many_of(b"<li><a href=/x>story one</a></li>", b"<h2><a href=x>A story</a></h2>", b"<h1>x</h1>"), 3),
    "bylines": (many_of(b"<a rel=author href=/author/x>Jane Doe</a>", b"<span class=byline>By A B</span>"), 2),
    "pictures": (many_of(b"<figure><img src=a><figcaption>x photo: A B</figcaption></figure>"), 2),
    "noise": (noise, 8),
    "soup": (soup, 10),
    "mutated": (mutated, 12),
    "nuls": (nuls, 8),
    "charsets": (charsets, 12),
    "no html": (without_html, 8),
    "data": (data, 6),
    "addresses": (addresses, 4),
    "dates": (dates, 4),
    "huge": (huge, 1),
}


def hostile_response(rng: Rng, body: bytes) -> bytes:
    """Return an answer with *body*, in some coding, which may lie."""
    way = rng.random()
    if way < 0.1:
        return HEAD.replace(b"\r\n\r\n", b"\r\nContent-Encoding: gzip\r\n\r\n") + gzip.compress(body, 1)
    if way < 0.13:
        return HEAD.replace(b"\r\n\r\n", b"\r\nContent-Encoding: gzip\r\n\r\n") + body  # it is not
    if way < 0.2:
        chunked = HEAD.replace(b"\r\n\r\n", b"\r\nTransfer-Encoding: chunked\r\n\r\n")
        return chunked + b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body) if body else chunked + b"0\r\n\r\n"
    return HEAD + body


def write(path: Path) -> dict[str, str]:
    """Write the pages; return the name of each one's kind by record id."""
    rng = Rng(SEED)
    names, weights = list(KIND_OF_PAGE), [parts for _, parts in KIND_OF_PAGE.values()]
    made: dict[str, str] = {}
    with path.open("wb") as file:
        for number in range(PAGES):
            good = number % GOOD_EVERY == 0
            name = "good" if good else rng.choices(names, weights)[0]
            block = HEAD + news(number) if good else hostile_response(rng, KIND_OF_PAGE[name][0](rng))
            made[record_id(number)] = name
            file.write(record(number, block))
    return made


@pytest.mark.slow
def test_a_thousand_hostile_pages_end_in_an_article_or_a_clear_kind(tmp_path: Path) -> None:
    print(f"seed {SEED}")
    made = write(tmp_path / "hostile.warc.gz")
    command = Command(tmp_path)
    command.variables |= {
        "NEWSWARC_WORKER_TIME_LIMIT_S": str(TIME_LIMIT_S),
        "NEWSWARC_WORKER_MEMORY_BYTES": str(MEMORY_BYTES),
    }
    began_s = time.monotonic()
    with command.start("extract", "hostile.warc.gz", "--jobs", "2", "--output", "out.jsonl") as process:
        err = process.communicate(timeout=LONGEST_RUN_S)[1].decode()
    taken_s = time.monotonic() - began_s
    rows = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text("utf-8").splitlines()]

    assert [row["source"]["record_id"] for row in rows] == list(made), "one result a page, none lost, none doubled"
    kinds = Counter((made[row["source"]["record_id"]], row["page_kind"]) for row in rows)
    print(f"{taken_s:.0f} s; {sorted(kinds.items())}")
    assert {kind for _, kind in kinds} <= KINDS
    given_up = [row for row in rows if row["page_kind"] == "unreadable"]
    assert all(row["problem"] for row in given_up), "whatever was given up says why"
    told = [line for line in err.splitlines() if "hostile.warc.gz <urn:uuid" in line]
    for row in given_up:
        assert any(row["source"]["record_id"] in line and row["problem"] in line for line in told)
    assert process.returncode == (1 if given_up else 0), err[-3000:]
    assert f"{len(given_up)} failed" in err or not given_up
    # Most cost little: the limits are for what nobody has thought of.
    readable = [row for row in given_up if "coding cannot be decoded" not in row["problem"]]
    assert len(readable) <= PAGES // 50, Counter((made[row["source"]["record_id"]], row["problem"]) for row in readable)
    for row in rows:
        if made[row["source"]["record_id"]] == "good":
            number = int(row["source"]["record_id"][-13:-1])
            assert row["page_kind"] == "article"
            assert row["title"] == f"Council votes on ferry number {number}"
            assert row["authors"] == [AUTHORS[number % 7]]
            assert row["text"].count("\n\n") == 4
