"""Which captures are versions of one article.

A publisher's own number is the surest sign: slug, title and date are edited under it. Without one, the address.
"""

from __future__ import annotations

import re

from archive.article import Article
from archive.surt import plain

# What is added to a URL to follow readers about, and never chooses the page: names with their values. The list is in
# docs/same-article.md, with the reason for it; a parameter that is not in it may choose the page, and is kept.
_TRACKING = re.compile(
    r"(?:utm_\w+|fb(?:clid|_\w+)|[gdm]clid|gbraid|wbraid|gad_(?:source|campaignid)|gclsrc|msclkid|yclid|ysclid|igshid"
    r"|igsh|mc_[ce]id|_hs(?:enc|mi)|hsa_\w+|ocid|cmpid|twclid|ttclid|srsltid|li_fat_id|mkt_tok|vero_id|wickedid|epik"
    r"|oly_(?:enc|anon)_id|rb_clickid|_branch_match_id|at_(?:medium|campaign)|xtor|(?:pk|mtm|piwik|matomo)_\w+|ref_src"
    r"|guccounter|guce_referrer(?:_sig)?|smid|ns_\w+|wt_?mc|_openstat|_ga|_gl)=.*"
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


def form_of(article: Article) -> str | None:
    """Return ``"amp"`` or ``"print"`` for a page that shows an article in that form; None for the article's own page.

    The page says so itself, or the rules it was read with do; an address that only looks like one may be a page about
    amplifiers.
    """
    own = normalised(article.url)
    for one in article.alternates:
        if one.kind in {"amp", "print"} and normalised(one.url) == own:
            return one.kind
    rules = article.extractor.rules if article.extractor else None
    return "print" if rules and rules.endswith("/print") else None


def identity_of(article: Article) -> str:
    """Return what all captures of one article share: its publisher's number for it, or its normalised URL.

    Another form of it is an article of its own, linked to this one (:mod:`archive.catalog.groups`): its text may
    differ. So is a page that calls another its canonical one, which is a claim, and often a wrong one.
    """
    if article.publisher and article.article_id and form_of(article) is None:
        return numbered(article.publisher, article.article_id)
    return normalised(article.url)
