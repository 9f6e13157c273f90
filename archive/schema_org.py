"""The types of schema.org that articles are declared with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

ARTICLE_TYPES = frozenset(
    """article newsarticle reportagenewsarticle analysisnewsarticle opinionnewsarticle backgroundnewsarticle
    reviewnewsarticle advertisercontentarticle satiricalarticle scholarlyarticle techarticle blogposting liveblogposting
    report""".split()  # noqa: SIM905 - schema.org's own names, easier to compare in one text
)


def types(item: Mapping[str, Any]) -> set[str]:
    """Return an object's types in lower case, without the address of the vocabulary."""
    declared = item.get("@type")
    names = declared if isinstance(declared, list) else [declared]
    return {str(name).rsplit("/", 1)[-1].lower() for name in names if name}
