"""Whether an article stands, as one capture of its address tells: it is there, it is gone, or nothing is told.

there     the page was shown
gone      404, 410; or a page that says so under another status: a soft 404
None      the server failed, an authority or a court forbids it (451, RFC 7725), something stood before the article (a
          block page, a consent wall, a stub), or a redirect led on; where one leads to is for the caller to look at
"""

from __future__ import annotations

import re
from typing import Literal
from urllib.parse import urlsplit

from archive.article import Article

Standing = Literal["there", "gone"]

GONE_STATUSES = frozenset({404, 410})
SHOWN_KINDS = frozenset({"article", "live", "gallery"})
LOOKED_AT = 1_000  # characters of an error page's text

_NOT_FOUND = re.compile(
    r"\b(?:404|410)\b|not\s+found|couldn.t\s+(?:be\s+)?f[io]und|could\s+not\s+(?:be\s+)?f[io]und|"
    r"no\s+longer\s+(?:available|exists?|here|online)|(?:was|were|been)\s+(?:removed|deleted|withdrawn|taken\s+down)|"
    r"page\s+(?:you\s.{0,60}\s)?(?:does\s?n.t|does\s+not)\s+exist|nicht\s+gefunden|existiert\s+nicht|introuvable|"
    r"n.existe\s+(?:pas|plus)|no\s+encontrad|no\s+existe|non\s+trovata|не\s+найдена|страниц\w+\s+не\s+существует|"
    r"удален[ао]?\b|удалён\b",  # noqa: RUF001 - Russian
    re.IGNORECASE,
)


def says_it_is_gone(article: Article) -> bool:
    """Tell whether an error page says that what was asked for is not there, and not that the server has trouble."""
    if article.page_kind != "error":
        return False
    told = " ".join(filter(None, (article.title, article.description, article.text[:LOOKED_AT])))
    return _NOT_FOUND.search(told) is not None


def standing(status: int | None, article: Article | None, *, leads_nowhere: bool = False) -> Standing | None:
    """Return what a capture with that HTTP *status* tells.

    *article* is what was extracted from it, if anything was; *leads_nowhere*: it redirects to a front page or section,
    or to what is gone.
    """
    if status in GONE_STATUSES or leads_nowhere:
        return "gone"
    if status != 200 or article is None:
        return None
    if article.page_kind in SHOWN_KINDS:
        return "there"
    return "gone" if says_it_is_gone(article) else None


def is_front(url: str) -> bool:
    """Tell whether *url* is that of a front page: one without a path."""
    try:
        return urlsplit(url).path in ("", "/")
    except ValueError:
        return False
