"""The report of a run that has ended: written whole on this machine, then shipped to the archive's storage."""

from __future__ import annotations

import contextlib
import logging
from dataclasses import dataclass
from typing import Any

from archive.archive import Archive
from archive.errors import ArchiveError, StorageError
from archive.files import storage_errors
from crawler.account import Account
from crawler.frontier import Frontier, FrontierBusy
from crawler.frontier.telling import Telling
from crawler.reports.building import Builder, Ending
from crawler.reports.observing import listings_of
from crawler.reports.page import page
from crawler.reports.places import PAGE, REPORT, Place, free_place, make_folder, settle, ship
from crawler.reports.tally import Tally

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Written:
    """A report. *shipped*: it is in the archive's storage, not only on this machine, and *error* says why if not."""

    place: Place
    report: dict[str, Any]
    shipped: bool
    error: StorageError | None = None


def write_report(archive: Archive, tally: Tally, account: Account | None, ending: Ending) -> Written | None:
    """Write the report of the run that *tally* counted, and ship it with those that still wait.

    None when there is nothing to make it of: the run did not begin, its frontier cannot be used, or was not closed as
    the run was given up at once. What it did is then told by the report of the next run.
    """
    if tally.frontier_path is None:
        return None
    try:
        frontier = Frontier.open(tally.frontier_path)
    except FrontierBusy:  # by this very process, when it was given up at once; or the next run has begun
        log.warning("no report of this run: its frontier is in use; the next run's report tells of it")
        return None
    except ArchiveError as error:
        log.warning("no report of this run: %s", error)
        return None
    with contextlib.closing(frontier):
        try:
            telling = Telling.of(frontier)
            place = free_place(archive, tally.job, tally.started)
            builder = Builder(archive, telling, tally, account, ending, listings_of(tally.spider.publication))
            built = _written(archive, builder, place)
            telling.done()
        except ArchiveError as error:
            log.warning("no report of this run: %s", error)
            return None
    try:
        shipped = place in ship(archive)
    except StorageError as error:
        log.warning("the report waits on this machine, and is shipped after the next crawl: %s", error)
        return Written(place, built, shipped=False, error=error)
    return Written(place, built, shipped=shipped)


def _written(archive: Archive, builder: Builder, place: Place) -> dict[str, Any]:
    folder = make_folder(archive, place)
    with storage_errors(folder, "writing a report"):
        built = builder.write(folder, place)
        (folder / PAGE).write_text(page(built), encoding="utf-8")
        (folder / f"{REPORT}.part").rename(folder / REPORT)
        settle(folder)
    return built.report
