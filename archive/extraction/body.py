"""The text of an article: its blocks are chosen, and say it exactly. trafilatura's one home.

The choice is made by where prose stands together (``choice.py``). Where that leaves doubt, trafilatura is asked, and
the better of the two texts is taken. Its output changes white space, joins and drops blocks; so its choice is mapped
back onto the blocks of the page, and those are the text. Blocks among the chosen ones that it left out (short
paragraphs, sub-headings, list items) are taken in.
"""

from __future__ import annotations

import logging
import re
from collections import Counter
from collections.abc import Collection, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from itertools import islice

from lxml.html import Element, HtmlElement

from archive.article import Link
from archive.extraction import choice, dates, furniture, related
from archive.extraction.learned import HEADLINE_LEVELS, Layout, LeftOut, fingerprint
from archive.extraction.prose import HEADINGS, Block, blocks, clean, letters

# Its warnings name pages it found no text in: that is told by the article itself.
logging.getLogger("trafilatura").setLevel(logging.CRITICAL)

DROPPED = "data-newswarc-dropped"  # marks elements across the copying of a tree
SURE_MATCH = 15  # letters; shorter blocks ("Reuters", "More") must be a whole line of the choice to match it
REPEATED = 3  # times on one page: a line that trafilatura left out and that comes as often is furniture
LONGEST_REPEATED = 60  # characters of such a line; a longer one may be a refrain
LONGEST_DATELINE = 120  # characters
HEAD_LINES = 6  # at most, that may repeat title and byline
DISCLAIMER = re.compile(
    r"^.{0,80}\b(?:views|opinions)\b.{0,40}\bexpressed\b.{0,120}\b(?:not necessarily|do not|does not|are not)\b",
    re.IGNORECASE,
)
STANDFIRST = re.compile(
    r"stand-?first|sub-?(?:title|head\w*|line)|(?:^|[\s_-])(?:lead|lede|intro\w*|summary|dek|deck|excerpt|abstract|sapo|chapo|chapeau|"
    r"entradilla|bajada|sommario|occhiello|catenaccio|ingress|perex|preamble|manchet|kurztext|vorspann|anreisser)(?:$|[\s_-])",
    re.IGNORECASE,
)
MARKUP = re.compile(r"<[^>]{1,200}>")
CUT = ("...", "\u2026")  # how a teaser ends
MOST_STANDFIRST = 3  # paragraphs
NEAR = 15  # blocks before a text in which its standfirst is looked for when no headline is found
SHORT = 250  # characters; a shorter text is worth another opinion
LEAST_SHARE = 0.4  # of the page's prose
EXCERPT = 0.5  # of the text found: what is told in fewer words is an excerpt
LEAST_AGREED = 0.6  # less in common, and the data tell of something else
AGREED = 0.8  # words in common with the text that the page's data give
HOME_SHARE = 0.9  # of the chosen letters that lie in the text's container


@dataclass(slots=True)
class Body:
    """The text as blocks, and the related articles that stood in it. *source* as in ``Article.sources``.

    *home* is the element it stands in, where that is known; *whole* tells whether the whole page was read to find it.
    """

    blocks: list[Block] = field(default_factory=list)
    related: list[Link] = field(default_factory=list)
    source: str | None = None
    home: HtmlElement | None = None
    whole: bool = True

    @property
    def text(self) -> str:
        return "\n\n".join(block.text for block in self.blocks)


def from_containers(
    containers: Sequence[HtmlElement], drop: Sequence[HtmlElement], base: str, about: str | None = None
) -> Body:
    """Return the text of *containers* without *drop*, captions, embedded posts, appeals and related lists."""
    unwanted = set(drop)
    links: list[Link] = []
    for container in containers:
        for box, found in related.boxes(container, base):
            unwanted.add(box)
            links.extend(found)
        unwanted.update(furniture.appeals(container, about))
        unwanted.update(container.iter(*furniture.CAPTIONS, *furniture.ALWAYS, "aside", "form"))
        unwanted.update(element for element in container.iter("blockquote", "div") if furniture.is_embedded(element))
    found_blocks = [block for container in containers for block in blocks(container, unwanted)]
    kept, listed = related.split(found_blocks, base)
    return Body(kept, related.distinct([*links, *listed]), "publisher-rule")


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of an article before its text is looked for.

    *shown* are lines that belong to other fields: title, names of the byline. *about* is what the page says the
    article is about: a box that begins so is never taken for an appeal. *told* is the text as the page's data give
    it, where they do: what the choice is held against. *left_out* gathers what is left out, when someone asks.
    """

    base: str
    shown: Sequence[str] = ()
    about: str | None = None
    told: str | None = None
    left_out: list[LeftOut] | None = None


def note(left_out: list[LeftOut] | None, before: Sequence[Block], after: Sequence[Block], why: str) -> None:
    """Add to *left_out* the blocks that are in *before* and no longer in *after*."""
    if left_out is not None:
        kept = {id(block) for block in after}
        left_out.extend(LeftOut(block.text, why, fingerprint(block.text)) for block in before if id(block) not in kept)


def general(article: HtmlElement, on_page: Sequence[Block], known: Known, drop: Sequence[HtmlElement] = ()) -> Body:
    """Return the text of any page, or part of one, whose blocks without *drop* are *on_page*."""
    picked = choice.choose(on_page)
    found = _finished(picked, on_page, known)
    if not _doubtful(found, picked, known.told):
        return found
    other = by_trafilatura(article, known, drop)
    if known.told and max(_agreement(found.text, known.told), _agreement(other.text, known.told)) >= LEAST_AGREED:
        return max(found, other, key=lambda body: _agreement(body.text, known.told or ""))
    return max(found, other, key=_worth)


def in_layout(root: HtmlElement, layout: Layout, known: Known) -> Body | None:
    """Return the text of a page whose layout is known, ``None`` when it is not laid out so."""
    home = layout.find(root)
    if home is None:
        return None
    own = blocks(home)
    picked = choice.choose_in(home, own)
    found = _finished(picked, [*_below_headline(home), *own], known)
    if len(found.text) < SHORT or (known.told and _doubtful(found, picked, known.told)):
        return None
    found.whole = False
    return found


def _below_headline(home: HtmlElement) -> list[Block]:
    """Return the blocks between a text's home and the headline over it, with that; none when there is none near."""
    found: list[Block] = []
    for element in (home, *islice(home.iterancestors(), HEADLINE_LEVELS)):
        if element.tag in {"body", "html"}:
            break
        for before in element.itersiblings(preceding=True):
            found[:0] = blocks(before)
            if next(before.iter("h1"), None) is not None:
                return found
    return []


def _finished(picked: choice.Choice, on_page: Sequence[Block], known: Known) -> Body:
    """Return chosen blocks without the appeals, related lists and lines of other fields among them."""
    if picked.home is None:
        return Body()
    left_out = known.left_out
    if left_out is not None:
        note(left_out, choice.inside(on_page, picked.home), picked.blocks, "its element is named or built as furniture")
    boxes = related.boxes(picked.home, known.base)
    own = _without(picked.blocks, {box for box, _ in boxes}, picked.home)
    note(left_out, picked.blocks, own, "a box of related articles")
    asking = set(furniture.appeals(picked.home, known.about))
    asked = _without(own, asking, picked.home)
    note(left_out, own, asked, "asks for money, a subscription or an address")
    parted, listed = related.split(asked, known.base)
    note(left_out, asked, parted, "a list of related articles")
    links = [link for _, links in boxes for link in links]
    together = choice.with_company(parted)
    note(left_out, parted, together, "not among the prose")
    text = _trimmed(together, known.shown)
    note(left_out, together, text, "title, byline, date, disclaimer or a call to the reader")
    standfirst = _standfirst(text, on_page, known.shown, known.about)
    return Body([*standfirst, *text], related.distinct([*links, *listed]), "markup", picked.home)


def _without(own: list[Block], unwanted: Collection[HtmlElement], home: HtmlElement) -> list[Block]:
    return [block for block in own if not _stands_in(block.element, unwanted, home)] if unwanted else own


def _stands_in(element: HtmlElement, unwanted: Collection[HtmlElement], home: HtmlElement) -> bool:
    at: HtmlElement | None = element
    while at is not None and at is not home:
        if at in unwanted:
            return True
        at = at.getparent()
    return False


def _standfirst(
    text: Sequence[Block], on_page: Sequence[Block], shown: Sequence[str], about: str | None
) -> list[Block]:
    """Return the paragraph between headline and text that sums it up: named so, or the page's own description."""
    if not text:
        return []
    first = next((at for at, block in enumerate(on_page) if block is text[0]), 0)
    head = max((at for at in range(first) if on_page[at].tag == "h1"), default=max(0, first - NEAR))
    opening = letters(about or "")[: furniture.OPENING]
    known = {letters(line) for line in shown if line}
    said = letters(" ".join(block.text for block in text[:3]))
    found = []
    for block in on_page[head + 1 : first]:
        own = letters(block.text)
        if not choice.weight_of(block) or own in known or own in said or block.tag in HEADINGS:
            continue
        if block.text.endswith(CUT):
            continue
        if (opening and own.startswith(opening)) or _is_named(block.element, STANDFIRST):
            found.append(block)
    return found[:MOST_STANDFIRST]


def _is_named(element: HtmlElement, pattern: re.Pattern[str]) -> bool:
    near = (element, element.getparent())
    return any(at is not None and pattern.search(at.get("class") or "") for at in near)


def _doubtful(found: Body, picked: choice.Choice, told: str | None) -> bool:
    """Tell whether another opinion is worth its time: little text, little of the page's prose, or not the one told."""
    size = len(found.text)
    if told and len(told) > max(SHORT, EXCERPT * size):
        return _agreement(found.text, told) < AGREED
    return size < SHORT or picked.share < LEAST_SHARE


def _worth(body: Body) -> float:
    """Return how good a text is by itself: its prose, less what is no prose in it."""
    return sum(choice.weight_of(block) or -len(block.text) / 2 for block in body.blocks)


def _agreement(text: str, told: str) -> float:
    """Return the F1 of two texts' words, 0 to 1."""
    ours, theirs = Counter(text.casefold().split()), Counter(clean(MARKUP.sub(" ", told)).casefold().split())
    return 2 * (ours & theirs).total() / ((ours.total() + theirs.total()) or 1)


def by_trafilatura(article: HtmlElement, known: Known, drop: Sequence[HtmlElement] = ()) -> Body:
    """Return the text that trafilatura chooses, said by the page's own blocks."""
    base, shown, about = known.base, known.shown, known.about
    root = _alone(article, drop)
    found = related.boxes(root, base)
    boxed = [(box.getparent(), links) for box, links in found]
    furniture.remove_all(box for box, _ in found if box.tag != "aside")
    furniture.strip(root)
    # Appeals first: they are told by links and words that the rules may drop one by one.
    furniture.remove_all([*furniture.appeals(root, about), *root.xpath(f"//*[@{DROPPED}]")])
    on_page = blocks(root)
    lines = _chosen_lines(root)
    picked = _pick(on_page, lines)
    if not picked:
        return Body([Block(line, root) for line in lines], [], "trafilatura" if lines else None)
    home = _home([on_page[position] for position in picked])
    region = on_page[picked[0] : _end_of_lists(on_page, picked[-1], home)]
    parted, listed = related.split(region, base)
    unlisted = {id(block) for block in region} - {id(block) for block in parted}
    kept = [block for block in _with_left_out(on_page, picked, home) if id(block) not in unlisted]
    inside = [link for parent, links in boxed if parent is not None and _within(parent, home) for link in links]
    return Body(_trimmed(_unrepeated(kept), shown), related.distinct([*inside, *listed]), "trafilatura")


def from_text(text: str, root: HtmlElement) -> Body:
    """Return a text that structured data carry, one paragraph a line; markup in it is read as text."""
    lines = [clean(line) for line in re.split(r"\n+|</p>|<br\s*/?>", text)]
    plain = [clean(re.sub(r"<[^>]{1,200}>", " ", line)) for line in lines]
    return Body([Block(line, root) for line in plain if line], [], "json-ld")


def _alone(article: HtmlElement, drop: Sequence[HtmlElement]) -> HtmlElement:
    """Return a copy of an article in a document of its own, with *drop* marked in it."""
    for element in drop:
        element.set(DROPPED, "")
    copy = deepcopy(article)
    for element in drop:
        del element.attrib[DROPPED]
    copy.tail = None
    if copy.tag == "html":
        return copy
    root, body = Element("html"), Element("body")
    root.append(body)
    if copy.tag == "body":
        root.replace(body, copy)
    else:
        body.append(copy)
    return root


def _chosen_lines(root: HtmlElement) -> list[str]:
    """Return the lines of text trafilatura chooses, none when it finds no article."""
    from trafilatura import bare_extraction  # noqa: PLC0415 - few pages need it, and it takes a while to load

    document = bare_extraction(root, fast=True, include_comments=False, deduplicate=False, with_metadata=False)
    text = getattr(document, "text", None)
    return [line for line in (clean(part) for part in (text or "").split("\n")) if line]


def _pick(on_page: Sequence[Block], choice: Sequence[str]) -> list[int]:
    """Return the positions of the blocks that make up the chosen lines."""
    lines = {letters(line) for line in choice}
    whole = "".join(letters(line) for line in choice)
    picked = []
    for position, block in enumerate(on_page):
        own = letters(block.text)
        if own and (own in lines or (len(own) >= SURE_MATCH and own in whole)):
            picked.append(position)
    return picked


def _home(chosen: Sequence[Block]) -> HtmlElement:
    """Return the deepest element that holds nearly all of the chosen text."""
    total = sum(len(block.text) for block in chosen)
    weight: Counter[HtmlElement] = Counter()
    depth: dict[HtmlElement, int] = {}
    for block in chosen:
        line = [block.element, *block.element.iterancestors()]
        for level, element in enumerate(reversed(line)):
            weight[element] += len(block.text)
            depth[element] = level
    return max((e for e in weight if weight[e] >= HOME_SHARE * total), key=lambda e: depth[e])


def _within(element: HtmlElement, home: HtmlElement) -> bool:
    return element is home or any(ancestor is home for ancestor in element.iterancestors())


def _end_of_lists(on_page: Sequence[Block], last: int, home: HtmlElement) -> int:
    """Return where a text ends with the lists of links that follow it in its container."""
    end = last + 1
    while end < len(on_page) and _within(on_page[end].element, home):
        if not related.is_link(on_page[end]) and not related.is_label(on_page[end].text):
            break
        end += 1
    return end


def _with_left_out(on_page: Sequence[Block], picked: Sequence[int], home: HtmlElement) -> list[Block]:
    """Return the picked blocks with the prose among them, and directly before them, that stands beside them."""
    chosen = set(picked)
    parents: Counter[HtmlElement | None] = Counter(on_page[position].element.getparent() for position in picked)
    often = Counter(block.text for block in on_page)
    result = []
    for position in range(picked[-1] + 1):
        block = on_page[position]
        if position in chosen:
            result.append(block)
            continue
        if often[block.text] >= REPEATED or not _within(block.element, home):
            continue
        parent = block.element.getparent()
        beside = parent.getparent() if parent is not None and block.tag == "li" else parent
        among = parents[beside] >= 2 and position > picked[0]
        if block.linked * 2 > len(block.text):
            # A list of links that the text announces; related ones are parted from it by their label.
            announced = bool(result) and (result[-1].text.endswith(":") or _next_item(result[-1], block))
            if block.tag == "li" and among and announced:
                result.append(block)
        elif block.tag in HEADINGS and position > picked[0]:
            if _heads(on_page, position, chosen):
                result.append(block)
        elif block.element is home or among or (parents[beside] >= 2 and block.tag == "p"):
            result.append(block)
    return result


def _heads(on_page: Sequence[Block], position: int, chosen: set[int]) -> bool:
    """Tell whether a heading stands over a chosen block, directly or over another heading."""
    below = position + 1
    while below < len(on_page) and on_page[below].tag in HEADINGS and below not in chosen:
        below += 1
    return below in chosen


def _next_item(before: Block, block: Block) -> bool:
    return before.tag == "li" and before.linked > 0 and block.element.getprevious() is before.element


def _unrepeated(kept: list[Block]) -> list[Block]:
    """Return blocks without short lines that keep coming back."""
    often = Counter(block.text for block in kept if len(block.text) <= LONGEST_REPEATED)
    return [block for block in kept if often[block.text] < REPEATED]


def _trimmed(kept: list[Block], shown: Sequence[str]) -> list[Block]:
    """Return blocks without lines that belong to other fields or to every page.

    These are lines at the head that repeat title and byline or say when it was published, the publisher's
    disclaimer, calls to follow or subscribe, and headings left at the end without a text.
    """
    known = {letters(line) for line in shown if line}
    start = 0
    for position, block in enumerate(kept[:HEAD_LINES]):
        if letters(block.text) in known or _is_dateline(block):
            start = position + 1
        elif len(block.text) > LONGEST_REPEATED:
            break
    body = [
        block
        for position, block in enumerate(kept[start:])
        if not (position < HEAD_LINES and _is_dateline(block))
        and not DISCLAIMER.search(block.text)
        and not furniture.is_call(block.text)
    ]
    while body and body[-1].tag in HEADINGS:
        body.pop()
    return body


def _is_dateline(block: Block) -> bool:
    """Tell whether a line is no more than when, and by whom, something was published."""
    text = block.text
    short = len(text) <= LONGEST_DATELINE and text[-1:] not in choice.CLOSING
    return short and block.tag not in HEADINGS and block.tag != "tr" and dates.iso(text) is not None
