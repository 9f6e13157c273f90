"""Which blocks of a page are its article: told by where prose stands together, without heuristics of a library.

Every block is weighed by its prose; the element under which most of it stands is the text's home. In it, what its
elements or their classes name as furniture, lone links and the lines around the prose are left out.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice

from lxml.html import HtmlElement

from archive.extraction import furniture
from archive.extraction.prose import HEADINGS, Block

FURNITURE_TAGS = frozenset(
    ("nav", "aside", "footer", "form", "figcaption", "figure", "label", "legend", "menu", "dialog")
)
FURNITURE = re.compile(
    r"(?:^|[\s_-])(?:newsletters?|sign-?up|subscri\w*|paywall|promos?|promotion|advert\w*|ads?|sponsor\w*|banner|"
    r"share|shar(?:ing|er)|rail|light-?box\w*|photos?|image-?\w*|picture|thumb(?:nail)?s?|media-?caption|print-header|person-details\w*|expandable\w*|socials?|social-?\w*|related\w*|recommend\w*|recirc\w*|read-?more|more-?(?:on|from|stories|news)|"
    r"most-?(?:read|popular|viewed)|trending|popular|outbrain|taboola|teasers?|widget|tags?|tag-?(?:list|cloud)|topics?|"
    r"author-?(?:bio|box|info|card|description)|bio|about-?author|captions?|credits?|copyright|disclaimer|toolbar|tool-?tips?|"
    r"modal|pop-?up|overlay|login|register|rating|poll|quiz|print-?only|visually-?hidden|sr-only|screen-?reader\w*|"
    r"pagination|pager|skip-?links?|by-?lines?|dateline|meta(?:data)?|infobox|fact-?box|jp-relatedposts|yarpp\w*|"
    r"gallery|slideshow|carousel|video-?(?:player|caption|title)|player)(?:$|[\s_-])",
    re.IGNORECASE,
)
AROUND = re.compile(
    r"(?:^|[\s_-])(?:nav(?:bar|igation)?|menu|side-?bar|breadcrumbs?|footer|cookies?|consent|gdpr)(?:$|[\s_-])",
    re.IGNORECASE,
)
COMMENTS = re.compile(r"(?:^|[\s_-])(?:comments?(?!ary)|comment-?\w*list|disqus\w*|respond)(?:$|[\s_-])", re.IGNORECASE)
CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
SENTENCE = re.compile(r"[.!?:;,\u2026\u3002\uff01\uff1f\u060c\u061f\u0964\"\u201d\u00bb]")
CLOSING = frozenset('.!?\u2026\u3002\uff01\uff1f"\u201d\u00bb)')
LEAST_PROSE = 40  # letters of a block with a sentence in it
LEAST_DENSE = 12  # the same for scripts whose words are not parted by spaces
DENSE = re.compile("[\u0e00-\u0eff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")
LINKED_SHARE = 0.5  # of a block's characters; more is a link and not prose
MOST_WEIGHT = 600  # characters that one block counts for at most in finding the home
ITEM = 0.5  # of its weight: lists of teasers are as long as articles
ABOVE = 0.5  # of the weight of what stands over the page's headline
FURNISHED = 0.1  # of the weight of what stands in furniture
DECAY = (1.0, 0.9, 0.6, 0.4, 0.3)  # of a block's weight, at its container and the elements around that
NAMED, BUILT, COMMENTED = 1, 2, 3  # how an element is marked: by a name, by its tag or role, as readers' comments
MOST_HELD = {NAMED: 0.5, BUILT: 0.8, COMMENTED: 1.0}  # of all prose; comments may well be longer than an article
WIDER = 1.1  # times the weight: how much more prose of the same kind makes the surrounding element the home


HIGHEST = 8  # levels above a home at which its like are looked for
ALIKE = 0.7  # of the prose gained must be of the same kind


@dataclass(slots=True)
class Choice:
    """The element a text stands in, all blocks there that no name marks as furniture, and their share of the prose
    on the page, 0 to 1.
    """

    blocks: list[Block]
    home: HtmlElement | None
    share: float


@lru_cache(maxsize=8192)
def mark_of(label: str) -> int:
    """Return how a class or id marks an element as furniture, 0 when it does not."""
    parted = CAMEL.sub("-", label)
    if COMMENTS.search(parted):
        return COMMENTED
    if AROUND.search(label) or AROUND.search(parted):
        return BUILT
    return NAMED if FURNITURE.search(label) or FURNITURE.search(parted) else 0


class _Page:
    """The blocks of a page, with their weights and what the elements around them say they are.

    Each element is looked at once, whatever the page's depth and number of blocks.
    """

    def __init__(self, on_page: Sequence[Block]) -> None:
        self.blocks = on_page
        self.weights = [weight_of(block) for block in on_page]
        self.total = sum(self.weights)
        self.lines = {block.element for block, weight in zip(on_page, self.weights, strict=True) if weight}
        self.held = self._sums()  # the prose under each element
        self._held_alike: Counter[str] = Counter()  # and under all elements of one class together
        for element, weight in self.held.items():
            if label := element.get("class"):
                self._held_alike[label] += weight
        self._marks: dict[HtmlElement, int] = {}
        self._judged: dict[HtmlElement | None, dict[HtmlElement, bool]] = {}

    def _sums(self) -> Counter[HtmlElement]:
        held: Counter[HtmlElement] = Counter()
        above: dict[HtmlElement, HtmlElement | None] = {}  # in the order of looking: children before parents
        depth: dict[HtmlElement | None, int] = {None: 0}
        for block, weight in zip(self.blocks, self.weights, strict=True):
            if not weight:
                continue
            held[block.element] += weight
            line = []
            element: HtmlElement | None = block.element
            while element is not None and element not in depth:
                line.append(element)
                above[element] = element = element.getparent()
            depth.update((inner, level) for level, inner in enumerate(reversed(line), depth[element] + 1))
        for element in sorted(above, key=lambda each: -depth[each]):
            parent = above[element]
            if parent is not None:
                held[parent] += held[element]
        return held

    def is_furniture(self, element: HtmlElement, home: HtmlElement | None = None) -> bool:
        """Tell whether an element between *element* and *home* marks it as furniture.

        What holds too much of the prose of *home*, or of the page, is no furniture, whatever it is called: see
        ``MOST_HELD``.
        """
        judged = self._judged.setdefault(home, {})
        whole = self.held[home] if home is not None else self.total
        line = []
        at: HtmlElement | None = element
        while at is not None and at is not home and at not in judged:
            line.append(at)
            at = at.getparent()
        found = judged.get(at, False) if at is not None and at is not home else False
        for inner in reversed(line):
            if not found:
                mark = self._marks.get(inner)
                if mark is None:
                    mark = self._marks[inner] = _mark(inner)
                held = max(self.held[inner], self._held_alike[inner.get("class") or ""]) if mark else 0
                found = bool(mark) and held <= MOST_HELD[mark] * whole
            judged[inner] = found
        return found


def _mark(element: HtmlElement) -> int:
    """Return how an element is marked as furniture, 0 when it is not."""
    tag = element.tag
    if tag in {"body", "html", "main", "article"}:
        return 0
    if tag in FURNITURE_TAGS:
        return BUILT
    if tag in {"blockquote", "div"} and furniture.is_embedded(element):
        return COMMENTED
    for name, value in element.items():
        if name in ("class", "id"):
            if value and (mark := mark_of(value)):
                return mark
        elif (
            name == "hidden"
            or (name == "role" and value.lower() in furniture.ROLES)
            or (name == "aria-hidden" and value == "true")
            or (name == "style" and furniture.HIDDEN_STYLE.search(value))
        ):
            return BUILT
    return 0


def weight_of(block: Block) -> int:
    """Return how many characters of prose a block has, 0 when it is a label, a link or a line of data."""
    text = block.text
    own = len(text) - block.linked
    if own < LEAST_DENSE or block.linked > LINKED_SHARE * len(text) or block.tag in HEADINGS:
        return 0
    least = LEAST_PROSE if text.isascii() or not DENSE.search(text) else LEAST_DENSE
    return own if own >= least and SENTENCE.search(text) else 0


def choose(on_page: Sequence[Block]) -> Choice:
    """Return the article among the blocks of a page."""
    page = _Page(on_page)
    home = _home(page)
    if home is None:
        return Choice([], None, 0.0)
    own = _own(page, home)
    outside = sum(
        weight
        for block, weight in zip(on_page, page.weights, strict=True)
        if weight and not page.is_furniture(block.element)
    )
    return Choice(own, home, sum(map(weight_of, own)) / (outside or 1))


def choose_in(home: HtmlElement, on_page: Sequence[Block]) -> Choice:
    """Return the article in an element that is known to hold it."""
    return Choice(_own(_Page(on_page), home), home, 1.0)


def _own(page: _Page, home: HtmlElement) -> list[Block]:
    return [block for block in inside(page.blocks, home) if not page.is_furniture(block.element, home)]


def _home(page: _Page) -> HtmlElement | None:
    scores: dict[HtmlElement, float] = defaultdict(float)
    headed = next((at for at, block in enumerate(page.blocks) if block.tag == "h1"), 0)
    for at, (block, weight) in enumerate(zip(page.blocks, page.weights, strict=True)):
        if not weight:
            continue
        element: HtmlElement | None = block.element
        value = float(min(weight, MOST_WEIGHT))
        if at < headed:
            value *= ABOVE
        if block.tag == "li":
            value *= ITEM
        if page.is_furniture(block.element):
            value *= FURNISHED
        if block.tag in {"p", "li", "blockquote", "pre", "td", "dd"}:
            element = block.element.getparent()
        for share in DECAY:
            if element is None or element.tag == "html":
                break
            scores[element] += value * share
            element = element.getparent()
    if not scores:
        return None
    return _widened(max(scores, key=lambda element: scores[element]), page)


def _widened(home: HtmlElement, page: _Page) -> HtmlElement:
    """Return the element around *home* in which more of the same text stands: one cut in pieces by boxes."""
    best, label = home, _label(home)
    for level, ancestor in enumerate(islice(home.iterancestors(), HIGHEST)):
        if ancestor.tag in {"html", "body"}:
            break
        gained = page.held[ancestor] - page.held[best]
        if not gained:
            continue
        alike = sum(
            page.held[child] for child in ancestor if level < 2 and child in page.lines and not page.is_furniture(child)
        )
        if label and gained > (WIDER - 1) * page.held[best]:
            alike += sum(page.held[piece] for piece in _pieces(ancestor, home, label)) - page.held[best]
        if alike >= ALIKE * gained:
            best = ancestor
    return best


def _pieces(around: HtmlElement, home: HtmlElement, label: str) -> list[HtmlElement]:
    """Return the elements under *around* that are named as *home* is, none inside another."""
    found: dict[HtmlElement, None] = {}
    for element in around.iter(home.tag):
        if _label(element) == label and not any(outer in found for outer in islice(element.iterancestors(), HIGHEST)):
            found[element] = None
    return list(found)


def _label(element: HtmlElement) -> str:
    return _first_name(element.get("class") or "")


@lru_cache(maxsize=8192)
def _first_name(label: str) -> str:
    return re.sub(r"\d+", "", next(iter(label.split()), ""))


def inside(on_page: Sequence[Block], home: HtmlElement) -> list[Block]:
    """Return the blocks that stand in *home*."""
    known: dict[HtmlElement, bool] = {home: True}
    found = []
    for block in on_page:
        line = []
        element: HtmlElement | None = block.element
        while element is not None and element not in known:
            line.append(element)
            element = element.getparent()
        within = known[element] if element is not None else False
        known.update((each, within) for each in line)
        if within:
            found.append(block)
    return found


def with_company(own: Sequence[Block]) -> list[Block]:
    """Return the prose among *own* with the headings, items and short lines between it, and those that end it."""
    weights = [weight_of(block) for block in own]
    heavy = [at for at, weight in enumerate(weights) if weight]
    if not heavy:
        return []
    kept: list[Block] = []
    for at in range(heavy[0], _end(own, heavy[-1])):
        if weights[at] or _keeps_company(own[at], kept):
            kept.append(own[at])
    return kept


def _keeps_company(block: Block, kept: Sequence[Block]) -> bool:
    """Tell whether a block that is no prose belongs to the text it stands in, of which *kept* comes before it."""
    if block.linked > LINKED_SHARE * len(block.text):
        # A list of links that the text announces.
        announced = bool(kept) and (kept[-1].text.endswith(":") or (kept[-1].tag == "li" and kept[-1].linked > 0))
        return block.tag in HEADINGS or (block.tag == "li" and announced)
    return (
        block.tag in HEADINGS
        or block.tag in {"p", "li", "tr", "dd", "dt", "blockquote", "pre"}
        or len(block.text) >= LEAST_PROSE
        or SENTENCE.search(block.text[-1:]) is not None
    )


def _around(element: HtmlElement) -> set[HtmlElement]:
    """Return an element with those it may share with the next paragraph of its text."""
    return {element, *islice(element.iterancestors(), 2)}


def _end(own: Sequence[Block], last: int) -> int:
    """Return where a text ends whose last prose is *last*: with the list it announces, and with short sentences."""
    at = last + 1
    home = _around(own[last].element)
    while at < len(own):
        block = own[at]
        if block.linked > LINKED_SHARE * len(block.text):
            break
        sentence = (
            block.text[-1:] in CLOSING and block.tag == own[last].tag and not home.isdisjoint(_around(block.element))
        )
        listed = block.tag == "li" and (own[at - 1].tag in {"li", *HEADINGS} or own[at - 1].text.endswith(":"))
        headed = block.tag in HEADINGS and at + 1 < len(own) and own[at + 1].tag == "li"
        if not (sentence or listed or headed):
            break
        at += 1
    while own[at - 1].tag in HEADINGS:
        at -= 1
    return at
