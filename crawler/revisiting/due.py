"""Young articles that nothing may lead to any more: they fell out of the feed before their next rung came."""

from __future__ import annotations

from datetime import datetime
from operator import methodcaller

from archive.archive import Archive
from crawler.discovery import Found
from crawler.frontier import Lead
from crawler.leads import Leads
from crawler.revisiting.ladder import Ladder

DEEP = 2  # links from a seed, for all that is known
YOUNG = 2  # times the longest rung: so long after it an article whose last rung was missed is still looked for


def due_leads(archive: Archive, leads: Leads, ladder: Ladder, now: datetime) -> list[Lead]:
    """Return leads to the articles of a publication that may stand on a rung; whether they do is decided at their turn.

    They come out of the catalogue by its index on host and time: however large the archive, what is older is not
    looked at.
    """
    if not ladder.rungs:
        return []
    since = now - YOUNG * ladder.longest
    urls: list[str] = archive.ask_catalog(methodcaller("young", leads.publication.hosts, since), [])
    found = (leads.lead(Found(url), via=url, depth=0, hops="", kind="article") for url in urls)
    return [lead._replace(via=None, depth=DEEP) for lead in found if lead is not None and lead.skip is None]
