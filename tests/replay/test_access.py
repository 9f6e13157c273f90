"""Rules of access: what they say, and that they hold wherever a capture could be seen."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from archive.access import Access, AccessError, read_rules
from archive.export.permit import may_go_out
from archive.replay import site as site_module
from archive.storage.local import LocalStorage
from tests.archive.indexed import put
from tests.replay.archives import NEWS, Made, library, pages

NOW = datetime(2026, 7, 1, tzinfo=UTC)
THEN = datetime(2026, 3, 15, tzinfo=UTC)


def rules(text: str) -> Access:
    return read_rules(text.encode())


def rule(url: str, access: str = "block", more: str = "") -> str:
    return f'[[access]]\nurl = "{url}"\naccess = "{access}"\n{more}\n'


@pytest.mark.parametrize(
    ("of", "url", "holds"),
    [
        ("https://news.example/2026/", "http://www.news.example/2026/a", True),
        ("https://news.example/2026/", "https://news.example/2026", True),
        ("https://news.example/2026", "https://news.example/2026?x=1", True),
        ("https://news.example/2026", "https://news.example/20261", False),
        ("https://news.example/2026*", "https://news.example/20261", True),
        ("https://news.example/", "https://sub.news.example/", False),
        ("*.news.example", "https://sub.news.example/x", True),
        ("*.news.example", "https://news.example:8080/x", True),
        ("*.news.example", "https://newsy.example/", False),
        ("*", "https://anything.example/", True),
    ],
)
def test_a_rule_holds_below_its_address(of: str, url: str, holds: bool) -> None:
    assert rules(rule(of)).verdict(url, THEN, NOW).shown is not holds


def test_an_exact_rule_holds_for_one_address_alone() -> None:
    access = rules(rule("https://news.example/a", more='match = "exact"'))
    assert not access.verdict("https://news.example/a", THEN).shown
    assert access.verdict("https://news.example/a/b", THEN).shown


def test_the_most_specific_rule_decides_whatever_its_place() -> None:
    access = rules(
        rule("*", "exclude") + rule("https://news.example/", "block") + rule("https://news.example/free/", "allow")
    )
    assert access.verdict("https://other.example/", THEN).kind == "exclude"
    assert access.verdict("https://news.example/a", THEN).kind == "block"
    assert access.verdict("https://news.example/free/a", THEN).shown


def test_a_rule_of_dates_holds_within_them() -> None:
    access = rules(rule("*", "block", "since = 2026-03-01\nuntil = 2026-04-01"))
    days = [(datetime(2026, 2, 28, 23, 59, tzinfo=UTC), True), (datetime(2026, 3, 1, tzinfo=UTC), False)]
    for day, shown in [*days, (datetime(2026, 4, 1, tzinfo=UTC), True)]:
        assert access.verdict("https://a.example/", day, NOW).shown is shown


def test_an_embargo_ends_by_age() -> None:
    access = rules(rule("*", "embargo", "days = 30"))
    assert access.verdict("https://a.example/", NOW - timedelta(days=31), NOW).shown
    young = access.verdict("https://a.example/", NOW - timedelta(days=29), NOW)
    assert (young.shown, young.listed, young.until) == (False, False, NOW + timedelta(days=1))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[[access", "TOML"),
        ("[rules]\n", "rules"),
        (rule("*", "forbid"), "forbid"),
        ('[[access]]\naccess = "block"\n', "no url"),
        (rule("*", "embargo"), "days"),
        (rule("*", "block", "days = 3"), "days"),
        (rule("*", "block", "until = 'soon'"), "soon"),
        (rule("*", "block", "untill = 2026-01-01"), "untill"),
        (rule("*", "block", "match = 'host'"), "host"),
    ],
)
def test_rules_that_cannot_be_understood_are_refused(text: str, message: str) -> None:
    with pytest.raises(AccessError, match=message):
        rules(text)


# ---- where they hold

BLOCKED = rule(NEWS, "block", 'until = 2026-02-01\nreason = "By order of a court."')


def two(folder: Path) -> Made:
    made = Made(folder)
    made.response(body=b"the early secret")
    made.response(at="2026-06-01T00:00:00Z", body=b"later")
    return made


@pytest.mark.parametrize("modifier", ["", "id_", "bn_", "if_", "im_"])
@pytest.mark.parametrize("prefer", ["", "raw", "banner-only"])
def test_a_blocked_capture_has_a_tombstone_in_every_form(tmp_path: Path, modifier: str, prefer: str) -> None:
    site = two(tmp_path).site(BLOCKED)
    for ask in (library, pages):
        for destination in ("", "document", "iframe", "image"):
            answer = ask(site, f"/web/20260101000000{modifier}/{NEWS}", prefer=prefer, sec_fetch_dest=destination)
            assert answer.status in {307, 451}
            assert b"secret" not in answer.read()
    told = library(site, f"/web/20260101/{NEWS}", accept="text/html")
    assert (told.status, b"By order of a court." in told.read()) == (451, True)
    assert library(site, f"/web/20260601/{NEWS}").read() == b"later"


def test_a_blocked_capture_is_no_memento_and_is_marked_in_cdx(tmp_path: Path) -> None:
    site = two(tmp_path).site(BLOCKED)
    assert b"20260101" not in library(site, f"/web/timemap/link/{NEWS}").read()
    assert "20260101" not in (library(site, f"/web/20260601/{NEWS}").header("Link") or "")
    rows = [json.loads(line) for line in library(site, f"/cdx?url={NEWS}&output=json").read().splitlines()]
    assert [row.get("access") for row in rows] == ["block", None]
    assert b"By order of a court." in library(site, f"/web/*/{NEWS}").read()


@pytest.mark.parametrize("kind", ["exclude", "embargo"])
def test_what_is_excluded_is_as_if_it_were_not_there(tmp_path: Path, kind: str) -> None:
    text = rule("https://news.example/", kind, "days = 900000" if kind == "embargo" else "")
    site = two(tmp_path).site(text)
    absent = library(site, f"/web/2026/{NEWS}x")
    answer = library(site, f"/web/2026/{NEWS}")
    assert answer.status == absent.status == 404
    assert answer.read().replace(NEWS.encode(), b"") == absent.read().replace(NEWS.encode() + b"x", b"")
    assert library(site, f"/web/{NEWS}").status == 404
    assert library(site, f"/web/timemap/link/{NEWS}").status == 404
    assert library(site, f"/cdx?url={NEWS}").read() == b""
    assert library(site, f"/web/*/{NEWS}").status == 404
    assert b"2 captures" not in library(site, f"/?url={NEWS}").read()


def test_a_rule_added_holds_while_the_server_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(site_module, "ACCESS_REFRESH_S", -1.0)
    site = two(tmp_path).site()
    assert library(site, f"/web/2026/{NEWS}").status == 200
    put(LocalStorage(tmp_path), "access.toml", BLOCKED.encode())
    assert library(site, f"/web/2026/{NEWS}").status == 451
    put(LocalStorage(tmp_path), "access.toml", b"[[[")  # what cannot be read opens nothing
    assert library(site, f"/web/2026/{NEWS}").status == 451


def test_a_server_does_not_start_with_rules_it_cannot_read(tmp_path: Path) -> None:
    with pytest.raises(AccessError):
        two(tmp_path).site("[[[")


def test_what_may_not_be_shown_does_not_leave_the_archive(tmp_path: Path) -> None:
    archive = two(tmp_path).site(BLOCKED).archive
    assert [may_go_out(archive, capture) for capture in archive.captures(NEWS)] == [False, True]
