"""The Moscow Times: what is known about its pages, English and Russian, from 1994 on.

Source: the site's own open templates (github.com/themoscowtimes/themoscowtimes) and its pages.

* An article is ``/YYYY/MM/DD/slug-aNNNNN``. The number is its identity: slug, title and date are edited under it.
  ``…/pdf`` beside it is the print version; ``/all/NNNNN`` the bare article that endless scrolling appends to another
  article's page, so a saved page may hold several. Older articles are at ``/archive/<slug>``; older still
  ``/…/article/<slug>/<number>.html`` and ``/news|articles|photogalleries/<slug>-<number>``.
* JSON-LD and meta elements name only the first author and only ever the sections "news" and "ukraine_war"; the byline
  has all authors, the breadcrumbs the section. The time shown is that of the update once there was one.
* The appeal for donations changes its words and its class names every year and stands beside or inside the text;
  what stays is where it leads.

Where class names are not those known here, elements are found by what their links lead to.
"""

from __future__ import annotations

import calendar
import re
from collections.abc import Iterator, Sequence
from datetime import date
from itertools import pairwise
from typing import Any
from urllib.parse import urlsplit

from lxml.html import HtmlElement

from archive.rules import PageRules, PageView, Publisher
from crawler.publication import AddressKind, ArgumentError, Period, Publication

ENGLISH = ("themoscowtimes.com",)
RUSSIAN = ("ru.themoscowtimes.com", "moscowtimes.ru")

ARTICLE_PATH = re.compile(r"^/\d{4}/\d{2}/\d{2}/[^/]*?-a(\d+)(/pdf)?/?$")
BARE_PATH = re.compile(r"^/all/(\d+)/?$")
REDIRECTED_PATH = re.compile(r"^/(?:news|articles|photogalleries)/[^/]*-(\d+)/?$")
LEGACY_PATH = re.compile(r"/article/(?:[^/]+/)?(\d+)(?:\.html?)?/?$")
ARCHIVE_PATH = re.compile(r"^/archive/(?!author/|\d{4}/)([^/]+)/?$")
LIVE_PATH = re.compile(r"^/live/(\d+)(?:/|$)")
INDEX_PATH = re.compile(
    r"^/(?:(?:news|opinion|business|climate|diaspora|meanwhile|arts-and-life|features|in-depth|ukraine-war|lectures|"
    r"videos|galleries|podcasts)(?:/\d+)?|(?:tag|all-about|author|archive/author|plus)/.+|archive|search|)/?$"
)
APPEAL_PATH = re.compile(r"^/contribute\d*(?:/|$)")
UPDATED = re.compile(r"(?:updated|обновлено)\s*:?\s*$", re.IGNORECASE)
BYLINE = re.compile(r"^(?:by|автор[ы]?:?|текст:?)\s+(?=\S)", re.IGNORECASE)
LONGEST_BYLINE = 200  # characters
APPEAL = re.compile(  # sentences of the appeals of 2022 to 2025, in both editions
    r"^\W*a message from the moscow times|^dear readers\W*$|we have a small favou?r to ask|refuse to be silenced|"
    r"we are facing unprecedented challenges|these actions are direct attempts to silence|remind me (?:later|next)|"
    r"^as you may have heard, the moscow times|your support, no matter how small|by supporting the moscow times|"
    r"^not ready to support today|^support the moscow times!?$|^contribute today$|unjustly branded as a .foreign agent|"
    r"^once\s+monthly\s+annual$|^дорогие читатели\W*$|поддержите (?:the moscow times|нас)|напомнить позже",
    re.IGNORECASE,
)
LONGEST_APPEAL = 14  # blocks between its first and its last known sentence
HEADINGS = ("h2", "h3", "h4", "h5", "h6")
DISCLAIMER = re.compile(
    r"^the views expressed in opinion pieces|^мнение автора (?:может|не обязательно)", re.IGNORECASE
)
NOT_TEXT = (  # class name beginnings of what stands inside the body
    "contribute",
    "newsletter",
    "article__disclaimer",
    "article__newsletter",
    "article__embed",
    "article__link",
    "article__tags",
    "article__bottom",
    "article__gallery",
    "article__header",
    "article__byline",
    "author-excerpt",
    "slider",
    "social",
    "readtime",
)
NOT_TEXT_USES = ("contribute", "newsletter", "Embed", "Slider", "Newsletter")  # the y-use of the same boxes


def article_id(url: str) -> str | None:
    """Return ``a24008`` for any address of that article; for the archive and the oldest pages their own names."""
    path = _path(url)
    for pattern in (ARTICLE_PATH, BARE_PATH, REDIRECTED_PATH):
        match = pattern.search(path)
        if match:
            return f"a{match[1]}"
    for name, pattern in (("article", LEGACY_PATH), ("archive", ARCHIVE_PATH), ("live", LIVE_PATH)):
        match = pattern.search(path)
        if match:
            return f"{name}/{match[1]}"
    return None


def print_version(url: str) -> str | None:
    """Return the address of an article's print version; only dated addresses have one."""
    match = ARTICLE_PATH.search(_path(url))
    if not match or match[2]:
        return None
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/')}/pdf"


def own_article(view: PageView) -> HtmlElement | None:
    """Return the part of the page that is the address's own article, of one or several."""
    identity = article_id(view.url) or ""
    number = identity.removeprefix("a")
    marked = view.root.xpath("//*[@data-page-id or starts-with(@id, 'article-id-')]")
    for element in marked:
        if number in {element.get("data-page-id"), (element.get("id") or "").removeprefix("article-id-")}:
            return element
    holders = [holder for heading in view.root.iter("h1") if (holder := _holder(heading)) is not None]
    for holder in holders:
        if number and any(number == _number(href) for href in _headline_addresses(holder)):
            return holder
    if marked:
        return marked[0]
    return holders[0] if len(holders) > 1 else None


def _holder(heading: HtmlElement) -> HtmlElement | None:
    """Return the largest element around a headline that has no other headline in it, short of the whole page."""
    best = None
    for ancestor in heading.iterancestors():
        if ancestor.tag in {"body", "html"} or len(ancestor.xpath(".//h1")) > 1:
            break
        best = ancestor
    return best


def _headline_addresses(holder: HtmlElement) -> Iterator[str]:
    """Yield the addresses an article gives itself: on its wrapper, in its headline, on its share buttons."""
    for element in holder.iter():
        for name in ("data-article-url", "data-url"):
            if element.get(name):
                yield element.get(name) or ""
                break
    for anchor in holder.xpath(".//h1//a[@href] | .//a[contains(@href, '/pdf')]"):
        yield anchor.get("href") or ""


def _number(url: str) -> str | None:
    return (article_id(url) or "").removeprefix("a") or None


def title(view: PageView) -> str | None:
    """Return the headline as it stands over the article."""
    heading = next(view.article.iter("h1"), None)
    return _text(heading) or None if heading is not None else None


def authors(view: PageView) -> list[str]:
    """Return all authors of the byline: linked on current pages, bare on those of the archive."""
    named = view.article.xpath(".//*[contains(@class, 'author__name') and not(contains(@class, 'excerpt'))]")
    linked = view.article.xpath(".//a[contains(@href, '/author/') and not(.//img)]")
    found = [_text(element) for element in named]
    if not found:
        home = _byline_home(linked)
        found = [_text(anchor) for anchor in linked if home is not None and home in set(anchor.iterancestors())]
    if not found:
        line = next((text for _, text in _head_lines(view) if BYLINE.match(text) and len(text) <= LONGEST_BYLINE), "")
        found = re.split(r"\s*,\s*|\s+(?:and|и)\s+", BYLINE.sub("", line))
    return list(dict.fromkeys(name for name in found if name))


def _byline_home(linked: list[HtmlElement]) -> HtmlElement | None:
    """Return the element that holds the first author link with its neighbours."""
    for anchor in linked:
        parent = anchor.getparent()
        if _text(anchor) and parent is not None and len(_text(parent)) <= LONGEST_BYLINE:
            return parent
    return None


def _head_lines(view: PageView) -> Iterator[tuple[HtmlElement, str]]:
    """Yield the innermost elements with text between the headline and the text of an article."""
    started = False
    for element in view.article.iter():
        if element.tag == "h1":
            started = True
        elif started and element.tag == "p" and len(_text(element)) > LONGEST_BYLINE:
            return
        elif started and element.tag in {"div", "p", "span"} and not element.xpath("./div|./p"):
            text = _text(element)
            if text:
                yield element, text


def modified(view: PageView) -> str | None:
    """Return the time of the update the byline shows, if it shows one."""
    for element in view.article.iter("time"):
        before = element.getprevious()
        parent = element.getparent()
        said = (before.tail if before is not None else parent.text if parent is not None else None) or ""
        if UPDATED.search(said.strip()) or (before is not None and UPDATED.search(_text(before))):
            return str(element.get("datetime") or "") or None
    return None


def section(view: PageView) -> str | None:
    """Return the second step of the breadcrumbs: the article section in the data is only ever two values."""
    for item in view.data:
        steps = item.get("itemListElement")
        if item.get("@type") == "BreadcrumbList" and isinstance(steps, list) and len(steps) > 2:
            named = [step.get("name") for step in steps if isinstance(step, dict)]
            return named[1] if len(named) > 2 and isinstance(named[1], str) else None
    return None


def tags(view: PageView) -> list[str]:
    """Return the topics under the article."""
    found = view.article.xpath(".//a[contains(@href, '/tag/')]")
    return list(dict.fromkeys(text for text in map(_text, found) if text))


def page_kind(view: PageView) -> str | None:
    """Return what the address and the template tell of a page."""
    path = _path(view.url)
    if LIVE_PATH.search(path) or view.article.xpath(".//*[contains(@class, 'live-posts')]"):
        return "live"
    if view.article.xpath(".//*[contains(@class, 'article__gallery')]"):
        return "gallery"
    if INDEX_PATH.search(path):
        return "index"
    heading = title(view)
    return "error" if heading == "Oops!" else None


def body(view: PageView) -> list[HtmlElement]:
    """Return the introduction and the content of an article."""
    found: list[HtmlElement] = view.article.xpath(
        ".//*[@y-name='article-content' or contains(concat(' ', normalize-space(@class), ' '), ' article__content ')]"
    )
    if not found:
        blocks = view.article.xpath(".//*[@data-id='article-block-type']")
        parent = blocks[0].getparent() if blocks else None
        found = [parent] if parent is not None else []
    intro: list[HtmlElement] = view.article.xpath(
        ".//*[contains(concat(' ', normalize-space(@class), ' '), ' article__intro ')]"
    )
    outside = [element for element in intro if not any(element in set(box.iter()) for box in found)]
    return [*outside, *found] if found else []


def drop(view: PageView) -> list[HtmlElement]:
    """Return what stands in the body and is not text: boxes by their names, the appeal also by its words."""
    found = []
    for element in view.article.iter():
        if not isinstance(element.tag, str):
            continue
        names = (element.get("class") or "").split()
        use = element.get("y-use") or ""
        if (
            any(name.startswith(NOT_TEXT) for name in names)
            or use.startswith(NOT_TEXT_USES)
            or element.get("y-name") == "banner"
            or (element.tag in {"p", "div"} and len(element) < 3 and DISCLAIMER.search(_text(element)))
        ):
            found.append(element)
    found.extend(view.article.xpath(".//header[.//h1]"))
    found.extend(_appeal(view.article))
    return found


def _appeal(article: HtmlElement) -> list[HtmlElement]:
    """Return the lines of an appeal that stands among the paragraphs, from its first known sentence to its last."""
    lines = [e for e in article.iter("p", *HEADINGS, "div", "a", "span") if _is_line(e)]
    known = [position for position, line in enumerate(lines) if APPEAL.search(_text(line))]
    found = [lines[position] for position in known]
    for anchor in article.iter("a"):
        if APPEAL_PATH.search(_path(anchor.get("href") or "")):
            parent = anchor.getparent()
            found.append(parent if parent is not None and parent.tag == "p" else anchor)
    for start, end in pairwise(known):
        if end - start <= LONGEST_APPEAL and lines[start].getparent() is lines[end].getparent():
            found.extend(line for line in lines[start:end] if line.getparent() is lines[start].getparent())
    if known and known[0] > 0:
        before = lines[known[0] - 1]
        if before.tag in HEADINGS and before.getnext() is lines[known[0]]:
            found.append(before)
    return found


def _is_line(element: HtmlElement) -> bool:
    inline = {"a", "b", "br", "em", "i", "span", "strong", "u"}
    return all(child.tag in inline for child in element) and bool(_text(element))


def is_print(view: PageView) -> bool:
    """Tell whether a page is a print version: by its address, or by its last line."""
    if _path(view.url).rstrip("/").endswith("/pdf"):
        return next(view.root.iter("article"), None) is None
    return bool(view.root.xpath("//body/p[starts-with(normalize-space(.), 'Original url:')]"))


def print_body(view: PageView) -> list[HtmlElement]:
    """Return the whole of a print version; what is not text in it is dropped."""
    return [view.root.find("body")] if view.root.find("body") is not None else []


def print_drop(view: PageView) -> list[HtmlElement]:
    """Return headline, subtitle, byline, date, caption, disclaimer and address of a print version."""
    found = list(view.root.iter("h1"))
    heading = found[0] if found else None
    after = heading.getnext() if heading is not None else None
    if after is not None and after.tag == "h2":
        found.append(after)
    for line in view.root.iter("p"):
        text = _text(line)
        before = line.getprevious()
        set_apart = "roboto" in (line.get("style") or "")
        caption = before is not None and before.tag == "img" and line.find("b") is not None
        if set_apart or caption or text.startswith("Original url:") or DISCLAIMER.search(text):
            found.append(line)
    return found


def print_published(view: PageView) -> str | None:
    """Return the day under the byline of a print version, else that of its address."""
    for line in view.root.iter("p"):
        match = re.fullmatch(r"([A-Z][a-z]+) (\d{1,2}), (\d{4})", _text(line))
        if match and match[1][:3] in MONTHS:
            return f"{match[3]}-{MONTHS.index(match[1][:3]) + 1:02}-{int(match[2]):02}"
    dated = re.match(r"/(\d{4})/(\d{2})/(\d{2})/", _path(view.url))
    return "-".join(dated.groups()) if dated else None


MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def print_canonical(view: PageView) -> str | None:
    """Return the article's own address, which a print version ends with."""
    for line in view.root.iter("p"):
        match = re.match(r"Original url:\s*(https?://\S+)", _text(line))
        if match:
            return match[1]
    return view.url.removesuffix("/pdf") if view.url.endswith("/pdf") else None


def is_legacy(view: PageView) -> bool:
    """Tell whether a page is of the systems before the present one: none of its names, an address of their form."""
    if ARTICLE_PATH.search(_path(view.url)) or ARCHIVE_PATH.search(_path(view.url)):
        return False
    return not view.root.xpath("//*[@y-use or @y-name or @data-page-id or contains(@class, 'article__')]")


def _text(element: HtmlElement | None) -> str:
    return " ".join(element.text_content().split()) if element is not None else ""


def _path(url: str) -> str:
    try:
        return urlsplit(url).path
    except ValueError:
        return ""


def _rules(module: str, publisher: str, hosts: tuple[str, ...]) -> tuple[PageRules, ...]:
    shared: dict[str, Any] = {
        "publisher": publisher,
        "hosts": hosts,
        "article_id": article_id,
        "print_version": print_version,
    }
    return (
        PageRules(
            name=f"{module}/print",
            recognises=is_print,
            title=title,
            authors=authors,
            published=print_published,
            canonical_url=print_canonical,
            body=print_body,
            drop=print_drop,
            **shared,
        ),
        PageRules(name=f"{module}/1994", valid_to=date(2019, 12, 31), recognises=is_legacy, **shared),
        PageRules(
            name=f"{module}/2016",
            own_article=own_article,
            page_kind=page_kind,
            title=title,
            authors=authors,
            modified=modified,
            section=section,
            tags=tags,
            body=body,
            drop=drop,
            **shared,
        ),
    )


PUBLISHER = Publisher(
    name="The Moscow Times",
    hosts=(*ENGLISH, *RUSSIAN),
    languages=("en", "ru"),
    rules=(
        *_rules("moscow_times", "The Moscow Times", ENGLISH),
        *_rules("moscow_times_ru", "Русская служба The Moscow Times", RUSSIAN),
    ),
)


SECTIONS = (
    "news",
    "opinion",
    "business",
    "climate",
    "diaspora",
    "meanwhile",
    "arts-and-life",
    "features",
    "ukraine-war",
    "lectures",
)
LISTS = ("videos", "galleries", "podcasts")
FEEDS = ("news", "opinion", "city", "arts-and-life", "meanwhile", "podcasts", "in-depth", "all")
FIRST_PAGE, NEXT_PAGE, LIST_PAGE = 19, 18, 20  # items: of a section's page, of the fragments after it, of other lists
SECTION_PATH = re.compile(rf"^/({'|'.join(SECTIONS)})(?:/(\d+))?/?$")
LIST_PATH = re.compile(r"^(/(?:videos|galleries|podcasts|(?:tag|all-about)/[^/]+))(?:/(\d+))?/?$")
SITEMAP_PATH = re.compile(r"/(\d{4})-(\d{1,2})\.xml$")
DAY_PATH = re.compile(r"^/(\d{4})/(\d{2})/(\d{2})/")
NEVER_PATH = re.compile(r"^/(?:preview|search|api|contribute\d*|newsletters?|account|page)(?:/|$)")


def kind_of(url: str) -> AddressKind:
    """Return what an address of the site is: an article by its number, a listing by its path."""
    path = _path(url)
    if article_id(url):
        return "article"
    if NEVER_PATH.search(path):
        return "skip"
    if path.startswith(("/rss/", "/feeds/")):
        return "feed"
    if INDEX_PATH.search(path):
        return "section"
    return "sitemap" if path.endswith(".xml") else "page"


def paging(url: str, articles: int) -> Sequence[str]:
    """Return the address of the fragment that scrolling loads next: an empty one is the end."""
    parts = urlsplit(url)
    section, listing = SECTION_PATH.search(parts.path), LIST_PATH.search(parts.path)
    if not articles or not (section or listing):
        return ()
    if section:
        path, shown = f"/{section[1]}", int(section[2] or 0)
        following = shown + NEXT_PAGE if shown else FIRST_PAGE
    else:
        assert listing is not None
        path, following = listing[1], int(listing[2] or 0) + LIST_PAGE
    return (f"{parts.scheme}://{parts.netloc}{path}/{following}",)


def period_of(url: str) -> Period | None:
    """Return the day of an article, the month of a sitemap, as the address tells it."""
    path = _path(url)
    try:
        if dated := DAY_PATH.search(path):
            day = date(int(dated[1]), int(dated[2]), int(dated[3]))
            return day, day
        if month := SITEMAP_PATH.search(path):
            year, number = int(month[1]), int(month[2])
            return date(year, number, 1), date(year, number, calendar.monthrange(year, number)[1])
    except ValueError:  # no such day or month
        return None
    return None


WEB = "https://{}.themoscowtimes.com"
STATIC = WEB.format("static")
EDITIONS = {"en": WEB.format("www"), "ru": WEB.format("ru")}


def publication(edition: str = "en ru", **unknown: str) -> Publication:
    """Return the publication in the editions named: ``en``, ``ru``, or both."""
    chosen = edition.split()
    wrong = [name for name in chosen if name not in EDITIONS]
    if unknown or wrong or not chosen:
        raise ArgumentError("spider moscow_times takes edition=en, edition=ru or edition='en ru', and nothing else")
    webs = [EDITIONS[name] for name in chosen]
    hosts = {"en": ENGLISH, "ru": RUSSIAN}
    return Publication(
        publisher=PUBLISHER,
        hosts=tuple(host for name in chosen for host in hosts[name]),
        kind_of=kind_of,
        home=tuple(f"{web}/" for web in webs),
        feeds=tuple(
            f"{web}/{path}" for web in webs for path in (*(f"rss/{name}" for name in FEEDS), "feeds/partner.xml")
        ),
        # The English edition's are unlisted; the Russian edition's own are named by its robots.txt, if by anything.
        sitemaps=tuple(f"{STATIC}/sitemap/{name}.xml" for name in ("newsmap", "sitemap") if "en" in chosen),
        sections=tuple(f"{web}/{name}" for web in webs for name in (*SECTIONS, *LISTS)),
        guesses=("/sitemap.xml",),
        paging=paging,
        period_of=period_of,
    )
