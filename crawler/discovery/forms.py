"""What a document is, told by its bytes, and who reads it."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from archive.charsets import decode
from archive.codings import decode_content
from archive.errors import ContentUndecodable
from crawler.discovery.found import Form, Reading, joined

MAX_DECODED_BYTES = 64 << 20  # as of a page that is examined; a sitemap has 50 MB at most (sitemaps.org)
MAX_PACKED = 2  # times: sitemap.xml.gz, which a server packs once more without a word about it
SNIFFED_BYTES = 1 << 20  # in which the first element starts: before it may stand a document type of any length

_BINARY_BYTES = 1024  # in which a file that is no text has a zero byte
_LATE_BYTES = 8_192  # in which a feed or sitemap starts that has a server's warnings before it
# Not RDF, which pictures and PDF files have within them (XMP).
_LATE = re.compile(
    r"(?:<\?xml[^<>]*>\s*)?<(?:[\w.-]+:)?(?:rss|feed|urlset|sitemapindex)\s[^<>]*\b(?:version|xmlns)", re.IGNORECASE
)
_HTML = re.compile(r"<(?:!doctype\s+html|html|head|body)\b", re.IGNORECASE)
_SCRIPTED = re.compile(r"script|json|css")  # media types of texts that may hold HTML without being any
_JSON_FEED = re.compile(rb'"version"\s*:\s*"https?:\\?/\\?/(?:www\.)?jsonfeed\.org', re.IGNORECASE)
_BOM = b"\xef\xbb\xbf"
_GZIP_MAGIC = b"\x1f\x8b\x08"  # RFC 1952, 2.3.1: the only method there is
_ROOTS: dict[str, Form] = {
    "rss": "feed",
    "feed": "feed",
    "rdf": "feed",
    "urlset": "sitemap",
    "sitemapindex": "sitemap",
    "html": "page",
}
# With which pages start that have no html element, and parts of pages that scripts load.
_OF_PAGES = frozenset(
    """head body meta title link script style base div section article main header footer nav aside ul ol li dl p a h1
    h2 h3 h4 h5 h6 table tr td center font span img form frameset iframe br b i strong em blockquote pre noscript
    figure picture button template""".split()  # noqa: SIM905 - names of elements, easier to read in one text
)


def read(
    payload: bytes, *, url: str, content_type: str | None, content_encoding: str | None, paging: bool = True
) -> Reading:
    """Return what a response's *payload*, transfer coding removed, content coding kept, is and leads to.

    *url* is the address it came from. Without *paging*, only relations and buttons tell which links lead to other pages
    of the same listing. A payload that is cut, or whose coding is broken, is read as far as it goes, up to 64 MiB, and
    ``problem`` says so. May take any time, and memory in proportion to what it unpacks to: strangers' documents belong
    in a worker.
    """
    body, problem = _unpacked(payload, content_encoding)
    reading = _read(body, url, content_type, whole=problem is None, paging=paging)
    reading.problem = joined(problem, reading.problem)
    return reading


def _unpacked(payload: bytes, content_encoding: str | None) -> tuple[bytes, str | None]:
    problem = None
    try:
        body = decode_content(payload, content_encoding or "", limit_bytes=MAX_DECODED_BYTES)
    except ContentUndecodable as error:
        # A coding that is declared but was never applied gives nothing at all.
        body = error.partial or (payload if payload.removeprefix(_BOM).lstrip()[:1] in {b"<", b"{"} else b"")
        problem = f"content coding cannot be decoded: {error}"
    for _ in range(MAX_PACKED):
        if not body.startswith(_GZIP_MAGIC):
            break
        try:
            body = decode_content(body, "gzip", limit_bytes=MAX_DECODED_BYTES)
        except ContentUndecodable as error:
            body, problem = error.partial, joined(problem, f"the file cannot be unpacked: {error}")
    if len(body) > MAX_DECODED_BYTES:
        body, problem = body[:MAX_DECODED_BYTES], joined(problem, f"read up to {MAX_DECODED_BYTES >> 20} MiB only")
    return body, problem


def _read(body: bytes, url: str, content_type: str | None, *, whole: bool, paging: bool) -> Reading:
    # Each form's parser is loaded with the first document of that form: the crawl's own process needs none of them.
    start = _start(body)
    if start is None:
        return Reading("other")
    media = (content_type or "").partition(";")[0].strip().lower()
    form, _ = _told(start, media)
    if form in {"feed", "sitemap"}:
        text = _text(body, content_type)
        text = text[_told(text[:SNIFFED_BYTES], media)[1] :]
        if form == "feed":
            from crawler.discovery.feeds import read_feed  # noqa: PLC0415

            return read_feed(text, url)
        from crawler.discovery.sitemaps import read_sitemap  # noqa: PLC0415

        return read_sitemap(text, url)
    if form == "other":
        if media == "application/feed+json" or (start.lstrip()[:1] == "{" and _JSON_FEED.search(body)):
            from crawler.discovery.feeds import read_json_feed  # noqa: PLC0415

            return read_json_feed(_text(body, content_type), url)
        if media == "text/plain" or _path(url).endswith((".txt", ".txt.gz")):
            from crawler.discovery.sitemaps import read_list  # noqa: PLC0415

            text = _text(body, content_type)
            listed = read_list(text if whole else text[: text.rfind("\n") + 1], url)  # half an address leads elsewhere
            if listed is not None:
                return listed
        if "html" not in media:
            return Reading("other")
    from crawler.discovery.links import read_page  # noqa: PLC0415

    return read_page(_text(body, content_type), url, paging=paging)


def _told(start: str, media: str) -> tuple[Form, int]:
    """Return the form of a document that starts so, and where its first element does; "other" when no element tells."""
    from crawler.discovery.markup import root  # noqa: PLC0415 - with it comes what _text needs

    name, position = root(start)
    name = name.rpartition(":")[2].lower()
    if name in _ROOTS:
        return _ROOTS[name], position
    late = _LATE.search(start, position, _LATE_BYTES)
    if late and not _HTML.search(start, 0, late.start()):
        name, after = root(start[late.start() :])
        return _ROOTS[name.rpartition(":")[2].lower()], late.start() + after
    if name in _OF_PAGES or (not _SCRIPTED.search(media) and _HTML.search(start, 0, _LATE_BYTES)):
        return "page", position
    return "other", position


def _start(body: bytes) -> str | None:
    """Return enough of a text to tell its form by, in which letters beyond ASCII do not matter; None of other files."""
    start = body[:SNIFFED_BYTES]
    if start.startswith((b"\xff\xfe", b"<\0")):
        return start.decode("utf-16-le", "replace")
    if start.startswith((b"\xfe\xff", b"\0<")):
        return start.decode("utf-16-be", "replace")
    start = start.removeprefix(_BOM)
    return None if b"\0" in start[:_BINARY_BYTES] and start.lstrip()[:1] != b"<" else start.decode("latin-1")


def _text(body: bytes, content_type: str | None) -> str:
    if body.startswith((b"<\0", b"\0<")):  # UTF-16 without the byte order mark that it should have
        return body.decode("utf-16-le" if body[1] == 0 else "utf-16-be", "replace")
    return decode(body, content_type)


def _path(url: str) -> str:
    try:
        return urlsplit(url).path.lower()
    except ValueError:
        return ""
