"""``newswarc articles [QUERY]``"""

from __future__ import annotations

import logging
import sys
from datetime import UTC, datetime
from typing import Any

import click

from archive.access import rules_of
from archive.article import Article
from archive.capture import parse_iso
from archive.catalog.query import QueryError
from crawler.cli.options import common, open_archive
from crawler.cli.terminal import print_json, print_line
from crawler.cli.times import Time
from crawler.config import Config

log = logging.getLogger(__name__)


@click.command("articles")
@click.argument("query", nargs=-1, metavar="[QUERY]")
@click.option("--publisher", help="Only of this publication.")
@click.option("--author", help="Only by this author.")
@click.option("--section", help="Only of this section.")
@click.option("--since", type=Time(), help="Published at that time or later.")
@click.option("--until", type=Time(), help="Published before that time.")
@click.option("--as-of", type=Time(), help="As the archive knew them then.")
@click.option("--limit", type=click.IntRange(1, 1_000_000), default=20, show_default=True)
@click.option("--grouped", is_flag=True, help="The copies of an article in one line, with their number.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object an article.")
@common
def command(
    settings: Config,
    quiet: bool,
    query: tuple[str, ...],
    publisher: str | None,
    author: str | None,
    section: str | None,
    since: datetime | None,
    until: datetime | None,
    as_of: datetime | None,
    limit: int,
    grouped: bool,
    as_json: bool,
) -> None:
    """Search the archive's articles; newest first without a query.

    \b
    ferry harbour      both words          "night ferry"     the phrase
    ferry OR boat      either              harb* -council    beginnings; without that word
    title:ferry        in one field: title, author, section, tag, description, text

    Times are written 2026-11-21, 2026-11-21T20:48:00Z or 20261121204800.
    """
    with open_archive(settings) as archive:
        try:
            search = archive.catalog.grouped if grouped else archive.catalog.articles
            hits = search(
                " ".join(query) or None,
                publisher=publisher,
                author=author,
                section=section,
                since=since,
                until=until,
                as_of=as_of,
                limit=limit,
            )
        except QueryError as error:
            raise click.UsageError(str(error)) from error
        shown = rules_of(archive.storage).shown((hit.article.url, _captured_at(hit.article)) for hit in hits)
        kept_back = shown.count(False)
        hits = [hit for hit, may_be in zip(hits, shown, strict=True) if may_be]
        if as_json and not grouped:
            hits = archive.catalog.in_groups(hits)
        for hit in hits:
            article, group = hit.article, hit.group
            if as_json:
                words = str(hit.snippet) if hit.snippet else None
                told: dict[str, Any] = {"snippet": words, "group": group and group.id}
                if grouped:
                    told["copies"] = len(group.urls) if group else 1
                print_json({**article.to_json(), **told})
                continue
            day = (article.published or article.captured_at or "")[:10]
            by = f" — {', '.join(article.authors)}" if article.authors else ""
            print_line(f"{day}  {article.title or '(no title)'}{by}")
            more = f"  ({len(group.urls)} copies)" if group and len(group.urls) > 1 else ""
            print_line(f"            {article.url}{more}")
            if hit.snippet:
                print_line(f"            {' '.join(str(hit.snippet).split())}")
        if missing := archive.uncatalogued():
            log.warning(
                "%s: the catalogue here lacks %d WARC files; run: newswarc index rebuild", settings.archive, missing
            )
    if quiet:
        return
    if kept_back:
        sys.stderr.write(f"{kept_back} not shown: rules of access\n")
    if not hits:
        sys.stderr.write("no article found\n")
    elif len(hits) + kept_back == limit:
        sys.stderr.write(f"the first {limit}; for more give --limit\n")


def _captured_at(article: Article) -> datetime:
    return parse_iso(article.captured_at) if article.captured_at else datetime.now(UTC)
