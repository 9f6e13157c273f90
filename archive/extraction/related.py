"""Lists of related articles inside a text: found by their shape, kept apart from it."""

from __future__ import annotations

import re
from collections.abc import Iterable

from lxml.html import HtmlElement

from archive.article import Link
from archive.extraction.markup import AUTHOR_PATH
from archive.extraction.page import absolute, path_of
from archive.extraction.prose import HEADINGS, Block, blocks, clean
from archive.rules import host_of

LONGEST_LABEL = 60  # characters of "Related articles:" and its like
LONGEST_CARD = 250  # characters of a box that is one linked headline
LINK_ONLY = 0.8  # share of a block that is anchor text, above which it is a link and not prose
SHORT_LABEL_WORDS = 4

TOPIC_PATH = re.compile(
    r"/(?:tags?|topics?|keywords?|categor(?:y|ies)|themen?|th[eè]mes?|temas?|sujets?|subjects?)/", re.IGNORECASE
)

# What such lists are called, in the languages of many publications; a heading or a short line that begins so.
LABEL_PHRASES = (
    # English
    r"related(?:\s+(?:articles?|stories|content|news|coverage|links?|topics?|posts?))?",
    r"(?:read|see|learn)\s+(?:more|also)(?:\s+\w+)?|also\s+read|more\s+(?:on|from|about|stories|news|coverage)\b.*",
    r"you\s+(?:may|might)\s+also\s+(?:like|be\s+interested)\b.*|recommended(?:\s+\w+)?|further\s+reading",
    r"don.t\s+miss|in\s+case\s+you\s+missed.*|most\s+read",
    # German, Dutch, Nordic
    r"weitere\s+(?:artikel|themen)|lesen\s+sie\s+(?:auch|mehr|hier).*|(?:mehr\s+)?zum\s+thema|mehr\s+dazu|auch\s+interessant",
    r"lees\s+(?:ook|meer).*|les\s+(?:også|mer).*|läs\s+(?:också|mer).*|læs\s+også",
    # French, Italian, Spanish, Portuguese
    r"(?:à|a)\s+lire(?:\s+aussi|\s+également)?|lire\s+aussi|sur\s+le\s+même\s+sujet|leggi\s+anche",
    r"potrebbe\s+interessarti.*|te\s+puede\s+interesar.*|lee\s+también|más\s+(?:sobre|noticias).*|noticias\s+relacionadas",
    r"leia\s+(?:também|mais).*",
    # Russian
    r"читайте\s+(?:также|ещё|еще).*|см\.?\s+также|(?:ещё\s+|материалы\s+|статьи\s+)?по\s+теме|похожие\s+(?:статьи|материалы)",
    r"связанные\s+(?:статьи|материалы).*",
    # Japanese, Chinese, Korean, Indonesian, Vietnamese, Turkish
    r"関連記事|あわせて読みたい|相关(?:阅读|新闻|文章)|相關新聞|관련\s*기사|baca\s+juga|xem\s+thêm|ilgili\s+haberler",
)
LABEL = re.compile(rf"^\W*(?:{'|'.join(LABEL_PHRASES)})\s*[:.\u2026\u25b6\u2192>-]*\s*$", re.IGNORECASE)


def is_label(text: str) -> bool:
    """Tell whether a line names a list of related articles."""
    return len(text) <= LONGEST_LABEL and bool(LABEL.match(text))


def split(body: list[Block], base: str) -> tuple[list[Block], list[Link]]:
    """Part the blocks of a text from the related lists in it.

    A list is a short label (by its words, or by ending in a colon) with nothing but links after it: in the same
    paragraph, in paragraphs or headings of their own, or as list items. A line of its own that is a label and one
    link ("Read more: …") is a list of one.
    """
    kept: list[Block] = []
    links: list[Link] = []
    position = 0
    while position < len(body):
        block = body[position]
        own = _labelled(block)
        if own:
            links.extend(_resolved(own, base))
            position += 1
            # A bold label and the first link in one paragraph, the rest in the next ones.
            while position < len(body) and is_link(body[position]):
                links.extend(_resolved(body[position].links, base))
                position += 1
            continue
        end = position + 1
        if _opens_list(block):
            while end < len(body) and is_link(body[end]):
                end += 1
        if end - position > 1 and (is_label(block.text) or _looks_listed(body[position + 1 : end], base)):
            for item in body[position + 1 : end]:
                links.extend(_resolved(item.links, base))
            position = end
            continue
        # A label whose list was a widget that is gone already.
        if is_label(block.text) and (block.text.rstrip().endswith(":") or position == len(body) - 1):
            position += 1
            continue
        kept.append(block)
        position += 1
    return kept, distinct(links)


def _opens_list(block: Block) -> bool:
    text = block.text
    if block.linked or len(text) > LONGEST_LABEL:
        return False
    return is_label(text) or (text.endswith(":") and len(text.split()) <= SHORT_LABEL_WORDS)


def is_link(block: Block) -> bool:
    """Tell whether a block is a link, or a row of links, and nothing else."""
    return bool(block.links) and block.linked >= LINK_ONLY * len(block.text.replace("\n", ""))


def _labelled(block: Block) -> list[tuple[str, str]]:
    """Return the links of a block that is a label and links only: "Related articles: A, B" in one paragraph."""
    if not block.links:
        return []
    text = block.text.replace("\n", " ")
    rest: list[str] = []
    at = 0
    for _, title in block.links:
        found = text.find(title, at)
        if found >= 0:
            rest.append(text[at:found])
            at = found + len(title)
    rest.append(text[at:])
    if is_label(clean(re.sub(r"[\u2022\u00b7|*,;\u2013\u2014-]+", " ", " ".join(rest)))):
        return block.links
    return []


def _looks_listed(items: list[Block], base: str) -> bool:
    """Tell whether link-only blocks after a label with a colon lead to pages of the same site, headline-like."""
    here = _site(base)
    for item in items:
        for href, title in item.links:
            url = absolute(base, href)
            if not url or _site(url) != here or len(title.split()) < 2:
                return False
    return True


def _site(url: str) -> str:
    host = host_of(url)
    labels = host.split(".")
    registered = 3 if len(labels) > 2 and len(labels[-1]) == 2 and len(labels[-2]) <= 3 else 2  # bbc.co.uk, abc.net.au
    return ".".join(labels[-registered:])


def _resolved(pairs: Iterable[tuple[str, str]], base: str) -> list[Link]:
    """Return the links to articles among *pairs*; "Read more about: Arctic" leads to a topic."""
    links = [Link(url, clean(title)) for href, title in pairs if (url := absolute(base, href))]
    return [link for link in links if not _elsewhere(link.url)]


def _elsewhere(url: str) -> bool:
    """Tell whether an address is a topic's or an author's page, and not an article."""
    path = path_of(url)
    return bool(TOPIC_PATH.search(path) or AUTHOR_PATH.search(path))


def distinct(links: Iterable[Link]) -> list[Link]:
    """Return *links* in order, each address and title once."""
    seen: dict[tuple[str, str | None], Link] = {}
    for link in links:
        seen.setdefault((link.url, link.title), link)
    return list(seen.values())


def boxes(container: HtmlElement, base: str) -> list[tuple[HtmlElement, list[Link]]]:
    """Return the boxes inside a text that lead to other articles of the site, each with its links.

    A box is an ``aside`` of mostly links, or a card: an element with a linked heading and hardly a word besides.
    The title is the heading in the box, else the anchor's own text.
    """
    found: dict[HtmlElement, list[Link]] = {}
    for aside in container.iter("aside"):
        lines = blocks(aside)
        if lines and sum(line.linked for line in lines) * 2 >= sum(len(line.text) for line in lines):
            found[aside] = _titled(aside, base)
    for heading in container.iter("h2", "h3", "h4", "h5", "h6"):
        card = _card(heading, container)
        if card is not None and not any(element in found for element in (card, *card.iterancestors())):
            found[card] = _titled(card, base)
    return list(found.items())


def _card(heading: HtmlElement, container: HtmlElement) -> HtmlElement | None:
    """Return the largest box around a linked heading that has one address and hardly a word besides, if any."""
    anchor = next((parent for parent in heading.iterancestors("a") if parent.get("href")), None)
    if anchor is None:
        return None
    best = None
    for ancestor in anchor.iterancestors():
        if ancestor is container or ancestor.tag not in {"div", "section", "aside", "li"} or len(ancestor) > 3:
            break
        text = clean(ancestor.text_content())
        addresses = {link.get("href") for link in ancestor.iter("a")}
        if addresses != {anchor.get("href")} or len(text) > LONGEST_CARD or ancestor.find(".//p") is not None:
            break
        if len(clean(anchor.text_content())) < LINK_ONLY * len(text):
            break
        best = ancestor
    return best


def _titled(box: HtmlElement, base: str) -> list[Link]:
    links = []
    for anchor in box.iter("a"):
        heading = next((clean(h.text_content()) for h in anchor.iter(*HEADINGS)), None)
        title = heading or clean(anchor.get("title") or "") or clean(anchor.text_content())
        url = absolute(base, anchor.get("href"))
        if url and title and not is_label(title) and not _elsewhere(url):
            links.append(Link(url, title))
    return distinct(links)
