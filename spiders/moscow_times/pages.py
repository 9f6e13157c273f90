"""Pages of articles. Where class names are not those known here, elements are found by what their links lead to."""

from __future__ import annotations

import re
from collections.abc import Iterator

from lxml.html import HtmlElement

from archive.article import Image
from archive.elements import classed, found, picture_in, text_of
from archive.rules import PageView, path_of
from spiders.moscow_times.addresses import DAY_PATH, LIVE_PATH, article_id, is_index
from spiders.moscow_times.appeal import appeal

UPDATED = re.compile(r"(?:updated|обновлено)\s*:?\s*$", re.IGNORECASE)
BYLINE = re.compile(r"^(?:by|автор[ы]?:?|текст:?)\s+(?=\S)", re.IGNORECASE)
LONGEST_BYLINE = 200  # characters
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
    return text_of(heading) or None if heading is not None else None


def authors(view: PageView) -> list[str]:
    """Return all authors of the byline: linked on current pages, bare on those of the archive."""
    named = view.article.xpath(".//*[contains(@class, 'author__name') and not(contains(@class, 'excerpt'))]")
    linked = view.article.xpath(".//a[contains(@href, '/author/') and not(.//img)]")
    found = [text_of(element) for element in named]
    if not found:
        home = _byline_home(linked)
        found = [text_of(anchor) for anchor in linked if home is not None and home in set(anchor.iterancestors())]
    if not found:
        line = next((text for _, text in _head_lines(view) if BYLINE.match(text) and len(text) <= LONGEST_BYLINE), "")
        found = re.split(r"\s*,\s*|\s+(?:and|и)\s+", BYLINE.sub("", line))
    return list(dict.fromkeys(name for name in found if name))


def _byline_home(linked: list[HtmlElement]) -> HtmlElement | None:
    """Return the element that holds the first author link with its neighbours."""
    for anchor in linked:
        parent = anchor.getparent()
        if text_of(anchor) and parent is not None and len(text_of(parent)) <= LONGEST_BYLINE:
            return parent
    return None


def _head_lines(view: PageView) -> Iterator[tuple[HtmlElement, str]]:
    """Yield the innermost elements with text between the headline and the text of an article."""
    started = False
    for element in view.article.iter():
        if element.tag == "h1":
            started = True
        elif started and element.tag == "p" and len(text_of(element)) > LONGEST_BYLINE:
            return
        elif started and element.tag in {"div", "p", "span"} and not element.xpath("./div|./p"):
            text = text_of(element)
            if text:
                yield element, text


def _is_appended(view: PageView) -> bool:
    """Tell whether the address is that of an article appended to another's page, which the data are about."""
    canonical = found(view.root, "//link[@rel='canonical']")
    other = _number(canonical[0].get("href") or "") if canonical else None
    return view.article is not view.root and other is not None and other != _number(view.url)


def canonical_url(view: PageView) -> str | None:
    """Return the address an appended article gives itself; of others the head tells it."""
    return next(_headline_addresses(view.article), None) if _is_appended(view) else None


def _entry_times(view: PageView) -> list[str]:
    """Return the times of the entries of a live page, the newest first."""
    times = [entry.get("datetime") or "" for entry in classed(view.article, "live-post__date")]
    return sorted(filter(None, times), reverse=True)


def published(view: PageView) -> str | None:
    """Return the time of a live page's first entry, the day of an appended article; of others the data tell it."""
    if _is_appended(view):
        return "-".join(day.groups()) if (day := DAY_PATH.search(path_of(view.url))) else None
    return next(reversed(_entry_times(view)), None)


def modified(view: PageView) -> str | None:
    """Return the time of the update the byline shows, if it shows one; of a live page that of its last entry."""
    if entries := _entry_times(view):
        return entries[0]
    for element in view.article.iter("time"):
        before = element.getprevious()
        parent = element.getparent()
        said = (before.tail if before is not None else parent.text if parent is not None else None) or ""
        if UPDATED.search(said.strip()) or (before is not None and UPDATED.search(text_of(before))):
            return str(element.get("datetime") or "") or None
    return None


def section(view: PageView) -> str | None:
    """Return the second step of the breadcrumbs: the article section in the data is only ever two values.

    That of an appended article, which the breadcrumbs are not about, stands in a class name.
    """
    if _is_appended(view):
        names = [name for element in view.article.iter("article") for name in (element.get("class") or "").split()]
        marks = [name.removeprefix("article--") for name in names if name.startswith("article--")]
        return marks[0].replace("-", " ").title() if marks else None
    for item in view.data:
        steps = item.get("itemListElement")
        if item.get("@type") == "BreadcrumbList" and isinstance(steps, list) and len(steps) > 2:
            named = [step.get("name") for step in steps if isinstance(step, dict)]
            return named[1] if len(named) > 2 and isinstance(named[1], str) else None
    return None


def tags(view: PageView) -> list[str]:
    """Return the topics under the article."""
    found = view.article.xpath(".//a[contains(@href, '/tag/')]")
    return list(dict.fromkeys(text for text in map(text_of, found) if text))


def page_kind(view: PageView) -> str | None:
    """Return what the address and the template tell of a page."""
    path = path_of(view.url)
    if LIVE_PATH.search(path) or view.article.xpath(".//*[contains(@class, 'live-posts')]"):
        return "live"
    if view.article.xpath(".//*[contains(@class, 'article__gallery')]"):
        return "gallery"
    if is_index(view.url):
        return "index"
    heading = title(view)
    return "error" if heading == "Oops!" else None


def images(view: PageView) -> list[Image]:
    """Return the pictures of a gallery, which are no figures: caption and credit stand in their attributes."""
    shown = []
    for item in classed(view.article, "article__gallery__item"):
        if url := picture_in(item, view.base):
            caption, credit = item.get("data-image-caption"), item.get("data-image-credits")
            shown.append(Image(url, caption or None, credit or None))
    return shown


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
        ".//*[contains(concat(' ', normalize-space(@class), ' '), ' article__intro ') or @class='live-intro']"
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
            or (element.tag in {"p", "div"} and len(element) < 3 and DISCLAIMER.search(text_of(element)))
        ):
            found.append(element)
    found.extend(view.article.xpath(".//header[.//h1]"))
    found.extend(appeal(view.article))
    return found
