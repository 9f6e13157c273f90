"""``newswarc import`` as its users run it: over directories and buckets, interrupted, twice at once, with no room."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
from pathlib import Path

import pytest

from archive.scan import scan
from tests.acceptance.archives import articles, opened, sessions
from tests.acceptance.news import publication
from tests.command import TIME_LIMIT_S, Command, heeded
from tests.mounts import mounted
from tests.records import HEAD, news, record, record_id
from tests.servers.raw_site import running

URL = "https://news.example/2026/03/01/piece-{}"


def given(path: Path, count: int, *, start: int = 1) -> bytes:
    data = b"".join(record(n, HEAD + news(n)) for n in range(start, start + count))
    path.write_bytes(data)
    return data


def state(command: Command) -> dict[str, bytes]:
    """Return all that the archive holds."""
    with opened(command) as archive:
        return {stat.key: archive.storage.read(stat.key) for stat in archive.storage.list()}


def test_a_file_is_imported_with_its_articles_once(command: Command):
    data = given(command.folder / "a.warc.gz", 4)
    (row,) = command.run("import", "--json", "a.warc.gz").rows
    assert {name: row[name] for name in ("outcome", "captures", "articles", "fault_count")} == {
        "outcome": "imported",
        "captures": 4,
        "articles": 4,
        "fault_count": 0,
    }
    before = state(command)
    assert before[row["warc"]] == data
    assert command.run("show", URL.format(2), "--format", "raw").out == news(2)
    assert b"ferry number 3" in command.run("articles", "ferry", "--json").out
    again = command.run("import", "a.warc.gz")
    assert b"in the archive already" in again.out
    assert state(command) == before
    command.run("verify", "--deep")
    assert b"nothing differed" in command.run("index", "rebuild").out


def test_articles_that_were_left_out_can_be_read_later(tmp_path: Path):
    command = Command(tmp_path)
    given(tmp_path / "a.warc.gz", 2)
    command.run("import", "--no-articles", "a.warc.gz")
    with opened(command) as archive:
        assert articles(archive) == {}
    assert b"2 articles read" in command.run("import", "a.warc.gz").out


def test_a_revisit_is_read_with_an_original_that_comes_in_a_later_file(tmp_path: Path):
    command = Command(tmp_path)
    label = "sha1:" + "B" * 32
    refers = {"WARC_Refers_To": record_id(1), "WARC_Payload_Digest": label}
    (tmp_path / "a.warc.gz").write_bytes(record(2, HEAD, kind="revisit", url=URL.format(1), **refers))
    (tmp_path / "b.warc.gz").write_bytes(record(1, HEAD + news(1), WARC_Payload_Digest=label))
    rows = command.run("import", "--json", "a.warc.gz", "b.warc.gz").rows
    assert [(Path(row["source"]).name, row["articles"]) for row in rows] == [("b.warc.gz", 1), ("a.warc.gz", 1)]


def test_damage_and_strangers_are_told_and_the_exit_codes_tell_them_apart(tmp_path: Path):
    command = Command(tmp_path)
    (tmp_path / "page.warc").write_bytes(b"<html>")
    refused = command.run("import", "page.warc", "gone.warc", code=1)
    assert "page.warc: nothing in it can be read" in refused.err
    assert "gone.warc: cannot be read" in refused.err
    data = given(tmp_path / "a.warc.gz", 3)
    (tmp_path / "cut.warc.gz").write_bytes(data[:-1])
    damaged = command.run("import", "--json", "cut.warc.gz", code=5)
    assert damaged.rows[0]["captures"] == 2
    assert [fault["record_id"] for fault in damaged.rows[0]["faults"]] == [record_id(3)]
    assert f"record {record_id(3)}" in damaged.err
    command.run("import", code=2)
    (tmp_path / "empty").mkdir()
    command.run("import", "empty", code=2)


def test_killed_anywhere_the_same_command_goes_on(tmp_path: Path):
    command = Command(tmp_path)
    data = given(command.folder / "a.warc.gz", 20)
    control = Command(command.folder, archive="control")
    control.run("import", "a.warc.gz")
    # Killed when so many files were renamed, linked or deleted: between any two steps that others can see.
    if shutil.which("strace") is None:
        pytest.skip("no strace; apt-get install strace")
    for call in (2, 5, 9, 14):
        calls = "?rename,?renameat,?renameat2,?link,?linkat,?unlink,?unlinkat,fsync"
        subprocess.run(
            ["strace", "-f", "-qq", "-o", os.devnull, "-e", f"trace={calls}", "-e",
             f"inject={calls}:signal=SIGKILL:when={call}", *command.arguments, "import", "a.warc.gz"],
            cwd=command.folder, env=command.environment, capture_output=True, timeout=TIME_LIMIT_S, check=False,
        )  # fmt: skip
    command.run("import", "a.warc.gz")
    with opened(command) as archive, opened(control) as other:
        found = articles(archive)
        assert sorted(found) == sorted(articles(other))
        assert all(len(of_url) == 1 for of_url in found.values())
        assert sum(archive.storage.read(stat.key) == data for stat in archive.storage.list("warc/")) == 1
        assert sessions(archive) == []
    command.run("verify", "--deep")


def test_two_imports_of_the_same_files_at_once_are_one(tmp_path: Path):
    command = Command(tmp_path)
    given(tmp_path / "a.warc.gz", 20)
    given(tmp_path / "b.warc.gz", 20, start=100)
    runs = [command.start("import", *names) for names in (("a.warc.gz", "b.warc.gz"), ("b.warc.gz", "a.warc.gz"))]
    for run in runs:
        _, err = run.communicate(timeout=TIME_LIMIT_S)
        assert run.returncode == 0, err.decode()
    with opened(command) as archive:
        assert len(list(archive.storage.list("warc/"))) == 2
        assert {len(found) for found in articles(archive).values()} == {1}
    command.run("verify", "--deep")


def test_no_room_leaves_the_archive_as_it_was_and_the_import_goes_on_when_there_is(tmp_path: Path):
    folder = tmp_path / "small"
    folder.mkdir()
    (tmp_path / "a.warc.gz").write_bytes(record(1, HEAD + os.urandom(3 << 20)) + record(2, HEAD + news(2)))
    with mounted(folder, "-o", "size=2m") as namespace:
        command = namespace.command(folder)
        command.run("import", str(tmp_path / "a.warc.gz"), code=7)
        left = [path for path in namespace.path(folder).rglob("*.warc*") if path.is_file()]
        assert left == []
        namespace.run("mount", "-o", "remount,size=40m", str(folder))
        command.run("import", str(tmp_path / "a.warc.gz"))
        command.run("verify")


def test_an_interrupted_import_says_so_and_keeps_what_is_done(tmp_path: Path):
    command = Command(tmp_path)
    given(tmp_path / "a.warc.gz", 3)
    with heeded(signal.SIGINT):
        run = command.start("import", "a.warc.gz", "-", stdin=subprocess.PIPE)
    assert run.stdout.readline()  # the first file is done; the second never comes
    run.send_signal(signal.SIGINT)
    _, err = run.communicate(timeout=TIME_LIMIT_S)
    assert run.returncode == 130, err.decode()
    command.run("verify", "--deep")
    assert len(command.run("articles", "--json").out.splitlines()) == 3


@pytest.mark.parametrize("options", [(), ("--no-warc-compression",), ("--no-warc-digests",)])
def test_what_wget_wrote_is_imported_and_answers_exactly(options: tuple[str, ...], tmp_path: Path):
    if shutil.which("wget") is None:
        pytest.skip("no wget; apt-get install wget")
    command = Command(tmp_path)
    with running(publication(2)) as site:
        urls = [site.url(f"/2026/{n}") for n in range(2)]
        subprocess.run(
            ["wget", "-q", "--no-config", "-p", "--warc-file=got", *options, *urls, urls[0]],
            cwd=tmp_path, check=True, env=command.environment, timeout=60,
        )  # fmt: skip
    (path,) = tmp_path.glob("got.warc*")
    (row,) = command.run("import", "--json", str(path)).rows
    assert (row["articles"] >= 2, row["fault_count"]) == (True, 0)
    assert row["software"].startswith("Wget/")
    with opened(command) as archive:
        assert archive.storage.read(row["warc"]) == path.read_bytes()
        for url in urls:
            body = (tmp_path / f"127.0.0.1:{url.rpartition(':')[2]}").read_bytes()
            for capture in archive.captures(url):
                assert archive.payload(capture).body == body
    with path.open("rb") as stream:
        types = [one.type for one in scan(stream)]
    assert row["records"] == {kind: types.count(kind) for kind in sorted(set(types))}
    assert json.loads(json.dumps(row)) == row
