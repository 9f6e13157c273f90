"""Pages are archived with all they lead to and need."""

from __future__ import annotations

from pathlib import Path

from tests.acceptance.news import answer, article_html, publication
from tests.acceptance.records import all_records
from tests.command import Command
from tests.servers.raw_site import running, script


def kept(command: Command) -> set[str]:
    """Return the paths of all captures but robots.txt."""
    uris = {record.get("WARC-Target-URI") or "" for record in all_records(command.path) if record.type == "response"}
    return {"/" + uri.split("/", 3)[3] for uri in uris} - {"/robots.txt"}


def test_redirects_and_refreshes_are_followed_to_the_article(tmp_path: Path) -> None:
    command = Command(tmp_path)
    with running(publication(1)) as site:
        site.scripts["/short"] = script(b"HTTP/1.1 302 Found\r\nLocation: /moved\r\nContent-Length: 0\r\n\r\n")
        refresh = b'<html><head><meta http-equiv="refresh" content="0; url=/2026/0"></head><body>Moved.</body></html>'
        site.scripts["/moved"] = answer(refresh)
        (row,) = command.run("archive", "--json", site.url("/short#here")).rows
        assert row["url"] == site.url("/short#here")
        assert row["final_url"] == site.url("/2026/0")
        assert row["title"].endswith("No 0")
    assert kept(command) == {"/short", "/moved", "/2026/0", "/style.css", "/wave.svg", "/picture.png"}
    hops = [
        record.block for record in all_records(command.path) if record.type == "metadata" and b"/moved" in record.block
    ]
    assert any(b"hopsFromSeed: R" in block for block in hops)


def test_requisites_of_every_kind_are_kept_once_for_all_pages(tmp_path: Path) -> None:
    command = Command(tmp_path)
    page = article_html(0).replace(
        b"</head>",
        b'<link rel="icon" href="/icon.ico"><style>@font-face { src: url(/font.woff2) }</style>'
        b'<script src="/code.js"></script></head>',
    ).replace(
        b"</article>",
        b'<img srcset="/small.png 1x, /large.png 2x" data-src="/lazy.png"><div style="background:url(/back.png)"></div>'
        b"</article>",
    )  # fmt: skip
    with running(publication(0)) as site:
        for path in ("/one", "/two"):
            site.scripts[path] = answer(page)
        for path in ("icon.ico", "font.woff2", "code.js", "small.png", "large.png", "lazy.png", "back.png"):
            site.scripts[f"/{path}"] = answer(path.encode() * 50, "application/octet-stream")
        command.run("archive", site.url("/one"), site.url("/two"))
        asked = [request.target for request in site.requests]
    needed = {"/style.css", "/wave.svg", "/picture.png", "/icon.ico", "/font.woff2", "/code.js", "/small.png"}
    assert kept(command) >= needed | {"/large.png", "/lazy.png", "/back.png"}
    assert sorted(asked) == sorted(set(asked))


def test_the_same_page_again_is_a_revisit_and_told_as_unchanged(tmp_path: Path) -> None:
    command = Command(tmp_path)
    with running(publication(1)) as site:
        (first,) = command.run("archive", "--json", "--no-requisites", site.url("/2026/0")).rows
        (second,) = command.run("archive", "--json", "--no-requisites", site.url("/2026/0")).rows
    assert (first["outcome"], second["outcome"]) == ("saved", "unchanged")
    assert second["title"] == first["title"]
    (revisit,) = [r for r in all_records(command.path) if r.type == "revisit" and "/2026/0" in str(r.fields)]
    assert revisit.get("WARC-Refers-To") == first["record_id"]
    assert revisit.get("WARC-Refers-To-Target-URI") == first["final_url"]
    assert revisit.get("WARC-Refers-To-Date") == first["captured_at"]
    command.run("verify", "--deep")
    shown = command.run("show", site.url("/2026/0"), "--format", "raw", "--at", second["captured_at"])
    assert shown.out == article_html(0)


def test_every_url_ends_in_one_row_whatever_its_page_holds(tmp_path: Path) -> None:
    command = Command(tmp_path)
    with running(publication(2)) as site:
        hostile = article_html(0).replace(b'"headline": "', b'"headline": "Bad \\ud83d ')
        site.scripts["/hostile"] = answer(hostile)
        site.scripts["/nowhere"] = answer(b'<html><meta http-equiv="refresh" content="0;url=http://[bad">gone</html>')
        urls = [site.url(path) for path in ("/hostile", "/nowhere", "/2026/0", "/2026/1")]
        listed = tmp_path / "urls"
        listed.write_bytes("\n".join(urls).encode() + b"\nhttp://127.0.0.1:1/\xff\n")
        rows = command.run("archive", "--json", "--no-requisites", "--from", str(listed), code=1).rows
    assert len(rows) == 5
    saved = [row for row in rows if row["outcome"] == "saved"]
    assert {row["url"] for row in saved} == set(urls)
    assert {row["title"] for row in saved if row["url"].endswith("/hostile")} != {None}


def test_an_unchanged_article_that_reloads_itself_is_told_as_itself(tmp_path: Path) -> None:
    command = Command(tmp_path)
    with running(publication(1)) as site:
        page = article_html(0).replace(b"<head>", b'<head><meta http-equiv="refresh" content="300; url=/front">')
        site.scripts["/2026/0"] = answer(page)
        site.scripts["/front"] = answer(b"<html><title>Front</title><h1>Front</h1></html>")
        rows = [command.run("archive", "--json", site.url("/2026/0")).rows[0] for _ in range(2)]
    assert [row["outcome"] for row in rows] == ["saved", "unchanged"]
    assert rows[0]["final_url"] == rows[1]["final_url"] == site.url("/2026/0")
    assert rows[0]["title"] == rows[1]["title"]


def test_a_damaged_catalogue_stops_neither_archiving_nor_its_rebuild(tmp_path: Path) -> None:
    command = Command(tmp_path)
    with running(publication(2)) as site:
        command.run("archive", "--no-requisites", site.url("/2026/0"))
        (command.path / ".newswarc" / "catalog.sqlite").write_bytes(b"this was a catalogue" * 400)
        process = command.start("archive", "--json", "--no-requisites", site.url("/2026/1"))
        _, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    assert b"newswarc index rebuild" in err
    command.run("index", "rebuild")
    command.run("verify", "--deep")
    assert len(command.run("articles", "--json").rows) == 2
