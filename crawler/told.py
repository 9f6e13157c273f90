"""Which leads were told already: what the pages of a site have in common is most of what they lead to."""

from __future__ import annotations

import sys

from crawler.frontier import Lead

KEPT_TOLD = 50_000  # keys held at a time of what has been told, some 5 MB, and as many of before


_SKIPPED = sys.maxsize - 1  # later than any page that is asked for


class Told:
    """Remembers, for the last :data:`KEPT_TOLD` keys at least, which leads were given."""

    def __init__(self) -> None:
        self._latest: dict[str, int] = {}  # by key, how soon the page is asked for, if it is
        self._before: dict[str, int] = {}

    def first(self, lead: Lead) -> bool:
        """Tell whether *lead* says anything that the leads given before did not."""
        key, priority = lead.key, _SKIPPED if lead.skip else lead.priority
        if key in self._latest:
            known = self._latest[key]
        else:
            known = self._before.get(key, sys.maxsize)
            if len(self._latest) >= KEPT_TOLD:
                self._before, self._latest = self._latest, {}
        if lead.modified is None and priority >= known:
            return False
        self._latest[key] = min(priority, known)
        return True

    def knows(self, key: str, priority: int) -> bool:
        """Tell whether a lead to *key* that is asked for that soon says nothing that those given before did not."""
        known = self._latest.get(key)
        return known is not None and known <= priority
