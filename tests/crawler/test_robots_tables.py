"""What the public matchers of robots.txt are tested with, case by case: Google's (robots_test.cc and the test of its
reports) and Protego's, told in our own words.

Where the two contradict each other, RFC 9309 decides; :data:`DIFFERENT` has these cases, with what is answered here.
Left out is what is no question about a page: Google's counts of lines (their effect on the rules is here), and
Protego's ``Host`` and ``Visit-time``, which RFC 9309 does not know and no crawler obeys.
"""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from crawler.robotstxt import RobotsRules, rules_from

SITE = "http://news.example"


def read(text: str | bytes) -> RobotsRules:
    body = text.encode() if isinstance(text, str) else text
    now = datetime(2026, 11, 21, tzinfo=UTC)
    return rules_from(200, body, None, robots_url=f"{SITE}/robots.txt", fetched_at=now)


# robots.txt (";" ends a line), agent, what it may fetch, what it may not
Case = tuple[str, str, tuple[str, ...], tuple[str, ...]]

FISH = ("/fish", "/fish.html", "/fish/salmon.html", "/fishheads", "/fishheads/yummy.html", "/fish.html?id=anything")
GROUPS = (
    "allow: /before/;;user-agent: Heron;disallow: /;allow: /x/;user-agent: Stork;disallow: /;allow: /y/;;;allow: /w/;"
    "user-agent: Crane;;user-agent: Heron;allow: /z/;disallow: /"
)
EXCESS = "user-agent: A;disallow: /foo*;user-agent: B;disallow: /foo*/bar.html;user-agent: C;disallow: *m"
PLANS = (
    "User-agent: ibis;Disallow: /;;User-agent: egret;User-agent: gull;Disallow:;;User-agent: *;"
    "Disallow: /org/plans.html;Allow: /org/;Allow: /serv;Allow: /~mak;Disallow: /"
)

GOOGLE: list[Case] = [
    # nothing, or nobody
    ("", "Heron", ("", "/a"), ()),
    ("user-agent: Heron;disallow: /", "", ("/a",), ()),
    ("user-agent: Heron;disallow: /", "Heron", (), ("",)),
    ("", "", ("",), ()),
    # lines: a name, a colon, a value; the colon may be forgotten
    ("user-agent: Heron;disallow: /", "Heron", (), ("/x/y",)),
    ("foo: Heron;bar: /", "Heron", ("/x/y",), ()),
    ("user-agent Heron;disallow /", "Heron", (), ("/x/y",)),
    # groups: rules of one agent in several of them are one; what stands before the first is none's
    (GROUPS, "Heron", ("/x/b", "/z/d"), ("/y/c", "/before/")),
    (GROUPS, "Stork", ("/y/c", "/w/a"), ("/z/d", "/before/")),
    (GROUPS, "Crane", ("/z/d",), ("/before/",)),
    # what the standard does not name parts no group
    ("User-agent: Stork;Sitemap: https://x.example/s;User-agent: *;Disallow: /", "Heron", (), ("/",)),
    ("User-agent: Stork;Sitemap: https://x.example/s;User-agent: *;Disallow: /", "Stork", (), ("/",)),
    ("User-agent: Heron;Never-Heard-Of: it;User-agent: *;Disallow: /", "Heron", (), ("/",)),
    ("User-agent: Heron;Never-Heard-Of: it;User-agent: *;Disallow: /", "Stork", (), ("/",)),
    # names of lines, and agents, in any case
    ("USER-AGENT: Heron;ALLOW: /x/;DISALLOW: /", "Heron", ("/x/y",), ("/a/b",)),
    ("user-agent: Heron;allow: /x/;disallow: /", "Heron", ("/x/y",), ("/a/b",)),
    ("uSeR-aGeNt: Heron;AlLoW: /x/;dIsAlLoW: /", "Heron", ("/x/y",), ("/a/b",)),
    ("User-Agent: GREAT HERON;Allow: /x/;Disallow: /", "Great", ("/x/y",), ("/a/b",)),
    ("User-Agent: great heron;Allow: /x/;Disallow: /", "Great", ("/x/y",), ("/a/b",)),
    ("User-Agent: gReAt hErOn;Allow: /x/;Disallow: /", "great", ("/x/y",), ("/a/b",)),
    # an agent's name ends at the first blank
    ("User-Agent: *;Disallow: /;User-Agent: Great Heron;Allow: /x/;Disallow: /", "Great", ("/x/y",), ()),
    ("User-Agent: *;Disallow: /;User-Agent: Great Heron;Allow: /x/;Disallow: /", "Great Heron", (), ("/x/y",)),
    # the group for all others
    ("user-agent: *;allow: /;user-agent: Heron;disallow: /", "Heron", (), ("/x/y",)),
    ("user-agent: *;allow: /;user-agent: Heron;disallow: /", "Stork", ("/x/y",), ()),
    ("user-agent: Heron;allow: /;user-agent: A;disallow: /;user-agent: B;disallow: /", "Stork", ("/x/y",), ()),
    # paths in their own case
    ("user-agent: Heron;disallow: /x/", "Heron", ("/X/y",), ("/x/y",)),
    ("user-agent: Heron;disallow: /X/", "Heron", ("/x/y",), ("/X/y",)),
    # the longest match; of equal ones the one that allows
    ("user-agent: Heron;disallow: /x/page.html;allow: /x/", "Heron", (), ("/x/page.html",)),
    ("user-agent: Heron;allow: /x/page.html;disallow: /x/", "Heron", ("/x/page.html",), ("/x/",)),
    ("user-agent: Heron;disallow: ;allow: ", "Heron", ("/x/page.html",), ()),
    ("user-agent: Heron;disallow: /;allow: /", "Heron", ("/x/page.html",), ()),
    ("user-agent: Heron;disallow: /x;allow: /x/", "Heron", ("/x/",), ("/x",)),
    ("user-agent: Heron;disallow: /x/page.html;allow: /x/page.html", "Heron", ("/x/page.html",), ()),
    ("user-agent: Heron;allow: /page;disallow: /*.html", "Heron", ("/page",), ("/page.html",)),
    ("user-agent: Heron;allow: /x/page.;disallow: /*.html", "Heron", ("/x/page.html",), ("/x/y.html",)),
    ("User-agent: *;Disallow: /x/;User-agent: Heron;Disallow: /y/", "Heron", ("/x/page",), ("/y/page",)),
    # percent-encoding, of addresses that have it
    ("User-agent: Heron;Disallow: /;Allow: /a/b?c=d&e=http://f.g?h&i", "Heron", ("/a/b?c=d&e=http://f.g?h&i",), ()),
    ("User-agent: Heron;Disallow: /;Allow: /a/b/ツ", "Heron", ("/a/b/%E3%83%84",), ()),
    ("User-agent: Heron;Disallow: /;Allow: /a/b/%E3%83%84", "Heron", ("/a/b/%E3%83%84",), ()),
    ("User-agent: Heron;Disallow: /;Allow: /a/b/%62%61%7A", "Heron", ("/a/b/%62%61%7A",), ()),
    ("User-agent: Heron;Disallow: /á", "Heron", ("/a",), ("/%C3%A1", "/%c3%a1")),  # escaped,
    ("User-agent: Heron;Disallow: /a%aa", "Heron", (), ("/a%AA", "/a%aa")),  # and in capitals
    # "*", "$" and "#"
    (
        "User-agent: Heron;Disallow: /a/bar/quz;Allow: /a/*/qux",
        "Heron",
        ("/a/quz", "/a//quz", "/a/bax/quz"),
        ("/a/bar/quz",),
    ),
    ("User-agent: Heron;Disallow: /a/b$;Allow: /a/b/c", "Heron", ("/a/b/c", "/a/b/", "/a/b/d"), ("/a/b",)),
    ("User-agent: Heron;# Disallow: /;Disallow: /a/q#z;Allow: /", "Heron", ("/a/b",), ("/a/q",)),
    # who names the index of a directory means the directory
    (
        "User-Agent: *;Allow: /open/index.html;Disallow: /",
        "Heron",
        ("/open/", "/open/index.html"),
        ("/open/index.htm", "/other"),
    ),
    # as Google's documentation tells it
    ("user-agent: Heron;disallow: /;allow: /fish", "Heron", FISH, ("/bar", "/Fish.asp", "/catfish", "/?id=fish")),
    ("user-agent: Heron;disallow: /;allow: /fish*", "Heron", FISH, ("/bar", "/Fish.bar", "/catfish", "/?id=fish")),
    (
        "user-agent: Heron;disallow: /;allow: /fish/",
        "Heron",
        ("/fish/", "/fish/salmon", "/fish/?salmon", "/fish/salmon.html", "/fish/?id=anything"),
        ("/bar", "/fish", "/fish.html", "/Fish/Salmon.html"),
    ),
    (
        "user-agent: Heron;disallow: /;allow: /*.php",
        "Heron",
        ("/f.php", "/a/f.php", "/a/f.php?p", "//a/any.php.file.html", "/f.php/", "/index?f=f.php/"),
        ("/bar", "/php/", "/index?php", "/windows.PHP"),
    ),
    (
        "user-agent: Heron;disallow: /;allow: /*.php$",
        "Heron",
        ("/f.php", "/a/f.php"),
        ("/bar", "/f.php?p", "/f.php/", "/f.php5", "/php/", "/f?php", "/aaaphpaaa", "//windows.PHP"),
    ),
    ("user-agent: Heron;disallow: /;allow: /fish*.php", "Heron", ("/fish.php", "/fishheads/c.php?p"), ("/Fish.PHP",)),
    ("user-agent: Heron;allow: /p;disallow: /", "Heron", ("/page",), ()),
    ("user-agent: Heron;allow: /folder;disallow: /folder", "Heron", ("/folder/page",), ()),
    ("user-agent: Heron;allow: /page;disallow: /*.htm", "Heron", (), ("/page.htm",)),
    ("user-agent: Heron;allow: /$;disallow: /", "Heron", ("/",), ("/page.html",)),
    # what of an address counts
    ("user-agent: Heron;disallow: /$", "Heron", ("/a", "/a/"), ("", "/", "/#c")),
    ("user-agent: Heron;disallow: /a/b?c=d&e=f$", "Heron", ("/a/b",), ("/a/b?c=d&e=f#g", "/a/b?c=d&e=f")),
    ("user-agent: Heron;disallow: /a/b?c=http://d.e/$", "Heron", (), ("/a/b?c=http://d.e/",)),
    ("user-agent: Heron;disallow: /?a$;disallow: /a{semicolon}b$", "Heron", ("/a",), ("?a", "/a;b#c")),
]  # fmt: skip

PROTEGO: list[Case] = [
    ("User-agent: * ;Disallow: /no ;Allow: /yes ;Crawl-delay: 10", "*", ("/yes",), ("/no",)),
    ("User-agent: * ;Disallow: /d ;Crawl-delay: 10", "*", ("/abc/d",), ("/disallowed",)),
    (
        "User-agent: *;Disallow: /1;Dissallow: /2;Dissalow: /3;Disalow: /4;Diasllow: /5;Disallaw: /6",
        "*",
        ("/7",),
        ("/1", "/2", "/3", "/4", "/5", "/6"),
    ),
    ("User-agent: *;Disallow: /;Allow: /page", "*", ("/page",), ("/elsewhere",)),
    ("user-agent: Heron;disallow: /folder;allow: /folder", "Heron", ("/folder/page",), ()),
    # escaped or not, in the rule or in the address
    ("User-agent: *;Disallow: /;Allow: /a%3cd.html", "*", ("/a<d.html", "/a%3cd.html"), ()),
    ("User-agent: *;Disallow: /;Allow: /a%3c*", "*", ("/a<d.html", "/a%3cd.html"), ()),
    ("User-agent: *;Disallow: /;Allow: /a<d.html", "*", ("/a<d.html", "/a%3cd.html"), ()),
    ("User-agent: *;Disallow: /;Allow: /a<*", "*", ("/a<d.html", "/a%3cd.html"), ()),
    ("User-agent: Heron;Disallow: /;Allow: /a/ツ", "Heron", ("/a/%E3%83%84", "/a/ツ"), ()),
    ("User-agent: Heron;Disallow: /;Allow: /a/%E3%83%84", "Heron", ("/a/%E3%83%84", "/a/ツ"), ()),
    ("User-agent: Heron;Disallow: /;Allow: /a/%62%61%7A", "Heron", ("/a/baz", "/a/%62%61%7A"), ()),
    ("User-agent: *;Disallow: /path{semicolon}params?query", "*", (), ("/path;params?query#fragment",)),
    ("User-agent: *;Disallow: /?", "*", ("/",), ("/?query",)),
    ("User-agent: *;Disallow: /*s=", "*", ("/", "/s/"), ("/?s=asd",)),
    ("", "chrome", ("/", "/index.html"), ()),
    # wildcards
    (
        "User-agent: A;Disallow: /no/*/end$;Disallow: /pro*work",
        "A",
        ("/no", "/no/x/endinglater", "/ro_does_work", "/pro_does_wor"),
        ("/no/x/end", "/no/abc/end", "/proworks", "/pro_works", "/pro/works", "/pro_does_work"),
    ),
    ("User-agent: B;Allow: /*allowed;Disallow: /", "B", ("/allowed", "/is_still_allowed", "/is_allowed_too"), ("/a",)),
    (EXCESS, "A", ("/fo.html",), ("/foo.html", "/food", "/foo/bar.html")),
    (EXCESS, "B", ("/fo.html", "/food/xyz.html"), ("/foo/bar.html", "/food/bar.html", "/foo/a/b/c/x/y/z/bar.html")),
    (EXCESS, "C", ("/foo", "/foo/bar.txt"), ("/foo.htm", "/foo.html", "/foom", "/moo", "/foo/bar.html")),
    (
        "User-agent: D;Allow: /foo/bar.html;Disallow: *",
        "D",
        ("/foo/bar.html",),
        ("/fo.html", "/foo.html", "/foo", "/foo/bar.txt"),
    ),
    (
        "User-agent: E;Disallow: /foo*/*bar.html",
        "E",
        ("/food/rebarf.html",),
        ("/foo/bar.html", "/food/rebar.html", "/foo/a/b/c/rebar.html", "/foo/a/b/c/bar.html"),
    ),
    ("User-agent: F;Allow: /foo$;Disallow: /foo", "F", ("/foo",), ("/foo/", "/foo/bar.html", "/fooey")),
    ("User-agent: G;Allow: *****************/****.js", "G", ("/xyz/foo.js", "/inlife/daily/fashion-20160727/"), ()),
    ("User-agent: *;allow: */p;disallow: /", "*", ("/page",), ()),
    ("User-agent: *;allow: /page;disallow: */*.htm", "*", (), ("/page.htm",)),
    # a dollar that does not end a rule, and escaped ones, are themselves
    (
        "user-agent: H;disallow: /x$/abc;disallow: /y/abc$;disallow: /x*x$/abc;disallow: /y*y/abc$",
        "H",
        ("/y/abcdef", "/yabcy/abcdef"),
        ("/x$/abcdef", "/x%24/abcdef", "/y/abc", "/xabcx$/abcdef", "/xabcx%24/abcdef", "/yabcy/abc"),
    ),
    (
        "user-agent: H;disallow: /x/abc%24;disallow: /x%2Ax/abc",
        "H",
        ("/x/abc", "/xabcx/abc"),
        ("/x/abc$abc", "/x/abc$", "/x*x/abc", "/x*x/abcdef"),
    ),
    ("user-agent: H;disallow: /x/abc$;disallow: /x*x/abc", "H", (), ("/x*x/abc", "/x/abc$", "/x/abc%24")),
    # letters of any language
    (
        "User-Agent: *;Disallow: /admin/;Disallow: /K%C3%A4ytt:;Disallow: /Käytt:;User-Agent: UnicödeBöt;Disallow: /s",
        "*",
        ("/", "/s"),
        ("/admin/", "/K%C3%A4ytt:", "/Käytt:"),
    ),
    (
        "User-Agent: *;Disallow: /admin/;User-Agent: UnicödeBöt;Disallow: /some",
        "UnicödeBöt",
        ("/admin/",),
        ("/some/page.html",),
    ),
    ("User-Agent: Jävla-Foobot;Disallow: /", "jävla-foobot", (), ("/a",)),
    ("User-Agent: Jävla-Foobot;Disallow: /", "jävla-fanbot", ("/a",), ()),
    ("User-Agent: Львів-bot;Disallow: /t/", "Львів-bot", ("/",), ("/t/foo.htm",)),
    # groups
    ("Disallow: /x;Allow: /x/y;Crawl-delay: 5.2;User-Agent: A;Disallow: /w", "B", ("/x", "/w"), ()),
    ("Disallow: /x;Allow: /x/y;Crawl-delay: 5.2;User-Agent: A;Disallow: /w", "A", ("/x",), ("/w",)),
    ("User-Agent: A;Disallow: /a;;User-Agent: *;Disallow: /all;;User-Agent: B;Disallow: /b", "C", ("/a",), ("/all",)),
    ("User-Agent: A;Disallow: /a;;User-Agent: *;Disallow: /all;;User-Agent: B;Disallow: /b", "B", ("/all",), ("/b",)),
    ("User-Agent: testbot;Disallow: /t;;User-Agent: *;Disallow: /all", "tEStbOt", ("/all",), ("/t",)),
    ("User-Agent: one;User-Agent: two;Disallow: /s;User-Agent: *;Disallow: /f", "one", ("/f",), ("/s",)),
    ("User-Agent: one;User-Agent: two;Disallow: /s;User-Agent: *;Disallow: /f", "two", ("/f",), ("/s",)),
    ("# 1;User-Agent: one # 2;# 3;User-Agent: two;Disallow: /s;# Disallow: /c;User-Agent: *", "one", ("/c",), ("/s",)),
    ("User-Agent: A;Disallow: /a;Harry: Potter;User-Agent: B;Disallow: /b", "A", ("/b",), ("/a",)),
    ("User-Agent: A;Disallow: /a;Harry Potter;User-Agent: B;Disallow: /b", "B", ("/a",), ("/b",)),
    ("User-Agent: A;Disallow:;;User-Agent: B;Allow:", "A", ("/1", "/2"), ()),
    ("User-Agent: A;Disallow:;;User-Agent: B;Allow:", "B", ("/1", "/2"), ()),
    ("User-Agent: A;Disallow: /;User-Agent: B", "B", ("/1", "/2"), ()),
    ("User-agent: *;Disallow: /;;User-agent: A;Disallow:", "A", ("/", "/b"), ()),
    ("User-agent: *;Disallow: /;;User-agent: A;Disallow:", "B", (), ("/", "/b")),
    # the drafts of 1994 and 1996
    (
        "User-agent: *;Disallow: /c/map/ # without end;Disallow: /tmp/ # soon gone;Disallow: /foo.html",
        "Any",
        ("/", "/foo.htm", "/foo.shtml", "/c/index.html"),
        ("/foo.html", "/foo.htmlx", "/tmp/foo.html"),
    ),
    ("User-agent: A;Allow: /tmp;Disallow: /", "A", ("/tmp.html", "/tmp", "/tmp/a.html"), ()),
    ("User-agent: A;Allow: /tmp/;Disallow: /", "A", ("/tmp/", "/tmp/a.html"), ("/tmp",)),
    ("User-agent: A;Allow: /a%3cd.html;Disallow: /", "A", ("/a%3cd.html", "/a%3Cd.html"), ()),
    ("User-agent: A;Allow: /a%3Cd.html;Disallow: /", "A", ("/a%3cd.html", "/a%3Cd.html"), ()),
    ("User-agent: A;Allow: /a%2fb.html;Disallow: /", "A", ("/a%2fb.html",), ("/a/b.html",)),
    ("User-agent: A;Allow: /a/b.html;Disallow: /", "A", ("/a/b.html",), ("/a%2fb.html",)),
    ("User-agent: A;Allow: /%7ejoe/index.html;Disallow: /", "A", ("/~joe/index.html",), ()),
    ("User-agent: A;Allow: /~joe/index.html;Disallow: /", "A", ("/%7Ejoe/index.html",), ()),
    (PLANS, "ibis", (), ("/", "/index.html", "/server.html", "/services/fast.html", "/org/about.html", "/%7Emak/m")),
    (PLANS, "egret", ("/", "/index.html", "/orgo.gif", "/org/plans.html", "/%7Ejim/jim.html"), ()),
    (PLANS, "gull", ("/", "/index.html", "/orgo.gif", "/org/plans.html", "/%7Ejim/jim.html"), ()),
    (
        PLANS,
        "Other",
        ("/server.html", "/services/fast.html", "/services/slow.html", "/org/about.html", "/%7Emak/mak.html"),
        ("/", "/index.html", "/orgo.gif", "/org/plans.html", "/%7Ejim/jim.html"),
    ),
    # what people write
    ("user-agent: *;disallow: http://other.example/", "A", ("/",), ("/http://other.example/",)),
    ("User-Agent: *;Disallow: /", "A", (), ("/", "")),
    (
        "User-Agent: *;Disallow: //folder/*",
        "A",
        ("/", "/folder", "/folder/", "/folder/page", "//folder"),
        ("//folder/page",),
    ),
    # as Google's documentation tells it
    ("user-agent: owl-news;disallow: /;allow: /1;user-agent: *;disallow: /;allow: /2", "owl-news", ("/1",), ("/2",)),
    ("user-agent: owl-news;disallow: /;allow: /1;user-agent: *;disallow: /;allow: /2", "a", ("/2",), ("/1",)),
    ("user-agent: owl-news;disallow: /;allow: /1;user-agent: *;disallow: /;allow: /2", "ow", ("/2",), ("/1",)),
    ("user-agent: A;disallow: /", "A", (), ("/harry", "/device/time-turner", "/hogwards.html")),
    ("user-agent: A;disallow: /*", "A", (), ("/harry", "/device/time-turner", "/hogwards.html")),
    ("user-agent: A;disallow: /fish", "A", ("/Fish.asp", "/catfish", "/?id=fish"), FISH),
    ("user-agent: A;disallow: /fish*", "A", ("/Fish.asp", "/catfish", "/?id=fish"), FISH),
    ("user-agent: A;disallow: /*.php", "A", ("/windows.PHP", "/", "/index?php"), ("/f.php/", "/index?f=f.php/")),
    ("user-agent: A;disallow: /*.php$", "A", ("/f.php?p", "/f.php/", "/f.php5", "/f?php"), ("/f.php", "/a/f.php")),
]  # fmt: skip

UNKNOWN = "User-agent: A;Disallow: /2/;User-agent: *;Invalid_directive: /g;User-agent: B;Disallow: /"
DIFFERENT: list[Case] = [
    # Protego lets a line it does not know part a group; Google does not, nor may it (2.2.4).
    (UNKNOWN, "C", (), ("/foo", "/2/")),
    (UNKNOWN, "B", (), ("/foo", "/2/")),
    # Protego takes names with blanks whole; Google, and the standard's grammar, end them there (2.2.1).
    ("user agent harry potter;disallow /h", "harry", ("/abc",), ("/h",)),
    ("user agent harry potter;disallow /h", "harry potter", ("/abc", "/h"), ()),
    # Protego knows wildcards in agents, and names that begin another; the standard has neither.
    ("user-agent: foo*bot;disallow: /p", "foobot", ("/p",), ()),
    ("user-agent: owl-news;disallow: /", "owl-news2", ("/1",), ()),
    ("user-agent: owl;disallow: /", "owl-images", ("/1",), ()),
    # Google compares addresses as they are, and leaves it to the caller to escape them: here that is done (2.2.2).
    ("User-agent: A;Disallow: /;Allow: /a/ツ", "A", ("/a/ツ",), ()),
    ("User-agent: A;Disallow: /;Allow: /a/%62%61%7A", "A", ("/a/baz",), ()),
]


@pytest.mark.parametrize(
    ("text", "agent", "allowed", "forbidden"),
    [
        *(pytest.param(*case, id=f"google-{number}") for number, case in enumerate(GOOGLE)),
        *(pytest.param(*case, id=f"protego-{number}") for number, case in enumerate(PROTEGO)),
        *(pytest.param(*case, id=f"different-{number}") for number, case in enumerate(DIFFERENT)),
    ],
)
def test_each_case_of_the_public_matchers(
    text: str, agent: str, allowed: tuple[str, ...], forbidden: tuple[str, ...]
) -> None:
    rules = read(text.replace(";", "\n").replace("{semicolon}", ";"))
    assert {path: rules.decide(SITE + path, agent).allowed for path in (*allowed, *forbidden)} == {
        **dict.fromkeys(allowed, True),
        **dict.fromkeys(forbidden, False),
    }


@pytest.mark.parametrize("host", ["http://other.example", "https://www.news.example", "http://u@news.example:10"])
def test_whose_address_it_is_does_not_matter_to_the_rules(host: str) -> None:
    assert not read("User-agent: *\nDisallow: /foo.html").decide(f"{host}/foo.html").allowed


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("last", [True, False])
def test_lines_end_as_on_any_system(end: str, last: bool) -> None:
    lines = ["User-Agent: foo", "Allow: /some/path", "User-Agent: bar", "", "", "Disallow: /"]
    rules = read(end.join(lines) + end * last)
    assert rules.decide(f"{SITE}/some/path", "foo").rule == "Allow: /some/path"
    assert rules.decide(f"{SITE}/some/path", "bar").rule == "Disallow: /"


def test_lines_may_end_differently_in_one_file() -> None:
    rules = read("User-Agent: foo\nAllow: /some/path\r\nUser-Agent: bar\n\r\n\nDisallow: /")
    assert rules.decide(f"{SITE}/a", "foo").allowed
    assert not rules.decide(f"{SITE}/a", "bar").allowed


@pytest.mark.parametrize(
    ("body", "read_whole"),
    [
        (b"\xef\xbb\xbfUser-Agent: foo\nDisallow: /", True),
        (b"\xef\xbbUser-Agent: foo\nDisallow: /", True),  # a mark that is cut
        (b"\xefUser-Agent: foo\nDisallow: /", True),
        (b"\xef\x11\xbfUser-Agent: foo\nDisallow: /", False),  # none: the line is garbage
        (b"User-Agent: foo\n\xef\xbb\xbfDisallow: /", False),  # nor is one within the file
    ],
)
def test_a_byte_order_mark_is_skipped_at_the_beginning_whole_or_not(body: bytes, read_whole: bool) -> None:
    assert read(body).decide(f"{SITE}/a", "foo").allowed is not read_whole


def test_lines_beyond_all_measure_are_cut() -> None:
    """Eight times the longest address that browsers took (2,083 characters); what follows does not count."""
    long = "/x/".ljust(2083 * 8 - len("disallow: ") - len("/x/") + 1, "a")
    rules = read(f"user-agent: foo\ndisallow: {long}/qux\n")
    assert rules.decide(f"{SITE}/fux", "foo").allowed
    assert not rules.decide(f"{SITE}{long}/fux", "foo").allowed
    long = "/x/".ljust(2083 * 8 - len("allow: ") - len("/x/") + 1, "a")
    other = long.replace("a", "b")
    rules = read(f"user-agent: foo\ndisallow: /\nallow: {long}/qux\nallow: {other}/qux\n")
    assert not rules.decide(f"{SITE}/", "foo").allowed
    assert rules.decide(f"{SITE}{long}/qux", "foo").allowed
    assert rules.decide(f"{SITE}{other}/fux", "foo").allowed


def test_a_line_after_one_that_is_too_long_counts() -> None:
    rules = read(f"user-agent: foo\ndisallow: /x/{'a' * 2084 * 8}\nallow: /\n")
    assert rules.decide(f"{SITE}/x/", "foo").rule == "Allow: /"


def test_misspelt_lines_count_and_unknown_ones_do_not() -> None:
    rules = read(
        "User-Agent: foo\nAllow: /some/path\nUser-Agent bar # no colon\na line of its own\n#so comment\n\n"
        "unicorns: /extinct\nnoarchive: /some\nDisallow: /\nError #and comment\nuseragent: baz\ndisallaw: /some\n"
        "site-map: https://e.example/s.xml #comment\nsitemap: https://e.example/t.xml\nNoarchive: /Capital\n"
    )
    assert rules.decide(f"{SITE}/some/path", "foo").rule == "Allow: /some/path"
    assert rules.decide(f"{SITE}/extinct", "bar").rule == "Disallow: /"
    assert rules.decide(f"{SITE}/some/path", "baz").rule == "Disallow: /some"
    assert rules.decide(f"{SITE}/Capital", "baz").allowed
    assert rules.sitemaps == ("https://e.example/s.xml", "https://e.example/t.xml")


@pytest.mark.parametrize("before", [True, False])
def test_sitemaps_stand_anywhere(before: bool) -> None:
    groups, sitemap = "User-Agent: foo\nAllow: /x\nUser-Agent: bar\n\n\n", "Sitemap: http://news.example/s.xml\n"
    assert read(sitemap + groups if before else groups + sitemap).sitemaps == ("http://news.example/s.xml",)


def test_no_sitemaps_are_none() -> None:
    assert read("User-agent: * \nDisallow: /no \nAllow: /yes \nCrawl-delay: 10").sitemaps == ()


@pytest.mark.parametrize(
    ("text", "agent", "delay_s"),
    [
        ("User-agent: *;Allow: /yes;Crawl-delay: 10;User-agent: test;Crawl-delay: 15", "*", 10.0),
        ("User-agent: *;Allow: /yes;Crawl-delay: 10;User-agent: test;Crawl-delay: 15", "test", 15.0),
        ("User-agent: *;Allow: /yes;Crawl-delay: random_word", "*", None),
        ("User-agent: *;Allow: /yes", "*", None),
        ("Crawl-delay: 5.2;User-Agent: test;Disallow: /x", "test", None),
        # one request in that many seconds
        ("User-agent: a;Request-rate: 1/10s", "a", 10.0),
        ("User-agent: a;Request-rate: 100/15m", "a", 9.0),
        ("User-agent: a;Request-rate: 400/1h", "a", 9.0),
        ("User-agent: a;Request-rate: 9000/1d", "a", 9.6),
        ("User-agent: a;Request-rate: 1/10s 1820-1940", "a", 10.0),  # at other hours as well: it is no less polite
        ("User-agent: a;Request-rate: 1/60", "a", 60.0),
        ("User-agent: a;Request-rate: 10/60", "a", 6.0),
        ("User-agent: a;Request-rate: 90/180", "a", 2.0),
        ("User-agent: a;request rate 1/5", "a", 5.0),
        ("User-agent: a;Request-rate: 1/10 0600-0845", "a", 10.0),
        # A rate parts no group (2.2.4), as it does for Protego: what names share, they share.
        ("User-agent: a;Request-rate: 1/60;User-agent: b;Request-rate: 100/15m", "b", 9.0),
        ("User-agent: a;Request-rate: 100/15m;User-agent: b;Request-rate: 1/60", "a", 60.0),
        ("User-agent: a;Disallow: /;Request-rate: 0/5;User-agent: b;Request-rate: often", "a", None),
        ("User-agent: a;Request-rate: 1/5;Crawl-delay: 3", "a", 5.0),  # the longer one satisfies both
    ],
)
def test_delays(text: str, agent: str, delay_s: float | None) -> None:
    assert read(text.replace(";", "\n")).crawl_delay_s(agent) == delay_s
