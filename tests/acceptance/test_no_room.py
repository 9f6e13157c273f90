"""No room where responses are gathered: the run stops and says so, and what was archived before stands."""

from __future__ import annotations

import random
import resource
from pathlib import Path

from tests.acceptance.archives import opened, record_ids
from tests.acceptance.news import answer, article_html
from tests.command import TIME_LIMIT_S, Command
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
