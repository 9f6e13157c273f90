"""Headlines: which of those a page gives is the article's, and the site's name taken off."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from archive.extraction import names

TITLE_JOINT = re.compile(r"\s+[|\u2013\u2014\u00b7\u2022\u00bb:-]+\s+|\s+\|\s*|\s*\|\s+|:\s+")
LONGEST_LABEL = 12  # characters of one word that may be a section; headlines without spaces are longer
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
    for text, _ in told:
        for heading in shown:
            if names.key(heading) == names.key(without_site(text, site)):
                return heading, "markup"
    # Where they differ the data's headline is the article's own; a heading may be a label, a teaser or a promotion.
    for text, source in told:
        under = next((heading for heading in shown if source == "meta" and _begins(text, heading)), None)
        if under:
            return under, "markup"
        bare = without_site(text, site)
        if (len(bare.split()) > 1 or len(bare) > LONGEST_LABEL) and not bare.endswith(("...", "\u2026")):
            return bare, source
    candidates = [text for text in shown if names.key(text) not in {names.key(name) for name in site}]
    if candidates:
        return max(candidates, key=lambda text: max((agreement(text, other) for other, _ in told), default=0)), "markup"
    return (without_site(told[0][0], site), told[0][1]) if told else None


def _begins(text: str, heading: str) -> bool:
    """Tell whether *text* is *heading* with something else, parted from it, after it."""
    return len(heading.split()) > 2 and text.startswith(heading) and bool(TITLE_JOINT.match(text, len(heading)))


def without_site(text: str, site: Iterable[str]) -> str:
    """Return a title without the site's name at either end."""
    keys = {names.key(name) for name in site if name}
    joints = list(TITLE_JOINT.finditer(text))
    for joint in joints:  # the longest end that is the site's name, alone or as the beginning of a chain
        end = text[joint.end() :]
        parts = [names.key(part) for part in TITLE_JOINT.split(end)]
        if any(part in keys for part in parts) and joint.start() > 0 and all(len(part) < 40 for part in parts):
            return text[: joint.start()].strip()
    for joint in joints[:1]:
        if names.key(text[: joint.start()]) in keys:
            return text[joint.end() :].strip()
    return text
