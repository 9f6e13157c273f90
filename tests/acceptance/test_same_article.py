"""One article at every address it may have, archived by the command, beside copies and what only looks like it."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.acceptance.news import answer, article_html
from tests.archive.test_groups import make_earlier
from tests.command import Command
from tests.servers.raw_site import RawSite, running

STORY = "/2026/story"


class Published:
    """A publication on one address of this machine, an agency on another, and an archive of their pages."""

    def __init__(self, folder: Path, site: RawSite, agency: RawSite) -> None:
        self.command = Command(folder)
        self.site, self.agency = site, agency
        self.story = site.url(STORY)
        head = f'<link rel="canonical" href="{self.story}">'
        page = self.page(
            1, f'{head}<link rel="amphtml" href="{STORY}/amp"><link rel="alternate" hreflang="ru" href="/ru/story">'
            f'<link rel="alternate" type="application/rss+xml" href="/rss">'
        )  # fmt: skip
        agency_copy = page.replace(b"<h1>", b"<p>CAPITAL, Thursday.</p><h1>").replace(head.encode(), b"")
        self.urls = {
            "story": self.story,
            "utm": f"{self.story}?utm_source=mail&utm_medium=x",
            "amp": f"{self.story}/amp",
            "print": f"{self.story}?print=1",
            "ru": site.url("/ru/story"),
            "decoy": site.url("/2026/decoy"),
            "other": site.url("/2026/other"),
            "agency": agency.url("/wire/99", host="127.0.0.2"),
        }
        site.scripts |= {
            target: answer(body)
            for target, body in {
                STORY: page,
                f"{STORY}?utm_source=mail&utm_medium=x": page,
                f"{STORY}/amp": self.page(1, head, paragraphs=7).replace(b"<html ", b"<html amp "),
                f"{STORY}?print=1": self.page(1, head),
                "/ru/story": self.page(5, f'<link rel="alternate" hreflang="en" href="{STORY}">', language="ru"),
                "/2026/decoy": self.page(2, head),
                "/2026/other": self.page(3, f'<link rel="canonical" href="{site.url("/")}">'),
            }.items()
        }
        agency.scripts["/wire/99"] = answer(agency_copy.replace(b"alternate", b"other").replace(b"amphtml", b"other"))

    @staticmethod
    def page(number: int, head: str, *, paragraphs: int = 8, language: str = "en") -> bytes:
        page = article_html(number, paragraphs).replace(b'lang="en"', f'lang="{language}"'.encode())
        return page.replace(b"</head>", f"{head}</head>".encode())

    def archive(self, *names: str) -> None:
        chosen = names or tuple(self.urls)
        self.command.run("archive", "--no-requisites", *(self.urls[name] for name in chosen))

    def groups(self) -> dict[str, set[str]]:
        """Return the names of the addresses listed, by group."""
        named = {url: name for name, url in self.urls.items()}
        found: dict[str, set[str]] = {}
        for row in self.command.run("articles", "--json", "--limit", "100").rows:
            found.setdefault(row["group"], set()).add(named[row["url"]])
        return found

    def same_as(self, name: str) -> dict[str, tuple[str, float | None]]:
        named = {url: name for name, url in self.urls.items()}
        shown = json.loads(self.command.run("show", self.urls[name], "--format", "json").out)
        assert all(set(one) == {"url", "reason", "similarity", "language", "via"} for one in shown["same_as"])
        return {named[one["url"]]: (one["reason"], one["similarity"]) for one in shown["same_as"]}


@pytest.fixture
def published(tmp_path: Path) -> Iterator[Published]:
    with running(RawSite()) as site, running(RawSite(), "127.0.0.2") as agency:
        yield Published(tmp_path, site, agency)


def test_the_addresses_of_an_article_are_grouped_and_not_merged(published: Published) -> None:
    published.archive()
    same = published.story.removeprefix("http://")
    groups = published.groups()
    # The address with utm_source is the same page, of which it is the newest version.
    assert {frozenset(names) for names in groups.values()} == {
        frozenset({"utm", "amp", "print", "agency"}),
        frozenset({"ru"}),
        frozenset({"decoy"}),
        frozenset({"other"}),
    }
    assert groups[same] == {"utm", "amp", "print", "agency"}
    reasons = published.same_as("story")
    assert {name: reason for name, (reason, _) in reasons.items()} == {
        "story": "same-address",
        "amp": "amp",
        "print": "print",
        "agency": "near-copy",
        "ru": "language",
    }
    assert reasons["print"][1] == 1.0
    assert 0.8 < (reasons["amp"][1] or 0) < 1
    assert 0.8 < (reasons["agency"][1] or 0) <= 1
    assert reasons["ru"][1] is None
    assert {name: reason for name, (reason, _) in published.same_as("ru").items()} == dict.fromkeys(
        ("story", "utm", "amp", "print", "agency"), "language"
    )
    assert published.same_as("decoy") == published.same_as("other") == {}


def test_grouped_gives_one_line_a_group(published: Published) -> None:
    published.archive()
    rows = published.command.run("articles", "--grouped", "--json").rows
    assert sorted(row["copies"] for row in rows) == [1, 1, 1, 5]
    assert len({row["group"] for row in rows}) == 4
    out = published.command.run("articles", "--grouped").out.decode()
    assert out.count("http://") == 4
    assert out.count("(5 copies)") == 1
    assert len(published.command.run("articles", "--json").rows) == 7
    assert len(published.command.run("articles", "--grouped", "--limit", "2", "--json").rows) == 2


@pytest.mark.parametrize("form", ["/amp", "?amp=1", "?utm_campaign=y", "?print=1", "/", "#comments"])
def test_an_article_is_shown_when_asked_for_by_another_form(published: Published, form: str) -> None:
    published.archive("story", "decoy")
    shown = published.command.run("show", published.story + form, "--format", "json")
    assert json.loads(shown.out)["url"] == published.story
    assert (f"this is {published.story}\n" in shown.err) is (form != "#comments")
    raw = published.command.run("show", published.story + form, "--format", "raw")
    assert b"<h1>" in raw.out
    assert published.command.run("show", published.story + form, "--quiet").err == ""


def test_what_is_archived_itself_is_shown_itself(published: Published) -> None:
    published.archive("amp", "story")
    shown = published.command.run("show", published.urls["amp"], "--format", "json")
    assert json.loads(shown.out)["url"] == published.urls["amp"]
    assert shown.err == ""


def test_a_rebuild_gives_the_same_groups_and_an_upgrade_too(published: Published) -> None:
    published.archive("agency", "amp")
    published.archive("decoy", "ru", "utm", "print", "other")
    published.archive("story")
    groups, same = published.groups(), published.same_as("agency")
    assert len(groups) == 4
    published.command.run("verify", "--deep")
    catalog = published.command.path / ".newswarc" / "catalog.sqlite"
    make_earlier(catalog)
    assert (published.groups(), published.same_as("agency")) == (groups, same)
    published.command.run("verify", "--deep")
    for path in catalog.parent.glob("catalog.sqlite*"):
        path.unlink()
    published.command.run("index", "rebuild")
    assert (published.groups(), published.same_as("agency")) == (groups, same)


def test_a_catalogue_whose_claims_are_lost_is_found_and_made_again(published: Published) -> None:
    published.archive("story", "amp")
    with closing(sqlite3.connect(published.command.path / ".newswarc" / "catalog.sqlite")) as db:
        db.execute("DELETE FROM claims")
        db.commit()
    assert b"its claims are not those of its articles" in published.command.run("verify", "--deep", code=5).out
    published.command.run("index", "rebuild")
    published.command.run("verify", "--deep")
    assert len(published.groups()) == 1
