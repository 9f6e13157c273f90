"""``newswarc extract``: pages wherever they lie, many at once, interrupted and gone on with; drift told."""

from __future__ import annotations

import csv
import gzip
import io
import json
import os
import re
import signal
import time
import zipfile
from pathlib import Path
from typing import Any

import pytest

from tests.command import Command, heeded
from tests.records import HEAD, news, record, record_id

REVISIT = "http://netpreserve.org/warc/1.1/revisit/identical-payload-digest"


@pytest.fixture
def command(tmp_path: Path) -> Command:
    return Command(tmp_path)


def coded(fields: bytes, body: bytes) -> bytes:
    return HEAD.replace(b"\r\n\r\n", b"\r\n" + fields + b"\r\n\r\n") + body


def rows(out: bytes) -> list[dict[str, Any]]:
    return [json.loads(line) for line in out.splitlines()]


def titles(out: bytes) -> list[str | None]:
    return [row["title"] for row in rows(out)]


def title(number: int) -> str:
    return f"Council votes on ferry number {number}"


# --- what is read


def test_directories_are_walked_in_the_order_of_names(command: Command) -> None:
    for name, data in {
        "in/b/2.html.gz": gzip.compress(news(2)),
        "in/a.htm": news(0),
        "in/b/1.warc.gz": record(1, HEAD + news(1)),
        "in/c.warc": gzip.decompress(record(3, HEAD + news(3))),
        "in/b/notes.txt": b"<p>no page</p>",
    }.items():
        (command.folder / name).parent.mkdir(parents=True, exist_ok=True)
        (command.folder / name).write_bytes(data)
    with zipfile.ZipFile(command.folder / "in" / "d.WACZ", "w") as package:
        package.writestr("archive/x.warc.gz", record(4, HEAD + news(4)))
    ran = command.run("extract", "in")
    assert titles(ran.out) == [title(0), title(1), title(2), title(3), title(4)]
    assert [row["source"]["path"] for row in rows(ran.out)] == [
        "in/a.htm",
        "in/b/1.warc.gz",
        "in/b/2.html.gz",
        "in/c.warc",
        "in/d.WACZ!archive/x.warc.gz",
    ]
    assert ran.err == "5 articles\n"


def test_a_directory_without_pages_is_wrong_use(command: Command) -> None:
    (command.folder / "empty").mkdir()
    assert "no page, WARC file or WACZ package" in command.run("extract", "empty", code=2).err


def test_codings_resources_and_what_is_skipped(command: Command) -> None:
    page = news(2)
    data = [
        record(1, coded(b"Content-Encoding: gzip", gzip.compress(news(1)))),
        record(2, coded(b"Transfer-Encoding: chunked", b"%x\r\n%s\r\n0\r\n\r\n" % (len(page), page))),
        record(3, news(3), kind="resource", content_type="text/html"),
        record(4, HEAD.replace(b"200 OK", b"404 Not Found") + news(4)),
        record(5, HEAD.replace(b"text/html", b"image/png") + b"\x89PNG"),
        record(6, HEAD.replace(b"200 OK", b"404 Not Found") + news(6)),
        record(7, HEAD + b'{"no": "page"}'),
    ]
    (command.folder / "a.warc.gz").write_bytes(b"".join(data))
    ran = command.run("extract", "a.warc.gz")
    assert titles(ran.out) == [title(1), title(2), title(3), None]
    assert [row["page_kind"] for row in rows(ran.out)] == ["article"] * 3 + ["other"]
    assert ran.err == "3 articles; 1 other page (1 other); skipped 3 (2 answered 404, 1 not HTML)\n"


def test_a_revisit_is_read_with_the_payload_of_its_original_wherever_that_stands(command: Command) -> None:
    def revisit(number: int, original: int, **more: str) -> bytes:
        fields = {"WARC_Profile": REVISIT, "WARC_Refers_To": record_id(original), **more}
        return record(number, HEAD, kind="revisit", url=f"https://news.example/again-{number}", **fields)

    (command.folder / "1.warc.gz").write_bytes(revisit(10, 1) + revisit(11, 2) + record(2, HEAD + news(2)))
    (command.folder / "2.warc.gz").write_bytes(record(1, HEAD + news(1)) + revisit(12, 1) + revisit(13, 99))
    ran = command.run("extract", "1.warc.gz", "2.warc.gz")
    assert [(row["source"]["record_id"], row["title"]) for row in rows(ran.out)] == [
        (record_id(2), title(2)),
        (record_id(1), title(1)),
        (record_id(12), title(1)),
        (record_id(10), title(1)),  # whose originals came later
        (record_id(11), title(2)),
    ]
    assert rows(ran.out)[2]["url"] == "https://news.example/again-12"
    assert "skipped 1 (1 revisit of a page that is in none of these files)" in ran.err


def test_standard_input_is_read_as_it_comes_and_not_kept(command: Command) -> None:
    (command.folder / "one").mkdir()
    with command.start("extract", "-", "--jobs", "1", stdin=-1) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        for number in range(80):  # more than are under way at once
            process.stdin.write(record(number, HEAD + news(number)))
        filler = record(1000, os.urandom(4 << 20), kind="metadata", content_type="application/octet-stream")
        for _ in range(40):
            process.stdin.write(filler)
        process.stdin.flush()
        assert json.loads(process.stdout.readline())["title"] == title(0), "before the end of its input"
        status = Path(f"/proc/{process.pid}/status").read_text("ascii", "replace")
        peak = re.search(r"VmHWM:\s+(\d+) kB", status)
        out, err = process.communicate(timeout=120)
    assert peak is None or int(peak[1]) < 120_000, "160 MB have gone through it"
    assert len(out.splitlines()) >= 78  # the rest stands in the buffer of what reads it here
    assert b"80 articles" in err


def test_what_is_given_up_is_a_result_too_and_told(command: Command) -> None:
    broken = coded(b"Content-Encoding: gzip", b"this is no gzip")
    (command.folder / "a.warc.gz").write_bytes(record(1, broken) + record(2, HEAD + news(2)))
    for form in ("jsonl", "json", "csv"):
        ran = command.run("extract", "a.warc.gz", "--format", form, code=1)
        found: list[dict[str, Any]] = (
            rows(ran.out)
            if form == "jsonl"
            else json.loads(ran.out)
            if form == "json"
            else list(csv.DictReader(io.StringIO(ran.out.decode(), newline="")))
        )
        assert [row["page_kind"] for row in found] == ["unreadable", "article"]
        assert "gzip data is broken" in found[0]["problem"]
        assert found[1]["problem"] in (None, "")
        assert "1 failed" in ran.err
        assert record_id(1) in ran.err
    assert b"unreadable" not in command.run("extract", "a.warc.gz", "--format", "md", code=1).out


# --- interrupted, and gone on with


PAGES = 400


@pytest.fixture
def many(command: Command) -> Command:
    for first in range(0, PAGES, 100):
        data = b"".join(record(n, HEAD + news(n)) for n in range(first, first + 100))
        (command.folder / f"many-{first:03}.warc.gz").write_bytes(data)
    return command


def killed(command: Command, *arguments: str, after_bytes: int) -> None:
    """Run it and kill it, without warning, once its output has grown by so much."""
    part = command.folder / "out.part"
    before = part.stat().st_size if part.exists() else 0
    with command.start(*arguments) as process:
        until = time.monotonic() + 60
        while not part.exists() or part.stat().st_size < before + after_bytes:
            assert process.poll() is None, process.communicate()
            assert time.monotonic() < until
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
        process.communicate()


def arguments(form: str, *more: str) -> list[str]:
    return ["extract", ".", "--format", form, "--jobs", "2", "--output", "out", *more]


@pytest.mark.parametrize("form", ["jsonl", "csv", "json", "md", "parquet"])
def test_killed_again_and_again_it_gives_what_it_gives_in_one_go(many: Command, form: str) -> None:
    if form == "parquet":
        pytest.importorskip("pyarrow")
    many.run(*arguments(form))
    (many.folder / "out").rename(many.folder / "whole")
    killed(many, *arguments(form), after_bytes=1)
    done = []
    for cut in (b"", b'{"url": "https://news.exam', b"\0" * 3000):  # a line that was cut, a power cut
        with (many.folder / "out.part").open("ab") as file:
            file.write(cut)
        done.append((many.folder / "out.part").stat().st_size)
        killed(many, *arguments(form, "--resume"), after_bytes=60_000)
    assert done == sorted(done), "each goes on where the one before was killed"
    assert not (many.folder / "out").exists()
    ran = many.run(*arguments(form, "--resume"))
    assert ran.err == f"{PAGES} articles\n"
    if form == "parquet":
        from pyarrow import parquet  # noqa: PLC0415 - an optional dependency

        assert parquet.read_table(many.folder / "out") == parquet.read_table(many.folder / "whole")
    else:
        assert (many.folder / "out").read_bytes() == (many.folder / "whole").read_bytes()
    assert sorted(path.name for path in many.folder.glob("out*")) == ["out"]


def test_what_is_done_is_not_extracted_again(many: Command) -> None:
    killed(many, *arguments("jsonl"), after_bytes=300_000)
    began = (many.folder / "out.part").read_bytes().splitlines(keepends=True)[:-2]
    many.run(*arguments("jsonl", "--resume"))
    out = (many.folder / "out").read_bytes()
    assert out.startswith(b"".join(began))
    assert titles(out) == [title(number) for number in range(PAGES)]


def test_a_changed_input_is_told_and_another_format_too(many: Command) -> None:
    killed(many, *arguments("jsonl"), after_bytes=50_000)
    assert "was begun with format jsonl, not csv" in many.run(*arguments("csv", "--resume"), code=2).err
    with (many.folder / "many-300.warc.gz").open("ab") as file:
        file.write(record(PAGES, HEAD + news(PAGES)))
    told = many.run(*arguments("jsonl", "--resume"), code=2).err
    assert "many-300.warc.gz has changed since then" in told
    assert "remove it to begin anew" in told
    assert "--resume goes on with it" in many.run(*arguments("jsonl"), code=2).err, "nothing is thrown away unasked"
    (many.folder / "out.part").unlink()
    many.run(*arguments("jsonl", "--resume"))
    assert len((many.folder / "out").read_bytes().splitlines()) == PAGES + 1


def test_resume_with_nothing_to_go_on_with_begins(many: Command) -> None:
    many.run(*arguments("jsonl", "--resume"))
    assert len((many.folder / "out").read_bytes().splitlines()) == PAGES
    assert "there is none" in many.run("extract", ".", "--resume", code=2).err


def _size_of(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def test_interrupted_it_says_how_to_go_on(many: Command) -> None:
    for _ in range(10):  # on a busy machine it may be done before it is interrupted
        (many.folder / "out").unlink(missing_ok=True)
        with heeded(signal.SIGINT), many.start(*arguments("jsonl")) as process:
            while process.poll() is None and not _size_of(many.folder / "out.part"):
                time.sleep(0.01)
            process.send_signal(signal.SIGINT)
            err = process.communicate()[1].decode()
        if not (many.folder / "out").exists():
            break
    assert process.returncode == 130
    assert "is kept in out.part; --resume goes on with it" in err
    many.run(*arguments("jsonl", "--resume"))
    assert titles((many.folder / "out").read_bytes()) == [title(number) for number in range(PAGES)]


# --- drift


def publication(folder: Path, *, new: dict[str, Any] | None, pages: int = 20) -> None:
    """Write a publication of 300 pages in one design and *pages* in another, of which *new* says what it has."""
    old = [record(n, HEAD + news(n, paragraphs=4 + n % 5)) for n in range(300)]
    later = [record(n, HEAD + news(n, **{"paragraphs": 4 + n % 5, **(new or {})})) for n in range(300, 300 + pages)]
    (folder / "1.warc.gz").write_bytes(b"".join(old))
    (folder / "2.warc.gz").write_bytes(b"".join(later))


@pytest.mark.parametrize(
    ("new", "told"),
    [
        ({"author": False}, "0 of 20 articles have authors; of the 299 before 299 had"),
        ({"title": False}, "0 of 20 articles have a title of their own; of the 299 before 299 had"),
        ({"dated": False}, "0 of 20 articles have a time of publication; of the 299 before 299 had"),
        ({"paragraphs": 1}, "the text of the 20 articles has"),
        ({"paragraphs": 40}, "the text of the 20 articles has"),
    ],
)
def test_a_redesign_is_told_within_20_pages(command: Command, new: dict[str, Any], told: str) -> None:
    publication(command.folder, new=new)
    ran = command.run("extract", "1.warc.gz", "2.warc.gz", "--quiet", code=8)
    (line,) = [line for line in ran.err.splitlines() if told in line]
    assert line.startswith(
        "news.example: since 2026-03-01T00:05:00.000000Z (https://news.example/2026/03/01/piece-300) "
    )
    assert line.endswith(": the site may have been redesigned; check its rules")
    assert len(rows(ran.out)) == 320


def test_the_order_of_files_is_not_the_order_of_captures(command: Command) -> None:
    publication(command.folder, new={"author": False})
    assert "0 of 20 articles have authors" in command.run("extract", "2.warc.gz", "1.warc.gz", code=8).err


def test_without_a_redesign_nothing_is_told(command: Command) -> None:
    publication(command.folder, new=None, pages=100)
    assert command.run("extract", "1.warc.gz", "2.warc.gz").err == "400 articles\n"


def test_each_host_is_judged_by_itself(command: Command) -> None:
    data = []
    for n in range(160):
        data.append(record(2 * n, HEAD + news(n), url=f"https://good.example/{n}/x"))
        data.append(record(2 * n + 1, HEAD + news(n, author=n < 140), url=f"https://www.bad.example/{n}/x"))
    (command.folder / "a.warc.gz").write_bytes(b"".join(data))
    (line,) = command.run("extract", "a.warc.gz", "--quiet", code=8).err.splitlines()
    assert line.startswith("bad.example: since ")
    assert "(https://www.bad.example/140/x) 0 of 20 articles have authors" in line


def test_drift_is_told_of_what_an_interrupted_run_read_too(command: Command) -> None:
    publication(command.folder, new={"author": False})
    killed(command, *arguments("csv"), after_bytes=100_000)
    assert "0 of 20 articles have authors" in command.run(*arguments("csv", "--resume"), code=8).err


APPEAL = "The Courier has no owner but its readers, and it needs every one of them this winter."


def repeating(folder: Path, pages: int) -> None:
    """Write pages of one host that have a paragraph in common, among others of their own."""
    folder.mkdir()
    body = "".join(f"<p>Sentence {{n}}.{k} of the story has some forty letters and a full stop.</p>" for k in range(6))
    for n in range(pages):
        html = f"<html><title>Story {n}</title><h1>Story {n}</h1><div>{body.format(n=n)}<p>{APPEAL}</p></div></html>"
        (folder / f"{n:03}.html").write_text(html)
    listing = [json.dumps({"path": f"pages/{n:03}.html", "url": f"https://c.example/{n}"}) for n in range(pages)]
    (folder.parent / "list.jsonl").write_text("\n".join(listing))


def test_what_repeats_is_learned_when_asked_and_explained(command: Command) -> None:
    repeating(command.folder / "pages", 140)
    plain = rows(command.run("extract", "--pages", "list.jsonl", "--jobs", "1").out)
    assert all(APPEAL in row["text"] for row in plain)
    learned = rows(command.run("extract", "--pages", "list.jsonl", "--jobs", "1", "--learn", "--explain").out)
    assert APPEAL not in learned[-1]["text"]
    assert "Sentence 139.5" in learned[-1]["text"]
    (out,) = [out for out in learned[-1]["left_out"] if out["text"] == APPEAL]
    assert out["why"] == "repeats on other pages of the host"
    assert out["pages"] == [f"https://c.example/{n}" for n in range(3)]
    assert learned[-1]["extractor"]["learned"]


@pytest.mark.parametrize("wrong", [("--explain", "--format", "md"), ("--learn", "--resume", "--output", "x.jsonl")])
def test_what_cannot_be_explained_or_learned_is_wrong_use(command: Command, wrong: tuple[str, ...]) -> None:
    repeating(command.folder / "pages", 1)
    assert command.run("extract", "pages", *wrong, code=2).err
