"""Whether the sites of a crawl were redesigned, by what the catalogue holds of their articles, this run's included."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from operator import methodcaller

from archive.archive import Archive
from archive.drift import Drift, Fact, drifts
from archive.errors import ArchiveError

log = logging.getLogger(__name__)

LOOKED_AT = 1000  # captures of a host, the newest: enough for a custom, and for what came in its place


def lasting_drifts(archive: Archive, hosts: Iterable[str]) -> list[Drift]:
    """Return what has changed in how the pages of *hosts* are read, and has not become the custom.

    It is told in every crawl until it is mended or has been so for 300 articles. A catalogue that cannot be read tells
    nothing: that it cannot is said elsewhere.
    """
    found: list[Drift] = []
    for host in hosts:
        try:
            facts: list[Fact] = archive.ask_catalog(methodcaller("facts", host, LOOKED_AT), [])
        except ArchiveError as error:
            log.warning("whether extraction has drifted cannot be told: %s", error)
            return []
        found += [drift for drift in drifts(host, facts) if drift.lasts]
    return found
