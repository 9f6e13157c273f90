"""What a document leads to: as what each address is asked for, how soon, and what is left out, and why."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crawler import following
from crawler import told as module
from crawler.discovery import Found, Reading
from crawler.following import follow
from crawler.frontier import Kind, Lead, Page
from crawler.leads import FEED_ITEM, PRIORITY, SEED_SECTION, Bounds, Followed, Leads, key_of
from crawler.publication import Publication, site_of
from crawler.told import Told
from spiders.generic import kind_of, period_of
from tests.crawler.crawls import Crawl, reply
from tests.servers.raw_site import RawSite, running

SITE = "https://news.example"
ARTICLE = f"{SITE}/2026/11/21/what-happened-1"
EARLIER = f"{SITE}/2026/03/01/what-happened-0"
UNDATED = f"{SITE}/what-happened-at-the-harbour"


class Printed:
    """A publisher whose articles have a print version."""

    def print_version(self, url: str) -> str | None:
        return f"{url}/pdf"


def publication(**more: object) -> Publication:
    known = {"hosts": ("news.example",), "kind_of": kind_of, "period_of": period_of, "home": (f"{SITE}/",)}
    return Publication(**{**known, **more})  # type: ignore[arg-type]


def leads_of(bounds: Bounds | None = None, **more: object) -> Leads:
    return Leads(publication(**more), bounds or Bounds())


def at(url: str = f"{SITE}/", kind: Kind = "home", **more: object) -> Page:
    known = Page(1, url, site_of(url), kind, PRIORITY[kind], 0, None, "", None, 0)
    return known._replace(**more)  # type: ignore[arg-type]


def found(leads: Leads, url: str, **more: object) -> Lead | None:
    known = {"via": f"{SITE}/", "depth": 1, "hops": "L"}
    return leads.lead(Found(url), **{**known, **more})  # type: ignore[arg-type]


def urls(leads: Sequence[Lead], *kinds: Kind) -> list[str]:
    return [lead.url.removeprefix(SITE) for lead in leads if not kinds or lead.kind in kinds]


# --- seeds


def test_a_crawl_begins_with_what_tells_most_of_the_newest():
    seeds = leads_of(
        feeds=(f"{SITE}/rss",), sitemaps=(f"{SITE}/map.xml",), sections=(f"{SITE}/news?utm_source=us",)
    ).seeds()
    assert [(seed.kind, seed.priority, seed.depth, seed.hops) for seed in seeds] == [
        ("home", 0, 0, ""),
        ("feed", 1, 0, ""),
        ("sitemap", 2, 0, ""),
        ("section", SEED_SECTION, 0, ""),
    ]
    assert seeds[-1].url == f"{SITE}/news?utm_source=us", "as the publisher's file names it"
    assert seeds[-1].key == "news.example/news", "but found on a page it is the same"


# --- one address


@pytest.mark.parametrize(
    ("url", "kind"),
    [
        (ARTICLE, "article"),
        (f"{SITE}/tag/harbour", "section"),
        (f"{SITE}/feed/", "feed"),
        (f"{SITE}/about-us", "page"),
    ],
)
def test_an_address_tells_what_it_is_and_how_soon_it_is_asked_for(url: str, kind: Kind):
    lead = found(leads_of(), url)
    assert lead is not None
    assert (lead.kind, lead.priority, lead.skip) == (kind, PRIORITY[kind], None)
    assert (lead.url, lead.site, lead.via, lead.depth, lead.hops) == (url, "news.example", f"{SITE}/", 1, "L")


def test_what_is_never_worth_asking_for_is_no_lead():
    assert found(leads_of(), f"{SITE}/wp-login.php") is None


@pytest.mark.parametrize("kind", [None, "article", "print", "section", "page"])
def test_addresses_outside_the_publication_are_no_leads(kind: Kind | None):
    assert found(leads_of(), "https://elsewhere.example/2026/11/21/what-happened-1", kind=kind) is None


@pytest.mark.parametrize("kind", ["feed", "sitemap", "requisite"])
def test_feeds_sitemaps_and_requisites_may_lie_anywhere(kind: Kind):
    lead = found(leads_of(), "https://cdn.example/that", kind=kind)
    assert lead is not None
    assert (lead.site, lead.kind) == ("cdn.example", kind)


def test_www_and_the_schemes_own_port_make_no_other_site_but_any_other_port_does():
    leads = leads_of()
    assert found(leads, "http://www.news.example:80/2026/11/21/what-happened-1") is not None
    assert found(leads, "https://news.example:8443/2026/11/21/what-happened-1") is None


@pytest.mark.parametrize(
    ("url", "asked_for"),
    [
        (f"{ARTICLE}?utm_source=mail&utm_medium=web", ARTICLE),
        (f"{ARTICLE}?fbclid=IwAR0#comments", ARTICLE),
        (f"{ARTICLE}?id=7&gclid=1&b", f"{ARTICLE}?id=7&b"),
        (f"{ARTICLE}/?ref_src=x", f"{ARTICLE}/"),
        (f"{ARTICLE}?id=7", f"{ARTICLE}?id=7"),
    ],
)
def test_what_follows_readers_about_is_not_asked_for(url: str, asked_for: str):
    lead = found(leads_of(), url)
    assert lead is not None
    assert lead.url == asked_for


@pytest.mark.parametrize(
    "url", [ARTICLE, f"{ARTICLE}/", f"{ARTICLE}?utm_source=x", ARTICLE.replace("https://", "http://www.")]
)
def test_one_page_has_one_key_however_it_is_linked(url: str):
    lead = found(leads_of(), url)
    assert lead is not None
    assert lead.key == key_of(ARTICLE, "article")


def test_a_requisite_is_keyed_to_the_letter():
    """A server may give another picture for a slash more, and a page that is replayed asks for what it names."""
    leads = leads_of()
    one, other = found(leads, f"{SITE}/a.png", kind="requisite"), found(leads, f"{SITE}/a.png/", kind="requisite")
    assert one is not None
    assert other is not None
    assert (one.key, other.key) == (f"{SITE}/a.png", f"{SITE}/a.png/")
    as_page = found(leads, f"{SITE}/a.png")
    assert as_page is not None
    assert as_page.key not in (one.key, other.key), "a page at the same address is asked for by itself"


@pytest.mark.parametrize("query", ["utm_source=paper", "v=3&fbclid=IwAR0", "_ga=1"])
def test_a_requisite_is_asked_for_to_the_letter(query: str):
    lead = found(leads_of(), f"https://cdn.example/style.css?{query}", kind="requisite")
    assert lead is not None
    assert lead.url == lead.key == f"https://cdn.example/style.css?{query}"


def test_a_feeds_item_is_an_article_unless_its_address_says_otherwise():
    leads = leads_of()
    item, section = (found(leads, url, from_feed=True) for url in (f"{SITE}/ferry", f"{SITE}/tag/ferry"))
    assert item is not None
    assert section is not None
    assert (item.kind, item.priority) == ("article", FEED_ITEM)
    assert (section.kind, section.priority) == ("section", PRIORITY["section"])


def test_a_trap_is_named():
    lead = found(leads_of(), f"{SITE}/a/b/a/b/a/b")
    assert lead is not None
    assert lead.skip == "a trap: 'a' stands 3 times in its path"


# --- bounds

MARCH, NOVEMBER = date(2026, 3, 1), date(2026, 11, 21)


@pytest.mark.parametrize(
    ("bounds", "period", "modified", "depth", "why"),
    [
        (Bounds(), None, None, 99, None),
        (Bounds(depth=2), None, None, 2, None),
        (Bounds(depth=2), None, None, 3, "more than 2 links from the start"),
        (Bounds(depth=0), None, None, 1, "more than 0 links from the start"),
        (Bounds(since=NOVEMBER), (MARCH, MARCH), None, 1, "published before --since 2026-11-21"),
        (Bounds(since=NOVEMBER), (MARCH, MARCH), NOVEMBER, 1, "published before --since 2026-11-21"),
        (Bounds(since=NOVEMBER), (MARCH, NOVEMBER), None, 1, None),
        (Bounds(since=NOVEMBER), (NOVEMBER, NOVEMBER), MARCH, 1, None),
        (Bounds(since=NOVEMBER), None, MARCH, 1, "last changed before --since 2026-11-21"),
        (Bounds(since=NOVEMBER), None, NOVEMBER, 1, None),
        (Bounds(since=NOVEMBER), None, None, 1, None),
        (Bounds(until=MARCH), (NOVEMBER, NOVEMBER), None, 1, "published after --until 2026-03-01"),
        (Bounds(until=MARCH), (MARCH, NOVEMBER), None, 1, None),
        (Bounds(until=MARCH), None, NOVEMBER, 1, None),
        (Bounds(MARCH, MARCH), (MARCH, MARCH), None, 1, None),
    ],
)
def test_what_a_crawl_leaves_out(
    bounds: Bounds, period: tuple[date, date] | None, modified: date | None, depth: int, why: str | None
):
    assert bounds.refuse(period, modified, depth) == why


@pytest.mark.parametrize(
    ("found_", "kind", "skip"),
    [
        (Found(EARLIER), None, "published before --since 2026-11-01"),
        (Found(EARLIER, published="2026-11-21"), None, "published before --since 2026-11-01"),  # the address knows
        (Found(UNDATED, published="2026-03-01T10:00:00+01:00"), None, "published before --since 2026-11-01"),
        (Found(UNDATED, published="2026"), None, None),
        (Found(UNDATED, modified="2026-03-01"), None, "last changed before --since 2026-11-01"),
        (Found(UNDATED, modified="soon"), None, None),
        (Found(f"{SITE}/tag/x", modified="2026-03-01"), None, None),  # what it lists may be newer
        (Found(f"{SITE}/about", modified="2026-03-01"), None, None),
        (Found(f"{SITE}/map-3.xml", modified="2026-03-01"), "sitemap", "last changed before --since 2026-11-01"),
        (Found(ARTICLE, modified="2026-03-01"), None, None),
    ],
)
def test_days_are_told_by_the_address_then_by_what_led_to_it(found_: Found, kind: Kind | None, skip: str | None):
    leads = leads_of(Bounds(since=date(2026, 11, 1)))
    lead = leads.lead(found_, via=f"{SITE}/", depth=1, hops="L", kind=kind)
    assert lead is not None
    assert lead.skip == skip


# --- pages


def page(*links: str, **more: object) -> Reading:
    return Reading("page", [Found(link) for link in links], **more)  # type: ignore[arg-type]


def test_a_listing_leads_to_what_it_links_and_tells_what_it_shows():
    followed = leads_of().follow(page(ARTICLE, f"{SITE}/tag/a", f"{SITE}/about", feeds=[f"{SITE}/rss"]), at())
    assert [(lead.kind, lead.depth, lead.hops, lead.via) for lead in followed.leads] == [
        ("feed", 1, "L", f"{SITE}/"),
        ("article", 1, "L", f"{SITE}/"),
        ("section", 1, "L", f"{SITE}/"),
        ("page", 1, "L", f"{SITE}/"),
    ]
    assert not followed.extract
    assert followed.shows == [key_of(ARTICLE, "article"), key_of(f"{SITE}/about", "page")]


def test_of_pages_of_its_own_kind_a_listing_shows_nothing():
    followed = leads_of().follow(page(f"{SITE}/shop/18"), at(f"{SITE}/shop/17", "page"))
    assert (followed.shows, urls(followed.leads)) == ([], ["/shop/18"])


@pytest.mark.parametrize(
    ("url", "kind", "reading", "article"),
    [
        (f"{SITE}/", "home", page(article=True, prose=9000), False),
        (f"{ARTICLE}/pdf", "print", page(article=True, prose=9000), False),
        (ARTICLE, "article", page(), True),
        (f"{SITE}/ferry", "page", page(article=True), True),
        (f"{SITE}/ferry", "page", page(prose=500), True),
        (f"{SITE}/ferry", "page", page(prose=499), False),
        (f"{SITE}/tag/x", "section", page(prose=9000), False),
        (f"{SITE}/tag/x", "section", page(article=True), True),
    ],
)
def test_what_makes_a_page_an_article(url: str, kind: Kind, reading: Reading, article: bool):
    followed = leads_of().follow(reading, at(url, kind))
    assert followed.extract == article
    assert followed.extract == article


def test_the_first_kind_an_address_is_found_as_on_a_page_comes_first():
    """The frontier keeps what it is told first."""
    both = page(f"{SITE}/news.xml", feeds=[f"{SITE}/news.xml"])
    assert [lead.kind for lead in leads_of().follow(both, at()).leads] == ["feed", "page"]


ONE_PAGE = (f"{SITE}/tag/a", "http://www.news.example/tag/a", f"{SITE}/tag/a?utm_id=1")


@pytest.mark.parametrize("order", list(itertools.permutations(ONE_PAGE)))
def test_of_addresses_that_are_one_page_the_first_is_asked_for(order: Sequence[str]):
    (lead,) = leads_of().follow(page(*order), at()).leads
    assert lead.url == order[0].partition("?")[0]


def test_an_article_leads_to_its_print_version_which_changes_with_it():
    leads = leads_of(publisher=Printed())
    followed = leads.follow(page(f"{SITE}/about"), at(ARTICLE, "article", modified="2026-11-22", depth=3, hops="LL"))
    assert [(lead.url, lead.kind, lead.modified, lead.depth, lead.hops) for lead in followed.leads] == [
        (f"{ARTICLE}/pdf", "print", "2026-11-22", 4, "LLE"),
        (f"{SITE}/about", "page", None, 4, "LLL"),
    ]
    printed = leads.follow(page(f"{SITE}/about"), at(f"{ARTICLE}/pdf", "print"))
    assert (urls(printed.leads), printed.extract) == (["/about"], False), "it has no print version itself"


def test_a_page_without_an_article_has_no_print_version():
    assert leads_of(publisher=Printed()).follow(page(), at(f"{SITE}/tag/x", "section")).leads == []


@pytest.mark.parametrize("article", [True, False])
def test_where_a_page_sends_its_readers_is_a_redirect(article: bool):
    followed = leads_of().follow(page(article=article, refresh=ARTICLE), at(f"{SITE}/ferry", "page", hops="L"))
    assert [(lead.url, lead.hops) for lead in followed.leads] == [(ARTICLE, "LR")]


def test_further_pages_of_a_listing_are_asked_for_by_the_number_of_its_articles():
    told: list[tuple[str, int]] = []

    def paging(url: str, articles: int) -> Sequence[str]:
        told.append((url, articles))
        return [f"{url}?page=2"]

    listing = f"{SITE}/tag/x"
    same = ARTICLE.replace("https", "http")
    followed = leads_of(paging=paging).follow(page(ARTICLE, same, EARLIER, f"{SITE}/about"), at(listing, "section"))
    assert told == [(listing, 2)]
    assert urls(followed.leads, "section") == ["/tag/x?page=2"]


def test_a_listing_of_what_is_too_old_leads_to_no_further_page_of_it():
    older = Found(f"{SITE}/tag/x?page=2", paging=True)
    leads = leads_of(Bounds(since=date(2026, 11, 1)), paging=lambda url, _: [f"{url}?page=2"])
    old = Reading("page", [Found(EARLIER), Found(f"{SITE}/about"), older])
    assert urls(leads.follow(old, at(f"{SITE}/tag/x", "section")).leads) == [EARLIER.removeprefix(SITE), "/about"]
    mixed = Reading("page", [Found(EARLIER), Found(ARTICLE), older])
    assert "/tag/x?page=2" in urls(leads.follow(mixed, at(f"{SITE}/tag/x", "section")).leads)
    empty = Reading("page", [older])
    assert "/tag/x?page=2" in urls(leads.follow(empty, at(f"{SITE}/tag/x", "section")).leads)


# --- feeds and sitemaps


def test_a_feed_leads_to_its_items_and_its_next_page():
    items = [Found(ARTICLE, "A title", "2026-11-21", "2026-11-22T10:00:00+00:00"), Found(f"{SITE}/ferry")]
    followed = leads_of().follow(Reading("feed", items, feeds=[f"{SITE}/rss?paged=2"]), at(f"{SITE}/rss", "feed"))
    assert [(lead.kind, lead.priority, lead.modified) for lead in followed.leads] == [
        ("article", FEED_ITEM, "2026-11-22T10:00:00+00:00"),
        ("article", FEED_ITEM, None),
        ("feed", PRIORITY["feed"], None),
    ]
    assert (followed.form, followed.extract) == ("feed", False)
    assert followed.shows == [lead.key for lead in followed.leads[:2]], "another page of it is nothing to read"


def test_a_sitemap_leads_to_pages_and_an_index_to_sitemaps():
    leads, sitemap = leads_of(), at(f"{SITE}/map.xml", "sitemap")
    listed = leads.follow(Reading("sitemap", [Found(ARTICLE, modified="2026-11-22"), Found(f"{SITE}/about")]), sitemap)
    assert [(lead.kind, lead.modified) for lead in listed.leads] == [("article", "2026-11-22"), ("page", None)]
    dated = [Found(f"{SITE}/{name}", modified="2026-11-22") for name in ("ferry", "tag/ferry")]
    told = leads.follow(Reading("sitemap", dated), sitemap).leads
    assert [(lead.kind, lead.modified) for lead in told] == [("page", "2026-11-22"), ("section", None)], (
        "a page of unknown kind may be an article; a section is asked for in any case"
    )
    index = Reading("sitemap-index", sitemaps=[Found(f"{SITE}/map-1.xml", modified="2026-11-22")], problem="it is cut")
    followed = leads.follow(index, sitemap)
    assert [(lead.kind, lead.modified) for lead in followed.leads] == [("sitemap", "2026-11-22")]
    assert followed.problem == "it is cut"


@pytest.mark.parametrize("modified", [("2026-11-22", None), (None, "2026-11-22"), ("2026-11-22", "2026-11-23")])
def test_no_news_of_a_change_is_lost_where_a_page_is_listed_under_two_addresses(modified: tuple[str | None, ...]):
    """An old sitemap has http, a new one https, and generated ones both."""
    addresses = (ARTICLE, ARTICLE.replace("https", "http"))
    links = [Found(url, modified=told) for url, told in zip(addresses, modified, strict=True)]
    followed = leads_of().follow(Reading("sitemap", links), at(f"{SITE}/map.xml", "sitemap"))
    assert {told for told in modified if told} <= {lead.modified for lead in followed.leads}
    assert {lead.key for lead in followed.leads} == {key_of(ARTICLE, "article")}
    assert followed.leads[0].url == ARTICLE


def test_what_is_no_document_leads_nowhere():
    assert leads_of().follow(Reading("other", problem="no text"), at()) == Followed("other", problem="no text")


# --- told once


def lead(key: str, modified: str | None = None) -> Lead:
    return Lead(key, f"https://{key}", "news.example", "article", 10, modified=modified)


def test_a_lead_is_given_once():
    told = Told()
    assert [told.first(lead(key)) for key in "abab"] == [True, True, False, False]


def test_a_lead_to_be_skipped_hides_none_that_is_not():
    told, skipped = Told(), lead("a")._replace(skip="too old")
    assert [told.first(skipped), told.first(skipped)] == [True, False]
    assert not told.knows("a", 10)
    assert [told.first(lead("a")), told.first(lead("a")), told.first(skipped)] == [True, False, False]
    assert told.knows("a", 10)


def test_news_of_a_change_is_given_every_time():
    told = Told()
    assert [told.first(lead("a", changed)) for changed in (None, "2026", "2026", None)] == [True, True, True, False]
    assert [told.first(lead("b", changed)) for changed in ("2026", None)] == [True, False]


def test_what_an_article_links_to_is_left_out_if_it_was_told_and_a_listing_still_shows_it():
    leads, told = leads_of(), Told()
    links = page(EARLIER, f"{SITE}/about", f"{SITE}/news/ferry-2")
    first = leads.follow(replace(links, article=True), at(ARTICLE, "article"), told)
    assert len(first.leads) == 3
    assert [told.first(found) for found in first.leads] == [True, True, True]
    assert leads.follow(replace(links, article=True), at(ARTICLE, "article"), told) == first._replace(leads=[])
    shows = leads.follow(links, at(f"{SITE}/tag/x", "section"), told).shows
    assert shows == leads.follow(links, at(f"{SITE}/tag/x", "section")).shows
    assert shows
    changed = Reading("page", [Found(EARLIER, modified="2026-11-22")], article=True)
    assert urls(leads.follow(changed, at(ARTICLE, "article"), told).leads) == [EARLIER.removeprefix(SITE)]


@pytest.fixture
def small_memory(monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setattr(module, "KEPT_TOLD", 100)
    return 100


def test_it_remembers_so_many_keys_and_no_more_than_twice_as_many(small_memory: int):
    told = Told()
    for number in range(10 * small_memory):
        assert told.first(lead(f"{number}"))
        for recent in range(max(0, number - small_memory + 1), number):
            assert not told.first(lead(f"{recent}"))
        assert len(told._latest) + len(told._before) <= 2 * small_memory
    assert told.first(lead("0")), "what was forgotten is given again, never left out"


@given(st.lists(st.tuples(st.integers(0, 30), st.sampled_from([None, "2026-11-21"])), max_size=200), st.integers(1, 12))
def test_what_is_left_out_was_given_before(keys: list[tuple[int, str | None]], kept: int):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "KEPT_TOLD", kept)
        told, given_ = Told(), set[str]()
        for key, modified in keys:
            if told.first(lead(str(key), modified)):
                given_.add(str(key))
            else:
                assert modified is None
            assert str(key) in given_


# --- the task of the workers

_TELLINGS = itertools.count(1)


@pytest.fixture(autouse=True)
def nothing_told() -> Iterator[None]:
    """This process is nobody's worker: what was told in one test is forgotten before the next."""
    following._of_crawl.cache_clear()
    yield
    following._of_crawl.cache_clear()


def followed(
    html: str | bytes,
    telling: int,
    url: str = f"{SITE}/",
    *,
    kind: Kind = "home",
    bounds: Bounds | None = None,
    arguments: Mapping[str, str] | None = None,
    content_type: str = "text/html; charset=utf-8",
) -> Followed:
    return follow(
        html.encode() if isinstance(html, str) else html,
        url=url,
        content_type=content_type,
        content_encoding=None,
        page=at(url, kind),
        spider="spiders.generic",
        arguments=arguments or {"start": f"{SITE}/"},
        bounds=bounds or Bounds(),
        telling=telling,
    )


def linking(*targets: str) -> str:
    return "<html><body>" + "".join(f'<li><a href="{target}">x</a></li>' for target in targets) + "</body></html>"


def test_what_the_pages_of_a_site_have_in_common_is_told_once():
    first = followed(linking("/menu", "/one"), 1)
    second = followed(linking("/menu", "/two"), 1)
    assert (urls(first.leads), urls(second.leads)) == (["/menu", "/one"], ["/two"])
    assert len(second.shows) == 2, "what a listing shows is all of it, told or not"


@pytest.mark.parametrize(
    "other",
    [
        {"telling": 2},
        {"telling": 1, "bounds": Bounds(depth=5)},
        {"telling": 1, "arguments": {"start": f"{SITE}/ {SITE}/a"}},
    ],
    ids=["telling", "bounds", "arguments"],
)
def test_another_telling_or_another_crawl_is_told_all_anew(other: dict[str, object]):
    followed(linking("/menu", "/one"), 1)
    anew = followed(linking("/menu", "/one"), **other)  # type: ignore[arg-type]
    assert urls(anew.leads) == ["/menu", "/one"]
    back = followed(linking("/menu", "/one"), 1)
    assert urls(back.leads) == ["/menu", "/one"], "of those before nothing is remembered either"


def test_a_sitemap_tells_of_changes_whatever_was_told_before():
    article = ARTICLE.removeprefix(SITE)
    followed(linking(article), 1)
    sitemap = (
        '<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">'
        f"<url><loc>{ARTICLE}</loc><lastmod>2026-11-22</lastmod></url></urlset>"
    )
    for _ in range(2):
        told = followed(sitemap, 1, f"{SITE}/map.xml", kind="sitemap", content_type="text/xml")
        assert [(lead.url, lead.modified) for lead in told.leads] == [(ARTICLE, "2026-11-22")]


TARGETS = st.sampled_from(
    ["/menu", "/menu/", "/about?utm_source=x", "/about", "/tag/harbour", "/feed/", "/2026/11/21/what-happened-1",
     "http://www.news.example/menu", "https://elsewhere.example/x", "/wp-login.php", "/a/b/a/b/a/b", "/ferry#top"]
)  # fmt: skip
SHARED = st.lists(TARGETS, max_size=6)
OWN = st.lists(st.integers(0, 40).map("/news/{}".format), max_size=6)
DOCUMENTS = st.lists(st.tuples(SHARED, OWN, st.sampled_from(["/", "/tag/a", "/2026/11/21/what-happened-2", "/ferry"])))


def firsts(documents: Sequence[Followed]) -> dict[str, Lead]:
    """Return of each key the first lead: what is entered."""
    entered: dict[str, Lead] = {}
    for one in documents:
        for each in one.leads:
            entered.setdefault(each.key, each)
    return entered


@settings(max_examples=60, deadline=None)
@given(menu=SHARED, documents=DOCUMENTS, kept=st.sampled_from([1, 3, 50_000]))
def test_pages_followed_together_lead_wherever_each_alone_does(
    menu: list[str], documents: list[tuple[list[str], list[str], str]], kept: int
):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "KEPT_TOLD", kept)
        alone = [
            followed(linking(*menu, *shared, *own), next(_TELLINGS), f"{SITE}{target}", kind="page")
            for shared, own, target in documents
        ]
        telling = next(_TELLINGS)
        together = [
            followed(linking(*menu, *shared, *own), telling, f"{SITE}{target}", kind="page")
            for shared, own, target in documents
        ]
    for one, other in zip(alone, together, strict=True):
        assert (one.shows, one.extract) == (other.shows, other.extract)
        assert set(other.leads) <= set(one.leads)
    assert firsts(together) == firsts(alone), "the very leads that the frontier keeps"


def test_the_workers_load_a_spider_and_the_parsers_before_the_first_page():
    following.prepare(["spiders.generic"])
    with pytest.raises(ModuleNotFoundError):
        following.prepare(["spiders.there_is_none"])


def test_a_crawl_tells_which_hubs_its_feeds_name(tmp_path: Path):
    hub = '<link rel="hub" xmlns="http://www.w3.org/2005/Atom" href="https://hub.example/"/>'
    feed = f'<rss version="2.0"><channel>{hub}</channel></rss>'
    home = '<html><title>News</title><link rel="alternate" type="application/rss+xml" href="/feed"></html>'
    site = RawSite({"/": reply(home), "/feed": reply(feed, "application/xml")})
    with running(site):
        account = Crawl(tmp_path).run(site)
    assert account.hubs == {site.url("/feed"): ["https://hub.example/"]}
    assert [request for request in site.requests if "hub" in request.target] == []
