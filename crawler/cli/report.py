"""``newswarc report [CRAWL]``"""

from __future__ import annotations

import shutil
import sys
import tempfile
import webbrowser
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from crawler.cli.options import common, open_archive
from crawler.cli.terminal import print_bytes, print_json, print_line
from crawler.config import Config

if TYPE_CHECKING:
    from archive.storage import Storage
    from crawler.reports.places import Place

SHOWN = 10  # of each list, on a terminal
LONGEST = 160  # characters of a title or reason
READ_BYTES = 1 << 20


@click.command("report")
@click.argument("crawl", required=False)
@click.option("--list", "listing", is_flag=True, help="The crawls that left a report, the latest last.")
@click.option("--open", "opening", is_flag=True, help="Open its page in a browser.")
@click.option("--skipped", is_flag=True, help="Every page that is known and was not captured, and why: skipped.jsonl.")
@click.option("--json", "as_json", is_flag=True, help="report.json; with --list one object a crawl.")
@common
def command(
    settings: Config, quiet: bool, crawl: str | None, listing: bool, opening: bool, skipped: bool, as_json: bool
) -> None:
    """What a crawl did: in words, as JSON, or as a page with pictures.

    CRAWL is the name of a job or spider, or one run of it as --list writes it, moscow_times/20261121204800; without it
    the latest of all crawls is told of.
    """
    from crawler.reports.places import REPORT, SKIPPED, find, places, read

    if listing + opening + skipped > 1:
        raise click.UsageError("--list, --open and --skipped exclude one another")
    with open_archive(settings) as archive:
        storage = archive.storage
        if listing:
            for place in places(storage, (crawl or "").partition("/")[0] or None):
                _list(storage, place, as_json=as_json)
            return
        place = find(storage, crawl)
        if skipped:
            _copy(storage, place.key(SKIPPED))
        elif as_json:
            _copy(storage, place.key(REPORT))
        elif opening:
            _open(storage, place, quiet=quiet)
        else:
            for line in summary(read(storage, place), settings.archive, place):
                print_line(line)


def _list(storage: Storage, place: Place, *, as_json: bool) -> None:
    from crawler.reports import words
    from crawler.reports.places import read

    report = read(storage, place)
    if as_json:
        kept = ("schema", "crawl", "run", "pages", "articles")
        print_json({name: report[name] for name in kept if name in report})
        return
    ended = "" if report["run"]["ended_as"] == "finished" else f"; {report['run']['ended_as']}"
    print_line(f"{place}  {words.headline(report)}{ended}")


def _copy(storage: Storage, key: str) -> None:
    with storage.open(key) as stream:
        while piece := stream.read(READ_BYTES):
            print_bytes(piece)


def _open(storage: Storage, place: Place, *, quiet: bool) -> None:
    """Open the page in a browser: the archive's own file, or of a bucket a copy."""
    from archive.storage.local import LocalStorage
    from crawler.reports.places import PAGE

    key = place.key(PAGE)
    if isinstance(storage, LocalStorage):
        path = (storage.root / key).resolve()
    else:
        path = Path(tempfile.mkdtemp(prefix="newswarc-report-")) / f"{place.job}-{place.start}.html"
        with storage.open(key) as stream, path.open("wb") as file:
            shutil.copyfileobj(stream, file)
    opened = webbrowser.open(path.as_uri())
    if not quiet or not opened:
        sys.stderr.write(f"{path}\n" if opened else f"no browser could be started; the page is {path}\n")


def summary(report: Mapping[str, Any], location: str, place: Place) -> list[str]:
    """Return the report in the lines of a terminal."""
    from crawler.reports import words
    from crawler.reports.places import PAGE

    run, coverage, latency = report["run"], report["coverage"], report["latency_s"]
    lines = [
        f"{run['job']}, {words.moment(run['started'])}: {words.headline(report)}",
        f"  {words.ending(run)}",
    ]
    if run["error"]:
        lines.append(f"  {_short(run['error'])}")
    lines.append(
        f"  {words.count(report['requests']['total'], 'request')}, {words.size(report['requests']['stored_bytes'])}"
        f" stored; {words.count(len(report['hosts']) + report['hosts_left_out'], 'host')}"
    )
    whole = ", ".join(f"{n:,} {name}" for name, n in report["outcomes"]["whole"].items() if name != "total")
    lines.append(f"  the crawl so far: {words.count(report['outcomes']['whole']['total'], 'page')}: {whole}")
    if coverage["listed"]:
        lines.append(
            f"  of {words.count(coverage['listed'], 'page')} in feeds and sitemaps {coverage['captured']:,} are"
            f" captured, {coverage['extracted']:,} read"
        )
    if latency["articles"]:
        lines.append(
            f"  from a feed's time of publication to capture: half within {words.span(latency['median'])}, nine of ten"
            f" within {words.span(latency['p90'])} ({words.count(latency['articles'], 'article')})"
        )
    for name, title in (
        ("changed", "changed"),
        ("vanished", "vanished"),
        ("returned", "returned"),
        ("hidden", "hidden"),
    ):
        lines += _listed(report, name, title)
    lines += [f"  {_short(_drift(drift))}" for drift in report["drift"]]
    reasons = report["reasons"]
    lines += ["", "not captured, or not well:"] if reasons else []
    lines += [f"  {_reason(one)}" for one in reasons[:SHOWN]]
    if (more := len(reasons) - SHOWN + report["reasons_left_out"]) > 0:
        lines.append(f"  and {more:,} other {'reason' if more == 1 else 'reasons'}")
    return [*lines, "", f"page: {location.rstrip('/')}/{place.key(PAGE)}"]


def _listed(report: Mapping[str, Any], name: str, title: str) -> list[str]:
    from crawler.reports import words

    count = report["articles"].get(name, 0)
    if not count:
        return []
    lines = ["", f"{title}:"]
    for item in report[name][:SHOWN]:
        why = (
            words.change(item)
            if name == "changed"
            else item.get("how") or words.HIDDEN.get(item.get("by"), item.get("by")) or ""
        )
        heading = item.get("fields", {}).get("title")
        named = f"{heading['before']} → {heading['after']}" if heading else item["title"] or "(no headline)"
        lines += [f"  {_short(named)}{': ' + _short(why) if why else ''}", f"    {_short(item['url'])}"]
    if count > SHOWN:
        lines.append(f"  and {count - SHOWN:,} more: --json, --open")
    return lines


def _reason(reason: Mapping[str, Any]) -> str:
    why = f": {_short(reason['reason'])}" if reason["reason"] else ""
    return f"{reason['pages']:,} {reason['outcome']}{why}: {_short(reason['url'])}"


def _drift(drift: Mapping[str, Any]) -> str:
    return (
        f"{drift['host']}: since {drift['since']} {drift['what']} of articles is not read as before: the site may have"
        " been redesigned"
    )


def _short(text: str | None) -> str:
    text = text or ""
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"
