"""No room where responses are gathered: the run stops and says so, and what was archived before stands."""

from __future__ import annotations

import random
import resource
from pathlib import Path

from tests.acceptance.archives import opened, record_ids
from tests.acceptance.crawls import ROBOTS, crawl, summary_of
from tests.acceptance.news import answer, article_html
from tests.command import TIME_LIMIT_S, Command
from tests.mounts import mounted
from tests.servers.publication_site import running_publication
from tests.servers.raw_site import RawSite, running

ROOM_BYTES = 2_000_000


def little_room() -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (ROOM_BYTES, hard))


def test_a_response_there_is_no_room_for_stops_the_run(tmp_path: Path):
    command = Command(tmp_path)
    with running(RawSite({"/a": answer(article_html(1))})) as site:
        site.scripts["/big"] = answer(random.Random(1).randbytes(2 * ROOM_BYTES), "image/png")
        command.run("archive", "--no-requisites", site.url("/a"))
        before = record_ids(opened(command))
        run = command.start("archive", "--no-requisites", "--json", site.url("/big"), preexec_fn=little_room)
        _, err = run.communicate(timeout=TIME_LIMIT_S)
        assert run.returncode == 7, err.decode()
        assert len(site.received("/big")) == 1
    assert b"no room left while writing a temporary file" in err
    after = record_ids(opened(command))
    assert before.items() <= after.items()
    assert not any(after.values())
    with opened(command) as archive:
        assert list(archive.captures(site.url("/big"))) == []
    command.run("verify")


def test_a_crawl_that_fills_the_disk_goes_on_when_there_is_room(tmp_path: Path):
    folder = tmp_path / "small"
    folder.mkdir()
    with running_publication(300, troubles=False) as site, mounted(folder, "-o", "size=2500k") as namespace:
        command = namespace.command(folder)
        full = crawl(command, site, code=7)
        assert "no room" in full.err
        assert "run the same command again to go on" in full.out.decode()
        kept = summary_of(full.out.decode()).counts["saved"]
        namespace.run("mount", "-o", "remount,size=60m", str(folder))
        before = len(site.log())
        assert summary_of(crawl(command, site).out.decode()).articles == {"read": 300}
        again = [request for request in site.log()[before:] if request.target != ROBOTS]
        # What was kept is not asked for again; what was under way when the room ended is.
        assert len(again) <= len(site.publication.expected()) - kept
        command.run("verify")
