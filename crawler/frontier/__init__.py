"""The frontier: every address of a crawl and what became of it, in one SQLite file that no kill can empty.

Scrapy's own queues keep what is pending in files that are written when a crawl ends well: after ``kill -9`` the next
run finds nothing, says nothing, and finishes. Here a page is *done* in the very transaction that enters what it leads
to, with the place of its capture; until then it is pending, whatever was done about it, and the next run asks for it
again. The key of an address is unique in the table, which so is the filter of duplicates as well.

Nothing is marked as being under way: that is known to the process that holds the file's lock, and ends with it.

    frontier ─┬ file       its tables, its lock
              ├ entering   how leads enter it
              ├ telling    what is asked of it when a run has ended
              └ pages      what it takes and gives

    FrontierBusy   another process runs this very crawl
"""

from __future__ import annotations

from crawler.frontier.entering import Added
from crawler.frontier.file import FrontierBusy
from crawler.frontier.frontier import Frontier
from crawler.frontier.pages import (
    OUTCOMES,
    Done,
    Kind,
    Lead,
    Listed,
    Observed,
    Order,
    Outcome,
    Page,
    Reason,
    Unread,
)

__all__ = [
    "OUTCOMES",
    "Added",
    "Done",
    "Frontier",
    "FrontierBusy",
    "Kind",
    "Lead",
    "Listed",
    "Observed",
    "Order",
    "Outcome",
    "Page",
    "Reason",
    "Unread",
]
