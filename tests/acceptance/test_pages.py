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
