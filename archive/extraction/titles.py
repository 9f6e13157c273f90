"""Headlines: which of those a page gives is the article's, and the site's name taken off."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import islice

from archive.extraction import names

TITLE_JOINT = re.compile(r"\s+[|\u2013\u2014\u00b7\u2022\u00bb:-]+\s+|\s+\|\s*|\s*\|\s+|:\s+")
LONGEST_LABEL = 12  # characters of one word that may be a section; headlines without spaces are longer
MOST_JOINTS = 50  # of a title; one with more is no headline with a site's name
MOST_SECTION_WORDS = 3  # of a section's name between headline and site
FULL_AGREEMENT = 0.6  # share of the shorter title's words found in the other: the same headline, edited


def agreement(one: str, other: str) -> float:
    """Return how far two titles are the same: the share of the shorter one's words that the other has, 0 to 1."""
    first, second = (set(re.findall(r"\w+", text.casefold())) for text in (one, other))
    smaller = min(len(first), len(second))
    return len(first & second) / smaller if smaller else 0.0


def choose(shown: Sequence[str], told: Sequence[tuple[str, str]], site: Sequence[str]) -> tuple[str, str] | None:
    """Return the headline and its source: a heading that the data agree with, else the data's.

    *shown* are the level-one headings in page order, *told* the titles in the data with their sources, the best
    first, *site* what the site calls itself.
    """
    bare = [(without_site(text, site), source) for text, source in told]
    keys = {names.key(name) for name in site}
    headings = [heading for heading in shown if names.key(heading) not in keys]
    described = next((text for text, source in bare if source == "json-ld"), None)
    tagged = next((text for text, source in bare if source == "meta"), None)
    # A headline in the data that is neither shown nor the document's title is the newsroom's own; one that is the
    # document's title alone is written for search engines.
    if described and _is_whole(described) and names.key(described) != names.key(tagged or ""):
        bare = [(described, "json-ld")] + [(text, source) for text, source in bare if source == "meta"]
        if not any(names.key(heading) == names.key(described) for heading in headings):
            return described, "json-ld"
    for text, _ in bare:
        for heading in headings:
            if names.key(heading) == names.key(text):
                return heading, "markup"
    for text, source in bare:
        under = next((heading for heading in headings if source != "json-ld" and _begins(text, heading)), None)
        if under:
            return under, "markup"
        if source != "json-ld":
            edited = next((heading for heading in headings if _edited(heading, text)), None)
            if edited:
                return edited, "markup"
        if _is_whole(text):
            return text, source
    if headings:
        return max(headings, key=lambda text: max((agreement(text, other) for other, _ in told), default=0)), "markup"
    return bare[0] if bare else None


def _is_whole(text: str) -> bool:
    """Tell whether a title is more than a label and not cut short."""
    return (len(text.split()) > 1 or len(text) > LONGEST_LABEL) and not text.endswith(("...", "\u2026"))


def _edited(heading: str, text: str) -> bool:
    """Tell whether a heading is the same headline as *text* in other words, and not that with a kicker before it."""
    return agreement(heading, text) >= FULL_AGREEMENT and not names.key(heading).endswith(names.key(text))


def _begins(text: str, heading: str) -> bool:
    """Tell whether *text* is *heading* with something else, parted from it, after it."""
    return len(heading.split()) > 2 and text.startswith(heading) and bool(TITLE_JOINT.match(text, len(heading)))


def without_site(text: str, site: Iterable[str]) -> str:
    """Return a title without the site's name, and sections named beside it, at either end."""
    keys = {names.key(name) for name in site if name}
    joints = list(islice(TITLE_JOINT.finditer(text), MOST_JOINTS + 1))
    if len(joints) > MOST_JOINTS:
        return text
    for joint in joints:  # the longest end that is the site's name, with short names of sections around it
        parts = [part for part in TITLE_JOINT.split(text[joint.end() :]) if part]
        named = [part for part in parts if names.key(part) in keys]
        others = [part for part in parts if names.key(part) not in keys]
        if named and joint.start() > 0 and all(len(part.split()) <= MOST_SECTION_WORDS for part in others):
            return text[: joint.start()].strip()
    for joint in joints[:1]:
        if names.key(text[: joint.start()]) in keys:
            return text[joint.end() :].strip()
    return text
