"""Reports of real crawls of small sites: what they count, how they are kept, and what strangers may write into them."""

from __future__ import annotations

import json
import re
import sqlite3
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from lxml import html as lxml_html

from archive.archive import Archive
from archive.article import Article
from archive.errors import StorageError
from archive.extraction.learned import fingerprint
from archive.versions import changes
from crawler.cli.report import command
from crawler.exit_codes import ExitCode
from crawler.reports import pictures, words
from crawler.reports.building import ON_THE_PAGE, Built, Ending
from crawler.reports.observing import LONGEST, told, without_furniture
from crawler.reports.page import page as made_page
from crawler.reports.places import Place, places
from crawler.reports.tally import Tally
from crawler.reports.writing import Written, write_report
from tests.crawler.crawls import Crawl, article, page, reply
from tests.servers.raw_site import RawSite, running

OUT_OF_REACH = "429 Too Many Requests"


def report_of(crawl: Crawl, code: ExitCode = ExitCode.DONE, **ending: Any) -> Written:
    """Write the report of *crawl*, which has ended, as the command does."""
    tally = crawl.crawler.get_extension(Tally)
    assert tally is not None
    with opened(crawl) as archive:
        written = write_report(archive, tally, tally.spider.account, Ending(code, **ending))
    assert written is not None
    return written


def opened(crawl: Crawl) -> Archive:
    return Archive.open(str(crawl.folder / "archive"))


def missed(crawl: Crawl, place: Place) -> dict[str, dict[str, Any]]:
    lines = (crawl.folder / "archive" / place.key("skipped.jsonl")).read_text().splitlines()
    found = {line["url"].split("/", 3)[3]: line for line in map(json.loads, lines)}
    assert len(found) == len(lines)
    return found


def test_every_page_that_was_not_captured_is_told_with_its_reason(tmp_path: Path):
    links = [
        "/private/a-page-that-nobody-may-see",
        *map(article, range(4)),
        "/2001/01/02/what-happened-then",
        "/broken",
    ]
    crawl = Crawl(tmp_path, arguments={"since": "2026-01-01", "max_pages": 4})
    with running(RawSite({"/": page(links), **{article(number): page() for number in range(4)}})) as site:
        site.scripts["/robots.txt"] = reply("User-agent: *\nDisallow: /private/\n", "text/plain")
        site.scripts["/private/a-page-that-nobody-may-see"] = page()
        account = crawl.run(site)
        written = report_of(crawl)
        told_of = missed(crawl, written.place)
    assert {url: (line["outcome"], line["reason"]) for url, line in told_of.items()} == {
        "private/a-page-that-nobody-may-see": ("refused", told_of["private/a-page-that-nobody-may-see"]["reason"]),
        "2001/01/02/what-happened-then": ("skipped", "published before --since 2026-01-01"),
        article(3)[1:]: ("skipped", "the limit of 4 pages was reached"),
        "broken": ("skipped", "the limit of 4 pages was reached"),
    }
    assert "Disallow: /private/" in told_of["private/a-page-that-nobody-may-see"]["reason"]
    assert {line["via"] for line in told_of.values()} == {site.url("/")}
    assert all(line["when"].endswith("Z") and line["depth"] == 1 for line in told_of.values())
    whole = written.report["outcomes"]["whole"]
    assert whole == {**account.outcomes, "total": sum(account.outcomes.values())}
    assert whole["total"] == len(told_of) + whole["saved"]


def test_a_site_that_is_left_alone_is_told_and_the_next_run_tells_of_itself_and_the_whole(tmp_path: Path):
    crawl = Crawl(tmp_path)
    targets = [article(number) for number in range(3)]
    with running(RawSite({"/": page(targets)})) as site:
        busy = reply("", "text/plain", OUT_OF_REACH, "Retry-After: 7200")
        site.scripts |= dict.fromkeys(targets, busy)
        crawl.run(site)
        first = report_of(crawl, ExitCode.SOME_FAILED)
        (host,) = first.report["hosts"]
        assert "asks to be left alone for 7200 s" in host["left_alone"]
        assert first.report["run"]["ended_as"] == "put off"
        assert first.report["outcomes"]["whole"]["pending"] >= 3
        waiting = missed(crawl, first.place)
        assert {line["outcome"] for line in waiting.values()} == {"pending"}
        assert all("the site is left alone for now" in line["reason"] for line in waiting.values())
        site.scripts |= {target: page(title=target) for target in targets}
        crawl.run(site)
        second = report_of(crawl)
    run, outcomes = second.report["run"], second.report["outcomes"]
    assert (run["number"], run["without_report"], run["ended_as"]) == (2, 0, "finished")
    assert outcomes["whole"]["total"] == outcomes["run"]["total"] + first.report["outcomes"]["run"]["total"]
    assert second.place > first.place


def test_what_a_run_without_report_did_is_told_by_the_next(tmp_path: Path):
    crawl = Crawl(tmp_path)
    with running(RawSite({"/": page([article(0)])})) as site:
        site.scripts[article(0)] = reply("", "text/plain", OUT_OF_REACH, "Retry-After: 7200")
        crawl.run(site)  # and was killed before it could tell
        site.scripts[article(0)] = page()
        crawl.run(site)
        report = report_of(crawl).report
    assert report["run"]["without_report"] == 1
    assert report["outcomes"]["run"] == report["outcomes"]["whole"]
    assert report["outcomes"]["run"]["total"] >= 2


def test_a_report_that_cannot_be_shipped_is_shipped_after_the_next_crawl(tmp_path: Path):
    crawl = Crawl(tmp_path)
    obstacle = tmp_path / "archive" / "crawls"
    with running(RawSite({"/": page()})) as site:
        crawl.run(site)
        obstacle.write_text("no directory")
        first = report_of(crawl)
        assert not first.shipped
        assert isinstance(first.error, StorageError)
        obstacle.unlink()
        crawl.run(site)
        second = report_of(crawl)
    with opened(crawl) as archive:
        assert places(archive.storage) == sorted([first.place, second.place])
        assert second.shipped
        assert not list((archive.state_dir / "reports").glob("*/*"))


@pytest.fixture(scope="module")
def crawled(tmp_path_factory: pytest.TempPathFactory) -> Crawl:
    """A crawl of a site of one page, of which any number of reports may be made."""
    crawl = Crawl(tmp_path_factory.mktemp("crawled"))
    with running(RawSite({"/": page()})) as site:
        crawl.run(site)
    return crawl


def test_two_runs_that_began_in_one_second_have_reports_of_their_own(crawled: Crawl):
    assert report_of(crawled).place != report_of(crawled).place


def test_how_it_ended_is_told_when_it_did_not_end_well(crawled: Crawl):
    run = report_of(crawled, ExitCode.STORAGE, error="the bucket is gone").report["run"]
    assert (run["ended_as"], run["error"], run["exit_code"]) == ("failed", "the bucket is gone", 4)
    run = report_of(crawled, ExitCode.INTERRUPTED, interrupted=True).report["run"]
    assert (run["ended_as"], run["exit_meaning"]) == ("interrupted", "interrupted; state kept")


def test_the_page_needs_no_list_to_be_made(crawled: Crawl):
    report = report_of(crawled).report
    assert "pages asked for" in made_page(Built(report, {name: [] for name in report["articles"]}))


# ---- strangers' words

HOSTILE = "\u202e</title><script>alert(1)</script><img src=x onerror=alert(1)>\x1b[31m\x00\u2066{{ 7*7 }}"


def test_tens_of_thousands_of_changed_articles_leave_a_page_that_a_browser_opens(crawled: Crawl):
    before = Article("https://a.example/1", title="x" * 10_000_000, text=f"{HOSTILE} {'y' * 5000}")
    after = Article("https://a.example/1", title=HOSTILE + "z" * 10_000_000, text=HOSTILE * 3 + "\n\nMore of it.")
    detail = {"captured_at": HOSTILE, "kind": "article", "published": HOSTILE, "before": HOSTILE, "how": HOSTILE}
    detail = json.dumps({**detail, "by": HOSTILE, **told(changes(before, after))})
    tally = crawled.crawler.get_extension(Tally)
    assert tally is not None
    assert tally.frontier_path is not None
    with sqlite3.connect(tally.frontier_path) as db:
        for what, count in (("changed", 20_000), ("vanished", 300), ("hidden", 300)):
            rows = ((1, 1, what, "javascript:alert(1)" if n % 2 else "https://a.example/1", HOSTILE, detail)
                    for n in range(count))  # fmt: skip
            db.executemany("INSERT INTO observed (run, page, what, url, title, detail) VALUES (?, ?, ?, ?, ?, ?)", rows)
    db.close()
    written = report_of(crawled)
    folder = crawled.folder / "archive" / "crawls" / str(written.place)
    shown = (folder / "report.html").read_text(encoding="utf-8")
    assert len(shown) < 2_000_000
    assert f"Shown are the first {ON_THE_PAGE} of 20,000" in shown
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f\u202a-\u202e\u2066-\u2069]", shown)
    document = lxml_html.fromstring(shown)
    assert not document.xpath("//script | //img | //iframe | //link | //*[@style] | //@*[starts-with(name(), 'on')]")
    assert {address.partition(":")[0] for address in document.xpath("//a/@href") if address[0] != "#"} == {
        "http",
        "https",
    }
    assert len(document.xpath("//*[@id = 'changed']/following-sibling::ul[1]/li")) == ON_THE_PAGE
    assert "49" not in document.xpath("string(//*[@id = 'changed']/following-sibling::ul[1])")
    raw = (folder / "report.json").read_bytes()
    assert raw.count(b"\n") == 1
    assert not re.search(rb"[\x00-\x09\x0b-\x1f]", raw)
    assert raw.count(b'"fields"') == 20_000 + 600


def test_what_is_kept_of_a_change_is_cut_and_begins_where_it_differs():
    common = "The same words again and again. " * 40
    one, other = (
        Article("https://a.example/1", text=f"{common}{end}") for end in ("Then four votes.", "Then five votes.")
    )
    (rewritten,) = told(changes(one, other))["text"]["changed"]
    assert "Then four votes." in rewritten["before"]
    assert "Then five votes." in rewritten["after"]
    assert max(map(len, rewritten.values())) <= LONGEST + 10


# ---- pictures and words


def test_every_picture_has_its_name_and_its_words():
    days = {f"20{year}-0{1 + day % 9}-{10 + day % 19}": day for year in range(14, 27) for day in range(1, 20)}
    some = [pictures.calendar({"2026-11-21": 3, "2026-11-22": 1}), pictures.calendar(days)]
    some += [
        pictures.parts_of("Outcomes", [("saved", 4), ("failed", 1)]),
        pictures.columns("Latency", [("≤ 5 min", 3)]),
    ]
    for picture in some:
        assert picture is not None
        drawn = lxml_html.fragment_fromstring(str(picture))
        name, told_as = drawn.get("aria-labelledby").split()
        assert drawn.xpath(f"string(//*[@id = '{name}'])")
        assert re.search(r"\d", drawn.xpath(f"string(//*[@id = '{told_as}'])"))
    assert pictures.calendar({}) is None
    assert pictures.calendar({"no day": 1}) is None


def test_days_without_end_do_not_make_a_picture_without_end():
    days = {f"{year:04d}-01-01": 1 for year in range(1, 9999)}
    assert len(str(pictures.calendar(days))) < 200_000


def test_levels_keep_apart_the_few_days_with_very_many():
    assert pictures.levels([1] * 60 + [5] * 30 + [9] * 8 + [400, 500]) == [1, 5, 500]
    assert pictures.levels([7]) == [7]


@pytest.mark.parametrize(
    ("seconds", "said"), [(40, "40 s"), (720, "12 min"), (300.04, "5 min"), (9000, "2.5 h"), (200_000, "2.3 days")]
)
def test_durations_are_said_as_people_say_them(seconds: float, said: str):
    assert words.span(seconds) == said


def test_the_headline_says_what_matters_first():
    pages = {"asked": 4812, "kept": 4790, "failed": 12}
    articles = {"new": 31, "changed": 4, "vanished": 1}
    assert words.headline({"pages": pages, "articles": articles}) == (
        "4,812 pages asked for, 4,790 kept, 12 failed; 31 new articles, 4 changed, 1 vanished"
    )


# ---- the command


def test_the_command_prints_lists_and_says_what_there_is_not(tmp_path: Path):
    crawl = Crawl(tmp_path)
    archive = ("--archive", str(tmp_path / "archive"))

    def run(*arguments: str, code: int = 0) -> str:
        ran = CliRunner().invoke(command, [*arguments, *archive], standalone_mode=False)
        assert (ran.exception is not None) == (code != 0), ran.output
        return str(ran.exception) if code else ran.output

    with running(RawSite({"/": page([article(0), "/missing"]), article(0): page()})) as site:
        crawl.run(site)
        assert "there is no report at all; newswarc crawl SPIDER leaves one" in run(code=1)
        first = report_of(crawl)
        crawl.run(site)
        second = report_of(crawl)
    assert [line.split()[0] for line in run("--list").splitlines()] == [str(first.place), str(second.place)]
    listed = [json.loads(line) for line in run("--list", "--json").splitlines()]
    assert [one["crawl"] for one in listed] == [str(first.place), str(second.place)]
    for named in ((), ("generic",), (str(second.place),)):
        assert json.loads(run(*named, "--json"))["crawl"] == str(second.place)
    assert json.loads(run(str(first.place), "--json"))["crawl"] == str(first.place)
    said = run()
    assert "pages asked for" in said.splitlines()[0]
    assert "saved: the server answered 404" in said
    assert said.splitlines()[-1].endswith(f"{second.place}/report.html")
    assert "there is no report of daily" in run("daily", code=1)
    assert "exclude one another" in run("--list", "--open", code=2)
    assert Counter(json.loads(line)["outcome"] for line in run("--skipped").splitlines()) == {}


def test_a_note_of_a_correction_is_an_edit_under_however_many_articles_it_stands():
    note, furniture = "This article has been corrected since it was published.", "Join us for tea in the harbour hall."
    marks = [fingerprint(note), fingerprint(furniture)]
    detail = {
        "fields": {},
        "paragraphs": {"added": 2, "removed": 0},
        "text": {"added": [note, furniture]},
        "marks": {"added": marks, "removed": []},
    }
    assert without_furniture(detail, frozenset(mark for mark in marks if mark))
    assert detail == {"fields": {}, "paragraphs": {"added": 1, "removed": 0}, "text": {"added": [note]}}
