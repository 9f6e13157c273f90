from __future__ import annotations

import json
from pathlib import Path

import pytest

from archive.replay import timemaps
from tests.replay.archives import LIBRARY, NEWS, Made, library

AT = ("2026-01-01T00:00:00Z", "2026-03-01T00:00:00Z", "2026-06-01T00:00:00Z")


def made(folder: Path) -> Made:
    archive = Made(folder)
    for at in AT:
        archive.response(at=at)
    return archive


def test_the_link_format_is_that_of_rfc_7089(tmp_path: Path) -> None:
    answer = library(made(tmp_path).site(), f"/web/timemap/link/{NEWS}")
    assert answer.header("Content-Type") == "application/link-format"
    assert answer.read().decode() == (
        f'<{LIBRARY}/web/timemap/link/{NEWS}>; rel="self"; type="application/link-format";'
        ' from="Thu, 01 Jan 2026 00:00:00 GMT"; until="Mon, 01 Jun 2026 00:00:00 GMT",\n'
        f'<{LIBRARY}/web/{NEWS}>; rel="timegate",\n'
        f'<{NEWS}>; rel="original",\n'
        f'<{LIBRARY}/web/20260101000000/{NEWS}>; rel="first memento"; datetime="Thu, 01 Jan 2026 00:00:00 GMT",\n'
        f'<{LIBRARY}/web/20260301000000/{NEWS}>; rel="memento"; datetime="Sun, 01 Mar 2026 00:00:00 GMT",\n'
        f'<{LIBRARY}/web/20260601000000/{NEWS}>; rel="last memento"; datetime="Mon, 01 Jun 2026 00:00:00 GMT"\n'
    )


def test_the_json_form_names_the_same(tmp_path: Path) -> None:
    value = json.loads(library(made(tmp_path).site(), f"/web/timemap/json/{NEWS}").read())
    assert value["original_uri"] == NEWS
    assert (value["from"], value["until"]) == ("2026-01-01T00:00:00Z", "2026-06-01T00:00:00Z")
    assert [one["uri"] for one in value["mementos"]["list"]] == [
        f"{LIBRARY}/web/{at}/{NEWS}" for at in ("20260101000000", "20260301000000", "20260601000000")
    ]
    assert value["timegate_uri"] == f"{LIBRARY}/web/{NEWS}"


def test_index_lines_are_a_timemap_too(tmp_path: Path) -> None:
    answer = library(made(tmp_path).site(), f"/web/timemap/cdxj/{NEWS}")
    assert answer.header("Content-Type") == "text/x-cdxj"
    assert len(answer.read().splitlines()) == 3


def test_what_was_never_captured_has_none(tmp_path: Path) -> None:
    site = made(tmp_path).site()
    assert library(site, "/web/timemap/link/https://news.example/never").status == 404
    wrong = library(site, f"/web/timemap/foo/{NEWS}")
    assert (wrong.status, wrong.read().decode().partition(";")[0]) == (400, "output=foo not supported")


def test_a_long_one_comes_in_parts_that_name_each_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timemaps, "PAGE_MEMENTOS", 2)
    site = made(tmp_path).site()
    first = library(site, f"/web/timemap/link/{NEWS}").read().decode()
    assert f'<{LIBRARY}/web/timemap/link/1/{NEWS}>; rel="self"' in first
    assert (
        f'<{LIBRARY}/web/timemap/link/2/{NEWS}>; rel="timemap"; type="application/link-format";'
        ' from="Mon, 01 Jun 2026 00:00:00 GMT"' in first
    )
    assert first.count('memento"; datetime') == 2
    second = library(site, f"/web/timemap/link/2/{NEWS}").read().decode()
    assert second.count('memento"; datetime') == 1
    assert library(site, f"/web/timemap/link/3/{NEWS}").status == 404
