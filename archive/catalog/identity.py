"""Which captures show the same article.

A publisher's own number is the surest sign: slug, title and date are edited under it. Without one, the address the page
names as its canonical one; without that, its own.
"""

from __future__ import annotations

import re

from archive.article import Article
from archive.surt import plain

# What is added to a URL to follow readers about, and never chooses the page: names with their values.
_TRACKING = re.compile(
    r"(?:utm_\w+|fb(?:clid|_\w+)|[gdm]clid|gbraid|wbraid|msclkid|yclid|ysclid|igshid|igsh|mc_[ce]id|_hs(?:enc|mi)|ocid"
    r"|cmpid|twclid|ttclid|srsltid|at_(?:medium|campaign)|ref_src|smid|ns_\w+|wt_?mc|_openstat|_ga|_gl)=.*"
    # Of sessions: each visit gets another, and a crawl that kept them would see every page anew, for ever.
    r"|(?:phpsessid|jsessionid|aspsessionid\w*|cfid|cftoken|zenid|oscsid|sess(?:ion)?_?id)=.*|s(?:id)?=[0-9a-f]{26,64}",
    re.IGNORECASE | re.DOTALL,
)
_SESSION_IN_PATH = re.compile(r";jsessionid=[^/?#;]*", re.IGNORECASE)


def normalised(url: str) -> str:
    """Return *url* without scheme, ``www``, default port, fragment, last slash, tracking and session parameters."""
    address, question, query = plain(_SESSION_IN_PATH.sub("", url)).partition("?")
    if not question:
        return address
    kept = [pair for pair in query.split("&") if pair and not _is_tracking(pair)]
    return f"{address}?{'&'.join(kept)}" if kept else address


def untracked(url: str) -> str:
    """Return *url* without fragment, tracking and session parameters, otherwise as it is: what to ask a server for."""
    address, question, query = _SESSION_IN_PATH.sub("", url.partition("#")[0]).partition("?")
    if not question:
        return address
    pairs = query.split("&")
    kept = [pair for pair in pairs if not _is_tracking(pair)]
    if len(kept) == len(pairs):
        return f"{address}?{query}"
    return f"{address}?{'&'.join(kept)}" if any(kept) else address


def _is_tracking(pair: str) -> bool:
    return _TRACKING.fullmatch(pair if "=" in pair else f"{pair}=") is not None


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
