"""What one response holds: the one task that a crawl submits to the pool for each.

Article, requisites, and where else the page leads, from the payload as it was on the wire. A plain function of its
arguments, so that it runs in a worker, in bulk extraction, and in a test alike.
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import chain

from selectolax.lexbor import LexborHTMLParser

from archive.article import Article
from archive.capture import media_type
from archive.codings import decode_content
from archive.directives import LOOKED_AT, of_headers, of_markup
from archive.errors import ContentUndecodable
from archive.extraction.learned import NOTHING, Learned, LeftOut, Seen
from archive.reference import Reference, checked, payload_of
from archive.requisites import MAX_REQUISITES, PageNeeds, Requisite, css_requisites, page_needs
from archive.rules import PageRules, Publisher

MAX_DECODED_BYTES = 64 << 20  # the largest pages known, live blogs of years, are some 20 MB

SNIFFED_BYTES = 4096  # of a payload, enough to tell what :func:`may_be_read` asks of it

_REFRESH = re.compile(rb"http-equiv\s{0,20}=\s{0,20}[\"']?\s{0,20}refresh", re.IGNORECASE)
_CHARSET = re.compile(r"charset\s*=\s*[\"']?\s*([\w.:-]+)", re.IGNORECASE)

_UTF_16 = (b"\xff\xfe", b"\xfe\xff", b"<\0", b"\0<")  # its byte order mark, or markup without one

_publishers: list[Publisher] = []


@dataclass(frozen=True, slots=True)
class Examination:
    """What was found. *problem* says in plain words what could not be read; what could is there all the same."""

    article: Article | None = None
    requisites: list[Requisite] = field(default_factory=list)
    page_kind: str | None = None
    refresh: str | None = None  # where a meta refresh leads
    print_version: str | None = None  # where the publisher keeps the article's print version
    problem: str | None = None
    decoded_bytes: int = 0  # the payload's length, content coding undone
    seen: Seen | None = None  # what the page adds to what is learned of its host
    left_out: tuple[LeftOut, ...] = ()  # lines that are not in the text, when that was asked for


def may_be_read(content_type: str | None, content_encoding: str | None, start: bytes) -> bool:
    """Tell whether a payload that begins with *start* may be a page or a style sheet, so that examining it pays.

    Text by its declared type may be; of any other type only what begins as a page, for some come mislabelled; of no
    declared type what holds no binary data.
    """
    declared = (content_type or "").partition(";")[0].strip().lower()
    if any(kind in declared for kind in ("text/", "html", "xml")):
        return True
    try:
        start = decode_content(start, content_encoding or "", limit_bytes=SNIFFED_BYTES)
    except ContentUndecodable as error:  # as it is when only its start is given
        start = error.partial
    if declared:
        return start.lstrip(b"\xef\xbb\xbf \t\r\n").lower().startswith((b"<!doctype html", b"<html"))
    return start.startswith(_UTF_16) or (bool(start) and b"\0" not in start)


def load_publishers(names: Sequence[str]) -> list[str]:
    """Load the publishers in the modules of these dotted names, in place of those loaded before.

    Each module holds a ``PUBLISHER``. One that cannot be imported, or holds none, is left out, for the others' pages
    are to be read all the same; return what is wrong with those.
    """
    found, wrong = [], []
    for name in names:
        try:
            publisher = getattr(importlib.import_module(name), "PUBLISHER", None)
            if not isinstance(publisher, Publisher):
                raise TypeError("it holds no PUBLISHER")
        except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever a module does when it is imported
            wrong.append(f"{name} cannot be loaded, and its rules are not used: {type(error).__name__}: {error}")
        else:
            found.append(publisher)
    _publishers[:] = found
    return wrong


def prepare(publishers: Sequence[str]) -> list[str]:
    """Load the publishers, and all that examining a page needs: the parsers load some of it with their first page.

    Return what is wrong with publishers that are left out.
    """
    wrong = load_publishers(publishers)
    importlib.import_module("trafilatura")
    paragraph = "<p>A paragraph of a page that makes the parsers load their tables, words and patterns.</p>"
    examine(
        f"<html><head><title>A title</title></head><body><article>{paragraph * 5}</article></body></html>".encode(),
        url="https://news.invalid/2026/01/01/title",
        content_type="text/html",
        content_encoding=None,
        captured_at=datetime(2026, 1, 2, tzinfo=UTC),
        want_article=True,
        want_requisites=True,
    )
    return wrong


def examine(
    payload: bytes,
    *,
    url: str | None,
    content_type: str | None,
    content_encoding: str | None,
    captured_at: datetime,
    want_article: bool,
    want_requisites: bool,
    learned: Learned | None = None,
    explain: bool = False,
    robots: Sequence[str] = (),
) -> Examination:
    """Examine a response's *payload*, transfer coding removed, content coding kept.

    *learned* is what is known of the host from pages read before; *explain* asks what was left out of the text.

    *robots* are the values of ``X-Robots-Tag`` that came with it.

    Without a *url* the one that the page calls its own is taken, so that publishers' rules apply.
    A payload that is cut or whose coding is broken is examined as far as it can be read, and *problem* says so; one
    that unpacks to more than 64 MiB is not examined at all.
    What is neither HTML nor CSS holds nothing. May raise whatever a parser raises, and may take any time and memory:
    strangers' pages belong in a worker.
    """
    # Imported where it runs: the crawl's own process only names this function.
    from archive.extraction import Page, read  # noqa: PLC0415
    from archive.extraction.kinds import is_html  # noqa: PLC0415

    problem = None
    try:
        body = decode_content(payload, content_encoding or "", limit_bytes=MAX_DECODED_BYTES)
    except ContentUndecodable as error:
        body, problem = error.partial, f"content coding cannot be decoded: {error}"
        if not _is_readable(body):
            return Examination(problem=problem, decoded_bytes=len(body))
    if url is None:
        url = declared_url(body)
    if media_type(content_type) == "text/css":
        requisites, cut = _css(body, url, content_type) if want_requisites else ([], None)
        return Examination(requisites=requisites, problem=_joined(problem, cut), decoded_bytes=len(body))
    if not is_html(content_type, body):
        return Examination(problem=problem, decoded_bytes=len(body))
    reading = None
    if want_article:
        page = Page(body, url, content_type, captured_at)
        reading = read(page, _rules(url), learned or NOTHING, explain=explain)
    article = reading.article if reading else None
    if article is not None:
        said = [*of_headers(robots), *of_markup(body[:LOOKED_AT].decode("latin-1"))]
        article.robots_directives = list(dict.fromkeys(said))
    needs = PageNeeds()
    if want_requisites or _REFRESH.search(body):
        needs = page_needs(body, url, content_type)
    return Examination(
        article=article,
        requisites=needs.requisites if want_requisites else [],
        page_kind=article.page_kind if article else None,
        refresh=needs.refresh,
        print_version=_print_version(url),
        problem=_joined(problem, _told(needs.cut and want_requisites)),
        decoded_bytes=len(body),
        seen=reading.seen if reading else None,
        left_out=reading.left_out if reading else (),
    )


def examine_record(
    reference: Reference,
    *,
    url: str,
    captured_at: datetime,
    want_article: bool,
    want_requisites: bool,
    learned: Learned | None = None,
) -> Examination:
    """Examine the response record at *reference*, which shows *url*, as :func:`examine` does.

    Raises ``FileNotFoundError`` when the record is no longer there, ``DigestMismatch`` or ``MalformedRecord`` when its
    bytes are not what was written.
    """
    found = payload_of(checked(reference.read()))
    return examine(
        found.body,
        url=url,
        content_type=found.content_type,
        content_encoding=found.content_encoding,
        captured_at=captured_at,
        want_article=want_article,
        want_requisites=want_requisites,
        learned=learned,
        robots=found.robots,
    )


def declared_url(body: bytes) -> str:
    """Return the address that the page gives as its own (canonical link, OpenGraph); empty when it gives none."""
    page = LexborHTMLParser(body)
    for selector, attribute in (("link[rel~=canonical i]", "href"), ('meta[property="og:url" i]', "content")):
        node = page.css_first(selector)
        address = ((node.attributes.get(attribute) if node else None) or "").strip()
        if address.lower().startswith(("http://", "https://")):
            return address
    return ""


def _is_readable(partial: bytes) -> bool:
    """Tell whether what came out of a broken coding is text of a page or style sheet, and no bomb."""
    start = partial[:1024]
    return len(partial) < MAX_DECODED_BYTES and b"\0" not in start and (b"<" in start or b"{" in start)


def _css(body: bytes, url: str, content_type: str | None) -> tuple[list[Requisite], str | None]:
    charset = _CHARSET.search(content_type or "")
    found = css_requisites(body, url, charset[1] if charset else None, limit=MAX_REQUISITES + 1)
    return found[:MAX_REQUISITES], _told(len(found) > MAX_REQUISITES)


def _told(cut: bool) -> str | None:
    return f"more than {MAX_REQUISITES} requisites; the rest is left out" if cut else None


def _joined(*problems: str | None) -> str | None:
    return "; ".join(problem for problem in problems if problem) or None


def _rules(url: str) -> list[PageRules]:
    return list(chain.from_iterable(publisher.rules for publisher in _publishers if publisher.owns(url)))


def _print_version(url: str) -> str | None:
    for publisher in _publishers:
        address = publisher.print_version(url)
        if address:
            return address
    return None
