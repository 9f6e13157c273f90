"""What a page says, and what its address looks like, about where else its article stands.

    self        it stands here: its own address without form (:func:`archive.catalog.addresses.address_of`)
    canonical   the page calls this its address: on the same site, and not a front page
    amp, print  another form of it stands here
    language    its edition in *language* stands here
    number      the publisher's own number for it

A claim is not believed for itself: see :mod:`archive.catalog.relations`.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

from archive.article import Article
from archive.catalog.addresses import address_of, is_front, site_of
from archive.catalog.identity import form_of, numbered

Role = Literal["self", "canonical", "amp", "print", "language", "number"]


class Claim(NamedTuple):
    place: str
    role: Role
    language: str = ""


def claims_of(article: Article) -> list[Claim]:
    """Return every claim of *article* once, in an order of their own."""
    own = address_of(article.url).place
    found = {Claim(own, "self")}
    if article.canonical_url:
        canonical = address_of(article.canonical_url).place
        if canonical != own and not is_front(canonical) and site_of(canonical) == site_of(own):
            found.add(Claim(canonical, "canonical"))
    for one in article.alternates:
        place = address_of(one.url).place
        if place == own or is_front(place):
            continue
        if one.kind == "language" and one.language:
            found.add(Claim(place, "language", one.language))
        elif one.kind == "amp":
            found.add(Claim(place, "amp"))
        elif one.kind == "print":
            found.add(Claim(place, "print"))
    if article.publisher and article.article_id:
        found.add(Claim(numbered(article.publisher, article.article_id), "number"))
    return sorted(found)


def shown_form(article: Article) -> str | None:
    """Return ``"amp"`` or ``"print"`` for a page that says it shows the article so, or has an address like that."""
    return form_of(article) or address_of(article.url).form
