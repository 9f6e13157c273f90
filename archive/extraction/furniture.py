"""What stands around and inside an article and is not its text, told by general structure.

Nothing here knows a publisher. Navigation, forms, boxes, captions and posts of other sites are told by their
elements; appeals to donate, subscribe or sign up by where their links and buttons lead and by how much of a box is
such an appeal.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from functools import cache
from itertools import islice

from lxml.html import HtmlElement

from archive.extraction.page import path_of
from archive.extraction.prose import Block, blocks, clean, letters

ALWAYS = (
    "script",
    "style",
    "noscript",
    "template",
    "nav",
    "button",
    "iframe",
    "svg",
    "object",
    "embed",
    "dialog",
    "select",
)
MOSTLY = ("form", "footer", "aside")  # furniture unless most of the page's text stands in them
CAPTIONS = ("figcaption", "figure")
EMBEDDED = re.compile(
    r"(?:^|[\s_-])(?:twitter-(?:tweet|video)|instagram-media|tiktok-embed|fb-post|fb-video|telegram-post|reddit-(?:card|embed)|"
    r"bluesky-embed|mastodon-embed|wp-embedded-content)",
    re.IGNORECASE,
)
POST = re.compile(
    r"^https?://(?:www\.|mobile\.)?(?:(?:twitter|x)\.com/[^/]+/status/|instagram\.com/(?:p|reel)/|t\.me/[^/]+/\d|tiktok\.com/@|"
    r"facebook\.com/[^/]+/posts/|bsky\.app/profile/[^/]+/post/|threads\.net/@)",
    re.IGNORECASE,
)
ROLES = frozenset(("navigation", "complementary", "search", "dialog", "alertdialog", "banner", "contentinfo", "menu"))
HIDDEN_STYLE = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden", re.IGNORECASE)
APPEAL_SEGMENT = re.compile(  # a whole segment of a path: an article's slug may well speak of donations
    r"(?:donat(?:e|ion|ions)|contribut(?:e|ion|ions)|support(?:-(?:us|our-\w+|\w+))?|subscri(?:be|ption|ptions|bers?)|"
    r"members?(?:hip)?|join(?:-us)?|newsletters?|sign-?up|spenden?|abo(?:nn\w*|s)?|soutenir|donar|suscri\w+|assin\w+|"
    r"sostieni\w*|podderzh\w*)(?:-(?:us|now|today|here|page|form))?\d*(?:\.\w+)?",
    re.IGNORECASE,
)
ASKING = re.compile(  # what asks the reader for something
    r"\b(?:your\s+(?:support|help|contribution|donation|email|inbox|gift)|support(?:ing)?\s+(?:us|our|independent|this|the)|"
    r"help\s+us|(?:make|become)\s+a\s+(?:member|donation|contribution|supporter|subscriber)|donate|contribute|subscribe|"
    r"sign\s+up|we\s+need\s+(?:you|your)|favou?r\s+to\s+ask|remind\s+me|free\s+trial|cancel\s+any\s*time|"
    r"(?:every|each)\s+contribution|readers?\s+like\s+you|dear\s+readers?|monthly|spenden\s+sie|unterstützen\s+sie|abonnieren|"
    r"soutenez|abonnez|suscríb\w+|apoya\w*|sostieni|abbonati|поддержите|поддержать|подпишитесь|подписаться|пожертв\w+)\b|"
    r"[$€£₽]\s?\d|\d\s?[$€£₽]",
    re.IGNORECASE,
)
ADDRESSING = re.compile(  # a newsroom that speaks for itself, to the reader
    r"\b(?:we|our|us|you|your|thank\s+you|wir|uns(?:er\w*)?|sie|ihre?\w*|nous|notre|vous|votre|nosotros|nuestr\w+|"
    r"мы|наш\w*|нам|вы|ваш\w*|вам)\b",
    re.IGNORECASE,
)
CALL = re.compile(  # a line that calls the reader to something else than reading on
    r"^\W*(?:follow\s.{1,60}\son\s|(?:sign\s+up|subscribe|register)\s.{0,60}(?:newsletter|e-?mails?\b|inbox)|"
    r"get\s.{1,60}\s(?:delivered|in\s+your\s+inbox)|like\s+this\s+story\b|don.t\s+miss\W*$|have\s+a\s+tip\?|"
    r"join\s+our\s|download\s+(?:our|the)\s.{0,40}app\b|tell\s+us\s+what\s+you\s+think|share\s+(?:this|it\s+with)\b|"
    r"lesen\s+sie\s+(?:auch|mehr|hier)\b.{0,100}$|abonnieren\s+sie\b|folgen\s+sie\b|(?:lire|lisez)\s+aussi\b|abonnez-vous\b|"
    r"suivez(?:-|\s)nous\b|s[ií]guenos\b|suscríbete\b|leggi\s+anche\b|iscriviti\b|seguici\b|leia\s+(?:também|mais)\b|"
    r"читайте\s+(?:также|ещё|еще)\b|подписывайтесь\b|подпишитесь\b|следите\s+за\b|bu\s+haberler\w*\s+de\b|baca\s+juga\b|"
    r"copyright\s|©|all\s+rights\s+reserved\b|alle\s+rechte\s+vorbehalten\b|todos\s+los\s+derechos\b|tous\s+droits\b|все\s+права\b)",
    re.IGNORECASE,
)
LONGEST_CALL = 250  # characters
APPEAL_SHARE = 0.5  # of a box's blocks, and of its letters, that ask or address the reader
LONGEST_APPEAL = 3_500  # characters; the longest seen on real pages is some 1,600
LONGEST_MARKUP = 4 * LONGEST_APPEAL  # with the white space and scripts of the markup: spares reading large boxes
LARGEST_APPEAL = 2_000  # elements, fields and drawings and all
TEXT_SHARE = 0.5  # of the page's prose: no form, box or hidden element that holds as much is furniture
MOST_SHARE = 0.8  # of the page's prose: what holds as much is the article
OPENING = 40  # letters of a description that tell an article by its first words
BOXES = frozenset(("div", "section", "aside", "form", "footer", "table", "ul", "blockquote"))


def remove(element: HtmlElement) -> None:
    """Take an element out of its tree; the text after it stays."""
    parent = element.getparent()
    if parent is None:
        return
    if element.tail:
        before = element.getprevious()
        if before is None:
            parent.text = (parent.text or "") + element.tail
        else:
            before.tail = (before.tail or "") + element.tail
    parent.remove(element)


def remove_all(elements: Iterable[HtmlElement]) -> None:
    """Take elements out of their tree; those inside one another go with the outer one."""
    for element in list(elements):
        remove(element)


def strip(root: HtmlElement) -> None:
    """Take out of a page, in place, what its elements alone show not to be text."""
    remove_all(root.iter(*ALWAYS))
    limit = TEXT_SHARE * _prose(root)
    mostly = [
        element for element in root.iter(*MOSTLY) if _prose(element) <= limit and not _is_whole_page(element, root)
    ]
    remove_all(mostly)
    remove_all(
        element for element in root.xpath(".//*[@hidden or @role or @style or @aria-hidden]") if _unseen(element, limit)
    )
    strip_inside(root)


def strip_inside(container: HtmlElement) -> None:
    """Take out of a text, in place, its pictures with their captions and embedded posts of other sites."""
    remove_all(container.iter(*CAPTIONS))
    remove_all(element for element in container.iter("blockquote", "div") if is_embedded(element))


def is_embedded(element: HtmlElement) -> bool:
    """Tell whether an element is a post of another site: by the classes their embed codes use, or its last link."""
    if EMBEDDED.search(element.get("class") or ""):
        return True
    if element.tag != "blockquote":
        return False
    anchors = list(element.iter("a"))
    return bool(anchors) and bool(POST.match((anchors[-1].get("href") or "").strip()))


def is_call(text: str) -> bool:
    """Tell whether a line calls the reader to follow, sign up, share or read something else, or claims rights."""
    return len(text) <= LONGEST_CALL and CALL.search(text) is not None


def _unseen(element: HtmlElement, limit: float) -> bool:
    hidden = (
        element.get("hidden") is not None
        or element.get("aria-hidden") == "true"
        or (element.get("role") or "").lower() in ROLES
        or HIDDEN_STYLE.search(element.get("style") or "") is not None
    )
    return hidden and _prose(element) <= limit


def _is_whole_page(element: HtmlElement, root: HtmlElement) -> bool:
    """Tell whether an element is the form that ASP.NET puts around a page, whose text may have no paragraphs."""
    return element.tag == "form" and len(element.text_content()) > TEXT_SHARE * len(root.text_content())


def _prose(element: HtmlElement) -> int:
    """Return how many characters of paragraphs there are in an element."""
    return sum(len(clean(p.text_content())) for p in element.iter("p"))


def appeals(root: HtmlElement, about: str | None = None) -> list[HtmlElement]:
    """Return the boxes that ask for money, a subscription or an address, and lone paragraphs that do.

    *about* is what the page says the article is about: a box with these words is the article.
    """
    leading = [one for one in [*root.iter("a"), *root.xpath(".//input[@type='email']")] if leads_to_appeal(one)]
    if not leading:
        return []
    total = _prose(root)
    opening = letters(about or "")[:OPENING]
    found: dict[HtmlElement, None] = {}
    judge = cache(lambda box: _judged(box, total, opening))  # thousands of links may stand in one box
    for anchor in leading:
        if any(ancestor in found for ancestor in anchor.iterancestors()):
            continue
        box = appeal_box(anchor, root, judge)
        if box is not None:
            found[box] = None
    return list(found)


def leads_to_appeal(element: HtmlElement) -> bool:
    """Tell whether a link leads to a page that asks for money or an address, or a field asks for one."""
    if element.tag == "input":
        return True
    segments = [segment for segment in path_of(element.get("href")).split("/") if segment]
    return bool(segments) and any(APPEAL_SEGMENT.fullmatch(segment) for segment in (segments[0], segments[-1]))


def appeal_box(
    anchor: HtmlElement, root: HtmlElement, judge: Callable[[HtmlElement], bool | None]
) -> HtmlElement | None:
    """Return the largest box around a link, inside *root*, that is an appeal throughout, or ``None``.

    *judge* tells whether a box is one, and with ``None`` that neither it nor what is around it can be.
    """
    best = None
    for ancestor in anchor.iterancestors():
        if ancestor is root or ancestor.tag in {"body", "html", "main", "article"}:
            break
        if ancestor.tag not in BOXES and ancestor.tag != "p":
            continue
        is_one = judge(ancestor)
        if is_one:
            best = ancestor
        elif is_one is None or best is not None:
            break
    return best


def _judged(box: HtmlElement, total: int, opening: str) -> bool | None:
    """Tell whether a box is an appeal; ``None`` when it is too large, or holds the article, as all around it do.

    *total* is the number of characters of prose on the page, *opening* the letters the article is known to begin
    with: a box with nearly all the prose, or with that opening, is the article and not an appeal.
    """
    if box.find(".//h1") is not None or len(box.text_content()) > LONGEST_MARKUP:
        return None
    if next(islice(box.iter(), LARGEST_APPEAL, None), None) is not None:
        return None
    lines = blocks(box)
    if sum(len(line.text) for line in lines) > LONGEST_APPEAL or _prose(box) > MOST_SHARE * total:
        return None
    if opening and opening in letters("".join(line.text for line in lines)):
        return None
    return is_appeal(lines)


def is_appeal(lines: list[Block]) -> bool:
    """Tell whether blocks are an appeal throughout: some ask the reader for something, and most address him."""
    if not any(ASKING.search(line.text) for line in lines):
        return False
    speaking = [line for line in lines if ASKING.search(line.text) or ADDRESSING.search(line.text)]
    return len(speaking) >= APPEAL_SHARE * len(lines) and sum(len(line.text) for line in speaking) >= (
        APPEAL_SHARE * sum(len(line.text) for line in lines)
    )
