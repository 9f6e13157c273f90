"""The first publication, archived by the command: served from elsewhere, and as itself through a proxy."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.news import answer
from tests.command import Command
from tests.servers.raw_site import RawSite, running

DATA = Path(__file__).parents[2] / "../shared/data/moscow_times"
ADDRESSES = {
    "a24008": "/2013/05/15/obama-seeks-missile-defense-deal-with-putin-a24008",
    "a87210": "/2024/12/03/northern-port-reopens-after-three-week-ice-closure-a87210",
    "a87220": "/2024/12/05/why-the-ice-matters-a87220",
}
FURNITURE = ("Related articles", "Remind me later", "undesirable", "support us", "A Message from", "Dear readers")


def variants() -> list[str]:
    return sorted(path.stem for path in DATA.glob("*.html"))


@pytest.mark.skipif(not DATA.is_dir(), reason="../shared/data/moscow_times is not there")
@pytest.mark.parametrize("served", ["elsewhere", "as itself"])
def test_every_variant_gives_its_article_and_nothing_else(served: str, tmp_path: Path) -> None:
    gold = json.loads((DATA / "gold.json").read_text(encoding="utf-8"))
    for variant in variants():
        folder = tmp_path / variant
        folder.mkdir()
        command = Command(folder)
        wanted = gold[variant.partition("_")[0]]
        address = ADDRESSES[variant.partition("_")[0]]
        page = answer((DATA / f"{variant}.html").read_bytes())
        url = f"http://www.themoscowtimes.com{address}"
        with running(RawSite({address: page, url: page})) as site:
            if served == "as itself":
                command.variables |= {
                    "NEWSWARC_PROXY": f"http://127.0.0.1:{site.port}",
                    "NEWSWARC_TRUST_PROXY": "1",
                }
            else:
                url = site.url(address)
            (row,) = command.run("archive", "--json", "--no-requisites", "--robots", "ignore", url).rows
        assert row["title"] == wanted["title"], variant
        (found,) = command.run("articles", "--json").rows
        check(found, wanted, variant)
        if served == "as itself":
            assert found["article_id"] == variant.partition("_")[0]
            assert found["extractor"]["rules"].startswith("moscow_times/")
        shown = command.run("show", url, "--format", "md").out.decode()
        assert shown.startswith(f"{wanted['title']}\n\nBy ")
        assert "Original url:\n\n<" in shown


def check(found: dict[str, Any], wanted: dict[str, Any], variant: str) -> None:
    assert found["title"] == wanted["title"], variant
    assert found["authors"] == wanted["authors"], variant
    assert found["published"][:10] == wanted["published"][:10], variant
    assert found["text"].split("\n\n") == wanted["body"], variant
    if not variant.startswith("a24008__rel-none"):  # whose related list was left out
        assert [item["title"] for item in found["related"]] == wanted.get("related", []), variant
    assert not [phrase for phrase in FURNITURE if phrase.lower() in found["text"].lower()], variant
