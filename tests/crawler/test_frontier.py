"""The frontier: what is pending stays pending until it is done, whatever happens to the process."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import textwrap
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest

from archive.errors import IndexDamaged
from archive.place import Place
from crawler.frontier import Done, Frontier, FrontierBusy, Lead, Listed, Page
from crawler.frontier.file import TABLES
from crawler.frontier.telling import Telling
from tests.mounts import mounted

SITE = "example.org"


def lead(name: str, *, priority: int = 10, site: str = SITE, **more: str | int | None) -> Lead:
    return Lead(f"{site}/{name}", f"https://{site}/{name}", site, "article", priority, **more)  # type: ignore[arg-type]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "crawls" / "test.sqlite"


def names(pages: list[Page]) -> list[str]:
    return [page.url.rpartition("/")[2] for page in pages]


def test_pages_come_by_priority_then_in_the_order_in_which_they_were_found(path: Path) -> None:
    frontier = Frontier.open(path)
    frontier.add([lead("a"), lead("b", priority=3), lead("c"), lead("d", priority=3)])
    frontier.commit()
    assert names(frontier.due(SITE, 0.0, 10)) == ["b", "d", "a", "c"]
    frontier.close()


def test_each_site_has_a_queue_of_its_own(path: Path) -> None:
    frontier = Frontier.open(path)
    frontier.add([lead("a"), lead("b", site="other.example"), lead("c")])
    frontier.commit()
    assert frontier.pending() == {SITE: 2, "other.example": 1}
    assert names(frontier.due("other.example", 0.0, 10)) == ["b"]
    frontier.close()


def test_a_key_enters_once(path: Path) -> None:
    frontier = Frontier.open(path)
    first = frontier.add([lead("a"), lead("a")])
    second = frontier.add([lead("a"), lead("b", priority=2)])
    assert (dict(first.pending), dict(second.pending), dict(second.best)) == ({SITE: 1}, {SITE: 1}, {SITE: 2})
    frontier.close()


def test_a_lead_to_be_skipped_is_accounted_for_and_never_asked_for(path: Path) -> None:
    frontier = Frontier.open(path)
    frontier.add([lead("old", skip="published before --since 2026-01-01")])
    frontier.commit()
    assert frontier.pending() == {}
    assert frontier.outcomes() == {"skipped": 1}
    assert frontier.reasons() == [("skipped", "published before --since 2026-01-01", 1, f"https://{SITE}/old")]
    frontier.close()


def test_each_reason_is_told_once_with_the_first_page_it_befell(path: Path) -> None:
    frontier = Frontier.open(path)
    frontier.add([lead(name) for name in "abcdef"])
    frontier.finish(1, Done("saved", status=200))
    frontier.finish(2, Done("failed", "the server answered 500", 500))
    frontier.finish(3, Done("saved", "the server answered 404", 404))
    frontier.finish(4, Done("failed", "the server answered 500", 500))
    frontier.finish(5, Done("saved", status=200, record_id="r5", place=Place("warc/a", 0, 1), extract=True))
    frontier.commit()
    (unread,) = frontier.unread(1)
    frontier.extracted(unread, "kept, but its article could not be read: it took too long")
    frontier.commit()
    assert list(frontier.outcomes().items()) == [("saved", 3), ("failed", 2)]
    assert frontier.reasons() == [
        ("failed", "the server answered 500", 2, f"https://{SITE}/b"),
        ("saved", "the server answered 404", 1, f"https://{SITE}/c"),
        ("unreadable", "kept, but its article could not be read: it took too long", 1, f"https://{SITE}/e"),
    ]
    frontier.close()


def test_a_page_is_done_in_the_step_that_enters_its_links(path: Path) -> None:
    frontier = Frontier.open(path)
    frontier.add([lead("a")])
    frontier.commit()
    (page,) = frontier.due(SITE, 0.0, 10)
    frontier.finish(page.id, Done("saved", status=200, record_id="<urn:x>", place=Place("f", 1, 2)), [lead("b")])
    frontier.close()  # not committed: as a kill would leave it

    frontier = Frontier.open(path)
    assert names(frontier.due(SITE, 0.0, 10)) == ["a"]
    frontier.finish(page.id, Done("saved"), [lead("b")])
    frontier.commit()
    frontier.close()

    frontier = Frontier.open(path)
    assert names(frontier.due(SITE, 0.0, 10)) == ["b"]
    frontier.close()


def test_nothing_is_done_twice(path: Path) -> None:
    frontier = Frontier.open(path)
    frontier.add([lead("a")])
    frontier.finish(1, Done("saved"))
    with pytest.raises(LookupError):
        frontier.finish(1, Done("failed"), [lead("b")])
    frontier.commit()
    assert frontier.outcomes() == {"saved": 1}
    assert frontier.pending() == {}
    frontier.close()


def test_a_step_that_fails_leaves_the_others_of_its_group(path: Path) -> None:
    frontier = Frontier.open(path)
    frontier.add([lead("a"), lead("b")])
    with pytest.raises(LookupError):
        frontier.finish(99, Done("saved"), [lead("lost")])
    frontier.finish(2, Done("saved"))
    frontier.commit()
    assert names(frontier.due(SITE, 0.0, 10)) == ["a"]
    frontier.close()


def test_a_page_put_off_is_not_due_before_its_time(path: Path) -> None:
    frontier = Frontier.open(path)
    frontier.add([lead("a"), lead("b")])
    frontier.postpone(1, tries=1, not_before=1000.0)
    frontier.commit()
    assert names(frontier.due(SITE, 999.0, 10)) == ["b"]
    assert names(frontier.due(SITE, 1000.0, 10)) == ["a", "b"]
    assert frontier.due(SITE, 1000.0, 1)[0].tries == 1
    frontier.finish(2, Done("saved"))
    frontier.commit()
    assert frontier.next_due(SITE, 0.0) == 1000.0
    frontier.close()


EARLY, LATE = "2026-11-20T09:00:00+03:00", "2026-11-20T06:00:01+00:00"  # a second apart
ARCHIVED = Done("skipped", "archived already", 200, "<urn:1>", Place("f", 1, 10))


@pytest.mark.parametrize(
    ("first", "then", "known"),
    [
        (None, EARLY, EARLY),
        (EARLY, None, EARLY),
        (EARLY, LATE, LATE),
        (LATE, EARLY, LATE),
        ("2026-11-20", EARLY, EARLY),
        (EARLY, "2026-11-20", EARLY),
        (EARLY, "2026", EARLY),
    ],
)
def test_a_page_found_again_keeps_the_latest_time_of_change(
    path: Path, first: str | None, then: str | None, known: str
) -> None:
    frontier = Frontier.open(path)
    frontier.add([lead("a", modified=first)])
    added = frontier.add([lead("a", modified=then)])
    frontier.commit()
    (page,) = frontier.due(SITE, 0.0, 10)
    assert page.modified == known
    assert added.told == ({SITE} if known != first else set())
    assert not added.pending
    frontier.close()


@pytest.mark.parametrize("extract", [True, False])
def test_a_page_skipped_as_archived_is_asked_for_once_it_is_said_to_have_changed(path: Path, extract: bool) -> None:
    frontier = Frontier.open(path)
    frontier.add([lead("a", modified=EARLY)])
    skipped = frontier.finish(1, replace(ARCHIVED, extract=extract), modified=EARLY)
    assert skipped.unread == extract
    assert not frontier.add([lead("a", modified=EARLY)]).pending
    added = frontier.add([lead("a", modified=LATE)])
    frontier.commit()
    assert (dict(added.pending), dict(added.best), added.unread) == ({SITE: 1}, {SITE: 10}, -int(extract))
    (page,) = frontier.due(SITE, 0.0, 10)
    assert page.modified == LATE
    assert frontier.articles() == {}
    frontier.close()


def test_a_page_said_to_have_changed_while_the_archive_was_asked_stays_pending(path: Path) -> None:
    frontier = Frontier.open(path)
    frontier.add([lead("a")])
    frontier.add([lead("a", modified=LATE)])
    assert dict(frontier.finish(1, ARCHIVED, modified=None).pending) == {SITE: 1}
    assert not frontier.finish(1, ARCHIVED, modified=LATE).pending
    frontier.close()


@pytest.mark.parametrize(
    "done",
    [
        Done("saved", record_id="<urn:1>"),
        Done("skipped", "a trap: an address of 3000 characters"),
        Done("refused", "no"),
    ],
)
def test_what_was_asked_for_or_left_out_is_not_asked_for_again(path: Path, done: Done) -> None:
    frontier = Frontier.open(path)
    frontier.add([lead("a")])
    frontier.finish(1, done)
    assert not frontier.add([lead("a", modified=LATE)]).pending
    frontier.close()


def test_an_article_of_a_capture_that_is_superseded_says_nothing_of_the_next(path: Path) -> None:
    frontier = Frontier.open(path)
    frontier.add([lead("a")])
    frontier.finish(1, replace(ARCHIVED, extract=True))
    frontier.commit()
    (before,) = frontier.unread(10)
    frontier.add([lead("a", modified=LATE)])
    frontier.finish(1, Done("saved", None, 200, "<urn:2>", Place("f", 2, 10), extract=True), modified=LATE)
    assert frontier.extracted(before).unread == 0
    frontier.commit()
    (now,) = frontier.unread(10)
    assert now.record_id == "<urn:2>"
    assert frontier.extracted(now).unread == -1
    frontier.close()


def test_articles_wait_until_they_are_read(path: Path) -> None:
    frontier = Frontier.open(path)
    frontier.add([lead("a"), lead("b"), lead("c")])
    for number in (1, 2, 3):
        done = Done("saved", record_id=f"<urn:{number}>", place=Place("f", number, 10), extract=number < 3)
        frontier.finish(number, done)
    frontier.commit()
    frontier.extracted(frontier.unread(10)[1], "the parser crashed")
    frontier.commit()
    (unread,) = frontier.unread(10)
    assert (unread.id, unread.record_id, unread.place) == (1, "<urn:1>", Place("f", 1, 10))
    assert frontier.articles() == {"waiting": 1, "unreadable": 1}
    frontier.close()


@pytest.mark.parametrize("reason", ["last changed before --since 2026-01-01", "more than 2 links from the start"])
def test_a_page_skipped_for_what_was_told_of_it_is_asked_for_when_it_is_told_otherwise(path: Path, reason: str) -> None:
    """Whichever sitemap is read first."""
    frontier = Frontier.open(path)
    frontier.add([lead("a", skip=reason, depth=3)])
    assert frontier.add([lead("a", skip=reason)]).pending == {}
    added = frontier.add([lead("a", depth=2, via="https://example.org/tag", hops="LL", modified="2026-11-20")])
    assert (added.pending, added.best) == ({SITE: 1}, {SITE: 10})
    frontier.commit()
    (page,) = frontier.due(SITE, 0.0, 10)
    assert (page.depth, page.via, page.hops, page.modified) == (2, "https://example.org/tag", "LL", "2026-11-20")
    assert frontier.outcomes() == {}
    frontier.close()


@pytest.mark.parametrize("reason", ["a trap: the last led to nothing new", "the limit of 5 pages was reached"])
def test_a_trap_stays_one_whatever_leads_to_it(path: Path, reason: str) -> None:
    frontier = Frontier.open(path)
    frontier.add([lead("a", skip=reason)])
    assert frontier.add([lead("a")]).pending == {}
    frontier.close()


def test_the_rest_is_skipped(path: Path) -> None:
    frontier = Frontier.open(path)
    frontier.add([lead("a"), lead("b"), lead("c")])
    frontier.finish(1, Done("saved"))
    assert frontier.skip_pending("the limit of 1 pages was reached") == 2
    frontier.commit()
    assert frontier.outcomes() == {"saved": 1, "skipped": 2}
    frontier.close()


def test_a_listing_that_shows_nothing_new_is_counted(path: Path) -> None:
    frontier = Frontier.open(path)
    assert frontier.show("t", ["a", "b"]) == 0
    assert frontier.show("t", ["a"]) == 1
    assert frontier.show("t", []) == 2
    assert frontier.show("u", ["a"]) == 0  # each kind of listing for itself
    frontier.commit()
    assert frontier.barren() == {"t": 2}
    assert frontier.show("t", ["c"]) == 0
    frontier.commit()
    assert frontier.barren() == {}
    frontier.close()


def test_two_processes_cannot_run_one_crawl(path: Path) -> None:
    frontier = Frontier.open(path)
    with pytest.raises(FrontierBusy, match=str(os.getpid())):
        Frontier.open(path)
    frontier.close()
    Frontier.open(path).close()


def test_a_file_that_is_no_frontier_is_named(path: Path) -> None:
    path.parent.mkdir()
    path.write_bytes(b"not a database, but long enough to be taken for one" * 30)
    with pytest.raises(IndexDamaged, match=r"test\.sqlite"):
        Frontier.open(path)


def test_a_removed_frontier_begins_anew(path: Path) -> None:
    frontier = Frontier.open(path)
    frontier.add([lead("a")])
    frontier.note("started", "now")
    frontier.commit()
    frontier.remove()
    frontier = Frontier.open(path)
    assert (frontier.pending(), frontier.facts()) == ({}, {})
    frontier.close()


def test_what_was_committed_survives_a_kill(path: Path) -> None:
    """A process that enters a page and its link in one step again and again is killed at some moment."""
    script = textwrap.dedent(f"""
        from pathlib import Path
        from crawler.frontier import *
        frontier = Frontier.open(Path({str(path)!r}))
        lead = lambda n: Lead(str(n), f"https://e.org/{{n}}", "e.org", "article", 1)
        frontier.add([lead(1)])
        frontier.commit()
        for number in range(1, 100_000):
            frontier.finish(number, Done("saved"), [lead(number + 1)])
            frontier.commit()
            print(number, flush=True)
    """)
    process = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE)
    assert process.stdout is not None
    acknowledged = [process.stdout.readline() for _ in range(200)][-1]
    process.send_signal(signal.SIGKILL)
    acknowledged = ([acknowledged] + [line for line in process.stdout if line.endswith(b"\n")])[-1]
    process.wait()
    process.stdout.close()
    frontier = Frontier.open(path)
    done = frontier.outcomes()["saved"]
    assert done >= int(acknowledged)
    assert names(frontier.due("e.org", 0.0, 10)) == [str(done + 1)]
    frontier.close()


FILLS_THE_DISK = """
from pathlib import Path
from archive.errors import DiskFull
from crawler.frontier import Frontier, Lead
import sys
frontier = Frontier.open(Path(sys.argv[1]))
committed = 0
try:
    for number in range(100_000):
        name = f"{number}-{'x' * 200}"
        frontier.add([Lead(name, f"https://e.org/{name}", "e.org", "article", 1)])
        if number % 50 == 49:
            frontier.commit()
            committed = number + 1
except DiskFull as error:
    assert "no room for the frontier" in str(error), error
    print(committed)
frontier.close()
"""


def test_a_full_disk_is_named_and_loses_nothing_committed(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    with mounted(disk, "-o", "size=1m") as namespace:
        script = [sys.executable, "-c", FILLS_THE_DISK, str(disk / "test.sqlite")]
        ran = subprocess.run([*namespace.enter, *script], check=True, capture_output=True, text=True)
        shutil.copytree(namespace.path(disk), tmp_path / "copy")
    db = sqlite3.connect(tmp_path / "copy" / "test.sqlite")
    assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert db.execute("SELECT count(*) FROM pages").fetchone()[0] >= int(ran.stdout) > 0
    db.close()


def test_a_frontier_of_an_earlier_version_goes_on(tmp_path: Path):
    path = tmp_path / "crawl.sqlite"
    db = sqlite3.connect(path)
    db.executescript(TABLES)
    db.execute(
        "INSERT INTO pages (key, url, site, kind, priority, depth, hops)"
        " VALUES ('a/1', 'http://a/1', 'a', 'page', 1, 0, '')"
    )
    db.execute("PRAGMA user_version = 1")
    db.commit()
    db.close()
    with contextlib.closing(Frontier.open(path)) as frontier:
        assert frontier.begin_run("2026-11-21T00:00:00Z") == 1
        (waiting,) = frontier.due("a", time.time(), 10)
        frontier.finish(waiting.id, Done("saved"), listed=[Listed("a/1", "2026-11-20T00:00:00Z")])
        frontier.commit()
        telling = Telling.of(frontier)
        assert telling.outcomes() == {"saved": 1}
        assert telling.listed() == (1, 0, 0)


def test_a_run_is_told_of_once(tmp_path: Path):
    path = tmp_path / "crawl.sqlite"
    for run, outcome in enumerate(("saved", "failed", "skipped"), 1):
        with contextlib.closing(Frontier.open(path)) as frontier:
            assert frontier.begin_run(f"2026-11-2{run}T00:00:00Z") == run
            frontier.add([Lead(f"a/{run}", f"http://a/{run}", "a", "page", 1)])
            frontier.commit()
            (waiting,) = frontier.due("a", time.time(), 10)
            frontier.finish(waiting.id, Done(cast("Any", outcome)))
            frontier.commit()
            telling = Telling.of(frontier)
            if run == 2:  # the first was killed
                assert telling.outcomes() == {"saved": 1, "failed": 1}
                assert telling.started == "2026-11-21T00:00:00Z"
                telling.done()
            if run == 3:
                assert telling.outcomes() == {"skipped": 1}
                assert telling.started == "2026-11-23T00:00:00Z"


def test_what_another_thread_reads_lets_no_page_that_has_ended_have_a_turn(path: Path):
    frontier = Frontier.open(path)
    frontier.add(lead(str(number)) for number in range(5_000))
    frontier.add([lead("map", site="other.example")])
    frontier.commit()
    (last,) = frontier.due("other.example", 0.0, 1)
    for page in frontier.due(SITE, 0.0, 3_000):
        frontier.finish(page.id, Done("saved", record_id="urn:uuid:1", place=Place("warc/a.warc.gz", 0, 1)))
    frontier.commit()
    over = threading.Event()

    def look() -> None:
        while not over.is_set():
            frontier.urls("article")
            frontier.any_pending("sitemap")

    with ThreadPoolExecutor(1) as pool:
        looking = pool.submit(look)
        try:
            for page in frontier.due(SITE, 0.0, 300):
                frontier.finish(page.id, Done("saved"))
                frontier.commit()
                assert page.id not in {other.id for other in frontier.due(SITE, 0.0, 1)}
        finally:
            over.set()
        looking.result()
    assert frontier.pending() == {SITE: 1_700, last.site: 1}
    frontier.close()
