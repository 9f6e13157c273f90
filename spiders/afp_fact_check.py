"""AFP Fact Check, France: Drupal, one site in many languages under hosts of their own.

* An article is ``/doc.afp.com.<letters and digits>`` on every host; those are its identity.
* No data name the authors, who are all links under the headline, nor the time of publication: the element that shows it
  carries it in seconds of the epoch. OpenGraph has the time of the last change, with the offset of the newsroom.
* What is checked is described in a ``ClaimReview``, whose author is that of the claim.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime

from archive.elements import boxes, found, meta, pictures, texts_at
from archive.rules import PageRules, PageView, Publisher
from crawler.patterns import Addresses
from crawler.publication import Publication

LANGUAGES = {
    "factcheck": "en",
    "factuel": "fr",
    "faktencheck": "de",
    "factual": "es",
    "checamos": "pt",
    "factcheckarabic": "ar",
    "sprawdzam": "pl",
    "factchecknederland": "nl",
}
HOSTS = tuple(f"{name}.afp.com" for name in LANGUAGES)
ADDRESSES = Addresses(
    article=re.compile(r"^/(?P<id>doc\.afp\.com\.[0-9A-Z]+)/?$"),
    section=re.compile(r"^/list(?:/|$)"),
    never=re.compile(r"^/(?:search|user|contact)"),
)

PICTURE = "contains(@class, 'image-wrapper') or contains(@class, 'wrapper-image')"
LEGEND = "contains(@class, 'legend')"


def published(view: PageView) -> str | None:
    """Return the time under the headline, with the offset of the time of the last change, which is the newsroom's."""
    shown = found(view.article, ".//*[@data-type='created' and @data-utc-time]")
    seconds = str(shown[0].get("data-utc-time") if shown else "")
    if not seconds.isdecimal() or len(seconds) > 10:
        return None
    moment = datetime.fromtimestamp(int(seconds), UTC)
    for changed in meta(view, "og:updated_time"):
        try:
            moment = moment.astimezone(datetime.fromisoformat(changed).tzinfo or UTC)
        except ValueError:
            continue
    return moment.isoformat()


PUBLISHER = Publisher(
    name="AFP Fact Check",
    hosts=HOSTS,
    languages=tuple(LANGUAGES.values()),
    rules=(
        PageRules(
            name="afp_fact_check/2019",
            publisher="AFP Fact Check",
            hosts=HOSTS,
            article_id=ADDRESSES.article_id,
            authors=texts_at(".//*[contains(@class, 'list-informations')]//*[@class='person-link']/a"),
            published=published,
            tags=texts_at(".//*[contains(@class, 'top-header')]//*[contains(@class, 'tag-like')]"),
            images=pictures(f".//*[{PICTURE}][.//img and .//*[{LEGEND}]]", f".//*[{LEGEND}]"),
            drop=boxes("wrapper-image", "legend", "mentions-copyright", "encart-veracity"),
        ),
    ),
)
PUBLICATION = Publication(
    publisher=PUBLISHER,
    hosts=HOSTS,
    kind_of=ADDRESSES.kind_of,
    home=tuple(f"https://{host}/" for host in HOSTS),
    sitemaps=tuple(f"https://{host}/sitemap.xml" for host in HOSTS),
)
