"""What a page shows its readers: headline, byline, time, section, canonical address, pictures."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import islice

from lxml.html import HtmlElement

from archive.article import Image
from archive.extraction import dates, names
from archive.extraction.page import absolute, path_of
from archive.extraction.prose import HEADINGS, blocks, clean, text_of

LONGEST_TITLE = 400
KICKER = re.compile(  # what stands over a headline, inside its element
    r"(?:^|[\s_-])(?:over-?line|kicker|eye-?brow|dachzeile|top-?line|pre-?title|sur-?titre|antetitulo|occhiello|label|badge)"
    r"(?:$|[\s_-])",
    re.IGNORECASE,
)
LONGEST_BYLINE = 200
LARGEST_LINE = 1_000  # elements in a byline or date line, drawings of its buttons and all
BYLINE_NEAR = 30  # elements after the headline
AUTHOR_PATH = re.compile(
    r"/(?:author|authors|autor|autoren|autores|auteur|autore|people|person|profile|profiles|staff|by|avtor)/[^/]+"
)
BYLINE_CLASS = re.compile(r"(?<![a-z])(?:by-?line|author|autor|auteur|writer|contributor)s?(?![a-z])", re.IGNORECASE)
NOT_BYLINE_CLASS = re.compile(
    r"bio|descr|image|photo|avatar|comment|social|follow|box|card|more|related|share", re.IGNORECASE
)
TIME_CLASS = re.compile(r"publi|date|time|posted", re.IGNORECASE)
UPDATED = re.compile(
    r"updat|modif|aktualisiert|stand:|mis à jour|actualiz|aggiornat|обновл|изменен|oppdatert|bijgewerkt", re.IGNORECASE
)
LONGEST_CAPTION = 2_000  # characters in which a credit is looked for, which takes the square of their number
CREDIT = re.compile(
    r"^(?P<caption>.*?)[\s(|/\u2013\u2014-]*"
    r"(?:(?:photo|foto|image|picture|credit|bild|crédit|фото|getty)\w*\s*(?:by|credits?|von)?\s*[:/©]\s*|©\s*)"
    r"(?P<credit>[^:]{2,80}?)\)?$",
    re.IGNORECASE,
)
CREDIT_CLASS = re.compile(r"credit|copyright|source|agency|author", re.IGNORECASE)


def headlines(root: HtmlElement) -> list[tuple[HtmlElement, str]]:
    """Return the level-one headings of a page with their texts, in page order."""
    found = []
    for heading in root.iter("h1"):
        text = _without_kicker(heading) or text_of(heading)
        if text and len(text) <= LONGEST_TITLE:
            found.append((heading, text))
    return found


def _without_kicker(heading: HtmlElement) -> str:
    """Return a heading's text without the line over it, unless that is a part of the sentence ("Kicker: headline")."""
    first = next((part for part in heading.iterdescendants() if KICKER.search(part.get("class") or "")), None)
    if first is None:
        return ""
    text = clean(" ".join(block.text for block in blocks(heading, [first])))
    return "" if text.startswith(":") else text.lstrip("-\u2013\u2014|/\u00b7 ")


def subtitles(scope: HtmlElement) -> list[str]:
    """Return the lesser headings that stand directly under a headline: its subtitle, not a part of the text."""
    found = []
    for heading in scope.iter("h1"):
        for sibling in heading.itersiblings("h2", "h3", "h4", "h5"):
            between = sibling.getprevious()
            if between is heading or (between is not None and between.tag in HEADINGS):
                found.append(text_of(sibling))
    return [text for text in found if text]


def near(heading: HtmlElement, root: HtmlElement) -> HtmlElement:
    """Return the part of the page that a headline heads: its article, main or the nearest sizeable block."""
    best = heading
    for ancestor in heading.iterancestors():
        if ancestor is root or ancestor.tag in {"body", "html"}:
            break
        best = ancestor
        if ancestor.tag in {"article", "main"}:
            break
    return best


def authors(scope: HtmlElement, called: Sequence[HtmlElement] = ()) -> list[str]:
    """Return the names in the byline markup of *scope*, the whole byline of the first place that has one.

    *called* are the elements whose microdata say that they hold an author.
    """
    return (
        names.distinct(_linked(scope))
        or names.distinct(_marked(scope, called))
        or names.distinct(_classed(scope))
        or names.distinct(_worded(scope))
    )


def _linked(scope: HtmlElement) -> list[str]:
    """Names that link to an author's page, taken from the first byline only: teasers further down have theirs."""
    anchors = []
    for anchor in scope.iter("a"):
        href = anchor.get("href") or ""
        if "author" in (anchor.get("rel") or "").split() or (
            AUTHOR_PATH.search(href) and AUTHOR_PATH.search(path_of(href))
        ):
            text = text_of(anchor)
            if text and not in_furniture(anchor, scope):
                anchors.append((anchor, text))
    if not anchors:
        return []
    large: dict[HtmlElement, bool] = {}
    home = _home(anchors[0][0], large)
    return [name for anchor, text in anchors if _home(anchor, large) is home for name in names.split(text)]


def _home(anchor: HtmlElement, large: dict[HtmlElement, bool]) -> HtmlElement:
    """Return the block a byline stands in: two authors of one article share it, those of two teasers do not.

    *large* keeps which blocks are more than a byline: thousands of links may share one.
    """
    element = anchor
    for _ in range(3):
        parent = element.getparent()
        if parent is None or parent.tag in {"article", "main", "body", "header"}:
            break
        if parent not in large:
            large[parent] = len(parent.text_content()) > LONGEST_BYLINE
        if large[parent]:
            break
        element = parent
    return element


def _marked(scope: HtmlElement, called: Sequence[HtmlElement]) -> list[str]:
    found = []
    for element in called:
        if element is not scope and not any(outer is scope for outer in element.iterancestors()):
            continue
        if _is_large(element):
            continue
        inner = element.xpath(".//*[@itemprop='name']")
        for part in inner or [element]:
            text = clean(part.get("content") or "") or text_of(part)
            if len(text) <= LONGEST_BYLINE and not in_furniture(element, scope):
                found.extend(names.split(text))
    return found


def _classed(scope: HtmlElement) -> list[str]:
    for element in scope.iterdescendants():
        label, tested = element.get("class"), element.get("data-testid")
        named = (label and _names_byline(label)) or (tested and _names_byline(tested))
        if not named or in_furniture(element, scope) or _is_large(element):
            continue
        text = text_of(element)
        found = names.split(text) if 0 < len(text) <= LONGEST_BYLINE else []
        if found:
            return found
    return []


def _worded(scope: HtmlElement) -> list[str]:
    """Names in a line under the headline that no markup tells from others, by its own words: "By Anna Berg"."""
    heading = next(scope.iter("h1"), None)
    if heading is None:
        return []
    for element in islice(_behind(heading, scope), BYLINE_NEAR):
        if names.LEAD.match(element.text or "") is None:
            continue
        found = names.written_by(text_of(element))
        if found and not in_furniture(element, scope):
            return found
    return []


def _behind(heading: HtmlElement, scope: HtmlElement) -> Iterator[HtmlElement]:
    """Return the elements that follow a heading inside *scope*, in page order."""
    for holder in (heading, *heading.iterancestors()):
        if holder is scope:
            return
        for sibling in holder.itersiblings():
            yield from sibling.iter()


@lru_cache(maxsize=8192)
def _names_byline(label: str) -> bool:
    return BYLINE_CLASS.search(label) is not None and NOT_BYLINE_CLASS.search(label) is None


@lru_cache(maxsize=8192)
def _names_time(label: str) -> bool:
    return TIME_CLASS.search(label) is not None


def _is_large(element: HtmlElement) -> bool:
    """Tell whether there is too much in an element for one line; cheaply, for such may be nested by the hundred."""
    return next(islice(element.iter(), LARGEST_LINE, None), None) is not None


def in_furniture(element: HtmlElement, scope: HtmlElement) -> bool:
    """Tell whether *element* stands in navigation, a sidebar, a footer or a comment section inside *scope*."""
    for ancestor in element.iterancestors():
        if ancestor is scope:
            return False
        if ancestor.tag in {"nav", "aside", "footer", "form"}:
            return True
        label = f"{ancestor.get('class') or ''} {ancestor.get('id') or ''}".lower()
        if "comment" in label or "related" in label or "sidebar" in label or "teaser" in label:
            return True
    return False


def times(scope: HtmlElement) -> tuple[str | None, str | None]:
    """Return the time of publication and of the last update that the markup shows, each if it does."""
    published = modified = None
    for element in scope.iter("time"):
        if in_furniture(element, scope):
            continue
        found = dates.iso(element.get("datetime")) or dates.iso(text_of(element))
        if not found:
            continue
        if UPDATED.search(_label_before(element)):
            modified = modified or found
        else:
            published = published or found
        if published and modified:
            return published, modified
    if published or modified:
        return published, modified
    for element in scope.iterdescendants():
        if _names_time(element.get("class") or "") and not in_furniture(element, scope) and not _is_large(element):
            text = text_of(element)
            if 0 < len(text) <= 80 and (found := dates.iso(text)):
                return (None, found) if UPDATED.search(text) else (found, None)
    return None, None


def _label_before(element: HtmlElement) -> str:
    """Return the words that say what a time is: its own class and text, and what stands right before it."""
    before = element.getprevious()
    said = (before.tail if before is not None else None) or (
        (element.getparent().text or "") if element.getparent() is not None and before is None else ""
    )
    own = " ".join(filter(None, (element.get("class"), element.get("itemprop"), element.text_content())))
    if before is not None and not (before.tail or "").strip():
        said = before.text_content()[-40:]
    return f"{said[-40:]} {own[:120]}"


def canonical(root: HtmlElement, base: str) -> str | None:
    """Return the address the page declares as its canonical one."""
    for link in root.iter("link"):
        if "canonical" in (link.get("rel") or "").lower().split():
            return absolute(base, link.get("href"))
    return None


def language(root: HtmlElement) -> str | None:
    """Return the language the document declares, as BCP 47: ``pt-BR``, ``en``."""
    for element in (root, *root.iter("body")):
        found = tag(element.get("lang") or element.get("{http://www.w3.org/XML/1998/namespace}lang"))
        if found:
            return found
    return None


def tag(written: str | None) -> str | None:
    """Return a language tag in the spelling of BCP 47 (RFC 5646, 2.1.1), or ``None`` when it is not one."""
    text = (written or "").strip().replace("_", "-").split(".")[0].split(",")[0]
    parts = text.split("-")
    if not re.fullmatch(r"[A-Za-z]{2,3}", parts[0]) or not all(re.fullmatch(r"[A-Za-z0-9]{1,8}", p) for p in parts):
        return None
    return "-".join([parts[0].lower(), *(_subtag(part) for part in parts[1:])])


def _subtag(part: str) -> str:
    if len(part) == 4 and part.isalpha():
        return part.title()
    return part.upper() if len(part) == 2 else part.lower()


def images(scope: HtmlElement, base: str) -> list[Image]:
    """Return the captioned and figure pictures in *scope*, in page order, each address once."""
    found: dict[str, Image] = {}
    for figure in scope.iter("figure"):
        if in_furniture(figure, scope):
            continue
        address = next((url for image in figure.iter("img") if (url := source(image, base))), None)
        if not address or address in found:
            continue
        caption, credit = caption_of(figure)
        found[address] = Image(address, caption, credit)
    return list(found.values())


def source(image: HtmlElement, base: str) -> str | None:
    """Return the address of an ``img``: the one to be shown when it is loaded late, else its own."""
    for name in ("data-src", "data-original", "data-lazy-src", "src"):
        url = absolute(base, image.get(name))
        if url:
            return url
    for name in ("data-srcset", "srcset"):
        candidates = (image.get(name) or "").split(",")
        url = absolute(base, candidates[-1].strip().split(" ")[0]) if candidates[-1].strip() else None
        if url:
            return url
    return None


def caption_of(figure: HtmlElement) -> tuple[str | None, str | None]:
    """Return a figure's caption and credit, told apart by markup or by the words before the credit."""
    for box in figure.iter("figcaption"):
        credited = [part for part in box.xpath(".//*[@class]") if CREDIT_CLASS.search(part.get("class") or "")]
        if credited:
            credit = text_of(credited[0])
            caption = text_of(box).replace(credit, " ", 1) if credit else text_of(box)
            return clean(caption) or None, credit or None
        whole = text_of(box)
        told = CREDIT.match(whole) if len(whole) <= LONGEST_CAPTION else None
        if told:
            return clean(told["caption"]) or None, clean(told["credit"]) or None
        return whole or None, None
    return None, None
