"""Rules of access hold in searches."""

from __future__ import annotations

from pathlib import Path

from click.testing import CliRunner

from archive.access import ACCESS_KEY
from archive.archive import Archive
from archive.article import Article
from archive.place import Place
from crawler.cli.articles import command


def test_what_may_not_be_shown_is_not_found_and_that_is_said(tmp_path: Path):
    with Archive.open(str(tmp_path)) as archive:
        for number in (1, 2):
            article = Article(
                f"https://news.example/{number}",
                title=f"Ferry {number}",
                text="A ferry sails.",
                captured_at="2026-11-21T00:00:00.000000Z",
            )
            archive.catalog.add([], [(f"urn:uuid:{number}", article, Place("articles/a.warc.gz", number, 1))])
    ask = ["ferry", "--archive", str(tmp_path)]
    assert CliRunner().invoke(command, ask).stdout.count("Ferry") == 2
    (tmp_path / ACCESS_KEY).write_text('[[access]]\nurl = "https://news.example/1"\naccess = "exclude"\n')
    told = CliRunner().invoke(command, ask)
    assert "Ferry 2" in told.stdout
    assert "Ferry 1" not in told.stdout
    assert "1 not shown: rules of access" in told.stderr
