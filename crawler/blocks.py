"""Whether a fetched page is a wall (:mod:`archive.walls`), and what a crawl makes of it.

A host that blocks is seen before anything is extracted, for each page more would only have it block for longer.
"""

from __future__ import annotations

from selectolax.lexbor import LexborHTMLParser

from archive.charsets import decode
from archive.codings import decode_content
from archive.errors import ContentUndecodable
from archive.walls import SHORT_PAGE, Wall, recognised

LARGEST_PAGE = 300_000  # bytes; walls have some 5,000, with all that their scripts need 150,000
MOST_HEADINGS = 3
# Answers whose bodies are looked at for a wall: of these it alone tells what is meant. 404 and 410 say it themselves.
TELLING = frozenset({401, 402, 403, 405, 406, 418, 451})
OF_THE_HOST = frozenset({"block", "geo", "legal"})  # what is said of one page is likely to be said of all

WORDS = {
    "block": "a block page came in its place",
    "consent": "a consent wall came in its place",
    "login": "a login page came in its place",
    "geo": "a notice that it is not shown in this country came in its place",
    "legal": "a legal notice came in its place",
    "error": "a soft 404: it says that there is no such page",
}
FAILED = frozenset({"block", "consent", "geo", "legal"})  # the rest is the site's word on an address, like a 404


def told(wall: Wall) -> str:
    """Return what is told of a page that was a wall: few different texts, so that they are counted together."""
    return WORDS[wall.kind] + (f" ({wall.product})" if wall.product else "")


def wall_of(
    payload: bytes, *, content_type: str | None, content_encoding: str | None, status: int, prose: int = 0
) -> Wall | None:
    """Return what wall a fetched page is, ``None`` for what is none. *prose*: the characters of its paragraphs.

    A stranger's page is parsed: call this in a worker.
    """
    if prose > SHORT_PAGE or len(payload) > LARGEST_PAGE:
        return None
    try:
        body = decode_content(payload, content_encoding or "", limit_bytes=LARGEST_PAGE)
    except ContentUndecodable as error:
        body = error.partial
    if len(body) > LARGEST_PAGE:
        return None
    source = decode(body, content_type)
    tree = LexborHTMLParser(source.encode("utf-8", "replace"))
    headings = [" ".join(node.text().split()) for node in (*tree.css("title")[:1], *tree.css("h1")[:MOST_HEADINGS])]
    tree.strip_tags(["script", "style", "template", "title"])
    text = " ".join(tree.body.text(separator=" ").split()) if tree.body is not None else ""
    return recognised(headings=headings, text=text, markup=source, status=status)
