from __future__ import annotations

import json
from pathlib import Path

from archive.archive import Archive
from archive.replay.frames import Frames, address, split
from archive.replay.rewriting import SHIM_PATH, shim
from archive.replay.site import Options, Site
from tests.replay.archives import LIBRARY, NEWS, PAGES, Made, library, pages


def test_the_banner_is_told_what_a_page_lacks(tmp_path: Path) -> None:
    made = Made(tmp_path)
    made.response()
    made.response("https://news.example/s.css", headers="Content-Type: text/css\r\n", body=b"a{}")
    made.response("https://news.example/secret.png", headers="Content-Type: image/png\r\n", body=b"x")
    site = made.site('[[access]]\nurl = "https://news.example/secret.png"\naccess = "block"\n')
    token = site.frames.new()
    pages(site, address(token, f"/web/20260101000000/{NEWS}"), sec_fetch_dest="iframe")
    names = ("s.css", "secret.png", "gone.png", "gone.png")
    site.frames.needs(token, [f"https://news.example/{name}" for name in names])
    told = json.loads(library(site, f"/api/frame/{token}").read())
    assert told["missing"] == {
        "https://news.example/secret.png": "not shown",
        "https://news.example/gone.png": "never captured",
    }


def test_a_frame_within_the_page_is_not_the_page(tmp_path: Path) -> None:
    made = Made(tmp_path)
    made.response()
    made.response("https://news.example/inner")
    site = made.site()
    token = site.frames.new()
    for url, modifier in ((NEWS, ""), ("https://news.example/inner", "if_")):
        pages(site, address(token, f"/web/20260101000000{modifier}/{url}"), sec_fetch_dest="iframe")
    frame = site.frames.get(token)
    assert frame is not None
    assert (frame.url, frame.loads) == (NEWS, 1)


def test_only_the_last_frames_are_kept_and_unknown_tokens_are_none() -> None:
    frames = Frames()
    first = frames.new()
    for _ in range(1000):
        frames.new()
    assert frames.get(first) is None
    frames.shows("unknown", "https://a.example/", "20260101000000")
    assert split(address("A" * 16, "/web/2026/x")) == ("A" * 16, "/web/2026/x")
    assert split("/frame/short/web/2026/x") == ("", "/frame/short/web/2026/x")


def test_a_replayed_page_leads_into_the_archive_and_keeps_to_its_frame(tmp_path: Path) -> None:
    made = Made(tmp_path)
    made.response(
        body=b'<a href="/b">b</a><img src="//cdn.example/c.png"><iframe src="/d"></iframe><script src="/e"></script>'
    )
    site = made.site()
    token = site.frames.new()
    page = pages(site, address(token, f"/web/20260101000000/{NEWS}"), sec_fetch_dest="iframe").read()
    for place in (
        b"/frame/%b/web/20260101000000/https://news.example/b" % token.encode(),
        b"/web/20260101000000im_/https://cdn.example/c.png",
        b"/frame/%b/web/20260101000000if_/https://news.example/d" % token.encode(),
    ):
        assert b'"%b"' % place in page
    told = json.loads(library(site, f"/api/frame/{token}").read())
    assert set(told["missing"]) == {"https://cdn.example/c.png", "https://news.example/d"}


def test_the_shim_is_served_where_scripts_run(tmp_path: Path) -> None:
    made = Made(tmp_path, Options(LIBRARY, PAGES, scripts=True))
    made.response()
    site = made.site()
    assert pages(site, SHIM_PATH).read() == shim()
    assert "sandbox allow-scripts;" in (pages(site, f"/web/2026/{NEWS}").header("Content-Security-Policy") or "")
    quiet = Site(Archive.open(str(tmp_path)), Options(LIBRARY, PAGES))
    assert pages(quiet, SHIM_PATH).status == 404
