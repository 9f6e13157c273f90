"""Which captures show the same article.

A publisher's own number is the surest sign: slug, title and date are edited under it. Without one, the address the page
names as its canonical one; without that, its own.
"""

from __future__ import annotations

import re

from archive.article import Article
from archive.surt import plain

# What is added to a URL to follow readers about, and never chooses the page.
_TRACKING = re.compile(
    r"(?:utm_\w+|fb(?:clid|_\w+)|[gdm]clid|gbraid|wbraid|msclkid|yclid|ysclid|igshid|igsh|mc_[ce]id|_hs(?:enc|mi)|ocid"
    r"|cmpid|twclid|ttclid|srsltid|at_(?:medium|campaign)|ref_src|smid|ns_\w+|wt_?mc|_openstat|_ga|_gl)",
    re.IGNORECASE,
)


def normalised(url: str) -> str:
    """Return *url* without scheme, ``www``, default port, fragment, last slash and tracking parameters."""
    address, question, query = plain(url).partition("?")
    if not question:
        return address
    kept = [part for part in query.split("&") if part and not _TRACKING.fullmatch(part.partition("=")[0])]
    return f"{address}?{'&'.join(kept)}" if kept else address


def untracked(url: str) -> str:
    """Return *url* without fragment and tracking parameters, and otherwise as it is: what to ask a server for."""
    address, question, query = url.partition("#")[0].partition("?")
    if not question:
        return address
    pairs = query.split("&")
    kept = [pair for pair in pairs if not _TRACKING.fullmatch(pair.partition("=")[0])]
    if len(kept) == len(pairs):
        return f"{address}?{query}"
    return f"{address}?{'&'.join(kept)}" if any(kept) else address


def numbered(publisher: str, article_id: str) -> str:
    """Return the identity of an article that its publisher numbers: ``The Moscow Times #a90123``."""
    return f"{publisher} #{article_id}"


def identity_of(article: Article) -> str:
    """Return what all captures of one article share: its publisher's number for it, or a normalised URL."""
    if article.publisher and article.article_id:
        return numbered(article.publisher, article.article_id)
    return normalised(_trusted_canonical(article) or article.url)


def _trusted_canonical(article: Article) -> str | None:
    """Return the canonical URL unless it would put different articles together.

    Some sites name their front page on every page; a syndicated copy names another publisher's page, but may differ
    from it.
    """
    if not article.canonical_url:
        return None
    canonical, own = normalised(article.canonical_url), normalised(article.url)
    if "/" not in canonical and "/" in own:
        return None
    return article.canonical_url if _site(canonical) == _site(own) else None


def _site(address: str) -> list[str]:
    """Return the last two labels of the host: ``m.example.com`` and ``amp.example.com`` are one site."""
    return re.split(r"[/?:]", address, maxsplit=1)[0].split(".")[-2:]
