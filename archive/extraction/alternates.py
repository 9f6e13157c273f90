"""Where else the same article stands, as its page says: AMP and print forms, other languages, its next page.

Feeds, apps and pages for other screens are named with ``rel=alternate`` too; they are no other form of the text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from lxml.html import HtmlElement

from archive.article import Alternate, Article
from archive.extraction.markup import tag
from archive.extraction.page import absolute
from archive.rules import PageRules, PageView

MOST_ALTERNATES = 100  # the largest sites have some sixty editions
# "/2", "/page/2", "-2.html", "_p2.html", "?page=2", "?seite=2", ",2.html", at the end of an address.
_COUNT = re.compile(
    r"(?:/(?:page|seite|pagina|p)?[/-]?[1-9][0-9]?/?|(?:[-_,.](?:page-?|p)?[1-9][0-9]?)?\.(?:s?html?|php|aspx?)"
    r"|[?&](?:page|p|pg|seite|pagina|start|offset)=[0-9]{1,3})\Z",
    re.IGNORECASE,
)
_PAGES = frozenset({"", "text/html", "application/xhtml+xml"})


def may_continue(html: str) -> bool:
    """Tell whether there may be a link to a next page in the markup *html*; cheaply, so not surely."""
    return any(f"{before}next" in html for before in ('rel="', "rel='", "rel=", "nofollow "))


def read(article: Article, view: PageView, rule: PageRules | None, *, continued: bool = True) -> None:
    """Fill in ``alternates``, each once, from the page's ``link`` elements and the publisher's print version.

    And ``next_page``, unless it is known not to be *continued*.
    """
    ruled = list(_ruled(article, rule))
    marked = list(_marked(view))
    found = {(one.url, one.kind): one for one in reversed([*ruled, *marked])}
    article.alternates = list(reversed(found.values()))[:MOST_ALTERNATES]
    if article.alternates:
        article.sources["alternates"] = "markup" if marked else "publisher-rule"
    article.next_page = _next_page(view) if continued else None
    if article.next_page:
        article.sources["next_page"] = "markup"


def _ruled(article: Article, rule: PageRules | None) -> Iterator[Alternate]:
    if rule is None or rule.print_version is None:
        return
    own = _bare(article.url)
    canonical = article.canonical_url and rule.print_version(article.canonical_url)
    if canonical and _bare(canonical) == own:  # this is the print version
        yield Alternate(own, "print")
    elif printed := rule.print_version(article.url) or canonical:
        yield Alternate(printed, "print")


def _marked(view: PageView) -> Iterator[Alternate]:
    if any(name in view.root.attrib for name in ("amp", "⚡")):  # how an AMP page says that it is one
        yield Alternate(_bare(view.url), "amp")
    for link in view.root.iter("link"):
        rel = (link.get("rel") or "").lower().split()
        url = absolute(view.base, link.get("href")) if "amphtml" in rel or "alternate" in rel else None
        if url is None:
            continue
        if "amphtml" in rel:
            yield Alternate(_bare(url), "amp")
        elif "stylesheet" not in rel and _media_type(link) in _PAGES:
            if "print" in (link.get("media") or "").lower().split():
                yield Alternate(_bare(url), "print")
            elif language := tag(link.get("hreflang")):  # "x-default" is none: often a page to choose a language
                yield Alternate(_bare(url), "language", language)


def _next_page(view: PageView) -> str | None:
    """Return where the article goes on: a page that is named as the next one and whose address is this one's, counted.

    The next one on many sites is another article.
    """
    own = _uncounted(view.url)
    for element in view.root.iter("link", "a"):
        if "next" not in (element.get("rel") or "").lower().split():
            continue
        url = absolute(view.base, element.get("href"))
        if url and _bare(url) != _bare(view.url) and _uncounted(url) == own:
            return _bare(url)
    return None


def _uncounted(url: str) -> str:
    """Return what the addresses of all pages of one article have in common."""
    bare = _bare(url).partition("://")[2]
    return _COUNT.sub("", bare).rstrip("/?&")


def _media_type(link: HtmlElement) -> str:
    return (link.get("type") or "").partition(";")[0].strip().lower()


def _bare(url: str) -> str:
    return url.partition("#")[0]
