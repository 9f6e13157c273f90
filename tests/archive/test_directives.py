"""What a page asks of robots, in its head and in its markup."""

from __future__ import annotations

import pytest

from archive.directives import forbids_archiving, of_headers, of_markup


@pytest.mark.parametrize(
    ("values", "found"),
    [
        ([], []),
        (["noarchive"], ["noarchive"]),
        (["NoIndex, NOARCHIVE"], ["noindex", "noarchive"]),
        (["noindex", "noarchive, noindex"], ["noindex", "noarchive"]),
        (["googlebot: noarchive, nosnippet"], ["googlebot: noarchive", "googlebot: nosnippet"]),
        (["newswarc: noarchive"], ["newswarc: noarchive"]),
        (["*: noarchive"], ["noarchive"]),
        (
            ["unavailable_after: Wed, 25 Jun 2026 15:00:00 PST"],
            ["unavailable_after: wed, 25 jun 2026 15:00:00 pst"],
        ),
        (
            ["otherbot: noindex, unavailable_after: 25 Jun 2026 15:00:00 PST"],
            ["otherbot: noindex", "otherbot: unavailable_after: 25 jun 2026 15:00:00 pst"],
        ),
        (["max-snippet:50, max-image-preview: large"], ["max-snippet:50", "max-image-preview: large"]),
        ([" , ;"], []),
    ],
)
def test_fields(values: list[str], found: list[str]) -> None:
    assert of_headers(values) == found


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ('<meta name="robots" content="noarchive">', ["noarchive"]),
        ("<META CONTENT='noindex,NOARCHIVE' NAME=ROBOTS>", ["noindex", "noarchive"]),
        ('<meta name="googlebot" content="noarchive"/>', ["googlebot: noarchive"]),
        ('<meta name="newswarc" content="noarchive">', ["newswarc: noarchive"]),
        ('<meta property="og:title" content="noarchive"><meta name="description" content="noarchive">', []),
        ('<meta name="robots" content="max-image-preview:large">', ["max-image-preview:large"]),
        ('<meta name="robots">', []),
        ("<p>noarchive</p>", []),
        ("x" * 70_000 + '<meta name="robots" content="noarchive">', []),
    ],
)
def test_markup(source: str, found: list[str]) -> None:
    assert of_markup(source) == found


@pytest.mark.parametrize(
    ("directives", "forbidden"),
    [
        ([], False),
        (["noarchive"], True),
        (["newswarc: noarchive"], True),
        (["googlebot: noarchive", "noindex"], False),
        (["none"], False),
    ],
)
def test_whose_noarchive_it_is(directives: list[str], forbidden: bool) -> None:
    assert forbids_archiving(directives) is forbidden


def test_no_flood_of_them_is_kept() -> None:
    assert len(of_headers(f"bot{number}: noarchive" for number in range(1000))) == 50
    assert max(map(len, of_headers(["x" * 5000]))) == 200
